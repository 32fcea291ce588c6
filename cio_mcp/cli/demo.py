"""`cio-mcp demo`: the main job on the embedded sandbox, by a real MCP client and a real server process."""

import argparse
import asyncio
import json
import os
import sys
from typing import Any

from mcp import Client, StdioServerParameters

from cio_mcp.server.server import facts

# The customer of the integration brief; the sandbox does not know them yet.
ID, EMAIL = "user_123", "user@example.com"


class DemoFailed(Exception):
    """An answer was not what it should be."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take none."""
    parser.description = (
        "Show the main operations: an MCP client starts this server and calls its tools on the embedded "
        "sandbox, with no account and no network. Exit status: 0 if every answer was what it should be."
    )


def run(_: argparse.Namespace) -> int:
    """Run the demo on a server process of its own; returns 0 only if all went as it should."""
    own = StdioServerParameters(command=sys.executable, args=["-m", "cio_mcp"], env={"CIO_SANDBOX": "on"})
    return asyncio.run(demonstrate(own))


async def demonstrate(server: Any) -> int:
    """Run the demo on what `mcp.Client` can connect to, and print it; returns the exit status."""
    show = Narrator(colour=sys.stdout.isatty() and "NO_COLOR" not in os.environ)
    show.line("An MCP client starts cio-mcp and operates its sandbox: no account, no network.\n")
    async with Client(server) as client:
        try:
            await _story(client, show)
        except DemoFailed as failure:
            show.line(show.paint(f"Failed: {failure}", 31))
            return 1
    show.line(show.paint(f"Done: {show.calls} calls, all answers as expected. Next: cio-mcp setup.", 32))
    return 0


async def _story(client: Client, show: "Narrator") -> None:
    async def call(why: str, tool: str, expected: dict[str, Any], **arguments: Any) -> dict[str, Any]:
        show.call(why, tool, arguments)
        result = await client.call_tool(tool, arguments)
        answer = facts(result)
        show.answer(answer)
        wrong = {key: answer.get(key) for key, value in expected.items() if answer.get(key) != value}
        if result.is_error or wrong:
            raise DemoFailed(f"{tool} should have answered {expected}")
        return answer

    accepted = {"outcome": "accepted", "sandbox": True}
    person: dict[str, Any] = {"customer_id": ID}
    shopping = {"anonymous_id": "anon_123", "name": "plan_compared", "data": {"plans": ["free", "pro"]}}
    await call("A visitor looks around", "track_anonymous_event", accepted, **shopping)
    await call("and reads a page", "track_page_view", accepted, anonymous_id="anon_123", url="/pricing")
    profile = {"created_at": "2024-01-15T10:40:00Z", "attributes": {"first_name": "John", "plan": "pro"}}
    joined = person | {"email": EMAIL, "anonymous_id": "anon_123"} | profile
    await call("They sign up, so their history joins them", "identify_customer", accepted, **joined)
    order: dict[str, Any] = {"name": "purchase", "data": {"product": "Pro Plan", "amount": 99}}
    first = await call("They buy", "track_event", accepted, **person, **order)
    again = {"event_id": first["event_id"]}
    await call(
        "The agent repeats itself; the event counts once", "track_event", accepted, **person, **order, **again
    )
    found = await call("Was it applied?", "get_customer", {"email": EMAIL, "unsubscribed": False}, **person)
    if found["attributes"].get("purchases") != "1" or found["attributes"].get("first_name") != "John":
        raise DemoFailed("get_customer should show first_name John and the computed attribute purchases 1")
    listed = await call("What is running?", "list_campaigns", {}, state="running")
    campaign = listed["campaigns"][-1]["id"]
    metrics = await call(
        "How does it do?", "get_campaign_metrics", {"campaign_id": campaign}, campaign_id=campaign
    )
    if not 0 < metrics["rates"]["human_opened"] < 1:
        raise DemoFailed("get_campaign_metrics should answer a share of opened messages")
    receipt = {"transactional_message_id": "1", "to": EMAIL, "message_data": {"order_id": "ORD-456"}}
    queued = {"outcome": "queued", "sandbox": True}
    await call("A receipt for the order", "send_transactional_email", queued, **person, **receipt)
    offer: dict[str, Any] = {"broadcast_id": 10, "emails": [EMAIL], "data": {"coupon_code": "SAVE20"}}
    preview = {"outcome": "preview", "sandbox": True}
    shown = await call("An offer: what would it do?", "trigger_broadcast", preview, **offer)
    triggered = {"outcome": "triggered", "sandbox": True, "broadcast_id": 10}
    code = {"confirmation": shown["confirmation"]}
    await call("Just that, so it is confirmed", "trigger_broadcast", triggered, **offer, **code)
    shown = await call("They ask to be forgotten", "delete_customer", preview, **person)
    code = {"confirmation": shown["confirmation"]}
    await call("which is confirmed too", "delete_customer", accepted, **person, **code)
    show.call("They are gone", "get_customer", person)
    gone = await client.call_tool("get_customer", person)
    show.answer(facts(gone))
    if facts(gone).get("status") != 404:
        raise DemoFailed("get_customer should say that there is no such customer")


class Narrator:
    """Prints the story: each call with its reason, and its answer."""

    def __init__(self, *, colour: bool) -> None:
        self.calls = 0
        self._colour = colour

    def call(self, why: str, tool: str, arguments: dict[str, Any]) -> None:
        """Print a call about to be made."""
        self.calls += 1
        given = ", ".join(f"{name}={_short(value)}" for name, value in arguments.items())
        self.line(f"{self.calls:>2}. {why}")
        self.line(f"    {self.paint(tool, 1)}({given})")

    def answer(self, answer: dict[str, Any]) -> None:
        """Print what came back."""
        shown = ", ".join(f"{name}={_short(value)}" for name, value in answer.items())
        self.line(f"    {self.paint('→', 36)} {shown}\n")

    def paint(self, text: str, code: int) -> str:
        """Return `text` in an ANSI style, on a terminal."""
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour else text

    def line(self, text: str) -> None:
        """Print a line."""
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 160 else text[:159] + "…"
