"""Several datasets written as one: classes united, names told apart, the same bytes for any number of workers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import formatspec as fs
from formatspec.testing.memory import image_bytes


def written(out: Path, to: str, **items: list[tuple[str, tuple[float, ...]]]) -> Path:
    """A dataset of small images; each with objects of a class and a box."""
    made = []
    for key, things in items.items():
        objects = tuple(fs.Object(category=fs.Category(name=name), bbox=box) for name, box in things)
        image = fs.Image(path=f"{key}.png", data=image_bytes(12 + len(key), 8 + len(made), "png"))
        made.append(fs.Item(key=key, image=image, objects=objects))
    fs.write(made, out, to=to)
    return out


@pytest.fixture
def three(tmp_path: Path) -> list[Path]:
    one = written(tmp_path / "one", "coco", a=[("cat", (0, 0, 4, 4))], b=[("dog", (1, 1, 4, 4))])
    two = written(tmp_path / "two", "labelme", a=[("cow", (2, 2, 4, 4))], cc=[("cat", (3, 3, 4, 4))])
    three = written(tmp_path / "three", "voc", ddd=[("puppy", (4, 4, 3, 3)), ("car", (0, 0, 2, 2))])
    return [one, two, three]


def boxes(dataset: fs.Dataset) -> dict[str, list[tuple[str, Any]]]:
    return {item.key: [(thing.category.name, thing.box) for thing in item.objects] for item in dataset}


def test_classes_are_united_by_name_and_names_told_apart(three: list[Path], tmp_path: Path) -> None:
    result = fs.merge([fs.open(one) for one in three], tmp_path / "out", to="coco")
    merged = fs.open(tmp_path / "out")
    assert result.items == 5 and merged.classes == ("cat", "dog", "cow", "car", "puppy")
    assert boxes(merged) == {
        "default/a": [("cat", (0, 0, 4, 4))], "default/b": [("dog", (1, 1, 4, 4))],
        "default/two/a": [("cow", (2, 2, 4, 4))], "default/cc": [("cat", (3, 3, 4, 4))],
        "train/ddd": [("puppy", (4, 4, 3, 3)), ("car", (0, 0, 2, 2))],
    }  # fmt: skip
    assert any("named after their dataset" in notice and "two/a" in notice for notice in result.notices)
    assert not fs.validate(tmp_path / "out").fails


def test_a_list_of_classes_gives_their_order_and_must_be_whole(three: list[Path], tmp_path: Path) -> None:
    datasets = [fs.open(one) for one in three]
    fs.merge(datasets, tmp_path / "out", to="yolo_ultralytics", classes=["car", "cow", "puppy", "dog", "cat", "bus"])
    assert fs.open(tmp_path / "out").classes == ("car", "cow", "puppy", "dog", "cat", "bus")
    with pytest.raises(fs.SpecError, match="the list of classes lacks 'cow', 'car', 'puppy', which the data have"):
        fs.merge(datasets, tmp_path / "other", to="coco", classes=["cat", "dog"])
    assert not (tmp_path / "other").exists()
    names = {"cow": "animal", "puppy": "animal", "cat": "animal", "dog": "animal", "*": None}
    fs.merge(datasets, tmp_path / "other", to="coco", classes=["animal"], labels=names)
    merged = fs.open(tmp_path / "other")
    assert merged.classes == ("animal",)
    assert [thing.category.name for item in merged for thing in item.objects] == ["animal"] * 5


def test_the_same_image_stays_two_items_and_is_named(tmp_path: Path) -> None:
    one = written(tmp_path / "one", "coco", a=[("cat", (0, 0, 4, 4))])
    two = written(tmp_path / "two", "coco", b=[("dog", (1, 1, 2, 2))])
    result = fs.merge([fs.open(one), fs.open(two)], tmp_path / "out", to="coco")
    assert result.items == 2
    assert any(notice.startswith("the same image in several datasets, kept apart: 1 (") for notice in result.notices)


def test_a_finding_names_its_dataset_file_and_line(three: list[Path], tmp_path: Path) -> None:
    document = json.loads((three[0] / "annotations/instances_default.json").read_text())
    document["annotations"][0]["bbox"] = [0, 0, 400, 4]
    (three[0] / "annotations/instances_default.json").write_text(json.dumps(document, indent=1))
    datasets = [fs.open(three[1], "labelme"), fs.open(three[0], "coco")]
    with pytest.raises(fs.RefusedError) as refused:
        fs.merge(datasets, tmp_path / "out", to="coco", media="copy")
    (finding,) = [one for one in refused.value.findings if one.level == "error"]
    assert finding.code == "BOX_OUTSIDE" and finding.file == "one/annotations/instances_default.json"
    assert finding.line is not None and '"bbox"' in json.dumps(document, indent=1).splitlines()[finding.line - 1]
    result = fs.merge(datasets, tmp_path / "out", to="coco", on={"BOX_OUTSIDE": "drop"})
    assert result.items == 4 and [(one.code, one.count) for one in result.actions] == [("BOX_OUTSIDE", 1)]


def test_parts_of_datasets_are_merged(three: list[Path], tmp_path: Path) -> None:
    datasets = [fs.open(three[0])[:1], fs.open(three[1]).filter(labels=["cow"])]
    fs.merge(datasets, tmp_path / "out", to="coco")
    assert boxes(fs.open(tmp_path / "out")) == {
        "default/a": [("cat", (0, 0, 4, 4))], "default/two/a": [("cow", (2, 2, 4, 4))], "default/cc": [],
    }  # fmt: skip


def test_the_bytes_are_the_same_for_any_number_of_workers(tmp_path: Path) -> None:
    places = []
    for seed, spec in enumerate(("coco", "voc", "yolo_ultralytics")):
        fs.sample(spec, tmp_path / spec, items=250, seed=seed)
        places.append((tmp_path / spec, spec))
    for workers in (1, 2):
        datasets = [fs.open(place, spec) for place, spec in places]
        fs.merge(datasets, tmp_path / f"out{workers}", to="coco", workers=workers, subsets={})
    one, two = ({path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
                for folder in (tmp_path / "out1", tmp_path / "out2"))  # fmt: skip
    assert one == two and len(one) > 700


def test_the_command_takes_several_datasets(three: list[Path], tmp_path: Path, run: Any) -> None:
    named = [word for one in (f"coco={three[0]}", three[1], three[2]) for word in ("--data", str(one))]
    (tmp_path / "classes.txt").write_text("car\ncow\npuppy\ndog\ncat\n")
    done = run("convert", *named, "--to", "yolo_ultralytics", "-o", str(tmp_path / "out"),
               "--classes", str(tmp_path / "classes.txt"))  # fmt: skip
    assert done.status == 0 and "5 items" in done.out
    assert fs.open(tmp_path / "out").classes == ("car", "cow", "puppy", "dog", "cat")
    without = run("convert", *named, "--to", "coco")
    assert without.status == 2 and "-o OUT" in without.err
    wrong = run("convert", "--data", f"cocoa={three[0]}", "--to", "coco", "-o", str(tmp_path / "o"))
    assert wrong.status == 2 and "did you mean 'coco'" in wrong.err


def test_items_without_a_subset_are_told_apart_from_those_of_any(tmp_path: Path) -> None:
    """What stands in no subset may come beside the items of one, where the target has no place for neither."""
    one = written(tmp_path / "one", "coco", a=[("cat", (0, 0, 4, 4))])
    two = written(tmp_path / "two", "voc", a=[("dog", (1, 1, 4, 4))])
    assert fs.open(one).subsets == ("default",) and fs.open(two).subsets == ("train",)
    fs.merge([fs.open(one), fs.open(two)], tmp_path / "out", to="yolo_ultralytics")
    assert fs.open(tmp_path / "out").keys == ["train/a", "train/two/a"]


def test_what_the_files_of_each_part_keep_is_named(tmp_path: Path) -> None:
    for name in ("one", "two"):
        written(tmp_path / name, "coco", **{name: [("cat", (0, 0, 4, 4))]})
        file = next((tmp_path / name).glob("annotations/*.json"))
        document = json.loads(file.read_text("utf-8"))
        document["categories"][0]["color"] = "#ff0000"
        file.write_text(json.dumps({**document, "info": {"by": name}, "reviewed_by": name}), "utf-8")
    result = fs.merge([fs.open(tmp_path / name) for name in ("one", "two")], tmp_path / "out", to="yolo_ultralytics")
    lost = {(line["what"], line["unit"]): line["count"] for line in result.loss_report}
    assert lost["kept fields: info", "files"] == lost["kept fields: reviewed_by", "files"] == 2
    assert lost["kept fields: color", "categories"] == 2


def numbered(out: Path, name: str, image: int, classes: list[tuple[int, str]]) -> Path:
    """A dataset of COCO with one image, an object of each class and numbers of its own."""
    boxes = [
        {"id": place, "image_id": image, "category_id": number, "bbox": [0, 0, 4, 4], "area": 16, "iscrowd": 0}
        for place, (number, _) in enumerate(classes, 1)
    ]
    document = {
        "images": [{"id": image, "file_name": f"{name}.png", "width": 12, "height": 8}],
        "annotations": boxes,
        "categories": [{"id": number, "name": name} for number, name in classes],
    }
    (out / "images/train").mkdir(parents=True)
    (out / "annotations").mkdir()
    (out / f"images/train/{name}.png").write_bytes(image_bytes(12, 8, "png"))
    (out / "annotations/instances_train.json").write_text(json.dumps(document))
    return out


def test_numbers_of_images_and_classes_are_kept_or_named(tmp_path: Path) -> None:
    one = numbered(tmp_path / "one", "a", 17, [(18, "dog"), (3, "car")])
    two = numbered(tmp_path / "two", "b", 17, [(3, "cat"), (18, "dog"), (9, "car")])
    result = fs.merge([fs.open(one), fs.open(two)], tmp_path / "out", to="coco")
    made = json.loads((tmp_path / "out/annotations/instances_train.json").read_text())
    assert {category["name"]: category["id"] for category in made["categories"]} == {"dog": 18, "car": 3, "cat": 4}
    assert [image["id"] for image in made["images"]] == [1, 2]
    assert {"category ids: 2 categories", "image ids renumbered: 2 items"} <= set(result.losses)
    lines = fs.merge([fs.open(one), fs.open(two)], tmp_path / "boxes", to="datumaro").losses
    assert {"category ids: 3 categories", "image ids: 2 items"} <= set(lines)


def test_what_the_first_dataset_does_not_say_about_a_class_comes_from_the_next(tmp_path: Path) -> None:
    one = written(tmp_path / "one", "yolo_ultralytics", a=[("cat", (0, 0, 4, 4))])
    two = numbered(tmp_path / "two", "b", 1, [(5, "cat")])
    document = two / "annotations/instances_train.json"
    document.write_text(document.read_text().replace('"cat"', '"cat", "supercategory": "pet"'))
    fs.merge([fs.open(one), fs.open(two)], tmp_path / "out", to="coco")
    (category,) = fs.open(tmp_path / "out").categories
    assert (category.id, category.parent) == (5, "pet")
