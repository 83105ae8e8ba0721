"""The Python interface: open a dataset, go over its items, check it, write it in another format."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from formatspec.language.errors import Problem, SpecError
from formatspec.language.load import Source, bundled, load_source

if TYPE_CHECKING:
    from formatspec.datasets.dataset import Dataset, Step
    from formatspec.engine.dataset import dataset as engine
    from formatspec.engine.detection.detect import Detection
    from formatspec.model.records import Category, Item
    from formatspec.paths.trees.tree import Tree
    from formatspec.policy.rules import Policy
    from formatspec.run.class_names import Classes
    from formatspec.run.conversion.plan import Media, Result
    from formatspec.run.explain import Explained
    from formatspec.run.output.staging import Overwrite
    from formatspec.run.pools.pool import Engine
    from formatspec.run.select import NewName
    from formatspec.run.validate import Report

Progress = Callable[[int, int], None]
On = Sequence[str] | Mapping[str, str]
"""What is done about findings: `CODE[,CODE]=ACTION` each, or a mapping of codes to actions."""


def load_spec(name_or_file: str | Path) -> Source:
    """Load a spec by name or file.

    Raises SpecError, which names file, line and column of everything that is wrong with the spec: all its
    rules are compiled for reading and for writing, but for specs that come with the package, whose tests do that.
    """
    source = load_source(name_or_file)
    if source.file.resolve().parent != bundled():
        from formatspec.engine.dataset.lint import compile_whole

        compile_whole(source)
    return source


def detect_format(tree: Tree) -> Detection:
    """Tell which known spec describes a tree, with what speaks against the others.

    Warns with SpecMistake of each spec of the user's own that cannot be used; formats that images and folders alone
    tell are then not considered, since the data may be of that spec.
    """
    from formatspec.engine.detection.detect import detect
    from formatspec.engine.detection.known_specs import known_specs

    known = known_specs()
    for error in known.mistaken.values():
        warnings.warn(SpecMistake(f"this spec is passed over: {error}"), stacklevel=2)
    wrong = {name: f"its spec cannot be used: {error.problems[0]}" for name, error in known.mistaken.items()}
    return detect(known.sources, tree, own=known.own, bare=not known.mistaken, unusable=wrong)


def spec_for(tree: Tree, data: str | Path) -> tuple[Source, str]:
    """The spec that describes a tree, and the folder in it in which the dataset begins ("" for the root).

    Raises SpecError if no spec describes it, or several do equally well.
    """
    from formatspec.engine.detection.refusal import refusal

    found = detect_format(tree)
    if found.name is None:
        raise refusal(str(data), found)
    for note in found.notes:
        warnings.warn(FormatNotice(note), stacklevel=2)
    return load_spec(found.winner.file), found.within


class FormatNotice(UserWarning):
    """Something to know about how a dataset's format was told."""


class SpecMistake(FormatNotice):
    """A spec of the user's own cannot be used, and is passed over."""


def open(
    data: str | Path, spec: str | Path | None = None, *, options: Mapping[str, Any] | None = None,
    classes: Classes | None = None, where: str | Step | None = None, subset: str | Sequence[str] | None = None,
    labels: Sequence[str] | Mapping[str, NewName] | None = None, limit: int | None = None,
) -> Dataset:  # fmt: skip
    """Open a dataset: a folder or a zip, on disk or behind a URL (`s3://bucket/folder`).

    spec: a format's name or a spec's file; where it is left out, the format is detected.  options: those of
    the spec, by name: `options={"task": "segment"}`.  classes: the names of the classes, or a text file with a name a
    line, where the data give numbers alone; the first is class 0, and a list in the data is not looked at.
    where, subset, labels: which items and objects are taken, as `Dataset.filter` takes them.  limit: so many items at
    most, the first of those that are taken.  Raises
    FileNotFoundError, ValueError for a file that is no zip, SpecError where no spec fits or it has no such option, and
    RemoteError where a store cannot be reached.
    """
    from formatspec.datasets.dataset import Dataset, Opened
    from formatspec.run.output.staging import output_place

    given = dict(options or {})
    inner = _opened(data, spec, given, origin=False, classes=classes)
    dataset = Dataset(inner, Opened(output_place(data), given, classes, convert))
    if where is not None or subset is not None or labels is not None:
        dataset = dataset.filter(where, subset=subset, labels=labels)
    return dataset if limit is None else dataset[:limit]


