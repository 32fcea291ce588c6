"""Addresses that say what becomes of an email to them: `ada+bounce@example.com`, and so on."""

import re
from email.utils import parseaddr
from typing import Any

from cio_mcp.sandbox.moments import UNITS
from cio_mcp.sandbox.state import suppressions
from cio_mcp.sandbox.state.workspace import Workspace

TAG = re.compile(r"[^@]+\+(bounce|complains|suppressed|opens-late-(\d{1,4})([smhdw]))@[^@]+", re.IGNORECASE)

SENT, DELIVERED = 2, 5
REASON = "550 5.1.1 the address asks for it"


def fate_of(workspace: Workspace, message: dict[str, Any]) -> dict[str, Any]:
    """Return what becomes of an email to such an address, nothing for any other message.

    One that is suppressed is so from its first email on, and is listed like others.
    """
    tagged = message["type"] == "email" and "+" in message["recipient"]
    address = parseaddr(message["recipient"])[1] if tagged else ""
    found = TAG.fullmatch(address)
    if not found:
        return {}
    tag, number, unit = found.groups()
    match tag.lower():
        case "bounce":
            return {"fate": {"sent": SENT, "bounced": DELIVERED}, "reason": REASON}
        case "complains":
            return {"fate": {"sent": SENT, "delivered": DELIVERED, "opened": 600, "spammed": 660}}
        case "suppressed":
            suppressions.add(workspace, "bounces", address, REASON, "550")
            return {"fate": {"dropped": 1}, "reason": REASON}
    late = int(number) * UNITS[unit.lower()]
    return {"fate": {"sent": SENT, "delivered": DELIVERED, "opened": DELIVERED + late}}
