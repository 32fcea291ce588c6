"""What a preview of a send says of the message's words: what is missing is seen before anything leaves."""

import json
from cProfile import Profile
from typing import Any

import httpx
import pytest

from cio_mcp.toolkit.answers.reading import Fields
from cio_mcp.toolkit.texts.checking import SHORT, uses_in
from cio_mcp.toolkit.texts.data import fit, meant_by
from cio_mcp.toolkit.texts.messages import Text
from cio_mcp.toolkit.texts.variables import TextUses, Use
from tests.agent import Agent, an_agent

pytestmark = pytest.mark.anyio

ADA = "ada@example.com"

NO_PLACE = "the message has no place for it"
FAILS = "without it the message fails, or has a blank there"


async def preview(agent: Agent, tool: str, **arguments: Any) -> dict[str, Any]:
    answer = await agent.call(tool, dry_run=True, **arguments)
    assert answer["outcome"] == "preview"
    assert not [sent for sent in agent.sent if sent.startswith("POST /v1/send") or "triggers" in sent]
    return answer


async def test_a_value_under_the_wrong_name_is_seen_in_the_preview_of_a_broadcast(agent: Agent) -> None:
    found = await preview(agent, "trigger_broadcast", broadcast_id=10, emails=[ADA], data={"coupon": "X"})

    assert found["subject"] == '": a fifth off"'
    assert found["missing_data"] == {"coupon_code": "the subject or a link needs it"}
    assert found["unused_data"] == {"coupon": NO_PLACE + "; did you mean coupon_code?"}


async def test_an_optional_value_under_the_wrong_name_is_seen_with_the_default_that_stands(
    agent: Agent,
) -> None:
    data = {"coupon": "X1", "discount": "20 %", "valid_until": "May 5"}
    text = await agent.fail(
        "trigger_broadcast", broadcast_id=10, emails=[ADA], data=data, allow_missing=False
    )
    data = {"coupon_code": "X1", "valid_until": "May 5"}
    found = await preview(agent, "trigger_broadcast", broadcast_id=10, emails=[ADA], data=data)

    assert "which has no place for coupon (did you mean coupon_code?), discount, valid_until" in text
    assert found["optional_data"] == {"ends": 'not given: the default "the end of April" will stand'}
    assert found["unused_data"] == {"valid_until": f"{NO_PLACE}; did you mean ends?"}
    assert "missing_data" not in found


async def test_a_preview_of_what_would_be_refused_has_no_code_and_says_what_to_mend() -> None:
    given: dict[str, Any] = {"broadcast_id": 10, "emails": [ADA, "bob@example.com"], "data": {"coupon": "X"}}
    async with an_agent(confirm="preview") as agent:
        refused = await preview(agent, "trigger_broadcast", **given, allow_missing=False)
        allowed = await preview(agent, "trigger_broadcast", **given, allow_missing=True)

    assert "confirmation" not in refused
    assert refused["next"].startswith("It would be refused. data: lacks coupon_code, which the subject or a")
    assert "allow_missing=true sends it all the same" in refused["next"]
    assert allowed["confirmation"]
    assert allowed["next"].endswith("show the user each warning, and what is missing, unused or changed.")


async def test_the_opening_is_filled_for_one_of_the_people_and_with_snippets(agent: Agent) -> None:
    people = [
        {"email": "bruno@example.com", "data": {"coupon_code": "FOR_BRUNO"}},  # who is unsubscribed
        {"id": "u_1001", "data": {"coupon_code": "FOR_ADA"}},
    ]
    named = await preview(agent, "trigger_broadcast", broadcast_id=10, per_user_data=people)
    requests = len(agent.sent)
    everybody = await preview(
        agent,
        "trigger_broadcast",
        broadcast_id=10,
        recipients={"segment": {"id": 1}},
        data={"coupon_code": "X"},
    )

    assert requests == 7  # the broadcast, its actions, snippets, people by email and by id, two addresses
    assert (named["shown_for"], named["subject"]) == ('"Ada" u_1001', '"FOR_ADA: a fifth off"')
    assert named["preheader"] == '"Until the end of April"'
    assert named["opening"] == (
        '"A fifth off\\n\\nHi Ada,\\n\\nA fifth off everything. Your code: FOR_ADA\\n\\n'
        'Get the offer [1]\\n\\nQuill, 1 Paper Street. Unsubscribe [2]"'
    )
    assert "shown_for" not in everybody
    assert r"Hi {{ customer.first_name | default: \"there\" }}," in everybody["opening"]
    assert "Your code: X" in everybody["opening"]
    assert "Quill, 1 Paper Street" in everybody["opening"]


