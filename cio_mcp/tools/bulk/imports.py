"""Imports: files at an address, which Customer.io reads itself."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from cio_mcp.client import AppApi, RequestKind
from cio_mcp.errors import InvalidArgument
from cio_mcp.toolkit.answers.reading import Fields, made
from cio_mcp.toolkit.answers.shapes import Acted, Answer, Shape
from cio_mcp.toolkit.arguments.types import Https, ItemKey, Line, ObjectId
from cio_mcp.toolkit.people.consequences import Consequence, affects
from cio_mcp.toolkit.polling import Polling, WaitSeconds
from cio_mcp.toolkit.registry import Toolbox

tools = Toolbox(__name__)

# Seconds: the longest pause between two looks at an import.
LONGEST_PAUSE = 8.0

# Of each kind of import, Customer.io's word for it, how it may name people, and what it may process.
KINDS = {
    "people": ("people", ("id", "email"), ("all", "only_new", "only_existing")),
    "events": ("event", ("id", "email"), ("all", "only_existing")),
    "objects": ("object", (), ("all", "only_new", "only_existing")),
    "relationships": ("relationship", ("id", "email", "cio_id"), ("all", "only_new", "only_existing")),
}

ENDED = {"imported", "failed", "canceled"}

FIND_OUT = (
    "Do not start it again yet, since events would count twice. The API has no list of imports: see with "
    "search_customers whether some of its rows are there, or ask a person to look in Customer.io."
)

NEXT = {
    "imported": None,
    "failed": "Correct what error names, and start it again.",
    "canceled": "A person has canceled it in Customer.io.",
}
GOES_ON = "Call get_import with wait_seconds. The address must stay readable until the import ends."


class Import(Shape):
    """How far an import is."""

    import_id: int
    state: str | None = Field(
        None, description="preprocessing, validating, importing, …; at the end imported, failed or canceled."
    )
    rows: int | None = Field(None, description="Rows of the file that are to be imported.")
    imported: int | None = Field(None, description="Rows imported so far.")
    error: str | None = Field(None, description="Why it failed, in Customer.io's words.")
    reports: list[str] | None = Field(
        None, description="Addresses of reports on its rows. Hidden with CIO_PII=mask: they name people."
    )
    next: str | None = Field(None, description="What to do next.")


class ImportStarted(Acted, Import):
    """A new import."""

    opens_personal_data: ClassVar[frozenset[str]] = frozenset({"reports"})

    outcome: Literal["created"] = Field("created", description="Customer.io reads the file by itself.")


class ImportStatus(Answer, Import):
    """An import."""

    opens_personal_data: ClassVar[frozenset[str]] = frozenset({"reports"})


@tools.writes
@affects(Consequence.BULK, Consequence.IDENTIFY, Consequence.EVENTS)
async def import_file(
    app: AppApi,
    url: Annotated[Https, Field(description="Public address of a CSV file with a header.")],
    of: Literal["people", "events", "objects", "relationships"],
    name: Annotated[Line, Field(description="Name of the import, as shown in Customer.io.")],
    identifier: Annotated[
        Literal["id", "email", "cio_id"] | None, Field(description="Column that names the customers.")
    ] = None,
    object_type_id: Annotated[
        ItemKey | None, Field(description="For objects and relationships only.")
    ] = None,
    process: Annotated[
        Literal["all", "only_new", "only_existing"], Field(description="Which rows to import.")
    ] = "all",
    description: Line | None = None,
    wait_seconds: WaitSeconds = None,
) -> ImportStarted:
    """Have Customer.io import a large CSV file from a web address. Events of unknown customers are dropped.

    For rows that you have, use identify_customers or track_events, which check and report each row. For a
    local file, have a person run cio-mcp load.
    """
    word, identifiers, processes = KINDS[of]
    _check(of, "identifier", identifier, identifiers, required=bool(identifiers))
    _check(of, "process", process, processes, required=True)
    if object_type_id is None and of == "objects":
        raise InvalidArgument("object_type_id: is required with of=objects")
    if object_type_id is not None and of in {"people", "events"}:
        raise InvalidArgument("object_type_id: only with of=objects or of=relationships")
    given = {
        "data_file_url": url,
        "name": name,
        "type": word,
        "identifier": identifier,
        "object_type_id": object_type_id,
        "data_to_process": process,
        "description": description,
    }
    body = {"import": {key: value for key, value in given.items() if value is not None}}
    answer = Fields(await app.post("/v1/imports", body, kind=RequestKind.ONCE, if_unknown=FIND_OUT))
    begun = answer.wrapped("import")
    number = made(begun.whole("id"), "id", FIND_OUT)
    if wait_seconds:
        begun = await _followed(app, number, wait_seconds)
    return ImportStarted(**_told(begun, number))


def _check(of: str, argument: str, value: str | None, takes: tuple[str, ...], *, required: bool) -> None:
    if value not in takes if (value or required) else False:
        words = " or ".join(takes) or "nothing"
        raise InvalidArgument(f"{argument}: with of={of} it must be {words}")


@tools.reads
async def get_import(app: AppApi, import_id: ObjectId, wait_seconds: WaitSeconds = None) -> ImportStatus:
    """Read the progress of an import, or why it failed."""
    found = await _followed(app, import_id, wait_seconds or 0)
    return ImportStatus(**_told(found, import_id))


async def _followed(app: AppApi, number: int, seconds: float) -> Fields:
    """Return an import once it has ended or the wait is over; tells meanwhile how far it is."""
    looks = Polling(app.call, seconds, LONGEST_PAUSE)
    while True:
        answer = Fields(await app.get("/v1/imports/{import_id}", import_id=number))
        found = answer.inside("import", "id", "state")
        if found.text("state") in ENDED or looks.over:
            return found
        rows = f", {found.whole('rows_imported') or 0} of {found.whole('rows_to_import') or '?'} rows"
        await looks.pause(f"{found.text('state') or 'waiting'}{rows}")


def _told(found: Fields, number: int) -> dict[str, Any]:
    state = found.text("state")
    # The names of a report's fields are not documented: whatever holds an address is one.
    told = {name: found.text(name) or "" for name in found.raw if name != "data_file_url"}
    reports = [text for text in told.values() if text.startswith("https://")]
    return {
        "import_id": number,
        "state": state,
        "rows": found.whole("rows_to_import"),
        "imported": found.whole("rows_imported"),
        "error": found.text("error") or None,
        "reports": reports or None,
        "next": NEXT.get(state or "", GOES_ON),
    }
