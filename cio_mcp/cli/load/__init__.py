"""`cio-mcp load`: customers, events and objects from a file of any size, each row's end told."""

import argparse
import asyncio
import hashlib
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import chain, islice
from pathlib import Path
from typing import Any

from cio_mcp.app.application import App
from cio_mcp.app.build import build
from cio_mcp.cli.load.journal import Journal, only_here
from cio_mcp.cli.load.loading import EVENTS, OBJECTS, PEOPLE, Interrupted, Load
from cio_mcp.cli.load.mapping import Columns, as_facts, guessed, parsed_maps
from cio_mcp.cli.load.rejects import Rejects
from cio_mcp.cli.load.source import STDIN, LoadFile
from cio_mcp.cli.load.telling import Teller, described, separated
from cio_mcp.errors import SettingsError
from cio_mcp.settings import load
from cio_mcp.toolkit.arguments.times import is_zone
from cio_mcp.toolkit.rows.columns import KINDS, Column
from cio_mcp.toolkit.rows.table import Row

# The tool for many rows and the one for one of each kind, and their arguments that an option sets.
TOOLS = {
    "people": (PEOPLE, "identify_customer", ("id_type", "update_only")),
    "events": (EVENTS, "track_event", ("id_type", "name", "unique")),
    "objects": (OBJECTS, "set_object", ("object_type_id",)),
}

NOT_GUESSED = "if the guess is wrong"

# Rows by which the meaning of columns is guessed.
LOOKED_AT = 1000

# So many columns are shown of a header that names no customer.
SHOWN = 5

