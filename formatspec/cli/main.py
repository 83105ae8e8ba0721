"""`formatspec`: one YAML file describes a vision dataset; validate it, convert it, look at it."""

from __future__ import annotations

import gc
import os
import re
import sys
import warnings
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from formatspec._version import __version__
from formatspec.cli.console import (
    FAULT,
    FINDINGS,
    USAGE,
    Talk,
    indented_json,
    print_json,
    progress,
    say,
    say_out,
    show_findings,
    stop,
)
from formatspec.cli.doctor import doctor
from formatspec.cli.drafting import infer, lint
from formatspec.cli.look_commands import compare, plot, stats
from formatspec.cli.option_types import (
    Address,
    AsJson,
    Classes,
    Config,
    Engine,
    Every,
    Limit,
    On,
    Option,
    OutputFormat,
    Positional,
    Subset,
    Workers,
)
from formatspec.cli.write_commands import convert, engine_named, split
from formatspec.findings.render import amount, printable

OBJECTS_BETWEEN_COLLECTIONS = 100_000
"""How many objects Python makes before it looks for reference cycles. Items leave no cycles, imported modules stay, and
looking takes time."""

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
    del quiet  # `main` takes it from anywhere on the command line


@app.command()
def validate(
    what: Positional = None,
    deep: Annotated[bool, typer.Option("--deep", help="decode every label image too")] = False,
    as_json: AsJson = False,
    output_format: OutputFormat = None,
    everything: Annotated[
        bool, typer.Option("--all", help="list every place; without it, the first five of each code")
    ] = False,
    on: On = None,
    config: Config = None,
    workers: Workers = None,
    engine: Engine = "processes",
    address: Address = None,
    option: Option = None,
    classes: Classes = None,
    limit: Limit = None,
    every: Every = 1,
    subset: Subset = None,
) -> None:
    """Check a dataset: exit 0 if it is clean, 1 if it is not."""
    import formatspec.api as api
    from formatspec.cli.arguments import pairs, sampled, spec_and_data, wants_json

    as_json = wants_json(as_json, output_format)
    taken = sampled(limit, every, subset)
    spec, data = spec_and_data(what or ())
    with progress("validating") as tell:
        report = api.validate(
            data, spec, deep=deep, on=on or (), config=config, workers=workers,
            engine=engine_named(engine), address=address, progress=tell,
            options=pairs(option or (), "-O"), classes=classes, **taken,
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


for writing in (convert, split):
    app.command()(writing)


@app.command()
def dump(
    what: Positional = None,
    dataset: Annotated[bool, typer.Option("--dataset", help="print the spec, root and categories first")] = False,
    option: Option = None,
    classes: Classes = None,
    limit: Limit = None,
    every: Every = 1,
    subset: Subset = None,
) -> None:
    """Print the model: one JSON object per item and line, sorted by key."""
    import formatspec.api as api
    from formatspec.cli.arguments import pairs, sampled, spec_and_data
    from formatspec.findings.finding import at_least
    from formatspec.run import dump as plain

    taken = sampled(limit, every, subset)
    spec, data = spec_and_data(what or ())
    opened = api.open(data, spec, options=pairs(option or (), "-O"), classes=classes, **taken)
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
    as_json: AsJson = False,
    output_format: OutputFormat = None,
    option: Option = None,
) -> None:
    """Say which role claims a file, why none claims another, and where each value of an item came from."""
    import msgspec

    from formatspec.api import explain as explained_by_api
    from formatspec.cli.arguments import pairs, spec_data_and_name, wants_json
    from formatspec.run.explain import NothingOfThatNameError, lines

    spec, data, name = spec_data_and_name(what)
    try:
        explained = explained_by_api(data, spec, name, options=pairs(option or (), "-O"))
    except NothingOfThatNameError as error:
        stop(str(error))
    if wants_json(as_json, output_format):
        print_json(msgspec.to_builtins(explained))
        return
    for line in lines(explained):
        say_out(line)


@app.command()
def detect(
    data: Annotated[str, typer.Argument(help="a folder, a zip or a URL")] = ".",
    as_json: AsJson = False,
    output_format: OutputFormat = None,
    everything: Annotated[
        bool, typer.Option("--all", help="say for every other format what speaks against it")
    ] = False,
) -> None:
    """Say which format a dataset has, and what speaks against the five nearest others; exit 2 if no format fits."""
    import formatspec.api as api
    from formatspec.cli.arguments import data_at, wants_json
    from formatspec.engine.detection.refusal import refusal
    from formatspec.paths.trees.open_tree import open_tree

    as_json = wants_json(as_json, output_format)
    tree = open_tree(data_at(data))
    found = api.detect_format(tree)
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
        raise refusal(data, found, tree)


