"""What is assumed of Customer.io: the list for people, the code that does it, and what it does are one."""

import inspect
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

import cio_mcp.sandbox
from cio_mcp.sandbox import Sandbox, assumptions
from cio_mcp.sandbox.paths import fits
from cio_mcp.sandbox.routes import TABLES
from tests.sandbox import worlds
from tests.sandbox.conftest import Caller, Calling, Clock
from tests.sandbox.test_imports import LEADS as BY_EMAIL

pytestmark = pytest.mark.anyio

CODE = "\n".join(path.read_text() for path in Path(cio_mcp.sandbox.__file__).parent.rglob("*.py"))
LISTED = re.findall(r"^- \*\*(.+?)\*\*: ", Path("docs/sandbox.md").read_text(), re.MULTILINE)

Check = Callable[[Caller], Awaitable[None]]
CHECKS: dict[str, Check] = {}

ADA, DAY = "u_1001", 86_400
PUSH = {"transactional_message_id": 3, "identifiers": {"id": ADA}}


def assumed(name: str) -> Callable[[Check], Check]:
    def register(check: Check) -> Check:
        CHECKS[name] = check
        return check

    return register


def test_what_is_listed_is_what_the_code_names_and_what_is_checked() -> None:
    assert len(LISTED) == len(set(LISTED))
    assert set(LISTED) == set(re.findall(r"Assumed \(([^)]+)\)", CODE)) == set(CHECKS)


def test_nothing_in_the_code_is_assumed_without_a_name() -> None:
    words = re.findall(r"(?i)\b(assume[sd]?\b|not documented|undocumented)(?! \()", CODE)

    assert words == []


def test_each_has_a_number_of_its_own_for_good() -> None:
    numbered = assumptions.every()

    assert [one.number for one in numbered] == [*range(1, len(numbered) + 1)]
    assert set(LISTED) <= {one.name for one in numbered}
    assert len({one.name for one in numbered}) == len(numbered)


def test_each_is_told_by_some_answer() -> None:
    for one in assumptions.every():
        fitting = [
            path
            for method, path, _ in TABLES
            if any(
                one.holds_for(method, path, int(status.replace("x", "0"))) for status in one.statuses.split()
            )
        ]
        assert fitting, one.name
        for route in one.on:
            assert any(fits(route, method, path.split("/")[1:]) for method, path, _ in TABLES), route


async def test_answers_name_the_numbers_of_what_they_may_rest_on(caller: Caller) -> None:
    async def told(method: str, path: str, body: Any = None) -> set[str]:
        answer = await caller.send(method, path, body)
        numbers = answer.headers.get("X-Sandbox-Assumptions", "").split(", ")
        return {one.name for one in assumptions.every() if str(one.number) in numbers}

    assert await told("GET", "/v1/campaigns") == set()
    refused = {"unknown fields", "bounds of JSON", "words of refusals"}
    assert await told("GET", "/v1/campaigns?colour=red") == refused
    assert await told("GET", "/v1/customers/nobody/attributes") == {"unknown customers", "words of refusals"}
    assert "secondary metrics" in await told("GET", "/v1/messages")
    assert await told("DELETE", "/api/v1/customers/nobody") >= {"deleting nobody"}


@pytest.mark.repeating
@pytest.mark.parametrize("row", TABLES, ids=lambda row: f"{row[0]} {row[1]}")
def test_every_route_says_where_what_it_does_comes_from(row: tuple[str, str, Any]) -> None:
    assert re.search(r"(?i)\b(live|documented|assumed)\b", inspect.getsource(row[2]))


@pytest.mark.parametrize("name", LISTED)
async def test_the_sandbox_does_what_is_listed(name: str, caller: Caller) -> None:
    await CHECKS[name](caller)


async def attributes(caller: Caller, who: str = ADA) -> dict[str, str]:
    found: dict[str, str] = (await caller.profile(who))["attributes"]
    return found


async def details(caller: Caller, status: int, method: str, path: str, body: Any = None) -> str:
    answer = await caller.no(status, method, path, body)
    return str(answer.get("errors") or answer["meta"])


