"""Messages as tools of their own: what a file says is what callers have, and all bounds of sends hold."""

import json
from pathlib import Path
from typing import Any

import pytest

from cio_mcp.app.build import build
from cio_mcp.cli import main
from cio_mcp.errors import SettingsError
from cio_mcp.settings import load
from tests.agent import an_agent
from tests.tools.test_words_of_sends import edit

pytestmark = pytest.mark.anyio

RECEIPT = """
[send_order_receipt]
transactional_message = "order_confirmation"
name = "Order confirmation"
description = "Once, right after the purchase."
subject = "Your order {{trigger.order_id}}"

[send_order_receipt.arguments]
to = {}
order_id = { type = "string", description = "As the customer sees it." }
items = { type = "list", required = false }
from_address = { value = "Quill <hello@example.com>" }
"""
CODE = """
[send_code]
transactional_message = 4
channel = "sms"

[send_code.arguments]
customer_id = {}
to = { value = "{{customer.phone}}" }
code = { type = "string" }
"""
SALE = """
[announce_sale]
broadcast = 10

[announce_sale.arguments]
emails = { required = true }
coupon_code = { choices = ["FIFTH", "HALF"] }
"""
ALONE = "generic_sends = false\n"
ADA = "ada@example.com"


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "templates.toml"
    path.write_text(ALONE + RECEIPT + CODE + SALE)
    return path


def file(folder: Path, text: str) -> str:
    path = folder / "templates.toml"
    path.write_text(text)
    return str(path)


async def test_a_message_is_a_tool_whose_arguments_are_those_of_the_file(written: Path) -> None:
    async with an_agent(templates=str(written), toolsets="core", confirm="preview") as agent:
        tools = {tool.name: tool for tool in (await agent.client.list_tools()).tools}

    receipt, sale = tools["send_order_receipt"], tools["announce_sale"]
    assert receipt.description == (
        'Send the email "Order confirmation" to one person.\n\nOnce, right after the purchase.\n\n'
        'Its subject: "Your order {{trigger.order_id}}".\n\n'
        "An unknown address becomes a new customer. list_customer_messages shows what became of it."
    )
    assert set(receipt.input_schema["properties"]) == {"to", "order_id", "items", "dry_run", "confirmation"}
    assert receipt.input_schema["required"] == ["to", "order_id"]
    assert receipt.input_schema["properties"]["order_id"]["description"] == "As the customer sees it."
    assert receipt.annotations
    assert receipt.annotations.destructive_hint
    assert sale.input_schema["properties"]["coupon_code"]["enum"] == ["FIFTH", "HALF"]
    assert sale.input_schema["required"] == ["emails", "coupon_code"]
    assert "$ref" not in json.dumps([tool.input_schema for tool in tools.values()])


async def test_what_leaves_is_what_the_send_behind_it_sends(written: Path) -> None:
    async with an_agent(templates=str(written)) as agent:
        await agent.call("send_order_receipt", to=ADA, order_id="7", items='[{"name": "Pen"}]')
        mail = agent.last
        await agent.call("send_code", customer_id="u_1001", code=4711)
        sms = agent.last
        await agent.call("announce_sale", emails=[ADA], coupon_code="HALF")
        sale = agent.last

    assert mail == (
        "POST /v1/send/email",
        {},
        {
            "identifiers": {"email": ADA},
            "to": ADA,
            "transactional_message_id": "order_confirmation",
            "message_data": {"order_id": "7", "items": [{"name": "Pen"}]},
            "from": "Quill <hello@example.com>",
        },
    )
    assert sms[2] == {
        "identifiers": {"id": "u_1001"},
        "to": "{{customer.phone}}",
        "transactional_message_id": "4",
        "message_data": {"code": "4711"},
    }
    assert sale[::2] == (
        "POST /v1/campaigns/10/triggers",
        {"emails": [ADA], "data": {"coupon_code": "HALF"}},
    )


