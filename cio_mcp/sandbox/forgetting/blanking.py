"""Blanks in one workspace what tells of a person."""

import csv
import io
import json
from typing import Any

from cio_mcp.sandbox.forgetting.traces import BLANK, NAMING, Traces
from cio_mcp.sandbox.state import deliveries, opt_outs, people, requests
from cio_mcp.sandbox.state.workspace import Row, Workspace

# Entries of the log of which nothing but numbers and words of ours is kept anyway.
OF_OURS = {
    *("message", "message_state", "journey_started", "journey_ended", "not_started", "waits", "branch"),
    *("message_off", "matched", "unmatched", "date_reached", "converted", "segment_entered", "segment_left"),
    *("merged_event", "profile_create", "forgotten"),
}

# Entries whose name is none of a person's: of an event, of an attribute.
NAMED = {*OF_OURS, "event", "attribute_change"}

# What is kept of a delivery: what it is of, and what became of it.
OF_DELIVERIES = {
    *("type", "campaign_id", "action_id", "newsletter_id", "broadcast_id", "transactional_message_id"),
    *("content_id", "journey", "draft", "send_at", "chances", "links", "topic", "fate", "reason"),
}

# Other texts that may name a person: tables with columns, of JSON or not.
OTHERS: dict[str, tuple[tuple[str, bool], ...]] = {
    "people": (("attributes", True),),
    "objects": (("object_id", False), ("attributes", True)),
    "relationships": (("attributes", True),),
    "anonymous_relationships": (("attributes", True),),
    "events": (("name", False), ("data", True)),
    "triggers": (("errors", True),),
    "deliveries": (("body", True),),
    "journeys": (("data", True),),
    "faults": (("body", True),),
    "things": (("body", True),),
}


def blank(workspace: Workspace, traces: Traces) -> dict[str, int]:
    """Forget a person, in a transaction of a caller; returns how much of what was blanked."""
    for cio_id in sorted(traces.cio_ids):
        entry = _entry(workspace, cio_id, traces)
        with workspace.because(entry):
            people.delete(workspace, {"identifier": f"cio_{cio_id}"})
        for table in ("matches", "members", "devices", "relationships", "events"):
            workspace.change(f"DELETE FROM {table} WHERE cio_id = ?", cio_id)  # noqa: S608 - five names
        workspace.change("UPDATE journeys SET data = '{}' WHERE cio_id = ?", cio_id)
        effects = "SELECT id FROM deliveries WHERE cio_id = ?"
        workspace.change(
            f"DELETE FROM timers WHERE what = ? AND json_extract(body, '$.id') IN ({effects})",  # noqa: S608
            *(deliveries.EFFECT, cio_id),
        )
    if not traces.cio_ids:
        _entry(workspace, None, traces)
    for table in ("events", "anonymous_relationships"):
        for row in workspace.rows(f"SELECT rowid AS row, anonymous_id AS name FROM {table}"):  # noqa: S608
            if row["name"] and traces.is_name(row["name"]):
                workspace.change(f"DELETE FROM {table} WHERE rowid = ?", row["row"])  # noqa: S608
    told = {
        "deliveries": _deliveries(workspace, traces),
        "entries": _log(workspace, traces),
        "requests": _requests(workspace, traces),
    }
    _timers(workspace, traces)
    _things(workspace, traces)
    for row in workspace.rows("SELECT rowid AS row, identifier FROM suppressed"):
        if traces.is_name(row["identifier"]):
            pseudonym = traces.replaced(row["identifier"], "identifier")
            workspace.change("DELETE FROM suppressed WHERE rowid = ?", row["row"])
            workspace.change("INSERT OR IGNORE INTO suppressed VALUES (?)", pseudonym)
    for table, columns in OTHERS.items():
        for column, is_json in columns:
            _scrub(workspace, traces, table, column, is_json=is_json)
    workspace.forget_read()
    return told


def _entry(workspace: Workspace, cio_id: str | None, traces: Traces) -> int:
    """Return the entry of the log which says that somebody is forgotten, with their pseudonyms."""
    said = "SELECT number, data FROM log WHERE kind = 'forgotten' AND cio_id IS ?"
    for row in workspace.rows(said, cio_id):
        if set(traces.pseudonyms) <= set(json.loads(row["data"])["names"]):
            return int(row["number"])
    return workspace.note("forgotten", cio_id, None, {"names": traces.pseudonyms})


