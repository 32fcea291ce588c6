"""Faults that are asked for: what they do to requests and deliveries, and that they end alike everywhere."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
import uvicorn

from cio_mcp.app.sandbox_wire import SandboxWire
from cio_mcp.cli.port_server import PortServer
from cio_mcp.sandbox import Sandbox
from cio_mcp.sandbox.faults import book
from cio_mcp.sandbox.faults.fault import WrongFault, parse
from cio_mcp.sandbox.port import CuttingProtocol
from cio_mcp.sandbox.state import people
from tests.agent import an_agent
from tests.planted import START
from tests.sandbox.conftest import Caller, Calling, Clock

pytestmark = pytest.mark.anyio

DAY = 86_400
ADA = "/v1/customers/u_1001/attributes"
METRICS = "/v1/campaigns/1/metrics?period=days&steps=1"
REGION = "/api/v1/accounts/region"
SEND = {
    "to": "ada@example.com",
    "transactional_message_id": 1,
    "identifiers": {"id": "u_1001"},
    "message_data": {"order_id": "4711"},
}


def add(caller: Caller, **fault: Any) -> int:
    with caller.sandbox.workspace.transaction():
        return book.add(caller.sandbox.workspace, parse(fault))


async def statuses(caller: Caller, times: int, path: str = ADA) -> list[int]:
    return [(await caller.send("GET", path)).status_code for _ in range(times)]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Sandbox]]:
    """Provide an address of a sandbox behind a port, and another one that shares its file."""
    path, clock = tmp_path_factory.mktemp("served") / "sandbox.db", Clock()
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        closing(Sandbox(path, clock=clock)) as behind,
        closing(Sandbox(path, clock=clock)) as sandbox,
    ):
        config = uvicorn.Config(behind.app, http=CuttingProtocol, lifespan="off", log_level="error")
        server = PortServer(config, listener, "speak http")
        running = Thread(target=server.run)
        running.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", sandbox
        server.should_exit = True
        running.join()


HTML = "text/html; charset=utf-8"

# A fault, how a write ends for a client that waits for an answer, and whether it takes effect.
ENDS: list[tuple[dict[str, Any], Any, bool]] = [
    ({"does": "throttle", "retry_after": 7}, (429, "application/json", "7"), False),
    ({"does": "throttle"}, (429, "application/json", None), False),
    ({"does": "quota"}, (429, "application/json", None), False),
    ({"does": "error"}, (500, "application/json", None), False),
    ({"does": "error", "status": 503, "after": True}, (503, "application/json", None), True),
    ({"does": "html"}, (502, HTML, None), False),
    ({"does": "html", "status": 200, "after": True}, (200, HTML, None), True),
    ({"does": "cut"}, httpx.RemoteProtocolError, False),
    ({"does": "cut", "after": True}, httpx.RemoteProtocolError, True),
    ({"does": "slow", "seconds": 0.001}, (200, "application/json; charset=utf-8", None), True),
    ({"does": "slow", "seconds": 0.15}, httpx.ReadTimeout, True),
    ({"does": "slow", "seconds": 0.15, "after": True}, httpx.ReadTimeout, True),
]


@pytest.mark.parametrize("way", ["in process", "over the port"])
@pytest.mark.parametrize(("fault", "end", "takes_effect"), ENDS, ids=str)
@pytest.mark.real_time
async def test_a_fault_ends_for_a_client_in_process_as_over_a_port(
    fault: dict[str, Any], end: Any, takes_effect: bool, way: str, served: tuple[str, Sandbox]
) -> None:
    url, sandbox = served
    with sandbox.workspace.transaction():
        sandbox.workspace.change("DELETE FROM people WHERE id = 'new'")
        number = book.add(sandbox.workspace, parse(fault))
    keys = (sandbox.credentials.site_id, sandbox.credentials.track_api_key)
    wire = SandboxWire(sandbox) if way == "in process" else None
    patience = 0.05 if end is httpx.ReadTimeout else 10
    async with httpx.AsyncClient(transport=wire, auth=keys, timeout=patience) as http:
        try:
            answer = await http.put(f"{url}/api/v1/customers/new", json={"plan": "pro"})
            headers = answer.headers
            got: Any = (answer.status_code, headers["content-type"], headers.get("retry-after"))
        except httpx.RequestError as error:
            got = type(error)
        async with asyncio.timeout(10):
            # The sandbox goes on though nobody waits.
            while takes_effect and not people.find(sandbox.workspace, "new", "id"):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    with sandbox.workspace.transaction():
        found = people.find(sandbox.workspace, "new", "id")
        book.lift(sandbox.workspace, number)

    assert got == end
    assert bool(found) is takes_effect


@pytest.mark.parametrize(
    ("fault", "path", "words"),
    [
        ({"does": "throttle", "retry_after": 3}, ADA, "rate limited to 10 requests per 1s (reference"),
        ({"does": "quota"}, ADA, "rate limited to 100 request(s) per day (reference"),
        ({"does": "throttle"}, REGION, '{"meta":{"error":"rate limit exceeded"}}'),
        ({"does": "error"}, REGION, '{"meta":{"error":"a fault that was asked for"}}'),
        ({"does": "error"}, ADA, '"status":"500"'),
        ({"does": "html"}, ADA, "<title>502 from a proxy</title>"),
    ],
)
async def test_a_struck_request_is_answered_in_the_form_of_its_api(
    caller: Caller, fault: dict[str, Any], path: str, words: str
) -> None:
    add(caller, **fault)
    answer = await caller.send("GET", path)

    assert words in answer.text
    assert ("x-ratelimit-remaining" in answer.headers) is (fault["does"] == "quota")


@pytest.mark.parametrize(
    ("calls", "struck"), [("2", [2]), (2, [2]), ("1-2", [1, 2]), ("3-", [3, 4, 5]), ("1, 4-9", [1, 4, 5])]
)
async def test_calls_are_counted_from_when_the_fault_was_added(
    caller: Caller, calls: str | int, struck: list[int]
) -> None:
    await statuses(caller, 3)
    add(caller, does="error", calls=calls)

    assert [n for n, status in enumerate(await statuses(caller, 5), 1) if status == 500] == struck


async def test_processes_that_share_a_file_count_together_and_faults_outlast_them(
    calling: Calling, clock: Clock, tmp_path: Path
) -> None:
    one, other = (calling(Sandbox(tmp_path / "sandbox.db", clock=clock), clock) for _ in range(2))
    add(one, does="error", calls="2,4")
    alternating = [(await statuses(caller, 1))[0] for caller in (one, other, other, one)]

    assert alternating == [200, 500, 200, 500]
    assert book.listed(other.sandbox.workspace)[0]["struck"] == 2


async def test_chance_is_drawn_by_its_seed_and_by_nothing_else(calling: Calling, clock: Clock) -> None:
    async def drawn(seed: int) -> list[int]:
        caller = calling(Sandbox(clock=clock, seed=False), clock)
        add(caller, does="error", chance=0.3, seed=seed)
        return await statuses(caller, 60, "/v1/segments/1")

    first, again, other = [await drawn(seed) for seed in (1, 1, 2)]

    assert first == again != other
    assert 10 <= first.count(500) <= 26


async def test_a_period_is_by_the_clock_of_the_sandbox(caller: Caller, clock: Clock) -> None:
    caller.pause = 0
    add(caller, does="error", since="+1d", until=int(clock.now) + 2 * DAY)
    seen = []
    for days in (0, 1, 1.9, 2):
        clock.now = START + days * DAY
        seen += await statuses(caller, 1)

    assert seen == [200, 500, 500, 200]


@pytest.mark.parametrize(
    ("route", "struck"),
    [
        ("GET /v1/customers/{customer_id}/attributes", [ADA]),
        ("/v1/customers/u_1001/*", [ADA]),
        ("get /v1/campaigns", ["/v1/campaigns"]),
        ("/v1/campaigns/*", [METRICS]),
        ("POST /v1/campaigns", []),
        ("/v1/*", [ADA, "/v1/campaigns", METRICS]),
        (
            "*",
            [ADA, "/v1/campaigns", "/v1/campaigns/1/metrics?period=days&steps=1", REGION],
        ),
    ],
)
async def test_a_route_says_which_requests(caller: Caller, route: str, struck: list[str]) -> None:
    add(caller, does="error", route=route)
    paths = [ADA, "/v1/campaigns", METRICS, REGION]

    assert [path for path in paths if await statuses(caller, 1, path) == [500]] == struck


@pytest.mark.parametrize("recipient", ["ada@example.com", "u_1001", "ADA@example.com", "ada@*"])
async def test_a_recipient_is_known_by_any_of_their_names_in_a_request(
    caller: Caller, recipient: str
) -> None:
    add(caller, does="error", recipient=recipient)
    others = {"to": "ben@example.com", "identifiers": {"id": "u_1002"}}
    named = [
        (await caller.send(method, path, body)).status_code
        for method, path, body in [
            ("POST", "/v1/send/email", SEND),
            ("POST", "/v1/send/email", SEND | {"to": "Ada <ada@example.com>"}),
            ("PUT", "/api/v1/customers/ada%40example.com", {"plan": "pro"}),
            ("GET", "/v1/customers?email=ada%40example.com", None),
            ("POST", "/v1/send/email", SEND | others),
            ("GET", "/v1/campaigns", None),
        ]
    ]

    assert named == [500, 500, 500, 500, 200, 200]


async def test_waiting_adds_up_and_the_oldest_fault_decides_how_a_request_ends(caller: Caller) -> None:
    add(caller, does="slow", seconds=20)
    add(caller, does="slow", seconds=5, after=True)
    add(caller, does="error", status=503)
    add(caller, does="html")
    loop = asyncio.get_running_loop()
    begun = loop.time()
    answers = await statuses(caller, 1)

    assert answers == [503]
    assert loop.time() - begun == 20


async def sent(caller: Caller, **fault: Any) -> dict[str, int]:
    add(caller, **fault)
    await caller.ok("POST", "/v1/send/email", SEND)
    caller.clock.now += DAY
    newest = next(one for one in await caller.messages() if one.get("transactional_message_id"))
    created = newest["created"]
    return {name: at - created for name, at in newest["metrics"].items()}


async def test_deliveries_come_late_or_are_reported_in_another_way(caller: Caller) -> None:
    late = await sent(caller, does="late", seconds=8 * 3600, calls="1")
    otherwise = await sent(caller, does="secondary", recipient="ben@example.com")

    assert list(late.items())[:3] == [("created", 0), ("sent", 2), ("secondary:delivered", 8 * 3600 + 5)]
    assert list(otherwise.items())[:3] == [("created", 0), ("sent", 2), ("secondary:delivered", 5)]


async def test_states_of_other_channels_are_secondary_where_a_fault_says_so(caller: Caller) -> None:
    add(caller, does="secondary")
    push = {"transactional_message_id": 3, "identifiers": {"id": "u_1001"}}
    await caller.ok("POST", "/v1/send/push", push)
    caller.clock.now += 60
    (newest, *_) = await caller.messages()

    assert set(newest["metrics"]) == {"created", "sent", "secondary:delivered"}


WRONG: dict[str, tuple[Any, str]] = {
    "no object": (5, "valid dictionary"),
    "nothing": ({}, "does: field required"),
    "an unknown kind": ({"does": "explode"}, "does: input should be 'throttle'"),
    "an unknown field": ({"does": "error", "foo": 1}, "foo: is not known here"),
    "ranges backwards": ({"does": "error", "calls": "3-1"}, "calls: must be numbers and ranges"),
    "no range": ({"does": "error", "calls": "first"}, "calls: must be numbers and ranges"),
    "no status of an error": ({"does": "error", "status": 200}, "must be 400 to 599; it is 200"),
    "a chance above one": ({"does": "error", "chance": 2}, "chance: input should be less than"),
    "another's field": ({"does": "late", "seconds": 5, "route": "/v1/x"}, "route goes with cut"),
    "waiting for ever": ({"does": "slow"}, "slow needs seconds"),
    "no time": ({"does": "error", "since": "tomorrow"}, "since: 'tomorrow' must be a time such as"),
    "no method": ({"does": "error", "route": "PATCH /v1/x"}, "route: must be a path, after a method"),
    "a 429 that was done": ({"does": "throttle", "after": True}, "after goes with cut"),
    "a period backwards": ({"does": "error", "since": "+2d", "until": "+1d"}, "later than since"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_fault_is_refused_with_the_field_that_is_wrong(name: str) -> None:
    written, words = WRONG[name]

    with pytest.raises(WrongFault, match=words.replace("(", r"\(")):
        parse(written).added(0)


async def test_the_file_of_a_bad_day_holds_faults_of_every_kind() -> None:
    faults = [parse(fault) for fault in book.bad_day()]

    assert {fault.does for fault in faults} == {
        *("throttle", "quota", "error", "html", "cut", "slow", "late", "secondary")
    }
    assert all(fault.until for fault in faults)


async def test_faults_in_force_stand_in_server_status(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.db"
    async with an_agent(sandbox="on", sandbox_path=str(path)) as agent:
        before = (await agent.call("server_status"))["notes"]
        with closing(Sandbox(path, clock=agent.clock)) as beside, beside.workspace.transaction():
            book.add(beside.workspace, parse({"does": "quota", "route": "GET /v1/segments"}))
            book.add(beside.workspace, parse({"does": "cut", "until": 5}))
        await agent.fail("list_segments")
        notes = (await agent.call("server_status"))["notes"]

    assert notes[:-1] == before
    assert notes[-1] == "fault 1 is in force: 429 of a daily quota on GET /v1/segments (struck 1 of 1)"
