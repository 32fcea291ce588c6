"""Masking: nobody is shown, and everybody can be acted on."""

import html
import json
import re
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any
from urllib.parse import quote, unquote

import jsonschema
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from cio_mcp.errors import InvalidArgument, SettingsError
from cio_mcp.safety.privacy.forms import MASK
from cio_mcp.safety.privacy.mask import Mask, load_key
from cio_mcp.settings.model import PERSONAL
from cio_mcp.toolkit.answers.shapes import Answer, Preview
from cio_mcp.toolkit.arguments.parse_context import ParseContext
from cio_mcp.toolkit.registry import Tool
from cio_mcp.tools.every import TOOLS
from tests.agent import Agent

KEY = bytes(range(64))
PSEUDONYM = re.compile(r"(?:phone-)?[a-z2-7]{32,}(?:@|%(?:25)*40)masked\.invalid")

# Every generated address begins and ends with these, and so do its name and its host: no piece may stay.
FIRST, LAST = "zqx", "xqz"

mask = Mask(KEY, PERSONAL)
ADA = mask.hide_text("ada@example.org")
CALL_ADA = mask.hide_text("+4915112345678")


def tool(name: str) -> Tool:
    return next(tool for tool in TOOLS if tool.name == name)


def seen(value: Any) -> str:
    """Return what of a value can be read, encoded or not, once its pseudonyms are taken out."""
    text = PSEUDONYM.sub("", value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
    for _ in range(3):
        text = html.unescape(unquote(text))
        text = re.sub(r"\\+u([0-9a-fA-F]{4})", lambda code: chr(int(code[1], 16)), text)
    return text.casefold()


def between(alphabet: str, longest: int = 8) -> st.SearchStrategy[str]:
    return st.text(alphabet, max_size=longest).map(lambda middle: f"{FIRST}{middle}{LAST}")


ATEXT = "abcXYZ019!#$%&'*+-/=?^_`{|}~."
plain_names = between("abcXYZ019.+-_'")
names = plain_names | between(ATEXT) | between("äöüßéñøłабв用户हिन्दी") | between("abc\u200b\u00ad")
quoted_names = between("ab .,:;<>()@").map(lambda name: f'"{name}"')
label = between("abcXYZ019-", 4) | between("äüпр例え", 3) | between("abc", 2).map(lambda name: f"xn--{name}")
hosts = st.lists(label, min_size=1, max_size=3).map(".".join) | st.just("[192.0.2.1]")
addresses = st.builds("{}@{}".format, names, hosts)
plain_addresses = st.builds("{}@{}".format, plain_names, hosts)
odd_addresses = st.builds("{}@{}".format, quoted_names, label.map(lambda name: f"{name}.org"))

numbers = st.builds(
    lambda digits, gaps, brackets: _formatted(digits, gaps, brackets=brackets),
    st.text("0123456789", min_size=7, max_size=15).filter(lambda digits: digits[0] != "0"),
    st.lists(st.sampled_from(["", "", " ", "-", ".", " - ", "\u00a0", "/"]), min_size=15, max_size=15),
    st.booleans(),
)


def _formatted(digits: str, gaps: list[str], *, brackets: bool) -> str:
    text = "".join(digit + gap for digit, gap in zip(digits, gaps, strict=False))
    text = text[: -len(gaps[len(digits) - 1]) or None]
    return f"+{text[:2]}({text[2]}){text[3:]}" if brackets and text[2].isdecimal() else f"+{text}"


# Where a contact can stand in text. Each leaves it whole, in one encoding or another.
CONTEXTS: dict[str, Callable[[str], str]] = {
    "alone": str,
    "sentence": lambda who: f"Write to {who}, please.",
    "end": lambda who: f"It was {who}.",
    "name": lambda who: f"Ada Lovelace <{who}>",
    "list": lambda who: f"bob@example.org,{who};{who}\n{who}",
    "brackets": lambda who: f"({who}) [{who}] {{{who}}}",
    "typography": lambda who: f"\u201c{who}\u201d \u00ab{who}\u00bb {who}\u2026 {who}\u2014ok",
    "mark-up": lambda who: f"**{who}** `{who}` <b>{who}</b>",
    "mailto": lambda who: f'<a href="mailto:{who}">write</a>',
    "tight mailto": lambda who: f'mail<a href="mailto:{who}">write</a>',
    "argument": lambda who: f"Call with customer_id={who} and id_type=email",
    "path": lambda who: f"https://track.customer.io/api/v1/customers/{quote(who, safe='')}/events?a=b",
    "query": lambda who: f"/unsubscribe?plan=pro&email={quote(who, safe='')}&x=1#top",
    "nested query": lambda who: "/go?to=" + quote(f"https://x.org/?email={quote(who, safe='')}&x=1", safe=""),
    "text in a query": lambda who: "/go?subject=" + quote(f"for {who}, bye", safe=""),
    "json": lambda who: json.dumps({"to": who, "n": [who, 5]}),
    "json as it is": lambda who: json.dumps({"to": who}, ensure_ascii=False, indent=2),
    "json in json": lambda who: json.dumps({"body": json.dumps({"to": who})}),
    "json text": json.dumps,
    "a cut json": lambda who: json.dumps([who, {"to": who}, "and more"])[:-4] + "\u2026",
    "an error": lambda who: f'Customer.io answered 400: {{"errors":[{json.dumps(who)} is taken.',
    "escapes": lambda who: "x " + who.replace("@", "\\u0040").replace("+", "\\u002B") + " x",
    "escapes of escapes": lambda who: "x " + who.replace("@", "\\\\u0040").replace("+", "\\\\u002b"),
    "entities": lambda who: "x " + who.replace("@", "&#64;").replace("+", "&#x2b;") + " x",
    "named entities": lambda who: "x " + who.replace("@", "&commat;").replace("+", "&plus;"),
    "all entities": lambda who: "".join(f"&#{ord(letter)};" for letter in who),
    "wide": lambda who: "x " + re.sub(r"^\+", "\uff0b", who).replace("@", "\uff20"),
}
contexts = st.sampled_from(sorted(CONTEXTS))


def masked(context: str, who: str) -> str:
    """Return a text about somebody, masked."""
    # As entities, these mean something else than in plain text, and are left as they are.
    assume(context != "all entities" or not set('"<>&\\') & set(who))
    return str(mask.hide(CONTEXTS[context](who)))


@given(contexts, addresses | odd_addresses)
@example("query", '"zqx, \\"xqz"@zqxxqz.org')
@example("sentence", '"zqx a@xqz"@zqxxqz.org')
@example("mailto", '"zqx<a:xqz"@zqxxqz.org')
@example("tight mailto", '"zqx<b xqz"@zqxxqz.org')
@example("mailto", '"zqx<b xqz>"@zqxxqz.org')
@example("a cut json", "zqx\u00adxqz@[192.0.2.1]")
def test_no_piece_of_an_address_can_be_read_wherever_it_stands(context: str, address: str) -> None:
    hidden = seen(masked(context, address))

    assert FIRST not in hidden
    assert LAST not in hidden


@given(contexts, numbers)
@example("sentence", "+1 (555) 010-9999")
@example("mailto", "+44\u00a020.7946/0958")
def test_no_phone_number_can_be_read_wherever_it_stands(context: str, number: str) -> None:
    assert re.sub(r"\D", "", number) not in re.sub(r"\D", "", seen(masked(context, number)))


people = addresses | numbers
written = [CONTEXTS[context] for context in sorted(CONTEXTS) if context != "all entities"]
texts = st.builds(lambda write, who: write(who), st.sampled_from(written), people)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(people | st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(values)
def test_a_result_of_any_shape_keeps_its_shape_and_nobody_in_it_is_seen(value: Any) -> None:
    hidden = mask.hide(value)

    assert shape(hidden) == shape(value)
    assert FIRST not in seen(hidden)
    assert not re.search(r"\+\d{3}", seen(hidden))
    assert mask.hide(hidden) == hidden


def shape(value: Any) -> Any:
    match value:
        case dict():
            return [shape(item) for item in value.values()]
        case list():
            return [shape(item) for item in value]
        case str():
            return str
    return value


@given(addresses | odd_addresses | numbers)
def test_a_pseudonym_gives_back_exactly_what_it_stands_for(who: str) -> None:
    pseudonym = mask.hide_text(who)

    assert PSEUDONYM.fullmatch(pseudonym)
    assert mask.reveal(pseudonym) == who
    assert mask.reveal(pseudonym.upper()) == who


@pytest.mark.parametrize(
    "odd",
    [
        "id=ada@x.org",
        "'ada@x.org",
        "50%40off@x.org",
        "\ud800@x.org",
    ],
)
def test_an_id_that_only_resembles_an_address_comes_back_as_it_is(odd: str) -> None:
    hidden = mask.hide_text(odd)

    assert "@x.org" not in hidden
    assert mask.reveal(hidden) == odd


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("Call tel:5550109999 now", "5550109999"),
        ("\u8bf7\u8054\u7cfb ada@example.org\u3002", "ada@example.org"),
        ("https://ada@example.org/path", "ada@example.org"),
        ("by ada@example.org%20and", "ada@example.org"),
        ('x "a"@b.org c"@d.org', '"a"@b.org c"@d.org'),
    ],
)
def test_a_pseudonym_in_text_stands_for_all_of_it(text: str, who: str) -> None:
    (pseudonym,) = PSEUDONYM.findall(mask.hide_text(text))

    assert mask.reveal(pseudonym) == who


