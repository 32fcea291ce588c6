"""Whatever forbids a call between its preview and its first byte: nothing leaves that was not allowed then.

Every exchange (a preview, and the call with its code that waits for its turn) is made once for each request
that Customer.io receives in it, and once for the wait; each time something changes just before that point.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from cio_mcp.auth.principal import Principal
from cio_mcp.auth.tokens import add, revoke
from cio_mcp.safety.grant import Grant
from tests.agent import MISSING, Agent, an_agent, at_the_shell
from tests.redis_server import RedisServer
from tests.safety.test_leaving import grow, identify, move, posted, stop_by_command, stop_by_file

pytestmark = pytest.mark.anyio

SEGMENT = {"recipients": {"segment": {"id": 1}}}
ADA, BOB = {"ids": ["u_1001"]}, {"ids": ["u_1005"]}


def revoke_token(_: Agent, folder: Path) -> None:
    revoke(folder / "tokens.json", "mailer")


def narrow_token(agent: Agent, folder: Path) -> None:
    revoke_token(agent, folder)
    add(folder / "tokens.json", Grant(name="mailer", permissions=("read",)))


def grow_in_steps(agent: Agent, _: Path) -> None:
    """Grow by less than what is allowed, again and again."""
    steps = sum(
        1 for one in agent.wire.sandbox.workspace.rows("SELECT id FROM people") if "step" in str(one["id"])
    )
    identify(agent, f"step_{steps}", plan="pro")


# What changes, whom the call is for, the bounds, and what the call is told.
CHANGES: list[tuple[Callable[[Agent, Path], None], dict[str, Any], dict[str, str]]] = [
    (stop_by_file, SEGMENT, {}),
    (stop_by_file, ADA, {"allowed_recipients": "example.com"}),
    (stop_by_command, SEGMENT, {}),
    (revoke_token, SEGMENT, {}),
    (revoke_token, ADA, {"allowed_recipients": "example.com"}),
    (narrow_token, SEGMENT, {}),
    (grow, SEGMENT, {}),
    (grow, SEGMENT, {"max_recipients": "5", "max_audience_growth": "100"}),
    (move, ADA, {"allowed_recipients": "example.com"}),
]


@dataclass
class Exchange:
    """A preview at one server and the call with its code at another, with a change before the point `at`."""

    one: Agent
    other: Agent
    principal: Principal
    change: Callable[[], None]
    at: int
    met: list[str] = field(default_factory=list)
    changed_before: int | None = None

    def meets(self, request: httpx.Request) -> None:
        if len(self.met) == self.at:
            self.changes()
        self.met.append(f"{request.method} {request.url.path}")

    def changes(self) -> None:
        self.changed_before = len(self.met)
        self.change()

    async def call(self, agent: Agent, arguments: dict[str, Any]) -> dict[str, Any]:
        return (await agent.app.call("trigger_broadcast", MISSING | arguments, self.principal)).facts

    async def fill_the_queue(self) -> None:
        """Let the next broadcast wait."""
        first = {"broadcast_id": 10, **BOB}
        first["confirmation"] = (await self.call(self.one, first)).get("confirmation")
        await self.call(self.other, first)
        assert len(posted(self.other)) == 1

    async def run(self, audience: dict[str, Any], wait: float) -> int:
        """Return how many sends have left after the change."""
        if wait:
            await self.fill_the_queue()
        for agent in {self.one, self.other}:
            agent.wire.meets = self.meets
        arguments = {"broadcast_id": 10, **audience}
        preview = await self.call(self.one, arguments)
        if code := preview.get("confirmation"):
            calling = asyncio.create_task(self.call(self.other, {**arguments, "confirmation": code}))
            if self.at < 0:
                await asyncio.sleep(wait)
                self.changes()
            self.end = await calling
        before = len(self.met) if self.changed_before is None else self.changed_before
        return sum("/triggers" in met for met in self.met[before:])


@asynccontextmanager
async def servers(two: bool, folder: Path, **settings: Any) -> AsyncIterator[tuple[Agent, Agent, Principal]]:
    """Serve one server or two, and return them and the caller of a token."""
    tokens = folder / "tokens.json"
    tokens.unlink(missing_ok=True)
    token = add(tokens, Grant(name="mailer", permissions=("read", "send")))
    bounds: dict[str, Any] = {
        "confirm": "preview",
        "stop_file": str(folder / "stop"),
        "tokens_file": str(tokens),
        **settings,
    }
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(an_agent(**bounds))
        other = await stack.enter_async_context(an_agent(beside=one, **bounds)) if two else one
        assert one.app.tokens
        grant = one.app.tokens.find(token)
        assert grant
        yield one, other, Principal("mailer", (grant,))
        stopped = await one.app.stops.stopped()
    (folder / "stop").unlink(missing_ok=True)
    if stopped:
        assert at_the_shell("resume") == 0


async def race(
    change: Callable[[Agent, Path], None],
    audience: dict[str, Any],
    settings: dict[str, str],
    folder: Path,
    *,
    two: bool,
    wait: float,
    every: bool = True,
) -> None:
    """Make the exchange with the change before every point, or else with one process or two before each."""

    async def exchange(at: int) -> tuple[Exchange, int]:
        async with servers(two, folder, **settings) as (one, other, principal):
            made = Exchange(one, other, principal, lambda: change(one, folder), at)
            return made, await made.run(audience, wait)

    undisturbed, left = await exchange(1000)
    assert left == 0
    assert "/triggers" in undisturbed.met[-1]
    assert undisturbed.end["outcome"] == "triggered"
    counted = change is grow and "max_recipients" not in settings  # what is counted first is what is approved
    last = len(undisturbed.met) - 2
    for at in range(-1 if wait else 0, last + 1):
        if not every and at not in {-1, last} and at % 2 != two:
            continue
        if counted and at in {0, 1}:
            continue
        if not wait and undisturbed.met[at].endswith(("/actions", "/snippets")) and change in {grow, move}:
            continue  # the texts are read last: whom it reaches was looked up less than CURRENT before
        made, left = await exchange(at)
        assert made.changed_before is not None
        assert left == 0, (at, made.met)
        assert not any("/triggers" in met for met in made.met), (at, made.met)


@pytest.mark.repeating
@pytest.mark.parametrize("two", [False, True], ids=["one process", "two processes"])
@pytest.mark.parametrize(("change", "audience", "settings"), CHANGES)
async def test_nothing_leaves_after_what_forbids_it(
    change: Callable[[Agent, Path], None],
    audience: dict[str, Any],
    settings: dict[str, str],
    two: bool,
    tmp_path: Path,
) -> None:
    await race(change, audience, settings, tmp_path, two=two, wait=5, every=False)


class TestReplicas:
    """The same over a Redis, in real time."""

    pytestmark = pytest.mark.processes

    @pytest.mark.parametrize(("change", "audience", "settings"), CHANGES[::2])
    async def test_nothing_leaves_after_what_forbids_it_over_replicas(
        self,
        change: Callable[[Agent, Path], None],
        audience: dict[str, Any],
        settings: dict[str, str],
        tmp_path: Path,
        redis: RedisServer,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setenv("CIO_SHARED_PACE", redis.address)
        shared = {"shared_pace": redis.address}
        await race(change, audience, settings | shared, tmp_path, two=True, wait=0)
