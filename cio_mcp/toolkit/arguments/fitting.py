"""Arguments that are valid only together with certain values of another argument."""

from collections.abc import Collection
from typing import Any

from cio_mcp.errors import InvalidArgument


def check_fit(form: str, given: dict[str, Any], takes: Collection[str]) -> None:
    """Raise InvalidArgument if `given` has arguments (not None or False) that `form` does not take."""
    misfit = [name for name, value in given.items() if value not in (None, False) and name not in takes]
    if misfit:
        fitting = f"takes only {', '.join(takes)}" if takes else "takes no such arguments"
        raise InvalidArgument(f"{', '.join(misfit)}: not allowed with {form}, which {fitting}")
