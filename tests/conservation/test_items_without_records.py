"""An image without objects, labels or captions comes to every format with its subset, or a line says it does not."""

from __future__ import annotations

from pathlib import Path

import pytest
from coco_like import coco_document
from files_on_disk import put
from small_datasets import counted

import formatspec as fs
from formatspec.language.load import available
from formatspec.run.conversion.plan import RefusedError
from formatspec.testing.read_back import read_output, recorded, unexplained

BOX = {"bbox": [1, 2, 3, 4], "area": 12}


@pytest.fixture(scope="module")
def boxes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two subsets of COCO, each of an image with a box and one without."""
    files = {}
    for subset in ("train", "val"):
        names = [(f"{subset}{number}.jpg", 20, 10) for number in range(2)]
        files |= {f"images/{subset}/{name}": None for name, *_ in names}
        files[f"annotations/instances_{subset}.json"] = coco_document(names, [BOX])
    return put(tmp_path_factory.mktemp("boxes"), files)


@pytest.mark.parametrize("to", sorted(available()))
def test_an_image_without_objects_comes_over_or_is_named(to: str, boxes: Path, tmp_path: Path) -> None:
    with recorded() as (handed, options):
        try:
            result = fs.convert(boxes, spec="coco", to=to, out=tmp_path / "out", workers=1, where="true")
        except RefusedError as refused:
            codes = {one.code for one in refused.findings if one.level == "error"}
            assert codes == {"CANNOT_WRITE"} or "items not written (no caption.text): 4 items" in str(refused)
            return
    back = read_output(result.out, to, options)
    lines = {(line["what"], line["unit"]): line["count"] for line in result.loss_report}
    assert not unexplained(handed, back.items, lines, back.aside)


def test_an_image_that_no_row_lists_is_named(boxes: Path, tmp_path: Path) -> None:
    result = fs.convert(boxes, spec="coco", to="sku110k", out=tmp_path / "out")
    lines = counted(result)
    assert lines["items not written (no row tells of them)"] == lines["subsets not written (no row tells of them)"] == 2
    assert sorted(item.key for item in fs.open(result.out, spec="sku110k")) == ["train0", "val0"]


@pytest.mark.parametrize(("to", "items"), [("yolo_ultralytics", 2), ("voc", 0), ("coco", 0)])
def test_without_images_what_only_their_paths_tell_is_named(to: str, items: int, boxes: Path, tmp_path: Path) -> None:
    result = fs.convert(boxes, spec="coco", to=to, out=tmp_path / "out", media="none")
    assert counted(result).get("items not written (no image)", 0) == items


def test_a_format_that_is_all_in_the_paths_of_images_is_not_written_without_them(boxes: Path, tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match=r"imagenet can hold none of the items: .*\(no image\): 4 items"):
        fs.convert(boxes, spec="coco", to="imagenet", out=tmp_path / "out", media="none")
