"""What a call of many rows tells beside its counts: what it sets off, what is odd, how to see what became."""

from typing import Any

import pytest

from tests.agent import Agent
from tests.tools.test_bulk import batches, customers, orders

pytestmark = pytest.mark.anyio

DAY = 86400
TRIAL = (
    'people can enter the segment "Has an email" that starts the automation "Trial ending" '
    "if they fit its other conditions, which the API does not report"
)


def campaign(agent: Agent, number: int, **more: Any) -> None:
    """Put a running campaign into the workspace."""
    known = {"id": number, "state": "running", "active": True, "actions": [], "workflow": [], "tags": []}
    agent.wire.sandbox.workspace.configure("campaign", known | more)


@pytest.mark.parametrize(
    ("tool", "more", "names"),
    [
        ("identify_customers", {}, ("check_write", "search_customers")),
        ("track_events", {"name": "order"}, ("check_write", "list_activities")),
        ("set_objects", {"object_type_id": 1}, ("get_object", "search_objects")),
    ],
)
async def test_an_answer_says_how_to_see_what_became_of_one_and_of_many(
    agent: Agent, tool: str, more: dict[str, Any], names: tuple[str, str]
) -> None:
    answer = await agent.call(tool, rows=[{"customer_id": "a", "object_id": "o"}], **more)

    assert all(name in answer["next"] for name in names)


async def test_past_events_that_the_activity_log_does_not_have_are_told(agent: Agent) -> None:
    now = int(agent.clock())
    rows = [order | {"timestamp": now - age * DAY} for order, age in zip(orders(3), (1, 31, 40), strict=True)]

    answer = await agent.call("track_events", rows=rows, unique=["order_id"])
    one = await agent.call(
        "track_event", **{name: rows[1][name] for name in ("customer_id", "name", "timestamp")}
    )
    young = await agent.call("track_events", rows=rows[:1], unique=["order_id"])
    old = await agent.call("track_events", rows=rows[1:], unique=["order_id"])
    assert "check_write" in answer["next"]
    assert old["next"] == "That they were accepted is all that can be seen: nothing lists events that old."

    told = "older than 30 days: check_write cannot see them"
    assert f"2 events are {told}" in answer["notes"][0]
    assert told in one["notes"][0]
    assert "notes" not in young


async def test_a_check_without_a_trace_names_the_time_that_the_event_carries(agent: Agent) -> None:
    call = {"customer_id": "u_1001", "event": "order"}

    pending = await agent.call("check_write", **call)
    gone = await agent.call("check_write", **call, since=int(agent.clock()) - 3 * DAY)

    assert (pending["state"], gone["state"]) == ("pending", "not_seen")
    for answer in (pending, gone):
        assert "If the event carries a timestamp, call with a since before that" in answer["next"]
    attributes = await agent.call("check_write", customer_id="u_1001", attributes={"plan": "other"})
    assert "timestamp" not in attributes["next"]


async def test_a_preview_names_the_automations_that_rows_can_start_and_no_others(agent: Agent) -> None:
    campaign(agent, 20, name="Birthday", type="date", date_attribute="birthday")
    campaign(agent, 21, name="Invited by hand", type="segment", trigger_segment_ids=[3])
    campaign(agent, 22, name="Unknown start", type="new kind")
    campaign(agent, 23, name="Asleep", type="segment", trigger_segment_ids=[1], state="draft")

    plain = await agent.call(
        "identify_customers", rows=[{"customer_id": "u_1001", "plan": "x"}], dry_run=True
    )
    dated = await agent.call(
        "identify_customers", rows=[{"customer_id": "u_1001", "birthday": 1}], dry_run=True
    )
    one = await agent.call(
        "identify_customer", customer_id="u_1001", attributes={"birthday": 1}, dry_run=True
    )

    unknown = 'Customer.io does not say what starts the automation "Unknown start"'
    birthday = 'the date in "birthday" starts the automation "Birthday"'
    assert plain["sets_off"] == [TRIAL, unknown]
    assert dated["sets_off"] == one["sets_off"] == [birthday, TRIAL, unknown]


