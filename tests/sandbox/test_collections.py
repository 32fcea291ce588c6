"""Collections: made, replaced, read, removed."""

from typing import Any

import pytest

from tests.sandbox.conftest import Caller

pytestmark = pytest.mark.anyio

OFFICES = {"name": "offices", "data": [{"city": "Oslo", "seats": 4}, {"city": "Turin"}]}


async def test_a_collection_tells_what_its_rows_have(caller: Caller) -> None:
    made = (await caller.ok("POST", "/v1/collections", OFFICES))["collection"]

    assert made.keys() == {"id", "name", "rows", "bytes", "schema", "created_at", "updated_at"}
    assert (made["id"], made["rows"], made["schema"]) == (2, 2, ["city", "seats"])
    listed = (await caller.ok("GET", "/v1/collections"))["collections"]
    assert [found["name"] for found in listed] == ["workshops", "offices"]
    assert await caller.ok("GET", "/v1/collections/2/content") == OFFICES["data"]


async def test_all_rows_are_replaced_or_none(caller: Caller) -> None:
    await caller.ok("PUT", "/v1/collections/1", {"data": [{"a": 1}]})
    renamed = (await caller.ok("PUT", "/v1/collections/1", {"name": "events"}))["collection"]

    assert (renamed["name"], renamed["rows"], renamed["schema"]) == ("events", 1, ["a"])
    fetched = await caller.ok("PUT", "/v1/collections/1", {"url": "https://example.com/rows.csv"})
    assert fetched["collection"]["schema"] == ["fetched"]


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"data": []}, "name is required"),
        ({"name": "workshops", "data": []}, "a collection with that name already exists"),
        ({"name": "n"}, "one of data and url is required"),
        ({"name": "n", "data": [], "url": "https://example.com"}, "one of data and url is required"),
        ({"name": "n", "data": {"a": 1}}, "data must be a list of objects"),
        ({"name": "n", "data": ["a"]}, "data must be a list of objects"),
        ({"name": "n", "data": [{"a": "x" * 10_000}]}, "data is too large"),
    ],
)
async def test_a_collection_is_checked(caller: Caller, body: Any, detail: str) -> None:
    answer = await caller.no(400, "POST", "/v1/collections", body)

    assert answer == {"errors": [{"detail": detail, "status": "400"}]}


async def test_a_removed_collection_is_gone(caller: Caller) -> None:
    assert (await caller.send("DELETE", "/v1/collections/1")).status_code == 204
    await caller.no(404, "DELETE", "/v1/collections/1")
    await caller.no(404, "PUT", "/v1/collections/1", {"data": []})
    await caller.no(404, "GET", "/v1/collections/1/content")
