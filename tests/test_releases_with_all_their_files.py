"""Releases with all that lies beside what a loader reads: test sets, detections, tables that are unpacked elsewhere."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np
import pytest
from files_on_disk import put

import formatspec as fs
from formatspec.api import detect_format
from formatspec.paths.trees.open_tree import open_tree

EXAMPLES = Path(__file__).parent.parent / "specs/examples"
FRAMES = {f"img1/{number:06d}.jpg": None for number in (1, 2)}
INFO = "[Sequence]\nname={}\nimDir=img1\nframeRate=30\nseqLength=2\nimWidth=20\nimHeight=10\nimExt=.jpg\n\n"


def moved(example: str, folder: Path, places: Mapping[str, str]) -> Path:
    """Copy an example of a spec, with the beginnings of its paths replaced."""
    source = EXAMPLES / example
    for file in source.rglob("*.*"):
        path = str(file.relative_to(source))
        start = next((one for one in places if path.startswith(one)), "")
        target = folder / f"{places.get(start, '')}{path[len(start) :]}"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)
    return folder


def told(folder: Path, name: str) -> list[Any]:
    """What the items of a dataset show, if its format is told by itself."""
    assert detect_format(open_tree(folder)).names == (name,)
    return [
        (item.subsets, item.frame, [(thing.category, thing.track, thing.box, thing.region) for thing in item.objects])
        for item in fs.open(folder)
    ]


def test_masks_of_isaid_in_the_folders_that_they_are_downloaded_in(tmp_path: Path) -> None:
    places = {
        f"iSAID/{subset}/images/{image}_": f"iSAID/{subset}/Instance_masks/images/{image}_"
        for subset, image in (("train", "P0002"), ("val", "P0003"))
    }
    data = moved("isaid", tmp_path, places)
    again = {"images": [], "annotations": [], "categories": []}  # the same instances in COCO's way
    put(data, {"iSAID/train/Annotations/iSAID_train.json": again})
    assert told(data, "isaid") == told(EXAMPLES / "isaid", "isaid")
    assert not [one for one in fs.validate(data, "isaid").findings if one.code == "FILE_UNCLAIMED"]


@pytest.mark.parametrize("word", ["CrowdHuman", "Crowdhuman"])
def test_archives_of_crowdhuman_unpacked_apart(word: str, tmp_path: Path) -> None:
    person = {"tag": "person", "fbox": [1, 2, 8, 7], "vbox": [1, 2, 8, 5], "hbox": [2, 2, 3, 3], "extra": {"box_id": 0}}
    files: dict[str, Any] = {}
    for subset, image in (("train", "273271,c9db000d5146c15"), ("val", "284193,faa5000bfc95b3f")):
        files[f"annotation_{subset}.odgt"] = json.dumps({"ID": image, "gtboxes": [person]}) + "\n"
        files[f"{word}_{subset}/Images/{image}.jpg"] = None
    items = told(put(tmp_path, files), "crowdhuman")
    assert [(subsets, len(things)) for subsets, _, things in items] == [(("train",), 1), (("val",), 1)]


def test_davis_of_2016_has_one_object_in_each_sequence(tmp_path: Path) -> None:
    mask = np.zeros((10, 20), np.uint8)
    mask[2:6, 3:9] = 255
    png = bytes(iio.imwrite("<bytes>", mask, extension=".png"))
    files: dict[str, Any] = {}
    for subset, sequence in (("train", "bear"), ("val", "camel")):
        lines = ""
        for number in range(2):
            files[f"DAVIS/JPEGImages/480p/{sequence}/{number:05d}.jpg"] = None
            files[f"DAVIS/Annotations/480p/{sequence}/{number:05d}.png"] = png
            lines += f"/JPEGImages/480p/{sequence}/{number:05d}.jpg /Annotations/480p/{sequence}/{number:05d}.png \n"
        files |= {f"DAVIS/ImageSets/480p/{subset}.txt": lines, f"DAVIS/ImageSets/1080p/{subset}.txt": lines}
    items = told(put(tmp_path / "data", files), "davis")
    boxes = [(subsets, frame, [(track, box) for _, track, box, _ in things]) for subsets, frame, things in items]
    box = [(1, (3, 2, 6, 4))]
    assert boxes == [(("train",), 0, box), (("train",), 1, box), (("val",), 0, box), (("val",), 1, box)]
    fs.convert(tmp_path / "data", to="davis", out=tmp_path / "out", where="true")
    assert told(tmp_path / "out", "davis") == items


@pytest.mark.parametrize(
    ("name", "line"),
    [("mots_txt", "1 2001 2 10 20 P1370000000f3\n"), ("mot_seq", "1,1,2,3,4,5,1,1,1\n")],
)
def test_sequences_without_ground_truth_beside_detections_stay_without(name: str, line: str, tmp_path: Path) -> None:
    """A file of ground truth without rows would say that there is nothing to be seen."""
    files: dict[str, Any] = {}
    for sequence in ("train/S-02", "test/S-01"):
        files |= {f"{sequence}/{frame}": None for frame in FRAMES}
        files[f"{sequence}/seqinfo.ini"] = INFO.format(sequence[-4:])
        files[f"{sequence}/det/det.txt"] = "1,-1,2,3,4,5,0.9\n"
    data = put(tmp_path / "data", {**files, "train/S-02/gt/gt.txt": line})
    assert sum(len(things) for _, _, things in told(data, name)) == 1
    for more in ({}, {"where": "true"}):
        out = tmp_path / f"out{len(more)}"
        fs.convert(data, to=name, out=out, **more)
        assert (out / "train/S-02/gt/gt.txt").is_file()
        assert not (out / "test/S-01/gt/gt.txt").exists()


def test_a_project_of_via_3_without_settings_of_the_window(tmp_path: Path) -> None:
    project = json.loads(next((EXAMPLES / "via3_project").glob("*.json")).read_text("utf-8"))
    data = Path(shutil.copytree(EXAMPLES / "via3_project", tmp_path / "data"))
    for settings in ({}, {"ui": {"spatial_region_label_attribute_id": ""}}, None):
        changed = {key: value for key, value in {**project, "config": settings}.items() if value is not None}
        put(data, {next(data.glob("*.json")).name: changed})
        assert told(data, "via3_project") == told(EXAMPLES / "via3_project", "via3_project")
        assert not [one for one in fs.validate(data, "via3_project").findings if one.level == "error"]


@pytest.mark.parametrize("lists", ["annotations_{}.json", "annotations/{}.json"])
def test_videos_whose_frames_lie_in_the_folder_of_their_subset(lists: str, tmp_path: Path) -> None:
    places = {}
    for subset in ("train", "valid"):
        places |= {f"{subset}/JPEGImages/": f"{subset}/", f"{subset}/instances.json": lists.format(subset)}
    assert told(moved("youtube_vis", tmp_path, places), "youtube_vis") == told(EXAMPLES / "youtube_vis", "youtube_vis")


@pytest.mark.parametrize("subset", ["train", "valid"])
def test_one_subset_of_youtube_vis_is_no_coco(subset: str, tmp_path: Path) -> None:
    data = moved("youtube_vis", tmp_path, {f"{subset}/": "", "": "other/"})
    shutil.rmtree(tmp_path / "other", ignore_errors=True)
    whole = [item for item in told(EXAMPLES / "youtube_vis", "youtube_vis") if item[0] == (subset,)]
    assert [item[1:] for item in told(data, "youtube_vis")] == [item[1:] for item in whole]
