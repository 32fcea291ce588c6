"""Design Studio: its emails, states and errors, as the reference of 2026-11 has them."""

from typing import Any

import pytest

from tests.sandbox.conftest import Caller

pytestmark = pytest.mark.anyio

EMAILS = "/v1/design_studio/emails"
TRIAL = f"{EMAILS}/7d9f3a10-0000-4000-8000-000000000001"
NEWS = f"{EMAILS}/7d9f3a10-0000-4000-8000-000000000002"
ACTION = {"target": {"type": "campaign_action", "action_id": 201}}
SUMMER = {"target": {"type": "newsletter", "newsletter_id": 21}}

# Documented, 2026-09-17.
EMAIL = {
    *("id", "name", "language", "language_group_id", "parent_folder_id", "is_template", "is_linked"),
    *("available_languages", "content", "envelope", "transformers", "created", "updated"),
}
ERRORS = {
    *("bcc", "body", "body_amp", "body_plain", "cc", "event", "from", "layout", "message", "preheader_text"),
    *("reply_to", "snippets", "subject", "to", "trigger"),
}


async def change(caller: Caller, path: str, body: dict[str, Any]) -> None:
    assert (await caller.send("PUT", path, body)).status_code == 204


async def test_an_email_has_the_documented_form(caller: Caller) -> None:
    made = (await caller.ok("POST", EMAILS, {"name": "New", "content": {"subject": "Hi"}}))["email"]

    assert made.keys() == EMAIL
    assert made["envelope"] | {"headers": []} == {
        "from_id": 1,
        "from": "Quill <hello@example.com>",
        "reply_to_id": None,
        "reply_to": "",
        "recipient": "{{customer.email}}",
        "bcc": "",
        "fake_bcc": True,
        "headers": [],
    }
    assert made["language_group_id"] == made["id"]
    assert (await caller.ok("GET", f"{EMAILS}/{made['id']}"))["email"] == made


async def test_emails_are_filtered_sorted_and_paged(caller: Caller) -> None:
    async def names(query: str) -> list[str]:
        return [email["name"] for email in (await caller.ok("GET", f"{EMAILS}?{query}"))["emails"]]

    assert await names("sort_by=name") == ["Autumn news", "Base", "Trial ending"]
    assert await names("is_linked=true") == ["Trial ending"]
    assert await names("is_template=true") == ["Base"]
    assert await names("has_translations=true") == ["Trial ending"]
    assert await names("sort_by=name&sort_order=desc&limit=2&page=2") == ["Autumn news"]
    await caller.no(400, "GET", f"{EMAILS}?limit=0")


async def test_parts_that_are_given_change_and_others_stay(caller: Caller) -> None:
    before = (await caller.ok("GET", NEWS))["email"]
    await change(caller, NEWS, {"content": {"subject": "New"}})
    after = (await caller.ok("GET", NEWS))["email"]

    assert after["content"] == before["content"] | {"subject": "New"}
    await caller.no(400, "PUT", NEWS, {})
    await caller.no(400, "PUT", NEWS, {"envelope": {"from_id": 99}})
    await caller.no(400, "PUT", NEWS, {"content": {"colour": "red"}})
    await caller.no(400, "POST", EMAILS, {"name": "n" * 256})
    gone = await caller.no(404, "PUT", f"{EMAILS}/none", {"name": "a"})
    assert gone["errors"] == [{"detail": "resource not found", "status": "404"}]


async def test_a_translation_inherits_as_documented(caller: Caller) -> None:
    all_of_it, own_words, own_sender = [
        (await caller.ok("POST", f"{NEWS}/languages", {"language": language} | more))["email_translation"]
        for language, more in (
            ("de", {}),
            ("es", {"content": {"subject": "Hola"}}),
            ("it", {"envelope": {"from_id": 2}}),
        )
    ]
    parent = (await caller.ok("GET", NEWS))["email"]

    assert (all_of_it["content"], all_of_it["envelope"]) == (parent["content"], parent["envelope"])
    assert (own_words["content"]["subject"], own_words["content"]["html"]) == ("Hola", "")
    assert (own_sender["content"], own_sender["envelope"]["from_id"]) == (parent["content"], 2)
    assert own_words["id"] != parent["id"] == own_words["language_group_id"]
    assert parent["available_languages"] == ["de", "es", "it"]
    await caller.no(409, "POST", f"{NEWS}/languages", {"language": "de"})
    await caller.no(400, "POST", f"{EMAILS}/{own_words['id']}/languages", {"language": "fr"})
    await change(caller, f"{NEWS}/languages/es", {"content": {"html": "<p>Hola</p>"}})
    found = (await caller.ok("GET", f"{NEWS}/languages/es"))["email_translation"]
    assert found["content"]["html"] == "<p>Hola</p>"
    await caller.no(404, "GET", f"{NEWS}/languages/xx")


