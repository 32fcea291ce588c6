"""A message as a tool: its own arguments in front of the send that carries it out.

A call's arguments become those of the send before anything else sees them: so every check, bound, preview and
record is the send's own.
"""

from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema, create_model

from cio_mcp.toolkit.answers.quoting import quoted
from cio_mcp.toolkit.arguments.addresses import OneAddress
from cio_mcp.toolkit.arguments.parse_context import ParseContext
from cio_mcp.toolkit.arguments.parsing import has_mark, parsed_arguments
from cio_mcp.toolkit.arguments.types import Naming
from cio_mcp.toolkit.people.audience import Audience
from cio_mcp.toolkit.registry import Tool
from cio_mcp.tools.templates.file import File
from cio_mcp.tools.templates.message import Argument, MessageDefinition
from cio_mcp.tools.templates.sends import WORDS
from cio_mcp.tools.templates.values import TYPES, filled

WAY_OUT = (
    "pass it; where no argument fills it, the message has changed since CIO_TEMPLATES was written, and an "
    "operator must add it there (cio-mcp doctor names it)"
)

FOLLOW = {
    "transactional": "list_customer_messages shows what became of it.",
    "broadcast": "Then call get_broadcast_trigger: only that tells whether it failed.",
}


@dataclass(frozen=True, eq=False, kw_only=True)
class MessageTool(Tool):
    """A tool that sends one message of a file."""

    in_core: ClassVar[bool] = True

    message: MessageDefinition
    file: File

    @property
    def name(self) -> str:
        """The name of its table."""
        return self.message.tool

    @property
    def description(self) -> str:
        """What the message is, whom it reaches, and what the file says of it."""
        written, kind = self.message.written, self.message.kind
        named = quoted(written.name) if written.name else f"({kind} message {self.message.id})"
        what = f"{WORDS[self.message.channel]} {named} to one person"
        if kind == "broadcast":
            what = f"broadcast {named} to many people at once"
        more = [
            written.description or "",
            f"Its subject: {quoted(written.subject)}." if written.subject else "",
        ]
        whom = "An unknown address becomes a new customer." if self.message.is_for_address else ""
        return "\n\n".join(filter(None, (f"Send the {what}.", *more, f"{whom} {FOLLOW[kind]}".strip())))

    @cached_property
    def arguments(self) -> type[BaseModel]:
        """The arguments that callers have."""
        parameters = self.message.send.tool.parameters
        found: dict[str, Any] = {name: self._own(name, about) for name, about in self.message.own.items()}
        found |= {name: _variable(about) for name, about in self.message.variables.items()}
        each = ("dry_run", "confirmation", *(("timezone",) if "send_at" in found else ()))
        config = ConfigDict(extra="forbid", defer_build=True)
        return create_model(
            self.name, __config__=config, **found, **{name: parameters[name] for name in each}
        )

    def _own(self, name: str, about: Argument) -> tuple[Any, Any]:
        """Return the type of an argument of the send, which judges it itself, and its default."""
        hint, default = self.message.send.tool.parameters[name]
        required = ... if about.required or default is ... else None
        if name == "to" and self.message.is_for_address:
            told = Field(description=about.description or "Address of one person.")
            return Annotated[OneAddress, told, *_chosen(about)], required
        schema = dict(self.message.send.tool.input_schema["properties"][name])
        if name == "customer_id" and "id_type" not in self.message.own:
            schema["description"] = f"The customer's {self.message.fixed.get('id_type', 'id')}."
        schema |= {"description": about.description} if about.description else {}
        marks = [Naming] if has_mark(hint, Naming) else []
        return Annotated[Any, WithJsonSchema(schema), *_chosen(about), *marks], required

    def parse(self, arguments: dict[str, Any], context: ParseContext | None = None) -> dict[str, Any]:
        """Return the arguments of the send; raises InvalidArgument with one line per fault."""
        context, message, send = context or ParseContext(), self.message, self.message.send
        given = {
            name: value
            for name, value in parsed_arguments(self.arguments, arguments, context).items()
            if value is not None
        }
        values = {place: given.pop(name) for name, place in message.places.items() if name in given}
        asked = {**send.says, **message.fixed, **given, send.message: message.id}
        if message.is_for_address:
            asked |= {"customer_id": given["to"], "id_type": "email"}
        return send.tool.parse(asked | {send.data: filled({**message.values, **values})}, context)

    async def reached(self, given: dict[str, Any]) -> Audience | None:
        """Return whom a call reaches, and what of the message's data it lacks."""
        audience = await super().reached(given)
        if audience is None or audience.content is None:
            return audience
        return replace(audience, content=replace(audience.content, argument="arguments", way_out=WAY_OUT))


def tools_in(file: File) -> list[Tool]:
    """Return the tools of a file."""
    return [_tool(message, file) for message in file.messages]


def _tool(message: MessageDefinition, file: File) -> MessageTool:
    send = message.send.tool
    known = {part.name: getattr(send, part.name) for part in fields(Tool)}
    return MessageTool(**known | {"toolset": "templates", "message": message, "file": file})


def _variable(about: Argument) -> tuple[Any, Any]:
    """Return the type of an argument that fills a variable, and its default."""
    told = Field(description=about.description)
    default = None if about.required is False else ...
    return Annotated[TYPES[str(about.type)], told, *_chosen(about)], default


def _chosen(about: Argument) -> list[Any]:
    """Return what limits an argument to its choices, if it has any."""
    if (choices := about.choices) is None:
        return []

    def check(value: Any) -> Any:
        if value not in choices:
            message = f"must be one of {', '.join(map(str, choices))}"
            raise ValueError(message)
        return value

    enum: dict[str, Any] = {"enum": choices}
    return [AfterValidator(check), Field(json_schema_extra=enum)]
