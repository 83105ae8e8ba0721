"""Options that stand in documents: chosen from the documents, stated, left open, or asked for."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from files_on_disk import put, spec_file

import formatspec as fs
from formatspec.api import detect_format
from formatspec.engine.dataset.lint import compile_whole
from formatspec.language.errors import SpecError
from formatspec.language.load import bundled, load_source
from formatspec.paths.trees.open_tree import open_tree
from formatspec.testing import laws
from formatspec.testing.memory import image_bytes

OPTIONAL = """
formatspec: 1
name: tagged
options: {class_key: {prefers: [label, kind], about: the key that holds the class}}
files:
  image: "images/{name}.{ext:image}"
  record:
    path: "labels/{name}.json"
    json:
      shapes:
        - {each: objects, box: bbox | xywh, tags: {"{option.class_key}?": category.name, "*": attributes}}
"""
REQUIRED = """
formatspec: 1
name: jobs
options: {job: {prefers: [boxes], about: the job that is read}}
files:
  image: "images/{name}.{ext:image}"
  record:
    path: "labels/{name}.json"
    json:
      made: = 'by jobs'
      "{option.job}": [{each: objects, class: category.name, box: bbox | xywh}]
      "{option.job}-about": {by: keep else 'nobody'}
      "*": keep
"""
VALUE = """
formatspec: 1
name: rounds
options: {annotator: {default: 1, about: the annotator whose boxes are read}}
files:
  image: "images/{name}.{ext:image}"
  record:
    path: "labels/{name}.json"
    json:
      rounds:
        - one of:
            - {each: items where kept, skipped: true, "*": keep}
            - {each: items where kept, boxes: [], "*": keep}      # rows with boxes are none of these
            - each: items where count(objects) > 0
              by: "{option.annotator}"
              boxes: [{each: objects, "#": bbox | xywh}]
            - {each: items where kept, by: keep, boxes: keep}
