"""One call of a tool: its state, which the steps of the guard read and add to."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from cio_mcp.client import Call
from cio_mcp.client.call import Outgoing, WouldSend
from cio_mcp.errors import InvalidArgument
from cio_mcp.safety.grant import Grant
from cio_mcp.safety.stores import Refund
from cio_mcp.toolkit.answers.shapes import Answer, CheckedRows, Pictured, Preview
from cio_mcp.toolkit.arguments.parse_context import ParseContext
from cio_mcp.toolkit.arguments.times import utc
from cio_mcp.toolkit.people.audience import Audience, Size
from cio_mcp.toolkit.registry import Tool
from cio_mcp.toolkit.texts.words import Words

if TYPE_CHECKING:
    from cio_mcp.safety.privacy.mask import Mask

MakePreview = Callable[[], Awaitable[Preview]]

# Seconds from which on a call's answer mentions its wait; shorter waits would only distract the model.
WORTH_TELLING = 1.0


class Suspension(Exception):
    """The call continues when the caller repeats it with a person's answer."""


class Approver(Protocol):
    """The person at the client, who can be asked whether a call may be made."""

    async def consent(self, preview: MakePreview) -> str:
        """Return the code of the preview that the person agreed to.

        Raises Declined without consent, NotAllowed if nobody can be asked, and Suspension if the
        answer will come with another request.
        """


@dataclass(kw_only=True)
class ToolCall(Call):
    """One call of a tool.

    Known from the start: `name` is the tool's, for the log; `grants` narrow what the caller may do; `person`
    can be asked for consent; `request` is the call's id in the answer, the log and the audit log.
    `identity` is the name that the caller's token gives, whom a code belongs to; `check_caller` raises
    NotAllowed once the caller's token is no longer valid or allows something else. `pages` is the folder of
    pages that the caller can open, if there is one.
    Found by the guard: `tool`, what it is `supplied` with, and its checked arguments `given`, with `notes` on
    them and the instants that `times` stand for, and the `headers` of mail relays that they may have; whether
    the answer is also wanted `as_image` or `as_page`, or only a preview is; the confirmation `code`, and
    whether it `confirmed` the call; the request that the call would send, which `outgoing` has in full, what
    it `would` do, in words, and whether it is in `vain`, since no row of it can be sent; what tells what was
    `checked` of its rows, if it has many, with the body to show; the `words` of the message that it sends,
    and if they were `edited` since its preview, what told them apart then; its audience, when that was
    `looked_up`, and the one whose people were; the size that was `approved`, how many are `counted`, and what
    undoes that, `refunds`; what ends once its intent is `recorded` for good; and its outcome.
    """

    deadline: float = float("inf")
    name: str = ""
    grants: tuple[Grant, ...] = ()
    person: Approver | None = None
    identity: str = ""
    check_caller: Callable[[], None] = lambda: None
    request: str = field(default_factory=partial(secrets.token_hex, 8))
    pages: Path | None = None

    tool: Tool = field(init=False)
    supplied: dict[str, Any] = field(default_factory=dict)
    given: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    times: dict[str, str] = field(default_factory=dict)
    as_image: bool = False
    as_page: bool = False
    preview_only: bool = False
    headers: Collection[str] = ()
    code: str | None = None
    confirmed: bool = False
    would_send: dict[str, Any] = field(default_factory=dict)
    outgoing: Outgoing | None = None
    would: str = ""
    checked: Callable[[], tuple[CheckedRows, dict[str, Any]]] | None = None
    vain: bool = False
    audience: Audience | None = None
    looked_up: float = float("-inf")
    known_audience: Audience | None = None
    approved: Size | None = None
    counted: int = 0
    refunds: list[Refund] = field(default_factory=list)
    words: Words | None = None
    edited: Mapping[str, str] | None = None
    recorded: asyncio.Future[None] | None = None
    answer: Answer | None = None
    outcome: str = "cancelled"
    status: int | None = None

    def read(
        self,
        arguments: dict[str, Any],
        timezone: str,
        files: Path | None = None,
        mask: "Mask | None" = None,
        headers: Collection[str] = (),
    ) -> None:
        """Check and convert the raw arguments; `timezone` is that of times that name none, if one is set.

        Raises InvalidArgument. `files` holds files that may be read. `mask` replaces pseudonyms, and lets no
        guess of what it hides be compared. `headers` are those of mail relays that emails may have.
        """
        context = ParseContext(timezone, self.called_at, folder=files, headers=headers)
        self.headers = headers
        if mask:
            context.reveal, context.check, context.check_guess = mask.reveal, mask.check, mask.check_guess
        self.given = self.tool.parse(arguments, context)
        self.given.pop("timezone", None)
        self.timezone, self.notes = context.timezone, context.notes
        self.times = {name: utc(at) for name, at in context.times.items()}
        self.preview_only = self.given.pop("dry_run", False)
        self.code = self.given.pop("confirmation", None)
        if issubclass(self.tool.result, Pictured):
            self.as_image, self.as_page = self.given.pop("as_image"), self.given.pop("as_page")
        if self.as_page and self.pages is None:
            raise InvalidArgument(
                "as_page: only a server on your own machine, over stdio, writes files for you; "
                "as_image=true answers with an image"
            )

    def release(self) -> None:
        """Let go of what the call was about: what runs in its name, and holds it, may go on for a while."""
        self.supplied, self.given, self.would_send = {}, {}, {}
        self.audience = self.known_audience = self.outgoing = self.checked = None

    @contextmanager
    def only_reading(self) -> Iterator[None]:
        """Inside this context, send no request that would change something."""
        self.dry_run = True
        try:
            yield
        finally:
            self.dry_run = False

    def rehearsed(self, would: WouldSend) -> None:
        """Take what the call would send; raises what it would raise instead, unless it is only previewed."""
        self.vain = would.instead is not None
        if would.instead and not self.preview_only:
            raise would.instead
        self.outgoing, self.checked, self.would = would.whole, would.checked, would.would
        body = {} if would.request.body is None else {"body": would.request.body}
        self.would_send = {"method": would.request.method, "url": would.request.url} | body

    @property
    def bound(self) -> dict[str, Any]:
        """What a confirmation is bound to: the arguments, the time zone they were read in, the caller.

        And the texts that the call replaces, and those it puts there, as they were shown.
        """
        texts = self.replaces.texts if self.replaces else {}
        shown = {"the texts that were shown": texts} if texts else {}
        return self.given | {"timezone": self.timezone, "the caller": self.identity} | shown

    @property
    def stamps(self) -> dict[str, str]:
        """What tells the words that the call sends from others; empty where they are not known."""
        return self.words.stamps if self.words else {}

    @property
    def worth_telling(self) -> float | None:
        """Seconds that the call waited for its turn, None if that is not worth mentioning."""
        return round(self.waited, 1) if self.waited >= WORTH_TELLING else None
