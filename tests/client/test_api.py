"""Verbs, paths, credentials, and answers that are not what they should be."""

from urllib.parse import unquote

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cio_mcp.client import Kind
from cio_mcp.client.api import WouldSend, fill
from cio_mcp.errors import InvalidArgument, Refused, UnknownOutcome
from tests.client.wires import Script, connected

pytestmark = pytest.mark.anyio

TEMPLATES = [
    "/api/v1/customers/{value}",
    "/api/v1/customers/{value}/events",
    "/v1/customers/{value}/attributes",
    "/v1/campaigns/{value}/metrics",
    "/v1/campaigns/{value}/triggers",
]


@given(st.sampled_from(TEMPLATES), st.text(max_size=20))
@example(TEMPLATES[0], "../../v1/send/email")
@example(TEMPLATES[0], "a/b?c=d#e")
@example(TEMPLATES[0], "a%2Fb")
@example(TEMPLATES[0], "..;/")
@example(TEMPLATES[0], "//evil.example.com")
@example(TEMPLATES[0], "\\..\\")
@settings(max_examples=500, deadline=None)
def test_no_identifier_changes_the_path(template: str, value: str) -> None:
    try:
        path = fill(template, {"value": value})
    except InvalidArgument:
        return
    request = httpx.Request("GET", httpx.URL("https://track.customer.io" + path, params={"id_type": "id"}))

    before, after = template.split("{value}")
    raw, _, query = request.url.raw_path.decode("ascii").partition("?")
    segment = raw.removeprefix(before).removesuffix(after)
    assert raw == before + segment + after
    assert "/" not in segment
    assert unquote(segment, errors="strict") == value
    assert (request.url.host, query, request.url.fragment) == ("track.customer.io", "id_type=id", "")


@pytest.mark.parametrize("value", ["", ".", "..", "a\nb", "\x00", "\x7f", "\x85", "\ud800"])
def test_what_no_encoding_makes_safe_is_refused_by_name(value: str) -> None:
    with pytest.raises(InvalidArgument, match="customer_id: "):
        fill("/v1/customers/{customer_id}/attributes", {"customer_id": value})


async def test_a_request_carries_method_address_credentials_and_body() -> None:
    async with connected(Script()) as there:
        await there.track().put("/api/v1/customers/{customer_id}", {"plan": "pro"}, customer_id="ä b+@")
        await there.app().get("/v1/customers/{id}/attributes", {"id_type": "email"}, id="a+b@c.d")
        await there.track().delete("/api/v1/customers/{id}", id=1)
        put, get, delete = there.wire.requests  # type: ignore[attr-defined]

    assert f"{put.method} {put.url}" == "PUT https://track.customer.io/api/v1/customers/%C3%A4%20b%2B%40"
    assert put.headers["authorization"] == "Basic c2l0ZTprZXk="
    assert (put.content, put.headers["content-type"]) == (b'{"plan":"pro"}', "application/json")
    assert put.headers["user-agent"] == "cio-mcp/test"
    assert (
        f"{get.method} {get.url}"
        == "GET https://api.customer.io/v1/customers/a%2Bb%40c.d/attributes?id_type=email"
    )
    assert get.headers["authorization"] == "Bearer app-key"
    assert (delete.method, delete.url.path, delete.content) == ("DELETE", "/api/v1/customers/1", b"")


async def test_a_base_address_may_have_a_path_of_its_own() -> None:
    wire = Script()
    async with connected(wire, track_url="http://127.0.0.1:9/proxy/") as there:
        await there.track().post("/api/v1/events", {}, kind=Kind.REPEATABLE)

    assert str(wire.requests[0].url) == "http://127.0.0.1:9/proxy/api/v1/events"


async def test_a_dry_run_reads_but_sends_nothing() -> None:
    wire = Script()
    async with connected(wire) as there:
        await there.app(dry_run=True).get("/v1/campaigns")
        with pytest.raises(WouldSend) as would:
            await there.track(dry_run=True).put("/api/v1/customers/{id}", {"a": 1}, id="x/y")

    assert [request.method for request in wire.requests] == ["GET"]
    assert (would.value.method, would.value.body) == ("PUT", {"a": 1})
    assert would.value.url == "https://track.customer.io/api/v1/customers/x%2Fy"


@pytest.mark.parametrize("body", [b"<html>hi</html>", b"[1]", b"null", b'"ok"', b"{"])
async def test_a_success_that_is_no_json_object_is_not_believed(body: bytes) -> None:
    wire = Script(answer=lambda _: httpx.Response(200, content=body))
    async with connected(wire) as there:
        with pytest.raises(Refused, match="not a JSON object"):
            await there.app().get("/v1/campaigns")
        with pytest.raises(UnknownOutcome, match="Unknown outcome"):
            await there.track().put("/api/v1/customers/{id}", {}, id=1)


@pytest.mark.parametrize("status", [200, 204])
async def test_a_success_may_be_empty(status: int) -> None:
    async with connected(Script(answer=lambda _: httpx.Response(status))) as there:
        assert await there.track().delete("/api/v1/customers/{id}", id=1) == {}


async def test_a_send_without_the_id_it_should_answer_is_unknown() -> None:
    async with connected(Script()) as there:
        with pytest.raises(UnknownOutcome, match=r"has no delivery_id\. Look first"):
            await there.app().post(
                "/v1/send/email", {}, kind=Kind.ONCE, if_unknown="Look first.", expect="delivery_id"
            )


async def explanation_of_401(*, app: bool, before: list[tuple[bool, int]]) -> str:
    """Return what a 401 of one API is explained by, after other answers: (of the App API?, status)."""
    wire = Script()
    async with connected(wire) as there:
        for of_app, status in before:
            wire.ends.append(status)
            await (there.app().get("/v1/x") if of_app else there.track().get("/api/x"))
        wire.ends.append(httpx.Response(401, json={"meta": {"error": "Unauthorized"}}))
        with pytest.raises(Refused) as refused:
            await (there.app().get("/v1/x") if app else there.track().get("/api/x"))
    assert refused.value.status == 401
    assert not any(secret in str(refused.value) for secret in ("app-key", "c2l0ZTprZXk"))
    return refused.value.do


async def test_a_first_401_of_app_names_key_family_ip_limit_and_region() -> None:
    text = await explanation_of_401(app=True, before=[])

    assert all(words in text for words in ("no Track API key", "limited to IP addresses", "CIO_REGION=eu"))


async def test_a_first_401_of_track_does_not_speak_of_ip_limits_which_only_app_keys_have() -> None:
    text = await explanation_of_401(app=False, before=[])

    assert "CIO_SITE_ID" in text
    assert "CIO_REGION=eu" in text
    assert "IP" not in text


async def test_a_401_where_the_other_api_works_is_not_the_regions_fault() -> None:
    assert "CIO_REGION" not in await explanation_of_401(app=True, before=[(False, 200)])
    assert "CIO_REGION" not in await explanation_of_401(app=False, before=[(True, 200)])


async def test_a_401_of_a_key_that_has_worked_means_that_it_was_revoked_or_the_machine_moved() -> None:
    of_app = await explanation_of_401(app=True, before=[(True, 200)])
    of_track = await explanation_of_401(app=False, before=[(False, 200)])

    assert "revoked" in of_app
    assert "IP addresses" in of_app
    assert "revoked" in of_track
    assert "IP addresses" not in of_track
