"""Objects, and people's relationships to them. An object is there once it is written or related to."""

import json
from collections.abc import Iterator
from typing import Any

from cio_mcp.sandbox.state.workspace import Row, Workspace


def relate(workspace: Workspace, cio_id: str, asked: dict[str, Any]) -> None:
    """Add or remove relationships as `cio_relationships` of an identify asks. Documented.

    Assumed (unknown objects): what names none is logged as a failed attribute change.
    """
    removes = asked.get("action") == "delete_relationships"
    for relationship in asked.get("relationships") or []:
        named = relationship["identifiers"]
        found = object_number(workspace, named)
        if found is None:
            told = {"reason": "there is no such object or object type", "identifiers": named}
            workspace.enter("failed_attribute_change", cio_id, None, told)
        elif removes:
            remove(workspace, cio_id, found)
        else:
            add(workspace, cio_id, found, relationship.get("relationship_attributes") or {})


def object_number(workspace: Workspace, named: dict[str, Any]) -> int | None:
    """Return the number of an object, which is made where it is new and named by type and id."""
    if "cio_object_id" in named:
        number = str(named["cio_object_id"]).removeprefix("ob")
        row = workspace.row("SELECT number FROM objects WHERE number = ?", number)
        return int(row["number"]) if row else None
    type_id, name = str(named.get("object_type_id", "")), str(named.get("object_id", ""))
    known = any(str(thing["id"]) == type_id for thing in workspace.things("object_type"))
    if not name or not known:
        return None
    workspace.change(
        "INSERT OR IGNORE INTO objects (object_type_id, object_id) VALUES (?, ?)", int(type_id), name
    )
    number = "SELECT number FROM objects WHERE object_type_id = ? AND object_id = ?"
    return int(workspace.rows(number, int(type_id), name)[0]["number"])


def remove(workspace: Workspace, cio_id: str, object_: int) -> None:
    """End a person's relationship to an object."""
    workspace.change("DELETE FROM relationships WHERE cio_id = ? AND object = ?", cio_id, object_)


def add(workspace: Workspace, cio_id: str, object_: int, attributes: dict[str, Any]) -> None:
    """Relate a person to an object; null and an empty text remove an attribute of the relationship."""
    row = workspace.row(
        "SELECT attributes FROM relationships WHERE cio_id = ? AND object = ?", cio_id, object_
    )
    kept = merged(row["attributes"] if row else "{}", attributes)
    workspace.change(
        "INSERT INTO relationships (cio_id, object, attributes) VALUES (?, ?, ?) "
        "ON CONFLICT (cio_id, object) DO UPDATE SET attributes = excluded.attributes",
        cio_id,
        object_,
        json.dumps(kept),
    )


def merged(stored: str, changes: dict[str, Any]) -> dict[str, Any]:
    """Return attributes with what changes; null and an empty text remove one (Track API, entity)."""
    attributes = json.loads(stored) | changes
    return {name: value for name, value in attributes.items() if value not in (None, "")}


def listed(workspace: Workspace, person: Row) -> Iterator[tuple[tuple[int, int], dict[str, Any]]]:
    """Yield a person's relationships with their keys, newest first, as `GET …/relationships` does."""
    for row in workspace.rows(
        "SELECT relationships.number, relationships.attributes, objects.number AS object, object_type_id, "
        "object_id FROM relationships JOIN objects ON objects.number = object WHERE cio_id = ? "
        "ORDER BY relationships.number DESC",
        person["cio_id"],
    ):
        yield (
            (row["number"], 0),
            {
                "object_type_id": str(row["object_type_id"]),
                "identifiers": {"object_id": row["object_id"], "cio_object_id": f"ob{row['object']}"},
                "attributes": json.loads(row["attributes"]),
                "timestamps": {},
            },
        )
