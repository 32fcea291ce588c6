"""The evidence: what Customer.io said that the verdict rests on, with times."""

from collections.abc import Iterator

from pydantic import Field

from cio_mcp.toolkit.answers.deliveries import reached
from cio_mcp.toolkit.answers.reading import Fields
from cio_mcp.toolkit.answers.things import source_state as running_state
from cio_mcp.tools.deliverability.case import Case, delivery_state
from cio_mcp.tools.deliverability.cause import Cause, Read, Statement
from cio_mcp.tools.deliverability.failures import delivery_words, inside
from cio_mcp.tools.deliverability.obstacles import OPT_OUTS

# Of each sort of evidence.
SHOWN = 3


class Fact(Statement):
    """Something that Customer.io said."""

    time: str | None = Field(None, description="When it happened; absent for what holds now.")


def evidence(case: Case, cause: Cause, others: list[Cause]) -> list[Fact]:
    """Return what was read, in brief: what holds now, and then what happened, the newest last.

    Beside a message whose fate is certain, only what bears on it.
    """
    facts = [*_holds(case), *sorted(_happened(case), key=lambda fact: fact.time or "")]
    if cause.certainty != "certain" or not (case.asked or case.matching):
        return facts
    bearing = {"source", *(read for each in (cause, *others) for read in each.read)}
    bearing |= {case.consent_of} if case.unsubscribed else set()
    return [fact for fact in facts if bearing & set(fact.read_from)]


def of_other_channels(case: Case) -> list[str]:
    """Return, where no channel is asked for, which is answered for, and in brief what is known of others."""
    if not case.any_channel or case.channel is None:
        return []
    newest: dict[str, Fields] = {}
    for item in case.matching:
        newest.setdefault(item.text("type") or "", item)
    others = {type_: item for type_, item in newest.items() if type_ not in {"", case.channel}}
    told = [inside(" ".join(filter(None, _became(case, item)))) for item in others.values()]
    told += [
        f"opted out of {one.channel} from {one.sender or 'any sender'}"
        for one in (case.opt_outs or [])[:SHOWN]
        if one.channel and one.channel != OPT_OUTS.get(case.channel)
    ]
    channel = OPT_OUTS.get(case.channel, case.channel)
    return [f"kind: not given, so this is about {channel}. Of others: {'; '.join(told)}"] if told else []


def _holds(case: Case) -> Iterator[Fact]:
    def holds(what: str, read: Read, time: str | None = None) -> Fact:
        return Fact(what=what, read_from=[read], time=time)

    if case.missing:
        yield holds(case.nobody, "profile")
    if case.unsubscribed is not None:
        what = "unsubscribed from everything" if case.unsubscribed else "not unsubscribed"
        yield holds(what, case.consent_of, case.unsubscribed_at)
    if off := [
        topic.text("name") or "one without a name" for topic in case.topics or [] if _is_off(case, topic)
    ]:
        yield holds(f"not subscribed to: {', '.join(off)}", "subscriptions")
    if case.without_email:
        yield holds("no email address", "profile")
    for opt_out in (case.opt_outs or [])[:SHOWN]:
        if opt_out.channel:
            yield holds(f"opted out of {opt_out.channel} from {opt_out.sender or 'any sender'}", "opt-outs")
    if case.suppressions == []:
        yield holds("the mail service does not suppress the address", "suppressed addresses")
    if source := case.source:
        words = (source.called, running_state(source.item) or source.item.time("sent_at"))
        yield holds(" ".join(filter(None, words)), "source")
    if case.none_made:
        of = f"of {case.source.called} " if case.source else ""
        yield holds(f"no message {of}was made in the time looked at", "messages")


def _is_off(case: Case, topic: Fields) -> bool:
    """Say whether a topic is off that the message belongs to, or can: only newsletters tell theirs."""
    source = case.source
    of = source.item.whole("subscription_topic_id") if source else None
    can = of == topic.whole("id") if of else source is None or source.kind in {"campaign", "broadcast"}
    return can and topic.flag("subscribed") is False


def _happened(case: Case) -> Iterator[Fact]:
    for item in [case.asked] if case.asked else case.matching[:SHOWN]:
        what, at = _became(case, item)
        yield Fact(what=what, read_from=["message" if case.asked else "messages"], time=at)
    for one in (case.suppressions or [])[:SHOWN]:
        if one.email and one.category:
            what = f"{one.email} suppressed ({one.category}): {one.reason or 'no reason'}"
            yield Fact(what=what, read_from=["suppressed addresses"], time=one.since)
    for write in (case.rejected or [])[:SHOWN]:
        what = " ".join(filter(None, (write.type or "dropped write", write.name)))
        by = f" ({', '.join(named)})" if (named := case.others_in(write.data)) else ""
        yield Fact(what=f"{what}: {write.reason or 'no reason'}{by}", read_from=["log"], time=write.time)
    for log in (case.gone or [])[:SHOWN]:
        yield _of(log, log.text("type") or "change", "log", "timestamp")
    for event in (case.events or [])[:1]:
        yield _of(event, f"event {event.text('name') or 'without a name'}", "log", "timestamp")
    for run in (case.runs or [])[:1]:
        yield _of(run, "run of the broadcast", "runs", "created_at")
    for error in (case.run_errors or [])[:SHOWN]:
        yield Fact(what=f"error of the run: {error}", read_from=["run errors"])


def _became(case: Case, item: Fields) -> tuple[str, str | None]:
    """Return what became of a delivery, and when."""
    state = delivery_state(item)
    why = f": {failure}" if (failure := item.text("failure_message")) else ""
    what = f"{delivery_words(case, item)}: {state or 'no state'}{why}"
    return what, reached(item).get(state or "") or item.time("created")


def _of(item: Fields, what: str, read: Read, time: str) -> Fact:
    return Fact(what=what, read_from=[read], time=item.time(time))
