"""What messages say: the texts of each, in its languages, and what they said to a person."""

import json
import time
from pathlib import Path
from typing import Any

from cio_mcp.liquid import Allowance, Meter, has_liquid, render
from cio_mcp.sandbox.state import people
from cio_mcp.sandbox.state.workspace import Row, Workspace

TEXTS = Path(__file__).parent.parent / "contents.json"

# Fields of an email that no text of the story sets.
EMAIL = {
    "type": "email",
    "from": "Quill <hello@example.com>",
    "from_id": 1,
    "reply_to": "hello@example.com",
    "reply_to_id": None,
    "recipient": "{{customer.email}}",
    "preheader_text": "",
    "cc": "",
    "bcc": "",
    "fake_bcc": False,
    "headers": "[]",
    "layout": "Quill",
    "preprocessor": "premailer",
    "body_amp": "",
}

# What the API does not say about an action: what it does, which only the sandbox knows.
OF_ACTIONS = {"links", "delay", "if", "then", "else", "next", "set", "chances", "send_to_unsubscribed"}

# To ask for the processor's time, as the usual bounds do, takes longer than to render a usual text.
BOUNDS = Allowance(seconds=10, clock=time.monotonic)

# What the API does not say of a text: where it belongs, and which editor it was made in.
INTERNAL = {"action", "newsletter", "transactional", "made_in", "email"}


def plant(workspace: Workspace) -> None:
    """Give the story's messages their texts."""
    now = workspace.now()
    for text in json.loads(TEXTS.read_text(encoding="utf-8")):
        kind = {} if text.get("type", "email") != "email" else EMAIL
        workspace.configure("content", {"language": "", "name": "", "updated": now, **kind, **text})


def action(workspace: Workspace, step: dict[str, Any], language: str = "") -> dict[str, Any] | None:
    """Return an action of a campaign or broadcast as the API tells it, None where it lacks a language.

    Live: its id is a text. What sends no message has no text either.
    """
    texts = belonging(workspace, "action", step["id"])
    found = next((text for text in texts if text["language"] == language), None)
    if found is None and language:
        return None
    known = {name: value for name, value in step.items() if name not in OF_ACTIONS}
    text = told(found) if found else {}
    own = {name: value for name, value in text.items() if name not in {"name", "type", "updated"}}
    return known | own | {"id": str(step["id"])}


def belonging(workspace: Workspace, parent: str, number: int) -> list[dict[str, Any]]:
    """Return the texts of a message, the default language first."""
    found = [text for text in workspace.things("content") if text.get(parent) == number]
    return sorted(found, key=lambda text: str(text["language"]))


def told(text: dict[str, Any]) -> dict[str, Any]:
    """Return a text as the API tells it. Documented: a recipient that is Liquid is blank for SMS."""
    blank = {"recipient": ""} if text["type"] == "twilio" and has_liquid(text.get("recipient", "")) else {}
    own = {"newsletter_id": text["newsletter"]} if "newsletter" in text else {}
    return {name: value for name, value in text.items() if name not in INTERNAL} | blank | own


def update(workspace: Workspace, text: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Change a text for all that is not sent yet, and keep what it said for what is sent; returns it."""
    newest = workspace.row("SELECT max(number) AS number FROM deliveries")
    before = {"last": (newest["number"] if newest else None) or 0, "until": workspace.now(), "text": text}
    workspace.configure("text_before", {"id": workspace.next_number("text_before"), **before})
    changed = text | given | {"updated": workspace.now()}
    workspace.configure("content", changed)
    return changed


def _as_sent(workspace: Workspace, text: dict[str, Any], row: Row, body: dict[str, Any]) -> dict[str, Any]:
    """Return a text as it was when a delivery left."""
    leaves = body.get("send_at") or 0
    for before in workspace.things("text_before"):
        if (
            before["text"]["id"] == text["id"]
            and row["number"] <= before["last"]
            and leaves <= before["until"]
        ):
            return dict(before["text"])
    return text


def of_delivery(workspace: Workspace, body: dict[str, Any], row: Row | None = None) -> dict[str, Any]:
    """Return the text that a delivery is made of; one that a call brought along has its own parts.

    That of a delivery in `row` is as it was then.
    """
    number = body.get("transactional_message_id")
    if body.get("content_id"):
        found = [text for text in workspace.things("content") if text["id"] == body["content_id"]]
    elif body.get("action_id"):
        found = belonging(workspace, "action", body["action_id"])
        found = [text for text in found if text["language"] == (body.get("language") or "")] or found
    else:
        found = belonging(workspace, "transactional", number) if number else []
        found = [text for text in found if text["language"] == (body.get("language") or "")] or found
    own = {name: value for name, value in (body.get("text") or {}).items() if value}
    text = found[0] if found else {}
    return (_as_sent(workspace, text, row, body) if row and text else text) | own


def filled(workspace: Workspace, number: str, body: dict[str, Any]) -> tuple[str, str | None]:
    """Return the subject of a delivery, and why its message cannot be rendered: then it does not go out.

    Documented: what is wrong with its Liquid keeps a message from going out. Live: so does a variable that
    is missing.
    """
    text, data = of_delivery(workspace, body), _data(workspace, number, body)
    now, own = workspace.now(), text.get("subject") if body["type"] == "email" else None
    written = str(own or body.get("subject") or "")
    others = (text.get(name) for name in ("preheader_text", "body", "from", "reply_to"))
    meter = Meter(BOUNDS)
    subject, fault = render(written, data, now=now, seed=number, meter=meter), None
    if workspace.lives:
        parts = [*(subject.missing and [written]), *(str(other) for other in others if other)]
        found = (render(part, data, strict=True, now=now, seed=number, meter=meter) for part in parts)
        fault = subject.fault or next((one.fault for one in found if one.fault), None)
    return subject.text, f"Liquid error: {fault}" if fault else None


def _data(workspace: Workspace, number: str, body: dict[str, Any]) -> dict[str, Any]:
    """Return what the texts of a delivery can use."""
    event: dict[str, Any] = {
        name: body[name] for name in ("event", "event_name", "event_timestamp") if name in body
    }
    return {
        "customer": body.get("customer") or {},
        "trigger": body.get("data") or {},
        **event,
        "snippets": {found["name"]: found["value"] for found in workspace.things("snippet")},
        "delivery_id": number,
    }


def archived(workspace: Workspace, row: Row) -> dict[str, Any]:
    """Return what a delivery said: the message's text with what the send gave and the person had.

    Assumed (archived messages): a variable without a value printed nothing; what the person had is what they
    had then, while snippets are as they are now.
    """
    body: dict[str, Any] = json.loads(row["body"])
    text, forgotten = of_delivery(workspace, body, row), bool(body.get("forgotten"))
    data, meter = _data(workspace, row["id"], body), Meter()

    def shown(name: str) -> str:
        written = str(text.get(name) or "")
        return render(written, data, now=row["created"], seed=row["id"], meter=meter).text

    return {
        "id": row["id"],
        "recipient": body["recipient"],
        "from": shown("from"),
        "reply_to": shown("reply_to"),
        "subject": shown("subject"),
        "preheader_text": "" if forgotten else shown("preheader_text"),
        "cc": shown("cc"),
        "bcc": shown("bcc"),
        "fake_bcc": bool(text.get("fake_bcc")),
        "body": "" if forgotten else shown("body"),
        "headers": text.get("headers") or "[]",
        "forgotten": forgotten,
    }


def snapshot(workspace: Workspace, person: Row | None) -> dict[str, Any]:
    """Return what a person has at the time of a delivery."""
    return people.attributes(workspace, person) if person else {}
