"""The application: it runs tools and turns every failure into an outcome. It knows no protocol."""

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from cio_mcp.app.calls import NO_TOOL, Calls, outcome_of
from cio_mcp.app.catalogue import Catalogue, OpenWorkspace
from cio_mcp.auth.principal import OWNER, Principal
from cio_mcp.auth.tokens import Tokens
from cio_mcp.client.call import Tell
from cio_mcp.errors import CustomerIOError, NotSent
from cio_mcp.logs import where
from cio_mcp.safety import Person, Suspended, ToolCall
from cio_mcp.safety.store import Store
from cio_mcp.toolkit.answers import Answer

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """How a call ended: `facts` for programs and, where it failed, the `error` that the agent reads.

    `request` is the call's id, by which the log and the audit log name it. Nothing here has to be hidden.
    """

    request: str
    facts: dict[str, Any]
    error: str | None = None


@dataclass
class App:
    """The application and what it stands on. Use it while the event loop runs, then `aclose` it.

    `files` closes what `build` has opened; where nothing was called, that is all. `state_key` seals what a
    client carries from one request to the next, and follows from the credentials; None without any.
    """

    catalogue: Catalogue
    store: Store
    stops: Store
    files: ExitStack
    tokens: Tokens | None = None
    state_key: bytes | None = None
    calls: Calls = field(default_factory=Calls)
    draining: bool = False
    _running: int = 0
    _idle: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def workspaces(self) -> Mapping[str, OpenWorkspace]:
        """The workspaces by name; one that stands alone has the empty name."""
        return self.catalogue.workspaces

    def hide(self, value: Any, answer: Answer | None = None) -> Any:
        """Return what may be shown of `value`, which was dumped from `answer` if that is given."""
        return next(iter(self.workspaces.values())).guard.hide(value, answer)  # all hide alike

    async def call(
        self,
        name: str,
        arguments: dict[str, Any],
        principal: Principal = OWNER,
        *,
        caller: str = "",
        person: Person | None = None,
        tell: Tell | None = None,
    ) -> Outcome:
        """Run the tool that callers know as `name`; whatever goes wrong becomes an outcome that says so.

        `caller` tells callers without a token apart, who take turns; `person` can be asked; `tell` hears the
        call's place while it waits. Raises Suspended where the call goes on with a person's answer.
        """
        call = ToolCall(
            name=self.catalogue.tool_named(name) or NO_TOOL,
            caller=principal.name or caller,
            grants=principal.grants,
            person=person,
            tell=tell,
        )
        self._running += 1
        try:
            with self.calls.watch(call):
                return await self._outcome(call, principal, name, arguments)
        finally:
            self._running -= 1
            if not self._running:
                self._idle.set()

    async def _outcome(
        self, call: ToolCall, principal: Principal, name: str, arguments: dict[str, Any]
    ) -> Outcome:
        try:
            self._check_open()
            guard, tool, given = self.catalogue.find(principal, name, arguments)
            answer = await guard.perform(call, tool, given)
        except Suspended:
            call.outcome = "asked"
            raise
        except CustomerIOError as error:
            # Neither arguments nor Customer.io's words go to the log: both can hold personal data.
            call.outcome, call.status = outcome_of(error), error.status
            return Outcome(call.request, self.hide(error.facts()), self.hide(str(error)))
        except Exception as fault:
            call.outcome = "fault"
            _log.error("%s: a fault of cio-mcp: %s", call.name, where(fault))
            text = f"{name}: a fault of cio-mcp itself; see request {call.request} in the server's log."
            outcome = "not_sent" if call.sending is None else "unknown"
            return Outcome(call.request, {"outcome": outcome, "error": text, "retryable": False}, text)
        call.outcome = getattr(answer, "outcome", "done")
        return Outcome(call.request, self.hide(answer.model_dump(mode="json", exclude_none=True), answer))

    def _check_open(self) -> None:
        if self.draining:
            raise NotSent("Not sent: this server is shutting down.", do="Call again.", retryable=True)

    async def drain(self, seconds: float) -> None:
        """Take no new calls, and give those that run so many seconds to end."""
        self.draining = True
        self._idle.clear()
        if self._running:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._idle.wait()

    async def aclose(self, grace: float = 0.0) -> None:
        """Let what has left come back for `grace` seconds, then close everything."""
        with self.files:
            try:
                await asyncio.gather(*(found.client.aclose(grace) for found in self.workspaces.values()))
            finally:
                await self.store.aclose()
                if self.stops is not self.store:
                    await self.stops.aclose()
