"""Which variables a text uses: judged by rendering it with each one missing."""

import copy
import json
from typing import Any

import pytest

from cio_mcp.liquid import Variable, analyze, has_liquid, render
from cio_mcp.sandbox.state.contents import TEXTS
from tests.toolkit.test_readable import SHAPES

SNIPPETS = {
    "footer": 'Bye {{ customer.first_name }} <a href="{{ trigger.link }}">x</a>{{ snippets.legal }}',
    "legal": "{{ journey.terms | default: 'none' }}{{ customer.country }}",
    "itself": "{{ snippets.itself }}{{ customer.plan }}",
}

DATA: dict[str, Any] = {
    "customer": {
        "first_name": "Ada",
        "plan": "pro",
        "country": "GB",
        "home city": "Porto",
        "friends": ["Bo"],
    },
    "event": {"items": [{"name": "Pen", "parts": [{"id": 1}]}], "total": 3, "code": "X"},
    "trigger": {"link": "https://example.com", "order": {"id": 7}},
    "journey": {"terms": "few", "picks": [1, 2]},
    "objects": {"classes": [{"name": "Calculus"}]},
    "delivery_id": "d1",
    "snippets": SNIPPETS,
}

TEMPLATES = [
    "Hi {{ customer.first_name }}, {{ customer.plan | upcase }}, {{ customer.country | default: 'x' }}",
    "{{ customer.country | upcase | default: 'x' }}",
    "{{ 'a' | append: customer.plan | replace: event.code, 'b' }}",
    "{% for item in event.items %}{{ item.name }}{% for part in item.parts %}{{ part.id }}{% endfor %}{% endfor %}",
    "{% for pick in journey.picks limit: event.total %}{{ pick }} {{ forloop.index }}{% endfor %}",
    "{% assign order = trigger.order %}{{ order.id }}{% assign name = customer.first_name | upcase %}{{ name }}",
    "{% assign n = event.total %}{{ n | default: 1 }}{{ n }}",
    "{% capture c %}{{ event.code }}{% endcapture %}{{ c }}",
    "{% if customer.plan %}{{ customer.first_name }}{% elsif event.code == 'X' %}{{ event.total }}{% endif %}",
    "{% unless customer.plan %}{{ event.code }}{% endunless %}{% case event.total %}{% when 3 %}b{% endcase %}",
    "{{ customer['home city'] }} {{ objects.classes[0].name }} {{ delivery_id }}",
    "{{ snippets.footer }}{{ snippets.itself }}",
    "{% cio_link url:trigger.link %}{% cycle customer.plan, 'b' %}",
    "{{ customer.friends | join: ', ' }}{{ customer.friends[0] }}",
    "{% for i in (1..event.total) %}{{ i }}{% endfor %}",
]


def paths(value: Any, at: str = "") -> list[str]:
    """All paths in the data that a template may use, in the notation of analysis."""
    if isinstance(value, dict):
        return [
            path
            for name, item in value.items()
            for own in [f'{at}["{name}"]' if " " in name else f"{at}.{name}" if at else name]
            for path in [own, *paths(item, own)]
        ]
    return []


def without(path: str) -> dict[str, Any]:
    """The data with one thing missing."""
    data = copy.deepcopy(DATA)
    *outer, last = path.replace('["', ".").replace('"]', "").split(".")
    inner: Any = data
    for name in outer:
        inner = inner[name]
    del inner[last]
    return data


@pytest.mark.parametrize("text", TEMPLATES)
def test_the_variables_found_are_those_without_which_rendering_fails(text: str) -> None:
    assert render(text, DATA, strict=True).fault in (None, "cut: texts are nested too deeply")
    text = text.replace("{{ snippets.itself }}", "")

    variables = analyze(text, SNIPPETS).variables
    # What stands in a list has no path of its own in the data.
    needed = {variable.path for variable in variables if variable.bare and "[0]" not in variable.path}
    failing = {path for path in paths(DATA) if path in render(text, without(path), strict=True).missing}
    if any(tag in text for tag in ("{% if", "{% unless", "{% case")):
        assert needed <= failing <= {variable.path for variable in variables if not variable.has_default}
    else:
        assert needed == failing


REAL = [
    *(text["body"] for text in json.loads(TEXTS.read_text("utf-8")) if has_liquid(text["body"])),
    *(body for _, body, _, _ in SHAPES if has_liquid(body)),
]


