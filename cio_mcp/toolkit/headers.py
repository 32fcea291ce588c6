"""The email headers that a call may set: none that names a recipient, a sender or a route."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator

from cio_mcp.toolkit.params import JsonObject, one_line

# Allowed names, in lower case. Any other header could change who a message goes to or comes from.
ALLOWED = re.compile(
    r"list-[a-z-]+|x-[a-z0-9-]+|auto-submitted|comments|feedback-id|importance|in-reply-to|keywords"
    r"|organization|precedence|priority|references"
)

# Mail relays act on headers of their own: recipient lists (SendGrid), copies, other senders, routes.
OBEYED = re.compile(
    r"x-(smtpapi|msys-|mc-|mailgun-|mj-|pm-|ses-|sib-|mailin-|tm-|elasticemail|sg-|postmark|mandrill|sparkpost"
    r"|kumo|postal-|(.*-)?(v?mta|ip-?pool)|.*(rcpt|recipient|envelope|bcc|cop(y|ies)|forward|redirect|deliver"
    r"|return-path|sender|resent|relay|rout(e|ing))|(.*-)?(to|cc|from)$)"
)


def check_headers(headers: dict[str, Any]) -> dict[str, str]:
    """Return the headers if an email may have them; else raise ValueError."""
    for name, value in headers.items():
        key = name.lower()
        if not ALLOWED.fullmatch(key) or OBEYED.match(key):
            message = (
                f"{name!r} cannot be set. Allowed are List-… and X-… headers and descriptive ones such as "
                "Importance and In-Reply-To, but none that names recipients, senders or routes: use the "
                "arguments to, cc, bcc, from_address and reply_to for those"
            )
            raise ValueError(message)
        if not isinstance(value, str):
            message = f"{name}: must be text"
            raise ValueError(message)  # noqa: TRY004 - pydantic reports ValueErrors
        try:
            one_line(value)
        except ValueError as error:
            message = f"{name}: {error}"
            raise ValueError(message) from None
    return headers


Headers = Annotated[JsonObject, AfterValidator(check_headers)]
