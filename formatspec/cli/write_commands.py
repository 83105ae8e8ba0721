"""The commands that write datasets: conversions, merged datasets, splits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from formatspec.cli.console import (
    FAULT,
    FINDINGS,
    indented_json,
    print_json,
    progress,
    say,
    say_out,
    show_findings,
    stop,
)
from formatspec.cli.option_types import (
    Address,
    AsJson,
    Classes,
    Config,
    DryRun,
    Engine,
    Every,
    Limit,
    On,
    Option,
    OutputFormat,
    Positional,
    Subset,
    Workers,
    filled,
    readable,
    writable,
)
from formatspec.findings.render import amount, examples

if TYPE_CHECKING:
    from formatspec.datasets.splits.split_dataset import Split
    from formatspec.run.conversion.plan import Media, Result
    from formatspec.run.output.staging import Overwrite

Out = Annotated[str | None, typer.Option("-o", "--out", help="the output, a folder or URL; default DATA-TARGET")]
MediaOption = Annotated[str, typer.Option("--media", help="what becomes of images: copy, link or none")]
Replace = Annotated[bool, typer.Option("--overwrite/--no-overwrite", help="replace an output that formatspec wrote")]
Force = Annotated[bool, typer.Option("--force", help="replace whatever stands there, whoever wrote it")]
SkipInvalid = Annotated[bool, typer.Option(help="leave invalid items out: --on error=drop-item")]
Lossless = Annotated[bool, typer.Option(help="refuse losses, repairs and drops")]
AllowLoss = Annotated[
    list[str] | None, typer.Option(help="a line of the loss report that --lossless passes over; may be repeated")
]
DefaultClass = Annotated[
    str | None,
    typer.Option(callback=filled("--default-class", "a name"), help="the class of objects that have none"),
]
Report = Annotated[Path | None, typer.Option(help="write what was done and lost as JSON")]


def convert(
    what: Positional = None,
    to: Annotated[str, typer.Option("--to", help="the target: a spec's name or file")] = "",
    out: Out = None,
    media: MediaOption = "copy",
    overwrite: Replace = False,
    force: Force = False,
    option: Option = None,
    classes: Classes = None,
    limit: Limit = None,
    every: Every = 1,
    subset: Subset = None,
    where: Annotated[
        str | None,
        typer.Option(callback=filled("--where", "an expression"), help="an expression: the items, or objects, to take"),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(help="a YAML map of category names, old: new; a file, or the name of one that comes along"),
    ] = None,
    subsets: Annotated[list[str] | None, typer.Option(help="old=new name of a subset; may be repeated")] = None,
    default_class: DefaultClass = None,
    on: On = None,
    config: Config = None,
    skip_invalid: SkipInvalid = False,
    allow_loss: AllowLoss = None,
    allow_unaccounted: Annotated[
        bool, typer.Option(help="write even if the loss report misses a loss; the exit status is then 3")
    ] = False,
    lossless: Lossless = False,
    workers: Workers = None,
    engine: Engine = "processes",
    address: Address = None,
    report: Report = None,
    several: Annotated[
        list[str] | None, typer.Option("--data", help="[SPEC=]DATA: one of several datasets to write as one; repeat it")
    ] = None,
    source_attribute: Annotated[
        str, typer.Option(help='with --data: the attribute of items that names their dataset; "" for none')
    ] = "source",
    dry_run: DryRun = False,
    as_json: AsJson = False,
    output_format: OutputFormat = None,
) -> None:
    """Write a dataset, or several as one, in another format; the output appears whole or not at all."""
    import formatspec.api as api
    from formatspec.cli.arguments import dataset_at, label_map, pairs, refuse_report, sampled, spec_and_data, wants_json

    as_json = wants_json(as_json, output_format)
    if not to:
        stop("say what to convert to: --to NAME-OR-FILE (`formatspec specs` lists the names)")
    if out == "":
        stop("-o names no folder; leave it out for DATA-TARGET")
    taken = sampled(limit, every, subset)
    spec, data = (None, "") if several else spec_and_data(what or ())
    if several and what:
        stop(f"name each dataset with --data: --data {what[0]}, or all of them without it")
    if several and not out:
        stop("say where several datasets are written as one: -o OUT")
    if several and engine != "processes":
        stop(f"--engine {engine} takes one dataset alone; leave it out with --data")
    if report is not None:
        refuse_report(report, data)
    how: dict[str, Any] = {
        "to": to, "media": _media(media), "overwrite": _overwrite(overwrite, force), "on": on or (), "config": config,
        "skip_invalid": skip_invalid, "lossless": lossless, "allow_loss": allow_loss or (), "where": where,
        "subsets": pairs(subsets or (), "--subsets"), "labels": label_map(labels), "default_class": default_class,
        "classes": classes, "options": pairs(option or (), "-O"), "workers": workers, "dry_run": dry_run,
    }  # fmt: skip
    with _refusals(as_json), progress("converting") as tell:
        if several:
            datasets = [dataset_at(named, **taken) for named in several]
            result = api.merge(datasets, out or "", source_attribute=source_attribute or None, progress=tell, **how)
        else:
            result = api.convert(
                data, out=out, spec=spec, allow_unaccounted=allow_unaccounted, engine=engine_named(engine),
                address=address, progress=tell, **taken, **how,
            )  # fmt: skip
    _tell(result, as_json, dry_run, lambda: result.as_json())
    if report is not None:
        report.write_text(indented_json(result.as_json()) + "\n", encoding="utf-8")
    if result.unaccounted:
        for imbalance in result.unaccounted:
            say(str(imbalance))
        raise typer.Exit(FAULT)


def split(
    what: Positional = None,
    ratio: Annotated[
        list[str] | None,
        typer.Option(
            "--ratio",
            help="subset=part[,subset=part], each a share of their sum; default: train=0.8,val=0.1,test=0.1; "
            "may be repeated",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="another seed gives another split")] = 0,
    group: Annotated[
        str | None,
        typer.Option(
            callback=filled("--group", "a capture or an expression"),
            help="a capture, or an expression over items: those of one value stay together; default: sequence",
        ),
    ] = None,
    stratify: Annotated[
        bool, typer.Option("--stratify", help="spread each class evenly; default: a hash of each name decides")
    ] = False,
    keep: Annotated[
        Path | None, typer.Option(callback=readable("--keep"), help="an earlier --csv: its items stay where they are")
    ] = None,
    csv: Annotated[
        Path | None,
        typer.Option("--csv", callback=writable("--csv"), help="list the items and their subsets in this file"),
    ] = None,
    to: Annotated[str | None, typer.Option("--to", help="the format to write; default: the dataset's own")] = None,
    out: Annotated[str | None, typer.Option("-o", "--out", help="write the dataset to this folder or URL")] = None,
    media: MediaOption = "copy",
    overwrite: Replace = False,
    force: Force = False,
    option: Option = None,
    classes: Classes = None,
    limit: Limit = None,
    every: Every = 1,
    subset: Subset = None,
    default_class: DefaultClass = None,
    on: On = None,
    config: Config = None,
    skip_invalid: SkipInvalid = False,
    allow_loss: AllowLoss = None,
    lossless: Lossless = False,
    workers: Workers = None,
    report: Report = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    output_format: OutputFormat = None,
) -> None:
    """Split a dataset into subsets, and write it with these, list them with --csv, or both.

    A hash of each item's name decides, so that no item moves when others are added; --stratify spreads each class
    evenly, and --keep leaves the items of an earlier split where they are.
    """
    import formatspec.api as api
    from formatspec.cli.arguments import not_empty, pairs, refuse_report, sampled, spec_and_data, wants_json
    from formatspec.datasets.splits.split_dataset import RATIOS, split

    as_json = wants_json(as_json, output_format)
    if not out and csv is None:
        stop("say what is wanted: -o OUT writes the dataset with its new subsets, --csv FILE lists the items of each")
    if to is not None and not out:
        stop(f"--to {to} names the format that is written; say where with -o OUT")
    taken = sampled(limit, every, subset)
    spec, data = spec_and_data(what or ())
    if report is not None:
        refuse_report(report, data)
    ratios = _ratios([part for words in ratio or () for part in words.split(",")]) if ratio else RATIOS
    dataset = not_empty(api.open(data, spec, options=pairs(option or (), "-O"), classes=classes, **taken))
    with _refusals(as_json), progress("splitting") as tell:
        try:
            made = split(
                dataset, out or None, to=to, ratios=ratios, seed=seed, group=group,
                stratify=stratify, keep=keep, csv=csv, media=_media(media), overwrite=_overwrite(overwrite, force),
                on=on or (), config=config, skip_invalid=skip_invalid, lossless=lossless, allow_loss=allow_loss or (),
                default_class=default_class, workers=workers, dry_run=dry_run, progress=tell,
            )  # fmt: skip
        except OSError as error:
            stop(f"--csv {csv}: {error.strerror or error}")
    if not as_json:
        _tell_split(made)
    if made.result is not None:
        _tell(made.result, as_json, dry_run, made.as_json)
        if report is not None:
            report.write_text(indented_json(made.as_json()) + "\n", encoding="utf-8")
    elif as_json:
        print_json(made.as_json())
    if csv is not None and not as_json:
        say_out(f"{csv}: {'would list' if dry_run else 'lists'} {amount(len(made.subsets), 'item')}")


def _ratios(given: list[str]) -> dict[str, float]:
    """Return the subsets and their parts as `--ratio` names them; stop if they are wrong, and say how they are read."""
    from formatspec.cli.arguments import pairs
    from formatspec.datasets.splits.assign import shares

    ratios: dict[str, float] = {}
    for part in given:
        for name, text in pairs([part], "--ratio").items():
            if name in ratios:
                stop(f"--ratio names {name!r} twice; give each subset one part")
            try:
                ratios[name] = float(text)
            except ValueError:
                stop(f"--ratio {name}={text}: the part of a subset is a number, as 0.8 or 8")
    try:
        parts = shares(ratios)
    except ValueError as error:
        stop(f"--ratio: {error}")
    whole = sum(ratios.values())
    if any(0 < part < 1 for part in ratios.values()) and abs(whole - 1) > 1e-6:
        meant = ", ".join(f"{name} {part:.3g}" for name, part in parts.items())
        say(f"the parts of --ratio are {whole:g} together, not 1; each is taken as its share of that: {meant}")
    return ratios


def _tell_split(made: Split) -> None:
    groups = len(set(made.groups.values()) - {""})
    counts = ", ".join(f"{name} {count:,}" for name, count in made.counts.items())
    grouped = f" in {amount(groups, 'group')}" if groups else ""
    say_out(f"{amount(len(made.subsets), 'item')}{grouped}: {counts}")
    for name, subset, count, expected in made.off[:MOST_OFF]:
        say_out(f"  not even: {name} has {amount(count, 'item')} in {subset}; its ratio asks for {expected:.1f}")
    if len(made.off) > MOST_OFF:
        say_out(f"  and {len(made.off) - MOST_OFF:,} more; --json lists all")
    if made.renamed:
        given = examples(made.renamed.values())
        say_out(f"named after their subset, since another subset has items of these names: {given}")


MOST_OFF = 10
"""How many classes that could not be spread evenly are named."""


@contextmanager
def _refusals(as_json: bool) -> Iterator[None]:
    """Print why a conversion was refused, and exit."""
    import msgspec

    from formatspec.run.conversion.plan import RefusedError, UnaccountedError
    from formatspec.run.output.staging import OutputError

    try:
        yield
    except OutputError as error:
        stop(str(error))
    except UnaccountedError as fault:
        for line in fault.losses:
            say(line)
        stop(str(fault), FAULT)
    except RefusedError as refused:
        if as_json:
            print_json({"version": 1, "refused": str(refused), "losses": refused.losses, "ways": refused.ways,
                        "findings": msgspec.to_builtins(refused.findings)})  # fmt: skip
            raise typer.Exit(FINDINGS) from None
        show_findings([f for f in refused.findings if f.level != "info"], to_stderr=True)
        for line in refused.losses:
            say(f"cannot hold {line}")
        stop("\n".join((str(refused), *refused.ways)), FINDINGS)


def _media(name: str) -> Media:
    found: dict[str, Media] = {"copy": "copy", "link": "link", "none": "none"}
    if name not in found:
        stop(f"--media is copy, link or none, not {name!r}")
    return found[name]


def _overwrite(replace: bool, force: bool) -> Overwrite:
    return "force" if force else replace


def engine_named(name: str) -> Any:
    """Return the engine that runs workers, by its name."""
    if name not in ("processes", "ray"):
        stop(f"--engine is processes or ray, not {name!r}")
    return name


_DONE = {"fix": "repaired {}", "clip": "cut at the image's edge: {}", "drop": "left out {}", "drop-item": "left out {}"}
_UNITS = {"drop-item": "item"}


def _tell(result: Result, as_json: bool, dry_run: bool, whole: Callable[[], Any]) -> None:
    """Print what a conversion wrote, or would write, and what is lost."""
    show_findings([f for f in result.findings if f.level != "info"], to_stderr=True)
    if as_json:
        print_json(whole())
        return
    would = "would be written: " if dry_run else ""
    say_out(f"{would}{result.out}: {result.target}, {amount(result.items, 'item')}, {amount(result.files, 'file')}")
    for notice in result.notices:
        say_out(notice)
    for one in result.actions:
        say_out(f"{one.code}: {_DONE[one.action].format(amount(one.count, _UNITS.get(one.action, 'finding')))}")
    if result.skipped:
        with_them = f" with {amount(result.skipped_objects, 'object')}" if result.skipped_objects else ""
        typer.echo(f"left out: {amount(result.skipped, 'invalid item')}{with_them}")
    if result.losses:
        typer.echo(f"{result.target} cannot hold:")
        for line in result.losses:
            say_out(f"  {line}")
