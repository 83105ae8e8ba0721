"""Real ADE20K, and the toy that is not like it: read to the pixel, written back, converted to COCO."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np
import pytest
from conftest import Reference
from written_files import written_files

import formatspec as fs
from formatspec.model.records import Item
from formatspec.model.region import Region

SPEC = "ade20k2020"
INNER = "ADE20K_2021_17_01/images/ADE"
TOY = "toy/ade20k2020_dataset"


@pytest.fixture(scope="module")
def real(reference: Reference) -> Path:
    return reference("ade20k-real")


@pytest.fixture(scope="module")
def toy(reference: Reference) -> Path:
    return reference(TOY) / "dataset"


@pytest.fixture(scope="module")
def real_item(real: Path) -> Item:
    (item,) = fs.open(real, SPEC)
    return item


def annotations(folder: Path) -> list[tuple[Path, dict[str, Any]]]:
    """Every item's JSON: its file, and what stands in it."""
    found = written_files(folder).values()
    files = [file for file in found if file.suffix == ".json" and file.name != "dataset_meta.json"]
    return [(file, json.loads(file.read_text("utf-8"))["annotation"]) for file in files]


def pixels(path: Path) -> Any:
    return iio.imread(path)


def mask(region: Region | None, shape: tuple[int, ...]) -> Any:
    return np.zeros(shape, bool) if region is None else region.to_mask().astype(bool)


def plain(items: list[Item]) -> list[Any]:
    from formatspec.run import dump

    return [dump.item(item)["objects"] for item in items]


@pytest.mark.parametrize("root", [".", "ADE20K_2021_17_01", "ADE20K_2021_17_01/images", INNER])
def test_any_root(root: str, real: Path, real_item: Item) -> None:
    report = fs.validate(real / root, deep=True)
    assert report.spec == SPEC
    assert report.items == 1
    assert [f for f in report.findings if f.level == "error"] == []
    # Two of the item's 32 instance masks really are not the same pixels as its map of whole objects, and one
    # outline really reaches to x = 2201 in an image that is 2200 pixels wide; two outlines really cross themselves.
    assert sorted((f.code, f.object) for f in report.findings) == [
        ("MASKS_DIFFER", 5),
        ("MASKS_DIFFER", 14),
        ("POLYGON_CROSSES", 18),
        ("POLYGON_CROSSES", 20),
        ("POLYGON_OUTSIDE", 5),
    ]
    assert plain(list(fs.open(real / root))) == plain([real_item])


def test_pixels(real: Path, real_item: Item) -> None:
    ((file, annotation),) = annotations(real)
    assert len(real_item.objects) == len(annotation["object"]) == 32
    hidden = 0
    for thing, source in zip(real_item.objects, annotation["object"], strict=True):
        found = pixels(file.parent / source["instance_mask"])
        assert (mask(thing.region, found.shape) == (found == 255)).all(), source["id"]
        assert (mask(thing.hidden, found.shape) == (found == 128)).all(), source["id"]
        hidden += bool((found == 128).any())
    assert hidden > 0


@pytest.mark.parametrize("name", ["dataset", "dataset_with_meta_file"])
def test_toy_pixels(name: str, reference: Reference) -> None:
    folder = reference(TOY) / name
    items = {item.key: item for item in fs.open(folder, SPEC)}
    found = annotations(folder)
    assert len(items) == len(found) > 0
    for file, annotation in found:
        item = items[file.relative_to(folder).with_suffix("").as_posix()]
        for thing, source in zip(item.objects, annotation["object"], strict=True):
            shown = pixels(file.parent / source["instance_mask"])
            assert set(np.unique(shown)) <= {0, 1}
            assert (mask(thing.region, shown.shape) == (shown == 1)).all()
            assert not thing.hidden


def as_list(value: Any) -> list[Any]:
    """MATLAB writes a list of one as the bare value, and nothing as the empty text too."""
    return value if isinstance(value, list) else [value] if value != "" else []


def test_what_the_json_says(real: Path, real_item: Item) -> None:
    ((_, annotation),) = annotations(real)
    assert list(real_item.tags) == annotation["scene"]
    assert (real_item.image and (real_item.image.height, real_item.image.width)) == tuple(annotation["imsize"][:2])
    depths: dict[Any, int] = {}
    for thing, source in zip(real_item.objects, annotation["object"], strict=True):
        parent = None if source["parts"]["ispartof"] == [] else source["parts"]["ispartof"]
        depths[thing.id] = 0 if parent is None else depths[parent] + 1
        assert thing.id == source["id"]
        assert thing.parent == parent
        assert depths[thing.id] == source["parts"]["part_level"]
        assert thing.category and (thing.category.id, thing.category.name) == (source["name_ndx"], source["name"])
        assert list(thing.category.path) == source["hypernym"]
        assert list(thing.tags) == as_list(source["attributes"])
        assert thing.attributes.get("occluded") == {"yes": True, "no": False}.get(str(source["occluded"]))
        assert thing.attributes["crop"] is (source["crop"] == "1")
        assert thing.attributes["depth_rank"] == source["depth_ordering_rank"]
        assert thing.attributes["raw_name"] == source["raw_name"]
        outline = [c for xy in zip(source["polygon"]["x"], source["polygon"]["y"], strict=True) for c in xy]
        assert list(thing.polygons[0]) == outline
    assert set(depths.values()) >= {0, 1}


