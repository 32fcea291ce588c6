"""`cio-mcp setup`: every branch, with a Customer.io on loopback."""

import base64
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import keyring
import pytest
from keyring.backend import KeyringBackend

from cio_mcp.cli import _parser, main
from cio_mcp.cli.clients import clients
from cio_mcp.cli.clients.texts import read_client_file, starting_entry
from cio_mcp.cli.setup import set_up
from cio_mcp.errors import SettingsError
from cio_mcp.settings import load
from cio_mcp.settings.system_keyring import from_keyring
from cio_mcp.toolkit.core import CORE
from cio_mcp.tools.every import SANDBOX_TOOLS
from tests.cli.internet import an_internet
from tests.terminal import Screen

SITE, TRACK, APP = "site-s3cret", "track-s3cret", "app-s3cret"
KEYS = {"CIO_SITE_ID": SITE, "CIO_TRACK_API_KEY": TRACK, "CIO_APP_API_KEY": APP}
PAIR = f"Basic {base64.b64encode(f'{SITE}:{TRACK}'.encode()).decode()}"


@contextmanager
def a_customerio(region: str = "us") -> Iterator[dict[str, str]]:
    """Serve a Customer.io that knows these keys; yields the settings that lead to it."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            opens = self.headers["Authorization"] in {PAIR, f"Bearer {APP}"}
            body = {"region": region, "messages": []} if opens else {"meta": {"error": "Unauthorized"}}
            text = json.dumps(body).encode()
            self.send_response(200 if opens else 401)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}"
        yield {"CIO_TRACK_URL": url, "CIO_APP_URL": url}
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def customerio(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give the test a home, and a Customer.io that its settings lead to."""
    with a_customerio() as environ:
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        yield home


@dataclass
class Scripted:
    """Somebody who gives these answers: each question holds the words of the next."""

    answers: list[tuple[str, str]]
    said: str = ""
    hidden: list[str] = field(default_factory=list)
    asks = True

    def say(self, text: str) -> None:
        self.said += f"{text}\n"

    def ask(self, question: str, default: str = "", *, hidden: bool = False) -> str:
        assert self.answers, f"one question too many: {question}\n{self.said}"
        words, answer = self.answers.pop(0)
        told = self.said.rstrip().rpartition("\n\n")[2] + question
        assert words in told, told
        if hidden:
            self.hidden.append(question)
        return answer or default


def answered(*words: str, answers: list[tuple[str, str]]) -> tuple[int, Scripted]:
    """Run setup with somebody who gives these answers."""
    talk = Scripted(answers)
    asked = _parser(["setup", *words, "--no-try"]).parse_args(["setup", *words, "--no-try"])
    status = set_up(asked, talk)
    assert not talk.answers
    assert "s3cret" not in talk.said
    return status, talk


def env_of(client: str) -> dict[str, str]:
    """Return the variables of our entry in a client's file."""
    file = clients()[client]
    env: dict[str, str] = starting_entry(file, read_client_file(file).found)["env"]
    return env


TYPED = [("Site id", SITE), ("Track API key", TRACK), ("App API key", APP)]
DONE = [("Where should the keys go", ""), ("Write it", "")]


def test_keys_are_asked_for_out_of_sight_verified_and_kept_in_files_for_the_owner(customerio: Path) -> None:
    rights = [("What may agents do", "full"), ("Allowed", "*@example.com")]
    answers = [("Which client", "cursor"), ("Where is the workspace", ""), *TYPED, *rights, *DONE]
    status, talk = answered(answers=answers)

    env = env_of("cursor")
    assert status == 0
    assert len(talk.hidden) == 3
    assert "ok     track key: opens 127.0.0.1" in talk.said
    assert "ok     app key: opens 127.0.0.1" in talk.said
    assert "s3cret" not in clients()["cursor"].path.read_text()
    assert env["CIO_ALLOWED_RECIPIENTS"] == "*@example.com"
    assert "CIO_PERMISSIONS" not in env
    settings = load(env)
    assert settings.app_api_key
    assert settings.app_api_key.get_secret_value() == APP
    folder = customerio / ".config/cio-mcp/keys/cursor"
    assert {path.name for path in folder.iterdir()} == {"site_id", "track_api_key", "app_api_key"}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert talk.said.count("?") >= 2


