"""Topics and who gets them."""

from typing import Any

import pytest

from tests.sandbox.conftest import Caller

pytestmark = pytest.mark.anyio

ONE = "cio_subscription_preferences.topics.topic_{}"


async def subscribed(caller: Caller, who: str = "1") -> list[bool]:
    answer = await caller.ok("GET", f"/v1/customers/{who}/subscription_preferences")
    return [topic["subscribed"] for topic in answer["customer"]["topics"]]


async def test_topics_have_identifiers_and_defaults(caller: Caller) -> None:
    topics = (await caller.ok("GET", "/v1/subscription_topics"))["topics"]

    assert [topic["identifier"] for topic in topics] == ["topic_1", "topic_2", "topic_3"]
    assert [topic["subscribed_by_default"] for topic in topics] == [True, True, False]


async def test_what_a_person_gets_is_told_with_who_they_are(caller: Caller) -> None:
    answer = await caller.ok("GET", "/v1/customers/u_1002/subscription_preferences")

    assert answer["customer"]["identifiers"]["email"] == "bruno@example.com"
    assert answer["customer"]["unsubscribed"] is True
    assert answer["customer"]["topics"][0].keys() == {"id", "name", "description", "subscribed"}
    await caller.no(404, "GET", "/v1/customers/nobody/subscription_preferences")


async def test_dot_notation_sets_one_topic_and_the_whole_attribute_replaces_all(caller: Caller) -> None:
    await caller.identify("1", **{ONE.format(1): False})
    await caller.identify("1", **{ONE.format(3): True})
    assert await subscribed(caller) == [False, True, True]

    await caller.identify("1", cio_subscription_preferences={"topics": {"topic_2": False}})
    assert await subscribed(caller) == [True, False, False]

    await caller.identify("1", **{ONE.format(2): None, ONE.format(3): True})
    assert await subscribed(caller) == [True, True, True]


@pytest.mark.parametrize("preferences", ["no JSON", "[]", "5", '{"topics": [1]}', {}])
async def test_preferences_without_topics_leave_the_defaults(caller: Caller, preferences: Any) -> None:
    await caller.identify("1", cio_subscription_preferences=preferences)

    assert await subscribed(caller) == [True, True, False]


async def test_preferences_read_back_as_json_in_text_and_may_be_written_so(caller: Caller) -> None:
    await caller.identify("1", cio_subscription_preferences='{"topics": {"topic_1": false}}')

    attributes = (await caller.profile("1"))["attributes"]

    assert attributes["cio_subscription_preferences"] == '{"topics": {"topic_1": false}}'
    assert attributes["_cio_subscription_preferences_computed"] == (
        '{"topics": {"topic_1": false, "topic_2": true, "topic_3": false}}'
    )
    assert await subscribed(caller) == [False, True, False]


async def test_a_preference_link_is_of_one_person_and_unknown_people_are_a_400(caller: Caller) -> None:
    by_id = await caller.ok("GET", "/v1/subscription_center/u_1003/token")
    by_email = await caller.ok("GET", "/v1/subscription_center/chidi%40example.org/token")
    other = await caller.ok("GET", "/v1/subscription_center/u_1001/token")

    assert by_id == by_email != other
    assert by_id["url"] == f"https://track.customer.io/u/i/{by_id['token']}/"
    await caller.no(400, "GET", "/v1/subscription_center/nobody/token")
