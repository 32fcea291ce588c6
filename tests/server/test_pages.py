"""The page on which hosts show results: which tools have it, and that it holds and asks for nothing else."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from mcp.server.apps import APP_MIME_TYPE
from mcp.types import TextResourceContents

from cio_mcp.pictures.page import filled_page, page
from cio_mcp.server.guide_server import RESULTS
from tests.agent import Agent, at_the_shell

PICTURED = {
    *(
        "get_campaign_metrics",
        "get_message_metrics",
        "compare_campaigns",
        "compare_messages",
        "report_workspace",
    ),
}


@pytest.mark.anyio
async def test_tools_with_figures_name_the_page_and_hosts_can_read_it(agent: Agent) -> None:
    listed = (await agent.client.list_tools()).tools
    named = {tool.name: (tool.meta or {}).get("ui") for tool in listed if tool.meta}
    (read,) = (await agent.client.read_resource(RESULTS)).contents

    assert named == {name: {"resourceUri": RESULTS} for name in PICTURED}
    assert isinstance(read, TextResourceContents)
    assert (read.mime_type, read.text) == (APP_MIME_TYPE, page())
    assert "io.modelcontextprotocol/ui" in (agent.client.server_capabilities.extensions or {})


@pytest.mark.anyio
async def test_a_host_without_pages_gets_the_same_answer_as_text(agent: Agent) -> None:
    result = await agent.client.call_tool("report_workspace", {})

    assert json.loads(getattr(result.content[0], "text", "")) == result.structured_content


def test_the_page_is_one_file_that_asks_no_network_for_anything() -> None:
    addresses = set(re.findall(r"https?://[^\s\"'<>]+", page()))

    assert addresses == {"http://www.w3.org/2000/svg"}  # a name, not a place
    assert "default-src 'none'" in page()
    assert not re.search(r"\b(src|href)\s*=|@import|url\(|fetch\(|XMLHttpRequest|WebSocket|import\(", page())


def test_what_comes_from_outside_is_never_markup_or_code() -> None:
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|new Function", page())


@pytest.mark.parametrize(
    "name", ["</script><script>alert(1)</script>", "<!--<script>", "\u2028", "$&$1\\u003c"]
)
def test_an_answer_in_a_page_cannot_leave_its_place(name: str) -> None:
    answer = {"lines": [{"source": name}]}
    inside = re.search(r'id="answer">(.*?)</script>', filled_page(json.dumps(answer)), re.DOTALL)

    assert inside
    assert "<" not in inside[1]
    assert json.loads(inside[1]) == answer


@pytest.mark.parametrize("days", ["7", "23"])
def test_a_report_at_the_shell_is_a_table_or_a_page_and_an_image_for_its_owner(
    days: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CIO_SANDBOX", "on")
    monkeypatch.setenv("CIO_SANDBOX_PATH", str(tmp_path / "sandbox.db"))
    file, image = tmp_path / "report.html", tmp_path / "report.png"
    ended = [
        at_the_shell("report", "--days", days),
        at_the_shell("report", "--days", days, "--page", str(file), "--image", str(image)),
    ]
    told: Any = capsys.readouterr()

    if days == "23":
        assert ended == [2, 2]
        assert "days: must be 1 to 22" in told.err
        assert not file.exists()
        return
    assert ended == [0, 0]
    assert "campaign 1: Welcome series" in told.out
    assert "campaign 1: Welcome series" in file.read_text()
    assert image.read_bytes().startswith(b"\x89PNG")
    assert (file.stat().st_mode | image.stat().st_mode) & 0o077 == 0
