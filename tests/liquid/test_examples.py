"""The dialect, judged by examples of Customer.io's documentation and by what LiquidJS, its engine, does.

The documentation is the pages "Liquid syntax list", "Liquid upgrade", "Use objects in liquid", "Snippets" and
"Composer errors"; examples have our own values where the page's are long.
"""

from typing import Any

import pytest

from cio_mcp.liquid import analyze, render
from cio_mcp.liquid.filters import FILTERS

NOW = 1_780_000_000  # 2026-05-28 20:26:40 UTC, a Thursday

PEOPLE = [{"name": "Ada", "team": "red", "size": 40}, {"name": "Bo", "team": "blue", "size": 20}]
DATA: dict[str, Any] = {
    "customer": {
        "first_name": "Ada",
        "blank": "",
        "nothing": None,
        "off": False,
        "limit": 7,
        "home city": "Porto",
        "groceries": "eggs,milk,bread",
        "people": PEOPLE,
        "colors": ["red", None, "blue", "red"],
        "seats": "5",
    },
    "event": {"count": 3, "items": [{"sku": "A", "price": 2.5}, {"sku": "B", "price": 10}]},
    "trigger": {"link": "https://example.com/x", "body": "Dear {{customer.first_name}}"},
    "objects": {"online_classes": [{"name": "Calculus", "relationship": {"since": 2024}}]},
    "snippets": {
        "address": "1 Paper Street",
        "main address": "2 Ink Lane",
        "hello": "Hello {{customer.first_name}}{{word}}",
        "greetings": [{"version": "1", "greeting": "Hi {{x}}"}],
    },
}

