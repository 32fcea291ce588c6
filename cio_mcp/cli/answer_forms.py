"""`cio-mcp doctor --answers`: which of Customer.io's answers have a form that the tools do not know.

`forms.json` has the forms, those that the API documents and those that were seen of the live API. A name ends
with `?` where it may be missing or null, and with `~` where it is an envelope, which may be missing; `*` in a
name stands for anything. `[form]` is a list, which may be null, and `#name` one of the shapes.
"""

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from cio_mcp import __version__
from cio_mcp.app.build import build
from cio_mcp.client import AppApi, CustomerIO, Query, RequestKind
from cio_mcp.errors import CustomerIOError, SettingsError
from cio_mcp.settings import load
from cio_mcp.toolkit.answers.reading import FIRST, LAST
from cio_mcp.tools.people.search import EVERYBODY

_FORMS = json.loads(Path(__file__).with_name("forms.json").read_text(encoding="utf-8"))
SHAPES: dict[str, Any] = _FORMS["shapes"]
ANSWERS: dict[str, Any] = _FORMS["answers"]

# Where the ids in paths are found: in the answer of an operation, the list and the field.
IDS = {
    "delivery_id": ("GET /v1/messages", "messages", "id"),
    "segment_id": ("GET /v1/segments", "segments", "id"),
    "customer_id": ("POST /v1/customers", "identifiers", "cio_id"),
    "email": ("POST /v1/customers", "identifiers", "email"),
    "campaign_id": ("GET /v1/campaigns", "campaigns", "id"),
    "action_id": ("GET /v1/campaigns/{campaign_id}/actions", "actions", "id"),
    "action_language": ("GET /v1/campaigns/{campaign_id}/actions", "actions", "language"),
    "broadcast_id": ("GET /v1/broadcasts", "broadcasts", "id"),
    "broadcast_action_id": ("GET /v1/broadcasts/{broadcast_id}/actions", "actions", "id"),
    "broadcast_language": ("GET /v1/broadcasts/{broadcast_id}/actions", "actions", "language"),
    "trigger_id": ("GET /v1/broadcasts/{broadcast_id}/triggers", "triggers", "id"),
    "newsletter_id": ("GET /v1/newsletters", "newsletters", "id"),
    "transactional_id": ("GET /v1/transactional", "messages", "id"),
    "content_id": ("GET /v1/newsletters/{newsletter_id}/contents", "contents", "id"),
    "newsletter_language": ("GET /v1/newsletters/{newsletter_id}/contents", "contents", "language"),
    "template_content_id": ("GET /v1/transactional/{transactional_id}/contents", "contents", "id"),
    "template_language": ("GET /v1/transactional/{transactional_id}/contents", "contents", "language"),
    "export_id": ("GET /v1/exports", "exports", "id"),
    "sender_id": ("GET /v1/sender_identities", "sender_identities", "id"),
    "collection_id": ("GET /v1/collections", "collections", "id"),
    "email_id": ("GET /v1/design_studio/emails", "emails", "id"),
    "email_language": ("GET /v1/design_studio/emails/{email_id}/languages", "email_translations", "language"),
    "webhook_id": ("GET /v1/reporting_webhooks", "reporting_webhooks", "id"),
}

# Items of a list that has pages.
FEW = 10

# A name like this is Customer.io's. Any other may hold data, and is not shown.
NAME = re.compile(r"[A-Za-z0-9_:]{1,40}")

KINDS: dict[type, str] = {
    str: "text",
    bool: "bool",
    int: "int",
    float: "number",
    list: "list",
    dict: "object",
    type(None): "null",
}


@dataclass(frozen=True)
class Look:
    """What one read showed: how its answer differs from the known form, or why there is none."""

    operation: str
    differences: tuple[str, ...] = ()
    unseen: str = ""

    def __str__(self) -> str:
        state = "unseen " if self.unseen else "differs" if self.differences else "known  "
        head = f"{state}  {self.operation}" + (f": {self.unseen}" if self.unseen else "")
        return "\n".join((head, *(f"           {difference}" for difference in self.differences)))


def run() -> int:
    """Print the form of each answer; returns 1 if one is not known, else 0."""
    sys.stdout.write(f"cio-mcp {__version__}: the forms of Customer.io's answers, without values\n")
    return asyncio.run(_print())


async def _print() -> int:
    differ = False
    app = build(load())
    try:
        for name, workspace in app.workspaces.items():
            if name:
                sys.stdout.write(f"workspace {name}\n")
            async for look in looks(workspace.client):
                sys.stdout.write(f"{look}\n")
                sys.stdout.flush()
                differ = differ or bool(look.differences)
    finally:
        await app.aclose()
    return int(differ)


