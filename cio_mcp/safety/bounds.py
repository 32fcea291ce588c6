"""Bounds that hold whatever an agent asks: who may be reached, how many, and how often."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from cio_mcp.client import AppApi, IdType
from cio_mcp.errors import NotAllowed
from cio_mcp.safety.grant import Grant
from cio_mcp.safety.store import Refund, Store
from cio_mcp.settings.values import SendCap
from cio_mcp.toolkit.audience import Audience
from cio_mcp.toolkit.profiles import profiles

# Customers that one request reads at most (App API, POST /v1/customers/attributes).
BATCH = 100

# An address in its plainest form. What could be read in two ways is not allowed while a list is set.
PLAIN = re.compile(r"[^@\s,;:<>\"()\[\]]+@[^@\s,;:<>\"()\[\]]+")

ASK_OPERATOR = "Only an operator can change that."


@dataclass(frozen=True)
class Bounds:
    """What an operator has bounded; what is None or empty is not.

    `allowed` are addresses, domains (`example.com`, `@example.com`) and patterns (`*@*.example.com`).
    """

    allowed: Sequence[str] = ()
    max_recipients: int | None = None
    caps: tuple[SendCap, ...] = ()
    bcc: bool = False

    def narrowed(self, grants: Sequence[Grant]) -> "Bounds":
        """Return the bounds for a caller with these grants: the narrower of each."""
        most = [self.max_recipients, *(grant.max_recipients for grant in grants)]
        return replace(
            self,
            max_recipients=min((found for found in most if found is not None), default=None),
            caps=(*self.caps, *(cap for grant in grants for cap in grant.send_caps)),
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
        for cap in self.caps:
            self._countable(audience, cap.setting)

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
        if app is None:
            raise NotAllowed("Nothing was sent: the App API is not open, so nobody's address can be checked.")
        known = await profiles(app, names[start : start + BATCH], id_type)
        found += [profile.fields("attributes").text("email") or "" for profile in known]
    return found


class Caps:
    """Counts recipients against the caps of one workspace."""

    def __init__(self, caps: Sequence[SendCap], store: Store, workspace: str) -> None:
        self._caps = caps
        self._store = store
        self._workspace = workspace

    def of(self, grant: Grant) -> "Caps":
        """Return the caps of one caller's own."""
        return Caps(grant.send_caps, self._store, f"{self._workspace} {grant.name}")

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
        windows = {cap.seconds: cap.most for cap in self._caps}
        wait = await self._store.spend(self._workspace, recipients, windows)
        if not isinstance(wait, float):
            return [wait]
        names = " and ".join(f"{cap.setting}={cap.most}" for cap in self._caps)
        ever = wait < float("inf")
        raise NotAllowed(
            f"Nothing was sent: {recipients} more recipients would exceed {names}.",
            do=f"Call again in {wait:.0f} s." if ever else f"Name fewer recipients. {ASK_OPERATOR}",
            retryable=ever,
            retry_in=wait if ever else None,
        )

    async def left(self) -> list[tuple[SendCap, int | None]]:
        """Return each cap with the recipients that it still allows, None while that is not known."""
        return [(cap, await self._left(cap)) for cap in self._caps]

    async def _left(self, cap: SendCap) -> int | None:
        try:
            return max(0, cap.most - await self._store.sent(self._workspace, cap.seconds))
        except NotAllowed:
            return None
