"""How a call can end badly, and what the agent is told about it.

CustomerIOError        a call that did not end well; `str()` is the text the agent reads
├── InvalidArgument    not sent: an argument was wrong
├── NotSent            not sent: no turn in time, or no connection
├── NotAllowed         not sent: a setting of this server, or a person, forbids it
│   └── NotConfirmed   not sent: the confirmation does not hold; there is a fresh preview
├── Refused            Customer.io said no
└── UnknownOutcome     the request left and no usable answer came back
Unauthorized           an HTTP request brought no token that holds
SettingsError          a setting is wrong; the program stops with its text
"""

import json
import re
from collections.abc import Iterator
from typing import Any, ClassVar, Literal

Json = dict[str, Any] | list[Any] | str | int | float | bool | None


class CustomerIOError(Exception):
    """A call that did not end well: what failed, why, and what to do next.

    `retryable` says whether the same call can succeed later, `retry_in` after how many seconds;
    `status`, `reason` and `field` are Customer.io's own words where it answered; `waited` is how many seconds
    the call waited for its turn, where that is worth telling.
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

    def __str__(self) -> str:
        waited = f"The call waited {self.waited:.0f} s for its turn." if self.waited else ""
        return " ".join(part for part in (self.what, waited, self.do) if part)

    def facts(self) -> dict[str, Any]:
        """Return the failure for programs: the outcome, whether to retry, and what is known besides."""
        known = {
            "status": self.status,
            "reason": self.reason,
            "field": self.field,
            "retry_in_seconds": None if self.retry_in is None else round(self.retry_in, 1),
            "waited_seconds": self.waited,
            "next": self.do or None,
        }
        return {
            "outcome": self.outcome,
            "error": self.what,
            "retryable": self.retryable,
            **{name: value for name, value in known.items() if value is not None},
        }


class InvalidArgument(CustomerIOError):
    """An argument was wrong; nothing was sent. `faults` holds one line per fault, argument first."""

    outcome = "not_sent"

    def __init__(self, *faults: str) -> None:
        super().__init__("\n".join(("Nothing was sent; correct the arguments:", *faults)))
        self.faults = faults


class NotSent(CustomerIOError):
    """The request never left: its turn would have come too late, or no connection was made."""

    outcome = "not_sent"


class NotAllowed(CustomerIOError):
    """A bound of this server, or a person who was asked, forbids the call; nothing was sent.

    `record` says why in words that hold no personal data.
    """

    outcome = "not_sent"

    def __init__(self, what: str, *, record: str = "", **more: Any) -> None:
        super().__init__(what, **more)
        self.record = record or what


class NotConfirmed(NotAllowed):
    """The confirmation does not hold for this call; `preview` shows what the call would do now."""

    def __init__(self, reason: str, preview: dict[str, Any]) -> None:
        super().__init__(f"Nothing was done: {reason}.", do=f"A fresh preview: {json.dumps(preview)}")
        self.preview = preview

    def facts(self) -> dict[str, Any]:
        """Return the failure for programs, with the preview."""
        return super().facts() | {"preview": self.preview}


class Refused(CustomerIOError):
    """Customer.io answered, and the answer was no."""

    outcome = "refused"


class UnknownOutcome(CustomerIOError):
    """The request left and no usable answer came: it may or may not have taken effect."""

    outcome = "unknown"


class Unauthorized(Exception):
    """A request over HTTP brought no token that holds; the text says why and quotes nothing of the token.

    `status` is the HTTP status and `error` a code of RFC 6750, none where no token was brought.
    """

    def __init__(self, why: str, *, status: int = 401, error: str = "invalid_token") -> None:
        super().__init__(why)
        self.status, self.error = status, error


class SettingsError(Exception):
    """A setting is wrong; the text names the variable and the way out."""


NEXT_STEP = {
    400: "Correct what it names and call again.",
    403: "The workspace does not allow this; a person has to change it in Customer.io's settings.",
    404: "Check the identifier (and id_type); what was made moments ago can take a few seconds to appear.",
    405: "The address is not one of Customer.io's; check CIO_TRACK_URL and CIO_APP_URL.",
    413: "Send less in one call.",
    422: "Correct what it names and call again.",
}


# So many faults of one answer are told, each in so many characters.
FAULTS_TOLD = 10
FAULT_LENGTH = 300


def refusal(status: int, body: bytes, *, do: str = "", retry_in: float | None = None) -> Refused:
    """Make one error of an answer that is not a success, whatever its body looks like.

    `status` is the HTTP status, `body` the raw body; `do` replaces the usual advice for the status.
    """
    try:
        faults = list(_faults(body))
    except RecursionError:
        faults = [("the answer is nested too deeply", None)]
    told = [f"{field}: {text}" if field else text for text, field in faults[:FAULTS_TOLD]]
    left_out = [f"and {len(faults) - len(told)} more"] if len(faults) > len(told) else []
    reason = "; ".join(told + left_out)
    retryable = status in {408, 429, 500} or status > 501  # 501 stays: it is not implemented
    return Refused(
        f"Customer.io answered {status}: {reason or 'no reason given'}.",
        do=do or NEXT_STEP.get(status, "Try again later." if retryable else ""),
        retryable=retryable,
        retry_in=retry_in,
        status=status,
        reason=reason or None,
        field=next((field for _, field in faults if field), None),
    )


def _faults(body: bytes) -> Iterator[tuple[str, str | None]]:
    """Yield (reason, field) for each fault in the five envelopes, other JSON, HTML or plain text.

    The envelopes are `{"meta": {"error"}}`, `{"meta": {"errors": []}}`, and `{"errors": [{}]}` with
    `detail`, with `source.pointer` besides, or with `reason`, `field` and `message`.
    """
    text = body.decode("utf-8", "replace").strip()
    try:
        found: Json = json.loads(text) if text else None
    except ValueError:
        yield _plain(text), None
        return
    if isinstance(found, dict) and isinstance(meta := found.get("meta"), dict):
        found = meta
    entries = found.get("errors", found.get("error", found)) if isinstance(found, dict) else found
    for entry in entries if isinstance(entries, list) else [entries]:
        if fault := _fault(entry):
            yield fault


def _fault(entry: Json) -> tuple[str, str | None] | None:
    if not isinstance(entry, dict):
        return (_plain(str(entry)), None) if entry else None
    source = entry.get("source")
    pointer = source.get("pointer") if isinstance(source, dict) else None
    field = entry.get("field") or pointer
    words = [entry.get(key) for key in ("detail", "message", "reason")]
    text = next((_plain(word) for word in words if isinstance(word, str) and word.strip()), "")
    return (text or _plain(json.dumps(entry)), _plain(str(field)) if field else None) if entry else None


def _plain(text: str) -> str:
    """Return one short line: the title of an HTML page, or the beginning of a text."""
    text = text[:10_000].encode("utf-8", "replace").decode()  # JSON can have halves of characters
    if re.match(r"\s*<(!doctype|html|head|body)", text, re.IGNORECASE):
        title = re.search(r"<title[^>]*>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
        text = f"an HTML page ({title[1].strip() if title else 'untitled'}), perhaps from a proxy"
    line = " ".join(text.split()).rstrip(".")
    if len(line) <= FAULT_LENGTH:
        return line
    # Whole words: what is left of half an address would not be known for one, and not be hidden.
    return (line[:FAULT_LENGTH].rpartition(" ")[0] or line[: FAULT_LENGTH - 1]) + "…"
