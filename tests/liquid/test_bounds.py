"""Texts that never end, or grow without end, are cut; no text makes rendering fail otherwise."""

import re
import subprocess
import sys
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cio_mcp.liquid import Allowance, Meter, analyze, render
from cio_mcp.liquid.filters import FILTERS
from tests.liquid.test_examples import DATA

# A tenth of what is allowed, without time: so the tests are quick, and count.
BOUNDS = Allowance(steps=10_000, work=500_000, output=100_000, clock=lambda: 0.0)
MANY = {"many": [1] * 2000, "long": "é€" * 20_000, "pattern": "%A " * 9_000, "first_name": "Ada"}


def chain(length: int, each: int) -> dict[str, str]:
    """Snippets, each of which has the next one in it several times."""
    return {f"s{at}": f"{{{{ snippets.s{at + 1} }}}}" * each for at in range(length)}


# Whatever it is that has no end, the steps and characters that a message may take have one.
ENDLESS = [
    "{% for i in (1..20000) %}{% for j in (1..1) %}x{% endfor %}{% endfor %}",
    "{% for i in (1..10000) %}{% assign a = i | plus: 1 %}{% assign b = a %}{% assign c = b %}{% endfor %}",
    "{% for i in (1..20000) %}" + "{% if true %}{% endif %}" * 9 + "{% endfor %}",
    "{% for i in (1..20000) %}" + "{% unless true %}{% else %}{% endunless %}" * 9 + "{% endfor %}",
    "{% for i in (1..9000) %}{% case 1 %}" + "{% when 1, 1, 1, 1 %}x" * 4 + "{% endcase %}{% endfor %}",
    "{% for i in (1..100) %}" * 2 + "{% if true %}" * 9 + "{% endif %}" * 9 + "{% endfor %}" * 2,
    "{% for i in (1..900) %}{% endfor %}" * 2_000,
    "{% for i in (1..20000) %}{% capture a %}x{% endcapture %}{% cycle 'a', 'b' %}{% endfor %}",
    "{% for i in (1..10000) %}{{ snippets.address }}{{ snippets.address }}{% endfor %}",
    "{% for i in (1..20000) %}{% generate_uuid %}{% unsubscribe_url %}{% endfor %}",
    "{% for i in (1..9) %}{{ customer.many | where_exp: 'i', 'i == 2 and i == i and i' }}{% endfor %}",
    "{% for i in (1..99) %}{{ customer.many | sort | size }}{% endfor %}",
    "{% for i in (1..99) %}{% assign a = customer.long | split: '' %}{% endfor %}",
    "{% for i in (1..99) %}{% assign a = customer.long | split: ' ' %}{% endfor %}",
    "{% for i in (1..99) %}{{ customer.long | upcase | size }}{% endfor %}",
    "{{ customer.many | map: 'a" + ".a" * 9_000 + "' }}",
    "{{ 'now' | date: customer.pattern }}",
    "{% for i in (1..9999) %}{{ 'now' | date: '%A %A %A %A %A %A' }}{% endfor %}",
    "{{ snippets.s0 }}",
    "{{a}}" * 30_000,
    "{{ a | b: 'ccccccccccccccccccccc', c, d }}" * 9_000,
    "{% assign a = '[[],[],[],[],[],[],[],[],[],[]]' %}" + "{% assign a = a | append: a %}" * 25,
    "{% assign a = '[]' %}{% for i in (1..20000) %}{% assign a = a | append: ',[]' %}{% endfor %}",
    "{% assign a = 'aaaaaaaa' %}{% for i in (1..50) %}{% assign a = a | append: a %}{% endfor %}",
    "{% assign a = 'a' %}{% for i in (1..50) %}{% assign a = a | replace: 'a', 'aaaaaaaaaaaa' %}{% endfor %}",
    "{% for i in (1..999) %}{% capture a %}{{ a }}{{ a }}xxx{% endcapture %}{% endfor %}",
]


@pytest.mark.parametrize("text", ENDLESS, ids=range(len(ENDLESS)))
def test_what_has_no_end_takes_so_many_steps_and_characters_and_no_more(text: str) -> None:
    data: dict[str, Any] = DATA | {"customer": MANY, "snippets": DATA["snippets"] | chain(9, 9)}
    meter, analyzing = Meter(BOUNDS), Meter(BOUNDS)
    found = render(text, data, meter=meter)
    analyze(text, data["snippets"], meter=analyzing)

    assert found.cut
    assert re.fullmatch(r"cut: it (takes|makes) more than [\d,]+ (steps|characters.*)", str(found.fault))
    assert len(found.text) <= BOUNDS.output
    for each in (meter, analyzing):
        assert each.steps <= BOUNDS.steps + BOUNDS.rounds


