"""Which spec describes a tree: every spec is tried, and says why it does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from formatspec.engine.dataset.dataset import roots
from formatspec.engine.index.build_index import claims, sampled
from formatspec.engine.index.row_source import range_file, rows_at
from formatspec.engine.label_images.reader import fits_header
from formatspec.engine.resolve.discriminators import may_be_absent, row_test
from formatspec.engine.spec.compiled import IMAGE, Format, Role, compile_format
from formatspec.engine.spec.tables import first_of, tables_in
from formatspec.files import json_rows
from formatspec.files.document import FileError
from formatspec.files.images import ImageError
from formatspec.language.errors import SpecError
from formatspec.language.load import Source
from formatspec.language.rules import MapRule
from formatspec.paths.tree import Tree
from formatspec.pixels import containers

SAMPLE = 3
"""Files of each role that are opened."""
LARGE = 1 << 22
"""Bytes. Of larger JSON files only the first rows of each list are decoded."""
FIRST = 16
"""Rows of a list that are decoded."""
ENOUGH = 0.5
"""Documents that were opened and fit tell more than names do, if at least this share of the files is claimed."""


class Samples(msgspec.Struct):
    """What was looked at and is for the next spec too: files by the root they were sampled below; the beginnings of
    large files, None for what has none."""

    samples: dict[str, Sequence[str]] = msgspec.field(default_factory=dict)
    beginnings: dict[str, Any] = msgspec.field(default_factory=dict)


class Match(msgspec.Struct, frozen=True):
    """How well a spec fits a tree. `reason` says why it does not fit at all; `lacking`: roles without a file."""

    name: str
    score: tuple[float, ...]
    reason: str = ""
    ancestors: tuple[str, ...] = ()
    lacking: int = 0


def detect(sources: Mapping[str, Source], tree: Tree) -> list[Match]:
    """Every spec's match, the best first; of two that are equal, the one that extends the other.

    Where files alone do not decide, the spec of which the least is missing fits better; one that extends another
    is not held to miss more than that.
    """
    looked = Samples()
    tried = {source.name: _tried(source, tree, looked) for source in sources.values()}
    found = [
        _with_lacking(match, [tried[name] for name in match.ancestors if name in tried]) for match in tried.values()
    ]
    return sorted(found, key=lambda m: (bool(m.reason), *(-part for part in m.score), -len(m.ancestors), m.name))


def _with_lacking(match: Match, ancestors: list[Match]) -> Match:
    """A match whose score ends with what is missing."""
    alike = [match, *(other for other in ancestors if not other.reason and other.score == match.score)]
    return match if match.reason else replace(match, score=(*match.score, -float(min(m.lacking for m in alike))))


def best(matches: list[Match]) -> list[Match]:
    """The matches that nothing beats: more than one only where specs tie that do not extend one another."""
    fitting = [match for match in matches if not match.reason]
    if not fitting:
        return []
    top = [match for match in fitting if match.score == fitting[0].score]
    return [m for m in top if not any(m.name in other.ancestors for other in top)]


def _tried(source: Source, tree: Tree, looked: Samples) -> Match:
    """A spec's match; one that cannot be compiled fits nothing, and stands in nobody's way."""
    try:
        return _best(source, tree, looked)
    except SpecError as error:
        return Match(source.name, (), f"its spec cannot be used: {error.problems[0]}", source.ancestors)


def _best(source: Source, tree: Tree, looked: Samples) -> Match:
    reason = f"there is no folder {' or '.join(source.spec.root)}"
    found: Match | None = None
    for layout in source.layouts:
        form = compile_format(source, layout)
        for prefix in roots(form, tree):
            score, lacking, why = _score(form, tree.under(prefix) if prefix else tree, looked)
            if why:
                reason = why
            elif found is None or (score, -lacking) > (found.score, -found.lacking):
                found = Match(source.name, score, "", source.ancestors, lacking)
    return found or Match(source.name, (), reason, source.ancestors)


def _score(form: Format, tree: Tree, looked: Samples) -> tuple[tuple[float, ...], int, str]:
    """How well a layout fits, how many roles have no file, or why it does not fit."""
    if tree.root not in looked.samples:
        looked.samples[tree.root] = sampled(tree.paths())
    paths = [path for path in looked.samples[tree.root] if not form.ignored(path)]
    claimed, unclaimed, _ = claims(form, paths)
    documents = 0
    for name, role in form.roles.items():
        found = claimed[name]
        if not found:
            if not role.optional and not role.folder and not _may_be_empty(role, form):
                return (), 0, f"no file is {role.spec.path} ({name})"
            continue
        if role.kind is None:
            continue
        why = _opens(role, [path for path, _ in found[:SAMPLE]], tree, looked)
        if why:
            return (), 0, why
        documents += 1
    if not any(claimed.values()):
        return (), 0, "it claims no file"
    sources = [name.partition(".")[0] for name in form.spec.items]
    if not any(claimed[name] for name in sources):
        return (), 0, f"no file is {' or '.join(form.roles[name].spec.path for name in sources)} ({', '.join(sources)})"
    items = sum(len(claimed[name]) for name in form.roles if name == IMAGE)
    if not items and not documents:
        return (), 0, "no file is an image or a document of it"
    share = 1 - len(unclaimed) / max(len(paths), 1)
    literal = sum(
        role.template.literal_count - _unspelled(role, captures)
        for name, role in form.roles.items()
        for _, captures in claimed[name]
    ) / max(sum(len(found) for found in claimed.values()), 1)
    held = sum(1 for found in claimed.values() if found)
    opened = documents > 0 and share >= ENOUGH
    lacking = sum(1 for name, role in form.roles.items() if not claimed[name] and not role.kept and not role.folder)
    return (float(opened), round(share, 2), float(documents), float(held), round(literal, 3)), lacking, ""


def _unspelled(role: Role, captures: Mapping[str, Any]) -> int:
    """Slashes of a path's template that this path lacks, since no folder stands where one may."""
    return sum(1 for name, value in captures.items() if value == "" and role.scope.captures.get(name) == "path?")


