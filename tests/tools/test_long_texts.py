"""Texts too long for the address of a request: refused by the name of their argument."""

import pytest

from tests.agent import Agent

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("tool", "arguments", "name"),
    [
        ("list_newsletters", {}, "cursor"),
        ("list_opt_outs", {}, "cursor"),
        (
            "search_objects",
            {
                "object_type_id": 1,
                "filter": {"object_attribute": {"field": "name", "operator": "exists", "type_id": 1}},
            },
            "cursor",
        ),
        ("get_campaign", {"campaign_id": 1}, "cursor"),
        ("list_opt_outs", {}, "sender"),
        ("list_activities", {}, "activity_type"),
        ("list_components", {}, "tag"),
    ],
)
async def test_a_text_too_long_for_an_address_is_refused_by_name(
    agent: Agent, tool: str, arguments: dict[str, object], name: str
) -> None:
    text = await agent.fail(tool, **arguments, **{name: "x" * 70_000})

    assert f"{name}: is too long for a request" in text
    assert not any("xxx" in str(request.url) for request in agent.wire.requests)
