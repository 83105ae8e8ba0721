"""One item, read: all its documents and label images in turn, put together to a record of the model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from os import PathLike
from typing import Any

import msgspec
from msgspec.structs import replace

from formatspec.codecs.registry import Env
from formatspec.engine.building import item_of
from formatspec.engine.categories import Categories
from formatspec.engine.documents import encoding_used
from formatspec.engine.entries import Entry
from formatspec.engine.format import IMAGE, Format, Role
from formatspec.engine.job import Fault, Job, Path, Record
from formatspec.engine.joined import Joined, Run, Table
from formatspec.engine.overlap import link
from formatspec.engine.plain_rows import PlainRows, told_in_records
from formatspec.engine.raster import RasterReader
from formatspec.engine.row_reading import Reader, RowReader, read_row
from formatspec.engine.rows import Decode
from formatspec.engine.schemas import schema_faults
from formatspec.files.document import FileError
from formatspec.files.images import ImageError, ImageInfo, probe, probe_ends, probe_file, probe_whole
from formatspec.model.records import Item, Origin
from formatspec.model.region import Region
from formatspec.paths.tree import Tree
from formatspec.pixels.png import Raster


class Readers(msgspec.Struct, frozen=True):
    """The compiled readers of a format for one purpose.

    decoders: how much of a table's rows is decoded; plain: how rows that are as the spec has them are read.
    """

    documents: Mapping[str, Reader]
    rasters: Mapping[str, RasterReader]
    tables: Mapping[str, tuple[Table, ...]]
    decoders: Mapping[tuple[str, tuple[str, ...]], Decode | None]
    plain: Mapping[tuple[str, tuple[str, ...]], PlainRows]
    wanted_roles: frozenset[str]


class Purpose(msgspec.Struct, frozen=True):
    """What is read: whether source rows are kept, image headers looked at, every check made, pixels decoded."""

    origin: bool = False
    headers: bool = True
    checks: bool = True
    media_required: bool = True
    pixels: bool = True


class Assembled(msgspec.Struct):
    """An item with what was found wrong with it; `item` is None where nothing could be made of it."""

    key: str
    item: Item | None
    faults: list[Fault]
    files: dict[str, list[str]]
    told: dict[int, dict[str, Region]]
    deferred: list[Any]
    job: Job


def read_entry(
    form: Format, readers: Readers, entry: Entry, joined: Joined, tree: Tree, categories: Categories, purpose: Purpose
) -> Assembled:
    """Read one item."""
    job = Job(dict(entry.names), categories, purpose.origin)
    files: dict[str, list[str]] = {}
    rasters: dict[str, Any] = {}
    _item_names(form, entry, job)
    runs: dict[str, list[Run]] = {}
    for run in joined.of(entry):
        runs.setdefault(run.part.table.role, []).append(run)
    _read_image(form, entry, runs, tree, job, purpose, files)
    for name, role in form.roles.items():
        if name == IMAGE and role.kind is None:
            continue
        if role.span == "shared":
            if name in runs:
                _read_rows(role, runs[name], readers, job)
        elif _is_read(name, readers, purpose):
            told_in_records(job)
            if role.span == "item":
                _read_item_file(role, entry, tree, readers, job, files, rasters, purpose)
            else:
                _read_record_files(role, entry, tree, readers, job, files, rasters, purpose)
        elif role.span == "item" and name not in entry.files and not _named(role, tree, job):
            _missing(role, entry, job)
    _look_inside(job, purpose, IMAGE in files)
    _name_image(form, job)
    if "area" in job.tables:
        told_in_records(job)
    item = item_of(form, entry, job)
    told = _link_overlaps(item, job)
    if purpose.origin:
        _keep_origin(item, job, rasters)
    return Assembled(entry.key, item, job.faults, files, told, job.deferred, job)


def files_read(entry: Entry, readers: Readers, purpose: Purpose) -> Iterator[str]:
    """The files of its own that reading an item opens, as far as their names tell that they are its own."""
    for name, found in entry.files.items():
        if purpose.headers if name == IMAGE else _is_read(name, readers, purpose):
            for path, _ in found:
                yield path


def _is_read(role: str, readers: Readers, purpose: Purpose) -> bool:
    return purpose.checks or purpose.origin or role in readers.wanted_roles


def _item_names(form: Format, entry: Entry, job: Job) -> None:
    item = job.item
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
    form: Format, entry: Entry, runs: Mapping[str, Sequence[Run]], tree: Tree, job: Job, purpose: Purpose,
    files: dict[str, list[str]],
) -> None:  # fmt: skip
    found = entry.files.get(IMAGE)
    path = found[0][0] if found else job.item.get("image.path")
    role = form.roles.get(IMAGE)
    if path is None or not (found or tree.exists(path)):
        if role is None or role.optional:
            return
        expected = _rendered(role, job.captures)
        level = "IMAGE_MISSING"
        place = _where_named(entry, runs)
        fault = Fault(level, place[0], place[1], role.place, "the image is not there", expected)
        if purpose.media_required:
            job.faults.append(fault)
        else:
            job.faults.append(fault._replace(code="IMAGE_ABSENT"))
        if path is None and expected != role.spec.path:
            path = expected
        if path is not None:
            job.item.setdefault("image.path", path)
        return
    job.item["image.path"] = path
    files[IMAGE] = [path]
    if not purpose.headers:
        return
    try:
        info, cut_short = _looked_at(path, tree, purpose)
    except (ImageError, ValueError, OSError) as error:
        job.faults.append(Fault("FILE_UNREADABLE", path, (), role.place if role else None, str(error)))
        return
    job.env = Env(info.width, info.height)
    job.item["$info"] = info
    if cut_short:
        rule = role.place if role else None
        job.faults.append(Fault("FILE_TRUNCATED", path, (), rule, "the image stops before its end"))
    if info.orientation != 1:
        job.faults.append(
            Fault("IMAGE_ROTATED", path, (), None, f"EXIF orientation {info.orientation}; taken as stored")
        )


def _look_inside(job: Job, purpose: Purpose, beside: bool) -> None:
    """Take the size of an image that a document holds; where a file is there, the file is the image."""
    data = job.item.get("image.data")
    if data is None or beside:
        job.item.pop("image.data", None)
        return
    try:
        info = probe(data) if purpose.headers else None
    except ImageError as error:
        file, path = job.place_of["image.data"]
        job.faults.append(Fault("FIELD", file, path, None, f"the image in it cannot be read: {error}"))
        return
    if info is not None:
        job.item["$info"] = info


def _name_image(form: Format, job: Job) -> None:
    """The path of an image that is not there, as far as the names and the documents tell it."""
    role = form.roles.get(IMAGE)
    if role is not None and not role.optional and "image.path" not in job.item:
        with suppress(KeyError, ValueError):
            job.item["image.path"] = role.template.render(job.captures)


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
    return probe_whole(image) if purpose.checks else (_header(image), False)


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


def _read_rows(role: Role, runs: Sequence[Run], readers: Readers, job: Job) -> None:
    tables: dict[Path, Table] = {table.path: table for table in readers.tables[role.name]}
    labels = any(name.startswith("category.") for name in role.captures)
    for part, first, which in runs:
        table, key = tables[part.table.path], (role.name, part.table.path)
        plain = readers.plain.get(key)
        if plain is not None and plain.take(part.rows, first, first + len(which), part.table.path, part.file, job):
            continue
        if part.columns != job.env.columns:
            job.env = replace(job.env, columns=part.columns)
        job.file = part.file
        if table.kind not in ("item", "label", "caption"):
            told_in_records(job)
        documents = part.rows.some(first, first + len(which), readers.decoders.get(key))
        for position, (alternative, document) in enumerate(zip(which, documents, strict=True), first):
            job.at = (*part.table.path, position)
            if table.kind != "item":
                read_row(document, position, table.readers, job.item, job)
            elif labels:
                _read_label(role, table.readers[alternative], document, position, job)
            else:
                _read_item(table.readers[alternative], document, position, job)
    job.at = ()


def _read_item(reader: RowReader, document: Any, position: int, job: Job) -> None:
    """A row that tells of its item itself."""
    before = len(job.faults)
    reader.read(document, job.item, job)
    reader.fits(job.item, job)
    if job.origin and len(job.faults) == before:
        job.item.setdefault("$rows", {})[reader.number, job.file] = (position, document)


def _read_label(role: Role, reader: RowReader, document: Any, position: int, job: Job) -> None:
    """A row of a file whose name holds a category tells of a label."""
    whole, job.item = job.item, {}
    reader.read(document, job.item, job)
    label = {slot.removeprefix("label."): value for slot, value in job.item.items() if slot.startswith("label.")}
    job.item = whole
    captures = role.template.match(job.file) or {}
    label.update({name: value for name, value in captures.items() if name.startswith("category.")})
    if job.origin:
        label["$rows"] = {(reader.number, job.file): (position, document)}
    job.tables.setdefault("label", []).append(label)


def _read_item_file(
    role: Role, entry: Entry, tree: Tree, readers: Readers, job: Job, files: dict[str, list[str]],
    rasters: dict[str, Any], purpose: Purpose,
) -> None:  # fmt: skip
    found = entry.files.get(role.name)
    path = found[0][0] if found else job.item.get(f"path.{role.name}")
    if path is None or not (found or tree.exists(path)):
        _missing(role, entry, job)
        return
    files.setdefault(role.name, []).append(path)
    job.file, job.at = path, ()
    if role.kind == "pixels":
        raster = _read_raster(role, path, tree, readers, job.item, job, purpose)
        if raster is not None and job.origin:
            rasters[role.name] = raster
        return
    document = read_document(role, path, tree, job)
    if document is None:
        return
    if job.origin:
        job.documents[role.name] = document[0]
    job.faults += schema_faults(role.schema, document[0], path, role.place)
    readers.documents[role.name](document[0], job.item, job)


def _named(role: Role, tree: Tree, job: Job) -> bool:
    """Whether a document names the item's file of a role, and it is there."""
    path = job.item.get(f"path.{role.name}")
    return path is not None and tree.exists(path)


