"""Updates of what messages say: each takes effect at once, for what is not sent yet."""

import json
from typing import Any

from cio_mcp.sandbox.http import ApiRequest, Routes
from cio_mcp.sandbox.routes import campaigns
from cio_mcp.sandbox.routes.contents import broadcast_action, told_action
from cio_mcp.sandbox.state import contents

routes = Routes()

# Documented: what is written here can be read, and no update changes it.
ONLY_IN_APP = {"in_app", "inbox"}


def _updated(asked: ApiRequest, text: dict[str, Any] | None) -> dict[str, Any]:
    """Change a text by the body of a request; returns it.

    Documented: fields that are left out stay, headers come as a list and are told as JSON, and the body of a
    message that another editor made cannot be updated here.
    Assumed (words of refusals): what the 400s say.
    """
    if text is None:
        raise asked.refusal("language not found")
    given = asked.json()
    if "body" in given and text.get("made_in"):
        raise asked.refusal(f"body cannot be updated: this message was made in {text['made_in']}")
    if text["type"] in ONLY_IN_APP and "newsletter" in text:
        raise asked.refusal("in-app and inbox content cannot be updated")
    for name, address in (("from_id", "from"), ("reply_to_id", "reply_to")):
        if name in given:
            sender = asked.workspace.thing("sender_identity", given[name])
            if sender is None:
                raise asked.refusal(f"{name} is not a sender identity")
            given[address] = sender.get("address") or sender.get("phone")
    if isinstance(given.get("headers"), list):
        given["headers"] = json.dumps(given["headers"])
    return contents.update(asked.workspace, text, given)


def _of_action(asked: ApiRequest, step: dict[str, Any]) -> dict[str, Any]:
    """Update an action's text; its state is one of the step, in all languages."""
    language = asked.ids.get("language", "")
    texts = contents.belonging(asked.workspace, "action", step["id"])
    if not texts:
        raise asked.refusal("this action has no content")
    _updated(asked, next((text for text in texts if text["language"] == language), None))
    return told_action(asked, step)


@routes("PUT", "/v1/campaigns/{campaign_id}/actions/{action_id}")
def of_campaign(asked: ApiRequest) -> dict[str, Any]:
    """Update an action of a campaign. Documented."""
    return _of_action(asked, campaigns.action(asked))


@routes("PUT", "/v1/campaigns/{campaign_id}/actions/{action_id}/language/{language}")
def of_campaign_in(asked: ApiRequest) -> dict[str, Any]:
    """Update an action of a campaign in a language. Documented."""
    return _of_action(asked, campaigns.action(asked))


@routes("PUT", "/v1/broadcasts/{broadcast_id}/actions/{action_id}")
def of_broadcast(asked: ApiRequest) -> dict[str, Any]:
    """Update an action of a broadcast. Documented."""
    return _of_action(asked, broadcast_action(asked))


@routes("PUT", "/v1/broadcasts/{broadcast_id}/actions/{action_id}/language/{language}")
def of_broadcast_in(asked: ApiRequest) -> dict[str, Any]:
    """Update an action of a broadcast in a language. Documented."""
    return _of_action(asked, broadcast_action(asked))


def _of_messages(folder: str, parent: str, contents_folder: str) -> None:
    """Register the updates of a kind of message."""

    def updated(asked: ApiRequest, field: str, wanted: Any, status: int) -> dict[str, Any]:
        number = asked.thing(parent, f"{parent}_id")["id"]
        texts = contents.belonging(asked.workspace, parent, number)
        found = next((text for text in texts if text[field] == wanted), None)
        if found is None and status == 404:
            raise asked.refusal("not found", 404)
        return {"content": contents.told(_updated(asked, found))}

    @routes("PUT", f"/v1/{folder}/{{{parent}_id}}/{contents_folder}/{{content_id}}")
    def one(asked: ApiRequest) -> dict[str, Any]:
        """Update one text. Documented."""
        return updated(asked, "id", asked.number("content_id"), 404)

    @routes("PUT", f"/v1/{folder}/{{{parent}_id}}/language/{{language}}")
    def one_in(asked: ApiRequest) -> dict[str, Any]:
        """Update the text in a language. Documented."""
        return updated(asked, "language", asked.ids["language"], 400)


_of_messages("newsletters", "newsletter", "contents")
# Documented: in the singular here.
_of_messages("transactional", "transactional", "content")
