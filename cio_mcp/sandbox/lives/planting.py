"""Plants the lives: of the people whom the story names, as it tells them, and of all the others."""

import json
from typing import Any

from pydantic_core import to_json

from cio_mcp.sandbox.engine import chance
from cio_mcp.sandbox.lives.book import Book
from cio_mcp.sandbox.lives.going_on import FURTHEST, LIFE, THING, begin, next_act
from cio_mcp.sandbox.lives.habits import Act, acts
from cio_mcp.sandbox.lives.mailbox import Script
from cio_mcp.sandbox.lives.past import TO_MANY, TOLD, Past
from cio_mcp.sandbox.lives.people import DAY, DAYS, PEOPLE, person
from cio_mcp.sandbox.state.workspace import Row, Workspace


def plant(workspace: Workspace, story: dict[str, Any], others: int) -> None:
    """Let all that people did so far have led to something, with so many whom the story does not name."""
    now = workspace.now()
    book = Book(workspace, now - DAYS * DAY)
    sent = _sent_to_many(workspace, book)
    for row in workspace.rows("SELECT * FROM people ORDER BY rowid"):
        known = {name: row[name] for name in ("id", "email", "cio_id") if row[name]}
        told = _told(workspace, row)
        past = Past(book, row["cio_id"], known | json.loads(row["attributes"]), _script(story, row["id"]))
        past.live([*told, *(act for act in sent if act.at >= told[0].at)])
    for number in range(others):
        someone = person(book.seed, number, now)
        cio_id = chance.cio_id(book.seed, ("id", someone.id), 0)
        past = Past(book, cio_id, {"id": someone.id, "cio_id": cio_id})
        doings = acts(someone, 0, now + FURTHEST)
        did = [act for act in doings if act.at <= now]
        past.live([*did, *(act for act in sent if act.at >= someone.signs_up)])
        book.wait(next_act(doings, now), LIFE, {"number": number}, None, f"{LIFE}:{number}")
        attributes = {
            name: value for name, value in past.has.items() if name not in {"id", "email", "cio_id"}
        }
        book.people.append((cio_id, someone.id, past.has["email"], to_json(attributes).decode()))
    book.write()
    if others:
        workspace.configure(THING, {"id": 1, "planted": now})
        begin(workspace, PEOPLE)


def _sent_to_many(workspace: Workspace, book: Book) -> list[Act]:
    """Return the messages to all that the log tells of: newsletters, and triggers of broadcasts."""
    found = []
    for row in workspace.rows("SELECT * FROM log WHERE kind IN ('sent', 'triggered') ORDER BY number"):
        kind, number = {"sent": "newsletter", "triggered": "broadcast"}[row["kind"]], int(row["name"])
        thing = workspace.thing(kind, number) or {}
        if kind == "newsletter":
            own = {"content_id": thing["content_ids"][0], "subject": book.subject(kind, number), "fate": None}
        else:
            action = thing["actions"][0]["id"]
            own = {"action_id": action, "data": {}, "subject": book.subject("action", action)}
        message = {"type": "email", f"{kind}_id": number, **own}
        found.append(Act(row["at"], TO_MANY, {"message": message, "entry": row["number"]}))
    return found


def _told(workspace: Workspace, row: Row) -> list[Act]:
    """Return what the log tells that a person became, all at once, and did."""
    kinds = "('attribute_change', 'event')"
    entries = workspace.rows(
        f"SELECT * FROM log WHERE cio_id = ? AND kind IN {kinds} ORDER BY number",  # noqa: S608 - two words
        row["cio_id"],
    )
    became: dict[int, dict[str, int]] = {}
    for one in entries:
        if one["kind"] == "attribute_change":
            became.setdefault(one["at"], {})[one["name"]] = one["number"]
    did = [
        Act(one["at"], TOLD, {"entry": one["number"], "name": one["name"], "data": json.loads(one["data"])})
        for one in entries
        if one["kind"] == "event"
    ]
    return [*(Act(at, TOLD, {"entries": numbers}) for at, numbers in became.items()), *did]


def _script(story: dict[str, Any], who: str | None) -> Script:
    """Return what the story tells of the messages of a person: they have no other fate."""
    told = [one for one in story["fates"] if one["person"] == who]
    about = ("person", "message")
    return {one["message"]: {name: one[name] for name in one if name not in about} for one in told}
