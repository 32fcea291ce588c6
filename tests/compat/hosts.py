"""What a host can trip over: paths, encodings, locks, ports and the end of processes.

`python -m tests.compat.hosts` needs this package alone, and runs on Linux, macOS and Windows.
"""

import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mcp import Client, StdioServerParameters
from mcp.client.sse import sse_client

CIO = [sys.executable, "-m", "cio_mcp"]
NAME = "Łódź 🦊"


class Host:
    """A home folder whose name has blanks and letters of several alphabets."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "a home of Zoë 山田"
        self.home.mkdir()
        self.log = self.home / "audit.jsonl"
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        self.environ = kept | {
            **dict.fromkeys(("HOME", "USERPROFILE"), str(self.home)),
            **dict.fromkeys(("XDG_STATE_HOME", "WIN_PD_OVERRIDE_LOCAL_APPDATA"), str(self.home / "state")),
            "APPDATA": str(self.home / "AppData"),
            "CIO_SANDBOX": "on",
            "CIO_SANDBOX_PATH": str(self.home / "sandbox.db"),
            "CIO_AUDIT_LOG": str(self.log),
            "PYTHONUTF8": "0",  # what a host has by itself is to be tried
            "PYTHONPATH": os.environ.get("PYTHONPATH", str(Path.cwd())),
        }

    def run(self, *arguments: str, status: int = 0) -> str:
        """Run a command; returns what it prints, in UTF-8."""
        done = subprocess.run(
            [*CIO, *arguments], env=self.environ, cwd=self.home, capture_output=True, check=False
        )
        assert done.returncode == status, (arguments, done)
        return done.stdout.decode("utf-8")

    def call(self, tool: str, *arguments: str) -> Any:
        return json.loads(self.run("call", tool, *arguments))

    @contextmanager
    def serving(self) -> Iterator[str]:
        process = subprocess.Popen(
            [*CIO, "serve", "--port", "0"],
            env=self.environ,
            cwd=self.home,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        try:
            assert process.stdout
            address = re.search(r"http://[\d.]+:\d+", process.stdout.readline())
            assert address
            yield address[0]
        finally:
            process.terminate()
            process.wait(timeout=30)


def commands(host: Host) -> None:
    """Print, write and read what is not ASCII, in files and pipes."""
    assert "cio-mcp" in host.run("--version")
    assert host.run("demo")
    host.call("identify_customer", "customer_id=zoë", json.dumps({"attributes": {"city": NAME}}))
    assert host.call("get_customer", "customer_id=zoë")["attributes"]["city"] == NAME
    assert host.run("doctor")
    host.run("audit", "verify", str(host.log))
    host.run("config", "claude-desktop", "--write")
    (written,) = host.home.rglob("claude_desktop_config.json")
    entry = json.loads(written.read_text(encoding="utf-8"))["mcpServers"]["customerio"]
    assert entry["env"]["CIO_AUDIT_LOG"] == str(host.log), entry


async def clients(host: Host) -> None:
    """Let two clients over stdio, and one each over HTTP and SSE, work on one workspace at a time."""

    async def write(client: Client, name: str) -> None:
        for number in range(5):
            who = {"customer_id": f"{name}_{number}", "attributes": {"city": NAME}}
            done = await client.call_tool("identify_customer", who)
            assert not done.is_error, done

    over_stdio = StdioServerParameters(command=CIO[0], args=CIO[1:], env=host.environ)
    async with Client(over_stdio) as one, Client(over_stdio) as two:
        await asyncio.gather(write(one, "one"), write(two, "two"))
        done = await one.call_tool("get_customer", {"customer_id": "two_4"})
        assert (done.structured_content or {})["attributes"]["city"] == NAME, done
    with host.serving() as url:
        async with Client(f"{url}/mcp") as three, Client(sse_client(f"{url}/sse"), mode="legacy") as four:
            await asyncio.gather(write(three, "three"), write(four, "four"))
        host.run("serve", "--port", url.rpartition(":")[2], status=2)  # the port is taken
    host.run("audit", "verify", str(host.log))


def tokens(host: Host) -> None:
    """Replace the file of tokens while a server reads it."""
    host.environ["CIO_TOKENS_FILE"] = str(host.home / "tokens.json")
    host.run("token", "add", "first")
    with host.serving():
        for number in range(3):
            host.run("token", "add", f"another_{number}")
        assert "another_2" in host.run("token", "list")


def main() -> None:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        host = Host(Path(folder))
        commands(host)
        print(f"ok commands in {host.home.name}, on {sys.platform}")
        asyncio.run(asyncio.wait_for(clients(host), 120))
        print("ok four clients at a time over stdio, Streamable HTTP and SSE, and a port that is taken")
        tokens(host)
        print("ok tokens that are added while a server runs")


if __name__ == "__main__":
    main()
