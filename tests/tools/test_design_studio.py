"""Emails of Design Studio, from a draft to what a message says."""

from typing import Any

import httpx
import pytest

from tests.agent import Agent, an_agent
from tests.contract.calls import NEWS_EMAIL, TRIAL_EMAIL
from tests.tools.canned import canned
from tests.tools.contents import text

pytestmark = pytest.mark.anyio

TO_21 = {"target": "newsletter", "target_id": 21}
TRIAL = {"kind": "campaign", "message_id": 2, "part_id": 201}


async def test_emails_are_listed_with_what_they_are(agent: Agent) -> None:
    emails = (await agent.call("list_emails"))["emails"]
    linked = (await agent.call("list_emails", linked=True))["emails"]

    assert {email["name"] for email in emails} == {"Trial ending", "Autumn news", "Base"}
    (trial,) = linked
    assert (trial["email_id"], trial["languages"], trial["linked"]) == (TRIAL_EMAIL["email_id"], ["fr"], True)
    assert next(email for email in emails if email["name"] == "Base")["template"] is True


async def test_pages_of_emails_follow_each_other(agent: Agent) -> None:
    for number in range(20):
        await agent.call("create_email", name=f"Email {number}", subject="a", html="<p>a</p>")
    first = await agent.call("list_emails")
    second = await agent.call("list_emails", cursor=first["next_cursor"])

    assert (len(first["emails"]), len(second["emails"])) == (20, 3)
    assert "next_cursor" not in second


async def test_an_email_is_read_with_its_text_faults_and_versions(agent: Agent) -> None:
    trial = await agent.call("get_email", **TRIAL_EMAIL)
    french = await agent.call("get_email", **TRIAL_EMAIL, language="fr")
    news = await agent.call("get_email", **NEWS_EMAIL, html=True)

    assert trial["unpublished_changes"] is False
    assert [version["published"] for version in trial["versions"]] == [True]
    assert trial["sender"] == "Quill <hello@example.com>"
    assert (french["language"], french["subject"]) == ("fr", "Votre essai se termine dans trois jours")
    assert news["linked"] is False
    assert "unpublished_changes" not in news
    assert news["needs"] == ["customer.first_name"]
    assert news["html"].startswith("<h1>Autumn</h1>")


async def test_an_email_is_made_with_its_faults_by_line(agent: Agent) -> None:
    html = "<table>\n<tr><td><b>Hi</td></tr>\n</table></div>\n<p>{{ customer.name </p>"
    made = await agent.call("create_email", name="New", subject="Hi", html=html, sender_id=2)
    found = await agent.call("get_email", email_id=made["email_id"])

    assert made["faults"] == [
        "line 2: <b> is never closed",
        "line 3: </div> closes nothing",
        "line 4: {{ was never closed with }}",
    ]
    assert found["sender"].startswith("Quill Support")
    assert agent.sent[0] == "POST /v1/design_studio/emails"


async def test_a_translation_inherits_what_it_does_not_bring(agent: Agent) -> None:
    await agent.call("create_email", translates=NEWS_EMAIL["email_id"], language="de")
    await agent.call("create_email", translates=NEWS_EMAIL["email_id"], language="es", subject="Hola")
    german = await agent.call("get_email", **NEWS_EMAIL, language="de")
    spanish = await agent.call("get_email", **NEWS_EMAIL, language="es")

    assert german["subject"] == "Hi {{customer.first_name}}, what is new"
    assert spanish["subject"] == "Hola"
    assert "409" in await agent.fail("create_email", translates=NEWS_EMAIL["email_id"], language="de")


