"""Finding customers by email, segment and attributes; and the segments of a customer."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from cio_mcp.client import AnyIdType, AppApi
from cio_mcp.errors import InvalidArgument
from cio_mcp.toolkit.answers.pages import cut_page, joined, newest_first, page_of
from cio_mcp.toolkit.answers.reading import Fields, beside, time
from cio_mcp.toolkit.answers.shapes import Cut, Numbered, Page, Quoted, Shape
from cio_mcp.toolkit.arguments.lists import Names
from cio_mcp.toolkit.arguments.types import (
    Address,
    Cursor,
    CustomerId,
    JsonObject,
    Limit,
    ObjectId,
    comparison_value,
    unguessed,
)
from cio_mcp.toolkit.arguments.values import text_values_note
from cio_mcp.toolkit.people.audience import segment_size
from cio_mcp.toolkit.people.filters import Filter
from cio_mcp.toolkit.people.profiles import matching, profiles
from cio_mcp.toolkit.registry import Toolbox

tools = Toolbox(__name__)

# The API takes no empty filter. Every customer has a cio_id.
EVERYBODY = {"and": [{"attribute": {"field": "cio_id", "operator": "exists"}}]}

IDENTIFIERS = ("id", "email", "cio_id")

# Customers whose attributes are told where a search finds nobody, and how many of these.
SAMPLED, NAMED = 20, 40


def _values(attributes: dict[str, Any]) -> dict[str, str | bool]:
    """Return the values to compare with. The schema has strings only, the vendor's examples booleans too."""
    for name, value in attributes.items():
        if value is None or isinstance(value, (dict, list)):
            message = f"{name}: must be a string, number or boolean; to test whether it exists use filter"
            raise ValueError(message)
    return {name: comparison_value(value) for name, value in attributes.items()}


class FoundCustomer(Shape):
    """A customer who was found."""

    id: str | None = None
    email: str | None = None
    cio_id: str | None = None
    attributes: dict[str, Any] | None = Field(
        None, description="The requested attributes that are set; values are strings."
    )


class FoundCustomers(Quoted, Page):
    """The customers who were found, by identifier."""

    customers: list[FoundCustomer]
    total: int | None = Field(None, description="How many match in all; absent if that is not known.")


@tools.reads
async def search_customers(
    app: AppApi,
    email: Annotated[Address | None, Field(description="Exact; not with other conditions.")] = None,
    segment_id: Annotated[ObjectId | None, Field(description="From list_segments.")] = None,
    attributes: Annotated[
        JsonObject | None,
        AfterValidator(unguessed),
        AfterValidator(_values),
        Field(description='Exact values, such as {"first_name": "Ada"}.'),
    ] = None,
    filter: Filter | None = None,  # noqa: A002 - the API's word
    fields: Annotated[
        Names | None,
        Field(description='Attributes to return, such as ["plan"]. Default: identifiers only.'),
    ] = None,
    limit: Limit = 50,
    cursor: Cursor | None = None,
) -> FoundCustomers:
    """Find customers (people, profiles) by email, segment, attributes or a filter.

    All given conditions must hold; with none, all customers are listed. For behaviour use a segment.
    """
    if email is not None and (segment_id or attributes or filter or cursor):
        raise InvalidArgument("email: cannot be combined with other conditions; put it into filter instead")
    if email is not None:
        answer = Fields(await app.get("/v1/customers", {"email": email}))
        listed = answer.listed("results")
    else:
        answer = await matching(app, _all_of(segment_id, attributes or {}, filter), limit, cursor)
        listed = answer.listed("identifiers")
    found = [FoundCustomer(**identifiers_of(item)) for item in listed]
    unread = await _read(app, found, fields) if fields and found else None
    customers, next_cursor, left_out = cut_page(found, answer.following())
    only = None if attributes or filter or email else segment_id
    nobody = not (found or cursor) and bool(attributes or filter)
    shown = [value for customer in customers for value in (customer.attributes or {}).values()]
    return FoundCustomers(
        notes=[await _attributes_here(app)] if nobody else text_values_note(shown),
        customers=customers,
        total=await total_of(app, found, answer.following(), cursor, only),
        next_cursor=next_cursor,
        left_out=joined(left_out, unread),
    )


