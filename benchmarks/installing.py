"""From nothing but wheels in a folder to the first answered tool call, beside a bare SDK server.

`make first-call` builds the wheels and runs this. No index is asked, git is not on the PATH, and each run has
a cache of its own, so that all is installed anew.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from mcp import Client, StdioServerParameters

BARE = '''"""A server of the SDK alone, with one tool."""

from mcp.server.mcpserver import MCPServer

server = MCPServer("bare")


@server.tool()
def server_status() -> dict[str, str]:
    """Return that it runs."""
    return {"version": "0"}


def main() -> None:
    """Serve on stdin and stdout."""
    server.run()
'''

PROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "bare-server"
version = "0"
dependencies = ["mcp>=2.3,<3"]

[project.scripts]
bare-server = "bare_server:main"
"""


def bare_wheel(wheels: Path) -> None:
    """Build the wheel of a bare server beside the others."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "bare_server.py").write_text(BARE)
        Path(folder, "pyproject.toml").write_text(PROJECT)
        build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(wheels)]
        subprocess.run(build, cwd=folder, check=True, capture_output=True)


def without_git(folder: Path, programs: tuple[str, ...]) -> dict[str, str]:
    """Return an environment as on a machine with the runner and Python, and nothing else."""
    tools = folder / "bin"
    tools.mkdir()
    for name in programs:
        (tools / name).symlink_to(Path(sys.executable).parent / name)
    (tools / "python3").symlink_to(Path(sys.base_prefix) / "bin" / "python3")
    for name in ("sh", "env", "uname", "ldd", "realpath", "dirname"):  # which start scripts call
        if (found := Path("/usr/bin", name)).exists():
            (tools / name).symlink_to(found)
    home = {"HOME": str(folder), "UV_CACHE_DIR": f"{folder}/uv", "PIPX_HOME": f"{folder}/pipx"}
    offline = {"UV_OFFLINE": "1", "UV_PYTHON_DOWNLOADS": "never", "PIP_NO_INDEX": "1"}
    return {"PATH": str(tools), "CIO_SANDBOX": "on", **home, **offline}


# Each runner, with the programs of its own; where uv is at hand pipx uses that.
RUNNERS = {"uvx": ("uv", "uvx"), "pipx": ("pipx",)}


def commands(wheels: Path, name: str) -> dict[str, list[str]]:
    """Return the commands that install and start a package from the folder."""
    return {
        "uvx": ["uvx", "--no-index", "--find-links", str(wheels), "--from", name, name],
        "pipx": [
            "pipx",
            "run",
            "--backend",
            "pip",
            "--pip-args",
            f"--no-index --find-links {wheels}",
            "--spec",
            name,
            name,
        ],
    }


async def first_call(command: list[str], environ: dict[str, str]) -> None:
    """Start a server and call one tool."""
    program = str(Path(environ["PATH"]) / command[0])
    server = StdioServerParameters(command=program, args=command[1:], env=environ)
    async with asyncio.timeout(300), Client(server) as client:
        result = await client.call_tool("server_status", {})
        assert not result.is_error, result


def main(wheels: Path) -> None:
    """Time each package with each runner: the first start, which installs, and the next."""
    if os.name != "posix":
        sys.exit("it needs links to programs: run it on Linux or macOS")
    wheels = wheels.resolve()
    bare_wheel(wheels)
    print(f"{'runner':<6}  {'package':<11}  installed and answered in  again in")
    for runner, programs in RUNNERS.items():
        for name in ("bare-server", "cio-mcp"):
            with tempfile.TemporaryDirectory() as folder:
                environ = without_git(Path(folder), programs)
                command = commands(wheels, name)[runner]
                seconds = []
                for _ in range(2):
                    begin = time.monotonic()
                    asyncio.run(first_call(command, environ))
                    seconds.append(time.monotonic() - begin)
            print(f"{runner:<6}  {name:<11}  {seconds[0]:>23.1f} s  {seconds[1]:>6.1f} s")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
