"""Subscription topics, and who gets them. They are set by identify."""

from typing import Any

from cio_mcp.sandbox.engine import chance
from cio_mcp.sandbox.http import ApiRequest, Routes, app_error
from cio_mcp.sandbox.routes.customers import person
from cio_mcp.sandbox.state import people, subscriptions

routes = Routes()


@routes("GET", "/v1/subscription_topics")
def topics(asked: ApiRequest) -> dict[str, Any]:
    """Answer all topics. Documented."""
    return {"topics": asked.workspace.things("topic")}


@routes("GET", "/v1/customers/{customer_id}/subscription_preferences")
def preferences(asked: ApiRequest) -> dict[str, Any]:
    """Answer what a person gets. Documented."""
    who = person(asked)
    attributes = people.attributes(asked.workspace, who)
    return {
        "customer": {
            "id": people.shown_id(who),
            "identifiers": people.identifiers(who),
            "topics": subscriptions.wanted(asked.workspace, attributes),
            "unsubscribed": people.unsubscribed(attributes),
            "header": "Choose what you want to hear about.",
        }
    }


@routes("GET", "/v1/subscription_center/{customer_id}/token")
def token(asked: ApiRequest) -> dict[str, Any]:
    """Answer a link to a person's preferences; who is unknown is a 400 here (documented, 2026-09-17).

    Assumed (preference links): a person has one at a time.
    """
    name = asked.ids["customer_id"]
    who = people.find(asked.workspace, name, "id") or people.find(asked.workspace, name, "email")
    if who is None:
        raise app_error("customer not found", 400)
    number = int(who["cio_id"], 16)
    made = asked.workspace.thing("preference_token", number)
    if made is None:
        made = {"id": number, "token": chance.token(asked.workspace.seed, who["cio_id"])}
        asked.workspace.configure("preference_token", made)
    host = "track-eu" if asked.workspace.region == "eu" else "track"
    return {"token": made["token"], "url": f"https://{host}.customer.io/u/i/{made['token']}/"}
