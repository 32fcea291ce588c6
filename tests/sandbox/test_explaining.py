"""Why a message came or did not, as the log of the sandbox tells it."""

from contextlib import closing
from typing import Any

import pytest

from cio_mcp.sandbox import Sandbox
from cio_mcp.sandbox.engine.explaining import NothingToExplain
from tests.planted import START, a_sandbox, the_story
from tests.sandbox.conftest import Caller, Calling, Clock
from tests.sandbox.worlds import HOUR, ann, attribute, branch, delay, email, later, run, segment, track, why

pytestmark = pytest.mark.anyio


@pytest.fixture
def caller(calling: Calling, clock: Clock) -> Caller:
    """Provide a caller of a sandbox without a story."""
    return calling(Sandbox(clock=clock, seed=False), clock)


async def test_a_delivery_is_told_from_what_was_accepted_to_what_became_of_it(caller: Caller) -> None:
    pro = branch(3, attribute("plan", "eq", "pro"), 4, None)
    run(caller, email(1), delay(2, days=2), pro, email(4, chances={"opened": 1, "clicked": 0, "bounced": 0}))
    await ann(caller, plan="pro")
    await track(caller)
    later(caller, days=90)
    newest, *_ = await caller.messages()

    told = why(caller, newest["id"])

    words = [line.split(" ", 1)[1] for line in told.splitlines()]
    assert words[0] == "accepted: event ann"
    assert words[1].startswith("ann had the event go (of 2026-05-28")
    assert words[2] == "ann began campaign 1 (Course)"
    assert words[3].startswith("ann came to wait 2, until 2026-05-30")
    assert words[4] == "ann came to branch 3, whose condition was True"
    assert words[5] == f"action 4 made delivery {newest['id']} for ann (created)"
    assert words[6:] == ["sent", "delivered", "opened"]


@pytest.mark.parametrize(
    ("setup", "words"),
    [
        ("nothing", "It begins with the event go, which they never had"),
        (
            "filter",
            "did not begin campaign 1 (Course): they did not fit its filter: in segment 1 (Segment 1)",
        ),
        ("old", "did not begin campaign 1 (Course): the event was 100 hours old"),
        ("draft campaign", "campaign 1 (Course) is not running: its state is draft"),
        ("off", "ann came to action 1, whose sending_state is off"),
        ("draft", "It is a draft: its action's sending_state is draft"),
        ("unsubscribed", "It did not go out: recipient is unsubscribed"),
        ("no address", "It did not go out: recipient is blank"),
        ("topic", "It did not go out: recipient is not subscribed to the topic"),
        ("liquid", "It did not go out: Liquid error: line 1: Variable 'customer.nickname' is missing"),
        ("bounced earlier", "dropped: added by API"),
        ("waits", "It still waits"),
        ("branched", "ann came to branch 9, whose condition was False"),
        ("deleted", "ann was deleted"),
        ("suppressed", "ann was suppressed: the profile is deleted, and its identifiers are blocked"),
    ],
)
async def test_why_a_mail_did_not_come(caller: Caller, setup: str, words: str) -> None:  # noqa: PLR0912
    actions, more, attributes, event = [email(1)], dict[str, Any](), dict[str, Any](), dict[str, Any]()
    segment(caller, 1, attribute("plan", "eq", "pro"))
    match setup:
        case "filter":
            more["filter_segment_ids"] = [1]
        case "old":
            event["timestamp"] = int(caller.sandbox.clock()) - 100 * HOUR
        case "draft campaign":
            more["state"] = "draft"
        case "off" | "draft":
            actions = [email(1, sending_state=setup)]
        case "unsubscribed":
            attributes["unsubscribed"] = True
        case "no address":
            actions = [{**email(1), "type": "twilio"}]
        case "topic":
            topic = {"id": 1, "identifier": "topic_1", "name": "News", "description": ""}
            caller.sandbox.workspace.configure("topic", topic | {"subscribed_by_default": False})
            more["subscription_topic_id"] = 1
        case "liquid":
            actions = [email(1, "Hi {{customer.nickname}}")]
        case "bounced earlier":
            await caller.ok("POST", "/v1/esp/suppression/bounces/ann%40example.com")
        case "waits" | "deleted" | "suppressed":
            actions = [delay(9, days=3), email(1)]
        case "branched":
            actions = [branch(9, attribute("plan", "eq", "pro"), 1, None), email(1)]
    run(caller, *actions, **more)
    await ann(caller, **attributes)
    if setup != "nothing":
        await track(caller, **event)
    if setup == "deleted":
        await caller.ok("DELETE", "/api/v1/customers/ann")
    if setup == "suppressed":
        await caller.ok("POST", "/api/v1/customers/ann/suppress")
    later(caller, seconds=20)

    assert words in why(caller, "ann", "Mail 1"), why(caller, "ann", "Mail 1")
    if setup != "suppressed":
        assert words in why(caller, "ann", "campaign 1")


