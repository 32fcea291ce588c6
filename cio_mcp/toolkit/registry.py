"""Tools: async functions under a decorator that declares what a call does to the world.

All else about a tool derives from its function: title, hints, argument model, schemas, needed APIs. A
parameter annotated with an API, or what else is supplied, receives that; all others are its arguments.
"""

import inspect
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, cached_property
from typing import Annotated, Any, ClassVar, Generic, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, create_model

from cio_mcp.client.api import Api, AppApi
from cio_mcp.toolkit.answers.shapes import Acted, Answer, Pictured, Preview
from cio_mcp.toolkit.answers.status import Status
from cio_mcp.toolkit.arguments.parse_context import ParseContext
from cio_mcp.toolkit.arguments.parsing import has_mark, parsed_arguments
from cio_mcp.toolkit.arguments.times import Local, Timezone
from cio_mcp.toolkit.downloads import Downloads
from cio_mcp.toolkit.people.audience import Audience
from cio_mcp.toolkit.people.consequences import CONFIRMED, NOTHING, Affects, Outlook
from cio_mcp.toolkit.rows.results import Results
from cio_mcp.toolkit.sandbox_controls import SandboxControls
from cio_mcp.toolkit.schemas import either_schema, flat_schema, without
from cio_mcp.toolkit.texts.history import History

_Of = TypeVar("_Of", bound=Callable[..., Any])
_Function = TypeVar("_Function", bound=Callable[..., Awaitable[Answer]])

# What the server fills in for a tool.
Supplied = Api | Status | Results | Downloads | History | SandboxControls

_AsPage = Annotated[bool, Field(description="Save a page; local servers only.")]
_Confirmation = Annotated[str | None, Field(description="Code from the preview.")]


class Effect(StrEnum):
    """What a call of a tool does to the world."""

    READS = "reads"
    WRITES = "writes"
    DELETES = "deletes"
    SENDS = "sends"


@dataclass(frozen=True)
class Hints:
    """MCP's tool annotations. openWorldHint is true for every tool: others use the workspace too."""

    read_only: bool = False
    destructive: bool = False
    idempotent: bool = False


HINTS = {
    Effect.READS: Hints(read_only=True, idempotent=True),
    Effect.WRITES: Hints(),
    Effect.DELETES: Hints(destructive=True, idempotent=True),
    # A message cannot be called back, so hosts should ask before a send as they ask before a deletion.
    Effect.SENDS: Hints(destructive=True),
}


@dataclass(frozen=True)
class Named(Generic[_Of]):
    """Name, title and description, taken from a function's name and docstring."""

    function: _Of

    @cached_property
    def name(self) -> str:
        """The function's name."""
        return self.function.__name__

    @property
    def title(self) -> str:
        """The name as words."""
        return self.name.replace("_", " ").capitalize()

    @property
    def description(self) -> str:
        """The function's docstring, which is written for the model."""
        return inspect.getdoc(self.function) or ""


@dataclass(frozen=True, eq=False)  # its function makes it what it is
class Tool(Named[Callable[..., Awaitable[Answer]]]):
    """One operation that an agent can call.

    `parameters` are its function's arguments, as types and defaults by name, and `supplied` what the server
    fills in. `audience` finds whom a call reaches, and `affects` is what else it can set off. With `in_core`
    it is on by default, wherever it comes from.
    """

    in_core: ClassVar[bool] = False
    effect: Effect
    toolset: str
    supplied: dict[str, type[Supplied]]
    parameters: dict[str, Any]
    result: type[Answer]
    audience: Callable[..., Awaitable[Audience]] | None = None
    affects: Affects = NOTHING

    @property
    def summary(self) -> str:
        """The docstring's first sentence, for lists that people read."""
        return re.split(r"(?<=\.)\s", self.description, maxsplit=1)[0].replace("\n", " ")

    @property
    def apis(self) -> list[type[Api]]:
        """The APIs that the tool asks."""
        return [what for what in self.supplied.values() if issubclass(what, Api)]

    @property
    def hints(self) -> Hints:
        """MCP's hints, from the effect."""
        return HINTS[self.effect]

    @cached_property
    def arguments(self) -> type[BaseModel]:
        """The arguments as a model, made at the first use: a process needs few before it lists its tools."""
        config = ConfigDict(extra="forbid", defer_build=True)
        return create_model(self.name, __config__=config, **self.parameters)

    @cached_property
    def input_schema(self) -> dict[str, Any]:
        """The arguments as a flat JSON schema, with the confirmation if the tool always asks for one."""
        return self.confirming_schema if self.confirmed else without("confirmation", self.confirming_schema)

    @cached_property
    def confirming_schema(self) -> dict[str, Any]:
        """The arguments as a flat JSON schema, with the confirmation that an operator can ask for."""
        return flat_schema(self.arguments.model_json_schema())

    @property
    def confirmed(self) -> bool:
        """Whether calls are confirmed, unless an operator has switched that off."""
        return self.effect in {Effect.DELETES, Effect.SENDS} or bool(
            CONFIRMED & set(self.affects.consequences)
        )

    @cached_property
    def output_schema(self) -> dict[str, Any]:
        """The result as a flat JSON schema; tools that act can answer with a preview instead."""
        schema = flat_schema(self.result.model_json_schema())
        return schema if self.effect is Effect.READS else either_schema(schema, _preview_schema())

    async def reached(self, given: dict[str, Any]) -> Audience | None:
        """Return whom a call reaches, None for nobody; `given` are its arguments and supplied values."""
        if self.audience is None:
            return None
        return await self.audience(**{name: given[name] for name in self._asked})

    async def outlook(self, app: AppApi, given: dict[str, Any]) -> Outlook:
        """Return what `app` tells of a call's consequences; `given` are its arguments."""
        if self.affects.shows is None:
            return Outlook()
        known = given | {"app": app}
        return await self.affects.shows(
            **{name: known[name] for name in inspect.signature(self.affects.shows).parameters}
        )

    @cached_property
    def _asked(self) -> tuple[str, ...]:
        return tuple(inspect.signature(self.audience).parameters) if self.audience else ()

    def parse(self, arguments: dict[str, Any], context: ParseContext | None = None) -> dict[str, Any]:
        """Return checked and converted arguments; raises InvalidArgument with one line per fault."""
        return parsed_arguments(self.arguments, arguments, context or ParseContext())


