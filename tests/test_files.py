"""Files with keys, tokens, state and the audit log are for their owner alone."""

import asyncio
import logging
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from cio_mcp.app.build import build
from cio_mcp.app.workspace import pace_file, safety_file
from cio_mcp.auth.tokens import Tokens
from cio_mcp.cli import main
from cio_mcp.errors import SettingsError
from cio_mcp.files import narrow, replace
from cio_mcp.settings import load
from tests.agent import at_the_shell

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes are those of POSIX")

LIVE = {"CIO_APP_API_KEY": "s3cret", "CIO_APP_URL": "http://127.0.0.1:9"}


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def use_audit_log(path: Path) -> None:
    build(load(LIVE | {"CIO_AUDIT_LOG": str(path)})).files.close()


def use_tokens(path: Path) -> None:
    main(["token", "--file", str(path), "add", "one"])


def use_sandbox(path: Path) -> None:
    build(load({"CIO_SANDBOX_PATH": str(path)})).files.close()


def use_key(path: Path) -> None:
    if not path.exists():
        path.touch(0o600)
        path.write_text("s3cret")
    load({"CIO_APP_API_KEY_FILE": str(path)})


def use_workspaces(path: Path) -> None:
    if not path.exists():
        path.touch(0o600)
        path.write_text('[blog]\napp_api_key = "s3cret"\napp_url = "http://127.0.0.1:9"')
    build(load({"CIO_WORKSPACES_FILE": str(path)})).files.close()


USES = {
    "audit.jsonl": use_audit_log,
    "tokens.json": use_tokens,
    "sandbox.db": use_sandbox,
    "key": use_key,
    "workspaces.toml": use_workspaces,
}


@pytest.mark.parametrize(("name", "use"), USES.items())
def test_a_file_that_was_open_to_others_is_for_its_owner_alone_once_it_is_used(
    tmp_path: Path, name: str, use: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / name
    before = os.umask(0o002)
    try:
        use(path)
        made = {found.name: mode(found) for found in tmp_path.iterdir()}
        for found in tmp_path.iterdir():
            found.chmod(0o664)
        with caplog.at_level(logging.WARNING):
            if name == "tokens.json":
                asyncio.run(build(load({"CIO_TOKENS_FILE": str(path)})).aclose())
            else:
                use(path)
    finally:
        os.umask(before)

    assert set(made.values()) == {0o600}, made
    assert mode(path) == 0o600
    assert f"{path} was open to others (mode 0664)" in caplog.text


def test_what_is_no_file_stays_as_it_is(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o666)
    pipe.chmod(0o666)

    narrow(pipe)

    assert mode(pipe) == 0o666


def test_the_files_that_processes_share_are_for_their_owner_alone() -> None:
    before = os.umask(0o000)
    try:
        at_the_shell("stop")
        build(load(LIVE)).files.close()
    finally:
        os.umask(before)

    assert mode(safety_file().parent) == 0o700
    assert {mode(safety_file()), mode(pace_file())} == {0o600}


@pytest.mark.parametrize("open_to", [0o770, 0o707, 0o777])
def test_a_state_folder_in_which_others_can_write_is_refused_with_what_to_do(
    open_to: int, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = pace_file().parent
    folder.mkdir()
    folder.chmod(open_to)

    with pytest.raises(SettingsError, match="others can write to it"):
        build(load(LIVE))
    for command in ("stop", "pace", "doctor"):
        assert main([command]) == 2
    said = capsys.readouterr()

    assert f"{folder}: no state can be kept there: others can write to it (mode {open_to:04o})" in said.err
    assert "run chmod go-w on it" in said.out
    folder.chmod(0o755)
    assert main(["stop"]) == 0


@pytest.mark.parametrize(("open_to", "refused"), [(0o777, True), (0o775, False), (0o1777, False)])
def test_a_folder_in_which_anybody_can_replace_the_audit_log_is_refused(
    tmp_path: Path, open_to: int, *, refused: bool
) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(open_to)
    if not refused:
        use_audit_log(folder / "audit.jsonl")
        return

    with pytest.raises(SettingsError, match=r"CIO_AUDIT_LOG.*others can replace files .*chmod o-w"):
        use_audit_log(folder / "audit.jsonl")
    assert list(folder.iterdir()) == []


def test_a_state_folder_of_another_user_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = pace_file().parent
    folder.mkdir()
    if not os.geteuid():
        os.chown(folder, 12345, -1)
    assert pace_file().parent == folder, "root may use it, and its owner"
    monkeypatch.setattr(os, "geteuid", lambda: 12346)

    with pytest.raises(SettingsError, match="belongs to another user"):
        pace_file()


def test_tokens_that_others_could_write_let_nobody_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "tokens.json"
    use_tokens(path)
    path.chmod(0o666)
    monkeypatch.setattr(Path, "chmod", _read_only)

    with pytest.raises(SettingsError, match=r"tokens.json cannot be read: others can write to it"):
        Tokens(path, lambda: 0.0)


def test_tokens_that_are_mounted_to_be_read_are_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "tokens.json"
    use_tokens(path)
    path.chmod(0o444)
    monkeypatch.setattr(Path, "chmod", _read_only)

    assert Tokens(path, lambda: 0.0).find("unknown") is None


def _read_only(*_: object) -> None:
    raise OSError(30, "Read-only file system")


@pytest.mark.parametrize("name", ["tokens.json.new", "tokens.json.{pid}", "audit.jsonl.head.new"])
def test_a_link_where_an_old_name_was_is_not_followed(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "target"
    target.write_text("mine")
    (tmp_path / name.format(pid=os.getpid())).symlink_to(target)

    use_tokens(tmp_path / "tokens.json")
    monkeypatch.setenv("CIO_AUDIT_LOG", str(tmp_path / "audit.jsonl"))
    assert main(["call", "identify_customer", "customer_id=u_1"]) == 0

    assert target.read_text() == "mine"
    left = {found.name for found in tmp_path.iterdir()} - {target.name, name.format(pid=os.getpid())}
    assert left <= {"tokens.json", *(f"audit.jsonl{end}" for end in ("", ".head", ".key", ".lock"))}


def test_a_file_that_cannot_be_replaced_stays_and_nothing_else_is_left(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()

    with pytest.raises(OSError, match="folder"):
        replace(tmp_path / "folder", b"text")

    assert [found.name for found in tmp_path.iterdir()] == ["folder"]


def test_a_file_that_somebody_reads_at_that_moment_is_replaced_once_it_can_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Windows whoever has a file open is in the way, which is played here."""
    move, refusals = Path.replace, iter([True, True, False])

    def busy(self: Path, target: Path) -> Path:
        if next(refusals):
            raise PermissionError(13, "it is being used by another process")
        return move(self, target)

    monkeypatch.setattr(Path, "replace", busy)
    replace(tmp_path / "head", b"new")

    assert [found.read_bytes() for found in tmp_path.iterdir()] == [b"new"]
