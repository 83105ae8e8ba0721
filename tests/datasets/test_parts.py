"""Parts of datasets on the commands that read, dry runs, JSON of what is reported, progress without a terminal."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest

import formatspec as fs
from formatspec.cli import console
from formatspec.datasets import looks
from formatspec.model.limits import limits, set_limits
from formatspec.testing.memory import image_bytes


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Ten items in `train` and five in `val`; the boxes of two of `val` leave their images."""
    items = []
    for number in range(15):
        thing = fs.Object(category=fs.Category(name="cat"), bbox=(1, 1, 4, 4))
        image = fs.Image(path=f"i{number:02}.png", data=image_bytes(20, 10 + number, "png"))
        subset = "train" if number < 10 else "val"
        items.append(fs.Item(key=f"i{number:02}", subsets=(subset,), image=image, objects=(thing,)))
    fs.write(items, tmp_path / "data", to="coco")
    file = tmp_path / "data/annotations/instances_val.json"
    document = json.loads(file.read_text())
    for place in (1, 2):
        document["annotations"][place]["bbox"] = [1, 1, 40, 4]
    file.write_text(json.dumps(document))
    return tmp_path / "data"


def test_items_are_taken_by_subset_then_by_step_then_by_number(data: Path) -> None:
    assert fs.open(data, every=4).keys == [f"train/i{n:02}" for n in (0, 4, 8)] + ["val/i12"]
    assert fs.open(data, subset="train", every=3, limit=2).keys == ["train/i00", "train/i03"]
    assert fs.open(data, subset=["val"]).filter("bbox[2] > 5")[:1].keys == ["val/i10"]
    with pytest.raises(fs.SpecError, match="the dataset has no subset 'trian'; did you mean 'train'"):
        fs.open(data, subset="trian")
    with pytest.raises(ValueError, match="every is a number from 1"):
        fs.open(data, every=0)


def test_a_part_is_validated_alone(data: Path) -> None:
    whole, part = fs.validate(data), fs.validate(data, subset="val", limit=3)
    assert sum(one.code == "BOX_OUTSIDE" for one in whole.findings) == 2
    assert part.items == 3 and {one.item for one in part.findings} == {"val/i11", "val/i12"}
    assert any("12 of 15 items" in words for words in part.not_checked)
    assert not fs.validate(data, subset="train").findings
    assert fs.validate(data, every=2, workers=2).items == 8


@pytest.mark.parametrize("to", ["coco", "yolo_ultralytics"])
def test_a_part_is_converted_as_it_would_be_selected(to: str, data: Path, tmp_path: Path) -> None:
    result = fs.convert(data, to=to, out=tmp_path / "one", subset="train", every=2, limit=3)
    fs.open(data, subset="train", every=2, limit=3).export(tmp_path / "two", to)
    one, two = ({path.relative_to(tmp_path / name): path.read_bytes() for path in (tmp_path / name).rglob("*")
                 if path.is_file()} for name in ("one", "two"))  # fmt: skip
    assert result.items == 3 and one == two
    assert [item.key for item in fs.open(tmp_path / "one")] == ["train/i00", "train/i02", "train/i04"]


def test_a_dry_run_says_the_same_and_writes_nothing(data: Path, tmp_path: Path, run: Any) -> None:
    words = ("convert", str(data), "--to", "yolo_ultralytics", "--on", "error=drop", "-o", str(tmp_path / "out"))
    dry = run(*words, "--dry-run", "--json")
    assert dry.status == 0 and not (tmp_path / "out").exists() and not list(tmp_path.glob(".*"))
    real = run(*words, "--output-format", "json")
    assert json.loads(dry.out) == json.loads(real.out)
    assert "would be written: " in run(*words, "--overwrite", "--dry-run").out
    refused = run("convert", str(data), "--to", "yolo_ultralytics", "-o", str(tmp_path / "n"), "--dry-run", "--json")
    told = json.loads(refused.out)
    assert refused.status == 1 and told["refused"].startswith("nothing was written") and len(told["findings"]) == 2


