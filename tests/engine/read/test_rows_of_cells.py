"""Objects that are rows of cells are read at once, and any others as without the generated readers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from files_on_disk import put

import formatspec as fs
from formatspec.engine.read.elements.fast_cells import FastCells
from formatspec.model.amounts import with_amounts
from formatspec.run.conversion.plan import RefusedError

SPECS = ("open_images", "sku110k", "tfod_csv", "udacity", "vott_csv")
"""Formats whose rows of cells are objects that nothing tells apart."""
TARGETS = ("coco", "datumaro", "voc", "yolo_ultralytics")
HEADER = "filename,width,height,class,xmin,ymin,xmax,ymax"


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether the rows of items were read at once, as they are read."""
    found: list[bool] = []
    take = FastCells.take

    def noting(self: FastCells, *arguments: Any) -> bool:
        found.append(take(self, *arguments))
        return found[-1]

    monkeypatch.setattr(FastCells, "take", noting)
    return found


def outcome(data: Path, out: Path, **asked: Any) -> Any:
    """All that a conversion writes, finds and counts, or why it is refused."""
    try:
        result = fs.convert(data, out=out, workers=1, media="none", **asked).as_json()
    except RefusedError as refused:
        return str(refused), refused.findings
    files = {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}
    return files, {key: value for key, value in result.items() if key != "out"}


def same(data: Path, out: Path, spec: str, on: tuple[str, ...] = ()) -> bool:
    """Whether conversions are the same with and without generated readers."""
    asked = [{"to": to, "spec": spec, "on": on} for to in TARGETS]
    with with_amounts(generate_from=0):
        plain = [outcome(data, out / f"plain-{one['to']}", **one) for one in asked]
    with with_amounts(generates=False):
        return plain == [outcome(data, out / f"judged-{one['to']}", **one) for one in asked]


@pytest.mark.parametrize("spec", SPECS)
def test_rows_of_each_format_are_read_at_once_and_mean_the_same(
    spec: str, tmp_path: Path, taken: list[bool]
) -> None:  # fmt: skip
    fs.sample(spec, tmp_path / "data", items=12, seed=4)
    assert same(tmp_path / "data", tmp_path, spec, ("error=drop",))
    assert any(taken)


def table(folder: Path, *rows: str, header: str = HEADER) -> Path:
    """A dataset with two images of 64 x 48 pixels, and rows of boxes for them."""
    files = {"train/_annotations.csv": "\n".join([header, *rows, ""]), "train/a.png": None, "train/b.png": None}
    return put(folder, files, size=(64, 48))


PLAIN = ("a.png,64,48,cat,1,2,30,40", "a.png,64,48,dog,5,6,7.5,8.25", "b.png,64,48,cat,1,2,30,40")
ODD: dict[str, tuple[str, ...]] = {
    "a box twice": (PLAIN[0], PLAIN[0]),
    "a box outside its image": ("a.png,64,48,cat,50,2,90,40",),
    "a box with its corners the wrong way round": ("a.png,64,48,cat,30,2,1,40",),
    "a box without an area": ("a.png,64,48,cat,1,2,1,40",),
    "a number that is none": ("a.png,64,48,cat,1,x,30,40",),
    "a number with an exponent": ("a.png,64,48,cat,1e0,2,3E1,40",),
    "a number with a sign": ("a.png,64,48,cat,+1,2,30,40", "a.png,64,48,cat,-0.25,2,30,40"),
    "a number in Python's spelling": ("a.png,64,48,cat,1,2,3_0,40",),
    "a number that is not finite": ("a.png,64,48,cat,1,2,inf,40",),
    "blanks around numbers": ("a.png,64,48,cat, 1,2 ,30,40",),
    "an empty cell": ("a.png,64,48,cat,1,,30,40",),
    "a class without a name": ("a.png,64,48,,1,2,30,40",),
    "a cell too many": ("a.png,64,48,cat,1,2,30,40,9",),
    "a cell too few": ("a.png,64,48,cat,1,2,30",),
    "another size": ("a.png,640,48,cat,1,2,30,40",),
    "no size": ("a.png,,,cat,1,2,30,40",),
    "two sizes": (PLAIN[0], "a.png,65,48,cat,1,2,30,41"),
    "an image that is not there": (PLAIN[0], "c.png,64,48,cat,1,2,30,40"),
    "a name with another extension": ("a.jpg,64,48,cat,1,2,30,40",),
    "a name in capitals": ("A.PNG,64,48,cat,1,2,30,40",),
    "a name with a folder": ("x/a.png,64,48,cat,1,2,30,40",),
    "rows of images in turn": (PLAIN[0], PLAIN[2], PLAIN[1], PLAIN[2]),
    "quotes": ('a.png,64,48,"big, grey cat",1,2,30,40',),
}


