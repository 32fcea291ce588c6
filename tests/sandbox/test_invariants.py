"""What holds whatever is done: random calls, moves of the clock and faults."""

import json
from collections import Counter
from contextlib import closing
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cio_mcp.sandbox import ConnectionCut, Sandbox
from cio_mcp.sandbox.state import copies
from tests.sandbox.conftest import Caller, Clock

pytestmark = pytest.mark.anyio

PEOPLE = ("u_1001", "p1", "p2")
people = st.sampled_from(PEOPLE)

STEPS = st.one_of(
    st.tuples(st.just("event"), people, st.sampled_from([None, "e1", "e2"])),
    st.tuples(st.just("identify"), people, st.sampled_from(["pro", "free"])),
    st.tuples(st.just("suppress"), people),
    st.tuples(st.just("send"), people),
    st.tuples(st.just("clock"), st.sampled_from(["+1h", "+3d"])),
    st.tuples(st.just("fault"), st.sampled_from(["error", "cut", "throttle"]), st.sampled_from(["1", "2-3"])),
    st.tuples(
        st.just("restore"),
    ),
)


class World:
    """Does steps, and keeps count of what was accepted: a success was answered, or the effect came first."""

    def __init__(self, sandbox: Sandbox, clock: Clock) -> None:
        self.caller, self.sandbox = Caller(sandbox, clock), sandbox
        self.without_id: Counter[str] = Counter()
        self.suppressed: set[str] = set()

    async def ask(self, method: str, path: str, body: Any) -> bool:
        try:
            return (await self.caller.send(method, path, body)).is_success
        except ConnectionCut:
            return False

    async def do(self, step: tuple[Any, ...]) -> None:
        match step:
            case ("event", who, number):
                body = {"name": "done"} | ({"id": number} if number else {})
                if await self.ask("POST", f"/api/v1/customers/{who}/events", body) and not number:
                    self.without_id[who] += who not in self.suppressed
            case ("identify", who, plan):
                await self.ask("PUT", f"/api/v1/customers/{who}", {"plan": plan})
            case ("suppress", who):
                if await self.ask("POST", f"/api/v1/customers/{who}/suppress", {}):
                    self.suppressed.add(who)
                    del self.without_id[who]  # who is suppressed is deleted, with their events
            case ("send", who):
                message = {"to": f"{who}@example.com", "identifiers": {"id": who}}
                texts = {"from": "a@example.com", "subject": "s", "body": "b"}
                await self.ask("POST", "/v1/send/email", message | texts)
            case ("clock", to):
                self.sandbox.control("POST", "/_sandbox/clock", {"to": to})
            case ("fault", does, calls):
                self.sandbox.control("POST", "/_sandbox/faults", {"does": does, "calls": calls})
            case ("restore",):
                point = self.sandbox.control("POST", "/_sandbox/points", {})["number"]
                before = copies.written(self.sandbox.control("GET", "/_sandbox/export", None))
                self.sandbox.control("POST", "/_sandbox/faults", {"does": "cut"})
                self.sandbox.control("POST", f"/_sandbox/points/{point}", None)
                assert copies.written(self.sandbox.control("GET", "/_sandbox/export", None)) == before

    def check(self) -> None:
        rows = self.sandbox.workspace.rows
        done = [row["event_id"] for row in rows("SELECT event_id FROM events WHERE name = 'done'")]
        numbers = [row["id"] for row in rows("SELECT id FROM deliveries")]
        assert done.count(None) == self.without_id.total()
        assert not [one for one, times in Counter(done).items() if one and times > 1]
        assert len(numbers) == len(set(numbers))
        begun: dict[str, int] = {}
        for row in rows("SELECT kind, number, data FROM log ORDER BY number"):
            if row["kind"] == "message" and json.loads(row["data"])["state"] == "created":
                begun[json.loads(row["data"])["delivery"]] = row["number"]
        for who in self.suppressed:
            (at,) = rows(
                "SELECT min(number) FROM log WHERE kind = 'accepted' AND name = 'suppress' "
                "AND json_extract(data, '$.identifier') = ?",
                who,
            )[0]
            made = rows("SELECT id, cio_id FROM deliveries WHERE cio_id IS NOT NULL")
            alive = {row["cio_id"] for row in rows("SELECT cio_id FROM people WHERE id = ?", who)}
            assert at is not None
            assert not [row for row in made if row["cio_id"] in alive and begun.get(row["id"], 0) > at]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, min_size=1, max_size=12))
async def test_what_was_answered_counts_once_and_nobody_suppressed_gets_a_message(
    steps: list[tuple[Any, ...]],
) -> None:
    clock = Clock()
    with closing(Sandbox(clock=clock, seed=False)) as sandbox:
        world = World(sandbox, clock)
        for step in steps:
            await world.do(step)
        world.check()
        await world.caller.http.aclose()
