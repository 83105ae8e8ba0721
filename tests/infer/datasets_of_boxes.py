"""Small datasets in formats of habit, each with what it says: the class and the shape of every object."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import imageio.v3 as iio
import numpy as np
from files_on_disk import put

CLASSES = ("car", "person", "traffic light")
Box = tuple[float, float, float, float]


class Thing(NamedTuple):
    """An object: the place of its class, and its box as left, top, width and height in pixels."""

    kind: int
    box: Box

    @property
    def name(self) -> str:
        return CLASSES[self.kind]

    @property
    def sides(self) -> list[float]:
        x, y, w, h = self.box
        return [x, y, x + w, y + h]


Scene = dict[str, tuple[int, int, list[Thing]]]
"""Images by name: width, height and objects."""


def scene(names: tuple[str, ...] = ("a1", "b2", "c3", "d4", "e5"), seed: int = 3) -> Scene:
    """Some images, each with one to four objects whose boxes lie anywhere in them."""
    rng = random.Random(seed)
    found: Scene = {}
    for name in names:
        width, height = rng.randint(60, 90), rng.randint(40, 58)
        things = []
        for _ in range(rng.randint(1, 4)):
            w, h = rng.randint(6, width // 2), rng.randint(6, height // 2)
            things.append(Thing(rng.randrange(3), (rng.randint(0, width - w), rng.randint(0, height - h), w, h)))
        found[name] = (width, height, things)
    first = next(iter(found))
    found[first][2].extend(Thing(kind, (kind, kind, 9, 8)) for kind in range(3))  # every class is there
    return found


def paint(folder: Path, made: Scene, where: str = "images/{}.png") -> None:
    """Write the images, each of many colours."""
    for place, (name, (width, height, _)) in enumerate(made.items()):
        file = folder / where.format(name)
        file.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(place).integers(0, 255, (height, width, 3), np.uint8)
        iio.imwrite(file, noise)


def json_per_image(folder: Path, made: Scene) -> None:
    paint(folder, made)
    for name, (width, height, things) in made.items():
        rows = [{"cls": one.name, "box": one.sides, "hard": False} for one in things]
        put(folder, {f"labels/{name}.json": json.dumps({"w": width, "h": height, "objects": rows})})


def json_of_corners(folder: Path, made: Scene) -> None:
    paint(folder, made, "frames/day1/{}.png")
    for name, (_, _, things) in made.items():
        rows = [{"label": one.name, "tl": one.sides[:2], "br": one.sides[2:]} for one in things]
        put(folder, {f"ann/day1/{name}.json": json.dumps(rows)})


def json_of_all(folder: Path, made: Scene) -> None:
    paint(folder, made)
    ids = {name: 40 + place for place, name in enumerate(made)}
    images = [
        {"id": ids[name], "file_name": f"{name}.png", "width": width, "height": height}
        for name, (width, height, _) in made.items()
    ]
    rows = [
        {"id": number, "image_id": ids[name], "category_id": 10 * (one.kind + 1), "bbox": list(one.box)}
        for number, (name, one) in enumerate((name, one) for name, (_, _, things) in made.items() for one in things)
    ]
    classes = [{"id": 10 * (place + 1), "name": name} for place, name in enumerate(CLASSES)]
    put(folder, {"all.json": json.dumps({"images": images, "annotations": rows, "categories": classes})})


def json_by_file(folder: Path, made: Scene) -> None:
    paint(folder, made)
    rows = {
        f"{name}.png": [{"class": one.name, **dict(zip("xywh", one.box, strict=True))} for one in things]
        for name, (_, _, things) in made.items()
    }
    put(folder, {"labels.json": json.dumps(rows)})


def bare_rows(folder: Path, made: Scene) -> None:
    paint(folder, made)
    rows = [
        {"file": f"{name}.png", "boxes": [[*one.sides, one.name] for one in things]}
        for name, (_, _, things) in made.items()
    ]
    put(folder, {"labels.json": json.dumps(rows)})


def boxes_by_class(folder: Path, made: Scene) -> None:
    paint(folder, made)
    for name, (_, _, things) in made.items():
        rows: dict[str, list[Box]] = {}
        for one in things:
            rows.setdefault(one.name, []).append(one.box)
        put(folder, {f"labels/{name}.json": json.dumps({"objects": rows})})


def json_lines(folder: Path, made: Scene) -> None:
    paint(folder, made)
    for subset, names in (("train", list(made)[:3]), ("val", list(made)[3:])):
        rows = []
        for name in names:
            width, height, things = made[name]
            boxes = [
                {"box": [(x + w / 2) / width, (y + h / 2) / height, w / width, h / height], "category": CLASSES[kind]}
                for kind, (x, y, w, h) in things
            ]
            rows.append(json.dumps({"image": f"images/{name}.png", "objects": boxes}))
        put(folder, {f"{subset}.jsonl": "\n".join(rows) + "\n"})


def table(folder: Path, made: Scene) -> None:
    paint(folder, made)
    rows = [
        ",".join(map(str, (f"{name}.png", one.name, *one.sides)))
        for name, (_, _, things) in made.items()
        for one in things
    ]
    put(folder, {"boxes.csv": "file,label,xmin,ymin,xmax,ymax\n" + "\n".join(rows) + "\n"})


def bare_table(folder: Path, made: Scene) -> None:
    paint(folder, made)
    rows = [
        ",".join(map(str, (f"images/{name}.png", *one.box, one.name)))
        for name, (_, _, things) in made.items()
        for one in things
    ]
    put(folder, {"boxes.csv": "\n".join(rows) + "\n"})


def semicolons(folder: Path, made: Scene) -> None:
    paint(folder, made)
    rows = [
        ";".join((f"{name}.png", one.name, *(str(float(value)).replace(".", ",") for value in one.box)))
        for name, (_, _, things) in made.items()
        for one in things
    ]
    put(folder, {"boxes.csv": "file;class;left;top;width;height\n" + "\n".join(rows) + "\n"})


def xml_per_image(folder: Path, made: Scene) -> None:
    paint(folder, made)
    for name, (width, height, things) in made.items():
        rows = "".join(
            f"<object><name>{one.name}</name><box><x1>{one.sides[0]}</x1><y1>{one.sides[1]}</y1>"
            f"<x2>{one.sides[2]}</x2><y2>{one.sides[3]}</y2></box></object>"
            for one in things
        )
        size = f"<size><width>{width}</width><height>{height}</height></size>"
        put(folder, {f"xml/{name}.xml": f"<annotation><file>{name}.png</file>{size}{rows}</annotation>"})


def xml_attributes(folder: Path, made: Scene) -> None:
    paint(folder, made)
    rows = [
        f'<image file="{name}.png">'
        + "".join(
            '<box label="{}" left="{}" top="{}" width="{}" height="{}"/>'.format(one.name, *one.box) for one in things
        )
        + "</image>"
        for name, (_, _, things) in made.items()
    ]
    put(folder, {"all.xml": f"<dataset>{''.join(rows)}</dataset>"})


def share_lines(folder: Path, made: Scene) -> None:
    paint(folder, made, "images/train/{}.png")
    put(folder, {"classes.txt": "\n".join(CLASSES) + "\n"})
    for name, (width, height, things) in made.items():
        rows = [
            f"{kind} {(x + w / 2) / width} {(y + h / 2) / height} {w / width} {h / height}"
            for kind, (x, y, w, h) in things
        ]
        put(folder, {f"labels/train/{name}.txt": "\n".join(rows) + "\n"})


def numbered_lines(folder: Path, made: Scene) -> None:
    share_lines(folder, made)
    (folder / "classes.txt").unlink()
    names = "\n".join(f"  {place}: {name}" for place, name in enumerate(CLASSES))
    put(folder, {"data.yaml": f"train: images/train\nnames:\n{names}\n"})


def pixel_lines(folder: Path, made: Scene) -> None:
    paint(folder, made)
    for name, (_, _, things) in made.items():
        rows = [f"{one.name.replace(' ', '_')} 0 {' '.join(map(str, one.sides))} 0.5" for one in things]
        put(folder, {f"truth/{name}.txt": "\n".join(rows) + "\n"})


def yaml_per_image(folder: Path, made: Scene) -> None:
    paint(folder, made)
    for name, (_, _, things) in made.items():
        rows = "".join(f"- label: {one.name}\n  bbox: {list(one.box)}\n" for one in things)
        put(folder, {f"notes/{name}.yaml": f"objects:\n{rows}"})


def sequences(folder: Path, made: Scene) -> None:
    for video in ("cam1", "cam2"):
        paint(folder, {f"{place:05d}": one for place, one in enumerate(made.values(), 1)}, video + "/img/{}.png")
        rows = [
            f"{place},{number},{','.join(map(str, one.box))},{one.name}"
            for place, (_, _, things) in enumerate(made.values(), 1)
            for number, one in enumerate(things)
        ]
        put(folder, {f"{video}/truth.txt": "\n".join(rows) + "\n"})


BOXES: dict[str, Callable[[Path, Scene], None]] = {
    one.__name__: one
    for one in (
        json_per_image, json_of_corners, json_of_all, json_by_file, bare_rows, boxes_by_class, json_lines, table,
        bare_table, semicolons, xml_per_image, xml_attributes, share_lines, numbered_lines, pixel_lines, yaml_per_image,
        sequences,
    )
}  # fmt: skip
"""Datasets of boxes: each writes a scene to a folder."""


def corners_of(one: Thing) -> list[list[float]]:
    """An outline of five points in an object's box."""
    x, y, w, h = one.box
    return [[x, y], [x + w, y], [x + w, y + h], [x + w / 2, y + h], [x, y + h / 2]]


