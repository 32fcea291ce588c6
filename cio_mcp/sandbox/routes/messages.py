"""Messages, as the App API calls deliveries: of the workspace, or of one customer."""

from typing import Any

from cio_mcp.sandbox.http import ApiRequest, Routes, app_error
from cio_mcp.sandbox.routes.customers import person
from cio_mcp.sandbox.state import deliveries

routes = Routes()

HALF_A_YEAR = 184 * 86400


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

    Live: both ends count, more than half a year is cut to that, and a list without messages is null.
    Assumed (half a year): it is cut at its beginning, and an end before the beginning is refused.
    Assumed (no messages): the list of a customer or a broadcast is null too.
    """
    until = asked.seconds("end_ts", asked.workspace.now())
    since = asked.seconds("start_ts", until - HALF_A_YEAR)
    if since > until:
        raise app_error("end_ts must be later than start_ts", 400)
    since = max(since, until - HALF_A_YEAR)
    found, after = asked.page(deliveries.listed(asked.workspace, since, until, **filters))
    return {"messages": found or None, "next": after}


def _parents(asked: ApiRequest) -> dict[str, Any]:
    found: dict[str, Any] = _channel(asked)
    for name in ("campaign_id", "newsletter_id", "action_id"):
        if value := asked.query.get(name):
            if not value.isdecimal():
                raise app_error(f"{name} must be a number", 400)
            found[name] = int(value)
    return found


def _channel(asked: ApiRequest) -> dict[str, str]:
    return {"type": channel} if (channel := asked.query.get("type")) else {}
