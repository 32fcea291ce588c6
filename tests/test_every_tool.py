"""Every tool, walked alike: what the model reads, what programs read, and what people read of it."""

import re
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from pydantic.fields import FieldInfo

from cio_mcp.toolkit.registry import Effect, Tool
from cio_mcp.tools.every import TOOLS
from tests.test_outcomes import ACTS

pytestmark = pytest.mark.repeating

PAGE = Path(__file__).parent.parent.joinpath("docs/tools.md").read_text()

# What a tool's first word promises. Suppressing deletes; merging deletes one of two.
VERBS = {
    Effect.READS: {
        "get",
        "list",
        "search",
        "find",
        "check",
        "compare",
        "explain",
        "preview",
        "report",
        "wait",
        "server",
        "review",
    },
    Effect.WRITES: {
        "import",
        "identify",
        "track",
        "set",
        "add",
        "remove",
        "create",
        "unsuppress",
        "start",
        "update",
        "restore",
        "link",
        "publish",
    },
    Effect.DELETES: {"delete", "suppress", "merge"},
    Effect.SENDS: {"send", "trigger", "set"},
}

every = pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)


def texts(schema: Any) -> list[str]:
    """Return every description in a schema."""
    if isinstance(schema, list):
        return [text for item in schema for text in texts(item)]
    if not isinstance(schema, dict):
        return []
    own = [schema["description"]] if isinstance(schema.get("description"), str) else []
    return own + [text for value in schema.values() for text in texts(value)]


@every
def test_a_name_is_a_verb_that_agrees_with_the_effect_and_a_noun(tool: Tool) -> None:
    verb, _, noun = tool.name.partition("_")

    assert noun
    assert len(tool.name) <= 30
    assert verb in VERBS[tool.effect]
    assert tool.hints.read_only == (tool.effect is Effect.READS)
    assert tool.hints.destructive == (tool.effect in {Effect.DELETES, Effect.SENDS})


@every
def test_the_docstring_is_for_the_model_in_few_words(tool: Tool) -> None:
    assert tool.description.endswith(".")
    assert len(tool.description) <= 500
    assert tool.summary.endswith(".")


@every
def test_each_argument_says_what_it_is_or_is_known_from_everywhere(tool: Tool) -> None:
    for name, schema in tool.input_schema["properties"].items():
        assert "type" in schema or "enum" in schema, name
        if not texts(schema):
            # A name without a word to it is one thing in every tool, or says with the tool's name what it is.
            others = [
                other.input_schema["properties"][name]
                for other in TOOLS
                if name in other.input_schema["properties"]
            ]
            plain = [other for other in others if not texts(other)]
            assert {other.get("type") for other in plain} == {schema.get("type")}, name
            assert re.fullmatch(r"[a-z]+(_[a-z]+)*", name)


def written(hint: Any) -> list[str]:
    """Return every description in an annotation."""
    own = [hint.description] if isinstance(hint, FieldInfo) and hint.description else []
    return own + [text for part in get_args(hint) for text in written(part)]


@every
def test_what_is_written_about_an_argument_reaches_the_model(tool: Tool) -> None:
    hints = get_type_hints(tool.function, include_extras=True)
    for name, schema in tool.input_schema["properties"].items():
        # The outermost description counts, where a shared type has one as well.
        if words := written(hints.get(name)):
            assert set(texts(schema)) & set(words), name


@every
def test_the_result_says_what_its_parts_are(tool: Tool) -> None:
    schema = tool.output_schema

    assert schema["properties"]
    assert (tool.result.__doc__ or "").strip().endswith(".")
    assert texts(schema)


@every
def test_the_docs_have_a_row_and_the_sandbox_a_route(tool: Tool) -> None:
    assert f"| `{tool.name}` | {tool.toolset}" in PAGE
    # What is listed there is called on the sandbox.
    assert tool.name in ACTS or not tool.apis
