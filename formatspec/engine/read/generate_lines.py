"""Fast reader for texts whose lines are objects and contain only numbers.

All lines are decoded at once as JSON lists, and read like rows of a table. A text that deviates in any way is left to
the validating readers.
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
MOST_KNOWN = 64
"""The most numbers of words whose readers are remembered."""


class FastLines(msgspec.Struct, frozen=True):
    """The fast reader of a text whose lines are numbers.

    Attributes:
        choices: The template of each kind of line, in the order in which they are tried, and the reader of its lists;
            None for lines that are left to the validating readers.
        fitting: The readers of lines of some numbers of words, as far as they were sought.
    """

    choices: tuple[tuple[TextTemplate, FastRows | None], ...]
    fitting: dict[int, FastRows | None] = {}

    def take(self, data: bytes, file: str, state: ItemState) -> bool:
        """Read the bytes of a text into a state without objects. Return whether this was possible.

        Raises:
            TooLargeError: The text has more values than the limits allow.
        """
        if not state.may_be_plain():
            return False
        words = data.partition(b"\n")[0].count(b" ") + 1
        if words not in self.fitting:
            rows = next((rows for template, rows in self.choices if template.may_fit(words)), None)
            if len(self.fitting) >= MOST_KNOWN:
                self.fitting.clear()
            self.fitting[words] = rows
        rows = self.fitting[words]
        typed = None if rows is None else _typed(data, rows.decode)
        return rows is not None and typed is not None and rows.put(typed, 0, (), file, state)


def _typed(data: bytes, decode: Decode) -> Sequence[Any] | None:
    """Return the lines as typed rows; None if the text is not numbers with single blanks between them."""
    if not data or not data.isascii() or b"," in data or b"\t" in data:
        return None
    text = data.replace(b"\r\n", b"\n") if b"\r" in data else data
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
    """Generate the fast reader of a text whose lines are objects of numbers; None if no line is.

    Args:
        lines: The alternatives for a line in their order: the table of its row, and its template.
        scope: The meaning of names around the tables.
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
