"""A client of the imitated APIs that knows nothing of our own."""

import base64
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from cio_mcp.sandbox import Sandbox
from tests.planted import START, a_sandbox

REFERENCE = re.compile(r" \(reference [0-9a-f]{6}\)")


@dataclass
class Clock:
    """A time of day that moves when told to."""

    now: float = START

    def __call__(self) -> float:
        return self.now


@dataclass
class Caller:
    """Speaks HTTP to a sandbox with the right credentials, and a second between any two calls."""

    sandbox: Sandbox
    clock: Clock
    pause: float = 1.0
    http: httpx.AsyncClient = field(init=False)

    def __post_init__(self) -> None:
        transport = httpx.ASGITransport(app=self.sandbox.app)
        self.http = httpx.AsyncClient(transport=transport, base_url="https://sandbox.invalid")

    async def send(self, method: str, path: str, body: Any = None, **options: Any) -> httpx.Response:
        """Return the answer, whatever it is."""
        keys = self.sandbox.credentials
        basic = base64.b64encode(f"{keys.site_id}:{keys.track_api_key}".encode()).decode()
        opens = f"Basic {basic}" if path.startswith("/api/") else f"Bearer {keys.app_api_key}"
        self.clock.now += self.pause
        headers = {"Authorization": opens} | options.pop("headers", {})
        content = {"content": body} if isinstance(body, bytes) else {"json": body}
        return await self.http.request(method, path, headers=headers, **content, **options)

    async def ok(self, method: str, path: str, body: Any = None) -> Any:
        """Return the body of a success."""
        answer = await self.send(method, path, body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def no(self, status: int, method: str, path: str, body: Any = None) -> Any:
        """Return the body of a refusal with this status, without the references for support."""
        answer = await self.send(method, path, body)
        assert answer.status_code == status, answer.text
        return json.loads(REFERENCE.sub("", answer.text))

    async def identify(self, identifier: str, **attributes: Any) -> None:
        await self.ok("PUT", f"/api/v1/customers/{identifier}", attributes)

    async def profile(self, identifier: str, id_type: str = "id") -> Any:
        path = f"/v1/customers/{identifier}/attributes?id_type={id_type}"
        return (await self.ok("GET", path))["customer"]

    async def messages(self, query: str = "") -> list[Any]:
        """Return up to 1000 messages; a list without any is null."""
        return (await self.ok("GET", f"/v1/messages?limit=1000{query}"))["messages"] or []

    async def activities(self, kind: str) -> list[Any]:
        found: list[Any] = (await self.ok("GET", f"/v1/activities?type={kind}&limit=100"))["activities"]
        return found


Calling = Callable[..., Caller]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def calling() -> AsyncIterator[Calling]:
    """Provide a function that makes a caller of a sandbox, and close both at the end."""
    async with AsyncExitStack() as stack:

        def make(sandbox: Sandbox, clock: Clock, pause: float = 1.0) -> Caller:
            caller = Caller(stack.enter_context(closing(sandbox)), clock, pause)
            stack.push_async_callback(caller.http.aclose)
            return caller

        yield make


@pytest.fixture
def caller(calling: Calling, clock: Clock) -> Caller:
    """Provide a caller of a sandbox with its story."""
    return calling(a_sandbox(clock), clock)
