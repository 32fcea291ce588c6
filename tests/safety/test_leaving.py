"""What was allowed when a call was made is checked again when its request leaves."""

import asyncio
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest
from mcp.types import ElicitRequestFormParams, ElicitResult

from cio_mcp.auth.principal import Principal
from cio_mcp.auth.tokens import add, revoke
from cio_mcp.safety.grant import Grant
from cio_mcp.sandbox.state import people
from tests.agent import MISSING, Agent, an_agent, at_the_shell

pytestmark = pytest.mark.anyio

SEGMENT = {"recipients": {"segment": {"id": 1}}}
ADA, BOB = {"ids": ["u_1001"]}, {"ids": ["u_1005"]}
EMAIL = {"customer_id": "u_1001", "transactional_message_id": 1, "to": "ada@example.com"}

Change = Callable[[Agent, Path], None]


def posted(agent: Agent) -> list[str]:
    """Return the sends that have left."""
    return [
        sent for sent in agent.sent if sent.startswith("POST") and ("/triggers" in sent or "/send/" in sent)
    ]


def identify(agent: Agent, customer: str, **attributes: str) -> None:
    """Change somebody in the workspace, as others do."""
    workspace = agent.wire.sandbox.workspace
    with workspace.transaction():
        workspace.accept("identify", {"identifier": customer, "body": attributes})


def stop_by_file(_: Agent, folder: Path) -> None:
    (folder / "stop").touch()


def stop_by_command(_: Agent, __: Path) -> None:
    assert at_the_shell("stop") == 0


def grow(agent: Agent, _: Path) -> None:
    for number in range(3):
        identify(agent, f"new_{number}", plan="pro")


def move(agent: Agent, _: Path) -> None:
    workspace = agent.wire.sandbox.workspace
    with workspace.transaction():
        ada = people.find(workspace, "u_1001", "id")
        assert ada
        workspace.accept(
            "identify", {"identifier": f"cio_{ada['cio_id']}", "body": {"email": "ada@elsewhere.example"}}
        )


async def trigger(agent: Agent, audience: dict[str, Any], confirm: bool) -> dict[str, Any]:
    """Return the arguments of a broadcast that only has to be called."""
    arguments = {"broadcast_id": 10, **audience}
    if confirm:
        arguments["confirmation"] = (await agent.call("trigger_broadcast", **arguments))["confirmation"]
    return arguments


@pytest.mark.parametrize(
    ("change", "audience", "settings", "words"),
    [
        (stop_by_file, SEGMENT, {}, "CIO_STOP_FILE"),
        (stop_by_file, ADA, {"confirm": "preview"}, "CIO_STOP_FILE"),
        (stop_by_command, SEGMENT, {}, "cio-mcp stop"),
        (grow, SEGMENT, {"confirm": "preview"}, "has grown from 4 to 7 people"),
        (grow, SEGMENT, {"max_recipients": "5"}, "7 recipients are more than the 5"),
        (grow, SEGMENT, {"max_sends_per_day": "6", "max_audience_growth": "100"}, "PER_DAY=6"),
        (move, ADA, {"allowed_recipients": "example.com"}, "CIO_ALLOWED_RECIPIENTS"),
    ],
)
async def test_what_changes_while_a_call_waits_for_its_turn_stops_it(
    change: Change, audience: dict[str, Any], settings: dict[str, str], words: str, tmp_path: Path
) -> None:
    log = tmp_path / "audit.jsonl"
    every: dict[str, Any] = {"stop_file": str(tmp_path / "stop"), "audit_log": str(log)}
    async with an_agent(**every | settings) as agent:
        first = await trigger(agent, BOB, "confirm" in settings)
        second = await trigger(agent, audience, "confirm" in settings)
        await agent.call("trigger_broadcast", **first)
        waiting = asyncio.create_task(agent.fail("trigger_broadcast", **second))
        await asyncio.sleep(5)
        change(agent, tmp_path)
        text = await waiting
        caps = (await agent.call("server_status")).get("caps", [])

    assert words in text
    assert agent.facts["outcome"] == "not_sent"
    assert len(posted(agent)) == 1
    assert [cap["left"] for cap in caps] == [5] * len(caps)
    entries = [json.loads(line) for line in log.read_text().splitlines()]
    assert [entry["kind"] for entry in entries[-3:]] == ["intent", "outcome", "refusal"]
    assert entries[-2]["outcome"] == "not_sent"


