"""Changing what messages say: confirmed, with what differs, remembered, and brought back."""

from typing import Any

import httpx
import pytest

from tests.agent import Agent, an_agent
from tests.safety.test_elicitation import Human
from tests.tools.canned import canned
from tests.tools.contents import text

pytestmark = pytest.mark.anyio

SALE = {"kind": "broadcast", "message_id": 10}
HEADING = {"<h1>A fifth off</h1>": "<h1>20 %</h1>"}
WELCOME = {"kind": "campaign", "message_id": 1, "part_id": 101}


async def test_a_change_is_previewed_with_what_differs_and_confirmed(asked: Agent) -> None:
    preview = await asked.call("update_content", **SALE, subject="A fifth off", replace=HEADING)

    assert preview["outcome"] == "preview"
    assert preview["changes"]["subject"] == ['- "{{trigger.coupon_code}}: a fifth off"', '+ "A fifth off"']
    (gone, new) = preview["changes"]["body"]
    assert "<h1>A fifth off</h1>" in gone
    assert "<h1>20 %</h1>" in new
    assert "messages that are live use the new content within minutes" in preview["sets_off"]
    assert (await text(asked, **SALE))["subject"] == "{{trigger.coupon_code}}: a fifth off"

    code = preview["confirmation"]
    done = await asked.call(
        "update_content", **SALE, subject="A fifth off", replace=HEADING, confirmation=code
    )
    assert done["outcome"] == "updated"
    assert done["changes"]["subject"] == ["- {{trigger.coupon_code}}: a fifth off", "+ A fifth off"]
    now = await text(asked, **SALE)
    assert now["subject"] == "A fifth off"
    assert now["body"].startswith("20 %\n\nHi")


async def test_a_confirmation_holds_only_for_the_text_that_was_shown(asked: Agent) -> None:
    change = {**SALE, "subject": "A fifth off"}
    code = (await asked.call("update_content", **change))["confirmation"]
    other = await asked.call("update_content", **SALE, preheader="Until Sunday")
    await asked.call("update_content", **SALE, preheader="Until Sunday", confirmation=other["confirmation"])
    still = await asked.call("update_content", **change, confirmation=code)
    assert still["outcome"] == "updated"

    code = (await asked.call("update_content", **SALE, subject="Third"))["confirmation"]
    beside = await asked.call("update_content", **SALE, subject="Second")
    await asked.call("update_content", **SALE, subject="Second", confirmation=beside["confirmation"])
    refusal = await asked.fail("update_content", **SALE, subject="Third", confirmation=code)
    assert "the texts that were shown changed since its preview" in refusal
    assert asked.facts["preview"]["changes"]["subject"] == ['- "Second"', '+ "Third"']


async def test_what_a_new_text_needs_and_what_is_wrong_with_it_is_told(asked: Agent) -> None:
    preview = await asked.call(
        "update_content", **WELCOME, subject="{{ event.plan }}", body="<p>{{ customer.x </p>"
    )

    assert 'it then fails for whoever lacks "event.plan"' in preview["sets_off"]
    assert any(each.startswith("its Liquid is wrong") and "body" in each for each in preview["sets_off"])


async def test_the_last_change_is_taken_back_and_that_can_be_taken_back_too(agent: Agent) -> None:
    first = await text(agent, **WELCOME, html=True)
    one = await agent.call("update_content", **WELCOME, subject="One", body="<p>New</p>")
    await agent.call("update_content", **WELCOME, subject="Two")

    await agent.call("restore_content", **WELCOME, change_id=one["change_id"])
    back = await text(agent, **WELCOME, html=True)
    assert back == first

    await agent.call("restore_content", **WELCOME)
    again = await text(agent, **WELCOME, html=True)
    assert (again["subject"], again["html"]) == ("Two", "<p>New</p>")


async def test_changes_that_are_kept_are_listed_where_none_has_the_id(agent: Agent) -> None:
    assert "no change of this text is kept" in await agent.fail("restore_content", **WELCOME)
    numbers = [
        (await agent.call("update_content", **WELCOME, subject=f"Number {number}"))["change_id"]
        for number in range(12)
    ]

    refusal = await agent.fail("restore_content", **WELCOME, change_id=99)
    assert f"kept changes are {numbers[-1]} of 20" in refusal
    assert refusal.count("(subject)") == 10
    assert "no change of this text is kept" in await agent.fail(
        "restore_content", kind="campaign", message_id=1, part_id=103
    )


async def test_another_process_brings_back_what_was_there(agent: Agent) -> None:
    await agent.call("update_content", **WELCOME, preheader="")
    async with an_agent(beside=agent) as other:
        done = await other.call("restore_content", **WELCOME)

    assert done["changes"] == {"preheader_text": ["+ Your first note takes a minute"]}


async def test_what_was_sent_keeps_what_it_said_and_what_is_sent_next_says_the_new(agent: Agent) -> None:
    message = {"transactional_message_id": 1, "to": "ada@example.com", "customer_id": "u_1001"}
    data = {"message_data": {"order_id": "7"}}
    before = (await agent.call("send_transactional_email", **message, **data))["delivery_id"]
    await agent.call("update_content", kind="transactional", message_id=1, subject="Thank you!")
    after = (await agent.call("send_transactional_email", **message, **data))["delivery_id"]

    subjects = [
        (await agent.call("get_sent_message", delivery_id=sent))["subject"] for sent in (before, after)
    ]
    assert subjects == ["Your order 7", "Thank you!"]


