"""Fields that a format keeps or does not know: each is written back, or a line of the report names it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small_datasets import coco, converted, outlined, put

import formatspec as fs
from formatspec.engine.read import generate_rows
from formatspec.engine.read.rows import table_row
from formatspec.run.conversion.plan import RefusedError, UnaccountedError
from formatspec.testing.memory import image_bytes

BOX = {"bbox": [20, 3, 4, 4], "area": 16}
ROWS = [
    outlined(1, 1, 5, 5, track_id=7, rotation=None),
    outlined(10, 10, 6, 6, track_id=8),
    outlined(20, 5, 8, 8, note="far"),
]


def kept(lost: dict[str, int]) -> dict[str, int]:
    """The lines of kept fields and rows."""
    return {what: count for what, count in lost.items() if what.startswith("kept ")}


@pytest.mark.parametrize("to", ["yolo_ultralytics", "voc", "labelme", "coco_panoptic"])
def test_unknown_fields_are_named_where_a_target_does_not_get_them(to: str, tmp_path: Path) -> None:
    data = coco(tmp_path / "in", ROWS)
    _, lost = converted(data, to)
    assert kept(lost) == {"kept fields: track_id": 2, "kept fields: note": 1}


def test_lossless_fails_on_kept_fields_unless_the_user_accepts_them(tmp_path: Path) -> None:
    data = coco(tmp_path / "in", [{"bbox": [1, 1, 5, 5], "area": 25, "confidence": 0.5}])
    with pytest.raises(RefusedError) as refused:
        fs.convert(data, to="yolo_ultralytics", out=tmp_path / "no", lossless=True)
    assert "kept fields: confidence (1 object)" in refused.value.losses
    assert not (tmp_path / "no").exists()
    accepted = ["kept fields: confidence", "object ids", "image ids"]
    fs.convert(data, to="yolo_ultralytics", out=tmp_path / "yes", lossless=True, allow_loss=accepted)
    fs.convert(data, to="coco", out=tmp_path / "same", lossless=True, where="true")
    (row,) = json.loads((tmp_path / "same/annotations/instances_train.json").read_text())["annotations"]
    assert row["confidence"] == 0.5


def test_what_is_left_out_by_the_user_takes_its_kept_fields_along(tmp_path: Path) -> None:
    data = coco(tmp_path / "in", [*ROWS, outlined(30, 20, 4, 4, category_id=2, track_id=9)])
    _, lost = converted(data, "voc", labels={"dog": None})
    assert kept(lost) == {"kept fields: track_id": 2, "kept fields: note": 1}


def test_kept_fields_of_images_categories_and_files_are_named(tmp_path: Path) -> None:
    data = coco(tmp_path / "in", [outlined(1, 1, 5, 5)], [{"name": "cat", "colour_of_eyes": "green"}, "dog"])
    file = data / "annotations/instances_train.json"
    document = json.loads(file.read_text())
    document["images"][0].update(license=3, flickr_url="http://example.org/a", date_captured=None)
    document["info"] = {"year": 2017}
    file.write_text(json.dumps(document))
    _, lost = converted(data, "voc")
    assert kept(lost) == {
        "kept fields: license": 1, "kept fields: flickr_url": 1, "kept fields: info": 1,
        "kept fields: colour_of_eyes": 1,
    }  # fmt: skip


CARRIED = """
formatspec: 1
name: carried
files:
  image: "{name}.png"
  record:
    path: "{name}.json"
    json:
      source?: keep else 'camera'
      size?: keep else image.width
      tags: &none keep else []
      marks?: keep else [0, 1]
      shapes:
        - one of:
            - {each: objects, kind: = 'box', name: category.name, box: bbox | xywh, where: {"*": keep}, "more?": *none}
            - {each: items, kind: keep, "*": keep}
