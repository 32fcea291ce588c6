"""However somebody is written, they are hidden; and no guess of what is hidden is confirmed."""

import json
import re
from typing import Any

import httpx
import pytest

from cio_mcp.safety.privacy.mask import Mask
from cio_mcp.settings.model import PERSONAL
from tests.agent import an_agent
from tests.safety.test_privacy import KEY, PSEUDONYM
from tests.tools.canned import canned

mask = Mask(KEY, PERSONAL)

NUMBERS = [
    "0049 151 12345678",
    "00491511234567",
    "001-555-010-9999",
    "0044 (0)20 7946 0958",
    "0151 12345678",
    "0151/12345678",
    "0151-123 456 78",
    "(0151) 12345678",
    "(030) 123-4567",
    "030 1234567",
    "01511234567",
    "020 7946 0958",
    "06 12 34 56 78",
    "06.12.34.56.78",
    "06-12-34-56-78",
    "(555) 010-9999",
    "(555)010-9999",
    "555-010-9999",
    "555.010.9999",
    "555 010 9999",
    "1-555-010-9999",
    "0\u00a0151\u00a012345678",
    "0151\u201112345678",
    "0151\u200b12345678",
    "0151=2012345678",
    "+49\u200b30\u200b123456",
    "+49=2030=20123456",
    "&#43;49 30 123456",
]
SENTENCES = [
    "{}",
    "Call {}.",
    "reach me ({}), please",
    '"{}"',
    "<b>{}</b>",
    "a: {}; b: {}",
    "{}\n{}",
    "{},{}",
]


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_number_in_a_national_form_is_hidden(number: str, sentence: str) -> None:
    text = sentence.replace("{}", number)
    hidden = PSEUDONYM.sub("", mask.hide_text(text))

    assert not re.search(r"\d", hidden), hidden


@pytest.mark.parametrize(
    "label", ["tel. ", "Tel: ", "phone number: ", "mobile ", "Telefon: ", "call ", "fax "]
)
def test_any_number_is_hidden_behind_a_word_that_says_what_it_is(label: str) -> None:
    for number in ("12 34 56 78", "612 345 678", "(12) 345-6789", "1234567"):
        hidden = mask.hide_text(label + number)
        assert hidden.startswith(label)
        assert mask.reveal(hidden.removeprefix(label)) == number


@pytest.mark.parametrize(
    "text",
    [
        "2026-05-28T20:26:40Z",
        "2026-05-28 20:26:40",
        "on 01.02.2026, 1/2/2026 and 01-02-26",
        "1780000000",
        "from 1780000000 to 1780086400",
        "0.12345678 of 1.00000001",
        "192.168.100.200 and 127.0.0.1:8000",
        "version 0.10.12345678",
        "01HXZ3K9Q8W7E6R5T4Y3U2I1O0",
        "01234567-89ab-cdef-0123-456789abcdef",
        "3f2a0123456789",
        "segment 7, campaign 100200, 12,345,678 people",
        "100 of 2000 and 30 of 40000",
        "the last 30 days: 1200 sent, 1100 delivered",
        "0000000000000001",
    ],
)
def test_times_ids_and_counts_stay(text: str) -> None:
    assert mask.hide_text(text) == text


