"""Imports: what the sandbox takes, and how far they are."""

import pytest

from tests.sandbox.conftest import Caller

pytestmark = pytest.mark.anyio

LEADS = {
    "data_file_url": "https://files.sandbox.invalid/leads.csv",
    "name": "leads",
    "type": "people",
    "identifier": "email",
}


async def test_an_import_goes_through_its_states(caller: Caller) -> None:
    begun = (await caller.ok("POST", "/v1/imports", {"import": LEADS}))["import"]
    seen = []
    for _ in range(15):
        found = (await caller.ok("GET", f"/v1/imports/{begun['id']}"))["import"]
        seen += [found["state"]] if found["state"] not in seen else []
        caller.clock.now += 1

    assert seen == ["preprocessing", "preprocessed", "validating", "validated", "importing", "imported"]
    assert (found["rows_to_import"], found["rows_imported"], found["error"]) == (3, 3, "")
    assert begun.keys() >= {
        "id",
        "name",
        "type",
        "identifier",
        "data_to_process",
        "people_to_process",
        "state",
        "rows_to_import",
        "rows_imported",
        "error",
        "created_at",
        "updated_at",
    }


async def test_what_is_no_import_is_refused(caller: Caller) -> None:
    for wrong in (
        LEADS | {"type": "phone"},
        LEADS | {"identifier": "phone"},
        {name: value for name, value in LEADS.items() if name != "data_file_url"},
        LEADS | {"type": "event", "data_to_process": "only_new"},
    ):
        await caller.no(400, "POST", "/v1/imports", {"import": wrong})
    await caller.no(404, "GET", "/v1/imports/99")


async def test_only_those_are_updated_who_are_there(caller: Caller) -> None:
    await caller.ok("POST", "/v1/imports", {"import": LEADS | {"data_to_process": "only_existing"}})

    await caller.no(404, "GET", "/v1/customers/lead1@example.com/attributes?id_type=email")
