"""All that one explanation knows: what was read about a customer and a message, and what could not be."""

from collections.abc import Awaitable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from cio_mcp.client import AnyIdType
from cio_mcp.errors import CustomerIOError
from cio_mcp.toolkit.answers.deliveries import SOURCES, reached, state_in
from cio_mcp.toolkit.answers.pages import enumerated
from cio_mcp.toolkit.answers.reading import Fields, text
from cio_mcp.tools.data_quality.rejections import Rejection
from cio_mcp.tools.deliverability.cause import Read
from cio_mcp.tools.deliverability.opt_outs import OptOut
from cio_mcp.tools.deliverability.source import MessageSource, SourceKind, field_of
from cio_mcp.tools.deliverability.suppressions import Suppression

_Value = TypeVar("_Value")


# Names of fields that hold an id of a person. What the log tells of a dropped write is not documented.
IDENTIFYING = {"id", "cio_id", "customer_id", "identifier", "user_id", "email", "recipient"}


@dataclass
class Case:
    """What is asked, and what is known. None stands for what was not read, or could not be: see `unread`.

    `now` is the time of the call and `expected` about when the message should have come, in unix seconds.
    Where only the `kind` of source is asked for, `chosen` is the message that is taken to be meant.
    `searched` is what `customer_id` was looked for as.
    """

    customer_id: str
    id_type: AnyIdType
    now: float
    delivery_id: str | None = None
    expected: int | None = None
    kind: SourceKind | None = None
    source: MessageSource | None = None
    chosen: Fields | None = None
    missing: bool = False
    searched: list[str] = field(default_factory=list)
    profile: Fields | None = None
    unsubscribed: bool | None = None
    unsubscribed_at: str | None = None
    consent_of: Read = "profile"
    topics: list[Fields] | None = None
    opt_outs: list[OptOut] | None = None
    suppressions: list[Suppression] | None = None
    segments: set[int] | None = None
    asked: Fields | None = None
    deliveries: list[Fields] | None = None
    older: bool = False
    rejected: list[Rejection] | None = None
    events: list[Fields] | None = None
    dropped: list[Rejection] | None = None
    actions: list[Fields] | None = None
    runs: list[Fields] | None = None
    run_errors: list[str] | None = None
    gone: list[Fields] | None = None
    unread: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    errors: list[CustomerIOError] = field(default_factory=list)

    @property
    def matching(self) -> list[Fields]:
        """The customer's messages that can be the one in question, the newest first.

        Where no kind is named emails come before all others: they are what people ask about.
        """
        source = self.source
        if self.chosen:
            return [self.chosen]
        if self.any_channel:
            return sorted(self.deliveries or [], key=lambda item: item.text("type") != "email")
        kind = self.kind if source is None else None
        return [
            item
            for item in self.deliveries or []
            if (source is None or source.sent(item)) and (kind is None or item.whole(field_of(kind)))
        ]

    @property
    def any_channel(self) -> bool:
        """Whether nothing that is asked names a channel, or a source that has one."""
        return self.source is None and self.kind is None and self.asked is None

    @property
    def channel(self) -> str | None:
        """The type of the message that is answered for: where nothing tells it, email if any can be meant."""
        item = self.asked or next(iter(self.matching), None)
        return item.text("type") if item else "email" if self.any_channel else None

    @property
    def untold(self) -> bool:
        """Whether a message that was read does not tell what sent it: it can be the one in question."""
        return any(not any(item.whole(name) for name in SOURCES) for item in self.deliveries or [])

    @property
    def none_made(self) -> bool:
        """Whether no such message was made; unknown while there are `older` ones, or some are `untold`."""
        unsure = self.older or (self.untold and self.source is not None)
        return self.deliveries is not None and not self.matching and not unsure

    def suppressed(self, recipient: str | None = None) -> Suppression | None:
        """Return how the mail service suppresses an address, by default the customer's."""
        address = (recipient or self.email or "").casefold()
        told = (one for one in self.suppressions or [] if one.email and one.category)
        return next((one for one in told if (one.email or "").casefold() == address), None)

    @property
    def without_email(self) -> bool:
        """Whether the profile says that the customer has no address."""
        known = self.profile.mapping("attributes") if self.profile else None
        return known is not None and not known.get("email") and not self.email

    @property
    def nobody(self) -> str:
        """That there is no such customer, and as what they were looked for."""
        return f"no profile has exactly {self.customer_id} as its {enumerated(self.searched, 'or')}"

    @property
    def attributes(self) -> Fields:
        """The customer's attributes."""
        return self.profile.fields("attributes") if self.profile else Fields(None)

    @property
    def email(self) -> str | None:
        """The customer's address, or the one that they were looked up by."""
        known = self.attributes.text("email")
        return known or (self.customer_id if "@" in self.customer_id else None)

    @property
    def names(self) -> set[str]:
        """All that identifies the customer, as far as it is known."""
        known = self.profile.fields("identifiers").raw.values() if self.profile else ()
        found = {self.customer_id.removeprefix("cio_"), *(text(value) or "" for value in known), self.email}
        return {name.casefold() for name in found if name}

    async def read(self, what: str, read: Awaitable[_Value]) -> _Value | None:
        """Return what a read found; what could not be read is noted, and takes nothing else down."""
        try:
            found = await read
        except CustomerIOError as error:
            self.errors.append(error)
            self.unread.append(f"{what}: {error.what}")
            return None
        items = found if isinstance(found, list) else []
        if lost := sum(isinstance(item, Fields) and not item.raw for item in items):
            self.unread.append(f"{what}: {lost} of {len(items)} could not be read")
        return found

    def is_anothers(self, delivery: Fields) -> bool:
        """Say whether a delivery names its customer by what this one has another of."""
        own = self.profile.fields("identifiers") if self.profile else Fields(None)
        told = delivery.fields("customer_identifiers")
        known = [(own.text(name), told.text(name)) for name in ("id", "email", "cio_id")]
        both = [(one.casefold(), other.casefold()) for one, other in known if one and other]
        return bool(both) and all(one != other for one, other in both)

    def mentions(self, item: Fields) -> bool:
        """Say whether an activity or a message names the customer anywhere; its own id is none of theirs."""
        inside = {name: value for name, value in item.raw.items() if name != "id"}
        return any(value in self.names for _, value in _identifiers(inside))

    def others_in(self, data: object) -> list[str]:
        """Return what identifies somebody else in the data of a dropped write."""
        return [f"{name} {value}" for name, value in _identifiers(data) if value and value not in self.names]


def _identifiers(value: object, named: str = "") -> Iterator[tuple[str, str]]:
    """Yield what identifies people in a value, and its name: any address, and an id under such a name."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _identifiers(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _identifiers(inner, named)
    elif named in IDENTIFYING or "@" in (text(value) or ""):
        yield named, (text(value) or "").removeprefix("cio_").casefold()


def delivery_state(delivery: Fields) -> str | None:
    """Return the most significant state of a delivery."""
    return state_in(reached(delivery))
