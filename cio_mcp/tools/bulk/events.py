"""Many events at once."""

import asyncio
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field

from cio_mcp.client import AnyIdType, AppApi, TrackApi
from cio_mcp.client.identifiers import in_operation
from cio_mcp.errors import InvalidArgument
from cio_mcp.limits import LOGGED
from cio_mcp.toolkit.arguments.addresses import recipients
from cio_mcp.toolkit.arguments.lists import Names
from cio_mcp.toolkit.arguments.times import Local
from cio_mcp.toolkit.people.audience import Audience, reaches
from cio_mcp.toolkit.people.automations import YOUNG, started_by_events
from cio_mcp.toolkit.people.consequences import Consequence, Outlook, affects
from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.toolkit.rows.cells import read_times
from cio_mcp.toolkit.rows.cells import values as values_of
from cio_mcp.toolkit.rows.checks import Oddity, Plan, RowOperation
from cio_mcp.toolkit.rows.columns import Columns, Meanings
from cio_mcp.toolkit.rows.delivery import carry_out
from cio_mcp.toolkit.rows.event_ids import EventIds
from cio_mcp.toolkit.rows.form import Form
from cio_mcp.toolkit.rows.given import RowInput, RowList, Table, given_rows
from cio_mcp.toolkit.rows.oddities import alike, young, zeros
from cio_mcp.toolkit.rows.outcomes import ManyAccepted
from cio_mcp.toolkit.rows.people import newcomers
from cio_mcp.toolkit.rows.ranges import counted, of_rows
from cio_mcp.toolkit.rows.results import Results
from cio_mcp.tools import events as single

tools = Toolbox(__name__)

# What a preview has looked up, or need not tell.
COVERED = frozenset({Consequence.BULK, Consequence.EVENTS})

OF_UNIQUE = (
    "an event's id follows from its name, its customer and {} alone, the same in every call: sent again, it "
    "is dropped, for how long Customer.io does not say"
)

THEN = "To see what became of them: check_write for one, list_activities with the events' name for many."

ALL_OLD = "That they were accepted is all that can be seen: nothing lists events that old."

FORM = Form(single.tools["track_event"].parameters, "data", id_type=(AnyIdType, "id"))


async def _reached(
    track: TrackApi,
    rows: RowInput | None,
    csv: RowInput | None,
    columns: Meanings | None,
    id_type: AnyIdType,
    name: str | None,
    unique: list[str] | None,
) -> Audience:
    """Return the recipients that the events' data set for the emails that they trigger."""
    plan = await _plan(track, given_rows(rows, csv), columns or {}, id_type, name, unique)
    texts = (planned.operation.get("attributes", {}).get("recipient") for planned in plan.operations)
    named = [recipient for text in texts if text is not None for recipient in recipients(text)]
    known = not any(recipient.liquid for recipient in named)
    return Audience(
        "the addresses in data.recipient",
        len(named) if known else None,
        addresses=[recipient.address for recipient in named],
    )


async def _shows(app: AppApi, rows: RowInput | None, csv: RowInput | None) -> Outlook:
    """Return whom the events create, and the automations that they can start."""
    plan: Plan = given_rows(rows, csv).plan
    now = app.call.called_at
    first: dict[str, str] = {}
    for one in plan.operations:
        if one.operation.get("timestamp", now) > now - YOUNG:
            first.setdefault(one.operation["name"], f"an event of row {one.rows[0].number}")
    if not plan.operations:
        return Outlook(covers=COVERED)
    new, started = await asyncio.gather(
        newcomers(app, plan, "will be created"), started_by_events(app, first)
    )
    return Outlook(sets_off=[*new, *started], covers=COVERED)


@tools.writes
@reaches(_reached)
@affects(Consequence.BULK, Consequence.EVENTS, shows=_shows)
async def track_events(
    track: TrackApi,
    results: Results,
    rows: RowList | None = None,
    csv: Annotated[Table | None, Local] = None,
    columns: Annotated[Columns | None, Field(description="As in identify_customers.")] = None,
    name: Annotated[single.EventName | None, Field(description="For rows without one.")] = None,
    id_type: AnyIdType = "id",
    unique: Annotated[
        Names | None,
        Field(description='Columns identifying an event: ["order_id"].'),
    ] = None,
) -> ManyAccepted:
    """Record up to 10,000 events; unknown customers are created.

    Rows take track_event's arguments; other keys are data. Repeats count once. dry_run shows oddities.
    """
    plan = await _plan(track, given_rows(rows, csv), columns or {}, id_type, name, unique)
    return await carry_out(track, results, plan)


async def _plan(
    track: TrackApi,
    given: RowInput,
    columns: Meanings,
    id_type: AnyIdType,
    name: str | None,
    unique: list[str] | None,
) -> Plan:
    if given.plan:
        known: Plan = given.plan
        return known
    plan = Plan(len(given.rows), by_unique=bool(unique))
    ids = EventIds([column.target if (column := columns.get(each)) else each for each in unique or []])
    own: list[int] = []
    defaults = {"id_type": id_type} | ({"name": name} if name else {})
    async for one in FORM.check(given, columns, defaults, plan):
        values = one.arguments
        try:
            who = in_operation(values["customer_id"], values["id_type"])
            event: dict[str, Any] = {"identifiers": who, "name": values["name"]}
            if values["timestamp"]:
                event["timestamp"] = values["timestamp"]
            if values["data"]:
                event["attributes"] = values["data"]
            event_id = ids.of(event, one.row.number, values["event_id"])
        except InvalidArgument as wrong:
            plan.refused.append((one.row, wrong.faults))
            continue
        if unique and values["event_id"]:
            own.append(one.row.number)
        if event_id is None:
            plan.repeated.append(one.row)
            continue
        operation = {"type": "person", "action": "event", **event, "id": event_id}
        plan.operations.append(RowOperation(operation, [one.row]))
    logged = track.call.called_at - LOGGED
    old = sum(one.operation.get("timestamp", logged) < logged for one in plan.operations)
    plan.notes = list(_told(plan, ids, old))
    plan.then = THEN if old < len(plan.operations) else ALL_OLD
    if own:
        plan.odd.append(Oddity(f"{of_rows(own)}: event_id counts, and not what is in unique", own))
    zone = given.context.timezone
    plan.look = lambda plan: (  # given, so that no plan holds itself
        *young(plan.operations, track.call.called_at),
        *([Oddity(OF_UNIQUE.format(", ".join(ids.unique)))] if unique else []),
        *alike(plan.seen, lambda one: one.arguments["customer_id"], "customer_id"),
        *alike(plan.seen, lambda one: one.arguments["name"], "event name"),
        *(*zeros(plan.seen, "customer_id"), *values_of(plan.seen, "data"), *read_times(plan.seen, zone)),
    )
    plan.settled(given)
    plan.would = f"Record {counted(len(plan.operations), 'event')} of {counted(plan.people(), 'customer')}."
    return plan


def _told(plan: Plan, ids: EventIds, old: int) -> Iterator[str]:
    """Yield what to know about events: where their emails go, what makes their ids, which are not seen."""
    redirected = set[str]().union(*(planned.operation.get("attributes", ()) for planned in plan.operations))
    yield from (single.REDIRECTS[key] for key in sorted(single.REDIRECTS.keys() & redirected))
    if ids.from_content:
        these = counted(ids.from_content, "event has", "events have")
        yield (
            f"{these} neither a timestamp nor anything in unique: the same rows sent again, even later, "
            "count as these and are dropped"
        )
    if old:
        yield single.unseen(counted(old, "event is", "events are"))
