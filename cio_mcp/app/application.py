"""The application: runs tools and turns every failure into an outcome, independently of any protocol."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from cio_mcp.app import pictures
from cio_mcp.app.advice import advise, off_note
from cio_mcp.app.calls import NO_TOOL, Calls, outcome_of
from cio_mcp.app.catalogue import WORKSPACE, Catalogue, OpenWorkspace
from cio_mcp.auth.principal import OWNER, Principal
from cio_mcp.auth.tokens import Tokens
from cio_mcp.client.call import Tell
from cio_mcp.errors import CustomerIOError, InvalidArgument, NotAllowed, NotSent
from cio_mcp.logs import fault_place
from cio_mcp.safety import Approver, Guard, Suspension, ToolCall
from cio_mcp.safety.audit.copy import Copier
from cio_mcp.safety.audit.record import Record
from cio_mcp.safety.audit.strangers import Strangers
from cio_mcp.safety.stores import Store
from cio_mcp.toolkit.answers.shapes import AFTERWARDS, Answer
from cio_mcp.toolkit.registry import Effect, Tool

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """How a call ended: `facts` for programs and, if it failed, the `error` text for the agent.

    `request` is the call's id in the log and the audit log, `image` a picture of the answer (PNG), if it was
    asked for. Everything here may be shown to the caller.
    """

    request: str
    facts: dict[str, Any]
    error: str | None = None
    image: bytes | None = None


@dataclass
class App:
    """The application and the resources it uses. Use it in one event loop, then call `aclose`.

    `files` closes what `build` has opened; if no tool was called, closing it is enough. `state_key` protects
    the state that a client carries from one request to the next; it derives from the credentials, and is None
    if there are none. `pages` is the folder for pages, where callers share this process's files.
    """

    catalogue: Catalogue
    store: Store
    stops: Store
    files: ExitStack
    tokens: Tokens | None = None
    state_key: bytes | None = None
    pages: Path | None = None
    calls: Calls = field(default_factory=Calls)
    record: Record = field(default_factory=lambda: Record(None))
    strangers: Strangers = field(default_factory=lambda: Strangers(None))
    copier: Copier | None = None
    draining: bool = False
    clock: Callable[[], float] = time.time
    _running: int = 0
    _idle: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def workspaces(self) -> Mapping[str, OpenWorkspace]:
        """The workspaces by name. A single one has the empty name."""
        return self.catalogue.workspaces

    def hide(self, value: Any, answer: Answer | None = None) -> Any:
        """Return `value` without what must not be shown; `answer` is the model it was dumped from, if any.

        What is of a workspace its own guard hides: others know the same people by other pseudonyms.
        """
        return next(iter(self.workspaces.values())).guard.hide(value, answer)

    async def call(
        self,
        name: str,
        arguments: dict[str, Any],
        principal: Principal = OWNER,
        *,
        caller: str = "",
        person: Approver | None = None,
        tell: Tell | None = None,
    ) -> Outcome:
        """Run the tool that callers know as `name`; every failure becomes an outcome that describes it.

        `caller` distinguishes callers without a token, so that they take turns. `person` can be asked for
        consent. `tell` receives the call's place while it waits. Raises Suspension if the call will continue
        with a person's answer.
        """
        if self.copier:
            self.copier.wake()
        tool = self.catalogue.named(name)
        call = ToolCall(
            name=tool.name if tool else NO_TOOL,
            caller=principal.name or caller,
            identity=principal.name,
            grants=principal.grants,
            person=person,
            tell=tell,
            pages=self.pages,
            check_caller=lambda: self._check_caller(principal),
        )
        self._running += 1
        try:
            with self.calls.watch(call):
                return await self._outcome(call, principal, name, tool, arguments)
        finally:
            call.release()
            self._running -= 1
            if not self._running:
                self._idle.set()

    async def _outcome(
        self, call: ToolCall, principal: Principal, name: str, asked: Tool | None, arguments: dict[str, Any]
    ) -> Outcome:
        hide, guard = self.hide, None
        try:
            guard, tool, given = self._found(call, principal, name, asked, arguments)
            hide = guard.hide
            answer = await guard.perform(call, tool, given)
        except Suspension:
            call.outcome = "asked"
            raise
        except CustomerIOError as error:
            # Neither arguments nor Customer.io's words go to the log: both can hold personal data.
            call.outcome, call.status = outcome_of(error), error.status
            if isinstance(error, InvalidArgument) and asked and asked.effect is Effect.READS:
                error.of_read()
            off_in = partial(self.catalogue.off_in, principal, guard)
            error.do += off_note(f"{error.what} {error.do}", off_in, {asked.name} if asked else set())
            if asked:  # else the text quotes a name that is no tool's
                error.what, error.do = map(self.catalogue.worded, (error.what, error.do))
            return Outcome(call.request, hide(error.facts()), hide(str(error)))
        except Exception as fault:
            call.outcome = "fault"
            _log.error("%s: internal error of cio-mcp: %s", call.name, fault_place(fault))
            outcome = "not_sent" if call.sending is None else "unknown"
            effect = "Nothing was sent." if call.sending is None else "It may or may not have taken effect."
            if asked and asked.effect is Effect.READS:
                effect = "Nothing was changed."
            text = f"{name}: internal error of cio-mcp, logged under request {call.request}. {effect}"
            return Outcome(call.request, {"outcome": outcome, "error": text, "retryable": False}, text)
        call.outcome = getattr(answer, "outcome", "done")
        advise(answer, partial(self.catalogue.off_in, principal, guard), self.catalogue.worded)
        facts = hide(answer.model_dump(mode="json", exclude_none=True), answer)
        image = pictures.add(call, facts) if call.as_image or call.as_page else None
        facts |= {name: facts.pop(name) for name in AFTERWARDS if name in facts}
        return Outcome(call.request, facts, image=image)

    def _found(
        self, call: ToolCall, principal: Principal, name: str, tool: Tool | None, arguments: dict[str, Any]
    ) -> tuple[Guard, Tool, dict[str, Any]]:
        """Return what `Catalogue.find` does, if the server is open; records what is denied to the caller."""
        if self.draining:
            raise NotSent("Not sent: this server is shutting down.", do="Call again.", retryable=True)
        try:
            return self.catalogue.find(principal, name, tool, arguments)
        except CustomerIOError as error:
            if tool or arguments.get(WORKSPACE) in self.workspaces:
                self.record.denial(call, tool, arguments, error.what)
            raise

    def _check_caller(self, principal: Principal) -> None:
        """Raise NotAllowed unless a caller still has the grants that the call began with."""
        for grant in principal.grants:
            expired = grant.expires is not None and grant.expires.timestamp() <= self.clock()
            if expired or (self.tokens and not self.tokens.still_gives(grant)):
                what = "has expired" if expired else "was revoked or changed"
                raise NotAllowed(f"Nothing was done: the token {grant.name} {what} while the call waited.")

    async def drain(self, seconds: float) -> None:
        """Refuse new calls, and wait up to `seconds` for running ones to end."""
        self.draining = True
        self._idle.clear()
        if self._running:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._idle.wait()

    async def aclose(self, grace: float = 0.0) -> None:
        """Wait up to `grace` seconds for requests that were sent, then close everything."""
        with self.files:
            self.strangers.write()
            try:
                await asyncio.gather(*(found.client.aclose(grace) for found in self.workspaces.values()))
            finally:
                await self.store.aclose()
                if self.stops is not self.store:
                    await self.stops.aclose()
                if self.copier:
                    await self.copier.aclose()
