"""`formatspec`: one YAML file describes a vision dataset; validate it, convert it, look at it."""

from __future__ import annotations

import gc
import os
import sys
import warnings
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from formatspec._version import __version__
from formatspec.cli.console import FAULT, FINDINGS, USAGE, Talk, print_json, progress, say, say_out, show_findings, stop
from formatspec.cli.drafting import infer, lint
from formatspec.cli.look_commands import compare, plot, stats
from formatspec.cli.option_types import Address, Classes, Config, Engine, Limit, On, Option, Positional, Workers
from formatspec.findings.render import amount, json_printable, printable

OBJECTS_BETWEEN_COLLECTIONS = 100_000
"""Objects that Python makes before it looks for rings of them: what an item needs ends with it, what is
imported stays, and looking costs."""

app = typer.Typer(
    help=__doc__, no_args_is_help=True, add_completion=True, pretty_exceptions_enable=False, rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)  # fmt: skip


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
    everything: Annotated[
        bool, typer.Option("--all", help="list every place, of each code the first five else")
    ] = False,
    on: On = None,
    config: Config = None,
    workers: Workers = None,
    engine: Engine = "processes",
    address: Address = None,
    option: Option = None,
    classes: Classes = None,
    limit: Limit = None,
) -> None:
    """Check a dataset: exit 0 if it is clean, 1 if it is not."""
    import formatspec.api as api
    from formatspec.cli.arguments import pairs, set_limits_of, spec_and_data

    set_limits_of(limit)
    spec, data = spec_and_data(what or ())
    with progress("validating") as tell:
        report = api.validate(
            data, spec, deep=deep, on=on or (), config=config, workers=workers,
            engine=_engine(engine), address=address, progress=tell,
            options=pairs(option or (), "-O"), classes=classes,
        )  # fmt: skip
    if as_json:
        print_json(report.as_json())
    else:
        show_findings(report.findings, whole=everything)
        total = len(report.findings)
        found = "no findings" if not total else "1 finding" if total == 1 else f"{total} findings"
        say_out(f"{report.data}: {report.spec}, {amount(report.items, 'item')}, {found}")
        held = report.held()
        if held:
            say(f"holds {held}")
        for words in report.not_checked:
            say(f"not checked: {words}")
    if report.fails:
        raise typer.Exit(FINDINGS)


