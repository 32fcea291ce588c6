"""`cio-mcp tools`."""

import json

import pytest

from cio_mcp.cli import main
from cio_mcp.toolkit.core import CORE
from cio_mcp.tools.every import TOOLS

LIVE = [tool.name for tool in TOOLS if tool.name in CORE]


def test_every_tool_is_listed_with_its_effect_and_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tools"]) == 0

    out = capsys.readouterr().out
    assert all(tool.name in out for tool in TOOLS)
    assert all(tool.summary in out for tool in TOOLS if tool.name in CORE)
    assert f"{len(CORE)} on, {len(TOOLS) - len(LIVE)} off, on the embedded sandbox." in out


def test_a_tool_that_is_off_says_why(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CIO_APP_API_KEY", "s3cret")
    main(["tools"])

    out = capsys.readouterr().out
    assert "track_event" in out
    assert "off: the Track API has no credentials: set CIO_SITE_ID and CIO_TRACK_API_KEY" in out
    assert f"{len(LIVE) - 8} on, {len(TOOLS) - len(LIVE) + 8} off, on a live workspace (us)." in out


def test_the_list_as_json_holds_schemas(capsys: pytest.CaptureFixture[str]) -> None:
    main(["tools", "--json"])

    listed = {tool["name"]: tool for tool in json.loads(capsys.readouterr().out)}
    assert listed["get_customer"]["effect"] == "reads"
    assert listed["get_customer"]["on"] is True
    assert "customer_id" in listed["get_customer"]["input_schema"]["properties"]


def test_one_tool_as_json_is_the_one_of_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    main(["tools", "--json"])
    listed = {tool["name"]: tool for tool in json.loads(capsys.readouterr().out)}

    assert main(["tools", "get_customer", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [listed["get_customer"]]
