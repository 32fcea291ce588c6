"""Every call that acts is on record, and a record that was tampered with shows it."""

import asyncio
import json
import re
from collections.abc import Callable
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cio_mcp.app.build import build
from cio_mcp.asgi import create_app
from cio_mcp.auth.principal import Principal
from cio_mcp.auth.tokens import add
from cio_mcp.cli import main
from cio_mcp.errors import SettingsError
from cio_mcp.safety.audit.lock import companion, lock_of, locked
from cio_mcp.safety.audit.log import AuditLog, Entry
from cio_mcp.safety.audit.verify import lines, verify
from cio_mcp.safety.grant import Grant
from cio_mcp.server.server import Server
from cio_mcp.settings import load
from tests.agent import MISSING, an_agent
from tests.processes import FORKS
from tests.safety.test_confirmation import acts

EMAIL: dict[str, Any] = {"customer_id": "u_1001", "to": "ada@example.com", "transactional_message_id": 1}


def clock() -> float:
    return 1_780_000_000.0


def faults(path: Path) -> list[str]:
    return [finding.what for finding in verify(path) if not finding.note]


def notes(path: Path) -> list[str]:
    return [finding.what for finding in verify(path) if finding.note]


def filled(path: Path, calls: int = 4) -> AuditLog:
    log = AuditLog(path, clock)
    for number in range(calls):
        log.intent(Entry(f"r{number}", "me", "send", "sends", {"to": str(number)}))
        log.outcome(f"r{number}", "queued", delivery_id=str(number))
    return log


@pytest.mark.anyio
async def test_intent_and_outcome_of_each_call_are_recorded_without_a_word_of_its_arguments(
    tmp_path: Path,
) -> None:
    path = tmp_path / "logs" / "audit.jsonl"
    async with an_agent(audit_log=str(path), max_recipients="1") as agent:
        await agent.call("get_customer", customer_id="u_1001")
        sent = await agent.call("send_transactional_email", **EMAIL)
        event = await agent.call("track_event", customer_id="u_1001", name="secret_name")
        await agent.fail("send_transactional_email", **EMAIL | {"to": "ada@example.com, bob@example.com"})
        agent.wire.fail(500)
        await agent.fail("send_transactional_email", **EMAIL)
        await agent.call("delete_customer", customer_id="u_1001", dry_run=True)

    told = [(line["kind"], line.get("tool"), line.get("outcome")) for line in lines(path)]
    assert told == [
        ("intent", "send_transactional_email", None),
        ("outcome", None, "queued"),
        ("intent", "track_event", None),
        ("outcome", None, "accepted"),
        ("refusal", "send_transactional_email", None),
        ("intent", "send_transactional_email", None),
        ("outcome", None, "unknown"),
    ]
    found = list(lines(path))
    assert found[1]["delivery_id"] == sent["delivery_id"]
    assert found[3]["event_id"] == event["event_id"]
    assert "CIO_MAX_RECIPIENTS" in found[4]["reason"]
    assert found[0]["request"] == found[1]["request"]
    assert not re.search("example.com|u_1001|secret_name", path.read_text())
    assert list(verify(path)) == []


