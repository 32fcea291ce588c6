"""One fault: what goes wrong, with what, and when."""

import hashlib
import re
from collections.abc import Collection
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from cio_mcp.sandbox.moments import Moment, settled, written
from cio_mcp.sandbox.paths import fits

# What can go wrong with a request, and with a delivery.
OfRequests = Literal["throttle", "quota", "error", "html", "cut", "slow"]
OfDeliveries = Literal["late", "secondary"]

# Which of the fields belong to what only; all others go with anything.
OWN = {
    "status": {"error", "html"},
    "retry_after": {"throttle"},
    "seconds": {"slow", "late"},
    "after": {"error", "html", "cut", "slow"},
    "route": set(get_args(OfRequests)),
}
STATUS = {"error": 500, "html": 502}
METHODS = ("GET", "PUT", "POST", "DELETE")
RANGE = re.compile(r"([1-9]\d{0,8})(-([1-9]\d{0,8})?)?")


def _calls(text: str) -> str:
    found = [RANGE.fullmatch(part.strip()) for part in text.split(",")]
    if not all(found) or any(last < first for first, last in ranges(text)):
        raise ValueError("must be numbers and ranges, such as 2, 1-3, 5- or 1,4")
    return text


def _as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def ranges(text: str) -> list[tuple[int, float]]:
    """Return the first and the last number of each range in a text."""
    parts = [part.strip().partition("-") for part in text.split(",")]
    return [(int(first), float(last or ("inf" if dash else first))) for first, dash, last in parts]


def _route(text: str) -> str:
    method, _, path = text.strip().rpartition(" ")
    method = method.strip().upper()
    if (method and method not in METHODS) or not (path.startswith("/") or path == "*"):
        raise ValueError("must be a path, after a method or not, such as POST /v1/send/email or /api/v1/*")
    return f"{method} {path}".strip()


