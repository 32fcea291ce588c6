"""The toolset `sandbox`: the embedded sandbox itself. It is there on a sandbox only."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from cio_mcp.errors import InvalidArgument
from cio_mcp.toolkit.answers.shapes import Acted, Answer
from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.toolkit.sandbox_controls import SandboxControls

tools = Toolbox(__name__)

# Seconds after which a call answers how far the clock has come: hosts wait for a minute at most.
PATIENCE = 25


class ClockMove(Acted):
    """The sandbox's clock has moved on."""

    outcome: Literal["moved"] = Field("moved", description="the sandbox's clock has moved forward.")
    now: str = Field(description="The time in the sandbox.")
    happened: dict[str, int] = Field(description="What happened on the way, by kind, and how often.")


@tools.writes
async def move_sandbox_clock(
    controls: SandboxControls,
    to: Annotated[str, Field(description="+90s, +15m, +6h, +7d, +2w, or an ISO 8601 time.")],
) -> ClockMove:
    """Move the sandbox's clock forward. Everything that is due until then happens, such as messages.

    It cannot go back.
    """
    told = await controls.change("clock", {"to": to, "seconds": PATIENCE})
    rest = [f"That takes longer than one call may: call again with to={told['to']}."]
    return ClockMove(now=told["now"], happened=told["happened"], notes=None if told["reached"] else rest)


class MessageExplanation(Answer):
    """Why a message came, or did not."""

    # What attributes became stands in these sentences.
    quotes_attributes: ClassVar[frozenset[str]] = frozenset({"chain"})

    chain: list[str] = Field(description="What led to it, one cause after the other.")


@tools.reads
async def explain_sandbox_message(
    controls: SandboxControls,
    delivery_id: str = "",
    person: Annotated[str, Field(description="Their id or email.")] = "",
    message: Annotated[str, Field(description='"Welcome series", "action 103", "newsletter 20", …')] = "",
) -> MessageExplanation:
    """Tell what really led to a delivery in the sandbox, or why a person got a message or did not.

    Name a delivery_id, or a person and a message. Only a sandbox knows this. Use it to check
    explain_no_message, which knows only what a live workspace would tell.
    """
    if bool(delivery_id) == bool(person or message) or bool(person) != bool(message):
        raise InvalidArgument("delivery_id, person, message: give delivery_id alone, or person and message")
    asked = {"delivery": delivery_id, "person": person, "message": message}
    return MessageExplanation(chain=(await controls.read("explain", asked))["chain"])
