"""The words of a send: what everybody sees needs its data, and what was previewed is what is sent."""

import asyncio
from typing import Any

import pytest

from tests.agent import Agent, an_agent
from tests.safety.test_elicitation import Human

pytestmark = pytest.mark.anyio

ADA = "ada@example.com"
TO_ADA: dict[str, Any] = {"to": ADA, "customer_id": "u_1001", "allow_missing": False}
ORDER = {**TO_ADA, "transactional_message_id": 1}
CODE = {
    "channel": "sms",
    "transactional_message_id": "sign_in_code",
    "to": "{{customer.phone}}",
    "customer_id": "u_1001",
    "allow_missing": False,
}
OFFER: dict[str, Any] = {"broadcast_id": 10, "emails": [ADA, "bob@example.com"], "allow_missing": False}
READ = "GET /v1/transactional/1/contents"


def posted(agent: Agent) -> list[str]:
    return [sent for sent in agent.sent if sent.startswith("POST /v1/send") or "triggers" in sent]


def edit(agent: Agent, parent: str, number: int, **fields: str) -> None:
    """Change a text as somebody does at Customer.io."""
    workspace = agent.wire.sandbox.workspace
    with workspace.transaction():
        text = next(text for text in workspace.things("content") if text.get(parent) == number)
        workspace.configure("content", text | fields)


@pytest.mark.parametrize("settings", [{"confirm": "off"}, {"confirm": "preview"}])
@pytest.mark.parametrize(
    ("tool", "arguments", "told"),
    [
        ("trigger_broadcast", OFFER | {"data": {"coupon": "X"}}, "data: lacks coupon_code"),
        ("trigger_broadcast", OFFER, "data: lacks coupon_code"),
        (
            "trigger_broadcast",
            {
                "broadcast_id": 10,
                "per_user_data": [{"id": "u_1001", "data": {"coupon_code": "A"}}, {"id": "u_1003"}],
                "allow_missing": False,
            },
            "data, per_user_data: lacks coupon_code",
        ),
        ("send_transactional_email", ORDER | {"message_data": {"order": 7}}, "lacks order_id"),
        ("send_transactional_email", ORDER | {"message_data": {"order_id": None}}, "lacks order_id"),
        (
            "send_transactional_email",
            {**TO_ADA, "subject": "For {{trigger.name}}", "body": "x", "from_address": "hello@example.com"},
            "message_data: lacks name",
        ),
        (
            "send_transactional_email",
            ORDER
            | {"message_data": {"order_id": 1}, "body": '<a href="https://x.example/{{trigger.at}}">x</a>'},
            "message_data: lacks at",
        ),
    ],
)
async def test_what_lacks_data_for_its_subject_or_a_link_does_not_leave(
    settings: dict[str, Any], tool: str, arguments: dict[str, Any], told: str
) -> None:
    async with an_agent(**settings) as agent:
        text = await agent.fail(tool, **arguments)
        left = posted(agent)
        warned = await agent.call(tool, **arguments, dry_run=True)
        sent = await agent.call(tool, **arguments | {"allow_missing": True})

    assert told in text
    assert "allow_missing=true" in text
    assert ("which has no place for coupon (did you mean coupon_code?)" in text) == (
        arguments.get("data") == {"coupon": "X"}
    )
    assert left == []
    assert warned["missing_data"]
    assert sent["outcome"] in {"preview", "queued", "triggered"}


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("trigger_broadcast", OFFER | {"data": {"coupon_code": ""}}),
        ("trigger_broadcast", {"broadcast_id": 10, "data_file_url": "https://example.com/people.jsonl"}),
        ("send_transactional_email", ORDER | {"message_data": {"order_id": 0}}),
        ("send_transactional_email", ORDER | {"subject": "{{ trigger.order_id | default: 'x' }}"}),
        (
            "send_transactional_email",
            ORDER | {"subject": "{% if trigger.order_id %}{{trigger.order_id}}{% endif %}"},
        ),
        (
            "send_transactional_email",
            ORDER | {"subject": "{{customer.nothing}}", "body": "{{trigger.order_id}}"},
        ),
        ("send_transactional_message", CODE),
    ],
)
async def test_what_lacks_anything_else_is_only_warned_of(
    agent: Agent, tool: str, arguments: dict[str, Any]
) -> None:
    await agent.call(tool, **arguments)

    assert len(posted(agent)) == 1


async def test_a_template_is_read_once_in_ten_minutes_and_renewed_beside(agent: Agent) -> None:
    whole = ORDER | {"message_data": {"order_id": 1}}
    for _ in range(3):
        await agent.call("send_transactional_email", **whole)
    first = list(agent.sent)
    edit(agent, "transactional", 1, subject="{{trigger.number}}")
    await asyncio.sleep(601)
    begun = asyncio.get_running_loop().time()
    agent.wire.delays = lambda request: 30.0 if request.url.path.endswith("contents") else 0.0
    await agent.call("send_transactional_email", **whole)
    took = asyncio.get_running_loop().time() - begun
    await asyncio.sleep(40)
    text = await agent.fail("send_transactional_email", **whole)

    assert first == [READ, *["POST /v1/send/email"] * 3]
    assert took < 0.1
    assert "lacks number" in text
    assert agent.sent.count(READ) == 2


