"""The commands of those who write a spec: `infer`, `lint` on data, and what the refusal of an unknown format says."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from commands import Run
from datasets_of_boxes import BOXES, OUTLINES, scene
from files_on_disk import put

from formatspec.docs.editor_schema import SCHEMA_ID, editor_schema
from formatspec.language.load import available, load_source

SPEC = """formatspec: 1
name: mine
files:
  image: "images/{name}.{ext:image}"
  labels:
    path: "labels/{name}.json"
    json:
      w: image.width
      h: image.height
      objects: [{each: objects, cls: category.name, box: %s, hard: attributes.hard}]
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    BOXES["json_per_image"](tmp_path / "data", scene())
    return tmp_path / "data"


def test_a_draft_is_written_and_works_at_once(run: Run, data: Path) -> None:
    out = data.parent / "my_boxes.yaml"
    status, said, told = run("infer", data, "-o", out)
    assert status == 0 and "5 items" in said and "5 of 5 files beside the images are read" in told
    text = out.read_text("utf-8")
    assert text.startswith(f"# yaml-language-server: $schema={SCHEMA_ID}\n") and "name: my_boxes" in text
    assert run("validate", out, data)[0] == 0
    assert run("lint", out, "--runs", "3")[0] == 0
    status, said, _ = run("lint", out, data)
    assert status == 0 and "what the spec reads comes back as it was" in said


def test_a_draft_is_printed_where_no_file_is_named(run: Run, data: Path) -> None:
    status, said, _ = run("infer", data)
    assert status == 0 and said.startswith("# yaml-language-server: ") and "name: data" in said


def test_a_file_that_is_there_stays(run: Run, data: Path) -> None:
    out = data.parent / "there.yaml"
    out.write_text("mine", "utf-8")
    status, _, told = run("infer", data, "-o", out)
    assert status == 2 and "--overwrite" in told and out.read_text("utf-8") == "mine"
    assert run("infer", data, "-o", out, "--overwrite")[0] == 0 and out.read_text("utf-8") != "mine"


def test_a_folder_without_images_is_one_sentence(run: Run, tmp_path: Path) -> None:
    put(tmp_path / "data", {"a.json": "{}"})
    status, said, told = run("infer", tmp_path / "data")
    assert status == 2 and said == "" and "holds no images" in told


@pytest.mark.parametrize("command", [("detect",), ("validate",), ("convert", "--to", "coco")])
def test_the_refusal_of_an_unknown_format_names_it(command: tuple[str, ...], run: Run, tmp_path: Path) -> None:
    OUTLINES["outlines_as_text"](tmp_path / "data", scene())
    status, _, told = run(*command, tmp_path / "data")
    assert status == 2 and f"`formatspec infer {tmp_path / 'data'} -o my_format.yaml` drafts a spec" in told


@pytest.mark.parametrize("kind", [*sorted(BOXES), *sorted(OUTLINES)])
def test_editors_accept_every_draft(kind: str, run: Run, tmp_path: Path) -> None:
    {**BOXES, **OUTLINES}[kind](tmp_path / "data", scene())
    status, said, _ = run("infer", tmp_path / "data")
    assert status == 0
    jsonschema.validate(yaml.safe_load(said), editor_schema())


