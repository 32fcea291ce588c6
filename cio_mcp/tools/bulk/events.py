"""Many events at once."""

import asyncio
from typing import Annotated, Any

from pydantic import Field

from cio_mcp.client import AnyIdType, AppApi, TrackApi
from cio_mcp.client.identifiers import in_operation
from cio_mcp.errors import InvalidArgument
from cio_mcp.toolkit.addresses import recipients
from cio_mcp.toolkit.audience import Audience, reaches
from cio_mcp.toolkit.automations import started_by
from cio_mcp.toolkit.consequences import Consequence, Outlook, affects
from cio_mcp.toolkit.lists import Names
from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.toolkit.rows.checks import Columns, Form, Plan, Planned
from cio_mcp.toolkit.rows.delivery import carry_out
from cio_mcp.toolkit.rows.event_ids import EventIds
from cio_mcp.toolkit.rows.given import Given, RowList, Table, given_rows
from cio_mcp.toolkit.rows.oddities import alike, formulas, mixed, times, variants, young
from cio_mcp.toolkit.rows.outcomes import ManyAccepted
from cio_mcp.toolkit.rows.people import newcomers
from cio_mcp.toolkit.rows.results import Results
from cio_mcp.toolkit.times import Local
from cio_mcp.tools import events as single

tools = Toolbox(__name__)

# Of so many names of events a preview shows which automations they start.
NAMES = 3

FORM = Form(single.tools["track_event"], "data", id_type=(AnyIdType, "id"))


async def _reached(
    track: TrackApi,
    rows: Given | None,
    csv: Given | None,
    columns: dict[str, str | None] | None,
    id_type: AnyIdType,
    name: str | None,
    unique: list[str] | None,
) -> Audience:
    """Return the recipients that the events' data set for the emails that they trigger."""
    plan = await _plan(track, given_rows(rows, csv), columns or {}, id_type, name, unique)
    texts = [planned.operation.get("attributes", {}).get("recipient") for planned in plan.operations]
    named = [recipient for text in texts if text is not None for recipient in recipients(text)]
    known = not any(recipient.liquid for recipient in named)
    return Audience(
        "the addresses in data.recipient",
        len(named) if known else None,
        addresses=[recipient.address for recipient in named],
    )


async def _shows(app: AppApi, rows: Given | None, csv: Given | None) -> Outlook:
    """Return whom the events create, and the automations that the first of their names start."""
    plan: Plan = given_rows(rows, csv).plan
    names = list(dict.fromkeys(planned.operation["name"] for planned in plan.operations))[:NAMES]
    starting = (started_by(app, f"an event of row {_first(plan, name)}", event=name) for name in names)
    new = await newcomers(app, plan, "will be created")
    started = await asyncio.gather(*starting)
    return Outlook(sets_off=[*new, *(told for one in started for told in one.sets_off)])


def _first(plan: Plan, name: str) -> int:
    return next(one.rows[0].number for one in plan.operations if one.operation["name"] == name)


@tools.writes
@reaches(_reached)
@affects(Consequence.BULK, Consequence.EVENTS, shows=_shows)
async def track_events(
    track: TrackApi,
    results: Results,
    rows: RowList | None = None,
    csv: Annotated[Table | None, Local] = None,
    columns: Columns | None = None,
    name: Annotated[single.EventName | None, Field(description="If a row has none.")] = None,
    id_type: AnyIdType = "id",
    unique: Annotated[
        Names | None,
        Field(description='Columns that identify an event, such as ["order_id"].'),
    ] = None,
) -> ManyAccepted:
    """Record up to 10,000 events; unknown customers are created.

    Rows have track_event's arguments; other keys are data. Repeats count once. dry_run tells what is odd.
    """
    plan = await _plan(track, given_rows(rows, csv), columns or {}, id_type, name, unique)
    return await carry_out(track, results, plan)


async def _plan(
    track: TrackApi,
    given: Given,
    columns: dict[str, str | None],
    id_type: AnyIdType,
    name: str | None,
    unique: list[str] | None,
) -> Plan:
    if given.plan:
        known: Plan = given.plan
        return known
    plan, checked = Plan(len(given.rows)), []
    ids = EventIds([columns.get(column) or column for column in unique or []])
    async for one in FORM.check(
        given, columns, {"id_type": id_type} | ({"name": name} if name else {}), plan
    ):
        values = one.arguments
        try:
            who = in_operation(values["customer_id"], values["id_type"])
            body = {"name": values["name"], "timestamp": values["timestamp"], "attributes": values["data"]}
            event = {"identifiers": who} | {name: value for name, value in body.items() if value}
            event_id = ids.of(event, one.row.number, values["event_id"])
        except InvalidArgument as wrong:
            plan.refused.append((one.row, wrong.faults))
            continue
        checked.append(one)
        if event_id is None:
            plan.repeated.append(one.row)
            continue
        operation: dict[str, Any] = {"type": "person", "action": "event", **event, "id": event_id}
        plan.operations.append(Planned(operation, [one.row]))
    redirected = {key for planned in plan.operations for key in planned.operation.get("attributes", {})}
    plan.odd += [single.REDIRECTS[key] for key in sorted(single.REDIRECTS.keys() & redirected)]
    if ids.from_content:
        plan.odd.append(
            f"{ids.from_content} events have neither a timestamp nor anything in unique: the same rows sent "
            "again, even later, count as these and are dropped"
        )
    plan.look = lambda: (
        *young(checked, track.call.called_at),
        *alike(checked, lambda one: one.arguments["customer_id"], "customer_ids"),
        *alike(checked, lambda one: one.arguments["name"], "event names"),
        *(*mixed(checked, "data"), *variants(checked, "data"), *formulas(checked), *times(checked)),
    )
    plan.by_unique = bool(unique)
    return plan.settled(given)
