"""Reads all that one explanation needs, side by side; what is refused is noted, and the rest still told."""

import asyncio
from collections.abc import Awaitable

from cio_mcp.client import AppApi, Query
from cio_mcp.toolkit.answers.deliveries import reached
from cio_mcp.toolkit.answers.pages import newest_first
from cio_mcp.toolkit.answers.reading import Fields, needed
from cio_mcp.tools.data_quality.activities import read_activities
from cio_mcp.tools.data_quality.rejections import rejection
from cio_mcp.tools.deliverability.case import Case, delivery_state
from cio_mcp.tools.deliverability.failures import ARRIVED
from cio_mcp.tools.deliverability.opt_outs import opt_outs_of
from cio_mcp.tools.deliverability.person import find_person
from cio_mcp.tools.deliverability.source import (
    MessageSource,
    SourceKind,
    field_of,
    newest_source,
    source_by_id,
)
from cio_mcp.tools.deliverability.suppressions import suppressions_of

DAY = 86_400

# Days before and after the expected time in which a message counts as the expected one.
BEFORE, AFTER = 1, 7

# Messages and activities in one read; pages of a campaign's actions; errors of a broadcast's run.
MESSAGES, ACTIVITIES, PAGES, ERRORS = 100, 100, 3, 10

GONE = ("profile_merge", "profile_delete")
REJECTED = ("failed_event", "failed_attribute_change")


async def gather(app: AppApi, case: Case) -> None:
    """Read all that can tell why: the profile, and then the rest side by side, each in its turn.

    Raises the first error if nothing at all could be read.
    """
    await find_person(app, case)
    if case.missing:
        await asyncio.gather(_read_gone(app, case), _read_address(app, case), _read_delivery(app, case))
    else:
        await asyncio.gather(
            *(_read_address(app, case), _read_person(app, case), _read_delivery(app, case)),
            _read_messages_and_source(app, case),
        )
        if case.unsubscribed:
            case.unsubscribed_at = await _unsubscribed_at(app, case)
    found = (case.profile, case.deliveries, case.topics, case.segments, case.rejected, case.gone)
    if case.errors and all(one is None for one in found):
        raise case.errors[0]


async def _read_gone(app: AppApi, case: Case) -> None:
    """Read what the log of the whole workspace says about somebody who has no profile."""
    # Live, 2026-10: `deleted` adds deleted people and does not narrow the list.
    gone, dropped = await asyncio.gather(
        _logged(case, {kind: _activities(app, kind, deleted="true") for kind in GONE}),
        _logged(case, {kind: _activities(app, kind) for kind in REJECTED}),
    )
    case.gone = None if gone is None else list(filter(case.mentions, gone))
    case.rejected = None if dropped is None else list(map(rejection, filter(case.mentions, dropped)))
    if case.source and case.source.kind == "transactional" and case.email:
        path, query = "/v1/transactional/{source_id}/messages", {"limit": MESSAGES}
        found = await case.read("messages", _list(app, "messages", path, query, source_id=case.source.id))
        case.deliveries = None if found is None else [item for item in found if case.mentions(item)]


async def _activities(app: AppApi, kind: str, **more: object) -> list[Fields]:
    return await _list(app, "activities", "/v1/activities", {"type": kind, "limit": ACTIVITIES, **more})


async def _list(app: AppApi, key: str, path: str, query: Query, **ids: object) -> list[Fields]:
    return Fields(await app.get(path, query, **ids)).listed(key)


async def _read_address(app: AppApi, case: Case) -> None:
    if case.email:
        case.suppressions = await case.read("suppressed addresses", suppressions_of(app, case.email))


async def _read_person(app: AppApi, case: Case) -> None:
    """Read what the customer wants, which segments they are in, and which writes about them were dropped."""
    person, query = {"customer_id": app.person(case.customer_id, case.id_type)}, {"id_type": case.id_type}

    async def wants() -> Fields:
        path = "/v1/customers/{customer_id}/subscription_preferences"
        return Fields(await app.get(path, query, **person)).inside("customer", "unsubscribed", "topics")

    path = "/v1/customers/{customer_id}/segments"
    wanted, found, case.opt_outs, dropped = await asyncio.gather(
        case.read("subscriptions", wants()),
        case.read("segments", _list(app, "segments", path, query, **person)),
        case.read("opt-outs", opt_outs_of(app, case.customer_id, case.id_type)),
        _logged(case, {kind: _log_of(app, case, type=kind) for kind in REJECTED}),
    )
    if wanted is not None:
        if (unsubscribed := wanted.flag("unsubscribed")) is not None:
            case.unsubscribed, case.consent_of = unsubscribed, "subscriptions"
        case.topics = wanted.objects("topics")
    if found is not None:
        numbers = [item.whole("id") for item in found]
        case.segments = None if None in numbers else {number for number in numbers if number is not None}
    case.rejected = None if dropped is None else [rejection(item) for item in dropped]


async def _logged(case: Case, reads: dict[str, Awaitable[list[Fields]]]) -> list[Fields] | None:
    """Return what was read of several kinds of log entries together; None if none could be read."""
    lists = await asyncio.gather(*(case.read(f"log of {kind}", read) for kind, read in reads.items()))
    found = [some for some in lists if some is not None]
    if any(len(some) == ACTIVITIES for some in found):
        case.unread.append(f"log: of each kind only the newest {ACTIVITIES} were looked at")
    return [item for some in found for item in some] if found else None


