"""Prompts: common jobs with Customer.io, each as steps through named tools.

A prompt is a function: its docstring is the description, its parameters are the prompt's arguments, and it
returns the text. Tools are named in backticks.
"""

import inspect
from collections.abc import Callable
from typing import Annotated, get_args, get_type_hints

from cio_mcp.toolkit.registry import Named


class Prompt(Named[Callable[..., str]]):
    """A prompt."""

    @property
    def arguments(self) -> dict[str, tuple[str, bool]]:
        """Each argument with its description, and whether it is required."""
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
    goal: Annotated[str, "What recipients should do in the end, such as start a paid plan"],
    audience: Annotated[str, "Who receives it: a segment's name or id, or a description"],
    emails: Annotated[str, "The largest number of emails"] = "5",
) -> str:
    """Plan an email sequence, based on the workspace's data and past results."""
    return f"""\
Plan an email sequence for Customer.io. Goal: {goal}. Audience: {audience}. At most {emails} emails.

1. Size the audience. Find its segment with `list_segments` (counts=true). If there is none, write down the rules that a
   new segment needs, and check with `search_customers` that the attributes in these rules are filled in.
2. Learn from past campaigns (automations). Find campaigns for the same people with `list_campaigns`, read their steps
   with `get_campaign` and their results with `get_campaign_metrics`. Judge by human_clicked and converted: opens are
   inflated, because many mail programs load images on their own.
3. Define the trigger and the exit: the event or segment that starts the sequence, and the event that means that the
   goal is reached and no further email is sent. `list_activities` shows whether these events arrive, and with which
   data.
4. Write the sequence as a table. For each email: number, delay since the previous one, who still receives it, its one
   purpose, subject (at most 50 characters), its one call to action, and the attribute or event property that
   personalises it, with a fallback for a missing value. Start by keeping the promise that made people sign up, then
   give proof, then ask. Say in the last email that it is the last.
5. Say how you will judge the result: one conversion rate, compared with which campaign from step 2, after how many
   people.

A person builds the campaign in Customer.io. Hand over the table and the rules, and change nothing yourself.
"""


@prompt
def plan_onboarding(
    activation: Annotated[str, "The action that shows that a new customer gets value from the product"],
    signup_event: Annotated[str, "The event that records a sign-up, if there is one"] = "",
    days: Annotated[str, "Days after sign-up within which activation should happen"] = "14",
) -> str:
    """Find where new customers get stuck before activation, and plan messages that help them."""
    event = f"the event {signup_event}" if signup_event else "created_at, or the event that records a sign-up"
    return f"""\
Improve onboarding. A customer is activated when: {activation}. This should happen within {days} days of {event}.

1. Find out with `list_activities` which events on the way to activation are tracked. If activation itself is neither an
   event nor an attribute, stop here and propose to track it: without it nothing can be triggered or measured.
2. Find some new customers with `search_customers`. Read three who were activated and three who were not with
   `get_customer` and `list_activities`. Name the last step that both groups took.
3. Read what new customers receive today: `list_campaigns`, `get_campaign`, and `get_journey_metrics` for where they
   leave.
4. Propose messages by state, not by day. For each step: who is stuck there, what would help them, on which channel, and
   when to stop. At most one message a day, none after activation, and none after a person has replied.
5. Check that the plan can work: is the audience subscribed (`get_subscriptions` for an example), do the attributes that
   templates use exist, and do customers have devices for push (`get_customer`)?

Answer with the steps at which customers get stuck, with counts, and the three most valuable changes in order.
"""


@prompt
def plan_tracking(
    product: Annotated[str, "What the product does, in one sentence"],
    decisions: Annotated[str, "The decisions and messages that the data should support"],
) -> str:
    """Write a tracking plan: which events and attributes to send, with names that match the workspace."""
    return f"""\
Write a tracking plan for: {product}. It must support these decisions and messages: {decisions}.

1. See what exists: `list_activities` for event names and their data, `get_customer` for the attributes of a few
   customers, `list_segments` for what is used. Follow the prevailing naming style; do not add a second one.
2. See what is broken: `find_rejected_data` lists data that was accepted and later dropped, with reasons.
3. Plan events, one for each action that a decision depends on: object and verb in the past (`order_completed`), with
   properties, their types and an example. An event name has at most 100 bytes, its data at most 100,000.
4. Plan attributes, which describe a customer's current state. Times are unix seconds. Names are case-sensitive and have
   at most 150 bytes, values at most 1,000 bytes; a customer has at most 300. `email`, `created_at` and `unsubscribed`
   have special meanings.
5. For each, say where it is sent from, what identifies the customer (`identify_customer`), and how a visitor becomes a
   known customer (`track_anonymous_event` with an anonymous_id that a later identify repeats).
6. Show one request of each kind with dry_run=true. Once the person agrees, send one of each for a test customer, and
   check with `check_write` that it was applied.

Answer with a table of events, a table of attributes, and a list of what to retire.
"""


