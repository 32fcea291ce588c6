"""Metrics of campaigns (versions 1 and 2), and of all other messages (version 1)."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from cio_mcp.sandbox.engine import delays
from cio_mcp.sandbox.http import ApiRequest, Routes, app_error, whole
from cio_mcp.sandbox.routes.campaigns import action, campaign
from cio_mcp.sandbox.state import metrics
from cio_mcp.sandbox.state.metrics import DAY

routes = Routes()

STEPS = {
    "hours": "hours",
    "hourly": "hours",
    "days": "days",
    "daily": "days",
    "weeks": "weeks",
    "weekly": "weeks",
    "months": "months",
    "monthly": "months",
}


@routes("GET", "/v1/campaigns/{campaign_id}/metrics")
def of_campaign(asked: ApiRequest) -> dict[str, Any]:
    """Answer a campaign's counts, of one channel where asked. Documented."""
    number, channel = campaign(asked)["id"], asked.query.get("type")
    return _of_version(asked, list(metrics.of_campaign(asked.workspace, number, channel=channel)))


@routes("GET", "/v1/campaigns/{campaign_id}/actions/{action_id}/metrics")
def of_action(asked: ApiRequest) -> dict[str, Any]:
    """Answer one action's counts. Documented."""
    number, step = asked.number("campaign_id"), action(asked)["id"]
    return _of_version(asked, list(metrics.of_campaign(asked.workspace, number, action_id=step)))


def _of_version(asked: ApiRequest, counted: list[metrics.Counted]) -> dict[str, Any]:
    """Answer the series of version 1, or of 2, which needs `res`, `start` and `end`; `tz` is UTC by default.

    Documented, 2026-09-17. Assumed (missing windows): what is missing is answered with 400.
    """
    query = asked.query
    if query.get("version", "1") == "1":
        return _version_1(asked, counted)
    if missing := [name for name in ("res", "start", "end") if not query.get(name)]:
        raise app_error(f"{missing[0]} is required", 400)
    if (zone := delays.zone(query.get("tz", "UTC"))) is None:
        raise app_error("tz must be the name of a region", 400)
    start, end = asked.seconds("start", 0), asked.seconds("end", 0)
    edges = _edges(asked, "res", zone, start, end)
    counts = {"metric": {"series": metrics.series(counted, edges, metrics.SERIES)}}
    return {"start": _told(start), "end": _told(end), "res": query["res"], **counts}


def _version_1(asked: ApiRequest, counted: list[metrics.Counted]) -> dict[str, Any]:
    return {"metric": {"series": metrics.series(counted, _newest(asked), metrics.SERIES_1)}}


def _told(at: int) -> str:
    """Return a time as these metrics write it (documented)."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} +0000 UTC"


def _edges(asked: ApiRequest, argument: str, zone: ZoneInfo, start: int, end: int) -> list[float]:
    step = STEPS.get(asked.query.get(argument, "days"))
    if step is None:
        raise app_error(f"{argument} must be hours, days, weeks or months", 400)
    if not 0 < end - start <= 10 * 366 * DAY:
        raise app_error("end must be later than start, and at most 10 years", 400)
    return metrics.between(step, zone, start, end)


@routes("GET", "/v1/campaigns/{campaign_id}/journey_metrics")
def of_journeys(asked: ApiRequest) -> dict[str, Any]:
    """Answer what became of the journeys that started in a span; nothing of it may be left out."""
    found = campaign(asked)
    if missing := [name for name in ("start", "end", "resolution") if not asked.query.get(name)]:
        raise app_error(f"{missing[0]} is required", 400)
    # Assumed (days of journeys): they begin in UTC, as they do in version 2 of other metrics.
    edges = _edges(asked, "resolution", ZoneInfo("UTC"), asked.seconds("start", 0), asked.seconds("end", 0))
    counted = metrics.of_journeys(asked.workspace, found)
    return {"journey_metric": metrics.series(counted, edges, metrics.JOURNEYS)}


@routes("GET", "/v1/campaigns/{campaign_id}/metrics/links")
def links_of_campaign(asked: ApiRequest) -> dict[str, Any]:
    """Answer clicks on the links of all of a campaign's messages. Documented."""
    return {"links": [link for step in campaign(asked)["workflow"] for link in _links(asked, step)]}


