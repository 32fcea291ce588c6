"""The workspace itself, and from whom its messages are."""

from typing import Any

from cio_mcp.sandbox.http import ApiRequest, Routes

routes = Routes()


def _sender(asked: ApiRequest) -> dict[str, Any]:
    return asked.thing("sender_identity", "sender_id")


def _public(asked: ApiRequest, sender: dict[str, Any]) -> dict[str, Any]:
    told = {name: value for name, value in sender.items() if name != "campaigns"}
    return told | {"deduplicate_id": f"{sender['id']}:{asked.workspace.now()}"}


@routes("GET", "/v1/workspaces")
def workspaces(asked: ApiRequest) -> dict[str, Any]:
    """Answer the account's workspaces: there is one. Documented."""
    tables = ("people", "deliveries", "objects")
    counts = {table: len(asked.workspace.rows(f"SELECT 1 FROM {table}")) for table in tables}  # noqa: S608
    return {
        "workspaces": [
            {
                "id": 1,
                "name": "Quill",
                "people": counts["people"],
                "messages_sent": counts["deliveries"],
                "billable_messages_sent": counts["deliveries"],
                "objects": counts["objects"],
                "object_types": len(asked.workspace.things("object_type")),
            }
        ]
    }


@routes("GET", "/v1/sender_identities")
def senders(asked: ApiRequest) -> dict[str, Any]:
    """Answer sender identities, oldest first, or newest first with `sort=desc` (documented).

    Live: hidden ones are told where they are asked for, and then no others are; the page of the last one
    has a `next` too. Assumed (no senders): the page after it is empty and not null.
    """
    newest_first, hidden = asked.query.get("sort") == "desc", asked.query.get("hidden") == "true"
    all_found = asked.workspace.things("sender_identity")[:: -1 if newest_first else 1]
    found = [one for one in all_found if one.get("hidden", False) is hidden]
    # Keys of pages descend, whatever the order.
    keyed = [((one["id"] if newest_first else -one["id"], 0), _public(asked, one)) for one in found]
    kept, after = asked.page(keyed, ends_empty=True)
    return {"sender_identities": kept, "next": after}


@routes("GET", "/v1/sender_identities/{sender_id}")
def sender(asked: ApiRequest) -> dict[str, Any]:
    """Answer one sender identity. Documented."""
    return {"sender_identity": _public(asked, _sender(asked))}


@routes("GET", "/v1/sender_identities/{sender_id}/used_by")
def used_by(asked: ApiRequest) -> dict[str, Any]:
    """Answer what is sent by a sender identity; newsletters are found by their address. Documented."""
    found = _sender(asked)
    letters = [
        one for one in asked.workspace.things("newsletter") if one.get("from", "") == found.get("address")
    ]
    return {
        "campaigns": found["campaigns"],
        "sent_newsletters": [letter["id"] for letter in letters if letter["sent_at"]],
        "draft_newsletters": [letter["id"] for letter in letters if not letter["sent_at"]],
    }
