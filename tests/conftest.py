"""What tests share: virtual time, a server with the sandbox behind it, a Redis."""

import gc
import os
import shutil
import sys
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from jsonschema import Draft202012Validator
from mcp.client.session import ClientSession
from mcp.types import CallToolResult

from cio_mcp.tools.every import TOOLS
from tests.agent import Agent, an_agent
from tests.measuring import unmeasured
from tests.redis_server import RedisServer, serving_redis
from tests.virtual_time import VirtualTimeLoop

os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", ".cache/hypothesis")

# A disk takes longer to keep what the tests have in databases than most tests take: where there is room in
# memory, their files are there. What failed leaves them for a look.
MEMORY = Path("/dev/shm")
if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > 2**30:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))

# The same examples in every run: what is judged is the change, and not how busy the machine is.
# `--hypothesis-profile=default` finds others.
settings.register_profile(
    "same", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("same")

# The test that runs now, if it is not marked as one that starts processes.
unmarked: pytest.Item | None = None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out on Windows what starts processes: they are forks (compat/hosts.py starts others)."""
    for item in items:
        if sys.platform == "win32" and item.get_closest_marker("processes"):
            item.add_marker(pytest.mark.skip(reason="processes are forks"))


def pytest_collection_finish() -> None:
    """Spare the garbage collector what stays until the end."""
    gc.collect()
    gc.freeze()


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
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, object]]:
    """Run asynchronous tests on virtual time, but for those that processes or sockets answer."""
    real = any(request.node.get_closest_marker(name) for name in ("processes", "real_time"))
    return "asyncio", {} if real else {"loop_factory": VirtualTimeLoop}


@pytest.fixture(scope="session")
def states(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Provide folders of one folder: pytest looks through all that it has made before it makes another."""
    folder = tmp_path_factory.mktemp("states")
    return (folder / str(number) for number in count())


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, states: Iterator[Path]) -> None:
    """Keep the settings, the state and the proxies of whoever runs the tests out of them."""
    for name in list(os.environ):
        if name.startswith(("CIO_", "CUSTOMERIO_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    state = next(states)
    state.mkdir()
    for name in ("XDG_STATE_HOME", "WIN_PD_OVERRIDE_LOCAL_APPDATA"):
        monkeypatch.setenv(name, str(state))


@pytest.fixture(autouse=True, scope="session")
def tools_listed_once() -> Iterator[None]:
    """Let the SDK's clients hold answers to the output schemas of our tools without asking for them.

    They would list all tools before the first answer in every test, which takes longer than most tests.
    That what is listed is what `TOOLS` holds is tried in server/test_server.py.
    """
    tools = {tool.name: tool for tool in TOOLS}
    ask = ClientSession.validate_tool_result

    @cache
    def validator(name: str) -> Draft202012Validator:
        return Draft202012Validator(tools[name].output_schema)

    async def validate(session: ClientSession, name: str, result: CallToolResult) -> None:
        if name in tools:
            validator(name).validate(result.structured_content)
        else:
            await ask(session, name, result)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ClientSession, "validate_tool_result", validate)
        yield


@asynccontextmanager
async def ready_agent(**options: Any) -> AsyncIterator[Agent]:
    """Start an agent as most tests begin, which is measured where a test starts one itself."""
    async with AsyncExitStack() as stack:
        with unmeasured():
            playing = await stack.enter_async_context(an_agent(**options))
        yield playing


@pytest.fixture
async def agent() -> AsyncIterator[Agent]:
    """Provide an agent on a fresh sandbox."""
    async with ready_agent() as playing:
        yield playing


@pytest.fixture
async def storied() -> AsyncIterator[Agent]:
    """Provide an agent on a fresh sandbox with its whole story."""
    async with ready_agent(whole=True) as playing:
        yield playing


@pytest.fixture
async def asked() -> AsyncIterator[Agent]:
    """Provide an agent on a fresh sandbox whose calls have to be confirmed."""
    async with ready_agent(confirm="preview") as playing:
        yield playing


@pytest.fixture(scope="session")
def running_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Provide the Redis that all tests use."""
    with serving_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def redis(running_redis: RedisServer) -> RedisServer:
    """Provide an empty Redis."""
    running_redis.reset()
    return running_redis
