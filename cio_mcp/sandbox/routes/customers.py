"""Customers: written through Track, read through App."""

import json
from typing import Any

from cio_mcp.sandbox.http import ApiRequest, Routes, app_error, track_error
from cio_mcp.sandbox.state import devices, merges, people
from cio_mcp.sandbox.state.workspace import Row

routes = Routes()


def checked_identifier(asked: ApiRequest) -> str:
    """Return the identifier in a Track path; at most 150 bytes."""
    identifier = asked.ids["customer_id"]
    if len(identifier.encode()) > 150:
        raise track_error("id attribute cannot be longer than 150 bytes")
    return identifier


@routes("PUT", "/api/v1/customers/{customer_id}")
def identify(asked: ApiRequest) -> dict[str, Any]:
    """Check what Track checks at once, and accept the rest. Documented."""
    identifier, body = checked_identifier(asked), asked.json()
    if len(body) > 300:
        raise track_error("cannot identify more than 300 attributes in one request")
    for name, value in body.items():
        if len(name.encode()) > 150:
            raise track_error("attribute name cannot be longer than 150 bytes")
        if name in people.STEERING:
            continue
        if len((value if isinstance(value, str) else json.dumps(value)).encode()) > 1000:
            raise track_error(f"value for attribute '{name}' cannot be longer than 1000 bytes")
    if "id" in body and not isinstance(body["id"], str):
        raise track_error("id attribute must be a string value")
    if "cio_relationships" in body and not _are_relationships(body["cio_relationships"]):
        raise track_error("cio_relationships must have an action and relationships, each with identifiers")
    asked.workspace.accept("identify", {"identifier": identifier, "body": body})
    return {}


def _are_relationships(asked: Any) -> bool:
    return (
        isinstance(asked, dict)
        and asked.get("action") in {"add_relationships", "delete_relationships"}
        and isinstance(asked.get("relationships"), list)
        and all(
            isinstance(one, dict)
            and isinstance(one.get("identifiers"), dict)
            and one["identifiers"]
            and isinstance(one.get("relationship_attributes", {}), dict)
            for one in asked["relationships"]
        )
    )


@routes("DELETE", "/api/v1/customers/{customer_id}")
def delete(asked: ApiRequest) -> dict[str, Any]:
    """Accept a deletion. Documented."""
    asked.workspace.accept("delete", {"identifier": checked_identifier(asked)})
    return {}


@routes("POST", "/api/v1/customers/{customer_id}/suppress")
def suppress(asked: ApiRequest) -> dict[str, Any]:
    """Accept a suppression. Documented."""
    asked.workspace.accept("suppress", {"identifier": checked_identifier(asked)})
    return {}


@routes("POST", "/api/v1/customers/{customer_id}/unsuppress")
def unsuppress(asked: ApiRequest) -> dict[str, Any]:
    """Accept the end of a suppression. Documented."""
    asked.workspace.accept("unsuppress", {"identifier": checked_identifier(asked)})
    return {}


@routes("POST", "/api/v1/merge_customers")
def merge(asked: ApiRequest) -> dict[str, Any]:
    """Accept a merge; each side has one identifier, a cio_id without its prefix. Documented."""
    body = asked.json()
    for which in ("primary", "secondary"):
        named = body.get(which)
        if not isinstance(named, dict) or len(named) != 1 or not {"id", "email", "cio_id"} >= named.keys():
            raise track_error(f"{which} must have exactly one of id, email, cio_id")
        if not all(isinstance(value, str) and value for value in named.values()):
            raise track_error(f"{which} must be identified by a string")
    asked.workspace.accept(merges.MERGE, {which: body[which] for which in ("primary", "secondary")})
    return {}


@routes("PUT", "/api/v1/customers/{customer_id}/devices")
def add_device(asked: ApiRequest) -> dict[str, Any]:
    """Accept a device. Documented."""
    device = asked.json().get("device")
    if (
        not isinstance(device, dict)
        or not device.get("id")
        or device.get("platform") not in {"ios", "android"}
    ):
        raise track_error("device must have an id and a platform of ios or android")
    asked.workspace.accept(devices.ADD, {"identifier": checked_identifier(asked), "device": device})
    return {}


@routes("DELETE", "/api/v1/customers/{customer_id}/devices/{device_id}")
def delete_device(asked: ApiRequest) -> dict[str, Any]:
    """Accept the end of a device. Documented."""
    write = {"identifier": checked_identifier(asked), "device_id": asked.ids["device_id"]}
    asked.workspace.accept(devices.DELETE, write)
    return {}


@routes("GET", "/api/v1/accounts/region")
def region(asked: ApiRequest) -> dict[str, Any]:
    """Answer where the workspace is. Documented."""
    host = "track-eu" if asked.workspace.region == "eu" else "track"
    return {"url": f"https://{host}.customer.io", "region": asked.workspace.region, "environment_id": 1}


def person(asked: ApiRequest) -> Row:
    """Return who an App path names; `id_type` is id by default (documented).

    Assumed (unknown customers): the 404 is told as for anything else.
    """
    found = people.find(asked.workspace, asked.ids["customer_id"], _id_type(asked))
    if found is None:
        raise app_error("not found", 404)
    return found


def _id_type(asked: ApiRequest) -> str:
    id_type = asked.query.get("id_type", "id")
    if id_type not in {"id", "email", "phone", "cio_id"}:
        raise app_error(f"id_type {id_type} is not an identifier of this workspace", 400)
    return id_type


@routes("GET", "/v1/customers/{customer_id}/attributes")
def attributes(asked: ApiRequest) -> dict[str, Any]:
    """Answer a person's profile. Documented."""
    return {"customer": people.profile(asked.workspace, person(asked))}


@routes("GET", "/v1/customers")
def by_email(asked: ApiRequest) -> dict[str, Any]:
    """Answer who has an address. Live, recorded: the list is empty and not null for nobody."""
    found = people.find(asked.workspace, asked.query.get("email", ""), "email")
    return {"results": [people.identifiers(found)] if found else []}


@routes("POST", "/v1/customers/attributes")
def many_attributes(asked: ApiRequest) -> dict[str, Any]:
    """Answer the profiles of up to 100 people.

    Live: who is unknown is left out, and none is wrapped in `customer` as the documents have it.
    """
    ids = asked.json().get("ids")
    if not isinstance(ids, list) or not 0 < len(ids) <= 100:
        raise app_error("ids must be 1 to 100 strings", 400)
    found = (people.find(asked.workspace, str(name), _id_type(asked)) for name in ids)
    return {"customers": [people.profile(asked.workspace, person) for person in found if person]}
