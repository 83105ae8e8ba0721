"""Writes the files of single records: a label image for each object, or for each value of a slot of the objects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from formatspec.engine.evaluate.write_context import WriteContext
from formatspec.engine.export.item_views import hold_category, is_named, record_names
from formatspec.engine.export.render_path import Spelled, rendered
from formatspec.engine.resolve.held_slots import WRITTEN, record_mark
from formatspec.engine.spec.compiled import Role
from formatspec.engine.write.source_rows import context_of
from formatspec.model.records import Item, Object


class RecordFiles:
    """Writes the label images that hold one object each, or those of the objects with one value of a slot."""

    def __init__(self, spelled: Spelled, listed: bool, renamed: bool) -> None:
        """Take how paths are named.

        Args:
            spelled: How a path of the target is spelled in the file system.
            listed: Whether documents list the objects, so that only objects with a row get files of their own.
            renamed: Whether subsets get new names, so that a path that the layout gives is made anew.
        """
        self.spelled = spelled
        self.listed = listed
        self.renamed = renamed

    def of(self, role: Role, painter: Any, item: Item, context: WriteContext) -> Iterator[tuple[str, bytes]]:
        """Yield the files of a role with their paths; `painter` writes its label images. Raises CannotWriteError."""
        origin = item.origin if context.as_read is not None else None
        if painter.alphabets:
            for thing_index, thing in enumerate(item.objects):
                if not self._is_told(thing, context):
                    continue
                inner = context_of(thing, context, thing_index, len(item.objects))
                source = (
                    thing.origin.rasters.get(role.name) if origin is not None and thing.origin is not None else None
                )
                if role.optional and source is None and not (painter.shows(inner) and is_named(role, inner)):
                    continue
                path = self._record_path(role, item, inner)
                data = painter.encode(inner, source)
                if data is not None:
                    yield path, data
            return
        if any(slot.startswith("category.") for slot in role.record_slots):
            hold_category(item.objects, context.setting.held)
        for path, members in self._groups(role, painter, item, context).items():
            part = WriteContext(context.setting, item, item, context)
            part.as_read = context.as_read
            source = origin.rasters.get(role.name, {}).get(path) if origin is not None else None
            if source is None and origin is not None and len(members) == 1:
                own = item.objects[next(iter(members))].origin
                source = own.rasters.get(role.name) if own is not None else None
            data = painter.encode_some(part, members, source)
            if data is not None:
                yield path, data

    def _groups(self, role: Role, painter: Any, item: Item, context: WriteContext) -> dict[str, set[int]]:
        """Return the objects of each file, for a role that has one file for each value of a slot of the objects."""
        groups: dict[str, set[int]] = {}
        for row in painter.rows:
            for index, thing in enumerate(item.objects):
                inner = context_of(thing, context, index, len(item.objects))
                if row.fits(inner) and self._is_told(thing, context):
                    groups.setdefault(self._record_path(role, item, inner), set()).add(index)
        return groups

    def _is_told(self, thing: Object, context: WriteContext) -> bool:
        """Whether an object has a row, if the format's documents list the objects that have files of their own."""
        return (
            not self.listed
            or context.as_read is not None
            or bool(context.setting.held.get(record_mark(thing), 0) & WRITTEN)
        )

    def _record_path(self, role: Role, item: Item, inner: WriteContext) -> str:
        if inner.as_read is not None and inner.record.origin is not None:
            kept = inner.record.origin.rasters.get(f"path {role.name}")
            if kept is not None and not (self.renamed and role.match(kept)):
                return str(kept)
        return self.spelled(rendered(role, {**item.captures, **record_names(role, inner)}))