async def test_events_that_are_too_old_start_no_automation_of_their_name(agent: Agent) -> None:
    now = int(agent.clock())
    row = {"customer_id": "u_1001", "name": "signed_up"}

    young = await agent.call("track_events", rows=[row], dry_run=True)
    old = await agent.call("track_events", rows=[row | {"timestamp": now - 4 * DAY}], dry_run=True)
    one = await agent.call("track_event", **row, timestamp=now - 4 * DAY, dry_run=True)

    started = (
        'an event of row 1 starts the automation "Welcome series" for people in the segment "Has an email"'
    )
    assert young["sets_off"] == [started, TRIAL]
    assert old["sets_off"] == one["sets_off"] == [TRIAL]
    assert "0 of 1 events are younger than 72 hours: none can start automations" in old["checked"]["odd"]


async def test_rows_that_subscribe_people_again_are_named(agent: Agent) -> None:
    rows = [*customers(2, unsubscribed=True), {"customer_id": "u_1001", "unsubscribed": False}]

    again = await agent.call("identify_customers", rows=rows, dry_run=True)
    none = await agent.call("identify_customers", rows=rows[:2], dry_run=True)

    assert (
        "row 3: unsubscribed=false, so that they get messages, even if they had unsubscribed"
        in again["sets_off"]
    )
    assert not any("get messages" in told for told in none["sets_off"])


async def test_where_nothing_can_be_read_a_preview_says_what_can_come_of_it(agent: Agent) -> None:
    agent.wire.refuses = lambda request: request.url.path.startswith("/v1/")

    preview = await agent.call("identify_customers", rows=customers(1), dry_run=True)

    assert "a changed profile can enter segments and start automations" in preview["sets_off"]
    assert "its other consequences" in preview["unread"][0]


async def test_an_id_of_a_rows_own_beside_unique_is_told(agent: Agent) -> None:
    rows = orders(2)
    rows[1]["event_id"] = "01K3Z0000000000000000000AA"

    preview = await agent.call("track_events", rows=rows, unique=["order_id"], dry_run=True)
    await agent.call("track_events", rows=rows, unique=["order_id"])

    odd = " | ".join(preview["checked"]["odd"])
    assert "row 2: event_id counts, and not what is in unique" in odd
    assert "follows from its name, its customer and order_id alone" in odd
    assert batches(agent)[0][1]["id"] == rows[1]["event_id"]


async def test_numbers_that_the_api_tells_as_text_are_explained(agent: Agent) -> None:
    await agent.call("identify_customer", customer_id="n1", attributes={"sum": 12.5, "plan": "pro"})

    whole = await agent.call("get_customer", customer_id="n1")
    text = await agent.call("get_customer", customer_id="n1", fields=["plan"])
    found = await agent.call("search_customers", attributes={"plan": "pro"}, fields=["sum"])

    assert "as text" in whole["notes"][0]
    assert "as text" in found["notes"][0]
    assert "notes" not in text


@pytest.mark.parametrize(
    ("tool", "call"),
    [
        ("track_event", {"customer_id": "u_1001", "name": "go"}),
        ("add_to_segment", {"segment_id": 5, "ids": ["u_1001"]}),
    ],
)
async def test_segments_of_many_automations_are_read_once_and_few_are_told(
    agent: Agent, tool: str, call: dict[str, Any]
) -> None:
    for number in range(50, 60):
        campaign(agent, number, name="Go", type="event", event_name="go", filter_segment_ids=[1, 99])
        joins = {"type": "segment", "trigger_segment_ids": [5], "filter_segment_ids": [1, 99]}
        campaign(agent, number + 50, name="Joins", **joins)

    preview = await agent.call(tool, dry_run=True, **call)

    assert agent.sent.count("GET /v1/segments") == 1
    told = [each for each in preview["sets_off"] if "starts the automation" in each]
    assert len(told) == 5
    assert all(each.endswith('for people in the segment "Pro plan, segment 99"') for each in told)
    assert preview["sets_off"][-1].endswith("more automations")


