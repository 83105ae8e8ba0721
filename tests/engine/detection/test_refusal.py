"""What is said, and with which exit status, where a format is not told; where a dataset lies in a folder more."""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest
from commands import Run

import formatspec as fs
from formatspec.api import FormatNotice, SpecMistake
from formatspec.language.errors import SpecError
from formatspec.testing.memory import image_bytes


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Images that nothing tells of."""
    folder = tmp_path / "data"
    (folder / "images").mkdir(parents=True)
    (folder / "images/a.jpg").write_bytes(image_bytes(20, 10, "jpg"))
    return folder


@pytest.mark.parametrize("words", [("detect",), ("validate",), ("dump",), ("convert", "--to", "coco")])
def test_an_unknown_format_is_exit_2_with_the_five_nearest(words: tuple[str, ...], run: Run, images: Path) -> None:
    status, out, said = run(*words, images)
    assert status == 2 and out == ""
    assert f"no known format describes {images}: it holds images, and nothing that describes them" in said
    near = said.partition("Nearest: ")[2].partition("; `formatspec")[0]
    assert near.count(" (") == 5 and "detect --all" in said
    assert list(images.parent.iterdir()) == [images]


def test_folders_that_a_format_spells_make_it_one_of_the_nearest(run: Run, images: Path) -> None:
    """Images beside masks, without folders of subsets and without a list of classes."""
    (images / "masks").mkdir()
    (images / "masks/a.png").write_bytes(image_bytes(20, 10, "png"))
    status, _, said = run("detect", images)
    near = said.partition("Nearest: ")[2].partition("; `formatspec")[0]
    assert status == 2 and "image_masks (no file is images/{subset}/" in near and near.count(" (no file is ") >= 3


def test_all_says_why_of_every_format(run: Run, images: Path) -> None:
    status, _, said = run("detect", images, "--all")
    assert status == 2 and said.count("\n  not ") > 60
    fs.sample("voc", images.parent / "voc", items=2)
    status, out, said = run("detect", images.parent / "voc")
    assert (status, out) == (0, "voc\n") and said.count("  not ") == 5


def test_the_first_reason_names_the_file_and_the_key(run: Run, images: Path) -> None:
    (images / "annotations").mkdir()
    (images / "annotations/instances_train.json").write_text('{"pictures": [], "things": [{"a": 1}]}')
    assert 'coco (annotations/instances_train.json: "images" is missing' in run("detect", images)[2]
    (images / "annotations/instances_train.json").unlink()
    (images / "cat").mkdir()
    (images / "images").rename(images / "dog")
    (images / "cat/b.jpg").write_bytes(image_bytes(20, 10, "jpg"))
    assert run("detect", images)[1] == "imagenet\n"
    (images / "remarks.json").write_text('{"by": "me"}')
    status, _, said = run("detect", images)
    assert status == 2 and "Nearest: imagenet (does not explain remarks.json)" in said


@pytest.mark.parametrize("depth", [1, 2])
def test_a_folder_around_a_dataset_is_looked_through(depth: int, run: Run, tmp_path: Path) -> None:
    inner = tmp_path / "data" / "/".join(["Export 1", "part"][:depth])
    fs.sample("coco", inner, items=3)
    (tmp_path / "data/README.md").write_text("made by us")
    status, out, said = run("validate", tmp_path / "data")
    assert (status, ": coco, 3 items" in out) == (
        0,
        True,
    ) and f"found in {inner.relative_to(tmp_path / 'data')}" in said
    assert json.loads(run("detect", tmp_path / "data", "--json")[1])["found_in"] == str(
        inner.relative_to(tmp_path / "data")
    )
    assert run("validate", "coco", tmp_path / "data")[0] == 0
    with pytest.warns(FormatNotice, match="found in Export 1"):
        assert len(fs.open(tmp_path / "data")) == 3


def test_a_folder_in_a_zip_is_looked_through(run: Run, tmp_path: Path) -> None:
    fs.sample("voc", tmp_path / "made", items=3)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for path in sorted((tmp_path / "made").rglob("*")):
            if path.is_file():
                archive.write(path, f"top/{path.relative_to(tmp_path / 'made')}")
    status, _, said = run("convert", tmp_path / "a.zip", "--to", "coco", "-o", tmp_path / "out", "--media", "none")
    assert status == 0 and "found in top" in said


def test_other_things_beside_a_dataset_are_no_wrapping(run: Run, tmp_path: Path) -> None:
    fs.sample("coco", tmp_path / "data/first", items=2)
    (tmp_path / "data/thoughts").mkdir()
    (tmp_path / "data/thoughts/plan.json").write_text('{"x": 1}')
    status, out, said = run("detect", tmp_path / "data")
    assert status == 2 and not out
    assert f"it holds coco in {tmp_path}/data/first, and other things beside" in said
    assert f"formatspec … {tmp_path}/data/first" in said


def test_an_own_spec_with_a_mistake_is_named_and_never_passed_over(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for kind in ("cat", "dog"):
        (tmp_path / "data" / kind).mkdir(parents=True)
        (tmp_path / "data" / kind / f"{kind}.jpg").write_bytes(image_bytes(20, 10, "jpg"))
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs/other.yaml").write_text("openapi: 3\n")
    assert run("detect", "data")[:2] == (0, "imagenet\n")
    text = "formatspec: 1\nname: mine\nfiles:\n  image: '{name}.{ext:image}'\n  note: {path: n.json, json: {a: idd}}\n"
    (tmp_path / "specs/mine.yaml").write_text(text)
    status, out, said = run("detect", "data")
    assert status == 2 and not out and "specs/mine.yaml:5:" in said and "a spec of your own has a mistake" in said
    with pytest.warns(SpecMistake, match=r"specs/mine\.yaml:5:"), pytest.raises(SpecError):
        fs.open("data")
    fs.sample("voc", tmp_path / "voc", items=2)
    status, out, said = run("detect", "voc")
    assert (status, out) == (0, "voc\n") and "specs/mine.yaml:5:" in said


def test_an_own_spec_goes_before_an_equal_one(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "specs").mkdir()
    bundled: Any = fs.load_spec("labelme").file
    shutil.copy(bundled, tmp_path / "specs/ours.yaml")
    text = (tmp_path / "specs/ours.yaml").read_text().replace("name: labelme\n", "name: ours\n")
    (tmp_path / "specs/ours.yaml").write_text(re.sub("(?m)^examples: .*$", "", text))
    fs.sample("labelme", tmp_path / "data", items=2)
    assert run("detect", "data")[1] == "ours\n"


def test_datasets_of_one_format_side_by_side_are_each_named(run: Run, tmp_path: Path) -> None:
    for year in ("2007", "2012"):
        fs.sample("voc", tmp_path / f"data/VOCdevkit/VOC{year}", items=2)
    for words in (("detect",), ("validate",), ("validate", "voc"), ("convert", "--to", "coco")):
        status, _, said = run(*words, tmp_path / "data")
        assert status == 2, words
        for year in ("2007", "2012"):
            assert f"{tmp_path}/data/VOCdevkit/VOC{year}" in said
    assert run("validate", tmp_path / "data/VOCdevkit/VOC2012")[0] == 0


@pytest.mark.parametrize(
    ("name", "words"), [("", "it holds no file"), ("data.zip", "archives alone, such as data.zip")]
)
def test_a_folder_in_which_nothing_can_be_a_dataset_has_no_nearest_formats(
    name: str, words: str, run: Run, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    if name:
        (tmp_path / "data" / name).write_bytes(b"PK")
    status, out, said = run("detect", tmp_path / "data")
    assert status == 2 and not out and words in said and "Nearest" not in said
