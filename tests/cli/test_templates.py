"""`cio-mcp templates suggest`, and what `cio-mcp doctor` finds of a file that is no longer so."""

import shlex
import tomllib
from pathlib import Path
from typing import Any

import httpx
import pytest
from mcp import Client

from cio_mcp.app.build import build
from cio_mcp.cli import main
from cio_mcp.cli.doctor import examine
from cio_mcp.cli.finding import Finding
from cio_mcp.client import AppApi
from cio_mcp.server.server import Server
from cio_mcp.settings import load
from cio_mcp.tools.templates.suggestion import suggested
from tests.agent import Caller

pytestmark = pytest.mark.anyio

PAGE = Path(__file__).parent.parent.parent / "docs" / "templates.md"
APP = {"CIO_APP_API_KEY": "key"}


class Messages(httpx.AsyncBaseTransport):
    """Customer.io with transactional messages by number: each the text of its body and what else it is."""

    def __init__(self, **messages: dict[str, Any]) -> None:
        self.messages = {name: {"id": number} | of for number, (name, of) in enumerate(messages.items(), 1)}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path == "/v1/transactional":
            listed = [{"trigger_name": name} | of for name, of in self.messages.items()]
            return httpx.Response(200, json={"messages": listed})
        if path == "/v1/broadcasts":
            return httpx.Response(200, json={"broadcasts": []})
        found = next(
            (of for of in self.messages.values() if path == f"/v1/transactional/{of['id']}/contents"), None
        )
        if found is None:
            return httpx.Response(404, json={"meta": {"error": "not found"}})
        return httpx.Response(200, json={"contents": [{"id": 1, "type": "email", "body": ""} | found]})


def table(arguments: str, more: str = "") -> str:
    return f"[send_it]\ntransactional_message = 'it'\n{more}\n[send_it.arguments]\nto = {{}}\n{arguments}\n"


async def found(folder: Path, text: str, **messages: dict[str, Any]) -> list[Finding]:
    (folder / "templates.toml").write_text(text)
    environ = APP | {"CIO_TEMPLATES": str(folder / "templates.toml")}
    return [one for one in await examine(load(environ), Messages(**messages)) if one.what == "templates"]


async def test_a_file_that_fits_the_messages_is_fine(tmp_path: Path) -> None:
    text = table(
        "a = { type = 'string' }\norder = { type = 'object' }\nb = { value = 1 }",
        "subject = 'Hi {{trigger.a}}'",
    )
    body = "{{trigger.order.id}} {{ trigger.b | default: 2 }}"
    (one,) = await found(tmp_path, text, it={"subject": "Hi {{trigger.a}}", "body": body})

    assert (one.state, one.detail.split(" as ")[0]) == ("ok", "1 messages are")


@pytest.mark.parametrize(
    ("arguments", "message", "state", "told"),
    [
        ("order_id = { type = 'string' }", {"body": "{{trigger.order_number}}"}, "fault", "uses no order_id"),
        (
            "a = { type = 'string' }",
            {"body": "{{trigger.a}} {{trigger.b}}"},
            "fault",
            "fails without b, which no",
        ),
        ("", {"body": "{{ trigger.b | default: 'x' }}"}, "note", "it can use b, which no argument fills"),
        ("zz = { type = 'string' }", {"body": "Hi"}, "note", "it uses no zz, which zz fills"),
        ("a = { type = 'string', required = false }", {"body": "{{trigger.a}}"}, "note", "let a be required"),
        ("", {"type": "push", "body": "Hi"}, "fault", 'set channel = "push"'),
        ("", {"id": 7, "type": "twilio", "body": "Hi"}, "fault", 'set channel = "sms"'),
    ],
)
async def test_what_has_changed_since_is_found_with_its_fix(
    tmp_path: Path, arguments: str, message: dict[str, Any], state: str, told: str
) -> None:
    findings = await found(tmp_path, table(arguments), it=message)

    assert any(one.state == state and told in f"{one.detail} {one.fix}" for one in findings)
    assert all(one.fix.endswith(f"in [send_it] of {tmp_path}/templates.toml") for one in findings)


