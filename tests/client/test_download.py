"""Downloads: whole or not at all, continued where they broke off, and no key for the file's host."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from cio_mcp.client.call import Call
from cio_mcp.client.download import Downloader
from cio_mcp.errors import NotSent, Refused

pytestmark = pytest.mark.anyio

CONTENT = b"id,plan\n" + b"".join(b"%d,pro\n" % number for number in range(20_000))


class Pieces(httpx.AsyncByteStream):
    """A body that comes in pieces, and perhaps breaks off."""

    def __init__(self, content: bytes, breaks_at: int | None) -> None:
        self.content, self.breaks_at = content, breaks_at

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for at in range(0, len(self.content), 10_000):
            if self.breaks_at is not None and at >= self.breaks_at:
                raise httpx.ReadError("cut")
            yield self.content[at : at + 10_000]


class Host(httpx.AsyncBaseTransport):
    """A host of files; each of `ends` says how the next answer ends: a status, or where it breaks off."""

    def __init__(self, *ends: int | None, tag: str = '"v1"') -> None:
        self.ends, self.tag, self.content = list(ends), tag, CONTENT
        self.asked: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        end = self.ends.pop(0) if self.ends else None
        if end is not None and end < 1000:
            return httpx.Response(end)
        headers = {"etag": self.tag} if self.tag else {}
        begins = int(request.headers.get("range", "bytes=0-")[6:-1])
        status = 200
        if begins == len(self.content):
            return httpx.Response(416, headers={"content-range": f"bytes */{begins}"})
        if begins and request.headers["if-range"] == self.tag:
            status = 206
            headers["content-range"] = f"bytes {begins}-{len(self.content) - 1}/{len(self.content)}"
        else:
            begins = 0
        rest = self.content[begins:]
        headers["content-length"] = str(len(rest))
        return httpx.Response(status, headers=headers, stream=Pieces(rest, end))


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def saved(host: Host, path: Path) -> int:
    links = iter(range(100))

    async def link() -> str:
        return f"https://files.example/7.csv?signature={next(links)}"

    return await Downloader(host).to_file(Call(float("inf")), link, path, "export-7")


async def test_a_download_goes_on_where_it_broke_off_with_a_new_link(tmp_path: Path) -> None:
    host = Host(50_000, 30_000, 403, None)

    assert await saved(host, tmp_path / "a.csv") == len(CONTENT)

    assert (tmp_path / "a.csv").read_bytes() == CONTENT
    assert [request.headers.get("range") for request in host.asked] == [
        None,
        "bytes=50000-",
        "bytes=80000-",
        None,
    ]
    assert len({str(request.url) for request in host.asked}) == 4
    assert not any("authorization" in request.headers for request in host.asked)
    assert names(tmp_path) == ["a.csv"]
    assert (tmp_path / "a.csv").stat().st_mode & 0o777 == 0o600


async def test_another_process_goes_on_with_what_is_there(tmp_path: Path) -> None:
    with pytest.raises(NotSent, match="goes on where it broke off"):
        await saved(Host(*[20_000] * 5, 1), tmp_path / "a.csv")
    assert not (tmp_path / "a.csv").exists()

    host = Host()
    assert await saved(host, tmp_path / "a.csv") == len(CONTENT)
    assert host.asked[0].headers["range"] == "bytes=100000-"
    assert (tmp_path / "a.csv").read_bytes() == CONTENT


async def test_a_file_that_has_changed_meanwhile_is_begun_anew(tmp_path: Path) -> None:
    host = Host(50_000)
    first = host.handle_async_request

    async def changed(request: httpx.Request) -> httpx.Response:
        if host.asked:
            host.tag, host.content = '"v2"', CONTENT[::-1]
        return await first(request)

    host.handle_async_request = changed  # type: ignore[method-assign]
    await saved(host, tmp_path / "a.csv")

    assert (tmp_path / "a.csv").read_bytes() == CONTENT[::-1]


@pytest.mark.parametrize("tag", ["", 'W/"weak"'])
async def test_a_file_without_a_mark_is_begun_anew(tmp_path: Path, tag: str) -> None:
    host = Host(50_000, tag=tag)
    await saved(host, tmp_path / "a.csv")

    assert (tmp_path / "a.csv").read_bytes() == CONTENT
    assert all("range" not in request.headers for request in host.asked)


async def test_a_file_that_is_shorter_than_announced_is_no_file(tmp_path: Path) -> None:
    async def short(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"content-length": "999"}, stream=Pieces(b"short", None))

    host = Host()
    host.handle_async_request = short  # type: ignore[method-assign, assignment]
    with pytest.raises(NotSent, match="5 of 999 bytes came"):
        await saved(host, tmp_path / "a.csv")
    assert not (tmp_path / "a.csv").exists()


@pytest.mark.parametrize(("status", "kind"), [(302, Refused), (400, Refused), (500, NotSent), (403, NotSent)])
async def test_what_the_host_refuses_is_told(tmp_path: Path, status: int, kind: Any) -> None:
    host = Host(*[status] * 9)
    with pytest.raises(kind, match=str(status)):
        await saved(host, tmp_path / "a.csv")
    assert len(host.asked) == (1 if kind is Refused else 5)


async def test_a_link_that_is_not_https_is_not_followed(tmp_path: Path) -> None:
    host = Host()

    async def link() -> str:
        return "http://files.example/7.csv"

    with pytest.raises(Refused, match="not an https address"):
        await Downloader(host).to_file(Call(float("inf")), link, tmp_path / "a.csv", "export-7")
    assert host.asked == []
