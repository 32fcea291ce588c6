"""The redirect that Track answers an EU workspace with."""

import httpx
import pytest

from cio_mcp.errors import Refused
from tests.client.wires import Script, connected

pytestmark = pytest.mark.anyio

EU = "https://track-eu.customer.io/api/v1/customers/1"


def to(location: str, status: int = 307) -> httpx.Response:
    return httpx.Response(status, headers={"location": location} if location else {})


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_it_is_followed_with_method_body_and_credentials(
    status: int, caplog: pytest.LogCaptureFixture
) -> None:
    wire = Script([to(EU, status)])
    async with connected(wire) as there:
        await there.track().put("/api/v1/customers/{id}", {"plan": "pro"}, id=1)

    first, second = wire.requests
    assert f"{second.method} {second.url}" == f"PUT {EU}"
    assert second.content == first.content == b'{"plan":"pro"}'
    assert second.headers["authorization"] == first.headers["authorization"]
    assert second.headers["host"] == "track-eu.customer.io"
    assert "CIO_REGION" in caplog.text


@pytest.mark.parametrize(
    "location",
    [
        "http://track-eu.customer.io/api/v1/customers/1",
        "https://evil.example.com/",
        "https://evilcustomer.io/",
        "https://customer.io.evil.example.com/",
        "https://track.customer.io@evil.example.com/",
        "//evil.example.com/",
        "ftp://track.customer.io/",
    ],
)
async def test_credentials_go_to_customer_ios_own_hosts_only(location: str) -> None:
    wire = Script([to(location)])
    async with connected(wire) as there:
        with pytest.raises(Refused, match="the credentials were not sent there"):
            await there.track().put("/api/v1/customers/{id}", {}, id=1)

    assert len(wire.arrivals) == 1


async def test_only_one_step_is_followed() -> None:
    wire = Script([to(EU), to(EU)])
    async with connected(wire) as there:
        with pytest.raises(Refused) as refused:
            await there.track().get("/api/v1/x")

    assert refused.value.status == 307
    assert len(wire.arrivals) == 2
