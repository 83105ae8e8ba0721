"""One item, read: all its documents and label images in turn, put together to a record of the model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from os import PathLike
from typing import Any

import msgspec
from msgspec.structs import replace

from formatspec.codecs.registry import Env
from formatspec.engine.base.faults import DocumentPath, Fault, Record
from formatspec.engine.dataset.item.link_overlap import link
from formatspec.engine.documents.role_codec import encoding_used
from formatspec.engine.index.entries import Entry
from formatspec.engine.index.row_ownership import Again, RowOwnership, Run, SharedFile, Table
from formatspec.engine.label_images.reader import RasterReader
from formatspec.engine.read.build_item import as_read, item_of
from formatspec.engine.read.generate_rows import FastRows
from formatspec.engine.read.item_state import ItemState
from formatspec.engine.read.projection import Decode, RowSource
from formatspec.engine.read.rows.merge_rows import OBJECTS_BY_ID, Reader, RowReader, said_twice
from formatspec.engine.read.rows.table_row import read_row
from formatspec.engine.resolve.json_schema import schema_faults
from formatspec.engine.spec.compiled import IMAGE, Format, Role
from formatspec.engine.splits.id_scopes import IDS, Splits
from formatspec.engine.splits.turns import Turns
from formatspec.files import json_file
from formatspec.files.document import FileError
from formatspec.files.images import ImageError, ImageInfo, probe, probe_ends, probe_file, probe_whole
from formatspec.model.limits import TooLargeError, check_size
from formatspec.model.records import Item, Origin
from formatspec.model.region import Region
from formatspec.paths.trees.tree import Tree
from formatspec.pixels.png import Raster


class Readers(msgspec.Struct, frozen=True):
    """The compiled readers of a format for one purpose.

    decoders: how much of a table's rows is decoded; plain: how rows that are as the spec has them are read.
    """

    documents: Mapping[str, Reader]
    rasters: Mapping[str, RasterReader]
    tables: Mapping[str, tuple[Table, ...]]
    decoders: Mapping[tuple[str, tuple[str, ...]], Decode | None]
    plain: Mapping[tuple[str, tuple[str, ...]], FastRows]
    wanted_roles: frozenset[str]


class Purpose(msgspec.Struct, frozen=True):
    """What is read: whether source rows are kept, image headers looked at, every check made, pixels decoded.

    whole: images are looked at up to their ends.
    classes: the names of the classes by their numbers from 0, where the user states them.
    """

    origin: bool = False
    headers: bool = True
    checks: bool = True
    media_required: bool = True
    pixels: bool = True
    whole: bool = False
    classes: tuple[str, ...] = ()


class Assembled(msgspec.Struct):
    """An item with what was found wrong with it; `item` is None where nothing could be made of it."""

    key: str
    item: Item | None
    faults: list[Fault]
    files: dict[str, list[str]]
    told: dict[int, dict[str, Region]]
    deferred: list[Any]
    state: ItemState


def read_entry(
    form: Format, readers: Readers, entry: Entry, joined: RowOwnership, tree: Tree, splits: Splits, purpose: Purpose,
    complete: int = 1,
) -> Assembled:  # fmt: skip
    """Read one item.  One that asks for more than a limit allows is no item, with a fault that says so.

    complete: how many of the dataset's items have their image.
    """
    state = ItemState(dict(entry.names), splits.of(entry.names), purpose.origin)
    state.refers, state.lists = form.names_objects, form.lists_objects
    files: dict[str, list[str]] = {}
    try:
        return _read_entry(form, readers, entry, joined, tree, splits, purpose, state, files, complete)
    except (TooLargeError, MemoryError) as error:
        file, path = state.file or next((paths[0] for paths in files.values()), ""), state.at
        state.fault("IMAGE_SIZE", path, None, str(error) or "this needs more memory than there is")
        state.faults[-1] = state.faults[-1]._replace(file=file)
        return Assembled(entry.key, None, state.faults, files, {}, [], state)


def _read_entry(
    form: Format, readers: Readers, entry: Entry, joined: RowOwnership, tree: Tree, splits: Splits, purpose: Purpose,
    state: ItemState, files: dict[str, list[str]], complete: int,
) -> Assembled:  # fmt: skip
    turns = Turns(splits, entry.names, entry.shared.get(IDS))
    rasters: dict[str, Any] = {}
    _item_names(form, entry, state)
    if joined.values_of is not None:
        _shared_values(joined.values_of(entry), state)
    runs: dict[str, list[Run]] = {}
    for run in joined.of(entry):
        runs.setdefault(run.part.table.role, []).append(run)
    _read_image(form, entry, runs, tree, state, purpose, files, complete)
    for name, role in form.roles.items():
        if name == IMAGE and role.kind is None:
            continue
        if role.span == "shared":
            if name in runs:
                _read_rows(role, runs[name], readers, turns, state)
        elif _is_read(name, readers, purpose):
            state.materialize_records()
            if role.span == "item":
                _read_item_file(role, entry, tree, readers, state, files, rasters, purpose)
            else:
                _read_record_files(role, entry, tree, readers, state, files, rasters, purpose)
        elif role.span == "item" and name not in entry.files and not _named(role, tree, state):
            _missing(role, entry, state)
    _look_inside(state, purpose, IMAGE in files)
    _name_image(form, state)
    if "area" in state.tables:
        state.materialize_records()
    item = item_of(entry.key, state)
    told = _link_overlaps(item, state)
    if purpose.origin:
        _keep_origin(item, state, rasters, splits.several)
    return Assembled(entry.key, item, state.faults, files, told, state.deferred, state)


def _shared_values(files: Iterable[SharedFile], state: ItemState) -> None:
    """Take what shared documents say of all their items."""
    for file in files:
        for slot, value in file.values.items():
            if slot not in state.item:
                state.item[slot] = value
                state.first[slot] = file.path
    state.sized()


def files_read(entry: Entry, readers: Readers, purpose: Purpose) -> Iterator[str]:
    """The files of its own that reading an item opens, as far as their names tell that they are its own."""
    for name, found in entry.files.items():
        if purpose.headers if name == IMAGE else _is_read(name, readers, purpose):
            for path, _ in found:
                yield path


def _is_read(role: str, readers: Readers, purpose: Purpose) -> bool:
    return purpose.checks or purpose.origin or role in readers.wanted_roles


def _item_names(form: Format, entry: Entry, state: ItemState) -> None:
    item = state.item
    for name, value in entry.names.items():
        if value == "" and name.startswith("label."):
            continue
        if name == "id" or name in ("sequence", "frame") or name.startswith(("attributes.", "label.", "image.path")):
            item.setdefault(name, value)
    if "subset" in entry.names and "subset" in form.key_names:
        item["subsets"] = [entry.names["subset"]]
    elif "subsets" in entry.shared:
        item["subsets"] = list(entry.shared["subsets"])
    elif "subset" in entry.names:
        item["subsets"] = [entry.names["subset"]]


def _read_image(
    form: Format, entry: Entry, runs: Mapping[str, Sequence[Run]], tree: Tree, state: ItemState, purpose: Purpose,
    files: dict[str, list[str]], complete: int,
) -> None:  # fmt: skip
    found = entry.files.get(IMAGE)
    path = found[0][0] if found else state.item.get("image.path")
    role = form.roles.get(IMAGE)
    if path is None or not (found or tree.exists(path)):
        if role is None:
            return
        expected = _rendered(role, state.captures)
        place = _where_named(entry, runs)
        if complete and not entry.files and _only_listed(runs):
            words = f"the list names {entry.key!r}, of which there is no file"
            state.faults.append(Fault("LIST_UNKNOWN", *place, role.place, words, got=entry.key, scope="item"))
        elif complete and purpose.media_required and not (role.optional and state.item.get("image.data")):
            state.faults.append(Fault("IMAGE_MISSING", *place, role.place, "the image is not there", expected))
        if role.optional:
            return
        if path is None and expected != role.spec.path:
            path = expected
        if path is not None:
            state.item.setdefault("image.path", path)
        return
    state.item["image.path"] = path
    files[IMAGE] = [path]
    if not purpose.headers:
        return
    try:
        info, cut_short = _looked_at(path, tree, purpose)
    except (ImageError, ValueError, OSError) as error:
        state.faults.append(Fault("FILE_UNREADABLE", path, (), role.place if role else None, str(error), case="item"))
        return
    if not _bears_size(info, path, (), state):
        return
    state.env = Env(info.width, info.height)
    state.item["$info"] = info
    if cut_short:
        rule = role.place if role else None
        state.faults.append(Fault("FILE_TRUNCATED", path, (), rule, "the image stops before its end"))
    if info.orientation != 1:
        state.faults.append(
            Fault("IMAGE_ROTATED", path, (), None, f"EXIF orientation {info.orientation}; taken as stored")
        )


def _only_listed(runs: Mapping[str, Sequence[Run]]) -> bool:
    """Whether an item is known from rows alone that do no more than name it."""
    tables = [run.part.table for of_role in runs.values() for run in of_role]
    return bool(tables) and all(table.kind == "item" and table.names_only for table in tables)


def _bears_size(info: ImageInfo, file: str, path: DocumentPath, state: ItemState) -> bool:
    """Whether an image is no larger than the limit; notes a fault where it is."""
    try:
        check_size(info.width, info.height)
    except TooLargeError as error:
        state.too_large = True
        state.faults.append(Fault("IMAGE_SIZE", file, path, None, str(error)))
        return False
    return True


def _look_inside(state: ItemState, purpose: Purpose, beside: bool) -> None:
    """Take the size of an image that a document holds; where a file is there, the file is the image."""
    data = state.item.get("image.data")
    if data is None or beside:
        state.item.pop("image.data", None)
        return
    state.faults[:] = [fault for fault in state.faults if fault.code != "IMAGE_MISSING"]  # the document holds the image
    try:
        info = probe(data) if purpose.headers else None
    except ImageError as error:
        file, path = state.place_of["image.data"]
        state.faults.append(Fault("FIELD", file, path, None, f"the image in it cannot be read: {error}"))
        return
    if info is not None and _bears_size(info, *state.place_of["image.data"], state):
        state.item["$info"] = info


def _name_image(form: Format, state: ItemState) -> None:
    """The path of an image that is not there, as far as the names and the documents tell it."""
    role = form.roles.get(IMAGE)
    if role is not None and not role.optional and "image.path" not in state.item:
        with suppress(KeyError, ValueError):
            state.item["image.path"] = role.template.render(state.captures)


_ENDS = 1 << 14
"""Bytes at each end of an image that tell of most images all that is asked."""


def _looked_at(path: str, tree: Tree, purpose: Purpose) -> tuple[ImageInfo, bool]:
    """What an image's header says, and whether the image stops before its end, if that is checked."""
    ends = tree.ends(path, _ENDS)
    info = None if ends is None else probe_ends(*ends)
    if info is not None:
        return info, False
    local = tree.local(path)
    image = tree.read(path) if local is None else local
    return probe_whole(image) if purpose.checks or purpose.whole else (_header(image), False)