@assumed("unknown fields")
async def unknown_fields(caller: Caller) -> None:
    await caller.no(400, "GET", "/v1/campaigns?colour=red")
    await caller.no(400, "POST", "/v1/segments", {"segment": {"name": "n", "colour": "red"}})


@assumed("bounds of JSON")
async def bounds_of_json(caller: Caller) -> None:
    for body in (b'{"a": %d}' % 2**63, b'{"a":' * 201 + b"1" + b"}" * 201):
        await caller.no(400, "PUT", f"/api/v1/customers/{ADA}", body)


@assumed("missing windows")
async def missing_windows(caller: Caller) -> None:
    await caller.no(400, "GET", "/v1/campaigns/1/metrics?version=2&res=days&start=1779000000")


@assumed("half a year")
async def half_a_year(caller: Caller) -> None:
    now = int(caller.clock.now)
    caller.clock.now += 180 * DAY
    last, all_time = (f"&start_ts={now - days * DAY}&end_ts={now + 180 * DAY}" for days in (4, 900))
    assert await caller.messages(all_time) == await caller.messages(last) != []
    await caller.no(400, "GET", "/v1/messages?start_ts=1779000001&end_ts=1779000000")


@assumed("sizes of data")
async def sizes_of_data(caller: Caller) -> None:
    for size, status in ((101_000, 200), (103_000, 400)):
        event = {"name": "big", "data": {"text": "x" * size}}
        assert (await caller.send("POST", f"/api/v1/customers/{ADA}/events", event)).status_code == status


@assumed("addresses")
async def addresses(caller: Caller) -> None:
    await caller.identify("a@b.c", plan="pro")
    await caller.identify("a@b", plan="pro")
    assert (await caller.profile("a@b.c", "email"))["identifiers"]["id"] is None
    assert (await caller.profile("a@b"))["identifiers"]["email"] is None


@assumed("service accounts")
async def service_accounts(caller: Caller) -> None:
    token = {"Authorization": f"Bearer {caller.sandbox.credentials.service_account}"}
    assert (await caller.send("POST", "/v1/send/push", PUSH, headers=token)).status_code == 401


@assumed("words of refusals")
async def words_of_refusals(caller: Caller) -> None:
    assert "only manual segments can be deleted" in await details(caller, 400, "DELETE", "/v1/segments/1")
    many = dict.fromkeys(map(str, range(301)), 1)
    assert "more than 300" in await details(caller, 400, "PUT", "/api/v1/customers/n", many)


@assumed("no entry")
async def no_entry(caller: Caller) -> None:
    wrong = {"headers": {"Authorization": "Bearer wrong"}}
    track = await caller.send("GET", "/api/v1/accounts/region", **wrong)
    app, send = [await caller.send("POST", path, {}, **wrong) for path in ("/v1/customers", "/v1/send/push")]
    assert track.json() == {"meta": {"error": "Unauthorized"}}
    for answer in (app, send):
        (error,) = answer.json()["errors"]
        assert (error["code"], error["status"]) == ("invalid_credentials", "401")


async def test_a_429_of_track_has_no_pause_and_one_of_a_send_is_like_the_apps(
    calling: Calling, clock: Clock
) -> None:
    caller = calling(Sandbox(clock=clock, counts=lambda _: [("all", 1, 60)]), clock)
    await caller.ok("GET", "/v1/campaigns")
    track = await caller.send("DELETE", f"/api/v1/customers/{ADA}")
    send = await caller.send("POST", "/v1/send/push", PUSH)

    assert (track.status_code, track.json()) == (429, {"meta": {"error": "rate limit exceeded"}})
    assert "retry-after" not in track.headers
    assert (send.status_code, send.json()["errors"][0]["status"]) == (429, "429")
    assert send.headers["retry-after"] == "58"


@assumed("429s of triggers")
async def triggers_429(caller: Caller) -> None:
    path = "/v1/campaigns/10/triggers"
    await caller.ok("POST", path, {})
    answer = await caller.send("POST", path, {})
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "9")


