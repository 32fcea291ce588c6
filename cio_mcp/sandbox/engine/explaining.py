"""Why a message came or did not: the chain of causes in the log, in sentences."""

import json
from collections.abc import Iterator
from typing import Any

from cio_mcp.sandbox.engine import conditions, entering, telling
from cio_mcp.sandbox.engine.naming import SandboxMessage, named
from cio_mcp.sandbox.engine.profile import Profile
from cio_mcp.sandbox.state import deliveries, people, pseudonyms
from cio_mcp.sandbox.state.workspace import Row, Workspace


class NothingToExplain(Exception):
    """There is no such delivery, person or message; the text says which, and what there is."""


def delivery(workspace: Workspace, number: str) -> list[str]:
    """Tell why a delivery was made, and what became of it; raises NothingToExplain."""
    found = deliveries.row(workspace, number)
    if found is None:
        message = f"there is no delivery {number}"
        raise NothingToExplain(message)
    return [*telling.chain(workspace, found["entry"]), *_became(workspace, found)]


def message(workspace: Workspace, who: str, what: str) -> list[str]:
    """Tell why a person got a message or did not; raises NothingToExplain."""
    wanted = named(workspace, what)
    if wanted is None:
        text = (
            f"no message is called {what}; name an action, a campaign, a newsletter, a broadcast, a template"
        )
        raise NothingToExplain(text)
    cio_id, profile, gone = _who(workspace, who)
    made = [row for row in _made(workspace, cio_id) if wanted.made(json.loads(row["body"]))]
    if made:
        earlier = [f"Earlier ones: {', '.join(row['id'] for row in made[:-1])}."] if made[:-1] else []
        return [*delivery(workspace, made[-1]["id"]), *earlier, *_refused_since(workspace, wanted, made[-1])]
    return [f"{who} got no {wanted.name}.", *_absent(workspace, wanted, cio_id, profile, gone)]


def _refused_since(workspace: Workspace, wanted: SandboxMessage, last: Row) -> list[str]:
    """Return why there was no further message after the last."""
    campaign = wanted.campaign or {"id": None}
    refused = workspace.row(
        "SELECT number FROM log WHERE cio_id = ? AND name = ? AND kind = 'not_started' AND number > ? "
        "ORDER BY number DESC",
        *(last["cio_id"], str(campaign["id"]), last["entry"]),
    )
    return ["Later:", *telling.chain(workspace, refused["number"])] if refused else []


def _made(workspace: Workspace, cio_id: str) -> list[Row]:
    return workspace.rows("SELECT * FROM deliveries WHERE cio_id = ? ORDER BY number", cio_id)


def _who(workspace: Workspace, who: str) -> tuple[str, Profile | None, Row | None]:
    """Return a person's cio_id, the person if they are there, and what has removed them if they are not."""
    for kind in ("id", "email", "cio_id"):
        if row := people.find(workspace, who.removeprefix("cio_") if kind == "cio_id" else who, kind):
            return row["cio_id"], Profile(workspace, row), None
    deleted = workspace.row(
        "SELECT * FROM log WHERE kind = 'profile_delete' AND ? IN (cio_id, "
        "json_extract(data, '$.identifiers.id'), lower(json_extract(data, '$.identifiers.email'))) "
        "ORDER BY number DESC",
        who.lower() if "@" in who else who,
    )
    deleted = deleted or workspace.row(
        "SELECT log.* FROM log, json_each(log.data, '$.names') WHERE kind = 'forgotten' AND value = ? "
        "AND log.cio_id IS NOT NULL ORDER BY number DESC",
        pseudonyms.of(workspace, who),
    )
    if deleted is None:
        text = f"there is no person {who}, and there never was"
        if people.suppressed(workspace, who):
            text = f"there is no person {who}: the identifier is suppressed"
        raise NothingToExplain(text)
    return deleted["cio_id"], None, deleted


def _became(workspace: Workspace, found: Row) -> Iterator[str]:
    """Yield what became of a delivery, and what it is still to come to."""
    body, states = json.loads(found["body"]), deliveries.reached(workspace, found)
    if why := body["failure_message"]:
        yield f"It did not go out: {why}."
        return
    if "drafted" in states:
        yield "It is a draft: its action's sending_state is draft, so it waits for a person to send it."
        return
    for name, at in sorted(states.items(), key=lambda state: state[1]):
        if name != "created":
            why = f": {body['reason']}" if name in deliveries.FAILED and body.get("reason") else ""
            yield f"{telling.shown(at)} {name}{why}"
    if "sent" not in states and not deliveries.FAILED & states.keys():
        coming = json.loads(found["states"])
        leaves = [at for name, at in coming.items() if name != "created"]
        yield f"It still waits: it leaves at {telling.shown(min(leaves))}." if leaves else "It still waits."


