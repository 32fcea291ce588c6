"""Customers: identify, read back, delete."""

import pytest

from tests.agent import Agent

pytestmark = pytest.mark.anyio


async def test_an_identified_customer_reads_back_with_standard_and_custom_fields_apart(agent: Agent) -> None:
    await agent.call(
        "identify_customer",
        customer_id="user_123",
        email="user@example.com",
        created_at="2024-01-15T10:00:00Z",
        unsubscribed=False,
        attributes={"first_name": "John", "seats": 5, "beta": True},
    )

    found = await agent.call("get_customer", customer_id="user_123")

    assert (found["id"], found["email"], found["unsubscribed"]) == ("user_123", "user@example.com", False)
    assert found["created_at"] == "2024-01-15T10:00:00Z"
    assert found["attributes"] == {"first_name": "John", "seats": "5", "beta": "true"} | {
        name: value
        for name, value in found["attributes"].items()
        if name not in {"first_name", "seats", "beta"}
    }
    assert "email" not in found["attributes"]


async def test_a_write_is_called_accepted_and_never_applied(agent: Agent) -> None:
    answer = await agent.call("identify_customer", customer_id="user_123", attributes={"plan": "pro"})

    assert answer["outcome"] == "accepted"
    assert "applied" not in str(answer).replace("not yet applied", "")


async def test_what_is_not_named_stays_as_it_is(agent: Agent) -> None:
    await agent.call("identify_customer", customer_id="user_123", attributes={"plan": "pro", "city": "Oslo"})
    await agent.call("identify_customer", customer_id="user_123", attributes={"plan": "free"})

    found = await agent.call("get_customer", customer_id="user_123", fields=["plan", "city"])

    assert found["attributes"] == {"plan": "free", "city": "Oslo"}


async def test_a_null_or_empty_attribute_is_removed(agent: Agent) -> None:
    await agent.call("identify_customer", customer_id="user_123", attributes={"plan": "pro", "city": "Oslo"})
    await agent.call("identify_customer", customer_id="user_123", attributes={"plan": None, "city": ""})

    found = await agent.call("get_customer", customer_id="user_123", fields=["plan", "city"])

    assert found["attributes"] == {}
    assert found["left_out"] == "plan, city: not set"


async def test_update_only_never_creates(agent: Agent) -> None:
    await agent.call("identify_customer", customer_id="nobody", update_only=True, attributes={"plan": "pro"})

    assert "404" in await agent.fail("get_customer", customer_id="nobody")


@pytest.mark.parametrize("customer_id", ["a/b", "a%2Fb", "ä b+@?#", "100%", "...", "a\\b", "ü" * 75])
async def test_an_unusual_id_is_one_customer_and_nobody_else(agent: Agent, customer_id: str) -> None:
    await agent.call("identify_customer", customer_id=customer_id, attributes={"plan": "pro"})

    assert (await agent.call("get_customer", customer_id=customer_id))["id"] == customer_id

    await agent.call("delete_customer", customer_id=customer_id)

    assert "404" in await agent.fail("get_customer", customer_id=customer_id)


async def test_a_customer_can_be_named_by_email_and_by_cio_id_with_or_without_prefix(agent: Agent) -> None:
    by_email = await agent.call("get_customer", customer_id="ada@example.com", id_type="email")
    cio_id = by_email["cio_id"]

    await agent.call("identify_customer", customer_id=cio_id, id_type="cio_id", attributes={"plan": "gold"})

    for name in (cio_id, f"cio_{cio_id}"):
        found = await agent.call("get_customer", customer_id=name, id_type="cio_id")
        assert (found["email"], found["attributes"]["plan"]) == ("ada@example.com", "gold")