# fmt: off
EXAMPLES = [
    # Keys.
    ("Hi {{ customer.first_name | default: \"there\" }}", "Hi Ada"),
    ("Hi {{ customer.nobody | default: \"there\" }}", "Hi there"),
    ("{{ customer['home city'] }}", "Porto"),
    ("{{ customer.limit }}", "7"),
    ("{{ objects.online_classes[0].name }} {{ objects.online_classes[0].relationship.since }}", "Calculus 2024"),
    ("{{ objects.online_classes | size }} {{ objects.online_classes.size }}", "1 1"),
    ("{{snippets.address}}, {{snippets[\"main address\"]}}", "1 Paper Street, 2 Ink Lane"),
    ("{% assign word = '!' %}{{ snippets.hello }}", "Hello Ada"),  # a snippet has variables of its own
    ("{% for g in snippets.greetings %}{{ g.greeting }}{% endfor %}", "Hi {{x}}"),  # Liquid in a list stays
    # Tags.
    ("{% if customer.first_name != blank %}Hello {{ customer.first_name }}!{% else %}Hello there!{% endif %}",
     "Hello Ada!"),
    ("{% if customer.nobody != blank %}a{% else %}b{% endif %}", "b"),
    ("{% if customer.blank == blank %}a{% endif %}{% if customer.off == blank %}b{% endif %}"
     "{% if customer.nothing == blank %}c{% endif %}{% if customer.nobody == blank %}d{% endif %}", "abcd"),
    ("{% if customer.off == nil %}a{% else %}b{% endif %}{% if customer.nobody == nil %}c{% endif %}", "bc"),
    ("{% if event.count > 2 and event.count <= 3 or customer.off %}a{% endif %}", "a"),
    ("{% assign n = customer.seats | plus: 0 %}{% if n > 3 %}many{% endif %}", "many"),
    ("{% if customer.groceries contains 'milk' %}a{% elsif true %}b{% endif %}", "a"),
    ("{% unless customer.first_name == \"Bo\" %}not Bo{% endunless %}", "not Bo"),
    ("{% case event.count %}{% when 1 or 3 %}a{% when 2 %}b{% else %}c{% endcase %}", "a"),
    ("{% for item in event.items %}{{ item.sku }}:{% cycle 'odd', 'even' %} {% endfor %}", "A:odd B:even "),
    ("{% for i in (1..5) %}{% if i == 4 %}{% break %}{% else %}{{ i }}{% endif %}{% endfor %}", "123"),
    ("{% for i in event.items limit:1 %}{{ forloop.index }}{{ forloop.last }}{% endfor %}", "1true"),
    ("{% capture about %}I am {{ customer.first_name }}.{% endcapture %}{{ about }}", "I am Ada."),
    ("{% comment %}Don't show {{ me }}{% endcomment %}.", "."),
    ("{% raw %}{{This}} is {% shown %}{% endraw %}", "{{This}} is {% shown %}"),
    ("Hello, {{ customer.first_name -}} !", "Hello, Ada!"),
    ("{% assign v = nil | default: \"latest\" %}{% unless v == \"latest\" %}{% assign v = \"legacy\" %}"
     "{% endunless %}{{ v }}", "latest"),
    # Tags of Customer.io's.
    ("{% cio_link url:https://example.com track:true url_params:true %}", "https://example.com"),
    ("{% cio_link url:\"https://example.com\" url_params:false %}", "https://example.com"),
    ("{% cio_link url:trigger.link %}", "https://example.com/x"),
    ("{% cio_link url:https://example.com/?n={{customer.first_name}} %}", "https://example.com/?n=Ada"),
    ("<a href='{% unsubscribe_url %}'>bye</a>", "<a href='#unsubscribe_url'>bye</a>"),
    ("{% manage_subscription_preferences_url %}{% view_in_browser_url %}{% tracking_consent_url %}",
     "#manage_subscription_preferences_url#view_in_browser_url#tracking_consent_url"),
    ("{% render_liquid trigger.body %}", "Dear Ada"),
    ("{{ trigger.body }}", "Dear {{customer.first_name}}"),
    # Filters of texts.
    ("{{ \"What's all the hubbub, \" | append: \"bub?\" }}", "What's all the hubbub, bub?"),
    ("{{ 'b' | prepend: 'a' | capitalize | upcase | downcase }}", "ab"),
    ("{{ 'the long way' | titlecase }}", "The Long Way"),
    ("{{ \"I knew I shoulda taken that left turn.\" | truncate: 20 }}", "I knew I shoulda ..."),
    ("{{ 'one two three' | truncatewords: 2 }}", "one two..."),
    ("{{ 'a-b-a' | replace: 'a', 'x' }} {{ 'a-b-a' | replace_first: 'a', 'x' }} {{ 'a-b-a' | replace_last: 'a', 'x' }}",
     "x-b-x x-b-a a-b-x"),
    ("{{ 'a-b-a' | remove: 'a' }} {{ 'a-b-a' | remove_first: 'a' }} {{ 'a-b-a' | remove_last: 'a' }}",
     "-b- -b-a a-b-"),
    ("{{ ' a ' | strip }}{{ ' b' | lstrip }}{{ 'c ' | rstrip }}", "abc"),
    ("{{ \"Eh, what's <i>up</i>?\" | strip_html }}", "Eh, what's up?"),
    ("{{ \"a \n b\" | normalize_whitespace }}", "a b"),
    ("{{ \"a\nb\" | strip_newlines }} {{ \"a\nb\" | newline_to_br }}", "ab a<br />\nb"),
    ("{{ \"Customer.io\" | slice: 3, 3 }} {{ \"Customer.io\" | slice: '-4', 3 }}", "tom r.i"),
    ("{{ 'The _config.yml file' | slugify }}", "the-config-yml-file"),
    ("{{ event.count | pluralize: 'item', 'items' }} {{ 1 | pluralize: 'item', 'items' }}", "3 items 1 item"),
    ("{{ 'a b  c' | number_of_words }}", "3"),
    ("{{ customer.groceries | split:\",\" | array_to_sentence_string: \"or\" }}", "eggs, milk, or bread"),
    ("{{ customer.groceries | contains: 'milk' }}", "true"),
    ("{{ \"1 < 2 & 3\" | escape }} {{ \"1 < 2 &amp; 3\" | escape_once }}", "1 &lt; 2 &amp; 3 1 &lt; 2 &amp; 3"),
    ("{{ '<a>' | xml_escape }}", "&lt;a&gt;"),
    # Filters that encode.
    ("{{ \"cool.person@example.com\" | url_encode }}", "cool.person%40example.com"),
    ("{{ \"%27Customer.io+is+great%27\" | url_decode }}", "'Customer.io is great'"),
    ("{{ \"overview: account\" | cgi_escape }}", "overview%3A+account"),
    ("{{ \"https://example.com/?q=foo, \\bar?\" | uri_escape }}", "https://example.com/?q=foo,%20%5Cbar?"),
    ("{{ 'one' | base64 }} {{ 'one' | base64_encode | base64_decode }}", "b25l one"),
    ("{{ '??>' | base64_url_safe_encode }} {{ 'Pz8-' | base64_url_safe_decode }}", "Pz8- ??>"),
    ("{{ 'a' | md5 }}", "0cc175b9c0f1b6a831c399e269772661"),
    ("{{ 'a' | sha1 }}", "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"),
    ("{{ 'a' | sha256 | slice: 0, 16 }}", "ca978112ca1bbdca"),
    ("{{ 'hey' | hmac_sha1: 'secret_key' }}", "2a3969bed25bfeefb00aca4063eb9590b4df8f0e"),
    ("{{ 'hey' | hmac_sha256: 'secret_key' | hex_base64 }}", "jfiX+No9eZL+V8jbxvJ1eM+/LcxND7tAALjJJIQdUI4="),
    ("{% assign v = '{\"key\":\"value\",\"number\":123}' | from_json %}{{ v.key }}{{ v.number }}", "value123"),
    ("{{ event.items | to_json }}", '[{"sku":"A","price":2.5},{"sku":"B","price":10}]'),
    # Filters of numbers.
    ("{{ 4.32 | round: 1 }} {{ 2.5 | round }} {{ 4.2 | ceil }} {{ 4.8 | floor }} {{ -3 | abs }}", "4.3 3 5 4 3"),
    ("{{ 41 | at_least: 42 }} {{ 43 | at_most: 42 }}", "42 42"),
    ("{{ 2 | plus: 2 }} {{ '1.5' | minus: 1 }} {{ 0.1 | plus: 0.2 }} {{ 2.5 | times: 4 }}", "4 0.5 0.3 10"),
    ("{{ 16 | divided_by: 4 }} {{ 20.0 | divided_by: 4 }} {{ 5 | divided_by: 2 }}", "4 5 2.5"),
    ("{{ 7 | modulo: 3 }} {{ -1 | modulo: 3 }}", "1 2"),
    ("{{ 10000 | format_number }} {{ 123456.78 | format_number: \"fr\" }}", "10,000 123\u202f456,78"),
    ("{{ 1234567.896 | currency }} {{ 1234567.896 | currency: 'en-GB' }}", "$1,234,567.90 £1,234,567.90"),
    ("{{ 1234567.896 | currency: 'en', 'EUR' }} {{ 1234567.896 | rounded_currency: 'en', 'EUR' }}",
     "€1,234,567.90 €1,234,568"),
    # Filters of lists.
    ("{{ customer.people | find: 'team', 'red' | json }}", '{"name":"Ada","team":"red","size":40}'),
    ("{% assign f = customer.people | find_exp: 'item', 'item.size == 20' %}{{ f.name }}", "Bo"),
    ("{% assign f = customer.people | where_exp: 'item', \"item.size > 30 and item.team == 'red'\" %}"
     "{{ f | map: 'name' }}", "Ada"),
    ("{{ customer.people | where: 'team', 'red' | map: 'name' }}{{ customer.people | where: 'team' | size }}", "Ada2"),
    ("{{ customer.people | where_not: 'team', 'red' | map: 'name' }}", "Bo"),
    ("{% assign groups = customer.people | group_by: 'team' %}{% for g in groups %}{{ g.name }}{{ g.items.size }}"
     "{% endfor %}", "red1blue1"),
    ("{% assign groups = customer.people | group_by_exp: 'item', 'item.size > 30' %}{{ groups | map: 'name' }}",
     "truefalse"),
    ("{{ customer.colors | compact | uniq | join: '+' }} {{ customer.colors | compact | size }}", "red+blue 3"),
    ("{{ customer.colors | first }} {{ customer.colors | last }} {{ customer.colors | reverse | first }}", "red red red"),
    ("{{ 'c,B,a' | split: ',' | sort | join }} {{ 'c,B,a' | split: ',' | sort_natural | join }}", "B a c a B c"),
    ("{{ customer.colors | sort | join: ',' }}", "red,,blue,red"),  # nothing in it: the order stays
    ("{{ customer.people | sum: 'size' }} {{ event.items | sum: 'price' }}", "60 12.5"),
    ("{{ 'a,b,c' | split: ',' | limit: 2 | join: \", \" }}", "a, b"),
    ("{{ 'a,b' | split: ',' | push: 'c' | unshift: 'z' | join: '' }}", "zabc"),
    ("{{ 'a,b,c' | split: ',' | pop | join: '' }}{{ 'a,b,c' | split: ',' | shift | join: '' }}", "abbc"),
    ("{{ customer.people | concat: event.items | size }} {{ customer.people | json_array_uniq: 'team' | size }}", "4 2"),
    # Times.
    ("{{ 1483272000 | date: '%H:%M, %a, %b %d, %Y' }}", "12:00, Sun, Jan 01, 2017"),
    ("{{ 'now' | date: \"%B %-d, %Y\" }}", "May 28, 2026"),
    ("{{ 1483272000 | date: '%I:%M %P %Z', 'America/Los_Angeles' }}", "04:00 am PST"),
    ("{{ 1483272000 | date: '%H', 360 }} {{ 1483272000 | date: '%H', -360 }}", "06 18"),  # minutes behind UTC
    ("{{ 1226102400 | date_to_long_string: \"ordinal\", \"US\" }}", "November 8th, 2008"),
    ("{{ 1226102400 | date_to_string }} {{ 1226102400 | date_to_xmlschema }}", "08 Nov 2008 2008-11-08T00:00:00+00:00"),
    ("{{ 1226102400 | date_to_rfc822 }}", "Sat, 08 Nov 2008 00:00:00 +0000"),
    ("{{ 'now' | date: '%s' | plus: 0 | add_day: 1 | date: '%I:%M %p %B %d, %Y'}}", "08:26 PM May 29, 2026"),
    ("{{ 1706659200 | add_month: 1 | date: '%F' }} {{ 1709164800 | subtract_year: 1 | date: '%F' }}",
     "2024-02-29 2023-02-28"),
    ("{{ 1706659200 | subtract_day: 31 | add_year: 1 | subtract_month: 1 | date: '%F' }}", "2024-11-30"),
]
# fmt: on


