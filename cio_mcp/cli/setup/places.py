"""Where the keys of an entry are kept: in files for the owner alone, in the system's keyring, or in it."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_config_path

from cio_mcp.cli.clients import ClientFile
from cio_mcp.errors import SettingsError
from cio_mcp.files import replace
from cio_mcp.settings.system_keyring import to_keyring

PLACES = {
    "file": "files that only you can read",
    "keyring": "the system's keyring (needs the extra keyring)",
    "entry": "the client's own file",
}


@dataclass(frozen=True)
class KeyPlace:
    """Where keys go; `env` is how the entry says so."""

    kind: str
    folder: Path
    service: str
    keys: Mapping[str, str]

    @property
    def env(self) -> dict[str, str]:
        """The variables of the entry."""
        match self.kind:
            case "file":
                return {f"{name}_FILE": str(self._file(name)) for name in self.keys}
            case "keyring":
                return {"CIO_KEYRING": self.service}
        return dict(self.keys)

    @contextmanager
    def filled(self) -> Iterator[None]:
        """Keep the keys there, unless what follows fails: then all is as it was."""
        if self.kind == "keyring":
            to_keyring(self.service, dict(self.keys))
        files = {self._file(name): value.encode() for name, value in self.keys.items() if self.kind == "file"}
        before = {path: path.read_bytes() if path.is_file() else None for path in self._all()}
        try:
            if files:
                self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for path, value in files.items():
                replace(path, value)
            yield
        except (OSError, SettingsError) as error:
            _restore(before)
            if isinstance(error, SettingsError):
                raise
            raise SettingsError(f"{self.folder}: cannot be written: {error.strerror}") from None
        for path in before.keys() - files.keys():
            path.unlink(missing_ok=True)  # keys that nothing refers to any more

    def told(self, client: ClientFile) -> str:
        """Return where the keys are now, as a line."""
        if not self.keys:
            return ""
        if self.kind == "file":
            return f"The keys are in {self.folder}; only you can read them."
        if self.kind == "keyring":
            return f"The keys are in the system's keyring, under {self.service}."
        if client.path.is_absolute():
            return f"The keys are in {client.path}; only you can read them."
        return f"{client.path} belongs to this project and holds keys now: keep it out of version control."

    def _file(self, name: str) -> Path:
        return self.folder / name.removeprefix("CIO_").lower()

    def _all(self) -> list[Path]:
        return list(self.folder.iterdir()) if self.folder.is_dir() else []


def place_of(kind: str, name: str, client: ClientFile, keys: Mapping[str, str]) -> KeyPlace:
    """Return where the keys of a client's entry go; each project's file has a place of its own."""
    if not client.path.is_absolute():
        here = Path.cwd()
        name += f"-{here.name}-{hashlib.sha256(str(here).encode()).hexdigest()[:8]}"
    folder = user_config_path("cio-mcp", appauthor=False) / "keys" / name
    return KeyPlace(kind, folder, f"cio-mcp/{name}", keys)


def _restore(before: Mapping[Path, bytes | None]) -> None:
    for path, value in before.items():
        if value is not None:
            replace(path, value)
