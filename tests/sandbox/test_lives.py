"""What is planted of the people of the story is what the engine makes of what they do."""

import json
from collections.abc import Callable
from contextlib import closing
from functools import partial
from typing import Any

from cio_mcp.sandbox import Sandbox
from cio_mcp.sandbox.lives.going_on import begin
from cio_mcp.sandbox.lives.habits import ORDERS, acts
from cio_mcp.sandbox.lives.people import DAY, DAYS, MOST, PEOPLE, Character, person
from cio_mcp.sandbox.seed import plant
from cio_mcp.sandbox.state import broadcasts, copies, newsletters, transactional
from cio_mcp.sandbox.state import people as known_people
from cio_mcp.sandbox.state.workspace import Workspace
from tests.planted import START, the_story
from tests.sandbox.conftest import Clock

NOW = int(START)

# Some of all; chance is each person's own.
SOME = range(0, PEOPLE, 11)


def lived(people: list[Character]) -> Sandbox:
    """Return a sandbox in which people did all that they do, through the engine, one act at a time."""
    clock = Clock(now=NOW - 700 * DAY)
    sandbox, here = Sandbox(clock=clock, seed=False), list[tuple[int, int, Callable[[], Any]]]()
    workspace = sandbox.workspace
    with closing(Sandbox(clock=lambda: NOW)) as planted:
        for row in planted.workspace.rows("SELECT * FROM things WHERE kind NOT IN ('suppression', 'story')"):
            workspace.change("INSERT INTO things VALUES (?, ?, ?)", *row)
    for newsletter in workspace.things("newsletter"):
        workspace.configure("newsletter", newsletter | {"sent_at": None})
    campaigns = workspace.things("campaign")
    for campaign in campaigns:
        workspace.configure("campaign", campaign | {"state": "draft"})
    for campaign in campaigns:
        here.append((NOW - DAYS * DAY, -1, partial(workspace.configure, "campaign", campaign)))
    newsletter, broadcast = workspace.things("newsletter")[0], workspace.things("broadcast")[1]
    here.append((NOW - 12 * DAY, -1, partial(newsletters.deliver, workspace, newsletter)))
    here.append((NOW - 2 * DAY, -1, partial(broadcasts.trigger, workspace, broadcast, {})))
    for one in people:
        for act in acts(one, 0, NOW + 1):
            here.append((act.at, one.number, partial(do, workspace, one.id, act.what, act.body)))
    for at, _, does in sorted(here, key=lambda step: step[:2]):
        workspace.advance(at)
        with workspace.transaction():
            does()
    workspace.advance(NOW)
    return sandbox


def do(workspace: Workspace, who: str, what: str, body: dict[str, Any]) -> None:
    """Let Quill send a write, or a message that confirms an order."""
    if what == ORDERS:
        one = known_people.find(workspace, who, "id")
        template = workspace.thing("transactional", 1) or {}
        sent = {"to": one["email"] if one else "", "message_data": body}
        transactional.queue(workspace, "email", template, one, sent)
    else:
        named = {"device": body} if what == "add_device" else {"body": body}
        workspace.accept(what, {"identifier": who} | named)


def history(sandbox: Sandbox, cio_id: str, who: str) -> dict[str, list[Any]]:
    """Return all that a workspace holds of a person, without the numbers that others have a part in."""
    rows = sandbox.workspace.rows
    numbers = {
        row["number"]: n for n, row in enumerate(rows("SELECT * FROM journeys WHERE cio_id = ?", cio_id))
    }

    def plain(name: str, value: Any) -> Any:
        found = json.loads(value) if isinstance(value, str) and value.startswith("{") else value
        if isinstance(found, dict) and "journey" in found:
            found["journey"] = numbers.get(found["journey"])
        return numbers.get(value) if name == "journey" else found

    def of(statement: str, *without: str) -> list[Any]:
        return [
            {name: plain(name, row[name]) for name in tuple(row.keys()) if name not in ("number", *without)}
            for row in rows(statement, cio_id)
        ]

    cause = "(SELECT kind || at FROM log AS before WHERE before.number = log.cause)"
    caused = f"SELECT log.*, {cause} AS why FROM log "
    return {
        "person": of("SELECT * FROM people WHERE cio_id = ?"),
        "devices": of("SELECT * FROM devices WHERE cio_id = ?"),
        "events": of("SELECT * FROM events WHERE cio_id = ? ORDER BY timestamp"),
        "log": of(caused + "WHERE cio_id = ? ORDER BY at, number", "cause"),
        "deliveries": of("SELECT * FROM deliveries WHERE cio_id = ? ORDER BY created, number", "entry"),
        "journeys": of("SELECT * FROM journeys WHERE cio_id = ? ORDER BY number", "entry"),
        "matches": of("SELECT * FROM matches WHERE cio_id = ?"),
        "blocked": [
            {name: one[name] for name in one.keys() - {"id"}}
            for one in sandbox.workspace.things("suppression")
            if one["email"] == rows("SELECT email FROM people WHERE cio_id = ?", cio_id)[0]["email"]
        ],
        "accepted": [
            (row["at"], row["name"], json.loads(row["data"]))
            for row in rows("SELECT * FROM log WHERE kind = 'accepted' ORDER BY at, number")
            if json.loads(row["data"]).get("identifier") == who
        ],
        "timers": [
            (row["due"], row["what"], {k: v for k, v in json.loads(row["body"]).items() if k != "journey"})
            for row in rows("SELECT * FROM timers ORDER BY due, number")
            if json.loads(row["body"]).get("journey") in numbers
        ],
    }


