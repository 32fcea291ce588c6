"""The integration brief (brief.md): what was promised is sent, and every line of it is in the product."""

import base64
import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from mcp import Client

from cio_mcp.app.build import build
from cio_mcp.server.server import Server
from cio_mcp.settings import load

BRIEF = (Path(__file__).parent / "brief.md").read_text()
ROOT = Path(__file__).parent.parent
KEYS = {
    "CIO_SITE_ID": "site",
    "CIO_TRACK_API_KEY": "track-key",
    "CIO_APP_API_KEY": "app-key",
    "CIO_CONFIRM": "off",
}
BASIC = f"Basic {base64.b64encode(b'site:track-key').decode()}"
BEARER = "Bearer app-key"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("tool", "arguments", "authorization", "request_line", "body", "answer"),
    [
        (
            "identify_customer",
            {
                "customer_id": "user_123",
                "email": "user@example.com",
                "created_at": 1705312800,
                "attributes": {"first_name": "John", "plan": "pro"},
            },
            BASIC,
            "PUT https://track.customer.io/api/v1/customers/user_123",
            {"email": "user@example.com", "created_at": 1705312800, "first_name": "John", "plan": "pro"},
            {},
        ),
        (
            "track_event",
            {"customer_id": "user_123", "name": "purchase", "data": {"product": "Pro Plan", "amount": 99}},
            BASIC,
            "POST https://track.customer.io/api/v1/customers/user_123/events",
            {"name": "purchase", "data": {"product": "Pro Plan", "amount": 99}},
            {},
        ),
        (
            "track_anonymous_event",
            {"anonymous_id": "anon_123", "name": "page_viewed", "data": {"page": "/pricing"}},
            BASIC,
            "POST https://track.customer.io/api/v1/events",
            {"name": "page_viewed", "data": {"page": "/pricing"}, "anonymous_id": "anon_123"},
            {},
        ),
        (
            "track_page_view",
            {"customer_id": "user_123", "url": "/pricing"},
            BASIC,
            "POST https://track.customer.io/api/v1/customers/user_123/events",
            {"type": "page", "name": "/pricing"},
            {},
        ),
        (
            "delete_customer",
            {"customer_id": "user_123"},
            BASIC,
            "DELETE https://track.customer.io/api/v1/customers/user_123",
            None,
            {},
        ),
        (
            "get_customer",
            {"customer_id": "user_123"},
            BEARER,
            "GET https://api.customer.io/v1/customers/user_123/attributes?id_type=id",
            None,
            {"customer": {"id": "user_123", "attributes": {}}},
        ),
        ("list_campaigns", {}, BEARER, "GET https://api.customer.io/v1/campaigns", None, {"campaigns": []}),
        (
            "get_campaign_metrics",
            {"campaign_id": 7, "start": "2026-05-01", "end": "2026-05-08"},
            BEARER,
            "GET https://api.customer.io/v1/campaigns/7/metrics?version=2&res=days&tz=America%2FNew_York"
            "&start=1777608000&end=1778212799",
            None,
            {"metric": {"series": {}}},
        ),
        (
            "trigger_broadcast",
            {"broadcast_id": 7, "emails": ["user@example.com"], "data": {"coupon_code": "SAVE20"}},
            BEARER,
            "POST https://api.customer.io/v1/campaigns/7/triggers",
            {"emails": ["user@example.com"], "data": {"coupon_code": "SAVE20"}},
            {"id": 3},
        ),
        (
            "send_transactional_email",
            {
                "transactional_message_id": "1",
                "to": "user@example.com",
                "customer_id": "user_123",
                "message_data": {"order_id": "ORD-456"},
            },
            BEARER,
            "POST https://api.customer.io/v1/send/email",
            {
                "transactional_message_id": "1",
                "to": "user@example.com",
                "identifiers": {"id": "user_123"},
                "message_data": {"order_id": "ORD-456"},
            },
            {"delivery_id": "RPILAgUBcRhIBqSfeiIwdIYJKxTY", "queued_at": 1604977406},
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and value.isidentifier() else "",
)
async def test_an_operation_of_the_brief_leaves_as_the_brief_shows_it(
    tool: str,
    arguments: dict[str, Any],
    authorization: str,
    request_line: str,
    body: dict[str, Any] | None,
    answer: dict[str, Any],
) -> None:
    requests: list[httpx.Request] = []

    def customerio(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, json=answer)

    app = build(load(KEYS), wire=httpx.MockTransport(customerio))
    async with Client(Server(app)) as client:
        result = await client.call_tool(tool, arguments)
    await app.aclose()

    assert not result.is_error, result
    # What the template says is read beside.
    (request,) = [one for one in requests if not one.url.path.endswith(("/actions", "/contents"))]
    assert f"{request.method} {request.url}" == request_line
    assert request.headers["authorization"] == authorization
    sent = json.loads(request.content) if request.content else None
    if sent is not None and request.url.path.endswith("/events"):
        assert len(sent.pop("id")) == 26  # events carry their deduplication id besides
    assert sent == body


PEOPLE, EVENTS, CAMPAIGNS = "tools/people/", "tools/events.py", "tools/campaigns/"
BROADCASTS, EMAIL, CHANNELS = "tools/broadcasts/", "tools/transactional/", "tools/transactional/"
SANDBOX = "sandbox/"
TRACK = "client/people.py"
README, DOCS, CLIENT, ACCESS = "../README.md", "../docs/", "client/", "app/workspace.py"

# Every line of the brief, and where in the product (below cio_mcp/) it is found, by what words.
WHERE: dict[str, tuple[str, str]] = {
    "# Customer.io": (README, "operate a [Customer.io](https://customer.io)"),
    "Behavior-based messaging platform for email, push, SMS, and in-app.": (CHANNELS, '"/v1/send/sms"'),
    "## Capabilities": (README, "An [MCP](https://modelcontextprotocol.io) server"),
    "| Integration | Available | Notes |": (README, "hosted MCP server"),
    "| API | ✓ | Track API, App API, Journeys API |": (DOCS, "part of what Customer.io calls Journeys"),
    "| MCP | - | Not available |": ("server/server.py", "class Server(GuideServer)"),
    "| CLI | - | Not available |": ("cli/__init__.py", 'prog="cio-mcp"'),
    "| SDK | ✓ | JavaScript, iOS, Android, Ruby, Python |": (
        README,
        "This one is for agents that work",
    ),
    "## Authentication": (DOCS, "## Credentials"),
    "- **Track API**: Site ID + API Key (Basic auth)": (
        "settings/scopes.py",
        "Site id of the workspace, for the Track API",
    ),
    "- **App API**: Bearer token": (ACCESS, 'f"Bearer {key}"'),
    "- **Header**: `Authorization: Basic {base64(site_id:api_key)}`": (ACCESS, "b64encode(pair.encode())"),
    "Authorization: Basic {base64(site_id:api_key)}": (ACCESS, "b64encode(pair.encode())"),
    "Authorization: Bearer {app_api_key}": (ACCESS, 'f"Bearer {key}"'),
    "## Common Agent Operations": (DOCS, "# Tools"),
    "### Identify customer": (PEOPLE, "async def identify_customer"),
    "PUT https://track.customer.io/api/v1/customers/{customer_id}": (
        TRACK,
        "await track.put(CUSTOMER, body",
    ),
    '"email": "user@example.com",': (PEOPLE, "email: Email | None"),
    '"created_at": 1705312800,': (PEOPLE, "Sign-up, in ISO 8601."),
    '"first_name": "John",': (PEOPLE, "attributes: Attributes"),
    '"plan": "pro"': (PEOPLE, "attributes: Attributes"),
    "### Track event": (EVENTS, "async def track_event"),
    "POST https://track.customer.io/api/v1/customers/{customer_id}/events": (TRACK, 'f"{CUSTOMER}/events"'),
    '"name": "purchase",': (EVENTS, "name: EventName"),
    '"data": {': (EVENTS, "data: EventData"),
    '"product": "Pro Plan",': (EVENTS, "data: EventData"),
    '"amount": 99': (SANDBOX, "amount"),
    "### Track anonymous event": (EVENTS, "async def track_anonymous_event"),
    "POST https://track.customer.io/api/v1/events": (EVENTS, '"/api/v1/events"'),
    '"name": "page_viewed",': (EVENTS, "name: EventName"),
    '"page": "/pricing"': (EVENTS, "data: EventData"),
    "},": (EVENTS, "data: EventData"),
    '"anonymous_id": "anon_123"': (EVENTS, "anonymous_id: AnonymousId"),
    "### Delete customer": (PEOPLE, "async def delete_customer"),
    "DELETE https://track.customer.io/api/v1/customers/{customer_id}": (TRACK, "await track.delete(CUSTOMER"),
    "### Get customer (App API)": (PEOPLE, "async def get_customer"),
    "GET https://api.customer.io/v1/customers/{customer_id}/attributes": (PEOPLE, "{customer_id}/attributes"),
    "### List campaigns": (CAMPAIGNS, "async def list_campaigns"),
    "GET https://api.customer.io/v1/campaigns": (CAMPAIGNS, '"/v1/campaigns"'),
    "### Get campaign metrics": (CAMPAIGNS, "async def get_campaign_metrics"),
    "GET https://api.customer.io/v1/campaigns/{campaign_id}/metrics": (CAMPAIGNS, "{campaign_id}/metrics"),
    "### Trigger broadcast": (BROADCASTS, "async def trigger_broadcast"),
    "POST https://api.customer.io/v1/campaigns/{campaign_id}/triggers": (
        BROADCASTS,
        "{broadcast_id}/triggers",
    ),
    '"emails": ["user@example.com"],': (BROADCASTS, "emails: Annotated[Emails"),
    '"coupon_code": "SAVE20"': (BROADCASTS, "TriggerData | None"),
    "### Send transactional email": (EMAIL, "async def send_transactional_email"),
    "POST https://api.customer.io/v1/send/email": (EMAIL, '"/v1/send/email"'),
    '"transactional_message_id": "1",': (EMAIL, "transactional_message_id: Annotated["),
    '"to": "user@example.com",': (EMAIL, "Address, or several separated by commas"),
    '"identifiers": {': (EMAIL, '"identifiers": {id_type:'),
    '"id": "user_123"': (EMAIL, "customer_id: CustomerId"),
    '"message_data": {': (EMAIL, "message_data: MessageData"),
    '"order_id": "ORD-456"': (EMAIL, "message_data: MessageData"),
    "## JavaScript SDK": (DOCS, "# Tools"),
    "// Initialize": (PEOPLE, "async def identify_customer"),
    "_cio.identify({": (PEOPLE, "async def identify_customer"),
    "id: 'user_123',": (PEOPLE, "customer_id: CustomerId"),
    "email: 'user@example.com',": (PEOPLE, "email: Email | None"),
    "created_at: 1705312800,": (PEOPLE, "Sign-up, in ISO 8601."),
    "plan: 'pro'": (PEOPLE, "attributes: Attributes"),
    "// Track event": (EVENTS, "async def track_event"),
    "_cio.track('purchase', {": (EVENTS, "async def track_event"),
    "product: 'Pro Plan',": (EVENTS, "data: EventData"),
    "amount: 99": (EVENTS, "data: EventData"),
    "// Track page view": (EVENTS, "async def track_page_view"),
    "_cio.page();": (EVENTS, '"type": "page"'),
    "## Key Concepts": ("server/server.py", "INSTRUCTIONS"),
    "- **People** - Customers and leads": (PEOPLE, '"""Customers: identify, read, delete."""'),
    "- **Segments** - Dynamic groups based on attributes/behavior": (
        "toolkit/people/filters.py",
        '{"segment": {"id": 7}}',
    ),
    "- **Campaigns** - Automated message sequences": (CAMPAIGNS, "class Campaign("),
    "- **Broadcasts** - One-time sends": (BROADCASTS, "API-triggered broadcast to many people at once"),
    "- **Transactional** - Triggered messages": (EMAIL, "one email to one person"),
    "## Attribute Types": (DOCS, "**Attributes** are standard"),
    "- Standard: `email`, `created_at`, `unsubscribed`": (PEOPLE, "STANDARD = {"),
    "- Custom: Any key you define": (PEOPLE, "Custom attributes, such as"),
    "- Computed: Aggregations from events": (PEOPLE, "Custom and computed attributes"),
    "## When to Use": (README, "identify customers, track events"),
    "- Behavior-based email automation": (EVENTS, "It can start campaigns"),
    "- Multi-channel messaging (email, push, SMS)": (CHANNELS, '"/v1/send/push"'),
    "- Onboarding sequences": (SANDBOX, "onboarding"),
    "- Re-engagement campaigns": (SANDBOX, "Win-back"),
    "- Transactional messages": (EMAIL, "async def send_transactional_email"),
    "## Rate Limits": (DOCS, "# Limits"),
    "- Track API: 100 requests/second": (DOCS, "writes of customers and events | 100 per second"),
    "- App API: 10 requests/second": (DOCS, "App API: all other requests | 10 per second"),
    "## Relevant Skills": (README, "read campaigns and their"),
    "- email-sequence": (CAMPAIGNS, "async def get_campaign_metrics"),
    "- onboarding-cro": (SANDBOX, "Welcome series"),
    "- analytics-tracking": (EVENTS, "async def track_event"),
}

SYNTAX = re.compile(r"[{}();|-]+|```\w*")


@pytest.mark.repeating
@pytest.mark.parametrize("line", dict.fromkeys(line.strip() for line in BRIEF.splitlines() if line.strip()))
def test_a_line_of_the_brief_is_found_in_the_product(line: str) -> None:
    if SYNTAX.fullmatch(line):
        return
    place, words = WHERE[line]
    path = ROOT / "cio_mcp" / place
    sources = [path]
    if place.endswith("/"):
        sources = [source for kind in ("py", "json", "md") for source in path.rglob(f"*.{kind}")]

    assert any(words in source.read_text() for source in sources), f"{words!r} is not in {place}"
