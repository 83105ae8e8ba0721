"""A dataset as a list of items: places, keys, slices, conditions, images, what follows from geometry, pickles."""

from __future__ import annotations

import json
import pickle
import zipfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from coco_like import coco_document
from files_on_disk import put

import formatspec as fs
from formatspec.testing.memory import image_bytes

ROWS = [
    {"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 4, 3], "area": 12, "iscrowd": 0},
    {"id": 2, "image_id": 1, "category_id": 2, "bbox": [1, 1, 2, 2], "area": 4, "iscrowd": 0,
     "segmentation": [[1, 1, 3, 1, 3, 3, 1, 3]]},
    {"id": 3, "image_id": 2, "category_id": 1, "bbox": [2, 2, 4, 4], "area": 16, "iscrowd": 0},
    {"id": 4, "image_id": 3, "category_id": 2, "bbox": [1, 1, 100, 2], "area": 200, "iscrowd": 0},
]  # fmt: skip


def document(rows: list[dict[str, Any]]) -> bytes:
    return json.dumps(coco_document([(f"{name}.png", 12, 8) for name in "abcd"], rows, ["cat", "dog"])).encode()


def files(rows: list[dict[str, Any]] = ROWS) -> dict[str, bytes]:
    images = {f"train/{name}.png": image_bytes(12, 8, "png") for name in "abcd"}
    return {"annotations/instances_train.json": document(rows), **images}


@pytest.fixture(params=["folder", "zip"])
def data(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param == "zip":
        with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
            for path, content in files().items():
                archive.writestr(path, content)
        return tmp_path / "data.zip"
    return put(tmp_path / "data", files())


def test_items_by_place_by_key_and_in_slices(data: Path) -> None:
    dataset = fs.open(data)
    keys = [item.key for item in dataset]
    assert len(dataset) == 4 and keys == dataset.keys == ["train/a", "train/b", "train/c", "train/d"]
    assert [dataset[place].key for place in (0, -1)] == [keys[0], keys[-1]]
    assert dataset["train/b"] == dataset[1] and "train/b" in dataset and "b" not in dataset
    assert [item.key for item in dataset[1:3]] == keys[1:3] and [item.key for item in dataset[::-1]] == keys[::-1]
    assert dataset[1:][0] == dataset[1] and len(dataset[1:][:2]) == 2
    with pytest.raises(IndexError, match="there is no item 4: the dataset has 4"):
        dataset[4]
    with pytest.raises(KeyError, match="did you mean 'train/a'"):
        dataset["train/aa"]


def test_what_a_dataset_says_of_itself(data: Path) -> None:
    dataset = fs.open(data)
    assert repr(dataset) == f"<Dataset coco: 4 items, 2 classes, {data}>"
    assert dataset.format == "coco" and dataset.root == data and dataset.subsets == ("train",)
    assert dataset.classes == ("cat", "dog") and dataset.classes.index("dog") == dataset[0].objects[1].category.index
    assert repr(dataset) == f"<Dataset coco: 4 items, 2 classes, {data}, 2 findings so far>"
    assert "<td>cat, dog</td>" in dataset._repr_html_()


def test_an_image_is_opened_read_and_given_as_an_array(data: Path) -> None:
    image = fs.open(data)["train/a"].image
    assert image is not None and image.read() == image_bytes(12, 8, "png")
    assert image.open().size == (12, 8)
    assert image.array().shape == (8, 12, 3) and image.array().dtype == np.uint8
    assert image.array(1).shape == (8, 12, 1) and image.array(4).shape == (8, 12, 4)
    with pytest.raises(ValueError, match="1, 3 or 4 channels"):
        image.array(2)
    with pytest.raises(ValueError, match="belongs to no dataset"):
        fs.Image(path="a.png").read()


def test_what_follows_from_geometry(data: Path) -> None:
    box, outlined = fs.open(data)["train/a"].objects
    assert box.box == (0, 0, 4, 3) and box.area == 12 and box.outline == () and box.mask() is None
    mask = outlined.mask()
    assert mask is not None and mask.shape == (8, 12) and mask.sum() == outlined.area == 4 and mask[1:3, 1:3].all()
    shown = fs.Object(region=fs.Region.from_mask(mask))
    assert shown.box == (1, 1, 2, 2) and shown.area == 4 and shown.outline and (shown.mask() == mask).all()
    by_hand = fs.Object(polygons=((1, 1, 3, 1, 3, 3, 1, 3),))
    assert (by_hand.mask((8, 12)) == mask).all()
    with pytest.raises(ValueError, match="the size of the image is not known"):
        by_hand.mask()


def test_conditions_leave_items_and_objects_out(data: Path) -> None:
    dataset = fs.open(data)
    cats = dataset.filter(labels=["cat"])
    assert [len(item.objects) for item in cats] == [1, 1, 0, 0] and cats.classes == ("cat", "dog")
    many = dataset.filter(lambda item: item if len(item.objects) > 1 else None)
    assert many.keys == ["train/a"] and many[0] == dataset[0]
    assert [len(item.objects) for item in dataset.filter("category.name == 'dog'")][:2] == [1, 0]
    assert fs.open(data, limit=2, labels=["dog"]).keys == ["train/a", "train/b"]
    assert len(fs.open(data, subset="train")) == 4
    with pytest.raises(ValueError, match="no class 'dgo'; did you mean 'dog'"):
        dataset.filter(labels=["dgo"])
    with pytest.raises(ValueError, match="no subset 'trian'; did you mean 'train'"):
        dataset.filter(subset="trian")


def test_what_is_not_valid_is_left_out_or_refused_and_told_once(data: Path) -> None:
    dataset = fs.open(data)
    for _ in range(3):
        list(dataset)
    assert [finding.code for finding in dataset.findings].count("BOX_OUTSIDE") == 1
    assert [len(item.objects) for item in dataset] == [2, 1, 0, 0]


def test_an_item_that_is_at_fault_is_refused_with_its_findings(tmp_path: Path) -> None:
    for path, content in files().items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content if not path.endswith("b.png") else content[:40])
    dataset = fs.open(tmp_path)
    for _ in range(2):
        with pytest.raises(fs.InvalidItemError, match="train/b"):
            dataset["train/b"]
    assert "train/b" not in [item.key for item in dataset] and len(dataset["train/a"].objects) == 2


def _seen(dataset: Any) -> list[tuple[str, tuple[int, ...]]]:
    return [(item.key, item.image.array().shape) for item in dataset]


def test_a_dataset_and_its_parts_are_pickled(data: Path) -> None:
    dataset = fs.open(data)
    for part in (dataset, dataset[1:3], dataset.filter(labels=["cat"]), dataset.filter("category.name == 'dog'")[:1]):
        again = pickle.loads(pickle.dumps(part))
        assert list(again) == list(part) and again.keys == part.keys
    with ProcessPoolExecutor(1) as pool:
        assert pool.submit(_seen, dataset[:2]).result() == _seen(dataset[:2])
    item = pickle.loads(pickle.dumps(dataset[0]))
    assert item == dataset[0] and item.image.read() == image_bytes(12, 8, "png")


def test_a_part_is_exported(data: Path, tmp_path: Path) -> None:
    part = fs.open(data).filter(labels=["dog"])[:1]
    result = part.export(tmp_path / "out", "voc", workers=1, on={"BOX_OUTSIDE": "drop"})
    (item,) = fs.open(tmp_path / "out", "voc")
    assert result.items == 1 and [thing.category.name for thing in item.objects] == ["dog"]


def test_a_condition_may_say_true_or_false(data: Path) -> None:
    ds = fs.open(data)
    assert ds.filter(lambda item: len(item.objects) > 1).keys == ds.filter("count(objects) > 1").keys
    assert len(ds.filter(lambda item: None)) == 0
    assert _seen(ds.filter(labels="cat")) == _seen(ds.filter(labels=["cat"]))
    with pytest.raises(TypeError, match="True or False"):
        list(ds.filter(lambda item: "yes"))  # type: ignore[arg-type, return-value]
    with pytest.raises(TypeError, match=r"by its place, its key or a slice of places, not by 1\.5"):
        ds[1.5]  # type: ignore[call-overload]
    with pytest.raises(KeyError, match="did you mean 'train/b'"):
        ds["b"]
