"""Prompts: jobs that people have with Customer.io, each as a way through named tools.

A prompt is a function: its docstring says what it is for, its parameters are the prompt's arguments, and what it
returns is the text. A tool is named in backticks.
"""

import inspect
from collections.abc import Callable
from typing import Annotated, get_args, get_type_hints

from cio_mcp.toolkit.registry import Named


class Prompt(Named[Callable[..., str]]):
    """One prompt."""

    @property
    def arguments(self) -> dict[str, tuple[str, bool]]:
        """Each argument with what it is, and whether it must be there."""
        hints = get_type_hints(self.function, include_extras=True)
        return {
            name: (get_args(hints[name])[1], parameter.default is parameter.empty)
            for name, parameter in inspect.signature(self.function).parameters.items()
        }


PROMPTS: list[Prompt] = []


def prompt(function: Callable[..., str]) -> Callable[..., str]:
    """Register a prompt."""
    PROMPTS.append(Prompt(function))
    return function


@prompt
def plan_email_sequence(
    goal: Annotated[str, "What people should do in the end, such as start a paid plan"],
    audience: Annotated[str, "Whom it is for: a segment's name or id, or a description"],
    emails: Annotated[str, "How many emails at most"] = "5",
) -> str:
    """Plan an email sequence on what the workspace knows and what has worked in it."""
    return f"""\
Plan an email sequence for Customer.io. Goal: {goal}. Audience: {audience}. At most {emails} emails.

1. Size the audience. Find its segment with `list_segments` (counts=true); if there is none, say which rules a new
   one needs, and check with `search_customers` that the attributes they use are filled in.
2. Learn from what ran. Find campaigns for the same people with `list_campaigns`, read `get_campaign` for how they are
   built, and `get_campaign_metrics` for what they did. Judge by human_clicked and converted; opens are inflated by mail
   programs that fetch images by themselves.
3. Name the trigger and the exit: the event or segment that starts it, and the event that means the goal is reached,
   after which nobody gets another email. `list_activities` shows whether those events arrive, and with which data.
4. Write the sequence as a table: number, delay since the one before, whom it still reaches, one purpose, subject (at
   most 50 characters), the single call to action, and the attribute or event property it is personalised by, with
   what stands there when the value is missing. First the promise kept, then proof, then the ask; the last email says
   it is the last.
5. Say how it will be judged: one conversion rate against which campaign of step 2, after how many people.

Campaigns are built by a person in Customer.io; hand over the table and the rules, and change nothing yourself.
"""


@prompt
def plan_onboarding(
    activation: Annotated[str, "What a new customer does when the product has clicked for them"],
    signup_event: Annotated[str, "The event of a sign-up, if there is one"] = "",
    days: Annotated[str, "Days from sign-up in which it should happen"] = "14",
) -> str:
    """Find where new customers get stuck before activation, and plan messages that help."""
    event = f"the event {signup_event}" if signup_event else "created_at, or the event that means a sign-up"
    return f"""\
Improve onboarding. A customer is activated when: {activation}. They should get there within {days} days of {event}.

1. Find out what is tracked on the way with `list_activities` (events, newest first). If the activation itself is not
   an event or attribute, stop here and propose it: without it nothing can be triggered or measured.
2. Look at a few people who are new with `search_customers`, then `get_customer` and `list_activities` for three who
   got there and three who did not. Name the last step that both groups have in common.
3. Read what they receive today: `list_campaigns`, `get_campaign`, and `get_journey_metrics` for where people leave.
4. Propose messages by state, not by day: for each step, who is stuck there, what would unblock them, on which channel,
   and when to stop. One message a day at most; nothing to whoever is activated; a person's reply ends it.
5. Check that it can work: is the audience subscribed (`get_subscriptions` for an example), do the templates' attributes
   exist, are pushes possible (devices in `get_customer`).

Answer with the steps people get stuck at, with counts, and the three changes worth most, in order.
"""


@prompt
def plan_tracking(
    product: Annotated[str, "What the product does, in a sentence"],
    decisions: Annotated[str, "What should be decided or sent by this data"],
) -> str:
    """Write a tracking plan: which events and attributes to send, named as the workspace names them."""
    return f"""\
Write a tracking plan for: {product}. It must serve these decisions and messages: {decisions}.

1. See what is there: `list_activities` for event names and their data, `get_customer` for a few customers' attributes,
   `list_segments` for what is used. Keep the naming that dominates; do not invent a second style.
2. See what is broken: `find_rejected_data` lists what was accepted and dropped, with reasons.
3. Plan events: verb in the past with its object (`order_completed`), one for each thing a decision hangs on, with
   properties, their types and an example. An event name has at most 100 bytes, its data 100,000.
4. Plan attributes: what a person is now. Times are unix seconds. Names are case-sensitive, at most 150 bytes; values at
   most 1,000 bytes; 300 to a person. `email`, `created_at` and `unsubscribed` have meanings of their own.
5. Say for each where it is sent from, who identifies the person (`identify_customer`) and how a visitor is joined to
   them (`track_anonymous_event` with an anonymous_id that a later identify names).
6. Send one of each with dry_run=true to show the request, and after the person agrees once for real to a test customer;
   `check_write` says whether it was applied.

Answer with one table of events, one of attributes, and what to retire.
"""


