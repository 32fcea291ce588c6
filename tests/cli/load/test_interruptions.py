"""Loads that are interrupted anywhere: what was meant takes effect exactly once, in its order."""

import asyncio
import errno
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cio_mcp.app.build import build
from cio_mcp.cli.load.journal import Journal, Progress
from cio_mcp.cli.load.loading import EVENTS, PEOPLE, Interrupted, Load
from cio_mcp.cli.load.rejects import Rejects
from cio_mcp.settings import load
from cio_mcp.toolkit.rows.columns import Column
from cio_mcp.toolkit.rows.table import Row
from tests.agent import Clock
from tests.upstream import LATE, Fault, Upstream
from tests.virtual_time import VirtualTimeLoop

KEYS = {"CIO_SITE_ID": "site", "CIO_TRACK_API_KEY": "key"}
PEOPLE_COLUMNS = {name: Column(name) for name in ("customer_id", "plan", "anonymous_id")}

FAULTS: list[Fault | None] = [
    None,
    None,
    (500, False),
    (503, LATE),
    (httpx.ReadError, LATE),
    (httpx.ConnectError, False),
    (429, False),
    (401, False),
]


def events(count: int) -> list[Row]:
    return [Row(n, {"customer_id": f"c{n % 7}", "name": "order", "n": n}) for n in range(1, count + 1)]


class OnSmallDisk(Journal):
    """A journal on a disk that is full at one write, and then has space again."""

    full_at: int | None = None
    writes = 0

    def _write(self, line: dict[str, Any], mode: str = "ab", *, synced: bool = True) -> None:
        self.writes += 1
        if self.writes == self.full_at:
            raise OSError(errno.ENOSPC, "no space left", str(self.path))
        super()._write(line, mode, synced=synced)


async def attempt(
    folder: Path, upstream: Upstream, tool: str, rows: list[Row], full_at: int | None = None
) -> bool:
    """Run a load until it ends or is interrupted, perhaps by a full disk; say whether it ended."""
    app = build(load(KEYS | {"XDG_STATE_HOME": str(folder)}), wire=upstream, clock=Clock())
    journal = OnSmallDisk.read(folder / "journal")
    assert isinstance(journal, OnSmallDisk)
    journal.full_at = full_at
    rejects = Rejects(folder / "rejects", ["customer_id", "name", "n"], journal.progress.rejects)
    going = Load(app, tool, PEOPLE_COLUMNS, {}, journal, rejects, lambda _: None, part=20)
    try:
        if not journal.facts:
            journal.start({"file": []})
        await going.run(iter(rows))
    except (Interrupted, OSError):
        return False
    finally:
        await app.aclose()
    return True


def refused(operation: dict[str, Any]) -> str | None:
    return "n is odd" if operation["attributes"].get("n", 0) % 10 == 9 else None


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 130),
    st.lists(st.sampled_from(FAULTS), max_size=60),
    st.lists(st.integers(1, 12), max_size=6),
)
def test_events_count_once_each_and_rejected_rows_are_told_once(
    tmp_path_factory: pytest.TempPathFactory, count: int, faults: list[Fault | None], full: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("load")
    upstream = Upstream(refused, list(faults))
    for full_at in (*full, *[None] * 70):
        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            if runner.run(attempt(folder, upstream, EVENTS, events(count), full_at)):
                break
    else:
        raise AssertionError("the load never ended")

    wanted = [n for n in range(1, count + 1) if n % 10 != 9]
    assert sorted(event["attributes"]["n"] for event in upstream.events.values()) == wanted
    told = (folder / "rejects").read_text().splitlines() if (folder / "rejects").exists() else []
    odd = [n for n in range(1, count + 1) if n % 10 == 9]
    assert [int(line.split(",")[2]) for line in told[1:]] == odd
    progress = Journal.read(folder / "journal").progress
    assert (progress.rows, progress.accepted, progress.refused) == (count, len(wanted), len(odd))


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 130), st.lists(st.sampled_from(FAULTS), max_size=60), st.integers(1, 9))
def test_people_end_as_the_last_of_their_rows_says(
    tmp_path_factory: pytest.TempPathFactory, count: int, faults: list[Fault | None], different: int
) -> None:
    folder = tmp_path_factory.mktemp("load")
    rows = [Row(n, {"customer_id": f"c{n % different}", "plan": f"p{n}"}) for n in range(1, count + 1)]
    for row in rows[::5]:  # which cannot be merged, so that several waves follow each other
        row.values["anonymous_id"] = f"v{row.number}"
    upstream = Upstream(faults=list(faults))
    for _ in range(70):
        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            if runner.run(attempt(folder, upstream, PEOPLE, rows)):
                break

    ends: dict[str, str] = {}
    for operation in upstream.people:
        ends[operation["identifiers"]["id"]] = operation["attributes"]["plan"]
    assert ends == {row.values["customer_id"]: row.values["plan"] for row in rows}


