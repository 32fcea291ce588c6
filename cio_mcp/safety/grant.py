"""What one caller may do of what the server does."""

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

Words = tuple[str, ...]
Count = Annotated[int, Field(ge=0)]


class Grant(BaseModel):
    """Bounds of one caller, in the words of the settings of the same names; what is left out is not bounded.

    A grant can only narrow. `workspaces` are those of the server's that may be used (none named: all), and
    `rate_share` is the part of each limit that the caller may use.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    name: Annotated[str, Field(pattern=r"^[\w.@-]{1,64}$")]
    permissions: Words = ("read", "write", "delete", "send")
    toolsets: Words = ()
    tools: Words = ()
    workspaces: Words = ()
    max_recipients: Count | None = None
    max_sends_per_hour: Count | None = None
    max_sends_per_day: Count | None = None
    rate_share: Annotated[float, Field(gt=0, le=1)] = 1.0
    expires: AwareDatetime | None = None

    @property
    def caps(self) -> dict[str, int]:
        """The caps on sends, by setting."""
        caps = {
            "CIO_MAX_SENDS_PER_HOUR": self.max_sends_per_hour,
            "CIO_MAX_SENDS_PER_DAY": self.max_sends_per_day,
        }
        return {name: most for name, most in caps.items() if most is not None}
