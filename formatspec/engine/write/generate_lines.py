"""Fast writer of text documents with one line for each object, generated as Python source."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

from formatspec.engine.base.source_code import Names, function
from formatspec.engine.documents.line_document import LineShape, RowsShape, TextShape
from formatspec.engine.evaluate.value_source import OF_ITEM, category_lines
from formatspec.engine.evaluate.write_context import WriteContext
from formatspec.engine.evaluate.writing_notes import LostRow
from formatspec.engine.resolve.codec_chain import spell, spell_rows
from formatspec.engine.resolve.scope import Scope
from formatspec.engine.write.compile_writer import field_writer, row_writer
from formatspec.engine.write.generate_leaves import NAMES, value_lines
from formatspec.engine.write.generate_rows import is_plain
from formatspec.engine.write.mark_written import hold_all
from formatspec.engine.write.print_leaf import LackingError
from formatspec.language.rules import MapRule, Rule, TableRule
from formatspec.model.amounts import amounts

TextWriter = Callable[[WriteContext], list[str]]
"""Takes the context of an item that has no source; returns the lines of its objects and notes which objects have none.
"""


def text_writer(rule: Rule, shape: TextShape | None, scope: Scope) -> TextWriter | None:
    """Compile the writer of a text whose lines are objects.

    None is given for any other text, and where the lines differ in their form.

    Args:
        rule: The rule of the document.
        shape: The document's shape, as `line_document.structured` gives it.
        scope: What names mean there.
    """
    if not amounts().generates:
        return None
    if not isinstance(rule, TableRule) or not isinstance(shape, RowsShape) or not isinstance(shape.row, LineShape):
        return None
    literals, inner = shape.row.template.literals, scope.inside(rule.each.table)
    if scope.kind != "item" or rule.each.table != "objects" or rule.each.rings or shape.blocks or not literals:
        return None
    row = row_writer(rule, scope)
    if (
        row.where is not None
        or not isinstance(rule.row, MapRule)
        or rule.row.alternatives
        or not is_plain(rule.row, inner)
    ):
        return None
    lines_of = _lines_of(rule.row, literals, inner)

    def write(context: WriteContext) -> list[str]:
        lost: list[tuple[Any, LackingError]] = []
        lines, written = lines_of(row.select(context), context, lost)
        hold_all(context, written, row.holds)
        if lost:
            reasons = (LostRow(row.table, record, f"no {lacking}") for record, lacking in lost)
            context.setting.lost += reasons
        return lines

    return write


def _lines_of(rule: MapRule, literals: Sequence[str], scope: Scope) -> Callable[..., tuple[list[str], list[Any]]]:
    """Return a function that writes objects as lines.

    It takes the objects, their context, and a list to which it adds objects that cannot be written. It returns the
    lines and the objects that they stand for.
    """
    names = Names(NAMES, LackingError=LackingError, spell=spell, spell_rows=spell_rows)
    words = all(literal == " " for literal in literals[1:-1]) and literals[0] == literals[-1] == ""
    fields, row = (_words if words else _texts)(rule, literals, scope, names)
    body = [
        *OF_ITEM,
        "lines, written, rows = [], [], len(records)",
        "for index, record in enumerate(records):",
        "    inner = None",
        "    try:",
        *(f"        {one}" for one in (*category_lines("\n".join(fields)), *fields)),
        "    except LackingError as lacking:",
        "        lost.append((record, lacking))",
        "        continue",
        f"    lines.append({row})",
        "    written.append(record)",
        f"return {'spell_rows(lines)' if words else 'lines'}, written",
    ]
    return function("lines_of(records, context, lost)", body, names)


def _words(rule: MapRule, literals: Sequence[str], scope: Scope, names: Names) -> tuple[list[str], str]:
    """Return source lines that compute a row whose values only blanks separate, and the row: a list of values."""
    fields = ["row = []"]
    for field in rule.fields:
        fields += value_lines(field, scope, field_writer, names, attrgetter("unspelled"))
        fields.append("row += value if value and type(value) is list else (value,)")
    return fields, "row"


def _texts(rule: MapRule, literals: Sequence[str], scope: Scope, names: Names) -> tuple[list[str], str]:
    """Return the source lines that compute the texts of a row's values, and the row: one text."""
    fields: list[str] = []
    parts = [repr(literals[0])]
    for place, field in enumerate(rule.fields):
        fields += value_lines(field, scope, field_writer, names)
        fields.append(f"part{place} = value if type(value) is str else spell(value)")
        parts += [f"part{place}", repr(literals[place + 1])]
    return fields, " + ".join(part for part in parts if part != repr(""))
