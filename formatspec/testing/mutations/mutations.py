"""Mutations of a whole dataset, each with its role and file, and the expected verdict."""

from __future__ import annotations

import copy
import random
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

import numpy as np

from formatspec.engine.dataset.choose_layout import open_source
from formatspec.engine.dataset.dataset import OpenDataset
from formatspec.engine.dataset.item.purpose import Purpose
from formatspec.engine.index.entries import Entry
from formatspec.engine.spec.compiled import IMAGE, Format, Role
from formatspec.files.document import FileError
from formatspec.language.load import Source
from formatspec.language.rules import LineRule, MapRule, Rule, SequenceRule, TableRule, inside
from formatspec.model.plain.image_error import ImageError
from formatspec.pixels import containers
from formatspec.testing.memory import MemoryTree
from formatspec.testing.mutations.sites import MARK, Beside, Site, sites

Verdict = Literal["must be found", "legal by the format"]
FOUND: Verdict = "must be found"
LEGAL: Verdict = "legal by the format"
JSON_KEY = "a JSON key stands twice"
TRUNCATED = "a file is truncated"
EMPTY = "a file is empty"
NOT_UTF8 = "a text is not UTF-8"
OTHER_SIZE = "a label image is of another size"
UNKNOWN_VALUE = "a label image has an unknown value"
FILE_MISSING = "a required file is missing"
OPTIONAL_MISSING = "an optional file is missing"
ITEM_GONE = "an item is gone with all its files"
LINE_DROPPED = "a line is dropped"
CUT_AT_LINE = "a file is cut at a line's end"

Files = Mapping[str, bytes]


class Mutation(NamedTuple):
    """One change of one file: its kind, its expected verdict, and how it is made.

    `make` gives the mutated files; random numbers choose the details.
    """

    role: str
    kind: str
    verdict: Verdict
    file: str
    make: Callable[[Files, random.Random], dict[str, bytes] | None]
    pointer: str = ""


def mutations(source: Source, files: Files) -> list[Mutation]:
    """Return all mutations of a dataset with a known verdict."""
    dataset = open_source(source, MemoryTree(dict(files)), {}, Purpose(origin=True))
    return list(_mutations(dataset, files))


def _mutations(dataset: OpenDataset, files: Files) -> Iterator[Mutation]:
    beside = Beside(dataset.known.closed, False, _looks_up(dataset.form))
    for path in sorted(files):
        name = dataset.index.claimed.role(path.removeprefix(f"{dataset.prefix}/") if dataset.prefix else path)
        if name is None:
            continue
        role = dataset.form.roles[name]
        yield from _of_presence(dataset, role, path)
        if role.name == IMAGE and role.kind is None:
            if _entry_of(dataset, path) is not None:
                yield from _of_image(role, path, files[path])
        elif role.kind == "pixels":
            yield from _of_pixels(dataset, role, path, files[path])
        elif role.codec is not None:
            yield from _of_bytes(role, path, files[path])
            yield from _of_document(role, path, files[path], beside._replace(lines=role.kind == "lines"))


def _looks_up(form: Format) -> bool:
    """Return whether some rows are joined to objects of other files by their position, number or box."""
    found = (rule for role in form.documents for rule in _tables(role.document_rule))
    return any({"index", "number", "bbox"} & set(rule.each.by) for rule in found if rule.each.table == "objects")


def _tables(rule: Rule) -> Iterator[TableRule]:
    if isinstance(rule, TableRule):
        yield rule
    for one in inside(rule):
        yield from _tables(one)


def _replaced(path: str, data: bytes) -> Callable[[Files, random.Random], dict[str, bytes]]:
    return lambda files, rng: {**files, path: data}


def _changed(
    path: str, change: Callable[[bytes, random.Random], bytes | None]
) -> Callable[[Files, random.Random], dict[str, bytes] | None]:
    def make(files: Files, rng: random.Random) -> dict[str, bytes] | None:
        data = change(files[path], rng)
        return None if data is None or data == files[path] else {**files, path: data}

    return make


