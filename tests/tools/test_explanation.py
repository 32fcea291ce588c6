"""Why a customer did not get a message: the verdict for each planted cause, and what it rests on."""

import json
from typing import Any

import pytest

from cio_mcp.tools.every import TOOLS
from tests.agent import Agent, an_agent
from tests.tools.causes import (
    ADA,
    CAUSES,
    RESET,
    UNKNOWABLE,
    WELCOME,
    Planted,
    of,
    written,
)

pytestmark = pytest.mark.anyio

EVERY = CAUSES | UNKNOWABLE


@pytest.mark.parametrize("planted", EVERY.values(), ids=EVERY)
async def test_the_verdict_names_the_planted_cause(agent: Agent, planted: Planted) -> None:
    planted.plant(agent.wire.sandbox)

    answer = await agent.call("explain_no_message", **planted.asked)

    assert (answer["cause"], answer["certainty"]) == (planted.cause, planted.certainty), answer
    for word in planted.words:
        assert word in answer["verdict"]
    assert planted.by in answer["cure"]["by"]
    assert answer["cure"]["do"]
    assert answer["evidence"]
    assert "unread" not in answer
    open_ = planted.certainty != "certain" or planted.cause in {"unsubscribed", "unsubscribed_from_topic"}
    assert ("cannot_know" in answer) == open_
    named = {tool.name for tool in TOOLS if tool.name in answer["cure"]["do"]}
    assert not named or answer["cure"]["by"].startswith(("you", "the customer")), answer["cure"]
    assert len(json.dumps(answer)) < 2000


def test_there_are_twenty_causes_and_three_that_cannot_be_known() -> None:
    assert len({planted.cause for planted in CAUSES.values()}) >= 20
    assert len(UNKNOWABLE) == 3


READS = ("attributes", "subscription_preferences", "segments", "optouts", "activities", "messages", "actions")


@pytest.mark.parametrize("refused", [*READS, "search_suppression/jomo%40example.org", "campaigns/1"])
async def test_what_is_refused_never_takes_the_answer_down(agent: Agent, refused: str) -> None:
    agent.wire.refuses = lambda request: (
        request.url.raw_path.decode().partition("?")[0].endswith(f"/{refused}")
    )

    answer = await agent.call("explain_no_message", customer_id="u_1010", **WELCOME)

    assert any("403: no such scope" in what for what in answer["unread"])
    if refused != "messages":
        assert answer["cause"] == "bounced"


async def test_a_newsletter_that_cannot_be_read_is_not_called_a_draft(agent: Agent) -> None:
    agent.wire.refuses = lambda request: request.url.path.endswith("/newsletters/20")

    answer = await agent.call("explain_no_message", customer_id="u_1001", kind="newsletter", source_id="20")

    assert "draft" not in json.dumps(answer)
    assert answer["cause"] != "not_sent"


async def test_where_everything_is_refused_the_refusal_is_the_answer(agent: Agent) -> None:
    agent.wire.fail(401, times=99)

    assert "401" in await agent.fail("explain_no_message", customer_id="u_1010")


async def test_without_the_messages_nothing_is_said_of_whether_it_was_sent(agent: Agent) -> None:
    agent.wire.refuses = lambda request: request.url.path.endswith("/messages")

    answer = await agent.call("explain_no_message", **ADA, **RESET)

    assert "could not be read" in answer["verdict"]
    assert answer["certainty"] == "unknown"


async def test_a_source_is_found_by_part_of_its_name_and_an_address_counts_as_an_identifier(
    agent: Agent,
) -> None:
    answer = await agent.call("explain_no_message", customer_id="jomo@example.org", source_id="WELCOME")

    assert answer["cause"] == "bounced"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"source_id": "1"}, "kind: is required with a number"),
        ({"source_id": "christmas"}, "source_id: no source has christmas as id or name"),
        ({"source_id": "news"}, "source_id: several match"),
        ({"kind": "campaign", "source_id": "welcom serie"}, "did you mean 1 (Welcome series)"),
        ({"kind": "newsletter", "source_id": "99"}, "404"),
    ],
)
async def test_a_source_that_is_not_clear_is_named(
    agent: Agent, arguments: dict[str, Any], words: str
) -> None:
    assert words in await agent.fail("explain_no_message", **ADA, **arguments)


async def test_a_wrong_argument_of_a_tool_that_reads_is_not_said_to_have_sent_nothing(agent: Agent) -> None:
    read = await agent.fail("explain_no_message", **ADA, source_id="1")
    sent = await agent.fail("trigger_broadcast", broadcast_id=0)

    assert read.splitlines()[0] == "Correct the arguments:"
    assert sent.splitlines()[0] == "Nothing was sent; correct the arguments:"


