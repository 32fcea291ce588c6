"""One call of a tool, from its request to its end: what each step of the guard finds, the next ones read."""

import secrets
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from cio_mcp.client import Call
from cio_mcp.safety.grant import Grant
from cio_mcp.toolkit.answers import Answer, Preview
from cio_mcp.toolkit.audience import Audience
from cio_mcp.toolkit.registry import Tool

MakePreview = Callable[[], Awaitable[Preview]]

# A call that waited so many seconds says so; the others would only spend the model's attention on it.
WORTH_TELLING = 1.0


class Suspended(Exception):
    """The call goes on when the caller comes back with a person's answer."""


class Person(Protocol):
    """Whoever sits at the client and can be asked whether a call may be made."""

    async def consent(self, preview: MakePreview) -> str:
        """Return the code of the preview that the person agreed to.

        Raises NotAllowed if nobody did, and Suspended where the answer comes with another request.
        """


@dataclass(kw_only=True)
class ToolCall(Call):
    """One call of a tool.

    Known from the start: `name` is the tool's, for the log; `grants` narrow what the caller may do; `person`
    is who can be asked at the client; `request` is the call's id in the answer, the log and the audit log.
    Found on the way: `tool` and its checked arguments `given`; whether a preview is all that is wanted; the
    confirmation `code`; the request that would leave; whom it reaches; and how the call ended.
    """

    deadline: float = float("inf")
    name: str = ""
    grants: tuple[Grant, ...] = ()
    person: Person | None = None
    request: str = field(default_factory=lambda: secrets.token_hex(8))

    tool: Tool = field(init=False)
    given: dict[str, Any] = field(default_factory=dict)
    preview_only: bool = False
    code: str | None = None
    would_send: dict[str, Any] = field(default_factory=dict)
    audience: Audience | None = None
    answer: Answer | None = None
    outcome: str = "cancelled"
    status: int | None = None

    @contextmanager
    def only_reading(self) -> Iterator[None]:
        """Let no request leave, while inside, that would change something."""
        self.dry_run = True
        try:
            yield
        finally:
            self.dry_run = False

    @property
    def worth_telling(self) -> float | None:
        """How many seconds the call waited for its turn, where that is worth telling."""
        return round(self.waited, 1) if self.waited >= WORTH_TELLING else None