@pytest.mark.usefixtures("customerio")
def test_read_only_is_what_somebody_gets_who_just_presses_enter() -> None:
    answers = [("Where is", ""), ("Site id", ""), ("App API key", APP), ("What may", ""), *DONE]
    status, talk = answered("cursor", answers=answers)

    assert status == 0
    assert env_of("cursor")["CIO_PERMISSIONS"] == "read"
    assert "note   track key: not set; its tools are off" in talk.said
    assert "Why did ana@example.com not get" in talk.said


@pytest.mark.usefixtures("customerio")
def test_an_entry_for_the_sandbox_becomes_one_for_the_workspace_and_a_choice_can_be_a_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as before:
        before.setenv("CIO_SANDBOX", "on")
        main(["config", "cursor", "--write", "--no-try"])
    choices = [("What may", "3"), ("choose one of", "1")]
    answers = [("Where is", "2"), ("Site id", ""), ("App API key", APP), *choices, *DONE]
    status, talk = answered("cursor", answers=answers)

    assert status == 0
    assert "3: choose one of read-only, full" in talk.said
    settings = load(env_of("cursor"))
    assert (settings.region, settings.permissions, settings.uses_sandbox) == ("eu", ("read",), False)


@pytest.mark.usefixtures("customerio")
def test_without_keys_it_works_on_the_sandbox_and_nobody_is_asked_what_does_not_matter() -> None:
    answers = [("Where is", ""), ("Site id", ""), ("App API key", ""), ("Write it", "")]
    status, talk = answered("cursor", answers=answers)

    assert status == 0
    assert load(env_of("cursor")).uses_sandbox
    assert "would send, and send nothing" in talk.said


@pytest.mark.usefixtures("customerio")
def test_a_key_that_does_not_open_can_be_typed_again_kept_or_be_the_end() -> None:
    wrong = [("Where is", ""), ("Site id", ""), ("App API key", "wr0ng")]
    status, talk = answered("cursor", answers=[*wrong, ("What now", "stop")])
    assert status == 1
    assert "fault  app key: 127.0.0.1 answered 401" in talk.said
    assert "nothing was written" in talk.said
    assert not clients()["cursor"].path.exists()

    again = [("What now", ""), ("Site id", ""), ("App API key", APP), ("What may", "read-only"), *DONE]
    assert answered("cursor", answers=[*wrong, *again])[0] == 0

    keep = [("What now", "keep"), ("What may", "read-only"), *DONE]
    assert answered("windsurf", answers=[*wrong, *keep])[0] == 0
    key = load(env_of("windsurf")).app_api_key
    assert key
    assert key.get_secret_value() == "wr0ng"


@pytest.mark.usefixtures("customerio")
def test_half_a_pair_is_asked_for_again() -> None:
    half = [("Where is", ""), ("Site id", SITE), ("Track API key", ""), ("App API key", "")]
    rest = [*TYPED, ("What may", "read-only"), *DONE]
    status, talk = answered("cursor", answers=[*half, *rest])

    assert status == 0
    assert "CIO_TRACK_API_KEY: is missing" in talk.said


