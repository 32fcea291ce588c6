"""Bodies of mail as people read them: shapes that real mail has, and such as nobody sends in good faith."""

import pytest

from cio_mcp.toolkit.texts.readable import MOST_LINKS, readable

NBSP = "\u00a0"

# A name, the body, the text that a person reads, and where its links lead.
SHAPES = [
    (
        "layout tables in each other",
        "<table width=600><tr><td><table><tr><td><h1>Sale</h1></td></tr><tr><td><p>Only today,\n   in all "
        "shops of ours, and online until midnight.</p></td></tr></table></td></tr></table>",
        "Sale\n\nOnly today, in all shops of ours, and online until midnight.",
        [],
    ),
    (
        "a table of data",
        "<table><tr><th>Item</th><th>Price</th></tr><tr><td>Pen</td><td>€2.50</td></tr></table>Thanks",
        "Item | Price\nPen | €2.50\n\nThanks",
        [],
    ),
    (
        "what only Outlook reads",
        '<p>A</p><!--[if mso]><v:roundrect href="https://example.com/mso">Buy</v:roundrect><![endif]-->'
        '<!--[if !mso]><!--><a href="https://example.com/buy">Buy</a><!--<![endif]-->',
        "A\n\nBuy [1]",
        ["https://example.com/buy"],
    ),
    (
        "head, style and script",
        "<!DOCTYPE html><html><head><title>T</title><style>p > a {}</style></head><body><script>if (a < b) "
        "document.write('<p>no</p>')</script><p>Text</p><style>b{}</style></body></html>",
        "Text",
        [],
    ),
    (
        "a version for AMP",
        "<!doctype html><html ⚡4email><head><script async src=x></script></head><body><amp-img alt=x>"
        '</amp-img><p>Hello</p><form action-xhr="https://example.com/f"><button>Go</button></form></body></html>',
        "Hello\n\nGo",
        [],
    ),
    (
        "plain text",
        "Hi Ada,\r\n\r\n\r\n\r\nsee https://example.com/a?b=1. Bye!\r\n",
        "Hi Ada,\n\nsee https://example.com/a?b=1. Bye!",
        ["https://example.com/a?b=1"],
    ),
    (
        "an SMS with Liquid in its address",
        "Code {{ trigger.code }}: https://example.com/{{ trigger.path | default: 'a b' }} now",
        "Code {{ trigger.code }}: https://example.com/{{ trigger.path | default: 'a b' }} now",
        ["https://example.com/{{ trigger.path | default: 'a b' }}"],
    ),
    (
        "loops of Liquid",
        "<table>{% for item in trigger.items %}<tr><td>{{ item.name }}</td><td>{{ item.price }}</td></tr>"
        "{% endfor %}</table>",
        "{% for item in trigger.items %}\n{{ item.name }} | {{ item.price }}\n{% endfor %}",
        [],
    ),
    (
        "captures and conditions that look like tags",
        "{% capture a %}<b>x</b>{% endcapture %}{% if customer.seats > 3 and customer.seats <b %}<p>Team</p>"
        "{% endif %}{{ a }}",
        "{% capture a %}x{% endcapture %}{% if customer.seats > 3 and customer.seats <b %}\n\nTeam\n\n"
        "{% endif %}{{ a }}",
        [],
    ),
    (
        "quotation marks within those of an attribute",
        '<a class="b" href="https://example.com/?n={{ customer.name | default: "you > me" }}">Go</a>',
        "Go [1]",
        ['https://example.com/?n={{ customer.name | default: "you > me" }}'],
    ),
    ("from right to left", '<div dir="rtl"><p>שלום עולם</p><p>مرحبا بالعالم</p></div>', "שלום עולם\n\nمرحبا بالعالم", []),
    (
        "emoji and entities",
        f"<p>&#127881; Party &amp; fun &hellip; 5&nbsp;&lt;&nbsp;6 👩‍👩‍👧{NBSP}!</p>",
        "🎉 Party & fun … 5 < 6 👩‍👩‍👧 !",
        [],
    ),
    (
        "a hidden line with filler",
        '<div style="display: none; max-height:0">Read this<b>!</b></div>'
        + "<div>" + "&zwnj;&nbsp;" * 60 + "</div><p>Body</p>",
        "Body",
        [],
    ),
    (
        "lists",
        "<p>You get:</p><ul><li>one</li><li>two <b>bold</b></li></ul><ol><li>first</ol>",
        "You get:\n\n- one\n- two bold\n\n- first",
        [],
    ),
    (
        "images, one of them counting opens",
        '<img src="https://example.com/logo.png" alt="Quill" width=200><img src="https://example.com/o.gif" '
        'width=1 height=1 alt=""><p>Hi</p>',
        "Quill\n\nHi",
        [],
    ),
    (
        "an image that is a link",
        '<a href="https://example.com/shop"><img src="data:image/png;base64,AAAA" alt="Shop now"></a>',
        "Shop now [1]",
        ["https://example.com/shop"],
    ),
    (
        "a button of a table in a link",
        '<a href="https://example.com/go"><table><tr><td>Get</td><td>it</td></tr></table></a>',
        "Get | it [1]",
        ["https://example.com/go"],
    ),
    (
        "an image map",
        '<map name=m><area href="https://example.com/north" alt="North"><AREA HREF=https://example.com/south></map>',
        "North [1] [2]",
        ["https://example.com/north", "https://example.com/south"],
    ),
    (
        "addresses of other kinds",
        '<a href="mailto:help@example.com?subject=Hi">Write</a> <a href="tel:+15550100">Call</a> <a href="#top">Up</a>'
        ' <a name=x>here</a> <a href="{% unsubscribe_url %}">Bye</a>',
        "Write [1] Call [2] Up here Bye [3]",
        ["mailto:help@example.com?subject=Hi", "tel:+15550100", "{% unsubscribe_url %}"],
    ),
    (
        "capitals, and attributes without quotation marks",
        "<P ALIGN=center>One<BR>Two<A HREF=https://example.com/x TARGET=_blank>Three</A></P>",
        "One\nTwoThree [1]",
        ["https://example.com/x"],
    ),
    (
        "what is not closed, or closed twice",
        "<div><p>One<p>Two</b></div></div></table><b>Three < four <5 <a href='https://example.com/e'>Four",
        "One\n\nTwo\n\nThree < four <5 Four [1]",
        ["https://example.com/e"],
    ),
    ("text that is set as it is", "<pre>a\n  b</pre><p>c\n  d</p>", "a\nb\n\nc d", []),
    ("a message of WhatsApp", '{"template":"a","parameters":["{{ x }}"]}', '{"template":"a","parameters":["{{ x }}"]}', []),
    ("a form", '<form action="https://example.com/poll"><p>Vote</p><input type=submit></form>', "Vote", ["https://example.com/poll"]),
    ("a quotation", "<p>He wrote:</p><blockquote>Yes.<hr>No.</blockquote>", "He wrote:\n\nYes.\n\nNo.", []),
]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "text", "links"), [shape[1:] for shape in SHAPES], ids=[shape[0] for shape in SHAPES]
)
def test_a_body_becomes_what_a_person_reads(body: str, text: str, links: list[str]) -> None:
    found = readable(body)

    assert found.text == text
    assert [link.url for link in found.links] == links
    assert found.left_out is None


