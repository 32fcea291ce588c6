"""Verbs, paths, credentials, and answers that are not what they should be."""

import ast
import re
from pathlib import Path
from urllib.parse import unquote

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cio_mcp.client import AppApi, CustomerIO, IdType, RequestKind, TrackApi
from cio_mcp.client.access import Access
from cio_mcp.client.call import WouldSend
from cio_mcp.client.pacing import Limits
from cio_mcp.errors import InvalidArgument, Refused, UnknownOutcome
from tests.client.wires import APP_URL, Script, connected

pytestmark = pytest.mark.anyio

SOURCES = [Path(__file__).parents[2] / "cio_mcp" / room for room in ("client", "tools")]


def templates() -> list[str]:
    """Return every path template that is filled for a tool, as the sources hold it."""
    constants = {
        node.value
        for room in SOURCES
        for path in room.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    return sorted(text for text in constants if re.fullmatch(r"/\S*\{\w+\}\S*", text))


TEMPLATES = templates()


def test_the_templates_of_the_tools_are_found_and_their_values_are_whole_segments() -> None:
    assert len(TEMPLATES) > 50
    assert "/api/v1/customers/{customer_id}" in TEMPLATES
    for template in TEMPLATES:
        assert all(re.fullmatch(r"\{\w+\}|[^{}]*", part) for part in template.split("/"))


@given(st.sampled_from(TEMPLATES), st.text(max_size=20))
@example(TEMPLATES[0], "../../v1/send/email")
@example(TEMPLATES[0], "a/b?c=d#e")
@example(TEMPLATES[0], "a%2Fb")
@example(TEMPLATES[0], "..;/")
@example(TEMPLATES[0], "//evil.example.com")
@example(TEMPLATES[0], "\\..\\")
@example(TEMPLATES[0], "a;b=c")
@example(TEMPLATES[0], "%2e%2e")
@example(TEMPLATES[0], "…")
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_identifier_changes_the_path(template: str, value: str) -> None:
    wire = Script()
    names = re.findall(r"\{(\w+)\}", template)
    async with connected(wire) as there:
        try:
            await there.app().get(template, None, **dict.fromkeys(names, value))
        except InvalidArgument:
            assert not wire.arrivals
            return

    url = wire.requests[0].url
    pairs = list(zip(url.raw_path.decode("ascii").split("/"), template.split("/"), strict=True))
    filled = [segment for segment, part in pairs if "{" in part]
    assert all(segment == part for segment, part in pairs if "{" not in part)
    assert [unquote(segment, errors="strict") for segment in filled] == [value] * len(names)
    assert (f"{url.scheme}://{url.host}", url.query, url.fragment) == (APP_URL, b"", "")
    assert all(re.fullmatch(r"[A-Za-z0-9._~%-]+", segment) for segment in filled)


@pytest.mark.parametrize(
    ("value", "segment"),
    [
        ("a/b", "a%2Fb"),
        ("a%2Fb", "a%252Fb"),
        ("ä b+@?#", "%C3%A4%20b%2B%40%3F%23"),
        ("a;b=c&d,e", "a%3Bb%3Dc%26d%2Ce"),
        ("a\\b", "a%5Cb"),
        ("a:b", "a%3Ab"),
        ("...", "..."),
        ("../..", "..%2F.."),
        ("cio_03000001", "cio_03000001"),
        ("\u00a0\u200b", "%C2%A0%E2%80%8B"),
        ("\N{GRINNING FACE}", "%F0%9F%98%80"),
        (7, "7"),
    ],
)
async def test_an_identifier_is_percent_encoded_whole(value: object, segment: str) -> None:
    wire = Script()
    async with connected(wire) as there:
        await there.app().get("/v1/customers/{customer_id}/attributes", customer_id=value)

    assert wire.requests[0].url.raw_path.decode() == f"/v1/customers/{segment}/attributes"


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        (["", ".", ".."], "must not be empty, '.' or '..'"),
        (["\x00", "a\nb", "\x1b", "\x1f", "\x7f", "\x85", "\x9f"], "must not contain control characters"),
        (["\ud800", "x\udfff"], "is not valid Unicode text"),
        (["x" * 1001, "x" * 70_000], "must not be longer than 1000 characters"),
    ],
)
async def test_what_no_encoding_makes_safe_is_refused_by_name(values: list[str], fault: str) -> None:
    wire = Script()
    async with connected(wire) as there:
        for value in values:
            with pytest.raises(InvalidArgument, match=re.escape(f"customer_id: {fault}")):
                await there.track().delete("/api/v1/customers/{customer_id}", customer_id=value)

    assert not wire.arrivals


@pytest.mark.parametrize(
    ("customer_id", "id_type", "on_track", "on_app"),
    [
        ("5", "id", "5", "5"),
        ("a@b.c", "id", "a@b.c", "a@b.c"),
        ("a@b.c", "email", "a@b.c", "a@b.c"),
        ("0300", "cio_id", "cio_0300", "0300"),
        ("cio_0300", "cio_id", "cio_0300", "0300"),
    ],
)
def test_each_api_gets_a_customer_as_it_spells_customers(
    customer_id: str, id_type: IdType, on_track: str, on_app: str
) -> None:
    assert TrackApi.person(customer_id, id_type) == on_track
    assert AppApi.person(customer_id, id_type) == on_app


