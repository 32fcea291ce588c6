"""Every setting: its type, its default, and its help text."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from cio_mcp.settings.values import (
    BaseUrl,
    Count,
    Key,
    Lower,
    Names,
    Rate,
    SafeUrl,
    Scraping,
    Sharing,
    UserPath,
    check_audience,
)

PREFIX, ALIAS = "CIO_", "CUSTOMERIO_"
CREDENTIALS = ("site_id", "track_api_key", "app_api_key")


# What a person is known by besides address and number. City and country stay: campaigns are built on them.
PERSONAL = (
    *("first_name", "last_name", "full_name", "name", "phone", "mobile", "address", "street", "postal_code"),
    *("zip", "birthday", "birth_date", "date_of_birth", "ip_address"),
)


class Settings(BaseModel):
    """What the program was told. Field descriptions are its help text."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    site_id: Key | None = Field(None, description="Site id of the workspace, for the Track API.")
    track_api_key: Key | None = Field(None, description="Track API key that belongs to the site id.")
    app_api_key: Key | None = Field(None, description="App API key, for reading and sending.")
    workspace_id: Annotated[int, Field(gt=0)] | None = Field(
        None, description="Id of the workspace; a service account token (sa_live_…) needs it to send."
    )
    region: Annotated[Literal["us", "eu"], Lower] = Field(
        "us", description="Where the workspace is: us or eu."
    )
    track_url: BaseUrl | None = Field(None, description="Another base address for the Track API.")
    app_url: BaseUrl | None = Field(None, description="Another base address for the App API.")
    track_rate: Rate = Field(100, description="Requests per second to the Track API.")
    app_rate: Rate = Field(10, description="Requests per second to the App API.")
    send_rate: Rate = Field(100, description="Transactional messages per second.")
    broadcast_interval: Rate = Field(10, description="Seconds between two triggers of one broadcast.")
    rate_share: float = Field(1.0, gt=0, le=1, description="The part of each limit that may be used here.")
    workspace: str | None = Field(
        None, description="A name that ties several keys of one workspace to one budget of requests."
    )
    workspaces_file: UserPath | None = Field(
        None, description="A TOML file of several workspaces, each a table of these settings in lower case."
    )
    shared_pace: Sharing = Field(
        "auto",
        description="Who shares each limit: a user's processes on this host (auto), none (off), or all that "
        "name one Redis or Valkey (redis://host:6379/0, rediss://…, unix://…) and share codes and caps too.",
    )
    deadline: Rate = Field(30, description="Seconds a call may take: queue, attempts and pauses together.")
    permissions: Names = Field(
        ("read", "write", "delete", "send"), description="What tools may do: read, write, delete, send."
    )
    toolsets: Names = Field(
        (), description="Which tools are on, by area, or core (the default), or all; a leading - leaves out."
    )
    tools: Names = Field((), description="Only these tools, by name or pattern; a leading - leaves out.")
    confirm: Annotated[Literal["preview", "human", "off"], Lower] = Field(
        "preview",
        description="Who confirms deletions and sends to many: the caller after a preview, a human, or off.",
    )
    max_audience_growth: float = Field(
        10, ge=0, description="Percent by which an audience may grow between its preview and the send."
    )
    allowed_recipients: Names = Field(
        (), description="Whom messages may reach: addresses, domains, patterns such as *@*.example.com."
    )
    max_recipients: Count | None = Field(None, description="Recipients of one call.")
    max_sends_per_hour: Count | None = Field(None, description="Recipients in any hour, of all processes.")
    max_sends_per_day: Count | None = Field(None, description="Recipients in any 24 hours.")
    allow_bcc: bool = Field(False, description="Whether email may have blind copies.")
    stop_file: UserPath | None = Field(
        None, description="While this file exists, nothing is written, deleted or sent."
    )
    audit_log: UserPath | None = Field(
        None, description="A file that records every call that writes, deletes or sends."
    )
    tokens_file: UserPath | None = Field(
        None, description="Over HTTP: the file of who may call, written by cio-mcp token."
    )
    oauth_issuer: SafeUrl | None = Field(
        None,
        description="Over HTTP: the OAuth issuer whose JWTs let callers in, written as their iss has it.",
    )
    oauth_audience: Names = Field(
        (),
        description="Over HTTP: this server's own address, for which JWTs must be issued (aud); after it, "
        "whatever else the issuer calls this server.",
    )
    oauth_jwks_url: SafeUrl | None = Field(
        None, description="Over HTTP: the issuer's keys, if its metadata does not say where they are."
    )
    oauth_scope_prefix: Annotated[str, Field(pattern=r"^[!#-\[\]-~]*$")] = Field(
        "cio:", description="Over HTTP: what stands before read, write, delete and send in JWTs' scopes."
    )
    allowed_hosts: Names = Field(
        (), description="Over HTTP: names this server is reached by, besides loopback's."
    )
    allowed_origins: Names = Field((), description="Over HTTP: web origins that may call it.")
    stateless: bool = Field(
        False, description="Over HTTP: keep no sessions, so that any replica can answer any request."
    )
    drain: float = Field(
        20, ge=0, description="Over HTTP: seconds that running calls get to finish when the server stops."
    )
    metrics: Scraping = Field(
        "loopback", description="Over HTTP: who may read /metrics: loopback, open, off, or this bearer token."
    )
    pii: Annotated[Literal["show", "mask"], Lower] = Field(
        "show",
        description="mask: people's addresses, phone numbers and CIO_PII_ATTRIBUTES are hidden in answers.",
    )
    pii_attributes: Names = Field(
        PERSONAL, description="Attributes to mask, by name: case, `_` and blanks make no difference."
    )
    tool_prefix: str = Field(
        "", pattern=r"^[A-Za-z0-9_-]{0,20}$", description="Put before every tool's name."
    )
    sandbox: Annotated[Literal["auto", "on", "off"], Lower] = Field(
        "auto",
        description="The embedded sandbox: on, off, or auto, which uses it when no credential is set at all.",
    )
    sandbox_path: UserPath | None = Field(
        None, description="A file that keeps the sandbox's state; without it the state lives in memory."
    )
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(str.upper)] = Field(
        "WARNING", description="What goes to stderr: DEBUG, INFO (every call), WARNING or ERROR."
    )
    log_format: Annotated[Literal["text", "json"], Lower] = Field("text", description="As text or json.")

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
                f"{PREFIX}WORKSPACES_FILE: says what there is; unset {PREFIX}SANDBOX and the credentials"
            )
            raise ValueError(message)
        if self.sandbox == "off" and not self.has_credentials and not self.workspaces_file:
            names = f"{PREFIX}SITE_ID with {PREFIX}TRACK_API_KEY, or {PREFIX}APP_API_KEY"
            message = f"{PREFIX}SANDBOX: is off and there are no credentials; set {names}"
            raise ValueError(message)
        if self.oauth_issuer:
            check_audience(self.oauth_audience)
        elif self.oauth_audience or self.oauth_jwks_url:
            message = f"{PREFIX}OAUTH_ISSUER: is missing; without it no other OAuth setting has a meaning"
            raise ValueError(message)
        return self
