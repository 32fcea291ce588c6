"""Many objects at once, and from a file."""

from pathlib import Path

import pytest

from cio_mcp.cli import main
from tests.agent import Agent
from tests.cli.conftest import folder
from tests.cli.load.test_files import Loading, loading
from tests.tools.test_bulk import batches

__all__ = ["folder", "loading"]


@pytest.mark.anyio
async def test_rows_of_one_object_are_merged_with_their_people(agent: Agent) -> None:
    csv = "object_id,plan,seats,customer_id\nacme,free,5,u_1001\nnova,pro,,\nacme,pro,,u_1002\n"

    answer = await agent.call("set_objects", csv=csv, object_type_id=1)

    (batch,) = batches(agent)
    assert "search_objects" in answer.pop("next")
    assert answer == {"outcome": "accepted", "rows": 3, "accepted": 3}
    assert batch == [
        {
            "type": "object",
            "action": "identify",
            "identifiers": {"object_type_id": "1", "object_id": "acme"},
            "attributes": {"plan": "pro", "seats": 5},
            "cio_relationships": [{"identifiers": {"id": "u_1001"}}, {"identifiers": {"id": "u_1002"}}],
        },
        {
            "type": "object",
            "action": "identify",
            "identifiers": {"object_type_id": "1", "object_id": "nova"},
            "attributes": {"plan": "pro"},
        },
    ]


@pytest.mark.anyio
async def test_columns_of_a_relationship_are_its_attributes_and_the_later_ones_hold(agent: Agent) -> None:
    csv = (
        "object_id,plan,customer_id,relationship.role,relationship.since\n"
        "acme,pro,u_1001,member,2020\nacme,,u_1002,owner,\nacme,,u_1001,admin,\nnova,pro,,,\nnova,,,chief,\n"
    )

    answer = await agent.call("set_objects", csv=csv, object_type_id=1)
    found = (await agent.call("get_relationships", customer_id="u_1001"))["relationships"]
    told = (await agent.call("list_row_results", results=answer["results"]))["rows"]
    known = await agent.call("get_object", object_type_id=1, object_id="acme")

    assert (answer["accepted"], answer["refused"]) == (4, 1)
    assert next(one for one in found if one["object_id"] == "acme")["attributes"] == {
        "role": "admin",
        "since": 2020,
    }
    assert batches(agent)[0][0]["cio_relationships"] == [
        {"identifiers": {"id": "u_1001"}, "relationship_attributes": {"role": "admin", "since": 2020}},
        {"identifiers": {"id": "u_1002"}, "relationship_attributes": {"role": "owner"}},
    ]
    assert told[0]["reasons"] == ["relationship.role: the row has no customer_id"]
    assert not [name for name in known["attributes"] if "role" in name]


@pytest.mark.anyio
async def test_what_cannot_be_merged_follows_in_its_order(agent: Agent) -> None:
    orbit = {"object_type_id": 1, "object_id": "orbit"}
    rows = [
        orbit | {"customer_id": "u_1001", "plan": "pro"},
        orbit | {"people": [{"anonymous_id": "v_1"}]},
        orbit | {"customer_id": "u_1001", "action": "remove"},
    ]

    assert (await agent.call("set_objects", rows=rows))["accepted"] == 3

    assert [batch[0]["action"] for batch in batches(agent)] == [
        "identify",
        "identify_anonymous",
        "delete_relationships",
    ]
    assert all("timestamp" not in batch[0] for batch in batches(agent))
    assert (await agent.call("list_object_members", **orbit))["customers"] == []


@pytest.mark.anyio
async def test_rows_are_checked_as_calls_of_set_object_are(agent: Agent) -> None:
    rows = [
        {"object_type_id": 1, "object_id": "a"},
        {"object_id": "b"},
        {"object_type_id": 1, "object_id": "c", "big": "x" * 1001},
        {"object_type_id": 1, "object_id": "d", "action": "remove"},
        {"object_type_id": 1, "object_id": "e", "customer_id": "+49151", "customer_id_type": "phone"},
    ]

    answer = await agent.call("set_objects", rows=rows)

    assert (answer["accepted"], answer["refused"]) == (1, 4)
    told = (await agent.call("list_row_results", results=answer["results"]))["rows"]
    for row, words in zip(told, ("object_type_id", "1000 bytes", "remove takes", "no phone"), strict=True):
        assert words in row["reasons"][0]


def test_a_file_of_companies_is_loaded(folder: Path, loading: Loading) -> None:
    table = "Company,name,plan\nacme,Acme,pro\n,Nobody,free\n"

    status, told = loading(table, "--as", "objects", "--object-type-id", "1", "--yes")

    assert status == 1, told
    assert "Company  ->  object_id  (guessed)" in told
    assert "1 accepted, 1 rejected" in told
    assert "object_id: is required" in (folder / "rows.csv.rejected.csv").read_text()


def test_tools_with_a_prefix_are_loaded_by_too(loading: Loading, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIO_TOOL_PREFIX", "cio_")

    status, told = loading("customer_id,plan\na,pro\n", "--yes")

    assert status == 0, told


def test_a_column_of_a_file_is_an_attribute_of_a_relationship(
    loading: Loading, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ("--as", "objects", "--object-type-id", "1", "--yes", "--map", "Role=relationship.role")
    status, told = loading("Company,customer_id,Role\nacme,u_1001,admin\n", *options)
    monkeypatch.setenv("CIO_TOOLSETS", "people")
    main(["call", "get_relationships", "customer_id=u_1001"])

    assert status == 0, told
    assert "->  relationship.role" in told
    assert '"role": "admin"' in capsys.readouterr().out
