"""What customers subscribe to."""

from typing import Any

import httpx
import pytest

from tests.agent import Agent, an_agent
from tests.tools.canned import canned

pytestmark = pytest.mark.anyio

CHIDI = "u_1003"


async def subscribed(agent: Agent, customer_id: str = CHIDI) -> dict[str, bool]:
    answer = await agent.call("get_subscriptions", customer_id=customer_id)
    return {topic["name"]: topic["subscribed"] for topic in answer["topics"]}


async def test_topics_are_read_with_what_was_chosen_and_else_the_default(agent: Agent) -> None:
    answer = await agent.call("get_subscriptions", customer_id="chidi@example.org", id_type="email")

    path = "GET /v1/customers/chidi%40example.org/subscription_preferences"
    assert agent.last == (path, {"id_type": "email"}, None)
    assert answer == {
        "unsubscribed": False,
        "topics": [
            {"id": 1, "name": "Product news", "description": "What is new in Quill.", "subscribed": False},
            {"id": 2, "name": "Tips", "description": "How others work with their notes.", "subscribed": True},
            {"id": 3, "name": "Offers", "description": "A few times a year.", "subscribed": True},
        ],
    }
    assert await subscribed(agent, "u_1005") == {"Product news": True, "Tips": True, "Offers": False}
    assert (await agent.call("get_subscriptions", customer_id="u_1002"))["unsubscribed"] is True


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"customer": {"unsubscribed": False, "topics": []}}, {"unsubscribed": False, "topics": []}),
        ({"unsubscribed": "false"}, {"unsubscribed": False}),
        ({"customer": {"unsubscribed": True, "topics": None}}, {"unsubscribed": True, "topics": []}),
        (
            {"customer": {"topics": [{"id": "4", "name": None, "description": ""}]}},
            {"topics": [{"id": 4}]},
        ),
    ],
)
async def test_a_workspace_may_have_no_subscription_center(body: object, expected: object) -> None:
    async with canned({"preferences": body}) as workspace:
        assert await workspace.call("get_subscriptions", customer_id="1") == expected


@pytest.mark.parametrize(
    ("arguments", "body"),
    [
        ({"topics": {"2": False}}, {"cio_subscription_preferences.topics.topic_2": False}),
        (
            {"topics": '{"topic_1": true, "2": false}', "unsubscribed": False},
            {
                "cio_subscription_preferences.topics.topic_1": True,
                "cio_subscription_preferences.topics.topic_2": False,
                "unsubscribed": False,
            },
        ),
        ({"unsubscribed": True}, {"unsubscribed": True}),
        ({"topics": {}, "unsubscribed": True}, {"unsubscribed": True}),
    ],
)
async def test_each_topic_is_set_alone_and_nobody_is_created_for_it(
    agent: Agent, arguments: dict[str, Any], body: dict[str, Any]
) -> None:
    answer = await agent.call("set_subscriptions", customer_id=CHIDI, **arguments)

    assert agent.last == (f"PUT /api/v1/customers/{CHIDI}", {}, {"_update": True} | body)
    assert answer["outcome"] == "accepted"


async def test_topics_that_are_not_named_stay_as_they_are(agent: Agent) -> None:
    await agent.call("set_subscriptions", customer_id=CHIDI, topics={"2": False})

    assert await subscribed(agent) == {"Product news": False, "Tips": False, "Offers": True}

    await agent.call("set_subscriptions", customer_id=CHIDI, topics={"1": True, "3": False})

    assert await subscribed(agent) == {"Product news": True, "Tips": False, "Offers": False}


async def test_a_customer_can_leave_everything_and_come_back(agent: Agent) -> None:
    for wanted in (True, False):
        await agent.call("set_subscriptions", customer_id=CHIDI, unsubscribed=wanted)
        answer = await agent.call("get_subscriptions", customer_id=CHIDI)

        assert answer["unsubscribed"] is wanted
    assert await subscribed(agent) == {"Product news": False, "Tips": True, "Offers": True}


@pytest.mark.parametrize(
    ("arguments", "warned"),
    [
        ({"topics": {"2": True}}, True),
        ({"topics": {"2": True}, "unsubscribed": True}, True),
        ({"topics": {"2": True}, "unsubscribed": False}, False),
        ({"topics": {"2": False}}, False),
        ({"unsubscribed": True}, False),
    ],
)
async def test_who_subscribes_a_customer_learns_what_may_stand_against_it(
    agent: Agent, arguments: dict[str, Any], warned: bool
) -> None:
    answer = await agent.call("set_subscriptions", customer_id=CHIDI, **arguments)

    assert ("notes" in answer) == warned


async def test_nobody_is_created_by_a_wrong_identifier(agent: Agent) -> None:
    await agent.call("set_subscriptions", customer_id="u_9999", unsubscribed=True)

    assert "404" in await agent.fail("get_customer", customer_id="u_9999")
    (rejected, *_) = (await agent.call("list_activities", activity_type="failed_attribute_change"))[
        "activities"
    ]
    assert rejected["data"]["identifier"] == "u_9999"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "topics, unsubscribed: give at least one of them"),
        ({"topics": {}}, "topics, unsubscribed: give at least one of them"),
        (
            {"topics": {"2,3": True}},
            "topics: 2,3: must be a topic id with true or false; get_subscriptions lists",
        ),
        ({"topics": {"1": "yes"}}, "topics: 1: must be a topic id with true or false"),
        ({"topics": {"1": 1}}, "topics: 1: must be"),
        ({"topics": {"": True}}, "topics: : must be"),
        ({"topics": [1]}, "topics: must be a JSON object"),
        ({"unsubscribed": "perhaps"}, "unsubscribed: "),
    ],
)
async def test_a_wrong_preference_is_named_and_nothing_is_sent(
    agent: Agent, arguments: dict[str, Any], words: str
) -> None:
    assert words in await agent.fail("set_subscriptions", customer_id=CHIDI, **arguments)
    assert agent.sent == []


async def test_a_link_to_a_customers_preferences_holds_for_a_day(agent: Agent) -> None:
    answer = await agent.call("create_preference_link", customer_id="chidi@example.org", id_type="email")

    assert agent.last == ("GET /v1/subscription_center/chidi%40example.org/token", {}, None)
    assert answer["link"].startswith("https://track.customer.io/u/i/")
    assert answer["expires"] == "2026-05-29T20:26:40Z"


async def test_a_dry_run_makes_no_link(agent: Agent) -> None:
    preview = await agent.call("create_preference_link", customer_id=CHIDI, dry_run=True)

    assert preview["request"]["url"].endswith("/v1/subscription_center/u_1003/token")
    assert agent.sent == []


async def test_a_link_is_hidden_where_people_are(agent: Agent) -> None:
    async with an_agent(beside=agent, pii="mask") as masked:
        answer = await masked.call("create_preference_link", customer_id=CHIDI)

    assert answer["link"] == "[masked]"


async def test_whoever_may_only_read_gets_no_link() -> None:
    async with an_agent(permissions="read") as reader:
        assert "create_preference_link" in await reader.fail("create_preference_link", customer_id=CHIDI)


async def test_nobody_has_no_link_and_an_answer_without_one_is_said_so(agent: Agent) -> None:
    assert "400" in await agent.fail("create_preference_link", customer_id="nobody")
    assert "id_type is email" in await agent.fail("create_preference_link", customer_id="1", id_type="email")
    agent.wire.fail(httpx.Response(200, json={"token": "t"}))
    assert "no link" in await agent.fail("create_preference_link", customer_id=CHIDI)
