"""A message's body in an answer: as readable text with its links, as HTML if asked, and what was left out."""

from collections.abc import Callable, Iterable
from typing import TypedDict

from cio_mcp.toolkit.answers.pages import joined
from cio_mcp.toolkit.texts.readable import readable

# Characters of a body as text, where an answer has only one, and as HTML.
TEXT, HTML = 12_000, 40_000


class Body(TypedDict):
    """The fields in which an answer tells of a body; None stands for nothing."""

    body: str | None
    links: list[str] | None
    html: str | None
    left_out: str | None


def body_texts(
    written: str,
    hide: Callable[[str], str],
    *,
    html: bool,
    room: int = TEXT,
    more: str = "",
    also_out: Iterable[str | None] = (),
) -> Body:
    """Return a body with at most `room` characters of text; `more` says how to get the rest.

    `hide` hides people in it, before it is cut. `also_out` is what else the answer leaves out.
    """
    page = readable(written, hide)
    source = hide(written) if html else ""
    return Body(
        body=page.text[:room] or None,
        links=[link.url for link in page.links] or None,
        html=source[:HTML] or None,
        left_out=joined(
            page.left_out,
            f"body after {room} characters{more}" if len(page.text) > room else None,
            f"html after {HTML} characters" if len(source) > HTML else None,
            *also_out,
        ),
    )