"""


def _data(folder: Path, *documents: dict[str, Any]) -> Path:
    for number, document in enumerate(documents):
        for part in ("images", "labels"):
            (folder / "data" / part).mkdir(parents=True, exist_ok=True)
        (folder / "data" / "images" / f"{number}.png").write_bytes(image_bytes(40, 30, "png"))
        (folder / "data" / "labels" / f"{number}.json").write_text(json.dumps(document), "utf-8")
    return folder / "data"


def _tagged(*tags: dict[str, Any]) -> dict[str, Any]:
    return {"shapes": [{"box": [1, 2, 3, 4 + number], "tags": one} for number, one in enumerate(tags)]}


def _classes(data: Path, spec: Path, **options: str) -> list[str | None]:
    items = fs.open(data, spec, options=options)
    return [thing.category.name if thing.category else None for item in items for thing in item.objects]


def test_the_only_key_is_taken(tmp_path: Path) -> None:
    data = _data(tmp_path, _tagged({"species": "oak"}, {}), _tagged({"species": "elm"}))
    assert _classes(data, spec_file(tmp_path, OPTIONAL)) == ["oak", None, "elm"]


def test_a_preferred_key_goes_before_others(tmp_path: Path) -> None:
    data = _data(tmp_path, _tagged({"age": "old", "kind": "oak"}), _tagged({"age": "new", "kind": "elm"}))
    assert _classes(data, spec_file(tmp_path, OPTIONAL)) == ["oak", "elm"]


def test_what_is_no_text_is_no_class(tmp_path: Path) -> None:
    data = _data(tmp_path, _tagged({"flags": {"wet": True}, "species": "oak", "size": 3}))
    assert _classes(data, spec_file(tmp_path, OPTIONAL)) == ["oak"]


def test_of_several_none_is_taken_and_a_finding_tells_of_it(tmp_path: Path) -> None:
    data = _data(tmp_path, _tagged({"age": "old", "species": "oak"}))
    spec = spec_file(tmp_path, OPTIONAL)
    assert _classes(data, spec) == [None]
    (found,) = fs.validate(data, spec).findings
    assert (found.code, found.level) == ("OPTION_OPEN", "warning")
    assert found.expected == "-O class_key=NAME, where NAME is one of age, species"
    assert _classes(data, spec, class_key="species") == ["oak"]
    assert fs.validate(data, spec, options={"class_key": "species"}).findings == ()


def test_a_stated_key_that_is_nowhere_is_refused(tmp_path: Path) -> None:
    data = _data(tmp_path, _tagged({"age": "old", "species": "oak"}))
    with pytest.raises(SpecError, match=r"no 'specie'.*one of age, species"):
        _classes(data, spec_file(tmp_path, OPTIONAL), class_key="specie")


def test_a_copy_has_the_key_of_its_source(tmp_path: Path) -> None:
    data = _data(tmp_path, _tagged({"species": "oak"}))
    spec = spec_file(tmp_path, OPTIONAL)
    out = tmp_path / "out"
    fs.convert(data, spec=spec, to=spec, out=out, where="true")
    assert json.loads((out / "labels" / "0.json").read_text("utf-8")) == _tagged({"species": "oak"})


def test_other_formats_are_written_under_the_stated_key(tmp_path: Path) -> None:
    data = _data(tmp_path, _tagged({"species": "oak"}))
    spec = spec_file(tmp_path, OPTIONAL)
    fs.convert(data, spec=spec, to="coco", out=tmp_path / "coco")
    fs.convert(tmp_path / "coco", spec="coco", to=spec, out=tmp_path / "a")
    fs.convert(
        tmp_path / "coco", spec="coco", to=spec, out=tmp_path / "b", options={"class_key": "kind of tree, exact?"}
    )
    for folder, key in (("a", "label"), ("b", "kind of tree, exact?")):
        (file,) = (tmp_path / folder / "labels").glob("*.json")
        assert json.loads(file.read_text("utf-8"))["shapes"][0]["tags"] == {key: "oak"}


def _job(name: str) -> dict[str, Any]:
    return {name: [{"class": name, "box": [1, 2, 3, 4]}], f"{name}-about": {"by": "me"}}


def test_keys_that_belong_together_name_one_option(tmp_path: Path) -> None:
    data = _data(tmp_path, {"made": "by jobs", **_job("first run"), "other": [], "third-about": {"by": "you"}})
    spec = spec_file(tmp_path, REQUIRED)
    assert _classes(data, spec) == ["first run"]
    assert [finding for finding in fs.validate(data, spec).findings if finding.level == "error"] == []


def test_a_required_key_among_several_is_asked_for(tmp_path: Path) -> None:
    data = _data(tmp_path, {"made": "by jobs", **_job("a"), **_job("b")})
    spec = spec_file(tmp_path, REQUIRED)
    with pytest.raises(SpecError, match="-O job=NAME, where NAME is one of a, b"):
        fs.open(data, spec)
    assert _classes(data, spec, job="b") == ["b"]
    with pytest.raises(SpecError, match="'made', which has a meaning of its own"):
        fs.open(data, spec, options={"job": "made"})


def _round(who: int | str, *boxes: list[int]) -> dict[str, Any]:
    return {"by": who, "boxes": list(boxes)}


FIRST, SECOND, THIRD = [1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]
SKIPPED = {"skipped": True, "by": 9}


def _boxes(data: Path, spec: Path, **options: str) -> list[list[tuple[float, ...] | None]]:
    return [[thing.bbox for thing in item.objects] for item in fs.open(data, spec, options=options)]


def test_a_value_that_no_list_has_beside_others_need_not_be_stated(tmp_path: Path) -> None:
    data = _data(tmp_path, {"rounds": [SKIPPED, _round(1, FIRST)]}, {"rounds": [_round("b", SECOND)]})
    assert _boxes(data, spec_file(tmp_path, VALUE)) == [[(1, 2, 3, 4)], [(5, 6, 7, 8)]]


@pytest.mark.parametrize(("stated", "read"), [("1", [[(1, 2, 3, 4)], []]), ("2", [[(5, 6, 7, 8)], [(9, 10, 11, 12)]])])
def test_rows_of_one_value_are_read_and_the_others_kept(stated: str, read: list[Any], tmp_path: Path) -> None:
    documents = [
        {"rounds": [_round(3, THIRD), _round(1, FIRST), _round(2, SECOND), _round(4)]},
        {"rounds": [_round(2, THIRD)]},
    ]
    data, spec = _data(tmp_path, *documents), spec_file(tmp_path, VALUE)
    with pytest.raises(SpecError, match="-O annotator=NAME, where NAME is one of 1, 2, 3"):
        fs.open(data, spec)
    with pytest.raises(SpecError, match="no '7' for the option annotator"):
        fs.open(data, spec, options={"annotator": "7"})
    assert _boxes(data, spec, annotator=stated) == read
    fs.convert(data, spec=spec, to=spec, out=tmp_path / "out", options={"annotator": stated}, where="true")
    for number, document in enumerate(documents):
        assert json.loads((tmp_path / "out" / "labels" / f"{number}.json").read_text("utf-8")) == document


def test_several_rows_that_are_only_kept_stand_as_they_stood(tmp_path: Path) -> None:
    document = {"rounds": [SKIPPED, _round(1, FIRST), {**SKIPPED, "by": 8}, {**SKIPPED, "why": "dark"}]}
    data, spec = _data(tmp_path, document), spec_file(tmp_path, VALUE)
    fs.convert(data, spec=spec, to=spec, out=tmp_path / "out", where="true")
    assert json.loads((tmp_path / "out" / "labels" / "0.json").read_text("utf-8")) == document


BIG = """
formatspec: 1
name: big
options: {annotator: {default: 1}}
items: tasks
files:
  image: "images/{name}.{ext:image}"
  tasks:
    path: tasks.json
    json:
      - each: items
        file: "{name}.{ext}"
        note: keep
        rounds:
          - one of:
              - each: items where count(objects) > 0
                by: "{option.annotator}"
                boxes: [{each: objects, "#": bbox | xywh}]
              - {each: items where kept, by: keep, boxes: keep}
