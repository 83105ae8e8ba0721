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


@pytest.mark.parametrize("slot", ["polygons", "keypoints", "region", "bbox", "rotated", "polygon", "polyline", "circle"])
@pytest.mark.parametrize("value", [1, "x", [1], [[1]], [["x", 1]], [[1, 2, 3]], {}, [None], [[[1, 2]]]])
def test_geometry_that_no_codec_makes(slot: str, value: object, tmp_path: Path) -> None:
    found = checked(tmp_path, f"{{rows: [{{each: objects, value: {slot}}}]}}", {"rows": [{"value": value}]})
    fits = slot == "keypoints" and value == [[1, 2, 3]]
    assert {code for code, _ in found} == (set() if fits else {"FIELD"})
