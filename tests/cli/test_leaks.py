"""Whatever was opened is closed, however a command ends.

A database that is lost says so from Python 3.13 on, files and sockets do on every Python.
"""

import gc
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from cio_mcp.app.build import build
from cio_mcp.asgi import create_app
from cio_mcp.cli import main
from cio_mcp.errors import SettingsError
from cio_mcp.settings import load

# All that `-X dev` warns of, without what it looks at besides, which takes a second a process.
PYTHON = [sys.executable, "-W", "default", "-X", "faulthandler"]

NOWHERE = "http://127.0.0.1:1"
LIVE = {
    "CIO_SITE_ID": "site",
    "CIO_TRACK_API_KEY": "key",
    "CIO_APP_API_KEY": "other",
    "CIO_TRACK_URL": NOWHERE,
    "CIO_APP_URL": NOWHERE,
}
REDIS_AWAY = {"CIO_SHARED_PACE": "redis://127.0.0.1:1/0", "CIO_DEADLINE": "1"}
NO_DATABASE = "not a database at all, but long enough to look like none either" * 20


def no_tokens(_: Path) -> dict[str, str]:
    return {"CIO_TOKENS_FILE": "/nonexistent"}


def no_tokens_and_live(_: Path) -> dict[str, str]:
    return LIVE | {"CIO_TOKENS_FILE": "/nonexistent"}


def no_sandbox(folder: Path) -> dict[str, str]:
    (folder / "notes.txt").write_text(NO_DATABASE)
    return {"CIO_SANDBOX_PATH": str(folder / "notes.txt")}


def no_second_sandbox(folder: Path) -> dict[str, str]:
    (folder / "notes.txt").write_text(NO_DATABASE)
    path = folder / "workspaces.toml"
    path.write_text(
        f'[one]\nsite_id = "a"\ntrack_api_key = "b"\ntrack_url = "{NOWHERE}"\n'
        f'[two]\nsandbox = "on"\n[three]\nsandbox = "on"\nsandbox_path = "{folder}/notes.txt"\n'
    )
    return {"CIO_WORKSPACES_FILE": str(path)}


def no_second_table(folder: Path) -> dict[str, str]:
    path = folder / "workspaces.toml"
    path.write_text('[one]\nsandbox = "on"\n[two]\nsandbx = "on"\n')
    return {"CIO_WORKSPACES_FILE": str(path)}


def no_audit_log(folder: Path) -> dict[str, str]:
    (folder / "file").write_text("")
    return {"CIO_AUDIT_LOG": str(folder / "file" / "audit.jsonl")}


def no_audit_log_and_live(folder: Path) -> dict[str, str]:
    return LIVE | no_audit_log(folder)


WRONG = [
    no_tokens,
    no_tokens_and_live,
    no_sandbox,
    no_second_sandbox,
    no_second_table,
    no_audit_log,
    no_audit_log_and_live,
]
Wrong = Callable[[Path], dict[str, str]]


@contextmanager
def nothing_left_open() -> Iterator[None]:
    """Assert that no database, file or socket that is made inside stays open.

    What there was before is frozen, so that only what is new need be looked through.
    """
    gc.freeze()
    try:
        yield
        gc.collect()
        assert not [thing for thing in gc.get_objects() if _is_open(thing)]
    finally:
        gc.unfreeze()


def _is_open(thing: object) -> bool:
    if isinstance(thing, socket.socket):
        return thing.fileno() >= 0
    try:
        return isinstance(thing, sqlite3.Connection) and thing.total_changes >= 0
    except sqlite3.ProgrammingError:
        return False


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., int]]:
    """Run the command line in an environment, and see that nothing stays open."""

    def run(*arguments: str, **environ: str) -> int:
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        return main(arguments)

    with nothing_left_open():
        yield run