def _opened(
    data: str | Path, spec: str | Path | None, options: Mapping[str, Any], origin: bool, shared: bool = False,
    classes: Classes | None = None, **purpose: Any,
) -> engine.OpenDataset:  # fmt: skip
    """Open data; options that are `shared` with a target need not all be the spec's own."""
    from formatspec.engine.dataset.choose_layout import open_source
    from formatspec.engine.dataset.item.purpose import Purpose
    from formatspec.paths.trees.open_tree import open_tree
    from formatspec.run.class_names import class_names

    tree = open_tree(data)
    source, within = spec_for(tree, data) if spec is None else _named(spec, tree)
    known = {name: value for name, value in options.items() if not shared or name in source.spec.options}
    return open_source(source, tree, known, Purpose(origin=origin, classes=class_names(classes), **purpose), within)


def _named(spec: str | Path, tree: Tree) -> tuple[Source, str]:
    """A spec that is named, and the folder of a tree in which its dataset begins."""
    from formatspec.engine.detection.detect import wrapped_in

    source = load_spec(spec)
    return source, wrapped_in(source, tree)


def explain(
    data: str | Path, spec: str | Path | None = None, name: str | None = None, *,
    options: Mapping[str, Any] | None = None,
) -> Explained:  # fmt: skip
    """How a dataset, one of its files or one of its items is read.

    name: the path of a file below the data, or an item's key.  Raises NothingOfThatNameError where there is neither,
    and what `open` raises.
    """
    from formatspec.run.explain import explain as explained

    return explained(_opened(data, spec, options or {}, origin=True), name)


def validate(
    data: str | Path, spec: str | Path | None = None, *, options: Mapping[str, Any] | None = None, deep: bool = False,
    on: On = (), config: str | Path | None = None, workers: int | None = None, engine: Engine = "processes",
    address: str | None = None, progress: Progress | None = None, classes: Classes | None = None,
) -> Report:  # fmt: skip
    """Check a dataset: its layout, documents, references and geometry.

    options: those of the spec, by name.  deep: decode every label image too.  on, config: as `convert` takes them; they
    decide what is told of, what fails, and what each finding says that a conversion would do.  workers: processes, by
    default one for each core; the report is the same whatever their number.  engine: `ray` for a Ray cluster, at
    `address` or this machine's own.  Broken data never raises; it is a finding.  Raises CannotRunError where there is
    no such engine or its workers are lost.
    """
    from formatspec.run.pools.pool import pool_of
    from formatspec.run.validate import validate_dataset

    dataset = _opened(data, spec, options or {}, origin=False, pixels=deep, classes=classes)
    policy = _policy(data, config, on, False, dataset.form.spec.checks)
    if policy.encoding is not None:
        dataset = dataset.in_encoding(policy.encoding)
    total = len(dataset)
    tell = (lambda done: progress(done, total)) if progress else (lambda done: None)
    with pool_of(workers, engine, address) as pool:
        return validate_dataset(dataset, str(data), deep, tell, pool, policy)


