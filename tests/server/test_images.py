"""Answers as an image and as a page in a file: what comes beside the text, and what does not."""

import json
import struct
import sys
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from mcp.types import CallToolResult, ImageContent, TextContent

from cio_mcp.pictures.chart import drawing
from cio_mcp.pictures.image import png
from tests.agent import Agent, an_agent, at_the_shell
from tests.tools.canned import canned

pytestmark = pytest.mark.anyio

SIGNATURE = b"\x89PNG\r\n\x1a\n"

ASKED: dict[str, dict[str, Any]] = {
    "get_campaign_metrics": {"campaign_id": 1, "series": True},
    "get_message_metrics": {"kind": "newsletter", "source_id": 20},
    "compare_campaigns": {"campaign_id": 1, "other_campaign_id": 2},
    "compare_messages": {"kind": "campaign", "source_id": 1},
    "report_workspace": {"name_contains": "e"},
}

HOSTILE = {
    "markup": "</text><script>alert(1)</script><image href='file:///etc/passwd'/>&amp;&#0;",
    "long": "A name that does not end " * 20,
    "right to left": "\u202eتقرير الحملة\u202c שלום",
    "control characters": "a\x00b\x1b[31m\ud800\ufffe\u2028c",
    "emoji": "👩‍👩‍👧‍👦🎉" * 60,
}


def size(image: bytes) -> tuple[int, int]:
    """Return the pixels of a PNG, from its header."""
    wide, high = struct.unpack(">II", image[16:24])
    return wide, high


def parts(result: CallToolResult) -> tuple[dict[str, Any], list[bytes]]:
    """Return an answer by its text, which is what its structured content says, and the images beside it."""
    text, *images = result.content
    assert isinstance(text, TextContent)
    answer = json.loads(text.text)
    assert answer == result.structured_content
    assert all(isinstance(image, ImageContent) and image.mime_type == "image/png" for image in images)
    return answer, [b64decode(image.data) for image in images if isinstance(image, ImageContent)]


@pytest.mark.parametrize("tool", ASKED)
async def test_an_image_comes_beside_the_same_answer_where_it_is_asked_for(agent: Agent, tool: str) -> None:
    plain, none = parts(await agent.client.call_tool(tool, ASKED[tool]))
    answer, (image,) = parts(await agent.client.call_tool(tool, ASKED[tool] | {"as_image": True}))

    waited = {"waited_seconds": None}
    assert none == []
    assert answer | waited == plain | waited
    assert image.startswith(SIGNATURE)
    assert len(image) < 200_000
    wide, high = size(image)
    assert (wide, high < 2000) == (1140, True)


def inside(page: Path) -> dict[str, Any]:
    """Return the answer in a page."""
    answer = page.read_text().partition('id="answer">')[2].partition("</script>")[0]
    found: dict[str, Any] = json.loads(answer)
    return found


def report(*names: str) -> dict[str, Any]:
    """Return a report on sources of these names, each with as much as it can have."""
    counts = "123456 120000 3456 60000 9000 800 70 1000 2000"
    return {
        "start": "2026-05-21T00:00:00-04:00",
        "end": "2026-05-28T00:00:00-04:00",
        "timezone": "America/New_York",
        "before_start": "2026-05-14T00:00:00-04:00",
        "changed": [f"{name}: worse, delivered 60.0% of 350, before 100.0% of 350" for name in names][:9],
        "columns": [
            *("sent", "delivered", "bounced", "opened", "clicked", "converted", "unsubscribed"),
            *("open_untracked", "link_untracked"),
        ],
        "lines": [{"source": name, "counts": counts, "before": counts} for name in names],
        "left_out": "What was left out is told at length. " * 20,
    }


def test_whatever_sources_are_called_and_however_many_the_image_is_drawn_and_stays_small() -> None:
    image = png(report(*[name for name in HOSTILE.values() for _ in range(6)]))

    assert image.startswith(SIGNATURE)
    assert len(image) < 400_000
    wide, high = size(image)
    assert (wide, high < 2400) == (1140, True)


def test_a_name_is_never_markup_in_a_picture() -> None:
    drawn = drawing(report(HOSTILE["markup"]))

    assert "&lt;/text&gt;&lt;script&gt;" in drawn
    assert not {"<script", "<image", "&#0;", "\x00"} & {
        word for word in ("<script", "<image", "&#0;", "\x00") if word in drawn
    }


