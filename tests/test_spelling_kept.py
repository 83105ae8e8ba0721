"""A dataset read and written in its own format comes back: as data, and byte for byte where the spec says so."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from files_on_disk import put
from reference_data import REFERENCE
from written_files import written_bytes

import formatspec as fs
from formatspec.engine.dataset.choose_layout import open_source
from formatspec.engine.dataset.item.purpose import Purpose
from formatspec.engine.spec.compiled import Role
from formatspec.language.load import load_source
from formatspec.paths.trees.open_tree import open_tree
from formatspec.pixels import png
from formatspec.run.conversion.plan import RefusedError
from formatspec.testing import laws
from formatspec.testing.memory import image_bytes

LEFT = {
    "toy/imagenet_dataset": {"label_0_2.jpg"},
    "toy/celeba_dataset/dataset_with_meta_file": {"dataset_meta.json"},
    "toy/widerface_dataset": {"dataset_meta.json"},
    "toy/labelme_dataset": {f"Scribbles/subset1/img1_scribble_{number}.png" for number in (1, 5)},
}
"""Files that no rule of the format claims, and that are left where they are."""
DEEP = {
    "toy/mapillary_vistas_dataset": 20,
    "toy/open_images_dataset/v6": 2,
}
"""How many files of a release are beside what the spec reads: other versions of the same annotations, lists
of sources and of sizes."""
REFUSED = {
    "toy/celeba_dataset/dataset": ("celeba", "BOX_OUTSIDE"),
    "toy/coco_dataset/coco_panoptic": ("coco_panoptic", "PIXEL_SIZE"),
}
"""Broken data: boxes beyond their images of a few pixels, a label image of another size than its image."""
OWN = {folder: name for folder, name in REFERENCE.items() if folder not in REFUSED}
BYTES = {
    "labelme-real/annotated", "labelme-real/voc", "toy/celeba_dataset/dataset_with_meta_file",
    "toy/imagenet_dataset", "toy/open_images_dataset/v6", "toy/widerface_dataset", "toy/yolo_dataset/strict",
}  # fmt: skip
"""Whose every file is the same byte for byte, but for masks, which may have been of one bit a pixel."""

INDENTED = {"toy/ade20k2020_dataset/dataset", "toy/ade20k2020_dataset/dataset_with_meta_file"}
"""JSON that somebody laid out by hand; the real files are compact."""

Reference = Callable[[str], Path]


def as_data(role: Role) -> Role:
    """A role whose files need not be equal byte for byte: those of data that is laid out as nobody else does."""
    return msgspec.structs.replace(role, spec=role.spec.model_copy(update={"equal": "data"}))


def same(data: Path, spec: str, out: Path, exactly: bool = True) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Convert to the own format and compare every file as its role declares; gives the files before and after."""
    result = fs.convert(data, to=spec, out=out, spec=spec, where="true")  # which may change items: encoded anew
    assert result.losses == ()
    dataset = open_source(load_source(spec), open_tree(data), {}, Purpose(origin=True))
    prefix = f"{dataset.prefix}/" if dataset.prefix else ""
    before = {path.removeprefix(prefix): found for path, found in written_bytes(data).items()}
    after = written_bytes(out)
    assert after.keys() <= before.keys()
    for path, found in after.items():
        role = dataset.form.roles.get(dataset.index.claimed.role(path) or "")
        if role is None and path.endswith(".png"):  # a label image that a document names
            assert (png.decode(found).pixels == png.decode(before[path]).pixels).all(), path
        elif role is None or role.kind is None:
            assert found == before[path], path
        else:
            assert laws.documents_equal(role if exactly else as_data(role), found, before[path]), path
    return before, after


@pytest.mark.parametrize(("folder", "spec"), OWN.items())
def test_reference_data_comes_back(folder: str, spec: str, reference: Reference, tmp_path: Path) -> None:
    before, after = same(reference(folder), spec, tmp_path / "out", folder not in INDENTED)
    left = before.keys() - after.keys()
    if folder in DEEP:
        assert len(left) == DEEP[folder]
    else:
        assert left == LEFT.get(folder, set())
    if folder in BYTES:
        # A list of classes is written anew from the classes, and its last line ends like the others.
        assert all(
            before[path] == found or (path == "class_names.txt" and before[path] + b"\n" == found)
            for path, found in after.items()
            if not path.startswith("masks/")
        )


@pytest.mark.parametrize(("folder", "spec", "code"), [(f, *rest) for f, rest in REFUSED.items()])
def test_broken_reference_data_is_refused(
    folder: str, spec: str, code: str, reference: Reference, tmp_path: Path
) -> None:
    with pytest.raises(RefusedError) as refused:
        fs.convert(reference(folder), to=spec, out=tmp_path / "out", spec=spec)
    assert {f.code for f in refused.value.findings if f.level == "error"} == {code}
    assert not (tmp_path / "out").exists()