@assumed("unknown customers")
async def unknown_customers(caller: Caller) -> None:
    same = [await caller.no(404, "GET", f"/v1/{path}") for path in ("customers/n/attributes", "segments/99")]
    assert same == [{"errors": [{"detail": "not found", "status": "404"}]}] * 2


@assumed("no messages")
async def no_messages(caller: Caller) -> None:
    for path in ("customers/u_1012/messages", "broadcasts/12/messages", "messages?newsletter_id=22"):
        if path.startswith("customers"):
            await caller.identify("u_1012", plan="pro")
        assert await caller.ok("GET", f"/v1/{path}") == {"messages": None, "next": ""}


@assumed("no links")
async def no_links(caller: Caller) -> None:
    assert await caller.ok("GET", "/v1/broadcasts/11/metrics/links") == {"links": None}


@assumed("no senders")
async def no_senders(caller: Caller) -> None:
    last = (await caller.ok("GET", "/v1/sender_identities"))["next"]
    after = await caller.ok("GET", f"/v1/sender_identities?start={last}")
    assert after == {"sender_identities": [], "next": ""}


@assumed("secondary metrics")
async def secondary_metrics(caller: Caller) -> None:
    for message in await caller.messages():
        secondary = {name for name in message["metrics"] if name.startswith("secondary:")}
        assert secondary <= {"secondary:delivered"}
        assert not secondary or message["type"] == "email"
        assert message["type"] != "email" or "delivered" not in message["metrics"]
    assert any("secondary:delivered" in message["metrics"] for message in await caller.messages())
    assert await caller.messages("&metric=delivered")


async def delivery(caller: Caller, channel: str, body: dict[str, Any]) -> dict[str, Any]:
    number = (await caller.ok("POST", f"/v1/send/{channel}", body))["delivery_id"]
    found: dict[str, Any] = (await caller.ok("GET", f"/v1/messages/{number}"))["message"]
    return found


@assumed("inbox messages")
async def inbox_messages(caller: Caller) -> None:
    sent = await delivery(caller, "inbox_message", PUSH | {"transactional_message_id": 6})
    assert sent["type"] == "inbox"


@assumed("auto_create")
async def auto_create(caller: Caller) -> None:
    body = PUSH | {"transactional_message_id": "new_one", "auto_create": True}
    number = (await delivery(caller, "in_app", body))["transactional_message_id"]
    made = (await caller.ok("GET", f"/v1/transactional/{number}"))["message"]
    assert (made["name"], made["trigger_name"], made["queue_drafts"]) == ("new_one", "new_one", False)


@assumed("states of deliveries")
async def states_of_deliveries(caller: Caller) -> None:
    path = "/v1/broadcasts/11/messages"
    everything = (await caller.ok("GET", path))["messages"]
    attempted = (await caller.ok("GET", f"{path}?state=sent"))["messages"]
    assert attempted == [message for message in everything if "sent" in message["metrics"]]
    assert (await caller.ok("GET", f"{path}?state=drafted"))["messages"] is None


@assumed("days of journeys")
async def days_of_journeys(caller: Caller) -> None:
    noon = 1_779_000_000 // DAY * DAY + DAY // 2
    path = f"/v1/campaigns/1/journey_metrics?resolution=days&start={noon}&end={noon + DAY}"
    assert len((await caller.ok("GET", path))["journey_metric"]["started"]) == 2


@assumed("rows of a collection")
async def rows_of_a_collection(caller: Caller) -> None:
    assert isinstance(await caller.ok("GET", "/v1/collections/1/content"), list)


@assumed("empty attributes")
async def empty_attributes(caller: Caller) -> None:
    for empty in (None, ""):
        await caller.identify(ADA, colour="red")
        await caller.identify(ADA, colour=empty)
        assert "colour" not in await attributes(caller)


@assumed("conflicts")
async def conflicts(caller: Caller) -> None:
    await caller.identify(ADA, email="bruno@example.com", colour="red")
    assert "colour" not in await attributes(caller)


@assumed("deleting nobody")
async def deleting_nobody(caller: Caller) -> None:
    assert await caller.ok("DELETE", "/api/v1/customers/nobody") == {}


