"""Several workspaces in one server: a file that names each, with the settings that are its own."""

import re
from pathlib import Path
from typing import Any

from cio_mcp.errors import SettingsError
from cio_mcp.files import narrow
from cio_mcp.settings import CREDENTIALS, Settings, load, variable
from cio_mcp.settings.scopes import WorkspaceIdentity, WorkspaceSettings

# What a table can set.
KNOWN = (
    *WorkspaceIdentity.model_fields,
    *WorkspaceSettings.model_fields,
    *(f"{name}_file" for name in CREDENTIALS),
)

NAME = re.compile(r"[\w.-]{1,64}")


def each(settings: Settings) -> dict[str, Settings]:
    """Return the settings of each workspace by its name; a single one has the empty name.

    Raises SettingsError for a file that cannot be read or is wrong.
    """
    path = settings.workspaces_file
    if path is None:
        return {"": settings}
    tables = _read(path)
    if not tables:
        raise _wrong(path, "names no workspace; write one table for each, such as [production]")
    return {name: _settings(path, name, table, settings) for name, table in tables.items()}


def _read(path: Path) -> dict[str, Any]:
    import tomllib  # noqa: PLC0415 - few have such a file, and all would wait for it at the start

    try:
        narrow(path)  # it holds keys
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _wrong(path, f"cannot be read: {error.strerror}") from None
    except ValueError as error:
        # Its words tell the place alone; the line itself may hold a key.
        raise _wrong(path, f"is not TOML: {error}") from None


def _settings(path: Path, name: str, table: Any, shared: Settings) -> Settings:
    where = f"[{name}]"
    if not NAME.fullmatch(name) or not isinstance(table, dict):
        raise _wrong(path, f"{where}: name workspaces by letters, digits, -, _ and ., each in a table")
    if unknown := [key for key in table if key not in KNOWN]:
        raise _wrong(
            path, f"{where}: {unknown[0]}: a workspace has no such setting; there are {', '.join(KNOWN)}"
        )
    if empty := [key for key, value in table.items() if isinstance(value, list) and not _text(value).strip()]:
        raise _wrong(path, f"{where}: {empty[0]}: names nothing; leave it out to have the environment's")
    try:
        own = load({variable(key): _text(value) for key, value in table.items()})
    except SettingsError as error:
        raise _wrong(path, f"{where}: {error}") from None
    if not own.has_credentials and own.sandbox != "on":
        raise _wrong(path, f'{where}: has no credentials; for an embedded sandbox set sandbox = "on"')
    inherited = shared.model_fields_set - {*WorkspaceIdentity.model_fields} - own.model_fields_set
    changes = {field: getattr(shared, field) for field in inherited}
    # Two sandboxes have the same keys, and are two workspaces nevertheless.
    return own.model_copy(update=changes | ({"workspace": name} if own.uses_sandbox else {}))


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(map(_text, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _wrong(path: Path, what: str) -> SettingsError:
    return SettingsError(f"CIO_WORKSPACES_FILE: {path}: {what}")
