"""The classes that a dataset lists before its items are read are those that its items name.

Only what tells of classes is read then; a row that another alternative takes when nobody asks for all of it lists none.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import formatspec as fs
from formatspec.language.load import available, load_source

EXAMPLES = [
    (name, example)
    for name in sorted(available())
    for source in [load_source(name)]
    for example in source.layouts[0].spec.examples
]


@pytest.mark.parametrize(("name", "example"), EXAMPLES, ids=[example for _, example in EXAMPLES])
def test_the_classes_of_items_are_listed(name: str, example: str) -> None:
    folder = Path(str(load_source(name).file)).parent / example
    dataset = fs.open(folder, name)
    named = {
        record.category.name
        for item in dataset
        for record in (*item.objects, *item.labels, *item.areas)
        if record.category is not None and record.category.name is not None
    }
    assert named <= {category.name for category in dataset.categories}


def test_a_class_that_only_a_condition_on_pixels_names_is_no_missing_class(tmp_path: Path) -> None:
    source = load_source("penn_fudan")
    folder = Path(str(source.file)).parent / source.layouts[0].spec.examples[0]
    fs.convert(folder, spec="penn_fudan", to="coco", out=tmp_path / "out")
    assert [category.name for category in fs.open(tmp_path / "out", "coco").categories] == ["PASpersonWalking"]
