"""How the imitated APIs answer: bodies, error envelopes, and the shape of a request as routes see it."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from cio_mcp.sandbox.state.workspace import Workspace


class Rejected(Exception):
    """An answer that is not a success: its status and JSON body."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(status, body)
        self.status, self.body = status, body


def track_error(message: str, status: int = 400) -> Rejected:
    """Return a refusal of the Track API and of sends: `{"meta": {"error": …}}`."""
    return Rejected(status, {"meta": {"error": message}})


def app_error(detail: str, status: int, pointer: str | None = None) -> Rejected:
    """Return a refusal of the App API; `status` inside is a string, as the recorded answers have it."""
    source = {"source": {"pointer": pointer}} if pointer else {}
    return Rejected(status, {"errors": [{"detail": detail, **source, "status": str(status)}]})


@dataclass
class Asked:
    """One request: path values decoded once, query, raw body."""

    ids: dict[str, str]
    query: dict[str, str]
    body: bytes
    workspace: Workspace

    def json(self) -> dict[str, Any]:
        """Return the body, which must be a JSON object."""
        try:
            found = json.loads(self.body)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise track_error("request body must be a JSON object")
        return found

    def number(self, name: str) -> int:
        """Return a path value that must be a number; what is none names nothing."""
        if not self.ids[name].isdecimal():
            raise app_error(f"{name} must be a number", 400)
        return int(self.ids[name])

    def limit(self, default: int = 50, most: int = 1000) -> int:
        """Return how many items a page may have."""
        asked = self.query.get("limit", str(default))
        if not asked.isdecimal() or not 0 < int(asked) <= most:
            raise app_error(f"limit must be between 1 and {most}", 400)
        return int(asked)


Handler = Callable[[Asked], Any]


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
