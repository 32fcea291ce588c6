"""Attempts to reach somebody whom the allow list leaves out: nothing leaves, or exactly what was approved."""

import json
from typing import Any

import httpx
import pytest
from mcp import Client

from cio_mcp.app.build import build
from cio_mcp.client.call import Outgoing
from cio_mcp.errors import NotAllowed, SettingsError
from cio_mcp.safety.recipients import check_recipients
from cio_mcp.safety.tool_call import ToolCall
from cio_mcp.server.server import Server
from cio_mcp.settings import load
from cio_mcp.toolkit.people.audience import Audience
from cio_mcp.toolkit.registry import Effect, Tool
from cio_mcp.tools.every import TOOLS
from tests.agent import Caller, an_agent

pytestmark = pytest.mark.anyio

PEOPLE = {
    "u_1": {"email": "ada@example.com", "phone": "+4930123456"},
    "u_2": {"email": "boss@corp.example", "phone": "+15551234567"},
    "u_3": {"email": "eve@example.com"},
}
DEVICES = {"u_3": [{"id": "token", "platform": "ios", "last_used": 1_759_179_716}]}
ALLOWED = "example.com, business.com, +4930*, +4989777"
EMAIL: dict[str, Any] = {"customer_id": "u_1", "transactional_message_id": 1}
SMS = EMAIL | {"channel": "sms"}
PUSH = EMAIL | {"channel": "push"}
NOON = 1_780_056_000


WEBHOOK = {
    "id": 1,
    "name": "n",
    "endpoint": "https://example.com",
    "events": ["email_sent"],
    "disabled": False,
    "full_resolution": False,
    "with_content": False,
}


