"""Exports: CSV files of customers or deliveries, for more than an answer can hold."""

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, WithJsonSchema

from cio_mcp.client import AppApi, RequestKind
from cio_mcp.errors import InvalidArgument
from cio_mcp.toolkit.answers.reading import Fields, beside, made, needed, unusable
from cio_mcp.toolkit.answers.shapes import Acted, Cut, Item
from cio_mcp.toolkit.arguments.lists import SomeNames
from cio_mcp.toolkit.arguments.times import Timestamp
from cio_mcp.toolkit.arguments.types import Line, ObjectId
from cio_mcp.toolkit.downloads import Downloads
from cio_mcp.toolkit.people.consequences import affects
from cio_mcp.toolkit.people.filters import Filter
from cio_mcp.toolkit.polling import Polling, WaitSeconds
from cio_mcp.toolkit.registry import Toolbox
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
    """An export, and the link to its file, or the file."""

    opens_personal_data: ClassVar[frozenset[str]] = frozenset({"link"})

    link: str | None = Field(
        None,
        description="Download link, valid for 15 minutes. Hidden with CIO_PII=mask: the file names people.",
    )
    file: str | None = Field(None, description="Where the file was saved.")
    size: int | None = Field(None, description="Its bytes; as many as its host announced.")
    rows: int | None = Field(None, description="Its rows.")
    next: str | None = Field(None, description="What to do next.")


@tools.reads
async def get_export(
    app: AppApi,
    downloads: Downloads,
    export_id: ObjectId,
    wait_seconds: WaitSeconds = None,
    save_as: Annotated[
        Line | None, Field(description="Save the file under this name in the operator's folder.")
    ] = None,
) -> ExportStatus:
    """Read the status of an export and, once it is done, the link to its file; or save the file."""
    path = downloads.place(save_as) if save_as else None
    looks = Polling(app.call, wait_seconds or 0, LONGEST_PAUSE)
    while True:
        answer = Fields(await app.get("/v1/exports/{export_id}", export_id=export_id))
        export = told_export(answer.inside("export", "id", "status"))
        if export.status != "pending" or looks.over:
            break
        await looks.pause("Still being written")
    told: dict[str, Any] = export.model_dump() | {"id": export_id, "next": NEXT.get(export.status or "")}
    if export.status == "done" and path:
        return ExportStatus(**(told | await _saved(app, downloads, export, path)))
    if export.status == "done":
        told["link"], told["left_out"] = await beside("link", _link(app, export_id))
    return ExportStatus(**told)


async def _saved(app: AppApi, downloads: Downloads, export: Export, path: Path) -> dict[str, Any]:
    """Save an export's file; what its host and Customer.io say of its length is held against it."""
    number = needed(export.id, "id")
    saved = await downloads.save(app.call, lambda: _link(app, number), path, f"export-{number}")
    short = export.total is not None and saved.rows is not None and saved.rows != export.total
    note = f"The file has {saved.rows} rows, and Customer.io counted {export.total}." if short else None
    found = {"file": str(saved.path), "size": saved.size, "rows": saved.rows, "next": None}
    return found | ({"notes": [note]} if note else {})


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
