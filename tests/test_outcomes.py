"""The outcome table at every tool: what is told is true, and nothing happens twice.

What follows from a fault is decided by the kind of a request, in one place for all tools. So one tool of each
kind goes through every fault, and all others through those two that show which kind they are.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from cio_mcp.client import RequestKind
from cio_mcp.sandbox import Sandbox
from cio_mcp.sandbox.state import imports
from cio_mcp.tools.every import TOOLS
from tests.agent import MISSING, Agent, Fault
from tests.contract.calls import NEWS_EMAIL, TRIAL_EMAIL, a_publishing

pytestmark = pytest.mark.anyio

ADA = "u_1001"


def count(table: str, where: str = "1") -> Callable[[Sandbox], int]:
    """Return what counts the rows of the sandbox's state."""
    return lambda sandbox: len(sandbox.workspace.rows(f"SELECT 1 FROM {table} WHERE {where}"))


@dataclass(frozen=True)
class Act:
    """A tool call: what repeating it would do, its arguments, and how often it has taken effect.

    Arguments that only the workspace knows are found in it; `requests` is how many the call makes, and
    `reads_first` says that the first of them is a read, without whose answer nothing is done. `first` is a
    call of another tool that is made before.
    """

    kind: RequestKind
    arguments: dict[str, Any]
    effects: Callable[[Sandbox], int] = lambda _: 0
    find: Callable[[Sandbox], dict[str, Any]] = lambda _: {}
    requests: int = 1
    reads_first: bool = False
    first: tuple[str, dict[str, Any]] | None = None

    async def prepare(self, agent: Agent) -> None:
        """Make the call of another tool that comes before, and forget what it sent."""
        if self.first:
            tool, arguments = self.first
            done = await agent.call(tool, **arguments)
            if done["outcome"] == "preview":
                await agent.call(tool, **arguments, confirmation=done["confirmation"])
            agent.wire.requests.clear()

    def on(self, sandbox: Sandbox) -> dict[str, Any]:
        """Return the arguments for a call on a sandbox."""
        return self.arguments | self.find(sandbox)


def a_delivery(sandbox: Sandbox) -> dict[str, Any]:
    """Return the id of a message that was sent."""
    return {"delivery_id": sandbox.workspace.rows("SELECT id FROM deliveries ORDER BY number")[0]["id"]}


LEADS = "https://files.sandbox.invalid/leads.csv"


def an_import(sandbox: Sandbox) -> dict[str, Any]:
    """Return the id of an import that has ended."""
    asked = {"data_file_url": LEADS, "name": "n", "type": "people", "identifier": "id"}
    begun = imports.start(sandbox.workspace, asked)
    sandbox.workspace.configure("import", begun | {"created_at": begun["created_at"] - 100})
    return {"import_id": begun["id"]}


def newsletters_sent(sandbox: Sandbox) -> int:
    """Return how often newsletter 21 has reached whom it reached most often."""
    found = sandbox.workspace.rows(
        "SELECT count(*) AS times FROM deliveries WHERE json_extract(body, '$.newsletter_id') = 21 "
        "GROUP BY cio_id ORDER BY times DESC"
    )
    return found[0]["times"] if found else 0


def gone(table: str, where: str) -> Callable[[Sandbox], int]:
    """Return what counts 1 once a row that was in the sandbox's state is not there any more."""
    return lambda sandbox: 1 - count(table, where)(sandbox)


