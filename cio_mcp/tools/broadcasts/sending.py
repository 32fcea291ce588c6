"""Triggering a broadcast."""

from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError, ValidationInfo

from cio_mcp.client import AppApi, RequestKind
from cio_mcp.errors import InvalidArgument
from cio_mcp.limits import TRIGGER_BYTES
from cio_mcp.toolkit.answers.reading import Fields, made
from cio_mcp.toolkit.answers.shapes import Acted
from cio_mcp.toolkit.arguments.addresses import OneAddress, parsed_address
from cio_mcp.toolkit.arguments.lists import Addresses, Objects, People
from cio_mcp.toolkit.arguments.sizes import excess
from cio_mcp.toolkit.arguments.types import (
    CustomerKey,
    JsonObject,
    Line,
    Naming,
    ObjectId,
    at_most,
)
from cio_mcp.toolkit.people.audience import Audience, MessageSetup, of_filter, reaches
from cio_mcp.toolkit.people.filters import Filter
from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.toolkit.texts.words import AllowMissing, Sending

tools = Toolbox(__name__)

# App API, "triggerBroadcast": the flags that each form of audience takes. The API refuses any other.
FLAGS = {
    "ids": {"id_ignore_missing"},
    "emails": {"email_ignore_missing", "email_add_duplicates"},
    "per_user_data": {"id_ignore_missing", "email_ignore_missing", "email_add_duplicates"},
    "data_file_url": {"id_ignore_missing", "email_ignore_missing", "email_add_duplicates"},
    "recipients": set[str](),
}

FIND_OUT = (
    "Do not trigger it again yet: first call list_broadcast_triggers with broadcast_id={broadcast_id} to see "
    "whether there is a run with the time of this call."
)

# Only the run's own endpoint tells whether it failed (App API, "broadcastErrors").
FOLLOW = (
    "Call get_broadcast_trigger with broadcast_id={broadcast_id} and trigger_id={trigger_id}: only that "
    "tells whether the run failed."
)

# Customer.io's documentation, "Message sending behavior": the messages' own setting counts.
IF_UNSUBSCRIBED = "they are skipped, unless the message is set to go to unsubscribed people too"

_WHO = {"id": TypeAdapter[str](CustomerKey), "email": TypeAdapter[str](OneAddress)}


def _entries(entries: list[Any]) -> list[Any]:
    if not 0 < len(entries) <= 10_000:
        message = f"1 to 10000 entries are allowed; these are {len(entries)}"
        raise ValueError(message)
    return entries


def _parsed(addresses: list[str]) -> list[str]:
    return [parsed_address(address) for address in addresses]


def _per_user(entries: list[dict[str, Any]], asked: ValidationInfo) -> list[dict[str, Any]]:
    found = []
    for number, entry in enumerate(entries):
        kind = "id" if "id" in entry else "email"
        if len({"id", "email"} & entry.keys()) != 1 or not isinstance(entry.get("data", {}), dict):
            message = f'entry {number}: must have "id" or "email", not both; "data" must be an object'
            raise ValueError(message)
        try:
            who = _WHO[kind].validate_python(entry[kind], context=asked.context)
        except ValidationError:
            message = f"entry {number}: {kind} must identify a person"
            raise ValueError(message) from None
        found.append(entry | {kind: who})
    return found


Emails = Annotated[Addresses, AfterValidator(_parsed), AfterValidator(_entries)]
Ids = Annotated[People, AfterValidator(_entries)]
TriggerData = Annotated[JsonObject, at_most(50_000)]
PerUserData = Annotated[
    Objects,
    AfterValidator(_entries),
    AfterValidator(_per_user),
    Field(description='Audience with data for each: [{"email" or "id": ..., "data": {...}}].'),
]


class Triggered(Acted):
    """A new run of a broadcast, which Customer.io processes in the background."""

    outcome: Literal["triggered"] = Field(
        "triggered", description="Customer.io accepted the run and now processes the audience; it can fail."
    )
    broadcast_id: int
    trigger_id: int = Field(description="Number of the run; each broadcast counts its own.")
    next: str = Field(description="What to do next.")


