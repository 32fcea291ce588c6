"""Customer.io's error envelopes, made one."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cio_mcp.errors import refusal


@pytest.mark.parametrize(
    ("body", "reason", "field"),
    [
        ({"meta": {"error": "name cannot be blank"}}, "name cannot be blank", None),
        ({"meta": {"errors": ["one", "two"]}}, "one; two", None),
        ({"errors": [{"detail": "no such broadcast", "status": "404"}]}, "no such broadcast", None),
        ({"errors": [{"detail": "unauthorized", "status": 401}]}, "unauthorized", None),
        (
            {"errors": [{"detail": "subscription_topic_id is required"}]},
            "subscription_topic_id is required",
            None,
        ),
        (
            {"errors": [{"detail": "bad", "source": {"pointer": "/data/attributes/ids"}, "status": "422"}]},
            "/data/attributes/ids: bad",
            "/data/attributes/ids",
        ),
        (
            {
                "errors": [
                    {"reason": "invalid", "field": "identifiers", "message": "is required", "batch_index": 1}
                ]
            },
            "identifiers: is required",
            "identifiers",
        ),
        ({"errors": [{"reason": "invalid"}, {"detail": "also", "source": None}]}, "invalid; also", None),
        ({"errors": ["one", "two"]}, "one; two", None),
        ({"error": "just a word"}, "just a word", None),
        ({"message": "just a message"}, "just a message", None),
        ({"something": {"else": 1}}, '{"something": {"else": 1}}', None),
        (["one", {"detail": "two"}], "one; two", None),
        ("only text", "only text", None),
        (42, "42", None),
        ({}, None, None),
        ([], None, None),
        (None, None, None),
        ({"errors": None}, None, None),
        ({"meta": {}}, None, None),
    ],
)
def test_a_json_body_gives_its_reason_and_field(body: object, reason: str | None, field: str | None) -> None:
    error = refusal(422, json.dumps(body).encode())

    assert (error.reason, error.field) == (reason, field)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", None),
        (b"  \n", None),
        (b"upstream connect error\nreset", "upstream connect error reset"),
        (
            b"<html><head><title>502 Bad Gateway</title></head></html>",
            "an HTML page (502 Bad Gateway), perhaps from a proxy",
        ),
        (b"<!DOCTYPE html><p>hm", "an HTML page (untitled), perhaps from a proxy"),
        (b"\xff\xfe", "\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}"),
        (b"x" * 5000, "x" * 299 + "…"),
    ],
)
def test_a_body_that_is_no_json_still_gives_a_short_reason(body: bytes, reason: str | None) -> None:
    assert refusal(502, body).reason == reason


@given(st.binary(max_size=200), st.integers(400, 599))
def test_no_body_is_too_strange_to_be_told_in_one_line(body: bytes, status: int) -> None:
    text = str(refusal(status, body))

    assert text.startswith(f"Customer.io answered {status}: ")
    assert len(text.splitlines()) == 1


@pytest.mark.parametrize(
    ("status", "retryable"), [(400, False), (404, False), (408, True), (429, True), (503, True)]
)
def test_the_status_says_whether_trying_again_can_help(status: int, retryable: bool) -> None:
    assert refusal(status, b"").retryable is retryable


def test_the_advice_fits_the_status_unless_the_caller_knows_better() -> None:
    assert "id_type" in refusal(404, b"").do
    assert "settings" in refusal(403, b"").do
    assert refusal(404, b"", do="Look elsewhere.").do == "Look elsewhere."


def test_the_facts_hold_what_is_known_and_nothing_else() -> None:
    assert refusal(429, b"", retry_in=1.26).facts() == {
        "outcome": "refused",
        "error": "Customer.io answered 429: no reason given.",
        "retryable": True,
        "status": 429,
        "retry_in_seconds": 1.3,
        "next": "Try again later.",
    }
