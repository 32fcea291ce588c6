"""People see what they agree to, in words that nobody else can have written."""

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp.types import ElicitResult, InputRequiredResult

from cio_mcp.auth.principal import Principal
from cio_mcp.safety.grant import Grant
from cio_mcp.server.server import facts
from cio_mcp.toolkit.answers.quoting import hosts, quoted
from tests.agent import Agent, an_agent
from tests.safety.test_confirmation import acts
from tests.safety.test_elicitation import Human
from tests.tools.canned import canned

pytestmark = pytest.mark.anyio

THREE = {"broadcast_id": 10, "emails": ["ada@example.com", "bruno@example.com", "nobody@example.com"]}
OTHER = "2026-07-28"


async def question(tool: str, **arguments: Any) -> list[str]:
    """Return the lines of the question that a person is asked about a call."""
    human = Human("decline")
    async with an_agent(confirm="human", elicitation=human) as agent:
        await agent.fail(tool, **arguments)
        assert acts(agent) == []
    return human.asked[0].split("\n")


async def test_a_question_says_who_and_what_and_how_many_and_from_whom() -> None:
    email = {
        "customer_id": "u_1001",
        "to": "ada@example.com, bob@example.com",
        "from_address": "a@shop.example",
    }
    body = '<a href="https://bank.example@evil.example/pay">Pay</a> <img src=//pixel.example/1>'
    lines = await question("send_transactional_email", **email, subject="Hello", body=body)

    assert 'From: "a@shop.example"' in lines
    assert '  "subject" = "Hello"' in lines
    assert "Links lead to: evil.example, pixel.example" in lines
    assert any(line.startswith("Reaches: ") and "2 people" in line for line in lines)
    assert any('"Ada" u_1001' in line for line in lines)


async def test_what_is_set_up_in_the_template_is_shown_with_its_sender_and_subject() -> None:
    lines = await question("send_newsletter", newsletter_id=21)

    assert lines[1:4] == [
        'Sends: newsletter 21: "Summer offer"',
        'From: "Quill <hello@example.com>"',
        'Subject: "A summer of notes, a third off"',
    ]


@pytest.mark.parametrize(
    ("more", "means"),
    [({}, "the whole run would fail"), ({"email_ignore_missing": True}, "they are skipped")],
)
async def test_listed_people_who_are_unknown_or_unsubscribed_are_counted(
    more: dict[str, Any], means: str
) -> None:
    async with an_agent(confirm="preview") as agent:
        preview = await agent.call("trigger_broadcast", **THREE, **more)

    assert preview["audience"]["warnings"] == [
        f"1 unknown (nobody@example.com): {means}",
        "1 unsubscribed (bruno@example.com): they are skipped, unless the message is set to go to "
        "unsubscribed people too",
    ]
    assert preview["audience"]["samples"] == [
        '"Ada" ada@example.com',
        '"Bruno" bruno@example.com',
        "nobody@example.com",
    ]


async def test_those_who_match_a_filter_and_are_unsubscribed_are_counted_too() -> None:
    everybody = {"attribute": {"field": "cio_id", "operator": "exists"}}
    unsubscribed = {"attribute": {"field": "unsubscribed", "operator": "eq", "value": True}}
    async with an_agent(confirm="preview") as agent:
        known = await agent.call("search_customers", filter=unsubscribed)
        one, group, none = [
            await agent.call("trigger_broadcast", broadcast_id=10, recipients=filter_)
            for filter_ in (
                everybody,
                {"and": [everybody, everybody]},
                {"and": [everybody, {"not": unsubscribed}]},
            )
        ]

    (warning,) = one["audience"]["warnings"]
    assert warning.startswith(f"{len(known['customers'])} unsubscribed (")
    assert warning.endswith("they are skipped, unless the message is set to go to unsubscribed people too")
    assert group["audience"]["warnings"] == [warning]
    assert "warnings" not in none["audience"]


@pytest.mark.parametrize(
    ("customer_id", "whom"), [("u_1001", 'first_name "Ada"'), ("nobody", "no such customer yet")]
)
async def test_an_identify_shows_whether_the_customer_is_there(customer_id: str, whom: str) -> None:
    async with an_agent() as agent:
        change = {"customer_id": customer_id, "attributes": {"plan": "pro"}, "dry_run": True}
        preview = await agent.call("identify_customer", **change)
        vain = await agent.call(
            "identify_customer", **(change | {"customer_id": "nobody", "update_only": True})
        )

    assert preview["whom"].startswith(whom)
    assert vain["whom"] == "no such customer, so nothing is changed (update_only)"
    assert "sets_off" not in vain


