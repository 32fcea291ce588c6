"""What the state of a delivery says about why it did not arrive."""

from dataclasses import replace

from cio_mcp.toolkit.answers.deliveries import reached
from cio_mcp.toolkit.answers.reading import Fields
from cio_mcp.tools.deliverability.case import Case, delivery_state
from cio_mcp.tools.deliverability.cause import (
    AGENT,
    CORRECTOR,
    CUSTOMER,
    DEVELOPER,
    EITHER,
    PERSON,
    Cause,
    Read,
)
from cio_mcp.tools.deliverability.source import sender_of

# States in which the customer has the message.
ARRIVED = {
    *("unsubscribed", "topic_unsubscribed", "converted", "replied", "clicked", "human_clicked"),
    *("machine_clicked", "prefetch_clicked", "opened", "human_opened", "prefetch_opened", "delivered"),
}

RESUBSCRIBE = (
    "Let the customer subscribe again, with create_preference_link; subscribe nobody who did not ask."
)
CORRECT = (
    "Ask the customer for an address that works and set it with identify_customer. Lift the suppression "
    "(delete_suppression) only if the mailbox is known to work again."
)
SPAM = "They reported spam: send them no more. Such a suppression cannot be lifted here."

# What words in Customer.io's reason mean: a word for programs, what to do, and who may do it. The reasons
# are not documented.
REASONS = (
    (("opted out", "opt-out", "opt out"), "opted_out", "Only the customer can opt in again.", CUSTOMER),
    (("unsubscribed",), "unsubscribed", RESUBSCRIBE, CUSTOMER),
    (
        ("suppressed",),
        "suppressed",
        "Find out why they were suppressed; unsuppress_customer lifts it, and only if they ask for it.",
        EITHER,
    ),
    (
        ("liquid", "template", "render", "syntax", "undefined", "variable"),
        "template_error",
        "Correct the template, or give the customer the values that it needs, and send again.",
        PERSON,
    ),
    (
        ("blank", "missing", "no recipient", "no device", "invalid", "not a valid", "malformed"),
        "no_address",
        "Correct the customer's address, number or device with identify_customer or add_device.",
        AGENT,
    ),
    (("limit", "frequency", "capped"), "message_limit", "Wait, or change the limit in the settings.", PERSON),
)

# Undeliverable without a reason (reporting webhooks, "email_undeliverable").
UNTOLD = "a message limit, a newsletter that was cancelled or deleted, or delivery that is switched off"

# Why Customer.io drops a message (reporting webhooks, "email_dropped", "push_dropped", "whatsapp_dropped").
DROPS = {
    "email": "Customer.io drops an email to a suppressed address",
    "push": "Customer.io drops a push message after an earlier one to the device bounced",
    "whatsapp": "Customer.io drops a WhatsApp message to a suppressed recipient",
}


def of_delivery(case: Case, item: Fields) -> Cause:
    """Return what became of a delivery."""
    cause = _of_state(case, item)
    return replace(cause, read=("message" if item is case.asked else "messages", *cause.read))


def _of_state(case: Case, item: Fields) -> Cause:
    state, at = delivery_state(item), reached(item)
    what, when, failure = delivery_words(case, item), _when(at.get(state or "")), item.text("failure_message")
    if state in ARRIVED:
        return _arrived(case, item, f"It was delivered after all: {inside(what)} was {state}{when}")
    match state:
        case "bounced":
            return _bounced(case, item, f"{what} bounced{when}")
        case "dropped" | "suppressed":
            return _dropped(case, item, f"{what} was {state}{when}")
        case "undeliverable" | "failed":
            return _failed(case, what, state, failure)
    return _on_its_way(what, state, when)


def _on_its_way(what: str, state: str | None, when: str) -> Cause:
    match state:
        case "spammed":
            verdict = f"{what} arrived, and the customer reported it as spam{when}"
            return Cause("spam_report", verdict, "certain", SPAM, CUSTOMER)
        case "drafted":
            verdict = f"{what} was queued as a draft{when} and waits for somebody to send it"
            return Cause("draft", verdict, "certain", "Send it from the drafts of its source.", PERSON)
        case "sent" | "deferred" | "attempted":
            verdict = f"{what} is on its way: {state}{when}, and no delivery is confirmed yet"
            do = "Wait, and read it again with get_message; the mail server may accept it hours later."
            return Cause("on_its_way", verdict, "certain", do, AGENT)
        case "created":
            verdict = f"{what} was created and has not left; the API does not say what it waits for"
            do = "Look at send_at, time windows and rate limits of the message in Customer.io."
            return Cause("waiting", verdict, "unknown", do, PERSON)
    verdict = f"The API does not show what became of {inside(what)}: it reports {state or 'no state'}"
    return Cause("unknown", verdict, "unknown", "Look at the message's page in Customer.io.", PERSON)


