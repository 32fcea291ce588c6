"""The variables of a rendering: found, noted where they are missing, and counted."""

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TextIO

from liquid import BoundTemplate
from liquid.builtin.expressions import Path
from liquid.context import RenderContext
from liquid.exceptions import LiquidError

from cio_mcp.liquid.filters import FILTERS
from cio_mcp.liquid.filters.table import wrong
from cio_mcp.liquid.metering import AllowanceSpent, Meter, Output
from cio_mcp.liquid.results import LiquidResult, notation
from cio_mcp.liquid.templates import add, condition, read

_ABSENT = object()

# Texts in texts.
DEPTH = 10


class MissingVariable(LiquidError):
    """A variable is missing that has no default."""


class Missing(Mapping[str, Any]):
    """Stands for a variable that the data does not have; `tell` is called where it is used all the same."""

    def __init__(self, path: str, tell: Callable[[str], None]) -> None:
        self.path, self.tell = path, tell

    def __liquid__(self) -> None:
        """Return what it compares as."""

    def __str__(self) -> str:
        self.tell(self.path)
        return ""

    def __int__(self) -> int:
        self.tell(self.path)
        return 0

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        self.tell(self.path)  # a loop over it
        return 0

    def __getitem__(self, name: str) -> Any:
        raise KeyError(name)


@dataclass
class Run:
    """One rendering with all texts in the text; while it is `forgiving` nothing missing is a fault."""

    meter: Meter
    strict: bool
    now: float
    seed: str
    notes: LiquidResult = field(default_factory=LiquidResult)
    forgiving: bool = False

    @cached_property
    def chance(self) -> random.Random:
        """What is drawn by the seed."""
        return random.Random(self.seed)  # noqa: S311 - for a preview


