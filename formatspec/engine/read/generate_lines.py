"""Fast reader for texts whose lines are objects and hold nothing but numbers.

Such lines are decoded as lists of JSON, all at once, and read like plain rows of a table.  A text that deviates in
anything is left to the readers that judge.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from formatspec.engine.base.amounts import amounts
from formatspec.engine.documents.line_document import ChoiceShape, LineShape, RowsShape
from formatspec.engine.documents.role_codec import RoleCodec
from formatspec.engine.read.compile_reader import row_reader
from formatspec.engine.read.generate_rows import FastRows, generate_words_reader
from formatspec.engine.read.item_state import ItemState
from formatspec.engine.read.leaf_reader import ReadContext
from formatspec.engine.read.projection import Decode
from formatspec.engine.resolve.scope import Scope
from formatspec.engine.resolve.text_template import TextTemplate
from formatspec.files.document import check_values
from formatspec.language.rules import MapRule, OneOf, TableRule

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
        if state.plain is not None or "object" in state.tables or state.categories.match:
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


def generate_lines_reader(codec: RoleCodec, scope: Scope, context: ReadContext) -> FastLines | None:
    """The plain reader of a text whose lines are objects of numbers; None where no line is."""
    shape, rule = codec.shape, codec.rule
    if not amounts().generates or not context.often or not isinstance(shape, RowsShape) or shape.blocks:
        return None
    shapes = [one for _, one in shape.row.alternatives] if isinstance(shape.row, ChoiceShape) else [shape.row]
    rules = rule.alternatives if isinstance(rule, OneOf) else (rule,)
    choices: list[tuple[TextTemplate, FastRows | None]] = []
    for table, line in zip(rules, shapes, strict=True):
        if not isinstance(table, TableRule) or not isinstance(line, LineShape):
            return None
        counts = None if table.each.rings or table.each.kept else line.template.counts
        reader = row_reader(table, scope, context)
        if counts is not None and isinstance(shape.row, ChoiceShape) and isinstance(table.row, MapRule):
            row = table.row.fields[0].rule  # under the alternative's own key
            reader = replace(reader, rule=TableRule(table.each, row, table.place))
        choices.append((line.template, None if counts is None else generate_words_reader(reader, context, counts)))
    return FastLines(tuple(choices)) if any(rows for _, rows in choices) else None
