"""What becomes of a message once it has left: by a plan of its own, or by chance.

Assumed (fates): how likely each state is, and when it is reached.
"""

import math
from typing import Any

from cio_mcp.sandbox.engine.chance import shares

# Seconds after it leaves (at its creation or its send_at) at which a delivery reaches each state, where
# nothing else is its fate.
FATE = {"sent": 2, "delivered": 5}

# Of the messages to many that are delivered, how many are opened, of these clicked, and so on.
MARKETING = {"bounced": 0.01, "opened": 0.45, "clicked": 0.25, "unsubscribed": 0.008, "spammed": 0.001}
TRANSACTIONAL = {"opened": 0.65, "clicked": 0.3}

# What people do with messages of each type; nothing tells that one in the app has arrived.
DOES = {
    "email": ("bounced", "opened", "clicked", "unsubscribed", "spammed"),
    "push": ("bounced", "opened", "clicked"),
    "twilio": ("bounced", "clicked"),
    "whatsapp": ("bounced", "opened", "clicked"),
    "in_app": ("opened", "clicked"),
    "inbox": ("opened", "clicked"),
}

HOUR = 3600

SECONDARY = "secondary:"

# Documented: opens and clicks are recorded for six months.
LONGEST = 180 * 24 * HOUR


def by_chance(seed: str, number: str, type_: str, chances: dict[str, float]) -> dict[str, int]:
    """Return after how many seconds the delivery `number` reaches each state."""
    share, does = shares(seed, number), DOES.get(type_, ())

    def likely(state: str) -> bool:
        return state in does and (chance := chances.get(state, 0)) > 0 and share(state) < chance

    def after(state: str, mean: float) -> int:
        seconds = -math.log(1 - share(state, "after")) * mean
        return 1 + int(min(seconds, LONGEST))

    fate = {"sent": FATE["sent"]}
    if likely("bounced"):
        return fate | {"bounced": FATE["sent"] + after("bounced", 5)}
    if type_ in {"in_app", "inbox", "webhook", "slack"}:
        arrived = fate["sent"]
    else:
        fate["delivered"] = arrived = FATE["delivered"]
    if likely("spammed"):
        return fate | {"spammed": arrived + after("spammed", HOUR)}
    if likely("opened") or ("opened" not in does and likely("clicked")):
        opened = arrived + after("opened", 6 * HOUR)
        if "opened" in does:
            fate["opened"] = opened
        if likely("clicked"):
            fate["clicked"] = opened + after("clicked", HOUR / 12)
        if likely("unsubscribed"):
            fate["unsubscribed"] = opened + after("unsubscribed", HOUR / 12)
    return fate


def states(
    type_: str, leaves: int, fate: dict[str, int], *, late: int = 0, secondary: bool = False
) -> dict[str, int]:
    """Return when a delivery that leaves at a time reaches each state, as the App API names it.

    Faults may let those after `sent` be so many seconds late, and all secondary.
    Live: an email is delivered by the state `secondary:delivered` and no plain one.
    Assumed (secondary metrics): no other state is, and no other message.
    """
    found: dict[str, int] = {}
    for name, after in fate.items():
        if name == "sent":
            found[name] = leaves + after
        elif secondary or (name == "delivered" and type_ == "email"):
            found[SECONDARY + name] = leaves + after + late
        else:
            found[name] = leaves + after + late
    return found


SECONDARY = "secondary:"


def chances_of(message: dict[str, Any]) -> dict[str, float]:
    """Return the chances of a message: its own, else those of its kind."""
    usual = TRANSACTIONAL if message.get("transactional_message_id") else MARKETING
    own = message.get("chances")
    return usual | own if own else usual
