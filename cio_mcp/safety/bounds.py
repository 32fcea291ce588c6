"""Bounds that hold whatever an agent asks: who may be reached, how many, and how often."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from cio_mcp.client import AppApi, IdType, RequestKind
from cio_mcp.errors import NotAllowed
from cio_mcp.safety.grant import Grant
from cio_mcp.safety.store import NoRoom, Refund, Store
from cio_mcp.toolkit.audience import Audience

# Seconds of the windows that sends are counted in, by the setting that caps them.
WINDOWS = {"CIO_MAX_SENDS_PER_HOUR": 3600.0, "CIO_MAX_SENDS_PER_DAY": 86_400.0}

# Customers that one request reads at most (App API, POST /v1/customers/attributes).
BATCH = 100

# An address in its plainest form. What could be read in two ways is not allowed while a list is set.
PLAIN = re.compile(r"[^@\s,;:<>\"()\[\]]+@[^@\s,;:<>\"()\[\]]+")

ASK_OPERATOR = "Only an operator can change that."


@dataclass(frozen=True)
class Bounds:
    """What an operator has bounded; what is None or empty is not.

    `allowed` are addresses, domains (`example.com`, `@example.com`) and patterns (`*@*.example.com`), and
    `caps` recipients by setting.
    """

    allowed: Sequence[str] = ()
    max_recipients: int | None = None
    caps: dict[str, int] = field(default_factory=dict)
    bcc: bool = False

    def narrowed(self, grants: Sequence[Grant]) -> "Bounds":
        """Return the bounds for a caller with these grants: the narrower of each."""
        most = [self.max_recipients, *(grant.max_recipients for grant in grants)]
        return replace(
            self,
            max_recipients=min((found for found in most if found is not None), default=None),
            caps=self.caps | {name: cap for grant in grants for name, cap in grant.caps.items()},
        )

    @property
    def sized(self) -> bool:
        """Say whether anything depends on how many a call reaches."""
        return self.max_recipients is not None or bool(self.caps)

    def check_size(self, audience: Audience) -> None:
        """Raise NotAllowed for a send that reaches too many, or nobody knows how many."""
        if audience.blind_copies and not self.bcc:
            raise NotAllowed(
                "Nothing was sent: bcc is not allowed here (CIO_ALLOW_BCC).", do="Leave it out, or use cc."
            )
        if (most := self.max_recipients) is not None:
            self._countable(audience, "CIO_MAX_RECIPIENTS")
            if (audience.size or 0) > most:
                raise NotAllowed(
                    f"Nothing was sent: {audience.size} recipients are more than the {most} that "
                    f"CIO_MAX_RECIPIENTS allows in one call.",
                    do=f"Name fewer. {ASK_OPERATOR}",
                )
        for setting in self.caps:
            self._countable(audience, setting)

    def _countable(self, audience: Audience, setting: str) -> None:
        if not audience.countable:
            raise NotAllowed(
                f"Nothing was sent: {setting} bounds how many are reached, which cannot be counted here: "
                f"{audience.what}.",
                do=f"Name the recipients, or a segment. {ASK_OPERATOR}",
            )

    async def check_allowed(self, audience: Audience, app: AppApi | None) -> None:
        """Raise NotAllowed for whom the list leaves out; `app` looks up the addresses of named customers."""
        if not self.allowed:
            return
        if audience.size != 0 and not audience.listed:
            raise NotAllowed(
                "Nothing was sent: CIO_ALLOWED_RECIPIENTS is set, and the call names nobody.",
                do=f"Name the recipients. {ASK_OPERATOR}",
            )
        self._refuse_foreign([*audience.addresses, *audience.people.get("email", ())])
        for id_type, names in audience.people.items():
            if id_type != "email":
                self._refuse_foreign(await _addresses(app, id_type, names))

    def _refuse_foreign(self, addresses: Sequence[str]) -> None:
        foreign = [address for address in addresses if not self._allows(address)]
        if foreign:
            raise NotAllowed(
                f"Nothing was sent: {len(foreign)} of {len(addresses)} recipients are not among "
                f"CIO_ALLOWED_RECIPIENTS, the first of them {foreign[0] or 'a customer without an address'}.",
                do=f"Leave them out. {ASK_OPERATOR}",
                record=f"CIO_ALLOWED_RECIPIENTS leaves {len(foreign)} recipients out",
            )

    def _allows(self, address: str) -> bool:
        address = address.strip().casefold()
        return PLAIN.fullmatch(address) is not None and any(
            _matches(address, entry.casefold()) for entry in self.allowed
        )


def _matches(address: str, entry: str) -> bool:
    if "*" in entry:
        return fnmatchcase(address, entry)
    if "@" in entry.lstrip("@"):
        return address == entry
    return address.rpartition("@")[2] == entry.lstrip("@")


async def _addresses(app: AppApi | None, id_type: IdType, names: Sequence[str]) -> list[str]:
    """Return the address of each named customer that there is, empty for one without."""
    found: list[str] = []
    for start in range(0, len(names), BATCH):
        ids = [AppApi.person(name, id_type) for name in names[start : start + BATCH]]
        if app is None:
            raise NotAllowed("Nothing was sent: the App API is not open, so nobody's address can be checked.")
        answer = await app.post(
            "/v1/customers/attributes", {"ids": ids}, query={"id_type": id_type}, kind=RequestKind.READ
        )
        for entry in answer.get("customers") or []:
            attributes = (entry.get("customer") or {}).get("attributes") or {}
            found.append(str(attributes.get("email") or ""))
    return found


class Caps:
    """Counts recipients against the caps of one workspace."""

    def __init__(self, caps: Mapping[str, int], store: Store, workspace: str) -> None:
        self._caps = caps
        self._store = store
        self._workspace = workspace

    def of(self, grant: Grant) -> "Caps":
        """Return the caps of one caller's own."""
        return Caps(grant.caps, self._store, f"{self._workspace} {grant.name}")

    async def spend(self, recipients: int, grants: Sequence[Grant] = ()) -> list[Refund]:
        """Count a send here and with each grant, and return what takes it back.

        Raises NotAllowed beyond any cap, or if the store cannot be used, and then counts nothing.
        """
        spent: list[Refund] = []
        try:
            for caps in (self, *map(self.of, grants)):
                spent += await caps.spend_here(recipients)
        except NotAllowed:
            for refund in spent:
                await refund()
            raise
        return spent

    async def spend_here(self, recipients: int) -> list[Refund]:
        """Count a send against these caps alone."""
        if not self._caps:
            return []
        windows = {WINDOWS[setting]: most for setting, most in self._caps.items()}
        spent = await self._store.spend(self._workspace, recipients, windows)
        if not isinstance(spent, NoRoom):
            return [spent]
        names = " and ".join(f"{setting}={most}" for setting, most in self._caps.items())
        wait = spent.seconds
        fewer = f"Name fewer recipients. {ASK_OPERATOR}"
        raise NotAllowed(
            f"Nothing was sent: {recipients} more recipients would exceed {names}.",
            do=fewer if wait is None else f"Call again in {wait:.0f} s.",
            retryable=wait is not None,
            retry_in=wait,
        )

    async def left(self) -> dict[str, tuple[int, int | None]]:
        """Return, for each cap, how many recipients it allows and how many are left now, None if unknown."""
        return {setting: (most, await self._left(setting, most)) for setting, most in self._caps.items()}

    async def _left(self, setting: str, most: int) -> int | None:
        try:
            return max(0, most - await self._store.sent(self._workspace, WINDOWS[setting]))
        except NotAllowed:
            return None