EVENT = count("events", "name = 'tried'")
OF_ADA = f"cio_id = (SELECT cio_id FROM people WHERE id = '{ADA}')"
ACTS = {
    "identify_customer": Act(RequestKind.REPEATABLE, {"customer_id": "new"}, count("people", "id = 'new'")),
    "create_preference_link": Act(
        RequestKind.REPEATABLE, {"customer_id": ADA}, count("things", "kind = 'preference_token'")
    ),
    "delete_customer": Act(RequestKind.REPEATABLE, {"customer_id": ADA}, gone("people", f"id = '{ADA}'")),
    "get_customer": Act(RequestKind.READ, {"customer_id": ADA}),
    "search_customers": Act(RequestKind.READ, {"segment_id": 1, "fields": ["plan"]}, requests=2),
    "list_customer_segments": Act(RequestKind.READ, {"customer_id": ADA}),
    "suppress_customer": Act(
        RequestKind.REPEATABLE, {"customer_id": ADA}, count("suppressed", f"identifier = '{ADA}'")
    ),
    "unsuppress_customer": Act(
        RequestKind.REPEATABLE,
        {"customer_id": "mallory@example.com", "id_type": "email"},
        gone("suppressed", "identifier = 'mallory@example.com'"),
    ),
    "merge_customers": Act(
        RequestKind.REPEATABLE,
        {"customer_id": ADA, "secondary_id": "lena@example.org", "secondary_id_type": "email"},
        gone("people", "email = 'lena@example.org'"),
    ),
    "get_subscriptions": Act(RequestKind.READ, {"customer_id": ADA}),
    "set_subscriptions": Act(
        RequestKind.REPEATABLE,
        {"customer_id": ADA, "topics": {"3": True}},
        count("people", f"id = '{ADA}' AND attributes LIKE '%topic_3%'"),
    ),
    "add_device": Act(
        RequestKind.REPEATABLE,
        {"customer_id": ADA, "device_id": "tried", "platform": "ios"},
        count("devices", "id = 'tried'"),
    ),
    "remove_device": Act(
        RequestKind.REPEATABLE, {"customer_id": ADA, "device_id": "device-ada-1"}, gone("devices", OF_ADA)
    ),
    "get_relationships": Act(RequestKind.READ, {"customer_id": ADA}, requests=2),
    "set_relationships": Act(
        RequestKind.REPEATABLE,
        {"customer_id": ADA, "objects": [{"object_type_id": 1, "object_id": "tried"}]},
        count("objects", "object_id = 'tried'"),
    ),
    "set_object": Act(
        RequestKind.REPEATABLE,
        {"object_type_id": 1, "object_id": "tried", "people": [{"customer_id": ADA}]},
        count("objects", "object_id = 'tried'"),
    ),
    "get_object": Act(RequestKind.READ, {"object_type_id": 1, "object_id": "acme"}),
    "search_objects": Act(RequestKind.READ, {"object_type_id": 1}, requests=2),
    "list_object_members": Act(RequestKind.READ, {"object_type_id": 1, "object_id": "acme"}),
    "set_objects": Act(
        RequestKind.REPEATABLE,
        {"rows": [{"object_type_id": 1, "object_id": "tried"}]},
        count("objects", "object_id = 'tried'"),
    ),
    "import_file": Act(
        RequestKind.ONCE,
        {"url": LEADS, "of": "people", "name": "tried", "identifier": "id"},
        count("things", "kind = 'import'"),
    ),
    "get_import": Act(RequestKind.READ, {}, find=an_import),
    "list_segments": Act(RequestKind.READ, {"name_contains": "pro", "counts": True}, requests=2),
    "get_segment": Act(RequestKind.READ, {"segment_id": 3}, requests=3),
    "list_segment_members": Act(RequestKind.READ, {"segment_id": 3}, requests=2),
    "create_segment": Act(
        RequestKind.ONCE, {"name": "tried"}, count("things", "kind = 'segment' AND body LIKE '%tried%'")
    ),
    "add_to_segment": Act(
        RequestKind.REPEATABLE,
        {"segment_id": 5, "ids": [ADA]},
        count("members", f"segment_id = 5 AND {OF_ADA}"),
    ),
    "remove_from_segment": Act(
        RequestKind.REPEATABLE, {"segment_id": 5, "ids": ["u_1008"]}, gone("members", "segment_id = 5")
    ),
    "delete_segment": Act(
        RequestKind.REPEATABLE, {"segment_id": 5}, gone("things", "kind = 'segment' AND id = 5")
    ),
    "identify_customers": Act(
        RequestKind.REPEATABLE,
        {"rows": [{"customer_id": "new"}, {"customer_id": "new", "plan": "pro"}]},
        count("people", "id = 'new'"),
    ),
    "track_events": Act(
        RequestKind.REPEATABLE,
        {"rows": [{"customer_id": ADA, "name": "tried", "n": 1}]},
        count("events", "name = 'tried'"),
    ),
    "track_event": Act(RequestKind.REPEATABLE, {"customer_id": ADA, "name": "tried"}, EVENT),
    "track_anonymous_event": Act(RequestKind.REPEATABLE, {"anonymous_id": "a", "name": "tried"}, EVENT),
    "track_page_view": Act(RequestKind.REPEATABLE, {"customer_id": ADA, "url": "tried"}, EVENT),
    "list_campaigns": Act(RequestKind.READ, {}),
    "get_campaign_metrics": Act(RequestKind.READ, {"campaign_id": 1}),
    "get_campaign": Act(RequestKind.READ, {"campaign_id": 1}, requests=2),
    "compare_campaigns": Act(RequestKind.READ, {"campaign_id": 1, "other_campaign_id": 2}, requests=2),
    "trigger_broadcast": Act(
        RequestKind.TRIGGER,
        {"broadcast_id": 10, "emails": ["ada@example.com"], **MISSING},
        count("triggers", "broadcast_id = 10"),
    ),
    "list_broadcast_triggers": Act(RequestKind.READ, {"broadcast_id": 10}),
    "send_transactional_email": Act(
        RequestKind.ONCE,
        {"transactional_message_id": 1, "to": "tried@example.com", "customer_id": ADA, **MISSING},
        count("deliveries", "body LIKE '%tried@example.com%'"),
    ),
    "list_transactional_messages": Act(RequestKind.READ, {}),
    "send_transactional_message": Act(
        RequestKind.ONCE,
        {
            "channel": "sms",
            "transactional_message_id": 4,
            "to": "+15550100",
            "customer_id": ADA,
            **MISSING,
        },
        count("deliveries", "body LIKE '%+15550100%'"),
    ),
    "list_customer_messages": Act(RequestKind.READ, {"customer_id": ADA}),
    "explain_no_message": Act(
        RequestKind.READ,
        {"customer_id": ADA, "kind": "campaign", "source_id": "1", "expected": "2026-05-20"},
        requests=12,
    ),
    "find_suppressed_addresses": Act(RequestKind.READ, {"kind": "bounces"}),
    "delete_suppression": Act(
        RequestKind.REPEATABLE,
        {"email": "jomo@example.org", "kind": "bounces"},
        gone("things", "kind = 'suppression' AND body LIKE '%jomo@example.org%'"),
    ),
    "list_opt_outs": Act(RequestKind.READ, {"customer_id": ADA}),
    "list_messages": Act(RequestKind.READ, {}),
    "get_message": Act(RequestKind.READ, {}, find=a_delivery),
    "get_content": Act(RequestKind.READ, {"kind": "transactional", "message_id": "4"}),
    "get_sent_message": Act(RequestKind.READ, {}, find=a_delivery),
    "preview_message": Act(RequestKind.READ, {"kind": "transactional", "message_id": "4"}),
    "wait_for_delivery": Act(RequestKind.READ, {}, find=a_delivery),
    "get_message_metrics": Act(RequestKind.READ, {"kind": "newsletter", "source_id": 20}),
    "compare_messages": Act(RequestKind.READ, {"kind": "broadcast", "source_id": 10}, requests=2),
    "report_workspace": Act(RequestKind.READ, {}, requests=18),
    "get_link_metrics": Act(RequestKind.READ, {"kind": "campaign", "source_id": 1, "action_id": 101}),
    "get_journey_metrics": Act(
        RequestKind.READ, {"campaign_id": 1, "start": "2026-05-01", "end": "2026-05-08"}
    ),
    "list_activities": Act(RequestKind.READ, {}),
    "find_rejected_data": Act(RequestKind.READ, {}, requests=5),
    "check_write": Act(RequestKind.READ, {"customer_id": ADA, "attributes": {"plan": "pro"}}),
    "list_broadcasts": Act(RequestKind.READ, {}),
    "get_broadcast_trigger": Act(RequestKind.READ, {"broadcast_id": 12, "trigger_id": 1}, requests=2),
    "list_newsletters": Act(RequestKind.READ, {}),
    "get_newsletter": Act(RequestKind.READ, {"newsletter_id": 21}, requests=2),
    "create_newsletter": Act(
        RequestKind.ONCE,
        {"name": "tried", "subject": "Hi", "body": "<p>Hi</p>", "in_segments": [1]},
        count("things", "kind = 'newsletter' AND body LIKE '%tried%'"),
        requests=3,
        reads_first=True,
    ),
    "add_newsletter_text": Act(
        RequestKind.ONCE,
        {"newsletter_id": 21, "language": "fr", "subject": "tried", "body": "<p>Hi</p>"},
        count("things", "kind = 'content' AND body LIKE '%tried%'"),
    ),
    "send_newsletter": Act(RequestKind.ONCE, {"newsletter_id": 21}, newsletters_sent),
    "update_content": Act(
        RequestKind.REPEATABLE,
        {"kind": "broadcast", "message_id": 10, "subject": "tried"},
        count("things", "kind = 'content' AND body LIKE '%tried%'"),
        requests=2,
        reads_first=True,
    ),
    "restore_content": Act(
        RequestKind.REPEATABLE,
        {"kind": "broadcast", "message_id": 10},
        count("things", "kind = 'content' AND id = 1001 AND body NOT LIKE '%changed%'"),
        requests=2,
        reads_first=True,
        first=("update_content", {"kind": "broadcast", "message_id": 10, "subject": "changed"}),
    ),
    "list_emails": Act(RequestKind.READ, {}),
    "get_email": Act(RequestKind.READ, TRIAL_EMAIL, requests=3),
    "list_components": Act(RequestKind.READ, {}),
    "create_email": Act(
        RequestKind.ONCE,
        {"name": "tried", "subject": "Hi", "html": "<p>Hi</p>"},
        count("things", "kind = 'design_email' AND body LIKE '%tried%'"),
    ),
    "update_email": Act(
        RequestKind.REPEATABLE,
        TRIAL_EMAIL | {"subject": "tried"},
        count("things", "kind = 'design_email' AND body LIKE '%tried%'"),
        requests=2,
        reads_first=True,
    ),
    "create_email_version": Act(
        RequestKind.REPEATABLE,
        NEWS_EMAIL | {"name": "tried"},
        count("things", "kind = 'design_version' AND body LIKE '%tried%'"),
    ),
    "restore_email": Act(
        RequestKind.REPEATABLE,
        TRIAL_EMAIL | {"version_id": "4c0b2bdd-a66e-584b-a92b-31b756255c4c"},
        count("things", "kind = 'design_email' AND id = 1 AND body NOT LIKE '%changed%'"),
        requests=3,
        reads_first=True,
        first=("update_email", TRIAL_EMAIL | {"subject": "changed"}),
    ),
    "review_email": Act(RequestKind.READ, TRIAL_EMAIL),
    "link_email": Act(
        RequestKind.ONCE,
        NEWS_EMAIL | {"target": "newsletter", "target_id": 21},
        count("things", "kind = 'content' AND id = 210 AND body LIKE '%Design Studio%'"),
        requests=3,
        reads_first=True,
    ),
    "publish_email": Act(
        RequestKind.ONCE,
        NEWS_EMAIL,
        count("things", "kind = 'content' AND id = 210 AND body LIKE '%what is new%'"),
        requests=5,
        reads_first=True,
        first=("link_email", NEWS_EMAIL | {"target": "newsletter", "target_id": 21}),
    ),
    "get_publish_state": Act(
        RequestKind.READ, TRIAL_EMAIL, find=lambda sandbox: {"publish_id": a_publishing(sandbox)}
    ),
    "list_workspace_items": Act(RequestKind.READ, {"kind": "snippet"}),
    "set_workspace_item": Act(
        RequestKind.REPEATABLE,
        {"kind": "snippet", "name": "tried", "value": "new"},
        count("things", "kind = 'snippet' AND body LIKE '%tried%'"),
        requests=2,
        reads_first=True,
    ),
    "delete_workspace_item": Act(
        RequestKind.REPEATABLE,
        {"kind": "snippet", "item": "spring offer"},
        gone("things", "kind = 'snippet' AND body LIKE '%spring%'"),
    ),
    "set_reporting_webhook": Act(
        RequestKind.ONCE,
        {"name": "tried", "endpoint": "https://example.com/tried", "events": ["email_sent"]},
        count("things", "kind = 'reporting_webhook' AND body LIKE '%tried%'"),
    ),
    "start_export": Act(RequestKind.ONCE, {"of": "customers"}, count("things", "kind = 'export' AND id > 2")),
    "get_export": Act(RequestKind.READ, {"export_id": 1}, requests=2),
}

