"""Where a dataset may begin, and which files tell nothing of it."""

from __future__ import annotations

import pytest

from formatspec.engine.detection.candidate_roots import wrapping_folders
from formatspec.engine.detection.evidence.ignorable import is_ignorable


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


@pytest.mark.parametrize("path", [
    "README", "README.roboflow.txt", "a/readme.md", "LICENSE", "LICENCE.txt", "x.pdf", "load.py", "look.ipynb",
    "run.log", "labels/train.cache", ".DS_Store", "a/.cache/x.json", "__MACOSX/a.json", "Thumbs.db",
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
        "a_notice.txt",
    ],
)
def test_what_may_tell_something(path: str) -> None:
    assert not is_ignorable(path)
