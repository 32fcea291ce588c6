"""What answers advise: it names tools as the caller knows them, and says which of them are off."""

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel

from cio_mcp.toolkit.sizes import PLAIN

# The fields whose texts are ours and say what to do; no text of a customer's stands in them.
ADVISING = {"next", "do", "left_out", "notes", "unread", "how"}


def advise(answer: BaseModel, off_in: Callable[[str], str], worded: Callable[[str], str]) -> None:
    """Add what `off_in` says of a text to each text that advises, once, and have each `worded`."""
    said: set[str] = set()

    def noted(text: Any) -> Any:
        if not isinstance(text, str):
            return text
        if (note := off_in(text)) in said:
            note = ""
        said.add(note)
        return worded(text + note)

    models = [answer]
    for model in models:
        for name, value in vars(model).items():
            if name in ADVISING and value:
                setattr(model, name, list(map(noted, value)) if isinstance(value, list) else noted(value))
            if isinstance(value, list):
                models += (part for part in value if isinstance(part, BaseModel))
            elif type(value) not in PLAIN and isinstance(value, BaseModel):  # in this order: pydantic is slow
                models.append(value)
