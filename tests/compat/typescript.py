"""MCP's TypeScript SDKs list and call: on Node.js, and in a page of another origin in Chromium.

`python -m tests.compat.typescript NODE_FOLDER [CHROMIUM]`: the SDKs and esbuild are installed in the folder;
`cio-mcp` and `node` are on the PATH.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any
from urllib.parse import urlencode

from tests.compat.frameworks import said
from tests.compat.serving import serving

CLIENTS = Path(__file__).parent / "clients"
PAGE = b'<!doctype html><meta charset="utf-8"><script type="module" src="/page.js"></script>'
PACKAGES = ("sdk", "client")

Seen = dict[str, dict[str, Any]]


class Typescript:
    """The SDKs of a folder."""

    def __init__(self, folder: str) -> None:
        self._packages = Path(folder, "node_modules")

    def __str__(self) -> str:
        found = [self._packages / "@modelcontextprotocol" / name / "package.json" for name in PACKAGES]
        versions = [json.loads(file.read_text())["version"] for file in found]
        return " and ".join(
            f"@modelcontextprotocol/{name} {version}"
            for name, version in zip(PACKAGES, versions, strict=True)
        )

    def bundle(self, script: str, platform: str) -> str:
        """Return a script of ours with all that it imports."""
        esbuild = self._packages / "esbuild" / "bin" / "esbuild"
        options = ["--bundle", "--format=esm", f"--platform={platform}", "--log-level=warning"]
        # Parts of the SDKs for Node.js load others when they run.
        banner = "import{createRequire as make}from'node:module';const require=make(import.meta.url);"
        options += [f"--banner:js={banner}"] if platform == "node" else []
        return said(str(esbuild), *options, str(CLIENTS / script), NODE_PATH=str(self._packages))


class Site(ThreadingHTTPServer):
    """The page's own server, which the page tells what it saw."""

    def __init__(self, script: str) -> None:
        seen: Queue[Seen] = Queue()
        self.files: dict[str, bytes] = {}
        files = self.files

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path in files:
                    self._answer(files[self.path], "application/json")
                    return
                body, kind = (
                    (script.encode(), "text/javascript") if ".js" in self.path else (PAGE, "text/html")
                )
                self._answer(body, kind)

            def do_POST(self) -> None:
                seen.put(json.loads(self.rfile.read(int(self.headers["content-length"]))))
                self._answer(b"", "text/plain")

            def _answer(self, body: bytes, kind: str) -> None:
                self.send_response(200)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.seen, self.origin = seen, f"http://127.0.0.1:{self.server_port}"

    def begin(self) -> None:
        """Answer from now on."""
        Thread(target=self.serve_forever, daemon=True).start()


@contextmanager
def a_site(script: str) -> Iterator[Site]:
    with Site(script) as site:
        site.begin()
        yield site
        site.shutdown()


def browse(chromium: str, site: Site, **asked: str) -> Seen:
    """Open the page of a site; returns what it saw."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-proxy-server",
            f"--user-data-dir={profile}",
        ]
        process = subprocess.Popen(
            [chromium, *options, f"{site.origin}/#{urlencode(asked)}"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            return site.seen.get(timeout=90)
        finally:
            process.terminate()
            process.wait()


def main(folder: str, chromium: str = "") -> None:
    sdks = Typescript(folder)
    reads = said("cio-mcp", "tools", "--json", CIO_PERMISSIONS="read")
    tools = [tool["name"] for tool in json.loads(reads) if tool["on"]]

    def check(seen: Seen, where: str) -> None:
        for way, found in seen.items():
            assert found == {"tools": tools, "email": "ada@example.com", "failed": True}, (way, found)
        print(f"ok {sdks} {where}: {', '.join(seen)}")

    with tempfile.TemporaryDirectory() as home, a_site(sdks.bundle("typescript_page.mjs", "browser")) as site:
        script = Path(home, "node.mjs")
        script.write_text(sdks.bundle("typescript_node.mjs", "node"), encoding="utf-8")
        tokens = f"{home}/tokens.json"
        token = said("cio-mcp", "token", "--file", tokens, "add", "page").strip()
        with serving(CIO_TOKENS_FILE=tokens, CIO_ALLOWED_ORIGINS=site.origin) as url:
            check(json.loads(said("node", str(script), url, token)), "on Node.js")
            if not chromium:
                print("there is no Chromium here: nothing is run in a page")
                return
            check(
                browse(chromium, site, url=url, token=token),
                f"in a page in {said(chromium, '--version').strip()}",
            )
        with serving(CIO_TOKENS_FILE=tokens, CIO_ALLOWED_ORIGINS="https://app.example") as url:
            refused = browse(chromium, site, url=url, token=token)
        assert all("error" in found for found in refused.values()), refused
        print("ok a page of an origin that is not named sees nothing")


if __name__ == "__main__":
    main(*sys.argv[1:])
