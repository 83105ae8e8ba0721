"""The folder of one subset alone: it is no dataset, and the message says which folder around it is one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from commands import Run
from files_on_disk import put

import formatspec as fs
from formatspec.engine.detection.surroundings import names_around
from formatspec.paths.trees.nested import NestedTree
from formatspec.paths.trees.open_tree import open_tree
from formatspec.testing.memory import image_bytes


@pytest.fixture
def sample(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A dataset of the format that a test names."""
    fs.sample(request.param, tmp_path / "data", items=9, seed=3)
    return tmp_path / "data"


@pytest.mark.parametrize(
    ("sample", "folder"),
    [
        ("kitti_tracking", "training"),
        ("dota", "train"),
        ("nuimages", "v1.0-train"),
        ("dukemtmc_reid", "bounding_box_train"),
        ("citypersons", "gtBboxCityPersons/train"),
    ],
    indirect=["sample"],
)
def test_the_folder_of_a_subset_is_told_with_its_format_and_the_folder_around_it(
    sample: Path, folder: str, request: pytest.FixtureRequest, run: Run
) -> None:
    name = request.node.callspec.params["sample"]
    status, _, said = run("convert", sample / folder, "--to", "coco")
    assert status == 2
    assert f"no known format describes {sample / folder} alone: " in said
    assert f"it is the folder {folder!r} of a dataset of {name}" in said
    assert f"formatspec … {sample} --subset NAME" in said