def _of_presence(dataset: OpenDataset, role: Role, path: str) -> Iterator[Mutation]:
    def without(files: Files, rng: random.Random) -> dict[str, bytes]:
        return {other: data for other, data in files.items() if other != path}

    if role.name == IMAGE:
        entry = _entry_of(dataset, path)
        if entry is None or role.optional:
            return
        told = any(name != IMAGE for name in entry.files) or dataset.index.rows.roles(entry)
        yield Mutation(role.name, FILE_MISSING if told else ITEM_GONE, FOUND if told else LEGAL, path, without)
    elif not role.optional and not _one_of_many(dataset, role):
        yield Mutation(role.name, FILE_MISSING, FOUND, path, without)
    elif role.optional and role.span == "item" and not role.kept:
        yield Mutation(role.name, OPTIONAL_MISSING, LEGAL, path, without)


def _entry_of(dataset: OpenDataset, path: str) -> Entry | None:
    """Return the item whose image a file is; None if it is no item's image."""
    own = path.removeprefix(f"{dataset.prefix}/") if dataset.prefix else path
    return next((one for one in dataset.entries if any(own == file for file, _ in one.files.get(IMAGE, ()))), None)


def _one_of_many(dataset: OpenDataset, role: Role) -> bool:
    """Return whether another file may state the same: another source of categories or of items."""
    sources = dataset.form.spec.categories
    listed = role.name in sources and len(sources) > 1
    items = dataset.form.spec.items
    return listed or (role.name in items and len(items) > 1)


