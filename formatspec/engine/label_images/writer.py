"""The writer of label images: it paints the regions of the rows, each over those before it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple

import msgspec
import numpy as np

from formatspec.engine.evaluate.expressions import condition
from formatspec.engine.evaluate.write_context import WriteContext
from formatspec.engine.evaluate.writing_notes import LostRow, ShownPixels
from formatspec.engine.label_images.layers import BY_ORDER, areas_of, number_of, stacking
from formatspec.engine.label_images.rules import (
    ALPHA,
    ANY,
    CHANNELS,
    Alphabet,
    Value,
    alphabets_of,
    blanks_of,
    channels_of,
    known_channels,
    tables_of,
)
from formatspec.engine.resolve.held_slots import BITS, IMPLIED, WRITTEN, record_mark
from formatspec.engine.resolve.scope import Scope
from formatspec.engine.write.compile_writer import row_writer
from formatspec.engine.write.mark_written import hold
from formatspec.engine.write.print_leaf import LackingError
from formatspec.engine.write.source_rows import contexts_of
from formatspec.engine.write.table_rows import RowWriter, held_by_row, write_record
from formatspec.language.each import parse_where
from formatspec.language.rules import Rule, problem
from formatspec.language.schema import FileSpec
from formatspec.model import derive
from formatspec.model.records import Area, Item, Object
from formatspec.model.region import Region
from formatspec.pixels import containers, png
from formatspec.pixels.painting import KeptRaster, Painting, compose
from formatspec.pixels.palettes import bits

PAINT = "paint"
"""The option that says which region lies on top where regions overlap."""


class Layer(NamedTuple):
    """What is painted of one record: its pixels, their value, and the slots that they hold."""

    region: Region
    value: Value
    context: WriteContext
    bits: int


_Placed = tuple[tuple[int, int, float, int], Layer]
"""A layer, with what puts it above or below others."""


class RasterWriter(msgspec.Struct, frozen=True):
    """The writer of one role's label images.

    Attributes:
        holds: For each of `rows`, the slots that it holds of a record whose pixels are visible.
    """

    spec: FileSpec
    alphabets: tuple[Alphabet, ...]
    rows: tuple[RowWriter, ...]
    keys: tuple[str, ...]
    palette: Callable[[WriteContext], Any] | None
    blanks: tuple[Value, ...] = ()
    shown: Callable[[WriteContext], object] | None = None
    holds: tuple[int, ...] = ()

    def encode(self, context: WriteContext, source: png.Raster | KeptRaster | None) -> bytes | None:
        """Return the label image of a context, or the source if nothing changed; None if the image has no size."""
        if source is not None and context.as_read is not None:
            anew = context.anew()
            anew.family_of = context.family_of
            layers = self._painted(anew)
            if self._unchanged(context.as_read, layers):
                for layer in layers:
                    _note_seen(layer, layer.region.area, None)
                _note_within(layers, None)
                return containers.encode_again(source, self.spec.path)
        layers = self._painted(context)
        return self._encoded(context, layers)

    def encode_shown(self, context: WriteContext) -> bytes | None:
        """Return the label image of a context without a source; None if nothing is painted or the image has no size."""
        layers = self._painted(context)
        return self._encoded(context, layers) if layers else None

    def _encoded(self, context: WriteContext, layers: list[Layer]) -> bytes | None:
        height, width = context.env.height, context.env.width
        if not height or not width:
            return None
        rows = [(layer.region, layer.value) for layer in layers]
        if self.blanks:
            rows = [(Region.full(height, width), self.blanks[0]), *rows]
        mode = self._mode(rows)
        if self.keys == (ANY,):
            rows = [(region, (value,) * png.CHANNELS[mode]) for region, value in rows]
        palette = None
        if mode == "palette":
            palette = self.palette(context) if self.palette is not None else bits()
        painting = compose(rows, height, width, mode)
        data = containers.encode_painting(painting, palette, self.spec.path)
        first = len(rows) - len(layers)
        seen = painting.seen(len(rows))[first:]
        values = {value for (_, value), pixels in zip(rows[first:], seen, strict=True) if pixels}
        there = painting.values() & {value for _, value in rows[first:]}
        if len(values) != len(there):
            context.setting.odd.append((len(values), len(there)))
        for place, (layer, pixels) in enumerate(zip(layers, seen, strict=True), first):
            _note_seen(layer, pixels, partial(painting.seen_region, place))
        _note_within(layers, painting, first)
        return data

    def _unchanged(self, as_read: WriteContext, layers: list[Layer]) -> bool:
        """Whether painting the item now gives the same as painting the item as it was read."""
        then = self._painted(as_read)
        return [(one.region, one.value) for one in layers] == [(one.region, one.value) for one in then]

    def shows(self, context: WriteContext) -> bool:
        """Whether there is anything to paint."""
        return bool(self._painted(context))

    def encode_some(
        self, context: WriteContext, members: set[int], source: png.Raster | KeptRaster | None
    ) -> bytes | None:
        """Return the label image of some of an item's objects, given by their indices."""
        part = _restricted(context, members)
        return self.encode(part, source)

    def _mode(self, rows: list[tuple[Region, Value]]) -> Any:
        mode = self.spec.image[0] if self.spec.image else "gray"
        if mode == "index":
            return "gray16" if any(isinstance(v, int) and v > 255 for _, v in rows) else "gray"
        return mode

    def _largest(self) -> int:
        """Return the largest value of a channel in images of the mode that is written."""
        return 65535 if self.spec.image[:1] in (("gray16",), ("index",)) else 255

    def _painted(self, context: WriteContext) -> list[Layer]:
        return self._masked(context) if self.alphabets else self._labelled(context)

    def _masked(self, context: WriteContext) -> list[Layer]:
        found: list[Layer] = []
        for value, slot in self.alphabets[0].slots.items():
            if slot is None or value == 0:
                continue
            region = (
                derive.region(context.record, context.env.height, context.env.width)
                if slot == "region"
                else getattr(context.record, slot)
            )
            if region:
                found.append(Layer(region, value, context, BITS[slot] | IMPLIED.get(slot, 0) | WRITTEN))
        return found

    def _labelled(self, context: WriteContext) -> list[Layer]:
        if context.item is not None and not has_pixels(context.item):
            return []
        context = self._of_shown(context)
        paint = context.setting.options.get(PAINT, BY_ORDER)
        family = context.family() if any(thing.parent is not None for thing in _things(context)) else None
        rows = sorted(zip(self.rows, self.holds, strict=True), key=lambda entry: _LAYERS.get(entry[0].table, 1))
        lost, before = context.setting.lost, len(context.setting.lost)
        paints_areas = any(row.table == "areas" for row, _ in rows)
        apart = self._individual(context) if paints_areas else set[int]()
        areas = _areas(context, apart, paint) if paints_areas else []
        reached: set[int] = set()
        found = self._layers(rows, context, areas, family, paint, reached)
        unpainted = _objects_of([area for area in areas if id(area) not in reached], context, apart)
        if unpainted:  # they cover nothing
            noted = lost[before:]
            del lost[before:]
            found = self._layers(rows, context, _areas(context, apart | unpainted, paint), family, paint, reached)
            again = {record_mark(one.record) for one in lost[before:]}
            lost.extend(one for one in noted if record_mark(one.record) not in again)
        return [layer for _, layer in sorted(found, key=lambda entry: entry[0])]

    def _layers(
        self, rows: Sequence[tuple[RowWriter, int]], context: WriteContext, areas: list[Any], family: Any, paint: str,
        reached: set[int],
    ) -> list[_Placed]:  # fmt: skip
        """Return the layers that some tables paint, with their places; a record without a pixel value is noted as lost.

        `reached` takes the records, by their `id()`, that have a pixel value.
        """
        painted: list[_Placed] = []
        for layer, (row, held) in enumerate(rows):
            records = areas if row.table == "areas" else list(row.select(context))
            contexts = [f for f in contexts_of(records, context) if row.fits(f)]
            if row.rule.each.by == ("index",) and context.setting.in_documents:
                contexts = [f for f in contexts if context.setting.held.get(record_mark(f.record), 0) & WRITTEN]
            shown = [inner.record for inner in contexts]
            derive.fill_all((one for one in shown if isinstance(one, Object)), context.env.height, context.env.width)
            context.setting.number = partial(number_of, records=shown, each=row.rule.each)
            for index, inner in enumerate(contexts):
                inner.index, inner.rows = index, len(contexts)
                region = _region(inner)
                if not region:
                    continue
                try:
                    value = _value(write_record(row, inner), self.keys, self._largest())
                except LackingError as lacking:
                    context.setting.lost.append(LostRow(row.table, inner.record, f"no {lacking}"))
                    continue
                reached.add(id(inner.record))
                if value in self.blanks and inner.as_read is None:  # it was blank before if it came from this format
                    if held:  # a row of computed values holds nothing, so its record loses nothing here
                        context.setting.lost.append(LostRow(row.table, inner.record, _blank(value)))
                    continue
                height = 0 if id(inner.record) in context.setting.beneath else _LAYERS.get(row.table, 1)
                below = family.depth(inner.record) if family is not None and isinstance(inner.record, Object) else 0
                place = (height, -below, stacking(inner.record, region, paint), layer * 1_000_000 + index)
                painted.append((place, Layer(region, value, inner, held)))
        return painted

    def _of_shown(self, context: WriteContext) -> WriteContext:
        """Return the context with only those objects that the label image shows."""
        things = context.item.objects if self.shown is not None and context.item is not None else ()
        contexts = contexts_of(list(things), context)
        members = {index for index, inner in enumerate(contexts) if self.shown is not None and self.shown(inner)}
        return context if len(members) == len(things) else _restricted(context, members)

    def _individual(self, context: WriteContext) -> set[int]:
        """Return the objects that another table of this image paints one by one."""
        found: set[int] = set()
        for row in self.rows:
            if row.table == "objects":
                found.update(id(f.record) for f in contexts_of(list(row.select(context)), context) if row.fits(f))
        return found