"""


def test_rows_that_are_only_carried_along_are_counted_by_their_kind(tmp_path: Path) -> None:
    (tmp_path / "carried.yaml").write_text(CARRIED)
    shapes = [
        {"kind": "box", "name": "cat", "box": [1, 2, 3, 4], "where": {"room": "kitchen", "floor": None}},
        {"kind": "cuboid", "sides": [1, 2, 3]},
        {"kind": "cuboid", "sides": [4, 5, 6]},
        {"kind": "box", "name": "cat", "box": [5, 6, 7, 8], "where": {"room": "hall"}, "new": 1, "more": ["wet"]},
    ]
    document = {"source": "phone", "size": 40, "tags": ["old"], "marks": [0, 1], "shapes": shapes}
    data = put(tmp_path / "in", {"a.png": image_bytes(40, 30, "png"), "a.json": json.dumps(document)})
    spec = tmp_path / "carried.yaml"
    result = fs.convert(data, spec=spec, to="coco", out=tmp_path / "out")
    assert [line for line in result.losses if line.startswith("kept ")] == [
        "kept fields: more (1 object)", "kept fields: new (1 object)", "kept fields: room (2 objects)",
        "kept fields: source (1 item)", "kept fields: tags (1 item)", "kept rows: shapes cuboid (2 rows)",
    ]  # fmt: skip
    fs.convert(data, spec=spec, to=spec, out=tmp_path / "same", where="true", lossless=True)
    assert json.loads((tmp_path / "same/a.json").read_text()) == document
    document["source"] = "camera"
    (data / "a.json").write_text(json.dumps(document))
    result = fs.convert(data, spec=spec, to="coco", out=tmp_path / "again")
    assert not any("source" in line for line in result.losses)


def test_files_that_are_only_carried_along_are_counted(tmp_path: Path) -> None:
    files = {
        "s1/img1/000001.png": image_bytes(40, 30, "png"),
        "s1/gt/gt.txt": "1,1,2,3,4,5,1,1,1\n",
        "s1/det/det.txt": "1,-1,2,3,4,5,0.99\n",
    }
    _, lost = converted(put(tmp_path / "in", files), "coco")
    assert kept(lost) == {"kept files: detections": 1}


@pytest.mark.parametrize("rows", [ROWS, []])
def test_outlines_are_judged_where_a_target_does_not_get_kept_fields(
    rows: list[dict[str, Any]], tmp_path: Path
) -> None:
    """The shape of outlines is checked though nobody asks for them, whichever reader reads their rows."""
    data = coco(tmp_path / "in", [*rows, {**BOX, "segmentation": [[20, 3, 24, 7]]}])
    with pytest.raises(RefusedError, match="1 finding stops") as refused:
        fs.convert(data, to="yolo_ultralytics", out=tmp_path / "out")
    assert [finding.code for finding in refused.value.findings] == ["POLYGON"]


def test_the_fast_reader_and_the_one_that_judges_name_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = coco(tmp_path / "in", ROWS)
    _, fast = converted(data, "yolo_ultralytics")
    monkeypatch.setattr(generate_rows.FastRows, "take", lambda *rest: False)
    _, slow = converted(data, "yolo_ultralytics")
    assert fast == slow


def lost_by_the_fast_reader(patch: pytest.MonkeyPatch) -> None:
    note = generate_rows.note_kept
    patch.setattr(
        generate_rows, "note_kept", lambda record, key: None if key == "track_id" else note(record, key)
    )  # fmt: skip


def lost_by_the_reader_that_judges(patch: pytest.MonkeyPatch) -> None:
    keep = table_row.keep_row

    def lossy(reader: Any, record: Any, outer: Any, state: Any) -> None:
        record.pop("$kept", None)
        keep(reader, record, outer, state)

    patch.setattr(table_row, "keep_row", lossy)


@pytest.mark.parametrize("leak", [lost_by_the_fast_reader, lost_by_the_reader_that_judges])
def test_a_kept_field_that_a_reader_loses_is_found(
    leak: Callable[[pytest.MonkeyPatch], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if leak is lost_by_the_reader_that_judges:
        monkeypatch.setattr(generate_rows.FastRows, "take", lambda *rest: False)
    data = coco(tmp_path / "in", ROWS)
    leak(monkeypatch)
    with pytest.raises(UnaccountedError) as fault:
        fs.convert(data, to="yolo_ultralytics", out=tmp_path / "out", workers=1)
    assert fault.value.losses[0].startswith("kept fields: ")
    assert not (tmp_path / "out").exists()


LISTED = """
formatspec: 1
name: listed
files:
  image: "{name}.png"
  record:
    path: "{name}.json"
    json:
      views: [{each: items, file: "{name}.png", "*": keep}]
      boxes: [{each: objects, name: category.name, box: bbox | xywh}]
