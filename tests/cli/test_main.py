"""The command line."""

import os
import pty
import re
import subprocess
import sys

import pytest

from cio_mcp import __version__
from cio_mcp.cli import main
from cio_mcp.cli.demo import demonstrate
from tests.agent import an_agent


def test_help_names_every_command_and_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--help"])

    text = capsys.readouterr().out
    assert end.value.code == 0
    assert all(word in text for word in ("serve", "demo", "CIO_SITE_ID", "CIO_DEADLINE", "sandbox"))


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])

    assert capsys.readouterr().out == f"cio-mcp {__version__}\n"


def test_a_wrong_setting_stops_the_start_with_one_line_on_stderr(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CIO_SITE_ID", "site")

    status = main([])

    out, err = capsys.readouterr()
    assert (status, out) == (2, "")
    assert err.startswith("cio-mcp: CIO_TRACK_API_KEY: is missing")
    assert err.count("\n") == 1


@pytest.mark.processes
@pytest.mark.parametrize(
    ("command", "left_aside"),
    [
        (["--version"], {"asyncio", "httpx", "mcp", "sqlite3", "starlette"}),
        (["--help"], {"asyncio", "httpx", "mcp", "sqlite3", "starlette"}),
        (["config", "cursor"], {"asyncio", "httpx", "mcp", "sqlite3", "starlette"}),
        (["tools"], {"cryptography", "mcp", "starlette", "uvicorn"}),
        (["pace"], {"cryptography", "mcp", "starlette", "uvicorn"}),
    ],
)
def test_a_command_does_not_pay_for_imports_that_it_does_not_need(
    command: list[str], left_aside: set[str]
) -> None:
    run = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "cio_mcp", *command],
        env={name: value for name, value in os.environ.items() if not name.startswith("COV")},
        capture_output=True,
        text=True,
        check=True,
    )

    imported = set(re.findall(r"^import time:.*\|\s+(\w+)", run.stderr, re.MULTILINE))
    assert "cio_mcp" in imported
    assert not imported & left_aside


@pytest.mark.processes
@pytest.mark.parametrize("command", ["tools", "demo"])
def test_a_reader_that_has_had_enough_is_no_fault(command: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    run = subprocess.run(
        [sys.executable, "-m", "cio_mcp", command], stdout=writer, stderr=subprocess.PIPE, check=False
    )
    os.close(writer)

    assert (run.returncode, run.stderr) == (141, b"")


@pytest.mark.processes
def test_who_starts_the_server_by_hand_is_told_what_it_waits_for() -> None:
    here, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "cio_mcp"],
        stdin=terminal,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr
    try:
        said = process.stderr.readline() + process.stderr.readline()
    finally:
        process.terminate()
        process.communicate()
        os.close(here)
        os.close(terminal)

    assert "waits for an MCP client" in said
    assert "cio-mcp demo" in said


@pytest.mark.processes
def test_the_demo_shows_every_tool_and_ends_well() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "cio_mcp", "demo"], capture_output=True, text=True, check=False
    )

    assert (run.returncode, run.stderr) == (0, "")
    assert all(
        name in run.stdout
        for name in ("identify_customer", "track_event", "trigger_broadcast", "delete_customer", "Done:")
    )
    assert "\x1b[" not in run.stdout


@pytest.mark.anyio
async def test_the_demo_fails_when_an_answer_is_not_what_it_should_be(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with an_agent() as agent:
        agent.wire.fail(403)

        status = await demonstrate(agent.app.server)

    assert status == 1
    assert "Failed: track_anonymous_event" in capsys.readouterr().out
