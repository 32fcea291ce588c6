"""Downloading a file from a link: piece by piece, continued where it broke off, whole or not at all."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import httpx

from cio_mcp.client.call import Call, QueuePlace, failed, now
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

FreshLink = Callable[[], Awaitable[str]]


class _Broken(Exception):
    """The download broke off, and can go on; the text says why."""


@dataclass
class _Part:
    """What is there of a file, and the mark by which its host knows whether it is of the same one.

    Neither is ever reached through a link: others may be able to write to the folder.
    """

    path: Path

    @property
    def tag(self) -> Path:
        return self.path.with_name(f"{self.path.name}.tag")

    def size(self) -> int:
        there = all(path.is_file() and not path.is_symlink() for path in (self.path, self.tag))
        return self.path.stat().st_size if there else 0

    def opened(self, have: int) -> BinaryIO:
        """Open it to go on after the bytes there are, or from the start."""
        return open(self.path, "r+b", opener=_private) if have else _new(self.path)

    @contextmanager
    def only_here(self) -> Iterator[None]:
        """Keep other calls and processes from the same download; raises NotSent if one is under way."""
        from filelock import FileLock, Timeout  # noqa: PLC0415 - only where a file is saved

        lock = FileLock(self.path.with_name(f"{self.path.name}.lock"), mode=0o600, blocking=False)
        try:
            lock.acquire()
        except Timeout:
            what = "Another call is downloading the same file."
            raise NotSent(what, do="Wait until it ends.", retryable=True) from None
        try:
            yield
        finally:
            with suppress(OSError):  # Windows does it itself; who waits elsewhere sees that this one is gone
                Path(lock.lock_file).unlink()
            lock.release()

    def become(self, path: Path) -> None:
        """Put the whole file where it belongs; raises FileExistsError rather than replace another."""
        path.touch(0o600, exist_ok=False)
        try:
            self.path.replace(path)
        except OSError:
            path.unlink()
            raise
        self.tag.unlink(missing_ok=True)


class Downloader:
    """Downloads through `wire`. Links name hosts of Customer.io's storage: no key is sent to them."""

    def __init__(self, wire: httpx.AsyncBaseTransport) -> None:
        self._wire = wire

    async def to_file(self, call: Call, link: FreshLink, path: Path, source: str) -> int:
        """Download to a file that is not there yet; returns its size. `link` makes a link for each attempt.

        `source` names what is downloaded: a later call goes on with the same. Raises Refused, and NotSent
        where a later call can go on.
        """
        part = _Part(path.with_name(f".{source}.part"))
        try:
            with part.only_here():
                size = await self._whole(call, link, part)
                part.become(path)
        except FileExistsError:
            what = f"There is a file {path.name} by now; it was left as it is."
            raise NotSent(what, do="Choose another name: what was downloaded is kept for it.") from None
        except OSError as error:
            what = f"The file cannot be written: {error.strerror}."
            raise NotSent(what, do="An operator has to fix that.") from None
        return size

    async def _whole(self, call: Call, link: FreshLink, part: _Part) -> int:
        why = ""
        for attempt in range(ATTEMPTS):
            if attempt:
                await asyncio.sleep(PAUSE * attempt)
            try:
                return await self._attempt(call, await link(), part)
            except _Broken as broken:
                why = str(broken)
        raise NotSent(f"The download broke off: {why}.", do=AGAIN, retryable=True)

    async def _attempt(self, call: Call, link: str, part: _Part) -> int:
        have = part.size()
        known = {"range": f"bytes={have}-", "if-range": part.tag.read_text("ascii")} if have else {}
        async with self._answer(link, known) as answer:
            if answer.status_code == 206 and _begins(answer) == have:
                total = have + _whole_number(answer.headers.get("content-length", ""), 0)
            elif answer.status_code == 416 and answer.headers.get("content-range") == f"bytes */{have}":
                return have  # it was whole already
            elif answer.status_code == 200:
                have, total = 0, _whole_number(answer.headers.get("content-length", ""), 0)
                _write_tag(part, answer)
            else:
                part.tag.unlink(missing_ok=True)  # the next attempt starts again
                raise _refusal(answer.status_code)
            with part.opened(have) as file:
                file.seek(have)
                told = now()
                async for piece in answer.aiter_bytes():
                    file.write(piece)
                    have += len(piece)
                    if call.tell and now() >= told + TELL_EVERY:
                        told = now()
                        left = (told - call.begun) * (total - have) / max(have, 1)
                        await call.tell(QueuePlace(told - call.begun, 0, left, f"Downloaded {have:,} bytes"))
        if "content-encoding" not in answer.headers and total and have != total:
            message = f"{have} of {total} bytes came"
            raise _Broken(message)
        return have

    @asynccontextmanager
    async def _answer(self, link: str, headers: dict[str, str]) -> AsyncIterator[httpx.Response]:
        try:
            url = httpx.URL(link)
        except httpx.InvalidURL:
            url = httpx.URL()
        if url.scheme != "https" or not url.host:
            raise Refused("Customer.io's link to the file is not an https address.")
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
    return _whole_number(told, -1)


def _whole_number(text: str, otherwise: int) -> int:
    return int(text) if text.isdecimal() and len(text) < 20 else otherwise


def _write_tag(part: _Part, answer: httpx.Response) -> None:
    """Keep the mark of what is downloaded; what has none, or is packed, cannot be continued."""
    tag = answer.headers.get("etag", "")
    part.tag.unlink(missing_ok=True)
    if tag.isascii() and tag[:1] == '"' and "content-encoding" not in answer.headers:
        with _new(part.tag) as file:
            file.write(tag.encode())


def _new(path: Path) -> BinaryIO:
    """Open a file that only its owner can read, instead of what may be there."""
    path.unlink(missing_ok=True)
    return open(path, "xb", opener=_private)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o600)


def _refusal(status: int) -> Exception:
    if status in EXPIRED or failed(status) or status in {206, 408, 416, 429}:
        return _Broken(f"the file's host answered {status}")
    return Refused(f"The file's host answered {status}.", do="A person can download it in Customer.io.")
