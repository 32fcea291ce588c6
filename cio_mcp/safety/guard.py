"""The one way to a tool: its bounds, its preview, its confirmation, and then the call."""

import asyncio
import contextlib
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol

from cio_mcp.client import AppApi, CustomerIO
from cio_mcp.client.api import Api, WouldSend
from cio_mcp.client.call import Call, Tell
from cio_mcp.errors import CustomerIOError, NotAllowed, NotConfirmed
from cio_mcp.safety.act import Act
from cio_mcp.safety.audit import AuditLog
from cio_mcp.safety.bounds import Bounds, Caps
from cio_mcp.safety.confirmation import Confirmations
from cio_mcp.safety.grant import Grant
from cio_mcp.safety.preview import preview_of
from cio_mcp.safety.stop import Stop
from cio_mcp.safety.store import Refund
from cio_mcp.toolkit.answers import Acted, Answer, Preview, Status
from cio_mcp.toolkit.audience import Audience, masked
from cio_mcp.toolkit.registry import Effect, Tool

if TYPE_CHECKING:
    from cio_mcp.safety.privacy import Mask

# A call that waited so many seconds says so; the others would only spend the model's attention on it.
WORTH_TELLING = 1.0

# What is done only after a preview of it was confirmed, unless it is made for one person.
CONFIRMED = {Effect.DELETES, Effect.SENDS}

MakePreview = Callable[[], Awaitable[Preview]]


class Person(Protocol):
    """Whoever sits at the client and can be asked whether a call may be made."""

    async def consent(self, preview: MakePreview) -> str:
        """Return the code of the preview that the person agreed to; raises NotAllowed if nobody did."""


@dataclass(frozen=True)
class Caller:
    """Whom a call is for: a `name` by which callers take turns, and the `person` there, if any.

    `grants` narrow what they may do, and `tell` is told the call's place while it waits for its turn.
    `request` is the call's id in the answer, the log and the audit log.
    """

    name: str = ""
    person: Person | None = None
    tell: Tell | None = None
    grants: tuple[Grant, ...] = ()
    request: str = field(default_factory=lambda: secrets.token_hex(8))


