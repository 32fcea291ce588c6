"""Loading: parts of a file as calls of a tool, one after the other, each settled before the next."""

import asyncio
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from pydantic_core import to_json

from cio_mcp.app.application import App, Outcome
from cio_mcp.auth.principal import OWNER
from cio_mcp.cli.load.journal import Journal, Progress
from cio_mcp.cli.load.mapping import Columns, mapped
from cio_mcp.cli.load.rejects import Reject, Rejects
from cio_mcp.client.batches import OperationEnd
from cio_mcp.toolkit.arguments.parse_context import ParseContext
from cio_mcp.toolkit.arguments.sizes import size_of
from cio_mcp.toolkit.rows.event_ids import id_of_row
from cio_mcp.toolkit.rows.table import Row

PEOPLE, EVENTS, OBJECTS = "identify_customers", "track_events", "set_objects"

# Rows of one call.
PART = 5000

# So many texts about rows are counted apart, and so many of them go on being so when there are more.
TEXTS, FREQUENT, OTHERS = 1000, 500, "others"

# How a call names rows by their place in it.
_ROWS = re.compile(r"\brows? \d+(-\d+)?(, \d+(-\d+)?)*")

# How often a part is tried, and the pause before another attempt, in seconds, if nobody says how long.
ATTEMPTS, PAUSE = 6, 5.0


class Interrupted(Exception):
    """The load stops here, and can go on later; `unknown` says that rows have left without an answer."""

    def __init__(self, why: str, *, unknown: bool = False) -> None:
        super().__init__(why)
        self.unknown = unknown


