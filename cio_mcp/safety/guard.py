"""The one way to a tool."""

from typing import Any

from pydantic import BaseModel

from cio_mcp.answers import Acted, Preview
from cio_mcp.client import CustomerIO
from cio_mcp.client.api import WouldSend
from cio_mcp.registry import Tool


class Guard:
    """Runs tools on a workspace; `sandbox` says that it is the embedded one, and so do the answers."""

    def __init__(self, client: CustomerIO, *, sandbox: bool) -> None:
        self._client = client
        self._sandbox = sandbox

    async def perform(self, tool: Tool, arguments: dict[str, Any]) -> BaseModel:
        """Run `tool` with raw `arguments`; raises CustomerIOError.

        A dry run takes the very same way up to the request that would change something, and shows that
        request instead of sending it; what a tool reads on the way is read.
        """
        given = tool.parse(arguments)
        call = self._client.begin(dry_run=given.pop("dry_run", False))
        apis = {parameter: self._client.api(api, call) for parameter, api in tool.apis.items()}
        try:
            answer = await tool.function(**apis, **given)
        except WouldSend as would:
            body = {} if would.body is None else {"body": would.body}
            answer = Preview(request={"method": would.method, "url": would.url} | body)
        if isinstance(answer, Acted) and self._sandbox:
            answer.sandbox = True
        return answer
