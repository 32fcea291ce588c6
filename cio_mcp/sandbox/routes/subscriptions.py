"""Subscription topics, and who gets them. They are set by identify."""

from typing import Any

from cio_mcp.sandbox.http import Asked, Routes
from cio_mcp.sandbox.routes.customers import person
from cio_mcp.sandbox.state import people, subscriptions

routes = Routes()


@routes("GET", "/v1/subscription_topics")
def topics(asked: Asked) -> dict[str, Any]:
    """Answer all topics."""
    return {"topics": asked.workspace.things("topic")}


@routes("GET", "/v1/customers/{customer_id}/subscription_preferences")
def preferences(asked: Asked) -> dict[str, Any]:
    """Answer what a person gets."""
    who = person(asked)
    attributes = people.attributes(asked.workspace, who)
    return {
        "customer": {
            "id": who["id"] or "",
            "identifiers": people.identifiers(who),
            "topics": subscriptions.wanted(asked.workspace, attributes),
            "unsubscribed": people.unsubscribed(attributes),
            "header": "Choose what you want to hear about.",
        }
    }