@dataclass
class Load:
    """One load: what is called with which rows, and what is kept of it.

    `tell` is told how far it is; a call takes `part` rows. `reasons` counts why rows were rejected.
    """

    app: App
    tool: str
    columns: Columns
    options: dict[str, Any]
    journal: Journal
    rejects: Rejects
    tell: Callable[[Progress], None]
    dry_run: bool = False
    part: int = PART
    progress: Progress = field(default_factory=Progress)
    reasons: Counter[str] = field(default_factory=Counter)
    odd: Counter[str] = field(default_factory=Counter)

    async def run(self, rows: Iterator[Row]) -> None:
        """Load all rows that are not settled; raises Interrupted and OSError, with all before settled."""
        self.progress = replace(self.journal.progress)
        for workspace in self.app.workspaces.values():
            workspace.guard.supplies.results.remember_none()
        rest = islice(rows, self.progress.rows, None)
        with ThreadPoolExecutor(1) as disk:
            while part := list(islice(rest, self.part)):
                noted = disk.submit(self._begins, part)
                rejected, ready = self._mapped(part)
                noted.result()
                refused = await self._settle(ready) if ready else []
                self._count(part, sorted([*rejected, *refused], key=lambda one: one[0].number))
                self.tell(self.progress)
        if not self.dry_run:
            self.journal.finish()

    def _begins(self, part: list[Row]) -> None:
        if not self.dry_run:
            self.journal.begins([part[0].number, part[-1].number])

    def _mapped(self, part: list[Row]) -> tuple[list[Reject], list[tuple[Row, dict[str, Any]]]]:
        rejected: list[Reject] = []
        ready: list[tuple[Row, dict[str, Any]]] = []
        derive = self.tool == EVENTS and not self.options.get("unique")
        file = self.journal.path.name if self.journal.path else ""
        is_json = _is_json([row.values for row in part])
        context = ParseContext()
        for row in part:
            context.notes.clear()
            try:
                arguments = mapped(row, self.columns, context)
                if not is_json:
                    _check(row, arguments)
            except ValueError as error:
                rejected.append((row, str(error)))
                continue
            if context.notes:
                self.odd.update(f"{note} (row {row.number})" for note in context.notes)
            if derive and "event_id" not in arguments:
                arguments["event_id"] = id_of_row(file, self.options.get("name", ""), row.number, row.values)
            ready.append((row, arguments))
        return rejected, ready

    async def _settle(self, ready: list[tuple[Row, dict[str, Any]]]) -> list[Reject]:
        """Call until each row is accepted or refused; returns those that are refused."""
        rejected: list[Reject] = []
        for attempt in range(ATTEMPTS):
            outcome = await self._call(self._arguments(ready))
            odd = (outcome.facts.get("checked") or {}).get("odd") or ()
            self.odd.update(_by_line(note, ready) for note in odd)
            if not self.progress.rows:  # later parts would tell the like
                self.odd.update(_by_line(note, ready) for note in outcome.facts.get("sets_off") or ())
            ends = self._ends(outcome)
            refused = [
                (ready[number][0], _by_line(why, ready))
                for number, (end, why) in ends.items()
                if end is OperationEnd.REFUSED
            ]
            open_ = [number for number, (end, _) in ends.items() if end is not OperationEnd.REFUSED]
            if not open_:
                self.progress.repeated += outcome.facts.get("repeated") or 0
                return rejected + refused
            if outcome.error and not outcome.facts["retryable"]:
                raise Interrupted(outcome.error)
            if self.tool == EVENTS:  # people go whole again: a later row of theirs must not come before
                rejected += refused
                ready = [ready[number] for number in open_]
            if attempt < ATTEMPTS - 1:
                await asyncio.sleep(outcome.facts.get("retry_in_seconds") or PAUSE * (attempt + 1))
        why = outcome.error or outcome.facts.get("next") or "Rows were not sent."
        raise Interrupted(why, unknown=any(end is OperationEnd.UNKNOWN for end, _ in ends.values()))

    async def _call(self, arguments: dict[str, Any]) -> Outcome:
        """Call the tool; where the operator's settings ask for a confirmation, whoever loads has given it."""
        tool = self.app.catalogue.name_of(self.tool)
        outcome = await self.app.call(tool, arguments)
        if not self.dry_run and (code := outcome.facts.get("confirmation")):
            return await self.app.call(tool, arguments | {"confirmation": code})
        return outcome

    def _arguments(self, ready: list[tuple[Row, dict[str, Any]]]) -> dict[str, Any]:
        rows = [arguments for _, arguments in ready]
        return {"rows": rows, **self.options} | ({"dry_run": True} if self.dry_run else {})

    def _ends(self, outcome: Outcome) -> dict[int, tuple[OperationEnd, str]]:
        """Return how the rows of a call ended that were not accepted, by their place in it."""
        name = outcome.facts.get("results") or (outcome.facts.get("checked") or {}).get("results")
        if name is None:
            if outcome.error:
                raise Interrupted(outcome.error, unknown=outcome.facts["outcome"] == "unknown")
            return {}
        found = next(iter(self.app.workspaces.values())) if len(self.app.workspaces) == 1 else None
        guard = found.guard if found else self.app.workspaces[self.options["workspace"]].guard
        kept = guard.supplies.results.of(OWNER.name).read(name) or []
        return {one.row - 1: (OperationEnd(one.outcome), "; ".join(one.reasons)) for one in kept}

    def _count(self, part: list[Row], rejected: list[Reject]) -> None:
        self.progress.rows += len(part)
        self.progress.refused += len(rejected)
        self.progress.accepted = self.progress.rows - self.progress.refused - self.progress.repeated
        self.reasons.update(why for _, why in rejected)
        _shorten(self.reasons)
        _shorten(self.odd)
        if not self.dry_run:
            self.progress.rejects = self.rejects.add(rejected)
            self.journal.ends(replace(self.progress))


def _shorten(told: Counter[str]) -> None:
    """Leave the texts that most rows have: a large file can have any number of them."""
    if len(told) > TEXTS:
        rare = told.most_common()[FREQUENT:]
        for text, _ in rare:
            del told[text]
        told[OTHERS] += sum(count for _, count in rare)


def _by_line(text: str, ready: list[tuple[Row, dict[str, Any]]]) -> str:
    """Return what a call says of its rows with their numbers in the file."""

    def named(found: re.Match[str]) -> str:
        return re.sub(r"\d+", lambda number: str(ready[int(number[0]) - 1][0].number), found[0])

    return _ROWS.sub(named, text)


def _is_json(values: list[dict[str, Any]]) -> bool:
    try:
        size_of(values)
    except ValueError:
        return False
    return True


def _check(row: Row, arguments: dict[str, Any]) -> None:
    """Raise ValueError for a row that holds what was not of the file's encoding, or what JSON cannot hold."""
    try:
        to_json(row.values)
    except ValueError:
        texts = [part for cell in row.values.items() for part in cell if isinstance(part, str)]
        try:
            "".join(texts).encode()
        except UnicodeEncodeError:
            message = "is not in the file's encoding"
            raise ValueError(message) from None
    for value in arguments.values():
        if isinstance(value, (dict, list)) or (isinstance(value, float) and not math.isfinite(value)):
            size_of(value)
