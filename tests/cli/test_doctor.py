"""`cio-mcp doctor`: every fault that a newcomer meets first, made on purpose."""

import json
import socket
import sqlite3
import ssl
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from cio_mcp.app.workspace import pace_file, safety_file
from cio_mcp.auth.tokens import add
from cio_mcp.cli import main
from cio_mcp.cli.clients import clients
from cio_mcp.cli.doctor import examine
from cio_mcp.cli.finding import Finding
from cio_mcp.safety.grant import Grant
from cio_mcp.settings import load
from cio_mcp.toolkit.core import CORE
from tests.redis_server import PASSWORD, RedisServer
from tests.transports.test_transports import serving

pytestmark = pytest.mark.anyio

TRACK = {"CIO_SITE_ID": "site-s3cret", "CIO_TRACK_API_KEY": "track-s3cret"}
APP = {"CIO_APP_API_KEY": "app-s3cret"}
Respond = Callable[[httpx.Request], httpx.Response]


async def found(environ: dict[str, str], respond: Respond) -> dict[str, Finding]:
    """Return the findings by what they are about."""
    findings = await examine(load(environ), httpx.MockTransport(respond))
    assert "s3cret" not in str(findings)
    assert all(finding.fix for finding in findings if finding.state == "fault")
    return {finding.what: finding for finding in findings}


def home(region: str, *, offset: float = 0) -> Respond:
    """Return a Customer.io whose workspace is in `region`, and whose clock is off by `offset` seconds."""
    suffix = "-eu" if region == "eu" else ""

    def respond(request: httpx.Request) -> httpx.Response:
        date = format_datetime(datetime.now(UTC) + timedelta(seconds=offset), usegmt=True)
        if request.url.host not in {f"track{suffix}.customer.io", f"api{suffix}.customer.io"}:
            return httpx.Response(401, headers={"date": date})
        body: dict[str, object] = (
            {"region": region} if request.url.host.startswith("track") else {"messages": []}
        )
        return httpx.Response(200, json=body, headers={"date": date})

    return respond


async def test_right_keys_in_the_right_region_are_ok() -> None:
    findings = await found(TRACK | APP, home("us"))

    assert {finding.state for finding in findings.values()} == {"ok"}
    assert findings["track key"].detail == "opens track.customer.io"


@pytest.mark.parametrize(("set_to", "where"), [("us", "eu"), ("eu", "us")])
async def test_keys_of_the_other_region_name_the_setting_that_mends_it(set_to: str, where: str) -> None:
    findings = await found(TRACK | APP | {"CIO_REGION": set_to}, home(where))

    for what in ("track key", "app key"):
        assert findings[what].state == "fault"
        assert findings[what].fix == f"set CIO_REGION={where}"


async def test_a_redirect_of_track_is_the_other_region_too() -> None:
    findings = await found(
        TRACK, lambda _: httpx.Response(307, headers={"location": "https://track-eu.customer.io"})
    )

    assert findings["track key"].fix == "set CIO_REGION=eu"


async def test_a_key_that_opens_nowhere_lists_the_causes() -> None:
    findings = await found(TRACK | APP, lambda _: httpx.Response(401))

    assert "site id" in findings["track key"].fix.lower().replace("_", " ")
    assert "IP addresses" in findings["app key"].fix


async def test_a_track_key_used_as_app_key_is_recognised() -> None:
    findings = await found(TRACK | {"CIO_APP_API_KEY": "track-s3cret"}, lambda _: httpx.Response(401))

    assert "the same as one of the Track credentials" in findings["app key"].fix


async def test_a_missing_key_is_only_a_note() -> None:
    findings = await found(APP, home("us"))

    assert findings["track key"].state == "note"
    assert findings["track key"].fix == "set CIO_SITE_ID and CIO_TRACK_API_KEY"


async def test_a_limit_that_is_reached_now_is_no_fault() -> None:
    assert (await found(APP, lambda _: httpx.Response(429)))["app key"].state == "ok"


async def test_somebody_else_answering_is_told() -> None:
    findings = await found(APP, lambda _: httpx.Response(502, text="<html>proxy</html>"))

    assert "answered 502" in findings["app key"].detail
    assert "HTTPS_PROXY" in findings["app key"].fix


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, text="<html>Sign in to the hotel's network</html>"),
        httpx.Response(200, json={"status": "ok"}),
        httpx.Response(200, json=["region", "messages"]),
        httpx.Response(200),
    ],
)
async def test_an_answer_that_is_not_customer_ios_opens_nothing(answer: httpx.Response) -> None:
    findings = await found(TRACK | APP, lambda _: answer)

    for what in ("track key", "app key"):
        assert findings[what].state == "fault"
        assert "answered 200, not as Customer.io does" in findings[what].detail