class Rendering(RenderContext):
    """The variables of a text. A text in a text has one of its own."""

    def __init__(self, template: BoundTemplate, data: Mapping[str, Any], run: Run, depth: int = 0) -> None:
        super().__init__(template, globals=data)
        self._data, self._run, self._depth = data, run, depth
        self._stands_for: dict[str, str] = {}
        self.meter, self.now = run.meter, run.now

    @property
    def chance(self) -> random.Random:
        """What chance depends on."""
        return self._run.chance

    @property
    def disabled_tags(self) -> list[str]:
        """None; python-liquid asks before it renders a node, whatever its kind, so each is counted here."""
        self.meter.tick()
        return []

    @disabled_tags.setter
    def disabled_tags(self, _: object) -> None:
        pass

    def get(self, path: list[object], *, token: Any, default: object = _ABSENT) -> object:
        """Return a variable; a snippet's text is rendered, apart from the variables of this text."""
        self.meter.tick()
        found = super().get(path, token=token, default=_ABSENT)
        if found is _ABSENT:
            return Missing(self.named(path), self.lacks) if default is _ABSENT else default
        if path[0] == "snippets" and isinstance(found, str):
            return self.inside(found)
        return found

    def inside(self, text: str) -> str:
        """Return a text in this text, rendered."""
        if "{{" not in text and "{%" not in text:
            return text
        if self._depth >= DEPTH:
            raise AllowanceSpent("texts are nested too deeply")
        template = read(text, self.meter)
        buffer = Output(self.meter)
        template.render_with_context(Rendering(template, self._data, self._run, self._depth + 1), buffer)
        return buffer.getvalue()

    def named(self, path: list[object]) -> str:
        """Return a path in one notation, as the data has it: not by names that only the text has."""
        root, *rest = (item.path if isinstance(item, Missing) else item for item in path)
        return notation([self._outer(str(root)), *rest])

    def _outer(self, root: str, inside: int | None = None) -> str:
        """Return what a name stands for that a loop or an assignment has set; `inside` so many loops."""
        for number in reversed(range(len(self.loops) if inside is None else inside)):
            name, _, iterable = self.loops[number].name.partition("-")
            if name == root:
                first, point, rest = iterable.partition(".")
                return f"{self._outer(first, number)}{point}{rest}[]"
        return self._stands_for.get(root, root)

    def keep(self, name: str, value: Any, path: Path | None) -> None:
        """Assign a variable; `path` is the other one that it stands for."""
        stands_for = self.named([self._value(item) for item in path.path]) if path else None
        self.assign(name, value)
        if stands_for:
            self._stands_for[name] = stands_for

    def lacks(self, path: str) -> None:
        """Note a missing variable; raises MissingVariable where nothing may be missing."""
        if self._run.forgiving:
            return
        add(self._run.notes.missing, path)
        if self._run.strict:
            raise MissingVariable(f"Variable '{path}' is missing", token=None)

    def prints_nothing(self, path: Path) -> None:
        """Note a variable that is there and printed nothing."""
        value = self.get([self._value(item) for item in path.path], token=path.token)
        if value is None or (isinstance(value, (str, list, dict)) and not value):
            add(self._run.notes.empty, self.named([self._value(item) for item in path.path]))

    def _value(self, item: Any) -> Any:
        return item.evaluate(self) if isinstance(item, Path) else item

    def meets_unknown(self, kind: str, name: str) -> None:
        """Note a filter or tag that the dialect does not have."""
        add(self._run.notes.unknown, f"{kind} {name}")

    @contextmanager
    def lenient(self) -> Iterator[None]:
        """Inside this context nothing that is missing is a fault."""
        before, self._run.forgiving = self._run.forgiving, True
        try:
            yield
        finally:
            self._run.forgiving = before

    def shown(self, value: Any) -> Any:
        """Return a value to be printed or filtered: nothing for a missing one."""
        if isinstance(value, Missing):
            self.lacks(value.path)
            return None
        self.weighed(value)
        return value

    def weighed(self, value: Any) -> None:
        """Count what a text or a value with many parts takes."""
        if isinstance(value, (str, dict, list, range)):
            self.meter.spend(self.meter.weigh(value))

    def filter(self, name: str, token: Any) -> Any:  # noqa: ARG002 - it is passed by name
        """Return a filter that counts what it takes; an unknown one lets its value pass."""
        known = FILTERS.get(name)
        if known is None:
            self.meets_unknown("filter", name)
            return lambda value, *_, **__: self.shown(value)

        def filtered(value: Any, *given: Any, **named: Any) -> Any:
            self.meter.tick()
            if name == "default" and isinstance(value, Missing):
                add(self._run.notes.defaulted, value.path)
                value = None
            arguments = [self.shown(item) for item in (value, *given)]
            if isinstance(value, list):  # a name with points is looked up part by part in each item
                self.meter.spend(len(value) * sum(item.count(".") for item in given if isinstance(item, str)))
            context = [self] if known.in_context else []
            try:
                found = known.function(*context, *arguments, **named)
            except (ArithmeticError, LookupError, TypeError, ValueError):
                raise wrong(f"the filter {name} does not take these values") from None
            self.weighed(found)
            return found

        return filtered

    def holds(self, name: Any, item: Any, expression: Any) -> bool:
        """Say whether a condition on an item holds."""
        return bool(self.value_of(name, item, expression))

    def value_of(self, name: Any, item: Any, expression: Any) -> Any:
        """Return what an expression on an item gives."""
        self.meter.tick()
        with self.extend({str(name): item}):
            return condition(str(expression), self.meter).evaluate(self)

    def assign(self, key: str, val: Any) -> None:
        """Keep a variable."""
        self.meter.tick()
        self.locals[key] = val
        self._stands_for.pop(key, None)

    def raise_for_loop_limit(self, length: int = 1) -> None:
        """Refuse a loop of too many rounds, those around it multiplied."""
        rounds = length
        for loop in self.loops:
            rounds *= max(1, loop.length)
        if rounds > self.meter.bounds.rounds:
            raise AllowanceSpent(f"a loop has more than {self.meter.bounds.rounds:,} rounds")

    def get_buffer(self, buf: TextIO | None = None) -> Output:
        """Return where a captured text goes."""
        del buf
        return Output(self.meter)
