"""What is wrong with the HTML and the Liquid of an email, by line, before Customer.io gets it."""

from html.parser import HTMLParser

from cio_mcp.liquid import Meter, analyze, spans

# So many faults are told; after the first ones, most follow from them.
MOST = 20

# Elements without an end, and those whose end HTML lets out.
VOID = {
    *("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track"),
    "wbr",
}
OPEN_ENDED = {
    *("body", "dd", "dt", "head", "html", "li", "optgroup", "option", "p", "rp", "rt", "tbody", "td"),
    *("tfoot", "th", "thead", "tr"),
}


def faults_of(html: str) -> list[str]:
    """Return what is wrong, each with its line; tags that branches of Liquid open and close are let pass."""
    checked = _Elements()
    checked.feed(_without_liquid(html))
    checked.close()
    faults = checked.told()
    if fault := analyze(html, meter=Meter()).fault:
        faults.append(fault if fault.startswith("line ") else f"Liquid: {fault}")
    more = len(faults) - MOST
    return faults[:MOST] + ([f"and {more} more"] if more > 0 else [])


def _without_liquid(html: str) -> str:
    """Return HTML with blanks in place of Liquid, so that lines stay where they are."""
    parts, done = list[str](), 0
    for start, end in spans(html):
        parts += [html[done:start], "".join("\n" if char == "\n" else " " for char in html[start:end])]
        done = end
    return "".join([*parts, html[done:]])


class _Elements(HTMLParser):
    """Notes elements that are never closed, and ends that close nothing."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._open: list[tuple[str, int]] = []
        self._faults: list[tuple[int, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        """Note what has to be closed."""
        if tag not in VOID:
            self._open.append((tag, self.getpos()[0]))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note nothing: it is closed at once."""

    def handle_endtag(self, tag: str) -> None:
        """Close what it closes, and note what was left open inside."""
        if tag in VOID:
            return
        names = [name for name, _ in self._open]
        if tag not in names:
            self._faults.append((self.getpos()[0], f"</{tag}> closes nothing"))
            return
        at = len(names) - 1 - names[::-1].index(tag)
        self._unclosed(self._open[at + 1 :])
        del self._open[at:]

    def _unclosed(self, left: list[tuple[str, int]]) -> None:
        self._faults += [(line, f"<{tag}> is never closed") for tag, line in left if tag not in OPEN_ENDED]

    def told(self) -> list[str]:
        """Return the faults in the order of their lines."""
        self._unclosed(self._open)
        return [f"line {line}: {fault}" for line, fault in sorted(self._faults)]
