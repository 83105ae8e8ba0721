"""The commands for writing specs: `infer` drafts one for a folder, and `lint` checks one, also on data."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from formatspec.cli.console import FINDINGS, print_json, say, say_out, show_findings, stop
from formatspec.cli.option_types import AsJson, OutputFormat
from formatspec.findings.render import amount

if TYPE_CHECKING:
    from formatspec.language.load import Source

ALL = 1 << 30
MOST = 10
"""How many files, or differences, of one kind are named."""
CONVERTED = 5
"""How many generated datasets `lint` converts and reads back, each whole and damaged."""


def infer(
    data: Annotated[str, typer.Argument(help="a folder, a zip or a URL")] = ".",
    out: Annotated[Path | None, typer.Option("-o", "--out", help="the spec to write; default: print it")] = None,
    overwrite: Annotated[bool, typer.Option(help="replace a file that is there")] = False,
    as_json: AsJson = False,
    output_format: OutputFormat = None,
) -> None:
    """Draft a spec for an unknown folder: with a comment at each guess, and questions where the data do not tell."""
    from formatspec.cli.arguments import data_at, wants_json
    from formatspec.infer.infer import NothingToInferError, spec_name
    from formatspec.infer.infer import infer as inferred
    from formatspec.paths.trees.open_tree import open_tree

    place = data_at(data)
    if out is not None and out.exists() and not overwrite:
        stop(f"{out} is there already; --overwrite replaces it")
    if out is not None and not out.resolve().parent.is_dir():
        stop(f"{out}: there is no folder {out.parent}")
    named = out.stem if out is not None else str(Path(place).resolve()) if Path(place).exists() else place
    try:
        found = inferred(open_tree(place), spec_name(named))
    except NothingToInferError as error:
        stop(str(error))
    if out is not None:
        out.write_text(found.text, encoding="utf-8")
    if wants_json(as_json, output_format):
        print_json({"version": 1, "spec": found.text, "items": found.items, "records": found.records,
                    "files": found.evidence, "read": found.claimed, "left": list(found.left),
                    "questions": list(found.questions)})  # fmt: skip
        return
    if out is None:
        typer.echo(found.text, nl=False)
    else:
        say_out(f"{out}: {amount(found.items, 'item')}, {amount(found.records, 'annotation')}")
    say(f"{found.claimed} of {amount(found.evidence, 'file')} beside the images are read")
    for path in found.left[:MOST]:
        say(f"  no role for {path}")
    if len(found.left) > MOST:
        say(f"  and {amount(len(found.left) - MOST, 'more file')}")
    for question in found.questions:
        say(f"question: {question}")
    if out is not None:
        say(f"now: formatspec lint {out} {data}")


def lint(
    spec: Annotated[str, typer.Argument(help="a spec's name or file")],
    data: Annotated[
        str | None, typer.Argument(help="a folder, a zip or a URL to try it on", show_default=False)
    ] = None,
    runs: Annotated[int, typer.Option(help="generated datasets to hold it to the laws on")] = 20,
    seed: Annotated[int, typer.Option(help="where the generator begins")] = 0,
    as_json: AsJson = False,
    output_format: OutputFormat = None,
) -> None:
    """Check a spec: its words, the laws, and what its conversions lose.

    The laws are tried on the spec's examples and on generated datasets. A few of these are converted, and nothing may
    be lost that the loss report does not name. With DATA, the spec is also tried on real data.
    """
    from formatspec.cli.arguments import wants_json
    from formatspec.engine.dataset.lint import compile_whole, notes
    from formatspec.language.load import available, load_source

    as_json = wants_json(as_json, output_format)
    if spec and Path(spec).is_dir() and spec not in available():
        stop(f"{spec} is a folder, and lint takes a spec first: formatspec lint SPEC {spec}")
    source = load_source(spec)
    compile_whole(source)
    noted = [str(note) for note in notes(source)]
    for note in () if as_json else noted:
        typer.echo(f"note {note}")
    if data is not None:
        _lint_on_data(spec, data, as_json)
        return
    broken, conversions = list[str](), 0
    for found in _held_to_laws(source, spec, runs, seed):
        if isinstance(found, int):
            conversions = found
            continue
        broken.append(found)
        if not as_json:
            typer.echo(found)
    if as_json:
        print_json({"version": 1, "spec": source.name, "notes": noted, "broken": broken, "datasets": runs,
                    "conversions": conversions})  # fmt: skip
    elif not broken:
        typer.echo(f"{source.name}: both laws hold on {amount(runs, 'generated dataset')}")
        if conversions:
            typer.echo(f"{source.name}: nothing is gone without a word in {amount(conversions, 'conversion')} of these")
    if broken:
        raise typer.Exit(FINDINGS)


def _held_to_laws(source: Source, spec: str, runs: int, seed: int) -> Iterator[str | int]:
    """Try the laws on a spec one after the other; yield what is wrong, or else how many conversions were made."""
    import random

    from formatspec.cli.conserved import conserved, usual_targets
    from formatspec.language.load import place_at
    from formatspec.testing import laws

    is_broken = False
    try:
        laws.check_leaves(source)
    except laws.LawBrokenError as error:
        yield str(error)
        return
    for position, example in enumerate(source.spec.examples):
        folder = source.beside(example, place_at(source.layouts[0].node, "examples", position))
        try:
            laws.hold_on(source, folder)
        except laws.LawBrokenError as error:
            is_broken = True
            yield f"{example}: {error}"
    for run in range(seed, seed + runs):
        try:
            laws.hold(source, random.Random(run))
        except laws.LawBrokenError as error:
            yield f"--seed {run}: {error}"
            return
    if is_broken:
        return
    made = 0
    for run in range(seed, seed + min(runs, CONVERTED)):
        found = conserved(spec, run, (*usual_targets(), spec))
        made += found.made
        for wrong in found.wrong:
            yield f"--seed {run}: {source.name}{wrong}"
        if found.wrong:
            return
    yield made


def _lint_on_data(spec: str, data: str, as_json: bool) -> None:
    """Print what a spec reads of data, what it leaves, and what does not come back; exit 1 if something is wrong."""
    import msgspec

    from formatspec.cli.arguments import data_at
    from formatspec.run.explain import lines_of_unclaimed
    from formatspec.testing.data_trial import try_on

    found = try_on(spec, data_at(data))
    if as_json:
        print_json({"version": 1, "summary": found.summary, "findings": msgspec.to_builtins(found.findings),
                    "unclaimed": list(lines_of_unclaimed(found.dataset, ALL)), "unread": list(found.unread),
                    "refused": found.refused, "differences": list(map(str, found.differences))})  # fmt: skip
        if found.fails:
            raise typer.Exit(FINDINGS)
        return
    say_out(f"{data}: {found.summary}")
    show_findings([one for one in found.findings if one.level != "info"])
    for line in lines_of_unclaimed(found.dataset, MOST):
        say_out(line)
    for line in found.unread[:MOST]:
        say_out(line)
    for difference in found.differences[:MOST]:
        say_out(str(difference))
    if len(found.differences) > MOST:
        say_out(f"and {amount(len(found.differences) - MOST, 'more difference')}")
    if not found.differences and not found.refused:
        say_out("what the spec reads comes back as it was")
    if found.refused:
        say_out(found.refused)
    if found.fails:
        raise typer.Exit(FINDINGS)
