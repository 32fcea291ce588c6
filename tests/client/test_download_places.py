"""Where downloads are written: nothing is replaced, no link is followed, and no two share a file."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from cio_mcp.client.call import Call
from cio_mcp.client.download import Downloader
from cio_mcp.errors import NotSent, Refused
from tests.client.test_download import CONTENT, Host, names, saved

pytestmark = pytest.mark.anyio

LINK = "https://files.example/7.csv"


class Odd(httpx.AsyncBaseTransport):
    """A host whose answer has these headers."""

    def __init__(self, **headers: str) -> None:
        self.headers = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}

    async def handle_async_request(self, _: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers=self.headers, content=CONTENT)


async def _to_file(
    wire: httpx.AsyncBaseTransport, path: Path, source: str, link: str = "https://x.example/7"
) -> int:
    async def a_link() -> str:
        return link

    return await Downloader(wire).to_file(Call(float("inf")), a_link, path, source)


async def test_a_file_made_meanwhile_is_left_and_the_download_kept_for_another_name(tmp_path: Path) -> None:
    host = Host()
    (tmp_path / "a.csv").write_text("precious")
    with pytest.raises(NotSent, match=r"a file a\.csv by now.*Choose another name"):
        await saved(host, tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text() == "precious"

    host.ends = [None]
    assert await saved(host, tmp_path / "b.csv") == len(CONTENT)
    assert host.asked[-1].headers["range"] == f"bytes={len(CONTENT)}-"
    assert (tmp_path / "b.csv").read_bytes() == CONTENT
    assert sorted(names(tmp_path)) == ["a.csv", "b.csv"]


async def test_two_downloads_to_one_name_are_not_mixed(tmp_path: Path) -> None:
    class Slow(httpx.AsyncByteStream):
        def __init__(self, who: bytes) -> None:
            self.who = who

        async def __aiter__(self) -> AsyncIterator[bytes]:
            for _ in range(3):
                await asyncio.sleep(0)
                yield self.who

    class Two(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            return httpx.Response(200, stream=Slow(request.url.path[1:].encode()))

    path = tmp_path / "a.csv"
    ends = await asyncio.gather(
        _to_file(Two(), path, "export-1", "https://x.example/A"),
        _to_file(Two(), path, "export-2", "https://x.example/B"),
        _to_file(Two(), path, "export-1", "https://x.example/C"),
        return_exceptions=True,
    )

    assert ends[0] == 3
    assert path.read_text() == "AAA"
    assert "by now" in str(ends[1])
    assert "Another call is downloading the same file" in str(ends[2])
    assert sorted(names(tmp_path)) == [".export-2.part", "a.csv"]


@pytest.mark.parametrize("planted", [".export-7.part", ".export-7.part.tag"])
async def test_a_link_that_somebody_has_planted_is_not_followed(tmp_path: Path, planted: str) -> None:
    (outside := tmp_path / "outside").write_text("outside")
    outside.chmod(0o644)
    (tmp_path / planted).symlink_to(outside)

    await saved(Host(), tmp_path / "a.csv")

    assert (outside.read_text(), outside.stat().st_mode & 0o777) == ("outside", 0o644)
    assert not (tmp_path / "a.csv").is_symlink()
    assert (tmp_path / "a.csv").read_bytes() == CONTENT


@pytest.mark.parametrize("headers", [{"etag": '"é"'}, {"content_length": "abc"}, {"content_length": "²"}])
async def test_headers_that_say_nothing_are_passed_over(tmp_path: Path, headers: dict[str, str]) -> None:
    assert await _to_file(Odd(**headers), tmp_path / "a.csv", "export-7") == len(CONTENT)
    assert names(tmp_path) == ["a.csv"]


@pytest.mark.parametrize("link", ["https://x.example:port/", "https:///nohost", LINK + "x" * 70_000])
async def test_a_link_that_is_no_address_is_refused(tmp_path: Path, link: str) -> None:
    with pytest.raises(Refused, match="not an https address"):
        await _to_file(Odd(), tmp_path / "a.csv", "export-7", link)
