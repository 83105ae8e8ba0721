"""Nothing is dropped or laid over another in silence, and nothing is said to be lost that is not."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest
from coco_like import coco_document, coco_files
from files_on_disk import put

import formatspec as fs
from formatspec.language.load import available
from formatspec.run.conversion.plan import RefusedError
from formatspec.testing.memory import image_bytes

SQUARE = {"bbox": [1, 1, 4, 4], "area": 16}


def coco(
    names: list[str], rows: list[dict[str, Any]] | None = None, subset: str = "train", first: int = 1
) -> dict[str, dict[str, Any] | bytes]:
    """The files of one subset of COCO; `rows` lie in its first image."""
    boxes = [{"id": 10 * first + i, **SQUARE, **row} for i, row in enumerate(rows or [])]
    images = [(name, 20, 10) for name in names]
    return coco_files(coco_document(images, boxes, [{"name": "c", "supercategory": ""}], first), subset)


@pytest.mark.parametrize(("to", "other"), [("voc", "a.jpg"), ("labelme", "a.png")])
def test_two_items_of_one_name_in_the_target_are_refused(to: str, other: str, tmp_path: Path) -> None:
    """Files of one name in two subsets would be laid over each other where the target has no subsets in its paths."""
    data = put(tmp_path / "in", {**coco(["a.jpg"], [{}]), **coco([other], [{}, {}], "val", 2)})
    with pytest.raises(RefusedError) as refused:
        fs.convert(data, to=to, out=tmp_path / "out")
    (finding,) = refused.value.findings
    assert finding.code == "ITEM_COLLISION" and finding.item == "val/a"
    assert all(word in finding.message for word in ("'train/a'", "'val/a'", "'a'", to))
    assert not (tmp_path / "out").exists()

    result = fs.convert(data, to=to, out=tmp_path / "out", skip_invalid=True)
    assert (result.items, result.skipped) == (1, 1)
    assert [f.code for f in result.findings] == ["ITEM_COLLISION"]
    (item,) = fs.open(tmp_path / "out", to)
    assert item.key == "a" and len(item.objects) == 1


def test_subsets_made_one_do_not_lay_items_over_each_other(tmp_path: Path) -> None:
    data = put(tmp_path / "in", {**coco(["a.jpg"], [{}]), **coco(["a.jpg"], [{}, {}], "val", 2)})
    with pytest.raises(RefusedError) as refused:
        fs.convert(data, to="coco", out=tmp_path / "out", subsets={"val": "train"})
    assert [f.code for f in refused.value.findings] == ["ITEM_COLLISION"]


def test_an_item_that_cannot_be_written_takes_no_name(tmp_path: Path) -> None:
    """The later of two items of one name is written where the first is not."""
    spec = put(tmp_path, {"named.yaml": """\
formatspec: 1
name: named
files:
  image: "{name}.{ext:image}"
  record: {path: "{name}.json", json: {caption: caption.text, "objects": [{each: objects, bbox: bbox | xywh}]}}
