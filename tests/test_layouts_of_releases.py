"""Releases as their archives unpack and as the documents of their loaders lay them out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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
