"""What is configured in a workspace: campaigns, broadcasts, segments, messages, and so on."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cio_mcp.sandbox.state.database import Database


class Things(Database):
    """The things of a workspace by kind and number, and its seed. What was read is read once."""

    def __init__(self, path: str | Path, real: Callable[[], float], copy_of: Database | None = None) -> None:
        self._read: dict[str, list[dict[str, Any]]] = {}
        self._seed: str | None = None
        self._version = 0
        super().__init__(path, real, copy_of)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Do as the database does, and know of nothing that others have changed or that has failed."""
        try:
            with super().locked():
                version = self.rows("PRAGMA data_version")[0][0]
                if version != self._version:
                    self.forget_read()
                    self._version = version
                yield
        except BaseException:
            self.forget_read()
            raise

    def copy(self, other: Database | bytes) -> None:
        """Hold what another database or an image holds, and know of nothing that was here."""
        super().copy(other)
        self.forget_read()

    def take_rows(self) -> None:
        """Do as the database does, and know of nothing that was not here."""
        super().take_rows()
        self.forget_read()

    def forget_read(self) -> None:
        """Read everything again: it has changed."""
        self._read, self._seed = {}, None

    @property
    def seed(self) -> str:
        """What chance depends on."""
        if self._seed is None:
            self._seed = str(self.rows("SELECT seed FROM world")[0]["seed"])
        return self._seed

    def things(self, kind: str) -> list[dict[str, Any]]:
        """Return everything of a kind that is configured, by number. It is to be read only."""
        if kind not in self._read:
            found = self.rows("SELECT body FROM things WHERE kind = ? ORDER BY id", kind)
            self._read[kind] = [json.loads(row["body"]) for row in found]
        return self._read[kind]

    def thing(self, kind: str, number: int) -> dict[str, Any] | None:
        """Return one of them, or None."""
        return next((thing for thing in self.things(kind) if thing["id"] == number), None)

    def configure(self, kind: str, body: dict[str, Any]) -> None:
        """Add or change one of them."""
        self._read.pop(kind, None)
        self.change("INSERT OR REPLACE INTO things VALUES (?, ?, ?)", kind, body["id"], json.dumps(body))

    def next_number(self, kind: str) -> int:
        """Return the id that the next thing of a kind has."""
        return max((thing["id"] for thing in self.things(kind)), default=0) + 1

    def remove(self, kind: str, number: int) -> None:
        """Remove one of them."""
        self._read.pop(kind, None)
        self.change("DELETE FROM things WHERE kind = ? AND id = ?", kind, number)