"""})  # fmt: skip
    files = {**coco(["a.jpg"], [{}]), **coco(["a.jpg"], [{}], "val", 2)}
    document = {"images": [{"id": 2, "file_name": "a.jpg", "width": 20, "height": 10}],
                "annotations": [{"id": 9, "image_id": 2, "caption": "a cat"}]}  # fmt: skip
    data = put(tmp_path / "in", {**files, "annotations/captions_val.json": json.dumps(document)})
    result = fs.convert(data, to=spec / "named.yaml", out=tmp_path / "out", skip_invalid=True)
    assert (result.items, [f.code for f in result.findings]) == (1, ["CANNOT_WRITE"])
    assert json.loads((tmp_path / "out/a.json").read_text())["caption"] == "a cat"


def rich(folder: Path) -> Path:
    """Three images in COCO: outlines, boxes, a crowd, an area, and two labels and two captions of one image."""
    categories = [{"id": i, "name": n, "supercategory": ""} for i, n in ((1, "person"), (2, "car"), (3, "sky"))]
    images = [{"id": i, "file_name": f"{n}.jpg", "width": 20, "height": 10} for i, n in enumerate("abc", 1)]
    ring = [1, 1, 6, 1, 6, 5, 1, 5]
    crowd = {"size": [10, 20], "counts": [123, 4, 6, 4, 63]}
    shapes: list[tuple[int, int, dict[str, Any]]] = [
        (1, 1, {"segmentation": [ring]}), (1, 2, {"bbox": [8, 2, 4, 4]}),
        (1, 2, {"bbox": [12, 2, 4, 4], "iscrowd": 1, "segmentation": crowd}),
        (2, 1, {"segmentation": [ring, [8, 1, 10, 1, 10, 5]]}), (2, 3, {"bbox": [3, 3, 2, 2]}),
    ]  # fmt: skip
    objects = [
        {"id": i, "image_id": image, "category_id": category, "bbox": [1, 1, 5, 4], "area": 16, "iscrowd": 0, **shape}
        for i, (image, category, shape) in enumerate(shapes, 1)
    ]
    sky = {"size": [10, 20], "counts": [100, 40, 60]}
    rows: dict[str, list[dict[str, Any]]] = {
        "instances": objects,
        "stuff": [{"id": 1, "image_id": 1, "category_id": 3, "area": 40, "bbox": [10, 0, 4, 10], "segmentation": sky}],
        "labels": [{"id": i, "image_id": (1, 1, 2)[i - 1], "category_id": (1, 2, 1)[i - 1]} for i in (1, 2, 3)],
        "captions": [{"id": i, "image_id": 1, "caption": text} for i, text in enumerate(("one", "two"), 1)],
    }
    documents = {
        f"annotations/{task}_train.json": json.dumps(
            {"images": images, "annotations": found, **({} if task == "captions" else {"categories": categories})}
        )
        for task, found in rows.items()
    }
    return put(folder, {**documents, **{f"images/train/{name}.jpg": image_bytes(20, 10, "jpg") for name in "abc"}})


def counts(data: Path, spec: str) -> Counter[str]:
    """How many records of each kind a dataset holds; no error is found in it."""
    dataset = fs.open(data, spec)
    found: Counter[str] = Counter()
    for item in dataset:
        found.update({kind: len(getattr(item, kind)) for kind in ("objects", "captions", "areas")})
        found["labels"] += sum(label.state != "no" for label in item.labels)  # which say that a class is not there
    assert not [finding for finding in dataset.findings if finding.level == "error"]
    return found


def expected(had: Counter[str], losses: dict[str, int]) -> Counter[str]:
    """What a target holds if everything that is not said to be lost is there."""
    gone = {kind: sum(n for what, n in losses.items() if re.match(rf"{kind}\b", what)) for kind in had}
    gone["objects"] -= losses.get("areas, written as objects", 0)
    return Counter({kind: number - gone[kind] for kind, number in had.items()})


NEEDS_A_LABEL = {
    "dukemtmc_reid", "imagenet", "imagenet_subsets", "lfw", "market1501", "mars", "msmt17", "mvtec", "vgg_face2",
    "wider_face",
}  # fmt: skip
"""Whose paths are made of labels, which not every image has."""


@pytest.mark.parametrize("to", sorted(available().keys() - NEEDS_A_LABEL - {"coco"}))
def test_every_record_is_written_or_counted(to: str, tmp_path: Path) -> None:
    """What is read from the target, and what the loss report says, is what was there, each record once."""
    data = rich(tmp_path / "in")
    result = fs.convert(data, to=to, out=tmp_path / "out")
    losses = {loss["what"]: loss["count"] for loss in result.loss_report}
    had, has = counts(data, "coco"), counts(tmp_path / "out", to)
    if "objects, drawn as areas" in losses:
        del had["areas"], has["areas"]  # they are of both
    assert has == expected(had, losses)


@pytest.mark.parametrize("to", ["dukemtmc_reid", "lfw", "market1501", "mars", "msmt17", "mvtec", "vgg_face2"])
def test_a_target_whose_paths_need_what_no_item_states_is_refused(to: str, tmp_path: Path) -> None:
    data = rich(tmp_path / "in")
    with pytest.raises(fs.RefusedError) as refused:
        fs.convert(data, to=to, out=tmp_path / "out")
    assert {finding.code for finding in refused.value.findings if finding.level == "error"} == {"CANNOT_WRITE"}
    assert not (tmp_path / "out").exists()


def test_a_box_that_follows_from_pixels_is_not_said_to_be_lost(tmp_path: Path) -> None:
    ring = {"segmentation": [[1, 1, 5, 1, 5, 5, 1, 5]]}
    data = put(tmp_path / "in", coco(["a.jpg"], [ring, ring | {"segmentation": [[8, 1, 12, 1, 12, 5, 8, 5]]}]))
    for to in ("coco_panoptic", "image_masks", "segment_anything"):
        result = fs.convert(data, to=to, out=tmp_path / to)
        assert not [line for line in result.losses if line.startswith(("boxes", "objects not"))]


def test_records_that_a_condition_refuses_are_counted(tmp_path: Path) -> None:
    """Of a document of one item, by the table's own condition; each record once, however many tables refuse it."""
    spec = put(tmp_path, {"large.yaml": """\
formatspec: 1
name: large
files:
  image: "{name}.{ext:image}"
  record:
    path: "{name}.json"
    json:
      boxes: [{each: objects where area > 50, bbox: bbox | xywh}]
      labels: [{each: labels where category.id > 1, id: category.id}]
      names: [{each: objects by index where area > 50, name: category.name}]
"""})  # fmt: skip
    result = fs.convert(rich(tmp_path / "in"), to=spec / "large.yaml", out=tmp_path / "out")
    assert "objects not written (no table is for them): 5 objects" in result.losses
    assert "labels not written (no table is for them): 2 labels" in result.losses


