"""The MCP server: lists the application's tools, and passes on calls and their outcomes."""

import json
from base64 import b64encode
from typing import Any

from mcp.server.apps import Apps
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.mcpserver import Context, RequestStateSecurity
from mcp.types import (
    CallToolResult,
    ContentBlock,
    ImageContent,
    InputRequiredResult,
    TextContent,
    ToolAnnotations,
)
from mcp.types import Tool as ListedTool
from mcp.types.version import HANDSHAKE_PROTOCOL_VERSIONS

from cio_mcp import __version__
from cio_mcp.app.application import App, Outcome
from cio_mcp.auth.principal import current, recognise
from cio_mcp.client.call import QueuePlace
from cio_mcp.server.elicitation import ApprovalRequest, ClientApprover
from cio_mcp.server.guide_server import RESULTS, GuideServer
from cio_mcp.toolkit.answers.shapes import Pictured

# The key under which a result's metadata holds the facts of a failure. They cannot be structured content:
# that must match the tool's output schema, or clients such as the TypeScript SDK drop the answer and its
# text.
FAILURE = "cio-mcp/failure"

# The key under which a result's metadata holds the id of its call, which the log and the audit log use too.
REQUEST = "cio-mcp/request"

INSTRUCTIONS = """\
Operate a Customer.io workspace: record who customers are and what they do (Track API), read campaigns \
and results, and send messages (App API).

- customer_id identifies a customer; id_type says whether it is an id (the default), an email or a cio_id.
- "accepted" does not mean applied: Customer.io applies a write moments later, or drops invalid or \
conflicting data without an error. check_write tells which.
- Deletions, sends to many people and changes of live content first return a preview: show the user what it \
warns of. To carry one out, repeat the call with its confirmation code. dry_run=true only previews.
- If an outcome is unknown, the error says how to find out. Do that before you repeat a send.
- Times are ISO 8601 or unix seconds, not milliseconds. Without a zone: server_status's timezone.
- Calls wait for their turn under Customer.io's rate limits: make as many as you need at once; for lists, \
identify_customers and track_events.
- Tools to edit messages can be off: server_status.
- Customer.io also says automation for campaign, one-time send for newsletter, profile for customer.
"""


class Server(GuideServer):
    """Serves an application over MCP.

    It does not use the SDK's own tool registration, which silently drops unknown arguments and repeats the
    values of arguments in errors.
    """

    def __init__(self, app: App) -> None:
        super().__init__(
            "cio-mcp",
            title="Customer.io",
            version=__version__,
            instructions=app.catalogue.worded(f"{INSTRUCTIONS}\n{app.catalogue.about}"),
            log_level="WARNING",
            middleware=[self._recognise],
            extensions=[Apps()],
            request_state_security=RequestStateSecurity(keys=[app.state_key]) if app.state_key else None,
        )
        self.app = app

    async def list_tools(self) -> list[ListedTool]:
        """Return the tools that are on for the caller, in MCP's form."""
        return [
            ListedTool(
                name=name,
                title=tool.title,
                description=self.app.catalogue.worded(tool.description),
                input_schema=schema,
                output_schema=self.app.catalogue.described(tool.output_schema),
                annotations=ToolAnnotations(
                    title=tool.title,
                    read_only_hint=tool.hints.read_only,
                    destructive_hint=tool.hints.destructive,
                    idempotent_hint=tool.hints.idempotent,
                    open_world_hint=True,
                ),
                _meta={"ui": {"resourceUri": RESULTS}} if issubclass(tool.result, Pictured) else None,
            )
            for name, tool, schema in self.app.catalogue.listed(current.get())
        ]

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[Any, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        """Run a tool; every failure becomes an answer that describes it."""
        try:
            outcome = await self.app.call(name, arguments, current.get(), **self._client(context))
        except ApprovalRequest as asking:
            return asking.result
        return _result(outcome)

    def _client(self, context: Context[Any, Any] | None) -> dict[str, Any]:
        """Return what is known of the client that sent a request."""
        if context is None:
            return {}

        async def tell(place: QueuePlace) -> None:
            ahead = f", calls ahead: {place.ahead}" if place.ahead else ""
            await context.report_progress(
                round(place.elapsed, 1),
                round(place.elapsed + place.to_go, 1),
                f"{place.what}: {place.elapsed:.0f} s so far, about {place.to_go:.0f} s to go{ahead}.",
            )

        return {"caller": _session(context), "person": ClientApprover(context, self.app.hide), "tell": tell}

    async def _recognise(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        """Set the current principal while a message is answered."""
        if ctx.request is None:  # it came on stdin, from whoever started the process
            return await call_next(ctx)
        token = current.set(recognise(ctx.request, self.app.tokens))
        try:
            return await call_next(ctx)
        finally:
            current.reset(token)


def facts(result: CallToolResult) -> dict[str, Any]:
    """Return the part of a result that is for programs: the answer, or the facts of the failure."""
    return (result.meta or {})[FAILURE] if result.is_error else (result.structured_content or {})


def _session(context: Context[Any, Any]) -> str:
    """Return an id that distinguishes clients if there are no tokens.

    Up to revision 2025-11-25 it is the session's: its parameters are one object throughout the session. Later
    revisions have no sessions, so there it is the client's name and version.
    """
    client = context.session.client_params
    if client is None:
        return ""
    if client.protocol_version in HANDSHAKE_PROTOCOL_VERSIONS:
        return f"session {id(client)}"
    return f"{client.client_info.name} {client.client_info.version}"


def _result(outcome: Outcome) -> CallToolResult:
    """Return an outcome in MCP's form; only an answer, not a failure, has structured content."""
    meta: dict[str, Any] = {REQUEST: outcome.request}
    if outcome.error is None:
        text = json.dumps(outcome.facts, ensure_ascii=False, separators=(",", ":"))
        content: list[ContentBlock] = [TextContent(type="text", text=text)]
        if outcome.image:
            data = b64encode(outcome.image).decode()
            content.append(ImageContent(type="image", data=data, mime_type="image/png"))
        return CallToolResult(content=content, structured_content=outcome.facts, _meta=meta)
    failed = TextContent(type="text", text=outcome.error)
    return CallToolResult(content=[failed], is_error=True, _meta=meta | {FAILURE: outcome.facts})