def test_a_long_body_is_read_whole() -> None:
    row = '<tr><td style="padding:0 8px;font:14px Arial"><a href="https://example.com/{n}">Item {n}</a></td></tr>'
    body = "<table>" + "".join(row.replace("{n}", str(number)) for number in range(2_000)) + "</table>"
    found = readable(body)

    assert len(body) > 200_000
    assert "Item 1999" in found.text
    assert len(found.links) == MOST_LINKS
    assert found.left_out == f"links after the first {MOST_LINKS}"


@pytest.mark.repeating
@pytest.mark.parametrize(
    "body",
    [
        "<" * 200_000,
        "<a ''" * 40_000 + '">"',
        '<a href="x' * 20_000,
        "<!--" * 50_000,
        "<script>" * 25_000,
        "<div>" * 40_000 + "x" + "</div>" * 40_000,
        "<b>" * 60_000 + "</i>" * 60_000,
        "<p style='display:" + " " * 100_000 + "none'>x</p>",
        "<p>{{" * 60_000,
        "{%" * 100_000,
        "https://" + "a" * 300_000,
        "&#" * 100_000,
        "<a " + "x=1 " * 50_000 + ">t</a>",
        "\u200c\u00a0" * 90_000,
        "<svg>" * 30_000,
    ],
    ids=lambda body: str(body)[:12],
)
def test_a_hostile_body_is_read_in_bounds(body: str) -> None:
    # Each of these took a pattern that backtracks minutes: that the test ends is what it shows.
    found = readable(body)

    assert len(found.text) <= len(body)
    assert len(found.links) <= MOST_LINKS


def test_data_in_an_address_is_told_by_its_size() -> None:
    body = f'<p>a</p><a href="data:text/html;base64,{"A" * 900_000}">x</a><img src="data:image/png,{"B" * 90_000}">'
    found = readable(body)

    assert found.links[0].url.startswith("data:text/html (2,000 characters or more)")
    assert len(found.text) < 20


def test_what_a_script_or_a_hidden_part_says_is_not_read() -> None:
    body = (
        "<p>a</p><script>steal()</script><div hidden>secret</div><p style='DISPLAY : NONE'>secret</p><p>b</p>"
    )

    assert readable(body).text == "a\n\nb"


def test_a_body_beyond_all_bounds_says_what_is_left_out() -> None:
    assert readable("<p>a</p>" + " " * 1_000_000).left_out == "all after 1,000,000 characters"
    assert readable("<b>a</b>" * 20_000).left_out == "all after 50,000 tags and texts"
