"""Draw the pictures of README, docs and the bundle: `make pictures`, which also turns some into PNG.

What a terminal shows is what the commands print, on a fresh sandbox.
"""

import os
import re
import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from html import escape
from pathlib import Path

HERE = Path(__file__).parent
FONT = "system-ui, Liberation Sans, Arial, sans-serif"
MONO = "DejaVu Sans Mono, Menlo, Consolas, monospace"


@dataclass(frozen=True)
class Theme:
    """The colours of a picture."""

    paper: str
    ink: str
    soft: str
    line: str
    panel: str
    accent: str
    good: str


LIGHT = Theme("#ffffff", "#1b1f24", "#57606a", "#8c959f", "#f3f5f8", "#6b3fd4", "#1a7f46")
DARK = Theme("#0d1117", "#e6edf3", "#9aa5b1", "#6e7781", "#1a2029", "#b79bff", "#56d38a")


class Picture:
    """An SVG that is drawn piece by piece."""

    def __init__(self, width: int, height: int, theme: Theme, told: str) -> None:
        self.theme = theme
        self.parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
            f'height="{height}" font-family="{FONT}" role="img">',
            f"<title>{escape(told)}</title>",
            '<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" '
            f'orient="auto"><path d="M0 0 10 5 0 10z" fill="{theme.line}"/></marker></defs>',
            f'<rect width="{width}" height="{height}" rx="12" fill="{theme.paper}"/>',
        ]

    def box(
        self, x: int, y: int, width: int, height: int, title: str, *lines: str, dash: bool = False
    ) -> None:
        """Draw a box with a title and lines below it."""
        dashes = ' stroke-dasharray="6 5"' if dash else ""
        self.parts.append(
            f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="9" fill="{self.theme.panel}" '
            f'stroke="{self.theme.line}"{dashes}/>'
        )
        top = y + height / 2 - 9 * len(lines) + 5
        self.text(x + width / 2, top, title, size=16, bold=True, middle=True)
        for number, line in enumerate(lines):
            self.text(x + width / 2, top + 20 + 18 * number, line, size=13, soft=True, middle=True)

    def frame(self, x: int, y: int, width: int, height: int, title: str) -> None:
        """Draw a frame around boxes."""
        self.parts.append(
            f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="14" fill="none" '
            f'stroke="{self.theme.accent}" stroke-width="2"/>'
        )
        self.text(x + 18, y + 28, title, size=17, bold=True, colour=self.theme.accent)

    def arrow(self, x: int, y: int, to_x: int, to_y: int, told: str = "", *, dash: bool = False) -> None:
        """Draw an arrow with words above its middle."""
        dashes = ' stroke-dasharray="6 5"' if dash else ""
        self.parts.append(
            f'<path d="M{x} {y} L{to_x} {to_y}" stroke="{self.theme.line}" stroke-width="2" fill="none" '
            f'marker-end="url(#tip)"{dashes}/>'
        )
        for number, line in enumerate(reversed(told.split("\n") if told else [])):
            self.text((x + to_x) / 2, (y + to_y) / 2 - 9 - 16 * number, line, size=13, soft=True, middle=True)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: int = 14,
        bold: bool = False,
        soft: bool = False,
        middle: bool = False,
        colour: str = "",
    ) -> None:
        """Write a line."""
        weight = ' font-weight="600"' if bold else ""
        anchor = ' text-anchor="middle"' if middle else ""
        fill = colour or (self.theme.soft if soft else self.theme.ink)
        self.parts.append(
            f'<text x="{x:g}" y="{y:g}" font-size="{size}" fill="{fill}"{weight}{anchor}>'
            f"{escape(text)}</text>"
        )

    def save(self, name: str) -> None:
        """Write the file."""
        (HERE / f"{name}.svg").write_text("\n".join((*self.parts, "</svg>")) + "\n")


def overview(theme: Theme) -> Picture:
    """Draw what it is, for README."""
    told = "An agent calls cio-mcp over MCP; guard, typed tool and pace stand between it and Customer.io"
    picture = Picture(1060, 330, theme, told)
    picture.box(14, 115, 166, 100, "Your agent", "Claude, Cursor, Codex,", "a framework, a script")
    picture.arrow(180, 165, 291, 165, "MCP\nstdio or HTTP")
    picture.frame(292, 50, 492, 230, "cio-mcp")
    picture.box(306, 100, 140, 150, "Guard", "permissions", "preview first", "caps, stop, audit")
    picture.arrow(446, 175, 465, 175)
    picture.box(465, 100, 140, 150, "Typed tool", "one for each", "operation; checked", "before it leaves")
    picture.arrow(605, 175, 624, 175)
    picture.box(624, 100, 140, 150, "Pace", "waits its turn,", "shared by all;", "never sends twice")
    picture.arrow(784, 130, 868, 100, "")
    picture.box(870, 50, 170, 90, "Customer.io", "Track and App API")
    picture.arrow(784, 210, 868, 235, "", dash=True)
    picture.box(870, 190, 170, 90, "Sandbox", "no keys needed,", "reaches nobody", dash=True)
    return picture


