"""How many files detection opens: each once, whatever the number of specs, and few of those that are alike."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from all_specs import sources

import formatspec as fs
from formatspec.engine.detection.detect import detect
from formatspec.language.load import available
from formatspec.paths.templates.formats import IMAGE_EXTENSIONS
from formatspec.paths.trees.folder_tree import FolderTree
from formatspec.paths.trees.open_tree import open_tree
from formatspec.testing.memory import image_bytes

BEFORE = {
    "ade20k2017": 2, "ade20k2020": 9, "align_celeba": 2, "automl_vision": 1, "bdd100k": 10, "camvid": 8, "celeba": 3,
    "cityscapes": 15, "coco": 37, "coco_panoptic": 24, "color_masks": 6, "createml": 10, "cvat_images": 3,
    "datumaro": 16, "dota": 1, "edge_impulse": 1, "hf_imagefolder": 1, "ibm_cloud": 4, "icdar_text_localization": 1,
    "icdar_text_segmentation": 2, "icdar_word_recognition": 1, "image_masks": 12, "imagenet": 0, "imagenet_subsets": 0,
    "imagenet_txt": 8, "kaggle_wheat": 1, "kitti_detection": 1, "kitti_segmentation": 3, "label_studio": 13,
    "labelbox": 1, "labelme": 10, "labelme_xml": 5, "lfw": 0, "lvis": 11, "mapillary_vistas": 7, "market1501": 0,
    "mars": 0, "mot_seq": 2, "mots_png": 2, "mvtec": 1, "oidv4": 1, "open_images": 12, "openlabel": 16,
    "retinanet_csv": 2, "roboflow_coco": 10, "roboflow_voc": 1, "roboflow_yolo": 2, "sagemaker": 1, "scale_ai": 13,
    "segment_anything": 10, "superannotate": 16, "supervisely": 12, "synthia_al": 1, "synthia_rand": 1,
    "synthia_sf": 1, "tfod_csv": 1, "udacity": 1, "unity_perception": 12, "v7_darwin": 10, "vgg_face2": 2,
    "via_csv": 1, "via_json": 10, "voc": 8, "vott_csv": 1, "vott_json": 10, "wider_face": 1, "yolo": 8,
    "yolo_keras": 8, "yolo_ultralytics": 2, "yolov4_pytorch": 8,
}  # fmt: skip
"""How many times the rule before opened files of these samples, when there were 70 formats."""
PAIRS = 10
"""Files that may be opened to see which images are label images, whatever the rule before opened."""


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that are opened from now on, each as often as it is."""
    found: list[str] = []
    for way in ("read", "ends", "local"):
        before = getattr(FolderTree, way)

        def noting(tree: FolderTree, path: str, *more: int, before: Callable[..., object] = before) -> object:
            result = before(tree, path, *more)
            if result is not None:
                found.append(path)
            return result

        monkeypatch.setattr(FolderTree, way, noting)
    return found


def test_at_most_twice_the_files_of_the_rule_before_are_opened(tmp_path: Path, opened: list[str]) -> None:
    """The bound holds for all files, or for documents and for images that are looked at to see what they are, apart."""
    counts, images = dict[str, int](), dict[str, int]()
    for name in available():
        fs.sample(name, tmp_path / name, items=8, seed=5)
        opened.clear()
        assert detect(sources(), open_tree(tmp_path / name)).names == (name,)
        counts[name] = len(opened)
        images[name] = sum(path.rpartition(".")[2].lower() in IMAGE_EXTENSIONS for path in opened)
        assert all(opened.count(path) == 1 for path in opened if not path.lower().endswith((".png", ".bmp")))
    many = {name: count for name, count in counts.items() if count > max(2 * BEFORE.get(name, 0), PAIRS)}
    assert all(images[name] <= PAIRS and many[name] - images[name] <= 2 * BEFORE.get(name, 0) for name in many), many
    assert sum(counts[name] for name in BEFORE) < sum(BEFORE.values())


def test_classes_with_images_of_equal_names_are_not_all_compared(tmp_path: Path, opened: list[str]) -> None:
    for number in range(40):
        (tmp_path / f"class_{number}").mkdir()
        for image in range(3):
            (tmp_path / f"class_{number}/{image:03d}.png").write_bytes(image_bytes(20, 10, "png"))
    assert detect(sources(), open_tree(tmp_path)).names == ("imagenet",)
    assert len(opened) <= PAIRS


def test_a_second_kind_of_label_images_is_found_by_one_pair(tmp_path: Path, opened: list[str]) -> None:
    """Twelve scenes with images and two kinds of label images: a pair of each kind tells of all."""
    for scene in range(12):
        for folder in ("rgb", "semantic", "instance"):
            (tmp_path / folder / f"s{scene}").mkdir(parents=True)
            for image in range(2):
                extension = "jpg" if folder == "rgb" else "png"
                (tmp_path / folder / f"s{scene}/{image}.{extension}").write_bytes(image_bytes(20, 10, extension))
    assert detect(sources(), open_tree(tmp_path)).names == ()
    assert len(opened) <= 4
