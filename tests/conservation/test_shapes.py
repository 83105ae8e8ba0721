"""Objects whose own geometry a target lacks, and geometry that formats spell in their own ways."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from small_datasets import coco, converted, outlined, put

import formatspec as fs
from formatspec.testing.memory import image_bytes

SHAPES = {
    "circle": ("circle", [[20, 15], [26, 15]]),
    "line": ("line", [[2, 3], [12, 9]]),
    "point": ("point", [[5, 6]]),
}


def labelme(folder: Path, names: list[str]) -> Path:
    shapes = [
        {"label": name, "points": SHAPES[name][1], "group_id": None, "shape_type": SHAPES[name][0], "flags": {}}
        for name in names
    ]
    document = {"version": "5.5.0", "flags": {}, "shapes": shapes, "imagePath": "a.png", "imageData": None,
                "imageHeight": 30, "imageWidth": 40}  # fmt: skip
    return put(folder, {"a.png": image_bytes(40, 30, "png"), "a.json": json.dumps(document)})


def test_a_circle_is_written_by_its_box_and_no_shape_is_without_points(tmp_path: Path) -> None:
    out, lost = converted(labelme(tmp_path / "in", list(SHAPES)), "supervisely")
    (file,) = out.glob("*/ann/*.json")
    shapes = {row["classTitle"]: row for row in json.loads(file.read_text())["objects"]}
    assert shapes["circle"]["geometryType"] == "rectangle"
    assert shapes["circle"]["points"]["exterior"] == [[14, 9], [25, 20]]
    assert (shapes["line"]["geometryType"], shapes["point"]["geometryType"]) == ("line", "point")
    assert all(row["points"]["exterior"] for row in shapes.values())
    assert lost["circles"] == 1


def test_lines_and_points_bound_no_area_so_that_they_get_no_box(tmp_path: Path) -> None:
    out, lost = converted(labelme(tmp_path / "in", list(SHAPES)), "voc")
    (item,) = fs.open(out, "voc")
    assert [thing.category.name for thing in item.objects if thing.category] == ["circle"]
    assert lost["objects not written (lines, which bound no area)"] == 1
    assert lost["objects not written (points, which bound no area)"] == 1


def test_lines_and_points_are_written_by_their_boxes_where_the_user_says_so(tmp_path: Path) -> None:
    data = labelme(tmp_path / "in", list(SHAPES))
    out, lost = converted(data, "yolo_ultralytics", on=["GEOMETRY=fix"], options={"task": "detect"})
    rows = [row.split() for row in (out / "labels/train/a.txt").read_text().splitlines()]
    assert [[float(value) for value in row[1:]] for row in rows][1] == pytest.approx([7 / 40, 6 / 30, 10 / 40, 6 / 30])
    assert len(rows) == 3 and not any("not written" in what for what in lost)
    assert (lost["polylines"], lost["keypoints"], lost["circles"]) == (1, 1, 1)


def test_quadrilaterals_stay_what_they_are_where_a_target_holds_four_corners(tmp_path: Path) -> None:
    corners = [4, 3, 24, 5, 22, 18, 3, 15]
    line = " ".join(map(str, corners))
    files = {
        "train/images/a.png": image_bytes(40, 30, "png"),
        "train/labelTxt/a.txt": f"{line} ship 0\n4 3 8 3 8 9 4 9 car 0\n",
    }
    out, lost = converted(put(tmp_path / "in", files), "yolo_ultralytics")
    rows = [row.split() for row in (out / "labels/train/a.txt").read_text().splitlines()]
    assert all(len(row) == 9 for row in rows)
    ship = next(row for row in rows if row[0] == "1")
    fractions = [value / (40, 30)[place % 2] for place, value in enumerate(corners)]
    assert [float(value) for value in ship[1:]] == pytest.approx(fractions, abs=1e-9)
    assert "polygons" not in lost and "rotated boxes" not in lost


def test_the_area_is_that_of_the_turned_box_that_is_written(tmp_path: Path) -> None:
    x, y = 20, 15
    cosine, sine = math.cos(math.radians(30)), math.sin(math.radians(30))
    ring = [
        coordinate
        for dx, dy in ((-5, -3.25), (5, -3.25), (5, 3.25), (-5, 3.25))
        for coordinate in (x + dx * cosine - dy * sine, y + dx * sine + dy * cosine)
    ]
    files = {
        "train/images/a.png": image_bytes(40, 30, "png"),
        "train/labelTxt/a.txt": " ".join(map(repr, ring)) + " plane 0\n",
    }
    out, _ = converted(put(tmp_path / "in", files), "coco")
    (row,) = json.loads((out / "annotations/instances_train.json").read_text())["annotations"]
    assert row["area"] == pytest.approx(65)


def test_a_path_inside_another_is_a_hole(tmp_path: Path) -> None:
    def square(x: float, y: float, side: float) -> list[dict[str, float]]:
        return [{"x": a, "y": b} for a, b in ((x, y), (x + side, y), (x + side, y + side), (x, y + side))]

    def document(*paths: Any) -> str:
        slots = [{"type": "image", "slot_name": "0", "width": 40, "height": 30}]
        return json.dumps({
            "version": "2.0",
            "item": {"name": "a.png", "path": "/", "slots": slots},
            "annotations": [{"id": "1", "name": "ring", "polygon": {"paths": list(paths)}, "properties": [],
                             "slot_names": ["0"]}],
        })  # fmt: skip

    image = {"images/a.png": image_bytes(40, 30, "png")}
    for paths, area in (
        ([square(0, 0, 20), square(5, 5, 10)], 300),
        ([square(0, 0, 10), square(15, 5, 10)], 200),
    ):
        data = put(tmp_path / str(area), {**image, "annotations/a.json": document(*paths)})
        out, _ = converted(data, "coco")
        (file,) = out.glob("annotations/instances_*.json")
        (row,) = json.loads(file.read_text())["annotations"]
        assert row["area"] == area
        back = tmp_path / f"back{area}"
        fs.convert(data, to="v7_darwin", out=back)
        assert json.loads((back / "annotations/a.json").read_text()) == json.loads(document(*paths))


def test_boxes_are_turned_about_their_corner(tmp_path: Path) -> None:
    """A quarter turn about (20, 5) puts a box of 10 x 4 between x = 16 and 20, y = 5 and 15."""
    task = {
        "id": 1, "file_upload": "a.png", "data": {"image": "/data/upload/a.png"},
        "annotations": [{"result": [{
            "original_width": 40, "original_height": 30, "image_rotation": 0, "from_name": "label", "to_name": "image",
            "id": "r", "type": "rectanglelabels",
            "value": {"x": 50, "y": 100 / 6, "width": 25, "height": 4 / 0.3, "rotation": 90,
                      "rectanglelabels": ["car"]},
        }]}],
    }  # fmt: skip
    scale = [{
        "task_id": "t", "params": {"attachment": "a.png"},
        "response": {"annotations": [{"uuid": "u", "label": "car", "type": "box", "left": 20, "top": 5, "width": 10,
                                      "height": 4, "rotation": math.pi / 2}]},
    }]  # fmt: skip
    for name, document in (("label_studio", [task]), ("scale_ai", scale)):
        data = put(tmp_path / name, {"images/a.png": image_bytes(40, 30, "png"), "train.json": json.dumps(document)})
        (item,) = fs.open(data, name)
        (thing,) = item.objects
        assert thing.rotated == pytest.approx((18, 10, 10, 4, 90)), name
        back = tmp_path / f"{name}-back"
        fs.convert(coco(tmp_path / f"{name}-coco", [{"bbox": [1, 2, 3, 4], "area": 12}]), to=name, out=back)
        (item,) = fs.open(back, name)
        assert item.objects[0].bbox == pytest.approx((1, 2, 3, 4)) and item.objects[0].rotated is None


OPAQUE = """
formatspec: 1
name: opaque
files:
  image: "{name}.png"
  record:
    path: "{name}.json"
    json:
      rows:
        - each: objects
          class: category.name
          one of:
            - {kind: = 'box', box: bbox | xywh}
            - {kind: = 'solid', corners: keep}
