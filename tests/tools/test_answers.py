"""Whatever Customer.io answers, an answer of ours fits its schema and says nothing that it does not say."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from mcp.types import CallToolResult

from cio_mcp.app.build import build
from cio_mcp.server.server import Server, facts
from cio_mcp.settings import load
from cio_mcp.toolkit.registry import Effect, Tool
from cio_mcp.tools.data_quality.rejections import MEANINGS
from cio_mcp.tools.every import TOOLS
from tests.agent import Clock
from tests.contract.calls import FORMS
from tests.forms import CHANGES, Change, example, form_of, leaves, repeating, said_or_asked, written
from tests.tools.premises import Said, check_explanation
from tests.virtual_time import VirtualTimeLoop

pytestmark = pytest.mark.exhaustive

READS = [tool for tool in TOOLS if tool.effect is Effect.READS and tool.apis]

# A missing field and a null one are read alike, in one place: at one tool of each toolset every field is
# tried as both, at the others as one of the two. An explanation reads a dozen answers, and has more tests.
EXPLAINING = "explain_no_message"
FIRST = list({tool.toolset: tool for tool in READS[::-1] if tool.name != EXPLAINING}.values())

# What is ours to say: words about an answer, what was computed of it, and what was asked for.
OURS = {
    *("notice", "left_out", "next", "verdict", "meaning", "do", "next_cursor", "final", "since", "kind"),
    *("trigger", "filter", "audience", "who", "dates", "error_count", "actions", "length", "start", "end"),
    *("timezone", "resolution", "periods", "waited_seconds", "before_start", "columns", "changed", "total"),
    *("differences", "source", "how", "rates_of", "nothing_sent_in_either"),
    *("rendered_by", "fails", "filled_by", "faults", "notes"),
}
# Words of ours that stand for something that was said otherwise.
INSTEAD = {"applied", "pending", "rejected", "not_seen", "failed", "running", "draft or stopped", *MEANINGS}
# In these tools numbers are sums and shares of what was said.
COUNTING = {
    *("get_message_metrics", "get_campaign_metrics", "get_link_metrics", "get_journey_metrics"),
    *("compare_campaigns", "compare_messages", "report_workspace", "find_rejected_data", "check_write"),
}


@cache
def usual(method: str, path: str) -> str:
    """Return what a request is answered with in the known form."""
    return json.dumps(example(form_of(method, path)))


# Shares with their bases, or counts or shares, one or several in a row; and what a rate is divided by.
WITH_BASE, BARE = r"(?:-|[\d.]+% of [\d,]+)", r"(?:-|[\d.]+%?)"
SHARE = re.compile(rf" = |^{WITH_BASE}(?:, {WITH_BASE})*$|^{BARE}(?: {BARE})*$")


class Upstream:
    """A Customer.io that answers in known forms, with changes, or always alike; keeps what it has said."""

    def __init__(self) -> None:
        self.always: Any = None
        self.changes: list[Change] = []
        self.also: dict[str, tuple[str, Any]] = {}
        self.said: list[Any] = []
        self.paths: list[str] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(usual(request.method, request.url.path)) if self.always is None else self.always
        for name, inside in named(body) if self.also else ():
            if name in self.also:
                inside.update([self.also[name]])
        for change in self.changes:
            body = change.made(body)
        self.said.append(body)
        self.paths.append(request.url.path)
        return httpx.Response(200, content=written(body))


class Called:
    """Calls one tool of a server whose upstream says what a test wants."""

    def __init__(self, tool: Tool) -> None:
        self.tool = tool
        self.upstream = Upstream()
        self._loop = VirtualTimeLoop()
        folder = str(Path(__file__).parent)  # where nothing is saved: no link leads to a file
        environ = {"CIO_APP_API_KEY": "key", "CIO_TOOLSETS": "all", "CIO_DOWNLOADS": folder}
        wire = httpx.MockTransport(self.upstream.answer)
        self._app = build(load(environ), wire=wire, clock=Clock())
        self._server = Server(self._app)
        self._schema = Draft202012Validator(tool.output_schema)
        self._fitting: set[str] = set()

    def call(self, arguments: dict[str, Any], changes: list[Change]) -> dict[str, Any] | None:
        """Return an answer that fits its schema, or None for an error that says what is wrong."""
        self.upstream.changes, self.upstream.said, self.upstream.paths = changes, [], []
        result = self._loop.run_until_complete(self._server.call_tool(self.tool.name, arguments))
        assert isinstance(result, CallToolResult)
        text = result.model_dump_json()
        assert text, "it can be sent"
        if result.is_error:
            told = facts(result)
            self.error = told["error"]
            assert told["outcome"] in {"refused", "not_sent"}
            assert "fault" not in told["error"]
            # Nothing was sent: by an id or a name from an answer an item is looked up, and which is meant.
            looked_up = any(word in told["error"] for word in ("id or name", "part_id: is needed"))
            assert told["outcome"] == "refused" or looked_up
            return None
        answer = facts(result)
        if text not in self._fitting:
            self._schema.validate(answer)
            self._fitting.add(text)
        return answer

    def close(self) -> None:
        self._loop.run_until_complete(self._app.aclose())
        self._loop.close()


@contextmanager
def calling(tool: Tool) -> Iterator[Called]:
    called = Called(tool)
    try:
        yield called
    finally:
        called.close()


def arguments_of(tool: Tool) -> list[dict[str, Any]]:
    """Return every call that the contract's test makes, with some id where only the sandbox knows one."""
    forms = FORMS[tool.name]
    return [call | dict.fromkeys(form.find, "0300a1") for form in forms for call in form.calls(tool)]