async def test_an_id_in_another_case_is_unknown_and_an_address_is_not() -> None:
    async with an_agent(confirm="preview") as agent:
        ids = await agent.call("trigger_broadcast", broadcast_id=10, ids=["U_1001", "u_1003"])
        mail = await agent.call(
            "trigger_broadcast", broadcast_id=10, emails=["ADA@example.com", "a@b.example"]
        )

    assert ids["audience"]["warnings"] == ["1 unknown (U_1001): the whole run would fail"]
    assert mail["audience"]["warnings"] == ["1 unknown (a@b.example): the whole run would fail"]


class Upstream:
    """An App API in which everybody is known; keeps how many look-ups there were, and fails some."""

    def __init__(self, fails: str = "nothing") -> None:
        self.fails = fails
        self.batches: list[int] = []
        self.suppressed: set[str] = set()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if self.fails in path and request.url.path.count("/"):
            return httpx.Response(403, json={"errors": [{"detail": "no"}]})
        if path.endswith("/customers/attributes"):
            ids = json.loads(request.content)["ids"]
            self.batches.append(len(ids))
            people = [{"identifiers": {"email": one}, "attributes": {"email": one}} for one in ids]
            return httpx.Response(200, json={"customers": people})
        if "/search_suppression/" in path:
            found = [{"email": one} for one in self.suppressed if path.endswith(one)]
            return httpx.Response(200, json={"suppressions": found or None})
        return httpx.Response(200, json={"broadcast": {"name": "Offer"}, "actions": [], "campaigns": []})


async def test_people_to_whom_no_mail_is_delivered_are_counted() -> None:
    upstream = Upstream()
    upstream.suppressed = {"bruno@example.com"}
    async with canned({"": upstream}) as workspace:
        preview = await workspace.call("trigger_broadcast", **THREE)

    assert preview["audience"]["warnings"] == [
        "1 suppressed (bruno@example.com): no mail is delivered to them"
    ]


async def test_the_look_ups_for_many_people_are_few_and_say_whom_they_left_out() -> None:
    upstream = Upstream()
    many = [f"p{number}@example.com" for number in range(2345)]
    async with canned({"": upstream}) as workspace:
        preview = await workspace.call("trigger_broadcast", broadcast_id=10, emails=many)

    assert upstream.batches == [100] * 10
    assert preview["unread"] == ["all but the first 1000 of 2345 people"]


async def test_look_ups_run_side_by_side() -> None:
    async with an_agent(confirm="preview") as agent:
        agent.wire.latency = 1.0
        begun = asyncio.get_running_loop().time()
        await agent.call("trigger_broadcast", **THREE)
        took = asyncio.get_running_loop().time() - begun

    assert len(agent.sent) == 6  # the broadcast and its actions, snippets, the people, two addresses
    assert took < 3


@pytest.mark.parametrize(
    ("fails", "tool", "arguments"),
    [
        ("/customers/attributes", "trigger_broadcast", THREE),
        ("/search_suppression/", "trigger_broadcast", THREE),
        ("/broadcasts/10", "trigger_broadcast", THREE),
        ("/actions", "trigger_broadcast", THREE),
        ("/campaigns", "add_to_segment", {"segment_id": 4, "ids": ["u_1"], "dry_run": True}),
        ("/attributes", "delete_customer", {"customer_id": "u_1"}),
        ("/attributes", "merge_customers", {"customer_id": "u_1", "secondary_id": "u_2"}),
    ],
)
async def test_a_look_up_that_fails_is_named_and_blocks_no_preview(
    fails: str, tool: str, arguments: dict[str, Any]
) -> None:
    answers = {"": Upstream(fails)}
    async with canned(answers, CIO_SITE_ID="site", CIO_TRACK_API_KEY="track") as workspace:
        preview = await workspace.call(tool, **arguments)

    assert preview["outcome"] == "preview"
    assert any("no" in unread for unread in preview["unread"])


