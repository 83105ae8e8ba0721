"""Documents name files in other capitals than the files have, as where they were made on Windows or macOS: the only
file that is meant is found, in every format by one mechanism; of several none is taken."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from listed_images import listed_images

import formatspec as fs
from formatspec.testing.memory import image_bytes

WAYS: dict[str, Callable[[str], str]] = {
    "extension": lambda name: name.rpartition(".")[0] + "." + name.rpartition(".")[2].upper(),
    "name": lambda name: name.rpartition(".")[0].upper() + "." + name.rpartition(".")[2],
    "all": str.upper,
}
"""How the names of images are spelled anew."""
SEED = 3
"""Of samples in which documents name images, whatever the format."""
NAMES = (
    "coco", "createml", "datumaro", "hf_imagefolder", "label_studio", "via_json",  # JSON
    "cvat_images", "labelimg_voc", "roboflow_voc", "voc",  # XML, and lists
    "automl_vision", "open_images", "retinanet_csv", "tfod_csv", "udacity",  # CSV
    "imagenet_txt", "kitti_detection", "wider_face", "yolo", "yolo_keras", "yolo_ultralytics",  # lists and lines
    "ade20k2020", "ade_scene_parsing", "image_masks",  # label images
)  # fmt: skip


FILES_ALONE = ("kitti_detection", "yolo_ultralytics", "ade_scene_parsing", "image_masks")
"""Of these, the formats in which no document names an image."""


def told(place: Path, name: str) -> list[tuple[object, ...]]:
    """What a dataset tells, whatever the capitals of its names."""
    dataset = fs.open(place, name)
    found = [(one.key.casefold(), one.objects, one.labels, one.areas, one.image) for one in dataset]
    assert not [one for one in dataset.findings if one.level == "error"]
    assert all(image is not None and image.width for *_, image in found)
    return sorted((key, objects, labels, areas) for key, objects, labels, areas, _ in found)


def respelled(data: Path, name: str, way: str) -> None:
    """Spell the names of a dataset's images anew."""
    for item in list(fs.open(data, name)):
        assert item.image is not None and item.image.path is not None
        path = data / item.image.path
        path.rename(path.with_name(WAYS[way](path.name)))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_found_whose_name_differs_in_capitals(name: str, way: str, tmp_path: Path) -> None:
    data = tmp_path / "data"
    fs.sample(name, data, items=5, seed=SEED)
    before = told(data, name)
    respelled(data, name, way)
    assert told(data, name) == before
    findings = fs.validate(data, name, workers=1).findings
    assert "DIFFERS" in {one.code for one in findings} or way == "extension"
    assert {one.level for one in findings} <= {"warning", "info"}
    zipped = Path(shutil.make_archive(str(tmp_path / "zipped"), "zip", data))
    assert told(zipped, name) == before


@pytest.mark.parametrize("name", ["coco", "retinanet_csv", "voc", "yolo_ultralytics"])
def test_they_go_together_in_a_conversion(name: str, tmp_path: Path) -> None:
    data = tmp_path / "data"
    fs.sample(name, data, items=5, seed=SEED)
    fs.convert(data, spec=name, to="datumaro", out=tmp_path / "before", workers=1)
    respelled(data, name, "all")
    fs.convert(data, spec=name, to="datumaro", out=tmp_path / "after", workers=1)
    assert [row[1:] for row in told(tmp_path / "after", "datumaro")] == [
        row[1:] for row in told(tmp_path / "before", "datumaro")
    ]
    fs.convert(data, spec=name, to=name, out=tmp_path / "copied", workers=1)
    assert told(tmp_path / "copied", name) == told(data, name)


def named_otherwise(data: Path, name: str) -> list[fs.Finding]:
    """Where documents name files in other capitals; a file that is named after its image is no document's word."""
    found = [one for one in fs.validate(data, name, workers=1).findings if one.code == "DIFFERS"]
    return [one for one in found if not one.message.startswith("its name differs")]


@pytest.mark.parametrize("name", [name for name in NAMES if name not in FILES_ALONE])
def test_a_copy_names_the_files_as_they_are_spelled(name: str, tmp_path: Path) -> None:
    """Programs open what a document names, and most file systems tell capitals apart."""
    data = tmp_path / "data"
    fs.sample(name, data, items=5, seed=SEED)
    respelled(data, name, "all")
    assert named_otherwise(data, name)
    fs.convert(data, spec=name, to=name, out=tmp_path / "copied", workers=1)
    assert not named_otherwise(tmp_path / "copied", name)


@pytest.fixture
def listed(tmp_path: Path) -> Callable[..., tuple[Path, Path]]:
    def make(files: list[str], **documents: str) -> tuple[Path, Path]:
        named = {path.replace("__", "/").replace("_dot_", "."): text for path, text in documents.items()}
        spec, data = listed_images(tmp_path, files, named)
        if len(list((data / "images").rglob("*.png"))) < len(files):
            pytest.skip("this file system does not tell capitals from small letters")
        return spec, data

    return make


