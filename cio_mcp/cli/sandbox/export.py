"""`cio-mcp sandbox export`: write the whole state of a sandbox to a file."""

import argparse
import sys
from pathlib import Path

from cio_mcp.cli.sandbox.controls import add_place, control
from cio_mcp.errors import SettingsError
from cio_mcp.sandbox.state.copies import written


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take a file."""
    parser.description = (
        "Write the whole state of a sandbox as JSON: people, messages, its log, its clock, its faults. "
        "The same state gives the same bytes. `cio-mcp sandbox import` and `--seed` take it."
    )
    parser.add_argument("file", nargs="?", help="where to write it (default: to stdout)")
    add_place(parser)


def run(asked: argparse.Namespace) -> int:
    """Export; returns 0."""
    text = written(control(asked, "GET", "export"))
    if not asked.file:
        sys.stdout.write(text)
        return 0
    path = Path(asked.file).expanduser()
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"{asked.file}: cannot be written: {error.strerror}") from None
    return 0
