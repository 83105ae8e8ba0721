"""Rows read and written by functions made for them are the rows that the readers and writers of leaves give."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from coco_like import coco_document
from files_on_disk import put

import formatspec
from formatspec.engine.read.generate_rows import FastRows
from formatspec.engine.resolve.text_template import TextTemplate
from formatspec.engine.spec.compiled import compile_format
from formatspec.engine.write.generate_lines import text_writer
from formatspec.model.amounts import with_amounts

SOURCES = (
    "bdd100k",
    "coco",
    "coco_panoptic",
    "cvat_images",
    "datumaro",
    "lvis",
    "openlabel",
    "sagemaker",
    "voc",
    "yolo_ultralytics",
)
TARGETS = (
    "coco",
    "datumaro",
    "dota",
    "icdar_text_localization",
    "kitti_detection",
    "labelme",
    "voc",
    "yolo_ultralytics",
)


def converted(data: Path, out: Path, **asked: Any) -> tuple[dict[str, bytes], Any]:
    result = formatspec.convert(data, out=out, workers=1, **asked).as_json()
    files = {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}
    return files, {key: value for key, value in result.items() if key != "out"}


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether runs of rows were plain, as they are read."""
    found: list[bool] = []
    take = FastRows.take

    def noting(self: FastRows, *arguments: Any) -> bool:
        found.append(take(self, *arguments))
        return found[-1]

    monkeypatch.setattr(FastRows, "take", noting)
    return found


@pytest.mark.parametrize("spec", SOURCES)
def test_the_same_with_and_without(spec: str, tmp_path: Path) -> None:
    formatspec.sample(spec, tmp_path / "data", items=12, seed=5)
    asked = [{"to": to, "spec": spec, "skip_invalid": True} for to in TARGETS]
    plain = [converted(tmp_path / "data", tmp_path / f"plain-{one['to']}", **one) for one in asked]
    with with_amounts(generates=False):
        assert plain == [converted(tmp_path / "data", tmp_path / f"judged-{one['to']}", **one) for one in asked]


def coco(folder: Path, *annotations: dict[str, Any]) -> Path:
    """A dataset of one image with these annotations, each a box where nothing else is said."""
    rows = [{"bbox": [1, 2.5, 3, 4], "area": 12, "segmentation": [], **one} for one in annotations]
    document = coco_document([("a.jpg", 64, 48)], rows, ["cat", "dog"], first=7)
    document["annotations"] = [
        {key: value for key, value in row.items() if value != "absent"} for row in document["annotations"]
    ]
    return put(folder, {"annotations/instances_train.json": document})


ODD_TARGETS = ("voc", "datumaro", "kitti_detection", "yolo_ultralytics")
ODD: dict[str, list[dict[str, Any]]] = {
    "plain": [{}, {"iscrowd": 1}, {"score": 0.5}, {"category_id": 2, "attributes": {"b": 1, "a": [2]}}],
    "an unknown category": [{}, {"category_id": 3}],
    "a category of another type": [{"category_id": "1"}],
    "no category": [{"category_id": "absent"}],
    "an id twice": [{"id": 1}, {"id": 1}],
    "an id of text": [{"id": "1"}, {"id": "2"}],
    "a box outside its image": [{"bbox": [60, 2, 30, 4]}],
    "a box a little outside": [{"bbox": [-0.5, 2, 30, 4]}],
    "a box of negative size": [{"bbox": [6, 2, -3, 4]}],
    "a box of three numbers": [{"bbox": [6, 2, 3]}],
    "a box of text": [{"bbox": ["6", "2", "3", "4"]}],
    "no box": [{"bbox": "absent"}],
    "crowd or not, and neither": [{"iscrowd": 2}],
    "crowd or not, as truth": [{"iscrowd": False}],
    "a polygon": [{"segmentation": [[1, 2, 4, 2, 4, 6]]}, {"segmentation": {"size": [48, 64], "counts": "abc"}}],
    "an outline of text": [{"segmentation": "outline"}],
    "no outline": [{"segmentation": None}, {"segmentation": "absent"}],
    "a score that is none": [{"score": None}],
    "a row that no table takes": [{"attributes": {"annotated_as": "stuff"}}, {}],
}


@pytest.mark.parametrize("case", ODD)
def test_rows_that_are_not_plain_are_judged(case: str, tmp_path: Path) -> None:
    data = coco(tmp_path / "data", *ODD[case])
    asked = [{"to": to, "spec": "coco", "skip_invalid": True, "media": "none"} for to in ODD_TARGETS]

    def outcome(out: Path, **one: Any) -> Any:
        try:
            return converted(data, out, **one)
        except ValueError as refused:
            return str(refused), getattr(refused, "findings", None)

    plain = [outcome(tmp_path / f"plain-{one['to']}", **one) for one in asked]
    with with_amounts(generates=False):
        assert plain == [outcome(tmp_path / f"judged-{one['to']}", **one) for one in asked]


def test_usual_rows_are_plain(tmp_path: Path, taken: list[bool]) -> None:
    data = coco(tmp_path / "data", *ODD["plain"])
    converted(data, tmp_path / "out", spec="coco", to="yolo_ultralytics", media="none", options={"task": "detect"})
    assert taken and all(taken)  # those from which options follow, then all


@pytest.mark.parametrize("spec,options", [("yolo_ultralytics", {"task": "detect"}), ("yolo", {})])
def test_usual_lines_are_written_at_once(spec: str, options: dict[str, Any]) -> None:
    source = formatspec.load_spec(spec)
    form = compile_format(source, source.layouts[0], options)
    texts = [
        text_writer(role.codec.rule, role.codec.shape, role.scope)
        for role in form.documents
        if role.span == "item" and role.codec is not None
    ]
    assert any(texts)


def test_a_line_is_matched_by_what_has_as_many_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without counting, each of the eight kinds of lines would be tried on every line."""
    line = "0 0.5 0.5 0.25 0.25 0.1 0.2 2 0.3 0.4 2\n"  # no box, and no outline of four points
    files = {"data.yaml": "names: [cat]\nkpt_shape: [2, 3]\n", "labels/train/a.txt": line * 10}
    put(tmp_path, {**files, "images/train/a.jpg": None}, size=(64, 48))
    matched: list[str] = []
    match = TextTemplate.match

    def noting(self: TextTemplate, text: str) -> Any:
        matched.append(text)
        return match(self, text)

    monkeypatch.setattr(TextTemplate, "match", noting)
    (item,) = formatspec.open(tmp_path, "yolo_ultralytics")
    assert len(item.objects) == 10
    assert 10 <= matched.count(line.strip()) < 80


def test_the_switch_turns_the_generated_readers_off(tmp_path: Path, taken: list[bool]) -> None:
    data = coco(tmp_path / "data", *ODD["plain"])
    with with_amounts(generates=False):
        converted(data, tmp_path / "out", spec="coco", to="yolo_ultralytics", media="none", options={"task": "detect"})
    assert not taken
