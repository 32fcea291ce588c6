"""What the values of attributes look like in a workspace, and which value that is written differs.

That takes two reads, so only a dry run compares. The API returns every value as text: what is a number there
and what is text that looks like one cannot be told.
"""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

from cio_mcp.client import AppApi
from cio_mcp.errors import CustomerIOError
from cio_mcp.toolkit.arguments.parsing import has_mark
from cio_mcp.toolkit.people.profiles import matching, profiles

# So many customers who have one of the attributes are looked at; fewer values than the second are no habit.
LOOKED_AT, FEW = 100, 3

# So many attributes are compared, and a habit is what so great a part of the customers share.
MOST, MAJORITY = 20, 0.9

_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")


class OfPeople:
    """Marks the type of attributes of people, which a dry run compares with those of others."""


async def unusual(app: AppApi, model: type[BaseModel], given: dict[str, Any]) -> list[str]:
    """Return a note on each value among the arguments that differs from what customers have."""
    for argument, field in model.model_fields.items():
        if (written := given.get(argument)) and has_mark(field.annotation, OfPeople):
            try:
                known = await _values(app, list(written)[:MOST])
            except CustomerIOError:
                return []
            told = {name: _differs(written[name], values) for name, values in known.items()}
            return [f"{argument}.{name}: {why}" for name, why in told.items() if why]
    return []


async def _values(app: AppApi, names: Sequence[str]) -> dict[str, list[str]]:
    """Return the values that customers have for attributes, as far as there are enough of them."""
    exist = [{"attribute": {"field": name, "operator": "exists"}} for name in names]
    answer = await matching(app, {"or": exist}, LOOKED_AT)
    ids = [cio_id for who in answer.objects("identifiers") or [] if (cio_id := who.text("cio_id"))]
    known = [profile.fields("attributes") for profile in await profiles(app, ids, "cio_id")] if ids else []
    found = {name: [value for attributes in known if (value := attributes.text(name))] for name in names}
    return {name: values for name, values in found.items() if len(values) >= FEW}


def _differs(written: Any, known: Sequence[str]) -> str:
    """Say how a value differs from the values that customers have."""
    if written in (None, "") or isinstance(written, (dict, list)):
        return ""
    if isinstance(written, str):
        folded = written.strip().casefold()
        alike = Counter(value for value in known if value.strip().casefold() == folded)
        if alike and written not in alike:
            spelled, times = alike.most_common(1)[0]
            return f'no customer has "{written}"; {times} of {len(known)} have "{spelled}"'
    habit, times = Counter(map(_kind, known)).most_common(1)[0]
    kind = _kind(str(written))
    if times < MAJORITY * len(known) or (kind == habit and (habit == "text" or not isinstance(written, str))):
        return ""
    some = f"{times} of {len(known)} customers have"
    if kind != habit:
        return f"this is a {kind}; {some} a {habit}"
    return f"this is text that looks like a {habit}; {some} a {habit}, or such text"


def _kind(value: str) -> str:
    """Return what a value looks like, as the API returns it."""
    if value.casefold() in {"true", "false"}:
        return "boolean"
    return "number" if _NUMBER.fullmatch(value) else "text"
