"""With masking on, an agent acts on people it cannot see."""

import json
import logging
from typing import Any

import pytest

from tests.agent import Agent, an_agent
from tests.safety.test_elicitation import Human
from tests.test_outcomes import ACTS

pytestmark = pytest.mark.anyio

ADA = "ada@example.com"


async def pseudonym_of(agent: Agent, customer_id: str = "u_1001") -> str:
    return str((await agent.call("get_customer", customer_id=customer_id))["email"])


async def test_a_customer_is_read_without_address_and_name_and_with_everything_else() -> None:
    async with an_agent(pii="mask") as agent:
        ada = await agent.call("get_customer", customer_id="u_1001")

    assert ada["id"] == "u_1001"
    assert ada["email"].endswith("@masked.invalid")
    assert ada["attributes"]["first_name"] == "[masked]"
    assert ada["attributes"]["plan"] == "pro"
    assert ADA not in json.dumps(ada)


async def test_a_pseudonym_is_taken_back_as_identifier_and_recipient() -> None:
    async with an_agent(pii="mask") as agent:
        ada = await pseudonym_of(agent)
        again = await agent.call("get_customer", customer_id=ada, id_type="email")
        email = {"customer_id": ada, "id_type": "email", "to": f"Ada <{ada}>", "transactional_message_id": 1}
        await agent.call("send_transactional_email", **email)
        await agent.call("trigger_broadcast", broadcast_id=10, emails=[ada])

    sent = [json.loads(request.content) for request in agent.wire.requests if request.content]
    assert again["id"] == "u_1001"
    assert sent[0]["to"] == f"Ada <{ADA}>"
    assert sent[0]["identifiers"] == {"email": ADA}
    assert sent[1]["emails"] == [ADA]


async def test_a_text_message_goes_to_the_number_behind_a_pseudonym() -> None:
    async with an_agent(pii="mask") as agent:
        phone = (await agent.call("get_customer", customer_id="u_1001"))["attributes"]["phone"]
        message = {"channel": "sms", "transactional_message_id": 4, "customer_id": "u_1001", "to": phone}
        preview = await agent.call("send_transactional_message", dry_run=True, **message)
        await agent.call("send_transactional_message", **message)

    assert phone.endswith("@masked.invalid")
    assert "442071838750" not in json.dumps(preview)
    assert agent.last[2]["to"] == "+442071838750"


async def test_a_pseudonym_means_the_same_in_every_process_and_after_a_restart() -> None:
    async with an_agent(pii="mask") as one:
        ada = await pseudonym_of(one)
        async with an_agent(beside=one, pii="mask") as other:
            assert await pseudonym_of(other) == ada
            assert (await other.call("get_customer", customer_id=ada, id_type="email"))["id"] == "u_1001"


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("identify_customer", {"customer_id": "u_1", "attributes": {"note": "{}"}}),
        ("track_event", {"customer_id": "u_1", "name": "seen", "data": {"who": "{}"}}),
        ("track_page_view", {"customer_id": "u_1", "url": "/?{}"}),
        ("trigger_broadcast", {"broadcast_id": 10, "data_file_url": "https://example.com/?{}"}),
        ("trigger_broadcast", {"broadcast_id": 10, "data": {"x": "{}"}}),
    ],
)
async def test_a_pseudonym_is_not_taken_where_an_agent_could_read_back_what_it_means(
    tool: str, arguments: dict[str, Any]
) -> None:
    async with an_agent(pii="mask") as agent:
        ada = await pseudonym_of(agent)
        agent.wire.requests.clear()
        filled = json.loads(json.dumps(arguments).replace("{}", ada))
        text = await agent.fail(tool, **filled)

    assert "pseudonym" in text
    assert agent.sent == []


async def test_a_pseudonym_of_nobody_is_refused_by_the_arguments_name() -> None:
    async with an_agent(pii="mask") as agent:
        text = await agent.fail("get_customer", customer_id="aaaa@masked.invalid", id_type="email")

    assert text.splitlines()[-1].startswith("customer_id: ")
    assert agent.sent == []


async def test_neither_an_error_nor_a_refusal_nor_a_preview_shows_anybody() -> None:
    async with an_agent(pii="mask", confirm="preview", allowed_recipients="example.org") as agent:
        foreign = {"customer_id": "u_1003", "to": ADA, "transactional_message_id": 1}
        texts = [await agent.fail("send_transactional_email", **foreign), json.dumps(agent.facts)]
        texts.append(await agent.fail("identify_customer", customer_id="u_1", email=ADA, emial=ADA))
        preview = await agent.call("delete_customer", customer_id=ADA, id_type="email")
        texts += [json.dumps(preview), await agent.fail("delete_customer", customer_id=ADA, confirmation="x")]

    assert not any(ADA in text or "ada%40example" in text for text in texts)
    assert "CIO_ALLOWED_RECIPIENTS" in texts[0]


async def test_the_question_to_a_person_shows_nobody_either() -> None:
    human = Human("decline")
    async with an_agent(pii="mask", confirm="human", elicitation=human) as agent:
        await agent.fail("delete_customer", customer_id=ADA, id_type="email")

    assert "@masked.invalid" in human.asked[0].replace("%40", "@")
    assert "ada@" not in human.asked[0].replace("%40", "@")


# That addresses and numbers of all shapes are found is tried in test_privacy.py; here, that no tool shows
# any.
@pytest.mark.parametrize(
    ("email", "phone"), [("o'brien+q.x_1-2@ab.co.uk", "+4930123456789"), ("00@0.aa", "+10000000")]
)
async def test_no_tool_shows_an_address_or_a_number_and_no_log_does(
    caplog: pytest.LogCaptureFixture, email: str, phone: str
) -> None:
    caplog.set_level(logging.INFO)
    who = {"customer_id": "someone"}
    said = {"mobile": phone, "note": f"call {phone} or write to <{email}>", email: "1", "more": [phone]}
    async with an_agent(pii="mask") as agent:
        with agent.wire.sandbox.workspace.transaction():
            body = said | {"email": email}
            agent.wire.sandbox.workspace.accept("identify", {"identifier": "someone", "body": body})
            event = {"name": f"told {email}", "data": {"phone": phone, "text": f"{email},{phone}"}}
            agent.wire.sandbox.workspace.accept("event", {"identifier": "someone", "body": event})
        shown = [await agent.client.call_tool("get_customer", who)]
        for tool, act in ACTS.items():
            if act.kind.name == "READ":
                arguments = act.on(agent.wire.sandbox)
                found = who | {name: value for name, value in arguments.items() if name != "customer_id"}
                asked = found if "customer_id" in arguments else arguments
                shown.append(await agent.client.call_tool(tool, asked))
        shown.append(
            await agent.client.call_tool("send_transactional_email", {**who, "to": email, "body": phone})
        )

    everything = "".join(f"{result.content} {result.structured_content} {result.meta}" for result in shown)
    assert len(shown) > 10
    for text in (everything, caplog.text):
        assert email not in text
        assert phone not in text


@pytest.mark.anyio
async def test_an_agent_is_told_what_pseudonyms_are_where_there_are_any() -> None:
    async with an_agent(pii="mask") as masked, an_agent() as seeing:
        told, untold = masked.client.instructions or "", seeing.client.instructions or ""

    assert "Pass their pseudonyms" in told
    assert "pseudonyms" not in untold