async def looks(client: CustomerIO) -> AsyncIterator[Look]:
    """Read each endpoint once that the tools read, at the pace of all calls; nothing is written."""
    if not client.opens(AppApi):
        raise SettingsError("CIO_APP_API_KEY: is needed to look at answers")
    seen: dict[str, Any] = {}
    for operation, form in ANSWERS.items():
        ids = {name: _found(seen, name) for name in _ids(operation)}
        if missing := [name for name, value in ids.items() if value is None]:
            yield Look(operation, unseen=f"there is no {missing[0].removesuffix('_id')} to look at")
            continue
        app = client.api(AppApi, client.begin())
        try:
            seen[operation] = answer = await _read(app, operation, ids)
        except CustomerIOError as error:
            yield Look(operation, unseen=f"status {error.status}" if error.status else error.outcome)
            continue
        yield Look(operation, tuple(dict.fromkeys(form_differences(form, answer))))


def _found(seen: dict[str, Any], name: str) -> Any:
    if name not in IDS:  # no list tells it
        return None
    operation, listed, field = IDS[name]
    items = seen[operation].get(listed) if isinstance(seen.get(operation), dict) else None
    values = (item.get(field) for item in items or [] if isinstance(item, dict))
    return next((value for value in values if value), None)


async def _read(app: AppApi, operation: str, ids: dict[str, Any]) -> Any:
    method, _, path = operation.partition(" ")
    query = _query(operation)
    if method == "GET":
        return await app.get(path, query, **ids)
    body: dict[str, Any] = {"ids": list(ids.values())} if ids else {"filter": EVERYBODY}
    if "{" in path:
        return await app.post(path, {}, query=query, kind=RequestKind.READ, **ids)
    if path == "/v1/objects":
        named = {"object_attribute": {"type_id": "1", "field": "name", "operator": "exists"}}
        body = {"object_type_id": "1", "filter": named}
    return await app.post(path, body, query=query, kind=RequestKind.READ)


def _query(operation: str) -> Query:
    """Return a query for few items, or a week of counts."""
    paged = "next?" in _resolved(ANSWERS[operation]) and not operation.endswith("/actions")
    query: dict[str, object] = {"limit": FEW} if paged else {}
    if "customer_id" in _ids(operation):
        query["id_type"] = "cio_id"
    if operation == "GET /v1/customers":
        query["email"] = "nobody@example.com"
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    week = {"start": int((today - timedelta(days=7)).timestamp()), "end": int(today.timestamp())}
    if operation.endswith("/journey_metrics"):
        query |= {"resolution": "days", **week}
    elif "/campaigns/" in operation and operation.endswith("/metrics"):
        query |= {"version": 2, "res": "days", **week}
    elif "/metrics" in operation:
        query |= {"period": "days", "steps": 7}
    return query


def _ids(operation: str) -> list[str]:
    """Return the names of the ids that an operation needs, in its path or in its body."""
    return (
        ["customer_id"] if operation == "POST /v1/customers/attributes" else re.findall(r"{(\w+)}", operation)
    )


def form_differences(form: Any, value: Any, at: str = "answer") -> Iterator[str]:
    """Yield how a value differs from a form, by path and never by value."""
    form = _resolved(form)
    if isinstance(form, list):
        if isinstance(value, list):
            for item in value:
                yield from form_differences(form[0], item, f"{at}[]")
        elif value is not None:
            yield f"{at}: is {_kind(value)}, known as list"
    elif isinstance(form, dict):
        yield from _of_object(form, value, at)
    elif not any(_is(word, value) for word in form.split("|")):
        unit = " which is not unix seconds" if form == "time" and _kind(value) == "int" else ""
        yield f"{at}: is {_kind(value)}{unit}, known as {form}"


def _of_object(form: dict[str, Any], value: Any, at: str) -> Iterator[str]:
    envelope = next((name for name in form if name.endswith("~")), None)
    if envelope and not (isinstance(value, dict) and isinstance(value.get(envelope[:-1]), dict)):
        yield from form_differences(form[envelope], value, at)
        return
    if not isinstance(value, dict):
        yield f"{at}: is {_kind(value)}, known as object"
        return
    for name, item in value.items():
        known = next((one for one in form if fnmatchcase(name, one.rstrip("?~"))), None)
        shown = name if NAME.fullmatch(name) else "(a name that is not shown)"
        if known is None:
            yield f"{at}.{shown}: is not known, {_kind(item)}"
        elif item is not None or not known.endswith("?"):
            yield from form_differences(form[known], item, f"{at}.{'*' if '*' in known else shown}")
    for name in form:
        if not name.endswith(("?", "~")) and name not in value:
            yield f"{at}.{name}: is missing"


def _resolved(form: Any) -> Any:
    return SHAPES[form[1:]] if isinstance(form, str) and form.startswith("#") else form


def _is(word: str, value: Any) -> bool:
    if word == "time":
        return _kind(value) == "int" and (value == 0 or FIRST <= value < LAST)
    return word in {"any", _kind(value)}


def _kind(value: Any) -> str:
    return KINDS[type(value)]
