"""The way in: who has the key, and how many requests each limit allows."""

import base64
import math
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cio_mcp.sandbox.asgi import Request
from cio_mcp.sandbox.http import Rejected, app_error, track_error


@dataclass(frozen=True)
class Credentials:
    """What opens the sandbox."""

    site_id: str = "sandbox-site"
    track_api_key: str = "sandbox-track-key"
    app_api_key: str = "sandbox-app-key"
    service_account: str = "sa_live_sandbox"


# Tells what counts a request such as `GET /v1/messages`: the name of each count, the most requests that it
# allows, and in how many seconds.
Counts = Callable[[str], Iterable[tuple[str, float, float]]]

DAY = 86_400


class Gate:
    """Lets in who has the key and keeps to the limit.

    Assumed (no entry): what a 401 says, and that sends answer it, and a 429, like the rest of the App API.
    Documented: `code`, which only some errors have.
    """

    def __init__(self, credentials: Credentials, counts: Counts, clock: Callable[[], float]) -> None:
        pair = f"{credentials.site_id}:{credentials.track_api_key}".encode()
        self._opens = {
            "track": f"Basic {base64.b64encode(pair).decode()}",
            "app": f"Bearer {credentials.app_api_key}",
        }
        self._sends = f"Bearer {credentials.service_account}"
        self._counts = counts
        self._clock = clock
        self._seen: dict[str, deque[float]] = defaultdict(deque)

    def check(self, request: Request) -> dict[str, str]:
        """Return the headers that an answer has, whatever it is; raises Rejected.

        Documented: where there is a limit per day, each answer says what is left of it.
        """
        path = request.path
        api = "track" if path.startswith("/api/") else "app"
        given = request.headers.get("authorization")
        if given != self._opens[api] and not (given == self._sends and _names_workspace(request)):
            if api == "track":
                raise track_error("Unauthorized", 401)
            raise app_error("unauthorized", 401, code="invalid_credentials")
        now = self._clock()
        left: dict[str, str] = {}
        counts = list(self._counts(f"{request.method} {path}"))
        for name, most, window in counts:
            seen = self._seen[name]
            while seen and seen[0] <= now - window:
                seen.popleft()
            full = len(seen) >= most
            if window >= DAY:
                remaining = 0 if full else int(most) - len(seen) - 1
                left = {"x-ratelimit-limit": f"{most:g}", "x-ratelimit-remaining": str(remaining)}
            if full:
                pause = max(1, math.ceil(seen[0] + window - now))
                raise throttled(api, most, window, None if api == "track" else pause, left)
        for name, *_ in counts:
            self._seen[name].append(now)
        return left


def throttled(api: str, most: float, window: float, pause: int | None, left: dict[str, str]) -> Rejected:
    """Return a 429: how many requests are allowed, and after how many seconds the next one is.

    Documented, 2026-09-17: a limit per day has no Retry-After, any other has one of whole seconds.
    Assumed (no entry): a 429 of Track, which documents none, and that it has no Retry-After.
    """
    if api == "track":
        refused = track_error("rate limit exceeded", 429)
    elif window >= DAY:
        refused, pause = app_error(f"rate limited to {most:g} request(s) per day", 429), None
    else:
        refused = app_error(f"rate limited to {most:g} requests per {window:g}s", 429)
    refused.headers |= left | ({} if pause is None else {"retry-after": str(pause)})
    return refused


def _names_workspace(request: Request) -> bool:
    """Say whether a send names the workspace: a service account token opens nothing else.

    Documented, 2026-09-17. Assumed (service accounts): anything else is answered with 401.
    """
    return request.path.startswith("/v1/send/") and request.headers.get("x-workspace-id") == "1"