# spelling of one's own


def byte_for_byte(data: Path, spec: str, out: Path) -> None:
    same(data, spec, out)
    assert written_bytes(out) == written_bytes(data)


def test_numbers_in_lines(tmp_path: Path) -> None:
    """Zeros at the end, none at all, exponents, more digits than a float has, and blanks."""
    lines = "0 0.500000 0.5 0.250000 .25\n1 5e-1 0.50 1.0E-01 0.1\n0 0.1234567890123456789 0.5 0.200 0.2\n"
    data = put(tmp_path / "in", {
        "data.yaml": "path: .\ntrain: images/train\nval: images/val\nnames:\n  0: cat\n  1: dog\n",
        "images/train/a.jpg": image_bytes(20, 10, "jpg"), "labels/train/a.txt": lines,
        "images/val/b.jpg": image_bytes(20, 10, "jpg"), "labels/val/b.txt": "1 0.5 0.5 1 1\n",
    })  # fmt: skip
    byte_for_byte(data, "yolo_ultralytics", tmp_path / "out")


def test_ids_that_are_text(tmp_path: Path) -> None:
    """`007` is not 7, neither as an id nor in a name or a file's name."""
    data = put(tmp_path / "in", {
        "images/train/007.jpg": image_bytes(20, 10, "jpg"),
        "annotations/oidv6-class-descriptions.csv": "LabelName,DisplayName\n007,Cat\n7,Dog\n",
        "annotations/train-annotations-bbox.csv":
            "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf,IsDepiction,"
            "IsInside\n007,xclick,007,1,0.100000,0.5,0.2,0.50,0,0,0,0,0\n007,xclick,7,1,0.25,0.75,0.2,0.5,1,-1,1,0,0\n",
    })  # fmt: skip
    byte_for_byte(data, "open_images", tmp_path / "out")
    names = [t.category.name for item in fs.open(data, "open_images") for t in item.objects if t.category]
    assert names == ["Cat", "Dog"]


COCO = {
    "images": [{"coco_url": "", "height": 10, "id": 7, "file_name": "a.jpg", "width": 20, "license": 1}],
    "info": {"year": 2020, "version": "1.0", "extra": [1, 2.50]},
    "annotations": [
        {"segmentation": [[1.0, 1, 5.50, 1, 5.5, 5]], "area": 8.99, "iscrowd": 0, "image_id": 7, "note": "ü",
         "bbox": [1, 1.0, 4.5, 4], "category_id": 18, "id": 900},
        {"id": 3, "bbox": [0, 0, 2, 2], "image_id": 7, "category_id": 1, "iscrowd": 1, "area": 4,
         "segmentation": {"size": [10, 20], "counts": [0, 4, 196]}},
    ],
    "licenses": [],
    "categories": [{"name": "dog", "id": 18, "supercategory": "animal"}, {"id": 1, "name": "person", "own": None}],
    "more": {"of": "this"},
}  # fmt: skip


def test_order_and_spelling_in_json(tmp_path: Path) -> None:
    """The order of keys, of rows, numbers as they stand, keys that the spec does not know."""
    data = put(tmp_path / "in", {
        "images/train/a.jpg": image_bytes(20, 10, "jpg"),
        "annotations/instances_train.json": json.dumps(COCO),
    })  # fmt: skip
    fs.convert(data, to="coco", out=tmp_path / "out", spec="coco")
    back = json.loads((tmp_path / "out/annotations/instances_train.json").read_text())
    assert json.dumps(back) == json.dumps(COCO)


VOC = """<annotation>
  <folder>mine</folder>
  <filename>a.jpg</filename>
  <size><width>20</width><height>10</height><depth>3</depth></size>
  <segmented>0</segmented>
  <object>
    <name>dog</name>
    <pose/>
    <truncated/>
    <difficult>0</difficult>
    <bndbox><xmin>2.0</xmin><ymin>1</ymin><xmax>007</xmax><ymax>5.50</ymax></bndbox>
  </object>
</annotation>
"""


def voc(folder: Path, **more: str) -> Path:
    return put(folder, {
        "JPEGImages/a.jpg": image_bytes(20, 10, "jpg"), "JPEGImages/b.jpg": image_bytes(20, 10, "jpg"),
        "Annotations/a.xml": VOC, "ImageSets/Main/train.txt": "a\nb\n", **more,
    })  # fmt: skip


def test_blanks_in_lists(tmp_path: Path) -> None:
    """The lists of VOC pad with blanks; they come back."""
    data = voc(tmp_path / "in")
    (data / "ImageSets/Main/dog_train.txt").write_text("a  1\nb -1\n")
    fs.convert(data, to="voc", out=tmp_path / "out", spec="voc")
    assert (tmp_path / "out/ImageSets/Main/dog_train.txt").read_text() == "a  1\nb -1\n"
    assert (tmp_path / "out/ImageSets/Main/train.txt").read_text() == "a\nb\n"


