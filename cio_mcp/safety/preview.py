"""The preview of a call: what it would do."""

import json
from collections.abc import Callable
from typing import Any

from cio_mcp.toolkit.answers import CheckedRows, Preview, Reached
from cio_mcp.toolkit.audience import Audience, masked
from cio_mcp.toolkit.registry import Effect, Tool

# The largest request, in bytes, that is shown in full. In a larger one, lists are cut to so many items and
# texts to so many characters, with a note.
WHOLE, ITEMS, LETTERS = 4000, 10, 300


async def preview_of(
    tool: Tool,
    request: dict[str, Any],
    audience: Audience | None,
    code: str | None,
    checked: CheckedRows | None = None,
    show: Callable[[str], str] = masked,
) -> Preview:
    """Return the preview of a call that would send `request`; `code` confirms it, `show` masks samples.

    `checked` is what was found about its rows, if it has many.
    """
    reached = template = None
    if audience and (audience.size != 0 or tool.effect is Effect.SENDS):
        reached = Reached(
            what=audience.what,
            size=audience.size,
            at_least=audience.at_least or None,
            samples=[show(name) for name in audience.some],
        )
    if audience and audience.template:
        template = await audience.template()
    shown = request if len(json.dumps(request)) <= WHOLE else _cut(request)
    return Preview(
        would=tool.summary,
        template=template,
        audience=reached,
        checked=checked,
        request=shown,
        confirmation=code,
    )


def _cut(value: Any) -> Any:
    """Return `value` with long lists and texts cut."""
    match value:
        case dict():
            return {name: _cut(inner) for name, inner in value.items()}
        case list() if len(value) > ITEMS:
            return [*map(_cut, value[:ITEMS]), f"… and {len(value) - ITEMS} more"]
        case list():
            return [*map(_cut, value)]
        case str() if len(value) > LETTERS:
            return f"{value[:LETTERS]}… and {len(value) - LETTERS} more characters"
    return value
