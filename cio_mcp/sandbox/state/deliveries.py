"""Deliveries: messages to one person each, and how far they have come."""

import json
from collections.abc import Iterator
from typing import Any

from cio_mcp.sandbox.engine import fates
from cio_mcp.sandbox.engine.chance import delivery_id, share
from cio_mcp.sandbox.faults import book
from cio_mcp.sandbox.state import contents, magic, obstacles, people
from cio_mcp.sandbox.state.workspace import Row, Workspace, applies

REPORT, EFFECT = "delivery_event", "delivery_effect"

# States for which a delivery's `reason` is told.
FAILED = {"bounced", "dropped", "failed"}

# States that change something of the person or their address.
EFFECTS = {"bounced", "spammed", "unsubscribed"}

# What a delivery can come from; a transactional message has its template instead.
PARENTS = ("campaign_id", "newsletter_id", "broadcast_id", "action_id", "content_id", "trigger_event_id")


def add(
    workspace: Workspace, person: Row | None, body: dict[str, Any], *, to_unsubscribed: bool = True
) -> str:
    """Make a delivery; returns its id. One that cannot go out is kept with the reason in `failure_message`.

    `body` has type, recipient and subject, and what else a message carries; `draft` keeps it back,
    `send_at` (unix seconds) delays it, `fate` says what becomes of it, and `reason` why it fails.
    """
    cio_id, created = person["cio_id"] if person else None, workspace.now()
    number = _new_id(workspace, cio_id, body)
    body = body if "customer" in body else body | {"customer": contents.snapshot(workspace, person)}
    subject, fault = contents.filled(workspace, number, body)
    failure = obstacles.of(workspace, person, body, to_unsubscribed=to_unsubscribed) or fault
    body |= magic.fate_of(workspace, body) | obstacles.in_the_way(workspace, body)
    body |= {"failure_message": failure, "subject": subject}
    states = _states(workspace, number, created, body)
    state = next((name for name in ("undeliverable", "drafted", "dropped") if name in states), "created")
    told = {"delivery": number, "state": state, "message": message_of(body), "why": failure or ""}
    entry = workspace.note("message", cio_id, number, told)
    workspace.insert(
        "INSERT INTO deliveries (id, cio_id, created, entry, type, campaign_id, action_id, journey, states, "
        "body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        *(number, cio_id, created, entry, body["type"]),
        *(body.get("campaign_id"), body.get("action_id"), body.get("journey")),
        *(json.dumps(states), json.dumps(body)),
    )
    # An address that asks for a bounce, or a story that tells of one, does so for each message alone.
    effects = EFFECTS if body.get("fate") is None else EFFECTS - {"bounced"}
    with workspace.because(entry):
        for name, at in states.items() if workspace.lives else ():
            if (state := name.removeprefix(fates.SECONDARY)) in effects:
                workspace.wait(at, EFFECT, {"id": number, "state": state})
    return number


def message_of(body: dict[str, Any]) -> str:
    """Return which message a delivery is of, such as `action 101`."""
    for name in ("action_id", "newsletter_id", "broadcast_id", "transactional_message_id"):
        if body.get(name):
            return f"{name.removesuffix('_id').removesuffix('_message')} {body[name]}"
    return "message"


def _new_id(workspace: Workspace, cio_id: str | None, body: dict[str, Any]) -> str:
    """Return an id that depends on the person, the message, and how many they got before."""
    before = workspace.rows("SELECT count(*) FROM deliveries WHERE cio_id = ?", cio_id)[0][0]
    while True:
        number = delivery_id(workspace.seed, cio_id or body["recipient"], message_of(body), before)
        if row(workspace, number) is None:
            return number
        before += 1


def _states(workspace: Workspace, number: str, created: int, body: dict[str, Any]) -> dict[str, int]:
    """Return when a delivery reaches each state."""
    if body["failure_message"]:
        return {"created": created, "undeliverable": created}
    if body.get("draft"):
        return {"created": created, "drafted": created}
    fate = body.get("fate")
    if fate is None:
        chances = fates.chances_of(body) if workspace.lives else {}
        fate = fates.by_chance(workspace.seed, number, body["type"], chances)
    struck = book.met_by_delivery(workspace, body["recipient"])
    late = int(sum(fault.seconds or 0 for fault in struck))
    secondary = any(fault.does == "secondary" for fault in struck)
    leaves = max(created, body.get("send_at") or 0)
    return {"created": created} | fates.states(body["type"], leaves, fate, late=late, secondary=secondary)