def test_elements_as_they_stand(tmp_path: Path) -> None:
    """Empty elements, zeros before and after, another order of elements."""
    same(voc(tmp_path / "in"), "voc", tmp_path / "out")
    back = (tmp_path / "out/Annotations/a.xml").read_text()
    for words in ("<xmin>2.0</xmin>", "<xmax>007</xmax>", "<ymax>5.50</ymax>", "<folder>mine</folder>"):
        assert words in back
    assert back.index("<width>") < back.index("<height>")


def test_an_empty_element_says_nothing(tmp_path: Path) -> None:
    (item, _) = fs.open(voc(tmp_path / "in"), "voc")
    assert "truncated" not in item.objects[0].attributes
    assert item.objects[0].attributes["difficult"] is False


def test_an_edit_is_written_and_the_rest_is_kept(tmp_path: Path) -> None:
    """Where one value changes, the values beside it keep their spelling."""
    data = put(tmp_path / "in", {
        "images/train/a.jpg": image_bytes(20, 10, "jpg"), "annotations/instances_train.json": json.dumps(COCO),
    })  # fmt: skip
    labels: dict[str, str | None] = {"dog": "hound"}
    fs.convert(data, to="coco", out=tmp_path / "out", spec="coco", labels=labels)
    back = json.loads((tmp_path / "out/annotations/instances_train.json").read_text())
    assert back["annotations"] == COCO["annotations"]
    assert [(c["id"], c["name"]) for c in back["categories"]] == [(18, "hound"), (1, "person")]


def test_a_copy_of_a_copy(tmp_path: Path) -> None:
    """What was written comes back byte for byte from then on."""
    for spec in ("coco", "voc", "labelme", "cvat_images", "yolo_ultralytics", "image_masks", "ade20k2020"):
        fs.sample(spec, tmp_path / spec, items=3, seed=5)
        fs.convert(tmp_path / spec, to=spec, out=tmp_path / f"{spec}-1", spec=spec)
        fs.convert(tmp_path / f"{spec}-1", to=spec, out=tmp_path / f"{spec}-2", spec=spec)
        assert written_bytes(tmp_path / f"{spec}-1") == written_bytes(tmp_path / f"{spec}-2"), spec
        shutil.rmtree(tmp_path / spec)


def test_an_items_list_of_classes_is_kept_until_a_class_changes(tmp_path: Path) -> None:
    """Lines that list all classes, also those that the image has none of."""
    data = Path(__file__).parents[1] / "specs" / "examples" / "sagemaker"
    same(data, "sagemaker", tmp_path / "same")
    fs.convert(data, to="sagemaker", out=tmp_path / "renamed", spec="sagemaker", labels={"left turn": "u-turn"})
    lines = (tmp_path / "renamed" / "Sub set.manifest").read_text().splitlines()
    assert [json.loads(line)["bounding-box-metadata"]["class-map"] for line in lines] == [
        {"1": "u-turn", "3": "007"},
        {},
    ]


def test_detections_of_a_sequence_keep_their_columns(tmp_path: Path) -> None:
    detections = "1,-1,10,10,20,30,0.9\n1,-1,2.5,3,20,30,0.8\n"  # the files of 2017 have seven columns, others ten
    files = {
        "A/img1/000001.jpg": image_bytes(40, 30, "jpg"),
        "A/gt/gt.txt": "1,1,10,10,20,30,1,1,1\n",
        "A/det/det.txt": detections,
    }
    fs.convert(put(tmp_path / "in", files), spec="mot_seq", to="mot_seq", out=tmp_path / "out")
    assert (tmp_path / "out/A/det/det.txt").read_text() == detections


@pytest.mark.parametrize("start", ["../{}/images", "{}/images", "./{}"])
def test_the_folder_of_a_subset_with_another_name_stays_as_it_is_spelled(start: str, tmp_path: Path) -> None:
    """Roboflow calls it valid; scripts call it val, and name it so."""
    stated = f"train: {start.format('train')}\nval: {start.format('val')}\nnc: 1\nnames:\n- cat\n"
    files: dict[str, Any] = {"data.yaml": stated}
    for subset in ("train", "val"):
        files |= {f"{subset}/images/{subset}.jpg": None, f"{subset}/labels/{subset}.txt": "0 0.5 0.5 0.2 0.2\n"}
    data = put(tmp_path / "data", files)
    for more in ({}, {"where": "true"}):
        result = fs.convert(data, to="roboflow_yolo", out=tmp_path / f"out{len(more)}", **more)
        assert (tmp_path / f"out{len(more)}" / "data.yaml").read_text() == stated
        assert not result.notices
