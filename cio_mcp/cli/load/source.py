"""Files of rows: opened, unpacked, decoded, and read row by row, however large they are."""

import codecs
import gzip
import io
import json
import os
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from cio_mcp.errors import SettingsError
from cio_mcp.toolkit.rows.table import Records, Row

STDIN = "-"

# How each kind of file is read, by the end of its name.
KINDS = {".csv": "csv", ".tsv": "tsv", ".ndjson": "ndjson", ".jsonl": "ndjson", ".json": "json"}

# Bytes by whose look the encoding is told; the most characters of an object of a JSON list, and of a line.
LOOK, LONGEST, LONGEST_LINE = 262_144, 1_000_000, 10_000_000

# zlib's word for what gzip wraps.
GZIP = 31

MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass
class LoadFile:
    """A file to load, as the rows of a `table` if it is one; `encoding` is as found if it was not given."""

    name: str
    kind: str
    encoding: str
    guessed: bool
    table: Records | None = None
    _raw: BinaryIO = field(default_factory=io.BytesIO)
    _text: TextIO = field(default_factory=io.StringIO)

    @classmethod
    def open(
        cls, name: str, kind: str = "", encoding: str = "", delimiter: str = "", skip_rows: int = 0
    ) -> "LoadFile":
        """Open a file, or stdin for `-`; raises SettingsError for one that cannot be read."""
        _check_told(encoding, delimiter, skip_rows)
        if name == STDIN and sys.stdin is None:
            raise SettingsError("-: stdin is closed")
        try:
            raw: Any = sys.stdin.buffer if name == STDIN else Path(name).open("rb")  # noqa: SIM115 - read later
        except OSError as error:
            raise SettingsError(f"{name}: {error.strerror}") from None
        buffered: Any = io.BufferedReader(raw, LOOK * 2)
        start = buffered.peek(LOOK)[:LOOK]
        packed = start.startswith(b"\x1f\x8b")
        try:
            if packed:
                start = zlib.decompressobj(GZIP).decompress(start, LOOK)
            found, guessed = (encoding, False) if encoding else _encoding(start)
        except (zlib.error, SettingsError) as error:
            raw.close()
            raise SettingsError(f"{name}: {error}") from None
        unpacked: Any = gzip.GzipFile(fileobj=buffered) if packed else buffered
        suffixes = [suffix.lower() for suffix in Path(name).suffixes]
        kind = kind or next((KINDS[suffix] for suffix in reversed(suffixes) if suffix in KINDS), "")
        if not kind:
            first = start.decode(found, "replace").lstrip("\ufeff \t\r\n")[:1]
            kind = {"{": "ndjson", "[": "json"}.get(first, "csv")
        # What is not of the encoding stays in its row, and the row is refused.
        text = io.TextIOWrapper(unpacked, found, errors="surrogateescape", newline="")
        table = None
        if kind in {"csv", "tsv"}:
            table = Records(_lines(text), delimiter or ("\t" if kind == "tsv" else ""), skip_rows)
        elif skip_rows:
            raw.close()
            raise SettingsError(f"--skip-rows: {kind} has no header, so no lines above it")
        return cls(name, kind, found, guessed, table, raw, text)

    def close(self) -> None:
        """Close the file; stdin stays open."""
        if self.name != STDIN:
            self._text.close()
            self._raw.close()

    def done(self) -> float | None:
        """Return the part of the file that was read, None where its size is not known."""
        try:
            size = Path(self.name).stat().st_size if self.name != STDIN else 0
            return self._raw.tell() / size if size else None
        except (OSError, ValueError):
            return None

    def rows(self) -> Iterator[Row]:
        """Yield the rows; what cannot be read is a row with a fault. Raises SettingsError for a header."""
        number, began = 0, self._state()
        try:
            for row in self.table or self._read(self._text):
                number = row.number
                yield row
            if self._state() != began:
                yield Row(number + 1, {}, "the file changed while it was read: load it again from the start")
        except (EOFError, zlib.error, gzip.BadGzipFile, UnicodeError, OSError) as error:
            yield Row(number + 1, {}, f"the file is cut off here: {error}")
        except TooLong as error:
            yield Row(number + 1, {}, f"is not read, nor is what follows: {error}")
        except ValueError as error:
            raise SettingsError(f"{self.name}: {error}") from None

    def _state(self) -> tuple[int, int] | None:
        """Return what a change of the file changes, too; None for stdin, which may be no file."""
        if self.name == STDIN:
            return None
        found = os.fstat(self._raw.fileno())
        return found.st_size, found.st_mtime_ns

    def _read(self, text: TextIO) -> Iterator[Row]:
        return _objects(text) if self.kind == "json" else _one_a_line(text)


