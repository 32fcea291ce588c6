"""JWTs of an issuer: who comes in, who does not, and what they may do."""

import base64
import hmac
import json
import socket
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from mcp import Client
from mcp.client.auth.extensions.client_credentials import ClientCredentialsOAuthProvider
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthToken
from starlette.responses import Response

from cio_mcp.auth.tokens import add
from cio_mcp.cli import main
from cio_mcp.safety.grant import Grant
from tests.auth.oauth.issuer import AUDIENCE, Issuer, issuing, rsa_key
from tests.auth.test_tokens import WAYS, calling, see_that_one_only_reads
from tests.test_logs import said
from tests.transports.test_transports import Served, serving

pytestmark = [pytest.mark.anyio, pytest.mark.processes]


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with issuing() as found:
        yield found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("oauth")


@pytest.fixture(scope="module")
def token(folder: Path) -> str:
    return add(folder / "tokens.json", Grant(name="ada", permissions=("read",)))


@pytest.fixture(scope="module")
def served(issuer: Issuer, folder: Path, token: str) -> Iterator[Served]:
    assert token
    with serving(
        CIO_OAUTH_ISSUER=issuer.name,
        CIO_OAUTH_AUDIENCE=f"{AUDIENCE},https://cio.example/sse,cio",
        CIO_TOKENS_FILE=str(folder / "tokens.json"),
        CIO_AUDIT_LOG=str(folder / "audit.log"),
    ) as found:
        yield found


async def knock(served: Served, token: str | None, path: str = "/mcp") -> httpx.Response:
    """Send a request that is answered 400 to whoever comes in."""
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(trust_env=False, verify=False, base_url=served.url) as http:
        accept = {"accept": "application/json, text/event-stream"}
        return await http.post(path, json={"jsonrpc": "2.0"}, headers=headers | accept)


@pytest.mark.parametrize(("transport", "mode"), WAYS)
async def test_scopes_narrow_what_is_listed_and_what_can_be_called(
    served: Served, issuer: Issuer, transport: str, mode: str
) -> None:
    reads, does_all = issuer.token(scope="openid cio:read"), issuer.token()
    await see_that_one_only_reads(served, reads, does_all, transport, mode)


async def test_scopes_never_widen_what_the_server_allows(issuer: Issuer) -> None:
    bounds = {"CIO_OAUTH_ISSUER": issuer.name, "CIO_OAUTH_AUDIENCE": AUDIENCE}
    with serving(CIO_PERMISSIONS="read", CIO_OAUTH_SCOPE_PREFIX="https://cio.example/", **bounds) as found:
        scopes = "https://cio.example/read https://cio.example/write cio:send"
        async with calling(found, issuer.token(scope=scopes)) as client:
            listed = {tool.name for tool in (await client.list_tools()).tools}
            written = await client.call_tool("identify_customer", {"customer_id": "u_1001"})
        none = await knock(found, issuer.token())
        async with httpx.AsyncClient(trust_env=False, verify=False, base_url=found.url) as http:
            about = (await http.get("/.well-known/oauth-protected-resource")).json()

    assert "get_customer" in listed
    assert "identify_customer" not in listed
    assert written.is_error
    assert none.status_code == 403
    assert about["scopes_supported"] == ["https://cio.example/read"]