@pytest.mark.parametrize(
    ("customer_id", "id_type", "words"),
    [("cio_0300", "id", "did you mean id_type=cio_id?"), ("ada", "email", "not an email address")],
)
def test_an_identifier_that_track_would_take_for_another_kind_is_refused(
    customer_id: str, id_type: IdType, words: str
) -> None:
    with pytest.raises(InvalidArgument, match=re.escape(words)):
        TrackApi.person(customer_id, id_type)

    assert AppApi.person(customer_id, id_type) == customer_id


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
        await there.track().post("/api/v1/events", {}, kind=RequestKind.REPEATABLE)

    assert str(wire.requests[0].url) == "http://127.0.0.1:9/proxy/api/v1/events"


async def test_a_dry_run_reads_but_sends_nothing() -> None:
    wire = Script()
    async with connected(wire) as there:
        await there.app(dry_run=True).get("/v1/campaigns")
        with pytest.raises(WouldSend) as would:
            await there.track(dry_run=True).put("/api/v1/customers/{id}", {"a": 1}, id="x/y")

    assert [request.method for request in wire.requests] == ["GET"]
    assert (would.value.request.method, would.value.request.body) == ("PUT", {"a": 1})
    assert would.value.request.url == "https://track.customer.io/api/v1/customers/x%2Fy"


@pytest.mark.parametrize("body", [b"<html>hi</html>", b"OK", b"null", b'"ok"', b"{", b"\xff"])
async def test_a_success_that_is_no_json_object_is_not_believed(body: bytes) -> None:
    wire = Script(answer=lambda _: httpx.Response(200, content=body))
    async with connected(wire) as there:
        with pytest.raises(
            Refused, match=r"api\.customer\.io answered 200 with .* not a JSON object.* proxy"
        ):
            await there.app().get("/v1/campaigns")
        with pytest.raises(UnknownOutcome, match="Unknown outcome") as repeatable:
            await there.track().put("/api/v1/customers/{id}", {}, id=1)
        with pytest.raises(UnknownOutcome, match=r"Look first\.") as once:
            await there.app().post("/v1/send/email", {}, kind=RequestKind.ONCE, if_unknown="Look first.")

    assert (repeatable.value.retryable, once.value.retryable) == (True, False)
    assert (repeatable.value.status, once.value.status) == (200, 200)
    assert len(wire.arrivals) == 3


@pytest.mark.parametrize(("body", "expected"), [(b"[1]", [1]), (b'{"a": 1}', {"a": 1}), (b"", {})])
async def test_where_a_list_is_possible_it_is_taken_too(body: bytes, expected: object) -> None:
    async with connected(Script(answer=lambda _: httpx.Response(200, content=body))) as there:
        assert await there.app().get("/v1/collections/{id}/content", id=1) == expected


@pytest.mark.parametrize("body", [b"<html>hi</html>", b"null", b'"ok"', b"1"])
async def test_what_is_neither_an_object_nor_a_list_is_not_believed(body: bytes) -> None:
    async with connected(Script(answer=lambda _: httpx.Response(200, content=body))) as there:
        with pytest.raises(Refused, match=r"proxy"):
            await there.app().get("/v1/collections/{id}/content", id=1)


async def test_an_answer_that_cannot_be_decoded_tells_nothing_about_its_write() -> None:
    garbled = httpx.ByteStream(b"not gzip")
    wire = Script(answer=lambda _: httpx.Response(200, headers={"content-encoding": "gzip"}, stream=garbled))
    async with connected(wire) as there:
        with pytest.raises(UnknownOutcome, match=r"no answer \(DecodingError\)"):
            await there.app().post("/v1/send/email", {}, kind=RequestKind.ONCE, if_unknown="Look first.")

    assert len(wire.arrivals) == 1


@pytest.mark.parametrize("status", [200, 204])
async def test_a_success_may_be_empty(status: int) -> None:
    async with connected(Script(answer=lambda _: httpx.Response(status))) as there:
        assert await there.track().delete("/api/v1/customers/{id}", id=1) == {}
        assert await there.app().get("/v1/campaigns") == {}


async def test_an_answer_is_handed_on_as_it_came() -> None:
    answer = {"delivery_id": "abc", "more": [1, None, "\N{SNOWMAN}"]}
    async with connected(Script(answer=lambda _: httpx.Response(200, json=answer))) as there:
        sent = await there.app().post("/v1/send/email", {}, kind=RequestKind.ONCE)

    assert sent == answer


async def test_a_client_says_which_apis_its_credentials_open() -> None:
    access = Access("app", APP_URL, "Bearer app-key")
    client = CustomerIO(Script(), [access], limits=Limits(), deadline=1, user_agent="cio-mcp/test")

    assert client.opens(AppApi)
    assert not client.opens(TrackApi)
    await client.aclose()
