"""Worlds of their own for tests of what campaigns do: no story, and the campaigns that a test names."""

from typing import Any

from cio_mcp.sandbox.engine import explaining
from tests.sandbox.conftest import Caller

DAY = 86_400
HOUR = 3600

# What becomes of no message by chance.
SURE = {"bounced": 0, "opened": 0, "clicked": 0, "unsubscribed": 0, "spammed": 0}


def email(number: int, subject: str = "Hello", **more: Any) -> dict[str, Any]:
    """Return an action that sends an email."""
    own = {"name": f"Mail {number}", "subject": subject, "sending_state": "automatic", "chances": SURE}
    return {"id": number, "type": "email", **own, **more}


def delay(number: int, **delay: Any) -> dict[str, Any]:
    return {"id": number, "type": "delay", "name": f"Wait {number}", "delay": delay}


def branch(number: int, condition: dict[str, Any], then: int, otherwise: int | None) -> dict[str, Any]:
    kind = {"type": "conditional_branch", "name": f"Branch {number}"}
    return {"id": number, **kind, "if": condition, "then": then, "else": otherwise}


def run(caller: Caller, *workflow: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Let a campaign run, by default one that the event `go` triggers; returns it."""
    usual = {"id": 1, "name": "Course", "state": "running", "type": "event", "event_name": "go"}
    campaign = {**usual, "workflow": [dict(action) for action in workflow], **more}
    caller.sandbox.workspace.configure("campaign", campaign)
    return campaign


def segment(caller: Caller, number: int, conditions: dict[str, Any] | None) -> None:
    """Make a segment by a rule, or with None a manual one."""
    kind = {"type": "manual"} if conditions is None else {"type": "dynamic", "conditions": conditions}
    known = {"id": number, "name": f"Segment {number}", "description": "", "state": "finished"}
    caller.sandbox.workspace.configure("segment", known | kind)


def attribute(field: str, operator: str, value: Any = None) -> dict[str, Any]:
    return {"attribute": {"field": field, "operator": operator, "value": value}}


async def ann(caller: Caller, **attributes: Any) -> None:
    """Identify Ann."""
    await caller.identify("ann", email="ann@example.com", **attributes)


async def track(caller: Caller, name: str = "go", person: str = "ann", **body: Any) -> None:
    await caller.ok("POST", f"/api/v1/customers/{person}/events", {"name": name, **body})


def later(caller: Caller, **span: float) -> None:
    """Move the sandbox's clock on."""
    seconds = span.get("days", 0) * DAY + span.get("hours", 0) * HOUR + span.get("seconds", 0)
    caller.sandbox.workspace.advance(caller.sandbox.clock() + seconds)


async def mails(caller: Caller) -> list[tuple[str, str | None]]:
    """Return who got which subject, the oldest first."""
    found = reversed(await caller.messages())
    return [(message["recipient"], message["subject"]) for message in found]


def why(caller: Caller, *asked: str) -> str:
    """Explain a delivery, or a person and a message."""
    workspace = caller.sandbox.workspace
    with workspace.transaction():
        told = (
            explaining.message(workspace, *asked)
            if len(asked) == 2
            else explaining.delivery(workspace, *asked)
        )
    return "\n".join(told)
