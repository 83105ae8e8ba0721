"""What a format marks as to be ignored is a crowd: no training box of a target that has no crowds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from small_datasets import coco, converted, outlined, put

import formatspec as fs

PERSON = {"fbox": [1, 1, 5, 6], "tag": "person"}
CROWDHUMAN = json.dumps(
    {
        "ID": "a",
        "gtboxes": [PERSON, {**PERSON, "extra": {"ignore": 1}}, {**PERSON, "tag": "mask", "extra": {"ignore": 1}}],
    }
)
ROWS = {
    "crowdhuman": ({"Images/a.jpg": None, "annotation_train.odgt": CROWDHUMAN}, 2),
    "visdrone_det": (
        {"images/a.jpg": None, "annotations/a.txt": "2,3,5,5,1,4,0,1\n1,1,9,9,0,0,0,0\n5,5,4,4,0,11,0,0,\n"},
        2,
    ),
    "visdrone_vid": (
        {
            "VisDrone2019-VID-train/sequences/s/0000001.jpg": None,
            "VisDrone2019-VID-train/annotations/s.txt": "1,0,2,3,5,5,1,4,0,1\n1,-1,1,1,9,9,0,0,0,0\n",
        },
        1,
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_what_is_to_be_ignored_is_left_out_and_counted(name: str, tmp_path: Path) -> None:
    files, ignored = ROWS[name]
    data = put(tmp_path / "in", files)
    out, lost = converted(data, "yolo_ultralytics", spec=name, options={"task": "detect"})
    assert lost["objects left out (crowds)"] == ignored
    assert sum(len(file.read_text().splitlines()) for file in out.glob("labels/**/*.txt")) == 1
    coco, _ = converted(data, "coco", spec=name)
    rows: list[Any] = [
        row for file in coco.glob("annotations/*.json") for row in json.loads(file.read_text())["annotations"]
    ]
    assert sorted(row["iscrowd"] for row in rows) == [0, *[1] * ignored]


def test_objects_whose_class_is_a_word_of_the_target_for_no_object_are_named(tmp_path: Path) -> None:
    """LabelMe reads shapes of these labels as pixels of no object, so that the objects would be gone when read."""
    rows = [outlined(1, 1, 5, 5, category_id=number) for number in (1, 2, 3)]
    out, lost = converted(coco(tmp_path / "in", rows, ["cat", "__ignore__", "_background_"]), "labelme")
    assert [thing.category.name for item in fs.open(out, "labelme") for thing in item.objects if thing.category] == [
        "cat"
    ]
    assert {what: count for what, count in lost.items() if what.startswith("objects not written")} == {
        "objects not written (no table is for them)": 2
    }