@prompt
def plan_reengagement(
    inactive: Annotated[
        str, "Who counts as inactive, such as no visit for 60 days"
    ] = "no activity for 60 days",
    segment: Annotated[str, "A segment to start from, by name or id"] = "",
) -> str:
    """Find customers who went quiet, and plan how to win them back without burning the list."""
    start = (
        f"Start from the segment {segment}." if segment else "Find the nearest segment with `list_segments`."
    )
    return f"""\
Plan a re-engagement. Inactive means: {inactive}. {start}

1. Count them with `get_segment`, and sample with `list_segment_members`. What people did can be searched for only
   through a segment, so where none fits, write down the rule for a person to build.
2. Leave out whom a message cannot or must not reach: unsubscribed people, and addresses that bounced or complained
   (`list_messages` with metric=bounced or spammed).
3. Compare what was tried: `list_newsletters`, `list_campaigns`, then `compare_campaigns` on the two nearest.
4. Propose at most three messages: what they left behind, one reason that is new, and a plain question whether to stay.
   Whoever does not react gets nothing more for 90 days; whoever clicks leaves the sequence at once.
5. Start with a tenth of the audience. Stop if unsubscribes pass 1 % or complaints 0.1 % of what was delivered.

Answer with the audience's size, who is left out and why, the messages, and the numbers that stop it.
"""


@prompt
def check_broadcast(
    broadcast: Annotated[str, "The broadcast's id or name"],
    audience: Annotated[str, "Whom it should reach"],
    data: Annotated[str, "What its template needs, if anything"] = "",
) -> str:
    """Check a broadcast before it is sent: audience, template data, limits, and a preview. Sends nothing."""
    needs = f" Its template should get: {data}." if data else ""
    return f"""\
Check a broadcast before it goes out: {broadcast}. Audience: {audience}.{needs} Send nothing.

1. Find it with `list_broadcasts`; its state must be running. `list_broadcast_triggers` shows whether it went out in the
   last day, to this audience or another: say so before anything else.
2. Read the newest trigger with `get_broadcast_trigger`: what it failed on then fails again now.
3. Count the audience: `get_segment` for a segment, `search_customers` for a filter. Compare with what is expected; a
   count that is off by half is a wrong filter, not a surprise. Sample three people and read them with `get_customer`:
   subscribed, with the attributes that the template uses?
4. Check `server_status`: live or sandbox, caps that are left, allowed recipients.
5. Call `trigger_broadcast` with dry_run=true and show request, audience and template as they came.

Answer: go or no-go, with each reason, what a person has to decide, and the exact call to make. Do not make it.
"""


@prompt
def why_no_message(
    customer: Annotated[str, "The customer's id or email"],
    message: Annotated[str, "Which message: a name, a campaign, or what it said"] = "",
    since: Annotated[str, "When they should have got it"] = "",
) -> str:
    """Find out why a customer did not get a message."""
    which = f" the message {message}" if message else " messages"
    when = f", expected {since}" if since else ""
    return f"""\
Find out why {customer} did not get{which}{when}. Work down; stop at the first that explains it.

1. `get_customer` (id_type=email for an address). Not found: never identified, deleted, or suppressed. Look at
   unsubscribed, and whether an email address, phone number or device is there at all.
2. `list_customer_messages`. If the message is there, `get_message` says how far it came and why it failed: bounced,
   dropped, undeliverable, or drafted and waiting for somebody to send it. Delivered is not read: then it is the inbox.
3. `get_subscriptions`: unsubscribed from everything, or from the message's topic.
4. Nothing was made, so they did not enter. Find the campaign (`list_campaigns`, `get_campaign`): is it running, what
   starts it, which segments filter? `list_customer_segments` says whether they are in those.
5. Started by an event: `list_activities` for the customer shows whether it came and when; older than 72 hours when it
   arrived, it starts nothing. `find_rejected_data` shows whether it was dropped.
6. A broadcast: `list_broadcast_triggers`, then `get_broadcast_trigger` for the errors that name missing people.

Answer in three lines: the reason, the evidence (tool and value), and what mends it for this customer and for the next.
"""
