"""The report: how all that sends messages did in some days, against the days before."""

import asyncio
import json
from dataclasses import dataclass, field, replace
from typing import Annotated

from pydantic import Field

from cio_mcp.client import AppApi, now
from cio_mcp.client.call import Place
from cio_mcp.errors import CustomerIOError, InvalidArgument
from cio_mcp.toolkit.answers import Cut, Pictured, Shape
from cio_mcp.toolkit.figures import MEASURES, Difference, Figures, differences, figures_of, together
from cio_mcp.toolkit.pages import joined
from cio_mcp.toolkit.params import NameContains, Number
from cio_mcp.toolkit.rates import Spanned, counts_of
from cio_mcp.toolkit.reading import Fields, unusable
from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.toolkit.spans import Span, days_before
from cio_mcp.toolkit.things import has_in_name, state_of

tools = Toolbox(__name__)

# Days in a report: twice as many and today are one read of Customer.io's, which tells at most 45.
FEWEST, USUAL, MOST = 1, 7, 22

# Sources that one report reads; bytes of one, unless details are asked for; changes in it; letters of a name.
READ, BYTES, CHANGES, NAME = 200, 2900, 8, 60

# A source that sent so many before is missed if it sends nothing.
MISSED = 20

# What was delivered and tells nothing of opens, or of clicks: these are no share of it.
UNTRACKED = {"open_untracked": "opened", "link_untracked": "clicked"}

COLUMNS = ("sent", *MEASURES, *UNTRACKED)

LISTS = {
    "campaign": ("/v1/campaigns", "campaigns"),
    "broadcast": ("/v1/broadcasts", "broadcasts"),
    "newsletter": ("/v1/newsletters", "newsletters"),
    "transactional": ("/v1/transactional", "messages"),
}


class Line(Shape):
    """What came of one source's messages."""

    source: str
    counts: str = Field(description="In the order of columns; -: not told.")
    before: str | None = Field(None, description="The same of the days before.")
    rates: dict[str, str] | None = Field(None, description="By name only.")
    rates_before: dict[str, str] | None = None


class Report(Pictured, Cut, Spanned):
    """How all that sends did, most sent first."""

    before_start: str = Field(description="The days before begin; they end at start.")
    changed: list[str] = Field(
        description="What changed more than chance explains, worst first; at most 1 of 20 reports errs."
    )
    rates: dict[str, str] = Field(description="Of all sources.")
    rates_before: dict[str, str]
    columns: list[str]
    lines: list[Line]


@dataclass(frozen=True)
class Sender:
    """Something that sends messages, and what came of them."""

    kind: str
    id: int
    name: str | None
    runs: bool
    now: Figures = field(default_factory=Figures)
    before: Figures = field(default_factory=Figures)

    @property
    def called(self) -> str:
        """Its kind, id and name."""
        return f"{self.kind} {self.id}" + (f": {self.name[:NAME]}" if self.name else "")


@tools.reads
async def report_workspace(
    app: AppApi,
    days: Annotated[Number, Field(description="1 to 22, up to yesterday.")] = USUAL,
    name_contains: NameContains | None = None,
) -> Report:
    """Report how all messages did in some days, against the days before: what changed, and counts.

    name_contains adds details.
    """
    if not FEWEST <= days <= MOST:
        raise InvalidArgument(f"days: must be {FEWEST} to {MOST}")
    span, before = days_before(app, days), days_before(app, 2 * days)
    listed, unread = await _listed(app, name_contains)
    senders, refused = await _read(app, listed[:READ], days, before)
    if listed and not senders:
        raise refused[0]
    unread += list(dict.fromkeys(f"results: {error.what}" for error in refused))
    if len(listed) > READ:
        unread.append(f"{len(listed) - READ} sources; give name_contains")
    active = [one for one in senders if one.now.counts.get("sent") or one.before.counts.get("sent")]
    active.sort(key=lambda one: -one.now.counts.get("sent", 0))
    report = Report(
        **span.told,
        before_start=before.told["start"],
        changed=_changes(active),
        rates=together(one.now for one in active).shares,
        rates_before=together(one.before for one in active).shares,
        columns=list(COLUMNS),
        lines=[_line(one, details=name_contains is not None) for one in active],
        left_out=joined(*unread),
    )
    return report if name_contains else _brief(report)


