"""Every format's own data is taken for it, whatever else lies beside; every other format says why it is not."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from all_specs import sources
from files_on_disk import put
from PIL import Image
from reference_data import REFERENCE

import formatspec as fs
from formatspec.api import detect_format
from formatspec.cli.main import main
from formatspec.engine.detection.detect import Detection, detect
from formatspec.engine.index.build_index import sampled
from formatspec.language.errors import SpecError
from formatspec.language.load import _load, available, load_outline, load_source
from formatspec.model.amounts import with_amounts
from formatspec.paths.trees.folder_tree import FolderTree
from formatspec.paths.trees.open_tree import open_tree


def detected(folder: Path) -> Detection:
    return detect(sources(), open_tree(folder))


def write(folder: Path, **texts: str) -> None:
    """Text files; `__` in a name is a slash, and its last `_` a dot."""
    for name, text in texts.items():
        path = folder / ".".join(name.replace("__", "/").rsplit("_", 1))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.mark.parametrize("name", sorted(available()))
def test_a_sample_is_its_own_format(name: str, tmp_path: Path) -> None:
    for seed in (0, 1):
        fs.sample(name, tmp_path / str(seed), items=4, seed=seed)
        found = detected(tmp_path / str(seed))
        assert found.names == (name,)
        assert {one.name for one in found.others} == set(available()) - {name}
        assert all(one.reason for one in found.others)


@pytest.mark.parametrize("name", sorted(available()))
def test_an_example_is_its_own_format(name: str) -> None:
    source = sources()[name]
    assert source.spec.examples
    for example in source.spec.examples:
        assert detected(source.file.parent / example).names == (name,)


@pytest.mark.parametrize(("paths", "name"), [
    (("train/cat/a.jpg", "test/dog/b.jpg"), "imagenet_subsets"),
    (("train/cat/a.jpg", "valid/dog/b.jpg"), "imagenet_subsets"),
    (("cat/a.jpg", "dog/b.jpg"), "imagenet"),
    (("cat/001.jpg", "dog/001.jpg"), "imagenet"),
    (("label_0/a.jpg", "label_1/b.jpg"), "imagenet"),
    (("with_mask/a.png", "without_mask/b.png"), "imagenet"),
    (("n01440764/n01440764_10026.JPEG", "n01443537/n01443537_10007.JPEG"), "imagenet"),
    (("train/n01440764/n01440764_10026.JPEG", "val/n01443537/ILSVRC2012_val_00000236.JPEG"), "imagenet_subsets"),
    (("bottle/train/good/000.png", "bottle/test/good/000.png", "bottle/test/crack/000.png"), "mvtec"),
], ids=lambda value: value if isinstance(value, str) else "")  # fmt: skip
def test_folders_of_images_alone(paths: tuple[str, ...], name: str, tmp_path: Path) -> None:
    """Where nothing but folders tells, the format that wants nothing else is taken: a table of faces or of boxes, or
    masks of defects, would be there too."""
    assert detected(put(tmp_path, dict.fromkeys(paths))).names == (name,)


@pytest.mark.parametrize("paths", [
    ("images/a.jpg", "images/b.jpg"),
    ("images/a.jpg", "masks/b.jpg"),
    ("train2017/a.jpg", "val2017/b.jpg"),
    ("images/train/a.jpg", "images/val/b.jpg"),
    ("things/a.jpg",),
    ("box_train/a.jpg", "box_test/b.jpg"),
    ("RGB/a.png", "SemSeg/b.png"),
    ("training/image_2/000000.png", "training/image_3/000000.png"),
    ("train/patch8/a_8.jpg", "train/patch16/a_16.jpg"),
    ("obj_train_data/a.jpg", "obj_valid_data/b.jpg"),
    ("Some_Set_Of_Images_Train/a.jpg", "Some_Set_Of_Images_Test/b.jpg"),
    ("left/train/rome/rome_000000_000019_left.png", "left/val/oslo/oslo_000000_000294_left.png"),
    ("images/train/ab-12/ab-12-0000001.jpg", "images/train/cd-34/cd-34-0000001.jpg"),
], ids=lambda value: value[0])  # fmt: skip
def test_images_that_nothing_tells_of_are_refused(paths: tuple[str, ...], tmp_path: Path) -> None:
    found = detected(put(tmp_path, dict.fromkeys(paths)))
    assert not found.names and found.holds == "it holds images, and nothing that describes them"


@pytest.mark.parametrize(("folder", "name"), REFERENCE.items())
def test_reference_data(folder: str, name: str, reference: Callable[[str], Path]) -> None:
    assert detected(reference(folder)).names == (name,)


def test_no_reference_dataset_is_forgotten(reference: Callable[[str], Path]) -> None:
    toys = {f"toy/{folder.name}" for folder in reference("toy").iterdir() if folder.is_dir()}
    known = {"/".join(folder.split("/")[:2]) for folder in REFERENCE}
    assert toys <= known


@pytest.mark.parametrize("kind", ["coco", "voc", "yolo_ultralytics"])
@pytest.mark.parametrize("empty", [False, True])
def test_every_rejected_format_has_a_reason(
    kind: str, empty: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    fs.sample(kind, data, items=2, seed=3)
    if empty:
        data = tmp_path / "empty"
        data.mkdir()
        (data / "notes.md").write_text("nothing")
    monkeypatch.setattr(sys, "argv", ["formatspec", "detect", str(data), "--json"])
    with pytest.raises(SystemExit) as end:
        main()
    said = json.loads(capsys.readouterr().out)
    assert said["formats"] == ([] if empty else [kind])
    assert end.value.code == (2 if empty else 0)
    assert said["rejected"].keys() == available().keys() - set(said["formats"])
    assert all(reason.strip() for reason in said["rejected"].values())
    assert [one["format"] for one in said["nearest"]] == list(said["rejected"])[:5]


def test_formats_of_other_names_are_rejected_by_their_paths(tmp_path: Path) -> None:
    """Detection costs what it looks at: the rules of a spec are parsed when a file has the path of one of its roles."""
    fs.sample("ade20k2020", tmp_path / "data", items=1)
    _load.cache_clear()
    detect_format(open_tree(tmp_path / "data"))
    looked_at = [
        name for name, file in available().items() if any("rules" in vars(one) for one in load_outline(file).layouts)
    ]
    assert "ade20k2020" in looked_at and len(looked_at) < len(available()) / 3


def test_a_large_json_file_is_known_by_the_first_of_its_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fs.sample("coco", tmp_path / "coco", items=4, seed=0)
    fs.sample("supervisely", tmp_path / "keyed", items=4, seed=0)
    read: list[str] = []
    whole = FolderTree.read
    monkeypatch.setattr(FolderTree, "read", lambda tree, path: read.append(path) or whole(tree, path))
    with with_amounts(large_document=0, first_rows=1):
        assert detected(tmp_path / "coco").names == ("coco",)
        assert not [path for path in read if path.endswith(".json")]
        assert detected(tmp_path / "keyed").names == ("supervisely",)


def test_a_lone_list_among_many_files_is_looked_at() -> None:
    paths = [*(f"a/{number:05d}.png" for number in range(9000)), "b/names.txt", "c/d/e/f/g.json"]
    found = sampled(paths)
    assert len(found) < 5000
    assert {"a/00000.png", "b/names.txt", "c/d/e/f/g.json"} <= set(found)
    assert list(found) == sorted(found)
    assert sampled(paths[:10]) == paths[:10]


def test_a_broken_annotation_file_is_still_of_its_format(tmp_path: Path) -> None:
    image = {"id": 1, "file_name": "x.jpg", "width": 20, "height": 10}
    thing = {"id": 1, "image_id": 1, "bbox": [1, 1, 2, 2], "area": 4, "iscrowd": 0}
    text = json.dumps({"images": [image], "categories": [{"id": 1, "name": "a"}], "annotations": [thing]})
    put(tmp_path, {"images/train/x.jpg": None})
    write(tmp_path, annotations__instances_train_json=text)
    assert detected(tmp_path).names == ("coco",)
    write(tmp_path, annotations__instances_train_json=text[: len(text) // 2])
    assert detected(tmp_path).names == ("coco",)
    write(tmp_path, annotations__instances_train_json="")
    assert detected(tmp_path).outcome.winners[0].state == "weakly"


def test_another_shape_of_document_is_refused(tmp_path: Path) -> None:
    put(tmp_path, {"images/train/x.jpg": None})
    write(tmp_path, annotations__instances_train_json='{"videos": [{"id": 1}], "boxes": [[1, 2, 3, 4]]}')
    found = detected(tmp_path)
    assert not found.names
    reasons = {one.name: one.reason for one in found.others}
    assert reasons["coco"].startswith("annotations/instances_train.json: ")


def test_documents_of_a_format_that_lacks_its_images_are_not_another_formats(tmp_path: Path) -> None:
    """LabelMe's XML files have what VOC's must have; that the images lie elsewhere makes them no VOC."""
    fs.sample("labelme_xml", tmp_path / "data", items=12, seed=7)
    (tmp_path / "data/Images").rename(tmp_path / "data/pictures")
    found = detected(tmp_path / "data")
    assert not found.names and found.outcome.nearest[0].name == "labelme_xml"


def test_lists_that_name_other_images_tell_nothing(tmp_path: Path) -> None:
    """Lines of an image's name and a number are in many formats' files."""
    put(tmp_path, {"faces/000001.jpg": None, "faces/000002.jpg": None})
    write(tmp_path, list_identity_txt="000001.jpg 7\n000002.jpg 9\n", list_partition_txt="000001.jpg 0\n")
    assert not detected(tmp_path).names


def test_a_dataset_without_a_class_list_is_known_by_its_labels(tmp_path: Path) -> None:
    put(tmp_path, {"images/train/a.jpg": None})
    write(tmp_path, labels__train__a_txt="0 0.5 0.5 0.1 0.1\n")
    found = detected(tmp_path)
    assert found.names == ("yolo_ultralytics",)
    assert found.outcome.winners[0].missing == ("no file is data.yaml",)


@pytest.mark.parametrize("suffix", ["", "PNG"])
def test_masks_beside_images_without_lists_and_records(suffix: str, tmp_path: Path) -> None:
    """What labelme2voc.py writes, now and until version 5.5: a list of classes, and masks of classes and of objects."""
    for name in ("a", "b"):
        put(tmp_path, {f"JPEGImages/{name}.jpg": None, f"SegmentationClassVisualization/{name}.jpg": None})
        for folder in ("SegmentationClass", "SegmentationObject"):
            for one in (f"{folder}Npy" if not suffix else folder, f"{folder}{suffix}"):
                (tmp_path / one).mkdir(exist_ok=True)
            (tmp_path / (f"{folder}Npy" if not suffix else folder) / f"{name}.npy").write_bytes(b"numbers")
            pixels = np.zeros((10, 20), np.uint8)
            pixels[2:6, 3:9] = 1 if folder == "SegmentationObject" else 2
            mask = Image.fromarray(pixels, "P")
            mask.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0])
            mask.save(tmp_path / f"{folder}{suffix}" / f"{name}.png")
    write(tmp_path, class_names_txt="_background_\nship\ntree")
    assert detected(tmp_path).names == ("voc",)
    items = list(fs.open(tmp_path))
    assert [[thing.category.name for thing in one.objects] for one in items] == [["tree"], ["tree"]]
    assert not [one for one in fs.validate(tmp_path).findings if one.level != "info"]


def test_two_datasets_in_one_folder_are_told_of(tmp_path: Path) -> None:
    fs.sample("voc", tmp_path / "data", items=4, seed=0)
    fs.sample("coco", tmp_path / "coco", items=2, seed=0)
    shutil.copytree(tmp_path / "coco/annotations", tmp_path / "data/annotations")
    found = detected(tmp_path / "data")
    assert found.names == ("voc",)
    assert [name for name, _ in found.beside] == ["coco"]
    assert any("coco" in note for note in found.notes)


def test_equal_formats_are_both_named(tmp_path: Path) -> None:
    spec = "formatspec: 1\nname: {}\nfiles:\n  image: 'pics/{{name}}.{{ext:image}}'\n"
    spec += "  note: {{path: 'notes/{{name}}.json', json: {{kind: tags}}}}\n"
    for name in ("one", "two"):
        (tmp_path / f"{name}.yaml").write_text(spec.format(name))
    put(tmp_path / "data", {"pics/a.jpg": None})
    write(tmp_path / "data", notes__a_json='{"kind": ["x"]}')
    both = {name: load_source(tmp_path / f"{name}.yaml") for name in ("one", "two")}
    found = detect(both, open_tree(tmp_path / "data"))
    assert set(found.names) == {"one", "two"} and found.name is None
    assert detect(both, open_tree(tmp_path / "data"), own=frozenset({"two"})).names == ("two",)


def test_a_bundled_spec_whose_rules_are_wrong_is_in_nobodys_way(tmp_path: Path) -> None:
    wrong = (
        "formatspec: 1\nname: near\nfiles:\n  image: '{name}.{ext:image}'\n  record:\n    path: '{name:path}.json'\n"
    )
    (tmp_path / "near.yaml").write_text(wrong + "    json: {each: nobody}\n")
    fs.sample("labelme", tmp_path / "data", items=2)
    found = detect({**sources(), "near": load_outline(tmp_path / "near.yaml")}, open_tree(tmp_path / "data"))
    assert found.names == ("labelme",)
    assert "there is no table 'nobody'" in {one.name: one.reason for one in found.others}["near"]
    with pytest.raises(SpecError, match="nobody"):
        load_source(tmp_path / "near.yaml")
