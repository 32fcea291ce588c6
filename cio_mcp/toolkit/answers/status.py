"""The parts of the answer of `server_status`."""

from pydantic import Field

from cio_mcp.toolkit.answers.shapes import Answer, Shape


class LimitStatus(Shape):
    """One of Customer.io's rate limits, as this server uses it."""

    limit: str
    waiting: int = Field(description="Calls that are waiting for their turn.")
    used_share: float | None = Field(
        None, description="Share of the limit that this server uses now, reduced after a 429; from 0 to 1."
    )
    held_back_seconds: float | None = Field(
        None, description="Seconds for which no request is sent, because of a 429."
    )
    last_429_seconds_ago: int | None = None
    failing: str | None = Field(
        None, description="Set while the API keeps failing: calls then fail at once, and nothing is sent."
    )


class CapStatus(Shape):
    """A cap on recipients or deletions per hour or day."""

    setting: str
    most: int = Field(description="Recipients, or deletions, allowed in the period.")
    left: int | None = Field(
        None, description="What is left of it in the period; absent while unknown, and then nothing is done."
    )


class Status(Answer):
    """What this server may do, and its current state."""

    version: str
    environment: str = Field(description='"sandbox", or "live" and the region.')
    credentials: dict[str, bool] = Field(description="Each credential setting, and whether it is set.")
    permissions: list[str] = Field(description="Of read, write, delete and send, those that are granted.")
    confirmation: str = Field(
        description="How deletions and sends to many people are confirmed: preview (repeat the call with "
        "the preview's code), human (a person is asked) or off."
    )
    stopped: bool | None = Field(
        None, description="true: an operator has stopped all writes, deletions and sends."
    )
    scheduled: list[str] | None = Field(
        None, description="While stopped: sends that were scheduled before and still go out."
    )
    timezone: str = Field(description="Time zone of times that name none, except for metrics (CIO_TIMEZONE).")
    now: str = Field(description="The time of day in that time zone.")
    notes: list[str] | None = Field(None, description="What is degraded now, and why.")
    bounds: dict[str, str] = Field({}, description="Other settings that restrict calls, with their values.")
    caps: list[CapStatus] = Field([], description="Caps, and what is left of them.")
    limits: list[LimitStatus] = Field([], description="Customer.io's rate limits, once a call has used them.")
    off: dict[str, list[str]] = Field({}, description="Why tools are off, with their names or toolsets.")