def test_categories_that_cannot_be_written_are_counted(tmp_path: Path) -> None:
    spec = put(tmp_path, {"coloured.yaml": """\
formatspec: 1
name: coloured
files:
  image: "{name}.{ext:image}"
  list: {path: list.json, json: {classes: [{each: categories by name, name: name, color: color}]}}
  record: {path: "{name}.json", json: [{each: objects, bbox: bbox | xywh, name: category.name}]}
"""})  # fmt: skip
    result = fs.convert(rich(tmp_path / "in"), to=spec / "coloured.yaml", out=tmp_path / "out")
    assert "categories not written (no color): 3 categories" in result.losses
    assert json.loads((tmp_path / "out/list.json").read_text()) == {"classes": []}


def test_objects_of_a_category_that_a_closed_table_lacks_are_not_written(tmp_path: Path) -> None:
    """They would be findings in the target; that they are left out is said, with the category's name."""
    document = coco(["a.jpg"], [{}, {"segmentation": [[8, 1, 12, 1, 12, 5, 8, 5]], "bbox": [8, 1, 4, 4]}])
    result = fs.convert(put(tmp_path / "in", document), to="cityscapes", out=tmp_path / "out")
    assert not [f for f in fs.validate(tmp_path / "out", "cityscapes", deep=True).findings if f.level == "error"]
    assert {"objects not written (no category.name): 1 object", "objects not written (no polygon): 1 object"} <= set(
        result.losses
    )


def test_files_are_not_made_for_objects_that_no_document_lists(tmp_path: Path) -> None:
    """ADE20K's document needs a category; an object without one is not written, and has no mask either."""
    spec = put(tmp_path, {"bare.yaml": """\
formatspec: 1
name: bare
files:
  image: "{name}.{ext:image}"
  record: {path: "{name}.json", json: [{each: objects, ring: polygon | flat, "name?": category.name}]}
"""}) / "bare.yaml"  # fmt: skip
    put(tmp_path / "in", {"a.jpg": image_bytes(20, 10, "jpg"), "a.json": '[{"ring": [1, 1, 5, 1, 5, 5]}]'})
    result = fs.convert(tmp_path / "in", to="ade20k2020", spec=spec, out=tmp_path / "out")
    assert result.losses == ("objects not written (no category.name): 1 object",)
    assert not list((tmp_path / "out").rglob("instance_*"))


def test_ids_that_are_made_up_are_unique_over_all_files(tmp_path: Path) -> None:
    """LVIS's rows lead to images by their ids alone, whichever of its files they stand in."""
    files = {**coco(["a.jpg"], [{}]), **coco(["b.jpg"], [{}, {}], "val", 2)}
    fs.convert(put(tmp_path / "in", files), to="supervisely", out=tmp_path / "plain")
    fs.convert(tmp_path / "plain", to="lvis", out=tmp_path / "out")
    assert not [f for f in fs.validate(tmp_path / "out", "lvis").findings if f.level == "error"]
    assert sorted(len(item.objects) for item in fs.open(tmp_path / "out", "lvis")) == [1, 2]


def test_an_attribute_with_the_name_of_a_key_of_the_row_is_counted(tmp_path: Path) -> None:
    """The rest of the row's keys are attributes; an attribute called as another key has no place among them."""
    spec = put(tmp_path, {"flat.yaml": """\
formatspec: 1
name: flat
files:
  image: "{name}.{ext:image}"
  record: {path: "{name}.json", json: [{each: objects, class: category.name, box: bbox | xywh, "*": attributes}]}
"""}) / "flat.yaml"  # fmt: skip
    put(tmp_path / "in", {"a.jpg": image_bytes(20, 10, "jpg"), "a.json": '[{"class": "cat", "box": [1, 2, 3, 4]}]'})
    (item,) = fs.open(tmp_path / "in", spec)
    thing = msgspec.structs.replace(item.objects[0], attributes={"class": "tabby", "seen": True})
    result = fs.write([msgspec.structs.replace(item, objects=(thing,))], tmp_path / "out", to=spec)
    assert result.losses == ("attribute class: 1 object",)
    assert json.loads((tmp_path / "out/a.json").read_text()) == [{"class": "cat", "box": [1, 2, 3, 4], "seen": True}]
