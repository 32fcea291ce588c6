"""Snippets: what the sandbox takes, and which it lets go."""

from typing import Any

import pytest

from tests.sandbox.conftest import Caller

pytestmark = pytest.mark.anyio


async def texts(caller: Caller) -> dict[str, str]:
    listed = (await caller.ok("GET", "/v1/snippets"))["snippets"]
    return {snippet["name"]: snippet["value"] for snippet in listed}


async def test_a_snippet_is_made_and_changed_by_its_name_without_blanks_around_it(caller: Caller) -> None:
    made = (await caller.ok("PUT", "/v1/snippets", {"name": " hours ", "value": " 9 to 5\n"}))["snippet"]
    await caller.ok("PUT", "/v1/snippets", {"name": "hours", "value": "8 to 4"})

    assert made == {"name": "hours", "value": "9 to 5", "updated_at": int(caller.clock.now) - 1}
    assert (await texts(caller))["hours"] == "8 to 4"
    assert list(await texts(caller)) == ["footer", "spring offer", "hours"]


@pytest.mark.parametrize(
    ("body", "detail", "pointer"),
    [
        ({}, "name cannot be blank", "/name"),
        ({"name": "n", "value": " "}, "value cannot be blank", "/value"),
        ({"name": "n" * 151, "value": "v"}, "name cannot exceed 150 characters", "/name"),
        ({"name": "n", "value": "v" * 16_001}, "value cannot exceed 16000 characters", "/value"),
        (
            {"name": "n", "value": '{{snippets["spring offer"]}}'},
            "Snippets cannot contain Liquid code referencing other snippets.",
            "/value",
        ),
    ],
)
async def test_a_snippet_is_checked(caller: Caller, body: Any, detail: str, pointer: str) -> None:
    answer = await caller.no(422, "PUT", "/v1/snippets", body)

    assert answer == {"errors": [{"detail": detail, "source": {"pointer": pointer}, "status": "422"}]}


async def test_a_snippet_that_a_newsletter_shows_stays(caller: Caller) -> None:
    answer = await caller.no(400, "DELETE", "/v1/snippets/footer")
    gone = await caller.send("DELETE", "/v1/snippets/spring%20offer")

    assert answer["errors"][0]["detail"] == "unable to delete snippet in use"
    assert gone.status_code == 204
    assert list(await texts(caller)) == ["footer"]
    await caller.no(404, "DELETE", "/v1/snippets/spring%20offer")


async def test_only_the_very_name_counts_as_use(caller: Caller) -> None:
    await caller.ok("PUT", "/v1/snippets", {"name": "foot", "value": "v"})

    assert (await caller.send("DELETE", "/v1/snippets/foot")).status_code == 204
    assert (
        "{{snippets.footer}}"
        in (await caller.ok("GET", "/v1/newsletters/21/contents"))["contents"][0]["body"]
    )
