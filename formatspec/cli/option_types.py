"""Arguments and options that several commands take."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer


def readable(option: str) -> Callable[[Path | None], Path | None]:
    """Return a check, made before a command begins, that the file that an option names exists."""

    def look(file: Path | None) -> Path | None:
        from formatspec.cli.arguments import refuse_unreadable

        if file is not None:
            refuse_unreadable(option, file)
        return file

    return look


def writable(option: str) -> Callable[[Path | None], Path | None]:
    """Return a check, made before a command begins, that the file that an option names can be written."""

    def look(file: Path | None) -> Path | None:
        from formatspec.cli.arguments import refuse_unwritable

        if file is not None:
            refuse_unwritable(option, file)
        return file

    return look


def filled(option: str, takes: str) -> Callable[[str | None], str | None]:
    """Return a check that an option is not an empty text, as a script's unset variable gives."""

    def look(text: str | None) -> str | None:
        from formatspec.cli.console import stop

        if text is not None and not text.strip():
            stop(f"{option} is empty; it takes {takes}, or is left out")
        return text

    return look


Positional = Annotated[list[str] | None, typer.Argument(metavar="[SPEC] [DATA]", show_default=False)]
Workers = Annotated[int | None, typer.Option(min=1, help="processes; default: one for each core", show_default=False)]
Engine = Annotated[str, typer.Option(help="what runs the workers: processes, or ray for a Ray cluster")]
Address = Annotated[str | None, typer.Option(help="with --engine ray: the cluster's address; default: on this machine")]
Classes = Annotated[
    Path | None,
    typer.Option(
        callback=readable("--classes"),
        help="names of the classes where the data give numbers alone: a text file, a name a line from 0",
    ),
]
Limit = Annotated[
    list[str] | None,
    typer.Option(
        "--limit",
        help="N: at most N items; or NAME=NUMBER: raise a bound on what data may ask for (size, side, decoded, runs, "
        "unpacked, values, cell, findings); may be repeated",
    ),
]
Every = Annotated[int, typer.Option(min=1, help="N: every N-th item, from the first on")]
Subset = Annotated[
    list[str] | None, typer.Option("--subset", help="a subset whose items are taken; may be repeated; default: all")
]
AsJson = Annotated[bool, typer.Option("--json", help="print one JSON object: --output-format json")]
OutputFormat = Annotated[str | None, typer.Option("--output-format", help="text or json", show_default=False)]
DryRun = Annotated[bool, typer.Option("--dry-run", help="say what would be written and lost, and write nothing")]
Option = Annotated[list[str] | None, typer.Option("-O", help="option=value of the spec; may be repeated")]
On = Annotated[
    list[str] | None,
    typer.Option("--on", help="CODE[,CODE]=ACTION: what is done about findings of a code or level; may be repeated"),
]
Config = Annotated[
    Path | None,
    typer.Option(
        callback=readable("--config"),
        show_default=False,
        help="a file of such rules; default: formatspec.yaml beside the data",
    ),
]
