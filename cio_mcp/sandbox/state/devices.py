"""Devices, which get push messages."""

from typing import Any

from cio_mcp.sandbox.state import people
from cio_mcp.sandbox.state.workspace import Workspace, applies

ADD, DELETE = "add_device", "delete_device"


@applies(ADD)
def add_device(workspace: Workspace, write: dict[str, Any]) -> None:
    """Add or update a device."""
    device = write["device"]
    if person := people.find_or_create(workspace, write["identifier"]):
        workspace.change(
            "INSERT OR REPLACE INTO devices VALUES (?, ?, ?, ?)",
            person["cio_id"],
            device["id"],
            device.get("platform"),
            device.get("last_used"),
        )


@applies(DELETE)
def delete_device(workspace: Workspace, write: dict[str, Any]) -> None:
    """Remove a device."""
    id_type, value = people.by_shape(write["identifier"])
    if person := people.find(workspace, value, id_type):
        workspace.change(
            "DELETE FROM devices WHERE cio_id = ? AND id = ?", person["cio_id"], write["device_id"]
        )
