"""What clients see of the queue: whose turn it is, how long a call waits, and its place meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from mcp import Client
from mcp.types import CallToolResult, Implementation

from cio_mcp.server.server import Server, facts
from tests.agent import Agent, an_agent

pytestmark = pytest.mark.anyio

ADA = {"customer_id": "u_1001"}
ERAS = pytest.mark.parametrize("era", ["legacy", "auto"])


@asynccontextmanager
async def clients(agent: Agent, era: str, *names: str) -> AsyncIterator[list[Client]]:
    """Connect more clients, by name, to an agent's server."""
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(
                Client(Server(agent.app), mode=era, client_info=Implementation(name=name, version="1"))
            )
            for name in names
        ]


@dataclass
class Progress:
    """Keeps what a client is told of a call, and when."""

    told: list[tuple[float, float | None, str]] = field(default_factory=list)

    async def __call__(self, progress: float, total: float | None, message: str | None) -> None:
        self.told.append((progress, total, message or ""))


async def queue(agent: Agent, calls: int) -> list[asyncio.Task[Any]]:
    """Let so many calls wait."""
    tasks = [asyncio.create_task(agent.call("get_customer", **ADA)) for _ in range(calls)]
    await asyncio.sleep(0.01)
    return tasks


@ERAS
async def test_sessions_take_turns(era: str) -> None:
    order: list[str] = []

    async def call(client: Client, name: str) -> None:
        assert not (await client.call_tool("get_customer", ADA)).is_error
        order.append(name)

    async with (
        an_agent(app_rate="1") as agent,
        clients(agent, era, "nightly job", "somebody at a desk") as (job, desk),
    ):
        busy = [asyncio.create_task(call(job, "job")) for _ in range(8)]
        await asyncio.sleep(0.01)
        await asyncio.gather(call(desk, "desk"), call(desk, "desk"), *busy)

    assert order[:5] == ["job", "job", "desk", "job", "desk"]


async def test_two_sessions_of_one_kind_of_client_take_turns_too() -> None:
    async with an_agent(app_rate="1") as agent, clients(agent, "legacy", "same", "same") as (one, other):
        busy = [asyncio.create_task(one.call_tool("get_customer", ADA)) for _ in range(8)]
        await asyncio.sleep(0.01)
        begun = agent.clock()
        await other.call_tool("get_customer", ADA)
        waited = agent.clock() - begun
        await asyncio.gather(*busy)

    assert waited == pytest.approx(2, abs=0.1)


@ERAS
async def test_a_call_that_waits_long_tells_its_place_every_few_seconds(era: str) -> None:
    progress = Progress()
    async with an_agent(app_rate="0.5") as agent, clients(agent, era, "patient") as (client,):
        waiting = await queue(agent, 6)
        result = await client.call_tool("get_customer", ADA, progress_callback=progress)
        await asyncio.gather(*waiting)

    # The last of seven, and its caller's first: the other caller's second turn is all that comes before it.
    assert not result.is_error
    assert [told for told, _, _ in progress.told] == [3]
    assert progress.told[0][1] == pytest.approx(4, abs=0.1)
    assert progress.told[0][2] == "Waiting for its turn: 3 s so far, about 1 s to go."


@ERAS
async def test_the_place_comes_nearer_and_progress_only_grows(era: str) -> None:
    progress = Progress()
    async with an_agent(app_rate="0.5") as agent, clients(agent, era, "patient") as (client,):
        earlier = [asyncio.create_task(client.call_tool("get_customer", ADA)) for _ in range(7)]
        await asyncio.sleep(0.01)
        await client.call_tool("get_customer", ADA, progress_callback=progress)
        await asyncio.gather(*earlier)

    assert [told for told, _, _ in progress.told] == [3, 6, 9, 12]
    assert [message.rpartition(" ")[2] for _, _, message in progress.told] == ["5.", "3.", "2.", "1."]
    assert all(total == pytest.approx(14, abs=0.2) for _, total, _ in progress.told)


