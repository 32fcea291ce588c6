"""An audience grows by no more than was approved, and a call that is stopped half-way says so."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest
from mcp import Client

from cio_mcp.app.build import build
from cio_mcp.client import RequestKind, TrackApi
from cio_mcp.server.server import Server
from cio_mcp.settings import load
from cio_mcp.toolkit.answers.shapes import Accepted
from cio_mcp.toolkit.arguments.types import CustomerId
from cio_mcp.toolkit.registry import Toolbox
from tests.agent import Agent, Caller, an_agent
from tests.safety.test_leaving import identify, posted

pytestmark = pytest.mark.anyio

SEGMENT: dict[str, Any] = {"broadcast_id": 10, "recipients": {"segment": {"id": 1}}}


def add_one(agent: Agent, number: int) -> None:
    identify(agent, f"step_{number}", plan="pro")


async def test_growth_between_the_check_and_the_turn_is_measured_from_what_was_approved() -> None:
    async with an_agent(confirm="preview", max_audience_growth="25", max_sends_per_day="50") as agent:
        first = {"broadcast_id": 10, "ids": ["u_1005"]}
        first["confirmation"] = (await agent.call("trigger_broadcast", **first))["confirmation"]
        code = (await agent.call("trigger_broadcast", **SEGMENT))["confirmation"]
        await agent.call("trigger_broadcast", **first)
        add_one(agent, 1)
        waiting = asyncio.create_task(agent.fail("trigger_broadcast", **SEGMENT, confirmation=code))
        await asyncio.sleep(5)
        add_one(agent, 2)
        text = await waiting
        (cap,) = (await agent.call("server_status"))["caps"]

    assert "has grown from 4 to 6 people" in text
    assert len(posted(agent)) == 1
    assert cap["left"] == 49


async def test_a_change_within_the_second_of_the_last_look_up_is_seen() -> None:
    mail = {"customer_id": "u_1001", "to": "{{customer.email}}", "transactional_message_id": 1}
    async with an_agent(allowed_recipients="example.com", send_rate="2") as agent:
        await asyncio.gather(*(agent.call("send_transactional_email", **mail) for _ in range(2)))
        waiting = asyncio.create_task(agent.fail("send_transactional_email", **mail))
        await asyncio.sleep(0.5)
        cio_id = (await agent.call("get_customer", customer_id="u_1001"))["cio_id"]
        identify(agent, f"cio_{cio_id}", email="ada@elsewhere.example")
        text = await waiting

    assert "CIO_ALLOWED_RECIPIENTS" in text
    assert len(posted(agent)) == 2


halves = Toolbox("halves")


@halves.writes
async def set_two_things(track: TrackApi, customer_id: CustomerId) -> Accepted:
    """Change two things, one after the other."""
    for number in range(2):
        path = "/api/v1/customers/{customer_id}/events"
        body = {"name": f"change {number}"}
        await track.post(path, body, kind=RequestKind.REPEATABLE, customer_id=customer_id)
    return Accepted()


def installed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a package of others offer the toolset."""
    (folder / "halves_package.py").write_text("from tests.safety.test_growth import halves as it\n")
    info = folder / "halves_package-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: halves-package\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[cio_mcp.toolsets]\nhalves = halves_package:it\n")
    monkeypatch.syspath_prepend(str(folder))


@pytest.mark.parametrize(
    ("stops_at", "outcome", "words"),
    [(0, "not_sent", "Nothing was done"), (1, "unknown", "1 of its requests took effect")],
)
async def test_a_call_that_is_stopped_after_its_first_change_does_not_say_that_nothing_was_done(
    stops_at: int, outcome: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(tmp_path, monkeypatch)
    stop, left = tmp_path / "stop", 0

    def upstream(_: httpx.Request) -> httpx.Response:
        nonlocal left
        left += 1
        if left == stops_at:
            stop.touch()
        return httpx.Response(200, json={})

    if stops_at == 0:
        stop.touch()
    environ = {
        "CIO_SITE_ID": "site",
        "CIO_TRACK_API_KEY": "key",
        "CIO_TOOLSETS": "halves",
        "CIO_STOP_FILE": str(stop),
    }
    app = build(load(environ), wire=httpx.MockTransport(upstream))
    async with Client(Server(app)) as client:
        caller = Caller(client)
        text = await caller.fail("set_two_things", customer_id="u_1")
    await app.aclose()

    assert left == stops_at
    assert caller.facts["outcome"] == outcome
    assert words in text
    assert "CIO_STOP_FILE" in text
    assert ("Nothing was done" in text) == (stops_at == 0)


async def test_a_call_that_is_refused_after_its_first_change_is_of_unknown_outcome(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(tmp_path, monkeypatch)
    answers = iter((httpx.Response(200, json={}), httpx.Response(400, json={"meta": {"error": "bad"}})))
    environ = {"CIO_SITE_ID": "site", "CIO_TRACK_API_KEY": "key", "CIO_TOOLSETS": "halves"}
    app = build(load(environ), wire=httpx.MockTransport(lambda _: next(answers)))
    async with Client(Server(app)) as client:
        caller = Caller(client)
        text = await caller.fail("set_two_things", customer_id="u_1")
    await app.aclose()

    assert caller.facts["outcome"] == "unknown"
    assert "bad" in text