@routes("GET", "/v1/campaigns/{campaign_id}/actions/{action_id}/metrics/links")
def links_of_action(asked: ApiRequest) -> dict[str, Any]:
    """Answer clicks on the links of one action. Documented."""
    return {"links": _links(asked, action(asked))}


def _links(asked: ApiRequest, step: dict[str, Any]) -> list[dict[str, Any]]:
    clicks = metrics.clicks_in_action(asked.workspace, step["id"])
    return metrics.links(clicks, _newest(asked), step.get("links", []))


def _newest(asked: ApiRequest) -> list[float]:
    """Return the periods that `period` and `steps` ask for: 0 is all, and there are no fewer than 2."""
    step = asked.query.get("period", "days")
    if step not in metrics.MOST:
        raise app_error("period must be hours, days, weeks or months", 400)
    steps = whole(asked.query.get("steps", str(metrics.DEFAULT[step])))
    if steps is None:
        raise app_error("steps must be a number", 400)
    count = min(max(steps, 2) if steps else metrics.MOST[step], metrics.MOST[step])
    return metrics.newest(step, count, asked.workspace.now())


def _of_deliveries(folder: str, kind: str, source: str) -> None:
    """Register what a kind of message has: metrics that come from its deliveries."""

    def found(asked: ApiRequest) -> dict[str, Any]:
        thing = asked.workspace.thing(kind, asked.number("source_id"))
        if thing is None:
            raise app_error("not found", 404)
        return thing

    @routes("GET", f"/v1/{folder}/{{source_id}}/metrics")
    def of_message(asked: ApiRequest) -> dict[str, Any]:
        """Answer a version 1 series. Documented."""
        return _of_messages(asked, **{source: found(asked)["id"]})

    @routes("GET", f"/v1/{folder}/{{source_id}}/metrics/links")
    def links_of_message(asked: ApiRequest) -> dict[str, Any]:
        """Answer clicks on links. Documented. Assumed (no links): without any, the list is null."""
        thing = found(asked)
        clicks = metrics.clicks_of(asked.workspace, _channel(asked), **{source: thing["id"]})
        return {"links": metrics.links(clicks, _newest(asked), thing.get("links", [])) or None}


_of_deliveries("broadcasts", "broadcast", "broadcast_id")
_of_deliveries("newsletters", "newsletter", "newsletter_id")
_of_deliveries("transactional", "transactional", "transactional_message_id")


@routes("GET", "/v1/broadcasts/{broadcast_id}/actions/{action_id}/metrics")
def of_action_of_broadcast(asked: ApiRequest) -> dict[str, Any]:
    """Answer a version 1 series of one message of a broadcast. Documented."""
    actions = [step["id"] for step in asked.thing("broadcast", "broadcast_id")["actions"]]
    return _of_part(
        asked, actions, broadcast_id=asked.number("broadcast_id"), action_id=asked.number("action_id")
    )


@routes("GET", "/v1/newsletters/{newsletter_id}/contents/{content_id}/metrics")
def of_content(asked: ApiRequest) -> dict[str, Any]:
    """Answer a version 1 series of one variant of a newsletter. Documented."""
    contents = asked.thing("newsletter", "newsletter_id")["content_ids"]
    return _of_part(
        asked, contents, newsletter_id=asked.number("newsletter_id"), content_id=asked.number("content_id")
    )


def _of_part(asked: ApiRequest, parts: list[int], **of: int) -> dict[str, Any]:
    if [*of.values()][-1] not in parts:
        raise asked.refusal("not found", 404)
    return _of_messages(asked, **of)


def _of_messages(asked: ApiRequest, **of: int) -> dict[str, Any]:
    return _version_1(asked, list(metrics.of_deliveries(asked.workspace, _channel(asked), **of)))


def _channel(asked: ApiRequest) -> str | None:
    return asked.query.get("type") or None
