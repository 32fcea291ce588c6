"""Transactional messages."""

import base64
import binascii
import json
import re
from email.utils import getaddresses
from pathlib import PurePath
from typing import Any

from cio_mcp.sandbox.http import ApiRequest, Routes, track_error
from cio_mcp.sandbox.state import devices, people, transactional
from cio_mcp.sandbox.state.workspace import Row, Workspace

routes = Routes()

FORBIDDEN_FILES = {".exe", ".bat", ".cmd", ".com", ".js", ".scr", ".vbs", ".jar"}

E164 = re.compile(r"\+[1-9]\d{1,14}")


@routes("GET", "/v1/transactional")
def every(asked: ApiRequest) -> dict[str, Any]:
    """Answer all transactional messages. Documented."""
    return {"messages": [_public(found) for found in asked.workspace.things("transactional")]}


@routes("GET", "/v1/transactional/{message_id}")
def one(asked: ApiRequest) -> dict[str, Any]:
    """Answer one transactional message. Documented."""
    return {"message": _public(asked.thing("transactional", "message_id"))}


def _public(message: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in message.items() if name not in transactional.INTERNAL}


@routes("POST", "/v1/send/email")
def send_email(asked: ApiRequest) -> dict[str, Any]:
    """Check a message and queue it; a second call is a second message. Documented."""
    body = asked.json()
    _check_size(asked, body)
    to = body.get("to")
    if not isinstance(to, str) or not to.strip():
        raise track_error('Missing required field: "to"')
    # Without empty texts, for which newer Pythons return no address at all.
    recipients = getaddresses([str(body[field]) for field in ("to", "cc", "bcc") if body.get(field)])
    if len([address for _, address in recipients if address]) > 15:
        raise track_error("Too many recipients: at most 15 are allowed")
    if body.get("transactional_message_id") is None:
        if missing := [field for field in ("body", "subject", "from") if not body.get(field)]:
            raise track_error(f'Missing required field: "{missing[0]}"')
        return _queued(asked, "email", body, {})
    return _queued(asked, "email", body, _template(asked.workspace, body, "email"))


def _of_channel(channel: str) -> None:
    """Register the sends of a channel that is not email."""

    @routes("POST", f"/v1/send/{channel}")
    def send_message(asked: ApiRequest) -> dict[str, Any]:
        """Check a message and queue it. Documented."""
        body = asked.json()
        if body.get("transactional_message_id") is None:
            raise track_error('Missing required field: "transactional_message_id"')
        if channel in transactional.BY_NUMBER:
            _check_number(body.get("to"))
        template = _template(asked.workspace, body, channel)
        if channel == "push":
            _check_device(asked.workspace, body)
        return _queued(asked, channel, body, template)


for other in transactional.TYPES:
    if other != "email":
        _of_channel(other)


def _check_number(to: Any) -> None:
    """Refuse what is neither a number nor Liquid, in the documented words."""
    if not to:
        raise track_error('Missing required field: "to"')
    if not E164.fullmatch(str(to)) and not transactional.LIQUID.search(str(to)):
        raise track_error("Invalid phone number format. Phone numbers must be in E.164 format.")


def _check_device(workspace: Workspace, body: dict[str, Any]) -> None:
    """Refuse a device that is not the person's: documented as what `to` must name.

    Assumed (devices of a push): the refusal, and that the request itself may bring the device.
    """
    person, device = _person(workspace, body.get("identifiers")), body.get("custom_device") or {}
    if person and device.get("token") and device.get("platform"):
        devices.put(workspace, person, {**device, "id": device["token"]})
    own = body.get("to") in transactional.OWN_DEVICES
    if not own and not (person and devices.has(workspace, person, str(body["to"]))):
        raise track_error('"to" must be all, last_used, or a device token of the person')


def _queued(
    asked: ApiRequest, channel: str, body: dict[str, Any], template: dict[str, Any]
) -> dict[str, Any]:
    person = _person(asked.workspace, body.get("identifiers"))
    delivery = transactional.queue(asked.workspace, channel, template, person, body)
    later = {"send_at": body["send_at"]} if body.get("send_at") else {}
    return {"delivery_id": delivery, "queued_at": asked.workspace.now(), **later}


def _template(workspace: Workspace, body: dict[str, Any], channel: str) -> dict[str, Any]:
    """Return the template: by number, by a number as text, or by trigger name in any case."""
    name = str(body["transactional_message_id"])
    for found in workspace.things("transactional"):
        if name == str(found["id"]) or name.lower() == found["trigger_name"].lower():
            if found["channel"] != channel:
                raise track_error('"transactional_message_id" belongs to another channel')
            return found
    if body.get("auto_create") is True and not name.isdecimal():
        # Documented: an empty message of that trigger name. Assumed (auto_create): what else it has.
        number = workspace.next_number("transactional")
        dates = {"created_at": workspace.now(), "updated_at": workspace.now()}
        new = {"id": number, "name": name, "trigger_name": name, "channel": channel, "description": ""}
        workspace.configure("transactional", transactional.SWITCHES | new | dates)
        return new
    raise track_error('"transactional_message_id" not found')


def _person(workspace: Workspace, identifiers: Any) -> Row | None:
    """Return whom a message is recorded for; an unknown id or email is created."""
    if (
        not isinstance(identifiers, dict)
        or len(identifiers) != 1
        or not identifiers.keys() <= {"id", "email", "cio_id"}
    ):
        raise track_error('"identifiers" must have exactly one of id, email, cio_id')
    ((kind, value),) = identifiers.items()
    if not isinstance(value, str) or not value:
        raise track_error(f'"identifiers.{kind}" must be a string')
    found = people.find(workspace, value, kind)
    if found is None and kind != "cio_id" and not people.suppressed(workspace, value):
        found = people.create(workspace, **{kind: value})
    return found


def _check_size(asked: ApiRequest, body: dict[str, Any]) -> None:
    attachments = body.get("attachments") or {}
    if not isinstance(attachments, dict):
        raise track_error('"attachments" must be an object')
    total = 0
    for name, content in attachments.items():
        try:
            total += len(base64.b64decode(content, validate=True))
        except (binascii.Error, TypeError, ValueError):
            raise track_error(f'Attachment must be base64 encoded: "{name}"') from None
        if PurePath(name).suffix.lower() in FORBIDDEN_FILES:
            kind = PurePath(name).suffix.lstrip(".")
            raise track_error(f"Forbidden file type {kind} for attachment {name}", 403)
    if total >= 2_000_000:
        raise track_error("Total attachment size exceeds the limit", 413)
    if len(asked.body) - len(json.dumps(attachments)) > 2_048_000:
        raise track_error("Request entity must be JSON encoded and not exceed 2048 KB")
