"""Whom a finished request reaches, read from its body, and whether that is what was approved.

This is the one place that knows, for each route which can reach people, what every field of a body does. A
field that it does not know could name recipients, so a request with one does not leave.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from cio_mcp.client.call import Outgoing
from cio_mcp.errors import NotAllowed
from cio_mcp.safety.tool_call import ToolCall
from cio_mcp.toolkit.arguments.addresses import THEIR_OWN, recipients
from cio_mcp.toolkit.arguments.headers import check_headers
from cio_mcp.toolkit.people.audience import DEVICE, OWN_NUMBER, Audience, as_set_there, push_targets
from cio_mcp.toolkit.registry import Effect

# Somebody whom a request reaches: how they are named, and the name.
Reached = tuple[str, str]
Reader = Callable[[Any], Iterable[Reached]]


def _addresses(text: str) -> Iterator[Reached]:
    for recipient in recipients(text):
        if not THEIR_OWN.fullmatch(recipient.address):
            yield "address", recipient.address


def _blind_copies(text: str) -> Iterator[Reached]:
    yield "blind copies", ""
    yield from _addresses(text)


def _people(identifiers: Mapping[str, Any]) -> Iterator[Reached]:
    yield from ((id_type, str(name)) for id_type, name in identifiers.items())


def _number(text: str) -> Iterator[Reached]:
    if not OWN_NUMBER.fullmatch(text):
        yield "address", text


def _device(token: str) -> Iterator[Reached]:
    yield "address", DEVICE + token


def _new_device(device: Mapping[str, Any]) -> Iterator[Reached]:
    return _device(str(device["token"]))


def _payload(payload: Any) -> Iterator[Reached]:
    """Yield nobody; raises ValueError for a field of a push service that names recipients."""
    for part in payload.values():
        if found := push_targets(part):
            raise ValueError(found[0])
    yield from ()


def _headers(headers: dict[str, Any]) -> Iterator[Reached]:
    """Yield nobody; raises ValueError for a header that names people or routes."""
    check_headers(headers)
    yield from ()


def _per_user(entries: Iterable[Mapping[str, Any]]) -> Iterator[Reached]:
    for entry in entries:
        if unknown := entry.keys() - {"id", "email", "data"}:
            raise ValueError(min(unknown))
        yield from (("address" if name == "email" else name, entry[name]) for name in entry.keys() - {"data"})


def _audience(value: object) -> Iterator[Reached]:
    yield "audience", as_set_there(value)


def _event_data(data: Mapping[str, Any]) -> Iterator[Reached]:
    if "recipient" in data:
        yield from _addresses(data["recipient"])


def _operations(operations: Iterable[Mapping[str, Any]]) -> Iterator[Reached]:
    """Yield whom operations of Track v2 reach; raises ValueError for a field that none of them has."""
    for operation in operations:
        if unknown := operation.keys() - OPERATION:
            raise ValueError(min(unknown))
        if operation["action"] in EVENTS and (data := operation.get("attributes")):
            yield from _event_data(data)


def _nobody(_: object) -> Iterator[Reached]:
    yield from ()


def _fields(names: str, **readers: Reader) -> dict[str, Reader]:
    return dict.fromkeys(names.split(), _nobody) | readers


_MESSAGE = _fields(
    "transactional_message_id message_data language send_at send_to_unsubscribed tracked from "
    "disable_message_retention queue_draft auto_create",
    identifiers=_people,
)
_EMAIL = _fields(
    "subject body body_plain body_amp preheader reply_to fake_bcc attachments disable_css_preprocessing",
    to=_addresses,
    cc=_addresses,
    bcc=_blind_copies,
    headers=_headers,
)
_PUSH = _fields(
    "title message image_url link sound custom_data",
    to=_device,
    custom_device=_new_device,
    custom_payload=_payload,
)
_BROADCAST = _fields(
    "data email_ignore_missing email_add_duplicates id_ignore_missing",
    emails=lambda emails: (("address", email) for email in emails),
    ids=lambda ids: (("id", name) for name in ids),
    per_user_data=_per_user,
    recipients=_audience,
    data_file_url=_audience,
)

PACE = "scheduled_at timezone tz_match_enabled rate_limit_email_rate rate_limit_time_period rate_limit_spread"

# What each field of a body does, by the end of the path; and what a request without a field reaches.
ROUTES: tuple[tuple[re.Pattern[str], dict[str, Reader], dict[str, Any]], ...] = (
    (re.compile(r"/v1/send/email"), _MESSAGE | _EMAIL, {}),
    (re.compile(r"/v1/send/push"), _MESSAGE | _PUSH, {"to": "all"}),
    (re.compile(r"/v1/send/(sms|whatsapp)"), _MESSAGE | {"to": _number}, {}),
    (re.compile(r"/v1/send/(in_app|inbox_message)"), _MESSAGE, {}),
    (re.compile(r"/v1/campaigns/[^/]+/triggers"), _BROADCAST, {}),
    (re.compile(r"/v1/newsletters/[^/]+/(send|schedule)"), _fields(PACE), {}),
    (
        re.compile(r"/v1/reporting_webhooks(/[^/]+)?"),
        _fields("name events disabled with_content full_resolution", endpoint=_audience),
        {},
    ),
    (
        re.compile(r"/api/v1/(customers/[^/]+/)?events"),
        _fields("name timestamp id type anonymous_id", data=_event_data),
        {},
    ),
    (re.compile(r"/api/v2/(entity|batch)"), {"batch": _operations}, {}),
)

# The fields of an operation of Track v2, and the actions whose attributes are an event's data.
OPERATION = {
    "type",
    "action",
    "identifiers",
    "name",
    "id",
    "timestamp",
    "attributes",
    "cio_relationships",
    "device",
}
EVENTS = {"event", "page", "screen"}

# Routes whose audience is what Customer.io has, unless the body names one; and all that can only send.
_AS_SET = re.compile(r".*(/triggers|/send|/schedule)")
_SENDS = re.compile(rf"/v1/send(/.*)?|{_AS_SET.pattern}")


def check_recipients(call: ToolCall, request: Outgoing | None) -> None:
    """Raise NotAllowed unless the request of a call, if it is known, reaches only the call's audience."""
    if request is None or request.method == "DELETE":
        return
    path = path_of(request.url)
    known = next(((fields, others) for route, fields, others in ROUTES if route.fullmatch(path)), None)
    if known is None:
        if call.tool.effect is Effect.SENDS or _SENDS.fullmatch(path):
            raise _unclear(
                f"this server does not know who {request.method} {path} reaches", "Update cio-mcp."
            )
        return
    body = _without(call.headers, request.body or {})
    extra = _read({"batch": [body]} if path == "/api/v2/entity" else body, *known)
    if not extra and _AS_SET.fullmatch(path):
        extra = {("audience", as_set_there(None))}
    if beyond := extra - _approved(call.audience):
        kinds = ", ".join(sorted({kind for kind, _ in beyond}))
        raise NotAllowed(
            f"Nothing was sent: the request reaches {len(beyond)} recipients beyond those that were approved "
            f"({kinds}).",
            do="Call again for a new preview.",
        )