AGAIN: dict[str, dict[str, Any]] = {
    "set_subscriptions": {"customer_id": "u_1001", "unsubscribed": False},
    "identify_customers": {"rows": [{"customer_id": "u_1001", "unsubscribed": False}]},
    "merge_customers": {"customer_id": "u_1005", "secondary_id": "u_1001"},
}


@pytest.mark.parametrize(("tool", "arguments"), AGAIN.items())
@pytest.mark.parametrize(("change", "at"), [(move, 0), (move, 1), (stop_by_file, 0), (stop_by_file, 1)])
async def test_nobody_is_subscribed_again_after_what_forbids_it(
    tool: str, arguments: dict[str, Any], change: Change, at: int, tmp_path: Path
) -> None:
    allowed = "example.com, +*, device:any"
    bounds: dict[str, Any] = {"allowed_recipients": allowed, "stop_file": str(tmp_path / "stop")}
    async with an_agent(confirm="preview", confirm_also="subscriptions", **bounds) as agent:
        code = (await agent.call(tool, **arguments))["confirmation"]
        agent.wire.requests.clear()
        agent.wire.meets = lambda _: change(agent, tmp_path) if len(agent.wire.requests) == at else None
        if not at:
            change(agent, tmp_path)
        await agent.fail(tool, **arguments, confirmation=code)

    assert [
        sent for sent in agent.sent if not sent.startswith(("GET", "POST /v1/customers/attributes"))
    ] == []


async def test_a_call_that_was_stopped_in_the_queue_gives_its_turn_and_its_code_back(tmp_path: Path) -> None:
    stop = tmp_path / "stop"
    async with an_agent(stop_file=str(stop), confirm="preview") as agent:
        first, second = [await trigger(agent, audience, True) for audience in (BOB, ADA)]
        await agent.call("trigger_broadcast", **first)
        stop.touch()
        await agent.fail("trigger_broadcast", **second)
        stop.unlink()
        waiting = asyncio.create_task(agent.fail("trigger_broadcast", **second))
        await asyncio.sleep(5)
        stop.touch()
        await waiting
        stop.unlink()
        before = asyncio.get_running_loop().time()
        await agent.call("trigger_broadcast", **second)
        took = asyncio.get_running_loop().time() - before

    assert len(posted(agent)) == 2
    assert took < 1


async def test_an_audience_that_grew_a_little_leaves_and_is_counted_as_it_left() -> None:
    async with an_agent(max_sends_per_day="20", max_audience_growth="100") as agent:
        await agent.call("trigger_broadcast", broadcast_id=10, **BOB)
        waiting = asyncio.create_task(agent.call("trigger_broadcast", broadcast_id=10, **SEGMENT))
        await asyncio.sleep(5)
        grow(agent, Path())
        await waiting
        (cap,) = (await agent.call("server_status"))["caps"]

    assert len(posted(agent)) == 2
    assert cap["left"] == 20 - 1 - 7


@pytest.mark.parametrize("change", [stop_by_file, stop_by_command])
async def test_a_retry_is_checked_again(change: Change, tmp_path: Path) -> None:
    async with an_agent(stop_file=str(tmp_path / "stop")) as agent:
        agent.wire.fail(httpx.Response(429, headers={"retry-after": "5"}))
        waiting = asyncio.create_task(agent.fail("send_transactional_email", **EMAIL))
        await asyncio.sleep(2)
        change(agent, tmp_path)
        await waiting

    assert agent.facts["outcome"] == "not_sent"
    assert len(posted(agent)) == 1


