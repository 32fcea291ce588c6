"""How the data of a send fits a message: told by the keys that a caller passes, each with what follows."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from cio_mcp.toolkit.answers.quoting import plain_name, quoted
from cio_mcp.toolkit.texts.variables import TextUses, Use

# So many values are looked for, one for each person and variable: all but for messages beyond reason.
LOOKS = 500_000

# So many keys are told, and with so many those that are not used are compared.
KEYS, COMPARED = 30, 300

# People who are named that lack a key.
NAMED = 3

# From which likeness on one name is taken for another, letters that a part of a name must have to count, and
# characters of a name that are compared.
ALIKE, LETTERS, LONGEST = 0.65, 4, 60

# A part of a path: a name in brackets, a place in a list, a plain name.
_STEP = re.compile(r"\[\"(?P<odd>.*?)\"\]|\[(?P<place>[^\]]*)\]|(?P<name>[^.\[\]]+)")
_WORDS = re.compile(r"[^\W_]+")

# The key under which it is told how many more there are.
MORE = "…"

# What stands for each item of a list.
ITEMS = "[]"

# What to do where data is missing without which a send is refused.
ALLOWED = "pass it; allow_missing=true sends it all the same, and the message then fails or has a blank there"


@dataclass(frozen=True)
class Fit:
    """What the data of a send lacks and has too much of, by key, with what follows.

    `vital` are the lacking keys without which the send is refused, `spare` those that are not used, each with
    what was probably meant by it.
    """

    missing: Mapping[str, str]
    optional: Mapping[str, str]
    spare: Mapping[str, str]
    vital: Sequence[str] = ()

    @property
    def unused(self) -> dict[str, str]:
        """The keys that are not used, with what follows."""
        told = {
            key: f"the message has no place for it{meant and f'; {meant}'}"
            for key, meant in self.spare.items()
        }
        return told | ({MORE: self.spare[MORE]} if MORE in self.spare else {})

    def refusal(self, way_out: str) -> str:
        """Return why the send is refused, and the way out; empty if it is not."""
        if not self.vital:
            return ""
        spare = ", ".join(f"{key}{meant and f' ({meant})'}" for key, meant in self.spare.items())
        more = len(self.vital) - KEYS
        vital = ", ".join([*self.vital[:KEYS], *([f"{more} more"] if more > 0 else [])])
        return (
            f"lacks {vital}, which the subject or a link of the message needs"
            f"{spare and f', and which has no place for {spare}'}; {way_out}"
        )


def fit(
    found: TextUses,
    sets: Sequence[Mapping[str, Any]] | None,
    whose: Sequence[str] = (),
    sources: Collection[str] = ("trigger",),
) -> Fit:
    """Return how data fits what a message uses; `sets` are those of each person, or one for all, if known.

    `whose` are the identifiers of those persons, in the same order; the data fills variables from `sources`.
    """
    if sets is None:
        return Fit({}, {}, {})
    uses = {steps_of(path): use for path, use in found.uses.items() if use.source in sources}
    given = {steps: use for steps, use in uses.items() if len(steps) > 1 and ITEMS not in steps}
    some = sets[: max(LOOKS // max(len(given), 1), 1)] or [{}]
    least = "at least " if len(some) < len(sets) else ""
    lacking = {steps: [at for at, data in enumerate(some) if not _has(data, steps)] for steps in given}
    missing = {steps: use for steps, use in given.items() if use.bare and lacking[steps]}
    optional = {steps: use for steps, use in given.items() if not use.bare and lacking[steps]}
    tree = _tree(uses)
    unused = list(dict.fromkeys(key for data in some for key in _unused(data, tree)))
    meant = meant_by(
        [_key(steps) for steps in unused[:KEYS]], *([_key(it) for it in each] for each in (missing, optional))
    )

    def who(steps: tuple[str, ...]) -> str:
        """Return who lacks a key, if not everybody has the same data."""
        if len(sets) <= 1:
            return ""
        names = [plain_name(whose[at]) for at in lacking[steps][:NAMED] if at < len(whose)]
        left = len(lacking[steps]) - len(names)
        more = [f"{least}{left} more"] if left else []
        return f"lacking for {', '.join(names + more)}; "

    return Fit(
        missing=_told({it: f"{who(it)}{_needs(use)}" for it, use in missing.items()}),
        optional=_told({it: f"{who(it)}{_instead(use)}" for it, use in optional.items()}),
        spare=_told(
            {
                it: f"did you mean {plain_name(other)}?" if (other := meant.get(_key(it))) else ""
                for it in unused
            }
        ),
        vital=[
            plain_name(_key(steps))
            for steps, use in missing.items()
            if use.vital and any(_value(data, steps) is None for data in some)
        ],
    )


def _needs(use: Use) -> str:
    used_as = f"{use.used_as}; " if use.used_as else ""
    if use.vital:
        return f"{used_as}the subject or a link needs it"
    return f"{used_as}without it the message fails, or has a blank there"


def _instead(use: Use) -> str:
    if not use.has_default:
        return "not given: the message reads as it does without it"
    known = quoted(use.default) if use.default else "" if use.default is None else "(nothing)"
    return f"not given: the default {known} will stand".replace("  ", " ")


def _told(reasons: Mapping[tuple[str, ...], str]) -> dict[str, str]:
    told = {plain_name(_key(steps)): why for steps, why in [*reasons.items()][:KEYS]}
    more = len(reasons) - len(told)
    return told | ({MORE: f"and {more} more"} if more > 0 else {})


def _key(steps: tuple[str, ...]) -> str:
    """Return what a caller passes for a variable: its path within the data."""
    return ".".join(steps[1:]).replace(f".{ITEMS}", ITEMS)


def steps_of(path: str) -> tuple[str, ...]:
    """Return the parts of a path; each place in a list stands for all of them."""
    return tuple(
        ITEMS if step["place"] is not None else step["odd"] or step["name"] or ""
        for step in _STEP.finditer(path)
    )


def _tree(uses: Mapping[tuple[str, ...], Use]) -> dict[str, Any]:
    """Return what is used of data, part in part; an empty one is used as a whole."""
    tree: dict[str, Any] = {}
    for steps, use in uses.items():
        inner = tree
        for step in steps[1:]:
            inner = inner.setdefault(step, {})
        if (use.bare and use.used_as != "a list") or use.has_default:
            inner[""] = {}  # printed as it is
    return tree


def _unused(
    data: Any, tree: Mapping[str, Any], within: tuple[str, ...] = ("trigger",)
) -> Iterator[tuple[str, ...]]:
    """Yield where data has something that is not used."""
    if "" in tree or (within[1:] and not tree):
        return
    if isinstance(data, list) and ITEMS in tree:
        for item in data[:KEYS]:
            yield from _unused(item, tree[ITEMS], (*within, ITEMS))
    elif isinstance(data, Mapping) and ITEMS not in tree:
        for name, value in data.items():
            if name in tree:
                yield from _unused(value, tree[name], (*within, name))
            else:
                yield (*within, name)


def _has(data: Mapping[str, Any], steps: tuple[str, ...]) -> bool:
    """Say whether data has a value for a variable."""
    return _value(data, steps) not in (None, "")


def _value(data: Mapping[str, Any], steps: tuple[str, ...]) -> Any:
    value: Any = data
    for step in steps[1:]:
        if not isinstance(value, Mapping):
            return value  # of a list, its items are not looked at
        value = value.get(step)
    return value


def meant_by(unused: Collection[str], missing: Collection[str], optional: Collection[str]) -> dict[str, str]:
    """Return what was probably meant by keys that are not used: what is like them, or all that is left."""
    found: dict[str, str] = {}
    wanted = [*missing, *(key for key in optional if key not in missing)][:COMPARED]
    pairs = sorted(((_likeness(one, other), one, other) for one in unused for other in wanted), reverse=True)
    for likeness, one, other in pairs:
        if likeness >= ALIKE and one not in found and other not in found.values():
            found[one] = other
    left = [key for key in unused if key not in found]
    for candidates in (missing, optional):
        open_ones = [key for key in candidates if key not in found.values()]
        if len(left) == len(open_ones) == 1:
            return found | {left[0]: open_ones[0]}
        if open_ones:
            break
    return found


def _likeness(one: str, other: str) -> float:
    """Return how like two names are, from 0 to 1."""
    one, other = one[:LONGEST], other[:LONGEST]
    words, others = ({word.casefold() for word in _WORDS.findall(name)} for name in (one, other))
    if any(len(word) >= LETTERS for word in words & others):
        return 0.9
    if any(len(word) >= LETTERS and word[:LETTERS] == its[:LETTERS] for word in words for its in others):
        return 0.8
    plain, its = ("".join(_WORDS.findall(name)).casefold() for name in (one, other))
    return SequenceMatcher(None, plain, its).ratio()