@pytest.mark.parametrize(
    ("tool", "arguments", "why"),
    [
        ("create_email", {"name": "a", "subject": "b"}, "name, subject, html: are needed"),
        ("create_email", {"translates": "x"}, "translates, language: give both"),
        (
            "create_email",
            {"translates": "x", "language": "de", "name": "a"},
            "name: leave it out; a translation has",
        ),
        ("update_email", NEWS_EMAIL, "another part of the email is needed"),
        (
            "update_email",
            NEWS_EMAIL | {"html": "a", "replace": {"a": "b"}},
            "replace: cannot be combined with html",
        ),
        ("update_email", NEWS_EMAIL | {"replace": {"nowhere": "b"}}, "get_email with html=true shows it"),
        (
            "update_email",
            NEWS_EMAIL | {"language": "fr", "name": "a"},
            "name: leave it out; a translation has",
        ),
        ("update_email", NEWS_EMAIL | {"sender_id": 99}, "from_id does not exist"),
        ("update_email", {"email_id": "nobody", "subject": "a"}, "404"),
        ("publish_email", NEWS_EMAIL, "not linked to a message; call link_email first"),
        ("publish_email", TRIAL_EMAIL, "all of this email is published already"),
        ("link_email", TRIAL_EMAIL | TO_21, "already linked to another destination"),
        ("link_email", NEWS_EMAIL | {"target": "campaign_action", "target_id": 201}, "409"),
        ("link_email", NEWS_EMAIL | {"target": "newsletter", "target_id": 999}, "404"),
        ("restore_email", NEWS_EMAIL | {"version_id": "none"}, "404"),
        ("get_publish_state", TRIAL_EMAIL | {"publish_id": "9"}, "404"),
        ("review_email", NEWS_EMAIL | {"language": "xx"}, "404"),
    ],
)
async def test_what_cannot_be_done_is_refused_with_the_way_out(
    agent: Agent, tool: str, arguments: dict[str, Any], why: str
) -> None:
    assert why in await agent.fail(tool, **arguments)


async def test_a_draft_is_changed_without_a_confirmation_and_no_message_with_it(asked: Agent) -> None:
    done = await asked.call("update_email", **TRIAL_EMAIL, replace={"Three days left</h1>": "Soon over</h1>"})

    assert done["changes"]["html"][0].startswith("- ")
    assert "Soon over" in done["changes"]["html"][1]
    assert (await text(asked, **TRIAL))["body"].startswith("Three days left")
    assert (await asked.call("get_email", **TRIAL_EMAIL))["unpublished_changes"] is True


async def test_publishing_is_confirmed_with_what_differs_from_what_is_published(asked: Agent) -> None:
    await asked.call("update_email", **TRIAL_EMAIL, subject="Three days")
    await asked.call("update_email", **TRIAL_EMAIL, language="fr", subject="Trois jours")
    preview = await asked.call("publish_email", **TRIAL_EMAIL)

    assert preview["changes"] == {
        "subject": ['- "Your trial ends in three days"', '+ "Three days"'],
        "fr subject": ['- "Votre essai se termine dans trois jours"', '+ "Trois jours"'],
    }
    assert "what is published is live" in preview["sets_off"]
    assert (await text(asked, **TRIAL))["subject"] == "Your trial ends in three days"

    done = await asked.call("publish_email", **TRIAL_EMAIL, confirmation=preview["confirmation"])
    assert (done["outcome"], done["languages"]) == ("published", ["fr"])
    assert (await text(asked, **TRIAL))["subject"] == "Three days"
    assert (await text(asked, **TRIAL, language="fr"))["subject"] == "Trois jours"


async def test_a_draft_that_was_changed_after_its_preview_is_not_published(asked: Agent) -> None:
    await asked.call("update_email", **TRIAL_EMAIL, subject="Seen")
    code = (await asked.call("publish_email", **TRIAL_EMAIL))["confirmation"]
    await asked.call("update_email", **TRIAL_EMAIL, subject="Unseen")

    refusal = await asked.fail("publish_email", **TRIAL_EMAIL, confirmation=code)
    assert "the texts that were shown changed since its preview" in refusal
    assert (await text(asked, **TRIAL))["subject"] == "Your trial ends in three days"