@pytest.mark.parametrize("wrong", WRONG)
def test_a_server_that_cannot_be_built_keeps_nothing_open(wrong: Wrong, tmp_path: Path) -> None:
    settings = load(wrong(tmp_path))

    with nothing_left_open():
        with pytest.raises(SettingsError) as failure:
            build(settings)
        assert failure.traceback, "holds all that the steps before had opened"


def test_an_application_that_cannot_be_put_together_keeps_nothing_open() -> None:
    nonsense: Any = None
    with nothing_left_open():
        with pytest.raises(TypeError) as failure:
            create_app(load(LIVE), transports=nonsense)
        assert failure.traceback


@pytest.mark.parametrize("command", [["call", "server_status"], ["serve", "--port", "0"]])
@pytest.mark.parametrize("wrong", [no_tokens, no_sandbox, no_audit_log_and_live])
def test_a_wrong_setting_leaves_nothing_behind(
    run: Callable[..., int], wrong: Wrong, command: list[str], tmp_path: Path
) -> None:
    assert run(*command, **wrong(tmp_path)) == 2


@pytest.mark.parametrize("wrong", [no_sandbox, no_second_sandbox, no_audit_log])
def test_doctor_closes_what_it_could_not_use(run: Callable[..., int], wrong: Wrong, tmp_path: Path) -> None:
    assert run("doctor", **wrong(tmp_path)) == 1


def test_a_sandbox_that_cannot_be_served_gives_its_port_back(run: Callable[..., int], tmp_path: Path) -> None:
    assert run("sandbox", "--port", "0", **no_sandbox(tmp_path)) == 2


@pytest.mark.parametrize(
    ("command", "status"),
    [(["call", "list_campaigns"], 3), (["doctor"], 1), (["stop"], 1), (["pace", "--once"], 2)],
)
def test_a_redis_that_is_away_leaves_nothing_behind(
    run: Callable[..., int], command: list[str], status: int
) -> None:
    assert run(*command, **LIVE, **REDIS_AWAY) == status


@pytest.mark.parametrize(
    ("command", "status"),
    [(["call", "server_status"], 0), (["doctor"], 1), (["stop"], 1), (["pace", "--once"], 2)],
)
def test_shared_files_that_are_no_databases_leave_nothing_behind(
    run: Callable[..., int], command: list[str], status: int
) -> None:
    shared = Path(os.environ["XDG_STATE_HOME"]) / "cio-mcp"
    shared.mkdir()
    for name in ("pace.db", "safety.db"):
        (shared / name).write_text(NO_DATABASE)

    assert run(*command, **LIVE) == status


@pytest.mark.parametrize("command", ["tools", "doctor", "pace --once", "stop", "resume", "config cursor"])
def test_a_command_that_goes_well_leaves_nothing_open(run: Callable[..., int], command: str) -> None:
    assert run(*command.split()) == 0


@pytest.mark.processes
@pytest.mark.parametrize("command", ["", "call server_status", "demo"])
def test_a_process_that_ends_well_warns_of_nothing(command: str) -> None:
    done = subprocess.run(
        [*PYTHON, "-m", "cio_mcp", *command.split()],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    assert warnings(done.stderr) == []


@pytest.mark.processes
@pytest.mark.parametrize("command", ["serve", "sandbox", "sandbox --tls"])
def test_a_server_that_is_told_to_stop_warns_of_nothing(command: str) -> None:
    with subprocess.Popen(
        [*PYTHON, "-m", "cio_mcp", *command.split(), "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        address = re.search(r"https?://[\d.]+:\d+", process.stdout.readline())
        assert address
        httpx.get(address[0], verify=False)  # answers once the server is up
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=60)

    assert process.returncode == 0
    assert warnings(said) == []


def warnings(said: str) -> list[str]:
    """Return what Python warned of; that a step was slow, which asyncio logs in development mode, is none."""
    return [line for line in said.splitlines() if re.search(r"\w+Warning\b|Traceback|never awaited", line)]
