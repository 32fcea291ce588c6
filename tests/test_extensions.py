"""Toolsets and rules of other packages: the example of docs/, installed and called."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path

import pytest
from mcp import Client

from cio_mcp.app.build import build
from cio_mcp.cli import main
from cio_mcp.errors import SettingsError
from cio_mcp.server.server import Server
from cio_mcp.settings import load
from tests.agent import Caller

pytestmark = [pytest.mark.anyio, pytest.mark.processes]

EXAMPLE = Path(__file__).parent.parent / "docs" / "example_extension"
NAMED = {"CIO_TOOLSETS": "core,loyalty", "CIO_RULES": "quiet_hours"}
NIGHT, NOON = 1_780_009_200.0, 1_780_056_000.0  # 2026-05-28T23:00Z, 2026-05-29T12:00Z


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Provide the folder that pip has installed the example into."""
    folder = tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    here = ["--no-deps", "--no-build-isolation", "--target", str(folder)]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    subprocess.run([*pip, *here, str(EXAMPLE)], check=True, env=environ)
    return folder


@pytest.fixture
def example(installed: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make the example importable, as it is once it is installed beside cio-mcp."""
    monkeypatch.syspath_prepend(str(installed))
    yield
    sys.modules.pop("acme_loyalty", None)


@pytest.mark.usefixtures("example")
async def test_a_tool_of_another_package_is_called_as_ours_are() -> None:
    app = build(load(NAMED), clock=lambda: NOON)
    async with Client(Server(app)) as client:
        caller = Caller(client)
        shown = await caller.call("set_loyalty_tier", customer_id="u_1001", tier="gold", dry_run=True)
        await caller.call("set_loyalty_tier", customer_id="u_1001", tier="gold")
        customer = await caller.call("get_customer", customer_id="u_1001", fields=["loyalty_tier"])
        refusal = await caller.fail("set_loyalty_tier", customer_id="u_1001", tier="tin")
    await app.aclose()

    assert shown["request"]["body"] == {"loyalty_tier": "gold"}
    assert customer["attributes"] == {"loyalty_tier": "gold"}
    assert "tier: Input should be 'bronze', 'silver' or 'gold'" in refusal


@pytest.mark.usefixtures("example")
async def test_a_tool_of_another_package_stands_under_every_bound(tmp_path: Path) -> None:
    (tmp_path / "stop").touch()
    app = build(load(NAMED | {"CIO_STOP_FILE": str(tmp_path / "stop")}), clock=lambda: NOON)
    async with Client(Server(app)) as client:
        text = await Caller(client).fail("set_loyalty_tier", customer_id="u_1001", tier="gold")
    await app.aclose()

    assert "has stopped all writes, deletions and sends" in text


@pytest.mark.usefixtures("example")
@pytest.mark.parametrize(("moment", "sent"), [(NIGHT, False), (NOON, True)])
async def test_a_rule_of_another_package_refuses_what_it_forbids(
    moment: float, sent: bool, tmp_path: Path
) -> None:
    log = tmp_path / "audit.jsonl"
    app = build(load(NAMED | {"CIO_AUDIT_LOG": str(log)}), clock=lambda: moment)
    message = {"to": "ada@example.com", "customer_id": "u_1001", "transactional_message_id": 1}
    async with Client(Server(app)) as client:
        caller = Caller(client)
        await caller.call("identify_customer", customer_id="u_1001", attributes={"plan": "pro"})
        if sent:
            await caller.call("send_transactional_email", **message)
        else:
            assert "Acme sends nothing" in await caller.fail("send_transactional_email", **message)
            assert "Acme sends nothing" in await caller.fail(
                "send_transactional_email", **message, dry_run=True
            )
    await app.aclose()

    kinds = [json.loads(line)["kind"] for line in log.read_text().splitlines()]
    assert ("refusal" in kinds) != sent


@pytest.mark.usefixtures("example")
async def test_what_is_installed_is_off_until_it_is_named() -> None:
    app = build(load({"CIO_TOOLSETS": "all"}), clock=lambda: NIGHT)
    async with Client(Server(app)) as client:
        names = {tool.name for tool in (await client.list_tools()).tools}
    await app.aclose()

    assert "set_loyalty_tier" not in names
    assert "identify_customer" in names


@pytest.mark.usefixtures("example")
def test_the_command_line_knows_what_is_installed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CIO_TOOLSETS", "loyalty")
        assert main(["tools"]) == 0
        assert main(["token", "--file", os.devnull + "x", "list"]) == 2

    assert "set_loyalty_tier" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"CIO_TOOLSETS": "loyalty"}, "CIO_TOOLSETS: loyalty is unknown; choose from all, broadcasts"),
        ({"CIO_RULES": "quiet_hours"}, "CIO_RULES: quiet_hours is not installed"),
    ],
)
def test_what_is_named_and_not_installed_stops_the_start(setting: dict[str, str], words: str) -> None:
    assert not [found for found in distributions() if found.metadata["Name"] == "acme-loyalty"]
    with pytest.raises(SettingsError, match=words):
        build(load(setting))


@pytest.mark.parametrize(
    ("group", "setting", "code", "words"),
    [
        ("toolsets", "CIO_TOOLSETS", "raise RuntimeError('key')", "odd cannot be loaded: RuntimeError"),
        ("toolsets", "CIO_TOOLSETS", "it = 5", "odd is not valid for cio_mcp.toolsets"),
        ("rules", "CIO_RULES", "it = 5", "odd is not valid for cio_mcp.rules"),
        (
            "toolsets",
            "CIO_TOOLSETS",
            "from cio_mcp.toolkit.registry import Toolbox\nfrom cio_mcp.tools.status import server_status\n"
            "it = Toolbox('odd')\nit.reads(server_status)",
            "odd has a tool server_status, as another toolset does",
        ),
    ],
)
def test_what_cannot_be_used_stops_the_start(
    group: str, setting: str, code: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "odd_package.py").write_text(code)
    info = tmp_path / "odd_package-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: odd-package\nVersion: 1\n")
    (info / "entry_points.txt").write_text(f"[cio_mcp.{group}]\nodd = odd_package:it\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    try:
        with pytest.raises(SettingsError, match=f"{setting}: {words}"):
            build(load({setting: "odd"}))
    finally:
        sys.modules.pop("odd_package", None)
