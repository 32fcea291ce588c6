"""The messages of one source side by side: of a campaign, a broadcast, and the variants of a newsletter."""

from typing import Any

import pytest

from tests.agent import Agent
from tests.tools.canned import canned
from tests.tools.causes import sent

pytestmark = pytest.mark.anyio

ACTIONS = [
    {"id": "1", "type": "email", "name": "First"},
    {"id": 2, "type": "delay", "name": "Wait"},
    {"id": 3, "type": "push", "name": "Nudge", "language": "de"},
]


def series(**counts: int) -> dict[str, Any]:
    return {"metric": {"series": {name: [0, count] for name, count in counts.items()}}}


async def test_the_messages_of_a_campaign_are_told_in_one_call_with_their_names(storied: Agent) -> None:
    answer = await storied.call("compare_messages", kind="campaign", source_id=1)
    whole = await storied.call("get_campaign_metrics", campaign_id=1)

    assert [part["name"] for part in answer["parts"]] == ["Welcome", "First note", "Invite your team"]
    assert sum(part["counts"]["sent"] for part in answer["parts"]) == whole["totals"]["sent"]
    assert (answer["start"], answer["end"]) == (whole["start"], whole["end"])
    assert answer["verdict"] == (
        "Not enough yet to tell which converts better: 105 (Invite your team) converted 28% of 25, "
        "the others 10% of 52; if it stays like this, 4 times as many messages tell."
    )


async def test_the_variants_and_languages_of_a_newsletter_are_told_apart(agent: Agent) -> None:
    workspace = agent.wire.sandbox.workspace
    groups = [{"id": 1, "name": "A", "label": "short", "content_ids": [200]}]
    with workspace.transaction():
        newsletter = workspace.thing("newsletter", 20)
        assert newsletter
        workspace.configure("newsletter", newsletter | {"test_groups": groups})
        for fate in ({"sent": 2, "delivered": 5, "converted": 9}, {"sent": 2, "bounced": 4}):
            sent(newsletter_id=20, content_id=201, fate=fate)(workspace)
    answer = await agent.call("compare_messages", kind="newsletter", source_id=20)

    assert [(part["id"], part.get("variant"), part.get("language")) for part in answer["parts"]] == [
        (200, "A", None),
        (201, None, "fr"),
    ]
    assert answer["timezone"] == "America/New_York"
    assert answer["verdict"].startswith("Not enough yet to tell which converts better: ")


async def test_each_message_of_a_broadcast_is_read_by_its_own_id_and_what_is_refused_is_told() -> None:
    asked = []

    def metrics(request: Any) -> Any:
        asked.append(request.url.path)
        return series(sent=9, delivered=9, converted=2) if "/1/" in request.url.path else {"metric": None}

    async with canned({"/actions": {"actions": ACTIONS}, "/metrics": metrics}) as workspace:
        answer = await workspace.call("compare_messages", kind="broadcast", source_id=7)

    assert sorted(asked) == [f"/v1/broadcasts/7/actions/{number}/metrics" for number in (1, 3)]
    assert [part["id"] for part in answer["parts"]] == [1]
    assert "3 (Nudge, de): Customer.io answered, but" in answer["left_out"]
    assert answer["verdict"] == "1 (First): converted 22% of 9; there is nothing to compare it with."


async def test_a_source_without_messages_has_none() -> None:
    async with canned({"/actions": {"actions": ACTIONS[1:2]}}) as workspace:
        answer = await workspace.call("compare_messages", kind="broadcast", source_id=7)

    assert (answer["parts"], answer["verdict"]) == ([], "No verdict: nothing was sent.")


@pytest.mark.parametrize("kind", ["broadcast", "newsletter"])
async def test_only_campaigns_take_a_span(agent: Agent, kind: str) -> None:
    text = await agent.fail("compare_messages", kind=kind, source_id=10, start="2026-05-01")

    assert "start: " in text
    assert agent.sent == []