def listed(
    workspace: Workspace,
    since: int,
    until: int,
    *,
    cio_id: str | None = None,
    metric: str | None = None,
    drafts: bool | None = None,
    **parents: Any,
) -> Iterator[tuple[tuple[int, int], dict[str, Any]]]:
    """Yield deliveries with their keys as `GET /v1/messages` has them, newest first.

    They were created from `since` to `until` (unix seconds). Filters: a person, a state that was reached,
    drafts only or none, and whatever fields of a message.
    """
    rows = workspace.rows(
        "SELECT * FROM deliveries WHERE (:cio_id IS NULL OR cio_id = :cio_id) "
        "AND created BETWEEN :since AND :until ORDER BY created DESC, number DESC",
        cio_id=cio_id,
        since=since,
        until=until,
    )
    for row in rows:
        message = _message(workspace, row)
        states = reached(workspace, row)
        if (
            (metric is None or metric in states)
            and (drafts is None or ("drafted" in states) is drafts)
            and all(message.get(name) == value for name, value in parents.items())
        ):
            yield (row["created"], row["number"]), message


def one(workspace: Workspace, number: str) -> dict[str, Any] | None:
    """Return a delivery by its id, as the API tells it."""
    found = row(workspace, number)
    return _message(workspace, found) if found else None


def row(workspace: Workspace, number: str) -> Row | None:
    """Return a delivery by its id, as it is kept."""
    return workspace.row("SELECT * FROM deliveries WHERE id = ?", number)


def metrics(workspace: Workspace, row: Row) -> dict[str, int]:
    """Return when a delivery reached each state, as far as time has passed."""
    now = workspace.now()
    return {name: at for name, at in json.loads(row["states"]).items() if at <= now}


def reached(workspace: Workspace, row: Row) -> dict[str, int]:
    """Return when a delivery reached each state, under the plain names."""
    return {name.removeprefix(fates.SECONDARY): at for name, at in metrics(workspace, row).items()}


def _message(workspace: Workspace, row: Row) -> dict[str, Any]:
    """Return a delivery as the App API tells it.

    Live: whose it is can be null, and what it does not come from is not named. Documented: or is null.
    """
    body = json.loads(row["body"])
    person = people.find(workspace, row["cio_id"] or "", "cio_id")
    states = metrics(workspace, row)
    template = body.get("transactional_message_id")
    parents = {name: body.get(name) for name in PARENTS}
    sources = {"transactional_message_id": template, "msg_template_id": template} if template else parents
    # Assumed (reasons of failures): what the mail service says is told where Customer.io tells its own.
    why = body["failure_message"] or (body.get("reason") if FAILED & states.keys() else None)
    failure = {"failure_message": why} if why else {}
    return {
        "id": row["id"],
        "deduplicate_id": f"{row['id']}:{row['created']}",
        "type": body["type"],
        "customer_id": person["id"] if person else None,
        "customer_identifiers": people.identifiers(person) if person else None,
        "recipient": body["recipient"],
        "subject": body["subject"],
        "metrics": states,
        "created": row["created"],
        "forgotten": bool(body.get("forgotten")),
        **sources,
        **failure,
    }


def link_of(number: str, links: list[dict[str, Any]]) -> int | None:
    """Return the number of the link that is clicked in a delivery, by the links' shares of all clicks."""
    left = share(number, "link")
    for link in links:
        if left < link["share"]:
            return int(link["id"])
        left -= link["share"]
    return int(links[-1]["id"]) if links else None


@applies(REPORT)
def report(workspace: Workspace, write: dict[str, Any]) -> None:
    """Add what a device reports of a delivery (Track API, entity); of an unknown one nothing happens."""
    if found := row(workspace, write["identifiers"]["id"]):
        _reach(workspace, found, write["name"], write.get("timestamp", workspace.now()))


def convert(workspace: Workspace, journey: int) -> None:
    """Count the last message that was sent on a journey as converted."""
    sent = "SELECT * FROM deliveries WHERE journey = ? ORDER BY number DESC"
    for found in workspace.rows(sent, journey):
        if "sent" in reached(workspace, found):
            _reach(workspace, found, "converted", workspace.now())
            return


def _reach(workspace: Workspace, row: Row, state: str, at: int) -> None:
    """Let a delivery reach a state, unless it did earlier."""
    states = json.loads(row["states"])
    if at < states.get(state, at + 1):
        states[state] = at
        workspace.change("UPDATE deliveries SET states = ? WHERE id = ?", json.dumps(states), row["id"])
        workspace.note("message_state", row["cio_id"], row["id"], {"delivery": row["id"], "state": state})


@applies(EFFECT)
def take_effect(workspace: Workspace, write: dict[str, Any]) -> None:
    """Let what became of a delivery change the person or their address."""
    if (found := row(workspace, write["id"])) is None:
        return
    told = {"delivery": write["id"], "state": write["state"]}
    entry = workspace.note("message_state", found["cio_id"], write["id"], told)
    with workspace.because(entry):
        obstacles.arise(workspace, found, write["state"])
