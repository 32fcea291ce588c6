"""Addresses to which Customer.io's mail service delivers nothing: it got a bounce or a complaint."""

from typing import Annotated, Literal

from pydantic import Field

from cio_mcp.client import AppApi
from cio_mcp.errors import InvalidArgument
from cio_mcp.toolkit.answers.pages import page_of
from cio_mcp.toolkit.answers.reading import Fields
from cio_mcp.toolkit.answers.shapes import Acted, Page, Quoted, Shape
from cio_mcp.toolkit.arguments.types import Address, CountCursor, Limit, Line
from cio_mcp.toolkit.people.consequences import Outlook, affects
from cio_mcp.toolkit.registry import Toolbox

tools = Toolbox(__name__)

SuppressionKind = Literal["bounces", "blocks", "spam_reports", "invalid_emails"]


class Suppression(Shape):
    """An address to which the mail service delivers nothing."""

    email: str | None = None
    category: str | None = Field(None, description="bounces, spam, ..., as Customer.io names it.")
    reason: str | None = Field(None, description="The mail server's words.")
    status: str | None = None
    since: str | None = None


class Suppressions(Quoted, Page):
    """Suppressed addresses; empty: none is suppressed."""

    addresses: list[Suppression]


@tools.reads
async def find_suppressed_addresses(
    app: AppApi,
    email: Annotated[Address | None, Field(description="Only this address.")] = None,
    kind: SuppressionKind | None = None,
    domain: Annotated[Line | None, Field(description="Only for this sending domain; needs kind.")] = None,
    limit: Limit = 50,
    cursor: CountCursor | None = None,
) -> Suppressions:
    """Find suppressed addresses, to which Customer.io delivers no mail, with reason and date.

    Give email to look up one, or kind to list.
    """
    if (email is None) == (kind is None):
        raise InvalidArgument("email, kind: give exactly one of them")
    if email is not None and (domain or cursor):
        raise InvalidArgument("domain, cursor: only with kind")
    if email is not None:
        return Suppressions(addresses=await suppressions_of(app, email))
    offset = cursor or 0
    path, query = "/v1/esp/suppression/{kind}", {"domain": domain, "limit": limit, "offset": offset}
    answer = Fields(await app.get(path, query, kind=kind))
    found = _suppressions(answer)
    kept, left_out = page_of(found, len(found))
    # The answer has neither a total nor a cursor: a page that is not full is the last one.
    following = str(offset + len(kept)) if left_out or len(found) == limit else None
    return Suppressions(addresses=kept, next_cursor=following, left_out=left_out)


class Lifted(Acted):
    """A suppression that was lifted."""

    outcome: Literal["deleted"] = Field(
        "deleted", description="The mail service delivers to the address again."
    )
    kind: str


async def _outlook(app: AppApi, email: str) -> Outlook:
    known = [f"{one.category}: {one.reason}" for one in await suppressions_of(app, email)]
    return Outlook(
        whom={"email": email},
        sets_off=[("mail goes to this address again, which failed", why) for why in known],
    )


@tools.deletes
@affects(shows=_outlook, by_person=True)
async def delete_suppression(
    app: AppApi,
    email: Address,
    kind: Literal["bounces", "blocks", "invalid_emails"],
) -> Lifted:
    """Lift an address's suppression, so that mail goes to it again. A person must agree.

    Only for a mailbox that is known to work again. Suppressions for spam reports cannot be lifted here.
    """
    await app.delete("/v1/esp/suppression/{kind}/{email}", kind=kind, email=email)
    return Lifted(kind=kind)


async def suppressions_of(app: AppApi, email: str) -> list[Suppression]:
    """Return how an address is suppressed: not at all, in one way or in several."""
    return _suppressions(Fields(await app.get("/v1/esp/search_suppression/{email}", email=email)))


def _suppressions(answer: Fields) -> list[Suppression]:
    return [
        Suppression(
            email=item.text("email"),
            category=answer.text("category"),
            reason=item.text("reason"),
            status=item.text("status"),
            since=item.time("created"),
        )
        for item in answer.listed("suppressions")
    ]
