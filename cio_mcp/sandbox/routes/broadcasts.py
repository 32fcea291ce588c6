"""API-triggered broadcasts. Triggers live under `campaigns` for historical reasons."""

import json
from typing import Any

from cio_mcp.sandbox.http import ApiRequest, Rejected, Routes, app_error, whole
from cio_mcp.sandbox.state import broadcasts, segments

routes = Routes()

# Which flags go with which audience; anything else in the body is refused.
FLAGS = {
    "ids": {"id_ignore_missing"},
    "emails": {"email_ignore_missing", "email_add_duplicates"},
    "per_user_data": {"id_ignore_missing", "email_ignore_missing", "email_add_duplicates"},
    "data_file_url": {"id_ignore_missing", "email_ignore_missing", "email_add_duplicates"},
    "recipients": set[str](),
}


def _broadcast(asked: ApiRequest) -> dict[str, Any]:
    number = asked.number("broadcast_id")
    found = asked.workspace.thing("broadcast", number)
    if found is None:
        raise app_error(f"broadcast with id {number} does not exist", 404)
    return found


def _invalid(detail: str, field: str) -> Rejected:
    return app_error(detail, 422, f"/data/attributes/{field}")


@routes("GET", "/v1/broadcasts")
def every(asked: ApiRequest) -> dict[str, Any]:
    """Answer all broadcasts. Documented."""
    return {"broadcasts": [_public(found) for found in asked.workspace.things("broadcast")]}


@routes("GET", "/v1/broadcasts/{broadcast_id}")
def one(asked: ApiRequest) -> dict[str, Any]:
    """Answer one broadcast. Documented."""
    return {"broadcast": _public(_broadcast(asked))}


def _public(broadcast: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value for name, value in broadcast.items() if name not in {"recipients", "subject", "links"}
    }


@routes("POST", "/v1/campaigns/{broadcast_id}/triggers")
def trigger(asked: ApiRequest) -> dict[str, Any]:
    """Check an audience, then take the trigger. Documented.

    Assumed (429s of triggers): they are told as all others, those for waiting triggers too.
    """
    broadcast = _broadcast(asked)
    body = _checked(asked.json())
    if pause := broadcasts.pause(asked.workspace, broadcast["id"]):
        told = f"rate limited to 1 requests per {broadcasts.INTERVAL}s"
        raise app_error(told, 429, retry_after=pause)
    try:
        return {"id": broadcasts.trigger(asked.workspace, broadcast, body)}
    except segments.WrongFilter as wrong:
        raise _invalid(str(wrong), "recipients") from None


def _checked(body: dict[str, Any]) -> dict[str, Any]:
    forms = [form for form in FLAGS if form in body]
    if len(forms) > 1:
        raise _invalid("only one audience is allowed", forms[1])
    form = forms[0] if forms else "recipients"
    for name in body.keys() - {form, "data"} - FLAGS[form]:
        raise _invalid(f"{name} is not allowed with {form}", name)
    if body.get("recipients") == {}:
        raise _invalid("empty recipients filter is not valid", "recipients")
    data = body.get("data", {})
    if not isinstance(data, dict) or len(json.dumps(data, ensure_ascii=False).encode()) > 51_000:
        # Documented: 50 000 bytes. Assumed (sizes of data): with 2 % for blanks between values.
        raise _invalid("data must be an object of at most 50000 bytes", "data")
    entries = body.get(form)
    if form in {"ids", "emails"} and not _are(entries, str):
        raise _invalid(f"{form} must be 1 to 10000 strings", form)
    if form == "per_user_data" and not (
        _are(entries, dict) and all({"id", "email"} & set(entry) for entry in entries or [])
    ):
        raise _invalid("per_user_data must be 1 to 10000 entries with id or email", form)
    return body


def _are(entries: Any, kind: type) -> bool:
    return (
        isinstance(entries, list)
        and 0 < len(entries) <= 10_000
        and all(isinstance(entry, kind) for entry in entries)
    )


@routes("GET", "/v1/broadcasts/{broadcast_id}/triggers")
def triggers(asked: ApiRequest) -> dict[str, Any]:
    """Answer a broadcast's triggers. Documented."""
    return {"triggers": broadcasts.triggers(asked.workspace, _broadcast(asked)["id"])}


@routes("GET", "/v1/campaigns/{broadcast_id}/triggers/{trigger_id}")
def status(asked: ApiRequest) -> dict[str, Any]:
    """Answer one trigger, flat. Documented."""
    number = asked.number("trigger_id")
    for found in broadcasts.triggers(asked.workspace, _broadcast(asked)["id"]):
        if found["id"] == number:
            return found
    raise app_error("not found", 404)


@routes("GET", "/v1/campaigns/{broadcast_id}/triggers/{trigger_id}/errors")
def errors(asked: ApiRequest) -> dict[str, Any]:
    """Answer what a trigger failed on; `start` and `next` count errors here. Documented."""
    found = broadcasts.errors(asked.workspace, _broadcast(asked)["id"], asked.number("trigger_id"))
    if found is None:
        raise app_error("not found", 404)
    start = whole(asked.query.get("start") or "0")
    if start is None:
        raise app_error("start must be a number", 400)
    end = start + asked.limit()
    return {"errors": found[start:end], "next": end if end < len(found) else 0}
