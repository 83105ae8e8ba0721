"""The folder of one subset alone: it is no dataset, and the message says which folder around it is one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from commands import Run

import formatspec as fs
from formatspec.paths.trees.nested import NestedTree
from formatspec.paths.trees.open_tree import open_tree


@pytest.fixture
def sample(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A dataset of the format that a test names."""
    fs.sample(request.param, tmp_path / "data", items=9, seed=3)
    return tmp_path / "data"


@pytest.mark.parametrize(
    ("sample", "folder"),
    [
        ("kitti_tracking", "training"),
        ("dota", "train"),
        ("nuimages", "v1.0-train"),
        ("dukemtmc_reid", "bounding_box_train"),
        ("citypersons", "gtBboxCityPersons/train"),
    ],
    indirect=["sample"],
)
def test_the_folder_of_a_subset_is_told_with_its_format_and_the_folder_around_it(
    sample: Path, folder: str, request: pytest.FixtureRequest, run: Run
) -> None:
    name = request.node.callspec.params["sample"]
    status, _, said = run("convert", sample / folder, "--to", "coco")
    assert status == 2
    assert f"no known format describes {sample / folder} alone: " in said
    assert f"it is the folder {folder!r} of a dataset of {name}" in said
    assert f"formatspec … {sample} --subset NAME" in said


@pytest.mark.parametrize("sample", ["dota"], indirect=True)
def test_the_folder_around_is_named_from_where_one_stands(
    sample: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(sample)
    assert "formatspec … . --subset NAME" in run("detect", "train")[2]
    monkeypatch.chdir(sample / "train")
    assert f"formatspec … {os.pardir} --subset NAME" in run("detect", ".")[2]


@pytest.mark.parametrize("sample", ["coco"], indirect=True)
def test_images_of_a_subset_alone_are_said_to_be_a_part(sample: Path, run: Run) -> None:
    said = run("detect", sample / "images/train")[2]
    assert "it holds images, and nothing that describes them" in said
    assert "if this is a part of a dataset, point at the folder that holds all of it" in said


@pytest.mark.parametrize("sample", ["dota"], indirect=True)
def test_another_folder_is_not_said_to_be_a_part(sample: Path, run: Run) -> None:
    (sample / "train").rename(sample / "others")
    assert "if this is a part" not in run("detect", sample / "others/labelTxt")[2]


@pytest.mark.parametrize("sample", ["dota"], indirect=True)
def test_a_nested_tree_has_the_files_of_the_tree_in_a_folder(sample: Path) -> None:
    whole, part = open_tree(sample), NestedTree(open_tree(sample / "train"), "train")
    paths = [path for path in whole.paths() if path.startswith("train/")]
    assert list(part.paths()) == paths
    assert [part.read(path) for path in paths] == [whole.read(path) for path in paths]
    assert [part.size(path) for path in paths] == [whole.size(path) for path in paths]
    assert [part.ends(path, 4) for path in paths] == [whole.ends(path, 4) for path in paths]
    assert part.exists(paths[0]) and not part.exists("val/a") and not part.exists(paths[0].removeprefix("train/"))
    assert list(part.under("train").paths()) == [path.removeprefix("train/") for path in paths]
    with pytest.raises(FileNotFoundError, match="holds no file"):
        part.read("val/a")
