"""Releases as their archives unpack and as the documents of their loaders lay them out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from files_on_disk import put

import formatspec as fs
from formatspec.api import detect_format
from formatspec.paths.trees.open_tree import open_tree

SIZE = (64, 48)


def read(folder: Path, name: str) -> list[Any]:
    """The items, of data that is detected as `name` and has no finding at all."""
    assert detect_format(open_tree(folder)).names == (name,)
    assert [(one.code, one.file, one.message) for one in fs.validate(folder, name).findings] == []
    return list(fs.open(folder, name))


def test_gtsrb_with_the_classes_of_the_test_images_beside_its_folder(tmp_path: Path) -> None:
    head = "Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2"
    row = "00000.ppm;64;48;6;5;48;43"
    files = {
        "GTSRB/Final_Training/Images/00003/00000.ppm": None,
        "GTSRB/Final_Training/Images/00003/GT-00003.csv": f"{head};ClassId\n{row};3\n",
        "GTSRB/Final_Test/Images/00000.ppm": None,
        "GTSRB/Final_Test/Images/GT-final_test.test.csv": f"{head}\n{row}\n",
        "GTSRB/Readme-Images.txt": "x\n",
        "GT-final_test.csv": f"{head};ClassId\n{row};16\n",
    }
    items = read(put(tmp_path, files, SIZE), "gtsrb")
    assert sorted((one.subsets, one.objects[0].category.id) for one in items) == [(("test",), 16), (("train",), 3)]


def labelbox(name: str, address: str, *annotators: str, **more: str) -> str:
    """A row of Labelbox with a box by each of some annotators."""
    labels = [
        {
            "label_kind": "Default",
            "label_details": {"created_by": by, "reviews": []},
            "annotations": {
                "objects": [
                    {
                        "feature_id": f"{name}-{by}",
                        "name": "Car",
                        "annotation_kind": "ImageBoundingBox",
                        "classifications": [],
                        "bounding_box": {"top": 1, "left": 2, "height": 10, "width": 20},
                    }
                ],
                "classifications": [],
            },
        }
        for by in annotators
    ]
    size = {"width": SIZE[0], "height": SIZE[1]}
    row = {"data_row": {"id": name, "row_data": address, **more}, "media_attributes": size}
    return json.dumps({**row, "projects": {"p": {"name": "P", "labels": labels}}}) + "\n"


SIGNED = "https://storage.labelbox.com/org%2Fd45f7d87-a.jpg?Expires=17&Signature=x"


@pytest.mark.parametrize(
    ("file", "more"),
    [
        ("images/a.jpg", {"external_id": "a.jpg"}),
        ("images/a.jpg", {"global_key": "photos/a.jpg"}),
        ("images/a.jpg", {"external_id": "no name", "global_key": "a.jpg"}),
        ("images/org%2Fd45f7d87-a.jpg", {"external_id": "b.jpg"}),
        ("org%2Fd45f7d87-a.jpg", {"external_id": "b.jpg"}),
    ],
)
def test_labelbox_names_an_image_by_its_own_name_or_by_its_address(
    tmp_path: Path, file: str, more: dict[str, str]
) -> None:
    put(tmp_path, {file: None, "export.ndjson": labelbox("1", SIGNED, "ann@x", **more)}, SIZE)
    assert [(one.image.path, len(one.objects)) for one in read(tmp_path, "labelbox")] == [(file, 1)]


def test_two_annotators_of_labelbox_are_asked_for(tmp_path: Path) -> None:
    rows = labelbox("a", "a.jpg", "ann@x", "bob@x") + labelbox("b", "b.jpg", "cid@x") + labelbox("c", "c.jpg")
    data = put(tmp_path, {"export.ndjson": rows, **{f"images/{name}.jpg": None for name in "abc"}}, SIZE)
    with pytest.raises(fs.SpecError, match="-O annotator=NAME, where NAME is one of ann@x, bob@x"):
        fs.open(data, "labelbox")
    items = fs.open(data, "labelbox", options={"annotator": "bob@x"})
    assert [[thing.id for thing in one.objects] for one in items] == [["a-bob@x"], [], []]
