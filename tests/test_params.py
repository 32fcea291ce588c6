"""Argument types that several tools share."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from cio_mcp.params import CustomerId, JsonObject, Names, Timestamp, iso, size_of


def read(kind: Any, value: object) -> Any:
    """Return what an argument of a kind becomes; refusals come as their text."""
    try:
        return TypeAdapter(kind).validate_python(value)
    except ValidationError as error:
        return error.errors()[0]["msg"].removeprefix("Value error, ")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (1705312800, 1705312800),
        ("1705312800", 1705312800),
        (1705312800.9, 1705312800),
        ("2024-01-15T10:00:00Z", 1705312800),
        ("2024-01-15T11:00:00+01:00", 1705312800),
        ("2024-01-15T10:00:00", 1705312800),
        (" 2024-01-15 10:00:00 ", 1705312800),
        ("2024-01-15", 1705276800),
        (0, 0),
    ],
)
def test_a_time_becomes_unix_seconds(value: object, seconds: int) -> None:
    assert read(Timestamp, value) == seconds


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (1705312800000, "is in milliseconds; Customer.io counts seconds: did you mean 1705312800?"),
        ("1705312800000", "did you mean 1705312800?"),
        (-5, "must not lie before 1970"),
        ("1969-12-31", "must not lie before 1970"),
        (True, "must be ISO 8601"),
        (float("nan"), "must be ISO 8601"),
        ("soon", "must be ISO 8601"),
        ([], "must be ISO 8601"),
    ],
)
def test_what_is_no_time_is_refused_with_the_way_out(value: object, words: str) -> None:
    assert words in str(read(Timestamp, value))


@given(st.integers(0, 10**11 - 1))
def test_a_time_reads_back_as_iso_8601_in_utc(seconds: int) -> None:
    text = iso(seconds)

    assert (
        text is None
        if seconds == 0
        else text is not None and text.endswith("Z") and read(Timestamp, text) == seconds
    )


@pytest.mark.parametrize("value", [None, "", "soon", 10**20])
def test_what_is_no_time_reads_back_as_none(value: object) -> None:
    assert iso(value) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "value", "result"),
    [
        (JsonObject, {"a": 1}, {"a": 1}),
        (JsonObject, '{"a": [1]}', {"a": [1]}),
        (JsonObject, "[1]", "must be a JSON object"),
        (JsonObject, "{", "must be a JSON object"),
        (JsonObject, '{"a": NaN}', "numbers must be finite: NaN and infinity are not JSON"),
        (JsonObject, '{"a": "\\ud800"}', "text must be valid Unicode"),
        (Names, ["a"], ["a"]),
        (Names, '["a"]', ["a"]),
        (Names, "a", "must be a JSON list"),
        (CustomerId, 42, "42"),
        (CustomerId, " x ", "x"),
        (CustomerId, True, "Input should be a valid string"),
        (CustomerId, "ü" * 75, "ü" * 75),
        (CustomerId, "ü" * 76, "at most 150 bytes are allowed, this is 152"),
    ],
)
def test_objects_lists_and_ids_are_taken_as_agents_send_them(
    kind: Any, value: object, result: object
) -> None:
    assert read(kind, value) == result


def test_a_size_is_what_the_request_will_hold() -> None:
    assert size_of({"ä": [1, 2]}) == len('{"ä":[1,2]}'.encode())
