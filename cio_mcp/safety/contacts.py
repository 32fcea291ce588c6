"""By what a finished request lets people be reached later: addresses, numbers, devices."""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from cio_mcp.client.call import Outgoing
from cio_mcp.safety.recipients import path_of
from cio_mcp.toolkit.audience import DEVICE

# Routes that change people, one or many in a request.
_PERSON = re.compile(r"/api/v1/customers/[^/]+(/events)?")
_DEVICES = re.compile(r"/api/v1/customers/[^/]+/devices")
_IMPORTS = re.compile(r"/v1/imports")
_ENTITIES = re.compile(r"/api/v2/(entity|batch)")
_SUPPRESSION = re.compile(r"/v1/esp/suppression/[^/]+/[^/]+")

# Attributes that messages go to.
_CONTACTS = {"email", "phone"}


def addresses_set(request: Outgoing | None) -> list[str]:
    """Return the addresses, phone numbers and devices that a request gives to people, as a send has them.

    An address that mail did not go to any more counts as given when it does again.
    """
    if request is None:
        return []
    path, body = path_of(request.url), request.body or {}
    if request.method == "DELETE":
        return [unquote(path.rpartition("/")[2])] if _SUPPRESSION.fullmatch(path) else []
    if _ENTITIES.fullmatch(path):
        entries = body.get("batch", [body])
        return [who for entry in entries if isinstance(entry, dict) for who in _given_to(entry)]
    if _DEVICES.fullmatch(path):
        return list(_tokens(body.get("device"), "id"))
    if not _PERSON.fullmatch(path):
        return ["whoever the file names"] if _IMPORTS.fullmatch(path) else []
    name = unquote(path.split("/")[4])  # whom it names is created if there is nobody, by an event as well
    return [*_contacts(body), *([name] if "@" in name and not body.get("_update") else [])]


def _given_to(entry: Mapping[str, Any]) -> Iterator[str]:
    """Yield what an entity of the Track API's second version is given."""
    attributes = entry.get("attributes")
    attributes = attributes if isinstance(attributes, dict) else {}
    if entry.get("type") == "person" and entry.get("action") == "identify":
        yield from _contacts(attributes)
        if not attributes.get("_update") and isinstance(who := entry.get("identifiers"), dict):
            yield from _contacts(who)
    if entry.get("type") == "object" and entry.get("action") != "delete_relationships":
        for relationship in entry.get("cio_relationships") or ():  # who is unknown is created
            yield from _contacts(relationship.get("identifiers") or {})
    yield from _tokens(entry.get("device"), "token")
    if entry.get("action") in {"event", "page", "screen"}:
        if isinstance(who := entry.get("identifiers"), dict):
            yield from _contacts(who)
        if "recipient" in attributes:
            yield str(attributes["recipient"])


def _contacts(attributes: Mapping[str, Any]) -> Iterator[str]:
    for name, value in attributes.items():
        if name.strip().lower() in _CONTACTS and value not in (None, ""):
            yield str(value)


def _tokens(device: Any, name: str) -> Iterator[str]:
    if isinstance(device, dict):
        yield f"{DEVICE}{device.get(name)}"
