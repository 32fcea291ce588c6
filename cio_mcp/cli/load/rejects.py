"""The file of rejected rows: as they were, with the reason, to be corrected and loaded again."""

import csv
import io
import json
import os
from collections.abc import Sequence
from pathlib import Path

from cio_mcp.cli.load.mapping import REASON
from cio_mcp.toolkit.rows.table import Row

# A rejected row, and why.
Reject = tuple[Row, str]


class Rejects:
    """Keeps rejected rows in a file at `path`, CSV of these `columns` or NDJSON where there are none.

    `size` is what the file had when the load was interrupted: what came later is written again.
    """

    def __init__(self, path: Path | None, columns: Sequence[str], size: int) -> None:
        self.path = path
        self._columns = [name for name in columns if name != REASON]
        self.size = size

    def add(self, rejected: Sequence[Reject]) -> int:
        """Write rows, and return the size of the file; they are on the disk by then. Raises OSError."""
        if self.path is None or not rejected:
            return self.size
        written = self._written(rejected).encode(errors="backslashreplace")
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        with open(descriptor, "r+b") as file:  # noqa: PTH123 - it is open already
            file.truncate(self.size)
            file.seek(self.size)
            file.write(written)
            file.flush()
            os.fsync(descriptor)
        self.size += len(written)
        return self.size

    def _written(self, rejected: Sequence[Reject]) -> str:
        if not self._columns:
            return "".join(
                json.dumps({**row.values, REASON: _reason(row, why)}, ensure_ascii=False) + "\n"
                for row, why in rejected
            )
        text = io.StringIO()
        writer = csv.writer(text)
        if not self.size:
            writer.writerow([*self._columns, REASON])
        for row, why in rejected:
            extra = [row.values[name] for name in row.values if name not in (*self._columns, REASON)]
            more = f"; more cells: {extra}" if extra else ""
            writer.writerow([*(row.values.get(name, "") for name in self._columns), _reason(row, why) + more])
        return text.getvalue()


def _reason(row: Row, why: str) -> str:
    return f"row {row.number}: {why}"