@pytest.mark.parametrize("sample", ["dota"], indirect=True)
def test_the_folder_around_is_named_from_where_one_stands(
    sample: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(sample)
    assert "formatspec … . --subset NAME" in run("detect", "train")[2]
    monkeypatch.chdir(sample / "train")
    assert f"formatspec … {os.pardir} --subset NAME" in run("detect", ".")[2]


@pytest.mark.parametrize(
    ("sample", "folder"),
    [
        ("msmt17", "train"),
        ("objects365", "val"),
        ("wider_face", "WIDER_train"),
        ("wider_face", "WIDER_val/images"),
        ("ua_detrac", "Insight-MVT_Annotation_Train"),
        ("bdd100k_seg_track", "images/seg_track_20/train"),
        ("kitti_tracking", "training/image_02"),
    ],
    indirect=["sample"],
)
def test_folders_that_look_like_classes_are_a_part_of_the_dataset_whose_files_lie_around_them(
    sample: Path, folder: str, request: pytest.FixtureRequest, run: Run
) -> None:
    """Every image is explained by its folder's name alone, and the names of files around tell more."""
    name = request.node.callspec.params["sample"]
    status, out, said = run("detect", sample / folder)
    assert (status, out) == (2, "")
    assert f"{sample / folder} is the folder {folder!r} of a dataset of {name}, whose other files lie around" in said
    assert f"formatspec … {sample} --subset NAME" in said and f"formatspec … imagenet {sample / folder}" in said
    assert run("validate", "imagenet", sample / folder).status != 2, "a format that the user names is not questioned"


CLASSES = [f"{kind}/{number}.jpg" for kind in ("street", "park") for number in (18, 204)]
PERSONS = ["0002/0002C6T0003F120.jpg", "00-1/00-1C1T0001F001.jpg"]
TABLE = "Width,Height,Roi.X1,Roi.Y1,Roi.X2,Roi.Y2,ClassId,Path\n20,10,1,1,5,5,0,Train/0/a.png\n"


@pytest.mark.parametrize(
    ("folder", "images", "beside", "format"),
    [
        ("bbox_test", PERSONS, ["bbox_train/0001/0001C1T0001F001.jpg"], "mars"),
        ("Train", ["0/a.png", "20/b.png"], ["Train.csv"], "gtsrb_kaggle"),
        ("images", CLASSES, ["annotations.xml"], "cvat_images"),
    ],
)
def test_a_name_of_the_folder_or_beside_it_speaks_of_another_format_than_classes(
    folder: str, images: list[str], beside: list[str], format: str, tmp_path: Path, run: Run
) -> None:
    put(
        tmp_path / "data", {**{f"{folder}/{path}": None for path in images}, **dict.fromkeys(beside, TABLE)}
    )  # only names count
    status, out, said = run("detect", tmp_path / "data" / folder)
    assert (status, out) == (2, "") and f"is the folder {folder!r} of a dataset of {format}" in said


@pytest.mark.parametrize(
    ("folder", "beside"),
    [
        ("pets", ["pets.txt", "pets.zip"]),
        ("JPEGImages", []),
        ("images", ["classes.txt", "labels.csv"]),
        ("pets", ["x.csv"]),
    ],
)
def test_other_names_beside_a_folder_of_classes_say_nothing(
    folder: str, beside: list[str], tmp_path: Path, run: Run
) -> None:
    put(tmp_path / "data", {**{f"{folder}/{path}": None for path in CLASSES}, **dict.fromkeys(beside, "a,b\n")})
    assert run("detect", tmp_path / "data" / folder)[:2] == (0, "imagenet\n")


def test_a_folder_of_classes_beside_other_datasets_is_one_still(tmp_path: Path, run: Run) -> None:
    """ImageNet as torchvision keeps it: archives and `meta.bin` beside the folders of its subsets."""
    fs.sample("coco", tmp_path / "all/other", items=4)
    fs.sample("msmt17", tmp_path / "all/persons", items=4)
    for subset in ("train", "val"):
        for kind in ("n01440764", "n01443537"):
            folder = tmp_path / "all/imagenet" / subset / kind
            folder.mkdir(parents=True)
            (folder / f"{kind}_10026.JPEG").write_bytes(image_bytes(20, 10, "jpg"))
    for name in ("meta.bin", "ILSVRC2012_devkit_t12.tar.gz", "LOC_synset_mapping.txt", "classes.txt", "labels.csv"):
        (tmp_path / "all/imagenet" / name).write_bytes(b"n01440764")
    assert run("detect", tmp_path / "all/imagenet/train")[:2] == (0, "imagenet\n")
    assert [item.labels[0].category.name for item in fs.open(tmp_path / "all/imagenet/val")] == [
        "n01440764", "n01443537",
    ]  # fmt: skip


def test_files_around_a_folder_are_named_and_never_opened(tmp_path: Path) -> None:
    (tmp_path / "data/train").mkdir(parents=True)
    (tmp_path / "data/train/a.jpg").write_bytes(image_bytes(20, 10, "jpg"))
    (tmp_path / "data/list_train.txt").write_text("a.jpg")
    part = NestedTree(open_tree(tmp_path / "data/train"), "train", None, ["list_train.txt"])
    assert list(part.paths()) == ["list_train.txt", "train/a.jpg"]
    assert not part.exists("list_train.txt") and part.local("train/a.jpg") is not None
    for read in (part.read, part.size, part.local):
        with pytest.raises(FileNotFoundError, match="holds no file"):
            read("list_train.txt")


@pytest.mark.parametrize("sample", ["coco"], indirect=True)
def test_images_of_a_subset_alone_are_said_to_be_a_part(sample: Path, run: Run) -> None:
    said = run("detect", sample / "images/train")[2]
    assert "it holds images, and nothing that describes them" in said
    assert "if this is a part of a dataset, point at the folder that holds all of it" in said


@pytest.mark.parametrize("sample", ["dota"], indirect=True)
def test_another_folder_is_not_said_to_be_a_part(sample: Path, run: Run) -> None:
    (sample / "train").rename(sample / "others")
    assert "if this is a part" not in run("detect", sample / "others/labelTxt")[2]


@pytest.mark.parametrize("sample", ["dota"], indirect=True)
def test_a_nested_tree_has_the_files_of_the_tree_in_a_folder(sample: Path) -> None:
    whole, part = open_tree(sample), NestedTree(open_tree(sample / "train"), "train")
    paths = [path for path in whole.paths() if path.startswith("train/")]
    assert list(part.paths()) == paths
    assert [part.read(path) for path in paths] == [whole.read(path) for path in paths]
    assert [part.size(path) for path in paths] == [whole.size(path) for path in paths]
    assert [part.ends(path, 4) for path in paths] == [whole.ends(path, 4) for path in paths]
    assert part.exists(paths[0]) and not part.exists("val/a") and not part.exists(paths[0].removeprefix("train/"))
    assert list(part.under("train").paths()) == [path.removeprefix("train/") for path in paths]
    with pytest.raises(FileNotFoundError, match="holds no file"):
        part.read("val/a")


def test_links_that_lead_nowhere_are_passed_over_when_names_around_a_folder_are_looked_at(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "a.txt").touch()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert list(names_around(tmp_path, tmp_path / "in")) == ["a.txt"]
