"""Subscriptions: which topics a customer wants to hear about, and whether they want anything at all."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from cio_mcp.client import AppApi, IdType, TrackApi
from cio_mcp.errors import InvalidArgument, Refused
from cio_mcp.toolkit.answers import Accepted, Acted, Answer, Shape
from cio_mcp.toolkit.params import CustomerId, JsonObject
from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.toolkit.times import iso

tools = Toolbox(__name__)

# App API, "getSubscriptionCenterToken": how many seconds a link holds.
A_DAY = 86_400

WHATEVER = "A customer who is unsubscribed gets no topic; get_subscriptions shows whether they are."


class Topic(Shape):
    """One topic, and whether the customer gets it."""

    id: int
    name: str
    description: str | None = None
    subscribed: bool


class Subscriptions(Answer):
    """What a customer subscribes to."""

    unsubscribed: bool = Field(description="True: they get nothing, whatever the topics say.")
    topics: list[Topic] = Field(description="Empty where the workspace has no subscription center.")


@tools.reads
async def get_subscriptions(app: AppApi, customer_id: CustomerId, id_type: IdType = "id") -> Subscriptions:
    """Read which topics a customer gets, and whether they are unsubscribed from all."""
    answer = await app.get(
        "/v1/customers/{customer_id}/subscription_preferences",
        {"id_type": id_type},
        customer_id=app.person(customer_id, id_type),
    )
    found = answer.get("customer") or {}
    return Subscriptions(
        unsubscribed=found.get("unsubscribed") is True,
        topics=[
            Topic(
                id=int(topic["id"]),
                name=str(topic.get("name") or ""),
                description=topic.get("description") or None,
                subscribed=topic.get("subscribed") is True,
            )
            for topic in found.get("topics") or []
        ],
    )


def _topics(topics: dict[str, Any]) -> dict[int, bool]:
    """Return what is wanted by number; `topic_3`, as attributes have it, is 3."""
    numbers = {name: name.removeprefix("topic_") for name in topics}
    for name, wanted in topics.items():
        if not numbers[name].isdecimal() or not isinstance(wanted, bool):
            message = f"{name}: must be {{topic id: true or false}}; get_subscriptions lists the ids"
            raise ValueError(message)
    return {int(numbers[name]): wanted for name, wanted in topics.items()}


@tools.writes
async def set_subscriptions(
    track: TrackApi,
    customer_id: CustomerId,
    id_type: IdType = "id",
    topics: Annotated[
        JsonObject | None, AfterValidator(_topics), Field(description="{topic id: true or false}")
    ] = None,
    unsubscribed: Annotated[bool | None, Field(description="From everything.")] = None,
) -> Accepted:
    """Subscribe a known customer to topics, or unsubscribe them; others stay as they are."""
    if not topics and unsubscribed is None:
        raise InvalidArgument("topics, unsubscribed: name one of them")
    # In dot notation each topic is set alone; as an object they would replace all others. Nobody is created
    # for a preference.
    body: dict[str, Any] = {"_update": True}
    for number, wanted in (topics or {}).items():
        body[f"cio_subscription_preferences.topics.topic_{number}"] = wanted
    if unsubscribed is not None:
        body["unsubscribed"] = unsubscribed
    await track.put("/api/v1/customers/{customer_id}", body, customer_id=track.person(customer_id, id_type))
    subscribes = unsubscribed is not False and any((topics or {}).values())
    return Accepted(notes=[WHATEVER] if subscribes else None)


class PreferenceLink(Acted):
    """A link that stands for one customer. Whoever has it can change what they subscribe to."""

    opens_personal_data: ClassVar[frozenset[str]] = frozenset({"link"})

    outcome: Literal["created"] = Field("created", description="It is there, and holds for a day.")
    link: str = Field(description="Hidden where CIO_PII=mask: it says who the customer is.")
    expires: str | None = None


# A link like this is a credential, so that making one is not reading.
@tools.writes
async def create_preference_link(
    app: AppApi, customer_id: CustomerId, id_type: Literal["id", "email"] = "id"
) -> PreferenceLink:
    """Create a link with which a customer changes their subscriptions, for a day. Give it to nobody else."""
    # The endpoint takes no id_type: it knows an email by its form.
    if id_type == "email" and "@" not in customer_id:
        raise InvalidArgument("customer_id: not an email address, but id_type is email")
    answer = await app.issue("/v1/subscription_center/{customer_id}/token", customer_id=customer_id)
    if not (link := answer.get("url")):
        raise Refused("Customer.io's answer has no link.", do="A person can copy it in Customer.io.")
    return PreferenceLink(link=str(link), expires=iso(int(app.call.called_at) + A_DAY))
