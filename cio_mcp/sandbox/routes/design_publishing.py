"""Checking, linking and publishing emails of Design Studio, and their versions."""

from typing import Any

from cio_mcp.sandbox.http import ApiRequest, Rejected, Routes, app_error
from cio_mcp.sandbox.routes.design_studio import EMAILS, email, missing, node, told_component
from cio_mcp.sandbox.state import design_review, design_studio

routes = Routes()


@routes("POST", f"{EMAILS}/{{id}}/preview")
def preview(asked: ApiRequest) -> dict[str, Any]:
    """Answer an email as a person would get it; 200 even where its Liquid is wrong. Documented."""
    given = asked.json() if asked.body.strip() else {}
    snippets = {found["name"]: found["value"] for found in asked.workspace.things("snippet")}
    return design_review.preview(node(asked), given | {"snippets": snippets}, asked.workspace.now())


@routes("GET", f"{EMAILS}/{{id}}/review")
def review(asked: ApiRequest) -> dict[str, Any]:
    """Answer what is to be said against an email. Documented."""
    return design_review.review(node(asked))


@routes("GET", f"{EMAILS}/{{id}}/versions")
def versions(asked: ApiRequest) -> dict[str, Any]:
    """Answer a node's versions. Documented."""
    return {"versions": [_told(version) for version in design_studio.versions(asked.workspace, node(asked))]}


def _told(version: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value for name, value in version.items() if name not in {"uuid", "kept", "uses", "updated"}
    } | {"id": version["uuid"]}


@routes("POST", f"{EMAILS}/{{id}}/versions")
def add_version(asked: ApiRequest) -> dict[str, Any]:
    """Keep a node as it is; where nothing has changed, the newest version is answered. Documented."""
    found, body = node(asked), asked.json()
    if not 0 < len(body.get("name") or "") <= 100:
        raise app_error("name must have 1 to 100 characters", 400, "/name")
    newest = next(iter(design_studio.versions(asked.workspace, found)), None)
    if newest and all(newest["kept"][name] == found[name] for name in design_studio.PARTS):
        return {"created": False, "version": _told(newest)}
    made = design_studio.add_version(asked.workspace, found, body["name"], body.get("description", ""))
    return {"created": True, "version": _told(made)}


def _version(asked: ApiRequest) -> dict[str, Any]:
    for version in design_studio.versions(asked.workspace, node(asked)):
        if version["uuid"] == asked.ids["version_id"]:
            return version
    raise missing()


@routes("GET", f"{EMAILS}/{{id}}/versions/{{version_id}}")
def version(asked: ApiRequest) -> dict[str, Any]:
    """Answer a version with what it keeps. Documented."""
    found = _version(asked)
    kept = dict(found["kept"])
    texts = {name: kept["content"][name] for name in ("subject", "preheader_text", "amp")}
    used = [told_component(one) for one in found["uses"]]
    return {"version": _told(found), "node": kept | texts, "dependencies": used}


@routes("POST", f"{EMAILS}/{{id}}/versions/{{version_id}}/restore")
def restore(asked: ApiRequest) -> dict[str, Any]:
    """Bring back what a version keeps. Documented."""
    found, kept = node(asked), _version(asked)
    design_studio.update(asked.workspace, found, kept["kept"])
    return {"node_id": found["uuid"], "restored_node_ids": [found["uuid"]], "version_id": kept["uuid"]}


@routes("POST", f"{EMAILS}/{{id}}/link")
def link(asked: ApiRequest) -> dict[str, Any]:
    """Link an email to a message. Documented."""
    found, body = email(asked), asked.json()
    if found["target"] and found["target"] != body["target"]:
        raise app_error("email is already linked to another destination; unlink it first", 400)
    texts = design_studio.texts_of(asked.workspace, body["target"])
    if not texts:
        raise missing()
    others = [text for text in texts if text.get("email") not in {None, found["uuid"]}]
    if others and not body.get("force"):
        raise app_error("target is linked to other Design Studio content", 409)
    number = design_studio.link(asked.workspace, found, body["target"])
    return {"node_id": found["uuid"], "target": body["target"], "template_id": number}


@routes("GET", f"{EMAILS}/{{id}}/unpublished_changes")
def unpublished(asked: ApiRequest) -> dict[str, Any]:
    """Answer whether an email or a translation has changes that are not published. Documented."""
    return {"has_unpublished_changes": design_studio.changed(asked.workspace, email(asked))}


@routes("POST", f"{EMAILS}/{{id}}/publish")
def publish(asked: ApiRequest) -> dict[str, Any]:
    """Publish an email to the message that it is linked to; several languages take a while. Documented."""
    found = email(asked)
    if not found["target"]:
        raise app_error("email is not linked", 400)
    if len(design_studio.nodes(asked.workspace, found)) == 1:
        return {"status": "done", "mappings": _published(asked, found)}
    number = asked.workspace.next_number(design_studio.PUBLISHING)
    due = asked.workspace.now() + design_studio.PUBLISHED_AFTER
    asked.workspace.configure(
        design_studio.PUBLISHING, {"id": number, "email": found["uuid"], "due": due, "mappings": None}
    )
    return {"status": "pending", "publish_id": str(number)}


def _published(asked: ApiRequest, found: dict[str, Any]) -> list[dict[str, Any]]:
    if faults := design_studio.faults(asked.workspace, found):
        refused = {"detail": "liquid validation failed", "status": "422", "meta": faults}
        raise Rejected(422, {"errors": [refused]})
    if len(design_studio.nodes(asked.workspace, found)) > design_studio.MOST_LANGUAGES:
        raise app_error("more than 50 variants", 422)
    return design_studio.publish(asked.workspace, found)


@routes("GET", f"{EMAILS}/{{id}}/publish_status")
def publish_status(asked: ApiRequest) -> dict[str, Any]:
    """Answer how far publishing is; what makes it fail is answered here. Documented."""
    found = email(asked)
    if not (number := asked.query.get("publish_id")):
        raise app_error("publish_id is required", 400)
    begun = next(
        (
            one
            for one in asked.workspace.things(design_studio.PUBLISHING)
            if str(one["id"]) == number and one["email"] == found["uuid"]
        ),
        None,
    )
    if begun is None:
        raise missing()
    if begun["mappings"] is None and asked.workspace.now() < begun["due"]:
        return {"status": "pending"}
    mappings = begun["mappings"] or _published(asked, found)
    asked.workspace.configure(design_studio.PUBLISHING, begun | {"mappings": mappings})
    return {"status": "done", "mappings": mappings}
