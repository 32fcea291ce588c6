"""What a message says, as `get_content` tells it."""

from typing import Any

from tests.agent import Agent


async def text(agent: Agent, **which: Any) -> dict[str, Any]:
    """Return the one text of a message."""
    (found,) = (await agent.call("get_content", **which))["texts"]
    assert isinstance(found, dict)
    return found