@pytest.mark.parametrize(
    ("tool", "arguments", "told"),
    [
        ("send_order_receipt", {"to": ADA}, "order_id: is required"),
        ("send_order_receipt", {"to": ADA, "order_id": " "}, "order_id: must not be blank"),
        ("send_order_receipt", {"to": ADA, "order": 7, "order_id": 7}, "did you mean order_id?"),
        ("send_order_receipt", {"to": ADA, "order_id": 7, "from_address": "x@y.zz"}, "from_address: unknown"),
        ("send_order_receipt", {"to": ADA, "order_id": 7, "subject": "Free"}, "subject: unknown argument"),
        ("send_order_receipt", {"to": f"{ADA}, b@example.com", "order_id": 7}, "to: write addresses as"),
        ("send_order_receipt", {"to": "{{customer.email}}", "order_id": 7}, "to: write addresses as"),
        ("send_order_receipt", {"to": ADA, "order_id": 7, "items": []}, "items: must not be empty"),
        ("send_order_receipt", {"to": ADA, "order_id": 7, "message_data": {"x": 1}}, "message_data: unknown"),
        (
            "announce_sale",
            {"emails": [ADA], "coupon_code": "FREE"},
            "coupon_code: must be one of FIFTH, HALF",
        ),
        ("announce_sale", {"coupon_code": "HALF"}, "emails: is required"),
        ("announce_sale", {"emails": "ada", "coupon_code": "HALF"}, "emails: write addresses as"),
        ("send_code", {"customer_id": "u_1001", "code": "1", "to": "+4930123456"}, "to: unknown argument"),
    ],
)
async def test_what_a_call_must_not_say_is_refused_by_its_argument(
    written: Path, tool: str, arguments: dict[str, Any], told: str
) -> None:
    async with an_agent(templates=str(written)) as agent:
        text = await agent.fail(tool, **arguments)
        left = agent.sent

    assert told in text
    assert left == []


async def test_the_only_way_to_send_leaves_the_others_off_and_names_itself(written: Path) -> None:
    async with an_agent(templates=str(written)) as agent:
        listed = {tool.name for tool in (await agent.client.list_tools()).tools}
        text = await agent.fail("send_transactional_email", to=ADA, customer_id="u_1001")
        off = (await agent.call("server_status"))["off"]
        left = agent.sent

    others = {
        *("send_transactional_email", "send_transactional_message"),
        *("trigger_broadcast", "send_newsletter"),
    }
    assert not listed & others
    assert {"send_order_receipt", "send_code", "announce_sale", "set_reporting_webhook"} <= listed
    assert "generic_sends = false: send with send_order_receipt, send_code, announce_sale" in text
    assert others == {name for why, names in off.items() if "generic_sends" in why for name in names}
    assert left == []


async def test_without_that_word_the_others_stay(tmp_path: Path) -> None:
    async with an_agent(templates=file(tmp_path, RECEIPT), toolsets="core") as agent:
        listed = {tool.name for tool in (await agent.client.list_tools()).tools}

    assert {"send_order_receipt", "send_transactional_email"} <= listed


async def test_every_bound_of_a_send_holds_for_it(written: Path, tmp_path: Path) -> None:
    log = tmp_path / "audit.jsonl"
    bounds: dict[str, Any] = {
        "allowed_recipients": ADA,
        "max_sends_per_hour": "2",
        "audit_log": str(log),
    }
    async with an_agent(templates=str(written), **bounds) as agent:
        stranger = await agent.fail("send_order_receipt", to="eve@example.com", order_id="1")
        several = await agent.fail("announce_sale", emails=[ADA, "eve@example.com"], coupon_code="HALF")
        shown = await agent.call("send_order_receipt", to=ADA, order_id="1", dry_run=True)
        for _ in range(2):
            await agent.call("send_order_receipt", to=ADA, order_id="1")
        full = await agent.fail("send_order_receipt", to=ADA, order_id="1")
        posted = [sent for sent in agent.sent if sent.startswith("POST /v1/send")]
    entries = [json.loads(line) for line in log.read_text().splitlines()]

    assert "CIO_ALLOWED_RECIPIENTS" in stranger
    assert "CIO_ALLOWED_RECIPIENTS" in several
    assert shown["would"] == 'Send "Order confirmation" to 1 person'
    assert shown["subject"] == '"Your order 1"'
    assert "CIO_MAX_SENDS_PER_HOUR" in full
    assert len(posted) == 2
    kinds = [entry["kind"] for entry in entries if entry["kind"] != "head"]
    assert kinds == ["refusal"] * 2 + ["intent", "outcome"] * 3 + ["refusal"]
    assert [entry["outcome"] for entry in entries if "outcome" in entry] == ["queued", "queued", "not_sent"]
    assert {entry["tool"] for entry in entries if "tool" in entry} == {"send_order_receipt", "announce_sale"}


