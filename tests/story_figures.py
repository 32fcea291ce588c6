"""Counts what `docs/story.md` asks for, from an export of a sandbox. It shares no code with the program.

cio-mcp sandbox export quill.json && python -m tests.story_figures quill.json
"""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Export = dict[str, Any]
WELCOME = {"action 101": "Welcome", "action 103": "First note", "action 105": "Invite your team"}


def figures(export: Export) -> list[str]:
    """Return the six answers."""
    log = list(rows(export, "log"))
    return [
        customers(log),
        journeys(log),
        newsletter(export),
        conversions(log),
        suppressed(export),
        sold(log),
    ]


def rows(export: Export, table: str) -> Iterator[dict[str, Any]]:
    found = export["tables"][table]
    for row in found["rows"]:
        known = dict(zip(found["columns"], row, strict=True))
        for name in ("data", "body", "states"):
            if name in known:
                known[name] = json.loads(known[name])
        yield known


def customers(log: list[dict[str, Any]]) -> str:
    plans: dict[str, str] = {}
    for entry in log:
        if entry["kind"] == "profile_create":
            plans[entry["cio_id"]] = ""
        if entry["kind"] == "profile_delete":
            del plans[entry["cio_id"]]
        if entry["kind"] == "attribute_change" and entry["name"] == "plan":
            plans[entry["cio_id"]] = entry["data"]["to"]
    counts = Counter(plans.values())
    return f"{len(plans)} customers; {counts['pro']} have Pro, {counts['team']} Team"


def journeys(log: list[dict[str, Any]]) -> str:
    counts = Counter(entry["kind"] for entry in log if entry["name"] == "1")
    return f"{counts['journey_started']} began, {counts['converted']} reached its goal"


def newsletter(export: Export) -> str:
    counts: Counter[str] = Counter()
    for delivery in rows(export, "deliveries"):
        if delivery["body"].get("newsletter_id") == 20:
            reached = (name for name, at in delivery["states"].items() if at <= export["now"])
            counts.update(name.removeprefix("secondary:") for name in reached)
    return ", ".join(f"{counts[name]} {name}" for name in ("sent", "delivered", "opened", "clicked"))


def conversions(log: list[dict[str, Any]]) -> str:
    of = {entry["name"]: entry["data"]["message"] for entry in log if entry["kind"] == "message"}
    states = (entry for entry in log if entry["kind"] == "message_state")
    counts = Counter(of[entry["name"]] for entry in states if entry["data"]["state"] == "converted")
    return ", ".join(f"{name} {counts[action]}" for action, name in WELCOME.items())


def suppressed(export: Export) -> str:
    things = [thing for thing in rows(export, "things") if thing["kind"] == "suppression"]
    return f"{sum(thing['body']['kind'] == 'bounces' for thing in things)} addresses"


def sold(log: list[dict[str, Any]]) -> str:
    amounts = [e["data"]["amount"] for e in log if (e["kind"], e["name"]) == ("event", "purchase")]
    return f"{len(amounts)} purchases of {sum(amounts)} in all"


if __name__ == "__main__":
    exported = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    sys.stdout.write("\n".join([*figures(exported), ""]))
