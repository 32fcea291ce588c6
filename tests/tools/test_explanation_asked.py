"""What an explanation makes of a question that names things by half, and what it tells beside its verdict."""

import pytest

from tests.agent import Agent, an_agent
from tests.tools.causes import ADA, changed, sent, written

pytestmark = pytest.mark.anyio

SPRING = "newsletter 20: Quill in spring"


async def test_of_a_kind_alone_the_newest_message_that_did_not_arrive_is_meant(agent: Agent) -> None:
    answer = await agent.call("explain_no_message", customer_id="u_1002", kind="newsletter")

    assert answer["cause"] == "unsubscribed"
    assert "of newsletter 20: Quill in spring to bruno@example.com" in answer["verdict"]
    assert answer["notes"] == [f"source_id: {SPRING} is the newest newsletter that did not reach them"]


async def test_of_several_messages_of_one_campaign_the_one_that_did_not_arrive_is_meant(agent: Agent) -> None:
    with agent.wire.sandbox.workspace.transaction():
        sent(campaign_id=1, action_id=101, days_ago=3, fate={"failed": 1}, reason="Liquid error")(
            agent.wire.sandbox.workspace
        )
        sent(campaign_id=1, action_id=103, days_ago=1)(agent.wire.sandbox.workspace)
    answer = await agent.call("explain_no_message", **ADA, kind="campaign")

    assert answer["cause"] == "template_error"


@pytest.mark.parametrize(
    ("kind", "cause", "note"),
    [
        (
            "newsletter",
            "delivered",
            f"{SPRING} is the newest newsletter; for another give its id: ",
        ),
        ("campaign", "unknown", None),
        ("transactional", "delivered", None),
    ],
)
async def test_where_all_of_a_kind_arrived_what_is_newest_of_it_is_meant(
    agent: Agent, kind: str, cause: str, note: str | None
) -> None:
    answer = await agent.call("explain_no_message", **ADA, kind=kind)

    assert answer["cause"] == cause
    assert note is None or note in answer["notes"][0]


async def test_where_no_kind_is_asked_for_emails_are_answered_for_and_of_others_it_is_told_what_was_found(
    agent: Agent,
) -> None:
    answer = await agent.call("explain_no_message", customer_id="u_1004")

    assert answer["cause"] == "delivered"
    assert "the email " in answer["verdict"]
    assert "also" not in answer
    (note,) = answer["notes"]
    assert note.startswith("kind: not given, so this is about email. Of others: the SMS of transactional 4: ")
    assert note.endswith("; opted out of sms from +15550100")


async def test_an_email_that_did_not_arrive_is_answered_for_before_an_opt_out_of_sms(agent: Agent) -> None:
    with agent.wire.sandbox.workspace.transaction():
        sent(person="u_1004", newsletter_id=20, fate={"failed": 1}, reason="Liquid error")(
            agent.wire.sandbox.workspace
        )
    answer = await agent.call("explain_no_message", customer_id="u_1004")

    assert answer["cause"] == "template_error"
    assert "also" not in answer


@pytest.mark.parametrize("unread", [True, False])
async def test_an_opt_out_of_sms_does_not_explain_why_no_email_was_made(agent: Agent, unread: bool) -> None:
    with agent.wire.sandbox.workspace.transaction():
        agent.wire.sandbox.workspace.change("DELETE FROM deliveries")
    agent.wire.refuses = lambda request: unread and request.url.path.endswith("/messages")
    answer = await agent.call("explain_no_message", customer_id="u_1004")

    assert answer["cause"] == "unknown"
    assert answer["notes"] == [
        "kind: not given, so this is about email. Of others: opted out of sms from +15550100"
    ]


async def test_who_got_messages_of_one_channel_alone_is_answered_about_that(agent: Agent) -> None:
    with agent.wire.sandbox.workspace.transaction():
        agent.wire.sandbox.workspace.change("DELETE FROM deliveries WHERE body NOT LIKE '%twilio%'")
    answer = await agent.call("explain_no_message", customer_id="u_1004")

    assert (answer["cause"], answer["certainty"]) == ("opted_out", "certain")
    assert "notes" not in answer


async def test_a_message_of_a_source_that_is_gone_is_still_explained(agent: Agent) -> None:
    agent.wire.refuses = lambda request: request.url.path == "/v1/newsletters/20"

    answer = await agent.call("explain_no_message", customer_id="u_1002", kind="newsletter")

    assert answer["cause"] == "unsubscribed"
    assert "newsletter 20" in answer["verdict"]
    assert any("no such scope" in what for what in answer["unread"])


@pytest.mark.parametrize("name", ["Jomo", "jomo"])
async def test_somebody_is_found_by_name_where_nobody_has_it_as_an_id(agent: Agent, name: str) -> None:
    answer = await agent.call("explain_no_message", customer_id=name, source_id="welcome")

    assert answer["cause"] == "bounced"
    (note,) = answer["notes"]
    assert note.startswith(
        f"customer_id: nobody has the id {name}; used instead is the only customer of that name: "
    )
    assert note.endswith("id u_1010, email jomo@example.org")


async def test_of_several_people_of_one_name_none_is_guessed(agent: Agent) -> None:
    with agent.wire.sandbox.workspace.transaction():
        for number in range(7):
            write = {"first_name": "Jomo", "email": f"j{number}@example.com"}
            written("identify", identifier=f"n_{number}", body=write)(agent.wire.sandbox.workspace)

    text = await agent.fail("explain_no_message", customer_id="Jomo")

    assert "customer_id: nobody has the id Jomo; give the id of one of those who have that name: id " in text
    assert text.endswith("; and more")


