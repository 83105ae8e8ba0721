"""Decodes and reads an item's own documents and label images, and those of its objects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from formatspec.engine.base.faults import Fault, Record, other_encoding, other_parting, unread
from formatspec.engine.dataset.item.expected_files import expected_path, file_of_id, named_file, note_missing
from formatspec.engine.dataset.item.purpose import Purpose, Readers
from formatspec.engine.index.entries import Entry
from formatspec.engine.read.generate_lines import FastLines
from formatspec.engine.read.item_state import ItemState
from formatspec.engine.read.rows.merge_rows import Reader
from formatspec.engine.resolve.json_schema import schema_faults
from formatspec.engine.spec.compiled import Role
from formatspec.files import json_file
from formatspec.files.document import FileError
from formatspec.files.images import ImageError
from formatspec.model.limits import TooLargeError
from formatspec.model.records import Object
from formatspec.model.slots import find_slot
from formatspec.paths.trees.tree import Tree
from formatspec.pixels.painting import KeptRaster
from formatspec.pixels.png import Raster

if TYPE_CHECKING:
    from formatspec.engine.read.elements.fast_elements import FastElements


def read_item_file(
    role: Role, entry: Entry, tree: Tree, readers: Readers, state: ItemState, files: dict[str, list[str]],
    rasters: dict[str, Any], purpose: Purpose,
) -> None:  # fmt: skip
    """Read the file of a role that describes the whole item; `files` and `rasters` take what was read."""
    name, slot = role.name, f"path.{role.name}"
    path = entry.files[name][0][0] if name in entry.files else state.item.get(slot)
    if path is not None and name not in entry.files:
        path = named_file(path, role, tree, state)
    if path is None:
        note_missing(role, entry, state)
        return
    files[name] = [path]
    state.file, state.at = path, ()
    if state.plain is not None and (role.kind == "pixels" or role.codec is not None):
        state.materialize_records()
    if role.kind == "pixels":
        raster = _read_raster(role, path, tree, readers, state.item, state, purpose)
        if raster is not None and state.origin:
            rasters[role.name] = raster
        return
    if role.codec is None:
        return  # the spec does not describe the file's content
    if name in readers.lines and _are_plain(readers.lines[name], path, tree, state):
        return
    if name in readers.elements and _are_elements(
        readers.elements[name], role, path, tree, readers.documents[name], state
    ):
        return
    document = read_document(role, path, tree, state, purpose.checks or purpose.strict)
    if document is None:
        return
    if state.origin:
        state.documents[role.name] = document[0]
    state.faults += schema_faults(role.schema, document[0], path, role.place)
    readers.documents[role.name](document[0], state.item, state)


def _are_plain(lines: FastLines, path: str, tree: Tree, state: ItemState) -> bool:
    """Return whether the fast reader read a text as lines of numbers, with nothing to report."""
    try:
        return lines.take(tree.read(path), path, state)
    except (ValueError, OSError):  # the document reader reports this
        return False


def _are_elements(
    elements: FastElements, role: Role, path: str, tree: Tree, read: Reader, state: ItemState
) -> bool:  # fmt: skip
    """Return whether the fast reader of elements could read an XML file; it can if there is nothing to report."""
    codec = role.codec
    assert codec is not None
    try:
        data = tree.read(path)
    except (ValueError, OSError):  # which the reader of documents tells
        return False
    return elements.take(data, lambda text: codec.decode(text).document, read, path, (), state)


def keys_twice(role: Role, path: str, data: bytes) -> list[Fault]:
    """Return the repeated keys in mappings of a JSON file; a decoder keeps only the last of them."""
    if role.kind != "json":
        return []
    try:
        found = json_file.duplicate_keys(data)
    except (FileError, TooLargeError):
        return []
    words = "stands twice in one mapping, of which the last is read"
    return [
        Fault("DUPLICATE", path, pointer, role.place, f"the key {pointer[-1]!r} {words}", case="key")
        for pointer in found
    ]


def read_document(role: Role, path: str, tree: Tree, state: ItemState, keys: bool = False) -> tuple[Any] | None:
    """Read and decode a file. With `keys`, repeated keys are reported.

    Returns:
        A tuple with the document; None if it could not be read.
    """
    assert role.codec is not None
    try:
        data = tree.read(path)
        twice = keys_twice(role, path, data) if keys else []  # before the decoded document takes up memory
        decoded = role.codec.decode(data)
    except (FileError, ValueError, OSError) as error:
        state.faults.append(unread(error, path, role.place, "item"))
        return None
    state.faults += twice
    other = other_encoding(data, path, role.place, role.encodings)
    if other is not None:
        state.faults.append(other)
    state.faults += other_parting(decoded.parted, path, role.place)
    state.faults += (stray.fault(path, role.place, "item") for stray in decoded.strays)
    return (decoded.document,)


def _read_raster(
    role: Role, path: str, tree: Tree, readers: Readers, record: Record, state: ItemState, purpose: Purpose
) -> Raster | KeptRaster | None:
    reader = readers.rasters.get(role.name)
    if reader is None:
        return None
    state.file, state.at = path, ()
    try:
        data = tree.read(path)
        if purpose.pixels:
            return reader.read(data, record, state)
        reader.look(data, state)
    except (ImageError, ValueError, OSError) as error:
        state.faults.append(Fault("FILE_UNREADABLE", path, (), role.place, str(error), case="item"))
    return None


def is_without_files(role: Role, entry: Entry, objects: Iterable[Object]) -> bool:
    """Return whether no object has a file of a role, although each may have one that its id names."""
    by_id = role.optional and "id" in role.record_slots
    return by_id and role.name not in entry.files and all(thing.id is None for thing in objects)


def read_record_files(
    role: Role, entry: Entry, tree: Tree, readers: Readers, state: ItemState, files: dict[str, list[str]],
    rasters: dict[str, Any], purpose: Purpose, alone: bool,
) -> None:  # fmt: skip
    """Read the files of a role that each describe one object or one level; `files` takes their paths.

    With `alone`, nothing else lists objects, so each file makes one.
    """
    slots, names = role.record_slots, role.record_names
    # the captures of a path, in the order of `names`
    found = {tuple(captures.values()): path for path, captures in entry.files.get(role.name, ())}
    if slots == ("depth",) or slots == ("level",):
        for (level,), one in found.items():
            files.setdefault(role.name, []).append(one)
            state.captures[names[0]] = level
            raster = _read_raster(role, one, tree, readers, state.item, state, purpose)
            del state.captures[names[0]]
            if raster is not None and state.origin:
                rasters.setdefault(role.name, {})[one] = raster
        return
    if alone:
        _make_objects(role, found, tree, readers, state, files, purpose)
        return
    opened: list[str] = []
    slot = f"path.{role.name}"
    for record in state.tables.get("object", ()):
        key = tuple([record.get(one) for one in slots])
        listed = found.get(key)
        if role.is_named_by_object and record.get("id") is not None:
            listed = file_of_id(role, record["id"], tree)
        named: Any = record.get(slot) or listed
        path = named if named is None or named == listed else named_file(named, role, tree, state)
        expected = ""
        if path is None:
            own = {f"object.{s}": record.get(s) for s in slots}
            expected = named or expected_path(role, {**state.captures, **own})
            if not named and tree.exists(expected):  # the path names no item, so the object's id identifies the file
                path = expected
        if path is None:
            if not role.optional:
                where = record.get("$id_at", (record.get("$file", expected), ()))
                state.faults.append(
                    Fault("FILE_MISSING", where[0], where[1], role.place, f"its {role.name} file is missing", expected,
                          object=record.get("id"), case="object", about=record)
                )  # fmt: skip
            continue
        opened.append(path)
        if not purpose.pixels:  # without pixels, the file's name does not matter
            _read_raster(role, path, tree, readers, record, state, purpose)
            continue
        state.captures.update(zip(names, key, strict=True))
        raster = _read_raster(role, path, tree, readers, record, state, purpose)
        for name in names:
            del state.captures[name]
        if raster is not None and state.origin:
            record.setdefault("$rasters", {})[role.name] = raster
            record["$rasters"][f"path {role.name}"] = path
    if opened:
        files.setdefault(role.name, []).extend(opened)
    if purpose.checks and found:
        taken = set(opened)
        for path in found.values():
            if path not in taken:
                state.faults.append(Fault("FILE_ORPHAN", path, (), role.place, "no object names this file"))


def _make_objects(
    role: Role, found: Mapping[tuple[Any, ...], str], tree: Tree, readers: Readers, state: ItemState,
    files: dict[str, list[str]], purpose: Purpose,
) -> None:  # fmt: skip
    """Make an object from each file of a role; the path gives what no document states."""
    slots = role.record_slots
    objects = state.tables.setdefault("object", [])
    for key, path in found.items():
        files.setdefault(role.name, []).append(path)
        told = {slot: value for slot, value in zip(slots, key, strict=True) if not _is_derived(slot)}
        aside = ItemState(dict(state.captures), state.categories, state.origin)
        aside.env = state.env
        aside.item = dict(state.item)
        mask: Record = {}
        raster = _read_raster(role, path, tree, readers, mask, aside, purpose)
        state.faults += aside.faults
        made = aside.tables.get("object") or [mask]
        for record in made:
            record.update(told)
            record.setdefault("$file", path)
            record.setdefault("$at", ())
            if raster is not None and state.origin:
                record.setdefault("$rasters", {})[role.name] = raster
                record["$rasters"][f"path {role.name}"] = path
        objects += made


def _is_derived(slot: str) -> bool:
    found = find_slot("object", slot)
    return found is not None and found[1].derived
