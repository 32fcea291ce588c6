"""Every argument of every tool with every kind of value: taken as documented, or refused by its name.

The calls go to the application, with confirmations on and a sandbox behind it. What leaves is compared with
what the same call sends without the argument, or with the value in its plain form.
"""

import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import httpx
import pytest

from cio_mcp.app.application import Outcome
from cio_mcp.safety.tool_call import MakePreview
from cio_mcp.toolkit.registry import Effect, Tool
from cio_mcp.tools.every import TOOLS
from tests.agent import MISSING, Agent, an_agent
from tests.test_outcomes import ACTS

pytestmark = [pytest.mark.anyio, pytest.mark.exhaustive]

ASKING = [tool for tool in TOOLS if tool.apis]
EVERY_TOOL = pytest.mark.parametrize("tool", ASKING, ids=lambda tool: str(tool.name))

# Arguments that are times, and those that are numbers.
TIME = re.compile(r"send_at|timestamp|created_at|last_used|since|start|end|other_start")
NUMBER = re.compile(r".*_id|item|cursor|limit|ids|periods|days|seconds|wait_seconds")


def having(names: re.Pattern[str]) -> pytest.MarkDecorator:
    """Return the mark for a test of the tools that have an argument of such a name."""
    tools = [tool for tool in ASKING if any(map(names.fullmatch, tool.arguments.model_fields))]
    return pytest.mark.parametrize("tool", tools, ids=lambda tool: str(tool.name))


# Calls besides those of ACTS, for arguments that fit only some forms of a call.
FORMS: dict[str, dict[str, Any]] = {
    "get_message_metrics": {"kind": "campaign", "source_id": 1},
    "send_transactional_message": {
        "channel": "push",
        "transactional_message_id": 2,
        "customer_id": "u_1001",
        **MISSING,
    },
    "set_workspace_item": {"kind": "collection", "name": "workshops", "url": "https://example.com/rows"},
    "start_export": {"of": "campaign", "source_id": 1},
    "check_write": {"customer_id": "u_1001", "event": "tried"},
    "trigger_broadcast": {"broadcast_id": 10, **MISSING},
}

BLANK = (None, "", " \n")
EMPTY: tuple[Any, ...] = ([], {}, [""], {"": None})
NUMBERS = (0, -1, 7, 7.5, 10**30, True, float("nan"))
TEXTS = ("tried", "null", "1e3", "[1]", '{"a": 1}', "a,b")
CONTROL = ("a\r\nBcc: b@example.com", "a\u2028b", "\ud800")
NESTED: tuple[Any, ...] = ([{"a": {"b": [1]}}, 2], {"and": [{"or": []}]})
VALUES = (*BLANK, *EMPTY, *NUMBERS, *TEXTS, *CONTROL, *NESTED)

# What tools themselves see to: what is nothing, and what goes on as it is. All else is decided by the type of
# an argument, so each type is tried with everything at one tool of each effect.
EVERYWHERE = (*BLANK, *EMPTY[:2], 7, CONTROL[0])


# What is said of an argument, as its type shows it.
DESCRIBED = re.compile(r"description=('(\\'|[^'])*'|\"[^\"]*\")")


def first_of_each_type() -> set[tuple[str, str]]:
    """Return one argument of each type and effect, with its tool; what is said of it makes no other type."""
    found: dict[object, tuple[str, str]] = {}
    for tool in TOOLS:
        for name, field in tool.arguments.model_fields.items():
            said = f"{field.annotation} {field.metadata} {field.is_required()}"
            found.setdefault((tool.effect, DESCRIBED.sub("", said)), (tool.name, name))
    return set(found.values())


THROUGH_EVERYTHING = first_of_each_type()

# What names a person, an audience, a template or a thing: without it, a call could reach more.
NAMING = re.compile(
    r".*_id|emails|ids|recipients|per_user_data|data_file_url|filter|item|to|cc|bcc|email|objects|endpoint"
)

# Text with control characters may be the content of a message or an item, and nothing else.
CONTENT = {"html", "text", "body", "body_plain", "body_amp", "message", "value", "description"}

# What an empty text clears.
CLEARED = {"preheader", "body_amp"}

