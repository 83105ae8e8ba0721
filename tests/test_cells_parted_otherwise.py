"""Tables with semicolons, tabs or blanks between their cells, with quotes or a byte order mark, are read alike."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from commands import Run
from files_on_disk import put, spec_file

import formatspec as fs
from formatspec.files import csv_file
from formatspec.files.style import Style
from formatspec.language.load import available, load_source
from formatspec.opening import detect_format
from formatspec.paths.trees.open_tree import open_tree

Rows = list[list[str]]
NAMES = (
    "automl_vision", "gtsrb", "gtsrb_kaggle", "kaggle_wheat", "open_images", "retinanet_csv", "roboflow_multilabel",
    "roboflow_semseg", "sku110k", "tfod_csv", "vgg_face2", "via_csv", "vott_csv",
)  # fmt: skip


def with_mark(mark: str, rows: Rows) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=mark, lineterminator="\n").writerows(rows)
    return text.getvalue()


def quoted(mark: str, rows: Rows) -> str:
    return "".join(mark.join('"' + cell.replace('"', '""') + '"' for cell in row) + "\n" for row in rows)


def padded(mark: str, rows: Rows) -> str:
    return "".join((mark + " ").join(with_mark(mark, [[cell, ""]])[:-2] for cell in row) + "\n" for row in rows)


EDITS: dict[str, Callable[[str, Rows], str]] = {
    "semicolons": lambda mark, rows: with_mark("," if mark == ";" else ";", rows),
    "tabs": lambda mark, rows: with_mark("\t", rows),
    "quotes": quoted,
    "blanks": padded,
    "a mark": lambda mark, rows: "\ufeff" + with_mark(mark, rows),
}


def known(folder: Path, name: str) -> list[Any]:
    return [
        (item.key, item.labels, [(thing.category and thing.category.name, thing.bbox) for thing in item.objects])
        for item in fs.open(folder, name)
    ]


def edited(folder: Path, edit: str) -> int:
    """Write all tables of a folder anew; gives how many differ now."""
    count = 0
    for file in sorted(folder.rglob("*.csv")):
        text = file.read_text("utf-8")
        first = text.partition("\n")[0]
        mark = ";" if first.count(";") > first.count(",") else ","
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=mark, skipinitialspace=True))
        new = EDITS[edit](mark, rows)
        count += new != text
        file.write_text(new, "utf-8")
    return count


def test_the_formats_are_those_with_tables() -> None:
    with_tables = {name for name in available() for layout in load_source(name).layouts[:1]
                   for role in layout.spec.files.values() if role.csv is not None and role.csv != "keep"}  # fmt: skip
    assert set(NAMES) <= with_tables


@pytest.mark.parametrize("name", NAMES)
def test_the_header_shows_what_parts_the_cells(name: str, tmp_path: Path) -> None:
    fs.sample(name, tmp_path / "data", items=4, seed=3)
    before = known(tmp_path / "data", name)
    for edit in EDITS:
        data = tmp_path / edit.replace(" ", "_")
        shutil.copytree(tmp_path / "data", data)
        if not edited(data, edit):
            continue
        assert known(data, name) == before, edit
        findings = fs.validate(data, name, workers=1).findings
        assert [one for one in findings if one.level == "error"] == [], edit
        said = {one.level for one in findings if one.code == "FILE_DELIMITER"}
        assert said == ({"warning"} if edit in ("semicolons", "tabs") else said), edit
        assert detect_format(open_tree(data)).names == (name,), edit


def test_a_finding_says_so_and_what_is_written_has_commas(run: Run, tmp_path: Path) -> None:
    rows = "filename;width;height;class;xmin;ymin;xmax;ymax\na.png;20;10;cat;1;1;5;5\na.png;20;10;cat;1;1;5;x\n"
    data = put(tmp_path / "data", {"train/_annotations.csv": rows, "train/a.png": None})
    ran = run("validate", data)
    assert ran.status == 1 and "train/_annotations.csv: semicolons part the cells; expected commas" in ran.out
    assert "train/_annotations.csv:3:17" in ran.out  # the place of the cell that does not fit
    good = put(tmp_path / "good", {"train/_annotations.csv": rows[:-24], "train/a.png": None})
    assert run("convert", good, "--to", "tfod_csv", "-o", tmp_path / "out").status == 0
    (written,) = (file for file in (tmp_path / "out").rglob("*.csv"))
    assert written.read_text() == rows[:-24].replace(";", ",")
    assert run("convert", good, "--to", "coco", "-o", tmp_path / "no", "--on", "FILE_DELIMITER=error").status == 1


def test_a_table_of_one_item_is_read_as_well(tmp_path: Path) -> None:
    text = """
formatspec: 1
name: own
files:
  image: "{name}.{ext:image}"
  boxes: {path: "{name}.csv", csv: {each: objects, class: category.name, "x, y, w, h": bbox | xywh}}
"""
    data = put(tmp_path, {"a.png": None, "a.csv": "class | x | y | w | h\ncat | 1 | 2 | 3 | 4\n"})
    found = fs.open(data, spec_file(tmp_path, text))
    (item,) = found
    assert [(thing.category and thing.category.name, thing.bbox) for thing in item.objects] == [("cat", (1, 2, 3, 4))]


def test_what_parts_the_cells_is_told_by_the_columns() -> None:
    columns, style = [frozenset({"a", "b"})], Style()
    assert csv_file.style_of(b"a,b\n1;2,3\n", style, columns) == style
    assert csv_file.style_of(b"a;b\n1,2;3\n", style, columns).delimiter == ";"
    assert csv_file.style_of(b"x;y\n1,2;3\n", style, columns) == style  # no such columns
    assert csv_file.style_of(b"a , b\n1,2\n", style, columns).trimmed
    bare = Style(header=False, columns=("a", "b", "c"))
    assert csv_file.style_of(b"1\t2\t3\n", bare, []).delimiter == "\t"
    assert csv_file.style_of(b"1,2,3\n", bare, []) == bare == csv_file.style_of(b"1,2\n", bare, [])
    assert csv_file.style_of(b"1, 2, 3\n", bare, []).trimmed
