"""The workspace's counts, and its sender identities."""

import pytest

from tests.sandbox.conftest import Caller

pytestmark = pytest.mark.anyio


async def test_the_workspace_counts_what_is_in_it(caller: Caller) -> None:
    (before,) = (await caller.ok("GET", "/v1/workspaces"))["workspaces"]
    await caller.identify("new", email="new@example.com")
    (after,) = (await caller.ok("GET", "/v1/workspaces"))["workspaces"]

    assert (before["people"], after["people"]) == (12, 13)
    assert (before["objects"], before["object_types"]) == (2, 2)
    assert before["messages_sent"] > 12


async def test_senders_come_in_either_order_and_in_pages(caller: Caller) -> None:
    async def ids(query: str) -> tuple[list[int], str]:
        page = await caller.ok("GET", f"/v1/sender_identities?{query}")
        return [found["id"] for found in page["sender_identities"]], page["next"]

    newest, after = await ids("sort=desc&limit=2")
    rest, further = await ids(f"sort=desc&limit=2&start={after}")

    assert (newest, rest) == ([3, 2], [1])
    assert await ids(f"sort=desc&limit=2&start={further}") == ([], "")
    assert (await ids(""))[0] == [1, 2, 3]


async def test_hidden_senders_are_told_alone_and_only_where_they_are_asked_for(caller: Caller) -> None:
    hidden = {"id": 4, "name": "Old", "hidden": True, "campaigns": []}
    caller.sandbox.workspace.configure("sender_identity", hidden)

    for query, ids in (("", [1, 2, 3]), ("?hidden=false", [1, 2, 3]), ("?hidden=true", [4])):
        page = await caller.ok("GET", f"/v1/sender_identities{query}")
        assert [sender["id"] for sender in page["sender_identities"]] == ids


async def test_a_sender_is_told_with_what_it_sends(caller: Caller) -> None:
    sender = (await caller.ok("GET", "/v1/sender_identities/1"))["sender_identity"]
    before = await caller.ok("GET", "/v1/sender_identities/1/used_by")
    await caller.ok("POST", "/v1/newsletters/21/send")
    after = await caller.ok("GET", "/v1/sender_identities/1/used_by")

    assert sender.keys() == {
        *("id", "deduplicate_id", "name", "email", "address", "template_type", "auto_generated")
    }
    assert before == {"campaigns": [1, 2], "sent_newsletters": [20], "draft_newsletters": [21, 22]}
    assert (after["sent_newsletters"], after["draft_newsletters"]) == ([20, 21], [22])
    await caller.no(404, "GET", "/v1/sender_identities/99/used_by")


async def test_who_sends_by_phone_is_used_by_no_newsletter(caller: Caller) -> None:
    audience = {"and": [{"or": [{"segment": {"id": 1}}]}]}
    letter = {"name": "n", "type": "email", "subject": "s", "body": "b", "recipients": audience}
    await caller.ok("POST", "/v1/newsletters", letter)
    uses = await caller.ok("GET", "/v1/sender_identities/3/used_by")

    assert uses == {"campaigns": [], "sent_newsletters": [], "draft_newsletters": []}
