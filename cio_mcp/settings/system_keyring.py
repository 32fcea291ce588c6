"""Credentials in the system's keyring: read only where CIO_KEYRING says so, and with a time limit."""

from collections.abc import Callable, Iterable
from queue import Empty, SimpleQueue
from threading import Thread
from types import ModuleType
from typing import Any

from cio_mcp.errors import SettingsError
from cio_mcp.settings.scopes import variable

# Seconds. A locked keyring asks a person for its password, whom a server without a screen does not have.
PATIENCE = 10.0


def from_keyring(service: str, names: Iterable[str], patience: float = PATIENCE) -> dict[str, str]:
    """Return those of the credentials that the keyring holds; raises SettingsError where it holds none."""

    def read(keyring: ModuleType) -> dict[str, str]:
        held = {name: keyring.get_password(service, variable(name)) for name in names}
        return {name: value for name, value in held.items() if value}

    found: dict[str, str] = _asked(read, patience)
    if not found:
        raise SettingsError(
            f"CIO_KEYRING: the system's keyring holds no credentials under {service}; "
            "cio-mcp setup --keys keyring stores them"
        )
    return found


def to_keyring(service: str, values: dict[str, str], patience: float = PATIENCE) -> None:
    """Store credentials by their variables; raises SettingsError if they cannot be read back."""

    def store(keyring: ModuleType) -> bool:
        for name, value in values.items():
            keyring.set_password(service, name, value)
        return all(keyring.get_password(service, name) == value for name, value in values.items())

    if not _asked(store, patience):
        raise SettingsError(
            "CIO_KEYRING: the system's keyring did not keep the key; use files (cio-mcp setup --keys file)"
        )


def _asked(use: Callable[[ModuleType], Any], patience: float) -> Any:
    try:
        import keyring  # noqa: PLC0415 - an extra, and a tenth of a second
    except ImportError:
        raise SettingsError("CIO_KEYRING: needs the extra: pip install 'cio-mcp[keyring]'") from None
    answers: SimpleQueue[Any] = SimpleQueue()

    def run() -> None:
        try:
            answers.put(use(keyring))
        except Exception as error:
            answers.put(error)

    Thread(target=run, daemon=True).start()  # one that never answers must not hold up the end of the program
    try:
        answer = answers.get(timeout=patience)
    except Empty:
        raise SettingsError(
            f"CIO_KEYRING: the system's keyring gave no answer in {patience:g} s; unlock it, or keep the "
            "keys in files (cio-mcp setup --keys file)"
        ) from None
    if isinstance(answer, Exception):
        # Its text may quote what it was given: a key.
        raise SettingsError(
            f"CIO_KEYRING: the system's keyring cannot be used ({type(answer).__name__}); use files"
        ) from None
    return answer
