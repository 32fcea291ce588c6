"""What each column of a file means: as it is told, or guessed from its name and its first values."""

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from cio_mcp.errors import SettingsError
from cio_mcp.toolkit.arguments.parse_context import ParseContext
from cio_mcp.toolkit.rows.columns import ISO, LIKE_NUMBER, NUMBER, Column, decimal_of
from cio_mcp.toolkit.rows.table import Row

DATE = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-]\d{2,4}( .*)?", re.ASCII)
CODE = re.compile(r"\+?0\d+", re.ASCII)
BOOLEAN = re.compile("true|false", re.IGNORECASE)

# One value in so many may be of another form than its column is taken for.
FEW = 20

# Names of columns, in any case and without signs, for arguments.
NAMES = {
    "customer_id": "id customerid userid kundennummer kundennr kundenid clientid idcliente identifiant",
    "object_id": "id objectid companyid company accountid account firma",
    "email": "email mail emailaddress emailadresse correo correoelectronico courriel adresseemail eposta",
    "phone": "phone phonenumber mobile telefon handy telephone telefono",
    "created_at": "createdat signup signupat signedup signupdate registered registriertam angemeldetam",
    "timestamp": "timestamp",
    "name": "name event eventname",
}

# Arguments that are texts, whatever they look like.
IDENTIFIERS = {
    *("customer_id", "object_id", "object_type_id", "email", "phone", "name", "id_type", "event_id"),
}

# A column that is left out; a file of rejected rows has one with the reasons.
LEFT_OUT, REASON = "-", "cio_mcp_reason"


Columns = Mapping[str, Column]


def parsed_maps(texts: Iterable[str]) -> dict[str, Column]:
    """Read `COLUMN=TARGET:KIND(…)`; raises SettingsError."""
    found: dict[str, Column] = {}
    for text in texts:
        name, equals, meaning = text.rpartition("=")
        try:
            column = Column.read(meaning)
        except ValueError as error:
            raise SettingsError(f"--map {text}: {error}") from None
        if not equals or not meaning:
            raise SettingsError(
                f"--map {text}: write it as 'Sign up=created_at:date(dayfirst,Europe/Berlin)'"
            )
        found[name] = replace(column, target=column.target or name)
    return found


def guessed(
    names: Iterable[str],
    rows: Sequence[Row],
    given: Mapping[str, Column],
    arguments: Iterable[str],
    zone: str,
    id_type: str,
) -> dict[str, Column]:
    """Return what each column of a header, and of the first rows, means, as told or as guessed.

    Raises SettingsError for a column that is not there, for dates whose order cannot be told, and for two
    columns that mean the same.
    """
    cells: dict[str, list[Any]] = {name: [] for name in names}
    for row in rows:
        for name, value in () if row.fault else row.values.items():
            cells.setdefault(name, []).append(value)
    if missing := [name for name in given if name not in cells]:
        raise SettingsError(f"--map: there is no column {missing[0]}; there are {', '.join(cells)}")
    known, taken = set(arguments), {column.target for column in given.values()}
    found = {
        name: replace(column, zone=column.zone or zone) if column.kind == "date" else column
        for name, column in given.items()
    }
    for name, values in cells.items():
        if name not in found:
            target = _target(name, cells, known, taken, id_type)
            taken.add(target)
            found[name] = _guess(name, target, [value for value in values if value not in (None, "")], zone)
    filled: dict[str, str] = {}
    for name in cells:
        target = found[name].target
        if target != LEFT_OUT and (other := filled.setdefault(target, name)) != name:
            raise SettingsError(f"{_clash(target, other, name)}, as with --map '{name}=-'")
    return {name: found[name] for name in cells}


def _clash(target: str, first: str, second: str) -> str:
    return f"{target}: columns {first} and {second} both hold it; leave one out"


def _target(name: str, names: Container[str], known: set[str], taken: set[str], id_type: str) -> str:
    """Return what a column among others of these names fills, of which some is taken already."""
    if name == REASON:
        return LEFT_OUT
    folded = re.sub(r"[\W_]+", "", name).casefold()
    for argument, others in NAMES.items():
        target = "customer_id" if argument == id_type else argument
        if folded not in others.split() or target in taken or (target in names and target != name):
            continue
        if target in known or argument == "phone":
            return target
    return name


def _guess(name: str, target: str, values: list[Any], zone: str) -> Column:
    texts = [value.strip() for value in values if isinstance(value, str) and value.strip()]
    if not texts or len(texts) < len(values):
        return Column(target)
    if target in {"created_at", "timestamp"}:
        iso, local = (sum(map(bool, map(form.fullmatch, texts))) for form in (ISO, DATE))
        return Column(target, "date", "" if iso > local else _order(name, texts), zone)
    if target in IDENTIFIERS:
        return Column(target)
    # Where others have a decimal comma, 1.234 is a thousand and more.
    comma = decimal_of(list(filter(LIKE_NUMBER.fullmatch, texts))) == "comma"
    if _are(NUMBER, texts) and not comma and not any(map(CODE.fullmatch, texts)):
        return Column(target, "number")
    if decimal := decimal_of(texts):
        return Column(target, "number", decimal=decimal)
    return Column(target, "boolean" if _are(BOOLEAN, texts) else "as_is")


def _are(form: re.Pattern[str], texts: list[str]) -> bool:
    """Say whether values are of a form, all but a few that are then rejected."""
    return sum(not form.fullmatch(text) for text in texts) * FEW <= len(texts)


def _order(name: str, texts: list[str]) -> str:
    """Return in which order day and month stand; raises SettingsError where both orders fit."""
    pairs = [(int(parts[1]), int(parts[2])) for text in texts if (parts := DATE.fullmatch(text))]
    days, months = any(first > 12 for first, _ in pairs), any(second > 12 for _, second in pairs)
    if days == months:
        example = f"--map '{name}=created_at:date(dayfirst)'"
        raise SettingsError(f"{name}: it is unclear how {texts[0]} is read; say it with {example}")
    return "dayfirst" if days else "monthfirst"


def mapped(row: Row, columns: Columns, context: ParseContext) -> dict[str, Any]:
    """Return the arguments that a row stands for; raises ValueError that names column and value.

    The context is told how local times were read that a change of clocks makes unclear.
    """
    if row.fault:
        raise ValueError(row.fault)
    arguments: dict[str, Any] = {}
    for name, cell in row.values.items():
        column = columns.get(name) or Column(name)
        target = column.target
        if target == LEFT_OUT or cell == "" or (isinstance(cell, str) and cell.isspace()):
            continue
        if target in arguments:
            other = next(each for each in row.values if (columns.get(each) or Column(each)).target == target)
            raise ValueError(_clash(target, other, name))
        try:
            arguments[target] = column.value(cell, context)
        except (ValueError, OverflowError, RecursionError) as error:
            message = f"{name}: {str(cell)[:80]!r} {error}"
            raise ValueError(message) from None
    return arguments


def as_facts(columns: Columns) -> dict[str, dict[str, str]]:
    """Return columns for a journal."""
    return {name: asdict(column) for name, column in columns.items()}
