"""The spelling of a file: everything about its bytes that is not its data."""

from __future__ import annotations

from typing import Literal

import msgspec


class Style(msgspec.Struct, frozen=True):
    """The spelling of one file. Each file format uses the fields that apply to it.

    Every module of this package has a constant `STYLE`, its format's default spelling.
    """

    indent: int | Literal["\t"] | None = None
    """json, yaml, xml: spaces for each level, or a tab. None writes no layout; for yaml it means 2 spaces."""
    separators: Literal["compact", "spaced"] = "spaced"
    """json: `,` and `:`, or `, ` and `: `; ini: `=`, or ` = `."""
    ascii: bool = False
    """json, yaml, xml: whether characters beyond ASCII are written as escapes."""
    final_newline: bool = True
    """all: whether a non-empty file ends with a newline."""
    newline: Literal["\n", "\r\n"] = "\n"
    """all, for writing: the line ending. Reading accepts either."""
    encoding: tuple[str, ...] = ("utf-8",)
    """all: the encodings that are tried in order when reading; the first one is used for writing. `utf-8-sig` writes a
    byte order mark."""
    quote: str | None = None
    """csv: the quoting character, `"` if None."""
    delimiter: str = ","
    """csv: the character between cells; `blanks` for any blanks and tabs."""
    trimmed: bool = False
    """csv, for reading: whether blanks around a cell are no part of it."""
    comment: str | None = None
    """csv, lines: the beginning of lines that are comments."""
    header: bool = True
    """csv: whether the first row names the columns. ini: whether keys stand in sections, each with its name."""
    columns: tuple[str, ...] = ()
    """csv: the columns in order; without a header, the only source of their names."""
    declaration: bool = True
    """xml: whether the file begins with `<?xml version="1.0" encoding=…?>`."""
    short_empty: bool = True
    """xml: whether an element without content is `<a/>`; otherwise it is `<a></a>`."""
    flow: bool = False
    """yaml: whether lists that hold no list and no mapping are written `[a, b]`."""
