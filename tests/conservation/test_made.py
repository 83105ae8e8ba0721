"""What a target needs and a source lacks: classes, ids, levels, frames; and crowds, sizes, names of outputs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from small_datasets import coco, converted, put

import formatspec as fs
from formatspec.model.records import Category, Image, Item, Object
from formatspec.model.region import Region
from formatspec.run.output.staging import OutputError
from formatspec.testing.memory import image_bytes

FACES = """0--Parade/a.png
1
1 2 10 11 0 0 0 0 0 0
"""
BOX = {"bbox": [2, 3, 10, 6], "area": 60}


@pytest.mark.parametrize("to", ["coco", "yolo_ultralytics", "voc"])
def test_a_spec_states_the_class_of_all_its_objects(to: str, tmp_path: Path) -> None:
    data = put(
        tmp_path / "in",
        {
            "WIDER_train/images/0--Parade/a.png": image_bytes(40, 30, "png"),
            "wider_face_split/wider_face_train_bbx_gt.txt": FACES,
        },
    )
    out, lost = converted(data, to)
    (item,) = fs.open(out, to)
    assert [thing.category.name for thing in item.objects if thing.category] == ["face"]
    assert item.objects[0].bbox == pytest.approx((1, 2, 10, 11))
    assert not any(what.startswith("objects not written") for what in lost)


BARE = """
formatspec: 1
name: bare
files:
  image: "{name}.png"
  record: {path: "{name}.txt", lines: {each: objects, lines: "{bbox | xywh}"}}
