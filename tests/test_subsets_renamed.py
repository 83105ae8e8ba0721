"""Subsets under another name: `--subsets` within one format loses nothing that stands in files named after them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from coco_like import coco_document, coco_files
from commands import Run
from files_on_disk import put
from said_of_items import told

import formatspec as fs
from formatspec.engine.spec.compiled import compile_format
from formatspec.language.load import available, load_source
from formatspec.run.conversion.plan import RefusedError

NAMES = ("train", "val", "valid", "validation", "test", "training", "anew")


@pytest.mark.parametrize("name", sorted(available()))
def test_nothing_is_lost(name: str, tmp_path: Path) -> None:
    fs.sample(name, tmp_path / "in", items=4, seed=3)
    before = list(fs.open(tmp_path / "in", name))
    subsets = sorted({subset for item in before for subset in item.subsets})
    others = [other for other in NAMES if other not in subsets]
    if not subsets:
        return
    for other in others:
        try:
            fs.convert(tmp_path / "in", to=name, out=tmp_path / "out", spec=name, subsets={subsets[0]: other})
            break
        except RefusedError as refused:
            assert all("has no subset" in finding.message for finding in refused.findings)
    else:
        return  # the format has no other names
    dataset = fs.open(tmp_path / "out", name)
    after = list(dataset)
    assert not [finding for finding in dataset.findings if finding.level == "error"]
    assert told(after) == told(before)


def test_what_is_kept_goes_along(tmp_path: Path) -> None:
    """A file that has another name now is still that file: what nobody understands comes back, in it and its rows."""
    row = {"id": 5, "bbox": [1, 1, 4, 4], "area": 16, "x": 7}
    document: dict[str, Any] = {"info": {"year": 2026}, "licenses": [{"id": 1}]}
    document |= coco_document([("a.jpg", 20, 10)], [row], [{"name": "cat", "y": 8}], first=4)
    document["images"][0]["license"] = 1
    put(tmp_path / "in", coco_files(document))
    fs.convert(tmp_path / "in", to="coco", out=tmp_path / "out", subsets={"train": "val"})
    assert json.loads((tmp_path / "out/annotations/instances_val.json").read_text()) == document
    assert [file.name for file in (tmp_path / "out/annotations").iterdir()] == ["instances_val.json"]


@pytest.mark.parametrize("name", sorted(available()))
def test_every_name_of_a_subset_is_one_that_paths_have(name: str) -> None:
    """A spec that extends another takes over names of subsets that its own paths may not spell."""
    source = load_source(name)
    for layout in source.layouts:
        roles = compile_format(source, layout, {}).roles.values()
        told = [words for role in roles for words in re.findall(r"\{subset:([^}|]*\|[^}]*)\}", role.spec.path)]
        assert not told or set(layout.spec.subsets) <= {word for words in told for word in words.split("|")}


def apart(folder: Path, subsets: tuple[str, ...]) -> Path:
    """A dataset with an image of one and the same name in each of its subsets."""
    for subset in subsets:
        document = coco_document([("a.png", 8, 8)], [{"bbox": [1, 1, 4, 4], "area": 16}])
        put(folder, coco_files(document, subset))
    return folder


@pytest.mark.parametrize("to", ["yolo_ultralytics", "roboflow_coco", "bdd100k"])
@pytest.mark.parametrize(
    "subsets", [("train", "extra"), ("train", "val", "extra"), ("extra", "more"), ("Val", "extra")]
)
def test_a_refusal_proposes_subsets_that_no_others_become(tmp_path: Path, to: str, subsets: tuple[str, ...]) -> None:
    data = apart(tmp_path / "in", subsets)
    with pytest.raises(RefusedError) as refused:
        fs.convert(data, to=to, out=tmp_path / "out")
    said = (re.search(r"--subsets (\w+)=(\w+)$", one.message) for one in refused.value.findings)
    made = fs.convert(data, to=to, out=tmp_path / "out", subsets={one[1]: one[2] for one in said if one})
    assert made.items == len(list(fs.open(tmp_path / "out", to))) == len(subsets)


def test_a_refusal_says_where_no_subset_is_left_that_images_of_one_name_would_meet(tmp_path: Path) -> None:
    data = apart(tmp_path / "in", ("train", "val", "test", "extra"))
    with pytest.raises(RefusedError) as refused:
        fs.convert(data, to="yolo_ultralytics", out=tmp_path / "out")
    (one,) = refused.value.findings
    assert "images of one name would meet" in one.message and one.message.endswith("--subsets extra=train")


@pytest.mark.parametrize("new", ["", "..", "a/b"])
def test_a_new_name_that_is_no_part_of_a_path_is_wrong_usage(new: str, run: Run, tmp_path: Path) -> None:
    put(tmp_path / "data", coco_files(coco_document([("a.png", 4, 4)])))
    out = tmp_path / "out"
    done = run("convert", "coco", tmp_path / "data", "--to", "coco", "--subsets", f"train={new}", "--media", "none",
               "-o", out)  # fmt: skip
    assert (done.status, f"cannot be called {new!r}" in done.err) == (2, True), done
    assert not out.exists()
