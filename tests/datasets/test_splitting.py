"""Datasets split into subsets: by a hash, by classes, in groups, as before; written, or listed alone."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from coco_like import coco_document, coco_files
from files_on_disk import put
from said_of_items import told

import formatspec as fs
from formatspec.datasets.splits.assign import Unit, by_hash, deviations, shares, stratified
from formatspec.language.load import available
from formatspec.testing.memory import image_bytes

RATIOS = shares({"train": 8, "val": 1, "test": 1})


def made(out: Path, to: str, classes: list[str], **captures: str) -> Path:
    """A dataset of small images, each with one object of a class."""
    items = []
    for number, name in enumerate(classes):
        image = fs.Image(path=f"{name}{number:03}.png", data=image_bytes(8, 8, "png"))
        thing = fs.Object(category=fs.Category(name=name), bbox=(1, 1, 4, 4))
        items.append(fs.Item(key=f"{name}{number:03}", image=image, objects=(thing,)))
    fs.write(items, out, to=to)
    return out


def units(seed: int, items: int, most: int) -> list[Unit]:
    """Items that show up to `most` of 20 classes, some of which are rare."""
    dice = random.Random(seed)
    return [
        Unit(f"i{n}", 1, {f"c{min(19, int(dice.expovariate(0.3)))}": 1 for _ in range(dice.randint(1, most))})
        for n in range(items)
    ]


@pytest.mark.parametrize("seed", range(6))
def test_each_class_is_within_an_item_of_its_ratio(seed: int) -> None:
    alone = units(seed, 400, 1)
    where = stratified(alone, RATIOS, seed, {})
    assert deviations(alone, where, RATIOS) == []
    counts = Counter(where.values())
    assert all(abs(counts[name] - 400 * part) < 1 for name, part in RATIOS.items())
    several = units(seed, 400, 4)
    assert deviations(several, stratified(several, RATIOS, seed, {}), RATIOS) == []


def test_what_cannot_be_even_is_told() -> None:
    together = [Unit("a", 10, {"x": 10}), Unit("b", 2, {"x": 2})]
    where = stratified(together, {"train": 0.5, "val": 0.5}, 0, {})
    assert sorted(where.values()) == ["train", "val"]
    assert {(name, count, expected) for name, _, count, expected in
            deviations(together, where, {"train": 0.5, "val": 0.5})} == {("x", 10, 6.0), ("x", 2, 6.0)}  # fmt: skip


def test_what_is_kept_stays_and_the_rest_makes_up_for_it() -> None:
    before = units(1, 200, 1)
    where = stratified(before, RATIOS, 0, {})
    grown = [*before, *(Unit(f"new{one.name}", 1, one.classes) for one in units(2, 100, 1))]
    again = stratified(grown, RATIOS, 5, where)
    assert all(again[name] == subset for name, subset in where.items())
    assert deviations(grown, again, RATIOS) == []


def test_no_item_moves_when_others_are_added_and_the_ratios_hold_in_expectation(tmp_path: Path) -> None:
    data = made(tmp_path / "one", "coco", ["cat"] * 50)
    grown = made(tmp_path / "two", "coco", ["cat"] * 55)
    one, two = fs.split(fs.open(data)), fs.split(fs.open(grown))
    assert len(one.subsets) == 50 and len(two.subsets) == 55
    assert all(two.subsets[name] == subset for name, subset in one.subsets.items())
    assert fs.split(fs.open(data), seed=1).subsets != one.subsets
    counts = Counter(by_hash(f"item {n}", RATIOS, 0) for n in range(20_000))
    for name, part in RATIOS.items():
        expected, deviation = 20_000 * part, (20_000 * part * (1 - part)) ** 0.5
        assert abs(counts[name] - expected) < 5 * deviation


@pytest.mark.parametrize("name", sorted(available()))
def test_a_dataset_of_any_format_with_subsets_is_written_with_new_ones(name: str, tmp_path: Path) -> None:
    """In its own format: nothing is lost in silence, and every item is where the split says."""
    fs.sample(name, tmp_path / "in", items=9, seed=3)
    before = fs.open(tmp_path / "in", name)
    try:
        done = fs.split(before, tmp_path / "out", ratios={"train": 2, "test": 1})
    except fs.SpecError as refused:
        assert "holds no subsets" in str(refused) or "no part for a prefix" in str(refused)
        return
    except fs.RefusedError as refused:
        assert all("has no subset" in finding.message for finding in refused.findings if finding.level == "error")
        return
    after = fs.open(tmp_path / "out", name)
    items = list(after)
    assert not [finding for finding in after.findings if finding.level == "error"]
    assert done.result is not None
    gone, lines = told(list(before)) - told(items), done.result.loss_report
    assert not told(items) - told(list(before))  # nothing is made, and what is gone is named
    assert sum(gone.values()) <= sum(line["count"] for line in lines)
    assert done.result is not None and len(items) == done.result.items
    names = dict(after.names_below_subsets())
    known = [(names[item.key], item) for item in items if names[item.key] in done.subsets]  # a class may be in the name
    pairs = {(done.subsets[name], item.subsets[0]) for name, item in known}  # "test" may be "testing" there
    assert len({one for one, _ in pairs}) == len({other for _, other in pairs}) == len(pairs)


def test_what_nobody_understands_goes_along(tmp_path: Path) -> None:
    """Keys that the format only keeps stay in rows, and those of the file stand in each file that it becomes."""
    rows: list[Any] = [{"id": n, "image_id": n, "bbox": [1, 1, 4, 4], "area": 16, "x": n} for n in range(8)]
    document: dict[str, Any] = {"info": {"year": 2026}, "licenses": [{"id": 1}]}
    document |= coco_document([(f"{n}.jpg", 20, 10) for n in range(8)], rows, [{"name": "cat", "y": 8}], first=0)
    for row in document["images"]:
        row["license"] = 1
    put(tmp_path / "in", coco_files(document, "all"))
    fs.split(fs.open(tmp_path / "in"), tmp_path / "out", ratios={"train": 1, "val": 1}, stratify=True)
    files = sorted((tmp_path / "out/annotations").iterdir())
    assert [file.name for file in files] == ["instances_train.json", "instances_val.json"]
    rows = []
    for file in files:
        read = json.loads(file.read_text())
        assert {key: read[key] for key in ("info", "licenses", "categories")} == {
            key: document[key] for key in ("info", "licenses", "categories")
        }
        assert len(read["images"]) == 4
        rows += read["annotations"]
    assert sorted(rows, key=lambda row: row["id"]) == document["annotations"]


def in_two_subsets(out: Path, to: str, number: int = 6) -> Path:
    """A dataset whose subsets have items of the same names, each with a box of its own size."""
    items = []
    for height, subset in enumerate(("train", "val"), 3):
        for place in range(number):
            image = fs.Image(path=f"{subset}/{place}.png", data=image_bytes(20, 10, "png"), width=20, height=10)
            thing = fs.Object(category=fs.Category(name="cat"), bbox=(1, 1, 2 + place, height))
            items.append(fs.Item(key=f"{subset}/{place}", subsets=(subset,), image=image, objects=(thing,)))
    fs.write(items, out, to=to)
    return out


@pytest.mark.parametrize("to", ["coco", "yolo_ultralytics", "kitti_detection", "dota"])
def test_items_of_one_name_in_two_subsets_are_named_after_their_subset(to: str, tmp_path: Path, run: Any) -> None:
    """The first keeps its name; both are written with what is theirs, and the same split follows from the output."""
    data = in_two_subsets(tmp_path / "in", to)
    before = fs.open(data, to)
    made = fs.split(before, tmp_path / "out", ratios={"train": 1, "val": 1}, csv=tmp_path / "s.csv")
    assert made.renamed == {f"val/{place}": f"val_{place}" for place in range(6)}
    assert made.subsets.keys() == {*map(str, range(6)), *made.renamed.values()}
    after = fs.open(tmp_path / "out", to)
    assert told(list(after)) == told(list(before)) and not after.findings
    height = {key.rpartition("/")[2].startswith("val_"): after[key].objects[0].box[3] for key in after.keys}
    assert height == {False: 3, True: 4}
    again = fs.split(after, ratios={"train": 1, "val": 1}, keep=tmp_path / "s.csv", seed=5)
    assert again.subsets == made.subsets and again.renamed == {}
    text = run("split", to, str(data), "--csv", str(tmp_path / "t.csv"))
    assert text.status == 0 and "another subset has items of these names: 6 (val_0, val_1, val_2 and 3" in text.out
    alone = fs.split(before.filter(subset="val"))
    assert alone.renamed == {} and alone.subsets.keys() == {*map(str, range(6))}


def test_a_name_that_the_prefix_makes_and_another_item_has_is_not_given_twice(tmp_path: Path) -> None:
    data = in_two_subsets(tmp_path / "in", "yolo_ultralytics", 1)
    for kind, end in (("images", "png"), ("labels", "txt")):
        (data / kind / "train" / f"val_0.{end}").write_bytes((data / kind / "train" / f"0.{end}").read_bytes())
    made = fs.split(fs.open(data), tmp_path / "out", ratios={"train": 1})
    assert made.renamed == {"val/0": "val_val_0"}
    assert fs.open(tmp_path / "out").keys == ["train/0", "train/val_0", "train/val_val_0"]


def test_sequences_of_one_name_in_two_subsets_stay_two(tmp_path: Path) -> None:
    """All frames of a sequence get its new name together, and frames of two sequences are not put into one."""
    spec = tmp_path / "frames.yaml"
    spec.write_text(
        "formatspec: 1\nname: frames\nfiles:\n"
        "  image: '{subset}/{sequence}/{frame:d}.png'\n"
        "  boxes:\n    path: '{subset}/{sequence}/{frame:d}.json'\n"
        "    json: [{each: objects, class: category.name, box: bbox}]\n"
    )
    for subset, frames in (("train", (1, 2, 3)), ("val", (2, 3, 4))):
        for sequence in ("walk", subset):
            (tmp_path / "in" / subset / sequence).mkdir(parents=True)
            for frame in frames:
                file = tmp_path / "in" / subset / sequence / f"{frame}.png"
                file.write_bytes(image_bytes(20, 10, "png"))
                rows = [{"class": "cat", "box": [1, 1, frame, 3 if subset == "train" else 4]}]
                file.with_suffix(".json").write_text(json.dumps(rows))
    before = fs.open(tmp_path / "in", spec)
    made = fs.split(before, tmp_path / "out", ratios={"one": 1, "two": 1})
    assert made.renamed == {f"val/walk/{frame}": f"val_walk/{frame}" for frame in (2, 3, 4)}
    assert set(made.groups.values()) == {"walk", "train", "val", "val_walk"}
    after = fs.open(tmp_path / "out", spec)
    assert told(list(after)) == told(list(before)) and len(after) == 12
    assert {item.objects[0].box[3] for item in after if item.sequence == "val_walk"} == {4}


@pytest.mark.parametrize("way", ["split", "subsets"])
def test_numbers_that_files_share_are_given_anew_where_their_items_meet(way: str, tmp_path: Path) -> None:
    """Two files number their images from 1; where images of both come into one, none has the number of another."""
    for subset in ("train", "val"):
        rows = [{"image_id": n, "bbox": [1, 1, n, 4], "area": 4 * n, "x": 1} for n in range(1, 9)]
        document = coco_document([(f"{subset}{n}.jpg", 20, 10) for n in range(1, 9)], rows)
        put(tmp_path / "in", coco_files(document, subset))
    dataset = fs.open(tmp_path / "in")
    if way == "split":
        result = fs.split(dataset, tmp_path / "out", ratios={"train": 1, "val": 1}, stratify=True).result
    else:
        result = fs.convert(tmp_path / "in", to="coco", out=tmp_path / "out", subsets={"val": "train"})
    assert result is not None and "kept fields: x (16 objects)" in result.losses, result.losses
    assert not fs.validate(tmp_path / "out").fails
    widths = {item.image.path.rpartition("/")[2]: item.objects[0].bbox[2] for item in fs.open(tmp_path / "out")}
    assert widths == {f"{subset}{n}.jpg": n for subset in ("train", "val") for n in range(1, 9)}


def test_groups_stay_together_and_kept_items_where_they_are(tmp_path: Path) -> None:
    data = made(tmp_path / "data", "coco", ["cat", "dog", "cow"] * 10)
    dataset = fs.open(data)
    grouped = fs.split(dataset, group="lower(name) != 'x'", csv=tmp_path / "one.csv")
    assert len(set(grouped.subsets.values())) == 1 and set(grouped.groups.values()) == {"True"}
    by_class = fs.split(dataset, ratios={"train": 1, "val": 1}, group="objects.category.name", stratify=True)
    pairs = {(name[:3], subset) for name, subset in by_class.subsets.items()}
    assert len(pairs) == 3
    first = fs.split(dataset[:20], csv=tmp_path / "first.csv", stratify=True)
    whole = fs.split(dataset, tmp_path / "out", to="yolo_ultralytics", keep=tmp_path / "first.csv", stratify=True)
    assert all(whole.subsets[name] == subset for name, subset in first.subsets.items())
    assert whole.counts == {"train": 24, "val": 3, "test": 3} and whole.off == ()
    again = fs.split(fs.open(tmp_path / "out"), keep=tmp_path / "first.csv", stratify=True)
    assert all(again.subsets[name] == subset for name, subset in first.subsets.items())


def test_the_command_splits_lists_and_refuses(tmp_path: Path, run: Any) -> None:
    data = made(tmp_path / "data", "coco", ["cat", "dog"] * 10)
    out, listed = tmp_path / "out", tmp_path / "split.csv"
    done = run("split", str(data), "--ratio", "train=0.8,val=0.2", "--stratify", "-o", str(out), "--csv", str(listed))
    assert done.status == 0 and "train 16, val 4" in done.out
    lines = listed.read_text().splitlines()
    assert lines[0] == "item,subset,group" and len(lines) == 21
    assert fs.open(out).subsets == ("train", "val")
    dry = run("split", str(data), "-o", str(tmp_path / "dry"), "--dry-run", "--json")
    assert dry.status == 0 and json.loads(dry.out)["items"] == 20 and not (tmp_path / "dry").exists()
    for words, message in {
        (): "say what is wanted",
        ("-o", "x", "--to", "labelme"): "labelme holds no subsets",
        ("--csv", "x", "--ratio", "train"): "name=value",
        ("--csv", "x", "--ratio", "train=a"): "is a number",
        ("--csv", "x", "--group", "nme"): "did you mean 'name'",
        ("--csv", "x", "--keep", str(tmp_path / "none.csv")): "there is no such file",
    }.items():
        wrong = run("split", str(data), *words)
        assert wrong.status == 2 and message in wrong.err, wrong.err
    (tmp_path / "empty").mkdir()
    empty = run("split", "coco", str(tmp_path / "empty"), "--csv", "x")
    assert empty.status == 2 and "holds no item of coco" in empty.err
    listed.write_text("item,subset,group\ncat000,holdout,\n")
    wrong = run("split", str(data), "--csv", "x", "--keep", str(listed))
    assert wrong.status == 2 and f"{listed}:2: 'cat000' is in 'holdout'" in wrong.err


def test_wrong_ratios_and_lists_are_told_in_a_sentence(tmp_path: Path, run: Any) -> None:
    data, other = made(tmp_path / "data", "coco", ["cat", "dog"] * 4), tmp_path / "other.csv"
    other.write_text("item,subset,group\nnowhere,train,\n")
    (tmp_path / "empty.csv").write_text("")
    for words, message in {
        ("--ratio", "train=0"): "no ratio is greater than 0",
        ("--ratio", "train=-1,val=2"): "a ratio is a number from 0",
        ("--ratio", "train=nan"): "a ratio is a number from 0",
        ("--ratio", "train=0.5,train=0.5"): "names 'train' twice",
        ("--to", "voc"): "say where with -o OUT",
        ("--keep", str(other)): "none of its 1 items is in the dataset",
        ("--keep", str(tmp_path / "empty.csv")): "it lists no item",
        ("--keep", str(tmp_path)): "is a folder; name a file",
        ("--group", "attributes.patient"): "no item has a value for 'attributes.patient'",
        ("--group", ""): "--group is empty",
    }.items():
        wrong = run("split", str(data), "--csv", str(tmp_path / "x.csv"), *words)
        assert wrong.status == 2 and message in wrong.err, (words, wrong.err)
        assert len(wrong.err.splitlines()) == 1 and not (tmp_path / "x.csv").exists()
    uneven = run("split", str(data), "--csv", str(tmp_path / "x.csv"), "--ratio", "train=0.5,val=0.6")
    assert uneven.status == 0 and "1.1 together, not 1" in uneven.err and "train 0.455" in uneven.err
    even = run("split", str(data), "--csv", str(tmp_path / "x.csv"), "--ratio", "train=8,val=2", "--json")
    assert even.err == "" and json.loads(even.out)["groups"] == 0
