"""Events: what customers and anonymous visitors did."""

import json

import pytest

from tests.agent import Agent

pytestmark = pytest.mark.anyio


async def purchases(agent: Agent, customer_id: str = "user_123") -> str | None:
    """Return how many purchases the workspace has counted for a customer."""
    found = await agent.call("get_customer", customer_id=customer_id)
    count = found["attributes"].get("purchases")
    return None if count is None else str(count)


async def test_an_event_repeated_with_its_id_counts_once(agent: Agent) -> None:
    first = await agent.call("track_event", customer_id="user_123", name="purchase", data={"amount": 5})
    again = await agent.call(
        "track_event", customer_id="user_123", name="purchase", data={"amount": 5}, event_id=first["event_id"]
    )

    assert again["event_id"] == first["event_id"]
    assert await purchases(agent) == "1"


async def test_two_events_without_an_id_are_two_events(agent: Agent) -> None:
    for _ in range(2):
        await agent.call("track_event", customer_id="user_123", name="purchase", data={"amount": 5})

    assert await purchases(agent) == "2"


async def test_a_lost_answer_is_repeated_with_the_same_bytes_and_counts_once(agent: Agent) -> None:
    agent.wire.fail(502, late=True)

    await agent.call("track_event", customer_id="user_123", name="purchase", data={"amount": 5})

    first, second = agent.wire.requests
    assert first.content == second.content
    assert await purchases(agent) == "1"


async def test_an_event_whose_answers_are_all_lost_names_the_id_that_makes_a_repeat_safe(
    agent: Agent,
) -> None:
    agent.wire.fail(502, late=True, times=4)

    text = await agent.fail("track_event", customer_id="user_123", name="purchase", data={"amount": 5})

    event_id = json.loads(agent.wire.requests[0].content)["id"]
    assert agent.facts["outcome"] == "unknown"
    assert f"event_id={event_id}" in text
    await agent.call(
        "track_event", customer_id="user_123", name="purchase", data={"amount": 5}, event_id=event_id
    )
    assert await purchases(agent) == "1"


async def test_what_a_visitor_did_becomes_the_customers_when_they_are_identified(agent: Agent) -> None:
    await agent.call("track_anonymous_event", anonymous_id="anon_123", name="purchase", data={"amount": 5})
    await agent.call("identify_customer", customer_id="user_123", anonymous_id="anon_123")

    assert await purchases(agent) == "1"


async def test_a_page_view_is_an_event_of_type_page(agent: Agent) -> None:
    await agent.call("track_page_view", customer_id="user_123", url="/pricing", data={"referrer": "/"})
    await agent.call("track_page_view", anonymous_id="anon_123", url="https://example.com/pricing")

    customers, visitors = (json.loads(request.content) for request in agent.wire.requests)
    assert (customers["type"], customers["name"], customers["data"]) == (
        "page",
        "/pricing",
        {"referrer": "/"},
    )
    assert (visitors["type"], visitors["anonymous_id"]) == ("page", "anon_123")
    assert agent.sent == ["POST /api/v1/customers/user_123/events", "POST /api/v1/events"]


@pytest.mark.parametrize("who", [{}, {"customer_id": "a", "anonymous_id": "b"}])
async def test_a_page_view_is_somebodys_and_only_one_persons(agent: Agent, who: dict[str, str]) -> None:
    assert "exactly one" in await agent.fail("track_page_view", url="/", **who)
    assert agent.sent == []


async def test_a_time_is_taken_as_iso_8601_or_as_seconds(agent: Agent) -> None:
    for time in ("2026-01-31T10:00:00+01:00", "2026-01-31T09:00:00", 1769850000, "1769850000"):
        await agent.call("track_event", customer_id="user_123", name="seen", timestamp=time)

    assert {json.loads(request.content)["timestamp"] for request in agent.wire.requests} == {1769850000}


LONG = f"https://example.com/{'ü' * 45}?page=2"


