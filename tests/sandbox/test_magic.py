"""Addresses that say what becomes of an email to them."""

from typing import Any

import pytest

from tests.sandbox.conftest import Caller

pytestmark = pytest.mark.anyio

DAY = 86_400


async def sent(caller: Caller, to: str) -> dict[str, Any]:
    """Return an email to an address, 30 days after it was sent."""
    body = {"to": to, "transactional_message_id": 1, "identifiers": {"id": "magic"}}
    body |= {"message_data": {"order_id": "4711"}}
    number = (await caller.ok("POST", "/v1/send/email", body))["delivery_id"]
    caller.clock.now += 30 * DAY
    message: dict[str, Any] = (await caller.ok("GET", f"/v1/messages/{number}"))["message"]
    message["metrics"] = {name: at - message["created"] for name, at in message["metrics"].items()}
    return message


@pytest.mark.parametrize(
    ("to", "metrics"),
    [
        ("ada+bounce@example.com", {"sent": 2, "bounced": 5}),
        ("Ada <ada+Bounce@example.com>", {"sent": 2, "bounced": 5}),
        ("a+b+complains@example.com", {"sent": 2, "secondary:delivered": 5, "opened": 600, "spammed": 660}),
        (
            "ada+opens-late-7d@example.com",
            {"sent": 2, "secondary:delivered": 5, "opened": 5 + 7 * DAY},
        ),
        ("ada+opens-late-90s@example.com", {"sent": 2, "secondary:delivered": 5, "opened": 95}),
        ("ada+opens-late-40d@example.com", {"sent": 2, "secondary:delivered": 5}),
        ("ada+suppressed@example.com", {"dropped": 1}),
    ],
)
async def test_an_email_fares_as_its_address_says(caller: Caller, to: str, metrics: dict[str, int]) -> None:
    message = await sent(caller, to)

    assert message["metrics"] == {"created": 0} | metrics
    assert ("failure_message" in message) is bool({"bounced", "dropped"} & metrics.keys())


@pytest.mark.parametrize("to", ["bounce@example.com", "ada+bounces@example.com", "ada+opens-late-d@e.com"])
async def test_any_other_address_says_nothing(caller: Caller, to: str) -> None:
    message = await sent(caller, to)

    assert message["metrics"]["secondary:delivered"] == 5
    assert "failure_message" not in message


async def test_a_suppressed_address_is_listed_from_its_first_email_on(caller: Caller) -> None:
    await sent(caller, "ada+suppressed@example.com")
    listed = await caller.ok("GET", "/v1/esp/search_suppression/ada+suppressed@example.com")

    assert listed["category"] == "bounces"
    assert [one["email"] for one in listed["suppressions"]] == ["ada+suppressed@example.com"]


async def test_an_address_that_asks_for_a_bounce_bounces_each_time(caller: Caller) -> None:
    body = {"to": "ada+bounce@example.com", "transactional_message_id": 1, "identifiers": {"id": "magic"}}
    for _ in range(2):
        await caller.ok("POST", "/v1/send/email", body | {"message_data": {"order_id": "4711"}})
        caller.clock.now += 60

    assert len(await caller.messages("&metric=bounced")) >= 2
    newest, older, *_ = await caller.messages()
    assert "bounced" in newest["metrics"].keys() & older["metrics"].keys()
