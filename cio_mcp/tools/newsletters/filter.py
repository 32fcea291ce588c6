"""Whom a newsletter reaches, from plain arguments: as its strict filter, and as one that counts them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cio_mcp.client import AppApi
from cio_mcp.toolkit.people.audience import Audience, of_filter

Values = Mapping[str, Any]


@dataclass(frozen=True)
class NewsletterFilter:
    """People in any of some segments, in none of others, with these attributes and without those.

    None as an attribute's value stands for any value.
    """

    segments: Sequence[int] = ()
    not_segments: Sequence[int] = ()
    attributes: Values = field(default_factory=dict)
    not_attributes: Values = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether there is any condition: a newsletter needs one."""
        return bool(self.segments or self.not_segments or self.attributes or self.not_attributes)

    @property
    def filter(self) -> dict[str, Any]:
        """The filter as a newsletter takes it: one `and`, with segments in an `or` each."""
        parts: list[dict[str, Any]] = []
        if self.segments:
            parts.append({"or": [_segment(number) for number in self.segments]})
        if self.not_segments:
            parts.append({"not": {"or": [_segment(number) for number in self.not_segments]}})
        parts += [_attribute(name, value) for name, value in self.attributes.items()]
        inverse = {"inverse": True}
        parts += [
            {"attribute": _attribute(name, value)["attribute"] | inverse}
            for name, value in self.not_attributes.items()
        ]
        return {"and": parts}

    async def counted(self, app: AppApi) -> Audience:
        """Count them, by a filter as people are searched with: groups in it are nested only once."""
        some = [_segment(number) for number in self.segments]
        parts = [{"or": some}] if len(some) > 1 else some
        parts += [{"not": _segment(number)} for number in self.not_segments]
        parts += [_attribute(name, value) for name, value in self.attributes.items()]
        parts += [{"not": _attribute(name, value)} for name, value in self.not_attributes.items()]
        return await of_filter(app, parts[0] if len(parts) == 1 else {"and": parts})


def _segment(number: int) -> dict[str, Any]:
    return {"segment": {"id": number}}


def _attribute(name: str, value: Any) -> dict[str, Any]:
    if value is None:
        return {"attribute": {"field": name, "operator": "exists"}}
    return {
        "attribute": {
            "field": name,
            "operator": "eq",
            "value": value if isinstance(value, str) else json.dumps(value),
        }
    }
