"""Datasets handed to other libraries; each test is skipped where its library is not installed."""

from __future__ import annotations

import pickle
import sys
import zipfile
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

import formatspec as fs
from formatspec.datasets.handoffs.needed import MissingLibraryError
from formatspec.testing.memory import image_bytes


@pytest.fixture
def dataset(tmp_path: Path) -> fs.Dataset:
    """Two images: with a mask and a box, and with a crowd, an object without a class and a caption."""
    mask = np.zeros((10, 20), bool)
    mask[2:5, 3:9] = True
    items = []
    for key in ("a", "b"):
        things = (
            fs.Object(category=fs.Category(name="cat"), region=fs.Region.from_mask(mask), score=0.5),
            fs.Object(category=fs.Category(name="dog"), bbox=(1, 2, 3, 4)),
        )
        if key == "b":
            things = (fs.Object(category=fs.Category(name="dog"), region=fs.Region.from_mask(mask), single=False),)
        image = fs.Image(path=f"{key}.png", data=image_bytes(20, 10, "png"), width=20, height=10)
        items.append(fs.Item(key=key, image=image, objects=things, captions=(fs.Caption(text="a picture"),)))
    fs.write(items, tmp_path / "data", to="coco", categories=["cat", "dog"])
    return fs.open(tmp_path / "data", "coco")


@pytest.mark.parametrize(
    ("library", "call"),
    [
        ("torch", lambda ds: ds.to_torch()),
        ("torch", lambda ds: ds.to_torch("annotations")),
        ("pyarrow", lambda ds: ds.to_arrow()),
        ("datasets", lambda ds: ds.to_huggingface()),
        ("supervision", lambda ds: ds.to_supervision(ds[0])),
    ],
)
def test_a_library_that_is_not_there_is_named_with_what_installs_it(
    library: str, call: Any, dataset: fs.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingLibraryError, match=rf"needs {library}, .*pip install 'formatspec\[\w+\]'"):
        call(dataset)


def test_nothing_of_it_is_imported_before_it_is_used() -> None:
    import subprocess

    code = ("import sys, formatspec; from formatspec.datasets.dataset import Dataset; import formatspec.api;"
            "assert not {'torch', 'pyarrow', 'datasets', 'supervision'} & set(sys.modules)")  # fmt: skip
    subprocess.run([sys.executable, "-c", code], check=True)


def test_two_tables_of_arrow(dataset: fs.Dataset) -> None:
    pytest.importorskip("pyarrow")
    items, objects = dataset.to_arrow()
    assert items.column("key").to_pylist() == [item.key for item in dataset] and items.num_rows == 2
    rows = objects.to_pylist()
    assert [row["item"] for row in rows] == [items.column("key")[0].as_py()] * 2 + [items.column("key")[1].as_py()]
    assert [(row["category"], row["class"]) for row in rows] == [("cat", 0), ("dog", 1), ("dog", 1)]
    assert (rows[0]["x"], rows[0]["y"], rows[0]["width"], rows[0]["height"], rows[0]["area"]) == (3, 2, 6, 3, 18)
    assert fs.Region.from_counts(rows[0]["runs"], 10, 20) == dataset[0].objects[0].region
    assert rows[1]["runs"] is None and [row["single"] for row in rows] == [True, True, False]
    assert items.column("captions").to_pylist() == [["a picture"]] * 2


def test_a_dataset_of_hugging_face(dataset: fs.Dataset, tmp_path: Path) -> None:
    if not hasattr(pytest.importorskip("datasets"), "Features"):  # this folder of tests has the same name
        pytest.skip("the library is not installed")
    made = dataset.to_huggingface(cache_dir=str(tmp_path / "cache"))
    assert len(made) == 2 and made.features["objects"].feature["category"].names == ["cat", "dog"]
    first = made[0]
    assert first["image"].size == (20, 10) and first["key"] == dataset[0].key
    assert [tuple(one["bbox"]) for one in first["objects"]] == [thing.box for thing in dataset[0].objects]
    assert [one["category"] for one in first["objects"]] == [0, 1] and made[1]["objects"][0]["crowd"] is True


def test_detections_of_supervision_with_packed_masks(dataset: fs.Dataset) -> None:
    pytest.importorskip("supervision")
    found = dataset.to_supervision(dataset[0])
    assert type(found.mask).__name__ == "CompactMask"
    assert found.xyxy.tolist() == [[3, 2, 9, 5], [1, 2, 4, 6]] and found.class_id.tolist() == [0, 1]
    assert np.array_equal(found.mask[0], dataset[0].objects[0].mask()) and not found.mask[1].any()
    assert found.data["class_name"].tolist() == ["cat", "dog"] and found.tracker_id is None
    tracked = [msgspec.structs.replace(thing, track=place) for place, thing in enumerate(dataset[0].objects, 3)]
    second = dataset.to_supervision(msgspec.structs.replace(dataset[0], objects=tuple(tracked[1:])))
    assert second.tracker_id.tolist() == [4] and second.mask is None


