"""Carrying a plan out: waves of batches, progress, and the answer."""

import asyncio
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from typing import Any

from cio_mcp.client import TrackApi, now
from cio_mcp.client.batches import BATCH, NOT_SENT, BatchResult, OperationEnd, OperationResult, send_batch
from cio_mcp.client.call import Call, QueuePlace, RequestKind, WouldSend
from cio_mcp.errors import CustomerIOError, InvalidArgument, Refused, UnknownOutcome
from cio_mcp.toolkit.answers.shapes import CheckedRows
from cio_mcp.toolkit.rows.checks import Oddity, Plan, RowOperation
from cio_mcp.toolkit.rows.outcomes import WHOLE, ManyAccepted, RowEnd, by_reason
from cio_mcp.toolkit.rows.ranges import of_rows, ranges, word_for
from cio_mcp.toolkit.rows.results import Results

AGAIN = "Calling again with the same rows is safe: what was accepted counts once."

NOTHING = "Nothing: every row is refused."

# So many operations are shown of a call that is not made yet, and notes told of one that is.
SHOWN, NOTES = 2, 3

# Seconds between two reports of progress.
TELL_EVERY = 1.0


async def carry_out(track: TrackApi, results: Results, plan: Plan) -> ManyAccepted:
    """Send what is planned; returns what became of each row.

    Raises InvalidArgument if no row can be sent, and the error of all rows if none was accepted.
    """
    refused = sorted(
        (RowEnd(row, OperationEnd.REFUSED, reasons) for row, reasons in plan.refused),
        key=lambda end: end.row.number,
    )
    odd = [*_kept_as_they_were(plan, results), *plan.odd]
    wrong = None if plan.operations else _nothing_right(plan, refused)
    if wrong:
        wrong.results = results.keep(refused, preview=track.call.dry_run)
        if not track.call.dry_run:
            raise wrong
    progress = _Progress(track.call, len(plan.operations))
    ends: dict[int, OperationResult] = {}
    stopped: CustomerIOError | None = None
    waves: defaultdict[int, list[RowOperation]] = defaultdict(list)
    for planned in plan.operations:
        waves[planned.wave].append(planned)
    try:
        for number in sorted(waves):
            if not stopped:
                sent = await _wave(track, waves[number], number, len(waves), progress)
                stopped = sent.stopped
                ends |= {id(one): end for one, end in zip(waves[number], sent.ends, strict=True)}
        if wrong:
            await track.post(BATCH, {"batch": []}, kind=RequestKind.REPEATABLE)
    except WouldSend as would:
        would.whole = replace(would.request, body={"batch": [one.operation for one in plan.operations]})
        would.would, would.instead = NOTHING if wrong else plan.would, wrong
        would.checked = lambda: _checked(plan, refused, odd, results)
        raise
    remembers = plan.by_unique and results.remembers
    for planned in plan.operations:
        end = ends.get(id(planned), NOT_SENT)
        if remembers and end.end in {OperationEnd.ACCEPTED, OperationEnd.UNKNOWN}:
            results.remember(planned.operation)
        if end.end is not OperationEnd.ACCEPTED:
            refused += [RowEnd(row, end.end, (end.reason,) if end.reason else ()) for row in planned.rows]
    return _answer(plan, sorted(refused, key=lambda end: end.row.number), odd, stopped, results)


async def _wave(
    track: TrackApi, planned: list[RowOperation], number: int, waves: int, progress: "_Progress"
) -> BatchResult:
    """Send the operations of one wave; where there are several, each second has one, and its time is told.

    Customer.io orders updates of a person by whole seconds; those of an object have no time.
    """
    call = track.call
    if number:
        second = call.called_at + now() - call.begun
        await asyncio.sleep(1 - second % 1)
    at = int(call.called_at + now() - call.begun)
    stamp = {"timestamp": at} if waves > 1 and planned[0].operation["type"] == "person" else {}
    operations = [one.operation | stamp if stamp else one.operation for one in planned]
    sent = await send_batch(track, operations, progress.tell, [one.size for one in planned])
    progress.before += len(planned)
    return sent


@dataclass
class _Progress:
    call: Call
    operations: int
    before: int = 0

    async def tell(self, done: int) -> None:
        """Report how far the call is, every second."""
        if self.call.tell is None or now() < self.call.told + TELL_EVERY:
            return
        self.call.told = now()
        elapsed, done = now() - self.call.begun, self.before + done
        to_go = elapsed * (self.operations - done) / max(done, 1)
        what = f"{done} of {self.operations} rows sent"
        await self.call.tell(QueuePlace(elapsed, 0, to_go, what))


