"""Activities: what people did, and the only view of what Track accepted and then dropped."""

from typing import Any

from cio_mcp.sandbox.http import ApiRequest, Routes
from cio_mcp.sandbox.routes.customers import person
from cio_mcp.sandbox.state import events

routes = Routes()


@routes("GET", "/v1/activities")
def every(asked: ApiRequest) -> dict[str, Any]:
    """Answer the workspace's activities, newest first, of one customer where asked. Documented."""
    if "customer_id" in asked.query:
        # By cio_id it wants the prefix here, which paths do not have (App API, listActivities).
        asked.ids["customer_id"] = asked.query["customer_id"].removeprefix("cio_")
        return _answer(asked, person(asked)["cio_id"], 10, 100)
    return _answer(asked, None, 10, 100)


@routes("GET", "/v1/customers/{customer_id}/activities")
def of_customer(asked: ApiRequest) -> dict[str, Any]:
    """Answer what a person did and what became of writes about them. Documented."""
    return _answer(asked, person(asked)["cio_id"], 50, 1000)


def _answer(asked: ApiRequest, cio_id: str | None, default: int, most: int) -> dict[str, Any]:
    query = asked.query
    found = events.activities(asked.workspace, cio_id, query.get("type"), query.get("name"))
    kept, after = asked.page(found, default, most)
    return {"activities": kept, "next": after}
