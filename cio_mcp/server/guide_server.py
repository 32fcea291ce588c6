"""The prompts, resources and resource templates of the MCP server."""

import json
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl, unquote

from mcp import MCPError
from mcp.server import MCPServer
from mcp.server.apps import APP_MIME_TYPE
from mcp.server.lowlevel.helper_types import ReadResourceContents
from mcp.server.mcpserver import Context
from mcp.types import (
    INVALID_PARAMS,
    CallToolResult,
    GetPromptResult,
    InputRequiredResult,
    PromptArgument,
    PromptMessage,
    TextContent,
)
from mcp.types import Prompt as ListedPrompt
from mcp.types import Resource as ListedResource
from mcp.types import ResourceTemplate as ListedTemplate

from cio_mcp.app.application import App
from cio_mcp.app.catalogue import WORKSPACE
from cio_mcp.auth.principal import current
from cio_mcp.pictures.page import page
from cio_mcp.server.guides import PROMPTS, RESOURCES, TEMPLATES, Prompt, WorkspaceResource
from cio_mcp.toolkit.arguments.parsing import near_miss

# A tool's name in a prompt or a resource.
NAMED = re.compile(r"`([a-z]+(?:_[a-z]+)+)`")

# Where hosts find the page of the tools whose answers are `Pictured`.
RESULTS = "ui://cio-mcp/results.html"


class GuideServer(MCPServer):
    """Serves prompts and resources, adapted to the tools that are on for the caller."""

    app: App

    async def list_prompts(self) -> list[ListedPrompt]:
        """Return all prompts."""
        return [
            ListedPrompt(
                name=prompt.name,
                title=prompt.title,
                description=prompt.description,
                arguments=[
                    PromptArgument(name=name, description=what, required=required)
                    for name, (what, required) in prompt.arguments.items()
                ],
            )
            for prompt in PROMPTS
        ]

    async def get_prompt(
        self, name: str, arguments: dict[str, Any] | None = None, _: Context[Any, Any] | None = None
    ) -> GetPromptResult | InputRequiredResult:
        """Return a prompt's text; raises MCPError for an unknown prompt or a wrong argument."""
        prompt = next((prompt for prompt in PROMPTS if prompt.name == name), None)
        if prompt is None:
            names = [prompt.name for prompt in PROMPTS]
            hint = near_miss(name, names) or f"the prompts are {', '.join(names)}"
            raise MCPError(INVALID_PARAMS, f"{name}: there is no such prompt; {hint}")
        text = self._with_tools(prompt.function(**_checked(prompt, arguments or {})))
        message = PromptMessage(role="user", content=TextContent(type="text", text=text))
        return GetPromptResult(description=prompt.description, messages=[message])

    async def list_resources(self) -> list[ListedResource]:
        """Return all resources."""
        return [
            ListedResource(
                uri=found.uri,
                name=found.uri.rpartition("/")[2],
                title=found.title,
                description=found.description,
                mime_type="text/markdown",
            )
            for found in RESOURCES
        ]

    async def list_resource_templates(self) -> list[ListedTemplate]:
        """Return the templates whose tool is on for the caller."""
        schemas = {tool.name: schema for _, tool, schema in self.app.catalogue.listed(current.get())}
        return [
            ListedTemplate(
                uri_template=_asking(found.uri, schemas[found.tool]),
                name=found.title.lower(),
                title=found.title,
                description=found.description,
                mime_type="application/json",
            )
            for found in TEMPLATES
            if found.tool in schemas
        ]

    async def read_resource(
        self, uri: object, context: Context[Any, Any] | None = None
    ) -> Iterable[ReadResourceContents] | InputRequiredResult:
        """Return a resource, or the answer of a template's tool; raises MCPError."""
        asked = str(uri)
        for found in RESOURCES:
            if found.uri == asked:
                tools = [tool for _, tool, _ in self.app.catalogue.listed(current.get())]
                text = self.app.catalogue.worded(found.text(tools))
                return [ReadResourceContents(text, "text/markdown")]
        if asked == RESULTS:
            return [ReadResourceContents(page(), APP_MIME_TYPE, {"ui": {"prefersBorder": True}})]
        for template in TEMPLATES:
            if (arguments := _matched(template, asked)) is not None:
                return await self._by_tool(template, asked, arguments, context)
        raise MCPError(
            INVALID_PARAMS, "There is no such resource; resources/list lists all of them.", {"uri": asked}
        )

    async def _by_tool(
        self,
        template: WorkspaceResource,
        uri: str,
        arguments: dict[str, str],
        context: Context[Any, Any] | None,
    ) -> Iterable[ReadResourceContents] | InputRequiredResult:
        result = await self.call_tool(self.app.catalogue.name_of(template.tool), arguments, context)
        if not isinstance(result, CallToolResult):
            return result
        if result.is_error:
            said = " ".join(part.text for part in result.content if isinstance(part, TextContent))
            raise MCPError(INVALID_PARAMS, said, {"uri": uri})
        return [
            ReadResourceContents(
                json.dumps(result.structured_content, ensure_ascii=False), "application/json"
            )
        ]

    def _with_tools(self, text: str) -> str:
        """Return a prompt's text with the tools' names on this server, and a note on those that are off."""
        catalogue = self.app.catalogue
        on = {tool.name for _, tool, _ in catalogue.listed(current.get())}
        named = dict.fromkeys(NAMED.findall(text))
        off = [name for name in named if catalogue.knows(name) and name not in on]
        if off:
            text += (
                f"\nThese tools are off on this server: {', '.join(off)}. Work without them, and say what "
                "you could not check.\n"
            )
        return catalogue.worded(text)


def _checked(prompt: Prompt, given: dict[str, Any]) -> dict[str, Any]:
    known = prompt.arguments
    faults = [
        f"{name}: is required" for name, (_, required) in known.items() if required and not given.get(name)
    ]
    faults += [
        f"{name}: unknown argument; {near_miss(name, known) or 'the arguments are ' + ', '.join(known)}"
        for name in given
        if name not in known
    ]
    if faults:
        raise MCPError(INVALID_PARAMS, "\n".join(faults))
    return {name: value for name, value in given.items() if value}


def _asking(uri: str, schema: dict[str, Any]) -> str:
    """Return a template's URI, with a query for the workspace if the caller has to name one."""
    if WORKSPACE not in schema["properties"]:
        return uri
    return f"{uri[:-1]},{WORKSPACE}}}" if uri.endswith("}") and "{?" in uri else f"{uri}{{?{WORKSPACE}}}"


def _matched(template: WorkspaceResource, uri: str) -> dict[str, str] | None:
    """Return the arguments in a URI, None if it does not match this template."""
    start = template.uri.partition("{")[0]
    rest, _, query = uri.removeprefix(start).partition("?")
    if not uri.startswith(start) or not rest or "/" in rest:
        return None
    return {**dict(parse_qsl(query)), template.argument: unquote(rest)}