async def test_only_the_first_send_waits_for_a_slow_template_and_two_seconds_at_most(agent: Agent) -> None:
    agent.wire.delays = lambda request: 9.0 if request.url.path.endswith("contents") else 0.0
    took = []
    for _ in range(2):
        begun = asyncio.get_running_loop().time()
        await agent.call("send_transactional_email", **ORDER)
        took.append(asyncio.get_running_loop().time() - begun)
    await asyncio.sleep(9)
    await agent.fail("send_transactional_email", **ORDER)

    assert 1.9 < took[0] < 2.1
    assert took[1] < 0.1
    assert agent.sent.count(READ) == 1


async def test_a_template_that_cannot_be_read_stops_no_send_and_is_asked_for_again_a_minute_later(
    agent: Agent,
) -> None:
    agent.wire.refuses = lambda request: request.url.path.endswith("contents")
    for _ in range(3):
        await agent.call("send_transactional_email", **ORDER)
    preview = await agent.call("send_transactional_email", **ORDER, dry_run=True)
    agent.wire.refuses = lambda _: False
    await asyncio.sleep(61)
    await agent.call("send_transactional_email", **ORDER)
    await asyncio.sleep(1)

    assert any("the template's texts (Customer.io answered 403" in each for each in preview["unread"])
    assert agent.sent.count(READ) == 3
    assert "lacks order_id" in await agent.fail("send_transactional_email", **ORDER)


@pytest.mark.parametrize("two", [False, True])
async def test_an_edited_message_voids_the_code_and_the_new_preview_tells_the_difference(two: bool) -> None:
    offer = OFFER | {"data": {"coupon_code": "X1"}}
    async with an_agent(confirm="preview") as one, an_agent(beside=one, confirm="preview") as other:
        acting = other if two else one
        first = await one.call("trigger_broadcast", **offer)
        edit(one, "action", 1001, subject="{{trigger.coupon_code}}: half off", body="<p>New</p><p>Bye</p>")
        text = await acting.fail("trigger_broadcast", **offer, confirmation=first["confirmation"])
        preview = acting.facts["preview"]
        again = await acting.fail("trigger_broadcast", **offer, confirmation=first["confirmation"])
        left = posted(one) + posted(other)
        done = await acting.call("trigger_broadcast", **offer, confirmation=preview["confirmation"])

    assert "the message has been edited since the preview" in text
    assert "has been used already" in again
    assert left == []
    assert preview["subject"] == '"X1: half off"'
    assert [change.partition(":")[0] for change in preview["changed"]] == ["subject", "body"]
    if not two:  # which has seen both
        assert preview["changed"][0] == (
            'subject: was "{{trigger.coupon_code}}: a fifth off", is "{{trigger.coupon_code}}: half off"'
        )
        assert 'without "A fifth off"' in preview["changed"][1]
        assert 'with "New", with "Bye"' in preview["changed"][1]
    assert done["outcome"] == "triggered"


async def test_a_message_that_can_no_longer_be_read_voids_the_code() -> None:
    offer = OFFER | {"data": {"coupon_code": "X1"}}
    async with an_agent(confirm="preview") as agent:
        first = await agent.call("trigger_broadcast", **offer)
        agent.wire.refuses = lambda request: request.url.path.endswith("actions")
        await agent.fail("trigger_broadcast", **offer, confirmation=first["confirmation"])
        code = agent.facts["preview"]["confirmation"]
        done = await agent.call("trigger_broadcast", **offer, confirmation=code)

    assert done["outcome"] == "triggered"


async def test_what_is_edited_while_a_person_is_asked_does_not_leave() -> None:
    human = Human("accept")
    async with an_agent(confirm="human", elicitation=human) as agent:
        human.meanwhile = lambda: edit(agent, "action", 1001, subject="All is free")
        text = await agent.fail("trigger_broadcast", **OFFER | {"data": {"coupon_code": "X1"}})
        left = posted(agent)

    assert "the message has been edited since the preview" in text
    assert left == []


