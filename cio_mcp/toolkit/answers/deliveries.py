"""How far a delivery has come: the states that it has reached, and whether there are more to come."""

from cio_mcp.toolkit.answers.reading import Fields, time

# States after which only the recipient can change a delivery's state, most significant first.
ENDS = (
    *("undeliverable", "failed", "dropped", "suppressed", "bounced", "spammed", "unsubscribed"),
    *("topic_unsubscribed", "converted", "replied", "clicked", "human_clicked", "machine_clicked"),
    *("prefetch_clicked", "opened", "human_opened", "prefetch_opened", "delivered"),
)

# A delivery's state is the first of these that it has reached; after the ends come those of one that is still
# on its way, or waits as a draft.
STATES = (*ENDS, "deferred", "sent", "attempted", "drafted", "created")

# Live, 2026-10: a metric can have this prefix. It is not documented; the metric is read as without it.
SECONDARY = "secondary:"

# The fields that name what sent a delivery.
SOURCES = ("transactional_message_id", "campaign_id", "newsletter_id", "broadcast_id")

# Channels that confirm deliveries. On any other, `sent` is the last state that Customer.io learns of.
CONFIRMED = {"email", "push", "twilio", "whatsapp"}


def reached(item: Fields) -> dict[str, str]:
    """Return when a delivery reached each state, the least significant first, unknown ones last."""
    found: dict[str, str] = {}
    for name, value in item.fields("metrics").raw.items():
        if at := time(value):
            state = name.removeprefix(SECONDARY)
            # Where a metric comes with the prefix and without, the time without it counts.
            found[state] = found.get(state, at) if name.startswith(SECONDARY) else at
    return {state: found[state] for state in sorted(found, key=_significance)}


def _significance(state: str) -> int:
    return -STATES.index(state) if state in STATES else 1


def state_in(reached: dict[str, str]) -> str | None:
    """Return the most significant state of those reached; one that is not known here is better than none."""
    return next((state for state in STATES if state in reached), None) or next(iter(reached), None)


def is_final(state: str | None, channel: str | None) -> bool:
    """Return whether a delivery is over, or waits as a draft for a person; an unknown state is no end."""
    last_known = state == "sent" and channel is not None and channel not in CONFIRMED
    return last_known or state in {*ENDS, "drafted"}
