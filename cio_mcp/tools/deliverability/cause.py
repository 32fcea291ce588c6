"""A cause: why a message did not arrive, how sure that is, and what helps."""

from dataclasses import dataclass
from typing import Literal

Certainty = Literal["certain", "inferred", "unknown"]

# Who may apply a cure.
CUSTOMER = "the customer"
PERSON = "a person in Customer.io"
DEVELOPER = "whoever maintains the application that calls Customer.io"
AGENT = "you, with a person's consent"


@dataclass(frozen=True)
class Cause:
    """What became of the message, in a word and in a sentence, and what to do about it by whom."""

    cause: str
    verdict: str
    certainty: Certainty
    do: str
    by: str
