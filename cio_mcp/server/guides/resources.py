"""Resources: guides on terms, limits, errors and tools, and templates that read one customer, campaign or segment."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cio_mcp.errors import InvalidArgument, NotAllowed, NotSent, Refused, UnknownOutcome
from cio_mcp.limits import LIMITS
from cio_mcp.toolkit.registry import Tool


@dataclass(frozen=True)
class Resource:
    """A guide in Markdown; `text` writes it for the tools that are on for the caller."""

    uri: str
    title: str
    description: str
    text: Callable[[Sequence[Tool]], str]


@dataclass(frozen=True)
class WorkspaceResource:
    """Something in the workspace, read by calling `tool` with the part of the URI that is named `argument`.

    The URI's query holds further arguments of the tool.
    """

    uri: str
    title: str
    description: str
    tool: str
    argument: str


FAILURES = (InvalidArgument, NotSent, NotAllowed, Refused, UnknownOutcome)

CONCEPTS = """\
# Customer.io's terms

- **Customer** (person, profile): somebody with an id, an email or both, and a cio_id that never changes. An identify
  with an unknown identifier creates a customer; a known email with a new id updates the existing one.
- **Attribute**: something that is true of a customer now. **Event**: something that they did at one time, with data. A
  **page view** is an event too.
- **Anonymous visitor**: has events under an anonymous_id, which move to the customer who is later identified with it.
- **Object** and **relationship**: something that customers belong to, such as a company.
- **Segment**: a group of customers. A dynamic segment has rules, which a person writes in Customer.io, and updates
  itself. A manual segment is a list of customers.
- **Campaign** (automation): a workflow of messages, started for each customer by a segment, an event or a date.
- **Broadcast** (API-triggered): a message to many people, sent each time it is triggered.
- **Newsletter** (one-time send): a message to many people, sent once.
- **Transactional message**: a message to one person, in response to something they did.
- **Delivery**: one message to one customer. Its states are created, sent, delivered, opened, clicked, converted, or
  bounced, dropped, undeliverable, failed.
- **Topic**: a subject that customers can unsubscribe from. **Unsubscribed** means from everything.
- **Suppressed**: the customer was deleted and their identifiers are blocked. To stop messages but keep the customer,
  unsubscribe them instead.
"""

ATTRIBUTES = """\
# Attributes

- **Standard**: `id`, `email`, `created_at` (unix seconds) and `unsubscribed` (true: no messages) have a meaning in
  Customer.io, which also sets `cio_id`.
- **Custom**: any name of your choice, case-sensitive, at most 150 bytes; values at most 1,000 bytes; at most 300 per
  customer. An empty value removes the attribute.
- **Computed**: Customer.io computes them from events (a count, a sum, the last value). They can be read, not written.

The App API returns every value as text: "true", "5". Times are unix seconds, never milliseconds. `identify_customer`
with dry_run=true tells which values differ from those of other customers: "Pro" among "pro", text among numbers.
"""


def _limits(_: Sequence[Tool]) -> str:
    limits = "\n".join(f"- {limit.purpose}: {limit}." for limit in LIMITS)
    return f"""\
# Limits, and how calls are paced

Calls wait for their turn here, so that Customer.io does not refuse them: make as many as you need, in
parallel too. If a call's turn would come too late, it is not sent, and the error says so. `server_status`
shows each limit as set here, the calls that are waiting, and the last 429.

{limits}
- At most 5 runs of one broadcast are queued.
- Sizes: an event's data 100,000 bytes; a broadcast's data 50,000 bytes, its lists 10,000 entries; attachments 2 MB in
  all.
- History: activities 30 days, messages 6 months, a campaign's messages 12 months.
"""


def _errors(_: Sequence[Tool]) -> str:
    rows = [f"- `{kind.outcome}`: {(kind.__doc__ or '').splitlines()[0]}" for kind in FAILURES]
    return "\n".join(
        (
            "# How a call can fail\n",
            "The result of a failed call is marked as an error. Its text says what failed, why, and what to do next.\n",
            *rows,
            "\nAccepted does not mean applied: Customer.io drops invalid or conflicting data later, without an error. "
            "`check_write` tells whether a write was applied, `find_rejected_data` what was dropped and why.",
            "\nAfter `unknown`, do not repeat a send or a broadcast before you have found out whether it happened: "
            "`list_customer_messages` and `list_broadcast_triggers` tell.",
        )
    )


def _which_tool(tools: Sequence[Tool]) -> str:
    lines = ["# Which tool for what"]
    for area in dict.fromkeys(tool.toolset for tool in tools):
        of = [tool for tool in tools if tool.toolset == area]
        lines += ["", f"## {area}", *(f"- `{tool.name}` ({tool.effect}): {tool.summary}" for tool in of)]
    return "\n".join(lines)


RESOURCES = [
    Resource(
        "customerio://guide/concepts", "Key concepts", "What Customer.io's terms mean.", lambda _: CONCEPTS
    ),
    Resource(
        "customerio://guide/attributes",
        "Attribute types",
        "Standard, custom and computed attributes, and their limits.",
        lambda _: ATTRIBUTES,
    ),
    Resource(
        "customerio://guide/tools", "Which tool for what", "The tools that are on, by toolset.", _which_tool
    ),
    Resource(
        "customerio://guide/limits",
        "Limits and pace",
        "Customer.io's limits, and how calls wait for their turn.",
        _limits,
    ),
    Resource(
        "customerio://guide/errors",
        "How a call can fail",
        "What each outcome of a failed call means, and what to do.",
        _errors,
    ),
]

TEMPLATES = [
    WorkspaceResource(
        "customerio://customers/{customer_id}{?id_type}",
        "Customer",
        "A customer by id, or by email or cio_id with id_type, as get_customer returns them.",
        "get_customer",
        "customer_id",
    ),
    WorkspaceResource(
        "customerio://campaigns/{campaign_id}",
        "Campaign",
        "A campaign (automation) with its actions, as get_campaign returns it.",
        "get_campaign",
        "campaign_id",
    ),
    WorkspaceResource(
        "customerio://segments/{segment_id}",
        "Segment",
        "A segment, its size and what uses it, as get_segment returns it.",
        "get_segment",
        "segment_id",
    ),
]