# A code that a call needs none of is not looked at.
UNUSED = {"confirmation"}

# Without it a call needs data, and what that is was read before or not.
SET = {"allow_missing"}

ACTING = re.compile(r"(PUT|DELETE|POST) (?!/v1/customers(/attributes)?[ ?])")


class Agreeing:
    """A person who agrees to everything: some tools do nothing without one."""

    async def consent(self, preview: MakePreview) -> str:
        return (await preview()).confirmation or ""


async def made(agent: Agent, tool: str, arguments: dict[str, Any]) -> tuple[Outcome, list[str], str]:
    """Return how a call ended, what left, and both in words; a fault of ours or a second effect fails."""
    agent.wire.requests.clear()
    outcome = await agent.app.call(tool, arguments, person=Agreeing())
    sent = sorted(_seen(request) for request in agent.wire.requests)  # some leave side by side
    acts = [line for line in sent if ACTING.match(line)]
    told = f"{tool}({arguments!r}): {outcome.error or outcome.facts}, {sent}"

    assert "a fault of cio-mcp" not in str(outcome.error), told
    assert len(acts) <= 1, told
    assert not (acts and outcome.facts.get("outcome") in {"preview", "not_sent"}), told
    return outcome, sent, told


def _seen(request: httpx.Request) -> str:
    """Return a request as text, without the id that each event gets."""
    body = json.loads(request.content) if request.content else None
    if isinstance(body, dict) and request.url.path.endswith("/events"):
        body.pop("id", None)
    path = request.url.raw_path.decode()
    return f"{request.method} {unquote(path)} {json.dumps(body, sort_keys=True, ensure_ascii=False)}"


def forms(tool: Tool, agent: Agent) -> Iterator[dict[str, Any]]:
    """Yield arguments with which a tool can be called."""
    yield ACTS[tool.name].on(agent.wire.sandbox)
    if tool.name in FORMS:
        yield FORMS[tool.name]