@assumed("events of strangers")
async def events_of_strangers(caller: Caller) -> None:
    await caller.ok("POST", "/api/v1/customers/stranger/events", {"name": "hello"})
    await caller.ok("POST", "/api/v1/customers/mallory@example.com/events", {"name": "hello"})
    assert (await caller.profile("stranger"))["id"] == "stranger"
    await caller.no(404, "GET", "/v1/customers/mallory@example.com/attributes?id_type=email")


@assumed("ids of events")
async def ids_of_events(caller: Caller) -> None:
    for _ in range(2):
        event = {"name": "once", "id": "01JC7Z7N8V6Q4M2K0X5Y9T3B1A"}
        await caller.ok("POST", f"/api/v1/customers/{ADA}/events", event)
        assert len(await caller.activities("event&name=once")) == 1 or caller.clock.now > 1.79e9
        caller.clock.now += 365 * DAY
    assert await caller.activities("event&name=once") == []


@assumed("dropped writes")
async def dropped_writes(caller: Caller) -> None:
    await caller.ok("PUT", "/api/v1/customers/n", {"_update": True, "plan": "pro"})
    (dropped, *_) = await caller.activities("failed_attribute_change")
    assert dropped["data"]["body"] == {"_update": True, "plan": "pro"}
    assert dropped["data"]["reason"] == "there is no such person to update"


@assumed("unknown objects")
async def unknown_objects(caller: Caller) -> None:
    named = {"object_type_id": "99", "object_id": "acme"}
    asked = {"action": "add_relationships", "relationships": [{"identifiers": named}]}
    await caller.identify(ADA, cio_relationships=asked)
    (failed, *_) = await caller.activities("failed_attribute_change")
    assert failed["data"]["identifiers"] == named


@assumed("waiting triggers")
async def waiting_triggers(caller: Caller) -> None:
    caller.sandbox.workspace.broadcast_seconds, caller.pause = 600, 10
    for _ in range(5):
        await caller.ok("POST", "/v1/campaigns/10/triggers", {})
    await caller.no(429, "POST", "/v1/campaigns/10/triggers", {})
    await caller.ok("POST", "/v1/campaigns/11/triggers", {})


@assumed("Liquid in numbers")
async def liquid_in_numbers(caller: Caller) -> None:
    body = PUSH | {"transactional_message_id": 4, "to": "{{customer.fax}}"}
    sent = await delivery(caller, "sms", body)
    assert (sent["recipient"], sent["failure_message"]) == ("", "recipient is blank")


@assumed("devices of a push")
async def devices_of_a_push(caller: Caller) -> None:
    device = {"token": "new", "platform": "ios"}
    await caller.no(400, "POST", "/v1/send/push", PUSH | {"to": "new"})
    await caller.ok("POST", "/v1/send/push", PUSH | {"to": "new", "custom_device": device})


@assumed("preference links")
async def preference_links(caller: Caller) -> None:
    path = f"/v1/subscription_center/{ADA}/token"
    assert await caller.ok("GET", path) == await caller.ok("GET", path)


@assumed("segments in use")
async def segments_in_use(caller: Caller) -> None:
    await caller.no(400, "DELETE", "/v1/segments/3")


@assumed("segments by rules")
async def segments_by_rules(caller: Caller) -> None:
    for number, status in ((1, 400), (99, 404)):
        await caller.no(status, "POST", f"/api/v1/segments/{number}/add_customers", {"ids": [ADA]})


@assumed("names of collections")
async def names_of_collections(caller: Caller) -> None:
    await caller.no(400, "POST", "/v1/collections", {"name": "workshops", "data": []})


@assumed("early downloads")
async def early_downloads(caller: Caller) -> None:
    export = (await caller.ok("POST", "/v1/exports/customers", {"filters": {"segment": {"id": 1}}}))["export"]
    await caller.no(400, "GET", f"/v1/exports/{export['id']}/download")


@assumed("kilobytes of batches")
async def kilobytes_of_batches(caller: Caller) -> None:
    def event(size: int) -> dict[str, Any]:
        who = {"type": "person", "action": "event", "identifiers": {"id": ADA}, "name": "n"}
        return who | {"attributes": {"a": "x" * size}}

    await caller.ok("POST", "/api/v2/entity", event(32_500))
    await caller.no(400, "POST", "/api/v2/entity", event(32_760))
    await caller.ok("POST", "/api/v2/batch", {"batch": [event(31_700)] * 16})


