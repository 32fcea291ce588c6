"""An issuer's keys: where they are found, how long they hold, and what happens while it is away."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import JSONResponse, Response

from cio_mcp.auth.oauth import Jwts, Keys, ProtectedResource
from cio_mcp.errors import Unauthorized
from cio_mcp.safety.audit.strangers import Strangers
from cio_mcp.transports.http.authentication import Authenticator
from tests.auth.oauth.issuer import AUDIENCE, Issuer, rsa_key
from tests.virtual_time import VirtualTimeLoop

pytestmark = pytest.mark.anyio


def reading(issuer: Issuer, url: str | None = None, wire: httpx.AsyncBaseTransport | None = None) -> Jwts:
    keys = Keys(issuer.name, url, wire=wire or httpx.ASGITransport(issuer.app))
    return Jwts(ProtectedResource(issuer.name, (AUDIENCE,)), keys)


async def outcome(jwts: Jwts, token: str) -> int:
    """Return the status that a token is answered with."""
    try:
        await jwts.read(token)
    except Unauthorized as error:
        return error.status
    return 200


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("https://issuer.example", "/.well-known/oauth-authorization-server"),
        ("https://issuer.example", "/.well-known/openid-configuration"),
        ("https://issuer.example/", "/.well-known/openid-configuration"),
        ("https://issuer.example/tenant", "/.well-known/oauth-authorization-server/tenant"),
        ("https://issuer.example/tenant", "/.well-known/openid-configuration/tenant"),
        ("https://issuer.example/tenant", "/tenant/.well-known/openid-configuration"),
    ],
)
async def test_keys_are_found_wherever_an_issuer_may_have_its_metadata(name: str, place: str) -> None:
    issuer = Issuer(name)
    issuer.metadata_at = place

    assert await outcome(reading(issuer), issuer.token()) == 200


async def test_where_the_keys_are_can_be_said_and_then_no_metadata_is_asked_for() -> None:
    issuer = Issuer()

    assert await outcome(reading(issuer, "https://keys.example/v1/keys"), issuer.token()) == 200
    assert dict(issuer.asked) == {"/v1/keys": 1}


class Refusing(httpx.AsyncBaseTransport):
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("secret words", request=request) from ConnectionRefusedError()


class Silent(httpx.AsyncBaseTransport):
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(3600)
        raise httpx.ReadTimeout("too late", request=request)


TROUBLE: list[tuple[dict[str, Any], str]] = [
    ({"metadata": {"issuer": "https://other.example"}}, "is the metadata of another issuer"),
    ({"metadata": {"jwks_uri": "http://issuer.example/keys"}}, "names no https address for the keys"),
    ({"metadata": {"jwks_uri": "https://user@issuer.example/keys"}}, "names no https address for the keys"),
    ({"metadata": {"jwks_uri": 1}}, "names no https address for the keys"),
    (
        {"metadata": {"jwks_uri": "https://issuer.example/nothing"}},
        "https://issuer.example/nothing holds no keys",
    ),
    ({"metadata_at": "/nowhere"}, "it has no metadata; set CIO_OAUTH_ISSUER to its exact name"),
    ({"answer": lambda: Response("oops", 500)}, "https://issuer.example/keys answers 500"),
    (
        {"answer": lambda: Response("<html>")},
        "https://issuer.example/keys does not answer with a JSON object",
    ),
    ({"answer": lambda: JSONResponse([])}, "https://issuer.example/keys does not answer with a JSON object"),
    ({"answer": lambda: JSONResponse({"keys": "none"})}, "https://issuer.example/keys holds no keys"),
    ({"url": "https://issuer.example/moved"}, "answers 307, a redirect, which is not followed"),
    ({"wire": Refusing()}, "issuer.example:443 refuses connections"),
    ({"wire": Silent()}, "it does not answer in time"),
]


@pytest.mark.parametrize(("wrong", "words"), TROUBLE)
async def test_why_keys_cannot_be_fetched_is_one_line_for_the_operator_and_503_for_the_caller(
    wrong: dict[str, Any], words: str, caplog: pytest.LogCaptureFixture
) -> None:
    issuer = Issuer()
    for name in wrong.keys() & {"metadata", "metadata_at", "answer"}:
        setattr(issuer, name, wrong[name])
    jwts = reading(issuer, wrong.get("url"), wrong.get("wire"))

    for _ in range(3):
        with pytest.raises(Unauthorized) as error:
            await jwts.read(issuer.token())
        assert error.value.status == 503
        assert str(error.value).startswith("the keys of https://issuer.example cannot be fetched now")
        await asyncio.sleep(60)
    assert [record.levelno for record in caplog.records if "cannot be fetched" in record.message] == [
        logging.WARNING
    ]
    assert words in caplog.text
    assert "secret" not in caplog.text


async def test_a_new_key_is_found_at_once_and_the_next_after_a_pause() -> None:
    issuer = Issuer()
    jwts = reading(issuer)
    found = [await outcome(jwts, issuer.token())]
    for name in ("second", "third"):
        issuer.add(name, rsa_key())
        found.append(await outcome(jwts, issuer.token(name)))
    await asyncio.sleep(11)
    found.append(await outcome(jwts, issuer.token("third")))

    assert found == [200, 200, 401, 200]
    assert issuer.asked["/keys"] == 3


async def test_a_key_that_the_issuer_withdraws_stops_working_within_ten_minutes() -> None:
    issuer = Issuer()
    jwts = reading(issuer)
    token = issuer.token()
    assert await outcome(jwts, token) == 200
    issuer.add("second", rsa_key())
    issuer.published.remove("first")
    await asyncio.sleep(590)
    before = await outcome(jwts, token)
    fetched = issuer.asked["/keys"]
    await asyncio.sleep(20)
    after = await outcome(jwts, token)

    assert (before, fetched, after) == (200, 1, 401)


async def test_known_keys_work_for_as_long_as_the_issuer_is_away_and_hardly_wait_for_it() -> None:
    issuer = Issuer()
    away: list[httpx.AsyncBaseTransport] = []

    class Wire(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            wire = away[0] if away else httpx.ASGITransport(issuer.app)
            return await wire.handle_async_request(request)

    jwts, clock = reading(issuer, wire=Wire()), asyncio.get_running_loop().time
    token = issuer.token()
    assert await outcome(jwts, token) == 200
    away.append(Silent())
    waited = []
    for _ in range(4):
        await asyncio.sleep(700)
        begun = clock()
        assert await outcome(jwts, token) == 200
        waited.append(clock() - begun)
    away.clear()
    issuer.published.clear()
    await asyncio.sleep(700)
    await outcome(jwts, token)  # begins to fetch, and is not kept waiting
    await asyncio.sleep(1)

    assert waited == [5, 0, 0, 0]
    assert await outcome(jwts, token) == 401
    await jwts.keys.aclose()


async def test_who_asks_what_is_wrong_with_the_issuer_learns_when_it_is_back_though_nobody_calls() -> None:
    issuer = Issuer()
    jwts = reading(issuer)
    async with Authenticator(None, jwts, Strangers(None)) as authenticator:
        assert await outcome(jwts, issuer.token()) == 200
        issuer.asked.clear()
        assert authenticator.trouble() == ""
        issuer.answer = lambda: Response("gone fishing", 502)
        assert await outcome(jwts, issuer.token(headers={"kid": "newer"})) == 503
        for _ in range(30):
            assert "answers 502" in authenticator.trouble()
            await asyncio.sleep(1)
        asked = issuer.asked["/keys"]
        issuer.answer = None
        await asyncio.sleep(10)
        authenticator.trouble()
        await asyncio.sleep(1)
        assert authenticator.trouble() == ""

    assert 3 <= asked <= 4


async def test_many_that_need_a_key_at_once_ask_for_it_once() -> None:
    issuer = Issuer()
    jwts = reading(issuer)

    assert await asyncio.gather(*(outcome(jwts, issuer.token()) for _ in range(20))) == [200] * 20
    assert issuer.asked["/keys"] == 1


async def test_a_fetch_ends_with_the_server() -> None:
    jwts = reading(Issuer(), wire=Silent())
    fetching = jwts.keys.fetch()
    assert fetching

    await jwts.keys.aclose()
    assert fetching.cancelled()


def among(*others: object) -> Callable[[Issuer], list[object]]:
    return lambda issuer: [*others, issuer.jwk("first")]


def changed(**fields: object) -> Callable[[Issuer], list[object]]:
    return lambda issuer: [{**issuer.jwk("first"), **fields}]


@pytest.mark.parametrize(
    ("published", "status"),
    [
        (among("odd", None, {}, {"kty": "oct", "k": "c2VjcmV0", "kid": "first", "alg": "HS256"}), 200),
        (changed(alg="RS256"), 200),
        (changed(use="enc"), 401),
        (changed(alg="RS512"), 401),
        (changed(alg="HS256"), 401),
        (changed(kid="other"), 401),
        (changed(n="odd!"), 401),
        (changed(kty="EC", crv="P-256"), 401),
    ],
)
async def test_a_key_serves_only_for_what_it_was_published_for(
    published: Callable[[Issuer], list[object]], status: int
) -> None:
    issuer = Issuer()
    issuer.answer = lambda: JSONResponse({"keys": published(issuer)})

    assert await outcome(reading(issuer), issuer.token()) == status


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
async def test_a_weak_key_is_refused() -> None:
    issuer = Issuer()
    issuer.add("weak", rsa.generate_private_key(65537, 1024))

    assert await outcome(reading(issuer), issuer.token("weak")) == 401


async def test_a_key_of_another_curve_is_refused() -> None:
    issuer = Issuer()
    issuer.add("longer", ec.generate_private_key(ec.SECP384R1()))
    issuer.add("second", ec.generate_private_key(ec.SECP256R1()))
    jwts = reading(issuer)

    assert await outcome(jwts, issuer.token("second")) == 200
    assert await outcome(jwts, issuer.token("second", headers={"kid": "longer"})) == 401


@pytest.mark.parametrize(("more", "status"), [(0, 200), (1, 401)])
async def test_a_token_that_names_no_key_needs_the_issuer_to_have_one(more: int, status: int) -> None:
    issuer = Issuer()
    if more:
        issuer.add("second", rsa_key())
    token = issuer.token(headers={"kid": None})

    assert await outcome(reading(issuer), token) == status


ISSUER = Issuer()
SIGNED = ISSUER.token(exp=4_000_000_000)


@given(
    st.text() | st.lists(st.text("aZ09-_="), min_size=3, max_size=3).map(".".join),
    st.integers(0, len(SIGNED) - 1),
)
def test_whatever_is_sent_is_refused_in_one_line_unless_the_issuer_signed_it(text: str, at: int) -> None:
    async def read() -> list[str]:
        jwts, lines = reading(ISSUER), []
        for token in (text, SIGNED[:at] + text + SIGNED[at:], SIGNED[:at] + SIGNED[at + 1 :]):
            if token != SIGNED:
                with pytest.raises(Unauthorized) as error:
                    await jwts.read(token)
                lines.append(str(error.value))
        return lines

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        lines = runner.run(read())
    assert all(line.isprintable() and len(line) < 200 and '"' not in line for line in lines)
