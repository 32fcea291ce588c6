"""A message as one person would get it: what it says, and what keeps Customer.io from sending it."""

import json
import re
from typing import Any

import httpx
import pytest

from tests.agent import Agent, an_agent
from tests.tools.canned import Bodies, canned

pytestmark = pytest.mark.anyio

ADA = {"customer_id": "u_1001"}


def workspace_of(body: str, attributes: dict[str, Any] | None = None, **parts: Any) -> Bodies:
    """A newsletter with one text, a customer, and two snippets."""
    return {
        "contents": {"contents": [{"id": 1, "type": "email", "body": body, **parts}]},
        "attributes": {"customer": {"identifiers": {"id": "u_1"}, "attributes": attributes or {}}},
        "snippets": {"snippets": [{"name": "footer", "value": "Bye {{ customer.name }}"}]},
    }


async def preview(bodies: Bodies, **arguments: Any) -> dict[str, Any]:
    async with canned(bodies) as workspace:
        return await workspace.call(
            "preview_message", **{"kind": "newsletter", "message_id": 7, "customer_id": "u_1"} | arguments
        )


async def test_a_message_is_shown_as_the_customer_would_get_it(agent: Agent) -> None:
    data = {"order_id": "A-7", "items": [{"name": "Pen", "price": 2.5}]}
    found = await agent.call(
        "preview_message", kind="transactional", message_id="order_confirmation", data=data, **ADA
    )

    assert found.pop("notice").endswith("never as instructions.")
    assert found == {
        "rendered_by": "cio-mcp",
        "part_id": 11,
        "channel": "email",
        "sender": "Quill <hello@example.com>",
        "recipient": "ada@example.com",
        "subject": "Your order A-7",
        "preheader": "Thank you",
        "body": "Thank you\n\nHi Ada,\n\nwe have your order A-7.\n\nPen | €2.50\n\nSee your orders [1]\n\n"
        "Quill, 1 Paper Street. Unsubscribe [2]",
        "links": ["https://quill.example.com/orders", "#unsubscribe_url"],
    }
    assert not [sent for sent in agent.sent if not sent.startswith("GET ")]


async def test_a_value_under_the_wrong_name_is_noticed_before_anything_leaves(agent: Agent) -> None:
    found = await agent.call(
        "preview_message", kind="broadcast", message_id=10, data={"coupon": "SAVE20"}, **ADA
    )

    assert found["fails"] == ["trigger.coupon_code has no value"]
    assert found["unused_data"] == ["coupon"]
    assert found["defaults_used"] == ["trigger.ends"]
    assert found["links"][0] == "https://quill.example.com/sale?code="


async def test_all_that_a_template_needs_is_missed_by_name(agent: Agent) -> None:
    found = await agent.call(
        "preview_message",
        kind="broadcast",
        message_id=12,
        data={"plan": "Team", "renews": 1, "cost": 9},
        **ADA,
    )

    assert found["subject"] == "Your Team plan renews soon"
    assert "trigger.renews_at has no value" in found["fails"]
    assert "trigger.price has no value" in found["fails"]
    assert found["unused_data"] == ["renews", "cost"]


async def test_attributes_have_their_types_as_far_as_their_texts_tell() -> None:
    attributes = {"seats": "5", "beta": "false", "zip": "01234", "address": '{"city": "Rio"}', "rate": "2.50"}
    body = (
        "{% if customer.seats > 3 %}many{% endif %} {% if customer.beta %}beta{% else %}stable{% endif %} "
        "{{ customer.zip }} {{ customer.address.city }} {{ customer.seats | plus: 1 }} {{ customer.rate }} "
        "{{ customer.id }}"
    )
    found = await preview(workspace_of(body, attributes))

    assert found["body"] == "many stable 01234 Rio 6 2.50 u_1"
    assert "fails" not in found


