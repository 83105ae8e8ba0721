"""Checks whether a role's files are what the role describes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from formatspec.codecs.registry import Env, UnfitError
from formatspec.engine.detection.evidence.opened_files import Document, OpenedFiles
from formatspec.engine.detection.fit.common_words import CONTAINERS, SUBSETS
from formatspec.engine.detection.fit.document_fit import ROWS, constants, fit_of
from formatspec.engine.documents import line_document
from formatspec.engine.label_images.reader import fits_header
from formatspec.engine.resolve.codec_chain import build, number_from_text
from formatspec.engine.resolve.scope import Scope
from formatspec.engine.resolve.text_template import text_template
from formatspec.engine.spec.compiled import Role
from formatspec.language.errors import SpecError
from formatspec.language.leaf import Bind, Text
from formatspec.language.rules import LeafRule, MapRule, Rule, TableRule
from formatspec.model.slots import TABLES
from formatspec.paths.names import far_segments, plain_spelling

SAMPLE = 3
"""How many files of each role are opened."""
CLEAR = 0.8
"""If the file of one item fits at least this well, no other file of its role is opened."""
FITS = 0.5
"""The fit from which on a document is what its role describes."""
_ANY_LINES = ("zq \u2603 any text, at all", "another", "7")
"""Lines that only rules for any text match."""
_LETTERS = re.compile(r"[A-Za-z]{2,}")
_PLACEHOLDER = re.compile(r"\{[^}]*\}")
_DIGITS = re.compile(r"\d+")
MANY = 256
"""Among how many files of a role some with different names are sought."""
_NAMES = frozenset({"name"})
"""Captures by which a list of names is compared with the images."""

Claim = tuple[str, Mapping[str, Any]]
"""A path and what a role's template captures of it."""


class RoleFit(NamedTuple):
    """What the first files of a role show.

    Attributes:
        f: How well the fitting files fit, from 0 to 1; if none fits, how well all do; None if this cannot be measured.
        unread: Whether none of them can be read.
        path, reason: The first file that does not fit, and why.
        strange: Files that are not what the role describes, although others are.
    """

    f: float | None
    path: str = ""
    reason: str = ""
    unread: bool = False
    strange: frozenset[str] = frozenset()

    @property
    def contradicts(self) -> bool:
        """Whether the files are something else."""
        return self.f is not None and self.f < FITS


def spells_names(role: Role) -> bool:
    """Return whether a role's template fixes letters of the files' names, beyond their extension."""
    name = role.spec.path.rpartition("/")[2]
    stem = name.rpartition(".")[0]
    return _LETTERS.search(_PLACEHOLDER.sub("", stem)) is not None


def spells_own_name(role: Role) -> bool:
    """Return whether a role's template fixes a distinctive word of the files' names, unlike `annotations`."""
    stem = role.spec.path.rpartition("/")[2].rpartition(".")[0]
    words = {word.lower() for word in _LETTERS.findall(_PLACEHOLDER.sub("", stem))}
    return bool(words - CONTAINERS - SUBSETS)


def spells_path(role: Role) -> bool:
    """Return whether a role's template fixes letters of the files' folders or names, beyond their extension."""
    return spells_names(role) or _LETTERS.search(_PLACEHOLDER.sub("", role.spec.path.rpartition("/")[0])) is not None


def spells_distinctly(role: Role) -> bool:
    """Return whether a role's template fixes a word of its folders or names that is not in paths of many formats."""
    path = role.spec.path.removesuffix(f".{role.spec.path.rpartition('.')[2]}")
    return bool(distinct_words(path))


def distinct_words(path: str) -> set[str]:
    """Return the words that a template's path fixes and that are not in paths of many formats, in small letters."""
    words = {word.lower() for word in _LETTERS.findall(_PLACEHOLDER.sub("/", path))}
    return words - CONTAINERS - SUBSETS


def spells_words(role: Role) -> bool:
    """Return whether a role's template fixes several words of the files' names, as few formats do."""
    stem = role.spec.path.rpartition("/")[2].rpartition(".")[0]
    return len(_LETTERS.findall(_PLACEHOLDER.sub("", stem))) > 1


