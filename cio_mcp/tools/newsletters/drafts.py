"""Making newsletters: as drafts, which send nothing."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from cio_mcp.client import AppApi, RequestKind
from cio_mcp.errors import InvalidArgument
from cio_mcp.toolkit.answers.reading import Fields, made
from cio_mcp.toolkit.answers.shapes import Acted
from cio_mcp.toolkit.arguments.fitting import check_fit
from cio_mcp.toolkit.arguments.lists import Numbers
from cio_mcp.toolkit.arguments.types import (
    Https,
    ItemKey,
    JsonObject,
    Line,
    ObjectId,
    Text,
    at_most,
    unguessed,
)
from cio_mcp.toolkit.people.consequences import Outlook, affects
from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.tools.newsletters.filter import NewsletterFilter

tools = Toolbox(__name__)

Channel = Literal["email", "sms", "push", "webhook"]

# What a text of each channel takes, and what it must have (App API reference of 2026-09).
TAKES: dict[str, tuple[str, ...]] = {
    "email": ("subject", "body", "preheader", "body_plain", "sender_id"),
    "sms": ("body",),
    "push": ("subject", "body"),
    "webhook": ("body", "url", "method"),
}
NEEDS: dict[str, tuple[str, ...]] = {**TAKES, "email": ("subject", "body"), "push": ()}

# The names of fields that are called otherwise in the API, and of channels.
FIELDS = {"preheader": "preheader_text", "sender_id": "from_id", "method": "request_method"}
TYPES = {"sms": "twilio"}

FIND_OUT = "Do not make it again yet: call list_newsletters to see whether it is there."
LOOK = "Do not add it again yet: call get_newsletter with newsletter_id={} to see whether it is there."


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    if nested := [name for name, value in values.items() if isinstance(value, (dict, list))]:
        message = f"{nested[0]}: must be a string, number or boolean, or null for any value"
        raise ValueError(message)
    return values


Attributes = Annotated[JsonObject, AfterValidator(unguessed), AfterValidator(_plain)]


class NewsletterCreated(Acted):
    """A newsletter that was made as a draft. It sends nothing until send_newsletter does."""

    outcome: Literal["created"] = Field("created", description="The draft exists; send_newsletter sends it.")
    newsletter_id: int
    content_ids: list[int] | None = None
    audience_size: int | None = Field(None, description="People who match the audience now.")
    at_least: bool | None = Field(None, description="true: audience_size is a lower bound.")


async def _would_reach(
    app: AppApi,
    in_segments: list[int] | None,
    not_in_segments: list[int] | None,
    attributes: dict[str, Any] | None,
    not_attributes: dict[str, Any] | None,
) -> Outlook:
    found = await _recipients(in_segments, not_in_segments, attributes, not_attributes).counted(app)
    more = "at least " if found.at_least else ""
    return Outlook(whom=f"a draft for {more}{found.size} people now; it sends nothing by itself")


def _recipients(
    in_segments: list[int] | None,
    not_in_segments: list[int] | None,
    attributes: dict[str, Any] | None,
    not_attributes: dict[str, Any] | None,
) -> NewsletterFilter:
    found = NewsletterFilter(in_segments or (), not_in_segments or (), attributes or {}, not_attributes or {})
    if not found:
        raise InvalidArgument("in_segments: is needed, or attributes or another condition on its audience")
    return found


@tools.writes
@affects(shows=_would_reach)
async def create_newsletter(
    app: AppApi,
    name: Annotated[Line, at_most(190)],
    channel: Channel = "email",
    subject: Line | None = None,
    body: Annotated[Text | None, Field(description="HTML of an email, else text.")] = None,
    in_segments: Annotated[
        Numbers | None, Field(description="Audience: people in any of these segments.")
    ] = None,
    not_in_segments: Annotated[
        Numbers | None, Field(description="Audience: nobody in these segments.")
    ] = None,
    attributes: Annotated[
        Attributes | None, Field(description="Audience: people with these values; null means any value.")
    ] = None,
    not_attributes: Annotated[
        Attributes | None, Field(description="Audience: nobody with these values.")
    ] = None,
    preheader: Line | None = None,
    body_plain: Text | None = None,
    sender_id: Annotated[ObjectId | None, Field(description="Id of a sender identity.")] = None,
    subscription_topic_id: ObjectId | None = None,
    url: Annotated[Https | None, Field(description="Webhooks only: address to call.")] = None,
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] | None = None,
) -> NewsletterCreated:
    """Create a newsletter (one-time send) as a draft, and count its audience. Sends nothing.

    Add languages and A/B variants with add_newsletter_text. Then call preview_message and send_newsletter.
    """
    parts = {
        "subject": subject,
        "body": body,
        "preheader": preheader,
        "body_plain": body_plain,
        "sender_id": sender_id,
        "url": url,
        "method": method,
    }
    text = _text(channel, parts)
    recipients = _recipients(in_segments, not_in_segments, attributes, not_attributes)
    topic = {"subscription_topic_id": subscription_topic_id} if subscription_topic_id else {}
    # Counted first: a segment that does not exist is refused while nothing is made.
    audience = await recipients.counted(app)
    answer = await app.post(
        "/v1/newsletters",
        {"type": TYPES.get(channel, channel), "name": name, "recipients": recipients.filter} | topic | text,
        kind=RequestKind.ONCE,
        if_unknown=FIND_OUT,
    )
    item = Fields(answer).wrapped("newsletter")
    return NewsletterCreated(
        newsletter_id=made(item.whole("id"), "newsletter", FIND_OUT),
        content_ids=item.wholes("content_ids"),
        audience_size=audience.size,
        at_least=audience.at_least or None,
    )


class NewsletterTextAdded(Acted):
    """A newsletter's new language or variant."""

    outcome: Literal["added"] = Field("added", description="Part of the draft now; nothing was sent.")
    newsletter_id: int
    test_group_id: int | None = None
    content_ids: list[int] | None = Field(None, description="All its texts.")


