"""Writing emails of Design Studio: drafts, of which no message says anything until they are published."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from cio_mcp.client import AppApi, RequestKind
from cio_mcp.client.call import Replacement
from cio_mcp.errors import InvalidArgument
from cio_mcp.toolkit.answers.reading import Fields, made
from cio_mcp.toolkit.answers.shapes import Acted
from cio_mcp.toolkit.arguments.types import ItemKey, Line, Naming, ObjectId, Text, at_most, one_line
from cio_mcp.toolkit.people.consequences import affects
from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.toolkit.texts.design_studio import (
    EMAIL,
    EmailId,
    Language,
    differing,
    node_id,
    read_node,
    sent_in,
    texts_in,
)
from cio_mcp.toolkit.texts.difference import difference
from cio_mcp.toolkit.texts.edits import Pairs, replaced_in
from cio_mcp.toolkit.texts.faults import faults_of

tools = Toolbox(__name__)

FIND_OUT = "Do not make it again yet: call list_emails to see whether it is there."
LOOK = "Do not make it again yet: call get_email to see which languages are there."

# The fields of content by argument.
CONTENT = {"subject": "subject", "preheader": "preheader_text", "html": "html", "text": "text"}

Name = Annotated[Line, at_most(255)]


class EmailCreated(Acted):
    """An email of Design Studio, or a translation, that was made as a draft."""

    outcome: Literal["created"] = Field("created", description="The draft exists; no message uses it yet.")
    email_id: str
    language: str | None = None
    faults: list[str] | None = Field(None, description="What is wrong with its HTML and Liquid, by line.")


@tools.writes
@affects()
async def create_email(
    app: AppApi,
    name: Name | None = None,
    subject: Line | None = None,
    html: Text | None = None,
    preheader: Line | None = None,
    text: Annotated[Text | None, Field(description="As plain text.")] = None,
    sender_id: Annotated[ObjectId | None, Field(description="Id of a sender identity.")] = None,
    translates: Annotated[
        ItemKey | None, Field(description="Make a translation of this email_id, with its sender.")
    ] = None,
    language: Annotated[Line | None, Field(description="Language of the translation, such as fr.")] = None,
) -> EmailCreated:
    """Create an email in Design Studio, or a translation of one. Then link_email and publish_email."""
    content = _content(subject, preheader, html, text)
    envelope = {"envelope": {"from_id": sender_id}} if sender_id else {}
    if (translates is None) != (language is None):
        raise InvalidArgument("translates, language: give both for a translation, or neither")
    body: dict[str, Any] = ({"content": content} if content else {}) | envelope
    if translates:
        if name:
            raise InvalidArgument("name: leave it out; a translation has the name of its email")
        path, ids, envelope_name = f"{EMAIL}/languages", {"email_id": translates}, "email_translation"
        body |= {"language": language}
    else:
        if not (name and subject and html):
            raise InvalidArgument("name, subject, html: are needed")
        path, ids, envelope_name = "/v1/design_studio/emails", {}, "email"
        body |= {"name": name}
    find_out = LOOK if translates else FIND_OUT
    answer = Fields(await app.post(path, body, kind=RequestKind.ONCE, if_unknown=find_out, query=None, **ids))
    number = answer.wrapped(envelope_name).text("id")
    return EmailCreated(
        email_id=translates or made(number, "email", find_out),
        language=language,
        faults=faults_of(html or "") or None,
    )


class EmailUpdated(Acted):
    """A changed draft of Design Studio."""

    outcome: Literal["updated"] = Field(
        "updated", description="The draft is changed; its message changes only with publish_email."
    )
    email_id: str
    language: str | None = None
    changes: dict[str, list[str]] = Field(
        description="What changed, by field: removed lines begin with -, added lines with +."
    )
    faults: list[str] | None = Field(None, description="What is wrong with its HTML and Liquid, by line.")


@tools.writes
@affects()
async def update_email(
    app: AppApi,
    email_id: EmailId,
    language: Language = None,
    name: Name | None = None,
    subject: Line | None = None,
    preheader: Annotated[str, AfterValidator(one_line), Naming] | None = None,
    html: Annotated[Text | None, Field(description="The whole HTML.")] = None,
    replace: Annotated[
        Pairs | None, Field(description="Instead of html: parts of the HTML, each with its new text.")
    ] = None,
    text: Annotated[Text | None, Field(description="As plain text.")] = None,
    sender_id: Annotated[ObjectId | None, Field(description="Id of a sender identity.")] = None,
) -> EmailUpdated:
    """Change the draft of a Design Studio email. publish_email then puts it into its message.

    Fields that you leave out keep their values.
    """
    if html and replace:
        raise InvalidArgument("replace: cannot be combined with html")
    if name and language:
        raise InvalidArgument("name: leave it out; a translation has the name of its email")
    node = await read_node(app, email_id, language)
    before = texts_in(node)
    if replace:
        html = replaced_in(before["html"], replace, "get_email")
    content = _content(subject, preheader, html, text)
    body: dict[str, Any] = {"content": content} if content else {}
    body |= {"name": name} if name else {}
    body |= {"envelope": {"from_id": sender_id}} if sender_id else {}
    if not body:
        raise InvalidArgument("subject, html or another part of the email is needed")
    new: dict[str, str] = {name: content[field] for name, field in CONTENT.items() if field in content}
    sender = node.fields("envelope").whole("from_id")
    there = before | {"name": node.text("name") or "", "sender_id": str(sender or "")}
    new |= ({"name": name} if name else {}) | ({"sender_id": str(sender_id)} if sender_id else {})
    pairs = {field: (there[field], value) for field, value in new.items() if there[field] != value}
    app.call.replaces = Replacement(pairs)
    if language:
        await app.put(f"{EMAIL}/languages/{{language}}", body, email_id=email_id, language=language)
    else:
        await app.put(EMAIL, body, email_id=email_id)
    return EmailUpdated(
        email_id=email_id,
        language=language,
        changes={field: difference(*pair) for field, pair in pairs.items()},
        faults=faults_of(html or before["html"]) or None,
    )


def _content(
    subject: str | None, preheader: str | None, html: str | None, text: str | None
) -> dict[str, str]:
    given = {"subject": subject, "preheader": preheader, "html": html, "text": text}
    return {CONTENT[name]: value for name, value in given.items() if value is not None}


class VersionKept(Acted):
    """A version of an email in Design Studio."""

    outcome: Literal["kept"] = Field("kept", description="restore_email brings it back.")
    version_id: str
    unchanged: bool | None = Field(None, description="true: the newest version held all of this already.")


@tools.writes
@affects()
async def create_email_version(
    app: AppApi,
    email_id: EmailId,
    name: Annotated[Line, at_most(100)],
    language: Language = None,
) -> VersionKept:
    """Save a Design Studio email as it is now, for restore_email. Publishing also saves it."""
    node = await node_id(app, email_id, language)
    path = f"{EMAIL}/versions"
    answer = Fields(await app.post(path, {"name": name}, kind=RequestKind.REPEATABLE, email_id=node))
    version = made(answer.fields("version").text("id"), "version", "Look with get_email.")
    return VersionKept(version_id=version, unchanged=answer.flag("created") is False or None)


@tools.writes
@affects()
async def restore_email(
    app: AppApi,
    email_id: EmailId,
    version_id: Annotated[ItemKey, Field(description="From get_email in the same language.")],
    language: Language = None,
) -> EmailUpdated:
    """Restore an earlier version of a Design Studio email's draft. Its components stay as they are."""
    node = await read_node(app, email_id, language)
    name = node.text("id") or email_id
    path = f"{EMAIL}/versions/{{version_id}}"
    version = Fields(await app.get(path, email_id=name, version_id=version_id))
    then = sent_in(version.fields("node"))
    pairs = differing(sent_in(node), then)
    app.call.replaces = Replacement(pairs)
    await app.post(f"{path}/restore", {}, kind=RequestKind.REPEATABLE, email_id=name, version_id=version_id)
    return EmailUpdated(
        email_id=email_id,
        language=language,
        changes={field: difference(*pair) for field, pair in pairs.items()},
        faults=faults_of(then["html"]) or None,
    )
