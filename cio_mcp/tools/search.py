"""Customers by what they are: found by address, segment and attributes; and which segments they are in."""

import json
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from cio_mcp.client import AppApi, IdType, RequestKind
from cio_mcp.errors import InvalidArgument
from cio_mcp.toolkit.answers import Answer, Anything, Page, Quoted, Shape, cut, page
from cio_mcp.toolkit.params import (
    Address,
    Cursor,
    CustomerId,
    Filter,
    JsonObject,
    Limit,
    Names,
    ObjectId,
    iso,
)
from cio_mcp.toolkit.registry import Toolbox

search = Toolbox("people")

# The API takes no empty filter; a cio_id is what everybody has.
EVERYBODY = {"and": [{"attribute": {"field": "cio_id", "operator": "exists"}}]}

IDENTIFIERS = ("id", "email", "cio_id")


def _values(attributes: dict[str, Any]) -> dict[str, str | bool]:
    """Return the values to compare with. The schema has texts, the vendor's examples booleans too."""
    for name, value in attributes.items():
        if value is None or isinstance(value, (dict, list)):
            message = f"{name}: must be a text, number or boolean; use filter to ask whether it exists"
            raise ValueError(message)
    return {
        name: value if isinstance(value, (str, bool)) else json.dumps(value)
        for name, value in attributes.items()
    }


class Found(Shape):
    """One customer that was found."""

    id: str | None = None
    email: str | None = None
    cio_id: str | None = None
    attributes: dict[str, Anything] | None = Field(
        None, description="Those of fields that are set; values are strings."
    )


class FoundCustomers(Quoted, Page):
    """Customers that fit, by their identifiers."""

    customers: list[Found]


@search.reads
async def search_customers(
    app: AppApi,
    email: Annotated[Address | None, Field(description="Alone.")] = None,
    segment_id: ObjectId | None = None,
    attributes: Annotated[
        JsonObject | None, AfterValidator(_values), Field(description="{name: exact value}")
    ] = None,
    filter: Annotated[  # noqa: A002 - the API's word
        Filter | None,
        Field(
            description='{"not": {"segment": {"id": 7}}}, {"or": [...]}, {"attribute": {"field", "operator": '
            '"eq" or "exists", "value"}}'
        ),
    ] = None,
    fields: Annotated[Names | None, Field(description="Attributes to read.")] = None,
    limit: Limit = 50,
    cursor: Cursor | None = None,
) -> FoundCustomers:
    """Find customers by email, or by all of segment_id, attributes and filter; without any, list all.

    What people did can be searched for only where a segment says it: list_segments.
    """
    if email is not None and (segment_id or attributes or filter or cursor):
        raise InvalidArgument("email: stands alone; to combine it, name it in filter")
    if email is not None:
        answer = await app.get("/v1/customers", {"email": email})
        listed = answer.get("results") or []
    else:
        answer = await app.post(
            "/v1/customers",
            {"filter": _all_of(segment_id, attributes or {}, filter)},
            query={"limit": limit, "start": cursor},
            kind=RequestKind.READ,
        )
        listed = answer.get("identifiers") or []
    found = [Found(**identifiers_of(item)) for item in listed]
    if fields and found:
        await _read(app, found, fields)
    customers, next_cursor, left_out = cut(found, answer.get("next"))
    return FoundCustomers(customers=customers, next_cursor=next_cursor, left_out=left_out)


def identifiers_of(item: dict[str, Any]) -> dict[str, str]:
    """Return those of a customer's identifiers that are set."""
    return {name: str(item[name]) for name in IDENTIFIERS if item.get(name)}


def _all_of(
    segment_id: int | None, attributes: dict[str, str | bool], condition: dict[str, Any] | None
) -> dict[str, Any]:
    """Return one filter of what was asked for. Groups nest one level only, so that an `and` is joined."""
    parts: list[Any] = [{"segment": {"id": segment_id}}] if segment_id else []
    parts += [
        {"attribute": {"field": name, "operator": "eq", "value": value}} for name, value in attributes.items()
    ]
    if condition and not parts:
        return condition
    joined = condition.get("and") if condition and len(condition) == 1 else None
    parts += joined if isinstance(joined, list) else [condition] if condition else []
    return {"and": parts} if parts else EVERYBODY


async def _read(app: AppApi, customers: list[Found], fields: list[str]) -> None:
    """Fill in the attributes of up to 100 customers (App API, getPeopleById)."""
    known = {customer.cio_id: customer for customer in customers[:100] if customer.cio_id}
    answer = await app.post(
        "/v1/customers/attributes", {"ids": list(known)}, query={"id_type": "cio_id"}, kind=RequestKind.READ
    )
    for entry in answer.get("customers") or []:
        profile = entry.get("customer") or {}
        customer = known.get(str((profile.get("identifiers") or {}).get("cio_id")))
        if customer is None:
            continue
        values = dict(profile.get("attributes") or {})
        values |= {
            "created_at": iso(values.get("created_at")),
            "unsubscribed": profile.get("unsubscribed") is True,
        }
        customer.attributes = {
            name: values[name] for name in fields if values.get(name) is not None and name not in IDENTIFIERS
        }


class InSegment(Shape):
    """A segment that a customer is in."""

    id: int
    name: str


class CustomerSegments(Answer):
    """The segments that a customer is in, newest first."""

    segments: list[InSegment]
    left_out: str | None = Field(None, description="What was left out, and how to get it.")


@search.reads
async def list_customer_segments(
    app: AppApi, customer_id: CustomerId, id_type: IdType = "id"
) -> CustomerSegments:
    """List the segments that a customer is in now."""
    # The endpoint has no pages.
    answer = await app.get(
        "/v1/customers/{customer_id}/segments",
        {"id_type": id_type},
        customer_id=app.person(customer_id, id_type),
    )
    found = [
        InSegment(id=int(item["id"]), name=str(item.get("name") or ""))
        for item in sorted(answer.get("segments") or [], key=lambda item: int(item["id"]), reverse=True)
    ]
    kept, _ = page(found, len(found))
    older = len(found) - len(kept)
    note = f"{older} older ones; list_segment_members tells who is in one"
    return CustomerSegments(segments=kept, left_out=note if older else None)
