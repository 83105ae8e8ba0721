"""Builds one item from all its documents and label images."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from formatspec.engine.base.faults import Fault
from formatspec.engine.dataset.item.expected_files import is_named, note_missing, note_missing_levels
from formatspec.engine.dataset.item.link_overlap import link
from formatspec.engine.dataset.item.purpose import Purpose, Readers, is_read
from formatspec.engine.dataset.item.read_files import is_without_files, read_item_file, read_record_files
from formatspec.engine.dataset.item.read_image import look_inside, measure_unsized, name_image, read_image
from formatspec.engine.dataset.item.read_rows import read_rows
from formatspec.engine.dataset.item.restated import forget_restated
from formatspec.engine.dataset.item.told_again import once
from formatspec.engine.index.entries import Entry
from formatspec.engine.index.row_ownership import RowOwnership, SharedFile
from formatspec.engine.read.build_item import as_read, item_of
from formatspec.engine.read.check_rows import check_pictured
from formatspec.engine.read.item_state import DeviatesError, ItemState
from formatspec.engine.spec.compiled import IMAGE, Format
from formatspec.engine.splits.id_scopes import IDS, Splits
from formatspec.engine.splits.turns import Turns
from formatspec.model.limits import TooLargeError
from formatspec.model.records import Item, Origin
from formatspec.model.region import Region
from formatspec.paths.trees.tree import Tree


class Assembled(msgspec.Struct):
    """An item with its faults; `item` is None if nothing could be made of the data."""

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
    """Read one item. An item that exceeds a limit becomes None, with a fault that says so.

    `complete` is the number of the dataset's items that have their image.
    """
    while True:
        own = splits.of(entry.names) if splits.several else splits.whole
        state = ItemState(dict(entry.names), own, purpose.origin)
        state.refers, state.lists, state.outlined = form.names_objects, form.lists_objects, form.outlines_beside_boxes
        files: dict[str, list[str]] = {}
        try:
            return _read_entry(form, readers, entry, joined, tree, splits, purpose, state, files, complete)
        except DeviatesError:
            readers = readers.judging()
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
    runs = joined.of(entry)
    read_image(form, entry, runs, tree, state, purpose, files, complete)
    for name, role in form.roles.items():
        if role.span == "shared":
            if name in runs:
                read_rows(role, runs[name], readers, turns, state)
        elif role.span == "item":
            if name == IMAGE and role.kind is None:
                continue
            if name not in entry.files and role.optional and f"path.{name}" not in state.item:
                continue
            if is_read(name, readers, purpose):
                read_item_file(role, entry, tree, readers, state, files, rasters, purpose)
            elif name not in entry.files and not is_named(role, tree, state):
                note_missing(role, entry, state)
        elif is_read(name, readers, purpose) and (
            state.plain is None or not is_without_files(role, entry, state.plain.objects)
        ):
            state.materialize_records()
            read_record_files(role, entry, tree, readers, state, files, rasters, purpose, form.objects_are_files)
    if "image.data" in state.item:
        look_inside(state, purpose, IMAGE in files)
    if purpose.unsized and IMAGE in files:
        measure_unsized(files[IMAGE][0], tree, state, purpose)
    if state.faults or IMAGE not in files:
        name_image(form, tree, state, IMAGE in files)
    if "area" in state.tables:
        state.materialize_records()
    item = item_of(entry.key, state)
    if state.restated:
        forget_restated(item, state, form.options)
    if (
        form.shows_levels
        and (purpose.checks or purpose.strict)
        and (state.plain is not None or "object" in state.tables)
    ):
        note_missing_levels(form, item, entry, state)
    if form.told_beside_pictures and purpose.pixels:
        pictures = (role.name for role in form.documents if role.kind == "pixels" and not role.optional)
        check_pictured(item, pictures, files, state)
    told = link(item, state.tables["$overlap"], state) if "$overlap" in state.tables else {}
    if purpose.origin:
        _keep_origin(item, state, rasters, splits.several)
    elif turns.needed and len(turns.files) > 1:
        item = once(item, state, turns.files)
    return Assembled(entry.key, item, state.faults, files, told, state.deferred, state)


def _shared_values(files: Iterable[SharedFile], state: ItemState) -> None:
    """Take what shared documents state for all their items."""
    for file in files:
        for slot, value in file.values.items():
            if slot not in state.item:
                state.item[slot] = value
                state.first[slot] = file.path
    state.sized()


def files_read(entry: Entry, readers: Readers, purpose: Purpose) -> Iterator[str]:
    """Yield the item's own files that reading it opens, as far as their names show that they are its own."""
    for name, found in entry.files.items():
        if purpose.headers if name == IMAGE else is_read(name, readers, purpose):
            for path, _ in found:
                yield path


def subsets_of(form: Format, entry: Entry) -> tuple[str, ...]:
    """Return the subsets that paths, lists and documents give an item; the one of its own path comes first."""
    shared: tuple[str, ...] = entry.shared.get("subsets", ())
    if "subset" in entry.names and ("subset" in form.key_names or not shared):
        own = entry.names["subset"]
        return (own, *[subset for subset in shared if subset != own]) if shared else (own,)
    return shared


def _item_names(form: Format, entry: Entry, state: ItemState) -> None:
    """Take the names that are slots of the item, and its subsets."""
    item = state.item
    for name in entry.names:
        if name in form.item_names and (entry.names[name] != "" or not name.startswith("label.")):
            item[name] = entry.names[name]
    subsets = subsets_of(form, entry)
    if subsets:
        item["subsets"] = list(subsets)


def _keep_origin(item: Item, state: ItemState, rasters: Mapping[str, Any], several: bool) -> None:
    """Keep with an item its source and how it was read; `several` means that splits number categories differently."""
    origin = Origin(state.item.get("$rows"), rasters, documents=state.documents)
    names = {name: value for name, value in {**item.captures, **state.stated}.items() if value is not None}
    read = {f"path.{role}" for role in (*rasters, *state.documents)}
    names.update((name, value) for name, value in state.item.items() if name in read and value)
    told = state.stated or len(names) > len(item.captures)
    origin.as_read = msgspec.structs.replace(item, captures=names if told else item.captures)
    if item.image is not None and 0 in (state.item.get("image.width"), state.item.get("image.height")):
        stated = msgspec.structs.replace(
            item.image, width=state.item.get("image.width"), height=state.item.get("image.height")
        )
        origin.as_read = msgspec.structs.replace(origin.as_read, image=stated)  # so that the measured size is written
    if origin.as_read.image is not None and "image.path" in state.stated:
        origin.as_read = msgspec.structs.replace(
            origin.as_read, image=msgspec.structs.replace(origin.as_read.image, path="")
        )
    if several:
        told = {name: tuple(_as_read(one, state) for one in getattr(item, name)) for name in _NAMING}
        origin.as_read = msgspec.structs.replace(origin.as_read, **told)
    for caption in item.captions:
        if caption.origin is not None:
            caption.origin.as_read = caption
    msgspec.structs.force_setattr(item, "origin", origin)


_NAMING = ("objects", "labels", "areas")
"""The records of an item that have categories."""


def _as_read(record: Any, state: ItemState) -> Any:
    own = record.origin.as_read if record.origin is not None else None
    return as_read(record, state.categories) if own is None else own
