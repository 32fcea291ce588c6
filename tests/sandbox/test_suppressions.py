"""Suppressed addresses and opt-outs: what the sandbox tells of them, takes and lets go."""

from typing import Any

import pytest

from tests.sandbox.conftest import Caller

pytestmark = pytest.mark.anyio

JOMO = {"email": "jomo@example.org", "reason": "550 5.1.1 unknown user", "status": "550"}


async def deliveries(caller: Caller, customer_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await caller.ok("GET", f"/v1/customers/{customer_id}/messages"))[
        "messages"
    ]
    return found


async def test_the_welcome_mail_that_bounced_says_why_and_suppressed_its_address(caller: Caller) -> None:
    found = await caller.ok("GET", "/v1/esp/search_suppression/jomo%40example.org")
    bounced = next(one for one in await deliveries(caller, "u_1010") if "bounced" in one["metrics"])

    assert found["category"] == "bounces"
    (known,) = found["suppressions"]
    assert known == JOMO | {"created": bounced["metrics"]["bounced"]}
    assert bounced["failure_message"] == JOMO["reason"]


async def test_what_is_sent_to_a_suppressed_address_is_dropped_until_that_is_lifted(caller: Caller) -> None:
    send = {
        "transactional_message_id": 1,
        "to": "jomo@example.org",
        "identifiers": {"id": "u_1010"},
        "message_data": {"order_id": "4711"},
    }
    await caller.ok("POST", "/v1/send/email", send)
    caller.clock.now += 10
    dropped, *_ = await deliveries(caller, "u_1010")
    lifted = await caller.send("DELETE", "/v1/esp/suppression/bounces/jomo%40example.org")
    await caller.ok("POST", "/v1/send/email", send)
    caller.clock.now += 10
    newest, *_ = await deliveries(caller, "u_1010")

    assert (list(dropped["metrics"]), dropped["failure_message"]) == (["created", "dropped"], JOMO["reason"])
    assert lifted.status_code == 204
    assert "secondary:delivered" in newest["metrics"]


async def test_suppressions_are_listed_by_kind_and_null_where_there_are_none(caller: Caller) -> None:
    assert (await caller.ok("POST", "/v1/esp/suppression/spam_reports/Z%40example.org")) == {}
    await caller.ok("POST", "/v1/esp/suppression/spam_reports/a%40example.org")

    async def listed(path: str) -> Any:
        return (await caller.ok("GET", f"/v1/esp/suppression/{path}"))["suppressions"]

    assert [known["email"] for known in await listed("spam_reports")] == ["a@example.org", "z@example.org"]
    assert [known["email"] for known in await listed("spam_reports?limit=1&offset=1")] == ["z@example.org"]
    assert [known["email"] for known in await listed("spam_reports?email=a@example.org")] == ["a@example.org"]
    for nothing in ("spam_reports?offset=2", "blocks", "bounces?domain=example.net"):
        assert await listed(nothing) is None
    await caller.no(400, "GET", "/v1/esp/suppression/unheard_of")
    await caller.no(400, "GET", "/v1/esp/suppression/bounces?offset=x")


async def test_who_is_not_suppressed_is_found_under_no_category(caller: Caller) -> None:
    found = await caller.ok("GET", "/v1/esp/search_suppression/ada%40example.com")

    assert found == {"category": "", "suppressions": []}


async def test_an_opt_out_keeps_messages_of_its_channel_back(caller: Caller) -> None:
    change = {"optouts": [{"from": "+15550100", "optout": True}, {"from": "+2", "optout": False}]}
    assert (await caller.send("PUT", "/v1/customers/u_1001/optouts", change)).status_code == 204
    send = {"transactional_message_id": 4, "to": "+442071838750", "identifiers": {"id": "u_1001"}}
    await caller.ok("POST", "/v1/send/sms", send)
    kept_back, *_ = await deliveries(caller, "u_1001")
    found = await caller.ok("GET", "/v1/customers/u_1001/optouts")
    change["optouts"][0]["optout"] = False
    await caller.send("PUT", "/v1/customers/u_1001/optouts", change)

    assert kept_back["failure_message"] == "recipient has opted out"
    assert found == {"optouts": [{"channel": "sms", "from": "+15550100"}]}
    assert (await caller.ok("GET", "/v1/customers/u_1001/optouts"))["optouts"] == []


async def test_opt_outs_of_all_are_listed_by_person_and_page(caller: Caller) -> None:
    whatsapp = {"optouts": [{"from": "+2", "optout": True, "channel": "whatsapp"}]}
    await caller.send("PUT", "/v1/customers/ada%40example.com/optouts?id_type=email", whatsapp)

    first = await caller.ok("GET", "/v1/optouts?limit=1")
    second = await caller.ok("GET", f"/v1/optouts?limit=1&start={first['next']}")
    of_one = await caller.ok("GET", "/v1/optouts?from=%2B15550100")

    (ada,), (dana,) = first["optouts"], second["optouts"]
    assert (ada["customer_id"], ada["optouts"]) == ("u_1001", [{"channel": "whatsapp", "from": "+2"}])
    assert dana["cio_id"].startswith("cio_")
    assert of_one["optouts"] == [dana]
    assert second["next"] == ""


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"optouts": "all"},
        {"optouts": [{"optout": True}]},
        {"optouts": [{"from": "+2"}]},
        {"optouts": [{"from": "+2", "optout": True, "channel": "email"}]},
    ],
)
async def test_an_opt_out_is_checked(caller: Caller, body: Any) -> None:
    await caller.no(400, "PUT", "/v1/customers/u_1001/optouts", body)
    await caller.no(404, "PUT", "/v1/customers/nobody/optouts", {"optouts": []})


async def test_deliveries_of_a_template_name_their_people_as_the_vendors_examples_do(caller: Caller) -> None:
    found = (await caller.ok("GET", "/v1/transactional/1/messages"))["messages"]
    blank = (await caller.ok("GET", "/v1/transactional/4/messages?metric=undeliverable"))["messages"]

    assert {one["identifiers"]["id"] for one in found} == {"u_1001", "u_1004"}
    assert [one["identifiers"]["id"] for one in blank] == ["u_1004"]
    assert (await caller.ok("GET", "/v1/transactional/1/messages?state=drafted"))["messages"] is None
    await caller.no(404, "GET", "/v1/transactional/99/messages")


async def test_who_was_deleted_is_named_in_the_log(caller: Caller) -> None:
    await caller.ok("DELETE", "/api/v1/customers/u_1009")

    (deleted, *_) = await caller.activities("profile_delete")
    assert deleted["data"]["identifiers"]["id"] == "u_1009"
