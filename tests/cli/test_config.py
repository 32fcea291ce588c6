"""`cio-mcp config`."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from cio_mcp.cli import main
from cio_mcp.cli.config import client_files
from cio_mcp.settings import load

APP = {"CIO_APP_API_KEY": "s3cret"}
FILES = {
    "claude-desktop": ".config/Claude/claude_desktop_config.json",
    "claude-code": ".mcp.json",
    "cursor": ".cursor/mcp.json",
    "vscode": ".vscode/mcp.json",
    "windsurf": ".codeium/windsurf/mcp_config.json",
}


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Give the test a home, and a project in the same place."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def entry(path: Path) -> dict[str, Any]:
    """Return our entry in a client's file."""
    found = json.loads(path.read_text())
    server: dict[str, Any] = (found.get("mcpServers") or found["servers"])["customerio"]
    return server


@pytest.mark.parametrize("client", client_files(Path(), "linux"))
def test_what_is_printed_is_what_is_written(
    client: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["config", client])
    printed = json.loads(capsys.readouterr().out)
    main(["config", client, "--write"])

    written = json.loads((home / FILES[client]).read_text())
    assert written == printed
    assert ("servers" in written) == (client == "vscode")
    assert Path(entry(home / FILES[client])["command"]).is_absolute()


def test_other_servers_and_settings_of_the_client_stay(home: Path) -> None:
    path = home / FILES["cursor"]
    path.parent.mkdir()
    path.write_text('{"theme": "dark", "mcpServers": {"other": {"command": "x"}}}')
    path.chmod(0o640)

    assert main(["config", "cursor", "--write"]) == 0

    after = json.loads(path.read_text())
    assert after["theme"] == "dark"
    assert after["mcpServers"]["other"] == {"command": "x"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    backup = path.with_name("mcp.json.backup")
    assert json.loads(backup.read_text()) == {"theme": "dark", "mcpServers": {"other": {"command": "x"}}}


def test_credentials_go_into_the_file_only_when_asked_and_onto_the_screen_never(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CIO_APP_API_KEY", "s3cret")
    monkeypatch.setenv("CIO_REGION", "eu")
    path = home / FILES["cursor"]

    main(["config", "cursor", "--write"])
    assert entry(path)["env"] == {"CIO_REGION": "eu"}
    main(["config", "cursor", "--write", "--with-keys"])
    assert entry(path)["env"] == {"CIO_APP_API_KEY": "s3cret", "CIO_REGION": "eu"}
    main(["config", "cursor", "--write"])
    assert entry(path)["env"] == {"CIO_APP_API_KEY": "s3cret", "CIO_REGION": "eu"}
    main(["config", "cursor", "--with-keys"])

    out = "".join(capsys.readouterr())
    assert "s3cret" not in out
    assert "CIO_APP_API_KEY" in out
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("environ", "command", "words"),
    [
        ({}, ["cursor"], "put CIO_SITE_ID, CIO_TRACK_API_KEY, CIO_APP_API_KEY into env"),
        ({}, ["cursor", "--write"], "Without credentials it works on the sandbox"),
        (APP, ["cursor", "--with-keys"], "--write --with-keys puts them into the file"),
        (APP, ["cursor", "--write"], "--write --with-keys puts them into the file"),
        (APP, ["claude-code", "--write", "--with-keys"], ".mcp.json belongs to this project and holds keys"),
        (APP, ["vscode", "--write", "--with-keys"], "keep it out of version control"),
        (APP, ["cursor", "--write", "--with-keys"], ""),
    ],
)
@pytest.mark.usefixtures("home")
def test_where_the_credentials_are_is_said(
    environ: dict[str, str],
    command: list[str],
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    assert main(["config", *command]) == 0

    said = capsys.readouterr().err
    assert words in said
    assert words or not said


def test_settings_are_written_as_their_variables_have_them(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIO_PERMISSIONS", "read, write")
    monkeypatch.setenv("CIO_SANDBOX_PATH", "sandbox.db")

    main(["config", "cursor", "--write"])

    written = entry(home / FILES["cursor"])["env"]
    assert written == {"CIO_PERMISSIONS": "read,write", "CIO_SANDBOX_PATH": str(home / "sandbox.db")}
    assert load(written).permissions == ("read", "write")


def test_no_backup_is_written_over(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / ".mcp.json").write_text('{"mine": 1}')
    for region in ("us", "eu", "us"):
        monkeypatch.setenv("CIO_REGION", region)
        main(["config", "claude-code", "--write"])

    assert json.loads((home / ".mcp.json.backup").read_text()) == {"mine": 1}
    regions = [entry(home / f".mcp.json.backup-{number}")["env"]["CIO_REGION"] for number in (2, 3)]
    assert regions == ["us", "eu"]


def test_keys_of_other_servers_are_not_shown(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    others = {
        "a": {"command": "x", "env": {"TOKEN": "s3cret"}},
        "b": {"headers": {"Authorization": "s3cret"}},
    }
    (home / ".mcp.json").write_text(json.dumps({"mcpServers": others, "list": [1]}))

    main(["config", "claude-code", "--write"])

    assert "s3cret" not in capsys.readouterr().out
    assert "s3cret" in (home / ".mcp.json").read_text()


def test_writing_twice_changes_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["config", "windsurf", "--write"])
    before = (home / FILES["windsurf"]).read_text()
    capsys.readouterr()

    assert main(["config", "windsurf", "--write"]) == 0
    assert "nothing to do" in capsys.readouterr().out
    assert (home / FILES["windsurf"]).read_text() == before


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"mcpServers": {', "is not plain JSON"),
        (b"// comment\n{}", "is not plain JSON"),
        (b"[]", "is not a JSON object"),
        (b'{"mcpServers": []}', "is not a list of servers by name"),
        (b'{"mcpServers": {"customerio": 5}}', "is not a list of servers by name"),
        (b"\xff\xfe", "cannot be read"),
    ],
)
def test_a_file_that_is_not_as_it_should_be_is_left_alone(
    home: Path, capsys: pytest.CaptureFixture[str], content: bytes, words: str
) -> None:
    (home / ".mcp.json").write_bytes(content)

    assert main(["config", "claude-code", "--write"]) == 2

    assert words in capsys.readouterr().err
    assert (home / ".mcp.json").read_bytes() == content


def test_a_file_that_cannot_be_written_is_named(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / ".cursor").write_text("a file where a folder should be")

    assert main(["config", "cursor", "--write"]) == 2
    assert "mcp.json: cannot be" in capsys.readouterr().err


def test_every_system_has_its_place_for_claude_desktop() -> None:
    systems = ("darwin", "win32", "linux")
    places = {system: client_files(Path("/h"), system)["claude-desktop"].path for system in systems}

    assert places["darwin"] == Path("/h/Library/Application Support/Claude/claude_desktop_config.json")
    assert places["win32"] == Path("/h/AppData/Roaming/Claude/claude_desktop_config.json")
    assert places["linux"] == Path("/h/.config/Claude/claude_desktop_config.json")
