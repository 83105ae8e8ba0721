"""The command line: what it takes, what it prints, how it ends."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from written_files import written_bytes

import formatspec as fs
from formatspec.testing.memory import image_bytes

SPECS = Path(fs.__file__).parent.parent / "specs"
SPEC = SPECS / "ade20k2020.yaml"


def annotations(folder: Path) -> list[Any]:
    documents = [json.loads(p.read_text("utf-8")) for p in sorted(folder.glob("annotations/instances_*.json"))]
    return [annotation for document in documents for annotation in document["annotations"]]


# validate


@pytest.mark.parametrize("what", ["file and data", "name and data", "data alone", "data by default"])
def test_validate(what: str, run: Any, ade20k2020: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ade20k2020)
    arguments = {
        "file and data": (SPEC, ade20k2020), "name and data": ("ade20k2020", f"{ade20k2020}/"),
        "data alone": (ade20k2020,), "data by default": (),
    }[what]  # fmt: skip
    ran = run("validate", *arguments)
    assert ran.status == 0, ran
    assert "ade20k2020, 4 items, no findings" in ran.out


def test_a_spec_alone_means_the_data_here(run: Any, ade20k2020: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ade20k2020)
    assert run("validate", "ade20k2020").status == 0
    assert run("validate", SPEC).status == 0


def test_a_word_that_is_a_spec_and_a_folder(run: Any, ade20k2020: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ade20k2020.parent)
    ade20k2020.rename("ade20k2020")
    ran = run("validate", "ade20k2020")
    assert ran.status == 2
    assert "both" in ran.err and "./ade20k2020" in ran.err
    assert run("validate", "./ade20k2020").status == 0


def test_validate_as_json(run: Any, ade20k2020: Path) -> None:
    image = next(path for path in sorted(ade20k2020.rglob("*")) if path.suffix.lower() in (".jpg", ".jpeg"))
    image.unlink()
    ran = run("validate", ade20k2020, "--json")
    assert ran.status == 1
    report = ran.json()
    counted = {"counts", "files", "rows"}
    assert report.keys() == {"version", "spec", "data", "items", "findings", "summary", "not_checked"} | counted
    assert (report["version"], report["spec"], report["data"]) == (1, "ade20k2020", str(ade20k2020))
    assert report["summary"]["IMAGE_MISSING"] == 1
    finding = next(f for f in report["findings"] if f["code"] == "IMAGE_MISSING")
    assert finding["level"] == "error" and finding["file"] and not finding["file"].startswith("/")
    assert report["not_checked"] != []
    assert run("validate", ade20k2020, "--json", "--deep").json()["not_checked"] == []


def test_a_zip_is_data(run: Any, ade20k2020: Path, tmp_path: Path) -> None:
    archive = shutil.make_archive(str(tmp_path / "packed"), "zip", ade20k2020)
    assert "4 items, no findings" in run("validate", archive).out
    deep = run("validate", archive, "--deep")  # made-up outlines may cross themselves, which is info
    assert (deep.status, "error" in deep.out, "warning" in deep.out) == (0, False, False)
    assert run("convert", archive, "--to", "coco").status == 0
    assert run("convert", ade20k2020, "--to", "coco", "-o", tmp_path / "plain").status == 0
    assert written_bytes(tmp_path / "packed-coco") == written_bytes(tmp_path / "plain")


# convert


def test_convert_in_the_datas_folder(run: Any, ade20k2020: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ade20k2020)
    ran = run("convert", "--to", "coco")
    assert ran.status == 0, ran
    out = ade20k2020.parent / "data-coco"
    assert run("validate", "coco", out, "--deep").status == 0
    assert "coco, 4 items" in ran.out
    assert "hidden regions: " in ran.out or "coco cannot hold" in ran.out
    assert sorted(p.name for p in ade20k2020.parent.iterdir()) == ["data", "data-coco"]


def test_the_same_input_gives_the_same_bytes(run: Any, ade20k2020: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        assert run("convert", ade20k2020, "--to", "coco", "-o", tmp_path / name).status == 0
    assert written_bytes(tmp_path / "one") == written_bytes(tmp_path / "two")


@pytest.mark.parametrize("inside", [".", "deeper/out", ".."])
def test_an_output_inside_or_around_the_data_is_refused(inside: str, run: Any, ade20k2020: Path) -> None:
    before = written_bytes(ade20k2020)
    ran = run("convert", ade20k2020, "--to", "coco", "-o", ade20k2020 / inside, "--overwrite")
    assert ran.status == 2
    assert "-o" in ran.err
    assert written_bytes(ade20k2020) == before


def test_an_output_that_exists_is_not_touched(run: Any, ade20k2020: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    ran = run("convert", ade20k2020, "--to", "coco", "-o", out)
    assert ran.status == 2 and "--overwrite" in ran.err
    assert written_bytes(out) == {"mine.txt": b"mine"}
    ran = run("convert", ade20k2020, "--to", "coco", "-o", out, "--overwrite")
    assert ran.status == 2 and "--force" in ran.err
    assert written_bytes(out) == {"mine.txt": b"mine"}
    assert run("convert", ade20k2020, "--to", "coco", "-o", out, "--force").status == 0
    assert "mine.txt" not in written_bytes(out) and annotations(out)
    assert run("convert", ade20k2020, "--to", "coco", "-o", out, "--overwrite").status == 0


def test_an_output_that_exists_stays_when_a_conversion_is_refused(run: Any, ade20k2020: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    ran = run("convert", ade20k2020, "--to", "coco", "-o", out, "--force", "--lossless")
    assert ran.status == 1
    assert written_bytes(out) == {"mine.txt": b"mine"}


@pytest.mark.parametrize("media", ["copy", "link", "none"])
def test_media(media: str, run: Any, ade20k2020: Path, tmp_path: Path) -> None:
    assert run("convert", ade20k2020, "--to", "coco", "-o", tmp_path / "out", "--media", media).status == 0
    images = sorted((tmp_path / "out").glob("images/**/*.*"))
    assert len(images) == (0 if media == "none" else 4)
    assert all((image.stat().st_nlink > 1) is (media == "link") for image in images)
    assert annotations(tmp_path / "out")


def test_without_media_an_absent_image_is_no_error(run: Any, ade20k2020: Path, tmp_path: Path) -> None:
    whole = run("convert", ade20k2020, "--to", "coco", "-o", tmp_path / "whole", "--media", "none")
    for image in [path for path in ade20k2020.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg")]:
        image.unlink()
    checked = run("validate", "ade20k2020", ade20k2020)
    assert checked.status == 0 and "info IMAGE_ABSENT" in checked.out
    refused = run("convert", "ade20k2020", ade20k2020, "--to", "coco", "-o", tmp_path / "out")
    assert refused.status == 1 and "--media none" in refused.err
    ran = run("convert", "ade20k2020", ade20k2020, "--to", "coco", "-o", tmp_path / "out", "--media", "none")
    assert (whole.status, ran.status) == (0, 0), ran
    assert annotations(tmp_path / "out") == annotations(tmp_path / "whole")


def test_where_keeps_objects(run: Any, ade20k2020: Path, tmp_path: Path) -> None:
    names = sorted({t.category.name for item in fs.open(ade20k2020) for t in item.objects if t.category})
    assert len(names) > 1
    where = f"category.name == '{names[0]}'"
    assert run("convert", ade20k2020, "--to", "coco", "-o", tmp_path / "out", "--where", where).status == 0
    kept = [t for item in fs.open(ade20k2020) for t in item.objects if t.category and t.category.name == names[0]]
    assert len(annotations(tmp_path / "out")) == len([t for t in kept if t.region or t.polygons])


def test_where_keeps_items(run: Any, ade20k2020: Path, tmp_path: Path) -> None:
    subset = next(iter(fs.open(ade20k2020))).subsets[0]
    expected = sum(item.subsets == (subset,) for item in fs.open(ade20k2020))
    ran = run("convert", ade20k2020, "--to", "coco", "-o", tmp_path / "out", "--where", f"subset == '{subset}'")
    assert ran.status == 0 and f"coco, {expected} item" in ran.out


@pytest.mark.parametrize("where", ["nmae == 1", "(", "category.nam == 'x'"])
def test_where_that_means_nothing(where: str, run: Any, ade20k2020: Path, tmp_path: Path) -> None:
    ran = run("convert", ade20k2020, "--to", "coco", "-o", tmp_path / "out", "--where", where)
    assert ran.status == 2 and "--where" in ran.err
    assert not (tmp_path / "out").exists()


def test_labels(run: Any, ade20k2020: Path, tmp_path: Path) -> None:
    names = sorted({t.category.name for item in fs.open(ade20k2020) for t in item.objects if t.category})
    table = tmp_path / "labels.yaml"
    table.write_text(json.dumps({names[0]: "thing", names[1]: None}), "utf-8")
    ran = run("convert", ade20k2020, "--to", "coco", "-o", tmp_path / "out", "--labels", table)
    assert ran.status == 0, ran
    written = {t.category.name for item in fs.open(tmp_path / "out", "coco") for t in item.objects if t.category}
    assert written == {"thing", *names[2:]}


@pytest.mark.parametrize("text", ["[a, b]", "a: [b]", "a: b: c", ""])
def test_labels_that_are_none(text: str, run: Any, ade20k2020: Path, tmp_path: Path) -> None:
    table = tmp_path / "labels.yaml"
    table.write_text(text)
    ran = run("convert", ade20k2020, "--to", "coco", "-o", tmp_path / "out", "--labels", table)
    assert ran.status == 2 and "--labels" in ran.err


def test_subsets(run: Any, ade20k2020: Path, tmp_path: Path) -> None:
    subsets = sorted({s for item in fs.open(ade20k2020) for s in item.subsets})
    renamed = [word for name in subsets for word in ("--subsets", f"{name}=new_{name}")]
    assert run("convert", ade20k2020, "--to", "coco", "-o", tmp_path / "out", *renamed).status == 0
    assert sorted({s for item in fs.open(tmp_path / "out") for s in item.subsets}) == [f"new_{s}" for s in subsets]


def test_a_subset_that_has_no_place(run: Any, ade20k2020: Path, tmp_path: Path) -> None:
    subsets = sorted({s for item in fs.open(ade20k2020) for s in item.subsets})
    odd = [word for name in subsets for word in ("--subsets", f"{name}=odd")]
    ran = run("convert", ade20k2020, "--to", "yolo_ultralytics", "-o", tmp_path / "out", *odd)
    assert ran.status == 1
    assert "--subsets odd=train" in ran.err
    assert not (tmp_path / "out").exists()


def test_lossless_refuses(run: Any, ade20k2020: Path, tmp_path: Path) -> None:
    ran = run("convert", ade20k2020, "--to", "coco", "-o", tmp_path / "out", "--lossless")
    assert ran.status == 1
    assert "cannot hold" in ran.err
    assert not (tmp_path / "out").exists()
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []
    assert run("convert", ade20k2020, "--to", "ade20k2020", "-o", tmp_path / "out", "--lossless").status == 0


def test_report(run: Any, ade20k2020: Path, tmp_path: Path) -> None:
    ran = run("convert", ade20k2020, "--to", "coco", "-o", tmp_path / "out", "--report", tmp_path / "report.json")
    report = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert (report["version"], report["source"], report["target"]) == (1, "ade20k2020", "coco")
    assert (report["items"], report["skipped"], report["out"]) == (4, 0, str(tmp_path / "out"))
    assert report["losses"] and all(loss.keys() == {"what", "unit", "count"} for loss in report["losses"])
    for loss in report["losses"]:
        assert f"{loss['what']}: {loss['count']} " in ran.out


def test_an_option_of_the_target(run: Any, ade20k2020: Path, tmp_path: Path) -> None:
    subsets = {s for item in fs.open(ade20k2020) for s in item.subsets}
    names = [word for name in sorted(subsets) for word in ("--subsets", f"{name}=train")]
    base = ("convert", ade20k2020, "--to", "yolo_ultralytics", *names, "-o")
    assert run(*base, tmp_path / "out", "-O", "task=detect").status == 0
    lines = [line for p in (tmp_path / "out").glob("labels/*/*.txt") for line in p.read_text().splitlines()]
    assert lines and all(len(line.split()) == 5 for line in lines)
    ran = run(*base, tmp_path / "other", "-O", "task=detekt")
    assert ran.status == 2 and "did you mean 'detect'" in ran.err
    ran = run(*base, tmp_path / "other", "-O", "tsak=detect")
    assert ran.status == 2 and "tsak" in ran.err
    assert not (tmp_path / "other").exists()


# the other commands


def test_dump(run: Any, ade20k2020: Path) -> None:
    ran = run("dump", ade20k2020)
    items = [json.loads(line) for line in ran.out.splitlines()]
    assert ran.status == 0 and len(items) == 4
    assert [item["key"] for item in items] == sorted((item["key"] for item in items), key=lambda key: key.split("/"))
    first = json.loads(run("dump", "ade20k2020", ade20k2020, "--dataset").out.splitlines()[0])
    assert first.keys() == {"spec", "root", "categories"} and first["spec"] == "ade20k2020"


def test_dump_gives_every_other_item(run: Any, ade20k2020: Path) -> None:
    next(iter(sorted(ade20k2020.rglob("*.json")))).write_text("{")
    ran = run("dump", ade20k2020)
    assert ran.status == 1 and len(ran.out.splitlines()) == 3
    assert "FILE_UNREADABLE" in ran.err


def test_detect(run: Any, ade20k2020: Path, tmp_path: Path) -> None:
    assert run("detect", ade20k2020).out == "ade20k2020\n"
    told = run("detect", ade20k2020, "--json").json()
    assert told["formats"] == ["ade20k2020"] and "coco" in told["rejected"]
    (tmp_path / "empty").mkdir()
    ran = run("detect", tmp_path / "empty")
    assert ran.status == 2 and "it holds no file; point at the folder" in ran.err
    assert "  not coco: " in run("detect", tmp_path / "empty", "--all").err


def test_data_of_no_known_format(run: Any, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.bin").write_bytes(b"a")
    for arguments in (
        ("validate", tmp_path / "data"),
        ("dump", tmp_path / "data"),
        ("convert", tmp_path / "data", "--to", "coco"),
    ):
        ran = run(*arguments)
        assert ran.status == 2 and "formatspec detect" in ran.err


def test_specs(run: Any) -> None:
    listed = run("specs").out
    for name in ("ade20k2020", "coco", "voc", "yolo_ultralytics", "image_masks"):
        assert any(line.split()[0] == name for line in listed.splitlines())
    assert run("specs", "show", "coco").out == (SPECS / "coco.yaml").read_text("utf-8")
    ran = run("specs", "show", "cocoo")
    assert ran.status == 2 and "did you mean 'coco'" in ran.err
    assert run("specs", "shwo").status == 2


def test_schema(run: Any) -> None:
    import jsonschema

    schema = run("schema").json()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert {"formatspec", "name", "files"} <= {*schema["required"], *schema["else"]["required"]}


def test_sample(run: Any, tmp_path: Path) -> None:
    for name, seed in (("a", "7"), ("b", "7"), ("c", "8")):
        assert run("sample", "voc", tmp_path / name, "--items", "3", "--seed", seed).status == 0
    assert written_bytes(tmp_path / "a") == written_bytes(tmp_path / "b") != written_bytes(tmp_path / "c")
    assert run("validate", "voc", tmp_path / "a", "--deep").status == 0
    ran = run("sample", "voc", tmp_path / "a")
    assert ran.status == 2 and "exists" in ran.err


def test_lint(run: Any) -> None:
    ran = run("lint", "image_masks", "--runs", "3")
    assert ran.status == 0 and "both laws hold on 3 generated datasets" in ran.out


def test_quiet(run: Any, ade20k2020: Path, tmp_path: Path) -> None:
    loud = run("validate", ade20k2020)
    for arguments in (("-q", "validate", ade20k2020), ("validate", ade20k2020, "-q")):
        ran = run(*arguments)
        assert ran.err == "" and ran.out == loud.out
    assert "not checked" in loud.err
    ran = run("-q", "convert", ade20k2020, "--to", "coco", "-o", ade20k2020)
    assert ran.status == 2 and ran.err
    run("validate", ade20k2020)


def test_version(run: Any) -> None:
    assert run("--version").out == f"formatspec {fs.__version__}\n"


WRONG = {
    "no such command": ("validdate",),
    "no such flag": ("validate", "--depe"),
    "no target": ("convert", "DATA"),
    "unknown target": ("convert", "DATA", "--to", "cocoo"),
    "unknown spec": ("validate", "cocoo", "DATA"),
    "no such data": ("validate", "coco", "no_such_folder"),
    "no such folder": ("validate", "no/such/folder"),
    "no such folder to convert": ("convert", "no/such/folder", "--to", "coco"),
    "no such zip": ("validate", "ade20k2020", "no.zip"),
    "data that is a file": ("validate", "ade20k2020", "FILE"),
    "no such spec file": ("validate", "no/such.yaml", "DATA"),
    "three words": ("validate", "coco", "DATA", "DATA"),
    "unknown media": ("convert", "DATA", "--to", "coco", "--media", "move"),
    "option without a value": ("convert", "DATA", "--to", "coco", "-O", "task"),
    "subset without a new name": ("convert", "DATA", "--to", "coco", "--subsets", "train"),
    "unknown option": ("validate", "ade20k2020", "DATA", "-O", "colour=red"),
    "no labels file": ("convert", "DATA", "--to", "coco", "--labels", "no.yaml"),
    "lint of nothing": ("lint", "no_such_spec"),
    "sample of nothing": ("sample", "no_such_spec", "OUT"),
    "items that are no number": ("sample", "coco", "OUT", "--items", "many"),
    "items below nothing": ("sample", "coco", "OUT", "--items", "-1"),
    "report in no folder": ("convert", "DATA", "--to", "coco", "-o", "OUT", "--report", "no/such/report.json"),
    "detect of nothing": ("detect", "no/such/folder"),
    "lint of a folder": ("lint", "DATA"),
    "an empty condition": ("convert", "DATA", "--to", "coco", "--where", ""),
    "a folder of labels": ("convert", "DATA", "--to", "coco", "--labels", "DATA"),
    "no file of classes": ("validate", "DATA", "--classes", "no.txt"),
    "no file of rules": ("validate", "DATA", "--config", "no.yaml"),
    "a page that is a folder": ("stats", "DATA", "--html", "DATA"),
    "a page in no folder": ("stats", "DATA", "--html", "no/such/page.html"),
    "a picture of no kind": ("plot", "DATA", "-o", "a.xyz"),
    "a picture that is a folder": ("plot", "DATA", "-o", "DATA"),
    "part of an item": ("plot", "DATA", "nowhere", "-o", "a.png"),
    "every none": ("validate", "DATA", "--every", "0"),
    "an overlap beyond 1": ("compare", "DATA", "DATA", "--iou", "2"),
    "an option at the end": ("convert", "DATA", "--to"),
}
SAID = {
    "option at the end": (("convert", "DATA", "--to"), "Option '--to' requires an argument; `formatspec"),
    "a number below the least": (("validate", "DATA", "--every", "0"), "--every: it takes a number from 1;"),
    "a number above the greatest": (("compare", "DATA", "DATA", "--iou", "2"), "--iou: it takes a number up to 1;"),
    "a word for a number": (("sample", "coco", "OUT", "--items", "x"), "--items: it takes a whole number;"),
    "data nearly named": (("validate", "ade20k2020", "DATA_"), "did you mean"),
    "data nearly named alone": (("validate", "DATA_"), "did you mean"),
    "a file nearly named": (("convert", "DATA", "--to", "coco", "--labels", "FILE_"), "did you mean"),
    "a folder for a spec": (("lint", "DATA"), "lint takes a spec first"),
    "empty text": (("convert", "DATA", "--to", "coco", "--where", " "), "--where is empty; it takes an expression"),
}


@pytest.mark.parametrize("kind", SAID)
def test_what_is_said_of_wrong_usage(kind: str, run: Any, ade20k2020: Path, tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("a")
    words, message = SAID[kind]
    places = {"DATA": ade20k2020, "OUT": tmp_path / "out", "DATA_": f"{ade20k2020}_", "FILE_": tmp_path / "aa.txt"}
    ran = run(*(places.get(word, word) for word in words))
    assert ran.status == 2 and message in ran.err and "[Errno" not in ran.err, ran.err


def test_a_map_of_classes_that_comes_along_is_known_by_its_name(run: Any, tmp_path: Path) -> None:
    thing = fs.Object(category=fs.Category(name="car, auto, automobile, machine, motorcar"), bbox=(0, 0, 4, 4))
    image = fs.Image(path="a.png", data=image_bytes(8, 8, "png"))
    fs.write([fs.Item(key="a", image=image, objects=(thing,))], tmp_path / "data", to="coco")
    named, by_file = tmp_path / "named", tmp_path / "by_file"
    for labels, out in (("ade20k2020_to_scene_instances", named), (MAP, by_file)):
        done = run("convert", tmp_path / "data", "--to", "coco", "--labels", labels, "-o", out)
        assert done.status == 0, done.err
    assert written_bytes(named) == written_bytes(by_file)
    assert fs.open(named)[0].objects[0].category.name != thing.category.name
    unknown = run("convert", tmp_path / "data", "--to", "coco", "--labels", "ade20k2020_to_nothing", "-o", by_file)
    assert unknown.status == 2 and "there is no such file" in unknown.err


MAP = SPECS / "labels" / "ade20k2020_to_scene_instances.yaml"


@pytest.mark.parametrize("kind", WRONG)
def test_wrong_usage_is_one_sentence_and_exits_2(kind: str, run: Any, ade20k2020: Path, tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("a")
    places = {"DATA": ade20k2020, "FILE": file, "OUT": tmp_path / "out"}
    ran = run(*(places.get(word, word) for word in WRONG[kind]))
    assert ran.status == 2, ran
    assert ran.out == ""
    assert len(ran.err.strip().splitlines()) == 1, ran.err
    assert not (tmp_path / "out").exists() and not (tmp_path / "data-coco").exists()


# as a process of its own


def process(*arguments: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "formatspec.cli.main", *map(str, arguments)],
        capture_output=True, text=True, env={**os.environ, **env}, check=False,
    )  # fmt: skip


def test_as_a_process(ade20k2020: Path) -> None:
    ran = process("validate", ade20k2020, NO_COLOR="1", FORCE_COLOR="1")
    assert ran.returncode == 0 and "no findings" in ran.stdout
    assert "\x1b" not in ran.stdout + ran.stderr


def test_help_says_what_there_is() -> None:
    ran = process("--help")
    assert ran.returncode == 0
    for command in ("validate", "convert", "dump", "detect", "specs", "lint", "sample", "schema"):
        assert command in ran.stdout


def test_a_pipe_that_closes_early_is_no_fault(ade20k2020: Path) -> None:
    command = f"{sys.executable} -m formatspec.cli.main dump {ade20k2020} | head -c 1"
    ran = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert "Traceback" not in ran.stderr


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a terminal")
@pytest.mark.parametrize("no_color", [True, False])
def test_colour_stands_on_a_terminal_only(no_color: bool, ade20k2020: Path) -> None:
    next(iter(sorted(ade20k2020.rglob("*.json")))).write_text("{")
    parent, child = os.openpty()
    env = {k: v for k, v in os.environ.items() if k != "NO_COLOR"} | ({"NO_COLOR": "1"} if no_color else {})
    subprocess.run(
        [sys.executable, "-m", "formatspec.cli.main", "validate", str(ade20k2020)], stdout=child,
        stderr=subprocess.DEVNULL, env=env, check=False,
    )  # fmt: skip
    os.close(child)
    said = b""
    try:
        while part := os.read(parent, 65536):
            said += part
    except OSError:
        pass
    os.close(parent)
    assert b"FILE_UNREADABLE" in said
    assert (b"\x1b[" in said) is not no_color
