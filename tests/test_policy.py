"""What is done about dirty data: one bad object costs that object, actions are counted, refusals say the way out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from coco_like import coco, image_bytes, put
from commands import Run

import formatspec as fs
from formatspec.findings.codes import ACTIONS
from formatspec.findings.table import CODES
from formatspec.policy.config import load, policy_of
from formatspec.policy.repair import clipped_ring
from formatspec.policy.rules import PolicyError, parse_on

BOX = [10, 10, 20, 20]
RING = [10, 10, 30, 10, 30, 30, 10, 30]


def dataset(folder: Path, *rows: dict[str, Any], subset: str = "train", **more: Any) -> Path:
    """A COCO dataset of two images of 100 x 80 pixels; `rows` stand beside one good object of each."""
    return put(folder, coco(list(rows), subset, **more))


def codes(report: Any) -> list[tuple[str, str]]:
    return sorted((finding.code, finding.level) for finding in report.findings)


GEOMETRY = {
    "partly out": ({"bbox": [90, 10, 20, 20]}, "BOX_OUTSIDE", "warning"),
    "out by a pixel": ({"bbox": [81, 10, 20, 20]}, "BOX_OUTSIDE", "info"),
    "on another scale": ({"bbox": [10, 10, 900, 20]}, "BOX_OUTSIDE", "error"),
    "away": ({"bbox": [120, 10, 20, 20]}, "BOX_AWAY", "warning"),
    "empty": ({"bbox": [10, 10, 0, 20]}, "BOX_EMPTY", "warning"),
    "swapped": ({"bbox": [30, 30, -20, -20]}, "BOX_SIZE", "error"),
    "outline out": ({"segmentation": [[10, 10, 130, 10, 30, 30]]}, "POLYGON_OUTSIDE", "warning"),
    "a ring of two points": ({"segmentation": [[10, 10, 30, 30]]}, "POLYGON", "error"),
    "an odd ring": ({"segmentation": [[10, 10, 30, 10, 30, 30, 1]]}, "POLYGON", "error"),
    "a short ring beside a good one": ({"segmentation": [RING, [1, 1, 2, 2]]}, "RING_SHORT", "warning"),
    "a flat list": ({"segmentation": RING}, "POLYGON_FLAT", "warning"),
    "an area of nothing": ({"area": 0}, "DIFFERS", "warning"),
    "a class as a fraction": ({"category_id": 1.0}, "NUMBER_FORM", "warning"),
    "run lengths of another size": ({"segmentation": {"size": [3, 3], "counts": [9]}}, "REGION_SIZE", "error"),
}


@pytest.mark.parametrize("kind", GEOMETRY)
def test_a_defect_has_one_code_and_the_level_of_the_table(kind: str, tmp_path: Path) -> None:
    values, code, level = GEOMETRY[kind]
    data = dataset(tmp_path / "data", values)
    found = [one for one in fs.validate(data, "coco").findings if one.code != "DIFFERS" or code == "DIFFERS"]
    assert [(one.code, one.level) for one in found] == [(code, level)]
    assert (found[0].pointer or "").startswith("/annotations/2/")


@pytest.mark.parametrize(("key", "code"), [("id", "ID_MISSING"), ("area", "FIELD_FILLED"), ("iscrowd", "FIELD_FILLED")])
def test_what_follows_is_filled_and_counted(key: str, code: str, tmp_path: Path) -> None:
    data = dataset(tmp_path / "data", {key: None})
    assert [one.code for one in fs.validate(data, "coco").findings] == [code]
    result = fs.convert(data, to="coco", out=tmp_path / "out", spec="coco")
    assert [(one.code, one.action, one.count) for one in result.actions] == [(code, "fix", 1)]
    rows = json.loads((tmp_path / "out/annotations/instances_train.json").read_text())["annotations"]
    assert len(rows) == 3 and all(row.get(key) is not None for row in rows)
    assert len({row["id"] for row in rows}) == 3
    assert fs.validate(tmp_path / "out", "coco").findings == ()
    with pytest.raises(fs.RefusedError, match="--lossless"):
        fs.convert(data, to="coco", out=tmp_path / "kept", spec="coco", lossless=True)


def test_one_bad_object_costs_that_object(tmp_path: Path) -> None:
    data = dataset(tmp_path / "data", {"category_id": 77}, {"bbox": [30, 30, -20, -20]})
    with pytest.raises(fs.RefusedError) as refused:
        fs.convert(data, to="coco", out=tmp_path / "out", spec="coco")
    assert not (tmp_path / "out").exists()
    assert refused.value.ways[-1] == "--on UNKNOWN_CATEGORY=fix --on BOX_SIZE=fix writes the rest"
    assert any("leaves out 1 object in 1 item" in way for way in refused.value.ways)
    result = fs.convert(data, to="coco", out=tmp_path / "out", spec="coco", on=["error=drop"])
    assert (result.items, result.skipped) == (2, 0)
    assert {(one.code, one.action, one.count) for one in result.actions} == {
        ("UNKNOWN_CATEGORY", "drop", 1), ("BOX_SIZE", "drop", 1)
    }  # fmt: skip
    added = fs.convert(data, to="coco", out=tmp_path / "added", spec="coco", on=["UNKNOWN_CATEGORY,BOX_SIZE=fix"])
    assert [(one.code, one.action, one.count) for one in added.actions] == [
        ("BOX_SIZE", "fix", 1), ("UNKNOWN_CATEGORY", "fix", 1)
    ]  # fmt: skip
    assert [one.name for one in fs.open(tmp_path / "added", "coco").categories] == ["cat", "dog", "class_77"]
    fixed = fs.convert(data, to="coco", out=tmp_path / "fixed", spec="coco", on={"BOX_SIZE": "fix", "error": "drop"})
    rows = json.loads((tmp_path / "fixed/annotations/instances_train.json").read_text())["annotations"]
    assert fixed.items == 2 and [row["bbox"] for row in rows] == [BOX, [10, 10, 20, 20], BOX]


def test_an_id_that_stands_twice_is_given_anew(tmp_path: Path) -> None:
    data = dataset(tmp_path / "data", {"id": 1}, {"id": 2, "image_id": 2})
    assert codes(fs.validate(data, "coco")) == [("DUPLICATE", "error")] * 2
    result = fs.convert(data, to="coco", out=tmp_path / "out", spec="coco")
    assert [(one.code, one.action, one.count) for one in result.actions] == [("DUPLICATE", "fix", 2)]
    rows = json.loads((tmp_path / "out/annotations/instances_train.json").read_text())["annotations"]
    assert sorted(row["id"] for row in rows) == [1, 2, 3, 4]
    assert fs.validate(tmp_path / "out", "coco").findings == ()


def test_what_is_written_is_no_error_in_the_target(tmp_path: Path) -> None:
    data = dataset(tmp_path / "data", {"bbox": [90, 10, 30, 20], "segmentation": []})
    asked: dict[str, Any] = {"to": "yolo_ultralytics", "spec": "coco", "options": {"task": "detect"}}
    with pytest.raises(fs.RefusedError) as refused:
        fs.convert(data, out=tmp_path / "out", **asked)
    assert "--on BOX_OUTSIDE=clip writes the rest" in refused.value.ways
    for action, count in (("clip", 3), ("drop", 2)):
        fs.convert(data, out=tmp_path / action, on=[f"BOX_OUTSIDE={action}"], **asked)
        report = fs.validate(tmp_path / action, "yolo_ultralytics", deep=True)
        assert not [one for one in report.findings if one.level == "error"]
        assert sum(len(item.objects) for item in fs.open(tmp_path / action, "yolo_ultralytics")) == count


def test_a_box_out_by_a_pixel_is_clipped_where_the_target_minds(tmp_path: Path) -> None:
    data = dataset(tmp_path / "data", {"bbox": [-1, -1, 102, 82], "segmentation": []})
    result = fs.convert(data, to="yolo_ultralytics", out=tmp_path / "out", spec="coco", options={"task": "detect"})
    assert [(one.code, one.action, one.count) for one in result.actions] == [("BOX_OUTSIDE", "clip", 1)]
    assert "0 0.5 0.5 1.0 1.0" in (tmp_path / "out/labels/train/a.txt").read_text()
    kept = fs.convert(data, to="coco", out=tmp_path / "kept", spec="coco")
    assert kept.actions == ()


def test_categories_of_one_name_are_merged_on_demand(tmp_path: Path) -> None:
    names = [{"id": 1, "name": "cat"}, {"id": 2, "name": "cat"}]
    data = dataset(tmp_path / "data", {"category_id": 2}, categories=names)
    with pytest.raises(fs.RefusedError) as refused:
        fs.convert(data, to="coco", out=tmp_path / "out", spec="coco", skip_invalid=True)
    assert refused.value.ways[-1] == "--on DUPLICATE=fix writes the rest"
    fs.convert(data, to="coco", out=tmp_path / "out", spec="coco", on=["DUPLICATE=fix"])
    written = json.loads((tmp_path / "out/annotations/instances_train.json").read_text())
    assert [one["name"] for one in written["categories"]] == ["cat"]
    assert {row["category_id"] for row in written["annotations"]} == {1}


def test_keys_that_stand_twice_and_numbers_without_end(tmp_path: Path) -> None:
    data = dataset(tmp_path / "data")
    file = data / "annotations/instances_train.json"
    text = file.read_text()
    file.write_text(text.replace('"category_id": 1', '"category_id": 1, "category_id": 1', 1))
    (found,) = fs.validate(data, "coco").findings
    assert (found.code, found.level, found.pointer) == ("DUPLICATE", "error", "/annotations/0/category_id")
    file.write_text(text.replace('"category_id": 1', f'"category_id": {"9" * 5000}', 1))
    (found,) = fs.validate(data, "coco").findings
    assert (found.code, found.level, found.pointer) == ("FIELD", "error", "/annotations/0/category_id")


def test_images_that_are_missing(tmp_path: Path) -> None:
    data = dataset(tmp_path / "data")
    (data / "images/train/a.jpg").unlink()
    assert codes(fs.validate(data, "coco")) == [("IMAGE_MISSING", "error")]
    (data / "images/train/b.jpg").unlink()
    assert codes(fs.validate(data, "coco")) == [("IMAGE_ABSENT", "info")]
    with pytest.raises(fs.RefusedError, match="--media none"):
        fs.convert(data, to="coco", out=tmp_path / "out", spec="coco")


def test_one_image_in_two_subsets(tmp_path: Path) -> None:
    data = dataset(tmp_path / "data")
    put(data, coco([], "val", images=[("a", 100, 80), ("b", 64, 48)]))
    assert codes(fs.validate(data, "coco")) == [("SPLIT_LEAK", "warning")]


def test_required_files_that_are_missing(tmp_path: Path) -> None:
    data = put(tmp_path / "data", {
        "images/train/a.jpg": image_bytes(100, 80), "labels/train/a.txt": "0 0.5 0.5 0.2 0.2\n",
    })  # fmt: skip
    found = [one for one in fs.validate(data, "yolo_ultralytics").findings if one.code == "FILE_MISSING"]
    assert [(one.level, one.file) for one in found] == [("error", "data.yaml")]
    with pytest.raises(fs.RefusedError):
        fs.convert(data, to="coco", out=tmp_path / "out", spec="yolo_ultralytics", skip_invalid=True)


@pytest.mark.parametrize(("text", "expected"), [
    ("names: [cat]\nnc: 2\n", [("CONFLICT", "error")]), ("nc: 2\n", [("FIELD_FILLED", "info")]),
    ("names: [cat]\nnc: 1\n", []),
])  # fmt: skip
def test_a_count_of_classes_beside_their_names(text: str, expected: list[Any], tmp_path: Path) -> None:
    data = put(tmp_path / "data", {
        "data.yaml": f"train: images/train\nval: images/val\n{text}", "images/train/a.jpg": image_bytes(100, 80),
        "labels/train/a.txt": "0 0.5 0.5 0.2 0.2\n", "images/val/b.jpg": image_bytes(90, 80),
    })  # fmt: skip
    assert codes(fs.validate(data, "yolo_ultralytics")) == expected


# rules


@pytest.mark.parametrize(("text", "said"), [
    ("BOX_OUTSIDE", "CODE[,CODE]=ACTION"), ("BOX_OUTSIDES=clip", "did you mean 'BOX_OUTSIDE'?"),
    ("BOX_OUTSIDE=clop", "did you mean 'clip'?"), ("KEYPOINTS_COUNT=fix", "it takes drop, error"),
])  # fmt: skip
def test_rules_that_cannot_be(text: str, said: str) -> None:
    with pytest.raises(PolicyError) as error:
        parse_on([text])
    assert said in str(error.value)


@pytest.mark.parametrize(("given", "said"), [
    ({"ignor": {}}, "did you mean 'ignore'?"), ({"on": {"BOX_OUTSIDE": {"action": "clip", "with": 1}}}, "'within'"),
    ({"on": {"BOX_OUTSIDE": {"action": "clip", "within": "x"}}}, "a part such as 5%"),
    ({"ignore": ["BOX"]}, "there is no code 'BOX'"), ({"fail_over": {"BOX_OUTSIDE": "many"}}, "takes a count"),
])  # fmt: skip
def test_configurations_that_cannot_be(given: Any, said: str) -> None:
    with pytest.raises(PolicyError) as error:
        policy_of(given)
    assert said in str(error.value)


def test_a_configuration_beside_the_data(tmp_path: Path, run: Run) -> None:
    data = dataset(tmp_path / "data", {"category_id": 77}, {"bbox": [10, 10, 0, 20]})
    assert run("validate", "coco", data)[0] == 1
    (data / "formatspec.yaml").write_text(
        "on:\n  UNKNOWN_CATEGORY: drop\nignore:\n  - {code: BOX_EMPTY, path: 'annotations/*'}\n  - FILE_UNCLAIMED\n"
        "fail_over: {UNKNOWN_CATEGORY: 1}\n"
    )
    status, out, _ = run("validate", "coco", data, "--json")
    findings = json.loads(out)["findings"]
    assert status == 0 and {one["code"] for one in findings} - {"DIFFERS"} == {"UNKNOWN_CATEGORY"}
    assert {one["action"] for one in findings if one["code"] == "UNKNOWN_CATEGORY"} == {"drop"}
    assert run("convert", "coco", data, "--to", "coco", "-o", tmp_path / "out")[0] == 0
    (data / "formatspec.yaml").unlink()
    (data / "pyproject.toml").write_text("[tool.formatspec.on]\nUNKNOWN_CATEGORY = 'dorp'\n")
    status, _, err = run("validate", "coco", data)
    assert status == 2 and "did you mean 'drop'?" in err


def test_a_clip_within_a_part_of_the_side(tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text("on: {BOX_OUTSIDE: {action: clip, within: 5%}}\n")
    (rule,) = load(file).rules
    assert (rule.action, rule.within) == ("clip", 0.05)
    near, far = ({"bbox": [100 - 20 + out, 10, 20, 20], "segmentation": []} for out in (4, 8))
    assert fs.convert(dataset(tmp_path / "a", near), to="coco", out=tmp_path / "o", spec="coco", config=file).actions
    with pytest.raises(fs.RefusedError):
        fs.convert(dataset(tmp_path / "b", far), to="coco", out=tmp_path / "p", spec="coco", config=file)


def test_levels_of_a_spec_are_checked(tmp_path: Path) -> None:
    spec = tmp_path / "own.yaml"
    text = "formatspec: 1\nname: own\nfiles: {{image: '{{name}}.{{ext:image}}'}}\nlevels: {{{}}}\n"
    for entry, said in (
        ("BOX_EMTY: error", "did you mean 'BOX_EMPTY'?"), ("BOX_EMPTY: bad", "no level"),
        ("BOX_EMPTY: {error: value > 1}", "did you mean 'values'?"),
    ):  # fmt: skip
        spec.write_text(text.format(entry))
        with pytest.raises(fs.SpecError) as error:
            fs.load_spec(spec)
        assert said in str(error.value)


def test_the_table_is_whole() -> None:
    for name, code in CODES.items():
        assert code.meaning and len({case.name for case in code.cases}) == len(code.cases), name
        for case in code.cases:
            assert case.action in ACTIONS and set(case.also) <= set(ACTIONS), name
            assert case.level != "error" or case.action in ("error", "fix"), name


def test_a_ring_is_cut_at_the_edge() -> None:
    assert clipped_ring((-5, 2, 5, 2, 5, 4, -5, 4), (10, 10)) == (0.0, 2.0, 5, 2, 5, 4, 0.0, 4.0)
    assert clipped_ring((20, 2, 30, 2, 30, 4), (10, 10)) == ()
