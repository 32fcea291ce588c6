"""What holds in the sandbox whatever is called and however its clock moves."""

import asyncio
import json
from collections import Counter
from contextlib import closing
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cio_mcp.sandbox import Sandbox
from tests.planted import START
from tests.sandbox.conftest import Caller, Clock
from tests.sandbox.worlds import attribute, branch, delay, email, later, run, segment

DAY = 86_400
PEOPLE = ("ann", "bob", "eve")
OFTEN = {"bounced": 0.2, "opened": 0.7, "clicked": 0.6, "unsubscribed": 0.3, "spammed": 0.2}
LINKS = [
    {"id": 1, "href": "https://example.com/1", "share": 0.7},
    {"id": 2, "href": "https://x.y", "share": 0.3},
]
PLANS = st.sampled_from(["free", "pro", "trial"])
WHO = st.sampled_from(PEOPLE)
EVENT_IDS = st.sampled_from([None, None, "01JC7Z7N8V6Q4M2K0X5Y9T3B1A", "01JC7Z7N8V6Q4M2K0X5Y9T3B1B"])

STEPS = st.one_of(
    st.tuples(st.just("identify"), WHO, PLANS),
    st.tuples(
        st.just("track"), WHO, st.tuples(st.sampled_from(["go", "buy"]), EVENT_IDS, st.integers(0, 100))
    ),
    st.tuples(st.just("send"), WHO, st.just(None)),
    st.tuples(st.sampled_from(["suppress", "unsuppress", "delete", "broadcast"]), WHO, st.just(None)),
    st.tuples(st.just("merge"), WHO, WHO),
    st.tuples(st.just("later"), st.just(""), st.integers(1, 20 * DAY)),
)
Step = tuple[str, str, Any]
SEQUENCES = st.lists(STEPS, min_size=5, max_size=25)
QUICK = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])


Source = tuple[str, int]
OTHERS = (("broadcast", 9, "/v1/broadcasts"), ("transactional", 1, "/v1/transactional"))
FIELDS = {"campaign": "campaign_id", "broadcast": "broadcast_id", "transactional": "transactional_message_id"}

# The actions of which messages have links; what is transactional has no action.
LINKED = {1, 901, None}


def a_world() -> Caller:
    """Return a caller of a world in which all kinds of campaigns run."""
    clock = Clock()
    caller = Caller(Sandbox(clock=clock, seed=False), clock, pause=0)
    segment(
        caller,
        1,
        {"and": [{"event": {"name": "buy"}}, {"not": {"event": {"name": "buy", "within_days": 9}}}]},
    )
    pro = attribute("plan", "eq", "pro")
    goal = {"condition": {"event": {"name": "buy"}}, "days": 9}
    mail: dict[str, Any] = {"chances": OFTEN}
    run(
        caller,
        *(
            email(1, **mail, links=LINKS),
            delay(2, days=3),
            branch(3, pro, 4, 5),
            email(4, **mail),
            email(5, **mail),
        ),
        goal=goal,
        exit=["goal"],
    )
    run(caller, email(6, **mail), id=2, type="segment", trigger_segment_ids=[1], exit=["unmatched"])
    run(caller, email(7, **mail), id=3, type="date", date_attribute="due", frequency="monthly")
    workspace = caller.sandbox.workspace
    counted = {"id": 1, "name": "goes", "event": "go", "aggregate": "count"}
    workspace.configure("computed_attribute", counted)
    named = {"name": "Receipt", "trigger_name": "receipt", "channel": "email", "subject": "Thanks"}
    workspace.configure("transactional", {"id": 1, **named, "links": LINKS})
    broadcast = {"id": 9, "name": "News", "subject": "News", "recipients": pro, "actions": [{"id": 901}]}
    workspace.configure("broadcast", broadcast | {"links": LINKS})
    return caller


