"""The page of results: in a host built on the bridge of MCP Apps, and beside the image of the same answer.

`python -m tests.compat.pages NODE_FOLDER CHROMIUM`: the bridge, esbuild and axe-core are in the folder.
"""

import html
import json
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from cio_mcp.pictures.chart import drawing
from cio_mcp.pictures.page import filled_page, page
from tests.compat.frameworks import said
from tests.compat.typescript import CLIENTS, Site, browse

# Names that would be markup or code if they were not text.
HOSTILE = (
    "<img src=x onerror=\"parent.postMessage('out','*')\"></script><script>document.title='out'</script>"
)

# Calls of every kind of answer that has a picture.
ASKED = (
    ("report_workspace",),
    ("get_campaign_metrics", "campaign_id=1", "series=true"),
    ("get_message_metrics", "kind=newsletter", "source_id=20"),
    ("compare_campaigns", "campaign_id=1", "other_campaign_id=2"),
    ("compare_messages", "kind=campaign", "source_id=1"),
)

# Where there are lines by period, a person moves along them by the keyboard.
KEYS = """<script>
for (const key of ["Home", "ArrowRight"])
  document.querySelector("[role=slider]")?.dispatchEvent(new KeyboardEvent("keydown", { key }));
</script>"""

# axe-core says what is in the way of people with a screen reader, a keyboard or low vision.
AXE = """<script>%s</script><script>axe.run().then(({ passes, violations }) => {
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes[0].html}`);
  document.body.dataset.axe = JSON.stringify({ passes: passes.length, violations: found });
});</script>"""

HEADLESS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-proxy-server", "--no-first-run"),
    *("--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-logging", "--log-level=3", "--virtual-time-budget=20000"),
)


class Host(Site):
    """The host's page, its script, and the case that it shows."""

    def __init__(self, script: str, answer: dict[str, object]) -> None:
        super().__init__(script)
        self.files["/case.json"] = json.dumps({"page": page(), "answer": answer}).encode()


def looked_at(chromium: str, answer: dict[str, Any], more: str = KEYS) -> str:
    """Return the page of an answer as Chromium has it once its script, and more, has run."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        file = Path(home, "page.html")
        file.write_text(filled_page(json.dumps(answer)) + more, encoding="utf-8")
        return said(chromium, *HEADLESS, f"--user-data-dir={home}/profile", "--dump-dom", file.as_uri())


def words(markup: str) -> str:
    """Return the texts of a document, without blanks."""
    bare = re.sub(r"<(script|style).*?</\1>|<[^>]*>", "", markup, flags=re.DOTALL)
    return re.sub(r"\s", "", html.unescape(bare))


def same_words(chromium: str) -> list[dict[str, Any]]:
    """Check that pages say what the images of their answers say, and move by the keyboard; return these."""
    answers = []
    for asked in ASKED:
        answer = json.loads(said("cio-mcp", "call", *asked, "--json", CIO_SANDBOX="on", CIO_TOOLSETS="all"))
        answers.append(answer)
        shown = looked_at(chromium, answer)
        for text in re.findall(r"<text.*?</text>", drawing(answer)):
            word = words(text).removeprefix("•")
            assert word.endswith("…") or word in words(shown), (asked, word)
        if "dates" in answer:
            second = f'aria-valuetext="{answer["dates"][1]}: sent {answer["series"]["sent"][1]}, '
            assert second in shown, second
    print(f"ok the page and the image of {len(ASKED)} answers say the same")
    return answers


def readable_by_all(chromium: str, axe: str, answers: list[dict[str, Any]]) -> None:
    """Check that axe-core finds nothing in the way of anybody, in both themes."""
    for answer in answers:
        for theme in ("light", "dark"):
            themed = f"<script>document.documentElement.dataset.theme = '{theme}'</script>"
            shown = looked_at(chromium, answer, themed + AXE % axe.replace("</script", "<\\/script"))
            told = re.search(r'data-axe="(.*?)"', shown)
            assert told, shown[-500:]
            found = json.loads(html.unescape(told[1]))
            assert found["passes"] > 20, found
            assert found["violations"] == [], found
    print("ok axe-core finds nothing in the way of people in pages of either theme")


def main(folder: str, chromium: str) -> None:
    packages = Path(folder, "node_modules")
    bridge = packages / "@modelcontextprotocol" / "ext-apps" / "package.json"
    options = ["--bundle", "--format=esm", "--platform=browser", "--log-level=warning"]
    script = said(
        str(packages / "esbuild" / "bin" / "esbuild"),
        *options,
        str(CLIENTS / "page_host.mjs"),
        NODE_PATH=str(packages),
    )
    answer = json.loads(said("cio-mcp", "call", "report_workspace", "--json", CIO_SANDBOX="on"))
    answer["lines"][0]["source"] = HOSTILE
    host = Host(script, answer)
    with host:
        host.begin()
        seen = browse(chromium, host)
        host.shutdown()
    assert seen["page"]["height"] > 200, seen
    assert not seen["page"]["escaped"], seen
    version = json.loads(bridge.read_text())["version"]
    print(f"ok the page of results in a host with @modelcontextprotocol/ext-apps {version}: {seen}")
    answers = same_words(chromium)
    axe = packages / "axe-core" / "axe.min.js"
    readable_by_all(chromium, axe.read_text(encoding="utf-8"), [answer, answers[1], answers[3]])


if __name__ == "__main__":
    main(*sys.argv[1:])
