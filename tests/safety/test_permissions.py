"""Which tools are on."""

from itertools import combinations

import pytest

from cio_mcp.app.build import build
from cio_mcp.app.workspace import tools_off
from cio_mcp.errors import SettingsError
from cio_mcp.safety.permissions import PERMITS
from cio_mcp.settings import load
from cio_mcp.toolkit.core import CORE
from cio_mcp.tools.every import TOOLS
from tests.agent import an_agent

pytestmark = pytest.mark.anyio

LIVE = {tool.name for tool in TOOLS if tool.name in CORE}

SUBSETS = [words for size in range(1, 5) for words in combinations(PERMITS, size)]


@pytest.mark.repeating
@pytest.mark.parametrize("words", SUBSETS, ids=",".join)
async def test_a_tool_is_listed_and_can_be_called_only_if_what_it_does_is_permitted(
    words: tuple[str, ...],
) -> None:
    permitted = {PERMITS[word] for word in words}
    async with an_agent(permissions=", ".join(words), toolsets="all") as agent:
        listed = {tool.name for tool in (await agent.client.list_tools()).tools}
        for tool in TOOLS:
            if tool.effect in permitted:
                assert tool.name in listed
                continue
            assert tool.name not in listed
            assert "CIO_PERMISSIONS does not permit" in await agent.fail(tool.name)

    assert agent.sent == []


def names(**settings: str) -> set[str]:
    environ = {f"CIO_{name.upper()}": value for name, value in settings.items()}
    return {tool.name for tool in TOOLS} - tools_off(load(environ), TOOLS).keys()


def test_what_a_newcomer_needs_is_on_by_default() -> None:
    assert names() == names(toolsets="core") == LIVE


def test_toolsets_and_tools_narrow_and_a_minus_leaves_out() -> None:
    events = {tool.name for tool in TOOLS if tool.toolset == "events"}

    assert names(toolsets="events") == events
    assert names(toolsets="all,-events") == {tool.name for tool in TOOLS} - events
    assert names(toolsets="core,-events") == LIVE - events
    assert names(toolsets="-events") == LIVE - events
    tracking = events | {"track_events"}
    assert names(tools="track_*, get_customer") == tracking | {"get_customer"}
    assert names(tools="track_*,-track_page_view") == tracking - {"track_page_view"}
    assert names(tools="-trigger_broadcast") == LIVE - {"trigger_broadcast"}


def test_nothing_widens_permissions() -> None:
    assert names(permissions="read", tools="delete_customer,get_customer") == {"get_customer"}
    assert "trigger_broadcast" not in names(permissions="read,write", toolsets="all")


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("permissions", "read,wirte", r"CIO_PERMISSIONS: wirte is unknown; choose from .*write"),
        ("toolsets", "peple", r"CIO_TOOLSETS: peple is unknown; choose from .*people"),
        ("tools", "get_costumer", r"CIO_TOOLS: no tool is named get_costumer"),
    ],
)
def test_a_word_that_names_nothing_stops_the_start(setting: str, value: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        build(load({f"CIO_{setting.upper()}": value}))
