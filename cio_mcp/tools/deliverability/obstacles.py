"""What keeps a message from being sent to a customer at all: about them, their address, and its source."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from cio_mcp.toolkit.answers.reading import Fields
from cio_mcp.toolkit.answers.things import source_state
from cio_mcp.tools.deliverability.case import Case
from cio_mcp.tools.deliverability.cause import (
    AGENT,
    CORRECTOR,
    CUSTOMER,
    DEVELOPER,
    EITHER,
    PERSON,
    Cause,
    Certainty,
    Read,
)
from cio_mcp.tools.deliverability.failures import CORRECT, RESUBSCRIBE, SPAM
from cio_mcp.tools.deliverability.source import MessageSource

# Types of actions that are messages, and what the API calls their channel where people opt out of it.
MESSAGES = {"email", "twilio", "push", "whatsapp", "in_app", "slack", "webhook", "inbox"}
OPT_OUTS = {"twilio": "sms", "whatsapp": "whatsapp"}

# Seconds for which the log of activities keeps them.
LOGGED = 30 * 86_400

Causes = Iterator[Cause]


def obstacles(case: Case) -> list[Cause]:
    """Return all that stands in the way of the message, the likeliest cause first."""
    return [replace(cause, read=cause.read or tuple(read)) for look, *read in LOOKS for cause in look(case)]


def _state(case: Case) -> Causes:
    source = case.source
    if source is None or source.kind == "transactional":
        return
    if source.kind == "newsletter":
        if source.item.empty("sent_at"):
            verdict = f"{source.called} has not been sent: it is a draft, or scheduled for later"
            yield Cause(
                "not_sent", verdict, "certain", "Send it in Customer.io, or with send_newsletter.", EITHER
            )
    elif (state := source_state(source.item)) not in {None, "running"} and not str(state).isdecimal():
        verdict = f"{source.called} is not running: its state is {state}"
        yield Cause("not_running", verdict, "certain", "Start it, if it is meant to run.", PERSON)


def _runs(case: Case) -> Causes:
    source, runs = case.source, case.runs
    if source is None or runs is None or not all(run.raw for run in runs):
        return
    if not runs:
        verdict = f"{source.called} was never triggered"
        yield Cause("never_triggered", verdict, "certain", "Trigger it with trigger_broadcast.", AGENT)
    elif case.run_errors:
        error = case.run_errors[0]
        verdict = f"The run of {source.called}{_when(runs[0])} failed as a whole, for everybody: {error}"
        do = "Correct the audience, or skip unknown people with id_ignore_missing, and trigger it again."
        yield Cause("run_failed", verdict, "certain", do, AGENT, ("runs", "run errors"))
    elif runs[0].empty("processed_at"):
        verdict = f"The run of {source.called}{_when(runs[0])} is not processed yet"
        yield Cause("run_in_progress", verdict, "certain", "Wait, and ask again.", AGENT)


def _joined(case: Case) -> Causes:
    source, created = case.source, case.attributes
    if source is None:
        return
    run = next(iter(case.runs or []), Fields(None))
    at, field = (source.item, "sent_at") if source.kind == "newsletter" else (run, "created_at")
    sent, joined = at.seconds(field), created.seconds("created_at")
    if sent and joined and sent < joined:
        verdict = f"{source.called} went out {at.time(field)}, before the customer was created "
        do = "Nothing is wrong; send it to them on their own, if it is still wanted."
        read: tuple[Read, ...] = ("profile", "source" if source.kind == "newsletter" else "runs")
        yield Cause("joined_later", verdict + str(created.time("created_at")), "inferred", do, PERSON, read)


def _unsubscribed(case: Case) -> Causes:
    source = case.source
    sends_anyway = source and source.kind == "transactional" and source.item.flag("send_to_unsubscribed")
    if case.unsubscribed and not sends_anyway:
        verdict = "The customer is unsubscribed from everything"
        yield Cause("unsubscribed", verdict, "certain", RESUBSCRIBE, CUSTOMER, (case.consent_of,))


def _topic(case: Case) -> Causes:
    topic = case.source.item.whole("subscription_topic_id") if case.source else None
    for one in case.topics or []:
        if topic is not None and one.whole("id") == topic and one.flag("subscribed") is False:
            verdict = (
                f"The customer is not subscribed to the topic {one.text('name') or topic} of the message"
            )
            yield Cause("unsubscribed_from_topic", verdict, "certain", RESUBSCRIBE, CUSTOMER)


def _event(case: Case) -> Causes:
    source = case.source
    event = source.item.text("event_name") if source else None
    # The log has the last 30 days.
    too_old = case.expected is not None and case.now - case.expected > LOGGED
    if source is None or event is None or case.events is None or too_old:
        return
    if case.events:
        happened, started = case.events[0].seconds("timestamp"), source.item.seconds("first_started")
        if happened and started and happened < started:
            verdict = (
                f"{event} happened {case.events[0].time('timestamp')}, before {source.called} was started"
            )
            yield Cause(
                "started_later", verdict, "inferred", "Track the event again, if it is still true.", AGENT
            )
        return
    dropped = [one for one in [*(case.rejected or []), *(case.dropped or [])] if one.name == event]
    if dropped:
        why = f": {dropped[0].reason}" if dropped[0].reason else ""
        when = f" {dropped[0].time}" if dropped[0].time else ""
        verdict = f"The event {event}, which starts {source.called}, was rejected{when}{why}"
        do = "Correct the event's identifier or data, and track it again."
        yield Cause("event_rejected", verdict, "certain", do, DEVELOPER)
        return
    verdict = f"The event {event}, which starts {source.called}, did not arrive in the last 30 days"
    do = "Check that the application sends it for this customer; older events are not in the log."
    yield Cause("event_missing", verdict, "certain", do, DEVELOPER)


def _segments(case: Case) -> Causes:
    source, inside = case.source, case.segments
    if source is None or inside is None:
        return
    starts = _ids(source.item, "trigger_segment_ids")
    lacks = [number for number in source.item.wholes("filter_segment_ids") or [] if number not in inside]
    do = "Compare the segment's conditions (get_segment) with the customer's attributes (get_customer)."
    if starts and not inside & set(starts):
        verdict = f"The customer is not in segment {_numbers(starts)}, which starts {source.called}"
        yield Cause("condition_not_met", verdict, "certain", do, EITHER)
    elif lacks:
        verdict = f"The customer is not in segment {_numbers(lacks)}, which {source.called} is limited to"
        yield Cause("condition_not_met", verdict, "certain", do, EITHER)
    names = _ids(source.item, "recipient_segment_ids")
    if names and not inside & set(names):
        verdict = f"The customer is in none of the segments that {source.called} names: {_numbers(names)}"
        yield Cause("not_in_audience", verdict, "inferred", do, EITHER)


def _sending(case: Case) -> Causes:
    messages = [one for one in case.actions or [] if one.text("type") in MESSAGES]
    for state, words in (("off", "is switched off"), ("draft", "only queues drafts")):
        found = [one for one in messages if one.text("sending_state") == state]
        if found and case.source:
            # Of some only the first pages were looked at, or their type is not told.
            every = len(found) == len(messages) and not any(
                what.startswith("actions") for what in case.unread
            )
            every = every and all(one.text("type") for one in case.actions or [])
            which = (
                "Sending of every message" if every else f"Sending of {found[0].text('name') or 'a message'}"
            )
            verdict = f"{which} of {case.source.called} {words}"
            certainty: Certainty = "certain" if every else "inferred"
            yield Cause(f"sending_{state}", verdict, certainty, "Switch it to automatic.", PERSON)


def _channel(case: Case) -> Causes:
    channels = _channels(case)
    for type_, channel in OPT_OUTS.items():
        found = [one for one in case.opt_outs or [] if one.channel == channel]
        # An opt-out from one channel keeps no message of another back.
        if found and (channels or {case.channel or type_}) == {type_}:
            verdict = f"The customer has opted out of {channel} from {found[0].sender or 'any sender'}"
            do = "Only the customer can opt in again."
            yield Cause("opted_out", verdict, "certain", do, CUSTOMER, ("opt-outs",))
    if case.profile is None or len(channels) != 1:
        return
    lacks = {
        "email": "email address" if case.without_email else None,
        "twilio": None if case.attributes.raw.get("phone") else "attribute phone",
        "push": "device" if case.profile.objects("devices") == [] else None,
    }
    for channel in channels:
        if lack := lacks.get(channel):
            certainty: Certainty = "inferred" if channel == "twilio" else "certain"
            verdict = f"The customer has no {lack}"
            yield Cause("no_address", verdict, certainty, "Set it, once it is known.", AGENT)


def _address(case: Case) -> Causes:
    if _channels(case) <= {"email"} and (one := case.suppressed()):
        why, since = f": {one.reason}" if one.reason else "", f" since {one.since}" if one.since else ""
        verdict = f"The mail service suppresses {one.email}{since} ({one.category}){why}"
        if "spam" in (one.category or ""):
            yield Cause("spam_report", verdict, "certain", SPAM, CUSTOMER)
        else:
            yield Cause("address_suppressed", verdict, "certain", CORRECT, CORRECTOR)


def _template(case: Case) -> Causes:
    source: MessageSource | None = case.source
    if source and source.kind == "transactional" and case.none_made:
        verdict = f"Nothing of {source.called} was sent to this customer"
        do = "Check that the application makes the send, with this customer's identifiers and address."
        yield Cause("never_sent", verdict, "certain", do, DEVELOPER)


def _channels(case: Case) -> set[str]:
    """Return the channels that the message can come by; none if they are not known."""
    if case.source and case.source.kind == "campaign":
        return {type_ for one in case.actions or [] if (type_ := one.text("type")) in MESSAGES}
    type_ = case.source.item.text("type") if case.source else None
    return {type_} if type_ in MESSAGES else set()


def _ids(item: Fields, name: str) -> list[int]:
    """Return the ids in a list, if all of them can be read: whoever is in none of them is in none."""
    found, told = item.wholes(name) or [], item.raw.get(name)
    return found if isinstance(told, list) and len(told) == len(found) else []


def _numbers(numbers: list[int]) -> str:
    return " or ".join(map(str, numbers))


def _when(run: Fields) -> str:
    return f" {at}" if (at := run.time("created_at")) else ""


# Each way to look, and what it reads.
LOOKS: tuple[tuple[Callable[[Case], Causes], *tuple[Read, ...]], ...] = (
    (_state, "source"),
    (_template, "messages"),
    (_runs, "runs"),
    (_joined, "profile"),
    (_unsubscribed,),
    (_topic, "source", "subscriptions"),
    (_event, "source", "log"),
    (_segments, "source", "segments"),
    (_sending, "actions"),
    (_channel, "profile"),
    (_address, "suppressed addresses"),
)
