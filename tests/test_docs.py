"""What README and docs/ promise: links lead somewhere, commands and settings exist, figures hold."""

import re
import shlex
from pathlib import Path

import pytest

from cio_mcp.cli import _parser
from cio_mcp.settings import variables
from tests.agent import Agent

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
SHELL = re.compile(r"```bash\n(.*?)```", re.DOTALL)
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
        assert not anchor or anchor in anchors(target), link


def test_readme_is_short_and_leads_to_every_page() -> None:
    text = (ROOT / "README.md").read_text()

    assert len(text.splitlines()) <= 200
    assert {f"docs/{page.name}" for page in ROOT.glob("docs/*.md")} <= {
        link.partition("#")[0] for link in LINK.findall(text)
    }


@each_page
def test_a_command_that_is_shown_is_one_that_the_program_takes(page: Path) -> None:
    lines = [
        line for block in SHELL.findall(page.read_text()) for line in block.replace("\\\n", " ").splitlines()
    ]

    for line in lines:
        words = shlex.split(line, comments=True)
        if "cio-mcp" in words and words[0] not in {"claude", "npx", "pip", "pipx"}:
            arguments = words[len(words) - words[::-1].index("cio-mcp") :]
            _parser(arguments).parse_args(arguments)  # exits if it does not


@each_page
def test_a_setting_that_is_named_is_one_that_the_program_has(page: Path) -> None:
    assert set(VARIABLE.findall(page.read_text())) <= {*variables(), *OTHERS}


async def test_the_figures_of_the_example_are_those_of_the_sandbox(agent: Agent) -> None:
    text = (ROOT / "README.md").read_text()
    welcome = await agent.call("get_campaign_metrics", campaign_id=1)
    trial = await agent.call("get_campaign_metrics", campaign_id=2)

    for rates, converted, bounced in ((welcome["rates"], 8.5, 1.0), (trial["rates"], 2.1, 5.1)):
        assert rates["converted"] * 100 == pytest.approx(converted, abs=0.3)
        assert rates["bounced"] * 100 == pytest.approx(bounced, abs=0.3)
        assert f"{converted} %" in text
        assert f"{bounced} %" in text
