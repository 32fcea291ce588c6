"""Settings that can be set for less than the whole process.

The class of a field says how far down: to a workspace's table, a token, or a request's header. What a header
can narrow a token can, too, and what a token can narrow a workspace's table can set.
"""

from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from cio_mcp.errors import SettingsError
from cio_mcp.limits import LIMITS
from cio_mcp.settings.values import (
    BaseUrl,
    Cap,
    Confirmable,
    Count,
    Key,
    Lower,
    Names,
    Rate,
    TimeZone,
    UserPath,
    Window,
)

PREFIX, ALIAS = "CIO_", "CUSTOMERIO_"
CREDENTIALS = ("site_id", "track_api_key", "app_api_key")


# Each documented limit's number, by the setting that changes it.
LIMITS_SET: dict[str, float] = {limit.setting: getattr(limit, limit.sets) for limit in LIMITS}


def variable(name: str) -> str:
    """Return the environment variable of a setting."""
    return PREFIX + name.upper()


class _Fields(BaseModel):
    # Built at its first use: only Settings is always used.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)


class WorkspaceIdentity(_Fields):
    """Which workspace it is. A workspace's table inherits none of this from the environment."""

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
    workspace: str | None = Field(
        None, description="A name under which several keys of one workspace share one budget of requests."
    )
    sandbox: Annotated[Literal["auto", "on", "off"], Lower] = Field(
        "auto",
        description="The embedded sandbox: on, off, or auto, which uses it if no credentials are set.",
    )
    sandbox_path: UserPath | None = Field(
        None,
        description="File for the sandbox's state. Default: one in the state folder over stdio and for "
        "cio-mcp call, if neither CIO_SANDBOX nor credentials are set; else memory.",
    )


class RequestSettings(_Fields):
    """What a header of a request can narrow, and so can a token and a workspace's table."""

    permissions: Names = Field(
        ("read", "write", "delete", "send"), description="What tools may do: read, write, delete, send."
    )
    toolsets: Names = Field(
        (), description="Toolsets that are on, or core (the default) or all; a leading - turns one off."
    )
    tools: Names = Field((), description="Only these tools, by name or pattern; a leading - turns one off.")


class TokenSettings(RequestSettings):
    """What a token can narrow, and a workspace's table can set."""

    max_recipients: Count | None = Field(None, description="The largest number of recipients of one call.")
    max_sends_per_hour: Annotated[Count | None, Window(3600)] = Field(
        None, description="The largest number of recipients in any hour, over all processes."
    )
    max_sends_per_day: Annotated[Count | None, Window(86_400)] = Field(
        None, description="The largest number of recipients in any 24 hours, over all processes."
    )
    max_deletions_per_hour: Annotated[Count | None, Window(3600, "deletions")] = Field(
        None, description="The largest number of deletions in any hour, over all processes."
    )
    rate_share: float = Field(
        1.0, gt=0, le=1, description="The part of each rate limit that may be used here."
    )

    def caps(self, of: Literal["sends", "deletions"]) -> tuple[Cap, ...]:
        """Return the caps on sends or deletions that are set."""
        return tuple(
            Cap(variable(name), window.seconds, most)
            for name, window in WINDOWS.items()
            if window.of == of and (most := getattr(self, name)) is not None
        )


# The window of each cap, by the setting's name.
WINDOWS = {
    name: mark
    for name, field in TokenSettings.model_fields.items()
    for mark in field.metadata
    if isinstance(mark, Window)
}


class WorkspaceSettings(TokenSettings):
    """What a workspace's table can set; where it does not, the environment's setting holds."""

    confirm: Annotated[Literal["preview", "human", "off"], Lower] = Field(
        "preview",
        description="Who confirms deletions, sends to many and changes of live content: the caller "
        "(preview), a human, or off.",
    )
    confirm_also: Confirmable = Field(
        (),
        description="What else is confirmed: identify, subscriptions, devices, relationships, segments, "
        "events, bulk.",
    )
    max_audience_growth: float = Field(
        10, ge=0, description="Percent by which an audience may grow between its preview and the send."
    )
    allowed_recipients: Names = Field(
        (),
        description="Who may be reached: addresses, domains, patterns such as *@*.example.com, "
        "phone numbers (+4930*), device:any.",
    )
    allow_bcc: bool = Field(False, description="Whether emails may have blind copies.")
    allowed_headers: Names = Field(
        (), description="Headers of mail relays, such as X-MC-Tags, that emails may have. Default: none."
    )
    rules: Names = Field(
        (),
        description="Rules of installed packages that every write, deletion and send must pass too.",
    )
    files: UserPath | None = Field(
        None, description="Folder whose files may be loaded by tools that take many rows. Default: none."
    )
    downloads: UserPath | None = Field(
        None,
        description="Folder in which tools may save exports, but where people are hidden. Default: none.",
    )
    templates: UserPath | None = Field(
        None,
        description="TOML file that makes messages tools of their own, and can make these the only way to "
        "send.",
    )
    stop_file: UserPath | None = Field(
        None, description="While this file exists, nothing is written, deleted or sent."
    )
    track_rate: Rate = Field(LIMITS_SET["track_rate"], description="Requests per second to the Track API.")
    app_rate: Rate = Field(LIMITS_SET["app_rate"], description="Requests per second to the App API.")
    send_rate: Rate = Field(LIMITS_SET["send_rate"], description="Transactional messages per second.")
    broadcast_interval: Rate = Field(
        LIMITS_SET["broadcast_interval"], description="Seconds between two triggers of one broadcast."
    )
    timezone: TimeZone = Field(
        "UTC",
        description="Time zone of times that name none, such as Europe/Berlin. Unless it is set, days in "
        "metrics are Eastern, as most of Customer.io's are.",
    )
    deadline: Rate = Field(30, description="Seconds that a call may take, with waiting, retries and pauses.")

    def words(self, name: str, form: Callable[[str], str]) -> list[str]:
        """Return the words of a setting in a form; raises SettingsError for one that has none."""
        try:
            return list(map(form, getattr(self, name)))
        except ValueError as error:
            raise SettingsError(f"{variable(name)}: {error}") from None
