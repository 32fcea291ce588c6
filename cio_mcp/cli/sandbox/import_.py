"""`cio-mcp sandbox import`: replace a sandbox's state with an export."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from cio_mcp.cli.sandbox.controls import add_place, control, undoing
from cio_mcp.errors import SettingsError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take a file."""
    parser.description = (
        "Replace a sandbox's state with an export, its clock included. The state before is saved as a "
        "point, which `cio-mcp sandbox point restore` restores."
    )
    parser.add_argument("file", help="what cio-mcp sandbox export wrote")
    add_place(parser)


def run(asked: argparse.Namespace) -> int:
    """Import; returns 0."""
    point = control(asked, "POST", "import", read_export(asked.file))["point"]
    sys.stdout.write(f"imported; {undoing(point)}\n")
    return 0


def read_export(file: str) -> Any:
    """Return what an export holds; raises SettingsError for a file that is none."""
    try:
        return json.loads(Path(file).expanduser().read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise SettingsError(f"{file}: cannot be read: {error}") from None
