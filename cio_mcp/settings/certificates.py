"""The variables by which a host names the certificates that it trusts."""

import os
from collections.abc import Mapping
from pathlib import Path

from cio_mcp.errors import SettingsError


def check_certificates(environ: Mapping[str, str]) -> None:
    """Raise SettingsError where SSL_CERT_FILE or SSL_CERT_DIR leads nowhere.

    OpenSSL passes such a value over, and every call would fail for a certificate that is not trusted.
    """
    if path := environ.get("SSL_CERT_FILE"):
        import ssl  # noqa: PLC0415 - few have such a file, and all would wait for it at the start

        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
        except ssl.SSLError:
            raise _wrong("SSL_CERT_FILE", path, "holds no certificates in PEM format") from None
        except OSError as error:
            raise _wrong("SSL_CERT_FILE", path, f"cannot be read: {error.strerror}") from None
    folders = environ.get("SSL_CERT_DIR", "")
    if folders and not any(Path(folder).is_dir() for folder in folders.split(os.pathsep)):
        raise _wrong("SSL_CERT_DIR", folders, "is not a folder")


def _wrong(name: str, path: str, what: str) -> SettingsError:
    return SettingsError(f"{name}: {path}: {what}; correct the path, or unset {name}")
