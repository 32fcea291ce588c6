"""The command line."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cio_mcp import __version__
from cio_mcp.cli import COMMANDS, main
from cio_mcp.cli.demo import demonstrate
from cio_mcp.server.server import Server
from cio_mcp.settings import variables
from tests.agent import an_agent


def test_help_names_every_command_and_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--help"])

    text = capsys.readouterr().out
    assert end.value.code == 0
    assert all(name in text and purpose.split()[0] in text for name, purpose in COMMANDS.items())
    assert all(name in text for name in variables())


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_of_its_own(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main([command, "--help"])

    assert end.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: cio-mcp {command} [-h]")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["serv"], "invalid choice: 'serv'"),
        (["tools", "--jason"], "unrecognized arguments: --jason"),
        (["--once", "pace"], "unrecognized arguments: --once"),
        (["serve", "--transport", "carrier"], "invalid choice: 'carrier'"),
        (["token", "add"], "required: name"),
    ],
)
def test_wrong_arguments_are_refused_with_the_usage(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)

    err = capsys.readouterr().err
    assert end.value.code == 2
    assert err.startswith("usage: cio-mcp")
    assert words in err


@pytest.mark.processes
@pytest.mark.parametrize("arguments", [[], ["serve", "--transport", "stdio"]])
def test_the_stdio_server_starts_without_the_other_commands(arguments: list[str]) -> None:
    code = f"import sys; from cio_mcp.cli import main; main({arguments}); print(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", code], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True
    )

    loaded = set(run.stdout.split())
    own = {"cio_mcp.cli.serve_stdio"} | ({"cio_mcp.cli.serve"} if arguments else set())
    assert {name for name in loaded if name.startswith("cio_mcp.cli.")} == own
    assert "cio_mcp.transports.stdio" in loaded
    assert "cio_mcp.asgi" not in loaded
    assert not [name for name in loaded if name.startswith("cio_mcp.tools.")], "nobody has asked for a tool"


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
        (["call", "server_status"], {"click", "cryptography", "mcp", "pygments", "starlette", "uvicorn"}),
        (["sandbox", "--help"], {"mcp"}),
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
def test_a_reader_that_has_had_enough_is_no_fault(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stdout:  # flushes at the end, as a process does
        monkeypatch.setattr("sys.stdout", stdout)
        status = main([command])

    assert (status, capsys.readouterr().err) == (141, "")


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["call", "--help"]])
def test_what_nobody_reads_ends_quietly(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stdout, monkeypatch.context() as patch:
        patch.setattr("sys.stdout", stdout)
        status = main(arguments)

    assert (status, capsys.readouterr().err) == (141, "")


@pytest.mark.parametrize("arguments", [["tools"], ["tools", "--json"]])
def test_a_full_disk_is_told_in_one_line(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Path("/dev/full").open("w") as stdout, monkeypatch.context() as patch:
        patch.setattr("sys.stdout", stdout)
        status = main(arguments)

    said = capsys.readouterr().err
    assert (status, said) == (1, "cio-mcp: the output cannot be written: no space is left\n")


HELPED = [[], *([command] for command in COMMANDS), ["token", "add"], ["call", "trigger_broadcast"]]


@pytest.mark.parametrize("columns", [80, 60])
@pytest.mark.parametrize("command", HELPED, ids=" ".join)
def test_help_fits_the_terminal(
    command: list[str], columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    with pytest.raises(SystemExit):
        main([*command, "--help"])

    lines = capsys.readouterr().out.splitlines()
    verbatim = [line for line in lines if line.startswith(("  cio-mcp ", "    "))]
    assert max(len(line) for line in lines if columns == 80 or line not in verbatim) <= columns


@pytest.mark.processes
def test_who_starts_the_server_by_hand_is_told_what_it_waits_for() -> None:
    here, terminal = os.openpty()
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
def test_the_demo_shows_every_tool_and_ends_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo"]) == 0

    out, err = capsys.readouterr()
    assert err == ""
    assert all(
        name in out
        for name in ("identify_customer", "track_event", "trigger_broadcast", "delete_customer", "Done:")
    )
    assert "\x1b[" not in out


@pytest.mark.anyio
async def test_the_demo_fails_when_an_answer_is_not_what_it_should_be(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with an_agent() as agent:
        agent.wire.fail(403)

        status = await demonstrate(Server(agent.app))

    assert status == 1
    assert "Failed: track_anonymous_event" in capsys.readouterr().out


@pytest.mark.processes
@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_what_is_printed_is_utf_8_whatever_the_host_has_set(encoding: str) -> None:
    environ = os.environ | {"CIO_SANDBOX": "on", "PYTHONIOENCODING": encoding}
    command = [sys.executable, "-m", "cio_mcp", "call", "identify_customer", "customer_id=ada"]
    command += ['attributes={"city": "Łódź 🦊"}', "dry_run=true"]
    done = subprocess.run(command, env=environ, capture_output=True, check=False)

    assert done.returncode == 0, done.stderr
    assert "Łódź 🦊" in done.stdout.decode("utf-8")