async def test_a_component_that_changed_since_it_was_published_is_shown_and_since_the_preview_is_refused(
    asked: Agent,
) -> None:
    html = "<h1>Hi</h1><x-Footer>\n</x-footer>"
    await asked.call("update_email", **TRIAL_EMAIL, html=html)
    first = await asked.call("publish_email", **TRIAL_EMAIL)
    await asked.call("publish_email", **TRIAL_EMAIL, confirmation=first["confirmation"])
    workspace = asked.wire.sandbox.workspace
    (footer,) = workspace.things("design_component")
    workspace.configure("design_component", footer | {"content": "<p>New street</p><x-inner/>"})
    workspace.configure("design_component", footer | {"id": 9, "tag": "x-inner", "content": "<p>In</p>"})
    await asked.call("update_email", **TRIAL_EMAIL, subject="Seen")
    preview = await asked.call("publish_email", **TRIAL_EMAIL)
    workspace.configure("design_component", footer | {"id": 9, "tag": "x-inner", "content": "<p>Unseen</p>"})
    refusal = await asked.fail("publish_email", **TRIAL_EMAIL, confirmation=preview["confirmation"])

    old = "<p>Quill, 1 Paper Street. {{snippets.footer}}</p>"
    assert first["changes"]["component x-footer"] == [f'+ "{old}"']
    assert preview["changes"] == {
        "subject": ['- "Your trial ends in three days"', '+ "Seen"'],
        "component x-footer": [f'- "{old}"', '+ "<p>New street</p><x-inner/>"'],
        "component x-inner": ['+ "<p>In</p>"'],
    }
    assert "the texts that were shown changed since its preview" in refusal
    assert (await text(asked, **TRIAL))["subject"] == "Your trial ends in three days"


async def test_linking_is_confirmed_since_it_cannot_be_undone(asked: Agent) -> None:
    preview = await asked.call("link_email", **NEWS_EMAIL, **TO_21)

    assert 'it cannot be unlinked by the API: "Autumn news"' in preview["sets_off"]
    assert 'it is linked to the newsletter: "Summer offer"' in preview["sets_off"]
    assert preview["changes"]["subject"] == ['+ "Hi {{customer.first_name}}, what is new"']
    await asked.call("link_email", **NEWS_EMAIL, **TO_21, confirmation=preview["confirmation"])
    assert (await asked.call("get_email", **NEWS_EMAIL))["linked"] is True


async def test_the_campaign_of_the_action_that_an_email_is_linked_to_is_named(asked: Agent) -> None:
    action = {"target": "campaign_action", "target_id": 301}
    preview = await asked.call("link_email", **NEWS_EMAIL, **action)
    asked.wire.refuses = lambda request: request.url.path == "/v1/campaigns"
    unread = await asked.call("link_email", **NEWS_EMAIL, **action)

    assert 'it is linked to action 301 of the campaign: "Win-back"' in preview["sets_off"]
    assert (
        'it is linked to an action of no campaign or broadcast that can be read: "301"' in unread["sets_off"]
    )


async def test_a_publishing_that_takes_long_is_told_and_can_be_asked_for(agent: Agent) -> None:
    await agent.call("update_email", **TRIAL_EMAIL, subject="Three days")
    published = agent.wire.sandbox.workspace
    agent.wire.meets = lambda request: (
        agent.wire.fail(httpx.Response(200, json={"status": "pending"}))
        if request.url.path.endswith("publish_status")
        else None
    )
    done = await agent.call("publish_email", **TRIAL_EMAIL)
    agent.wire.meets = lambda _: None

    assert (done["outcome"], published.things("design_publish")[0]["id"]) == ("pending", 1)
    state = await agent.call("get_publish_state", **TRIAL_EMAIL, publish_id=done["publish_id"])
    assert state == {"state": "done", "languages": ["fr"]}


async def test_liquid_that_is_wrong_is_told_by_language_and_nothing_is_published(agent: Agent) -> None:
    await agent.call("update_email", **TRIAL_EMAIL, language="fr", html="{% if customer.a %}")
    refusal = await agent.fail("publish_email", **TRIAL_EMAIL)

    assert "Customer.io answered 422: liquid validation failed" in refusal
    assert '"fr"' in refusal
    assert agent.facts["outcome"] == "refused"
    assert (await text(agent, **TRIAL, language="fr"))["subject"] == "Votre essai se termine dans trois jours"


