"""What answers advise: it names tools as the caller knows them, and says which of them are off."""

from collections.abc import Callable, Sequence
from typing import Any

from pydantic import BaseModel

from cio_mcp.toolkit.answers.pages import enumerated
from cio_mcp.toolkit.arguments.sizes import PLAIN

# The fields whose texts are ours and say what to do; no text of a customer's stands in them.
ADVISING = {"next", "do", "left_out", "notes", "unread", "how"}

# The tool that tells why others are off.
STATUS = "server_status"

OffIn = Callable[[str], Sequence[str]]


def off_note(text: str, off_in: OffIn, said: set[str]) -> str:
    """Return a note on the tools in a text that are off, but for those `said` to be; empty if none is."""
    off = [name for name in off_in(text) if name not in said]
    if not off:
        return ""
    said.update(off)
    why = "" if off_in(STATUS) else f"; {STATUS} tells why"
    return f" ({enumerated(off, 'and')} {'are' if off[1:] else 'is'} off here{why}.)"


def advise(answer: BaseModel, off_in: OffIn, worded: Callable[[str], str]) -> None:
    """Add to each text that advises which tools in it are off, each once, and have each text `worded`."""
    said: set[str] = set()

    def noted(text: Any) -> Any:
        if not isinstance(text, str):
            return text
        return worded(text + off_note(text, off_in, said))

    models = [answer]
    for model in models:
        for name, value in vars(model).items():
            if name in ADVISING and value:
                setattr(model, name, list(map(noted, value)) if isinstance(value, list) else noted(value))
            if isinstance(value, list):
                models += (part for part in value if isinstance(part, BaseModel))
            elif type(value) not in PLAIN and isinstance(value, BaseModel):  # in this order: pydantic is slow
                models.append(value)
