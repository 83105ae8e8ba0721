"""Two images of one stem and of different extensions are two items, in formats that name images with theirs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from coco_like import GOOD, coco_document, image_bytes, put

import formatspec as fs
from formatspec.testing.memory import image_bytes as made

IMAGES: dict[str, str | bytes] = {
    "a.jpg": image_bytes(100, 80),
    "a.png": made(90, 70, "png"),
    "b.jpg": image_bytes(100, 80),
}


def coco(folder: Path, files: tuple[str, ...] = ("a.png", "a.jpg", "b.jpg")) -> Path:
    """A dataset whose rows name three images, of which some files are there; each has one object."""
    sizes = {"a.jpg": (100, 80), "a.png": (90, 70), "b.jpg": (100, 80)}
    named = ("a.png", "a.jpg", "b.jpg")
    rows = [{**GOOD, "image_id": place, "category_id": place} for place in (1, 2, 3)]
    document = coco_document([(name, *sizes[name]) for name in named], rows, [f"of {name}" for name in named])
    held = {f"images/train/{name}": IMAGES[name] for name in files}
    return put(folder, {"annotations/instances_train.json": json.dumps(document), **held})


def seen(data: Path, spec: str) -> dict[str, list[str]]:
    """The categories of each image's objects."""
    return {
        (item.image.path if item.image else "").rpartition("/")[2]:
            [thing.category.name for thing in item.objects if thing.category]
        for item in fs.open(data, spec)
    }  # fmt: skip


BOTH = {name: [f"of {name}"] for name in IMAGES}


@pytest.mark.parametrize("spelled", ["./{}", ".\\{}"])
def test_rows_that_spell_them_otherwise_tell_them_apart(spelled: str, tmp_path: Path) -> None:
    data = coco(tmp_path / "data")
    file = data / "annotations/instances_train.json"
    document = json.loads(file.read_text())
    for row in document["images"]:
        row["file_name"] = spelled.format(row["file_name"])
    file.write_text(json.dumps(document))
    assert seen(data, "coco") == BOTH


@pytest.mark.parametrize("to", ["coco", "tfod_csv", "via_json", "createml", "retinanet_csv", "cvat_images"])
def test_both_are_kept_where_rows_tell_the_extension(to: str, tmp_path: Path) -> None:
    data = coco(tmp_path / "data")
    assert fs.validate(data, "coco").findings == ()
    fs.convert(data, to=to, out=tmp_path / "out", spec="coco")
    assert [one for one in fs.validate(tmp_path / "out", to).findings if one.level == "error"] == []
    assert seen(tmp_path / "out", to) == BOTH
    fs.convert(tmp_path / "out", to="coco", out=tmp_path / "back", spec=to)
    assert seen(tmp_path / "back", "coco") == BOTH


@pytest.mark.parametrize("to", ["yolo_ultralytics", "voc", "labelme"])
def test_they_collide_where_files_are_named_by_the_stem(to: str, tmp_path: Path) -> None:
    data = coco(tmp_path / "data")
    with pytest.raises(fs.RefusedError) as refused:
        fs.convert(data, to=to, out=tmp_path / "out", spec="coco")
    assert [one.code for one in refused.value.findings if one.action == "error"] == ["ITEM_COLLISION"]
    result = fs.convert(data, to=to, out=tmp_path / "out", spec="coco", on=["ITEM_COLLISION=drop-item"])
    assert (result.items, result.skipped) == (2, 1)


def test_in_a_format_of_files_named_by_the_stem_they_are_one_item(tmp_path: Path) -> None:
    data = put(tmp_path / "data", {
        "data.yaml": "train: images/train\nval: images/val\nnames: [cat]\n", "images/train/a.jpg": IMAGES["a.jpg"],
        "images/train/a.png": IMAGES["a.png"], "labels/train/a.txt": "0 0.5 0.5 0.2 0.2\n",
        "images/val/b.jpg": IMAGES["b.jpg"],
    })  # fmt: skip
    found = [one for one in fs.validate(data, "yolo_ultralytics").findings if one.level == "error"]
    assert [(one.code, one.file) for one in found] == [("ITEM_DUPLICATE", "images/train/a.png")]


@pytest.mark.parametrize("files", [("a.jpg", "b.jpg"), ("b.jpg",)])
def test_one_that_is_missing_is_missed_and_the_other_stays(files: tuple[str, ...], tmp_path: Path) -> None:
    data = coco(tmp_path / "data", files)
    found = fs.validate(data, "coco").findings
    assert {(one.code, one.level) for one in found} <= {("IMAGE_MISSING", "error"), ("DIFFERS", "warning"),
                                                        ("IMAGE_SIZE", "error"), ("DUPLICATE", "error")}  # fmt: skip
    assert "IMAGE_MISSING" in {one.code for one in found} or "DUPLICATE" in {one.code for one in found}


def test_no_image_is_there_and_both_rows_stay(tmp_path: Path) -> None:
    data = coco(tmp_path / "data", ())
    assert [one.code for one in fs.validate(data, "coco").findings] == ["IMAGE_ABSENT"]
    fs.convert(data, to="coco", out=tmp_path / "out", spec="coco", media="none")
    rows = json.loads((tmp_path / "out/annotations/instances_train.json").read_text())
    assert [row["file_name"] for row in rows["images"]] == ["a.png", "a.jpg", "b.jpg"] and len(rows["annotations"]) == 3


def test_a_row_of_another_extension_names_the_only_image_of_its_stem(tmp_path: Path) -> None:
    data = coco(tmp_path / "data", ("a.jpg", "b.jpg"))
    path = data / "annotations/instances_train.json"
    document = json.loads(path.read_text())
    document["images"] = [row for row in document["images"] if row["file_name"] != "a.jpg"]
    document["images"][0].update(width=100, height=80)
    document["annotations"] = [row for row in document["annotations"] if row["image_id"] != 2]
    path.write_text(json.dumps(document))
    assert [(one.code, one.level) for one in fs.validate(data, "coco").findings] == [("DIFFERS", "warning")]