def _scrub(workspace: Workspace, traces: Traces, table: str, column: str, *, is_json: bool) -> None:
    for row in workspace.rows(f"SELECT rowid AS row, {column} AS text FROM {table}"):  # noqa: S608 - ours
        if traces.are_in(row["text"]):
            found = json.loads(row["text"]) if is_json else row["text"]
            if (scrubbed := traces.scrubbed(found)) != found:
                text = json.dumps(scrubbed) if is_json else scrubbed
                workspace.change(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", text, row["row"])  # noqa: S608


def _deliveries(workspace: Workspace, traces: Traces) -> int:
    blanked = 0
    for row in workspace.rows("SELECT number, cio_id, body FROM deliveries"):
        if row["cio_id"] in traces.cio_ids or (row["cio_id"] is None and traces.are_in(row["body"])):
            body = json.loads(row["body"])
            if row["cio_id"] or traces.is_name(body["recipient"]):
                kept = {name: value for name, value in body.items() if name in OF_DELIVERIES}
                why = _ours(body["failure_message"])
                kept |= {"recipient": "", "subject": "", "customer": {}, "forgotten": True}
                text = json.dumps(kept | {"failure_message": why})
                changed = "UPDATE deliveries SET body = ? WHERE number = ? AND body <> ?"
                blanked += workspace.change(changed, text, row["number"], text)
    return blanked


def _ours(why: str | None) -> str | None:
    """Return why a message did not go out, without what a fault of Liquid quotes."""
    return why and why.partition(":")[0]


def _log(workspace: Workspace, traces: Traces) -> int:
    blanked = 0
    for row in workspace.rows("SELECT number, kind, cio_id, name, data FROM log"):
        if row["cio_id"] in traces.cio_ids:
            name, data = _own_entry(traces, row)
        elif traces.are_in(row["data"]) or traces.are_in(row["name"] or ""):
            name, data = _other_entry(traces, row)
        else:
            continue
        text = json.dumps(data)
        changed = "UPDATE log SET name = ?, data = ? WHERE number = ? AND (name IS NOT ? OR data <> ?)"
        blanked += workspace.change(changed, name, text, row["number"], name, text)
    return blanked


def _own_entry(traces: Traces, row: Row) -> tuple[str | None, Any]:
    name = traces.replaced(row["name"]) if row["name"] and row["kind"] in NAMED else None
    if row["kind"] == "attribute_change":
        return name, {"to": BLANK}
    if row["kind"] not in OF_OURS:
        return name, {}
    data = json.loads(row["data"])
    return name, traces.scrubbed(data | ({"why": _ours(data["why"])} if data.get("why") else {}))


def _other_entry(traces: Traces, row: Row) -> tuple[str | None, Any]:
    """Return an entry of no person, or of somebody else, that may name the person."""
    name = traces.replaced(row["name"], "identifier") if row["name"] else row["name"]
    return name, _without(traces, json.loads(row["data"]))


def _without(traces: Traces, found: Any, field: str = "") -> Any:
    """Return a write without what it says of the person; who else it names stays."""
    if traces.is_about(found):
        return {
            name: traces.scrubbed(value, name) if name in NAMING else type(value)()
            for name, value in found.items()
            if value is None or name in NAMING or isinstance(value, (str, dict, list))
        }
    if isinstance(found, dict):
        return {name: _without(traces, value, name) for name, value in found.items()}
    if isinstance(found, list):
        return [_without(traces, one, field) for one in found]
    return traces.scrubbed(found, field)


def _requests(workspace: Workspace, traces: Traces) -> int:
    """Blank what was asked about the person: a replay leaves it out."""
    blanked = 0
    for row in workspace.rows("SELECT number, what, body FROM requests"):
        body = json.loads(row["body"])
        try:
            inside = json.loads(body.get("body") or "null")
        except (ValueError, RecursionError):
            inside = body["body"]
        if traces.names_in(body) or traces.names_in(inside):
            changed = "UPDATE requests SET what = ?, body = '{}' WHERE number = ?"
            blanked += workspace.change(changed, requests.FORGOTTEN, row["number"])
    return blanked


def _timers(workspace: Workspace, traces: Traces) -> None:
    """Drop what waits to be done about the person, and let the rest wait without them."""
    for row in workspace.rows("SELECT number, body FROM timers"):
        if traces.are_in(row["body"]):
            body = json.loads(row["body"])
            if traces.is_about(body) or traces.is_about(body.get("body")) or _merges(traces, body):
                workspace.change("DELETE FROM timers WHERE number = ?", row["number"])
            else:
                text = json.dumps(traces.scrubbed(_left(traces, body)))
                workspace.change("UPDATE timers SET body = ? WHERE number = ?", text, row["number"])


def _merges(traces: Traces, body: dict[str, Any]) -> bool:
    return any(traces.is_about({"identifiers": body.get(side)}) for side in ("primary", "secondary"))


def _left(traces: Traces, found: Any) -> Any:
    """Return a write without the items of its lists that are about the person."""
    if isinstance(found, dict):
        return {name: _left(traces, value) for name, value in found.items()}
    if isinstance(found, list):
        kept = [one for one in found if not traces.is_about(one)]
        return [one for one in kept if not (isinstance(one, str) and traces.is_name(one))]
    return found


def _things(workspace: Workspace, traces: Traces) -> None:
    for opted_out in workspace.things(opt_outs.THING):
        if opted_out["cio_id"] in traces.cio_ids:
            workspace.remove(opt_outs.THING, opted_out["id"])
    for export in workspace.things("export"):
        if traces.are_in(export.get("content", "")):
            workspace.configure("export", export | {"content": _rows(traces, export["content"])})


def _rows(traces: Traces, content: str) -> str:
    """Return an exported file with nothing in the rows of the person."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for number, row in enumerate(csv.reader(io.StringIO(content))):
        theirs = number and any(map(traces.is_name, row))
        writer.writerow([""] * len(row) if theirs else map(traces.replaced, row))
    return text.getvalue()
