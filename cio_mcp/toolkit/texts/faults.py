"""What is wrong with the HTML and the Liquid of an email, by line, before Customer.io gets it."""

from cio_mcp.liquid import Meter, analyze
from cio_mcp.toolkit.texts.markup import Markup, Tag

# So many faults are told; after the first ones, most follow from them.
MOST = 20

# Elements that are open at once, beyond which none is looked at.
DEEP = 200

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
    """Return what is wrong, each with its line; Liquid is no markup."""
    faults = _elements(html)
    if fault := analyze(html, meter=Meter()).fault:
        faults.append(fault if fault.startswith("line ") else f"Liquid: {fault}")
    more = len(faults) - MOST
    return faults[:MOST] + ([f"and {more} more"] if more > 0 else [])


def _elements(html: str) -> list[str]:
    """Return elements that are never closed, and ends that close nothing, in the order of their lines."""
    markup, done, line = Markup(html), 0, 1
    opened: list[tuple[str, int]] = []
    found: list[tuple[int, str]] = []
    for part in markup.parts():
        if not isinstance(part, Tag) or part.name in VOID or part.inside.endswith("/"):
            continue
        line += markup.lines(done, part.at)
        done = part.at
        if not part.closes:
            if part.name in OPEN_ENDED and opened and opened[-1][0] == part.name:
                opened.pop()  # the next one ends it
            opened.append((part.name, line))
            if len(opened) > DEEP:
                return [f"line {line}: nested more than {DEEP} deep, so that the rest was not checked"]
            continue
        names = [name for name, _ in opened]
        if part.name not in names:
            found.append((line, f"</{part.name}> closes nothing"))
            continue
        at = len(names) - 1 - names[::-1].index(part.name)
        found += _unclosed(opened[at + 1 :])
        del opened[at:]
    return [f"line {at}: {fault}" for at, fault in sorted([*found, *_unclosed(opened)])]


def _unclosed(opened: list[tuple[str, int]]) -> list[tuple[int, str]]:
    return [(line, f"<{name}> is never closed") for name, line in opened if name not in OPEN_ENDED]
