"""The explanation of why a customer did not get a message: one verdict, and what it rests on."""

from typing import Annotated, Literal

from pydantic import Field

from cio_mcp.client import AnyIdType, AppApi
from cio_mcp.toolkit.answers.shapes import Quoted, Shape
from cio_mcp.toolkit.arguments.times import Timestamp
from cio_mcp.toolkit.arguments.types import CustomerId, ItemKey
from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.tools.deliverability.case import Case
from cio_mcp.tools.deliverability.cause import Cause, Read, Statement
from cio_mcp.tools.deliverability.evidence import Fact, evidence, of_other_channels
from cio_mcp.tools.deliverability.gathering import gather
from cio_mcp.tools.deliverability.source import SourceKind, find_source
from cio_mcp.tools.deliverability.verdict import reach, unknowable

tools = Toolbox(__name__)


class Cure(Shape):
    """What helps, and who may do it."""

    do: str
    by: str


class Explanation(Quoted):
    """Why a customer did not get a message."""

    verdict: str
    read_from: list[Read] = Field(description="The sources that say so.")
    cause: str = Field(description="The verdict in a word, such as bounced or unsubscribed.")
    certainty: Literal["certain", "inferred", "unknown"] = Field(
        description="certain: Customer.io says so; inferred: concluded from that; unknown: not reported."
    )
    cure: Cure
    evidence: list[Fact] = Field(description="What Customer.io says, newest last.")
    also: list[Statement] | None = Field(None, description="What else stands in the way of such messages.")
    cannot_know: list[str] | None = Field(None, description="Possible causes that the API does not report.")
    unread: list[str] | None = Field(None, description="What could not be read, and why.")


@tools.reads
async def explain_no_message(
    app: AppApi,
    customer_id: CustomerId,
    id_type: AnyIdType = "id",
    kind: SourceKind | None = None,
    source_id: Annotated[
        ItemKey | None, Field(description="Id, or part of the name. Default: the newest of kind.")
    ] = None,
    delivery_id: Annotated[ItemKey | None, Field(description="The message, if known.")] = None,
    expected: Annotated[Timestamp | None, Field(description="About when it was due, in ISO 8601.")] = None,
) -> Explanation:
    """Explain why a customer did not get a message: verdict, evidence, cure, what is unknown.

    customer_id may be a name.
    """
    case = Case(customer_id, id_type, app.call.called_at, delivery_id, expected, kind)
    if source_id:
        case.source = await find_source(app, kind, source_id, case.unread)
    await gather(app, case)
    cause, others = reach(case)
    return Explanation(
        verdict=f"{cause.verdict}.",
        read_from=list(cause.read),
        cause=cause.cause,
        certainty=cause.certainty,
        cure=Cure(do=cause.do, by=cause.by),
        evidence=evidence(case, cause, others),
        also=_stated(others) or None,
        cannot_know=unknowable(case, cause, others) or None,
        unread=case.unread or None,
        notes=[*case.notes, *of_other_channels(case)] or None,
    )


def _stated(others: list[Cause]) -> list[Statement]:
    """Return what else stands in the way, each thing once."""
    said = {other.verdict: other for other in others}
    return [Statement(what=f"{what}.", read_from=list(other.read)) for what, other in said.items()]
