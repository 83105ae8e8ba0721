"""Things that a target does not hold are named each: whatever of them a row, a label or a caption would have said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from coco_like import coco_document
from law import recorded
from small_datasets import coco, converted, counted, outlined, put

import formatspec as fs
from formatspec.engine.resolve import held_slots
from formatspec.run.conversion.plan import RefusedError
from formatspec.testing.memory import image_bytes
from formatspec.testing.read_back import read_output, unexplained

SPEC = """
formatspec: 1
name: told
files:
  image: "{name}-{frame:d}.png"
  record:
    path: "{name}-{frame}.json"
    json:
      labels?: [{each: labels, class: category.name, "there?": state, "sure?": score, "note?": attributes.note}]
      captions?: [{each: captions, n: id, words: text}]
      things?:
        - each: objects by id
          id: id
          class: category.name
          "whole?": parent
          "group?": group
          "point?": keypoints
          "ring?": polygon | flat
          "box?": bbox | xywh
          "more?": attributes
"""


def told(folder: Path, document: dict[str, Any], to: str, **more: Any) -> tuple[Path, dict[str, int]]:
    """A dataset of one image with this document converted: where it stands, and the loss report."""
    spec = folder / "told.yaml"
    spec.write_text(SPEC)
    data = put(folder / "in", {"a-7.png": image_bytes(40, 30, "png"), "a-7.json": json.dumps(document)})
    return converted(data, to, spec=spec, **more)


def test_frames_scores_of_labels_and_ids_of_captions_are_named(tmp_path: Path) -> None:
    labels = [{"class": "cat", "sure": 0.5}, {"class": "dog", "note": "far"}, {"class": "cow", "there": "no"}]
    document = {"labels": labels, "captions": [{"n": 4, "words": "a cat"}]}
    out, lost = told(tmp_path, document, "datumaro")
    assert lost == {
        "frames": 1, "scores of labels": 1, "ids of captions": 1, "labels left out (stated as absent)": 1,
    }  # fmt: skip
    (item,) = fs.open(out, "datumaro")
    assert sorted(label.category.name for label in item.labels if label.category) == ["cat", "dog"]


def test_labels_of_what_is_not_there_are_written_where_a_target_says_so(tmp_path: Path) -> None:
    out, lost = told(tmp_path, {"labels": [{"class": "cat"}, {"class": "cow", "there": "no"}]}, "open_images")
    assert not any("left out" in what for what in lost)
    (item,) = fs.open(out, "open_images")
    assert sorted(label.state for label in item.labels) == ["no", "yes"]


def test_what_a_field_cannot_spell_is_named(tmp_path: Path) -> None:
    things = [
        {"id": 1, "class": "cat", "box": [1, 2, 9, 8], "group": "left"},
        {"id": 2, "class": "cat", "box": [11, 2, 9, 8], "group": 3},
    ]
    _, lost = told(tmp_path, {"things": things}, "datumaro")
    assert lost["groups"] == 1
    things[1]["more"] = {"corners": [1, 2], "colour": "red"}
    _, lost = told(tmp_path, {"things": things}, "voc")
    assert lost["attribute corners"] == 1 and "attribute colour" not in lost


def test_attributes_of_objects_whose_rows_tell_none_are_named(tmp_path: Path) -> None:
    things = [
        {"id": 1, "class": "man", "box": [1, 2, 9, 8], "more": {"colour": "red"}},
        {"id": 2, "class": "head", "whole": 1, "box": [2, 2, 3, 3], "more": {"colour": "blue"}},
    ]
    _, lost = told(tmp_path, {"things": things}, "voc")
    assert lost["attribute colour"] == 1  # a part has a row without attributes


def test_ids_that_a_shared_file_counts_anew_are_named(tmp_path: Path) -> None:
    _, lost = told(tmp_path, {"things": [{"id": 9, "class": "cat", "box": [1, 2, 9, 8]}]}, "coco")
    assert lost["object ids renumbered"] == 1


def test_pictures_number_the_objects_that_have_a_row(tmp_path: Path) -> None:
    """A point has no row in VOC, so that the objects behind it have smaller numbers in the picture, too."""
    things = [
        {"id": 1, "class": "cat", "point": [[3, 3, 2]]},
        {"id": 2, "class": "cat", "box": [20, 2, 9, 8]},
        {"id": 3, "class": "dog", "ring": [10, 10, 16, 10, 16, 16, 10, 16]},
    ]
    out, lost = told(tmp_path, {"things": things}, "voc")
    assert lost["objects not written (points, which bound no area)"] == 1
    (item,) = fs.open(out, "voc")
    cat, dog = item.objects
    assert cat.region is None and dog.region is not None and dog.bbox == (10, 10, 6, 6)


def test_reading_back_finds_a_slot_that_is_wrongly_taken_for_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slots are counted by what rows are said to hold; only the output shows whether they do."""
    monkeypatch.setitem(held_slots.IMPLIED, "bbox", held_slots.BITS["track"])
    things = [{"id": 1, "class": "cat", "box": [1, 2, 9, 8]}]
    spec = tmp_path / "tracked.yaml"
    spec.write_text(SPEC.replace('"group?": group', '"track?": track'))
    data = put(
        tmp_path / "in",
        {"a-7.png": image_bytes(40, 30, "png"), "a-7.json": json.dumps({"things": [{**things[0], "track": 5}]})},
    )
    with recorded() as (handed, options):
        result = fs.convert(data, spec=spec, to="voc", out=tmp_path / "out", workers=1, where="true")
    lines = {(line["what"], line["unit"]): line["count"] for line in result.loss_report}
    (found,) = unexplained(handed, fs.open(tmp_path / "out", "voc", options=options), lines)
    assert found.startswith("objects.track: 1 differ, the report names 0")


