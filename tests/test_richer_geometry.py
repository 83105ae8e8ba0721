"""Where a format has several shapes, an object is written as the one from which the others follow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import formatspec as fs
from formatspec.language.load import available
from formatspec.run.conversion.plan import RefusedError
from formatspec.testing.memory import image_bytes

SPEC = """\
formatspec: 1
name: shapes
files:
  image: "{name}.{ext:image}"
  record:
    path: "{name}.json"
    json:
      - each: objects
        name: category.name
        bbox?: bbox | xywh
        rotated?: rotated
        polyline?: polyline | flat
        circle?: circle
        ellipse?: ellipse
        polygons?: polygons | flat_lists
        region?: region | run_lengths
"""
SHAPES: dict[str, Any] = {
    "polygons": [[2, 2, 8, 2, 8, 6]],
    "region": {"size": [10, 20], "counts": [23, 4, 6, 4, 163]},
    "rotated": [5, 4, 6, 4, 30.0],
    "polyline": [2, 2, 8, 6, 7, 3],
    "circle": [5, 4, 2.0],
    "ellipse": [5, 4, 3, 2.0, 30.0],
}
BOX = [2, 2, 6, 6]


@pytest.mark.parametrize("to", sorted(available()))
def test_a_stated_box_hides_no_shape_from_which_it_follows(to: str, tmp_path: Path) -> None:
    """What holds an object's outline, line, circle or rotated box holds it of an object with a plain box too."""
    (tmp_path / "shapes.yaml").write_text(SPEC)
    for shape, value in SHAPES.items():
        for name, more in ((shape, {}), (f"{shape}-boxed", {"bbox": BOX})):
            folder = tmp_path / name
            folder.mkdir()
            (folder / f"{name}.jpg").write_bytes(image_bytes(20, 10, "jpg"))
            (folder / f"{name}.json").write_text(json.dumps([{"name": "car", shape: value, **more}]))
        held = [_holds(tmp_path, to, name, shape) for name in (shape, f"{shape}-boxed")]
        assert held[1] >= held[0], shape


def _holds(tmp_path: Path, to: str, name: str, shape: str) -> bool:
    """Whether a format has the shape, or an outline of it, when the dataset `name` has been converted to it."""
    out = tmp_path / f"{name}-out"
    try:
        fs.convert(tmp_path / name, to=to, out=out, spec=tmp_path / "shapes.yaml")
    except RefusedError:
        return False
    things = [thing for item in fs.open(out, to) for thing in item.objects]
    slots = ("polygons", "region") if shape in ("polygons", "region") else (shape,)
    return any(getattr(thing, slot) not in (None, ()) for thing in things for slot in slots)


@pytest.mark.parametrize(
    ("ellipse", "box"),
    [([5, 4, 3, 2, 0], [2, 2, 6, 4]), ([5, 4, 3, 2, 90], [3, 1, 4, 6]), ([5, 4, 2, 2, 45], [3, 2, 4, 4])],
)
def test_a_target_without_ellipses_takes_the_box_around(ellipse: list[float], box: list[float], tmp_path: Path) -> None:
    (tmp_path / "shapes.yaml").write_text(SPEC)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jpg").write_bytes(image_bytes(20, 10, "jpg"))
    (tmp_path / "in" / "a.json").write_text(json.dumps([{"name": "car", "ellipse": ellipse}]))
    result = fs.convert(tmp_path / "in", to="coco", out=tmp_path / "out", spec=tmp_path / "shapes.yaml")
    (file,) = (tmp_path / "out" / "annotations").glob("instances*.json")
    assert json.loads(file.read_text())["annotations"][0]["bbox"] == pytest.approx(box)
    assert "ellipses: 1 object" in result.losses


def test_circles_and_ellipses_of_equal_radii_are_the_same(tmp_path: Path) -> None:
    (tmp_path / "shapes.yaml").write_text(SPEC)
    lines = SPEC.replace("name: shapes", "name: only").splitlines(keepends=True)
    (tmp_path / "only.yaml").write_text("".join(line for line in lines if " circle?" not in line))
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jpg").write_bytes(image_bytes(20, 10, "jpg"))
    (tmp_path / "in" / "a.json").write_text(json.dumps([{"name": "car", "circle": [5, 4, 2]}]))
    result = fs.convert(tmp_path / "in", to=tmp_path / "only.yaml", out=tmp_path / "out", spec=tmp_path / "shapes.yaml")
    assert json.loads((tmp_path / "out" / "a.json").read_text())[0]["ellipse"] == [5, 4, 2, 2, 0.0]
    assert not any("circle" in line for line in result.losses)