async def test_a_code_holds_for_what_it_showed_and_for_no_other_tool(tmp_path: Path) -> None:
    async with an_agent(templates=file(tmp_path, SALE), confirm="preview") as agent:
        sale = {"emails": [ADA, "bob@example.com"], "coupon_code": "HALF"}
        code = (await agent.call("announce_sale", **sale))["confirmation"]
        other = await agent.fail("announce_sale", **sale | {"coupon_code": "FIFTH"}, confirmation=code)
        generic = {"broadcast_id": 10, "emails": sale["emails"], "data": {"coupon_code": "HALF"}}
        borrowed = await agent.fail("trigger_broadcast", **generic, confirmation=code)
        done = await agent.call("announce_sale", **sale, confirmation=code)

    assert "data" in other
    assert "confirmation" in borrowed
    assert done["outcome"] == "triggered"


async def test_a_pseudonym_stands_for_the_person_and_shows_nothing(tmp_path: Path) -> None:
    async with an_agent(templates=file(tmp_path, RECEIPT), pii="mask") as agent:
        found = await agent.call("get_customer", customer_id="u_1001")
        hidden = found["email"]
        preview = await agent.call("send_order_receipt", to=hidden, order_id="7", dry_run=True)
        await agent.call("send_order_receipt", to=hidden, order_id="7")
        body = agent.last[2]

    assert ADA not in json.dumps(preview)
    assert body["to"] == body["identifiers"]["email"] == ADA


async def test_a_message_that_has_changed_since_is_not_sent_with_a_hole_in_it(written: Path) -> None:
    async with an_agent(templates=str(written)) as agent:
        edit(agent, "transactional", 1, subject="{{trigger.gift}} for order {{trigger.number}}")
        text = await agent.fail("send_order_receipt", to=ADA, order_id="7")
        preview = await agent.call("send_order_receipt", to=ADA, order_id="7", dry_run=True)
        left = [sent for sent in agent.sent if sent.startswith("POST /v1/send")]

    assert "arguments: lacks gift, number" in text
    assert "an operator must add it there (cio-mcp doctor names it)" in text
    assert "allow_missing" not in text
    assert preview["missing_data"]
    assert left == []


TYPES: dict[str, tuple[list[tuple[Any, Any]], list[Any]]] = {
    "string": ([("x", "x"), (7, "7"), ("007", "007")], [True, {}, ""]),
    "number": ([(7, 7), (-1.5, -1.5), ("2.5", 2.5), ("-3", -3)], ["x", True, [], "nan"]),
    "integer": ([(7, 7), ("-7", -7), (7.0, 7)], [7.5, "x", True]),
    "boolean": ([(True, True), ("false", False)], ["x", 2]),
    "list": ([([1, "a"], [1, "a"]), ('[{"a": 1}]', [{"a": 1}]), ("x", ["x"])], [[], "[1"]),
    "object": ([({"a": 1}, {"a": 1}), ('{"a": 1}', {"a": 1})], ["x", [1]]),
}


