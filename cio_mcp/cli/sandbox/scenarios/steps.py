"""What a scenario is made of."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag

from cio_mcp.sandbox.faults.fault import Fault
from cio_mcp.sandbox.moments import Moment

REQUEST = re.compile(r"(GET|PUT|POST|DELETE) /\S*")


# What the App API tells of a message.
MessageField = Literal[
    "id",
    "deduplicate_id",
    "type",
    "customer_id",
    "customer_identifiers",
    "recipient",
    "subject",
    "metrics",
    "created",
    "forgotten",
    "failure_message",
    "campaign_id",
    "newsletter_id",
    "broadcast_id",
    "action_id",
    "content_id",
    "trigger_event_id",
    "transactional_message_id",
    "msg_template_id",
]


def _request(text: str) -> str:
    if not REQUEST.fullmatch(text):
        raise ValueError("must be a method and a path, such as POST /v1/send/email")
    return text


class ScenarioPart(BaseModel):
    """What parts of a scenario have in common."""

    model_config = ConfigDict(extra="forbid", strict=True, use_attribute_docstrings=True)


class Step(ScenarioPart):
    """One step."""

    says: str | None = None
    """What it is about, for people who read the outcome."""


class RequestStep(Step):
    """Ask something of the APIs, or of the controls under `/_sandbox/`, with the right key."""

    request: Annotated[str, AfterValidator(_request)]
    """A method and a path: `PUT /api/v1/customers/u_1`."""
    body: Any = None
    """What is sent, as JSON."""
    times: Annotated[int, Field(ge=1, le=10_000)] = 1
    """How often it is asked; what is expected is expected of each answer."""
    patience: Annotated[float, Field(gt=0, le=600)] = 30
    """How many seconds an answer is waited for."""
    status: Annotated[int, Field(ge=100, le=599)] | Literal["none"] | None = None
    """The status that is expected, or none for no answer. Default: a success."""
    answer: Any = None
    """What is expected in the answer, and more may be there: of an object its fields, of a list its items."""


class ClockStep(Step):
    """Move the clock on; everything that is due until then happens."""

    clock: Moment
    """`+7d`, or a time in ISO 8601."""


class FaultsStep(Step):
    """Put faults into force."""

    fault: Fault | list[Fault] | Literal["bad-day"]
    """A fault, a list of them, or those of a bad day."""


class LiftStep(Step):
    """Lift faults."""

    lift: int | Literal["all"]
    """The number of one, counted from 1 in the scenario, or all."""


class MessagesStep(Step):
    """Expect messages."""

    messages: dict[MessageField, Any]
    """What they have in common, of what the App API tells of a message: recipient, subject, metrics, …"""
    count: Annotated[int, Field(ge=0)] | None = None
    """How many there are. Default: at least one."""


class PersonStep(Step):
    """Expect a person."""

    person: str
    """Their identifier."""
    id_type: Literal["id", "email", "cio_id"] = "id"
    """Of which kind the identifier is."""
    exists: bool = True
    """Whether they exist."""
    attributes: dict[str, Any] = {}
    """Attributes that they have, as the App API tells them: as texts."""


KINDS = ("request", "clock", "fault", "lift", "messages", "person")


def _kind(step: Any) -> str | None:
    names = step if isinstance(step, dict) else type(step).model_fields if isinstance(step, Step) else ()
    return next((name for name in KINDS if name in names), None)


AnyStep = Annotated[
    Annotated[RequestStep, Tag("request")]
    | Annotated[ClockStep, Tag("clock")]
    | Annotated[FaultsStep, Tag("fault")]
    | Annotated[LiftStep, Tag("lift")]
    | Annotated[MessagesStep, Tag("messages")]
    | Annotated[PersonStep, Tag("person")],
    Discriminator(
        _kind,
        custom_error_type="no_step",
        custom_error_message=f"must be an object with one of {', '.join(KINDS)}",
    ),
]


class Scenario(ScenarioPart):
    """What is done to a sandbox that begins fresh, in memory, and what should come of it."""

    name: str = "scenario"
    """What it is called in the outcome."""
    start: Moment | None = None
    """The time at which the sandbox begins; its clock stands between steps. Default: now."""
    story: bool = True
    """Whether it begins with the sample data."""
    faults: list[Fault] = []
    """Faults that are in force from the beginning."""
    steps: Annotated[list[AnyStep], Field(min_length=1)]
    """What is done and expected, one after the other."""
