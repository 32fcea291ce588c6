"""Newsletters and what they say."""

from typing import Any

from pydantic import Field

from cio_mcp.client import AppApi
from cio_mcp.toolkit.answers.pages import cut_page
from cio_mcp.toolkit.answers.reading import Fields, beside
from cio_mcp.toolkit.answers.shapes import Cut, Numbered, Page, Shape
from cio_mcp.toolkit.arguments.types import Cursor, Limit, ObjectId
from cio_mcp.toolkit.registry import Toolbox

tools = Toolbox(__name__)


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
    kept, next_cursor, left_out = cut_page(found, answer.following())
    return Newsletters(newsletters=kept, next_cursor=next_cursor, left_out=left_out)


class Variant(Shape):
    """The content of one variant of a newsletter: a language, or a group of an A/B test."""

    content_id: int | None = None
    name: str | None = None
    language: str | None = None
    sender: str | None = None
    subject: str | None = None
    preheader: str | None = None


class NewsletterContents(Cut, Newsletter):
    """A newsletter and its content."""

    contents: list[Variant] | None = None


@tools.reads
async def get_newsletter(app: AppApi, newsletter_id: ObjectId) -> NewsletterContents:
    """Read one newsletter (one-time send): whether it was sent, its segments, senders and subjects."""
    answer = Fields(await app.get("/v1/newsletters/{newsletter_id}", newsletter_id=newsletter_id))
    item = answer.inside("newsletter", "id", "name")
    contents, left_out = await beside("contents", _contents(app, newsletter_id))
    told = _told(item) | {"id": newsletter_id}
    return NewsletterContents(**told, contents=contents, left_out=left_out)


async def _contents(app: AppApi, newsletter_id: int) -> list[Variant]:
    path = "/v1/newsletters/{newsletter_id}/contents"
    return [
        Variant(
            content_id=item.whole("id"),
            name=item.text("name"),
            language=item.text("language"),
            sender=item.text("from"),
            subject=item.text("subject"),
            preheader=item.text("preheader_text"),
        )
        for item in Fields(await app.get(path, newsletter_id=newsletter_id)).listed("contents")
    ]


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
