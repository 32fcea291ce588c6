"""`cio-mcp sandbox clock`, and what takes its time from that clock: the tools, and nothing that is real."""

import json
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from mcp import Client

from cio_mcp.app.build import build
from cio_mcp.cli import main
from cio_mcp.sandbox import Sandbox
from cio_mcp.sandbox.moments import LATEST
from cio_mcp.server.server import Server
from cio_mcp.settings import load
from tests.agent import Caller, Clock, an_agent, at_the_shell
from tests.planted import START

DAY = 86_400


def shown(capsys: pytest.CaptureFixture[str]) -> datetime:
    return datetime.fromisoformat(capsys.readouterr().out.split(" ")[0])


def test_it_moves_the_clock_of_the_sandbox_that_calls_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["call", "identify_customer", "customer_id=zoe"]) == 0
    assert main(["sandbox", "clock", "+7d", "--frozen"]) == 0
    capsys.readouterr()
    assert main(["call", "server_status"]) == 0
    status = json.loads(capsys.readouterr().out)
    assert main(["sandbox", "clock"]) == 0

    assert status["now"] == shown(capsys).isoformat().replace("+00:00", "Z")
    assert (datetime.fromisoformat(status["now"]) - datetime.now(UTC)).total_seconds() > 6.9 * DAY
    assert "ahead of real time, frozen; cio-mcp sandbox clock moves it" in status["notes"][1]


def test_it_goes_to_a_time_and_lets_a_clock_that_stands_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    there = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=2)
    assert main(["sandbox", "clock", f"{there:%Y-%m-%dT%H:%M}", "--frozen"]) == 0
    assert shown(capsys) == there
    assert main(["sandbox", "clock", "--running"]) == 0
    assert "frozen" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("2001-01-01", "2001-01-01T00:00:00Z is over: it is "),
        ("7d", "time: 7d must be ISO 8601 (2026-01-31T09:00:00Z) or unix seconds, or a span such as +7d"),
        ("+99999d", "+99999d is too far away: at most 3660 days at once"),
        ("1780000000000", "is in milliseconds"),
    ],
)
def test_a_time_that_cannot_be_is_named_and_moves_nothing(
    asked: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sandbox", "clock", asked]) == 2
    assert said in capsys.readouterr().err
    assert main(["sandbox", "clock"]) == 0
    assert "(real time)" in capsys.readouterr().out


def test_it_goes_no_further_than_can_be_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CIO_SANDBOX_PATH", str(tmp_path / "sandbox.db"))
    with closing(Sandbox(tmp_path / "sandbox.db", seed=False)) as sandbox:
        sandbox.clock.set(LATEST - DAY)

    assert main(["sandbox", "clock", "+2d"]) == 2
    assert "+2d is too late: a sandbox's time ends at 2286-11-20T17:46:40" in capsys.readouterr().err


def test_where_no_sandbox_is_kept_it_says_what_to_set(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CIO_SANDBOX", "on")
    assert main(["sandbox", "clock", "+1d"]) == 2
    assert "name its file in CIO_SANDBOX_PATH" in capsys.readouterr().err

    monkeypatch.setenv("CIO_SANDBOX_PATH", str(tmp_path / "sandbox.db"))
    assert main(["sandbox", "clock", "+1d"]) == 0


@pytest.mark.anyio
async def test_tools_have_the_time_of_the_sandbox_and_codes_and_audit_real_time(tmp_path: Path) -> None:
    path, audit = tmp_path / "sandbox.db", tmp_path / "audit.jsonl"
    Sandbox(path, clock=lambda: START).close()
    settings = load({"CIO_SANDBOX_PATH": str(path), "CIO_AUDIT_LOG": str(audit), "CIO_TOOLSETS": "all"})
    clock = Clock()
    app = build(settings, clock=clock)
    letter = {"newsletter_id": 21, "send_at": "2026-06-20T09:00:00", "timezone": "UTC"}
    async with Client(Server(app)) as client:
        caller = Caller(client)
        preview = await caller.call("send_newsletter", **letter)
        mover = Sandbox(path, clock=clock)
        mover.workspace.advance(START + 7 * DAY)
        mover.close()
        status = await caller.call("server_status")
        event = {"customer_id": "u_1001", "name": "login", "timestamp": START + 6 * DAY}
        await caller.call("track_event", **event)
        done = await caller.call("send_newsletter", **letter, confirmation=preview["confirmation"])
        late = letter | {"send_at": datetime.fromtimestamp(START + 3 * DAY, UTC).isoformat()}
        text = await caller.fail("send_newsletter", **late)
    await app.aclose()

    assert status["now"].startswith(datetime.fromtimestamp(START + 7 * DAY, UTC).strftime("%Y-%m-%dT%H:%M"))
    assert "is in the past" in text
    assert done["outcome"] == "accepted"
    written = {json.loads(line)["at"][:16] for line in audit.read_text().splitlines()}
    assert written == {datetime.fromtimestamp(START, UTC).isoformat()[:16]}


@pytest.mark.anyio
async def test_no_sandboxs_clock_reaches_a_live_workspace(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "sandbox.db"
    monkeypatch.setenv("CIO_SANDBOX_PATH", str(path))
    assert at_the_shell("sandbox", "clock", "+30d") == 0

    async with an_agent(sandbox_path=str(path)) as live:
        status = await live.call("server_status")
        soon = datetime.fromtimestamp(START + DAY, UTC).isoformat()
        await live.call("send_newsletter", newsletter_id=21, send_at=soon, timezone="UTC")

    assert status["environment"] == "live, us"
    assert datetime.fromisoformat(status["now"]).timestamp() == pytest.approx(START, abs=5)