# Each has the address of zqx at xqz.example in it.
WRITTEN = {
    "quoted-printable": "To: zqx=40xqz.example",
    "quoted-printable dot": "To: zqx=40xqz=2Eexample",
    "a soft line end": "zqx@xqz.exa=\r\nmple",
    "a soft line end in the name": "zq=\nx@xqz.example",
    "python": r"zqx\x40xqz.example",
    "javascript": r"zqx\u{40}xqz.example",
    "long": r"zqx\U00000040xqz.example",
    "octal": r"zqx\100xqz.example",
    "old script": "zqx%u0040xqz.example",
    "entity": "zqx&#64xqz.example",
    "padded entity": "zqx&#0064;xqz.example",
    "hex entity": "zqx&#x40;xqz.example",
    "named entity": "zqx&commatxqz.example",
    "bold": "zqx<b>@</b>xqz.example",
    "break": "zqx@<wbr>xqz.example",
    "span": 'zqx<span class="a">@</span>xqz.example',
    "in the host": "zqx@xqz<i>.example</i>",
    "in the name": "z<b>qx</b>@xqz.example",
    "comment": "zqx<!-- no spam -->@xqz.example",
    "self-closing": "zqx@<wbr/>xqz.example",
    "doubly escaped entity": "zqx&amp;#64;xqz.example",
    "paragraph": "zqx<p>@</p>xqz.example",
    "a cell": 'zqx<td class="a">@</td>xqz.example',
    "a tag of one's own": "zqx<x-y>@</x-y>xqz.example",
    "an image": "zqx<img>@xqz.example",
    "a new line of HTML": "zqx<br>@xqz.example",
    "blanks": "zqx @ xqz.example",
    "a blank after": "zqx@\txqz.example",
    "blanks of HTML": "zqx&nbsp;@&nbsp;xqz.example",
    "soft hyphen": "zqx&shy;@xqz.example",
    "backslash": "zqx\\@xqz.example",
    "line end before": "zqx\n@xqz.example",
    "line end after": "zqx@\r\n  xqz.example",
    "line end in the host": "write to zqx@xqz\n.example today",
    "at in brackets": "zqx [at] xqz.example",
    "at in brackets without blanks": "zqx(at)xqz.example",
    "both in brackets": "ZQX {At} XQZ ( DOT ) example",
    "signs in brackets": "zqx[@]xqz[.]example",
    "words": "zqx at xqz dot example",
    "words with a dot": "z.qx at mail.xqz dot example",
    "an entity in brackets": "zqx&#91;at&#93;xqz.example",
    "more labels": "zqx (at) mail (dot) xqz dot example",
}


@pytest.mark.parametrize("text", WRITTEN.values(), ids=WRITTEN.keys())
@pytest.mark.parametrize("around", ["{}", "Write to {} today", "({})", '{{"body": "<p>{}</p>"}}'])
def test_an_address_is_hidden_however_it_is_written(text: str, around: str) -> None:
    hidden = PSEUDONYM.sub("", mask.hide_text(around.format(text)))

    assert not re.search(r"zq|qx|xqz|\.exa|mple", hidden), hidden


@pytest.mark.parametrize(
    "text",
    [
        "?limit=400&page=40",
        "x=40 y=2E",
        "<b>bold</b> and <i>thin</i>",
        "one\ntwo\nthree",
        "C:\\x40y",
        "50% of &copy and 5 @ 3",
        "https://example.com/a?b=40.50",
        "available at example.com, or at noon. Then",
        "look (at) this. And [at] last",
        "meet me at the dot com boom",
        "sold at 5 dot 3, at the dot",
    ],
)
def test_text_that_names_nobody_stays_as_it_is(text: str) -> None:
    assert mask.hide_text(text) == text


@pytest.mark.repeating
@pytest.mark.parametrize(
    "part",
    [
        "\n",
        " ",
        "<b>",
        "0 ",
        "@",
        "=40",
        "&#64",
        "@<b>",
        "01",
        "<!--",
        "tel ",
        "a at ",
        " dot a",
        "(at)",
        "a(at)a.",
    ],
)
def test_a_long_text_takes_no_longer_for_what_it_repeats(part: str) -> None:
    # What takes a step for each pair of characters takes minutes: that the test ends is what it shows.
    mask.hide_text("0" + part * (80_000 // len(part)) + "@")


pytest_async = pytest.mark.anyio


@pytest_async
@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("search_customers", {"attributes": {"first_name": "Ada"}}),
        ("search_customers", {"attributes": {"First Name": "Ada"}}),
        ("search_customers", {"attributes": {"email": "ada@example.com"}}),
        ("search_customers", {"attributes": {"phone": "+442071838750"}}),
        (
            "search_customers",
            {"filter": {"attribute": {"field": "first_name", "operator": "eq", "value": "Ada"}}},
        ),
        (
            "search_customers",
            {
                "filter": {
                    "not": {"attribute": {"field": "email", "operator": "eq", "value": "a@example.com"}}
                }
            },
        ),
        (
            "trigger_broadcast",
            {
                "broadcast_id": 10,
                "recipients": {"attribute": {"field": "first_name", "operator": "eq", "value": "Ada"}},
                "dry_run": True,
            },
        ),
        (
            "start_export",
            {
                "of": "customers",
                "filter": {"attribute": {"field": "first_name", "operator": "eq", "value": "A"}},
            },
        ),
        ("check_write", {"customer_id": "u_1001", "attributes": {"first_name": "Ada"}}),
        ("check_write", {"customer_id": "u_1001", "attributes": {"email": "ada@example.com"}}),
        ("check_write", {"customer_id": "u_1001", "attributes": {"note": {"first_name": "Ada"}}}),
    ],
)
async def test_a_guess_of_what_is_hidden_is_not_compared(tool: str, arguments: dict[str, Any]) -> None:
    async with an_agent(pii="mask") as agent:
        text = await agent.fail(tool, **arguments)
        assert agent.sent == []
    async with an_agent() as agent:
        result = await agent.client.call_tool(tool, arguments)

    assert "no guess of it is compared" in text
    assert "no guess" not in str(result.content)


