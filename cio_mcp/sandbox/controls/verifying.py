"""Whether what was imported has the form that a sandbox's tables have, so that nothing fails on it later."""

import json
import math
from collections.abc import Callable, Iterator
from itertools import chain
from string import Formatter
from typing import Any

from cio_mcp.sandbox.bodies import DEEPEST, depth
from cio_mcp.sandbox.engine import delays
from cio_mcp.sandbox.engine.telling import SENTENCES
from cio_mcp.sandbox.faults.fault import WrongFault, parse
from cio_mcp.sandbox.state import copies, requests
from cio_mcp.sandbox.state.copies import OF_JSON, WrongCopy
from cio_mcp.sandbox.state.schema import VERSION
from cio_mcp.sandbox.state.workspace import Row, Workspace

# A form: a type, several of them, an object's fields with their forms, or a list of one form.
Form = Any

WHO = (str, dict)
NUMBER = (int, float)
NONE = type(None)
AT = (int, NONE)
OBJECT = {"identifiers": dict, "body": dict}

TIMERS: dict[str, Form] = {
    "identify": {"identifier": WHO, "body": dict},
    "event": {"body": {"name": str}},
    "delete": {"identifier": WHO},
    "suppress": {"identifier": WHO},
    "unsuppress": {"identifier": WHO},
    "add_device": {"identifier": WHO, "device": {"id": str}},
    "delete_device": {"identifier": WHO, "device_id": str},
    "merge": {"primary": dict, "secondary": dict},
    "members": {"segment_id": int, "ids": [str], "id_type": str},
    "newsletter": {"id": int, "scheduled_at": AT},
    "delivery_event": {"identifiers": {"id": str}, "name": str},
    "delivery_effect": {"id": str, "state": str},
    "object": OBJECT,
    "object_delete": {"identifiers": dict},
    "object_relate": OBJECT | {"body": {"action": str}},
    "opt_out": {"cio_id": str, "channel": str, "from": str, "optout": bool},
    "journey": {"journey": int, "action": AT},
    "check": {"cio_id": str},
    "date": {"campaign": int, "cio_id": str},
    "life": {"number": int},
}

THINGS: dict[str, Form] = {
    "computed_attribute": {"name": str, "event": str, "aggregate": str},
    "campaign": {"state": str, "workflow": [{"id": int, "type": str}], "actions": [dict]},
    "broadcast": {"name": str, "actions": [{"id": int}], "recipients": dict},
    "newsletter": {"type": str, "content_ids": [int], "recipients": dict, "sent_at": AT, "scheduled_at": AT},
    "transactional": {"name": str, "channel": str},
    "content": {"type": str, "language": str, "updated": int},
    "text_before": {"last": int, "until": int, "text": {"id": int}},
    "segment": {"name": str, "type": str},
    "snippet": {"name": str, "value": str},
    "collection": {"name": str},
    "export": {"type": str, "failed": bool, "created_at": int},
    "suppression": {"kind": str, "email": str, "reason": str, "status": str, "created": int},
    "opt_out": {"cio_id": str, "channel": str, "from": str},
    "story": {"planted": int},
}

DELIVERY = {"type": str, "recipient": str, "failure_message": (str, NONE)}
REQUEST = {"path": str, "ids": dict, "query": dict, "body": str}
OF_FAULTS: dict[str, Form] = {
    requests.FAULT_ADDED: {"number": int, "body": str},
    requests.FAULTS_LIFTED: {"number": AT},
    requests.FAULTS_MET: {"met": [int], "struck": [int]},
    requests.FORGOTTEN: {},
}

TYPES: dict[str, tuple[type, ...]] = {"TEXT": (str,), "INTEGER": (int,), "REAL": (int, float)}


def hold(workspace: Workspace, copy: Any) -> None:
    """Hold what a copy of unknown origin holds, as `copies.put` does; raises WrongCopy with the place."""
    copies.put(workspace, copy)
    if copy.get("version") == VERSION:  # what older versions wrote was not always so
        verify(workspace)


def verify(workspace: Workspace) -> None:
    """Raise WrongCopy, with the place, for what no sandbox would have written."""
    entries = {row["number"] for row in workspace.rows("SELECT number FROM log")}
    for table in copies.tables_of(workspace):
        columns = workspace.rows(f"PRAGMA table_info({table})")
        own = CHECKS.get(table)
        for row in workspace.rows(f"SELECT * FROM {table}"):  # noqa: S608 - ours
            for wrong in chain(_wrong(columns, row, entries), own(row) if own else ()):
                raise WrongCopy(f"it holds what no sandbox holds: {table} {row[0]!r}: {wrong}")


def _wrong(columns: list[Row], row: Row, entries: set[int]) -> Iterator[str]:
    for column in columns:
        name, value = column["name"], row[column["name"]]
        if value is None:
            if column["pk"]:
                yield f"{name} is missing"
            continue
        if not isinstance(value, TYPES[column["type"]]) or (
            isinstance(value, float) and not math.isfinite(value)
        ):
            yield f"{name} is {value!r}"
        if name in OF_JSON:
            found = json.loads(value)
            yield from differences(found, list if name == "errors" else dict, name)
            if depth(found) > DEEPEST:
                yield f"{name} has more than {DEEPEST} brackets within each other"
        if name in {"cause", "entry"} and value not in entries:
            yield f"{name} is {value!r}, and the log has no such entry"


