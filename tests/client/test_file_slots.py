"""One budget for all processes of a host. Here two clients over one file stand for two processes."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Timer

import pytest

from cio_mcp.client import CustomerIO, RequestKind, TrackApi
from cio_mcp.client.access import Access
from cio_mcp.client.pacing import Bucket, Limits
from cio_mcp.client.pacing.bucket_file import look
from cio_mcp.client.pacing.file_slots import FileSlots
from cio_mcp.client.pacing.slots import Lease, Wait
from tests.client.wires import TRACK_URL, Script, most_in_a_window
from tests.virtual_time import VirtualTimeLoop

pytestmark = pytest.mark.anyio


def now() -> float:
    return asyncio.get_running_loop().time()


@asynccontextmanager
async def a_process(
    path: Path, wire: Script, *, workspace: str = "one", limits: Limits | None = None
) -> AsyncIterator[CustomerIO]:
    """Run a client as a process of its own would: with its own connection to the file."""
    access = Access("track", TRACK_URL, "Basic c2l0ZTprZXk=", workspace=workspace)
    client = CustomerIO(
        wire,
        [access],
        limits=limits or Limits(),
        deadline=100,
        user_agent="cio-mcp/test",
        slots=FileSlots(path),
        jitter=lambda: 1.0,
    )
    try:
        yield client
    finally:
        await client.aclose()


async def events(client: CustomerIO, count: int) -> None:
    await asyncio.gather(
        *(
            client.api(TrackApi, client.begin()).post("/api/v1/events", {}, kind=RequestKind.REPEATABLE)
            for _ in range(count)
        )
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "pace.db"


@pytest.mark.repeating
async def test_two_processes_together_keep_to_one_limit_and_use_it(path: Path) -> None:
    wire = Script(latency=0.01)
    async with a_process(path, wire) as one, a_process(path, wire) as other:
        await asyncio.gather(events(one, 400), events(other, 400))

    steady = [at for at in wire.times if at > wire.times[0] + 2]
    assert most_in_a_window(wire.times) <= 100
    assert (len(steady) - 1) / (steady[-1] - steady[0]) >= 97


async def test_two_workspaces_do_not_share_a_budget(path: Path) -> None:
    wire = Script()
    async with a_process(path, wire, workspace="one") as one, a_process(path, wire, workspace="two") as two:
        await asyncio.gather(events(one, 10), events(two, 10))

    assert len(set(wire.times)) == 1


async def test_processes_with_different_shares_never_exceed_the_larger(path: Path) -> None:
    wire = Script()
    half = Limits(share=0.5)
    async with a_process(path, wire) as one, a_process(path, wire, limits=half) as other:
        await asyncio.gather(events(one, 300), events(other, 150))

    assert most_in_a_window(wire.times) <= 100


async def test_what_a_killed_process_had_leased_is_free_again_after_the_lease(path: Path) -> None:
    bucket = Bucket("track", 2, 1.0, "one")
    killed = FileSlots(path)
    for _ in range(2):
        assert isinstance(await killed.lease(bucket, 0.02, 1.0, 1), Lease)
    await killed.aclose()
    begun = now()
    wire = Script()
    async with a_process(path, wire, limits=Limits(track=2)) as client:
        await events(client, 1)

    assert wire.times[0] - begun == pytest.approx(1.25, abs=0.01)


async def leased(slots: FileSlots, bucket: Bucket) -> list[Lease]:
    """Lease all that is free."""
    leases = []
    while isinstance(got := await slots.lease(bucket, 0.02, 1.0, 1), Lease):
        leases.append(got)
    return leases


async def test_what_a_process_leased_together_and_did_not_use_is_soon_free_for_the_others(path: Path) -> None:
    bucket = Bucket("track", 1000, 60, "one")
    one, other = FileSlots(path), FileSlots(path)
    assert isinstance(await one.lease(bucket, 0.02, 1.0, 1), Lease)

    assert len(await leased(other, bucket)) == 990
    await asyncio.sleep(0.06)
    assert len(await leased(other, bucket)) == 9
    for slots in (one, other):
        await slots.aclose()


async def test_what_was_leased_together_is_not_used_before_it_is_free(path: Path) -> None:
    slots, bucket = FileSlots(path), Bucket("track", 200, 60, "one")
    for lease in await leased(slots, bucket):
        await slots.rest(bucket, lease, 0.01)
    assert isinstance(await slots.lease(bucket, 0.02, 1.0, 1), Lease)

    assert isinstance(slots.lease_now(bucket, 1.0), Wait)
    await asyncio.sleep(0.01)
    assert isinstance(slots.lease_now(bucket, 1.0), Lease)
    await slots.aclose()


async def test_a_process_that_was_stopped_does_not_send_on_what_it_leased_before(path: Path) -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualTimeLoop)
    slots, bucket = FileSlots(path), Bucket("track", 1000, 1, "one")
    await slots.lease(bucket, 0.02, 1.0, 1)
    loop.jump(3)
    got = await slots.lease(bucket, 0.02, 1.0, 1)
    await slots.aclose()

    assert isinstance(got, Lease)
    assert got.start == now()


async def test_a_429_holds_back_the_other_process_too(path: Path) -> None:
    wire = Script([429])
    async with a_process(path, wire) as one, a_process(path, wire) as other:
        await events(one, 1)
        await one.aclose()
        begun = wire.times[0]
        await events(other, 1)

    assert wire.times[1] - begun >= 0.25


async def test_a_file_that_another_process_holds_stops_neither_the_loop_nor_the_calls(path: Path) -> None:
    async with a_process(path, Script()) as client:
        await events(client, 1)
        holder = sqlite3.connect(path, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        call = asyncio.create_task(events(client, 1))
        await asyncio.sleep(3)
        assert not call.done()
        holder.execute("ROLLBACK")
        holder.close()
        released = now()
        await call

    assert now() - released <= 0.06


async def test_a_file_that_fails_later_leaves_this_process_a_part_of_the_limit(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    wire = Script()
    async with a_process(path, wire) as client:
        await events(client, 1)
        breaker = sqlite3.connect(path, isolation_level=None)
        breaker.execute("DROP TABLE slot")
        breaker.close()
        await asyncio.sleep(5)
        await events(client, 100)

    assert 24 <= most_in_a_window(wire.times) <= 26
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


async def test_times_from_before_a_reboot_are_forgotten(path: Path) -> None:
    before = FileSlots(path)
    bucket = Bucket("track", 1, 1.0, "one")
    lease = await before.lease(bucket, 0.02, 1.0, 1)
    assert isinstance(lease, Lease)
    await before.rest(bucket, lease, 90_000)
    await before.shut(bucket, 90_000)
    await before.aclose()
    wire, begun = Script(), now()
    async with a_process(path, wire, limits=Limits(track=1)) as client:
        await events(client, 1)

    assert wire.times == [begun]


async def test_a_file_that_another_process_is_just_making_is_waited_for(path: Path) -> None:
    path.parent.mkdir()
    maker = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    maker.execute("BEGIN IMMEDIATE")
    Timer(0.1, maker.execute, ["COMMIT"]).start()

    await FileSlots(path).aclose()
    maker.close()


async def test_a_place_that_cannot_be_written_is_an_error_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"File exists|Not a directory"):
        FileSlots(tmp_path / "file" / "pace.db")
    (tmp_path / "text.db").write_text("no database, but some text that is long enough to be looked at" * 20)
    with pytest.raises(sqlite3.DatabaseError):
        FileSlots(tmp_path / "text.db")


async def test_the_file_shows_what_is_used_and_who_waits(path: Path) -> None:
    wire = Script(latency=0.2)
    async with a_process(path, wire, limits=Limits(track=10)) as client:
        call = asyncio.create_task(events(client, 15))
        await asyncio.sleep(0.1)
        (shown,) = look(path, now())
        await call

    assert (shown.name, shown.limit, shown.used, shown.processes) == ("track", 10, 10, 1)
    assert shown.waiting == 5
    assert look(path.with_name("other.db"), 0) == []
