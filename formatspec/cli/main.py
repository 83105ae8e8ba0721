"""`formatspec`: one YAML file describes a vision dataset; validate it, convert it, look at it."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from formatspec._version import __version__
from formatspec.cli.console import FAULT, FINDINGS, USAGE, Talk, progress, say, show_findings, stop

OBJECTS_BETWEEN_COLLECTIONS = 100_000
"""Objects that Python makes before it looks for rings of them: what an item needs ends with it, what is
imported stays, and looking costs."""

app = typer.Typer(
    help=__doc__, no_args_is_help=True, add_completion=True, pretty_exceptions_enable=False, rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)  # fmt: skip
Positional = Annotated[list[str] | None, typer.Argument(metavar="[SPEC] [DATA]", show_default=False)]
Workers = Annotated[int | None, typer.Option(min=1, help="processes; default: one for each core", show_default=False)]
Engine = Annotated[str, typer.Option(help="what runs the workers: processes, or ray for a Ray cluster")]
Address = Annotated[str | None, typer.Option(help="with --engine ray: the cluster's address; default: on this machine")]
Classes = Annotated[
    Path | None,
    typer.Option(help="names of the classes where the data give numbers alone: a text file, a name a line from 0"),
]
Option = Annotated[list[str] | None, typer.Option("-O", help="option=value of the spec; may be repeated")]


def _version(value: bool) -> None:
    if value:
        typer.echo(f"formatspec {__version__}")
        raise typer.Exit


@app.callback()
def common(
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="say nothing on stderr but errors")] = False,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True)] = False,
) -> None:
    """One YAML file describes a vision dataset; validate it, convert it, look at it."""
    del quiet  # taken from anywhere on the line by `main`


@app.command()
def validate(
    what: Positional = None,
    deep: Annotated[bool, typer.Option("--deep", help="decode every label image too")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object with every finding")] = False,
    workers: Workers = None,
    engine: Engine = "processes",
    address: Address = None,
    option: Option = None,
    classes: Classes = None,
) -> None:
    """Check a dataset: exit 0 if it is clean, 1 if it is not."""
    import formatspec.api as api
    from formatspec.cli.arguments import pairs, spec_and_data
    from formatspec.findings.finding import at_least

    spec, data = spec_and_data(what or ())
    with progress("validating") as tell:
        report = api.validate(
            data, spec, deep=deep, workers=workers, engine=_engine(engine), address=address, progress=tell,
            options=pairs(option or (), "-O"), classes=classes,
        )  # fmt: skip
    if as_json:
        _print_json(report.as_json())
    else:
        show_findings(report.findings)
        total = len(report.findings)
        found = "no findings" if not total else "1 finding" if total == 1 else f"{total} findings"
        typer.echo(f"{report.data}: {report.spec}, {_count(report.items, 'item')}, {found}")
        for words in report.not_checked:
            say(f"not checked: {words}")
    if at_least(report.findings, "error"):
        raise typer.Exit(FINDINGS)


@app.command()
def convert(
    what: Positional = None,
    to: Annotated[str, typer.Option("--to", help="the target: a spec's name or file")] = "",
    out: Annotated[
        str | None, typer.Option("-o", "--out", help="the output, a folder or URL; default DATA-TARGET")
    ] = None,
    media: Annotated[str, typer.Option(help="what becomes of images: copy, link or none")] = "copy",
    overwrite: Annotated[bool, typer.Option(help="replace an output folder that exists")] = False,
    option: Option = None,
    classes: Classes = None,
    where: Annotated[str | None, typer.Option(help="an expression: the items, or objects, to take")] = None,
    labels: Annotated[Path | None, typer.Option(help="a YAML map of category names, old: new")] = None,
    subsets: Annotated[list[str] | None, typer.Option(help="old=new name of a subset; may be repeated")] = None,
    default_class: Annotated[str | None, typer.Option(help="the class of objects that have none")] = None,
    skip_invalid: Annotated[bool, typer.Option(help="leave invalid items out instead of refusing")] = False,
    allow_loss: Annotated[
        list[str] | None, typer.Option(help="a line of the loss report that --lossless passes over; may be repeated")
    ] = None,
    allow_unaccounted: Annotated[
        bool, typer.Option(help="write even if something is gone that no line names; the exit status is 3 all the same")
    ] = False,
    lossless: Annotated[bool, typer.Option(help="refuse if the target cannot hold everything")] = False,
    workers: Workers = None,
    engine: Engine = "processes",
    address: Address = None,
    report: Annotated[Path | None, typer.Option(help="write what was done and lost as JSON")] = None,
) -> None:
    """Write a dataset in another format; the output appears whole or not at all."""
    import formatspec.api as api
    from formatspec.cli.arguments import label_map, pairs, spec_and_data
    from formatspec.run.convert import RefusedError, UnaccountedError
    from formatspec.run.output.staging import OutputError

    if not to:
        stop("say what to convert to: --to NAME-OR-FILE (`formatspec specs` lists the names)")
    if media not in ("copy", "link", "none"):
        stop(f"--media is copy, link or none, not {media!r}")
    if report is not None and not report.resolve().parent.is_dir():
        stop(f"--report {report}: there is no folder {report.parent}")
    spec, data = spec_and_data(what or ())
    try:
        with progress("converting") as tell:
            result = api.convert(
                data, to=to, out=out, spec=spec, media=media, overwrite=overwrite,  # type: ignore[arg-type]
                skip_invalid=skip_invalid, lossless=lossless, subsets=pairs(subsets or (), "--subsets"),
                labels=label_map(labels), default_class=default_class, where=where,
                allow_unaccounted=allow_unaccounted, allow_loss=allow_loss or (),
                classes=classes, options=pairs(option or (), "-O"),
                workers=workers, engine=_engine(engine), address=address, progress=tell,
            )  # fmt: skip
    except OutputError as error:
        stop(str(error))
    except UnaccountedError as fault:
        for line in fault.losses:
            say(line)
        stop(str(fault), FAULT)
    except RefusedError as refused:
        show_findings([f for f in refused.findings if f.level != "info"], to_stderr=True)
        for line in refused.losses:
            say(f"cannot hold {line}")
        hint = "; --skip-invalid leaves them out" if any(f.level == "error" for f in refused.findings) else ""
        stop(f"{refused}{hint}", FINDINGS)
    show_findings([f for f in result.findings if f.level != "info"], to_stderr=True)
    _tell(result)
    if report is not None:
        report.write_text(_json(result.as_json()) + "\n", encoding="utf-8")
    if result.unaccounted:
        for imbalance in result.unaccounted:
            say(str(imbalance))
        raise typer.Exit(FAULT)


def _engine(name: str) -> Any:
    if name not in ("processes", "ray"):
        stop(f"--engine is processes or ray, not {name!r}")
    return name


def _tell(result: Any) -> None:
    typer.echo(f"{result.out}: {result.target}, {_count(result.items, 'item')}, {_count(result.files, 'file')}")
    for notice in result.notices:
        typer.echo(notice)
    if result.skipped:
        typer.echo(f"left out: {_count(result.skipped, 'invalid item')}")
    if result.losses:
        typer.echo(f"{result.target} cannot hold:")
        for line in result.losses:
            typer.echo(f"  {line}")


@app.command()
def dump(
    what: Positional = None,
    dataset: Annotated[bool, typer.Option("--dataset", help="print the spec, root and categories first")] = False,
    option: Option = None,
    classes: Classes = None,
) -> None:
    """Print the model: one JSON object per item and line, sorted by key."""
    import formatspec.api as api
    from formatspec.cli.arguments import pairs, spec_and_data
    from formatspec.findings.finding import at_least
    from formatspec.run import dump as plain

    spec, data = spec_and_data(what or ())
    opened = api.open(data, spec, options=pairs(option or (), "-O"), classes=classes)
    if dataset:
        categories = [plain.whole_category(category) for category in opened.categories]
        _print_json({"spec": opened.format, "root": str(data), "categories": categories})
        opened.findings.clear()
    for item in opened:
        _print_json(plain.item(item))
    show_findings([f for f in opened.findings if f.level != "info"], to_stderr=True)
    if at_least(opened.findings, "error"):
        raise typer.Exit(FINDINGS)


@app.command()
def detect(
    data: Annotated[str, typer.Argument(help="a folder, a zip or a URL")] = ".",
    as_json: Annotated[bool, typer.Option("--json", help="print every format's match")] = False,
) -> None:
    """Say which format a dataset has, and for each other format why it has not."""
    import formatspec.api as api
    from formatspec.cli.arguments import data_at
    from formatspec.engine.dataset.detect import best
    from formatspec.paths.open_tree import open_tree

    matches = api.detect_format(open_tree(data_at(data)))
    top = best(matches)
    if as_json:
        _print_json(
            {"data": data, "formats": [m.name for m in top],
             "rejected": {m.name: m.reason or "another fits better" for m in matches if m not in top}}
        )  # fmt: skip
    else:
        for match in top:
            typer.echo(match.name)
        for match in matches:
            if match not in top:
                say(f"  not {match.name}: {match.reason or 'another fits better'}")
    if not top:
        raise typer.Exit(FINDINGS)


@app.command()
def specs(
    action: Annotated[str | None, typer.Argument(help="`show` prints a spec")] = None,
    name: Annotated[str | None, typer.Argument(help="the spec to show")] = None,
    matrix: Annotated[bool, typer.Option("--matrix", help="how much is lost between each two formats")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="with --matrix: print what is lost")] = False,
) -> None:
    """List the formats with what they hold and how far they are written, or show one's spec."""
    from formatspec.docs import gallery
    from formatspec.language.load import available, find, load_source

    if action == "show" and name:
        typer.echo(find(name).read_text(encoding="utf-8"), nl=False)
        return
    if action is not None:
        stop("`formatspec specs` lists the formats, `formatspec specs show NAME` prints one")
    if as_json and not matrix:
        stop("--json goes with --matrix")
    sources = [load_source(known) for known in available()]
    if matrix and as_json:
        typer.echo(_json(gallery.matrix_json(gallery.matrix(sources))))
        return
    for line in gallery.matrix_lines(gallery.matrix(sources)) if matrix else gallery.format_list(sources):
        typer.echo(line)
    if matrix:
        say("rows: from; columns: to; how many kinds of things are lost (--json names them)")