def filled(found: list[str], without: str = "") -> dict[str, Any]:
    """Data that has all these variables but one; of a list it has one item."""
    data: dict[str, Any] = {}
    for path in sorted(found, key=len):  # what has parts comes before its parts
        if without and (path == without or path.startswith((f"{without}.", f"{without}["))):
            continue
        inner: Any = data
        steps = path.replace("[]", ".[]").replace("[0]", ".[]").split(".")
        for step, following in zip(steps, [*steps[1:], None], strict=True):
            empty: Any = [] if following == "[]" else "2" if following is None else {}
            if step == "[]":
                if not inner or (following and not isinstance(inner[0], type(empty))):
                    inner[:] = [empty]
                inner = inner[0]
            else:
                if not isinstance(inner.get(step), type(empty)):
                    inner[step] = empty
                inner = inner[step]
    return data


@pytest.mark.parametrize("body", REAL, ids=range(len(REAL)))
def test_in_bodies_of_real_life_nothing_is_missing_once_all_that_was_found_is_there(body: str) -> None:
    variables = analyze(body).variables
    found = [variable.path for variable in variables]
    whole = render(body, filled(found), strict=True)
    failing = {path for path in found if path in render(body, filled(found, path), strict=True).missing}

    assert (whole.missing, whole.fault) == ([], None)
    needed = {variable.path for variable in variables if variable.bare}
    assert needed <= failing <= {variable.path for variable in variables if not variable.has_default}


def test_a_variable_tells_how_it_is_used() -> None:
    text = (
        '<a href="https://example.com/?a={{ trigger.a | default: "q" }}&b={{trigger.b}}">t</a>'
        "https://example.com/{{ trigger.c }} {{ trigger.d }}{% if trigger.e %}{{ trigger.e }}{% endif %}"
        "{% cio_link url:https://example.com/{{ trigger.f }} %}<img src='{{trigger.g}}'>"
    )

    assert analyze(text).variables == [
        Variable(
            "trigger.a",
            "trigger",
            has_default=True,
            bare=False,
            in_link=True,
            bare_in_link=False,
            default="q",
        ),
        Variable("trigger.b", "trigger", has_default=False, bare=True, in_link=True, bare_in_link=True),
        Variable("trigger.c", "trigger", has_default=False, bare=True, in_link=True, bare_in_link=True),
        Variable("trigger.d", "trigger", has_default=False, bare=True, in_link=False, bare_in_link=False),
        Variable("trigger.e", "trigger", has_default=False, bare=False, in_link=False, bare_in_link=False),
        Variable("trigger.f", "trigger", has_default=False, bare=True, in_link=True, bare_in_link=True),
        Variable("trigger.g", "trigger", has_default=False, bare=True, in_link=True, bare_in_link=True),
    ]


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("customer.name", "customer"),
        ("event.name", "event"),
        ("event_timestamp", "event"),
        ("trigger.order.id", "trigger"),
        ("journey.picks", "journey"),
        ("objects.classes[0].name", "object"),
        ("snippets.footer", "snippet"),
        ("campaign.name", "message"),
        ("order_id", None),
    ],
)
def test_a_variable_tells_where_it_comes_from(path: str, source: str | None) -> None:
    (found,) = analyze(f"{{{{ {path} }}}}").variables

    assert (found.path, found.source) == (path, source)


def test_an_expression_on_items_uses_variables_too() -> None:
    text = "{% assign a = event.items | where_exp: 'i', 'i.price > trigger.most' %}{{ a | size }}"

    assert [variable.path for variable in analyze(text).variables] == ["event.items", "trigger.most"]


def test_a_variable_tells_its_default_and_what_its_filters_take_it_for() -> None:
    text = (
        '{{ trigger.ends | default: "April" | date: "%Y" }}{{ trigger.n | default: 5 }}{{ trigger.e | default: "" }}'
        '{{ trigger.o | default: customer.x }}{{ trigger.price | currency: "en", "EUR" }}{{ trigger.c | currency }}'
        "{% for item in trigger.items %}{{ item.price | plus: 1 }}{% endfor %}{{ trigger.name | upcase }}"
    )
    known = {found.path: (found.default, found.used_as) for found in analyze(text).variables}

    assert known == {
        "trigger.ends": ("April", "a date, as unix seconds or ISO 8601"),
        "trigger.n": ("5", None),
        "trigger.e": ("", None),
        "trigger.o": (None, None),
        "customer.x": (None, None),
        "trigger.price": (None, "an amount of money in EUR"),
        "trigger.c": (None, "an amount of money"),
        "trigger.items": (None, "a list"),
        "trigger.items[].price": (None, "a number"),
        "trigger.name": (None, None),
    }
