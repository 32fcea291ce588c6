"""What `cio-mcp doctor` finds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; what is not ok has its `fix`, which `sets` these variables."""

    what: str
    state: Literal["ok", "note", "fault"]
    detail: str
    fix: str = ""
    sets: Mapping[str, str] = field(default_factory=dict)
