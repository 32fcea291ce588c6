"""Subscriptions: the topics that a customer receives, and whether they receive anything at all."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from cio_mcp.client import AnyIdType, AppApi, TrackApi, people
from cio_mcp.errors import InvalidArgument, Refused
from cio_mcp.toolkit.answers.reading import Fields
from cio_mcp.toolkit.answers.shapes import Accepted, Acted, Answer, Numbered
from cio_mcp.toolkit.arguments.times import iso
from cio_mcp.toolkit.arguments.types import CustomerId, JsonObject
from cio_mcp.toolkit.people.consequences import Consequence, affects
from cio_mcp.toolkit.registry import Toolbox

tools = Toolbox(__name__)

# App API, "getSubscriptionCenterToken": seconds for which a link is valid.
A_DAY = 86_400

WHATEVER = "A customer who is unsubscribed from everything receives no topic; get_subscriptions shows it."


class Topic(Numbered):
    """A topic, and whether the customer is subscribed to it."""

    description: str | None = None
    subscribed: bool | None = None


class Subscriptions(Answer):
    """A customer's subscriptions."""

    unsubscribed: bool | None = Field(
        None, description="true: they receive nothing, whatever the topics say."
    )
    topics: list[Topic] | None = Field(None, description="Empty if the workspace has no subscription center.")


@tools.reads
async def get_subscriptions(app: AppApi, customer_id: CustomerId, id_type: AnyIdType = "id") -> Subscriptions:
    """Read which topics a customer is subscribed to, and whether they are unsubscribed from everything."""
    path, query = "/v1/customers/{customer_id}/subscription_preferences", {"id_type": id_type}
    answer = Fields(await app.get(path, query, customer_id=app.person(customer_id, id_type)))
    found = answer.inside("customer", "unsubscribed", "topics")
    topics = found.objects("topics")
    return Subscriptions(
        unsubscribed=found.flag("unsubscribed"),
        topics=None if topics is None else [_topic(topic) for topic in topics],
    )


def _topic(topic: Fields) -> Topic:
    return Topic(
        id=topic.whole("id"),
        name=topic.text("name"),
        description=topic.text("description"),
        subscribed=topic.flag("subscribed"),
    )


def _topics(topics: dict[str, Any]) -> dict[int, bool]:
    """Return the wanted state by topic number; `topic_3`, the form in attributes, is 3."""
    numbers = {name: name.removeprefix("topic_") for name in topics}
    for name, wanted in topics.items():
        if not numbers[name].isdecimal() or not isinstance(wanted, bool):
            message = f"{name}: must be a topic id with true or false; get_subscriptions lists the ids"
            raise ValueError(message)
    return {int(numbers[name]): wanted for name, wanted in topics.items()}


@tools.writes
@affects(Consequence.SUBSCRIPTIONS)
async def set_subscriptions(
    track: TrackApi,
    customer_id: CustomerId,
    id_type: AnyIdType = "id",
    topics: Annotated[
        JsonObject | None,
        AfterValidator(_topics),
        Field(description='true or false by topic id, such as {"3": true}.'),
    ] = None,
    unsubscribed: Annotated[bool | None, Field(description="true: unsubscribed from everything.")] = None,
) -> Accepted:
    """Subscribe an existing customer to topics, or unsubscribe them from topics or from everything.

    Topics that you leave out stay as they are. get_subscriptions lists topics and their ids.
    """
    if not topics and unsubscribed is None:
        raise InvalidArgument("topics, unsubscribed: give at least one of them")
    # Dot notation sets each topic alone; an object would replace all topics. An unknown customer must not be
    # created just for a preference.
    body: dict[str, Any] = {"_update": True}
    for number, wanted in (topics or {}).items():
        body[f"cio_subscription_preferences.topics.topic_{number}"] = wanted
    if unsubscribed is not None:
        body["unsubscribed"] = unsubscribed
    await people.identify(track, customer_id, id_type, body)
    subscribes = unsubscribed is not False and any((topics or {}).values())
    return Accepted(notes=[WHATEVER] if subscribes else None)


class PreferenceLink(Acted):
    """A link to one customer's subscriptions. Anybody who has it can change them."""

    opens_personal_data: ClassVar[frozenset[str]] = frozenset({"link"})

    outcome: Literal["created"] = Field("created", description="The link is valid for a day.")
    link: str = Field(description="Hidden with CIO_PII=mask: it identifies the customer.")
    expires: str | None = None


# Such a link is a credential, so creating one is not a read.
@tools.writes
@affects(Consequence.SUBSCRIPTIONS)
async def create_preference_link(
    app: AppApi, customer_id: CustomerId, id_type: Literal["id", "email"] = "id"
) -> PreferenceLink:
    """Create a link, valid for a day, with which a customer can change their subscriptions.

    Give it to that customer only.
    """
    # The endpoint takes no id_type: it recognises an email address by its form.
    if id_type == "email" and "@" not in customer_id:
        raise InvalidArgument("customer_id: is not an email address, but id_type is email")
    answer = await app.issue("/v1/subscription_center/{customer_id}/token", customer_id=customer_id)
    if not (link := Fields(answer).text("url")):
        raise Refused("Customer.io's answer has no link.", do="A person can copy the link in Customer.io.")
    return PreferenceLink(link=link, expires=iso(int(app.call.called_at) + A_DAY))
