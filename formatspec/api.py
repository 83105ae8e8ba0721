"""The Python interface: open a dataset, go over its items, check it, write it in another format."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from formatspec.language.errors import Problem, SpecError
from formatspec.language.load import Source, available, bundled, load_outline, load_source

if TYPE_CHECKING:
    from formatspec.engine.dataset import dataset as engine
    from formatspec.engine.dataset.detect import Match
    from formatspec.findings.finding import Finding
    from formatspec.model.records import Category, Item
    from formatspec.paths.tree import Tree
    from formatspec.run.class_names import Classes
    from formatspec.run.convert import Media, Result
    from formatspec.run.pools.pool import Engine
    from formatspec.run.validate import Report

Progress = Callable[[int, int], None]


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


def detect_format(tree: Tree) -> list[Match]:
    """Every known spec's match with a tree, the best first."""
    from formatspec.engine.dataset.detect import detect

    sources = {}
    for name, file in available().items():
        try:
            sources[name] = load_outline(file)
        except SpecError:
            continue
    return detect(sources, tree)


def spec_for(tree: Tree, data: str | Path) -> Source:
    """The spec that describes a tree.  Raises SpecError if none does, or several do equally well."""
    from formatspec.engine.dataset.detect import best

    matches = detect_format(tree)
    top = best(matches)
    if not top:
        raise SpecError(
            (Problem(f"no known format describes {data}", None, hint="`formatspec detect` says why, format by format"),)
        )
    if len(top) > 1:
        names = ", ".join(match.name for match in top)
        raise SpecError((Problem(f"{data} can be read as {names}", None, hint="say which: formatspec … SPEC DATA"),))
    return load_spec(top[0].name)


class Dataset:
    """A vision dataset on disk.

    Iterating gives its valid items in order of key, each read when it is asked for; `findings` then holds what
    was wrong with the others.  Coordinates are continuous pixels with the origin at the outer corner of the
    first pixel; regions are run-length coded.
    """

    def __init__(
        self, inner: engine.OpenDataset, data: str | Path, options: Mapping[str, Any], classes: Classes | None = None
    ) -> None:
        self._inner = inner
        self._classes = classes
        self.data = data
        self._options = dict(options)

    @property
    def format(self) -> str:
        """The name of the dataset's format."""
        return self._inner.name

    @property
    def categories(self) -> tuple[Category, ...]:
        """All categories, by index."""
        return self._inner.categories

    @property
    def findings(self) -> list[Finding]:
        """What was found wrong with the items read so far."""
        return self._inner.findings

    def __len__(self) -> int:
        return len(self._inner)

    def __iter__(self) -> Iterator[Item]:
        return iter(self._inner)

    def export(
        self, out: str | Path, to: str | Path, *, options: Mapping[str, Any] | None = None, **how: Any
    ) -> Result:
        """Write the dataset to the folder `out` in the format `to`.

        options: as of `convert`, laid over those that the dataset was opened with.  how: what else `convert` takes;
        `classes` are those that the dataset was opened with, where they are left out.  Raises what `convert` raises.
        """
        source, given = self._inner.form.source.file, {**self._options, **(options or {})}
        return convert(self.data, to=to, out=out, spec=source, options=given, **{"classes": self._classes, **how})


def open(
    data: str | Path, spec: str | Path | None = None, *, options: Mapping[str, Any] | None = None,
    classes: Classes | None = None,
) -> Dataset:  # fmt: skip
    """Open a dataset: a folder or a zip, on disk or behind a URL (`s3://bucket/folder`).

    spec: a format's name or a spec's file; where it is left out, the format is detected.  options: those of
    the spec, by name: `options={"task": "segment"}`.  classes: the names of the classes, or a text file with a name a
    line, where the data give numbers alone; the first is class 0, and a list in the data is not looked at.  Raises
    FileNotFoundError, ValueError for a file that is no zip, SpecError where no spec fits or it has no such option, and
    RemoteError where a store cannot be reached.
    """
    from formatspec.run.output.staging import output_place

    given = dict(options or {})
    return Dataset(_opened(data, spec, given, origin=False, classes=classes), output_place(data), given, classes)


def _opened(
    data: str | Path, spec: str | Path | None, options: Mapping[str, Any], origin: bool, shared: bool = False,
    classes: Classes | None = None, **purpose: Any,
) -> engine.OpenDataset:  # fmt: skip
    """Open data; options that are `shared` with a target need not all be the spec's own."""
    from formatspec.engine.dataset.dataset import open_source
    from formatspec.engine.dataset.read_item import Purpose
    from formatspec.paths.open_tree import open_tree
    from formatspec.run.class_names import class_names

    tree = open_tree(data)
    source = load_spec(spec) if spec is not None else spec_for(tree, data)
    known = {name: value for name, value in options.items() if not shared or name in source.spec.options}
    return open_source(source, tree, known, Purpose(origin=origin, classes=class_names(classes), **purpose))