# For each kind of request, a tool that makes it: reads by GET and by POST, one that is repeated with the same
# id, one whose repeat finds nothing left, one that reads before it writes, a message, a broadcast.
ONE_OF_EACH = [
    "get_customer",
    "search_customers",
    "track_event",
    "delete_segment",
    "set_workspace_item",
    "send_transactional_email",
    "trigger_broadcast",
]
THROTTLED: dict[str, Callable[[], Fault]] = {
    "429": lambda: 429,
    "429 with Retry-After": lambda: httpx.Response(429, headers={"retry-after": "2"}),
}
LOST: dict[str, Callable[[], Fault]] = {
    "500": lambda: httpx.Response(500, json={"meta": {"error": "internal"}}),
    "HTML 502": lambda: 502,
    "cut connection": lambda: httpx.RemoteProtocolError,
    "timeout": lambda: httpx.ReadTimeout,
}
KINDS = pytest.mark.parametrize("tool", ONE_OF_EACH)
OTHERS = pytest.mark.parametrize(
    "tool", [tool.name for tool in TOOLS if tool.apis and tool.name not in ONE_OF_EACH]
)
HARMLESS = {RequestKind.READ, RequestKind.REPEATABLE}


async def outcome(agent: Agent, tool: str) -> dict[str, Any]:
    """Return what a call of `tool` told of its end, after checking that it fits what happened."""
    act = ACTS[tool]
    result = await agent.client.call_tool(tool, act.on(agent.wire.sandbox))
    told: dict[str, Any] = {"outcome": "done"}
    if result.is_error:
        assert result.meta
        told = result.meta["cio-mcp/failure"]
    effects = act.effects(agent.wire.sandbox)

    assert effects <= 1
    if told["outcome"] == "done":
        assert effects == (0 if act.kind is RequestKind.READ else 1)
    elif told["outcome"] != "unknown":
        assert effects == 0
    return told


