"""The generator uses every leaf: each is stated in some made-up dataset."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

import formatspec
from formatspec.language.load import available, load_source
from formatspec.model.slots import find_slot
from formatspec.testing import laws
from formatspec.testing.outline import outline

DATASETS = 60


def values_of(record: Any, slot: str) -> Any:
    """What a record of the model holds in a slot; None for nothing."""
    if slot.startswith("category."):
        return values_of(record.category, slot.removeprefix("category.")) if record.category is not None else None
    if slot.startswith("label."):
        labels = getattr(record, "labels", (record,))
        return values_of(labels[0], slot.removeprefix("label.")) if labels else None
    if slot.startswith("attributes."):
        return record.attributes.get(slot.removeprefix("attributes."))
    if slot.startswith("image."):
        return getattr(record.image, slot.removeprefix("image."), True) if record.image is not None else None
    slot = {"polygon": "polygons", "subset": "subsets", "caption.text": "captions"}.get(slot, slot)
    value = getattr(record, slot, None)
    return None if value in ((), {}, "") else value


def records_of(kind: str, categories: Any, items: Any) -> list[Any]:
    """The records of a kind in a made-up dataset."""
    if kind == "category":
        return list(categories)
    if kind == "item":
        return list(items)
    slot = {"object": "objects", "label": "labels", "caption": "captions", "area": "areas"}.get(kind)
    return [] if slot is None else [record for item in items for record in getattr(item, slot)]


@pytest.mark.parametrize("name", sorted(available()))
def test_every_leaf_is_used(name: str) -> None:
    source = load_source(name)
    used: dict[str, bool] = {}
    for form in laws.forms(source):
        if form.layout is not source.layouts[0]:
            continue
        known = outline(form).leaves
        for kind, bounds in known.items():
            if kind in ("void", "attribute", "dataset"):
                continue
            for bound in bounds:
                for slot in bound.slots:
                    found = find_slot(kind, slot)
                    if found is None or not found[1].derived:
                        used.setdefault(f"{kind}.{slot}", False)
        for seed in range(DATASETS):
            categories, items = laws.example(form, random.Random(seed), 3)
            for kind, bounds in known.items():
                records = records_of(kind, categories, items)
                for bound in bounds:
                    for slot in bound.slots:
                        key = f"{kind}.{slot}"
                        if not used.get(key, True):
                            used[key] = any(values_of(record, slot) is not None for record in records)
    unseen = [key for key, seen in used.items() if not seen]
    assert unseen == []


@pytest.mark.parametrize("name", ["ade20k2020", "image_masks", "kitti_detection", "mot_seq"])
def test_as_many_items_as_were_asked_for(name: str, tmp_path: Path) -> None:
    formatspec.sample(name, tmp_path / "made", items=300, seed=4)
    assert len(formatspec.open(tmp_path / "made", spec=name)) == 300
