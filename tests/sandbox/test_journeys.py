"""Campaigns: who begins them and when, what they send, and how journeys end."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cio_mcp.sandbox import Sandbox
from tests.sandbox.conftest import Caller, Calling, Clock
from tests.sandbox.worlds import (
    DAY,
    HOUR,
    ann,
    attribute,
    branch,
    delay,
    email,
    later,
    mails,
    run,
    segment,
    track,
)

pytestmark = pytest.mark.anyio

TO_ANN = ("ann@example.com", "Hello")


@pytest.fixture
def caller(calling: Calling, clock: Clock) -> Caller:
    """Provide a caller of a sandbox without a story."""
    return calling(Sandbox(clock=clock, seed=False), clock)


async def journeys(caller: Caller) -> dict[str, int]:
    now = int(caller.sandbox.clock())
    span = f"start={now - 300 * DAY}&end={now + DAY}&resolution=months"
    found = (await caller.ok("GET", f"/v1/campaigns/1/journey_metrics?{span}"))["journey_metric"]
    return {name: sum(counts) for name, counts in found.items() if sum(counts)}


async def test_an_event_begins_a_journey_whose_messages_come_after_its_waits(caller: Caller) -> None:
    run(caller, email(1, "Hello {{customer.name}}, {{event.course}}"), delay(2, days=2), email(3, "Part 2"))
    await ann(caller, name="Ann")
    await track(caller, data={"course": "tea"})
    begun = int(caller.sandbox.clock())

    assert await mails(caller) == [("ann@example.com", "Hello Ann, tea")]
    later(caller, days=1.9)
    assert len(await mails(caller)) == 1
    later(caller, days=88)
    newest, first = await caller.messages("&campaign_id=1")
    assert (newest["subject"], newest["created"], newest["action_id"]) == ("Part 2", begun + 2 * DAY, 3)
    assert newest["metrics"] == {
        "created": begun + 2 * DAY,
        "sent": begun + 2 * DAY + 2,
        "secondary:delivered": begun + 2 * DAY + 5,
    }
    assert first["campaign_id"] == 1
    assert await journeys(caller) == {"started": 1, "activated": 1, "messaged": 1, "finished": 1}


async def test_what_a_message_said_is_kept_though_the_person_has_changed(caller: Caller) -> None:
    run(caller, email(1))
    text = {"id": 1, "action": 1, "language": "", "type": "email", "subject": "For {{customer.name}}"}
    body = "<p>{{event.course}} for {{customer.name}}</p>"
    caller.sandbox.workspace.configure("content", text | {"body": body})
    await ann(caller, name="Ann")
    await track(caller, data={"course": "tea"})
    await ann(caller, name="Anna")

    (sent,) = await caller.messages()
    archived = await caller.ok("GET", f"/v1/messages/{sent['id']}/archived_message")
    assert archived["archived_message"]["body"] == "<p>tea for Ann</p>"
    assert sent["subject"] == archived["archived_message"]["subject"] == "For Ann"


async def test_only_events_of_the_name_and_with_the_data_begin_it(caller: Caller) -> None:
    run(caller, email(1), event_filter={"course": "tea"})
    await ann(caller)
    await track(caller, "went", data={"course": "tea"})
    await track(caller, data={"course": "coffee"})
    await track(caller, data={"course": "tea"})

    assert await mails(caller) == [TO_ANN]


@pytest.mark.parametrize(("hours", "mailed"), [(71, 1), (73, 0), (-5, 1)])
async def test_an_event_of_more_than_72_hours_ago_begins_nothing(
    caller: Caller, hours: int, mailed: int
) -> None:
    run(caller, email(1))
    await ann(caller)
    await track(caller, timestamp=int(caller.sandbox.clock()) - hours * HOUR)

    assert len(await mails(caller)) == mailed


async def test_a_visitors_events_begin_journeys_once_it_is_known_who_they_are(caller: Caller) -> None:
    run(caller, email(1))
    now = int(caller.sandbox.clock())
    for age in (10 * DAY, HOUR):
        visit = {"name": "go", "anonymous_id": "v1", "timestamp": now - age}
        await caller.ok("POST", "/api/v1/events", visit)
    assert await mails(caller) == []
    await ann(caller, anonymous_id="v1")

    assert await mails(caller) == [TO_ANN]


async def test_an_event_that_counts_once_begins_one_journey(caller: Caller) -> None:
    run(caller, email(1))
    await ann(caller)
    for _ in range(2):
        await track(caller, id="01JC7Z7N8V6Q4M2K0X5Y9T3B1A")

    assert len(await mails(caller)) == 1


async def test_coming_into_a_segment_begins_a_journey_and_being_there_does_not(caller: Caller) -> None:
    segment(caller, 1, attribute("plan", "eq", "pro"))
    run(caller, email(1), type="segment", trigger_segment_ids=[1])
    await ann(caller, plan="free")
    await ann(caller, plan="pro")
    await ann(caller, plan="pro", seats=2)
    assert await mails(caller) == [TO_ANN]
    await ann(caller, plan="free")
    await ann(caller, plan="pro")

    assert await mails(caller) == [TO_ANN] * 2


async def test_being_put_into_a_manual_segment_begins_a_journey(caller: Caller) -> None:
    segment(caller, 1, None)
    run(caller, email(1), type="segment", trigger_segment_ids=[1])
    await ann(caller)
    for _ in range(2):
        await caller.ok("POST", "/api/v1/segments/1/add_customers", {"ids": ["ann"]})

    assert await mails(caller) == [TO_ANN]


async def test_time_alone_brings_people_into_a_segment_and_out_of_it(caller: Caller) -> None:
    bought = {"event": {"name": "purchase"}}
    lately = {"event": {"name": "purchase", "within_days": 60}}
    segment(caller, 1, {"and": [bought, {"not": lately}]})
    run(caller, email(1, "We miss you"), type="segment", trigger_segment_ids=[1])
    await ann(caller)
    await track(caller, "purchase")
    bought_at = int(caller.sandbox.clock())
    later(caller, days=40)
    await track(caller, "purchase")
    again_at = int(caller.sandbox.clock())
    later(caller, days=59)
    assert await mails(caller) == []
    later(caller, days=90)

    (mail,) = await caller.messages()
    assert again_at > bought_at + 39 * DAY
    assert mail["created"] == again_at + 60 * DAY + 1


async def test_a_time_among_the_attributes_brings_people_into_a_segment(caller: Caller) -> None:
    segment(caller, 1, attribute("signed_up_at", "older_than_days", 30))
    run(caller, email(1), type="segment", trigger_segment_ids=[1])
    now = int(caller.sandbox.clock())
    await ann(caller, signed_up_at=now)
    later(caller, days=29)
    assert await mails(caller) == []
    later(caller, days=2)

    assert [mail["created"] for mail in await caller.messages()] == [now + 30 * DAY]


@pytest.mark.parametrize(
    ("settings", "value", "comes"),
    [
        ({"frequency": "once", "start_hour": 9}, "2026-06-20", ["2026-06-20T09:00"]),
        ({"frequency": "once", "offset_days": -3}, 1_781_949_600, ["2026-06-17T00:00"]),
        ({"frequency": "yearly", "start_hour": 9, "start_minutes": 30}, "1990-06-20", ["2026-06-20T09:30"]),
        ({"frequency": "monthly"}, "2026-01-31", ["2026-05-31T00:00", "2026-06-30T00:00"]),
        ({"frequency": "yearly", "timezone": "America/New_York"}, "2000-06-02", ["2026-06-02T04:00"]),
        ({"frequency": "yearly", "use_customer_timezone": True}, "2000-06-02", ["2026-06-01T22:00"]),
        ({"frequency": "once"}, "2026-01-20", []),
        ({"frequency": "once"}, "soon", []),
        ({"frequency": "once"}, None, []),
    ],
)
async def test_a_date_begins_a_journey_at_its_time_of_day(
    caller: Caller, settings: dict[str, Any], value: Any, comes: list[str]
) -> None:
    run(caller, email(1), type="date", date_attribute="due", **settings)
    await ann(caller, due=value, timezone="Europe/Berlin")
    later(caller, days=50)

    created = [mail["created"] for mail in reversed(await caller.messages())]
    assert [iso(at) for at in created] == comes


def iso(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()[:16]


async def test_a_date_that_is_changed_counts_instead_of_the_old_one(caller: Caller) -> None:
    run(caller, email(1), type="date", date_attribute="due")
    await ann(caller, due="2026-06-10")
    await ann(caller, due="2026-06-20")
    later(caller, days=40)

    assert [iso(mail["created"]) for mail in await caller.messages()] == ["2026-06-20T00:00"]


@pytest.mark.parametrize(("plan", "subject"), [("pro", "For pros"), ("free", "Go pro"), (None, "Go pro")])
async def test_a_branch_leads_on_by_attribute_and_both_ways_may_meet(
    caller: Caller, plan: str | None, subject: str
) -> None:
    pro = branch(1, attribute("plan", "eq", "pro"), 2, 3)
    run(caller, pro, email(2, "For pros", next=4), email(3, "Go pro"), email(4, "Bye"))
    await ann(caller, **({"plan": plan} if plan else {}))
    await track(caller)

    assert [told for _, told in await mails(caller)] == [subject, "Bye"]


async def test_a_branch_is_judged_when_the_journey_comes_to_it(caller: Caller) -> None:
    segment(caller, 1, {"event": {"name": "purchase", "within_days": 3}})
    run(caller, delay(1, days=1), branch(2, {"segment": {"id": 1}}, 3, None), email(3))
    await ann(caller)
    await track(caller)
    await track(caller, "purchase")
    await caller.identify("bob", email="bob@example.com")
    await track(caller, person="bob")
    later(caller, days=2)

    assert await mails(caller) == [TO_ANN]


async def test_an_attribute_update_may_begin_another_campaign(caller: Caller) -> None:
    segment(caller, 1, attribute("stage", "eq", "learning"))
    update = {"id": 1, "type": "attribute_update", "name": "Mark", "set": {"stage": "learning"}}
    run(caller, update)
    run(caller, email(2), id=2, type="segment", trigger_segment_ids=[1])
    await ann(caller)
    await track(caller)

    assert (await caller.profile("ann"))["attributes"]["stage"] == "learning"
    assert await mails(caller) == [TO_ANN]


async def test_campaigns_that_begin_each_other_for_ever_come_to_an_end(caller: Caller) -> None:
    segment(caller, 1, attribute("side", "eq", "left"))
    segment(caller, 2, attribute("side", "eq", "right"))
    for number, side in ((1, "right"), (2, "left")):
        update = {"id": number, "type": "attribute_update", "name": "Swap", "set": {"side": side}}
        run(caller, update, id=number, type="segment", trigger_segment_ids=[number])
    await ann(caller, side="left")

    assert (await caller.profile("ann"))["attributes"]["side"] in {"left", "right"}


async def test_actions_that_lead_to_each_other_come_to_an_end(caller: Caller) -> None:
    run(
        caller,
        branch(1, attribute("email", "exists"), 2, None),
        branch(2, attribute("email", "exists"), 1, None),
    )
    await ann(caller)
    await track(caller)

    assert (await journeys(caller))["exited_early"] == 1


@pytest.mark.parametrize(
    ("setting", "mailed"), [("always", 3), ("once", 1), ({"after_days": 3}, 2), (None, 3)]
)
async def test_who_may_begin_again_is_a_setting(caller: Caller, setting: Any, mailed: int) -> None:
    run(caller, email(1), **({"reentry": setting} if setting else {}))
    await ann(caller)
    for _ in range(3):
        await track(caller)
        later(caller, days=2)

    assert len(await mails(caller)) == mailed


async def test_whom_a_filter_leaves_out_does_not_begin(caller: Caller) -> None:
    segment(caller, 1, attribute("plan", "eq", "pro"))
    run(caller, email(1), filter_segment_ids=[1])
    await ann(caller, plan="free")
    await track(caller)
    await ann(caller, plan="pro")
    assert await mails(caller) == []
    await track(caller)

    assert await mails(caller) == [TO_ANN]


async def test_a_journey_ends_early_by_its_goal_or_without_its_trigger(caller: Caller) -> None:
    segment(caller, 1, attribute("plan", "eq", "trial"))
    goal = {"condition": {"event": {"name": "purchase"}}, "days": 5}
    how = {"type": "segment", "trigger_segment_ids": [1], "exit": ["goal", "unmatched"], "goal": goal}
    run(caller, email(1), delay(2, days=3), email(3, "Still there?"), **how)
    for name in ("ann", "bob", "eve"):
        await caller.identify(name, email=f"{name}@example.com", plan="trial")
    later(caller, days=1)
    await track(caller, "purchase")
    await caller.identify("bob", plan="free")
    later(caller, days=10)

    assert [to for to, subject in await mails(caller) if subject == "Still there?"] == ["eve@example.com"]
    assert await journeys(caller) == {
        "started": 3,
        "activated": 3,
        "messaged": 3,
        "exited_early": 2,
        "finished": 1,
        "converted": 1,
    }
    (converted,) = await caller.messages("&metric=converted")
    assert converted["recipient"] == "ann@example.com"


async def test_a_goal_that_is_reached_too_late_or_was_before_does_not_count(caller: Caller) -> None:
    run(caller, email(1), goal={"condition": {"event": {"name": "purchase"}}, "days": 5})
    await ann(caller)
    await track(caller, "purchase")
    await track(caller)
    later(caller, days=6)
    await track(caller, "purchase")

    assert "converted" not in await journeys(caller)


async def test_a_campaign_that_is_stopped_sends_nothing_more(caller: Caller) -> None:
    campaign = run(caller, email(1), delay(2, days=3), email(3))
    await ann(caller)
    await track(caller)
    caller.sandbox.workspace.configure("campaign", campaign | {"state": "stopped"})
    later(caller, days=4)
    await track(caller)

    assert len(await mails(caller)) == 1


@pytest.mark.parametrize("how", ["delete", "suppress"])
async def test_who_is_deleted_or_suppressed_gets_nothing_more(caller: Caller, how: str) -> None:
    run(caller, delay(1, days=3), email(2))
    await ann(caller)
    await track(caller)
    if how == "delete":
        await caller.ok("DELETE", "/api/v1/customers/ann")
    else:
        await caller.ok("POST", "/api/v1/customers/ann/suppress")
        await track(caller)
    later(caller, days=9)

    assert await mails(caller) == []
    assert (await journeys(caller))["never_activated"] == 1


async def test_a_merged_persons_journey_goes_on_with_who_they_are_now(caller: Caller) -> None:
    run(caller, delay(1, days=3), email(2))
    await ann(caller)
    await caller.identify("ann2", email="ann2@example.com")
    await track(caller, person="ann2")
    sides = {"primary": {"id": "ann"}, "secondary": {"id": "ann2"}}
    await caller.ok("POST", "/api/v1/merge_customers", sides)
    later(caller, days=9)

    assert await mails(caller) == [TO_ANN]


@pytest.mark.parametrize(("clocks_change", "hours"), [("2026-10-24", 49), ("2027-03-27", 47)])
async def test_days_of_a_wait_in_a_time_zone_survive_a_change_of_clocks(
    caller: Caller, clocks_change: str, hours: int
) -> None:
    begin = datetime.fromisoformat(f"{clocks_change}T10:00").replace(tzinfo=ZoneInfo("Europe/Berlin"))
    caller.sandbox.workspace.advance(begin.timestamp())
    caller.sandbox.clock.freeze()
    run(caller, delay(1, days=2), email(2), timezone="Europe/Berlin")
    await ann(caller)
    await track(caller)
    begun = int(caller.sandbox.clock())
    later(caller, days=5)

    assert [mail["created"] - begun for mail in await caller.messages()] == [hours * HOUR]


async def test_a_wait_ends_at_a_time_of_day_on_a_day_of_the_week(caller: Caller) -> None:
    run(caller, delay(1, at="09:30", on=["mon", "tue"]), email(2), timezone="Europe/Berlin")
    await ann(caller)
    await track(caller)
    later(caller, days=9)

    assert [iso(mail["created"]) for mail in await caller.messages()] == ["2026-06-01T07:30"]
