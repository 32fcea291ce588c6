"""The way in: credentials, limits, paths, what is not imitated, and what persists."""

import re
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Timer
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from cio_mcp.sandbox import ConnectionCut, Credentials, Sandbox
from cio_mcp.sandbox.contract import anonymous
from cio_mcp.sandbox.operations import asked_for
from cio_mcp.sandbox.routes import TABLES
from tests.sandbox import worlds
from tests.sandbox.conftest import Caller, Calling, Clock

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("path", ["/api/v1/accounts/region", "/v1/campaigns"])
@pytest.mark.parametrize("header", ["", "Bearer wrong", "Basic d3Jvbmc6d3Jvbmc="])
async def test_only_the_right_key_opens_an_api(caller: Caller, path: str, header: str) -> None:
    assert (await caller.send("GET", path, headers={"Authorization": header})).status_code == 401


async def test_the_key_of_one_api_does_not_open_the_other(caller: Caller) -> None:
    keys = caller.sandbox.credentials
    bearer = {"Authorization": f"Bearer {keys.app_api_key}"}

    answer = await caller.send("GET", "/api/v1/accounts/region", headers=bearer)

    assert (answer.status_code, answer.json()) == (401, {"meta": {"error": "Unauthorized"}})


async def test_what_is_not_imitated_says_so_and_never_passes_for_a_missing_customer(caller: Caller) -> None:
    body = await caller.no(501, "GET", "/v1/customers/1/attribute")

    assert body["errors"][0]["detail"] == "the sandbox does not imitate GET /v1/customers/1/attribute"


async def test_a_known_path_with_another_method_says_that_it_is_not_imitated(caller: Caller) -> None:
    body = await caller.no(501, "DELETE", "/v1/newsletters/20")

    assert body["errors"][0]["detail"] == "the sandbox does not imitate DELETE /v1/newsletters/20"


def test_no_request_fits_two_routes() -> None:
    taken = Counter((method, anonymous(path)) for method, path, _ in TABLES)
    assert [route for route, count in taken.items() if count > 1] == []
    for method, path, _ in TABLES:
        plain = [part.strip("{}") for part in path.split("/")[1:]]
        assert [one.path for one, _ in [asked_for(method, plain)] if one] == [path]


async def test_success_looks_as_recorded_from_the_real_thing(caller: Caller) -> None:
    answer = await caller.send("PUT", "/api/v1/customers/1", {})

    assert (answer.content, answer.headers["content-type"]) == (b"{}\n", "application/json; charset=utf-8")


NO_OBJECTS = (b"", b"no json", b"[1]", b'"x"', b"\xff")

# What Python takes as JSON, and a database does not.
NO_VALUES = (b'{"a":NaN}', b'{"a":-Infinity}', b'{"a":"\\uD800"}', b'{"\\udfff":1}')


@pytest.mark.parametrize(
    "path",
    [
        "/v1/campaigns/{}",
        "/v1/messages?limit={}",
        "/v1/messages?start_ts={}",
        "/v1/messages?campaign_id={}",
        "/v1/campaigns/1/metrics?steps={}",
    ],
)
async def test_a_number_of_thousands_of_digits_is_refused(caller: Caller, path: str) -> None:
    assert (await caller.send("GET", path.format("9" * 5000))).status_code == 400


@pytest.mark.parametrize("depth", [201, 900, 3000])
async def test_a_body_of_too_many_brackets_is_refused(caller: Caller, depth: int) -> None:
    nested = b'{"a":' * depth + b"1" + b"}" * depth

    for method, path in (
        ("PUT", "/api/v1/customers/1"),
        ("POST", "/v1/customers"),
        ("POST", "/api/v2/batch"),
    ):
        assert "at most 200 brackets" in str(await caller.no(400, method, path, nested))


