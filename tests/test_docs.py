"""What README and docs/ promise: links lead somewhere, commands and settings exist, figures hold."""

import ast
import json
import os
import re
import shlex
import tomllib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from cio_mcp.cli import _parser
from cio_mcp.cli.call import _arguments, _is_text
from cio_mcp.settings import variables
from cio_mcp.tools.every import TOOLS
from tests.agent import Agent
from tests.not_run import NOT_READ, NOT_RUN

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
SHELL = re.compile(r"```bash\n(.*?)```", re.DOTALL)
BLOCK = re.compile(r"^ *```([a-z]+)\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
READ: dict[str, Callable[[str], Any]] = {
    "json": json.loads,
    "toml": tomllib.loads,
    "yaml": YAML(typ="safe", pure=True).load,
    "python": ast.parse,
}
VARIABLE = re.compile(r"\bCIO_[A-Z_]+\b")

# Named in the docs, and no settings: what they hold is chosen by others.
OTHERS = {
    "CIO_SITE_ID_FILE",
    "CIO_TRACK_API_KEY_FILE",
    "CIO_APP_API_KEY_FILE",
    "CIO_MAX_SENDS_PER_",  # two settings, of which docs name the beginning
    "CIO_MCP_URL",
    "CIO_MCP_TOKEN",
}

# Those of the reference are generated from the calls that test_outcomes.py makes, and those of templates.md
# need its own file (tests/cli/test_templates.py).
CALLING = [
    page
    for page in PAGES
    if page.parent.name != "reference"
    and page.name != "templates.md"
    and "\ncio-mcp call " in page.read_text()
]

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def anchors(page: Path) -> set[str]:
    """Return the names by which a link reaches a heading, as the sites that show Markdown make them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@each_page
def test_a_link_leads_to_a_file_and_a_heading_that_are_there(page: Path) -> None:
    links = [link for link in LINK.findall(page.read_text()) if not re.match(r"[a-z]+:", link)]

    for link in links:
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or target.suffix != ".md" or anchor in anchors(target), link


def test_readme_is_short_and_leads_to_every_page_and_so_does_the_site() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 200

    pages = set((ROOT / "docs").rglob("*.md"))
    for start in (ROOT / "README.md", ROOT / "docs/index.md"):
        reached, new = set(), {start}
        while new:
            page = new.pop()
            reached.add(page)
            links = (link.partition("#")[0] for link in LINK.findall(page.read_text()))
            targets = {Path(os.path.normpath(page.parent / link)) for link in links if link.endswith(".md")}
            new |= (targets & pages) - reached
        assert pages - reached <= {ROOT / "docs/index.md"}, start


def test_the_menu_of_the_site_has_every_page_once() -> None:
    menu = re.findall(r"^ +- (?:Home: )?(\S+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE)

    pages = [str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs").rglob("*.md")]
    assert sorted(menu) == sorted(page for page in pages if not page.startswith("example_extension"))


@each_page
def test_a_command_that_is_shown_is_one_that_the_program_takes(page: Path) -> None:
    lines = [
        line for block in SHELL.findall(page.read_text()) for line in block.replace("\\\n", " ").splitlines()
    ]

    for line in lines:
        words = shlex.split(line, comments=True)
        if "cio-mcp" in words and words[0] not in {"claude", "npx", "pip", "pipx"}:
            words = words[: words.index(">")] if ">" in words else words
            arguments = words[len(words) - words[::-1].index("cio-mcp") :]
            _parser(arguments).parse_args(arguments)  # exits if it does not


@pytest.mark.parametrize("page", CALLING, ids=lambda page: str(page.relative_to(ROOT)))
async def test_a_call_that_is_shown_is_answered_by_the_sandbox(page: Path, agent: Agent) -> None:
    tools = {tool.name: tool for tool in TOOLS}

    for line in commands(page):
        words = shlex.split(line, comments=True)
        if words[:2] == ["cio-mcp", "call"]:
            name, *given = (word for word in words[2:] if not word.startswith("--"))
            await agent.call(name, **_arguments(given, partial(_is_text, tools[name])))


@each_page
def test_a_snippet_that_is_shown_is_run_or_has_its_reason(page: Path) -> None:
    place = str(page.relative_to(ROOT))
    left = [
        line
        for line in commands(page)
        if not line.startswith(("cio-mcp call ", "#"))
        and not any(re.match(f"(?:[A-Z_]+=\\S+ )*{start}", line) for start in NOT_RUN)
    ]
    assert left == [], "run it in a test, or give the reason in tests/not_run.py"

    for language, text in BLOCK.findall(page.read_text()):
        if language in READ and (place, language) not in NOT_READ:
            READ[language](text.replace("…", "x"))
        elif language not in {"bash", "text", *READ}:  # text is what a program shows
            assert (place, language) in NOT_READ, "give the reason in tests/not_run.py"


def commands(page: Path) -> list[str]:
    """Return the commands that a page shows, each as one line."""
    lines = (
        line for block in SHELL.findall(page.read_text()) for line in block.replace("\\\n", " ").splitlines()
    )
    return [" ".join(line.split()) for line in lines if line.strip()]


@each_page
def test_a_setting_that_is_named_is_one_that_the_program_has(page: Path) -> None:
    assert set(VARIABLE.findall(page.read_text())) <= {*variables(), *OTHERS}


async def test_the_figures_of_the_example_are_those_of_the_sandbox(storied: Agent) -> None:
    text = (ROOT / "README.md").read_text()
    welcome, trial = [await storied.call("get_campaign_metrics", campaign_id=number) for number in (1, 2)]
    undeliverable = await storied.call("list_messages", campaign_id=2, metric="undeliverable", limit=100)

    for rates, converted in ((welcome["rates"], 15), (trial["rates"], 5)):
        assert rates["converted"] * 100 == pytest.approx(converted, abs=1)
        assert f"{converted} %" in text
    made, kept = trial["totals"]["created"], trial["totals"]["undeliverable"]
    assert f"Of the {made} messages that it made, {kept} did not go out" in text
    types = [message["type"] for message in undeliverable["messages"]]
    assert types.count("push") > len(types) / 2


async def test_the_figures_of_the_scenarios_are_those_of_the_sandbox(storied: Agent) -> None:
    sequence, onboarding, tracking = (
        " ".join((ROOT / f"docs/scenarios/{name}.md").read_text().split())
        for name in ("email-sequence", "onboarding", "tracking")
    )
    trial = await storied.call("get_campaign_metrics", campaign_id=2)
    segments = (await storied.call("list_segments", counts=True))["segments"]
    journeys = await storied.call("get_journey_metrics", campaign_id=1)
    rejected = await storied.call("find_rejected_data")

    assert f"{trial['rates']['converted']:.0%}".replace("%", " %") + " converted" in sequence
    made, kept = trial["totals"]["created"], trial["totals"]["undeliverable"]
    assert f"Of the {made} messages that it made, {kept} did not go out" in sequence
    assert [found["count"] for found in segments if found["id"] == 4] == [200]
    assert 'Segment 4, "Has an email", has all 200 people' in sequence
    started, finished, converted = map(int, re.findall(r"[Aa]bout (\d+)", onboarding))
    assert journeys["totals"]["started"] == pytest.approx(started, abs=2)
    assert journeys["rates"]["finished"] * 100 == pytest.approx(finished, abs=4)
    assert journeys["rates"]["converted"] * 100 == pytest.approx(converted, abs=4)
    assert {kind["type"]: kind["count"] for kind in rejected["kinds"]} == {
        "failed_event": 1,
        "failed_attribute_change": 2,
        "skipped_update": 1,
    }
    assert "an event of an unknown person, an update of another unknown person" in tracking