def _absent(
    workspace: Workspace, wanted: SandboxMessage, cio_id: str, profile: Profile | None, gone: Row | None
) -> Iterator[str]:
    """Yield why a person got no message: what the log has of them and its campaign, and how they stand."""
    if wanted.campaign is None:
        told = list(_never_addressed(workspace, wanted, profile))
    else:
        told = list(_off_course(workspace, wanted, cio_id, profile))
    yield from told
    for line in telling.chain(workspace, gone["number"]) if gone else []:
        if line not in told:
            yield line


def _off_course(
    workspace: Workspace, wanted: SandboxMessage, cio_id: str, profile: Profile | None
) -> Iterator[str]:
    campaign: dict[str, Any] = wanted.campaign or {}
    newest = workspace.row(
        "SELECT number, kind FROM log WHERE cio_id = ? AND name = ? AND kind IN ('journey_started', "
        "'journey_ended', 'waits', 'branch', 'message_off', 'not_started') "
        "ORDER BY kind = 'message_off' AND json_extract(data, '$.action') = ? DESC, number DESC",
        *(cio_id, str(campaign["id"]), wanted.thing["id"]),
    )
    if newest is not None:
        yield from telling.chain(workspace, newest["number"])
        if newest["kind"] == "waits":
            yield "It still waits."
        return
    if campaign["state"] != "running":
        yield f"{wanted.of} is not running: its state is {campaign['state']}."
        return
    yield f"Nothing has triggered {wanted.of} for them."
    if profile:
        yield from _missing(workspace, campaign, profile)


def _missing(workspace: Workspace, campaign: dict[str, Any], profile: Profile) -> Iterator[str]:
    """Yield what would have to be for a campaign to begin."""
    if campaign["type"] == "event":
        times = profile.times({"name": campaign["event_name"]}, None)
        if not times:
            yield f"It begins with the event {campaign['event_name']}, which they never had."
        else:
            yield (
                f"It begins with the event {campaign['event_name']}, which they had at "
                f"{telling.shown(times[-1])}, before the sandbox ran this campaign."
            )
    if campaign["type"] == "date":
        value = profile.attribute(campaign["date_attribute"])
        yield f"It begins by the date {campaign['date_attribute']}, which is {value!r} for them."
    for part in entering.trigger(campaign)["and"]:
        fits = conditions.fits(workspace, profile, part)
        yield f"They {'fit' if fits else 'do not fit'}: {telling.condition(workspace, part)}."
    if campaign["type"] == "segment" and conditions.fits(workspace, profile, entering.trigger(campaign)):
        yield "They fitted it before it began to run here, and only who comes to fit it later begins it."
    due = entering.next_change(workspace, profile)
    if due and campaign["type"] == "segment":
        yield f"Time alone may change that at {telling.shown(due)}."


def _never_addressed(workspace: Workspace, wanted: SandboxMessage, profile: Profile | None) -> Iterator[str]:
    thing: dict[str, Any] = wanted.thing
    if wanted.kind == "transactional":
        yield "Nobody has asked for it to be sent to them."
        return
    if wanted.kind == "newsletter" and not thing.get("sent_at"):
        at = thing.get("scheduled_at")
        yield f"It goes out at {telling.shown(at)}." if at else "It is a draft that was never sent."
    runs = workspace.rows("SELECT * FROM triggers WHERE broadcast_id = ? ORDER BY id", thing["id"])
    if wanted.kind == "broadcast" and not runs:
        yield "It was never triggered."
    for run in runs if wanted.kind == "broadcast" else []:
        errors = json.loads(run["errors"])
        why = f"failed: {'; '.join(errors[:3])}" if errors else "did not address them"
        yield f"Its trigger {run['id']} of {telling.shown(run['created_at'])} {why}."
    audience = thing.get("recipients")
    if profile and audience:
        fits = conditions.fits(workspace, profile, audience)
        they = "They fit" if fits else "They do not fit"
        yield f"{they} its audience: {telling.condition(workspace, audience)}."
