"""How a file is spelled: everything about its bytes that is not its data."""

from __future__ import annotations

from typing import Literal

import msgspec


class Style(msgspec.Struct, frozen=True):
    """The spelling of one file.  Each file format uses the fields that mean something to it.

    Every module of this package has a constant `STYLE`, its format's spelling where a spec states none.
    """

    indent: int | Literal["\t"] | None = None
    """json, yaml, xml: spaces per level, or a tab; None is no layout (yaml cannot do without: 2)."""
    separators: Literal["compact", "spaced"] = "spaced"
    """json: `,` and `:`, or `, ` and `: `; ini: `=`, or ` = `."""
    ascii: bool = False
    """json, yaml, xml: characters beyond ASCII are written as escapes."""
    final_newline: bool = True
    """all: a non-empty file ends with a newline."""
    newline: Literal["\n", "\r\n"] = "\n"
    """all, writing: the line ending.  Reading takes either."""
    encoding: tuple[str, ...] = ("utf-8",)
    """all: tried in order when reading; the first one writes.  `utf-8-sig` writes a byte order mark."""
    quote: str | None = None
    """csv: the quoting character, `"` if None."""
    delimiter: str = ","
    """csv: the character between cells; `blanks` for any blanks and tabs."""
    comment: str | None = None
    """csv, lines: what a line begins with that is no data."""
    header: bool = True
    """csv: the first row names the columns; ini: keys stand in sections, each headed by its name."""
    columns: tuple[str, ...] = ()
    """csv: the columns in order; the only source of names where there is no header."""
    declaration: bool = True
    """xml: the file begins with `<?xml version="1.0" encoding=…?>`."""
    short_empty: bool = True
    """xml: an element without content is `<a/>`, else `<a></a>`."""
    flow: bool = False
    """yaml: lists that hold no list and no mapping are written `[a, b]`."""
