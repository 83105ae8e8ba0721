"""Which parts of an item are read, and the compiled readers that read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from formatspec.engine.index.row_ownership import Table
from formatspec.engine.label_images.reader import RasterReader
from formatspec.engine.read.generate_lines import FastLines
from formatspec.engine.read.generate_rows import FastRows
from formatspec.engine.read.projection import Decode
from formatspec.engine.read.rows.merge_rows import Reader

if TYPE_CHECKING:
    from formatspec.engine.read.elements.fast_cells import FastCells
    from formatspec.engine.read.elements.fast_elements import FastElements


class TableReaders(msgspec.Struct, frozen=True):
    """How the rows of a table of a shared file are read.

    Attributes:
        decode: How much of the rows is decoded; None to decode them whole.
        labels: Whether the path of the file tells the category of its rows.
        plain: The fast reader of rows that follow the spec exactly, if there is one.
        elements: The fast reader of objects that are XML elements in the row of their item, if there is one.
    """

    table: Table
    decode: Decode | None
    labels: bool
    plain: FastRows | FastCells | None
    elements: FastElements | None


class Readers(msgspec.Struct, frozen=True):
    """The compiled readers of a format for one purpose.

    Attributes:
        tables: How the rows of shared files are read, by role and by the path of their table.
        lines: Fast readers of texts of numbers, by role.
        elements: Fast readers of objects that are XML elements in an item's own file, by role.
    """

    documents: Mapping[str, Reader]
    rasters: Mapping[str, RasterReader]
    tables: Mapping[tuple[str, tuple[str, ...]], TableReaders]
    lines: Mapping[str, FastLines]
    elements: Mapping[str, FastElements]
    wanted_roles: frozenset[str]

    def judging(self) -> Readers:
        """Return the same readers without the fast ones, which report no findings."""
        tables = {key: msgspec.structs.replace(one, plain=None, elements=None) for key, one in self.tables.items()}
        return msgspec.structs.replace(self, tables=tables, lines={}, elements={})


class Purpose(msgspec.Struct, frozen=True):
    """What is read: whether source rows are kept, image headers read, all checks made, and pixels decoded.

    Attributes:
        unsized: Whether the headers of images are read whose sizes nothing else states, although others are not.
        kept: Whether kept and unknown fields that hold a value are noted.
        areas: Whether areas that rows of objects state are noted too.
        whole: Whether images are checked to be complete.
        strict: Whether repeated keys in a document are sought.
        classes: The names of the classes by their numbers from 0, if the user gives them.
    """

    origin: bool = False
    headers: bool = True
    unsized: bool = False
    checks: bool = True
    media_required: bool = True
    pixels: bool = True
    whole: bool = False
    kept: bool = False
    areas: bool = False
    strict: bool = False
    classes: tuple[str, ...] = ()


def is_read(role: str, readers: Readers, purpose: Purpose) -> bool:
    """Return whether files of a role are opened: for their content, for checks, or to be written back."""
    return purpose.checks or purpose.origin or role in readers.wanted_roles
