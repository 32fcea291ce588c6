"""Texts that never end, or grow without end, are cut; no text makes rendering fail otherwise."""

import subprocess
import sys
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cio_mcp.liquid import Bounds, analyze, render
from cio_mcp.liquid.filters import FILTERS
from tests.liquid.test_examples import DATA


def ticking() -> Callable[[], float]:
    """A clock on which each look takes a hundredth of a second."""
    looks = count()
    return lambda: next(looks) / 100


@pytest.mark.parametrize(
    "text",
    [
        "{% for i in (1..10000) %}{% for j in (1..1) %}x{% endfor %}{% endfor %}",
        "{% for i in (1..10000) %}{% assign a = i | plus: 1 %}{% endfor %}",
        "{% for i in (1..10000) %}{% if customer.first_name %}{% endif %}{% endfor %}",
        "{% for i in (1..100) %}" * 2 + "{% endfor %}" * 2,
        "{% for i in (1..900) %}{% endfor %}" * 2_000,
        "{% for i in (1..10000) %}{% capture a %}x{% endcapture %}{% endfor %}",
        "{% for i in (1..10000) %}{{ snippets.address }}{% endfor %}",
        "{{ customer.many | where_exp: 'i', 'i == 2' }}",
    ],
)
def test_what_takes_too_long_is_cut(text: str) -> None:
    data = DATA | {"customer": {"first_name": "Ada", "many": [1] * 9000}}
    found = render(text, data, bounds=Bounds(clock=ticking()))

    assert found.cut
    assert found.fault == "cut: it takes longer than 1 seconds"
    assert len(found.text) < 20_000


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{% for i in (1..1000000000) %}x{% endfor %}", "rounds"),
        ("{% for i in (1..1000) %}{% for j in (1..1000) %}x{% endfor %}{% endfor %}", "rounds"),
        ("{{ (1..1000000000) | join: ',' }}", "large"),
        ("{{ (1..1000000000) }}", "large"),
        ("{% assign a = 'aaaaaaaa' %}{% for i in (1..50) %}{% assign a = a | append: a %}{% endfor %}", "characters"),
        ("{% assign a = 'a' %}{% for i in (1..50) %}{% assign a = a | replace: 'a', 'aaaaaaaaaaaa' %}{% endfor %}", "char"),
        ("{% assign a = 'a,a' | split: ',' %}{% for i in (1..99) %}{% assign a = a | push: a %}{% endfor %}", "large"),
        ("{% for i in (1..999) %}{% capture a %}{{ a }}{{ a }}xxx{% endcapture %}{% endfor %}", "characters"),
        ("{{ snippets.loop }}", "deep"),
        ("{% render_liquid trigger.loop %}", "deep"),
        ("{% for i in (1..9999) %}" + "x" * 999 + "{% endfor %}", "1,000,000 characters"),
        ("{{ a }}" + "x" * 600_000, "longer than 500,000"),
    ],
)  # fmt: skip
def test_what_grows_too_large_is_cut(text: str, why: str) -> None:
    data: dict[str, Any] = {
        "snippets": {"loop": "{{ snippets.loop }}{{ snippets.loop }}"},
        "trigger": {"loop": "{% render_liquid trigger.loop %}"},
    }
    found = render(text, data, bounds=Bounds(clock=lambda: 0.0))

    assert found.cut
    assert why in str(found.fault)
    assert len(found.text) <= 1_000_000


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{{" * 100_000, "never closed"),
        ("{% raw %}" * 50_000, "never closed"),
        ("{{" + " " * 100_000 + "}}", "longer than 20000"),
        ("{{" + "(" * 5_000 + "}}", "brackets"),
        ("{{a}}" * 30_000, "more than 20,000 tags"),
        ("{% if a %}" * 2_000, "nesting"),
        ("{% if a" + " and a" * 3_000 + " %}x{% endif %}", ""),
    ],
)
def test_what_would_take_long_to_read_is_refused(text: str, why: str) -> None:
    for fault in (render(text, {}).fault, analyze(text).fault):
        assert why in str(fault)
        assert fault is not None


