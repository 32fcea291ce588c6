"""A limit is declared once, and everything that keeps it, counts it or tells of it follows."""

import asyncio
import re
from dataclasses import replace

import httpx
import pytest

from cio_mcp.app.build import build, open_sandbox
from cio_mcp.client import AppApi, CustomerIO
from cio_mcp.client.access import Access
from cio_mcp.client.pacing import Limits
from cio_mcp.errors import NotSent
from cio_mcp.limits import LIMITS, Limit, covering
from cio_mcp.sandbox.routes import TABLES
from cio_mcp.settings import Settings, load
from cio_mcp.settings.scopes import WINDOWS
from cio_mcp.transports.http.metrics import exposition
from tests.client.wires import APP_URL, Script

pytestmark = pytest.mark.anyio

DAY = 86_400
QUOTA = Limit(
    "quota", 100, DAY, re.compile(r"GET /v1/messages/[^/]+/archived_message"), "bodies", within="app"
)


def a_client(wire: Script) -> CustomerIO:
    """Return a client that knows one limit more."""
    access = Access("app", APP_URL, "Bearer app-key")
    return CustomerIO(wire, [access], limits=Limits((QUOTA, *LIMITS)), deadline=30, user_agent="cio-mcp/test")


async def ask(client: CustomerIO, path: str = "/v1/messages/{id}/archived_message") -> None:
    await client.api(AppApi, client.begin()).get(path, id="a/b")


async def test_a_limit_that_is_declared_is_kept_besides_the_wider_one_around_it() -> None:
    wire = Script()
    client = a_client(wire)
    begun = asyncio.get_running_loop().time()
    await asyncio.gather(*(ask(client) for _ in range(100)))
    with pytest.raises(NotSent, match="the quota limit of 100 per 86400 s is in use") as raised:
        await ask(client)
    await ask(client, "/v1/messages/{id}")
    await client.aclose()

    assert 9 <= wire.times[99] - begun <= 10  # ten a second, and not one in a quarter of an hour
    assert raised.value.retry_in == pytest.approx(DAY, abs=20)
    assert {name: counts.ends["200"] for name, counts in client.counts.items()} == {
        **dict.fromkeys((limit.name for limit in LIMITS), 0),
        "quota": 100,
        "app": 1,
    }


async def test_a_429_without_a_pause_does_not_shut_a_limit_of_a_day_for_a_day() -> None:
    wire = Script([429])
    client = a_client(wire)
    await asyncio.gather(*(ask(client) for _ in range(2)), return_exceptions=True)
    await asyncio.sleep(60)
    await ask(client)
    await client.aclose()

    assert wire.times[-1] - wire.times[0] <= 90


async def test_a_limit_that_is_declared_is_counted_in_the_metrics() -> None:
    client = a_client(Script())
    app = build(load({}))
    app.catalogue.workspaces = {"": replace(app.workspaces[""], client=client)}
    await ask(client)
    text = await exposition(app, {}, {})
    await client.aclose()
    await app.aclose()

    for line in ('requests_total{limit="quota",status="200"} 1', 'queue{limit="quota"} 0'):
        assert f"cio_mcp_{line}\n" in text


async def test_the_embedded_sandbox_keeps_the_declared_limits() -> None:
    sandbox = open_sandbox(load({}))
    headers = {"authorization": f"Bearer {sandbox.credentials.app_api_key}"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=sandbox.app), base_url=APP_URL, headers=headers
    ) as http:
        answers = [(await http.get("/v1/campaigns")).status_code for _ in range(11)]
    sandbox.close()

    assert answers == [200] * 10 + [429]


@pytest.mark.parametrize("limit", [limit for limit in LIMITS if limit.setting], ids=lambda limit: limit.name)
def test_a_setting_that_changes_a_limit_has_the_declared_number_as_its_default(limit: Limit) -> None:
    assert Settings.model_fields[limit.setting].default == getattr(limit, limit.sets)


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.name)
def test_a_limit_names_only_limits_and_settings_that_exist(limit: Limit) -> None:
    assert limit.within in {"", *(other.name for other in LIMITS)} - {limit.name}
    assert limit.setting in {"", *Settings.model_fields}


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.name)
def test_no_limit_stands_behind_a_wider_one_that_takes_all_its_requests(limit: Limit) -> None:
    requests = [f"{method} {re.sub('{.+?}', '1', path)}" for method, path, _ in TABLES]

    assert limit in {covering(request)[0] for request in requests}


def test_every_cap_says_over_which_time_it_counts() -> None:
    assert set(WINDOWS) == {
        name for name in Settings.model_fields if name.startswith("max_") and "_per_" in name
    }
