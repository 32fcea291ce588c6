"""The plugin of pytest: the fixture `customerio_sandbox`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from cio_mcp.testing.world import World
    from cio_mcp.testing.worlds import Worlds


@pytest.fixture(scope="session")
def customerio_sandboxes() -> "Iterator[Worlds]":
    """Provide what makes sandboxes."""
    from cio_mcp.testing.worlds import Worlds  # noqa: PLC0415 - most who have the plugin use none of it

    with Worlds() as worlds:
        yield worlds


@pytest.fixture
def customerio_sandbox(customerio_sandboxes: "Worlds") -> "Iterator[World]":
    """Provide a Customer.io of this test's own, with sample data, on a port of its own."""
    with customerio_sandboxes.fresh() as world:
        yield world