ROW = '{"file": "%s", "boxes": [{"box": [1, 2, 3, 4]}]}'


def ambiguous(spec: Path, data: Path) -> list[fs.Finding]:
    return [one for one in fs.validate(data, spec, workers=1).findings if one.code == "FILE_AMBIGUOUS"]


def test_of_two_files_none_is_taken_and_both_are_named(listed: Callable[..., tuple[Path, Path]]) -> None:
    spec, data = listed(
        ["img.png", "Img.png"],
        rows_dot_json=f"[{ROW % 'IMG.png'}, {ROW % 'img.png'}]",
        more_dot_csv="file,kind,x,y,w,h\niMG.png,cat,5,6,7,8\n",
        xml__IMg_dot_xml="<record/>",
    )
    found = ambiguous(spec, data)
    assert sorted(one.file for one in found) == ["more.csv", "rows.json", "xml/IMg.xml"]
    assert all("images/Img.png or images/img.png" in one.message for one in found)
    assert all(one.level == "error" for one in found)
    (item,) = fs.open(data, spec)
    assert item.key == "img" and len(item.objects) == 1


def test_the_exact_name_goes_first(listed: Callable[..., tuple[Path, Path]]) -> None:
    spec, data = listed(["img.png", "Img.png"], rows_dot_json=f"[{ROW % 'Img.png'}, {ROW % 'img.png'}]")
    assert [item.image.path for item in fs.open(data, spec) if item.image] == ["images/Img.png", "images/img.png"]
    assert not fs.validate(data, spec, workers=1).findings


@pytest.mark.parametrize("names", [("IMG.png", "img.png"), ("img.png", "IMG.png"), ("Img.png", "IMG.png")])
def test_rows_that_name_one_file_in_two_ways_are_an_error(
    names: tuple[str, str], listed: Callable[..., tuple[Path, Path]]
) -> None:
    spec, data = listed(["img.png"], rows_dot_json=f"[{ROW % names[0]}, {ROW % names[1]}]")
    (finding,) = ambiguous(spec, data)
    assert "images/img.png is named in two ways" in finding.message and finding.level == "error"


def test_rows_of_one_spelling_are_none(listed: Callable[..., tuple[Path, Path]]) -> None:
    rows = "".join(f"IMG.png,cat,{x},6,7,8\n" for x in range(5))
    spec, data = listed(["img.png"], rows_dot_json=f"[{ROW % 'img.png'}]", more_dot_csv="file,kind,x,y,w,h\n" + rows)
    assert not ambiguous(spec, data)
    (item,) = fs.open(data, spec)
    assert len(item.objects) == 6


def test_a_document_of_an_item_beside_its_own_stays_alone(listed: Callable[..., tuple[Path, Path]]) -> None:
    """An image that has a document of its own takes none of another spelling."""
    thing = "<record><thing><box><x>1</x><y>2</y><w>3</w><h>%d</h></box></thing></record>"
    spec, data = listed(
        ["img.png"], rows_dot_json=f"[{ROW % 'img.png'}]", xml__img_dot_xml=thing % 5, xml__IMG_dot_xml=thing % 6
    )
    (item,) = fs.open(data, spec)
    assert [one.bbox for one in item.objects if one.bbox is not None and one.bbox[3] > 4] == [(1, 2, 3, 5)]
    assert "FILE_ORPHAN" in {one.code for one in fs.validate(data, spec, workers=1).findings}


def test_a_folder_in_other_capitals_is_a_part_of_the_name(listed: Callable[..., tuple[Path, Path]]) -> None:
    spec, data = listed(["Train/a.png"], rows_dot_json=f"[{ROW % 'train/a.png'}]")
    (item,) = fs.open(data, spec)
    assert item.image is not None and item.image.path == "images/Train/a.png" and len(item.objects) == 1


def test_a_path_in_a_document_of_the_item_is_found(tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(
        """
formatspec: 1
name: named
items: record
files:
  image: {path: "{name:path}.{ext:image}", need: optional}
  record: {path: "ann/{name}.json", json: {image: path.image, boxes: [{each: objects, box: bbox | xywh}]}}
""".strip()
    )
    data = tmp_path / "data"
    (data / "ann").mkdir(parents=True)
    (data / "Photo.PNG").write_bytes(image_bytes(40, 30, "png"))
    (data / "ann/x.json").write_text('{"image": "../photo.png", "boxes": [{"box": [1, 2, 3, 4]}]}')
    (item,) = fs.open(data, tmp_path / "spec.yaml")
    assert item.image is not None and item.image.path == "Photo.PNG"
    assert "DIFFERS" in {one.code for one in fs.validate(data, tmp_path / "spec.yaml", workers=1).findings}