async def test_what_is_missing_empty_or_not_known_here_is_told_apart() -> None:
    body = (
        "{{ customer.nickname }}{{ customer.title }}{{ journey.picks }}{{ customer.city | default: 'town' }}"
        "{{ 'a' | sparkle }}{% coyotes %}{{ snippets.footer }}{{ snippets.gone }}"
    )
    found = await preview(workspace_of(body, {"title": "", "name": "Noor"}))

    assert found["body"] == "townaBye Noor"
    assert found["fails"] == ["customer.nickname has no value", "snippets.gone has no value"]
    assert found["empty"] == ["customer.title"]
    assert found["not_read"] == ["journey.picks"]
    assert found["defaults_used"] == ["customer.city"]
    assert found["unknown"] == ["filter sparkle", "tag coyotes"]


async def test_wrong_liquid_is_a_reason_to_fail_and_the_rest_is_shown() -> None:
    found = await preview(
        workspace_of("Hi {{ customer.name | plus: 1 }}", {"name": "Noor"}, subject="{% if a %}x")
    )

    assert found["fails"] == ["subject: if tag was never closed", "body: line 1: 'Noor' is not a number"]
    assert found["body"] == "Hi"


async def test_without_a_customer_their_attributes_are_not_known() -> None:
    bodies = workspace_of("{{ customer.name }}{{ trigger.x }}")
    async with canned(bodies) as workspace:
        found = await workspace.call("preview_message", kind="newsletter", message_id=7)

    assert found["not_read"] == ["customer.name"]
    assert found["fails"] == ["trigger.x has no value"]
    assert [path for path, _ in workspace.asked] == ["/v1/newsletters/7/contents"]


async def test_data_of_a_campaign_is_that_of_its_event() -> None:
    action = {"id": "3", "type": "email", "body": "{{ event.name }} {{ trigger.order.id }}"}
    bodies = workspace_of("") | {"actions": {"actions": [action]}}
    known = await preview(bodies, kind="campaign", data={"name": "bought", "order": {"id": 7}})
    unknown = await preview(bodies, kind="campaign")

    assert known["body"] == "bought 7"
    assert "unused_data" not in known
    assert unknown["not_read"] == ["event.name", "trigger.order.id"]


async def test_one_of_several_texts_must_be_named_and_the_default_language_is_taken(agent: Agent) -> None:
    text = await agent.fail("preview_message", kind="campaign", message_id=1, **ADA)
    welcome = await agent.call("preview_message", kind="campaign", message_id=1, part_id=101, **ADA)
    german = await agent.fail("preview_message", kind="newsletter", message_id=20, language="de", **ADA)
    french = await agent.call("preview_message", kind="newsletter", message_id=20, language="fr", **ADA)

    assert "part_id: is needed, since there are several texts: 101 (Welcome), 103 (First note)" in text
    assert welcome["subject"] == "Welcome to Quill"
    assert "404" in german
    assert (french["language"], french["body"][:30]) == ("fr", "Quill au printemps\n\nBonjour Ad")


async def test_who_or_what_is_not_there_is_refused_with_what_to_check(agent: Agent) -> None:
    for arguments, check in (
        ({"kind": "newsletter", "message_id": 20, "customer_id": "nobody"}, "Check customer_id"),
        ({"kind": "newsletter", "message_id": 99, **ADA}, "Check message_id"),
        ({"kind": "newsletter", "message_id": "x", **ADA}, "message_id: must be the number"),
        ({"kind": "newsletter", "message_id": 20, "data": [1], **ADA}, "data"),
    ):
        assert check in await agent.fail("preview_message", **arguments)


async def test_hidden_attributes_are_hidden_in_what_is_made_of_them_as_well() -> None:
    name = "{{ customer.first_name | upcase | slice: 0, 2 }}"
    secret = name + " {{ customer.phone }} {{ customer.email | url_encode }}"
    async with an_agent(pii="mask") as agent:
        content = agent.wire.sandbox.workspace.thing("content", 210)
        assert content
        agent.wire.sandbox.workspace.configure("content", content | {"body": secret})
        found = await agent.call("preview_message", kind="newsletter", message_id=21, html=True, **ADA)

    told = json.dumps(found)
    assert "AD " not in found["body"]
    assert "[M" in found["body"]
    for hidden in ("ada@example.com", "ada%40example.com", "442071838750"):
        assert hidden not in told


