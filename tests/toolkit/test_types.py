"""Argument types that several tools share."""

import json
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from cio_mcp.toolkit.arguments.lists import Addresses, Names, Objects, People, SomeNames, Words
from cio_mcp.toolkit.arguments.sizes import size_of
from cio_mcp.toolkit.arguments.times import Timestamp, iso
from cio_mcp.toolkit.arguments.types import (
    AnonymousId,
    CustomerId,
    ItemKey,
    JsonObject,
    Limit,
    ObjectId,
    Text,
)


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


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
        ("1705312800.5", 1705312800),
        (946_684_800, 946_684_800),
        (4_102_444_799, 4_102_444_799),
        ("20240115", 1705276800),
        ("20240115T100000Z", 1705312800),
        ("1970-01-02", 86_400),
        ("2024-01-15T10:00:00.999Z", 1705312800),
        ("2024-01-15T10:00:00-02:30", 1705321800),
    ],
)
def test_a_time_becomes_unix_seconds(value: object, seconds: int) -> None:
    assert read(Timestamp, value) == seconds


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (1705312800000, "is in milliseconds; Customer.io counts seconds: did you mean 1705312800?"),
        ("1705312800000", "did you mean 1705312800?"),
        (1705312800000.0, "is in milliseconds; Customer.io counts seconds: did you mean 1705312800?"),
        (
            1705312800000000,
            "is in a finer unit than milliseconds; Customer.io counts seconds: did you mean 1705312800?",
        ),
        (1705312800000000000, "did you mean 1705312800?"),
        ("-1", "must not be before 1970"),
        ("1969-12-31T23:59:59Z", "must not be before 1970"),
        (-5, "must not be before 1970"),
        ("1969-12-31", "must not be before 1970"),
        (20261201, 'a number is read as unix seconds; did you mean "2026-12-01"?'),
        (20261201.0, 'did you mean "2026-12-01"?'),
        ("202612", 'did you mean "2026-12-01"?'),
        (2026, 'did you mean "2026-01-01"?'),
        ("2026", 'did you mean "2026-01-01"?'),
        (202612010930, 'did you mean "2026-12-01T09:30:00Z"?'),
        (20261201093000, 'did you mean "2026-12-01T09:30:00Z"?'),
        (0, "as unix seconds this is in the year 1970; write the time as ISO 8601"),
        ("0", "as unix seconds this is in the year 1970"),
        (946_684_799, "as unix seconds this is in the year 1999"),
        (4_102_444_800, "as unix seconds this is in the year 2100"),
        ("20261301", "must be ISO 8601"),
        (True, "must be ISO 8601"),
        (False, "must be ISO 8601"),
        (float("nan"), "must be ISO 8601"),
        (float("inf"), "must be ISO 8601"),
        (10**400, "must be ISO 8601"),
        ("9" * 5000, "must be ISO 8601"),
        ("--5", "must be ISO 8601"),
        ("nan", "must be ISO 8601"),
        ("1e9", "must be ISO 8601"),
        ("2024-02-30", "must be ISO 8601"),
        ("\ud800", "must be ISO 8601"),
        ("", "must be ISO 8601"),
        (None, "must be ISO 8601"),
        (b"1705312800", "must be ISO 8601"),
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
        (JsonObject, "", "must be a JSON object"),
        (JsonObject, "null", "must be a JSON object"),
        (JsonObject, None, "must be a JSON object"),
        (JsonObject, '"{}"', "must be a JSON object"),
        (JsonObject, '{"a":' * 9999, "must be a JSON object"),
        (JsonObject, {"a": nested(9999)}, "is nested too deeply"),
        (JsonObject, {"a": float("inf")}, "numbers must be finite: JSON has no NaN and no infinity"),
        (JsonObject, {"\ud800": 1}, "text must be valid Unicode"),
        (JsonObject, "{}", {}),
        (JsonObject, '{"a": NaN}', "numbers must be finite: JSON has no NaN and no infinity"),
        (JsonObject, '{"a": "\\ud800"}', "text must be valid Unicode"),
        (Names, ["a"], ["a"]),
        (Names, '["a"]', ["a"]),
        (Names, "a", ["a"]),
        (Names, "a, b", "must be a JSON list: a value can hold a comma itself"),
        (Names, '["a, b"]', ["a, b"]),
        (Names, "[a", "must be a JSON list"),
        (Names, '["a"] b', "must be a JSON list"),
        (Names, "[" * 9999, "must be a JSON list"),
        (Names, {"a": 1}, "Input should be a valid string"),
        (Names, [nested(9999)], "is nested too deeply"),
        (Names, [1], "Input should be a valid string"),
        (Names, [" "], "must not be blank"),
        (Names, [], []),
        (SomeNames, [], "must not be empty"),
        (Words, "a, b", ["a", "b"]),
        (Words, "a,", "must not be blank"),
        (Addresses, " a@example.com,b@example.com ", ["a@example.com", "b@example.com"]),
        (Addresses, "a@example.com", ["a@example.com"]),
        (People, [1001, 1001.0, "1001.0", " x "], ["1001", "1001", "1001.0", "x"]),
        (People, 1001, ["1001"]),
        (People, "1001", ["1001"]),
        (People, "1e3", ["1e3"]),
        (People, "007", ["007"]),
        (People, [None], "must be text or a whole number"),
        (People, True, "must be text or a whole number"),
        (People, {"id": "1"}, "must be text or a whole number"),
        (People, ["a\nb"], "must not contain control characters or line breaks"),
        (Objects, {"a": 1}, [{"a": 1}]),
        (Objects, '{"a": 1}', [{"a": 1}]),
        (Objects, '[{"a": 1}]', [{"a": 1}]),
        (Objects, "a", "must be a JSON list"),
        (Objects, '"a"', "Input should be a valid dictionary"),
        (ObjectId, 7, 7),
        (ObjectId, "7", 7),
        (ObjectId, 7.0, 7),
        (ObjectId, " 7.00 ", 7),
        (ObjectId, 7.5, "must be a whole number"),
        (ObjectId, "1_0", "must be a whole number"),
        (ObjectId, "\N{FULLWIDTH DIGIT SEVEN}", "must be a whole number"),
        (ObjectId, "0x7", "must be a whole number"),
        (ObjectId, "", "must be a whole number"),
        (ObjectId, -7, "must be a whole number"),
        (ObjectId, [7], "must be a whole number"),
        (ObjectId, True, "must be a whole number"),
        (ObjectId, float("inf"), "must be a whole number"),
        (ItemKey, 10**30, str(10**30)),
        (ItemKey, 1e30, "must be text or a whole number"),
        (ItemKey, 2.0**53 - 1, "9007199254740991"),
        (ItemKey, -0.0, "0"),
        (ItemKey, 1001.5, "must be text or a whole number"),
        (ObjectId, 0, "Input should be greater than 0"),
        (Limit, 100, 100),
        (Limit, 101, "Input should be less than or equal to 100"),
        (Limit, False, "must be a whole number"),
        (Text, " a ", "a"),
        (Text, " \n", "must not be blank"),
        (CustomerId, "", "must not be blank"),
        (CustomerId, None, "must be text or a whole number"),
        (AnonymousId, 42, "42"),
        (AnonymousId, "x" * 151, "at most 150 bytes are allowed; this has 151"),
        (CustomerId, 42, "42"),
        (CustomerId, " x ", "x"),
        (CustomerId, True, "must be text or a whole number"),
        (CustomerId, "ü" * 75, "ü" * 75),
        (CustomerId, "ü" * 76, "at most 150 bytes are allowed; this has 152"),
    ],
)
def test_objects_lists_and_ids_are_taken_as_agents_send_them(
    kind: Any, value: object, result: object
) -> None:
    assert read(kind, value) == result


@given(st.datetimes(datetime(1970, 1, 2), datetime(5000, 1, 1), timezones=st.timezones()))
def test_a_moment_is_the_same_moment_in_every_zone(moment: datetime) -> None:
    assert read(Timestamp, moment.isoformat()) == int(moment.timestamp())


@given(st.text() | st.integers() | st.floats() | st.binary() | st.none() | st.booleans())
def test_no_value_is_too_strange_to_be_read_as_a_time_or_refused(value: object) -> None:
    assert isinstance(read(Timestamp, value), (int, str))


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=5) | st.integers() | st.lists(st.booleans())))
def test_a_json_text_means_what_it_says(value: dict[str, Any]) -> None:
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False, indent=1)):
        assert read(JsonObject, text) == value


def test_a_size_is_what_the_request_will_hold() -> None:
    assert size_of({"ä": [1, 2]}) == len('{"ä":[1,2]}'.encode())
    for text in ("plain", 'a "word"', "back\\slash", "line\nbreak", "\x7f", "ä", ""):
        assert size_of(text) == len(json.dumps(text, ensure_ascii=False).encode())
