"""`cio-mcp sandbox`: the embedded Customer.io on a port."""

import json
import os
import re
import signal
import socket
import ssl
import sys
from asyncio import gather
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from threading import Event, Thread

import httpx
import pytest
from mcp import Client, StdioServerParameters

from cio_mcp.cli import main
from cio_mcp.sandbox import Sandbox
from cio_mcp.server.server import facts
from tests.agent import at_the_shell
from tests.processes import Command

pytestmark = pytest.mark.processes


def start(*options: str, **environ: str) -> tuple[Command, str, str]:
    """Start a sandbox on a free port; returns the process, its address and what it said."""
    process = Command("sandbox", "--port", "0", *options, **environ)
    said = ""
    while "state" not in said or ("--tls" in options and "certificate" not in said):
        line = process.stdout.readline()
        assert line, process.stderr.read()
        said += line
    found = re.search(r"https?://[\d.]+:\d+", said)
    assert found
    return process, found[0], said


@contextmanager
def a_port(*options: str, **environ: str) -> Iterator[tuple[str, str]]:
    """Serve a sandbox on a free port until the end; yields its address and what it said."""
    process, url, said = start(*options, **environ)
    with process:
        yield url, said
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=5) == 0


APP = {"Authorization": "Bearer sandbox-app-key"}
TRACK = ("sandbox-site", "sandbox-track-key")


def wait_for(url: str, **options: object) -> httpx.Response:
    """Return the first answer of a server that has just bound its port."""
    transport = httpx.HTTPTransport(retries=5, **options)  # type: ignore[arg-type]
    with httpx.Client(transport=transport, headers=APP, timeout=10) as client:
        return client.get(url)


def test_any_client_that_speaks_http_can_use_it() -> None:
    with a_port() as (url, said):
        answer = wait_for(f"{url}/v1/customers/u_1001/attributes")

    assert answer.json()["customer"]["identifiers"]["email"] == "ada@example.com"
    assert "sandbox-track-key" in said


def test_an_encoded_slash_in_an_identifier_stays_one_identifier() -> None:
    with a_port() as (url, _):
        answer = wait_for(f"{url}/v1/customers/a%2Fb/attributes")

    assert answer.status_code == 404  # and not 501, as for a path that has one segment more
    assert answer.json()["errors"][0]["detail"].startswith("not found")


def test_it_speaks_tls_with_a_certificate_that_can_be_trusted_and_leaves_nothing_behind() -> None:
    with a_port("--tls") as (url, said):
        path = Path(said.split()[-1])
        assert path.stat().st_mode & 0o077 == 0
        answer = wait_for(f"{url}/v1/campaigns", verify=ssl.create_default_context(cafile=str(path)))

    assert url.startswith("https://")
    assert answer.status_code == 200
    assert not path.parent.exists()


def test_who_speaks_http_to_the_port_of_https_is_told_what_to_write() -> None:
    process, url, said = start("--tls")
    with process:
        with httpx.Client(headers=APP) as client:
            answer = client.post(
                url.replace("https:", "http:") + "/v1/send/email", json={"to": "x" * 100_000}
            )
        trusted = httpx.get(
            f"{url}/v1/campaigns", headers=APP, verify=ssl.create_default_context(cafile=said.split()[-1])
        )
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 0
        told = process.stderr.read()

    hint = f"this sandbox speaks https: use {url}, and trust {said.split()[-1]}"
    assert (answer.status_code, answer.json()["meta"]["error"]) == (400, hint)
    assert trusted.status_code == 200
    assert told == f"{hint}\n"


def test_who_speaks_https_to_the_port_of_http_is_told_so_where_the_sandbox_runs() -> None:
    process, url, _ = start()
    with process:
        with pytest.raises(httpx.ConnectError):
            httpx.get(url.replace("http:", "https:") + "/v1/campaigns")
        answer = httpx.get(f"{url}/v1/campaigns", headers=APP)
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 0
        told = process.stderr.read()

    assert answer.status_code == 200
    assert told == f"this sandbox speaks http: use {url}, or start it with cio-mcp sandbox --tls for https\n"


def test_clients_that_say_nothing_or_go_hold_up_neither_others_nor_the_end() -> None:
    with a_port("--tls") as (url, said):
        host, port = url.removeprefix("https://").split(":")
        silent = socket.create_connection((host, int(port)))
        socket.create_connection((host, int(port))).close()
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{url}/v1/campaigns")  # does not trust the certificate
        trust = ssl.create_default_context(cafile=said.split()[-1])
        answer = httpx.get(f"{url}/v1/campaigns", headers=APP, verify=trust)
    silent.close()

    assert answer.status_code == 200


def test_a_stdio_call_and_the_port_share_a_workspace_in_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CIO_SANDBOX_PATH", str(tmp_path / "sandbox.db"))
    with a_port() as (url, said):
        assert str(tmp_path / "sandbox.db") in said
        assert main(["call", "identify_customer", "customer_id=user_123", 'attributes={"plan": "pro"}']) == 0
        answer = wait_for(f"{url}/v1/customers/user_123/attributes")
    assert main(["call", "get_customer", "customer_id=user_123"]) == 0

    assert answer.json()["customer"]["attributes"]["plan"] == "pro"
    assert json.loads(capsys.readouterr().out.partition("\n}\n")[2])["attributes"] == {"plan": "pro"}