async def test_a_token_of_the_file_beside_a_jwt_of_the_same_name_keeps_its_own_bounds(
    served: Served, issuer: Issuer, token: str
) -> None:
    async with calling(served, token) as one, calling(served, issuer.token(sub="ada")) as other:
        listed = [{tool.name for tool in (await client.list_tools()).tools} for client in (one, other)]

    assert "get_customer" in listed[0] & listed[1]
    assert "identify_customer" in listed[1] - listed[0]


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"sub": "auth0|5f7c8ec7", "client_id": "desk"}, "user:auth0|5f7c8ec7"),
        ({"sub": None, "client_id": "nightly"}, "client:nightly"),
        ({"sub": None, "client_id": None, "azp": "nightly"}, "client:nightly"),
    ],
)
async def test_the_audit_log_names_the_user_or_else_the_client(
    served: Served, issuer: Issuer, folder: Path, claims: dict[str, Any], name: str
) -> None:
    async with calling(served, issuer.token(**claims)) as client:
        await client.call_tool("track_event", {"customer_id": "u_1001", "name": "seen"})

    calls = [json.loads(line) for line in (folder / "audit.log").read_text().splitlines()]
    assert [call["caller"] for call in calls if call.get("caller")][-1] == name


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": ["https://other.example", AUDIENCE]},
        {"aud": "https://cio.example/sse"},
        {"aud": f"{AUDIENCE}/"},
        {"aud": "cio"},
        {"scope": None, "scp": "cio:read"},
        {"scope": None, "scp": ["cio:read", 1]},
        {"exp": -10},
        {"nbf": 10},
        {"headers": {"typ": "JWT"}},
    ],
)
async def test_what_issuers_write_differently_holds_as_well(
    served: Served, issuer: Issuer, claims: dict[str, Any]
) -> None:
    now = int(time.time())
    claims = {name: now + value if isinstance(value, int) else value for name, value in claims.items()}
    assert (await knock(served, issuer.token(**claims))).status_code == 400


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def forged(issuer: Issuer, how: str) -> str:
    """Return a token that says it is the issuer's, and is not."""
    claims = jwt.decode(issuer.token(), options={"verify_signature": False})
    if how == "none":
        return jwt.encode(claims, "", "none", {"kid": "first"})
    if how == "stranger":
        return jwt.encode(claims, rsa_key(), "RS256", {"kid": "first"})
    header, payload, signature = issuer.token().split(".")
    if how == "changed":
        return f"{header}.{encoded(json.dumps(claims | {'sub': 'grace'}).encode())}.{signature}"
    public = issuer.keys["first"].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    text = ".".join((encoded(json.dumps({"alg": "HS256", "kid": "first"}).encode()), payload))
    return f"{text}.{encoded(hmac.digest(public, text.encode(), 'sha256'))}"


FORGED = [
    ("none", "the token is not signed with one of RS256, RS384"),
    ("public key", "the token is not signed with one of RS256, RS384"),
    ("stranger", "the token's signature is wrong"),
    ("changed", "the token's signature is wrong"),
]


@pytest.mark.parametrize(("how", "words"), FORGED)
async def test_a_forged_token_does_not_come_in(served: Served, issuer: Issuer, how: str, words: str) -> None:
    refused(await knock(served, forged(issuer, how)), words)


def refused(answer: httpx.Response, words: str, status: int = 401, error: str = "invalid_token") -> None:
    """Assert that an answer refuses with one clear line, and tells a client where to go."""
    line = answer.json()["error_description"]
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert words in line
    assert len(answer.text.splitlines()) == 1
    challenge = answer.headers["www-authenticate"]
    assert f'error="{error}", error_description="{line}"' in challenge
    assert 'resource_metadata="https://cio.example/.well-known/oauth-protected-resource/mcp"' in challenge


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"exp": int(time.time()) - 60}, "the token has expired"),
        ({"nbf": int(time.time()) + 600}, "the token is not valid yet"),
        ({"iat": int(time.time()) + 600}, "the token is not valid yet"),
        ({"aud": "https://other.example/mcp"}, f"the token is for another audience than {AUDIENCE}"),
        ({"aud": "https://cio.example"}, f"the token is for another audience than {AUDIENCE}"),
        ({"iss": "https://other.example"}, "the token is from another issuer than http://127.0.0.1"),
        ({"exp": None}, "the token has no exp"),
        ({"aud": None}, "the token has no aud"),
        ({"iss": None}, "the token is from another issuer"),
        ({"sub": None, "client_id": None}, "the token names nobody"),
        ({"sub": "two\nlines", "client_id": ""}, "the token names nobody"),
        ({"exp": "soon"}, "the token is not a readable JWT"),
        ({"headers": {"kid": "nobodys"}}, "the token is signed with a key that the issuer does not have"),
        ({"headers": {"typ": "logout+jwt"}}, "the token's typ says that it is not an access token"),
    ],
)
async def test_a_token_that_does_not_hold_here_does_not_come_in(
    served: Served, issuer: Issuer, claims: dict[str, Any], words: str
) -> None:
    refused(await knock(served, issuer.token(**claims)), words)


