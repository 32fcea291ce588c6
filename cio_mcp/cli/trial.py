"""A trial of the entry by which an MCP client starts this server: over stdio, as the client does it."""

import asyncio
import logging
import tempfile
from typing import Any, TextIO

from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.shared.exceptions import MCPError

from cio_mcp import __version__
from cio_mcp.cli.clients import Start
from cio_mcp.cli.finding import Finding
from cio_mcp.cli.table import printable
from cio_mcp.server.server import facts

# Seconds. The first start of a package runner may have to fetch this package.
PATIENCE = 60

STATUS = "server_status"


async def try_start(start: Start, patience: float = PATIENCE) -> Finding:
    """Start a server, ask for its status, and end it."""
    logging.getLogger("mcp").setLevel(logging.CRITICAL)  # what is wrong is told in the finding
    server = StdioServerParameters(
        command=start.command, args=start.arguments, env=start.env, cwd=start.folder
    )
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
        try:
            async with asyncio.timeout(patience):
                async with Client(stdio_client(server, errlog=said)) as client:
                    return await _asked(client)
        except* TimeoutError:
            why = f"gave no answer in {patience:g} s"
        except* (OSError, ValueError) as errors:
            why = f"cannot be started: {_first(errors)}"
        except* MCPError:
            why = "ended, or answered by something that is not MCP"
        return Finding("entry", "fault", f"{start.command} {why}{_last_line(said, start.env)}", FIX)


FIX = "mend the entry, or let cio-mcp config CLIENT --write do that; its command must run by itself"


async def _asked(client: Client) -> Finding:
    tools = (await client.list_tools()).tools
    status = next((tool for tool in tools if tool.name.endswith(STATUS)), None)
    if status is None:
        return Finding("entry", "ok", f"starts and lists {len(tools)} tools; {STATUS} is off")
    workspaces: list[str | None] = status.input_schema["properties"].get("workspace", {}).get("enum", [None])
    told = []
    for workspace in workspaces:
        result = await client.call_tool(status.name, {"workspace": workspace} if workspace else {})
        answer = facts(result)
        if result.is_error:
            return Finding("entry", "fault", f"{STATUS} failed: {answer.get('error')}", FIX)
        told.append(_told(answer, workspace))
    version = str(answer["version"])
    other = "" if version == __version__ else f" (version {version}; this is {__version__})"
    return Finding("entry", "ok", f"starts{other}, lists {len(tools)} tools and works on {'; '.join(told)}")


def _told(status: dict[str, Any], workspace: str | None) -> str:
    kind = status["environment"]
    where = (
        "the embedded sandbox" if kind == "sandbox" else f"a live workspace ({kind.removeprefix('live, ')})"
    )
    return f"{workspace}: {where}" if workspace else where


def _first(errors: BaseExceptionGroup[Any]) -> str:
    inner: BaseException = errors
    while isinstance(inner, BaseExceptionGroup):
        inner = inner.exceptions[0]
    return getattr(inner, "strerror", None) or str(inner)


def _last_line(said: TextIO, env: dict[str, str]) -> str:
    """Return the last line that a server wrote before it ended, without what may be a key."""
    said.seek(0)
    lines = [line for line in said.read().splitlines() if line.strip()]
    if not lines:
        return ""
    text = lines[-1]
    for value in env.values():
        text = text.replace(value, "…") if len(value) > 3 else text
    return f"; it said: {printable(text)[:300]}"
