"""The toolset `sandbox`: the embedded sandbox itself. It is there on a sandbox only."""

from typing import Annotated, Literal

from pydantic import Field

from cio_mcp.toolkit.answers import Acted
from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.toolkit.sandbox_controls import SandboxControls

tools = Toolbox(__name__)


class Moved(Acted):
    """The sandbox's clock has moved on."""

    outcome: Literal["moved"] = Field("moved", description="it is later in the sandbox.")
    now: str = Field(description="The time in the sandbox.")
    happened: dict[str, int] = Field(description="What happened on the way, by kind, and how often.")


@tools.writes
async def move_sandbox_clock(
    controls: SandboxControls,
    to: Annotated[str, Field(description="+90s, +15m, +6h, +7d, +2w, or an ISO 8601 time.")],
) -> Moved:
    """Move the sandbox's clock on, to see what comes: all that is due until then happens, such as messages.

    It does not go back.
    """
    told = controls.change("clock", {"to": to})
    return Moved(now=told["now"], happened=told["happened"])
