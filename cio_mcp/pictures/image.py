"""The picture of an answer as an image."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from cio_mcp.pictures.chart import drawing

# Pixels of the image for each of the drawing's: letters stay sharp, and models do not shrink what they see.
ZOOM = 1.5

FONT = "Source Sans Pro"


class NoImages(Exception):
    """The extra that draws images is not installed."""


def png(answer: Mapping[str, Any]) -> bytes:
    """Return a picture of an answer as PNG; raises NoImages."""
    try:
        from resvg_py import svg_to_bytes  # noqa: PLC0415 - an extra

        fonts = _fonts()
    except ImportError:
        raise NoImages from None
    return svg_to_bytes(
        drawing(answer), zoom=ZOOM, font_files=fonts, font_family=FONT, sans_serif_family=FONT
    )


@cache
def _fonts() -> list[str]:
    """Return the fonts that come with the extra; a system that has more of them has other scripts, too."""
    folder = files("font_source_sans_pro") / "files"
    return [str(folder / f"SourceSansPro-{weight}.ttf") for weight in ("Regular", "Bold")]
