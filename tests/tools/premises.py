"""What Customer.io must have said before a cause may be named, and the words that an explanation may use."""

import ast
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cio_mcp.tools import deliverability
from tests.forms import leaves

# The paths of what an answer says that it was read from.
READ_FROM = {
    "profile": r"/customers/[^/]+/attributes",
    "subscriptions": r"/subscription_preferences",
    "segments": r"/customers/[^/]+/segments",
    "opt-outs": r"/optouts",
    "suppressed addresses": r"/esp/search_suppression/",
    "messages": r"/(customers|transactional)/[^/]+/messages",
    "message": r"/v1/messages/",
    "log": r"/activities",
    "source": r"/v1/(campaigns|broadcasts|newsletters|transactional)(/[^/]+)?$",
    "actions": r"/campaigns/[^/]+/actions",
    "runs": r"/broadcasts/[^/]+/triggers",
    "run errors": r"/triggers/[^/]+/errors",
}


@dataclass(frozen=True)
class Said:
    """All that Customer.io answered, by path."""

    answers: list[tuple[str, Any]]

    def under(self, read: str) -> list[Any]:
        """Return the answers of what an explanation calls by this name."""
        return [body for path, body in self.answers if re.search(READ_FROM[read], path)]

    def values(self, name: str, *reads: str) -> list[Any]:
        """Return all values under a name, in some answers or in all."""
        bodies = [body for read in reads or READ_FROM for body in self.under(read)]
        return [value for key, value in leaves(bodies) if key == name]

    def states(self) -> set[str]:
        """Return the states that deliveries have reached."""
        return {
            name.removeprefix("secondary:")
            for name, _ in leaves(self.under("messages") + self.under("message"))
        }

    def nothing(self, read: str, key: str) -> bool:
        """Say whether a list was answered that has nothing in it; null items are none."""
        lists = [body.get(key, 0) if isinstance(body, dict) else body for body in self.under(read)]
        empty = (isinstance(found, list) and all(item is None for item in found) for found in lists)
        return any(empty) or None in lists

    def failure(self, *words: str) -> bool:
        """Say whether a reason of a failure has one of some words."""
        reasons = [str(value).casefold() for value in self.values("failure_message")]
        return any(word in reason for reason in reasons for word in words)

    def suppressed(self, *categories: str) -> bool:
        """Say whether an address is suppressed, in a category with one of some words."""
        known = self.values("category", "suppressed addresses")
        address = self.values("email", "suppressed addresses")
        return bool(address) and any(
            not categories or category in str(one) for one in known for category in categories or ("",)
        )


def true(value: Any) -> bool:
    return value is True or str(value).strip().lower() == "true"


def false(value: Any) -> bool:
    return value is False or str(value).strip().lower() == "false"


ARRIVED = {
    *("unsubscribed", "topic_unsubscribed", "converted", "replied", "clicked", "human_clicked", "delivered"),
    *("machine_clicked", "prefetch_clicked", "opened", "human_opened", "prefetch_opened"),
}
MESSAGE = {"email", "twilio", "push", "whatsapp", "in_app", "slack", "webhook", "inbox"}