async def test_a_language_a_newsletter_and_a_template_are_written_where_they_are(agent: Agent) -> None:
    await agent.call("update_content", **WELCOME, language="fr", subject="Salut")
    await agent.call("update_content", kind="newsletter", message_id=21, subject="Summer", sender_id=2)
    await agent.call("update_content", kind="transactional", message_id=1, language="fr", subject="Merci")

    assert [sent for sent in agent.sent if sent.startswith("PUT")] == [
        "PUT /v1/campaigns/1/actions/101/language/fr",
        "PUT /v1/newsletters/21/contents/210",
        "PUT /v1/transactional/1/content/12",
    ]
    assert (await text(agent, **WELCOME))["subject"] == "Welcome to Quill"
    assert (await text(agent, kind="newsletter", message_id=21))["sender"].startswith("Quill Support")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({**WELCOME, "subject": "Welcome to Quill"}, "the text already says all of this"),
        ({**WELCOME}, "subject, body, replace or another part of the text is needed"),
        ({**WELCOME, "body": "a", "replace": {"a": "b"}}, "replace: cannot be combined with body"),
        ({**WELCOME, "replace": {"nowhere": "b"}}, "replace: 'nowhere' is not in the body"),
        ({**WELCOME, "replace": {"<p>": "b"}}, "'<p>' is 4 times in the body"),
        (
            {**WELCOME, "replace": {"": "b"}},
            "replace: must be an object of old texts, each with its new text",
        ),
        ({"kind": "campaign", "message_id": 1, "subject": "a"}, "part_id: is needed"),
        (
            {"kind": "transactional", "message_id": 4, "subject": "a"},
            "subject: cannot be written here; of a transactional's twilio, body can",
        ),
        ({"kind": "newsletter", "message_id": 20, "part_id": 200, "subject": "a"}, "was sent on 20"),
    ],
)
async def test_what_cannot_be_written_is_refused_with_the_way_out(
    agent: Agent, arguments: dict[str, Any], why: str
) -> None:
    assert why in await agent.fail("update_content", **arguments)
    assert not [sent for sent in agent.sent if sent.startswith("PUT")]


async def test_a_body_of_another_editor_is_refused_with_the_way_out_and_no_history(agent: Agent) -> None:
    trial = {"kind": "campaign", "message_id": 2, "part_id": 201}
    refusal = await agent.fail("update_content", **trial, body="<p>New</p>")

    assert "Customer.io answered 400" in refusal
    assert "update_email and publish_email" in refusal
    assert "no change of this text is kept" in await agent.fail("restore_content", **trial)
    await agent.call("update_content", **trial, subject="Three days left")


async def test_a_change_whose_outcome_is_unknown_is_kept(agent: Agent) -> None:
    agent.wire.meets = lambda request: (
        agent.wire.fail(httpx.ReadTimeout, late=True, times=9) if request.method == "PUT" else None
    )
    await agent.fail("update_content", **WELCOME, subject="Perhaps")
    agent.wire.faults.clear()
    agent.wire.meets = lambda _: None
    await agent.call("restore_content", **WELCOME)

    assert (await text(agent, **WELCOME))["subject"] == "Welcome to Quill"


async def test_fields_that_come_back_otherwise_are_named() -> None:
    held = {"id": 1, "type": "push", "subject": "Old", "body": "Hi"}
    bodies = {
        "newsletters/7": {"newsletter": {"id": 7}},
        "contents": {"contents": [held]},
        "contents/1": {"content": [held]},
    }
    async with canned(bodies, CIO_CONFIRM="off") as workspace:
        done = await workspace.call("update_content", kind="newsletter", message_id=7, subject="New")

    assert done["not_taken"] == ["subject"]


async def test_people_are_hidden_in_what_differs_and_a_pseudonym_is_not_written() -> None:
    async with an_agent(pii="mask", confirm="preview") as agent:
        preview = await agent.call("update_content", **WELCOME, body="<p>Write to ada@example.com</p>")
        assert "ada@example.com" not in str(preview)
        refusal = await agent.fail("update_content", **WELCOME, body="<p>abc@masked.invalid</p>")

    assert "body: contains a pseudonym" in refusal


async def test_a_change_is_audited_as_what_it_is(tmp_path: Any) -> None:
    log = tmp_path / "audit.jsonl"
    async with an_agent(audit_log=str(log)) as agent:
        await agent.call("update_content", **WELCOME, subject="New")

    intent, outcome = log.read_text().splitlines()
    assert '"tool":"update_content"' in intent
    assert '"outcome":"updated"' in outcome


async def test_a_person_is_asked_with_what_differs() -> None:
    human = Human("accept")
    async with an_agent(confirm="human", elicitation=human) as agent:
        done = await agent.call("update_content", **WELCOME, subject="Hello")

    assert done["outcome"] == "updated"
    assert 'subject changes:\n  - "Welcome to Quill"\n  + "Hello"' in human.asked[0]


async def test_a_person_who_was_shown_another_text_has_not_agreed() -> None:
    async with an_agent(confirm="off") as agent:
        human = Human("accept")
        async with an_agent(beside=agent, confirm="human", elicitation=human) as other:
            workspace = agent.wire.sandbox.workspace

            def edit() -> None:
                (text,) = [one for one in workspace.things("content") if one["id"] == 101]
                with workspace.transaction():
                    workspace.configure("content", text | {"subject": "Edited meanwhile"})

            human.meanwhile = edit
            refusal = await other.fail("update_content", **WELCOME, subject="Hello")

    assert "the texts that were shown changed" in refusal
