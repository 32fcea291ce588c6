"""Opt-outs of SMS and WhatsApp: of one customer, or of all."""

from typing import Any

from cio_mcp.sandbox.http import ApiRequest, Routes, app_error
from cio_mcp.sandbox.routes.customers import person
from cio_mcp.sandbox.state import opt_outs, people

routes = Routes()


@routes("GET", "/v1/optouts")
def every(asked: ApiRequest) -> dict[str, Any]:
    """Answer who has opted out, from one sender or from any (documented)."""
    sender = asked.query.get("from")
    found = []
    for cio_id in opt_outs.opted_out(asked.workspace):
        who = people.find(asked.workspace, cio_id, "cio_id")
        if who and (of := opt_outs.of(asked.workspace, cio_id, sender)):
            found.append({"customer_id": who["id"] or "", "cio_id": f"cio_{cio_id}", "optouts": of})
    keyed = [((-number, 0), item) for number, item in enumerate(found)]
    kept, after = asked.page(keyed, 100)
    return {"optouts": kept, "next": after}


@routes("GET", "/v1/customers/{customer_id}/optouts")
def of_customer(asked: ApiRequest) -> dict[str, Any]:
    """Answer what a person has opted out of (documented)."""
    return {"optouts": opt_outs.of(asked.workspace, person(asked)["cio_id"])}


@routes("PUT", "/v1/customers/{customer_id}/optouts")
def change(asked: ApiRequest) -> None:
    """Accept opt-outs and their ends (documented)."""
    cio_id, changes = person(asked)["cio_id"], asked.json().get("optouts")
    if not isinstance(changes, list) or not all(isinstance(one, dict) for one in changes):
        raise app_error("optouts must be a list", 400)
    for one in changes:
        if one.get("channel", "sms") not in opt_outs.CHANNELS.values():
            raise app_error(f"unknown channel {one.get('channel')}", 400)
        if not one.get("from") or not isinstance(one.get("optout"), bool):
            raise app_error("from and optout are required", 400)
        write = {"cio_id": cio_id, "channel": one.get("channel", "sms"), "from": one["from"]}
        asked.workspace.accept(opt_outs.THING, write | {"optout": one["optout"]})
