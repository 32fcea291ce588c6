"""An answer, drawn as the page draws it: lines by period, bars by source, and the counts underneath."""

from collections.abc import Mapping
from typing import Any

from cio_mcp.pictures.picture import MEASURES, NOT_TOLD, Picture, PictureRow, Tally, picture_of
from cio_mcp.pictures.sheet import BAD, BEFORE, LINE, MARGIN, NOW, SOFT, TEXT, WIDE, Sheet, fitting_words

# Rows in a picture, which stays about as high as it is wide.
ROWS = 8

# The longest bar, and how high lines by period are.
LONGEST, HIGH = 430, 190

# The least width of a column, and of a letter in its head.
COLUMN, LETTER = 52, 6.6

NOTE = (
    "human_opened and human_clicked are people's; opened and clicked count programs, too. Shares are of what "
    "was delivered and can be tracked."
)

# The colours of lines, and their dashes for who cannot tell the colours apart.
STROKES = (*((NOW, ""), ("#b45309", "6 3"), ("#047857", "2 3"), ("#7c3aed", "8 3 2 3"), ("#be185d", "1 4")),)


def drawing(answer: Mapping[str, Any]) -> str:
    """Return a picture of an answer as SVG."""
    told, sheet = picture_of(answer), Sheet()
    sheet.paragraph(told.title, 18, bold=True, most=1)
    sheet.paragraph(told.span, 12, SOFT, most=1)
    for note in told.notes:
        sheet.paragraph(note, most=4)
    _changes(sheet, told)
    if any(len(counts) > 1 for counts in told.series.values()):
        _periods(sheet, told)
    rows = told.rows[:ROWS]
    if not rows:
        sheet.paragraph("Nothing was sent.")
    elif len(rows) == 1 and not told.compared:
        _steps(sheet, rows[0])
    else:
        _bars(sheet, rows, "sent" if told.compared else "converted")
        _table(sheet, rows)
    if len(told.rows) > ROWS:
        sheet.paragraph(f"{len(told.rows) - ROWS} more are in the text of the answer.", 12, SOFT)
    sheet.y += 6
    sheet.paragraph(NOTE, 12, SOFT)
    return sheet.svg


def _changes(sheet: Sheet, told: Picture) -> None:
    if told.changed is None:
        return
    sheet.y += 4
    for change in told.changed or ["Nothing changed by more than chance explains."]:
        bad = " worse, " in change or "sent nothing" in change
        sheet.paragraph(f"• {change}", color=BAD if bad else TEXT)


def _periods(sheet: Sheet, told: Picture) -> None:
    """Draw a line for each measure, over the periods."""
    drawn = [
        (name, counts)
        for name, counts in told.series.items()
        if len(counts) > 1 and name not in {"bounced", "unsubscribed"} and f"human_{name}" not in told.series
    ][: len(STROKES)]
    if not drawn:
        return
    many, most = len(drawn[0][1]), max(1, *(max(counts) for _, counts in drawn))
    dates = told.dates if len(told.dates) == many else ["period 1", f"period {many}"]
    left, right = MARGIN + 44, WIDE - MARGIN
    sheet.y += 26
    x = float(left)
    for (name, _), (color, dashes) in zip(drawn, STROKES, strict=False):
        sheet.line([(x, sheet.y - 4), (x + 22, sheet.y - 4)], color, dashes, 2)
        sheet.text(name, x + 28, 12)
        x += 44 + 8 * len(name)
    top = sheet.y + 12
    foot = top + HIGH
    for count in (most, most / 2, 0):
        sheet.y = foot - HIGH * count / most
        sheet.line([(left, sheet.y), (right, sheet.y)])
        sheet.y += 4
        sheet.text(f"{round(count):,}", left - 6, 11, SOFT, end=True)
    for (_, counts), (color, dashes) in zip(drawn, STROKES, strict=False):
        step = (right - left) / (many - 1)
        points = [(left + step * at, foot - HIGH * count / most) for at, count in enumerate(counts)]
        sheet.line(points, color, dashes, 2)
    sheet.y = foot + 16
    sheet.text(dates[0][:10], left, 11, SOFT)
    sheet.text(dates[-1][:10], right, 11, SOFT, end=True)