def _without(allowed: Collection[str], body: dict[str, Any]) -> dict[str, Any]:
    """Return a body without the headers of mail relays that an operator allows."""
    if not allowed or not isinstance(headers := body.get("headers"), dict):
        return body
    return body | {"headers": {name: value for name, value in headers.items() if name.lower() not in allowed}}


def _read(body: Mapping[str, Any], fields: Mapping[str, Reader], others: Mapping[str, Any]) -> set[Reached]:
    reached: set[Reached] = set()
    for name, value in {**others, **body}.items():
        if name not in fields:
            raise _unclear(f"this server does not know who the field {name} reaches", f"Leave out {name}.")
        try:
            reached.update((kind, _bare(kind, who)) for kind, who in fields[name](value))
        except (ValueError, TypeError, KeyError, AttributeError):
            raise _unclear(f"it is unclear who the field {name} reaches", f"Leave out {name}.") from None
    return reached


def _approved(audience: Audience | None) -> set[Reached]:
    if audience is None:
        return set()
    return {
        *(("address", address) for address in audience.addresses),
        *((kind, _bare(kind, name)) for kind, names in audience.people.items() for name in names),
        *((("blind copies", ""),) if audience.blind_copies else ()),
        ("audience", as_set_there(audience.chosen_by)),
    }


def _bare(kind: str, name: str) -> str:
    return name.removeprefix("cio_") if kind == "cio_id" else name


def path_of(url: str) -> str:
    """Return the path of an API's request, without what stands before it at a proxy."""
    path = urlsplit(url).path
    api = re.search(r"/api/v[12]/", path)
    found = path[api.start() if api else max(path.find("/v1/"), 0) :]
    return re.sub("/+", "/", found).rstrip("/")


def _unclear(why: str, do: str) -> NotAllowed:
    return NotAllowed(f"Nothing was sent: {why}.", do=do)