def _of_image(role: Role, path: str, data: bytes) -> Iterator[Mutation]:
    yield Mutation(
        role.name, TRUNCATED, FOUND, path, _changed(path, lambda d, rng: d[: rng.randrange(1, len(d) * 2 // 3)])
    )
    yield Mutation(role.name, EMPTY, FOUND, path, _replaced(path, b""))


def _of_pixels(dataset: OpenDataset, role: Role, path: str, data: bytes) -> Iterator[Mutation]:
    if path.endswith(".txt"):
        return
    yield Mutation(
        role.name, TRUNCATED, FOUND, path, _changed(path, lambda d, rng: d[: rng.randrange(1, len(d) * 2 // 3)])
    )
    yield Mutation(role.name, EMPTY, FOUND, path, _replaced(path, b""))
    try:
        image = containers.decode(data)
    except (ImageError, ValueError):
        return
    if not path.endswith(".png"):
        return
    if not role.spec.scaled:
        yield Mutation(role.name, OTHER_SIZE, FOUND, path, _changed(path, lambda d, rng: _with_pixels(d, _doubled)))
    if dataset.form.lists_objects and _names_objects(role.rule):
        value = _unused(image.pixels)
        if value is not None:
            made = _changed(path, lambda d, rng: _with_pixels(d, lambda pixels: _dotted(pixels, value)))
            yield Mutation(role.name, UNKNOWN_VALUE, FOUND, path, made)


def _names_objects(rule: Rule | None) -> bool:
    tables = () if rule is None else rule.tables
    return bool(tables) and all(one.each.table == "objects" and one.each.by == ("id",) for one in tables)


def _doubled(pixels: Any) -> Any:
    return np.concatenate([pixels, pixels], axis=0)


def _unused(pixels: Any) -> Any:
    """Return a value of one channel that no pixel has."""
    if pixels.ndim != 2:
        return None
    free = sorted(set(range(1, 250)) - set(np.unique(pixels).tolist()))
    return free[-1] if free else None


def _dotted(pixels: Any, value: Any) -> Any:
    made = pixels.copy()
    made[:2, :2] = value
    return made


def _with_pixels(data: bytes, change: Callable[[Any], Any]) -> bytes | None:
    """Return a label image of the same mode with other pixels."""
    image = containers.decode(data)
    try:
        return containers.encode(change(image.pixels), image.mode, image.palette)
    except (ImageError, ValueError, TypeError, AttributeError):
        return None


def _of_bytes(role: Role, path: str, data: bytes) -> Iterator[Mutation]:
    assert role.codec is not None
    kind, text = role.kind, data.strip()
    if kind in ("json", "xml") and len(text) > 2:
        made = _changed(path, lambda d, rng: d[: rng.randrange(1, len(d.rstrip()) - 1)])
        yield Mutation(role.name, TRUNCATED, FOUND, path, made)
    if data and (kind in ("json", "xml") or _needs_something(role)):
        yield Mutation(role.name, EMPTY, FOUND, path, _replaced(path, b""))
    if text and all(_is_utf8(name) for name in role.spec.encoding):
        yield Mutation(role.name, NOT_UTF8, FOUND, path, _changed(path, _not_utf8))
    if kind == "json" and _JSON_KEY.search(data):
        yield Mutation(role.name, JSON_KEY, FOUND, path, _changed(path, _key_twice))
    rows = data.splitlines(keepends=True)
    head = 1 if kind == "csv" and role.spec.style.header is not False else 0
    if len(rows) > head + 1 and _is_free(role):
        yield Mutation(role.name, LINE_DROPPED, LEGAL, path, _changed(path, lambda d, rng: _without_line(d, rng, head)))
        yield Mutation(role.name, CUT_AT_LINE, LEGAL, path, _changed(path, lambda d, rng: _cut(d, rng, head)))


def _is_utf8(name: str) -> bool:
    return name.lower().replace("_", "-") in ("utf-8", "utf8", "utf-8-sig", "ascii")


def _needs_something(role: Role) -> bool:
    """Return whether an empty file lacks what its rule requires."""
    rule = role.document_rule
    if role.kind in ("yaml", "ini"):
        return isinstance(rule, MapRule) and any(not field.optional for field in rule.fields)
    if role.kind == "csv":
        return role.spec.style.header is not False
    first = role.rule.rules[0] if isinstance(role.rule, SequenceRule) else role.rule
    return role.kind == "lines" and isinstance(first, LineRule) and not first.optional


def _is_free(role: Role) -> bool:
    """Return whether a file holds rows of objects of which any number may be there."""
    tables = () if role.rule is None else role.rule.tables
    return (
        role.kind in ("lines", "csv", "jsonl")
        and bool(tables)
        and all(
            one.each.table == "objects" and not isinstance(one.row, SequenceRule) and not one.blocks for one in tables
        )
    )


_JSON_KEY = re.compile(rb'"[\w ]+"\s*:')


def _key_twice(data: bytes, rng: random.Random) -> bytes | None:
    found = rng.choice(list(_JSON_KEY.finditer(data)))
    return data[: found.start()] + found[0] + b"0," + data[found.start() :]


def _not_utf8(data: bytes, rng: random.Random) -> bytes:
    place = rng.randrange(len(data) + 1)
    return data[:place] + b"\xff\xfe" + data[place:]


def _without_line(data: bytes, rng: random.Random, head: int) -> bytes:
    rows = data.splitlines(keepends=True)
    del rows[rng.randrange(head, len(rows))]
    return b"".join(rows)


def _cut(data: bytes, rng: random.Random, head: int) -> bytes:
    rows = data.splitlines(keepends=True)
    return b"".join(rows[: rng.randrange(head + (head == 0), len(rows))])


def _of_document(role: Role, path: str, data: bytes, beside: Beside) -> Iterator[Mutation]:
    assert role.codec is not None
    try:
        document = role.codec.decode(data).document
    except FileError:
        return
    for site in sites(role.document_rule, document, role.scope, beside):
        if site.raw and role.kind != "json":
            continue
        made = _changed(path, lambda d, rng, site=site: _mutated(role, d, site))  # type: ignore[misc]
        pointer = "/".join(map(str, site.path))
        yield Mutation(role.name, site.kind, FOUND, path, made, pointer)


def _mutated(role: Role, data: bytes, site: Site) -> bytes | None:
    assert role.codec is not None
    try:
        document = copy.deepcopy(role.codec.decode(data).document)
        made = role.codec.encode(site.change(document))
        if site.raw:
            mark = repr(MARK).encode()
            return made.replace(mark, site.raw.encode()) if mark in made else None
        back = role.codec.decode(made)
    except (FileError, ValueError, KeyError, TypeError, IndexError):
        return None
    if role.kind == "lines" and not _stays_alone(back.document, site.path):
        return None
    return made


def _stays_alone(document: Any, path: tuple[str | int, ...]) -> bool:
    """Return whether no other alternative takes the mutated line."""
    for place, key in enumerate(path):
        if isinstance(document, dict) and place and isinstance(path[place - 1], int):
            taken = [name for name in document if re.fullmatch(r"a\d+", str(name))]
            if taken and taken != [key]:
                return False
        try:
            document = document[key]
        except (KeyError, IndexError, TypeError):
            return True
    return True
