"""What a power cut can take from the audit log, and what it cannot: an intent, before anything leaves."""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest

from cio_mcp.cli import main
from cio_mcp.safety.audit.form import read_head
from cio_mcp.safety.audit.lock import companion
from cio_mcp.safety.audit.log import AuditLog, Entry
from cio_mcp.safety.audit.verify import lines, verify
from cio_mcp.server.server import Server
from tests.agent import MISSING, an_agent
from tests.safety.test_audit import EMAIL, clock, faults, notes

pytestmark = pytest.mark.anyio


class Disk:
    """A disk that tells how often something was brought to it, and can lose the rest or be full."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.visits, self.size = 0, 0
        self.broken = False

    def sync(self, file: int) -> None:
        if self.broken:
            raise OSError(5, "Input/output error")
        self.visits += 1
        self.size = os.fstat(file).st_size

    def cut_power(self) -> None:
        os.truncate(self.path, self.size)


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    return Disk(tmp_path / "audit.jsonl")


def entry(request: str) -> Entry:
    return Entry(request, "me", "send", "sends", {"to": request})


async def send(log: AuditLog, request: str) -> None:
    log.intent(entry(request))
    await log.begin()
    log.outcome(request, "queued")


async def test_a_power_cut_takes_outcomes_of_the_last_moment_and_their_calls_read_as_unknown(
    disk: Disk, capsys: pytest.CaptureFixture[str]
) -> None:
    log = AuditLog(disk.path, clock, to_disk=disk.sync)
    await send(log, "one")
    await send(log, "two")
    assert [line["kind"] for line in lines(disk.path)] == ["intent", "outcome"] * 2

    disk.cut_power()
    assert [line["kind"] for line in lines(disk.path)] == ["intent", "outcome", "intent"]
    assert faults(disk.path) == []
    assert [note.partition(",")[0].partition(":")[0] for note in notes(disk.path)] == [
        "1 line is missing",
        "has no outcome",
    ]

    after = AuditLog(disk.path, clock, to_disk=disk.sync)
    await send(after, "three")
    after.close()
    assert faults(disk.path) == []
    assert [line["number"] for line in lines(disk.path)] == [1, 2, 3, 4, 5]
    assert any(note.startswith("before it, 1 line is missing") for note in notes(disk.path))
    assert main(["audit", "verify", str(disk.path)]) == 0
    assert "no outcome" in capsys.readouterr().out


async def test_a_power_cut_before_the_first_line_is_on_the_disk_leaves_a_log_to_go_on_with(
    disk: Disk,
) -> None:
    log = AuditLog(disk.path, clock, to_disk=disk.sync)
    log.refusal(entry("one"), "no")
    disk.cut_power()
    assert [line.note for line in verify(disk.path)] == [True]

    await send(AuditLog(disk.path, clock, to_disk=disk.sync), "two")
    assert faults(disk.path) == []


async def test_lines_that_were_on_the_disk_are_not_taken_by_a_power_cut(disk: Disk) -> None:
    log = AuditLog(disk.path, clock, to_disk=disk.sync)
    await send(log, "one")
    await asyncio.sleep(0.2)
    disk.cut_power()
    assert list(verify(disk.path)) == []

    os.truncate(disk.path, len(disk.path.read_bytes().splitlines(keepends=True)[0]))
    assert faults(disk.path) == ["the end is cut off: 1 line is missing"]
    await send(log, "two")
    log.close()
    assert "does not follow the line before it" in faults(disk.path)


async def test_what_is_recorded_is_on_the_disk_a_moment_later_and_at_the_latest_at_the_end(
    disk: Disk,
) -> None:
    log = AuditLog(disk.path, clock, to_disk=disk.sync)
    log.refusal(entry("one"), "no")
    assert disk.visits == 0
    await asyncio.sleep(0.11)
    assert disk.size == disk.path.stat().st_size

    log.refusal(entry("two"), "no")
    log.close()
    assert disk.size == disk.path.stat().st_size
    assert list(verify(disk.path)) == []


async def test_calls_at_the_same_moment_share_a_visit_to_the_disk(disk: Disk) -> None:
    log = AuditLog(disk.path, clock, to_disk=disk.sync)
    await asyncio.gather(*(send(log, str(number)) for number in range(50)))
    assert disk.visits == 1

    await send(log, "more")
    assert disk.visits == 2


async def test_the_outcomes_of_one_call_come_to_the_disk_with_the_next_intent(disk: Disk) -> None:
    log = AuditLog(disk.path, clock, to_disk=disk.sync)
    for number in range(10):
        await send(log, str(number))
    assert disk.visits == 10


async def test_an_intent_that_does_not_come_to_the_disk_is_told_and_the_next_can(
    disk: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    log = AuditLog(disk.path, clock, to_disk=disk.sync)
    disk.broken = True
    with pytest.raises(OSError, match="Input/output error"):
        await send(log, "one")
    assert "perhaps not on the disk" in caplog.text
    log.close()

    disk.broken = False
    await send(log, "two")
    assert [line["request"] for line in lines(disk.path)] == ["one", "two", "two"]


async def test_a_log_whose_first_writer_was_killed_at_once_is_gone_on_with_after_it_was_moved_away(
    disk: Disk, tmp_path: Path
) -> None:
    killed = AuditLog(disk.path, clock, to_disk=disk.sync)
    for number in range(3):
        killed.intent(entry(str(number)))
    old = disk.path.rename(tmp_path / "old.jsonl")

    AuditLog(disk.path, clock, to_disk=disk.sync).refusal(entry("next"), "no")
    assert [line.what for line in verify(old, disk.path) if not line.note] == []


async def test_a_log_that_is_moved_away_comes_to_the_disk_too(disk: Disk, tmp_path: Path) -> None:
    synced = set[int]()
    log = AuditLog(disk.path, clock, to_disk=lambda file: synced.add(os.fstat(file).st_ino))
    log.refusal(entry("one"), "no")
    old = disk.path.rename(tmp_path / "old.jsonl")
    await send(log, "two")
    log.close()

    assert synced == {old.stat().st_ino, disk.path.stat().st_ino}
    assert list(verify(old, disk.path)) == []


async def test_a_full_log_that_was_removed_gives_its_room_back_at_the_next_call(disk: Disk) -> None:
    resource = pytest.importorskip("resource")
    log = AuditLog(disk.path, clock, to_disk=disk.sync)
    await send(log, "one")
    log.close()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (disk.path.stat().st_size, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            log.intent(entry("two"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    held = removed_files()
    disk.path.unlink()
    assert removed_files() == held + 1

    log.intent(entry("three"))
    assert removed_files() == held
    log.close()


def removed_files() -> int:
    """Return how many files that have no name any more are open."""
    count = 0
    for number in range(256):
        with suppress(OSError):
            count += os.fstat(number).st_nlink == 0
    return count


@pytest.fixture
def sizes(monkeypatch: pytest.MonkeyPatch) -> dict[int, int]:
    """Tell the sizes of files, by number, when the system brought them to the disk."""
    sizes = dict[int, int]()

    def fdatasync(file: int) -> None:
        found = os.fstat(file)
        sizes[found.st_ino] = found.st_size

    monkeypatch.setattr(os, "fdatasync", fdatasync)
    return sizes


async def test_an_intent_is_on_the_disk_before_anything_leaves_and_an_outcome_written_before_the_answer(
    tmp_path: Path, sizes: dict[int, int]
) -> None:
    path = tmp_path / "audit.jsonl"
    safe = list[tuple[str, bytes]]()

    def meet(request: httpx.Request) -> None:
        if request.method == "POST":
            safe.append((request.url.path, path.read_bytes()[: sizes.get(path.stat().st_ino, 0)]))

    async with an_agent(audit_log=str(path)) as agent:
        agent.wire.meets = meet
        for number in range(3):
            await agent.call("send_transactional_email", **EMAIL)
            assert len(list(lines(path))) == 2 * (number + 1)
        on_disk = sizes[path.stat().st_ino]

    assert [(route, found.count(b'"intent"')) for route, found in safe] == [
        ("/v1/send/email", number) for number in (1, 2, 3)
    ]
    assert on_disk < path.stat().st_size == sizes[path.stat().st_ino]


async def test_nothing_leaves_if_its_intent_does_not_come_to_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fdatasync(_: int) -> None:
        raise OSError(28, "No space left on device")

    async with an_agent(audit_log=str(tmp_path / "audit.jsonl"), max_sends_per_hour="5") as agent:
        with monkeypatch.context() as patch:
            patch.setattr(os, "fdatasync", fdatasync)
            text = await agent.fail("send_transactional_email", **EMAIL)
        assert "CIO_AUDIT_LOG) cannot be written: No space left on device" in text
        assert not any(request.url.path.startswith("/v1/send") for request in agent.wire.requests)
        assert (await agent.call("server_status"))["caps"][0]["left"] == 5
        await agent.call("send_transactional_email", **EMAIL)


def test_nothing_leaves_if_no_thread_can_bring_its_intent_to_the_disk_and_the_next_call_does(
    tmp_path: Path,
) -> None:
    async def left() -> int:
        async with an_agent(audit_log=str(tmp_path / "audit.jsonl"), max_sends_per_hour="5") as agent:
            loop, none = asyncio.get_running_loop(), ThreadPoolExecutor()
            none.shutdown()
            loop.set_default_executor(none)
            text = await agent.fail("send_transactional_email", **EMAIL)
            assert "CIO_AUDIT_LOG) cannot be written" in text
            assert agent.sent == []
            loop.set_default_executor(ThreadPoolExecutor())
            await agent.call("send_transactional_email", **EMAIL)
            left: int = (await agent.call("server_status"))["caps"][0]["left"]
            return left

    assert asyncio.run(left()) == 4


def test_a_call_that_is_cancelled_while_its_intent_comes_to_the_disk_is_not_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, begun, go_on = tmp_path / "audit.jsonl", Event(), Event()

    def fdatasync(_: int) -> None:
        begun.set()
        assert go_on.wait(30)

    async def cancelled() -> int:
        async with an_agent(audit_log=str(path), max_sends_per_hour="5") as agent:
            monkeypatch.setattr(os, "fdatasync", fdatasync)
            call = asyncio.create_task(
                Server(agent.app).call_tool("send_transactional_email", EMAIL | MISSING)
            )
            await asyncio.to_thread(begun.wait, 30)
            call.cancel()
            await asyncio.wait([call])
            go_on.set()
            assert not any(request.url.path.startswith("/v1/send") for request in agent.wire.requests)
            left: int = (await agent.call("server_status"))["caps"][0]["left"]
            return left

    assert asyncio.run(cancelled()) == 5
    assert [line.get("outcome") for line in lines(path)] == [None, "not_sent"]
    assert list(verify(path)) == []


def test_who_is_reached_is_looked_up_while_the_intent_comes_to_the_disk_and_nothing_leaves_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = Event(), Event()

    def fdatasync(_: int) -> None:
        begun.set()
        assert go_on.wait(30)

    async def paths() -> tuple[list[str], list[str]]:
        log = str(tmp_path / "audit.jsonl")
        async with an_agent(audit_log=log, allowed_recipients="example.com") as agent:
            looked_up = asyncio.Event()
            agent.wire.meets = lambda _: looked_up.set()
            monkeypatch.setattr(os, "fdatasync", fdatasync)
            sending = asyncio.create_task(agent.call("send_transactional_email", **EMAIL))
            await asyncio.gather(looked_up.wait(), asyncio.to_thread(begun.wait, 30))
            for _ in range(9):
                await asyncio.to_thread(begun.wait)
            before = [request.url.path for request in agent.wire.requests]
            go_on.set()
            await sending
            return before, [request.url.path for request in agent.wire.requests]

    before, after = asyncio.run(paths())
    assert before == ["/v1/customers/attributes"]
    assert after == [*before, "/v1/send/email"]


async def test_whom_a_look_up_keeps_from_being_reached_is_an_intent_that_was_refused_and_not_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "audit.jsonl"
    bounds: dict[str, Any] = {"allowed_recipients": "ada@example.com", "max_sends_per_hour": "5"}
    async with an_agent(audit_log=str(path), **bounds) as agent:
        text = await agent.fail("send_transactional_email", **EMAIL | {"customer_id": "u_1005"})
        assert (await agent.call("server_status"))["caps"][0]["left"] == 5

    assert "CIO_ALLOWED_RECIPIENTS" in text
    assert [line["kind"] for line in lines(path)] == ["intent", "outcome", "refusal"]
    assert [line.get("outcome") for line in lines(path)] == [None, "not_sent", None]
    assert list(verify(path)) == []
    assert main(["audit", "show", str(path)]) == 0
    (told,) = capsys.readouterr().out.splitlines()
    assert "refused here: CIO_ALLOWED_RECIPIENTS does not include 1 recipients" in told


def test_calls_go_on_during_a_visit_to_the_disk_and_a_log_that_is_closed_then_is_whole(disk: Disk) -> None:
    begun, go_on = Event(), Event()

    def to_disk(file: int) -> None:
        if not begun.is_set():
            begun.set()
            assert go_on.wait(30)
        disk.sync(file)

    async def meanwhile() -> None:
        log = AuditLog(disk.path, clock, to_disk=to_disk)
        visit = asyncio.create_task(send(log, "one"))
        await asyncio.to_thread(begun.wait, 30)
        also = asyncio.ensure_future(log.begin())
        for _ in range(9):
            await asyncio.to_thread(begun.wait)
        assert not visit.done()
        assert not also.done()
        log.close()
        assert (disk.visits, on_disk()) == (1, 1)
        go_on.set()
        await asyncio.gather(visit, also)
        log.close()

    def on_disk() -> int | None:
        head = read_head(disk.path)
        return head and head.on_disk

    asyncio.run(meanwhile())
    assert on_disk() == 2
    assert list(verify(disk.path)) == []


def test_a_head_is_for_its_owner_alone_and_follows_no_link(tmp_path: Path) -> None:
    log, other = AuditLog(tmp_path / "audit.jsonl", clock), tmp_path / "other"
    other.write_text("mine")
    companion(tmp_path / "audit.jsonl", "head").symlink_to(other)
    with pytest.raises(OSError, match="symbolic link"):
        log.refusal(entry("one"), "no")
    assert other.read_text() == "mine"

    companion(tmp_path / "audit.jsonl", "head").unlink()
    companion(tmp_path / "audit.jsonl", "head").touch(mode=0o644)
    log.refusal(entry("two"), "no")
    assert companion(tmp_path / "audit.jsonl", "head").stat().st_mode & 0o077 == 0
