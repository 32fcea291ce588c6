"""What messages say: the texts of each kind of message, and what was sent."""

from typing import Any

from cio_mcp.sandbox.http import ApiRequest, Routes
from cio_mcp.sandbox.routes import campaigns
from cio_mcp.sandbox.state import contents, deliveries

routes = Routes()


def _action(asked: ApiRequest, step: dict[str, Any]) -> dict[str, Any]:
    found = contents.action(asked.workspace, step, asked.ids.get("language", ""))
    if found is None:
        raise asked.refusal("not found", 404)
    return {"action": found}


@routes("GET", "/v1/campaigns/{campaign_id}/actions/{action_id}")
def of_campaign(asked: ApiRequest) -> dict[str, Any]:
    """Answer an action of a campaign, with its text. Documented.

    Assumed (single actions): its id is a text, as live in the lists.
    """
    return _action(asked, campaigns.action(asked))


@routes("GET", "/v1/campaigns/{campaign_id}/actions/{action_id}/language/{language}")
def of_campaign_in(asked: ApiRequest) -> dict[str, Any]:
    """Answer an action of a campaign in a language. Documented."""
    return _action(asked, campaigns.action(asked))


def _steps(asked: ApiRequest) -> list[dict[str, Any]]:
    """Return the actions of a broadcast as a campaign has them."""
    found = asked.thing("broadcast", "broadcast_id")
    known = {"broadcast_id": found["id"], "name": found["name"], "subject": found["subject"]}
    sends = {"sending_state": "automatic", "created": found["created"], "updated": found["updated"]}
    return [known | sends | {"deduplicate_id": found["deduplicate_id"]} | step for step in found["actions"]]


@routes("GET", "/v1/broadcasts/{broadcast_id}/actions")
def of_broadcast(asked: ApiRequest) -> dict[str, Any]:
    """Answer all actions of a broadcast (documented: without pages)."""
    return {"actions": [contents.action(asked.workspace, step) for step in _steps(asked)]}


def _step(asked: ApiRequest) -> dict[str, Any]:
    number = asked.number("action_id")
    for step in _steps(asked):
        if step["id"] == number:
            return step
    raise asked.refusal("not found", 404)


@routes("GET", "/v1/broadcasts/{broadcast_id}/actions/{action_id}")
def one_of_broadcast(asked: ApiRequest) -> dict[str, Any]:
    """Answer an action of a broadcast. Documented."""
    return _action(asked, _step(asked))


@routes("GET", "/v1/broadcasts/{broadcast_id}/actions/{action_id}/language/{language}")
def one_of_broadcast_in(asked: ApiRequest) -> dict[str, Any]:
    """Answer an action of a broadcast in a language. Documented."""
    return _action(asked, _step(asked))


def _texts(asked: ApiRequest, parent: str, name: str) -> list[dict[str, Any]]:
    """Return the texts of the newsletter or transactional message that a path names."""
    number = asked.thing(parent, name)["id"]
    own = {"newsletter_id": number} if parent == "newsletter" else {}
    return [contents.told(text) | own for text in contents.belonging(asked.workspace, parent, number)]


def _one(asked: ApiRequest, texts: list[dict[str, Any]], field: str, wanted: Any) -> dict[str, Any]:
    for text in texts:
        if text[field] == wanted:
            return {"content": text}
    raise asked.refusal("not found", 404)


@routes("GET", "/v1/newsletters/{newsletter_id}/contents")
def of_newsletter(asked: ApiRequest) -> dict[str, Any]:
    """Answer the texts of a newsletter, one for each language (documented); there are no A/B tests here."""
    return {"contents": _texts(asked, "newsletter", "newsletter_id")}


@routes("GET", "/v1/newsletters/{newsletter_id}/contents/{content_id}")
def one_of_newsletter(asked: ApiRequest) -> dict[str, Any]:
    """Answer one text of a newsletter. Documented."""
    return _one(asked, _texts(asked, "newsletter", "newsletter_id"), "id", asked.number("content_id"))


@routes("GET", "/v1/newsletters/{newsletter_id}/language/{language}")
def one_of_newsletter_in(asked: ApiRequest) -> dict[str, Any]:
    """Answer the text of a newsletter in a language. Documented."""
    return _one(asked, _texts(asked, "newsletter", "newsletter_id"), "language", asked.ids["language"])


@routes("GET", "/v1/transactional/{transactional_id}/contents")
def of_transactional(asked: ApiRequest) -> dict[str, Any]:
    """Answer the texts of a transactional message, one for each language. Documented."""
    return {"contents": _texts(asked, "transactional", "transactional_id")}


@routes("GET", "/v1/transactional/{transactional_id}/contents/{content_id}")
def one_of_transactional(asked: ApiRequest) -> dict[str, Any]:
    """Answer one text of a transactional message. Documented."""
    return _one(asked, _texts(asked, "transactional", "transactional_id"), "id", asked.number("content_id"))


@routes("GET", "/v1/transactional/{transactional_id}/language/{language}")
def one_of_transactional_in(asked: ApiRequest) -> dict[str, Any]:
    """Answer the text of a transactional message in a language. Documented."""
    return _one(asked, _texts(asked, "transactional", "transactional_id"), "language", asked.ids["language"])


@routes("GET", "/v1/messages/{message_id}/archived_message")
def archived(asked: ApiRequest) -> dict[str, Any]:
    """Answer what a delivery said. Documented."""
    row = deliveries.row(asked.workspace, asked.ids["message_id"])
    if row is None:
        raise asked.refusal("not found", 404)
    return {"archived_message": contents.archived(asked.workspace, row)}
