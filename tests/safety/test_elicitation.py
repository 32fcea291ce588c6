"""A person is asked, in both eras of the protocol."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from mcp.types import ElicitRequestFormParams, ElicitResult, ErrorData

from tests.agent import an_agent
from tests.safety.test_confirmation import acts

pytestmark = pytest.mark.anyio

ERAS = ["legacy", "2026-07-28"]
OFFER: dict[str, Any] = {"broadcast_id": 10, "recipients": {"segment": {"id": 1}}}


@dataclass
class Human:
    """Answers every question in the same way, and remembers what was asked."""

    action: Literal["accept", "decline", "cancel"]
    asked: list[str] = field(default_factory=list)
    meanwhile: Callable[[], None] = lambda: None

    async def __call__(self, _: Any, params: Any) -> ElicitResult | ErrorData:
        assert isinstance(params, ElicitRequestFormParams)
        self.asked.append(params.message)
        self.meanwhile()
        return ElicitResult(action=self.action, content={} if self.action == "accept" else None)


@pytest.mark.parametrize("mode", ERAS)
async def test_what_a_person_agrees_to_is_done(mode: str) -> None:
    human = Human("accept")
    async with an_agent(confirm="human", elicitation=human, mode=mode) as agent:
        answer = await agent.call("trigger_broadcast", **OFFER)

    assert answer["outcome"] == "triggered"
    assert len(human.asked) == 1
    question = human.asked[0]
    assert 'broadcast 10: "Spring sale"' in question
    assert "4 people, such as a…@example.com" in question
    assert agent.sent[-1] == "POST /v1/campaigns/10/triggers"


@pytest.mark.parametrize("mode", ERAS)
@pytest.mark.parametrize(("action", "words"), [("decline", "declined"), ("cancel", "nobody answered")])
async def test_what_a_person_does_not_agree_to_is_not_done(
    mode: str, action: Literal["decline", "cancel"], words: str
) -> None:
    async with an_agent(confirm="human", elicitation=Human(action), mode=mode) as agent:
        text = await agent.fail("delete_customer", customer_id="u_1001")

    assert words in text
    assert acts(agent) == []


@pytest.mark.parametrize("mode", ERAS)
async def test_a_client_that_cannot_ask_is_refused_and_told_why(mode: str) -> None:
    async with an_agent(confirm="human", mode=mode) as agent:
        text = await agent.fail("delete_customer", customer_id="u_1001")

    assert "this client cannot ask for it" in text
    assert "CIO_CONFIRM" in text
    assert acts(agent) == []


@pytest.mark.parametrize("mode", ERAS)
async def test_a_code_of_a_preview_does_not_stand_in_for_a_person(mode: str) -> None:
    human = Human("decline")
    async with an_agent(confirm="preview") as agent:
        code = (await agent.call("delete_customer", customer_id="u_1001"))["confirmation"]
        async with an_agent(beside=agent, confirm="human", elicitation=human, mode=mode) as other:
            shown = await other.call("delete_customer", customer_id="u_1001", dry_run=True)
            await other.fail("delete_customer", customer_id="u_1001", confirmation=code)

    assert len(human.asked) == 1
    assert "confirmation" not in shown
    assert acts(other) == []


@pytest.mark.parametrize("mode", ERAS)
async def test_a_read_and_a_message_to_one_ask_nobody(mode: str) -> None:
    human = Human("decline")
    email = {"customer_id": "u_1001", "to": "ada@example.com", "transactional_message_id": 1}
    async with an_agent(confirm="human", elicitation=human, mode=mode) as agent:
        await agent.call("get_customer", customer_id="u_1001")
        await agent.call("send_transactional_email", **email)

    assert not human.asked


async def test_an_audience_that_grew_while_the_person_thought_is_refused() -> None:
    async with an_agent() as watcher:
        workspace = watcher.wire.sandbox.workspace

        def grow() -> None:
            with workspace.transaction():
                for number in range(3):
                    workspace.accept("identify", {"identifier": f"new_{number}", "body": {"plan": "pro"}})

        human = Human("accept", meanwhile=grow)
        async with an_agent(beside=watcher, confirm="human", elicitation=human, mode="2026-07-28") as agent:
            text = await agent.fail("trigger_broadcast", **OFFER)

    assert "has grown from 4 to 7 people" in text
    assert not any("triggers" in sent for sent in agent.sent)
