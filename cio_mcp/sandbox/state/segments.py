"""Segments and audience filters: which people fit, and who is put in by hand."""

from typing import Any

from cio_mcp.sandbox.engine import conditions
from cio_mcp.sandbox.engine.profile import Profile
from cio_mcp.sandbox.state import people
from cio_mcp.sandbox.state.workspace import Row, Workspace, applies

MEMBERS = "members"


class WrongFilter(Exception):
    """A filter that the App API would refuse."""


def audience(workspace: Workspace, condition: dict[str, Any]) -> list[Row]:
    """Return the people that fit a filter; raises WrongFilter, for an unknown segment too."""
    check(workspace, condition)
    return [
        row
        for row in workspace.rows("SELECT rowid AS number, * FROM people ORDER BY rowid")
        if conditions.fits(workspace, Profile(workspace, row), condition)
    ]


def check(workspace: Workspace, condition: Any) -> None:
    """Raise WrongFilter unless a filter has one key of and, or, not, segment, attribute, all the way down."""
    if not isinstance(condition, dict) or len(condition) != 1:
        raise WrongFilter("a filter has exactly one of and, or, not, segment, attribute")
    ((key, value),) = condition.items()
    if key in {"and", "or"} and isinstance(value, list) and value:
        for part in value:
            check(workspace, part)
    elif key == "not":
        check(workspace, value)
    elif key == "segment" and isinstance(value, dict):
        if not isinstance(value.get("id"), int) or workspace.thing("segment", value["id"]) is None:
            raise WrongFilter("segment does not exist")
    elif key == "attribute" and isinstance(value, dict):
        if not isinstance(value.get("field"), str) or value.get("operator") not in {"eq", "exists"}:
            raise WrongFilter("an attribute condition has field and operator eq or exists")
    else:
        raise WrongFilter(f"{key} is not a filter")


def in_segment(workspace: Workspace, person: Row, segment: dict[str, Any]) -> bool:
    """Say whether a person is in a segment."""
    return conditions.in_segment(workspace, Profile(workspace, person), segment)


@applies(MEMBERS)
def change_members(workspace: Workspace, write: dict[str, Any]) -> None:
    """Put people into a manual segment, or take them out; an id that names nobody is skipped."""
    statement = (
        "DELETE FROM members WHERE segment_id = ? AND cio_id = ?"
        if write.get("remove")
        else "INSERT OR IGNORE INTO members VALUES (?, ?)"
    )
    kind = "segment_left" if write.get("remove") else "segment_entered"
    for name in write["ids"]:
        person = people.find(workspace, name, write["id_type"])
        if person and workspace.change(statement, write["segment_id"], person["cio_id"]):
            workspace.note(kind, person["cio_id"], str(write["segment_id"]))


def create(workspace: Workspace, name: str, description: str) -> dict[str, Any]:
    """Make an empty manual segment; returns it."""
    number = workspace.next_number("segment")
    now = workspace.now()
    segment = {
        "id": number,
        "deduplicate_id": f"{number}:{now}",
        "name": name,
        "description": description,
        "type": "manual",
        "state": "finished",
        "progress": None,
        "tags": None,
        "created_at": now,
        "updated_at": now,
    }
    workspace.configure("segment", segment)
    return segment


def delete(workspace: Workspace, segment_id: int) -> None:
    """Remove a segment; its people stay."""
    workspace.remove("segment", segment_id)
    workspace.change("DELETE FROM members WHERE segment_id = ?", segment_id)
