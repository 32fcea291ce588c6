"""Whatever answers, an answer takes no more memory and no more time than there is for it."""

import asyncio
import gzip
import json
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest

from cio_mcp.auth.oauth.keys import Keys
from cio_mcp.client import RequestKind
from cio_mcp.client.call import now
from cio_mcp.errors import Refused, Unauthorized, UnknownOutcome
from tests.client.wires import Script, connected
from tests.tools.canned import canned

pytestmark = pytest.mark.anyio

MEMORY = 64_000_000
LIMIT = 4_000_000


GZIP, DEFLATE = 31, 15


def blanks(megabytes: int, form: int = GZIP) -> bytes:
    """Return so many megabytes of blanks, compressed; the same block after the first has it all."""
    packing = zlib.compressobj(9, wbits=form)
    first, block = (packing.compress(b" " * 1_000_000) + packing.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    return first + block * (megabytes - 1)


class Parts(httpx.AsyncByteStream):
    """A body as it comes in, in parts."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._body), 65_536):
            yield self._body[start : start + 65_536]


def answer_of(body: bytes, coding: str = "identity") -> httpx.Response:
    return httpx.Response(200, headers={"content-encoding": coding}, stream=Parts(body))


def repeated(part: bytes, size: int = LIMIT) -> bytes:
    return b'{"a":[' + part * ((size - 10) // len(part) - 1) + part.rstrip(b",") + b"]}"


DISTINCT = ",".join(f'"{n:x}":0' for n in range(150_000)).encode()

HUGE: dict[str, Callable[[], httpx.Response]] = {
    "very many blanks": lambda: answer_of(blanks(200), "gzip"),
    "zipped twice": lambda: answer_of(gzip.compress(blanks(200)), "gzip, gzip"),
    "very many deflated blanks": lambda: answer_of(blanks(200, DEFLATE), "deflate"),
    "more than it takes": lambda: answer_of(b'"' + b"a" * 20_000_000 + b'"'),
    "empty objects": lambda: answer_of(repeated(b"{},")),
    "objects": lambda: answer_of(repeated(b'{"":0},')),
    "just so many objects": lambda: answer_of(repeated(b'{"":0},', 690_000)),
    "lists": lambda: answer_of(repeated(b"[],")),
    "numbers": lambda: answer_of(repeated(b"1.1,", 1_190_000)),
    "names": lambda: answer_of(b"{" + DISTINCT + b"}"),
    "text": lambda: answer_of(b'{"a":"' + b"a" * (LIMIT - 100) + "\U0001f600".encode() + b'"}'),
    "halves of characters": lambda: answer_of(repeated(b'"\\ud800",')),
    "text and names": lambda: answer_of(
        b"{" + DISTINCT + b',"":"\xf0\x9f\x98\x80' + b"a" * (LIMIT - len(DISTINCT) - 100) + b'"}'
    ),
}


@pytest.mark.repeating
@pytest.mark.parametrize("huge", HUGE.values(), ids=HUGE.keys())
async def test_no_answer_takes_more_than_64_mb(huge: Callable[[], httpx.Response]) -> None:
    wire = Script([huge()])
    async with connected(wire) as there:
        with peak() as taken:
            try:
                await there.track().get("/api/v1/x")
            except Refused as error:
                assert "too large or nested too deeply to be read. Ask for less" in str(error)  # noqa: PT017

    assert taken[0] < MEMORY
    assert len(wire.requests) == 1, "what is too large is not asked for again"


@contextmanager
def peak() -> Iterator[list[int]]:
    taken: list[int] = []
    tracemalloc.start()
    try:
        yield taken
        taken.append(tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("coding", ["gzip", "deflate", "identity"])
async def test_a_large_answer_that_is_still_customer_io_s_is_read(coding: str) -> None:
    people = [{"id": str(n), "attributes": {"note": "x" * 3_500}} for n in range(1_000)]
    body = json.dumps({"customers": people}).encode()
    packings: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "deflate": zlib.compress}
    packed = packings.get(coding, bytes)(body)
    async with connected(Script([answer_of(packed, coding)])) as there:
        assert await there.track().get("/api/v1/x") == {"customers": people}


async def test_the_keys_of_an_issuer_are_bounded_alike() -> None:
    keys = Keys(
        "https://issuer.example",
        "https://issuer.example/keys",
        wire=Script([answer_of(blanks(1000), "gzip")]),
    )
    with peak() as taken, pytest.raises(Unauthorized, match="cannot be fetched now"):
        await keys.find("first", "RS256")
    await keys.aclose()

    assert "does not answer with a JSON object" in keys.trouble
    assert taken[0] < MEMORY


async def test_a_write_whose_answer_is_too_large_is_not_called_refused() -> None:
    async with connected(Script([answer_of(blanks(10), "gzip")])) as there:
        with pytest.raises(UnknownOutcome, match="too large"):
            await there.track().post("/api/v1/x", {}, kind=RequestKind.ONCE)


async def test_a_body_is_unpacked_a_few_times_and_no_more() -> None:
    body = b"{}"
    for times in range(1, 6):
        body = gzip.compress(body)
        async with connected(Script([answer_of(body, ", ".join(["gzip"] * times))])) as there:
            if times < 5:
                assert await there.track().post("/api/v1/x", {}, kind=RequestKind.ONCE) == {}
            else:
                with pytest.raises(UnknownOutcome, match="DecodingError"):
                    await there.track().post("/api/v1/x", {}, kind=RequestKind.ONCE)


@pytest.mark.parametrize("packed", [b"\x1f\x8bno", b"no zip", gzip.compress(b"{}", mtime=0)[:-3]])
async def test_a_body_that_is_not_what_its_headers_say_leaves_the_outcome_unknown(packed: bytes) -> None:
    async with connected(Script([answer_of(packed, "gzip")])) as there:
        with pytest.raises(UnknownOutcome, match="DecodingError"):
            await there.track().post("/api/v1/x", {}, kind=RequestKind.ONCE)


class Trickle(httpx.AsyncByteStream):
    """A body that never ends: a byte every nine seconds, so that no timeout between two reads notices."""

    def __init__(self) -> None:
        self.parts = 0
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(9)
            self.parts += 1
            yield b" "

    async def aclose(self) -> None:
        self.closed = True


async def test_a_body_that_never_ends_is_given_up_at_the_call_s_deadline() -> None:
    body = Trickle()
    async with connected(Script([httpx.Response(200, stream=body)]), deadline=30) as there:
        begun = now()
        with pytest.raises(UnknownOutcome):
            await there.track().get("/api/v1/x")
        took = now() - begun
        await asyncio.sleep(3600)

    assert took == 30
    assert body.parts == 3, "and nothing reads on behind the call"
    assert body.closed


@pytest.mark.parametrize(
    ("told", "value"),
    [
        ('"half \\ud83d"', "half \ufffd"),
        ('"\\udc00\\ud83d"', "\ufffd\ufffd"),
        ('"whole \\ud83d\\ude00, \\\\ud83d"', "whole \U0001f600, \\ud83d"),
        ("NaN", "NaN"),
        ("-Infinity", "-Infinity"),
        ("1e999", "1e999"),
        ("-1e999", "-1e999"),
        ("9" * 5000, "9" * 5000),
        ("1e3", 1000.0),
    ],
)
async def test_what_no_json_can_hold_is_told_in_other_words(told: str, value: object) -> None:
    body = f'{{"customer": {{"attributes": {{"odd": {told}, "plan": "pro"}}}}}}'.encode()
    bodies = {"attributes": httpx.Response(200, content=body)}
    async with canned(bodies) as workspace:
        customer = await workspace.call("get_customer", customer_id="n")

    assert customer["attributes"] == {"odd": value, "plan": "pro"}


async def test_bytes_that_are_no_text_do_not_hide_the_rest() -> None:
    body = b'{"customer": {"attributes": {"odd": "\xff \xed\xa0\x80", "plan": "pro"}}}'
    async with canned({"attributes": httpx.Response(200, content=body)}) as workspace:
        customer = await workspace.call("get_customer", customer_id="n")

    assert customer["attributes"]["plan"] == "pro"
    assert customer["attributes"]["odd"].startswith("\ufffd")


@pytest.mark.parametrize("levels", [401, 1000, 100_000])
async def test_an_answer_of_too_many_levels_is_refused_and_not_a_fault(levels: int) -> None:
    deep = b'{"a":' * levels + b"1" + b"}" * levels
    body = b'{"customer": {"attributes": {"deep": ' + deep + b"}}}"
    async with canned({"attributes": httpx.Response(200, content=body)}) as workspace:
        text = await workspace.fail("get_customer", customer_id="n")

    assert "too large or nested too deeply" in text
