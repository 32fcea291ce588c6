"""Customer.io's documented limits, each declared here and nowhere else.

The pace, the defaults of settings, metrics, the sandbox, docs and the guide for agents follow `LIMITS`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

PERIODS = {1: "second", 60: "minute", 3600: "hour", 86_400: "day"}


@dataclass(frozen=True)
class Limit:
    """At most `requests` in any `window` seconds, of the requests that `covers` fits.

    `covers` is matched with all of a request's method and path, as in `GET /v1/messages`; of the limits that
    cover a request the first counts, and with it the wider one that it names as `within`. With `each_path`
    every path is counted for itself. `purpose` tells people what the requests are for, and `setting` is the
    setting that changes the number that `sets` names, if one does.
    """

    name: str
    requests: float
    window: float
    covers: re.Pattern[str]
    purpose: str
    setting: str = ""
    sets: Literal["requests", "window"] = "requests"
    each_path: bool = False
    within: str = ""

    def __str__(self) -> str:
        period = PERIODS.get(int(self.window))
        return f"{self.requests:g} " + (f"per {period}" if period else f"in {self.window:g} seconds")


# Track documents 1000 per second but no 429; the 100 here is what the vendor asked for until 2024 and is kind
# to a backend that shares the workspace. The others are of the App API's reference (2026-08).
LIMITS = (
    Limit(
        "track",
        requests=100,
        window=1,
        covers=re.compile(r"\w+ /api/.*"),
        purpose="Track API: writes of customers and events",
        setting="track_rate",
    ),
    Limit(
        "send",
        requests=100,
        window=1,
        covers=re.compile(r"POST /v1/send/.*"),
        purpose="transactional messages",
        setting="send_rate",
    ),
    Limit(
        "broadcast",
        requests=1,
        window=10,
        covers=re.compile(r"POST /v1/campaigns/[^/]+/triggers"),
        purpose="triggers of one broadcast",
        setting="broadcast_interval",
        sets="window",
        each_path=True,
    ),
    Limit(
        "archive",
        requests=100,
        window=86_400,
        covers=re.compile(r"GET /v1/messages/[^/]+/archived_message"),
        purpose="bodies of sent messages",
        within="app",
    ),
    Limit(
        "design_studio",
        requests=5,
        window=1,
        covers=re.compile(r"\w+ /v1/design_studio/emails/[^/]+/(link|publish|render|preview|review)"),
        purpose="previews, reviews and publishing in Design Studio",
        within="app",
    ),
    Limit(
        "app",
        requests=10,
        window=1,
        covers=re.compile(r".*"),
        purpose="App API: all other requests",
        setting="app_rate",
    ),
)

# Of one request to Track v2, "batch": less than 500 kB in all, 32 kB an operation; whether a kilobyte has
# 1000 or 1024 bytes is not said. No count is documented: ours keeps few rows in doubt if no answer comes.
BATCH_BYTES, OPERATION_BYTES, BATCH_OPERATIONS = 499_000, 32_000, 1000

# Seconds for which the API keeps activities (App API, activities: about 30 days).
LOGGED = 30 * 86_400


def covering(request: str, limits: Iterable[Limit] = LIMITS) -> list[Limit]:
    """Return the limits that count a request, told by method and path, the narrowest first."""
    named = {limit.name: limit for limit in limits}
    found = [next(limit for limit in named.values() if limit.covers.fullmatch(request))]
    while found[-1].within:
        found.append(named[found[-1].within])
    return found


# Bytes, as the App API's reference has them: a message without its attachments, all of those decoded
# ("sendEmail"), the rows of a collection ("Collections"), and a broadcast's trigger ("triggerBroadcast").
MESSAGE_BYTES, ATTACHMENTS_BYTES, COLLECTION_BYTES, TRIGGER_BYTES = (
    1_000_000,
    2_000_000,
    10_000_000,
    25_000_000,
)

# What a client sends for the largest of them, with base64 (four characters for three bytes), and room for
# escapes and spaces of JSON and for the frame of MCP.
CALL_BYTES = max(MESSAGE_BYTES + ATTACHMENTS_BYTES * 4 // 3, COLLECTION_BYTES, TRIGGER_BYTES) * 5 // 4