def fit_of_documents(
    role: Role, claims: Sequence[Claim], files: OpenedFiles, full: Callable[[str], str], images: Sequence[Claim] | None
) -> RoleFit:
    """Check whether the first documents of a role fit it, by name and kind.

    Args:
        role: The role.
        claims: The paths that the role claims.
        files: The opened files.
        full: Gives a path as `files` knows it.
        images: The images that lines of a text should name; None if there are none, or not all are known.
    """
    fits: dict[str, float] = {}
    with_rows: dict[str, float] = {}
    first = ("", "")
    unread = 0
    sample = _spread(claims)
    holds_rows = _holds_rows(role)
    enough = 2 if role.span == "shared" and not spells_own_name(role) else 1
    for path, _ in sample:
        document = files.document(role, full(path))
        if document.error:
            unread += 1
            first = first if first[1] else (path, document.error)
            continue
        f, reason, rows = _judge(role, document)
        if f is None and role.kind == "lines" and document.lines:
            break  # any text would fit
        if f and role.kind == "lines" and images is not None and not _lists_categories(role):
            share = named_share(role, document, images)
            f, reason = f * share, reason or ("" if share == 1 else "it names images that are not there")
        if f is not None:
            fits[path] = f
            if rows or not holds_rows:
                with_rows[path] = f
        if reason and not first[1]:
            first = (path, reason)
        if f is not None and f >= CLEAR and len(with_rows) == enough:
            break
    if not fits:
        return RoleFit(None, *first, unread=unread == len(sample))
    fit = _joined(with_rows or fits, first)  # a document without an object resembles many formats
    return fit._replace(strange=fit.strange | {path for path, f in fits.items() if f < FITS})


def _holds_rows(role: Role) -> bool:
    """Return whether a role's documents contain tables of objects, items or the like."""
    return role.kind in _TREES and bool(role.lists)


_TREES = ("json", "xml", "yaml", "pickle")
"""Kinds of documents whose fit is measured by keys, which also shows how many rows were compared."""


def strangers(claims: Sequence[Claim], names: Sequence[str], images: Sequence[Claim]) -> RoleFit | None:
    """Return that files of single items are something else if no image has the name of any of them; else None.

    `names` are the captures that make an item's name. Such files need not be opened.
    """
    known = {folded_names(captures, names) for _, captures in images}
    if any(folded_names(captures, names) in known for _, captures in claims):
        return None
    return RoleFit(0.0, claims[0][0], "no image has its name", strange=frozenset(path for path, _ in claims))


def folded_names(captures: Mapping[str, Any], names: Iterable[str]) -> tuple[str, ...]:
    """Return some captured names for comparing files, in lower case."""
    return tuple(str(captures.get(name)).casefold() for name in names)


def _last_parts(captures: Mapping[str, Any], names: Iterable[str]) -> tuple[str, ...]:
    """Return the names for comparing files, each without its folders."""
    return tuple(plain_spelling(name).rpartition("/")[2] for name in folded_names(captures, names))


def _joined(fits: Mapping[str, float], first: tuple[str, str]) -> RoleFit:
    good = [f for f in fits.values() if f >= FITS]
    strange = frozenset(path for path, f in fits.items() if f < FITS)
    judged = good or list(fits.values())
    return RoleFit(sum(judged) / len(judged), *first, strange=strange)


def _spread(claims: Sequence[Claim]) -> list[Claim]:
    """Return a few of a role's files with different names if possible, or else the first."""
    by_name: dict[str, Claim] = {}
    for claim in claims[:MANY]:
        by_name.setdefault(_DIGITS.sub("", claim[0]), claim)
    found = list(by_name.values())[:SAMPLE]
    return found + [claim for claim in claims[:SAMPLE] if claim not in found][: SAMPLE - len(found)]


def _lists_categories(role: Role) -> bool:
    """Return whether a role's rows are categories, which do not name images."""
    return any(TABLES[tables[0].each.table] == "category" for _, tables in role.lists)


def named_share(role: Role, document: Document, images: Sequence[Claim]) -> float:
    """Return the share of the first lines that name an existing image; 1 if lines name no image."""
    assert role.codec is not None and role.codec.shape is not None
    known: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
    named = joined = 0
    for line in document.text[:ROWS]:
        told = next((found for found in _told(role.codec.shape, line) if found), None)
        if told is None:
            continue
        names = tuple(sorted(name for name in told if name in images[0][1])) if images else tuple(sorted(told))
        if not names and images:
            continue
        if names not in known:
            known[names] = {folded_names(found, names) for _, found in images}
        far = any(far_segments(told[name]) for name in names)
        if far and (ends := (*names, "")) not in known:
            known[ends] = {_last_parts(found, names) for _, found in images}
        named += 1
        joined += _last_parts(told, names) in known[ends] if far else folded_names(told, names) in known[names]
    return joined / named if named else 1.0


