"""Customer.io's error envelopes, made one."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cio_mcp.client.refusals import refusal


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
        ({"meta": "text"}, '{"meta": "text"}', None),
        ({"meta": {"error": "Unauthorized"}, "errors": []}, "Unauthorized", None),
        ({"errors": {"name": ["is blank"]}}, '{"name": ["is blank"]}', None),
        ({"error": {"message": "no", "field": "to"}}, "to: no", "to"),
        ({"errors": [{"detail": "  ", "reason": "invalid"}]}, "invalid", None),
        ({"errors": [{"detail": 7, "field": "age"}]}, 'age: {"detail": 7, "field": "age"}', "age"),
        ({"errors": [{"detail": "bad", "field": 3}]}, "3: bad", "3"),
        ({"errors": [{"detail": "one"}, {"detail": "two", "field": "to"}]}, "one; to: two", "to"),
        ({"errors": [None, "", {}, []]}, None, None),
        ([["a", "b"]], "['a', 'b']", None),
        (False, None, None),
        (1.5, "1.5", None),
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
        (b"<html><title>\n 504\n  Gateway </title>", "an HTML page (504 Gateway), perhaps from a proxy"),
        (b"  <HTML><TITLE lang='en'>No</TITLE>", "an HTML page (No), perhaps from a proxy"),
        (b"<html><title>" + b"x" * 999 + b"</title>", "an HTML page…"),
        (b"over capacity.", "over capacity"),
        (b"x" * 5000, "x" * 299 + "…"),
        (b"to " * 98 + b"ada@example.com", "to " * 97 + "to…"),
        (b"x" * 300, "x" * 300),
        (b"9" * 5000, "9" * 299 + "…"),
        (b"[" * 100_000, "the answer is too large or nested too deeply"),
    ],
)
def test_a_body_that_is_no_json_still_gives_a_short_reason(body: bytes, reason: str | None) -> None:
    assert refusal(502, body).reason == reason


KEYS = st.sampled_from(
    ["meta", "error", "errors", "detail", "message", "reason", "field", "source", "pointer"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(max_size=3), inner, max_size=4)
    ),
)
LONGEST_FAULT = len("x" * 300 + ": " + "x" * 300)


@given(
    st.binary(max_size=200)
    | st.text().map(lambda text: text.encode("utf-8", "surrogatepass"))
    | JSON.map(lambda value: json.dumps(value).encode()),
    st.integers(400, 599),
)
def test_no_body_is_too_strange_to_be_told_in_one_line(body: bytes, status: int) -> None:
    error = refusal(status, body)

    assert str(error).startswith(f"Customer.io answered {status}: ")
    assert len(str(error).splitlines()) == 1
    assert all(len(fault) <= LONGEST_FAULT for fault in (error.reason or "").split("; "))


@pytest.mark.repeating
@pytest.mark.parametrize("shape", [b"[%s]", b'{"a":%s}', b'{"errors":[%s]}'])
def test_no_depth_of_an_answer_is_too_much(shape: bytes) -> None:
    body = b"1"
    for _ in range(1_200):
        body = shape % body
        assert refusal(400, body).reason


def test_a_field_is_told_as_briefly_as_a_reason() -> None:
    body = json.dumps({"errors": [{"field": "a\nb " * 999, "message": "no"}]}).encode()

    assert len(refusal(400, body).field or "") == 300
    assert len(str(refusal(400, body)).splitlines()) == 1


@pytest.mark.parametrize(
    ("count", "told", "end"), [(10, 10, "fault 9"), (11, 10, "and 1 more"), (5000, 10, "and 4990 more")]
)
def test_of_many_faults_the_first_ten_are_told_and_the_rest_counted(count: int, told: int, end: str) -> None:
    reason = refusal(400, json.dumps({"errors": [f"fault {n}" for n in range(count)]}).encode()).reason or ""

    assert reason.count("fault") == told
    assert reason.endswith(end)


def test_a_long_page_is_told_as_fast_as_a_short_one() -> None:
    assert (
        refusal(502, b"<html>" + b"<title>" * 100_000).reason
        == "an HTML page (untitled), perhaps from a proxy"
    )


@pytest.mark.parametrize(
    ("status", "retryable"),
    [
        *((400, False), (401, False), (403, False), (404, False), (413, False), (422, False), (501, False)),
        *((408, True), (429, True), (500, True), (502, True), (503, True), (599, True)),
    ],
)
def test_the_status_says_whether_trying_again_can_help(status: int, retryable: bool) -> None:
    assert refusal(status, b"").retryable is retryable


def test_the_advice_fits_the_status_unless_the_caller_knows_better() -> None:
    assert "a few seconds to appear" in refusal(404, b"").do
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
