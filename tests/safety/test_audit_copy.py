"""Each entry of the audit log leaves the host, in order, however long nobody takes it."""

import asyncio
import json
from pathlib import Path

import pytest

from cio_mcp.client.collector import NotTaken
from cio_mcp.errors import SettingsError
from cio_mcp.safety.audit.copy import Copier
from cio_mcp.safety.audit.log import AuditLog, Entry
from cio_mcp.settings import load
from tests.agent import an_agent
from tests.client.wires import serving
from tests.safety.test_audit import clock

pytestmark = pytest.mark.anyio


class Collector:
    """Takes lines, unless it is `away`."""

    def __init__(self) -> None:
        self.taken: list[int] = []
        self.away = False
        self.slow = 0.0

    async def take(self, lines: bytes) -> None:
        await asyncio.sleep(self.slow)
        if self.away:
            raise NotTaken("the collector answers 503")
        self.taken += [json.loads(line)["number"] for line in lines.splitlines()]


def logging(path: Path, collector: Collector) -> tuple[AuditLog, Copier]:
    copier = Copier(path, collector.take)
    return AuditLog(path, clock, written=copier.wake), copier


def write(log: AuditLog, count: int = 1) -> None:
    for _ in range(count):
        log.refusal(Entry("r", "me", "send", "sends", {}), "no")


async def test_entries_are_copied_as_they_are_written(tmp_path: Path) -> None:
    collector = Collector()
    log, copier = logging(tmp_path / "audit.jsonl", collector)
    write(log, 2)
    await asyncio.sleep(0.1)
    write(log)
    await copier.aclose()

    assert collector.taken == [1, 2, 3]


