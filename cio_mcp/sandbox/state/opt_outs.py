"""Opt-outs: from which senders of a channel, by number or name, people want no messages."""

from typing import Any

from cio_mcp.sandbox.state import people
from cio_mcp.sandbox.state.workspace import Row, Workspace, applies

THING = "opt_out"

# What the API calls the channel of each type of delivery that people opt out of.
CHANNELS = {"twilio": "sms", "whatsapp": "whatsapp"}


def plant(workspace: Workspace, story: list[dict[str, str]]) -> None:
    """Let people of the story have opted out, each of a sender of a channel."""
    for told in story:
        if person := people.find(workspace, told["person"], "id"):
            write = {"cio_id": person["cio_id"], "channel": told["channel"], "from": told["from"]}
            change(workspace, write | {"optout": True})


@applies(THING)
def change(workspace: Workspace, write: dict[str, Any]) -> None:
    """Opt a person out of a sender's messages, or in again."""
    there = [known for known in workspace.things(THING) if _same(known, write)]
    for known in [] if write["optout"] else there:
        workspace.remove(THING, known["id"])
    if write["optout"] and not there:
        told = {name: write[name] for name in ("cio_id", "channel", "from")}
        workspace.configure(THING, {"id": workspace.next_number(THING), **told})


def _same(known: dict[str, Any], write: dict[str, Any]) -> bool:
    return all(known[name] == write[name] for name in ("cio_id", "channel", "from"))


def of(workspace: Workspace, cio_id: str, sender: str | None = None) -> list[dict[str, str]]:
    """Return what a person has opted out of, from one sender or from all."""
    return [
        {"channel": known["channel"], "from": known["from"]}
        for known in workspace.things(THING)
        if known["cio_id"] == cio_id and sender in {None, known["from"]}
    ]


def opted_out(workspace: Workspace) -> list[str]:
    """Return who has opted out of anything, the newest opt-out first."""
    return list(dict.fromkeys(known["cio_id"] for known in reversed(workspace.things(THING))))


def excludes(workspace: Workspace, person: Row | None, type_: str) -> bool:
    """Say whether a person has opted out of a channel.

    Assumed (opt-outs): of all its senders, if they have opted out of one.
    """
    found = of(workspace, person["cio_id"]) if person and type_ in CHANNELS else []
    return any(known["channel"] == CHANNELS[type_] for known in found)
