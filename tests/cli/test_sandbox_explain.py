"""`cio-mcp sandbox explain`: why a message came to somebody in the sandbox that is kept, or did not."""

import json

import pytest

from cio_mcp.cli import main


def call(*arguments: str) -> None:
    assert main(["call", *arguments]) == 0


def test_it_tells_what_calls_have_led_to(capsys: pytest.CaptureFixture[str]) -> None:
    call("identify_customer", "customer_id=zoe", "email=zoe@example.com")
    call("track_event", "customer_id=zoe", "name=signed_up")
    assert main(["sandbox", "clock", "+1h"]) == 0
    told = capsys.readouterr().out
    assert main(["sandbox", "explain", "zoe", "First note"]) == 0
    waiting = capsys.readouterr().out
    assert main(["sandbox", "clock", "+3d"]) == 0
    assert main(["sandbox", "explain", "zoe", "First note"]) == 0
    sent = capsys.readouterr().out
    call("list_customer_messages", "customer_id=zoe", "--json")
    newest = json.loads(capsys.readouterr().out)["messages"][0]

    assert "real time" in told
    assert "zoe got no action 103 (First note)." in waiting
    assert "zoe began campaign 1 (Welcome series)" in waiting
    assert waiting.endswith("It still waits.\n")
    assert f"action 103 made delivery {newest['delivery_id']} for zoe" in sent


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["nobody", "Welcome"], "cio-mcp: there is no person nobody, and there never was\n"),
        (["u_1001", "Wellcome"], "cio-mcp: no message is called Wellcome; name an action, a campaign, "),
        (["dgTE="], "cio-mcp: there is no delivery dgTE=\n"),
    ],
)
def test_what_is_not_there_is_named(asked: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sandbox", "explain", *asked]) == 1
    assert said in capsys.readouterr().err