async def test_while_the_collector_is_away_entries_wait_on_disk_and_no_call_does(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    collector = Collector()
    collector.away = True
    log, copier = logging(tmp_path / "audit.jsonl", collector)
    loop = asyncio.get_running_loop()
    begun = loop.time()
    for _ in range(50):
        write(log)
        await asyncio.sleep(0)
    assert loop.time() == begun
    await asyncio.sleep(300)
    assert copier.trouble == "the copy of the audit log lags behind: the collector answers 503"
    collector.away = False
    await asyncio.sleep(61)
    await copier.aclose()

    assert collector.taken == list(range(1, 51))
    assert copier.trouble == ""
    assert len([record for record in caplog.records if "lags behind" in record.message]) == 1


async def test_what_a_process_could_not_send_the_next_one_sends(tmp_path: Path) -> None:
    path, collector = tmp_path / "audit.jsonl", Collector()
    collector.away = True
    log, copier = logging(path, collector)
    write(log, 3)
    await copier.aclose()
    collector.away = False
    log, copier = logging(path, collector)
    write(log)
    await copier.aclose()

    assert collector.taken == [1, 2, 3, 4]


async def test_a_collector_that_hangs_does_not_hold_up_the_end(tmp_path: Path) -> None:
    collector = Collector()
    collector.slow = 3600
    log, copier = logging(tmp_path / "audit.jsonl", collector)
    begun = asyncio.get_running_loop().time()
    write(log)
    await copier.aclose()

    assert asyncio.get_running_loop().time() - begun <= 3


async def test_a_log_that_is_moved_away_is_copied_to_its_end_first(tmp_path: Path) -> None:
    path, collector = tmp_path / "audit.jsonl", Collector()
    log, copier = logging(path, collector)
    write(log, 2)
    await asyncio.sleep(1)
    collector.away = True
    write(log, 2)
    await asyncio.sleep(1)
    path.rename(tmp_path / "audit.1.jsonl")
    write(log, 2)
    collector.away = False
    await asyncio.sleep(120)
    await copier.aclose()

    assert collector.taken == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("copied", [0, 2])
async def test_logs_that_are_moved_away_one_after_the_other_are_all_copied_in_order(
    tmp_path: Path, copied: int
) -> None:
    path, collector = tmp_path / "audit.jsonl", Collector()
    collector.away = not copied
    (tmp_path / "another.jsonl").write_text('{"number":1,"previous":"0"}\n')
    log, copier = logging(path, collector)
    write(log, 2)
    await asyncio.sleep(1)
    collector.away = True
    for part in ("audit.jsonl.3", "audit.jsonl.2", "audit.jsonl.1"):
        write(log, 2)
        await asyncio.sleep(1)
        path.rename(tmp_path / part)
    write(log, 2)
    collector.away = False
    await asyncio.sleep(120)
    write(log)
    await copier.aclose()

    assert collector.taken == list(range(1, 12))


async def test_of_two_processes_that_share_a_log_each_entry_is_sent_once(tmp_path: Path) -> None:
    path, collector = tmp_path / "audit.jsonl", Collector()
    collector.slow = 0.5
    logs = [logging(path, collector) for _ in range(2)]
    for _ in range(5):
        for log, _ in logs:
            write(log)
            await asyncio.sleep(0.2)
    await asyncio.sleep(120)
    for _, copier in logs:
        await copier.aclose()

    assert collector.taken == list(range(1, 11))


async def test_an_end_that_a_writer_left_is_not_sent_before_it_is_ended(tmp_path: Path) -> None:
    path, taken = tmp_path / "audit.jsonl", []

    async def take(lines: bytes) -> None:
        taken.append(lines)

    copier = Copier(path, take)
    log = AuditLog(path, clock, written=copier.wake)
    write(log)
    with path.open("ab") as torn:
        torn.write(b'{"number":2')
    await asyncio.sleep(5)
    assert len(taken) == 1
    write(log)
    await asyncio.sleep(5)
    await copier.aclose()

    assert b"".join(taken) == path.read_bytes()


@pytest.mark.real_time
async def test_an_https_collector_gets_each_entry_as_a_line_of_json(tmp_path: Path) -> None:
    async with serving() as collector:
        path, place = str(tmp_path / "a.jsonl"), f"{collector.url}/in"
        async with an_agent(audit_log=path, audit_copy=place, audit_copy_token="collector-token") as agent:
            await agent.call("track_event", customer_id="u_1001", name="seen")

    head, _, body = collector.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /in HTTP/1.1")
    assert b"authorization: Bearer collector-token" in head.replace(b"Authorization", b"authorization")
    assert json.loads(body.splitlines()[0])["tool"] == "track_event"


@pytest.mark.real_time
async def test_a_syslog_receiver_gets_each_entry_as_a_message(tmp_path: Path) -> None:
    received = asyncio.Queue[bytes]()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.put_nowait(await reader.read())
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    async with server:
        place = f"syslog://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with an_agent(audit_log=str(tmp_path / "a.jsonl"), audit_copy=place) as agent:
            await agent.call("track_event", customer_id="u_1001", name="seen")
            told = await received.get()

    length, _, rest = told.partition(b" ")
    message = rest[: int(length)]
    assert message.startswith(b"<110>1 - - cio-mcp - audit - {")
    assert json.loads(message[message.index(b"{") :])["tool"] == "track_event"


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"CIO_AUDIT_COPY": "https://c.example"}, "CIO_AUDIT_LOG: is missing"),
        ({"CIO_AUDIT_READS": "true"}, "CIO_AUDIT_LOG: is missing"),
        ({"CIO_AUDIT_LOG": "a", "CIO_AUDIT_COPY": "http://c.example"}, "must be an https address"),
        ({"CIO_AUDIT_LOG": "a", "CIO_AUDIT_COPY": "https://u:p@c.example"}, "must be an https address"),
        ({"CIO_AUDIT_LOG": "a", "CIO_AUDIT_COPY": "syslog://"}, "must be an https address"),
    ],
)
def test_a_copy_that_could_not_be_made_stops_the_start(variables: dict[str, str], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        load(variables)


async def test_what_is_recorded_after_the_end_begins_no_copy(tmp_path: Path) -> None:
    collector = Collector()
    log, copier = logging(tmp_path / "audit.jsonl", collector)
    write(log)
    await copier.aclose()
    others = asyncio.all_tasks()
    write(log)
    log.close()

    assert asyncio.all_tasks() == others
    assert collector.taken == [1]