@pytest_async
async def test_what_is_not_hidden_can_be_looked_for_and_a_pseudonym_too() -> None:
    async with an_agent(pii="mask") as agent:
        ada = (await agent.call("get_customer", customer_id="u_1001"))["email"]
        by_plan = await agent.call("search_customers", attributes={"plan": "pro"})
        condition = {"attribute": {"field": "email", "operator": "eq", "value": ada}}
        by_address = await agent.call("search_customers", filter=condition)
        exists = {"attribute": {"field": "first_name", "operator": "exists"}}
        assert (await agent.call("search_customers", filter=exists))["customers"]
        await agent.call("check_write", customer_id="u_1001", attributes={"plan": "pro"})

    assert any(found["id"] == "u_1001" for found in by_plan["customers"])
    assert [found["id"] for found in by_address["customers"]] == ["u_1001"]


@pytest_async
async def test_the_same_person_has_another_pseudonym_in_another_workspace() -> None:
    answer = {"customer": {"attributes": {"email": "ada@example.com"}}}
    seen = []
    for key in ("key-of-one-workspace", "key-of-another-one", "key-of-one-workspace"):
        async with canned({"attributes": answer}, CIO_APP_API_KEY=key, CIO_PII="mask") as workspace:
            seen.append((await workspace.call("get_customer", customer_id="n"))["email"])

    assert seen[0] == seen[2] != seen[1]


KEY_SENT = "app-key/with+signs&more="


# How a credential may come back.
ECHOES = (
    f"Authorization: Bearer {KEY_SENT}",
    f"?key={KEY_SENT.replace('/', '%2F').replace('+', '%2B').replace('&', '%26').replace('=', '%3D')}",
    f"<title>{KEY_SENT.replace('&', '&amp;')}</title>",
    "x" * 280 + f" {KEY_SENT}",
    "YXBwLWtleS93aXRoK3NpZ25zJm1vcmU9",
)


@pytest.mark.repeating
@pytest_async
@pytest.mark.parametrize(
    ("status", "echo"),
    [
        *((status, ECHOES[0]) for status in (401, 403, 404, 422, 429, 500)),
        *((status, echo) for status in (200, 400) for echo in ECHOES),
    ],
)
@pytest.mark.parametrize("form", ["text", "errors", "meta"])
async def test_an_answer_that_sends_a_credential_back_never_shows_it(
    status: int, echo: str, form: str
) -> None:
    body: Any = {"errors": {"errors": [{"detail": echo}]}, "meta": {"meta": {"error": echo}}}.get(form)
    answer = httpx.Response(status, json=body) if body else httpx.Response(status, text=echo)
    async with canned({"": answer}, CIO_APP_API_KEY=KEY_SENT, CIO_DEADLINE="2") as workspace:
        result = await workspace.client.call_tool("list_campaigns", {})

    told = json.dumps([result.model_dump(mode="json")])
    for piece in ("with+signs", "with%2Bsigns", "YXBwLWtleS"):
        assert piece not in told


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<p>Hello<b>World</b>!</p> ", ""),
        ("", " some<i>thing</i>x <b>else</b>y"),
        ("x<b>y</b>z 5 < 7 ", ' <a href="/a?b=c">c</a>d'),
    ],
)
@pytest.mark.parametrize("who", ["ada@example.com", "a<b>da@exam</b>ple.com", "+49<b>151</b>12345678"])
def test_tags_in_other_words_than_an_address_stay(before: str, after: str, who: str) -> None:
    hidden = mask.hide_text(f"{before}{who}{after}")

    assert PSEUDONYM.sub("WHO", hidden) == f"{before}WHO{after}"