NO_TOKENS = ["x", "a.b.c", "cio_mcp_unknown", "..", f"{'a' * 5000}.e30.e30"]


@pytest.mark.parametrize("text", NO_TOKENS)
async def test_what_is_no_token_does_not_come_in(served: Served, text: str) -> None:
    refused(await knock(served, text), "the token is not a readable JWT")


@pytest.mark.parametrize("scope", [None, "", "openid", "cio:read2 read", {"cio:read": 1}, 1])
async def test_a_token_without_scopes_is_told_which_there_are(
    served: Served, issuer: Issuer, scope: Any
) -> None:
    answer = await knock(served, issuer.token(scope=scope))

    words = "the token has none of the scopes cio:read, cio:write, cio:delete, cio:send"
    refused(answer, words, 403, "insufficient_scope")
    assert 'scope="cio:read cio:write cio:delete cio:send"' in answer.headers["www-authenticate"]


@pytest.mark.parametrize(("path", "place"), [("/mcp", "/mcp"), ("/sse", "/sse"), ("/messages/", "/mcp")])
async def test_who_brings_no_token_is_told_where_to_get_one(served: Served, path: str, place: str) -> None:
    method = "GET" if path == "/sse" else "POST"
    async with httpx.AsyncClient(trust_env=False, verify=False, base_url=served.url) as http:
        answer = await http.request(method, path)

    assert answer.status_code == 401
    address = f"https://cio.example/.well-known/oauth-protected-resource{place}"
    assert answer.headers["www-authenticate"] == f'Bearer resource_metadata="{address}"'
    assert answer.json()["error_description"] == "a bearer token is needed, in the header Authorization"


@pytest.mark.parametrize(("path", "resource"), [("", "/mcp"), ("/mcp", "/mcp"), ("/sse", "/sse")])
async def test_metadata_says_whom_to_ask_for_a_token_and_for_what(
    served: Served, issuer: Issuer, path: str, resource: str
) -> None:
    async with httpx.AsyncClient(trust_env=False, verify=False, base_url=served.url) as http:
        answer = await http.get(
            f"/.well-known/oauth-protected-resource{path}", headers={"origin": "https://inspector.example"}
        )

    assert answer.json() == {
        "resource": f"https://cio.example{resource}",
        "resource_name": "Customer.io",
        "authorization_servers": [issuer.name],
        "scopes_supported": ["cio:read", "cio:write", "cio:delete", "cio:send"],
        "bearer_methods_supported": ["header"],
    }
    assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(
    "key", [ec.generate_private_key(ec.SECP256R1()), ed25519.Ed25519PrivateKey.generate()]
)
async def test_a_key_that_the_issuer_changed_to_is_found(
    issuer: Issuer, key: ec.EllipticCurvePrivateKey
) -> None:
    bounds = {"CIO_OAUTH_ISSUER": issuer.name, "CIO_OAUTH_AUDIENCE": AUDIENCE}
    with serving(**bounds) as found:
        before = await knock(found, issuer.token())
        issuer.add("second", key)
        after = await knock(found, issuer.token("second"))
        old = await knock(found, issuer.token())
        issuer.published.remove("second")

    assert [answer.status_code for answer in (before, after, old)] == [400, 400, 400]


async def test_a_flood_of_unknown_keys_is_no_flood_for_the_issuer(served: Served, issuer: Issuer) -> None:
    await knock(served, issuer.token(headers={"kid": "nobodys"}))
    issuer.asked.clear()
    answers = [await knock(served, issuer.token(headers={"kid": f"nobodys{n}"})) for n in range(30)]

    assert {answer.status_code for answer in answers} == {401}
    assert issuer.asked["/keys"] <= 1


