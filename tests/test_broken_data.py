"""Broken data is a finding with its file and its place; nothing raises, and every other item still comes out."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np
import pytest

import formatspec as fs
from formatspec.findings.table import CODES

Edit = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Case:
    """How data is broken, and what must be said: `code`, in `file` (a suffix), at `pointer` (where it begins)."""

    act: Callable[[Path], None]
    code: str
    file: str
    pointer: str | None = None
    mild: bool = False
    """A warning only: the item stays."""
    to: str = "coco"
    """A target for which the broken file is read."""


SAME = "ade20k2020"


def edited(folder: Path, file: str, edit: Callable[[Any], None]) -> None:
    path = folder / file
    document = json.loads(path.read_text("utf-8"))
    edit(document)
    path.write_text(json.dumps(document), "utf-8")


def png(path: Path, pixels: Any) -> None:
    iio.imwrite(path, np.asarray(pixels, np.uint8))


# ade20k2020: the item that is broken is the first one with two objects


@dataclass(frozen=True)
class Target:
    """The files of the item that is broken."""

    key: str
    json: str
    image: str
    seg: str
    mask: str
    ids: tuple[int, ...]


def target(folder: Path) -> Target:
    for item in fs.open(folder, "ade20k2020"):
        whole = len(item.objects) >= 2 and all(t.parent is None for t in item.objects) and item.objects[0].polygons
        if whole and item.image:
            base = item.image.path.rpartition(".")[0]
            document = json.loads((folder / f"{base}.json").read_text("utf-8"))
            first = document["annotation"]["object"][0]
            mask = f"{base.rpartition('/')[0]}/{first['instance_mask']}"
            ids = tuple(thing["id"] for thing in document["annotation"]["object"])
            return Target(item.key, f"{base}.json", item.image.path, f"{base}_seg.png", mask, ids)
    raise AssertionError("the generated dataset has no item with two whole objects")


def on(file: str, act: Callable[[Path], object]) -> Callable[[Path], None]:
    """Do something with one of the target's files."""
    return lambda folder: act(folder / getattr(target(folder), file)) and None