def test_categories_that_no_object_has_are_named_where_the_target_lists_none(tmp_path: Path) -> None:
    data = coco(tmp_path / "in", [outlined(1, 2, 3, 4)], ("cat", "dog", "cow"))
    assert converted(data, "labelme")[1]["categories without objects"] == 2
    assert "categories without objects" not in converted(data, "voc")[1]
    assert "categories without objects" not in converted(data, "yolo_ultralytics")[1]


def test_attributes_of_items_that_a_target_tells_in_rows_that_it_only_keeps_are_named(tmp_path: Path) -> None:
    data = coco(tmp_path / "in", [outlined(1, 1, 5, 5)])
    (file,) = data.glob("annotations/*.json")
    document = json.loads(file.read_text())
    document["images"][0]["attributes"] = {"night": True}
    file.write_text(json.dumps(document))
    _, lost = converted(data, "label_studio")
    assert lost["attributes of items"] == 1


def test_an_attribute_that_only_rows_of_others_have_a_place_for_is_named(tmp_path: Path) -> None:
    rows = [{**outlined(1, 1, 5, 5), "attributes": {"z": 1.5, "visibility": 0.5}}]
    _, lost = converted(coco(tmp_path / "in", rows), "mot_seq")
    assert lost["attribute z"] == 1 and "attribute visibility" not in lost


def test_ids_of_captions_that_a_shared_file_counts_anew_are_named(tmp_path: Path) -> None:
    """Ids that hold within one image's document may stand twice in the file of all images."""
    captions = [{"n": 1, "words": "a cat"}, {"n": 2, "words": "a dog"}, {"n": 1, "words": "a cow"}]
    out, lost = told(tmp_path, {"captions": captions}, "coco")
    assert lost["ids of captions renumbered"] == 3
    (item,) = fs.open(out, "coco")
    assert [(one.id, one.text) for one in item.captions] == [(1, "a cat"), (2, "a dog"), (3, "a cow")]


BLOCKS = """
formatspec: 1
name: blocks
files:
  image: "{name}.png"
  words:
    path: "{name}.txt"
    lines: {each: objects, blocks: group, lines: "{category.name:token} {bbox | xywh}"}
"""


