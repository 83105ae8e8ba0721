"""A document that states the path of its image belongs to that image, whatever its own name is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from commands import Run
from files_on_disk import put

import formatspec as fs
from formatspec.model.amounts import with_amounts
from formatspec.opening import detect_format
from formatspec.paths.trees.open_tree import open_tree


def record(image: str, label: str = "cat") -> dict[str, Any]:
    shape = {"label": label, "points": [[1, 1], [8, 1], [8, 6]], "group_id": None, "shape_type": "polygon", "flags": {}}
    head = {"version": "5.5.0", "flags": {}, "shapes": [shape], "imagePath": image, "imageData": None}
    return {**head, "imageHeight": 10, "imageWidth": 20}


LAYOUTS: dict[str, dict[str, Any]] = {
    "beside": {"x1.png": None, "x2.png": None, "x1_ann.json": record("x1.png"), "x2_ann.json": record("x2.png")},
    "one of two": {"x1.png": None, "x2.png": None, "x1.json": record("x1.png"), "other.json": record("x2.png")},
    "another folder": {
        "images/x1.png": None, "images/x2.png": None,
        "json/one.json": record("..\\images\\x1.png"), "json/two.json": record("../images/x2.png"),
    },
    "an address": {
        "x1.png": None, "x2.png": None, "a.json": record("C:\\data\\x1.png"), "b.json": record("/data/x2.png"),
    },
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_image_that_is_named_decides(layout: str, run: Run, tmp_path: Path) -> None:
    data = put(tmp_path / "data", LAYOUTS[layout])
    assert detect_format(open_tree(data)).names == ("labelme",)
    items = list(fs.open(data))
    assert sorted(Path(item.image.path).name for item in items if item.image) == ["x1.png", "x2.png"]
    assert [len(item.objects) for item in items] == [1, 1]
    assert run("validate", data).status == 0
    fs.convert(data, to="labelme", out=tmp_path / "out", workers=1)
    for path in LAYOUTS[layout]:
        assert (tmp_path / "out" / path).read_bytes() == (data / path).read_bytes()
    fs.convert(data, to="labelme", out=tmp_path / "new", workers=1, labels={"cat": "dog"})
    assert [thing.category.name for item in fs.open(tmp_path / "new") for thing in item.objects] == ["dog", "dog"]
    assert run("validate", tmp_path / "new").status == 0


def test_an_image_with_a_document_of_its_own_is_taken_from_nobody(tmp_path: Path) -> None:
    files = {"x1.png": None, "x1.json": record("x1.png"), "copy.json": record("x1.png", "dog")}
    data = put(tmp_path, files)
    assert [item.objects[0].category.name for item in fs.open(data, "labelme") if item.key == "x1"] == ["cat"]
    errors = [one for one in fs.validate(data, "labelme", workers=1).findings if one.level == "error"]
    assert [one.code for one in errors] == ["IMAGE_MISSING"]
    assert "the document names x1.png, which belongs to another item" in errors[0].message


@pytest.mark.parametrize("stale", ["old_name.png", "x1.json", "elsewhere/old_name.png"])
def test_a_name_that_nobody_has_any_more_costs_nothing(stale: str, run: Run, tmp_path: Path) -> None:
    """Images and documents are often renamed together; labelme itself once wrote the document's own name."""
    data = put(tmp_path / "data", {"x1.png": None, "x1.json": record(stale)})
    [finding] = fs.validate(data, workers=1).findings
    assert (finding.code, finding.level, finding.pointer) == ("DIFFERS", "warning", "/imagePath")
    fs.convert(data, to="voc", out=tmp_path / "out", workers=1)
    [item] = fs.open(tmp_path / "out")
    assert item.image is not None and len(item.objects) == 1


def test_of_two_images_that_are_there_nobody_knows_which_is_meant(tmp_path: Path) -> None:
    data = put(tmp_path, {"x1.png": None, "old_name.png": None, "x1.json": record("old_name.png")})
    [error] = [one for one in fs.validate(data, "labelme", workers=1).findings if one.level == "error"]
    assert error.code == "CONFLICT" and "old_name.png, and x1.png has the document's own name" in error.message


@pytest.mark.parametrize("held", [2, 5, 1 << 12])
def test_images_are_found_among_any_number_of_items(held: int, tmp_path: Path) -> None:
    """Most items lie on disk when there are many."""
    files = {f"x{n}.png": None for n in range(30)} | {f"of{n}.json": record(f"x{29 - n}.png") for n in range(30)}
    data = put(tmp_path, files)
    with with_amounts(items=held, items_ahead=300):
        items = list(fs.open(data, "labelme"))
    assert sorted(item.key for item in items) == sorted(f"x{n}" for n in range(30))
    assert all(len(item.objects) == 1 and item.image is not None for item in items)


def test_of_two_images_of_one_name_the_path_decides(tmp_path: Path) -> None:
    files = {"a/x.png": None, "b/x.png": None, "b/y.json": record("x.png"), "z.json": record("/far/x.png")}
    items = {item.key: item for item in fs.open(put(tmp_path, files), "labelme")}
    assert items["b/x"].objects and json.dumps(sorted(items)) == '["a/x", "b/x"]'


def test_a_layout_that_spells_the_names_as_they_are_goes_before_one_that_does_not(tmp_path: Path) -> None:
    """Files of one name in two folders belong together by these names; so the layout is that of two folders."""
    files = {f"images/{name}.png": None for name in "ab"} | {
        f"labels/{name}.json": record(f"../images/{name}.png") for name in "ab"
    }
    data = put(tmp_path / "data", files)
    assert sorted(item.key for item in fs.open(data, "labelme")) == ["a", "b"]
    fs.convert(data, to="labelme", out=tmp_path / "out", workers=1, labels={"cat": "dog"})
    assert (tmp_path / "out/labels/a.json").is_file() and (tmp_path / "out/images/a.png").is_file()
