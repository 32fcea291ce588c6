"""What is wrong with the HTML and Liquid of an email, by line."""

import pytest

from cio_mcp.toolkit.texts.faults import faults_of


@pytest.mark.parametrize(
    ("html", "faults"),
    [
        ("<p>Hi</p>", []),
        ("<p>One<p>Two<ul><li>a<li>b</ul>", []),
        ("<table><tr><td>a<td>b<tr><td>c</table>", []),
        ("<!--[if mso]><table><tr><td><![endif]--><p>a</p>", []),
        ("<br><img src='a>b'><x-button/>", []),
        ("{% if a %}\n<b>\n{% endif %}", ["line 2: <b> is never closed"]),
        ("{{ '<b>' }}", []),
        ("<style>a > b {}</style>\n<div>", ["line 2: <div> is never closed"]),
        ("<div>\n<a href='b'>\n</div>", ["line 2: <a> is never closed"]),
        ("a\n</i>", ["line 2: </i> closes nothing"]),
        ("<p>a\n{% if %}", ["line 2: missing expression"]),
        ("<b>" * 300, ["line 1: nested more than 200 deep, so that the rest was not checked"]),
        ("<p>" * 300, []),
        ("</b>" * 30, ["line 1: </b> closes nothing"] * 20 + ["and 10 more"]),
    ],
)
def test_faults_are_told_by_line(html: str, faults: list[str]) -> None:
    assert faults_of(html) == faults


def test_tags_that_never_end_take_no_time() -> None:
    """Looked for at each of them, an end that is not there took a minute."""
    assert faults_of("<a " * 100_000) == []