@pytest.mark.parametrize("fault", [httpx.ConnectTimeout, httpx.ReadTimeout, 500])
async def test_an_api_that_does_not_answer_blocks_no_preview(fault: Any) -> None:
    async with an_agent(confirm="preview") as agent:
        agent.wire.fail(fault, times=100)
        preview = await agent.call("trigger_broadcast", **THREE)

    assert preview["confirmation"]
    assert len(preview["unread"]) == 3


async def test_a_caller_who_may_not_read_is_shown_nothing_of_people() -> None:
    async with an_agent(confirm="preview", permissions="delete") as agent:
        preview = await agent.call("delete_customer", customer_id="u_1001")

    assert "loses" not in preview
    assert "reading is not permitted" in preview["unread"][0]
    assert agent.sent == []


async def test_masked_people_have_no_names_in_previews() -> None:
    async with an_agent(confirm="preview", pii="mask") as agent:
        shown = json.dumps(
            [
                await agent.call("trigger_broadcast", broadcast_id=10, ids=["u_1001", "u_1002"]),
                await agent.call("delete_customer", customer_id="u_1001"),
            ]
        )

    for word in ("Ada", "ada@example.com", "442071838750"):
        assert word not in shown


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        (
            "add_to_segment",
            {"segment_id": 4, "ids": ["u_1001"]},
            'joining this segment starts the automation "Trial ending"',
        ),
        (
            "track_event",
            {"customer_id": "u_1001", "name": "signed_up"},
            'this event starts the automation "Welcome series" for people in the segment "Has an email"',
        ),
    ],
)
async def test_what_a_call_starts_is_named(
    agent: Agent, tool: str, arguments: dict[str, Any], words: str
) -> None:
    assert words in (await agent.call(tool, **arguments, dry_run=True))["sets_off"]


async def test_a_segment_that_starts_only_a_draft_starts_nothing(agent: Agent) -> None:
    preview = await agent.call("add_to_segment", segment_id=2, ids=["u_1001"], dry_run=True)

    assert len(preview["sets_off"]) == 1


async def test_a_deletion_names_what_is_lost_field_by_field() -> None:
    async with an_agent(confirm="preview") as agent:
        preview = await agent.call("delete_customer", customer_id="u_1001")
        unknown = await agent.call("delete_customer", customer_id="u_none")

    assert preview["whom"].startswith('first_name "Ada", id "u_1001"')
    assert (
        preview["loses"] | {"email": "a…@example.com", "plan": '"pro"', "devices": '"1"'} == preview["loses"]
    )
    assert preview["loses"]["phone"] == "+4…50"
    assert unknown["whom"] == "no such customer"


async def test_a_merge_names_the_values_that_are_lost_and_not_those_that_are_taken_over() -> None:
    async with an_agent(confirm="preview") as agent:
        await agent.call("identify_customer", customer_id="u_1002", attributes={"only_here": "yes"})
        preview = await agent.call("merge_customers", customer_id="u_1001", secondary_id="u_1002")

    assert preview["loses"]["plan"] == '"free"'
    assert "only_here" not in preview["loses"]


async def test_what_a_snippet_loses_and_a_segment_is_used_by_is_shown() -> None:
    async with an_agent(confirm="preview") as agent:
        snippet = await agent.call("set_workspace_item", kind="snippet", name="footer", value="New")
        segment = await agent.call("delete_segment", segment_id=3)

    assert "Quill, 1 Paper Street" in snippet["loses"]["value"]
    assert segment["loses"]["members"] == '"3"'
    assert "21" in segment["loses"]["used by"]


NASTY = [
    "Hi\nReaches: nobody (0 people)",
    'x" and 3 more characters\r\nDo this in the sandbox?',
    "a\u2028Note: safe",
    "\u202egnp.exe",
    "zero\u200bwidth\u2066",
    "\x1b[2J\x07",
    "tab\tand\u00a0blank",
    "x" * 5000,
]


@pytest.mark.parametrize("text", NASTY)
async def test_what_an_agent_wrote_never_looks_like_our_own_words(text: str) -> None:
    email = {
        "customer_id": "u_1001",
        "to": "ada@example.com, bob@example.com",
        "from_address": "a@shop.example",
    }
    plain, lines = [
        await question("send_transactional_email", **email, subject="s", body=body, message_data={body: body})
        for body in ("plain words", text)
    ]

    assert [re.match(r"[^\"]*", line)[0] for line in lines] == [  # type: ignore[index]
        re.match(r"[^\"]*", line)[0]  # type: ignore[index]
        for line in plain
    ]
    assert all(line.isprintable() for line in lines)
    assert max(map(len, lines)) < 700


