"""Draws one item: regions, hidden parts, outlines, boxes, keypoints, labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from formatspec.model import derive
from formatspec.model.pictures import colours
from formatspec.model.pictures.colours import Colour
from formatspec.model.region import Region

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

By = Literal["class", "object"]
SHORTEST = 512
"""The least length in pixels of a picture's longer side; smaller images are enlarged by whole numbers."""
LARGEST = 16
"""The largest factor by which an image is enlarged."""
FILL = 0.45
"""The opacity of a region's colour over the image."""
HATCHED_EVERY = 6
"""Pixels between the lines that mark what is hidden."""
NOTHING = (200, 200, 200)
"""The colour of a picture whose image is missing."""
WRONG = (255, 0, 0)
"""The colour for findings."""


@dataclass(frozen=True)
class Drawing:
    """A picture that is being drawn, and its scale relative to its image."""

    picture: Any
    pen: Any
    scale: int
    font: Any

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Return a point of the image in the picture's coordinates."""
        return x * self.scale, y * self.scale


def picture_of(
    image: Picture | None, size: tuple[int, int], objects: Sequence[Any], areas: Sequence[Any] = (),
    captions: Sequence[str] = (), by: By = "class", wrong: Mapping[Any, Sequence[str]] | None = None,
) -> Picture:  # fmt: skip
    """An item as a picture.

    Args:
        image: The image, or None where it is not there; a grey one of its size is drawn on then.
        size: Width and height of the image in pixels.
        objects: Records of `formatspec.model.records`.
        areas: Likewise.
        captions: Lines that are written at the top: labels, captions, tags.
        by: Whether a class has a colour, or each object.
        wrong: Of ids of objects the codes of their findings; these are framed in red.  None stands for the image.

    Returns:
        An RGB image, enlarged by a whole number where the image is small.
    """
    from PIL import Image, ImageDraw, ImageFont

    scale = max(1, min(LARGEST, -(-SHORTEST // max(*size, 1))))
    canvas = Image.new("RGB", size, NOTHING) if image is None else image.convert("RGB")
    shown = canvas if canvas.size == tuple(size) else canvas.resize(size)
    shown = _painted(shown, objects, areas, by)
    if scale > 1:
        shown = shown.resize((size[0] * scale, size[1] * scale), Image.Resampling.NEAREST)
    drawing = Drawing(shown, ImageDraw.Draw(shown), scale, ImageFont.load_default(13))
    for place, thing in enumerate(objects):
        _draw(drawing, thing, _colour(thing, place, by))
    for place, thing in enumerate(objects):
        _name(drawing, thing, _colour(thing, place, by))
    told = wrong or {}
    for thing in objects:
        if told.get(thing.id):
            _frame(drawing, derive.bbox(thing), told[thing.id])
    if told.get(None):
        _frame(drawing, (0, 0, *size), told[None])
    for line, words in enumerate(captions):
        _write(drawing, (2, 2 + 16 * line), words, (0, 0, 0))
    return drawing.picture  # type: ignore[no-any-return]


def _colour(record: Any, place: int, by: By) -> Colour:
    if by == "object":
        return colours.of_object(place)
    return colours.of_class(_class_name(record))


def _class_name(record: Any) -> str:
    category = record.category
    return "" if category is None else str(category.name or category.id or "")


def _painted(image: Picture, objects: Sequence[Any], areas: Sequence[Any], by: By) -> Picture:
    """Return the image with regions painted over it, and hidden parts hatched."""
    import numpy as np
    from PIL import Image

    regions: list[tuple[Region, Colour]] = [(area.region, _colour(area, 0, "class")) for area in areas]
    regions += [(t.region, _colour(t, i, by)) for i, t in enumerate(objects) if t.region is not None]
    hidden = [(t.hidden, _colour(t, i, by)) for i, t in enumerate(objects) if t.hidden is not None]
    if not regions and not hidden:
        return image
    pixels = np.array(image, dtype=np.float32)
    height, width = pixels.shape[:2]
    for region, colour in regions:
        mask = _fitting(region, height, width)
        pixels[mask] = pixels[mask] * (1 - FILL) + np.array(colour, np.float32) * FILL
    rows, columns = np.indices((height, width))
    hatch = (rows + columns) % HATCHED_EVERY == 0
    for region, colour in hidden:
        pixels[_fitting(region, height, width) & hatch] = colour
    return Image.fromarray(pixels.round().clip(0, 255).astype(np.uint8))


def _fitting(region: Region, height: int, width: int) -> Any:
    """Return a region's mask, cut or extended to the image's size if a dataset states another size."""
    import numpy as np

    mask = region.to_mask()
    if mask.shape == (height, width):
        return mask
    whole = np.zeros((height, width), bool)
    part = mask[:height, :width]
    whole[: part.shape[0], : part.shape[1]] = part
    return whole


def _draw(drawing: Drawing, thing: Any, colour: Colour) -> None:
    """Draw the lines of an object: outlines, boxes, polyline, round shapes, keypoints with their skeleton."""
    pen, at = drawing.pen, drawing.at
    for ring in thing.polygons:
        _line(drawing, derive.points(ring), colour, closed=True)
    if thing.bbox is not None:
        x, y, width, height = thing.bbox
        corners = sorted((x, x + width)), sorted((y, y + height))
        pen.rectangle([at(corners[0][0], corners[1][0]), at(corners[0][1], corners[1][1])], outline=colour, width=2)
    if thing.rotated is not None:
        _line(drawing, derive.corners(thing.rotated), colour, closed=True)
    if thing.polyline:
        _line(drawing, derive.points(thing.polyline), colour, closed=False)
    if thing.circle is not None:
        x, y, radius = thing.circle[0], thing.circle[1], abs(thing.circle[2])
        pen.ellipse([at(x - radius, y - radius), at(x + radius, y + radius)], outline=colour, width=2)
    if thing.ellipse is not None:
        _line(drawing, _around(thing.ellipse), colour, closed=True)
    bones = thing.category.skeleton if thing.category is not None else ()
    for bone in bones:
        ends = [thing.keypoints[place] for place in bone if 0 <= place < len(thing.keypoints)]
        if len(ends) == 2 and all(end[2] for end in ends):
            _line(drawing, [end[:2] for end in ends], colour, closed=False)
    for x, y, visibility in thing.keypoints:
        if visibility:
            middle_x, middle_y = at(x, y)
            box = [(middle_x - 3, middle_y - 3), (middle_x + 3, middle_y + 3)]
            pen.ellipse(box, fill=colour if visibility > 1 else None, outline=colour, width=2)


def _line(drawing: Drawing, points: Iterable[Sequence[float]], colour: Colour, closed: bool) -> None:
    placed = [drawing.at(point[0], point[1]) for point in points]
    if len(placed) > 1:
        drawing.pen.line([*placed, placed[0]] if closed else placed, fill=colour, width=2, joint="curve")


def _around(shape: Sequence[float], steps: int = 48) -> list[tuple[float, float]]:
    """Return points of an ellipse: centre x, centre y, two radii, degrees clockwise on screen."""
    import math

    x, y, first, second, degrees = shape
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    turns = [2 * math.pi * step / steps for step in range(steps)]
    return [
        (
            x + first * math.cos(turn) * cosine - second * math.sin(turn) * sine,
            y + first * math.cos(turn) * sine + second * math.sin(turn) * cosine,
        )
        for turn in turns
    ]


def _name(drawing: Drawing, thing: Any, colour: Colour) -> None:
    """Write the object's class, and its text or score, at its upper left corner."""
    box = derive.bbox(thing)
    words = " ".join(filter(None, (_class_name(thing), thing.text, f"{thing.score:.2f}" if thing.score else "")))
    if box is None or not words:
        return
    x, y = drawing.at(box[0], box[1])
    _write(drawing, (x, y - 15 if y >= 15 else y), words, colour)


def _write(drawing: Drawing, at: tuple[float, float], words: str, colour: Colour) -> None:
    """Write words on a coloured background, moved so that they lie in the picture."""
    words = words if len(words) <= 40 else f"{words[:39]}…"
    left, top, right, bottom = drawing.pen.textbbox((0, 0), words, font=drawing.font)
    width, height = right - left + 4, bottom - top + 4
    x = max(0, min(at[0], drawing.picture.width - width))
    y = max(0, min(at[1], drawing.picture.height - height))
    drawing.pen.rectangle([(x, y), (x + width, y + height)], fill=colour)
    drawing.pen.text((x + 2 - left, y + 2 - top), words, fill=colours.text_on(colour), font=drawing.font)


def _frame(drawing: Drawing, box: Sequence[float] | None, codes: Sequence[str]) -> None:
    """Draw a red frame around what findings are about, cut to the picture, with their codes."""
    x, y, width, height = box or (0, 0, 0, 0)
    (left, top), (right, bottom) = drawing.at(x, y), drawing.at(x + width, y + height)
    most_x, most_y = drawing.picture.width - 1, drawing.picture.height - 1
    left, right = sorted((max(0, min(left - 3, most_x)), max(0, min(right + 3, most_x))))
    top, bottom = sorted((max(0, min(top - 3, most_y)), max(0, min(bottom + 3, most_y))))
    drawing.pen.rectangle([(left, top), (right, bottom)], outline=WRONG, width=3)
    _write(drawing, (left, bottom - 16), ", ".join(dict.fromkeys(codes)), WRONG)
