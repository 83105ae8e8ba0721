"""Drafts for datasets of boxes in formats of habit read every object as it was meant, and ask nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from datasets_of_boxes import BOXES, CLASSES, scene
from more_box_formats import MORE

import formatspec as fs
from formatspec.infer.infer import infer
from formatspec.paths.trees.open_tree import open_tree

EVERY = {**BOXES, **MORE}


@pytest.mark.parametrize("kind", sorted(EVERY))
def test_every_box_is_read_as_it_was_meant(kind: str, tmp_path: Path) -> None:
    made = scene()
    data = tmp_path / "data"
    EVERY[kind](data, made)
    drafted = infer(open_tree(str(data)), "drafted")
    assert drafted.questions == () and drafted.errors == 0 and drafted.claimed == drafted.evidence, drafted.text
    spec = tmp_path / "drafted.yaml"
    spec.write_text(drafted.text, "utf-8")
    dataset = fs.open(data, spec)
    items = list(dataset)
    assert not [one for one in dataset.findings if one.level == "error"]
    copies = 2 if kind == "sequences" else 1
    assert len(items) == copies * len(made)
    told = sorted(
        ((thing.category.name or "").replace("_", " "), tuple(round(side, 6) for side in thing.bbox))
        for item in items
        for thing in item.objects
        if thing.category is not None and thing.bbox is not None
    )
    meant = sorted(
        (one.name, tuple(map(float, one.box)))
        for _, _, things in made.values()
        for one in things
        for _ in range(copies)
    )
    assert told == meant, drafted.text
    assert {name.replace("_", " ") for name in (one.name or "" for one in dataset.categories)} == set(CLASSES)


def test_the_draft_on_the_page_is_what_is_drafted(tmp_path: Path) -> None:
    page = (Path(fs.__file__).parent.parent / "docs" / "infer.md").read_text("utf-8")
    shown = page.partition("```yaml\n")[2].partition("```")[0]
    BOXES["json_per_image"](tmp_path, scene())
    assert infer(open_tree(str(tmp_path)), "my_format").text == shown
    row = page.partition("```json\n")[2].partition("\n```")[0]
    assert row == (tmp_path / "labels" / "c3.json").read_text("utf-8")
