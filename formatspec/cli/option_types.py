"""Arguments and options that several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Positional = Annotated[list[str] | None, typer.Argument(metavar="[SPEC] [DATA]", show_default=False)]
Workers = Annotated[int | None, typer.Option(min=1, help="processes; default: one for each core", show_default=False)]
Engine = Annotated[str, typer.Option(help="what runs the workers: processes, or ray for a Ray cluster")]
Address = Annotated[str | None, typer.Option(help="with --engine ray: the cluster's address; default: on this machine")]
Classes = Annotated[
    Path | None,
    typer.Option(help="names of the classes where the data give numbers alone: a text file, a name a line from 0"),
]
Limit = Annotated[
    list[str] | None,
    typer.Option(
        "--limit",
        help="N: so many items at most; or name=number, what data may ask for: size, side, decoded, runs, unpacked, "
        "values, cell, findings; may be repeated",
    ),
]
Every = Annotated[int, typer.Option(min=1, help="each so-many-th item, from the first on")]
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
    Path | None, typer.Option(help="a file of such rules; default: formatspec.yaml beside the data", show_default=False)
]
