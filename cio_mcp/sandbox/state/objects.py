"""Objects, such as companies: their attributes, and the people who are related to them."""

import json
from collections.abc import Iterator
from typing import Any

from cio_mcp.sandbox.state import people, relationships
from cio_mcp.sandbox.state.segments import WrongFilter
from cio_mcp.sandbox.state.workspace import Row, Workspace, applies

# Of what Track v2 does to objects, the kinds of writes that wait to be applied.
IDENTIFY, DELETE, RELATE = "object", "object_delete", "object_relate"

OPERATORS = {"eq", "exists"}


@applies(IDENTIFY)
def identify(workspace: Workspace, write: dict[str, Any]) -> None:
    """Create or update an object, and relate people to it. What has no type is skipped, and logged."""
    if (number := _named(workspace, write)) is None:
        return
    row = workspace.rows("SELECT attributes FROM objects WHERE number = ?", number)[0]
    attributes = relationships.merged(row["attributes"], write["body"].get("attributes") or {})
    workspace.change("UPDATE objects SET attributes = ? WHERE number = ?", json.dumps(attributes), number)
    _relate(workspace, number, write["body"], removes=False)


@applies(RELATE)
def relate(workspace: Workspace, write: dict[str, Any]) -> None:
    """Add or remove relationships of an object to people."""
    if (number := _named(workspace, write)) is not None:
        removes = write["body"]["action"] == "delete_relationships"
        _relate(workspace, number, write["body"], removes=removes)


@applies(DELETE)
def delete(workspace: Workspace, write: dict[str, Any]) -> None:
    """Remove an object and all relationships to it."""
    if row := find(workspace, write["identifiers"]):
        for table, column in (
            ("relationships", "object"),
            ("anonymous_relationships", "object"),
            ("objects", "number"),
        ):
            workspace.change(f"DELETE FROM {table} WHERE {column} = ?", row["number"])  # noqa: S608 - three names


def _named(workspace: Workspace, write: dict[str, Any]) -> int | None:
    number = relationships.object_number(workspace, write["identifiers"])
    if number is None:
        told = {"reason": "there is no such object or object type", "identifiers": write["identifiers"]}
        workspace.enter("failed_attribute_change", None, None, told)
    return number


def _relate(workspace: Workspace, number: int, body: dict[str, Any], *, removes: bool) -> None:
    """Relate people, and visitors, to an object (documented).

    Assumed (members of objects): an unknown person is created, as an event creates one.
    """
    for relationship in body.get("cio_relationships") or []:
        named = relationship["identifiers"]
        attributes = relationship.get("relationship_attributes") or {}
        if "anonymous_id" in named:
            workspace.change(
                "INSERT OR REPLACE INTO anonymous_relationships VALUES (?, ?, ?)",
                named["anonymous_id"],
                number,
                json.dumps(attributes),
            )
        elif removes:
            if person := people.find(workspace, *reversed(people.by_shape(named))):
                relationships.remove(workspace, person["cio_id"], number)
        elif person := people.find_or_create(workspace, named):
            relationships.add(workspace, person["cio_id"], number, attributes)


def find(workspace: Workspace, named: dict[str, Any]) -> Row | None:
    """Return an object by its type and id, or by Customer.io's own id; None where there is none."""
    if "cio_object_id" in named:
        number = str(named["cio_object_id"]).removeprefix("ob")
        return workspace.row("SELECT * FROM objects WHERE number = ?", number)
    return workspace.row(
        "SELECT * FROM objects WHERE object_type_id = ? AND object_id = ?",
        str(named["object_type_id"]),
        named["object_id"],
    )


def identifiers(row: Row) -> dict[str, str]:
    """Return an object's identifiers as the App API has them."""
    return {"object_id": row["object_id"], "cio_object_id": f"ob{row['number']}"}


def members(workspace: Workspace, row: Row) -> Iterator[tuple[tuple[int, int], dict[str, Any]]]:
    """Yield the people who are related to an object with their keys, newest first."""
    for found in workspace.rows(
        "SELECT relationships.number, people.* FROM relationships JOIN people USING (cio_id) "
        "WHERE object = ? ORDER BY relationships.number DESC",
        row["number"],
    ):
        who = {name: value or None for name, value in people.identifiers(found).items()}
        yield (
            (found["number"], 0),
            {
                "object_type_id": str(row["object_type_id"]),
                "identifiers": who,
                "object_type_disabled": False,
            },
        )


def matching(
    workspace: Workspace, type_id: str, condition: dict[str, Any]
) -> Iterator[tuple[tuple[int, int], dict[str, str]]]:
    """Yield the identifiers of the objects of a type that fit a filter with their keys, newest first.

    Raises WrongFilter.
    """
    rows = workspace.rows("SELECT * FROM objects WHERE object_type_id = ? ORDER BY number DESC", type_id)
    _fits(condition, type_id, {})
    for row in rows:
        if _fits(condition, type_id, {"object_id": row["object_id"]} | json.loads(row["attributes"])):
            yield (row["number"], 0), identifiers(row)


def _fits(condition: dict[str, Any], type_id: str, attributes: dict[str, Any]) -> bool:
    match condition:
        case {"and": [*parts], **others} if parts and not others:
            found = [_fits(part, type_id, attributes) for part in parts]  # each is checked
            return all(found)
        case {"or": [*parts], **others} if parts and not others:
            found = [_fits(part, type_id, attributes) for part in parts]
            return any(found)
        case {"not": dict(part), **others} if not others:
            return not _fits(part, type_id, attributes)
        case {"object_attribute": dict(asked), **others} if not others:
            if asked.get("type_id") != type_id or asked.get("operator") not in OPERATORS:
                raise WrongFilter("type_id must equal object_type_id, and operator be eq or exists")
            value = attributes.get(asked.get("field", ""))
            wanted = asked.get("value")
            return value is not None if asked["operator"] == "exists" else people.as_text(value) == wanted
    raise WrongFilter("filter must have exactly one of and, or, not, object_attribute")
