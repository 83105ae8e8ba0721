"""The Python interface: opens datasets, reads their items, checks them, and writes them in another format."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from formatspec.datasets.writing import merge, write
from formatspec.language.errors import Problem, SpecError
from formatspec.language.load import Source
from formatspec.opening import FormatNotice, On, SpecMistake, detect_format, load_spec, opened, policy_of, spec_for
from formatspec.paths.names import is_segment

if TYPE_CHECKING:
    from formatspec.datasets.dataset import Dataset, Step
    from formatspec.run.class_names import Classes
    from formatspec.run.conversion.plan import Media, Result
    from formatspec.run.explain import Explained
    from formatspec.run.output.staging import Overwrite
    from formatspec.run.pools.pool import Engine
    from formatspec.run.select import NewName
    from formatspec.run.validate import Report

Progress = Callable[[int, int], None]


def open(
    data: str | Path, spec: str | Path | None = None, *, options: Mapping[str, Any] | None = None,
    classes: Classes | None = None, where: str | Step | None = None, subset: str | Sequence[str] | None = None,
    labels: Sequence[str] | Mapping[str, NewName] | None = None, every: int = 1, limit: int | None = None,
) -> Dataset:  # fmt: skip
    """Open a dataset without reading an item.

    Args:
        data: A folder or a zip, on disk or behind a URL (`s3://bucket/folder`).
        spec: A format's name or a spec's file; left out, the format is detected.
        options: Options of the spec by name, as in `options={"task": "segment"}`.
        classes: The names of the classes, or a text file with one name a line, where the data give numbers alone. The
            first is class 0, and a list in the data is not looked at.
        where: Which items and objects are taken, as `Dataset.filter` takes it.
        subset: Likewise.
        labels: Likewise.
        every: Of the items that are left, each so-many-th is taken, from the first on.
        limit: How many of these are taken at most, the first.

    Raises:
        FileNotFoundError: There is no such place.
        ValueError: A file is no zip.
        SpecError: No spec fits, or it has no such option.
        RemoteError: A store cannot be reached.
    """
    from formatspec.datasets.dataset import Dataset, Opened
    from formatspec.run.output.staging import output_place
    from formatspec.run.sampling import places_of, sampling

    given = dict(options or {})
    inner = opened(data, spec, given, origin=False, classes=classes)
    places = places_of(inner, sampling(subset))
    dataset = Dataset(inner, Opened(output_place(data), given, classes, convert), chosen=places)
    if where is not None or labels is not None:
        dataset = dataset.filter(where, labels=labels)
    asked = sampling(None, every, limit)
    return dataset if asked == sampling() else dataset[:: asked.every][: asked.limit]


def explain(
    data: str | Path, spec: str | Path | None = None, name: str | None = None, *,
    options: Mapping[str, Any] | None = None,
) -> Explained:  # fmt: skip
    """Say how a dataset, one of its files or one of its items is read.

    Args:
        data: The dataset's place, as for `open`.
        spec: As for `open`.
        name: The path of a file below the data, or an item's key; left out, the whole dataset is explained.
        options: As for `open`.

    Raises:
        NothingOfThatNameError: No file and no item has this name.
        Exception: What `open` raises.
    """
    from formatspec.run.explain import explain as explained

    return explained(opened(data, spec, options or {}, origin=True), name)


def validate(
    data: str | Path, spec: str | Path | None = None, *, options: Mapping[str, Any] | None = None, deep: bool = False,
    on: On = (), config: str | Path | None = None, workers: int | None = None, engine: Engine = "processes",
    address: str | None = None, progress: Progress | None = None, classes: Classes | None = None,
    subset: str | Sequence[str] | None = None, every: int = 1, limit: int | None = None,
) -> Report:  # fmt: skip
    """Check a dataset: its layout, documents, references and geometry.

    Broken data raises nothing; it is a finding.

    Args:
        data: The dataset's place, as for `open`.
        spec: As for `open`.
        options: As for `open`.
        deep: Decode every label image too, which takes most of the time.
        on: What is done about findings, as for `convert`. It decides which findings are told, which of them fail, and
            what each says that a conversion would do.
        config: As for `convert`.
        workers: How many processes read, by default one for each core. The report is the same for any number.
        engine: `processes` of this machine, or `ray` for a Ray cluster.
        address: The cluster's address; left out, Ray is started on this machine.
        progress: Called with the number of items that are done and of all.
        classes: As for `open`.
        subset: Which items are checked, as for `open`; of a part nothing is said of the dataset as a whole.
        every: As for `open`.
        limit: As for `open`.

    Raises:
        CannotRunError: There is no such engine, or its workers are lost.
        PolicyError: A code, a level or an action does not exist.
        Exception: What `open` raises.
    """
    from formatspec.run.pools.pool import pool_of
    from formatspec.run.sampling import places_of, sampling
    from formatspec.run.validate import validate_dataset

    dataset = opened(data, spec, options or {}, origin=False, pixels=deep, classes=classes)
    policy = policy_of(data, config, on, False, dataset.form.spec.checks)
    if policy.encoding is not None:
        dataset = dataset.in_encoding(policy.encoding)
    places = places_of(dataset, sampling(subset, every, limit))
    total = len(dataset) if places is None else len(places)
    tell = (lambda done: progress(done, total)) if progress else (lambda done: None)
    with pool_of(workers, engine, address) as pool:
        return validate_dataset(dataset, str(data), deep, tell, pool, policy, places)


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
    subset: str | Sequence[str] | None = None,
    every: int = 1,
    limit: int | None = None,
    dry_run: bool = False,
    classes: Classes | None = None,
    options: Mapping[str, Any] | None = None,
    workers: int | None = None,
    engine: Engine = "processes",
    address: str | None = None,
    progress: Progress | None = None,
) -> Result:
    """Write a dataset in another format; `out` appears whole or not at all.

    Args:
        data: The dataset's place, as for `open`.
        to: The target: a format's name or a spec's file.
        out: A folder or a URL; left out, a folder beside the data, named after the format.
        spec: The source's format, as for `open`.
        media: `copy`, `link` or leave out (`none`) the images.
        overwrite: True replaces an output that formatspec wrote and that holds nothing else; "force" replaces anything.
        on: What is done about findings: `CODE[,CODE]=ACTION` each, or a mapping. A level may stand for a code.
        config: A file that says the same; by default `formatspec.yaml` beside the data, or `[tool.formatspec]` of a
            pyproject.toml.
        skip_invalid: A short form of `error=drop-item`.
        lossless: Refuse losses, repairs and drops.
        subsets: New names of subsets by old ones.
        default_class: The class of objects that have none.
        allow_unaccounted: Write even if something would be gone that no line of the report names; the result's
            `unaccounted` says what.
        allow_loss: Lines of the loss report that `lossless` passes over, each with or without its number.
        labels: New names of categories by old ones, or NewCategory with the number and whether the category has
            instances. None drops a category; the old name `*` is any other.
        where: An expression over items or over objects, as `Dataset.filter` takes it.
        select: A function that takes an item and gives it, changed or not, or None. Several workers need it to pickle.
        subset: Which items are read, as for `open`.
        every: As for `open`.
        limit: As for `open`.
        dry_run: Write nothing, and give what would be said of it.
        classes: As for `open`.
        options: Options of either spec by name; one that both have goes to both.
        workers: How many processes work, by default one for each core. The output is the same for any number.
        engine: `processes` of this machine, or `ray` for a Ray cluster.
        address: The cluster's address; left out, Ray is started on this machine.
        progress: Called with the number of items that are done and of all.

    Raises:
        RefusedError: A finding or a loss stops the conversion; the error holds them.
        UnaccountedError: Something would be gone that no line of the report names.
        PolicyError: A code, a level or an action does not exist.
        OutputError: `out` cannot be written there.
        SpecError: A spec, an option or an expression is wrong.
        RemoteError: A store cannot be reached.
        CannotRunError: There is no such engine, or its workers are lost.
    """
    import msgspec

    from formatspec.engine.spec.options import offered_options
    from formatspec.engine.spec.wanted_slots import needs_sizes
    from formatspec.run.conversion.plan import Plan
    from formatspec.run.convert import convert_dataset, purpose_of, target_format
    from formatspec.run.output.output import refuse_unfit, staged
    from formatspec.run.output.staging import output_place
    from formatspec.run.output.upload import NowhereStaging, is_there
    from formatspec.run.pools.pool import pool_of
    from formatspec.run.resume import fingerprint
    from formatspec.run.sampling import places_of, sampling
    from formatspec.run.select import ItemCondition

    target = load_spec(to)
    place = output_place(out) if out is not None else default_out(data, target)
    refuse_unfit(place, output_place(data), overwrite)
    given = dict(options or {})
    purpose = purpose_of(media, False)
    source = opened(
        data,
        spec,
        given,
        origin=True,
        shared=True,
        headers=purpose.headers,
        unsized=purpose.unsized,
        checks=False,
        media_required=purpose.media_required,
        whole=purpose.whole,
        strict=purpose.strict,
        classes=classes,
    )
    policy = policy_of(data, config, on, skip_invalid, source.form.spec.checks)
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
    for new in (subsets or {}).values():
        if not is_segment(new):
            raise SpecError(
                (Problem(f"a subset cannot be called {new!r}: it is a part of paths, as `train` is", None),)
            )
    plan = Plan(
        media=media, policy=policy, lossless=lossless,
        subsets=dict(subsets or {}),
        options={name: value for name, value in own.items() if name in offered},
        labels=dict(labels) if labels is not None else None, default_class=default_class,
        allow_unaccounted=allow_unaccounted, allow_loss=tuple(allow_loss),
        select=ItemCondition(where, source.form) if where else select,
        places=places_of(source, sampling(subset, every, limit), getattr(select, "keys", None)),
    )  # fmt: skip
    if same and source.form.options and not plan.leaves_items:
        settled = target_format(source, target, plan).options
        if settled != source.form.options:
            source = opened(
                data, spec, settled, origin=True, headers=purpose.headers, unsized=purpose.unsized, checks=False,
                media_required=purpose.media_required, whole=purpose.whole, strict=purpose.strict, classes=classes,
            )  # fmt: skip
    if media == "none" and not source.purpose.headers and needs_sizes(source.form):
        source.purpose = msgspec.structs.replace(source.purpose, headers=True)
    total = plan.count_of(len(source))
    known_by = fingerprint(source, target, plan, where) if isinstance(place, Path) and select is None else None
    tell = (lambda done: progress(done, total)) if progress else (lambda done: None)
    with pool_of(workers, engine, address) as pool:
        if isinstance(place, str) and overwrite and not dry_run and is_there(place):
            # Nothing can be moved there, so whatever is refused must be refused before the old output is deleted.
            convert_dataset(source, target, NowhereStaging(), plan, lambda done: None, pool)
        with nullcontext(NowhereStaging()) if dry_run else staged(place, overwrite, known_by) as staging:
            result = convert_dataset(source, target, staging, plan, tell, pool)
    return msgspec.structs.replace(result, out=str(place))


def sample(
    spec: str | Path, out: str | Path, *, items: int = 10, seed: int = 0, options: Mapping[str, Any] | None = None
) -> int:
    """Make up a dataset in a format, valid by the format's own rules.

    The same arguments give the same bytes.

    Args:
        spec: A format's name or a spec's file.
        out: A folder that does not exist yet.
        items: How many items.
        seed: The seed of the generator. It also chooses an option that follows from what objects hold and is not
            stated.
        options: Options of the spec by name.

    Returns:
        The number of files.

    Raises:
        OutputError: `out` exists.
        LawBrokenError: A leaf of the spec reads another value than it wrote (an AssertionError).
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
    """Where a conversion goes if nobody says: beside the data, named after the format.

    Raises:
        OutputError: A URL has no folder beside it.
    """
    from formatspec.run.output.staging import OutputError, output_place

    place = output_place(data)
    if isinstance(place, str):
        if "::" in place or "/" not in place.partition("://")[2]:
            raise OutputError(f"{place} has no folder beside it; say where the output goes with -o")
        return f"{place.removesuffix('.zip')}-{target.name}"
    whole = place.resolve()
    return whole.parent / f"{whole.stem if whole.is_file() else whole.name}-{target.name}"


__all__ = [
    "FormatNotice", "SpecMistake", "convert", "detect_format", "explain", "load_spec", "merge", "open", "sample",
    "spec_for", "validate", "write",
]  # fmt: skip
