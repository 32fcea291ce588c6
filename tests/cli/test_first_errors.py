"""What a newcomer meets first, made on purpose on the command line: each message names cause and fix.

A port that is taken is in test_sandbox.py, broken JSON in a client's file in test_config.py, and the rest of
what doctor finds in test_doctor.py.
"""

import base64
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cio_mcp.cli import main
from tests.cli.internet import APP_KEY, SITE, TRACK_KEY, Internet, an_internet

TRACK = {"CIO_SITE_ID": SITE, "CIO_TRACK_API_KEY": TRACK_KEY}
APP = {"CIO_APP_API_KEY": APP_KEY}
Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs the command line in an environment; it returns status and output."""

    def run(*arguments: str, **environ: str) -> tuple[int, str]:
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        status = main(arguments)
        said = "".join(capsys.readouterr())
        assert "s3cret" not in said
        assert "Traceback" not in said
        return status, said

    return run


def behind(internet: Internet, **environ: str) -> dict[str, str]:
    """Return the environment of a machine whose only way out is the internet's proxy, with `environ`."""
    return {"HTTPS_PROXY": f"http://{internet.proxy}", "SSL_CERT_FILE": internet.trust} | environ


def test_without_keys_it_works_and_says_that_it_is_the_sandbox_and_how_to_leave_it(run: Run) -> None:
    status, said = run("doctor")
    assert status == 0
    assert "the embedded sandbox: no call reaches Customer.io" in said
    assert "fix: for a real workspace, set CIO_SITE_ID with CIO_TRACK_API_KEY, and CIO_APP_API_KEY" in said

    assert run("tools", CIO_SANDBOX="off") == (
        2,
        "cio-mcp: CIO_SANDBOX: is off and there are no credentials; "
        "set CIO_SITE_ID with CIO_TRACK_API_KEY, or CIO_APP_API_KEY\n",
    )


@pytest.mark.parametrize("command", [[], ["tools"], ["call", "list_campaigns"], ["config", "cursor"]])
def test_half_a_pair_stops_every_command_with_the_name_of_the_other_half(
    run: Run, command: list[str]
) -> None:
    assert run(*command, CIO_SITE_ID=SITE) == (
        2,
        "cio-mcp: CIO_TRACK_API_KEY: is missing; CIO_SITE_ID is set, and the Track API needs both\n",
    )


def test_right_keys_are_ok_through_a_proxy_and_an_authority_of_the_systems(run: Run, tmp_path: Path) -> None:
    with an_internet(tmp_path) as internet:
        status, said = run("doctor", **TRACK, **APP, **behind(internet))

    assert (status, "fault" in said) == (0, False)
    assert f"requests to track.customer.io go through {internet.proxy}" in said
    assert "ok     app key    opens api.customer.io" in said
    assert len(internet.asked) == 2, "one harmless call for each credential"


def test_keys_of_an_eu_workspace_on_us_hosts(run: Run, tmp_path: Path) -> None:
    with an_internet(tmp_path, home="eu") as internet:
        status, said = run("doctor", **TRACK, **APP, **behind(internet))
        assert status == 1
        assert said.count("belongs to a workspace in region eu\n" + " " * 18 + "fix: set CIO_REGION=eu") == 2

        status, said = run("call", "list_campaigns", **APP, **behind(internet))
        assert (status, json.loads(said)["status"]) == (1, 401)
        assert "the workspace may be in the other region: CIO_REGION=eu" in json.loads(said)["next"]

        status, said = run("doctor", CIO_REGION="EU")
        assert (status, "fault" in said) == (0, False)


def test_a_track_key_used_as_app_key(run: Run, tmp_path: Path) -> None:
    with an_internet(tmp_path) as internet:
        environ = TRACK | {"CIO_APP_API_KEY": TRACK_KEY} | behind(internet)
        status, said = run("doctor", **environ)
        assert status == 1
        assert "fault  app key    api.customer.io answered 401" in said
        assert (
            "fix: Check, in this order: CIO_APP_API_KEY is the same as one of the Track credentials" in said
        )
        assert "CIO_REGION" not in said, "the pair has shown that the region is right"

        _, said = run("call", "list_campaigns", **environ)
        assert "CIO_APP_API_KEY is the same as one of the Track credentials" in json.loads(said)["next"]


def stuck(run: Run, **environ: str) -> str:
    """Return what doctor says of a way that leads nowhere."""
    status, said = run("doctor", **APP, **environ)
    assert status == 1
    return said


def both(run: Run, **environ: str) -> tuple[str, dict[str, Any]]:
    """Return what doctor says of a way that leads nowhere, and what a call answers there."""
    said = stuck(run, **environ)
    status, answer = run("call", "list_campaigns", CIO_DEADLINE="0.5")
    assert status == 3
    return said, json.loads(answer)


