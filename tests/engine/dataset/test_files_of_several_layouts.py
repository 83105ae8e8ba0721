"""Files of several layouts in one folder: each that the chosen one cannot read is named once, with its layout."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from commands import Run
from files_on_disk import put

import formatspec as fs

DAY = {"human-annotated": "yes", "creation-date": "2020-01-01T00:00:00", "job-name": "j"}


def one_class(number: int) -> dict[str, Any]:
    more = {"class-name": "cat", "confidence": 0.5, "type": "groundtruth/image-classification", **DAY}
    return {"source-ref": f"s3://b/i{number}.png", "kind": 0, "kind-metadata": more}


def classes(number: int) -> dict[str, Any]:
    kind = "groundtruth/image-classification-multilabel"
    more = {"class-map": {"0": "cat"}, "confidence-map": {"0": 0.5}, "type": kind, **DAY}
    return {"source-ref": f"s3://b/i{number}.png", "kinds": [0], "kinds-metadata": more}


def manifest(*rows: dict[str, Any]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


IMAGES = {f"images/i{number}.png": None for number in range(4)}


def test_the_file_of_another_layout_is_named_once(run: Run, tmp_path: Path) -> None:
    several = manifest(*map(classes, range(4)))
    data = put(tmp_path / "data", {**IMAGES, "a.manifest": manifest(*map(one_class, range(4))), "b.manifest": several})
    ran = run("validate", data)
    assert ran.status == 1 and "ALTERNATIVE" not in ran.out
    said = "b.manifest: its rows are of the layout 'classes of images', and a dataset has one: a.manifest is of"
    assert ran.out.count("its rows are of the layout") == 1 and f"{said} 'a class an image'" in ran.out
    assert "put the file into a folder of its own, with its images beside it" in ran.out
    alone = put(tmp_path / "alone", {**IMAGES, "b.manifest": several})
    assert run("validate", alone).status == 0 and all(item.labels for item in fs.open(alone))


def test_single_rows_that_do_not_fit_are_told_one_by_one(run: Run, tmp_path: Path) -> None:
    rows = manifest(one_class(0), one_class(1), classes(2))
    ran = run("validate", put(tmp_path, {**IMAGES, "a.manifest": rows}))
    assert ran.status == 1 and "ALTERNATIVE" in ran.out and "its rows are of the layout" not in ran.out
