"""Exports of labelling tools and devkits: what formatspec writes, read by the packages of the tools themselves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from coco_like import coco_document, coco_files
from files_on_disk import put
from others import Boxes, boxes_as_rows, furthest, items, ordered, sized
from PIL import Image

import formatspec as fs
from formatspec.model.region import Region

pytestmark = pytest.mark.interop

SIZE = {"one": (40, 60), "two": (48, 32)}
"""Rows and columns of the made-up images."""
BOXES = {
    "one": [("cat", (4.0, 5.0, 20.0, 10.0)), ("dog", (30.5, 8.0, 16.0, 24.0))],
    "two": [("bird", (3.0, 4.0, 12.0, 30.0)), ("dog", (17.0, 10.0, 9.0, 9.0))],
}
NAMES = ["cat", "dog", "bird"]
EXPECTED = {name: ordered(boxes) for name, boxes in BOXES.items()}


def mask_of(name: str) -> Any:
    """A mask with a hole and two parts, (rows, columns) of bool."""
    mask = np.zeros(SIZE[name], bool)
    mask[5:20, 6:18] = True
    mask[10:13, 9:12] = False
    mask[25:30, 3:9] = True
    return mask


def write_coco(root: Path, masks: bool) -> Path:
    """The boxes, or a mask an image, as a COCO dataset."""
    rows = masks_as_rows() if masks else boxes_as_rows(BOXES, NAMES)
    return put(root, coco_files(coco_document(sized(SIZE), rows, NAMES)))


def masks_as_rows() -> list[dict[str, Any]]:
    """A row of COCO for the mask of each image."""
    rows = []
    for number, name in enumerate(SIZE, 1):
        region = Region.from_mask(mask_of(name))
        row = {"category_id": 2, "bbox": list(region.bbox or (0, 0, 0, 0)), "area": region.area}
        rows.append({"image_id": number, **row, "segmentation": region.to_coco()})
    return rows


@pytest.fixture
def coco(tmp_path: Path) -> Path:
    return write_coco(tmp_path / "coco", masks=False)


@pytest.fixture
def masks(tmp_path: Path) -> Path:
    return write_coco(tmp_path / "masks", masks=True)


CONFIG = """<View><Image name="image" value="$image"/><RectangleLabels name="label" toName="image">
<Label value="cat"/><Label value="dog"/><Label value="bird"/></RectangleLabels></View>"""


def label_studio(tmp_path: Path) -> Any:
    """The SDK's converter of a project that labels boxes."""
    converter = pytest.importorskip("label_studio_sdk.converter")
    return converter.Converter(config=CONFIG, project_dir=str(tmp_path), download_resources=False)


def stem(name: str) -> str:
    return Path(name).stem.rpartition("/")[2]


def test_label_studio_converts_our_tasks_to_coco(coco: Path, tmp_path: Path) -> None:
    fs.convert(coco, to="label_studio", out=tmp_path / "out")
    label_studio(tmp_path).convert_to_coco(
        str(tmp_path / "out/train.json"), str(tmp_path / "back"), output_image_dir=str(tmp_path / "im"), is_dir=False
    )
    document = json.loads((tmp_path / "back/result.json").read_text())
    names = {row["id"]: row["name"] for row in document["categories"]}
    files = {row["id"]: stem(row["file_name"]) for row in document["images"]}
    found: dict[str, list[Any]] = {name: [] for name in files.values()}
    for row in document["annotations"]:
        found[files[row["image_id"]]].append((names[row["category_id"]], row["bbox"]))
    assert furthest({name: ordered(boxes) for name, boxes in found.items()}, EXPECTED) < 1e-9


