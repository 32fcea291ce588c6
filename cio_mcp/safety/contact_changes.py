"""By what a finished request lets people be reached later: addresses, numbers, devices, subscriptions."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote

from cio_mcp.client import AnyIdType, AppApi
from cio_mcp.client.call import Outgoing
from cio_mcp.safety.bounds import Bounds, profiles_of
from cio_mcp.safety.recipients import EVENTS, path_of
from cio_mcp.toolkit.people.audience import DEVICE
from cio_mcp.toolkit.people.consequences import Consequence

# Routes that change people, one or many in a request.
_PERSON = re.compile(r"/api/v1/customers/[^/]+(/events|/devices)?")
_UNSUPPRESSED = re.compile(r"/api/v1/customers/[^/]+/unsuppress")
_LINKED = re.compile(r"/v1/subscription_center/([^/]+)/token")
_MERGED = re.compile(r"/api/v1/merge_customers")
_IMPORTS = re.compile(r"/v1/imports")
_ENTITIES = re.compile(r"/api/v2/(entity|batch)")
_SUPPRESSION = re.compile(r"/v1/esp/suppression/[^/]+/[^/]+")

# Whom a request names is created if there is nobody, but by these actions.
_CREATES_NOBODY = {"delete", "delete_device", "merge", "suppress", "unsuppress"}

# Attributes that messages go to, and those that say whether any do.
_CONTACTS = {"email", "phone"}
UNSUBSCRIBED, PREFERENCES = "unsubscribed", "cio_subscription_preferences"

# What counts as true where somebody is unsubscribed (Track API, "identify"); anything else subscribes them.
_TRUE = {"true", "1"}


@dataclass(frozen=True)
class Again:
    """Somebody who can get messages again; `addressed` if the request gives them the address.

    With `devices`, theirs become somebody else's.
    """

    id_type: AnyIdType
    name: str
    addressed: bool = False
    devices: bool = False


async def check_contacts(bounds: Bounds, request: Outgoing | None, app: AppApi | None) -> None:
    """Raise NotAllowed if a request lets somebody be reached who is not on the list of `bounds`.

    `app` looks up the addresses and numbers of those who can get messages again.
    """
    if not bounds.allowed or request is None:
        return
    bounds.check_set(addresses_set(request))
    people, found = list(reached_again(request)), list[str]()
    for id_type in dict.fromkeys(one.id_type for one in people):
        some = [one for one in people if one.id_type == id_type]
        profiles = await profiles_of(app, id_type, [one.name for one in some])
        for one, theirs in zip(some, profiles, strict=True):
            named = [one.name] if id_type in _CONTACTS else []
            contacts = [each.fields("attributes") for each in theirs]
            named += [at for each in contacts for name in _CONTACTS if (at := each.text(name))]
            found += named or ([] if one.addressed else [""])
            if one.devices:
                found += [
                    f"{DEVICE}{has.text('id')}" for each in theirs for has in each.objects("devices") or ()
                ]
    bounds.check_set(found)


def holds(consequence: Consequence, request: Outgoing | None) -> bool:
    """Say whether a tool's consequence can come of a request: most attributes subscribe nobody."""
    if consequence is not Consequence.SUBSCRIPTIONS or request is None or request.body is None:
        return True
    return any(reached_again(request))


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
        for entry in _entities(body):
            yield from _given_to(entry)
    elif _IMPORTS.fullmatch(path):
        yield "the people named in the file"
    elif route := _PERSON.fullmatch(path):
        yield from _tokens(body.get("device"), "id") if route[1] == "/devices" else _contacts(body)
        name = unquote(path.split("/")[4])
        if "@" in name and (route[1] or not body.get("_update")):
            yield name


def _entities(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what a request of the Track API's second version is about: one entity, or a batch of them."""
    return [entry for entry in body.get("batch", [body]) if isinstance(entry, dict)]


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
        if bare_name(name) in _CONTACTS and value not in (None, ""):
            yield str(value)


def bare_name(name: str) -> str:
    """Return an attribute's name as whoever reads it generously would: without case, blanks and odd forms."""
    kept = (char for char in unicodedata.normalize("NFKC", name) if unicodedata.category(char)[0] not in "CZ")
    return "".join(kept).lower()


def reached_again(request: Outgoing) -> Iterator[Again]:
    """Yield whom a request subscribes or no longer suppresses, and whose contacts another takes over."""
    path, body = path_of(request.url), request.body or {}
    if _MERGED.fullmatch(path):
        yield from _merged(body)
    elif _ENTITIES.fullmatch(path):
        for entry in _entities(body):
            attributes, action = entry.get("attributes"), entry.get("action")
            opens = action == "unsuppress" or (action == "identify" and _subscribes(attributes))
            if entry.get("type") == "person" and opens:
                yield from _identified(entry.get("identifiers"), attributes)
            elif action == "merge":
                yield from _merged(entry)
    elif link := _LINKED.fullmatch(path):
        yield from _in_path(link[1])
    elif _UNSUPPRESSED.fullmatch(path) or (_PERSON.fullmatch(path) and _subscribes(body)):
        yield from _in_path(path.split("/")[4], body)


def _in_path(part: str, attributes: Any = None) -> Iterator[Again]:
    """Yield whom a part of a path names; the APIs tell the kind of identifier by its form."""
    name = unquote(part)
    kind = "cio_id" if name.startswith("cio_") else "email" if "@" in name else "id"
    yield from _identified({kind: name.removeprefix("cio_")}, attributes)


def _merged(merge: Mapping[str, Any]) -> Iterator[Again]:
    yield from (replace(one, devices=True) for one in _identified(merge.get("secondary")))


def _identified(identifiers: Any, attributes: Any = None) -> Iterator[Again]:
    for id_type, name in identifiers.items() if isinstance(identifiers, dict) else ():
        yield Again(id_type, name, any(_contacts(attributes)))


def _subscribes(attributes: Any) -> bool:
    """Say whether attributes let a person be reached who was not."""
    for name, value in attributes.items() if isinstance(attributes, dict) else ():
        if bare_name(name) == UNSUBSCRIBED and str(value).lower() not in _TRUE:
            return True
        if bare_name(name).startswith(PREFERENCES) and _chooses(value):
            return True
    return False


def _chooses(value: Any) -> bool:
    """Say whether a topic, or one of several, is anything but turned off; none at all are as at first."""
    return any(map(_chooses, value.values())) if isinstance(value, dict) and value else value is not False


def _tokens(device: Any, name: str) -> Iterator[str]:
    if isinstance(device, dict):
        yield f"{DEVICE}{device.get(name)}"