@pytest.mark.usefixtures("home")
def test_keys_of_the_other_region_move_the_region(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with an_internet(tmp_path, home="eu") as internet:
        monkeypatch.setenv("HTTPS_PROXY", internet.proxy)
        monkeypatch.setenv("SSL_CERT_FILE", internet.trust)
        answers = [("Where is", "us"), *TYPED, ("What may", ""), *DONE]
        status, talk = answered("cursor", answers=answers)

    assert status == 0
    assert "belongs to a workspace in region eu" in talk.said
    assert "ok     app key: opens api-eu.customer.io" in talk.said
    assert env_of("cursor")["CIO_REGION"] == "eu"


@pytest.mark.usefixtures("customerio")
def test_a_second_run_knows_the_keys_and_replaces_only_what_is_answered_anew(customerio: Path) -> None:
    first = [("Where is", "eu"), *TYPED, ("What may", "full"), ("Allowed", "a@example.com"), *DONE]
    answered("cursor", answers=first)
    path = clients()["cursor"].path
    found = json.loads(path.read_text())
    found["mcpServers"]["customerio"]["env"]["CIO_DEADLINE"] = "60"
    path.write_text(json.dumps(found))

    keep = [("Site id", "-"), ("App API key", "")]
    second = [("Where is", ""), *keep, ("What may", "read-only"), *DONE]
    status, talk = answered("cursor", answers=second)

    env = env_of("cursor")
    assert status == 0
    assert "(- removes it)" in talk.hidden[0]
    assert env.keys() == {
        *("CIO_ALLOWED_RECIPIENTS", "CIO_APP_API_KEY_FILE", "CIO_APP_URL", "CIO_DEADLINE"),
        *("CIO_PERMISSIONS", "CIO_REGION", "CIO_TRACK_URL"),
    }
    assert (env["CIO_REGION"], env["CIO_DEADLINE"]) == ("eu", "60")
    assert {path.name for path in (customerio / ".config/cio-mcp/keys/cursor").iterdir()} == {"app_api_key"}


@pytest.mark.usefixtures("customerio")
def test_what_is_no_recipient_is_asked_for_again_and_refused_in_a_script(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    allowed = [("Allowed", "+49 30 x"), ("Allowed", "a@example.com")]
    answers = [("Where is", ""), *TYPED, ("What may", "full"), *allowed, *DONE]
    status, talk = answered("cursor", answers=answers)
    assert status == 0
    assert "CIO_ALLOWED_RECIPIENTS: " in talk.said

    monkeypatch.setenv("CIO_APP_API_KEY", APP)
    words = ["--full", "--allow", "+49 30 x", "--yes", "--no-try"]
    assert main(["setup", "windsurf", *words]) == 2
    assert "CIO_ALLOWED_RECIPIENTS: " in capsys.readouterr().err
    assert not clients()["windsurf"].path.exists()


@pytest.mark.usefixtures("customerio")
def test_whoever_does_not_agree_has_nothing_written(customerio: Path) -> None:
    answers = [("Where is", ""), *TYPED, ("What may", ""), ("Where should", ""), ("Write it", "perhaps")]
    status, talk = answered("cursor", answers=[*answers, ("Write it", "no")])

    assert status == 1
    assert "answer yes or no" in talk.said
    assert [path for path in customerio.rglob("*") if path.is_file() and "keys" in path.parts] == []
    assert not clients()["cursor"].path.exists()


@pytest.mark.usefixtures("customerio")
def test_keys_go_into_the_clients_file_only_where_that_is_chosen(customerio: Path) -> None:
    answers = [("Where is", ""), *TYPED, ("What may", ""), ("Where should", "entry"), ("Write it", "")]
    status, talk = answered("claude-code", answers=answers)

    assert status == 0
    assert env_of("claude-code").items() >= KEYS.items()
    assert "belongs to this project and holds keys now" in talk.said
    assert stat.S_IMODE((customerio / ".mcp.json").stat().st_mode) == 0o600

    elsewhere = [("Where is", ""), ("Site", ""), ("Track", ""), ("App", ""), ("What may", ""), *DONE]
    answered("claude-code", answers=elsewhere)
    assert "s3cret" not in (customerio / ".mcp.json").read_text()
    assert load(env_of("claude-code")).site_id


def test_a_file_that_cannot_be_written_leaves_the_keys_as_they_were(customerio: Path) -> None:
    folder = customerio / ".config/cio-mcp/keys/cursor"
    folder.mkdir(parents=True)
    (folder / "app_api_key").write_text("old")
    path = clients()["cursor"].path
    path.parent.mkdir()
    path.symlink_to("/proc/nowhere/mcp.json")
    answers = [("Where is", ""), ("Site id", ""), ("App API key", APP), ("What may", ""), *DONE]

    with pytest.raises(SettingsError, match=r"mcp\.json: cannot be written"):
        answered("cursor", answers=answers)

    assert (folder / "app_api_key").read_text() == "old"


class Box(KeyringBackend):
    """A keyring in memory."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.held: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.held[service, username] = password


@contextmanager
def using(mine: Box) -> Iterator[Box]:
    """Let this be the system's keyring until the end."""
    before = keyring.get_keyring()
    keyring.set_keyring(mine)
    try:
        yield mine
    finally:
        keyring.set_keyring(before)


@pytest.fixture
def box() -> Iterator[Box]:
    """Give the test a system's keyring of its own."""
    with using(Box()) as mine:
        yield mine


@pytest.mark.usefixtures("customerio")
def test_keys_can_go_into_the_systems_keyring_and_are_read_from_there(box: Box) -> None:
    answers = [("Where is", ""), *TYPED, ("What may", ""), ("Where should", "keyring"), ("Write it", "")]
    status, talk = answered("cursor", answers=answers)

    env = env_of("cursor")
    assert status == 0
    assert "under cio-mcp/cursor" in talk.said
    assert env["CIO_KEYRING"] == "cio-mcp/cursor"
    assert "s3cret" not in json.dumps(env)
    assert {name for _, name in box.held} == set(KEYS)
    key = load(env).track_api_key
    assert key
    assert key.get_secret_value() == TRACK


class Locked(Box):
    """A keyring that waits for somebody to unlock it."""

    def get_password(self, service: str, username: str) -> str | None:
        Event().wait()
        return super().get_password(service, username)


class Broken(Box):
    """A keyring that is not there."""

    def set_password(self, *given: str) -> None:
        raise RuntimeError(f"cannot run {given}")


class Forgetful(Box):
    """A keyring that keeps nothing."""

    def set_password(self, service: str, username: str, password: str) -> None:
        """Forget it."""


def test_a_keyring_that_is_locked_is_not_waited_for() -> None:
    with using(Locked()), pytest.raises(SettingsError, match=r"gave no answer in 0\.01 s; unlock it"):
        from_keyring("cio-mcp/x", ["app_api_key"], patience=0.01)


def test_a_keyring_without_the_keys_is_no_sandbox(box: Box) -> None:
    assert not box.held
    with pytest.raises(SettingsError, match="holds no credentials under cio-mcp/x"):
        load({"CIO_KEYRING": "cio-mcp/x"})


@pytest.mark.parametrize(
    ("kind", "words"), [(Broken, r"used \(RuntimeError\); use files"), (Forgetful, "did not keep")]
)
@pytest.mark.usefixtures("customerio")
def test_a_keyring_that_cannot_be_used_leaves_the_clients_file_alone(kind: type[Box], words: str) -> None:
    answers = [("Where is", ""), *TYPED, ("What may", ""), ("Where should", "keyring"), ("Write it", "")]

    with using(kind()), pytest.raises(SettingsError, match=words):
        answered("cursor", answers=answers)
    assert not clients()["cursor"].path.exists()


@pytest.mark.usefixtures("customerio")
def test_a_script_gives_flags_and_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    words = ["--region", "us", "--full", "--allow", "@example.com", "--yes", "--no-try"]

    assert main(["setup", "codex", *words]) == 0
    assert env_of("codex")["CIO_ALLOWED_RECIPIENTS"] == "@example.com"
    assert main(["setup", "zed", "--sandbox", "--yes", "--no-try"]) == 0
    assert load(env_of("zed") | {"CIO_SANDBOX": "auto"}).uses_sandbox


@pytest.mark.usefixtures("customerio")
def test_a_script_with_a_key_that_does_not_open_writes_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CIO_APP_API_KEY", "wr0ng")

    assert main(["setup", "cursor", "--yes", "--no-try"]) == 1
    assert "nothing was written" in capsys.readouterr().out
    assert not clients()["cursor"].path.exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [([], "asks at a terminal"), (["--yes"], "--yes needs a client"), (["cursor"], "asks at a terminal")],
)
@pytest.mark.usefixtures("home")
def test_a_script_that_says_too_little_is_told_what_it_needs(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Path(os.devnull).open() as nobody:
        monkeypatch.setattr("sys.stdin", nobody)
        assert main(["setup", *words]) == 2
    assert told in capsys.readouterr().err


@pytest.mark.processes
def test_at_a_terminal_nothing_that_is_secret_shows_and_the_server_is_tried(customerio: Path) -> None:
    with Screen("setup") as screen:
        screen.answer("Number or name", "cursr").answer("choose one of", "3")
        screen.answer("Where is the workspace", "us").answer("Site id", SITE).answer("Track API key", TRACK)
        screen.answer("App API key", APP).answer("What may agents do", "2").answer("Allowed", "")
        screen.answer("Where should the keys go", "1").answer("Write it", "y")
        assert screen.status() == 0

    assert "s3cret" not in screen.seen
    assert "cursr: choose one of" in screen.seen
    assert (
        f"starts, lists {len(CORE) - len(SANDBOX_TOOLS)} tools and works on a live workspace (us)"
        in screen.seen
    )
    assert screen.seen.count("\n  - ") == 3
    assert (customerio / ".cursor/mcp.json").exists()


@pytest.mark.processes
@pytest.mark.parametrize("key", [b"\x03", b"\x04"], ids=["Ctrl-C", "Ctrl-D"])
def test_whoever_leaves_at_a_question_has_nothing_written(customerio: Path, key: bytes) -> None:
    with Screen("setup", "cursor") as screen:
        assert screen.answer("Number or name", "us").leave("Site id", key) == 130

    assert "Stopped: nothing was written." in screen.seen
    assert not (customerio / ".cursor").exists()
