"""Customers by a filter, and their profiles, many at once."""

from collections.abc import Sequence
from typing import Any

from cio_mcp.client import AppApi, IdType, RequestKind
from cio_mcp.toolkit.reading import Fields

# The attributes that hold a person's name.
NAMES = ("first_name", "last_name", "name")


async def matching(app: AppApi, condition: dict[str, Any], limit: int, start: str | None = None) -> Fields:
    """Return a page of the customers who match a filter: their `identifiers`. Raises as `AppApi.get` does."""
    query = {"limit": limit, "start": start}
    return Fields(await app.post("/v1/customers", {"filter": condition}, query=query, kind=RequestKind.READ))


async def profiles(app: AppApi, customer_ids: Sequence[str], id_type: IdType) -> list[Fields]:
    """Read the profiles of up to 100 customers; unknown ones are left out. Raises as `AppApi.get` does.

    The live API answers profiles as they are, the documents wrap each in `customer`: both are taken.
    """
    ids = [app.person(customer_id, id_type) for customer_id in customer_ids]
    answer = await app.post(
        "/v1/customers/attributes", {"ids": ids}, query={"id_type": id_type}, kind=RequestKind.READ
    )
    return [entry.wrapped("customer") for entry in Fields(answer).listed("customers")]
