"""Files that tools save, in the folder that the operator names for them."""

import asyncio
import csv
import re
from dataclasses import dataclass
from pathlib import Path

from cio_mcp.client.call import Call
from cio_mcp.client.download import Downloader, FreshLink
from cio_mcp.errors import InvalidArgument

# So many rows are counted before others have their turn.
TURN = 2000

# A name that is a file of the folder, on every system.
NAME = re.compile(r"[^\W_][\w .()+,@=-]*")

# Bytes: what every file system takes.
LONGEST_NAME = 150


@dataclass(frozen=True)
class SavedFile:
    """A file that was saved; `rows` are its records below the header, None for what is no CSV."""

    path: Path
    size: int
    rows: int | None


@dataclass(frozen=True)
class Downloads:
    """Saves files in `folder`; None where none may be saved."""

    folder: Path | None
    loader: Downloader

    def place(self, name: str) -> Path:
        """Return where a file of this name goes; raises InvalidArgument."""
        if self.folder is None:
            raise InvalidArgument(
                "save_as: this server saves no files: CIO_DOWNLOADS is not set, or people are hidden"
            )
        if not NAME.fullmatch(name) or name.endswith((" ", ".")):
            raise InvalidArgument("save_as: must be a file name without a folder, such as customers.csv")
        if len(name.encode()) > LONGEST_NAME:
            raise InvalidArgument(f"save_as: must not be longer than {LONGEST_NAME} bytes")
        path = self.folder / name
        if path.exists() or path.is_symlink():
            raise InvalidArgument("save_as: a file of this name exists already; choose another name")
        if not self.folder.is_dir():
            raise InvalidArgument("save_as: the operator's folder (CIO_DOWNLOADS) does not exist")
        return path

    async def save(self, call: Call, link: FreshLink, path: Path, source: str) -> SavedFile:
        """Download a file; raises as `Downloader.to_file` does."""
        size = await self.loader.to_file(call, link, path, source)
        return SavedFile(path, size, await _rows(path))


async def _rows(path: Path) -> int | None:
    rows = -1
    try:
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.reader(file):
                rows += bool(row)
                if rows % TURN == 0:
                    await asyncio.sleep(0)
    except (OSError, UnicodeDecodeError, csv.Error):
        return None
    return max(rows, 0)
