"""The guard: takes every call of a tool through its bounds, preview and confirmation, and then makes it.

What a call must satisfy is in `Guard._check` and, as far as that takes look-ups, `Guard._check_people`: it is
checked before the call is previewed or made, after a person was asked, and for each request that changes
something, in its turn and before its first byte leaves.
"""

import math
from collections.abc import Awaitable, Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cio_mcp.client import AppApi, CustomerIO
from cio_mcp.client.call import Outgoing, WouldSend, now
from cio_mcp.errors import CustomerIOError, InvalidArgument, Refused, checked, in_part
from cio_mcp.safety.audit.record import Record
from cio_mcp.safety.bounds import Bounds
from cio_mcp.safety.consent import Consent
from cio_mcp.safety.contact_changes import check_contacts
from cio_mcp.safety.counting import Counting
from cio_mcp.safety.looking import look
from cio_mcp.safety.preview import preview_of
from cio_mcp.safety.recipients import check_recipients
from cio_mcp.safety.stop import Stop
from cio_mcp.safety.supplies import Supplies
from cio_mcp.safety.tool_call import ToolCall
from cio_mcp.safety.wording import check_words, must_fill, read_words, refusal_of
from cio_mcp.toolkit.answers.candidates import suggest
from cio_mcp.toolkit.answers.shapes import Acted, Answer, Preview
from cio_mcp.toolkit.arguments.times import local_times
from cio_mcp.toolkit.people.consequences import Consequence
from cio_mcp.toolkit.people.habits import unusual
from cio_mcp.toolkit.registry import Effect, Tool

if TYPE_CHECKING:
    from cio_mcp.safety.privacy.mask import Mask

# Seconds for which what was looked up about an audience (its size, customers' addresses) is taken as current:
# about as long as a request takes anyway.
CURRENT = 0.1

# An operator's own bound: raises NotAllowed for a call that must not be made.
Rule = Callable[[ToolCall], Awaitable[None]]


