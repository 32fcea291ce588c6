"""`cio-mcp audit`: whether a record is whole, what is in it, and which calls were about somebody."""

import argparse
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

from cio_mcp.cli.table import printable
from cio_mcp.errors import SettingsError
from cio_mcp.safety.audit.lock import companion
from cio_mcp.safety.audit.log import name_hash
from cio_mcp.safety.audit.verify import lines, verify
from cio_mcp.toolkit.registry import Effect

# What of a line is told in a column of its own.
COLUMNS = ("number", "at", "kind", "request", "caller", "tool", "effect", "arguments", "previous")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take what to do, and the files of a log."""
    parser.description = (
        "Check that the audit log (CIO_AUDIT_LOG) is whole, show its calls, or find those about one person. "
        "Exit status of verify: 0 whole, 1 not; of find: 0 found, 1 not."
    )
    parser.epilog = (
        "examples:\n  cio-mcp audit verify audit.jsonl.1 audit.jsonl\n"
        "  cio-mcp audit find audit.jsonl --about u_1002 --effect deletes"
    )
    parser.add_argument(
        "action",
        choices=("verify", "show", "find"),
        help="see what was changed or removed, print the calls, or print those that match",
    )
    parser.add_argument(
        "paths", metavar="path", nargs="+", help="the log; parts that were moved away before it"
    )
    parser.add_argument("--about", metavar="NAME", help="find: calls that name this id, address or cio_id")
    parser.add_argument("--tool", help="only calls of this tool")
    parser.add_argument("--effect", choices=[effect.value for effect in Effect], help="only such calls")
    parser.add_argument("--caller", help="only calls of this caller")


def run(asked: argparse.Namespace) -> int:
    """Verify: returns 0 for a whole record, 1 for one that is not. Find: 1 if nothing is found. Show: 0."""
    paths = [Path(path).expanduser() for path in asked.paths]
    try:
        if asked.action == "verify":
            return _verify(paths)
        return _show(paths, asked)
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


def _show(paths: list[Path], asked: argparse.Namespace) -> int:
    name = _hash_of(paths[-1], asked.about) if asked.action == "find" and asked.about else None
    found = 0
    for call in _calls(paths):
        wanted = {"tool": asked.tool, "effect": asked.effect, "caller": asked.caller}
        fits = all(value is None or call.get(key) == value for key, value in wanted.items())
        if fits and (name is None or name in call.get("about", ())):
            found += 1
            at, caller = str(call.get("at", ""))[:19], str(call.get("caller") or "-")
            _say(f"{at:<19}  {caller:<16.16}  {call.get('tool', '?')!s:<26}  {call.get('end', 'no outcome')}")
    if asked.action == "show":
        return 0
    if not found:
        _say("No such call is in the log. It has the names that calls used: try id, address and cio_id.")
    if name and (more := sum("more" in call for call in _calls(paths))):
        _say(f"{more} calls concern more people than the log names.")
    return 0 if found else 1


def _calls(paths: list[Path]) -> Collection[dict[str, Any]]:
    """Return each call with its `end`, and the lines that count refusals of strangers."""
    calls: dict[str, dict[str, Any]] = {}
    for path in paths:
        for line in lines(path):
            kind = line.get("kind")
            number = str(line.get("request")) if kind != "strangers" else f"line {line.get('number')}"
            call = calls.setdefault(number, {})
            if kind == "outcome":
                call["end"] = _end(line)
            elif kind == "strangers":
                call |= {**line, "tool": "-", "end": f"{line.get('count')} refused without a valid token"}
            else:
                refused = kind == "refusal"
                call |= line | ({"end": f"refused here: {line.get('reason')}"} if refused else {})
    return calls.values()


def _hash_of(path: Path, name: str) -> str:
    return name_hash(companion(path, "key").read_bytes(), name)


def _end(line: dict[str, Any]) -> str:
    more = {name: value for name, value in line.items() if name not in {*COLUMNS, "outcome"}}
    return " ".join((str(line.get("outcome")), *(f"{name}={value}" for name, value in more.items())))


def _say(text: str) -> None:
    """Print a line; what callers called themselves could steer the terminal, and is shown escaped."""
    sys.stdout.write(printable(text) + "\n")
