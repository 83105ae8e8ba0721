"""Small datasets in the layouts in which their releases unpack, or in which the documents of their loaders put them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from files_on_disk import put

import formatspec as fs
from formatspec.api import detect_format
from formatspec.paths.trees.open_tree import open_tree

SIZE = (16, 12)
"""Width and height of the images."""


def read(folder: Path, name: str) -> list[Any]:
    """The items, of data that is detected as `name` and has no finding above info."""
    assert detect_format(open_tree(folder)).names == (name,)
    assert [one for one in fs.validate(folder, name).findings if one.level != "info"] == []
    return list(fs.open(folder, name))


def _videos(subset: str, **more: Any) -> dict[str, Any]:
    video = {
        "id": 1,
        "width": 16,
        "height": 12,
        "length": 2,
        "file_names": [f"{subset}1/00000.jpg", f"{subset}1/00005.jpg"],
    }
    return {"videos": [video], "categories": [{"id": 1, "name": "person"}], **more}


@pytest.mark.parametrize("path", ["{}.json", "annotations/youtube_vis_2019_{}.json", "{}/instances.json"])
@pytest.mark.parametrize("nothing", [{}, {"annotations": None}], ids=["no key", "null"])
def test_the_files_of_youtube_vis(tmp_path: Path, path: str, nothing: dict[str, None]) -> None:
    runs = {"counts": [0, 6, 186], "size": [12, 16]}
    seen = {"id": 1, "video_id": 1, "category_id": 1, "iscrowd": 0, "segmentations": [None, runs],
            "bboxes": [None, [0, 0, 1, 6]], "areas": [None, 6]}  # fmt: skip
    documents = {"train": _videos("train", annotations=[seen]), "valid": _videos("valid", **nothing)}
    frames = {f"{one}/JPEGImages/{one}1/{name}.jpg": None for one in documents for name in ("00000", "00005")}
    data = put(tmp_path / "in", {**frames, **{path.format(one): text for one, text in documents.items()}}, SIZE)
    assert [(one.subsets, len(one.objects)) for one in read(data, "youtube_vis")] == [
        (("train",), 0), (("train",), 1), (("valid",), 0), (("valid",), 0),
    ]  # fmt: skip
    fs.convert(data, spec="youtube_vis", to="youtube_vis", out=tmp_path / "out")
    for one, text in documents.items():
        assert json.loads((tmp_path / "out" / path.format(one)).read_text()) == text
