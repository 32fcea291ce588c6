"""JSON that nothing can hold is refused by the name of the argument it is in, over every transport."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cio_mcp.asgi import create_app
from cio_mcp.settings import load
from cio_mcp.toolkit.arguments.sizes import DEEP, HALF, MOST_LEVELS
from cio_mcp.transports.repair import repaired
from cio_mcp.transports.unreadable import answers
from tests.processes import Command
from tests.transports.messages import HELLO
from tests.transports.test_transports import Served, serving

pytestmark = pytest.mark.anyio

ODD = [
    (r'{"x": "\ud83d"}', "data: text must be valid Unicode"),
    (r'{"\udc00": 1}', "data: text must be valid Unicode"),
    ('{"x": NaN}', "data: numbers must be finite"),
    ('{"x": -Infinity}', "data: numbers must be finite"),
    ('{"x": 1e999}', "data: numbers must be finite"),
    ('{"x": ' + "[" * 1000 + "]" * 1000 + "}", "data: is nested too deeply"),
    ('{"x": ' * 50_000 + "1" + "}" * 50_000, "data: is nested too deeply"),
]

META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}


def calling(data: str, meta: dict[str, Any] | None = None) -> bytes:
    """Return a call of track_event, with JSON for its data as it stands."""
    arguments = {"customer_id": "u_1001", "name": "seen", "data": "DATA"}
    params = {"name": "track_event", "arguments": arguments, **({"_meta": meta} if meta else {})}
    message = {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params}
    return json.dumps(message).replace('"DATA"', data).encode()


@pytest.mark.parametrize("modern", [False, True], ids=["2025-11-25", "2026-07-28"])
async def test_over_http_the_argument_is_named(modern: bool) -> None:
    application = create_app(load({"CIO_SANDBOX": "on"}))
    headers = {"accept": "application/json, text/event-stream", "content-type": "application/json"}
    async with (
        application.router.lifespan_context(application),
        httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://localhost") as http,
    ):
        if modern:
            headers |= {"mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call"}
            headers |= {"mcp-name": "track_event"}
        else:
            answer = await http.post("/mcp", json=HELLO, headers=headers)
            headers |= {"mcp-session-id": answer.headers["mcp-session-id"]}
        for data, words in ODD:
            body = calling(data, META if modern else None)
            answer = await http.post("/mcp", content=body, headers=headers)
            assert words in answer.text, answer.text


@pytest.fixture(scope="module")
def sse() -> Iterator[Served]:
    with serving() as found:
        yield found


@pytest.mark.processes
class TestInProcesses:
    async def test_over_sse_the_argument_is_named(self, sse: Served) -> None:
        async with (
            httpx.AsyncClient(base_url=sse.url, trust_env=False, timeout=20) as http,
            http.stream("GET", "/sse") as stream,
        ):
            lines = stream.aiter_lines()

            async def told() -> str:
                line = await anext(lines)
                while not line.startswith("data: "):
                    line = await anext(lines)
                return line.removeprefix("data: ")

            place = await told()
            await http.post(place, json=HELLO)
            await told()
            await http.post(place, json={"jsonrpc": "2.0", "method": "notifications/initialized"})
            for data, words in ODD:
                sent = await http.post(
                    place, content=calling(data), headers={"content-type": "application/json"}
                )
                assert sent.status_code == 202
                assert words in await told()

    async def test_over_stdio_the_argument_is_named(self) -> None:
        with Command(CIO_SANDBOX="on") as process:
            for line in (json.dumps(HELLO), '{"jsonrpc": "2.0", "method": "notifications/initialized"}'):
                process.stdin.write(line + "\n")
            process.stdin.flush()
            await asyncio.to_thread(process.stdout.readline)
            for data, words in ODD:
                process.stdin.write(calling(data).decode() + "\n")
                process.stdin.flush()
                answer = await asyncio.to_thread(process.stdout.readline)
                assert words in answer, answer


@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=8,
    )
)
def test_a_message_that_can_be_read_is_left_as_it_is(value: object) -> None:
    for ascii_only in (True, False):
        text = json.dumps(value, ensure_ascii=ascii_only).encode(errors="surrogatepass")
        assert repaired(text) == text


@given(st.text(), st.sampled_from(["\ud800", "\udfff"]))
def test_each_half_is_marked_and_whole_characters_stay(text: str, half: str) -> None:
    found = json.loads(repaired(json.dumps(["tools/call", text + half + "\U0001f600\\ud800"]).encode()))[1]

    assert found == text + HALF + "\U0001f600\\ud800"


@pytest.mark.parametrize("levels", [MOST_LEVELS - 1, MOST_LEVELS, MOST_LEVELS + 1, 5000])
def test_only_what_is_too_deep_is_cut_away(levels: int) -> None:
    text = '{"a":' * levels + '"[{"' + "}" * (levels - 1) + ',"b":"tools/call"}'
    found: Any = json.loads(repaired(text.encode()))
    depth = 0
    while isinstance(found, dict):
        found, depth = found["a"], depth + 1

    assert (found, depth) == (("[{", levels) if levels <= MOST_LEVELS else (DEEP, MOST_LEVELS))


@pytest.mark.parametrize(
    ("line", "says", "ids"),
    [
        ('{"id": 1', "is not JSON", [None]),
        ('{"jsonrpc": "2.0", "id": 7, "method": tools}', "is not JSON", [7]),
        ('{"id": 7, "params": {"a": [1}', "is not JSON", [7]),
        ('{"id": 3, "method": 5}', "is not JSON-RPC 2.0", [3]),
        ('{"id": true, "method": 5}', "is not JSON-RPC 2.0", [None]),
        ('{"id": 4, "result": {}, "x": 1}', "is not JSON-RPC 2.0", [None]),
        ('[{"id": "a"}, {"id": "a"}, {"method": "x"}]', "is an array", ["a"]),
        ('\ufeff{"id": 5}', "begins with a byte-order mark", [5]),
        ('{"id": 6, "a": "\\ud800"}', "holds half a character", [6]),
        ('{"id": 8, "a": "\udcff"}', "holds bytes that are not UTF-8", [8]),
        ("[" * 100_000, "is nested too deeply", [None]),
        ("hello", "is not JSON", [None]),
    ],
)
def test_each_request_in_a_line_that_is_no_message_is_answered(
    line: str, says: str, ids: list[object]
) -> None:
    found = list(answers(line))

    assert [one.id for one in found] == ids
    assert all(says in one.error.message for one in found)