@pytest.mark.anyio
async def test_without_a_record_of_the_intent_there_is_no_call(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    async with an_agent(audit_log=str(path), confirm="preview", max_sends_per_hour="5") as agent:
        preview = await agent.call("delete_customer", customer_id="u_1001")
        path.unlink()
        path.mkdir()
        code = {"confirmation": preview["confirmation"]}
        text = await agent.fail("delete_customer", customer_id="u_1001", **code)
        assert "CIO_AUDIT_LOG" in text
        await agent.fail("send_transactional_email", **EMAIL)
        assert acts(agent) == []
        assert (await agent.call("server_status"))["caps"][0]["left"] == 5
        path.rmdir()
        path.touch()
        await agent.call("delete_customer", customer_id="u_1001", **code)

    assert len(acts(agent)) == 1


@pytest.mark.anyio
async def test_a_call_that_is_cancelled_after_it_left_gets_its_outcome_when_the_answer_is_back(
    tmp_path: Path,
) -> None:
    path = tmp_path / "audit.jsonl"

    async with an_agent(audit_log=str(path)) as agent:
        agent.wire.latency = 3
        call = asyncio.create_task(Server(agent.app).call_tool("send_transactional_email", EMAIL | MISSING))
        await asyncio.sleep(1)
        call.cancel()
        await asyncio.wait([call])
        before = [line["kind"] for line in lines(path)]
        await asyncio.sleep(3)
        after = list(lines(path))

    assert before == ["intent"]
    assert [line["kind"] for line in after] == ["intent", "outcome"]
    assert after[1]["outcome"] == "done"


def test_a_log_that_cannot_be_written_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="CIO_AUDIT_LOG"):
        build(load({"CIO_AUDIT_LOG": str(tmp_path / "file" / "audit.jsonl")}))


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_any_flipped_byte_is_found(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    path = tmp_path_factory.mktemp("audit") / "audit.jsonl"
    filled(path, 2)
    whole = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(bytes(whole))

    assert faults(path)


def _without(number: int) -> Callable[[list[str]], list[str]]:
    return lambda found: found[:number] + found[number + 1 :]


@pytest.mark.parametrize(
    "tamper",
    [
        _without(0),
        _without(3),
        _without(7),
        lambda found: found[:-3],
        lambda found: [*found[:2], found[3], found[2], *found[4:]],
        lambda found: [*found, found[-1]],
        lambda _: [],
    ],
    ids=["first removed", "one removed", "last removed", "tail cut", "swapped", "repeated", "emptied"],
)
def test_removed_reordered_and_cut_lines_are_found(
    tmp_path: Path, tamper: Callable[[list[str]], list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "audit.jsonl"
    filled(path)
    path.write_text("".join(tamper(path.read_text().splitlines(keepends=True))))

    assert faults(path)
    assert main(["audit", "verify", str(path)]) == 1
    assert "FAULT" in capsys.readouterr().out


def test_an_intent_without_outcome_is_noted_and_no_fault(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "audit.jsonl"
    filled(path).intent(Entry("r", "me", "trigger_broadcast", "sends", {}))

    assert faults(path) == []
    assert notes(path) == ["has no outcome: the call may or may not have been made"]
    assert main(["audit", "verify", str(path)]) == 0
    assert "line 9" in capsys.readouterr().out


def test_a_writer_that_died_leaves_a_log_that_the_next_goes_on_with(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    log = filled(path)
    whole = path.read_bytes()
    head = companion(path, "head").read_text()

    # It died in the middle of a line.
    path.write_bytes(whole + b'{"number":9,"at":"20')
    assert faults(path) == []
    log.refusal(Entry("r", "me", "send", "sends", {}), "no")
    assert faults(path) == []
    assert any("torn" in note for note in notes(path))

    # It died between the line and the newest hash.
    path.write_bytes(whole)
    companion(path, "head").write_text(head)
    log.refusal(Entry("r", "me", "send", "sends", {}), "no")
    companion(path, "head").write_text(head)
    assert faults(path) == []
    log.refusal(Entry("r", "me", "send", "sends", {}), "no")
    assert list(verify(path)) == []


def _write(path: Path, name: str, start: Barrier) -> None:
    log = AuditLog(path, clock, patience=60)
    start.wait()
    for number in range(20):
        log.intent(Entry(f"{name}{number}", name, "send", "sends", {"number": number}))
        log.outcome(f"{name}{number}", "queued")


@pytest.mark.processes
def test_several_processes_write_one_chain(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    start = FORKS.Barrier(3)
    writers = [FORKS.Process(target=_write, args=(path, name, start)) for name in "abc"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    assert list(verify(path)) == []
    assert [line["number"] for line in lines(path)] == list(range(1, 121))


def test_who_has_the_key_can_tell_whether_a_call_is_the_one(tmp_path: Path) -> None:
    log = filled(tmp_path / "audit.jsonl", 1)
    other = AuditLog(tmp_path / "other.jsonl", clock)
    (line, _) = lines(tmp_path / "audit.jsonl")

    assert line["arguments"] == log.fingerprint({"to": "0"})
    assert line["arguments"] != other.fingerprint({"to": "0"})
    for what in ("key", "head", "lock"):
        assert companion(tmp_path / "audit.jsonl", what).stat().st_mode & 0o077 == 0


def test_a_record_can_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "audit.jsonl"
    log = filled(path, 1)
    log.refusal(Entry("s", "agent", "trigger_broadcast", "sends", {}), "CIO_MAX_RECIPIENTS")
    log.intent(Entry("t", "agent", "delete_customer", "deletes", {}))

    assert main(["audit", "show", str(path)]) == 0
    out = capsys.readouterr().out
    assert re.search(r"2026-05-28T20:26:40  me +send +queued delivery_id=0", out)
    assert re.search(r"agent +trigger_broadcast +refused here: CIO_MAX_RECIPIENTS", out)
    assert re.search(r"agent +delete_customer +no outcome", out)
    assert main(["audit", "show", str(path), "--tool", "send"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_a_log_that_is_not_there_is_said_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "verify", str(tmp_path / "nothing")]) == 2
    assert "cannot be read" in capsys.readouterr().err


def test_a_log_without_its_newest_hash_says_what_that_means(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    filled(path)
    companion(path, "head").unlink()

    assert "lines that were cut off cannot be detected" in faults(path)[0]
    json.loads(path.read_text().splitlines()[0])


def test_a_tail_that_was_cut_stays_found_when_more_is_written(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    log = filled(path)
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-3]))
    log.refusal(Entry("r", "me", "send", "sends", {"to": "\ud800"}), "no")
    assert faults(path)

    path.unlink()
    log.refusal(Entry("r", "me", "send", "sends", {}), "no")
    assert faults(path)


def test_a_log_that_was_moved_away_is_gone_on_with_and_verified_with_its_older_part(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, old = tmp_path / "audit.jsonl", tmp_path / "audit.1.jsonl"
    log = filled(path)
    request = "r1"
    log.intent(Entry(request, "me", "send", "sends", {}))
    path.rename(old)
    log.outcome(request, "queued")

    assert list(verify(old, path)) == []
    assert main(["audit", "verify", str(old), str(path)]) == 0
    assert main(["audit", "verify", str(path)]) == 1
    assert "give the older parts first" in capsys.readouterr().out
    assert main(["audit", "verify", str(path), str(old)]) == 1


def test_a_log_that_grows_while_it_is_verified_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    log = filled(path)
    with path.open("ab") as torn:
        torn.write(b'{"number":9')
    log.refusal(Entry("r2", "me", "send", "sends", {}), "no")

    findings = verify(path)
    first = next(findings)
    log.refusal(Entry("r2", "me", "send", "sends", {}), "no")
    assert first.note
    assert list(findings) == []


def test_a_holder_of_the_lock_that_is_stopped_stops_writers_and_not_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    log = AuditLog(path, clock, patience=0)
    with locked(lock_of(path), 0), pytest.raises(OSError, match="another process holds its lock") as told:
        log.refusal(Entry("r2", "me", "send", "sends", {}), "no")
    assert told.value.strerror

    log.refusal(Entry("r2", "me", "send", "sends", {}), "no")
    assert len(list(lines(path))) == 1


@pytest.mark.parametrize("head", ["[1]", "7", '{"number": []}', "{", '{"number": 1}'])
def test_a_newest_hash_that_is_no_hash_is_as_good_as_none(tmp_path: Path, head: str) -> None:
    path = tmp_path / "audit.jsonl"
    log = filled(path, 1)
    companion(path, "head").write_text(head)

    assert "lines that were cut off cannot be detected" in faults(path)[0]
    log.refusal(Entry("r2", "me", "send", "sends", {}), "no")
    assert list(verify(path)) == []


def test_a_key_that_was_left_empty_by_a_writer_that_died_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    companion(path, "key").touch()
    log = AuditLog(path, clock)

    assert companion(path, "key").stat().st_size == 32
    assert log.fingerprint({}) == AuditLog(path, clock).fingerprint({})


def test_what_callers_call_themselves_is_shown_escaped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "audit.jsonl"
    AuditLog(path, clock).intent(Entry("r1", "\x1b[2Jme\nEvil", "send", "sends", {}))

    assert main(["audit", "show", str(path)]) == 0
    out = capsys.readouterr().out
    assert "\\x1b[2Jme\\nEvil" in out
    assert out.count("\n") == 1


@pytest.mark.anyio
async def test_whatever_is_denied_to_a_caller_is_recorded(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    async with an_agent(audit_log=str(path), permissions="read") as agent:
        await agent.fail("delete_customer", customer_id="u_1001")
        narrowed = Principal("one", (Grant(name="one", tools=("list_campaigns",)),))
        outcome = await agent.app.call("get_customer", {"customer_id": "u_1001"}, narrowed)
        nowhere = Principal("two", (Grant(name="two", workspaces=()),))
        await agent.app.call("list_campaigns", {}, nowhere)
        await agent.fail("no_such_tool")

    found = [(line["kind"], line["caller"], line["tool"]) for line in lines(path)]
    assert [(kind, tool) for kind, _, tool in found] == [
        ("refusal", "delete_customer"),
        ("refusal", "get_customer"),
        ("refusal", "list_campaigns"),
    ]
    assert [caller for *_, caller, _ in found[1:]] == ["one", "two"]
    assert "CIO_PERMISSIONS" in next(iter(lines(path)))["reason"]
    assert outcome.error
    assert "u_1001" not in path.read_text()
    assert list(verify(path)) == []


@pytest.mark.anyio
async def test_reads_are_recorded_where_that_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    async with an_agent(audit_log=str(path), audit_reads="true") as agent:
        await agent.call("get_customer", customer_id="u_1001")
        await agent.call("server_status")
        await agent.fail("get_customer", customer_id="nobody")

    told = [(line["kind"], line.get("tool"), line.get("outcome")) for line in lines(path)]
    assert told == [
        ("intent", "get_customer", None),
        ("outcome", None, "done"),
        ("intent", "get_customer", None),
        ("outcome", None, "refused"),
    ]


@pytest.mark.anyio
async def test_requests_without_a_valid_token_are_one_counted_line_a_minute(tmp_path: Path) -> None:
    path, tokens = tmp_path / "audit.jsonl", tmp_path / "tokens.json"
    add(tokens, Grant(name="one"))
    app = create_app(load({"CIO_SANDBOX": "on", "CIO_AUDIT_LOG": str(path), "CIO_TOKENS_FILE": str(tokens)}))
    wire = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=wire, base_url="http://localhost") as http,
    ):
        for number in range(100):
            bearer = {"authorization": f"Bearer secret-{number}"} if number % 2 else {}
            await http.post("/mcp", json={}, headers=bearer)
            await asyncio.sleep(1)
        during = list(lines(path))
        await http.post("/mcp", json={})

    found = list(lines(path))
    assert [line["count"] for line in during] == [60]
    assert sum(line["count"] for line in found) == 101
    assert found[-1]["reasons"].keys() == {
        "a bearer token is needed, in the header Authorization",
        "the token is unknown, revoked or expired",
    }
    assert "secret" not in path.read_text()
    assert list(verify(path)) == []


@pytest.mark.anyio
async def test_the_log_tells_who_deleted_somebody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "audit.jsonl"
    async with an_agent(audit_log=str(path), pii="mask") as agent:
        ada = (await agent.call("get_customer", customer_id="u_1001"))["email"]
        for caller, who in (("nightly", "u_1001"), ("desk", "u_1002")):
            principal = Principal(caller, (Grant(name=caller),))
            await agent.app.call("delete_customer", {"customer_id": who}, principal)
        await agent.call("track_event", customer_id="u_1002", name="seen")
        await agent.call("identify_customer", customer_id=ada, id_type="email")
        await agent.call("trigger_broadcast", broadcast_id=10, emails=["bob@example.com", ada])

    find = ("audit", "find", str(path), "--about")
    assert main([*find, "u_1002", "--effect", "deletes"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert re.search(r"desk +delete_customer +accepted", line)
    assert main([*find, "Ada@example.com"]) == 0
    out = capsys.readouterr().out
    assert [
        tool for tool in ("identify_customer", "trigger_broadcast", "delete_customer") if tool in out
    ] == [
        "identify_customer",
        "trigger_broadcast",
    ]
    assert main([*find, "u_1002", "--caller", "nightly"]) == 1
    assert "No such call is in the log" in capsys.readouterr().out
    assert not re.search("u_100|example.com", path.read_text())


def test_calls_that_name_more_people_than_a_line_holds_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "audit.jsonl"
    log = AuditLog(path, clock)
    log.intent(
        Entry("r1", "me", "identify_customers", "writes", {}, [f"u_{number}" for number in range(1500)])
    )

    assert main(["audit", "find", str(path), "--about", "u_1499"]) == 1
    assert "1 calls concern more people" in capsys.readouterr().out
    assert main(["audit", "find", str(path), "--about", "u_999"]) == 0
    assert list(verify(path)) != []
