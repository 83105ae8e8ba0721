"""A real item of ADE20K as training takes it: 150-class index maps, panoptic segments, 100-class instances.

What is expected is computed from the item's own files, its JSON, its `_seg.png` and its instance masks, and from the
tables of names.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np
import pytest
from conftest import Reference

import formatspec as fs
from formatspec.cli.arguments import label_map
from formatspec.language.load import bundled
from formatspec.run.select import NewCategory

LABELS = bundled() / "labels"


class Scene:
    """The files of the item: its objects as JSON has them, its label image, the mask of each object."""

    def __init__(self, folder: Path) -> None:
        (self.file,) = folder.rglob("ADE_train_*.json")
        self.objects: list[dict[str, Any]] = json.loads(self.file.read_text("latin-1"))["annotation"]["object"]
        self.names = {thing["name_ndx"]: thing["name"] for thing in self.objects}
        seg = iio.imread(self.file.with_name(f"{self.file.stem}_seg.png")).astype(int)
        self.numbers = seg[..., 0] // 10 * 256 + seg[..., 1]

    def mask(self, thing: Mapping[str, Any]) -> Any:
        """The pixels in which an object is seen."""
        return iio.imread(self.file.parent / thing["instance_mask"]) == 255


@pytest.fixture(scope="module")
def scene(reference: Reference) -> Scene:
    return Scene(reference("ade20k-real"))


def classes() -> dict[str, dict[str, str]]:
    """The 150 classes by name."""
    with (bundled() / "ade_scene_parsing_labels.csv").open(encoding="utf-8", newline="") as stream:
        return {row["name"]: row for row in csv.DictReader(stream)}


def class_of(table: Any, name: str) -> str | None:
    """What a map of labels makes of a name; None where it does not name it."""
    new = table.get(name)
    return new.name if isinstance(new, NewCategory) else new


def converted(reference: Reference, out: Path, to: str, labels: str, **more: Any) -> Any:
    table = label_map(LABELS / labels)
    return fs.convert(reference("ade20k-real"), spec="ade20k2020", to=to, out=out, labels=table, **more)


def coverage(result: Any) -> str:
    (line,) = [one for one in result.notices if one.startswith("--labels names")]
    return line


def test_index_maps_of_150_classes(scene: Scene, reference: Reference, tmp_path: Path) -> None:
    labels = "ade20k2020_to_scene_parsing.yaml"
    result = converted(reference, tmp_path / "out", "ade_scene_parsing", labels, where="depth == 0")
    (file,) = (tmp_path / "out/annotations").rglob("*.png")
    made, table, known = iio.imread(file), label_map(LABELS / labels), classes()
    wanted = np.zeros(scene.numbers.shape, int)
    for number, name in scene.names.items():
        if (new := class_of(table, name)) is not None:
            wanted[scene.numbers == number] = int(known[new]["id"])
    assert made.shape == wanted.shape and made.dtype == np.uint8
    whole = [thing for thing in scene.objects if thing["parts"]["part_level"] == 0]
    seen = np.zeros(made.shape, bool)
    for thing in whole:
        seen |= scene.mask(thing)
    # The label image shows a whole where its part hides it, and the masks do not: these pixels are of no object.
    wanted[~seen] = 0
    assert int((made != wanted).sum()) == 0 and int((~seen & (scene.numbers > 0)).sum()) == 255
    wholes = [thing["name"] for thing in whole]
    named = sum(class_of(table, name) is not None for name in wholes)
    share = f"{named} of {len(wholes)} objects ({named / len(wholes):.1%})"
    assert coverage(result) == f"--labels names the categories of {share}, {len(wholes) - named} under their own names"


def test_instances_beside_the_index_maps(scene: Scene, reference: Reference, tmp_path: Path) -> None:
    labels = "ade20k2020_to_scene_parsing.yaml"
    converted(reference, tmp_path / "out", "ade_scene_parsing", labels, where="depth == 0")
    (file,) = (tmp_path / "out/annotations_instance").rglob("*.png")
    made, table, known = iio.imread(file), label_map(LABELS / labels), classes()
    meant = label_map(LABELS / "ade20k2020_to_scene_instances.yaml")
    assert meant is not None
    things = [
        (thing, meant[thing["name"]].id) for thing in scene.objects
        if thing["parts"]["part_level"] == 0 and (new := class_of(table, thing["name"])) is not None
        and known[new]["countable"] == "true"
    ]  # fmt: skip
    values = {tuple(int(part) for part in value) for value in np.unique(made.reshape(-1, 3), axis=0)} - {(0, 0, 0)}
    assert Counter(red for red, _, _ in values) == Counter(number for _, number in things)
    assert sorted(green for _, green, _ in values) == list(range(1, len(things) + 1))
    shown = np.zeros(made.shape[:2], bool)
    for thing, _ in things:
        shown |= scene.mask(thing)
    assert int(((made[..., 0] > 0) != shown).sum()) == 0


def test_panoptic_segments(scene: Scene, reference: Reference, tmp_path: Path) -> None:
    labels = "ade20k2020_to_panoptic.yaml"
    result = converted(reference, tmp_path / "out", "coco_panoptic", labels)
    document = json.loads((tmp_path / "out/annotations/panoptic_training.json").read_text())
    table, known = label_map(LABELS / labels), classes()
    assert {one["name"]: one["isthing"] for one in document["categories"]} == {
        name: int(row["countable"] == "true") for name, row in known.items()
    }
    (annotation,) = document["annotations"]
    names = {one["id"]: one["name"] for one in document["categories"]}
    told = Counter(class_of(table, thing["name"]) for thing in scene.objects)
    left_out = told.pop(None, 0)
    stuff = {name for name in told if known[str(name)]["countable"] == "false"}
    found = Counter(names[segment["category_id"]] for segment in annotation["segments_info"])
    assert {name: found[name] for name in stuff} == dict.fromkeys(stuff, 1)
    hidden = sum(told[name] - found[str(name)] for name in told if name not in stuff)
    lost = {line["what"]: line["count"] for line in result.loss_report}
    assert hidden == lost.get("objects hidden by others", 0)
    pixels = iio.imread(tmp_path / "out/annotations/panoptic_training" / annotation["file_name"]).astype(int)
    numbers = pixels @ [1, 256, 65536]
    areas = {segment["id"]: segment["area"] for segment in annotation["segments_info"]}
    assert {number: int((numbers == number).sum()) for number in areas} == areas
    assert set(np.unique(numbers).tolist()) - {0} == set(areas)
    wholes = [thing for thing in scene.objects if thing["parts"]["part_level"] == 0]
    for name in stuff:
        joined = np.zeros(numbers.shape, bool)
        for thing in wholes:
            if class_of(table, thing["name"]) == name:
                joined |= scene.mask(thing)
        (segment,) = [one for one in annotation["segments_info"] if names[one["category_id"]] == name]
        assert not (joined < (numbers == segment["id"])).any(), name
    total = len(scene.objects)
    share = f"{total - left_out} of {total} objects ({(total - left_out) / total:.1%})"
    assert coverage(result) == f"--labels names the categories of {share}, {left_out} left out"


def test_instances_of_100_classes(scene: Scene, reference: Reference, tmp_path: Path) -> None:
    labels = "ade20k2020_to_scene_instances.yaml"
    result = converted(reference, tmp_path / "out", "coco", labels)
    document = json.loads((tmp_path / "out/annotations/instances_training.json").read_text())
    table = label_map(LABELS / labels)
    assert [one["id"] for one in document["categories"]] == list(range(1, 101))
    names = {one["id"]: one["name"] for one in document["categories"]}
    told = [thing for thing in scene.objects if class_of(table, thing["name"]) is not None]
    assert Counter(names[one["category_id"]] for one in document["annotations"]) == Counter(
        class_of(table, thing["name"]) for thing in told
    )
    areas = Counter(int(scene.mask(thing).sum()) for thing in told)
    assert Counter(int(one["area"]) for one in document["annotations"]) == areas
    share = f"{len(told)} of {len(scene.objects)} objects ({len(told) / len(scene.objects):.1%})"
    assert coverage(result) == f"--labels names the categories of {share}, {len(scene.objects) - len(told)} left out"
