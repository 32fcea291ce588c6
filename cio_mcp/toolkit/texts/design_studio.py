"""Emails of Design Studio: an email in its default language and each translation is a node of its own."""

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import Field

from cio_mcp.client import AnyIdType, AppApi, RequestKind
from cio_mcp.toolkit.answers.quoting import plain_name
from cio_mcp.toolkit.answers.reading import Fields, needed
from cio_mcp.toolkit.arguments.types import ItemKey, Line
from cio_mcp.toolkit.texts.rendering import attributes_of

EmailId = Annotated[ItemKey, Field(description="From list_emails.")]
Language = Annotated[Line | None, Field(description="Language of a translation. Default: the email's own.")]

EMAIL = "/v1/design_studio/emails/{email_id}"
COMPONENTS = "/v1/design_studio/components"

# The largest page of components (App API, Design Studio), and what includes one in HTML: its tag.
MOST = 10_000
_TAG = re.compile(r"<([a-z][\w.:-]*)", re.IGNORECASE)

# The fields of an envelope by the names that tools have for them.
ENVELOPE = {
    "sender_id": "from_id",
    "sender": "from",
    "reply_to_id": "reply_to_id",
    "reply_to": "reply_to",
    "recipient": "recipient",
    "cc": "cc",
    "bcc": "bcc",
}

# The errors of an email that is rendered, by the part of it, that name no part that is sent.
_PARTS = {"body": "html", "to": "recipient"}


async def read_node(app: AppApi, email_id: str, language: str | None) -> Fields:
    """Return an email, or its translation; raises Refused."""
    if language is None:
        return Fields(await app.get(EMAIL, email_id=email_id)).inside("email", "id", "content")
    path = f"{EMAIL}/languages/{{language}}"
    answer = Fields(await app.get(path, email_id=email_id, language=language))
    return answer.inside("email_translation", "id", "content")


async def read_nodes(app: AppApi, email_id: str) -> dict[str, Fields]:
    """Return an email and its translations by language; that of the email itself is empty."""
    email = await read_node(app, email_id, None)
    found = {"": email}
    if email.texts("available_languages"):
        answer = Fields(await app.get(f"{EMAIL}/languages", email_id=email_id))
        for node in answer.listed("email_translations"):
            found[node.text("language") or ""] = node
    return found


async def node_id(app: AppApi, email_id: str, language: str | None) -> str:
    """Return the id of a node: an email's own, or that of its translation."""
    if language is None:
        return email_id
    return needed((await read_node(app, email_id, language)).text("id"), "id")


def texts_in(node: Fields) -> dict[str, str]:
    """Return the texts of a node, by the names that tools have for them."""
    content = node.fields("content")
    names = {
        "subject": "subject",
        "preheader": "preheader_text",
        "html": "html",
        "amp": "amp",
        "text": "text",
    }
    return {name: content.text(field) or "" for name, field in names.items()}


def sent_in(node: Fields) -> dict[str, str]:
    """Return all of a node that is sent: its texts and, if it tells its envelope, from whom and to whom."""
    envelope = node.fields("envelope")
    if not envelope.raw:
        return texts_in(node)
    headers = envelope.objects("headers") or []
    lines = [f"{header.text('name')}: {header.text('value')}" for header in headers]
    rest = {"fake_bcc": str(envelope.flag("fake_bcc") or ""), "headers": "\n".join(lines)}
    return texts_in(node) | {name: envelope.text(field) or "" for name, field in ENVELOPE.items()} | rest


def differing(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Return what differs in what is sent, before and after; what `after` does not tell stays as it is."""
    pairs = {name: (before.get(name, ""), now) for name, now in after.items() if before.get(name, "") != now}
    # A version may tell the id of a sender without its address.
    same = {name for name in ("sender", "reply_to") if after.get(f"{name}_id") and f"{name}_id" not in pairs}
    return {name: pair for name, pair in pairs.items() if name not in same and any(pair)}


def differing_nodes(
    nodes: Mapping[str, Fields], before: Iterable[Mapping[str, str]]
) -> dict[str, tuple[str, str]]:
    """Return what differs in what is sent, in each language, before and after."""
    return {
        f"{plain_name(language)} {name}" if language else name: pair
        for (language, node), then in zip(nodes.items(), before, strict=True)
        for name, pair in differing(then, sent_in(node)).items()
    }


async def components_in(app: AppApi, html: Iterable[str]) -> dict[str, str]:
    """Return the components that some HTML includes now, and those that they include, by tag."""
    listed = Fields(await app.get(COMPONENTS, {"limit": MOST})).listed("components")
    known, found, texts = told_components(listed), dict[str, str](), list(html)
    while texts:
        used = {tag.lower() for tag in _TAG.findall(texts.pop())} & known.keys() - found.keys()
        found |= {tag: known[tag] for tag in used}
        texts += [known[tag] for tag in used]
    return found


def told_components(listed: Iterable[Fields]) -> dict[str, str]:
    """Return what components hold by their tags."""
    return {tag.lower(): each.text("content") or "" for each in listed if (tag := each.text("tag"))}


async def rendered_email(
    app: AppApi,
    email_id: str,
    language: str | None,
    customer_id: str | None,
    id_type: AnyIdType,
    data: dict[str, Any],
) -> tuple[Fields, list[str]]:
    """Return an email as Customer.io renders it for a customer, and what is wrong with it, by part.

    `data` is taken as that of an event and of a trigger: the email does not tell which it will have.
    """
    node = await node_id(app, email_id, language)
    given: dict[str, Any] = {"event": data, "trigger": data} if data else {}
    if customer_id:
        # Hidden before it is rendered: in the text no rule could tell a name from other words.
        given["customer"] = app.call.conceal(await attributes_of(app, customer_id, id_type))
    answer = await app.post(f"{EMAIL}/preview", given, kind=RequestKind.READ, email_id=node)
    found = Fields(answer).inside("preview", "html", "subject")
    errors = found.mapping("errors") or {}
    return found, [
        f"{_PARTS.get(part, part)}: {fault}"
        for part, faults in errors.items()
        if isinstance(faults, list)
        for fault in faults
    ]
