"""The Python interface: open a dataset, go over its items, check it, write it in another format."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from formatspec.datasets.writing import merge, write
from formatspec.language.errors import Problem, SpecError
from formatspec.language.load import Source
from formatspec.opening import FormatNotice, On, SpecMistake, detect_format, load_spec, opened, policy_of, spec_for

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
    """Open a dataset: a folder or a zip, on disk or behind a URL (`s3://bucket/folder`).

    spec: a format's name or a spec's file; where it is left out, the format is detected.  options: those of
    the spec, by name: `options={"task": "segment"}`.  classes: the names of the classes, or a text file with a name a
    line, where the data give numbers alone; the first is class 0, and a list in the data is not looked at.
    where, subset, labels: which items and objects are taken, as `Dataset.filter` takes them.  every: of these, each
    so-many-th from the first on.  limit: of these, so many at most, the first.  Raises
    FileNotFoundError, ValueError for a file that is no zip, SpecError where no spec fits or it has no such option, and
    RemoteError where a store cannot be reached.
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
    """How a dataset, one of its files or one of its items is read.

    name: the path of a file below the data, or an item's key.  Raises NothingOfThatNameError where there is neither,
    and what `open` raises.
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

    options: those of the spec, by name.  deep: decode every label image too.  on, config: as `convert` takes them; they
    decide what is told of, what fails, and what each finding says that a conversion would do.  workers: processes, by
    default one for each core; the report is the same whatever their number.  engine: `ray` for a Ray cluster, at
    `address` or this machine's own.  Broken data never raises; it is a finding.  Raises CannotRunError where there is
    no such engine or its workers are lost.  subset, every, limit: which items are checked, as `open` takes them;
    nothing is said of the dataset as a whole then.
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
    takes an item and gives it, changed or not, or None; it is pickled where there are several workers.  subset, every,
    limit: which items are read, as `open` takes them.  dry_run: write nothing, and give what would be said of it.

    Raises RefusedError with the findings where one stops the conversion, UnaccountedError where something would be gone
    that no line names, PolicyError for a code, a level or an action that cannot be, OutputError where `out` cannot be,
    SpecError for a bad spec, option or expression, RemoteError where a store cannot be reached, CannotRunError where
    there is no such engine or its workers are lost.
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
                data, spec, settled, origin=True, headers=purpose.headers, checks=False,
                media_required=purpose.media_required, whole=purpose.whole, strict=purpose.strict, classes=classes,
            )  # fmt: skip
    if media == "none" and not source.purpose.headers and needs_sizes(source.form):
        source.purpose = msgspec.structs.replace(source.purpose, headers=True)
    total = plan.count_of(len(source))
    known_by = fingerprint(source, target, plan, where) if isinstance(place, Path) and select is None else None
    tell = (lambda done: progress(done, total)) if progress else (lambda done: None)
    with pool_of(workers, engine, address) as pool:
        if isinstance(place, str) and overwrite and not dry_run and is_there(place):
            # Nothing can be moved there: what would be refused is refused before the old output goes.
            convert_dataset(source, target, NowhereStaging(), plan, lambda done: None, pool)
        with nullcontext(NowhereStaging()) if dry_run else staged(place, overwrite, known_by) as staging:
            result = convert_dataset(source, target, staging, plan, tell, pool)
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


__all__ = [
    "FormatNotice", "SpecMistake", "convert", "detect_format", "explain", "load_spec", "merge", "open", "sample",
    "spec_for", "validate", "write",
]  # fmt: skip