"""


def test_a_shape_that_is_only_kept_is_never_made(tmp_path: Path) -> None:
    """An object without a shape would stand there as one whose corners are missing, which nobody reads."""
    spec = tmp_path / "opaque.yaml"
    spec.write_text(OPAQUE)
    rows = [
        {"class": "cat", "kind": "solid", "corners": [1, 2, 3]},
        {"class": "dog", "kind": "box", "box": [1, 2, 3, 4]},
    ]
    data = put(tmp_path / "in", {"a.png": image_bytes(40, 30, "png"), "a.json": json.dumps({"rows": rows})})
    copy, lost = converted(data, spec, spec=spec, where="true")
    assert json.loads((copy / "a.json").read_text()) == {"rows": rows} and not lost
    through, _ = converted(data, "datumaro", spec=spec)
    out, lost = converted(through, spec)
    kinds = [row["kind"] for row in json.loads((out / "a.json").read_text())["rows"]]
    assert kinds == ["box"] and not fs.open(out, spec).findings


@pytest.mark.parametrize("radius", [3.25, 3.75, 0.1, 7.3])
def test_a_circle_that_went_through_an_ellipse_in_percent_is_a_circle(tmp_path: Path, radius: float) -> None:
    from formatspec.model import derive
    from formatspec.model.records import Object

    width, height = 23, 7
    rx, ry = (radius / size * 100 / 100 * size for size in (width, height))
    assert derive.circle(Object(ellipse=(12, 3, rx, ry, 0))) == pytest.approx((12, 3, radius))
    assert derive.circle(Object(ellipse=(12, 3, radius, radius * 1.001, 0))) is None


def test_an_object_whose_keypoints_are_all_unlabelled_is_written_by_its_box(tmp_path: Path) -> None:
    """Rows of poses have places for keypoints of every object: a skeleton at the corner of the image says nothing."""
    labels = "0 0.5 0.5 0.2 0.2 0 0 0 0 0 0\n0 0.25 0.5 0.2 0.2 0.25 0.5 2 0.2 0.5 1\n"
    data = put(
        tmp_path / "in",
        {
            "images/train/a.png": image_bytes(40, 30, "png"),
            "labels/train/a.txt": labels,
            "data.yaml": "path: .\ntrain: images/train\nval: images/train\nnames: [cat]\nkpt_shape: [2, 3]\n",
        },
    )
    out, lost = converted(data, "cvat_images")
    (item,) = fs.open(out, "cvat_images")
    boxed, posed = item.objects
    assert boxed.bbox == pytest.approx((16, 12, 8, 6)) and not boxed.keypoints
    assert len(posed.keypoints) == 2 and lost["boxes"] == lost["keypoints"] == 1


@pytest.mark.parametrize("to", ["ade20k2017", "ade20k2020", "coco_panoptic"])
def test_a_box_alone_has_no_pixels(to: str, tmp_path: Path) -> None:
    rows = [outlined(1, 2, 8, 9), {"bbox": [20, 20, 5, 5], "area": 25}]
    out, lost = converted(coco(tmp_path / "in", rows), to)
    assert lost["objects not written (no region)"] == 1
    assert [len(item.objects) for item in fs.open(out, to)] == [1]


CVAT = """<annotations><version>1.1</version>
  <meta><task><id>5</id><labels><label><name>person</name><type>skeleton</type></label>
  <label><name>head</name><type>points</type><parent>person</parent></label>
  <label><name>foot</name><type>points</type><parent>person</parent></label>
  <label><name>car</name></label></labels></task></meta>
  <image id="0" name="a.png" width="40" height="30">{}</image></annotations>"""
SKELETON = """<skeleton label="person" source="manual" z_order="0">
  <points label="head" source="manual" outside="0" occluded="0" points="11.00,12.00"></points>
  <points label="foot" source="manual" outside="1" occluded="0" points="13.00,22.00"></points></skeleton>"""
POINTS = '<points label="car" source="manual" occluded="0" points="1.00,1.00;5.00,8.00" z_order="0"></points>'
CUBOID = """<cuboid label="car" source="manual" occluded="0" xtl1="1" ytl1="1" xbl1="1" ybl1="5" xtr1="5" ytr1="1"
  xbr1="5" ybr1="5" xtl2="7" ytl2="1" xbl2="7" ybl2="4" xtr2="3" ytr2="1" xbr2="3" ybr2="4" z_order="0"></cuboid>"""


def cvat(folder: Path, *shapes: str) -> Path:
    """A dataset of CVAT with one image and these shapes."""
    files = {"images/a.png": image_bytes(40, 30, "png"), "annotations.xml": CVAT.format("".join(shapes))}
    return put(folder, files)


@pytest.mark.parametrize(
    "to",
    ["labelme", "supervisely", "label_studio", "labelbox", "v7_darwin", "voc", "via_json", "via3_project", "celeba"],
)
def test_one_visible_point_is_no_box_without_an_area(tmp_path: Path, to: str) -> None:
    out, lost = converted(cvat(tmp_path / "in", SKELETON), to)
    assert lost["objects not written (points, which bound no area)"] == 1
    assert not any(item.objects for item in fs.open(out, to))


@pytest.mark.parametrize("to", ["via_json", "via_csv"])
def test_no_shape_is_without_points(tmp_path: Path, to: str) -> None:
    """Points that VIA has no shape for are written by their box, and what has no geometry is named as not written."""
    out, lost = converted(cvat(tmp_path / "in", CUBOID, POINTS), to)
    (item,) = fs.open(out, to)
    assert [thing.bbox for thing in item.objects] == [(1, 1, 4, 7)]
    assert sum(count for what, count in lost.items() if what.startswith("objects not written")) == 1
    assert lost["keypoints"] == 1


def test_a_circle_has_no_empty_outline_beside_its_box(tmp_path: Path) -> None:
    out, _ = converted(labelme(tmp_path / "in", ["circle"]), "v7_darwin")
    (file,) = out.glob("releases/latest/annotations/*.json")
    (row,) = json.loads(file.read_text())["annotations"]
    assert "polygon" not in row and ("ellipse" in row or "bounding_box" in row)


def test_circles_are_written_by_their_boxes_as_xml_of_the_web_tool(tmp_path: Path) -> None:
    out, lost = converted(labelme(tmp_path / "in", list(SHAPES)), "labelme_xml")
    (item,) = fs.open(out, "labelme_xml")
    assert [thing.bbox for thing in item.objects] == [(14, 9, 12, 12)]
    assert lost["circles"] == 1 and lost["objects not written (lines, which bound no area)"] == 1


def test_rows_that_follow_others_in_their_order_pass_over_objects_without_a_row(tmp_path: Path) -> None:
    """A manifest states the confidence of each box in a second list, in the order of the boxes."""
    data = labelme(tmp_path / "in", ["line", "circle"])
    out, _ = converted(data, "sagemaker")
    (manifest,) = out.glob("*.manifest")
    row = json.loads(manifest.read_text())
    assert len(row["bounding-box"]["annotations"]) == len(row["bounding-box-metadata"]["objects"]) == 1
