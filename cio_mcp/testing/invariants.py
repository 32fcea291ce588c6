"""What should hold whatever the code under test does, for a test to assert."""

import json
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any

from cio_mcp.sandbox.state import deliveries
from cio_mcp.sandbox.state.workspace import Row, Workspace

# Statuses that say that a request itself is wrong: it would fail on the live service too.
WRONG = {400, 401, 403, 405, 413, 422, 501}

# What makes two deliveries to one recipient the same message.
SAME = ("recipient", "subject", "data", "text", "transactional_message_id", *deliveries.PARENTS)

Run = Callable[[Coroutine[Any, Any, Any]], Any]


@dataclass(frozen=True)
class Exchange:
    """A request of the code under test, and the status of its answer; None where there was none."""

    method: str
    path: str
    status: int | None


class Invariants:
    """Assertions about what happened in a workspace since the test began; each names what breaks it."""

    def __init__(self, workspace: Workspace, run: Run) -> None:
        self.exchanges: list[Exchange] = []
        self._workspace = workspace
        self._run = run
        self._begun = {table: len(self._since(table, 0)) for table in ("deliveries", "events")}

    def assert_requests_valid(self) -> None:
        """Assert that no request was wrong by its key, path, method, fields or sizes."""
        wrong = [one for one in self.exchanges if one.status in WRONG]
        _nothing("requests were refused", (f"{one.method} {one.path}: {one.status}" for one in wrong))

    def assert_nothing_twice(self) -> None:
        """Assert that nobody got the same message twice, with the same data, and no event counts twice."""
        bodies = [json.loads(row["body"]) for row in self._new("deliveries")]
        messages = ([body.get(name) for name in SAME] for body in bodies)
        _nothing("messages went out twice", _repeated(messages))
        columns = ("cio_id", "anonymous_id", "type", "name", "data")
        events = ([row[column] for column in columns] for row in self._new("events"))
        _nothing("events count twice", _repeated(events))

    def assert_all_deliverable(self) -> None:
        """Assert that no message went to who cannot get it: suppressed, unsubscribed, without an address."""
        bodies = [json.loads(row["body"]) for row in self._new("deliveries")]
        _nothing(
            "messages cannot be delivered",
            (f"{body['recipient']!r}: {why}" for body in bodies if (why := _obstacle(body))),
        )

    def _new(self, table: str) -> list[Row]:
        async def read() -> list[Row]:
            return self._since(table, self._begun[table])

        found: list[Row] = self._run(read())
        return found

    def _since(self, table: str, begun: int) -> list[Row]:
        statement = f"SELECT * FROM {table} ORDER BY number LIMIT -1 OFFSET ?"  # noqa: S608 - one of two
        return self._workspace.rows(statement, begun)


def _obstacle(body: dict[str, Any]) -> str | None:
    dropped = "dropped" in (body.get("fate") or {})
    return body["failure_message"] or (body.get("reason") or "dropped" if dropped else None)


def _repeated(found: Iterable[list[Any]]) -> Iterable[str]:
    counted = Counter(json.dumps(one) for one in found)
    return (f"{times} times {one}" for one, times in counted.items() if times > 1)


def _nothing(what: str, found: Iterable[str]) -> None:
    if broken := list(found):
        raise AssertionError("\n  ".join([f"{len(broken)} {what}:", *broken[:20]]))
