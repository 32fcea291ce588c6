"""Who is not there of the customers whom rows name: a dry run tells, as far as looking them up is quick."""

import asyncio
from typing import cast

from cio_mcp.client import AnyIdType, AppApi
from cio_mcp.toolkit.people.consequences import Told
from cio_mcp.toolkit.people.profiles import unknown
from cio_mcp.toolkit.rows.checks import Plan
from cio_mcp.toolkit.rows.ranges import of_rows

# So many customers of each kind of identifier are looked up: a request reads a hundred.
MOST = 300


async def newcomers(app: AppApi, plan: Plan, become: str) -> list[Told]:
    """Return who is unknown, and in our words what becomes of them. Raises as `AppApi.get` does."""
    rows: dict[str, dict[str, int]] = {}
    for planned in plan.operations:
        for kind, name in planned.operation["identifiers"].items():
            rows.setdefault(kind, {}).setdefault(name, planned.rows[0].number)
    asked = {kind: list(names)[:MOST] for kind, names in rows.items()}
    found = await asyncio.gather(
        *(unknown(app, names, cast("AnyIdType", kind)) for kind, names in asked.items())
    )
    new = {name: rows[kind][name] for kind, names in zip(asked, found, strict=True) for name in names}
    if not new:
        return []
    several, every = sum(map(len, asked.values())), sum(map(len, rows.values()))
    of = f"{several}" if several == every else f"the first {several}"
    return [
        (
            f"{len(new)} of {of} customers are unknown and {become}: {of_rows(list(new.values()))}, as",
            next(iter(new)),
        )
    ]
