"""Drafts for outlines, masks, folders of classes and keypoints in formats of habit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np
import pytest
from datasets_of_boxes import CLASSES, OUTLINES, corners_of, mask_of, paint, scene
from files_on_disk import put

import formatspec as fs
from formatspec.infer.infer import Inferred, NothingToInferError, infer
from formatspec.paths.trees.open_tree import open_tree


def drafted_for(folder: Path) -> tuple[Inferred, fs.Dataset]:
    """A draft for a folder, and the folder opened with it."""
    found = infer(open_tree(str(folder)), "drafted")
    spec = folder.parent / "drafted.yaml"
    spec.write_text(found.text, "utf-8")
    return found, fs.open(folder, spec)


@pytest.mark.parametrize("kind", sorted(OUTLINES))
def test_every_outline_is_read_as_it_was_meant(kind: str, tmp_path: Path) -> None:
    made = scene()
    OUTLINES[kind](tmp_path / "data", made)
    found, dataset = drafted_for(tmp_path / "data")
    assert found.questions == () and found.claimed == found.evidence, found.text
    told = {
        (item.key, (thing.category.name if thing.category else ""), thing.bbox)
        if not thing.polygons
        else (item.key, thing.category.name if thing.category else "", len(thing.polygons[0]) // 2)
        for item in dataset
        for thing in item.objects
    }
    meant = set()
    for name, (_, _, things) in made.items():
        for place, one in enumerate(things):
            if kind == "outlines_by_kind" and place % 2 == 0:
                meant.add((name, one.name, tuple(map(float, one.box))))
            else:
                points = corners_of(one)[: 4 + place % 2] if kind == "outlines_in_lines" else corners_of(one)
                meant.add((name, one.name, len(points)))
    assert told == meant, found.text


def test_an_index_mask_with_a_list_of_classes(tmp_path: Path) -> None:
    made = scene()
    paint(tmp_path / "data", made)
    put(tmp_path / "data", {"classes.txt": "\n".join(CLASSES) + "\n"})
    for name in made:
        file = tmp_path / "data" / "masks" / f"{name}.png"
        file.parent.mkdir(exist_ok=True)
        iio.imwrite(file, mask_of(made, name, lambda _, one: one.kind + 1).astype(np.uint8))
    found, dataset = drafted_for(tmp_path / "data")
    assert found.questions == ()
    areas = {(item.key, area.category.name) for item in dataset for area in item.areas if area.category}
    assert {name for _, name in areas} == set(CLASSES), found.text
    assert len(areas) >= len(made)


def test_a_colour_mask_with_a_legend(tmp_path: Path) -> None:
    made = scene()
    paint(tmp_path / "data", made)
    colors = [(200, 10, 10), (10, 200, 10), (10, 10, 200)]
    legend = {name: "#{:02x}{:02x}{:02x}".format(*color) for name, color in zip(CLASSES, colors, strict=True)}
    put(tmp_path / "data", {"palette.json": json.dumps(legend)})
    for name in made:
        indices = mask_of(made, name, lambda _, one: one.kind + 1)
        file = tmp_path / "data" / "sem" / f"{name}.png"
        file.parent.mkdir(exist_ok=True)
        iio.imwrite(file, np.array([(0, 0, 0), *colors], np.uint8)[indices])
    found, dataset = drafted_for(tmp_path / "data")
    assert found.questions == ()
    assert {area.category.name for item in dataset for area in item.areas if area.category} == set(CLASSES), found.text


def test_instances_in_sixteen_bits(tmp_path: Path) -> None:
    made = scene()
    paint(tmp_path / "data", made)
    put(tmp_path / "data", {"classes.json": json.dumps(dict(zip(CLASSES, (1, 2, 3), strict=True)))})
    for name in made:
        file = tmp_path / "data" / "inst" / f"{name}.png"
        file.parent.mkdir(exist_ok=True)
        iio.imwrite(file, mask_of(made, name, lambda place, one: 1000 * (one.kind + 1) + place))
    found, dataset = drafted_for(tmp_path / "data")
    first = next(item for item in dataset if item.key == next(iter(made)))
    values = np.unique(mask_of(made, first.key, lambda place, one: 1000 * (one.kind + 1) + place))
    assert len(first.objects) == np.count_nonzero(values), found.text
    assert {thing.category.name for item in dataset for thing in item.objects if thing.category} == set(CLASSES)


def test_folders_of_classes_with_masks_beside(tmp_path: Path) -> None:
    made = scene()
    for name in ("bottle", "cable"):
        paint(tmp_path / "data", made, f"{name}/{{}}.png")
        for key in made:
            mask = (mask_of(made, key, lambda _, one: 1) * 255).astype(np.uint8)
            iio.imwrite(tmp_path / "data" / name / f"{key}_mask.png", mask)
    found, dataset = drafted_for(tmp_path / "data")
    told = {(item.key, thing.category.name) for item in dataset for thing in item.objects if thing.category}
    assert len(told) == 2 * len(made) and {name for _, name in told} == {"bottle", "cable"}, found.text


def test_keypoints_decide_which_box_it_is(tmp_path: Path) -> None:
    data = tmp_path / "data"
    made = scene(("a", "b", "c"))
    paint(data, made)
    rows = []
    for name, (_, _, things) in made.items():
        boxes = [
            {
                "bbox": [x + w / 2, y + h / 2, w, h],
                "kpts": [[x + 1, y + 1, 2], [x + w - 1, y + h - 1, 1]],
                "label": "cat",
            }
            for _, (x, y, w, h) in things
        ]
        rows.append(json.dumps({"img": f"{name}.png", "objs": boxes}))
    put(data, {"all.jsonl": "\n".join(rows) + "\n"})
    found, _ = drafted_for(data)
    assert "bbox: bbox | cxcywh" in found.text and found.questions == ()


def test_numbers_without_names_are_a_question(tmp_path: Path) -> None:
    made = scene()
    OUTLINES["outlines_in_lines"](tmp_path / "data", made)
    (tmp_path / "data" / "names.txt").unlink()
    found, _ = drafted_for(tmp_path / "data")
    assert any("nothing lists the names" in question for question in found.questions)
    assert "# QUESTION: nothing lists the names" in found.text


def test_what_is_not_understood_is_named_and_never_claimed(tmp_path: Path) -> None:
    made = scene()
    OUTLINES["outlines_as_points"](tmp_path / "data", made)
    put(tmp_path / "data", {"extra.json": json.dumps({"weather": ["dry", "wet"]})})
    found, _ = drafted_for(tmp_path / "data")
    assert found.left == ("extra.json",) and "#   extra.json" in found.text
    assert found.claimed == found.evidence - 1


def test_a_folder_without_images_is_refused(tmp_path: Path) -> None:
    put(tmp_path / "data", {"a.json": "{}"})
    with pytest.raises(NothingToInferError, match="holds no images"):
        infer(open_tree(str(tmp_path / "data")), "drafted")


def test_a_table_of_classes_of_images(tmp_path: Path) -> None:
    made = scene()
    paint(tmp_path / "data", made)
    rows = [f"{name}.png,{CLASSES[place % 3]}" for place, name in enumerate(made)]
    put(tmp_path / "data", {"labels.csv": "\n".join(["filename,label", *rows]) + "\n"})
    found, dataset = drafted_for(tmp_path / "data")
    told = {item.key: item.labels[0].category.name for item in dataset if item.labels[0].category}
    assert told == {name: CLASSES[place % 3] for place, name in enumerate(made)}, found.text


def test_numbers_of_objects_beside_a_mask_of_classes(tmp_path: Path) -> None:
    made = scene()
    paint(tmp_path / "data", made)
    put(tmp_path / "data", {"classes.txt": "\n".join(CLASSES) + "\n"})
    for name in made:
        for folder, mask in (
            ("classes", mask_of(made, name, lambda _, one: one.kind + 1)),
            ("instances", mask_of(made, name, lambda place, _: place + 1)),
        ):
            values = np.unique(mask)
            counted = np.searchsorted(values, mask) if folder == "instances" else mask
            file = tmp_path / "data" / folder / f"{name}.png"
            file.parent.mkdir(exist_ok=True)
            iio.imwrite(file, counted.astype(np.uint8))
    found, dataset = drafted_for(tmp_path / "data")
    assert "index | from(1)" in found.text and found.questions == ()
    for item in dataset:
        seen = np.unique(mask_of(made, item.key, lambda place, _: place + 1))
        assert len(item.objects) == np.count_nonzero(seen), found.text
        assert all(thing.category is not None for thing in item.objects)


def test_one_document_alone_is_no_mapping_of_rows(tmp_path: Path) -> None:
    data = tmp_path / "data"
    made = scene(("street",))
    paint(data, made, "{}.jpg")
    rows = "".join(
        f"<object><name>{one.name}</name><bndbox><xmin>{one.sides[0]}</xmin><ymin>{one.sides[1]}</ymin>"
        f"<xmax>{one.sides[2]}</xmax><ymax>{one.sides[3]}</ymax></bndbox></object>"
        for one in made["street"][2]
    )
    put(data, {"street.xml": f"<annotation><filename>street.jpg</filename>{rows}</annotation>"})
    found, dataset = drafted_for(data)
    assert sum(len(item.objects) for item in dataset) == len(made["street"][2]), found.text


def test_whole_numbers_as_keys_of_yaml_are_no_trouble(tmp_path: Path) -> None:
    data = tmp_path / "data"
    OUTLINES["outlines_in_lines"](data, scene())
    put(data, {"more.yaml": "kpt_names:\n  0: [nose, eye]\n  1: [ear]\nskeleton: {0: 1}\n"})
    found, _ = drafted_for(data)
    assert found.records > 0 and "more.yaml" in found.left


@pytest.mark.parametrize("shared", [False, True], ids=["a document each", "one document"])
@pytest.mark.parametrize("form", ["classes and ids", "ids", "long ids", "bare boxes"])
def test_objects_under_their_ids_be_it_under_their_classes(form: str, shared: bool, tmp_path: Path) -> None:
    made = scene()
    paint(tmp_path / "data", made)
    number = 1000
    whole: dict[str, Any] = {}
    for name, (_, _, things) in made.items():
        rows: dict[str, dict[str, Any]] = {}
        for one in things:
            number += 7
            key = f"{number:08x}-{number * 977:012x}" if form == "long ids" else str(number)
            box: Any = list(one.box)
            row = box if form == "bare boxes" else {"box": box, "hard": number % 2 == 0}
            under = rows.setdefault(one.name, {}) if form in ("classes and ids", "bare boxes") else rows
            under[key] = {**row, "label": one.name} if form in ("ids", "long ids") else row
        if shared:
            whole[f"{name}.png"] = rows
        else:
            own = rows if form == "bare boxes" else {"objects": rows}
            put(tmp_path / "data", {f"labels/{name}.json": json.dumps(own)})
    if shared:
        put(tmp_path / "data", {"all.json": json.dumps(whole)})
    found, dataset = drafted_for(tmp_path / "data")
    assert found.questions == () and found.claimed == found.evidence, found.text
    told = {(item.key, thing.category.name, thing.bbox) for item in dataset for thing in item.objects if thing.category}
    meant = {(name, one.name, tuple(one.box)) for name, (_, _, things) in made.items() for one in things}
    assert told == meant, found.text


def test_parts_of_a_document_are_no_classes(tmp_path: Path) -> None:
    made = scene()
    paint(tmp_path / "data", made)
    for name, (width, height, things) in made.items():
        info = {"size": {"w": width, "h": height}, "camera": {"name": "x", "iso": 100}}
        rows = [{"label": one.name, "box": list(one.box)} for one in things]
        put(tmp_path / "data", {f"labels/{name}.json": json.dumps({"info": info, "objects": rows})})
    found, dataset = drafted_for(tmp_path / "data")
    assert "{category.name}" not in found.text
    assert {thing.category.name for item in dataset for thing in item.objects if thing.category} == set(CLASSES)


@pytest.mark.parametrize("mark", [",", ", ", ";"])
def test_a_column_for_each_class(mark: str, tmp_path: Path) -> None:
    made = scene()
    paint(tmp_path / "data", made)
    kinds = {name: {one.name for one in things} for name, (_, _, things) in made.items()}
    lines = [["file", *CLASSES]]
    lines += [[f"{name}.png", *("01"[one in own] for one in CLASSES)] for name, own in kinds.items()]
    put(tmp_path / "data", {"classes.csv": "".join(f"{mark.join(line)}\n" for line in lines)})
    found, dataset = drafted_for(tmp_path / "data")
    assert found.questions == () and found.claimed == found.evidence, found.text
    told = {
        item.key: {label.category.name for label in item.labels if label.state == "yes" and label.category}
        for item in dataset
    }
    assert told == kinds
    assert all(len(item.labels) == len(CLASSES) for item in dataset)
