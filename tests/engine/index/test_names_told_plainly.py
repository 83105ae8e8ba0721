"""Rows that spell the names of their items plainly are joined as the readers that judge would join them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from files_on_disk import put

import formatspec as fs
from formatspec.engine.index import join_rows
from formatspec.model.amounts import with_amounts

IMAGES = ("a.jpg", "b.jpg", "x/c.jpg", "d.PNG", "e.f.jpg")
PLAIN = [{"id": at, "file_name": name, "width": 20, "height": 10} for at, name in enumerate(IMAGES, 1)]
ODD: dict[str, list[dict[str, Any]]] = {
    "plain": [],
    "a path from here": [{"id": 1, "file_name": "./a.jpg"}],
    "a path from the root": [{"id": 1, "file_name": "/data/a.jpg"}],
    "a path of Windows": [{"id": 1, "file_name": "C:\\data\\a.jpg"}],
    "an address": [{"id": 1, "file_name": "https://example.org/a.jpg"}],
    "a path out of the dataset": [{"id": 1, "file_name": "../a.jpg"}],
    "a folder too many": [{"id": 1, "file_name": "y/a.jpg"}],
    "a folder too few": [{"id": 3, "file_name": "c.jpg"}],
    "other capitals": [{"id": 1, "file_name": "A.JPG"}, {"id": 4, "file_name": "d.png"}],
    "another extension": [{"id": 1, "file_name": "a.png"}],
    "no extension": [{"id": 1, "file_name": "a"}],
    "a number for a name": [{"id": 1, "file_name": 7}],
    "no name": [{"id": 1}, {"id": 2, "file_name": None}, {"id": 3, "file_name": ""}],
    "no id": [{"id": None, "file_name": "a.jpg"}],
    "an id of text": [{"id": "1", "file_name": "a.jpg"}],
    "an id with a fraction": [{"id": 1.0, "file_name": "a.jpg"}, {"id": 2.5, "file_name": "b.jpg"}],
    "an id twice": [{"id": 2, "file_name": "a.jpg"}],
    "a name twice": [{"id": 1, "file_name": "b.jpg"}],
    "an image that is not there": [{"id": 1, "file_name": "z.jpg"}],
    "blanks": [{"id": 1, "file_name": " a.jpg"}, {"id": 2, "file_name": "b.jpg "}],
}


def told(data: Path, spec: str) -> Any:
    """What is found in a dataset, and what its items are called and hold."""
    found = [(one.code, one.line, one.message, one.got, one.level) for one in fs.validate(data, spec=spec).findings]
    dataset = fs.open(data, spec=spec)
    items = [(one.key, one.id, one.captures, one.subsets, [thing.id for thing in one.objects]) for one in dataset]
    return found, items


def rows(case: str) -> list[dict[str, Any]]:
    own = {row.get("id"): row for row in ODD[case]}
    told = [{"width": 20, "height": 10, **own.pop(row["id"], row)} for row in PLAIN]
    return [*told, *({"width": 20, "height": 10, **row} for row in own.values())]


@pytest.mark.parametrize("case", ODD)
def test_rows_of_coco_mean_what_the_judging_reader_says(case: str, tmp_path: Path) -> None:
    document = {
        "images": rows(case),
        "annotations": [
            {"id": at, "image_id": at, "category_id": 1, "bbox": [1, 2, 3, 4], "area": 12, "iscrowd": 0}
            for at in range(1, 6)
        ],
        "categories": [{"id": 1, "name": "cat"}],
    }
    files = {f"train/{name}": None for name in IMAGES}
    put(tmp_path, {"annotations/instances_train.json": document, **files})
    plain = told(tmp_path, "coco")
    with with_amounts(generates=False):
        assert plain == told(tmp_path, "coco")


@pytest.mark.parametrize(
    "attributes",
    [
        'name="a.jpg" subset="train"', 'name="a.jpg" subset=""', 'name="a.jpg"', 'name="a.jpg" subset="val"',
        'name="train/a.jpg"', 'name="" subset="train"', 'name="A.jpg" subset="train"', 'name="./a.jpg" subset="train"',
    ],
)  # fmt: skip
def test_rows_of_cvat_mean_what_the_judging_reader_says(attributes: str, tmp_path: Path) -> None:
    box = '<box label="cat" occluded="0" xtl="1" ytl="2" xbr="3" ybr="4" z_order="0"></box>'
    images = [
        f'<image id="0" {attributes} width="20" height="10">{box}</image>',
        f'<image id="1" name="b.jpg" subset="train" width="20" height="10">{box}</image>',
    ]
    text = f"<annotations><version>1.1</version>{''.join(images)}</annotations>"
    put(tmp_path, {"annotations.xml": text, "images/train/a.jpg": None, "images/train/b.jpg": None})
    plain = told(tmp_path, "cvat_images")
    with with_amounts(generates=False):
        assert plain == told(tmp_path, "cvat_images")


def test_usual_rows_are_joined_without_the_reader_that_judges(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    judged: list[int] = []
    named_by = join_rows._Joining._named_by
    monkeypatch.setattr(
        join_rows._Joining, "_named_by", lambda self, at, row: judged.append(at) or named_by(self, at, row)
    )
    document = {"images": rows("plain"), "annotations": [], "categories": []}
    put(tmp_path, {"annotations/instances_train.json": document, **{f"train/{name}": None for name in IMAGES}})
    assert len(list(fs.open(tmp_path, spec="coco"))) == 5
    assert not judged
