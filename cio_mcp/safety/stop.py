"""The stop switch: with a file or `cio-mcp stop`, an operator stops all writes, deletions and sends."""

from pathlib import Path

from cio_mcp.errors import NotAllowed
from cio_mcp.safety.stores import Store


class Stop:
    """Tells whether an operator has stopped calls that act, by `file` or in the servers' `store`."""

    def __init__(self, file: Path | None, store: Store) -> None:
        self._file = file
        self._store = store

    async def check(self) -> None:
        """Raise NotAllowed while calls that act are stopped, or if that cannot be determined."""
        if by := await self._by():
            raise NotAllowed(
                f"Nothing was done: {by} has stopped all writes, deletions and sends.",
                do="Wait until an operator allows them again; reads still work.",
            )

    async def stopped(self) -> bool:
        """Return whether all calls that act are stopped."""
        try:
            return await self._by() is not None
        except NotAllowed:
            return True

    async def _by(self) -> str | None:
        if self._file is not None:
            try:
                self._file.lstat()  # a link that leads nowhere is there, too
            except (FileNotFoundError, NotADirectoryError):
                pass
            except OSError:
                return f"{self._file} (CIO_STOP_FILE), which cannot be read,"
            else:
                return f"{self._file} (CIO_STOP_FILE)"
        return "an operator (cio-mcp stop)" if await self._store.stopped() else None