def _policy(data: str | Path, config: str | Path | None, on: On, skip_invalid: bool, own: Mapping[str, Any]) -> Policy:
    """The policy of the configuration file, and over it what is asked for.  Raises PolicyError."""
    from formatspec.policy.config import found_beside, load
    from formatspec.policy.rules import Policy, Rule, parse_on

    file = Path(config) if config is not None else found_beside(data)
    stated = load(file, own) if file is not None else Policy()
    words = [f"{code}={action}" for code, action in on.items()] if isinstance(on, Mapping) else on
    skipping = (Rule("error", "drop-item"),) if skip_invalid else ()
    return Policy((*stated.rules, *skipping, *parse_on(words, own)), stated.ignored, stated.fail_over)


def convert(
    data: str | Path,
    *,
    to: str | Path,
    out: str | Path | None = None,
    spec: str | Path | None = None,
    media: Media = "copy",
    overwrite: Overwrite = False,
    on: On = (),
    config: str | Path | None = None,
    skip_invalid: bool = False,
    lossless: bool = False,
    subsets: Mapping[str, str] | None = None,
    default_class: str | None = None,
    allow_unaccounted: bool = False,
    allow_loss: Sequence[str] = (),
    labels: Mapping[str, NewName] | None = None,
    where: str | None = None,
    select: Step | None = None,
    classes: Classes | None = None,
    options: Mapping[str, Any] | None = None,
    workers: int | None = None,
    engine: Engine = "processes",
    address: str | None = None,
    progress: Progress | None = None,
) -> Result:
    """Write a dataset in another format; `out`, a folder or a URL, appears whole or not at all.

    workers: processes, by default one for each core; the output is the same whatever their number.  engine: `ray`
    for a Ray cluster, at `address` or this machine's own.
    on: what is done about findings, each `CODE[,CODE]=ACTION`, where a level may stand for a code.  config: a file that
    says so; by default `formatspec.yaml` beside the data, or `[tool.formatspec]` of a pyproject.toml.  skip_invalid: a
    short form of `error=drop-item`.  lossless: refuse losses, repairs and drops.
    options: those of either spec, by name; one that both have goes to both.  classes: as for `open`.
    media: copy, link or leave out the images.  overwrite: replace an output that was written as one and holds
    nothing else; "force": whatever is there.  labels: new category names, or NewCategory with the
        number and whether it has instances; None drops one, the old name `*` is any other.  default_class: the class
    of objects that have none.  allow_loss: lines of the loss report that `lossless` passes over, each with or without
    its number.  allow_unaccounted: write even if something would be gone that no line names; the result's
    `unaccounted` says what.  where: an expression over items, or over objects.  select: instead, a function that
    takes an item and gives it, changed or not, or None; it is pickled where there are several workers.  Raises
    RefusedError with the findings
    where one stops the conversion, UnaccountedError where something would be gone that no line names,
    PolicyError for a code, a level or an action that cannot be, OutputError where `out` cannot be, SpecError for a bad
    spec, option or expression,
    RemoteError where a store cannot be reached, CannotRunError where there is no such engine or its workers are lost.
    """
    import msgspec

    from formatspec.engine.spec.compiled import offered_options
    from formatspec.engine.spec.wanted_slots import needs_sizes
    from formatspec.run.conversion.plan import Plan
    from formatspec.run.convert import convert_dataset, purpose_of, target_format
    from formatspec.run.output.output import refuse_unfit, staged
    from formatspec.run.output.staging import output_place
    from formatspec.run.output.upload import NowhereStaging, is_there
    from formatspec.run.pools.pool import pool_of
    from formatspec.run.resume import fingerprint
    from formatspec.run.select import ItemCondition

    target = load_spec(to)
    place = output_place(out) if out is not None else default_out(data, target)
    refuse_unfit(place, output_place(data), overwrite)
    given = dict(options or {})
    purpose = purpose_of(media, False)
    source = _opened(
        data,
        spec,
        given,
        origin=True,
        shared=True,
        headers=purpose.headers,
        checks=False,
        media_required=purpose.media_required,
        whole=purpose.whole,
        strict=purpose.strict,
        classes=classes,
    )
    policy = _policy(data, config, on, skip_invalid, source.form.spec.checks)
    if policy.encoding is not None:
        source = source.in_encoding(policy.encoding)
    same = source.form.source.is_same(target)
    if not same:
        source.purpose = msgspec.structs.replace(purpose, classes=source.purpose.classes)
    offered = offered_options(target.spec)
    own = {name: value for name, value in given.items() if name in offered or not same}
    unknown = [n for n in own if n not in offered and n not in source.form.spec.options]
    if unknown:
        raise SpecError((Problem(f"neither {source.name} nor {target.name} has an option {unknown[0]!r}", None),))
    plan = Plan(
        media=media, policy=policy, lossless=lossless,
        subsets=dict(subsets or {}),
        options={name: value for name, value in own.items() if name in offered},
        labels=dict(labels) if labels is not None else None, default_class=default_class,
        allow_unaccounted=allow_unaccounted, allow_loss=tuple(allow_loss),
        select=ItemCondition(where, source.form) if where else select,
    )  # fmt: skip
    if same and source.form.options and not plan.leaves_items:
        settled = target_format(source, target, plan).options
        if settled != source.form.options:
            source = _opened(
                data, spec, settled, origin=True, headers=purpose.headers, checks=False,
                media_required=purpose.media_required, whole=purpose.whole, strict=purpose.strict, classes=classes,
            )  # fmt: skip
    if media == "none" and not source.purpose.headers and needs_sizes(source.form):
        source.purpose = msgspec.structs.replace(source.purpose, headers=True)
    total = len(source)
    known_by = fingerprint(source, target, plan, where) if isinstance(place, Path) and select is None else None
    tell = (lambda done: progress(done, total)) if progress else (lambda done: None)
    with pool_of(workers, engine, address) as pool:
        if isinstance(place, str) and overwrite and is_there(place):
            # Nothing can be moved there: what would be refused is refused before the old output goes.
            convert_dataset(source, target, NowhereStaging(), plan, lambda done: None, pool)
        with staged(place, overwrite, known_by) as staging:
            result = convert_dataset(source, target, staging, plan, tell, pool)
    return msgspec.structs.replace(result, out=str(place))


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
    workers: int | None = None,
    progress: Progress | None = None,
) -> Result:
    """Write several datasets as one in the format `to`; `out` appears whole or not at all.

    datasets: as `open` gives them, whole or parts of them.  classes: all classes in their order, as names or as a text
    file with a name a line; left out, those of all datasets, united by name.  labels: new names of classes, as for
    `convert`; they hold before classes are united.  An item whose name another dataset has is named after its dataset;
    the same image in two datasets stays two items; the result's notices say both.  The rest is as for `convert`.

    Raises SpecError where the list of classes lacks one that the data have, and what `convert` raises.
    """
    import msgspec

    from formatspec.datasets.joined_datasets import JoinedDatasets, labels_of
    from formatspec.run.class_names import class_names
    from formatspec.run.conversion.plan import Plan
    from formatspec.run.convert import convert_dataset, purpose_of
    from formatspec.run.output.output import refuse_unfit, staged
    from formatspec.run.output.staging import output_place
    from formatspec.run.pools.pool import pool_of
    from formatspec.run.select import ItemCondition

    if not datasets:
        raise ValueError("merge needs a dataset")
    target, place = load_spec(to), output_place(out)
    for dataset in datasets:
        refuse_unfit(place, dataset.data, overwrite)
    parts = [
        one.as_part(label) for one, label in zip(datasets, labels_of([str(o.data) for o in datasets]), strict=True)
    ]
    source = JoinedDatasets(parts, class_names(classes), labels, purpose_of(media, False))
    given = dict(options or {})
    plan = Plan(
        media=media, policy=_policy(datasets[0].data, config, on, skip_invalid, {}), lossless=lossless, options=given,
        subsets=dict(subsets or {}), default_class=default_class, allow_loss=tuple(allow_loss),
        select=ItemCondition(where, source.form) if where else None,
    )  # fmt: skip
    total = len(source)
    tell = (lambda done: progress(done, total)) if progress else (lambda done: None)
    with pool_of(workers) as pool, staged(place, overwrite) as staging:
        result = convert_dataset(source, target, staging, plan, tell, pool)
    return msgspec.structs.replace(result, out=str(place), notices=(*result.notices, *source.notices()))


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
    """Write items that a program made or changed as a dataset in the format `to`; `out` appears whole or not at all.

    items: those of an open dataset, changed or not, of several datasets, or made by hand; they are held in memory, but
    not their images.  categories: the classes in their order, by name or as Category; left out, all that the items
    name.  images: the folder in which the images of items made by hand lie.  The rest is as for `convert`.  Items are
    checked as those that are read: raises RefusedError with the findings, UnfitItemsError (a ValueError) where two
    items have one key or image or one has none, and what `convert` raises.
    """
    import msgspec

    from formatspec.datasets.held_items import HeldItems
    from formatspec.run.conversion.plan import Plan
    from formatspec.run.convert import convert_dataset
    from formatspec.run.output.output import staged
    from formatspec.run.output.staging import output_place
    from formatspec.run.pools.workers import Alone

    target, place = load_spec(to), output_place(out)
    source = HeldItems(list(items), categories, None if images is None else Path(images))
    source.purpose = msgspec.structs.replace(source.purpose, media_required=media != "none")
    policy = _policy("", None, on, skip_invalid, {})
    plan = Plan(
        media=media, policy=policy, lossless=lossless, options=dict(options or {}), subsets=dict(subsets or {}),
        default_class=default_class,
    )  # fmt: skip
    with staged(place, overwrite) as staging:
        result = convert_dataset(source, target, staging, plan, lambda done: None, Alone())
    return msgspec.structs.replace(result, out=str(place))


