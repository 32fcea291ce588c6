"""Exports: CSV files of customers or deliveries, for more than an answer can hold."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, WithJsonSchema

from cio_mcp.client import AppApi, RequestKind
from cio_mcp.errors import InvalidArgument
from cio_mcp.toolkit.answers import Acted, Cut, Item
from cio_mcp.toolkit.consequences import affects
from cio_mcp.toolkit.lists import SomeNames
from cio_mcp.toolkit.params import Filter, ObjectId
from cio_mcp.toolkit.polling import Polling, WaitSeconds
from cio_mcp.toolkit.reading import Fields, beside, made, unusable
from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.toolkit.times import Timestamp
from cio_mcp.tools.messages import Metric
from cio_mcp.tools.people.search import EVERYBODY

tools = Toolbox(__name__)

# App API, "exportDeliveriesData": a longer span would return only the last 12 months.
A_YEAR = 366 * 86400

# Seconds: the longest pause between reads of an export.
LONGEST_PAUSE = 8.0

FIND_OUT = (
    "Do not start it again yet: first call list_workspace_items with kind=export (newest first) to see "
    "whether it was started."
)

NEXT = {
    "pending": "Call get_export with wait_seconds.",
    "done": "Download link within 15 minutes, or call get_export again for a new one. Anybody who has the "
    "link can read the file.",
    "failed": "Start the export again; if it fails again, narrow it down.",
}


class Export(Item):
    """An export in brief."""

    type: str | None = Field(None, description="customers or deliveries.")
    status: str | None = Field(None, description="pending, done or failed.")
    total: int | None = Field(None, description="Number of entries in the file, once it is done.")
    created: str | None = None


class ExportStarted(Acted):
    """A new export."""

    outcome: Literal["created"] = Field("created", description="Customer.io is writing the file.")
    export_id: int
    next: str | None = Field(None, description="What to do next.")


@tools.writes
@affects()
async def start_export(
    app: AppApi,
    of: Literal["customers", "newsletter", "campaign", "transactional_message", "action"],
    source_id: Annotated[
        ObjectId | None,
        Field(description="Required for deliveries: id of the newsletter, campaign, ..."),
    ] = None,
    filter: Annotated[  # noqa: A002 - the API's word
        Filter | None, Field(description="Customers only: as in search_customers.")
    ] = None,
    metric: Annotated[
        Literal[Metric, "created"] | None,
        WithJsonSchema({"type": "string"}),
        Field(description="Only deliveries that reached this state."),
    ] = None,
    start: Annotated[Timestamp | None, Field(description="Deliveries only: ISO 8601.")] = None,
    end: Annotated[
        Timestamp | None, Field(description="Deliveries only: at most 12 months after start.")
    ] = None,
    fields: Annotated[SomeNames | None, Field(description='Attributes to include, such as ["plan"].')] = None,
) -> ExportStarted:
    """Start a CSV export of customers, or of the deliveries (messages) of one source.

    Call get_export afterwards to get the file.
    """
    given = {"source_id": source_id, "metric": metric, "start": start, "end": end}
    narrowed: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    body: dict[str, Any]
    if of == "customers":
        if narrowed:
            raise InvalidArgument(f"{', '.join(narrowed)}: not allowed with of=customers")
        kind, body = "customers", {"filters": filter or EVERYBODY}
    else:
        if filter:
            raise InvalidArgument("filter: allowed with of=customers only")
        if source_id is None:
            raise InvalidArgument(f"source_id: is required with of={of}")
        if start is not None and end is not None and not 0 < end - start <= A_YEAR:
            raise InvalidArgument("end: must be later than start, by at most 12 months")
        kind, body = "deliveries", {f"{of}_id": narrowed.pop("source_id")} | narrowed
    body |= {"attributes": fields} if fields else {}
    answer = await app.post(f"/v1/exports/{kind}", body, kind=RequestKind.ONCE, if_unknown=FIND_OUT)
    number = made(Fields(answer).wrapped("export").whole("id"), "id", FIND_OUT)
    return ExportStarted(export_id=number, next=NEXT["pending"])


class ExportStatus(Cut, Export):
    """An export, and the link to its file."""

    opens_personal_data: ClassVar[frozenset[str]] = frozenset({"link"})

    link: str | None = Field(
        None,
        description="Download link, valid for 15 minutes. Hidden with CIO_PII=mask: the file names people.",
    )
    next: str | None = Field(None, description="What to do next.")


@tools.reads
async def get_export(app: AppApi, export_id: ObjectId, wait_seconds: WaitSeconds = None) -> ExportStatus:
    """Read the status of an export and, once it is done, the link to its file."""
    looks = Polling(app.call, wait_seconds or 0, LONGEST_PAUSE)
    while True:
        answer = Fields(await app.get("/v1/exports/{export_id}", export_id=export_id))
        export = told_export(answer.inside("export", "id", "status"))
        if export.status != "pending" or looks.over:
            break
        await looks.pause("Still being written")
    link = left_out = None
    if export.status == "done":
        link, left_out = await beside("link", _link(app, export_id))
    told = export.model_dump() | {"id": export_id}
    return ExportStatus(**told, link=link, left_out=left_out, next=NEXT.get(export.status or ""))


async def _link(app: AppApi, export_id: int) -> str:
    """Return the link to an export's file, which is `url` in the spec and `link` in the vendor's SDK."""
    answer = Fields(await app.get("/v1/exports/{export_id}/download", export_id=export_id))
    if (link := answer.text("url", "link")) is None:
        raise unusable("it has no link to the file; a person can download it in Customer.io")
    return link


def told_export(item: Fields) -> Export:
    """Return an export as it is listed. Some answers have ids as strings."""
    status = item.text("status") or ("failed" if item.flag("failed") else None)
    return Export(
        id=item.whole("id"),
        name=item.text("description"),
        type=item.text("type"),
        status=status,
        total=item.whole("total") if status == "done" else None,
        created=item.time("created_at"),
    )