STEPS = (
    ("transport", "transports/", "stdio, Streamable HTTP or SSE; over HTTP it knows who calls"),
    ("server", "server/", "speaks MCP; refuses arguments that the tool does not have"),
    ("application", "app/", "finds the workspace; every failure becomes one of five outcomes"),
    ("guard", "safety/", "permissions, stop, bounds, preview and code, caps, audit before and after"),
    ("tool", "tools/", "one function for each operation; declares what it does to the world"),
    ("client", "client/", "builds the request; an id can never change its path"),
    ("retry, breaker", "client/retry.py", "repeats only what cannot take effect twice"),
    (
        "pace",
        "client/pacing/",
        "waits its turn under each limit, or says before sending that it comes too late",
    ),
    ("network", "client/network.py", "HTTPS to Customer.io, or the embedded sandbox"),
)


def request(theme: Theme) -> Picture:
    """Draw the way of a request, for the page on architecture."""
    picture = Picture(
        980, 92 * len(STEPS) + 30, theme, "The way of a request, from the transport to the network"
    )
    for number, (name, place, told) in enumerate(STEPS):
        y = 20 + 92 * number
        picture.box(30, y, 230, 62, name, place)
        picture.text(290, y + 37, told, size=15)
        if number + 1 < len(STEPS):
            picture.arrow(130, y + 62, 130, y + 90)
            picture.arrow(160, y + 90, 160, y + 64)
    return picture


def icon() -> Picture:
    """Draw the sign of the server: a message that a guard lets through."""
    picture = Picture(512, 512, LIGHT, "cio-mcp")
    picture.parts[-1] = '<rect width="512" height="512" rx="112" fill="#5b34c4"/>'
    picture.parts += [
        '<rect x="104" y="156" width="304" height="208" rx="28" fill="#fff"/>',
        '<path d="M116 180 L256 288 L396 180" fill="none" stroke="#5b34c4" stroke-width="24" '
        'stroke-linejoin="round" stroke-linecap="round"/>',
        '<circle cx="384" cy="360" r="72" fill="#1a9f57" stroke="#5b34c4" stroke-width="20"/>',
        '<path d="M352 362 l24 24 l42 -48" fill="none" stroke="#fff" stroke-width="18" '
        'stroke-linecap="round" stroke-linejoin="round"/>',
    ]
    return picture


def terminal(*commands: str, lines: int = 34) -> Picture:
    """Show what commands print, run one after the other on a fresh sandbox."""
    with tempfile.TemporaryDirectory() as home:
        bins = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        environ = {"HOME": home, "XDG_STATE_HOME": home, "PATH": bins, "COLUMNS": "104", "LANG": "C.UTF-8"}
        rows = []
        for command in commands:
            done = subprocess.run(
                shlex.split(command), env=environ, cwd=home, capture_output=True, text=True, check=False
            )
            said = (done.stdout + done.stderr).replace(home, "~").rstrip()
            rows += [
                f"$ {command}",
                *re.sub(r"/\S*/bin/cio-mcp", "/usr/local/bin/cio-mcp", said).split("\n"),
                "",
            ]
    rows = rows[:lines]
    picture = Picture(1100, 70 + 22 * len(rows), DARK, " and ".join(commands))
    for number, colour in enumerate(("#ff5f57", "#febc2e", "#28c840")):
        picture.parts.append(f'<circle cx="{26 + 22 * number}" cy="24" r="7" fill="{colour}"/>')
    for number, row in enumerate(rows):
        colour = DARK.good if row.startswith(("$ ", "ok")) else DARK.ink
        cut = row if len(row) <= 106 else row[:105] + "…"
        picture.parts.append(
            f'<text x="22" y="{62 + 22 * number}" font-size="16" xml:space="preserve" fill="{colour}" '
            f'font-family="{MONO}">{escape(cut)}</text>'
        )
    return picture


def main() -> None:
    """Draw all of them."""
    for name, theme in (("light", LIGHT), ("dark", DARK)):
        overview(theme).save(f"overview-{name}")
        request(theme).save(f"request-{name}")
    icon().save("icon")
    terminal("cio-mcp setup cursor --sandbox --yes").save("screen-setup")
    terminal(
        "cio-mcp call --table list_campaigns state=running",
        "cio-mcp call --table trigger_broadcast broadcast_id=10",
        lines=44,
    ).save("screen-calls")


if __name__ == "__main__":
    main()