async def test_a_filter_as_deep_as_a_body_may_be_is_followed(caller: Caller) -> None:
    filter_: dict[str, Any] = {"attribute": {"field": "plan", "operator": "eq", "value": "pro"}}
    for _ in range(98):
        filter_ = {"and": [filter_]}

    assert (await caller.ok("POST", "/v1/customers", {"filter": filter_}))["identifiers"]


@pytest.mark.parametrize("number", ["9223372036854775808", "-9223372036854775809", "1e999", "9" * 5000])
async def test_a_number_that_64_bits_do_not_hold_is_refused_with_its_place(
    caller: Caller, number: str
) -> None:
    for method, path, body, place in (
        ("POST", "/api/v1/customers/1/events", '{"name": "n", "timestamp": %s}', "timestamp"),
        ("PUT", "/api/v1/customers/1", '{"a": {"b": [1, %s]}}', "a.b.1"),
        ("POST", "/v1/send/email", '{"to": %s}', "to"),
    ):
        told = str(await caller.no(400, method, path, (body % number).encode()))
        assert f"{place} is too large" in told


@pytest.mark.parametrize("number", [2**63 - 1, -(2**63)])
async def test_a_number_that_64_bits_just_hold_is_taken(caller: Caller, number: int) -> None:
    await caller.ok("PUT", "/api/v1/customers/1", {"n": number})

    told = await caller.ok("GET", "/v1/customers/1/attributes")
    assert told["customer"]["attributes"]["n"] == str(number)


@pytest.mark.parametrize("body", ["1e999", '{"a": 1e999, "a": 1}'])
async def test_a_large_number_without_a_place_is_told_by_itself(caller: Caller, body: str) -> None:
    assert "hold: 1e999 is too large" in str(
        await caller.no(400, "PUT", "/api/v1/customers/1", body.encode())
    )


@pytest.mark.parametrize("text", ['{"a": "\\ud800"}', '{"n": 9223372036854775808}', "{}"])
async def test_a_body_in_another_encoding_than_utf_8_is_no_json(caller: Caller, text: str) -> None:
    for encoding in ("utf-16", "utf-16-le", "utf-32"):
        told = await caller.no(400, "PUT", "/api/v1/customers/1", text.encode(encoding))
        assert "must be a JSON object" in str(told)


async def test_the_largest_number_that_is_taken_can_be_read_and_explained(caller: Caller) -> None:
    event = {"name": "signed_up", "timestamp": 2**63 - 1}
    await caller.ok("POST", "/api/v1/customers/late/events", event)

    chain = worlds.why(caller, "late", "Welcome")
    assert f"had the event signed_up (of {2**63 - 1})" in chain


@pytest.mark.parametrize("zone", ["x" * 5000, "America", "a\x00b"])
async def test_what_names_no_time_zone_is_refused(caller: Caller, zone: str) -> None:
    window = f"version=2&res=days&start=1779000000&end=1779900000&tz={quote(zone)}"
    await caller.no(400, "GET", f"/v1/campaigns/1/metrics?{window}")
    at = {"scheduled_at": int(caller.clock.now) + 600, "timezone": zone}
    await caller.no(422, "POST", "/v1/newsletters/21/schedule", at)


@pytest.mark.parametrize("body", [*NO_OBJECTS, *NO_VALUES])
async def test_a_body_that_is_no_json_object_is_refused(caller: Caller, body: bytes) -> None:
    for method, path in (
        ("PUT", "/api/v1/customers/1"),
        ("POST", "/v1/send/email"),
        ("POST", "/api/v1/events"),
    ):
        assert "JSON object" in str(await caller.no(400, method, path, body))


@pytest.mark.parametrize(
    "encoded", ["a%2Fb", "a%252Fb", "%2E%2E", "%C3%A4%20b%2B%40%3F%23", "%25", "a%3Bb", "a%0Ab"]
)
async def test_one_encoded_segment_is_one_identifier(caller: Caller, encoded: str) -> None:
    await caller.identify(encoded, plan="pro")

    assert (await caller.profile(encoded))["attributes"]["plan"] == "pro"


