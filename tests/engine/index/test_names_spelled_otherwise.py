"""Rows name images in another spelling than the files have: `./a.png`, backslashes, escapes, decomposed characters."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest
from listed_images import listed_images

import formatspec as fs
from formatspec.paths.names import plain_spelling
from formatspec.testing.memory import image_bytes

COMPOSED = unicodedata.normalize("NFC", "Zoë/Ångström.png")


def _data(folder: Path, on_disk: str, *named: str) -> tuple[Path, Path]:
    rows = [{"file": one, "boxes": [{"box": [1, 2, 3, 4]}]} for one in named]
    return listed_images(folder, [on_disk], {"rows.json": rows})


@pytest.mark.parametrize(
    ("on_disk", "named"),
    [
        ("a.png", "./a.png"),
        ("sub/a.png", "sub/./a.png"),
        ("sub/a.png", "sub\\a.png"),
        ("sub/a b.png", "sub/a%20b.png"),
        (COMPOSED, unicodedata.normalize("NFD", COMPOSED)),
        (unicodedata.normalize("NFD", COMPOSED), COMPOSED),
    ],
)
def test_an_image_is_found_and_its_name_written_as_it_was(on_disk: str, named: str, tmp_path: Path) -> None:
    spec, data = _data(tmp_path, on_disk, named)
    (item,) = fs.open(data, spec)
    assert item.image is not None and item.image.path == f"images/{on_disk}"
    assert [thing.bbox for thing in item.objects] == [(1, 2, 3, 4)]
    assert fs.validate(data, spec).findings == ()
    fs.convert(data, spec=spec, to=spec, out=tmp_path / "out", where="true")
    assert json.loads((tmp_path / "out" / "rows.json").read_text("utf-8"))[0]["file"] == named


def test_rows_that_only_tell_of_items_are_joined_likewise(tmp_path: Path) -> None:
    spec, data = _data(tmp_path, "sub/a.png", "sub/a.png")
    (data / "more.csv").write_text("file,kind,x,y,w,h\n./sub/a.png,cat,5,6,7,8\n", "utf-8")
    (item,) = fs.open(data, spec)
    assert [thing.bbox for thing in item.objects] == [(1, 2, 3, 4), (5, 6, 7, 8)]


def test_a_name_that_two_files_may_have_is_neither(tmp_path: Path) -> None:
    spec, data = _data(tmp_path, "a b.png", "./a b.png")
    (data / "images" / "a%20b.png").write_bytes(image_bytes(40, 30, "png"))
    (finding,) = [one for one in fs.validate(data, spec).findings if one.code == "FILE_AMBIGUOUS"]
    assert "images/a b.png or images/a%20b.png" in finding.message and finding.file == "rows.json"


def test_the_exact_name_goes_first(tmp_path: Path) -> None:
    spec, data = _data(tmp_path, "a b.png", "a%20b.png", "a b.png")
    (data / "images" / "a%20b.png").write_bytes(image_bytes(40, 30, "png"))
    assert [item.image.path for item in fs.open(data, spec) if item.image] == ["images/a b.png", "images/a%20b.png"]


def test_two_rows_of_one_file_tell_of_one_item(tmp_path: Path) -> None:
    spec, data = _data(tmp_path, "a.png", "a.png", "./a.png")
    (item,) = fs.open(data, spec)
    assert len(item.objects) == 2


@pytest.mark.parametrize(
    ("name", "plain"),
    [("a/b", "a/b"), ("/a", "/a"), ("//a", "/a"), ("./a", "a"), ("a/./b", "a/b"), ("a\\b", "a/b"), ("../a", "../a")],
)
def test_plain_spelling(name: str, plain: str) -> None:
    assert plain_spelling(name) == plain
