"""`cio-mcp audit`: whether a record is whole, and what is in it."""

import argparse
import sys
from pathlib import Path
from typing import Any

from cio_mcp.errors import SettingsError
from cio_mcp.safety.audit import lines, verify

# What of a line is told in a column of its own.
COLUMNS = ("number", "at", "kind", "request", "caller", "tool", "effect", "arguments", "previous")


def run(asked: argparse.Namespace) -> int:
    """Verify: returns 0 for a whole record, 1 for one that is not. Show: returns 0."""
    path = Path(asked.path).expanduser()
    try:
        return _verify(path) if asked.action == "verify" else _show(path, asked.tool)
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from None


def _verify(path: Path) -> int:
    findings = list(verify(path))
    for finding in findings:
        where = f"line {finding.line}" if finding.line else "the log"
        sys.stdout.write(f"{'note' if finding.note else 'FAULT'}: {where}: {finding.what}\n")
    whole = all(finding.note for finding in findings)
    count = sum(1 for _ in lines(path))
    sys.stdout.write(f"{path}: {count} lines, {'whole' if whole else 'NOT whole'}.\n")
    return 0 if whole else 1


def _show(path: Path, tool: str | None) -> int:
    calls: dict[str, dict[str, Any]] = {}
    for line in lines(path):
        call = calls.setdefault(str(line.get("request")), {})
        if line.get("kind") == "outcome":
            call["end"] = _end(line)
        else:
            call |= line | (
                {"end": f"refused here: {line.get('reason')}"} if line["kind"] == "refusal" else {}
            )
    for call in calls.values():
        if tool is None or call.get("tool") == tool:
            told = (call.get("at", "")[:19], call.get("caller") or "-", call.get("tool", "?"))
            sys.stdout.write(
                f"{told[0]:<19}  {told[1]:<16.16}  {told[2]:<26}  {call.get('end', 'no outcome')}\n"
            )
    return 0


def _end(line: dict[str, Any]) -> str:
    more = {name: value for name, value in line.items() if name not in {*COLUMNS, "outcome"}}
    return " ".join((str(line.get("outcome")), *(f"{name}={value}" for name, value in more.items())))
