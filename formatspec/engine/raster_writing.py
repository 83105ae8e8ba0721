"""Label images written: what the rows of an item show is painted, later ones over earlier ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np

from formatspec.engine.frames import Frame
from formatspec.engine.held import BITS, IMPLIED, WRITTEN
from formatspec.engine.painted import areas_of, number_of
from formatspec.engine.printing import Lacking, condition
from formatspec.engine.raster_rules import (
    ANY,
    CHANNELS,
    Alphabet,
    Value,
    alphabets_of,
    blanks_of,
    channels_of,
    tables_of,
)
from formatspec.engine.scope import Scope
from formatspec.engine.sources import frames_of
from formatspec.engine.writing import RowWriter, hold, write_record
from formatspec.language.rules import (
    Rule,
    parse_where,
)
from formatspec.language.schema import FileSpec
from formatspec.model import derive
from formatspec.model.records import Area
from formatspec.model.region import Region
from formatspec.pixels import containers, png
from formatspec.pixels.painting import compose
from formatspec.pixels.palettes import bits

Rows = list[tuple[Region, Value]]


class RasterWriter(msgspec.Struct, frozen=True):
    """The writer of a label image."""

    spec: FileSpec
    alphabets: tuple[Alphabet, ...]
    rows: tuple[RowWriter, ...]
    keys: tuple[str, ...]
    palette: Callable[[Frame], Any] | None
    background: Value = None
    shown: Callable[[Frame], object] | None = None

    def encode(self, frame: Frame, source: png.Raster | None) -> bytes | None:
        """The label image of a frame; None where there is nothing to paint on.  The source while nothing changed."""
        if source is not None and frame.then is not None and self._unchanged(frame):
            return containers.encode(source.pixels, source.mode, source.palette, self.spec.path)
        return self._encoded(frame, self._painted(frame))

    def encode_shown(self, frame: Frame) -> bytes | None:
        """The label image of a frame without a source; None where there is nothing to paint, or nothing to paint on."""
        rows = self._painted(frame)
        return self._encoded(frame, rows) if rows else None

    def _encoded(self, frame: Frame, rows: Rows) -> bytes | None:
        height, width = frame.env.height, frame.env.width
        if not height or not width:
            return None
        if self.background is not None:
            rows = [(Region.full(height, width), self.background), *rows]
        mode = self._mode(rows)
        if self.keys == (ANY,):
            rows = [(region, (value,) * png.CHANNELS[mode]) for region, value in rows]
        palette = None
        if mode == "palette":
            palette = self.palette(frame) if self.palette is not None else bits()
        return containers.encode_painting(compose(rows, height, width, mode), palette, self.spec.path)

    def _unchanged(self, frame: Frame) -> bool:
        """Whether what would be painted anew is what would have been painted of the item as it was read."""
        assert frame.then is not None
        anew = Frame(frame.setting, frame.item, frame.record, frame.up, frame.index, frame.rows)
        anew.family_of = frame.family_of
        return self._painted(anew) == self._painted(frame.then)

    def shows(self, frame: Frame) -> bool:
        """Whether there is anything to paint."""
        return bool(self._painted(frame))

    def encode_some(self, frame: Frame, members: set[int], source: png.Raster | None) -> bytes | None:
        """The label image of some of an item's objects, given by their index."""
        part = _restricted(frame, members)
        return self.encode(part, source)

    def _mode(self, rows: Rows) -> Any:
        mode = self.spec.image[0] if self.spec.image else "gray"
        if mode == "index":
            return "gray16" if any(isinstance(v, int) and v > 255 for _, v in rows) else "gray"
        return mode

    def _painted(self, frame: Frame) -> Rows:
        return self._masked(frame) if self.alphabets else self._labelled(frame)

    def _masked(self, frame: Frame) -> Rows:
        found: Rows = []
        for value, slot in self.alphabets[0].slots.items():
            if slot is None or value == 0:
                continue
            region = (
                derive.region(frame.record, frame.env.height, frame.env.width)
                if slot == "region"
                else getattr(frame.record, slot)
            )
            if region:
                found.append((region, value))
                hold(frame, BITS[slot] | IMPLIED.get(slot, 0) | WRITTEN)
        return found

    def _labelled(self, frame: Frame) -> Rows:
        frame = self._of_shown(frame)
        painted: list[tuple[float, float, int, Region, Value]] = []
        for layer, row in enumerate(sorted(self.rows, key=lambda row: _LAYERS.get(row.table, 1))):
            is_area = row.table == "areas"
            records = _areas(frame, self._individual(frame)) if is_area else list(row.select(frame))
            frames = [f for f in frames_of(records, frame) if row.fits(f)]
            for index, inner in enumerate(frames):
                inner.index, inner.rows = index, len(frames)
                inner.setting.counts[str(index)] = number_of(inner, frames, row.rule.each)
                region = _region(inner)
                if not region:
                    continue
                try:
                    value = _value(write_record(row, inner), self.keys)
                except Lacking as lacking:
                    frame.setting.rows.setdefault("lost", []).append((row.table, inner.record, f"no {lacking}"))
                    continue
                order = getattr(inner.record, "order", None) or 0
                painted.append((_LAYERS.get(row.table, 1), order, layer * 1_000_000 + index, region, value))
        return [(region, value) for _, _, _, region, value in sorted(painted, key=lambda entry: entry[:3])]

    def _of_shown(self, frame: Frame) -> Frame:
        """The frame with those objects only that the label image shows."""
        things = frame.item.objects if self.shown is not None and frame.item is not None else ()
        frames = frames_of(list(things), frame)
        members = {index for index, inner in enumerate(frames) if self.shown is not None and self.shown(inner)}
        return frame if len(members) == len(things) else _restricted(frame, members)

    def _individual(self, frame: Frame) -> set[int]:
        """The objects that another table of this image paints one by one."""
        found: set[int] = set()
        for row in self.rows:
            if row.table == "objects":
                found.update(id(f.record) for f in frames_of(list(row.select(frame)), frame) if row.fits(f))
        return found


