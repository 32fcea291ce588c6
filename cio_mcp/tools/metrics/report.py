"""The report: how all that sends messages did in some days, against the days before."""

import json
from typing import Annotated

from pydantic import Field

from cio_mcp.client import AppApi
from cio_mcp.errors import InvalidArgument
from cio_mcp.toolkit.answers.pages import joined
from cio_mcp.toolkit.answers.shapes import Cut, Pictured, Shape
from cio_mcp.toolkit.arguments.types import NameContains, Number
from cio_mcp.toolkit.metrics.figures import (
    LOOKS,
    MEASURES,
    SHARES_OF,
    Figures,
    ShareDifference,
    share,
    share_differences,
    shares_together,
)
from cio_mcp.toolkit.metrics.rates import Spanned
from cio_mcp.toolkit.metrics.spans import days_before
from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.tools.metrics.sources import LISTS, Sender, read_results, senders_of

tools = Toolbox(__name__)

# Days in a report: twice as many and today are one read of Customer.io's, which tells at most 45.
FEWEST, USUAL, MOST = 1, 7, 22

# Sources that one report reads; bytes of one, unless details are asked for, and of saying what is left out.
READ, BYTES, TOLD = 200, 2900, 100

# Changes, and sources that sent nothing, that are told.
CHANGES, SILENT = 8, 6

# A source that sent so many before is missed if it sends nothing.
MISSED = 20

# What was delivered and tells nothing of opens, or of clicks: these are no share of it.
UNTRACKED = {"open_untracked": "opened", "link_untracked": "clicked"}

COLUMNS = ("sent", *MEASURES, *UNTRACKED)

HOW = (
    "changed: shares that differ by more than chance explains in 19 of 20 such reports, and running "
    f"campaigns or transactional messages that sent nothing after {MISSED} or more; no other volumes. Empty: "
    "nothing did",
    f"rates: in the order of columns, from {COLUMNS[1]} on; {SHARES_OF}. human_: by "
    "people, not programs; -: not told",
    "days: Eastern, Customer.io's only zone for all of this; get_campaign_metrics counts the same with "
    "timezone=America/New_York",
)


class Line(Shape):
    """What came of one source's messages."""

    source: str
    counts: str = Field(description="In the order of columns; - means not reported.")
    before: str = Field(description="The same for the days before.")
    rates: str | None = Field(None, description="In the order of columns without sent.")
    rates_before: str | None = None


class Report(Pictured, Cut, Spanned):
    """How all that sends did, most sent first."""

    before_start: str = Field(description="The days before begin; they end at start.")
    changed: list[str] = Field(description="What changed more than chance explains, worst first.")
    how: list[str] = Field(description="How changes, rates and days are meant.")
    rates: dict[str, str] = Field(description="Over all sources that report it.")
    rates_before: dict[str, str]
    columns: list[str]
    lines: list[Line]
    nothing_sent_in_either: list[str] | None = Field(
        None, description="Sources that sent nothing in these days, nor in those before."
    )


@tools.reads
async def report_workspace(
    app: AppApi,
    days: Annotated[Number, Field(description="1 to 22, ending yesterday.")] = USUAL,
    name_contains: NameContains | None = None,
) -> Report:
    """Report how all messages did in recent days, against those before: changes, counts, rates.

    With name_contains: only those messages, in full.
    """
    if not FEWEST <= days <= MOST:
        raise InvalidArgument(
            f"days: must be {FEWEST} to {MOST}: a report compares them with as many days before, and "
            "Customer.io tells at most 45 in all. For 30 days use get_campaign_metrics, or "
            "get_message_metrics with periods=30"
        )
    span, before = days_before(app, days), days_before(app, 2 * days)
    listed, unread = await senders_of(app, name_contains)
    asked = [one for one in listed if not one.waits]
    senders, refused = await read_results(app, asked[:READ], days, before)
    if asked and not senders:
        raise refused[0]
    unread += list(dict.fromkeys(f"results: {error.what}" for error in refused))
    if len(asked) > READ:
        unread.append(f"{len(asked) - READ} sources; give name_contains")
    active = [one for one in senders if not one.is_silent]
    silent = [one for one in senders if one.is_silent] + [one for one in listed if one.waits]
    active.sort(key=lambda one: -one.now.counts.get("sent", 0))
    report = Report(
        **span.told,
        before_start=before.told["start"],
        changed=_changes(active),
        how=list(HOW),
        rates=shares_together([one.now for one in active]),
        rates_before=shares_together([one.before for one in active]),
        columns=list(COLUMNS),
        lines=[_line(one, details=name_contains is not None) for one in active],
        nothing_sent_in_either=_silent(silent, len(silent) if name_contains else SILENT) or None,
        left_out=joined(*unread),
    )
    return report if name_contains else _brief(report)


def _changes(senders: list[Sender]) -> list[str]:
    """Return what changed more than chance explains, in words, the worst first."""
    looks = len(senders) * LOOKS
    found: list[tuple[Sender, ShareDifference]] = [
        (one, each) for one in senders for each in share_differences(one.now, one.before, looks)
    ]
    found.sort(key=lambda change: (not change[1].worse, -change[1].people))
    silent = [
        f"{one.called}: sent nothing, before {one.before.counts['sent']:,}"
        for one in senders
        if one.state in {"running", None}
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
        before=_counts(one.before),
        rates=_rates(one.now, details=details),
        rates_before=_rates(one.before, details=details),
    )


def _rates(figures: Figures, *, details: bool) -> str | None:
    """Return the shares in the order of the columns, with what each is of if details are asked for."""
    if not any(figures.of.values()):
        return None
    if details:
        return ", ".join(figures.shares.get(name, "-") for name in MEASURES)
    of = figures.of
    return " ".join(share(figures.counts[name], of[name]) if of.get(name) else "-" for name in MEASURES)


def _silent(senders: list[Sender], most: int) -> list[str]:
    """Return who sent nothing, campaigns first."""
    senders = sorted(senders, key=lambda one: list(LISTS).index(one.kind))
    told = [f"{one.called} ({one.state})" if one.state else one.called for one in senders[:most]]
    if rest := senders[most:]:
        kinds = joined(*dict.fromkeys(one.kind for one in rest))
        told.append(f"{len(rest)} more ({kinds}); give name_contains")
    return told


def _counts(figures: Figures) -> str:
    delivered = figures.counts.get("delivered", 0)
    untracked = {name: delivered - figures.of[of] for name, of in UNTRACKED.items() if of in figures.of}
    return " ".join(str((figures.counts | untracked).get(name, "-")) for name in COLUMNS)


def _brief(report: Report) -> Report:
    """Leave out the rates, and then all of the lines, of what sent least, until a report is short."""
    size = _size(report)
    size += TOLD if size > BYTES else 0
    without = 0
    for line in reversed(report.lines):
        if size > BYTES and (line.rates or line.rates_before):
            size -= _size(line)
            line.rates = line.rates_before = None
            size += _size(line)
            without += 1
    if without:
        told = f"rates of the last {without} of {len(report.lines)} lines; give name_contains"
        report.left_out = joined(told, report.left_out)
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
