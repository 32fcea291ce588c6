"""Caps on deletions, and on sends that go out later; what a stop lists."""

import asyncio
import itertools
import re

import pytest

from tests.agent import Agent, an_agent, at_the_shell
from tests.safety.test_confirmation import acts

pytestmark = pytest.mark.anyio

EMAIL = {"customer_id": "u_1001", "to": "ada@example.com", "transactional_message_id": 1}
MINUTE, HOUR = 60, 3600


async def test_deletions_are_capped_over_all_processes_and_sends_are_not_counted_with_them() -> None:
    async with (
        an_agent(max_deletions_per_hour="2", max_sends_per_hour="1") as one,
        an_agent(beside=one, max_deletions_per_hour="2") as other,
    ):
        await one.call("send_transactional_email", **EMAIL)
        await one.call("delete_customer", customer_id="u_1001")
        await other.call("delete_segment", segment_id=5)
        text = await one.fail("suppress_customer", customer_id="u_1002")
        caps = (await one.call("server_status"))["caps"]
        await asyncio.sleep(HOUR + 60)
        await one.call("suppress_customer", customer_id="u_1002")

    assert "1 more deletions would exceed CIO_MAX_DELETIONS_PER_HOUR=2" in text
    assert one.facts["retryable"]
    assert {cap["setting"]: cap["left"] for cap in caps} == {
        "CIO_MAX_SENDS_PER_HOUR": 0,
        "CIO_MAX_DELETIONS_PER_HOUR": 0,
    }


async def test_a_deletion_that_was_not_made_is_not_counted() -> None:
    async with an_agent(max_deletions_per_hour="1") as agent:
        agent.wire.fail(403)
        await agent.fail("delete_segment", segment_id=5)
        await agent.call("delete_segment", segment_id=5)

    assert len(acts(agent)) == 2


async def test_after_the_wait_that_a_refusal_tells_every_cap_has_room_again() -> None:
    async with an_agent(max_sends_per_hour="1", max_sends_per_day="2") as agent:
        await agent.call("send_transactional_email", **EMAIL)
        await asyncio.sleep(4 * HOUR + 0.7)
        await agent.call("send_transactional_email", **EMAIL)
        text = await agent.fail("send_transactional_email", **EMAIL)
        (told,) = re.findall(r"Call again in (\d+) s", text)
        await asyncio.sleep(int(told))
        await agent.call("send_transactional_email", **EMAIL)

    assert len(acts(agent)) == 3


def later(agent: Agent, hours: float) -> int:
    return round(agent.clock() + hours * HOUR)


async def test_a_scheduled_send_counts_in_the_window_in_which_it_goes_out() -> None:
    async with an_agent(max_sends_per_hour="2") as agent:
        for _ in range(2):
            await agent.call("send_transactional_email", **EMAIL, send_at=later(agent, 5))
        text = await agent.fail("send_transactional_email", **EMAIL, send_at=later(agent, 5.5))
        await agent.fail("send_transactional_email", **EMAIL, send_at=later(agent, 4.5))
        for _ in range(2):
            await agent.call("send_transactional_email", **EMAIL)
        assert "would exceed" in await agent.fail("send_transactional_email", **EMAIL)
        await agent.call("send_transactional_email", **EMAIL, send_at=later(agent, 7))
        await asyncio.sleep(5 * HOUR)
        await agent.fail("send_transactional_email", **EMAIL)

    assert "would exceed CIO_MAX_SENDS_PER_HOUR=2 at the time for which it is scheduled" in text
    assert len(acts(agent)) == 5


@pytest.mark.parametrize("scheduled", [False, True])
async def test_no_window_holds_more_than_a_cap_wherever_it_begins(scheduled: bool) -> None:
    async with an_agent(max_sends_per_hour="2") as agent:
        full = 60 * (agent.clock() // 60 + 90)  # a full minute
        for seconds, call in ((-HOUR - 5, agent.call), (-30, agent.call), (-10, agent.fail), (0, agent.call)):
            at = full + seconds
            if scheduled:
                await call("send_transactional_email", **EMAIL, send_at=round(at))
            else:
                await asyncio.sleep(at - agent.clock())
                await call("send_transactional_email", **EMAIL)

    assert len(acts(agent)) == 3


@pytest.mark.parametrize("order", [*itertools.permutations((0, 30 * MINUTE, HOUR - 1))])
async def test_nor_in_whatever_order_it_is_scheduled(order: tuple[float, ...]) -> None:
    async with an_agent(max_sends_per_hour="2") as agent:
        full = 60 * (agent.clock() // 60 + 90)
        *first, last = [EMAIL | {"send_at": round(full + seconds)} for seconds in order]
        for send in first:
            await agent.call("send_transactional_email", **send)
        await agent.fail("send_transactional_email", **last)

    assert len(acts(agent)) == 2


async def test_a_stop_lists_what_is_scheduled_and_not_what_was_cancelled(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with an_agent() as agent:
        await agent.call("send_newsletter", newsletter_id=21, send_at=later(agent, 1))
        await agent.call("send_newsletter", newsletter_id=21, send_at=0)
        sent = await agent.call("send_transactional_email", **EMAIL, send_at=4_000_000_000 - 0)
        assert at_the_shell("stop") == 0
        status = await agent.call("server_status")

    line = f"2096-10-02T07:06:40Z: send_transactional_email, delivery_id {sent['delivery_id']}"
    assert line in capsys.readouterr().out
    assert status["scheduled"] == [line]