async def test_a_renamed_variable_is_told_with_its_new_name(tmp_path: Path) -> None:
    findings = await found(
        tmp_path, table("order_id = { type = 'string' }"), it={"body": "{{trigger.order_ids}}"}
    )

    assert 'renamed? then set variable = "order_ids"' in findings[0].fix


async def test_a_message_that_is_gone_and_another_subject_are_found(tmp_path: Path) -> None:
    gone = await found(tmp_path, table(""), other={"body": "Hi"})
    subject = await found(tmp_path, table("", "subject = 'Old'"), it={"subject": "New", "body": "x"})

    assert (gone[0].state, "there is no transactional message it" in gone[0].detail) == ("fault", True)
    assert (subject[0].state, subject[0].detail) == ("note", "send_it: its subject has changed")


async def test_without_a_key_to_read_with_nothing_is_compared(tmp_path: Path) -> None:
    (tmp_path / "templates.toml").write_text(table(""))
    environ = {
        "CIO_SITE_ID": "site",
        "CIO_TRACK_API_KEY": "key",
        "CIO_TEMPLATES": str(tmp_path / "templates.toml"),
    }
    findings = await examine(load(environ), Messages())

    assert any(one.what == "templates" and "CIO_APP_API_KEY" in one.detail for one in findings)


async def suggestion(**messages: dict[str, Any]) -> str:
    app = build(load(APP), wire=Messages(**messages))
    client = app.workspaces[""].client
    try:
        parts = [
            part async for part in suggested(lambda: client.api(AppApi, client.begin()), {"send_taken_name"})
        ]
    finally:
        await app.aclose()
    return "".join(parts)


ODD = {
    "order": {
        "name": "Ordér \U0001f600\x7f",
        "subject": 'Say "hi"\\ {{trigger.order_id}}',
        "description": "Two\nlines",
        "body": '{{trigger.order.id}} {{trigger.order["the total"]}} {{trigger["home city"]}}'
        "{% for x in trigger.lines %}{{x.name}}{{x.tags[0]}}{% endfor %} {{trigger.first-name}}"
        "{% for y in trigger.tags %}{{y}}{% endfor %} {{trigger.total}} {{trigger.is_gift}}"
        "{{ trigger.seats | default: 1 }} {{trigger.subject}} {{trigger.to}}"
        "{{trigger}} {{customer.name}} {{trigger.items.size}} {{trigger.Überschrift}} {{trigger.dry_run}}"
        "{{trigger.json}}",
    },
    "a_very_long_name_of_a_message_that_nobody_would_type": {"name": "Long", "body": "Hi"},
    "taken_name": {"name": "Taken", "body": "Hi"},
    "fax": {"name": "Fax", "type": "fax", "body": "Hi"},
    "42": {"name": "42", "body": "Hi"},
}


async def test_a_suggestion_is_a_file_whose_tools_take_what_their_messages_need(
    tmp_path: Path,
) -> None:
    text = await suggestion(**ODD)
    (tmp_path / "templates.toml").write_text(text, encoding="utf-8")
    order = tomllib.loads(text)["send_order"]
    about = order["arguments"]
    findings = [
        one
        for one in await examine(
            load(APP | {"CIO_TEMPLATES": str(tmp_path / "templates.toml")}), Messages(**ODD)
        )
        if one.what == "templates"
    ]

    assert {name: of["type"] for name, of in about.items() if name != "to"} == {
        "order_id": "string",
        "order": "object",
        "home_city": "string",
        "first_name": "string",
        "lines": "list",
        "tags": "list",
        "total": "number",
        "is_gift": "boolean",
        "seats": "integer",
        "subject": "string",
        "to_": "string",
        "items": "string",
        "berschrift": "string",
        "dry_run_": "string",
        "json_": "string",
    }
    assert about["order"]["description"] == "With id, the total."
    assert about["lines"]["description"] == "Objects with name, tags."
    assert about["first_name"]["variable"] == "first-name"
    assert about["home_city"]["variable"] == '["home city"]'
    assert about["subject"]["variable"] == "subject"
    assert about["seats"]["required"] is False
    assert order["subject"] == 'Say "hi"\\ {{trigger.order_id}}'
    assert 'is_gift = { type = "boolean" }  # type guessed' in text
    assert "no tool sends by fax" in text
    assert "[send_taken_name_3]" in text
    assert "[send_a_very_long_name_of_a]" in text
    assert [one.state for one in findings] == ["ok"]


