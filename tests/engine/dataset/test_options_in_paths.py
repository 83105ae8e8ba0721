"""Options in paths: the folders that are there tell the choice, and the user is asked where there are several."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from commands import Run
from small_specs import keeps_the_laws, small_spec

import formatspec as fs
from formatspec.language.errors import SpecError
from formatspec.language.load import bundled
from formatspec.testing.memory import image_bytes

OPTIONS = """
options: {round: {choices: [first, second+, third], default: first, about: the round of labelling that is read}}
"""
FILES = """
  image: "images/{name}.{ext:image}"
  record:
    path: "{option.round}/{name}.json"
    json: {boxes: [{each: objects, class: category.name, box: bbox | xywh}]}
"""


def made(folder: Path, *rounds: str) -> tuple[Path, Path]:
    """A dataset of one image with a folder of labels for each round, whose class is the name of the round."""
    boxes = {f"{one}/a.json": {"boxes": [{"class": one, "box": [1, 1, 2, 2]}]} for one in rounds}
    data, spec = small_spec(folder, "rounds", FILES, boxes, OPTIONS)
    (data / "images").mkdir()
    (data / "images/a.png").write_bytes(image_bytes(20, 10, "png"))
    return data, spec


@pytest.mark.parametrize("there", ["first", "second+", "third"])
def test_the_only_folder_tells_the_choice_and_a_copy_has_it(there: str, tmp_path: Path) -> None:
    data, spec = made(tmp_path, there)
    (item,) = fs.open(data, spec)
    assert [thing.category.name for thing in item.objects] == [there]
    fs.convert(data, spec=spec, to=spec, out=tmp_path / "copy", labels={there: "new"})
    assert json.loads((tmp_path / f"copy/{there}/a.json").read_text())["boxes"][0]["class"] == "new"


def test_several_folders_ask_the_user_for_one(tmp_path: Path, run: Run) -> None:
    data, spec = made(tmp_path, "first", "third")
    for words in (("validate",), ("dump",), ("convert", "--to", "coco")):
        status, out, said = run(*words[:1], spec, data, *words[1:])
        assert (status, out) == (2, "")
        assert "the option round is not stated, and files of several of its choices stand side by side" in said
        assert "the round of labelling that is read; they are first and third; expected -O round=first" in said
    for chosen in ("first", "third"):
        (item,) = fs.open(data, spec, options={"round": chosen})
        assert [thing.category.name for thing in item.objects] == [chosen]
    with pytest.raises(SpecError, match="'fourth' is no choice of the option round"):
        fs.open(data, spec, options={"round": "fourth"})


def test_a_choice_without_a_folder_is_a_missing_file(tmp_path: Path) -> None:
    data, spec = made(tmp_path, "first")
    report = fs.validate(data, spec, options={"round": "third"})
    assert [one.expected for one in report.findings if one.code == "FILE_MISSING"] == ["third/a.json"]


def test_what_is_made_has_the_default_or_what_the_user_says(tmp_path: Path) -> None:
    data, spec = made(tmp_path, "second+")
    items = list(fs.open(data, spec))
    for chosen, folder in ((None, "first"), ("third", "third")):
        out = tmp_path / f"out of {folder}"
        fs.write(items, out, to=spec, options={"round": chosen} if chosen else {})
        assert (out / folder / "a.json").is_file() and not (out / "second+").exists()


WORDS = ["first", "second round", "it's", "a/b", "a{b}", "a|b"]


@pytest.mark.parametrize("there", WORDS)
def test_choices_may_be_any_names_of_folders(there: str, tmp_path: Path) -> None:
    data, spec = made(tmp_path, there)
    spec.write_text(spec.read_text().replace("[first, second+, third]", json.dumps(WORDS)))
    (item,) = fs.open(data, spec)
    assert [thing.category.name for thing in item.objects] == [there]
    fs.convert(data, spec=spec, to=spec, out=tmp_path / "copy", labels={there: "new"})
    assert json.loads((tmp_path / f"copy/{there}/a.json").read_text())["boxes"][0]["class"] == "new"


def test_a_choice_with_a_blank_is_named_as_one_types_it(tmp_path: Path) -> None:
    data, spec = made(tmp_path, "second round", "third")
    spec.write_text(spec.read_text().replace("second+", "second round"))
    with pytest.raises(SpecError, match="expected -O 'round=second round', or another"):
        fs.open(data, spec)


@pytest.mark.parametrize(("choices", "words"), [
    ("[first, '']", "its choice '' can be no part of one"),
    ("[first, ../x]", "its choice '../x' can be no part of one"),
    ("[first, third, third]", "one of its choices is given twice"),
])  # fmt: skip
def test_choices_that_name_no_folder_are_mistakes(choices: str, words: str, tmp_path: Path) -> None:
    data, spec = made(tmp_path, "first")
    spec.write_text(spec.read_text().replace("[first, second+, third]", choices))
    with pytest.raises(SpecError, match=words):
        fs.open(data, spec)


def test_the_laws_hold(tmp_path: Path) -> None:
    keeps_the_laws(made(tmp_path, "first")[1])


def test_corpora_side_by_side_are_told_apart_from_one(tmp_path: Path, run: Run) -> None:
    """The REFER download unpacks refcoco, refcoco+ and refcocog beside one folder of images."""
    examples, data = bundled() / "examples", tmp_path / "data"
    shutil.copytree(examples / "refcoco", data)
    shutil.copytree(data / "refcoco", data / "refcoco+")
    shutil.copytree(examples / "refcocog/refcocog", data / "refcocog")
    for image in (examples / "refcocog/train2014").iterdir():
        shutil.copy(image, data / "images/mscoco/images/train2014")
    assert run("detect", data)[:2] == (0, "refcoco\n")
    status, _, said = run("validate", data)
    assert status == 2 and "-O corpus=refcoco" in said and "refcoco and refcoco+ and refcocog" in said
    for corpus, alone in (("refcoco", "refcoco"), ("refcoco+", "refcoco"), ("refcocog", "refcocog")):
        read = {item.key: (item.subsets, item.objects) for item in fs.open(data, options={"corpus": corpus})}
        assert read.items() >= {item.key: (item.subsets, item.objects) for item in fs.open(examples / alone)}.items()
