"""Journeys: one person's way through the actions of a campaign."""

import json
from typing import Any

from cio_mcp.sandbox.engine import conditions, delays, messages
from cio_mcp.sandbox.engine.profile import Profile
from cio_mcp.sandbox.state import people
from cio_mcp.sandbox.state.workspace import Row, Workspace, applies

GOES_ON = "journey"

# So many actions in a row without a wait go in circles.
MOST_ACTIONS = 200


def start(workspace: Workspace, campaign: dict[str, Any], cio_id: str, data: dict[str, Any]) -> None:
    """Let a person begin a campaign; `data` is what has triggered it, as messages see it."""
    entry = workspace.note("journey_started", cio_id, str(campaign["id"]))
    number = workspace.insert(
        "INSERT INTO journeys (campaign_id, cio_id, started, entry, data) VALUES (?, ?, ?, ?, ?)",
        *(campaign["id"], cio_id, workspace.now(), entry, json.dumps(data)),
    )
    first = campaign["workflow"][0]["id"] if campaign["workflow"] else None
    with workspace.because(entry):
        _proceed(workspace, number, first)


@applies(GOES_ON)
def go_on(workspace: Workspace, write: dict[str, Any]) -> None:
    """Let a journey go on after a wait, from the action at which it stood."""
    _proceed(workspace, write["journey"], write["action"])


def _proceed(workspace: Workspace, number: int, action_id: int | None, left: int = MOST_ACTIONS) -> None:
    """Do one action after the other until there is something to wait for; each branch is a cause."""
    journey = workspace.row("SELECT * FROM journeys WHERE number = ? AND ended IS NULL", number)
    if journey is None:
        return
    campaign = workspace.thing("campaign", journey["campaign_id"])
    person = people.find(workspace, journey["cio_id"], "cio_id")
    if campaign is None or campaign["state"] != "running" or person is None:
        # Assumed (stopped campaigns): their journeys end at their next action.
        end(workspace, journey, "campaign stopped" if person else "deleted")
        return
    action = next((one for one in campaign["workflow"] if one["id"] == action_id), None)
    if action is None or not left:
        end(workspace, journey, "went in circles" if action else "finished")
    elif action["type"] == "delay":
        _wait(workspace, journey, campaign, action, Profile(workspace, person))
    elif action["type"] == "conditional_branch":
        fits = conditions.fits(workspace, Profile(workspace, person), action["if"])
        told = {"action": action["id"], "journey": number, "fits": fits}
        with workspace.because(workspace.note("branch", person["cio_id"], str(campaign["id"]), told)):
            _proceed(workspace, number, action["then"] if fits else action.get("else"), left - 1)
    else:
        _do(workspace, journey, campaign, action, person)
        _proceed(workspace, number, after(campaign, action), left - 1)


def _do(
    workspace: Workspace, journey: Row, campaign: dict[str, Any], action: dict[str, Any], person: Row
) -> None:
    """Do an action that is neither a wait nor a branch."""
    if not journey["activated"]:
        # Assumed (activated journeys): one is when it comes to an action that is neither wait nor branch.
        workspace.change("UPDATE journeys SET activated = 1 WHERE number = ?", journey["number"])
    if action["type"] == "attribute_update":
        people.identify(workspace, {"identifier": f"cio_{person['cio_id']}", "body": action["set"]})
    else:
        messages.send(workspace, journey, campaign, action, person)


def after(campaign: dict[str, Any], action: dict[str, Any]) -> int | None:
    """Return the action after another: the one it names, else the next of the list."""
    if "next" in action:
        named: int | None = action["next"]
        return named
    ids = [one["id"] for one in campaign["workflow"]]
    following = ids[ids.index(action["id"]) + 1 :]
    return following[0] if following else None


def _wait(
    workspace: Workspace, journey: Row, campaign: dict[str, Any], action: dict[str, Any], person: Profile
) -> None:
    """Let a journey wait; without a time of its own an action waits for nothing."""
    zone = delays.zone_of(campaign.get("timezone"))
    if campaign.get("use_customer_timezone"):
        zone = delays.zone_of(person.attribute("timezone"), zone.key)
    until = delays.ends(action.get("delay", {}), workspace.clock(), zone)
    told = {"action": action["id"], "journey": journey["number"], "until": until}
    entry = workspace.note("waits", journey["cio_id"], str(campaign["id"]), told)
    further = {"journey": journey["number"], "action": after(campaign, action)}
    with workspace.because(entry):
        workspace.wait(until, GOES_ON, further, key=f"journey:{journey['number']}")


def end(workspace: Workspace, journey: Row, outcome: str) -> None:
    """End a journey; one that is not at its end exits early."""
    number = journey["number"]
    ended = "UPDATE journeys SET ended = ?, outcome = ? WHERE number = ? AND ended IS NULL"
    if workspace.change(ended, workspace.now(), outcome, number):
        told = {"journey": number, "outcome": outcome}
        workspace.note("journey_ended", journey["cio_id"], str(journey["campaign_id"]), told)
        workspace.change("DELETE FROM timers WHERE key = ?", f"journey:{number}")


def active(workspace: Workspace, cio_id: str, campaign_id: int | None = None) -> list[Row]:
    """Return a person's journeys that go on, in one campaign or in all."""
    return workspace.rows(
        "SELECT * FROM journeys WHERE cio_id = :person AND ended IS NULL "
        "AND (:campaign IS NULL OR campaign_id = :campaign)",
        person=cio_id,
        campaign=campaign_id,
    )