def _note_seen(layer: Layer, pixels: int, find: Callable[[], Region] | None) -> None:
    """Note how much of a record a finished label image shows; what has a pixel is held by it.

    find: gives the pixels that are shown; None where these are all.
    """
    context = layer.context
    if not layer.bits:
        return
    mark, seen = record_mark(context.record), context.setting.seen
    known = seen.get(mark)
    if layer.bits & BITS["region"] and (known is None or pixels > known.pixels):
        whole = layer.region.area
        seen[mark] = ShownPixels(pixels, whole, None if pixels == whole else find)
    if pixels:
        hold(context, layer.bits)


def _note_within(layers: Sequence[Layer], painting: Painting | None, first: int = 0) -> None:
    """Note how much of each object of an area a finished label image shows.

    Args:
        layers: The layers of the label image.
        painting: What it shows; None if it shows all of every layer.
        first: The number of the first of the layers in the painting.
    """
    parts = [
        (within, thing, layer.region, place)
        for place, layer in enumerate(layers, first)
        if layer.bits and isinstance(layer.context.record, Area)
        for within in (layer.context.setting.in_areas.get(record_mark(layer.context.record), {}),)
        for thing in within
    ]
    if not parts:
        return
    regions = [within[thing].region for within, thing, _, _ in parts]
    if painting is not None:
        seen = painting.seen_of(regions, [place for _, _, _, place in parts])
    else:
        seen = [area.common_areas([own])[0] for own, (_, _, area, _) in zip(regions, parts, strict=True)]
    for pixels, (within, thing, _, _) in zip(seen, parts, strict=True):
        one = within[thing]
        within[thing] = one._replace(seen=max(pixels, one.seen or 0))


