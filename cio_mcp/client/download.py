"""Downloading a file from a link: piece by piece, continued where it broke off, whole or not at all."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from cio_mcp.client.call import Call, Place, failed, now
from cio_mcp.client.network import Network, failure_of
from cio_mcp.errors import NotSent, Refused

# How often a download is begun or continued, and the pause before it is, in seconds.
ATTEMPTS, PAUSE = 5, 1.0

# Seconds without a byte after which a connection counts as broken.
PATIENCE = httpx.Timeout(30.0, connect=10.0).as_dict()

# Seconds between two reports of progress.
TELL_EVERY = 1.0

# Statuses with which a link says that it has expired, or leads nowhere any more.
EXPIRED = {401, 403, 404, 410}

AGAIN = "Call again: it goes on where it broke off."

Link = Callable[[], Awaitable[str]]


class _Broken(Exception):
    """The download broke off, and can go on; the text says why."""


@dataclass
class _Part:
    """What is there of a file, and the mark by which its host knows whether it is of the same one."""

    path: Path

    @property
    def tag(self) -> Path:
        return self.path.with_name(f"{self.path.name}.tag")

    def size(self) -> int:
        return self.path.stat().st_size if self.path.exists() and self.tag.exists() else 0


class Downloader:
    """Downloads through `wire`. Links name hosts of Customer.io's storage: no key is sent to them."""

    def __init__(self, wire: httpx.AsyncBaseTransport) -> None:
        self._wire = wire

    async def to_file(self, call: Call, link: Link, path: Path) -> int:
        """Download to a file that is not there yet; returns its size. `link` makes a link for each attempt.

        Raises Refused, and NotSent where a later call can go on.
        """
        part, why = _Part(path.with_name(f".{path.name}.part")), ""
        for attempt in range(ATTEMPTS):
            if attempt:
                await asyncio.sleep(PAUSE * attempt)
            try:
                size = await self._attempt(call, await link(), part)
                part.path.rename(path)
                part.tag.unlink(missing_ok=True)
            except _Broken as broken:
                why = str(broken)
            except OSError as error:
                what = f"The file cannot be written: {error.strerror}."
                raise NotSent(what, do="An operator has to fix that.") from None
            else:
                return size
        raise NotSent(f"The download broke off: {why}.", do=AGAIN, retryable=True)

    async def _attempt(self, call: Call, link: str, part: _Part) -> int:
        have = part.size()
        known = {"range": f"bytes={have}-", "if-range": part.tag.read_text("ascii")} if have else {}
        async with self._answer(link, known) as answer:
            if answer.status_code == 206 and _begins(answer) == have:
                total = have + int(answer.headers.get("content-length", 0))
            elif answer.status_code == 200:
                have, total = 0, int(answer.headers.get("content-length", 0))
                _write_tag(part, answer)
            else:
                part.tag.unlink(missing_ok=True)  # the next attempt begins anew
                raise _refusal(answer.status_code)
            with part.path.open("r+b" if have else "wb") as file:
                part.path.chmod(0o600)
                file.seek(have)
                told = now()
                async for piece in answer.aiter_bytes():
                    file.write(piece)
                    have += len(piece)
                    if call.tell and now() >= told + TELL_EVERY:
                        told = now()
                        left = (told - call.begun) * (total - have) / max(have, 1)
                        await call.tell(Place(told - call.begun, 0, left, f"Downloaded {have:,} bytes"))
        if "content-encoding" not in answer.headers and total and have != total:
            message = f"{have} of {total} bytes came"
            raise _Broken(message)
        return have

    @asynccontextmanager
    async def _answer(self, link: str, headers: dict[str, str]) -> AsyncIterator[httpx.Response]:
        url = httpx.URL(link)
        if url.scheme != "https":
            raise Refused("Customer.io's link to the file is no https address.")
        asked = httpx.Request(
            "GET", url, headers={"accept-encoding": "identity"} | headers, extensions={"timeout": PATIENCE}
        )
        try:
            if isinstance(self._wire, Network):
                async with self._wire.streamed(asked) as answer:
                    yield answer
            else:
                yield await self._wire.handle_async_request(asked)
        except httpx.RequestError as error:
            raise _Broken(str(failure_of(error, url))) from None


def _begins(answer: httpx.Response) -> int:
    """Return at which byte an answer begins, by its Content-Range."""
    told = answer.headers.get("content-range", "").removeprefix("bytes ").partition("-")[0]
    return int(told) if told.isdecimal() else -1


def _write_tag(part: _Part, answer: httpx.Response) -> None:
    """Keep the mark of what is downloaded; what has none, or is packed, cannot be continued."""
    tag = answer.headers.get("etag", "")
    if tag and not tag.startswith("W/") and "content-encoding" not in answer.headers:
        part.tag.write_text(tag, "ascii")
    else:
        part.tag.unlink(missing_ok=True)


def _refusal(status: int) -> Exception:
    if status in EXPIRED or failed(status) or status in {206, 408, 416, 429}:
        return _Broken(f"the file's host answered {status}")
    return Refused(f"The file's host answered {status}.", do="A person can download it in Customer.io.")