"""


def test_objects_of_a_format_without_classes_are_called_object_and_the_report_says_so(tmp_path: Path) -> None:
    data = put(tmp_path / "in", {"a.png": image_bytes(40, 30, "png"), "a.txt": "1 2 3 4\n5 6 7 8\n"})
    (tmp_path / "bare.yaml").write_text(BARE)
    result = fs.convert(data, spec=tmp_path / "bare.yaml", to="coco", out=tmp_path / "out")
    (item,) = fs.open(tmp_path / "out", "coco")
    assert [thing.category.name for thing in item.objects if thing.category] == ["object", "object"]
    assert "written with the class 'object', since bare states none: 2 objects" in result.notices


def test_objects_that_lack_a_class_among_others_are_counted_and_a_class_can_be_given(tmp_path: Path) -> None:
    spec = BARE.replace("bare", "named").replace('"{bbox | xywh}"', '"{bbox | xywh} {category.name?}"')
    (tmp_path / "named.yaml").write_text(spec)
    data = put(tmp_path / "in", {"a.png": image_bytes(40, 30, "png"), "a.txt": "1 2 3 4 cat\n5 6 7 8\n"})
    spec_file = tmp_path / "named.yaml"
    result = fs.convert(data, spec=spec_file, to="coco", out=tmp_path / "out")
    assert "objects not written (no category.id): 1 object" in result.losses
    assert any("--default-class" in notice for notice in result.notices)
    fs.convert(data, spec=spec_file, to="coco", out=tmp_path / "given", default_class="thing")
    (item,) = fs.open(tmp_path / "given", "coco")
    assert [thing.category.name for thing in item.objects if thing.category] == ["cat", "thing"]


def test_ids_that_a_target_needs_are_made(tmp_path: Path) -> None:
    row = {
        "image": "a.png",
        "annotations": [{"label": "cat", "coordinates": {"x": 5, "y": 6, "width": 4, "height": 2}}],
    }
    data = put(
        tmp_path / "in",
        {"train/a.png": image_bytes(40, 30, "png"), "train/_annotations.createml.json": json.dumps([row])},
    )
    out, lost = converted(data, "labelbox")
    document = json.loads((out / "train.ndjson").read_text())
    (project,) = document["projects"].values()
    (thing,) = project["labels"][0]["annotations"]["objects"]
    assert document["data_row"]["id"] and thing["feature_id"]
    assert thing["bounding_box"] == {"left": 3, "top": 5, "width": 4, "height": 2}
    assert not lost


def test_levels_follow_from_depth_and_numbers_count_from_where_the_target_begins(tmp_path: Path) -> None:
    ring = {"segmentation": [[2, 3, 12, 3, 12, 9, 2, 9]]}
    other = {**BOX, "segmentation": [[20, 3, 24, 3, 24, 7, 20, 7]]}
    data = coco(tmp_path / "in", [{**BOX, **ring, "id": 900100}, other])
    out, _ = converted(data, "ade20k2017")
    (rows,) = out.glob("**/*_atr.txt")
    assert [row.split(" # ")[:2] for row in rows.read_text().splitlines()] == [["001", "0"], ["002", "0"]]
    out, _ = converted(data, "mot_seq")
    (table,) = out.glob("**/gt.txt")
    assert [row.split(",")[:2] for row in table.read_text().splitlines()] == [["1", "1"], ["1", "2"]]
    assert [path.name for path in out.glob("**/img1/*")] == ["000001.png"]


def test_a_crowd_is_no_box_of_a_format_without_crowds(tmp_path: Path) -> None:
    data = coco(tmp_path / "in", [BOX, {**BOX, "iscrowd": 1, "category_id": 2}])
    out, lost = converted(data, "yolo_ultralytics", options={"task": "detect"})
    assert len((out / "labels/train/a.txt").read_text().splitlines()) == 1
    assert lost["objects left out (crowds)"] == 1
    assert "crowd or group marks" not in lost  # that the other one is no crowd says nothing that is lost
    out, lost = converted(data, "yolo_ultralytics", options={"task": "detect", "crowds": "keep"})
    assert len((out / "labels/train/a.txt").read_text().splitlines()) == 2
    assert lost["crowd or group marks"] == 1 and "objects left out (crowds)" not in lost


def test_sizes_of_images_are_read_where_they_are_needed_and_images_stay(tmp_path: Path) -> None:
    data = put(
        tmp_path / "in",
        {"images/train/a.png": image_bytes(40, 30, "png"), "labels/train/a.txt": "0 0.5 0.5 0.5 0.5\n",
         "data.yaml": "path: .\ntrain: images/train\nval: images/train\nnc: 1\nnames: [cat]\n"},
    )  # fmt: skip
    out, _ = converted(data, "coco", media="none")
    document = json.loads((out / "annotations/instances_train.json").read_text())
    assert (document["images"][0]["width"], document["annotations"][0]["bbox"]) == (40, [10, 7.5, 20, 15])
    assert not list(out.glob("**/*.png"))


def test_an_output_is_no_zip(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="never a zip"):
        fs.convert(coco(tmp_path / "in", [BOX]), to="voc", out=tmp_path / "out.zip")
    assert not (tmp_path / "out.zip").exists()


def test_a_task_is_chosen_of_the_objects_that_are_taken(tmp_path: Path) -> None:
    """An outline that is left out does not make a box of what is taken an outline."""
    ring = {"segmentation": [[2, 3, 12, 3, 12, 9, 2, 9]]}
    data = coco(tmp_path / "in", [BOX, {**BOX, **ring, "category_id": 2}])
    out, _ = converted(data, "yolo_ultralytics", where="category.name == 'cat'")
    assert [len(row.split()) for row in (out / "labels/train/a.txt").read_text().splitlines()] == [5]
    out, _ = converted(data, "yolo_ultralytics", labels={"dog": None})
    assert [len(row.split()) for row in (out / "labels/train/a.txt").read_text().splitlines()] == [5]


POINTS = "path: .\ntrain: images/train\nval: images/val\nnames: [cat, dog]\nkpt_shape: [3, 2]\n"
ROW = "0 0.5 0.5 0.4 0.5 0.4 0.4 0.5 0.5 0 0\n"


def test_poses_of_two_numbers_a_keypoint_are_read_and_written(tmp_path: Path) -> None:
    """The file that names the classes says how many numbers a keypoint has; a point at 0, 0 is not there."""
    image = image_bytes(100, 80, "png")
    contents: dict[str, str | bytes] = {"images/train/a.png": image, "labels/train/a.txt": ROW, "data.yaml": POINTS}
    data = put(tmp_path / "in", contents)
    (thing,) = next(iter(fs.open(data, "yolo_ultralytics"))).objects
    assert thing.keypoints == ((40, 32, 2), (50, 40, 2), (0, 0, 0)) and thing.bbox == (30, 20, 40, 40)
    assert thing.polygons == ()
    same, _ = converted(data, "yolo_ultralytics", where="true")
    assert (same / "labels/train/a.txt").read_text() == ROW
    coco_folder, _ = converted(data, "coco")
    back, _ = converted(coco_folder, "yolo_ultralytics")
    row = (back / "labels/train/a.txt").read_text().split()
    assert [float(word) for word in row] == [0, 0.5, 0.5, 0.4, 0.5, 0.4, 0.4, 2, 0.5, 0.5, 2, 0, 0, 0]
    assert yaml.safe_load((back / "data.yaml").read_text())["kpt_shape"] == [3, 3]
    two, _ = converted(coco_folder, "yolo_ultralytics", options={"dims": "2"})
    assert [float(word) for word in (two / "labels/train/a.txt").read_text().split()] == [*map(float, ROW.split())]
    assert yaml.safe_load((two / "data.yaml").read_text())["kpt_shape"] == [3, 2]


@pytest.mark.parametrize(
    "to", ["ua_detrac", "unity_perception", "mot_seq", "cvat_video", "youtube_vis", "mots_txt", "mots_png", "davis"]
)
def test_a_track_that_a_target_needs_is_none_that_another_object_of_the_frame_has(tmp_path: Path, to: str) -> None:
    """The object that has a track stands behind, between or before those that have none."""
    image = image_bytes(40, 30, "jpg")
    boxes = [(1 + 8 * place, 1, 4, 4) for place in range(4)]
    places = [
        (box, Region(30, 40, [at for column in range(box[0], box[0] + 4) for at in (column * 30 + 1, column * 30 + 5)]))  # type: ignore[arg-type]
        for box in boxes
    ]
    tracks: list[tuple[int | None, ...]] = [(None, 1), (2, None, None), (None, 3, None)]
    held = [
        Item(
            key=f"7/{frame}",
            image=Image(path=f"{frame}.jpg", width=40, height=30, data=image),
            subsets=("train",),
            sequence=7,  # type: ignore[arg-type]
            frame=frame,
            objects=tuple(
                Object(category=Category(name="car", id=1), track=track, bbox=box, region=region)
                for track, (box, region) in zip(row, places, strict=False)
            ),
        )
        for frame, row in enumerate(tracks)
    ]
    out = fs.write(held, tmp_path / "out", to=to).out
    found = fs.open(out, to)
    back = sorted((sorted(o.track for o in item.objects if isinstance(o.track, int)) for item in found), key=len)
    assert [len(set(row)) for row in back] == [2, 3, 3] and all(item.objects for item in found)
    stated = [{track for track in row if track} for row in tracks]
    assert all(any(own <= set(row) for row in back) for own in stated)
    assert "DUPLICATE" not in {one.code for one in found.findings}


def test_frames_count_from_where_the_target_begins(tmp_path: Path) -> None:
    frames = {f"img1/00000{number}.jpg": None for number in (1, 2)}
    data = put(tmp_path / "in", {**frames, "gt/gt.txt": "1,1,2,3,4,5,1,1,1\n2,1,3,3,4,5,1,1,1\n"})
    video, _ = converted(data, "cvat_video", spec="mot_seq")
    assert sorted(file.name for file in video.glob("images/*")) == ["frame_000000.jpg", "frame_000001.jpg"]
    assert [line.split('"')[1] for line in (video / "annotations.xml").read_text().splitlines() if "<box" in line] == [
        "0",
        "1",
    ]
    back, _ = converted(video, "mot_seq", spec="cvat_video")
    assert sorted(file.name for file in back.glob("**/*.jpg")) == ["000001.jpg", "000002.jpg"]
    assert [line.split(",")[0] for line in next(back.glob("**/gt.txt")).read_text().splitlines()] == ["1", "2"]


@pytest.mark.parametrize("to", ["coco", "coco_panoptic", "lvis", "supervisely", "doclaynet", "publaynet", "objects365"])
def test_numbers_made_for_ids_that_are_texts_are_named(to: str, tmp_path: Path) -> None:
    columns = (
        "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside"
    )
    files = {
        "images/train/a.jpg": None,
        "annotations/oidv6-train-annotations-bbox.csv": f"{columns}\na,xclick,/m/01g317,1,0.1,0.5,0.1,0.5,0,0,0,0,0\n",
        "annotations/class-descriptions-boxable.csv": "/m/01g317,Person\n",
    }
    out, lost = converted(put(tmp_path / "in", files), to, spec="open_images")
    assert lost["category ids"] == 1
    assert not any(b"/m/01g317" in file.read_bytes() for file in out.rglob("*.json") if not file.name.startswith("."))