@pytest.mark.parametrize("kind", TYPES)
async def test_a_value_is_taken_as_its_type_says_or_refused(tmp_path: Path, kind: str) -> None:
    text = (
        "[send_order_receipt]\ntransactional_message = 1\n[send_order_receipt.arguments]\nto = {}\n"
        f'order_id = {{ value = 7 }}\nx = {{ type = "{kind}", variable = \'order.lines["the x"]\' }}\n'
    )
    good, bad = TYPES[kind]
    async with an_agent(templates=file(tmp_path, text)) as agent:
        taken = []
        for given, _ in good:
            await agent.call("send_order_receipt", to=ADA, x=given)
            taken.append(agent.last[2]["message_data"])
        refused = [await agent.fail("send_order_receipt", to=ADA, x=given) for given in bad]

    assert taken == [{"order_id": 7, "order": {"lines": {"the x": value}}} for _, value in good]
    assert all("x: " in text for text in refused)


async def test_choices_are_compared_as_their_type_takes_them(tmp_path: Path) -> None:
    text = RECEIPT.replace("order_id = {", "order_id = { choices = [7, 8],")
    async with an_agent(templates=file(tmp_path, text)) as agent:
        taken = [
            await agent.call("send_order_receipt", to=ADA, order_id=order, dry_run=True) for order in (7, "7")
        ]
        refused = await agent.fail("send_order_receipt", to=ADA, order_id="9")

    assert [one["request"]["body"]["message_data"] for one in taken] == [{"order_id": "7"}] * 2
    assert "order_id: must be one of 7, 8" in refused


async def test_times_of_a_send_are_said_in_a_zone_as_ever(tmp_path: Path) -> None:
    text = RECEIPT + "send_at = {}\nlanguage = { choices = ['fr'] }\n"
    async with an_agent(templates=file(tmp_path, text)) as agent:
        at = {"send_at": "2026-06-01T10:00", "timezone": "Europe/Berlin"}
        await agent.call("send_order_receipt", to=ADA, order_id="7", language="fr", **at)
        body = agent.last[2]
        other = await agent.fail("send_order_receipt", to=ADA, order_id="7", language="de")

    assert (body["send_at"], body["language"]) == (1780300800, "fr")
    assert "language: must be one of fr" in other


