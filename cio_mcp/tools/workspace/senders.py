"""Sender identities: whom messages can come from."""

from pydantic import Field

from cio_mcp.client import AppApi
from cio_mcp.toolkit.answers.reading import Fields
from cio_mcp.toolkit.answers.shapes import Item
from cio_mcp.toolkit.answers.things import read_uses

# The largest number of pages, of 100 sender identities each, to read.
PAGES = 10


class SenderIdentity(Item):
    """A sender that messages can come from."""

    type: str | None = Field(None, description="email or phone.")
    sender: str | None = Field(None, description="The address, as messages show it, or the phone number.")
    used_by: dict[str, list[int]] | None = Field(None, description="Campaigns and newsletters that use it.")


async def read_senders(app: AppApi) -> tuple[list[Fields], str | None]:
    """Return the sender identities, newest first, and a note if there are too many to read all."""
    found: list[Fields] = []
    asked = {"limit": "100", "sort": "desc"}
    for _ in range(PAGES):
        answer = Fields(await app.get("/v1/sender_identities", asked))
        found += answer.listed("sender_identities")
        if (following := answer.following()) is None:
            return found, None
        asked["start"] = following
    return found, f"older than the newest {len(found)}; read one by passing its id as item"


async def read_sender(app: AppApi, sender_id: int) -> tuple[SenderIdentity, str | None]:
    """Return one sender identity with what uses it, and a note on what could not be read."""
    answer = Fields(await app.get("/v1/sender_identities/{item}", item=sender_id))
    sender = told_sender(answer.inside("sender_identity", "id", "name", "address", "phone"))
    sender.id = sender_id
    sender.used_by, unread = await read_uses(app, "/v1/sender_identities/{item}/used_by", item=sender_id)
    return sender, unread


def told_sender(item: Fields) -> SenderIdentity:
    """Return a sender identity as it is listed."""
    return SenderIdentity(
        id=item.whole("id"),
        name=item.text("name"),
        type=item.text("template_type"),
        sender=item.text("address", "phone"),
    )