def test_the_catalogue_can_be_hidden(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert len(available()) > 50
    monkeypatch.setenv("FORMATSPEC_NO_CATALOGUE", "1")
    assert available() == {}


# lint on data


def spec_with(folder: Path, box: str) -> Path:
    file = folder / "mine.yaml"
    file.write_text(SPEC % box, "utf-8")
    return file


def test_lint_says_what_a_spec_reads_of_data(run: Run, data: Path) -> None:
    status, said, _ = run("lint", spec_with(data.parent, "bbox | sides"), data)
    assert status == 0 and "5 items, 21 objects, 3 classes: " in said and "comes back as it was" in said


def test_lint_names_files_that_no_role_claims(run: Run, data: Path) -> None:
    put(data, {"lables/x1.json": "{}"})
    put(data, {"lables/x2.json": "{}"})
    status, said, _ = run("lint", spec_with(data.parent, "bbox | sides"), data)
    assert status == 0 and "no role claims lables/x1.json and 1 like it: not labels (labels/{name}.json): " in said


def test_lint_names_the_leaf_that_does_not_come_back(run: Run, data: Path) -> None:
    file = data / "labels" / "a1.json"
    document = json.loads(file.read_bytes())
    document["objects"][0]["note"] = "said by hand"
    file.write_text(json.dumps(document), "utf-8")
    spec = spec_with(data.parent, "bbox | sides")
    spec.write_text(spec.read_text("utf-8").replace("hard: attr", "\"note?\": = 'dull', hard: attr"), "utf-8")
    status, said, _ = run("lint", spec, data)
    assert status == 1 and "labels/a1.json" in said and f"{spec}:10" in said


def test_lint_compares_documents_value_by_value(data: Path) -> None:
    from formatspec.testing.compare_documents import ABSENT, compared, leaf_for

    there = {"objects": [{"box": [1, 2, 3, 4], "cls": "car"}], "w": 5}
    written = {"objects": [{"box": [1, 2, 3, 9]}], "w": 5, "new": 1}
    found = list(compared(there, written, ()))
    assert found == [(("objects", 0, "box", 3), 4, 9), (("objects", 0, "cls"), "car", ABSENT), (("new",), ABSENT, 1)]
    spec = spec_with(data.parent, "bbox | sides")
    form_role = _role(spec)
    assert leaf_for(form_role, ("objects", 0, "box", 3), False)[0].endswith("mine.yaml:10")
    assert "no leaf is for it" in leaf_for(form_role, ("new",), True)[1]


def _role(spec: Path):  # type: ignore[no-untyped-def]
    from formatspec.engine.spec.compiled import compile_format

    source = load_source(spec)
    return compile_format(source, source.layouts[0], {}).roles["labels"]


def test_lint_stops_at_errors_of_reading(run: Run, data: Path) -> None:
    status, said, _ = run("lint", spec_with(data.parent, "bbox | cxcywh | text"), data)
    assert status == 1 and "nothing is written again before these errors are mended" in said


def test_a_broken_law_names_the_leaf_what_was_written_and_what_was_read(data: Path) -> None:
    from formatspec.engine.spec.compiled import compile_format
    from formatspec.model.records import Category, Item, Object
    from formatspec.testing.laws import _leaves_at_fault

    spec = spec_with(data.parent, "bbox | sides")
    source = load_source(spec)
    form = compile_format(source, source.layouts[0], {})
    car = Category(name="car", index=0)
    made = Item(key="a", objects=(Object(category=car, bbox=(1, 2, 3, 4), attributes={"hard": True}),))
    back = Item(key="a", objects=(Object(category=car, bbox=(1, 2, 3, 5), attributes={"hard": True}),))
    (line,) = _leaves_at_fault(form, made, back)
    assert "mine.yaml:10" in line and "`bbox`" in line and "try a codec" in line
    assert "written was (1, 2, 3, 4), read (1, 2, 3, 5)" in line
    assert list(_leaves_at_fault(form, made, made)) == []
    (line,) = _leaves_at_fault(form, made, Item(key="a"))
    assert line.startswith("no object was read")


def test_files_of_an_unknown_kind_are_named(run: Run, data: Path) -> None:
    (data / "labels" / "more.trk").write_text("1|2\n")
    status, out, said = run("infer", data, "-o", data.parent / "mine.yaml")
    assert status == 0 and "no role for labels/more.trk" in said, out + said
    assert "#   labels/more.trk" in (data.parent / "mine.yaml").read_text()
    assert json.loads(run("infer", data, "--json")[1])["left"] == ["labels/more.trk"]
