"""Plants the story that a new sandbox starts with: Quill, a small company that sells a note-taking app.

The story itself is `story.json`: people, what they subscribe and belong to, segments, campaigns, broadcasts,
newsletters and transactional messages, what became of some of them, and what Track dropped. Days there are
days before the planting. What else people did, and all the other people, come from `lives`.
"""

import json
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from cio_mcp.sandbox.lives import planting
from cio_mcp.sandbox.lives.people import PEOPLE
from cio_mcp.sandbox.state import (
    broadcasts,
    contents,
    design_studio,
    newsletters,
    opt_outs,
    people,
    segments,
    transactional,
)
from cio_mcp.sandbox.state.database import HAS_IMAGES
from cio_mcp.sandbox.state.metrics import DAY
from cio_mcp.sandbox.state.workspace import Workspace

# What an action of a campaign has besides its name, and what one has that sends a message.
BLANK = {"language": "", "layout": "", "body": "", "editor": "", "recipient": ""}
MESSAGE = {"sending_state": "automatic", **contents.EMAIL}

STORY = Path(__file__).with_name("story.json")


# A thing of a workspace that is empty on purpose.
EMPTY = "empty"


# A world that was planted so many seconds ago has gone on since, and is no less new than one planted now.
NEW = 60
_newest: list[tuple[float, bytes]] = []


def begin(workspace: Workspace) -> None:
    """Plant the story, or hold what this process planted a moment ago, which takes a tenth of the time.

    For a file the story is planted in memory too, so that others wait for the rows alone.
    """
    now = workspace.clock.real()
    if not HAS_IMAGES:
        plant(workspace)
        return
    if not (_newest and 0 <= now - _newest[0][0] < NEW):
        world = workspace.beside(workspace.clock.real) if workspace.is_file else workspace
        plant(world)
        _newest[:] = [(now, world.image())]
        if world is workspace:
            return
        world.close()
    image = _newest[0][1]
    if workspace.is_file:
        with workspace.beside_image(image), workspace.locked():
            if workspace.is_blank():
                workspace.take_rows()
        if not has_begun(workspace):  # somebody was sooner, with something else than the story
            plant(workspace)
    else:
        workspace.copy(image)
        workspace.change("UPDATE world SET since = ?, seen = ?", now, now)


def has_begun(workspace: Workspace) -> bool:
    """Say whether a workspace has a story, or is empty on purpose."""
    return any(map(workspace.things, ("campaign", EMPTY)))


def plant(workspace: Workspace, *, others: int = PEOPLE) -> None:
    """Plant the story into a workspace that is still empty, and not so on purpose.

    Besides the people whom the story names there are so many `others`.
    """
    story: dict[str, Any] = json.loads(STORY.read_text(encoding="utf-8"))
    with workspace.transaction(), workspace.planting():
        if has_begun(workspace):
            return
        _configure(workspace, story)
        contents.plant(workspace)
        design_studio.plant(workspace, story["design_studio"])
        _send_to_many(workspace, story)
        for person in story["people"]:
            _live(workspace, person)
        _block(workspace, story["suppressed"])
        planting.plant(workspace, story, others)
        _send(workspace, story)
        opt_outs.plant(workspace, story["opted_out"])
        for rejected in story["rejected"]:
            _reject(workspace, rejected)


def leave_empty(workspace: Workspace) -> None:
    """Keep an empty workspace from the story for good."""
    workspace.configure(EMPTY, {"id": 1})


def _configure(workspace: Workspace, story: dict[str, Any]) -> None:
    now = workspace.now()
    for definition in story["computed_attributes"]:
        workspace.configure("computed_attribute", definition)
    for kind in ("topic", "object_type", "reporting_webhook"):
        for thing in story[f"{kind}s"]:
            workspace.configure(kind, thing)
    for sender in story["sender_identities"]:
        workspace.configure("sender_identity", sender)
    for kind in ("snippet", "collection"):
        for thing in story[f"{kind}s"]:
            dates = {"created_at": now - 200 * DAY, "updated_at": now - 30 * DAY}
            workspace.configure(kind, thing | dates)
    for export in story["exports"]:
        workspace.configure("export", {**export, "created_at": now - export["days_ago"] * DAY})
    for segment in story["segments"]:
        created = now - 300 * DAY
        dates = {"created_at": created, "updated_at": now - 10 * DAY}
        built = {"deduplicate_id": f"{segment['id']}:{created}", "state": "finished", "progress": None}
        # Live, recorded: no tags are null, and so is the progress of what is finished.
        workspace.configure("segment", segment | built | dates | {"tags": None})
    for campaign in story["campaigns"]:
        dates = _dates(campaign, now)
        actions = [{"type": action["type"], "id": action["id"]} for action in campaign["workflow"]]
        workflow = [_action(campaign["id"], action, dates) for action in campaign["workflow"]]
        workspace.configure("campaign", {**campaign, **dates, "actions": actions, "workflow": workflow})
    for broadcast in story["broadcasts"]:
        actions = [{"type": "email", "id": broadcast["id"] * 100 + 1}]
        always = {"type": "api_triggered", "state": "running", "actions": actions}
        workspace.configure("broadcast", {**broadcast, **always, **_dates(broadcast, now)})
    for newsletter in story["newsletters"]:
        dates = _dates(newsletter, now)
        told = {name: dates[name] for name in ("deduplicate_id", "created", "updated")}
        unset = dict.fromkeys(("sent_at", "scheduled_at", "subscription_topic_id"))
        workspace.configure("newsletter", {**newsletter, **told, **unset})
    for message in story["transactional"]:
        dates = {"created_at": now - 300 * DAY, "updated_at": now - 30 * DAY}
        workspace.configure("transactional", {**transactional.SWITCHES, **message, **dates})


