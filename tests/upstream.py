"""Track v2 as its description has it, nothing of ours: drops repeated ids, refuses what breaks a limit."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

# How a request can end badly: a status, an answer, or a broken connection; before it takes effect or after.
Fault = tuple[int | httpx.Response | type[httpx.TransportError], bool]
LATE = True


@dataclass
class Upstream(httpx.AsyncBaseTransport):
    """Takes batches. `events` are those that counted, by id, and `people` each identify in order of arrival.

    `faults` strike the next requests, one each, where they are not None; `refuses` returns why an operation
    is refused. `requests` are the operations of each request that arrived, whatever became of it.
    """

    refuses: Callable[[dict[str, Any]], str | None] = lambda _: None
    faults: list[Fault | None] = field(default_factory=list)
    latency: float = 0.0
    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    people: list[dict[str, Any]] = field(default_factory=list)
    requests: list[list[dict[str, Any]]] = field(default_factory=list)
    now: int = 0
    most_at_once: int = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert request.url.path.endswith("/api/v2/batch"), request.url.path
        operations = json.loads(request.content)["batch"]
        self.requests.append(operations)
        self.now += 1
        self.most_at_once = max(self.most_at_once, self.now)
        fault, late = (self.faults.pop(0) if self.faults else None) or (None, True)
        answer = self._take(request.content, operations) if late else None
        await asyncio.sleep(self.latency)
        self.now -= 1
        if isinstance(fault, int):
            return httpx.Response(fault)
        if isinstance(fault, httpx.Response):
            return fault
        if fault is not None:
            raise fault("cut", request=request)
        assert answer
        return answer

    def _take(self, content: bytes, operations: list[dict[str, Any]]) -> httpx.Response:
        if len(content) >= 500_000:
            return httpx.Response(400, json={"errors": [{"reason": "too_large", "message": "500kb"}]})
        errors = []
        for index, operation in enumerate(operations):
            if len(json.dumps(operation, ensure_ascii=False, separators=(",", ":")).encode()) > 32_000:
                errors.append({"batch_index": index, "reason": "too_large", "field": "", "message": "32kb"})
            elif why := self.refuses(operation):
                errors.append({"batch_index": index, "reason": "invalid", "field": "a", "message": why})
            elif operation["action"] == "identify":
                self.people.append(operation)
            else:
                self.events.setdefault(operation["id"], operation)
        return httpx.Response(207, json={"errors": errors}) if errors else httpx.Response(200, json={})
