"""The rows of a call, as they were given: a list, CSV text, or a file that the operator lets be read."""

import hashlib
import io
import json
import re
from collections.abc import Container, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

from pydantic import PlainValidator, ValidationInfo, WithJsonSchema

from cio_mcp.errors import InvalidArgument
from cio_mcp.toolkit.arguments.lists import of_objects
from cio_mcp.toolkit.arguments.parse_context import ParseContext, context_of
from cio_mcp.toolkit.rows.columns import LIKE_NUMBER, NUMBER, decimal_of, is_ambiguous
from cio_mcp.toolkit.rows.table import Records, Row

# The most rows of one call, and bytes of a file.
MOST, LARGEST_FILE = 10_000, 32_000_000

FILE = "file:"

_CODE = re.compile(r"\+?0\d+", re.ASCII)
_BOOLEAN = re.compile("true|false", re.IGNORECASE)


class RowInput:
    """The rows of a call, and the context in which their values are read; as text, their fingerprint.

    Those of a `table` are texts, numbered by its lines. `plan` is what the call makes of them: it is asked
    for several times. `about` is whom they name by then.
    """

    def __init__(self, rows: Sequence[Row], context: ParseContext, table: Records | None = None) -> None:
        self.rows, self.context, self.table = rows, context, table
        self.plan: Any = None
        self.about: Sequence[str] = ()

    def __str__(self) -> str:
        written = json.dumps([(row.number, row.values, row.fault) for row in self.rows], default=str)
        return hashlib.sha256(written.encode(errors="replace")).hexdigest()


def given_rows(rows: RowInput | None, csv: RowInput | None) -> RowInput:
    """Return the rows of a call, which come in one way; raises InvalidArgument."""
    found = [given for given in (rows, csv) if given is not None]
    if len(found) != 1:
        raise InvalidArgument("rows, csv: give exactly one of them")
    return found[0]


def _rows(value: object, asked: ValidationInfo) -> RowInput:
    found: Any = of_objects(value, asked)
    rows = (
        Row(number, values) if isinstance(values, dict) else Row(number, {}, "is not an object")
        for number, values in enumerate(found, 1)
    )
    return RowInput(_some(rows), context_of(asked))


def _table(value: object, asked: ValidationInfo) -> RowInput:
    context = context_of(asked)
    if not isinstance(value, str):
        message = f"must be CSV text, or {FILE} and a file's name"
        raise ValueError(message)  # noqa: TRY004 - pydantic reports ValueErrors
    text = value
    if value.startswith(FILE):
        text = decoded(_content(value.removeprefix(FILE).strip(), context.folder))
    records = Records(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    return RowInput(_some(map(_without_blanks, records)), context, records)


def _some(rows: Iterable[Row]) -> list[Row]:
    """Return rows, if they are not too many: no more of them are read than it takes to know."""
    found = list(islice(rows, MOST + 1))
    if not 0 < len(found) <= MOST:
        these = "these are more" if found else "there are none"
        message = f"must be 1 to {MOST} rows; {these}. cio-mcp load takes a file of any size"
        raise ValueError(message)
    return found


def _without_blanks(row: Row) -> Row:
    """Return a row of texts without its blank cells, which change nothing."""
    row.values = {name: text for name, cell in row.values.items() if (text := cell.strip())}
    return row


def _content(name: str, folder: Path | None) -> bytes:
    """Return what a file in the operator's folder holds; raises ValueError for any other."""
    if folder is None:
        message = "this server reads no files (CIO_FILES is not set); pass the rows themselves"
        raise ValueError(message)
    name = name.replace("\0", "")  # which no path can have
    try:
        inside = folder.resolve(strict=True)
        path = (inside / name).resolve(strict=True)
        if not path.is_relative_to(inside) or not path.is_file():
            raise FileNotFoundError
        if path.stat().st_size > LARGEST_FILE:
            message = f"the file has more than {LARGEST_FILE} bytes; use cio-mcp load"
            raise ValueError(message)
        return path.read_bytes()
    except (OSError, RuntimeError):  # a loop of links, to Python before 3.13
        message = "there is no such file in the operator's folder (CIO_FILES)"
        raise ValueError(message) from None


def decoded(content: bytes) -> str:
    """Return the text of a file in UTF-8, or UTF-16 with its mark; raises ValueError for another encoding."""
    wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        return content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = f"line {line} is not UTF-8; save the file as UTF-8, or use cio-mcp load, which asks"
        raise ValueError(message) from None


def typed(rows: Sequence[Row], told: Container[str]) -> list[Row]:
    """Return rows of texts with what was meant: in a column of mostly numbers or true and false, those.

    How cells are read of the columns in `told` is told already.
    """
    cells = _columns(rows, told)
    values = {name: value for name, found in cells.items() if (value := _value_in(list(found.values())))}

    def meant(name: str, text: str) -> Any:
        return json.loads(text.lower()) if name in values and values[name].fullmatch(text) else text

    return [
        Row(row.number, {name: meant(name, text) for name, text in row.values.items()}, row.fault)
        for row in rows
    ]


def ambiguous(rows: Sequence[Row], told: Container[str]) -> Iterator[tuple[str, str, list[int]]]:
    """Yield columns in which nothing tells decimals from thousands: the name, a number, and the rows."""
    for name, found in _columns(rows, told).items():
        both = {number: text for number, text in found.items() if is_ambiguous(text)}
        numbers = list(filter(LIKE_NUMBER.fullmatch, found.values()))
        if (
            both
            and len(numbers) * 2 > len(found)
            and all(is_ambiguous(text) or text.isdecimal() for text in numbers)
        ):
            yield name, next(iter(both.values())), list(both)


def _columns(rows: Sequence[Row], told: Container[str]) -> dict[str, dict[int, str]]:
    """Return the cells of each column that is not told, by the numbers of their rows."""
    cells: dict[str, dict[int, str]] = {}
    for row in rows:
        for name, text in row.values.items():
            if name not in told:
                cells.setdefault(name, {})[row.number] = text
    return cells


def _value_in(texts: list[str]) -> re.Pattern[str] | None:
    """Return what is a value in a column, None for one of texts; a code with zeros in front makes it one."""
    numbers = list(filter(LIKE_NUMBER.fullmatch, texts))
    # Where others have a decimal comma, 1.234 is a thousand and more.
    if any(map(_CODE.fullmatch, texts)) or decimal_of(numbers) == "comma":
        return None
    kinds = (
        kind for kind in (NUMBER, _BOOLEAN) if sum(map(bool, map(kind.fullmatch, texts))) * 2 > len(texts)
    )
    return next(kinds, None)


RowList = Annotated[
    Any, PlainValidator(_rows), WithJsonSchema({"type": "array", "items": {"type": "object"}})
]
Table = Annotated[Any, PlainValidator(_table), WithJsonSchema({"type": "string"})]