def test_the_past_that_is_planted_is_the_one_that_people_would_have_lived() -> None:
    some = [person("quill", number, NOW) for number in SOME]
    with closing(Sandbox(clock=lambda: NOW)) as planted, closing(lived(some)) as engine:
        for one in some:
            cio_id = planted.workspace.rows("SELECT cio_id FROM people WHERE id = ?", one.id)[0][0]
            told, lived_through = (history(world, cio_id, one.id) for world in (planted, engine))
            for part, found in lived_through.items():
                assert told[part] == found, (one.id, part)


def test_one_more_person_changes_nothing_for_the_others() -> None:
    with closing(Sandbox(clock=lambda: NOW, seed=False)) as fewer, closing(the_story(lambda: NOW)) as whole:
        plant(fewer.workspace, others=PEOPLE - 1)
        rows = fewer.workspace.rows("SELECT cio_id, id FROM people")
        for row in rows[::24]:
            assert history(fewer, row["cio_id"], row["id"]) == history(whole, row["cio_id"], row["id"])
        assert len(whole.workspace.rows("SELECT * FROM people")) == len(rows) + 1


def exported(sandbox: Sandbox) -> str:
    with sandbox.workspace.locked():
        return copies.written(copies.take(sandbox.workspace))


def test_people_go_on_by_the_same_seed_however_the_clock_gets_there() -> None:
    with closing(the_story(lambda: NOW)) as once, closing(the_story(lambda: NOW)) as day_by_day:
        happened = once.workspace.advance(NOW + 4 * DAY)
        for day in range(1, 5):
            day_by_day.workspace.advance(NOW + day * DAY)
        newest = once.workspace.rows("SELECT * FROM people ORDER BY rowid DESC LIMIT 1")[0]

        assert exported(once) == exported(day_by_day)
        assert newest["id"] > f"u_{3000 + PEOPLE}"
        welcomed = "SELECT 1 FROM deliveries WHERE cio_id = ? AND action_id = 101"
        assert once.workspace.row(welcomed, newest["cio_id"])
        assert {"event", "message", "journey_started", "profile_create"} <= happened.keys()


def test_what_people_do_later_is_what_would_have_been_planted_later() -> None:
    days = 6
    with closing(the_story(lambda: NOW)) as world:
        world.workspace.advance(NOW + days * DAY)
        for number in SOME:
            someone = person("quill", number, NOW)
            doings = [act for act in acts(someone, NOW + 1, NOW + days * DAY) if act.what == "event"]
            row = known_people.find(world.workspace, someone.id, "id")
            assert row
            since = "SELECT timestamp, name FROM events WHERE cio_id = ? AND timestamp > ? ORDER BY timestamp"
            found = world.workspace.rows(since, row["cio_id"], NOW)
            assert [tuple(event) for event in found] == [(act.at, act.body["name"]) for act in doings]


def test_each_order_of_later_days_is_confirmed() -> None:
    with closing(the_story(lambda: NOW)) as world:
        world.workspace.advance(NOW + 12 * DAY)
        bought = (
            "SELECT cio_id, count(*) FROM events WHERE name = 'purchase' AND timestamp > ? GROUP BY cio_id"
        )
        asked = "json_extract(body, '$.transactional_message_id') = 1 AND created > ?"
        confirmed = f"SELECT cio_id, count(*) FROM deliveries WHERE {asked} GROUP BY cio_id"
        purchases, confirmations = (world.workspace.rows(found, NOW) for found in (bought, confirmed))

        assert sum(row[1] for row in purchases) > 10
        assert sorted(map(tuple, purchases)) == sorted(map(tuple, confirmations))


def test_who_was_deleted_does_no_more() -> None:
    with closing(the_story(lambda: NOW)) as world:
        acting = next(
            one
            for one in (person("quill", number, NOW) for number in range(PEOPLE))
            if acts(one, NOW + 1, NOW + 20 * DAY)
        )
        with world.workspace.transaction():
            world.workspace.accept("delete", {"identifier": acting.id})
        world.workspace.advance(NOW + 30 * DAY)

        assert known_people.find(world.workspace, acting.id, "id") is None
        assert not world.workspace.rows("SELECT * FROM timers WHERE key = ?", f"life:{acting.number}")


def test_new_people_sign_up_as_long_as_there_are_names() -> None:
    people = [person("quill", number, NOW) for number in range(MOST)]

    assert len({one.profile["email"] for one in people}) == MOST
    assert [one.signs_up for one in people] == sorted(one.signs_up for one in people)
    assert people[PEOPLE - 1].signs_up < NOW < people[PEOPLE].signs_up
    with closing(Sandbox(clock=lambda: NOW, seed=False)) as world:
        world.workspace.configure("story", {"id": 1, "planted": NOW})
        begin(world.workspace, MOST)
        assert world.workspace.rows("SELECT * FROM timers") == []
