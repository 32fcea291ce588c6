"""What Customer.io's descriptions of its APIs say that a request may hold: nothing else is accepted.

`facts.json` is written by `python -m tests.contract.regenerate`, which says how it reads.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FACTS = Path(__file__).with_name("facts.json")

KINDS: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
    "object": dict,
    "any": object,
}

# How a value that is no text is written in an address.
WRITTEN = {"integer": r"-?\d+", "number": r"-?\d+(\.\d+)?", "boolean": "true|false"}

NOTHING: dict[str, Any] = {"fields": {}}


class Contract:
    """The facts, and what is wrong with a request by them."""

    def __init__(self, facts: dict[str, Any]) -> None:
        self.shapes: dict[str, Any] = facts["shapes"]
        self.operations: dict[str, Any] = facts["operations"]
        self._known = {anonymous(name): fact for name, fact in self.operations.items()}

    def of(self, method: str, path: str) -> dict[str, Any] | None:
        """Return the facts about an operation, None for one that they do not have."""
        return self._known.get(anonymous(f"{method} {path}"))

    def fault(
        self, fact: dict[str, Any], ids: Mapping[Any, str], query: Mapping[str, str], body: Any
    ) -> str | None:
        """Return what is wrong with a request, None where nothing is; `ids` are its path's, in order."""
        path = fact.get("path", NOTHING)
        named = dict(zip(path["fields"], ids.values(), strict=True))
        return (
            self.misfit(path, named, "", written=True)
            or self.misfit(fact.get("query", NOTHING), dict(query), "", written=True)
            or self.misfit(fact.get("body", NOTHING), body or {}, "")
        )

    def misfit(self, fact: Any, value: Any, at: str, *, written: bool = False) -> str | None:
        """Return why a value is not of a type, None where it is; `written` says that it is an address's."""
        while isinstance(fact, str) and fact.startswith("#"):
            fact = self.shapes[fact[1:]]
        match fact:
            case str():
                return None if _is(fact, value, written=written) else f"{at} must be of type {fact}"
            case {"enum": words}:
                fits = any(_is_word(word, value) for word in words)
                return None if fits else f"{at} must be one of {', '.join(map(str, words))}"
            case list():
                return self._misfit_of_any(fact, value, at, written=written)
            case {"list": kind}:
                return self._misfit_of_list(kind, value, at, written=written)
        return self._misfit_of_object(fact, value, at, written=written)

    def _misfit_of_any(self, arms: Any, value: Any, at: str, *, written: bool) -> str | None:
        faults: list[str] = []
        for arm in arms:
            if (fault := self.misfit(arm, value, at, written=written)) is None:
                return None
            faults.append(fault)
        # The alternatives that fit furthest are those that were meant.
        depth = max(fault.split(" ")[0].count(".") for fault in faults)
        return ", or ".join(
            dict.fromkeys(fault for fault in faults if fault.split(" ")[0].count(".") == depth)
        )

    def _misfit_of_list(self, kind: Any, value: Any, at: str, *, written: bool) -> str | None:
        if not isinstance(value, list):
            return f"{at} must be a list"
        faults = (
            self.misfit(kind, item, f"{at}.{number}", written=written) for number, item in enumerate(value)
        )
        return next(filter(None, faults), None)

    def _misfit_of_object(self, fact: Any, value: Any, at: str, *, written: bool) -> str | None:
        if not isinstance(value, dict):
            return f"{at} must be an object"
        prefix = f"{at}." if at else ""
        for name, item in value.items():
            kind = fact["fields"].get(name, fact.get("more"))
            if kind is None:
                return f"{prefix}{name} is not known here"
            if fault := self.misfit(kind, item, f"{prefix}{name}", written=written):
                return fault
        missing = [name for name in fact.get("required", []) if name not in value]
        return f"{prefix}{missing[0]} is required" if missing else None


def anonymous(path: str) -> str:
    """Return a path template without the names of its parameters, which make no difference."""
    return re.sub(r"{\w+}", "{}", path)


def _is(kind: str, value: Any, *, written: bool) -> bool:
    if written and kind in WRITTEN:
        return re.fullmatch(WRITTEN[kind], value) is not None
    return isinstance(value, KINDS[kind]) and (kind in {"boolean", "any"} or not isinstance(value, bool))


def _is_word(word: Any, value: Any) -> bool:
    """Say whether a value is a word; `<…>` in one stands for anything without a colon."""
    if isinstance(word, str) and "<" in word:
        pattern = "[^:]+".join(map(re.escape, re.split("<.*?>", word)))
        return isinstance(value, str) and re.fullmatch(pattern, value) is not None
    return type(word) is type(value) and bool(word == value)


CONTRACT = Contract(json.loads(FACTS.read_text(encoding="utf-8")))
