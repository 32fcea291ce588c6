"""Emails of Design Studio, their translations, and components."""

from typing import Any

from cio_mcp.sandbox.http import ApiRequest, Rejected, Routes, app_error
from cio_mcp.sandbox.state import design_studio

routes = Routes()

EMAILS = "/v1/design_studio/emails"
COMPONENTS = "/v1/design_studio/components"


def missing() -> Rejected:
    """Return the 404 of Design Studio."""
    return app_error("resource not found", 404)


def node(asked: ApiRequest) -> dict[str, Any]:
    """Return the email or translation that a path names."""
    found = design_studio.found(asked.workspace, design_studio.EMAIL, asked.ids["id"])
    if found is None:
        raise missing()
    return found


def email(asked: ApiRequest) -> dict[str, Any]:
    """Return the email in its default language that a path names."""
    found = node(asked)
    if found["language"]:
        raise app_error("id is that of a translation", 400)
    return found


def told(asked: ApiRequest, found: dict[str, Any]) -> dict[str, Any]:
    """Return a node as the API tells it."""
    group = [one for one in asked.workspace.things(design_studio.EMAIL) if one["group"] == found["group"]]
    envelope = dict(found["envelope"])
    for number, text in (("from_id", "from"), ("reply_to_id", "reply_to")):
        sender = asked.workspace.thing("sender_identity", envelope[number]) if envelope[number] else None
        envelope[text] = sender["address"] if sender else ""
    return {
        "id": found["uuid"],
        "name": found["name"],
        "language": found["language"],
        "language_group_id": found["group"],
        "parent_folder_id": found["parent_folder_id"],
        "is_template": found["is_template"],
        "is_linked": any(one["target"] for one in group),
        "available_languages": [one["language"] for one in group if one["language"]],
        "content": found["content"],
        "envelope": envelope,
        "transformers": found["transformers"],
        "created": found["created"],
        "updated": found["updated"],
    }


def _check(asked: ApiRequest, body: dict[str, Any]) -> dict[str, Any]:
    """Refuse a sender that does not exist, and a name of the wrong length. Documented."""
    if "name" in body and not 0 < len(body["name"]) <= 255:
        raise app_error("name must have 1 to 255 characters", 400, "/name")
    envelope = body.get("envelope") or {}
    for name in ("from_id", "reply_to_id"):
        if envelope.get(name) and asked.workspace.thing("sender_identity", envelope[name]) is None:
            raise app_error(f"{name} does not exist", 400, f"/envelope/{name}")
    return body


@routes("GET", EMAILS)
def emails(asked: ApiRequest) -> dict[str, Any]:
    """Answer emails in their default language, and folders. Documented.

    Assumed (pages of Design Studio): what `meta` holds.
    """
    found = [told(asked, one) for one in asked.workspace.things(design_studio.EMAIL) if not one["language"]]
    for name, field in (("is_template", "is_template"), ("is_linked", "is_linked")):
        if (wanted := asked.query.get(name, "any")) != "any":
            found = [one for one in found if one[field] is (wanted == "true")]
    if (wanted := asked.query.get("has_translations", "any")) != "any":
        found = [one for one in found if bool(one["available_languages"]) is (wanted == "true")]
    return _page(asked, found, "emails") | {"folders": []}


def _page(asked: ApiRequest, found: list[dict[str, Any]], name: str) -> dict[str, Any]:
    by = asked.query.get("sort_by", "created")
    found.sort(key=lambda one: one[by], reverse=asked.query.get("sort_order") == "desc")
    limit, number = int(asked.query.get("limit", "1000")), int(asked.query.get("page", "1"))
    if not 1 <= limit <= 10_000 or number < 1:
        raise app_error("limit must be between 1 and 10000, and page at least 1", 400)
    kept = found[(number - 1) * limit : number * limit]
    return {name: kept, "meta": {"page": number, "limit": limit, "total": len(found)}}


@routes("POST", EMAILS)
def create(asked: ApiRequest) -> dict[str, Any]:
    """Make an email. Documented."""
    body = asked.json()
    if "name" not in body:
        raise app_error("name is required", 400, "/name")
    return {"email": told(asked, design_studio.create(asked.workspace, _check(asked, body)))}


@routes("GET", f"{EMAILS}/{{id}}")
def one(asked: ApiRequest) -> dict[str, Any]:
    """Answer an email. Documented."""
    return {"email": told(asked, node(asked))}


@routes("PUT", f"{EMAILS}/{{id}}")
def update(asked: ApiRequest) -> None:
    """Change parts of an email, at least one. Documented."""
    found, body = node(asked), asked.json()
    if not body:
        raise app_error("at least one field is required", 400)
    design_studio.update(asked.workspace, found, _check(asked, body))


@routes("GET", f"{EMAILS}/{{id}}/languages")
def languages(asked: ApiRequest) -> dict[str, Any]:
    """Answer an email's translations. Documented."""
    found = design_studio.nodes(asked.workspace, email(asked))
    return {"email_translations": [told(asked, one) for one in found if one["language"]]}


@routes("POST", f"{EMAILS}/{{id}}/languages")
def translate(asked: ApiRequest) -> dict[str, Any]:
    """Make a translation. Documented; a language that is there is a conflict."""
    found, body = email(asked), asked.json()
    language = body.get("language")
    if not language:
        raise app_error("language is required", 400, "/language")
    if any(one["language"] == language for one in design_studio.nodes(asked.workspace, found)):
        raise app_error("a constraint violation prevents this operation", 409)
    made = design_studio.translate(asked.workspace, found, language, _check(asked, body))
    return {"email_translation": told(asked, made)}


def _translation(asked: ApiRequest) -> dict[str, Any]:
    for found in design_studio.nodes(asked.workspace, email(asked)):
        if found["language"] == asked.ids["language"]:
            return found
    raise missing()


@routes("GET", f"{EMAILS}/{{id}}/languages/{{language}}")
def translation(asked: ApiRequest) -> dict[str, Any]:
    """Answer a translation. Documented."""
    return {"email_translation": told(asked, _translation(asked))}


@routes("PUT", f"{EMAILS}/{{id}}/languages/{{language}}")
def update_translation(asked: ApiRequest) -> None:
    """Change parts of a translation. Documented."""
    found, body = _translation(asked), asked.json()
    if not body:
        raise app_error("at least one field is required", 400)
    design_studio.update(asked.workspace, found, _check(asked, body))


def told_component(found: dict[str, Any]) -> dict[str, Any]:
    """Return a component as the API tells it."""
    return {name: value for name, value in found.items() if name != "uuid"} | {"id": found["uuid"]}


@routes("GET", COMPONENTS)
def components(asked: ApiRequest) -> dict[str, Any]:
    """Answer components, all or those with a tag. Documented."""
    found = [told_component(one) for one in asked.workspace.things(design_studio.COMPONENT)]
    tag = asked.query.get("tag")
    return _page(asked, [one for one in found if tag in {None, one["tag"]}], "components")
