"""Reading the settings from the environment, once.

A wrong value stops the program with one line that names the variable. An empty value and a placeholder
that a desktop bundle left unresolved (`${user_config.…}`) count as unset.
"""

import difflib
import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from cio_mcp.errors import SettingsError
from cio_mcp.files import narrow
from cio_mcp.settings.certificates import check_certificates
from cio_mcp.settings.model import Settings
from cio_mcp.settings.scopes import ALIAS, CREDENTIALS, PREFIX, variable
from cio_mcp.settings.system_keyring import from_keyring


def load(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings from `environ`; raises SettingsError with one line that names the variable.

    A credential is also taken under `CUSTOMERIO_…`, from the file that `…_FILE` names, and from the keyring.
    """
    given = {name: value.strip() for name, value in environ.items() if _is_set(value)}
    _refuse_near_misses(given)
    values = {name: value for name in Settings.model_fields if (value := _value(name, given)) is not None}
    if service := values.get("keyring"):
        values |= from_keyring(service, [name for name in CREDENTIALS if name not in values])
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        place, message = first_fault(error)
        raise SettingsError("".join(f"{variable(part)}: " for part in place) + message) from None
    if settings.uses_network:
        check_certificates(given)
    return settings


def first_fault(error: ValidationError) -> tuple[list[str], str]:
    """Return the place and the message of the first fault, without the value that was given."""
    fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
    return [str(part) for part in fault["loc"]], fault["msg"].removeprefix("Value error, ")


def variables() -> dict[str, str]:
    """Return the name of each variable and what it is for, in the order of the help text."""
    return {variable(name): field.description or "" for name, field in Settings.model_fields.items()}


def _is_set(value: str) -> bool:
    return bool(value.strip()) and "${user_config." not in value


def _value(name: str, given: Mapping[str, str]) -> str | None:
    if name not in CREDENTIALS:
        return given.get(variable(name))
    for candidate in (variable(name), ALIAS + name.upper()):
        if candidate in given:
            return given[candidate]
        if path := given.get(f"{candidate}_FILE"):
            return _from_file(f"{candidate}_FILE", path)
    return None


def _from_file(variable: str, path: str) -> str:
    # The path stays out of the errors: it may be a key that was put into the wrong variable.
    try:
        narrow(Path(path))
        text = Path(path).read_text(encoding="utf-8-sig").strip()  # some editors begin a file with its mark
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise SettingsError(f"{variable}: the file cannot be read: {reason}") from None
    if not text:
        raise SettingsError(f"{variable}: the file is empty")
    return text


def _refuse_near_misses(given: Mapping[str, str]) -> None:
    """Refuse a misspelt setting: a forgotten credential would otherwise start the sandbox in silence.

    Other programs have variables with the same prefix, so only what resembles one of ours is refused.
    """
    credentials = [f"{prefix}{name.upper()}" for prefix in (PREFIX, ALIAS) for name in CREDENTIALS]
    known = [*variables(), *credentials, *(f"{name}_FILE" for name in credentials)]
    for name in given:
        if not name.startswith((PREFIX, ALIAS)) or name in known:
            continue
        if nearest := difflib.get_close_matches(name, known, n=1, cutoff=0.8):
            raise SettingsError(f"{name}: there is no such setting; did you mean {nearest[0]}?")
