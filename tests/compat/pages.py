"""The page of results, shown by a host that is built on the bridge of MCP Apps.

`python -m tests.compat.pages NODE_FOLDER CHROMIUM`: the bridge and esbuild are installed in the folder.
"""

import json
import sys
from pathlib import Path

from cio_mcp.pictures.page import page
from tests.compat.frameworks import said
from tests.compat.typescript import CLIENTS, Site, browse

# Names that would be markup or code if they were not text.
HOSTILE = (
    "<img src=x onerror=\"parent.postMessage('out','*')\"></script><script>document.title='out'</script>"
)


class Host(Site):
    """The host's page, its script, and the case that it shows."""

    def __init__(self, script: str, answer: dict[str, object]) -> None:
        super().__init__(script)
        self.files["/case.json"] = json.dumps({"page": page(), "answer": answer}).encode()


def main(folder: str, chromium: str) -> None:
    packages = Path(folder, "node_modules")
    bridge = packages / "@modelcontextprotocol" / "ext-apps" / "package.json"
    options = ["--bundle", "--format=esm", "--platform=browser", "--log-level=warning"]
    script = said(
        str(packages / "esbuild" / "bin" / "esbuild"),
        *options,
        str(CLIENTS / "page_host.mjs"),
        NODE_PATH=str(packages),
    )
    answer = json.loads(said("cio-mcp", "call", "report_workspace", "--json", CIO_SANDBOX="on"))
    answer["lines"][0]["source"] = HOSTILE
    host = Host(script, answer)
    with host:
        host.begin()
        seen = browse(chromium, host)
        host.shutdown()
    assert seen["page"]["height"] > 200, seen
    version = json.loads(bridge.read_text())["version"]
    print(f"ok the page of results in a host with @modelcontextprotocol/ext-apps {version}: {seen}")


if __name__ == "__main__":
    main(*sys.argv[1:])