def sample(
    spec: str | Path, out: str | Path, *, items: int = 10, seed: int = 0, options: Mapping[str, Any] | None = None
) -> int:
    """Make up a dataset in a format, valid by its own rules; gives the number of files.

    items: How many items.  seed: where the generator begins.  options: those of the spec, by name; of one that follows
    from what objects hold, and is not stated, the seed takes a choice.
    The same arguments give the same bytes.  Raises OutputError where `out` exists, and LawBrokenError (an
    AssertionError) where a leaf of the spec reads another value than it wrote.
    """
    import random

    from formatspec.engine.spec.compiled import compile_format
    from formatspec.run.output.output import refuse_existing, staged
    from formatspec.run.output.staging import output_place
    from formatspec.testing import laws

    source = load_spec(spec)
    place = output_place(out)
    refuse_existing(place, overwrite=False)
    layout, stated = source.layouts[0], dict(options or {})
    for name, option in layout.spec.options.items():
        if option.follows and name not in stated:
            stated[name] = random.Random(seed).choice(list(dict.fromkeys(option.follows.values())))
    form = compile_format(source, layout, stated)
    categories, made = laws.example(form, random.Random(seed), items)
    files = laws.written(form, categories, made)
    with staged(place, listed=False) as staging:
        for path, data in files.items():
            staging.write(path, data)
    return len(files)


def default_out(data: str | Path, target: Source) -> Path | str:
    """Where a conversion goes if nobody says: beside the data, named after the format."""
    from formatspec.run.output.staging import OutputError, output_place

    place = output_place(data)
    if isinstance(place, str):
        if "::" in place or "/" not in place.partition("://")[2]:
            raise OutputError(f"{place} has no folder beside it; say where the output goes with -o")
        return f"{place.removesuffix('.zip')}-{target.name}"
    whole = place.resolve()
    return whole.parent / f"{whole.stem if whole.is_file() else whole.name}-{target.name}"


__all__ = ["convert", "load_spec", "merge", "open", "sample", "validate", "write"]
