"""A workspace: its things, its log, and what it has accepted but not yet applied."""

import json
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from cio_mcp.sandbox.state import requests
from cio_mcp.sandbox.state.database import Row
from cio_mcp.sandbox.state.requests import KeptRequest
from cio_mcp.sandbox.state.steps import Steps, finish
from cio_mcp.sandbox.state.things import Things

__all__ = ["LogEntry", "Row", "Workspace", "applies", "reacts"]


@dataclass(frozen=True)
class LogEntry:
    """An entry of the log about a person."""

    number: int
    kind: str
    cio_id: str
    name: str | None
    timestamp: int
    data: dict[str, Any]


Applier = Callable[["Workspace", dict[str, Any]], None]
Reaction = Callable[["Workspace", list[LogEntry]], None]
_APPLIERS: dict[str, Applier] = {}
_REACTIONS: list[Reaction] = []

# Consequences of consequences of one cause, beyond which they go in circles.
MOST_ROUNDS = 50


def applies(what: str) -> Callable[[Applier], Applier]:
    """Return a decorator for the function that applies accepted writes of a kind, or what a timer starts."""

    def register(applier: Applier) -> Applier:
        _APPLIERS[what] = applier
        return applier

    return register


def reacts(reaction: Reaction) -> Reaction:
    """Register a function that is told what the log has got about people, once each write is applied."""
    _REACTIONS.append(reaction)
    return reaction


