"""Further formats of boxes for `datasets_of_boxes`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from datasets_of_boxes import CLASSES, Scene, paint
from files_on_disk import put


def ids_of_other_names(folder: Path, made: Scene) -> None:
    paint(folder, made)
    ids = {name: 100 + place for place, name in enumerate(made)}
    marks = [
        {"mid": number, "pic": ids[name], "kind": one.kind + 1, "rect": list(one.box)}
        for number, (name, one) in enumerate((name, one) for name, (_, _, things) in made.items() for one in things)
    ]
    pictures = [{"pid": ids[name], "path": f"images/{name}.png"} for name in made]
    kinds = [{"kid": place + 1, "title": name} for place, name in enumerate(CLASSES)]
    put(folder, {"db.json": json.dumps({"pics": pictures, "marks": marks, "kinds": kinds})})


def tabs(folder: Path, made: Scene) -> None:
    paint(folder, made)
    rows = [
        "\t".join(map(str, (f"images/{name}.png", one.name, *one.box)))
        for name, (_, _, things) in made.items()
        for one in things
    ]
    put(folder, {"boxes.tsv": "path\tclass\tx\ty\tw\th\n" + "\n".join(rows) + "\n"})


def percentages(folder: Path, made: Scene) -> None:
    paint(folder, made)
    for name, (width, height, things) in made.items():
        rows = [
            {"x": x / width * 100, "y": y / height * 100, "width": w / width * 100, "height": h / height * 100,
             "label": CLASSES[kind]}
            for kind, (x, y, w, h) in things
        ]  # fmt: skip
        put(folder, {f"regions/{name}.json": json.dumps({"regions": rows})})


def comma_lines(folder: Path, made: Scene) -> None:
    paint(folder, made)
    for name, (_, _, things) in made.items():
        put(folder, {f"gt/{name}.txt": "".join(f"{one.name},{','.join(map(str, one.sides))}\n" for one in things)})


def class_behind(folder: Path, made: Scene) -> None:
    paint(folder, made)
    for name, (_, _, things) in made.items():
        put(folder, {f"gt/{name}.txt": "".join(f"{' '.join(map(str, one.box))} {one.name}\n" for one in things)})


def words_of_numbers(folder: Path, made: Scene) -> None:
    paint(folder, made)
    put(folder, {"classes.txt": "\n".join(CLASSES) + "\n"})
    rows = [
        f"images/{name}.png " + " ".join(",".join(map(str, (*one.sides, one.kind))) for one in things)
        for name, (_, _, things) in made.items()
    ]
    put(folder, {"train.txt": "\n".join(rows) + "\n"})


def nested_mappings(folder: Path, made: Scene) -> None:
    paint(folder, made, "{}.png")
    for name, (width, height, things) in made.items():
        rows = [
            {
                "category": {"id": one.kind, "name": one.name},
                "bbox": dict(zip(("x1", "y1", "x2", "y2"), one.sides, strict=True)),
            }
            for one in things
        ]
        image = {"name": f"{name}.png", "size": {"width": width, "height": height}}
        put(folder, {f"{name}.json": json.dumps({"image": image, "annotations": rows})})


def json_per_subset(folder: Path, made: Scene) -> None:
    for subset, names in (("train", list(made)[:3]), ("val", list(made)[3:])):
        paint(folder, {name: made[name] for name in names}, subset + "/{}.png")
        rows = [
            {"image": f"{name}.png", "boxes": [{"label": one.name, "box": one.sides} for one in made[name][2]]}
            for name in names
        ]
        put(folder, {f"{subset}/labels.json": json.dumps(rows)})


def table_of_ids(folder: Path, made: Scene) -> None:
    paint(folder, made)
    classes = "".join(f"{place + 1},{name}\n" for place, name in enumerate(CLASSES))
    put(folder, {"classes.csv": f"id,name\n{classes}"})
    rows = [
        ",".join(map(str, (name, one.kind + 1, *one.sides, 0.5)))
        for name, (_, _, things) in made.items()
        for one in things
    ]
    head = "image_name,class_id,x_min,y_min,x_max,y_max,confidence"
    put(folder, {"boxes.csv": "\n".join([head, *rows]) + "\n"})


def yaml_of_all(folder: Path, made: Scene) -> None:
    paint(folder, made)
    text = ""
    for name, (_, _, things) in made.items():
        text += f"- image: {name}.png\n  objects:\n"
        for one in things:
            sides = dict(zip(("left", "top", "width", "height"), one.box, strict=True))
            text += f"  - {{class: {one.name}, {', '.join(f'{key}: {value}' for key, value in sides.items())}}}\n"
    put(folder, {"all.yaml": text})


MORE: dict[str, Callable[[Path, Scene], None]] = {
    one.__name__: one
    for one in (
        ids_of_other_names, tabs, percentages, comma_lines, class_behind, words_of_numbers, nested_mappings,
        json_per_subset, table_of_ids, yaml_of_all,
    )
}  # fmt: skip
