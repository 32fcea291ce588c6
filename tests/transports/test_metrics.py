"""What a server has counted: the text is parsed by Prometheus's own library."""

import asyncio
import sqlite3
from contextlib import closing

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from cio_mcp.app.application import App
from cio_mcp.app.workspace import safety_file
from cio_mcp.transports.http.metrics import exposition
from tests.agent import Agent, an_agent

pytestmark = pytest.mark.anyio

PERSON, MADE_UP = "someone@private.example", "drop_table"

Values = dict[tuple[str, ...], float]


def values(text: str) -> Values:
    """Return each value under its metric's name without the prefix, and its labels' values."""
    return {
        (sample.name.removeprefix("cio_mcp_"), *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def told(app: App) -> Values:
    return values(await exposition(app, {}, {}))


async def test_calls_are_counted_by_tool_and_by_how_they_ended() -> None:
    async with an_agent(tool_prefix="cio_", confirm="preview", allowed_recipients="example.com") as agent:
        email = {"customer_id": "u_1001", "transactional_message_id": 1, "allow_missing": True}
        await agent.call("cio_get_customer", customer_id="u_1001")
        await agent.fail("cio_get_customer", customer_id=PERSON)
        await agent.fail("cio_get_customer", person=PERSON)
        await agent.call("cio_identify_customer", customer_id=PERSON, update_only=True)
        await agent.call("cio_delete_customer", customer_id="u_1001")
        await agent.call("cio_send_transactional_email", **email, to="ada@example.com")
        await agent.fail("cio_send_transactional_email", **email, to=PERSON)
        agent.wire.fail(httpx.ReadTimeout)
        await agent.fail("cio_create_segment", name="Lost")
        await agent.fail(MADE_UP)
        text = await exposition(agent.app, {}, {})

    assert {key[1:]: value for key, value in values(text).items() if key[0] == "calls_total"} == {
        ("get_customer", "done"): 1,
        ("get_customer", "refused"): 1,
        ("get_customer", "invalid"): 1,
        ("identify_customer", "accepted"): 1,
        ("delete_customer", "preview"): 1,
        ("send_transactional_email", "queued"): 1,
        ("send_transactional_email", "not_allowed"): 1,
        ("create_segment", "unknown"): 1,
        ("no_such_tool", "not_sent"): 1,
    }
    assert values(text)["call_seconds_count", "get_customer"] == 3
    assert PERSON not in text
    assert MADE_UP not in text


async def test_a_call_that_is_cancelled_is_counted_with_the_seconds_it_ran(agent: Agent) -> None:
    agent.wire.latency = 4
    running = asyncio.create_task(agent.client.call_tool("get_customer", {"customer_id": "u_1001"}))
    await asyncio.sleep(3)
    running.cancel()
    await asyncio.sleep(0.5)
    seen = await told(agent.app)

    assert seen["calls_total", "get_customer", "cancelled"] == 1
    assert 3 <= seen["call_seconds_sum", "get_customer"] < 4
    assert seen["call_seconds_bucket", "get_customer", "2.5"] == 0
    assert seen["call_seconds_bucket", "get_customer", "5.0"] == 1


async def test_requests_are_counted_by_limit_with_their_retries_and_429s(agent: Agent) -> None:
    agent.wire.fail(429)
    agent.wire.fail(502)
    agent.wire.fail(httpx.ConnectError)
    await agent.call("get_customer", customer_id="u_1001")
    agent.wire.fail(httpx.ReadTimeout, late=True)
    await agent.call("identify_customer", customer_id="u_1001")
    await agent.call("trigger_broadcast", broadcast_id=10, emails=["ada@example.com"])
    seen = await told(agent.app)

    assert {key[1:]: value for key, value in seen.items() if key[0] == "requests_total"} == {
        ("app", "429"): 1,
        ("app", "502"): 1,
        ("app", "no_connection"): 1,
        ("app", "200"): 1,
        ("track", "429"): 0,
        ("track", "no_answer"): 1,
        ("track", "200"): 1,
        ("send", "429"): 0,
        ("broadcast", "429"): 0,
        ("archive", "429"): 0,
        ("design_studio", "429"): 0,
        ("broadcast", "200"): 1,
    }
    assert [seen["retries_total", limit] for limit in ("app", "track", "broadcast")] == [3, 1, 0]


async def test_the_queue_shows_while_calls_wait_and_their_waits_are_counted() -> None:
    async with an_agent(app_rate="1", deadline="20") as agent:
        calls = [asyncio.create_task(agent.call("list_campaigns")) for _ in range(4)]
        await asyncio.sleep(0.5)
        meanwhile = await told(agent.app)
        await asyncio.gather(*calls)
        after = await told(agent.app)

    assert (meanwhile["queue", "app"], after["queue", "app"]) == (3, 0)
    assert after["wait_seconds_count", "app"] == 4
    assert 1 + 2 + 3 <= after["wait_seconds_sum", "app"] < 7


async def test_an_api_that_is_left_alone_shows_as_failing(agent: Agent) -> None:
    agent.wire.fail(500, times=8)
    for _ in range(2):
        await agent.fail("get_customer", customer_id="u_1001")
    seen = await told(agent.app)

    assert (seen["failing", "app"], seen["failing", "track"]) == (1, 0)


async def test_what_is_left_of_each_cap_is_told_and_left_out_where_it_is_not_known() -> None:
    email = {"customer_id": "u_1001", "transactional_message_id": 1, "to": "ada@example.com"}
    async with an_agent(max_sends_per_hour="5", max_sends_per_day="20") as agent:
        await agent.call("send_transactional_email", **email)
        seen = await told(agent.app)
        with closing(sqlite3.connect(safety_file())) as db:
            db.execute("DROP TABLE sent")
        unknown = await told(agent.app)

    assert seen["sends_left", "CIO_MAX_SENDS_PER_HOUR"] == 4
    assert seen["sends_left", "CIO_MAX_SENDS_PER_DAY"] == 19
    assert not [key for key in unknown if key[0] == "sends_left"]
