"""What the live API was seen to answer: the tools know each form of it, and the sandbox answers in it.

`tests/live_forms.json` has those forms with values of ours, each with its source, as `tests/contract/live.py`
writes it. They come from the live API alone, so that nothing here can pass because the tools and the sandbox
share a mistake.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cio_mcp.cli.answer_forms import form_differences
from tests.contract.live import of_ours
from tests.forms import form_of
from tests.sandbox.conftest import REFERENCE, Caller

pytestmark = [pytest.mark.anyio, pytest.mark.repeating]

LIVE = json.loads(Path(__file__).parent.parent.joinpath("live_forms.json").read_text())
ANSWERS = [seen for seen in LIVE if "body" in seen and seen["status"] == 200 and seen["request"] != "ANY *"]
EMPTY = [seen for seen in LIVE if "text" in seen and seen["status"] == 200]

EVERYBODY = {"filter": {"attribute": {"field": "cio_id", "operator": "exists"}}}
NOBODY = {"filter": {"attribute": {"field": "plan", "operator": "eq", "value": "none"}}}
LENA = "/v1/customers/lena@example.org"

# What the sandbox is asked for each answer: method, path and body. `{next}` is that of the page before.
ASKED: dict[str, tuple[Any, ...]] = {
    "activities_live": ("GET", "/v1/activities?limit=100"),
    "campaign": ("GET", "/v1/campaigns/3"),
    "campaign_actions_1": ("GET", "/v1/campaigns/1/actions"),
    "campaign_actions_2": ("GET", "/v1/campaigns/1/actions"),
    "campaigns": ("GET", "/v1/campaigns"),
    "customer_attributes_live": ("GET", f"{LENA}/attributes?id_type=email"),
    "customers_bulk_live": ("POST", "/v1/customers/attributes?id_type=email", {"ids": ["lena@example.org"]}),
    "customers_by_email_none": ("GET", "/v1/customers?email=nobody@example.com"),
    "customers_search_live": ("POST", "/v1/customers", EVERYBODY),
    "customers_search_none": ("POST", "/v1/customers", NOBODY),
    "message_live": ("GET", "/v1/messages/{delivery}"),
    "messages_empty": ("GET", "/v1/messages?newsletter_id=22"),
    "messages_live": ("GET", "/v1/messages?limit=1000"),
    "newsletters_1": ("GET", "/v1/newsletters?start={next}"),
    "newsletters_2": ("GET", "/v1/newsletters"),
    "segment": ("GET", "/v1/segments/5"),
    "segment_created": ("POST", "/v1/segments", {"segment": {"name": "n", "description": "d"}}),
    "segment_members_live_1": ("GET", "/v1/segments/5/membership"),
    "segment_members_live_2": ("GET", "/v1/segments/5/membership?start={next}"),
    "segment_members_live_3": ("GET", "/v1/segments/5/membership"),
    "segments": ("GET", "/v1/segments"),
    "track_anonymous": ("POST", "/api/v1/events", {"name": "n", "anonymous_id": "a"}),
    "track_delete": ("DELETE", "/api/v1/customers/n"),
    "track_device": ("PUT", "/api/v1/customers/n/devices", {"device": {"id": "t", "platform": "ios"}}),
    "track_device_deleted": ("DELETE", "/api/v1/customers/n/devices/t"),
    "track_event": ("POST", "/api/v1/customers/n/events", {"name": "n"}),
    "track_identify": ("PUT", "/api/v1/customers/n", {"plan": "pro"}),
    "track_merge": ("POST", "/api/v1/merge_customers", {"primary": {"id": "n"}, "secondary": {"id": "m"}}),
    "track_segment_add": ("POST", "/api/v1/segments/5/add_customers", {"ids": ["n"]}),
    "track_segment_remove": ("POST", "/api/v1/segments/5/remove_customers", {"ids": ["n"]}),
    "track_suppress": ("POST", "/api/v1/customers/n/suppress"),
    "track_unsuppress": ("POST", "/api/v1/customers/n/unsuppress"),
}

# What the sandbox never tells, since its story has no such thing.
UNTOLD = {
    "activities_live": {"next: text", "[].delivery_id", "[].delivery_type", "[].data"},
    "campaign": {"event_name"},
    "campaign_actions_1": {"parent_action_id"},
    "campaign_actions_2": {"parent_action_id", "recipient_environment_id", "next: text"},
    "campaigns": {"[].msg_templates", "[].created_by"},
    "segments": {"[].tags"},
}

KINDS = {str: "text", bool: "bool", int: "number", list: "list", dict: "object", type(None): "null"}


def parts(value: Any, at: str = "") -> Iterator[str]:
    """Yield what there is in an answer, by path and kind: texts and numbers may be empty, and lists."""
    kind = KINDS[type(value)]
    yield f"{at}: {kind if value or kind in {'bool', 'null'} else f'empty {kind}'}"
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from parts(inner, f"{at}.{name}")
    if isinstance(value, list):
        for inner in value:
            yield from parts(inner, f"{at}[]")


async def answered(caller: Caller, name: str) -> Any:
    """Return what the sandbox answers, after what makes it say all that it can."""
    send = {"transactional_message_id": 1, "to": "a@example.com", "message_data": {"order_id": "1"}}
    await caller.ok("POST", "/v1/send/email", send | {"identifiers": {"cio_id": "nobody"}})
    sent = await caller.ok("POST", "/v1/send/email", send | {"identifiers": {"email": "lena@example.org"}})
    caller.clock.now += 60
    device = {"id": "token-lena", "platform": "android", "last_used": int(caller.clock.now)}
    await caller.ok("PUT", "/api/v1/customers/lena@example.org/devices", {"device": device})
    await caller.identify("no_address", plan="pro")
    members = "/api/v1/segments/5/add_customers?id_type="
    await caller.ok("POST", f"{members}email", {"ids": ["lena@example.org"]})
    await caller.ok("POST", f"{members}id", {"ids": ["no_address"]})
    method, path, *body = ASKED[name]
    path = path.replace("{delivery}", sent["delivery_id"])
    if "{next}" in path:
        before = await caller.ok(method, path.partition("?")[0])
        path = path.replace("{next}", before["next"])
    return await caller.ok(method, path, *body)


def test_every_answer_is_asked_for() -> None:
    assert {seen["name"] for seen in LIVE if seen["request"] != "ANY *"} == {*ASKED, "exports_none"}


@pytest.mark.parametrize("seen", LIVE, ids=lambda seen: seen["name"])
def test_every_form_says_where_it_was_seen_and_holds_no_value_of_others(seen: dict[str, Any]) -> None:
    assert seen["kind"] in {"recorded", "seen live"}
    assert re.match(r"(recorded from|seen on) the live API.*: |.*, as ", seen["source"])
    if seen["request"] != "ANY *":
        assert of_ours(seen.get("body")) == seen.get("body")


@pytest.mark.parametrize("seen", ANSWERS, ids=lambda seen: seen["name"])
def test_the_tools_know_the_form_of_what_was_seen(seen: dict[str, Any]) -> None:
    method, path = seen["request"].split(" ")
    # What a created segment is answered with is told in no list of forms: it is that of one segment.
    form = form_of("GET", "/v1/segments/7") if method == "POST" and path == "/v1/segments" else None

    assert list(form_differences(form or form_of(method, path.replace("*", "7")), seen["body"])) == []


@pytest.mark.parametrize(
    "seen", [seen for seen in ANSWERS if seen["name"] in ASKED], ids=lambda seen: seen["name"]
)
async def test_the_sandbox_says_all_that_was_seen(seen: dict[str, Any], caller: Caller) -> None:
    untold = UNTOLD.get(seen["name"], set())
    said = set(parts(await answered(caller, seen["name"])))
    missing = [part for part in parts(seen["body"]) if part not in said]

    assert [part for part in missing if not any(name in part for name in untold)] == []


@pytest.mark.parametrize("seen", EMPTY, ids=lambda seen: seen["name"])
async def test_track_says_an_empty_object_and_a_line_break(seen: dict[str, Any], caller: Caller) -> None:
    method, path, *body = ASKED[seen["name"]]

    assert (await caller.send(method, path, *body)).text == seen["text"]


async def test_refusals_have_the_form_that_was_recorded(caller: Caller) -> None:
    seen = {one["name"]: one.get("body") for one in LIVE if one["request"] == "ANY *"}
    missing = await caller.send("DELETE", "/v1/segments/99")
    nameless = await caller.send("POST", "/v1/segments", {"segment": {"name": " "}})

    told = re.sub(REFERENCE, " (reference 1a2b3c)", missing.text)
    assert (missing.status_code, json.loads(told)) == (404, seen["error_404_live"])
    assert (nameless.status_code, nameless.json()) == (422, seen["error_422_live"])
