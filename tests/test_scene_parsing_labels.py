"""The tables that map ADE20K's categories to the 150 classes and the 100 instance classes of its scene parsing."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import typer

import formatspec as fs
from formatspec.cli.arguments import label_map
from formatspec.language.load import bundled
from formatspec.pixels.png import decode, encode
from formatspec.run.select import NewCategory
from formatspec.testing.memory import image_bytes

LABELS = bundled() / "labels"


def classes() -> dict[str, bool]:
    """The 150 classes by name, and whether each has instances."""
    with (bundled() / "ade_scene_parsing_labels.csv").open(encoding="utf-8", newline="") as stream:
        return {row["name"]: row["countable"] == "true" for row in csv.DictReader(stream)}


def test_every_class_is_meant_by_a_category() -> None:
    table = label_map(LABELS / "ade20k2020_to_scene_parsing.yaml")
    assert table is not None and set(table.values()) == set(classes()) and len(classes()) == 150
    assert len(table) == 152


def test_every_class_of_instances_is_meant_by_a_category() -> None:
    table = label_map(LABELS / "ade20k2020_to_scene_instances.yaml")
    things = {name for name, countable in classes().items() if countable}
    assert table is not None and table["*"] is None
    meant = {new.name: new.id for new in table.values() if isinstance(new, NewCategory)}
    assert meant.keys() == things and sorted(meant.values()) == list(range(1, 101))


def test_the_panoptic_table_says_what_the_tables_of_classes_say() -> None:
    table = label_map(LABELS / "ade20k2020_to_panoptic.yaml")
    names = label_map(LABELS / "ade20k2020_to_scene_parsing.yaml")
    assert table is not None and names is not None and table.pop("*", "missing") is None
    new = {old: one for old, one in table.items() if isinstance(one, NewCategory)}
    assert {old: one.name for old, one in new.items()} == names and len(new) == len(table)
    assert {one.name: one.countable for one in new.values()} == classes()
    assert {one.id for one in new.values()} == set(range(1, 151))


@pytest.mark.parametrize(("name", "meant"), [
    ("double door", "door, double door"),
    ("door", "door, double door"),
    ("closet", "wardrobe, closet, press"),
    ("screen, crt screen", "crt screen"),
    ("car, auto, automobile, machine, motorcar", "car, auto, automobile, machine, motorcar"),
])  # fmt: skip
def test_names_are_lists_of_words(name: str, meant: str) -> None:
    """A category is told by its whole name: single words of it stand in the names of others as well."""
    table = label_map(LABELS / "ade20k2020_to_scene_parsing.yaml")
    assert table is not None and table[name] == meant
    assert "car" not in table and "wheel" not in table


def make_scene(folder: Path) -> None:
    """A door, two walls, a plate and a van side by side, as the release of 2020 has them."""
    import numpy as np

    scene = folder / "images/ADE/training/urban"
    scene.mkdir(parents=True)
    (scene / "a.jpg").write_bytes(image_bytes(20, 10, "jpg"))
    things = [
        (0, "double door", 783, (0, 4)),
        (1, "wall", 2978, (4, 8)),
        (2, "license plate", 1439, (8, 12)),
        (3, "van", 2928, (12, 16)),
        (4, "wall", 2978, (17, 20)),
    ]
    records = []
    seg = np.zeros((10, 20, 3), np.uint8)
    for number, name, ndx, (left, right) in things:
        mask = np.zeros((10, 20), np.uint8)
        mask[:, left:right] = 255
        (scene / "a").mkdir(exist_ok=True)
        (scene / f"a/instance_{number:03d}_a.png").write_bytes(encode(mask, "gray"))
        seg[:, left:right] = (ndx // 256 * 10, ndx % 256, (255 * (number + 1) + 2) // 5)
        records.append({
            "id": number, "name": name, "name_ndx": ndx, "hypernym": [], "raw_name": name, "attributes": [],
            "depth_ordering_rank": number + 1, "occluded": "no", "crop": "0",
            "parts": {"hasparts": [], "ispartof": [], "part_level": 0},
            "instance_mask": f"a/instance_{number:03d}_a.png",
            "polygon": {"x": [left, right, right, left], "y": [0, 0, 10, 10]}, "saved_date": "",
        })  # fmt: skip
    (scene / "a_seg.png").write_bytes(encode(seg, "rgb"))
    (scene / "a.json").write_text(json.dumps({"annotation": {
        "filename": "a.jpg", "folder": "training/urban", "imsize": [10, 20, 3],
        "source": {"folder": "", "filename": "", "origin": ""}, "scene": ["urban"], "object": records,
    }}))  # fmt: skip


def test_scenes_become_index_maps_and_instances(tmp_path: Path) -> None:
    make_scene(tmp_path / "ade")
    result = fs.convert(
        tmp_path / "ade", spec="ade20k2020", to="ade_scene_parsing", out=tmp_path / "out",
        labels=label_map(LABELS / "ade20k2020_to_scene_parsing.yaml"),
    )  # fmt: skip
    assert {line["what"]: line["count"] for line in result.loss_report}[
        "objects not written (no table is for them)"
    ] == 1
    (item,) = fs.open(tmp_path / "out", "ade_scene_parsing")
    assert {thing.category.id: thing.region.area for thing in item.objects if thing.category and thing.region} == {
        15: 40,
        103: 40,
    }
    assert {area.category.id: area.region.area for area in item.areas} == {1: 70}


def test_scenes_become_panoptic_segments(tmp_path: Path) -> None:
    make_scene(tmp_path / "ade")
    result = fs.convert(
        tmp_path / "ade", spec="ade20k2020", to="coco_panoptic", out=tmp_path / "out",
        labels=label_map(LABELS / "ade20k2020_to_panoptic.yaml"),
    )  # fmt: skip
    assert "joined to one area for each category without instances: 2 objects" in result.notices
    document = json.loads((tmp_path / "out/annotations/panoptic_training.json").read_text())
    assert [(one["id"], one["isthing"]) for one in document["categories"]] == [
        (number + 1, int(countable)) for number, countable in enumerate(classes().values())
    ]
    (annotation,) = document["annotations"]
    segments = {one["category_id"]: (one["id"], one["area"]) for one in annotation["segments_info"]}
    assert {category: area for category, (_, area) in segments.items()} == {15: 40, 103: 40, 1: 70}
    shown = decode((tmp_path / "out/annotations/panoptic_training" / annotation["file_name"]).read_bytes())
    numbers = shown.pixels.astype(int) @ [1, 256, 65536]
    assert {number: int((numbers == number).sum()) for number, _ in segments.values()} == dict(segments.values())
    assert int((numbers == 0).sum()) == 50


def test_scenes_become_instances_of_100_classes(tmp_path: Path) -> None:
    make_scene(tmp_path / "ade")
    fs.convert(
        tmp_path / "ade", spec="ade20k2020", to="coco", out=tmp_path / "out",
        labels=label_map(LABELS / "ade20k2020_to_scene_instances.yaml"),
    )  # fmt: skip
    document = json.loads((tmp_path / "out/annotations/instances_training.json").read_text())
    assert [one["id"] for one in document["categories"]] == list(range(1, 101))
    names = {one["id"]: one["name"] for one in document["categories"]}
    assert [names[one["category_id"]] for one in document["annotations"]] == ["door, double door", "van"]


def test_a_new_category_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "labels.yaml").write_text('"wall": {name: wall, number: 1}')
    with pytest.raises(typer.Exit):
        label_map(tmp_path / "labels.yaml")
