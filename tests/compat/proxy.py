"""A real nginx that strips a prefix, in front of `cio-mcp serve`: `python -m tests.compat.proxy NGINX`.

Its configuration is the one of docs/operations.md; the second time nginx tells the prefix itself.
"""

import asyncio
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mcp import Client
from mcp.client.sse import sse_client

from cio_mcp.limits import ATTACHMENTS_BYTES
from tests.compat.serving import serving

FRAME = """\
daemon off;
pid {folder}/pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        {location}
    }}
}}
"""


def documented(address: str, *more: str) -> str:
    """Return the location that docs/operations.md shows, for a server at an address, with `more` lines."""
    text = Path(__file__).parents[2].joinpath("docs", "operations.md").read_text(encoding="utf-8")
    shown = re.search(r"```nginx\n(.*?)```", text, re.DOTALL)
    assert shown
    location = shown[1].replace("http://127.0.0.1:8000", address)
    return location.replace("proxy_buffering", "".join(more) + "proxy_buffering")


@contextmanager
def proxying(nginx: str, location: str) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # if root runs this, workers are somebody else
        config = Path(folder, "nginx.conf")
        config.write_text(FRAME.format(folder=folder, port=port, location=location), encoding="utf-8")
        process = subprocess.Popen([nginx, "-e", "stderr", "-c", str(config)])
        try:
            wait_for(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(timeout=10)


def wait_for(port: int) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError


async def use(url: str) -> None:
    """List and call over SSE and Streamable HTTP, with a slash at the end of the address and without."""
    attachment = {"a.txt": "QUFB" * (ATTACHMENTS_BYTES // 3 - 1)}
    send = {"customer_id": "u_1001", "transactional_message_id": 1, "to": "ada@example.com"}
    send |= {"attachments": attachment, "dry_run": True}
    ways: list[tuple[Any, str]] = [(sse_client(f"{url}/sse{slash}"), "legacy") for slash in ("", "/")]
    ways += [(f"{url}/mcp{slash}", mode) for slash in ("", "/") for mode in ("legacy", "2026-07-28")]
    for where, mode in ways:
        async with Client(where, mode=mode) as client:
            assert (await client.list_tools()).tools
            ada = await client.call_tool("get_customer", {"customer_id": "u_1001"})
            assert (ada.structured_content or {})["email"] == "ada@example.com", ada
            large = await client.call_tool("send_transactional_email", send)
            assert not large.is_error, large


def main(nginx: str) -> None:
    version = subprocess.run([nginx, "-v"], capture_output=True, text=True, check=True).stderr.split()[-1]
    prefixed = "proxy_set_header X-Forwarded-Prefix /cio;\n"
    for environ, more, how in (
        ({"CIO_ROOT_PATH": "/cio"}, (), "CIO_ROOT_PATH"),
        ({"CIO_TRUSTED_PROXIES": "127.0.0.1"}, (prefixed,), "X-Forwarded-Prefix"),
    ):
        with serving(**environ) as address, proxying(nginx, documented(address, *more)) as url:
            asyncio.run(asyncio.wait_for(use(f"{url}/cio"), 60))
        print(f"ok {version} strips a prefix that {how} tells: SSE and Streamable HTTP, 2 MB of attachments")


if __name__ == "__main__":
    main(*sys.argv[1:])
