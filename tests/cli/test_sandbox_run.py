"""`cio-mcp sandbox run`: scenarios from files."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any, get_args

import pytest
from jsonschema import Draft202012Validator

from cio_mcp.cli import main
from cio_mcp.cli.sandbox.scenarios.steps import MessageField
from cio_mcp.sandbox.state import deliveries
from tests.planted import START, the_story

Captured = pytest.CaptureFixture[str]

SEND = {
    "to": "una@example.com",
    "transactional_message_id": 1,
    "identifiers": {"id": "u_1"},
    "message_data": {"order_id": "4711"},
}
IDENTIFY = {"request": "PUT /api/v1/customers/u_1", "body": {"email": "una@example.com", "plan": "pro"}}
RECEIPT = {"request": "POST /v1/send/email", "body": SEND}


def play(tmp_path: Path, capsys: Captured, *steps: Any, **more: Any) -> list[str | None]:
    """Return what is wrong with each step of a scenario."""
    path = tmp_path / "scenario.json"
    path.write_text(json.dumps({"start": "2027-01-04T09:00:00Z", "steps": steps} | more))
    status = main(["sandbox", "run", str(path), "--json"])
    told = json.loads(capsys.readouterr().out)
    wrong = [step["wrong"] for step in told["steps"]]
    assert told["ok"] is (wrong == [None] * len(steps)) is (status == 0)
    return wrong


def test_the_example_of_the_docs_comes_as_expected(capsys: Captured, tmp_path: Path) -> None:
    page = Path("docs/sandbox.md").read_text()
    path = tmp_path / "shown.yaml"
    path.write_text(page.partition("<!-- a scenario -->\n```yaml\n")[2].partition("```")[0])

    assert main(["sandbox", "run", str(path)]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("ok      1  PUT /api/v1/customers/u_1\n")
    assert "WRONG" not in shown
    assert shown.endswith("steps as expected\n")


def test_a_message_arrives_and_the_person_has_what_was_written(capsys: Captured, tmp_path: Path) -> None:
    sent = {"recipient": "una@example.com", "metrics": {"sent": 1799053202}}
    assert (
        play(
            tmp_path,
            capsys,
            IDENTIFY,
            RECEIPT,
            {"clock": "+1h"},
            {"messages": sent, "count": 1},
            {"messages": {"recipient": "nobody@example.com"}, "count": 0},
            {"person": "u_1", "attributes": {"plan": "pro"}},
            {"person": "u_2", "exists": False},
            {"request": "GET /_sandbox/clock", "answer": {"now": "2027-01-04T10:00:00Z"}},
        )
        == [None] * 8
    )


def test_what_is_not_as_expected_is_told_and_the_rest_is_played(capsys: Captured, tmp_path: Path) -> None:
    assert play(
        tmp_path,
        capsys,
        IDENTIFY | {"status": 429},
        {
            "request": "GET /v1/campaigns",
            "answer": {"campaigns": [{"name": "Welcome series"}, {"name": "?"}]},
        },
        {"request": "GET /v1/campaigns/1", "answer": {"campaign": {"name": "Hello", "gone": 1}}},
        {"messages": {"recipient": "una@example.com"}},
        {"messages": {"recipient": "una@example.com"}, "count": 2},
        {"person": "u_1", "attributes": {"plan": "free"}},
        {"person": "u_1", "exists": False},
        {"person": "u_2"},
        {"clock": "2001-01-01"},
        {"lift": 4},
        {"fault": {"does": "error", "route": "/v1/nonsense"}},
    ) == [
        "status: 429 was expected, and it is 200: {}",
        'answer.campaigns: {"name": "?"} is not among 4',
        'answer.campaign.name: "Hello" was expected, and it is "Welcome series"',
        "there is none among 775 messages",
        "2 were expected, and there are 0",
        'plan: "free" was expected, and it is "pro"',
        "they exist",
        "they do not exist",
        "2001-01-01 is over: it is 2027-01-04T09:00:00Z, and the clock only moves forward",
        "there is no fault 4",
        "route: the sandbox has no /v1/nonsense",
    ]


def test_faults_strike_what_is_asked_and_not_what_is_looked_at(capsys: Captured, tmp_path: Path) -> None:
    wrong = play(
        tmp_path,
        capsys,
        IDENTIFY | {"status": 429},
        {"person": "u_1", "exists": False},
        IDENTIFY | {"status": "none", "times": 2},
        {"person": "u_1"},
        {"lift": "all"},
        {"fault": [{"does": "slow", "seconds": 0.2}, {"does": "html", "route": "/v1/*"}]},
        RECEIPT | {"status": "none", "patience": 0.05},
        {"lift": 3},
        RECEIPT | {"status": "none"},
        faults=[{"does": "throttle", "calls": "1"}, {"does": "cut", "after": True, "calls": "2-"}],
    )
    assert wrong[:-1] == [None] * 8
    assert str(wrong[-1]).startswith("status: none was expected, and it is 502: <html>")


def test_a_fault_that_strikes_nothing_is_told_before_anything_is_played(
    capsys: Captured, tmp_path: Path
) -> None:
    nowhere = {"does": "cut", "route": "GET /nowhere"}
    assert play(tmp_path, capsys, IDENTIFY, faults=[nowhere]) == ["route: the sandbox has no GET /nowhere"]


def test_messages_are_counted_however_old_they_are(capsys: Captured, tmp_path: Path) -> None:
    texts = {"to": "una@example.com", "from": "a@example.com", "subject": "Hi", "body": "Hi"}
    send = {"request": "POST /v1/send/email", "body": texts | {"identifiers": {"id": "u_1"}}, "times": 2}
    sent = {"messages": {"recipient": "una@example.com"}, "count": 2}
    found = play(tmp_path, capsys, IDENTIFY, send, {"clock": "+200d"}, sent, story=False)
    assert found == [None, None, None, None]


def test_what_may_be_asked_of_messages_is_what_the_api_tells_of_them() -> None:
    with closing(the_story(lambda: START)) as sandbox, sandbox.workspace.transaction():
        told = [message for _, message in deliveries.listed(sandbox.workspace, 0, int(START))]

    assert {name for message in told for name in message} == set(get_args(MessageField))


def test_it_begins_fresh_with_the_story_or_with_nothing(capsys: Captured, tmp_path: Path) -> None:
    campaigns = {"request": "GET /v1/campaigns", "answer": {"campaigns": [{"id": 1}]}}

    assert play(tmp_path, capsys, campaigns) == [None]
    (wrong,) = play(tmp_path, capsys, campaigns, story=False)
    assert wrong == 'answer.campaigns: {"id": 1} is not among 0'


def test_a_broadcast_can_be_triggered_again_once_the_clock_has_moved(
    capsys: Captured, tmp_path: Path
) -> None:
    trigger = {"request": "POST /v1/campaigns/10/triggers", "body": {"emails": ["ada@example.com"]}}

    assert play(tmp_path, capsys, trigger, trigger | {"status": 429}, {"clock": "+1m"}, trigger) == [None] * 4


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("{}", "steps: field required"),
        ("[]", "should be a valid dictionary"),
        ('{"steps": []}', "steps: list should have at least 1 item"),
        ('{"steps": [5]}', "steps.0: must be an object with one of request, clock, fault"),
        ('{"steps": [{"wait": 1}]}', "steps.0: must be an object with one of request, clock, fault"),
        ('{"steps": [{"request": "FOO /x"}]}', "steps.0.request: must be a method and a path"),
        ('{"steps": [{"request": "GET /x", "bdy": 1}]}', "steps.0.bdy: is not known here"),
        ('{"steps": [{"clock": "soon"}]}', "'soon' must be a time such as"),
        ('{"steps": [{"fault": {"does": "error", "calls": "x"}}]}', "calls: must be numbers and ranges"),
        ('{"steps": [{"clock": "+1d"}], "start": "soon"}', "start: 'soon' must be a time"),
        ('{"steps": [{"messages": {"recipients": "a"}, "count": 0}]}', "steps.0.messages.recipients: input"),
        ('{"steps": [{"request": "GET /x", "status": 99}]}', "steps.0.status: input should be greater"),
        ("[" * 100_000, "cannot be read"),
        ("{", "cannot be read"),
    ],
)
def test_a_file_that_holds_no_scenario_is_told_in_one_line(
    written: str, words: str, capsys: Captured, tmp_path: Path
) -> None:
    path = tmp_path / "scenario.json"
    path.write_text(written)

    assert main(["sandbox", "run", str(path)]) == 2
    err = capsys.readouterr().err
    assert str(path) in err
    assert words in err
    assert err.count("\n") == 1


def test_a_wrong_yaml_and_a_missing_file_are_told_too(capsys: Captured, tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text("steps: [")

    assert main(["sandbox", "run", str(tmp_path / "wrong.yaml")]) == 2
    assert main(["sandbox", "run", "missing.json"]) == 2
    assert main(["sandbox", "run"]) == 2
    assert capsys.readouterr().err.count("\n") == 3


def test_the_schema_describes_what_is_read(capsys: Captured) -> None:
    assert main(["sandbox", "run", "--schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    Draft202012Validator.check_schema(schema)
    fits = Draft202012Validator(schema).is_valid

    assert fits({"steps": [IDENTIFY, {"clock": "+1d"}, {"fault": {"does": "slow", "seconds": 1}}]})
    assert not fits({"steps": [{"wait": 1}]})
    assert not fits({"steps": [{"request": "GET /x", "bdy": 1}]})