@app.command()
def schema() -> None:
    """Print the JSON Schema of the language, for editors."""
    from formatspec.language.schema import language_schema

    typer.echo(_json(language_schema()))


@app.command()
def lint(
    spec: Annotated[str, typer.Argument(help="a spec's name or file")],
    runs: Annotated[int, typer.Option(help="generated datasets to hold it to the laws on")] = 20,
    seed: Annotated[int, typer.Option(help="where the generator begins")] = 0,
) -> None:
    """Check a spec: its words, then both laws on its examples and on generated data."""
    import random

    from formatspec.engine.dataset.lint import compile_whole
    from formatspec.language.load import load_source
    from formatspec.testing import laws

    source = load_source(spec)
    compile_whole(source)
    broken = 0
    for example in source.spec.examples:
        try:
            laws.hold_on(source, source.file.parent / example)
        except laws.LawBrokenError as error:
            broken += 1
            typer.echo(f"{example}: {error}")
    try:
        laws.check_leaves(source)
    except laws.LawBrokenError as error:
        stop(str(error), FINDINGS)
    for run in range(seed, seed + runs):
        try:
            laws.hold(source, random.Random(run))
        except laws.LawBrokenError as error:
            broken += 1
            typer.echo(f"--seed {run}: {error}")
            break
    if broken:
        raise typer.Exit(FINDINGS)
    typer.echo(f"{source.name}: both laws hold on {_count(runs, 'generated dataset')}")


