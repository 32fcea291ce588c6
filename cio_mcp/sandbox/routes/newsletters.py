"""Newsletters: read, sent now, and scheduled."""

from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cio_mcp.sandbox.http import ApiRequest, Routes
from cio_mcp.sandbox.state import newsletters

routes = Routes()


def _newsletter(asked: ApiRequest) -> dict[str, Any]:
    return asked.thing("newsletter", "newsletter_id")


def _public(newsletter: dict[str, Any]) -> dict[str, Any]:
    told = {name: value for name, value in newsletter.items() if name not in newsletters.INTERNAL}
    return told | {"recipient_segment_ids": newsletters.segment_ids(newsletter["recipients"])}


@routes("GET", "/v1/newsletters")
def every(asked: ApiRequest) -> dict[str, Any]:
    """Answer newsletters, newest first, or oldest first with `sort=asc` (documented).

    Live, recorded: the page of the last one has a `next` too, and the page after it is empty and not null.
    """
    oldest_first = asked.query.get("sort") == "asc"
    found = sorted(asked.workspace.things("newsletter"), key=lambda one: one["id"], reverse=not oldest_first)
    # Keys of pages descend, whatever the order.
    keyed = [((-one["id"] if oldest_first else one["id"], 0), _public(one)) for one in found]
    kept, after = asked.page(keyed, ends_empty=True)
    return {"newsletters": kept, "next": after}


@routes("GET", "/v1/newsletters/{newsletter_id}")
def one(asked: ApiRequest) -> dict[str, Any]:
    """Answer one newsletter. Documented."""
    return {"newsletter": _public(_newsletter(asked))}


@routes("GET", "/v1/newsletters/{newsletter_id}/test_groups")
def groups(asked: ApiRequest) -> dict[str, Any]:
    """Answer the groups of a newsletter's A/B test, none where there is no test. Documented."""
    return {"test_groups": _newsletter(asked).get("test_groups", [])}


@routes("POST", "/v1/newsletters/{newsletter_id}/send")
def send(asked: ApiRequest) -> dict[str, Any]:
    """Send a newsletter now; a body is optional. Documented."""
    newsletter = _to_be_sent(asked)
    return {"newsletter": _public(newsletters.send(asked.workspace, newsletter))}


@routes("POST", "/v1/newsletters/{newsletter_id}/schedule")
def schedule(asked: ApiRequest) -> dict[str, Any]:
    """Set when a newsletter goes out, or take that back with 0. Documented."""
    newsletter = _to_be_sent(asked)
    body = asked.json()
    at = body.get("scheduled_at")
    if not isinstance(at, int):
        raise asked.refusal("scheduled_at is required", 422)
    if at == 0 and newsletter["scheduled_at"] is None:
        raise asked.refusal("newsletter is not currently scheduled")
    if at and at <= asked.workspace.now():
        raise asked.refusal("scheduled_at must be in the future", 422)
    if at and not body.get("timezone"):
        raise asked.refusal("timezone is required", 422)
    if at:
        try:
            ZoneInfo(body["timezone"])
        except (ZoneInfoNotFoundError, ValueError, TypeError):
            raise asked.refusal("unknown timezone", 422) from None
    return {"newsletter": _public(newsletters.schedule(asked.workspace, newsletter, at))}


def _to_be_sent(asked: ApiRequest) -> dict[str, Any]:
    newsletter = _newsletter(asked)
    if newsletter["sent_at"]:
        raise asked.refusal("newsletter has already been sent")
    if not newsletter["recipients"]:
        raise asked.refusal("newsletter has no recipients")
    for number in newsletters.segment_ids(newsletter["recipients"]):
        if (asked.workspace.thing("segment", number) or {}).get("state") != "finished":
            raise asked.refusal("segments are still processing")
    return newsletter
