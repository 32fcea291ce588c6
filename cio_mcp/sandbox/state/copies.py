"""Copies of all that a workspace holds, as JSON: what is exported, and what points keep."""

import json
import sqlite3
from typing import Any

from cio_mcp.sandbox.state.schema import VERSION
from cio_mcp.sandbox.state.workspace import Workspace

FORM = "cio-mcp sandbox"

# Tables of which no copy holds the rows: points hold copies themselves, numbers that were given are not given
# again, and most of `world` is about real time.
KEPT_APART = ("points", "sqlite_sequence", "world")


class WrongCopy(ValueError):
    """What is given is no copy of a workspace; says why."""


def take(workspace: Workspace) -> dict[str, Any]:
    """Return a copy of a moment, at which all that is due is done; two of the same state are equal."""
    with workspace.clock.at(workspace.clock()):
        workspace.settle()
        (seed,) = workspace.rows("SELECT seed FROM world")[0]
        return {
            "form": FORM,
            "version": VERSION,
            "now": workspace.clock(),
            "frozen": workspace.clock.read().frozen,
            "seed": seed,
            "tables": {name: _table(workspace, name, order) for name, order in _tables(workspace).items()},
        }


def put(workspace: Workspace, copy: Any) -> None:
    """Hold what a copy holds, in place of all that was here, and let its time be now. Raises WrongCopy.

    It must be the only thing that is done in a transaction: what was read before no longer counts.
    """
    tables = _checked(workspace, copy)
    for name in _tables(workspace):
        workspace.change(f"DELETE FROM {name}")  # noqa: S608 - a table of ours
    try:
        for name, table in tables.items():
            _fill(workspace, name, table["columns"], table["rows"])
        workspace.change("UPDATE world SET seed = ?", copy["seed"])
        workspace.clock.set(copy["now"])
        (workspace.clock.freeze if copy["frozen"] else workspace.clock.run)()
        workspace.forget_read()
    except (sqlite3.Error, TypeError, KeyError) as error:
        raise WrongCopy(f"it holds what no sandbox holds: {error}") from None


def _checked(workspace: Workspace, copy: Any) -> dict[str, Any]:
    if not isinstance(copy, dict) or copy.get("form") != FORM or not isinstance(copy.get("tables"), dict):
        raise WrongCopy("it is no export of a sandbox")
    if copy.get("version") != VERSION:
        raise WrongCopy("it is the export of another version of cio-mcp")
    tables: dict[str, Any] = copy["tables"]
    if unknown := tables.keys() - _tables(workspace).keys():
        raise WrongCopy(f"it holds what no sandbox holds: {min(unknown)}")
    return tables


def _tables(workspace: Workspace) -> dict[str, str]:
    """Return the names of the tables, and by what the rows of each are ordered."""
    found = workspace.rows("SELECT name, sql FROM sqlite_master WHERE type = 'table' ORDER BY name")
    return {
        row["name"]: "1, 2" if "WITHOUT ROWID" in row["sql"] else "rowid"
        for row in found
        if row["name"] not in KEPT_APART
    }


def _table(workspace: Workspace, name: str, order: str) -> dict[str, Any]:
    columns = [row["name"] for row in workspace.rows(f"PRAGMA table_info({name})")]
    rows = workspace.rows(f"SELECT * FROM {name} ORDER BY {order}")  # noqa: S608 - a table of ours
    return {"columns": columns, "rows": [list(row) for row in rows]}


def _fill(workspace: Workspace, name: str, columns: list[str], rows: list[list[Any]]) -> None:
    known = {row["name"] for row in workspace.rows(f"PRAGMA table_info({name})")}
    if unknown := set(columns) - known:
        raise WrongCopy(f"it holds what no sandbox holds: {name}.{min(unknown)}")
    holes = ", ".join("?" * len(columns))
    statement = f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({holes})"  # noqa: S608 - checked
    for row in rows:
        workspace.change(statement, *row)


def written(copy: dict[str, Any]) -> str:
    """Return a copy as text, one row of a table a line."""
    tables = copy["tables"].items()
    parts = []
    for name, table in tables:
        rows = ",\n".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in table["rows"])
        columns = json.dumps(table["columns"])
        parts.append(f'{json.dumps(name)}: {{"columns": {columns}, "rows": [\n{rows}\n]}}')
    head = {name: value for name, value in copy.items() if name != "tables"}
    return f'{json.dumps(head)[:-1]}, "tables": {{\n' + ",\n".join(parts) + "\n}}\n"
