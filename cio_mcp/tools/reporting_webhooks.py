"""Reporting webhooks: Customer.io tells another service what becomes of each message."""

from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field

from cio_mcp.client import AppApi, RequestKind
from cio_mcp.errors import InvalidArgument
from cio_mcp.toolkit.answers import Acted, Item
from cio_mcp.toolkit.audience import Audience, reaches
from cio_mcp.toolkit.params import Https, Names, ObjectId, Text
from cio_mcp.toolkit.registry import Toolbox

reporting_webhooks = Toolbox("workspace")

# What can be set, as the API names it; what only a person sets: to have what messages say sent along, and
# every open and click.
FIELDS = ("name", "endpoint", "events", "disabled")
KEPT = ("with_content", "full_resolution")

FIND_OUT = "Do not create it again before looking: list_workspace_items of kind reporting_webhook shows."

ON = (
    "For each of these events, about anybody, Customer.io posts who it is about and their address to the "
    "endpoint, until the webhook is disabled or deleted."
)
WITH_CONTENT = " What the message said goes with it."
OFF = "It is disabled: nothing is posted."


class Webhook(Item):
    """One reporting webhook. Its signing key is never told."""

    endpoint: str = Field(description="Without what may be a secret in it: name, password and query.")
    events: list[str]
    disabled: bool
    with_content: bool = Field(description="Whether sent events hold what the message said.")
    full_resolution: bool = Field(description="Whether repeated opens and clicks count.")


class WebhookSet(Acted):
    """The webhook as it is now."""

    outcome: Literal["set"] = Field("set", description="It is there, and so from now on.")
    webhook: Webhook
    means: str = Field(description="What it does.")


async def _reached(endpoint: str | None, disabled: bool | None) -> Audience:
    if disabled and endpoint is None:
        return Audience("nobody: the webhook is off", 0)
    # An endpoint that is set while the webhook is off is told of events once somebody turns it on.
    host = urlsplit(endpoint).hostname if endpoint else "the webhook's endpoint"
    return Audience(f"{host}, which is told of each event and whom it is about, until the webhook is off")


# A webhook sends personal data to an address of the caller's choice, again and again: it is bound as sends
# are, by permission, confirmation, allow list and caps, though nobody gets a message.
@reporting_webhooks.sends
@reaches(_reached)
async def set_reporting_webhook(
    app: AppApi,
    webhook_id: ObjectId | None = None,
    name: Text | None = None,
    endpoint: Https | None = None,
    events: Annotated[Names | None, Field(description="email_sent, ...")] = None,
    disabled: bool | None = None,
) -> WebhookSet:
    """Set a webhook that posts events, with people's data, to an https endpoint."""
    given = zip(FIELDS, (name, endpoint, events, disabled), strict=True)
    wanted = {field: value for field, value in given if value is not None}
    if webhook_id is None:
        if missing := [field for field in FIELDS[:3] if field not in wanted]:
            raise InvalidArgument(f"{', '.join(missing)}: needed for a new webhook")
        answer = await app.post(
            "/v1/reporting_webhooks", wanted, kind=RequestKind.ONCE, if_unknown=FIND_OUT, expect="id"
        )
    else:
        body = await _stored(app, webhook_id, wanted) | wanted
        changed = await app.put("/v1/reporting_webhooks/{webhook_id}", body, webhook_id=webhook_id)
        answer = {"id": webhook_id} | body | changed
    webhook = told_webhook(answer)
    means = OFF if webhook.disabled else ON + WITH_CONTENT * webhook.with_content
    return WebhookSet(webhook=webhook, means=means)


async def _stored(app: AppApi, webhook_id: int, wanted: dict[str, Any]) -> dict[str, Any]:
    """Return a webhook's settings: the API takes all of them at once."""
    if not wanted:
        raise InvalidArgument(f"{', '.join(FIELDS)}: name what to change")
    found = await app.get("/v1/reporting_webhooks/{webhook_id}", webhook_id=webhook_id)
    stored = {field: found[field] for field in (*FIELDS, *KEPT) if field in found}
    if "endpoint" not in wanted and _shown(endpoint := str(stored.get("endpoint"))) != endpoint:
        raise InvalidArgument(
            "endpoint: give it too, as the one that is set may hold a secret; or stop the webhook with "
            "delete_workspace_item"
        )
    return stored


def _shown(endpoint: str) -> str:
    """Return an endpoint without the parts in which services like to have secrets."""
    parts = urlsplit(endpoint)
    shown = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="")
    return shown.geturl() + ("?…" if parts.query else "")


def told_webhook(item: dict[str, Any]) -> Webhook:
    """Return a webhook as it is listed."""
    return Webhook(
        id=int(item["id"]),
        name=str(item.get("name") or ""),
        endpoint=_shown(str(item.get("endpoint") or "")),
        events=item.get("events") or [],
        disabled=item.get("disabled") is True,
        with_content=item.get("with_content") is True,
        full_resolution=item.get("full_resolution") is True,
    )
