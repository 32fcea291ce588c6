"""Changing a text of a message: what of it can be written, and what becomes of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator

from cio_mcp.client import AppApi
from cio_mcp.client.call import Replacement
from cio_mcp.errors import InvalidArgument, Refused
from cio_mcp.liquid import Meter
from cio_mcp.toolkit.answers.reading import Fields, needed, text, whole
from cio_mcp.toolkit.arguments.types import JsonObject
from cio_mcp.toolkit.texts.history import History
from cio_mcp.toolkit.texts.messages import Kind, Text
from cio_mcp.toolkit.texts.variables import variables_of

# The fields of a text by argument.
FIELDS = {
    "subject": "subject",
    "preheader": "preheader_text",
    "body": "body",
    "body_amp": "body_amp",
    "sender_id": "from_id",
    "reply_to_id": "reply_to_id",
}

# Which of them the App API writes in a channel (reference of 2026-09); in any other it is the body alone.
_WRITES = {
    "email": ("subject", "preheader", "body", "body_amp", "sender_id", "reply_to_id"),
    "push": ("subject", "body"),
}

OTHER_EDITOR = (
    "The body of a message that was made in Design Studio is changed with update_email and publish_email; of "
    "one that was made in the drag-and-drop editor, by a person in Customer.io."
)

# Where the text of each kind is written. Documented in the singular for transactional messages.
_ROUTES: dict[Kind, str] = {
    "campaign": "/v1/campaigns/{message_id}/actions/{part_id}",
    "broadcast": "/v1/broadcasts/{message_id}/actions/{part_id}",
    "newsletter": "/v1/newsletters/{message_id}/contents/{part_id}",
    "transactional": "/v1/transactional/{message_id}/content/{part_id}",
}


def _pairs(given: dict[str, Any]) -> dict[str, str]:
    if not given or not all(old and isinstance(new, str) for old, new in given.items()):
        message = "must be an object of old texts, each with its new text"
        raise ValueError(message)
    return given


# Texts by those that they replace.
Pairs = Annotated[JsonObject, AfterValidator(_pairs)]


@dataclass(frozen=True)
class Edit:
    """A change of one text of a message: `values` are the new ones, by field."""

    kind: Kind
    message_id: int
    text: Text
    values: Mapping[str, Any]
    in_language: str | None = None

    @property
    def name(self) -> str:
        """The name of the text, under which its history is kept."""
        language = self.text.language or ""
        return f"{self.kind} {self.message_id} {self.text.number} {language}".strip()

    @property
    def before(self) -> dict[str, Any]:
        """What the fields hold that are changed."""
        return {name: self.text.fields.raw.get(name) for name in self.values}

    @property
    def pairs(self) -> dict[str, tuple[str, str]]:
        """Each field as text, before and after."""
        return {name: (text(self.before[name]) or "", str(new)) for name, new in self.values.items()}

    def _new_needs(self) -> list[tuple[str, str]]:
        now = variables_of(self.text.written, {}, Meter()).all_needed
        then = variables_of(self.text.with_fields(self.values).written, {}, Meter()).all_needed
        return [("it then fails for whoever lacks", path) for path in then if path not in now]

    def _faults(self) -> list[tuple[str, str]]:
        written = {name: str(value) for name, value in self.values.items()}
        faults = variables_of(written, {}, Meter()).faults
        return [("its Liquid is wrong, so it would not be sent:", fault) for fault in faults]

    async def write(self, app: AppApi, history: History) -> tuple[int, list[str]]:
        """Write the new values; return the change's number, and which fields came back otherwise.

        Raises InvalidArgument if nothing would change.
        """
        if not self.values:
            raise InvalidArgument("nothing would change: the text already says all of this")
        app.call.replaces = Replacement(self.pairs, [*self._new_needs(), *self._faults()])
        path = _ROUTES[self.kind]
        ids: dict[str, object] = {"message_id": self.message_id, "part_id": needed(self.text.number, "id")}
        if self.in_language:
            path, ids = f"{path}/language/{{language}}", ids | {"language": self.in_language}
        try:
            async with history.keeping(self.name, self.before) as number:
                answer = Fields(await app.put(path, dict(self.values), **ids))
        except Refused as refused:
            if refused.status == 400 and "body" in self.values:
                refused.do = f"{refused.do} {OTHER_EDITOR}"
            raise
        is_action = self.kind in {"campaign", "broadcast"}
        told = _first(answer.raw.get("action" if is_action else "content"))
        return number, [name for name, new in self.values.items() if told.get(name, new) != new]


def values_of(kind: Kind, found: Text, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the new values by field, without those that the text holds already; raises InvalidArgument.

    `given` are arguments, None where nothing is given.
    """
    channel = found.fields.text("type") or "email"
    if kind == "newsletter" and channel in {"in_app", "inbox"}:
        raise InvalidArgument(f"message_id: the content of {channel} newsletters is set when they are made")
    writes = _WRITES.get(channel, ("body",))
    asked = {name: value for name, value in given.items() if value is not None}
    if unfit := [name for name in asked if name not in writes]:
        raise InvalidArgument(
            f"{', '.join(unfit)}: cannot be written here; of a {kind}'s {channel}, {', '.join(writes)} can"
        )
    now = found.fields
    return {
        FIELDS[name]: value
        for name, value in asked.items()
        if value != (now.raw.get(FIELDS[name]) or "") and value != whole(now.raw.get(FIELDS[name]))
    }


def replaced_in(body: str, pairs: Mapping[str, str], tool: str = "get_content") -> str:
    """Return a body with texts in it replaced, each of which must stand there once.

    `tool` shows the body.
    """
    for old, new in pairs.items():
        if (times := body.count(old)) != 1:
            how = (
                f"is not in the body; {tool} with html=true shows it"
                if not times
                else (f"is {times} times in the body; include the text around it")
            )
            raise InvalidArgument(f"replace: {old[:80]!r} {how}")
        body = body.replace(old, new)
    return body


def _first(value: Any) -> dict[str, Any]:
    """Return the object in an envelope, which some specifications type as an array."""
    inner = value[0] if isinstance(value, list) and value else value
    return inner if isinstance(inner, dict) else {}
