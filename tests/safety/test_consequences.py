"""What a call sets off for people is declared, shown, and confirmed where it matters."""

from typing import Any, get_args

import pytest

from cio_mcp.app.build import build
from cio_mcp.errors import SettingsError
from cio_mcp.settings import Settings, load
from cio_mcp.toolkit.people.consequences import CONFIRMED, IN_WORDS, Consequence
from cio_mcp.toolkit.registry import Effect, Tool
from cio_mcp.tools.every import TOOLS
from tests.agent import an_agent
from tests.safety.test_confirmation import acts

pytestmark = pytest.mark.anyio

TOPICS, OFF = "cio_subscription_preferences", {"Off": "unsubscribed:boolean"}
WRITING = [tool for tool in TOOLS if tool.effect is Effect.WRITES]
SNIPPET = {"kind": "snippet", "name": "footer", "value": "New"}

# A call of each consequence that is confirmed only if CIO_CONFIRM_ALSO names it.
ALSO: dict[str, tuple[str, dict[str, Any]]] = {
    "identify": ("identify_customer", {"customer_id": "u_1001", "attributes": {"plan": "pro"}}),
    "subscriptions": ("identify_customer", {"customer_id": "u_1001", "unsubscribed": False}),
    "devices": ("add_device", {"customer_id": "u_1001", "device_id": "token", "platform": "ios"}),
    "relationships": (
        "set_relationships",
        {"customer_id": "u_1001", "objects": [{"object_type_id": "1", "object_id": "acme"}]},
    ),
    "segments": ("add_to_segment", {"segment_id": 3, "ids": ["u_1001"]}),
    "events": ("track_event", {"customer_id": "u_1001", "name": "signed_up"}),
}


@pytest.mark.parametrize("tool", WRITING, ids=lambda tool: tool.name)
def test_each_tool_that_writes_declares_what_it_sets_off(tool: Tool) -> None:
    assert hasattr(tool.function, "__affects__")


def test_each_word_is_a_consequence_that_can_be_asked_for() -> None:
    (words, _) = get_args(Settings.model_fields["confirm_also"].annotation)

    assert {Consequence(word) for word in get_args(words)} == set(Consequence) - CONFIRMED
    assert IN_WORDS.keys() == set(Consequence)


def test_a_word_that_is_none_stops_the_start() -> None:
    with pytest.raises(SettingsError, match="CIO_CONFIRM_ALSO"):
        build(load({"CIO_CONFIRM_ALSO": "identity"}))


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("set_workspace_item", SNIPPET),
        ("set_workspace_item", {"kind": "collection", "name": "new", "data": [{"a": 1}]}),
        ("set_reporting_webhook", {"webhook_id": 1, "disabled": False, "endpoint": "https://a.example"}),
    ],
)
async def test_what_changes_live_mail_is_confirmed(tool: str, arguments: dict[str, Any]) -> None:
    async with an_agent(confirm="preview") as agent:
        preview = await agent.call(tool, **arguments)
        assert acts(agent) == []
        done = await agent.call(tool, **arguments, confirmation=preview["confirmation"])
        listed = {found.name: found for found in (await agent.client.list_tools()).tools}

    assert preview["sets_off"]
    assert done["outcome"] == "set"
    assert "confirmation" in listed[tool].input_schema["properties"]


async def test_where_nothing_is_confirmed_neither_is_what_changes_live_mail() -> None:
    async with an_agent(confirm="off", confirm_also="identify") as agent:
        assert (await agent.call("set_workspace_item", **SNIPPET))["outcome"] == "set"
        tool, arguments = ALSO["identify"]
        assert (await agent.call(tool, **arguments))["outcome"] == "accepted"


@pytest.mark.parametrize("word", ALSO)
async def test_a_write_is_confirmed_if_the_operator_names_what_it_sets_off(word: str) -> None:
    tool, arguments = ALSO[word]
    async with an_agent(confirm="preview", permissions="read,write") as agent:
        assert (await agent.call(tool, **arguments))["outcome"] == "accepted"
        plain = {found.name: found for found in (await agent.client.list_tools()).tools}
    async with an_agent(confirm="preview", confirm_also=word, permissions="read,write") as agent:
        preview = await agent.call(tool, **arguments)
        assert acts(agent) == []
        done = await agent.call(tool, **arguments, confirmation=preview["confirmation"])
        listed = {found.name: found for found in (await agent.client.list_tools()).tools}

    looked_up = 'people can enter the segment "Has an email" that starts the automation "Trial ending" '
    looked_up += "if they fit its other conditions, which the API does not report"
    told = looked_up if word in {"identify", "events"} else IN_WORDS[Consequence(word)]
    assert told in preview["sets_off"]
    assert done["outcome"] == "accepted"
    assert "confirmation" not in plain[tool].input_schema["properties"]
    assert "confirmation" in listed[tool].input_schema["properties"]


async def test_only_a_call_that_has_the_consequence_is_confirmed() -> None:
    async with an_agent(confirm="preview", confirm_also="subscriptions") as agent:
        who = {"customer_id": "u_1001"}
        calls = [
            await agent.call("identify_customer", **who, unsubscribed=True),
            await agent.call("set_subscriptions", **who, topics={"1": False}),
            await agent.call("set_subscriptions", **who, topics={"1": True}),
            await agent.call("identify_customer", **who, unsubscribed=False),
            await agent.call("identify_customer", **who, attributes={TOPICS: {"topics": {"topic_1": True}}}),
            await agent.call("identify_customer", **who, attributes={f"{TOPICS}.topics.topic_1": False}),
            await agent.call("identify_customers", rows=[who | {f"{TOPICS}.topics.topic_1": True}]),
            await agent.call("identify_customers", rows=[who | {"unsubscribed": True}]),
            await agent.call("identify_customers", csv="customer_id,Off\nu_1001,no", columns=OFF),
            await agent.call("unsuppress_customer", **who),
            await agent.call("create_preference_link", **who),
        ]

    asked = [call["outcome"] == "preview" for call in calls]
    assert asked == [False, False, True, True, True, False, True, False, True, True, True]