"""


def test_a_list_with_several_values_is_found_at_the_end_of_a_large_file(tmp_path: Path) -> None:
    spec = spec_file(tmp_path, BIG)
    rows = [{"file": f"{n}.png", "note": "x" * 50_000, "rounds": [_round(1, FIRST)]} for n in range(100)]
    rows[-1]["rounds"] = [_round(1, FIRST), _round(2, SECOND)]
    data = _data(tmp_path, {})
    (data / "tasks.json").write_text(json.dumps(rows), "utf-8")
    with pytest.raises(SpecError, match="-O annotator=NAME, where NAME is one of 1, 2"):
        fs.open(data, spec)


def test_detection_knows_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = _data(tmp_path, {"made": "by jobs", **_job("a"), **_job("b")})
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "jobs.yaml").write_text(REQUIRED.strip(), "utf-8")
    monkeypatch.setenv("FORMATSPEC_PATH", str(tmp_path / "specs"))
    assert detect_format(open_tree(data)).name == "jobs"


@pytest.mark.parametrize("text", [OPTIONAL, REQUIRED, VALUE])
def test_the_laws_hold(text: str, tmp_path: Path) -> None:
    source = load_source(spec_file(tmp_path, text))
    compile_whole(source)
    for run in range(5):
        laws.hold(source, random.Random(run))


@pytest.mark.parametrize(
    ("wrong", "right", "said"),
    [
        ("{option.class_key}?", "{option.klass}?", "has no option 'klass'"),
        ("prefers: [label, kind], ", "", "what the option class_key is where nobody states it"),
        ('"{option.class_key}?": category.name, ', "label: category.name, ", "stands in no key"),
    ],
)
def test_mistakes_are_told(wrong: str, right: str, said: str, tmp_path: Path) -> None:
    file = spec_file(tmp_path, OPTIONAL.replace(wrong, right))
    with pytest.raises(SpecError, match=said):
        compile_whole(load_source(file))


@pytest.mark.parametrize("wrapped", [False, True])
def test_the_layout_is_told_by_the_shape_of_a_mapping(wrapped: bool, tmp_path: Path) -> None:
    """A file of one name holds the table of images, or a project with the table in it."""
    shape = {"name": "rect", "x": 1, "y": 2, "width": 3, "height": 4}
    region = {"shape_attributes": shape, "region_attributes": {"species": "oak"}}
    table = {"a.png9": {"filename": "a.png", "size": 9, "regions": [region], "file_attributes": {}}}
    document = {"_via_settings": {"ui": {}}, "_via_img_metadata": table, "_via_attributes": {}} if wrapped else table
    (tmp_path / "a.png").write_bytes(image_bytes(40, 30, "png"))
    (tmp_path / "via_region_data.json").write_text(json.dumps(document), "utf-8")
    (item,) = fs.open(tmp_path, "via_json")
    assert [thing.category.name for thing in item.objects if thing.category] == ["oak"]
    assert fs.validate(tmp_path, "via_json").findings == ()


ADDRESSES = """
formatspec: 1
name: addresses
items: rows
options:
  key: {default: image, about: the key that names the image}
