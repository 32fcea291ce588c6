"""Arguments that fit only some forms of a call."""

from collections.abc import Collection
from typing import Any

from cio_mcp.errors import InvalidArgument


def check_fit(form: str, given: dict[str, Any], takes: Collection[str]) -> None:
    """Raise InvalidArgument for what is given, other than None and False, and `form` does not take."""
    misfit = [name for name, value in given.items() if value not in (None, False) and name not in takes]
    if misfit:
        fitting = f"takes {', '.join(takes)}" if takes else "takes no such argument"
        raise InvalidArgument(f"{', '.join(misfit)}: does not fit {form}, which {fitting}")
