"""How a call can fail, and what the agent is told about it.

CustomerIOError        a failed call; `str()` is the text that the agent reads
├── InvalidArgument    not sent: an argument was wrong
├── NotSent            not sent: no turn in time, or no connection
├── NotAllowed         not sent: a setting of this server or a person forbids it
│   ├── NotConfirmed   not sent: the confirmation is not valid; contains a fresh preview
│   └── Declined       not sent: the person who was asked did not agree
├── Refused            Customer.io refused the request
└── UnknownOutcome     the request was sent and no usable answer came back
Unauthorized           an HTTP request without a valid token
SettingsError          a setting is wrong; the program stops with its text
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Literal

Json = dict[str, Any] | list[Any] | str | int | float | bool | None


class CustomerIOError(Exception):
    """A failed call: what failed, why, and what to do next.

    `retryable` says whether the same call can succeed later, `retry_in` after how many seconds. `status`,
    `reason` and `field` come from Customer.io's answer, if there was one. `waited` is how many seconds the
    call waited for its turn, if that is worth mentioning, and `results` the name of what is kept of its rows.
    """

    outcome: ClassVar[Literal["refused", "not_sent", "unknown"]]

    def __init__(
        self,
        what: str,
        *,
        do: str = "",
        retryable: bool = False,
        retry_in: float | None = None,
        status: int | None = None,
        reason: str | None = None,
        field: str | None = None,
    ) -> None:
        super().__init__(what, do)
        self.what, self.do = what, do
        self.retryable, self.retry_in = retryable, retry_in
        self.status, self.reason, self.field = status, reason, field
        self.waited: float | None = None
        self.results: str | None = None

    def __str__(self) -> str:
        waited = f"The call waited {self.waited:.0f} s for its turn." if self.waited else ""
        return " ".join(part for part in (self.what, waited, self.do) if part)

    def facts(self) -> dict[str, Any]:
        """Return the failure for programs: the outcome, whether to retry, and further facts."""
        known = {
            "status": self.status,
            "reason": self.reason,
            "field": self.field,
            "retry_in_seconds": None if self.retry_in is None else round(self.retry_in, 1),
            "waited_seconds": self.waited,
            "results": self.results,
            "next": self.do or None,
        }
        return {
            "outcome": self.outcome,
            "error": self.what,
            "retryable": self.retryable,
            **{name: value for name, value in known.items() if value is not None},
        }


class InvalidArgument(CustomerIOError):
    """An argument was wrong; nothing was sent.

    `faults` has one line per fault, which starts with the argument.
    """

    outcome = "not_sent"

    def __init__(self, *faults: str) -> None:
        self.faults = faults
        super().__init__(self._told("Nothing was sent; correct the arguments:"))

    def of_read(self) -> None:
        """Leave out that nothing was sent: the call would have changed nothing anyway."""
        self.what = self._told("Correct the arguments:")

    def _told(self, opening: str) -> str:
        return "\n".join((opening, *self.faults))


class NotSent(CustomerIOError):
    """The request was not sent: its turn would have come too late, or no connection was made."""

    outcome = "not_sent"


class NotAllowed(CustomerIOError):
    """A bound of this server, or a person who was asked, forbids the call; nothing was sent.

    `record` is the reason without personal data, for the audit log.
    """

    outcome = "not_sent"

    def __init__(self, what: str, *, record: str = "", **more: Any) -> None:
        super().__init__(what, **more)
        self.record = record or what


class NotConfirmed(NotAllowed):
    """The confirmation is not valid for this call; `preview` shows what the call would do now."""

    def __init__(self, reason: str, preview: dict[str, Any]) -> None:
        do = "Read the fresh preview; to carry it out, repeat the call with its confirmation."
        super().__init__(f"Nothing was done: {reason}.", do=do)
        self.preview = preview

    def __str__(self) -> str:
        return f"{self.what} Here is a fresh preview: {json.dumps(self.preview)}"

    def facts(self) -> dict[str, Any]:
        """Return the failure for programs, with the preview."""
        return super().facts() | {"preview": self.preview}


class Declined(NotAllowed):
    """The person who was asked did not agree to the call; `code` is that of the preview in the question."""

    def __init__(self, what: str, code: str) -> None:
        super().__init__(what, do="Do not ask again unless the person wants it.")
        self.code = code


class Refused(CustomerIOError):
    """Customer.io refused the request; it had no effect."""

    outcome = "refused"


class UnknownOutcome(CustomerIOError):
    """The request was sent and no usable answer came back: it may or may not have taken effect."""

    outcome = "unknown"


# How a failed call says that it had no effect, before it says why.
_NO_EFFECT = re.compile(r"(Nothing was (done|sent)|Not sent): ")


def in_part(error: CustomerIOError, requests: int) -> UnknownOutcome:
    """Return the error for a call of which `requests` requests had an effect, or may have, before `error`."""
    had = "1 of its requests" if requests == 1 else f"{requests} of its requests"
    return UnknownOutcome(
        f"Unknown outcome: the call ended before it was complete. {had} took effect, or may have, and then "
        f"it failed: {_NO_EFFECT.sub('', error.what)}",
        do="Find out what was done before you call again.",
        status=error.status,
        reason=error.reason,
    )


@contextmanager
def checked() -> Iterator[None]:
    """Say that a call was not sent if it could not be checked inside."""
    try:
        yield
    except NotAllowed:
        raise
    except CustomerIOError as error:
        why = _NO_EFFECT.sub("", error.what).removeprefix("Unknown outcome: ")
        what = f"Not sent: the call could not be checked before it left, since a look-up failed: {why}"
        raise NotSent(what, do=error.do, retryable=error.retryable) from None


class Unauthorized(Exception):
    """A request over HTTP had no valid token; the text says why and quotes no part of the token.

    `status` is the HTTP status and `error` a code of RFC 6750, empty if there was no token.
    """

    def __init__(self, why: str, *, status: int = 401, error: str = "invalid_token") -> None:
        super().__init__(why)
        self.status, self.error = status, error


class SettingsError(Exception):
    """A setting is wrong; the text names the variable and the remedy."""
