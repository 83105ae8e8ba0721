"""Formats that file images by their label: what becomes of an image that has none."""

from __future__ import annotations

from pathlib import Path

import pytest

import formatspec as fs
from formatspec.paths.templates.formats import field
from formatspec.run.conversion.plan import RefusedError
from formatspec.testing.memory import image_bytes


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two images in a folder per class, one of which is no class."""
    for path in ("cat/a.jpg", "no_label/b.jpg"):
        (tmp_path / "data" / path).parent.mkdir(parents=True)
        (tmp_path / "data" / path).write_bytes(image_bytes(4, 3, "jpg"))
    return tmp_path / "data"


def test_a_folder_is_kept_for_images_without_a_label(data: Path, tmp_path: Path) -> None:
    dataset = fs.open(data, "imagenet")
    assert [category.name for category in dataset.categories] == ["cat"]
    assert {item.key: [label.category.name for label in item.labels if label.category] for item in dataset} == {
        "b": [],
        "cat/a": ["cat"],
    }
    fs.convert(data, to="imagenet_subsets", out=tmp_path / "out", spec="imagenet")
    written = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.jpg"))
    assert [path.split("/")[1] for path in written] == ["cat", "no_label"]


def test_where_there_is_no_such_folder_the_image_is_refused(data: Path, tmp_path: Path) -> None:
    with pytest.raises(RefusedError) as refused:
        fs.convert(data, to="mvtec", out=tmp_path / "out", spec="imagenet")
    (finding,) = [finding for finding in refused.value.findings if finding.level == "error"]
    assert (finding.code, finding.file) == ("CANNOT_WRITE", "no_label/b.jpg")
    assert "mvtec files images by their label, and this one has none" in finding.message


def test_the_word_for_none_is_no_value() -> None:
    made = field("label", "no_label?")
    assert (made.render(""), made.render(None), made.render("cat")) == ("no_label", "no_label", "cat")
    assert (made.parse("no_label"), made.parse("cat")) == ("", "cat")
    with pytest.raises(ValueError, match="stands for no value"):
        made.render("no_label")
