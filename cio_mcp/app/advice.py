"""What answers advise: it names tools as the caller knows them, and says which of them are off."""

from collections.abc import Callable, Iterable
from typing import Any

from pydantic import BaseModel

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

    for model in _models(answer):
        for name in ADVISING & vars(model).keys():
            told = getattr(model, name)
            setattr(model, name, list(map(noted, told)) if isinstance(told, list) else noted(told))


def _models(model: BaseModel) -> Iterable[BaseModel]:
    yield model
    for value in vars(model).values():
        for inside in value if isinstance(value, list) else [value]:
            if isinstance(inside, BaseModel):
                yield from _models(inside)
