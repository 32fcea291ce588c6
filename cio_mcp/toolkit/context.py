"""What the arguments of a call are parsed with, and what parsing found worth telling."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationInfo


@dataclass
class ParseContext:
    """The context of one call's arguments, which their types can read and add to.

    `timezone` is that of times that name none, `now` the time of the call in unix seconds, and `reveal`
    replaces pseudonyms. The types add `notes` for the answer and, in `times`, the instant that each argument
    stands for. `check_guess` raises ValueError if comparing an attribute with a value would confirm a guess.
    """

    timezone: str = "UTC"
    now: float = 0.0
    reveal: Callable[[str], str] | None = None
    check_guess: Callable[[str, Any], None] = lambda *_: None
    notes: list[str] = field(default_factory=list)
    times: dict[str, str] = field(default_factory=dict)


def context_of(asked: ValidationInfo) -> ParseContext:
    """Return the context in which a value is validated; an empty one for a value outside of any call."""
    return asked.context if isinstance(asked.context, ParseContext) else ParseContext()
