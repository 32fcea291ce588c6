"""The host of exported files, to which links lead: no key opens it, but a link that has not expired."""

import re

from cio_mcp.sandbox.asgi import Request, Response
from cio_mcp.sandbox.http import whole
from cio_mcp.sandbox.state import exports
from cio_mcp.sandbox.state.workspace import Workspace

PATH = re.compile(r"/(\d{1,99})\.csv", re.ASCII)


def download(workspace: Workspace, export_id: int, request: Request) -> Response:
    """Answer a link. Assumed (files of exports): as a storage does, pieces of a file too."""
    export = workspace.thing("export", export_id)
    expires = whole(request.query.get("expires", ""))
    if export is None or request.query.get("signature") != exports.SIGNATURE:
        return Response(403)
    if expires is None or expires < workspace.now():
        return Response(403, "the link has expired", {"content-type": "text/plain; charset=utf-8"})
    content = export.get("content", "").encode()
    tag = f'"{export["id"]}-{export["created_at"]}"'
    headers = {"etag": tag, "accept-ranges": "bytes", "content-type": "text/csv; charset=utf-8"}
    part = re.fullmatch(r"bytes=(\d+)-", request.headers.get("range", ""))
    if part and request.headers.get("if-range", tag) == tag:
        begins = int(part[1])
        if begins >= len(content):
            return Response(416)
        headers["content-range"] = f"bytes {begins}-{len(content) - 1}/{len(content)}"
        return Response(206, content[begins:], headers)
    return Response(200, content, headers)
