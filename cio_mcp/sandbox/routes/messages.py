"""Messages, as the App API calls deliveries: of the workspace, or of one customer."""

from datetime import UTC, datetime, timedelta
from typing import Any

from cio_mcp.sandbox.http import ApiRequest, Routes, app_error, whole
from cio_mcp.sandbox.routes.customers import person
from cio_mcp.sandbox.state import deliveries

routes = Routes()


@routes("GET", "/v1/messages")
def every(asked: ApiRequest) -> dict[str, Any]:
    """Answer the workspace's deliveries, newest first; drafts only where asked. Documented."""
    return _answer(
        asked,
        metric=asked.query.get("metric"),
        drafts=asked.query.get("drafts", "false").lower() == "true",
        **_parents(asked),
    )


@routes("GET", "/v1/broadcasts/{broadcast_id}/messages")
def of_broadcast(asked: ApiRequest) -> dict[str, Any]:
    """Answer a broadcast's deliveries, newest first."""
    number = asked.number("broadcast_id")
    if asked.workspace.thing("broadcast", number) is None:
        raise app_error(f"broadcast with id {number} does not exist", 404)
    # Documented: other than in the workspace's list, drafts are a state.
    # Assumed (states of deliveries): one is a metric that was reached, and without one there are no drafts.
    state, metric = asked.query.get("state"), asked.query.get("metric")
    return _answer(
        asked, metric=metric or state, drafts=state == "drafted", broadcast_id=number, **_channel(asked)
    )


@routes("GET", "/v1/transactional/{transactional_id}/messages")
def of_template(asked: ApiRequest) -> dict[str, Any]:
    """Answer a transactional message's deliveries; they name the person as documented in examples."""
    number = asked.thing("transactional", "transactional_id")["id"]
    state, metric = asked.query.get("state"), asked.query.get("metric")
    drafts = {None: None, "drafted": True}.get(state, False)
    answer = _answer(asked, metric=metric or state, drafts=drafts, transactional_message_id=number)
    for message in answer["messages"] or []:
        message["identifiers"] = message.pop("customer_identifiers")
    return answer


@routes("GET", "/v1/customers/{customer_id}/messages")
def of_customer(asked: ApiRequest) -> dict[str, Any]:
    """Answer a person's deliveries, newest first. Documented."""
    return _answer(asked, cio_id=person(asked)["cio_id"])


@routes("GET", "/v1/messages/{delivery_id}")
def one(asked: ApiRequest) -> dict[str, Any]:
    """Answer one delivery. Documented."""
    found = deliveries.one(asked.workspace, asked.ids["delivery_id"])
    if found is None:
        raise app_error("not found", 404)
    return {"message": found}


def _answer(asked: ApiRequest, **filters: Any) -> dict[str, Any]:
    """Answer deliveries by when they were created.

    Live: both ends count, more than six months are cut to six, and a list without messages is null.
    Assumed (half a year): they are months of the calendar, cut at the beginning, and an end before the
    beginning is refused.
    Assumed (no messages): the list of a customer or a broadcast is null too.
    """
    until = asked.seconds("end_ts", asked.workspace.now())
    since = asked.seconds("start_ts", _six_months_before(until))
    if since > until:
        raise app_error("end_ts must be later than start_ts", 400)
    since = max(since, _six_months_before(until))
    found, after = asked.page(deliveries.listed(asked.workspace, since, until, **filters))
    return {"messages": found or None, "next": after}


def _six_months_before(moment: int) -> int:
    at = datetime.fromtimestamp(moment, UTC)
    months = at.year * 12 + at.month - 7
    first = datetime(months // 12, months % 12 + 1, 1, at.hour, at.minute, at.second, tzinfo=UTC)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return int(min(first + timedelta(days=at.day - 1), last).timestamp())


def _parents(asked: ApiRequest) -> dict[str, Any]:
    found: dict[str, Any] = _channel(asked)
    for name in ("campaign_id", "newsletter_id", "action_id"):
        if value := asked.query.get(name):
            if (number := whole(value)) is None:
                raise app_error(f"{name} must be a number", 400)
            found[name] = number
    return found


def _channel(asked: ApiRequest) -> dict[str, str]:
    return {"type": channel} if (channel := asked.query.get("type")) else {}