@pytest.mark.parametrize(("text", "expected"), EXAMPLES, ids=[text[:60] for text, _ in EXAMPLES])
def test_an_example_of_the_documentation_renders_as_it_says(text: str, expected: str) -> None:
    found = render(text, DATA, now=NOW)

    assert (found.text, found.unknown, found.cut) == (expected, [], False)
    assert found.fault is None


def test_each_filter_is_in_an_example() -> None:
    texts = " ".join(text for text, _ in EXAMPLES)

    assert not [name for name in FILTERS if f"| {name.rstrip('_')}" not in texts and name != "random"]


def test_chance_depends_on_the_seed_alone() -> None:
    text = "{% random 1000000 %} {{ 1000000 | random }} {% generate_uuid %}"

    assert render(text, {}, seed="one").text == render(text, {}, seed="one").text
    assert render(text, {}, seed="one").text != render(text, {}, seed="two").text


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("{{ customer.eemail }}", "line 1: Variable 'customer.eemail' is missing"),
        ("a\n{% if a %}b", "if tag was never closed"),
        ("{% capture a %}{% else %}{% endcapture %}", "line 1: unexpected tag 'else'"),
        ("a\n\n{{ customer.trial_expires }", "line 3: {{ was never closed with }}"),
        ("{% if a", "line 1: {% was never closed with %}"),
        ("{{ customer.first_name | plus: 1 }}", "line 1: 'Ada' is not a number"),
        ("{{ 1 | divided_by: 0 }}", "line 1: a number is divided by 0"),
        ("{{ 1461866400000 | date: '%Y' }}", "line 1: a time is too far away; times are unix seconds"),
        ("{{ 1 | currency: 'xx-YY' }}", "line 1: the locale 'xx-YY' is not known"),
        ("{% cio_link %}", "line 1: cio_link has no url"),
    ],
)
def test_what_customerio_would_not_send_is_a_fault_that_names_its_line(text: str, fault: str) -> None:
    assert render(text, DATA, strict=True).fault == fault


def test_what_the_documentation_does_not_list_is_told_and_never_guessed() -> None:
    text = "{{ 'a' | timezone: '-8' }}{% tablerow i in x %}{% coyotes %}"
    found = render(text, DATA)

    assert found.text == "a"
    assert found.unknown == ["filter timezone", "tag tablerow", "tag coyotes"]
    assert sorted(analyze(text).unknown) == sorted(found.unknown)


def test_what_has_no_value_is_told_apart() -> None:
    text = (
        "{{ customer.nobody }}{{ customer.blank }}{{ customer.nothing }}{{ customer.who | default: 'you' }}"
    )
    found = render(text + "{% if customer.unseen %}{% endif %}{% assign a = customer.kept %}", DATA)

    assert found.text == "you"
    assert found.missing == ["customer.nobody"]
    assert found.empty == ["customer.blank", "customer.nothing"]
    assert found.defaulted == ["customer.who"]
    assert found.fault is None
