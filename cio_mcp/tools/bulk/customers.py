"""Many customers at once."""

import asyncio
from typing import Annotated, Any

from pydantic import Field
from pydantic_core import to_json

from cio_mcp.client import AnyIdType, AppApi, TrackApi
from cio_mcp.client.identifiers import in_operation
from cio_mcp.errors import InvalidArgument
from cio_mcp.toolkit.arguments.times import Local
from cio_mcp.toolkit.people.automations import started_by_change
from cio_mcp.toolkit.people.consequences import Consequence, Outlook, Told, affects
from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.toolkit.rows.cells import read_times
from cio_mcp.toolkit.rows.cells import values as values_of
from cio_mcp.toolkit.rows.checks import Plan, RowOperation, RowReading
from cio_mcp.toolkit.rows.columns import Columns, Meanings
from cio_mcp.toolkit.rows.delivery import carry_out
from cio_mcp.toolkit.rows.form import Form
from cio_mcp.toolkit.rows.given import RowInput, RowList, Table, given_rows
from cio_mcp.toolkit.rows.oddities import alike, repeated, shared, subscribed, unaddressed, zeros
from cio_mcp.toolkit.rows.outcomes import ManyAccepted
from cio_mcp.toolkit.rows.people import newcomers
from cio_mcp.toolkit.rows.ranges import counted, of_rows
from cio_mcp.toolkit.rows.results import Results
from cio_mcp.tools.people import profiles

tools = Toolbox(__name__)

FORM = Form(profiles.tools["identify_customer"].parameters, "attributes", id_type=(AnyIdType, "id"))

# Attributes that two rows of one customer may not share with different values: in one operation the first of
# them would be lost, and as two they fare as two calls do.
IDENTIFYING = ("email", "anonymous_id", "_update")

# What a preview has looked up, or need not tell.
COVERED = frozenset({Consequence.BULK, Consequence.IDENTIFY, Consequence.SUBSCRIPTIONS})

COLUMNS = (
    '{"Mail": "email:lower", "Joined": "created_at:date(dayfirst)", "Sum": "revenue:number(comma)"}; or '
    ":boolean(not), :text, :json."
)

THEN = (
    "To see what became of them: check_write for one, search_customers with attributes or a filter for many."
)

# Track API, "identify": attributes of one operation. How long it may be leaves room for what is around them.
MOST, LONGEST = 300, 31_000


async def _shows(app: AppApi, rows: RowInput | None, csv: RowInput | None, *, update_only: bool) -> Outlook:
    """Return who is created or gets messages again, and the automations that the changes can start."""
    plan: Plan = given_rows(rows, csv).plan
    become = "are skipped (update_only)" if update_only else "will be created"
    written = {name for one in plan.operations for name in one.operation["attributes"]}
    back = [
        one.rows[0].number
        for one in plan.operations
        if one.operation["attributes"].get("unsubscribed") is False
    ]
    again: list[Told] = (
        [(f"{of_rows(back)}: unsubscribed=false, so that they get messages, even if they had unsubscribed",)]
        if back
        else []
    )
    if not plan.operations:
        return Outlook(covers=COVERED)
    new, started = await asyncio.gather(newcomers(app, plan, become), started_by_change(app, written))
    return Outlook(sets_off=[*new, *again, *started], covers=COVERED)


@tools.writes
@affects(Consequence.BULK, Consequence.IDENTIFY, Consequence.SUBSCRIPTIONS, shows=_shows)
async def identify_customers(
    track: TrackApi,
    results: Results,
    rows: RowList | None = None,
    csv: Annotated[Table | None, Local, Field(description="CSV, or file:NAME.")] = None,
    columns: Annotated[Columns | None, Field(description=COLUMNS)] = None,
    id_type: AnyIdType = "id",
    update_only: bool = False,
) -> ManyAccepted:
    """Create or update up to 10,000 customers.

    Rows take identify_customer's arguments; other keys are attributes. dry_run shows oddities.
    """
    given = given_rows(rows, csv)
    defaults = {"id_type": id_type} | ({"update_only": True} if update_only else {})
    return await carry_out(track, results, await _plan(given, columns or {}, defaults))


async def _plan(given: RowInput, columns: Meanings, defaults: dict[str, Any]) -> Plan:
    if given.plan:
        known: Plan = given.plan
        return known
    plan = Plan(len(given.rows), then=THEN)
    merging = _Merging(plan)
    async for one in FORM.check(given, columns, defaults, plan):
        values = dict(one.arguments)
        try:
            identifiers = in_operation(values.pop("customer_id"), values.pop("id_type"))
        except InvalidArgument as wrong:
            plan.refused.append((one.row, wrong.faults))
            continue
        merging.add(identifiers, profiles.identify_body(**values), one)
    zone = given.context.timezone
    plan.look = lambda plan: (  # given, so that no plan holds itself
        *repeated(plan.seen, [planned for planned in plan.operations if planned.wave]),
        *alike(plan.seen, lambda one: one.arguments["customer_id"], "customer_id"),
        *(*zeros(plan.seen, "customer_id"), *shared(plan.seen), *unaddressed(plan.operations)),
        *subscribed(plan.seen, columns),
        *(*values_of(plan.seen, "attributes"), *read_times(plan.seen, zone)),
    )
    plan.settled(given)
    does = "Update" if defaults.get("update_only") else "Create or update"
    plan.would = f"{does} {counted(plan.people(), 'customer')}."
    return plan


class _Merging:
    """Makes one operation of the rows of a customer, and several in as many waves where one is too few."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._last: dict[tuple[tuple[str, str], ...], RowOperation] = {}

    def add(self, identifiers: dict[str, str], attributes: dict[str, Any], one: RowReading) -> None:
        """Add a row to the plan."""
        key = tuple(identifiers.items())
        last = self._last.get(key)
        if last and (merged := _merged(last.operation["attributes"], attributes)) is not None:
            last.operation["attributes"] = merged
            last.rows.append(one.row)
            return
        operation = {
            "type": "person",
            "action": "identify",
            "identifiers": identifiers,
            "attributes": attributes,
        }
        self._last[key] = RowOperation(operation, [one.row], last.wave + 1 if last else 0)
        self._plan.operations.append(self._last[key])


def _merged(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any] | None:
    """Return the attributes that two operations after each other leave; None where one cannot do that."""
    if any(first.get(name) != second.get(name) for name in IDENTIFYING if name in first and name in second):
        return None
    if first.get("_update") != second.get("_update"):
        return None
    merged = first | second
    return merged if len(merged) <= MOST and len(to_json(merged)) <= LONGEST else None
