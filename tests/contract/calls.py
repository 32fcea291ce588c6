"""How each tool is called to see every request that it can make: every argument, every word of each."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import EllipsisType
from typing import Any, Literal, get_args, get_origin

from cio_mcp.sandbox import Sandbox
from cio_mcp.toolkit.registry import Tool

# Every word that an argument can have, as the tool's schema lists them.
EVERY = ...

Found = Callable[[Sandbox], Any]
Options = dict[str, list[Any] | EllipsisType]

ADA, DATE, LATER = "u_1001", "2026-05-20T08:00:00Z", "2026-05-27T08:00:00+02:00"
FUTURE = "2026-06-01T00:00:00Z"
EVENT_ID = "01JC7Z7N8V6Q4M2K0X5Y9T3B1A"
OBJECT = {"text": "a", "number": 1.5, "yes": True, "none": None, "list": [1, {"a": "b"}], "object": {"a": {}}}
YES_NO = [True, False]

# Of a list of App's, whose cursors are opaque, and of one that is cut here.
CURSOR, COUNT = ["MTox"], ["3"]

FILTERS = [
    {"segment": {"id": 3}},
    {"attribute": {"field": "plan", "operator": "eq", "value": "pro"}},
    {"attribute": {"field": "beta", "operator": "eq", "value": True}},
    {"attribute": {"field": "seats", "operator": "eq", "value": 5}},
    {"attribute": {"field": "plan", "operator": "exists"}},
    {"not": {"segment": {"id": 3}}},
    {"or": [{"segment": {"id": 1}}, {"attribute": {"field": "plan", "operator": "exists"}}]},
    {"and": [{"segment": {"id": 1}}, {"not": {"or": [{"segment": {"id": 3}}, {"segment": {"id": 5}}]}}]},
]


@dataclass(frozen=True)
class Form:
    """One way to call a tool: what is always given, and what each option can be beside it.

    Each option is given alone with each of its values, and all of them together with their first and with
    their last ones. `find` has what finds arguments that only the workspace knows, and `first` is a call of
    another tool that is made before.
    """

    given: dict[str, Any] = field(default_factory=dict)
    options: Options = field(default_factory=dict)
    find: dict[str, Found] = field(default_factory=dict)
    first: tuple[str, dict[str, Any]] | None = None

    def calls(self, tool: Tool) -> Iterator[dict[str, Any]]:
        """Yield the arguments of each call."""
        options = {
            name: words_of(tool, name) if values is EVERY else values for name, values in self.options.items()
        }
        yield self.given
        for name, values in options.items():
            for value in values:
                yield self.given | {name: value}
        if len(options) > 1:
            for which in (0, -1):
                yield self.given | {name: values[which] for name, values in options.items()}


def words_of(tool: Tool, name: str) -> list[Any]:
    """Return the words that an argument can have, whether its schema lists them or not."""
    return words_in(tool.arguments.model_fields[name].annotation)


def words_in(annotation: Any) -> list[Any]:
    """Return the words of a type, and of all that it is made of."""
    if annotation is bool:
        return YES_NO
    if get_origin(annotation) is Literal:
        return list(get_args(annotation))
    return [word for part in get_args(annotation) for word in words_in(part)]


def adas_cio_id(sandbox: Sandbox) -> str:
    """Return Ada's id of Customer.io's own."""
    (found,) = sandbox.workspace.rows("SELECT cio_id FROM people WHERE id = ?", ADA)
    return f"cio_{found['cio_id']}"


def a_delivery(sandbox: Sandbox) -> str:
    """Return the id of a message that was sent."""
    return str(sandbox.workspace.rows("SELECT id FROM deliveries ORDER BY number")[0]["id"])


FILE = "https://files.sandbox.invalid/none.csv"
AN_IMPORT = {"url": FILE, "of": "people", "name": "n", "identifier": "id"}


def of_a_customer(given: dict[str, Any] | None = None, /, **options: Any) -> list[Form]:
    """Return a form for each kind of identifier; the options come with the first."""
    given = given or {}
    return [
        Form({"customer_id": ADA} | given, options | {"id_type": ["id"]}),
        Form({"customer_id": "ada@example.com", "id_type": "email"} | given),
        Form({"id_type": "cio_id"} | given, find={"customer_id": adas_cio_id}),
    ]


def of_anybody(given: dict[str, Any] | None = None, /, **options: Any) -> list[Form]:
    """Return a form for each kind of identifier, a phone number too."""
    phone = {"customer_id": "+442071838750", "id_type": "phone"} | (given or {})
    return [*of_a_customer(given, **options), Form(phone, options)]


PLAN = {"object_attribute": {"field": "plan", "operator": "eq", "value": "pro"}}
OBJECT_ID = {"object_type_id": 1, "object_id": "acme"}

MERGES = [
    Form({"customer_id": ADA, "secondary_id": "u_1002"}, {"id_type": ["id"], "secondary_id_type": ["id"]}),
    Form({"customer_id": ADA, "secondary_id": "lena@example.org", "secondary_id_type": "email"}),
    Form({"customer_id": ADA, "secondary_id": "cio_0123", "secondary_id_type": "cio_id"}),
    *of_a_customer({"secondary_id": "u_1003"})[1:],
]

EVENT: dict[str, Any] = {
    "data": [OBJECT, {"recipient": "a@example.com", "from_address": "b@example.com"}, {}],
    "timestamp": [DATE, 1779264000],
    "event_id": [EVENT_ID],
}

EMAIL: dict[str, Any] = {
    "allow_missing": [True],
    "timezone": ["Europe/Berlin"],
    "message_data": [OBJECT, {}],
    "from_address": ["Quill <hello@example.com>"],
    "subject": ["Hi"],
    "body": ["<p>Hi</p>"],
    "body_plain": ["Hi"],
    "preheader": ["Read this"],
    "reply_to": ["help@example.com"],
    "cc": ["c@example.com"],
    "bcc": ["d@example.com"],
    "fake_bcc": EVERY,
    "body_amp": ["<html amp4email></html>"],
    "disable_css_preprocessing": EVERY,
    "headers": [{"X-Order": "1"}, {}],
    "language": ["de"],
    "send_at": [FUTURE],
    "attachments": [{"a.txt": "aGk="}, {}],
    "send_to_unsubscribed": EVERY,
    "tracked": EVERY,
    "disable_message_retention": EVERY,
    "queue_draft": EVERY,
}

# What messages of all channels but email take.
MESSAGE: dict[str, Any] = {
    "allow_missing": [True],
    "timezone": ["Europe/Berlin"],
    "message_data": [OBJECT, {}],
    "language": ["de"],
    "send_at": [FUTURE],
    "disable_message_retention": EVERY,
    "queue_draft": EVERY,
}
PUSH: dict[str, Any] = {
    "to": ["all", "last_used", "device-ada-1"],
    "title": ["On its way"],
    "message": ["It comes today."],
    "image_url": ["https://example.com/box.png"],
    "link": ["quill://orders/1"],
    "sound": EVERY,
    "custom_data": [{"order": "1"}, {}],
    "custom_device": [
        {"token": "d1", "platform": "ios"},
        {"token": "d1", "platform": "android", "last_used": DATE, "attributes": OBJECT},
    ],
    "custom_payload": [
        {"ios": {"aps": {"alert": "Hi", "badge": 1}}},
        {"ios": {"message": {"apns": {"payload": {}}}}, "android": {"message": {"data": {"a": "b"}}}},
    ],
    "auto_create": EVERY,
    "send_to_unsubscribed": EVERY,
}


NUMBER: dict[str, Any] = {
    "to": ["+4930123456", "{{customer.phone}}"],
    "from_number": ["+15550100"],
    "tracked": EVERY,
    "send_to_unsubscribed": EVERY,
}


def message(channel: str, template: int | str, options: dict[str, Any] | None = None, **given: Any) -> Form:
    """Return the form of a transactional message of a channel."""
    send = {"channel": channel, "transactional_message_id": template, "customer_id": ADA}
    return Form(send | given, MESSAGE | (options or {}))


TRIAL_EMAIL = {"email_id": "7d9f3a10-0000-4000-8000-000000000001"}
FRENCH_EMAIL = TRIAL_EMAIL | {"language": "fr"}
NEWS_EMAIL = {"email_id": "7d9f3a10-0000-4000-8000-000000000002"}


def a_version(language: str) -> Found:
    """Return what finds a version of the trial email in a language."""

    def find(sandbox: Sandbox) -> str:
        (node,) = [
            one
            for one in sandbox.workspace.things("design_email")
            if (one["group"], one["language"]) == (TRIAL_EMAIL["email_id"], language)
        ]
        kept = sandbox.workspace.things("design_version")
        return next(str(one["uuid"]) for one in kept if one["node_id"] == node["uuid"])

    return find


def a_publishing(sandbox: Sandbox) -> str:
    """Return the id of a publishing of the trial email that has begun."""
    begun = {"id": 7, "email": TRIAL_EMAIL["email_id"], "due": 0, "mappings": None}
    with sandbox.workspace.transaction():
        sandbox.workspace.configure("design_publish", begun)
    return "7"


# Two of each, so that a second call changes something too.
TEXT: Options = {
    "preheader": ["One", ""],
    "body": ["<p>One</p>", "<p>Two</p>"],
    "body_amp": ["<html amp4email></html>", ""],
    "sender_id": [2, 1],
    "reply_to_id": [1, 2],
}
WHOLE_FRENCH = {"part_id": 1101, "language": "fr"}

SPAN: dict[str, Any] = {"start": [DATE], "end": [LATER]}
PERIODS: dict[str, Any] = {"resolution": EVERY, "series": EVERY}
FLAGS: dict[str, Any] = {
    "email_ignore_missing": EVERY,
    "id_ignore_missing": EVERY,
    "email_add_duplicates": EVERY,
    "allow_missing": [True],
}


def broadcast(data: dict[str, Any], *flags: str) -> Form:
    """Return the form of a broadcast with an audience that takes these flags."""
    options = {name: FLAGS[name] for name in (*flags, "allow_missing")} | {"data": [OBJECT, {}]}
    return Form({"broadcast_id": 10} | data, options)


FORMS: dict[str, list[Form]] = {
    "identify_customer": of_anybody(
        email=["new@example.com"],
        created_at=[DATE, 1779264000],
        unsubscribed=EVERY,
        anonymous_id=["visitor"],
        attributes=[OBJECT, {}],
        update_only=EVERY,
    ),
    "delete_customer": of_anybody(),
    "get_customer": of_anybody(fields=[["plan"]]),
    "search_customers": [
        Form({}, {"limit": [1, 100], "cursor": CURSOR, "fields": [["plan"]]}),
        Form({"email": "ada@example.com"}, {"fields": [["plan"]], "limit": [5]}),
        Form(
            {},
            {"segment_id": [1], "attributes": [{"plan": "pro", "beta": True, "seats": 5}], "filter": FILTERS},
        ),
    ],
    "list_customer_segments": of_anybody(),
    "suppress_customer": of_anybody(),
    "unsuppress_customer": of_anybody(),
    "merge_customers": MERGES,
    "get_subscriptions": of_anybody(),
    "set_subscriptions": [
        *of_anybody({"unsubscribed": True}, topics=[{"topic_1": True, "3": False}]),
        Form({"customer_id": ADA, "topics": {"1": True}}, {"unsubscribed": EVERY}),
    ],
    "create_preference_link": [
        Form({"customer_id": ADA}, {"id_type": ["id"]}),
        Form({"customer_id": "ada@example.com", "id_type": "email"}),
    ],
    "add_device": of_anybody(
        {"device_id": "d1", "platform": "ios"},
        platform=EVERY,
        last_used=[DATE],
        attributes=[{"device_os": "17"}, OBJECT, {}],
    ),
    "remove_device": of_anybody({"device_id": "device-ada-1"}),
    "get_relationships": of_anybody(limit=[1, 100], cursor=CURSOR),
    "set_relationships": of_anybody(
        {
            "objects": [
                {"object_type_id": 1, "object_id": "acme", "attributes": OBJECT},
                {"cio_object_id": "ob1"},
            ]
        },
        action=EVERY,
    ),
    "set_object": [
        Form(OBJECT_ID, {"attributes": [OBJECT, {}], "id_type": ["object_id"], "people": [[]]}),
        Form({"object_type_id": "1", "object_id": "ob1", "id_type": "cio_object_id", "attributes": {"a": 1}}),
        Form(OBJECT_ID | {"people": [{"customer_id": ADA, "attributes": OBJECT}]}, {"action": EVERY}),
        Form(
            OBJECT_ID
            | {
                "people": [
                    {"customer_id": "ada@example.com", "id_type": "email"},
                    {"customer_id": "cio_0123", "id_type": "cio_id"},
                ]
            }
        ),
        Form(
            OBJECT_ID | {"people": [{"anonymous_id": "v_1", "attributes": OBJECT}]}, {"attributes": [OBJECT]}
        ),
    ],
    "get_object": [
        Form(OBJECT_ID, {"id_type": ["object_id"]}),
        Form({"object_type_id": 1, "object_id": "ob1", "id_type": "cio_object_id"}),
    ],
    "search_objects": [
        Form({}),
        Form(
            {"object_type_id": 1},
            {
                "filter": [
                    PLAN,
                    {"not": {"object_attribute": {"field": "plan", "operator": "exists"}}},
                    {"and": [PLAN, {"not": PLAN}]},
                    {"or": [PLAN, {"not": PLAN}]},
                ],
                "limit": [1, 100],
                "cursor": CURSOR,
            },
        ),
    ],
    "list_object_members": [
        Form(OBJECT_ID, {"id_type": ["object_id"], "limit": [1, 100], "cursor": CURSOR}),
        Form({"object_type_id": 1, "object_id": "ob1", "id_type": "cio_object_id"}),
    ],
    "list_segments": [
        Form({}, {"name_contains": ["pro"], "counts": EVERY, "limit": [1, 100], "cursor": COUNT})
    ],
    "get_segment": [Form({"segment_id": 3})],
    "list_segment_members": [Form({"segment_id": 3}, {"limit": [1, 100], "cursor": CURSOR})],
    "create_segment": [Form({"name": "new"}, {"description": ["for a test"]})],
    "add_to_segment": [
        Form({"segment_id": 5, "ids": [ADA, 7]}, {"id_type": ["id"]}),
        Form({"segment_id": 5, "ids": ["ada@example.com"], "id_type": "email"}),
        Form({"segment_id": 5, "ids": ["cio_0123"], "id_type": "cio_id"}),
    ],
    "remove_from_segment": [
        Form({"segment_id": 5, "ids": [ADA, 7]}, {"id_type": ["id"]}),
        Form({"segment_id": 5, "ids": ["ada@example.com"], "id_type": "email"}),
        Form({"segment_id": 5, "ids": ["cio_0123"], "id_type": "cio_id"}),
    ],
    "delete_segment": [Form({"segment_id": 5})],
    "set_objects": [
        Form(
            {
                "rows": [
                    OBJECT_ID | {"name": "Acme", "customer_id": ADA},
                    {"object_type_id": 2, "object_id": "b"},
                ]
            }
        ),
        Form(
            {"csv": "object_id,plan\na,pro\n", "object_type_id": 1},
            {"columns": [{"plan": "tier"}], "timezone": ["Europe/Berlin"]},
        ),
        Form(
            {
                "rows": [
                    OBJECT_ID | {"people": [{"anonymous_id": "v"}]},
                    OBJECT_ID | {"customer_id": "a@example.com", "customer_id_type": "email"},
                    OBJECT_ID | {"customer_id": ADA, "action": "remove"},
                ]
            }
        ),
    ],
    "import_file": [
        Form(
            {"url": FILE, "of": "people", "name": "leads", "identifier": "id"},
            {
                "process": EVERY,
                "description": ["new ones"],
                "identifier": ["id", "email"],
                "wait_seconds": [1, 5],
            },
        ),
        Form({"url": FILE, "of": "events", "name": "e", "identifier": "id"}, {"process": ["only_existing"]}),
        Form({"url": FILE, "of": "objects", "name": "o", "object_type_id": 1}),
        Form(
            {"url": FILE, "of": "relationships", "name": "r", "identifier": "cio_id", "object_type_id": "1"}
        ),
    ],
    "get_import": [Form({"import_id": 1}, {"wait_seconds": [0, 5]}, first=("import_file", AN_IMPORT))],
    "track_event": of_anybody({"name": "purchase"}, **EVENT),
    "identify_customers": [
        Form(
            {
                "rows": [
                    {"customer_id": ADA, "plan": "pro", "attributes": OBJECT, "created_at": DATE},
                    {"id": "n"},
                ]
            },
            {
                "update_only": EVERY,
                "columns": [{"plan": "tier"}, {"plan": None}],
                "id_type": ["id"],
                "timezone": ["Europe/Berlin"],
            },
        ),
        Form({"csv": "email;plan\nada@example.com;pro\n", "id_type": "email"}),
        Form({"csv": "phone,plan\n+4915112345678,pro\n", "id_type": "phone"}),
        Form({"rows": [{"cio_id": "cio_0123", "email": "a@example.com"}], "id_type": "cio_id"}),
    ],
    "track_events": [
        Form(
            {
                "rows": [
                    {"customer_id": ADA, "name": "a", "data": OBJECT, "at": DATE, "n": 1},
                    {"id": "n", "name": "b", "n": 2},
                ]
            },
            {
                "name": ["order"],
                "columns": [{"at": "timestamp"}, {"at": None}],
                "unique": [["n"]],
                "id_type": ["id"],
                "timezone": ["Europe/Berlin"],
            },
        ),
        Form({"csv": "email,name\nada@example.com,order\n", "id_type": "email"}),
        Form({"csv": "phone,name\n+4915112345678,order\n", "id_type": "phone"}),
        Form({"rows": [{"cio_id": "cio_0123", "name": "order"}], "id_type": "cio_id"}),
    ],
    "track_anonymous_event": [Form({"anonymous_id": "visitor", "name": "purchase"}, EVENT)],
    "track_page_view": [
        *of_anybody({"url": "/pricing"}, **EVENT),
        Form({"url": "/pricing", "anonymous_id": "visitor"}, EVENT),
    ],
    "list_campaigns": [
        Form(
            {},
            {
                "state": EVERY,
                "name_contains": ["w"],
                "tag": ["onboarding"],
                "limit": [1, 100],
                "cursor": COUNT,
            },
        )
    ],
    "get_campaign": [Form({"campaign_id": 1}, {"cursor": ["LTE6MA=="]})],
    "get_campaign_metrics": [
        Form(
            {"campaign_id": 1},
            SPAN | {"resolution": EVERY, "timezone": ["Europe/Berlin"], "channel": EVERY, "series": EVERY},
        )
    ],
    "compare_campaigns": [
        Form({"campaign_id": 1, "other_campaign_id": 2}, SPAN | {"other_start": [DATE], "channel": EVERY}),
        Form({"campaign_id": 1}),
    ],
    "list_broadcasts": [Form({}, {"cursor": COUNT}), Form({"broadcast_id": 10})],
    "trigger_broadcast": [
        broadcast({}),
        broadcast({"emails": ["ada@example.com"]}, "email_ignore_missing", "email_add_duplicates"),
        Form({"broadcast_id": 10, "data": {"coupon_code": "X"}, "allow_missing": False}),
        broadcast({"ids": [ADA, 7]}, "id_ignore_missing"),
        broadcast({"per_user_data": [{"id": ADA, "data": OBJECT}, {"email": "ada@example.com"}]}, *FLAGS),
        broadcast({"data_file_url": "https://example.com/people.jsonl"}, *FLAGS),
        Form({"broadcast_id": 10}, {"recipients": FILTERS}),
    ],
    "list_broadcast_triggers": [Form({"broadcast_id": 11}, {"limit": [1, 100]})],
    "get_broadcast_trigger": [Form({"broadcast_id": 12, "trigger_id": 1}, {"cursor": ["1"]})],
    "list_newsletters": [Form({}, {"limit": [1, 100], "cursor": CURSOR})],
    "get_newsletter": [Form({"newsletter_id": 20})],
    "create_newsletter": [
        Form(
            {"name": "June", "subject": "Hi", "body": "<p>Hi</p>", "in_segments": [1, 4]},
            {
                "not_in_segments": [[3], [3, 5]],
                "attributes": [{"plan": "pro", "seats": 5, "beta": True}, {"plan": None}],
                "not_attributes": [{"plan": "free", "beta": None}],
                "preheader": ["Read this"],
                "body_plain": ["Hi"],
                "sender_id": [1],
                "subscription_topic_id": [1],
            },
        ),
        Form({"name": "June", "channel": "email", "subject": "a", "body": "b", "not_in_segments": [3]}),
        Form({"name": "June", "channel": "sms", "body": "Hi", "attributes": {"plan": "pro"}}),
        Form({"name": "June", "channel": "push", "subject": "Hi", "in_segments": [1]}),
        Form({"name": "June", "channel": "push", "body": "Hi", "in_segments": [1]}),
        Form(
            {"name": "June", "channel": "webhook", "body": "{}", "in_segments": [1]}
            | {"url": "https://example.com/hook", "method": "POST"},
            {"method": EVERY},
        ),
    ],
    "add_newsletter_text": [
        Form(
            {"newsletter_id": 21, "language": "fr", "subject": "Salut", "body": "<p>Salut</p>"},
        ),
        Form(
            {"newsletter_id": 21, "language": "de", "subject": "Hallo", "body": "<p>Hallo</p>"}
            | {"preheader": "Sommer", "body_plain": "Hallo"}
        ),
        Form({"newsletter_id": 21, "test_group": "new", "subject": "Hi", "body": "<p>Hi</p>"}),
        Form(
            {"newsletter_id": 21, "test_group": "2", "language": "fr", "subject": "a", "body": "b"},
            first=(
                "add_newsletter_text",
                {"newsletter_id": 21, "test_group": "new", "subject": "a", "body": "b"},
            ),
        ),
    ],
    "send_newsletter": [
        Form({"newsletter_id": 21}),
        Form({"newsletter_id": 21, "rate": 100, "spread": True}),
        Form({"newsletter_id": 21, "spread": True}),
        Form({"newsletter_id": 21, "send_at": FUTURE, "rate": 100}, {"period": EVERY, "spread": YES_NO}),
        Form({"newsletter_id": 21, "send_at": FUTURE}, {"recipient_timezone": YES_NO}),
        Form(
            {"newsletter_id": 21, "send_at": FUTURE}, {"timezone": ["Europe/Berlin"], "send_at": [FUTURE, 0]}
        ),
    ],
    "send_transactional_email": [
        *of_a_customer({"to": "a@example.com", "transactional_message_id": 1}, **EMAIL, auto_create=EVERY),
        Form(
            {
                "to": "A <a@example.com>, b@example.com",
                "customer_id": ADA,
                "transactional_message_id": "password_reset",
            }
        ),
        Form(
            {"to": "a@example.com", "customer_id": ADA, "transactional_message_id": 1}
            | {"message_data": {"order_id": 1}, "allow_missing": False}
        ),
        Form(
            {"to": "a@example.com", "customer_id": ADA}
            | {"from_address": "hello@example.com", "subject": "Hi", "body": "<p>Hi</p>"},
            {
                name: values
                for name, values in EMAIL.items()
                if name not in {"from_address", "subject", "body"}
            },
        ),
    ],
    "list_transactional_messages": [Form({}, {"cursor": COUNT})],
    "send_transactional_message": [
        message("push", 3, PUSH),
        message("sms", 4, NUMBER | {"auto_create": EVERY}, to="+4930123456"),
        message("whatsapp", 7, NUMBER, to="+4930123456"),
        Form(
            {"channel": "sms", "transactional_message_id": 4, "customer_id": ADA, "to": "+4930123456"}
            | {"allow_missing": False}
        ),
        message("in_app", 5, {"auto_create": EVERY}),
        message("inbox", "6", {"auto_create": EVERY}),
        *of_a_customer({"channel": "push", "transactional_message_id": "shipping_update"}),
    ],
    "list_customer_messages": of_anybody(**SPAN, limit=[1, 100], cursor=CURSOR),
    "explain_no_message": [
        *of_anybody({"kind": "campaign", "source_id": "1"}, expected=[DATE]),
        Form(
            {"customer_id": "u_1008", "kind": "broadcast", "source_id": "12"},
            {"expected": [DATE]},
        ),
        Form({"customer_id": ADA, "kind": "newsletter", "source_id": "spring"}),
        Form({"customer_id": "gone@example.com", "kind": "transactional", "source_id": "sign_in_code"}),
        Form({"customer_id": ADA, "source_id": "welcome"}),
        Form({"customer_id": ADA}, find={"delivery_id": a_delivery}),
    ],
    "find_suppressed_addresses": [
        Form(
            {"kind": "bounces"},
            {"kind": EVERY, "domain": ["example.com"], "limit": [1, 100], "cursor": COUNT},
        ),
        Form({"email": "jomo@example.org"}),
    ],
    "delete_suppression": [Form({"email": "jomo@example.org", "kind": "bounces"}, {"kind": EVERY})],
    "list_opt_outs": [
        Form({}, {"sender": ["+15550100"], "limit": [1, 100], "cursor": CURSOR}),
        *of_anybody(),
    ],
    "list_messages": [
        Form(
            {},
            SPAN
            | {"channel": EVERY, "metric": EVERY, "drafts": EVERY, "limit": [1, 100], "cursor": CURSOR}
            | {"campaign_id": [1], "newsletter_id": [20], "action_id": [101]},
        ),
        Form(
            {"transactional_message_id": 1},
            SPAN | {"metric": EVERY, "drafts": EVERY, "limit": [1, 100], "cursor": CURSOR},
        ),
        Form(
            {"broadcast_id": 10},
            SPAN | {"channel": EVERY, "metric": EVERY, "drafts": EVERY, "limit": [1, 100], "cursor": CURSOR},
        ),
    ],
    "get_message": [Form(find={"delivery_id": a_delivery})],
    "get_content": [
        Form({"kind": "campaign", "message_id": "1"}, {"part_id": [101], "html": YES_NO}),
        Form({"kind": "broadcast", "message_id": "10"}, {"part_id": [1001]}),
        Form({"kind": "newsletter", "message_id": "20"}, {"part_id": [201], "language": ["fr"]}),
        Form({"kind": "transactional", "message_id": "order_confirmation"}, {"part_id": [11]}),
        Form({"kind": "transactional", "message_id": "1"}, {"language": ["fr"]}),
        Form({"kind": "campaign", "message_id": "1", "part_id": 101, "language": "fr"}),
        Form({"kind": "broadcast", "message_id": "11", "part_id": 1101, "language": "fr"}),
    ],
    "preview_message": [
        Form(
            {"kind": "transactional", "message_id": "1"},
            {"customer_id": [ADA], "data": [{"order_id": 1}], "id_type": ["id"]},
        ),
        Form({"kind": "broadcast", "message_id": "10"}, {"html": YES_NO, "part_id": [1001]}),
        Form({"kind": "newsletter", "message_id": "20"}, {"language": ["fr"]}),
        Form({"kind": "newsletter", "message_id": "20"}, {"recipients": [{"segment": {"id": 1}}]}),
        Form(
            {"kind": "design_studio", "message_id": TRIAL_EMAIL["email_id"]},
            {"language": ["fr"], "customer_id": [ADA], "data": [OBJECT], "html": YES_NO},
        ),
        Form({"kind": "campaign", "message_id": "1", "part_id": 101}, {"language": ["fr"]}),
        Form(
            {"kind": "newsletter", "message_id": "21", "id_type": "cio_id"}, find={"customer_id": adas_cio_id}
        ),
        Form(
            {"kind": "newsletter", "message_id": "21", "customer_id": "ada@example.com", "id_type": "email"}
        ),
        Form({"kind": "newsletter", "message_id": "21", "customer_id": "+442071838750", "id_type": "phone"}),
    ],
    "list_emails": [Form({}, {"linked": YES_NO, "cursor": ["1"]})],
    "get_email": [Form(TRIAL_EMAIL, {"language": ["fr"], "html": YES_NO}), Form(NEWS_EMAIL)],
    "list_components": [Form({}, {"tag": ["x-footer"], "cursor": ["1"]})],
    "create_email": [
        Form(
            {"name": "New", "subject": "Hi", "html": "<p>Hi</p>"},
            {"preheader": ["Read this"], "text": ["Hi"], "sender_id": [1]},
        ),
        Form({"translates": NEWS_EMAIL["email_id"], "language": "de"}),
        Form(
            {"translates": NEWS_EMAIL["email_id"], "language": "es", "subject": "Hola", "html": "<p>a</p>"}
            | {"sender_id": 2}
        ),
    ],
    "update_email": [
        Form(
            NEWS_EMAIL | {"subject": "Hi"},
            {
                "name": ["One", "Two"],
                "preheader": ["One", ""],
                "html": ["<p>One</p>", "<p>Two</p>"],
                "text": ["One", "Two"],
                "sender_id": [2, 1],
            },
        ),
        Form(NEWS_EMAIL | {"replace": {"Autumn": "Winter"}}),
        Form(TRIAL_EMAIL | {"language": "fr", "subject": "Salut"}),
    ],
    "create_email_version": [Form(NEWS_EMAIL | {"name": "First"}), Form(FRENCH_EMAIL | {"name": "First"})],
    "restore_email": [
        Form(TRIAL_EMAIL, find={"version_id": a_version("")}),
        Form(FRENCH_EMAIL, find={"version_id": a_version("fr")}),
    ],
    "review_email": [Form(NEWS_EMAIL), Form(FRENCH_EMAIL)],
    "link_email": [
        Form(NEWS_EMAIL | {"target": "newsletter", "target_id": 21}),
        Form(NEWS_EMAIL | {"target": "transactional_message", "target_id": 1}),
        Form(NEWS_EMAIL | {"target": "campaign_action", "target_id": 201, "replace_other": True}),
        Form(NEWS_EMAIL | {"target": "campaign_action", "target_id": 101, "replace_other": False}),
    ],
    "publish_email": [
        Form(TRIAL_EMAIL, first=("update_email", TRIAL_EMAIL | {"subject": "New"})),
        Form(NEWS_EMAIL, first=("link_email", NEWS_EMAIL | {"target": "newsletter", "target_id": 21})),
    ],
    "get_publish_state": [Form(TRIAL_EMAIL, find={"publish_id": a_publishing})],
    "get_sent_message": [Form({}, {"html": YES_NO}, find={"delivery_id": a_delivery})],
    "wait_for_delivery": [Form({}, {"seconds": [1, 20]}, find={"delivery_id": a_delivery})],
    "get_message_metrics": [
        Form({"kind": "campaign", "source_id": 1}, SPAN | PERIODS | {"channel": EVERY}),
        Form({"kind": "campaign", "source_id": 1, "action_id": 101}, SPAN | PERIODS),
        Form({"kind": "broadcast", "source_id": 10}, PERIODS | {"periods": [2, 12], "channel": EVERY}),
        Form({"kind": "newsletter", "source_id": 20}, PERIODS | {"periods": [2, 12], "channel": EVERY}),
        Form({"kind": "transactional", "source_id": 1}, PERIODS | {"periods": [2, 12]}),
    ],
    "compare_messages": [
        Form({"kind": "campaign", "source_id": 1}, SPAN),
        Form({"kind": "broadcast", "source_id": 10}),
        Form({"kind": "newsletter", "source_id": 20}),
    ],
    "report_workspace": [Form({}, {"days": [1, 22], "name_contains": ["w"]})],
    "get_link_metrics": [
        Form({"kind": "campaign", "source_id": 1}, {"action_id": [101], "days": [2, 45], "unique": EVERY}),
        *(
            Form({"kind": kind, "source_id": number}, {"days": [2, 45], "unique": EVERY})
            for kind, number in (("broadcast", 10), ("newsletter", 20), ("transactional", 1))
        ),
    ],
    "get_journey_metrics": [Form({"campaign_id": 1}, SPAN | {"resolution": EVERY, "series": EVERY})],
    "list_activities": [
        *of_anybody(
            activity_type=[
                "event",
                "failed_event",
                "_o:1:attribute_change",
                "relationship_failed_attribute_change",
            ],
            name=["purchase"],
            limit=[1, 100],
            cursor=CURSOR,
        ),
        Form(
            {}, {"activity_type": ["sent_email"], "name": ["purchase"], "limit": [1, 100], "cursor": CURSOR}
        ),
    ],
    "find_rejected_data": [Form({}, {"since": [DATE]}), *of_anybody(since=[DATE])],
    "check_write": [
        *of_anybody({"attributes": {"plan": "free"}}, since=[DATE]),
        Form({"customer_id": ADA, "event": "purchase"}, {"since": [DATE]}),
        Form({"customer_id": "nobody", "event": "purchase"}),
    ],
    "update_content": [
        Form({"kind": "campaign", "message_id": 1, "part_id": 101, "subject": "Hi"}, TEXT),
        Form({"kind": "broadcast", "message_id": 11, "subject": "Hi"}, TEXT),
        Form({"kind": "newsletter", "message_id": 21, "part_id": 210, "subject": "Hi"}, TEXT),
        Form({"kind": "transactional", "message_id": 1, "part_id": 11, "subject": "Hi"}, TEXT),
        Form({"kind": "campaign", "message_id": 1, "part_id": 101, "language": "fr", "body": "Salut"}),
        Form({"kind": "broadcast", "message_id": 11, "part_id": 1101, "language": "fr", "body": "Salut"}),
        Form({"kind": "broadcast", "message_id": 10, "replace": {"Get the offer": "Get it"}}),
        Form({"kind": "transactional", "message_id": 4, "body": "Code"}),
    ],
    "restore_content": [
        Form(
            {"kind": kind, "message_id": number} | more,
            first=("update_content", {"kind": kind, "message_id": number, "body": "Hi"} | part),
        )
        for kind, number, part, more in (
            ("campaign", 1, {"part_id": 101}, {"part_id": 101}),
            ("broadcast", 11, {}, {"change_id": 1}),
            ("broadcast", 11, WHOLE_FRENCH, WHOLE_FRENCH),
            ("newsletter", 21, {}, {}),
            ("transactional", 1, {}, {}),
        )
    ],
    "list_workspace_items": [
        Form({"kind": "export"}, {"kind": EVERY, "cursor": COUNT}),
        *(
            Form({"kind": kind, "item": item})
            for kind, item in (
                *(("export", "1"), ("sender_identity", "1"), ("snippet", "footer"), ("collection", "1")),
                *(("subscription_topic", "1"), ("reporting_webhook", "Warehouse"), ("workspace", "1")),
            )
        ),
    ],
    "set_workspace_item": [
        Form({"kind": "snippet", "name": "footer", "value": "new"}),
        Form({"kind": "collection", "name": "workshops", "data": [OBJECT]}),
        Form({"kind": "collection", "name": "workshops", "url": "https://example.com/rows.json"}),
        Form({"kind": "collection", "name": "new", "data": []}),
        Form({"kind": "collection", "name": "new", "url": "https://example.com/rows.csv"}),
    ],
    "delete_workspace_item": [
        Form({"kind": "snippet", "item": "spring offer"}),
        Form({"kind": "collection", "item": "workshops"}),
        Form({"kind": "reporting_webhook", "item": "1"}),
    ],
    "start_export": [
        Form({"of": "customers"}, {"filter": FILTERS, "fields": [["plan", "email"]]}),
        *(
            Form(
                {"of": of, "source_id": number},
                SPAN | {"metric": EVERY, "fields": [["plan"]]},
            )
            for of, number in (
                ("newsletter", 20),
                ("campaign", 1),
                ("transactional_message", 1),
                ("action", 101),
            )
        ),
    ],
    "get_export": [
        Form({"export_id": 1}, {"wait_seconds": [0, 5]}),
        Form({"export_id": 2}, {"save_as": ["none.csv"]}),  # it has failed, so nothing is saved
    ],
    "set_reporting_webhook": [
        Form(
            {
                "name": "new",
                "endpoint": "https://example.com/hook",
                "events": ["email_sent", "whatsapp_sent"],
            },
            {"disabled": EVERY},
        ),
        Form(
            {"webhook_id": 1, "endpoint": "https://example.com/hook"},
            {"name": ["other"], "events": [["in_app_opened"]], "disabled": EVERY},
        ),
    ],
    "server_status": [Form()],
}
