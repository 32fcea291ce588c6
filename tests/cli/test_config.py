"""`cio-mcp config`."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cio_mcp.cli import main
from cio_mcp.cli.clients import client_files, jsonc
from cio_mcp.settings import load
from cio_mcp.toolkit.core import CORE

APP = {"CIO_APP_API_KEY": "s3cret"}
FILES = {
    "claude-desktop": ".config/Claude/claude_desktop_config.json",
    "claude-code": ".mcp.json",
    "cursor": ".cursor/mcp.json",
    "vscode": ".vscode/mcp.json",
    "windsurf": ".codeium/windsurf/mcp_config.json",
}


def entry(path: Path) -> dict[str, Any]:
    """Return our entry in a client's file."""
    found = json.loads(path.read_text())
    server: dict[str, Any] = (found.get("mcpServers") or found["servers"])["customerio"]
    return server


@pytest.mark.parametrize("client", FILES)
def test_what_is_printed_is_what_is_written(
    client: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["config", client])
    printed = json.loads(capsys.readouterr().out)
    main(["config", client, "--write", "--no-try"])

    written = json.loads((home / FILES[client]).read_text())
    assert written == printed
    assert ("servers" in written) == (client == "vscode")
    assert Path(entry(home / FILES[client])["command"]).is_absolute()


def test_other_servers_and_settings_of_the_client_stay(home: Path) -> None:
    path = home / FILES["cursor"]
    path.parent.mkdir()
    path.write_text('{"theme": "dark", "mcpServers": {"other": {"command": "x"}}}')
    path.chmod(0o640)

    assert main(["config", "cursor", "--write", "--no-try"]) == 0

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

    main(["config", "cursor", "--write", "--no-try"])
    assert entry(path)["env"] == {"CIO_REGION": "eu"}
    main(["config", "cursor", "--write", "--with-keys", "--no-try"])
    assert entry(path)["env"] == {"CIO_APP_API_KEY": "s3cret", "CIO_REGION": "eu"}
    main(["config", "cursor", "--write", "--no-try"])
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
        ({}, ["cursor", "--write", "--no-try"], "Without credentials it works on the sandbox"),
        (APP, ["cursor", "--with-keys"], "--write --with-keys puts them into the file"),
        (APP, ["cursor", "--write", "--no-try"], "--write --with-keys puts them into the file"),
        (
            APP,
            ["claude-code", "--write", "--with-keys", "--no-try"],
            "belongs to this project and holds keys",
        ),
        (APP, ["vscode", "--write", "--with-keys", "--no-try"], "VS Code asks for the credentials"),
        (APP, ["cursor", "--write", "--with-keys", "--no-try"], ""),
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

    main(["config", "cursor", "--write", "--no-try"])

    written = entry(home / FILES["cursor"])["env"]
    assert written == {"CIO_PERMISSIONS": "read,write", "CIO_SANDBOX_PATH": str(home / "sandbox.db")}
    assert load(written).permissions == ("read", "write")


def test_no_backup_is_written_over(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / ".mcp.json").write_text('{"mine": 1}')
    for region in ("us", "eu", "us"):
        monkeypatch.setenv("CIO_REGION", region)
        main(["config", "claude-code", "--write", "--no-try"])

    assert json.loads((home / ".mcp.json.backup").read_text()) == {"mine": 1}
    regions = [entry(home / f".mcp.json.backup-{number}")["env"]["CIO_REGION"] for number in (2, 3)]
    assert regions == ["us", "eu"]