@pytest.mark.parametrize("text", NASTY)
async def test_what_a_customer_or_a_colleague_wrote_never_looks_like_our_own_words(text: str) -> None:
    human = Human("decline")
    async with an_agent(confirm="human", elicitation=human) as agent:
        workspace = agent.wire.sandbox.workspace
        with workspace.transaction():
            body = {"first_name": text, "Reaches": text, "a\nNote": "x"}
            workspace.accept("identify", {"identifier": "u_1001", "body": body})
        await agent.fail("delete_customer", customer_id="u_1001")
        await agent.fail("trigger_broadcast", broadcast_id=10, ids=["u_1001", "u_1002"])

    for asked in human.asked:
        for line in asked.split("\n"):
            assert line.isprintable()
            assert not line.startswith(("Note: safe", "Reaches: nobody", "Do this in the sandbox?"))
    assert sum(line.startswith("Reaches") for line in human.asked[0].split("\n")) == 0


@given(st.text())
def test_a_quotation_is_one_line_that_only_its_own_end_can_end(text: str) -> None:
    shown = quoted(text)
    inside = re.fullmatch(r'"((?:[^"\\]|\\["\\n]|\\u\{[0-9a-f]+\})*)"( and \d+ more characters)?', shown)

    assert inside
    assert shown.isprintable()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("https://a.example/x http://b.example:8080", ["a.example", "b.example"]),
        ("https://good.example@evil.example/", ["evil.example"]),
        (r"https:\\evil.example\x", ["evil.example"]),
        ("https:/evil.example/x", ["evil.example"]),
        ('<a href="//evil.example/x">', ["evil.example"]),
        ("<a href='&#104;ttps://evil.example'>", ["evil.example"]),
        ("https://busineß.example", ["xn--busine-gta.example"]),
        ("https://{{customer.host}}/x", ['"{{customer.host}}"']),
        ("HTTPS://Evil.Example./", ["evil.example"]),
        ({"a": ["https://a.example"]}, ["a.example"]),
        ("no link // here", []),
    ],
)
def test_links_are_shown_with_the_host_that_a_browser_goes_to(text: Any, found: list[str]) -> None:
    assert hosts(text) == found


async def answered(agent: Agent, action: Any, state: str) -> Any:
    """Return the result of the call with an answer to its question."""
    return await agent.client.session.call_tool(
        "delete_customer",
        {"customer_id": "u_1001"},
        input_responses={"confirm": ElicitResult(action=action)},
        request_state=state,
        allow_input_required=True,
    )


@pytest.mark.parametrize("action", ["decline", "cancel"])
async def test_a_declined_question_cannot_be_answered_again(action: str) -> None:
    async with an_agent(confirm="human", elicitation=Human("accept"), mode=OTHER) as agent:
        asked = await agent.client.session.call_tool(
            "delete_customer", {"customer_id": "u_1001"}, allow_input_required=True
        )
        assert isinstance(asked, InputRequiredResult)
        state = asked.request_state or ""
        assert (await answered(agent, action, state)).is_error
        again = await answered(agent, "accept", state)

    assert again.is_error
    assert "used already" in str(again.content)
    assert "confirmation" not in facts(again)["preview"]
    assert acts(agent) == []


def named(name: str) -> Principal:
    return Principal(name, (Grant(name=name),)) if name else Principal()


@pytest.mark.parametrize(("one", "other"), [("ann", "ben"), ("ann", ""), ("", "ann")])
async def test_a_code_belongs_to_the_caller_who_previewed(one: str, other: str) -> None:
    call: Callable[..., Any]
    async with an_agent(confirm="preview") as agent:
        call = agent.app.call
        preview = await call("delete_customer", {"customer_id": "u_1001"}, named(one))
        code = {"customer_id": "u_1001", "confirmation": preview.facts["confirmation"]}
        refused = await call("delete_customer", code, named(other))
        assert acts(agent) == []
        done = await call("delete_customer", code, named(one))

    assert "the caller changed since its preview" in (refused.error or "")
    assert done.facts["outcome"] == "accepted"
