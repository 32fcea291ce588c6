"""`cio-mcp sandbox fault`, `point`, `reset`, `export` and `import`: on a file, and on a port."""

import json
import re
from pathlib import Path

import httpx
import pytest

from cio_mcp.cli import main
from tests.cli.test_sandbox import APP, a_port, wait_for

Captured = pytest.CaptureFixture[str]


def said(capsys: Captured, *command: str) -> str:
    assert main(["sandbox", *command]) == 0
    return capsys.readouterr().out


def refused(capsys: Captured, *command: str) -> str:
    assert main(["sandbox", *command]) == 2
    return capsys.readouterr().err


def test_a_fault_of_the_kept_sandbox_strikes_calls_until_it_is_lifted(capsys: Captured) -> None:
    added = said(capsys, "fault", "add", "error", "status=503", "calls=1-9", "route=GET /v1/segments")
    assert main(["call", "list_segments"]) != 0
    capsys.readouterr()
    listed = said(capsys, "fault", "list")
    lifted = said(capsys, "fault", "remove", "1")
    assert main(["call", "list_segments"]) == 0

    assert added == "   1  status 503 on GET /v1/segments at calls 1-9: struck 0 of 0\n"
    assert re.search(r"struck ([1-9]) of \1\n", listed)
    assert lifted == "faults removed: 1\n"


def test_a_bad_day_comes_and_goes_as_a_whole(capsys: Captured, tmp_path: Path) -> None:
    (tmp_path / "worse.json").write_text('[{"does": "cut"}, {"does": "slow", "seconds": 2, "until": 5}]')

    assert said(capsys, "fault", "add", "bad-day").count("\n") == 11
    assert "2 s of waiting until 1970-01-01T00:00:05Z (not in force now)" in said(
        capsys, "fault", "add", str(tmp_path / "worse.json")
    )
    assert said(capsys, "fault", "remove", "all") == "faults removed: 13\n"
    assert said(capsys, "fault", "list") == "no faults\n"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["fault", "add", "explode"], "does: input should be 'throttle'"),
        (["fault", "add", "error", "status"], "status: must be written as field=value"),
        (["fault", "add", "error", "status=soon"], "status: input should be a valid integer"),
        (["fault", "add", "bad-day", "calls=1"], "calls=1: goes with a single fault only"),
        (["fault", "add", "missing.json"], "missing.json: cannot be read"),
        (["fault", "remove", "7"], "there is no fault 7"),
        (["point", "restore", "7"], "there is no point 7"),
        (["import", "missing.json"], "missing.json: cannot be read"),
        (["export", "missing/folder/e.json"], "cannot be written"),
        (["--port", "0", "--seed", "missing.json"], "missing.json: cannot be read"),
        (["fault", "list", "--at", "http://127.0.0.1:1"], "--at http://127.0.0.1:1: cannot be reached"),
        (["fault", "list", "--at", "no address"], "--at no address: cannot be reached"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(command: list[str], words: str, capsys: Captured) -> None:
    err = refused(capsys, *command)

    assert words in err
    assert err.count("\n") == 1


def test_a_sandbox_in_memory_has_nothing_to_control_but_on_its_port(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIO_SANDBOX", "on")

    assert "CIO_SANDBOX=on: with it no sandbox is kept" in refused(capsys, "reset")


def test_points_take_the_kept_sandbox_back(capsys: Captured) -> None:
    assert main(["call", "identify_customer", "customer_id=kept"]) == 0
    capsys.readouterr()
    made = said(capsys, "point", "add", "before it")
    assert main(["call", "identify_customer", "customer_id=gone"]) == 0
    capsys.readouterr()
    back = said(capsys, "point", "restore", "before it")
    kept, gone = (main(["call", "get_customer", f"customer_id={name}"]) for name in ("kept", "gone"))
    capsys.readouterr()

    assert re.fullmatch(r"   1  \S+Z  before it\n", made)
    assert back == f"restored{made}to repeat what came after: cio-mcp sandbox point replay 2\n"
    assert kept == 0 != gone
    assert said(capsys, "point", "replay", "2").startswith("requests repeated: 1; it is 20")
    assert main(["call", "get_customer", "customer_id=gone"]) == 0
    capsys.readouterr()
    assert "is here already" in refused(capsys, "point", "replay", "2")
    assert "left for before it" in said(capsys, "point", "list")
    assert said(capsys, "point", "remove", "before it") == "before it is forgotten\n"


def test_a_reset_and_an_import_say_how_to_undo_them(capsys: Captured, tmp_path: Path) -> None:
    exported = str(tmp_path / "export.json")
    said(capsys, "export", exported)
    emptied = said(capsys, "reset", "--empty")
    imported = said(capsys, "import", exported)
    again = said(capsys, "export")

    assert emptied == "reset; to undo that: cio-mcp sandbox point restore 1\n"
    assert imported == "imported; to undo that: cio-mcp sandbox point restore 2\n"
    first, second = json.loads(Path(exported).read_text()), json.loads(again)
    assert first["tables"] == second["tables"]


@pytest.mark.processes
def test_a_port_begins_with_an_export_and_has_controls_on_loopback(capsys: Captured, tmp_path: Path) -> None:
    exported = str(tmp_path / "export.json")
    said(capsys, "reset", "--empty")
    said(capsys, "export", exported)
    with a_port("--seed", exported) as (url, _):
        empty = wait_for(f"{url}/v1/campaigns").json()
        said(capsys, "fault", "add", "cut", "--at", url)
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(f"{url}/v1/campaigns", headers=APP, trust_env=False)
        pages = [
            httpx.post(
                f"{url}/_sandbox/clock", headers={"origin": origin}, json={"to": "+1s"}, trust_env=False
            )
            for origin in ("https://evil.example", "http://localhost:3000", "http://127.0.0.1:1", "null", url)
        ]
        listed = said(capsys, "fault", "list", "--at", f"{url}/")

    assert empty == {"campaigns": []}
    assert listed == "   1  a cut connection: struck 1 of 1\n"
    assert [page.status_code for page in pages] == [403, 403, 403, 403, 200]


@pytest.mark.processes
@pytest.mark.parametrize(("options", "status"), [([], 501), (["--controls"], 200)])
def test_elsewhere_controls_are_on_only_where_that_is_said(options: list[str], status: int) -> None:
    with a_port("--host", "0.0.0.0", *options) as (url, _):
        answer = wait_for(f"{url.replace('0.0.0.0', '127.0.0.1')}/_sandbox/faults")

    assert answer.status_code == status
    assert ("start it with --controls" in answer.text) is (status == 501)


def test_a_person_is_forgotten_in_the_kept_sandbox(capsys: Captured) -> None:
    assert main(["call", "identify_customer", "customer_id=zq77", "email=zoltanka@quux.example"]) == 0
    capsys.readouterr()
    said(capsys, "point", "add", "before it")
    told = [said(capsys, "forget", "zoltanka@quux.example") for _ in range(2)]
    exported = said(capsys, "export")

    assert re.fullmatch(
        r"forgotten; blanked: 0 deliveries, \d+ entries of the log, 1 requests; .*: 1\n", told[0]
    )
    assert told[1] == "they were forgotten before\n"
    assert "zq77" not in exported
    assert refused(capsys, "forget", "nobody") == "cio-mcp: there is no person nobody, and there never was\n"