async def _listed(app: AppApi, part: str | None) -> tuple[list[Sender], list[str]]:
    """Return all that can have sent something, and which lists could not be read."""

    async def of(kind: str) -> list[Sender]:
        path, key = LISTS[kind]
        answer = Fields(await app.get(path, {"limit": 100, "sort": "desc"} if kind == "newsletter" else None))
        return [
            Sender(kind, number, item.text("name"), state_of(item) in {"running", None})
            for item in answer.listed(key)
            if (number := item.whole("id")) is not None
            and has_in_name(item, part)
            and state_of(item) != "draft"
            and not item.empty("sent_at")
        ]

    found = await asyncio.gather(*map(of, LISTS), return_exceptions=True)
    for each in found:
        if isinstance(each, BaseException) and not isinstance(each, CustomerIOError):
            raise each
    if all(isinstance(each, CustomerIOError) for each in found):
        raise next(each for each in found if isinstance(each, CustomerIOError))
    unread = [
        f"{kind}s: {each.what}"
        for kind, each in zip(LISTS, found, strict=True)
        if isinstance(each, CustomerIOError)
    ]
    return [one for each in found if isinstance(each, list) for one in each], unread


async def _read(
    app: AppApi, senders: list[Sender], days: int, before: Span
) -> tuple[list[Sender], list[CustomerIOError]]:
    """Read what each sent, in its turn, and tell the progress."""
    begun, done, refused = now(), 0, []

    async def of(sender: Sender) -> Sender | None:
        nonlocal done
        try:
            return await _results(app, sender, days, before)
        except CustomerIOError as error:
            refused.append(error)
            return None
        finally:
            done += 1
            if app.call.tell:
                elapsed = now() - begun
                to_go = elapsed / done * (len(senders) - done)
                await app.call.tell(Place(elapsed, 0, to_go, f"Read {done} of {len(senders)}"))

    found = await asyncio.gather(*map(of, senders))
    return [one for one in found if one], refused


async def _results(app: AppApi, sender: Sender, days: int, before: Span) -> Sender:
    """Return a source with what it sent in the days and before; both come in one answer, day by day."""
    folder = LISTS[sender.kind][0]
    # All but campaigns tell the days up to now, so that today is one of them.
    query = before.query("days") if sender.kind == "campaign" else {"period": "days", "steps": 2 * days + 1}
    counts = counts_of(Fields(await app.get(f"{folder}/{{source_id}}/metrics", query, source_id=sender.id)))
    end = counts.periods - (sender.kind != "campaign")
    if end < 2 * days:
        raise unusable(f"{sender.kind} {sender.id} has results of {counts.periods} days only")
    middle = end - days
    return replace(
        sender, now=figures_of(counts, middle, end), before=figures_of(counts, middle - days, middle)
    )


def _changes(senders: list[Sender]) -> list[str]:
    """Return what changed more than chance explains, in words, the worst first."""
    looks = len(senders) * len(MEASURES)
    found: list[tuple[Sender, Difference]] = [
        (one, each) for one in senders for each in differences(one.now, one.before, looks)
    ]
    found.sort(key=lambda change: (not change[1].worse, -change[1].people))
    silent = [
        f"{one.called}: sent nothing, before {one.before.counts['sent']:,}"
        for one in senders
        if one.runs
        and one.kind in {"campaign", "transactional"}
        and one.now.counts.get("sent") == 0
        and one.before.counts.get("sent", 0) >= MISSED
    ]
    told = [
        f"{one.called}: {'worse' if each.worse else 'better'}, {each.told('before')}" for one, each in found
    ]
    every = [*silent, *told]
    more = [f"{len(every) - CHANGES} more changes; give name_contains"] if len(every) > CHANGES else []
    return every[:CHANGES] + more


def _line(one: Sender, *, details: bool) -> Line:
    return Line(
        source=one.called,
        counts=_counts(one.now),
        before=_counts(one.before) if one.before.counts.get("sent") else None,
        rates=one.now.shares if details else None,
        rates_before=one.before.shares if details else None,
    )


def _counts(figures: Figures) -> str:
    delivered = figures.counts.get("delivered", 0)
    untracked = {name: delivered - figures.of[of] for name, of in UNTRACKED.items() if of in figures.of}
    return " ".join(str((figures.counts | untracked).get(name, "-")) for name in COLUMNS)


def _brief(report: Report) -> Report:
    """Leave out the lines that sent least, until a report is short."""
    sizes = [_size(line) for line in report.lines]
    size, kept = _size(report) - sum(sizes), 0
    while kept < len(sizes) and (size := size + sizes[kept]) <= BYTES:
        kept += 1
    if kept < len(sizes):
        less = f"{len(sizes) - kept} that sent less; give name_contains"
        report.lines, report.left_out = report.lines[:kept], joined(less, report.left_out)
    return report


def _size(told: Shape) -> int:
    return len(json.dumps(told.model_dump(exclude_none=True), separators=(",", ":")))
