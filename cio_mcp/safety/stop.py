"""What an operator halts everything with that acts: a file, or `cio-mcp stop`."""

from pathlib import Path

from cio_mcp.errors import NotAllowed
from cio_mcp.safety.stores import Store


class Stop:
    """Looks whether an operator has stopped what acts: by `file`, or in the `store` that servers share."""

    def __init__(self, file: Path | None, store: Store) -> None:
        self._file = file
        self._store = store

    async def check(self) -> None:
        """Raise NotAllowed while everything is stopped, or if that cannot be looked for."""
        if by := await self._by():
            raise NotAllowed(
                f"Nothing was done: {by} stops all writes, deletions and sends.",
                do="Wait until an operator lets them go on; reading still works.",
            )

    async def stopped(self) -> bool:
        """Say whether everything that acts is stopped."""
        try:
            return await self._by() is not None
        except NotAllowed:
            return True

    async def _by(self) -> str | None:
        try:
            if self._file is not None and self._file.exists():
                return f"{self._file} (CIO_STOP_FILE)"
        except OSError:
            return f"{self._file} (CIO_STOP_FILE), which cannot be looked for,"
        return "an operator (cio-mcp stop)" if await self._store.stopped() else None