def test_the_sandbox_suggests_a_file_that_works_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["templates", "suggest"]) == 0
    (folder / "t.toml").write_text(capsys.readouterr().out)
    monkeypatch.setenv("CIO_TEMPLATES", "t.toml")

    assert main(["call", "send_sign_in_code", "customer_id=u_1001", "code=4711"]) == 0
    assert main(["doctor"]) == 0
    assert "10 messages are as t.toml says" in capsys.readouterr().out


def test_of_several_workspaces_one_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "w.toml").write_text('[shop]\nsandbox = "on"\n[blog]\nsandbox = "on"\n')
    monkeypatch.setenv("CIO_WORKSPACES_FILE", str(tmp_path / "w.toml"))

    assert main(["templates", "suggest"]) == 2
    assert "--workspace: choose one of shop, blog" in capsys.readouterr().err
    assert main(["templates", "suggest", "--workspace", "blog"]) == 0
    assert "[send_order_confirmation]" in capsys.readouterr().out


async def test_each_workspace_has_the_tools_of_its_own_file(tmp_path: Path) -> None:
    for name in ("shop", "blog"):
        (tmp_path / f"{name}.toml").write_text(
            table("").replace("send_it", f"send_{name}_news").replace("'it'", "2")
        )
    alone = "generic_sends = false\n" + (tmp_path / "shop.toml").read_text()
    (tmp_path / "shop.toml").write_text(alone)
    tables = [
        f'[{name}]\nsandbox = "on"\ntemplates = "{tmp_path}/{name}.toml"\n' for name in ("shop", "blog")
    ]
    (tmp_path / "w.toml").write_text("".join(tables))
    app = build(load({"CIO_WORKSPACES_FILE": str(tmp_path / "w.toml")}))
    try:
        async with Client(Server(app)) as client:
            agent = Caller(client)
            schemas = {
                tool.name: tool.input_schema["properties"] for tool in (await client.list_tools()).tools
            }
            message = {"to": "ada@example.com", "dry_run": True}
            await agent.call("send_shop_news", workspace="shop", **message)
            text = await agent.fail("send_shop_news", workspace="blog", **message)
    finally:
        await app.aclose()

    assert schemas["send_shop_news"]["workspace"]["enum"] == ["shop"]
    assert schemas["send_blog_news"]["workspace"]["enum"] == ["blog"]
    assert schemas["send_transactional_email"]["workspace"]["enum"] == ["blog"]
    assert "it belongs to another workspace (CIO_TEMPLATES)" in text


async def test_two_files_cannot_share_a_name_and_one_file_serves_two_workspaces(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.toml").write_text(table(""))
    twice = [f'[{name}]\nsandbox = "on"\ntemplates = "{tmp_path}/{name}.toml"\n' for name in ("one", "two")]
    (tmp_path / "w.toml").write_text("".join(twice))
    environ = {"CIO_WORKSPACES_FILE": str(tmp_path / "w.toml")}
    with pytest.raises(Exception, match="is the name of another tool"):
        build(load(environ))
    (tmp_path / "w.toml").write_text('[one]\nsandbox = "on"\n[two]\nsandbox = "on"\n')
    app = build(load(environ | {"CIO_TEMPLATES": str(tmp_path / "one.toml")}))

    assert all("send_it" not in workspace.off for workspace in app.workspaces.values())
    await app.aclose()


def test_the_example_of_the_page_works_as_it_stands(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = PAGE.read_text(encoding="utf-8")
    (folder / "templates.toml").write_text(text.split("```toml\n")[1].split("```")[0])
    monkeypatch.setenv("CIO_TEMPLATES", "templates.toml")
    calls = [line for line in text.splitlines() if line.startswith("cio-mcp call ")]

    for line in calls:
        assert main(shlex.split(line)[1:]) == 0
    assert calls
    assert main(["call", "trigger_broadcast", "broadcast_id=10"]) == 2
    assert main(["doctor"]) == 0