def _may_be_empty(role: Role, form: Format) -> bool:
    """Whether a role's files need not be there though it is required: those of parts, where nothing has any."""
    return role.span == "record" or (role.name == IMAGE and any("." in name for name in form.spec.items))


def _opens(role: Role, paths: list[str], tree: Tree, looked: Samples) -> str:
    """Why the first files of a role are not what they should be; nothing if one of them is."""
    why = ""
    for path in paths:
        why = _opens_one(role, path, tree, looked)
        if not why:
            return ""
    return why


def _opens_one(role: Role, path: str, tree: Tree, looked: Samples) -> str:
    try:
        beginning = _beginning(role, path, tree, looked)
        if beginning is not None:
            return shape_differs(role, beginning, path)
        data = tree.read(path)
        if role.kind == "pixels":
            header = containers.read_header(data)
            return "" if fits_header(header, role.spec.image) else f"{path} has another mode than {role.spec.image}"
        assert role.codec is not None
        decoded = role.codec.decode(data)
    except (FileError, ImageError, ValueError, OSError) as error:
        return f"{path}: {error}"
    lines = sum(1 for line in data.splitlines() if line.strip())
    if decoded.strays and 2 * len(decoded.strays) > lines:
        return f"{path}: {decoded.strays[0].expected}"
    return shape_differs(role, decoded.document, path)


def _beginning(role: Role, path: str, tree: Tree, looked: Samples) -> Any:
    """The document of a large JSON file without most of its rows; None where it is none, or small.  Raises OSError."""
    if role.codec is None or role.codec.seen is None or tree.size(path) <= LARGE:
        return None
    place = f"{tree.root}/{path}"
    if place not in looked.beginnings:
        try:
            looked.beginnings[place] = json_rows.beginning(range_file(tree, path).stream(), FIRST)
        except json_rows.NotRowsError:
            looked.beginnings[place] = None
    return None if looked.beginnings[place] is None else role.codec.seen(looked.beginnings[place])


def shape_differs(role: Role, document: Any, path: str) -> str:
    """Why a document is not shaped like its rule: the first required key that is not there."""
    assert role.codec is not None
    rule = role.codec.rule
    if isinstance(rule, MapRule):
        if not isinstance(document, dict):
            return f"{path} is no mapping"
        if not row_test(rule, role.scope)(document):
            fields = [field for field in rule.fields if not may_be_absent(field, role.scope)]
            lacking = [key for field in fields for key in field.keys if key not in document]
            return f"{path} has no {lacking[0]!r}" if lacking else f"{path} has other constants"
    for at, table in tables_in(rule, ()):
        rows = rows_at(document, at)
        if rows:
            choices = table.alternatives if not hasattr(table, "row") else (table,)
            if not any(row_test(choice, role.scope)(rows[0]) for choice in choices):
                lacking = sorted(_required(first_of(table)) - set(rows[0] if isinstance(rows[0], dict) else ()))
                return f"{path}: a row has no {lacking[0]!r}" if lacking else f"{path}: a row is another"
    return ""


def _required(table: Any) -> set[str]:
    row = table.row
    return {k for field in getattr(row, "fields", ()) if not field.optional for k in field.keys}
