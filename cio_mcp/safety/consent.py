"""Consent: which calls somebody must agree to first, and that what they agreed to is this call."""

from collections.abc import Awaitable, Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Literal

from cio_mcp.errors import Declined, NotAllowed, NotConfirmed
from cio_mcp.safety.confirmation import Confirmations
from cio_mcp.safety.contact_changes import holds
from cio_mcp.safety.tool_call import ToolCall
from cio_mcp.toolkit.answers.shapes import Preview
from cio_mcp.toolkit.people.consequences import CONFIRMED, Consequence
from cio_mcp.toolkit.registry import Effect, Tool

# Returns the preview of a call: with a code, if the argument is true.
Show = Callable[[bool], Awaitable[Preview]]

# What somebody agrees to whatever else it can set off.
ALWAYS = {Effect.DELETES, Effect.SENDS}

NOBODY = "Nothing was done: this requires a person's consent, and there is nobody to ask here."


@dataclass(frozen=True)
class Consent:
    """Asks for consent.

    `by` says whose: the caller's, by a preview's code, a human's, or nobody's. `also` is what they agree to
    besides deletions, sends to many, and what changes live messages.
    """

    by: Literal["preview", "human", "off"]
    confirmations: Confirmations
    also: Collection[Consequence] = ()

    def may_ask(self, tool: Tool) -> bool:
        """Say whether a tool's calls may need consent."""
        return self.by != "off" and (tool.effect in ALWAYS or any(self._asked_of(tool)))

    def needed(self, call: ToolCall) -> bool:
        """Say whether a call needs consent, by its request; a message to one person does not."""
        if self.by == "off" or (call.audience is not None and call.audience.to_one):
            return False
        return call.tool.effect in ALWAYS or any(
            holds(each, call.outgoing) for each in self._asked_of(call.tool)
        )

    def _asked_of(self, tool: Tool) -> Iterator[Consequence]:
        """Yield the consequences of a tool that somebody must agree to."""
        yield from (each for each in tool.affects.consequences if each in CONFIRMED or each in self.also)

    def asks_person(self, call: ToolCall) -> bool:
        """Say whether only a person's consent counts for a call, and no code of a preview of the caller's."""
        return self.by == "human" or call.tool.affects.by_person

    async def code(self, call: ToolCall) -> str | None:
        """Return a code for the call; a dry run works without one if the store cannot be used."""
        try:
            return await self.confirmations.issue(call.tool.name, call.bound, call.audience, call.stamps)
        except NotAllowed:
            if call.preview_only:
                return None
            raise

    async def of_person(self, call: ToolCall, show: Show) -> None:
        """Ask the person at the client; raises NotAllowed without consent, and Suspension."""
        if call.person is None:
            raise NotAllowed(NOBODY)
        try:
            call.code = await call.person.consent(lambda: show(True))
        except Declined as declined:
            await self.confirmations.void(declined.code)  # the same question cannot be answered again
            raise

    async def check(self, call: ToolCall, show: Show) -> Preview | None:
        """Return the preview that the caller has to confirm first; None once the call is confirmed."""
        if call.code is None:
            return await show(True)
        reason, call.approved, call.edited = await self.confirmations.use(
            call.code, call.tool.name, call.bound, call.audience, call.stamps
        )
        if reason:
            preview = await show(not self.asks_person(call))
            raise NotConfirmed(reason, preview.model_dump(mode="json", exclude_none=True))
        call.confirmed = True
        return None
