"""What the arguments of a call are parsed with, and what parsing found worth telling."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationInfo


@dataclass
class ParseContext:
    """The context of one call's arguments, which their types can read and add to.

    `timezone` is that of times that name none, empty for what the arguments make it, and `now` the time of
    the call in unix seconds. `reveal` replaces pseudonyms, and `check` raises InvalidArgument for one that is
    left among arguments. `check_guess` raises ValueError if comparing an attribute with a value would confirm
    a guess. `folder` holds the files that may be read, and `headers` are those of mail relays that emails may
    have. The types add `notes` for the answer and, in `times`, the instant that each argument stands for, in
    unix seconds. `is_json` says that JSON can hold them all.
    """

    timezone: str = "UTC"
    now: float = 0.0
    reveal: Callable[[str], str] | None = None
    check: Callable[[dict[str, Any]], None] = lambda _: None
    check_guess: Callable[[str, Any], None] = lambda *_: None
    folder: Path | None = None
    headers: Collection[str] = ()
    notes: list[str] = field(default_factory=list)
    times: dict[str, int] = field(default_factory=dict)
    is_json: bool = False

    def anew(self) -> "ParseContext":
        """Return the context of one row: the call's, with nothing found yet."""
        return ParseContext(self.timezone, self.now, self.reveal, is_json=self.is_json)


def context_of(asked: ValidationInfo) -> ParseContext:
    """Return the context in which a value is validated; an empty one for a value outside of any call."""
    return asked.context if isinstance(asked.context, ParseContext) else ParseContext()
