"""The toolset `newsletters`: messages to many people, sent once. In Customer.io's UI: one-time sends."""

from typing import Annotated, Any, Literal

from pydantic import Field

from cio_mcp.client import AppApi, RequestKind
from cio_mcp.toolkit.answers import Acted, Cut, Numbered, Page, Shape
from cio_mcp.toolkit.audience import Audience, Template, reaches
from cio_mcp.toolkit.pages import cut
from cio_mcp.toolkit.params import Cursor, Limit, ObjectId
from cio_mcp.toolkit.reading import Fields, beside, made
from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.toolkit.texts.sending import Sending
from cio_mcp.toolkit.times import Schedule, iso

tools = Toolbox(__name__)

FIND_OUT = (
    "Do not send it again yet: wait some seconds, then call get_newsletter with "
    "newsletter_id={newsletter_id} to see whether it was sent."
)


class Newsletter(Numbered):
    """A newsletter in brief."""

    channel: str | None = None
    sent: str | None = Field(None, description="When it was sent; absent for drafts and scheduled ones.")
    segments: list[int] | None = Field(
        None, description="Ids of the segments that define its audience, whether they include or exclude."
    )
    subscription_topic_id: int | None = None
    tags: list[str] | None = None
    updated: str | None = None


class Newsletters(Page):
    """Newsletters, newest first."""

    newsletters: list[Newsletter]


@tools.reads
async def list_newsletters(app: AppApi, limit: Limit = 20, cursor: Cursor | None = None) -> Newsletters:
    """List newsletters (one-time sends), newest first, with the time each was sent."""
    answer = Fields(await app.get("/v1/newsletters", {"limit": limit, "sort": "desc", "start": cursor}))
    found = [Newsletter(**_told(item)) for item in answer.listed("newsletters")]
    kept, next_cursor, left_out = cut(found, answer.following())
    return Newsletters(newsletters=kept, next_cursor=next_cursor, left_out=left_out)


class Content(Shape):
    """The content of one variant of a newsletter: a language, or a group of an A/B test."""

    content_id: int | None = None
    name: str | None = None
    language: str | None = None
    sender: str | None = None
    subject: str | None = None
    preheader: str | None = None


class NewsletterContents(Cut, Newsletter):
    """A newsletter and its content."""

    contents: list[Content] | None = None


@tools.reads
async def get_newsletter(app: AppApi, newsletter_id: ObjectId) -> NewsletterContents:
    """Read one newsletter (one-time send): whether it was sent, its segments, senders and subjects."""
    answer = Fields(await app.get("/v1/newsletters/{newsletter_id}", newsletter_id=newsletter_id))
    item = answer.inside("newsletter", "id", "name")
    contents, left_out = await beside("contents", _contents(app, newsletter_id))
    told = _told(item) | {"id": newsletter_id}
    return NewsletterContents(**told, contents=contents, left_out=left_out)


async def _contents(app: AppApi, newsletter_id: int) -> list[Content]:
    path = "/v1/newsletters/{newsletter_id}/contents"
    return [
        Content(
            content_id=item.whole("id"),
            name=item.text("name"),
            language=item.text("language"),
            sender=item.text("from"),
            subject=item.text("subject"),
            preheader=item.text("preheader_text"),
        )
        for item in Fields(await app.get(path, newsletter_id=newsletter_id)).listed("contents")
    ]


class NewsletterSend(Acted):
    """A newsletter that Customer.io sends in the background."""

    outcome: Literal["accepted"] = Field(
        "accepted", description="Customer.io sends it now, or at send_at if that is set."
    )
    newsletter_id: int
    name: str | None = None
    send_at: str | None = Field(
        None, description="When it will be sent; absent if it is sent now or the schedule was cancelled."
    )


async def _reached(app: AppApi, newsletter_id: int) -> Audience:
    async def template() -> Template:
        named = await app.get("/v1/newsletters/{newsletter_id}", newsletter_id=newsletter_id)
        name = Fields(named).wrapped("newsletter").text("name")
        return Template(f"newsletter {newsletter_id}", name or "")

    # The API lists included and excluded segments alike, so the audience cannot be counted from them.
    return Audience(
        "the audience set in the newsletter, which the API cannot count",
        template=template,
        content=Sending("newsletter", newsletter_id, sets=()),
    )


@tools.sends
@reaches(_reached)
async def send_newsletter(
    app: AppApi,
    newsletter_id: ObjectId,
    send_at: Annotated[
        Schedule | None,
        Field(description="When to send, in ISO 8601; 0 cancels a schedule. Default: now."),
    ] = None,
) -> NewsletterSend:
    """Send a draft newsletter (one-time send) to its whole audience, now or at send_at.

    Read it with get_newsletter first; the audience is set in Customer.io.
    """
    if send_at is None:
        find_out = FIND_OUT.format(newsletter_id=newsletter_id)
        answer = await app.post(
            "/v1/newsletters/{newsletter_id}/send",
            {},
            kind=RequestKind.ONCE,
            if_unknown=find_out,
            newsletter_id=newsletter_id,
        )
        made(Fields(answer).wrapped("newsletter").whole("id"), "newsletter", find_out)
    else:
        # Scheduling the same time twice changes nothing; the API does not show the schedule.
        answer = await app.post(
            "/v1/newsletters/{newsletter_id}/schedule",
            {"scheduled_at": send_at} | ({"timezone": app.call.timezone} if send_at else {}),
            kind=RequestKind.REPEATABLE,
            newsletter_id=newsletter_id,
        )
    name = Fields(answer).wrapped("newsletter").text("name")
    return NewsletterSend(newsletter_id=newsletter_id, name=name, send_at=iso(send_at))


def _told(item: Fields) -> dict[str, Any]:
    return {
        "id": item.whole("id"),
        "name": item.text("name"),
        "channel": item.text("type"),
        "sent": item.time("sent_at"),
        "segments": item.wholes("recipient_segment_ids"),
        "subscription_topic_id": item.whole("subscription_topic_id") or None,
        "tags": item.texts("tags"),
        "updated": item.time("updated"),
    }
