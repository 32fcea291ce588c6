"""What messages say: the texts of each kind of message, and what was sent."""

from typing import Any

from cio_mcp.sandbox.http import ApiRequest, Routes
from cio_mcp.sandbox.routes import campaigns
from cio_mcp.sandbox.state import contents, deliveries

routes = Routes()


def told_action(asked: ApiRequest, step: dict[str, Any]) -> dict[str, Any]:
    """Return an action as it is answered, in the language of a path that names one."""
    found = contents.action(asked.workspace, step, asked.ids.get("language", ""))
    if found is None:
        raise asked.refusal("not found", 404)
    return {"action": found}


@routes("GET", "/v1/campaigns/{campaign_id}/actions/{action_id}")
def of_campaign(asked: ApiRequest) -> dict[str, Any]:
    """Answer an action of a campaign, with its text. Documented.

    Assumed (single actions): its id is a text, as live in the lists.
    """
    return told_action(asked, campaigns.action(asked))


@routes("GET", "/v1/campaigns/{campaign_id}/actions/{action_id}/language/{language}")
def of_campaign_in(asked: ApiRequest) -> dict[str, Any]:
    """Answer an action of a campaign in a language. Documented."""
    return told_action(asked, campaigns.action(asked))


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


def broadcast_action(asked: ApiRequest) -> dict[str, Any]:
    """Return the action of a broadcast that a path names."""
    number = asked.number("action_id")
    for step in _steps(asked):
        if step["id"] == number:
            return step
    raise asked.refusal("not found", 404)


@routes("GET", "/v1/broadcasts/{broadcast_id}/actions/{action_id}")
def one_of_broadcast(asked: ApiRequest) -> dict[str, Any]:
    """Answer an action of a broadcast. Documented."""
    return told_action(asked, broadcast_action(asked))


@routes("GET", "/v1/broadcasts/{broadcast_id}/actions/{action_id}/language/{language}")
def one_of_broadcast_in(asked: ApiRequest) -> dict[str, Any]:
    """Answer an action of a broadcast in a language. Documented."""
    return told_action(asked, broadcast_action(asked))


def _one(asked: ApiRequest, texts: list[dict[str, Any]], field: str, wanted: Any) -> dict[str, Any]:
    for text in texts:
        if text[field] == wanted:
            return {"content": text}
    raise asked.refusal("not found", 404)


def _of_messages(folder: str, parent: str) -> None:
    """Register the texts of a kind of message."""

    def texts(asked: ApiRequest) -> list[dict[str, Any]]:
        number = asked.thing(parent, f"{parent}_id")["id"]
        return [contents.told(text) for text in contents.belonging(asked.workspace, parent, number)]

    @routes("GET", f"/v1/{folder}/{{{parent}_id}}/contents")
    def every(asked: ApiRequest) -> dict[str, Any]:
        """Answer the texts, one for each language (documented); there are no A/B tests here."""
        return {"contents": texts(asked)}

    @routes("GET", f"/v1/{folder}/{{{parent}_id}}/contents/{{content_id}}")
    def one(asked: ApiRequest) -> dict[str, Any]:
        """Answer one text. Documented."""
        return _one(asked, texts(asked), "id", asked.number("content_id"))

    @routes("GET", f"/v1/{folder}/{{{parent}_id}}/language/{{language}}")
    def one_in(asked: ApiRequest) -> dict[str, Any]:
        """Answer the text in a language. Documented."""
        return _one(asked, texts(asked), "language", asked.ids["language"])


_of_messages("newsletters", "newsletter")
_of_messages("transactional", "transactional")


@routes("GET", "/v1/messages/{message_id}/archived_message")
def archived(asked: ApiRequest) -> dict[str, Any]:
    """Answer what a delivery said. Documented."""
    row = deliveries.row(asked.workspace, asked.ids["message_id"])
    if row is None:
        raise asked.refusal("not found", 404)
    return {"archived_message": contents.archived(asked.workspace, row)}
