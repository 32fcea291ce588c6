"""Design Studio: emails with their translations, each a node of its own, their versions, and components."""

import re
import uuid
from typing import Any

from cio_mcp.liquid import analyze
from cio_mcp.sandbox.engine import chance
from cio_mcp.sandbox.state import contents, requests
from cio_mcp.sandbox.state.workspace import Workspace

EMAIL, VERSION, COMPONENT, PUBLISHING = "design_email", "design_version", "design_component", "design_publish"

CONTENT = {"subject": "", "preheader_text": "", "html": "", "amp": "", "text": ""}
ENVELOPE: dict[str, Any] = {
    "from_id": 1,
    "reply_to_id": None,
    "recipient": "{{customer.email}}",
    "bcc": "",
    "fake_bcc": True,
    "headers": [],
}
TRANSFORMERS = {
    name: {"enabled": False}
    for name in (
        *("accessibility", "css_inliner", "css_variables", "encode_entities", "prevent_widows"),
        "remove_unused_css",
    )
} | {"formatter": {"enabled": False, "type": "none"}, "url_parameters": {"enabled": False, "parameters": []}}

# What can be changed of a node, and what of it a version keeps.
PARTS = ("name", "content", "envelope", "transformers")

# Documented: languages of one email that can be published. Assumed (publishing several languages): how many
# seconds that takes.
MOST_LANGUAGES, PUBLISHED_AFTER = 50, 3


def plant(workspace: Workspace, story: dict[str, Any]) -> None:
    """Plant the story's emails and components."""
    for component in story["components"]:
        _configure(workspace, COMPONENT, {"parent_folder_id": None, **component})
    for planted in story["emails"]:
        translations = planted.pop("translations", {})
        target, published = planted.pop("target", None), planted.pop("published", False)
        email = create(workspace, planted)
        for language, content in translations.items():
            translate(workspace, email, language, {"content": content})
        if target:
            link(workspace, email, target)
        if published:
            publish(workspace, email | {"target": target})


def _configure(workspace: Workspace, kind: str, thing: dict[str, Any]) -> dict[str, Any]:
    """Keep a thing under its UUID, and with a number for the order; returns it."""
    now = workspace.now()
    number = thing.get("id") or workspace.next_number(kind)
    kept = {"uuid": _new_uuid(workspace, kind), "created": now} | thing | {"id": number, "updated": now}
    workspace.configure(kind, kept)
    return kept


def _new_uuid(workspace: Workspace, kind: str) -> str:
    """Return a UUID that no other thing has or had."""
    return chance.uuid_of(workspace.seed, kind, workspace.next_number(kind), requests.count(workspace))


def found(workspace: Workspace, kind: str, name: str) -> dict[str, Any] | None:
    """Return a thing of a kind by its UUID."""
    return next((thing for thing in workspace.things(kind) if thing["uuid"] == name), None)


def create(workspace: Workspace, body: dict[str, Any]) -> dict[str, Any]:
    """Make an email; returns it."""
    name = str(body.get("uuid") or _new_uuid(workspace, EMAIL))
    return _configure(
        workspace,
        EMAIL,
        {
            "uuid": name,
            "group": name,
            "language": "",
            "name": body["name"],
            "parent_folder_id": body.get("parent_folder_id"),
            "is_template": body.get("is_template", False),
            "content": CONTENT | body.get("content", {}),
            "envelope": ENVELOPE | body.get("envelope", {}),
            "transformers": TRANSFORMERS | body.get("transformers", {}),
            "target": None,
            "published": None,
        },
    )


def translate(
    workspace: Workspace, email: dict[str, Any], language: str, body: dict[str, Any]
) -> dict[str, Any]:
    """Make a translation; what it inherits of the email depends on what it brings. Documented."""
    own, kept = body.get("content"), email["content"]
    written = kept if own is None else CONTENT | own
    sent = email["envelope"] | (body.get("envelope") or {})
    node = {
        "group": email["uuid"],
        "language": language,
        "content": written,
        "envelope": sent,
        "transformers": email["transformers"] | body.get("transformers", {}),
        "published": None,
    }
    made = email | node | {"uuid": _new_uuid(workspace, EMAIL), "created": workspace.now()}
    return _configure(workspace, EMAIL, {name: value for name, value in made.items() if name != "id"})


