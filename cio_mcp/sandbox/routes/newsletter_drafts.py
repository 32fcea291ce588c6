"""Newsletters that are made by the API, their languages and test groups."""

from typing import Any

from cio_mcp.sandbox.http import ApiRequest, Routes
from cio_mcp.sandbox.routes.newsletters import check_pace, newsletter, public
from cio_mcp.sandbox.state import newsletters

routes = Routes()

METHODS = {"DELETE", "GET", "POST", "PUT", "PATCH"}

# Documented: what a text must have, by type.
NEEDED = {
    "email": ("subject", "body"),
    "twilio": ("body",),
    "webhook": ("body", "url", "request_method"),
    "in_app": ("body_json",),
    "inbox": ("body_json",),
}


@routes("POST", "/v1/newsletters")
def create(asked: ApiRequest) -> dict[str, Any]:
    """Make a newsletter: a draft, unless it is to be sent. Documented.

    Assumed (words of refusals): what each refusal says.
    """
    body = asked.json()
    if not body.get("type"):
        raise asked.refusal("type is required")
    _check_audience(asked, body.get("recipients"))
    _check(asked, body, body["type"])
    if body["type"] == "webhook" and body["request_method"] not in METHODS:
        raise asked.refusal("request_method is invalid", 422)
    if "from" in body and "from_id" in body:
        raise asked.refusal("from and from_id cannot both be given", 422)
    if not _sender_is_known(asked, body):
        raise asked.refusal("from is not a verified sender", 422)
    topic = body.get("subscription_topic_id")
    if topic is not None and asked.workspace.thing("topic", topic) is None:
        raise asked.refusal("subscription_topic_id is invalid", 422)
    if body.get("send_now") and body.get("scheduled_at"):
        raise asked.refusal("send_now and scheduled_at cannot both be given", 422)
    if (body.get("scheduled_at") or asked.workspace.now() + 1) <= asked.workspace.now():
        raise asked.refusal("scheduled_at must be in the future", 422)
    check_pace(asked, body)
    made = newsletters.create(asked.workspace, body)
    if body.get("send_now"):
        newsletters.send(asked.workspace, made)
    if body.get("scheduled_at"):
        newsletters.schedule(asked.workspace, made, body["scheduled_at"])
    return {"newsletter": public(made)}


def _check_audience(asked: ApiRequest, recipients: Any) -> None:
    if not recipients:
        raise asked.refusal("recipients is required")
    if not newsletters.is_strict(recipients):
        raise asked.refusal("Invalid filter spec")
    for number in newsletters.segment_ids(recipients):
        if asked.workspace.thing("segment", number) is None:
            raise asked.refusal(f"segment {number} does not exist", 422)


def _check(asked: ApiRequest, text: dict[str, Any], kind: str) -> None:
    missing = [name for name in NEEDED.get(kind, ()) if not text.get(name)]
    if kind == "push" and not (text.get("subject") or text.get("body")):
        missing = ["body"]
    if missing:
        raise asked.refusal(f"{missing[0]} is required", 422)


def _sender_is_known(asked: ApiRequest, body: dict[str, Any]) -> bool:
    if number := body.get("from_id"):
        return asked.workspace.thing("sender_identity", number) is not None
    senders = asked.workspace.things("sender_identity")
    return "from" not in body or body["from"] in {sender.get("address") for sender in senders}


def _add(asked: ApiRequest, group: dict[str, Any] | None) -> dict[str, Any]:
    """Add a text in a language to a newsletter, or to a test group of it."""
    found, body = newsletter(asked), asked.json()
    if found["sent_at"]:
        raise asked.refusal("newsletter has already been sent")
    if newsletters.made_elsewhere(asked.workspace, found):
        raise asked.refusal("this newsletter was made in another editor")
    _check(asked, body, found["type"])
    language = body.get("language")
    if language is None or (language == "" and group is None):
        raise asked.refusal("language is required", 422)
    if newsletters.speaks(asked.workspace, found, group, language):
        raise asked.refusal("language already exists", 422)
    return {"newsletter": public(newsletters.add_text(asked.workspace, found, group, body))}


@routes("POST", "/v1/newsletters/{newsletter_id}/language")
def add_language(asked: ApiRequest) -> dict[str, Any]:
    """Add a language. Documented."""
    return _add(asked, None)


@routes("GET", "/v1/newsletters/{newsletter_id}/test_groups")
def test_groups(asked: ApiRequest) -> dict[str, Any]:
    """Answer the groups of an A/B test. Documented."""
    return {"test_groups": newsletter(asked).get("test_groups", [])}


@routes("POST", "/v1/newsletters/{newsletter_id}/test_groups")
def add_test_group(asked: ApiRequest) -> dict[str, Any]:
    """Add an empty group, and answer the newsletter. Documented."""
    found = newsletter(asked)
    if found["sent_at"]:
        raise asked.refusal("newsletter has already been sent")
    return {"newsletter": public(newsletters.add_group(asked.workspace, found))}


@routes("POST", "/v1/newsletters/{newsletter_id}/test_group/{test_group_id}/language")
def add_language_to_group(asked: ApiRequest) -> dict[str, Any]:
    """Add a text to a test group. Documented, but for the empty language of its default text.

    Assumed (test groups): that the empty language is the one of the default text.
    """
    number = asked.number("test_group_id")
    for group in newsletter(asked).get("test_groups", []):
        if group["id"] == number:
            return _add(asked, group)
    raise asked.refusal("test group not found")