def test_occluded_in_three_states(real: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(real, tmp_path / "data"))
    ((file, _),) = annotations(folder)
    document = json.loads(file.read_text("utf-8"))
    for thing, state in zip(document["annotation"]["object"], ("yes", "no", []), strict=False):
        thing["occluded"] = state
    file.write_text(json.dumps(document, separators=(",", ":")))
    (item,) = fs.open(folder)
    assert [t.attributes.get("occluded") for t in item.objects[:3]] == [True, False, None]


def same_file(one: Path, other: Path, exact: bool) -> bool:
    if one.suffix == ".png":
        a, b = pixels(one), pixels(other)
        return a.shape == b.shape and a.dtype == b.dtype and bool((a == b).all())
    if one.suffix == ".json" and not exact:
        return bool(json.loads(one.read_text("utf-8")) == json.loads(other.read_text("utf-8")))
    return one.read_bytes() == other.read_bytes()


def assert_same(one: Path, other: Path, exact: bool = True, but: frozenset[str] = frozenset()) -> None:
    a, b = written_files(one), written_files(other)
    assert a.keys() - but == b.keys() - but
    assert [name for name in a if name not in but and not same_file(a[name], b[name], exact)] == []


ANEW = "true"
"""A selection of all items: they might have changed, so that their files are encoded anew."""


@pytest.mark.parametrize("where", [None, ANEW])
def test_back_to_itself(where: str | None, real: Path, tmp_path: Path) -> None:
    result = fs.convert(real, to=SPEC, out=tmp_path / "out", where=where)
    assert result.losses == ()
    assert_same(real / INNER, tmp_path / "out")


@pytest.mark.parametrize("name", ["dataset", "dataset_with_meta_file"])
def test_the_toy_back_to_itself(name: str, reference: Reference, tmp_path: Path) -> None:
    result = fs.convert(reference(TOY) / name, to=SPEC, out=tmp_path / "out", where=ANEW)
    assert result.losses == ()
    assert_same(reference(TOY) / name, tmp_path / "out", exact=False)


def test_items_that_do_not_change_keep_their_files(reference: Reference, tmp_path: Path) -> None:
    """The toy's JSON is laid out by hand, which no encoding gives back."""
    fs.convert(reference(TOY) / "dataset", to=SPEC, out=tmp_path / "out")
    assert_same(reference(TOY) / "dataset", tmp_path / "out", exact=True)


def test_back_to_itself_without_one_object(real: Path, tmp_path: Path) -> None:
    ((file, annotation),) = annotations(real)
    leaf = next(t for t in annotation["object"] if t["parts"]["hasparts"] == [] and t["parts"]["part_level"] == 0)
    fs.convert(real, to=SPEC, out=tmp_path / "out", where=f"object.id != {leaf['id']}")
    base = file.relative_to(real / INNER).with_suffix("").as_posix()
    gone = (Path(base).parent / leaf["instance_mask"]).as_posix()
    touched = frozenset({f"{base}.json", f"{base}_seg.png", gone})
    assert not (tmp_path / "out" / gone).exists()
    assert_same(real / INNER, tmp_path / "out", but=touched)
    ((_, left),) = annotations(tmp_path / "out")
    expected = [thing for thing in annotation["object"] if thing["id"] != leaf["id"]]
    for now, before in zip(left["object"], expected, strict=True):
        assert {**now, "depth_ordering_rank": 0} == {**before, "depth_ordering_rank": 0}
    assert [f for f in fs.validate(tmp_path / "out", SPEC, deep=True).findings if f.level == "error"] == []