@app.command()
def convert(
    what: Positional = None,
    to: Annotated[str, typer.Option("--to", help="the target: a spec's name or file")] = "",
    out: Annotated[
        str | None, typer.Option("-o", "--out", help="the output, a folder or URL; default DATA-TARGET")
    ] = None,
    media: Annotated[str, typer.Option(help="what becomes of images: copy, link or none")] = "copy",
    overwrite: Annotated[bool, typer.Option(help="replace an output that formatspec wrote")] = False,
    force: Annotated[bool, typer.Option("--force", help="replace whatever stands there, whoever wrote it")] = False,
    option: Option = None,
    classes: Classes = None,
    limit: Limit = None,
    where: Annotated[str | None, typer.Option(help="an expression: the items, or objects, to take")] = None,
    labels: Annotated[Path | None, typer.Option(help="a YAML map of category names, old: new")] = None,
    subsets: Annotated[list[str] | None, typer.Option(help="old=new name of a subset; may be repeated")] = None,
    default_class: Annotated[str | None, typer.Option(help="the class of objects that have none")] = None,
    on: On = None,
    config: Config = None,
    skip_invalid: Annotated[bool, typer.Option(help="leave invalid items out: --on error=drop-item")] = False,
    allow_loss: Annotated[
        list[str] | None, typer.Option(help="a line of the loss report that --lossless passes over; may be repeated")
    ] = None,
    allow_unaccounted: Annotated[
        bool, typer.Option(help="write even if something is gone that no line names; the exit status is 3 all the same")
    ] = False,
    lossless: Annotated[bool, typer.Option(help="refuse losses, repairs and drops")] = False,
    workers: Workers = None,
    engine: Engine = "processes",
    address: Address = None,
    report: Annotated[Path | None, typer.Option(help="write what was done and lost as JSON")] = None,
    several: Annotated[
        list[str] | None, typer.Option("--data", help="[SPEC=]DATA: one of several datasets to write as one; repeat it")
    ] = None,
) -> None:
    """Write a dataset, or several as one, in another format; the output appears whole or not at all."""
    import formatspec.api as api
    from formatspec.cli.arguments import dataset_at, label_map, pairs, refuse_report, set_limits_of, spec_and_data
    from formatspec.run.conversion.plan import RefusedError, UnaccountedError
    from formatspec.run.output.staging import OutputError

    if not to:
        stop("say what to convert to: --to NAME-OR-FILE (`formatspec specs` lists the names)")
    if media not in ("copy", "link", "none"):
        stop(f"--media is copy, link or none, not {media!r}")
    if out == "":
        stop("-o names no folder; leave it out for DATA-TARGET")
    set_limits_of(limit)
    spec, data = (None, "") if several else spec_and_data(what or ())
    if several and (what or not out or engine != "processes"):
        stop("with --data, name each dataset by it, and the output with -o; --engine ray takes one dataset alone")
    if report is not None:
        refuse_report(report, data)
    try:
        with progress("converting") as tell:
            result = api.merge(
                [dataset_at(named) for named in several], out or "", to=to, classes=classes, labels=label_map(labels),
                where=where, options=pairs(option or (), "-O"), media=media, subsets=pairs(subsets or (), "--subsets"),  # type: ignore[arg-type]
                default_class=default_class, overwrite="force" if force else overwrite, on=on or (), config=config,
                skip_invalid=skip_invalid, lossless=lossless, allow_loss=allow_loss or (), workers=workers,
                progress=tell,
            ) if several else api.convert(
                data, to=to, out=out, spec=spec, media=media, overwrite="force" if force else overwrite,  # type: ignore[arg-type]
                on=on or (), config=config, skip_invalid=skip_invalid, lossless=lossless,
                subsets=pairs(subsets or (), "--subsets"), labels=label_map(labels), default_class=default_class,
                where=where, classes=classes, options=pairs(option or (), "-O"),
                allow_unaccounted=allow_unaccounted, allow_loss=allow_loss or (),
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
        stop("\n".join((str(refused), *refused.ways)), FINDINGS)
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


_DONE = {"fix": "repaired {}", "clip": "cut at the image's edge: {}", "drop": "left out {}", "drop-item": "left out {}"}
_UNITS = {"drop-item": "item"}


def _tell(result: Any) -> None:
    say_out(f"{result.out}: {result.target}, {amount(result.items, 'item')}, {amount(result.files, 'file')}")
    for notice in result.notices:
        say_out(notice)
    for one in result.actions:
        say_out(f"{one.code}: {_DONE[one.action].format(amount(one.count, _UNITS.get(one.action, 'finding')))}")
    if result.skipped:
        typer.echo(f"left out: {amount(result.skipped, 'invalid item')}")
    if result.losses:
        typer.echo(f"{result.target} cannot hold:")
        for line in result.losses:
            say_out(f"  {line}")


@app.command()
def dump(
    what: Positional = None,
    dataset: Annotated[bool, typer.Option("--dataset", help="print the spec, root and categories first")] = False,
    option: Option = None,
    classes: Classes = None,
    limit: Limit = None,
) -> None:
    """Print the model: one JSON object per item and line, sorted by key."""
    import formatspec.api as api
    from formatspec.cli.arguments import pairs, set_limits_of, spec_and_data
    from formatspec.findings.finding import at_least
    from formatspec.run import dump as plain

    set_limits_of(limit)
    spec, data = spec_and_data(what or ())
    opened = api.open(data, spec, options=pairs(option or (), "-O"), classes=classes)
    if dataset:
        categories = [plain.whole_category(category) for category in opened.categories]
        print_json({"spec": opened.format, "root": str(data), "categories": categories})
        opened.findings.clear()
    for item in opened:
        print_json(plain.item(item))
    show_findings([f for f in opened.findings if f.level != "info"], to_stderr=True)
    if at_least(opened.findings, "error"):
        raise typer.Exit(FINDINGS)


@app.command()
def explain(
    what: Annotated[list[str], typer.Argument(metavar="[SPEC] DATA [FILE|ITEM]", show_default=False)],
    as_json: Annotated[bool, typer.Option("--json", help="print it as one JSON object")] = False,
    option: Option = None,
) -> None:
    """Say which role claims a file, why none claims another, and from where an item's values came."""
    import msgspec

    from formatspec.api import explain as explained_by_api
    from formatspec.cli.arguments import pairs, spec_data_and_name
    from formatspec.run.explain import NothingOfThatNameError, lines

    spec, data, name = spec_data_and_name(what)
    try:
        explained = explained_by_api(data, spec, name, options=pairs(option or (), "-O"))
    except NothingOfThatNameError as error:
        stop(str(error))
    if as_json:
        print_json(msgspec.to_builtins(explained))
        return
    for line in lines(explained):
        say_out(line)


@app.command()
def detect(
    data: Annotated[str, typer.Argument(help="a folder, a zip or a URL")] = ".",
    as_json: Annotated[bool, typer.Option("--json", help="print every format's match")] = False,
    everything: Annotated[bool, typer.Option("--all", help="say of every other format why it is not that one")] = False,
) -> None:
    """Say which format a dataset has, and why it has not the five nearest others: exit 2 where no format is told."""
    import formatspec.api as api
    from formatspec.cli.arguments import data_at
    from formatspec.engine.detection.refusal import refusal
    from formatspec.paths.trees.open_tree import open_tree

    found = api.detect_format(open_tree(data_at(data)))
    others = found.others if everything or as_json else found.outcome.nearest
    if as_json:
        nearest = [{"format": one.name, "reason": one.reason} for one in found.outcome.nearest]
        rejected = {one.name: one.reason for one in others}
        print_json(
            {"data": data, "formats": found.names, "rejected": rejected, "nearest": nearest, "found_in": found.within}
        )
    else:
        for name in found.names:
            typer.echo(name)
        for note in found.notes if found.name is not None else ():
            say(note)
        for one in others if everything or found.name is not None else ():
            say(f"  not {one.name}: {one.reason}")
    if found.name is None:
        raise refusal(data, found)


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
    from formatspec.docs.editor_schema import editor_schema

    typer.echo(_json(editor_schema()))


app.command()(lint)
app.command()(infer)


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
    typer.echo(f"{out}: {amount(items, 'item')}, {amount(files, 'file')}")


for command in (stats, compare, plot):
    app.command()(command)


def _json(value: Any) -> str:
    import json

    return json_printable(json.dumps(value, indent=2, ensure_ascii=False), sys.stdout.isatty())


def main() -> None:
    """Run the command line; known errors become one sentence and an exit status."""
    from formatspec.language.errors import SpecError
    from formatspec.paths.trees.store import RemoteError
    from formatspec.paths.trees.tree import SourceChangedError
    from formatspec.policy.rules import PolicyError
    from formatspec.run.errors import CannotRunError
    from formatspec.run.output.staging import OutputError

    _open_closed_streams()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # they are looked for in every package there is
    arguments = [word for word in sys.argv[1:] if word not in ("-q", "--quiet")]
    Talk.quiet = len(arguments) < len(sys.argv) - 1
    warnings.showwarning = partial(_show_warning, warnings.showwarning)
    warnings.filterwarnings("always", category=UserWarning, module="formatspec")
    try:
        status = app(arguments, standalone_mode=False)
        sys.exit(status if isinstance(status, int) else 0)
    except (SpecError, RemoteError, CannotRunError, OutputError, SourceChangedError, PolicyError) as error:
        for line in str(error).splitlines():
            typer.echo(printable(line), err=True)
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


def _open_closed_streams() -> None:
    """Give the streams that the caller closed (`>&-`) a place where what is said is gone, as the caller wants."""
    nowhere = Path(os.devnull)
    sys.stdin = sys.stdin or nowhere.open(encoding="utf-8")
    sys.stdout = sys.stdout or nowhere.open("w", encoding="utf-8")
    sys.stderr = sys.stderr or nowhere.open("w", encoding="utf-8")


def _show_warning(others: Any, message: Any, category: type[Warning], *place: Any, **more: Any) -> None:
    """Say what the library warns of as the command line says things; leave all other warnings to `others`."""
    from formatspec.api import FormatNotice, SpecMistake

    if issubclass(category, SpecMistake):
        typer.echo(str(message), err=True)
    elif issubclass(category, FormatNotice):
        say(str(message))
    else:
        others(message, category, *place, **more)


def _unexpected(error: Exception) -> None:
    message = getattr(error, "format_message", None)
    if message is not None:
        typer.echo(f"{message()}; `formatspec --help` shows how it is used", err=True)
        sys.exit(USAGE)
    if isinstance(error, OSError):  # the system's, not ours: a full disk, a folder where a file belongs, no permission
        about = f"{error.filename}: " if error.filename is not None else ""
        typer.echo(printable(f"{about}{error.strerror or error}"), err=True)
        sys.exit(USAGE)
    if isinstance(error, MemoryError):
        typer.echo(
            "there is not enough memory; --workers 1 needs least, and --limit says what data may ask for", err=True
        )
        sys.exit(USAGE)
    import traceback

    traceback.print_exc()
    typer.echo("this is a fault of formatspec; please report it with the lines above", err=True)
    sys.exit(FAULT)


if __name__ == "__main__":
    main()
