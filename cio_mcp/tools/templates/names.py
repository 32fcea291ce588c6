"""What tools and arguments of a file can be called."""

import re

from pydantic import BaseModel

# The longest name of a tool.
LONGEST = 30

_TOOL = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)+")
_ARGUMENT = re.compile(r"[a-z][a-z0-9_]{0,39}")

# Arguments that each tool has which sends, and the one that chooses among workspaces.
_EACH = {"dry_run", "confirmation", "timezone", "workspace"}

# How names begin that pydantic keeps for itself, beside those of a model's attributes.
_KEPT = ("model_dump", "model_validate")


def can_be_tool(name: str) -> bool:
    """Say whether a tool can be called so, unless another one is."""
    return len(name) <= LONGEST and bool(_TOOL.fullmatch(name))


def can_be_argument(name: str) -> bool:
    """Say whether an argument can be called so."""
    taken = name in _EACH or hasattr(BaseModel, name) or name.startswith(_KEPT)
    return not taken and bool(_ARGUMENT.fullmatch(name))
