"""Every operation of Customer.io's Python SDK works on the sandbox, or is told: `… HTTP_URL HTTPS_PORT`."""

import inspect
import sys
from importlib.metadata import version

import customerio
from customerio import APIClient, CustomerIO

url, port = sys.argv[1], int(sys.argv[2])
track = CustomerIO("sandbox-site", "sandbox-track-key", host="127.0.0.1", port=port)
app = APIClient("sandbox-app-key", url=url)
who = {"identifiers": {"id": "every_python"}}
mail = customerio.SendEmailRequest(to="every@example.com", transactional_message_id=1, **who)

CALLS = [
    (track, "identify", ["every_python"], {"email": "every@example.com"}),
    (track, "identify", ["other_python"], {}),
    (track, "track", ["every_python", "purchase", {"amount": 1}], {}),
    (track, "track_anonymous", ["anon", "looked", {}], {}),
    (track, "pageview", ["every_python", "/pricing"], {}),
    (track, "backfill", ["every_python", "purchase", 1_780_000_000], {"amount": 1}),
    (track, "add_device", ["every_python", "token-2", "ios"], {}),
    (track, "batch", [[{"type": "person", "action": "event", "name": "seen", **who}]], {}),
    (track, "merge_customers", ["id", "every_python", "id", "other_python"], {}),
    (
        app,
        "send_email",
        [mail],
        {},
    ),
    (app, "send_push", [customerio.SendPushRequest(transactional_message_id=3, **who)], {}),
    (app, "send_sms", [customerio.SendSMSRequest(to="+15551234567", transactional_message_id=4, **who)], {}),
    (app, "send_in_app", [customerio.SendInAppRequest(transactional_message_id=5, **who)], {}),
    (app, "send_inbox_message", [customerio.SendInboxMessageRequest(transactional_message_id=6, **who)], {}),
    (
        *(app, "send_whatsapp"),
        *([customerio.SendWhatsAppRequest(to="+15551234567", transactional_message_id=7, **who)], {}),
    ),
    (track, "delete_device", ["every_python", "token-2"], {}),
    (track, "suppress", ["every_python"], {}),
    (track, "unsuppress", ["every_python"], {}),
    (track, "delete", ["every_python"], {}),
]

# What asks for nothing of the API.
OURS = {"close", "is_valid_id_type", "send_request", "setup_base_url"}

for client, name, given, named in CALLS:
    getattr(client, name)(*given, **named)
operations = {
    (kind, name)
    for kind in (CustomerIO, APIClient)
    for name, _ in inspect.getmembers(kind, inspect.isfunction)
    if name not in OURS and not name.startswith("_") and not name.endswith("_query_string")
}
untried = operations - {(type(client), name) for client, name, *_ in CALLS}
assert not untried, f"not among the calls: {untried}"
print(f"ok customerio (Python) {version('customerio')}: all of its {len(operations)} operations")
