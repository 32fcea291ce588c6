"""What coverage measures in this process: what modules do when they are imported, once, and then tests.

Tracing takes as long again as what is traced, so it stops during collection, in processes that start anew and
in tests that run the same lines again and again. pytest loads this plugin before it imports a test.
"""

import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from importlib import import_module
from pkgutil import walk_packages

import pytest
from coverage import Coverage
from hypothesis import is_hypothesis_test

import cio_mcp

# Tests with these marks, and those of all that Hypothesis finds, are not measured.
REPEATING = {"exhaustive", "repeating"}

WORKER = "PYTEST_XDIST_WORKER" in os.environ

# What the process that others are forked from finds in its environment besides (see processes.py): forks are
# measured, as the tests that start them are, but no process that starts anew.
fork_environ: dict[str, str] = {}

_coverage: Coverage | None = None


def _pause() -> Coverage | None:
    """Stop what measures, if anything does, and return it."""
    if measuring := Coverage.current():
        measuring.stop()
    if config := os.environ.pop("COVERAGE_PROCESS_CONFIG", None):
        fork_environ["COVERAGE_PROCESS_CONFIG"] = config
    return measuring


def pytest_load_initial_conftests() -> None:
    """Import all modules, but not in a process of xdist's, where what was measured until now is lost."""
    global _coverage  # noqa: PLW0603
    if Coverage.current() and not WORKER:
        for module in walk_packages(cio_mcp.__path__, "cio_mcp."):
            if not module.name.endswith("__main__"):
                import_module(module.name)
    _coverage = _pause()


@pytest.hookimpl(trylast=True)
def pytest_sessionstart() -> None:
    """Keep what pytest-cov has started by now in a process of xdist's."""
    global _coverage  # noqa: PLW0603
    if WORKER:
        _coverage = _pause()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Measure a test with its fixtures, if it is to be measured."""
    repeating = any(mark.name in REPEATING for mark in item.iter_markers())
    if not _coverage or repeating or is_hypothesis_test(getattr(item, "obj", None)):
        return (yield)
    _coverage.start()
    try:
        return (yield)
    finally:
        _coverage.stop()


@contextmanager
def unmeasured() -> Iterator[None]:
    """Measure nothing that goes on inside."""
    measuring = Coverage.current()
    if measuring:
        measuring.stop()
    try:
        yield
    finally:
        if measuring:
            measuring.start()