@pytest.mark.parametrize("other", ["", "bob@example.org, ", "b<b>ob@exam</b>ple.org, "])
@pytest.mark.parametrize(
    "tag", ["x<b {}>y", 'x<a href="mailto:{}">y', 'x<a href="mailto:{}"', "x<a href='/?to={}'>y</a>@ada"]
)
@pytest.mark.parametrize("who", ["zqxxqz@zqxxqz.org", '"zqx<a:xqz"@zqxxqz.org', '"zqx<b xqz"@zqxxqz.org'])
def test_nobody_can_be_read_in_a_tag_that_seems_to_split_an_address(other: str, tag: str, who: str) -> None:
    hidden = seen(mask.hide(other + tag.format(who)))

    assert not re.search("zqx|xqz|bob", hidden)


def test_escapes_beside_an_address_keep_their_meaning() -> None:
    text = r'{"a": "\u0022\u000a\\u005c \ud83d\ude00 &#60;&#34; ada@example.org'

    assert mask.hide_text(text) == text.replace(r"\ud83d\ude00", "\U0001f600").replace("ada@example.org", ADA)


@given(contexts, plain_addresses)
def test_a_pseudonym_in_text_is_that_of_the_address_alone(context: str, address: str) -> None:
    # Before a line end, a host without a dot may be the first part of one that was split there.
    assume(context != "list" or "." in address.rpartition("@")[2])
    found = PSEUDONYM.findall(masked(context, address))

    assert found
    assert {mask.reveal(pseudonym) for pseudonym in found} - {"bob@example.org"} == {address}


