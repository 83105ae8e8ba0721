"""Values of another kind than a format has are findings with a place, never a traceback."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from PIL import Image

import formatspec as fs

HEAD = 'formatspec: 1\nname: my_x\nfiles:\n  image: "{name}.{ext:image}"\n'


def checked(folder: Path, rules: str, document: object) -> list[tuple[str, str | None]]:
    data = folder / "d"
    data.mkdir()
    Image.new("RGB", (40, 30)).save(data / "a.png")
    (data / "a.json").write_text(json.dumps(document), encoding="utf-8")
    spec = folder / "s.yaml"
    spec.write_text(f'{HEAD}  j:\n    path: "{{name}}.json"\n    json: {rules}\n', encoding="utf-8")
    report = fs.validate(data, spec, workers=1)
    for name in ("coco", "image_masks"):
        with contextlib.suppress(fs.RefusedError):
            fs.convert(data, spec=spec, to=name, out=folder / name, workers=1, skip_invalid=True)
    return [(finding.code, finding.pointer) for finding in report.findings if finding.level == "error"]


def test_a_number_among_names(tmp_path: Path) -> None:
    found = checked(tmp_path, "{choices: labels.category.name}", {"choices": ["cat", 1, "dog"]})
    assert found == [("FIELD", "/choices/1")]


RINGS = ("polygons", "polygon", "polyline")
"""The slots whose numbers go in pairs."""


@pytest.mark.parametrize(
    "slot", ["polygons", "keypoints", "region", "bbox", "rotated", "polygon", "polyline", "circle"]
)
@pytest.mark.parametrize("value", [1, "x", [1], [[1]], [["x", 1]], [[1, 2, 3]], {}, [None], [[[1, 2]]]])
def test_geometry_that_no_codec_makes(slot: str, value: object, tmp_path: Path) -> None:
    found = checked(tmp_path, f"{{rows: [{{each: objects, value: {slot}}}]}}", {"rows": [{"value": value}]})
    fits = slot == "keypoints" and value == [[1, 2, 3]]
    odd = (slot, value) in [*((one, [1]) for one in RINGS), ("polygons", [[1]]), ("polygons", [[1, 2, 3]])]
    assert {code for code, _ in found} == (set() if fits else {"POLYGON"} if odd else {"FIELD"})


def test_a_key_of_a_shared_file_that_is_no_text(tmp_path: Path) -> None:
    """Found by random input: rows are sought by keys, which may hold bytes that are no text."""
    data = tmp_path / "d"
    data.mkdir()
    Image.new("RGB", (4, 3)).save(data / "a.png")
    (data / "list.json").write_bytes(b'{"\xeb\x80x": 1, "images": [{"id": 1, "name": "a.png"}]}')
    spec = tmp_path / "s.yaml"
    rows = '{images: [{each: items by id, id: id, name: "{name}.{ext}"}]}'
    spec.write_text(f"{HEAD}  list: {{path: list.json, json: {rows}}}\n", encoding="utf-8")
    report = fs.validate(data, spec, workers=1)
    assert "FILE_ENCODING" in {finding.code for finding in report.findings}


def test_a_background_that_no_pixel_can_be(tmp_path: Path) -> None:
    """Found by random input: a row of constants that the label image's mode cannot hold."""
    spec = tmp_path / "s.yaml"
    text = '{path: "{name}_m.png", image: gray, pixels: [{each: areas, L: category.id}, {each: void, L: [0, 0, 0]}]}'
    spec.write_text(f"{HEAD}  mask: {text}\n", encoding="utf-8")
    with pytest.raises(fs.SpecError):
        fs.load_spec(spec)


@pytest.mark.parametrize("count", ["\x1e2", "²", "9" * 5000, "-1", "1.5", " 1 "])
def test_a_count_of_lines_that_is_none(count: str, tmp_path: Path) -> None:
    """Found by random input: a line that counts the rows behind it, with blanks or digits that int() does not take."""
    data = tmp_path / "d"
    data.mkdir()
    Image.new("RGB", (4, 3)).save(data / "a.png")
    (data / "a.txt").write_text(f"{count}\nx\n", encoding="utf-8")
    spec = tmp_path / "s.yaml"
    lines = '["{= count(objects)}", {each: objects, lines: "{category.name}"}]'
    spec.write_text(f'{HEAD}  t: {{path: "{{name}}.txt", lines: {lines}}}\n', encoding="utf-8")
    report = fs.validate(data, spec, workers=1)
    assert {finding.code for finding in report.findings} <= {"DIFFERS", "LINE"}