def test_a_dataset_of_torch_with_rows(dataset: fs.Dataset) -> None:
    torch = pytest.importorskip("torch")
    made = dataset.to_torch("annotations", first_class=1)
    image, rows = made[0]
    assert image.shape == (3, 10, 20) and image.dtype == torch.uint8 and len(made) == 2
    assert [row["category_id"] for row in rows] == [1, 2] and rows[0]["bbox"] == [3, 2, 6, 3]
    assert fs.Region.from_counts(rows[0]["segmentation"]["counts"], 10, 20) == dataset[0].objects[0].region
    with pytest.raises(ValueError, match="targets is"):
        dataset.to_torch("other")  # type: ignore[arg-type]


def torchvision() -> Any:
    """The library; the test is skipped where it is not installed, or is a build for other hardware."""
    pytest.importorskip("torch")
    try:
        import torchvision.tv_tensors
    except (ImportError, RuntimeError):
        pytest.skip("torchvision cannot be imported")
    return torchvision


def zipped(folder: Path) -> Path:
    out = folder.with_suffix(".zip")
    with zipfile.ZipFile(out, "w") as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder))
    return out


def loaded(made: Any, context: str) -> list[tuple[Any, Any]]:
    """The images and targets that a loader with two workers gives, in their order."""
    torch = pytest.importorskip("torch")
    loader = torch.utils.data.DataLoader(
        made, batch_size=1, num_workers=2, collate_fn=list, multiprocessing_context=context
    )
    return [one for batch in loader for one in batch]


@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_two_workers_read_a_zip(context: str, dataset: fs.Dataset, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    made = fs.open(zipped(tmp_path / "data"), "coco").to_torch("annotations")
    assert pickle.loads(pickle.dumps(made))[1][1] == made[1][1]
    assert [len(rows) for _, rows in loaded(made, context)] == [2, 1]


@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_two_workers_give_the_tensors_of_torchvision_from_a_zip(
    context: str, dataset: fs.Dataset, tmp_path: Path
) -> None:
    tv_tensors = torchvision().tv_tensors
    found = loaded(fs.open(zipped(tmp_path / "data"), "coco").to_torch(masks=True), context)
    assert [type(image) for image, _ in found] == [tv_tensors.Image] * 2
    assert [target["image_id"] for _, target in found] == [0, 1]
    for (image, target), (own, expected) in zip(found, dataset.to_torch(masks=True), strict=True):
        assert image.equal(own) and target.keys() == expected.keys()
        assert type(target["boxes"]) is tv_tensors.BoundingBoxes and type(target["masks"]) is tv_tensors.Mask
        assert all(target[name].equal(expected[name]) for name in target if name != "image_id")


def test_an_item_of_a_torch_dataset_goes_by_its_place(dataset: fs.Dataset) -> None:
    pytest.importorskip("torch")
    made = dataset.to_torch("annotations")
    assert made[-1][1] == made[1][1] and made[-1][1][0]["image_id"] == 1
    with pytest.raises(IndexError, match="there is no item 2: the dataset has 2"):
        made[2]
    for wrong, message in ((slice(0, 1), r"take the part first: ds\[…\]"), ("a", "a whole number, not by 'a'")):
        with pytest.raises(TypeError, match=message):
            made[wrong]  # type: ignore[index]


def test_targets_of_torchvision(dataset: fs.Dataset) -> None:
    tv_tensors, torch = torchvision().tv_tensors, pytest.importorskip("torch")
    from torchvision.transforms import v2

    made = dataset.to_torch(masks=True)
    image, target = made[0]
    assert isinstance(image, tv_tensors.Image) and isinstance(target["boxes"], tv_tensors.BoundingBoxes)
    assert target["boxes"].tolist() == [[3, 2, 9, 5], [1, 2, 4, 6]] and target["labels"].tolist() == [0, 1]
    assert target["masks"].shape == (2, 10, 20) and target["masks"].sum() == 18
    assert made[1][1]["iscrowd"].tolist() == [1]
    turned = dataset.to_torch(transform=v2.RandomHorizontalFlip(p=1))[0][1]
    assert turned["boxes"].tolist() == [[11, 2, 17, 5], [16, 2, 19, 6]]
    small = v2.SanitizeBoundingBoxes(
        min_area=18, labels_getter=lambda pair: [pair[1][n] for n in ("labels", "area", "iscrowd")]
    )
    left = dataset.to_torch(masks=True, transform=small)[0][1]
    assert [len(left[name]) for name in ("boxes", "masks", "labels", "area", "iscrowd")] == [1] * 5
    empty = dataset.filter(labels=["cat"]).to_torch()[1][1]
    assert empty["boxes"].shape == (0, 4) and empty["labels"].dtype == torch.int64