@given(addresses | numbers)
def test_a_pseudonym_is_the_same_after_a_restart_and_another_under_another_key(who: str) -> None:
    pseudonym = mask.hide_text(who)

    assert Mask(KEY, ()).hide_text(who) == pseudonym
    assert Mask(KEY[::-1], ()).hide_text(who) != pseudonym
    with pytest.raises(ValueError, match="not from this server"):
        Mask(KEY[::-1], ()).reveal(pseudonym)


def test_a_pseudonym_tells_little_of_how_long_an_address_is() -> None:
    lengths = {len(mask.hide_text(f"{'x' * length}@example.org")) for length in range(3, 13)}

    assert len(lengths) == 1


def test_an_address_is_no_pseudonym_for_what_follows_it() -> None:
    assert "ada" not in mask.hide_text("ada@example.org@masked.invalid")


def test_two_spellings_are_two_pseudonyms_since_an_id_is_case_sensitive() -> None:
    assert mask.hide_text("Ada@example.org") != mask.hide_text("ada@example.org")


@pytest.mark.parametrize(
    "text",
    [
        "aaaaaaaa@masked.invalid",
        "ada@masked.invalid",
        "1@masked.invalid",
        "phone-@masked.invalid",
        ADA[1:],
        f"phone-{ADA}",
        CALL_ADA.removeprefix("phone-"),
        ADA.replace(ADA[:6], ADA[5::-1]),
        f"bob@example.org, {'a' * 56}@masked.invalid",
    ],
)
def test_a_pseudonym_that_was_made_up_or_mistyped_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="this pseudonym is not from this server; copy it exactly"):
        mask.reveal(text)