@pytest.mark.parametrize("there", [True, False])
async def test_a_code_for_what_could_not_be_read_is_not_for_what_can_be_read_later(there: bool) -> None:
    async with an_agent(confirm="preview") as agent:
        if not there:  # a preview that shows no texts, because there are none, is for none
            workspace = agent.wire.sandbox.workspace
            with workspace.transaction():
                text = next(text for text in workspace.things("content") if text.get("newsletter") == 21)
                workspace.configure("content", text | {"newsletter": 0})
        agent.wire.refuses = lambda request: there and request.url.path.endswith("contents")
        first = await agent.call("send_newsletter", newsletter_id=21)
        agent.wire.refuses = lambda _: False
        await agent.call(
            "add_newsletter_text", newsletter_id=21, language="fr", subject="Tout est gratuit", body="x"
        )
        refused = await agent.fail("send_newsletter", newsletter_id=21, confirmation=first["confirmation"])
        preview = agent.facts["preview"]

    assert "could not be read then or now" in refused
    assert "unread" not in preview
    assert ("subject of 210" in preview["changed"]) if there else (preview["subject"] == '"Tout est gratuit"')


async def test_a_code_for_what_still_cannot_be_read_holds() -> None:
    async with an_agent(confirm="preview") as agent:
        agent.wire.refuses = lambda request: request.url.path.endswith("contents")
        first = await agent.call("send_newsletter", newsletter_id=21)
        done = await agent.call("send_newsletter", newsletter_id=21, confirmation=first["confirmation"])

    assert "the template's texts" in first["unread"][0]
    assert done["outcome"] == "accepted"


@pytest.mark.parametrize("name", ["1", "order_confirmation"])
async def test_an_own_change_of_a_text_holds_for_the_very_next_send(agent: Agent, name: str) -> None:
    send = {**TO_ADA, "transactional_message_id": name, "message_data": {"order_id": 1}}
    await agent.call("send_transactional_email", **send)
    await agent.call("update_content", kind="transactional", message_id="1", subject="{{trigger.gift}}")
    text = await agent.fail("send_transactional_email", **send)
    preview = await agent.call("send_transactional_email", **send, dry_run=True)
    await agent.call("restore_content", kind="transactional", message_id="1")
    again = await agent.call("send_transactional_email", **send)

    assert "lacks gift" in text
    assert preview["missing_data"] == {"gift": "the subject or a link needs it"}
    assert again["outcome"] == "queued"


@pytest.mark.parametrize("languages", [(), ("fr",)])
async def test_what_is_published_holds_for_the_very_next_send(
    agent: Agent, languages: tuple[str, ...]
) -> None:
    whole = ORDER | {"message_data": {"order_id": 1}}
    email = await agent.call("create_email", name="Order", subject="{{trigger.gift}}", html="<p>x</p>")
    for language in languages:  # then it takes a while to publish
        await agent.call("create_email", translates=email["email_id"], language=language)
    await agent.call("link_email", email_id=email["email_id"], target="transactional_message", target_id=1)
    await agent.call("send_transactional_email", **whole)
    publishing = asyncio.create_task(agent.call("publish_email", email_id=email["email_id"]))
    await asyncio.sleep(1.5)
    await agent.client.call_tool("send_transactional_email", whole)  # keeps what it is meanwhile
    assert (await publishing)["outcome"] == "published"

    assert "lacks gift" in await agent.fail("send_transactional_email", **whole)


async def test_what_was_being_read_before_an_own_change_is_not_kept(agent: Agent) -> None:
    agent.wire.lags = lambda request: 9.0 if request.url.path.endswith("contents") else 0.0
    slow = asyncio.create_task(
        agent.call("send_transactional_email", **ORDER | {"message_data": {"order_id": 1}}, dry_run=True)
    )
    await asyncio.sleep(1)
    agent.wire.lags = lambda _: 0.0
    await agent.call("update_content", kind="transactional", message_id="1", subject="Thank you")
    await slow
    sent = await agent.call("send_transactional_email", **ORDER)

    assert sent["outcome"] == "queued"


async def test_after_an_own_change_an_old_text_does_not_count_where_the_new_one_cannot_be_read(
    agent: Agent,
) -> None:
    await agent.call("send_transactional_email", **ORDER | {"message_data": {"order_id": 1}})
    await agent.call("update_content", kind="transactional", message_id="1", subject="Thank you")
    agent.wire.refuses = lambda request: request.url.path.endswith("contents")
    sent = [await agent.call("send_transactional_email", **ORDER) for _ in range(2)]

    assert [one["outcome"] for one in sent] == ["queued", "queued"]


async def test_an_own_change_voids_the_code_and_what_stood_there_is_still_told() -> None:
    offer = OFFER | {"data": {"coupon_code": "X1"}}
    async with an_agent(confirm="preview") as agent:
        first = await agent.call("trigger_broadcast", **offer)
        change = {"kind": "broadcast", "message_id": 10, "subject": "Half off"}
        code = (await agent.call("update_content", **change))["confirmation"]
        await agent.call("update_content", **change, confirmation=code)
        await agent.fail("trigger_broadcast", **offer, confirmation=first["confirmation"])

    (change,) = agent.facts["preview"]["changed"]
    assert change == 'subject: was "{{trigger.coupon_code}}: a fifth off", is "Half off"'
