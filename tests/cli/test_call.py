"""`cio-mcp call`."""

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import pytest

from cio_mcp.app.workspace import state_folder
from cio_mcp.cli import main
from cio_mcp.toolkit.rows.results import KEPT


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    """Run `cio-mcp call`; returns the exit status and what was printed."""
    status = main(["call", *arguments])
    return status, json.loads(capsys.readouterr().out)


def test_an_answer_is_printed_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    status, answer = call(capsys, "get_customer", "customer_id=u_1001", 'fields=["plan"]')

    assert (status, answer["id"], answer["attributes"]) == (0, "u_1001", {"plan": "pro"})


def test_text_stays_text_and_numbers_booleans_and_objects_are_read_as_json(
    capsys: pytest.CaptureFixture[str],
) -> None:
    status, answer = call(
        capsys,
        "track_event",
        "customer_id=42",
        "name=[1]",
        'data={"n": 1}',
        "dry_run=true",
        "timestamp=1780000000",
    )

    body = answer["request"]["body"]
    assert (status, body["name"], body["data"], body["timestamp"]) == (0, "[1]", {"n": 1}, 1780000000)


def test_all_arguments_can_be_one_object_beside_others(capsys: pytest.CaptureFixture[str]) -> None:
    together = '{"customer_id": "42", "data": {"n": 1}, "dry_run": true}'
    status, answer = call(capsys, "track_event", together, "name=signed up")

    body = answer["request"]["body"]
    assert (status, body["name"], body["data"]) == (0, "signed up", {"n": 1})


@pytest.mark.repeating
@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["get_customer", "customer_id=nobody"], 1, "404"),
        (["get_customer", "custmer_id=1"], 2, "did you mean customer_id?"),
        (["get_campaign_metrics", "campaign_id=one"], 2, "campaign_id: "),
        (["get_costumer"], 2, "did you mean get_customer?"),
        pytest.param(
            ["get_customer", f"customer_id={'[' * 100_000}"], 2, "customer_id: at most 150 bytes", id="nested"
        ),
    ],
)
def test_the_exit_status_tells_how_the_call_ended(
    capsys: pytest.CaptureFixture[str], arguments: list[str], status: int, words: str
) -> None:
    ended, answer = call(capsys, *arguments)

    assert ended == status
    assert words in answer["error"]


