"""Texts of numbers are read at once, and any other text is read and judged as without the generated readers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from files_on_disk import put

import formatspec as fs
from formatspec.engine.base.amounts import with_amounts
from formatspec.engine.read.generate_lines import FastLines
from formatspec.engine.read.leaf_reader import ReadContext
from formatspec.engine.spec.compiled import compile_format, everything
from formatspec.language.load import available, load_source
from formatspec.run.conversion.plan import RefusedError

PLAIN = "0 0.5 0.5 0.25 0.25\n1 0.25 0.25 0.125 0.5\n"
TEXTS = {
    "plain": PLAIN,
    "without a last newline": PLAIN.rstrip("\n"),
    "with carriage returns": PLAIN.replace("\n", "\r\n"),
    "with carriage returns alone": PLAIN.replace("\n", "\r"),
    "nothing": "",
    "blank lines": PLAIN.replace("\n", "\n\n"),
    "trailing blanks": PLAIN.replace("\n", " \n"),
    "tabs": PLAIN.replace(" ", "\t"),
    "a tab beside a blank": PLAIN.replace(" ", " \t", 1),
    "runs of blanks": PLAIN.replace(" ", "  "),
    "commas": PLAIN.replace(" ", ","),
    "a mark at the beginning": "\ufeff" + PLAIN,
    "numbers that JSON does not know": "0 .5 +0.5 0.250 00.25\n1 5e-1 5.E-1 1. .5\n",
    "an exponent": "0 5e-1 5E-1 2.5e-1 0.25\n",
    "a number beyond all doubles": "0 1e400 0.5 0.25 0.25\n",
    "no number": "0 nan 0.5 0.25 0.25\n",
    "a word": "cat 0.5 0.5 0.25 0.25\n",
    "brackets": "0 [0.5] 0.5 0.25 0.25\n",
    "true": "0 true 0.5 0.25 0.25\n",
    "an unknown class": "7 0.5 0.5 0.25 0.25\n",
    "a negative class": "-1 0.5 0.5 0.25 0.25\n",
    "a class as 1.0": "1.0 0.5 0.5 0.25 0.25\n",
    "too few values": "0 0.5 0.5 0.25\n",
    "too many values": "0 0.5 0.5 0.25 0.25 0.9\n",
    "a box that sticks out": "0 0.9 0.5 0.5 0.25\n",
    "a box that sticks out a little": "0 0.9 0.5 0.2000001 0.25\n",
    "a box of no size": "0 0.5 0.5 0 0.25\n",
    "a box of negative size": "0 0.5 0.5 -0.25 0.25\n",
    "a box twice": PLAIN + PLAIN,
    "pixels": "0 12 10 6 4\n",
    "an outline": "0 0.1 0.1 0.4 0.1 0.4 0.6\n",
    "an outline after a box": PLAIN + "0 0.1 0.1 0.4 0.1 0.4 0.6\n",
    "a box after an outline": "0 0.1 0.1 0.4 0.1 0.4 0.6\n" + PLAIN,
    "four corners": "0 0.1 0.1 0.4 0.1 0.4 0.6 0.1 0.6\n",
}


def dataset(folder: Path, text: str) -> Path:
    files = {"images/train/a.png": None, "labels/train/a.txt": text.encode(), "images/train/b.png": None}
    names = "path: .\ntrain: images/train\nval: images/train\nnames: [cat, dog]\n"
    return put(folder, {**files, "labels/train/b.txt": PLAIN, "data.yaml": names})


def outcome(data: Path, out: Path) -> Any:
    """What validation says, what a dataset becomes in another format, and what the report says of it."""
    checked = fs.validate(data, "yolo_ultralytics")
    try:
        made = fs.convert(data, to="coco", out=out, spec="yolo_ultralytics", workers=1, media="none").as_json()
    except RefusedError as refused:
        return checked.as_json(), str(refused)
    files = [path.read_bytes() for path in sorted(out.rglob("*.json"))]
    return checked.as_json(), files, {key: value for key, value in made.items() if key != "out"}


@pytest.mark.parametrize("kind", TEXTS)
def test_the_same_with_and_without(kind: str, tmp_path: Path) -> None:
    data = dataset(tmp_path / "data", TEXTS[kind])
    with with_amounts(generate_from=1):
        found = outcome(data, tmp_path / "fast")
    with with_amounts(generates=False):
        assert found == outcome(data, tmp_path / "judged")


@pytest.mark.parametrize("kind", ["plain", "without a last newline", "with carriage returns", "an exponent"])
def test_usual_lines_are_read_at_once(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[bool] = []
    take = FastLines.take

    def noting(self: FastLines, *arguments: Any) -> bool:
        taken.append(take(self, *arguments))
        return taken[-1]

    monkeypatch.setattr(FastLines, "take", noting)
    with with_amounts(generate_from=1):
        items = list(fs.open(dataset(tmp_path, TEXTS[kind]), "yolo_ultralytics"))
    assert taken == [True, True] and len(items[1].objects) == 2


def test_what_texts_of_the_catalogue_are_read_at_once() -> None:
    """Readers can be made, or are not, for the texts of every spec; those of boxes in lines of numbers are."""
    context = ReadContext(everything, False, often=True)
    read: set[str] = set()
    for name in available():
        source = load_source(name)
        for layout in source.layouts:
            roles = (role for role in compile_format(source, layout).documents if role.span == "item" and role.codec)
            read.update(name for role in roles if role.lines(context) is not None)
    assert {"yolo", "yolo_ultralytics", "roboflow_yolo", "labelimg_yolo"} <= read