async def ends(agent: Agent, tool: str) -> str:
    """Return how a call of `tool` ended."""
    return str((await outcome(agent, tool))["outcome"])


READING = [name for name, act in ACTS.items() if act.kind is RequestKind.READ]
ACTING = [[name] for name in ACTS if name not in READING]


@pytest.mark.repeating
@pytest.mark.parametrize(
    "tools", [READING, *ACTING], ids=lambda tools: "what reads" if tools[1:] else tools[0]
)
async def test_a_call_without_a_fault_takes_effect_once(agent: Agent, tools: list[str]) -> None:
    # What reads leaves nothing behind for the next.
    for tool in tools:
        await ACTS[tool].prepare(agent)
        agent.wire.requests.clear()
        assert (await ends(agent, tool), len(agent.sent)) == ("done", ACTS[tool].requests), tool


@pytest.mark.repeating
@OTHERS
async def test_a_call_is_repeated_after_a_429_and_after_a_lost_answer_only_where_that_is_harmless(
    agent: Agent, tool: str
) -> None:
    await ACTS[tool].prepare(agent)
    agent.wire.fail(429)
    agent.wire.fail(500, late=True)

    act = ACTS[tool]
    then = {RequestKind.TRIGGER: ("refused", 1), RequestKind.ONCE: ("unknown", 2)}
    then = {} if act.reads_first else then  # both faults strike reads
    expected = then.get(act.kind, ("done", act.requests + 2))
    if tool == "get_sent_message":
        expected = ("refused", 1)  # a limit per day: no pause within a call would help
    assert (await ends(agent, tool), len(agent.sent)) == expected


