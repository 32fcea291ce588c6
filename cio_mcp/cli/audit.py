"""`cio-mcp audit`: whether a record is whole, and what is in it."""

import argparse
import sys
from pathlib import Path
from typing import Any

from cio_mcp.cli.table import printable
from cio_mcp.errors import SettingsError
from cio_mcp.safety.audit.verify import lines, verify

# What of a line is told in a column of its own.
COLUMNS = ("number", "at", "kind", "request", "caller", "tool", "effect", "arguments", "previous")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take what to do, and the files of a log."""
    parser.description = (
        "Check that the record which CIO_AUDIT_LOG keeps is whole, or show the calls in it. Exit status of "
        "verify: 0 whole, 1 not."
    )
    parser.epilog = "example:\n  cio-mcp audit verify audit.jsonl.1 audit.jsonl"
    parser.add_argument(
        "action", choices=("verify", "show"), help="find what was changed or removed, or print the calls"
    )
    parser.add_argument(
        "paths", metavar="path", nargs="+", help="the log; parts that were moved away before it"
    )
    parser.add_argument("--tool", help="show only calls of this tool")


def run(asked: argparse.Namespace) -> int:
    """Verify: returns 0 for a whole record, 1 for one that is not. Show: returns 0."""
    paths = [Path(path).expanduser() for path in asked.paths]
    try:
        return _verify(paths) if asked.action == "verify" else _show(paths, asked.tool)
    except OSError as error:
        raise SettingsError(f"{error.filename}: cannot be read: {error.strerror}") from None


def _verify(paths: list[Path]) -> int:
    findings = list(verify(*paths))
    for finding in findings:
        where = f"line {finding.line}" if finding.line else "the log"
        of = f" of {finding.path}" if len(paths) > 1 else ""
        _say(f"{'note' if finding.note else 'FAULT'}: {where}{of}: {finding.what}")
    whole = all(finding.note for finding in findings)
    count = sum(1 for path in paths for _ in lines(path))
    _say(f"{', '.join(map(str, paths))}: {count} lines, {'whole' if whole else 'NOT whole'}.")
    return 0 if whole else 1


def _show(paths: list[Path], tool: str | None) -> int:
    calls: dict[str, dict[str, Any]] = {}
    for path in paths:
        for line in lines(path):
            call = calls.setdefault(str(line.get("request")), {})
            if line.get("kind") == "outcome":
                call["end"] = _end(line)
            else:
                refused = line.get("kind") == "refusal"
                call |= line | ({"end": f"refused here: {line.get('reason')}"} if refused else {})
    for call in calls.values():
        if tool is None or call.get("tool") == tool:
            at, caller = str(call.get("at", ""))[:19], str(call.get("caller") or "-")
            end = call.get("end", "no outcome")
            _say(f"{at:<19}  {caller:<16.16}  {call.get('tool', '?')!s:<26}  {end}")
    return 0


def _end(line: dict[str, Any]) -> str:
    more = {name: value for name, value in line.items() if name not in {*COLUMNS, "outcome"}}
    return " ".join((str(line.get("outcome")), *(f"{name}={value}" for name, value in more.items())))


def _say(text: str) -> None:
    """Print a line; what callers called themselves could steer the terminal, and is shown escaped."""
    sys.stdout.write(printable(text) + "\n")
