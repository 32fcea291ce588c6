"""The verdict: what became of the message, or else what stood in its way."""

from cio_mcp.tools.deliverability.absence import of_absence
from cio_mcp.tools.deliverability.case import Case, delivery_state
from cio_mcp.tools.deliverability.cause import PERSON, Cause, Read
from cio_mcp.tools.deliverability.failures import ARRIVED, of_delivery
from cio_mcp.tools.deliverability.obstacles import obstacles

# What can keep a message back and is not told by the API, by the kind of its source.
UNTOLD = {
    "campaign": "a message limit (frequency cap), a time window or delay, attribute filters, a random branch "
    "or holdout, an exit or a goal that was reached",
    "broadcast": "the audience of the run, and whom it left out",
    "newsletter": "an audience by attributes, segments that it excludes, a message limit",
    "transactional": "whether the application made the call, and with which address",
}

# The same about somebody without a profile.
GONE = (
    "whether they are suppressed, and whether they were deleted or merged more than 30 days ago: the API "
    "lists neither"
)

# Causes that are one, before and after a message was made.
SAME = {"bounced": "address_suppressed"}

# Obstacles that are certain, but may not be why there is no message: one is often made in spite of them.
OPEN = {"unsubscribed", "unsubscribed_from_topic", "opted_out", "no_address"}
OPEN |= {"address_suppressed", "spam_report"}

# Other obstacles in one answer.
OTHERS = 3


def reach(case: Case) -> tuple[Cause, list[Cause]]:
    """Return the cause, and what else stands in the way of such messages."""
    if case.missing:
        return of_absence(case), []
    found = _of_messages(case)
    # What reached the mail service has passed what stands in the way before it.
    if found and (case.source or case.asked or case.expected):
        said = {found.cause, SAME.get(found.cause)}
        return found, [other for other in obstacles(case) if other.cause not in said][:OTHERS]
    first, *others = [*obstacles(case), *([found] if found else []), _unknown(case)]
    told = [one for one in others if one.certainty != "unknown" and one.verdict != first.verdict]
    return first, told[:OTHERS]


def unknowable(case: Case, cause: Cause, others: list[Cause]) -> list[str]:
    """Return what the API does not say about such a message, and can have played a part."""
    if case.missing:
        return [] if cause.certainty == "certain" else [GONE]
    untold = []
    of_message = {"message", "messages"} & set(cause.read)
    if cause.certainty != "certain" or (cause.cause in OPEN and not of_message):
        untold.append(UNTOLD[case.source.kind if case.source else "campaign"])
    if "unsubscribed" in {cause.cause, *(other.cause for other in others)} and case.unsubscribed_at is None:
        untold.append("when they unsubscribed: neither a message nor the log of the last 30 days says")
    return untold


def _of_messages(case: Case) -> Cause | None:
    """Return what became of the message that is asked about; of several the newest counts."""
    if case.asked:
        return of_delivery(case, case.asked)
    matching = case.matching
    if not matching or (case.source is None and not case.expected and _arrived(case)):
        return None
    return of_delivery(case, matching[0])


def _arrived(case: Case) -> bool:
    return delivery_state(case.matching[0]) in ARRIVED


def _unknown(case: Case) -> Cause:
    read: tuple[Read, ...] = ("messages",) if case.deliveries is not None else ()
    if case.deliveries is None:
        verdict = "It is unknown whether it was sent: the customer's messages could not be read"
    elif case.older:
        verdict = (
            "It is not known yet whether it was sent: only the customer's newest messages were looked at"
        )
    elif case.source is None and case.matching:
        return of_delivery(case, case.matching[0])
    elif case.untold and case.source:
        verdict = (
            "It is unknown whether it was sent: some of the customer's messages do not tell what sent them"
        )
    else:
        what = f"the message of {case.source.called}" if case.source else f"any {case.kind or ''} message"
        what = what.replace("  ", " ")
        verdict = (
            f"The API does not show why the customer did not get {what}: none was made, and nothing that "
            f"{'could be read' if case.unread else 'it shows'} explains it"
        )
    do = "Look at the customer's journey in Customer.io's pages, which show what the API does not."
    return Cause("unknown", verdict, "unknown", do, PERSON, read)