def outlines_as_points(folder: Path, made: Scene) -> None:
    paint(folder, made)
    for name, (_, _, things) in made.items():
        rows = [{"label": one.name, "points": corners_of(one)} for one in things]
        put(folder, {f"polys/{name}.json": json.dumps({"shapes": rows})})


def outlines_as_shares(folder: Path, made: Scene) -> None:
    paint(folder, made)
    for name, (width, height, things) in made.items():
        rows: dict[str, list[list[list[float]]]] = {}
        for one in things:
            rows.setdefault(one.name, []).append([[x / width, y / height] for x, y in corners_of(one)])
        put(folder, {f"polys/{name}.json": json.dumps({"annotations": rows})})


def outlines_as_text(folder: Path, made: Scene) -> None:
    paint(folder, made)
    codes = "".join(f'<class code="{10 * place + 5}">{name}</class>' for place, name in enumerate(CLASSES))
    put(folder, {"classes.xml": f"<classes>{codes}</classes>"})
    for name, (_, _, things) in made.items():
        rows = "".join(
            f'<object code="{10 * one.kind + 5}" points="{";".join(f"{x},{y}" for x, y in corners_of(one))}"/>'
            for one in things
        )
        put(folder, {f"ann/{name}.xml": f'<image name="{name}.png">{rows}</image>'})