ONE = "[send_it]\ntransactional_message = 1\n"
ARGUMENTS = ONE + "[send_it.arguments]\n"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[send_it", "is not TOML"),
        ("", "names no message; cio-mcp templates suggest"),
        ('generic_sends = "no"\n' + RECEIPT, "generic_sends: must be true or false"),
        (RECEIPT + "generic_sends = false\n", "generic_sends: belongs above the first table"),
        ("generic_send = false\n" + RECEIPT, "generic_send: there is no such key"),
        ("[receipt]\ntransactional_message = 1\n", "[receipt]: name it verb_noun"),
        (f"[send_{'x' * 26}]\ntransactional_message = 1\n", "at most 30"),
        ("[send_it]\nchannel = 'sms'\n", "[send_it]: needs transactional_message"),
        (ONE + "broadcast = 10\n", "[send_it]: needs transactional_message"),
        ("[send_it]\nbroadcast = 'x'\n", "[send_it]: broadcast: must be a whole number"),
        ("[send_it]\nbroadcast = 1\nchannel = 'sms'\n", "channel: is of transactional messages"),
        (ONE + "chanel = 'sms'\n", "chanel: there is no such key; did you mean channel?"),
        (ONE + "channel = 'fax'\n", "channel: Input should be 'email', 'push'"),
        (ONE, "[send_it.arguments]: to: is needed"),
        (ARGUMENTS + "to = { value = '{{customer.email}}' }\n", "customer_id: is needed"),
        (ARGUMENTS + "to = {}\nid_type = {}\n", "customer_id: is needed"),
        (ONE + "arguments = 5\n", "[send_it]: arguments: Input should be a valid dictionary"),
        ("[[send_it]]\ntransactional_message = 1\n", "send_it: there is no such key"),
        (ARGUMENTS + "to = {}\nx = { value = inf }\n", "value: numbers must be finite"),
        (ARGUMENTS + "to = 'x'\n", "[send_it.arguments] to: must be a table"),
        (ARGUMENTS + "to = {}\nthe-x = { type = 'string' }\n", "the-x: cannot be its name"),
        (ARGUMENTS + "to = {}\ndry_run = { type = 'string' }\n", "dry_run: cannot be its name"),
        (ARGUMENTS + "to = {}\nmodel_dump = { type = 'string' }\n", "model_dump: cannot be its name"),
        (ARGUMENTS + "to = {}\njson = { type = 'string' }\n", 'variable = "json" fills'),
        (ARGUMENTS + "to = {}\nx = {}\n", "x: type: is needed, one of string, number"),
        (ARGUMENTS + "to = {}\nlanguag = {}\n", "or did you mean language?"),
        (ARGUMENTS + "to = {}\nx = { type = 'text' }\n", "x: type: Input should be 'string'"),
        (ARGUMENTS + "to = {}\nx = { type = 'string', desc = 'x' }\n", "x: desc: there is no such key"),
        (ARGUMENTS + "to = { type = 'string' }\n", "to: type: is known; leave it out"),
        (ARGUMENTS + "to = { required = false }\n", "to: required: each call must have it"),
        (ARGUMENTS + "to = {}\ntitle = {}\n", "title: this channel (email) takes no such argument"),
        (ARGUMENTS + "to = {}\nmessage_data = {}\n", 'add variable = "message_data"'),
        (ARGUMENTS + "to = {}\nallow_missing = { value = true }\n", "takes no such argument"),
        (ARGUMENTS + "to = {}\nheaders = { choices = ['x'] }\n", "choices: are of arguments that are text"),
        (ARGUMENTS + "to = {}\nsubject = { value = ' ' }\n", "subject: value: must not be blank"),
        (ARGUMENTS + "to = {}\nx = { value = 2026-01-01 }\n", "value: write times as text"),
        (ARGUMENTS + "to = {}\nx = { value = 1, required = true }\n", "value: is fixed"),
        (ARGUMENTS + "to = {}\nx = { type = 'integer', choices = ['a'] }\n", "choices: must be a number"),
        (ARGUMENTS + "to = {}\nx = { type = 'string', variable = 'a..b' }\n", "variable: must be written"),
        (
            ARGUMENTS + "to = {}\na = { type = 'object' }\nb = { type = 'string', variable = 'a.b' }\n",
            "b: fills the same variable as a, or a part of it",
        ),
        ("[send_transactional_email]\ntransactional_message = 1\narguments.to = {}\n", "another tool"),
    ],
)
def test_a_file_that_is_wrong_stops_the_start_with_one_line(
    tmp_path: Path,
    text: str,
    fault: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = file(tmp_path, text)
    monkeypatch.setenv("CIO_TEMPLATES", path)

    assert main(["tools"]) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"cio-mcp: CIO_TEMPLATES: {path}: ")
    assert fault in told
    assert len(told.splitlines()) == 1


def test_a_file_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"CIO_TEMPLATES: .*cannot be read: No such file"):
        build(load({"CIO_TEMPLATES": str(tmp_path / "none.toml")}))


@pytest.mark.parametrize(
    ("words", "on"),
    [
        ({}, True),
        ({"toolsets": "core,people"}, True),
        ({"toolsets": "people"}, False),
        ({"toolsets": "people,templates"}, True),
        ({"tools": "send_order_receipt,get_customer"}, True),
        ({"tools": "-send_*"}, False),
        ({"permissions": "read,write"}, False),
    ],
)
async def test_it_is_on_as_the_other_settings_say(tmp_path: Path, words: dict[str, Any], on: bool) -> None:
    async with an_agent(templates=file(tmp_path, RECEIPT), **{"toolsets": "", **words}) as agent:
        listed = {tool.name for tool in (await agent.client.list_tools()).tools}

    assert ("send_order_receipt" in listed) is on


def test_a_token_can_name_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["token", "--file", str(tmp_path / "t.json"), "add", "one", "--tools", "send_order_receipt"]
    assert main(asked) == 2
    monkeypatch.setenv("CIO_TEMPLATES", file(tmp_path, RECEIPT))

    assert main(asked) == 0
    assert capsys.readouterr().out