@given(
    st.integers(0, len(ADA) - len("@masked.invalid") - 1), st.sampled_from("abcdefghijklmnopqrstuvwxyz234567")
)
def test_one_wrong_letter_is_enough_for_a_refusal(place: int, letter: str) -> None:
    assume(ADA[place] != letter)

    with pytest.raises(ValueError, match="not from this server"):
        mask.reveal(ADA[:place] + letter + ADA[place + 1 :])


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (f"Ada <{ADA}>", "Ada <ada@example.org>"),
        (f'"Lovelace, Ada" < {ADA} >', '"Lovelace, Ada" < ada@example.org >'),
        (f"{ADA},bob@example.org, B <{ADA}>", "ada@example.org,bob@example.org, B <ada@example.org>"),
        (ADA.replace("@", "%40"), "ada@example.org"),
        (CALL_ADA, "+4915112345678"),
        ("bob@example.org", "bob@example.org"),
        ("u_1001", "u_1001"),
    ],
)
def test_pseudonyms_are_taken_where_recipients_are_listed(text: str, meant: str) -> None:
    assert mask.reveal(text) == meant


@pytest.mark.parametrize(
    "text",
    [
        f"tell {ADA}",
        f"mailto:{ADA}",
        f"https://example.org/?to={ADA}",
        f"{ADA} <eve@example.org>",
        f"{ADA}> <eve@example.org",
        f"<{ADA}> <eve@example.org>",
        f'"{ADA}" <eve@example.org>',
        f'"x, {ADA}, y" <eve@example.org>',
        f'"x\\", {ADA}, y" <eve@example.org>',
        f"eve@example.org (x, {ADA}, y)",
        f"x (a (b), {ADA}, c) <eve@example.org>",
        f"x; {ADA}; y <eve@example.org>",
        f"{ADA} {ADA}",
    ],
)
def test_a_pseudonym_in_what_recipients_would_read_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="pseudonym"):
        mask.reveal(text)


# Every argument, of any tool, in which a pseudonym stands for somebody. Text, data and links are not here.
WHO = {
    "customer_id",
    "anonymous_id",
    "email",
    "emails",
    "ids",
    "recipients",
    "filter",
    "per_user_data",
    "secondary_id",
    "to",
    "cc",
    "bcc",
}


@pytest.mark.repeating
@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: str(tool.name))
def test_only_arguments_that_name_people_take_pseudonyms(tool: Tool) -> None:
    for name in tool.arguments.model_fields:
        see_what_is_revealed(tool, name)


def see_what_is_revealed(tool: Tool, name: str) -> None:
    parsed = []
    for form in (
        ADA,
        [ADA],
        json.dumps([ADA]),
        {"attribute": {"field": "email", "operator": "eq", "value": ADA}},
        {"object_attribute": {"field": "email", "operator": "eq", "value": ADA}},
        [{"email": ADA}],
        {"email": ADA, "recipient": ADA, ADA: ADA},
    ):
        try:
            parsed.append(
                tool.arguments.__pydantic_validator__.validate_assignment(
                    tool.arguments.model_construct(), name, form, context=ParseContext(reveal=mask.reveal)
                )
            )
        except ValidationError:
            continue

    redirects = name == "data" and tool.toolset == "events"  # data.recipient
    if redirects:
        assert f"{{'email': '{ADA}', 'recipient': 'ada@example.org', '{ADA}': '{ADA}'}}" in str(parsed)
    else:
        assert ("ada@example.org" in str(parsed)) == (name in WHO), name


def test_data_beside_people_keeps_its_pseudonyms() -> None:
    conditions = [
        {"segment": {"id": 7}},
        {"not": {"attribute": {"field": "email", "operator": "eq", "value": ADA}}},
    ]
    given = tool("trigger_broadcast").parse(
        {
            "broadcast_id": 1,
            "per_user_data": [{"email": ADA, "data": {"email": ADA}}, {"id": ADA, "data": {"id": ADA}}],
            "recipients": {"and": conditions},
            "data": {"value": ADA, "field": ADA},
        },
        ParseContext(reveal=mask.reveal),
    )

    assert given["per_user_data"] == [
        {"email": "ada@example.org", "data": {"email": ADA}},
        {"id": "ada@example.org", "data": {"id": ADA}},
    ]
    assert given["recipients"]["and"][1]["not"]["attribute"]["value"] == "ada@example.org"
    assert given["data"] == {"value": ADA, "field": ADA}


