"""`make infer` measures what it says: a draft that reads the same is the same, and any difference is named."""

from __future__ import annotations

import importlib.util
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import formatspec as fs

ROOT = Path(fs.__file__).parent.parent
IMAGE = ("a.png", "digest")


@pytest.fixture(scope="module")
def measured() -> ModuleType:
    """The benchmark as a module."""
    file = importlib.util.spec_from_file_location("infer_benchmark", ROOT / "benchmarks" / "infer.py")
    assert file is not None and file.loader is not None
    module = importlib.util.module_from_spec(file)
    file.loader.exec_module(module)
    return module


def test_a_sample_of_boxes_is_read_the_same(measured: ModuleType, tmp_path: Path) -> None:
    spec = ROOT / "specs" / "createml.yaml"
    fs.sample(spec, tmp_path / "data", items=6, seed=1)
    row = measured.judged("one", tmp_path / "data", spec, tmp_path)
    assert (row.same, row.said, row.claims, row.questions) == (True, "", True, 0)


def converted(measured: ModuleType, **changed: Any) -> Any:
    row = {"class": "car", "bbox": [1, 2, 3, 4], "segmentation": [[1, 2, 4, 2, 4, 6]], **changed}
    return measured.Converted(Counter([IMAGE]), frozenset({"car"}), {("instances", IMAGE): [row]})


@pytest.mark.parametrize(
    ("changed", "same"),
    [
        ({}, True),
        ({"bbox": [1.4, 2, 3, 4]}, True),
        ({"bbox": [1.6, 2, 3, 4]}, False),
        ({"class": "dog"}, False),
        ({"segmentation": [[1, 2, 4, 2.9, 4, 6]]}, True),
        ({"segmentation": [[1, 2, 4, 3.1, 4, 6]]}, False),
        ({"segmentation": []}, False),
        ({"keypoints": [1, 1, 2]}, False),
    ],
)
def test_what_differs_is_told(changed: dict[str, Any], same: bool, measured: ModuleType) -> None:
    said = measured.difference(converted(measured), converted(measured, **changed))
    assert (said == "") is same


def test_other_images_and_other_classes_are_told(measured: ModuleType) -> None:
    one = converted(measured)
    assert "images: 1 and 0" in measured.difference(one, one._replace(images=Counter()))
    assert "classes: ['dog']" in measured.difference(one, one._replace(classes=frozenset({"car", "dog"})))