@pytest.mark.parametrize(
    ("inner", "detail", "fix"),
    [
        (
            ssl.SSLCertVerificationError(1, "self-signed"),
            "certificate of api.customer.io:443 is not trusted",
            "SSL_CERT_FILE",
        ),
        (ssl.SSLError(1, "wrong version"), "does not accept TLS connections", "HTTPS_PROXY"),
        (ConnectionRefusedError(111, "refused"), "refuses connections", "HTTPS_PROXY"),
        (
            socket.gaierror(-2, "unknown"),
            "name of api.customer.io:443 cannot be resolved: no network",
            "network",
        ),
        (TimeoutError("dropped"), "api.customer.io:443 does not answer in time", "only a proxy leads out"),
        (ExceptionGroup("all", [OSError(113, "no route")]), "cannot be reached (ConnectError)", "network"),
    ],
)
async def test_no_connection_says_why(inner: Exception, detail: str, fix: str) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("s3cret", request=request) from inner

    findings = await found(APP, fail)

    assert detail in findings["network"].detail
    assert fix in findings["network"].fix


@pytest.mark.parametrize(("offset", "state"), [(0, "ok"), (600, "fault"), (-600, "fault")])
async def test_a_clock_that_is_off_is_found(offset: float, state: str) -> None:
    finding = (await found(APP, home("us", offset=offset)))["clock"]

    assert finding.state == state


async def test_another_address_is_taken_as_it_answers() -> None:
    findings = await found(
        TRACK | {"CIO_TRACK_URL": "https://gateway.example.com"},
        lambda _: httpx.Response(200, json={"region": "eu"}),
    )

    assert findings["track key"].detail == "opens gateway.example.com"


async def test_a_proxy_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://user:s3cret@proxy.example.com:3128")
    findings = await found(APP, home("us"))
    assert findings["proxy"].detail == "requests to api.customer.io go through proxy.example.com:3128"

    monkeypatch.setenv("no_proxy", "customer.io")
    assert "proxy" not in await found(APP, home("us"))


def unreachable(_: httpx.Request) -> httpx.Response:
    raise AssertionError


async def test_the_sandbox_needs_no_network_and_says_how_to_leave_it() -> None:
    assert (await found({}, unreachable))["workspace"].state == "note"
    assert "unset CIO_SANDBOX" in (await found(APP | {"CIO_SANDBOX": "on"}, unreachable))["workspace"].fix


async def test_the_sandboxs_file_is_opened_as_a_server_opens_it(tmp_path: Path) -> None:
    kept = await found({"CIO_SANDBOX_PATH": str(tmp_path / "new.db")}, unreachable)
    assert kept["sandbox"].state == "ok"

    (tmp_path / "notes").write_text("a shopping list, by no means a database " * 99)
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as db:
        db.execute("CREATE TABLE people (name TEXT)")
        before = db.serialize()
    for unusable in (tmp_path, tmp_path / "missing" / "new.db", tmp_path / "notes", other):
        lost = (await found({"CIO_SANDBOX_PATH": str(unusable)}, unreachable))["sandbox"]
        assert lost.state == "fault"
        assert lost.detail.startswith(f"CIO_SANDBOX_PATH: {unusable} cannot be used: ")
        assert lost.fix == "set CIO_SANDBOX_PATH to a file that can be written"
    assert "it is not a sandbox; name another file" in lost.detail
    with closing(sqlite3.connect(other)) as db:
        assert db.serialize() == before


async def test_an_audit_log_that_cannot_be_written_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "audit.jsonl"
    findings = await found(TRACK | APP | {"CIO_AUDIT_LOG": str(path)}, home("us"))
    assert findings["audit log"].state == "fault"
    assert str(path) in findings["audit log"].detail

    findings = await found(TRACK | APP | {"CIO_AUDIT_LOG": str(tmp_path / "audit.jsonl")}, home("us"))
    assert findings["audit log"].state == "ok"