@ERAS
async def test_a_call_held_back_by_a_429_tells_how_long(era: str) -> None:
    progress = Progress()
    async with an_agent() as agent, clients(agent, era, "patient") as (client,):
        agent.wire.fail(httpx.Response(429, headers={"retry-after": "10"}))
        await client.call_tool("get_customer", ADA, progress_callback=progress)

    assert [round(total or 0) for _, total, _ in progress.told] == [10, 10, 10]


@ERAS
async def test_a_call_that_waits_shortly_tells_nothing(era: str) -> None:
    progress = Progress()
    async with an_agent(app_rate="0.5") as agent, clients(agent, era, "quick") as (client,):
        await client.call_tool("get_customer", ADA, progress_callback=progress)
        await client.call_tool("get_customer", ADA, progress_callback=progress)

    assert progress.told == []


async def test_a_client_that_cannot_take_progress_gets_its_answer_all_the_same() -> None:
    async def broken(progress: float, total: float | None, message: str | None) -> None:
        raise ValueError(progress, total, message)

    async with an_agent(app_rate="0.2") as agent, clients(agent, "auto", "broken") as (client,):
        await agent.call("get_customer", **ADA)
        result = await client.call_tool("get_customer", ADA, progress_callback=broken)

    assert facts(result)["id"] == "u_1001"


async def test_a_program_may_call_the_server_without_a_session(agent: Agent) -> None:
    result = await Server(agent.app).call_tool("get_customer", ADA)

    assert isinstance(result, CallToolResult)
    assert facts(result)["id"] == "u_1001"


async def test_an_answer_says_how_long_the_call_waited_where_that_is_worth_telling() -> None:
    async with an_agent(app_rate="0.7") as agent:
        answers = await asyncio.gather(*(agent.call("get_customer", **ADA) for _ in range(3)))

    assert [answer.get("waited_seconds") for answer in answers] == [None, 1.4, 2.9]


async def test_a_write_that_waited_says_so_beside_its_outcome() -> None:
    async with an_agent(broadcast_interval="10") as agent:
        await agent.call("trigger_broadcast", broadcast_id=10, emails=["ada@example.com"])
        answer = await agent.call("trigger_broadcast", broadcast_id=10, emails=["ada@example.com"])

    assert (answer["outcome"], answer["waited_seconds"]) == ("triggered", 10.0)


async def test_a_failure_after_a_wait_says_how_long_the_call_waited() -> None:
    async with an_agent(app_rate="0.2") as agent:
        at_once = await agent.fail("get_customer", customer_id="nobody")
        told_at_once = agent.facts
        later = await agent.fail("get_customer", customer_id="nobody")

    assert "waited" not in at_once
    assert "waited_seconds" not in told_at_once
    assert "The call waited 5 s for its turn. Check customer_id and id_type." in later
    assert agent.facts["waited_seconds"] == 5.0


async def test_a_call_whose_turn_is_taken_away_while_it_waits_says_how_long_it_waited() -> None:
    async with an_agent(app_rate="0.5", deadline="20") as agent:
        waiting: list[asyncio.Task[CallToolResult]] = [
            asyncio.create_task(agent.client.call_tool("get_customer", ADA)) for _ in range(4)
        ]
        await asyncio.sleep(1)
        agent.wire.fail(httpx.Response(429, headers={"retry-after": "60"}))
        results = await asyncio.gather(*waiting)

    first, throttled, *others = [facts(result) for result in results]
    assert first["id"] == "u_1001"
    assert (throttled["outcome"], throttled["waited_seconds"]) == ("refused", 2.0)
    assert {(told["outcome"], told["waited_seconds"]) for told in others} == {("not_sent", 2.0)}
    assert [told["retry_in_seconds"] for told in others] == pytest.approx([60, 62], abs=0.1)
