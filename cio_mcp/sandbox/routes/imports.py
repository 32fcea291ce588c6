"""Imports: started and followed."""

from typing import Any

from cio_mcp.sandbox.http import ApiRequest, Routes, app_error
from cio_mcp.sandbox.state import imports

routes = Routes()


@routes("POST", "/v1/imports")
def start(asked: ApiRequest) -> dict[str, Any]:
    """Start an import (documented). Only the form of the request is checked here; the rest comes later."""
    found = asked.json()["import"]
    if found["type"] == "event" and found.get("data_to_process") == "only_new":
        raise app_error("data_to_process must be all or only_existing", 400)
    return {"import": imports.public(asked.workspace, imports.start(asked.workspace, found))}


@routes("GET", "/v1/imports/{import_id}")
def one(asked: ApiRequest) -> dict[str, Any]:
    """Answer one import. Documented."""
    return {"import": imports.public(asked.workspace, asked.thing("import", "import_id"))}
