"""Customer.io's Python SDK works on the sandbox: `python customerio_sdk.py HTTP_URL HTTPS_PORT`.

Its Track client speaks https only; REQUESTS_CA_BUNDLE names the certificate to trust.
"""

import sys
from importlib.metadata import version

from customerio import APIClient, CustomerIO, SendEmailRequest

url, port = sys.argv[1], int(sys.argv[2])
track = CustomerIO("sandbox-site", "sandbox-track-key", host="127.0.0.1", port=port)
track.identify("sdk_python", email="python@example.com", plan="pro")
track.track("sdk_python", "purchase", {"amount": 7})
track.track_anonymous("anon_python", "looked", {"page": "/pricing"})
track.pageview("sdk_python", "/pricing")
track.identify("sdk_python_gone")
track.delete("sdk_python_gone")
app = APIClient("sandbox-app-key", url=url)
request = SendEmailRequest(
    to="python@example.com",
    transactional_message_id="1",
    identifiers={"id": "sdk_python"},
    message_data={"order_id": "1"},
)
assert app.send_email(request)["delivery_id"]
print(f"ok customerio (Python) {version('customerio')}: identify, track, page view, delete, send")
