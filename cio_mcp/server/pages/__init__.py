"""Pages on which people see answers: MCP Apps, which hosts show beside an answer, and files."""

from functools import cache
from pathlib import Path

from mcp.server.apps import APP_MIME_TYPE

__all__ = ["APP_MIME_TYPE", "RESULTS", "page", "written"]

# Where hosts find the page of the tools whose answers are `Pictured`.
RESULTS = "ui://cio-mcp/results.html"

_DATA = '<script type="application/json" id="answer"></script>'


@cache
def page() -> str:
    """Return the page that shows results: one file, which asks no network for anything."""
    return Path(__file__).with_name("results.html").read_text(encoding="utf-8")


def written(answer: str) -> str:
    """Return the page with an answer (JSON) inside, to be opened as a file."""
    # Nothing in JSON that is text can end the element or begin a comment.
    inside = answer.replace("<", "\\u003c")
    return page().replace(_DATA, _DATA.replace("></", f">{inside}</"))
