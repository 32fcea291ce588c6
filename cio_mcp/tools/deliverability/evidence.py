"""The evidence: what Customer.io said that the verdict rests on, with times."""

from collections.abc import Iterator

from pydantic import Field

from cio_mcp.toolkit.answers import Shape
from cio_mcp.toolkit.deliveries import reached
from cio_mcp.toolkit.reading import Fields
from cio_mcp.toolkit.things import state_of as running_state
from cio_mcp.tools.deliverability.case import Case, state_of
from cio_mcp.tools.deliverability.failures import told

# Of each sort of evidence.
SHOWN = 3


class Fact(Shape):
    """Something that Customer.io said."""

    what: str
    time: str | None = Field(None, description="When it happened; absent for what holds now.")


def evidence(case: Case) -> list[Fact]:
    """Return what was read, in brief: what holds now, and then what happened, the newest last."""
    happened = sorted(_happened(case), key=lambda fact: fact.time or "")
    return [*(Fact(what=what) for what in _holds(case)), *happened]


def _holds(case: Case) -> Iterator[str]:
    if case.missing:
        yield f"no profile has {case.customer_id} as its {case.id_type}"
    if case.unsubscribed is not None:
        yield "unsubscribed from everything" if case.unsubscribed else "not unsubscribed"
    off = [
        one.text("name") or "one without a name"
        for one in case.topics or []
        if one.flag("subscribed") is False
    ]
    if off:
        yield f"not subscribed to: {', '.join(off)}"
    if case.profile is not None and not case.attributes.text("email"):
        yield "no email address"
    for opt_out in (case.opt_outs or [])[:SHOWN]:
        yield f"opted out of {opt_out.channel} from {opt_out.sender}"
    if case.suppressions == []:
        yield "the mail service does not suppress the address"
    if source := case.source:
        yield " ".join(
            filter(None, (source.called, running_state(source.item) or source.item.time("sent_at")))
        )
    if case.none_made:
        yield f"no message {f'of {case.source.called} ' if case.source else ''}was made in the time looked at"


def _happened(case: Case) -> Iterator[Fact]:
    for item in [case.asked] if case.asked else case.matching[:SHOWN]:
        state = state_of(item)
        why = f": {failure}" if (failure := item.text("failure_message")) else ""
        yield Fact(
            what=f"{told(item)}: {state}{why}", time=reached(item).get(state or "") or item.time("created")
        )
    for one in (case.suppressions or [])[:SHOWN]:
        yield Fact(what=f"{one.email} suppressed ({one.category}): {one.reason}", time=one.since)
    for write in (case.rejected or [])[:SHOWN]:
        yield Fact(what=f"{write.type} {write.name or ''}: {write.reason or 'no reason'}", time=write.time)
    for log in (case.gone or [])[:SHOWN]:
        yield Fact(what=log.text("type") or "change", time=log.time("timestamp"))
    for event in (case.events or [])[:1]:
        yield _of(event, f"event {event.text('name')}", "timestamp")
    for run in (case.runs or [])[:1]:
        yield _of(run, "run of the broadcast", "created_at")
    for error in (case.run_errors or [])[:SHOWN]:
        yield Fact(what=f"error of the run: {error}")


def _of(item: Fields, what: str, time: str) -> Fact:
    return Fact(what=what, time=item.time(time))