@tools.writes
@affects()
async def add_newsletter_text(
    app: AppApi,
    newsletter_id: ObjectId,
    language: Annotated[
        Line | None, Field(description="Such as fr. Default: the main text of the variant.")
    ] = None,
    test_group: Annotated[
        ItemKey | None, Field(description="For an A/B test: new, or the test_group_id of an earlier call.")
    ] = None,
    subject: Line | None = None,
    body: Text | None = None,
    preheader: Line | None = None,
    body_plain: Text | None = None,
) -> NewsletterTextAdded:
    """Add a language, or a variant for an A/B test, to a draft newsletter (one-time send). Sends nothing."""
    given = {"subject": subject, "body": body, "preheader_text": preheader, "body_plain": body_plain}
    text = {name: value for name, value in given.items() if value is not None}
    if language is None and test_group is None:
        raise InvalidArgument("language: is needed, or test_group")
    if not subject and not body:
        raise InvalidArgument("body: is needed")
    if not (test_group is None or test_group == "new" or test_group.isdecimal()):
        raise InvalidArgument("test_group: must be new, or the number of a group")
    find_out = LOOK.format(newsletter_id)
    ids: dict[str, Any] = {"newsletter_id": newsletter_id}
    path = "/v1/newsletters/{newsletter_id}"
    group = None
    if test_group == "new":
        await app.post(f"{path}/test_groups", {}, kind=RequestKind.ONCE, if_unknown=find_out, **ids)
        group = await _empty_group(app, newsletter_id, find_out)
    elif test_group is not None:
        group = int(test_group)
    if group is not None:
        path, ids = f"{path}/test_group/{{test_group_id}}", ids | {"test_group_id": group}
    # Assumed from the reference of 2026-11: an empty language stands for a group's default text.
    answer = await app.post(
        f"{path}/language",
        {"language": language or ""} | text,
        kind=RequestKind.ONCE,
        if_unknown=find_out,
        **ids,
    )
    return NewsletterTextAdded(
        newsletter_id=newsletter_id,
        test_group_id=group,
        content_ids=Fields(answer).wrapped("newsletter").wholes("content_ids"),
    )


async def _empty_group(app: AppApi, newsletter_id: int, find_out: str) -> int:
    """Return the test group that has no texts yet, which is the new one."""
    path = "/v1/newsletters/{newsletter_id}/test_groups"
    groups = Fields(await app.get(path, newsletter_id=newsletter_id)).listed("test_groups")
    empty = [group.whole("id") for group in groups if not group.wholes("content_ids")]
    return made(empty[-1] if empty else None, "test group", find_out)


def _text(channel: Channel, parts: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a text of a channel; raises InvalidArgument."""
    check_fit(f"channel={channel}", parts, TAKES[channel])
    if missing := [name for name in NEEDS[channel] if parts[name] is None]:
        raise InvalidArgument(f"{', '.join(missing)}: needed for channel={channel}")
    if channel == "push" and parts["subject"] is parts["body"]:
        raise InvalidArgument("subject, body: a push needs one of them")
    return {FIELDS.get(name, name): value for name, value in parts.items() if value is not None}
