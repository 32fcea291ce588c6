"""The email headers that a call may set: none that names a recipient, a sender or a route."""

import re
from collections.abc import Collection
from typing import Annotated, Any

from pydantic import AfterValidator, ValidationInfo

from cio_mcp.toolkit.arguments.parse_context import context_of
from cio_mcp.toolkit.arguments.types import JsonObject, one_line

# Allowed names, in lower case. Any other header could change who a message goes to or comes from.
ALLOWED = re.compile(
    r"list-[a-z-]+|x-[a-z0-9-]+|auto-submitted|comments|feedback-id|importance|in-reply-to|keywords"
    r"|organization|precedence|priority|references"
)

# Headers that name people, senders or routes, whoever reads them.
REACHES = re.compile(
    r"x-(smtpapi|msys-|kumo|(.*-)?(v?mta|ip-?pool)|.*(rcpt|recipient|envelope|bcc|cop(y|ies)|forward|redirect"
    r"|deliver|return-path|sender|resent|relay|rout(e|ing))|(.*-)?(to|cc|from)$)"
)

# Headers by which mail relays are told what to do: only those that an operator names (CIO_ALLOWED_HEADERS).
OF_RELAYS = re.compile(
    r"x-(mc-|mailgun-|mj-|pm-|ses-|sib-|mailin-|tm-|elasticemail|sg-|postmark|mandrill|sparkpost|postal-)"
)


def relay_header(name: str) -> str:
    """Return the name of a relay's header that an operator allows; raises ValueError for any other."""
    key = name.lower()
    if not ALLOWED.fullmatch(key) or not OF_RELAYS.match(key) or REACHES.match(key):
        message = (
            f"{name} is not a header for a mail relay such as X-MC-Tags, or it names recipients or routes"
        )
        raise ValueError(message)
    return key


def check_headers(headers: dict[str, Any], allowed: Collection[str] = ()) -> dict[str, str]:
    """Return the headers if an email may have them; else raise ValueError. `allowed` are some of relays."""
    for name, value in headers.items():
        key = name.lower()
        relays = OF_RELAYS.match(key) and key not in allowed
        if not ALLOWED.fullmatch(key) or REACHES.match(key) or relays:
            message = (
                f"{name!r} cannot be set. Allowed are List-… and X-… headers and descriptive ones such as "
                "Importance and In-Reply-To, but none that names recipients, senders or routes (use the "
                "arguments to, cc, bcc, from_address and reply_to for those), and of mail relays' own only "
                "those that an operator names (CIO_ALLOWED_HEADERS)"
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


def _headers(headers: dict[str, Any], asked: ValidationInfo) -> dict[str, str]:
    return check_headers(headers, context_of(asked).headers)


Headers = Annotated[JsonObject, AfterValidator(_headers)]