@pytest.mark.parametrize(
    "rest",
    [
        {"subject": f"For {ADA}"},
        {"body": f"<a href='https://example.org/?to={ADA.replace('@', '%40')}'>x</a>"},
        {"message_data": {"who": [ADA.upper()]}},
        {"reply_to": ADA},
        {"from_address": ADA},
        {"headers": {ADA: "x"}},
        {"message_data": {"first_name": MASK}},
    ],
)
def test_what_stands_for_hidden_values_is_refused_in_text_and_data_before_it_reaches_anybody(
    rest: dict[str, Any],
) -> None:
    called = {"customer_id": ADA, "id_type": "email", "to": f"Ada <{ADA}>", "transactional_message_id": 1}
    mask.check(tool("send_transactional_email").parse(called, ParseContext(reveal=mask.reveal)))

    with pytest.raises(InvalidArgument) as refused:
        mask.check(tool("send_transactional_email").parse(called | rest, ParseContext(reveal=mask.reveal)))

    assert [fault.split(":")[0] for fault in refused.value.faults] == list(rest)
    assert "example.org" not in str(refused.value)


def test_a_forged_pseudonym_is_refused_by_the_name_of_its_argument() -> None:
    with pytest.raises(InvalidArgument) as refused:
        tool("send_transactional_email").parse(
            {"customer_id": "aaaa@masked.invalid", "to": f"tell {ADA}", "subject": "aaaa@masked.invalid"},
            ParseContext(reveal=mask.reveal),
        )
    with pytest.raises(InvalidArgument) as listed:
        tool("trigger_broadcast").parse(
            {"broadcast_id": 1, "emails": [ADA, ADA[1:]]}, ParseContext(reveal=mask.reveal)
        )

    assert [fault.split(":")[0] for fault in refused.value.faults] == ["to", "customer_id"]
    assert [fault.split(":")[0] for fault in listed.value.faults] == ["emails.1"]


def test_without_masking_a_pseudonym_is_a_text_like_any_other() -> None:
    assert tool("get_customer").parse({"customer_id": ADA})["customer_id"] == ADA


@pytest.mark.parametrize(
    ("value", "hidden"),
    [
        ({"first_name": "Ada"}, {"first_name": MASK}),
        (
            {"First Name": "Ada", "firstName": "Ada", "FIRST-NAME": "Ada"},
            dict.fromkeys(("First Name", "firstName", "FIRST-NAME"), MASK),
        ),
        (
            {"first_name": None, "last_name": "", "name": []},
            {"first_name": None, "last_name": "", "name": []},
        ),
        (
            {"name": ["Ada"], "address": {"city": "Oslo"}, "zip": 1234},
            {"name": MASK, "address": MASK, "zip": MASK},
        ),
        ({"name": {"from": "Ada", "to": "Eve"}}, {"name": MASK}),
        ({"name": "ada@example.org"}, {"name": ADA}),
        ({"name": "Ada <ada@example.org>"}, {"name": MASK}),
        ({"plan": "pro", "city": "Oslo"}, {"plan": "pro", "city": "Oslo"}),
        ({"x": '{"name": "Ada", "plan": "pro"}'}, {"x": '{"name": "[masked]", "plan": "pro"}'}),
        ({"x": '{"plan":  "pro"}'}, {"x": '{"plan":  "pro"}'}),
        ({"x": '{"name": "Ada\\ud800"} '}, {"x": '{"name": "[masked]"}'}),
        ('400: {"name":"Ada \\"L\\" B","plan":"pro"', '400: {"name":"[masked]","plan":"pro"'),
        ("400: {'name': 'Ada', 'plan': 'pro'", "400: {'name': '[masked]', 'plan': 'pro'"),
        (r'400: "{\"name\":\"Ada\",\"plan\":\"pro\"', r'400: "{\"name\":\"[masked]\",\"plan\":\"pro\"'),
        ('400: {"plan":"pro","name":"Ad', '400: {"plan":"pro","name":"[masked]"'),
        ('400: {"zip":1234,"plan":"pro"', '400: {"zip":"[masked]","plan":"pro"'),
        ('400: {"plan":"pro","address":{"street":"A', '400: {"plan":"pro","address":"[masked]"'),
        ("name: must not be blank", "name: must not be blank"),
    ],
)
def test_the_value_of_a_named_attribute_is_masked_for_good(value: Any, hidden: Any) -> None:
    assert mask.hide(value) == hidden


@pytest.mark.parametrize(
    "name", ["phone", "work_phone", "mobilePhone", "Phone Number", "cell", "tel", "sms_number"]
)
@pytest.mark.parametrize("number", ["030 123456", "(555) 010-9999", "+4915112345678", 5550109999])
def test_an_attribute_that_is_named_as_a_phone_holds_a_number_without_a_plus(
    name: str, number: str | int
) -> None:
    hidden = Mask(KEY, ()).hide({name: number})

    assert isinstance(hidden, dict)
    assert mask.reveal(hidden[name]) == str(number)


