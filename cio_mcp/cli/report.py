"""`cio-mcp report`: how all messages did, as a table, or as a page or an image for people."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from cio_mcp.app.pictures import NO_IMAGE
from cio_mcp.app.workspace import remembering
from cio_mcp.cli.call import call_at_shell, exit_status
from cio_mcp.cli.table import answer_table, printable
from cio_mcp.errors import SettingsError
from cio_mcp.files import narrow
from cio_mcp.pictures.page import filled_page
from cio_mcp.settings import load


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the days, a part of a name, and where a page goes."""
    parser.description = (
        "Report how all campaigns, broadcasts, newsletters and transactional messages did in some days, "
        "against as many days before: what changed by more than chance explains, and the counts of each."
    )
    parser.add_argument(
        "--days", type=int, default=7, help="whole days up to yesterday, 1 to 22 (default: 7)"
    )
    parser.add_argument("--name", help="only sources with this in their name, with all details")
    parser.add_argument(
        "--page", metavar="FILE", type=Path, help="write a page (HTML) with pictures, which only you can read"
    )
    parser.add_argument(
        "--image",
        metavar="FILE",
        type=Path,
        help="write an image (PNG), which only you can read (needs the extra images)",
    )


def _apart(report: dict[str, Any]) -> dict[str, Any]:
    """Return a report with a table for each figure of its lines: all in one would be wider than terminals."""
    lines = report["lines"]
    figures = dict.fromkeys(name for line in lines for name in line if name != "source")
    tables = {
        name: [{"source": line["source"], name: line[name]} for line in lines if name in line]
        for name in figures
    }
    return {name: told for name, told in report.items() if name != "lines"} | tables


def run(asked: argparse.Namespace) -> int:
    """Print the report, or write its page or image; returns the exit status by outcome."""
    given = [f"days={asked.days}", *([f"name_contains={asked.name}"] if asked.name else [])]
    given += ["as_image=true"] if asked.image else []
    outcome = call_at_shell(remembering(load()), "report_workspace", given)
    if outcome.error:
        sys.stderr.write(f"{printable(outcome.error)}\n")
        return exit_status(outcome.facts)
    if asked.image:
        if outcome.image is None:
            raise SettingsError(f"--image: {NO_IMAGE}")
        _write(asked.image, outcome.image)
    if asked.page:
        _write(asked.page, filled_page(json.dumps(outcome.facts)).encode())
    if not (asked.page or asked.image):
        changed = outcome.facts["changed"] or "nothing by more than chance explains"
        sys.stdout.write(answer_table(_apart(outcome.facts) | {"changed": changed}))
    return 0


def _write(file: Path, content: bytes) -> None:
    """Write a file for its owner alone, and say where it is."""
    try:
        file.touch(mode=0o600)
        narrow(file)
        file.write_bytes(content)
    except OSError as error:
        raise SettingsError(f"{file}: cannot be written: {error.strerror}") from None
    sys.stdout.write(f"{file}\n")