LOADED, REJECTED, WRONG, STOPPED, UNKNOWN = range(5)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take a file, and what its columns mean."""
    parser.description = (
        "Load customers, events or objects from a file of any size: CSV, TSV, NDJSON or JSON, gzip too, or - "
        "for stdin. What each column means is guessed and shown; --yes accepts that, --map overrides it."
    )
    parser.epilog = (
        "A journal beside the file lets the same command go on after any interruption. Rejected rows are "
        "written with their reasons to FILE.rejected.csv (or .ndjson), to be corrected and loaded again.\n\n"
        "Exit status: 0 all rows accepted, 1 some rejected, 2 wrong arguments, settings or file, 3 stopped "
        "(the same command goes on), 4 the same, and for some rows no answer came.\n\n"
        "examples:\n"
        "  cio-mcp load people.csv --map 'Signed up=created_at:date(dayfirst)'\n"
        "  cio-mcp load orders.csv --as events --name order --unique order_id\n"
        "  cio-mcp load companies.csv --as objects --object-type-id 1"
    )
    parser.add_argument("file", help="the file, or - for stdin")
    parser.add_argument("--as", dest="kind", choices=TOOLS, default="people", help="what a row is (people)")
    parser.add_argument(
        "--map",
        action="append",
        default=[],
        metavar="COLUMN=TARGET",
        help=f"what a column means, with :KIND of {', '.join(KINDS[1:])}; TARGET - leaves it out",
    )
    parser.add_argument(
        "--id-type",
        choices=("id", "email", "cio_id", "phone"),
        default="id",
        help="what names customers (id)",
    )
    parser.add_argument("--update-only", action="store_true", help="create no unknown customers")
    parser.add_argument("--name", help="the events' name, if no column has it")
    parser.add_argument(
        "--unique",
        action="append",
        metavar="TARGET",
        help="column that makes an event unique, such as order_id",
    )
    parser.add_argument("--object-type-id", help="the type of objects, if no column has it")
    parser.add_argument("--timezone", default="", help="zone of times that name none (CIO_TIMEZONE)")
    parser.add_argument("--workspace", help="which workspace, if there are several")
    parser.add_argument("--format", choices=("csv", "tsv", "ndjson", "json"), default="", help=NOT_GUESSED)
    parser.add_argument("--encoding", default="", help=NOT_GUESSED)
    parser.add_argument("--delimiter", default="", help=NOT_GUESSED)
    parser.add_argument(
        "--skip-rows", type=int, default=0, metavar="LINES", help="lines above a table's header"
    )
    parser.add_argument(
        "--journal", type=Path, help="where to keep the journal; for stdin none is kept without it"
    )
    parser.add_argument("--dry-run", action="store_true", help="read and check all rows, and send nothing")
    parser.add_argument("--yes", action="store_true", help="accept the guesses")
    parser.add_argument("--again", action="store_true", help="load once more what is loaded already")


def run(asked: argparse.Namespace) -> int:
    """Load a file; returns the exit status."""
    return asyncio.run(_load(asked))


async def _load(asked: argparse.Namespace) -> int:
    settings = load()
    if asked.timezone and not is_zone(asked.timezone):
        raise SettingsError(f"--timezone {asked.timezone}: is not a time zone such as Europe/Berlin")
    source = LoadFile.open(asked.file, asked.format, asked.encoding, asked.delimiter, asked.skip_rows)
    if not settings.toolsets:  # core, which has no tool for objects
        settings = settings.model_copy(update={"toolsets": ("core", "bulk")})
    app, alone = build(settings), ExitStack()
    try:
        path = None if asked.dry_run else _journal_path(asked)
        alone.enter_context(only_here(path))
        journal = _journal(asked, source, path)
        rows = source.rows()
        first = list(islice(rows, LOOKED_AT))
        columns = _columns(asked, app, source, first, journal, asked.timezone or settings.timezone)
        _check_named(asked, source, columns)
        if not _agreed(asked, source, columns, journal, first):
            return WRONG
        return await _loaded(asked, app, source, journal, columns, chain(first, rows))
    finally:
        alone.close()
        source.close()
        await app.aclose(5.0)


def _journal_path(asked: argparse.Namespace) -> Path | None:
    path: Path | None = asked.journal or (None if asked.file == STDIN else Path(f"{asked.file}.journal"))
    return path


def _journal(asked: argparse.Namespace, source: LoadFile, path: Path | None) -> Journal:
    """Return the journal of the file: an empty one, or that of a load of it which was interrupted."""
    journal = Journal.read(path)
    if not journal.facts or asked.again:
        return Journal(journal.path)
    if journal.facts["file"] != _fingerprint(source):
        raise SettingsError(
            f"{path}: it belongs to an earlier version of the file: delete it to load the file from the start"
        )
    if {name: value for name, value in journal.facts["asked"].items() if value} != _asked(asked):
        raise SettingsError(
            f"{path}: a load with other arguments was started: repeat those arguments, or delete this file"
        )
    if journal.done:
        raise SettingsError(f"{asked.file} is loaded already; --again loads it once more")
    return journal


def _fingerprint(source: LoadFile) -> list[Any]:
    if source.name == STDIN:
        return []
    with Path(source.name).open("rb") as file:
        start = hashlib.sha256(file.read(65_536)).hexdigest()
    return [Path(source.name).stat().st_size, start]


def _asked(asked: argparse.Namespace) -> dict[str, Any]:
    """Return the arguments that make a load what it is."""
    without = {"command", "file", "yes", "again", "journal", "dry_run"}
    return {name: value for name, value in sorted(vars(asked).items()) if value and name not in without}


def _columns(
    asked: argparse.Namespace, app: App, source: LoadFile, first: list[Row], journal: Journal, zone: str
) -> Columns:
    if journal.facts:
        return {name: Column(**column) for name, column in journal.facts["columns"].items()}
    tools = {tool.name: tool for tool in app.catalogue.tools}
    known = tools[TOOLS[asked.kind][1]].parameters
    if not first:
        raise SettingsError(f"{asked.file} has no rows")
    header = source.table.names if source.table else ()
    return guessed(header, first, parsed_maps(asked.map), known, zone, asked.id_type)


def _check_named(asked: argparse.Namespace, source: LoadFile, columns: Columns) -> None:
    """Raise SettingsError if no row of a table can say which customer it is about."""
    targets = {column.target for column in columns.values()}
    if source.table and asked.kind != "objects" and "customer_id" not in targets:
        by_email = ", or --id-type email" if "email" in map(str.casefold, targets) else ""
        raise SettingsError(
            f"{asked.file}: no column names the customer; use --map COLUMN=customer_id{by_email}. "
            f"The header was read as {list(islice(columns, SHOWN))}, {separated(source)}; "
            f"if it is further down, use --skip-rows LINES"
        )


def _agreed(
    asked: argparse.Namespace, source: LoadFile, columns: Columns, journal: Journal, first: list[Row]
) -> bool:
    """Show what will be loaded how; say whether it may be."""
    given = parsed_maps(asked.map)
    sys.stderr.write(described(source, asked.kind, columns, given, first))
    if journal.facts:
        sys.stderr.write(f"goes on behind {journal.progress.rows} rows\n")
    if asked.yes or asked.dry_run or journal.facts or (given.keys() >= columns.keys() and not source.guessed):
        return True
    if asked.file == STDIN or sys.stdin is None or not sys.stdin.isatty():
        sys.stderr.write("Nothing was sent. --yes accepts the guesses; --map overrides them.\n")
        return False
    sys.stderr.write("Load it like this? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


async def _loaded(
    asked: argparse.Namespace,
    app: App,
    source: LoadFile,
    journal: Journal,
    columns: Columns,
    rows: Iterator[Row],
) -> int:
    tool, _, names = TOOLS[asked.kind]
    options = {name: value for name in names if (value := getattr(asked, name))}
    options |= {"workspace": asked.workspace} if asked.workspace else {}
    beside = None if asked.file == STDIN and not asked.journal else Path(str(asked.journal or asked.file))
    rejects = (
        beside.with_name(f"{beside.name}.rejected.{'csv' if source.table else 'ndjson'}") if beside else None
    )
    kept = Rejects(rejects, list(columns) if source.table else [], journal.progress.rejects)
    teller = Teller(source, journal.progress.rows)
    going = Load(app, tool, columns, options, journal, kept, teller.tell, asked.dry_run)
    try:
        if not asked.dry_run and not journal.facts:
            facts = {"file": _fingerprint(source), "asked": _asked(asked), "columns": as_facts(columns)}
            journal.start(facts)
        await going.run(rows)
    except Interrupted as stopped:
        teller.end(going, f"Stopped: {stopped} The same command goes on from here.")
        return UNKNOWN if stopped.unknown else STOPPED
    except OSError as error:
        teller.end(going, f"Stopped: {error.filename or 'the journal'} cannot be written: {error.strerror}.")
        return STOPPED
    rejected = f"They are in {rejects}, with the reasons." if rejects and not asked.dry_run else ""
    teller.end(going, rejected if going.progress.refused else "")
    return REJECTED if going.progress.refused else LOADED
