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
from coverage import Coverage, process_startup
from hypothesis import is_hypothesis_test

import cio_mcp

# Tests with these marks, and those of all that Hypothesis finds, are not measured.
REPEATING = {"exhaustive", "repeating"}

# What coverage is told by, in a process that starts.
CONFIG = "COVERAGE_PROCESS_CONFIG"

_coverage: Coverage | None = None
_config = ""


def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Import all modules where tests will run, which is where xdist starts no process."""
    global _coverage, _config  # noqa: PLW0603
    _coverage = Coverage.current()
    if not _coverage:
        return
    if "PYTEST_XDIST_WORKER" in os.environ or not early_config.known_args_namespace.numprocesses:
        for module in walk_packages(cio_mcp.__path__, "cio_mcp."):
            if not module.name.endswith("__main__"):
                import_module(module.name)
        _config = os.environ.pop(CONFIG)
    _coverage.stop()


def _start(coverage: Coverage) -> None:
    coverage.start()
    os.environ.pop(CONFIG)  # each start sets it


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Measure a test with its fixtures, if it is to be measured."""
    repeating = any(mark.name in REPEATING for mark in item.iter_markers())
    if not _coverage or repeating or is_hypothesis_test(getattr(item, "obj", None)):
        return (yield)
    _start(_coverage)
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
            _start(measuring)


def for_forks() -> str:
    """Return what `measure` takes in a process that the test which runs now forks."""
    return _config if Coverage.current() else ""


def measure(config: str) -> None:
    """Measure this process from now on, if the test that forked it is measured."""
    if config:
        os.environ[CONFIG] = config
        process_startup()
        os.environ.pop(CONFIG)