async def test_while_the_issuer_is_away_known_keys_work_and_others_cannot_be_judged() -> None:
    with issuing() as issuer:
        bounds = {"CIO_OAUTH_ISSUER": issuer.name, "CIO_OAUTH_AUDIENCE": AUDIENCE}
        with serving(**bounds) as found:
            before = await knock(found, issuer.token())
            issuer.answer = lambda: Response("gone fishing", 502)
            known = await knock(found, issuer.token())
            unknown = await knock(found, issuer.token(headers={"kid": "newer"}))
            async with httpx.AsyncClient(trust_env=False, verify=False) as http:
                ready = await http.get(f"{found.url}/readyz")
            told = said(found)

    assert [answer.status_code for answer in (before, known, unknown)] == [400, 400, 503]
    words = f"the keys of {issuer.name} cannot be fetched now; try again later"
    assert unknown.json()["error_description"] == words
    assert unknown.headers["retry-after"] == "10"
    why = f"the keys of {issuer.name} cannot be fetched: {issuer.name}/keys answers 502"
    assert (ready.status_code, ready.json()) == (200, {"status": "ready", "degraded": [why]})
    assert told.count("cannot be fetched") == 1
    assert f"{issuer.name}/keys answers 502; tokens signed with known keys keep working" in told


class Memory:
    """What a client of OAuth knows, for as long as it runs."""

    tokens: OAuthToken | None = None
    client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