@app.command()
def sample(
    spec: Annotated[str, typer.Argument(help="a spec's name or file")],
    out: Annotated[str, typer.Argument(help="the folder, or URL, to make")],
    items: Annotated[int, typer.Option(min=1, help="how many items")] = 10,
    seed: Annotated[int, typer.Option(help="the same seed gives the same dataset")] = 0,
    option: Option = None,
) -> None:
    """Make up a small dataset in a format."""
    import formatspec.api as api
    from formatspec.cli.arguments import pairs
    from formatspec.run.output.staging import OutputError
    from formatspec.testing.carry import LawBrokenError

    try:
        files = api.sample(spec, out, items=items, seed=seed, options=pairs(option or (), "-O"))
    except OutputError as error:
        stop(str(error))
    except LawBrokenError as error:
        stop(str(error), FINDINGS)
    typer.echo(f"{out}: {_count(items, 'item')}, {_count(files, 'file')}")


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def _json(value: Any) -> str:
    import json

    return json.dumps(value, indent=2, ensure_ascii=False)


def _print_json(value: Any) -> None:
    import json

    typer.echo(json.dumps(value, ensure_ascii=False))


def main() -> None:
    """Run the command line; known errors become one sentence and an exit status."""
    from formatspec.language.errors import SpecError
    from formatspec.paths.store import RemoteError
    from formatspec.run.errors import CannotRunError

    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # they are looked for in every package there is
    arguments = [word for word in sys.argv[1:] if word not in ("-q", "--quiet")]
    Talk.quiet = len(arguments) < len(sys.argv) - 1
    try:
        status = app(arguments, standalone_mode=False)
        sys.exit(status if isinstance(status, int) else 0)
    except (SpecError, RemoteError, CannotRunError) as error:
        typer.echo(str(error), err=True)
        sys.exit(USAGE)
    except typer.Exit as end:
        sys.exit(end.exit_code)
    except typer.Abort:
        sys.exit(130)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(0)
    except Exception as error:
        _unexpected(error)
    finally:
        gc.freeze()  # what is left ends with the process; to look for rings of it takes as long as a small command


def _unexpected(error: Exception) -> None:
    message = getattr(error, "format_message", None)
    if message is not None:
        typer.echo(f"{message()}; `formatspec --help` shows how it is used", err=True)
        sys.exit(USAGE)
    if isinstance(error, FileNotFoundError | NotADirectoryError | PermissionError):
        typer.echo(f"{error.filename or error}: {error.strerror or 'not found'}", err=True)
        sys.exit(USAGE)
    import traceback

    traceback.print_exc()
    typer.echo("this is a fault of formatspec; please report it with the lines above", err=True)
    sys.exit(FAULT)


if __name__ == "__main__":
    main()
