"""What one person is sent, as `state/deliveries.py` makes it, and what becomes of it."""

from typing import Any

from cio_mcp.sandbox.engine import chance, fates
from cio_mcp.sandbox.lives.book import Book, OpenDelivery
from cio_mcp.sandbox.state.deliveries import EFFECTS, message_of

# The fates of somebody's messages, by what each is of, with what else their deliveries tell.
Script = dict[str, dict[str, Any]]


class Mailbox:
    """A person's messages. Without a script their fates are drawn."""

    def __init__(self, book: Book, cio_id: str, script: Script | None) -> None:
        self._book = book
        self._cio_id = cio_id
        self._script, self._drawn = script or {}, script is None
        self._count = 0
        self._blocked = ""

    def deliver(
        self, at: int, body: dict[str, Any], cause: int | None, customer: dict[str, Any]
    ) -> OpenDelivery:
        """Make a delivery to somebody who has all that `customer` says."""
        message = message_of(body)
        number = chance.delivery_id(self._book.seed, self._cio_id, message, self._count)
        self._count += 1
        body = {**body, **self._script.get(message, {}), "customer": customer}
        body["failure_message"] = failure = _obstacle(body)
        if self._blocked and body["type"] == "email":
            body |= {"fate": {"dropped": 1}, "reason": self._blocked}
        states = self._states(at, number, body)
        state = "undeliverable" if failure else "dropped" if "dropped" in states else "created"
        told = {"delivery": number, "state": state, "message": message, "why": failure or ""}
        entry = self._book.note(at, "message", self._cio_id, number, told, cause)
        if body.get("status"):
            self.block("bounces", states["bounced"], body["recipient"], body["reason"], body["status"])
        return self._book.deliver(number, self._cio_id, at, entry, body, states)

    def _states(self, at: int, number: str, body: dict[str, Any]) -> dict[str, int]:
        if body["failure_message"]:
            return {"created": at, "undeliverable": at}
        chances = fates.chances_of(body) if self._drawn else {}
        fate = body.get("fate") or fates.by_chance(self._book.seed, number, body["type"], chances)
        return {"created": at, **fates.states(body["type"], at, fate)}

    def effects(self, delivery: OpenDelivery) -> dict[str, int]:
        """Return the states of a delivery that will change something, and when."""
        states = delivery.states if self._drawn else {}
        return {name: at for name, at in states.items() if name in EFFECTS}

    def block(self, kind: str, at: int, address: str, reason: str, status: str) -> None:
        """Let the mail service suppress the person's address."""
        self._blocked = self._blocked or reason
        self._book.blocked.append((at, kind, address, reason, status))


def _obstacle(body: dict[str, Any]) -> str | None:
    """Return why a message cannot go out: one that is asked for goes to unsubscribed people, too."""
    if not body["recipient"]:
        return "recipient is blank"
    unsubscribed = body["customer"].get("unsubscribed") and "transactional_message_id" not in body
    return "recipient is unsubscribed" if unsubscribed else None
