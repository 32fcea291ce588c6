"""What a server has counted, as Prometheus reads it: its text format, version 0.0.4.

The format is written here and not by a library: most figures are only looked up when somebody asks, and what
is left is shorter than a library's set-up. No label holds what a client or Customer.io made up, so there are
never more series than there are tools, outcomes, limits, caps, paths and statuses, and nothing to escape.
"""

import platform
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from itertools import accumulate
from typing import Literal, NamedTuple

from cio_mcp import __version__
from cio_mcp.app.application import App
from cio_mcp.app.catalogue import OpenWorkspace
from cio_mcp.client.counts import Histogram
from cio_mcp.errors import CustomerIOError

Labels = Mapping[str, str]

# Answers over HTTP by path and status, and open sessions by transport, as whoever serves has counted them.
Answers = Mapping[tuple[str, int], int]
Sessions = Mapping[str, int]


class Metric(NamedTuple):
    """One metric: its name without the prefix, its type, what it tells, and its values by their labels."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    purpose: str
    samples: Iterable[tuple[Labels, float | Histogram]]


async def exposition(app: App, answers: Answers, sessions: Sessions) -> str:
    """Return the metrics of a server as they are now."""
    lines: list[str] = []
    left = [one for where, opened in _workspaces(app) for one in _by("cap", await _sends_left(opened), where)]
    for metric in (*_calls(app), *_requests(app), *_server(app, answers, sessions, left)):
        name = f"cio_mcp_{metric.name}"
        lines += f"# HELP {name} {metric.purpose}", f"# TYPE {name} {metric.kind}"
        for labels, value in metric.samples:
            lines += (
                _histogram(name, labels, value)
                if isinstance(value, Histogram)
                else [_line(name, labels, value)]
            )
    return "\n".join((*lines, ""))


def _calls(app: App) -> Iterator[Metric]:
    calls = app.calls
    ended = [({"tool": tool, "outcome": end}, count) for (tool, end), count in calls.outcomes.items()]
    yield Metric("calls_total", "counter", "Calls of tools, by how they ended.", ended)
    took = [({"tool": tool}, seconds) for tool, seconds in calls.seconds.items()]
    yield Metric("call_seconds", "histogram", "How long calls took, waits included.", took)


def _requests(app: App) -> Iterator[Metric]:
    seen = [
        ({**where, "limit": name}, found)
        for where, opened in _workspaces(app)
        for name, found in opened.client.counts.items()
    ]
    ends = [({**labels, "status": end}, n) for labels, found in seen for end, n in found.ends.items()]
    yield Metric("requests_total", "counter", "Requests to Customer.io, by how they ended.", ends)
    retries = [(labels, found.retries) for labels, found in seen]
    yield Metric("retries_total", "counter", "Requests that repeated an earlier one.", retries)
    waits = [(labels, found.waits) for labels, found in seen]
    yield Metric("wait_seconds", "histogram", "How long requests waited for their turn.", waits)
    queue: list[tuple[Labels, float]] = []
    failures: list[tuple[Labels, float]] = []
    for where, opened in _workspaces(app):
        limits = opened.client.counts
        waiting, failing = dict.fromkeys(limits, 0), dict.fromkeys(limits, 0)
        for state in opened.client.buckets():
            waiting[state.bucket.name] += state.waiting
            failing[state.bucket.name] |= state.failing_with is not None
        queue += _by("limit", waiting, where)
        failures += _by("limit", failing, where)
    yield Metric("queue", "gauge", "Requests waiting for their turn now.", queue)
    yield Metric("failing", "gauge", "1 while an API fails and is not called.", failures)


def _server(
    app: App, answers: Answers, sessions: Sessions, left: list[tuple[Labels, float]]
) -> Iterator[Metric]:
    yield Metric("sends_left", "gauge", "Recipients that a cap still allows.", left)
    shared = [(where, int(not opened.client.trouble)) for where, opened in _workspaces(app)]
    yield Metric("pace_shared", "gauge", "0 while limits are not shared as they should be.", shared)
    answered = [({"path": path, "status": str(status)}, n) for (path, status), n in answers.items()]
    yield Metric("http_answers_total", "counter", "Answers over HTTP, by path and status.", answered)
    yield Metric("sessions", "gauge", "Sessions that are open now.", _by("transport", sessions, {}))
    build = {"version": __version__, "mcp": version("mcp"), "python": platform.python_version()}
    yield Metric("build_info", "gauge", "The version that runs here; always 1.", [(build, 1)])


def _workspaces(app: App) -> list[tuple[Labels, OpenWorkspace]]:
    """Return each workspace with its label; one that stands alone has none."""
    return [({"workspace": name} if name else {}, opened) for name, opened in app.workspaces.items()]


async def _sends_left(opened: OpenWorkspace) -> dict[str, int]:
    try:
        caps = (await opened.guard.supplies.status()).caps
        return {cap.setting: cap.left for cap in caps if cap.left is not None}
    except CustomerIOError:
        return {}  # where they are counted cannot be read: not known is not 0


def _by(label: str, values: Mapping[str, int], where: Labels) -> list[tuple[Labels, float]]:
    return [({**where, label: name}, value) for name, value in values.items()]


def _histogram(name: str, labels: Labels, values: Histogram) -> Iterator[str]:
    bounds = (*map(str, values.bounds), "+Inf")
    for bound, count in zip(bounds, accumulate(values.counts), strict=True):
        yield _line(f"{name}_bucket", {**labels, "le": bound}, count)
    yield _line(f"{name}_sum", labels, values.sum)
    yield _line(f"{name}_count", labels, sum(values.counts))


def _line(name: str, labels: Labels, value: float) -> str:
    told = ",".join(f'{label}="{text}"' for label, text in labels.items())
    return f"{name}{{{told}}} {value}" if told else f"{name} {value}"
