"""What the state of a delivery says about why it did not arrive."""

from cio_mcp.toolkit.deliveries import reached
from cio_mcp.toolkit.reading import Fields
from cio_mcp.tools.deliverability.case import Case, state_of
from cio_mcp.tools.deliverability.cause import AGENT, CUSTOMER, DEVELOPER, PERSON, Cause

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

# What words in Customer.io's reason mean: a word for programs, what to do, and who may do it. The reasons
# are not documented.
REASONS = (
    (("opted out", "opt-out", "opt out"), "opted_out", "Only the customer can opt in again.", CUSTOMER),
    (("unsubscribed",), "unsubscribed", RESUBSCRIBE, CUSTOMER),
    (
        ("suppressed",),
        "suppressed",
        "Find out why they were suppressed; unsuppress_customer lifts it, and only if they ask for it.",
        PERSON,
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


def of_delivery(case: Case, item: Fields) -> Cause:
    """Return what became of a delivery."""
    state, at = state_of(item), reached(item)
    what, when, failure = told(item), at.get(state or "", ""), item.text("failure_message")
    if state in ARRIVED:
        return _arrived(case, item, f"It was delivered after all: {what} was {state} {when}".rstrip())
    match state:
        case "bounced":
            cause = _bounced(case, failure, f"{what} bounced {when}".rstrip())
        case "dropped" | "suppressed":
            cause = _dropped(case, what, when, failure)
        case "undeliverable" | "failed":
            cause = _failed(case, what, state, failure)
        case _:
            cause = _on_its_way(what, state, when)
    return cause


def _on_its_way(what: str, state: str | None, when: str) -> Cause:
    match state:
        case "spammed":
            verdict = f"{what} arrived, and the customer reported it as spam {when}".rstrip()
            do = "Send them no more; such a suppression cannot be lifted here."
            return Cause("spam_report", verdict, "certain", do, CUSTOMER)
        case "drafted":
            verdict = f"{what} was queued as a draft {when} and waits for somebody to send it"
            return Cause("draft", verdict, "certain", "Send it from the drafts of its source.", PERSON)
        case "sent" | "deferred" | "attempted":
            verdict = f"{what} is on its way: {state} {when}, and no delivery is confirmed yet"
            do = "Wait, and read it again with get_message; the mail server may accept it hours later."
            return Cause("on_its_way", verdict, "certain", do, AGENT)
    verdict = f"{what} was created and has not left; the API does not tell what it waits for"
    do = "Look at send_at, time windows and rate limits of the message in Customer.io."
    return Cause("waiting", verdict, "unknown", do, PERSON)


def told(item: Fields) -> str:
    """Return a delivery in words."""
    type_ = "SMS" if item.text("type") == "twilio" else item.text("type")
    subject = f' "{subject}"' if (subject := item.text("subject")) else ""
    to = f" to {recipient}" if (recipient := item.text("recipient")) else ""
    return f"The {type_ or 'message'}{subject}{to}"


def _arrived(case: Case, item: Fields, verdict: str) -> Cause:
    recipient, email = item.text("recipient"), case.attributes.text("email")
    if item.text("type") == "email" and recipient and email and recipient.casefold() != email.casefold():
        verdict += f", but to {recipient}; their address is {email} now"
        do = "Send it again to the address of now, if it is still wanted."
        return Cause("old_address", verdict, "certain", do, AGENT)
    in_mail = "Look in the spam folder and the other tabs of the mailbox."
    do = in_mail if item.text("type") == "email" else "Look on the device, and whether its settings hide it."
    return Cause("delivered", verdict, "certain", do, CUSTOMER)


def _bounced(case: Case, failure: str | None, verdict: str) -> Cause:
    known = next(iter(case.suppressions or []), None)
    reason = failure or (known.reason if known else None)
    verdict += f": {reason}" if reason else ""
    if known:
        return Cause(
            "bounced", f"{verdict}; the address is suppressed since {known.since}", "certain", CORRECT, PERSON
        )
    do = "The address is not suppressed, so the next message may arrive: send again, or correct the address."
    return Cause("bounced", verdict, "certain", do if case.suppressions is not None else CORRECT, AGENT)


def _dropped(case: Case, what: str, when: str, failure: str | None) -> Cause:
    known = next(iter(case.suppressions or []), None)
    why = f": {reason}" if (reason := failure or (known.reason if known else None)) else ""
    since = f" since {known.since} ({known.category})" if known else ""
    verdict = f"{what} was dropped {when}, because the mail service suppresses the address{since}{why}"
    if known and "spam" in (known.category or ""):
        do = "They reported spam: send them no more. Such a suppression cannot be lifted here."
        return Cause("spam_report", verdict, "certain", do, CUSTOMER)
    return Cause("address_suppressed", verdict, "certain", CORRECT, PERSON)


def _failed(case: Case, what: str, state: str, failure: str | None) -> Cause:
    if failure is None and case.unsubscribed:
        verdict = f"{what} was {state} without a reason, probably because the customer is unsubscribed"
        return Cause("unsubscribed", verdict, "inferred", RESUBSCRIBE, CUSTOMER)
    if failure is None:
        verdict = (
            f"Why {what[0].lower()}{what[1:]} is {state} cannot be known from the API; it can be {UNTOLD}"
        )
        return Cause("unknown", verdict, "unknown", "Look at the message's page in Customer.io.", PERSON)
    verdict = f"{what} was not sent: {failure}"
    for words, cause, do, by in REASONS:
        if any(word in failure.casefold() for word in words):
            return Cause(cause, verdict, "certain", do, by)
    return Cause("failed", verdict, "certain", "Do what the reason asks for, and send again.", DEVELOPER)
