"""The filters of "Liquid syntax list", by name. A name that is not here is unknown."""

from cio_mcp.liquid.filters import dates, encodings, lists, numbers, texts
from cio_mcp.liquid.filters.table import Filter

FILTERS: dict[str, Filter] = {
    name: known
    for module in (texts, encodings, numbers, lists, dates)
    for name, known in module.filters.by_name.items()
}

# What a filter takes a value for, so that somebody who has to give the value knows what to give.
TAKES: dict[str, str] = (
    dict.fromkeys(numbers.filters.by_name, "a number")
    | dict.fromkeys(lists.filters.by_name.keys() - {"size"}, "a list")
    | dict.fromkeys(dates.filters.by_name, "a date, as unix seconds or ISO 8601")
    | dict.fromkeys(("currency", "rounded_currency"), "an amount of money")
    | {"array_to_sentence_string": "a list", "from_json": "JSON as text", "pluralize": "a number"}
)