@dataclass(frozen=True)
class Guard:
    """Runs tools on a workspace within an operator's bounds.

    `sandbox` is true for the embedded sandbox, which answers then mention. `timezone` is that of times which
    name none, empty if it is not set, `files` the folder of files that may be read; `reads` permits reading.
    """

    client: CustomerIO
    sandbox: bool
    consent: Consent
    bounds: Bounds
    counting: Counting
    stop: Stop
    record: Record
    supplies: Supplies
    rules: Sequence[Rule] = ()
    workspace: str | None = None
    timezone: str = ""
    reads: bool = True
    mask: "Mask | None" = None
    files: Path | None = None

    async def perform(self, call: ToolCall, tool: Tool, arguments: dict[str, Any]) -> Answer:
        """Make a call of `tool` with raw `arguments`; raises CustomerIOError."""
        call.tool = tool
        if call.grants:
            call.share = min(grant.rate_share for grant in call.grants)
        self.client.start(call)
        try:
            files = None if self.mask else self.files
            call.read(arguments, self.timezone, files, self.mask, self.bounds.headers)
            if self.mask:
                self.mask.check(call.given)
                call.conceal = self.mask.hide
            if tool.effect is Effect.READS:
                async with self.record.read(call):
                    return await self._run(call)
            with self.record.refusals(call):
                return await self._act(call)
        except (InvalidArgument, Refused) as error:
            if app := self._reader(call):
                await suggest(app, error, arguments)
            raise

    async def _act(self, call: ToolCall) -> Answer:
        """Take a call that acts through every step. Each step may raise NotAllowed, and then nothing is done.

        A preview takes the same steps up to the request that would change something, and shows that request.
        """
        await self._check(call)
        asked = self.consent.needed(call)
        if asked or call.preview_only:
            await self._check_people(call, call.outgoing)
        if call.preview_only:
            if (app := self._reader(call)) and not self.mask:
                call.notes += await unusual(app, call.tool.arguments, call.given)
            coded = asked and not self.consent.asks_person(call) and not call.vain
            return await self._preview(call, coded=coded)
        if asked:
            if preview := await self._confirm(call):
                return preview
        elif must_fill(call):
            await read_words(call, self.client, fresh=False)
            check_words(call)
        async with self.counting.undoing(call), self.record.act(call):
            call.leaving = lambda request: self._check_leaving(call, request)
            if not asked:  # only now: meanwhile the intent is on its way to the disk
                with checked():
                    await self._check_people(call, call.outgoing)
            await self.counting.count(call)
            return await self._run(call)

    async def _check(self, call: ToolCall, request: Outgoing | None = None) -> None:
        """Raise NotAllowed unless a call may be made, or `request` may leave, as far as it says itself.

        An audience that had to be counted is counted again once that is older than `CURRENT`.
        """
        if request is None:
            await self._check_permit(call)
            await self._rehearse(call)
            request = call.outgoing
        else:
            check_recipients(call, request)  # with the audience that was approved, not with a newer one
        if now() - call.looked_up >= CURRENT:
            await self._find_audience(call)
            call.looked_up = now()
            check_recipients(call, request)
        for rule in self.rules:
            call.outgoing = request  # several requests of a call can be about to leave
            await rule(call)

    async def _check_people(self, call: ToolCall, request: Outgoing | None) -> None:
        """Look up whom a call and its `request` name; raise NotAllowed unless they may be reached."""
        app = self._looker(call)
        await check_contacts(self.bounds, request, app)
        if (audience := call.audience) and audience is not call.known_audience:
            await self.bounds.check_people(audience, app)  # another request can find a newer one meanwhile
            call.known_audience, call.looked_up = audience, now()

    async def _check_permit(self, call: ToolCall) -> None:
        if not call.preview_only:
            await self.stop.check()
        call.check_caller()

    async def _check_leaving(self, call: ToolCall, request: Outgoing) -> None:
        """Check a call once more as its request leaves; count the recipients by whom its audience grew."""
        await self.record.on_disk(call)  # first: a disk can take its time, in which what is checked changes
        counted = call.audience
        with checked():
            await self._check(call, request)
            await self._check_people(call, request)
        if call.audience and call.audience is not counted:
            await self.counting.grow(call, call.audience)
        await self._check_permit(call)  # last: the rest takes time when there is something to look up

    async def _rehearse(self, call: ToolCall) -> None:
        """Find the request that the call would send; raises what the call would raise before sending it."""
        plain = call.tool.effect is Effect.WRITES and not self.consent.may_ask(call.tool)
        in_parts = Consequence.BULK in call.tool.affects.consequences
        if plain and not call.preview_only and not in_parts:
            return  # of several parts, one could have left before the next is judged
        try:
            with call.only_reading():
                await call.tool.function(**await self.supplies.of(call), **call.given)
        except WouldSend as would:
            call.rehearsed(would)

    async def _find_audience(self, call: ToolCall) -> None:
        """Find the call's audience, counted if anything depends on its size; judge it by what it says."""
        bounds = self.bounds.narrowed(call.grants)
        counts = call.tool.effect is Effect.SENDS and (bounds.sized or self.consent.by != "off")
        # Once a call is made, other requests of it may be changing something.
        with nullcontext() if call.leaving else call.only_reading():
            call.audience = await call.tool.reached(await self.supplies.of(call) | call.given)
            if call.audience and (call.preview_only or counts):
                call.audience = await call.audience.counted()
        if call.audience:
            bounds.check_size(call.audience)
            bounds.check_named(call.audience)

    async def _confirm(self, call: ToolCall) -> Preview | None:
        """Return the preview that has to be confirmed first; None once the call is confirmed."""

        async def show(coded: bool) -> Preview:
            return await self._preview(call, coded=coded)

        if self.consent.asks_person(call):
            await self.consent.of_person(call, show)
            self.client.start(call)  # the deadline starts again: a person may take long to answer
            await self._check(call)
            await self._check_people(call, call.outgoing)
        if call.code:  # which is for the words of its preview
            await read_words(call, self.client, fresh=True)
            check_words(call)
        return await self.consent.check(call, show)

    async def _preview(self, call: ToolCall, *, coded: bool) -> Preview:
        reading = None if call.words else read_words(call, self.client, fresh=True)
        looked = await look(call, self._reader(call), reading)
        refusal = refusal_of(call)
        if refusal and not call.preview_only:
            raise InvalidArgument(refusal)
        call.looked_up = -math.inf  # people take their time with what they are shown
        code = await self.consent.code(call) if coded and not refusal else None
        preview = preview_of(call, looked, code, refusal, self.hide, masks=self.mask is not None)
        preview.local_times = local_times(call.times, self.timezone or "UTC")
        self._complete(call, preview)
        return preview

    async def _run(self, call: ToolCall) -> Answer:
        try:
            answer = await call.tool.function(**await self.supplies.of(call), **call.given)
        except CustomerIOError as error:
            error.waited = call.worth_telling
            if call.effects and error.outcome != "unknown":
                raise in_part(error, call.effects) from None
            raise
        answer.waited_seconds = call.worth_telling
        self._complete(call, answer)
        call.answer = answer
        return answer

    def _complete(self, call: ToolCall, answer: Answer) -> None:
        """Tell in an answer where the call was made, and how its arguments were taken."""
        answer.workspace = self.workspace
        answer.notes = [*(answer.notes or ()), *call.notes] or None
        if isinstance(answer, Acted):
            answer.sandbox = self.sandbox or None
            answer.times = call.times or None

    def _looker(self, call: ToolCall) -> AppApi | None:
        """Return the API with which to look up what a bound must know."""
        return self.client.api(AppApi, call) if self.client.opens(AppApi) else None

    def _reader(self, call: ToolCall) -> AppApi | None:
        """Return the API with which to look up more than the call asks for, if its caller may read that."""
        may = self.reads and all("read" in grant.permissions for grant in call.grants)
        return self._looker(call) if may else None

    def hide(self, value: Any, answer: Answer | None = None) -> Any:
        """Return `value` without what must not be shown; `answer` is the model it was dumped from, if any."""
        return self.mask.hide(value, answer) if self.mask else value
