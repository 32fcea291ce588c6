"""The filters of "Liquid syntax list", by name. A name that is not here is unknown."""

from cio_mcp.liquid.filters import dates, encodings, lists, numbers, texts
from cio_mcp.liquid.filters.table import Filter

FILTERS: dict[str, Filter] = {
    name: known
    for module in (texts, encodings, numbers, lists, dates)
    for name, known in module.filters.by_name.items()
}
