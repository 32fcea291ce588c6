"""The form in which each MCP client has its servers, by its documentation, which client_forms.json names."""

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from cio_mcp.cli import main
from cio_mcp.cli.clients import client_files, clients

FORMS: dict[str, dict[str, Any]] = json.loads(Path(__file__).with_name("client_forms.json").read_text())
URL = ["--url", "https://cio.example.com/mcp", "--token", "s3cret"]
LOADS: dict[str, Callable[[str], Any]] = {
    ".json": json.loads,
    ".toml": tomllib.loads,
    ".yaml": YAML(typ="safe", pure=True).load,
}


def schema(fields: dict[str, Any], needs: list[str] | None = None) -> dict[str, Any]:
    """Return a JSON schema of an object of nothing but these fields."""
    kinds: dict[str, dict[str, Any]] = {
        "string": {"type": "string"},
        "strings": {"type": "array", "items": {"type": "string"}},
        "texts": {"type": "object", "additionalProperties": {"type": "string"}},
    }
    properties = {
        name: schema(kind)
        if isinstance(kind, dict)
        else kinds[kind]
        if isinstance(kind, str)
        else {"enum": kind}
        for name, kind in fields.items()
    }
    return {
        "type": "object",
        "additionalProperties": False,
        "required": needs or [],
        "properties": properties,
    }


def written(name: str) -> dict[str, Any]:
    """Return what the file of a client holds, as its own kind of text."""
    path = clients()[name].path
    found: dict[str, Any] = LOADS[path.suffix](path.read_text())
    return found


def server(name: str, found: dict[str, Any]) -> dict[str, Any]:
    """Return our server in what a client's file holds."""
    client = clients()[name]
    servers: Any = found[client.key]
    if client.listed:
        servers = {one["name"]: one for one in servers}
    ours: dict[str, Any] = servers["customerio"]
    return ours


def test_every_client_has_its_source() -> None:
    assert set(FORMS) == set(client_files(Path(), "linux", {}))
    assert all(form["source"] for form in FORMS.values())


@pytest.mark.parametrize("client", FORMS)
@pytest.mark.usefixtures("home")
def test_the_entry_that_starts_the_server_has_the_form_that_the_client_documents(
    client: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIO_REGION", "eu")
    assert main(["config", client, "--write", "--no-try"]) == 0

    found = written(client)
    form = FORMS[client]
    Draft202012Validator(schema(form["local"], form["needs"])).validate(server(client, found))
    assert set(form.get("file", [])) <= set(found)


@pytest.mark.parametrize("client", FORMS)
@pytest.mark.usefixtures("home")
def test_the_entry_of_a_server_elsewhere_has_the_form_that_the_client_documents(
    client: str, capsys: pytest.CaptureFixture[str]
) -> None:
    form = FORMS[client]
    status = main(["config", client, *URL, "--write", "--no-try"])
    said = "".join(capsys.readouterr())

    assert "s3cret" not in said
    if "remote" not in form:
        assert status == 2
        assert "add the address in its settings" in said
        return
    ours = server(client, written(client))
    Draft202012Validator(schema(form["remote"], form["needs_remote"])).validate(ours)
    assert "https://cio.example.com/mcp" in ours.values()
    assert "Bearer s3cret" in json.dumps(ours)
    assert clients()[client].path.stat().st_mode & 0o077 == 0


STANDING = {
    ".toml": """\
# mine
model = "gpt-9"  # the best

[mcp_servers.other]
command = "x"
args = [
  "a", # first
]
""",
    ".yaml": """\
# mine
GOOSE_MODE: "auto"  # careful

version: 1.2.1
name: Mine
schema: v1
list:
  - a
  # between
  - 'b'
""",
}


@pytest.mark.parametrize(
    "client",
    [name for name, file in client_files(Path(), "linux", {}).items() if file.path.suffix != ".json"],
)
@pytest.mark.usefixtures("home")
def test_what_stood_in_a_file_of_another_kind_stays_with_its_comments(
    client: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = clients()[client]
    before = STANDING[file.path.suffix]
    if client == "continue":
        before += "mcpServers:\n  - name: other  # theirs\n    command: x\n"
    elif file.path.suffix == ".yaml":
        before += f"{file.key}:\n  other:  # theirs\n    cmd: x\n"
    file.path.parent.mkdir(parents=True, exist_ok=True)
    file.path.write_text(before)

    for region in ("us", "eu", "eu"):
        monkeypatch.setenv("CIO_REGION", region)
        assert main(["config", client, "--write", "--no-try"]) == 0

    after = file.path.read_text()
    assert [line for line in before.splitlines() if line not in after.splitlines()] == []
    old, new = LOADS[file.path.suffix](before), written(client)
    assert {name: new[name] for name in old if name != file.key} == {
        name: value for name, value in old.items() if name != file.key
    }
    env = clients()[client].shape.read(server(client, new))["env"]
    assert env["CIO_REGION"] == "eu"
    assert len(new[file.key]) == 2


@pytest.mark.parametrize(
    ("client", "content", "words"),
    [
        ("codex", "[mcp_servers", "is not TOML"),
        ("codex", 'mcp_servers = "x"', "is not a list of servers by name"),
        ("goose", "a: [", "is not YAML"),
        ("goose", "- a", "is not a YAML object"),
        ("continue", "mcpServers: {a: 1}", "is not a list of servers by name"),
    ],
)
@pytest.mark.usefixtures("home")
def test_a_file_of_another_kind_that_is_not_as_it_should_be_is_left_alone(
    client: str, content: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = clients()[client].path
    path.parent.mkdir(parents=True)
    path.write_text(content)

    assert main(["config", client, "--write", "--no-try"]) == 2
    assert words in capsys.readouterr().err
    assert path.read_text() == content


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--token", "x"], "--token: is for a server elsewhere"),
        (["--url", "cio.example.com"], "--url: must begin with https://"),
    ],
)
@pytest.mark.usefixtures("home")
def test_an_address_that_is_none_is_refused(
    options: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["config", "cursor", *options]) == 2
    assert words in capsys.readouterr().err


@pytest.mark.usefixtures("home")
def test_an_entry_of_the_other_kind_is_not_replaced(capsys: pytest.CaptureFixture[str]) -> None:
    main(["config", "cursor", "--write", "--no-try"])

    assert main(["config", "cursor", *URL, "--write", "--no-try"]) == 2
    assert "a server that a command starts (command); rename or remove it first" in capsys.readouterr().err


@pytest.mark.usefixtures("home")
def test_a_token_is_not_shown_where_the_entry_is_only_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "cursor", *URL]) == 0

    said = capsys.readouterr().out
    assert "s3cret" not in said
    assert json.loads(said)["mcpServers"]["customerio"]["url"] == "https://cio.example.com/mcp"
