"""Rows of a workspace's tables, collected and then written at once."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from pydantic_core import to_json

from cio_mcp.sandbox.engine.entering import running
from cio_mcp.sandbox.state import suppressions
from cio_mcp.sandbox.state.workspace import Workspace


def _text(data: Any) -> str:
    return to_json(data).decode() if data else "{}"


@dataclass
class OpenDelivery:
    """A delivery, whose states may still grow."""

    id: str
    entry: int
    states: dict[str, int]
    row: tuple[Any, ...]
    body: dict[str, Any]


@dataclass
class Journey:
    """One person's way through a campaign."""

    number: int
    campaign: dict[str, Any]
    cio_id: str
    started: int
    entry: int
    data: dict[str, Any]
    deliveries: list[OpenDelivery] = field(default_factory=list)
    activated: int | None = None
    messaged: int | None = None
    converted: int | None = None
    ended: int | None = None
    outcome: str | None = None


class Book:
    """What is to be written into a workspace; campaigns run in it since `begins`."""

    def __init__(self, workspace: Workspace, begins: int) -> None:
        self._workspace = workspace
        self.begins, self.now, self.seed = begins, workspace.now(), workspace.seed
        self._computed = workspace.things("computed_attribute")
        self.campaigns = [*running(workspace, "event"), *running(workspace, "segment")]
        # By events the campaigns of which they are the goal, and within how many days.
        self.goals: dict[str, dict[int, int]] = {}
        for campaign in self.campaigns:
            if goal := campaign.get("goal"):
                self.goals.setdefault(goal["condition"]["event"]["name"], {})[campaign["id"]] = goal["days"]
        self.order: Callable[[], int] = count().__next__
        self.people: list[tuple[Any, ...]] = []
        self.devices: list[tuple[Any, ...]] = []
        self.matches: set[tuple[int, str]] = set()
        self.blocked: list[tuple[int, str, str, str, str]] = []
        self._entries: list[tuple[Any, ...]] = []
        self._events: list[tuple[Any, ...]] = []
        self._timers: list[tuple[Any, ...]] = []
        self._deliveries: list[OpenDelivery] = []
        self._journeys: list[Journey] = []
        self._next: int = workspace.rows("SELECT coalesce(max(number), 0) + 1 AS next FROM log")[0]["next"]
        self._subjects: dict[tuple[str, int, str], str] = {
            (kind, text[kind], text["language"]): text.get("subject", "")
            for text in workspace.things("content")
            for kind in ("action", "newsletter")
            if kind in text and text["type"] == "email"
        }

    def subject(self, kind: str, number: int, language: str = "") -> str:
        """Return the subject of a message in a language, else in its default one."""
        found = self._subjects.get((kind, number, language))
        return self._subjects.get((kind, number, ""), "") if found is None else found

    def compute(self, known: dict[str, float], event: dict[str, Any], at: int) -> None:
        """Bring what is computed of a person's events up to date with one more."""
        for definition in self._computed:
            name, aggregate = definition["name"], definition["aggregate"]
            if definition["event"] != event["name"]:
                continue
            if aggregate == "last_time":
                known[name] = at
            else:
                more = 1 if aggregate == "count" else event["data"][definition["field"]]
                known[name] = known.get(name, 0) + more

    def note(
        self,
        at: int,
        kind: str,
        cio_id: str | None,
        name: str | None,
        data: dict[str, Any],
        cause: int | None,
        timestamp: int | None = None,
    ) -> int:
        """Add an entry of the log; returns its number."""
        number = self._next
        self._next += 1
        self._entries.append((number, at, kind, cio_id, name, cause, timestamp, _text(data)))
        return number

    def record(self, cio_id: str, kind: str, name: str, data: dict[str, Any], at: int) -> None:
        """Add an event."""
        self._events.append((cio_id, kind, name, _text(data), at))

    def wait(self, due: float, what: str, body: dict[str, Any], cause: int | None, key: str | None) -> None:
        """Add a timer."""
        self._timers.append((due, what, _text(body), cause, key))

    def journey(
        self, campaign: dict[str, Any], cio_id: str, at: int, entry: int, data: dict[str, Any]
    ) -> Journey:
        """Add a journey."""
        journey = Journey(len(self._journeys) + 1, campaign, cio_id, at, entry, data)
        self._journeys.append(journey)
        return journey

    def deliver(
        self, number: str, cio_id: str, at: int, entry: int, body: dict[str, Any], states: dict[str, int]
    ) -> OpenDelivery:
        """Add a delivery."""
        of = (body.get("campaign_id"), body.get("action_id"), body.get("journey"))
        delivery = OpenDelivery(number, entry, states, (number, cio_id, at, entry, body["type"], *of), body)
        self._deliveries.append(delivery)
        return delivery

    def write(self) -> None:
        """Write all of it."""
        with self._workspace.indexed_later():
            self._insert()
        for at, kind, *address in sorted(self.blocked):
            with self._workspace.clock.at(at):
                suppressions.add(self._workspace, kind, *address)

    def _insert(self) -> None:
        insert = self._workspace.insert_all
        insert("INSERT INTO people VALUES (?, ?, ?, ?)", self.people)
        insert("INSERT INTO devices VALUES (?, ?, ?, ?)", self.devices)
        insert("INSERT INTO matches VALUES (?, ?)", self.matches)
        insert("INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?, ?)", self._entries)
        insert(
            "INSERT INTO events (cio_id, type, name, data, timestamp) VALUES (?, ?, ?, ?, ?)", self._events
        )
        insert("INSERT INTO timers (due, what, body, cause, key) VALUES (?, ?, ?, ?, ?)", self._timers)
        insert(
            "INSERT INTO deliveries (id, cio_id, created, entry, type, campaign_id, action_id, journey, "
            "states, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            ((*one.row, _text(one.states), _text(one.body)) for one in self._deliveries),
        )
        insert(
            "INSERT INTO journeys VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    *(one.number, one.campaign["id"], one.cio_id, one.started, one.entry, _text(one.data)),
                    *(one.activated, one.messaged, one.converted, one.ended, one.outcome),
                )
                for one in self._journeys
            ),
        )
