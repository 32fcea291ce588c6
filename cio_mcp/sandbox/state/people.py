"""People: who they are, how writes about them are resolved, and what they read back as."""

import json
import re
from typing import Any, Literal

from cio_mcp.sandbox.engine import chance
from cio_mcp.sandbox.state import computed, pseudonyms, relationships, subscriptions, visitors
from cio_mcp.sandbox.state.rejections import drop, outdated
from cio_mcp.sandbox.state.workspace import Row, Workspace, applies

IdType = Literal["id", "email", "phone", "cio_id"]

# Assumed (addresses): what looks like one.
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")

# Keys of an identify body that steer it and are no attributes (Track API, identify).
STEERING = ("_update", "_timestamp", "cio_relationships")


def find(workspace: Workspace, value: str, id_type: str) -> Row | None:
    """Return a person by one identifier; `id_type` is id, email, phone or cio_id (bare).

    Assumed (phone numbers): a person is identified by their attribute `phone`.
    """
    if not value:
        return None
    column = "json_extract(attributes, '$.phone')" if id_type == "phone" else id_type
    return workspace.row(f"SELECT * FROM people WHERE {column} = ?", value)  # noqa: S608 - one of four


def by_shape(identifier: str | dict[IdType, str]) -> tuple[IdType, str]:
    """Return what a write identifies by: v1 tells the kinds apart by their shape, v2 names the kind."""
    if isinstance(identifier, dict):
        return next(iter(identifier.items()))
    if identifier.startswith("cio_"):
        return "cio_id", identifier.removeprefix("cio_")
    return ("email" if EMAIL.fullmatch(identifier) else "id"), identifier


def create(workspace: Workspace, **identifiers: str | None) -> Row:
    """Create a person; returns them."""
    cio_id, phone = _new_cio_id(workspace, identifiers), identifiers.get("phone")
    workspace.change(
        "INSERT INTO people VALUES (?, ?, ?, ?)",
        cio_id,
        identifiers.get("id"),
        identifiers.get("email"),
        json.dumps({"phone": phone} if phone else {}),
    )
    workspace.log("profile_create", cio_id)
    return workspace.rows("SELECT * FROM people WHERE cio_id = ?", cio_id)[0]


def _new_cio_id(workspace: Workspace, identifiers: dict[str, str | None]) -> str:
    """Return an id that depends on the identifiers, and how often they were created before."""
    before = 0
    while True:
        found = chance.cio_id(workspace.seed, *identifiers.items(), before)
        if workspace.row("SELECT 1 FROM log WHERE cio_id = ? LIMIT 1", found) is None:
            return found
        before += 1


def find_or_create(workspace: Workspace, identifier: str | dict[IdType, str]) -> Row | None:
    """Return the person a write names, made where new; None for a suppressed or unknown cio_id."""
    id_type, value = by_shape(identifier)
    if suppressed(workspace, value):
        return None
    found = find(workspace, value, id_type)
    return found or (None if id_type == "cio_id" else create(workspace, **{id_type: value}))


def suppressed(workspace: Workspace, identifier: str) -> bool:
    """Say whether an identifier is blocked."""
    known = (identifier, pseudonyms.of(workspace, identifier))
    return workspace.row("SELECT 1 FROM suppressed WHERE identifier IN (?, ?)", *known) is not None


@applies("identify")
def identify(workspace: Workspace, write: dict[str, Any]) -> None:
    """Create or update a person: by the path, else by an identifier in the body, else new. Documented.

    What conflicts is logged as a failed attribute change; the caller got its 200 already.
    Assumed (conflicts): it changes nothing else either.
    """
    body: dict[str, Any] = write["body"]
    id_type, value = by_shape(write["identifier"])
    if any(
        suppressed(workspace, name) for name in (value, str(body.get("id", "")), str(body.get("email", "")))
    ):
        return
    named = find(workspace, value, id_type)
    others = [
        other
        for kind in ("id", "email")
        if (other := find(workspace, str(body.get(kind) or ""), kind))
        and (not named or other["cio_id"] != named["cio_id"])
    ]
    if named is None and id_type == "cio_id":
        return
    if (named and others) or len({other["cio_id"] for other in others}) > 1:
        cio_id = named["cio_id"] if named else None
        drop(workspace, "failed_attribute_change", write, "identifiers conflict", cio_id=cio_id)
        return
    person = named or (others[0] if others else None)
    if person is None and body.get("_update") is True:
        drop(workspace, "failed_attribute_change", write, "there is no such person to update")
        return
    person = person or create(workspace, **{id_type: value})
    wanted = {id_type: value} if id_type in {"id", "email"} else {}
    wanted |= {kind: str(body[kind]) for kind in ("id", "email") if body.get(kind)}
    for kind, identifier in wanted.items():
        _set_identifier(workspace, person, kind, identifier, may_change=id_type == "cio_id")
    _set_attributes(workspace, person, body)
    relationships.relate(workspace, person["cio_id"], body.get("cio_relationships") or {})
    if body.get("anonymous_id"):
        visitors.merge(workspace, person["cio_id"], str(body["anonymous_id"]))