files:
  image: "images/{name}.{ext:image}"
  rows:
    path: rows.json
    json:
      - each: items
        one of:
          - {file: "{name}.{ext}", data: {"*": keep}}
          - data: {image: &address {one of: ["{attributes.address}/{name}.{ext}", "{name}.{ext}"]}, "*": keep}
          - data: {"{option.key}": *address, "*": keep}
"""


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ({"data": {"photograph": "s3://x/a.png"}}, ["a"]),
        ({"data": {"photograph": "a.png", "words": "see http://x/page.html", "more": "b.txt"}}, ["a"]),
        ({"data": {"image": "x/a.png", "one": "x/b.png", "two": "x/c.png"}}, ["a"]),
        ({"file": "a.png", "data": {"one": "x/b.png", "two": "x/c.png"}}, ["a"]),
    ],
)
def test_the_key_whose_value_names_an_image_is_found(row: dict[str, Any], found: list[str], tmp_path: Path) -> None:
    (tmp_path / "addresses.yaml").write_text(ADDRESSES, "utf-8")
    data = put(tmp_path / "data", {"images/a.png": None, "rows.json": [row]})
    assert [item.key for item in fs.open(data, tmp_path / "addresses.yaml")] == found


def test_of_two_keys_that_name_images_the_user_says_which(tmp_path: Path) -> None:
    (tmp_path / "addresses.yaml").write_text(ADDRESSES, "utf-8")
    rows = [{"data": {"left": "x/a.png", "right": "x/b.png"}}]
    data = put(tmp_path / "data", {"images/a.png": None, "images/b.png": None, "rows.json": rows})
    with pytest.raises(SpecError, match="the option key is not stated"):
        list(fs.open(data, tmp_path / "addresses.yaml"))
    assert [item.key for item in fs.open(data, tmp_path / "addresses.yaml", options={"key": "right"})] == ["b"]


def _task(number: int, *annotators: Any) -> dict[str, Any]:
    """A task of Label Studio with a box by each of some annotators, who stand in `completed_by` as they are given."""
    box = {"x": 10, "y": 20, "width": 50, "height": 40, "rotation": 0, "rectanglelabels": ["Car"]}
    shape = {"type": "rectanglelabels", "from_name": "label", "to_name": "image"}
    size = {"original_width": 40, "original_height": 30, "image_rotation": 0}
    made = [
        {"completed_by": by, "was_cancelled": False, "result": [{"id": f"r{place}", **shape, **size, "value": box}]}
        for place, by in enumerate(annotators)
    ]
    return {"id": number, "file_upload": f"{number}.png", "annotations": made, "data": {"image": f"/up/{number}.png"}}


@pytest.mark.parametrize("spelled", [lambda number: number, lambda number: {"id": number, "email": "a@b.c"}])
def test_two_annotators_of_label_studio_are_asked_for(spelled: Callable[[int], Any], tmp_path: Path) -> None:
    tasks = [_task(1, spelled(7)), _task(2, spelled(7), spelled(8))]
    data = put(tmp_path / "data", {"tasks.json": tasks, "images/1.png": None, "images/2.png": None}, size=(40, 30))
    with pytest.raises(SpecError, match="-O annotator=NAME, where NAME is one of 7, 8"):
        fs.open(data, "label_studio")
    for annotator, ids in (("7", [["r0"], ["r0"]]), ("8", [[], ["r1"]])):
        items = fs.open(data, "label_studio", options={"annotator": annotator})
        assert [[thing.id for thing in item.objects] for item in items] == ids


def test_an_image_that_a_job_could_not_label_is_an_item_without_labels_and_a_warning(tmp_path: Path) -> None:
    example = bundled() / "examples/sagemaker_failed"
    report = fs.validate(example)
    assert [(one.code, one.level, one.message) for one in report.findings] == [
        (
            "LABELLING_FAILED",
            "warning",
            "the labelling job could not label the image: ClientError: the image is too large",
        )
    ]
    assert [(item.key, len(item.objects)) for item in fs.open(example)] == [("a", 0), ("b", 1), ("c", 0)]
    fs.convert(example, to="sagemaker", out=tmp_path / "copy", labels={"cat": "dog"})
    was, now = ((folder / "output.manifest").read_text() for folder in (example, tmp_path / "copy"))
    assert now == was.replace('"0": "cat"', '"0": "dog"')
