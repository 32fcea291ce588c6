"""Bounds that no agent can exceed: who may be reached, how many people, and how often."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Literal

from cio_mcp.client import AnyIdType, AppApi
from cio_mcp.errors import NotAllowed
from cio_mcp.safety.grant import Grant
from cio_mcp.safety.stores import NoRoom, Refund, Store
from cio_mcp.settings.values import Cap
from cio_mcp.toolkit.addresses import domain, parsed_address
from cio_mcp.toolkit.audience import DEVICE, Audience
from cio_mcp.toolkit.profiles import BATCH, identifier, identifier_key, profiles
from cio_mcp.toolkit.reading import Fields

# A phone number (E.164), and an entry of the allow list for one or for all that begin alike.
NUMBER = re.compile(r"\+[1-9]\d{1,14}", re.ASCII)
NUMBERS = re.compile(r"\+\d{0,15}\*|\+\d{2,15}", re.ASCII)

# Any other entry: an address, a domain with an @ before it or without, a pattern of them with `*`.
ADDRESSES = re.compile(r"""([^\s@,;:"<>()\[\]\\]*@)?([a-z0-9_*-]+(\.[a-z0-9_*-]+)+|\*)""")

# The entry that allows devices: no list tells whose a device is.
ANY_DEVICE = f"{DEVICE}any"

# What caps count.
WHAT = {"sends": "recipients", "deletions": "deletions"}

ASK_OPERATOR = "Only an operator can change that."


@dataclass(frozen=True)
class Bounds:
    """An operator's bounds; a bound that is None or empty does not apply.

    `allowed` holds addresses, domains (`example.com`, `@example.com`), patterns (`*@*.example.com`), phone
    numbers and their beginnings (`+4930*`), and `device:any`, in the form that `allowed_entry` returns, and
    `headers` those of mail relays.
    """

    allowed: Sequence[str]
    max_recipients: int | None
    caps: tuple[Cap, ...]
    bcc: bool
    headers: Sequence[str]

    def narrowed(self, grants: Sequence[Grant]) -> "Bounds":
        """Return the bounds for a caller with these grants, in each case the narrower one."""
        if not grants:
            return self
        most = [self.max_recipients, *(grant.max_recipients for grant in grants)]
        return replace(
            self,
            max_recipients=min((found for found in most if found is not None), default=None),
            caps=(*self.caps, *(cap for grant in grants for cap in grant.caps("sends"))),
        )

    @property
    def sized(self) -> bool:
        """Whether any bound depends on the number of recipients."""
        return self.max_recipients is not None or bool(self.caps)

    def check_size(self, audience: Audience) -> None:
        """Raise NotAllowed for a send that reaches too many people or an unknown number."""
        if audience.blind_copies and not self.bcc:
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


class Caps:
    """Counts recipients of sends, or deletions, against the caps of one workspace."""

    def __init__(
        self, of: Literal["sends", "deletions"], caps: Sequence[Cap], store: Store, workspace: str
    ) -> None:
        self._of = of
        self._caps = caps
        self._store = store
        self._workspace = workspace
        self._where = workspace if of == "sends" else f"{workspace} {of}"

    def of(self, grant: Grant) -> "Caps":
        """Return the caps of one caller's grant."""
        return Caps(self._of, grant.caps(self._of), self._store, f"{self._workspace} {grant.name}")

    async def spend(self, number: int, grants: Sequence[Grant] = (), at: float | None = None) -> list[Refund]:
        """Count a call here and for each grant, now or in the window of the time `at`.

        Returns functions that undo the counting. Raises NotAllowed if a cap would be exceeded or the store
        cannot be used, and then counts nothing.
        """
        spent: list[Refund] = []
        try:
            for caps in (self, *map(self.of, grants)):
                spent += await caps.spend_here(number, at)
        except NotAllowed:
            for refund in spent:
                await refund()
            raise
        return spent

    async def spend_here(self, number: int, at: float | None = None) -> list[Refund]:
        """Count a call against these caps only."""
        if not self._caps:
            return []
        windows = {cap.seconds: cap.most for cap in self._caps}
        spent = await self._store.spend(self._where, number, windows, at)
        if not isinstance(spent, NoRoom):
            return [spent]
        names = " and ".join(f"{cap.setting}={cap.most}" for cap in self._caps)
        wait, then = spent.seconds, "" if at is None else " at the time for which it is scheduled"
        if wait is None:
            do = f"Name fewer recipients. {ASK_OPERATOR}" if self._of == "sends" else ASK_OPERATOR
        else:
            do = f"Call again in {wait:.0f} s." if at is None else "Choose another time."
        again = wait is not None and at is None
        raise NotAllowed(
            f"Nothing was {'sent' if self._of == 'sends' else 'done'}: {number} more {WHAT[self._of]} would "
            f"exceed {names}{then}.",
            do=do,
            retryable=again,
            retry_in=wait if again else None,
        )

    async def left(self) -> list[tuple[Cap, int | None]]:
        """Return each cap with what it still allows, None while that is unknown."""
        return [(cap, await self._left(cap)) for cap in self._caps]

    async def _left(self, cap: Cap) -> int | None:
        try:
            return max(0, cap.most - await self._store.sent(self._where, cap.seconds))
        except NotAllowed:
            return None