async def play(caller: Caller, steps: list[Step]) -> None:
    for what, who, more in steps:
        path = f"/api/v1/customers/{who}"
        match what:
            case "identify":
                person = {"email": f"{who}@example.com", "plan": more, "due": "2026-01-15"}
                await caller.ok("PUT", path, person)
            case "track":
                name, number, hours = more
                at = int(caller.sandbox.clock()) - hours * 3600
                event = {"name": name, "timestamp": at} | ({"id": number} if number else {})
                await caller.ok("POST", f"{path}/events", event)
            case "send":
                send = {"transactional_message_id": 1, "to": f"{who}@example.com", "identifiers": {"id": who}}
                await caller.ok("POST", "/v1/send/email", send)
            case "broadcast":
                await caller.send(
                    "POST", "/v1/campaigns/9/triggers", {"ids": [who], "id_ignore_missing": True}
                )
            case "delete":
                await caller.ok("DELETE", path)
            case "merge":
                await caller.ok(
                    "POST", "/api/v1/merge_customers", {"primary": {"id": who}, "secondary": {"id": more}}
                )
            case "later":
                later(caller, seconds=more)
            case _:
                await caller.ok("POST", f"{path}/{what}")


def played(steps: list[Step]) -> Caller:
    caller = a_world()
    asyncio.run(play(caller, steps))
    return caller


@given(SEQUENCES)
@QUICK
def test_identifiers_are_unique_and_no_event_id_counts_twice(steps: list[Step]) -> None:
    caller = played(steps)
    with closing(caller.sandbox):
        rows = caller.sandbox.workspace.rows
        created = [row[0] for row in rows("SELECT cio_id FROM log WHERE kind = 'profile_create'")]
        events = [row[0] for row in rows("SELECT event_id FROM events WHERE event_id IS NOT NULL")]
        activities = [row["cio_id"] for row in rows("SELECT cio_id FROM log WHERE kind = 'event'")]
        deliveries = [row["id"] for row in rows("SELECT id FROM deliveries")]
        names = [row["email"].lower() for row in rows("SELECT email FROM people WHERE email IS NOT NULL")]

    assert max(Counter([*deliveries, *names]).values(), default=1) == 1
    assert max(Counter(created).values(), default=1) == 1
    assert max(Counter(events).values(), default=1) == 1
    without = sum(step[0] == "track" and step[2][1] is None for step in steps)
    assert len(activities) <= without + 2


@given(SEQUENCES)
@QUICK
def test_metrics_and_journeys_are_what_the_deliveries_and_the_log_say(steps: list[Step]) -> None:
    caller = played(steps)
    now = int(caller.sandbox.clock())
    span = f"start={int(START) - DAY}&end={now + DAY}"

    async def told() -> dict[Source, dict[str, int]]:
        found: dict[Source, dict[str, int]] = {}
        for number in (1, 2, 3):
            path = f"/v1/campaigns/{number}"
            counts = await caller.ok("GET", f"{path}/metrics?version=2&res=months&{span}")
            journeys = await caller.ok("GET", f"{path}/journey_metrics?resolution=months&{span}")
            series = counts["metric"]["series"] | journeys["journey_metric"]
            found["campaign", number] = {name: sum(values) for name, values in series.items()}
        for kind, number, path in OTHERS:
            counts = await caller.ok("GET", f"{path}/{number}/metrics?period=months&steps=12")
            found[kind, number] = {name: sum(of) for name, of in counts["metric"]["series"].items()}
        return found

    async def told_of_links() -> dict[Source, int]:
        found = {}
        for kind, number, path in (("campaign", 1, "/v1/campaigns"), *OTHERS):
            links = (await caller.ok("GET", f"{path}/{number}/metrics/links?period=months&steps=12"))["links"]
            found[kind, number] = sum(sum(link["metric"]["series"]["clicked"]) for link in links)
        return found

    with closing(caller.sandbox):
        messages = asyncio.run(caller.messages(f"&start_ts={int(START)}&end_ts={now}"))
        found, clicks = asyncio.run(told()), asyncio.run(told_of_links())
        workspace = caller.sandbox.workspace
        started = workspace.rows("SELECT name FROM log WHERE kind = 'journey_started'")
        ended = workspace.rows("SELECT name FROM log WHERE kind = 'journey_ended'")
    if now - START > 150 * DAY:
        return
    for (kind, number), counts in found.items():
        states = Counter(
            name.removeprefix("secondary:")
            for message in messages
            if message.get(FIELDS[kind]) == number
            for name in message["metrics"]
        )
        for name in (
            "created",
            "sent",
            "delivered",
            "bounced",
            "opened",
            "clicked",
            "spammed",
            "undeliverable",
        ):
            assert counts[name] == states[name], (kind, number, name)
        if kind == "campaign":
            name = str(number)
            assert counts["started"] == sum(row["name"] == name for row in started)
            assert counts["finished"] + counts["exited_early"] == sum(row["name"] == name for row in ended)
        own = [one for one in messages if one.get(FIELDS[kind]) == number and one.get("action_id") in LINKED]
        assert clicks.get((kind, number), 0) == sum("clicked" in one["metrics"] for one in own)