def test_snippets_in_snippets_are_analyzed_within_the_same_bounds() -> None:
    found = analyze("{{ snippets.s0 }}", chain(9, 9), meter=Meter(BOUNDS))

    assert found.fault == "cut: it takes more than 10,000 steps"


def test_all_texts_of_a_message_have_their_bounds_together() -> None:
    text = "{% for i in (1..90) %}{{ i }}{% endfor %}"
    meter = Meter(BOUNDS)
    found = [render(text, {}, meter=meter).cut for _ in range(100)]
    analyzed = [analyze(text, meter=meter).fault for _ in range(2)]

    assert found == sorted(found)
    assert 5 < found.index(True) < 80
    assert analyzed == ["cut: it takes more than 10,000 steps"] * 2


def test_a_long_message_of_real_life_takes_a_tenth_of_what_it_may() -> None:
    row = "<tr><td>{{ item.name | escape }}</td><td>{{ item.price | currency }}</td></tr>"
    body = "<style>a { color: red }</style>" * 2_000 + f"{{% for item in event.items %}}{row}{{% endfor %}}"
    body += "{{ customer.first_name | default: 'you' }}" * 200
    meter = Meter()
    found = render(body, DATA, meter=meter)
    analyze(body, meter=meter)

    assert found.fault is None
    assert meter.steps < Allowance().steps / 10
    assert meter.work < Allowance().work / 10


def test_what_takes_too_long_is_cut_whatever_it_is() -> None:
    looks = count()
    meter = Meter(Allowance(clock=lambda: next(looks) / 100))
    found = render("{% for i in (1..10000) %}{{ i }}{% endfor %}", {}, meter=meter)

    assert found.fault == "cut: it takes longer than 1 seconds"
    assert meter.steps < 10_000 + 99 * 16 + 100


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{% for i in (1..1000000000) %}x{% endfor %}", "rounds"),
        ("{% for i in (1..1000) %}{% for j in (1..1000) %}x{% endfor %}{% endfor %}", "rounds"),
        ("{{ (1..1000000000) | join: ',' }}", "large"),
        ("{{ (1..1000000000) }}", "large"),
        ("{% assign a = 'a,a' | split: ',' %}{% for i in (1..99) %}{% assign a = a | push: a %}{% endfor %}", "characters"),
        ("{{ snippets.loop }}", "deep"),
        ("{% render_liquid trigger.loop %}", "deep"),
        ("{% for i in (1..999) %}" + "x" * 999 + "{% endfor %}", "100,000 characters"),
        ("{{ a }}" + "x" * 600_000, "longer than 500,000"),
        ("{{ (1..2) | where_exp: 'i', customer.long }}", "longer than 20,000"),
    ],
)  # fmt: skip
def test_what_grows_too_large_is_cut(text: str, why: str) -> None:
    data: dict[str, Any] = {
        "snippets": {"loop": "{{ snippets.loop }}{{ snippets.loop }}"},
        "trigger": {"loop": "{% render_liquid trigger.loop %}"},
        "customer": MANY,
    }
    found = render(text, data, meter=Meter(BOUNDS))

    assert found.cut
    assert why in str(found.fault)
    assert len(found.text) <= BOUNDS.output


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{{" * 100_000, "never closed"),
        ("{% raw %}" * 50_000, "never closed"),
        ("{{" + " " * 100_000 + "}}", "longer than 20000"),
        ("{{" + "(" * 5_000 + "}}", "brackets"),
        ("{{a}}" * 30_000, "steps"),
        ("{% if a %}" * 2_000, "nesting"),
        ("{% if a" + " and a" * 3_000 + " %}x{% endif %}", ""),
    ],
)
def test_what_would_take_long_to_read_is_refused(text: str, why: str) -> None:
    for fault in (render(text, {}).fault, analyze(text).fault):
        assert why in str(fault)
        assert fault is not None


@pytest.mark.parametrize("start", ['<a href="', "<a href='", "https://x.example/"])
def test_a_link_that_does_not_end_is_read_once(start: str) -> None:
    text = (start + "{{ customer.first_name }}" * 60 + " x ") * 20

    assert [variable.path for variable in analyze(text).variables] == ["customer.first_name"]


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