@assumed("attributes of objects")
async def attributes_of_objects(caller: Caller) -> None:
    named = {"object_type_id": "1", "object_id": "new"}
    write = {"type": "object", "action": "identify", "identifiers": named, "attributes": {"seats": 5}}
    await caller.ok("POST", "/api/v2/entity", write)

    found = await caller.ok("GET", "/v1/objects/1/new/attributes")
    assert found["object"]["attributes"] == {"seats": "5"}


@assumed("members of objects")
async def members_of_objects(caller: Caller) -> None:
    named = {"object_type_id": "1", "object_id": "new"}
    member = {"identifiers": {"id": "stranger"}}
    write = {"type": "object", "action": "identify", "identifiers": named, "cio_relationships": [member]}
    await caller.ok("POST", "/api/v2/entity", write)

    await caller.profile("stranger")


LEADS = BY_EMAIL | {"identifier": "id"}


async def a_file(caller: Caller) -> httpx.Response:
    """Return the file of an export, as its host answers a link."""
    number = (await caller.ok("POST", "/v1/exports/customers", {"filters": {"segment": {"id": 1}}}))[
        "export"
    ]["id"]
    caller.clock.now += 10
    link = (await caller.ok("GET", f"/v1/exports/{number}/download"))["link"]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(caller.sandbox)) as http:
        whole = await http.get(link)
        part = await http.get(link, headers={"range": "bytes=10-", "if-range": whole.headers["etag"]})
        assert (part.status_code, part.content) == (206, whole.content[10:])
        caller.clock.now += 1000
        assert (await http.get(link)).status_code == 403
    return whole


@assumed("columns of exports")
async def columns_of_exports(caller: Caller) -> None:
    header = (await a_file(caller)).text.splitlines()[0].split(",")

    assert {"id", "email", "cio_id", "plan"} <= set(header)


@assumed("files of exports")
async def files_of_exports(caller: Caller) -> None:
    assert (await a_file(caller)).headers["accept-ranges"] == "bytes"


@assumed("imports")
async def of_imports(caller: Caller) -> None:
    await caller.ok("POST", "/v1/imports", {"import": LEADS})

    assert (await caller.profile("lead_1"))["attributes"]["plan"] == "trial"


@assumed("speed of imports")
async def speed_of_imports(caller: Caller) -> None:
    number = (await caller.ok("POST", "/v1/imports", {"import": LEADS}))["import"]["id"]
    caller.clock.now += 12

    assert (await caller.ok("GET", f"/v1/imports/{number}"))["import"]["state"] == "imported"


@assumed("phone numbers")
async def phone_numbers(caller: Caller) -> None:
    await caller.identify(ADA, phone="+4930123456")

    assert (await caller.profile("%2B4930123456", "phone"))["id"] == ADA


@assumed("single actions")
async def single_actions(caller: Caller) -> None:
    assert (await caller.ok("GET", "/v1/campaigns/1/actions/101"))["action"]["id"] == "101"


@assumed("archived messages")
async def archived_messages(caller: Caller) -> None:
    send = {"transactional_message_id": 1, "identifiers": {"id": ADA}, "to": "ada@example.com"}
    sent = (await caller.ok("POST", "/v1/send/email", send))["delivery_id"]
    await caller.ok("PUT", "/v1/snippets", {"name": "footer", "value": "Now"})
    found = (await caller.ok("GET", f"/v1/messages/{sent}/archived_message"))["archived_message"]
    assert found["subject"] == "Your order "
    assert "Now" in found["body"]


@assumed("suppressed addresses")
async def suppressed_addresses(caller: Caller) -> None:
    found = await caller.ok("GET", "/v1/esp/search_suppression/ada%40example.com")
    other = await caller.ok("GET", "/v1/esp/suppression/bounces?domain=example.net")
    lifted = await caller.send("DELETE", "/v1/esp/suppression/bounces/ada%40example.com")
    await caller.ok("POST", "/v1/esp/suppression/invalid_emails/ada%40example.com")
    assert (found["category"], other["suppressions"], lifted.status_code) == ("", None, 204)
    assert (await caller.ok("GET", "/v1/esp/search_suppression/ada%40example.com"))["category"] == "invalid"


