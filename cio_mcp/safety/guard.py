"""The one way to a tool."""

from typing import Any

from cio_mcp.answers import Acted, Answer, Preview
from cio_mcp.client import CustomerIO
from cio_mcp.client.api import WouldSend
from cio_mcp.registry import Tool

# A call that waited so many seconds says so; the others would only spend the model's attention on it.
WORTH_TELLING = 1.0


class Guard:
    """Runs tools on a workspace; `sandbox` says that it is the embedded one, and so do the answers."""

    def __init__(self, client: CustomerIO, *, sandbox: bool) -> None:
        self._client = client
        self._sandbox = sandbox

    async def perform(self, tool: Tool, arguments: dict[str, Any]) -> Answer:
        """Run `tool` with raw `arguments`; raises CustomerIOError.

        A dry run takes the very same way up to the request that would change something, and shows that
        request instead of sending it; what a tool reads on the way is read.
        """
        given = tool.parse(arguments)
        call = self._client.begin(dry_run=given.pop("dry_run", False))
        apis = {parameter: self._client.api(api, call) for parameter, api in tool.apis.items()}
        try:
            answer: Answer = await tool.function(**apis, **given)
        except WouldSend as would:
            body = {} if would.body is None else {"body": would.body}
            answer = Preview(request={"method": would.method, "url": would.url} | body)
        if isinstance(answer, Acted) and self._sandbox:
            answer.sandbox = True
        if call.waited >= WORTH_TELLING:
            answer.waited_seconds = round(call.waited, 1)
        return answer
