"""Times as people say them: in their own time zone, on days when the clocks change, and told as instants."""

from typing import Any

import pytest

from tests.agent import Agent, an_agent
from tests.safety.test_elicitation import Human

pytestmark = pytest.mark.anyio

EMAIL = {"to": "ada@example.com", "customer_id": "u_1001", "transactional_message_id": 1}
NOON = "2026-07-01T12:00:00"
IN_BERLIN, IN_NEW_YORK = 1_782_900_000, 1_782_921_600


async def sent(agent: Agent, tool: str, **arguments: Any) -> dict[str, Any]:
    """Return the body that a call sends."""
    answer = await agent.call(tool, **arguments)
    assert answer["outcome"] != "preview"
    body: dict[str, Any] = agent.last[2]
    return body


@pytest.mark.parametrize(
    ("tool", "arguments", "name", "stored"),
    [
        ("track_event", {"customer_id": "u_1001", "name": "tried"}, "timestamp", "timestamp"),
        ("track_anonymous_event", {"anonymous_id": "a", "name": "tried"}, "timestamp", "timestamp"),
        ("track_page_view", {"customer_id": "u_1001", "url": "/"}, "timestamp", "timestamp"),
        ("identify_customer", {"customer_id": "u_1001"}, "created_at", "created_at"),
        ("send_transactional_email", EMAIL, "send_at", "send_at"),
        (
            "send_transactional_message",
            {"customer_id": "u_1001", "channel": "in_app", "transactional_message_id": 5},
            "send_at",
            "send_at",
        ),
        ("send_newsletter", {"newsletter_id": 21}, "send_at", "scheduled_at"),
        ("start_export", {"of": "campaign", "source_id": 1}, "start", "start"),
    ],
)
async def test_a_time_without_a_zone_is_in_the_servers_and_the_answer_tells_the_instant(
    tool: str, arguments: dict[str, Any], name: str, stored: str
) -> None:
    async with an_agent(timezone="Europe/Berlin") as agent:
        answer = await agent.call(tool, **arguments, **{name: NOON})
        assert agent.last[2][stored] == IN_BERLIN
        assert answer["times"] == {name: "2026-07-01T10:00:00Z"}

        preview = await agent.call(tool, **arguments, **{name: NOON}, dry_run=True)
        assert preview["times"] == answer["times"]
        utc = await agent.call(tool, **arguments, **{name: f"{NOON}Z"})
        assert utc["times"] == {name: "2026-07-01T12:00:00Z"}


async def test_without_a_setting_a_time_without_a_zone_is_in_utc(agent: Agent) -> None:
    answer = await agent.call("track_event", customer_id="u_1001", name="tried", timestamp="2026-05-01")

    assert answer["times"] == {"timestamp": "2026-05-01T00:00:00Z"}


@pytest.mark.parametrize("given", [NOON, "20260701T12", "2026-07-01 12:00", " 2026-W27-3T12:00 "])
async def test_the_time_zone_of_a_call_comes_before_the_servers_and_after_that_of_the_time(
    given: str,
) -> None:
    async with an_agent(timezone="Europe/Berlin") as agent:
        there = {"timezone": "America/New_York"}
        assert (await sent(agent, "send_transactional_email", **EMAIL, send_at=given, **there))[
            "send_at"
        ] == IN_NEW_YORK
        with_zone = f"{given.strip()}+02:00"
        assert (await sent(agent, "send_transactional_email", **EMAIL, send_at=with_zone, **there))[
            "send_at"
        ] == IN_BERLIN
        schedule = await sent(agent, "send_newsletter", newsletter_id=21, send_at=given, **there)
        assert schedule == {"scheduled_at": IN_NEW_YORK, "timezone": "America/New_York"}


async def test_a_newsletter_is_scheduled_in_the_servers_time_zone_and_taken_back_in_none() -> None:
    async with an_agent(timezone="Europe/Berlin") as agent:
        schedule = await sent(agent, "send_newsletter", newsletter_id=21, send_at=NOON)
        assert schedule == {"scheduled_at": IN_BERLIN, "timezone": "Europe/Berlin"}
        assert await sent(agent, "send_newsletter", newsletter_id=21, send_at=0) == {"scheduled_at": 0}