@pytest.mark.parametrize(
    ("groups", "anew"),
    [([1, 1, 2, 2], 0), ([7, 7], 2), ([1], 1), ([1, 1, 3, 3], 2), ([1, 1, None, 3, 3], 0), ([1, 2, 1], 3), ([None], 0)],
)
def test_groups_that_blocks_of_lines_number_anew_are_named(tmp_path: Path, groups: list[Any], anew: int) -> None:
    """A block has the number of its place, and a row alone in its block is read without one."""
    target = tmp_path / "blocks.yaml"
    target.write_text(BLOCKS)
    things = [
        {"id": place, "class": "cat", "group": group, "box": [1 + place, 2, 9, 8]} for place, group in enumerate(groups)
    ]
    things = [{key: part for key, part in one.items() if part is not None} for one in things]
    out, lost = told(tmp_path, {"things": things}, str(target))
    assert lost.get("groups that blocks of lines number anew", 0) == anew
    (item,) = fs.open(out, str(target))
    assert sum(had is not None and had != one.group for had, one in zip(groups, item.objects, strict=True)) == anew


SHARED_BLOCKS = BLOCKS.replace("{name}.txt", "words.txt").replace('"{category', '"{name} {category')


@pytest.mark.parametrize("where", [None, "true"])
@pytest.mark.parametrize(
    ("second", "anew"),
    [
        ("cat 1 1 5 5\ncat 2 2 5 5\n", 0),
        ("cat 1 1 5 5\ncat 2 2 5 5\n\ncow 1 1 3 3\ncow 2 1 3 3\n", 4),
        ("cat 1 1 5 5\n", 0),
    ],
)
def test_groups_of_several_images_that_come_into_one_file_of_blocks_are_named(
    tmp_path: Path, second: str, anew: int, where: str | None
) -> None:
    """Each image counted its blocks from 1; the rows of one block of it may follow those of the image before."""
    own, shared = tmp_path / "blocks.yaml", tmp_path / "shared.yaml"
    own.write_text(BLOCKS)
    shared.write_text(SHARED_BLOCKS.replace("name: blocks", "name: shared"))
    first = "cat 1 1 5 5\ncat 2 2 5 5\n" + ("\ncow 1 1 3 3\ncow 2 1 3 3\n" if anew else "")
    image = image_bytes(40, 30, "png")
    data = put(tmp_path / "in", {"a.png": image, "a.txt": first, "b.png": image, "b.txt": second})
    with recorded() as (handed, options):
        result = fs.convert(data, spec=own, to=shared, out=tmp_path / "out", workers=1, where=where)
    lost = counted(result)
    assert lost.get("groups that blocks of lines number anew", 0) == anew
    back = read_output(tmp_path / "out", shared, options)
    lines = {(line["what"], line["unit"]): line["count"] for line in result.loss_report}
    assert not unexplained(handed, back.items, lines, back.aside)


APART = """
formatspec: 1
name: apart
files:
  image: "{name}.png"
  record:
    path: "{name}.json"
    json:
      rows:
        - one of:
            - {each: objects, kind: = 'choice', "size?": image.width, "from, value": "attributes | entry(choices, x)"}
            - {each: objects, kind: = 'box', box: bbox | xywh, class: category.name}
            - {each: labels, kind: = 'choice', from: keep else 'label', value: {choices: [category.name]}}
"""


def test_categories_that_labels_alone_name_are_listed(tmp_path: Path) -> None:
    """A row of an object and a row of a label may differ in nothing but what a leaf of attributes refuses."""
    spec = tmp_path / "apart.yaml"
    spec.write_text(APART)
    rows = [
        {"kind": "box", "box": [1, 2, 9, 8], "class": "cat"},
        {"kind": "choice", "from": "label", "value": {"choices": ["night"]}},
    ]
    data = put(tmp_path / "in", {"a.png": image_bytes(40, 30, "png"), "a.json": json.dumps({"rows": rows})})
    assert fs.open(data, spec).classes == ("cat", "night")
    out, _ = converted(data, "cvat_images", spec=spec)
    (item,) = (found := fs.open(out, "cvat_images"))
    assert not found.findings and [one.category.name for one in item.labels if one.category] == ["night"]


