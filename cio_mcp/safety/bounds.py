"""Bounds that no agent can exceed: who may be reached, and how many people by one call."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from cio_mcp.client import AnyIdType, AppApi
from cio_mcp.errors import NotAllowed
from cio_mcp.safety.grant import Grant
from cio_mcp.settings.scopes import WorkspaceSettings
from cio_mcp.settings.values import Cap
from cio_mcp.toolkit.answers.reading import Fields
from cio_mcp.toolkit.arguments.addresses import domain, parsed_address
from cio_mcp.toolkit.arguments.headers import relay_header
from cio_mcp.toolkit.people.audience import DEVICE, Audience
from cio_mcp.toolkit.people.profiles import BATCH, identifier, identifier_key, profiles

# A phone number (E.164), and an entry of the allow list for one or for all that begin alike.
NUMBER = re.compile(r"\+[1-9]\d{1,14}", re.ASCII)
NUMBERS = re.compile(r"\+\d{0,15}\*|\+\d{2,15}", re.ASCII)

# Any other entry: an address, a domain with an @ before it or without, a pattern of them with `*`.
ADDRESSES = re.compile(r"""([^\s@,;:"<>()\[\]\\]*@)?([a-z0-9_*-]+(\.[a-z0-9_*-]+)+|\*)""")

# The entry that allows devices: no list tells whose a device is.
ANY_DEVICE = f"{DEVICE}any"

ASK_OPERATOR = "Only an operator can change that."


@dataclass(frozen=True)
class Bounds:
    """An operator's bounds, which `settings` have; one that is None or empty does not apply.

    `allowed` holds addresses, domains (`example.com`, `@example.com`), patterns (`*@*.example.com`), phone
    numbers and their beginnings (`+4930*`), and `device:any`, in the form that `allowed_entry` returns, and
    `headers` those of mail relays. A caller's `grants` narrow what they can.
    """

    settings: WorkspaceSettings
    allowed: Sequence[str]
    headers: Sequence[str]
    grants: Sequence[Grant] = ()

    @classmethod
    def of(cls, settings: WorkspaceSettings) -> "Bounds":
        """Return the bounds in the settings of a workspace; raises SettingsError."""
        allowed = settings.words("allowed_recipients", allowed_entry)
        return cls(settings, allowed, settings.words("allowed_headers", relay_header))

    def narrowed(self, grants: Sequence[Grant]) -> "Bounds":
        """Return the bounds for a caller with these grants."""
        return replace(self, grants=grants) if grants else self

    @property
    def max_recipients(self) -> int | None:
        """The largest number of recipients of one call, of the narrowest who names one."""
        most = [one.max_recipients for one in (self.settings, *self.grants)]
        return min((found for found in most if found is not None), default=None)

    @property
    def caps(self) -> tuple[Cap, ...]:
        """The caps on sends, all of which hold."""
        return tuple(cap for one in (self.settings, *self.grants) for cap in one.caps("sends"))

    @property
    def sized(self) -> bool:
        """Whether any bound depends on the number of recipients."""
        return self.max_recipients is not None or bool(self.caps)

    def check_size(self, audience: Audience) -> None:
        """Raise NotAllowed for a send that reaches too many people or an unknown number."""
        if audience.blind_copies and not self.settings.allow_bcc:
            raise NotAllowed(
                "Nothing was sent: bcc is not allowed (CIO_ALLOW_BCC).", do="Leave out bcc, or use cc."
            )
        if (most := self.max_recipients) is not None:
            self._countable(audience, "CIO_MAX_RECIPIENTS")
            if (audience.size or 0) > most:
                raise NotAllowed(
                    f"Nothing was sent: {audience.size} recipients are more than the {most} that "
                    f"CIO_MAX_RECIPIENTS allows in one call.",
                    do=f"Name fewer recipients. {ASK_OPERATOR}",
                )
        for cap in self.caps:
            self._countable(audience, cap.setting)

    def _countable(self, audience: Audience, setting: str) -> None:
        if not audience.countable:
            raise NotAllowed(
                f"Nothing was sent: {setting} limits the number of recipients, and this audience cannot be "
                f"counted: {audience.what}.",
                do=f"Name the recipients or a segment. {ASK_OPERATOR}",
            )

    def check_named(self, audience: Audience) -> None:
        """Raise NotAllowed for recipients whom a call does not name, or by addresses not on the list."""
        if not self.allowed:
            return
        if audience.size != 0 and not audience.listed:
            raise NotAllowed(
                "Nothing was sent: CIO_ALLOWED_RECIPIENTS is set, and the call does not name its recipients.",
                do=f"Name the recipients. {ASK_OPERATOR}",
            )
        self._refuse_foreign([*audience.addresses, *audience.people.get("email", ())])

    async def check_people(self, audience: Audience, app: AppApi | None) -> None:
        """Raise NotAllowed for customers whose addresses, which `app` looks up, are not on the list."""
        for id_type, names in audience.people.items() if self.allowed else ():
            wanted = [*(["email"] if id_type != "email" else []), *(["phone"] if audience.own_number else [])]
            found = await profiles_of(app, id_type, names) if wanted else []
            people = [who.fields("attributes") for each in found for who in each or [Fields({})]]
            self._refuse_foreign([person.text(name) or "" for person in people for name in wanted])

    def check_set(self, addresses: Sequence[str]) -> None:
        """Raise NotAllowed if somebody would get an address, number or device that is not on the list."""
        if self.allowed:
            self._refuse_foreign(addresses)

    def _refuse_foreign(self, addresses: Sequence[str]) -> None:
        foreign = [address for address in addresses if not self._allows(address)]
        if foreign:
            raise NotAllowed(
                f"Nothing was sent: CIO_ALLOWED_RECIPIENTS does not include {len(foreign)} of "
                f"{len(addresses)} recipients; the first is "
                f"{foreign[0] or 'a customer who is unknown or has no address'}.",
                do=f"Leave them out. {ASK_OPERATOR}",
                record=f"CIO_ALLOWED_RECIPIENTS does not include {len(foreign)} recipients",
            )

    def _allows(self, who: str) -> bool:
        if who.startswith(DEVICE):
            return ANY_DEVICE in self.allowed
        numbers = [entry for entry in self.allowed if NUMBERS.fullmatch(entry)]
        if NUMBER.fullmatch(who):
            return any(who == entry or (entry[-1] == "*" and who.startswith(entry[:-1])) for entry in numbers)
        address = who.lower()
        try:
            if parsed_address(who).lower() != address:
                return False  # what leaves is not what was judged, and others may read it otherwise
        except ValueError:
            return False
        return any(_matches(address, entry) for entry in self.allowed if entry not in numbers)


def allowed_entry(text: str) -> str:
    """Return an entry of the allow list in the form in which it is compared; raises ValueError."""
    if text == ANY_DEVICE or NUMBERS.fullmatch(text):
        return text
    local, at, name = text.rpartition("@")
    if not ADDRESSES.fullmatch(found := local.lower() + at + domain(name)):
        message = (
            f"{text!r} is neither an address, a domain such as example.com, a pattern such as "
            "*@*.example.com, a number such as +4930123456 or +4930*, nor device:any"
        )
        raise ValueError(message)
    return found


def _matches(address: str, entry: str) -> bool:
    local, _, name = entry.rpartition("@")
    if not local:
        return fnmatchcase(address.rpartition("@")[2], name)
    return fnmatchcase(address, entry) if "*" in entry else address == entry


async def profiles_of(app: AppApi | None, id_type: AnyIdType, names: Sequence[str]) -> list[list[Fields]]:
    """Return for each name the profiles of the customers who have exactly that name: none, one or more."""
    found: list[list[Fields]] = []
    for start in range(0, len(names), BATCH):
        if app is None:
            raise NotAllowed(
                "Nothing was sent: customers' addresses cannot be checked against CIO_ALLOWED_RECIPIENTS, as "
                "the App API has no credentials."
            )
        asked = [app.person(name, id_type) for name in names[start : start + BATCH]]
        there: dict[str, list[Fields]] = {}
        for each in await profiles(app, asked, id_type):
            there.setdefault(identifier_key(identifier(each, id_type), id_type), []).append(each)
        found += [there.get(identifier_key(name, id_type), []) for name in asked]
    return found
