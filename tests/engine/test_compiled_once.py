"""What was compiled once is used again, and no dataset is seen in the next one."""

from pathlib import Path

import pytest

import formatspec as fs
from formatspec.engine.base.remembered import remembered
from formatspec.engine.spec.compiled import compile_format
from formatspec.model.amounts import with_amounts


def _form(name: str, **options: object):
    source = fs.load_spec(name)
    return compile_format(source, source.layouts[0], options)


def test_a_layout_is_compiled_once_for_each_choice_of_options() -> None:
    assert _form("coco") is _form("coco")
    assert _form("yolo_ultralytics", task="segment") is _form("yolo_ultralytics", task="segment")
    assert _form("yolo_ultralytics", task="segment") is not _form("yolo_ultralytics", task="detect")
    assert _form("yolo_ultralytics", task="segment").options["task"] == "segment"


def test_readers_that_are_not_generated_are_compiled_apart() -> None:
    plain = _form("coco")
    with with_amounts(generates=False):
        assert _form("coco") is not plain


def test_a_changed_spec_is_compiled_anew(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    text = 'formatspec: 1\nname: own\nfiles: {image: "{name}.jpg", labels: {path: "{name}.EXT", json: {id: "{id}"}}}\n'
    file.write_text(text.replace("EXT", "txt"))
    first = _form(str(file))
    file.write_text(text.replace("EXT", "label"))
    second = _form(str(file))
    assert first.roles["labels"].match("a.txt")
    assert second.roles["labels"].match("a.label")
    assert not second.roles["labels"].match("a.txt")


def test_results_are_remembered_by_the_identity_of_arguments_and_the_oldest_go_first() -> None:
    calls = []

    @remembered(2)
    def doubled(one: list[int], times: int = 2) -> list[int]:
        calls.append(one)
        return one * times

    a, b, c = [1], [1], [3]
    assert doubled(a) is doubled(a)
    assert doubled(b) is not doubled(a)
    assert len(calls) == 2
    doubled(c)
    doubled(a)
    assert len(calls) == 3
    doubled(b)
    assert len(calls) == 4
    assert doubled(a, times=3) == [1, 1, 1]


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


TARGETS = ("coco", "datumaro", "labelme")
FORMATS = ("coco", "voc", "yolo_ultralytics", "cvat_images", "ade20k2020", "labelme", "datumaro")


@pytest.mark.parametrize("name", FORMATS)
def test_a_conversion_after_others_writes_the_same_bytes(name: str, tmp_path: Path) -> None:
    written = []
    for turn, seed in enumerate((1, 2, 3, 1)):
        fs.sample(name, tmp_path / f"{turn}", items=3, seed=seed)
        for to in TARGETS:
            fs.convert(tmp_path / f"{turn}", spec=name, to=to, out=tmp_path / f"{turn}-{to}")
        written.append({to: _contents(tmp_path / f"{turn}-{to}") for to in TARGETS})
    assert written[0] == written[3]
    assert written[0] != written[1]
