"""What a caller is told of a limit that the sandbox holds to: a pause, or that a day's quota is used up."""

from contextlib import closing

import httpx
import pytest
from mcp import Client

from cio_mcp.app.build import build
from cio_mcp.sandbox import Sandbox
from cio_mcp.server.server import Server
from cio_mcp.settings import load
from tests.agent import Caller, Clock

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("window", "requests", "words", "retryable"),
    [
        # A Retry-After of more than the call's 30 seconds ends it.
        (60, 1, "429: rate limited to 1 requests per 60s (reference ", True),
        (86_400, 1, "429: rate limited to 1 request(s) per day (reference ", False),
    ],
)
async def test_a_limit_that_lasts_is_told_in_customer_ios_words_with_whether_waiting_helps(
    window: float, requests: int, words: str, retryable: bool
) -> None:
    clock, left = Clock(), list[str]()
    sandbox = Sandbox(clock=clock, counts=lambda _: [("lasting", requests, window)])
    port = httpx.ASGITransport(app=sandbox.app)

    async def pass_on(request: httpx.Request) -> httpx.Response:
        left.append(request.url.path)
        response = await port.handle_async_request(request)
        await response.aread()
        return response

    keys = load({"CIO_APP_API_KEY": sandbox.credentials.app_api_key})
    with closing(sandbox):
        app = build(keys, wire=httpx.MockTransport(pass_on), clock=clock)
        async with Client(Server(app)) as client:
            caller = Caller(client)
            await caller.call("list_campaigns")
            text = await caller.fail("list_campaigns")
        await app.aclose()

    assert words in text
    assert (caller.facts["outcome"], caller.facts["retryable"]) == ("refused", retryable)
    assert ("retry_in_seconds" in caller.facts) == retryable
    assert "not executed" in text
    assert len(left) == 2, "it was not tried again"