async def test_a_person_who_may_not_begin_again_is_told_with_the_last_mail(caller: Caller) -> None:
    run(caller, email(1), reentry="once")
    await ann(caller)
    await track(caller)
    await track(caller)
    later(caller, seconds=20)

    told = why(caller, "ann@example.com", "Course")
    assert "sent" in told
    assert "Later:" in told
    assert "ann did not begin campaign 1 (Course): re-entry: once only" in told


async def test_who_does_not_come_into_a_segment_is_told_what_they_lack_and_until_when(caller: Caller) -> None:
    segment(caller, 1, attribute("signed_up_at", "older_than_days", 30))
    run(caller, email(1), type="segment", trigger_segment_ids=[1])
    await ann(caller, signed_up_at=int(caller.sandbox.clock()))

    told = why(caller, "ann", "Course")
    assert "Nothing has triggered campaign 1 (Course) for them." in told
    assert "They do not fit: in segment 1 (Segment 1)." in told
    assert "Time alone may change that at 2026-06-27T" in told


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (("nobody", "Course"), "there is no person nobody, and there never was"),
        (("ann", "Coarse"), "no message is called Coarse"),
        (("dgTE=",), "there is no delivery dgTE="),
    ],
)
async def test_what_is_not_there_is_named(caller: Caller, asked: tuple[str, ...], words: str) -> None:
    run(caller, email(1))
    await ann(caller)

    with pytest.raises(NothingToExplain, match=words):
        why(caller, *asked)


@pytest.mark.parametrize(
    ("who", "what", "words"),
    [
        ("u_1001", "Summer offer", "It is a draft that was never sent."),
        ("u_1002", "Summer offer", "They do not fit its audience: (in segment 1 (Pro plan)) and"),
        ("u_1001", "Spring sale", "It was never triggered."),
        (
            "u_1001",
            "broadcast 12",
            "Its trigger 1 of 2026-05-27T20:26:40Z failed: line 3: there is no person",
        ),
        ("u_1001", "Password reset", "Nobody has asked for it to be sent to them."),
        ("u_1001", "Win-back", "campaign 3 (Win-back) is not running: its state is draft."),
        ("u_1001", "Trial ending", "They do not fit: plan eq 'trial'."),
        ("u_1002", "Quill in spring", "It did not go out: recipient is unsubscribed."),
        ("u_1010", "Welcome", "bounced: 550 5.1.1 unknown user"),
        ("mallory@example.com", "Welcome", "the identifier is suppressed"),
    ],
)
async def test_the_story_is_told_too(calling: Calling, clock: Clock, who: str, what: str, words: str) -> None:
    caller = calling(a_sandbox(clock), clock)
    try:
        told = why(caller, who, what)
    except NothingToExplain as unknown:
        told = str(unknown)

    assert words in told, told


async def test_of_several_changes_at_once_the_one_that_counts_is_told_as_the_cause(caller: Caller) -> None:
    leaves: dict[str, Any] = {"type": "segment", "exit": ["unmatched"]}
    run(caller, email(11), id=1, filter=attribute("plan", "eq", "pro"), **leaves)
    run(caller, delay(10, days=3), email(12), id=2, filter=attribute("plan", "eq", "team"), **leaves)
    await ann(caller, plan="pro", country="SE", seats=5)
    came = why(caller, "ann", "Mail 11")
    await ann(caller, plan="team", country="NO")
    await ann(caller, plan="free", country="FI")
    left = why(caller, "ann", "Mail 12")

    assert "ann: plan became 'pro'" in came
    assert "ann: plan became 'free'" in left
    assert "country" not in came + left


def test_the_story_tells_what_began_a_trial_and_what_ended_it() -> None:
    with closing(the_story(lambda: START)) as story:
        asked = {"message": "Three days left"}
        told = {
            who: "\n".join(story.control("POST", "/_sandbox/explain", asked | {"person": who})["chain"])
            for who in ("u_1009", "u_3181")
        }

    assert "u_1009: plan became 'trial'" in told["u_1009"]
    assert "u_3181: plan became 'pro'" in told["u_3181"]