def differences(found: Any, form: Form, at: str) -> Iterator[str]:
    """Yield where JSON has not a form."""
    if isinstance(form, dict):
        if not isinstance(found, dict):
            yield f"{at} is {_short(found)}"
            return
        for name, inside in form.items():
            if name not in found:
                yield f"{at} lacks {name}"
            else:
                yield from differences(found[name], inside, f"{at}.{name}")
    elif isinstance(form, list):
        if not isinstance(found, list):
            yield f"{at} is {_short(found)}"
            return
        for number, one in enumerate(found):
            yield from differences(one, form[0], f"{at}[{number}]")
    elif not _fits(found, form):
        yield f"{at} is {_short(found)}"


def _fits(found: Any, form: Form) -> bool:
    if isinstance(form, (dict, list)):
        return False
    kinds = form if isinstance(form, tuple) else (form,)
    # JSON's true is not a number.
    return isinstance(found, kinds) and (bool in kinds or not isinstance(found, bool))


def _short(found: Any) -> str:
    text = json.dumps(found, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:60]}…"


def _timer(row: Row) -> Iterator[str]:
    if row["what"] not in TIMERS:
        yield f"what is {row['what']!r}"
    else:
        yield from differences(json.loads(row["body"]), TIMERS[row["what"]], "body")


def _request(row: Row) -> Iterator[str]:
    body = json.loads(row["body"])
    yield from differences(body, OF_FAULTS.get(row["what"], REQUEST), "body")
    if row["what"] == requests.FAULT_ADDED:
        yield from _fault_wrong(body["body"])


def _fault(row: Row) -> Iterator[str]:
    yield from _fault_wrong(row["body"])


def _fault_wrong(text: str) -> Iterator[str]:
    try:
        parse(json.loads(text))
    except (ValueError, WrongFault) as wrong:
        yield f"body: {wrong}"


def _thing(row: Row) -> Iterator[str]:
    body = json.loads(row["body"])
    at = f"{row['id']}: body"
    if body.get("id") != row["id"]:
        yield f"{at}.id is {_short(body.get('id'))}"
    yield from differences(body, THINGS.get(row["kind"], {}), at)
    if row["kind"] == "segment" and body["type"] != "manual":
        rule = {"event": body["performed"]} if "performed" in body else body.get("conditions")
        yield from _condition(rule, f"{at}.conditions")
    if row["kind"] == "campaign":
        parts = {"filter": body.get("filter"), "goal.condition": (body.get("goal") or {}).get("condition")}
        for action in body["workflow"]:
            if not delays.can_end(action.get("delay", {})):
                yield f"{at}.workflow action {action['id']}.delay is {_short(action['delay'])}"
        branches = [action for action in body["workflow"] if action["type"] == "conditional_branch"]
        parts |= {f"workflow action {branch['id']}.if": branch.get("if", False) for branch in branches}
        for name, condition in parts.items():
            if condition is not None:
                yield from _condition(condition, f"{at}.{name}")


CONDITIONS: dict[str, Form] = {
    "segment": {"id": (int, str)},
    "event": {"name": str},
    "attribute": {"field": str, "operator": str},
}


def _condition(found: Any, at: str) -> Iterator[str]:
    if not isinstance(found, dict) or len(found) != 1:
        yield f"{at} is {_short(found)}"
        return
    ((key, value),) = found.items()
    if key in {"and", "or"} and isinstance(value, list):
        for number, part in enumerate(value):
            yield from _condition(part, f"{at}.{key}[{number}]")
    elif key == "not":
        yield from _condition(value, f"{at}.not")
    elif key in CONDITIONS:
        yield from differences(value, CONDITIONS[key], f"{at}.{key}")
    else:
        yield f"{at} is {_short(found)}"


def _entry(row: Row) -> Iterator[str]:
    """Yield what the sentence about an entry would lack."""
    if row["cause"] is not None and row["cause"] >= row["number"]:
        yield f"cause is {row['cause']}, which is no earlier entry"
    data = json.loads(row["data"])
    for _, field, *_ in Formatter().parse(SENTENCES.get(row["kind"], "")):
        if field and field.startswith("data[") and field[5:-1] not in data:
            yield f"data lacks {field[5:-1]}"


def _delivery(row: Row) -> Iterator[str]:
    yield from differences(json.loads(row["body"]), DELIVERY, "body")
    states = json.loads(row["states"])
    yield from differences(states, dict.fromkeys(states, NUMBER) | {"created": NUMBER}, "states")


CHECKS: dict[str, Callable[[Row], Iterator[str]]] = {
    "deliveries": _delivery,
    "faults": _fault,
    "log": _entry,
    "requests": _request,
    "things": _thing,
    "timers": _timer,
}