_LAYERS = {"areas": 0, "objects": 1, "children": 1, "void": 2}


def _region(context: WriteContext) -> Region | None:
    record = context.record
    if isinstance(record, Region):
        return record
    if isinstance(record, Area):
        return record.region
    return derive.region(record, context.env.height, context.env.width)


def _things(context: WriteContext) -> tuple[Object, ...]:
    return () if context.item is None else context.item.objects


def has_pixels(item: Item) -> bool:
    """Whether an item states regions or outlines, from which alone pixels follow."""
    if item.areas or item.void is not None:
        return True
    return any(thing.region is not None or thing.polygons for thing in item.objects)


def _objects_of(areas: Iterable[Area], context: WriteContext, apart: set[int]) -> set[int]:
    """Return the objects, but those apart, of the categories of some areas, if something else may lie below them."""
    categories = [area.category for area in areas]
    things = [thing for thing in _things(context) if thing.parent is None and id(thing) not in apart]
    found = {id(thing) for thing in things if thing.category is not None and thing.category in categories}
    below = context.item is not None and (context.item.areas or len(found) < len(things))
    return found if below else set()


def _areas(context: WriteContext, apart: set[int], paint: str) -> list[Area]:
    """Return the item's areas, and one for each category of objects that nothing else paints; later ones lie on top."""
    item = context.item
    assert item is not None
    things = [thing for thing in item.objects if id(thing) not in apart]
    return areas_of(item, things, paint, context.setting.in_areas if context.as_read is None else None)


