"""What sends messages, and what came of them in some days and in the days before."""

import asyncio
from dataclasses import dataclass, field, replace

from cio_mcp.client import AppApi, now
from cio_mcp.client.call import QueuePlace
from cio_mcp.errors import CustomerIOError
from cio_mcp.toolkit.answers.reading import Fields, unusable
from cio_mcp.toolkit.answers.things import has_in_name, source_state
from cio_mcp.toolkit.metrics.figures import Figures, figures_of
from cio_mcp.toolkit.metrics.rates import counts_of
from cio_mcp.toolkit.metrics.spans import Span

# Letters of a name that are told.
NAME = 60

LISTS = {
    "campaign": ("/v1/campaigns", "campaigns"),
    "broadcast": ("/v1/broadcasts", "broadcasts"),
    "newsletter": ("/v1/newsletters", "newsletters"),
    "transactional": ("/v1/transactional", "messages"),
}


@dataclass(frozen=True)
class Sender:
    """Something that sends messages, and what came of them."""

    kind: str
    id: int
    name: str | None
    state: str | None
    now: Figures = field(default_factory=Figures)
    before: Figures = field(default_factory=Figures)

    @property
    def called(self) -> str:
        """Its kind, id and name."""
        return f"{self.kind} {self.id}" + (f": {self.name[:NAME]}" if self.name else "")

    @property
    def waits(self) -> bool:
        """Whether it cannot have sent anything yet."""
        return self.state in {"draft", "not sent"}

    @property
    def is_silent(self) -> bool:
        """Whether it is told to have sent nothing, and nothing came of what it had sent earlier."""
        sides = [self.now.counts, self.before.counts]
        return self.waits or all("sent" in counts and not any(counts.values()) for counts in sides)


async def senders_of(app: AppApi, part: str | None) -> tuple[list[Sender], list[str]]:
    """Return all that sends, and which lists could not be read."""

    async def of(kind: str) -> list[Sender]:
        path, key = LISTS[kind]
        answer = Fields(await app.get(path, {"limit": 100, "sort": "desc"} if kind == "newsletter" else None))
        return [
            Sender(kind, number, item.text("name"), _state(item))
            for item in answer.listed(key)
            if (number := item.whole("id")) is not None and has_in_name(item, part)
        ]

    found = await asyncio.gather(*map(of, LISTS), return_exceptions=True)
    for each in found:
        if isinstance(each, BaseException) and not isinstance(each, CustomerIOError):
            raise each
    if all(isinstance(each, CustomerIOError) for each in found):
        raise next(each for each in found if isinstance(each, CustomerIOError))
    unread = [
        f"{kind}s: {each.what}"
        for kind, each in zip(LISTS, found, strict=True)
        if isinstance(each, CustomerIOError)
    ]
    return [one for each in found if isinstance(each, list) for one in each], unread


def _state(item: Fields) -> str | None:
    """Return a source's state; a newsletter's is whether and when it was sent."""
    if item.empty("sent_at"):
        return "not sent"
    sent = item.time("sent_at")
    return f"sent {sent[:10]}" if sent else source_state(item)


async def read_results(
    app: AppApi, senders: list[Sender], days: int, before: Span
) -> tuple[list[Sender], list[CustomerIOError]]:
    """Read what each sent, in its turn, and tell the progress."""
    begun, done, refused = now(), 0, []

    async def of(sender: Sender) -> Sender | None:
        nonlocal done
        try:
            return await _results(app, sender, days, before)
        except CustomerIOError as error:
            refused.append(error)
            return None
        finally:
            done += 1
            if app.call.tell:
                elapsed = now() - begun
                to_go = elapsed / done * (len(senders) - done)
                await app.call.tell(QueuePlace(elapsed, 0, to_go, f"Read {done} of {len(senders)}"))

    found = await asyncio.gather(*map(of, senders))
    return [one for one in found if one], refused


async def _results(app: AppApi, sender: Sender, days: int, before: Span) -> Sender:
    """Return a source with what it sent in the days and before; both come in one answer, day by day."""
    folder = LISTS[sender.kind][0]
    # All but campaigns tell the days up to now, so that today is one of them.
    query = before.query("days") if sender.kind == "campaign" else {"period": "days", "steps": 2 * days + 1}
    counts = counts_of(Fields(await app.get(f"{folder}/{{source_id}}/metrics", query, source_id=sender.id)))
    end = counts.periods - (sender.kind != "campaign")
    if end < 2 * days:
        raise unusable(f"{sender.kind} {sender.id} has results of {counts.periods} days only")
    middle = end - days
    return replace(
        sender, now=figures_of(counts, middle, end), before=figures_of(counts, middle - days, middle)
    )