async def test_a_number_is_taken_as_an_id(agent: Agent) -> None:
    await agent.call("identify_customer", customer_id=42, attributes={"plan": "pro"})

    assert (await agent.call("get_customer", customer_id="42"))["id"] == "42"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"customer_id": ""}, "customer_id: must not be blank"),
        ({"customer_id": "."}, "customer_id: must not be empty, '.' or '..'"),
        ({"customer_id": ".."}, "customer_id: must not be empty, '.' or '..'"),
        ({"customer_id": "a\nb"}, "customer_id: must not contain control characters"),
        ({"customer_id": "ü" * 76}, "customer_id: at most 150 bytes are allowed; this has 152"),
        ({"customer_id": "cio_1"}, "did you mean id_type=cio_id?"),
        ({"customer_id": "ada", "id_type": "email"}, "not an email address"),
        ({"customer_id": "a", "created_at": 1705312800000}, "did you mean 1705312800?"),
        ({"customer_id": "a", "created_at": "yesterday"}, "created_at: must be ISO 8601"),
        (
            {"customer_id": "a", "attributes": {"email": "a@b.c"}},
            "email is reserved: pass it as the argument email",
        ),
        ({"customer_id": "a", "attributes": {"cio_id": "1"}}, "cio_id is reserved"),
        ({"customer_id": "a", "attributes": {"n" * 151: 1}}, "a name must have 1 to 150 bytes"),
        ({"customer_id": "a", "attributes": {"": 1}}, "a name must have 1 to 150 bytes"),
        ({"customer_id": "a", "attributes": {"bio": "ü" * 501}}, "bio: a value must have at most 1000 bytes"),
        ({"customer_id": "a", "attributes": {f"a{n}": n for n in range(301)}}, "at most 300 attributes"),
        ({"customer_id": "a", "attributes": "no JSON"}, "attributes: must be a JSON object"),
        ({"customer_id": "a", "attributes": "[1]"}, "attributes: must be a JSON object"),
    ],
)
async def test_a_wrong_argument_is_named_and_nothing_is_sent(
    agent: Agent, arguments: dict[str, object], words: str
) -> None:
    text = await agent.fail("identify_customer", **arguments)

    assert words in text
    assert agent.facts["outcome"] == "not_sent"
    assert agent.sent == []


async def test_attributes_may_come_as_a_json_text(agent: Agent) -> None:
    await agent.call("identify_customer", customer_id="user_123", attributes='{"plan": "pro"}')

    found = await agent.call("get_customer", customer_id="user_123", fields='["plan"]')

    assert found["attributes"] == {"plan": "pro"}


async def test_a_deleted_customer_is_gone_and_deleting_again_is_accepted(agent: Agent) -> None:
    await agent.call("delete_customer", customer_id="u_1001")

    assert "404" in await agent.fail("get_customer", customer_id="u_1001")
    assert (await agent.call("delete_customer", customer_id="u_1001"))["outcome"] == "accepted"


async def test_devices_and_computed_attributes_are_part_of_a_customer(agent: Agent) -> None:
    await agent.call("track_event", customer_id="user_123", name="purchase", data={"amount": 20})
    await agent.call("track_event", customer_id="user_123", name="purchase", data={"amount": 22})

    found = await agent.call("get_customer", customer_id="user_123")

    assert found["attributes"]["purchases"] == "2"
    assert found["attributes"]["total_spent"] == "42"


async def test_a_very_large_customer_is_cut_at_whole_attributes_and_says_how_to_read_on(agent: Agent) -> None:
    large = {f"note_{number:02}": "x" * 1000 for number in range(30)}
    await agent.call("identify_customer", customer_id="user_123", attributes=large)

    found = await agent.call("get_customer", customer_id="user_123")

    assert all(len(value) == 1000 for name, value in found["attributes"].items() if name.startswith("note_"))
    assert len(found["attributes"]) < 30
    assert "note_29" in found["left_out"]
    assert "fields" in found["left_out"]
    rest = await agent.call("get_customer", customer_id="user_123", fields=["note_29"])
    assert rest["attributes"] == {"note_29": "x" * 1000}


async def test_a_standard_field_among_the_fields_asked_for_is_not_called_missing(agent: Agent) -> None:
    found = await agent.call("get_customer", customer_id="u_1001", fields=["email", "plan"])

    assert (found["email"], found["attributes"]) == ("ada@example.com", {"plan": "pro"})
    assert "left_out" not in found


async def test_an_answer_begins_with_what_was_asked_for_and_notes_and_cursor_follow(agent: Agent) -> None:
    customer = await agent.call("get_customer", customer_id="u_1001")
    found = await agent.call("search_customers", limit=1)

    assert list(customer)[:2] == ["notice", "id"], "the notice says how to read what follows"
    assert list(customer)[-1] == "notes"
    assert list(found) == ["notice", "customers", "next_cursor"]
