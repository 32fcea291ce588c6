"""What a failure tells."""

import pytest

from cio_mcp.errors import CustomerIOError, InvalidArgument, NotSent, Refused, UnknownOutcome
from tests.agent import Agent


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (InvalidArgument("name: is blank"), "not_sent"),
        (NotSent("No turn."), "not_sent"),
        (Refused("No."), "refused"),
        (UnknownOutcome("No answer."), "unknown"),
    ],
)
def test_every_failure_says_whether_its_request_left_and_whether_to_try_again(
    error: CustomerIOError, outcome: str
) -> None:
    assert error.facts() == {"outcome": outcome, "error": error.what, "retryable": False}


def test_a_failure_reads_as_what_happened_and_then_what_to_do() -> None:
    assert str(NotSent("No turn.", do="Call again.")) == "No turn. Call again."
    assert str(NotSent("No turn.")) == "No turn."


def test_wrong_arguments_are_told_one_to_a_line() -> None:
    error = InvalidArgument("name: is blank", "limit: is too high")

    assert error.faults == ("name: is blank", "limit: is too high")
    assert str(error).splitlines() == ["Nothing was sent; correct the arguments:", *error.faults]


@pytest.mark.anyio
async def test_an_internal_error_of_a_tool_that_only_reads_says_that_nothing_was_changed(
    agent: Agent,
) -> None:
    def break_down(_: object) -> None:
        raise RuntimeError

    agent.wire.meets = break_down
    read = await agent.fail("get_customer", customer_id="u_1001")
    written = await agent.fail("identify_customer", customer_id="u_1001", attributes={"plan": "pro"})

    assert read.endswith(". Nothing was changed.")
    assert written.endswith(". It may or may not have taken effect.")