def _missing(role: Role, entry: Entry, job: Job) -> None:
    """Note that an item lacks a file that it must have."""
    if role.optional:
        return
    expected = job.item.get(f"path.{role.name}") or _rendered(role, job.captures)
    where = job.item.get("image.path") or next((f[0][0] for f in entry.files.values()), expected)
    job.faults.append(Fault("FILE_MISSING", where, (), role.place, f"its {role.name} file is missing", expected))


def read_document(role: Role, path: str, tree: Tree, job: Job) -> tuple[Any] | None:
    """Read and decode a file; a tuple of the document, None where there is none."""
    assert role.codec is not None
    try:
        data = tree.read(path)
        decoded = role.codec.decode(data)
    except (FileError, ValueError, OSError) as error:
        place = (getattr(error, "line", None), getattr(error, "column", None))
        message = str(getattr(error, "message", error))
        job.faults.append(Fault("FILE_UNREADABLE", path, (), role.place, message, object=place))
        return None
    if len(role.spec.encoding) > 1 and not data.isascii():
        used = encoding_used(data, role.spec)
        if used != role.spec.encoding[0]:
            job.faults.append(
                Fault("FILE_ENCODING", path, (), role.place, f"the file is {used}", role.spec.encoding[0])
            )
    for stray in decoded.strays:
        job.faults.append(
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
    role: Role, path: str, tree: Tree, readers: Readers, record: Record, job: Job, purpose: Purpose
) -> Raster | None:
    reader = readers.rasters.get(role.name)
    if reader is None:
        return None
    job.file, job.at = path, ()
    try:
        data = tree.read(path)
        if purpose.pixels:
            return reader.read(data, record, job)
        reader.look(data, job)
    except (ImageError, ValueError, OSError) as error:
        job.faults.append(Fault("FILE_UNREADABLE", path, (), role.place, str(error)))
    return None