async def test_what_fails_for_the_person_who_is_shown_is_told(agent: Agent) -> None:
    found = await preview(
        agent, "send_transactional_email", to=ADA, customer_id="u_1001", from_address="hello@example.com",
        subject="{{ customer.first_name }}", body="{{customer.nickname}}{{snippets.old}}{% if %}",
    )  # fmt: skip
    unread = await preview(
        agent, "send_transactional_email", to=ADA, customer_id="u_0", from_address="hello@example.com",
        subject="{{ customer.first_name }}", body="{{customer.nickname}}",
    )  # fmt: skip
    whole = await preview(
        agent, "send_transactional_email", to=ADA, customer_id="u_1001", from_address="hello@example.com",
        subject="s", body="{{customer.nickname}}{{snippets.old}}",
    )  # fmt: skip

    assert found["subject"] == '"Ada"'
    assert found["fails"][0].startswith('body: "')
    assert whole["fails"] == ["customer.nickname has no value", "snippets.old has no value"]
    assert "fails" not in unread
    assert (unread["subject"], unread["opening"]) == (
        '"{{ customer.first_name }}"',
        '"{{customer.nickname}}"',
    )


async def test_snippets_that_cannot_be_read_stay_as_they_are_written(agent: Agent) -> None:
    agent.wire.refuses = lambda request: request.url.path.endswith("/snippets")
    found = await preview(
        agent, "trigger_broadcast", broadcast_id=10, emails=[ADA], data={"coupon_code": "X"}
    )

    assert found["opening"].endswith('{{snippets.footer}}"')
    assert any(each.startswith("snippets (Customer.io answered 403") for each in found["unread"])
    assert found["subject"] == '"X: a fifth off"'


async def test_parts_of_data_that_are_not_used_are_told_by_their_path(agent: Agent) -> None:
    data = {
        "order_id": 7,
        "items": [{"name": "Pen", "price": 2, "sku": "p-1"}],
        "customer note": {"Sends: nobody": 1},
    }
    found = await preview(
        agent, "send_transactional_email", transactional_message_id=1, to=ADA, customer_id="u_1001",
        message_data=data,
    )  # fmt: skip

    assert found["unused_data"] == {"items[].sku": NO_PLACE, '"customer note"': NO_PLACE}
    assert "missing_data" not in found


async def test_of_very_many_keys_a_few_are_told(agent: Agent) -> None:
    data = {"coupon_code": "X", "k" * 20_000: 1} | {f"k{number}": 1 for number in range(2000)}
    found = await preview(agent, "trigger_broadcast", broadcast_id=10, emails=[ADA], data=data)

    assert len(found["unused_data"]) == 31
    assert found["unused_data"]["…"] == "and 1971 more"
    assert max(map(len, found["unused_data"])) < 300


@pytest.mark.parametrize(
    ("tool", "arguments", "would"),
    [
        (
            "trigger_broadcast",
            {"broadcast_id": 10, "ids": ["u_1001", "u_1002"]},
            'Send "Spring sale" to 2 people',
        ),
        (
            "trigger_broadcast",
            {"broadcast_id": 10, "emails": [ADA], "email_add_duplicates": True},
            'Send "Spring sale" to at least 1 person',
        ),
        (
            "trigger_broadcast",
            {"broadcast_id": 10},
            'Send "Spring sale" to the audience set in Customer.io, which its API cannot count',
        ),
        (
            "send_newsletter",
            {"newsletter_id": 22, "send_at": 0},
            'Cancel the schedule of "Survey for beta testers" for the audience set in the newsletter, which '
            "the API cannot count",
        ),
        (
            "send_transactional_email",
            {
                "to": ADA,
                "customer_id": "u_1001",
                "transactional_message_id": 2,
                "send_at": "2026-06-01T09:00:00Z",
            },
            'Send "Password reset" to 1 person, at 2026-06-01T09:00:00Z',
        ),
        (
            "send_transactional_email",
            {"to": ADA, "customer_id": "u_1001", "subject": "Hi", "body": "x", "from_address": "a@b.example"},
            'Send "Hi" to 1 person',
        ),
        (
            "send_transactional_message",
            {"channel": "push", "customer_id": "u_1001", "transactional_message_id": 3, "queue_draft": True},
            'Make a draft, which a person must send, of "Shipping update" for 1 person',
        ),
        (
            "set_workspace_item",
            {"kind": "snippet", "name": "Reaches: nobody", "value": "x"},
            'Create a snippet or collection, or replace its content: kind snippet, name "Reaches: nobody"',
        ),
        (
            "update_content",
            {"kind": "broadcast", "message_id": "10", "subject": "New"},
            "Change a text of a message, live or draft: kind broadcast, message_id 10",
        ),
    ],
)
async def test_a_preview_says_what_the_call_would_do_by_name_and_number(
    agent: Agent, tool: str, arguments: dict[str, Any], would: str
) -> None:
    assert (await preview(agent, tool, **arguments))["would"] == would


async def test_messages_that_wait_as_drafts_are_not_called_sent(agent: Agent) -> None:
    workspace = agent.wire.sandbox.workspace
    with workspace.transaction():
        text = next(text for text in workspace.things("content") if text.get("action") == 1001)
        workspace.configure("content", text | {"sending_state": "draft"})
    found = await preview(
        agent, "trigger_broadcast", broadcast_id=10, emails=[ADA], data={"coupon_code": "X"}
    )

    assert found["would"] == 'Make drafts, which a person must send, of "Spring sale" for 1 person'