def _header(image: PathLike[str] | bytes) -> ImageInfo:
    return probe(image) if isinstance(image, bytes) else probe_file(image)


def _where_named(entry: Entry, runs: Mapping[str, Sequence[Run]]) -> tuple[str, tuple[Any, ...]]:
    """The place that names an item's image: a row of a shared file, a file of its own."""
    for part, first, which in (run for of_role in runs.values() for run in of_role):
        key = part.table.names[which[0]]
        return part.file, (*part.table.path, first, *(() if key is None else (key,)))
    other = next((found[0][0] for found in entry.files.values()), "")
    return other, ()


def _rendered(role: Role, names: Mapping[str, Any]) -> str:
    try:
        return role.template.render(names)
    except (KeyError, ValueError):
        return role.spec.path


def _read_rows(role: Role, runs: Sequence[Run], readers: Readers, turns: Turns, state: ItemState) -> None:
    tables: dict[DocumentPath, Table] = {table.path: table for table in readers.tables[role.name]}
    labels = any(name.startswith("category.") for name in role.captures)
    for part, first, which in runs:
        table, key = tables[part.table.path], (role.name, part.table.path)
        turns.to(part.split, part.captures, state)
        again = [place for place in part.again if first <= place < first + len(which)] if part.again else ()
        plain = None if again else readers.plain.get(key)
        if plain is not None and plain.take(part.rows, first, first + len(which), part.table.path, part.file, state):
            continue
        if part.columns != state.env.columns:
            state.env = replace(state.env, columns=part.columns)
        state.file = part.file
        if table.kind not in ("item", "label", "caption"):
            state.materialize_records()
        documents = _documents(part.rows, first, first + len(which), readers.decoders.get(key))
        for position, (alternative, document) in enumerate(zip(which, documents, strict=True), first):
            state.at = (*part.table.path, position)
            if position in part.again:
                _read_again(part.again[position], document, position, table, role, state)
            elif table.kind != "item":
                read_row(document, position, table.readers, state.item, state)
            elif labels:
                _read_label(role, table.readers[alternative], document, position, state)
            else:
                _read_item(table.readers[alternative], document, position, state)
    turns.back(state)
    state.at = ()


