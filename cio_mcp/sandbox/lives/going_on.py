"""Lets people go on by the same seed on later days, and new ones sign up: a timer for what each does next."""

from typing import Any

from cio_mcp.sandbox.lives.habits import CONFIRMATION, ORDERS, Act, acts
from cio_mcp.sandbox.lives.people import DAY, MOST, Character, person
from cio_mcp.sandbox.state import people, transactional
from cio_mcp.sandbox.state.workspace import Workspace, applies

LIFE = "life"

# Who does nothing in so many seconds is looked at again then.
FURTHEST = 30 * DAY

# What a workspace keeps of its story.
THING = "story"


def begin(workspace: Workspace, number: int) -> None:
    """Let somebody sign up at their time, as long as there are names."""
    if number < MOST:
        _wait(workspace, number, _person(workspace, number).signs_up)


def next_act(doings: list[Act], now: int) -> int:
    """Return when somebody does the next of what they do, or is looked at again."""
    return min((act.at for act in doings if act.at > now), default=now + FURTHEST)


@applies(LIFE)
def live(workspace: Workspace, write: dict[str, Any]) -> None:
    """Let somebody do what they do now; who was deleted does no more."""
    now, number = workspace.now(), write["number"]
    someone = _person(workspace, number)
    doings = acts(someone, now, now + FURTHEST)
    if now == someone.signs_up:
        begin(workspace, number + 1)
    elif people.find(workspace, someone.id, "id") is None:
        return
    for act in doings:
        if act.at == now:
            _do(workspace, someone, act)
    _wait(workspace, number, next_act(doings, now))


def _do(workspace: Workspace, someone: Character, act: Act) -> None:
    if act.what != ORDERS:
        named = {"device": act.body} if act.what == "add_device" else {"body": act.body}
        workspace.apply(act.what, {"identifier": someone.id} | named)
    elif row := people.find(workspace, someone.id, "id"):
        template = workspace.thing("transactional", CONFIRMATION)
        sent = {"to": row["email"], "message_data": act.body}
        if template:
            transactional.queue(workspace, template["channel"], template, row, sent)


def _person(workspace: Workspace, number: int) -> Character:
    story = workspace.thing(THING, 1) or {}
    return person(workspace.seed, number, story["planted"])


def _wait(workspace: Workspace, number: int, due: int) -> None:
    workspace.wait(due, LIFE, {"number": number}, key=f"{LIFE}:{number}")
