"""Reporting webhooks, through which Customer.io reports message events to another service."""

from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field

from cio_mcp.client import AppApi, RequestKind
from cio_mcp.errors import InvalidArgument
from cio_mcp.toolkit.answers.quoting import ascii_host
from cio_mcp.toolkit.answers.reading import Fields, made, needed
from cio_mcp.toolkit.answers.shapes import Acted, Item
from cio_mcp.toolkit.arguments.lists import Words
from cio_mcp.toolkit.arguments.types import Https, Line, ObjectId
from cio_mcp.toolkit.people.audience import Audience, reaches
from cio_mcp.toolkit.people.consequences import Consequence, affects
from cio_mcp.toolkit.registry import Toolbox

tools = Toolbox(__name__)

# The fields that tools set, under the API's names, and those that only a person may set: whether events
# include the message's content, and whether every open and click is reported.
FIELDS = ("name", "endpoint", "events", "disabled")
KEPT = ("with_content", "full_resolution")

FIND_OUT = (
    "Do not create it again yet: first call list_workspace_items with kind=reporting_webhook to see whether "
    "it exists."
)

ON = (
    "For each of these events, whoever it is about, Customer.io posts the person's identifiers and address "
    "to the endpoint, until the webhook is disabled or deleted."
)
WITH_CONTENT = " The message's content is included."
OFF = "The webhook is disabled: nothing is posted."


class Webhook(Item):
    """A reporting webhook, without its signing key."""

    endpoint: str | None = Field(
        None, description="URL, without user name, password and query, which may be secret."
    )
    events: list[str] | None = None
    disabled: bool | None = None
    with_content: bool | None = Field(None, description="Whether events include the message's content.")
    full_resolution: bool | None = Field(None, description="Whether repeated opens and clicks are reported.")


class WebhookSet(Acted):
    """A saved reporting webhook."""

    outcome: Literal["set"] = Field("set", description="Configured as shown.")
    webhook: Webhook
    means: str = Field(description="What the webhook does now.")


async def _reached(
    app: AppApi, webhook_id: int | None, endpoint: str | None, disabled: bool | None
) -> Audience:
    where = endpoint
    if where is None and webhook_id is not None:
        answer = Fields(await app.get("/v1/reporting_webhooks/{webhook_id}", webhook_id=webhook_id))
        where = needed(_webhook(answer).text("endpoint"), "endpoint")
    if disabled and endpoint is None:
        return Audience("nobody: the webhook is disabled", 0, chosen_by=where)
    # Even a disabled webhook counts if its endpoint is set: events go there once somebody enables it.
    host = ascii_host(urlsplit(where or "").hostname or "")
    return Audience(
        f"{host}, which receives each event and the person's data until the webhook is disabled",
        chosen_by=where,
    )


# A webhook repeatedly sends personal data to an address that the caller chooses. So, although nobody receives
# a message, it is restricted like a send: by permission, confirmation, allow list and caps.
@tools.sends
@reaches(_reached)
@affects(Consequence.WEBHOOKS)
async def set_reporting_webhook(
    app: AppApi,
    webhook_id: Annotated[ObjectId | None, Field(description="Default: create a new webhook.")] = None,
    name: Line | None = None,
    endpoint: Https | None = None,
    events: Annotated[Words | None, Field(description='Such as ["email_sent"].')] = None,
    disabled: Annotated[bool | None, Field(description="true: post nothing.")] = None,
) -> WebhookSet:
    """Create or change a reporting webhook, which posts events with people's data to an https endpoint.

    A new one needs name, endpoint and events. list_workspace_items lists those that exist.
    """
    given = zip(FIELDS, (name, endpoint, events, disabled), strict=True)
    wanted = {field: value for field, value in given if value is not None}
    if webhook_id is None:
        if missing := [field for field in FIELDS[:3] if field not in wanted]:
            raise InvalidArgument(f"{', '.join(missing)}: required for a new webhook")
        body = wanted
        answer = Fields(
            await app.post("/v1/reporting_webhooks", body, kind=RequestKind.ONCE, if_unknown=FIND_OUT)
        )
        made(_webhook(answer).whole("id"), "id", FIND_OUT)
    else:
        body = {"id": webhook_id} | await _stored(app, webhook_id, wanted) | wanted
        put = {field: value for field, value in body.items() if field != "id"}
        path = "/v1/reporting_webhooks/{webhook_id}"
        answer = Fields(await app.put(path, put, webhook_id=webhook_id))
    # What the answer does not tell is as it was sent.
    told = told_webhook(_webhook(answer)).model_dump(exclude_none=True)
    webhook = told_webhook(Fields(body)).model_copy(update=told)
    means = OFF if webhook.disabled else ON + (WITH_CONTENT if webhook.with_content else "")
    return WebhookSet(webhook=webhook, means=means)


def _webhook(answer: Fields) -> Fields:
    """Return the webhook in an answer, which has no envelope by the documents."""
    return answer.wrapped("reporting_webhook")


async def _stored(app: AppApi, webhook_id: int, wanted: dict[str, Any]) -> dict[str, Any]:
    """Return a webhook's settings, since an update must contain all of them."""
    if not wanted:
        raise InvalidArgument(f"{', '.join(FIELDS)}: give at least one to change")
    found = _webhook(Fields(await app.get("/v1/reporting_webhooks/{webhook_id}", webhook_id=webhook_id)))
    stored = {
        "name": found.text("name"),
        "endpoint": found.text("endpoint"),
        "events": found.texts("events"),
        **{field: found.flag(field) for field in ("disabled", *KEPT)},
    }
    # The update would change what is not known of it.
    for field in stored.keys() - wanted.keys():
        needed(stored[field], field)
    endpoint = found.text("endpoint") or ""
    if "endpoint" not in wanted and _shown(endpoint) != endpoint:
        raise InvalidArgument(
            "endpoint: is required too, since the current one may contain a secret; to stop the webhook "
            "without it use delete_workspace_item"
        )
    return stored


def _shown(endpoint: str) -> str | None:
    """Return an endpoint without the parts that often contain secrets; None if they cannot be told apart."""
    try:
        parts = urlsplit(endpoint)
    except ValueError:
        return None
    shown = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="")
    return (shown.geturl() + ("?…" if parts.query else "")) or None


def told_webhook(item: Fields) -> Webhook:
    """Return a webhook as it is listed."""
    return Webhook(
        id=item.whole("id"),
        name=item.text("name"),
        endpoint=_shown(item.text("endpoint") or ""),
        events=item.texts("events"),
        disabled=item.flag("disabled"),
        with_content=item.flag("with_content"),
        full_resolution=item.flag("full_resolution"),
    )