@app.command()
def specs(
    action: Annotated[str | None, typer.Argument(help="`show` prints a spec")] = None,
    name: Annotated[str | None, typer.Argument(help="the spec to show")] = None,
    matrix: Annotated[bool, typer.Option("--matrix", help="how much is lost between each two formats")] = False,
    as_json: AsJson = False,
    output_format: OutputFormat = None,
) -> None:
    """List the formats with what they hold and how far they are written, or show one's spec."""
    from formatspec.cli.arguments import wants_json
    from formatspec.docs import gallery
    from formatspec.language.load import available, find, load_source

    if action == "show" and name:
        typer.echo(find(name).read_text(encoding="utf-8"), nl=False)
        return
    if action is not None:
        stop("`formatspec specs` lists the formats, `formatspec specs show NAME` prints one")
    sources = [load_source(known) for known in available()]
    if wants_json(as_json, output_format):
        listed = [{"name": one.name, "title": one.spec.title, "file": str(one.file)} for one in sources]
        typer.echo(indented_json(gallery.matrix_json(gallery.matrix(sources)) if matrix else {"formats": listed}))
        return
    for line in gallery.matrix_lines(gallery.matrix(sources)) if matrix else gallery.format_list(sources):
        typer.echo(line)
    if matrix:
        say("rows: from; columns: to; how many kinds of things are lost (--json names them)")


@app.command()
def schema() -> None:
    """Print the JSON Schema of the language, for editors."""
    from formatspec.docs.editor_schema import editor_schema

    typer.echo(indented_json(editor_schema()))


app.command()(lint)
app.command()(infer)


@app.command()
def sample(
    spec: Annotated[str, typer.Argument(help="a spec's name or file")],
    out: Annotated[str, typer.Argument(help="the folder, or URL, to make")],
    items: Annotated[int, typer.Option(min=1, help="how many items")] = 10,
    seed: Annotated[int, typer.Option(help="the same seed gives the same dataset")] = 0,
    option: Option = None,
    as_json: AsJson = False,
    output_format: OutputFormat = None,
) -> None:
    """Make up a small dataset in a format."""
    import formatspec.api as api
    from formatspec.cli.arguments import pairs, wants_json
    from formatspec.run.output.staging import OutputError
    from formatspec.testing.carry import LawBrokenError

    try:
        files = api.sample(spec, out, items=items, seed=seed, options=pairs(option or (), "-O"))
    except OutputError as error:
        stop(str(error))
    except LawBrokenError as error:
        stop(str(error), FINDINGS)
    if wants_json(as_json, output_format):
        print_json({"out": out, "items": items, "files": files})
    else:
        say_out(f"{out}: {amount(items, 'item')}, {amount(files, 'file')}")


for looking in (stats, compare, plot, doctor):
    app.command()(looking)


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
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # it would search every installed package for plugins
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
        gc.freeze()  # whatever is left ends with the process; looking for cycles takes as long as a small command


def _open_closed_streams() -> None:
    """Open the null device in place of standard streams that the caller closed (`>&-`)."""
    nowhere = Path(os.devnull)
    sys.stdin = sys.stdin or nowhere.open(encoding="utf-8")
    sys.stdout = sys.stdout or nowhere.open("w", encoding="utf-8")
    sys.stderr = sys.stderr or nowhere.open("w", encoding="utf-8")


def _show_warning(others: Any, message: Any, category: type[Warning], *place: Any, **more: Any) -> None:
    """Print the library's warnings in the style of the command line; leave all other warnings to `others`."""
    from formatspec.api import FormatNotice, SpecMistake

    if issubclass(category, SpecMistake):
        typer.echo(str(message), err=True)
    elif issubclass(category, FormatNotice):
        say(str(message))
    else:
        others(message, category, *place, **more)


_SYSTEM: dict[type[OSError], str] = {
    FileNotFoundError: "there is no such file or folder",
    IsADirectoryError: "it is a folder, and a file is wanted",
    NotADirectoryError: "it is a file, and a folder is wanted",
}
"""Plainer words for errors of the operating system."""

_INPUT = (
    (r"greater than or equal to (\S+)", r"it takes a number from \2"),
    (r"less than or equal to (\S+)", r"it takes a number up to \2"),
    (r"a valid integer.*", "it takes a whole number"),
    (r"a valid number.*", "it takes a number"),
)
"""Messages of the command-line parser about a value, and the words that replace them."""


def _plainly(message: str) -> str:
    """Give the command-line parser's message about a mistake as one clause without a full stop."""
    said = message.rstrip().rstrip(".")
    for found, plain in _INPUT:
        said = re.sub(rf"^Invalid value for '([^']+)': Input should be {found}$", rf"\1: {plain}", said)
    return said


def _unexpected(error: Exception) -> None:
    message = getattr(error, "format_message", None)
    if message is not None:
        typer.echo(f"{_plainly(message())}; `formatspec --help` shows how it is used", err=True)
        sys.exit(USAGE)
    if isinstance(error, OSError):  # an error of the system: a full disk, a folder in place of a file, no permission
        about = f"{error.filename}: " if error.filename is not None else ""
        typer.echo(printable(f"{about}{_SYSTEM.get(type(error), error.strerror or error)}"), err=True)
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