def test_the_commands_take_parts(data: Path, tmp_path: Path, run: Any) -> None:
    taken = ("--subset", "train", "--every", "3", "--limit", "2")
    keys = [json.loads(line)["key"] for line in run("dump", str(data), *taken).out.splitlines()]
    assert keys == ["train/i00", "train/i03"]
    assert json.loads(run("validate", str(data), *taken, "--json").out)["items"] == 2
    assert json.loads(run("stats", str(data), *taken, "--output-format", "json").out)["items"] == 2
    same = run("compare", str(data), str(data), *taken, "--json")
    assert same.status == 0 and json.loads(same.out)["items"] == 2
    drawn = run("plot", str(data), *taken, "-o", str(tmp_path / "p.png"), "--json")
    assert [Path(file).name for file in json.loads(drawn.out)["files"]] == ["p-1.png", "p-2.png"]
    one = run("convert", "--data", str(data), "--data", str(data), *taken, "--to", "coco", "-o", str(tmp_path / "m"))
    assert one.status == 0 and "4 items" in one.out


def test_limits_of_items_and_of_what_data_may_ask_for_are_told_apart(data: Path, run: Any) -> None:
    before = limits()
    both = run("dump", str(data), "--limit", "1", "--limit", "size=10")
    set_limits(before)
    assert both.status != 0 and "--limit size=" in both.err
    for words, message in {
        ("--limit", "few"): "--limit takes a number of items, or name=number",
        ("--limit", "0"): "takes no item",
        ("--limit", "1", "--limit", "2"): "two numbers",
        ("--subset", "vall"): "did you mean 'val'",
        ("--output-format", "xml"): "is text or json",
    }.items():
        wrong = run("validate", str(data), *words)
        assert wrong.status == 2 and message in wrong.err, wrong.err


@pytest.mark.parametrize("words", [
    ("validate", "{}"), ("stats", "{}"), ("compare", "{}", "{}"), ("detect", "{}"), ("explain", "{}", "train/i00"),
    ("specs",), ("doctor",), ("lint", "coco", "--runs", "1"), ("infer", "{}"),
    ("sample", "coco", "{}-new", "--items", "1"), ("split", "{}", "--csv", "{}.csv"),
])  # fmt: skip
def test_every_command_that_reports_prints_json_and_helps(words: tuple[str, ...], data: Path, run: Any) -> None:
    said = run(*(word.format(data) for word in words), "--output-format", "json")
    assert said.status in (0, 1) and json.loads(said.out), said.err
    helped = run(words[0], "-h")
    assert helped.status == 0 and "--output-format" in helped.out


def test_progress_without_a_terminal_is_a_line_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = iter(range(0, 10_000, 10))
    monkeypatch.setattr(console.time, "monotonic", lambda: float(next(now)))
    with console.progress("counting") as tell:
        for done in range(1, 10):
            tell(done, 9)
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["counting 3/9 items, 0/s, 60 s left", "counting 6/9 items, 0/s, 30 s left",
                     "counting 9/9 items, 0/s, 0 s left"]  # fmt: skip


def test_the_source_is_an_attribute_where_the_target_holds_attributes(data: Path, tmp_path: Path) -> None:
    datasets = [fs.open(data)[:1], fs.open(data)[1:3]]
    fs.merge(datasets, tmp_path / "out", to="coco")
    assert [item.attributes for item in fs.open(tmp_path / "out")] == [
        {"source": "data"}, {"source": "data-2"}, {"source": "data-2"},
    ]  # fmt: skip
    fs.merge([fs.open(tmp_path / "out"), fs.open(data)[4:5]], tmp_path / "again", to="coco")
    assert [item.attributes["source"] for item in fs.open(tmp_path / "again")] == ["data", "data-2", "data-2", "data"]
    fs.merge(datasets, tmp_path / "without", to="coco", source_attribute=None)
    assert not any(item.attributes for item in fs.open(tmp_path / "without"))
    assert fs.merge(datasets, tmp_path / "voc", to="yolo_ultralytics").losses == (
        "image ids: 3 items",
        "object ids: 3 objects",
    )


@pytest.fixture
def pets(tmp_path: Path) -> fs.Dataset:
    """Two images, each with a cat, a dog and a cow."""
    items = []
    for number in range(2):
        things = tuple(
            fs.Object(category=fs.Category(name=name), bbox=(1, 1, 4, 4 + number)) for name in ("cat", "dog", "cow")
        )
        image = fs.Image(path=f"{number}.png", data=image_bytes(20, 20, "png"), width=20, height=20)
        items.append(fs.Item(key=str(number), image=image, objects=things))
    fs.write(items, tmp_path / "pets", to="coco", categories=["cat", "dog", "cow"])
    return fs.open(tmp_path / "pets", "coco")


