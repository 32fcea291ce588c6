"""`cio-mcp export`: customers or deliveries in a file: started, waited for, downloaded."""

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from cio_mcp.app.application import App, Outcome
from cio_mcp.app.build import build
from cio_mcp.client.call import QueuePlace
from cio_mcp.errors import SettingsError
from cio_mcp.settings import load

SOURCES = ("customers", "newsletter", "campaign", "transactional_message", "action")

# Seconds that one call waits, out of those that a call may take; and how often a download is gone on with.
WAIT, ATTEMPTS = 20, 5

DONE, FAILED, STOPPED = 0, 1, 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take what is exported, and where to."""
    parser.description = (
        "Export customers, or the deliveries (messages) of one source, to a CSV file. Customer.io writes it, "
        "which takes a while; it is then downloaded, and checked against the length that its host announces."
    )
    parser.epilog = (
        "If it is interrupted, --go-on NUMBER goes on with the same export, and with its download where that "
        "broke off.\n\n"
        "Exit status: 0 the file is whole, 1 it failed or was refused, 2 wrong arguments or settings, "
        "3 interrupted.\n\n"
        "examples:\n"
        "  cio-mcp export customers -o customers.csv\n"
        "  cio-mcp export customers -o pro.csv --field plan \\\n"
        '    --filter \'{"segment": {"id": 7}}\'\n'
        "  cio-mcp export campaign --source 3 --metric clicked -o clicks.csv"
    )
    parser.add_argument("of", choices=SOURCES, metavar="WHAT", help=", ".join(SOURCES))
    parser.add_argument("-o", "--output", type=Path, required=True, help="the file, which must not exist yet")
    parser.add_argument("--source", metavar="ID", help="of deliveries: which newsletter, campaign, ...")
    parser.add_argument("--filter", metavar="JSON", help="of customers: as in search_customers")
    parser.add_argument("--metric", help="only deliveries that reached this state")
    parser.add_argument("--start", metavar="TIME", help="of deliveries: ISO 8601")
    parser.add_argument("--end", metavar="TIME", help="of deliveries: at most 12 months after --start")
    parser.add_argument(
        "--field", action="append", metavar="NAME", help="an attribute to include; repeatable"
    )
    parser.add_argument("--workspace", help="which workspace, if there are several")
    parser.add_argument("--go-on", type=int, metavar="NUMBER", help="with an export that was started before")


def run(asked: argparse.Namespace) -> int:
    """Export to a file; returns the exit status."""
    return asyncio.run(_export(asked))


async def _export(asked: argparse.Namespace) -> int:
    settings, file = load(), asked.output.expanduser().absolute()
    if file.exists():
        raise SettingsError(f"{asked.output}: exists already; name another file")
    # Who asks at the shell chooses the folder.
    here = {"downloads": file.parent, "toolsets": settings.toolsets or ("core", "workspace")}
    app = build(settings.model_copy(update=here))
    try:
        number = asked.go_on or await _started(app, asked)
        return await _saved(app, asked, number, file.name)
    finally:
        await app.aclose(5.0)


async def _started(app: App, asked: argparse.Namespace) -> int:
    given = {
        "of": asked.of,
        "source_id": asked.source,
        "filter": asked.filter,
        "metric": asked.metric,
        "start": asked.start,
        "end": asked.end,
        "fields": asked.field,
    }
    outcome = await _call(app, "start_export", asked, given)
    if outcome.error:
        raise SettingsError(outcome.error)
    number: int = outcome.facts["export_id"]
    sys.stderr.write(
        f"Export {number} is started. --go-on {number} goes on with it, if this is interrupted.\n"
    )
    return number


async def _saved(app: App, asked: argparse.Namespace, number: int, name: str) -> int:
    failures = 0
    while True:
        given = {"export_id": number, "wait_seconds": WAIT, "save_as": name}
        outcome = await _call(app, "get_export", asked, given)
        if outcome.error:
            failures += 1
            if not outcome.facts["retryable"] or failures == ATTEMPTS:
                sys.stderr.write(f"\ncio-mcp: {outcome.error}\n")
                return STOPPED if outcome.facts["retryable"] else FAILED
        elif outcome.facts.get("status") == "failed":
            sys.stderr.write(f"\ncio-mcp: the export failed. {outcome.facts.get('next', '')}\n")
            return FAILED
        elif outcome.facts.get("file"):
            known = ("export_id", "file", "size", "rows", "notes")
            told = {"export_id": number} | outcome.facts
            found = {key: told[key] for key in known if key in told}
            sys.stderr.write("\n")
            sys.stdout.write(json.dumps(found, ensure_ascii=False) + "\n")
            return DONE


async def _call(app: App, tool: str, asked: argparse.Namespace, given: dict[str, Any]) -> Outcome:
    arguments = {name: value for name, value in given.items() if value is not None}
    arguments |= {"workspace": asked.workspace} if asked.workspace else {}
    return await app.call(app.catalogue.name_of(tool), arguments, tell=_tell)


async def _tell(place: QueuePlace) -> None:
    line = f"{place.what}, {place.elapsed:,.0f} s"
    sys.stderr.write(f"\r{line:<70}" if sys.stderr.isatty() else f"{line}\n")
    sys.stderr.flush()
