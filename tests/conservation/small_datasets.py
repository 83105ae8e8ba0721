"""Small datasets that tests of conservation write for themselves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from coco_like import coco_document, coco_files
from files_on_disk import put as put

import formatspec as fs
from formatspec.run.conversion.plan import Result

WIDE, TALL = 40, 30


def box_ring(x: float, y: float, width: float, height: float) -> list[float]:
    """The four corners of an upright box as a flat ring."""
    return [x, y, x + width, y, x + width, y + height, x, y + height]


def outlined(x: float, y: float, width: float, height: float, **more: Any) -> dict[str, Any]:
    """A row of COCO with an upright outline and its box."""
    return {
        "bbox": [x, y, width, height],
        "area": width * height,
        "segmentation": [box_ring(x, y, width, height)],
        **more,
    }


def coco(folder: Path, rows: Sequence[dict[str, Any]], categories: Sequence[Any] = ("cat", "dog")) -> Path:
    """A COCO dataset of one image of 40 x 30 pixels with these rows of annotations."""
    return put(folder, coco_files(coco_document([("a.png", WIDE, TALL)], rows, categories)))


def counted(result: Result) -> dict[str, int]:
    """The loss report of a conversion as words and numbers."""
    return {line["what"]: line["count"] for line in result.loss_report}


def converted(data: Path, to: str, **more: Any) -> tuple[Path, dict[str, int]]:
    """Convert beside the data; where it stands, and the loss report."""
    out = data.parent / f"{data.name}-{to}-{len(list(data.parent.iterdir()))}"
    return out, counted(fs.convert(data, to=to, out=out, **more))