def test_a_customers_earlier_row_that_is_sent_again_does_not_come_last(tmp_path: Path) -> None:
    rows = [Row(n, {"customer_id": "c", "plan": f"p{n}", "anonymous_id": f"v{n}"}) for n in (1, 2)]
    upstream = Upstream(faults=[(500, False)] * 4)  # the first row stays without an answer

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        assert runner.run(attempt(tmp_path, upstream, PEOPLE, rows))

    assert [operation["attributes"]["plan"] for operation in upstream.people] == ["p2", "p1", "p2"]
    stamps = [operation["timestamp"] for operation in upstream.people]
    assert stamps == sorted(stamps)


def test_a_torn_line_of_a_journal_is_as_if_it_were_not_there(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    journal.start({"file": []})
    journal.begins([2, 21])
    journal.ends(Progress(rows=20, accepted=20))
    whole = (tmp_path / "journal").read_bytes()
    for cut in range(len(whole)):
        for zeros in (b"", bytes(5)):  # which a failure of power leaves
            (tmp_path / "journal").write_bytes(whole[:cut] + zeros)
            found = Journal.read(tmp_path / "journal")
            assert found.progress.rows in {0, 20}
            assert bool(found.facts) == (cut >= len(whole.splitlines()[0]) + 1)
            assert whole.startswith((tmp_path / "journal").read_bytes())


class Server:
    """An HTTP server on loopback that counts events by id, slowly enough to be interrupted."""

    def __init__(self) -> None:
        self.events: dict[str, Any] = {}
        self.requests = 0
        here = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                batch = json.loads(self.rfile.read(int(self.headers["content-length"])))["batch"]
                here.requests += 1
                time.sleep(0.02)
                for event in batch:
                    here.events.setdefault(event["id"], event)
                self.send_response(200)
                self.send_header("content-length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server()
    yield found
    found.http.shutdown()
    found.http.server_close()


@pytest.mark.processes
def test_a_load_that_is_killed_again_and_again_ends_with_each_event_once(
    tmp_path: Path, server: Server
) -> None:
    count, chance = 12_000, random.Random(7)
    lines = "".join(f"c{n % 97},order,{n}\n" for n in range(count))
    (tmp_path / "events.csv").write_text(f"customer_id,name,n\n{lines}")
    environ = (
        os.environ
        | KEYS
        | {
            "CIO_TRACK_URL": f"http://127.0.0.1:{server.http.server_address[1]}",
            "CIO_TRACK_RATE": "1000",
            "XDG_STATE_HOME": str(tmp_path),
        }
    )
    command = [sys.executable, "-m", "cio_mcp", "load", "events.csv", "--as", "events", "--yes"]
    kills, status = 0, None
    while status is None:
        seen = server.requests
        with subprocess.Popen(command, cwd=tmp_path, env=environ, stderr=subprocess.DEVNULL) as process:
            while process.poll() is None and kills < 3:
                time.sleep(0.01)
                if server.requests >= seen + 1 + chance.randrange(3):
                    process.send_signal(signal.SIGKILL)
                    kills += 1
                    break
            status = process.wait(timeout=120)
        status = None if status == -signal.SIGKILL else status

    assert status == 0
    assert kills == 3
    assert sorted(event["attributes"]["n"] for event in server.events.values()) == list(range(count))
