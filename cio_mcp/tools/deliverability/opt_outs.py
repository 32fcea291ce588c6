"""Opt-outs: customers who want no SMS or WhatsApp messages from a sender."""

from typing import Annotated

from pydantic import Field

from cio_mcp.client import AnyIdType, AppApi
from cio_mcp.errors import InvalidArgument
from cio_mcp.toolkit.answers.pages import cut_page
from cio_mcp.toolkit.answers.reading import Fields
from cio_mcp.toolkit.answers.shapes import Page, Quoted, Shape
from cio_mcp.toolkit.arguments.types import Cursor, CustomerId, Limit, Line
from cio_mcp.toolkit.registry import Toolbox

tools = Toolbox(__name__)


class OptOut(Shape):
    """A channel and a sender from which a customer wants no messages."""

    channel: str | None = Field(None, description="sms or whatsapp.")
    sender: str | None = Field(None, description="Number, name or messaging service.")


class OptedOut(Shape):
    """A customer who has opted out."""

    id: str | None = None
    cio_id: str | None = None
    opt_outs: list[OptOut]


class OptOuts(Quoted, Page):
    """Customers with their opt-outs; empty: nobody has opted out."""

    customers: list[OptedOut]


@tools.reads
async def list_opt_outs(
    app: AppApi,
    customer_id: CustomerId | None = None,
    id_type: AnyIdType = "id",
    sender: Annotated[Line | None, Field(description="Only from this number or sender.")] = None,
    limit: Limit = 50,
    cursor: Cursor | None = None,
) -> OptOuts:
    """List opt-outs from SMS or WhatsApp messages with their senders, of all customers or of one."""
    if customer_id is None:
        answer = Fields(await app.get("/v1/optouts", {"from": sender, "limit": limit, "start": cursor}))
        listed = [_opted_out(item) for item in answer.listed("optouts")]
        kept, next_cursor, left_out = cut_page(listed, answer.following())
        return OptOuts(customers=kept, next_cursor=next_cursor, left_out=left_out)
    if sender or cursor:
        raise InvalidArgument(
            "sender, cursor: cannot be combined with customer_id, whose opt-outs come all at once"
        )
    found = await opt_outs_of(app, customer_id, id_type)
    known = {id_type: customer_id} if id_type != "email" else {}
    return OptOuts(customers=[OptedOut(**known, opt_outs=found)] if found else [])


async def opt_outs_of(app: AppApi, customer_id: str, id_type: AnyIdType) -> list[OptOut]:
    """Return what a customer has opted out of."""
    path, query = "/v1/customers/{customer_id}/optouts", {"id_type": id_type}
    answer = Fields(await app.get(path, query, customer_id=app.person(customer_id, id_type)))
    return [_opt_out(item) for item in answer.listed("optouts")]


def _opted_out(item: Fields) -> OptedOut:
    cio_id = item.text("cio_id")
    return OptedOut(
        id=item.text("customer_id"),
        # Documented with and without its prefix.
        cio_id=cio_id and cio_id.removeprefix("cio_"),
        opt_outs=[_opt_out(one) for one in item.objects("optouts") or []],
    )


def _opt_out(item: Fields) -> OptOut:
    return OptOut(channel=item.text("channel"), sender=item.text("from"))
