"""What a stranger's file asks for is held to limits, whatever its header says."""

from __future__ import annotations

import base64
import json
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import formatspec as fs
from formatspec.files import csv_file, json_file, text_file, xml_file, yaml_file
from formatspec.files.document import FileError
from formatspec.model.limits import Limits, TooLargeError, set_limits
from formatspec.model.region import Region
from formatspec.pixels import png
from formatspec.testing.memory import image_bytes

PEAK = 600 * 1024
"""KiB that a run may take at the default limits."""


@pytest.fixture(autouse=True)
def _limits() -> Iterator[None]:
    yield
    set_limits(Limits())


def peak(*arguments: str) -> tuple[int, int, str]:
    """The exit status of the command, the KiB that it took at most, and what it said."""
    code = (
        "import resource, subprocess, sys\n"
        "run = subprocess.run([sys.executable, '-m', 'formatspec.cli.main', *sys.argv[1:]], capture_output=True)\n"
        "print(run.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
        "sys.stdout.write((run.stdout + run.stderr).decode())\n"
    )
    run = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    status, _, rest = run.stdout.partition(" ")
    most, _, said = rest.partition("\n")
    return int(status), int(most), said


def spec(folder: Path, roles: str, name: str = "my_bombs") -> str:
    file = folder / f"{name}.yaml"
    file.write_text(
        f'formatspec: 1\nname: {name}\nfiles:\n  image: "{{name}}.{{ext:image}}"\n{roles}', encoding="utf-8"
    )
    return str(file)


STATED = """\
  data:
    path: "{name}.json"
    json: {width: image.width, height: image.height, "shapes?": [{each: objects, points: polygons}]}
"""


def stated(data: Path, width: int, height: int, shapes: list[object]) -> None:
    data.mkdir()
    rows = [{"points": [points]} for points in shapes]
    (data / "a.json").write_text(json.dumps({"width": width, "height": height, "shapes": rows}), encoding="utf-8")


def masks(folder: Path) -> str:
    return spec(
        folder, '  mask: {path: "{name}_mask.png", image: gray, pixels: {each: objects, L: index | from(1)}}\n', "out"
    )


@pytest.mark.parametrize("size", [(10**6, 10**6), (10**9, 1), (10**18, 10**18), (10**30, 1)])
def test_a_stated_size(tmp_path: Path, size: tuple[int, int]) -> None:
    stated(tmp_path / "d", *size, [[0, 0, size[0], 0, size[0], size[1]]])
    status, most, said = peak("validate", spec(tmp_path, STATED), str(tmp_path / "d"), "--deep")
    assert status == 1
    assert most < PEAK
    assert "IMAGE_SIZE" in said or "FIELD" in said
    assert "Traceback" not in said


def test_a_stated_size_is_raised_by_name(tmp_path: Path) -> None:
    stated(tmp_path / "d", 40_000, 40_000, [])
    where = spec(tmp_path, STATED)
    report = fs.validate(tmp_path / "d", where, workers=1)
    assert [f.pointer for f in report.findings if f.code == "IMAGE_SIZE"] == ["/width", "/height"]
    assert any("--limit size=1600000000" in finding.message for finding in report.findings)
    set_limits({"size": 1_600_000_000})
    assert not [f for f in fs.validate(tmp_path / "d", where, workers=1).findings if f.code == "IMAGE_SIZE"]


