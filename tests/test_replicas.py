"""Two servers behind a load balancer that sends each request to the next one, over real sockets."""

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from itertools import cycle
from typing import Any

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import ElicitResult

from cio_mcp.server.server import facts
from tests.cli.test_sandbox import APP, TRACK, a_port, wait_for
from tests.redis_server import PASSWORD, RedisServer
from tests.transports.test_transports import serving

pytestmark = [pytest.mark.anyio, pytest.mark.processes]

DELETE = {"customer_id": "u_1001"}


class Balancer(httpx2.AsyncHTTPTransport):
    """Sends each request to the next of the servers at `ports`, and keeps which took a call."""

    def __init__(self, ports: list[int]) -> None:
        super().__init__()
        self._next = cycle(ports)
        self.called: list[int] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        request.url = request.url.copy_with(port=next(self._next))
        if b'"tools/call"' in request.content:
            self.called.append(request.url.port or 0)
        return await super().handle_async_request(request)


@contextmanager
def replicas(redis: RedisServer, **environ: str) -> Iterator[list[int]]:
    """Serve two stateless replicas on one workspace; yields their ports."""
    with ExitStack() as running:
        sandbox, _ = running.enter_context(a_port())
        wait_for(f"{sandbox}/v1/customers/u_1001/attributes")
        site_id, track_key = TRACK
        own = {
            "CIO_SANDBOX": "off",
            "CIO_TRACK_URL": sandbox,
            "CIO_APP_URL": sandbox,
            "CIO_SITE_ID": site_id,
            "CIO_TRACK_API_KEY": track_key,
            "CIO_APP_API_KEY": APP["Authorization"].removeprefix("Bearer "),
            "CIO_SHARED_PACE": redis.address,
            "CIO_STATELESS": "true",
        }
        servers = [running.enter_context(serving(**own | environ)) for _ in range(2)]
        yield [int(server.url.rpartition(":")[2]) for server in servers]


@asynccontextmanager
async def balanced(
    ports: list[int], mode: str, elicitation: Any = None
) -> AsyncIterator[tuple[Client, Balancer]]:
    balancer = Balancer(ports)
    async with httpx2.AsyncClient(transport=balancer, timeout=30) as http:
        transport = streamable_http_client(f"http://127.0.0.1:{ports[0]}/mcp", http_client=http)
        async with Client(transport, mode=mode, elicitation_callback=elicitation) as client:
            yield client, balancer


async def test_a_question_of_one_replica_is_answered_at_another(redis: RedisServer) -> None:
    asked: list[str] = []

    async def human(_: Any, params: Any) -> ElicitResult:
        asked.append(params.message)
        return ElicitResult(action="accept", content={})

    with replicas(redis, CIO_CONFIRM="human") as ports:
        async with balanced(ports, "2026-07-28", human) as (client, balancer):
            result = await client.call_tool("delete_customer", DELETE)

    assert not result.is_error, result.content
    assert len(asked) == 1
    assert sorted(balancer.called) == sorted(ports)


@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
async def test_any_replica_answers_any_request(redis: RedisServer, mode: str) -> None:
    with replicas(redis) as ports:
        async with balanced(ports, mode) as (client, balancer):
            preview = await client.call_tool("delete_customer", DELETE)
            code = {"confirmation": facts(preview)["confirmation"]}
            results = [await client.call_tool("delete_customer", DELETE | code) for _ in range(3)]

    assert set(balancer.called) == set(ports)
    assert [result.is_error for result in results] == [False, True, True]


async def test_what_being_stateless_costs_is_told_where_it_is_met(redis: RedisServer) -> None:
    async def human(*_: Any) -> ElicitResult:
        return ElicitResult(action="accept", content={})

    with replicas(redis, CIO_CONFIRM="human") as ports:
        async with balanced(ports, "legacy", human) as (client, _):
            refused = await client.call_tool("delete_customer", DELETE)
            status = await client.call_tool("server_status", {})

    assert "CIO_STATELESS" in str(refused.content)
    assert "CIO_STATELESS" in facts(status)["notes"][0]


async def test_a_replica_without_redis_stays_ready_and_says_what_it_lacks(redis: RedisServer) -> None:
    with replicas(redis) as ports:
        async with httpx2.AsyncClient(trust_env=False, verify=False) as http:
            before = await http.get(f"http://127.0.0.1:{ports[0]}/readyz")
            redis.kill()
            after = await http.get(f"http://127.0.0.1:{ports[0]}/readyz")

    assert (before.status_code, before.json()) == (200, {"status": "ready"})
    assert (after.status_code, after.json()["status"]) == (200, "ready")
    assert "(CIO_SHARED_PACE) cannot be reached" in str(after.json()["degraded"])
    assert PASSWORD not in after.text