def _restricted(context: WriteContext, members: set[int]) -> WriteContext:
    """Return the context of an item with only some of its objects; their depths remain those in the whole item."""
    assert context.item is not None
    some = tuple(thing for index, thing in enumerate(context.item.objects) if index in members)
    part = WriteContext(context.setting, msgspec.structs.replace(context.item, objects=some), context.item)
    part.family_of = context.family()
    if context.as_read is not None:
        before = tuple(t.origin.as_read for t in some if t.origin is not None and t.origin.as_read is not None)
        assert context.as_read.item is not None
        part.as_read = WriteContext(
            context.as_read.setting, msgspec.structs.replace(context.as_read.item, objects=before), None
        )
        part.as_read.family_of = context.as_read.family()
    return part


def _value(row: Any, keys: Sequence[str], largest: int = 65535) -> Value:
    """Return the pixel value of a row. Raises LackingError if it is no number, or one that an image cannot hold."""
    value = _of_channels(row, keys)
    beyond = [part for part in (value if isinstance(value, tuple) else (value,)) if not 0 <= part <= largest]
    if beyond:
        raise LackingError("the pixel value", f"a number from 0 to {largest}, not {beyond[0]}")
    return value


def _of_channels(row: Any, keys: Sequence[str]) -> Value:
    alpha = (int(row.get(ALPHA, 0)),) if ALPHA in keys else ()
    if "RGB" in row:
        return (*(int(part) for part in row["RGB"]), *alpha)
    if any(key in row for key in CHANNELS):
        return (*(int(row.get(key, 0)) for key in CHANNELS if key != ALPHA), *alpha)
    value = row[keys[0]] if keys[0] in row else next(iter(row.values()))
    if isinstance(value, bool) or not isinstance(value, int):
        raise LackingError("the pixel value", f"an integer, not {value!r}")
    return value


def _blank(value: Value) -> str:
    """Return why a record is not painted: when read again, its pixel value would stand for no record."""
    told = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return f"the pixel value {told} stands for nothing"


def raster_writer(spec: FileSpec, rule: Rule, scope: Scope) -> RasterWriter:
    """Compile the writer of a role whose document is `pixels:`."""
    alphabets = alphabets_of(rule)
    tables = () if alphabets else tuple(tables_of(rule))
    # A record counts as written when the finished image shows a pixel of it, not when it is painted.
    rows = tuple(row_writer(table, scope, holds=0) for table in tables)
    told = (held_by_row(table, scope) for table in tables)
    holds = tuple(bits | BITS["region"] | IMPLIED["region"] if bits else 0 for bits in told)
    objects = scope.inside("objects")
    palette = _category_palette if spec.palette == "category.color" else None
    try:
        blanks = tuple(_value(blank, channels_of(rule)) for blank in blanks_of(rule))
    except LackingError as lacking:
        raise problem(f"a row of constants paints no pixel: {lacking}", rule.place) from None
    shown = None if spec.shows is None else condition(parse_where(spec.shows, rule.place), objects, rule.place)
    return RasterWriter(spec, alphabets, rows, known_channels(spec.image, rule), palette, blanks, shown, holds)


def _category_palette(context: WriteContext) -> Any:
    colors = np.zeros((256, 3), np.uint8)
    for category in context.setting.categories.listed:
        if category.index is not None and category.index < 256 and category.color is not None:
            colors[category.index] = category.color[:3]
    return colors