def test_no_network(run: Run) -> None:
    said, answer = both(run, CIO_APP_URL="https://api.invalid")

    assert "the name of api.invalid:443 cannot be resolved: no network, or no DNS" in said
    assert "fix: check the network" in said
    assert "the name of api.invalid:443 cannot be resolved" in answer["error"]
    assert "Check the network" in answer["next"]


def test_a_network_that_only_a_proxy_leads_out_of(run: Run) -> None:
    said, answer = both(run, CIO_APP_URL="http://127.0.0.1:9")

    assert "127.0.0.1:9 refuses connections" in said
    assert "where only a proxy leads out, set HTTPS_PROXY=http://host:port" in said
    assert "HTTPS_PROXY" in answer["next"]


def test_a_proxy_that_does_not_run_is_blamed_and_not_customer_io(run: Run) -> None:
    said, answer = both(run, HTTPS_PROXY="http://user:s3cret@127.0.0.1:9")

    cause = "the proxy 127.0.0.1:9 on the way to api.customer.io:443 refuses connections"
    assert cause in said
    assert cause in answer["error"]


def test_a_proxy_that_wants_a_password(run: Run, tmp_path: Path) -> None:
    password = base64.b64encode(b"user:s3cret").decode()
    with an_internet(tmp_path, password=password) as internet:
        environ = behind(internet)
        said = stuck(run, **environ)
        cause = (
            "on the way to api.customer.io:443 refuses the connection "
            "(status 407: it requires a user name and password)"
        )
        assert cause in said
        assert "HTTPS_PROXY=http://host:port, or http://user:password@host:port" in said

        status, _ = run("doctor", **environ | {"HTTPS_PROXY": f"http://user:s3cret@{internet.proxy}"})
        assert status == 0


@pytest.mark.parametrize(
    ("proxy", "cause"),
    [
        ("127.0.0.1:port", "is not the address of a proxy, such as http://proxy.example.com:3128"),
        ("ftp://127.0.0.1", "is not the address of a proxy, such as http://proxy.example.com:3128"),
        ("http://", "the proxy without a name:80 on the way to api.customer.io:443"),
    ],
)
def test_a_proxy_that_cannot_be_used(run: Run, proxy: str, cause: str) -> None:
    assert cause in stuck(run, ALL_PROXY=proxy)


@pytest.mark.parametrize("scheme", ["socks5", "socks5h", "socks"])
def test_a_socks_proxy_leads_out_with_the_extra(run: Run, tmp_path: Path, scheme: str) -> None:
    with an_internet(tmp_path) as internet:
        status, said = run("doctor", **APP, **behind(internet, HTTPS_PROXY=f"{scheme}://{internet.proxy}"))

    assert (status, "opens api.customer.io" in said, bool(internet.asked)) == (0, True, True), said


def test_a_socks_proxy_without_the_extra_names_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "socksio", None)

    assert "names a SOCKS proxy, which needs the extra: pip install 'cio-mcp[socks]'" in stuck(
        run, ALL_PROXY="socks5://127.0.0.1:1080"
    )


def test_a_proxy_whose_own_certificate_is_not_trusted_is_named_for_it(run: Run, tmp_path: Path) -> None:
    with an_internet(tmp_path, secure=True) as internet:
        said = stuck(run, HTTPS_PROXY=f"https://{internet.proxy}")

    words = f"the certificate of the proxy {internet.proxy} on the way to api.customer.io:443 is not trusted"
    assert words in said


def test_a_proxy_over_tls_is_trusted_as_the_system_says(run: Run, tmp_path: Path) -> None:
    with an_internet(tmp_path, password="secret", secure=True) as internet:
        said = stuck(run, **behind(internet, HTTPS_PROXY=f"https://{internet.proxy}"))

    assert f"the proxy {internet.proxy} on the way to api.customer.io:443 refuses" in said
    assert "status 407" in said


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("SSL_CERT_FILE", None, "cannot be read: No such file or directory; correct the path, or unset"),
        ("SSL_CERT_FILE", "no certificate", "holds no certificates in PEM format"),
        ("SSL_CERT_DIR", "no folder", "is not a folder"),
    ],
)
def test_a_variable_that_leads_to_no_certificates_stops_the_start(
    run: Run, tmp_path: Path, name: str, content: str | None, words: str
) -> None:
    path = tmp_path / "authorities"
    if content:
        path.write_text(content)
    status, said = run("call", "list_campaigns", **APP, **{name: str(path)})
    assert (status, f"cio-mcp: {name}: {path}: {words}" in said) == (2, True), said

    assert run("tools", CIO_SANDBOX="on", CIO_APP_API_KEY="")[0] == 0, "nothing leaves the sandbox"


def test_a_certificate_that_is_not_trusted(run: Run, tmp_path: Path) -> None:
    with an_internet(tmp_path) as internet:
        said = stuck(run, HTTPS_PROXY=f"http://{internet.proxy}")

    assert "the certificate of api.customer.io:443 is not trusted on this machine" in said
    assert "fix: add the authority that signed it to the system's certificates, or name its file in" in said