@pytest.mark.parametrize("case", ODD)
def test_odd_rows_mean_what_the_judging_reader_says(case: str, tmp_path: Path) -> None:
    assert same(table(tmp_path / "data", *ODD[case], *PLAIN[1:]), tmp_path, "tfod_csv", ("error=drop",))


@pytest.mark.parametrize(
    "cells", ["", ",0.5,-1", ",0.5,1.0", ",,", ",high,1"], ids=["none", "kept", "a fraction", "empty", "text"]
)
def test_further_columns_are_kept_or_told_as_by_the_judging_reader(cells: str, tmp_path: Path) -> None:
    header = HEADER + (",score,truncated" if cells else "")
    rows = [f"{row}{cells}" for row in PLAIN]
    assert same(table(tmp_path / "data", *rows, header=header), tmp_path, "tfod_csv")


def test_usual_rows_are_read_at_once(tmp_path: Path, taken: list[bool]) -> None:
    table(tmp_path / "data", *PLAIN)
    with with_amounts(generate_from=0):
        outcome(tmp_path / "data", tmp_path / "out", spec="tfod_csv", to="coco")
    assert taken and all(taken)


CLASSES = "LabelName,DisplayName\n/m/01,Cat\n7,Dog\n"
BOXES = "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside"
BOX = "a,xclick,{},1,0.25,0.5,0.125,0.75,0,-1,{},0,0"


def open_images(folder: Path, *rows: str) -> Path:
    return put(
        folder,
        {
            "annotations/oidv6-class-descriptions.csv": CLASSES,
            "annotations/train-annotations-bbox.csv": "\n".join([BOXES, *rows, ""]),
            "images/train/a.png": None,
        },
        size=(64, 48),
    )


@pytest.mark.parametrize(
    "label,group", [("/m/01", "0"), ("7", "1"), ("7.0", "0"), ("07", "0"), ("/m/02", "0"), ("7", "-1"), ("7", "2")]
)
def test_codes_of_classes_and_fractions_mean_what_the_judging_reader_says(
    label: str, group: str, tmp_path: Path
) -> None:  # fmt: skip
    data = open_images(tmp_path / "data", BOX.format("/m/01", 0), BOX.format(label, group))
    assert same(data, tmp_path, "open_images", ("error=drop",))


def with_mask(folder: Path) -> Path:
    """Open Images with a mask, whose row finds the object of its box."""
    open_images(folder, BOX.format("/m/01", 0), BOX.format("7", 0))
    header = "MaskPath,ImageID,LabelName,BoxID,BoxXMin,BoxXMax,BoxYMin,BoxYMax,PredictedIoU,Clicks"
    row = "a_m01_1f.png,a,/m/01,1f,0.25,0.5,0.125,0.75,0.5,"
    return put(
        folder,
        {
            "annotations/train-annotations-object-segmentation.csv": f"{header}\n{row}\n",
            "masks/train/a_m01_1f.png": None,
        },
        size=(64, 48),
    )


@pytest.mark.parametrize("made", [with_mask, lambda folder: open_images(folder, BOX.format("/m/01", 0))])
def test_rows_that_others_add_to_are_read_with_their_records(made: Callable[[Path], Path], tmp_path: Path) -> None:
    assert same(made(tmp_path / "data"), tmp_path, "open_images", ("error=drop",))


def test_rows_go_to_the_item_that_each_names_whatever_the_row_before_named(tmp_path: Path) -> None:
    row = "{},64,48,cat,{},2,30,40"
    named = ["a.png", "a.png", "c.png", "c.png", "a.png", "b.png", "x/b.png", "b.png"]
    data = table(tmp_path / "data", *(row.format(name, at) for at, name in enumerate(named, 1)))
    dataset = fs.open(data, spec="tfod_csv")
    items = {item.key: [thing.bbox[0] for thing in item.objects if thing.bbox] for item in dataset}
    assert items == {"train/a": [1, 2, 5], "train/b": [6, 8]}
    told = [one.line for one in fs.validate(data, spec="tfod_csv").findings if one.level == "error"]
    assert told == [4, 5, 8]
