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
        help="name=number: size, side, decoded, runs, unpacked, values, cell, findings; what data may ask for",
    ),
]
Option = Annotated[list[str] | None, typer.Option("-O", help="option=value of the spec; may be repeated")]
On = Annotated[
    list[str] | None,
    typer.Option("--on", help="CODE[,CODE]=ACTION: what is done about findings of a code or level; may be repeated"),
]
Config = Annotated[
    Path | None, typer.Option(help="a file of such rules; default: formatspec.yaml beside the data", show_default=False)
]
