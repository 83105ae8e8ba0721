"""A format is told by what identifies it: not by a spec's name or place among others, nor by being left over."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from all_specs import sources

import formatspec as fs
from formatspec.engine.detection.detect import detect
from formatspec.language.load import available
from formatspec.paths.trees.open_tree import open_tree

INSTANCES = {
    "publaynet": "coco",
    "roboflow_coco": "coco",
    "doclaynet": "coco",
    "roboflow_voc": "labelimg_voc",
    "labelimg_voc": "voc_folders",
    "voc_folders": "voc",
}
"""Formats whose files are valid files of another one, in which nothing of them is read otherwise."""
LOOSER = {"objects365": "coco", "cvat_video": "cvat_images", "refcoco": "coco"}
"""Formats whose documents are those of another, which does not find images by the names in them, or leaves files."""


def without(name: str, folder: Path) -> tuple[str, ...]:
    """What a sample of a format is taken for where nobody knows that format."""
    fs.sample(name, folder, items=5, seed=1)
    others = {other: source for other, source in sources().items() if other != name}
    return detect(others, open_tree(folder)).names


@pytest.mark.parametrize("name", sorted(available().keys() - INSTANCES.keys() - LOOSER.keys()))
def test_without_its_spec_a_sample_is_refused(name: str, tmp_path: Path) -> None:
    assert without(name, tmp_path / "data") == ()


@pytest.mark.parametrize(("name", "other"), INSTANCES.items())
def test_an_instance_of_another_format_is_read_alike_without_its_spec(name: str, other: str, tmp_path: Path) -> None:
    assert without(name, tmp_path / "data") == (other,)
    within = detect({other: sources()[other]}, open_tree(tmp_path / "data")).within
    own, its = (list(fs.open(tmp_path / "data", one)) for one in (name, other))
    assert not [one for one in fs.validate(tmp_path / "data", other).findings if one.level == "error"]

    def told(items: list[fs.Item], prefix: str) -> list[object]:
        return sorted(
            (
                (prefix + (one.image.path or "") if one.image else one.key).removeprefix(f"{within}/"),
                [(thing.category.name, thing.bbox) for thing in one.objects],
            )
            for one in items
        )

    assert told(own, "") == told(its, "")


@pytest.mark.parametrize(("name", "other"), LOOSER.items())
def test_a_looser_format_is_not_taken_in_silence(name: str, other: str, tmp_path: Path) -> None:
    assert without(name, tmp_path / "data") == (other,)
    found = fs.validate(tmp_path / "data", other).findings
    assert {one.code for one in found} & {"IMAGE_MISSING", "IMAGE_ABSENT", "NOTHING_FOUND", "FILE_UNCLAIMED"}


@pytest.mark.parametrize("name", sorted(available())[::5])
def test_names_and_order_of_specs_change_nothing(name: str, tmp_path: Path) -> None:
    fs.sample(name, tmp_path / "data", items=8, seed=4)
    names = sorted(sources())
    random.Random(name).shuffle(names)
    renamed = {f"z{number}": sources()[one] for number, one in enumerate(names)}
    assert detect(renamed, open_tree(tmp_path / "data")).names == (f"z{names.index(name)}",)
