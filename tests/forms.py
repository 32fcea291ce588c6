"""Answers made of the known forms, and the same with something dropped, null, of another type, or added."""

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from cio_mcp.cli.answer_forms import ANSWERS, SHAPES
from cio_mcp.toolkit.answers.reading import time

# A value of each type.
EXAMPLES = {
    "int": 1,
    "text": "footer",
    "bool": True,
    "number": 1.5,
    "time": 1_780_000_000,
    "object": {"and": [{"attribute": {"field": "plan", "operator": "eq", "value": "pro"}}]},
    "any": {"plan": "pro", "none": None, "list": [1, None, {"deep": [None]}]},
}

# What stands in an answer for what it should be.
WORDS = ["", " ", "1", "-3", "true", "None", "pending", "\ud800", "a@b.example", "yesterday"]
TIMES = [1_780_000_000, "1780000000", 1_780_000_000_000, "2026-05-28T20:26:40Z", 20261128]
DEEP = json.loads('{"a":[' * 120 + "]}" * 120)
NESTED = [[], {}, [None], [[]], [{}], {"": ""}, {"id": {"id": 1}}, [{"id": "1"}, "x", 7, None], DEEP]
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text(max_size=8)
KNOWN = st.sampled_from([None, True, False, 0, -1, 1.5, 10**30, *WORDS, *TIMES, *NESTED])
PLAIN = KNOWN | SCALARS | TEXTS
STRANGE = PLAIN | st.lists(PLAIN, max_size=3) | st.dictionaries(TEXTS, PLAIN, max_size=3)


def example(form: Any) -> Any:
    """Return an answer of a form, with all that may be missing."""
    if isinstance(form, str):
        return (
            example(SHAPES[form[1:]]) if form.startswith("#") else deepcopy(EXAMPLES[form.partition("|")[0]])
        )
    if isinstance(form, list):
        return [example(form[0]), example(form[0])]
    return {name.rstrip("?~").replace("*", "footer"): example(inner) for name, inner in form.items()}


def form_of(method: str, path: str) -> Any:
    """Return the form of what a request is answered with."""
    asked = f"{method} {path}"
    fitting = [known for known in ANSWERS if re.fullmatch(re.sub(r"{\w+}", "[^/]+", known), asked)]
    assert fitting, f"no form of an answer to {asked}"
    # Of `/campaigns/{id}/triggers/…` and `/campaigns/{id}/actions` the longer name is the nearer one.
    return ANSWERS[min(fitting, key=lambda known: known.count("{"))]


@dataclass(frozen=True)
class Change:
    """One thing that is different: at a place of the answer, in the order of its parts."""

    place: int
    how: str
    value: Any

    def made(self, answer: Any) -> Any:
        """Return an answer with the change, which is made in what is given."""
        holder = {"": answer}
        found = places(holder)
        inside, key = found[self.place % len(found)]
        if self.how == "drop":
            del inside[key]
        elif self.how == "add" and isinstance(target := inside[key], (dict, list)):
            value = deepcopy(self.value)
            target.append(value) if isinstance(target, list) else target.update(new=value)
        else:
            inside[key] = None if self.how == "null" else deepcopy(self.value)
        return holder.get("", {})


def places(value: Any) -> list[tuple[Any, Any]]:
    """Return each part of a value, and its parts, as what it is in, and its name or number there."""
    found: list[tuple[Any, Any]] = []
    _add_places(value, found)
    return found


def _add_places(value: Any, found: list[tuple[Any, Any]]) -> None:
    for key in value if isinstance(value, dict) else range(len(value)):
        found.append((value, key))
        if isinstance(value[key], (dict, list)):
            _add_places(value[key], found)


def parts(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield what is directly in a value, in the same way."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key


def repeating(value: Any, within: bool = False) -> Iterator[bool]:
    """Say of each place, in the order of `places`, whether it repeats the form of another in its list."""
    for inside, key in parts(value):
        repeats = within or (isinstance(inside, list) and (key > 0 or isinstance(inside[key], int)))
        yield repeats
        yield from repeating(inside[key], repeats)


CHANGES = st.lists(
    st.builds(
        Change,
        st.integers(0, 10_000),
        st.sampled_from(["drop", "null", "retype", "retype", "retype", "add"]),
        STRANGE,
    ),
    min_size=1,
    max_size=4,
)


def leaves(value: Any, name: str = "") -> list[tuple[str, Any]]:
    """Return every text, number and boolean in a value with the name under which it stands."""
    found: list[tuple[str, Any]] = []
    _add_leaves(value, name, found)
    return found


def _add_leaves(value: Any, name: str, found: list[tuple[str, Any]]) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            _add_leaves(inner, str(key), found)
    elif isinstance(value, list):
        for inner in value:
            _add_leaves(inner, name, found)
    elif value is not None:
        found.append((name, value))


HALF = re.compile("[\ud800-\udfff]")


def said_or_asked(said: list[Any], arguments: dict[str, Any]) -> set[str]:
    """Return, as texts, all that an answer can tell: what was said, the times in it, and what was asked."""
    given = leaves([said, arguments])
    values = [value for _, value in {(type(value), value) for _, value in given}]  # 1, 1.0 and True are three
    whole = {str(int(value)) for value in values if isinstance(value, float)}
    times = {told for value in values if (told := time(value))}
    names = {name.removeprefix("secondary:") for name, _ in given}
    found = {str(value) for value in values} | {str(value).lower() for value in values}
    found |= whole | times | names | {value.strip() for value in found}
    return {HALF.sub("\ufffd", value) for value in found}


def written(value: Any) -> bytes:
    """Return a body; halves of characters stay escaped, as only JSON can have them."""
    return json.dumps(value).encode()
