"""Which message is meant by a number or a name: an action's, a newsletter, a broadcast, a template."""

from dataclasses import dataclass
from typing import Any

from cio_mcp.sandbox.state.workspace import Workspace

# Where each kind of message keeps which it is, in a delivery.
FIELDS = {
    "action": "action_id",
    "campaign": "campaign_id",
    "newsletter": "newsletter_id",
    "broadcast": "broadcast_id",
    "transactional": "transactional_message_id",
}


@dataclass(frozen=True)
class SandboxMessage:
    """A message that may be sent: its kind, itself, and the campaign that it belongs to."""

    kind: str
    thing: dict[str, Any]
    campaign: dict[str, Any] | None = None

    @property
    def name(self) -> str:
        """How it is told."""
        return f"{self.kind} {self.thing['id']} ({self.thing.get('name', '')})"

    @property
    def of(self) -> str:
        """How its campaign is told."""
        campaign = self.campaign or self.thing
        return f"campaign {campaign['id']} ({campaign.get('name', '')})"

    def made(self, delivery: dict[str, Any]) -> bool:
        """Say whether a delivery is of it."""
        return bool(delivery.get(FIELDS[self.kind]) == self.thing["id"])


def named(workspace: Workspace, text: str) -> SandboxMessage | None:
    """Return the message of a number, a name, or both as in `campaign 1`; of several, the first kind."""
    kind, _, rest = text.partition(" ")
    kinds, wanted = ([kind], rest) if kind in FIELDS and rest else (list(FIELDS), text)
    for one in kinds:
        for found in _all(workspace, one):
            names = {
                str(found.thing["id"]),
                str(found.thing.get("name", "")),
                found.thing.get("trigger_name"),
            }
            if wanted.casefold() in {str(name).casefold() for name in names if name}:
                return found
    return None


def _all(workspace: Workspace, kind: str) -> list[SandboxMessage]:
    if kind == "action":
        return [
            SandboxMessage("action", action, campaign)
            for campaign in workspace.things("campaign")
            for action in campaign["workflow"]
        ]
    things = workspace.things(kind)
    return [SandboxMessage(kind, thing, thing if kind == "campaign" else None) for thing in things]
