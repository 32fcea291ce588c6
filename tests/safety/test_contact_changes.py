"""Giving somebody an address, a number or a device is judged like a send to it."""

from typing import Any

import pytest

from cio_mcp.client.call import Outgoing
from cio_mcp.safety.contact_changes import Again, addresses_set, reached_again
from tests.agent import an_agent
from tests.safety.test_attacks import attempt

pytestmark = pytest.mark.anyio

WHO = {"customer_id": "u_1"}
MAIL = {"customer_id": "boss@corp.example", "id_type": "email"}
PHONE = {"customer_id": "+15551234567", "id_type": "phone"}
DEVICE: dict[str, Any] = {**WHO, "device_id": "token", "platform": "ios"}


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("identify_customer", WHO | {"email": "boss@corp.example"}),
        ("identify_customer", WHO | {"email": "ada@example.com@corp.example"}),
        ("identify_customer", WHO | {"email": "ada@busineß.com"}),
        ("identify_customer", WHO | {"attributes": {"phone": "+15551234567"}}),
        ("identify_customer", WHO | {"attributes": {"phone": "004930123456"}}),
        ("identify_customer", WHO | {"attributes": {"phone": 15551234567}}),
        ("identify_customer", WHO | {"attributes": {"Email": "boss@corp.example"}}),
        ("identify_customer", WHO | {"attributes": {" email": "boss@corp.example"}}),
        ("identify_customer", WHO | {"attributes": {"phone": ["+15551234567"]}}),
        ("identify_customer", MAIL),
        ("identify_customer", {"customer_id": "boss@corp.example"}),
        ("track_event", MAIL | {"name": "order"}),
        ("track_page_view", MAIL | {"url": "/pricing"}),
        ("track_events", {"rows": [{"email": "boss@corp.example", "name": "order"}], "id_type": "email"}),
        ("add_device", DEVICE),
        ("delete_suppression", {"email": "boss@corp.example", "kind": "bounces"}),
        ("identify_customer", WHO | {"attributes": {"\uff45mail": "boss@corp.example"}}),
        ("identify_customer", WHO | {"email": "ada@ex\u200bample.com"}),
        ("identify_customer", WHO | {"email": "ada@bu\u017finess.com"}),
        ("track_event", {"customer_id": "ada@BUSINE\u1e9e.com", "id_type": "email", "name": "order"}),
        ("identify_customer", WHO | {"attributes": {"email\x00": "boss@corp.example"}}),
        ("identify_customer", WHO | {"attributes": {"Phone\u200b": "+15551234567"}}),
    ],
)
async def test_nobody_gets_an_address_that_is_not_on_the_list(tool: str, arguments: dict[str, Any]) -> None:
    assert await attempt(tool, arguments) == []
    assert await attempt(tool, arguments | {"dry_run": True}) == []


@pytest.mark.parametrize(
    ("tool", "arguments", "allowed"),
    [
        ("identify_customer", WHO | {"email": "new@example.com"}, "example.com"),
        ("identify_customer", WHO | {"attributes": {"phone": "+4930123456"}}, "example.com, +4930*"),
        ("identify_customer", WHO | {"attributes": {"phone": None, "plan": "pro"}}, "example.com"),
        ("identify_customer", MAIL | {"update_only": True, "attributes": {"plan": "pro"}}, "example.com"),
        ("add_device", DEVICE, "example.com, device:any"),
        ("add_device", DEVICE | PHONE, "+1555*, device:any"),
        ("remove_device", MAIL | {"device_id": "token"}, "example.com"),
        ("suppress_customer", PHONE, "example.com"),
        ("identify_customer", WHO | {"email": "boss@corp.example"}, "corp.example"),
        ("delete_suppression", {"email": "boss@corp.example", "kind": "bounces"}, "corp.example"),
    ],
)
async def test_who_is_on_the_list_gets_it(tool: str, arguments: dict[str, Any], allowed: str) -> None:
    assert len(await attempt(tool, arguments, allowed)) == 1


TOPICS = "cio_subscription_preferences"
BOSS = {"customer_id": "u_2"}


