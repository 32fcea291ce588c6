"""A workspace that gives the same answers to all: for what the sandbox never says, and the API may."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from mcp import Client

from cio_mcp.app.build import build
from cio_mcp.server.server import Server
from cio_mcp.settings import load
from tests.agent import Clock

# What is answered, by the end of the path asked for: a body, what makes one of the request, or a response.
Bodies = dict[str, Any]


@dataclass
class Canned:
    """Calls tools; keeps what was asked as path and query."""

    client: Client
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    async def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Return the answer of a call that must succeed, without the notice that all quotations have.

        The client has checked it against the tool's output schema.
        """
        result = await self.client.call_tool(tool, arguments)
        assert not result.is_error, result.content
        answer = dict(result.structured_content or {})
        answer.pop("notice", None)
        return answer

    async def fail(self, tool: str, **arguments: Any) -> str:
        """Return the text of a call that must fail."""
        result = await self.client.call_tool(tool, arguments)
        assert result.is_error, result.structured_content
        return str(getattr(result.content[0], "text", ""))


@asynccontextmanager
async def canned(bodies: Bodies) -> AsyncIterator[Canned]:
    """Connect to a workspace that answers as `bodies` say."""
    asked: list[tuple[str, dict[str, str]]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append((request.url.path, dict(request.url.params)))
        found = next(body for end, body in bodies.items() if request.url.path.endswith(end))
        found = found(request) if callable(found) else found
        return found if isinstance(found, httpx.Response) else httpx.Response(200, json=found)

    app = build(
        load({"CIO_APP_API_KEY": "key", "CIO_TOOLSETS": "all"}),
        wire=httpx.MockTransport(answer),
        clock=Clock(),
    )
    async with Client(Server(app)) as client:
        yield Canned(client, asked)
    await app.aclose()