@pytest.mark.parametrize("tool", ["get_campaign_metrics", "get_journey_metrics"])
async def test_metrics_have_their_days_in_the_servers_time_zone(tool: str) -> None:
    async with an_agent(timezone="Europe/Berlin") as agent:
        days = await agent.call(tool, campaign_id=1, start="2026-05-01", end="2026-05-03")
        whole = await agent.call(tool, campaign_id=1)

    assert (days["start"], days["timezone"]) == ("2026-05-01T00:00:00+02:00", "Europe/Berlin")
    assert whole["end"].endswith("T00:00:00+02:00")


async def test_metrics_of_a_campaign_have_their_days_in_the_time_zone_of_the_call() -> None:
    async with an_agent(timezone="Europe/Berlin") as agent:
        asked = {"campaign_id": 1, "start": "2026-05-01", "timezone": "America/New_York"}
        metrics = await agent.call("get_campaign_metrics", **asked)

    assert (metrics["start"], metrics["timezone"]) == ("2026-05-01T00:00:00-04:00", "America/New_York")


@pytest.mark.parametrize(
    ("given", "instant", "note"),
    [
        (
            "2027-03-28T02:30:00",
            "2027-03-28T01:30:00Z",
            "send_at: the clocks in Europe/Berlin skip 2027-03-28T02:30:00; read as "
            "2027-03-28T03:30:00+02:00",
        ),
        (
            "2026-10-25T02:30:00",
            "2026-10-25T00:30:00Z",
            "send_at: 2026-10-25T02:30:00 occurs twice in Europe/Berlin; read as the first, "
            "2026-10-25T02:30:00+02:00: give an offset, such as +01:00, to choose, before it is sent",
        ),
        ("2026-10-25T03:00:00", "2026-10-25T02:00:00Z", None),
        ("2026-10-25T02:30:00+01:00", "2026-10-25T01:30:00Z", None),
    ],
)
async def test_a_time_that_a_change_of_clocks_skips_or_repeats_is_read_in_one_way_and_told(
    given: str, instant: str, note: str | None
) -> None:
    async with an_agent(timezone="Europe/Berlin", confirm="preview") as agent:
        preview = await agent.call("send_newsletter", newsletter_id=21, send_at=given)
        answer = await agent.call(
            "send_newsletter", newsletter_id=21, send_at=given, confirmation=preview["confirmation"]
        )

    for told in (preview, answer):
        assert told["times"] == {"send_at": instant}
        assert told.get("notes") == ([note] if note else None)


async def test_a_message_is_not_sent_at_once_because_its_time_has_passed(agent: Agent) -> None:
    for tool, arguments in (("send_newsletter", {"newsletter_id": 21}), ("send_transactional_email", EMAIL)):
        text = await agent.fail(tool, **arguments, send_at="2026-01-31T09:00:00")
        assert "send_at: 2026-01-31T09:00:00Z is in the past" in text
    assert agent.sent == []


@pytest.mark.parametrize("zone", ["Berlin", "Europe", "../etc/passwd", "+02:00", "\ud800", 2])
async def test_a_time_zone_that_is_none_is_refused_by_name(agent: Agent, zone: object) -> None:
    text = await agent.fail("send_newsletter", newsletter_id=21, send_at=NOON, timezone=zone)

    assert "timezone: " in text
    assert agent.sent == []


async def test_a_change_of_time_zone_alone_is_not_what_was_previewed() -> None:
    later = {"newsletter_id": 21, "send_at": f"{NOON}Z"}
    async with an_agent(confirm="preview") as agent:
        preview = await agent.call("send_newsletter", **later)
        changed = {"timezone": "Asia/Tokyo", "confirmation": preview["confirmation"]}
        assert "timezone changed" in await agent.fail("send_newsletter", **later, **changed)


