"""`cio-mcp sandbox`: the embedded Customer.io on a port."""

import argparse
import ipaddress
import signal
import socket
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cio_mcp.app import open_sandbox
from cio_mcp.errors import SettingsError
from cio_mcp.settings import load


def run(asked: argparse.Namespace) -> int:
    """Serve until interrupted; returns 0."""
    settings = load()
    listener = _listen(asked.host, asked.port)
    host, port = listener.getsockname()[:2]
    sandbox = open_sandbox(settings)
    # uvicorn passes a signal on once it has stopped; an exit cleans up where the default would not.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with tempfile.TemporaryDirectory(prefix="cio-mcp-") as folder:
        certificate = _certificate(Path(folder), asked.host) if asked.tls else None
        config = uvicorn.Config(
            sandbox.app,
            log_level="warning",
            lifespan="off",
            ssl_certfile=certificate,
        )
        keys = sandbox.credentials
        scheme = "https" if certificate else "http"
        lines = [
            f"A Customer.io sandbox listens on {scheme}://{host}:{port} until you press Ctrl-C.",
            f"  site id        {keys.site_id}",
            f"  Track API key  {keys.track_api_key}",
            f"  App API key    {keys.app_api_key}",
            f"  state          {settings.sandbox_path or 'in memory; set CIO_SANDBOX_PATH to keep it'}",
            *([f"  certificate    {certificate}"] if certificate else []),
        ]
        sys.stdout.write("\n".join(lines) + "\n")
        sys.stdout.flush()
        uvicorn.Server(config).run([listener])
    sandbox.close()
    return 0


def _listen(host: str, port: int) -> socket.socket:
    """Return a bound socket; raises SettingsError where the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except (OSError, OverflowError) as error:
        listener.close()
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        message = f"--port {port}: {host} cannot be listened on ({reason}); take another port, or 0 for any"
        raise SettingsError(message) from None
    return listener


def _certificate(folder: Path, host: str) -> str:
    """Make a certificate for `host` and localhost, with its key, good for a year; returns the file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "cio-mcp sandbox")])
    names: list[x509.GeneralName] = [
        x509.DNSName("localhost"),
        x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
    ]
    try:
        names.append(x509.IPAddress(ipaddress.ip_address(host)))
    except ValueError:
        names.append(x509.DNSName(host))
    today = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=365))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    path.touch(mode=0o600)
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return str(path)
