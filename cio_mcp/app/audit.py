"""The audit log and its copy, as the settings name them."""

import time
from collections.abc import Callable
from contextlib import ExitStack

from cio_mcp.client.collector import collector_at
from cio_mcp.errors import SettingsError
from cio_mcp.safety.audit.copy import Copier
from cio_mcp.safety.audit.log import AuditLog
from cio_mcp.settings import Settings


def open_audit_log(
    settings: Settings,
    files: ExitStack,
    clock: Callable[[], float] = time.time,
    workspace: str | None = None,
    copier: Copier | None = None,
) -> AuditLog | None:
    """Open the audit log that the settings name; `files` closes it.

    Raises SettingsError if it cannot be written.
    """
    if settings.audit_log is None:
        return None
    written = copier.wake if copier else lambda: None
    try:
        log = AuditLog(settings.audit_log, clock, workspace=workspace, written=written)
    except OSError as error:
        raise SettingsError(f"CIO_AUDIT_LOG: {settings.audit_log}: {error.strerror}") from None
    files.callback(log.close)
    return log


def copier_of(settings: Settings) -> Copier | None:
    """Return what copies the audit log elsewhere, None if nothing does."""
    if not (settings.audit_log and settings.audit_copy):
        return None
    token = settings.audit_copy_token.get_secret_value() if settings.audit_copy_token else ""
    return Copier(settings.audit_log, collector_at(settings.audit_copy, token))