async def _attributes_here(app: AppApi) -> str:
    """Return which attributes some customers have, for a search by a name or value that nobody has."""
    read, _ = await beside("attributes", _some(app))
    names = dict.fromkeys(name for one in read or [] for name in one.mapping("attributes") or {})
    told = f" Attributes of customers here: {', '.join(list(names)[:NAMED])}." if names else ""
    return f"Names and values must be exact, in upper and lower case too.{told}"


async def _some(app: AppApi) -> list[Fields]:
    some = (await matching(app, EVERYBODY, SAMPLED)).listed("identifiers")
    known = [_bare(cio_id) for one in some if (cio_id := one.text("cio_id"))]
    return await profiles(app, known, "cio_id") if known else []


async def total_of(
    app: AppApi, found: list[FoundCustomer], following: str | None, cursor: str | None, segment_id: int | None
) -> int | None:
    """Return how many there are in all: those of the only page, or of all who are in a segment."""
    if cursor is not None:
        return None
    if following is None:
        return len(found)
    size, _ = (None, None) if segment_id is None else await beside("total", segment_size(app, segment_id))
    return size


def identifiers_of(item: Fields) -> dict[str, str]:
    """Return the identifiers that a customer has."""
    return {name: value for name in IDENTIFIERS if (value := item.text(name))}


def _all_of(
    segment_id: int | None, attributes: dict[str, str | bool], condition: dict[str, Any] | None
) -> dict[str, Any]:
    """Return all conditions as one filter. Groups can be nested only once, so an `and` is merged."""
    parts: list[Any] = [{"segment": {"id": segment_id}}] if segment_id else []
    parts += [
        {"attribute": {"field": name, "operator": "eq", "value": value}} for name, value in attributes.items()
    ]
    if condition and not parts:
        return condition
    merged = condition.get("and") if condition and len(condition) == 1 else None
    parts += merged if isinstance(merged, list) else [condition] if condition else []
    return {"and": parts} if parts else EVERYBODY


async def _read(app: AppApi, customers: list[FoundCustomer], fields: list[str]) -> str | None:
    """Fill in the attributes of up to 100 customers (App API, getPeopleById); returns whose are missing."""
    known = {_bare(customer.cio_id): customer for customer in customers[:100] if customer.cio_id}
    read, refused = await beside("attributes", profiles(app, list(known), "cio_id")) if known else ([], None)
    for profile in read or []:
        attributes = profile.mapping("attributes")
        cio_id = profile.fields("identifiers").text("cio_id") or Fields(attributes).text("cio_id")
        if attributes is None or (customer := known.get(_bare(cio_id or ""))) is None:
            continue
        values = attributes | {
            "created_at": time(attributes.get("created_at")),
            "unsubscribed": profile.flag("unsubscribed"),
        }
        customer.attributes = {
            name: values[name] for name in fields if values.get(name) is not None and name not in IDENTIFIERS
        }
    lacking = sum(customer.attributes is None for customer in customers)
    note = f"the attributes of {lacking} of {len(customers)} customers: Customer.io returned none"
    return refused or (note if lacking else None)


def _bare(cio_id: str) -> str:
    return cio_id.removeprefix("cio_")


class InSegment(Numbered):
    """A segment that a customer is in."""


class CustomerSegments(Cut):
    """A customer's segments, newest first."""

    segments: list[InSegment]


@tools.reads
async def list_customer_segments(
    app: AppApi, customer_id: CustomerId, id_type: AnyIdType = "id"
) -> CustomerSegments:
    """List the segments that a customer is in now, newest first."""
    # The endpoint has no pages.
    path, query = "/v1/customers/{customer_id}/segments", {"id_type": id_type}
    answer = Fields(await app.get(path, query, customer_id=app.person(customer_id, id_type)))
    found = [
        InSegment(id=item.whole("id"), name=item.text("name"))
        for item in newest_first(answer.listed("segments"))
    ]
    kept, _ = page_of(found, len(found))
    older = len(found) - len(kept)
    note = f"{older} older segments; list_segment_members tells who is in one"
    return CustomerSegments(segments=kept, left_out=note if older else None)
