"""Files by which others find and install the server."""

import base64
import json
import re
import struct
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from jsonschema import Draft202012Validator

from cio_mcp import __version__
from cio_mcp.server.guides import PROMPTS
from cio_mcp.settings import variables
from cio_mcp.tools.every import TOOLS
from tests import published
from tests.published import ADDRESS, PLUGIN, ROOT

SERVER = json.loads((ROOT / "server.json").read_text())
MANIFEST = json.loads((ROOT / "manifest.json").read_text())


def test_the_registrys_entry_is_as_its_schema_has_it() -> None:
    schema = json.loads((ROOT / "tests/registry_schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(SERVER)


def test_the_registrys_entry_speaks_of_this_package() -> None:
    (package,) = SERVER["packages"]
    named = {one["name"]: one for one in package["environmentVariables"]}

    assert (package["identifier"], package["version"]) == ("cio-mcp", __version__)
    assert set(named) <= set(variables())
    assert {name for name, one in named.items() if one.get("isSecret")} == set(published.KEYS)
    assert f"<!-- mcp-name: {SERVER['name']} -->" in (ROOT / "README.md").read_text()


def test_nothing_says_where_the_project_is_public_but_the_one_place() -> None:
    """Whoever publishes it writes the address into pyproject.toml, and runs make fix."""
    texts = [ROOT / "README.md", ROOT / "server.json", ROOT / "manifest.json", ROOT / "SECURITY.md"]
    texts += [*ROOT.glob("docs/**/*.md"), *ROOT.glob("plugins/**/*.json"), *ROOT.glob(".github/**/*.*")]
    found = {
        address
        for path in texts
        for address in re.findall(r"https://github\.com/[\w.-]+/cio-mcp", path.read_text())
    }
    assert found <= {ADDRESS}


def test_each_prompt_is_a_skill_whose_tools_are_there() -> None:
    folders = sorted((ROOT / PLUGIN / "skills").iterdir())
    tools = {tool.name for tool in TOOLS}

    assert [folder.name for folder in folders] == sorted(map(published.skill_name, PROMPTS))
    for folder in folders:
        text = (folder / "SKILL.md").read_text()
        head, name = text.split("---")[1], folder.name
        assert f"name: {name}\n" in head
        assert len(head) < 1_024
        assert re.fullmatch(r"[a-z0-9-]{1,64}", name)
        assert set(re.findall(r"`([a-z]+_[a-z_]+)`", text)) & tools


def test_the_plugins_start_the_installed_program_and_ask_for_no_more_than_it_takes() -> None:
    servers = json.loads((ROOT / PLUGIN / ".mcp.json").read_text())["mcpServers"]
    gemini = json.loads((ROOT / PLUGIN / "gemini-extension.json").read_text())

    assert servers["customerio"]["command"] == gemini["mcpServers"]["customerio"]["command"] == "cio-mcp"
    assert set(servers["customerio"]["env"]) <= set(variables())
    assert {one["envVar"] for one in gemini["settings"] if one["sensitive"]} == set(published.KEYS)
    for kind in (".claude-plugin", ".codex-plugin"):
        plugin = json.loads((ROOT / PLUGIN / kind / "plugin.json").read_text())
        assert (plugin["name"], plugin["version"]) == ("customerio", __version__)


def test_the_links_hold_an_entry_that_starts_the_server() -> None:
    links = published.links()
    cursor, code = (parse_qs(urlsplit(links[name]).query)["config"][0] for name in ("Cursor", "VS Code"))

    entries = [
        json.loads(base64.b64decode(cursor)),
        json.loads(code),
        json.loads(unquote(urlsplit(links["VS Code (direct)"]).query)),
    ]
    assert {(one["command"], *one["args"]) for one in entries} == {("uvx", "cio-mcp")}


def test_the_bundle_lists_its_own_tools_and_has_its_pictures() -> None:
    assert [tool["name"] for tool in MANIFEST["tools"]] == [tool.name for tool in TOOLS]
    for name in (MANIFEST["icon"], *MANIFEST["screenshots"]):
        picture = (ROOT / name).read_bytes()
        assert picture.startswith(b"\x89PNG"), name
        width, height = struct.unpack(">II", picture[16:24])
        assert (width, height) == (512, 512) if name == MANIFEST["icon"] else width >= 1_000
    ignored = [line for line in (ROOT / ".mcpbignore").read_text().splitlines() if line]
    assert not any(name.startswith(line) for line in ignored for name in (MANIFEST["icon"],))


@pytest.mark.parametrize("name", ["README.md", "LICENSE"])
def test_what_a_package_shows_is_in_it(name: str) -> None:
    assert Path(ROOT / name).is_file()
