"""What a monitoring system reads over HTTP, and who else may."""

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from cio_mcp.asgi import create_app
from cio_mcp.settings import load
from tests.transports.test_metrics import MADE_UP, values
from tests.transports.test_transports import Served, client, serving

pytestmark = [pytest.mark.anyio, pytest.mark.real_time]


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving() as found:
        yield found


@pytest.mark.processes
async def test_sessions_and_answers_are_counted_while_a_server_serves(served: Served) -> None:
    async with httpx.AsyncClient(trust_env=False, verify=False, base_url=served.url) as http:
        async with client(served, "sse", "legacy") as sse, client(served, "http", "legacy") as mcp:
            await sse.call_tool("get_customer", {"customer_id": "u_1001"})
            await mcp.call_tool("get_customer", {"customer_id": "u_1001"})
            await http.get(f"/{MADE_UP}")
            await http.post("/mcp", json={}, headers={"host": "evil.example"})
            answer = await http.get("/metrics")
        meanwhile = values(answer.text)
        for _ in range(100):
            left = values((await http.get("/metrics")).text)["sessions", "sse"]
            if not left:
                break
            await asyncio.sleep(0.05)

    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert left == 0
    assert meanwhile["sessions", "sse"] == meanwhile["sessions", "http"] == 1
    assert meanwhile["calls_total", "get_customer", "done"] == 2
    assert meanwhile["http_answers_total", "other", "404"] == 1
    assert meanwhile["http_answers_total", "/mcp", "421"] == 1
    assert meanwhile[("pace_shared",)] == 1
    assert [key for key in meanwhile if key[0] == "build_info"]


@pytest.mark.parametrize(
    ("setting", "headers", "status"),
    [
        (None, {}, 200),
        (None, {"host": "metrics.example"}, 403),
        (None, {"x-forwarded-for": "203.0.113.7"}, 403),
        (None, {"x-forwarded-host": "metrics.example"}, 403),
        (None, {"forwarded": "for=203.0.113.7"}, 403),
        (None, {"x-real-ip": "203.0.113.7"}, 403),
        (None, {"via": "1.1 proxy"}, 403),
        ("open", {"host": "metrics.example", "x-forwarded-for": "203.0.113.7"}, 200),
        ("off", {}, 404),
        ("scraping-s3cret-0", {}, 401),
        ("scraping-s3cret-0", {"authorization": "Bearer scraping-s3cret-1"}, 401),
        ("scraping-s3cret-0", {"authorization": "Basic scraping-s3cret-0"}, 401),
        ("scraping-s3cret-0", {"authorization": "Bearer scraping-s3cret-0", "host": "any.example"}, 200),
    ],
)
async def test_who_may_read_them_is_a_setting(
    setting: str | None, headers: dict[str, str], status: int
) -> None:
    answer = await asked(setting, headers, ("127.0.0.1", 40_000))

    assert answer.status_code == status
    assert status in {200, 404} or ("CIO_METRICS" in answer.text and "s3cret" not in answer.text)
    assert (status == 401) == (answer.headers.get("www-authenticate") == "Bearer")


@pytest.mark.parametrize("near", ["203.0.113.7", "no address"])
async def test_by_default_nobody_on_another_host_reads_them(near: str) -> None:
    assert (await asked(None, {}, (near, 40_000))).status_code == 403


async def asked(setting: str | None, headers: dict[str, str], near: tuple[str, int]) -> httpx.Response:
    environ: dict[str, Any] = {"CIO_SANDBOX": "on"} | ({"CIO_METRICS": setting} if setting else {})
    application = create_app(load(environ), transports=["sse"])
    wire = httpx.ASGITransport(application, client=near)
    async with httpx.AsyncClient(transport=wire, base_url="http://127.0.0.1:8000") as http:
        answer = await http.get("/metrics", headers=headers)
    await application.state.app.aclose()
    return answer