@pytest.mark.parametrize(
    "value",
    [
        {"phone_verified": True, "phone": True, "has_phone": False, "mobile": "no", "phone_plan": "1234567"},
        {"telemetry": 1234567, "cancelled": "1234567", "hotel": "1234567", "mobile_last_seen": 1705312800},
        {"created": "2026-01-31T09:00:00+00:00", "at": 1705312800, "seen": "1705312800000", "tz": "+0200"},
        {"date": "Sat, 31 Jan 2026 09:00:00 +0100 2026-02-01", "range": "2026-01-31 - 2026-02-01"},
        {"id": "01HZY3J8G6X1V5T9Q2W4E6R8T0", "cio_id": "a3000f3e01", "count": 15000000, "share": "+12.5 %"},
        {"card": "4111 1111 1111 1111", "version": "1.22.333.4444", "change": "+150 +220 +310", "sum": "1+1"},
        {"handle": "@ada", "maps": "https://maps.example/@52.5,13.4,12z", "at": "5 @ 3", "code": "a = b @ c"},
        {"css": "@media (min-width: 10px)", "percent": "100%40", "entity": "&#64; &amp; \\u0040"},
        {"patterns": "*@example.org", "odd": "'@ada' \"@ada\" (@ada) @@ a@ @a@ @", "x": '"a" b "@c"'},
    ],
)
def test_what_only_resembles_a_person_is_left_alone(value: Any) -> None:
    assert Mask(KEY, ()).hide(value) == value


@pytest.mark.repeating
@pytest.mark.parametrize(
    "piece", ["@", "%40", "%22", '\\"', "\\", "+1 ", "&#64;", "[", '{"a":', '"a": ', "()", "%25"]
)
def test_text_without_end_is_got_through_as_it_is(piece: str) -> None:
    text = piece * (80_000 // len(piece))
    assert mask.hide(text) == text


@pytest.mark.anyio
async def test_a_masked_answer_still_fits_its_schema_and_keeps_what_is_no_customers(agent: Agent) -> None:
    hiding = Mask(KEY, [*PERSONAL, "id", "state", "totals", "recipient"])
    await agent.call(
        "identify_customer",
        customer_id="lovelace@example.org",
        email="Lovelace@example.org",
        attributes={
            "first_name": "Augusta",
            "phone": "030 123456",
            "lovelace@example.org": "+4915112345678",
            "id_": "x",
        },
    )
    await agent.call(
        "send_transactional_email",
        transactional_message_id=1,
        to="lovelace@example.org",
        customer_id="lovelace@example.org",
    )
    calls: list[tuple[str, dict[str, Any]]] = [
        ("get_customer", {"customer_id": "lovelace@example.org"}),
        ("list_customer_messages", {"customer_id": "lovelace@example.org"}),
        ("list_campaigns", {}),
        ("delete_customer", {"customer_id": "lovelace@example.org", "dry_run": True}),
        (
            "identify_customer",
            {"customer_id": "lovelace@example.org", "attributes": {"name": "Augusta"}, "dry_run": True},
        ),
    ]
    for name, arguments in calls:
        content = await agent.call(name, **arguments)
        kind: type[Answer] = Preview if content.get("outcome") == "preview" else tool(name).result
        hidden = hiding.hide(content, kind.model_validate(content))

        jsonschema.validate(hidden, tool(name).output_schema)
        assert not re.search("lovelace|augusta|030 123456|4915112345678", seen(hidden))
        if name == "list_campaigns":
            assert hidden == content


def test_the_key_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    folder, start = tmp_path / "state" / "cio-mcp", Barrier(8)

    def load(_: int) -> bytes:
        start.wait()
        return load_key(folder)

    with ThreadPoolExecutor(8) as processes:
        keys = set(processes.map(load, range(8)))

    (file,) = folder.iterdir()
    assert keys == {file.read_bytes()} == {load_key(folder)}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert load_key(tmp_path) not in keys


def test_a_key_that_cannot_be_kept_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "pseudonyms.key").write_bytes(b"short")

    for folder in (tmp_path / "file", tmp_path):
        with pytest.raises(SettingsError, match=r"^CIO_PII: .*pseudonyms\.key"):
            load_key(folder)