# For each cause what was said if it is true, read from Customer.io's own documents.
PREMISES: dict[str, Callable[[Said], bool]] = {
    "merged": lambda said: "profile_merge" in said.values("type", "log"),
    "deleted": lambda said: "profile_delete" in said.values("type", "log"),
    "suppressed": lambda said: "failed_event" in said.values("type", "log") or said.failure("suppressed"),
    "identify_rejected": lambda said: "failed_attribute_change" in said.values("type", "log"),
    "not_found": lambda said: len(said.under("log")) >= 4,
    "delivered": lambda said: bool(said.states() & ARRIVED),
    "old_address": lambda said: bool(said.states() & ARRIVED and said.values("email", "profile")),
    "bounced": lambda said: "bounced" in said.states(),
    "dropped": lambda said: bool(said.states() & {"dropped", "suppressed"}),
    "address_suppressed": lambda said: said.suppressed(),
    "spam_report": lambda said: "spammed" in said.states() or said.suppressed("spam"),
    "draft": lambda said: "drafted" in said.states(),
    "on_its_way": lambda said: bool(said.states() & {"sent", "deferred", "attempted"}),
    "waiting": lambda said: "created" in said.states(),
    "opted_out": lambda said: said.failure("opt") or bool(said.values("channel", "opt-outs")),
    "unsubscribed": lambda said: said.failure("unsubscribed") or any(map(true, said.values("unsubscribed"))),
    "template_error": lambda said: said.failure("liquid", "templ", "render", "syntax", "undefined", "varia"),
    "no_address": lambda said: bool(said.values("failure_message") or said.under("profile")),
    "message_limit": lambda said: said.failure("limit", "frequency", "capped"),
    "failed": lambda said: bool(said.values("failure_message")),
    "not_sent": lambda said: any(
        not body.get("newsletter", body).get("sent_at", 1) for body in said.under("source")
        if isinstance(body, dict) and isinstance(body.get("newsletter", body), dict)
    ) or any(not one.get("sent_at", 1) for body in said.under("source") if isinstance(body, dict)
        for one in body.get("newsletters") or [] if isinstance(one, dict)),
    "not_running": lambda said: bool(
        said.values("state", "source") or any(map(false, said.values("active", "source")))
    ),
    "never_triggered": lambda said: said.nothing("runs", "triggers"),
    "run_failed": lambda said: bool(said.values("errors", "run errors")),
    "run_in_progress": lambda said: bool(said.under("runs")),
    "joined_later": lambda said: bool(said.values("created_at", "profile")),
    "unsubscribed_from_topic": lambda said: any(map(false, said.values("subscribed", "subscriptions"))),
    "started_later": lambda said: bool(said.values("first_started", "source")),
    "event_rejected": lambda said: bool(said.values("name", "log")),
    "event_missing": lambda said: said.nothing("log", "activities"),
    "condition_not_met": lambda said: bool(said.under("segments")),
    "not_in_audience": lambda said: bool(said.under("segments")),
    "sending_off": lambda said: "off" in said.values("sending_state", "actions"),
    "sending_draft": lambda said: "draft" in said.values("sending_state", "actions"),
    "never_sent": lambda said: bool(said.under("messages")) and nobody_sent(said),
    "unknown": lambda _: True,
}  # fmt: skip


def nobody_sent(said: Said) -> bool:
    """Say whether every message that was answered tells what else sent it."""
    bodies = [body for body in said.under("messages") if body is not None]
    lists = [body.get("messages") if isinstance(body, dict) else body for body in bodies]
    items = [item for found in lists for item in found or [] if item is not None]
    return all(isinstance(item, dict) and any(item.get(name) for name in SOURCES) for item in items)


SOURCES = ("transactional_message_id", "campaign_id", "newsletter_id", "broadcast_id")


def words(values: Iterable[object]) -> set[str]:
    return {word for value in values for word in re.findall(r"\w+", str(value))}


def own_words() -> set[str]:
    """Return the words and numbers of an explanation's own sentences."""
    found: list[object] = []
    for file in Path(deliverability.__file__).parent.glob("*.py"):
        nodes = list(ast.walk(ast.parse(file.read_text())))
        docstrings = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
        constants = (node for node in nodes if isinstance(node, ast.Constant) and id(node) not in docstrings)
        found += [node.value for node in constants if isinstance(node.value, str | int)]
    return words(found) - {"None", "null", "True", "False"}


OWN = own_words()


def check_explanation(answer: dict[str, Any], said: Said, told: set[str]) -> None:
    """Check that each statement rests on something that was read; `told` is all that was said or asked."""
    cause = answer["cause"]
    assert PREMISES[cause](said), f"{cause}: {answer['verdict']}"
    statements = [answer, *answer["evidence"], *answer.get("also", [])]
    for statement in statements:
        for read in statement["read_from"]:
            assert any(re.search(READ_FROM[read], path) for path, _ in said.answers), statement
        assert statement["read_from"] or answer["certainty"] == "unknown", statement
    sentences = [statement.get("verdict") or statement["what"] for statement in statements]
    cure = [re.sub(r" \([^()]* (is|are) off here.*?\.\)", "", told) for told in answer["cure"].values()]
    sentences += [*answer.get("cannot_know", []), *cure]
    bodies = [body for _, body in said.answers]
    quoted = words(json.dumps(bodies, ensure_ascii=ascii_only) for ascii_only in (True, False))
    assert words(sentences) <= OWN | words(told) | quoted
