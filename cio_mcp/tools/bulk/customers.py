"""Many customers at once."""

from typing import Annotated, Any

from pydantic import Field
from pydantic_core import to_json

from cio_mcp.client import AnyIdType, AppApi, TrackApi
from cio_mcp.client.identifiers import in_operation
from cio_mcp.errors import InvalidArgument
from cio_mcp.toolkit.consequences import Consequence, Outlook, affects
from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.toolkit.rows.checks import Checked, Columns, Form, Plan, Planned
from cio_mcp.toolkit.rows.delivery import carry_out
from cio_mcp.toolkit.rows.given import Given, RowList, Table, given_rows
from cio_mcp.toolkit.rows.oddities import alike, dates, formulas, mixed, shared, some, times, variants
from cio_mcp.toolkit.rows.outcomes import ManyAccepted
from cio_mcp.toolkit.rows.people import newcomers
from cio_mcp.toolkit.rows.ranges import ranges
from cio_mcp.toolkit.rows.results import Results
from cio_mcp.tools.people import profiles

tools = Toolbox(__name__)

FORM = Form(profiles.tools["identify_customer"], "attributes", id_type=(AnyIdType, "id"))

# Attributes that two rows of one customer may not share with different values: in one operation the first of
# them would be lost, and as two they fare as two calls do.
IDENTIFYING = ("email", "anonymous_id", "_update")

# Track API, "identify": attributes of one operation. How long it may be leaves room for what is around them.
MOST, LONGEST = 300, 31_000


async def _shows(app: AppApi, rows: Given | None, csv: Given | None, *, update_only: bool) -> Outlook:
    become = "are passed over (update_only)" if update_only else "will be created"
    return Outlook(sets_off=await newcomers(app, given_rows(rows, csv).plan, become))


@tools.writes
@affects(Consequence.BULK, Consequence.IDENTIFY, Consequence.SUBSCRIPTIONS, shows=_shows)
async def identify_customers(
    track: TrackApi,
    results: Results,
    rows: RowList | None = None,
    csv: Annotated[Table | None, Field(description="CSV, or file:NAME.")] = None,
    columns: Annotated[
        Columns | None,
        Field(description='New names, such as {"E-Mail": "email"}.'),
    ] = None,
    id_type: AnyIdType = "id",
    update_only: bool = False,
) -> ManyAccepted:
    """Create or update up to 10,000 customers.

    Rows have identify_customer's arguments; other keys are attributes. dry_run tells what is odd.
    """
    given = given_rows(rows, csv)
    defaults = {"id_type": id_type} | ({"update_only": True} if update_only else {})
    return await carry_out(track, results, await _plan(given, columns or {}, defaults))


async def _plan(given: Given, columns: dict[str, str | None], defaults: dict[str, Any]) -> Plan:
    if given.plan:
        known: Plan = given.plan
        return known
    plan, checked = Plan(len(given.rows)), []
    merging = _Merging(plan)
    async for one in FORM.check(given, columns, defaults, plan):
        values = dict(one.arguments)
        try:
            identifiers = in_operation(values.pop("customer_id"), values.pop("id_type"))
        except InvalidArgument as wrong:
            plan.refused.append((one.row, wrong.faults))
            continue
        checked.append(one)
        merging.add(identifiers, profiles.written(**values), one)
    plan.look = lambda: (
        *merging.told(),
        *alike(checked, lambda one: one.arguments["customer_id"], "customer_ids"),
        *(*shared(checked), *mixed(checked, "attributes"), *variants(checked, "attributes")),
        *(*dates(checked, "attributes"), *formulas(checked), *times(checked)),
    )
    return plan.settled(given)


class _Merging:
    """Makes one operation of the rows of a customer, and several in as many waves where one is too few."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._last: dict[tuple[tuple[str, str], ...], Planned] = {}

    def add(self, identifiers: dict[str, str], attributes: dict[str, Any], one: Checked) -> None:
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
        self._last[key] = Planned(operation, [one.row], last.wave + 1 if last else 0)
        self._plan.operations.append(self._last[key])

    def told(self) -> list[str]:
        """Return what to tell about customers who have several rows."""
        merged = [planned for planned in self._plan.operations if len(planned.rows) > 1]
        late = [planned for planned in self._plan.operations if planned.wave > 0]
        rows = ranges([row.number for planned in merged for row in planned.rows])
        notes = []
        if merged:
            notes = [f"{len(merged)} customers have several rows, merged in their order: rows {rows}"]
        if late:
            rows = ranges([planned.rows[0].number for planned in late])
            who = some([value for planned in late for value in planned.operation["identifiers"].values()])
            notes.append(
                f"rows {rows} cannot be merged with earlier ones of their customer ({who}), and go a second "
                "later; another email than the customer has may be dropped"
            )
        return notes


def _merged(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any] | None:
    """Return the attributes that two operations after each other leave; None where one cannot do that."""
    if any(first.get(name) != second.get(name) for name in IDENTIFYING if name in first and name in second):
        return None
    if first.get("_update") != second.get("_update"):
        return None
    merged = first | second
    return merged if len(merged) <= MOST and len(to_json(merged)) <= LONGEST else None