@pytest.mark.parametrize(
    ("asked", "searched"),
    [
        ({"customer_id": "Grace"}, "Grace as its id, first name, last name or name"),
        ({"customer_id": "u_9999"}, "u_9999 as its id"),
        ({"customer_id": "grace@example.org"}, "grace@example.org as its id or email address"),
        ({"customer_id": "grace@example.org", "id_type": "email"}, "grace@example.org as its email address"),
    ],
)
async def test_of_nobody_it_is_told_what_was_searched_and_nothing_of_creation(
    agent: Agent, asked: dict[str, str], searched: str
) -> None:
    answer = await agent.call("explain_no_message", **asked)

    assert f"no profile has exactly {searched}" == answer["evidence"][0]["what"]
    assert f"no profile has exactly {searched}, and no merge, deletion or dropped write" in answer["verdict"]
    assert "creat" not in str(answer)
    step = "Check how it is spelled" if "@" in searched else "Ask for their email address"
    assert answer["cure"]["do"].startswith(f"{step} and call again with it, or ")
    assert "identify the customer again" not in answer["cure"]["do"]


async def test_of_nobody_where_not_all_of_the_log_is_read_it_is_still_told_what_was_searched(
    agent: Agent,
) -> None:
    agent.wire.refuses = lambda request: "profile_merge" in str(request.url)

    answer = await agent.call("explain_no_message", customer_id="Grace")

    assert answer["cause"] == "unknown"
    assert "no profile has exactly Grace as its id, first name, last name or name; " in answer["verdict"]
    assert answer["cure"]["do"].startswith("Ask for their email address")


async def test_a_name_that_could_not_be_searched_is_not_said_to_be_nobodys(agent: Agent) -> None:
    agent.wire.refuses = lambda request: request.method == "POST"

    answer = await agent.call("explain_no_message", customer_id="Grace")

    assert "exactly Grace as its id, and" in answer["verdict"]
    assert any(what.startswith("people of this name: ") for what in answer["unread"])


async def test_an_id_wins_over_a_name_and_no_name_is_guessed_where_names_are_hidden(agent: Agent) -> None:
    with agent.wire.sandbox.workspace.transaction():
        body = {"first_name": "Nobody", "email": "new@example.com"}
        written("identify", identifier="Jomo", body=body)(agent.wire.sandbox.workspace)
    own = await agent.call("explain_no_message", customer_id="Jomo")
    async with an_agent(pii="mask", pii_attributes="first_name") as masked:
        hidden = await masked.call("explain_no_message", customer_id="Jomo")

    assert "notes" not in own
    assert hidden["cause"] == "not_found"
    assert "exactly Jomo as its id, and" in hidden["verdict"]
    assert not any("POST /v1/customers" in sent for sent in masked.sent)


async def test_beside_a_message_whose_fate_is_certain_only_what_bears_on_it_is_told(agent: Agent) -> None:
    answer = await agent.call("explain_no_message", customer_id="u_1010", source_id="welcome")

    assert sorted(fact["read_from"] for fact in answer["evidence"]) == [
        ["messages"],
        ["source"],
        ["suppressed addresses"],
    ]


async def test_a_dropped_write_is_told_with_whom_it_named(agent: Agent) -> None:
    answer = await agent.call("explain_no_message", customer_id="u_1010", kind="campaign", source_id="2")

    (dropped,) = [fact["what"] for fact in answer["evidence"] if "failed_attribute" in fact["what"]]
    assert dropped == "failed_attribute_change: identifiers conflict (email ada@example.com)"


async def test_topics_are_told_only_where_the_message_can_belong_to_them(agent: Agent) -> None:
    asked = {"customer_id": "u_1005", "kind": "newsletter"}
    for topic, told in ((None, False), (3, True), (1, False)):
        with agent.wire.sandbox.workspace.transaction():
            changed("newsletter", 21, sent_at=1_779_900_000, subscription_topic_id=topic)(
                agent.wire.sandbox.workspace
            )
        answer = await agent.call("explain_no_message", **asked, source_id="21")
        assert any("Offers" in fact["what"] for fact in answer["evidence"]) is told


@pytest.mark.parametrize("by_message", [True, False])
async def test_when_somebody_unsubscribed_is_told_where_a_message_or_the_log_says_so(
    agent: Agent, by_message: bool
) -> None:
    with agent.wire.sandbox.workspace.transaction():
        if by_message:
            fate = {"sent": 1, "delivered": 2, "unsubscribed": 60}
            sent(campaign_id=1, action_id=101, days_ago=2, fate=fate)(agent.wire.sandbox.workspace)
        written("identify", identifier="u_1001", body={"unsubscribed": True})(agent.wire.sandbox.workspace)
    answer = await agent.call("explain_no_message", **ADA, kind="broadcast", source_id="11")

    (fact,) = [fact for fact in answer["evidence"] if fact["what"] == "unsubscribed from everything"]
    assert fact["time"].startswith("2026-05-26" if by_message else "2026-05-28")
    assert not any("when they unsubscribed" in what for what in answer.get("cannot_know", []))


async def test_a_cure_by_a_tool_that_is_off_says_so() -> None:
    async with an_agent(toolsets="core") as few, an_agent() as every:
        cures = [
            (await agent.call("explain_no_message", customer_id="u_1010", source_id="welcome"))["cure"]["do"]
            for agent in (few, every)
        ]

    off = "(delete_suppression is off here; server_status tells why.)"
    assert [off in cure for cure in cures] == [True, False]
