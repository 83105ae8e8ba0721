"""A spec whose rows name images, for tests of how a name and a file find each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from files_on_disk import put

SPEC = """
formatspec: 1
name: listed
items: rows
files:
  image: "images/{name:path}.{ext:image}"
  rows:
    path: rows.json
    json: [{each: items, file: "{name}.{ext}", boxes: [{each: objects, box: bbox | xywh}]}]
  more:
    path: more.csv
    need: optional
    csv: {each: objects, file: "{name}.{ext}", kind: category.name, "x, y, w, h": bbox | xywh}
  record:
    path: "xml/{name:path}.xml"
    need: optional
    xml: {record: {thing: [{each: objects, box: {"x, y, w, h": bbox | xywh}}]}}
"""


def listed_images(folder: Path, images: Iterable[str], documents: Mapping[str, object]) -> tuple[Path, Path]:
    """Write the spec and a dataset; images are of 40 x 30 pixels and lie in `images`."""
    put(folder, {"listed.yaml": SPEC.strip()})
    data = put(folder / "data", {f"images/{image}": None for image in images}, size=(40, 30))
    return folder / "listed.yaml", put(data, documents)
