"""Reporting webhooks: made, changed, and bound as sends are."""

import json
from typing import Any

import httpx
import pytest

from tests.agent import Agent, an_agent

pytestmark = pytest.mark.anyio

NEW = {"name": "Lake", "endpoint": "https://lake.example.com/in?key=k3y", "events": ["email_sent"]}
WAREHOUSE = {
    "name": "Warehouse",
    "endpoint": "https://warehouse.example.com/customerio?token=s3cret",
    "events": ["email_delivered", "email_clicked", "customer_unsubscribed"],
    "disabled": False,
    "full_resolution": True,
    "with_content": False,
}


async def test_a_webhook_is_made_and_what_it_does_is_said(agent: Agent) -> None:
    answer = await agent.call("set_reporting_webhook", **NEW)

    assert agent.last == ("POST /v1/reporting_webhooks", {}, NEW)
    assert len(agent.sent) == 1
    assert answer["webhook"] == {
        "id": 2,
        "name": "Lake",
        "endpoint": "https://lake.example.com/in?…",
        "events": ["email_sent"],
        "disabled": False,
        "with_content": False,
        "full_resolution": False,
    }
    assert "posts the person's identifiers and address to the endpoint" in answer["means"]


async def test_a_change_keeps_what_is_not_changed(agent: Agent) -> None:
    endpoint = WAREHOUSE["endpoint"]
    answer = await agent.call(
        "set_reporting_webhook", webhook_id=1, endpoint=endpoint, events=["push_sent"], disabled=True
    )

    assert agent.sent[-2] == "GET /v1/reporting_webhooks/1"
    expected = WAREHOUSE | {"events": ["push_sent"], "disabled": True}
    assert agent.last == ("PUT /v1/reporting_webhooks/1", {}, expected)
    assert answer["means"] == "The webhook is disabled: nothing is posted."


async def test_a_change_may_be_answered_without_more(agent: Agent) -> None:
    agent.wire.fail(httpx.Response(200, json=WAREHOUSE), times=2)  # before a send, all of it is rehearsed
    agent.wire.fail(httpx.Response(200))

    answer = await agent.call(
        "set_reporting_webhook", webhook_id=1, endpoint="https://w.example/in", name="Lake"
    )

    assert (answer["webhook"]["id"], answer["webhook"]["name"]) == (1, "Lake")
    assert answer["webhook"]["full_resolution"] is True


async def test_an_endpoint_that_holds_no_secret_need_not_be_named_again(agent: Agent) -> None:
    await agent.call("set_reporting_webhook", **(NEW | {"endpoint": "https://lake.example.com/in"}))
    await agent.call("set_reporting_webhook", webhook_id=2, name="Ocean")

    assert agent.last[2]["endpoint"] == "https://lake.example.com/in"


async def test_a_secret_in_an_endpoint_and_a_signing_key_never_come_back(agent: Agent) -> None:
    stored = WAREHOUSE | {"endpoint": "https://me:pass@w.example/in?t=s3cret#frag", "signing_key": "k3y"}
    agent.wire.fail(httpx.Response(200, json={"reporting_webhooks": [stored | {"id": 1}]}))
    listed = await agent.call("list_workspace_items", kind="reporting_webhook")
    agent.wire.fail(httpx.Response(200, json=stored | {"id": 2}))
    made = await agent.call("set_reporting_webhook", **NEW)
    shown = [await agent.fail("set_reporting_webhook", webhook_id=1, disabled=True, dry_run=True)]

    assert listed["items"][0]["endpoint"] == made["webhook"]["endpoint"] == "https://w.example/in?…"
    assert "endpoint: is required too" in shown[0]
    assert "delete_workspace_item" in shown[0]
    text = json.dumps([listed, made, shown])
    assert not [secret for secret in ("s3cret", "pass", "frag", "k3y") if secret in text]


async def test_a_webhook_with_content_says_so(agent: Agent) -> None:
    stored = WAREHOUSE | {"endpoint": "https://w.example/in", "with_content": True, "id": 1}
    agent.wire.fail(httpx.Response(200, json=stored), times=3)

    answer = await agent.call("set_reporting_webhook", webhook_id=1, name="Warehouse")

    assert agent.last[2]["with_content"] is True
    assert "The message's content is included" in answer["means"]


