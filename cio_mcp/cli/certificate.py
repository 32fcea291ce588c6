"""A certificate made on the spot, for trying things over https."""

from pathlib import Path

from cio_mcp.errors import SettingsError


def make_certificate(folder: Path, host: str) -> str:
    """Make a certificate for `host` and localhost, with its key and its authority; returns the file.

    Raises SettingsError where the extra is missing.
    """
    try:
        from trustme import CA  # noqa: PLC0415 - an extra
    except ImportError:
        raise SettingsError("--tls needs the extra: pip install 'cio-mcp[tls]'") from None
    authority = CA(organization_name="cio-mcp sandbox")
    issued = authority.issue_cert("localhost", "127.0.0.1", host)
    path = folder / "certificate.pem"
    path.touch(mode=0o600)
    parts = (issued.private_key_pem, *issued.cert_chain_pems, authority.cert_pem)
    path.write_bytes(b"".join(part.bytes() for part in parts))
    return str(path)
