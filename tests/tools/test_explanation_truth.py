"""Whatever is missing or odd in what Customer.io says of a planted cause, no other one is made up for it."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from mcp.types import CallToolResult

from cio_mcp.app.build import build
from cio_mcp.sandbox import Sandbox
from cio_mcp.server.server import Server, facts
from cio_mcp.settings import load
from tests.agent import Clock
from tests.forms import CHANGES, Change, said_or_asked, written
from tests.planted import START, a_sandbox
from tests.tools.causes import CAUSES, UNKNOWABLE
from tests.tools.premises import Said, check_explanation
from tests.virtual_time import VirtualTimeLoop

pytestmark = pytest.mark.exhaustive

EVERY = CAUSES | UNKNOWABLE


class Twisted(httpx.AsyncBaseTransport):
    """Answers as the sandbox does in which a cause is planted, with one of its answers changed."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, str], tuple[int, bytes]] = {}
        self.now, self.planted = START, ""
        self.sandbox = a_sandbox(lambda: self.now)
        self.twist("", "", [])

    def twist(self, cause: str, path: str, changes: list[Change]) -> None:
        """Let a cause be planted, and answers change whose path ends like this."""
        self.cause, self.path, self.changes = cause, path, changes
        self.answers: list[tuple[str, Any]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        status, body = await self._as_planted(request)
        if status == 200 and request.url.path.endswith(self.path):
            for change in self.changes:
                body = change.made(body)
        if status in {200, 404}:
            self.answers.append((request.url.path, body))
        return httpx.Response(status, content=written(body))

    async def _as_planted(self, request: httpx.Request) -> tuple[int, Any]:
        asked = self.cause, f"{request.method} {request.url}"
        if asked not in self.known:
            wire = httpx.ASGITransport(app=self._planted().app)
            answer = await wire.handle_async_request(request)
            self.known[asked] = answer.status_code, await answer.aread()
        status, body = self.known[asked]
        return status, json.loads(body)

    def _planted(self) -> Sandbox:
        if self.planted != self.cause:
            self.sandbox.close()
            self.now, self.planted = START, self.cause
            self.sandbox = a_sandbox(lambda: self.now)
            EVERY[self.cause].plant(self.sandbox)
        self.now += 1  # so that no limit of the sandbox's holds anything up
        return self.sandbox


@pytest.fixture(scope="module")
def explaining() -> Iterator[Any]:
    wire = Twisted()
    loop = VirtualTimeLoop()
    environ = {"CIO_APP_API_KEY": wire.sandbox.credentials.app_api_key, "CIO_TOOLSETS": "all"}
    app = build(load(environ), wire=wire, clock=Clock())
    server = Server(app)

    def explain(cause: str, path: str, changes: list[Change]) -> tuple[dict[str, Any], Twisted] | None:
        wire.twist(cause, path, changes)
        result = loop.run_until_complete(server.call_tool("explain_no_message", EVERY[cause].asked))
        assert isinstance(result, CallToolResult)
        return None if result.is_error else (facts(result), wire)

    yield explain
    loop.run_until_complete(app.aclose())
    loop.close()
    wire.sandbox.close()


# What is read of an answer for a cause, by the end of its path.
PATHS = (
    *("/attributes", "/subscription_preferences", "/optouts", "/activities", "/messages", "/actions"),
    *("/customers/u_1001/segments", "/triggers", "/errors", "@example.com", "@example.org"),
)


def test_with_nothing_changed_the_planted_cause_stands(explaining: Any) -> None:
    for cause, planted in EVERY.items():
        answer, wire = explaining(cause, "", [])

        assert answer["cause"] == planted.cause
        check_explanation(answer, Said(wire.answers), told(wire, planted.asked))


@given(st.sampled_from(sorted(EVERY)), st.sampled_from(PATHS), CHANGES)
@example("reported spam", "@example.com", [Change(0, "drop", None)])
@example("bounced last month", "@example.com", [Change(0, "retype", {"suppressions": None})])
@example("delivered after all", "/messages", [Change(0, "retype", {"messages": ["x", 7]})])
@example("never sent", "/messages", [Change(0, "retype", {"messages": ["x", 7]})])
@example("condition not met", "/activities", [Change(0, "retype", [None])])
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_is_odd_in_one_answer_no_cause_is_made_up(
    explaining: Any, cause: str, path: str, changes: list[Change]
) -> None:
    if found := explaining(cause, path, changes):
        answer, wire = found
        check_explanation(answer, Said(wire.answers), told(wire, EVERY[cause].asked))


def told(wire: Twisted, asked: dict[str, Any]) -> set[str]:
    return said_or_asked([body for _, body in wire.answers], asked)
