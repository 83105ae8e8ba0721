"""Formats of published datasets: what formatspec writes, read by Datumaro."""

from __future__ import annotations

import itertools
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from others import datumaro_dataset, items

import formatspec as fs
from formatspec.model import derive
from formatspec.testing import generate
from formatspec.testing.generate import Generator

pytest.importorskip("datumaro")
pytestmark = pytest.mark.interop

Facts = dict[str, Any]
"""What is compared of one image."""

READ = {
    # ours: Datumaro's name, what is compared
    "align_celeba": ("align_celeba", "labels"),
    "celeba": ("celeba", "labels boxes"),
    "cityscapes": ("cityscapes", "masks"),
    "dota": ("dota", "objects"),
    "icdar_word_recognition": ("icdar_word_recognition", "captions"),
    "kitti_segmentation": ("kitti_segmentation", "masks"),
    "market1501": ("market1501", "images"),
    "mots_png": ("mots", "masks"),
    "synthia_al": ("synthia_al", "masks"),
    "synthia_rand": ("synthia_rand", "masks"),
    "synthia_sf": ("synthia_sf", "masks"),
    "vgg_face2": ("vgg_face2", "boxes"),
}


NOTHING = {"unlabeled", "Void", "background"}
"""What other tools call pixels of no class."""


UNSEEN = {"cityscapes": {"road"}}
"""Classes that it does not see: of Cityscapes it reads the images of the nineteen classes for training, and takes the
first, 0, for background."""


def painted(pairs: Any) -> dict[str, Any]:
    """Masks of one label as one, empty ones left out."""
    found: dict[str, Any] = {}
    for label, mask in pairs:
        mask, label = np.asarray(mask, bool), label.replace(" ", "")  # some lists of classes have blanks
        if mask.any() and label not in NOTHING:
            found[label] = found.get(label, False) | mask
    return found


def held_by_us(folder: Path, spec: str) -> dict[str, Facts]:
    """By an image's file name without its extension."""
    found: dict[str, Facts] = {}
    for item in items(folder, spec):
        assert item.image is not None
        size = item.image.height, item.image.width
        things = [thing for thing in item.objects if thing.parent is None]
        regions = [(area.category, area.region) for area in item.areas]
        regions += [(thing.category, region) for thing in things if (region := derive.region(thing, *size)) is not None]
        found[Path(item.image.path).stem.removesuffix("_leftImg8bit")] = {
            "images": True,
            "labels": sorted(
                label.category.name or f"class-{label.category.id}" for label in item.labels if label.category
            ),
            "boxes": sorted(tuple(map(float, thing.bbox)) for thing in things if thing.bbox is not None),
            "captions": [caption.text for caption in item.captions],
            "masks": painted((category.name if category else "", region.to_mask()) for category, region in regions),
            "objects": sorted(thing.category.name for thing in things if thing.category),
        }
    return found


def held_by_datumaro(folder: Path, name: str) -> dict[str, Facts]:
    dataset = datumaro_dataset(folder, name)
    from datumaro.components.annotation import AnnotationType as Kind

    labels = dataset.categories().get(Kind.label)
    names = [] if labels is None else [label.name for label in labels.items]
    found: dict[str, Facts] = {}
    for item in dataset:
        by: dict[str, list[Any]] = defaultdict(list)
        for one in item.annotations:
            by[one.type.name].append(one)
        name_of = {
            id(a): names[a.label] if getattr(a, "label", None) is not None and names else "" for a in item.annotations
        }
        found[Path(item.id).stem] = {
            "images": True,
            "labels": sorted(name_of[id(a)] for a in by["label"]),
            "boxes": sorted(tuple(map(float, a.get_bbox())) for a in by["bbox"]),
            "captions": [a.caption for a in by["caption"]],
            "masks": painted((name_of[id(a)], a.image) for a in by["mask"] if name_of[id(a)]),
            "classes": {name.replace(" ", "") for name in names},
            "objects": sorted(name_of[id(a)] for kind in ("bbox", "polygon", "rotated_bbox") for a in by[kind]),
        }
    return found


def same(mine: Any, other: Any) -> bool:
    if isinstance(mine, dict):
        return mine.keys() == other.keys() and all(np.array_equal(mine[key], other[key]) for key in mine)
    return bool(mine == other)


@pytest.fixture
def plainly_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Made-up files have names as releases have: other tools take dots, brackets and blanks for something else."""
    counted, capture = itertools.count(1), Generator._capture

    def plain(self: Generator, name: str, kind: str) -> Any:
        if name == "subset":
            return kind.partition("|")[0] if "|" in kind else "train"  # no person is in two of them
        if kind in ("", "path") and name != "subset":
            return f"photo{next(counted)}"
        return "jpg" if kind == "image" else "" if kind == "path?" else capture(self, name, kind)

    monkeypatch.setattr(Generator, "_capture", plain)
    monkeypatch.setattr(generate, "WORDS", [f"{number:04}" for number in range(1, 13)])  # as persons are called


@pytest.mark.usefixtures("plainly_named")
@pytest.mark.parametrize("spec", READ)
def test_datumaro_reads_our_release(spec: str, tmp_path: Path) -> None:
    """Of VGG-Face2 it knows no image that its tables do not name.  Not among these are ICDAR's boxes of words, of which
    it reads none that are parted by commas and blanks, as the challenge's own are; MARS, where it fails on cameras of
    two digits; Segment Anything, whose scores it wants as 1.0 where they are 1."""
    name, kinds = READ[spec]
    fs.sample(spec, tmp_path / "out", items=6, seed=7)
    mine, others = held_by_us(tmp_path / "out", spec), held_by_datumaro(tmp_path / "out", name)
    if spec == "vgg_face2":
        mine = {image: facts for image, facts in mine.items() if image in others or facts["boxes"]}
    assert mine.keys() == others.keys()
    for image, facts in mine.items():
        known = others[image]["classes"] - UNSEEN.get(spec, set())
        facts["masks"] = {label: mask for label, mask in facts["masks"].items() if label in known}
        for kind in kinds.split():
            assert same(facts[kind], others[image][kind]), (image, kind, facts[kind], others[image][kind])
    assert any(facts[kind] for facts in mine.values() for kind in kinds.split())