async def test_more_calls_in_a_second_than_the_limit_get_a_429(calling: Calling, clock: Clock) -> None:
    def counts(request: str) -> list[tuple[str, float, float]]:
        return [("track", 2, 1)] if " /api/" in request else [("quota", 4, 60), ("app", 3, 1)]

    async def statuses(method: str, path: str) -> list[int]:
        return [(await caller.send(method, path)).status_code for _ in range(4)]

    caller = calling(Sandbox(clock=clock, counts=counts), clock, pause=0)

    assert await statuses("GET", "/v1/campaigns") == [200, 200, 200, 429]
    assert await statuses("DELETE", "/api/v1/customers/1") == [200, 200, 429, 429]
    clock.now += 1.1
    assert await statuses("GET", "/v1/campaigns") == [200, 429, 429, 429]
    clock.now += 60
    assert await statuses("GET", "/v1/campaigns") == [200, 200, 200, 429]


async def test_a_429_of_a_limit_per_second_says_when_to_call_again_and_one_per_day_does_not(
    calling: Calling, clock: Clock
) -> None:
    def counts(request: str) -> list[tuple[str, float, float]]:
        return [("archive", 2, 86_400)] if "exports" in request else [("app", 1, 1)]

    caller = calling(Sandbox(clock=clock, counts=counts), clock, pause=0)
    await caller.ok("GET", "/v1/campaigns")
    per_second = await caller.send("GET", "/v1/campaigns")
    per_day = [await caller.send("GET", "/v1/exports") for _ in range(3)]

    (error,) = per_second.json()["errors"]
    assert re.fullmatch(r"rate limited to 1 requests per 1s \(reference [0-9a-f]{6}\)", error["detail"])
    assert (error["status"], per_second.headers["retry-after"]) == ("429", "1")
    assert "x-ratelimit-remaining" not in per_second.headers
    assert [answer.status_code for answer in per_day] == [200, 200, 429]
    assert [answer.headers["x-ratelimit-remaining"] for answer in per_day] == ["1", "0", "0"]
    assert {answer.headers["x-ratelimit-limit"] for answer in per_day} == {"2"}
    assert "rate limited to 2 request(s) per day (reference " in per_day[2].text
    assert "retry-after" not in per_day[2].headers


async def test_errors_have_a_code_only_where_a_key_is_wrong_and_a_reference_unless_they_name_a_field(
    caller: Caller,
) -> None:
    wrong = {"Authorization": "Bearer wrong"}
    locked = (await caller.send("GET", "/v1/campaigns", headers=wrong)).json()["errors"][0]
    missing = (await caller.send("GET", "/v1/segments/99")).json()["errors"][0]
    pointed = (await caller.send("POST", "/v1/segments", {})).json()["errors"][0]
    letter = (await caller.send("GET", "/v1/newsletters/99")).json()

    assert (locked["code"], locked["status"]) == ("invalid_credentials", "401")
    assert re.fullmatch(r"not found \(reference [0-9a-f]{6}\)", missing["detail"])
    assert "reference" not in pointed["detail"]
    assert not {"code"} & (missing.keys() | pointed.keys())
    assert letter == {"errors": [{"detail": "not found"}]}


async def test_a_body_that_is_no_json_is_refused_in_each_apis_form(caller: Caller) -> None:
    for path, form in (
        ("/v1/segments", {"detail": "request body must be a JSON object", "status": "400"}),
        ("/v1/newsletters/21/schedule", {"detail": "request body must be a JSON object"}),
    ):
        assert await caller.no(400, "POST", path, b"no json") == {"errors": [form]}


