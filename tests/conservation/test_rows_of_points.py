"""Rows of keypoints in tables of one width: those with fewer points are filled up, and others are reported."""

from __future__ import annotations

from pathlib import Path

import pytest
from coco_like import coco_document, coco_files
from small_datasets import converted, put

import formatspec as fs


def rows_of(points: list[int], names: list[int]) -> dict[str, bytes | str]:
    """A COCO dataset with one object for each number of keypoints; the categories name as many as `names` says."""
    rows = [
        {"bbox": [2, 2, 20, 20], "area": 400, "category_id": place + 1, "iscrowd": 0,
         "keypoints": [5 + place, 5, 2] * count, "num_keypoints": count}
        for place, count in enumerate(points)
    ]  # fmt: skip
    document = coco_document([("a.png", 40, 30)], rows, tuple(f"c{place}" for place in range(len(points))))
    for category, count in zip(document["categories"], names, strict=False):
        category["keypoints"] = [f"p{number}" for number in range(count)]
    return {path.replace("instances", "person_keypoints"): data for path, data in coco_files(document).items()}


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize(
    ("points", "names", "most"),
    [([3, 2, 1], [3, 2, 1], 3), ([1, 2], [], 2), ([2, 3], [2], 3)],
    ids=["named", "bare", "both"],
)
def test_rows_of_keypoints_have_one_length(
    tmp_path: Path, points: list[int], names: list[int], most: int, dims: int
) -> None:
    out, _ = converted(put(tmp_path / "in", rows_of(points, names)), "yolo_ultralytics", options={"dims": dims})
    (label,) = out.glob("labels/*/*.txt")
    rows = [line.split() for line in label.read_text().splitlines()]
    assert {len(row) for row in rows} == {5 + most * dims}
    assert f"kpt_shape:\n- {most}\n- {dims}" in (out / "data.yaml").read_text()
    assert all(
        word in ("0", "0.0") for row, count in zip(rows, points, strict=True) for word in row[5 + count * dims :]
    )
    assert not [finding for finding in fs.validate(out, "yolo_ultralytics").findings if finding.level == "error"]


def test_a_row_of_another_length_is_an_error(tmp_path: Path) -> None:
    out, _ = converted(put(tmp_path / "in", rows_of([3, 2], [3, 2])), "yolo_ultralytics")
    (label,) = out.glob("labels/*/*.txt")
    first, second = label.read_text().splitlines()
    label.write_text(f"{first}\n{' '.join(second.split()[:-3])}\n")
    (found,) = (one for one in fs.validate(out, "yolo_ultralytics").findings if one.code == "ROW_LENGTH")
    assert found.level == "error" and str(found.pointer).endswith("/1")
