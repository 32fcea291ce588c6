"""Track v2: one operation on a person, an object or a delivery, or a batch of them."""

import json
import re
from collections.abc import Iterator
from typing import Any

from cio_mcp.sandbox.contract import CONTRACT
from cio_mcp.sandbox.http import ApiRequest, PartialAnswer, Rejected, Routes
from cio_mcp.sandbox.state import deliveries, devices, merges, objects
from cio_mcp.sandbox.state.workspace import Workspace

routes = Routes()

ENTITY, BATCH = "/api/v2/entity", "/api/v2/batch"

# Documented: "32kb or smaller", "smaller than 500kb". Assumed (kilobytes of batches): they have 1024 bytes.
LARGEST, LARGEST_BATCH = 32 * 1024, 500 * 1024

# A phone number in E.164.
PHONE = re.compile(r"\+[1-9]\d{1,14}")

# What the API's description has for each type and action.
FORMS: dict[str, Any] = {
    f"{kind} {action}": form
    for form in (CONTRACT.of("POST", ENTITY) or {})["body"]
    for kind in form["fields"]["type"]["enum"]
    for action in form["fields"]["action"]["enum"]
}

Fault = dict[str, Any]


def _fault(field: str, message: str, reason: str = "invalid") -> Fault:
    """Return an error of Track v2 (documented). Assumed (words of refusals): what `reason` says."""
    return {"reason": reason, "field": field, "message": message}


@routes("POST", ENTITY)
def entity(asked: ApiRequest) -> dict[str, Any]:
    """Accept one operation (documented)."""
    operation = asked.json()
    if fault := fault_of(operation):
        raise Rejected(400, {"errors": [fault]})
    accept(asked.workspace, operation)
    return {}


@routes("POST", BATCH)
def batch(asked: ApiRequest) -> dict[str, Any] | PartialAnswer:
    """Accept the operations that are valid; answer 207 with what is wrong with the others (documented)."""
    operations = asked.json().get("batch")
    if len(asked.body) >= LARGEST_BATCH:
        raise Rejected(400, {"errors": [_fault("batch", "request must be smaller than 500kb")]})
    if not isinstance(operations, list) or not operations:
        raise Rejected(400, {"errors": [_fault("batch", "batch must be a list of operations", "required")]})
    faults = []
    for number, operation in enumerate(operations):
        if fault := fault_of(operation):
            faults.append({"batch_index": number, **fault})
        else:
            accept(asked.workspace, operation)
    return PartialAnswer({"errors": faults}) if faults else {}


def fault_of(operation: Any) -> Fault | None:
    """Return what is wrong with an operation, None where nothing is."""
    if not isinstance(operation, dict):
        return _fault("", "an operation must be an object")
    if len(json.dumps(operation, ensure_ascii=False, separators=(",", ":")).encode()) > LARGEST:
        return _fault("", "an operation must be smaller than 32kb", "too_large")
    if not operation.get("identifiers") and operation.get("action") != "merge":
        return _fault("identifiers", "identifiers are required", "required")
    form = FORMS.get(f"{operation.get('type')} {operation.get('action')}")
    if form is None:
        return _fault("action", "there is no such type and action")
    if misfit := CONTRACT.misfit(form, operation, ""):
        return _fault(misfit.split(" ")[0], misfit, "required" if misfit.endswith("required") else "invalid")
    return next(_limits_broken(operation), None)


def _limits_broken(operation: dict[str, Any]) -> Iterator[Fault]:
    """Yield what breaks a documented limit that the schema does not have."""
    for kind, value in operation.get("identifiers", {}).items():
        if not value or len(value.encode()) > 150:
            yield _fault(f"identifiers.{kind}", f"{kind} must have 1 to 150 bytes")
        if kind == "phone" and not PHONE.fullmatch(value):
            yield _fault("identifiers.phone", "phone must be in E.164 format")
    for number, related in enumerate(operation.get("cio_relationships") or []):
        if not related.get("identifiers"):
            field = f"cio_relationships.{number}.identifiers"
            yield _fault(field, f"{field} are required", "required")
    if "name" in operation and not 0 < len(operation["name"].strip().encode()) <= 100:
        yield _fault("name", "name must have 1 to 100 bytes")
    if operation["action"] not in {"identify", "identify_anonymous"}:
        return
    attributes = operation.get("attributes") or {}
    if len(attributes) > 300:
        yield _fault("attributes", "at most 300 attributes are allowed")
    for name, value in attributes.items():
        if not 0 < len(name.encode()) <= 150:
            yield _fault("attributes", "an attribute's name must have 1 to 150 bytes")
        if len((value if isinstance(value, str) else json.dumps(value)).encode()) > 1000:
            yield _fault(f"attributes.{name}", "an attribute's value must have at most 1000 bytes")


def accept(workspace: Workspace, operation: dict[str, Any]) -> None:
    """Take an operation, to be applied as the same one of v1 is."""
    match operation["type"], operation["action"]:
        case "object", "delete":
            workspace.accept(objects.DELETE, {"identifiers": operation["identifiers"]})
        case "object", "identify" | "identify_anonymous":
            workspace.accept(objects.IDENTIFY, _object_write(operation))
        case "object", _:
            workspace.accept(objects.RELATE, _object_write(operation))
        case "delivery", _:
            workspace.accept(deliveries.REPORT, operation)
        case _, action:
            _accept_of_person(workspace, action, operation)


def _object_write(operation: dict[str, Any]) -> dict[str, Any]:
    return {"identifiers": operation["identifiers"], "body": operation}


def _accept_of_person(workspace: Workspace, action: str, operation: dict[str, Any]) -> None:
    who = {"identifier": operation.get("identifiers")}
    related = operation.get("cio_relationships") or []
    match action:
        case "identify":
            body = dict(operation.get("attributes") or {})
            if "timestamp" in operation:
                body["_timestamp"] = operation["timestamp"]
            if related:
                body["cio_relationships"] = {"action": "add_relationships", "relationships": related}
            workspace.accept("identify", who | {"body": body})
        case "add_relationships" | "delete_relationships":
            body = {"cio_relationships": {"action": action, "relationships": related}}
            workspace.accept("identify", who | {"body": body})
        case "event" | "page" | "screen":
            body = {name: operation[name] for name in ("name", "timestamp", "id") if name in operation}
            data = operation.get("attributes") or {}
            workspace.accept("event", who | {"body": body | {"type": action, "data": data}})
        case "add_device":
            device = {"id": operation["device"]["token"], **operation["device"]}
            workspace.accept(devices.ADD, who | {"device": device})
        case "delete_device":
            workspace.accept(devices.DELETE, who | {"device_id": operation["device"]["token"]})
        case "merge":
            sides = {which: operation[which] for which in ("primary", "secondary")}
            workspace.accept(merges.MERGE, sides)
        case _:  # delete, suppress, unsuppress
            workspace.accept(action, who)