async def test_the_region_endpoint_says_where_the_workspace_is(calling: Calling, clock: Clock) -> None:
    caller = calling(Sandbox(clock=clock, region="eu", credentials=Credentials("a", "b", "c")), clock)

    assert await caller.ok("GET", "/api/v1/accounts/region") == {
        "url": "https://track-eu.customer.io",
        "region": "eu",
        "environment_id": 1,
    }


async def test_a_write_takes_effect_after_the_lag(calling: Calling, clock: Clock) -> None:
    caller = calling(Sandbox(clock=clock, lag=5), clock)
    await caller.identify("new", plan="pro")

    await caller.no(404, "GET", "/v1/customers/new/attributes")
    clock.now += 5
    assert (await caller.profile("new"))["attributes"]["plan"] == "pro"


async def test_two_sandboxes_on_one_file_are_one_workspace_with_one_story(
    calling: Calling, clock: Clock, tmp_path: Path
) -> None:
    one, other = (calling(Sandbox(tmp_path / "sandbox.db", clock=clock), clock) for _ in range(2))
    await one.identify("new", plan="pro")

    assert (await other.profile("new"))["attributes"]["plan"] == "pro"
    assert len((await other.ok("GET", "/v1/campaigns"))["campaigns"]) == 4


async def test_a_sandbox_that_another_process_is_just_making_is_waited_for(
    clock: Clock, tmp_path: Path
) -> None:
    maker = sqlite3.connect(tmp_path / "sandbox.db", isolation_level=None, check_same_thread=False)
    maker.execute("BEGIN IMMEDIATE")
    Timer(0.1, maker.execute, ["COMMIT"]).start()

    Sandbox(tmp_path / "sandbox.db", clock=clock).close()
    maker.close()


async def test_a_sandbox_that_another_process_is_just_closing_is_waited_for(
    clock: Clock, tmp_path: Path
) -> None:
    Sandbox(tmp_path / "sandbox.db", clock=clock).close()
    closer = sqlite3.connect(tmp_path / "sandbox.db", isolation_level=None, check_same_thread=False)
    closer.execute("PRAGMA locking_mode = EXCLUSIVE")
    closer.execute("BEGIN EXCLUSIVE")
    Timer(0.1, closer.close).start()

    Sandbox(tmp_path / "sandbox.db", clock=clock).close()


async def test_a_sandbox_may_start_without_its_story(calling: Calling, clock: Clock) -> None:
    caller = calling(Sandbox(clock=clock, seed=False), clock)

    assert await caller.ok("GET", "/v1/campaigns") == {"campaigns": []}


async def test_a_request_that_fails_leaves_nothing_behind(caller: Caller) -> None:
    await caller.no(400, "PUT", "/api/v1/customers/new", {"plan": "pro", "bio": "x" * 1001})

    await caller.no(404, "GET", "/v1/customers/new/attributes")


async def test_a_copy_starts_with_all_that_is_there_and_goes_its_own_way(
    calling: Calling, caller: Caller, clock: Clock
) -> None:
    await caller.identify("u_9001", plan="pro")
    copy = calling(Sandbox(clock=clock, copy_of=caller.sandbox), clock)
    same = await copy.profile("u_9001") == await caller.profile("u_9001")
    await copy.identify("u_9001", plan="free")
    kept = await caller.profile("u_9001")

    assert same
    assert kept["attributes"]["plan"] == "pro"


async def test_a_service_account_token_opens_sends_for_its_workspace_and_nothing_else(caller: Caller) -> None:
    token = {"Authorization": f"Bearer {caller.sandbox.credentials.service_account}"}
    send = {"transactional_message_id": 5, "identifiers": {"id": "u_1001"}}

    async def status(method: str, path: str, **headers: str) -> int:
        return (await caller.send(method, path, send, headers=token | headers)).status_code

    assert await status("POST", "/v1/send/in_app", **{"X-Workspace-Id": "1"}) == 200
    assert await status("POST", "/v1/send/in_app", **{"X-Workspace-Id": "2"}) == 401
    assert await status("POST", "/v1/send/in_app") == 401
    assert await status("GET", "/v1/campaigns", **{"X-Workspace-Id": "1"}) == 401


