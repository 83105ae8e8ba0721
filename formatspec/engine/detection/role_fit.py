"""What a role's files say of a format: whether they are what the role describes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from formatspec.codecs.registry import Env, UnfitError
from formatspec.engine.detection.document_fit import ROWS, constants, fit_of
from formatspec.engine.detection.opened_files import Document, OpenedFiles
from formatspec.engine.documents import line_document
from formatspec.engine.label_images.reader import fits_header
from formatspec.engine.resolve.codec_chain import build, read_number
from formatspec.engine.resolve.scope import Scope
from formatspec.engine.resolve.text_template import text_template
from formatspec.engine.spec.compiled import Role
from formatspec.language.errors import SpecError
from formatspec.language.leaf import Bind, Text
from formatspec.language.rules import LeafRule, MapRule, OneOf, Rule, TableRule

SAMPLE = 3
"""Files of each role that are opened."""
FITS = 0.5
"""A document with at least this F is what its role describes."""
_ANY_LINES = ("zq \u2603 any text, at all", "another", "7")
"""Lines that only rules fit which take any text."""
_LETTERS = re.compile(r"[A-Za-z]{2,}")

Claim = tuple[str, Mapping[str, Any]]
"""A path and what a role's template captures of it."""


class RoleFit(NamedTuple):
    """What the first files of a role say.

    f: how well they fit, 0 to 1; None where they say nothing.  unread: nothing of them can be read.
    path, reason: the first file that does not fit, and why.
    """

    f: float | None
    path: str = ""
    reason: str = ""
    unread: bool = False

    @property
    def contradicts(self) -> bool:
        """Whether the files are something else."""
        return self.f is not None and self.f < FITS


def spells_names(role: Role) -> bool:
    """Whether a role's template spells letters of the files' names, beyond their extension."""
    name = role.spec.path.rpartition("/")[2]
    stem = name.rpartition(".")[0]
    return _LETTERS.search(re.sub(r"\{[^}]*\}", "", stem)) is not None


def fit_of_documents(role: Role, claims: Sequence[Claim], files: OpenedFiles, full: Callable[[str], str]) -> RoleFit:
    """How well the first documents of a role fit it.  `full` gives a path as `files` knows it."""
    fits: list[float] = []
    first = ("", "")
    unread = 0
    sample = claims[:SAMPLE]
    for path, _ in sample:
        document = files.document(role, full(path))
        if document.error:
            unread += 1
            first = first if first[1] else (path, document.error)
            continue
        f, reason = _judge(role, document)
        if f is not None:
            fits.append(f)
        if reason and not first[1]:
            first = (path, reason)
    if fits:
        return RoleFit(sum(fits) / len(fits), *first)
    return RoleFit(None, *first, unread=unread == len(sample))


def _judge(role: Role, document: Document) -> tuple[float | None, str]:
    assert role.codec is not None
    rule = role.codec.rule
    if role.kind == "lines":
        return _judge_lines(role, document)
    value = document.value
    if role.kind == "csv" and role.spec.style.header is False:
        return _judge_cells(rule, role.scope, value)
    fit = fit_of(rule, role.scope, value, document.cut)
    return fit.f, fit.reason


def _judge_lines(role: Role, document: Document) -> tuple[float | None, str]:
    """The share of lines that fit; nothing where any text would, or where there is no line."""
    assert role.codec is not None and role.codec.shape is not None
    if not document.lines:
        return None, ""
    if not line_document.decode_lines(list(_ANY_LINES), role.codec.shape)[1]:
        return None, ""
    strays = document.strays
    reason = f"line {strays[0].line + 1}: {strays[0].expected}" if strays else ""
    return max(0.0, 1 - len(strays) / document.lines), reason