def _documents(rows: RowSource, start: int, stop: int, decode: Decode | None) -> Sequence[Any]:
    """Rows that follow each other; all of them, whatever they hold, where they are not as `decode` wants them."""
    try:
        return rows.some(start, stop, decode)
    except (ValueError, msgspec.MsgspecError):
        return rows.some(start, stop, None)


def _read_again(again: Again, document: Any, position: int, table: Table, role: Role, state: ItemState) -> None:
    """A row of which the id stood before: its record has another, and stands all the same."""
    read_row({**document, again.key: again.fresh}, position, table.readers, state.item, state)
    record = state.keyed.get(OBJECTS_BY_ID, {}).get((again.fresh,))
    if again.value is None:
        words = f"{again.key!r} is missing, and is filled"
        state.fault("ID_MISSING", (*state.at, again.key), role.place, words, got=again.fresh)
    else:
        said_twice(again.value, (*state.at, again.key), role.place, record, state)


def _read_item(reader: RowReader, document: Any, position: int, state: ItemState) -> None:
    """A row that tells of its item itself."""
    before = len(state.faults)
    reader.read(document, state.item, state)
    reader.fits(state.item, state)
    if state.origin and not any(fault.sets_aside for fault in state.faults[before:]):
        state.item.setdefault("$rows", {})[reader.number, state.file] = (position, document)


