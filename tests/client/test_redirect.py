"""The redirect that Track answers an EU workspace with."""

import httpx
import pytest

from cio_mcp.client import RequestKind
from cio_mcp.errors import Refused, UnknownOutcome
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
        "https://track.customer.io:pw@evil.example.com/",
        "https://evil.example.com/track.customer.io/",
        "https://evil.example.com?.customer.io",
        "https://evil.example.com#.customer.io",
        "https://track.customer.io./",
        "https://customer.io/",
        "//evil.example.com/",
        "ftp://track.customer.io/",
        "https://track-eu.customer.io\x7f/",
        "https://[::1/",
        "mailto:someone@track.customer.io",
        "",
    ],
)
async def test_credentials_go_to_customer_ios_own_hosts_only(location: str) -> None:
    wire = Script([to(location)])
    async with connected(wire) as there:
        with pytest.raises(Refused, match="the credentials were not sent there") as refused:
            await there.track().put("/api/v1/customers/{id}", {}, id=1)

    assert (refused.value.status, refused.value.retryable) == (307, False)
    assert len(wire.arrivals) == 1


@pytest.mark.parametrize(
    ("location", "address"),
    [
        ("/api/v1/elsewhere", "https://track.customer.io/api/v1/elsewhere"),
        ("//track-eu.customer.io/x", "https://track-eu.customer.io/x"),
        ("HTTPS://TRACK-EU.CUSTOMER.IO/x", "https://track-eu.customer.io/x"),
    ],
)
async def test_an_address_may_be_written_in_every_way_that_leads_to_customer_io(
    location: str, address: str
) -> None:
    wire = Script([to(location)])
    async with connected(wire) as there:
        await there.track().put("/api/v1/customers/{id}", {}, id=1)

    assert f"{wire.requests[1].method} {wire.requests[1].url}" == f"PUT {address}"


async def test_what_is_sent_once_is_sent_on_once_and_its_loss_there_is_unknown() -> None:
    wire = Script([to("https://api-eu.customer.io/v1/send/email"), httpx.ReadTimeout])
    async with connected(wire) as there:
        with pytest.raises(UnknownOutcome):
            await there.app().post("/v1/send/email", {}, kind=RequestKind.ONCE)

    assert len(wire.arrivals) == 2


async def test_a_read_has_no_body_to_send_on() -> None:
    wire = Script([to(EU)])
    async with connected(wire) as there:
        await there.track().get("/api/v1/customers/{id}", id=1)

    assert (wire.requests[1].content, "content-length" in wire.requests[1].headers) == (b"", False)


async def test_other_answers_of_the_300s_are_refusals() -> None:
    wire = Script([httpx.Response(303, headers={"location": EU})])
    async with connected(wire) as there:
        with pytest.raises(Refused, match="answered 303"):
            await there.track().get("/api/v1/x")

    assert len(wire.arrivals) == 1


async def test_only_one_step_is_followed() -> None:
    wire = Script([to(EU), to(EU)])
    async with connected(wire) as there:
        with pytest.raises(Refused) as refused:
            await there.track().get("/api/v1/x")

    assert refused.value.status == 307
    assert len(wire.arrivals) == 2
