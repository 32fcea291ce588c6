"""A sandbox as a test sees it: an address and keys for the code under test, and what came of it."""

import json
from base64 import b64encode
from functools import cached_property
from typing import Any
from urllib.parse import quote

import httpx

from cio_mcp.sandbox import ConnectionCut, Sandbox
from cio_mcp.sandbox.port import Port
from cio_mcp.testing.invariants import Exchange, Invariants, Run


class World(Invariants):
    """One sandbox behind a port, which nobody else has.

    `site_id`, `track_api_key` and `app_api_key` open it. `exchanges` are the requests that came over the
    port, oldest first. All else that it tells is what the App API tells.
    """

    def __init__(self, sandbox: Sandbox, run: Run) -> None:
        super().__init__(sandbox.workspace, run)
        keys = sandbox.credentials
        self.site_id, self.track_api_key = keys.site_id, keys.track_api_key
        self.app_api_key = keys.app_api_key
        self._sandbox = sandbox
        self._http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=sandbox.api), base_url="https://sandbox.invalid"
        )

    @cached_property
    def url(self) -> str:
        """The address at which both APIs are; http, without a slash at the end."""
        return f"http://127.0.0.1:{self._run(self._port.open())}"

    @cached_property
    def _port(self) -> Port:
        return Port(self._recorded)

    def request(self, method: str, path: str, body: Any = None) -> Any:
        """Make a request with the right key, which faults do not strike; returns the answer's JSON.

        Raises AssertionError for an answer that is no success.
        """
        pair = b64encode(f"{self.site_id}:{self.track_api_key}".encode()).decode()
        opens = f"Basic {pair}" if path.startswith("/api/") else f"Bearer {self.app_api_key}"
        answer = self._run(self._http.request(method, path, json=body, headers={"Authorization": opens}))
        if not answer.is_success:
            raise AssertionError(f"{method} {path} was answered with {answer.status_code}: {answer.text}")
        return json.loads(answer.text or "null")

    def person(self, identifier: str, id_type: str = "id") -> dict[str, Any]:
        """Return a person's identifiers and attributes; raises AssertionError for nobody."""
        path = f"/v1/customers/{quote(identifier, safe='')}/attributes?id_type={id_type}"
        found: dict[str, Any] = self.request("GET", path)["customer"]
        return found

    def messages(self, recipient: str | None = None) -> list[dict[str, Any]]:
        """Return the newest 1000 deliveries, or those of them to an address, newest first."""
        found = self.request("GET", "/v1/messages?limit=1000")["messages"] or []
        return [message for message in found if recipient in {None, message["recipient"]}]

    def events(self, name: str | None = None) -> list[dict[str, Any]]:
        """Return the newest 100 events, or those of a name, newest first."""
        named = "" if name is None else f"&name={quote(name, safe='')}"
        found: list[dict[str, Any]] = self.request("GET", f"/v1/activities?type=event&limit=100{named}")[
            "activities"
        ]
        return found

    def add_fault(self, does: str, **fault: Any) -> int:
        """Put a fault into force, as docs/sandbox.md has them; returns its number. Raises ValueError."""
        (added,) = self.control("POST", "faults", {"does": does, **fault})["faults"]
        return int(added["number"])

    def remove_faults(self) -> None:
        """Lift all faults."""
        self.control("DELETE", "faults")

    def move_clock(self, to: str) -> dict[str, int]:
        """Move its clock on, to `+7d` or a time in ISO 8601; returns what happened on the way, by kind."""
        happened: dict[str, int] = self.control("POST", "clock", {"to": to})["happened"]
        return happened

    def explain(self, *, delivery: str = "", person: str = "", message: str = "") -> list[str]:
        """Return why a delivery was made, or why a person got a message or not. Raises ValueError."""
        asked = {"delivery": delivery, "person": person, "message": message}
        chain: list[str] = self.control("POST", "explain", asked)["chain"]
        return chain

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Return what any control under `/_sandbox/` answers; raises ValueError for what cannot be done."""

        async def ask() -> Any:
            return self._sandbox.control(method, f"/_sandbox/{path}", body)

        return self._run(ask())

    def close(self) -> None:
        """Serve no longer."""
        if "url" in self.__dict__:
            self._run(self._port.close())
        self._run(self._http.aclose())

    async def _recorded(self, scope: Any, receive: Any, send: Any) -> None:
        def record(status: int | None) -> None:
            path = scope["raw_path"].decode("latin-1")
            self.exchanges.append(Exchange(scope["method"], path, status))

        async def answer(message: Any) -> None:
            if "status" in message:
                record(message["status"])  # before the code under test can go on
            await send(message)

        try:
            await self._sandbox.app(scope, receive, answer)
        except ConnectionCut:
            record(None)
            raise