@pytest.mark.parametrize(
    ("data", "kept", "note"),
    [
        (None, {"url": LONG}, "data.url has all of it"),
        ({"referrer": "/"}, {"url": LONG, "referrer": "/"}, "data.url has all of it"),
        ({"url": LONG}, {"url": LONG}, "data.url has all of it"),
        ({"url": "/mine"}, {"url": "/mine"}, "data.url is as you gave it"),
    ],
)
@pytest.mark.parametrize("who", [{"customer_id": "u_1001"}, {"anonymous_id": "a"}])
async def test_a_long_address_names_a_page_by_its_start_and_is_kept_whole(
    agent: Agent, who: dict[str, str], data: dict[str, str] | None, kept: dict[str, str], note: str
) -> None:
    answer = await agent.call("track_page_view", url=LONG, data=data, **who)

    body = agent.last[2]
    assert (body["name"], body["data"]) == (LONG[:60], kept)
    assert len(body["name"].encode()) == 100
    assert answer["notes"] == [f"The page view is named by the start of url; {note}."]


async def test_a_page_view_of_a_long_address_can_be_checked(agent: Agent) -> None:
    await agent.call("track_page_view", url=LONG, customer_id="u_1001")

    assert (await agent.call("check_write", customer_id="u_1001", event=LONG))["state"] == "applied"


async def test_an_address_that_no_event_can_hold_is_refused(agent: Agent) -> None:
    text = await agent.fail("track_page_view", url="x" * 100_000, customer_id="u_1001")

    assert "url, data: in all at most 100000 bytes" in text
    assert agent.sent == []


async def test_an_event_without_a_visitor_is_an_invite_to_its_recipient(agent: Agent) -> None:
    answer = await agent.call(
        "track_anonymous_event", name="invited", data={"recipient": "friend@example.com", "plan": "pro"}
    )

    path, _, body = agent.last
    assert path == "POST /api/v1/events"
    assert body == {
        "name": "invited",
        "data": {"recipient": "friend@example.com", "plan": "pro"},
        "id": answer["event_id"],
    }


@pytest.mark.parametrize("data", [None, {}, {"plan": "pro"}])
async def test_an_event_is_a_visitors_or_an_invite(agent: Agent, data: dict[str, str] | None) -> None:
    text = await agent.fail("track_anonymous_event", name="invited", data=data)

    assert "anonymous_id: is required, unless data.recipient" in text
    assert agent.sent == []


@pytest.mark.parametrize("recipient", ["", None, "friend", 5, ["a@example.com"], "a@example.com\nb"])
async def test_a_recipient_that_is_no_address_is_refused(agent: Agent, recipient: object) -> None:
    for tool in ("track_event", "track_anonymous_event"):
        who = {"customer_id": "u_1001"} if tool == "track_event" else {}
        assert "data: " in await agent.fail(tool, name="invited", data={"recipient": recipient}, **who)
    assert agent.sent == []


async def test_data_that_redirects_mail_is_explained(agent: Agent) -> None:
    answer = await agent.call(
        "track_event", customer_id="user_123", name="invited", data={"recipient": "friend@example.com"}
    )

    assert answer["notes"] == ["data.recipient: emails that this event triggers go to that address."]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"name": " "}, "name: must not be blank"),
        ({"name": "n" * 101}, "name: at most 100 bytes are allowed; this has 101"),
        ({"data": {"text": "x" * 100_000}}, "data: at most 100000 bytes are allowed; this has 100011"),
        ({"data": [1]}, "data: must be a JSON object"),
        ({"timestamp": 1769850000000}, "timestamp: is in milliseconds"),
        ({"event_id": "42"}, "event_id: must be the event_id (a ULID) from an earlier answer"),
    ],
)
async def test_a_wrong_argument_is_named_and_nothing_is_sent(
    agent: Agent, arguments: dict[str, object], words: str
) -> None:
    assert words in await agent.fail("track_event", **{"customer_id": "user_123", "name": "seen"} | arguments)
    assert agent.sent == []
