"""Bounds that hold whatever an agent asks."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from cio_mcp.app.build import build
from cio_mcp.server.server import Server
from cio_mcp.settings import load
from tests.agent import MISSING, Agent, Caller, Clock, an_agent, at_the_shell

pytestmark = pytest.mark.anyio

EMAIL = {"customer_id": "u_1001", "transactional_message_id": 1}
BOSS = "boss@corp.example"


async def send(agent: Agent, to: str = "ada@example.com", **arguments: Any) -> dict[str, Any]:
    return await agent.call("send_transactional_email", to=to, **EMAIL | arguments)


async def refused(agent: Agent, to: str = "ada@example.com", **arguments: Any) -> str:
    return await agent.fail("send_transactional_email", to=to, **EMAIL | arguments)


def sends(agent: Agent) -> int:
    return sum("/send/" in sent or sent.endswith("/triggers") for sent in agent.sent)


@pytest.mark.parametrize(
    ("allowed", "to"),
    [
        ("ada@example.com", "Ada <ADA@example.com>"),
        ("example.com", "bob@example.com"),
        ("@example.com", "bob@example.com, ada@example.com"),
        ("*@*.example.com, example.com", "bob@mail.example.com"),
    ],
)
async def test_whom_the_list_allows_can_be_written_to(allowed: str, to: str) -> None:
    async with an_agent(allowed_recipients=allowed) as agent:
        await send(agent, to)

    assert sends(agent) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        {"to": BOSS},
        {"to": f"ada@example.com, {BOSS}"},
        {"to": "ada@example.com", "cc": BOSS},
        {"to": "ada@example.com", "bcc": BOSS},
        {"to": "ada@notexample.com"},
        {"to": "ada@example.com.evil.example"},
        {"to": '"ada@example.com" <evil@corp.example>'},
        {"to": "evil@corp.example (ada@example.com"},
        {"to": "evil@corp.example@example.com"},
        {"to": "evil@corp.example;@example.com"},
        {"to": "ada@example.com", "customer_id": "dana@example.net", "id_type": "email"},
        {"to": "ada@example.com", "customer_id": "u_1004"},
        {"to": "ada@example.com", "customer_id": "nobody_has_an_address"},
    ],
)
async def test_whom_the_list_leaves_out_is_not_written_to_in_any_way(arguments: dict[str, str]) -> None:
    async with an_agent(allowed_recipients="example.com") as agent:
        await agent.call("identify_customer", customer_id="nobody_has_an_address")
        text = await agent.fail("send_transactional_email", **EMAIL | arguments)

    assert "CIO_ALLOWED_RECIPIENTS" in text or "write addresses as" in text
    assert sends(agent) == 0


TEMPLATES = {"push": 3, "sms": 4, "whatsapp": 7, "in_app": 5, "inbox": 6}
THEIR_OWN_NUMBER = {"to": "{{customer.phone}}"}


@pytest.mark.parametrize("channel", TEMPLATES)
@pytest.mark.parametrize(
    ("person", "allowed"),
    [
        ({"customer_id": "u_1001"}, True),
        ({"customer_id": "ada@example.com", "id_type": "email"}, True),
        ({"customer_id": "u_1004"}, False),
        ({"customer_id": "dana@example.net", "id_type": "email"}, False),
    ],
)
async def test_no_channel_reaches_a_customer_whom_the_list_leaves_out(
    channel: str, person: dict[str, str], allowed: bool
) -> None:
    message = {"channel": channel, "transactional_message_id": TEMPLATES[channel], **person}
    message |= THEIR_OWN_NUMBER if channel in {"sms", "whatsapp"} else {}
    async with an_agent(allowed_recipients="example.com, +*, device:any") as agent:
        if allowed:
            await agent.call("send_transactional_message", **message)
        else:
            text = await agent.fail("send_transactional_message", **message)
            assert "CIO_ALLOWED_RECIPIENTS" in text

    assert sends(agent) == allowed


@pytest.mark.parametrize(
    ("channel", "to", "allowed"),
    [
        ("push", {}, False),
        ("push", {"to": "last_used"}, False),
        ("push", {"to": "all"}, False),
        ("push", {"to": "device-ada-1"}, False),
        ("push", {"custom_device": {"token": "anybodys", "platform": "ios"}}, False),
        ("sms", {"to": "+4930123456"}, False),
        ("sms", {"to": "{{ customer.phone }}"}, False),
        ("sms", {"to": "{{customer.manager_phone}}"}, False),
        ("sms", {"to": "{{customer.phone | append: '1'}}"}, False),
        ("sms", {"to": "{{trigger.phone}}", "message_data": {"phone": "+4930123456"}}, False),
        ("whatsapp", {"to": "{{customer.phone}}{{trigger.phone}}"}, False),
        ("whatsapp", {"to": "{{customer.phone}}"}, False),
        ("in_app", {}, True),
        ("inbox", {}, True),
    ],
)
async def test_a_number_or_device_can_be_anybodys_and_is_on_no_list_of_addresses(
    channel: str, to: dict[str, Any], allowed: bool
) -> None:
    message = {"channel": channel, "transactional_message_id": TEMPLATES[channel], **to}
    async with an_agent(allowed_recipients="example.com") as agent:
        if allowed:
            await agent.call("send_transactional_message", customer_id="u_1001", **message)
        else:
            text = await agent.fail("send_transactional_message", customer_id="u_1001", **message)
            assert "CIO_ALLOWED_RECIPIENTS" in text

    assert sends(agent) == allowed


@pytest.mark.parametrize(
    ("audience", "allowed"),
    [
        ({"emails": ["ada@example.com"]}, True),
        ({"emails": ["ada@example.com", BOSS]}, False),
        ({"ids": ["u_1001", "u_1005"]}, True),
        ({"ids": ["u_1001", "u_1004"]}, False),
        ({"per_user_data": [{"email": "ada@example.com"}, {"id": "u_1005"}]}, True),
        ({"per_user_data": [{"email": "ada@example.com"}, {"id": "u_1004"}]}, False),
        ({"per_user_data": [{"email": BOSS}]}, False),
        ({"recipients": {"segment": {"id": 1}}}, False),
        ({"data_file_url": "https://example.com/people"}, False),
        ({}, False),
    ],
)
async def test_a_broadcast_reaches_only_whom_the_list_allows(audience: dict[str, Any], allowed: bool) -> None:
    async with an_agent(allowed_recipients="example.com") as agent:
        if allowed:
            await agent.call("trigger_broadcast", broadcast_id=10, **audience)
        else:
            text = await agent.fail("trigger_broadcast", broadcast_id=10, **audience)
            assert "CIO_ALLOWED_RECIPIENTS" in text

    assert sends(agent) == allowed


async def test_an_event_does_not_send_mail_past_the_list() -> None:
    event = {"customer_id": "u_1001", "name": "invited"}
    async with an_agent(allowed_recipients="example.com") as agent:
        await agent.call("track_event", **event, data={"recipient": "ada@example.com"})
        text = await agent.fail("track_event", **event, data={"recipient": BOSS})

    assert "CIO_ALLOWED_RECIPIENTS" in text
    assert len(agent.sent) == 1


async def test_an_invite_is_bound_as_a_send_is() -> None:
    invite = {"name": "invited", "data": {"recipient": "ada@example.com"}}
    async with an_agent(allowed_recipients="example.com", max_sends_per_hour="2") as agent:
        beyond = await agent.fail("track_anonymous_event", name="invited", data={"recipient": BOSS})
        await agent.call("track_anonymous_event", **invite)
        await agent.call("track_event", customer_id="u_1001", **invite)
        await agent.call("track_event", customer_id="u_1001", name="seen")
        capped = await agent.fail("track_anonymous_event", **invite)
    async with an_agent(max_recipients="1") as agent:
        two = {"recipient": "ada@example.com, bob@example.com"}
        many = await agent.fail("track_anonymous_event", name="invited", data=two)

    assert "CIO_ALLOWED_RECIPIENTS" in beyond
    assert "CIO_MAX_SENDS_PER_HOUR=2" in capped
    assert "CIO_MAX_RECIPIENTS" in many
    assert agent.sent == []


async def test_no_call_reaches_more_than_the_setting_allows() -> None:
    async with an_agent(max_recipients="2") as agent:
        await send(agent, "ada@example.com, bob@example.com")
        text = await refused(agent, "ada@example.com, bob@example.com, carol@example.com")
        assert "3 recipients are more than the 2 that CIO_MAX_RECIPIENTS allows" in text
        to_segment = {"broadcast_id": 10, "recipients": {"segment": {"id": 1}}}
        assert "4 recipients are more" in await agent.fail("trigger_broadcast", **to_segment)

    assert sends(agent) == 1


@pytest.mark.parametrize("setting", ["max_recipients", "max_sends_per_hour", "max_sends_per_day"])
@pytest.mark.parametrize("audience", [{}, {"data_file_url": "https://example.com/people"}])
async def test_an_audience_that_nobody_can_count_is_refused_where_counts_are_bounded(
    setting: str, audience: dict[str, str]
) -> None:
    bound: dict[str, Any] = {setting: "1000"}
    async with an_agent(**bound) as agent:
        text = await agent.fail("trigger_broadcast", broadcast_id=10, **audience)

    assert f"CIO_{setting.upper()}" in text
    assert sends(agent) == 0


async def test_a_cap_counts_recipients_and_says_when_there_is_room_again() -> None:
    async with an_agent(max_sends_per_hour="3") as agent:
        await send(agent, "ada@example.com, bob@example.com")
        await asyncio.sleep(600)
        await send(agent)
        text = await refused(agent)
        assert "CIO_MAX_SENDS_PER_HOUR=3" in text
        wait = agent.facts["retry_in_seconds"]
        assert 3000 - 2 <= wait <= 3000 + 60
        await asyncio.sleep(wait - 2)
        await refused(agent)
        await asyncio.sleep(3)
        await send(agent)
        assert "Name fewer recipients" in await refused(
            agent, ", ".join(f"p{n}@example.com" for n in range(4))
        )

    assert sends(agent) == 3


async def test_all_channels_count_against_the_same_cap() -> None:
    message = {"channel": "in_app", "transactional_message_id": 5, "customer_id": "u_1001"}
    async with an_agent(max_sends_per_hour="2") as agent:
        await send(agent)
        await agent.call("send_transactional_message", **message)
        assert "CIO_MAX_SENDS_PER_HOUR=2" in await agent.fail("send_transactional_message", **message)
        assert "CIO_MAX_SENDS_PER_HOUR=2" in await refused(agent)

    assert sends(agent) == 2


async def test_a_cap_holds_across_a_restart_and_across_two_processes() -> None:
    bound: dict[str, Any] = {"max_sends_per_day": "3"}
    async with an_agent(**bound) as one:
        await send(one)
        async with an_agent(beside=one, **bound) as other:
            await send(other)
        async with an_agent(beside=one, **bound) as after:
            await send(after)
            assert "CIO_MAX_SENDS_PER_DAY=3" in await refused(after)
        assert "CIO_MAX_SENDS_PER_DAY=3" in await refused(one)


async def test_a_cap_on_a_day_holds_beside_a_process_that_caps_hours_alone() -> None:
    async with an_agent(max_sends_per_day="2") as one, an_agent(beside=one, max_sends_per_hour="9") as other:
        await send(one)
        await asyncio.sleep(2 * 3600)
        await send(other)
        assert "CIO_MAX_SENDS_PER_DAY=2" in await refused(one)
        await asyncio.sleep(one.facts["retry_in_seconds"] + 1)
        await send(one)


async def test_of_many_sends_at_once_no_more_get_through_than_the_cap_allows() -> None:
    bound: dict[str, Any] = {"max_sends_per_hour": "5"}
    async with an_agent(**bound) as one, an_agent(beside=one, **bound) as other:
        arguments = {**EMAIL, **MISSING, "to": "ada@example.com"}
        ends = await asyncio.gather(
            *(
                agent.client.call_tool("send_transactional_email", arguments)
                for agent in (one, other)
                for _ in range(10)
            )
        )

    assert sum(not end.is_error for end in ends) == 5
    assert sends(one) + sends(other) == 5


@pytest.mark.parametrize(("fault", "late", "counts"), [(400, False, 0), (500, False, 1), (500, True, 1)])
async def test_a_send_counts_unless_it_certainly_did_not_happen(fault: int, late: bool, counts: int) -> None:
    async with an_agent(max_sends_per_hour="10") as agent:
        agent.wire.fail(fault, late=late)
        await refused(agent)
        status = await agent.call("server_status")

    assert status["caps"] == [{"setting": "CIO_MAX_SENDS_PER_HOUR", "most": 10, "left": 10 - counts}]


async def test_a_cap_that_cannot_be_kept_stops_sends(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    async with an_agent(max_sends_per_hour="10") as agent:
        text = await refused(agent)
        (note,) = (await agent.call("server_status"))["notes"]

    assert "cannot be used" in text
    assert "nothing can be sent under caps" in note
    assert sends(agent) == 0


async def test_blind_copies_are_an_operators_decision() -> None:
    async with an_agent(allow_bcc="false") as agent:
        assert "CIO_ALLOW_BCC" in await refused(agent, bcc="boss@example.com")

    assert sends(agent) == 0


async def test_a_stop_file_stops_a_running_server_at_once_and_reading_goes_on(tmp_path: Path) -> None:
    stop = tmp_path / "stop"
    async with an_agent(stop_file=str(stop)) as agent:
        await send(agent)
        stop.touch()
        for tool, arguments in (
            ("send_transactional_email", {**EMAIL, "to": "ada@example.com"}),
            (
                "send_transactional_message",
                {"channel": "push", "customer_id": "u_1001", "transactional_message_id": 3},
            ),
            ("identify_customer", {"customer_id": "u_1"}),
            ("delete_customer", {"customer_id": "u_1001"}),
        ):
            assert "CIO_STOP_FILE" in await agent.fail(tool, **arguments)
        await agent.call("get_customer", customer_id="u_1001")
        assert (await agent.call("server_status"))["stopped"]
        stop.unlink()
        await send(agent)

    assert sends(agent) == 2


@pytest.mark.parametrize("target", ["nothing", "stop"], ids=["that leads nowhere", "to itself"])
async def test_a_stop_file_that_is_a_link_stops(tmp_path: Path, target: str) -> None:
    stop = tmp_path / "stop"
    stop.symlink_to(tmp_path / target)
    async with an_agent(stop_file=str(stop)) as agent:
        refusal = await refused(agent)

    assert "CIO_STOP_FILE" in refusal
    assert sends(agent) == 0


async def test_an_operator_stops_and_resumes_all_servers_of_a_user(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("CIO_STOP_FILE", str(tmp_path / "stop"))
    async with an_agent() as one, an_agent(beside=one) as other:
        await send(one)
        assert at_the_shell("stop") == 0
        refusals = [await refused(one), await refused(other)]
        await other.call("get_customer", customer_id="u_1001")
        stopped = (await other.call("server_status"))["stopped"]
        (tmp_path / "stop").touch()
        assert at_the_shell("resume") == 0
        await send(other)

    assert all(
        "an operator (cio-mcp stop) has stopped all writes, deletions and sends" in text for text in refusals
    )
    assert stopped
    assert sends(one) + sends(other) == 2
    said = capsys.readouterr().out
    assert "safety.db writes, deletes or sends until cio-mcp resume" in said
    assert "(CIO_STOP_FILE) is still there" in said


@pytest.mark.parametrize("kept", [False, True])
async def test_an_operator_stops_servers_on_the_embedded_sandbox_too(tmp_path: Path, kept: bool) -> None:
    environ = {"CIO_SANDBOX_PATH": str(tmp_path / "sandbox.db")} if kept else {}
    app = build(load({"CIO_CONFIRM": "off", **environ}), clock=Clock())
    async with Client(Server(app)) as client:
        caller = Caller(client)
        await caller.call("identify_customer", customer_id="1")
        assert at_the_shell("stop") == 0
        text = await caller.fail("identify_customer", customer_id="1")
        stopped = (await caller.call("server_status"))["stopped"]
        assert at_the_shell("resume") == 0
        await caller.call("identify_customer", customer_id="1")
    await app.aclose()

    assert "an operator (cio-mcp stop) has stopped all writes, deletions and sends" in text
    assert stopped


def test_doctor_tells_that_everything_is_stopped_until_it_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    at_the_shell("stop")
    at_the_shell("doctor")
    stopped = capsys.readouterr().out
    at_the_shell("resume")
    at_the_shell("doctor")

    assert "an operator (cio-mcp stop) has stopped all writes" in stopped
    assert "fix: cio-mcp resume" in stopped
    assert "stops all writes" not in capsys.readouterr().out


def test_a_stop_that_cannot_be_told_is_not_taken_for_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))

    assert at_the_shell("stop") == 1
    assert "cannot be used" in capsys.readouterr().err
