"""Texts to read: what Customer.io's words mean, limits, errors, which tool is for what; and people and things."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cio_mcp.errors import InvalidArgument, NotAllowed, NotSent, Refused, UnknownOutcome
from cio_mcp.limits import LIMITS
from cio_mcp.toolkit.registry import Tool


@dataclass(frozen=True)
class Resource:
    """A text in Markdown; `text` makes it of the tools that are on for whoever reads."""

    uri: str
    title: str
    description: str
    text: Callable[[Sequence[Tool]], str]


@dataclass(frozen=True)
class Template:
    """One thing in the workspace by its `uri`, read by calling `tool` with what stands there for `argument`.

    What stands in the URI's query are further arguments of the tool.
    """

    uri: str
    title: str
    description: str
    tool: str
    argument: str


FAILURES = (InvalidArgument, NotSent, NotAllowed, Refused, UnknownOutcome)

CONCEPTS = """\
# What Customer.io's words mean

- **Customer** (person, profile): somebody with an id, an email or both, and a cio_id that never changes. An unknown
  identifier makes a new one; a known email with a new id updates the one there is.
- **Attribute**: what a customer is now. **Event**: what they did, once, with data. A **page view** is an event too.
- **Anonymous visitor**: events under an anonymous_id, joined to a customer who is later identified with it.
- **Object** and **relationship**: what customers belong to, such as a company.
- **Segment**: a group of customers. Dynamic: by rules, kept by Customer.io, built by people there. Manual: put together.
- **Campaign**: a workflow of messages that a segment, an event or a date starts for each customer by themselves.
- **Broadcast** (API-triggered): a message to many, sent once each time it is triggered.
- **Newsletter**: a message to many, sent once. **Transactional message**: to one person, because of what they did.
- **Delivery**: one message to one customer, on its way: created, sent, delivered, opened, clicked, converted; or
  bounced, dropped, undeliverable, failed.
- **Topic**: what a customer can unsubscribe from alone; unsubscribed is from everything.
- **Suppressed**: deleted, and the identifier blocked. To stop messages and keep the customer, unsubscribe them instead.
"""

ATTRIBUTES = """\
# Attributes

- **Standard**: `id`, `email`, `created_at` (unix seconds), `unsubscribed` (true: no messages). Customer.io gives them
  meaning; `cio_id` is its own.
- **Custom**: any name of yours, case-sensitive, at most 150 bytes; values at most 1,000 bytes, 300 to a customer.
  An empty value removes one.
- **Computed**: Customer.io makes them of events (a count, a sum, the last value). They are read, never written.

The App API answers every value as text: "true", "5". Times are unix seconds, never milliseconds.
"""


def _limits(_: Sequence[Tool]) -> str:
    limits = "\n".join(f"- {limit.purpose}: {limit}." for limit in LIMITS)
    return f"""\
# Limits, and how calls are paced

Calls wait here for their turn instead of being refused: make them freely, and side by side. A call whose turn would
come too late is not sent, and says so. `server_status` shows each limit as it is set here, who waits, and the last 429.

{limits}
- Of one broadcast's triggers at most 5 wait to be worked through.
- Sizes: an event's data 100,000 bytes; a broadcast's data 50,000, a list 10,000 entries; attachments 2 MB in all.
- How far back reading goes: activities 30 days, messages 6 months, a campaign's messages 12.
"""


def _errors(_: Sequence[Tool]) -> str:
    rows = [f"- `{kind.outcome}`: {(kind.__doc__ or '').splitlines()[0]}" for kind in FAILURES]
    return "\n".join(
        (
            "# How a call can fail\n",
            "A failed call is marked as an error. Its text says what failed, why, and what to do next.\n",
            *rows,
            "\nAccepted is not applied: invalid or conflicting data is dropped later, without an error. `check_write` "
            "tells whether a write was applied, `find_rejected_data` what was dropped and why.",
            "\nAfter `unknown` never repeat a send or a broadcast before finding out: `list_customer_messages`, "
            "`list_broadcast_triggers`.",
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
        "customerio://guide/concepts", "Key concepts", "What Customer.io's words mean.", lambda _: CONCEPTS
    ),
    Resource(
        "customerio://guide/attributes",
        "Attribute types",
        "Standard, custom and computed attributes, and their limits.",
        lambda _: ATTRIBUTES,
    ),
    Resource(
        "customerio://guide/tools", "Which tool for what", "The tools that are on, by area.", _which_tool
    ),
    Resource(
        "customerio://guide/limits", "Limits and pace", "Limits of Customer.io, and how calls wait.", _limits
    ),
    Resource(
        "customerio://guide/errors",
        "How a call can fail",
        "What each outcome means, and what to do.",
        _errors,
    ),
]

TEMPLATES = [
    Template(
        "customerio://customers/{customer_id}{?id_type}",
        "Customer",
        "A customer by id, or by what id_type says, as get_customer reads them.",
        "get_customer",
        "customer_id",
    ),
    Template(
        "customerio://campaigns/{campaign_id}",
        "Campaign",
        "A campaign with its actions, as get_campaign reads it.",
        "get_campaign",
        "campaign_id",
    ),
    Template(
        "customerio://segments/{segment_id}",
        "Segment",
        "A segment, its size and what uses it, as get_segment reads it.",
        "get_segment",
        "segment_id",
    ),
]