def delivery_words(case: Case, item: Fields) -> str:
    """Return a delivery in words."""
    type_ = "SMS" if item.text("type") == "twilio" else item.text("type")
    subject = f' "{subject}"' if (subject := item.text("subject")) else ""
    sender = case.source.called if case.source and case.source.sent(item) else sender_of(item)
    of = f" of {sender}" if sender else ""
    to = f" to {recipient}" if (recipient := item.text("recipient")) else ""
    return f"The {type_ or 'message'}{subject}{of}{to}"


def inside(what: str) -> str:
    """Return a delivery in words, inside of a sentence."""
    return f"{what[0].lower()}{what[1:]}"


def _when(at: str | None) -> str:
    return f" {at}" if at else ""


def _arrived(case: Case, item: Fields, verdict: str) -> Cause:
    recipient, email = item.text("recipient"), case.attributes.text("email")
    if item.text("type") == "email" and recipient and email and recipient.casefold() != email.casefold():
        verdict += f", but to {recipient}; their address is {email} now"
        do = "Send it again to the current address, if it is still wanted."
        return Cause("old_address", verdict, "certain", do, AGENT, ("profile",))
    if delivery_state(item) in {"clicked", "human_clicked"}:
        do = "A link in it was followed, if not by a program that tests links: ask which message they miss."
    elif item.text("type") == "email":
        do = "Look in the spam folder and the other tabs of the mailbox."
    else:
        do = "Look on the device, and whether its settings hide it."
    return Cause("delivered", verdict, "certain", do, CUSTOMER)


def _bounced(case: Case, item: Fields, verdict: str) -> Cause:
    known = case.suppressed(item.text("recipient"))
    reason = item.text("failure_message") or (known.reason if known else None)
    verdict += f": {reason}" if reason else ""
    if known:
        since = f" since {known.since}" if known.since else ""
        verdict += f"; the address is suppressed{since}"
        return Cause("bounced", verdict, "certain", CORRECT, CORRECTOR, ("suppressed addresses",))
    if case.suppressions == []:
        do = "The address is not suppressed, so the next may arrive: send again, or correct the address."
        return Cause("bounced", verdict, "certain", do, AGENT, ("suppressed addresses",))
    return Cause("bounced", verdict, "certain", CORRECT, AGENT)


def _dropped(case: Case, item: Fields, verdict: str) -> Cause:
    known, failure = case.suppressed(item.text("recipient")), item.text("failure_message")
    if known is None:
        return _dropped_without(case, item, verdict + (f": {failure}" if failure else ""))
    why = f": {reason}" if (reason := failure or known.reason) else ""
    since = f" since {known.since}" if known.since else ""
    verdict = f"{verdict}; the mail service suppresses the address{since} ({known.category}){why}"
    if "spam" in (known.category or ""):
        return Cause("spam_report", verdict, "certain", SPAM, CUSTOMER, ("suppressed addresses",))
    return Cause("address_suppressed", verdict, "certain", CORRECT, CORRECTOR, ("suppressed addresses",))


def _dropped_without(case: Case, item: Fields, verdict: str) -> Cause:
    """Return what a dropped message says where no suppression was found."""
    type_ = item.text("type") or ""
    read: tuple[Read, ...] = ()
    if drops := DROPS.get(type_):
        verdict += f"; {drops}"
    if case.suppressions == [] and type_ == "email":
        verdict, read = (
            f"{verdict}, and the customer's address is not suppressed now",
            ("suppressed addresses",),
        )
    do = "Read the message's page in Customer.io, and send again unless it gives a reason not to."
    return Cause("dropped", verdict, "inferred" if drops else "unknown", do, PERSON, read)


def _failed(case: Case, what: str, state: str, failure: str | None) -> Cause:
    if failure is None and case.unsubscribed:
        verdict = f"{what} was {state} without a reason, probably because the customer is unsubscribed"
        return Cause("unsubscribed", verdict, "inferred", RESUBSCRIBE, CUSTOMER, (case.consent_of,))
    if failure is None:
        verdict = f"The API does not show why {inside(what)} is {state}; it can be {UNTOLD}"
        return Cause("unknown", verdict, "unknown", "Look at the message's page in Customer.io.", PERSON)
    verdict = f"{what} was not sent: {failure}"
    for words, cause, do, by in REASONS:
        if any(word in failure.casefold() for word in words):
            return Cause(cause, verdict, "certain", do, by)
    return Cause("failed", verdict, "certain", "Do what the reason asks for, and send again.", DEVELOPER)