def _action(campaign_id: int, action: dict[str, Any], dates: dict[str, Any]) -> dict[str, Any]:
    """Return an action as the API tells it: only messages have a subject, and a state of their own.

    Live, recorded: the fields of a message are there in any action, and blank.
    """
    written = {name: dates[name] for name in ("created", "updated")}
    known = {"campaign_id": campaign_id, "deduplicate_id": f"{action['id']}:{dates['updated']}"}
    sends = MESSAGE | {"body": f"<p>{action.get('subject', '')}</p>"} if action["type"] != "delay" else {}
    return {**known, **written, **BLANK, **sends, **action}


def _dates(thing: dict[str, Any], now: int) -> dict[str, Any]:
    created = now - (thing.get("started_days_ago", 399 - thing["id"] * 10) + 1) * DAY
    return {
        "deduplicate_id": f"{thing['id']}:{created}",
        "created": created,
        "updated": now - thing["id"] * DAY,
        # Live, recorded: 0 where it never was.
        "first_started": 0 if thing.get("state") == "draft" else created + DAY,
        "active": thing.get("state", "running") == "running",
    }


def _live(workspace: Workspace, person: dict[str, Any]) -> None:
    """Let a person sign up, log in and buy."""
    now, age = workspace.now(), person["signed_up_days_ago"]
    who = person.get("id") or person["email"]
    profile = {"email": person["email"], "plan": person["plan"], "created_at": now - age * DAY}
    done: list[tuple[str, int, dict[str, Any]]] = [("signed_up", age, {}), ("login", 1 + age // 30, {})]
    for purchase in person.get("purchases", []):
        data = {"amount": purchase["amount"], "product": f"{person['plan']} plan"}
        done.append(("purchase", purchase["days_ago"], data))
    with _ago(workspace, age):
        workspace.apply("identify", {"identifier": who, "body": profile | person["attributes"]})
        if device := person.get("device"):
            used = {**device, "last_used": now - DAY}
            workspace.apply("add_device", {"identifier": who, "device": used})
        for number in person.get("put_in_segments", []):
            workspace.apply(segments.MEMBERS, {"segment_id": number, "ids": [who], "id_type": "id"})
    for name, days_ago, data in done:
        with _ago(workspace, days_ago):
            workspace.apply("event", {"identifier": who, "body": {"name": name, "data": data}})


def _block(workspace: Workspace, identifiers: list[str]) -> None:
    """Suppress people who asked for it long ago."""
    with _ago(workspace, 100):
        for identifier in identifiers:
            workspace.apply("suppress", {"identifier": identifier})


def _send_to_many(workspace: Workspace, story: dict[str, Any]) -> None:
    """Send newsletters and trigger broadcasts before anybody is there: `lives` knows who was there then."""
    for newsletter in workspace.things("newsletter"):
        if days := newsletter.get("sent_days_ago"):
            with _ago(workspace, days):
                newsletters.deliver(workspace, newsletter)
    _trigger(workspace, [run for run in story["runs"] if not run["trigger"]])


def _trigger(workspace: Workspace, runs: list[dict[str, Any]]) -> None:
    for run in runs:
        broadcast = workspace.thing("broadcast", run["broadcast"]) or {}
        with _ago(workspace, run["days_ago"]):
            broadcasts.trigger(workspace, broadcast, run["trigger"])


def _send(workspace: Workspace, story: dict[str, Any]) -> None:
    """Leave traces of a broadcast that failed, and of what was sent transactionally."""
    _trigger(workspace, [run for run in story["runs"] if run["trigger"]])
    for sent in story["sent"]:
        template = workspace.thing("transactional", sent["transactional_message_id"]) or {}
        person = people.find(workspace, sent["person"], "id")
        with _ago(workspace, sent["days_ago"]):
            transactional.queue(workspace, template["channel"], template, person, sent)


def _reject(workspace: Workspace, rejected: dict[str, Any]) -> None:
    """Write what is accepted and then dropped."""
    now, write = workspace.now(), rejected["write"]
    if days := rejected.get("of_days_ago"):
        write["body"]["_timestamp"] = now - days * DAY
    with _ago(workspace, rejected["days_ago"]):
        workspace.apply(rejected["what"], write)


def _ago(workspace: Workspace, days: int) -> AbstractContextManager[None]:
    """Let what happens inside a context happen some days ago."""
    return workspace.clock.at(workspace.now() - days * DAY)