async def test_a_write_that_may_have_happened_is_not_called_unsent_when_its_retry_is_stopped(
    tmp_path: Path,
) -> None:
    async with an_agent(stop_file=str(tmp_path / "stop")) as agent:
        agent.wire.fail(httpx.ReadTimeout, late=True)
        agent.wire.latency = 1.0
        waiting = asyncio.create_task(agent.fail("identify_customer", customer_id="u_1001"))
        await asyncio.sleep(0.5)
        (tmp_path / "stop").touch()
        text = await waiting

    assert agent.facts["outcome"] == "unknown"
    assert "It was not sent again" in text
    assert "CIO_STOP_FILE" in text
    assert len(agent.sent) == 1


@pytest.mark.parametrize("waits", ["before the turn", "at the first look"])
async def test_a_token_that_is_revoked_while_a_call_waits_sends_nothing(waits: str, tmp_path: Path) -> None:
    file = tmp_path / "tokens.json"
    token = add(file, Grant(name="mailer", permissions=("read", "send")))
    async with an_agent(tokens_file=str(file)) as agent:
        assert agent.app.tokens
        grant = agent.app.tokens.find(token)
        assert grant
        principal = Principal("mailer", (grant,))
        if waits == "before the turn":
            await agent.call("trigger_broadcast", broadcast_id=10, **BOB)
            agent.wire.requests.clear()
        calling = asyncio.create_task(
            agent.app.call("trigger_broadcast", {"broadcast_id": 10, **ADA, **MISSING}, principal)
        )
        if waits == "before the turn":
            await asyncio.sleep(5)
        revoke(file, "mailer")
        outcome = await calling

    assert outcome.facts["outcome"] == "not_sent"
    assert "the token mailer was revoked" in (outcome.error or "")
    assert posted(agent) == []


async def test_a_token_that_expires_while_a_call_waits_sends_nothing() -> None:
    async with an_agent() as agent:
        await agent.call("trigger_broadcast", broadcast_id=10, **BOB)
        soon = datetime.fromtimestamp(agent.clock() + 5, UTC)
        principal = Principal("user:1", (Grant(name="1", expires=soon),))
        outcome = await agent.app.call("trigger_broadcast", {"broadcast_id": 10, **ADA, **MISSING}, principal)

    assert outcome.facts["outcome"] == "not_sent"
    assert "has expired" in (outcome.error or "")
    assert len(posted(agent)) == 1


@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
@pytest.mark.parametrize(
    ("change", "audience", "settings"),
    [
        (stop_by_file, SEGMENT, {}),
        (stop_by_command, SEGMENT, {}),
        (grow, SEGMENT, {}),
        (move, ADA, {"allowed_recipients": "example.com"}),
    ],
)
async def test_consent_that_came_after_a_change_does_nothing(
    change: Change, audience: dict[str, Any], settings: dict[str, str], mode: str, tmp_path: Path
) -> None:
    async with an_agent() as watcher:

        async def human(_: Any, __: ElicitRequestFormParams) -> ElicitResult:
            change(watcher, tmp_path)
            return ElicitResult(action="accept", content={})

        every: dict[str, Any] = {"stop_file": str(tmp_path / "stop"), "confirm": "human"} | settings
        async with an_agent(beside=watcher, elicitation=human, mode=mode, **every) as agent:
            await agent.fail("trigger_broadcast", broadcast_id=10, **audience)

    assert agent.facts["outcome"] == "not_sent"
    assert posted(agent) == []


async def test_what_cannot_be_looked_up_again_does_not_leave() -> None:
    async with an_agent(allowed_recipients="example.com", max_sends_per_day="6") as agent:
        await agent.call("trigger_broadcast", broadcast_id=10, **BOB)
        waiting = asyncio.create_task(agent.fail("trigger_broadcast", broadcast_id=10, **ADA))
        await asyncio.sleep(5)
        agent.wire.fail(500, times=4)
        text = await waiting
        (cap,) = (await agent.call("server_status"))["caps"]

    assert "could not be checked before it left" in text
    assert agent.facts["outcome"] == "not_sent"
    assert agent.facts["retryable"]
    assert len(posted(agent)) == 1
    assert cap["left"] == 5


