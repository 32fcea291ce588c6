"""What a tool must declare, and what is checked when it is registered."""

from typing import Any

import pytest

from cio_mcp.client import AppApi
from cio_mcp.toolkit.answers.shapes import Accepted, Answer
from cio_mcp.toolkit.people.audience import Audience, reaches
from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.tools.every import TOOLS, TOOLSETS


async def somebody(recipients: list[str]) -> Audience:
    return Audience("somebody", len(recipients))


def test_a_misspelt_parameter_of_whom_a_tool_reaches_is_refused_at_registration() -> None:
    @reaches(somebody)
    async def send_letter(app: AppApi, recipient: list[str]) -> Accepted:
        """Send a letter."""
        return Accepted(event_id=f"{app} {recipient}")

    with pytest.raises(TypeError, match=r"@reaches of send_letter .* lacks: recipients"):
        Toolbox("letters").sends(send_letter)


def test_a_tool_that_sends_says_whom_it_reaches() -> None:
    async def send_letter(app: AppApi) -> Accepted:
        """Send a letter."""
        return Accepted(event_id=app.name)

    with pytest.raises(TypeError, match="send_letter sends, so it must declare with @reaches"):
        Toolbox("letters").sends(send_letter)


@pytest.mark.parametrize("result", [dict[str, Any], str])
def test_a_tool_answers_with_one_of_the_toolkits_models(result: Any) -> None:
    async def read_letter(_: AppApi) -> Any:
        """Read a letter."""

    read_letter.__annotations__["return"] = result
    with pytest.raises(TypeError):
        Toolbox("letters").reads(read_letter)


def test_a_tool_that_acts_answers_what_became_of_it() -> None:
    async def write_letter(app: AppApi) -> Answer:
        """Write a letter."""
        return Answer(workspace=app.name)

    with pytest.raises(TypeError, match="write_letter writes, so its result must be"):
        Toolbox("letters").writes(write_letter)


def test_a_tool_stands_in_the_module_or_folder_of_its_toolset() -> None:
    for tool in TOOLS:
        assert tool.function.__module__.startswith(f"cio_mcp.tools.{tool.toolset}")

    assert [tool for toolbox in TOOLSETS for tool in toolbox] == TOOLS
