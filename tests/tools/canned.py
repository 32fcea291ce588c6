"""A workspace that gives the same answers to all: for what the sandbox never says, and the API may."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from mcp import Client

from cio_mcp.app.build import build
from cio_mcp.server.server import Server
from cio_mcp.settings import load
from tests.agent import Caller, Clock
from tests.planted import START

# What is answered, by the end of the path asked for: a body, what makes one of the request, or a response.
Bodies = dict[str, Any]


class Canned(Caller):
    """Calls tools; keeps what was `asked` as path and query."""

    def __init__(self, client: Client, asked: list[tuple[str, dict[str, str]]]) -> None:
        super().__init__(client)
        self.asked = asked

    async def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Return the answer of a call that must succeed, without the notice that all quotations have."""
        answer = await super().call(tool, **arguments)
        answer.pop("notice", None)
        return answer


@asynccontextmanager
async def canned(bodies: Bodies, at: float = START, **variables: str) -> AsyncIterator[Canned]:
    """Connect to a workspace that answers as `bodies` say, at a time, with more variables set."""
    asked: list[tuple[str, dict[str, str]]] = []
    clock = Clock()

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append((request.url.path, dict(request.url.params)))
        found = next(body for end, body in bodies.items() if request.url.path.endswith(end))
        found = found(request) if callable(found) else found
        return found if isinstance(found, httpx.Response) else httpx.Response(200, json=found)

    app = build(
        load({"CIO_APP_API_KEY": "key", "CIO_TOOLSETS": "all"} | variables),
        wire=httpx.MockTransport(answer),
        clock=lambda: clock() - START + at,
    )
    async with Client(Server(app)) as client:
        yield Canned(client, asked)
    await app.aclose()
