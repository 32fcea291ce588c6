"""`cio-mcp export`: started, waited for, downloaded to a file."""

import csv
import json
from pathlib import Path

import pytest

from cio_mcp.cli import main


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the sandbox write an export at once: a command waits in real time."""
    monkeypatch.setattr("cio_mcp.sandbox.state.exports.WRITTEN_AFTER", 0)


@pytest.mark.usefixtures("quick")
def test_customers_are_exported_to_a_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pro = json.dumps({"segment": {"id": 1}})
    status = main(["export", "customers", "-o", "pro.csv", "--filter", pro, "--field", "plan"])

    told = capsys.readouterr()
    assert status == 0, told.err
    with (folder / "pro.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["plan"] for row in rows} == {"pro"}
    found = json.loads(told.out)
    assert (found["rows"], found["size"]) == (len(rows), (folder / "pro.csv").stat().st_size)
    assert f"--go-on {found['export_id']} goes on with it" in told.err
    assert not list(folder.glob(".pro.csv*"))

    again = str(found["export_id"])
    assert main(["export", "customers", "-o", "again.csv", "--go-on", again]) == 0
    assert (folder / "again.csv").read_bytes() == (folder / "pro.csv").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["campaign", "-o", "x.csv"], 2, "source_id: is required"),
        (["customers", "-o", "x.csv", "--filter", "{"], 2, "filter: "),
        (["customers", "-o", "there.csv"], 2, "exists already"),
        (["customers", "-o", "x.csv", "--go-on", "99"], 1, "404"),
        (["customers", "-o", "x.csv", "--go-on", "2"], 1, "the export failed"),
    ],
)
def test_what_cannot_be_exported_is_told_and_leaves_no_file(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], status: int, words: str
) -> None:
    (folder / "there.csv").write_text("mine")

    assert main(["export", *arguments]) == status
    assert words in capsys.readouterr().err
    assert not (folder / "x.csv").exists()
    assert (folder / "there.csv").read_text() == "mine"