async def test_versions_are_kept_and_brought_back(agent: Agent) -> None:
    kept = await agent.call("create_email_version", **NEWS_EMAIL, name="Before")
    again = await agent.call("create_email_version", **NEWS_EMAIL, name="Again")
    await agent.call("update_email", **NEWS_EMAIL, subject="Other")
    done = await agent.call("restore_email", **NEWS_EMAIL, version_id=kept["version_id"])

    assert (again["unchanged"], again["version_id"]) == (True, kept["version_id"])
    assert done["changes"]["subject"][0] == "- Other"
    assert (await agent.call("get_email", **NEWS_EMAIL))["subject"].startswith("Hi ")


async def test_a_review_tells_the_worst_first(agent: Agent) -> None:
    review = await agent.call("review_email", **NEWS_EMAIL)

    assert review["score"] <= 60
    assert review["counts"] == {"error": 1, "warning": 2, "tip": 1}
    assert [finding["severity"] for finding in review["findings"]] == ["error", "warning", "warning", "tip"]
    assert review["findings"][0]["check"] == "unsubscribe"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"status": "partial", "findings": []}, {"left_out": "some checks are still running: call again"}),
        ({"status": "complete", "findings": None}, {}),
        (
            {
                "status": "complete",
                "findings": [],
                "checks": {"links": {"status": "degraded"}, "spam": {"status": "complete"}},
            },
            {"not_checked": ["links"]},
        ),
        (
            {
                "status": "complete",
                "findings": [
                    {"severity": "odd", "title": "b"},
                    {"severity": "tip", "title": "a"},
                    {"severity": "error", "state": "pass", "title": "fine"},
                ],
            },
            {"findings": [{"severity": "tip", "title": "a"}, {"severity": "odd", "title": "b"}]},
        ),
    ],
)
async def test_reviews_of_other_forms_are_told_as_far_as_they_say_something(
    body: dict[str, Any], told: dict[str, Any]
) -> None:
    async with canned({"review": body}) as workspace:
        assert await workspace.call("review_email", email_id="a") == {"findings": []} | told


async def test_an_email_that_cannot_be_rendered_is_not_called_fine() -> None:
    async with canned({"review": {"status": "render_failed", "findings": []}}) as workspace:
        assert "could not render" in await workspace.fail("review_email", email_id="a")


async def test_customerio_shows_an_email_for_a_real_customer_and_that_is_said(agent: Agent) -> None:
    shown = await agent.call(
        "preview_message", kind="design_studio", message_id=TRIAL_EMAIL["email_id"], customer_id="u_1001"
    )
    mine = await agent.call("preview_message", **TRIAL, customer_id="u_1001")
    nobody = await agent.call("preview_message", kind="design_studio", message_id=NEWS_EMAIL["email_id"])

    assert (shown["rendered_by"], mine["rendered_by"]) == ("customer.io", "cio-mcp")
    assert "Hi Ada" in shown["body"]
    assert shown["body"] == mine["body"]
    assert nobody["fails"][0].startswith("subject: ")


async def test_a_preview_by_customerio_hides_whom_it_is_of() -> None:
    async with an_agent(pii="mask", pii_attributes="first_name") as agent:
        shown = await agent.call(
            "preview_message", kind="design_studio", message_id=TRIAL_EMAIL["email_id"], customer_id="u_1001"
        )

    assert "Ada" not in str(shown)


async def test_components_are_listed_and_one_is_read(agent: Agent) -> None:
    (listed,) = (await agent.call("list_components"))["components"]
    (footer,) = (await agent.call("list_components", tag="x-footer"))["components"]

    assert "html" not in listed
    assert footer["html"].startswith("<p>Quill")
    assert (await agent.call("list_components", tag="x-none"))["components"] == []


async def test_design_studio_is_asked_at_its_own_pace(agent: Agent) -> None:
    begun = agent.clock()
    for _ in range(11):
        await agent.call("review_email", **NEWS_EMAIL)

    assert agent.clock() - begun >= 2