def _set_identifier(workspace: Workspace, person: Row, kind: str, value: str, *, may_change: bool) -> None:
    current = person[kind]
    same = current is not None and (current == value if kind == "id" else current.lower() == value.lower())
    if same:
        return
    if current and not may_change:
        # Documented: a set identifier changes only for who is addressed by cio_id.
        change = {kind: {"from": current, "to": value}, "reason": "identifier is already set"}
        workspace.enter("failed_attribute_change", person["cio_id"], kind, change)
        return
    workspace.change(f"UPDATE people SET {kind} = ? WHERE cio_id = ?", value, person["cio_id"])  # noqa: S608
    workspace.log("attribute_change", person["cio_id"], name=kind, to=value)


def _set_attributes(workspace: Workspace, person: Row, body: dict[str, Any]) -> None:
    attributes: dict[str, Any] = json.loads(person["attributes"])
    changes = {
        name: value for name, value in body.items() if name not in (*STEERING, "id", "email", "cio_id")
    }
    changes = subscriptions.whole(attributes, changes)
    at = body["_timestamp"] if isinstance(body.get("_timestamp"), int) else None
    for name in outdated(workspace, person["cio_id"], changes, at):
        del changes[name]
    for name, value in changes.items():
        before = attributes.get(name)
        if value is None or value == "":
            # Assumed (empty attributes): of people too. Documented: of objects.
            attributes.pop(name, None)
        else:
            attributes[name] = value
        if before != attributes.get(name):
            change = {"from": before, "to": attributes.get(name)}
            workspace.enter("attribute_change", person["cio_id"], name, change, at)
    workspace.change(
        "UPDATE people SET attributes = ? WHERE cio_id = ?", json.dumps(attributes), person["cio_id"]
    )


@applies("delete")
def delete(workspace: Workspace, write: dict[str, Any]) -> None:
    """Remove a person and all their data, which frees the identifiers.

    Assumed (deleting nobody): an unknown person is fine.
    """
    id_type, value = by_shape(write["identifier"])
    if person := find(workspace, value, id_type):
        for table in ("devices", "relationships", "members", "events", "people"):
            workspace.change(f"DELETE FROM {table} WHERE cio_id = ?", person["cio_id"])  # noqa: S608 - five names
        # Assumed (deleted customers): the log names who was deleted.
        workspace.log("profile_delete", person["cio_id"], identifiers=identifiers(person))


@applies("suppress")
def suppress(workspace: Workspace, write: dict[str, Any]) -> None:
    """Delete a person and block their id and email."""
    id_type, value = by_shape(write["identifier"])
    person = find(workspace, value, id_type)
    for identifier in (value, *((person["id"], person["email"]) if person else ())):
        if identifier is not None:
            workspace.change("INSERT OR IGNORE INTO suppressed VALUES (?)", identifier)
    entry = workspace.note("profile_suppress", person["cio_id"] if person else None, value)
    with workspace.because(entry):
        delete(workspace, write)


@applies("unsuppress")
def unsuppress(workspace: Workspace, write: dict[str, Any]) -> None:
    """Free an identifier; the profile does not come back."""
    _, identifier = by_shape(write["identifier"])
    known = (identifier, pseudonyms.of(workspace, identifier))
    workspace.change("DELETE FROM suppressed WHERE identifier IN (?, ?)", *known)


def identifiers(person: Row) -> dict[str, Any]:
    """Return a person's identifiers as the App API has them. Live: one that a person lacks is null."""
    return {"id": person["id"], "email": person["email"], "cio_id": person["cio_id"]}


def shown_id(person: Row) -> str:
    """Return a person's id where it stands outside of identifiers. Live: without one, the cio_id."""
    return str(person["id"] or person["cio_id"])


def attributes(workspace: Workspace, person: Row) -> dict[str, Any]:
    """Return a person's attributes as they are typed in the workspace, computed ones included."""
    known = {name: person[name] for name in ("id", "email", "cio_id") if person[name]}
    set_: dict[str, Any] = json.loads(person["attributes"])
    return known | set_ | computed.of(workspace, person["cio_id"])


def profile(workspace: Workspace, person: Row) -> dict[str, Any]:
    """Return a person as `GET …/attributes` does: every value as text, `unsubscribed` as a boolean.

    Live: without `customer` around it in a list of people; `timestamps` has the time of each change.
    """
    values = attributes(workspace, person)
    topics = subscriptions.computed(workspace, values)
    devices = workspace.rows("SELECT id, platform, last_used FROM devices WHERE cio_id = ?", person["cio_id"])
    changed = workspace.rows(
        "SELECT coalesce(name, 'cio_id') AS name, max(timestamp) AS at FROM log WHERE cio_id = ? "
        "AND kind IN ('profile_create', 'attribute_change') GROUP BY name",
        person["cio_id"],
    )
    at = {row["name"]: row["at"] for row in changed}
    return {
        "id": shown_id(person),
        "identifiers": identifiers(person),
        "attributes": {
            name: as_text(value) for name, value in (values | topics).items() if name != "anonymous_id"
        },
        "timestamps": {name: at.get(name, at.get("cio_id", 0)) for name in values},
        "unsubscribed": unsubscribed(values),
        "devices": [dict(device) for device in devices],
    }


def unsubscribed(values: dict[str, Any]) -> bool:
    """Say whether attributes mean unsubscribed: true in any case, and 1 (Track API, identify)."""
    return str(values.get("unsubscribed", "")).lower() in {"true", "1"}


def as_text(value: Any) -> str:
    """Return an attribute's value as the App API answers it."""
    return value if isinstance(value, str) else json.dumps(value)