class Upstream:
    """An App API that finds customers by ids that are nearly theirs, and keeps what it was asked to send."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content or "{}")
        if request.url.path == "/v1/customers/attributes":
            near = {str(name).strip().lower() for name in body["ids"]}
            found = [
                {
                    "identifiers": {"id": name},
                    "attributes": {"id": name} | attributes,
                    "devices": DEVICES.get(name, []),
                }
                for name, attributes in PEOPLE.items()
                if name in near
            ]
            return httpx.Response(200, json={"customers": found})
        if request.method == "GET":
            return httpx.Response(200, json={"broadcast": {"name": "Offer"}, "count": 3} | WEBHOOK)
        if request.url.path == "/v1/customers":
            return httpx.Response(200, json={"identifiers": [], "next": ""})
        self.sent.append(body)
        return httpx.Response(200, json={"delivery_id": "d", "id": 1})


async def attempt(tool: str, arguments: dict[str, Any], allowed: str = ALLOWED) -> list[dict[str, Any]]:
    """Return what has left for a call."""
    upstream = Upstream()
    environ = {
        "CIO_APP_API_KEY": "key",
        "CIO_SITE_ID": "site",
        "CIO_TRACK_API_KEY": "key",
        "CIO_ALLOWED_RECIPIENTS": allowed,
        "CIO_ALLOW_BCC": "true",
        "CIO_CONFIRM": "off",
        "CIO_TOOLSETS": "all",
    }
    app = build(load(environ), wire=httpx.MockTransport(upstream))
    async with Client(Server(app)) as client:
        answer = await client.call_tool(tool, arguments)
    assert answer.is_error == (not upstream.sent), answer
    assert " is off: " not in str(answer.content)
    await app.aclose()
    return upstream.sent


@pytest.mark.repeating
@pytest.mark.parametrize(
    "to",
    [
        "boss@corp.example",
        "ada@example.com, boss@corp.example",
        "ada@busineß.com",
        "ada@example.com@corp.example",
        "boss@corp.example@example.com",
        '"ada@example.com" <boss@corp.example>',
        "ada@example.com <boss@corp.example>",
        "Ada <boss@corp.example> <ada@example.com>",
        '"boss@corp.example,"@example.com',
        '"boss@corp.example" <ada@example.com>',
        "boss@corp.example (ada@example.com)",
        "ada(boss@corp.example)@example.com",
        "boss%corp.example@example.com",
        "corp.example!boss@example.com",
        "=?utf-8?q?boss=40corp.example=2C?=@example.com",
        '"=?utf-8?q?boss?=" <ada@example.com>',
        "boss\uff20corp.example,ada@example.com",
        "ada@example\u3002com.corp.example",
        "ada@ex\u200bample.com",
        "ada@ex\u0430mple.com",
        "\u0430da@example.com",
        "ada@example.com;boss@corp.example",
        "boss@corp.example ada@example.com",
        "<boss@corp.example>ada@example.com",
        "friends: boss@corp.example, ada@example.com;",
        "@corp.example:ada@example.com",
        "ada@[203.0.113.7]",
        "ada@example.com.",
        "ada@example..com",
        ".ada@example.com",
        "ada@localhost",
        "ada@example.com\\, boss@corp.example",
        '"Ada\\" <boss@corp.example>, " <ada@example.com>',
        "{{trigger.to}}@example.com",
        "{{trigger.to}}",
        "{% if true %}boss@corp.example{% endif %}",
        "{{trigger.name}} <ada@example.com>",
        "Ada\u202e <ada@example.com>",
        "boss\uff20corp.example <ada@example.com>",
        '"boss\ufe6bcorp.example" <ada@example.com>',
        "{{\u00a0customer.email }}",
        "{{customer.email}}, boss@corp.example",
        "{{customer.email | append: ',boss@corp.example'}}",
        "ada@example.com\uff0cboss@corp.example",
    ],
)
@pytest.mark.parametrize("argument", ["to", "cc", "bcc"])
async def test_no_spelling_of_an_address_reaches_somebody_who_is_not_allowed(argument: str, to: str) -> None:
    addresses = {"to": "ada@example.com"} | {argument: to}

    assert await attempt("send_transactional_email", EMAIL | addresses) == []


@pytest.mark.parametrize(
    "recipient",
    [
        "boss@corp.example",
        "ada@example.com, boss@corp.example",
        "boss%corp.example@example.com",
        "ada@busineß.com",
        "{{customer.email}}",
        "{{event.to}}",
        ["boss@corp.example"],
        {"a@example.com": "boss@corp.example"},
    ],
)
async def test_no_event_redirects_mail_to_somebody_who_is_not_allowed(recipient: Any) -> None:
    event = {"customer_id": "u_1", "name": "invited", "data": {"recipient": recipient}}

    assert await attempt("track_event", event) == []


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("send_transactional_email", EMAIL | {"to": "ada@example.com", "customer_id": "u_2"}),
        ("send_transactional_email", EMAIL | {"to": "ada@example.com", "customer_id": "new"}),
        ("send_transactional_email", EMAIL | {"to": "ada@example.com", "customer_id": "U_1"}),
        (
            "send_transactional_email",
            EMAIL | {"to": "ada@example.com", "headers": {"Bcc": "boss@corp.example"}},
        ),
        ("send_transactional_email", EMAIL | {"to": "ada@example.com", "headers": {"X-SMTPAPI": "{}"}}),
        ("trigger_broadcast", {"broadcast_id": 7, "ids": ["u_1", "u_2"]}),
        ("trigger_broadcast", {"broadcast_id": 7, "ids": ["u_1", "new"]}),
        ("trigger_broadcast", {"broadcast_id": 7, "ids": ["U_1"]}),
        ("trigger_broadcast", {"broadcast_id": 7, "emails": ["ada@example.com", "boss@corp.example"]}),
        ("trigger_broadcast", {"broadcast_id": 7, "emails": ["ada@busineß.com"]}),
        ("trigger_broadcast", {"broadcast_id": 7, "per_user_data": [{"email": "boss@corp.example"}]}),
        ("trigger_broadcast", {"broadcast_id": 7, "per_user_data": [{"id": "u_1", "cio_id": "x"}]}),
        ("trigger_broadcast", {"broadcast_id": 7, "recipients": {"segment": {"id": 1}}}),
        ("trigger_broadcast", {"broadcast_id": 7}),
        ("send_transactional_message", SMS | {"to": "+15551234567"}),
        ("send_transactional_message", SMS | {"to": "+49897771"}),
        ("send_transactional_message", SMS | {"to": "+4930\u0661"}),
        ("send_transactional_message", SMS | {"to": "{{trigger.phone}}"}),
        ("send_transactional_message", SMS | {"to": "+4930{{trigger.phone}}"}),
        ("send_transactional_message", SMS | {"customer_id": "u_2", "to": "{{customer.phone}}"}),
        ("send_transactional_message", SMS | {"to": "{{\u00a0customer.phone}}"}),
        ("send_transactional_message", PUSH),
        ("send_transactional_message", PUSH | {"to": "+4930123456"}),
        ("send_transactional_message", PUSH | {"custom_device": {"token": "t", "platform": "ios"}}),
        ("send_newsletter", {"newsletter_id": 3}),
    ],
)
async def test_no_other_way_reaches_somebody_who_is_not_allowed(tool: str, arguments: dict[str, Any]) -> None:
    assert await attempt(tool, arguments) == []


@pytest.mark.parametrize(
    ("arguments", "left"),
    [
        ({"to": "ada@example.com"}, {"to": "ada@example.com"}),
        ({"to": " ADA@Example.COM "}, {"to": "ADA@example.com"}),
        ({"to": "Ada  <ada@EXAMPLE.com>"}, {"to": "Ada <ada@example.com>"}),
        ({"to": '"Lovelace, Ada" <ada@example.com>'}, {"to": '"Lovelace, Ada" <ada@example.com>'}),
        (
            {"to": "ada@example.com,bob@business.com", "bcc": "eve@Example.com"},
            {"to": "ada@example.com, bob@business.com", "bcc": "eve@example.com"},
        ),
        ({"to": "{{ customer.email }}"}, {"to": "{{ customer.email }}"}),
    ],
)
async def test_what_leaves_is_the_form_that_was_judged(
    arguments: dict[str, str], left: dict[str, str]
) -> None:
    (body,) = await attempt("send_transactional_email", EMAIL | arguments)

    assert {name: body[name] for name in left} == left


@pytest.mark.parametrize(
    ("allowed", "message"),
    [
        ("example.com, +4930*", SMS | {"to": "+4930999"}),
        ("example.com, +4930123456", SMS | {"to": "{{customer.phone}}"}),
        ("example.com, device:any", PUSH),
        ("example.com, device:any", PUSH | {"to": "token"}),
        ("example.com", EMAIL | {"channel": "in_app"}),
    ],
)
async def test_numbers_and_devices_that_the_list_names_are_reached(
    allowed: str, message: dict[str, Any]
) -> None:
    assert len(await attempt("send_transactional_message", message, allowed)) == 1


async def test_an_address_that_is_sent_as_it_was_written_is_written_in_one_way() -> None:
    for who, sent in (("ada@busineß.com", 0), ("ada@xn--busine-gta.com", 1), ("ADA@XN--busine-gta.com", 1)):
        by = {"customer_id": who, "id_type": "email"}
        for tool, arguments in (
            ("send_transactional_email", EMAIL | by | {"to": "ada@example.com"}),
            ("send_transactional_message", EMAIL | by | {"channel": "in_app"}),
            ("identify_customer", by),
        ):
            left = await attempt(tool, arguments, "xn--busine-gta.com, example.com")
            assert len(left) == sent, (tool, who)


@pytest.mark.parametrize(
    ("entry", "reached"),
    [
        ("@example.com", True),
        ("ADA@Example.com", True),
        ("@*.com", True),
        ("ada@*", True),
        ("*@*", True),
        ("*", True),
        ("a*@example.com", True),
        ("*.example.com", False),
        ("@*.example.com", False),
        ("*@*.example.com", False),
        ("ada.example.com", False),
        ("a?a@example.com", False),
    ],
)
async def test_an_entry_holds_for_whom_it_names(entry: str, reached: bool) -> None:
    sent = await attempt("identify_customer", {"customer_id": "u_1", "email": "ada@example.com"}, entry)

    assert bool(sent) == reached


async def test_a_domain_is_the_same_in_both_of_its_spellings() -> None:
    for allowed in ("busineß.com, example.com", "xn--busine-gta.com, example.com"):
        for to in ("ada@busineß.com", "ada@xn--busine-gta.com"):
            (body,) = await attempt("send_transactional_email", EMAIL | {"to": to}, allowed)
            assert body["to"] == "ada@xn--busine-gta.com"


@pytest.mark.parametrize(
    "entry",
    [
        *(
            "+49x",
            "device:1",
            "+",
            "+4930**",
            ";",
            "''",
            "[]",
            "@",
            ".",
            "example",
            "example.com;corp.example",
        ),
        *(
            "example.com corp.example",
            "ada@@example.com",
            "<ada@example.com>",
            "ada@",
            "mailto:ada@example.com",
        ),
        *("example..com", "\u200b", "device:ANY"),
    ],
)
def test_an_entry_that_names_nobody_stops_the_start(entry: str) -> None:
    with pytest.raises(SettingsError, match="CIO_ALLOWED_RECIPIENTS"):
        build(load({"CIO_ALLOWED_RECIPIENTS": entry}))


EVENT = {"type": "person", "action": "event", "identifiers": {"id": "u_1"}, "name": "n", "timestamp": 1}
RECIPIENT = {"recipient": "ada@example.com"}
ADA = Audience("ada", 1, addresses=["ada@example.com"], people={"id": ["u_1"]})
SEGMENT = Audience("a segment", 4, chosen_by={"segment": {"id": 1}})
TO_ADA = {"to": "ada@example.com", "identifiers": {"id": "u_1"}}


@pytest.mark.parametrize(
    ("path", "body", "audience", "allowed"),
    [
        ("/v1/send/email", TO_ADA, ADA, True),
        ("/v1/send/email", TO_ADA | {"cc": "boss@corp.example"}, ADA, False),
        ("/v1/send/email", TO_ADA | {"bcc": "ada@example.com"}, ADA, False),
        ("/v1/send/email", TO_ADA | {"identifiers": {"id": "u_2"}}, ADA, False),
        ("/v1/send/email", TO_ADA | {"headers": {"Bcc": "boss@corp.example"}}, ADA, False),
        ("/v1/send/email", TO_ADA | {"recipients": ["boss@corp.example"]}, ADA, False),
        ("/v1/send/email", TO_ADA, None, False),
        ("/v1/send/push", {"identifiers": {"id": "u_1"}}, ADA, False),
        ("/v1/send/push", TO_ADA | {"custom_payload": {"ios": {"topic": "all"}}}, ADA, False),
        ("/v1/send/push", TO_ADA | {"custom_payload": {"android": {"Topic\u200b": "all"}}}, ADA, False),
        ("/v1/send/sms", TO_ADA | {"to": "+15551234567"}, ADA, False),
        ("/v1/send/fax", TO_ADA, ADA, False),
        ("/v1/campaigns/7/triggers", {"emails": ["ada@example.com"]}, ADA, True),
        ("/v1/campaigns/7/triggers", {"emails": ["boss@corp.example"]}, ADA, False),
        ("/v1/campaigns/7/triggers", {"ids": ["u_2"]}, ADA, False),
        ("/v1/campaigns/7/triggers", {"per_user_data": [{"id": "u_2"}]}, ADA, False),
        ("/v1/campaigns/7/triggers", {}, SEGMENT, False),
        ("/v1/campaigns/7/triggers", {"recipients": {"segment": {"id": 1}}}, SEGMENT, True),
        ("/v1/campaigns/7/triggers", {"recipients": {"segment": {"id": 2}}}, SEGMENT, False),
        ("/v1/campaigns/7/triggers", {"data_file_url": "https://example.com"}, SEGMENT, False),
        ("/v1/newsletters/3/send", {}, Audience("as set there"), True),
        ("/v1/newsletters/3/send", {"segment": 1}, Audience("as set there"), False),
        ("/v1/reporting_webhooks/3", {"endpoint": "https://corp.example"}, Audience("here"), False),
        ("/api/v1/customers/u_1/events", {"name": "n", "data": {"recipient": "x@corp.example"}}, ADA, False),
        ("/api/v1/events", {"name": "n", "data": {"recipient": "ada@example.com"}}, ADA, True),
        ("/api/v1/events", {"name": "n", "context": {}}, ADA, False),
        ("/api/v2/batch", {"batch": [EVENT, EVENT | {"attributes": RECIPIENT}]}, ADA, True),
        ("/api/v2/batch", {"batch": [EVENT, EVENT | {"attributes": RECIPIENT}]}, None, False),
        ("/api/v2/batch", {"batch": [EVENT | {"action": "identify", "attributes": RECIPIENT}]}, None, True),
        ("/api/v2/batch", {"batch": [EVENT | {"context": {}}]}, ADA, False),
        ("/api/v2/batch", {"batch": [EVENT], "context": {}}, ADA, False),
        ("/api/v2/batch", {"batch": EVENT}, ADA, False),
        ("/api/v2/entity", EVENT | {"attributes": RECIPIENT}, ADA, True),
        ("/api/v2/entity", EVENT | {"attributes": RECIPIENT}, None, False),
        ("/api/v2/entity", EVENT | {"context": {}}, ADA, False),
    ],
)
async def test_a_finished_request_reaches_whom_was_approved_and_nobody_else(
    path: str, body: dict[str, Any], audience: Audience | None, allowed: bool
) -> None:
    call = ToolCall()
    call.tool = next(tool for tool in TOOLS if tool.effect is Effect.SENDS)
    request = Outgoing("POST", f"https://api.customer.io/proxy{path}?a=/v1/x", body)
    call.audience = audience
    if allowed:
        check_recipients(call, request)
    else:
        with pytest.raises(NotAllowed):
            check_recipients(call, request)


@pytest.mark.parametrize(
    "path", ["/v1/send/fax", "/v1/send", "/v1//send/email/", "/v1/newsletters/3/test/send"]
)
async def test_a_tool_that_only_writes_does_not_send_either(path: str) -> None:
    call = ToolCall()
    call.tool = next(tool for tool in TOOLS if tool.effect is Effect.WRITES)

    with pytest.raises(NotAllowed):
        check_recipients(call, Outgoing("POST", f"https://api.customer.io{path}", TO_ADA))


@pytest.mark.parametrize(
    ("bound", "words"),
    [({"max_recipients": "5"}, "CIO_MAX_RECIPIENTS"), ({"max_sends_per_day": "5"}, "CIO_MAX_SENDS_PER_DAY")],
)
async def test_liquid_may_stand_for_many_where_recipients_are_counted(
    bound: dict[str, Any], words: str
) -> None:
    async with an_agent(**bound) as agent:
        text = await agent.fail(
            "send_transactional_email", to="{{trigger.all}}", customer_id="u_1001", transactional_message_id=1
        )

    assert words in text
    assert agent.sent == []


# Calls that between them give every argument of each tool that sends.
FULL: dict[str, list[dict[str, Any]]] = {
    "send_transactional_email": [
        {
            **EMAIL,
            "to": "ada@example.com",
            "id_type": "id",
            "cc": "bob@example.com",
            "bcc": "carol@example.com",
            "fake_bcc": True,
            "message_data": {"a": 1},
            "from_address": "shop@example.com",
            "subject": "s",
            "body": "b",
            "body_plain": "b",
            "body_amp": "b",
            "preheader": "p",
            "reply_to": "shop@example.com",
            "headers": {"X-Order": "1"},
            "language": "de",
            "send_at": NOON + 3600,
            "attachments": {"a.txt": "YQ=="},
            "send_to_unsubscribed": False,
            "tracked": False,
            "disable_message_retention": True,
            "disable_css_preprocessing": True,
            "queue_draft": True,
            "auto_create": True,
            "allow_missing": True,
        }
    ],
    "send_transactional_message": [
        {
            **PUSH,
            "id_type": "id",
            "message_data": {"a": 1},
            "to": "last_used",
            "title": "t",
            "message": "m",
            "image_url": "https://example.com/a.png",
            "link": "https://example.com",
            "sound": "none",
            "custom_data": {"a": "1"},
            "custom_device": {"token": "t", "platform": "ios"},
            "custom_payload": {"ios": {"aps": {}}},
            "language": "de",
            "send_at": NOON + 3600,
            "send_to_unsubscribed": False,
            "disable_message_retention": True,
            "queue_draft": True,
            "auto_create": True,
            "allow_missing": True,
        },
        {**SMS, "to": "+4930123456", "from_number": "+4930", "tracked": False},
        {**EMAIL, "channel": "whatsapp", "to": "{{customer.phone}}", "tracked": False},
        {**EMAIL, "channel": "in_app"},
        {**EMAIL, "channel": "inbox"},
    ],
    "trigger_broadcast": [
        {"broadcast_id": 7, "emails": ["ada@example.com"], "data": {"a": 1}, "email_ignore_missing": True},
        {"broadcast_id": 7, "emails": ["ada@example.com"], "allow_missing": True},
        {"broadcast_id": 7, "emails": ["ada@example.com"], "email_add_duplicates": True},
        {"broadcast_id": 7, "ids": ["u_1"], "id_ignore_missing": True},
        {"broadcast_id": 7, "per_user_data": [{"id": "u_1", "data": {"a": 1}}, {"email": "a@example.com"}]},
        {"broadcast_id": 7, "recipients": {"segment": {"id": 1}}},
        {"broadcast_id": 7, "data_file_url": "https://example.com/a"},
        {"broadcast_id": 7},
    ],
    "send_newsletter": [
        {"newsletter_id": 3, "rate": 5, "period": "day", "spread": True},
        {"newsletter_id": 3, "send_at": 0},
        {"newsletter_id": 3, "send_at": "2030-01-01T00:00:00Z", "recipient_timezone": True},
    ],
    "set_reporting_webhook": [
        {"name": "n", "endpoint": "https://example.com", "events": ["email_sent"], "disabled": False},
        {"webhook_id": 1, "disabled": True},
    ],
}
SENDING = [tool for tool in TOOLS if tool.effect is Effect.SENDS]


@pytest.mark.parametrize("tool", SENDING, ids=lambda tool: tool.name)
async def test_whom_each_argument_of_a_tool_that_sends_reaches_is_known(tool: Tool) -> None:
    upstream = Upstream()
    app = build(
        load({"CIO_APP_API_KEY": "key", "CIO_TOOLSETS": "all", "CIO_ALLOW_BCC": "true"}),
        wire=httpx.MockTransport(upstream),
        clock=lambda: NOON,
    )
    given: set[str] = set()
    async with Client(Server(app)) as client:
        caller = Caller(client)
        for arguments in FULL[tool.name]:
            preview = await caller.call(tool.name, dry_run=True, **arguments)
            assert preview["request"]
            given |= arguments.keys()
    await app.aclose()

    assert upstream.sent == []
    assert given | {"dry_run", "confirmation", "timezone"} >= tool.input_schema["properties"].keys()
