"""One person's past: what the engine would have made of what they did, step by step.

The engine does the same with statements for each step, which takes 20 times as long; that both come to the
same is tried in tests/sandbox/test_lives.py. Of what campaigns can be this knows those of the story: events
and one attribute begin them, they have messages and waits of days, and a goal is an event.
"""

from collections.abc import Iterable
from heapq import heapify, heappop, heappush
from operator import attrgetter
from typing import Any

from cio_mcp.sandbox.engine.delays import days_of
from cio_mcp.sandbox.engine.journeys import GOES_ON
from cio_mcp.sandbox.engine.messages import ADDRESS
from cio_mcp.sandbox.lives.book import Book, Journey, OpenDelivery
from cio_mcp.sandbox.lives.habits import CONFIRMATION, ORDERS, Act
from cio_mcp.sandbox.lives.mailbox import Mailbox, Script
from cio_mcp.sandbox.lives.people import DAY
from cio_mcp.sandbox.state import transactional
from cio_mcp.sandbox.state.deliveries import EFFECT

# What happens to a person besides what they do: a message to many, and, of who is there already, an event.
TO_MANY, TOLD = "to many", "told"


class Past:
    """What came of a person's acts, written into a book.

    `has` is what they have, with their identifiers. With a `script` the fates of their messages are told, by
    what each is of, and not drawn.
    """

    def __init__(self, book: Book, cio_id: str, has: dict[str, Any], script: Script | None = None) -> None:
        self._book = book
        self.cio_id = cio_id
        self.has = has
        self._script = script or {}
        self._mailbox = Mailbox(book, cio_id, script)
        self._computed: dict[str, float] = {}
        self._devices: list[str] = []
        self._journeys: list[Journey] = []
        self._due: list[tuple[int, int, str, dict[str, Any], int | None, str | None]] = []

    def live(self, acts: Iterable[Act]) -> None:
        """Go through all that is due by now; the rest is waited for."""
        steps = {
            "identify": self._identify,
            "event": self._event,
            "add_device": self._add_device,
            ORDERS: self._order,
            TO_MANY: self._one_of_many,
            TOLD: self._told,
            GOES_ON: self._go_on,
            EFFECT: self._take_effect,
        }

        def do_what_is_due(before: int) -> None:
            while self._due and self._due[0][0] < before:
                at, _, what, body, cause, _ = heappop(self._due)
                steps[what](at, body, cause)

        # What somebody does comes before what else is due at the same time.
        for act in sorted(acts, key=attrgetter("at")):
            do_what_is_due(act.at)
            steps[act.what](act.at, act.body, None)
        do_what_is_due(self._book.now + 1)
        for due, _, what, body, cause, key in sorted(self._due):
            self._book.wait(due, what, body, cause, key)

    def _wait(
        self, due: int, what: str, body: dict[str, Any], cause: int | None, key: str | None = None
    ) -> None:
        heappush(self._due, (due, self._book.order(), what, body, cause, key))

    def _note(self, at: int, kind: str, name: str | None, data: dict[str, Any], cause: int | None) -> int:
        return self._book.note(at, kind, self.cio_id, name, data, cause)

    def _accept(self, at: int, what: str, **body: Any) -> int:
        """Enter that Quill's call was taken."""
        return self._book.note(at, "accepted", None, what, {"identifier": self.has["id"]} | body, None)

    def _identify(self, at: int, body: dict[str, Any], _: int | None) -> None:
        cause = self._accept(at, "identify", body=body)
        if "email" not in self.has:
            self._book.note(at, "profile_create", self.cio_id, None, {}, cause, at)
        self._set(at, body, cause)

    def _set(self, at: int, changes: dict[str, Any], cause: int) -> None:
        entries: dict[str, int] = {}
        for name, value in changes.items():
            if (before := self.has.get(name)) != value:
                self.has[name] = value
                change = {"to": value} if name == "email" else {"from": before, "to": value}
                entries[name] = self._book.note(at, "attribute_change", self.cio_id, name, change, cause, at)
        self._match(at, entries)

    def _add_device(self, at: int, body: dict[str, Any], _: int | None) -> None:
        self._accept(at, "add_device", device=body)
        self._book.devices.append((self.cio_id, body["id"], body["platform"], None))
        self._devices.append(body["id"])

    def _event(self, at: int, body: dict[str, Any], _: int | None) -> None:
        cause = self._accept(at, "event", body=body)
        kind, data = body.get("type", "event"), body.get("data", {})
        self._book.record(self.cio_id, kind, body["name"], data, at)
        entry = self._book.note(at, kind, self.cio_id, body["name"], data, cause, at)
        self._react(at, body, entry)

    def _told(self, at: int, body: dict[str, Any], _: int | None) -> None:
        """Let a change or an event that is in the log already lead to something."""
        if "name" in body:
            self._react(at, body, body["entry"])
        else:
            self._match(at, body["entries"])

    def _react(self, at: int, event: dict[str, Any], entry: int | None) -> None:
        """Let an event begin campaigns and reach goals."""
        name, data = event["name"], event.get("data", {})
        self._book.compute(self._computed, event, at)
        for campaign in self._book.campaigns:
            if campaign.get("event_name") == name and at >= self._book.begins:
                about = {"event": data, "event_name": name, "event_timestamp": at, "trigger_event_id": None}
                self._start(at, campaign, about, entry)
        if goals := self._book.goals.get(name):
            for journey in sorted(self._journeys, key=lambda one: int(one.campaign["id"])):
                if journey.converted is None and (days := goals.get(journey.campaign["id"])):
                    self._convert(at, journey, days, entry)

    def _match(self, at: int, entries: dict[str, int]) -> None:
        """Let a change of a person begin and end what segments trigger: here by one attribute."""
        for campaign in self._book.campaigns:
            if campaign["type"] != "segment" or at < self._book.begins:
                continue
            asked, key = campaign["filter"]["attribute"], (campaign["id"], self.cio_id)
            entry = entries.get(asked["field"])
            fits, before = self.has.get(asked["field"]) == asked["value"], key in self._book.matches
            if not fits:
                for journey in self._journeys:
                    if journey.campaign is campaign:
                        self._end(at, journey, "unmatched", entry)
            if fits != before:
                self._book.matches ^= {key}
                kind = "matched" if fits else "unmatched"
                cause = self._note(at, kind, str(campaign["id"]), {}, entry)
                if fits:
                    self._start(at, campaign, {}, cause)

    def _start(self, at: int, campaign: dict[str, Any], data: dict[str, Any], cause: int | None) -> None:
        entry = self._note(at, "journey_started", str(campaign["id"]), {}, cause)
        journey = self._book.journey(campaign, self.cio_id, at, entry, data)
        self._journeys.append(journey)
        self._proceed(at, journey, campaign["workflow"], entry)

    def _go_on(self, at: int, body: dict[str, Any], cause: int | None) -> None:
        journey = next(one for one in self._journeys if one.number == body["journey"])
        workflow = journey.campaign["workflow"]
        left = [place for place, action in enumerate(workflow) if action["id"] == body["action"]]
        if journey.ended is None:
            self._proceed(at, journey, workflow[left[0] :] if left else [], cause)

    def _proceed(self, at: int, journey: Journey, workflow: list[dict[str, Any]], cause: int | None) -> None:
        name = str(journey.campaign["id"])
        for place, action in enumerate(workflow):
            if action["type"] == "delay":
                until = at + days_of(action["delay"]) * DAY
                told = {"action": action["id"], "journey": journey.number, "until": until}
                entry = self._note(at, "waits", name, told, cause)
                then = workflow[place + 1]["id"] if place + 1 < len(workflow) else None
                further = {"journey": journey.number, "action": then}
                self._wait(until, GOES_ON, further, entry, f"journey:{journey.number}")
                return
            journey.messaged = journey.activated = 1
            self._act(at, journey, action, cause)
            if outcome := self._script.get(f"action {action['id']}", {}).get("ends"):
                self._end(at, journey, outcome, cause)
                return
        self._end(at, journey, "finished", cause)

    def _act(self, at: int, journey: Journey, action: dict[str, Any], cause: int | None) -> None:
        """Make the message of an action."""
        recipient = (
            ", ".join(self._devices) if action["type"] == "push" else self.has[ADDRESS[action["type"]]]
        )
        language = self.has.get("language", "")
        body = {
            "type": action["type"],
            "recipient": recipient,
            "subject": self._book.subject("action", action["id"], language),
            "campaign_id": journey.campaign["id"],
            "action_id": action["id"],
            "journey": journey.number,
            "language": language,
            "draft": False,
            "chances": action.get("chances"),
            "links": action.get("links"),
            "topic": None,
            **journey.data,
        }
        journey.deliveries.append(self._deliver(at, body, cause))

    def _one_of_many(self, at: int, body: dict[str, Any], _: int | None) -> None:
        self._deliver(at, {"recipient": self.has["email"], **body["message"]}, body["entry"])

    def _order(self, at: int, body: dict[str, Any], _: int | None) -> None:
        """Make the message that confirms an order, which Quill asks for."""
        cause = self._book.note(at, "asked", None, str(CONFIRMATION), {}, None)
        asked = {"to": self.has["email"], "message_data": body}
        message = transactional.message("email", {"id": CONFIRMATION}, self.has["email"], asked)
        subject = f"Your order {body['order_id']}"
        self._deliver(at, message | {"subject": subject}, cause)

    def _deliver(self, at: int, body: dict[str, Any], cause: int | None) -> OpenDelivery:
        delivery = self._mailbox.deliver(at, body, cause, self.has | self._computed)
        for state, reached in self._mailbox.effects(delivery).items():
            self._wait(reached, EFFECT, {"id": delivery.id, "state": state}, delivery.entry)
        return delivery

    def _take_effect(self, at: int, body: dict[str, Any], cause: int | None) -> None:
        """Let a bounce or a complaint block the address, and an unsubscribe unsubscribe the person."""
        told = {"delivery": body["id"], "state": body["state"]}
        entry = self._note(at, "message_state", body["id"], told, cause)
        if body["state"] == "bounced":
            self._mailbox.block("bounces", at, self.has["email"], "550 5.1.1 unknown user", "550")
        if body["state"] == "spammed":
            self._mailbox.block("spam_reports", at, self.has["email"], "complaint", "")
        if body["state"] in {"spammed", "unsubscribed"}:
            self._set(at, {"unsubscribed": True}, entry)

    def _convert(self, at: int, journey: Journey, days: int, cause: int | None) -> None:
        """Count a journey and its last message as converted, if its goal is reached in time."""
        if not journey.started < at <= journey.started + days * DAY:
            return
        journey.converted = at
        self._note(at, "converted", str(journey.campaign["id"]), {"journey": journey.number}, cause)
        for delivery in reversed(journey.deliveries):
            if delivery.states.get("sent", at + 1) <= at:
                delivery.states["converted"] = at
                told = {"delivery": delivery.id, "state": "converted"}
                self._note(at, "message_state", delivery.id, told, cause)
                return

    def _end(self, at: int, journey: Journey, outcome: str, cause: int | None) -> None:
        if journey.ended is None:
            journey.ended, journey.outcome = at, outcome
            told = {"journey": journey.number, "outcome": outcome}
            self._note(at, "journey_ended", str(journey.campaign["id"]), told, cause)
            self._due = [step for step in self._due if step[-1] != f"journey:{journey.number}"]
            heapify(self._due)
