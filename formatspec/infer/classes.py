"""Finds files that list classes, with ids or colours if they have some."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from formatspec.infer import words
from formatspec.infer.evidence import Found, keys_of, number
from formatspec.infer.names import Layout
from formatspec.infer.nodes import Entry, Mapping, Node, Rows, Verbatim
from formatspec.infer.rules.class_entries import ClassDrafter
from formatspec.infer.tables import Table, sniffed

_HINT = re.compile(r"(?i)class|label|names|categor|legend|palette|synset|colou?r|map|obj|tax|types")
_COLOUR_LINE = re.compile(r"\s*(\d{1,3})([\s,]+)(\d{1,3})[\s,]+(\d{1,3})[\s,]+(\S.*)")
_HEX = re.compile(r"#[0-9a-fA-F]{6}")


class Listing(msgspec.Struct, frozen=True):
    """A file that lists classes.

    Attributes:
        path: The file.
        kind: How the file is read: a word of the language.
        node: The rule of the file.
        classes: The id and the name of each class; the id is None if the file states none, and then its position
            counts.
        colors: The colour of each, if it has one.
        style: Entries of the role besides its rule.
        sure: How likely it is that the file lists classes.
        numbered: Whether the file itself numbers the classes from 0.
    """

    path: str
    kind: str
    node: Node
    classes: tuple[tuple[Any, str], ...]
    colors: tuple[Any, ...] = ()
    style: tuple[Entry, ...] = ()
    sure: float = 0.0
    numbered: bool = False


def listings(documents: Sequence[Found]) -> list[Listing]:
    """Return the files that may list classes, the likeliest first."""
    found = []
    for one in documents:
        listing = _listing(one)
        if listing is not None and listing.classes:
            hint = 1.0 if _HINT.search(one.path.rpartition("/")[2]) else 0.0
            found.append(msgspec.structs.replace(listing, sure=hint + listing.sure))
    return sorted(found, key=lambda one: -one.sure)


def _listing(one: Found) -> Listing | None:
    if one.kind == "lines":
        return _of_lines(one)
    if one.kind == "xml":
        return _of_xml(one)
    if one.kind in ("json", "yaml"):
        return _of_document(one)
    return None


def _of_lines(one: Found) -> Listing | None:
    lines = [line for line in one.value if line.strip()]
    told = [line for line in lines if not line.startswith("#")]
    matches = [_COLOUR_LINE.fullmatch(line) for line in told]
    style = (Entry("comment", "#"),) if len(told) < len(lines) else ()
    if told and all(matches):
        colors = tuple((int(m[1]), int(m[3]), int(m[4])) for m in matches if m)
        listed = tuple((None, m[5].strip()) for m in matches if m)
        mark = matches[0][2] if matches[0] else " "
        joined = " | joined(',', numbers)" if "," in mark else " | numbers(3)"
        after = "," if "," in mark else " "
        if len(set(colors)) < len(colors):
            return None
        line = f"{{color{joined} else palette(index + 1)}}{after}{{name}}"
        return Listing(one.path, "lines", _lines_rule(line), listed, colors, style, 1.0)
    table = _of_table(one, told)
    if table is not None:
        return table
    names = tuple(line.strip() for line in told)
    simple = all(0 < len(name) <= 60 for name in names) and not all(number(name) is not None for name in names)
    if names and simple and len(set(names)) == len(names) and not any(re.search(r"[,;\t=]|\s\d", n) for n in names):
        return Listing(one.path, "lines", _lines_rule("{name}"), tuple((None, n) for n in names), (), style, 0.2)
    numbered = [re.fullmatch(r"(\d+)([\s,:]+)(\S.*)", line) for line in told]
    if told and all(numbered):
        marks = {m[2] for m in numbered if m}
        ids = [int(m[1]) for m in numbered if m]
        if len(marks) == 1 and len(set(ids)) == len(ids):
            node = _lines_rule(f"{{id:d}}{marks.pop()}{{name}}", "categories by id")
            pairs = tuple((int(m[1]), m[3].strip()) for m in numbered if m)
            return Listing(one.path, "lines", node, pairs, (), style, 0.5)
    return None


def _lines_rule(line: str, each: str = "categories") -> Node:
    return Rows(each, (Entry("lines", line),), bare=True)


def _of_table(one: Found, lines: Sequence[str]) -> Listing | None:
    """Read a table with a header: a column of names, and ids or colours."""
    table = sniffed(lines)
    if table is None or table.blank:
        return None
    rows = table.mappings()
    columns = list(table.columns)
    name = next((c for word in words.NAMES for c in columns if words.folded(c) == word), None) if table.header else None
    if not table.header:
        return _numbered_table(one, table) if len(columns) == 2 else None
    if name is None:
        return None
    names = [row.get(name, "") for row in rows]
    if not all(names) or len(set(names)) < len(names):
        return None
    plain = {words.folded(c): c for c in columns}
    entries = [Entry(name, "name")]
    colors: tuple[Any, ...] = ()
    ids: list[Any] = [None] * len(rows)
    reds = [plain.get(key) or plain.get(full) for key, full in (("r", "red"), ("g", "green"), ("b", "blue"))]
    if all(reds):
        keys = [str(key) for key in reds]
        entries.append(Entry(", ".join(keys), "color else palette(index + 1)"))
        colors = tuple(tuple(int(float(row[key])) for key in keys) for row in rows)
    ident = next((c for c in columns if words.folded(c) in ("id", "classid", "index", "value", "labelid")), None)
    told = [number(row.get(ident)) for row in rows] if ident is not None else []
    if ident is not None and None not in told and len(set(told)) == len(told):
        entries.append(Entry(ident, "id else index + 1"))
        ids = [int(one) for one in told if one is not None]
    if not colors and None in ids:
        return None
    known = {part for entry in entries for part in entry.key.split(", ")}
    entries += [Entry(f"{c}?", "keep") for c in columns if c not in known]
    each = "categories" if None in ids else "categories by id"
    style = (Entry("style", Mapping(table.style)),) if table.style else ()
    listed = tuple(zip(ids, names, strict=True))
    return Listing(one.path, "csv", Rows(each, tuple(entries), bare=True), listed, colors, style, 1.0)


def _numbered_table(one: Found, table: Table) -> Listing | None:
    """Read a table without a header, with a column of names and one of numbers."""
    rows, columns = table.mappings(), table.columns
    numeric = [c for c in columns if all(number(row[c]) is not None for row in rows)]
    if len(numeric) != 1:
        return None
    name = next(c for c in columns if c not in numeric)
    ids = [int(float(row[numeric[0]])) for row in rows]
    names = [row[name] for row in rows]
    if len(set(ids)) < len(ids) or len(set(names)) < len(names):
        return None
    entries = tuple(Entry(c, "name" if c == name else "id") for c in columns)
    style = (Entry("style", Mapping((Entry("header", Verbatim("false")), *table.style))),)
    rule = Rows("categories by id", entries, bare=True)
    return Listing(one.path, "csv", rule, tuple(zip(ids, names, strict=True)), (), style, 0.5)


def _of_xml(one: Found) -> Listing | None:
    """Read elements of one name with a class name, as text or attribute, and a code."""
    for root, inner in one.value.items():
        if not isinstance(inner, dict):
            return None
        for tag, children in inner.items():
            rows = children if isinstance(children, list) else [children]
            if not all(isinstance(row, dict) and "#" in row and "@" in row and len(row) == 2 for row in rows):
                continue
            ident = next(iter(rows[0]["@"]), None)
            ids = [row["@"].get(ident) for row in rows]
            names = [row["#"] for row in rows]
            if ident is None or None in ids or len(set(ids)) < len(ids) or len(set(names)) < len(names):
                continue
            keys = (Entry("@", Mapping((Entry(ident, "id | spelled else index + 1"),))), Entry("#", "name"))
            each = Rows("categories by id", keys)
            return Listing(
                one.path, "xml", Mapping((Entry(root, Mapping((Entry(tag, each),))),)),
                tuple(zip(ids, names, strict=True)), (), (), 0.5,
            )  # fmt: skip
    return None


def _of_document(one: Found) -> Listing | None:
    value = one.value
    if isinstance(value, list):
        return _of_list(one, value, lambda node: node)
    if not isinstance(value, dict) or not value:
        return None
    direct = _of_names(one, value, lambda node: node)
    if direct is not None:
        return direct
    for key, inner in value.items():
        if words.folded(str(key)) not in words.LISTS:
            continue

        def wrap(node: Node, key: Any = key) -> Node:
            rest = (Entry("*", "keep"),) if len(value) > 1 else ()
            return Mapping((Entry(str(key), node), *rest))

        if isinstance(inner, list):
            found = _of_list(one, inner, wrap)
        else:
            found = _of_names(one, inner, wrap) if isinstance(inner, dict) else None
        if found is not None:
            return found
    return None


def _of_list(one: Found, value: list[Any], wrap: Any) -> Listing | None:
    if value and all(isinstance(part, str) for part in value) and len(set(value)) == len(value):
        return Listing(one.path, one.kind, wrap("categories.name"), tuple((None, part) for part in value), (), (), 0.5)
    if value and all(isinstance(part, dict) for part in value):
        counts = keys_of(value)
        name = next((k for w in words.NAMES for k in counts if words.folded(k) == w and counts[k] == len(value)), None)
        names = [part.get(name) for part in value] if name else []
        if name is None or not all(isinstance(part, str) for part in names) or len(set(names)) < len(names):
            return None
        builder = ClassDrafter(Layout((), "", 0, ()), (), False)
        rows = builder.class_rows(value, name)
        color = next((k for k in counts if words.folded(k) in ("color", "colour", "rgb")), None)
        colors = tuple(_color(part.get(color)) for part in value) if color else ()
        return Listing(one.path, one.kind, wrap(rows), tuple(builder.listed), colors, (), 0.5)
    return None


def _of_names(one: Found, value: dict[Any, Any], wrap: Any) -> Listing | None:
    keys, parts = list(value), list(value.values())
    if all(isinstance(part, str) for part in parts):
        if all(_HEX.fullmatch(part) for part in parts):
            rule = Rows("categories by name", (Entry("#", "color | hexadecimal else palette(index + 1)"),), bare=True)
            colors = tuple(_color(part) for part in parts)
            node = wrap(Mapping((Entry("{name}", rule),)))
            return Listing(one.path, one.kind, node, tuple((None, str(key)) for key in keys), colors, (), 1)
        places = [number(key) for key in keys]
        if None not in places and len(set(parts)) == len(parts):
            ids = [int(place) for place in places if place is not None]
            if ids == list(range(len(ids))):
                node = wrap("categories.name | index_map")
                return Listing(one.path, one.kind, node, tuple((None, part) for part in parts), (), (), 0.8, True)
            rule = Rows("categories by id", (Entry("#", "name"),), bare=True)
            node = wrap(Mapping((Entry("{id:d}", rule),)))
            return Listing(one.path, one.kind, node, tuple(zip(ids, parts, strict=True)), (), (), 0.8)
    if all(isinstance(part, int) and not isinstance(part, bool) for part in parts) and len(set(parts)) == len(parts):
        rule = Rows("categories by id", (Entry("#", "id else index + 1"),), bare=True)
        node = wrap(Mapping((Entry("{name}", rule),)))
        return Listing(one.path, one.kind, node, tuple(zip(parts, map(str, keys), strict=True)), (), (), 0.6)
    if all(isinstance(p, list) and len(p) == 3 and all(isinstance(x, int) and x < 256 for x in p) for p in parts):
        rule = Rows("categories by name", (Entry("#", "color else palette(index + 1)"),), bare=True)
        node = wrap(Mapping((Entry("{name}", rule),)))
        return Listing(
            one.path, one.kind, node, tuple((None, str(key)) for key in keys), tuple(map(tuple, parts)), (), 1
        )  # fmt: skip
    return None


def _color(value: Any) -> Any:
    if isinstance(value, str) and _HEX.fullmatch(value):
        return tuple(int(value[i : i + 2], 16) for i in (1, 3, 5))
    return tuple(value) if isinstance(value, list) else None
