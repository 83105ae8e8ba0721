"""Single mutations of samples: what must be found is found, what is legal shows in counts, what is written is valid."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest
from coco_like import coco, image_bytes, put

import formatspec as fs
from formatspec.cli.main import main
from formatspec.testing.damage import files_of
from formatspec.testing.mutations import mutations as known

TOOL = Path(__file__).resolve().parent.parent / "benchmarks" / "mutations.py"
SPECS = (
    "coco",
    "voc",
    "yolo_ultralytics",
    "ade20k2020",
    "mot_seq",
    "vott_json",
    "bdd100k_box_track",
    "roboflow_semseg",
)


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("mutations_tool", TOOL)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("spec", SPECS)
def test_mutations_are_found_or_counted_and_their_conversions_are_valid(
    spec: str, tool: ModuleType, tmp_path: Path
) -> None:
    ran = [found for _, found in tool.Spec(spec, 12, 1, tmp_path).run()]
    assert len(ran) > 5
    assert [str(trouble) for found in ran for trouble in found] == []


def test_a_mutation_that_passes_unseen_is_told(tool: ModuleType, tmp_path: Path) -> None:
    spec = tool.Spec("coco", 1, 1, tmp_path)
    seed, files, mutated = spec.samples[0]
    harmless = mutated[0]._replace(make=lambda files, rng: dict(files))
    spec.samples = [(seed, files, [harmless])]
    assert [trouble.kind for _, found in spec.run() for trouble in found] == [tool.SILENT]


def test_what_is_known_of_a_mutation_follows_from_the_rule(tmp_path: Path) -> None:
    rows = "0 0.5 0.5 0.2 0.2\n1 0.5 0.5 0.2 0.2\n1 0.3 0.5 0.2 0.2\n"
    found = known.mutations(fs.load_spec("yolo_ultralytics"), files_of(yolo(tmp_path / "data", rows)))
    verdicts = {(one.role, one.kind): one.verdict for one in found}
    assert verdicts["label", known.OPTIONAL_MISSING] == known.LEGAL
    assert verdicts["label", known.LINE_DROPPED] == known.LEGAL
    assert verdicts["image", known.EMPTY] == known.FOUND
    assert verdicts["image", known.FILE_MISSING] == known.FOUND
    assert verdicts["data", known.FILE_MISSING] == known.FOUND


def test_labels_that_are_missing_show_in_the_counts(tmp_path: Path) -> None:
    data = yolo(tmp_path / "data", "0 0.5 0.5 0.2 0.2\n", "0 0.5 0.5 0.2 0.2\n")
    whole = fs.validate(data, "yolo_ultralytics")
    assert (whole.counts["objects"], whole.files) == (2, {"label": 2})
    (data / "labels/train/b.txt").unlink()
    report = fs.validate(data, "yolo_ultralytics")
    assert (report.counts["objects"], report.files) == (1, {"label": 1})
    assert report.held() == "1 object, 1 box; label for 1 of 2 items"


def yolo(folder: Path, *labels: str) -> Path:
    """A YOLO dataset with an image of 100 x 80 pixels for each label file."""
    files: dict[str, str | bytes] = {
        "data.yaml": "path: .\ntrain: images/train\nval: images/train\nnames: [cat, dog]\n"
    }
    for name, label in zip("abc", labels, strict=False):
        files |= {f"images/train/{name}.jpg": image_bytes(100, 80), f"labels/train/{name}.txt": label}
    return put(folder, files)


def test_a_row_that_stands_twice_is_told_at_its_place(tmp_path: Path) -> None:
    data = yolo(tmp_path / "data", "0 0.5 0.5 0.2 0.2\n1 0.5 0.5 0.2 0.2\n0 0.5 0.5 0.2 0.2\n")
    (found,) = (one for one in fs.validate(data, "yolo_ultralytics").findings if one.code != "SPLIT_LEAK")
    assert (found.code, found.level, found.file, found.line) == ("ROW_TWICE", "warning", "labels/train/a.txt", 3)
    kept = fs.convert(data, to="coco", out=tmp_path / "kept", spec="yolo_ultralytics")
    assert [one.code for one in kept.findings] == ["ROW_TWICE"]
    dropped = fs.convert(data, to="coco", out=tmp_path / "out", spec="yolo_ultralytics", on=("ROW_TWICE=drop",))
    assert [(one.code, one.action, one.count) for one in dropped.actions] == [("ROW_TWICE", "drop", 1)]
    (written,) = (tmp_path / "out/annotations").glob("*.json")
    assert len(json.loads(written.read_text())["annotations"]) == 2


def test_a_track_that_stands_twice_in_a_frame_is_an_error(tmp_path: Path) -> None:
    rows = "1,7,10,10,20,20,1,1,1\n1,7,40,40,20,20,1,1,1\n1,-1,10,10,9,9,1,1,1\n1,-1,40,40,9,9,1,1,1\n"
    about = "[Sequence]\nname=s\nimDir=img1\nframeRate=30\nseqLength=1\nimWidth=100\nimHeight=80\nimExt=.jpg\n"
    data = put(
        tmp_path / "data", {"s/img1/000001.jpg": image_bytes(100, 80), "s/gt/gt.txt": rows, "s/seqinfo.ini": about}
    )
    found = [one for one in fs.validate(data, "mot_seq").findings if one.level == "error"]
    assert [(one.code, one.case, one.file, one.line) for one in found] == [("DUPLICATE", "track", "s/gt/gt.txt", 2)]


def test_bytes_that_are_no_text_are_found_in_rows_that_are_sought(tmp_path: Path) -> None:
    files = coco([])
    name = "annotations/instances_train.json"
    whole = str(files[name]).encode()
    for damaged in (
        whole.replace(b'"file_name": "a', b'"file_name": "\xff'),
        whole.replace(b"[10, 10,", b"[1e999, 10,"),
    ):
        data = put(tmp_path / str(len(damaged)), {**files, name: damaged})
        found = fs.validate(data, "coco").findings
        assert any(one.level == "error" and one.file == name for one in found)
        with pytest.raises(fs.RefusedError):
            fs.convert(data, to="voc", out=tmp_path / "out", spec="coco")


def test_a_row_that_is_left_out_is_left_out_of_its_own_format_too(tmp_path: Path) -> None:
    data = yolo(tmp_path / "data", "0 0.5 0.5 0.2 0.2\n9 0.5 0.5 0.2 0.2\n")
    fs.convert(
        data, to="yolo_ultralytics", out=tmp_path / "out", spec="yolo_ultralytics", on=("UNKNOWN_CATEGORY=drop",)
    )
    assert (tmp_path / "out/labels/train/a.txt").read_text().split() == ["0", "0.5", "0.5", "0.2", "0.2"]


def test_one_bad_object_among_a_thousand_images_costs_that_object(tmp_path: Path) -> None:
    images = [(f"i{number:04}", 100, 80) for number in range(1000)]
    data = put(tmp_path / "data", coco([{"id": 5000, "image_id": 500, "category_id": 77}], images=images))
    result = fs.convert(data, to="coco", out=tmp_path / "out", spec="coco", on=("error=drop",))
    assert result.items == 1000
    (told,) = (one for one in result.findings if one.level == "error")
    assert (told.code, told.object or told.pointer, told.item, told.action) == (
        "UNKNOWN_CATEGORY", told.object or "/annotations/1000/category_id", "train/i0499", "drop"
    )  # fmt: skip
    (written,) = (tmp_path / "out/annotations").glob("*.json")
    assert len(json.loads(written.read_text())["annotations"]) == 1000


def test_a_key_that_stands_twice_stops_a_conversion(tmp_path: Path) -> None:
    files = coco([])
    name = "annotations/instances_train.json"
    data = put(tmp_path / "data", {**files, name: str(files[name]).replace('"bbox"', '"bbox": 0, "bbox"', 1)})
    with pytest.raises(fs.RefusedError) as refused:
        fs.convert(data, to="yolo_ultralytics", out=tmp_path / "out", spec="coco")
    assert "DUPLICATE" in [one.code for one in refused.value.findings]


def test_a_class_list_that_one_subset_lacks_is_missed(tmp_path: Path) -> None:
    for seed in range(9):
        fs.sample("roboflow_semseg", tmp_path / str(seed), items=4, seed=seed)
        lists = sorted((tmp_path / str(seed)).glob("*/_classes.csv"))
        if len(lists) > 1:
            lists[0].unlink()
            codes = [one.code for one in fs.validate(tmp_path / str(seed), "roboflow_semseg").findings]
            assert "FILE_MISSING" in codes
            return
    raise AssertionError("no sample has two subsets")


def test_a_segment_without_pixels_is_an_unknown_reference(tmp_path: Path) -> None:
    for seed in range(9):
        fs.sample("coco_panoptic", tmp_path / str(seed), items=4, seed=seed)
        for path in sorted((tmp_path / str(seed)).glob("annotations/panoptic_*.json")):
            document = json.loads(path.read_text())
            segments = next((one["segments_info"] for one in document["annotations"] if one["segments_info"]), None)
            if segments is None:
                continue
            segments.append({**segments[0], "id": 999_999})
            path.write_text(json.dumps(document))
            (found,) = (one for one in fs.validate(tmp_path / str(seed), "coco_panoptic", deep=True).findings
                        if one.level == "error")  # fmt: skip
            assert (found.code, found.object, found.scope) == ("UNKNOWN_REFERENCE", 999_999, "object")
            assert found.file == f"annotations/{path.name}" and found.line is not None
            return
    raise AssertionError("no sample has a segment")


def test_what_an_object_lacks_or_states_oddly_is_info(tmp_path: Path) -> None:
    bow = {"segmentation": [[10, 10, 30, 30, 30, 10, 10, 30]]}
    data = put(tmp_path / "data", coco([{"segmentation": []}, {"area": 0, "iscrowd": 0, **bow}]))
    shallow = fs.validate(data, "coco").findings
    assert {("SEGMENT_EMPTY", "info", 3)} <= {(one.code, one.level, one.object) for one in shallow}
    assert "POLYGON_CROSSES" not in [one.code for one in shallow]
    deep = {(one.code, one.level, one.object) for one in fs.validate(data, "coco", deep=True).findings}
    assert ("POLYGON_CROSSES", "info", 4) in deep and ("POLYGON_CROSSES", "info", 1) not in deep
    crossing = next(one for one in fs.validate(data, "coco", deep=True).findings if one.code == "POLYGON_CROSSES")
    assert crossing.pointer == "/annotations/3"
    result = fs.convert(data, to="yolo_ultralytics", out=tmp_path / "out", spec="coco")
    assert "-O task=detect keeps 4 of 4 objects" in result.notices
    boxes = fs.convert(data, to="tfod_csv", out=tmp_path / "boxes", spec="coco")
    assert any(one.startswith("not checked: outlines of 3 objects") for one in boxes.notices)


def test_a_size_stated_as_0_is_measured(tmp_path: Path) -> None:
    data = put(tmp_path / "data", coco([], images=(("a", 100, 80), ("b", 100, 80))))
    path = data / "annotations/instances_train.json"
    document = json.loads(path.read_text())
    document["images"][0]["width"] = document["images"][0]["height"] = 0
    path.write_text(json.dumps(document))
    found = fs.validate(data, "coco").findings
    assert {(one.code, one.level) for one in found} == {("IMAGE_SIZE_ABSENT", "warning")}
    result = fs.convert(data, to="coco", out=tmp_path / "out", spec="coco")
    assert [(one.code, one.action, one.count) for one in result.actions] == [("IMAGE_SIZE_ABSENT", "fix", 1)]
    (written,) = (tmp_path / "out/annotations").glob("*.json")
    assert [(one["width"], one["height"]) for one in json.loads(written.read_text())["images"]] == [(100, 80)] * 2


def test_a_line_with_too_few_numbers_is_told_as_the_box_that_it_resembles(tmp_path: Path) -> None:
    data = yolo(tmp_path / "data", "0 0.5 0.5 0.2\n0 0.5 0.5 0.2 0.2\n")
    found = next(one for one in fs.validate(data, "yolo_ultralytics").findings if one.level == "error")
    assert (found.code, found.line, found.got) == ("LINE", 1, "0 0.5 0.5 0.2")
    assert found.message == "a row of a box has 5 values, and this one has 4"


def test_an_item_is_judged_by_what_its_target_calls_an_error_even_if_nothing_else_is_wrong(tmp_path: Path) -> None:
    data = put(tmp_path / "data", coco([{"bbox": [10, 10, 0.4, 20], "area": 8, "segmentation": None}]))
    result = fs.convert(data, to="voc", out=tmp_path / "out", spec="coco", on=("error=drop",))
    assert result.items == 2
    assert [one for one in fs.validate(tmp_path / "out", "voc", deep=True).findings if one.level == "error"] == []


def test_a_word_that_is_neither_data_nor_a_spec_is_said_to_be_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["formatspec", "convert", "nosuchdir", "--to", "coco", "-o", "x"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert capsys.readouterr().err.strip().endswith("there is no folder, no zip and no spec 'nosuchdir'")
    assert list(tmp_path.iterdir()) == []
