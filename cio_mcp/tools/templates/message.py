"""A table of the file: a message, and the arguments of the tool that sends it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NoReturn, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from cio_mcp.toolkit.arguments.parse_context import ParseContext
from cio_mcp.toolkit.arguments.parsing import near_miss
from cio_mcp.toolkit.arguments.sizes import size_of
from cio_mcp.toolkit.arguments.types import ItemKey, Line, ObjectId, Text
from cio_mcp.tools.templates.names import LONGEST, can_be_argument, can_be_tool
from cio_mcp.tools.templates.sends import WORDS, Channel, Kind, Send, send_arguments, send_of
from cio_mcp.tools.templates.values import TYPES, VariablePath, variable_path

# The one key beside the tables: whether messages are sent by the other tools, too.
GENERIC_SENDS = "generic_sends"
ABOVE = "belongs above the first table"

_Model = TypeVar("_Model", bound=BaseModel)


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)


class Argument(_Table):
    """An argument: one of the send itself, or one that fills a variable of the message.

    A fixed `value` makes it no argument of the tool: callers neither see nor change it.
    """

    type: Literal["string", "number", "integer", "boolean", "list", "object"] | None = None
    description: Text | None = None
    required: bool | None = None
    choices: list[str | int | float] | None = Field(None, min_length=1)
    value: Any = None
    variable: str | None = None


class _Written(_Table):
    transactional_message: ItemKey | None = None
    broadcast: ObjectId | None = None
    channel: Channel | None = None
    name: Line | None = None
    subject: Line | None = None
    description: Text | None = None
    arguments: dict[str, Any] = {}


@dataclass(frozen=True)
class MessageDefinition:
    """A message as a tool.

    `own` are the arguments of the send that callers have, `fixed` those that they cannot change; `variables`
    are arguments that fill a variable of the message, `values` what fills others, by place.
    """

    tool: str
    kind: Kind
    id: str
    channel: Channel
    written: _Written
    own: Mapping[str, Argument]
    fixed: Mapping[str, Any]
    variables: Mapping[str, Argument]
    places: Mapping[str, VariablePath]
    values: Mapping[VariablePath, Any]

    @property
    def send(self) -> Send:
        """The send that the tool makes."""
        return send_of(self.kind, self.channel)

    @property
    def is_for_address(self) -> bool:
        """Whether the customer is told by the address alone."""
        return "customer_id" in self.send.needs and "customer_id" not in {*self.own, *self.fixed}


def definition_of(tool: str, table: Any) -> MessageDefinition:
    """Return the message of a table; raises ValueError that names the place, and the way out."""
    if not isinstance(table, dict):
        _refuse(tool, f"there is no such key; each tool is a table of its own, such as [{tool}]")
    where = f"[{tool}]"
    if not can_be_tool(tool):
        _refuse(where, f"name it verb_noun, as in send_receipt, by at most {LONGEST} of a-z, 0-9 and _")
    if GENERIC_SENDS in table:
        _refuse(GENERIC_SENDS, ABOVE)
    written = _read(_Written, table, where)
    if (written.transactional_message is None) == (written.broadcast is None):
        _refuse(where, "needs transactional_message (its id or trigger name), or broadcast (its id)")
    kind: Kind = "broadcast" if written.broadcast else "transactional"
    if written.channel and kind == "broadcast":
        _refuse(where, "channel: is of transactional messages; leave it out")
    channel = written.channel or "email"
    send, found = send_of(kind, channel), dict[str, Argument]()
    where = f"[{tool}.arguments]"
    for name, about in written.arguments.items():
        found[name] = _argument(f"{where} {name}", name, about, send, kind, channel)
    own = {name: about for name, about in found.items() if _is_own(name, about)}
    variables = {name: about for name, about in found.items() if name not in own}
    places = {name: variable_path(about.variable or name) for name, about in variables.items()}
    for name, place in places.items():
        for other, inner in places.items():
            if other != name and inner[: len(place)] == place:
                _refuse(f"{where} {other}", f"fills the same variable as {name}, or a part of it")
    message = MessageDefinition(
        tool,
        kind,
        str(written.broadcast or written.transactional_message),
        channel,
        written,
        own={name: about for name, about in own.items() if about.value is None},
        fixed={name: about.value for name, about in own.items() if about.value is not None},
        variables={name: about for name, about in variables.items() if about.value is None},
        places=places,
        values={places[name]: about.value for name, about in variables.items() if about.value is not None},
    )
    _check_needs(where, message)
    return message


def _check_needs(where: str, message: MessageDefinition) -> None:
    """Refuse a table without what each call of its send needs."""
    given = {*message.own, *message.fixed}
    if "to" in message.send.needs and "to" not in given:
        whose = "email" if message.channel == "email" else "phone"
        _refuse(where, f'to: is needed: add to = {{}}, or to = {{ value = "{{{{customer.{whose}}}}}" }}')
    by_address = message.channel == "email" and "to" in message.own and "id_type" not in given
    if message.is_for_address and not by_address:
        _refuse(where, "customer_id: is needed: add customer_id = {}, and id_type = {} where it is not an id")


def _argument(place: str, name: str, table: Any, send: Send, kind: Kind, channel: Channel) -> Argument:
    """Return an argument that is written under a name."""
    if name == GENERIC_SENDS:
        _refuse(name, ABOVE)
    if not isinstance(table, dict):
        _refuse(place, 'must be a table, such as { type = "string" } or { value = 7 }')
    if not can_be_argument(name):
        _refuse(
            place,
            "cannot be its name: use a-z, 0-9 and _, but no name that is taken, such as dry_run or json; "
            'variable = "json" fills a variable that is called so',
        )
    about = _read(Argument, table, place)
    if about.value is not None and (about.required is not None or about.choices or about.description):
        _refuse(place, "value: is fixed: leave out required, choices and description, or value")
    if not _is_own(name, about):
        return _variable(place, name, about)
    if name not in send.takes:
        what = "a broadcast" if kind == "broadcast" else f"this channel ({WORDS[channel]})"
        _refuse(place, f'{what} takes no such argument; to fill a variable, add variable = "{name}"')
    if about.type:
        _refuse(place, f'type: is known; leave it out, or add variable = "{name}" to fill a variable')
    hint, default = send.tool.parameters[name]
    if about.required is False and default is ...:
        _refuse(place, "required: each call must have it; leave required out")
    if about.choices and send.tool.input_schema["properties"][name].get("type") != "string":
        _refuse(place, "choices: are of arguments that are text; leave them out")
    for value in about.choices or ([] if about.value is None else [about.value]):
        _check(place, "choices" if about.choices else "value", hint, value)
    return about


def _variable(place: str, name: str, about: Argument) -> Argument:
    """Return an argument that fills a variable, with its type."""
    try:
        variable_path(about.variable or name)
    except ValueError as error:
        _refuse(place, f"variable: {error}")
    if about.value is not None:
        _check(place, "value", Any, about.value)
        return about
    if about.type is None and about.choices:
        texts = all(isinstance(choice, str) for choice in about.choices)
        about = about.model_copy(update={"type": "string" if texts else "number"})
    if about.type is None:
        near = near_miss(name, send_arguments())
        _refuse(place, f"type: is needed, one of {', '.join(TYPES)}" + (f"; or {near}" if near else ""))
    if about.choices:  # as callers' values are compared with them: 7 for text is "7"
        choices = [_check(place, "choices", TYPES[about.type], choice) for choice in about.choices]
        about = about.model_copy(update={"choices": choices})
    return about


def _is_own(name: str, about: Argument) -> bool:
    return about.variable is None and name in send_arguments()


def _check(place: str, key: str, hint: Any, value: Any) -> Any:
    """Return a value of the file as a type takes it."""
    try:
        size_of(value)
        return TypeAdapter(hint).validate_python(value, context=ParseContext())
    except TypeError:
        _refuse(place, f"{key}: write times as text, in quotation marks")
    except ValidationError as error:
        _refuse(place, f"{key}: {_said(error)}")
    except ValueError as error:
        _refuse(place, f"{key}: {error}")


def _read(model: type[_Model], table: dict[str, Any], where: str) -> _Model:
    try:
        return model.model_validate(table, context=ParseContext())
    except ValidationError as error:
        fault = _first(error)
        key = str(fault["loc"][0])
        if fault["type"] == "extra_forbidden":
            keys = list(model.model_fields)
            _refuse(
                where,
                f"{key}: there is no such key; {near_miss(key, keys) or 'there are ' + ', '.join(keys)}",
            )
        _refuse(where, f"{key}: {_said(error)}")


def _first(error: ValidationError) -> ErrorDetails:
    return error.errors(include_url=False, include_input=False, include_context=False)[0]


def _said(error: ValidationError) -> str:
    return _first(error)["msg"].removeprefix("Value error, ")


def _refuse(place: str, what: str) -> NoReturn:
    message = f"{place}: {what}"
    raise ValueError(message)
