"""Headers of an email that a call may set: none of them names a recipient, a sender or a route."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator

from cio_mcp.toolkit.params import JsonObject, one_line

# What may be set, in lower case. Everything else could say to whom or from whom a message goes.
ALLOWED = re.compile(
    r"list-[a-z-]+|x-[a-z0-9-]+|auto-submitted|comments|feedback-id|importance|in-reply-to|keywords"
    r"|organization|precedence|priority|references"
)

# Relays obey headers of their own: a list of recipients (SendGrid), copies, other senders, routes.
OBEYED = re.compile(
    r"x-(smtpapi|msys-|mc-|mailgun-|mj-|pm-|ses-|sib-|mailin-|tm-|elasticemail|sg-|postmark|mandrill|sparkpost"
    r"|.*(rcpt|recipient|envelope|bcc|forward|redirect|return-path|sender|resent|relay)|(.*-)?(to|cc|from)$)"
)


def _headers(headers: dict[str, Any]) -> dict[str, str]:
    for name, value in headers.items():
        key = name.lower()
        if not ALLOWED.fullmatch(key) or OBEYED.match(key):
            message = (
                f"{name!r} cannot be set: List-… and X-… headers can, and what says how a message is meant "
                "(Importance, In-Reply-To, …), but none that names recipients, senders or routes; use to, "
                "cc, bcc, from_address and reply_to"
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


Headers = Annotated[JsonObject, AfterValidator(_headers)]
