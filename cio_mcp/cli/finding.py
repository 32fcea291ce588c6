"""What `cio-mcp doctor` finds."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; what is not ok has its `fix`."""

    what: str
    state: Literal["ok", "note", "fault"]
    detail: str
    fix: str = ""
