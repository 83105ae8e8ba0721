"""Small datasets in the layouts in which their releases unpack, or in which the documents of their loaders put them."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from files_on_disk import put

import formatspec as fs
from formatspec.api import detect_format
from formatspec.paths.trees.open_tree import open_tree
from formatspec.pixels import png

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


def _gray16(rows: list[list[int]]) -> bytes:
    return png.encode(np.array(rows, np.uint16), "gray16")


ABOUT_A_SEQUENCE = """[Sequence]
name=X
imDir=img1
frameRate=30
seqLength=1
imWidth=16
imHeight=12
imExt=.jpg

"""


def test_mots_sequences_without_ground_truth_beside_others(tmp_path: Path) -> None:
    sequences = ("train/MOTS20-02", "test/MOTS20-01")
    files = {f"{one}/img1/000001.jpg": None for one in sequences}
    files |= {f"{one}/seqinfo.ini": ABOUT_A_SEQUENCE for one in sequences}
    line = "1 2001 2 12 16 0P3P3\n"
    data = put(tmp_path / "in", {**files, "train/MOTS20-02/gt/gt.txt": line}, SIZE)
    assert detect_format(open_tree(data)).names == ("mots_txt",)
    assert [(one.code, one.level) for one in fs.validate(data, "mots_txt").findings] == [("FILE_MISSING", "warning")]
    fs.convert(data, spec="mots_txt", to="coco", out=tmp_path / "coco")
    assert [len(one.objects) for one in fs.open(data, "mots_txt")] == [0, 1]


@pytest.mark.parametrize("masks", ["mots_txt", "mots_png"])
def test_mots_beside_the_frames_of_kitti(tmp_path: Path, masks: str) -> None:
    text = {"instances_txt/0002.txt": "0 2001 2 12 16 0P3P3\n"} if masks == "mots_txt" else {}
    image = _gray16([[2001] * 8 + [0] * 8] * 12)
    frames = {f"training/image_02/0002/{name}.png": None for name in ("000000", "000001")}
    shown = {"instances/0002/000000.png": image, "instances/0002/000001.png": _gray16([[0] * 16] * 12)}
    items = read(put(tmp_path, {**frames, **shown, **text}, SIZE), masks)
    assert [[(one.category.name, one.track) for one in item.objects] for item in items] == [[("pedestrian", 1)], []]


def _nuimages(subset: str) -> dict[str, Any]:
    """The tables of a subset with one key frame, a frame before it, a car and two surfaces."""
    frame = {"sample_token": "s1", "fileformat": "jpg", "width": 16, "height": 12, "timestamp": 1}
    key = {"token": "f2", "filename": "samples/CAM_FRONT/a.jpg", **frame, "is_key_frame": True}
    sweep = {"token": "f1", "filename": "sweeps/CAM_FRONT/b.jpg", **frame, "is_key_frame": False}
    mask = {"size": [12, 16], "counts": base64.b64encode(b"0P3P3").decode()}
    rest = {"size": [12, 16], "counts": base64.b64encode(b"P3P3").decode()}
    car = {"token": "o1", "sample_data_token": "f2", "category_token": "c1", "attribute_tokens": [],
           "bbox": [1, 2, 5, 6], "mask": None}  # fmt: skip
    surfaces = [
        {"token": token, "sample_data_token": "f2", "category_token": "c2", "mask": shape}
        for token, shape in (("u1", mask), ("u2", rest))
    ]
    classes = [{"token": "c1", "name": "vehicle.car"}, {"token": "c2", "name": "flat.driveable_surface"}]
    tables = {"category": classes, "sample_data": [sweep, key], "object_ann": [car], "surface_ann": surfaces}
    return {f"v1.0-{subset}/{name}.json": rows for name, rows in tables.items()}


@pytest.mark.parametrize("sweeps", [{}, {"sweeps/CAM_FRONT/b.jpg": None}], ids=["without sweeps", "with sweeps"])
def test_only_key_frames_of_nuimages_are_images(tmp_path: Path, sweeps: dict[str, None]) -> None:
    tables = _nuimages("train")
    data = put(tmp_path / "in", {"samples/CAM_FRONT/a.jpg": None, **sweeps, **tables}, SIZE)
    assert [one.image.path for one in read(data, "nuimages")] == ["samples/CAM_FRONT/a.jpg"]
    told = fs.convert(data, spec="nuimages", to="coco", out=tmp_path / "coco").loss_report
    assert ("kept rows: frames", 1) in [(line["what"], line["count"]) for line in told]
    fs.convert(data, spec="nuimages", to="nuimages", out=tmp_path / "out")
    for path, rows in tables.items():
        assert json.loads((tmp_path / "out" / path).read_text()) == rows


def test_nuimages_mini_beside_the_subset_that_it_is_part_of(tmp_path: Path) -> None:
    tables = _nuimages("mini") | _nuimages("train")
    data = put(tmp_path / "in", {"samples/CAM_FRONT/a.jpg": None, **tables}, SIZE)
    (item,) = fs.open(data, "nuimages")
    assert (len(item.objects), len(item.areas)) == (1, 2)
    fs.convert(data, spec="nuimages", to="nuimages", out=tmp_path / "out")
    for path, rows in tables.items():
        assert json.loads((tmp_path / "out" / path).read_text()) == rows
