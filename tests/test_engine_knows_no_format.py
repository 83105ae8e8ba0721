"""The engine knows no format: no format's name stands in an identifier or a string of the package."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import formatspec

PACKAGE = Path(formatspec.__file__).parent
SPECS = PACKAGE.parent / "specs"

_LISTED = """
    ade ade20k ade20k2017 ade20k2020 align animalpose ava bdd bdd100k brats brats_numpy camvid celeba cifar cityscapes
    coco common_semantic_segmentation createml crowdhuman cub cvat davis datumaro dota facecoco facenet fashion_mnist
    icdar imagenet iwildcam kaggle kinetics kitti labelbox labelme laion lfw lvis mapillary market1501 mars mmdet mmseg
    mnist mot mots mpii msdd nyu ade_20k objects365 open_images openimages oid oidv4 pascal pascalvoc sa1b scannet
    segment_anything shapenet sly_pointcloud supervisely synthia tfds tfod vgg_face2 via visdrone visual_genome vott
    vgg voc widerface wider_face wider wildtrack yolo yolov5 yolov8 ultralytics yolox
"""
NAMES = frozenset(_LISTED.split())
"""Names of formats in the wild, as one word or several."""

PLAIN_ENGLISH = frozenset({"align", "via", "mars", "wider", "image", "images", "masks", "labels", "image_masks"})
"""Names of formats that are words as well; only a rule could tell them apart, and none needs to."""

ALLOWED = {
    "model/region.py": {"coco"},  # the run-length encoding's own name: from_coco, to_coco
    "run/dump.py": {"coco"},  # its callers
    "codecs/regions/run_lengths.py": {"coco"},
}
"""The run-length code is called after who invented it."""


def bundled() -> set[str]:
    return {file.stem for file in SPECS.glob("*.yaml")}


def words(text: str) -> set[str]:
    """The words of an identifier or a string, and what they are joined by underscores."""
    whole = set(re.findall(r"[a-z0-9_]+", text.lower()))
    camel = re.findall(r"[A-Z]?[a-z0-9]+|[A-Z0-9]+(?![a-z])", text)
    return whole | {part for word in whole for part in word.split("_")} | {part.lower() for part in camel}


def offences(file: Path, names: frozenset[str]) -> Iterator[str]:
    allowed = ALLOWED.get(file.relative_to(PACKAGE).as_posix(), set())
    for token in tokenize.generate_tokens(io.StringIO(file.read_text("utf-8")).readline):
        if token.type in (tokenize.NAME, tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", -1)):
            for name in sorted(words(token.string) & names - allowed):
                yield f"{file.relative_to(PACKAGE)}:{token.start[0]}: {name}"


def test_no_name_of_a_format_stands_in_the_package() -> None:
    names = (NAMES | bundled()) - PLAIN_ENGLISH
    assert {"ade20k2020", "coco", "voc", "yolo"} <= names
    files = [file for file in sorted(PACKAGE.rglob("*.py")) if "specs" not in file.parts]
    assert len(files) > 60
    found = [line for file in files for line in offences(file, frozenset(names))]
    assert not found, "\n".join(found)


def test_the_exception_is_the_run_length_code_alone() -> None:
    for path in ALLOWED:
        text = (PACKAGE / path).read_text("utf-8")
        for line in text.splitlines():
            if re.search("coco", line, re.IGNORECASE):
                near = ("from_coco", "to_coco", "run length", "run-length", "counts", "run lengths")
                assert any(word in line for word in near), f"{path}: {line}"


def test_the_test_itself_finds_offenders(tmp_path: Path) -> None:
    assert {"coco"} <= words("toCocoFile") and {"coco"} <= words("COCO_JSON") and {"voc"} <= words("a 'voc' file")
    assert "voc" not in words("vocal invocation")
