"""A cause: why a message did not arrive, how sure that is, and what helps."""

from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from cio_mcp.toolkit.answers.shapes import Shape

Certainty = Literal["certain", "inferred", "unknown"]

# Who may apply a cure.
CUSTOMER = "the customer"
PERSON = "a person in Customer.io"
DEVELOPER = "whoever maintains the application that calls Customer.io"
AGENT = "you, with a person's consent"
EITHER = f"{AGENT}, or {PERSON}"
CORRECTOR = "you set the address that the customer gives; a person confirms that a suppression is lifted"


# What statements are read from.
Read = Literal[
    "profile", "subscriptions", "segments", "opt-outs", "suppressed addresses", "messages", "message", "log",
    "source", "actions", "runs", "run errors",
]  # fmt: skip


class Statement(Shape):
    """A sentence, and what says so."""

    what: str
    read_from: list[Read] = Field(description="The sources that say so.")


@dataclass(frozen=True)
class Cause:
    """What became of the message, what to do about it by whom, and what was read that says so."""

    cause: str
    verdict: str
    certainty: Certainty
    do: str
    by: str
    read: tuple[Read, ...] = ()
