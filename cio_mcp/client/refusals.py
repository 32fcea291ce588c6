"""What Customer.io says when it says no: one error of its many kinds of bodies."""

import json
import math
import re
from collections.abc import Iterator

import httpx

from cio_mcp.client.bodies import TooMuch, parsed_json
from cio_mcp.client.call import RequestKind, failed
from cio_mcp.client.pacing import is_used_up, pause_asked
from cio_mcp.errors import Json, Refused

NEXT_STEP = {
    400: "Correct what the reason names and call again.",
    403: "The workspace does not allow this; a person has to change that in Customer.io's settings.",
    404: "Check what the call names. Something created moments ago can take a few seconds to appear.",
    405: "This address is not one of Customer.io's; check CIO_TRACK_URL and CIO_APP_URL.",
    413: "Send less in one call.",
    422: "Correct what the reason names and call again.",
}

# What a route asks for.
_ASKED = re.compile(r"{(\w+)}")

# The status of an answer that refuses a part of what was asked.
PARTLY = 207

# The number of faults of one answer that are reported, and the length of each in characters.
FAULTS_TOLD = 10
FAULT_LENGTH = 300


def refusal(
    status: int, body: bytes, *, do: str = "", retry_in: float | None = None, waiting_helps: bool = True
) -> Refused:
    """Return the error for an answer that is not a success, whatever its body looks like.

    `status` is the HTTP status, `body` the raw body; `do` replaces the usual advice for the status.
    """
    faults = list(_faults(body))
    told = [f"{field}: {text}" if field else text for text, field in faults[:FAULTS_TOLD]]
    left_out = [f"and {len(faults) - len(told)} more"] if len(faults) > len(told) else []
    reason = "; ".join(told + left_out)
    retryable = waiting_helps and (status in {408, 429} or failed(status))
    return Refused(
        f"Customer.io answered {status}: {reason or 'no reason given'}.",
        do=do or NEXT_STEP.get(status, "Try again later." if retryable else ""),
        retryable=retryable,
        retry_in=retry_in,
        status=status,
        reason=reason or None,
        field=next((field for _, field in faults if field), None),
    )


def throttled(response: httpx.Response) -> Refused:
    """Return the error for a 429: Customer.io's words, and whether and how long to wait."""
    asked = response.request.extensions
    if is_used_up(response):
        do = "The call was not executed. A limit per day is used up: waiting does not help before tomorrow."
        return refusal(429, response.content, do=do, waiting_helps=False)
    bucket = asked["buckets"][0]
    triggers, app = asked["kind"] is RequestKind.TRIGGER, asked["route"].startswith("/v1/")
    if app and not triggers and "retry-after" not in response.headers:
        # App API, 429: where it is a limit per second there is a Retry-After.
        do = (
            "The call was not executed, even when tried again, and Customer.io does not say when to call "
            "again. Waiting a minute may help; if it does not, a limit per day may be used up."
        )
        return refusal(429, response.content, do=do)
    retry_in = pause_asked(response, bucket.window, longest=math.inf)
    do = f"The call was not executed. Call again in {retry_in:.0f} s."
    if triggers:
        # App API, "Send Messages": both are answered alike.
        do += " Customer.io accepts one trigger of a broadcast per 10 s, and queues at most 5."
    return refusal(429, response.content, do=do, retry_in=retry_in)


def error_in(answer: Json, status: int) -> str:
    """Return the error that the answer to a change tells although it says that it is a success, "" if none.

    A batch (207) answers those of some operations.
    """
    if status == PARTLY:
        return ""
    told = answer.get("meta", answer) if isinstance(answer, dict) else None
    error = (told.get("error") or told.get("errors")) if isinstance(told, dict) else None
    first = error[0] if isinstance(error, list) else error
    fault = fault_in(first) if error else None
    return fault[0] if fault else ""


def not_found(route: str) -> str:
    """Return the advice for a 404 on a route such as `/v1/segments/{segment_id}`: check what it asks for."""
    names = [f"{name} and id_type" if name == "customer_id" else name for name in _ASKED.findall(route)]
    return NEXT_STEP[404].replace("what the call names", ", ".join(names) or "what the call names")


def _faults(body: bytes) -> Iterator[tuple[str, str | None]]:
    """Yield (reason, field) for each fault in one of five envelopes, other JSON, HTML or plain text.

    The envelopes are `{"meta": {"error"}}`, `{"meta": {"errors": []}}`, and `{"errors": [{}]}` with `detail`,
    with `detail` and `source.pointer`, or with `reason`, `field` and `message`.
    """
    text = body.decode("utf-8", "replace").strip()
    try:
        found: Json = parsed_json(body) if text else None
    except TooMuch:
        yield "the answer is too large or nested too deeply", None
        return
    except ValueError:
        yield _plain(text), None
        return
    if isinstance(found, dict) and isinstance(meta := found.get("meta"), dict):
        found = meta
    entries = found.get("errors", found.get("error", found)) if isinstance(found, dict) else found
    for entry in entries if isinstance(entries, list) else [entries]:
        if fault := fault_in(entry):
            yield fault


def fault_in(entry: Json) -> tuple[str, str | None] | None:
    """Return the reason and the field that one entry of an envelope tells, None for an empty one."""
    if not isinstance(entry, dict):
        return (_plain(str(entry)), None) if entry else None
    source = entry.get("source")
    pointer = source.get("pointer") if isinstance(source, dict) else None
    field = entry.get("field") or pointer
    words = [entry.get(key) for key in ("detail", "message", "reason")]
    text = next((_plain(word) for word in words if isinstance(word, str) and word.strip()), "")
    if text and (more := entry.get("meta")):
        text = _plain(f"{text}: {json.dumps(more, ensure_ascii=False)}")
    return (text or _plain(json.dumps(entry)), _plain(str(field)) if field else None) if entry else None


def _plain(text: str) -> str:
    """Return one short line: the title of an HTML page, or the start of a text."""
    text = text[:10_000].encode("utf-8", "replace").decode()  # JSON can have halves of characters
    if re.match(r"\s*<(!doctype|html|head|body)", text, re.IGNORECASE):
        title = re.search(r"<title[^>]*>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
        text = f"an HTML page ({title[1].strip() if title else 'untitled'}), perhaps from a proxy"
    line = " ".join(text.split()).rstrip(".")
    if len(line) <= FAULT_LENGTH:
        return line
    # Cut at a word's end: half an address would not be recognised as one, and so not be hidden.
    return (line[:FAULT_LENGTH].rpartition(" ")[0] or line[: FAULT_LENGTH - 1]) + "…"
