"""The assumptions, by number, and which answers rest on each: `assumptions.json`.

A number is never given again. docs/sandbox.md says what each is; the code names it where it holds.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cio_mcp.sandbox.paths import fits

HEADER = "x-sandbox-assumptions"


@dataclass(frozen=True)
class Assumption:
    """One: why it is made, what it follows from (None for nothing), and which answers rest on it.

    These are those with one of `statuses` (`400 4xx`) to a request of one of the routes in `on`.
    """

    number: int
    name: str
    reason: str
    source: str | None
    statuses: str
    on: list[str]

    def holds_for(self, method: str, path: str, status: int) -> bool:
        """Say whether an answer to a request of a path, as routes have it, may rest on it."""
        return not {str(status), f"{status // 100}xx"}.isdisjoint(self.statuses.split()) and any(
            fits(route, method, path.split("/")[1:]) for route in self.on
        )


@cache
def every() -> list[Assumption]:
    """Return all of them."""
    text = Path(__file__).with_suffix(".json").read_text(encoding="utf-8")
    return [Assumption(**one) for one in json.loads(text)]


@cache
def of_answer(method: str, path: str, status: int) -> str:
    """Return the numbers of those that an answer may rest on, empty for none."""
    return ", ".join(str(one.number) for one in every() if one.holds_for(method, path, status))
