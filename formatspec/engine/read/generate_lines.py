"""Fast reader for texts whose lines are objects and hold nothing but numbers.

Such lines are decoded as lists of JSON, all at once, and read like plain rows of a table.  A text that deviates in
anything is left to the readers that judge.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from formatspec.engine.read.compile_reader import row_reader
from formatspec.engine.read.generate_rows import FastRows, generate_words_reader
from formatspec.engine.read.item_state import ItemState
from formatspec.engine.read.leaf_reader import ReadContext
from formatspec.engine.read.projection import Decode
from formatspec.engine.resolve.scope import Scope
from formatspec.engine.resolve.text_template import TextTemplate
from formatspec.files.document import check_values
from formatspec.language.rules import TableRule
from formatspec.model.amounts import amounts

COSTS = {b" ": 56, b"\n": 120}
"""Bytes of memory for each number and for each line of a text."""


class FastLines(msgspec.Struct, frozen=True):
    """How a text is read whose lines are numbers.

    choices: the template of each kind of line, in the order in which they are tried, and how its lists are read; None
    where they are left to the readers that judge.
    """

    choices: tuple[tuple[TextTemplate, FastRows | None], ...]

    def take(self, data: bytes, file: str, state: ItemState) -> bool:
        """Read the bytes of a text into a state that knows no objects yet; whether that was done.

        Raises TooLargeError where the text has more values than the limits allow.
        """
        if not state.may_be_plain():
            return False
        words = data.partition(b"\n")[0].count(b" ") + 1
        rows = next((rows for template, rows in self.choices if template.may_fit(words)), None)
        typed = None if rows is None else _typed(data, rows.decode)
        return rows is not None and typed is not None and rows.put(typed, 0, (), file, state)


def _typed(data: bytes, decode: Decode) -> Sequence[Any] | None:
    """The lines as typed rows; None where the text is not one number after another with a blank between."""
    if not data or not data.isascii() or b"," in data or b"\t" in data:
        return None
    text = data.replace(b"\r\n", b"\n")
    if b"\r" in text:
        return None
    check_values(data, COSTS)
    lists = text.removesuffix(b"\n").replace(b" ", b",").replace(b"\n", b"],[")
    try:
        found: Sequence[Any] = decode(b"[[%b]]" % lists)
    except ValueError:
        return None
    return found


def generate_lines_reader(
    lines: Sequence[tuple[TableRule, TextTemplate]], scope: Scope, context: ReadContext
) -> FastLines | None:
    """The plain reader of a text whose lines are objects of numbers; None where no line is.

    Args:
        lines: The alternatives for a line in their order: the table whose row it is, and what it looks like.
        scope: What names mean around the tables.
        context: What is read.
    """
    if not amounts().generates or not context.often:
        return None
    choices: list[tuple[TextTemplate, FastRows | None]] = []
    for table, template in lines:
        counts = None if table.each.rings or table.each.kept else template.counts
        rows = None if counts is None else generate_words_reader(row_reader(table, scope, context), context, counts)
        choices.append((template, rows))
    return FastLines(tuple(choices)) if any(rows for _, rows in choices) else None
