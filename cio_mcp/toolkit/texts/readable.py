"""Bodies as people read them: plain text, with the links by number."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from cio_mcp.liquid import spans
from cio_mcp.toolkit.texts.markup import Markup, Tag

# Bounds of what is read, and of one address: the rest of it is parameters, or an image.
LONGEST_BODY, LONGEST_URL, LONGEST_NAME, MOST_LINKS = 1_000_000, 300, 100, 200

# Parts of one page, tags and the texts between them: real ones have a tenth of that.
MOST_PARTS = 50_000

# A cell of a table up to this long stands in one line with the others of its row.
SHORT_CELL = 60

_LINE = {
    "br",
    "div",
    "section",
    "header",
    "footer",
    "main",
    "article",
    "center",
    "form",
    "dt",
    "dd",
    "address",
}
_PARAGRAPH = {
    "p",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "ul",
    "ol",
    "table",
    "blockquote",
    "pre",
    "hr",
    "figure",
}
_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
_HIDDEN = re.compile(r"display\s{0,9}:\s{0,9}none|mso-hide\s{0,9}:\s{0,9}all", re.IGNORECASE)

# A place on the same page; what Customer.io puts in when it sends is none.
_WITHIN = re.compile(r"(?:#(?!\w+_url$).*)?")

_CELL, _ROW = "\x1f", "\x1e"
_CONTROL = {code: None for code in range(32) if code not in (9, 10)}
# Characters that take no room, with which mail fills up the line that inboxes show.
_UNSEEN = dict.fromkeys((0x00AD, 0x034F, 0x061C, 0x180E, 0x200B, 0x200E, 0x200F, 0x2060, 0xFEFF))
_FILLER = re.compile("(?:[\u200c\u200d\u2007\u00a0 ]*[\u200c\u2007]){3,}[\u200c\u200d\u2007\u00a0 ]*")

_PLAIN_URL = re.compile(r"(?:https?://|mailto:|tel:)\S{1,5000}", re.IGNORECASE)
_MARKUP = re.compile(r"<(?:[a-zA-Z][^<>]{0,200}>|!doctype|/[a-zA-Z]|!--)", re.IGNORECASE)


@dataclass(frozen=True)
class TextLink:
    """A link: what stands on it, and where it leads."""

    text: str
    url: str


@dataclass
class Readable:
    """A body as text; `[n]` in it stands for the link of that number, counted from 1."""

    text: str = ""
    links: list[TextLink] = field(default_factory=list)
    left_out: str | None = None


def readable(body: str, hide: Callable[[str], str] = str) -> Readable:
    """Return a body, HTML or plain, as people read it.

    `hide` hides people in what is read, before any of it is cut: half an address is not known as one.
    """
    cut = f"all after {LONGEST_BODY:,} characters" if len(body) > LONGEST_BODY else None
    body = body[:LONGEST_BODY]
    found = _Page(body).read() if _MARKUP.search(body) else _plain(body)
    if len(found.links) >= MOST_LINKS:
        cut = f"links after the first {MOST_LINKS}"
    links = [TextLink(hide(link.text)[:LONGEST_NAME], shortened(hide(link.url))) for link in found.links]
    return Readable(hide(found.text), links, found.left_out or cut)


def shortened(url: str) -> str:
    """Return an address in a length that can be read; data in it is told by its size."""
    if url[:5].lower() == "data:":
        kind = url[5:60].partition(",")[0].partition(";")[0]
        return f"data:{kind} ({len(url):,} characters or more)"
    return url if len(url) <= LONGEST_URL else f"{url[:LONGEST_URL]}…"


def _plain(body: str) -> Readable:
    text = _clean(body)
    liquid = list(spans(text))
    links = []
    for found in _PLAIN_URL.finditer(text):
        # Liquid in an address may have blanks in it.
        end = next((end for start, end in liquid if start < found.end() < end), found.end())
        links.append(TextLink("", text[found.start() : end].rstrip(".,;:!?)'\"")))
    return Readable(text, links[:MOST_LINKS])


def _clean(text: str) -> str:
    """Return a text without what cannot be seen, blanks and empty lines that say nothing."""
    text = _FILLER.sub(" ", text.translate(_CONTROL | _UNSEEN).replace("\u00a0", " "))
    lines = (re.sub(r"[ \t]+", " ", line).strip() for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


class _Page:
    """One HTML page while it is read."""

    def __init__(self, body: str) -> None:
        self._markup = Markup(body)
        self._out: list[str] = []
        self._links: list[TextLink] = []
        self._open: list[str] = []  # elements
        self._hidden: int | None = None  # how many were open when the one that hides began
        self._link: tuple[str, int] | None = None  # where it leads, and where its text begins
        self._kept_as_is = 0

    def read(self) -> Readable:
        left_out = None
        for count, part in enumerate(self._markup.parts()):
            if count == MOST_PARTS:
                left_out = f"all after {MOST_PARTS:,} tags and texts"
                break
            if isinstance(part, Tag):
                self._tag(part)
            elif self._hidden is None:
                self._out.append(part if self._kept_as_is else re.sub(r"\s+", " ", part))
        self._end_link()
        text = "\n".join(self._rows("".join(self._out)))
        return Readable(_clean(self._markup.whole(text)), self._links, left_out)

    def _tag(self, tag: Tag) -> None:
        if tag.closes:
            self._close(tag.name)
        else:
            self._begin(tag)
        if self._hidden is not None:
            return
        if tag.name == "pre":
            self._kept_as_is = max(0, self._kept_as_is + (-1 if tag.closes else 1))
        if tag.name in _PARAGRAPH:
            self._out.append("\n\n")
        elif tag.name in _LINE:
            self._out.append("\n")
        elif tag.name == "tr":
            self._out.append(_ROW)
        elif tag.name in {"td", "th"} and not tag.closes:
            self._out.append(_CELL)

    def _begin(self, tag: Tag) -> None:
        attributes = tag.attributes() if tag.inside else {}
        if tag.name not in _VOID and not tag.inside.endswith("/"):
            self._open.append(tag.name)
            hides = "hidden" in attributes or _HIDDEN.search(attributes.get("style", ""))
            if hides and self._hidden is None:
                self._hidden = len(self._open)
        if self._hidden is not None:
            return
        if tag.name in {"a", "area"}:
            self._end_link()
            if address := self._address(attributes):
                self._link = (address, len(self._out))
            if tag.name == "area":
                self._out.append(self._markup.whole(attributes.get("alt", "")))
                self._end_link()
        elif tag.name == "form" and (address := attributes.get("action", "").strip()):
            self._add(TextLink("(form)", self._markup.whole(address)))
        elif tag.name == "img" and (alt := attributes.get("alt", "").strip()):
            self._out.append(f" {alt} ")
        elif tag.name == "li":
            self._out.append("\n- ")

    def _address(self, attributes: dict[str, str]) -> str:
        href = self._markup.whole(attributes.get("href", "")).strip()
        return "" if _WITHIN.fullmatch(href) else href

    def _close(self, name: str) -> None:
        if name == "a":
            self._end_link()
        if name in self._open[-100:]:
            while self._open.pop() != name:
                pass
        if self._hidden is not None and len(self._open) < self._hidden:
            self._hidden = None

    def _end_link(self) -> None:
        if self._link is None:
            return
        (address, start), self._link = self._link, None
        shown = "".join(self._out[start:]).translate({ord(_CELL): " ", ord(_ROW): " "})
        if number := self._add(TextLink(_clean(self._markup.whole(shown)), address)):
            at = len(self._out)
            while at > start and not self._out[at - 1].strip(f" \n\t{_CELL}{_ROW}"):
                at -= 1
            self._out.insert(at, f" [{number}]")

    def _add(self, link: TextLink) -> int | None:
        if len(self._links) >= MOST_LINKS:
            return None
        self._links.append(link)
        return len(self._links)

    def _rows(self, text: str) -> Iterator[str]:
        """Yield the lines of a text: short cells of a row in one, long ones each for itself."""
        for row in text.split(_ROW):
            if row.strip(" \t") == "":
                continue  # between two rows
            cells = [cell for part in row.split(_CELL) if (cell := part.strip())]
            short = len(cells) > 1 and all(len(cell) <= SHORT_CELL and "\n" not in cell for cell in cells)
            yield " | ".join(cells) if short else row.replace(_CELL, "\n")
