"""Results of rows between calls at the shell, each of which is a process of its own: files of one user's."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cio_mcp.app.application import App
from cio_mcp.app.workspace import state_folder
from cio_mcp.auth.principal import OWNER
from cio_mcp.errors import SettingsError
from cio_mcp.files import replace
from cio_mcp.toolkit.rows.results import KEPT

# The tool that reads them.
READER = "list_row_results"

# Seconds for which they are kept, and how they are named.
AGE = 86_400.0
NAME = re.compile(r"[0-9a-f]{12}")


@contextmanager
def kept_between_calls(app: App, tool: str) -> Iterator[None]:
    """Keep what the call inside leaves of rows, and give it what earlier ones left, if it may ask for that.

    Where people are masked nothing is kept: the rows name them. Nor is it where no file can be written.
    """
    shelves = [found.guard.supplies.results.of(OWNER.name) for found in app.workspaces.values()]
    masked = any(found.guard.mask for found in app.workspaces.values())
    folder = None
    with suppress(SettingsError):
        folder = state_folder() / "results"
    if masked or folder is None:
        yield
        return
    asked = app.catalogue.named(tool)
    if asked and asked.name == READER:
        for path in reversed(_newest(_written(folder))):
            with suppress(OSError):
                packed = path.read_bytes()
                for shelf in shelves:
                    shelf.restore(path.name, packed)
        yield
        return
    try:
        yield
    finally:
        with suppress(OSError):
            for shelf in shelves:
                for name, packed in shelf.packed().items():
                    folder.mkdir(mode=0o700, exist_ok=True)
                    replace(folder / name, packed, durable=False)
            for path in _outdated(_written(folder)):
                path.unlink(missing_ok=True)


def _newest(written: dict[Path, float]) -> list[Path]:
    """Return the newest results that are young enough, the newest first."""
    named = {path: at for path, at in written.items() if NAME.fullmatch(path.name) and _is_young(at)}
    return sorted(named, key=named.__getitem__, reverse=True)[:KEPT]


def _outdated(written: dict[Path, float]) -> set[Path]:
    """Return what to remove: not what another process is writing, which has a name of its own until then."""
    others = {path for path, at in written.items() if not _is_young(at) or NAME.fullmatch(path.name)}
    return others - set(_newest(written))


def _is_young(at: float) -> bool:
    return time.time() - at < AGE


def _written(folder: Path) -> dict[Path, float]:
    """Return when each file was written, of those that no other process removes meanwhile."""
    found = {}
    with suppress(OSError):
        for path in list(folder.iterdir()):
            with suppress(OSError):
                found[path] = path.stat().st_mtime
    return found
