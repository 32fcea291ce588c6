"""The MCP server: lists the tools, checks every call, and turns every failure into a flagged answer."""

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable
from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.mcpserver import Context, RequestStateSecurity
from mcp.types import (
    CallToolResult,
    InputRequiredResult,
    TextContent,
    ToolAnnotations,
)
from mcp.types import Tool as ListedTool
from mcp.types.version import HANDSHAKE_PROTOCOL_VERSIONS

from cio_mcp import __version__
from cio_mcp.callers.principal import current, recognise
from cio_mcp.callers.tokens import Tokens
from cio_mcp.client.call import Place
from cio_mcp.errors import CustomerIOError, NotSent
from cio_mcp.logs import where
from cio_mcp.safety import ToolCall
from cio_mcp.server.calls import NO_TOOL, Calls, outcome_of
from cio_mcp.server.elicitation import Asking, AtClient
from cio_mcp.server.reading import Reading
from cio_mcp.server.served import Served

_log = logging.getLogger(__name__)

# Where a result keeps the facts of a failure. Structured content must fit the tool's output schema even then,
# or clients such as the TypeScript SDK drop the answer with its text.
FAILURE = "cio-mcp/failure"

# Where a result keeps the id of its call, by which the log and the audit log name it.
REQUEST = "cio-mcp/request"

Hide = Callable[..., Any]

INSTRUCTIONS = """\
Operate a Customer.io workspace: record who customers are and what they did (Track API), read campaigns \
and results, and send messages (App API).

- A customer is named by customer_id; id_type says what it is: id (default), email or cio_id.
- Accepted is not applied: Customer.io takes a write first and applies it moments later, or drops invalid \
or conflicting data without an error. get_customer shows what was applied.
- Deletions and sends to many answer with a preview first; repeat the call with its confirmation code to do \
it. dry_run=true only shows.
- When a call's outcome is unknown, the error says how to find out; never repeat a send or a broadcast \
before that.
- Times: ISO 8601 or unix seconds, never milliseconds. Calls are paced to Customer.io's limits: make them \
freely, they wait their turn.
"""


class Server(Reading):
    """An MCP server over guarded tools; `hide` returns what may be shown of a value, and of an answer's dump.

    `state_key` seals what a client carries from one request to the next; without it that holds in this
    process only. The SDK's own tool registration is left aside: it drops unknown arguments silently and
    echoes their values in errors.
    """

    def __init__(
        self, served: Served, hide: Hide, tokens: Tokens | None = None, state_key: bytes | None = None
    ) -> None:
        super().__init__(
            "cio-mcp",
            title="Customer.io",
            version=__version__,
            instructions=f"{INSTRUCTIONS}\n{served.about}",
            log_level="WARNING",
            middleware=[self._recognise],
            request_state_security=RequestStateSecurity(keys=[state_key]) if state_key else None,
        )
        self._served = served
        self._hide = hide
        self.calls = Calls()
        self._tokens = tokens
        self._running = 0
        self._idle = asyncio.Event()
        self.draining = False

    async def drain(self, seconds: float) -> None:
        """Take no new calls, and give those that run so many seconds to end."""
        self.draining = True
        self._idle.clear()
        if self._running:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._idle.wait()

    async def list_tools(self) -> list[ListedTool]:
        """Return the tools that are on for whoever asks, as MCP describes tools."""
        return [
            ListedTool(
                name=name,
                title=tool.title,
                description=tool.description,
                input_schema=schema,
                output_schema=tool.output_schema,
                annotations=ToolAnnotations(
                    title=tool.title,
                    read_only_hint=tool.hints.read_only,
                    destructive_hint=tool.hints.destructive,
                    idempotent_hint=tool.hints.idempotent,
                    open_world_hint=True,
                ),
            )
            for name, tool, schema in self._served.listed(current.get())
        ]

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[Any, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        """Run a tool; whatever goes wrong becomes an answer that says so."""
        call = _call(self._served.tool_named(name) or NO_TOOL, context, self._hide)
        self._running += 1
        with self.calls.watch(call):
            result = await self._answer(name, arguments, call)
        result.meta = {**(result.meta or {}), REQUEST: call.request}
        return result

    async def _answer(
        self, name: str, arguments: dict[str, Any], call: ToolCall
    ) -> CallToolResult | InputRequiredResult:
        try:
            self._check_open()
            guard, tool, given = self._served.find(current.get(), name, arguments)
            answer = await guard.perform(call, tool, given)
            call.outcome = getattr(answer, "outcome", "done")
        except Asking as asking:
            call.outcome = "asked"
            return asking.result
        except CustomerIOError as error:
            # Neither arguments nor Customer.io's words go to the log: both can hold personal data.
            call.outcome, call.status = outcome_of(error), error.status
            return _failure(self._hide(error.facts()), self._hide(str(error)))
        except Exception as fault:
            call.outcome = "fault"
            _log.error("%s: a fault of cio-mcp: %s", call.name, where(fault))
            text = f"{name}: a fault of cio-mcp itself; see request {call.request} in the server's log."
            outcome = "not_sent" if call.sending is None else "unknown"
            return _failure({"outcome": outcome, "error": text, "retryable": False}, text)
        finally:
            self._running -= 1
            if not self._running:
                self._idle.set()
        content = self._hide(answer.model_dump(mode="json", exclude_none=True), answer)
        return CallToolResult(content=[_text(content)], structured_content=content)

    def _check_open(self) -> None:
        if self.draining:
            raise NotSent("Not sent: this server is shutting down.", do="Call again.", retryable=True)

    async def _recognise(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        """Know whom a message is from for as long as it is answered."""
        token = current.set(recognise(ctx.request, self._tokens))
        try:
            return await call_next(ctx)
        finally:
            current.reset(token)


def facts(result: CallToolResult) -> dict[str, Any]:
    """Return what a result holds for programs: the answer, or what is known of the failure."""
    return (result.meta or {})[FAILURE] if result.is_error else (result.structured_content or {})


def _call(name: str, context: Context[Any, Any] | None, hide: Callable[[str], str]) -> ToolCall:
    """Return a new call for whoever sent the request: a token's name, else a session."""
    known = current.get()
    if context is None:
        return ToolCall(name=name, caller=known.name, grants=known.grants)

    async def tell(place: Place) -> None:
        ahead = f", calls before it: {place.ahead}" if place.ahead else ""
        await context.report_progress(
            round(place.elapsed, 1),
            round(place.elapsed + place.to_go, 1),
            f"{place.what}: {place.elapsed:.0f} s so far, about {place.to_go:.0f} s to go{ahead}.",
        )

    return ToolCall(
        name=name,
        caller=known.name or _session(context),
        grants=known.grants,
        person=AtClient(context, hide),
        tell=tell,
    )


def _session(context: Context[Any, Any]) -> str:
    """Return what tells one client from another where there are no tokens.

    Up to revision 2025-11-25 that is the session, whose parameters are one object for as long as it lasts.
    Later requests stand alone: there it is the client, by its name.
    """
    client = context.session.client_params
    if client is None:
        return ""
    if client.protocol_version in HANDSHAKE_PROTOCOL_VERSIONS:
        return f"session {id(client)}"
    return f"{client.client_info.name} {client.client_info.version}"


def _failure(facts: dict[str, Any], text: str) -> CallToolResult:
    content = [TextContent(type="text", text=text)]
    return CallToolResult(content=content, is_error=True, _meta={FAILURE: facts})


def _text(content: dict[str, Any]) -> TextContent:
    return TextContent(type="text", text=json.dumps(content, ensure_ascii=False, separators=(",", ":")))