async def test_the_reads_wait_side_by_side_and_the_wait_counts_once(agent: Agent) -> None:
    begun = agent.clock()
    answer = await agent.call("explain_no_message", customer_id="u_1010", source_id="welcome")
    took = agent.clock() - begun

    # Ten requests go at once, and the others wait for the second after.
    assert len(agent.sent) > 12
    assert answer["waited_seconds"] == pytest.approx(took, abs=0.1)
    assert took < 2


async def test_one_message_is_explained_by_its_id(agent: Agent) -> None:
    (bounced,) = (await agent.call("list_messages", newsletter_id=20, metric="bounced"))["messages"]

    answer = await agent.call("explain_no_message", customer_id="u_1003", delivery_id=bounced["delivery_id"])

    assert answer["cause"] == "bounced"
    assert "not suppressed" in answer["cure"]["do"]


async def test_who_followed_a_link_is_not_sent_to_the_spam_folder(agent: Agent) -> None:
    clicked = await agent.call("explain_no_message", **ADA, **of("newsletter", 20))
    arrived = await agent.call("explain_no_message", customer_id="u_1005", **of("newsletter", 20))

    assert "A link in it was followed" in clicked["cure"]["do"]
    assert "spam folder" in arrived["cure"]["do"]


async def test_a_message_to_somebody_else_explains_nothing(agent: Agent) -> None:
    (bounced,) = (await agent.call("list_messages", newsletter_id=20, metric="bounced"))["messages"]
    asked = {"customer_id": "u_1001", "delivery_id": bounced["delivery_id"]}

    answer = await agent.call("explain_no_message", **asked)

    assert answer["unread"] == ["message: ignored, since it went to another customer"]
    assert "chidi" not in json.dumps(answer)


async def test_an_event_that_was_expected_before_the_log_begins_is_not_called_missing(agent: Agent) -> None:
    asked = {"customer_id": "u_1003"} | WELCOME
    lately = await agent.call("explain_no_message", **asked, expected="2026-05-20")
    long_ago = await agent.call("explain_no_message", **asked, expected="2026-03-01")

    assert (lately["cause"], long_ago["cause"]) == ("event_missing", "unknown")


async def test_where_older_messages_were_not_looked_at_the_answer_says_so(agent: Agent) -> None:
    for _ in range(100):
        await agent.call("send_transactional_email", to="ada@example.com", **ADA, transactional_message_id=1)

    answer = await agent.call("explain_no_message", **ADA, **RESET)

    assert (answer["cause"], answer["certainty"]) == ("unknown", "unknown")
    assert any("only the newest 100 were looked at" in what for what in answer["unread"])


async def test_only_messages_about_the_expected_time_count(agent: Agent) -> None:
    asked = ADA | of("transactional", 1)
    then = await agent.call("explain_no_message", **asked, expected="2026-05-26")
    earlier = await agent.call("explain_no_message", **asked, expected="2026-04-01")

    assert (then["cause"], earlier["cause"]) == ("delivered", "never_sent")
    (*_, asked_for) = [
        request.url.params for request in agent.wire.requests if "start_ts" in request.url.params
    ]
    assert int(asked_for["end_ts"]) - int(asked_for["start_ts"]) == 8 * 86_400


async def test_a_number_in_somebodys_data_is_not_taken_for_an_identifier(agent: Agent) -> None:
    event = {"name": "purchase", "data": {"amount": "77", "number": 77}}
    with agent.wire.sandbox.workspace.transaction():
        written("event", identifier="cio_0badc0ffee00", body=event)(agent.wire.sandbox.workspace)

    for customer_id in ("77", "1", "purchase"):
        answer = await agent.call("explain_no_message", customer_id=customer_id)
        assert answer["cause"] == "not_found"


async def test_other_things_in_the_way_are_told_beside_the_verdict(agent: Agent) -> None:
    await agent.call("set_subscriptions", customer_id="u_1010", unsubscribed=True)

    answer = await agent.call("explain_no_message", customer_id="u_1010", **WELCOME)

    assert answer["cause"] == "bounced"
    unsubscribed = "The customer is unsubscribed from everything."
    assert answer["also"] == [{"what": unsubscribed, "read_from": ["subscriptions"]}]


@pytest.mark.repeating
@pytest.mark.parametrize("planted", EVERY.values(), ids=EVERY)
async def test_addresses_and_numbers_are_masked_wherever_they_stand(planted: Planted) -> None:
    async with an_agent(pii="mask") as agent:
        planted.plant(agent.wire.sandbox)
        answer = json.dumps(await agent.call("explain_no_message", **planted.asked))

    assert "@example" not in answer
    assert "+44" not in answer
    assert planted.cause in answer


async def test_a_pseudonym_is_taken_for_the_customer_it_stands_for() -> None:
    async with an_agent(pii="mask") as agent:
        name = (await agent.call("get_customer", customer_id="u_1010"))["email"]
        answer = await agent.call("explain_no_message", customer_id=name, id_type="email", **WELCOME)

    assert answer["cause"] == "bounced"
    assert "jomo" not in json.dumps(answer)
