"""Devices, which get push messages."""

from typing import Any

from cio_mcp.sandbox.state import people
from cio_mcp.sandbox.state.workspace import Row, Workspace, applies

ADD, DELETE = "add_device", "delete_device"


@applies(ADD)
def add_device(workspace: Workspace, write: dict[str, Any]) -> None:
    """Add or update a device."""
    if person := people.find_or_create(workspace, write["identifier"]):
        put(workspace, person, write["device"])


def put(workspace: Workspace, person: Row, device: dict[str, Any]) -> None:
    """Add or update a device of a person."""
    workspace.change(
        "INSERT OR REPLACE INTO devices VALUES (?, ?, ?, ?)",
        person["cio_id"],
        device["id"],
        device.get("platform"),
        device.get("last_used"),
    )


def has(workspace: Workspace, person: Row, token: str) -> bool:
    """Say whether a person has a device."""
    found = "SELECT 1 FROM devices WHERE cio_id = ? AND id = ?"
    return workspace.row(found, person["cio_id"], token) is not None


@applies(DELETE)
def delete_device(workspace: Workspace, write: dict[str, Any]) -> None:
    """Remove a device."""
    id_type, value = people.by_shape(write["identifier"])
    if person := people.find(workspace, value, id_type):
        workspace.change(
            "DELETE FROM devices WHERE cio_id = ? AND id = ?", person["cio_id"], write["device_id"]
        )
