"""Reporting webhooks: set up, and never called."""

from typing import Any

from cio_mcp.sandbox.http import ApiRequest, Routes, app_error

routes = Routes()

SWITCHES = ("disabled", "full_resolution", "with_content")


def _webhook(asked: ApiRequest) -> dict[str, Any]:
    return asked.thing("reporting_webhook", "webhook_id")


@routes("GET", "/v1/reporting_webhooks")
def every(asked: ApiRequest) -> dict[str, Any]:
    """Answer all webhooks; the endpoint has no pages. Documented."""
    return {"reporting_webhooks": asked.workspace.things("reporting_webhook")}


@routes("POST", "/v1/reporting_webhooks")
def create(asked: ApiRequest) -> dict[str, Any]:
    """Make a webhook. Documented."""
    return _stored(asked, asked.workspace.next_number("reporting_webhook"))


@routes("GET", "/v1/reporting_webhooks/{webhook_id}")
def one(asked: ApiRequest) -> dict[str, Any]:
    """Answer one webhook, without an envelope. Documented."""
    return _webhook(asked)


@routes("PUT", "/v1/reporting_webhooks/{webhook_id}")
def replace(asked: ApiRequest) -> dict[str, Any]:
    """Replace all settings of a webhook. Documented."""
    return _stored(asked, _webhook(asked)["id"])


def _stored(asked: ApiRequest, number: int) -> dict[str, Any]:
    body = asked.json()
    if missing := [field for field in ("name", "endpoint", "events") if not body.get(field)]:
        raise app_error(f"{missing[0]} is required", 400)
    if not isinstance(body["events"], list):
        raise app_error("events must be a list", 400)
    if not str(body["endpoint"]).startswith(("https://", "http://")):
        raise app_error("endpoint must be a URL", 400)
    webhook = {
        "id": number,
        "type": "webhook",
        **{field: body[field] for field in ("name", "endpoint", "events")},
        **{field: body.get(field) is True for field in SWITCHES},
    }
    asked.workspace.configure("reporting_webhook", webhook)
    return webhook


@routes("DELETE", "/v1/reporting_webhooks/{webhook_id}")
def delete(asked: ApiRequest) -> dict[str, Any]:
    """Remove a webhook; unlike other deletions this is a 200. Documented."""
    asked.workspace.remove("reporting_webhook", _webhook(asked)["id"])
    return {}