@pytest.mark.parametrize("tool", READS, ids=lambda tool: tool.name)
def test_an_answer_without_what_it_is_about_is_one_that_cannot_be_used(tool: Tool) -> None:
    with calling(tool) as called:
        for body in ({}, {"other": 1}, {"data": None}):
            called.upstream.always = body
            for form in FORMS[tool.name]:
                assert called.call(form.given | dict.fromkeys(form.find, "0300a1"), []) is None, body
                assert called.upstream.said, "it was asked for anew"
                assert called.error.startswith("Customer.io answered, but its answer cannot be used: ")


@pytest.mark.parametrize("tool", READS, ids=lambda tool: tool.name)
def test_an_answer_in_a_known_form_is_told(tool: Tool) -> None:
    with calling(tool) as called:
        for arguments in arguments_of(tool):
            called.call(arguments, [])


@pytest.mark.parametrize("tool", READS, ids=lambda tool: tool.name)
def test_whatever_is_dropped_null_of_another_type_or_added_the_answer_fits_and_makes_nothing_up(
    tool: Tool,
) -> None:
    with calling(tool) as called:

        @given(st.sampled_from(arguments_of(tool)), CHANGES)
        @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
        def check(arguments: dict[str, Any], changes: list[Change]) -> None:
            check_truth(called, arguments, changes)

        check()


@pytest.mark.parametrize("tool", READS, ids=lambda tool: tool.name)
def test_each_field_by_itself_may_be_missing_or_null_and_nothing_is_made_up_for_it(tool: Tool) -> None:
    with calling(tool) as called:
        seen = []
        for form in FORMS[tool.name]:
            fullest = max(form.calls(tool), key=len) | dict.fromkeys(form.find, "0300a1")
            called.call(fullest, [])
            bodies = [body for body in called.upstream.said if body not in seen]
            seen += bodies
            for place in fields_of(bodies):
                for how in ("drop", "null") if tool in FIRST else ("drop", "null")[place % 2 :][:1]:
                    check_truth(called, fullest, [Change(place, how, None)])


def fields_of(bodies: list[Any]) -> list[int]:
    """Return the places of fields in any of some answers, of the first item where there is a list."""
    found = {place for body in bodies for place, repeats in enumerate(repeating({"": body})) if not repeats}
    return sorted(found)


# Maps of metrics in Customer.io's answers with one more of each, and tools that tell all metrics by name.
UNKNOWN = {
    "metrics": ("levitated", 1_780_000_000),
    "series": ("levitated", [1, 1]),
    "journey_metric": ("levitated", [1, 1]),
}
TELLING = {
    *("get_message", "wait_for_delivery", "get_message_metrics", "get_campaign_metrics"),
    *("get_link_metrics", "get_journey_metrics"),
}


@pytest.mark.parametrize("tool", READS, ids=lambda tool: tool.name)
def test_a_metric_that_nobody_knows_is_told_where_others_are(tool: Tool) -> None:
    with calling(tool) as called:
        called.upstream.also = UNKNOWN
        for form in FORMS[tool.name]:
            answer = called.call(next(form.calls(tool)) | dict.fromkeys(form.find, "0300a1"), []) or {}
            told = [of for name, of in named(answer) if name in {"reached", "totals", "series"} and of]

            assert all("levitated" in of for of in told)
            assert bool(told) == (tool.name in TELLING)


def named(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield every object in a value with the name under which it stands."""
    items = (
        value.items()
        if isinstance(value, dict)
        else ((("", item) for item in value) if isinstance(value, list) else ())
    )
    for name, inner in items:
        if isinstance(inner, dict):
            yield name, inner
        yield from named(inner)


def check_truth(called: Called, arguments: dict[str, Any], changes: list[Change]) -> None:
    """Call a tool, and look for what it says that nobody has said to it."""
    answer = called.call(arguments, changes)
    if answer is None:
        return
    true = said_or_asked(called.upstream.said, arguments) | INSTEAD
    if called.tool.name == EXPLAINING:
        check_explanation(
            answer, Said(list(zip(called.upstream.paths, called.upstream.said, strict=True))), true
        )
        answer = {"evidence": [{"time": fact.get("time")} for fact in answer["evidence"]]}
    for name, value in leaves(answer):
        # Of a rate it is told what it was divided by, in words.
        computed = called.tool.name in COUNTING and (not isinstance(value, str) or SHARE.search(value))
        if name not in OURS and not computed and not nested(value):
            assert str(value) in true, f"{name}: {value!r}"


def nested(value: Any) -> bool:
    """Say whether a value is JSON of what has no place in the answer as it is."""
    try:
        return isinstance(json.loads(value), (dict, list, bool))
    except (TypeError, ValueError):
        return False
