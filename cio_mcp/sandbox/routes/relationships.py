"""Objects, and who is related to them. Relationships are set by identify."""

from typing import Any

from cio_mcp.sandbox.http import ApiRequest, Routes
from cio_mcp.sandbox.routes.customers import person
from cio_mcp.sandbox.state import relationships

routes = Routes()


@routes("GET", "/v1/object_types")
def object_types(asked: ApiRequest) -> dict[str, Any]:
    """Answer the kinds of objects that there are; their ids are texts here. Documented."""
    return {"types": [found | {"id": str(found["id"])} for found in asked.workspace.things("object_type")]}


@routes("GET", "/v1/customers/{customer_id}/relationships")
def of_customer(asked: ApiRequest) -> dict[str, Any]:
    """Answer which objects a person is related to. Documented."""
    found, after = asked.page(relationships.listed(asked.workspace, person(asked)))
    return {"cio_relationships": found, "next": after}