async def test_the_files_that_processes_share_are_found_usable_or_what_is_lost_is_said() -> None:
    well = await found(APP, home("us"))
    assert [well[what].state for what in ("pace", "bounds")] == ["ok", "ok"]

    for file in (pace_file(), safety_file()):
        file.write_text("half a disk was lost, and this is what came back of the database " * 99)
    ill = await found(APP, home("us"))
    assert [ill[what].state for what in ("pace", "bounds")] == ["note", "note"]
    assert ill["pace"].detail.endswith(
        "file is not a database: limits are not shared with other processes of yours"
    )
    assert ill["pace"].fix.endswith("delete pace.db if it is damaged")
    capped = await found(APP | {"CIO_MAX_SENDS_PER_DAY": "10", "CIO_SHARED_PACE": "off"}, home("us"))
    assert capped["bounds"].state == "fault"
    assert "pace" not in capped


async def test_a_state_folder_that_cannot_be_made_is_named() -> None:
    pace_file().parent.write_text("a file where the folder should be")

    finding = (await found(APP, home("us")))["pace"]

    assert (finding.state, str(pace_file().parent) in finding.fix) == ("note", True)


def test_the_pace_can_be_looked_at_after_doctor_and_before_the_first_call(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CIO_APP_API_KEY", "s3cret")
    monkeypatch.setenv("CIO_APP_URL", "http://127.0.0.1:9")
    main(["doctor"])
    assert pace_file().exists()
    capsys.readouterr()

    assert main(["pace"]) == 0
    assert capsys.readouterr().out == f"No process has sent anything yet ({pace_file()}).\n"


@pytest.mark.processes
async def test_a_redis_that_replicas_share_is_reached_or_named_without_its_password(
    redis: RedisServer,
) -> None:
    finding = (await found({"CIO_SHARED_PACE": redis.address}, home("us")))["replicas"]
    assert finding.state == "ok"
    assert PASSWORD not in finding.detail

    redis.kill()
    finding = (await found({"CIO_SHARED_PACE": redis.address}, home("us")))["replicas"]
    assert finding.state == "fault"
    assert "cannot be used (ConnectionError)" in finding.detail
    assert PASSWORD not in finding.detail


def test_the_exit_status_is_for_scripts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor"]) == 0
    assert "fix: for a real workspace, set CIO_SITE_ID" in capsys.readouterr().out

    monkeypatch.setenv("CIO_SITE_ID", "site")
    assert main(["doctor", "--json"]) == 2
    assert "CIO_TRACK_API_KEY" in json.loads(capsys.readouterr().out)[-1]["detail"]

    monkeypatch.setenv("CIO_TRACK_API_KEY", "key")
    monkeypatch.setenv("CIO_TRACK_URL", "http://127.0.0.1:9")
    assert main(["doctor"]) == 1
    assert "127.0.0.1:9 refuses connections" in capsys.readouterr().out


async def test_a_service_account_token_is_not_tried_since_it_opens_sends_only() -> None:
    def respond(_: httpx.Request) -> httpx.Response:
        raise AssertionError

    findings = await found({"CIO_APP_API_KEY": "sa_live_s3cret", "CIO_WORKSPACE_ID": "7"}, respond)

    assert findings["app key"].state == "note"
    assert "a service account token: it opens sends only" in findings["app key"].detail


OURS = {"command": sys.executable, "args": ["-m", "cio_mcp"]}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the test a home, and a project in the same place."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def diagnosed(
    capsys: pytest.CaptureFixture[str], entry: dict[str, Any], client: str = "claude-code"
) -> tuple[int, dict[str, dict[str, str]]]:
    """Return the exit status of `doctor CLIENT` and the findings, with `entry` as that of the client."""
    file = clients()[client]
    file.path.parent.mkdir(parents=True, exist_ok=True)
    servers = {"customerio": entry} if not file.listed else [{"name": "customerio", **entry}]
    comment = "// a comment\n" if file.path.suffix == ".json" else ""
    file.path.write_text(comment + json.dumps({file.key: servers}))
    status = main(["doctor", client, "--json"])
    out = capsys.readouterr().out
    assert "s3cret" not in out
    return status, {finding["what"]: finding for finding in json.loads(out)}


@pytest.mark.processes
@pytest.mark.usefixtures("project")
def test_the_entry_of_a_client_is_started_as_the_client_does(capsys: pytest.CaptureFixture[str]) -> None:
    status, findings = diagnosed(capsys, OURS | {"env": {"CIO_TOOL_PREFIX": "cio_"}, "disabled": True})

    assert status == 0
    assert f"starts, lists {len(CORE)} tools and works on the embedded sandbox" in findings["entry"]["detail"]
    assert "Claude Code has it off" in findings["entry"]["detail"]


