"""The page that shows an answer: hosts show it as an MCP App, and it can be a file."""

from functools import cache
from pathlib import Path

_DATA = '<script type="application/json" id="answer"></script>'


@cache
def page() -> str:
    """Return the page that shows results: one file, which asks no network for anything."""
    return Path(__file__).with_name("results.html").read_text(encoding="utf-8")


def filled_page(answer: str) -> str:
    """Return the page with an answer (JSON) inside, to be opened as a file."""
    # Nothing in JSON that is text can end the element or begin a comment.
    inside = answer.replace("<", "\\u003c")
    return page().replace(_DATA, _DATA.replace("></", f">{inside}</"))
