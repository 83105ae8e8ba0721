"""An image of which documents of two subsets tell: each document keeps its own rows of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from coco_like import coco_document
from small_datasets import converted, put

import formatspec as fs
from formatspec.testing.memory import image_bytes

BOXES = {"train": [1, 1, 5, 5], "val": [10, 10, 6, 6]}


def document(box: list[int]) -> dict[str, Any]:
    """A COCO document of one image with one box."""
    return coco_document([("a.png", 40, 30)], [{"bbox": box, "area": box[2] * box[3]}])


def in_both(folder: Path) -> Path:
    """A COCO dataset of one image that stands in two subsets, with another box in each."""
    told = {f"annotations/instances_{name}.json": json.dumps(document(box)) for name, box in BOXES.items()}
    return put(folder, {"images/a.png": image_bytes(40, 30, "png"), **told})


@pytest.mark.parametrize("more", [{}, {"where": "true"}])
@pytest.mark.parametrize("renamed", [{}, {"val": "test"}, {"train": "val", "val": "train"}])
def test_each_document_keeps_its_own_rows(tmp_path: Path, renamed: dict[str, str], more: dict[str, Any]) -> None:
    out, lost = converted(in_both(tmp_path / "in"), "coco", subsets=renamed, **more)
    for name, box in BOXES.items():
        path = out / f"annotations/instances_{renamed.get(name, name)}.json"
        assert json.loads(path.read_text()) == document(box)
    assert not lost


def test_documents_of_two_subsets_that_become_one_are_one(tmp_path: Path) -> None:
    out, _ = converted(in_both(tmp_path / "in"), "coco", subsets={"val": "train"})
    made = json.loads((out / "annotations/instances_train.json").read_text())
    assert [row["bbox"] for row in made["annotations"]] == list(BOXES.values())
    assert len(made["images"]) == 1


def alike(folder: Path, **other: Any) -> Path:
    """A COCO dataset of one image whose annotation stands alike in two subsets, but for what is `other` in one."""
    data = in_both(folder)
    made = document(BOXES["train"])
    made["annotations"].append({**made["annotations"][0], "id": 2})  # twice in one document: these are two
    (data / "annotations/instances_train.json").write_text(json.dumps(made))
    made["annotations"] = [{**row, **other} for row in made["annotations"]]
    (data / "annotations/instances_val.json").write_text(json.dumps(made))
    return data


@pytest.mark.parametrize("to", ["lvis", "label_studio", "labelbox", "datumaro"])
def test_annotations_that_two_subsets_tell_alike_are_the_same_ones(tmp_path: Path, to: str) -> None:
    data = alike(tmp_path / "in")
    for place in (data, converted(data, to)[0]):
        (item,) = fs.open(place, "coco" if place == data else to)
        assert len(item.objects) == 2
    (item,) = fs.open(alike(tmp_path / "other", bbox=[2, 2, 6, 6]), "coco")
    assert len(item.objects) == 4


def test_kept_fields_of_annotations_that_stand_in_two_subsets_are_counted_once(tmp_path: Path) -> None:
    _, lost = converted(alike(tmp_path / "in", kind="x"), "yolo_ultralytics")
    assert lost["kept fields: kind"] == 2  # one document has them, the other does not: nothing is the same
    data = alike(tmp_path / "again")
    for path in (data / "annotations").iterdir():
        path.write_text(path.read_text().replace('"iscrowd": 0', '"iscrowd": 0, "kind": "x"'))
    _, lost = converted(data, "yolo_ultralytics")
    assert lost["kept fields: kind"] == 2


def test_a_target_of_a_document_for_each_subset_holds_all_subsets_of_an_image(tmp_path: Path) -> None:
    out, lost = converted(alike(tmp_path / "in"), "lvis")
    (item,) = fs.open(out, "lvis")
    assert set(item.subsets) == {"train", "val"} and "further subsets" not in lost


def test_an_image_at_the_top_gets_a_folder_where_a_target_has_one(tmp_path: Path) -> None:
    data, _ = converted(in_both(tmp_path / "in"), "label_studio", subsets={"val": "train"})
    out, _ = converted(data, "lvis")
    (item,) = fs.open(out, "lvis")
    assert item.image is not None and item.image.path == "default/a.png"


def test_findings_of_annotations_that_stand_in_two_subsets_lead_to_the_objects_that_are_left(tmp_path: Path) -> None:
    data = alike(tmp_path / "in")
    for path in (data / "annotations").iterdir():
        made = json.loads(path.read_text())
        wrong = [{**made["annotations"][0], "id": place, "bbox": [place, 1, 0, 5]} for place in (7, 8)]
        path.write_text(json.dumps({**made, "annotations": [*made["annotations"], *wrong]}))
    (item,) = fs.open(data, "coco")
    assert [thing.id for thing in item.objects] == [1, 2, 7, 8]
    out, _ = converted(data, "lvis", on=["BOX_EMPTY=drop"])
    (item,) = fs.open(out, "lvis")
    assert [thing.id for thing in item.objects] == [1, 2]


def numbered_apart(folder: Path, images: dict[str, str], path: str = "images/{name}.png", first: int = 1) -> Path:
    """A COCO dataset whose documents number their images and annotations each from 1, `images` of each by subset.

    The document of the second subset begins at `first`.
    """
    files: dict[str, str | bytes] = {}
    for subset, names in images.items():
        begin = 1 if not files else first
        row = document(BOXES[subset])["annotations"][0]
        rows = [{**row, "id": at, "image_id": at} for at in range(begin, begin + len(names))]
        made = coco_document([(f"{name}.png", 40, 30) for name in names], rows, first=begin)
        files[f"annotations/instances_{subset}.json"] = json.dumps(made)
        files |= {path.format(name=name, subset=subset): image_bytes(40, 30, "png") for name in names}
    return put(folder, files)


@pytest.mark.parametrize("to", ["lvis", "label_studio", "roboflow_coco", "coco_text", "objects365"])
@pytest.mark.parametrize("where", [None, "true"])
def test_numbers_of_two_subsets_stand_once_in_every_file(tmp_path: Path, to: str, where: str | None) -> None:
    """An image of both subsets brings its annotations of one document into the file of the other."""
    out, lost = converted(numbered_apart(tmp_path / "in", {"train": "ab", "val": "bc"}), to, where=where)
    found = fs.open(out, to)
    assert sorted(len(item.objects) for item in found) == [1, 1, 2]
    assert not found.findings and not [one for one in fs.validate(out, to).findings if one.level == "error"]
    if to in ("lvis", "roboflow_coco", "coco_text"):
        assert lost["object ids renumbered"] == 4


def test_numbers_of_two_subsets_do_not_meet_in_the_one_file_of_a_target(tmp_path: Path) -> None:
    path = "images/{subset}/{name}.png"
    out, lost = converted(numbered_apart(tmp_path / "in", {"train": "ab", "val": "cd"}, path), "coco_text")
    assert sorted(len(item.objects) for item in fs.open(out, "coco_text")) == [1] * 4
    assert lost["object ids renumbered"] == 4


@pytest.mark.parametrize("to", ["coco_text", "roboflow_coco", "lvis"])
def test_numbers_that_no_two_subsets_share_are_kept(tmp_path: Path, to: str) -> None:
    path = "images/{subset}/{name}.png"
    out, lost = converted(numbered_apart(tmp_path / "in", {"train": "ab", "val": "cd"}, path, first=7), to)
    assert "object ids renumbered" not in lost
    assert sorted(thing.id for item in fs.open(out, to) for thing in item.objects if isinstance(thing.id, int)) == [
        1, 2, 7, 8,
    ]  # fmt: skip


def lists_of_yolo(folder: Path, lists: dict[str, str]) -> Path:
    """A dataset of YOLO labels whose lists name the images of each subset; image number n has n objects."""
    names = sorted(set("".join(lists.values())))
    files: dict[str, str | bytes] = {f"images/{name}.png": image_bytes(40, 30, "png") for name in names}
    for count, name in enumerate(names, 1):
        files[f"labels/{name}.txt"] = "".join(f"0 0.5 0.5 0.{at} 0.2\n" for at in range(1, count + 1))
    for subset, named in lists.items():
        files[f"{subset}.txt"] = "".join(f"./images/{name}.png\n" for name in named)
    told = "".join(f"{subset}: {subset}.txt\n" for subset in lists)
    return put(folder, {**files, "data.yaml": f"path: .\n{told}names: [cat]\n"})


@pytest.mark.parametrize("to", ["lvis", "label_studio", "voc"])
def test_an_object_has_one_made_number_in_the_files_of_all_its_subsets(tmp_path: Path, to: str) -> None:
    out, _ = converted(lists_of_yolo(tmp_path / "in", {"train": "abd", "val": "bc"}), to)
    found = {item.key.rpartition("/")[2]: item for item in fs.open(out, to)}
    assert {name: len(item.objects) for name, item in found.items()} == {"a": 1, "b": 2, "c": 3, "d": 4}
    assert set(found["b"].subsets) == {"train", "val"}


@pytest.mark.parametrize("lists", [{"train": "ab", "val": "ab"}, {"train": "ab", "val": "ab", "test": "ab"}])
def test_a_document_names_only_folders_in_which_images_were_put(tmp_path: Path, lists: dict[str, str]) -> None:
    """All images of two subsets lie in the folder of one: what loads the output finds a folder for each name."""
    data, _ = converted(lists_of_yolo(tmp_path / "in", lists), "voc")
    out, lost = converted(data, "yolo_ultralytics")
    assert lost["further subsets"] == 2
    told = yaml.safe_load((out / "data.yaml").read_text())
    assert all((out / told[name]).is_dir() for name in ("train", "val", "test") if name in told)
    assert {one.code for one in fs.validate(out, "yolo_ultralytics").findings} <= {"SPLIT_LEAK"}


@pytest.mark.parametrize("to", ["lvis", "label_studio", "coco_text"])
def test_items_in_hand_of_which_ids_stand_twice_get_new_ones(tmp_path: Path, to: str) -> None:
    held = list(fs.open(numbered_apart(tmp_path / "in", {"train": "ab", "val": "bc"}), "coco"))
    assert len({item.id for item in held}) < len(held)
    out = fs.write(held, tmp_path / "out", to=to).out
    found = fs.open(out, to)
    assert sorted(len(item.objects) for item in found) == [1, 1, 2] and not found.findings
