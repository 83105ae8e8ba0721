"""Puts several pictures on one contact sheet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

CELL = 384
"""Width and height of a cell in pixels, without its title."""
TITLE = 18
"""Height of a cell's title in pixels."""
_GROUND, _INK = (255, 255, 255), (0, 0, 0)


def contact_sheet(pictures: Sequence[tuple[str, Picture]], columns: int, rows: int) -> Picture:
    """Return pictures with their titles in a grid, row by row; pictures beyond the last cell are left out."""
    from PIL import Image, ImageDraw, ImageFont

    sheet = Image.new("RGB", (columns * CELL, rows * (CELL + TITLE)), _GROUND)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    for place, (title, picture) in enumerate(pictures[: columns * rows]):
        left, top = place % columns * CELL, place // columns * (CELL + TITLE)
        small = picture.copy()
        small.thumbnail((CELL - 4, CELL - 4))
        sheet.paste(small, (left + (CELL - small.width) // 2, top + TITLE + (CELL - small.height) // 2))
        pen.text((left + 4, top + 2), title[-52:], fill=_INK, font=font)
    return sheet
