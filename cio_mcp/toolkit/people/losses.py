"""What is lost with a customer who is deleted or merged into another."""

import asyncio
from typing import Any

from cio_mcp.client import AnyIdType, AppApi
from cio_mcp.errors import Refused
from cio_mcp.toolkit.answers.reading import Fields
from cio_mcp.toolkit.people.consequences import Outlook
from cio_mcp.toolkit.people.profiles import NAMES

UNKNOWN = "no such customer"

# Customer.io's own attributes.
OWN = "_cio_", "cio_subscription_preferences"


async def whom(app: AppApi, customer_id: str, id_type: AnyIdType) -> dict[str, str] | None:
    """Return a customer's names and identifiers; None if there is no such customer."""
    profile = await _profile(app, customer_id, id_type)
    return None if profile is None else _whom(profile)


async def of_customer(app: AppApi, customer_id: str, id_type: AnyIdType) -> Outlook:
    """Return what is lost with a customer."""
    profile = await _profile(app, customer_id, id_type)
    if profile is None:
        return Outlook(whom=UNKNOWN)
    return Outlook(whom=_whom(profile), loses=_values(profile) | _devices(profile))


async def of_merge(
    app: AppApi, customer_id: str, id_type: AnyIdType, secondary_id: str, secondary_id_type: AnyIdType
) -> Outlook:
    """Return what of a duplicate is lost in a merge: the values of which the other customer has own ones."""
    kept, lost = await asyncio.gather(
        _profile(app, customer_id, id_type), _profile(app, secondary_id, secondary_id_type)
    )
    if kept is None or lost is None:
        which = "customer_id" if kept is None else "secondary_id"
        return Outlook(whom=f"{which}: {UNKNOWN}, so nothing is merged")
    own = _values(kept)
    loses = {name: value for name, value in _values(lost).items() if own.get(name, value) != value}
    return Outlook(whom=_whom(lost), loses=loses)


async def _profile(app: AppApi, customer_id: str, id_type: AnyIdType) -> Fields | None:
    path, query = "/v1/customers/{customer_id}/attributes", {"id_type": id_type}
    try:
        answer = await app.get(path, query, customer_id=app.person(customer_id, id_type))
    except Refused as refused:
        if refused.status != 404:
            raise
        return None
    return Fields(answer).inside("customer", "attributes", "identifiers")


def _whom(profile: Fields) -> dict[str, str]:
    """Return a customer's names and identifiers, without the address, of which a preview shows a part."""
    known, identifiers = profile.fields("attributes"), profile.fields("identifiers")
    found = {name: known.text(name) for name in NAMES}
    found |= {name: identifiers.text(name) or known.text(name) for name in ("id", "cio_id")}
    return {name: value for name, value in found.items() if value}


def _values(profile: Fields) -> dict[str, Any]:
    known = profile.mapping("attributes") or {}
    return {name: value for name, value in known.items() if name != "cio_id" and not name.startswith(OWN)}


def _devices(profile: Fields) -> dict[str, Any]:
    devices = profile.objects("devices") or []
    return {"devices": len(devices)} if devices else {}
