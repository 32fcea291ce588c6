"""What tests share: virtual time, and a server with the sandbox behind it."""

import os
from collections.abc import AsyncIterator

import pytest

from tests.agent import Agent, an_agent
from tests.virtual_time import VirtualTimeLoop


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