def test_what_was_accepted_before_a_kill_is_in_the_file_and_the_file_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.db"
    process, url, _ = start(CIO_SANDBOX_PATH=str(path))
    accepted: list[str] = []
    enough = Event()

    def write() -> None:
        with suppress(httpx.TransportError), httpx.Client(auth=TRACK) as client:
            for number in count():
                if client.put(f"{url}/api/v1/customers/{number}", json={"n": number}).is_success:
                    accepted.append(str(number))
                if len(accepted) == 20:
                    enough.set()

    writer = Thread(target=write)
    with process:
        writer.start()
        assert enough.wait(10)
        process.send_signal(signal.SIGKILL)  # while the next write is on its way
        writer.join()

    reopened = Sandbox(path)
    rows = reopened.workspace.rows("SELECT id FROM people WHERE id GLOB '[0-9]*'")
    whole = reopened.workspace.rows("PRAGMA integrity_check")
    reopened.close()
    assert set(accepted) <= {row["id"] for row in rows}
    assert len(rows) <= len(accepted) + 1, "at most the write that was under way"
    assert whole[0][0] == "ok"


@pytest.mark.anyio
async def test_a_stdio_server_and_the_port_write_at_the_same_time_and_nothing_is_lost(tmp_path: Path) -> None:
    file = {"CIO_SANDBOX_PATH": str(tmp_path / "sandbox.db")}
    server = StdioServerParameters(command=sys.executable, args=["-m", "cio_mcp"], env=file)
    event = {"name": "purchase", "data": {"amount": 1}}
    with a_port(**file) as (url, _):
        async with Client(server) as agent, httpx.AsyncClient(auth=TRACK) as sdk:
            address = f"{url}/api/v1/customers/busy/events"
            results = await gather(
                *(agent.call_tool("track_event", {"customer_id": "busy", **event}) for _ in range(40)),
                *(sdk.post(address, json=event) for _ in range(40)),
            )
            read = await agent.call_tool("get_customer", {"customer_id": "busy"})

    assert not [result for result in results if getattr(result, "is_error", False)]
    assert read.structured_content
    assert read.structured_content["attributes"]["purchases"] == "80"


@pytest.mark.anyio
@pytest.mark.parametrize(("setting", "shared"), [({}, True), ({"CIO_SANDBOX": "on"}, False)])
async def test_a_stdio_server_without_settings_and_calls_share_a_sandbox_that_remembers(
    setting: dict[str, str], shared: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    at_the_shell("call", "identify_customer", "customer_id=zoe", "email=zoe@example.com")
    state = {"XDG_STATE_HOME": os.environ["XDG_STATE_HOME"]}
    server = StdioServerParameters(command=sys.executable, args=["-m", "cio_mcp"], env=state | setting)
    async with Client(server) as agent:
        read = facts(await agent.call_tool("get_customer", {"customer_id": "zoe"}))
        status = facts(await agent.call_tool("server_status", {}))

    assert (read.get("email") == "zoe@example.com") == shared
    assert ("the sandbox is kept in" in str(status.get("notes"))) == shared
    assert capsys.readouterr().err == ""


def test_a_port_that_is_taken_is_named_with_the_way_out(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        assert main(["sandbox", "--port", str(port)]) == 2

    err = capsys.readouterr().err
    assert f"--port {port}: 127.0.0.1 cannot be listened on" in err
    assert "0 for any" in err


@pytest.mark.parametrize("options", [["--port", "70000"], ["--host", "::zz"], ["--host", "nobody.invalid"]])
def test_an_address_that_cannot_be_had_is_told_in_one_line(
    options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sandbox", *options]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_file_that_is_no_sandbox_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database at all, but long enough to look like none either" * 20)
    monkeypatch.setenv("CIO_SANDBOX_PATH", str(path))

    assert main(["call", "list_campaigns"]) == 2
    assert f"CIO_SANDBOX_PATH: {path} cannot be used" in capsys.readouterr().err
    assert path.read_text().startswith("not a database")


def test_the_port_answers_only_by_the_names_that_it_has() -> None:
    statuses = {}
    with a_port(CIO_ALLOWED_HOSTS="sandbox.example") as (url, _):
        for host in ("evil.example", "sandbox.example", "localhost:1", "[::1]:1", "127.0.0.1.evil.example"):
            wait_for(url)
            answer = httpx.get(f"{url}/v1/campaigns", headers=APP | {"host": host}, trust_env=False)
            statuses[host] = answer.status_code
        page = httpx.get(
            f"{url}/v1/campaigns", headers=APP | {"origin": "https://evil.example"}, trust_env=False
        )

    assert statuses == {
        "evil.example": 421,
        "sandbox.example": 200,
        "localhost:1": 200,
        "[::1]:1": 200,
        "127.0.0.1.evil.example": 421,
    }
    assert page.status_code == 403
