"""Every request that a tool makes, and every one that the sandbox takes, is one that the API describes."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import httpx
import pytest

from cio_mcp.sandbox.contract import CONTRACT, FACTS, NOTHING, anonymous
from cio_mcp.sandbox.routes import TABLES
from cio_mcp.toolkit.registry import Tool
from cio_mcp.tools.every import TOOLS
from tests.agent import Agent, an_agent
from tests.contract.calls import FORMS, words_of
from tests.contract.regenerate import EXCEPTIONS

pytestmark = pytest.mark.exhaustive

# What only reads the results of an earlier call asks Customer.io nothing.
ASKING = [tool for tool in TOOLS if tool.name != "list_row_results"]

every_tool = pytest.mark.parametrize("tool", ASKING, ids=lambda tool: tool.name)

# An operation of a batch is what this takes alone.
ENTITY = CONTRACT.operations["POST /api/v2/entity"]

# What no operation knows.
NO_WORD = "no_such_word"

# Seconds between two calls: a broadcast's limit.
PAUSE = 11


class Asked:
    """A request as the facts see it: its operation, the ids in its path, its query and its body."""

    def __init__(self, request: httpx.Request) -> None:
        path = request.url.raw_path.decode().partition("?")[0].split("/")
        fitting = [
            (len(ids), name, ids)
            for name in CONTRACT.operations
            if name.startswith(f"{request.method} ") and (ids := ids_in(name.split("/"), path)) is not None
        ]
        assert fitting, f"the facts do not know {request.method} {request.url.path}"
        _, self.name, self.ids = min(fitting)
        self.fact = CONTRACT.operations[self.name]
        self.query = dict(request.url.params)
        self.keys = {"Authorization": request.headers["Authorization"]}
        self.body = json.loads(request.content) if request.content else None

    @property
    def fault(self) -> str | None:
        operations = (self.body or {})["batch"] if self.name == "POST /api/v2/batch" else []
        faults = (CONTRACT.fault(ENTITY, {}, {}, operation) for operation in operations)
        return next(filter(None, faults), None) or CONTRACT.fault(
            self.fact, dict(enumerate(self.ids)), self.query, self.body
        )


def ids_in(template: list[str], path: list[str]) -> list[str] | None:
    """Return what stands in a path for the parameters of a template; None for another path."""
    pairs = list(zip(template[1:], path[1:], strict=False))
    if len(template) != len(path) or any(name != given for name, given in pairs if name[:1] != "{"):
        return None
    return [unquote(given) for name, given in pairs if name[:1] == "{"]


Others = Iterator[tuple[str, Any, bool]]


def wrong(fact: Any, value: Any, at: str = "", *, written: bool = False, sure: bool = True) -> Others:
    """Yield what differs in one place from what fits a fact: the place, the other, if it is wrong.

    It is not sure where there are alternatives: what is wrong by one of them may be right by another.
    """
    match fact:
        case list():
            for number, arm in enumerate(fact):
                if CONTRACT.misfit(arm, value, "", written=written) is None:
                    yield from wrong(arm, value, f"{at}|{number}", written=written, sure=False)
        case str() if fact.startswith("#"):
            yield from wrong(CONTRACT.shapes[fact[1:]], value, at, written=written, sure=sure)
        case str() | {"enum": _}:
            if fact != "any" and not (fact == "string" and written):
                yield at, ({} if fact == "string" else NO_WORD), sure
        case {"list": kind}:
            yield f"{at}.", NO_WORD, sure
            for number, item in enumerate(value):
                for place, other, still in wrong(kind, item, f"{at}.0", sure=sure):
                    yield place, [*value[:number], other, *value[number + 1 :]], still
        case _:
            yield from wrong_object(fact, value, at, written=written, sure=sure)


def wrong_object(fact: Any, value: Any, at: str, *, written: bool, sure: bool) -> Others:
    if "more" not in fact:
        yield f"{at}+", value | {NO_WORD: NO_WORD}, sure
    for name in fact.get("required", []):
        yield f"{at}-{name}", {other: item for other, item in value.items() if other != name}, sure
    for name, item in value.items():
        kind = fact["fields"].get(name, fact.get("more"))
        for place, other, still in wrong(kind, item, f"{at}.{name}", written=written, sure=sure):
            yield place, value | {name: other}, still


async def ask(http: httpx.AsyncClient, asked: Asked, query: dict[str, str], body: Any) -> httpx.Response:
    """Ask the sandbox for the same operation with another query and body."""
    method, template = asked.name.split(" ", 1)
    ids = iter(asked.ids)
    path = "/".join(quote(next(ids), safe="") if part[:1] == "{" else part for part in template.split("/"))
    await asyncio.sleep(PAUSE)
    return await http.request(method, path, params=query, json=body, headers=asked.keys)


@dataclass
class Driven:
    """What the calls of a tool have sent, and what the sandbox said of requests that differ in one place."""

    calls: list[tuple[dict[str, Any], list[Asked]]] = field(default_factory=list)
    others: list[tuple[str, str, bool, httpx.Response]] = field(default_factory=list)


# Driving a tool takes its time, and three tests look at it.
DRIVEN: dict[str, Driven] = {}

# Operations with a place in their requests: what several calls say in one place is said otherwise once.
TRIED: set[tuple[str, str]] = set()


async def driven(tool: Tool) -> Driven:
    """Make all calls of a tool, which have to succeed; each form has a sandbox of its own."""
    if tool.name in DRIVEN:
        return DRIVEN[tool.name]
    done = Driven()
    for form in FORMS[tool.name]:
        async with an_agent(downloads=str(Path(__file__).parent)) as agent, beside(agent) as http:
            if form.first:
                await agent.call(form.first[0], **form.first[1])
            found = {name: find(agent.wire.sandbox) for name, find in form.find.items()}
            for call in form.calls(tool):
                await asyncio.sleep(PAUSE)
                before = len(agent.wire.requests)
                await agent.call(tool.name, **found | call)
                requests = [Asked(request) for request in agent.wire.requests[before:]]
                done.calls.append((found | call, requests))
                for asked in requests:
                    done.others += await ask_otherwise(http, asked)
    return DRIVEN.setdefault(tool.name, done)


def beside(agent: Agent) -> httpx.AsyncClient:
    """Return another way to an agent's sandbox."""
    wire = httpx.ASGITransport(app=agent.wire.sandbox.app)
    return httpx.AsyncClient(transport=wire, base_url="https://sandbox.invalid")


