"""Sending newsletters, now or later."""

from typing import Annotated, Any, Literal

from pydantic import Field

from cio_mcp.client import AppApi, RequestKind
from cio_mcp.errors import InvalidArgument
from cio_mcp.toolkit.answers.reading import Fields, made
from cio_mcp.toolkit.answers.shapes import Acted
from cio_mcp.toolkit.arguments.times import Schedule, iso
from cio_mcp.toolkit.arguments.types import Number, ObjectId
from cio_mcp.toolkit.people.audience import Audience, MessageSetup, reaches
from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.toolkit.texts.words import Sending

tools = Toolbox(__name__)

FIND_OUT = (
    "Do not send it again yet: wait some seconds, then call get_newsletter with "
    "newsletter_id={newsletter_id} to see whether it was sent."
)

# Seconds of the periods for which a rate can be set.
SECONDS = {"minute": 60, "hour": 3600, "day": 86_400}


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


async def _reached(app: AppApi, newsletter_id: int, send_at: int | None) -> Audience:
    async def template() -> MessageSetup:
        named = await app.get("/v1/newsletters/{newsletter_id}", newsletter_id=newsletter_id)
        name = Fields(named).wrapped("newsletter").text("name")
        return MessageSetup(f"newsletter {newsletter_id}", name or "")

    # The API lists included and excluded segments alike, so the audience cannot be counted from them.
    return Audience(
        "the audience set in the newsletter, which the API cannot count",
        template=template,
        content=Sending("newsletter", newsletter_id, sets=()),
        instead="Cancel the schedule of" if send_at == 0 else "",
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
    recipient_timezone: Annotated[
        bool, Field(description="Send at this time of day in each recipient's own time zone.")
    ] = False,
    rate: Annotated[Number | None, Field(ge=1, description="Most messages per period.")] = None,
    period: Literal["minute", "hour", "day"] = "hour",
    spread: Annotated[bool, Field(description="Spread them evenly.")] = False,
) -> NewsletterSend:
    """Send a draft newsletter (one-time send) to its whole audience, now or at send_at.

    Read it with get_newsletter first; the audience is set in Customer.io.
    """
    pace = _pace(send_at, recipient_timezone, rate, period, spread=spread)
    if send_at is None:
        find_out = FIND_OUT.format(newsletter_id=newsletter_id)
        answer = await app.post(
            "/v1/newsletters/{newsletter_id}/send",
            pace,
            kind=RequestKind.ONCE,
            if_unknown=find_out,
            newsletter_id=newsletter_id,
        )
        made(Fields(answer).wrapped("newsletter").whole("id"), "newsletter", find_out)
    else:
        # Scheduling the same time twice changes nothing; the API does not show the schedule.
        answer = await app.post(
            "/v1/newsletters/{newsletter_id}/schedule",
            {"scheduled_at": send_at} | ({"timezone": app.call.timezone} if send_at else {}) | pace,
            kind=RequestKind.REPEATABLE,
            newsletter_id=newsletter_id,
        )
    name = Fields(answer).wrapped("newsletter").text("name")
    return NewsletterSend(newsletter_id=newsletter_id, name=name, send_at=iso(send_at))


def _pace(
    send_at: int | None, own_zones: bool, rate: int | None, period: str, *, spread: bool
) -> dict[str, Any]:
    """Return the fields that say how fast to send, and in whose time zone; raises InvalidArgument."""
    if own_zones and not send_at:
        raise InvalidArgument("recipient_timezone: needs send_at")
    if own_zones and rate and period == "day":
        raise InvalidArgument("period: must be minute or hour with recipient_timezone")
    if send_at == 0 and (rate or spread):
        raise InvalidArgument("rate, spread: not allowed with send_at=0, which cancels the schedule")
    limit = {"rate_limit_email_rate": rate, "rate_limit_time_period": SECONDS[period]} if rate else {}
    evenly = {"rate_limit_spread": True} if spread else {}
    return limit | evenly | ({"tz_match_enabled": True} if own_zones else {})
