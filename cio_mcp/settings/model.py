"""All settings, with their types, defaults and help texts. `scopes` holds those of less than the process."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from cio_mcp.limits import CALL_BYTES
from cio_mcp.settings.scopes import CREDENTIALS, PREFIX, WorkspaceIdentity, WorkspaceSettings
from cio_mcp.settings.values import (
    Collector,
    Key,
    Lower,
    MetricsReaders,
    Names,
    Networks,
    Origins,
    RootPath,
    SafeUrl,
    Sharing,
    Upper,
    UserPath,
    check_audience,
)

# What a person is known by besides address and number. City and country stay: campaigns are built on them.
PERSONAL = (
    *("first_name", "last_name", "full_name", "name", "phone", "mobile", "address", "street", "postal_code"),
    *("zip", "birthday", "birth_date", "date_of_birth", "ip_address"),
)


class Settings(WorkspaceSettings, WorkspaceIdentity):
    """What the program was told. What stands here holds for the whole process alone."""

    workspaces_file: UserPath | None = Field(
        None, description="TOML file of several workspaces, each a table of these settings in lower case."
    )
    keyring: str | None = Field(
        None,
        description="Name under which the system's keyring holds the credentials that are set nowhere else "
        "(needs the extra keyring; cio-mcp setup stores them).",
    )
    shared_pace: Sharing = Field(
        "auto",
        description="Who shares each rate limit: a user's processes on this host (auto), nobody (off), or "
        "all that name the same Redis or Valkey (redis://host:6379/0, rediss://…, unix://…), with codes and "
        "caps.",
    )
    audit_log: UserPath | None = Field(
        None, description="File that records every call that writes, deletes or sends."
    )
    audit_reads: bool = Field(False, description="Whether the audit log records calls that only read, too.")
    audit_copy: Collector | None = Field(
        None,
        description="Where entries of the audit log are copied to: https://… (POST, a JSON object a line) "
        "or syslog://host:port (TCP).",
    )
    audit_copy_token: Key | None = Field(None, description="Bearer token for CIO_AUDIT_COPY over https.")
    tokens_file: UserPath | None = Field(
        None, description="Over HTTP: file of the callers' tokens, written by cio-mcp token."
    )
    oauth_issuer: SafeUrl | None = Field(
        None,
        description="Over HTTP: OAuth issuer whose JWTs are accepted, written exactly as in their iss.",
    )
    oauth_audience: Names = Field(
        (),
        description="Over HTTP: this server's address, for which JWTs must be issued (aud); after it, any "
        "other names that the issuer uses for the server.",
    )
    oauth_jwks_url: SafeUrl | None = Field(
        None, description="Over HTTP: address of the issuer's keys, if its metadata does not name it."
    )
    oauth_scope_prefix: Annotated[str, Field(pattern=r"^[!#-\[\]-~]*$")] = Field(
        "cio:", description="Over HTTP: prefix of read, write, delete and send in the scopes of JWTs."
    )
    allowed_hosts: Names = Field(
        (), description="Over HTTP: names by which clients reach this server, besides loopback's."
    )
    allowed_origins: Origins = Field(
        (),
        description="Over HTTP: web origins whose pages may call this server, such as https://app.example.",
    )
    root_path: RootPath = Field(
        "", description="Over HTTP: prefix of the path, such as /cio, that a proxy strips before this server."
    )
    trusted_proxies: Networks = Field(
        (), description="Over HTTP: addresses of proxies whose X-Forwarded-Prefix is taken for that prefix."
    )
    max_request_bytes: Annotated[int, Field(gt=0)] = Field(
        CALL_BYTES, description="Over HTTP: the largest request; by default any call that a tool takes."
    )
    stateless: bool = Field(
        False, description="Over HTTP: keep no sessions, so that any replica can answer any request."
    )
    drain: float = Field(
        20, ge=0, description="Over HTTP: seconds for running calls to finish when the server stops."
    )
    metrics: MetricsReaders = Field(
        "loopback",
        description="Over HTTP: who may read /metrics: loopback, open, off, or this bearer token.",
    )
    pii: Annotated[Literal["show", "mask"], Lower] = Field(
        "show",
        description="mask hides people's addresses, phone numbers and CIO_PII_ATTRIBUTES in answers.",
    )
    pii_attributes: Names = Field(
        PERSONAL, description="Attributes to hide with CIO_PII=mask; case, `_` and blanks make no difference."
    )
    tool_prefix: str = Field("", pattern=r"^[A-Za-z0-9_-]{0,20}$", description="Prefix of every tool's name.")
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], Upper] = Field(
        "WARNING", description="What is logged to stderr: DEBUG, INFO (every call), WARNING or ERROR."
    )
    log_format: Annotated[Literal["text", "json"], Lower] = Field(
        "text", description="Format of the log: text or json."
    )

    @property
    def has_credentials(self) -> bool:
        """Say whether any credential is set."""
        return any(getattr(self, name) for name in CREDENTIALS)

    @property
    def sends_only(self) -> bool:
        """Say whether the App API's key is a service account token, which opens nothing but sends."""
        key = self.app_api_key
        return key is not None and key.get_secret_value().startswith("sa_live_")

    @property
    def uses_sandbox(self) -> bool:
        """Say whether calls go to the embedded sandbox."""
        return self.sandbox == "on" or (self.sandbox == "auto" and not self.has_credentials)

    @property
    def uses_network(self) -> bool:
        """Say whether anything leaves this program."""
        return bool(self.workspaces_file or self.oauth_issuer) or not self.uses_sandbox

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.site_id is None) != (self.track_api_key is None):
            given, missing = ("SITE_ID", "TRACK_API_KEY") if self.site_id else ("TRACK_API_KEY", "SITE_ID")
            message = f"{PREFIX}{missing}: is missing; {PREFIX}{given} is set, and the Track API needs both"
            raise ValueError(message)
        if self.sends_only and self.workspace_id is None:
            message = (
                f"{PREFIX}WORKSPACE_ID: is missing; {PREFIX}APP_API_KEY is a service account token "
                "(sa_live_…), which needs it"
            )
            raise ValueError(message)
        if self.workspaces_file and (self.has_credentials or self.sandbox == "on"):
            message = (
                f"{PREFIX}WORKSPACES_FILE: defines the workspaces; unset {PREFIX}SANDBOX and the credentials"
            )
            raise ValueError(message)
        if self.sandbox == "off" and not self.has_credentials and not self.workspaces_file:
            names = f"{PREFIX}SITE_ID with {PREFIX}TRACK_API_KEY, or {PREFIX}APP_API_KEY"
            message = f"{PREFIX}SANDBOX: is off and there are no credentials; set {names}"
            raise ValueError(message)
        if (self.audit_reads or self.audit_copy) and not self.audit_log:
            message = f"{PREFIX}AUDIT_LOG: is missing; {PREFIX}AUDIT_READS and {PREFIX}AUDIT_COPY need it"
            raise ValueError(message)
        if self.oauth_issuer:
            check_audience(self.oauth_audience)
        elif self.oauth_audience or self.oauth_jwks_url:
            message = f"{PREFIX}OAUTH_ISSUER: is missing; set it, or unset the other OAuth settings"
            raise ValueError(message)
        return self