def _read_label(role: Role, reader: RowReader, document: Any, position: int, state: ItemState) -> None:
    """A row of a file whose name holds a category tells of a label."""
    whole, state.item = state.item, {}
    reader.read(document, state.item, state)
    label = {slot.removeprefix("label."): value for slot, value in state.item.items() if slot.startswith("label.")}
    state.item = whole
    captures = role.template.match(state.file) or {}
    label.update({name: value for name, value in captures.items() if name.startswith("category.")})
    if state.origin:
        label["$rows"] = {(reader.number, state.file): (position, document)}
    labels = state.tables.setdefault("label", [])
    same = next((one for one in labels if {**one, "$rows": None} == {**label, "$rows": None}), None)
    if same is None:
        labels.append(label)
    elif state.origin:
        same["$rows"].update(label["$rows"])


def _read_item_file(
    role: Role, entry: Entry, tree: Tree, readers: Readers, state: ItemState, files: dict[str, list[str]],
    rasters: dict[str, Any], purpose: Purpose,
) -> None:  # fmt: skip
    found = entry.files.get(role.name)
    path = found[0][0] if found else state.item.get(f"path.{role.name}")
    if path is None or not (found or tree.exists(path)):
        _missing(role, entry, state)
        return
    files.setdefault(role.name, []).append(path)
    state.file, state.at = path, ()
    if role.kind == "pixels":
        raster = _read_raster(role, path, tree, readers, state.item, state, purpose)
        if raster is not None and state.origin:
            rasters[role.name] = raster
        return
    document = read_document(role, path, tree, state, purpose.checks)
    if document is None:
        return
    if state.origin:
        state.documents[role.name] = document[0]
    state.faults += schema_faults(role.schema, document[0], path, role.place)
    readers.documents[role.name](document[0], state.item, state)


def _named(role: Role, tree: Tree, state: ItemState) -> bool:
    """Whether a document names the item's file of a role, and it is there."""
    path = state.item.get(f"path.{role.name}")
    return path is not None and tree.exists(path)


def _missing(role: Role, entry: Entry, state: ItemState) -> None:
    """Note that an item lacks a file that it must have."""
    if role.optional:
        return
    expected = state.item.get(f"path.{role.name}") or _rendered(role, state.captures)
    where = state.item.get("image.path") or next((f[0][0] for f in entry.files.values()), expected)
    message = f"its {role.name} file is missing"
    state.faults.append(Fault("FILE_MISSING", where, (), role.place, message, expected, case="item"))


def keys_twice(role: Role, path: str, data: bytes, case: str) -> list[Fault]:
    """The keys that stand twice in a mapping of a JSON file, of which a decoder keeps the last."""
    if role.kind != "json":
        return []
    try:
        found = json_file.duplicate_keys(data)
    except FileError:
        return []
    words = "stands twice in one mapping, of which the last is read"
    return [
        Fault("DUPLICATE", path, pointer, role.place, f"the key {pointer[-1]!r} {words}", case=case)
        for pointer in found
    ]


