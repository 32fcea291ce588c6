"""Times of the sandbox as people write them."""

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, Field

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
AHEAD = re.compile(r"\+(\d{1,6})([smhdw])")
LATEST = 10**10  # in the year 2286

# A step of the clock further than this is a slip: everything that is due until then is done.
FURTHEST = 3660


def settled(at: int | str, now: int) -> int:
    """Return a time in unix seconds; `+2d` is counted from `now`. Raises ValueError."""
    if isinstance(at, int):
        return at
    if found := AHEAD.fullmatch(at.strip()):
        return now + int(found[1]) * UNITS[found[2]]
    try:
        moment = datetime.fromisoformat(at.strip())
        return int(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp())
    except (ValueError, OverflowError):
        message = f"{at!r} must be a time such as 2026-11-29T08:00:00Z, unix seconds, or +2d"
        raise ValueError(message) from None


def ahead(at: int | str, now: int) -> int:
    """Return a time to which a clock can go on from `now`; raises ValueError."""
    moment = settled(at, now)
    if moment < now:
        raise ValueError(f"{at} is over: it is {written(now)}, and the clock only moves forward")
    if moment > now + FURTHEST * UNITS["d"]:
        raise ValueError(f"{at} is too far away: at most {FURTHEST} days at once")
    if moment >= LATEST:
        raise ValueError(f"{at} is too late: a sandbox's time ends at {written(LATEST)}")
    return moment


def written(at: int | str) -> str:
    """Return a time in ISO 8601, one that is not settled as it was."""
    if isinstance(at, str):
        return at
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")


def _checked(at: int | str) -> int | str:
    if not 0 <= settled(at, 0) < LATEST:
        raise ValueError(f"{at} is not a time of a sandbox: those run from {written(0)} to {written(LATEST)}")
    return at


Moment = Annotated[Annotated[int, Field(ge=0, lt=LATEST)] | str, AfterValidator(_checked)]
