"""How fast the sandbox lives, in the CPU's time: medians of several runs, alternating.

    python -m benchmarks.sandbox [--runs 5] [--days 90] [--people 200] [--old FOLDER]

First what openings with the story take; FOLDER is a checkout of another commit, whose openings are told too.
Then the story's 200 people, who go on for so many days. Then as many busy ones, who log in and buy all the
time among campaigns of each kind with waits, a branch, a goal and Liquid; and 1,000 events in batches of
Track v2, each of which begins a journey with an email. Last, in a file, how long a process that reads waits
at most while another moves the clock on by all of those days.
"""

import argparse
import asyncio
import multiprocessing
import statistics
import tempfile
import time
from base64 import b64encode
from contextlib import closing
from multiprocessing.synchronize import Event
from pathlib import Path
from random import Random
from typing import Any

import httpx

from benchmarks.openings import Openings
from cio_mcp.sandbox import Sandbox

SPAWN = multiprocessing.get_context("spawn")
START, DAY = 1_780_000_000, 86_400

# Seconds of CPU for all but the last, which waits. Busy people show what a delivery takes.
TARGETS = (2.0, None, 1.0, 1.0)

HELLO = "Hello {{customer.first_name | default: 'you'}}, you bought {{customer.purchases | default: 0}} times"
BODY = "<p>{{customer.email}}{% if customer.plan == 'pro' %}, thank you{% endif %}: {{event.amount}}</p>"


def email(number: int) -> dict[str, Any]:
    """Return an action that sends an email."""
    return {"id": number, "type": "email", "name": f"Mail {number}", "sending_state": "automatic"}


def delay(number: int, **span: Any) -> dict[str, Any]:
    """Return a wait."""
    return {"id": number, "type": "delay", "name": f"Wait {number}", "delay": span}


BOUGHT: dict[str, Any] = {"event": {"name": "purchase"}}
IDLE = {"and": [BOUGHT, {"not": {"event": {"name": "purchase", "within_days": 30}}}]}
PRO = {"attribute": {"field": "plan", "operator": "eq", "value": "pro"}}
BRANCH = {"type": "conditional_branch", "name": "Pro?", "if": PRO, "then": 14, "else": 15}
CAMPAIGNS: list[dict[str, Any]] = [
    {
        "type": "event",
        "event_name": "signed_up",
        "goal": {"condition": BOUGHT, "days": 30},
        "workflow": [
            email(11),
            delay(12, days=2, at="09:30"),
            {"id": 13, **BRANCH},
            {**email(14), "next": None},
            delay(15, days=5),
            email(16),
        ],
    },
    {"type": "event", "event_name": "purchase", "workflow": [email(21), delay(22, days=7), email(23)]},
    {"type": "segment", "trigger_segment_ids": [1], "exit": ["unmatched"], "workflow": [email(31)]},
    {"type": "date", "date_attribute": "born", "frequency": "monthly", "workflow": [email(41)]},
]


def a_world(path: str = ":memory:") -> Sandbox:
    """Return a sandbox in which campaigns of all kinds run; its real clock stands."""
    sandbox = Sandbox(path, clock=lambda: START, seed=False)
    workspace = sandbox.workspace
    with workspace.transaction():
        workspace.configure("segment", {"id": 1, "name": "Idle", "type": "dynamic", "conditions": IDLE})
        counted = {"id": 1, "name": "purchases", "event": "purchase", "aggregate": "count"}
        workspace.configure("computed_attribute", counted)
        for number, campaign in enumerate(CAMPAIGNS, 1):
            own = {"id": number, "name": f"Campaign {number}", "state": "running", **campaign}
            workspace.configure("campaign", own)
            for action in campaign["workflow"]:
                if action["type"] == "email":
                    text = {"id": action["id"], "action": action["id"], "type": "email", "language": ""}
                    workspace.configure("content", text | {"subject": HELLO, "body": BODY, "updated": START})
    return sandbox


async def batch(http: httpx.AsyncClient, operations: list[dict[str, Any]]) -> None:
    """Send operations in batches of Track v2."""
    for first in range(0, len(operations), 100):
        body = {"batch": operations[first : first + 100]}
        (await http.post("/api/v2/batch", json=body)).raise_for_status()


def client(sandbox: Sandbox) -> httpx.AsyncClient:
    """Return a client with the keys of Track."""
    keys = sandbox.credentials
    basic = b64encode(f"{keys.site_id}:{keys.track_api_key}".encode()).decode()
    wire = httpx.ASGITransport(app=sandbox.app)
    headers = {"Authorization": f"Basic {basic}"}
    return httpx.AsyncClient(transport=wire, base_url="https://sandbox.invalid", headers=headers)


def of(person: int, action: str, **more: Any) -> dict[str, Any]:
    """Return an operation on a person."""
    return {"type": "person", "action": action, "identifiers": {"id": f"p{person}"}, **more}


def born(person: int) -> dict[str, Any]:
    """Return the attributes of a person."""
    day = f"1990-{person % 12 + 1:02}-{person % 28 + 1:02}"
    return {"email": f"p{person}@example.com", "plan": ("free", "pro")[person % 2], "born": day}