def test_what_was_rendered_before_a_cut_stands() -> None:
    found = render("Dear {{ customer.first_name }}, {{ (1..1000000000) }}", DATA)

    assert (found.text, found.cut) == ("Dear Ada, ", True)


def test_white_space_in_a_tag_and_names_that_are_words_elsewhere_are_read() -> None:
    text = "{{ customer.empty }}{{ customer.for.in |" + " \n" * 90 + "default: 'a.empty' }}"

    assert render(text, {"customer": {"empty": 1, "for": {"in": 2}}}).text == "12"
    assert render(text, {"customer": {"empty": 1}}).text == "1a.empty"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(name=st.sampled_from(sorted(FILTERS)), value=VALUES, given=st.lists(VALUES, max_size=3))
@settings(max_examples=150, deadline=None)
def test_a_filter_takes_any_value_or_says_why_not(name: str, value: Any, given: list[Any]) -> None:
    arguments = ", ".join(f"data.a{number}" for number, _ in enumerate(given))
    text = f"{{{{ data.value | {name.rstrip('_')}{': ' if given else ''}{arguments} }}}}"
    data = {"data": {"value": value} | {f"a{number}": item for number, item in enumerate(given)}}

    assert render(text, data, now=1_780_000_000).unknown == []


PIECES = [
    *(
        "{{",
        "}}",
        "{%",
        "%}",
        "{%-",
        "-%}",
        " ",
        "\n",
        "|",
        ":",
        ",",
        "'",
        '"',
        "[",
        "]",
        "(",
        ")",
        "..",
        ".",
    ),
    *(
        "customer",
        "first_name",
        "snippets.hello",
        "if",
        "endif",
        "for",
        "in",
        "endfor",
        "assign",
        "=",
        "capture",
    ),
    *(
        "endcapture",
        "raw",
        "endraw",
        "comment",
        "endcomment",
        "case",
        "when",
        "endcase",
        "else",
        "cycle",
        "break",
    ),
    *(
        "default",
        "date",
        "join",
        "3",
        "-1",
        "1.5",
        "==",
        "<",
        "contains",
        "cio_link",
        "url",
        "random",
        "\x00",
        "é",
    ),
    *(
        "render_liquid",
        "countdown",
        "tablerow",
        "liquid",
        "include",
        "doc",
        "enddoc",
        "increment",
        "echo",
        "#",
        "{",
    ),
]


@given(pieces=st.lists(st.sampled_from(PIECES), max_size=40))
@settings(max_examples=150, deadline=None)
def test_any_text_is_rendered_and_analyzed_or_says_why_not(pieces: list[str]) -> None:
    text = "".join(pieces)

    assert isinstance(render(text, DATA).text, str)
    assert isinstance(render(text, DATA, strict=True).text, str)
    assert analyze(text, DATA["snippets"]).fault in (None, render(text, {}).fault, analyze(text).fault)


@pytest.mark.processes
def test_python_liquid_is_imported_with_the_first_text_that_has_liquid() -> None:
    code = (
        "import sys; from cio_mcp.liquid import analyze, render; render('plain { text', {});"
        "analyze('% plain'); print('liquid' in sys.modules, 'babel' in sys.modules);"
        "render('{{ a }}', {}); print('liquid' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert told.split() == ["False", "False", "True"]


@pytest.mark.parametrize(
    "text",
    [
        "{% for one in customer.list limit: -1 %}{{ one }}{% endfor %}",
        "{% assign v = 'Infinity' | at_least: 0 %}{% for one in (1..v) %}x{% endfor %}",
    ],
)
def test_a_number_that_counts_nothing_is_a_fault_of_the_text(text: str) -> None:
    rendered = render(text, {"customer": {"list": [1, 2]}})

    assert rendered.fault or rendered.text.isascii()
