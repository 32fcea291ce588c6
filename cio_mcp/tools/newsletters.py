"""The toolset `newsletters`: messages to many people, sent once. In Customer.io's UI: one-time sends."""

from typing import Annotated, Any, Literal

from pydantic import Field

from cio_mcp.client import AppApi, Kind
from cio_mcp.toolkit.answers import Acted, Answer, Page, Shape, cut
from cio_mcp.toolkit.audience import Audience, reaches
from cio_mcp.toolkit.params import Cursor, Limit, ObjectId
from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.toolkit.times import Schedule, iso

tools = Toolbox(__name__)

FIND_OUT = (
    "Do not send it again yet: wait some seconds, then call get_newsletter with "
    "newsletter_id={newsletter_id} to see whether it was sent."
)


class Newsletter(Shape):
    """A newsletter in brief."""

    id: int
    name: str
    channel: str | None = None
    sent: str | None = Field(None, description="When it was sent; absent for drafts and scheduled ones.")
    segments: list[int] = Field(
        [], description="Ids of the segments that define its audience, whether they include or exclude."
    )
    subscription_topic_id: int | None = None
    tags: list[str] = []
    updated: str | None = None


class Newsletters(Page):
    """Newsletters, newest first."""

    newsletters: list[Newsletter]


@tools.reads
async def list_newsletters(app: AppApi, limit: Limit = 20, cursor: Cursor | None = None) -> Newsletters:
    """List newsletters (one-time sends), newest first, with the time each was sent."""
    answer = await app.get("/v1/newsletters", {"limit": limit, "sort": "desc", "start": cursor})
    found = [Newsletter(**_told(item)) for item in answer.get("newsletters") or []]
    kept, next_cursor, left_out = cut(found, answer.get("next"))
    return Newsletters(newsletters=kept, next_cursor=next_cursor, left_out=left_out)


class Content(Shape):
    """The content of one variant of a newsletter: a language, or a group of an A/B test."""

    content_id: int
    name: str | None = None
    language: str | None = None
    sender: str | None = None
    subject: str | None = None
    preheader: str | None = None


class NewsletterContents(Answer, Newsletter):
    """A newsletter and its content."""

    contents: list[Content]


@tools.reads
async def get_newsletter(app: AppApi, newsletter_id: ObjectId) -> NewsletterContents:
    """Read one newsletter (one-time send): whether it was sent, its segments, senders and subjects."""
    answer = await app.get("/v1/newsletters/{newsletter_id}", newsletter_id=newsletter_id)
    variants = await app.get("/v1/newsletters/{newsletter_id}/contents", newsletter_id=newsletter_id)
    return NewsletterContents(
        **_told(answer.get("newsletter") or {"id": newsletter_id}),
        contents=[
            Content(
                content_id=int(item["id"]),
                name=item.get("name") or None,
                language=item.get("language") or None,
                sender=item.get("from") or None,
                subject=item.get("subject") or None,
                preheader=item.get("preheader_text") or None,
            )
            for item in variants.get("contents") or []
        ],
    )


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
    async def template() -> str:
        answer = await app.get("/v1/newsletters/{newsletter_id}", newsletter_id=newsletter_id)
        return f"newsletter {newsletter_id}: {(answer.get('newsletter') or {}).get('name')}"

    # The API lists included and excluded segments alike, so the audience cannot be counted from them.
    return Audience("the audience set in the newsletter, which the API cannot count", template=template)


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
        answer = await app.post(
            "/v1/newsletters/{newsletter_id}/send",
            {},
            kind=Kind.ONCE,
            if_unknown=FIND_OUT.format(newsletter_id=newsletter_id),
            newsletter_id=newsletter_id,
        )
    else:
        # Scheduling the same time twice changes nothing; the API does not show the schedule.
        answer = await app.post(
            "/v1/newsletters/{newsletter_id}/schedule",
            {"scheduled_at": send_at} | ({"timezone": app.call.timezone} if send_at else {}),
            kind=Kind.REPEATABLE,
            newsletter_id=newsletter_id,
        )
    name = (answer.get("newsletter") or {}).get("name")
    return NewsletterSend(newsletter_id=newsletter_id, name=name, send_at=iso(send_at))


def _told(item: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": int(item["id"]),
        "name": str(item.get("name") or ""),
        "channel": item.get("type"),
        "sent": iso(item.get("sent_at")),
        "segments": item.get("recipient_segment_ids") or [],
        "subscription_topic_id": item.get("subscription_topic_id") or None,
        "tags": item.get("tags") or [],
        "updated": iso(item.get("updated")),
    }
