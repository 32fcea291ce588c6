"""Whom a call reaches, as far as that can be known before it is made.

A tool that reaches people says by `reaches` how its audience is found; what follows from it (previews,
confirmation, allow lists, caps) is decided elsewhere.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from cio_mcp.client import AppApi, IdType, RequestKind

_Function = TypeVar("_Function", bound=Callable[..., Any])

# A filter is counted over so many pages of so many people; what is larger counts as uncountable.
PAGES, PAGE = 10, 1000

# So many of an audience are shown in a preview.
SAMPLES = 3


@dataclass(frozen=True)
class Audience:
    """Whom a call reaches.

    `what` says it in words; `size` is how many people, None where that cannot be counted, and only a lower
    bound with `at_least`; where `count` is given, it takes requests to find out. `addresses` and `people`
    (identifiers by kind) are whom the call itself names, and `samples` some of an audience that it does not.
    `to_one` says that the call is made for one person, `template` reads the name of what is sent.
    """

    what: str
    size: int | None = None
    at_least: bool = False
    addresses: Sequence[str] = ()
    people: Mapping[IdType, Sequence[str]] = field(default_factory=dict)
    samples: Sequence[str] = ()
    to_one: bool = False
    blind_copies: bool = False
    template: Callable[[], Awaitable[str]] | None = None
    count: "Callable[[], Awaitable[Audience]] | None" = None

    async def counted(self) -> "Audience":
        """Return the audience with its size, as far as it can be counted."""
        return replace(await self.count(), template=self.template) if self.count else self

    @property
    def countable(self) -> bool:
        """Say whether `size` is how many there are."""
        return self.size is not None and not self.at_least

    @property
    def listed(self) -> bool:
        """Say whether everybody is named by the call."""
        return bool(self.addresses or any(self.people.values()))

    @property
    def some(self) -> list[str]:
        """Return some of the audience, by address or identifier."""
        named = [*self.addresses, *(name for names in self.people.values() for name in names)]
        return (named or list(self.samples))[:SAMPLES]


def reaches(audience: Callable[..., Awaitable[Audience]]) -> Callable[[_Function], _Function]:
    """Return a decorator that declares whom a tool reaches.

    `audience` takes those of the tool's parameters that it needs, by name, APIs among them.
    """

    def declare(function: _Function) -> _Function:
        function.__audience__ = audience  # type: ignore[attr-defined]
        return function

    return declare


async def of_filter(app: AppApi, condition: dict[str, Any]) -> Audience:
    """Count who fits a filter of the App API, a segment by its count and all else page by page."""
    segment = condition.get("segment")
    if isinstance(segment, dict) and len(condition) == 1:
        return await of_segment(app, segment.get("id"))
    found: list[dict[str, Any]] = []
    start: str | None = None
    for _ in range(PAGES):
        query = {"limit": str(PAGE)} | ({"start": start} if start else {})
        answer = await app.post("/v1/customers", {"filter": condition}, query=query, kind=RequestKind.READ)
        found += answer.get("identifiers") or []
        start = answer.get("next") or None
        if start is None:
            break
    return Audience("who fits the filter", len(found), at_least=start is not None, samples=_names(found))


async def of_segment(app: AppApi, segment_id: object) -> Audience:
    """Count who is in a segment now."""
    answer = await app.get("/v1/segments/{segment_id}/customer_count", segment_id=segment_id)
    members = await app.get(
        "/v1/segments/{segment_id}/membership", {"limit": str(SAMPLES)}, segment_id=segment_id
    )
    return Audience(
        f"who is in segment {segment_id}",
        int(answer.get("count") or 0),
        samples=_names(members.get("identifiers") or []),
    )


def _names(identifiers: list[dict[str, Any]]) -> list[str]:
    """Return one identifier of each of the first few people."""
    names = (who.get("email") or who.get("id") or who.get("cio_id") for who in identifiers[:SAMPLES])
    return [str(name) for name in names if name]


def masked(name: str) -> str:
    """Return an address or identifier with all of it hidden but what tells it from its neighbours."""
    local, at, domain = name.rpartition("@")
    return f"{local[:1]}…@{domain}" if at else f"{name[:2]}…{name[-2:] if len(name) > 4 else ''}"
