"""Many objects at once."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field
from pydantic_core import to_json

from cio_mcp.client import TrackApi
from cio_mcp.client.identifiers import in_operation
from cio_mcp.errors import InvalidArgument
from cio_mcp.limits import OPERATION_BYTES
from cio_mcp.toolkit.arguments.times import Local
from cio_mcp.toolkit.arguments.types import CustomerId, ExceptPhone, ItemKey
from cio_mcp.toolkit.people.consequences import Consequence, affects
from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.toolkit.rows.cells import read_times
from cio_mcp.toolkit.rows.cells import values as values_of
from cio_mcp.toolkit.rows.checks import Plan, RowOperation
from cio_mcp.toolkit.rows.columns import Columns, Meanings
from cio_mcp.toolkit.rows.delivery import carry_out
from cio_mcp.toolkit.rows.form import Form
from cio_mcp.toolkit.rows.given import RowInput, RowList, Table, given_rows
from cio_mcp.toolkit.rows.oddities import alike, zeros
from cio_mcp.toolkit.rows.outcomes import ManyAccepted
from cio_mcp.toolkit.rows.ranges import counted
from cio_mcp.toolkit.rows.results import Results
from cio_mcp.tools import objects as single

tools = Toolbox(__name__)

FORM = Form(
    single.tools["set_object"].parameters,
    "attributes",
    customer_id=(CustomerId | None, None),
    customer_id_type=(ExceptPhone, "id"),
)

# Before the name of an attribute that is not the object's, but of its relationship to the row's customer.
OF_RELATIONSHIP = "relationship."

THEN = "To see what became of them: get_object for one, search_objects for many."

# Bytes that are left in an operation for what is around attributes and people.
AROUND = 1000


@tools.writes
@affects(Consequence.BULK, Consequence.RELATIONSHIPS)
async def set_objects(
    track: TrackApi,
    results: Results,
    rows: RowList | None = None,
    csv: Annotated[Table | None, Local, Field(description="CSV, or file:NAME.")] = None,
    columns: Columns | None = None,
    object_type_id: Annotated[ItemKey | None, Field(description="For rows without one.")] = None,
) -> ManyAccepted:
    """Create or update up to 10,000 objects, such as companies, and relate people to them.

    Rows take set_object's arguments, or customer_id (and customer_id_type) for one of its people. Other keys
    are attributes; relationship.role is one of that relationship. dry_run shows oddities.
    """
    given = given_rows(rows, csv)
    defaults = {"object_type_id": object_type_id} if object_type_id else {}
    return await carry_out(track, results, await _plan(given, columns or {}, defaults))


async def _plan(given: RowInput, columns: Meanings, defaults: dict[str, Any]) -> Plan:
    if given.plan:
        known: Plan = given.plan
        return known
    plan = Plan(len(given.rows), then=THEN)
    last: dict[bytes, RowOperation] = {}
    async for one in FORM.check(given, columns, defaults, plan):
        try:
            operation = _operation(one.arguments)
        except InvalidArgument as wrong:
            plan.refused.append((one.row, wrong.faults))
            continue
        key = to_json(operation["identifiers"])
        before = last.get(key)
        if before and _merge(before.operation, operation):
            before.rows.append(one.row)
            continue
        last[key] = RowOperation(operation, [one.row], before.wave + 1 if before else 0)
        plan.operations.append(last[key])
    zone = given.context.timezone
    plan.look = lambda plan: (  # given, so that no plan holds itself
        *alike(plan.seen, lambda one: one.arguments["object_id"], "object_id"),
        *(*zeros(plan.seen, "object_id"), *values_of(plan.seen, "attributes"), *read_times(plan.seen, zone)),
    )
    plan.settled(given)
    plan.would = f"Create or update {counted(plan.people(), 'object')}."
    return plan


def _operation(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the operation that a row stands for; raises InvalidArgument."""
    values = dict(arguments)
    who, kind = values.pop("customer_id"), values.pop("customer_id_type")
    values["attributes"], related = _apart(values["attributes"] or {})
    if related and not who:
        raise InvalidArgument(f"{OF_RELATIONSHIP}{next(iter(related))}: the row has no customer_id")
    if who:
        attributes = {"relationship_attributes": related} if related else {}
        person = {"identifiers": in_operation(who, kind)} | attributes
        values["people"] = [*(values["people"] or ()), person]
    return single.object_operation(**values)


def _apart(attributes: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the attributes of an object, and those of its relationship to the row's customer."""
    related = [name for name in attributes if name.startswith(OF_RELATIONSHIP) and name != OF_RELATIONSHIP]
    own = {name: value for name, value in attributes.items() if name not in related}
    return own, {name.removeprefix(OF_RELATIONSHIP): attributes[name] for name in related}


def _related(first: Sequence[dict[str, Any]], second: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return relationships one after the other, several to one person as one: the later attributes hold."""
    found: dict[bytes, dict[str, Any]] = {}
    for one in (*first, *second):
        known = found.setdefault(to_json(one["identifiers"]), {"identifiers": one["identifiers"]})
        if attributes := one.get("relationship_attributes"):
            known["relationship_attributes"] = known.get("relationship_attributes", {}) | attributes
    return list(found.values())


def _merge(first: dict[str, Any], second: dict[str, Any]) -> bool:
    """Put what a later operation on an object does into an earlier one; say whether that is possible."""
    if first["action"] != second["action"] and "cio_relationships" in second:
        return False
    merged = {name: first.get(name, {}) | second[name] for name in ("attributes",) if name in second}
    if "cio_relationships" in second:
        merged["cio_relationships"] = _related(
            first.get("cio_relationships", ()), second["cio_relationships"]
        )
    if len(to_json(first | merged)) > OPERATION_BYTES - AROUND:
        return False
    if first["action"] == "delete_relationships" and "attributes" in merged:
        return False
    first |= merged
    return True