def outlines_by_kind(folder: Path, made: Scene) -> None:
    paint(folder, made)
    for name, (_, _, things) in made.items():
        rows = [
            {"label": one.name, "shape_type": "polygon", "points": corners_of(one)}
            if place % 2
            else {"label": one.name, "shape_type": "rectangle", "points": [one.sides[:2], one.sides[2:]]}
            for place, one in enumerate(things)
        ]
        put(folder, {f"{name}.json": json.dumps({"shapes": rows})})


def outlines_in_lines(folder: Path, made: Scene) -> None:
    paint(folder, made)
    put(folder, {"names.txt": "\n".join(CLASSES) + "\n"})
    for name, (width, height, things) in made.items():
        rows = [
            f"{one.kind} " + " ".join(f"{x / width} {y / height}" for x, y in corners_of(one)[: 4 + place % 2])
            for place, one in enumerate(things)
        ]
        put(folder, {f"labels/{name}.txt": "\n".join(rows) + "\n"})


OUTLINES: dict[str, Callable[[Path, Scene], None]] = {
    one.__name__: one
    for one in (outlines_as_points, outlines_as_shares, outlines_as_text, outlines_by_kind, outlines_in_lines)
}
"""Datasets of outlines."""


def mask_of(made: Scene, name: str, value: Callable[[int, Thing], int]) -> np.ndarray:
    """The objects of an image painted over one another, each with a value."""
    width, height, things = made[name]
    pixels = np.zeros((height, width), np.uint16)
    for place, one in enumerate(things):
        x, y, w, h = map(int, one.box)
        pixels[y : y + h, x : x + w] = value(place, one)
    return pixels
