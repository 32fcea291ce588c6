"""Reading emails of Design Studio and their components."""

from typing import Annotated

from pydantic import Field

from cio_mcp.client import AppApi
from cio_mcp.liquid import Meter
from cio_mcp.toolkit.answers.pages import page_of
from cio_mcp.toolkit.answers.reading import Fields, beside, needed
from cio_mcp.toolkit.answers.shapes import Cut, Page, Quoted, Shape
from cio_mcp.toolkit.arguments.types import CountCursor, Line
from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.toolkit.texts.bodies import body_texts
from cio_mcp.toolkit.texts.design_studio import COMPONENTS, EMAIL, EmailId, Language, read_node, texts_in
from cio_mcp.toolkit.texts.faults import faults_of
from cio_mcp.toolkit.texts.variables import variables_of

tools = Toolbox(__name__)

# Emails on a page: each comes with all its HTML. Versions that are told.
PAGE, VERSIONS = 20, 10


class EmailInBrief(Shape):
    """An email of Design Studio in brief."""

    email_id: str | None = None
    name: str | None = None
    subject: str | None = None
    languages: list[str] | None = Field(None, description="Languages it is translated into.")
    linked: bool | None = Field(None, description="true: publishing puts it into a message.")
    template: bool | None = None
    updated: str | None = None


class Emails(Page):
    """Emails of Design Studio, the last changed first."""

    emails: list[EmailInBrief]


@tools.reads
async def list_emails(
    app: AppApi,
    linked: Annotated[
        bool | None, Field(description="true: only those linked to a message. false: only the others.")
    ] = None,
    cursor: CountCursor | None = None,
) -> Emails:
    """List Design Studio emails with their ids, last changed first."""
    number = cursor or 1
    query = {
        "sort_by": "updated",
        "sort_order": "desc",
        "limit": PAGE,
        "page": number,
        "is_linked": "any" if linked is None else str(linked).lower(),
    }
    there = Fields(await app.get("/v1/design_studio/emails", query)).listed("emails")
    kept, left_out = page_of([_brief(item) for item in there], PAGE)
    more = str(number + 1) if len(there) == PAGE else None
    return Emails(
        emails=kept, next_cursor=more, left_out=left_out and f"{len(there) - len(kept)} of this page"
    )


def _brief(item: Fields) -> EmailInBrief:
    return EmailInBrief(
        email_id=item.text("id"),
        name=item.text("name"),
        subject=item.fields("content").text("subject"),
        languages=item.texts("available_languages") or None,
        linked=item.flag("is_linked"),
        template=item.flag("is_template") or None,
        updated=item.time("updated"),
    )


class Version(Shape):
    """A version of an email that is kept."""

    version_id: str | None = None
    name: str | None = None
    created: str | None = None
    published: bool | None = Field(None, description="true: made when this was published.")


class Email(Quoted, Cut):
    """An email of Design Studio, in one language."""

    email_id: str
    name: str | None = None
    language: str | None = Field(None, description="Absent for the email's own language.")
    languages: list[str] | None = Field(None, description="Languages it is translated into.")
    linked: bool | None = None
    unpublished_changes: bool | None = Field(
        None, description="true: the message still has other content, until publish_email."
    )
    sender: str | None = None
    recipient: str | None = None
    subject: str | None = None
    preheader: str | None = None
    body: str | None = Field(None, description="As text; [1] stands for the first of links.")
    links: list[str] | None = None
    html: str | None = None
    needs: list[str] | None = Field(
        None, description="Liquid variables without a default: it fails without a value."
    )
    faults: list[str] | None = Field(None, description="What is wrong with its HTML and Liquid, by line.")
    versions: list[Version] | None = Field(None, description="Newest first, for restore_email.")


@tools.reads
async def get_email(
    app: AppApi,
    email_id: EmailId,
    language: Language = None,
    html: Annotated[bool, Field(description="Include the HTML.")] = False,
) -> Email:
    """Read an email of Design Studio: texts, languages, versions, and whether all of it is published."""
    node = await read_node(app, email_id, language)
    texts, envelope, linked = texts_in(node), node.fields("envelope"), node.flag("is_linked")
    versions, unread = await beside("versions", _versions(app, needed(node.text("id"), "id")))
    unpublished, unknown = (
        await beside("unpublished_changes", _unpublished(app, email_id)) if linked else (None, None)
    )
    used = variables_of(texts, {}, Meter())
    return Email(
        email_id=email_id,
        name=node.text("name"),
        language=node.text("language"),
        languages=node.texts("available_languages") or None,
        linked=linked,
        unpublished_changes=unpublished,
        sender=envelope.text("from"),
        recipient=envelope.text("recipient"),
        subject=texts["subject"] or None,
        preheader=texts["preheader"] or None,
        needs=used.all_needed or None,
        faults=faults_of(texts["html"]) or None,
        versions=versions or None,
        **body_texts(texts["html"], app.call.conceal, html=html, also_out=(unread, unknown)),
    )


async def _versions(app: AppApi, node: str) -> list[Version]:
    found = Fields(await app.get(f"{EMAIL}/versions", email_id=node)).listed("versions")
    return [
        Version(
            version_id=item.text("id"),
            name=item.text("name"),
            created=item.time("created"),
            published=item.flag("created_on_publish") or None,
        )
        for item in found[:VERSIONS]
    ]


async def _unpublished(app: AppApi, email_id: str) -> bool | None:
    answer = Fields(await app.get(f"{EMAIL}/unpublished_changes", email_id=email_id))
    return answer.flag("has_unpublished_changes")


class Component(Shape):
    """A part that emails share, used by its tag."""

    tag: str | None = None
    name: str | None = None
    length: int | None = Field(None, description="Characters of its HTML.")
    html: str | None = Field(None, description="Only for the component whose tag is given.")


class Components(Page):
    """Components of Design Studio."""

    components: list[Component]


@tools.reads
async def list_components(
    app: AppApi,
    tag: Annotated[Line | None, Field(description="Only this one, with its HTML.")] = None,
    cursor: CountCursor | None = None,
) -> Components:
    """List components of Design Studio: parts of HTML that emails include by tag, such as a footer."""
    number = cursor or 1
    query = {"tag": tag, "limit": 100, "page": number, "sort_by": "name"}
    there = Fields(await app.get(COMPONENTS, query)).listed("components")
    found = [
        Component(
            tag=item.text("tag"),
            name=item.text("name"),
            length=len(item.text("content") or ""),
            html=item.text("content") if tag else None,
        )
        for item in there
    ]
    kept, left_out = page_of(found, 100)
    more = str(number + 1) if len(there) == 100 else None
    return Components(components=kept, next_cursor=more, left_out=left_out)
