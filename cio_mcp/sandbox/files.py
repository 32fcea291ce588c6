"""The host of exported files, to which links lead: no key opens it, but a link that has not expired."""

import re

from starlette.requests import Request
from starlette.responses import Response

from cio_mcp.sandbox.state import exports
from cio_mcp.sandbox.state.workspace import Workspace

PATH = "/{export_id:int}.csv"


async def download(request: Request) -> Response:
    """Answer a link. Assumed (files of exports): as a storage does, pieces of a file too."""
    workspace: Workspace = request.scope["sandbox"].workspace
    export = workspace.thing("export", request.path_params["export_id"])
    expires = request.query_params.get("expires", "")
    if export is None or request.query_params.get("signature") != exports.SIGNATURE:
        return Response(status_code=403)
    if not expires.isdecimal() or int(expires) < workspace.now():
        return Response("the link has expired", status_code=403)
    content = export.get("content", "").encode()
    tag = f'"{export["id"]}-{export["created_at"]}"'
    headers = {"etag": tag, "accept-ranges": "bytes"}
    part = re.fullmatch(r"bytes=(\d+)-", request.headers.get("range", ""))
    if part and request.headers.get("if-range", tag) == tag:
        begins = int(part[1])
        if begins >= len(content):
            return Response(status_code=416)
        headers["content-range"] = f"bytes {begins}-{len(content) - 1}/{len(content)}"
        return Response(content[begins:], 206, headers, "text/csv")
    return Response(content, 200, headers, "text/csv")