@prompt
def plan_reengagement(
    inactive: Annotated[
        str, "Who counts as inactive, such as no visit for 60 days"
    ] = "no activity for 60 days",
    segment: Annotated[str, "A segment to start from, by name or id"] = "",
) -> str:
    """Find inactive customers, and plan how to win them back without harming the sender's reputation."""
    start = (
        f"Start from the segment {segment}." if segment else "Find the closest segment with `list_segments`."
    )
    return f"""\
Plan a re-engagement. Inactive means: {inactive}. {start}

1. Count the audience with `get_segment`, and read a sample with `list_segment_members`. Customers can be searched by
   behaviour only through a segment. If no segment fits, write down the rule for a person to build.
2. Exclude everybody who cannot or must not be messaged: unsubscribed customers, and addresses that bounced or complained
   (`list_messages` with metric=bounced or spammed).
3. Compare past attempts: `list_newsletters` (one-time sends), `list_campaigns` (automations), then `compare_campaigns`
   for the two most similar ones.
4. Propose at most three messages: what they left behind, something new, and a plain question whether they want to stay.
   Send nothing for 90 days to those who do not react. Take those who click out of the sequence at once.
5. Start with a tenth of the audience. Stop if unsubscribes exceed 1 % or complaints 0.1 % of delivered messages.

Answer with the size of the audience, who is excluded and why, the messages, and the numbers at which to stop.
"""


@prompt
def check_broadcast(
    broadcast: Annotated[str, "The broadcast's id or name"],
    audience: Annotated[str, "The people whom it should reach"],
    data: Annotated[str, "The data that its template needs, if any"] = "",
) -> str:
    """Check a broadcast before it is sent: audience, template data, limits and a preview. Sends nothing."""
    needs = f" Data for its template: {data}." if data else ""
    return f"""\
Check a broadcast before it is sent: {broadcast}. Audience: {audience}.{needs} Send nothing.

1. Find it with `list_broadcasts`; its state must be running. See with `list_broadcast_triggers` whether it was sent in
   the last 24 hours, to this audience or another. If so, say that first.
2. Read the newest run with `get_broadcast_trigger`. Errors of that run will happen again unless they were fixed.
3. Count the audience: `get_segment` for a segment, `search_customers` for a filter. Compare the count with the expected
   one; if it is off by half, the filter is wrong.
4. Read with `get_content` which data the template needs. Show it with `preview_message` and the data for three of these
   customers: what fails, what is empty, which data is not used? Are they subscribed (`get_customer`)?
5. Check with `server_status`: live or sandbox, what is left of the caps, allowed recipients.
6. Call `trigger_broadcast` with dry_run=true, and show the request, the audience and the template exactly as returned.
7. For words that have to change, show `update_content` with dry_run=true: what differs, and what it then needs.

Answer "go" or "no go" with the reasons, what a person has to decide, and the exact call to make. Do not make that call.
"""


@prompt
def why_no_message(
    customer: Annotated[str, "The customer's id or email"],
    message: Annotated[str, "Which message: its name, its campaign, or its content"] = "",
    since: Annotated[str, "When they should have received it"] = "",
) -> str:
    """Find out why a customer did not receive a message."""
    which = f" the message {message}" if message else " messages"
    when = f", expected {since}" if since else ""
    return f"""\
Find out why {customer} did not receive{which}{when}.

1. Call `explain_no_message` once: customer_id (id_type=email for an address), source_id with what is known of the
   message's, campaign's, broadcast's or newsletter's name, and expected with the time, if there is one. It reads everything that can explain it.
2. If several can be meant, choose with the person: customers with `search_customers`, messages with
   `list_customer_messages`, whose delivery_id it takes.

Answer in three lines: the verdict and how certain it is, the evidence with times, and the cure with who may apply it.
Say what could not be read or known. Apply no cure yourself that the person did not ask for.
"""
