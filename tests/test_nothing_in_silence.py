"""Nothing is dropped or laid over another in silence, and nothing is said to be lost that is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import formatspec as fs
from formatspec.run.convert import Refused
from formatspec.testing.memory import image_bytes


def put(folder: Path, contents: dict[str, str | bytes]) -> Path:
    for path, content in contents.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


SQUARE = {"bbox": [1, 1, 4, 4], "area": 16}


def coco(
    names: list[str], rows: list[dict[str, Any]] | None = None, subset: str = "train", first: int = 1
) -> dict[str, str | bytes]:
    """The files of one subset of COCO; `rows` lie in its first image."""
    images = [{"id": i, "file_name": name, "width": 20, "height": 10} for i, name in enumerate(names, first)]
    boxes = [
        {"id": 10 * first + i, "image_id": first, "category_id": 1, "iscrowd": 0, **SQUARE, **row}
        for i, row in enumerate(rows or [])
    ]
    document = {"images": images, "annotations": boxes, "categories": [{"id": 1, "name": "c", "supercategory": ""}]}
    return {
        **{f"images/{subset}/{name}": image_bytes(20, 10, name.rpartition(".")[2]) for name in names},
        f"annotations/instances_{subset}.json": json.dumps(document),
    }


@pytest.mark.parametrize(("to", "other"), [("voc", "a.jpg"), ("labelme", "a.png")])
def test_two_items_of_one_name_in_the_target_are_refused(to: str, other: str, tmp_path: Path) -> None:
    """Files of one name in two subsets would be laid over each other where the target has no subsets in its paths."""
    data = put(tmp_path / "in", {**coco(["a.jpg"], [{}]), **coco([other], [{}, {}], "val", 2)})
    with pytest.raises(Refused) as refused:
        fs.convert(data, to=to, out=tmp_path / "out")
    (finding,) = refused.value.findings
    assert finding.code == "ITEM_COLLISION" and finding.item == "val/a"
    assert all(word in finding.message for word in ("'train/a'", "'val/a'", "'a'", to))
    assert not (tmp_path / "out").exists()

    result = fs.convert(data, to=to, out=tmp_path / "out", skip_invalid=True)
    assert (result.items, result.skipped) == (1, 1)
    assert [f.code for f in result.findings] == ["ITEM_COLLISION"]
    (item,) = fs.open(tmp_path / "out", to)
    assert item.key == "a" and len(item.objects) == 1


def test_subsets_made_one_do_not_lay_items_over_each_other(tmp_path: Path) -> None:
    data = put(tmp_path / "in", {**coco(["a.jpg"], [{}]), **coco(["a.jpg"], [{}, {}], "val", 2)})
    with pytest.raises(Refused) as refused:
        fs.convert(data, to="coco", out=tmp_path / "out", subsets={"val": "train"})
    assert [f.code for f in refused.value.findings] == ["ITEM_COLLISION"]


def test_an_item_that_cannot_be_written_takes_no_name(tmp_path: Path) -> None:
    """The later of two items of one name is written where the first is not."""
    spec = put(tmp_path, {"named.yaml": """\
formatspec: 1
name: named
files:
  image: "{name}.{ext:image}"
  record: {path: "{name}.json", json: {caption: caption.text, "objects": [{each: objects, bbox: bbox | xywh}]}}
"""})  # fmt: skip
    files = {**coco(["a.jpg"], [{}]), **coco(["a.jpg"], [{}], "val", 2)}
    document = {"images": [{"id": 2, "file_name": "a.jpg", "width": 20, "height": 10}],
                "annotations": [{"id": 9, "image_id": 2, "caption": "a cat"}]}  # fmt: skip
    data = put(tmp_path / "in", {**files, "annotations/captions_val.json": json.dumps(document)})
    result = fs.convert(data, to=spec / "named.yaml", out=tmp_path / "out", skip_invalid=True)
    assert (result.items, [f.code for f in result.findings]) == (1, ["CANNOT_WRITE"])
    assert json.loads((tmp_path / "out/a.json").read_text())["caption"] == "a cat"
