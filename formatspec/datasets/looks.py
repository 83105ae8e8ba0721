"""Statistics, comparisons and pictures of datasets on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from formatspec.datasets.comparison import MATCHED, Comparison, compare
from formatspec.datasets.dataset import Dataset, InvalidItemError
from formatspec.datasets.placed_items import placed
from formatspec.datasets.statistics import Statistics, statistics
from formatspec.findings.finding import Finding
from formatspec.model.pictures.draw_item import By
from formatspec.model.pictures.grid import contact_sheet
from formatspec.model.records import ImageSource, Item

if TYPE_CHECKING:
    from PIL.Image import Image as Picture


Progress = Callable[[int, int], None]
"""Is called with the number of items that are done, and of all."""


def _counted(dataset: Dataset, progress: Progress | None) -> Iterable[Item]:
    """Yield the items of a dataset, and report each to `progress`."""
    if progress is None:
        yield from dataset
        return
    total = len(dataset)
    for done, item in enumerate(dataset, 1):
        yield item
        progress(done, total)


def statistics_of(dataset: Dataset, duplicates: bool = False, progress: Progress | None = None) -> Statistics:
    """Return the statistics of a dataset; with `duplicates`, also groups of images that look alike."""
    return statistics(dataset.format, dataset.categories, _counted(dataset, progress), duplicates)


def compared(
    first: Dataset, second: Dataset, threshold: float = MATCHED, progress: Progress | None = None,
    *, is_part: bool = False,
) -> Comparison:  # fmt: skip
    """Compare two datasets of the same images; invalid items are left out.

    `is_part` says that the first is a part of a dataset, so that items that it lacks are no difference.
    """
    keys = second.keys
    if is_part:
        own = set(first.keys)
        names = {key.rpartition("/")[2] for key in own}
        keys = [key for key in keys if key in own or key.rpartition("/")[2] in names]

    def read(key: str) -> Item | None:
        try:
            return second[key]
        except InvalidItemError:
            return None

    return compare(_counted(first, progress), keys, read, threshold)


def wrong_in(findings: Sequence[Finding], item: Item) -> Mapping[Any, Sequence[str]]:
    """Return the codes of an item's findings by the ids of its objects; None stands for the item itself."""
    found: dict[Any, list[str]] = {}
    ids = {thing.id for thing in item.objects}
    for finding in findings:
        if finding.item == item.key and finding.level != "info":
            found.setdefault(finding.object if finding.object in ids else None, []).append(finding.code)
    return found


def with_findings(dataset: Dataset, key: str) -> tuple[Item, Sequence[Finding]]:
    """Return an item as its files state it, including faulty objects, with its findings.

    Raises:
        KeyError: No item has this key.
        InvalidItemError: Nothing can be made of the item.
    """
    one, findings = dataset.as_stated(key)
    return placed(one, ImageSource(dataset.files)), findings


def pictures(dataset: Dataset, keys: Sequence[str], by: By = "class") -> Iterator[tuple[str, Picture]]:
    """Yield the pictures of items with their keys; findings are drawn in their places."""
    for key in keys:
        item, findings = with_findings(dataset, key)
        yield key, item.plot(by, wrong_in(findings, item))


def save_pictures(
    dataset: Dataset, keys: Sequence[str], out: Path, grid: tuple[int, int] | None, by: By = "class"
) -> list[Path]:
    """Draw items into files: one file, a contact sheet with `grid` columns and rows, or several numbered files."""
    if grid is not None:
        columns, rows = grid
        contact_sheet(list(pictures(dataset, keys[: columns * rows], by)), columns, rows).save(out)
        return [out]
    made = []
    for place, (_, picture) in enumerate(pictures(dataset, keys, by), 1):
        file = out if len(keys) == 1 else out.with_name(f"{out.stem}-{place}{out.suffix}")
        picture.save(file)
        made.append(file)
    return made
