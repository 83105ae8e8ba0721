"""Writes several datasets, or items of a program, as one dataset."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from formatspec.opening import On, load_spec, policy_of

if TYPE_CHECKING:
    from formatspec.datasets.dataset import Dataset
    from formatspec.model.records import Category, Item
    from formatspec.run.class_names import Classes
    from formatspec.run.conversion.plan import Media, Result
    from formatspec.run.output.staging import Overwrite
    from formatspec.run.select import NewName

Progress = Callable[[int, int], None]


def merge(
    datasets: Sequence[Dataset],
    out: str | Path,
    *,
    to: str | Path,
    classes: Classes | None = None,
    labels: Mapping[str, NewName] | None = None,
    where: str | None = None,
    options: Mapping[str, Any] | None = None,
    media: Media = "copy",
    subsets: Mapping[str, str] | None = None,
    default_class: str | None = None,
    overwrite: Overwrite = False,
    on: On = (),
    config: str | Path | None = None,
    skip_invalid: bool = False,
    lossless: bool = False,
    allow_loss: Sequence[str] = (),
    source_attribute: str | None = "source",
    dry_run: bool = False,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Result:
    """Write several datasets as one in the format `to`; `out` appears whole or not at all.

    An item whose name another dataset has is named after its dataset. The same image in two datasets stays two items.
    The result's notices say both. Arguments that are not listed are those of `convert`.

    Args:
        datasets: Datasets as `open` gives them, whole or parts of them.
        out: A folder or a URL.
        to: The target: a format's name or a spec's file.
        classes: All classes in their order, as names or as a text file with one name a line; left out, those of all
            datasets, united by name.
        labels: As for `convert`; new names hold before classes are united.
        where: As for `convert`.
        options: Options of the target by name.
        media: As for `convert`, and so are all that follow.
        subsets: See `convert`.
        default_class: See `convert`.
        overwrite: See `convert`.
        on: See `convert`.
        config: See `convert`.
        skip_invalid: See `convert`.
        lossless: See `convert`.
        allow_loss: See `convert`.
        source_attribute: Where the target holds attributes of items, the one that names each item's dataset by its
            folder; None for none. An item that has an attribute of this name keeps its own.
        dry_run: See `convert`.
        workers: See `convert`.
        progress: See `convert`.

    Raises:
        SpecError: The list of classes lacks one that the data have.
        TypeError: One of `datasets` is no Dataset.
        ValueError: There is no dataset.
        Exception: What `convert` raises.
    """
    import msgspec

    from formatspec.datasets.joined_datasets import JoinedDatasets, labels_of
    from formatspec.engine.export.lost.losses import tells_of
    from formatspec.engine.spec.compiled import compile_format
    from formatspec.run.class_names import class_names
    from formatspec.run.conversion.plan import Plan
    from formatspec.run.convert import convert_dataset, purpose_of
    from formatspec.run.output.output import refuse_unfit, staged
    from formatspec.run.output.staging import output_place
    from formatspec.run.output.upload import NowhereStaging
    from formatspec.run.pools.pool import pool_of
    from formatspec.run.select import ItemCondition

    datasets = _sure(datasets)
    target, place = load_spec(to), output_place(out)
    for dataset in datasets:
        refuse_unfit(place, dataset.data, overwrite)
    parts = [
        one.as_part(label) for one, label in zip(datasets, labels_of([str(o.data) for o in datasets]), strict=True)
    ]
    form = compile_format(target, target.layouts[0], {})
    is_held = source_attribute is not None and tells_of(form, {"attributes", f"attributes.{source_attribute}"})
    source = JoinedDatasets(
        parts, class_names(classes), labels, purpose_of(media, False), source_attribute if is_held else None
    )
    given = dict(options or {})
    plan = Plan(
        media=media, policy=policy_of(datasets[0].data, config, on, skip_invalid, {}), lossless=lossless, options=given,
        subsets=dict(subsets or {}), default_class=default_class, allow_loss=tuple(allow_loss),
        select=ItemCondition(where, source.form) if where else None,
    )  # fmt: skip
    total = len(source)
    tell = (lambda done: progress(done, total)) if progress else (lambda done: None)
    nowhere = nullcontext(NowhereStaging())
    with pool_of(workers) as pool, nowhere if dry_run else staged(place, overwrite) as staging:
        result = convert_dataset(source, target, staging, plan, tell, pool)
    return msgspec.structs.replace(result, out=str(place), notices=(*result.notices, *source.notices()))


def _sure(datasets: object) -> list[Dataset]:
    """Return the datasets to merge, after checking that they are datasets."""
    from formatspec.datasets.dataset import Dataset

    if isinstance(datasets, Dataset | str | Path) or not isinstance(datasets, Iterable):
        raise TypeError(f"merge takes a list of datasets, not {datasets!r}; say merge([…], out)")
    found = list(datasets)
    for one in found:
        if not isinstance(one, Dataset):
            raise TypeError(f"merge takes datasets as formatspec.open gives them, not {one!r}")
    if not found:
        raise ValueError("merge needs a dataset")
    return found


def write(
    items: Iterable[Item],
    out: str | Path,
    *,
    to: str | Path,
    categories: Sequence[Category | str] = (),
    images: str | Path | None = None,
    options: Mapping[str, Any] | None = None,
    media: Media = "copy",
    subsets: Mapping[str, str] | None = None,
    default_class: str | None = None,
    overwrite: Overwrite = False,
    on: On = (),
    skip_invalid: bool = False,
    lossless: bool = False,
) -> Result:
    """Write items that a program made or changed as a dataset; `out` appears whole or not at all.

    Items are checked as those that are read. Lists and arrays of numbers stand for tuples. Items are held in memory;
    their images are not.

    Args:
        items: Items of open datasets, changed or not, or made by hand.
        out: A folder or a URL.
        to: The target: a format's name or a spec's file.
        categories: The classes in their order, by name or as Category; left out, all that the items name.
        images: The folder in which the images of items made by hand lie.
        options: Options of the target by name.
        media: As for `convert`, and so are all that follow.
        subsets: See `convert`.
        default_class: See `convert`.
        overwrite: See `convert`.
        on: See `convert`.
        skip_invalid: See `convert`.
        lossless: See `convert`.

    Raises:
        RefusedError: A finding stops it; the error holds the findings.
        TypeError: `items` is no list of items.
        UnfitItemsError: Two items have one key or one image, an item has none, a slot holds a value of another type, or
            `categories` lacks one that the items name.
        Exception: What `convert` raises.
    """
    import msgspec

    from formatspec.datasets.made.held_items import HeldItems
    from formatspec.model.records import Item
    from formatspec.run.conversion.plan import Plan
    from formatspec.run.convert import convert_dataset
    from formatspec.run.output.output import staged
    from formatspec.run.output.staging import output_place
    from formatspec.run.pools.workers import Alone

    if isinstance(items, Item | str) or not isinstance(items, Iterable):
        raise TypeError(f"write takes a list of items, not {items!r}")
    target, place = load_spec(to), output_place(out)
    source = HeldItems(list(items), categories, None if images is None else Path(images))
    source.purpose = msgspec.structs.replace(source.purpose, media_required=media != "none")
    policy = policy_of("", None, on, skip_invalid, {})
    plan = Plan(
        media=media, policy=policy, lossless=lossless, options=dict(options or {}), subsets=dict(subsets or {}),
        default_class=default_class,
    )  # fmt: skip
    with staged(place, overwrite) as staging:
        result = convert_dataset(source, target, staging, plan, lambda done: None, Alone())
    return msgspec.structs.replace(result, out=str(place))
