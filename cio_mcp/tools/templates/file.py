"""The file that makes messages tools of their own.

A file that is wrong anywhere stops the start: a tool that is missing only its agent would notice.
"""

from dataclasses import dataclass
from pathlib import Path

from cio_mcp.errors import SettingsError
from cio_mcp.tools.templates.message import GENERIC_SENDS, MessageDefinition, definition_of


@dataclass(frozen=True)
class File:
    """What a file says."""

    path: Path
    messages: list[MessageDefinition]
    generic_sends: bool


def read_file(path: Path) -> File:
    """Return what a file says; raises SettingsError with the place of what is wrong, and the way out."""
    import tomllib  # noqa: PLC0415 - few have such a file, and all would wait for it at the start

    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        generic = tables.pop(GENERIC_SENDS, True)
        if not isinstance(generic, bool):
            message = f"{GENERIC_SENDS}: must be true or false, above the first table"
            raise ValueError(message)  # noqa: TRY004, TRY301 - all faults end alike
        messages = [definition_of(name, table) for name, table in tables.items()]
        if not messages:
            message = "names no message; cio-mcp templates suggest writes a table for each"
            raise ValueError(message)  # noqa: TRY301
    except OSError as error:
        raise SettingsError(f"CIO_TEMPLATES: {path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"CIO_TEMPLATES: {path}: is not TOML: {error}") from None
    except RecursionError:
        raise SettingsError(f"CIO_TEMPLATES: {path}: is nested too deeply") from None
    except ValueError as error:
        raise SettingsError(f"CIO_TEMPLATES: {path}: {error}") from None
    return File(path, messages, generic)