def _told(shape: line_document.TextShape, line: str) -> Iterator[dict[str, str]]:
    """Yield the captures that a line states, for each template that it matches."""
    if isinstance(shape, line_document.LineShape):
        found = shape.template.match(line)
        if found is not None:
            leaves = shape.template.leaves
            yield {
                leaf.names[0]: found[field]
                for field, leaf in leaves.items()
                if isinstance(leaf, Bind) and len(leaf.names) == 1 and not leaf.calls and found.get(field)
                and leaf.names[0] in _NAMES
            }  # fmt: skip
    elif isinstance(shape, line_document.WordsShape):
        yield from _told(shape.line, line.partition(" ")[0])
    elif isinstance(shape, line_document.RowsShape):
        yield from _told(shape.row, line)
    elif isinstance(shape, line_document.OrderShape):
        for part in shape.parts:
            yield from _told(part, line)
    else:
        for _, part in shape.alternatives:
            yield from _told(part, line)


def _judge(role: Role, document: Document) -> tuple[float | None, str, int]:
    """Return how well a document fits its role, the first thing that does not fit, and how many rows were compared."""
    assert role.codec is not None
    rule = role.codec.rule
    if role.kind == "lines":
        return *_judge_lines(role, document), 0
    value = document.value
    if role.kind == "csv" and role.spec.style.header is False:
        return *_judge_cells(rule, role.scope, value), 0
    fit = fit_of(rule, role.scope, value, document.cut)
    return fit.f, fit.reason, fit.rows


def _judge_lines(role: Role, document: Document) -> tuple[float | None, str]:
    """Return the share of lines that fit; None if any text would fit, or if there is no line."""
    assert role.codec is not None and role.codec.shape is not None
    if not document.lines:
        return None, ""
    if not line_document.decode_lines(list(_ANY_LINES), role.codec.shape)[1]:
        return None, ""
    strays = document.strays
    reason = f"line {strays[0].line + 1}: {strays[0].why or strays[0].expected}" if strays else ""
    return max(0.0, 1 - len(strays) / document.lines), reason


def _judge_cells(rule: Rule, scope: Scope, rows: Any) -> tuple[float | None, str]:
    """Return the share of rows without a header whose cells may be what the rule says."""
    if not isinstance(rows, list) or not rows:
        return None, ""
    tests = [test for choice in rule.tables if (test := _cells_test(choice, scope)) is not None]
    if not tests:
        return None, ""
    fitting = sum(any(test(row) for test in tests) for row in rows[:ROWS])
    share = fitting / len(rows[:ROWS])
    return share, "" if share == 1 else "a row holds other cells"


def _cells_test(table: TableRule, scope: Scope) -> Callable[[Any], bool] | None:
    """Return a test of whether a row may belong to a table; None if its cells may all be any text."""
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
    """Return a test of whether a cell may be what a leaf says; None if it may be any text."""
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
    if len(types) < len(meanings) or (set(types) <= {"text", "texts", "json", "id"} and not leaf.calls):
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
        number_from_text(cell)
    except UnfitError:
        return cell == ""
    return True


def fit_of_label_images(
    role: Role, claims: Sequence[Claim], files: OpenedFiles, full: Callable[[str], str],
    image_of: Callable[[Mapping[str, Any]], str | None],
) -> RoleFit:  # fmt: skip
    """Check whether the first label images of a role fit it: by mode, by an image of their name, and by its size.

    `image_of` gives the image with a file's captures, if there is one.
    """
    fits: dict[str, float] = {}
    first = ("", "")
    unread = 0
    sample = sorted(claims[:MANY], key=lambda claim: not files.is_open(full(claim[0])))[:SAMPLE]
    for path, captures in sample:
        header = files.label_header(full(path))
        if header is None:
            unread += 1
            first = first if first[1] else (path, "its header cannot be read")
            continue
        if not fits_header(header, role.spec.image):
            fits[path] = 0.0
            first = first if first[1] else (path, f"it has another mode than {' or '.join(role.spec.image)}")
            continue
        image = image_of(captures)
        if image is None:
            continue
        info = files.image(full(image))
        same = info is None or role.spec.scaled or {info.width, info.height} == {header.width, header.height}
        fits[path] = 1.0 if same else 0.0
        if same:
            break
        if not same and not first[1]:
            first = (path, f"it is of another size than {image}")
    if fits:
        return _joined(fits, first)
    return RoleFit(None, *first, unread=unread == len(sample) and bool(sample))
