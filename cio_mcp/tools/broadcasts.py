"""API-triggered broadcasts: one message to many, now."""

from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationInfo

from cio_mcp.client import AppApi, RequestKind
from cio_mcp.errors import InvalidArgument
from cio_mcp.toolkit.answers import Acted, Page, Shape, page, state_of
from cio_mcp.toolkit.audience import Audience, of_filter, reaches
from cio_mcp.toolkit.params import (
    CountCursor,
    Filter,
    JsonObject,
    ObjectId,
    People,
    Text,
    from_json,
    iso,
    meant,
    size_of,
)
from cio_mcp.toolkit.registry import Toolbox

broadcasts = Toolbox("broadcasts")

# App API, "triggerBroadcast": which flags each form of audience takes. Any other flag is refused there.
FLAGS = {
    "ids": {"id_ignore_missing"},
    "emails": {"email_ignore_missing", "email_add_duplicates"},
    "per_user_data": {"id_ignore_missing", "email_ignore_missing", "email_add_duplicates"},
    "data_file_url": {"id_ignore_missing", "email_ignore_missing", "email_add_duplicates"},
    "recipients": set[str](),
}

FIND_OUT = (
    "Do not trigger it again before looking: list_broadcast_triggers with broadcast_id={broadcast_id} "
    "shows, by their times, whether this one is among them."
)


class Broadcast(Shape):
    """One API-triggered broadcast, in short."""

    id: int
    name: str
    state: str | None = Field(None, description="running, draft or stopped.")
    type: str | None = None
    actions: int = Field(0, description="How many messages and other actions it has.")
    tags: list[str] = []
    first_started: str | None = None
    updated: str | None = None


class Broadcasts(Page):
    """Broadcasts, newest first."""

    broadcasts: list[Broadcast]


@broadcasts.reads
async def list_broadcasts(
    app: AppApi,
    broadcast_id: Annotated[ObjectId | None, Field(description="Only this one.")] = None,
    cursor: CountCursor | None = None,
) -> Broadcasts:
    """List API-triggered broadcasts, newest first. Each run of one is a trigger: list_broadcast_triggers."""
    if broadcast_id is not None:
        answer = await app.get("/v1/broadcasts/{broadcast_id}", broadcast_id=broadcast_id)
        return Broadcasts(broadcasts=[_broadcast(answer.get("broadcast") or {})])
    # The endpoint takes no parameters and answers everything at once (App API, listBroadcasts).
    answer = await app.get("/v1/broadcasts")
    found = [
        _broadcast(item)
        for item in sorted(answer.get("broadcasts") or [], key=lambda item: int(item["id"]), reverse=True)
        if cursor is None or int(item["id"]) < cursor
    ]
    kept, left_out = page(found, len(found))
    return Broadcasts(broadcasts=kept, next_cursor=str(kept[-1].id) if left_out else None, left_out=left_out)


def _broadcast(item: dict[str, Any]) -> Broadcast:
    return Broadcast(
        id=int(item["id"]),
        name=str(item.get("name") or ""),
        state=state_of(item),
        type=item.get("type"),
        actions=len(item.get("actions") or []),
        tags=item.get("tags") or [],
        first_started=iso(item.get("first_started")),
        updated=iso(item.get("updated")),
    )


def _entries(entries: list[Any]) -> list[Any]:
    if not 0 < len(entries) <= 10_000:
        message = f"1 to 10000 entries are allowed, these are {len(entries)}"
        raise ValueError(message)
    return entries


def _per_user(entries: list[dict[str, Any]], asked: ValidationInfo) -> list[dict[str, Any]]:
    for number, entry in enumerate(entries):
        if len({"id", "email"} & entry.keys()) != 1 or not isinstance(entry.get("data", {}), dict):
            message = f"entry {number}: must be {{id or email, data: {{...}}}}"
            raise ValueError(message)
    who = {"id", "email"}
    return [
        {name: meant(value, asked) if name in who else value for name, value in entry.items()}
        for entry in entries
    ]


def _trigger_data(data: dict[str, Any]) -> dict[str, Any]:
    if (size := size_of(data)) > 50_000:
        message = f"at most 50000 bytes are allowed, this is {size}"
        raise ValueError(message)
    return data