def test_coco(real: Path, real_item: Item, tmp_path: Path) -> None:
    from pycocotools import mask as coco_mask
    from pycocotools.coco import COCO

    result = fs.convert(real, to="coco", out=tmp_path / "out")
    assert result.items == 1
    coco = COCO(str(tmp_path / "out/annotations/instances_training.json"))
    assert len(coco.imgs) == 1
    shown = [thing for thing in real_item.objects if thing.region]
    assert len(coco.anns) == len(coco.dataset["annotations"]) == len(shown) == 32
    image = next(iter(coco.imgs.values()))
    assert (tmp_path / "out/images/training" / image["file_name"]).is_file()
    assert (image["height"], image["width"]) == (1467, 2200)
    for annotation, thing in zip(coco.dataset["annotations"], shown, strict=True):
        assert thing.region is not None and thing.category is not None
        decoded = coco.annToMask(annotation).astype(bool)
        assert (decoded == thing.region.to_mask()).all()
        assert annotation["iscrowd"] == 0
        assert annotation["area"] == decoded.sum() == thing.region.area
        assert annotation["bbox"] == list(thing.region.bbox)
        encoded = coco_mask.encode(np.asfortranarray(decoded.astype(np.uint8)))
        assert list(coco_mask.toBbox(encoded)) == annotation["bbox"]
        assert annotation["category_id"] == thing.category.id
        assert annotation["attributes"]["crop"] is thing.attributes["crop"]
    named = {thing.category.id: thing.category.name for thing in shown if thing.category}
    assert {category["id"]: category["name"] for category in coco.dataset["categories"]} == named
    hidden = sum(1 for thing in real_item.objects if thing.hidden)
    parts = sum(1 for thing in real_item.objects if thing.parent is not None)
    assert f"hidden regions: {hidden} objects" in result.losses
    assert f"parents: {parts} objects" in result.losses


def test_an_object_that_is_hidden_altogether(real: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(real, tmp_path / "data"))
    ((file, annotation),) = annotations(folder)
    path = file.parent / annotation["object"][2]["instance_mask"]
    shown = pixels(path)
    iio.imwrite(path, np.where(shown > 0, 128, 0).astype(np.uint8))
    (item,) = fs.open(folder)
    assert not item.objects[2].region and item.objects[2].hidden
    result = fs.convert(folder, to="coco", out=tmp_path / "out")
    document = json.loads((tmp_path / "out/annotations/instances_training.json").read_text("utf-8"))
    assert len(document["annotations"]) == 31
    assert any("not written" in line and ": 1 object" in line for line in result.losses), result.losses
    with pytest.raises(fs.RefusedError):
        fs.convert(folder, to="coco", out=tmp_path / "lossless", lossless=True)
    assert not (tmp_path / "lossless").exists()


META = {"label_map": {"0": "car", "1": "person", "2": "door", "3": "rim", "4": "unused"}}


def with_meta(reference: Reference, tmp_path: Path, change: dict[str, str], meta: Any = META) -> Path:
    """The toy with a list of classes; raw names changed where `change` says so."""
    folder = Path(shutil.copytree(reference(TOY) / "dataset_with_meta_file", tmp_path / "data"))
    (folder / "dataset_meta.json").write_text(json.dumps(meta))
    ((file, _),) = annotations(folder)
    document = json.loads(file.read_text("utf-8"))
    for thing in document["annotation"]["object"]:
        for old, new in change.items():
            if thing["raw_name"] == old:
                thing["name"], thing["raw_name"] = new.split("|")
    file.write_text(json.dumps(document))
    return folder


def test_classes_are_matched_by_name_then_by_raw_name(reference: Reference, tmp_path: Path) -> None:
    folder = with_meta(reference, tmp_path, {"door": "door|portal"})
    dataset = fs.open(folder)
    assert [c.name for c in dataset.categories] == ["car", "person", "door", "rim", "unused"]
    (item,) = dataset
    ((_, annotation),) = annotations(folder)
    for thing, source in zip(item.objects, annotation["object"], strict=True):
        assert thing.category is not None
        assert thing.category.id == source["name_ndx"]
        assert thing.category.name in (source["name"], source["raw_name"])
        assert thing.category.name in META["label_map"].values()
    assert [f for f in fs.validate(folder, deep=True).findings if f.code == "UNLISTED_CATEGORY"] == []


@pytest.mark.parametrize("form", ["label_map", "labels"])
def test_a_class_that_is_not_listed_is_a_warning(form: str, reference: Reference, tmp_path: Path) -> None:
    listed = ["person", "door", "rim", "unused"]
    meta = {"label_map": {str(i): name for i, name in enumerate(listed)}} if form == "label_map" else {"labels": listed}
    folder = with_meta(reference, tmp_path, {"car": "wheelbarrow|barrow"}, meta)
    report = fs.validate(folder, deep=True)
    found = [f for f in report.findings if f.code == "UNLISTED_CATEGORY"]
    assert [(f.level, f.got, f.file) for f in found] == [("warning", "wheelbarrow", "training/street/1.json")]
    assert found[0].pointer == "/annotation/object/0/name"
    assert [f for f in report.findings if f.level == "error"] == []
    assert len(next(iter(fs.open(folder))).objects) == 3


def test_unused_classes_are_kept_when_written_back(reference: Reference, tmp_path: Path) -> None:
    folder = with_meta(reference, tmp_path, {})
    fs.convert(folder, to=SPEC, out=tmp_path / "out")
    assert json.loads((tmp_path / "out/dataset_meta.json").read_text("utf-8")) == META
    assert_same(folder, tmp_path / "out", exact=False)