class Fault(BaseModel):
    """What goes wrong, with which requests or deliveries, and at which of them."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)

    does: OfRequests | OfDeliveries = Field(
        description="A 429 (throttle), one of a daily quota (quota), an error in the API's form (error), a "
        "proxy's page (html), a connection that is cut without an answer (cut), waiting (slow); "
        "of deliveries: late arrival (late), or states that are reported as `secondary:…` "
        "(secondary).",
    )
    status: Annotated[int, Field(ge=200, le=599)] | None = Field(
        None, description="The status of error (default: 500) and of html (default: 502)."
    )
    retry_after: Annotated[int, Field(ge=0, le=86_400)] | None = Field(
        None, description="Seconds that a throttle asks to wait; without it there is no Retry-After."
    )
    seconds: Annotated[float, Field(gt=0, le=366 * 86_400)] | None = Field(
        None, description="How slow, or how late."
    )
    after: bool = Field(False, description="The request takes effect before it goes wrong.")
    route: Annotated[str, AfterValidator(_route)] | None = Field(
        None,
        description="A path, after a method or not; `*` stands for one segment, and a last `*` for all that "
        "follow.",
    )
    recipient: Annotated[str, Field(min_length=1)] | None = Field(
        None,
        description="An address or an identifier that a request names or a delivery goes to; `*` is any "
        "characters.",
    )
    calls: Annotated[str, BeforeValidator(_as_text), AfterValidator(_calls)] | None = Field(
        None,
        description="Which of those that fit, numbered from when the fault was added: 2, 1-3, 5- or 1,4.",
    )
    chance: Annotated[float, Field(gt=0, le=1)] | None = Field(
        None, description="The share of those that fit which is struck, drawn by `seed`."
    )
    seed: int = Field(0, description="What the chance is drawn by.")
    since: Moment | None = Field(
        None,
        description="From when on, by the sandbox's clock: ISO 8601, unix seconds, or `+2d` from when it is "
        "added.",
    )
    until: Moment | None = Field(None, description="Until when.")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        for name, kinds in OWN.items():
            if name in self.model_fields_set and self.does not in kinds and getattr(self, name) is not None:
                raise ValueError(f"{name} goes with {', '.join(sorted(kinds))}, not with {self.does}")
        if self.does in OWN["seconds"] and self.seconds is None:
            raise ValueError(f"{self.does} needs seconds")
        if self.does == "error" and self.status is not None and self.status < 400:
            raise ValueError(f"status of an error must be 400 to 599; it is {self.status}")
        return self

    def added(self, now: int) -> "Fault":
        """Return it with its times as unix seconds, counted from `now`; raises WrongFault."""
        times = {
            name: settled(at, now) for name in ("since", "until") if (at := getattr(self, name)) is not None
        }
        if len(times) == 2 and times["until"] <= times["since"]:
            raise WrongFault("until must be later than since")
        return self.model_copy(update=times)

    def in_force(self, now: float) -> bool:
        """Say whether it can strike at a time, once it is added."""
        since, until = (None if at is None else settled(at, 0) for at in (self.since, self.until))
        return (since is None or since <= now) and (until is None or now < until)

    def fits_route(self, method: str, path: list[str]) -> bool:
        """Say whether a request to a path, given as its segments, is one that it may strike."""
        return self.route is None or fits(self.route, method, path)

    def strikes(self, number: int) -> bool:
        """Say whether it strikes the request, or the delivery, of a number among those that fit."""
        if self.calls and not any(first <= number <= last for first, last in ranges(self.calls)):
            return False
        drawn = hashlib.sha256(f"{self.seed}:{number}".encode()).digest()
        return self.chance is None or int.from_bytes(drawn[:8]) < self.chance * 2**64

    def told(self) -> dict[str, Any]:
        """Return it as it is written, without what goes without saying."""
        return self.model_dump(exclude_defaults=True)

    def __str__(self) -> str:
        """Return it in words."""
        parts = [
            {
                "throttle": "429" if self.retry_after is None else f"429 with Retry-After {self.retry_after}",
                "quota": "429 of a daily quota",
                "error": f"status {self.status or STATUS['error']}",
                "html": f"a proxy's HTML with status {self.status or STATUS['html']}",
                "cut": "a cut connection",
                "slow": f"{self.seconds or 0:g} s of waiting",
                "late": f"deliveries {self.seconds or 0:g} s late",
                "secondary": "deliveries reported as secondary:",
            }[self.does],
            "after the effect" if self.after else "",
            f"on {self.route}" if self.route else "",
            f"for {self.recipient}" if self.recipient else "",
            f"at calls {self.calls}" if self.calls else "",
            f"by a chance of {self.chance:g}" if self.chance is not None else "",
            f"from {written(self.since)}" if self.since is not None else "",
            f"until {written(self.until)}" if self.until is not None else "",
        ]
        return " ".join(filter(None, parts))


class WrongFault(ValueError):
    """What is written is no fault; says why."""


def parse(found: Any) -> Fault:
    """Return the fault that is written; raises WrongFault."""
    try:
        return Fault.model_validate(found)
    except ValidationError as error:
        raise WrongFault(why(error)) from None


def why(error: ValidationError, *, kinds: Collection[str] = ()) -> str:
    """Return in one line what is wrong with something written, without pydantic's words around it.

    `kinds` are words that pydantic puts behind the number of an item, to tell of which kind it is.
    """
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    before = (None, *first["loc"])
    place = ".".join(
        str(part)
        for part, last in zip(first["loc"], before, strict=False)
        if not str(part).startswith(("function-", "literal[", "constrained-", "[key]"))
        and not (isinstance(last, int) and part in kinds)
    )
    message = first["msg"].removeprefix("Value error, ").partition(" or instance of ")[0]
    if first["type"] == "extra_forbidden":
        message = "is not known here"
    message = message[:1].lower() + message[1:]
    return f"{place}: {message}" if place else message
