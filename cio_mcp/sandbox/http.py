"""How the imitated APIs answer: bodies, error envelopes, and the shape of a request as routes see it."""

import base64
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Any, Literal

from cio_mcp.sandbox.bodies import WrongBody, parsed
from cio_mcp.sandbox.state.workspace import Workspace

# What a list is ordered by: a time, and a number where times are the same.
Key = tuple[int, int]


class Rejected(Exception):
    """An answer that is not a success: its status, JSON body and headers."""

    def __init__(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        super().__init__(status, body)
        self.status, self.body, self.headers = status, body, headers or {}


@dataclass(frozen=True)
class PartialAnswer:
    """The body of an answer that something of a batch was refused; the rest of it takes effect."""

    body: dict[str, Any]


def track_error(message: str, status: int = 400) -> Rejected:
    """Return a refusal of the Track API and of sends: `{"meta": {"error": …}}` (documented).

    Assumed (words of refusals): what each says, where the documents quote nothing.
    """
    return Rejected(status, {"meta": {"error": message}})


def app_error(
    detail: str, status: int, pointer: str = "", *, code: str = "", retry_after: int | None = None
) -> Rejected:
    """Return a refusal of the App API.

    Live, recorded: `status` inside is a text; a detail ends with a reference for support, but not where a
    pointer says which field is wrong. Documented: only some errors have a `code`.
    Assumed (words of refusals): what each says, where the documents quote nothing.
    """
    named = {"source": {"pointer": pointer}} if pointer else {}
    coded = {"code": code} if code else {}
    told = detail if pointer else f"{detail} (reference {secrets.token_hex(3)})"
    headers = {} if retry_after is None else {"retry-after": str(retry_after)}
    return Rejected(status, {"errors": [{"detail": told, **coded, **named, "status": str(status)}]}, headers)


def refusal(path: str, detail: str, status: int = 400) -> Rejected:
    """Return a refusal in the form that a path's API has: newsletters have no status inside.

    All documented.
    """
    if path.startswith("/api/v2/"):
        return Rejected(status, {"errors": [{"reason": "invalid", "field": "", "message": detail}]})
    if path.startswith(("/api/", "/v1/send/")):
        return track_error(detail, status)
    if path.startswith("/v1/newsletters"):
        return Rejected(status, {"errors": [{"detail": detail}]})
    return app_error(detail, status)


def whole(text: str) -> int | None:
    """Return the whole number that a text is; None for any other, or one that is longer than Python reads."""
    try:
        return int(text) if text.isdecimal() else None
    except ValueError:
        return None


@dataclass
class ApiRequest:
    """One request: path values decoded once, query, raw body."""

    path: str
    ids: dict[str, str]
    query: dict[str, str]
    body: bytes
    workspace: Workspace

    def refusal(self, detail: str, status: int = 400) -> Rejected:
        """Return a refusal in the form that this path's API has."""
        return refusal(self.path, detail, status)

    def json(self) -> dict[str, Any]:
        """Return the body, which must be a JSON object; it is read once."""
        return self._json

    @cached_property
    def _json(self) -> dict[str, Any]:
        why = ""
        try:
            found = parsed(self.body)
        except WrongBody as wrong:
            found, why = None, f" {wrong}".rstrip()
        if not isinstance(found, dict):
            raise self.refusal(f"request body must be a JSON object{why}")
        return found

    def number(self, name: str) -> int:
        """Return a path value that must be a number; what is none names nothing."""
        if (found := whole(self.ids[name])) is None:
            raise app_error(f"{name} must be a number", 400)
        return found

    def thing(self, kind: str, name: str) -> dict[str, Any]:
        """Return the configured thing of a kind that the path value `name` names.

        Live, recorded: a 404 does not say what was not found.
        """
        found = self.workspace.thing(kind, self.number(name))
        if found is None:
            raise self.refusal("not found", 404)
        return found

    def seconds(self, name: str, default: int) -> int:
        """Return a time from the query, in unix seconds."""
        found = whole(self.query.get(name, str(default)))
        if found is None or found > 10**11:
            raise app_error(f"{name} must be unix seconds", 400)
        return found

    def page(
        self,
        found: Iterable[tuple[Key, Any]],
        default: int = 50,
        most: int = 1000,
        *,
        ends_empty: bool = False,
    ) -> tuple[list[Any], str]:
        """Return the page that `limit` and `start` ask for, and the `start` of the one after it.

        `found` has a key with each item, by which they descend: what comes and goes between two pages moves
        none of them. With `ends_empty` the page of the last item is followed by an empty one, as some lists
        of the live API do it.
        """
        before, limit = self._start(), self.limit(default, most)
        rest = ((key, item) for key, item in found if before is None or key < before)
        kept = list(islice(rest, limit + 1))
        goes_on = len(kept) > limit or (ends_empty and kept)
        after = ":".join(map(str, kept[:limit][-1][0])) if goes_on else ""
        return [item for _, item in kept[:limit]], base64.b64encode(after.encode()).decode()

    def _start(self) -> Key | None:
        token = self.query.get("start")
        try:
            first, _, second = base64.b64decode(token or "", validate=True).decode().partition(":")
            return (int(first), int(second)) if token else None
        except ValueError:
            raise app_error("start is not the next of another page", 400) from None

    def limit(self, default: int = 50, most: int = 1000) -> int:
        """Return how many items a page may have."""
        found = whole(self.query.get("limit", str(default)))
        if found is None or not 0 < found <= most:
            raise app_error(f"limit must be between 1 and {most}", 400)
        return found


Handler = Callable[[ApiRequest], Any]


@dataclass
class Routes:
    """The routes of one area; a path of `/api/` is Track's, any other App's."""

    table: list[tuple[str, str, Handler]] = field(default_factory=list)

    def __call__(
        self, method: Literal["GET", "PUT", "POST", "DELETE"], path: str
    ) -> Callable[[Handler], Handler]:
        """Return a decorator that registers a handler; `{name}` stands for one path segment."""

        def register(handler: Handler) -> Handler:
            self.table.append((method, path, handler))
            return handler

        return register