def arguments_of(tool: Tool, agent: Agent) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each argument of a tool, with arguments that the call needs besides."""
    for base in forms(tool, agent):
        for name in sorted(tool.input_schema["properties"].keys() - SET):
            yield name, {other: value for other, value in base.items() if other != name}


@EVERY_TOOL
async def test_every_argument_is_taken_as_documented_or_refused_by_name(tool: Tool) -> None:
    async with an_agent(confirm="preview") as agent:
        await ACTS[tool.name].prepare(agent)
        for name, rest in arguments_of(tool, agent):
            schema, field = tool.input_schema["properties"][name], tool.arguments.model_fields[name]
            first = (tool.name, name) in THROUGH_EVERYTHING
            if not first and (schema.get("type") == "boolean" or name in UNUSED):
                continue  # of these no tool sees more than its type
            _, absent, _ = await made(agent, tool.name, rest)
            naming = NAMING.fullmatch(name)
            for value in VALUES if first else EVERYWHERE:
                outcome, sent, told = await made(agent, tool.name, rest | {name: value})
                refused = outcome.facts.get("outcome") == "not_sent"
                called = "rows?" if name == "rows" else name  # a fault of one row names that
                assert not refused or re.search(rf"(^|[\n ,]){called}\b", str(outcome.error)), told
                if value is None:
                    # What is made only once is refused the second time, and then similar ones are looked for.
                    assert refused if field.is_required() else sent[: len(absent)] == absent, told
                elif value in BLANK:
                    assert refused or name in CLEARED or (sent[: len(absent)] == absent and not naming), told
                elif value in EMPTY[:2]:
                    assert refused or (sent[: len(absent)] == absent and not naming) or ": []" in str(sent), (
                        told
                    )
                elif value in CONTROL and tool.effect is not Effect.READS:
                    assert refused or name in CONTENT | UNUSED, told
                elif schema.get("type") == "integer" and value != 7:
                    assert refused or value == 0, told
                elif isinstance(value, bool) and schema.get("type") != "boolean":
                    assert refused or schema.get("type") in {None, "object", "array"}, told


@having(NUMBER)
async def test_a_number_means_the_same_as_its_text(tool: Tool) -> None:
    async with an_agent(confirm="preview") as agent:
        await ACTS[tool.name].prepare(agent)
        for name, rest in arguments_of(tool, agent):
            if NUMBER.fullmatch(name):
                ends = [await made(agent, tool.name, rest | {name: value}) for value in (7, 7.0, "7")]
                # Each call that starts an import follows one of its own.
                number, whole, text = [
                    re.sub(r"imports/\d+", "imports/7", str(sent).replace('"7"', "7")) for _, sent, _ in ends
                ]
                assert number == whole == text, f"{tool.name}: {name}"


# One moment, noon of 2026-07-01 in Berlin, in the ways in which it can be written.
NOON = datetime(2026, 7, 1, 12, tzinfo=ZoneInfo("Europe/Berlin")).timestamp()
SPELLINGS: tuple[Any, ...] = (
    *(int(NOON), float(NOON), NOON + 0.9, str(int(NOON)), f"{NOON}", f" {int(NOON)} "),
    *("2026-07-01T12:00:00", "2026-07-01 12:00:00", "2026-07-01T12:00", "2026-07-01T12", "20260701T120000"),
    *("20260701T1200", "20260701 12", "2026-W27-3T12:00", "2026W273T12", " 2026-07-01T12:00\n"),
    *("2026-07-01T10:00:00Z", "2026-07-01T10:00Z", "20260701T100000Z", "2026-W27-3T10Z"),
    *("2026-07-01T10:00:00+00:00", "2026-07-01T12:00:00+02:00", "2026-07-01T12:00+0200", "2026-07-01T12+02"),
    *(
        "2026-07-01T15:30:00+05:30",
        "2026-06-30T22:00:00-12:00",
        "2026-07-01T12:00:00.999",
        "2026-07-01T12:00:00,5",
    ),
)
NO_TIMES: tuple[Any, ...] = (
    *(20260701, "2026", 2026, "202607", 202607011200, int(NOON) * 1000, f"{int(NOON)}000", int(NOON) * 10**6),
    *(0, 1, -1, 1.5, True, "tomorrow", "noon", "July 1, 2026", "1 Jul 2026", "07/01/2026", "01.07.2026"),
    *("2026-7-1", "2026-07-01T12:00 Europe/Berlin", "2026-13-01", "2026-02-30", "2026-07-01T25:00", "12:00"),
    *(
        "2026/07/01",
        "26-07-01",
        "1e9",
        "T12:00",
        "2026-182",
        "now",
        "P1D",
        "-1",
    ),
)

# How a time is read is decided by its type, too; some ways to write one that tell by which type it is read.
SOME: tuple[tuple[Any, ...], tuple[Any, ...]] = (
    (NOON + 0.9, str(int(NOON)), "2026-07-01T12", "2026-W27-3T12:00", "2026-07-01T15:30:00+05:30"),
    (20260701, int(NOON) * 1000, 0, True, "tomorrow", "2026-02-30"),
)


@having(TIME)
async def test_a_time_is_the_same_moment_in_every_spelling_and_never_another(tool: Tool) -> None:
    assert len(SPELLINGS) + len(NO_TIMES) >= 40
    async with an_agent(confirm="preview", timezone="Europe/Berlin") as agent:
        for name, rest in arguments_of(tool, agent):
            if not TIME.fullmatch(name):
                continue
            spellings, no_times = (SPELLINGS, NO_TIMES) if (tool.name, name) in THROUGH_EVERYTHING else SOME
            rest = rest | {"start": "2026-06-30"} if name == "end" else rest  # noqa: PLW2901 - for this name
            outcome, plain, told = await made(agent, tool.name, rest | {name: "2026-07-01T10:00:00Z"})
            for value in spellings:
                same, sent, told = await made(agent, tool.name, rest | {name: value})
                assert sent == plain, told
                assert same.facts.get("times") == outcome.facts.get("times"), told
            for value in no_times:
                if (name, value) == ("send_at", 0) and tool.name == "send_newsletter":
                    continue  # takes a schedule back
                wrong, sent, told = await made(agent, tool.name, rest | {name: value})
                assert (wrong.facts["outcome"], sent) == ("not_sent", []), told
                assert f"{name}: " in str(wrong.error), told
