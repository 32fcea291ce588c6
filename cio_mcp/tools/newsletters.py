"""Newsletters, which Customer.io's pages call one-time sends: a message to many, once."""

from datetime import datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field

from cio_mcp.client import AppApi, RequestKind
from cio_mcp.errors import InvalidArgument
from cio_mcp.toolkit.answers import Acted, Answer, Page, Shape, cut
from cio_mcp.toolkit.audience import Audience, reaches
from cio_mcp.toolkit.params import Cursor, Limit, LocalTime, ObjectId, Text, iso
from cio_mcp.toolkit.registry import Toolbox

newsletters = Toolbox("newsletters")

FIND_OUT = (
    "Do not send it again before looking: get_newsletter with newsletter_id={newsletter_id} shows, some "
    "seconds later, whether it was sent."
)


class Newsletter(Shape):
    """One newsletter, in short."""

    id: int
    name: str
    channel: str | None = None
    sent: str | None = Field(None, description="When it was sent; absent for a draft and a scheduled one.")
    segments: list[int] = Field([], description="Segments that its audience is in, or not in.")
    subscription_topic_id: int | None = None
    tags: list[str] = []
    updated: str | None = None


class Newsletters(Page):
    """Newsletters, newest first."""

    newsletters: list[Newsletter]


@newsletters.reads
async def list_newsletters(app: AppApi, limit: Limit = 20, cursor: Cursor | None = None) -> Newsletters:
    """List newsletters (one-time sends) with when they were sent, newest first."""
    answer = await app.get("/v1/newsletters", {"limit": limit, "sort": "desc", "start": cursor})
    found = [Newsletter(**_told(item)) for item in answer.get("newsletters") or []]
    kept, next_cursor, left_out = cut(found, answer.get("next"))
    return Newsletters(newsletters=kept, next_cursor=next_cursor, left_out=left_out)


class Content(Shape):
    """What one variant of a newsletter says: a language, or an arm of a test."""

    content_id: int
    name: str | None = None
    language: str | None = None
    sender: str | None = None
    subject: str | None = None
    preheader: str | None = None


class NewsletterContents(Answer, Newsletter):
    """One newsletter and what it says."""

    contents: list[Content]


@newsletters.reads
async def get_newsletter(app: AppApi, newsletter_id: ObjectId) -> NewsletterContents:
    """Read one newsletter: whether it was sent, to which segments, with which subjects."""
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
    """Customer.io took it; it sends in the background."""

    outcome: Literal["accepted"] = Field(
        "accepted", description="Taken by Customer.io: it goes out now, or at send_at."
    )
    newsletter_id: int
    name: str | None = None
    send_at: str | None = Field(None, description="When it goes out; absent for now, and when unscheduled.")


async def _reached(app: AppApi, newsletter_id: int) -> Audience:
    async def template() -> str:
        answer = await app.get("/v1/newsletters/{newsletter_id}", newsletter_id=newsletter_id)
        return f"newsletter {newsletter_id}: {(answer.get('newsletter') or {}).get('name')}"

    # The API lists segments that are in the audience and segments that are not, alike.
    return Audience("the audience set in the newsletter, which the API cannot count", template=template)


@newsletters.sends
@reaches(_reached)
async def send_newsletter(
    app: AppApi,
    newsletter_id: ObjectId,
    send_at: Annotated[LocalTime | None, Field(description="Later; 0 takes a schedule back.")] = None,
    timezone: Annotated[Text, Field(description="That of send_at, such as Europe/Berlin.")] = "UTC",
) -> NewsletterSend:
    """Send a draft newsletter to its whole audience, now or at send_at. See it with get_newsletter first."""
    at = send_at if send_at is None or isinstance(send_at, int) else _in_zone(send_at, timezone)
    if at is None:
        answer = await app.post(
            "/v1/newsletters/{newsletter_id}/send",
            {},
            kind=RequestKind.ONCE,
            if_unknown=FIND_OUT.format(newsletter_id=newsletter_id),
            newsletter_id=newsletter_id,
        )
    else:
        # The same time again changes nothing; the API does not show what is scheduled.
        answer = await app.post(
            "/v1/newsletters/{newsletter_id}/schedule",
            {"scheduled_at": at} | ({"timezone": timezone} if at else {}),
            kind=RequestKind.REPEATABLE,
            newsletter_id=newsletter_id,
        )
    name = (answer.get("newsletter") or {}).get("name")
    return NewsletterSend(newsletter_id=newsletter_id, name=name, send_at=iso(at))


def _in_zone(moment: datetime, timezone: str) -> int:
    try:
        return int(moment.replace(tzinfo=ZoneInfo(timezone)).timestamp())
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidArgument(
            "timezone: is not known here; give send_at with its offset, such as 2026-01-31T09:00:00-05:00"
        ) from None


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