@assumed("reasons of failures")
async def reasons_of_failures(caller: Caller) -> None:
    bounced = (await caller.ok("GET", "/v1/messages?metric=bounced&campaign_id=1"))["messages"]
    assert [one["failure_message"] for one in bounced] == ["550 5.1.1 unknown user"]


@assumed("dropped messages")
async def dropped_messages(caller: Caller) -> None:
    to_jomo = {"transactional_message_id": 1, "to": "jomo@example.org", "identifiers": {"id": "u_1010"}}
    to_jomo |= {"message_data": {"order_id": "4711"}}
    await caller.ok("POST", "/v1/send/email", to_jomo)
    caller.clock.now += 10
    newest, *_ = (await caller.ok("GET", "/v1/customers/u_1010/messages"))["messages"]
    assert "dropped" in newest["metrics"]


@assumed("opt-outs")
async def opt_outs(caller: Caller) -> None:
    change = {"optouts": [{"from": "a sender that never sends", "optout": True}]}
    await caller.send("PUT", f"/v1/customers/{ADA}/optouts", change)
    send = {"transactional_message_id": 4, "to": "+442071838750", "identifiers": {"id": ADA}}
    await caller.ok("POST", "/v1/send/sms", send)
    newest, *_ = (await caller.ok("GET", f"/v1/customers/{ADA}/messages"))["messages"]
    assert "undeliverable" in newest["metrics"]


@assumed("deleted customers")
async def deleted_customers(caller: Caller) -> None:
    await caller.ok("DELETE", f"/api/v1/customers/{ADA}")
    deleted, *_ = await caller.activities("profile_delete")
    assert deleted["data"]["identifiers"]["id"] == ADA


@assumed("test groups")
async def test_groups(caller: Caller) -> None:
    path = "/v1/newsletters/21"
    await caller.ok("POST", f"{path}/test_groups")
    text = {"language": "", "subject": "B", "body": "<p>B</p>"}
    await caller.ok("POST", f"{path}/test_group/2/language", text)
    groups = (await caller.ok("GET", f"{path}/test_groups"))["test_groups"]
    assert [(group["name"], len(group["content_ids"])) for group in groups] == [("A", 1), ("B", 1)]
    await caller.ok("POST", f"{path}/send")
    subjects = {one["subject"] for one in await caller.messages("&newsletter_id=21")}
    assert subjects == {"A summer of notes, a third off"}


@assumed("recipients' time zones")
async def recipients_time_zones(caller: Caller) -> None:
    at = int(caller.clock.now) + 600
    own = {"scheduled_at": at, "timezone": "America/New_York", "tz_match_enabled": True}
    await caller.ok("POST", "/v1/newsletters/21/schedule", own)
    caller.clock.now = at
    assert await caller.messages("&newsletter_id=21")


STUDIO = "/v1/design_studio/emails"


@assumed("pages of Design Studio")
async def pages_of_design_studio(caller: Caller) -> None:
    meta = (await caller.ok("GET", f"{STUDIO}?limit=2&page=2"))["meta"]
    assert meta == {"page": 2, "limit": 2, "total": 3}


@assumed("reviews of emails")
async def reviews_of_emails(caller: Caller) -> None:
    review = await caller.ok("GET", f"{STUDIO}/7d9f3a10-0000-4000-8000-000000000003/review")
    assert (review["score"]["score"], review["findings"]) == (100, [])


@assumed("publishing several languages")
async def publishing_several_languages(caller: Caller) -> None:
    path, caller.pause = f"{STUDIO}/7d9f3a10-0000-4000-8000-000000000001", 1
    begun = (await caller.ok("POST", f"{path}/publish"))["publish_id"]
    states = [(await caller.ok("GET", f"{path}/publish_status?publish_id={begun}"))["status"] for _ in "abc"]
    assert states == ["pending", "pending", "done"]


