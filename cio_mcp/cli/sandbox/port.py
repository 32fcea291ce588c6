"""The embedded Customer.io on a port."""

import argparse
import signal
import sys
import tempfile
from contextlib import closing
from ipaddress import ip_address
from pathlib import Path

import uvicorn

from cio_mcp.app.build import open_sandbox
from cio_mcp.cli.certificate import make_certificate
from cio_mcp.cli.port_server import PortServer
from cio_mcp.cli.ports import listen
from cio_mcp.cli.sandbox.import_ import read_export
from cio_mcp.errors import SettingsError
from cio_mcp.sandbox import Sandbox
from cio_mcp.sandbox.controls.verifying import hold
from cio_mcp.sandbox.port import CuttingProtocol
from cio_mcp.sandbox.state import copies
from cio_mcp.settings import load
from cio_mcp.transports.http.hosts import NameCheck


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take where to listen."""
    parser.description = (
        "Serve the embedded sandbox, an imitation of Customer.io with sample data, over HTTP. It prints the "
        "keys that open it. Without CIO_SANDBOX_PATH its state is gone when it ends."
    )
    parser.epilog = (
        "example:\n  cio-mcp sandbox &\n  curl -u sandbox-site:sandbox-track-key \\\n"
        "    http://127.0.0.1:8080/api/v1/accounts/region"
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument("--port", type=int, default=8080, help="port to listen on (default: 8080; 0: any)")
    parser.add_argument("--tls", action="store_true", help="speak https, with a certificate made on the spot")
    parser.add_argument("--seed", metavar="FILE", help="begin with the state in this export")
    parser.add_argument(
        "--controls",
        action="store_true",
        help="answer under /_sandbox/ at another address than loopback too, to whoever reaches it",
    )


def run(asked: argparse.Namespace) -> int:
    """Serve until interrupted; returns 0."""
    settings = load()
    with (
        closing(listen(asked.host, asked.port)) as listener,
        closing(open_sandbox(settings)) as sandbox,
        tempfile.TemporaryDirectory(prefix="cio-mcp-") as folder,
    ):
        if asked.seed:
            _begin_with(sandbox, asked.seed)
        # uvicorn passes a signal on once it has stopped; an exit cleans up where the default would not.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        host, port = listener.getsockname()[:2]
        app = sandbox.controlled if asked.controls or ip_address(host).is_loopback else sandbox.app
        certificate = make_certificate(Path(folder), asked.host) if asked.tls else None
        config = uvicorn.Config(
            NameCheck(app, [asked.host, *settings.allowed_hosts], settings.allowed_origins, "/_sandbox"),
            http=CuttingProtocol,
            proxy_headers=False,
            log_level="warning",
            lifespan="off",
            ssl_certfile=certificate,
        )
        keys = sandbox.credentials
        address = f"{'https' if certificate else 'http'}://{host}:{port}"
        lines = [
            f"A Customer.io sandbox listens on {address} until you press Ctrl-C.",
            f"  site id        {keys.site_id}",
            f"  Track API key  {keys.track_api_key}",
            f"  App API key    {keys.app_api_key}",
            f"  state          {settings.sandbox_path or 'in memory; set CIO_SANDBOX_PATH to keep it'}",
            *([f"  certificate    {certificate}"] if certificate else []),
        ]
        sys.stdout.write("\n".join(lines) + "\n")
        sys.stdout.flush()
        PortServer(config, listener, _hint(address, certificate)).run()
    return 0


def _begin_with(sandbox: Sandbox, file: str) -> None:
    try:
        with sandbox.workspace.locked():
            hold(sandbox.workspace, read_export(file))
    except copies.WrongCopy as wrong:
        raise SettingsError(f"--seed {file}: {wrong}") from None


def _hint(address: str, certificate: str | None) -> str:
    """Return what to tell a client that speaks http to a port of https, or the other way round."""
    if certificate:
        return f"this sandbox speaks https: use {address}, and trust {certificate}"
    return f"this sandbox speaks http: use {address}, or start it with cio-mcp sandbox --tls for https"
