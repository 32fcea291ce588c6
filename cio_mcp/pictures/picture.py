"""What a picture shows of an answer: the same that the page reads from it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

MEASURES = (
    *("sent", "delivered", "bounced", "opened", "human_opened", "clicked", "human_clicked", "converted"),
    "unsubscribed",
)

# What was delivered and cannot be tracked: these are no share of it.
UNTRACKED = {
    f"{human}{name}": untracked
    for name, untracked in (("opened", "open_untracked"), ("clicked", "link_untracked"))
    for human in ("", "human_")
}

NOT_TOLD = "\N{EN DASH}"

Counts = Mapping[str, int]


@dataclass(frozen=True)
class Tally:
    """Counts, and what each is a share of."""

    counts: Counts
    of: Counts

    def share(self, name: str) -> str:
        """Return a share in words, no finer than one in its whole; a dash if it is not known."""
        if name not in self.counts or self.of.get(name, 0) <= 0:
            return NOT_TOLD
        of = self.of[name]
        digits = min(4, max(2, len(str(of - 1)))) - 2
        return f"{100 * self.counts[name] / of:.{digits}f}% of {of:,}"

    def part(self, name: str) -> float:
        """Return what a bar stands for: a share, or the number that was sent."""
        if name == "sent":
            return self.counts.get(name, 0)
        return self.counts.get(name, 0) / of if (of := self.of.get(name, 0)) > 0 else 0


@dataclass(frozen=True)
class PictureRow:
    """A source, and if it is compared with days before, what came of it then."""

    name: str
    now: Tally
    before: Tally | None = None


@dataclass(frozen=True)
class Picture:
    """A title, sentences, rows with counts, and counts by period.

    `changed` is None where nothing is compared.
    """

    title: str
    span: str
    rows: list[PictureRow]
    notes: list[str] = field(default_factory=list)
    changed: list[str] | None = None
    compared: bool = False
    dates: list[str] = field(default_factory=list)
    series: Mapping[str, list[int]] = field(default_factory=dict)


def picture_of(answer: Mapping[str, Any]) -> Picture:
    """Return what a picture shows of an answer that is `Pictured`."""
    left_out = f"Left out: {answer['left_out']}" if answer.get("left_out") else None
    notes = [note for note in (answer.get("verdict"), left_out) if note]
    if "lines" in answer:
        return _report(answer, notes)
    if "parts" in answer:
        rows = [
            PictureRow(_part(part), Tally(part["counts"], _wholes(part["rates"]))) for part in answer["parts"]
        ]
        return Picture(f"Messages of {answer['kind']} {answer['source_id']}", _span(answer), rows, notes)
    if "first" in answer:
        sides = [answer["first"], answer["other"]]
        rows = [PictureRow(_campaign(side), Tally(side["counts"], _wholes(side["rates"]))) for side in sides]
        span = f"days in {answer['timezone']}, ends not included"
        return Picture("Comparison", span, rows, notes, answer["differences"])
    return _totals(answer, notes)


def _report(answer: Mapping[str, Any], notes: list[str]) -> Picture:
    def side(told: str) -> Tally:
        counts = zip(answer["columns"], told.split(), strict=True)
        found = {name: int(count) for name, count in counts if count != "-"}
        return Tally(found, _bases(found))

    rows = [
        PictureRow(line["source"], side(line["counts"]), side(line["before"]) if "before" in line else None)
        for line in answer["lines"]
    ]
    span = f"{_span(answer)}; before: from {answer['before_start'][:10]}"
    return Picture("How messages did", span, rows, notes, answer["changed"], compared=True)


def _totals(answer: Mapping[str, Any], notes: list[str]) -> Picture:
    campaign = f"campaign {answer['campaign_id']}" if "campaign_id" in answer else None
    of = campaign or f"{answer['kind']} {answer['source_id']}"
    bases, totals, series = answer["divided_by"], answer["totals"], answer.get("series", {})

    # What is not among the totals was zero.
    counts = {name: totals.get(name, 0) for name in MEASURES if name in totals or name in bases}
    return Picture(
        f"Results of {of}",
        _span(answer),
        [PictureRow(of, Tally(counts, _wholes(bases)))],
        notes,
        dates=answer.get("dates", []),
        series={name: series[name] for name in MEASURES if name in series},
    )


def _bases(counts: Counts) -> Counts:
    """Return what shares are of, as Customer.io shows them: less what could not be tracked."""
    sent, delivered = counts.get("sent", 0), counts.get("delivered", 0)
    of = {name: delivered - counts.get(UNTRACKED.get(name, ""), 0) for name in MEASURES}
    return of | {"delivered": sent, "bounced": sent}


def _wholes(told: Mapping[str, str]) -> Counts:
    """Return the number that each is a share of, from texts that end with it."""
    return {
        measure: int(told[measure].replace(",", "").rpartition(" ")[2])
        for measure in MEASURES
        if measure in told
    }


def _span(answer: Mapping[str, Any]) -> str:
    if "start" not in answer:
        return ""
    zone = f", days in {answer['timezone']}" if "timezone" in answer else ""
    return f"{answer['start'][:10]} to {answer['end'][:10]}, the end not included{zone}"


def _part(part: Mapping[str, Any]) -> str:
    words: Iterable[str | None] = (
        part.get("name") or str(part["id"]),
        f"variant {part['variant']}" if part.get("variant") else None,
        part.get("language"),
    )
    return ", ".join(filter(None, words))


def _campaign(side: Mapping[str, Any]) -> str:
    return f"Campaign {side['campaign_id']}, {side['start'][:10]} to {side['end'][:10]}"
