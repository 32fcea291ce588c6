"""Newsletters: read, sent now, and scheduled."""

from typing import Any

from cio_mcp.sandbox.engine import delays
from cio_mcp.sandbox.http import ApiRequest, Routes
from cio_mcp.sandbox.state import newsletters

routes = Routes()


def newsletter(asked: ApiRequest) -> dict[str, Any]:
    """Return the newsletter that a path names."""
    return asked.thing("newsletter", "newsletter_id")


def public(found: dict[str, Any]) -> dict[str, Any]:
    """Return a newsletter as the API tells it."""
    told = {name: value for name, value in found.items() if name not in newsletters.INTERNAL}
    return told | {"recipient_segment_ids": newsletters.segment_ids(found["recipients"])}


@routes("GET", "/v1/newsletters")
def every(asked: ApiRequest) -> dict[str, Any]:
    """Answer newsletters, newest first, or oldest first with `sort=asc` (documented).

    Live, recorded: the page of the last one has a `next` too, and the page after it is empty and not null.
    """
    oldest_first = asked.query.get("sort") == "asc"
    found = sorted(asked.workspace.things("newsletter"), key=lambda one: one["id"], reverse=not oldest_first)
    # Keys of pages descend, whatever the order.
    keyed = [((-one["id"] if oldest_first else one["id"], 0), public(one)) for one in found]
    kept, after = asked.page(keyed, ends_empty=True)
    return {"newsletters": kept, "next": after}


@routes("GET", "/v1/newsletters/{newsletter_id}")
def one(asked: ApiRequest) -> dict[str, Any]:
    """Answer one newsletter. Documented."""
    return {"newsletter": public(newsletter(asked))}


@routes("POST", "/v1/newsletters/{newsletter_id}/send")
def send(asked: ApiRequest) -> dict[str, Any]:
    """Send a newsletter now; a body is optional. Documented."""
    found = _to_be_sent(asked)
    check_pace(asked, asked.json() if asked.body.strip() else {})
    return {"newsletter": public(newsletters.send(asked.workspace, found))}


@routes("POST", "/v1/newsletters/{newsletter_id}/schedule")
def schedule(asked: ApiRequest) -> dict[str, Any]:
    """Set when a newsletter goes out, or take that back with 0. Documented.

    Assumed (recipients' time zones): all get it at the time that is set, whatever their own zone is.
    """
    found = _to_be_sent(asked)
    body = asked.json()
    at = body.get("scheduled_at")
    if not isinstance(at, int):
        raise asked.refusal("scheduled_at is required", 422)
    if at == 0 and found["scheduled_at"] is None:
        raise asked.refusal("newsletter is not currently scheduled")
    if at and at <= asked.workspace.now():
        raise asked.refusal("scheduled_at must be in the future", 422)
    if at and not body.get("timezone"):
        raise asked.refusal("timezone is required", 422)
    check_pace(asked, body)
    if at and delays.zone(body["timezone"]) is None:
        raise asked.refusal("unknown timezone", 422)
    return {"newsletter": public(newsletters.schedule(asked.workspace, found, at))}


def check_pace(asked: ApiRequest, body: dict[str, Any]) -> None:
    """Refuse half a rate limit, and a long one in the recipients' own time zones."""
    rate, period = body.get("rate_limit_email_rate"), body.get("rate_limit_time_period")
    if (rate is None) != (period is None):
        raise asked.refusal("rate_limit_email_rate and rate_limit_time_period go together", 422)
    if rate is not None and rate < 1:
        raise asked.refusal("rate_limit_email_rate must be at least 1", 422)
    if body.get("tz_match_enabled") and (period or 0) > 3600:
        raise asked.refusal("rate_limit_time_period is too long for tz_match_enabled", 422)


def _to_be_sent(asked: ApiRequest) -> dict[str, Any]:
    found = newsletter(asked)
    if found["sent_at"]:
        raise asked.refusal("newsletter has already been sent")
    if not found["recipients"]:
        raise asked.refusal("newsletter has no recipients")
    for number in newsletters.segment_ids(found["recipients"]):
        if (asked.workspace.thing("segment", number) or {}).get("state") != "finished":
            raise asked.refusal("segments are still processing")
    return found
