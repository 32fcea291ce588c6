"""Exports: started, followed, downloaded."""

from typing import Any

from cio_mcp.sandbox.http import ApiRequest, Routes, app_error
from cio_mcp.sandbox.state import deliveries, exports, people, segments
from cio_mcp.sandbox.state.metrics import DAY
from cio_mcp.sandbox.state.workspace import Row

routes = Routes()

SOURCES = {"newsletter_id", "campaign_id", "transactional_message_id", "action_id"}


def _export(asked: ApiRequest) -> dict[str, Any]:
    return asked.thing("export", "export_id")


def _public(asked: ApiRequest, export: dict[str, Any]) -> dict[str, Any]:
    """Return an export as the API has it: it tells how many entries there are once it is done."""
    done = exports.done(asked.workspace, export)
    told = {name: value for name, value in export.items() if name not in exports.INTERNAL}
    return told | {
        "deduplicate_id": f"{export['id']}:{export['created_at']}",
        "status": "failed" if export["failed"] else "done" if done else "pending",
        "total": export["entries"] if done else 0,
        "updated_at": export["created_at"] + exports.WRITTEN_AFTER * done,
        "user_id": 0,
        "user_email": "",
    }


@routes("GET", "/v1/exports")
def every(asked: ApiRequest) -> dict[str, Any]:
    """Answer all exports (documented). Live, recorded: without any, the list is null."""
    return {"exports": [_public(asked, found) for found in asked.workspace.things("export")] or None}


@routes("POST", "/v1/exports/customers")
def start_customers(asked: ApiRequest) -> dict[str, Any]:
    """Start an export of who fits a filter. Documented."""
    body = asked.json()
    _check_columns(body)
    if not isinstance(body.get("filters"), dict):
        raise app_error("filters is required", 400)
    try:
        found = segments.audience(asked.workspace, body["filters"])
    except segments.WrongFilter as wrong:
        raise app_error(str(wrong), 400) from None
    entries = [_of_person(asked, person, body.get("attributes")) for person in found]
    return _started(asked, "customers", "Customers that fit a filter (created via the api)", entries)


def _of_person(asked: ApiRequest, person: Row, names: list[str] | None) -> dict[str, Any]:
    profile = people.profile(asked.workspace, person)
    identifiers: dict[str, Any] = profile["identifiers"]
    attributes = {
        name: value
        for name, value in profile["attributes"].items()
        if name not in identifiers and (names is None or name in names)
    }
    return identifiers | attributes


@routes("POST", "/v1/exports/deliveries")
def start_deliveries(asked: ApiRequest) -> dict[str, Any]:
    """Start an export of what one source sent (documented): in 6 months, or at most 12 up to `end`."""
    body = asked.json()
    _check_columns(body)
    if len(sources := SOURCES & body.keys()) != 1:
        raise app_error("exactly one of newsletter_id, campaign_id, transactional_message_id, action_id", 400)
    (source,) = sources
    end = body.get("end", asked.workspace.now())
    start = max(body.get("start", end - 183 * DAY), end - 366 * DAY)
    wanted = {source: body[source], "metric": body.get("metric")}
    drafts = None if body.get("drafts") is True else False
    found = list(deliveries.listed(asked.workspace, start, end, drafts=drafts, **wanted))
    entries = [
        {name: message[name] for name in ("id", "customer_id", "type", "recipient", "subject", "created")}
        for _, message in found
    ]
    return _started(asked, "deliveries", "Full deliveries export (created via the api)", entries)


def _check_columns(body: dict[str, Any]) -> None:
    if not isinstance(body.get("attributes", []), list):
        raise app_error("attributes must be a list", 400)


def _started(
    asked: ApiRequest, type_: str, description: str, entries: list[dict[str, Any]]
) -> dict[str, Any]:
    return {"export": _public(asked, exports.start(asked.workspace, type_, description, entries))}


@routes("GET", "/v1/exports/{export_id}")
def one(asked: ApiRequest) -> dict[str, Any]:
    """Answer one export. Documented."""
    return {"export": _public(asked, _export(asked))}


@routes("GET", "/v1/exports/{export_id}/download")
def download(asked: ApiRequest) -> dict[str, Any]:
    """Answer a link to the file (documented). Assumed (early downloads): before there is one, it is a 400."""
    export = _export(asked)
    if not exports.done(asked.workspace, export):
        raise app_error("export is not done", 400)
    return {"link": exports.link(asked.workspace, export)}