Entries = Annotated[People, AfterValidator(_entries)]
TriggerData = Annotated[JsonObject, AfterValidator(_trigger_data)]
PerUserData = Annotated[
    list[dict[str, Any]],
    from_json(list),
    AfterValidator(_entries),
    AfterValidator(_per_user),
    Field(description="List of {id or email, data: {...}}, for data of each person's own."),
]


class Triggered(Acted):
    """Customer.io took the trigger; it sends in the background."""

    outcome: Literal["triggered"] = Field(
        "triggered", description="Taken by Customer.io, which now works through the audience."
    )
    broadcast_id: int
    trigger_id: int = Field(description="Counts this broadcast's triggers.")


async def _reached(
    app: AppApi,
    broadcast_id: int,
    emails: list[str] | None,
    ids: list[str] | None,
    recipients: dict[str, Any] | None,
    per_user_data: list[dict[str, Any]] | None,
    data_file_url: str | None,
) -> Audience:
    entries = per_user_data or []
    addresses = emails or [str(entry["email"]) for entry in entries if "email" in entry]
    people = ids or [str(entry["id"]) for entry in entries if "id" in entry]
    if addresses or people:
        size = len(addresses) + len(people)
        found = Audience("whom the call lists", size, addresses=addresses, people={"id": people})
    elif recipients:
        found = Audience("who fits the filter", count=lambda: of_filter(app, recipients))
    elif data_file_url:
        found = Audience("everybody in the file, which cannot be counted before")
    else:
        found = Audience("the audience set in Customer.io, which its API cannot count")

    async def template() -> str:
        answer = await app.get("/v1/broadcasts/{broadcast_id}", broadcast_id=broadcast_id)
        return f"broadcast {broadcast_id}: {(answer.get('broadcast') or {}).get('name')}"

    return replace(found, template=template)


@broadcasts.sends
@reaches(_reached)
async def trigger_broadcast(
    app: AppApi,
    broadcast_id: ObjectId,
    emails: Annotated[Entries | None, Field(description="Audience: these addresses.")] = None,
    ids: Annotated[Entries | None, Field(description="Audience: these customer ids.")] = None,
    recipients: Annotated[
        Filter | None,
        Field(
            description='Audience: a filter, such as {"segment": {"id": 7}} or {"and": [...]} '
            'over segment and {"attribute": {"field", "operator": "eq" or "exists", "value"}}.'
        ),
    ] = None,
    per_user_data: PerUserData | None = None,
    data_file_url: Annotated[
        Text | None, Field(description="Audience: a JSON Lines file, a person a line.")
    ] = None,
    data: Annotated[
        TriggerData | None, Field(description="Values for {{trigger.name}} in the message.")
    ] = None,
    email_ignore_missing: Annotated[
        bool, Field(description="Skip unknown addresses instead of failing.")
    ] = False,
    email_add_duplicates: Annotated[
        bool, Field(description="Send to all profiles that share an address.")
    ] = False,
    id_ignore_missing: Annotated[bool, Field(description="Skip unknown ids instead of failing.")] = False,
) -> Triggered:
    """Send an API-triggered broadcast to many people at once. For one person use send_transactional_email.

    Name one audience, or none for the audience set in Customer.io. At most once in 10 s per broadcast.
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
        raise InvalidArgument(f"{', '.join(audience)}: name one audience, not {len(audience)}")
    flags = {
        "email_ignore_missing": email_ignore_missing,
        "email_add_duplicates": email_add_duplicates,
        "id_ignore_missing": id_ignore_missing,
    }
    form = next(iter(audience), "recipients")
    if misfit := [flag for flag, on in flags.items() if on and flag not in FLAGS[form]]:
        fitting = f"takes {' and '.join(sorted(FLAGS[form]))}" if FLAGS[form] else "takes no flags"
        raise InvalidArgument(f"{', '.join(misfit)}: does not fit; this audience {fitting}")
    body = audience | {flag: True for flag, on in flags.items() if on} | ({"data": data} if data else {})
    if (size := size_of(body)) > 25_000_000:
        raise InvalidArgument(f"{form}: at most 25 MB are allowed in all, this is {size} bytes")
    answer = await app.post(
        "/v1/campaigns/{broadcast_id}/triggers",
        body,
        kind=RequestKind.TRIGGER,
        if_unknown=FIND_OUT.format(broadcast_id=broadcast_id),
        expect="id",
        broadcast_id=broadcast_id,
    )
    return Triggered(broadcast_id=broadcast_id, trigger_id=answer["id"])