def read_document(role: Role, path: str, tree: Tree, state: ItemState, keys: bool = False) -> tuple[Any] | None:
    """Read and decode a file; a tuple of the document, None where there is none; `keys`: see that none stands twice."""
    assert role.codec is not None
    try:
        data = tree.read(path)
        decoded = role.codec.decode(data)
    except (FileError, ValueError, OSError) as error:
        place = (getattr(error, "line", None), getattr(error, "column", None))
        message = str(getattr(error, "message", error))
        state.faults.append(Fault("FILE_UNREADABLE", path, (), role.place, message, object=place, case="item"))
        return None
    if keys:
        state.faults += keys_twice(role, path, data, "key")
    if len(role.spec.encoding) > 1 and not data.isascii():
        used = encoding_used(data, role.spec)
        if used != role.spec.encoding[0]:
            state.faults.append(
                Fault("FILE_ENCODING", path, (), role.place, f"the file is {used}", role.spec.encoding[0])
            )
    for stray in decoded.strays:
        state.faults.append(
            Fault(
                "LINE",
                path,
                (),
                role.place,
                "the line does not fit",
                stray.expected,
                stray.text,
                (stray.line + 1, 1),
            )
        )
    return (decoded.document,)


def _read_raster(
    role: Role, path: str, tree: Tree, readers: Readers, record: Record, state: ItemState, purpose: Purpose
) -> Raster | None:
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


def _read_record_files(
    role: Role, entry: Entry, tree: Tree, readers: Readers, state: ItemState, files: dict[str, list[str]],
    rasters: dict[str, Any], purpose: Purpose,
) -> None:  # fmt: skip
    slots, names = role.record_slots, role.record_names
    found = {tuple(captures.values()): path for path, captures in entry.files.get(role.name, ())}  # as `names` are
    if slots == ("depth",) or slots == ("level",):
        for (level,), one in found.items():
            files.setdefault(role.name, []).append(one)
            state.captures[names[0]] = level
            raster = _read_raster(role, one, tree, readers, state.item, state, purpose)
            del state.captures[names[0]]
            if raster is not None and state.origin:
                rasters.setdefault(role.name, {})[one] = raster
        return
    opened: list[str] = []
    slot = f"path.{role.name}"
    for record in state.tables.get("object", ()):
        key = tuple([record.get(one) for one in slots])
        listed = found.get(key)
        path: Any = record.get(slot) or listed
        if path is None or (path != listed and not tree.exists(path)):
            if not role.optional:
                expected = path or _rendered(role, {**state.captures, **{f"object.{s}": record.get(s) for s in slots}})
                where = record.get("$id_at", (record.get("$file", expected), ()))
                state.faults.append(
                    Fault("FILE_MISSING", where[0], where[1], role.place, f"its {role.name} file is missing", expected,
                          object=record.get("id"), case="object", about=record)
                )  # fmt: skip
            continue
        opened.append(path)
        if not purpose.pixels:  # then nobody asks what the file's name says
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


def _link_overlaps(item: Item, state: ItemState) -> dict[int, dict[str, Region]]:
    """Give rows without a key to the objects that they overlap best: one to one, the best pairs first."""
    pending = state.tables.get("$overlap", ())
    return link(item, pending, state) if pending else {}


def _keep_origin(item: Item, state: ItemState, rasters: Mapping[str, Any], several: bool) -> None:
    """Keep with an item where it comes from, and how it was read; `several`: splits number categories differently."""
    origin = Origin(state.item.get("$rows"), rasters, documents=state.documents)
    names = {name: value for name, value in {**item.captures, **state.stated}.items() if value is not None}
    origin.as_read = msgspec.structs.replace(item, captures=names if state.stated else item.captures)
    if several:
        told = {name: tuple(_as_read(one, state) for one in getattr(item, name)) for name in _NAMING}
        origin.as_read = msgspec.structs.replace(origin.as_read, **told)
    for caption in item.captions:
        if caption.origin is not None:
            caption.origin.as_read = caption
    msgspec.structs.force_setattr(item, "origin", origin)


_NAMING = ("objects", "labels", "areas")
"""The records of an item that name categories."""


def _as_read(record: Any, state: ItemState) -> Any:
    own = record.origin.as_read if record.origin is not None else None
    return as_read(record, state.categories) if own is None else own
