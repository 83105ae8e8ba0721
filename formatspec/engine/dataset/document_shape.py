"""Chooses between two layouts that read the same file, by the shape of its document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from formatspec.engine.documents.role_codec import Decoded
from formatspec.engine.index.row_source import range_file, sought
from formatspec.engine.resolve.discriminators import row_test
from formatspec.engine.resolve.questions.may_lack import following_box, label_lists, lenient
from formatspec.engine.resolve.scope import Scope
from formatspec.engine.spec.compiled import Format, Role
from formatspec.files.document import FileError
from formatspec.files.rows import json_rows
from formatspec.language.leaf import Bind, Constant, Leaf
from formatspec.language.rules import (
    KEY,
    LeafRule,
    ListRule,
    MapRule,
    OneOf,
    Rule,
    TableRule,
    is_bare,
    is_places,
    says_nothing,
)
from formatspec.model.amounts import amounts
from formatspec.paths.trees.tree import Tree

_PLAIN = frozenset({"id", "int", "number", "text", "bool"})


def told_by_documents(forms: Sequence[Format]) -> frozenset[tuple[str, str]]:
    """Return the name and path of each role that several layouts have at one path, with different rules."""
    met: dict[tuple[str, str], Rule] = {}
    found: set[tuple[str, str]] = set()
    for form in forms:
        for name, role in form.roles.items():
            if role.codec is None or role.kind == "pixels":
                continue
            rule = met.setdefault((name, role.spec.path), role.codec.rule)
            if rule != role.codec.rule:
                found.add((name, role.spec.path))
    return frozenset(found)


def has_another_shape(role: Role, path: str, tree: Tree) -> bool:
    """Return whether a document lacks what the role's rule requires, or has lists where the rule has mappings.

    For text, return whether a line fits no template.
    """
    try:
        decoded = beginning(role, path, tree)
    except (FileError, ValueError, OSError):
        return False
    assert role.codec is not None
    return bool(decoded.strays) or differs(role.codec.rule, role.scope, decoded.document)


def beginning(role: Role, path: str, tree: Tree) -> Decoded:
    """Return a file of a role, decoded; of a large file only the first rows of each list.

    Raises:
        FileError, ValueError, OSError: As `Tree.read` and the role's codec do.
    """
    assert role.codec is not None
    if role.codec.seen is not None and tree.size(path) > amounts().large_document:
        try:
            return Decoded(role.codec.seen(json_rows.beginning(range_file(tree, path).stream(), amounts().first_rows)))
        except json_rows.NotRowsError:
            pass
    return role.codec.decode(beginning_of_xml(path, tree) if role.kind == "xml" else tree.read(path))


def beginning_of_xml(path: str, tree: Tree) -> bytes:
    """Return an XML file's bytes; of a large file, those of a document with the first child element of each tag.

    Raises:
        OSError: The file cannot be read.
        ValueError: As `Tree.read` does.
    """
    if tree.size(path) > amounts().large_document:
        from formatspec.files.rows import xml_rows  # the parsers are loaded only if there is such a file

        try:
            return xml_rows.beginning(range_file(tree, path).stream(), amounts().first_rows)
        except json_rows.NotRowsError:
            pass
    return tree.read(path)


def _has_rows(rule: TableRule, scope: Scope, value: dict[str, Any]) -> bool:
    """Return whether the first value in a mapping may be a row of a table whose rows stand under keys."""
    key, part = next(iter(value.items()), (None, None))
    if key is None or is_bare(rule.row):
        return not isinstance(part, dict | list)
    return isinstance(part, dict) and not differs(rule.row, scope.inside(rule.each.table), {KEY: key, **part})


def in_parts(role: Role, path: str, tree: Tree) -> Iterator[Any]:
    """Yield the document of a file; of a large file several documents, each with some of the rows.

    Raises:
        FileError, ValueError, OSError: As `Tree.read` and the role's codec do.
    """
    assert role.codec is not None
    if role.codec.sought and tree.size(path) > amounts().large_document:
        noted: dict[tuple[str, ...], tuple[str, ...]] = {at: () for at, _ in role.lists}
        try:
            around, tables = sought(range_file(tree, path), noted, role.codec.elements)
        except json_rows.NotRowsError:
            around, tables = None, {}
        if tables and role.kind == "xml":
            yield around  # this document holds the tables that lie deeper
        for at, rows in tables.items():
            for _, batch in rows.batches(None):
                document: Any = list(batch)
                for key in reversed(at):
                    document = {key: document}
                yield document
        if tables:
            return
    yield role.codec.decode(tree.read(path)).document


def differs(rule: Rule, scope: Scope, value: Any) -> bool:
    """Return whether a value lacks what a rule requires, or is a list where the rule has a mapping or vice versa."""
    if isinstance(rule, MapRule):
        lists = label_lists(rule) if scope.kind == "dataset" else None
        if lists is not None and isinstance(value, dict) and lists.lacks(value):
            rule = lenient(rule, lists.keys)
        box = following_box(rule) if scope.kind == "object" else None
        if not isinstance(value, dict) or not row_test(rule, scope, box)(value):
            return True
        inner = scope.below()
        parts = ((field.rule, value[key]) for field in rule.fields for key in field.keys if key in value)
        return any(differs(part, inner, found) for part, found in parts if found is not None)
    if isinstance(rule, OneOf):
        return all(differs(choice, scope, value) for choice in rule.alternatives)
    if isinstance(rule, TableRule) and not rule.each.folded:
        if not isinstance(value, list):  # rows below a key that an option names are still in their mapping
            return not (isinstance(value, dict) and rule.keyed and _has_rows(rule, scope, value))
        if value and not isinstance(value[0], dict) and (is_bare(rule.row) or is_places(rule.row)):
            return is_places(rule.row) and not isinstance(value[0], list)
        inner = scope.inside(rule.each.table)
        return bool(value) and differs(rule.row, inner, next((row for row in value if not says_nothing(row)), value[0]))
    if isinstance(rule, LeafRule):
        return isinstance(value, dict | list) and _is_plain(rule.leaf, scope)
    return isinstance(rule, ListRule) and not isinstance(value, list)


def _is_plain(leaf: Leaf, scope: Scope) -> bool:
    """Return whether a leaf holds a constant, a text or a number, which no mapping and no list is."""
    if isinstance(leaf, Constant):
        return not isinstance(leaf.value, dict | list)
    if not isinstance(leaf, Bind) or leaf.calls or len(leaf.names) != 1:
        return False
    meaning = scope.meaning(leaf.names[0])
    return meaning is not None and meaning.where == "record" and meaning.type in _PLAIN
