"""Causes for which a customer gets no message, planted into a sandbox beyond what its story tells."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cio_mcp.sandbox import Sandbox
from cio_mcp.sandbox.state import deliveries, opt_outs, people, suppressions
from cio_mcp.sandbox.state.workspace import Workspace

DAY = 86_400
ADA = {"customer_id": "u_1001"}
WELCOME = {"kind": "campaign", "source_id": "1"}
RESET = {"kind": "transactional", "source_id": "password_reset"}

Plant = Callable[[Workspace], object]


def of(kind: str, number: int) -> dict[str, Any]:
    return {"kind": kind, "source_id": str(number)}


def written(what: str, **write: Any) -> Plant:
    """Let Track have accepted a write."""
    return lambda workspace: workspace.accept(what, write, due=workspace.now())


def sent(days_ago: int = 1, person: str = "u_1001", **message: Any) -> Plant:
    """Let a message have been made for a person some days ago."""

    def plant(workspace: Workspace) -> None:
        who = people.find(workspace, person, "id")
        assert who
        body = {"type": "email", "recipient": who["email"], "subject": "Hello"} | message
        with workspace.planting(), workspace.clock.at(workspace.now() - days_ago * DAY):
            deliveries.add(workspace, who, body)

    return plant


def changed(kind: str, number: int, **to: Any) -> Plant:
    """Let a thing of the workspace be set up in another way."""
    return lambda workspace: workspace.configure(kind, (workspace.thing(kind, number) or {}) | to)


def sending(state: str) -> Plant:
    """Let no message of the welcome series go out on its own."""

    def plant(workspace: Workspace) -> None:
        campaign = workspace.thing("campaign", 1) or {}
        workflow = [step | {"sending_state": state} for step in campaign["workflow"]]
        workspace.configure("campaign", campaign | {"workflow": workflow})

    return plant


def suppressed(kind: str, email: str, reason: str, days_ago: int) -> Plant:
    def plant(workspace: Workspace) -> None:
        with workspace.clock.at(workspace.now() - days_ago * DAY):
            suppressions.add(workspace, kind, email, reason, "550")

    return plant


def rejected(name: str, reason: str, person: str) -> Plant:
    """Let an event of a person have been dropped."""

    def plant(workspace: Workspace) -> None:
        who = people.find(workspace, person, "id")
        assert who
        workspace.enter("failed_event", who["cio_id"], name, {"reason": reason})

    return plant


def opted_out(workspace: Workspace) -> None:
    """Let Ada have opted out of SMS."""
    ada = people.find(workspace, "u_1001", "id")
    assert ada
    change = {"cio_id": ada["cio_id"], "channel": "sms", "from": "+15550100", "optout": True}
    opt_outs.change(workspace, change)


def unsent(workspace: Workspace) -> None:
    """Let no newsletter have gone out to Kim."""
    kim = "(SELECT cio_id FROM people WHERE id = 'u_1011')"
    workspace.change(f"DELETE FROM deliveries WHERE body LIKE '%newsletter_id%' AND cio_id = {kim}")


def triggered(workspace: Workspace) -> None:
    """Let broadcast 10 have been triggered for somebody else."""
    at = workspace.now() - DAY
    workspace.change("INSERT INTO triggers VALUES (10, 1, ?, ?, '[]')", at, at)


def nothing(_: Workspace) -> None:
    """Leave the story as it is."""


@dataclass(frozen=True)
class Planted:
    """A cause: what plants it, what is asked, and what the answer must say."""

    cause: str
    words: tuple[str, ...]
    asked: dict[str, Any]
    plants: tuple[Plant, ...] = (nothing,)
    certainty: str = "certain"
    by: str = ""

    def plant(self, sandbox: Sandbox) -> None:
        for plant in self.plants:
            with sandbox.workspace.transaction():
                plant(sandbox.workspace)


SUPPRESSED = (
    written("suppress", identifier="u_1009"),
    written("event", identifier="u_1009", body={"name": "login"}),
)
NEW = {"email": "new@example.com", "plan": "free"}
# Nothing of a filter by attributes is told by the API.
HELD_OUT = changed("campaign", 1, filter={"attribute": {"field": "chosen", "operator": "exists"}})
NEW_EVENT = written("event", identifier="n_1", body={"name": "signed_up"})
LIQUID = "Liquid error: undefined variable customer.seats"

CAUSES = {
    "not found": Planted(
        "not_found", ("exactly nobody as its id, first name, last name or name,", "dropped write"),
        {"customer_id": "nobody"} | WELCOME, certainty="inferred",
    ),
    "merged": Planted(
        "merged", ("merged into another", "u_1008"), {"customer_id": "u_1009"} | WELCOME,
        (written("merge", primary={"id": "u_1008"}, secondary={"id": "u_1009"}),),
    ),
    "deleted": Planted(
        "deleted", ("was deleted 2026-05-28", "the API does not say"), {"customer_id": "u_1009"},
        (written("delete", identifier="u_1009"),),
    ),
    "suppressed": Planted(
        "suppressed", ("so they are suppressed", "deleted 2026-05-28"), {"customer_id": "u_1009"}, SUPPRESSED,
        certainty="inferred",
    ),
    "identify rejected": Planted(
        "identify_rejected", ("was dropped", "no such person to update"), {"customer_id": "u_2001"},
    ),
    "bounced": Planted(
        "bounced", ("bounced 2026-05-19", "550 5.1.1 unknown user"), {"customer_id": "u_1010"} | WELCOME,
        by="a person confirms",
    ),
    "bounced last month": Planted(
        "address_suppressed", ("was dropped", "since 2026-04-28", "(bounces)"), ADA | of("newsletter", 21),
        (
            suppressed("bounces", "ada@example.com", "550 mailbox unavailable", 30),
            changed("newsletter", 21, sent_at=1_779_900_000),
            sent(newsletter_id=21),
        ),
    ),
    "reported spam": Planted(
        "spam_report", ("was dropped", "(spam)"), ADA | of("newsletter", 21),
        (
            suppressed("spam_reports", "ada@example.com", "complaint", 30),
            changed("newsletter", 21, sent_at=1_779_900_000),
            sent(newsletter_id=21),
        ),
        by="the customer",
    ),
    "unsubscribed from everything": Planted(
        "unsubscribed", ("recipient is unsubscribed",), {"customer_id": "u_1002"} | of("newsletter", 20),
        by="the customer",
    ),
    "unsubscribed from the topic": Planted(
        "unsubscribed_from_topic", ("topic Product news",), {"customer_id": "u_1003"} | of("newsletter", 21),
        (changed("newsletter", 21, sent_at=1_779_900_000, subscription_topic_id=1),),
        by="the customer",
    ),
    "opted out of SMS": Planted(
        "opted_out", ("to +442071838750", "opted out"), ADA | of("transactional", 4),
        (
            opted_out,
            sent(type="twilio", recipient="+442071838750", transactional_message_id=4, days_ago=0),
        ),
        by="the customer",
    ),
    "event rejected": Planted(
        "event_rejected", ("signed_up", "was rejected 2026-05-28", "data is too large"),
        {"customer_id": "n_1"} | WELCOME,
        (
            written("identify", identifier="n_1", body=NEW),
            rejected("signed_up", "data is too large", "n_1"),
        ),
    ),
    "event never arrived": Planted(
        "event_missing", ("signed_up", "did not arrive"), {"customer_id": "n_1"} | WELCOME,
        (written("identify", identifier="n_1", body=NEW),),
    ),
    "condition not met": Planted(
        "condition_not_met", ("not in segment 4", "limited to"), {"customer_id": "n_1"} | WELCOME,
        (written("identify", identifier="n_1", body={"plan": "free"}), NEW_EVENT),
    ),
    "not running": Planted(
        "not_running", ("campaign 3: Win-back is not running", "draft"), ADA | of("campaign", 3),
        by="a person in Customer.io",
    ),
    "sending off": Planted(
        "sending_off", ("Sending of every message", "is switched off"), {"customer_id": "n_1"} | WELCOME,
        (written("identify", identifier="n_1", body=NEW), sending("off"), NEW_EVENT),
        by="a person in Customer.io",
    ),
    "broadcast failed whole": Planted(
        "run_failed", ("failed as a whole", "u_1900"), {"customer_id": "u_1004"} | of("broadcast", 12),
    ),
    "broadcast never triggered": Planted(
        "never_triggered", ("was never triggered",), ADA | of("broadcast", 10)
    ),
    "template error": Planted(
        "template_error", ("undefined variable customer.seats",), ADA | RESET,
        (sent(transactional_message_id=2, fate={"failed": 1}, reason=LIQUID),),
    ),
    "draft queued": Planted(
        "draft", ("queued as a draft", "waits"), ADA | RESET,
        (sent(transactional_message_id=2, draft=True),), by="a person in Customer.io",
    ),
    "delivered after all": Planted(
        "delivered", ("delivered after all", "2026-05-16"), ADA | of("newsletter", 20), by="the customer",
    ),
    "sent to an old address": Planted(
        "old_address", ("to old@example.com", "ada@example.com now"), ADA | RESET,
        (sent(transactional_message_id=2, recipient="old@example.com"),),
    ),
    "newsletter not sent": Planted(
        "not_sent", ("newsletter 21", "has not been sent"), ADA | of("newsletter", 21)
    ),
    "never sent": Planted("never_sent", ("Nothing of transactional 2",), {"customer_id": "u_1005"} | RESET),
    "joined later": Planted(
        "joined_later", ("went out 2026-05-16", "created 2026-05-22"),
        {"customer_id": "u_1011"} | of("newsletter", 20),
        (unsent,), certainty="inferred",
    ),
    "no number": Planted(
        "no_address", ("recipient is blank",), {"customer_id": "u_1004"} | of("transactional", 4),
    ),
}  # fmt: skip

# What Customer.io knows and its API does not tell.
UNKNOWABLE = {
    "frequency cap": Planted(
        "unknown", ("The API does not show why", "message limit"), ADA | WELCOME,
        (sent(campaign_id=1, action_id=101, fate={"undeliverable": 1}),), certainty="unknown",
    ),
    "held out at random": Planted(
        "unknown", ("The API does not show why", "nothing that it shows"),
        {"customer_id": "n_1"} | WELCOME,
        (written("identify", identifier="n_1", body=NEW), HELD_OUT, NEW_EVENT), certainty="unknown",
    ),
    "left out by a broadcast": Planted(
        "unknown", ("The API does not show why", "broadcast 10"),
        {"customer_id": "u_1005"} | of("broadcast", 10),
        (triggered,), certainty="unknown",
    ),
}  # fmt: skip