async def test_a_sandbox_in_memory_begins_when_it_is_first_used(clock: Clock) -> None:
    sandbox = Sandbox(clock=clock)
    clock.now += 3600

    with closing(sandbox):
        (since,) = sandbox.workspace.rows("SELECT since FROM world")[0]
    assert since == clock.now


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/campaigns/", 501),
        ("HEAD", "/v1/campaigns", 501),
        ("GET", "/v1//campaigns", 501),
        ("GET", "/v1/customers//attributes", 501),
        ("GET", "/", 501),
        ("GET", "/1.csv", 403),
        ("GET", "/x.csv", 501),
    ],
)
async def test_a_path_is_taken_as_it_is_written(caller: Caller, method: str, path: str, status: int) -> None:
    assert (await caller.send(method, path)).status_code == status


async def test_a_file_that_is_only_read_is_not_written_to(
    calling: Calling, clock: Clock, tmp_path: Path
) -> None:
    Sandbox(path := tmp_path / "sandbox.db", clock=clock).close()
    written = path.read_bytes(), path.stat().st_mtime_ns
    with closing(Sandbox(path, clock=clock)) as sandbox:
        await calling(sandbox, clock, pause=0).profile("u_1001")
        wal = path.with_name("sandbox.db-wal")
        assert not wal.exists() or wal.stat().st_size == 0

    assert (path.read_bytes(), path.stat().st_mtime_ns) == written


async def test_of_a_request_whose_client_leaves_before_its_end_nothing_is_done(caller: Caller) -> None:
    begins = {"type": "http.request", "body": b'{"plan": "', "more_body": True}
    messages: Iterator[dict[str, Any]] = iter([begins, {"type": "http.disconnect"}])

    async def receive() -> dict[str, Any]:
        return next(messages)

    async def send(_: Any) -> None:
        pytest.fail("there is nobody to answer")

    raw = b"/api/v1/customers/new"
    scope = {"type": "http", "method": "PUT", "raw_path": raw, "query_string": b"", "headers": []}
    with pytest.raises(ConnectionCut):
        await caller.sandbox(scope, receive, send)


@pytest.mark.parametrize("controlled", [False, True])
async def test_a_server_is_told_that_nothing_begins_or_ends_with_it(caller: Caller, controlled: bool) -> None:
    asked = iter(["lifespan.startup", "lifespan.shutdown"])
    told: list[Any] = []

    async def receive() -> Any:
        return {"type": next(asked)}

    async def send(message: Any) -> None:
        told.append(message)

    app = caller.sandbox.controlled if controlled else caller.sandbox
    await app({"type": "lifespan"}, receive, send)
    await app({"type": "websocket", "path": "/"}, receive, send)

    assert [message["type"] for message in told] == [
        *("lifespan.startup.complete", "lifespan.shutdown.complete", "websocket.close")
    ]


async def test_a_server_that_keeps_no_raw_path_is_answered_too(caller: Caller) -> None:
    await caller.identify("a%20b", plan="pro")
    app = caller.sandbox

    async def decoded(scope: Any, receive: Any, send: Any) -> None:
        await app({name: scope[name] for name in scope if name != "raw_path"}, receive, send)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=decoded), base_url="http://test") as http:
        bearer = {"Authorization": f"Bearer {app.credentials.app_api_key}"}
        answer = await http.get("/v1/customers/a%20b/attributes", headers=bearer)

    assert answer.json()["customer"]["attributes"]["plan"] == "pro"


def test_a_file_is_taken_by_its_name_whatever_it_looks_like(
    clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Sandbox("file:x.db?mode=ro", clock=clock, seed=False).close()

    assert [path.name for path in tmp_path.iterdir()] == ["file:x.db?mode=ro"]