def test_objects_that_are_made_of_areas_have_numbers_that_no_other_object_has(tmp_path: Path) -> None:
    """An area has no number: in a file of all objects it would take one that another object has."""
    data = coco(tmp_path / "in", [outlined(1, 2, 3, 4), outlined(10, 2, 3, 4)])
    area = {"size": [30, 40], "counts": [1000, 100, 100]}
    document = json.loads((data / "annotations/instances_train.json").read_text())
    document["images"] += [{**document["images"][0], "id": 2, "file_name": "b.png"}]
    (data / "images/train/b.png").write_bytes(image_bytes(40, 30, "png"))
    stuff = [
        {"id": image, "image_id": image, "category_id": 2, "segmentation": area, "area": 100, "bbox": [33, 0, 4, 30]}
        for image in (1, 2)
    ]
    (data / "annotations/instances_train.json").write_text(json.dumps(document))
    (data / "annotations/stuff_train.json").write_text(json.dumps({**document, "annotations": stuff}))
    out, lost = converted(data, "lvis")
    found = fs.open(out, "lvis")
    assert [len(item.objects) for item in found] == [3, 1] and not found.findings
    assert lost["object ids renumbered"] == 2


MASKS = """
formatspec: 1
name: masks
files:
  image: "{name}.png"
  boxes: {path: "{name}.json", json: {boxes: [{each: objects, class: category.name, box: bbox | xywh}]}}
  mask: {path: "{name}-{object.id:d}.png", need: optional, image: gray, pixels: {L: 'slot | map(0=null, 255=region)'}}
"""


def test_ids_that_were_made_are_not_lost(tmp_path: Path) -> None:
    """Only the masks' names would tell the id: a source without ids loses none, and one with ids does."""
    target = tmp_path / "masks.yaml"
    target.write_text(MASKS)
    stated = [{"id": 5, "class": "cat", "box": [1, 2, 9, 8]}]
    assert told(tmp_path, {"things": stated}, str(target))[1]["object ids"] == 1
    data = put(
        tmp_path / "yolo",
        {
            "images/train/a.png": image_bytes(40, 30, "png"),
            "labels/train/a.txt": "0 0.5 0.5 0.2 0.2\n",
            "data.yaml": "path: .\ntrain: images/train\nval: images/train\nnames: [cat]\n",
        },
    )
    _, lost = converted(data, str(target), spec="yolo_ultralytics")
    assert "object ids" not in lost


def test_the_objects_of_an_item_that_is_left_out_are_counted(tmp_path: Path) -> None:
    files = {f"images/{subset}/a.png": None for subset in ("train", "val")}
    rows = [{"bbox": [1, 2, 3, 4], "area": 12}, {"bbox": [2, 3, 4, 5], "area": 20}]
    for subset in ("train", "val"):
        files[f"annotations/instances_{subset}.json"] = coco_document([("a.png", 20, 10)], rows)
    result = fs.convert(
        put(tmp_path / "in", files), spec="coco", to="voc", out=tmp_path / "out", on=["ITEM_COLLISION=drop-item"]
    )
    assert (result.items, result.skipped, result.skipped_objects) == (1, 1, 2)


def test_attributes_of_a_tag_are_held_by_a_table_of_attributes(tmp_path: Path) -> None:
    label = {"id": 0, "type": "label", "label_id": 0, "attributes": {"source": "verification"}}
    document = {
        "categories": {"label": {"labels": [{"name": "cat"}]}},
        "items": [{"id": "a", "annotations": [label], "image": {"path": "a.png", "size": [10, 20]}}],
    }
    data = put(tmp_path / "in", {"annotations/train.json": document, "images/train/a.png": None})
    out, lost = converted(data, "cvat_images", spec="datumaro")
    assert "attributes of labels" not in lost
    (read,) = next(iter(fs.open(out, "cvat_images"))).labels
    assert read.attributes == {"source": "verification"}


def test_what_further_rows_of_an_object_say_is_named(tmp_path: Path) -> None:
    ring = {"label": "cat", "group_id": 1, "shape_type": "polygon", "points": [[1, 1], [5, 1], [5, 5]], "flags": {}}
    shapes = [{**ring, "description": "left"}, {**ring, "points": [[7, 1], [9, 1], [9, 5]], "description": "right"}]
    document = {
        "version": "5.0.1",
        "imagePath": "a.png",
        "imageData": None,
        "imageHeight": 10,
        "imageWidth": 20,
        "flags": {},
    }
    data = put(tmp_path / "in", {"a.json": {**document, "shapes": shapes}, "a.png": None})
    assert converted(data, "coco", spec="labelme")[1]["what further rows of an object say otherwise"] == 1
    with pytest.raises(RefusedError):
        fs.convert(data, spec="labelme", to="coco", out=tmp_path / "out", lossless=True, allow_loss=["groups"])