def update(workspace: Workspace, node: dict[str, Any], body: dict[str, Any]) -> None:
    """Change some parts of a node; what a part does not name stays."""
    merged = {
        name: node[name] | value if isinstance(node.get(name), dict) else value
        for name, value in body.items()
        if name != "language"
    }
    _configure(workspace, EMAIL, node | merged)


def nodes(workspace: Workspace, email: dict[str, Any]) -> list[dict[str, Any]]:
    """Return an email and its translations, the default language first."""
    return [node for node in workspace.things(EMAIL) if node["group"] == email["uuid"]]


def link(workspace: Workspace, email: dict[str, Any], target: dict[str, Any]) -> int:
    """Link an email to a message, whose content is made here from then on; returns the text's id."""
    _configure(workspace, EMAIL, email | {"target": target})
    (text, *others) = texts_of(workspace, target)
    for each in (text, *others):
        workspace.configure("content", each | {"made_in": "Design Studio", "email": email["uuid"]})
    return int(text["id"])


def texts_of(workspace: Workspace, target: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the texts of a target, the default language first; none where it does not exist."""
    parent, number = {
        "campaign_action": ("action", target.get("action_id")),
        "newsletter": ("newsletter", target.get("newsletter_id")),
        "transactional_message": ("transactional", target.get("transactional_message_id")),
    }[target["type"]]
    return contents.belonging(workspace, parent, number) if number else []


def changed(workspace: Workspace, email: dict[str, Any]) -> bool:
    """Say whether an email or a translation differs from what is published of it."""
    return any(node["published"] != _parts(node) for node in nodes(workspace, email))


def _parts(node: dict[str, Any]) -> dict[str, Any]:
    return {name: node[name] for name in PARTS}


def faults(workspace: Workspace, email: dict[str, Any]) -> dict[str, list[str]]:
    """Return what is wrong with the Liquid of each node, by language; `default` for the email's own."""
    told = {
        node["language"] or "default": [
            f"{name}: {fault}" for name, text in node["content"].items() if (fault := analyze(text).fault)
        ]
        for node in nodes(workspace, email)
    }
    return {language: wrong for language, wrong in told.items() if wrong}


def publish(workspace: Workspace, email: dict[str, Any]) -> list[dict[str, Any]]:
    """Put all nodes of an email into the message that it is linked to; returns what went where."""
    mappings = []
    texts = texts_of(workspace, email["target"])
    for node in nodes(workspace, email):
        text = next((text for text in texts if text["language"] == node["language"]), None)
        if text is None:
            text = texts[0] | {"id": workspace.next_number("content"), "language": node["language"]}
        written = node["content"]
        shown = {
            "subject": written["subject"],
            "preheader_text": written["preheader_text"],
            "body": written["html"],
            "body_amp": written["amp"],
        }
        contents.update(workspace, text, shown)
        version = add_version(workspace, node, f"Published {workspace.now()}", "", on_publish=True)
        _configure(workspace, EMAIL, node | {"published": _parts(node)})
        mappings.append(
            {
                "node_id": node["uuid"],
                "language": node["language"],
                "template_id": text["id"],
                "version_id": version["uuid"],
            }
        )
    return mappings


def versions(workspace: Workspace, node: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a node's versions, newest first."""
    kept = [version for version in workspace.things(VERSION) if version["node_id"] == node["uuid"]]
    return sorted(kept, key=lambda version: -int(version["id"]))


def add_version(
    workspace: Workspace, node: dict[str, Any], name: str, description: str, *, on_publish: bool = False
) -> dict[str, Any]:
    """Keep a node as it is now; returns the version."""
    number = uuid.uuid5(uuid.UUID(node["uuid"]), str(workspace.next_number(VERSION)))
    version = {"name": name, "description": description, "created_on_publish": on_publish, "feedback": None}
    version["uuid"] = str(number)
    kept = {"kept": _parts(node), "uses": _components(workspace, node["content"]["html"])}
    return _configure(workspace, VERSION, version | {"node_id": node["uuid"], "node_type": "EMAIL"} | kept)


def _components(workspace: Workspace, html: str) -> list[dict[str, Any]]:
    """Return the components that HTML includes by their tags, and those that these include."""
    left, found, texts = workspace.things(COMPONENT), list[dict[str, Any]](), [html]
    while texts:
        text = texts.pop()
        used = [one for one in left if re.search(rf"<{re.escape(one['tag'])}[\s/>]", text, re.IGNORECASE)]
        left = [one for one in left if one not in used]
        found += used
        texts += [one["content"] for one in used]
    return found
