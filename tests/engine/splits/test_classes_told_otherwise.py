"""Files that say different things about one class: said, and an error where keypoints would get wrong names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from coco_like import coco_document, image_bytes, put

import formatspec as fs
from formatspec.run.conversion.plan import RefusedError

POINTS = {"bbox": [1, 1, 20, 20], "area": 400, "keypoints": [2, 2, 2, 9, 9, 2], "num_keypoints": 2}


def person(keypoints: list[str], **more: Any) -> dict[str, Any]:
    return {"id": 3, "name": "person", "keypoints": keypoints, "skeleton": [[1, 2]], **more}


def keypoint_files(subset: str, name: str, category: dict[str, Any]) -> dict[str, Any]:
    document = coco_document([(f"{name}.jpg", 40, 30)], [{**POINTS, "category_id": 3}], [category])
    return {
        f"images/{subset}/{name}.jpg": image_bytes(40, 30, len(name)),
        f"annotations/person_keypoints_{subset}.json": json.dumps(document),
    }


def two_splits(root: Path, one: dict[str, Any], two: dict[str, Any]) -> Path:
    return put(root, {**keypoint_files("train", "a", one), **keypoint_files("val", "bb", two)})


def unlike(result: Any) -> list[tuple[str, str, str]]:
    return [(one.level, one.message, one.expected) for one in result.findings if one.code == "CATEGORY_UNLIKE"]


def test_keypoints_in_another_order_stop_a_conversion(tmp_path: Path) -> None:
    data = two_splits(tmp_path / "in", person(["left", "right"]), person(["right", "left"]))
    words = "the list of keypoints of the class 'person' is not that of annotations/person_keypoints_train.json"
    assert unlike(fs.validate(data)) == [("error", words, "['left', 'right']")]
    with pytest.raises(RefusedError, match="1 finding stops the conversion"):
        fs.convert(data, to="yolo_ultralytics", out=tmp_path / "out")
    fs.convert(data, to="yolo_ultralytics", out=tmp_path / "out", on={"CATEGORY_UNLIKE": "keep"})


def test_one_list_of_keypoints_may_go_on_where_the_other_ends(tmp_path: Path) -> None:
    data = two_splits(tmp_path / "in", person(["left", "right"]), person(["left", "right", "tail"]))
    assert [level for level, *_ in unlike(fs.validate(data))] == ["warning"]


def test_another_parent_is_a_warning_and_none_is_no_finding(tmp_path: Path) -> None:
    names = ["left", "right"]
    data = two_splits(tmp_path / "in", person(names, supercategory="human"), person(names, supercategory="being"))
    words = "the parent of the class 'person' is not that of annotations/person_keypoints_train.json"
    assert unlike(fs.validate(data)) == [("warning", words, "'human'")]
    assert len(unlike(fs.convert(data, to="yolo_ultralytics", out=tmp_path / "out"))) == 1
    assert not unlike(fs.validate(two_splits(tmp_path / "other", person(names, supercategory="human"), person(names))))


def test_merged_datasets_are_judged_in_the_same_way(tmp_path: Path) -> None:
    one = put(tmp_path / "one", keypoint_files("train", "a", person(["left", "right"])))
    two = put(tmp_path / "two", keypoint_files("train", "bb", person(["right", "left"])))
    datasets = [fs.open(one), fs.open(two)]
    with pytest.raises(RefusedError) as caught:
        fs.merge(datasets, tmp_path / "out", to="coco")
    words = "the list of keypoints of the class 'person' is not that of one"
    assert unlike(caught.value) == [("error", words, "['left', 'right']")]
    fs.merge(datasets, tmp_path / "out", to="coco", labels={"nobody": "person"}, on={"CATEGORY_UNLIKE": "keep"})
