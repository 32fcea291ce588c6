"""A sandbox's file after its process was killed: whole, and either before what was done or after it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.processes


Told = dict[str, Any]


def killed_while(what: str, folder: Path) -> tuple[Told, list[Told]]:
    """Return what a file holds before and after something is done to it, and each time it was cut short."""
    command = [sys.executable, "-m", "tests.sandbox.killing", what, str(folder)]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    whole, *found = map(json.loads, told.stdout.splitlines())
    assert any(one["killed"] for one in found)
    return whole, found


def test_going_back_is_done_or_not_and_points_are_whole(tmp_path: Path) -> None:
    whole, found = killed_while("restore", tmp_path)

    for one in found:
        left = {"left for start": whole["before"]} if one["held"] == whole["after"] else {}
        assert one["held"] in {whole["before"], whole["after"]}
        assert one["points"] == {"start": whole["after"]} | left
        assert one["again"] == whole["after"]


@pytest.mark.parametrize("what", ["migrate", "advance"])
def test_what_was_cut_short_is_done_again_and_ends_in_the_same_bytes(what: str, tmp_path: Path) -> None:
    whole, found = killed_while(what, tmp_path)

    assert {one["again"] for one in found} == {whole["after"]}
    assert len({json.dumps(one["points"]) for one in found}) == 1
