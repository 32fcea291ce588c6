"""`cio-mcp sandbox`: the embedded Customer.io on a port."""

import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from cio_mcp.cli import main


@contextmanager
def a_port(*options: str, **environ: str) -> Iterator[tuple[str, str]]:
    """Serve a sandbox on a free port; yields its address and what it said."""
    process = subprocess.Popen(
        [sys.executable, "-m", "cio_mcp", "sandbox", "--port", "0", *options],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | environ,
    )
    assert process.stdout
    try:
        said = process.stdout.readline()
        while "state" not in said or ("--tls" in options and "certificate" not in said):
            said += process.stdout.readline()
        found = re.search(r"https?://[\d.]+:\d+", said)
        assert found
        yield found[0], said
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=5) == 0
        process.stdout.close()


APP = {"Authorization": "Bearer sandbox-app-key"}


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

    assert (answer.status_code, answer.json()["errors"][0]["detail"]) == (404, "customer not found")


def test_it_speaks_tls_with_a_certificate_that_can_be_trusted_and_leaves_nothing_behind() -> None:
    with a_port("--tls") as (url, said):
        path = Path(said.split()[-1])
        assert path.stat().st_mode & 0o077 == 0
        answer = wait_for(f"{url}/v1/campaigns", verify=ssl.create_default_context(cafile=str(path)))

    assert url.startswith("https://")
    assert answer.status_code == 200
    assert not path.parent.exists()


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
