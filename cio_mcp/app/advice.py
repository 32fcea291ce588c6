"""What answers advise: where that names a tool which is off for the caller, they say so."""

from collections.abc import Callable, Iterable
from typing import Any

from pydantic import BaseModel

# The fields whose texts are ours and say what to do; no text of a customer's stands in them.
ADVISING = {"next", "do", "left_out", "notes", "unread", "how"}


def advise(answer: BaseModel, off_in: Callable[[str], str]) -> None:
    """Add what `off_in` says of a text to each text that advises; what is the same is said once."""
    said: set[str] = set()

    def noted(text: Any) -> Any:
        if not isinstance(text, str) or not (note := off_in(text)) or note in said:
            return text
        said.add(note)
        return text + note

    for model in _models(answer):
        for name in ADVISING & type(model).model_fields.keys():
            told = getattr(model, name)
            setattr(model, name, list(map(noted, told)) if isinstance(told, list) else noted(told))


def _models(model: BaseModel) -> Iterable[BaseModel]:
    yield model
    for name in type(model).model_fields:
        value = getattr(model, name)
        for inside in value if isinstance(value, list) else [value]:
            if isinstance(inside, BaseModel):
                yield from _models(inside)