@given(SEQUENCES)
@QUICK
def test_nobody_gets_a_message_after_they_were_suppressed_and_all_has_its_cause(steps: list[Step]) -> None:
    caller = played([*steps, ("later", "", 30 * DAY)])
    with closing(caller.sandbox):
        workspace = caller.sandbox.workspace
        log = workspace.rows("SELECT * FROM log ORDER BY number")
        deliveries = workspace.rows("SELECT * FROM deliveries")
        people = {row["cio_id"] for row in workspace.rows("SELECT cio_id FROM people")}
    suppressed = {
        row["cio_id"]: row["number"] for row in log if row["kind"] == "profile_suppress" and row["cio_id"]
    }

    assert not people & suppressed.keys()
    for delivery in deliveries:
        assert delivery["entry"] < suppressed.get(delivery["cio_id"], len(log) + 1)
    by_number = {row["number"]: row for row in log}
    for row in log:
        assert row["cause"] is None or row["cause"] < row["number"]
        assert row["cause"] is None or by_number[row["cause"]]["at"] <= row["at"]
    for delivery in deliveries:
        entry = by_number[delivery["entry"]]
        while entry["cause"] is not None:
            entry = by_number[entry["cause"]]
        assert entry["kind"] in {"accepted", "asked", "triggered"}


def history(caller: Caller, who: str) -> Any:
    """Return all that became of a person, without what counts for the whole workspace."""
    workspace = caller.sandbox.workspace
    row = workspace.row("SELECT * FROM people WHERE id = ?", who)
    own = workspace.rows(
        "SELECT id, created, states, body FROM deliveries "
        "WHERE cio_id = ? OR json_extract(body, '$.recipient') = ? ORDER BY number",
        *(row["cio_id"] if row else None, f"{who}@example.com"),
    )
    bodies = [{**json.loads(mail["body"]), "journey": None} for mail in own]
    known = dict(row) if row else None
    return known, [tuple(mail)[:3] for mail in own], bodies


@given(SEQUENCES, st.lists(st.tuples(st.integers(0, 25), STEPS), min_size=1, max_size=12))
@QUICK
def test_one_more_person_changes_nothing_for_the_others(
    steps: list[Step], more: list[tuple[int, Step]]
) -> None:
    both = list(steps)
    # Only one can come with an id of an event, or trigger a broadcast within ten seconds.
    for place, (what, _, rest) in sorted(more, key=lambda one: one[0], reverse=True):
        if what not in {"later", "merge", "broadcast"}:
            data = (rest[0], None, rest[2]) if what == "track" else rest
            both.insert(place, (what, "zoe", data))
    alone, together = played(steps), played(both)
    with closing(alone.sandbox), closing(together.sandbox):
        for who in PEOPLE:
            assert history(alone, who) == history(together, who)
