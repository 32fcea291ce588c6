"""Exports: files of customers or deliveries, for more than an answer can hold."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, WithJsonSchema

from cio_mcp.client import AppApi, RequestKind
from cio_mcp.errors import InvalidArgument, Refused
from cio_mcp.toolkit.answers import Acted, Answer, Item
from cio_mcp.toolkit.params import Filter, Names, ObjectId, Timestamp, iso
from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.tools.messages import Metric
from cio_mcp.tools.search import EVERYBODY
from cio_mcp.tools.waiting import Looks

exports = Toolbox("workspace")

# App API, "exportDeliveriesData": of a longer time, only the last 12 months would come.
A_YEAR = 366 * 86400

# Seconds between looks at an export.
LONGEST_PAUSE = 8.0

FIND_OUT = "Do not start it again before looking: list_workspace_items of kind export shows, newest first."

NEXT = {
    "pending": "Call get_export again, with wait_seconds.",
    "done": "Fetch link within 15 minutes, or call again for a new one. Who has it can read the file.",
    "failed": "Start it again; with a narrower choice if that fails too.",
}


class Export(Item):
    """One export, in short."""

    type: str | None = Field(None, description="customers or deliveries.")
    status: str = Field(description="pending, done or failed.")
    total: int | None = Field(None, description="Entries in the file, once it is done.")
    created: str | None = None


class ExportStarted(Acted):
    """The new export."""

    outcome: Literal["created"] = Field("created", description="It is there; its file is being written.")
    export_id: int
    next: str | None = Field(None, description="What to do now.")


@exports.writes
async def start_export(
    app: AppApi,
    of: Literal["customers", "newsletter", "campaign", "transactional_message", "action"],
    source_id: ObjectId | None = None,
    filter: Annotated[  # noqa: A002 - the API's word
        Filter | None, Field(description="As in search_customers.")
    ] = None,
    metric: Annotated[Literal[Metric, "created"] | None, WithJsonSchema({"type": "string"})] = None,
    start: Timestamp | None = None,
    end: Timestamp | None = None,
    fields: Names | None = None,
) -> ExportStarted:
    """Start a CSV export of customers, or of deliveries from source_id."""
    given = {"source_id": source_id, "metric": metric, "start": start, "end": end}
    narrowed: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    body: dict[str, Any]
    if of == "customers":
        if narrowed:
            raise InvalidArgument(f"{', '.join(narrowed)}: not for an export of customers")
        kind, body = "customers", {"filters": filter or EVERYBODY}
    else:
        if filter:
            raise InvalidArgument("filter: only for an export of customers")
        if source_id is None:
            raise InvalidArgument(f"source_id: which {of}?")
        if start is not None and end is not None and not 0 < end - start <= A_YEAR:
            raise InvalidArgument("end: must be later than start, and at most 12 months")
        kind, body = "deliveries", {f"{of}_id": narrowed.pop("source_id")} | narrowed
    answer = await app.post(
        f"/v1/exports/{kind}",
        body | ({"attributes": fields} if fields else {}),
        kind=RequestKind.ONCE,
        if_unknown=FIND_OUT,
        expect="export",
    )
    return ExportStarted(export_id=int(answer["export"]["id"]), next=NEXT["pending"])


class ExportStatus(Answer, Export):
    """One export, and the way to its file."""

    opens_personal_data: ClassVar[frozenset[str]] = frozenset({"link"})

    link: str | None = Field(
        None, description="To the file, for 15 minutes; hidden where CIO_PII=mask: it says who people are."
    )
    next: str | None = Field(None, description="What to do now.")


Seconds = Annotated[int, Field(ge=0, le=600), WithJsonSchema({"type": "integer"})]


@exports.reads
async def get_export(app: AppApi, export_id: ObjectId, wait_seconds: Seconds | None = None) -> ExportStatus:
    """Read an export's status; once done, its link."""
    looks = Looks(app.call, wait_seconds or 0, LONGEST_PAUSE)
    while True:
        answer = await app.get("/v1/exports/{export_id}", export_id=export_id)
        export = told_export(answer.get("export") or {"id": export_id})
        if export.status != "pending" or looks.over:
            break
        await looks.pause("Still being written")
    link = await _link(app, export_id) if export.status == "done" else None
    return ExportStatus(**export.model_dump(), link=link, next=NEXT.get(export.status))


async def _link(app: AppApi, export_id: int) -> str:
    """Return the link to an export's file. The spec calls it url, Customer.io's own SDK link [?]."""
    answer = await app.get("/v1/exports/{export_id}/download", export_id=export_id)
    if not (link := answer.get("url") or answer.get("link")):
        raise Refused("Customer.io's answer has no link.", do="A person can download it in Customer.io.")
    return str(link)


def told_export(item: dict[str, Any]) -> Export:
    """Return an export as it is listed. Ids are numbers, and texts in some answers."""
    status = str(item.get("status") or ("failed" if item.get("failed") else "pending"))
    return Export(
        id=int(item["id"]),
        name=str(item.get("description") or ""),
        type=item.get("type"),
        status=status,
        total=item.get("total") if status == "done" else None,
        created=iso(item.get("created_at")),
    )
