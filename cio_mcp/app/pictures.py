"""Pictures beside an answer: an image of it, and its page in a file."""

import json
import logging
from pathlib import Path
from typing import Any

from cio_mcp.app.workspace import state_folder
from cio_mcp.errors import SettingsError
from cio_mcp.files import replace
from cio_mcp.logs import fault_place
from cio_mcp.safety import ToolCall

# Pages that are kept.
KEPT = 20

NO_IMAGE = "There is no image: the extra images is missing; install 'cio-mcp[images]' in place of cio-mcp."

_log = logging.getLogger(__name__)


def pages_folder() -> Path | None:
    """Return the folder for pages; None if there can be none."""
    try:
        return state_folder() / "pages"
    except SettingsError as error:
        _log.warning("no pages can be written: %s", error)
        return None


def add(call: ToolCall, facts: dict[str, Any]) -> bytes | None:
    """Return an image of an answer if it is wanted, and write its page; `facts` then tell where that is."""
    image, notes = None, []
    if call.as_page and call.pages:
        try:
            facts["page"] = _write(call.pages, call, facts)
        except OSError as error:
            notes.append(f"The page could not be written: {call.pages}: {error.strerror}.")
    if call.as_image:
        from cio_mcp.pictures.image import NoImages, png  # noqa: PLC0415 - rare, and the server starts sooner

        try:
            image = png(facts)  # a tenth of a second; in a thread it would hold up all others as well
        except NoImages:
            notes.append(NO_IMAGE)
        except Exception as fault:
            _log.error("%s: no image: internal error of cio-mcp: %s", call.name, fault_place(fault))
            notes.append(
                f"There is no image: internal error of cio-mcp, logged under request {call.request}."
            )
    if notes:
        facts["notes"] = [*facts.get("notes", ()), *notes]
    return image


def _write(folder: Path, call: ToolCall, facts: dict[str, Any]) -> str:
    """Write a page for its owner alone, and remove all but the newest."""
    from cio_mcp.pictures.page import filled_page  # noqa: PLC0415 - rare

    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    place = folder / f"{call.name}-{call.request}.html"
    replace(place, filled_page(json.dumps(facts)).encode(), durable=False)
    pages = sorted(folder.glob("*.html"), key=lambda page: page.stat().st_mtime_ns, reverse=True)
    for old in pages[KEPT:]:
        old.unlink(missing_ok=True)
    return str(place)