@pytest.mark.parametrize("turned", [False, True])
def test_the_yolo_files_of_label_studio_are_read(coco: Path, tmp_path: Path, turned: bool) -> None:
    """Its plain export drops the angle of a turned box, which its OBB export has."""
    fs.convert(coco, to="label_studio", out=tmp_path / "out")
    file = tmp_path / "out/train.json"
    tasks = json.loads(file.read_text())
    for task in tasks:
        for result in task["annotations"][0]["result"]:
            result["value"]["rotation"] = 30 if turned else 0
    file.write_text(json.dumps(tasks))
    back = tmp_path / "back"
    label_studio(tmp_path).convert_to_yolo(
        str(file), str(back), output_image_dir=str(back / "images"), output_label_dir=str(back / "labels"),
        is_dir=False, is_obb=turned,
    )  # fmt: skip
    (back / "images").mkdir(exist_ok=True)
    for name in SIZE:
        (label,) = (back / "labels").glob(f"*{name}.txt")
        (back / "images" / f"{label.stem}.png").write_bytes((coco / f"images/train/{name}.png").read_bytes())
    ours = {stem(one.key): one for one in items(tmp_path / "out", "label_studio")}
    theirs = {one.key.rpartition("-")[2]: one for one in items(back, "label_studio_yolo")}
    assert theirs.keys() == ours.keys() == SIZE.keys()
    for name, item in ours.items():
        pairs = list(zip(item.objects, theirs[name].objects, strict=True))
        assert [a.category.name for a, _ in pairs] == [b.category.name for _, b in pairs]
        for a, b in pairs:
            slot = "rotated" if turned else "bbox"
            assert getattr(b, slot) == pytest.approx(getattr(a, slot), abs=1e-9)


def test_label_studio_unpacks_our_brushes_and_we_unpack_its(masks: Path, tmp_path: Path) -> None:
    brush = pytest.importorskip("label_studio_sdk.converter.brush")
    fs.convert(masks, to="label_studio", out=tmp_path / "out")
    file = tmp_path / "out/train.json"
    tasks = json.loads(file.read_text())
    for task in tasks:
        name = stem(task["file_upload"])
        (result,) = task["annotations"][0]["result"]
        channels = np.reshape(brush.decode_rle(result["value"]["rle"]), (*SIZE[name], 4))
        assert np.array_equal(channels[..., 3] > 0, mask_of(name))
        result["value"]["rle"] = brush.mask2rle(mask_of(name).astype(np.uint8) * 255)
    file.write_text(json.dumps(tasks))
    for item in items(tmp_path / "out", "label_studio"):
        (thing,) = item.objects
        assert np.array_equal(thing.region.to_mask(), mask_of(stem(item.key)))


def test_the_short_export_of_label_studio_is_read(coco: Path, tmp_path: Path) -> None:
    """JSON_MIN, which the SDK makes of our tasks: results under the name of their control, without ids and types."""
    fs.convert(coco, to="label_studio", out=tmp_path / "out")
    short = tmp_path / "short"
    label_studio(tmp_path).convert_to_json_min(str(tmp_path / "out/train.json"), str(short), is_dir=False)
    (short / "images").mkdir()
    for file in (coco / "images/train").iterdir():
        (short / "images" / file.name).write_bytes(file.read_bytes())
    found = {
        stem(one.key): ordered((thing.category.name, thing.bbox) for thing in one.objects)
        for one in items(short, "label_studio_min")
    }
    assert furthest(found, EXPECTED) < 1e-9


def darwin(folder: Path) -> dict[str, Any]:
    """What the tool's own parser finds in each file."""
    parser = pytest.importorskip("darwin.utils")
    files = sorted(folder.rglob("annotations/**/*.json"))
    return {file.stem: parser.parse_darwin_json(file, 0) for file in files}


def test_darwin_reads_our_boxes(coco: Path, tmp_path: Path) -> None:
    fs.convert(coco, to="v7_darwin", out=tmp_path / "out")
    found: Boxes = {
        name: ordered((one.annotation_class.name, [one.data[key] for key in "xywh"]) for one in file.annotations)
        for name, file in darwin(tmp_path / "out").items()
    }
    assert furthest(found, EXPECTED) < 1e-9
    assert {name: (file.image_height, file.image_width) for name, file in darwin(tmp_path / "out").items()} == SIZE