"""


def test_every_row_that_tells_of_an_item_comes_back(tmp_path: Path) -> None:
    """Several rows of one table tell of the item; all but the last were gone from what is encoded anew."""
    (tmp_path / "listed.yaml").write_text(LISTED)
    document = {
        "views": [{"file": "a.png", "angle": 1}, {"file": "a.png", "angle": 2}, {"file": "a.png"}],
        "boxes": [{"name": "cat", "box": [1, 2, 3, 4]}],
    }
    data = put(tmp_path / "in", {"a.png": image_bytes(40, 30, "png"), "a.json": json.dumps(document)})
    spec = tmp_path / "listed.yaml"
    fs.convert(data, spec=spec, to=spec, out=tmp_path / "same", where="true", lossless=True)
    assert json.loads((tmp_path / "same/a.json").read_text()) == document


def test_an_item_whose_row_has_an_unknown_field_stands(tmp_path: Path) -> None:
    rows = [
        {"image": name, "annotations": [{"label": "cat", "coordinates": {"x": 5, "y": 6, "width": 4, "height": 2}}]}
        for name in ("a.png", "b.png")
    ]
    rows[0]["checked"] = "yes"
    images = {f"train/{name}": image_bytes(40, 30, "png") for name in ("a.png", "b.png")}
    data = put(tmp_path / "in", {**images, "train/_annotations.createml.json": json.dumps(rows)})
    fs.convert(data, to="createml", out=tmp_path / "same", lossless=True, where="true")
    assert json.loads((tmp_path / "same/train/_annotations.createml.json").read_text()) == rows
    _, lost = converted(data, "voc")
    assert kept(lost) == {"kept fields: checked": 1}


FITTING = """
formatspec: 1
name: fitting
files:
  image: "{name}.png"
  label:
    path: "{name}.txt"
    lines:
      each: objects
      lines:
        one of:
          - "{category.name:words} {rotated | corners(0.01) | flat(8)}"
          - "{category.name:words} {polygon | flat(8)}"
          - "{category.name:words} {bbox | xywh}{keep}"
"""


def test_an_alternative_of_a_line_that_was_not_taken_is_no_field(tmp_path: Path) -> None:
    """A line of four corners fits as a turned box and as an outline: what is read is all that it says."""
    (tmp_path / "fitting.yaml").write_text(FITTING.strip(), "utf-8")
    lines = "car 1 1 9 1 9 5 1 5\ncar 1 1 9 1 12 5 1 9\nbus 1 2 3 4 !\n"
    data = put(tmp_path / "in", {"a.png": image_bytes(40, 30, "png"), "a.txt": lines})
    result = fs.convert(data, to="datumaro", out=tmp_path / "out", spec=str(tmp_path / "fitting.yaml"), workers=1)
    kept_lines = [line for line in result.losses if line.startswith("kept")]
    assert kept_lines == ["kept fields: text (1 object)"]


def test_labels_of_other_annotators_are_counted(tmp_path: Path) -> None:
    def label(name: str, creator: str, kind: str = "Default") -> dict[str, Any]:
        box = {"left": 1, "top": 2, "width": 3, "height": 4}
        thing = {"feature_id": name, "name": name, "annotation_kind": "ImageBoundingBox", "bounding_box": box}
        return {"label_kind": kind, "label_details": {"created_by": creator}, "annotations": {"objects": [thing]}}

    labels = {"p1": [label("a", "ann@x"), label("b", "bob@x")], "p2": [label("c", "cat@x")]}
    row = {
        "data_row": {"id": "1", "external_id": "a.png", "row_data": "a.png"},
        "media_attributes": {"width": 40, "height": 30},
        "projects": {name: {"labels": some} for name, some in labels.items()},
    }
    data = put(tmp_path / "in", {"train.ndjson": json.dumps(row), "images/a.png": image_bytes(40, 30, "png")})
    _, lost = converted(data, "coco", spec="labelbox", options={"annotator": "bob@x"})
    assert kept(lost)["kept rows: labels Default"] == 2