async def lives(sandbox: Sandbox, people: int, days: int) -> None:
    """Let people sign up in the first month, log in every few days and buy every few weeks."""
    random = Random(1)
    every = [(person, random.randrange(min(days, 30)), random) for person in range(people)]
    async with client(sandbox) as http:
        for day in range(days):
            acts: list[dict[str, Any]] = []
            for person, since, dice in every:
                if day == since:
                    acts.append(of(person, "identify", attributes=born(person)))
                    acts.append(of(person, "event", name="signed_up"))
                elif day > since and dice.random() < 0.2:
                    acts.append(of(person, "event", name="login"))
                    if dice.random() < 0.2:
                        acts.append(of(person, "event", name="purchase", attributes={"amount": day}))
            await batch(http, acts)
            sandbox.workspace.advance(sandbox.clock() + DAY)


def of_story(days: int) -> tuple[float, int]:
    """Return the seconds that the story's people take to go on, and how many deliveries come of it."""
    with closing(Sandbox(clock=lambda: START)) as sandbox:
        told = sandbox.workspace.rows("SELECT count(*) FROM deliveries")[0][0]
        begun = time.process_time()
        sandbox.workspace.advance(sandbox.clock() + days * DAY)
        taken = time.process_time() - begun
        return taken, sandbox.workspace.rows("SELECT count(*) FROM deliveries")[0][0] - told


def of_days(people: int, days: int) -> tuple[float, int]:
    """Return the seconds that it takes people to live, and how many deliveries come of it."""
    with closing(a_world()) as sandbox:
        begun = time.process_time()
        asyncio.run(lives(sandbox, people, days))
        taken = time.process_time() - begun
        return taken, sandbox.workspace.rows("SELECT count(*) FROM deliveries")[0][0]


def of_events() -> tuple[float, int]:
    """Return the seconds that 1,000 events take, and how many journeys come of them."""
    people = [of(person, "identify", attributes=born(person)) for person in range(1000)]
    events = [of(person, "event", name="signed_up") for person in range(1000)]
    with closing(a_world()) as sandbox:

        async def run() -> float:
            async with client(sandbox) as http:
                await batch(http, people)
                begun = time.process_time()
                await batch(http, events)
                return time.process_time() - begun

        taken = asyncio.run(run())
        return taken, sandbox.workspace.rows("SELECT count(*) FROM journeys")[0][0]


def advance(path: str, days: int, ready: Event) -> None:
    """Move the clock of a file on."""
    with closing(Sandbox(path, clock=lambda: START, seed=False)) as sandbox:
        ready.set()
        sandbox.workspace.advance(sandbox.clock() + days * DAY)


def of_waiting(people: int, days: int) -> tuple[float, int]:
    """Return how long a read waits at most behind another process's clock, and how many there were."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "sandbox.db")
        with closing(a_world(path)) as sandbox:
            asyncio.run(lives(sandbox, people, 30))
            ready = SPAWN.Event()
            mover = SPAWN.Process(target=advance, args=(path, days, ready))
            mover.start()
            ready.wait()
            waits = asyncio.run(_read_until(sandbox, mover))
            mover.join()
    return max(waits), len(waits)


async def _read_until(sandbox: Sandbox, mover: Any) -> list[float]:
    waits = []
    bearer = {"Authorization": f"Bearer {sandbox.credentials.app_api_key}"}
    async with client(sandbox) as http:
        while mover.is_alive():
            begun = time.perf_counter()
            (await http.get("/v1/customers/p1/attributes", headers=bearer)).raise_for_status()
            waits.append(time.perf_counter() - begun)
            await asyncio.sleep(0.005)
    return waits


def main() -> None:
    """Measure, and print the medians beside the targets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--old", type=Path, help="a checkout of another commit, whose openings are told too")
    asked = parser.parse_args()
    openings = Openings(asked.old)
    found: list[list[tuple[float, int]]] = [[], [], [], []]
    for _ in range(asked.runs):
        openings.run()
        found[0].append(of_story(asked.days))
        found[1].append(of_days(asked.people, asked.days))
        found[2].append(of_events())
        found[3].append(of_waiting(asked.people, asked.days))
    print(openings)
    what = (
        f"{asked.days} days of the story's people, s of CPU ({{}} deliveries)",
        f"{asked.days} days of {asked.people} busy people, s of CPU ({{}} deliveries)",
        "1,000 events, s of CPU ({} journeys)",
        f"the longest wait of a read behind {asked.days} days, s (of {{}} reads)",
    )
    for told, runs, target in zip(what, found, TARGETS, strict=True):
        times = [seconds for seconds, _ in runs]
        median = statistics.median(times)
        spread = f"({min(times):.2f} to {max(times):.2f})"
        most = f"; at most {target}" if target else ""
        print(f"{told.format(runs[-1][1])}: {median:.2f} {spread}{most}")


if __name__ == "__main__":
    main()
