"""What tests share: virtual time, a server with the sandbox behind it, a Redis."""

import os
import sys
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path

import pytest

from tests.agent import Agent, an_agent
from tests.redis_server import RedisServer, serving_redis
from tests.virtual_time import VirtualTimeLoop

os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", ".cache/hypothesis")

# The test that runs now, if it is not marked as one that starts processes.
unmarked: pytest.Item | None = None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Keep the mark right: without it a test that starts a process would stay in the fast part."""
    global unmarked  # noqa: PLW0603
    unmarked = None if item.get_closest_marker("processes") else item
    return (yield)


def refuse_processes(event: str, _: object) -> None:
    if event == "subprocess.Popen" and unmarked:
        message = f"{unmarked.nodeid} starts a process: mark it with pytest.mark.processes"
        raise RuntimeError(message)


sys.addaudithook(refuse_processes)


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    """Run asynchronous tests on virtual time."""
    return "asyncio", {"loop_factory": VirtualTimeLoop}


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep the settings, the state and the proxies of whoever runs the tests out of them."""
    for name in list(os.environ):
        if name.startswith(("CIO_", "CUSTOMERIO_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))


@pytest.fixture
async def agent() -> AsyncIterator[Agent]:
    """Provide an agent on a fresh sandbox."""
    async with an_agent() as playing:
        yield playing


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    """Provide a Redis of the test's own."""
    with serving_redis(tmp_path) as server:
        yield server