def _read_record_files(
    role: Role, entry: Entry, tree: Tree, readers: Readers, job: Job, files: dict[str, list[str]],
    rasters: dict[str, Any], purpose: Purpose,
) -> None:  # fmt: skip
    slots, names = role.record_slots, role.record_names
    found = {tuple(captures.values()): path for path, captures in entry.files.get(role.name, ())}  # as `names` are
    if slots == ("depth",) or slots == ("level",):
        for (level,), one in found.items():
            files.setdefault(role.name, []).append(one)
            job.captures[names[0]] = level
            raster = _read_raster(role, one, tree, readers, job.item, job, purpose)
            del job.captures[names[0]]
            if raster is not None and job.origin:
                rasters.setdefault(role.name, {})[one] = raster
        return
    opened: list[str] = []
    slot = f"path.{role.name}"
    for record in job.tables.get("object", ()):
        key = tuple([record.get(one) for one in slots])
        listed = found.get(key)
        path: Any = record.get(slot) or listed
        if path is None or (path != listed and not tree.exists(path)):
            if not role.optional:
                expected = path or _rendered(role, {**job.captures, **{f"object.{s}": record.get(s) for s in slots}})
                where = record.get("$id_at", (record.get("$file", expected), ()))
                job.faults.append(
                    Fault("FILE_MISSING", where[0], where[1], role.place, f"its {role.name} file is missing", expected,
                          object=record.get("id"))
                )  # fmt: skip
            continue
        opened.append(path)
        if not purpose.pixels:  # then nobody asks what the file's name says
            _read_raster(role, path, tree, readers, record, job, purpose)
            continue
        job.captures.update(zip(names, key, strict=True))
        raster = _read_raster(role, path, tree, readers, record, job, purpose)
        for name in names:
            del job.captures[name]
        if raster is not None and job.origin:
            record.setdefault("$rasters", {})[role.name] = raster
            record["$rasters"][f"path {role.name}"] = path
    if opened:
        files.setdefault(role.name, []).extend(opened)
    if purpose.checks and found:
        taken = set(opened)
        for path in found.values():
            if path not in taken:
                job.faults.append(Fault("FILE_ORPHAN", path, (), role.place, "no object names this file"))


def _link_overlaps(item: Item, job: Job) -> dict[int, dict[str, Region]]:
    """Give rows without a key to the objects that they overlap best: one to one, the best pairs first."""
    pending = job.tables.get("$overlap", ())
    return link(item, pending, job) if pending else {}


def _keep_origin(item: Item, job: Job, rasters: Mapping[str, Any]) -> None:
    origin = Origin(job.item.get("$rows"), rasters, documents=job.documents)
    origin.as_read = msgspec.structs.replace(item)
    records: tuple[Any, ...] = (*item.labels, *item.captions, *item.areas)
    for record in records:
        if record.origin is not None:
            record.origin.as_read = record
    msgspec.structs.force_setattr(item, "origin", origin)