def test_a_name_without_its_prefix_is_quoted_as_it_was_given(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CIO_TOOL_PREFIX", "cio_")

    status, answer = call(capsys, "get_customer", "customer_id=u_1001")

    assert status == 2
    assert answer["error"] == "get_customer: there is no such tool; did you mean cio_get_customer?"


def test_no_connection_is_told_apart_from_wrong_arguments(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CIO_APP_API_KEY", "s3cret")
    monkeypatch.setenv("CIO_APP_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("CIO_DEADLINE", "0.5")

    status, answer = call(capsys, "list_campaigns")

    assert (status, answer["outcome"]) == (3, "not_sent")
    assert "127.0.0.1:9 refuses connections" in answer["error"]


def test_an_argument_that_is_given_twice_is_not_guessed_at(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["call", "get_customer", "customer_id=1", "customer_id=2"]) == 2
    assert "customer_id: is given twice" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("u_1001", "u_1001: write it as key=value"),
        ("@nowhere.json", "nowhere.json: cannot be read: No such file or directory"),
        ("@list.json", "list.json: the arguments are not a JSON object"),
        ("@bytes.json", "bytes.json: cannot be read: it is not text"),
        ("-", "stdin: the arguments are not a JSON object: Expecting value"),
        ('{"customer_id": ', "the arguments are not a JSON object: Expecting value"),
        ('{"customer_id": "42"}', "customer_id: is given twice"),
    ],
)
def test_an_argument_that_cannot_be_read_is_shown_how_to_be_written(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    argument: str,
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    (tmp_path / "list.json").write_text("[1]")
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe")
    assert main(["call", "get_customer", "customer_id=1", argument]) == 2
    assert words in capsys.readouterr().err


def test_a_stdin_that_was_closed_is_said_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", None)
    assert main(["call", "get_customer", "-"]) == 2
    assert capsys.readouterr().err == "cio-mcp: stdin: is closed\n"


def test_arguments_come_from_stdin_or_a_file_beside_others(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "event.json").write_bytes(b'\xef\xbb\xbf{"name": "\xc3\xa9t\xc3\xa9", "data": {"n": 1}}')
    monkeypatch.setattr("sys.stdin", io.StringIO('{"customer_id": "@ada", "dry_run": true}\n'))

    status, answer = call(capsys, "track_event", f"@{tmp_path}/event.json", "-")

    body = answer["request"]["body"]
    assert (status, body["name"], body["data"]) == (0, "\u00e9t\u00e9", {"n": 1})
    assert answer["request"]["url"].endswith("/customers/%40ada/events")


def test_a_value_that_begins_with_an_at_sign_is_text(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("s3cret")

    _, answer = call(capsys, "track_event", "customer_id=1", f"name=@{tmp_path}/secret", "dry_run=true")

    assert answer["request"]["body"]["name"] == f"@{tmp_path}/secret"


@contextmanager
def broken(kind: str) -> Iterator[TextIO]:
    """Provide a stdout that cannot be written, as a process has it."""
    if kind == "full":
        stdout = Path("/dev/full").open("w")  # noqa: SIM115
    else:
        reader, writer = os.pipe()
        os.close(reader)
        stdout = os.fdopen(writer, "w")
    with stdout:  # flushes at the end, as a process does
        yield stdout


@pytest.mark.parametrize("kind", ["full", "closed"])
@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["track_event", "customer_id=u_1001", "name=x"], 5, '"outcome": "accepted"'),
        (["get_customer", "customer_id=u_1001"], 5, '"outcome": "done"'),
        (["get_customer", "customer_id=nobody"], 1, "404"),
        (["get_customer"], 2, "customer_id: "),
    ],
)
def test_the_exit_status_tells_what_was_done_also_where_the_answer_cannot_be_written(
    kind: str,
    arguments: list[str],
    status: int,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with broken(kind) as stdout, monkeypatch.context() as patch:
        patch.setattr("sys.stdout", stdout)
        ended = main(["call", *arguments])

    said = capsys.readouterr().err
    assert ended == status
    assert said.startswith("cio-mcp: the answer cannot be written: ")
    assert words in said


def test_a_stdout_that_was_never_open_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("sys.stdout", None)

        assert main(["call", "track_event", "customer_id=u_1001", "name=x"]) == 0


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_a_table_that_fits_and_a_program_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "72")
    screen, asked = Terminal(), Terminal()
    with monkeypatch.context() as patch:
        patch.setattr("sys.stdout", screen)
        assert main(["call", "list_campaigns"]) == 0
        patch.setattr("sys.stdout", asked)
        assert main(["call", "list_campaigns", "--json"]) == 0
    assert main(["call", "list_campaigns", "--table"]) == 0
    lines = screen.getvalue().splitlines()

    assert lines[0] == "campaigns:"
    assert re.match(r"id +name +state ", lines[1])
    assert any(re.match(r"1 +Welcome series +running ", line) for line in lines)
    assert max(map(len, lines)) <= 72
    assert capsys.readouterr().out == screen.getvalue()
    assert json.loads(asked.getvalue())["campaigns"]


def test_a_table_names_values_by_their_place_and_no_value_steers_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIO_SANDBOX_PATH", os.environ["XDG_STATE_HOME"] + "/sandbox.db")
    attributes = json.dumps({"bio": "a\nb \x1b[2J", "plan\x1b": "pro"})
    assert main(["call", "identify_customer", "customer_id=eve", f"attributes={attributes}"]) == 0
    capsys.readouterr()

    assert main(["call", "get_customer", "customer_id=eve", "--table"]) == 0

    out = capsys.readouterr().out
    assert re.search(r"^attributes.bio +a\n +b \\x1b\[2J$", out, re.MULTILINE)
    assert re.search(r"^attributes.plan\\x1b +pro$", out, re.MULTILINE)
    assert "\x1b" not in out


