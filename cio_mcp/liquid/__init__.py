"""Customer.io's dialect of Liquid: renders texts of messages, and tells which variables they use.

A leaf: it imports nothing else of this package, and python-liquid only when the first text with Liquid comes.
The dialect is what Customer.io calls the latest version, as its pages "Liquid syntax list", "Liquid upgrade"
and "Composer errors" describe it; it runs on LiquidJS. What these pages do not list is told as unknown.
"""

import re
import time
from collections.abc import Mapping
from typing import Any

from cio_mcp.liquid.leaving import LeftTags
from cio_mcp.liquid.metering import Allowance, Meter
from cio_mcp.liquid.results import LiquidResult, Uses, Variable, notation, source_of
from cio_mcp.liquid.scanning import spans

__all__ = [
    "Allowance",
    "LeftTags",
    "LiquidResult",
    "Meter",
    "Uses",
    "Variable",
    "analyze",
    "has_liquid",
    "notation",
    "render",
    "source_of",
    "spans",
]

_STARTS = re.compile(r"\{[{%]")


def has_liquid(text: str) -> bool:
    """Say whether a text has any Liquid."""
    return _STARTS.search(text) is not None


def render(
    text: str,
    data: Mapping[str, Any],
    *,
    strict: bool = False,
    now: float | None = None,
    seed: str = "",
    meter: Meter | None = None,
) -> LiquidResult:
    """Render a text; never raises for what a text or its data hold.

    `data` has the variables by their first name: customer, trigger, snippets and so on. With `strict` the
    first variable that is missing and has no default ends it, as it fails the message at Customer.io;
    otherwise it prints nothing. `now` is the time of day in unix seconds, `seed` what chance depends on.
    One `meter` bounds all texts of a message.
    """
    meter = meter or Meter()
    if not has_liquid(text):
        most = meter.bounds.output
        return LiquidResult(text[:most], cut=len(text) > most)
    from cio_mcp.liquid.rendering import rendered  # noqa: PLC0415 - 100 ms, and few texts have Liquid

    return rendered(
        text, data, strict=strict, now=time.time() if now is None else now, seed=seed, meter=meter
    )


def analyze(text: str, snippets: Mapping[str, Any] | None = None, *, meter: Meter | None = None) -> Uses:
    """Tell which variables a text uses, and how; never raises for what a text holds.

    What the snippets use that it includes is told too, as far as `snippets` has their texts by name. One
    `meter` bounds all texts of a message.
    """
    if not has_liquid(text):
        return Uses()
    from cio_mcp.liquid.analysis import uses  # noqa: PLC0415 - as above

    return uses(text, snippets or {}, meter or Meter())