class Workspace(Things):
    """One workspace in SQLite. Every request is one transaction.

    Times are unix seconds by its own clock. A Track write is accepted first and applied `lag` seconds later,
    at the next request that comes: nothing runs in the background. A broadcast's trigger has been worked
    through `broadcast_seconds` after it was made.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        real: Callable[[], float],
        region: Literal["us", "eu"],
        lag: float,
        broadcast_seconds: int,
        copy_of: "Workspace | None" = None,
    ) -> None:
        self.region = region
        self.broadcast_seconds = broadcast_seconds
        self._lag = lag
        self._cause: int | None = None
        self._news: list[LogEntry] | None = []
        super().__init__(path, real, copy_of)

    def now(self) -> int:
        """Return the time of day in whole unix seconds."""
        return int(self.clock())

    @contextmanager
    def transaction(self, request: KeptRequest | None = None) -> Iterator[None]:
        """Do everything inside at once or not at all, at one moment; what is due by then is done before.

        It is done for a request, which is kept if it changes something.
        """
        self.catch_up()
        with self.locked():
            self.clock.note_use()
            # What failed has no consequences.
            self._news = []
            with self.clock.at(self.clock()):
                self.settle()
                before = self.changes
                yield
                self._react()
                self.settle()
                if request and self.changes != before:
                    requests.keep(self, request)

    def catch_up(self) -> None:
        """Do what is due by now, in transactions of its own."""
        while self._pass():
            self.give_way()

    def advance(self, moment: float) -> dict[str, int]:
        """Move the clock on to a time; returns what `advancing` does."""
        happened: dict[str, int] = finish(self, self.advancing(moment))
        return happened

    def advancing(self, moment: float, seconds: float = math.inf) -> Steps:
        """Move the clock on to a time, from timer to timer, for so many seconds of real time at the most.

        Others see it on its way, and where they take it back, it ends. Returns how many entries of each kind
        the log has got meanwhile.
        """
        ends = time.monotonic() + seconds
        newest = "SELECT coalesce(max(number), 0) AS number FROM log"
        before, at = self.rows(newest)[0]["number"], self.clock()
        while self.clock() >= at and self._pass(moment) and time.monotonic() < ends:
            at = self.clock()
            yield
        counts = "SELECT kind, count(*) AS count FROM log WHERE number > ? GROUP BY kind ORDER BY kind"
        return {row["kind"]: row["count"] for row in self.rows(counts, before)}

    def _pass(self, until: float | None = None) -> bool:
        """Do what is due first, in a transaction of its own; returns whether there was anything.

        With `until` it is due by then, and the clock moves on to when it was due, or to `until` in the end.
        """
        if until is None and not self._next(self.clock()):
            return False
        with self.locked():
            self._news = []
            due = self._next(self.clock() if until is None else until)
            if until is not None:
                self.clock.set(max(due["due"] if due else until, self.clock()))
            if due:
                self._do(due)
        return due is not None

    def settle(self) -> None:
        """Do what is due by now."""
        while due := self._next(self.clock()):
            self._do(due)

    def _next(self, until: float) -> Row | None:
        return self.row("SELECT * FROM timers WHERE due <= ? ORDER BY due, number LIMIT 1", until)

    def _do(self, timer: Row) -> None:
        self.change("DELETE FROM timers WHERE number = ?", timer["number"])
        with self.clock.at(timer["due"]), self.because(timer["cause"]):
            _APPLIERS[timer["what"]](self, json.loads(timer["body"]))
            self._react()

    def beside(self, real: Callable[[], float]) -> "Workspace":
        """Return an empty workspace of its own, in memory, for another state of this one."""
        return Workspace(
            ":memory:", real=real, region=self.region, lag=0, broadcast_seconds=self.broadcast_seconds
        )

    def _react(self) -> None:
        """Tell what is new about people, and then what that has led to."""
        for _ in range(MOST_ROUNDS):
            if not self._news:
                return
            news, self._news = self._news, []
            for reaction in _REACTIONS:
                reaction(self, news)
        self._news = []

    @contextmanager
    def planting(self) -> Iterator[None]:
        """Let nothing that happens inside have consequences."""
        self._news = None
        try:
            yield
        finally:
            self._news = []

    @property
    def lives(self) -> bool:
        """Whether what happens has consequences."""
        return self._news is not None

    def accept(self, what: str, body: dict[str, Any], due: float | None = None) -> None:
        """Take a write, to be applied at `due`, or once the lag has passed."""
        with self.because(self.note("accepted", None, what, body)):
            self.wait(self.clock() + self._lag if due is None else due, what, body)

    def apply(self, what: str, body: dict[str, Any]) -> None:
        """Take a write and apply it at once, whatever the lag."""
        with self.because(self.note("accepted", None, what, body)):
            _APPLIERS[what](self, body)

    def wait(self, due: float, what: str, body: dict[str, Any], key: str | None = None) -> None:
        """Let something be done at a time, by reason of what is being done now; `key` replaces another."""
        statement = "INSERT OR REPLACE INTO timers (due, what, body, cause, key) VALUES (?, ?, ?, ?, ?)"
        self.change(statement, due, what, json.dumps(body), self._cause, key)

    @contextmanager
    def because(self, cause: int | None) -> Iterator[None]:
        """Name an entry of the log as the cause of all that is entered inside this context."""
        before, self._cause = self._cause, cause
        try:
            yield
        finally:
            self._cause = before

    def note(
        self,
        kind: str,
        cio_id: str | None,
        name: str | None = None,
        data: dict[str, Any] | None = None,
        *,
        timestamp: int | None = None,
    ) -> int:
        """Add to the log, with the cause that there is; returns the entry's number."""
        number = self.insert(
            "INSERT INTO log (at, kind, cio_id, name, cause, timestamp, data) VALUES (?, ?, ?, ?, ?, ?, ?)",
            *(self.now(), kind, cio_id, name, self._cause, timestamp, json.dumps(data or {})),
        )
        if cio_id and self._news is not None:
            at = self.now() if timestamp is None else timestamp
            self._news.append(LogEntry(number, kind, cio_id, name, at, data or {}))
        return number

    def log(self, type_: str, cio_id: str | None, name: str | None = None, **data: Any) -> int:
        """Add to the activities, which are where rejected data shows up."""
        return self.enter(type_, cio_id, name, data)

    def enter(
        self, type_: str, cio_id: str | None, name: str | None, data: dict[str, Any], at: int | None = None
    ) -> int:
        """Add to the activities with whatever data, at a time of its own; returns the entry's number."""
        return self.note(type_, cio_id, name, data, timestamp=self.now() if at is None else at)