@pytest.mark.parametrize(
    ("arguments", "means"),
    [
        ({}, "it goes to them unless the template is set otherwise; send_to_unsubscribed=false skips them"),
        ({"send_to_unsubscribed": False}, "they are skipped"),
    ],
)
async def test_what_becomes_of_unsubscribed_people_is_said(
    agent: Agent, arguments: dict[str, Any], means: str
) -> None:
    bruno = {"transactional_message_id": 3, "channel": "push", "customer_id": "u_1002"}
    found = await preview(agent, "send_transactional_message", **bruno, **arguments)
    inbox = await preview(
        agent, "send_transactional_message", **bruno | {"channel": "inbox", "transactional_message_id": 6}
    )

    assert found["audience"]["warnings"] == [f"1 unsubscribed (u_1002): {means}"]
    assert inbox["audience"]["warnings"] == ["1 unsubscribed (u_1002): the message goes to them all the same"]


async def test_of_several_texts_it_is_said_that_the_first_is_shown(agent: Agent) -> None:
    found = await preview(agent, "send_newsletter", newsletter_id=20)

    assert found["template"].endswith("; the first of its 2 texts is shown")


async def test_of_three_values_the_one_that_is_misnamed_is_named(agent: Agent) -> None:
    data = {"plan": "Team", "renews_at": 1_790_000_000, "cost": 480}
    found = await preview(agent, "trigger_broadcast", broadcast_id=12, emails=[ADA], data=data)

    assert found["subject"] == '"Your Team plan renews soon"'
    assert found["missing_data"] == {"price": f"an amount of money in EUR; {FAILS}"}
    assert found["unused_data"] == {"cost": NO_PLACE + "; did you mean price?"}


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

    assert some["missing_data"] == {"coupon_code": "lacking for u_1003; the subject or a link needs it"}
    assert "missing_data" not in every
    assert "missing_data" not in unknown


async def test_a_blank_code_is_seen_before_it_is_sent(agent: Agent) -> None:
    found = await preview(
        agent, "send_transactional_message", channel="sms", transactional_message_id="sign_in_code",
        to="{{customer.phone}}", customer_id="u_1001", message_data={"pin": "123456"},
    )  # fmt: skip

    assert found["missing_data"] == {"code": FAILS}
    assert found["unused_data"] == {"pin": NO_PLACE + "; did you mean code?"}
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

    assert (english["subject"], list(english["unused_data"])) == ('"Your order 7"', ["gift"])
    assert french["subject"] == '"Votre commande 7"'
    assert (own["subject"], own["opening"]) == ('"For "', '"true"')
    assert list(own["missing_data"]) == ["name"]
    assert own["unused_data"] == {"order_id": NO_PLACE + "; did you mean name?"}


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


@pytest.mark.repeating
@pytest.mark.parametrize("subject", ["{{ trigger.a%d }}", "{{ trigger.a%d | default: 1 }}"])
async def test_a_preview_of_very_many_names_stays_short(agent: Agent, subject: str) -> None:
    own = {"subject": "".join(subject % at for at in range(2000)), "body": "x", "from_address": "a@b.example"}
    many = {f"b{at}": at for at in range(2000)}
    whom = {"to": ADA, "customer_id": "u_1001", "allow_missing": False}
    found = await preview(agent, "send_transactional_email", **whom, **own, message_data=many)

    assert len(json.dumps(found)) < 12_000
    assert found["request"]["body"]["message_data"]["…"] == "and 1970 more fields"
    if "missing_data" in found:
        assert "a29, 1970 more, which the subject" in found["next"]


async def test_data_that_the_last_of_many_people_lacks_is_seen(agent: Agent) -> None:
    people = [{"email": f"p{at}@example.com", "data": {"coupon_code": "X"}} for at in range(2000)]
    people[-1]["data"] = {}
    given = {"broadcast_id": 10, "per_user_data": people, "allow_missing": False}
    found = await preview(agent, "trigger_broadcast", **given)

    assert found["missing_data"]["coupon_code"].startswith("lacking for p1999@example.com; ")
    assert "lacks coupon_code" in await agent.fail("trigger_broadcast", **given)


@pytest.mark.repeating
def test_of_very_many_values_so_many_are_looked_for_and_no_more() -> None:
    uses = {f"trigger.a{at}": Use("trigger", bare=True) for at in range(20_000)}
    found = fit(TextUses(uses=uses), [{}] * 100, [f"u{at}" for at in range(100)])

    assert found.missing["a0"].startswith("lacking for u0, u1, u2, at least 22 more; ")


def test_names_are_compared_with_so_many_others_and_no_more() -> None:
    wanted = [f"a{at}" for at in range(1000)]
    with Profile() as profile:
        meant_by(["zz"], wanted, [])

    assert max(entry.callcount for entry in profile.getstats() if "ratio" in str(entry.code)) == 300


def test_what_a_long_text_uses_is_found_once_a_call() -> None:
    fields = Fields({"subject": "Hello", "body": "{{trigger.name}} " + "-" * SHORT})
    found = uses_in([Text(fields)], {"footer": "Bye"})

    assert "trigger.name" in found.uses
    assert uses_in([Text(fields).with_fields({"subject": "Hello"})], {"footer": "Bye"}) is found