async def ask_otherwise(http: httpx.AsyncClient, asked: Asked) -> list[tuple[str, str, bool, httpx.Response]]:
    """Ask the sandbox what differs in one place from a request: it may be wrong, or it surely is."""
    queries = wrong(asked.fact.get("query", NOTHING), asked.query, "?", written=True)
    bodies = wrong(asked.fact.get("body", NOTHING), asked.body or {})
    others = [(place, query, asked.body, sure) for place, query, sure in queries]
    others += [(place, asked.query, body, sure) for place, body, sure in bodies]
    answers = []
    for place, query, body, sure in others:
        if (asked.name, place) not in TRIED:
            TRIED.add((asked.name, place))
            answers.append((asked.name, f"{query} {body}", sure, await ask(http, asked, query, body)))
    return answers


@pytest.mark.anyio
@every_tool
async def test_every_request_of_a_tool_is_one_that_the_api_describes(tool: Tool) -> None:
    for call, requests in (await driven(tool)).calls:
        for asked in requests:
            assert asked.fault is None, (call, asked.name, asked.query, asked.body)


# Arguments that change no request of a call.
OURS = {"dry_run", "confirmation", "as_image", "as_page"}


@every_tool
def test_every_argument_and_every_word_of_it_is_tried(tool: Tool) -> None:
    calls = [call | form.find for form in FORMS[tool.name] for call in form.calls(tool)]

    for name in tool.input_schema["properties"].keys() - OURS:
        tried = [call[name] for call in calls if name in call]
        assert tried, f"{name} is not tried"
        assert [word for word in words_of(tool, name) if word not in tried] == [], name


