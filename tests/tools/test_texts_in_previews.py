"""What a preview of a send says of the message's words: what is missing is seen before anything leaves."""

import json
from typing import Any

import httpx
import pytest

from tests.agent import Agent, an_agent

pytestmark = pytest.mark.anyio

ADA = "ada@example.com"


async def preview(agent: Agent, tool: str, **arguments: Any) -> dict[str, Any]:
    answer = await agent.call(tool, dry_run=True, **arguments)
    assert answer["outcome"] == "preview"
    assert not [sent for sent in agent.sent if sent.startswith("POST /v1/send") or "triggers" in sent]
    return answer


async def test_a_value_under_the_wrong_name_is_seen_in_the_preview_of_a_broadcast(agent: Agent) -> None:
    found = await preview(agent, "trigger_broadcast", broadcast_id=10, emails=[ADA], data={"coupon": "X"})

    assert found["subject"] == '": a fifth off"'
    assert found["missing_data"] == ['"trigger.coupon_code"']
    assert found["unused_data"] == ['"coupon"']


async def test_of_three_values_the_one_that_is_misnamed_is_named(agent: Agent) -> None:
    data = {"plan": "Team", "renews_at": 1_790_000_000, "cost": 480}
    found = await preview(agent, "trigger_broadcast", broadcast_id=12, emails=[ADA], data=data)

    assert found["subject"] == '"Your Team plan renews soon"'
    assert found["missing_data"] == ['"trigger.price"']
    assert found["unused_data"] == ['"cost"']


async def test_with_all_data_nothing_is_missing_and_the_mail_is_shown(agent: Agent) -> None:
    found = await preview(
        agent, "trigger_broadcast", broadcast_id=10, emails=[ADA], data={"coupon_code": "X1"}
    )

    assert found["subject"] == '"X1: a fifth off"'
    assert found["links"] == ["quill.example.com"]
    assert "missing_data" not in found
    assert "unused_data" not in found


async def test_what_one_of_many_people_lacks_is_missing(agent: Agent) -> None:
    people = [{"id": "u_1001", "data": {"coupon_code": "A"}}, {"id": "u_1003", "data": {"coupon_code": ""}}]
    some = await preview(agent, "trigger_broadcast", broadcast_id=10, per_user_data=people)
    every = await preview(
        agent, "trigger_broadcast", broadcast_id=10, per_user_data=[people[0], {"id": "u_1003"}],
        data={"coupon_code": "ALL"},
    )  # fmt: skip
    unknown = await preview(
        agent, "trigger_broadcast", broadcast_id=10, data_file_url="https://example.com/people.jsonl"
    )

    assert some["missing_data"] == ['"trigger.coupon_code"']
    assert "missing_data" not in every
    assert "missing_data" not in unknown


async def test_a_blank_code_is_seen_before_it_is_sent(agent: Agent) -> None:
    found = await preview(
        agent, "send_transactional_message", channel="sms", transactional_message_id="sign_in_code",
        to="{{customer.phone}}", customer_id="u_1001", message_data={"pin": "123456"},
    )  # fmt: skip

    assert found["missing_data"] == ['"trigger.code"']
    assert found["unused_data"] == ['"pin"']
    assert found["opening"] == '"Your Quill code is . It works for ten minutes."'


async def test_an_email_is_shown_with_its_data_in_its_language_and_with_its_own_words(agent: Agent) -> None:
    to = {"transactional_message_id": 1, "to": ADA, "customer_id": "u_1001"}
    data = {"order_id": 7, "gift": True}
    english = await preview(agent, "send_transactional_email", **to, message_data=data)
    french = await preview(agent, "send_transactional_email", **to, message_data=data, language="fr")
    own = await preview(
        agent, "send_transactional_email", **to, message_data=data, subject="For {{trigger.name}}",
        body="<p>{{trigger.gift}}</p>", from_address="hello@example.com",
    )  # fmt: skip

    assert (english["subject"], english["unused_data"]) == ('"Your order 7"', ['"gift"'])
    assert french["subject"] == '"Votre commande 7"'
    assert (own["subject"], own["opening"]) == ('"For "', '"true"')
    assert own["missing_data"] == ['"trigger.name"']
    assert own["unused_data"] == ['"order_id"']


async def test_a_newsletter_is_shown_and_lacks_no_data(agent: Agent) -> None:
    found = await preview(agent, "send_newsletter", newsletter_id=21)

    assert found["subject"] == '"A summer of notes, a third off"'
    assert found["opening"].startswith('"A third off until the end of August.')
    assert "missing_data" not in found


async def test_texts_that_cannot_be_read_are_named_and_the_preview_is_shown_without_them(
    agent: Agent,
) -> None:
    answer = httpx.Response(403, json={"errors": [{"detail": "forbidden", "status": "403"}]})
    inner = agent.wire.handle_async_request

    async def refusing(request: httpx.Request) -> httpx.Response:
        return answer if request.url.path.endswith("/actions") else await inner(request)

    agent.wire.handle_async_request = refusing  # type: ignore[method-assign]
    found = await preview(agent, "trigger_broadcast", broadcast_id=10, emails=[ADA], data={"coupon": "X"})

    assert any("the template's texts (Customer.io answered 403" in each for each in found["unread"])
    assert "missing_data" not in found


async def test_addresses_are_masked_in_what_is_shown() -> None:
    async with an_agent(pii="mask") as agent:
        data = {"order_id": "bo@example.com"}
        found = await preview(
            agent, "send_transactional_email", transactional_message_id=1, to=ADA, customer_id="u_1001",
            message_data=data,
        )  # fmt: skip

    assert "bo@example.com" not in json.dumps(found)


async def test_a_send_itself_reads_no_texts(agent: Agent) -> None:
    await agent.call("trigger_broadcast", broadcast_id=10, emails=[ADA], data={"coupon_code": "X"})

    assert agent.sent == ["POST /v1/campaigns/10/triggers"]