@pytest.mark.repeating
@OTHERS
async def test_an_answer_that_stays_lost_leaves_an_effect_unknown_and_says_what_to_do(
    agent: Agent, tool: str
) -> None:
    await ACTS[tool].prepare(agent)
    agent.wire.fail(500, late=True, times=99)

    told = await outcome(agent, tool)
    if ACTS[tool].kind is RequestKind.READ or ACTS[tool].reads_first:
        assert told["outcome"] == "refused"
    else:
        see_what_to_do(tool, told)


def see_what_to_do(tool: str, told: dict[str, Any]) -> None:
    """Check that after an unknown outcome an agent is to call again, or to look first where that is harm."""
    harmless = ACTS[tool].kind in HARMLESS
    named = [ACTS[word].kind for word in re.findall(r"\w+", told["next"]) if word in ACTS]

    assert (told["outcome"], told["retryable"]) == ("unknown", harmless)
    assert ("is safe" in told["next"]) == harmless
    assert named == ([] if harmless else [RequestKind.READ])


@KINDS
@pytest.mark.parametrize("fault", THROTTLED)
async def test_a_429_delays_a_call_and_refuses_a_trigger(agent: Agent, tool: str, fault: str) -> None:
    agent.wire.fail(THROTTLED[fault]())

    expected = "refused" if ACTS[tool].kind is RequestKind.TRIGGER else "done"
    assert await ends(agent, tool) == expected


