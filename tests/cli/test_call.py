"""`cio-mcp call`."""

import json
from typing import Any

import pytest

from cio_mcp.cli import main


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


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["get_customer", "customer_id=nobody"], 1, "404"),
        (["get_customer", "custmer_id=1"], 2, "did you mean customer_id?"),
        (["get_campaign_metrics", "campaign_id=one"], 2, "campaign_id: "),
        (["get_costumer"], 2, "did you mean get_customer?"),
    ],
)
def test_the_exit_status_tells_how_the_call_ended(
    capsys: pytest.CaptureFixture[str], arguments: list[str], status: int, words: str
) -> None:
    ended, answer = call(capsys, *arguments)

    assert ended == status
    assert words in answer["error"]


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
        ('{"customer_id": ', "the arguments are no JSON object: Expecting value"),
        ('{"customer_id": "42"}', "customer_id: is given twice"),
    ],
)
def test_an_argument_that_cannot_be_read_is_shown_how_to_be_written(
    capsys: pytest.CaptureFixture[str], argument: str, words: str
) -> None:
    assert main(["call", "get_customer", "customer_id=1", argument]) == 2
    assert words in capsys.readouterr().err
