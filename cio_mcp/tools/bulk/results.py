"""What became of the rows of a call."""

from typing import Annotated

from pydantic import Field

from cio_mcp.errors import NotSent
from cio_mcp.toolkit.answers.pages import page_of
from cio_mcp.toolkit.answers.shapes import Page, Quoted
from cio_mcp.toolkit.arguments.types import CountCursor, Line
from cio_mcp.toolkit.registry import Toolbox
from cio_mcp.toolkit.rows.outcomes import RowReport
from cio_mcp.toolkit.rows.results import Results

tools = Toolbox(__name__)

# Rows of one page.
MOST = 100


class RowResults(Quoted, Page):
    """Rows of a call that were not accepted."""

    rows: list[RowReport]
    total: int


@tools.reads
async def list_row_results(
    kept: Results,
    results: Annotated[Line, Field(description="From that answer.")],
    cursor: CountCursor | None = None,
) -> RowResults:
    """List the rows that an answer left out, with reasons."""
    ends = kept.read(results)
    if ends is None:
        raise NotSent(
            "These results are not kept any more. A server keeps those of its last few calls while it runs. "
            "In a shell they are kept for a day, or not at all with CIO_PII=mask.",
            do="Call with dry_run=true to see what is wrong with the rows; cio-mcp load writes all that are "
            "refused to a file.",
        )
    first = cursor or 0
    told, _ = page_of(ends[first : first + MOST], MOST)
    after = first + len(told)
    return RowResults(
        rows=told,
        total=len(ends),
        next_cursor=str(after) if after < len(ends) else None,
    )