async def _log_of(app: AppApi, case: Case, **asked: str) -> list[Fields]:
    """Return activities of the customer, the newest first."""
    answer = await read_activities(app, {**asked, "limit": ACTIVITIES}, case.customer_id, case.id_type)
    return answer.listed("activities")


async def _read_messages_and_source(app: AppApi, case: Case) -> None:
    """Read what was sent and what should have sent it; where only its kind is known, one after the other."""
    if case.kind is None or case.source or case.delivery_id:
        await asyncio.gather(_read_messages(app, case), _read_source(app, case))
    else:
        await _read_messages(app, case)
        await _choose_source(app, case, case.kind)
        await _read_source(app, case)
    case.older = len(case.deliveries or []) == MESSAGES and not case.matching
    if case.older:
        case.unread.append(f"older messages: only the newest {MESSAGES} were looked at; give expected")


async def _choose_source(app: AppApi, case: Case, kind: SourceKind) -> None:
    """Take the newest message of a kind that did not arrive, or else what is newest of that kind."""
    for item in case.matching:
        if (number := item.whole(field_of(kind))) is not None and delivery_state(item) not in ARRIVED:
            read = await case.read(f"{kind} {number}", source_by_id(app, kind, number, case.unread))
            case.source, case.chosen = read or MessageSource(kind, number, Fields(None)), item
            case.notes.append(f"source_id: {case.source.called} is the newest {kind} that did not reach them")
            return
    if kind == "transactional":
        return  # applications send what they want: none of them is due to everybody
    case.source, others = await newest_source(app, kind, case.unread)
    if case.source:
        more = f"; for another give its id: {others}" if others else ""
        case.notes.append(f"source_id: {case.source.called} is the newest {kind}{more}")


async def _read_messages(app: AppApi, case: Case) -> None:
    """Read what was sent to the customer, about when the message is expected if that is known."""
    at = case.expected
    span = {} if at is None else {"start_ts": at - BEFORE * DAY, "end_ts": at + AFTER * DAY}
    path, query = "/v1/customers/{customer_id}/messages", {"id_type": case.id_type, "limit": MESSAGES}
    person = {"customer_id": app.person(case.customer_id, case.id_type)}
    case.deliveries = await case.read("messages", _list(app, "messages", path, {**query, **span}, **person))


async def _unsubscribed_at(app: AppApi, case: Case) -> str | None:
    """Return when they unsubscribed: by a message, or as the log of the last 30 days tells."""
    by_message = [at for item in case.deliveries or [] if (at := reached(item).get("unsubscribed"))]
    if by_message:
        return max(by_message)
    log = _log_of(app, case, type="attribute_change", name="unsubscribed")
    changes = await case.read("log of unsubscribing", log)
    return changes[0].time("timestamp") if changes else None


async def _read_delivery(app: AppApi, case: Case) -> None:
    if case.delivery_id is not None:
        read = app.get("/v1/messages/{delivery_id}", delivery_id=case.delivery_id)
        found = await case.read("message", _delivery(read))
        if found and case.is_anothers(found):
            case.unread.append("message: ignored, since it went to another customer")
        else:
            case.asked = found


async def _delivery(read: Awaitable[object]) -> Fields:
    return Fields(await read).inside("message", "id", "type", "metrics")


async def _read_source(app: AppApi, case: Case) -> None:
    """Read what the source's list does not tell: a campaign's actions and event, a broadcast's newest run."""
    if (source := case.source) is None:
        return
    if source.kind == "campaign":
        case.actions = await case.read("actions", _actions(app, case, source.id))
        if event := source.item.text("event_name"):
            case.events = await case.read("events", _log_of(app, case, type="event", name=event))
            if case.events == []:
                # One that named the customer in a wrong way is in the log of the workspace alone.
                found = await case.read("dropped events", _activities(app, "failed_event", name=event))
                case.dropped = [rejection(item) for item in found or [] if case.mentions(item)]
    if source.kind == "broadcast":
        path, ids = "/v1/broadcasts/{broadcast_id}/triggers", {"broadcast_id": source.id}
        found = await case.read("runs", _list(app, "triggers", path, {}, **ids))
        case.runs = None if found is None else _since(case, newest_first(found))
        if case.runs and (number := case.runs[0].whole("id")) is not None:
            case.run_errors = await case.read("run errors", _run_errors(app, source.id, number))


def _since(case: Case, runs: list[Fields]) -> list[Fields]:
    """Return runs, the newest first; where a time is expected, the first run after it."""
    at = case.expected
    later = [run for run in runs if at is not None and (run.seconds("created_at") or 0) >= at - BEFORE * DAY]
    return later[-1:] or runs


async def _actions(app: AppApi, case: Case, campaign_id: int) -> list[Fields]:
    found: list[Fields] = []
    cursor = None
    for _ in range(PAGES):
        path, query = "/v1/campaigns/{campaign_id}/actions", {"start": cursor}
        answer = Fields(await app.get(path, query, campaign_id=campaign_id))
        found += answer.listed("actions")
        if (cursor := answer.following()) is None:
            return found
    case.unread.append(f"actions: only the first {len(found)} were looked at")
    return found


async def _run_errors(app: AppApi, broadcast_id: int, trigger_id: int) -> list[str]:
    # Runs are under campaigns, though the id is a broadcast's (App API, broadcastStatus).
    path = "/v1/campaigns/{broadcast_id}/triggers/{trigger_id}/errors"
    ids = {"broadcast_id": broadcast_id, "trigger_id": trigger_id}
    return needed(Fields(await app.get(path, {"limit": ERRORS}, **ids)).texts("errors"), "errors")