async def test_a_preview_answers_even_where_its_liquid_is_wrong(caller: Caller) -> None:
    strict = await caller.ok("POST", f"{NEWS}/preview", {"customer": {"email": "a@example.com"}})
    lax = await caller.ok("POST", f"{NEWS}/preview", {"lax": True})
    full = await caller.ok("POST", f"{TRIAL}/preview", {"customer": {"first_name": "Ada", "email": "a@b.c"}})

    assert strict["errors"].keys() == ERRORS
    assert strict["errors"]["subject"]
    assert lax["errors"]["subject"] == []
    assert lax["subject"] == "Hi , what is new"
    assert "Hi Ada" in full["html"]
    assert full["links"][0]["url"].startswith("https://quill.example.com/")


async def test_a_review_holds_the_score_where_there_is_an_error(caller: Caller) -> None:
    review = await caller.ok("GET", f"{NEWS}/review")

    assert review["score"]["score"] <= 60
    assert review["checks"]["failed-components"] == {"status": "skipped"}
    assert {finding["state"] for finding in review["findings"]} == {"fail"}


async def test_versions_are_kept_once_and_restored(caller: Caller) -> None:
    kept = await caller.ok("POST", f"{NEWS}/versions", {"name": "One"})
    again = await caller.ok("POST", f"{NEWS}/versions", {"name": "Two"})
    number = kept["version"]["id"]
    await change(caller, NEWS, {"content": {"subject": "Other"}})
    restored = await caller.ok("POST", f"{NEWS}/versions/{number}/restore")

    assert (kept["created"], again["created"], again["version"]["id"]) == (True, False, number)
    assert restored["version_id"] == number
    assert (await caller.ok("GET", NEWS))["email"]["content"]["subject"].startswith("Hi ")
    whole = await caller.ok("GET", f"{NEWS}/versions/{number}")
    assert whole["node"]["content"]["subject"] == whole["node"]["subject"]
    await caller.no(404, "GET", f"{NEWS}/versions/none")
    await caller.no(400, "POST", f"{NEWS}/versions", {"name": "n" * 101})


async def test_an_email_is_linked_once_and_a_target_that_is_taken_has_to_be_forced(caller: Caller) -> None:
    await caller.no(409, "POST", f"{NEWS}/link", ACTION)
    await caller.no(404, "POST", f"{NEWS}/link", {"target": {"type": "newsletter", "newsletter_id": 99}})
    linked = await caller.ok("POST", f"{NEWS}/link", SUMMER)
    other = await caller.no(400, "POST", f"{NEWS}/link", ACTION | {"force": True})

    assert linked["template_id"] == 210
    assert other["errors"][0]["detail"] == "email is already linked to another destination; unlink it first"
    await caller.no(400, "PUT", "/v1/newsletters/21/contents/210", {"body": "<p>a</p>"})


async def test_one_language_is_published_at_once(caller: Caller) -> None:
    await caller.no(400, "POST", f"{NEWS}/publish")
    await caller.ok("POST", f"{NEWS}/link", SUMMER)
    assert (await caller.ok("GET", f"{NEWS}/unpublished_changes")) == {"has_unpublished_changes": True}
    done = await caller.ok("POST", f"{NEWS}/publish")

    assert done["status"] == "done"
    assert done["mappings"][0]["template_id"] == 210
    assert (await caller.ok("GET", f"{NEWS}/unpublished_changes")) == {"has_unpublished_changes": False}
    content = (await caller.ok("GET", "/v1/newsletters/21/contents/210"))["content"]
    assert content["subject"] == "Hi {{customer.first_name}}, what is new"
    assert (await caller.ok("GET", f"{NEWS}/versions"))["versions"][0]["created_on_publish"] is True


async def test_wrong_liquid_fails_in_the_question_how_far_it_is(caller: Caller) -> None:
    await change(caller, f"{TRIAL}/languages/fr", {"content": {"html": "{% if customer.a %}"}})
    begun = await caller.ok("POST", f"{TRIAL}/publish")
    path = f"{TRIAL}/publish_status?publish_id={begun['publish_id']}"
    early = await caller.ok("GET", path)
    caller.clock.now += 10
    refused = await caller.no(422, "GET", path)

    assert (begun["status"], early) == ("pending", {"status": "pending"})
    assert refused["errors"][0]["detail"] == "liquid validation failed"
    assert refused["errors"][0]["meta"].keys() == {"fr"}


async def test_components_are_found_by_tag(caller: Caller) -> None:
    found = (await caller.ok("GET", "/v1/design_studio/components?tag=x-footer"))["components"]

    assert [component["name"] for component in found] == ["Footer"]
    assert (await caller.ok("GET", "/v1/design_studio/components?tag=x"))["components"] == []
