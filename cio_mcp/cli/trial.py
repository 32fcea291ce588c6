"""A trial of the entry by which an MCP client starts this server, or reaches one, as the client does."""

import asyncio
import logging
import tempfile
from typing import Any, TextIO

import httpx2
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

from cio_mcp import __version__
from cio_mcp.cli.clients.start import Address, Start
from cio_mcp.cli.finding import Finding
from cio_mcp.cli.table import printable
from cio_mcp.server.server import facts

# Seconds. The first start of a package runner may have to fetch this package.
PATIENCE = 60

STATUS = "server_status"


async def try_server(server: Start | Address, patience: float = PATIENCE) -> Finding:
    """Start or reach a server, ask for its status, and end it."""
    logging.getLogger("mcp").setLevel(logging.CRITICAL)  # what is wrong is told in the finding
    if isinstance(server, Address):
        return await _try_address(server, patience)
    parameters = StdioServerParameters(
        command=server.command, args=server.arguments, env=server.env, cwd=server.folder
    )
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
        try:
            async with asyncio.timeout(patience):
                async with Client(stdio_client(parameters, errlog=said)) as client:
                    return await _asked(client, "starts")
        except* TimeoutError:
            why = f"gave no answer in {patience:g} s"
        except* (OSError, ValueError) as errors:
            why = f"cannot be started: {_first(errors)}"
        except* MCPError:
            why = "ended, or answered with something that is not MCP"
        return Finding("entry", "fault", f"{server.command} {why}{_last_line(said, server.env)}", FIX)


async def _try_address(server: Address, patience: float) -> Finding:
    statuses: list[int] = []

    async def remember(response: httpx2.Response) -> None:
        statuses.append(response.status_code)

    http = httpx2.AsyncClient(headers=server.headers, timeout=patience, event_hooks={"response": [remember]})
    why = "gave no answer that is MCP"
    try:
        async with (
            asyncio.timeout(patience),
            http,
            Client(streamable_http_client(server.url, http_client=http)) as client,
        ):
            return await _asked(client, "answers")
    except* TimeoutError:
        why = f"gave no answer in {patience:g} s"
    except* httpx2.HTTPError as errors:
        why = f"cannot be reached: {_first(errors)}"
    except* MCPError:
        if statuses and statuses[-1] >= 400:
            why = f"answered {statuses[-1]}"
    return Finding("entry", "fault", f"{server.url} {why}", FIX_ADDRESS)


FIX_ADDRESS = "check the address, with its path (/mcp), that the server runs, and that the token is valid"
FIX = "correct the entry, or let cio-mcp config CLIENT --write do that; its command must run by itself"


async def _asked(client: Client, how: str) -> Finding:
    tools = (await client.list_tools()).tools
    status = next((tool for tool in tools if tool.name.endswith(STATUS)), None)
    if status is None:
        return Finding("entry", "ok", f"{how} and lists {len(tools)} tools; {STATUS} is off")
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
    return Finding("entry", "ok", f"{how}{other}, lists {len(tools)} tools and works on {'; '.join(told)}")


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