async def test_a_dry_run_tells_how_a_time_of_each_form_is_read(agent: Agent) -> None:
    csv = (
        "customer_id;name;Ordered;Paid\n"
        "1;order;14.03.2026 09:15;2026-03-14T09:15:00Z\n\n"
        "2;order;15.03.2026 09:15;2026-03-14 10:00\n"
        "3;order;1.7.26;1775000000\n\n"
    )
    columns = {"Ordered": "timestamp:date(dayfirst,Europe/Berlin)", "Paid": "paid_at:date"}

    preview = await agent.call("track_events", csv=csv, columns=columns, timezone="Asia/Tokyo", dry_run=True)

    odd = " | ".join(preview["checked"]["odd"])
    for words in (
        "14.03.2026 09:15 as 2026-03-14T08:15:00Z (row 2, dayfirst, Europe/Berlin), ",
        "1.7.26 as 2026-06-30T22:00:00Z (row 5, dayfirst, Europe/Berlin)",
        "2026-03-14T09:15:00Z as 2026-03-14T09:15:00Z (row 2), ",
        "2026-03-14 10:00 as 2026-03-14T01:00:00Z (row 4, Asia/Tokyo)",
        "line 3 is blank and was skipped",
    ):
        assert words in odd
    assert "15.03.2026" not in odd


async def test_the_line_of_a_header_below_others_is_told_and_a_title_above_it_is_named(agent: Agent) -> None:
    below = await agent.call("identify_customers", csv="\nsep=;\ncustomer_id;plan\n1;pro\n", dry_run=True)
    text = await agent.fail("identify_customers", csv="Customers of March\ncustomer_id,plan\n1,pro\n")

    assert below["checked"]["numbered"].endswith("its header is line 3.")
    assert "if line 1 is a title, leave out what stands above the header" in text


async def test_cells_are_read_in_lower_case_where_that_is_told(agent: Agent) -> None:
    rows = [{"customer_id": "1", "Mail": " Ann@Example.COM "}, {"customer_id": "2", "Mail": "  "}]

    await agent.call("identify_customers", rows=rows, columns={"Mail": "email:lower"})

    assert [one["attributes"] for one in batches(agent)[0]] == [{"email": "ann@example.com"}, {}]


async def test_a_column_that_may_say_the_opposite_of_unsubscribed_is_told_and_can_be_read_so(
    agent: Agent,
) -> None:
    csv = "customer_id,Newsletter\n1,ja\n2,nein\n3,nein\n"

    plain = await agent.call(
        "identify_customers", csv=csv, columns={"Newsletter": "unsubscribed:boolean"}, dry_run=True
    )
    columns = {"Newsletter": "unsubscribed:boolean(not)"}
    other = await agent.call("identify_customers", csv=csv, columns=columns, dry_run=True)
    await agent.call("identify_customers", csv=csv, columns=columns)
    wrong = await agent.fail(
        "identify_customers", csv=csv, columns={"Newsletter": "unsubscribed:boolean(no)"}
    )

    told = "Newsletter as unsubscribed: ja is true (row 2), nein is false (rows 3-4); "
    assert told + '"unsubscribed:boolean(not)" in columns reads the opposite' in plain["checked"]["odd"]
    assert "ja is false (row 2), nein is true (rows 3-4); " in str(other["checked"]["odd"])
    assert [(await agent.call("get_customer", customer_id=who))["unsubscribed"] for who in "123"] == [
        False,
        True,
        True,
    ]
    assert "boolean not where a column says the opposite" in wrong
