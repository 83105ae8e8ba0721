"""Datasets without their images: each annotation arrives, or is named, or nothing is written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_datasets import converted, put

import formatspec as fs
from formatspec.run.conversion.plan import RefusedError
from formatspec.testing.memory import image_bytes

ROWS = {
    "a.jpg": [{"name": "car", "x": 1, "y": 2, "w": 3, "h": 4}],
    "b.jpg": [{"name": "car", "x": 1, "y": 2, "w": 3, "h": 4}, {"name": "dog", "x": 5, "y": 6, "w": 7, "h": 8}],
}
SIZELESS = """
formatspec: 1
name: sizeless
items: rows
files:
  image: "images/{name}.{ext:image}"
  rows:
    path: rows.json
    json:
      "{name}.{ext}":
        each: items
        "": [{each: objects, name: category.name, "x, y, w, h": bbox | xywh}]
"""


def sizeless(folder: Path, images: tuple[str, ...]) -> Path:
    """A dataset of two images without sizes, of which some are there."""
    (folder / "sizeless.yaml").write_text(SIZELESS.replace('"": [', '"#": ['))
    files = {"rows.json": json.dumps(ROWS)}
    return put(folder / "in", {**files, **{f"images/{name}": image_bytes(40, 30, "jpg") for name in images}})


def test_rows_of_an_item_that_cannot_be_listed_are_not_written_but_named(tmp_path: Path) -> None:
    data = sizeless(tmp_path, ("a.jpg",))
    result = fs.convert(data, spec=tmp_path / "sizeless.yaml", to="coco", out=tmp_path / "out", media="none")
    assert result.losses == (
        "items not written (no image.width): 1 item", "objects not written (their item is not): 2 objects",
    )  # fmt: skip
    assert result.items == 1
    (file,) = (tmp_path / "out").rglob("instances*.json")
    document = json.loads(file.read_text())
    listed = {image["id"] for image in document["images"]}
    assert [row["image_id"] in listed for row in document["annotations"]] == [True]


def test_a_dataset_of_which_no_item_can_be_listed_is_refused_with_the_reason(tmp_path: Path) -> None:
    data = sizeless(tmp_path, ())
    with pytest.raises(RefusedError, match=r"coco can hold none of the items: .*no image.width.*2 items"):
        fs.convert(data, spec=tmp_path / "sizeless.yaml", to="coco", out=tmp_path / "out", media="none")


def test_all_files_of_annotations_are_read_where_no_image_is_there(tmp_path: Path) -> None:
    def document(*rows: dict[str, object]) -> str:
        image = {"id": 1, "file_name": "a.jpg", "width": 40, "height": 30}
        category = {"id": 1, "name": "person", "keypoints": ["nose"], "skeleton": []}
        return json.dumps({"images": [image], "annotations": rows, "categories": [category]})

    box = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "area": 12, "iscrowd": 0}
    posed = {**box, "id": 2, "keypoints": [2, 3, 2], "num_keypoints": 1}
    files = {"instances_train": document(box), "person_keypoints_train": document(posed)}
    data = put(tmp_path / "in", {f"annotations/{name}.json": text for name, text in files.items()})
    (item,) = fs.open(data, "coco")
    assert sorted(thing.id for thing in item.objects) == [1, 2]


def test_boxes_by_fractions_are_no_labels_of_the_image_where_it_is_not_there(tmp_path: Path) -> None:
    box = {"label": "car", "x": 0.1, "y": 0.2, "x2": 0.5, "y2": 0.6}
    annotations = {"a.jpg": [box], "b.jpg": [{"label": "car"}]}
    document = {"version": "1.0", "type": "localization", "labels": ["car"], "annotations": annotations}
    data = put(tmp_path / "in", {"_annotations.json": json.dumps(document)})
    with pytest.raises(RefusedError) as refused:
        converted(data, "datumaro", media="none", spec="ibm_cloud")
    assert [finding.expected for finding in refused.value.findings if finding.code == "FIELD"] == [
        "an image of known size"
    ]


@pytest.mark.parametrize("name", ["vott_csv", "udacity", "via_json", "labelbox", "supervisely", "open_images", "yolo"])
def test_annotations_without_images_arrive_or_the_conversion_is_refused(name: str, tmp_path: Path) -> None:
    fs.sample(name, tmp_path / "in", items=4, seed=3)
    images = {item.image.path for item in fs.open(tmp_path / "in", name) if item.image is not None}
    things = sum(len(item.objects) for item in fs.open(tmp_path / "in", name))
    for path in images:
        (tmp_path / "in" / str(path)).unlink(missing_ok=True)
    try:
        result = fs.convert(tmp_path / "in", spec=name, to="coco", out=tmp_path / "out", media="none")
    except RefusedError as refused:
        assert refused.findings or "can hold none" in str(refused)
        return
    lost = sum(line["count"] for line in result.loss_report if line["what"].startswith("objects not written"))
    images_of = {
        file: ({row["id"] for row in document["images"]}, document.get("annotations", []))
        for file in (tmp_path / "out").rglob("*.json")
        if not file.name.startswith(".")
        for document in [json.loads(file.read_text())]
    }
    assert all(row["image_id"] in ids for ids, rows in images_of.values() for row in rows)
    written = {(file.stem.rpartition("_")[2], row["id"]) for file, (_, rows) in images_of.items() for row in rows}
    assert len(written) + lost == things