@KINDS
@pytest.mark.parametrize("fault", THROTTLED)
async def test_429s_without_end_are_told_before_the_deadline(agent: Agent, tool: str, fault: str) -> None:
    agent.wire.fail(THROTTLED[fault](), times=99)

    begun = agent.clock()
    assert await ends(agent, tool) == "refused"
    assert agent.clock() - begun <= 30


@pytest.mark.repeating
@KINDS
@pytest.mark.parametrize("fault", LOST)
@pytest.mark.parametrize("late", [False, True], ids=["before the effect", "after the effect"])
async def test_a_lost_answer_is_asked_for_again_only_where_that_is_harmless(
    agent: Agent, tool: str, fault: str, late: bool
) -> None:
    agent.wire.fail(LOST[fault](), late=late)

    harmless = ACTS[tool].kind in HARMLESS
    assert await ends(agent, tool) == ("done" if harmless else "unknown")
    assert len(agent.sent) == (ACTS[tool].requests + 1 if harmless else 1)


@pytest.mark.repeating
@KINDS
@pytest.mark.parametrize("fault", LOST)
@pytest.mark.parametrize("late", [False, True], ids=["before the effect", "after the effect"])
async def test_answers_that_stay_lost_leave_an_effect_unknown(
    agent: Agent, tool: str, fault: str, late: bool
) -> None:
    agent.wire.fail(LOST[fault](), late=late, times=99)

    answered = isinstance(LOST[fault](), int | httpx.Response)
    told = await outcome(agent, tool)
    if (ACTS[tool].kind is RequestKind.READ or ACTS[tool].reads_first) and answered:
        assert told["outcome"] == "refused"
    else:
        see_what_to_do(tool, told)


@KINDS
async def test_without_a_connection_nothing_is_sent_and_that_is_told(agent: Agent, tool: str) -> None:
    agent.wire.fail(httpx.ConnectError, times=99)

    assert await ends(agent, tool) == "not_sent"


def test_every_tool_is_tried_and_every_kind_through_every_fault() -> None:
    assert ACTS.keys() == {tool.name for tool in TOOLS if tool.apis}
    assert {ACTS[tool].kind for tool in ONE_OF_EACH} == set(RequestKind)
