"""The commands that look at datasets: statistics, comparisons, pictures."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from formatspec.cli.console import FINDINGS, print_json, progress, say, say_out, stop
from formatspec.cli.option_types import (
    AsJson,
    Classes,
    Every,
    Limit,
    Option,
    OutputFormat,
    Positional,
    Subset,
    writable,
)

if TYPE_CHECKING:
    from formatspec.datasets.comparison import Comparison
    from formatspec.datasets.dataset import Dataset
    from formatspec.datasets.statistics import Statistics

Html = Annotated[
    Path | None,
    typer.Option("--html", callback=writable("--html"), help="write a page with plots and pictures to this file"),
]


def stats(
    what: Positional = None,
    as_json: AsJson = False,
    html: Html = None,
    duplicates: Annotated[bool, typer.Option("--duplicates", help="look for images that look alike too")] = False,
    option: Option = None,
    classes: Classes = None,
    limit: Limit = None,
    every: Every = 1,
    subset: Subset = None,
    output_format: OutputFormat = None,
) -> None:
    """Count what a dataset holds: items, classes, sizes, objects per image, classes that stand together."""
    import formatspec.api as api
    from formatspec.cli.arguments import not_empty, pairs, sampled, spec_and_data, wants_json
    from formatspec.datasets import looks
    from formatspec.datasets.pages import statistics_page
    from formatspec.datasets.statistics import lines

    as_json, taken = wants_json(as_json, output_format), sampled(limit, every, subset)
    spec, data = spec_and_data(what or ())
    dataset = not_empty(api.open(data, spec, options=pairs(option or (), "-O"), classes=classes, **taken))
    with progress("counting") as tell:
        found = looks.statistics_of(dataset, duplicates, tell)
    _tell(found, lambda: statistics_page(found, str(data)), lambda: lines(found), as_json, html)
    _say_what_was_left_out(dataset)


def compare(
    first: Annotated[str, typer.Argument(metavar="[SPEC=]A", help="a dataset")],
    second: Annotated[str, typer.Argument(metavar="[SPEC=]B", help="another of the same images")],
    as_json: AsJson = False,
    html: Html = None,
    iou: Annotated[
        float, typer.Option(min=0.01, max=1, help="intersection over union from which two objects are one")
    ] = 0.5,
    option: Option = None,
    limit: Limit = None,
    every: Every = 1,
    subset: Subset = None,
    output_format: OutputFormat = None,
) -> None:
    """Compare two datasets of the same images, object by object: exit 0 if nothing differs, 1 if something does."""
    from formatspec.cli.arguments import dataset_at, not_empty, pairs, sampled, wants_json
    from formatspec.datasets import looks
    from formatspec.datasets.comparison import lines
    from formatspec.datasets.pages import comparison_page

    as_json, taken = wants_json(as_json, output_format), sampled(limit, every, subset)
    options = pairs(option or (), "-O")
    ours, theirs = not_empty(dataset_at(first, options, **taken)), not_empty(dataset_at(second, options))
    is_part = taken != sampled(None)
    with progress("comparing") as tell:
        found = looks.compared(ours, theirs, iou, tell, is_part=is_part)
    _tell(found, lambda: comparison_page(found, ours, theirs), lambda: lines(found), as_json, html)
    _say_what_was_left_out(ours)
    _say_what_was_left_out(theirs)
    if not found.same:
        raise typer.Exit(FINDINGS)


def picture_file(out: Path) -> Path:
    """Check the file of a picture, as `-o` names it; stop if it cannot be written or is no kind of image."""
    from formatspec.cli.arguments import refuse_unwritable

    if out.is_dir():
        stop(f"-o {out} is a folder; name the picture, for instance {out / 'items.png'}")
    refuse_unwritable("-o", out)
    if out.suffix.lower() not in PICTURES:
        said = f"the ending {out.suffix}" if out.suffix else "no ending"
        stop(f"-o {out} has {said}; a picture is one of {', '.join(PICTURES)}")
    return out


PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".pdf")
"""The endings of the pictures that `plot` writes."""


def plot(
    what: Annotated[list[str], typer.Argument(metavar="[SPEC] DATA [ITEM]...", show_default=False)],
    out: Annotated[
        Path,
        typer.Option("-o", "--out", callback=picture_file, help="the picture to write: .png or another kind of image"),
    ],
    grid: Annotated[str | None, typer.Option("--grid", help="columns and rows of a contact sheet: 4x3")] = None,
    by: Annotated[str, typer.Option("--by", help="what has a colour of its own: class or object")] = "class",
    option: Option = None,
    classes: Classes = None,
    limit: Limit = None,
    every: Every = 1,
    subset: Subset = None,
    as_json: AsJson = False,
    output_format: OutputFormat = None,
) -> None:
    """Draw items: the image with regions, outlines, boxes, keypoints, labels, and what is wrong with it.

    Without ITEM, the first items are drawn: one, as many as the grid has cells, or as many as --limit says.
    """
    import formatspec.api as api
    from formatspec.cli.arguments import not_empty, pairs, sampled, spec_data_and_names, wants_json
    from formatspec.datasets import looks
    from formatspec.datasets.dataset import InvalidItemError

    if by not in ("class", "object"):
        stop(f"--by is class or object, not {by!r}")
    as_json, taken = wants_json(as_json, output_format), sampled(limit, every, subset)
    spec, data, names = spec_data_and_names(what)
    cells = _cells(grid) if grid is not None else None
    dataset = not_empty(api.open(data, spec, options=pairs(option or (), "-O"), classes=classes, **taken))
    keys = names or dataset[: cells[0] * cells[1] if cells else taken["limit"] or 1].keys
    try:
        made = looks.save_pictures(dataset, keys, out, cells, "object" if by == "object" else "class")
    except (KeyError, InvalidItemError) as error:
        stop(str(error.args[0]) if isinstance(error, KeyError) else str(error))
    except (ValueError, OSError) as error:  # Pillow cannot write this picture as this kind of file
        stop(f"{out} cannot be written: {error}")
    if as_json:
        print_json({"files": [str(file) for file in made]})
        return
    for file in made:
        say_out(str(file))


def _tell(
    found: Statistics | Comparison, page: Callable[[], str], lines: Callable[[], list[str]], as_json: bool,
    html: Path | None,
) -> None:  # fmt: skip
    """Print what was found as a page, as JSON, or otherwise as lines of text."""
    if html is not None:
        html.write_text(page(), encoding="utf-8")
        say(f"written: {html}")
    if as_json:
        print_json(found.as_json())
    elif html is None:
        for line in lines():
            say_out(line)


def _cells(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"([1-9][0-9]?)x([1-9][0-9]?)", text)
    if found is None:
        stop(f"--grid takes columns and rows, 4x3, each from 1 to 99, not {text!r}")
    return int(found[1]), int(found[2])


def _say_what_was_left_out(dataset: Dataset) -> None:
    wrong = [finding for finding in dataset.findings if finding.level == "error"]
    if wrong:
        found = "1 error" if len(wrong) == 1 else f"{len(wrong):,} errors"
        say(f"{dataset.data}: {found}, and what they are about is left out; `formatspec validate` names them")
