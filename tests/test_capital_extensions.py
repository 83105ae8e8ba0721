"""Extensions in capitals, as cameras and old tools spell them, are read alike, and written back as they were."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import formatspec as fs
from formatspec.engine.detection.detect import detect
from formatspec.engine.spec.compiled import compile_format
from formatspec.language.load import available, load_source
from formatspec.paths.names import with_small_extension
from formatspec.paths.trees.folder_tree import FolderTree
from formatspec.paths.trees.open_tree import open_tree
from formatspec.paths.trees.tree import as_spelled

DOCUMENTS = {".json", ".xml", ".txt", ".csv", ".yaml", ".jsonl", ".ini"}
NAMES = ("coco", "labelme", "open_images", "retinanet_csv", "voc", "yolo_ultralytics")


def capitals(folder: Path, extensions: set[str]) -> list[str]:
    """Spell extensions in capitals; gives all files."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix in extensions:
            path.rename(path.with_suffix(path.suffix.upper()))
    return files(folder)


def files(folder: Path) -> list[str]:
    found = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(path for path in found if path != ".formatspec.json")


def told(folder: Path, name: str) -> list[Any]:
    dataset = fs.open(folder, name)
    found = [(item.key, item.subsets, item.objects, item.labels, item.areas) for item in dataset]
    assert not [finding for finding in dataset.findings if finding.level == "error"]
    return found


@pytest.mark.parametrize("name", NAMES)
def test_documents_in_capitals_are_read_and_written_back(name: str, tmp_path: Path) -> None:
    fs.sample(name, tmp_path / "data", items=4, seed=1)
    before = told(tmp_path / "data", name)
    names = capitals(tmp_path / "data", DOCUMENTS)
    assert any(path.endswith((".JSON", ".XML", ".TXT", ".CSV", ".YAML")) for path in names)
    assert told(tmp_path / "data", name) == before
    assert not [f for f in fs.validate(tmp_path / "data", name, workers=1).findings if f.level == "error"]
    fs.convert(tmp_path / "data", to=name, spec=name, out=tmp_path / "copied", workers=1)
    assert files(tmp_path / "copied") == names
    fs.convert(tmp_path / "data", to=name, spec=name, out=tmp_path / "chosen", workers=1, where="key != 'nobody'")
    assert files(tmp_path / "chosen") == names
    assert told(tmp_path / "chosen", name) == before


@pytest.mark.parametrize("name", sorted(available())[::4])
def test_the_format_is_told_all_the_same(name: str, tmp_path: Path) -> None:
    data = tmp_path / "data"
    fs.sample(name, data, items=4, seed=1)
    capitals(data, {".png", ".jpg", *DOCUMENTS})
    sources = {other: load_source(other) for other in available()}
    assert detect(sources, open_tree(data)).names == (name,)


@pytest.mark.parametrize("name", ["image_masks", "cityscapes", "penn_fudan", "synthia_rand"])
def test_label_images_in_capitals_are_no_images(name: str, tmp_path: Path) -> None:
    data = tmp_path / "data"
    fs.sample(name, data, items=3, seed=1)
    before = told(data, name)
    capitals(data, {".png", ".jpg"})
    assert [one[1:] for one in told(data, name)] == [one[1:] for one in before]


def test_a_finding_names_the_file_as_it_is_spelled(tmp_path: Path) -> None:
    data = tmp_path / "data"
    fs.sample("labelme", data, items=1, seed=1)
    (path,) = data.glob("*.json")
    path.unlink()
    path.with_suffix(".JSON").write_text('{"version": "5.0.1",\n"shapes": [}')
    (finding,) = [f for f in fs.validate(data, "labelme", workers=1).findings if f.level == "error"]
    assert (finding.file, finding.line) == (f"{path.stem}.JSON", 2)


def test_both_spellings_of_one_file_are_told_of(tmp_path: Path) -> None:
    data = tmp_path / "data"
    fs.sample("labelme", data, items=1, seed=1)
    (path,) = data.glob("*.json")
    path.with_suffix(".JSON").write_bytes(path.read_bytes())
    if len(list(data.iterdir())) < 3:
        pytest.skip("this file system does not tell capitals from small letters")
    assert "ITEM_DUPLICATE" in {finding.code for finding in fs.validate(data, "labelme", workers=1).findings}


def test_spellings(tmp_path: Path) -> None:
    (tmp_path / "a.JSON").write_text("{}")
    tree = FolderTree(tmp_path)
    assert as_spelled(tree, "a.json") == "a.JSON" and as_spelled(tree, "b.json") == "b.json"
    assert with_small_extension("X/A.Jpg") == "X/A.jpg" and with_small_extension("X.Y/a") == "X.Y/a"
    role = compile_format(load_source("labelme"), load_source("labelme").layouts[0]).roles["record"]
    assert role.match("A/b.JSON") == role.match("A/b.json") != role.match("A/B.json")