@dataclass(frozen=True)
class Guard:
    """Runs tools on a workspace within an operator's bounds.

    `sandbox` says that the workspace is the embedded one, and so do the answers; `confirm` is who confirms:
    the caller by a preview's code, a human, or nobody. `status` describes the server.
    """

    client: CustomerIO
    sandbox: bool
    confirm: Literal["preview", "human", "off"]
    confirmations: Confirmations
    bounds: Bounds
    caps: Caps
    stop: Stop
    status: Callable[[], Awaitable[Status]]
    workspace: str | None = None
    audit: AuditLog | None = None
    mask: "Mask | None" = None
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def perform(self, tool: Tool, arguments: dict[str, Any], caller: Caller) -> Answer:
        """Run `tool` with raw `arguments`; raises CustomerIOError.

        A dry run and the first step of a confirmation take the very same way up to the request that would
        change something, and show it instead of sending it; what a tool reads on the way is read.
        """
        answer = await self._perform(tool, arguments, caller)
        answer.workspace = self.workspace
        return answer

    async def _perform(self, tool: Tool, arguments: dict[str, Any], caller: Caller) -> Answer:
        given = tool.parse(arguments, self.mask.reveal if self.mask else None)
        if self.mask:
            self.mask.check(given)
        if tool.effect is Effect.READS:
            return await self._run(tool, given, self._begin(caller))
        try:
            return await self._bounded(tool, given, caller)
        except NotAllowed as error:
            with contextlib.suppress(OSError):
                if self.audit:
                    who = caller.request, caller.name
                    self.audit.refusal(*who, tool.name, tool.effect, given, error.record)
            raise

    def hide(self, value: Any, answer: Answer | None = None) -> Any:
        """Return what may be shown of `value`, which was dumped from `answer` if that is given."""
        return self.mask.hide(value, answer) if self.mask else value

    async def _bounded(self, tool: Tool, given: dict[str, Any], caller: Caller) -> Answer:
        """Preview or make a call that acts, within the bounds."""
        call = self._begin(caller)
        dry_run, code = given.pop("dry_run"), given.pop("confirmation", None)
        if not dry_run:
            await self.stop.check()
        request = await self._rehearse(tool, given, call) if dry_run or tool.effect in CONFIRMED else None
        audience = await self._audience(tool, given, call, caller, dry_run=dry_run)
        confirmed = tool.effect in CONFIRMED and not (audience and audience.to_one)

        async def preview() -> Preview:
            coded = confirmed and self.confirm != "off" and not (dry_run and self.confirm == "human")
            code = await self._code(tool, given, audience, dry_run=dry_run) if coded else None
            # Hidden before it is cut: what is left of half an address would not be known for one.
            shown = self.hide(request or {})
            show = self.mask.hide_text if self.mask else masked
            found = await preview_of(tool, shown, audience, code, sandbox=self.sandbox, show=show)
            found.workspace = self.workspace
            return found

        if dry_run:
            return await preview()
        if confirmed and self.confirm != "off":
            if self.confirm == "human":
                code = await _consent(caller, preview)
                call = self._begin(caller)  # people take their time
            if code is None:
                return await preview()
            if reason := await self.confirmations.use(code, tool.name, given, audience):
                raise NotConfirmed(reason, (await preview()).model_dump(mode="json", exclude_none=True))
        sends = tool.effect is Effect.SENDS and audience is not None
        spent: list[Refund] = []
        try:
            spent = await self.caps.spend(audience.size or 0, caller.grants) if audience and sends else []
            act = Act(self.audit, caller.request, caller.name, tool, given)
        except (NotAllowed, asyncio.CancelledError):
            await self._take_back(spent, code)
            raise
        try:
            answer = await self._run(tool, given, call)
        except CustomerIOError as error:
            act.ended(error.outcome, error.status)
            if error.outcome != "unknown":
                await self._take_back(spent, code if error.retryable or error.outcome == "not_sent" else None)
            raise
        except asyncio.CancelledError:
            act.given_up(call.sending)
            if call.sending is None:
                await self._take_back(spent, code)
            raise
        act.done(answer)
        return answer

    def _begin(self, caller: Caller) -> Call:
        share = min((grant.rate_share for grant in caller.grants), default=1.0)
        return self.client.begin(caller.name, share=share, tell=caller.tell)

    async def _take_back(self, spent: list[Refund], code: str | None) -> None:
        """Count what was certainly not executed no longer, and let its code hold once more.

        That goes on if the call is cancelled; where it cannot be written down, a count stays and a code is
        used up, which errs on the safe side.
        """

        async def take_back() -> None:
            with contextlib.suppress(NotAllowed):
                for refund in spent:
                    await refund()
                if code:
                    await self.confirmations.restore(code)

        task = asyncio.create_task(take_back())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        await asyncio.shield(task)

    async def _code(
        self, tool: Tool, given: dict[str, Any], audience: Audience | None, *, dry_run: bool
    ) -> str | None:
        """Return a code for a call; a dry run shows what it can even where no code can be kept."""
        try:
            return await self.confirmations.issue(tool.name, given, audience)
        except NotAllowed:
            if dry_run:
                return None
            raise

    async def _run(self, tool: Tool, given: dict[str, Any], call: Call) -> Answer:
        try:
            answer = await tool.function(**await self._supplied(tool, call), **given)
        except CustomerIOError as error:
            error.waited = _worth_telling(call)
            raise
        answer.waited_seconds = _worth_telling(call)
        if isinstance(answer, Acted) and self.sandbox:
            answer.sandbox = True
        return answer

    async def _rehearse(self, tool: Tool, given: dict[str, Any], call: Call) -> dict[str, Any]:
        """Return the request that a call would send; raises what the call would before it."""
        supplied = await self._supplied(tool, replace(call, dry_run=True))
        try:
            await tool.function(**supplied, **given)
        except WouldSend as would:
            body = {} if would.body is None else {"body": would.body}
            return {"method": would.method, "url": would.url} | body
        return {}

    async def _audience(
        self, tool: Tool, given: dict[str, Any], call: Call, caller: Caller, *, dry_run: bool
    ) -> Audience | None:
        """Return whom a call reaches, counted where anything depends on it; raises NotAllowed."""
        audience = await tool.reached(await self._supplied(tool, replace(call, dry_run=True)) | given)
        if audience is None:
            return None
        bounds = self.bounds.narrowed(caller.grants)
        if dry_run or (tool.effect is Effect.SENDS and (bounds.sized or self.confirm != "off")):
            audience = await audience.counted()
        if tool.effect is Effect.SENDS:
            bounds.check_size(audience)
        app = self.client.api(AppApi, call) if self.client.opens(AppApi) else None
        await bounds.check_allowed(audience, app)
        return audience

    async def _supplied(self, tool: Tool, call: Call) -> dict[str, Any]:
        return {
            name: self.client.api(what, call) if issubclass(what, Api) else await self.status()
            for name, what in tool.supplied.items()
        }


def _worth_telling(call: Call) -> float | None:
    return round(call.waited, 1) if call.waited >= WORTH_TELLING else None


async def _consent(caller: Caller, preview: MakePreview) -> str:
    if caller.person is None:
        raise NotAllowed("Nothing was done: CIO_CONFIRM=human, and there is no person to ask here.")
    return await caller.person.consent(preview)
