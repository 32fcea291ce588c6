"""The messages of a campaign or broadcast, or the variants of a newsletter, side by side."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from cio_mcp.client import AppApi
from cio_mcp.toolkit.answers.pages import joined
from cio_mcp.toolkit.answers.reading import Fields, beside, unusable
from cio_mcp.toolkit.answers.shapes import Cut, Pictured, Shape
from cio_mcp.toolkit.arguments.fitting import check_fit
from cio_mcp.toolkit.metrics.figures import SHARES_OF, Figures, figures_of, verdict
from cio_mcp.toolkit.metrics.rates import Spanned, counts_of
from cio_mcp.toolkit.metrics.spans import End, Span, Start, newest_periods, span_of
from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.tools.metrics.totals import MOST, SourceId

tools = Toolbox(__name__)

# Types of actions that are messages (App API, "listCampaignActions").
MESSAGES = {"email", "twilio", "push", "whatsapp", "in_app", "slack", "webhook", "inbox"}

# Parts in one answer, and pages, of ten actions each, of a campaign.
SHOWN, PAGES = 20, 5

PATHS = {
    "campaign": "/v1/campaigns/{source_id}/actions/{part_id}/metrics",
    "broadcast": "/v1/broadcasts/{source_id}/actions/{part_id}/metrics",
    "newsletter": "/v1/newsletters/{source_id}/contents/{part_id}/metrics",
}


class Part(Shape):
    """One message, or one variant of it."""

    id: int
    name: str | None = None
    variant: str | None = Field(None, description="Group of an A/B test.")
    language: str | None = None
    counts: dict[str, int] = Field(
        description="human_opened and human_clicked leave out opens and clicks by programs."
    )
    rates: dict[str, str]


class Parts(Pictured, Cut, Spanned):
    """The messages of one source, and which of them does best."""

    rates_of: str = Field(SHARES_OF, description="What rates are shares of.")
    verdict: str = Field(description="On delivery, then conversions; at most 1 of 20 is wrong by chance.")
    kind: str
    source_id: int
    parts: list[Part]


@dataclass(frozen=True)
class _Known:
    id: int
    name: str | None
    variant: str | None
    language: str | None

    @property
    def called(self) -> str:
        words = (self.variant and f"variant {self.variant}", self.name, self.language)
        return f"{self.id} ({', '.join(filter(None, words))})" if any(words) else str(self.id)


@tools.reads
async def compare_messages(
    app: AppApi,
    kind: Literal["campaign", "broadcast", "newsletter"],
    source_id: SourceId,
    start: Start = None,
    end: End = None,
) -> Parts:
    """Compare the messages of a campaign (automation) or broadcast, or a newsletter's variants and languages.

    start and end are for campaigns only; others cover the last 45 days.
    """
    check_fit(f"kind={kind}", {"start": start, "end": end}, ("start", "end") if kind == "campaign" else ())
    known, notes = await READERS[kind](app, source_id)
    shown = known[:SHOWN]
    span = span_of(app, start, end) if kind == "campaign" else newest_periods(app, "days", MOST["days"])
    query = span.query("days") if kind == "campaign" and span else {"period": "days", "steps": MOST["days"]}
    read = [
        beside(one.called, _figures(app.get(PATHS[kind], query, source_id=source_id, part_id=one.id)))
        for one in shown
    ]
    found = list(zip(shown, await asyncio.gather(*read), strict=True))
    figures = [(one, each) for one, (each, _) in found if each is not None]
    if found and not figures:
        raise unusable(f"no results of its messages: {found[0][1][1]}")
    more = f"{len(known) - SHOWN} more messages: get_message_metrics" if len(known) > SHOWN else None
    return Parts(
        verdict=verdict([(one.called, each) for one, each in figures]),
        kind=kind,
        source_id=source_id,
        **_told(span),
        parts=[
            Part(
                id=one.id,
                name=one.name,
                variant=one.variant,
                language=one.language,
                counts=each.counts,
                rates=each.shares,
            )
            for one, each in figures
        ],
        left_out=joined(more, *notes, *(why for _, (_, why) in found)),
    )


def _told(span: Span | None) -> dict[str, str]:
    return span.told if span else {}


async def _figures(read: Awaitable[object]) -> Figures:
    return figures_of(counts_of(Fields(await read)))


async def _of_campaign(app: AppApi, source_id: int) -> tuple[list[_Known], list[str]]:
    found, cursor = [], None
    for _ in range(PAGES):
        path, query = "/v1/campaigns/{source_id}/actions", {"start": cursor}
        answer = Fields(await app.get(path, query, source_id=source_id))
        found += _messages(answer.listed("actions"))
        if (cursor := answer.following()) is None:
            return found, []
    return found, [f"messages after the first {PAGES * 10} actions"]


async def _of_broadcast(app: AppApi, source_id: int) -> tuple[list[_Known], list[str]]:
    answer = Fields(await app.get("/v1/broadcasts/{source_id}/actions", source_id=source_id))
    return _messages(answer.listed("actions")), []


def _messages(actions: list[Fields]) -> list[_Known]:
    return [
        _Known(number, item.text("name"), None, item.text("language"))
        for item in actions
        if (number := item.whole("id")) is not None and item.text("type") in MESSAGES
    ]


async def _of_newsletter(app: AppApi, source_id: int) -> tuple[list[_Known], list[str]]:
    contents, (groups, refused) = await asyncio.gather(
        app.get("/v1/newsletters/{source_id}/contents", source_id=source_id),
        beside("variants", _groups(app, source_id)),
    )
    known = [
        _Known(number, item.text("name"), (groups or {}).get(number), item.text("language"))
        for item in Fields(contents).listed("contents")
        if (number := item.whole("id")) is not None
    ]
    return known, [refused] if refused else []


async def _groups(app: AppApi, source_id: int) -> dict[int, str]:
    """Return the group of an A/B test that each content belongs to."""
    answer = Fields(await app.get("/v1/newsletters/{source_id}/test_groups", source_id=source_id))
    return {
        number: name
        for group in answer.listed("test_groups")
        if (name := group.text("name", "label"))
        for number in group.wholes("content_ids") or []
    }


Reader = Callable[[AppApi, int], Awaitable[tuple[list[_Known], list[str]]]]

READERS: dict[str, Reader] = {
    "campaign": _of_campaign,
    "broadcast": _of_broadcast,
    "newsletter": _of_newsletter,
}