def _judge_cells(rule: Rule, scope: Scope, rows: Any) -> tuple[float | None, str]:
    """The share of rows without a header whose cells can be what the rule says."""
    if not isinstance(rows, list) or not rows:
        return None, ""
    tests = [test for choice in _tables(rule) if (test := _cells_test(choice, scope)) is not None]
    if not tests:
        return None, ""
    fitting = sum(any(test(row) for test in tests) for row in rows[:ROWS])
    share = fitting / len(rows[:ROWS])
    return share, "" if share == 1 else "a row holds other cells"


def _tables(rule: Rule) -> list[TableRule]:
    if isinstance(rule, OneOf):
        return [table for choice in rule.alternatives for table in _tables(choice)]
    return [rule] if isinstance(rule, TableRule) else []


def _cells_test(table: TableRule, scope: Scope) -> Callable[[Any], bool] | None:
    """Whether a row can be one of a table, by those of its cells that cannot be any text; None where all can."""
    if not isinstance(table.row, MapRule):
        return None
    inner = scope.inside(table.each.table)
    tests: list[tuple[str, bool, Callable[[str], bool]]] = []
    for field in table.row.fields:
        if isinstance(field.rule, LeafRule):
            test = _cell_test(field.rule, inner, len(field.keys))
            tests += [(key, field.optional, test) for key in field.keys] if test is not None else []
    known = {key for field in table.row.fields for key in field.keys}
    needed = {key for field in table.row.fields if not field.optional for key in field.keys}
    if not tests:
        return None

    def fits(row: Any) -> bool:
        if not isinstance(row, dict) or not needed <= row.keys() or not row.keys() <= known:
            return False
        return all(test(row[key]) for key, optional, test in tests if key in row and not (optional and not row[key]))

    return fits


def _cell_test(rule: LeafRule, scope: Scope, keys: int) -> Callable[[str], bool] | None:
    """Whether a cell can be what a leaf says; None where it can be any text."""
    leaf = rule.leaf
    for constant in constants(leaf):
        return lambda cell: cell == str(constant)
    if isinstance(leaf, Text):
        template = text_template(leaf, scope, rule.place)
        return lambda cell: isinstance(cell, str) and template.match(cell) is not None
    if not isinstance(leaf, Bind):
        return None
    meanings = [scope.meaning(name) for name in leaf.names]
    types = [meaning.value_type for meaning in meanings if meaning is not None]
    if len(types) < len(meanings) or set(types) <= {"text", "texts", "json", "id"} and not leaf.calls:
        return None
    if keys > 1:
        return _is_number
    try:
        chain = build(leaf, types, 1, True, rule.place)
    except SpecError:
        return None

    def decodes(cell: str) -> bool:
        try:
            chain.decode(cell, Env(1, 1))
        except UnfitError:
            return False
        return True

    return decodes


def _is_number(cell: str) -> bool:
    try:
        read_number(cell)
    except UnfitError:
        return cell == ""
    return True


def fit_of_label_images(
    role: Role, claims: Sequence[Claim], files: OpenedFiles, full: Callable[[str], str], image_of: Callable[[Mapping[str, Any]], str | None]
) -> RoleFit:  # fmt: skip
    """How well the first label images of a role fit it: by their mode, by an image of their name, and by its size.

    image_of: the image that has a file's captures, where there is one.
    """
    fits: list[float] = []
    first = ("", "")
    unread = 0
    sample = claims[:SAMPLE]
    for path, captures in sample:
        header = files.label_header(full(path))
        if header is None:
            unread += 1
            first = first if first[1] else (path, "its header cannot be read")
            continue
        if not fits_header(header, role.spec.image):
            fits.append(0.0)
            first = first if first[1] else (path, f"it has another mode than {' or '.join(role.spec.image)}")
            continue
        image = image_of(captures)
        if image is None:
            continue
        info = files.image(full(image)) if not fits else None
        same = info is None or role.spec.scaled or {info.width, info.height} == {header.width, header.height}
        fits.append(1.0 if same else 0.0)
        if not same and not first[1]:
            first = (path, f"it is of another size than {image}")
    if fits:
        return RoleFit(sum(fits) / len(fits), *first)
    return RoleFit(None, *first, unread=unread == len(sample) and bool(sample))