@pytest.mark.processes
def test_what_an_entry_refers_to_is_put_in_its_place(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MY_REGION", "eu")
    monkeypatch.setenv("CIO_APP_API_KEY", "s3cret")
    (project / "own.env").write_text("# mine\nexport CIO_APP_URL='http://127.0.0.1:9'\n")
    env = {
        "CIO_APP_API_KEY": "${input:key}",
        "CIO_REGION": "${env:MY_REGION}",
        "CIO_TIMEZONE": "${MY_ZONE:-Asia/Tokyo}",
        "CIO_AUDIT_LOG": "${workspaceFolder}/audit.jsonl",
    }
    own = {"envFile": "${workspaceFolder}/own.env", "env": env, "cwd": "${userHome}"}
    status, findings = diagnosed(capsys, OURS | own, "vscode")

    assert (status, findings["entry"]["state"]) == (1, "ok")
    assert "works on a live workspace (eu)" in findings["entry"]["detail"]
    assert findings["audit log"]["detail"] == f"is kept in {project}/audit.jsonl"
    assert "127.0.0.1:9 refuses connections" in findings["network"]["detail"]


@pytest.mark.processes
@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"command": "/nowhere/cio-mcp"}, "/nowhere/cio-mcp cannot be started: No such file or directory"),
        ({"command": "false"}, "false ended, or answered with something that is not MCP"),
        ({"command": "cat"}, "cat ended, or answered with something that is not MCP"),
        (
            {"command": "sh", "args": ["-c", "echo my key is $K >&2"], "env": {"K": "s3cret"}},
            "it said: my key is …",
        ),
    ],
)
@pytest.mark.usefixtures("project")
def test_an_entry_that_does_not_start_the_server_is_a_fault(
    capsys: pytest.CaptureFixture[str], entry: dict[str, Any], words: str
) -> None:
    status, findings = diagnosed(capsys, entry)

    assert status == 1
    assert findings["entry"]["state"] == "fault"
    assert words in findings["entry"]["detail"]


@pytest.mark.usefixtures("project")
def test_entries_of_clients_are_told_where_none_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    main(["config", "claude-code", "--write", "--no-try"])
    capsys.readouterr()

    assert main(["doctor"]) == 0
    said = capsys.readouterr().out
    assert "Claude Code has its own, in .mcp.json, which is not looked at here" in said
    assert "fix: cio-mcp doctor claude-code" in said


@pytest.mark.processes
@pytest.mark.usefixtures("project")
def test_a_server_elsewhere_is_reached_as_the_client_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tokens = tmp_path / "tokens.json"
    token = add(tokens, Grant(name="team"))
    with serving(CIO_TOKENS_FILE=str(tokens)) as server:
        monkeypatch.setenv("TEAM", token)
        headers = {"Authorization": "Bearer ${TEAM}"}
        status, findings = diagnosed(capsys, {"url": f"{server.url}/mcp", "headers": headers}, "cursor")
        assert status == 0
        assert "answers, lists" in findings["entry"]["detail"]
        assert "works on the embedded sandbox" in findings["entry"]["detail"]

        status, findings = diagnosed(
            capsys, {"url": f"{server.url}/mcp", "requestOptions": {"headers": {}}}, "continue"
        )
        assert (status, findings["entry"]["detail"]) == (1, f"{server.url}/mcp answered 401")
    status, findings = diagnosed(capsys, {"uri": f"{server.url}/mcp", "enabled": False}, "goose")
    assert status == 0, "a note is no fault"
    assert f"{server.url}/mcp cannot be reached" in findings["entry"]["detail"]
    assert "Goose has it off" in findings["entry"]["detail"]


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({}, "has no entry customerio; cio-mcp setup claude-code makes it"),
        ({"env": {}}, "has no command"),
        (
            OURS | {"env": {"CIO_REGION": "${NOT_SET}"}},
            "CIO_REGION: refers to NOT_SET, which is not set",
        ),
        (OURS | {"env": {"CIO_APP_API_KEY": "${input:key}"}}, "CIO_APP_API_KEY: the client asks for it"),
        (OURS | {"envFile": "missing.env"}, "the entry's envFile cannot be read"),
    ],
)
@pytest.mark.usefixtures("project")
def test_an_entry_that_cannot_be_tried_is_told(
    capsys: pytest.CaptureFixture[str], entry: dict[str, Any], words: str
) -> None:
    status, findings = diagnosed(capsys, entry)

    assert status == 2
    assert words in findings["settings"]["detail"]
