"""Devices for push messages."""

from typing import Any

import pytest

from tests.agent import Agent

pytestmark = pytest.mark.anyio

EMIL = "u_1005"


async def test_a_device_is_added_with_what_is_known_of_it(agent: Agent) -> None:
    await agent.call(
        "add_device",
        customer_id="emil@example.com",
        id_type="email",
        device_id="d/1",
        platform="android",
        last_used="2026-05-01T10:00:00Z",
        attributes={"model": "Pixel"},
    )

    device = {"id": "d/1", "platform": "android", "last_used": 1777629600, "attributes": {"model": "Pixel"}}
    assert agent.last == ("PUT /api/v1/customers/emil%40example.com/devices", {}, {"device": device})
    emil = await agent.call("get_customer", customer_id=EMIL)
    assert emil["devices"] == [{"id": "d/1", "platform": "android", "last_used": "2026-05-01T10:00:00Z"}]


async def test_what_is_not_known_of_a_device_is_not_sent(agent: Agent) -> None:
    await agent.call("add_device", customer_id=EMIL, device_id="d", platform="ios", attributes={})

    assert agent.last[2] == {"device": {"id": "d", "platform": "ios"}}


async def test_a_removed_device_is_gone_and_removing_it_again_is_accepted(agent: Agent) -> None:
    await agent.call("add_device", customer_id=EMIL, device_id="d/1 %", platform="ios")
    for _ in range(2):
        answer = await agent.call("remove_device", customer_id=EMIL, device_id="d/1 %")

        assert answer["outcome"] == "accepted"
    assert agent.last == (f"DELETE /api/v1/customers/{EMIL}/devices/d%2F1%20%25", {}, None)
    assert (await agent.call("get_customer", customer_id=EMIL))["devices"] == []


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("add_device", {"device_id": "d"}, "platform: is required"),
        ("add_device", {"device_id": "d", "platform": "windows"}, "platform: "),
        ("add_device", {"device_id": " ", "platform": "ios"}, "device_id: must not be blank"),
        ("add_device", {"device_id": "d", "platform": "ios", "last_used": 1777629600000}, "in milliseconds"),
        (
            "add_device",
            {"device_id": "d", "platform": "ios", "attributes": "x"},
            "attributes: must be a JSON",
        ),
        ("remove_device", {}, "device_id: is required"),
        ("remove_device", {"device_id": ".."}, "device_id: must not be empty, '.' or '..'"),
    ],
)
async def test_a_wrong_device_is_named_and_nothing_is_sent(
    agent: Agent, tool: str, arguments: dict[str, Any], words: str
) -> None:
    assert words in await agent.fail(tool, customer_id=EMIL, **arguments)
    assert agent.sent == []