@pytest.mark.parametrize(
    "endpoint",
    [
        *("http://lake.example.com", "lake.example.com", "https://", "https:///in", "ftp://lake.example.com"),
        *(
            "https://me:pass@lake.example.com",
            "https://lake.example.com/a b",
            "https://lake.example.com:99999",
        ),
        *(
            "https://lake.example.com/\n",
            "https://[lake",
            "https://lake.example.com/\u200bin",
            "javascript:1",
        ),
    ],
)
async def test_an_endpoint_must_be_https_and_plain(agent: Agent, endpoint: str) -> None:
    if endpoint.endswith("\n"):
        endpoint += "in"

    assert "endpoint: must be an https:// URL" in await agent.fail(
        "set_reporting_webhook", **(NEW | {"endpoint": endpoint})
    )
    assert agent.sent == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"name": "Lake"}, "endpoint, events: required for a new webhook"),
        ({}, "name, endpoint, events: required for a new webhook"),
        ({"webhook_id": 1}, "name, endpoint, events, disabled: give at least one to change"),
        ({"webhook_id": 99, "name": "Lake"}, "Check webhook_id"),
        (NEW | {"events": ["email_read"]}, "events.0 must be one of customer_subscribed"),
        (NEW | {"events": []}, "events: must not be empty"),
        (NEW | {"with_content": True}, "with_content: unknown argument"),
    ],
)
async def test_a_wrong_webhook_is_named(agent: Agent, arguments: dict[str, Any], words: str) -> None:
    assert words in await agent.fail("set_reporting_webhook", **arguments)
    assert not [sent for sent in agent.sent if sent.startswith("PUT")]


async def test_a_webhook_whose_creation_is_unknown_can_be_found(agent: Agent) -> None:
    agent.wire.fail(httpx.ReadTimeout, late=True)

    text = await agent.fail("set_reporting_webhook", **NEW)

    assert agent.facts["outcome"] == "unknown"
    assert "list_workspace_items with kind=reporting_webhook" in text
    listed = await agent.call("list_workspace_items", kind="reporting_webhook", item="Lake")
    assert listed["items"][0]["id"] == 2


async def test_a_webhook_is_previewed_with_where_it_leads_and_confirmed() -> None:
    async with an_agent(confirm="preview") as agent:
        preview = await agent.call("set_reporting_webhook", **NEW)
        assert agent.sent == []
        made = await agent.call("set_reporting_webhook", **NEW, confirmation=preview["confirmation"])

    assert preview["audience"]["what"].startswith("lake.example.com, which receives each event")
    assert preview["request"]["body"] == NEW
    assert made["webhook"]["id"] == 2


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"allowed_recipients": "example.com"}, "CIO_ALLOWED_RECIPIENTS is set"),
        ({"max_recipients": "10"}, "CIO_MAX_RECIPIENTS limits the number of recipients"),
        ({"max_sends_per_day": "10"}, "CIO_MAX_SENDS_PER_DAY limits the number of recipients"),
    ],
)
async def test_where_sends_are_bound_no_webhook_takes_data_out_but_one_can_be_stopped(
    settings: dict[str, Any], words: str
) -> None:
    async with an_agent(**settings) as agent:
        workspace = agent.wire.sandbox.workspace
        with workspace.transaction():
            plain = WAREHOUSE | {"id": 1, "endpoint": "https://w.example/in"}
            workspace.configure("reporting_webhook", plain)
        assert words in await agent.fail("set_reporting_webhook", **NEW)
        assert words in await agent.fail("set_reporting_webhook", **NEW, disabled=True)
        assert words in await agent.fail("set_reporting_webhook", webhook_id=1, disabled=False)
        stopped = await agent.call("set_reporting_webhook", webhook_id=1, disabled=True)

    assert stopped["webhook"]["disabled"] is True


async def test_who_may_not_send_may_not_have_data_sent() -> None:
    async with an_agent(permissions="read,write,delete") as agent:
        assert "CIO_PERMISSIONS" in await agent.fail("set_reporting_webhook", **NEW)