@pytest.mark.parametrize(("fault", "retryable"), [(500, True), (httpx.ReadTimeout, True), (401, False)])
async def test_a_call_whose_only_look_up_fails_is_not_sent_and_not_counted(
    fault: Any, retryable: bool, tmp_path: Path
) -> None:
    log = tmp_path / "audit.jsonl"
    bounds: dict[str, Any] = {"allowed_recipients": "example.com", "max_sends_per_day": "6"}
    async with an_agent(audit_log=str(log), **bounds) as agent:
        agent.wire.fail(fault, times=4)
        text = await agent.fail("send_transactional_email", **EMAIL)
        (cap,) = (await agent.call("server_status"))["caps"]

    assert "could not be checked before it left, since a look-up failed: " in text
    assert (agent.facts["outcome"], agent.facts["retryable"]) == ("not_sent", retryable)
    assert posted(agent) == []
    assert cap["left"] == 6
    assert [json.loads(line).get("outcome") for line in log.read_text().splitlines()] == [None, "not_sent"]


async def test_a_call_that_did_not_wait_looks_nothing_up_twice() -> None:
    async with an_agent(allowed_recipients="example.com", max_recipients="5") as agent:
        await agent.call("trigger_broadcast", broadcast_id=10, **ADA)

    assert [sent.partition("?")[0] for sent in agent.sent] == [
        "POST /v1/customers/attributes",
        "POST /v1/campaigns/10/triggers",
    ]


@pytest.mark.parametrize("change", [stop_by_file, stop_by_command])
async def test_a_stop_during_the_last_look_up_holds(change: Change, tmp_path: Path) -> None:
    bounds: dict[str, Any] = {"allowed_recipients": "example.com", "stop_file": str(tmp_path / "stop")}
    async with an_agent(**bounds) as agent:
        agent.wire.latency = 2.0
        await agent.call("trigger_broadcast", broadcast_id=10, **BOB)
        waiting = asyncio.create_task(agent.fail("trigger_broadcast", broadcast_id=10, **ADA))
        await asyncio.sleep(9)
        assert len(agent.sent) == 4
        change(agent, tmp_path)
        await waiting

    assert [sent.partition("?")[0] for sent in agent.sent[2:]] == ["POST /v1/customers/attributes"] * 2
    assert agent.facts["outcome"] == "not_sent"


class Loop(asyncio.SelectorEventLoop):
    """A loop with threads, in which so many seconds have passed at once."""

    passed = 0.0

    def time(self) -> float:
        return super().time() + self.passed


@pytest.mark.parametrize(
    ("change", "audience", "settings"),
    [
        (stop_by_file, SEGMENT, {}),
        (grow, SEGMENT, {"max_recipients": "5"}),
        (move, ADA, {"allowed_recipients": "example.com"}),
    ],
)
def test_what_changes_while_a_disk_hangs_stops_a_call(
    change: Change,
    audience: dict[str, Any],
    settings: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun, go_on = Event(), Event()
    every: dict[str, Any] = {"stop_file": str(tmp_path / "stop"), "audit_log": str(tmp_path / "audit.jsonl")}

    def fdatasync(_: int) -> None:
        begun.set()
        go_on.wait(5)

    async def ended() -> int:
        async with an_agent(max_sends_per_day="20", **every | settings) as agent:
            monkeypatch.setattr(os, "fdatasync", fdatasync)
            waiting = asyncio.create_task(agent.fail("trigger_broadcast", broadcast_id=10, **audience))
            for _ in range(50):
                await asyncio.to_thread(begun.wait, 5)
            loop.passed = 5.0
            change(agent, tmp_path)
            go_on.set()
            await waiting
            assert agent.facts["outcome"] == "not_sent"
            assert posted(agent) == []
            left: int = (await agent.call("server_status"))["caps"][0]["left"]
            return left

    loop = Loop()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        assert runner.run(ended()) == 20