@pytest.fixture(scope="module")
def own(issuer: Issuer) -> Iterator[Served]:
    """Serve under the address that the issuer knows."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = str(probe.getsockname()[1])
    bounds = {"CIO_OAUTH_ISSUER": issuer.name, "CIO_OAUTH_AUDIENCE": f"http://127.0.0.1:{port}"}
    with serving("--port", port, **bounds) as found:
        yield found


@pytest.mark.parametrize(("transport", "mode"), WAYS)
async def test_an_agent_that_knows_only_the_address_finds_the_issuer_and_comes_in(
    own: Served, issuer: Issuer, transport: str, mode: str
) -> None:
    address = f"{own.url}/{'sse' if transport == 'sse' else 'mcp'}"
    auth = ClientCredentialsOAuthProvider(address, Memory(), "nightly", "s3cret", issuer=issuer.name)
    async with httpx2.AsyncClient(auth=auth, verify=False) as http:
        way = (
            sse_client(address, auth=auth)
            if transport == "sse"
            else streamable_http_client(address, http_client=http)
        )
        async with Client(way, mode=mode) as client:
            result = await client.call_tool("get_customer", {"customer_id": "u_1001"})

    assert not result.is_error
    assert issuer.granted[-1]["resource"] == own.url
    assert issuer.granted[-1]["scope"] == "cio:read cio:write cio:delete cio:send"


async def test_a_session_belongs_to_the_user_that_began_it(served: Served, issuer: Issuer) -> None:
    hello = {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "t", "version": "1"},
    }
    accept = {"accept": "application/json, text/event-stream"}
    async with httpx.AsyncClient(trust_env=False, verify=False, base_url=served.url, headers=accept) as http:

        async def post(sub: str, method: str, **more: Any) -> httpx.Response:
            headers = {"authorization": f"Bearer {issuer.token(sub=sub)}"} | more.pop("headers", {})
            return await http.post(
                "/mcp", json={"jsonrpc": "2.0", "id": 1, "method": method, **more}, headers=headers
            )

        begun = await post("ada", "initialize", params=hello)
        session = {"mcp-session-id": begun.headers["mcp-session-id"]}
        stolen = await post("grace", "tools/list", headers=session)
        later = await post("ada", "tools/list", headers=session)

    assert [answer.status_code for answer in (begun, stolen, later)] == [200, 404, 200]


@pytest.mark.parametrize(
    ("environ", "line"),
    [
        ({"CIO_OAUTH_ISSUER": "http://issuer.example"}, "CIO_OAUTH_ISSUER: must be a plain https address"),
        ({"CIO_OAUTH_ISSUER": "issuer"}, "CIO_OAUTH_ISSUER: must be a plain https address"),
        (
            {"CIO_OAUTH_ISSUER": "https://i.example"},
            "CIO_OAUTH_AUDIENCE: is missing; CIO_OAUTH_ISSUER is set",
        ),
        ({"CIO_OAUTH_AUDIENCE": AUDIENCE}, "CIO_OAUTH_ISSUER: is missing"),
        ({"CIO_OAUTH_JWKS_URL": "https://i.example/keys"}, "CIO_OAUTH_ISSUER: is missing"),
        (
            {"CIO_OAUTH_ISSUER": "https://i.example", "CIO_OAUTH_AUDIENCE": "cio"},
            "CIO_OAUTH_AUDIENCE: must be a plain https address (http on loopback only), such as https://cio.",
        ),
        (
            {"CIO_OAUTH_ISSUER": "https://i.example", "CIO_OAUTH_AUDIENCE": "http://cio.example/mcp"},
            "CIO_OAUTH_AUDIENCE: must be a plain https address",
        ),
        (
            {"CIO_OAUTH_ISSUER": "https://i.example", "CIO_OAUTH_JWKS_URL": "http://i.example/keys"},
            "CIO_OAUTH_JWKS_URL: must be a plain https address",
        ),
        ({"CIO_OAUTH_SCOPE_PREFIX": 'a"b'}, "CIO_OAUTH_SCOPE_PREFIX: String should match pattern"),
    ],
)
def test_settings_that_would_not_be_safe_stop_the_start(
    environ: dict[str, str], line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    assert main(["serve", "--port", "0"]) == 2
    assert line in capsys.readouterr().err


@pytest.mark.parametrize("by", ["tokens", "issuer"])
def test_with_tokens_or_an_issuer_it_may_listen_beyond_loopback(
    by: str, folder: Path, token: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert token
    issuer = {"CIO_OAUTH_ISSUER": "https://i.example", "CIO_OAUTH_AUDIENCE": AUDIENCE}
    for name, value in (issuer if by == "issuer" else {"CIO_TOKENS_FILE": f"{folder}/tokens.json"}).items():
        monkeypatch.setenv(name, value)

    # It stops at the next thing that is wrong, before it listens.
    assert main(["serve", "--host", "0.0.0.0", "--certificate", "missing.pem"]) == 2
    assert "--certificate missing.pem: cannot be used" in capsys.readouterr().err


@pytest.mark.parametrize(("method", "path"), [("POST", "/mcp"), ("GET", "/sse"), ("POST", "/messages/")])
async def test_a_foreign_origin_and_host_are_refused_whoever_asks(
    served: Served, issuer: Issuer, method: str, path: str
) -> None:
    headers = {"authorization": f"Bearer {issuer.token()}", "content-type": "application/json"}
    async with httpx.AsyncClient(trust_env=False, verify=False, base_url=served.url, headers=headers) as http:
        origin = await http.request(method, path, headers={"origin": "https://evil.example"})
        host = await http.request(method, path, headers={"host": "evil.example"})

    assert (origin.status_code, "CIO_ALLOWED_ORIGINS" in origin.text) == (403, True)
    assert (host.status_code, "CIO_ALLOWED_HOSTS" in host.text) == (421, True)


@pytest.mark.parametrize("path", ["/mcp", "/messages/"])
@pytest.mark.parametrize("sized", [True, False])
async def test_a_body_of_40_mb_is_refused_whether_or_not_it_says_its_size(
    served: Served, issuer: Issuer, path: str, sized: bool
) -> None:
    async def parts() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b" " * 1_000_000

    accept = {"accept": "application/json, text/event-stream", "content-type": "application/json"}
    headers = accept | {"authorization": f"Bearer {issuer.token()}"}
    async with httpx.AsyncClient(trust_env=False, verify=False, base_url=served.url, headers=headers) as http:
        answer = await http.post(path, content=b" " * 40_000_000 if sized else parts())

    assert (answer.status_code, answer.json()["error"]["code"]) == (413, -32600)


async def test_a_stream_that_is_refused_leaves_no_traceback_in_the_log() -> None:
    with serving() as found:
        async with httpx.AsyncClient(
            trust_env=False, verify=False, headers={"origin": "https://evil.example"}
        ) as http:
            answers = [await http.get(f"{found.url}/sse") for _ in range(2)]
        told = said(found)

    assert [answer.status_code for answer in answers] == [403, 403]
    assert "Traceback" not in told
