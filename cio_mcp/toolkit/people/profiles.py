"""Customers by a filter, and their profiles, many at once."""

import asyncio
from collections.abc import Sequence
from typing import Any

from cio_mcp.client import AnyIdType, AppApi, RequestKind
from cio_mcp.toolkit.answers.reading import Fields

# The largest number of customers that one request reads (App API, POST /v1/customers/attributes).
BATCH = 100

# The attributes that hold a person's name.
NAMES = ("first_name", "last_name", "name")


async def matching(app: AppApi, condition: dict[str, Any], limit: int, start: str | None = None) -> Fields:
    """Return a page of the customers who match a filter: their `identifiers`. Raises as `AppApi.get` does."""
    query = {"limit": limit, "start": start}
    return Fields(await app.post("/v1/customers", {"filter": condition}, query=query, kind=RequestKind.READ))


async def profiles(app: AppApi, customer_ids: Sequence[str], id_type: AnyIdType) -> list[Fields]:
    """Read the profiles of up to 100 customers; unknown ones are left out. Raises as `AppApi.get` does.

    The live API answers profiles as they are, the documents wrap each in `customer`: both are taken.
    """
    ids = [app.person(customer_id, id_type) for customer_id in customer_ids]
    answer = await app.post(
        "/v1/customers/attributes", {"ids": ids}, query={"id_type": id_type}, kind=RequestKind.READ
    )
    return [entry.wrapped("customer") for entry in Fields(answer).listed("customers")]


def identifier(profile: Fields, id_type: AnyIdType) -> str:
    """Return the identifier of one kind in a profile, empty if it has none."""
    named = (profile.fields(part).text(id_type) for part in ("identifiers", "attributes"))
    return next((name for name in named if name), "")


def identifier_key(name: str, id_type: AnyIdType) -> str:
    """Return an identifier as Customer.io compares it: addresses in any case, ids as they are."""
    return name.lower() if id_type == "email" else name


async def unknown(app: AppApi, customer_ids: Sequence[str], id_type: AnyIdType) -> list[str]:
    """Return those identifiers that no customer has. Raises as `AppApi.get` does."""
    batches = [customer_ids[at : at + BATCH] for at in range(0, len(customer_ids), BATCH)]
    found = await asyncio.gather(*(profiles(app, batch, id_type) for batch in batches))
    known = {identifier_key(identifier(profile, id_type), id_type) for batch in found for profile in batch}
    return [name for name in customer_ids if identifier_key(app.person(name, id_type), id_type) not in known]
