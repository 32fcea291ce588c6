"""What things of several kinds have in common: a name, a state, the customer they are of, what uses them."""

from collections.abc import Awaitable
from typing import Any

from cio_mcp.client import AppApi
from cio_mcp.toolkit.answers.pages import joined
from cio_mcp.toolkit.answers.reading import Fields, beside, text, unusable, wholes

# Of what can use a segment or a sender, the kinds that are documented.
USES = {"campaigns", "sent_newsletters", "draft_newsletters"}
Uses = tuple[dict[str, list[int]], str | None]


def has_in_name(item: Fields, part: str | None) -> bool:
    """Say whether an item's name contains `part`, in any case; None is in every name."""
    return part is None or part.casefold() in (item.text("name") or "").casefold()


async def read_uses(app: AppApi, path: str, **ids: object) -> tuple[dict[str, list[int]] | None, str | None]:
    """Return the ids, by kind, of what uses a segment or a sender, and a note on what could not be read."""
    found, refused = await beside("used_by", _uses(app.get(path, None, **ids)))
    return found or (None, refused)


async def _uses(reading: Awaitable[Any]) -> Uses:
    answer = Fields(await reading)
    found = answer.wrapped("used_by")
    if found is answer and not USES & answer.raw.keys():
        raise unusable("it has no used_by")
    lists = {kind: ids for kind, value in found.raw.items() if (ids := wholes(value)) is not None}
    unread = [
        f"used_by.{kind}: its ids could not be read"
        for kind, ids in lists.items()
        if found.raw[kind] and not ids
    ]
    return {kind: ids for kind, ids in lists.items() if ids}, joined(*unread)


def customer_identifiers(item: Fields) -> dict[str, str] | None:
    """Return the identifiers of the customer whom a message or an activity belongs to."""
    # Lists of transactional messages call them `identifiers` (App API, transactionalMessages).
    for known in (item.fields("customer_identifiers"), item.fields("identifiers")):
        if found := {name: word for name, value in known.raw.items() if (word := text(value))}:
            return found
    return {"id": only} if (only := item.text("customer_id")) else None


def source_state(item: Fields) -> str | None:
    """Return a campaign's or broadcast's state; older answers of Customer.io have only `active`."""
    known = {None: None, True: "running", False: "draft or stopped"}
    return item.text("state") or known[item.flag("active")]