def raw(file: str, change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    return on(file, lambda path: path.write_bytes(change(path.read_bytes())))


def remove(file: str) -> Callable[[Path], None]:
    return on(file, Path.unlink)


def ade(edit: Edit) -> Callable[[Path], None]:
    return lambda folder: edited(folder, target(folder).json, lambda d: edit(d["annotation"]))


def first(key: str, value: Any) -> Callable[[Path], None]:
    return ade(lambda annotation: annotation["object"][0].__setitem__(key, value))


def painted(file: str, value: int, *shape: int) -> Callable[[Path], None]:
    """Paint one of the target's label images evenly; of its own size if no shape is given, plus channels."""

    def act(folder: Path) -> None:
        path = folder / getattr(target(folder), file)
        size = iio.improps(path).shape[:2]
        png(path, np.full((*size, *shape) if len(shape) < 2 else shape, value))

    return act


def parents(*pairs: tuple[int, int]) -> Callable[[Path], None]:
    """Give objects, by their place, a parent, by its place; 99 is nobody."""

    def edit(annotation: dict[str, Any]) -> None:
        for place, parent in pairs:
            things = annotation["object"]
            things[place]["parts"]["ispartof"] = things[parent]["id"] if parent < len(things) else 99_999

    return ade(edit)


def x_is(text: str) -> Callable[[Path], None]:
    """Spell the first x coordinate otherwise."""
    return raw(
        "json", lambda data: re.sub(rb'"polygon":\{"x":\[[-0-9.]+', b'"polygon":{"x":[' + text.encode(), data, count=1)
    )


def linked_out(path: Path) -> None:
    outside = path.parents[len(path.parents) - 1 - path.parts.index("data")].parent / "outside"
    outside.mkdir(exist_ok=True)
    shutil.move(path, outside / path.name)
    path.symlink_to(outside / path.name)


OBJECT = "/annotation/object/0"
OUT = "../../../../etc/passwd"
# fmt: off
# ruff: noqa: E501 (a case is a line)
ADE: dict[str, Case] = {
    "missing instance mask": Case(remove("mask"), "FILE_MISSING", "json", OBJECT),
    "missing segmentation": Case(remove("seg"), "FILE_MISSING", "image"),
    "truncated mask": Case(raw("mask", lambda d: d[: len(d) // 2]), "FILE_UNREADABLE", "mask"),
    "mask without its end": Case(raw("mask", lambda d: d[:-12]), "FILE_UNREADABLE", "mask"),
    "empty mask file": Case(raw("mask", lambda d: b""), "FILE_UNREADABLE", "mask"),
    "mask that is no PNG": Case(raw("mask", lambda d: b"GIF89a" + d), "FILE_UNREADABLE", "mask"),
    "mask of another mode": Case(painted("mask", 0, 3), "PIXEL_MODE", "mask"),
    "mask of another size": Case(painted("mask", 0, 3, 4), "PIXEL_SIZE", "mask"),
    "pixel value that means nothing": Case(painted("mask", 7), "PIXEL_VALUE", "mask"),
    "truncated segmentation": Case(raw("seg", lambda d: d[: len(d) // 2]), "FILE_UNREADABLE", "seg", to=SAME),
    "segmentation of another mode": Case(painted("seg", 0), "PIXEL_MODE", "seg", to=SAME),
    "segmentation of another size": Case(painted("seg", 0, 3, 4, 3), "PIXEL_SIZE", "seg", to=SAME),
    "image that is no image": Case(raw("image", lambda d: b"nothing"), "FILE_UNREADABLE", "image"),
    "image that is empty": Case(raw("image", lambda d: b""), "FILE_UNREADABLE", "image"),
    "bad JSON": Case(raw("json", lambda d: d[:-5]), "FILE_UNREADABLE", "json"),
    "empty JSON": Case(raw("json", lambda d: b""), "FILE_UNREADABLE", "json"),
    "JSON that is a list": Case(raw("json", lambda d: b"[]"), "FIELD", "json"),
    "JSON that nests without end": Case(raw("json", lambda d: b"[" * 100_000), "FILE_UNREADABLE", "json"),
    "bytes that are no text": Case(raw("json", lambda d: b"\x00\xff\xfe" + d), "FILE_UNREADABLE", "json"),
    "image without JSON": Case(remove("json"), "FILE_MISSING", "image"),
    "JSON without image": Case(remove("image"), "IMAGE_MISSING", "json"),
    "text where a number belongs": Case(first("name_ndx", "2"), "SCHEMA", "json", f"{OBJECT}/name_ndx"),
    "number where text belongs": Case(first("name", 7), "NUMBER_FORM", "json", f"{OBJECT}/name", mild=True),
    "object that is no mapping": Case(ade(lambda a: a["object"].__setitem__(0, 3)), "FIELD", "json", OBJECT),
    "objects that are no list": Case(ade(lambda a: a.update(object=3)), "FIELD", "json", "/annotation/object"),
    "missing field": Case(ade(lambda a: a["object"][0].pop("crop") and None), "FIELD_MISSING", "json", OBJECT),
    "unknown field": Case(first("colour", "red"), "FIELD_UNKNOWN", "json", f"{OBJECT}/colour", mild=True),
    "unknown word": Case(first("occluded", "maybe"), "FIELD", "json", f"{OBJECT}/occluded", mild=True),
    "NaN": Case(x_is("NaN"), "FIELD", "json", f"{OBJECT}/polygon"),
    "infinity": Case(x_is("-Infinity"), "FIELD", "json", f"{OBJECT}/polygon"),
    "number beyond all measure": Case(x_is("1e999"), "FIELD", "json", f"{OBJECT}/polygon"),
    "coordinates of two lengths": Case(
        ade(lambda a: a["object"][0]["polygon"]["x"].pop() and None), "FIELD", "json", f"{OBJECT}/polygon"),
    "another image size": Case(
        ade(lambda a: a["imsize"].__setitem__(0, 999)), "IMAGE_SIZE", "json", "/annotation/imsize/0"),
    "another file name": Case(ade(lambda a: a.update(filename="b.jpg")), "DIFFERS", "json", "/annotation/filename", mild=True),
    "duplicate ids": Case(
        ade(lambda a: a["object"][1].update(id=a["object"][0]["id"])), "DUPLICATE", "json", "/annotation/object/1/id"),
    "unknown parent": Case(parents((0, 99)), "UNKNOWN_REFERENCE", "json", f"{OBJECT}/parts/ispartof"),
    "its own parent": Case(parents((0, 0)), "CYCLE", "json", f"{OBJECT}/parts/ispartof"),
    "parent cycle": Case(parents((0, 1), (1, 0)), "CYCLE", "json", f"{OBJECT}/parts/ispartof"),
    "path that climbs": Case(first("instance_mask", OUT), "PATH_ESCAPES", "json", f"{OBJECT}/instance_mask"),
    "absolute path": Case(first("instance_mask", "/etc/passwd"), "PATH_ESCAPES", "json", f"{OBJECT}/instance_mask"),
    "path that is empty": Case(first("instance_mask", ""), "PATH_ESCAPES", "json", f"{OBJECT}/instance_mask"),
    "path with a null": Case(first("instance_mask", "a\0b"), "PATH_ESCAPES", "json", f"{OBJECT}/instance_mask"),
    "path of a drive": Case(first("instance_mask", "C:\\x.png"), "PATH_ESCAPES", "json", f"{OBJECT}/instance_mask"),
    "link that leaves the root": Case(on("mask", linked_out), "FILE_ESCAPES", "mask"),
    "image that is a link out of the root": Case(on("image", linked_out), "FILE_ESCAPES", "image"),
}


# coco: the first image and the first annotation of the one JSON file


def coco_file(folder: Path) -> str:
    """The JSON file with most annotations among those with most images."""

    def size(file: Path) -> tuple[int, int]:
        document = json.loads(file.read_text("utf-8"))
        return len(document["images"]), len(document["annotations"])

    return max(sorted(folder.glob("annotations/*.json")), key=size).relative_to(folder).as_posix()


def coc(edit: Edit) -> Callable[[Path], None]:
    return lambda folder: edited(folder, coco_file(folder), edit)


def annotation(**values: Any) -> Callable[[Path], None]:
    return coc(lambda d: d["annotations"][0].update(values))


def image(**values: Any) -> Callable[[Path], None]:
    return coc(lambda d: d["images"][0].update(values))


def first_image(folder: Path) -> Path:
    document = json.loads((folder / coco_file(folder)).read_text("utf-8"))
    subset = coco_file(folder).rpartition("_")[2].removesuffix(".json")
    return folder / "images" / subset / document["images"][0]["file_name"]


ROW = "/annotations/0"
COCO: dict[str, Case] = {
    "missing image": Case(lambda f: first_image(f).unlink(), "IMAGE_MISSING", "json", "/images/0"),
    "truncated image": Case(lambda f: first_image(f).write_bytes(b"\x89PNG\r\n") and None, "FILE_UNREADABLE", ""),
    "bad JSON": Case(lambda f: (f / coco_file(f)).write_text('{"images": [') and None, "FILE_UNREADABLE", "json"),
    "JSON that is a list": Case(lambda f: (f / coco_file(f)).write_text("[]") and None, "FIELD", "json"),
    "images that are no list": Case(coc(lambda d: d.update(images=5)), "FIELD", "json", "/images"),
    "annotations that are no list": Case(coc(lambda d: d.update(annotations="x")), "FIELD", "json", "/annotations"),
    "annotation that is no mapping": Case(coc(lambda d: d["annotations"].__setitem__(0, 7)), "FIELD", "json", ROW),
    "text where a number belongs": Case(annotation(bbox=["one", 2, 3, 4]), "FIELD", "json", ROW + "/bbox"),
    "number spelled as text": Case(annotation(bbox=["1", 2, 3, 4]), "NUMBER_FORM", "json", ROW + "/bbox", mild=True),
    "box of three": Case(annotation(bbox=[1, 2, 3]), "FIELD", "json", ROW + "/bbox"),
    "box of negative size": Case(annotation(bbox=[1, 2, -3, 4]), "BOX_SIZE", "json", ROW + "/bbox"),
    "box outside": Case(annotation(bbox=[9000, 2, 3, 4]), "BOX_OUTSIDE", "json", ROW + "/bbox"),
    "missing box": Case(coc(lambda d: d["annotations"][0].pop("bbox") and None), "FIELD_FILLED", "json", ROW, mild=True),
    "run lengths that are none": Case(
        annotation(segmentation={"size": [3, 3], "counts": "~~~~"}), "REGION_SIZE", "json", ROW + "/segmentation"),
    "run lengths of another size": Case(
        annotation(segmentation={"size": [3, 3], "counts": [9]}), "REGION_SIZE", "json", ROW + "/segmentation"),
    "polygon of an odd length": Case(annotation(segmentation=[[1, 2, 3]]), "POLYGON", "json", ROW + "/segmentation"),
    "polygon of two points": Case(annotation(segmentation=[[1, 2, 3, 4]]), "POLYGON", "json", ROW + "/segmentation"),
    "unknown category": Case(annotation(category_id=77), "UNKNOWN_CATEGORY", "json", ROW + "/category_id"),
    "category that is a list": Case(annotation(category_id=[1]), "FIELD", "json", ROW + "/category_id"),
    "unknown image": Case(annotation(image_id=999), "UNKNOWN_REFERENCE", "json", ROW),
    "image id that is a list": Case(annotation(image_id=[1]), "FIELD", "json", ROW + "/image_id"),
    "duplicate image ids": Case(
        coc(lambda d: d["images"][1].update(id=d["images"][0]["id"])), "DUPLICATE", "json", "/images/1"),
    "duplicate annotation ids": Case(
        coc(lambda d: d["annotations"].append(d["annotations"][0])), "DUPLICATE", "json", "/annotations/"),
    "duplicate category names": Case(
        coc(lambda d: d["categories"].append({**d["categories"][0], "id": 99})), "DUPLICATE", "json", "/categories/"),
    "duplicate category ids": Case(
        coc(lambda d: d["categories"].append({"id": d["categories"][0]["id"], "name": "zzz"})), "DUPLICATE", "json",
        "/categories/"),
    "another size": Case(image(width=9999), "IMAGE_SIZE", "json", "/images/0/width"),
    "size that is text": Case(image(width="nine"), "FIELD", "json", "/images/0/width"),
    "path that climbs": Case(image(file_name="../../../etc/passwd.jpg"), "PATH_ESCAPES", "json", "/images/0/file_name"),
    "absolute path": Case(image(file_name="/etc/passwd.jpg"), "PATH_ESCAPES", "json", "/images/0/file_name"),
    "file name that is a number": Case(image(file_name=7), "FIELD", "json", "/images/0/file_name"),
    "iscrowd that is neither": Case(annotation(iscrowd=7), "FIELD", "json", ROW + "/iscrowd", mild=True),
    "NaN": Case(annotation(bbox=[float("nan"), 2, 3, 4]), "FIELD", "json", ROW + "/bbox"),
}


def keys_of(folder: Path, spec: str) -> set[str]:
    return {item.key for item in fs.open(folder, spec)}


def check(folder: Path, spec: str, case: Case, file: str, healthy: set[str]) -> None:
    """What every kind of breakage has in common."""
    report = fs.validate(folder, spec, deep=True)
    shown = [(f.code, f.file, f.pointer, f.message) for f in report.findings]
    found = [f for f in report.findings if f.code == case.code and (f.file or "").endswith(file)]
    assert found, shown
    if case.pointer is not None:
        assert any((f.pointer or "").startswith(case.pointer) for f in found), shown
    assert {f.code for f in report.findings} <= CODES.keys() | fs.load_spec(spec).spec.checks.keys()
    out = folder.parent / "out"
    left = keys_of(folder, spec)
    assert healthy <= left, (healthy - left, shown)
    assert case.mild is not any(f.level == "error" for f in report.findings), shown
    if case.mild:
        return
    if case.code == "DUPLICATE" and all(f.action == "fix" for f in found):
        assert fs.convert(folder, to=case.to, spec=spec, out=out).actions
        assert not [f for f in fs.validate(out, case.to, deep=True).findings if f.level == "error"]
        return
    with pytest.raises(fs.RefusedError) as refused:
        fs.convert(folder, to=case.to, spec=spec, out=out)
    assert refused.value.findings
    assert not out.exists()
    assert [p.name for p in folder.parent.iterdir() if p.name.startswith(".")] == []
    if any(f.level == "error" and f.scope == "document" for f in report.findings):
        with pytest.raises(fs.RefusedError):  # no item can be left out for it
            fs.convert(folder, to=case.to, spec=spec, out=out, skip_invalid=True)
    elif left:
        result = fs.convert(folder, to=case.to, spec=spec, out=out, skip_invalid=True)
        assert len(healthy) <= result.items <= len(left)
        assert out.is_dir()


@pytest.mark.parametrize("kind", ADE)
def test_ade20k2020(kind: str, ade20k2020: Path) -> None:
    whole, broken, case = keys_of(ade20k2020, SAME), target(ade20k2020), ADE[kind]
    case.act(ade20k2020)
    check(ade20k2020, SAME, case, getattr(broken, case.file), whole - {broken.key} if not case.mild else whole)


@pytest.mark.parametrize("kind", COCO)
def test_coco(kind: str, coco: Path) -> None:
    file, case = coco_file(coco), COCO[kind]
    document = json.loads((coco / file).read_text("utf-8"))
    touched = {document["images"][0]["id"], document["images"][1]["id"], document["annotations"][0]["image_id"]}
    others = {Path(image["file_name"]).stem for image in document["images"] if image["id"] not in touched}
    whole = {key for key in keys_of(coco, "coco") if key.split("/")[0] != file.rpartition("_")[2].removesuffix(".json")}
    if kind not in OF_THE_FILE:
        whole |= {key for key in keys_of(coco, "coco") if key.rpartition("/")[2] in others}
    case.act(coco)
    check(coco, "coco", case, file if case.file == "json" else "", whole)


OF_THE_FILE = {
    "bad JSON", "JSON that is a list", "images that are no list", "annotations that are no list", "NaN",
    "duplicate category ids",
}  # fmt: skip
"""What no item of the file survives."""


def test_an_empty_object_list_is_fine(ade20k2020: Path) -> None:
    empty = target(ade20k2020)
    painted("seg", 0, 3)(ade20k2020)
    edited(ade20k2020, empty.json, lambda d: d["annotation"].update(object=[]))
    shutil.rmtree((ade20k2020 / empty.mask).parent)
    report = fs.validate(ade20k2020, "ade20k2020", deep=True)
    assert [f for f in report.findings if f.level == "error"] == []
    assert {item.key: len(item.objects) for item in fs.open(ade20k2020)}[empty.key] == 0


def test_a_byte_order_mark_is_read_and_said(ade20k2020: Path) -> None:
    read = target(ade20k2020)
    path = ade20k2020 / read.json
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    report = fs.validate(ade20k2020, "ade20k2020", deep=True)
    told = [(f.code, f.level, f.file) for f in report.findings if f.code != "POLYGON_CROSSES"]  # outlines are made up
    assert told == [("FILE_ENCODING", "info", read.json)]
    assert read.key in keys_of(ade20k2020, "ade20k2020")


def test_latin_1_is_read_and_said(ade20k2020: Path) -> None:
    read = target(ade20k2020)
    path = ade20k2020 / read.json
    document = json.loads(path.read_text("utf-8"))
    document["annotation"]["object"][0]["raw_name"] = "Stra\xdfe"
    path.write_bytes(json.dumps(document, ensure_ascii=False).encode("latin-1", "replace"))
    report = fs.validate(ade20k2020, "ade20k2020", deep=True)
    told = [(f.code, f.level, f.file) for f in report.findings if f.code != "POLYGON_CROSSES"]  # outlines are made up
    assert told == [("FILE_ENCODING", "warning", read.json)]
    names = {t.attributes.get("raw_name") for item in fs.open(ade20k2020) if item.key == read.key for t in item.objects}
    assert "Stra\xdfe" in names


@pytest.mark.parametrize("spec", ["ade20k2020", "coco"])
def test_what_does_not_belong_is_no_error(spec: str, request: pytest.FixtureRequest) -> None:
    folder: Path = request.getfixturevalue(spec)
    before = keys_of(folder, spec)
    (folder / "README.md").write_text("read me")
    (folder / "LICENSE").write_text("mine")
    (folder / ".git" / "objects").mkdir(parents=True)
    (folder / ".git" / "objects" / "a.json").write_text("{")
    (folder / ".DS_Store").write_bytes(b"\0")
    report = fs.validate(folder, deep=True)
    assert report.spec == spec
    assert [f for f in report.findings if f.level != "info"] == []
    assert {f.file for f in report.findings if f.code == "FILE_UNCLAIMED"} == {"README.md", "LICENSE"}
    assert keys_of(folder, spec) == before


def test_an_empty_folder_is_said(tmp_path: Path) -> None:
    report = fs.validate(tmp_path, "ade20k2020", deep=True)
    assert [f.code for f in report.findings] == ["NOTHING_FOUND"]
    with pytest.raises(fs.RefusedError):
        fs.convert(tmp_path, spec="ade20k2020", to="coco", out=tmp_path.parent / f"{tmp_path.name}-out")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="needs a user who may be refused")
def test_a_file_that_may_not_be_read(ade20k2020: Path) -> None:
    closed = target(ade20k2020)
    (ade20k2020 / closed.json).chmod(0)
    report = fs.validate(ade20k2020, "ade20k2020", deep=True)
    assert ("FILE_UNREADABLE", closed.json) in {(f.code, f.file) for f in report.findings}


def test_the_command_refuses_and_exits_1(
    ade20k2020: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from formatspec.cli.main import main

    broken = target(ade20k2020)
    ADE["bad JSON"].act(ade20k2020)
    out = tmp_path / "out"
    for arguments, status in (
        (["validate", str(ade20k2020)], 1),
        (["dump", str(ade20k2020)], 1),
        (["convert", str(ade20k2020), "--to", "coco", "-o", str(out)], 1),
        (["convert", str(ade20k2020), "--to", "coco", "-o", str(out), "--skip-invalid"], 0),
    ):
        assert not out.exists()
        monkeypatch.setattr(sys, "argv", ["formatspec", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        said = capsys.readouterr()
        assert end.value.code == status, said
        assert "Traceback" not in said.err + said.out
        assert broken.json in said.err + said.out
    assert out.is_dir()