async def _reached(
    app: AppApi,
    broadcast_id: int,
    emails: list[str] | None,
    ids: list[str] | None,
    recipients: dict[str, Any] | None,
    per_user_data: list[dict[str, Any]] | None,
    data_file_url: str | None,
    id_ignore_missing: bool,
    email_ignore_missing: bool,
    email_add_duplicates: bool,
    data: dict[str, Any] | None,
) -> Audience:
    entries = per_user_data or []
    addresses = emails or [str(entry["email"]) for entry in entries if "email" in entry]
    people = ids or [str(entry["id"]) for entry in entries if "id" in entry]
    if addresses or people:
        found = Audience(
            "the people listed in the call",
            len(addresses) + len(people),
            at_least=email_add_duplicates and bool(addresses),  # several profiles can share an address
            addresses=addresses,
            people={"id": people},
            profiles=True,
        )
    elif recipients:
        found = Audience(
            "customers who match the filter", chosen_by=recipients, count=lambda: of_filter(app, recipients)
        )
    elif data_file_url:
        found = Audience(
            "everybody in the file, whose number is not known in advance", chosen_by=data_file_url
        )
    else:
        found = Audience("the audience set in Customer.io, which its API cannot count")

    skipped = {"id": id_ignore_missing, "email": email_ignore_missing}
    kinds = {id_type for id_type, _ in found.customers}
    ignored = all(skipped[id_type] for id_type in kinds)

    async def template() -> MessageSetup:
        named = await app.get("/v1/broadcasts/{broadcast_id}", broadcast_id=broadcast_id)
        name = Fields(named).wrapped("broadcast").text("name")
        return MessageSetup(f"broadcast {broadcast_id}", name or "")

    own = [(data or {}) | (entry.get("data") or {}) for entry in entries] or [data or {}]
    content = Sending(
        "broadcast",
        broadcast_id,
        sets=None if data_file_url else own,
        whose=[str(entry.get("id") or entry.get("email")) for entry in entries],
        argument="data, per_user_data" if entries else "data",
    )
    if_unknown = "they are skipped" if ignored else "the whole run would fail"
    return replace(
        found, template=template, content=content, if_unknown=if_unknown, if_unsubscribed=IF_UNSUBSCRIBED
    )


@tools.sends
@reaches(_reached)
async def trigger_broadcast(
    app: AppApi,
    broadcast_id: ObjectId,
    emails: Annotated[Emails | None, Field(description="Audience: up to 10,000 addresses.")] = None,
    ids: Annotated[Ids | None, Field(description="Audience: up to 10,000 customer ids.")] = None,
    recipients: Annotated[
        Filter | None,
        Field(description='Audience: filter of search_customers, such as {"segment": {"id": 7}}.'),
    ] = None,
    per_user_data: PerUserData | None = None,
    data_file_url: Annotated[
        Annotated[Line, Naming] | None,
        Field(description="Audience: URL of JSON Lines: {id or email, data}."),
    ] = None,
    data: Annotated[
        TriggerData | None,
        Field(description='{"city": "Oslo"} fills {{trigger.city}} where per_user_data has none.'),
    ] = None,
    email_ignore_missing: Annotated[bool, Field(description="Skip unknown addresses.")] = False,
    email_add_duplicates: Annotated[bool, Field(description="Send to each profile of an address.")] = False,
    id_ignore_missing: Annotated[bool, Field(description="Skip unknown ids.")] = False,
    allow_missing: AllowMissing = False,  # noqa: ARG001 - the guard heeds it
) -> Triggered:
    """Send an API-triggered broadcast to many people at once.

    Give one audience, or none for the one set in Customer.io. An unknown person fails the whole run unless
    email_ignore_missing or id_ignore_missing is set. Then call get_broadcast_trigger: only that tells whether
    it failed. For one person use send_transactional_email.
    """
    forms = {
        "emails": emails,
        "ids": ids,
        "recipients": recipients,
        "per_user_data": per_user_data,
        "data_file_url": data_file_url,
    }
    audience = {form: value for form, value in forms.items() if value}
    if len(audience) > 1:
        raise InvalidArgument(f"{', '.join(audience)}: give one audience, not {len(audience)}")
    flags = {
        "email_ignore_missing": email_ignore_missing,
        "email_add_duplicates": email_add_duplicates,
        "id_ignore_missing": id_ignore_missing,
    }
    form = next(iter(audience), "recipients")
    if misfit := [flag for flag, on in flags.items() if on and flag not in FLAGS[form]]:
        fitting = f"takes only {' and '.join(sorted(FLAGS[form]))}" if FLAGS[form] else "takes no flags"
        raise InvalidArgument(f"{', '.join(misfit)}: not allowed with this audience, which {fitting}")
    if per_user_data and data:
        # The API does not say which of both counts where both have a key, so each person gets one set.
        whole = [entry | {"data": data | (entry.get("data") or {})} for entry in per_user_data]
        audience, data = {"per_user_data": whole}, None
    body = audience | {flag: True for flag, on in flags.items() if on} | ({"data": data} if data else {})
    if why := excess(body, TRIGGER_BYTES):
        raise InvalidArgument(f"{form}: in all {why}")
    find_out = FIND_OUT.format(broadcast_id=broadcast_id)
    answer = await app.post(
        "/v1/campaigns/{broadcast_id}/triggers",
        body,
        kind=RequestKind.TRIGGER,
        if_unknown=find_out,
        broadcast_id=broadcast_id,
    )
    trigger_id = made(Fields(answer).wrapped("trigger").whole("id"), "id", find_out)
    run = {"broadcast_id": broadcast_id, "trigger_id": trigger_id}
    return Triggered(**run, next=FOLLOW.format(**run))
