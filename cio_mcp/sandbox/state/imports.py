"""Imports of CSV files at an address. The sandbox leads nowhere: it knows the files that it holds itself."""

import csv
import io
from typing import Any

from cio_mcp.sandbox.state import objects
from cio_mcp.sandbox.state.workspace import Workspace

# The states of an import (documented). Assumed (speed of imports): after how many seconds each is there.
STATES = ((0, "preprocessing"), (2, "preprocessed"), (4, "validating"), (6, "validated"), (8, "importing"))
IMPORTED_AFTER = 12

# The files there are, by address.
FILES = {
    "https://files.sandbox.invalid/leads.csv": (
        "id,email,plan\nlead_1,lead1@example.com,trial\nlead_2,lead2@example.com,trial\n,nobody@example.com,x\n"
    ),
    "https://files.sandbox.invalid/orders.csv": (
        "id,name,total\nu_1001,imported_order,20\nu_9999,imported_order,5\n"
    ),
    "https://files.sandbox.invalid/companies.csv": "object_id,name,plan\nnova,Nova,pro\n",
    "https://files.sandbox.invalid/staff.csv": "id,object_id,role\nu_1001,nova,owner\n",
}

UNREADABLE = "the file could not be downloaded"


def start(workspace: Workspace, asked: dict[str, Any]) -> dict[str, Any]:
    """Start an import; returns it. Assumed (imports): what its rows do is accepted at once."""
    text = FILES.get(asked["data_file_url"])
    rows: list[dict[str, str]] = list(csv.DictReader(io.StringIO(text or "")))
    done = sum(_accept(workspace, asked, row) for row in rows)
    found: dict[str, Any] = {
        "id": workspace.next_number("import"),
        "data_to_process": asked.get("data_to_process", "all"),
        "people_to_process": asked.get("data_to_process", "all"),
        "description": asked.get("description", ""),
        "rows": len(rows),
        "done": done,
        "error": "" if text is not None else UNREADABLE,
        "created_at": workspace.now(),
    }
    found |= {name: asked[name] for name in ("name", "type", "identifier", "object_type_id") if name in asked}
    workspace.configure("import", found)
    return found


def public(workspace: Workspace, found: dict[str, Any]) -> dict[str, Any]:
    """Return an import as the API has it."""
    age = workspace.now() - found["created_at"]
    state = next(name for after, name in reversed(STATES) if age >= after)
    ended = age >= IMPORTED_AFTER or (found["error"] and age >= STATES[1][0])
    if ended:
        state = "failed" if found["error"] else "imported"
    told = {name: value for name, value in found.items() if name not in {"rows", "done", "error"}}
    return told | {
        "state": state,
        "rows_to_import": found["rows"] if age >= STATES[3][0] else 0,
        "rows_imported": found["done"] if ended else 0,
        "error": found["error"] if ended else "",
        "updated_at": workspace.now(),
    }


def _accept(workspace: Workspace, asked: dict[str, Any], row: dict[str, str]) -> bool:
    """Accept what a row says; say whether it says anything."""
    kind, body = asked["type"], dict[str, Any]()
    if kind == "object":
        attributes = {name: value for name, value in row.items() if name != "object_id"}
        named = {"object_type_id": asked["object_type_id"], "object_id": row["object_id"]}
        workspace.accept(objects.IDENTIFY, {"identifiers": named, "body": {"attributes": attributes}})
        return True
    who = row.pop(asked["identifier"], "")
    if not who:
        return False
    identifier: dict[str, Any] = {asked["identifier"]: who}
    if kind == "people":
        known: dict[str, Any] = {"_update": True} if asked.get("data_to_process") == "only_existing" else {}
        workspace.accept("identify", {"identifier": identifier, "body": row | known})
    elif kind == "event":
        if workspace.row(f"SELECT 1 FROM people WHERE {asked['identifier']} = ?", who) is None:  # noqa: S608
            return False  # documented: existing people only
        body = {"name": row.pop("name", ""), "type": "event", "data": row}
        workspace.accept("event", {"identifier": identifier, "body": body})
    else:
        named = {"object_type_id": asked["object_type_id"], "object_id": row.pop("object_id")}
        related: list[Any] = [{"identifiers": identifier, "relationship_attributes": row}]
        body = {"action": "add_relationships", "cio_relationships": related}
        workspace.accept(objects.RELATE, {"identifiers": named, "body": body})
    return True