def validate(
    data: str | Path, spec: str | Path | None = None, *, options: Mapping[str, Any] | None = None, deep: bool = False,
    workers: int | None = None, engine: Engine = "processes", address: str | None = None,
    progress: Progress | None = None, classes: Classes | None = None,
) -> Report:  # fmt: skip
    """Check a dataset: its layout, documents, references and geometry.

    options: those of the spec, by name.  deep: decode every label image too.  workers: processes, by default one for
    each core; the report is the same whatever their number.  engine: `ray` for a Ray cluster, at `address` or this
    machine's own.  Broken data never raises; it is a finding.  Raises CannotRunError where there is no such engine or
    its workers are lost.
    """
    from formatspec.run.pools.pool import pool_of
    from formatspec.run.validate import validate_dataset

    dataset = _opened(data, spec, options or {}, origin=False, pixels=deep, classes=classes)
    total = len(dataset)
    tell = (lambda done: progress(done, total)) if progress else (lambda done: None)
    with pool_of(workers, engine, address) as pool:
        return validate_dataset(dataset, str(data), deep, tell, pool)


def convert(
    data: str | Path,
    *,
    to: str | Path,
    out: str | Path | None = None,
    spec: str | Path | None = None,
    media: Media = "copy",
    overwrite: bool = False,
    skip_invalid: bool = False,
    lossless: bool = False,
    subsets: Mapping[str, str] | None = None,
    default_class: str | None = None,
    allow_unaccounted: bool = False,
    allow_loss: Sequence[str] = (),
    labels: Mapping[str, str | None] | None = None,
    where: str | None = None,
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
    options: those of either spec, by name; one that both have goes to both.  classes: as for `open`.
    default_class: the class of objects that have none.  allow_loss: lines of the loss report that
    `lossless` passes over, each with or without its number.  allow_unaccounted: write even if something would be gone
    that no line names; the result's `unaccounted` says what.
    media: copy, link or leave out the images.  labels: new category names, None to drop one.  where: an
    expression over items, or over objects.  Raises RefusedError with the findings where items are invalid and
    `skip_invalid` is not set, UnaccountedError where something would be gone that no line names,
    OutputError where `out` cannot be, SpecError for a bad spec, option or expression,
    RemoteError where a store cannot be reached, CannotRunError where there is no such engine or its workers are lost.
    """
    import msgspec

    from formatspec.engine.spec.compiled import offered_options
    from formatspec.engine.spec.wanted_slots import needs_sizes
    from formatspec.run.convert import Plan, convert_dataset, purpose_of, target_format
    from formatspec.run.output.output import refuse_unfit, staged
    from formatspec.run.output.staging import output_place
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
        classes=classes,
    )
    same = source.form.source.is_same(target)
    if not same:
        source.purpose = msgspec.structs.replace(purpose, classes=source.purpose.classes)
    offered = offered_options(target.spec)
    own = {name: value for name, value in given.items() if name in offered or not same}
    unknown = [n for n in own if n not in offered and n not in source.form.spec.options]
    if unknown:
        raise SpecError((Problem(f"neither {source.name} nor {target.name} has an option {unknown[0]!r}", None),))
    plan = Plan(
        media=media, skip_invalid=skip_invalid, lossless=lossless, subsets=dict(subsets or {}),
        options={name: value for name, value in own.items() if name in offered},
        labels=dict(labels) if labels is not None else None, default_class=default_class,
        allow_unaccounted=allow_unaccounted, allow_loss=tuple(allow_loss),
        select=ItemCondition(where, source.form) if where else None,
    )  # fmt: skip
    if same and source.form.options and not plan.leaves_items:
        settled = target_format(source, target, plan).options
        if settled != source.form.options:
            source = _opened(
                data, spec, settled, origin=True, headers=purpose.headers, checks=False,
                media_required=purpose.media_required, classes=classes,
            )  # fmt: skip
    if media == "none" and not source.purpose.headers and needs_sizes(source.form):
        source.purpose = msgspec.structs.replace(source.purpose, headers=True)
    total = len(source)
    known_by = fingerprint(source, target, plan, where) if isinstance(place, Path) else None
    with pool_of(workers, engine, address) as pool, staged(place, overwrite, known_by) as staging:
        tell = (lambda done: progress(done, total)) if progress else (lambda done: None)
        result = convert_dataset(source, target, staging, plan, tell, pool)
    return msgspec.structs.replace(result, out=str(place))


def sample(
    spec: str | Path, out: str | Path, *, items: int = 10, seed: int = 0, options: Mapping[str, Any] | None = None
) -> int:
    """Make up a dataset in a format, valid by its own rules; gives the number of files.

    items: How many items.  seed: where the generator begins.  options: those of the spec, by name.
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
    form = compile_format(source, source.layouts[0], options or {})
    categories, made = laws.example(form, random.Random(seed), items)
    files = laws.written(form, categories, made)
    with staged(place) as staging:
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


__all__ = ["Dataset", "convert", "load_spec", "open", "sample", "validate"]
