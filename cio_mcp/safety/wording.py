"""The words that a call sends: its data must fill what everybody sees, and a code is for those it showed."""

from cio_mcp.client import AppApi, CustomerIO
from cio_mcp.errors import InvalidArgument
from cio_mcp.safety.tool_call import ToolCall
from cio_mcp.toolkit.texts.words import words_of


def must_fill(call: ToolCall) -> bool:
    """Say whether a call must have the data that the subject and the links of its message need."""
    content = call.audience.content if call.audience else None
    return bool(content and content.argument and not call.given.get("allow_missing"))


def refusal_of(call: ToolCall) -> str:
    """Return why a call is refused that lacks such data, as far as its words are known, or nothing."""
    content = call.audience.content if call.audience else None
    if not (call.words and content and must_fill(call)):
        return ""
    refusal = call.words.fit(content).refusal(content.way_out)
    return f"{content.argument}: {refusal}" if refusal else ""


def check_words(call: ToolCall) -> None:
    """Raise InvalidArgument where a call is refused for its words."""
    if refusal := refusal_of(call):
        raise InvalidArgument(refusal)


async def read_words(call: ToolCall, client: CustomerIO, *, fresh: bool) -> None:
    """Read the texts that a call sends, if it sends any and they can be read; `fresh` ones again."""
    content = call.audience.content if call.audience else None
    if content and (content.message is None or client.opens(AppApi)):
        call.words = await words_of(client.api(AppApi, call), content, fresh=fresh)