_LAYERS = {"areas": 0, "objects": 1, "children": 1, "void": 2}


def _region(frame: Frame) -> Region | None:
    record = frame.record
    if isinstance(record, Region):
        return record
    if isinstance(record, Area):
        return record.region
    return derive.region(record, frame.env.height, frame.env.width)


def _areas(frame: Frame, apart: set[int]) -> list[Area]:
    """The item's areas, and one for each category of the objects that nothing else paints: later ones on top."""
    item = frame.item
    assert item is not None
    return areas_of(item, [thing for thing in item.objects if id(thing) not in apart])


def _restricted(frame: Frame, members: set[int]) -> Frame:
    """The frame of an item that has only some of its objects; their depths stay those of the whole."""
    assert frame.item is not None
    some = tuple(thing for index, thing in enumerate(frame.item.objects) if index in members)
    part = Frame(frame.setting, msgspec.structs.replace(frame.item, objects=some), frame.item)
    part.family_of = frame.family()
    if frame.then is not None:
        before = tuple(t.origin.as_read for t in some if t.origin is not None and t.origin.as_read is not None)
        assert frame.then.item is not None
        part.then = Frame(frame.then.setting, msgspec.structs.replace(frame.then.item, objects=before), None)
        part.then.family_of = frame.then.family()
    return part


def _value(row: Any, keys: Sequence[str]) -> Value:
    if "RGB" in row:
        return tuple(int(part) for part in row["RGB"])
    if any(key in row for key in CHANNELS):
        return tuple(int(row.get(key, 0)) for key in CHANNELS)
    value = row[keys[0]] if keys[0] in row else next(iter(row.values()))
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 65536:
        raise Lacking("the pixel value", f"an integer, not {value!r}")
    return value


def raster_writer(spec: FileSpec, rule: Rule, scope: Scope) -> RasterWriter:
    """Compile the writer of a role whose document is `pixels:`."""
    alphabets = alphabets_of(rule)
    rows = () if alphabets else tuple(RowWriter(table, scope) for table in tables_of(rule))
    for row in rows:
        row.holds |= (BITS["region"] | IMPLIED["region"]) if row.holds else 0
    objects = scope.inside("objects")
    palette = _category_palette if spec.palette == "category.color" else None
    background = next((_value(blank, channels_of(rule)) for blank in blanks_of(rule)), None)
    shown = None if spec.shows is None else condition(parse_where(spec.shows, rule.place), objects, rule.place)
    return RasterWriter(spec, alphabets, rows, channels_of(rule), palette, background, shown)


def _category_palette(frame: Frame) -> Any:
    colors = np.zeros((256, 3), np.uint8)
    for category in frame.setting.categories.listed:
        if category.index is not None and category.index < 256 and category.color is not None:
            colors[category.index] = category.color[:3]
    return colors