def test_darwin_paints_our_raster_layer(tmp_path: Path) -> None:
    """Masks as the tool has them: both read the same pixels of the shared runs, before and after a copy."""
    pytest.importorskip("darwin")
    from darwin.exporter.formats.mask import rle_decode  # type: ignore[import-not-found]

    mask, other = mask_of("one"), np.zeros(SIZE["one"], bool)
    other[30:38, 20:50] = True
    pixels = (mask + 2 * other).ravel()
    ends = np.append(np.flatnonzero(np.diff(pixels)) + 1, pixels.size)
    runs = [
        int(one) for end, count in zip(ends, np.diff(ends, prepend=0), strict=True) for one in (pixels[end - 1], count)
    ]
    layer = {"dense_rle": runs, "mask_annotation_ids_mapping": {"a": 1, "b": 2}, "total_pixels": pixels.size}
    skeleton = {"nodes": [{"name": "head", "x": 4.0, "y": 5.0, "occluded": True}]}
    slot = {"type": "image", "slot_name": "0", "width": 60, "height": 40, "source_files": []}
    rows: list[dict[str, Any]] = [
        {"id": "a", "name": "cat", "mask": {}},
        {"id": "b", "name": "dog", "mask": {}},
        {"id": "c", "name": "pose", "skeleton": skeleton},
        {"id": "r", "name": "__raster_layer__", "raster_layer": layer},
    ]
    document = {
        "version": "2.0",
        "item": {"name": "one.png", "path": "/", "slots": [slot]},
        "annotations": [{**row, "slot_names": ["0"], "properties": []} for row in rows],
    }
    (tmp_path / "in/annotations").mkdir(parents=True)
    (tmp_path / "in/images").mkdir()
    (tmp_path / "in/annotations/one.json").write_text(json.dumps(document))
    Image.fromarray(np.zeros((40, 60, 3), np.uint8)).save(tmp_path / "in/images/one.png")
    (item,) = items(tmp_path / "in", "v7_darwin")
    assert [one.category.name for one in item.objects] == ["cat", "dog", "pose"]
    fs.convert(tmp_path / "in", spec="v7_darwin", to="v7_darwin", out=tmp_path / "out", where="name == 'one'")
    (file,) = darwin(tmp_path / "out").values()
    (painted,) = (one.data for one in file.annotations if one.annotation_class.annotation_type == "raster_layer")
    theirs = np.reshape(rle_decode(painted["dense_rle"], dict(enumerate(range(3)))), (40, 60))
    for thing in item.objects[:2]:
        number = painted["mask_annotation_ids_mapping"][thing.id]
        assert np.array_equal(thing.region.to_mask(), theirs == number)
    (pose,) = (one.data for one in file.annotations if one.annotation_class.annotation_type == "skeleton")
    assert [(one["x"], one["y"], 1 if one["occluded"] else 2) for one in pose["nodes"]] == list(
        item.objects[2].keypoints
    )


def test_vcd_reads_our_openlabel(coco: Path, tmp_path: Path) -> None:
    """It checks a file against the standard's schema; its boxes are a centre and a size."""
    core = pytest.importorskip("vcd.core")
    fs.convert(coco, to="openlabel", out=tmp_path / "out")
    found = {}
    for name in SIZE:
        clip = core.OpenLABEL()
        clip.load_from_file(str(tmp_path / f"out/annotations/{name}.json"), validation=True)
        boxes = []
        for uid, thing in clip.get_objects().items():
            (data,) = clip.get_frame(0)["objects"][uid]["object_data"]["bbox"]
            x, y, w, h = data["val"]
            boxes.append((thing["type"], (x - w / 2, y - h / 2, w, h)))
        found[name] = ordered(boxes)
    assert furthest(found, EXPECTED) < 1e-9


def test_lvis_reads_ours(masks: Path, tmp_path: Path) -> None:
    lvis = pytest.importorskip("lvis")
    fs.convert(masks, to="lvis", out=tmp_path / "out")
    (file,) = (tmp_path / "out").rglob("lvis_*.json")
    dataset = lvis.LVIS(str(file))
    for number in dataset.get_img_ids():
        (image,) = dataset.load_imgs([number])
        (row,) = dataset.load_anns(dataset.get_ann_ids(img_ids=[number]))
        assert np.array_equal(dataset.ann_to_mask(row).astype(bool), mask_of(stem(image["coco_url"])))
        assert dataset.load_cats([row["category_id"]])[0]["name"] == "dog"