def _kept_as_they_were(plan: Plan, results: Results) -> list[Oddity]:
    """Return a note on events that an earlier call sent with other values, as far as that is known here."""
    operations = plan.operations if plan.by_unique and results.remembers else ()
    if rows := [one.rows[0].number for one in operations if results.differs(one.operation)]:
        told = "is an event that was" if len(rows) == 1 else "are events that were"
        why = "sent before with other values: those stay, since what is in unique is the same"
        return [Oddity(f"{of_rows(rows)} {told} {why}", rows)]
    return []


def _nothing_right(plan: Plan, refused: list[RowEnd]) -> InvalidArgument:
    """Return the error of a call of which no row can be sent."""
    told = [f"{word_for(one.count)} {one.rows}: {one.reason}" for one in by_reason(refused)]
    return InvalidArgument(*told, *([plan.numbered] if plan.numbered else []))


def _checked(
    plan: Plan, refused: list[RowEnd], odd: list[Oddity], results: Results
) -> tuple[CheckedRows, dict[str, Any]]:
    """Return what is told of rows before they are sent, and of the first request the oddest of them."""
    odd = [*odd, *plan.look(plan)]
    steps = []
    if refused:
        steps.append("The refused rows are not sent: correct them, or go on without them.")
    if any(one.rows for one in odd):
        steps.append("Look at odd: it names what looks like a mistake.")
    checked = CheckedRows(
        rows=plan.rows,
        operations=len(plan.operations),
        repeated=len(plan.repeated) or None,
        refused=len(refused) or None,
        refusals=by_reason(refused) or None,
        results=results.keep(refused, preview=True) if refused else None,
        odd=[*(one.told for one in odd), *plan.notes] or None,
        numbered=plan.numbered,
        next=" ".join([*steps, *plan.hints]) or None,
    )
    return checked, {"batch": _sample(plan, odd)}


def _sample(plan: Plan, odd: list[Oddity]) -> list[Any]:
    """Return the operations to show, those first that are odd, and how many more there are."""
    by_row = {row.number: one for one in plan.operations for row in one.rows}
    oddest = [by_row[number] for one in odd for number in one.rows[:1] if number in by_row]
    shown = list({id(one): one.operation for one in [*oddest, *plan.operations[:SHOWN]]}.values())[:SHOWN]
    more = len(plan.operations) - len(shown)
    return [*shown, *([f"… and {more} more"] if more else [])]


def _answer(
    plan: Plan, ends: list[RowEnd], odd: list[Oddity], stopped: CustomerIOError | None, results: Results
) -> ManyAccepted:
    counts = Counter(end.end for end in ends)
    accepted = plan.rows - len(ends) - len(plan.repeated)
    if accepted <= 0:
        error = _failure(ends, stopped)
        error.results = results.keep(ends)
        raise error
    refused = [end for end in ends if end.end is OperationEnd.REFUSED]
    told = [end.told() for end in refused[:WHOLE]]
    return ManyAccepted(
        outcome="partly_accepted" if ends else "accepted",
        rows=plan.rows,
        accepted=accepted,
        repeated=len(plan.repeated) or None,
        refused=counts[OperationEnd.REFUSED] or None,
        unknown=counts[OperationEnd.UNKNOWN] or None,
        not_sent=counts[OperationEnd.NOT_SENT] or None,
        refusals=by_reason(refused) or None,
        first=told or None,
        results=results.keep(ends) if ends else None,
        numbered=plan.numbered if ends or odd else None,
        next=_next(ends, stopped, plan.then),
        notes=[*plan.notes, *(one.told for one in odd[:NOTES])] or None,
    )


def _failure(ends: list[RowEnd], stopped: CustomerIOError | None) -> CustomerIOError:
    """Return the error of a call of which nothing was accepted: what is unknown comes first."""
    if lost := [end for end in ends if end.end is OperationEnd.UNKNOWN]:
        return UnknownOutcome(
            f"Unknown outcome of {len(lost)} of {len(ends)} rows: {lost[0].reasons[0]}",
            do=AGAIN,
            retryable=True,
        )
    if stopped:
        return stopped
    reasons = "; ".join(f"{one.reason} ({word_for(one.count)} {one.rows})" for one in by_reason(ends))
    return Refused(f"All {len(ends)} rows were refused: {reasons}.", do="Correct them and call again.")


def _next(ends: list[RowEnd], stopped: CustomerIOError | None, then: str) -> str | None:
    """Return what to do about rows that were not accepted, and `then` how to see what became of the others.

    All rows are sent again: what a row is depends on the others, such as the type of a column and the ids of
    equal events.
    """
    steps = []
    if again := [end.row.number for end in ends if end.end is not OperationEnd.REFUSED]:
        why = f"{stopped} " if stopped else ""
        rows = f"{word_for(len(again), 'Row')} {ranges(again)}"
        steps.append(f"{why}{rows} may be missing. Call again with all: what was accepted counts once.")
    if any(end.end is OperationEnd.REFUSED for end in ends):
        steps.append("Correct the refused rows and call again with them alone.")
    return " ".join(filter(None, [*steps, then])) or None