class Toolbox:
    """The tools of one module or of a toolset's folder, in order of definition.

    `module` is the module's `__name__`; the part after `cio_mcp.tools` is the toolset's name. `parts` are the
    toolboxes of a folder's modules.
    """

    def __init__(self, module: str, *parts: "Toolbox") -> None:
        self.toolset = module.removeprefix("cio_mcp.tools.").partition(".")[0]
        self._tools = [tool for part in parts for tool in part]

    def __iter__(self) -> Iterator[Tool]:
        return iter(self._tools)

    def __getitem__(self, name: str) -> Tool:
        return next(tool for tool in self._tools if tool.name == name)

    def reads(self, function: _Function) -> _Function:
        """Register a tool that changes nothing."""
        return self._register(function, Effect.READS)

    def writes(self, function: _Function) -> _Function:
        """Register a tool that creates or changes data."""
        return self._register(function, Effect.WRITES)

    def deletes(self, function: _Function) -> _Function:
        """Register a tool that destroys data."""
        return self._register(function, Effect.DELETES)

    def sends(self, function: _Function) -> _Function:
        """Register a tool that can send messages to people."""
        return self._register(function, Effect.SENDS)

    def _register(self, function: _Function, effect: Effect) -> _Function:
        hints = get_type_hints(function, include_extras=True)
        result = hints.pop("return")
        supplied: dict[str, type[Supplied]] = {}
        arguments: dict[str, Any] = {}
        for name, parameter in inspect.signature(function).parameters.items():
            if isinstance(hints[name], type) and issubclass(hints[name], Supplied):
                supplied[name] = hints[name]
            else:
                required = parameter.default is parameter.empty
                arguments[name] = (hints[name], ... if required else parameter.default)
        wanted = Answer if effect is Effect.READS else Acted
        if not issubclass(result, wanted):
            message = f"{function.__name__} {effect}, so its result must be an {wanted.__name__}"
            raise TypeError(message)
        audience = getattr(function, "__audience__", None)
        if effect is Effect.SENDS and audience is None:
            message = f"{function.__name__} sends, so it must declare with @reaches whom it reaches"
            raise TypeError(message)
        asked = inspect.signature(audience).parameters if audience else {}
        if unknown := [name for name in asked if name not in supplied and name not in arguments]:
            message = f"@reaches of {function.__name__} takes what the tool lacks: {', '.join(unknown)}"
            raise TypeError(message)
        if any(has_mark(hint, Local) for hint in hints.values()):
            arguments.setdefault("timezone", (Timezone | None, None))
        if effect is not Effect.READS:
            arguments |= {"dry_run": (bool, False), "confirmation": (_Confirmation, None)}
        if issubclass(result, Pictured):
            arguments |= {"as_image": (bool, False), "as_page": (_AsPage, False)}
        affects = getattr(function, "__affects__", NOTHING)
        tool = Tool(function, effect, self.toolset, supplied, arguments, result, audience, affects)
        self._tools.append(tool)
        return function


@cache
def _preview_schema() -> dict[str, Any]:
    return flat_schema(Preview.model_json_schema())