SEQINFO = """[Sequence]
name=MOT17-99
imDir=img1
frameRate=25
seqLength=2
imWidth=60
imHeight=40
imExt=.png
"""
TRACKS = "1,3,5,6,20,10,1,1,0.5\n1,4,31,9,16,24,1,1,1\n2,3,7,6,20,10,1,1,0.5\n"


def test_trackeval_reads_our_tracks(tmp_path: Path) -> None:
    """It hands on the numbers of the file as they stand, as we do, though the challenge counts pixels from 1."""
    trackeval = pytest.importorskip("trackeval")
    root = tmp_path / "in/MOT17-99"
    (root / "gt").mkdir(parents=True)
    (root / "img1").mkdir()
    for number in (1, 2):
        Image.fromarray(np.zeros((40, 60, 3), np.uint8)).save(root / f"img1/{number:06d}.png")
    (root / "seqinfo.ini").write_text(SEQINFO)
    (root / "gt/gt.txt").write_text(TRACKS)
    fs.convert(tmp_path / "in", spec="mot_seq", to="mot_seq", out=tmp_path / "out", where="sequence == 'MOT17-99'")
    (gt,) = (tmp_path / "out").rglob("gt.txt")
    reader = trackeval.datasets.MotChallenge2DBox(
        {
            "GT_FOLDER": str(gt.parents[2]), "TRACKERS_FOLDER": str(tmp_path), "TRACKERS_TO_EVAL": [],
            "SKIP_SPLIT_FOL": True, "SEQ_INFO": {"MOT17-99": 2}, "PRINT_CONFIG": False,
        }
    )  # fmt: skip
    theirs = reader._load_raw_file("", "MOT17-99", is_gt=True)
    by_frame = {one.frame: one for one in items(tmp_path / "out", "mot_seq")}
    assert sorted(by_frame) == [1, 2]
    for frame, item in by_frame.items():
        x, y, w, h = np.transpose([thing.bbox for thing in item.objects])
        assert np.array_equal(theirs["gt_dets"][frame - 1], np.transpose([x, y, w, h]))
        assert list(theirs["gt_ids"][frame - 1]) == [thing.track for thing in item.objects]
        assert set(theirs["gt_classes"][frame - 1]) == {1}
        assert {thing.category.name for thing in item.objects} == {"pedestrian"}


def test_cityscapes_reads_our_outlines(coco: Path, tmp_path: Path) -> None:
    """The release's own reader finds the outlines of boxes, and its script paints the pixels around their centres."""
    annotation = pytest.importorskip("cityscapesscripts.helpers.annotation")
    from cityscapesscripts.helpers.labels import name2label  # type: ignore[import-not-found]
    from cityscapesscripts.preparation.json2labelImg import createLabelImage  # type: ignore[import-not-found]

    called = {"cat": "car", "dog": "person", "bird": "rider"}
    rows = coco / "annotations/instances_train.json"
    document = json.loads(rows.read_text())
    for row in document["annotations"]:
        x, y, w, h = row["bbox"]
        row["segmentation"] = [[x, y, x + w, y, x + w, y + h, x, y + h]]
    rows.write_text(json.dumps(document))
    fs.convert(coco, to="cityscapes", out=tmp_path / "out", labels=called)
    found = []
    for file in sorted((tmp_path / "out").rglob("*_polygons.json")):
        outlines = annotation.Annotation()
        outlines.fromJsonFile(str(file))
        assert (outlines.imgHeight, outlines.imgWidth) in SIZE.values()
        painted = np.array(createLabelImage(outlines, "ids"))
        boxes = []
        for one in outlines.objects:
            left, top, right, bottom = *np.min(one.polygon, 0), *np.max(one.polygon, 0)
            boxes.append((one.label, (left, top, right - left, bottom - top)))
            assert painted[int(top + bottom) // 2, int(left + right) // 2] == name2label[one.label].id
        found.append(ordered(boxes))
    expected = [ordered((called[label], box) for label, box in boxes) for boxes in BOXES.values()]
    assert sorted(found) == sorted(expected)
