"""By what a finished request lets people be reached later: addresses, numbers, devices."""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from cio_mcp.client.call import Outgoing
from cio_mcp.safety.recipients import EVENTS, path_of
from cio_mcp.toolkit.audience import DEVICE

# Routes that change people, one or many in a request.
_PERSON = re.compile(r"/api/v1/customers/[^/]+(/events|/devices)?")
_IMPORTS = re.compile(r"/v1/imports")
_ENTITIES = re.compile(r"/api/v2/(entity|batch)")
_SUPPRESSION = re.compile(r"/v1/esp/suppression/[^/]+/[^/]+")

# Whom a request names is created if there is nobody, but by these actions.
_CREATES_NOBODY = {"delete", "delete_device", "merge", "suppress", "unsuppress"}

# Attributes that messages go to.
_CONTACTS = {"email", "phone"}


def addresses_set(request: Outgoing | None) -> list[str]:
    """Return the addresses, phone numbers and devices that a request gives to people, as a send has them.

    An address that mail did not go to any more counts as given when it does again.
    """
    return list(_set_by(request)) if request else []


def _set_by(request: Outgoing) -> Iterator[str]:
    path, body = path_of(request.url), request.body or {}
    if request.method == "DELETE":
        if _SUPPRESSION.fullmatch(path):
            yield unquote(path.rpartition("/")[2])
    elif _ENTITIES.fullmatch(path):
        for entry in body.get("batch", [body]):
            if isinstance(entry, dict):
                yield from _given_to(entry)
    elif _IMPORTS.fullmatch(path):
        yield "the people named in the file"
    elif route := _PERSON.fullmatch(path):
        yield from _tokens(body.get("device"), "id") if route[1] == "/devices" else _contacts(body)
        name = unquote(path.split("/")[4])
        if "@" in name and (route[1] or not body.get("_update")):
            yield name


def _given_to(entry: Mapping[str, Any]) -> Iterator[str]:
    """Yield what an entity of the Track API's second version is given."""
    action, attributes = entry.get("action"), entry.get("attributes")
    attributes = attributes if isinstance(attributes, dict) else {}
    identifies = entry.get("type") == "person" and action == "identify"
    if identifies:
        yield from _contacts(attributes)
    if action not in _CREATES_NOBODY and not (identifies and attributes.get("_update")):
        yield from _contacts(entry.get("identifiers"))
    if entry.get("type") == "object" and action != "delete_relationships":
        for relationship in entry.get("cio_relationships") or ():
            yield from _contacts(relationship.get("identifiers"))
    yield from _tokens(entry.get("device"), "token")
    if action in EVENTS and "recipient" in attributes:
        yield str(attributes["recipient"])


def _contacts(attributes: Any) -> Iterator[str]:
    for name, value in attributes.items() if isinstance(attributes, dict) else ():
        if name.strip().lower() in _CONTACTS and value not in (None, ""):
            yield str(value)


def _tokens(device: Any, name: str) -> Iterator[str]:
    if isinstance(device, dict):
        yield f"{DEVICE}{device.get(name)}"