@pytest.mark.anyio
@every_tool
async def test_what_a_tool_leaves_out_of_a_request_means_what_the_tool_says(tool: Tool) -> None:
    """Where a tool tells a default and leaves the argument out, the API has the same default."""
    told = {name: field.default for name, field in tool.arguments.model_fields.items()}
    for call, requests in (await driven(tool)).calls:
        for asked in requests:
            for name, default in asked.fact.get("defaults", {}).items():
                left_out = name not in call and name not in asked.query and name not in (asked.body or {})
                if left_out and told.get(name) is not None:
                    assert told[name] == default, (asked.name, name)


@pytest.mark.anyio
@every_tool
async def test_the_sandbox_refuses_a_word_too_many_one_too_few_and_one_that_the_api_does_not_know(
    tool: Tool,
) -> None:
    for name, other, sure, answer in (await driven(tool)).others:
        refused = answer.status_code in {400, 409, 422, 501}
        gone = name.startswith("DELETE ") and answer.status_code == 404
        assert refused or gone or (not sure and answer.is_success), (name, other, answer.text)


def test_every_route_of_the_sandbox_has_facts_and_nothing_else_has() -> None:
    """`python -m tests.contract.regenerate FOLDER` writes them."""
    routes = {anonymous(f"{method} {path}") for method, path, _ in TABLES}

    assert {anonymous(name) for name in CONTRACT.operations} == routes


def test_every_exception_has_a_source_and_is_among_the_facts() -> None:
    exceptions = json.loads(EXCEPTIONS.read_text(encoding="utf-8"))
    carried = {name for fact in CONTRACT.operations.values() for name in fact.get("exceptions", [])}

    assert {exception["name"] for exception in exceptions} == carried
    assert all(exception["source"].endswith(".") for exception in exceptions)


def test_facts_are_few_enough_to_be_read() -> None:
    assert FACTS.stat().st_size < 80_000


@pytest.mark.parametrize(
    ("fact", "value", "fault"),
    [
        ("string", "a", None),
        ("string", 1, "at must be of type string"),
        ("integer", True, "at must be of type integer"),
        ("integer", 1.0, "at must be of type integer"),
        ("number", 1, None),
        ("boolean", 1, "at must be of type boolean"),
        ("object", [], "at must be of type object"),
        ("any", None, None),
        (["integer", "string"], "a", None),
        (["integer", "string"], None, "at must be of type integer, or at must be of type string"),
        ({"enum": ["a", "b"]}, "c", "at must be one of a, b"),
        ({"enum": [60]}, True, "at must be one of 60"),
        ({"enum": ["_o:<type>:create"]}, "_o:1:create", None),
        ({"enum": ["_o:<type>:create"]}, "_o:1:2:create", "at must be one of _o:<type>:create"),
        ({"list": "string"}, ["a", 1], "at.1 must be of type string"),
        ({"list": "string"}, "a", "at must be a list"),
        ({"fields": {"a": "string"}, "required": ["a"]}, {}, "at.a is required"),
        ({"fields": {"a": "string"}}, {"b": "c"}, "at.b is not known here"),
        ({"fields": {}, "more": "string"}, {"b": 1}, "at.b must be of type string"),
        ({"fields": {}}, [], "at must be an object"),
        (
            "#filter",
            {"and": [{"not": {"segment": {"id": "7"}}}]},
            "at.and.0.not.segment.id must be of type integer",
        ),
    ],
)
def test_what_does_not_fit_a_fact_is_told_with_its_place(fact: Any, value: Any, fault: str | None) -> None:
    assert CONTRACT.misfit(fact, value, "at") == fault


@pytest.mark.parametrize(
    ("fact", "text", "fits"),
    [
        ("integer", "-12", True),
        ("integer", "1.5", False),
        ("number", "1.5", True),
        ("boolean", "true", True),
        ("boolean", "1", False),
        ("string", "", True),
    ],
)
def test_a_value_in_an_address_is_read_from_its_text(fact: str, text: str, fits: bool) -> None:
    assert (CONTRACT.misfit(fact, text, "at", written=True) is None) is fits
