"""The MCP server: tells clients of the application's tools, and passes calls and outcomes on."""

import json
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
from cio_mcp.app.application import App, Outcome
from cio_mcp.auth.principal import current, recognise
from cio_mcp.client.call import Place
from cio_mcp.server.elicitation import Asking, AtClient
from cio_mcp.server.reading import Reading

# Where a result keeps the facts of a failure. Structured content must fit the tool's output schema even then,
# or clients such as the TypeScript SDK drop the answer with its text.
FAILURE = "cio-mcp/failure"

# Where a result keeps the id of its call, by which the log and the audit log name it.
REQUEST = "cio-mcp/request"

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
    """Speaks MCP for an application.

    The SDK's own tool registration is left aside: it drops unknown arguments silently and echoes their values
    in errors.
    """

    def __init__(self, app: App) -> None:
        super().__init__(
            "cio-mcp",
            title="Customer.io",
            version=__version__,
            instructions=f"{INSTRUCTIONS}\n{app.catalogue.about}",
            log_level="WARNING",
            middleware=[self._recognise],
            request_state_security=RequestStateSecurity(keys=[app.state_key]) if app.state_key else None,
        )
        self.app = app

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
            for name, tool, schema in self.app.catalogue.listed(current.get())
        ]

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[Any, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        """Run a tool; whatever goes wrong becomes an answer that says so."""
        try:
            outcome = await self.app.call(name, arguments, current.get(), **self._client(context))
        except Asking as asking:
            return asking.result
        return _result(outcome)

    def _client(self, context: Context[Any, Any] | None) -> dict[str, Any]:
        """Return what is known of the client that sent a request."""
        if context is None:
            return {}

        async def tell(place: Place) -> None:
            ahead = f", calls before it: {place.ahead}" if place.ahead else ""
            await context.report_progress(
                round(place.elapsed, 1),
                round(place.elapsed + place.to_go, 1),
                f"{place.what}: {place.elapsed:.0f} s so far, about {place.to_go:.0f} s to go{ahead}.",
            )

        return {"caller": _session(context), "person": AtClient(context, self.app.hide), "tell": tell}

    async def _recognise(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        """Know whom a message is from for as long as it is answered."""
        token = current.set(recognise(ctx.request, self.app.tokens))
        try:
            return await call_next(ctx)
        finally:
            current.reset(token)


def facts(result: CallToolResult) -> dict[str, Any]:
    """Return what a result holds for programs: the answer, or what is known of the failure."""
    return (result.meta or {})[FAILURE] if result.is_error else (result.structured_content or {})


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


def _result(outcome: Outcome) -> CallToolResult:
    """Return an outcome as MCP has it; structured content is for answers alone."""
    meta: dict[str, Any] = {REQUEST: outcome.request}
    if outcome.error is None:
        text = json.dumps(outcome.facts, ensure_ascii=False, separators=(",", ":"))
        content = [TextContent(type="text", text=text)]
        return CallToolResult(content=content, structured_content=outcome.facts, _meta=meta)
    content = [TextContent(type="text", text=outcome.error)]
    return CallToolResult(content=content, is_error=True, _meta=meta | {FAILURE: outcome.facts})