async def course(caller: Caller, *actions: dict[str, Any], **more: Any) -> None:
    """Let a campaign run, and the new customer Ann begin it."""
    worlds.run(caller, *actions, id=9, **more)
    await worlds.ann(caller)
    await worlds.track(caller)


async def of_journeys(caller: Caller) -> dict[str, int]:
    now = int(caller.sandbox.clock())
    path = f"/v1/campaigns/9/journey_metrics?resolution=days&start={now - 40 * DAY}&end={now + DAY}"
    found = (await caller.ok("GET", path))["journey_metric"]
    return {name: sum(counts) for name, counts in found.items()}


@assumed("fates")
async def fates(caller: Caller) -> None:
    await course(caller, worlds.email(1, chances=worlds.SURE | {"opened": 1, "clicked": 1}))
    worlds.later(caller, days=30)
    (sent,) = await caller.messages("&campaign_id=9")
    assert list(sent["metrics"])[1:] == ["sent", "secondary:delivered", "opened", "clicked"]


@assumed("effects of messages")
async def effects_of_messages(caller: Caller) -> None:
    for number, state in enumerate(("bounced", "spammed")):
        await course(caller, worlds.email(1, chances={"bounced": 0, state: 1}))
        worlds.later(caller, days=9)
        found = (await caller.ok("GET", "/v1/esp/search_suppression/ann%40example.com"))["suppressions"]
        assert len(found) == 1
        await caller.send("DELETE", "/v1/esp/suppression/bounces/ann%40example.com")
        assert (await caller.profile("ann"))["unsubscribed"] is bool(number)


@assumed("re-entry")
async def reentry(caller: Caller) -> None:
    await course(caller, worlds.delay(1, days=1), worlds.email(2))
    await worlds.track(caller)
    assert (await of_journeys(caller))["started"] == 2
    pro = {"type": "segment", "trigger_segment_ids": [1]}
    worlds.run(caller, worlds.delay(1, days=1), id=9, **pro)
    for plan in ("pro", "free", "pro"):
        await worlds.ann(caller, plan=plan)
    assert (await of_journeys(caller))["started"] == 2


@assumed("stopped campaigns")
async def stopped_campaigns(caller: Caller) -> None:
    await course(caller, worlds.delay(1, days=1), worlds.email(2))
    worlds.run(caller, worlds.delay(1, days=1), worlds.email(2), id=9, state="stopped")
    assert (await of_journeys(caller))["exited_early"] == 0
    worlds.later(caller, days=2)
    assert (await of_journeys(caller))["exited_early"] == 1


@assumed("activated journeys")
async def activated_journeys(caller: Caller) -> None:
    everybody = worlds.branch(2, {"and": []}, 3, None)
    await course(caller, worlds.delay(1, days=1), everybody, worlds.delay(3, days=1), worlds.email(4))
    worlds.later(caller, days=1.5)
    assert (await of_journeys(caller))["activated"] == 0
    worlds.later(caller, days=1)
    assert (await of_journeys(caller))["activated"] == 1


@assumed("goals")
async def goals(caller: Caller) -> None:
    for days, converted in ((6.9, 1), (7.1, 0)):
        await course(caller, worlds.email(1), goal={"condition": {"event": {"name": "buy"}}})
        worlds.later(caller, days=days)
        before = (await of_journeys(caller))["converted"]
        await worlds.track(caller, "buy")
        assert (await of_journeys(caller))["converted"] - before == converted


@assumed("dates")
async def dates(caller: Caller) -> None:
    worlds.run(caller, worlds.email(1), id=9, type="date", date_attribute="due", frequency="monthly")
    await worlds.ann(caller, due="2026-01-31")
    worlds.later(caller, days=40)
    assert len(await caller.messages("&campaign_id=9")) == 2


@assumed("topics of campaigns")
async def topics_of_campaigns(caller: Caller) -> None:
    await course(caller, worlds.email(1), subscription_topic_id=3)
    (sent,) = await caller.messages("&campaign_id=9")
    assert sent["failure_message"] == "recipient is not subscribed to the topic"