def _steps(sheet: Sheet, row: PictureRow) -> None:
    """Draw the counts of one source, each with what it is a share of."""
    counts = row.now.counts
    most = max(1, *counts.values()) if counts else 1
    sheet.y += 4
    for name in [name for name in MEASURES if name in counts]:
        words = f"{counts[name]:,}"
        words += f", {row.now.share(name)}" if row.now.of.get(name) else ""
        sheet.y += 24
        sheet.text(name, MARGIN, 13)
        _bar(sheet, MARGIN + 100, counts[name] / most, words)


def _bars(sheet: Sheet, rows: list[PictureRow], measure: str) -> None:
    """Draw a bar for each source, and under it that of the days before."""
    most = max(side.part(measure) for row in rows for side in (row.now, row.before) if side) or 1
    sheet.y += 10
    sheet.paragraph(measure, 12, SOFT, most=1)
    for row in rows:
        sheet.y += 3
        sheet.paragraph(row.name, most=1)
        sheet.y += 17
        _bar(sheet, MARGIN, row.now.part(measure) / most, _words(row.now, measure))
        if row.before:
            sheet.y += 15
            before = f"before: {_words(row.before, measure)}"
            _bar(sheet, MARGIN, row.before.part(measure) / most, before, BEFORE)


def _bar(sheet: Sheet, x: float, part: float, words: str, color: str = NOW) -> None:
    wide = max(2, LONGEST * part) if part > 0 else 0
    sheet.bar(x, wide, 12 if color == NOW else 8, color)
    sheet.y -= 1
    sheet.text(words, x + wide + 8, 12, TEXT if color == NOW else SOFT)
    sheet.y += 1


def _words(side: Tally, measure: str) -> str:
    return (
        f"{side.counts[measure]:,}" if measure == "sent" and measure in side.counts else side.share(measure)
    )


def _table(sheet: Sheet, rows: list[PictureRow]) -> None:
    names = [name for name in MEASURES if any(name in row.now.counts for row in rows)]
    # Where all tell people apart, these are enough.
    names = [name for name in names if not all(f"human_{name}" in row.now.counts for row in rows)]
    heads = {name: name.rpartition("_")[::2] for name in names}
    ends, x = {}, float(WIDE - MARGIN)
    for name in reversed(names):
        ends[name] = x
        x -= max(COLUMN, LETTER * max(map(len, heads[name])) + 12)
    sheet.y += 26
    for name, end in ends.items():
        sheet.text(heads[name][0], end, 12, SOFT, end=True)
    sheet.y -= 3
    _cells(sheet, "", {name: head for name, (_, head) in heads.items()}, ends, x, SOFT)
    for row in rows:
        _counts(sheet, row.name, row.now, ends, x, TEXT)
        if row.before:
            _counts(sheet, "before", row.before, ends, x, SOFT)


def _counts(sheet: Sheet, name: str, side: Tally, ends: Mapping[str, float], x: float, color: str) -> None:
    counts = {each: f"{side.counts[each]:,}" if each in side.counts else NOT_TOLD for each in ends}
    _cells(sheet, name, counts, ends, x, color)


def _cells(
    sheet: Sheet, name: str, cells: Mapping[str, str], ends: Mapping[str, float], x: float, color: str
) -> None:
    """Write a row of the table: its name up to `x`, and cells up to the ends of their columns."""
    sheet.y += 17
    sheet.text(fitting_words(name, x - MARGIN, 12), MARGIN, 12, color)
    for each, end in ends.items():
        sheet.text(cells[each], end, 12, color, end=True)
    sheet.y += 5
    sheet.line([(MARGIN, sheet.y), (WIDE - MARGIN, sheet.y)], LINE)
