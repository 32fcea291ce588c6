"""Asking the person at the client whether a call may be made, in both forms of the protocol.

Up to revision 2025-11-25 the server asks while the call is running. Since 2026-07-28 it answers with the
question, and the client repeats the call with the person's answer and the state that came with the question.
"""

from collections.abc import Callable
from typing import Any

from mcp.server.mcpserver import Context
from mcp.shared.exceptions import MCPError
from mcp.types import ElicitRequest, ElicitRequestFormParams, ElicitResult, InputRequiredResult

from cio_mcp.errors import Declined, NotAllowed
from cio_mcp.safety import MakePreview, Suspension
from cio_mcp.toolkit.answers.quoting import quoted
from cio_mcp.toolkit.answers.shapes import Preview

MULTI_ROUND = "2026-07-28"

# The question's name among a call's questions, and its form, which has no fields: accept or decline.
KEY = "confirm"
FORM: dict[str, Any] = {"type": "object", "properties": {}}

# So many fields of what a call says, or deletes, are in a question.
SHOWN = 20


class ApprovalRequest(Suspension):
    """The call continues when the client repeats it with the answer to the question in `result`."""

    def __init__(self, result: InputRequiredResult) -> None:
        super().__init__("the client must ask a person first")
        self.result = result


class ClientApprover:
    """The person at the client that made a request; `hide` removes what must not be shown from a text."""

    def __init__(self, context: Context[Any, Any], hide: Callable[[str], str]) -> None:
        self._context = context
        self._hide = hide

    async def consent(self, preview: MakePreview) -> str:
        """Return the code of the preview that the person agreed to.

        The code travels with the question, so an answer counts only for the call that was shown. Raises
        Declined for any other answer, NotAllowed if the client cannot ask, and ApprovalRequest if the
        client has to ask first.
        """
        if code := self._context.request_state:
            answer = (self._context.input_responses or {}).get(KEY)
            return _agreed(answer.action if isinstance(answer, ElicitResult) else "cancel", code)
        capabilities = self._context.client_capabilities
        can = capabilities and capabilities.elicitation
        if not can or (can.form is None and can.url is not None):
            raise _cannot_ask()
        shown = await preview()
        code, question = shown.confirmation or "", self._hide(_question(shown))
        if (self._context.protocol_version or "") >= MULTI_ROUND:
            asked = ElicitRequest(params=ElicitRequestFormParams(message=question, requested_schema=FORM))
            raise ApprovalRequest(InputRequiredResult(input_requests={KEY: asked}, request_state=code))
        try:
            answer = await self._context.session.elicit_form(
                message=question, requested_schema=FORM, related_request_id=self._context.request_id
            )
        except MCPError:
            raise _cannot_ask() from None
        return _agreed(answer.action, code)


def _agreed(action: str, code: str) -> str:
    if action == "accept":
        return code
    said = "the person who was asked declined" if action == "decline" else "nobody answered the question"
    raise Declined(f"Nothing was done: {said}.", code)


def _cannot_ask() -> NotAllowed:
    return NotAllowed(
        "Nothing was done: this requires a person's consent, and this client cannot ask for it (MCP "
        "elicitation).",
        do="Use a client that can (over HTTP with CIO_STATELESS: one of protocol revision 2026-07-28). If "
        "only CIO_CONFIRM=human requires it, an operator can set CIO_CONFIRM=preview.",
    )


def _question(preview: Preview) -> str:
    """Return a preview as a question that can be read at a glance.

    Each line begins with our own words; those of others are in quotation marks, after `=` if they name a
    field.
    """
    lines = [preview.would or "", _line("Sends", preview.template), _line("From", preview.sender)]
    lines += [_line("Shown as it is for", preview.shown_for), _line("Subject", preview.subject)]
    lines += [_line("After the subject", preview.preheader), _line("Begins", preview.opening)]
    lines += [f"It would fail: {why}" for why in preview.fails or ()]
    for words, keys in (
        ("Missing in the data", preview.missing_data),
        ("Not in the data", preview.optional_data),
        ("Too much in the data", preview.unused_data),
    ):
        lines += [f"{words}: {key}: {why}" for key, why in (keys or {}).items()]
    if reached := preview.audience:
        size = "number unknown" if reached.size is None else f"{reached.size} people"
        more = "at least " if reached.at_least else ""
        samples = f", such as {', '.join(reached.samples)}" if reached.samples else ""
        lines.append(f"Reaches: {reached.what} ({more}{size}{samples})")
        lines += [f"Note: {warning}" for warning in reached.warnings or ()]
    if checked := preview.checked:
        lines.append(f"Rows: {checked.rows}, of which {checked.refused or 0} cannot be sent")
        lines += [f"Odd: {quoted(each)}" for each in (checked.odd or ())[:SHOWN]]
    lines.append(_line("About", preview.whom))
    lines += [f"Also: {each}" for each in preview.sets_off or ()]
    lines += _fields("It is gone afterwards:", preview.loses or {})
    for name, changes in (preview.changes or {}).items():
        lines += [f"{name} changes:", *(f"  {line}" for line in changes[:SHOWN])]
    lines += _fields("It says:", {name: quoted(value) for name, value in _content(preview).items()})
    lines.append(_line("Links lead to", ", ".join(preview.links or ())))
    lines.append(_line("Could not be read", "; ".join(preview.unread or ())))
    said = preview.local_times or {}
    lines += [
        f"Time: {name} = {when}{f', {said[name]}' if name in said else ''}"
        for name, when in (preview.times or {}).items()
    ]
    lines.append(f"Request: {preview.request['method']} {preview.request['url']}")
    where = "in the sandbox" if preview.sandbox else "in the live workspace"
    where += f" {preview.workspace}" if preview.workspace else ""
    return "\n".join(filter(None, [*lines, f"Do this {where}?"]))


def _line(name: str, words: str | None) -> str:
    return f"{name}: {words}" if words else ""


def _fields(heading: str, fields: dict[str, str]) -> list[str]:
    shown = [f"  {quoted(name)} = {value}" for name, value in list(fields.items())[:SHOWN]]
    more = len(fields) - len(shown)
    return [heading, *shown, *([f"  and {more} more fields"] if more > 0 else [])] if shown else []


def _content(preview: Preview) -> dict[str, Any]:
    body = preview.request.get("body")
    return body if isinstance(body, dict) else {}
