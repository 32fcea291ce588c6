"""Renders a text with data: what python-liquid does, within bounds, and with notes on what is missing."""

from collections.abc import Mapping
from typing import Any

from liquid.exceptions import LiquidError

from cio_mcp.liquid.context import Rendering, Run
from cio_mcp.liquid.metering import AllowanceSpent, Meter, Output
from cio_mcp.liquid.results import LiquidResult
from cio_mcp.liquid.scanning import Unreadable, line_at
from cio_mcp.liquid.templates import fault_line, read


def rendered(
    text: str, data: Mapping[str, Any], *, strict: bool, now: float, seed: str, meter: Meter
) -> LiquidResult:
    """Render a text with Liquid."""
    notes, buffer = LiquidResult(), None
    try:
        template = read(text, meter)
        run = Run(meter, strict, now, seed, notes)
        buffer = Output(meter)
        template.render_with_context(Rendering(template, data, run), buffer)
    except AllowanceSpent as exceeded:
        notes.cut, notes.fault = True, f"cut: {exceeded}"
    except Unreadable as unreadable:
        notes.fault = f"line {line_at(text, unreadable.at)}: {unreadable}"
    except LiquidError as error:
        notes.fault = fault_line(error)
    except (ArithmeticError, TypeError, ValueError):
        notes.fault = "it cannot be computed"
    except RecursionError:
        notes.fault = "it is nested too deeply"
    notes.text = buffer.getvalue() if buffer else ""
    return notes
