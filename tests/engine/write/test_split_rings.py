"""Lists whose rows hold one ring each: an object of several rings is several rows, read and written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import formatspec as fs
from formatspec.language.errors import SpecError
from formatspec.model.records import Object
from formatspec.testing.memory import image_bytes

SPEC = "labelme"


def square(x: int, y: int) -> list[list[int]]:
    return [[x, y], [x + 5, y], [x + 5, y + 5], [x, y + 5]]


def shape(label: str, group: int | None, points: list[list[int]], kind: str = "polygon", **more: Any) -> dict[str, Any]:
    return {"label": label, "points": points, "group_id": group, "shape_type": kind, **more}


def dataset(folder: Path, shapes: list[dict[str, Any]]) -> Path:
    folder.mkdir()
    (folder / "p.png").write_bytes(image_bytes(40, 40, "png"))
    document = {"version": "5.5.0", "shapes": shapes, "imagePath": "p.png", "imageData": None}
    (folder / "p.json").write_text(json.dumps(document, indent=2), encoding="utf-8")
    return folder


def objects(folder: Path) -> tuple[Object, ...]:
    (item,) = fs.open(folder, SPEC)
    return item.objects


SHAPES = [
    shape("car", 1, square(0, 0), more=[1]),
    shape("dog", 1, square(20, 0)),
    shape("car", 1, square(10, 10), description="far", more=[2]),
    shape("car", 2, square(20, 20)),
    shape("cat", None, square(1, 1)),
    shape("cat", None, square(2, 1)),
    shape("car", 1, [[0, 0], [4, 4]], "rectangle"),
]


def test_polygons_of_one_group_and_label_are_one_object(tmp_path: Path) -> None:
    found = objects(dataset(tmp_path / "a", SHAPES))
    assert [(o.category.name, o.group, len(o.polygons)) for o in found if o.category] == [
        ("car", 1, 2), ("dog", 1, 1), ("car", 2, 1), ("cat", None, 1), ("cat", None, 1), ("car", 1, 0),
    ]  # fmt: skip


def test_rows_of_rings_come_back_where_and_as_they_stood(tmp_path: Path) -> None:
    source = dataset(tmp_path / "a", SHAPES)
    assert not fs.convert(source, to=SPEC, out=tmp_path / "b", spec=SPEC, labels={"dog": "wolf"}).losses
    expected = json.loads((source / "p.json").read_text("utf-8"))
    expected["shapes"][1]["label"] = "wolf"
    assert json.loads((tmp_path / "b" / "p.json").read_text("utf-8")) == expected


def test_two_polygons_reach_coco_as_one_annotation_and_come_back(tmp_path: Path) -> None:
    source = dataset(tmp_path / "a", SHAPES)
    fs.convert(source, to="coco", out=tmp_path / "b", spec=SPEC)
    (file,) = (tmp_path / "b").glob("annotations/instances_*.json")
    rows = json.loads(file.read_text("utf-8"))["annotations"]
    assert [len(row.get("segmentation", ())) for row in rows] == [2, 1, 1, 1, 1, 0]
    assert rows[0]["bbox"] == [0, 0, 15, 15] and rows[0]["area"] == 50
    fs.convert(tmp_path / "b", to=SPEC, out=tmp_path / "c", spec="coco")
    (again,) = (tmp_path / "c").rglob("p.json")
    shapes = json.loads(again.read_text("utf-8"))["shapes"]
    assert [(one["label"], one["group_id"]) for one in shapes[:3]] == [("car", 1), ("car", 1), ("dog", None)]
    assert [thing.polygons for thing in objects(again.parent)] == [thing.polygons for thing in objects(source)]


def test_objects_that_share_a_group_stay_apart_and_that_is_a_loss(tmp_path: Path) -> None:
    root = tmp_path / "a"
    root.mkdir()
    (root / "p.png").write_bytes(image_bytes(40, 40, "png"))
    rows = [
        {"kind": "car", "group": group, "ring": [x, 0, x + 5, 0, x + 5, 5]} for group, x in ((7, 0), (7, 10), (8, 20))
    ]
    (root / "p.json").write_text(json.dumps(rows), encoding="utf-8")
    spec = tmp_path / "rows.yaml"
    spec.write_text(
        "formatspec: 1\nname: rows\nfiles:\n  image: '{name}.{ext:image}'\n  rows: {path: '{name}.json', "
        "json: [{each: objects, kind: category.name, group: group, ring: polygon | flat}]}\n",
        encoding="utf-8",
    )
    result = fs.convert(root, to=SPEC, out=tmp_path / "b", spec=str(spec))
    assert [line for line in result.losses if line.startswith("groups")] == ["groups: 1 object"]
    shapes = json.loads((tmp_path / "b" / "p.json").read_text("utf-8"))["shapes"]
    assert [one["group_id"] for one in shapes] == [7, None, 8]


def test_rows_of_one_object_that_differ_elsewhere_are_a_finding(tmp_path: Path) -> None:
    shapes = [shape("car", 1, square(0, 0), description="near"), shape("car", 1, square(9, 9), description="far")]
    source = dataset(tmp_path / "a", shapes)
    (finding,) = fs.validate(source, SPEC).findings
    assert (finding.code, finding.level, finding.pointer) == ("ROWS_UNLIKE", "warning", "/shapes/1")
    (thing,) = objects(source)
    assert thing.attributes["description"] == "near"
    fs.convert(source, to=SPEC, out=tmp_path / "b", spec=SPEC)
    assert (tmp_path / "b" / "p.json").read_bytes() == (source / "p.json").read_bytes()


@pytest.mark.parametrize("each", ["labels in rings by category, group", "objects in rings by category"])
def test_a_table_in_rings_says_which_rings_belong_together(tmp_path: Path, each: str) -> None:
    spec = tmp_path / "made_up.yaml"
    spec.write_text(
        "formatspec: 1\nname: made_up\nfiles:\n  image: '{name}.{ext:image}'\n"
        f"  notes: {{path: '{{name}}.json', json: [{{each: '{each}', kind: category.name}}]}}\n",
        encoding="utf-8",
    )
    with pytest.raises(SpecError, match="which rings are one object's"):
        fs.open(tmp_path, str(spec))


def test_groups_of_equal_numbers_and_other_types_are_apart(tmp_path: Path) -> None:
    shapes = [
        {**SHAPES[0], "label": "car", "group_id": group, "points": [[x, 0], [x + 5, 0], [x + 5, 5]]}
        for group, x in ((1, 0), (True, 10), (1, 20))
    ]
    assert [len(thing.polygons) for thing in objects(dataset(tmp_path / "a", shapes))] == [2, 1]


VOID = [
    shape("__ignore__", None, square(0, 0)),
    shape("car", 1, square(10, 10)),
    shape("__ignore__", None, [[30, 30], [35, 36]], "rectangle"),
    shape("_background_", None, square(20, 20)),
    shape("car", 1, square(30, 0)),
]


def test_shapes_that_say_nothing_of_their_pixels_are_void_and_stand_where_they_stood(tmp_path: Path) -> None:
    source = dataset(tmp_path / "a", VOID)
    (item,) = fs.open(source, SPEC)
    assert [(thing.category.name, len(thing.polygons)) for thing in item.objects if thing.category] == [("car", 2)]
    assert item.void is not None and item.void.area == 5 * 5 + 5 * 6
    fs.convert(source, to=SPEC, out=tmp_path / "b", spec=SPEC, where="true")
    assert json.loads((tmp_path / "b" / "p.json").read_text("utf-8"))["shapes"] == VOID


def test_a_conversion_names_void_and_kept_shapes(tmp_path: Path) -> None:
    losses = fs.convert(dataset(tmp_path / "a", VOID), to="coco", out=tmp_path / "b", spec=SPEC).losses
    named = "\n".join(losses)
    assert "void pixels: 1 item" in named and "kept fields: points (1 item)" in named


def test_two_tables_of_objects_do_not_share_a_list_in_rings(tmp_path: Path) -> None:
    (tmp_path / "two.yaml").write_text(
        """
formatspec: 1
name: two
files:
  image: "{name}.{ext:image}"
  record:
    path: "{name}.json"
    json:
      shapes:
        - one of:
            - {each: "objects in rings by category, group", label: category.name, "g?": group, points: polygon | pairs}
            - {each: objects, kind: category.name, box: bbox | xywh}
""",
        "utf-8",
    )
    with pytest.raises(SpecError, match="no other table of objects"):
        fs.convert(dataset(tmp_path / "a", VOID), to=tmp_path / "two.yaml", out=tmp_path / "b", spec=SPEC)