def test_shares_are_of_what_was_delivered_and_can_be_tracked() -> None:
    drawn = drawing(
        {
            "campaign_id": 1,
            "totals": {"sent": 160, "delivered": 150, "opened": 90, "human_opened": 72, "open_untracked": 60},
            "divided_by": {
                "delivered": "sent = 160",
                "human_opened": "delivered - open_untracked = 90",
                "human_clicked": "delivered = 150",
            },
        }
    )

    assert "150, 93.8% of 160" in drawn
    assert "72, 80% of 90" in drawn
    assert "0, 0.0% of 150" in drawn  # nobody clicked, and programs that did are not people


async def test_without_the_extra_the_answer_names_it(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "resvg_py", None)

    answer, images = parts(await agent.client.call_tool("report_workspace", {"as_image": True}))

    assert images == []
    assert answer["lines"]
    assert "install 'cio-mcp[images]'" in answer["notes"][0]


NOTHING: dict[str, Any] = {
    "/metrics": {"metric": {"series": {"sent": [0], "delivered": None}}},
    "/actions": {"actions": []},
    "": {"campaigns": [{"id": 1, "name": None}], "broadcasts": [], "newsletters": None, "messages": []},
}


@pytest.mark.parametrize("tool", ["get_campaign_metrics", "compare_campaigns", "compare_messages"])
async def test_a_picture_of_next_to_nothing_is_drawn(tool: str) -> None:
    async with canned(NOTHING) as workspace:
        _, images = parts(await workspace.client.call_tool(tool, ASKED[tool] | {"as_image": True}))

    assert len(images) == 1


async def test_where_an_image_cannot_be_drawn_the_answer_comes_without(
    agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> bytes:
        message = "no font"
        raise ValueError(message)

    monkeypatch.setattr("resvg_py.svg_to_bytes", refuse)
    answer, images = parts(await agent.client.call_tool("report_workspace", {"as_image": True}))

    assert images == []
    assert answer["lines"]
    assert "internal error of cio-mcp, logged under request" in answer["notes"][0]


async def test_a_failure_has_no_image(agent: Agent) -> None:
    result = await agent.client.call_tool("get_campaign_metrics", {"campaign_id": 99, "as_image": True})

    assert result.is_error
    assert [part.type for part in result.content] == ["text"]


async def test_a_page_is_written_for_its_owner_and_only_the_newest_stay(agent: Agent, tmp_path: Path) -> None:
    agent.app.pages = tmp_path / "pages"
    written = []
    for _ in range(22):
        answer = await agent.call("get_campaign_metrics", campaign_id=1, as_page=True)
        written.append(Path(answer["page"]))

    assert sorted(agent.app.pages.iterdir()) == sorted(written[2:])
    assert all(file.stat().st_mode & 0o077 == 0 for file in (*written[2:], agent.app.pages))
    assert inside(written[-1])["campaign_id"] == 1


async def test_a_page_that_cannot_be_written_does_not_take_the_answer_down(
    agent: Agent, tmp_path: Path
) -> None:
    agent.app.pages = tmp_path / "pages"
    agent.app.pages.write_text("in the way")

    answer = await agent.call("get_campaign_metrics", campaign_id=1, as_page=True)

    assert answer["totals"]
    assert "page" not in answer
    assert "The page could not be written" in answer["notes"][0]


async def test_where_the_callers_files_are_elsewhere_no_page_is_written(agent: Agent) -> None:
    told = await agent.fail("report_workspace", as_page=True)

    assert "as_page: only a server on your own machine" in told
    assert "as_image=true" in told
    assert agent.sent == []


async def test_pages_and_images_hide_what_the_answer_hides(tmp_path: Path) -> None:
    async with an_agent(pii="mask") as agent:
        agent.app.pages = tmp_path
        plain = await agent.call("report_workspace")
        page = await agent.call("report_workspace", as_page=True)

    waited = {"waited_seconds": None}
    assert inside(Path(page.pop("page"))) | waited == plain | waited


def test_at_the_shell_a_page_goes_into_the_state_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CIO_SANDBOX", "on")

    assert at_the_shell("call", "report_workspace", "as_page=true") == 0

    page = Path(json.loads(capsys.readouterr().out)["page"])
    assert page.parent.name == "pages"
    assert "How messages did" in page.read_text()
    assert tmp_path not in page.parents