def test_keys_of_other_servers_are_not_shown(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    others = {
        "a": {"command": "x", "env": {"TOKEN": "s3cret"}},
        "b": {"headers": {"Authorization": "s3cret"}},
    }
    (home / ".mcp.json").write_text(json.dumps({"mcpServers": others, "list": [1]}))

    main(["config", "claude-code", "--write", "--no-try"])

    assert "s3cret" not in capsys.readouterr().out
    assert "s3cret" in (home / ".mcp.json").read_text()


def test_writing_twice_changes_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["config", "windsurf", "--write", "--no-try"])
    before = (home / FILES["windsurf"]).read_text()
    capsys.readouterr()

    assert main(["config", "windsurf", "--write", "--no-try"]) == 0
    assert "nothing to do" in capsys.readouterr().out
    assert (home / FILES["windsurf"]).read_text() == before


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"mcpServers": {', "is not JSON"),
        (b"{} /* no end", "is not JSON"),
        (b'{"mcpServers": {"customerio": {"env": []}}}', "is not a list of servers by name"),
        (b'{"mcpServers": {"customerio": {"url": "https://x.example/mcp"}}}', "a server at an address (url)"),
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

    assert main(["config", "claude-code", "--write", "--no-try"]) == 2

    assert words in capsys.readouterr().err
    assert (home / ".mcp.json").read_bytes() == content


def test_a_file_that_cannot_be_written_is_named(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / ".cursor").write_text("a file where a folder should be")

    assert main(["config", "cursor", "--write", "--no-try"]) == 2
    assert "mcp.json: cannot be" in capsys.readouterr().err


def test_every_system_has_its_place_for_claude_desktop() -> None:
    systems = ("darwin", "win32", "linux")
    places = {system: client_files(Path("/h"), system, {})["claude-desktop"].path for system in systems}

    assert places["darwin"] == Path("/h/Library/Application Support/Claude/claude_desktop_config.json")
    assert places["win32"] == Path("/h/AppData/Roaming/Claude/claude_desktop_config.json")
    assert places["linux"] == Path("/h/.config/Claude/claude_desktop_config.json")


def test_what_else_an_entry_holds_stays(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = {"disabled": True, "timeout": 90, "envFile": ".env", "type": "stdio", "autoApprove": ["get_*"]}
    old = {"command": "uvx", "args": ["cio-mcp@1"], "env": {"CIO_DEADLINE": "60"}} | own
    (home / ".mcp.json").write_text(json.dumps({"mcpServers": {"customerio": old}}))
    monkeypatch.setenv("CIO_REGION", "eu")

    assert main(["config", "claude-code", "--write", "--no-try"]) == 0

    new = entry(home / ".mcp.json")
    assert {name: new[name] for name in own} == own
    assert Path(new["command"]).is_absolute()
    assert (new["args"], new["env"]) == ([], {"CIO_DEADLINE": "60", "CIO_REGION": "eu"})


def test_a_link_stays_a_link_and_its_file_is_changed(home: Path) -> None:
    real = home / "dotfiles" / "mcp.json"
    real.parent.mkdir()
    real.write_text("{}")
    (home / ".mcp.json").symlink_to(real)

    main(["config", "claude-code", "--write", "--no-try"])

    assert (home / ".mcp.json").is_symlink()
    assert entry(real)
    assert {found.name for found in real.parent.iterdir()} == {"mcp.json", "mcp.json.backup"}


@pytest.mark.parametrize("name", [".mcp.json.new", ".mcp.json.backup"])
def test_a_link_that_lies_in_wait_is_not_followed(home: Path, name: str) -> None:
    (home / ".mcp.json").write_text("{}")
    (home / name).symlink_to(home / "target")

    main(["config", "claude-code", "--write", "--no-try"])

    assert not (home / "target").exists()
    assert entry(home / ".mcp.json")


COMMENTED = """\
// mine
{
\t"servers": {
\t\t"other": {"command": "x", "args": ["// no comment", "a,]"]}, // keep this
\t\t/* an old one: "customerio": {} */
\t},
\t"inputs": [], // none yet
}
"""


def test_comments_line_ends_and_indents_stay_as_they_were(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = home / FILES["vscode"]
    path.parent.mkdir()
    path.write_bytes(COMMENTED.replace("\n", "\r\n").encode())

    main(["config", "vscode", "--write", "--no-try"])
    monkeypatch.setenv("CIO_REGION", "eu")
    main(["config", "vscode", "--write", "--no-try"])

    lines = path.read_bytes().decode().split("\r\n")
    assert all(line in lines for line in COMMENTED.split("\n"))
    assert "\n" not in "".join(lines)
    assert '\t\t\t\t"CIO_REGION": "eu"' in lines
    assert len(lines) == len(COMMENTED.split("\n")) + 7


@given(st.data())
def test_a_text_is_changed_to_what_it_should_hold_whatever_it_looks_like(data: st.DataObject) -> None:
    names = st.sampled_from(["a", "b", "//", "/*", '",', "}", "\u00e9"])
    values = st.recursive(
        st.none() | st.integers() | names,
        lambda inner: st.dictionaries(names, inner, max_size=3) | st.lists(inner, max_size=2),
        max_leaves=8,
    )
    old = data.draw(st.dictionaries(names, values, max_size=4))
    new = data.draw(st.dictionaries(names, values, max_size=4)) | {}
    blank = st.sampled_from(["", " ", "\n", "\n  ", " // c\n", "/* d\n } */", "\t"])

    def written(value: Any) -> str:
        if not isinstance(value, dict | list) or not value:
            return json.dumps(value)
        named = value.items() if isinstance(value, dict) else (("", item) for item in value)
        items = [
            f"{data.draw(blank)}{json.dumps(name) + ':' if isinstance(value, dict) else ''}"
            f"{data.draw(blank)}{written(item)}{data.draw(blank)}"
            for name, item in named
        ]
        inside = ",".join(items) + data.draw(st.sampled_from(["", ",", ", // e\n"]))
        return f"{{{inside}}}" if isinstance(value, dict) else f"[{inside}]"

    text = data.draw(blank) + written(old) + data.draw(blank)
    assert jsonc.loads(text) == old
    assert jsonc.loads(jsonc.changed_object(text, old | new)) == old | new


def test_a_byte_order_mark_is_no_fault_and_is_left_out(home: Path) -> None:
    (home / ".mcp.json").write_bytes(b'\xef\xbb\xbf{"mine": 1}')

    assert main(["config", "claude-code", "--write", "--no-try"]) == 0

    assert entry(home / ".mcp.json")
    assert (home / ".mcp.json").read_bytes().startswith(b'{"mine": 1')


@pytest.mark.parametrize(
    ("servers", "environ", "options", "mode"),
    [
        ({}, {}, [], 0o644),
        ({}, APP, [], 0o644),
        ({}, APP, ["--with-keys"], 0o600),
        ({"other": {"env": {"GITHUB_TOKEN": "s3cret"}}}, {}, [], 0o600),
        ({"other": {"headers": {"Authorization": "Bearer s3cret"}}}, {}, [], 0o600),
        ({"other": {"env": {"GITHUB_TOKEN": "${GITHUB_TOKEN}", "PATH": "/bin"}}}, {}, [], 0o644),
    ],
)
def test_a_file_that_holds_keys_is_for_its_owner_alone(
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    servers: dict[str, Any],
    environ: dict[str, str],
    options: list[str],
    mode: int,
) -> None:
    path = home / ".mcp.json"
    path.write_text(json.dumps({"mcpServers": servers}))
    path.chmod(0o644)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    main(["config", "claude-code", "--write", "--no-try", *options])

    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert stat.S_IMODE((home / ".mcp.json.backup").stat().st_mode) == 0o600
    path.chmod(0o644)  # as an editor may leave it
    main(["config", "claude-code", "--write", "--no-try", *options])
    assert stat.S_IMODE(path.stat().st_mode) == mode


@pytest.mark.parametrize("options", [[], ["--with-keys"]])
def test_vs_code_is_told_to_ask_for_the_keys(
    home: Path, monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    path = home / FILES["vscode"]
    path.parent.mkdir()
    path.write_text('{"inputs": [{"id": "mine", "type": "promptString"}]}')
    monkeypatch.setenv("CIO_APP_API_KEY", "s3cret")
    monkeypatch.setenv("CIO_REGION", "eu")

    for _ in range(2):
        assert main(["config", "vscode", "--write", "--no-try", *options]) == 0

    found = json.loads(path.read_text())
    asked = {"id": "customerio-app-api-key", "type": "promptString", "password": True}
    asked["description"] = "Customer.io: App API key, for reading and sending."
    assert found["inputs"] == [{"id": "mine", "type": "promptString"}, asked]
    assert entry(path)["env"] == {
        "CIO_APP_API_KEY": "${input:customerio-app-api-key}",
        "CIO_REGION": "eu",
    }
    assert "s3cret" not in path.read_text()


@pytest.mark.processes
def test_what_was_written_is_tried_as_the_client_will_start_it(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = home / FILES["cursor"]

    assert main(["config", "cursor", "--write"]) == 0
    assert f"lists {len(CORE)} tools and works on the embedded sandbox" in capsys.readouterr().out

    path.write_text(path.read_text().replace('"env": {', '"env": {"CIO_SITE_ID": "s3cret-site"'))
    assert main(["config", "cursor", "--write"]) == 1
    said = capsys.readouterr().out
    assert "nothing to do" in said
    assert "it said: cio-mcp: CIO_TRACK_API_KEY: is missing; CIO_SITE_ID is set" in said