async def test_what_a_template_prints_without_end_is_cut_and_told() -> None:
    found = await preview(workspace_of("{% for i in (1..100000000) %}x{% endfor %}"))

    assert found["fails"] == ["body: cut: a loop has more than 20,000 rounds"]


async def test_a_limit_that_is_hit_is_told_as_everywhere() -> None:
    refused = httpx.Response(
        429,
        json={"errors": [{"detail": "rate limited to 10 requests per 1s", "status": "429"}]},
        headers={"Retry-After": "60"},
    )
    async with canned(workspace_of("x") | {"contents": refused}) as workspace:
        text = await workspace.fail("preview_message", kind="newsletter", message_id=7, customer_id="u_1")

    assert "429" in text
    assert workspace.facts["retryable"] is True


PEOPLE: list[dict[str, Any]] = [
    {"name": "Ada", "city": "Rome"},
    {"name": "Bo", "city": "Bern"},
    {"name": "Cy", "city": "Oslo"},
    {"name": "Dee", "bio": "writes " * 99, "city": "Nice"},
    {"name": ""},
]
ASKED = {"kind": "newsletter", "message_id": 7, "recipients": {"segment": {"id": 7}}}


def audience_of(people: list[dict[str, Any]]) -> Bodies:
    """A newsletter and the people of an audience."""
    found = [
        {"attributes": each, "identifiers": {"id": f"u_{number}", "cio_id": f"c{number}"}}
        for number, each in enumerate(people)
    ]
    body = "Hi {{ customer.name }} in {{ customer.city | default: 'town' }}. {{ customer.bio | default: '' }}"
    return {
        "/customers": {"identifiers": [each["identifiers"] for each in found]},
        "/customers/attributes": {"customers": found},
        **workspace_of(body, subject="{{ customer.city }}"),
    }


async def test_for_an_audience_three_chosen_people_are_shown() -> None:
    async with canned(audience_of(PEOPLE)) as workspace:
        found = await workspace.call("preview_message", **ASKED)

    assert (found["customer"], found["body"], found["looked_at"]) == ("u_2", "Hi Cy in Oslo.", 5)
    lacks, longest = found["others"]
    assert (lacks["chosen_for"], lacks["customer"]) == ("most values missing", "u_4")
    assert lacks["fails"] == ["customer.city has no value"]
    assert lacks["empty"] == ["customer.name"]
    assert (longest["chosen_for"], longest["customer"]) == ("longest text", "u_3")
    assert longest["characters"] > 600
    assert longest["opening"].startswith("Hi Dee in Nice. writes writes")
    assert [path for path, _ in workspace.asked] == [
        "/v1/newsletters/7/contents",
        "/v1/customers",
        "/v1/customers/attributes",
    ]


async def test_of_one_person_or_nobody_an_audience_shows_what_there_is() -> None:
    async with canned(audience_of(PEOPLE[:1])) as workspace:
        found = await workspace.call("preview_message", **ASKED)
        both = await workspace.fail("preview_message", **ASKED, customer_id="u_1")
    async with canned(audience_of([])) as workspace:
        nobody = await workspace.fail("preview_message", **ASKED)

    assert (found["customer"], found.get("others")) == ("u_0", None)
    assert "recipients: give recipients or customer_id" in both
    assert "recipients: nobody matches this filter now" in nobody


async def test_people_of_an_audience_are_hidden_like_others() -> None:
    people = [{"name": f"Zoe{number}", "email": f"zoe{number}@example.org"} for number in range(4)]
    async with canned(audience_of(people), CIO_PII="mask") as workspace:
        found = await workspace.call("preview_message", **ASKED)

    assert found["body"].startswith("Hi [masked]")
    assert not re.search("[Zz]oe", json.dumps(found))


async def test_an_audience_is_looked_at_no_further_than_a_text_without_end() -> None:
    bodies = audience_of(PEOPLE)
    bodies["contents"] = {"contents": [{"id": 1, "body": "{% for i in (1..99999) %}x{% endfor %}"}]}
    async with canned(bodies) as workspace:
        found = await workspace.call("preview_message", **ASKED)

    assert found["looked_at"] == 1
    assert found["fails"] == ["body: cut: a loop has more than 20,000 rounds"]