def _check_told(encoding: str, delimiter: str, skip_rows: int) -> None:
    """Raise SettingsError for an encoding of no text, what separates no cells, and fewer lines than none."""
    try:
        io.TextIOWrapper(io.BytesIO(b"\0" * 4), encoding or "utf-8").read()
    except (LookupError, ValueError):  # NUL in a name, or it reads nothing at all
        raise SettingsError(f"--encoding {encoding}: it is not a known text encoding") from None
    if len(delimiter) > 1 or delimiter in {'"', "\r", "\n", " "}:
        raise SettingsError(
            f"--delimiter {delimiter!r}: must be one character, and not a quote, blank or line end"
        )
    if skip_rows < 0:
        raise SettingsError(f"--skip-rows {skip_rows}: must be 0 or more lines")


def _encoding(start: bytes) -> tuple[str, bool]:
    """Return the encoding of a text that begins so, and whether that is a guess."""
    for mark, name in MARKS:
        if start.startswith(mark):
            return name, False
    for name, halves in (("utf-16-le", start[1::2]), ("utf-16-be", start[::2])):
        if halves.count(0) * 2 > len(halves):
            return name, True
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        pass
    else:
        return "utf-8", False
    try:
        from charset_normalizer import from_bytes  # noqa: PLC0415 - an extra
    except ImportError:
        raise SettingsError("the file is not UTF-8: name its --encoding, or install cio-mcp[load]") from None
    best = from_bytes(start).best()
    if best is None:
        raise SettingsError("the file's encoding is unclear: name it with --encoding")
    return best.encoding, True


class TooLong(Exception):
    """A line is longer than the memory for one."""


def _lines(text: TextIO) -> Iterator[str]:
    """Yield the lines of a text; raises TooLong."""
    while line := text.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE:
            message = f"a line has more than {LONGEST_LINE:,} characters"
            raise TooLong(message)
        yield line


def _one_a_line(text: TextIO) -> Iterator[Row]:
    """Yield the objects of NDJSON; numbers are of lines."""
    for number, line in enumerate(_lines(text), 1):
        if line.strip():
            yield _row(number, line)


def _row(number: int, written: str) -> Row:
    try:
        found = json.loads(written)
    except (ValueError, RecursionError) as error:
        return Row(number, {}, f"is not JSON: {error}")
    return Row(number, found) if isinstance(found, dict) else Row(number, {}, "is not an object")


def _objects(text: TextIO) -> Iterator[Row]:
    """Yield the objects of one JSON list, numbered from 1. Behind what is no JSON nothing can be read."""
    decode, held, number = json.JSONDecoder().raw_decode, text.read(65_536).lstrip("\ufeff \t\r\n"), 1
    if not held.startswith("["):
        message = "is not a JSON list of objects; name another --format"
        raise ValueError(message)
    held = held[1:]
    while True:
        held = held.lstrip(" \t\r\n,")
        if held.startswith("]"):
            return
        try:
            found, end = decode(held)
        except (ValueError, RecursionError) as error:
            if len(held) <= LONGEST and (more := text.read(65_536)):
                held += more
                continue
            yield Row(number, {}, f"is not JSON, nor is what follows: {error}")
            return
        held = held[end:]
        yield Row(number, found) if isinstance(found, dict) else Row(number, {}, "is not an object")
        number += 1