async def test_the_status_tells_the_time_zone() -> None:
    async with an_agent(timezone="Europe/Berlin") as agent:
        assert (await agent.call("server_status"))["timezone"] == "Europe/Berlin"


async def test_a_write_is_checked_with_the_times_as_they_were_written() -> None:
    async with an_agent(timezone="Europe/Berlin") as agent:
        await agent.call("identify_customer", customer_id="new", created_at="2024-01-15T10:00:00")
        for written in ("2024-01-15T10:00:00", "2024-01-15T09:00:00Z"):
            check = await agent.call("check_write", customer_id="new", attributes={"created_at": written})
            assert check["state"] == "applied"


MILLISECONDS = "if this is a time in milliseconds, write seconds instead: 1764547200"
TEXT = "this is a date as text; to be a time in Customer.io it must be unix seconds"


@pytest.mark.parametrize(
    ("value", "note"),
    [
        (1_764_547_200_000, f": {MILLISECONDS}"),
        (1_764_547_200_000.5, f": {MILLISECONDS}"),
        ("2025-12-01", f": {TEXT}: 1764543600"),
        ("2025-12-01T00:00:00Z", f": {TEXT}: 1764547200"),
        ("01.12.2025", f": {TEXT}"),
        ("12/1/2025 9:00", f": {TEXT}"),
        ({"at": ["2025/12/01"]}, f".at.0: {TEXT}"),
        ("2025-13-01", f": {TEXT}"),
        (1_764_547_200, None),
        ("1764547200000", None),
        (4_006_381_333, None),
        (True, None),
        (None, None),
        ("1.2.3", None),
        ("10.0.0.1", None),
        ("+49 30 2025", None),
        ("2025", None),
    ],
)
async def test_a_value_that_looks_like_a_time_in_another_form_is_stored_and_told_of(
    value: object, note: str | None
) -> None:
    relation = {"object_type_id": 1, "object_id": "acme", "attributes": {"since": value}}
    calls: list[tuple[str, dict[str, Any], str]] = [
        ("identify_customer", {"attributes": {"since": value}}, "attributes"),
        ("track_event", {"name": "tried", "data": {"since": value}}, "data"),
        ("add_device", {"device_id": "d", "platform": "ios", "attributes": {"since": value}}, "attributes"),
        ("set_relationships", {"objects": [relation]}, "objects"),
    ]
    async with an_agent(timezone="Europe/Berlin") as agent:
        for tool, arguments, name in calls:
            answer = await agent.call(tool, customer_id="u_1001", **arguments)
            assert answer.get("notes") == ([f"{name}.since{note}"] if note else None)
            assert str(value) in str(agent.last[2])


async def test_of_many_values_that_look_like_times_some_are_told(agent: Agent) -> None:
    answer = await agent.call(
        "identify_customer", customer_id="u_1001", attributes={f"on_{day}": "2025-12-01" for day in range(9)}
    )

    assert len(answer["notes"]) == 6
    assert answer["notes"][-1] == "attributes: and 4 more such values"


@pytest.mark.parametrize(
    ("zone", "said"),
    [("Europe/Berlin", "Wednesday 2026-07-01 12:00 in Europe/Berlin"), ("UTC", None)],
)
async def test_a_person_reads_a_time_in_their_own_zone_beside_utc(zone: str, said: str | None) -> None:
    human, at = Human("accept"), {"newsletter_id": 21, "send_at": "2026-07-01T06:00-04:00"}
    async with an_agent(timezone=zone, confirm="human", elicitation=human) as agent:
        preview = await agent.call("send_newsletter", **at, dry_run=True)
        answer = await agent.call("send_newsletter", **at)

    assert preview["times"] == answer["times"] == {"send_at": "2026-07-01T10:00:00Z"}
    assert preview.get("local_times") == ({"send_at": said} if said else None)
    assert f"Time: send_at = 2026-07-01T10:00:00Z{f', {said}' if said else ''}\n" in human.asked[0]