def test_many_outlines_over_a_wide_image(tmp_path: Path) -> None:
    comb = [value for place in range(2000) for value in (0 if place % 2 else 900_000, place % 100)]
    stated(tmp_path / "d", 900_000, 100, [comb])
    status, most, said = peak(
        "convert", spec(tmp_path, STATED), str(tmp_path / "d"), "--to", masks(tmp_path), "-o", str(tmp_path / "o"),
        "--media", "none",
    )  # fmt: skip
    assert status == 1
    assert most < PEAK
    assert "--limit runs=" in said
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize("rows", [1, 2])
def test_a_label_image_that_is_large_or_has_very_many_runs(tmp_path: Path, rows: int) -> None:
    """A PNG of a few kilobytes: of 30,000 x 30,000 pixels, or of 12,000 x 12,000 that change with every row."""
    side = 30_000 if rows == 1 else 12_000
    row = b"\0" + bytes(side) + (b"" if rows == 1 else b"\0" + b"\1" * side)
    packing = zlib.compressobj(1)
    stream = b"".join(packing.compress(row) for _ in range(side // rows)) + packing.flush()
    data = tmp_path / "d"
    data.mkdir()
    (data / "a_mask.png").write_bytes(png.assembled(side, side, "gray", b"", stream))
    (data / "a.png").write_bytes(png.assembled(side, side, "gray", b"", stream))
    status, most, said = peak("validate", masks(tmp_path), str(data), "--deep", "--workers", "1")
    assert status == 1
    assert most < PEAK
    assert "--limit decoded=" in said or "--limit runs=" in said


def test_a_bitmap_that_is_packed_once_more(tmp_path: Path) -> None:
    packing = zlib.compressobj(1)
    packed = b"".join(packing.compress(bytes(1 << 20)) for _ in range(700)) + packing.flush()
    data = tmp_path / "d"
    data.mkdir()
    text = base64.b64encode(packed).decode()
    (data / "a.json").write_text(json.dumps({"w": 20, "h": 10, "o": [{"d": text, "at": [0, 0]}]}), encoding="utf-8")
    rows = 'o: [{each: objects, "d, at": region | packed_png}]'
    roles = f'  j:\n    path: "{{name}}.json"\n    json: {{w: image.width, h: image.height, {rows}}}\n'
    status, most, said = peak("validate", spec(tmp_path, roles), str(data), "--deep")
    assert status == 1
    assert most < PEAK
    assert "/o/0/d" in said


@pytest.mark.parametrize("lies", [False, True])
def test_a_member_of_an_archive(tmp_path: Path, lies: bool) -> None:
    place = tmp_path / "d.zip"
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a.json", "w") as member:
        for _ in range(700):
            member.write(b" " * (1 << 20))
    if lies:
        raw = bytearray(place.read_bytes())
        struct.pack_into("<I", raw, raw.find(b"PK\x01\x02") + 24, 1000)
        place.write_bytes(raw)
    status, most, said = peak("validate", spec(tmp_path, STATED), str(place))
    assert status == 1
    assert most < PEAK
    assert "FILE_UNREADABLE" in said


def test_members_that_are_as_they_say_are_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "d.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.json", '{"width": 3, "height": 2}' + " " * 3_000_000)
    report = fs.validate(tmp_path / "d.zip", spec(tmp_path, STATED), workers=1)
    assert [finding.code for finding in report.findings] == ["IMAGE_ABSENT"]


def test_run_lengths_of_an_image_of_their_own() -> None:
    set_limits({"decoded": 100})
    with pytest.raises(TooLargeError, match="--limit decoded=400"):
        Region.full(20, 20).to_mask()
    assert Region.from_mask(np.ones((5, 5), bool)).to_mask().all()


@pytest.mark.parametrize("values", [{"depth": 1}, {"size": 0}, {"size": True}, {"size": "9"}])
def test_limits_that_are_none(values: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="limit"):
        set_limits(values)


TABLE = "  t:\n    path: all.csv\n    csv: {each: objects, file: name, a: category.name}\n"
ELEMENTS = """\
  data:
    path: "{name}.xml"
    xml: {a: {size: {w: image.width, h: image.height}, "object?": [{each: objects, name: category.name}]}}
"""
ROWS = """\
  list:
    path: all.json
    json: {images: [{each: items by id, id: id, name: "{name}.{ext:image}"}]}
"""
SIZED = b'{"width": 1, "height": 1'
DOCUMENTS = {
    "a cell of 100 MB": (TABLE, "all.csv", lambda: b"file,a\nx.png," + b"y" * 100_000_000 + b"\n", "--limit cell="),
    "300,000 rows": (TABLE, "all.csv", lambda: b"file,a\n" + b"".join(b"%d.png,cat\n" % n for n in range(300_000)),
                     "--limit findings=300000"),
    "300,000 rows and no image": (TABLE, "all.csv",
                                  lambda: b"file,a\n" + b"".join(b"%d.png,cat\n" % n for n in range(300_000)),
                                  "no image of the dataset is there: 300,000 items"),
    "6 million lists as rows": (STATED, "a.json", lambda: SIZED + b', "shapes": [' + b"[]," * 5_999_999 + b"[]]}",
                                "--limit values="),
    "6 million lists beside rows": (ROWS, "all.json", lambda: b'{"images": [], "o": [' + b"[], " * 6_000_000 + b"0]}",
                                    "--limit values="),
    "a million lists": (STATED, "a.json", lambda: SIZED + b', "shapes": [' + b"[]," * 999_999 + b"[]]}",
                        "--limit findings=1000000"),
    "a million keys": (STATED, "a.json", lambda: SIZED + b"".join(b',"k%d":1' % n for n in range(1_000_000)) + b"}",
                       "--limit findings=1000000"),
    "300,000 empty elements": (ELEMENTS, "a.xml",
                               lambda: b"<a><size><w>1</w><h>1</h></size>" + b"<object/>" * 300_000 + b"</a>",
                               "--limit findings=300000"),
    "4 million elements": (ELEMENTS, "a.xml", lambda: b"<a>" + b"<b/>" * 4_000_000 + b"</a>", "--limit values="),
}  # fmt: skip


@pytest.mark.parametrize("bomb", DOCUMENTS)
def test_a_document_of_very_many_values(tmp_path: Path, bomb: str) -> None:
    roles, name, made, said_of = DOCUMENTS[bomb]
    data = tmp_path / "d"
    data.mkdir()
    (data / name).write_bytes(made())
    if bomb == "300,000 rows":  # with an image there, the others are missed
        (data / "there.png").write_bytes(image_bytes(1, 1, "png"))
    status, most, said = peak("validate", spec(tmp_path, roles), str(data), "--workers", "1")
    assert "Traceback" not in said
    assert status == (0 if bomb in ("a million keys", "300,000 rows and no image") else 1), said
    assert most < PEAK
    assert said_of in said


@pytest.mark.parametrize("bomb", ["a million keys", "a million lists", "300,000 empty elements"])
def test_a_conversion_of_a_document_of_very_many_values(tmp_path: Path, bomb: str) -> None:
    roles, name, made, _ = DOCUMENTS[bomb]
    data = tmp_path / "d"
    data.mkdir()
    (data / name).write_bytes(made())
    target = spec(tmp_path, '  j:\n    path: "{name}.json"\n    json: {w: image.width}\n', "out")
    status, most, said = peak("convert", spec(tmp_path, roles), str(data), "--to", target, "-o", str(tmp_path / "o"),
                              "--media", "none", "--workers", "1")  # fmt: skip
    assert "Traceback" not in said
    assert status == 1
    assert most < PEAK
    assert "--limit findings=" in said
    assert not (tmp_path / "o").exists()


def test_limits_of_documents_are_raised_by_name(tmp_path: Path) -> None:
    data = tmp_path / "d"
    data.mkdir()
    (data / "a.json").write_bytes(SIZED + b', "shapes": [' + b"[]," * 99 + b"[]]}")
    where = spec(tmp_path, STATED)
    set_limits({"values": 100, "findings": 10})
    assert [f.code for f in fs.validate(data, where, workers=1).findings if f.level == "error"] == ["FILE_UNREADABLE"]
    set_limits({"values": 100_000})
    found = [f for f in fs.validate(data, where, workers=1).findings if f.code == "FIELD"]
    assert len(found) == 11
    assert "100 findings of this code; 90 of them" in found[0].message
    set_limits({"findings": 100})
    found = [f for f in fs.validate(data, where, workers=1).findings if f.code == "FIELD"]
    assert [f.pointer for f in found] == [f"/shapes/{n}" for n in range(100)]


def test_what_honest_documents_hold_is_not_limited() -> None:
    """Rows, points and elements as tools write them stay below the ratio, so that no size of theirs is refused."""
    set_limits({"values": 1})
    points = json.dumps({"shapes": [{"points": [[12.5 + n, 130.25], [4.0, 5.75]]} for n in range(2000)]}).encode()
    json_file.decode(points)
    json_file.decode(json.dumps([{"id": n, "bbox": [1, 2, 3, 4], "category_id": 7} for n in range(2000)]).encode())
    csv_file.decode(b"image,class,x,y\n" + b"".join(b"images/%06d.jpg,person,0.5125,0.75\n" % n for n in range(2000)))
    box = b"<object><name>car</name><bndbox><xmin>10</xmin><ymin>20</ymin></bndbox></object>"
    xml_file.decode(b"<annotation>" + box * 2000 + b"</annotation>")
    xml_file.decode(b"<track>" + b'<box frame="10" outside="0" xtl="10.25" ytl="20.5"/>' * 2000 + b"</track>")
    text_file.decode(b"0 0.5 0.5 0.25 0.25\n" * 2000)


def test_workers_have_the_limits_of_the_process_that_began_them(tmp_path: Path) -> None:
    data = tmp_path / "d"
    data.mkdir()
    for n in range(300):
        (data / f"{n}.json").write_text('{"width": 40, "height": 30}', encoding="utf-8")
    where = spec(tmp_path, STATED)
    for allowed, found in ((1000, 300), (1200, 0)):
        set_limits({"size": allowed})
        report = fs.validate(data, where, workers=2)
        assert len({f.file for f in report.findings if f.code == "IMAGE_SIZE"}) == found


@pytest.mark.parametrize(
    ("decode", "opening", "closing"), [(xml_file.decode, b"<a>", b"</a>"), (yaml_file.decode, b"[", b"]")]
)
def test_how_deep_documents_nest(decode: Callable[[bytes], object], opening: bytes, closing: bytes) -> None:
    decode(opening * 199 + closing * 199)
    with pytest.raises(FileError, match="deeper than 200"):
        decode(opening * 201 + closing * 201)


@pytest.mark.parametrize("depth", [2_000, 2_000_000])
def test_json_that_nests_very_deep(depth: int) -> None:
    json_file.decode(b"[" * 900 + b"]" * 900)
    with pytest.raises(ValueError, match=r"nested too deeply|--limit values"):
        json_file.decode(b"[" * depth + b"]" * depth)
