"""Who may call over HTTP: bearer tokens in a file, each with a grant that narrows what the server does.

The file holds hashes, never tokens. It is looked at again whenever it has changed.
"""

import hashlib
import json
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cio_mcp.errors import SettingsError
from cio_mcp.files import narrow, replace
from cio_mcp.safety.grant import Grant
from cio_mcp.settings import first_fault

# What every token begins with, so that one that leaked is recognised.
MARK = "cio_mcp_"


class TokenEntry(Grant):
    """A grant, and the hash of the token that has it."""

    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)

    tokens: list[TokenEntry] = []


class Tokens:
    """The tokens in a file. Raises SettingsError where it cannot be read at the start.

    A file that later turns unreadable or wrong lets nobody in until it is corrected: `clock` is unix time.
    """

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        self._path = path
        self._clock = clock
        self._stamp: tuple[int, int, int] | None = None
        self._entries: dict[str, TokenEntry] = {}
        self._entries = _by_hash(read_tokens(path))

    def find(self, token: str) -> Grant | None:
        """Return the grant of a token, None for one that is unknown, revoked or expired."""
        entry = self._current().get(_hash(token))
        return entry if entry and self._holds(entry) else None

    def still_gives(self, grant: Grant) -> bool:
        """Return whether a grant that was found is still its token's, unchanged."""
        return not isinstance(grant, TokenEntry) or self._current().get(grant.sha256) == grant

    def _holds(self, entry: TokenEntry) -> bool:
        return entry.expires is None or entry.expires.timestamp() > self._clock()

    def _current(self) -> dict[str, TokenEntry]:
        try:
            found = self._path.stat()
            stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
            if stamp != self._stamp:
                self._entries = _by_hash(read_tokens(self._path))
                self._stamp = stamp
        except (OSError, SettingsError):
            self._stamp, self._entries = None, {}
        return self._entries


def read_tokens(path: Path) -> list[TokenEntry]:
    """Return the entries of a file; raises SettingsError that names what is wrong, and no hash."""
    try:
        narrow(path)
        return _File.model_validate(json.loads(path.read_text(encoding="utf-8"))).tokens
    except OSError as error:
        raise SettingsError(f"CIO_TOKENS_FILE: {path} cannot be read: {error.strerror}") from None
    except ValidationError as error:
        place, message = first_fault(error)
        raise SettingsError(f"CIO_TOKENS_FILE: {path}: {'.'.join(place)}: {message}") from None
    except ValueError as error:
        raise SettingsError(f"CIO_TOKENS_FILE: {path} is not JSON: {error}") from None


def write(path: Path, entries: list[TokenEntry]) -> None:
    """Replace the file at once; only its owner may read it."""
    text = _File(tokens=entries).model_dump_json(indent=2, exclude_unset=True) + "\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace(path, text.encode())
    except OSError as error:
        raise SettingsError(f"CIO_TOKENS_FILE: {path} cannot be written: {error.strerror}") from None


def add(path: Path, grant: Grant) -> str:
    """Add a grant under a new token, which is returned and kept nowhere; raises SettingsError."""
    entries = read_tokens(path) if path.exists() else []
    if any(entry.name == grant.name for entry in entries):
        raise SettingsError(
            f"{grant.name}: there is a token of that name; revoke it first, or choose another name"
        )
    token = MARK + secrets.token_urlsafe(32)
    write(path, [*entries, TokenEntry(**grant.model_dump(exclude_unset=True), sha256=_hash(token))])
    return token


def revoke(path: Path, name: str) -> None:
    """Remove the token of a name; raises SettingsError if there is none."""
    entries = read_tokens(path)
    left = [entry for entry in entries if entry.name != name]
    if len(left) == len(entries):
        raise SettingsError(f"{name}: there is no token of that name; see cio-mcp token list")
    write(path, left)


def expiry(days: float) -> datetime:
    """Return the moment so many days from now."""
    return datetime.fromtimestamp(datetime.now(UTC).timestamp() + days * 86_400, UTC).replace(microsecond=0)


def _by_hash(entries: list[TokenEntry]) -> dict[str, TokenEntry]:
    return {entry.sha256: entry for entry in entries}


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
