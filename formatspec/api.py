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
    from formatspec.policy.rules import Policy
    from formatspec.run.convert import Media, Result
    from formatspec.run.pools.pool import Engine
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
    return load_source(top[0].name)


class Dataset:
    """A vision dataset on disk.

    Iterating gives its valid items in order of key, each read when it is asked for; `findings` then holds what
    was wrong with the others.  Coordinates are continuous pixels with the origin at the outer corner of the
    first pixel; regions are run-length coded.
    """

    def __init__(self, inner: engine.OpenDataset, data: str | Path, options: Mapping[str, Any]) -> None:
        self._inner = inner
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

    def export(self, out: str | Path, to: str | Path, **options: Any) -> Result:
        """Write the dataset to the folder `out` in the format `to`; see `convert` for the options."""
        return convert(self.data, to=to, out=out, spec=self._inner.form.source.file, **options)


def open(data: str | Path, spec: str | Path | None = None, **options: Any) -> Dataset:
    """Open a dataset: a folder or a zip, on disk or behind a URL (`s3://bucket/folder`).

    spec: a format's name or a spec's file; where it is left out, the format is detected.  options: those of
    the spec.  Raises FileNotFoundError, ValueError for a file that is no zip, SpecError where no spec fits, and
    RemoteError where a store cannot be reached.
    """
    from formatspec.run.output.staging import output_place

    return Dataset(_opened(data, spec, options, origin=False), output_place(data), options)


def _opened(
    data: str | Path, spec: str | Path | None, options: Mapping[str, Any], origin: bool, shared: bool = False,
    **purpose: Any,
) -> engine.OpenDataset:  # fmt: skip
    """Open data; options that are `shared` with a target need not all be the spec's own."""
    from formatspec.engine.dataset.dataset import open_source
    from formatspec.engine.dataset.read_item import Purpose
    from formatspec.paths.open_tree import open_tree

    tree = open_tree(data)
    source = load_spec(spec) if spec is not None else spec_for(tree, data)
    known = {name: value for name, value in options.items() if not shared or name in source.spec.options}
    return open_source(source, tree, known, Purpose(origin=origin, **purpose))


def validate(
    data: str | Path, spec: str | Path | None = None, *, deep: bool = False, on: On = (),
    config: str | Path | None = None, workers: int | None = None, engine: Engine = "processes",
    address: str | None = None, progress: Progress | None = None, **options: Any,
) -> Report:  # fmt: skip
    """Check a dataset: its layout, documents, references and geometry.

    deep: decode every label image too.  on, config: as `convert` takes them; they decide what is told of, what
    fails, and what each finding says that a conversion would do.  workers: processes, by default one for each core; the
    report is the same whatever their number.  engine: `ray` for a Ray cluster, at `address` or this machine's own.
    Broken data never raises; it is a finding.  Raises CannotRunError where there is no such engine or its workers are
    lost.
    """
    from formatspec.run.pools.pool import pool_of
    from formatspec.run.validate import validate_dataset

    dataset = _opened(data, spec, options, origin=False, pixels=deep)
    total = len(dataset)
    tell = (lambda done: progress(done, total)) if progress else (lambda done: None)
    policy = _policy(data, config, on, False, dataset.form.spec.checks)
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
    overwrite: bool = False,
    on: On = (),
    config: str | Path | None = None,
    skip_invalid: bool = False,
    lossless: bool = False,
    subsets: Mapping[str, str] | None = None,
    labels: Mapping[str, str | None] | None = None,
    where: str | None = None,
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
    media: copy, link or leave out the images.  labels: new category names, None to drop one.  where: an
    expression over items, or over objects.  Raises RefusedError with the findings where one stops the conversion,
    PolicyError for a code, a level or an action that cannot be, OutputError where `out` cannot be, SpecError for a bad
    spec, option or expression,
    RemoteError where a store cannot be reached, CannotRunError where there is no such engine or its workers are lost.
    """
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
        whole=purpose.whole,
    )
    same = source.form.source.is_same(target)
    if not same:
        source.purpose = purpose
    own = {name: value for name, value in given.items() if name in target.spec.options or not same}
    unknown = [n for n in own if n not in target.spec.options and n not in source.form.spec.options]
    if unknown:
        raise SpecError((Problem(f"neither {source.name} nor {target.name} has an option {unknown[0]!r}", None),))
    plan = Plan(
        media=media, policy=_policy(data, config, on, skip_invalid, source.form.spec.checks), lossless=lossless,
        subsets=dict(subsets or {}),
        options={name: value for name, value in own.items() if name in target.spec.options},
        labels=dict(labels) if labels is not None else None,
        select=ItemCondition(where, source.form) if where else None,
    )  # fmt: skip
    if same and source.form.options and not plan.leaves_items:
        settled = target_format(source, target, plan).options
        if settled != source.form.options:
            source = _opened(
                data, spec, settled, origin=True, headers=purpose.headers, checks=False,
                media_required=purpose.media_required, whole=purpose.whole,
            )  # fmt: skip
    total = len(source)
    known_by = fingerprint(source, target, plan, where) if isinstance(place, Path) else None
    with pool_of(workers, engine, address) as pool, staged(place, overwrite, known_by) as staging:
        tell = (lambda done: progress(done, total)) if progress else (lambda done: None)
        result = convert_dataset(source, target, staging, plan, tell, pool)
    import msgspec

    return msgspec.structs.replace(result, out=str(place))


def sample(spec: str | Path, out: str | Path, *, items: int = 10, seed: int = 0, **options: Any) -> int:
    """Make up a dataset in a format, valid by its own rules; gives the number of files.

    The same arguments give the same bytes.  Raises OutputError where `out` exists.
    """
    import random

    from formatspec.engine.spec.compiled import compile_format
    from formatspec.run.output.output import refuse_existing, staged
    from formatspec.run.output.staging import output_place
    from formatspec.testing import laws

    source = load_spec(spec)
    place = output_place(out)
    refuse_existing(place, overwrite=False)
    form = compile_format(source, source.layouts[0], options)
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
