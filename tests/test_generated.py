"""Lists that follow from the code."""

import json

from cio_mcp import __version__
from cio_mcp.toolkit.core import CORE
from cio_mcp.tools.every import SANDBOX_TOOLS, TOOLS
from tests.generated import ROOT, documents, visible_bytes


def test_every_generated_document_is_current() -> None:
    stale = [str(path) for path, text in documents().items() if not path.exists() or path.read_text() != text]

    assert not stale, "run `make fix`"


def test_the_bundle_has_the_version_of_the_package() -> None:
    manifest = json.loads((ROOT / "manifest.json").read_text())

    assert manifest["version"] == __version__


def test_the_tool_list_leaves_the_model_room_to_work() -> None:
    default = [tool for tool in TOOLS if tool.name in CORE]

    assert len(CORE) - len(SANDBOX_TOOLS) == len(default) <= 25
    assert visible_bytes(default) <= 18_000
    assert visible_bytes(TOOLS) <= 700 * len(TOOLS)
