"""Reporting webhooks: set as a whole, told without an envelope."""

from typing import Any

import pytest

from tests.sandbox.conftest import Caller

pytestmark = pytest.mark.anyio

LAKE = {"name": "Lake", "endpoint": "https://lake.example.com", "events": ["email_sent", "sms_replied"]}


async def test_a_webhook_is_made_and_replaced_as_a_whole(caller: Caller) -> None:
    made = await caller.ok("POST", "/v1/reporting_webhooks", LAKE | {"with_content": True})
    assert made == LAKE | {
        "id": 2,
        "type": "webhook",
        "disabled": False,
        "full_resolution": False,
        "with_content": True,
    }
    replaced = await caller.ok("PUT", "/v1/reporting_webhooks/2", LAKE | {"disabled": True})
    assert (replaced["disabled"], replaced["with_content"]) == (True, False)
    assert await caller.ok("GET", "/v1/reporting_webhooks/2") == replaced


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({}, "name is required"),
        (LAKE | {"events": []}, "events is required"),
        (LAKE | {"events": "email_sent"}, "events must be a list"),
        (
            LAKE | {"events": ["in_app_delivered", "email_sent"]},
            "events.0 must be one of customer_subscribed, ",
        ),
        (LAKE | {"endpoint": "lake"}, "endpoint must be a URL"),
    ],
)
async def test_a_webhook_is_checked(caller: Caller, body: Any, detail: str) -> None:
    for method, path in (("POST", ""), ("PUT", "/1")):
        answer = await caller.no(400, method, f"/v1/reporting_webhooks{path}", body)
        (error,) = answer["errors"]
        assert error.pop("detail").startswith(detail)
        assert error == {"status": "400"}


async def test_a_webhook_is_removed_with_a_200(caller: Caller) -> None:
    await caller.ok("DELETE", "/v1/reporting_webhooks/1")

    assert await caller.ok("GET", "/v1/reporting_webhooks") == {"reporting_webhooks": []}
    await caller.no(404, "GET", "/v1/reporting_webhooks/1")
    await caller.no(404, "DELETE", "/v1/reporting_webhooks/1")