def named(dataset: fs.Dataset) -> tuple[Any, ...]:
    return dataset.classes, [[thing.category.name for thing in item.objects] for item in dataset]


NEW = {"cat": "pet", "dog": "pet", "cow": None}


@pytest.mark.parametrize("to", ["coco", "yolo_ultralytics", "voc", "labelme"])
def test_new_names_of_classes_hold_in_the_part_and_in_what_is_written_of_it(
    to: str, pets: fs.Dataset, tmp_path: Path
) -> None:
    part = pets.filter(labels=NEW)
    expected = (("pet",), [["pet", "pet"]] * 2)
    assert named(part) == named(pickle.loads(pickle.dumps(part))) == expected
    part.export(tmp_path / "one", to)
    assert named(fs.open(tmp_path / "one", to)) == expected
    fs.convert(pets.data, to=to, out=tmp_path / "two", labels=NEW)
    one, two = ({path.relative_to(tmp_path / name): path.read_bytes() for path in (tmp_path / name).rglob("*")
                 if path.is_file()} for name in ("one", "two"))  # fmt: skip
    assert one == two
    fs.merge([part, part[:1]], tmp_path / "three", to="coco")
    assert named(fs.open(tmp_path / "three", "coco")) == (("pet",), [["pet", "pet"]] * 3)


def test_new_names_stand_in_the_numbers_and_in_further_filters(pets: fs.Dataset, tmp_path: Path) -> None:
    part = pets.filter(labels=NEW)
    assert [one.name for one in looks.statistics_of(part).classes] == ["pet"]
    assert named(part.filter(labels="pet")) == named(part)
    assert named(part.filter(labels={"pet": "animal"})) == (("animal",), [["animal", "animal"]] * 2)
    made = fs.split(part, tmp_path / "out", ratios={"train": 1}, stratify=True)
    assert made.off == () and named(fs.open(tmp_path / "out")) == named(part)
    with pytest.raises(ValueError, match="no class 'cat'"):
        part.filter(labels="cat")
    with pytest.raises(fs.SpecError, match="no category 'ct'; did you mean 'cat'"):
        pets.filter(labels={"ct": "pet"})


def test_a_part_is_written_with_a_condition_of_its_own(pets: fs.Dataset, tmp_path: Path) -> None:
    pets[1:].export(tmp_path / "out", "coco", where="category.name == 'dog'")
    assert named(fs.open(tmp_path / "out", "coco"))[1] == [["dog"]]


def test_arguments_of_a_wrong_type_are_named(pets: fs.Dataset, tmp_path: Path) -> None:
    wrong: Any
    for wrong, message in (
        (lambda: fs.open(pets.data, limit=1.5), "limit is a whole number, not 1.5"),
        (lambda: fs.open(pets.data, every="2"), "every is a whole number, not '2'"),
        (lambda: pets.filter(3), "where is an expression or a function that takes an item, not 3"),
        (lambda: pets.filter(labels=3), "labels is a name or a list of names, not 3"),
        (lambda: pets.filter(subset=["train", 3]), r"subset is a name or a list of names, not \['train', 3\]"),
        (lambda: fs.merge(pets, tmp_path / "o", to="coco"), "merge takes a list of datasets, not <Dataset coco"),
        (lambda: fs.merge(["a"], tmp_path / "o", to="coco"), "as formatspec.open gives them, not 'a'"),
        (lambda: fs.split(pets, ratios=[("a", 1)]), "ratios are subsets and their parts"),
        (lambda: fs.split(pets, ratios={"a": "1"}), "the name of a subset and a number, not 'a': '1'"),
        (lambda: fs.split(pets, ratios={3: 1}), "the name of a subset and a number, not 3: 1"),
    ):
        with pytest.raises(TypeError, match=message):
            wrong()
    with pytest.raises(ValueError, match="a subset with no name"):
        fs.split(pets, ratios={"": 1})
    with pytest.raises(ValueError, match="merge needs a dataset"):
        fs.merge([], tmp_path / "o", to="coco")