@pytest.mark.parametrize(
    ("shown", "status"), [(["call", "track_event", "--help"], None), (["tools", "track_event"], 0)]
)
def test_a_tool_is_shown_with_its_arguments(
    shown: list[str], status: int | None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    if status is None:
        with pytest.raises(SystemExit) as end:
            main(shown)
        assert end.value.code == 0
    else:
        assert main(shown) == status

    out = capsys.readouterr().out
    lines = out.splitlines()
    assert lines[0] == "track_event writes (toolset events)"
    assert re.search(r"^customer_id +text; required\. See id_type", out, re.MULTILINE)
    assert re.search(r'^id_type +id, email, cio_id, phone; default "id"\.$', out, re.MULTILINE)
    assert re.search(r"^dry_run +true or false\.", out, re.MULTILINE)
    assert lines[-1] == "cio-mcp call track_event customer_id=\u2026 name=\u2026"
    assert max(map(len, lines)) <= 60


def test_a_tool_that_is_off_or_unknown_says_so_when_it_is_shown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIO_PERMISSIONS", "read")
    assert main(["tools", "track_event"]) == 0
    assert main(["tools", "trak_event"]) == 2
    assert main(["call", "trak_event", "--help"]) == 2

    said = capsys.readouterr()
    assert "It is off: it writes, and CIO_PERMISSIONS does not permit that." in said.out
    assert said.err.count("trak_event: there is no such tool; did you mean track_event?") == 2


def test_the_sandbox_remembers_from_call_to_call_codes_too(capsys: pytest.CaptureFixture[str]) -> None:
    call(capsys, "identify_customer", "customer_id=zoe", 'attributes={"plan": "pro"}')
    assert call(capsys, "get_customer", "customer_id=zoe")[1]["attributes"] == {"plan": "pro"}
    _, preview = call(capsys, "delete_customer", "customer_id=zoe")
    status, answer = call(
        capsys, "delete_customer", "customer_id=zoe", f"confirmation={preview['confirmation']}"
    )

    assert (status, answer["outcome"]) == (0, "accepted")
    assert call(capsys, "get_customer", "customer_id=zoe")[0] == 1
    (kept,) = state_folder().glob("sandbox.db")
    assert kept.stat().st_mode & 0o077 == 0
    (note,) = call(capsys, "server_status")[1]["notes"]
    assert note == f"the sandbox is kept in {kept}; delete that file to start over"


def test_a_sandbox_that_is_asked_for_is_fresh_in_each_call_and_that_is_said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIO_SANDBOX", "on")
    said = []
    for arguments in (
        ["identify_customer", "customer_id=zoe"],
        ["get_customer", "customer_id=zoe"],
        ["get_customer", "customer_id=u_1001"],
    ):
        main(["call", *arguments])
        said.append(capsys.readouterr().err)

    assert said[0] == said[1]
    assert said[0].startswith("The sandbox was in memory and is gone: each call begins with a fresh one.")
    assert said[2] == ""
    assert not list(state_folder().glob("sandbox.db"))


def test_where_no_state_can_be_kept_the_sandbox_works_in_memory(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))

    assert main(["call", "get_customer", "customer_id=u_1001"]) == 0
    assert main(["call", "get_customer", "customer_id=nobody"]) == 1
    assert "The sandbox was in memory" in capsys.readouterr().err


@pytest.mark.processes
def test_a_call_imports_no_tools_but_those_of_its_toolset() -> None:
    code = (
        "import sys; from cio_mcp.cli import main; "
        "main(['call', 'get_customer', 'customer_id=u_1001']); print(*sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    tools = {name.split(".")[2] for name in run.stdout.split() if name.startswith("cio_mcp.tools.")}
    assert tools == {"people"}


def test_rows_that_a_call_left_out_are_listed_by_the_next_ones(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    rows = json.dumps([{"customer_id": "a"}, {"customer_id": "b", "created_at": "soon"}])
    _, answer = call(capsys, "identify_customers", f"rows={rows}")
    kept = tmp_path / "cio-mcp" / "results" / answer["results"]
    assert (kept.stat().st_mode & 0o777, kept.parent.stat().st_mode & 0o777) == (0o600, 0o700)

    status, told = call(capsys, "list_row_results", f"results={answer['results']}")

    assert (status, [row["row"] for row in told["rows"]]) == (0, [2])
    for n in range(KEPT):
        other = kept.with_name(f"{n:012x}")
        other.write_bytes(b"of no call")
    status, told = call(capsys, "list_row_results", "results=000000000001")
    assert (status, "not kept any more" in told["error"]) == (2, True)
    os.utime(other, (0, 0))
    written_by_another_process = kept.with_name(f".{kept.name}.new")
    written_by_another_process.touch()
    call(capsys, "identify_customers", f"rows={rows}", "dry_run=true")
    assert written_by_another_process.exists()
    assert len(list(kept.parent.iterdir())) == KEPT + 1
    assert not other.exists()


def test_where_people_are_masked_no_rows_are_kept_at_the_shell(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("CIO_PII", "mask")
    rows = json.dumps([{"customer_id": "a"}, {"customer_id": "b", "created_at": "soon"}])

    _, answer = call(capsys, "identify_customers", f"rows={rows}")

    assert answer["refused"] == 1
    assert not list(tmp_path.rglob("results"))