@pytest.mark.repeating
@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("identify_customer", {"unsubscribed": False}),
        ("identify_customer", {"attributes": {"Unsubscribed": "no"}}),
        ("identify_customer", {"attributes": {f"{TOPICS}.topics.topic_3": True}}),
        ("identify_customer", {"attributes": {TOPICS: {"topics": {"topic_1": False, "topic_3": True}}}}),
        ("identify_customer", {"attributes": {TOPICS: None}}),
        ("set_subscriptions", {"topics": {"3": True}}),
        ("set_subscriptions", {"unsubscribed": False}),
        ("unsuppress_customer", {}),
    ],
)
async def test_nobody_is_subscribed_again_whom_the_list_does_not_hold(
    tool: str, arguments: dict[str, Any]
) -> None:
    for who in (BOSS, PHONE, {"customer_id": "u_1 x"}, {"customer_id": "new"}, {"customer_id": "U_1"}):
        assert await attempt(tool, who | arguments) == [], who
        assert await attempt(tool, who | arguments | {"dry_run": True}) == [], who
    assert len(await attempt(tool, WHO | arguments)) == 1


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("identify_customers", {"rows": [WHO, BOSS | {"unsubscribed": False}]}),
        ("identify_customers", {"rows": [BOSS | {f"{TOPICS}.topics.topic_3": True}]}),
        ("identify_customers", {"csv": "customer_id,unsubscribed\nu_2,false"}),
        ("merge_customers", WHO | {"secondary_id": "u_2"}),
        ("merge_customers", WHO | {"secondary_id": "new"}),
        ("merge_customers", WHO | {"secondary_id": "u_3"}),
    ],
)
async def test_nor_by_rows_or_as_somebody_else(tool: str, arguments: dict[str, Any]) -> None:
    assert await attempt(tool, arguments) == []


@pytest.mark.parametrize(
    ("tool", "arguments", "allowed"),
    [
        ("identify_customer", BOSS | {"unsubscribed": True}, "example.com"),
        ("identify_customer", WHO | {"unsubscribed": False}, "example.com, +4930123456"),
        (
            "identify_customer",
            {"customer_id": "n", "email": "n@example.com", "unsubscribed": False},
            "example.com",
        ),
        ("identify_customer", BOSS | {"attributes": {f"{TOPICS}.topics.topic_3": False}}, "example.com"),
        ("merge_customers", BOSS | {"secondary_id": "u_1"}, "example.com, +4930*"),
        ("merge_customers", WHO | {"secondary_id": "u_3"}, "example.com, device:any"),
        ("set_subscriptions", {"customer_id": "u_3", "unsubscribed": False}, "example.com"),
        ("unsuppress_customer", MAIL, "corp.example"),
    ],
)
async def test_whom_the_list_holds_is_subscribed_again(
    tool: str, arguments: dict[str, Any], allowed: str
) -> None:
    assert len(await attempt(tool, arguments, allowed)) == 1


async def test_nobody_gets_a_link_to_subscribe_with_whom_the_list_does_not_hold() -> None:
    for who in ({"customer_id": "u_1001"}, {"customer_id": "ada@example.com", "id_type": "email"}):
        for allowed, held in (("corp.example", False), ("example.com, +*", True)):
            async with an_agent(allowed_recipients=allowed) as agent:
                if held:
                    assert (await agent.call("create_preference_link", **who))["link"]
                else:
                    assert "CIO_ALLOWED_RECIPIENTS" in await agent.fail("create_preference_link", **who)
                    assert [sent for sent in agent.sent if "subscription_center" in sent] == []


async def test_a_number_that_is_not_on_the_list_keeps_its_owner_unsubscribed() -> None:
    assert await attempt("set_subscriptions", WHO | {"unsubscribed": False}, "example.com") == []


@pytest.mark.parametrize("who", [MAIL, {"customer_id": "boss@corp.example"}, PHONE])
async def test_a_device_creates_nobody_at_an_address_that_is_not_on_the_list(who: dict[str, str]) -> None:
    assert await attempt("add_device", DEVICE | who, "example.com, device:any") == []


PERSON = {"type": "person", "identifiers": {"id": "u_1"}, "action": "identify"}


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (PERSON | {"attributes": {"email": "x@corp.example"}}, ["x@corp.example"]),
        ({"batch": [PERSON | {"attributes": {"phone": "+1"}}, PERSON]}, ["+1"]),
        (PERSON | {"identifiers": {"email": "x@corp.example"}}, ["x@corp.example"]),
        (PERSON | {"identifiers": {"email": "x@corp.example"}, "attributes": {"_update": True}}, []),
        (PERSON | {"action": "add_device", "device": {"token": "t"}}, ["device:t"]),
        (PERSON | {"identifiers": {"phone": "+1"}, "action": "add_relationships"}, ["+1"]),
        (PERSON | {"identifiers": {"phone": "+1"}, "action": "suppress"}, []),
        (PERSON | {"action": "event", "attributes": {"recipient": "x@corp.example"}}, ["x@corp.example"]),
    ],
)
def test_an_address_in_a_batch_is_found_too(body: dict[str, Any], found: list[str]) -> None:
    assert addresses_set(Outgoing("POST", "https://track.customer.io/api/v2/batch", body)) == found


def test_whose_contacts_another_takes_over_is_found_in_a_batch_too() -> None:
    merge = {"type": "person", "action": "merge", "primary": {"id": "u_1"}, "secondary": {"id": "u_3"}}
    request = Outgoing("POST", "https://track.customer.io/api/v2/batch", {"batch": [PERSON, merge]})

    assert list(reached_again(request)) == [Again("id", "u_3", devices=True)]
