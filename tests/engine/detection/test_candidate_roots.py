"""Where a dataset may begin, and which files tell nothing of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from files_on_disk import put

import formatspec as fs
from formatspec.api import detect_format
from formatspec.engine.detection.candidate_roots import wrapping_folders
from formatspec.engine.detection.evidence.ignorable import is_ignorable
from formatspec.paths.trees.open_tree import open_tree


@pytest.mark.parametrize(("paths", "expected"), [
    (["a/x.json", "a/y.jpg"], ["", "a"]),
    (["a/b/x.json", "a/b/c/y.jpg"], ["", "a", "a/b"]),
    (["a/b/c/d/x.json"], ["", "a", "a/b"]),
    (["a/x.json", "b/y.jpg"], [""]),
    (["a/x.json", "y.jpg"], [""]),
    (["a/x.json", "README.md", ".hidden/y.json", "__MACOSX/a/x.json", "Thumbs.db"], ["", "a"]),
    (["README.md"], [""]),
    ([], [""]),
])  # fmt: skip
def test_folders_that_hold_everything(paths: list[str], expected: list[str]) -> None:
    assert wrapping_folders(paths) == expected


def test_a_project_around_a_dataset_does_not_hide_it(tmp_path: Path) -> None:
    """As it looks after a training: the data, what the program needs, and what the run left."""
    files: dict[str, Any] = {"data.yaml": "train: ../train/images\nval: ../valid/images\nnc: 1\nnames: [cat]\n"}
    for subset in ("train", "valid"):
        files |= {f"{subset}/images/{subset}.jpg": None, f"{subset}/labels/{subset}.txt": "0 0.5 0.5 0.2 0.2\n"}
    run = {"args.yaml": "task: detect\n", "results.csv": "epoch,loss\n1,2\n", "results.png": None, "labels.jpg": None}
    files |= {f"runs/detect/train/{name}": content for name, content in run.items()}
    files |= {"runs/detect/predict/labels/train.txt": "0 0.5 0.5 0.2 0.2 0.9\n", "requirements.txt": "numpy\n"}
    data = put(tmp_path, {**files, "wandb/run-1/config.yaml": "a: 1\n"})
    assert detect_format(open_tree(data)).names == ("roboflow_yolo",)
    assert [(item.key, len(item.objects)) for item in fs.open(data)] == [("train/train", 1), ("valid/valid", 1)]


@pytest.mark.parametrize("path", [
    "README", "README.roboflow.txt", "a/readme.md", "LICENSE", "LICENCE.txt", "x.pdf", "load.py", "look.ipynb",
    "run.log", "labels/train.cache", ".DS_Store", "a/.cache/x.json", "__MACOSX/a.json", "Thumbs.db",
    "requirements.txt", "environment.yml", "package.json", "wandb/run-1/config.yaml", "runs/detect/train2/args.yaml",
    "runs/train/exp3/opt.yaml", "runs/train-cls/exp/opt.yaml",
    "yolo/runs/segment/predict/labels/a.txt", "__pycache__/x.json",
    "SOURCES.txt", "NOTICE", "data/CHANGELOG.txt", "Version.txt", "CITATION.rst", "sources_of_images.txt",
])  # fmt: skip
def test_what_tells_nothing(path: str) -> None:
    assert is_ignorable(path)


@pytest.mark.parametrize(
    "path",
    [
        "a.json",
        "notes.txt",
        "cat/README.jpg.json/x.jpg",
        "my_licences.json",
        "train.txt",
        "sources.json",
        "version/a.csv",
        "authors.csv",
        "runs/a.json",
        "runs/2024/labels/a.txt",
        "runs/train/cat/a.jpg",
        "package/a.json",
        "requirements.csv",
        "a_notice.txt",
    ],
)
def test_what_may_tell_something(path: str) -> None:
    assert not is_ignorable(path)


def test_a_dataset_in_a_folder_that_is_named_as_those_of_trainings_are(tmp_path: Path) -> None:
    """Runs of horses, say: subsets lie in it, and nothing that a training leaves."""
    files = {
        f"runs/{subset}/{name}/{subset}_{name}.jpg": None for subset in ("train", "val") for name in ("cat", "dog")
    }
    names = detect_format(open_tree(put(tmp_path / "other", {k.replace("runs", "walks"): None for k in files}))).names
    assert detect_format(open_tree(put(tmp_path / "data", files))).names == names
    assert len(fs.open(tmp_path / "data")) == 4
