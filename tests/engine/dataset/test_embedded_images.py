"""Images inside documents: read for their size, kept in their own format, written as files of their own in others."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

import formatspec as fs
from formatspec.files.images import probe
from formatspec.paths.trees.store import MANIFEST
from formatspec.run.conversion.plan import RefusedError
from formatspec.testing.memory import image_bytes

SPEC = "labelme"
PICTURE = image_bytes(40, 30, "png")


def dataset(folder: Path, data: str, path: str = "p.png", **more: Any) -> Path:
    folder.mkdir(exist_ok=True)
    shape = {"label": "car", "points": [[1, 1], [9, 1], [9, 9]], "shape_type": "polygon", "group_id": None}
    document = {"version": "3.5.0", "shapes": [shape], "imagePath": path, "imageData": data, **more}
    (folder / "p.json").write_text(json.dumps(document, indent=2), encoding="utf-8")
    return folder


def inside(picture: bytes) -> str:
    return base64.b64encode(picture).decode("ascii")


def test_the_picture_inside_tells_the_size(tmp_path: Path) -> None:
    (item,) = fs.open(dataset(tmp_path / "a", inside(PICTURE)), SPEC)
    assert item.image is not None
    assert (item.image.path, item.image.width, item.image.height, item.image.data) == ("p.png", 40, 30, PICTURE)


def test_it_stays_inside_in_its_own_format(tmp_path: Path) -> None:
    source = dataset(tmp_path / "a", inside(PICTURE))
    fs.convert(source, to=SPEC, out=tmp_path / "b", spec=SPEC, labels={"car": "bus"})
    (file,) = (path for path in (tmp_path / "b").rglob("*") if path.is_file() and path.name != MANIFEST)
    assert file.read_text("utf-8") == (source / "p.json").read_text("utf-8").replace('"car"', '"bus"')


def test_it_is_a_file_in_another_format(tmp_path: Path) -> None:
    source = dataset(tmp_path / "a", inside(PICTURE))
    fs.convert(source, to="coco", out=tmp_path / "b", spec=SPEC)
    (file,) = (tmp_path / "b" / "images").rglob("p.png")
    assert file.read_bytes() == PICTURE


def test_a_picture_of_another_kind_than_its_name_says_is_encoded_anew(tmp_path: Path) -> None:
    result = fs.convert(dataset(tmp_path / "a", inside(PICTURE), "p.jpg"), to="coco", out=tmp_path / "b", spec=SPEC)
    (file,) = (tmp_path / "b" / "images").rglob("p.jpg")
    assert probe(file.read_bytes()).format == "jpeg"
    assert "images encoded anew as .jpg: 1 image" in result.losses


def test_the_file_beside_is_the_image(tmp_path: Path) -> None:
    source = dataset(tmp_path / "a", inside(PICTURE))
    (source / "p.png").write_bytes(image_bytes(20, 10, "png"))
    (item,) = fs.open(source, SPEC)
    assert item.image is not None and (item.image.width, item.image.data) == (20, None)


def test_what_is_no_picture_and_a_size_that_is_not_its_own_are_findings(tmp_path: Path) -> None:
    broken = fs.validate(dataset(tmp_path / "a", inside(b"no picture")), SPEC).findings
    assert [(finding.code, finding.pointer) for finding in broken] == [("FIELD", "/imageData")]
    other = fs.validate(dataset(tmp_path / "b", inside(PICTURE), imageWidth=41, imageHeight=30), SPEC).findings
    assert [(finding.code, finding.pointer) for finding in other] == [("IMAGE_SIZE", "/imageWidth")]


def test_a_picture_beside_is_not_put_inside(tmp_path: Path) -> None:
    source = dataset(tmp_path / "a", inside(PICTURE))
    fs.convert(source, to="coco", out=tmp_path / "b", spec=SPEC)
    fs.convert(tmp_path / "b", to=SPEC, out=tmp_path / "c", spec="coco")
    (file,) = (tmp_path / "c").rglob("p.json")
    assert json.loads(file.read_text("utf-8"))["imageData"] is None
    assert (file.parent / "p.png").read_bytes() == PICTURE


def test_a_dataset_without_any_image_says_so_unless_a_document_holds_one(tmp_path: Path) -> None:
    bare = dataset(tmp_path / "bare", "", imageWidth=40, imageHeight=30)
    (document := json.loads((bare / "p.json").read_text("utf-8")))["imageData"] = None
    (bare / "p.json").write_text(json.dumps(document), "utf-8")
    assert [one.code for one in fs.validate(bare, SPEC, workers=1).findings] == ["IMAGE_ABSENT"]
    with pytest.raises(RefusedError, match="--media none"):
        fs.convert(bare, to="coco", out=tmp_path / "no", spec=SPEC, workers=1)
    fs.convert(bare, to="coco", out=tmp_path / "yes", spec=SPEC, workers=1, media="none")
    held = dataset(tmp_path / "held", inside(PICTURE))
    assert not fs.validate(held, SPEC, workers=1).findings
