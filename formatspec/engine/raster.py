"""Label images: one row per distinct pixel value, whose pixels are the row's region; both ways."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec
import numpy as np

from formatspec.engine.frames import Frame
from formatspec.engine.held import BITS, IMPLIED, WRITTEN
from formatspec.engine.job import Job, Record, put
from formatspec.engine.painted import areas_of, number_of
from formatspec.engine.printing import Lacking, condition
from formatspec.engine.ranks import Ranks, spread_of
from formatspec.engine.reading import Context, row_reader
from formatspec.engine.row_reading import RowReader, read_row
from formatspec.engine.scope import Scope
from formatspec.engine.sources import frames_of
from formatspec.engine.writing import RowWriter, hold, write_record
from formatspec.language.leaf import Bind, Constant
from formatspec.language.rules import (
    LeafRule,
    ListRule,
    MapRule,
    OneOf,
    Rule,
    TableRule,
    is_derived,
    parse_where,
    problem,
)
from formatspec.language.schema import FileSpec
from formatspec.model import derive
from formatspec.model.image_error import ImageError
from formatspec.model.records import Area
from formatspec.model.region import Region
from formatspec.pixels import containers, png
from formatspec.pixels.labels import split, zero_region
from formatspec.pixels.painting import compose
from formatspec.pixels.palettes import bits

CHANNELS = ("R", "G", "B")
ANY = "any"
"""255 where any channel is not 0, else 0."""
KEYS = ("L", "P", *CHANNELS, "RGB", ANY)
Value = Any


class Alphabet(msgspec.Struct, frozen=True):
    """A mask of one record: which slot each pixel value selects; None selects nothing."""

    slots: Mapping[int, str | None]


class RasterReader(msgspec.Struct, frozen=True):
    """The reader of a label image."""

    spec: FileSpec
    alphabets: tuple[Alphabet, ...]
    rows: tuple[RowReader, ...]
    keys: tuple[str, ...]
    rule: Rule
    blanks: tuple[Record, ...] = ()
    spread: Callable[[int, int], int | None] = lambda rank, count: None

    def read(self, data: bytes, record: Record, job: Job) -> png.Raster | None:
        """Bind what the pixels say: to `record` for a mask of one record, else to the tables of the job."""
        raster = containers.decode(data)
        height, width = raster.pixels.shape[:2]
        if not fits_mode(raster.mode, self.spec.image):
            self._other_mode(raster.mode, job)
            return None
        if not self._fits_size(width, height, job):
            return None
        size = job.size()
        pixels = _channels(raster, self.keys)
        if self.spec.scaled and size is not None:
            pixels = scaled(pixels, *size)
        if self.alphabets:
            self._read_mask(pixels, record, job)
        else:
            self._read_rows(pixels, raster, record, job)
        return raster

    def look(self, data: bytes, job: Job) -> None:
        """What the header and the end tell, without decoding."""
        size = None if self.spec.scaled else job.size()
        if containers.is_whole_png(data) and _is_expected(data[: containers.PNG_HEADER], self.spec.image, size):
            return
        header = containers.read_header(data)
        if not fits_header(header, self.spec.image):
            self._other_mode(f"colour type {header.color} with {header.depth} bits", job)
        self._fits_size(header.width, header.height, job)
        if not containers.is_whole(data):
            job.fault("FILE_TRUNCATED", (), self.rule.place, "the file stops before its end")

    def _other_mode(self, got: str, job: Job) -> None:
        wanted = " or ".join(self.spec.image)
        job.fault("PIXEL_MODE", (), self.rule.place, "the label image has another mode", wanted, got)

    def _fits_size(self, width: int, height: int, job: Job) -> bool:
        size = job.size()
        if size is None or size == (width, height) or self.spec.scaled:
            return True
        job.fault(
            "PIXEL_SIZE", (), self.rule.place, "the label image and its image differ in size",
            f"{size[0]} x {size[1]}", f"{width} x {height}",
        )  # fmt: skip
        return False

    def _read_mask(self, pixels: Any, record: Record, job: Job) -> None:
        found = dict(split(pixels))
        alphabet = next((a for a in self.alphabets if all(value in a.slots for value in found)), None)
        if alphabet is None:
            known = {value for a in self.alphabets for value in a.slots}
            odd = sorted(value for value in found if value not in known) or sorted(found)
            words = " or ".join(str(sorted(a.slots)) for a in self.alphabets)
            job.fault("PIXEL_VALUE", (), self.rule.place, "pixel values that mean nothing here", words, odd[:10])
            return
        height, width = pixels.shape[:2]
        slots: dict[str, Region] = {}
        for value, slot in alphabet.slots.items():
            if slot is None:
                continue
            if value == 0:
                slots[slot] = zero_region(pixels)
            elif value in found:
                slots[slot] = slots[slot] | found[value] if slot in slots else found[value]
            elif slot == "region":
                slots.setdefault(slot, Region.empty(height, width))
        for slot, region in slots.items():
            put(record, slot, region, job)

    def _read_rows(self, pixels: Any, raster: png.Raster, record: Record, job: Job) -> None:
        values: list[tuple[Value, Region | None]] = list(split(pixels))
        zero = 0 if pixels.ndim == 2 else (0,) * pixels.shape[2]
        values.insert(0, (zero, None))
        colors = _color_index(self.spec, raster, self.keys)
        known = {slot: value for slot in ("level", "id") if (value := job.captures.get(f"object.{slot}")) is not None}
        if any("rank" in reader.by for reader in self.rows):
            known["$ranks"] = self._ranks([_row(value, self.keys, colors) for value, _ in values[1:]], job)
        for position, (value, region) in enumerate(values):
            row = _row(value, self.keys, colors)
            if not self.rows or any(blank.items() <= row.items() for blank in self.blanks):
                continue
            before = len(job.faults)
            if region is None:
                if not self._zero_means_something(row, job):
                    continue
                region = zero_region(pixels)
                if not region:
                    continue
            read_row(row, position, self.rows, record, job, {**known, "region": region})
            if len(job.faults) > before:
                first = job.faults[before]
                del job.faults[before:]
                job.fault(
                    first.code if first.code != "ALTERNATIVE" else "PIXEL_VALUE", (), first.place,
                    f"pixel value {value}: {first.message}", first.expected, first.got,
                )  # fmt: skip

    def _ranks(self, rows: Sequence[Record], job: Job) -> Ranks:
        """The numbers that order records in this file."""
        aside = Job(dict(job.captures), job.categories, False)
        aside.env = job.env
        found: set[int] = set()
        for row in rows:
            record: Record = {}
            self.rows[0].read(row, record, aside)
            found.add(record.get("?rank") or 0)
        return Ranks(tuple(sorted(found - {0})), self.spread)

    def _zero_means_something(self, row: Record, job: Job) -> bool:
        """Whether 0 decodes to a record that is there: tried aside, so that nothing is kept of it."""
        if any(reader.kind == "void" for reader in self.rows) and len(self.rows) == 1:
            return False
        aside = Job(dict(job.captures), job.categories, False)
        aside.env = job.env
        for reader in self.rows:
            if reader.kind == "void":
                continue
            record: Record = {}
            before = len(aside.faults)
            reader.read(row, record, aside)
            named = any(slot.startswith("category.") for slot in record)
            known = job.categories.find(record) is not None if named else bool(self.blanks)  # the background is another
            if len(aside.faults) == before and reader.fits(record, aside) and known:
                return True
            del aside.faults[before:]
        return False


@lru_cache(maxsize=1024)
def _is_expected(header: bytes, modes: tuple[str, ...], size: tuple[int, int] | None) -> bool:
    """Whether a PNG file with this header has one of the modes, and this size if any; those of a dataset are alike."""
    try:
        found = png.read_header(header)
    except ImageError:
        return False
    return fits_header(found, modes) and size in (None, (found.width, found.height))


def fits_mode(mode: str, modes: Sequence[str]) -> bool:
    """Whether a label image has one of the modes that a spec names; `index` is any with one channel."""
    if not modes or mode in modes:
        return True
    if "index" in modes and mode in ("gray", "palette", "gray16"):
        return True
    return ("rgb" in modes and mode in ("rgba", "palette")) or ("gray16" in modes and mode == "gray")


def fits_header(header: png.Header, modes: Sequence[str]) -> bool:
    """Whether a PNG's header can be one of the modes."""
    if header.color == 0:
        return fits_mode("gray16" if header.depth == 16 else "gray", modes)
    return fits_mode(_COLOR_MODES.get(header.color, "rgb"), modes)


_COLOR_MODES = {3: "palette", 6: "rgba"}


def scaled(pixels: Any, width: int, height: int) -> Any:
    """Pixels in another size: each is that in whose square its centre lies."""
    if pixels.shape[:2] == (height, width):
        return pixels
    rows, columns = (
        ((2 * np.arange(new) + 1) * old // (2 * new))
        for new, old in ((height, pixels.shape[0]), (width, pixels.shape[1]))
    )
    return np.ascontiguousarray(pixels[rows][:, columns])


def _channels(raster: png.Raster, keys: Sequence[str]) -> Any:
    pixels = raster.pixels
    if keys == (ANY,):
        return (pixels.any(axis=2) if pixels.ndim == 3 else pixels != 0).astype(np.uint8) * 255
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        pixels = pixels[..., :3]
    if raster.mode == "palette" and any(key in CHANNELS or key == "RGB" for key in keys):
        assert raster.palette is not None
        return raster.palette[pixels]
    return pixels


def _color_index(spec: FileSpec, raster: png.Raster, keys: Sequence[str]) -> dict[Any, int] | None:
    """For indices that are stored as the colours of a fixed palette: which index each colour is."""
    if "P" not in keys or raster.mode not in ("rgb", "rgba") or spec.palette != "bits":
        return None
    return {tuple(int(part) for part in color): index for index, color in enumerate(bits())}


def _row(value: Value, keys: Sequence[str], colors: dict[Any, int] | None) -> Record:
    if colors is not None:
        return {"P": colors.get(value, value)}
    if isinstance(value, tuple):
        row: Record = {key: value[CHANNELS.index(key)] for key in keys if key in CHANNELS}
        if "RGB" in keys:
            row["RGB"] = list(value)
        return row
    return dict.fromkeys(keys, value)


def _alphabets(rule: Rule) -> tuple[Alphabet, ...]:
    """The alphabets of a mask of one record; none if the rule is a table."""
    if isinstance(rule, OneOf):
        found = [_alphabets(choice) for choice in rule.alternatives]
        return tuple(a for group in found for a in group)
    if isinstance(rule, MapRule) and not rule.fields:
        return tuple(a for choice in rule.alternatives for a in _alphabets(choice))
    if not isinstance(rule, MapRule) or len(rule.fields) != 1:
        return ()
    leaf = rule.fields[0].rule.leaf if isinstance(rule.fields[0].rule, LeafRule) else None
    if not isinstance(leaf, Bind) or leaf.names != ("slot",):
        return ()
    if len(leaf.calls) != 1 or leaf.calls[0].name != "map":
        raise problem("`slot` goes through one map", rule.place, "slot | map(0=null, 255=region)")
    return (Alphabet({a.file: a.value for a in leaf.calls[0].arguments}),)


def _keys(rule: Rule) -> tuple[str, ...]:
    if isinstance(rule, OneOf):
        return tuple(dict.fromkeys(key for choice in rule.alternatives for key in _keys(choice)))
    if isinstance(rule, TableRule):
        return _keys(rule.row)
    if isinstance(rule, MapRule):
        return tuple(dict.fromkeys(key for field in rule.fields for key in field.keys))
    return ()


def _blanks(rule: Rule) -> tuple[Record, ...]:
    """Pixel values that mean nothing: alternatives of constants only, without a table."""
    if isinstance(rule, OneOf):
        return tuple(blank for choice in rule.alternatives for blank in _blanks(choice))
    if not isinstance(rule, MapRule) or not rule.fields:
        return ()
    values = {field.keys[0]: _constant(field.rule) for field in rule.fields}
    return () if None in values.values() else (values,)


def _constant(rule: Rule) -> Any:
    if isinstance(rule, ListRule):
        parts = [_constant(part) for part in rule.rules]
        return None if None in parts else parts
    return rule.leaf.value if isinstance(rule, LeafRule) and isinstance(rule.leaf, Constant) else None


def tables_of(rule: Rule) -> tuple[TableRule, ...]:
    """The tables of a label image's rule, in order."""
    if isinstance(rule, TableRule):
        return (rule,)
    if isinstance(rule, OneOf):
        return tuple(table for choice in rule.alternatives for table in tables_of(choice))
    return ()


def raster_reader(spec: FileSpec, rule: Rule, scope: Scope, context: Context) -> RasterReader:
    """Compile the reader of a role whose document is `pixels:`."""
    alphabets = _alphabets(rule)
    tables = () if alphabets else tables_of(rule)
    rows = tuple(row_reader(table, scope, context) for table in tables if not is_derived(table.row))
    if not alphabets and not tables:
        raise problem("pixels are a table, or a mask of one record", rule.place, "`each:`, or `L: slot | map(…)`")
    keys = _keys(rule)
    for key in keys:
        if key not in KEYS:
            raise problem(f"{key!r} is no channel of a label image", rule.place, " or ".join(KEYS))
    return RasterReader(spec, alphabets, rows, keys, rule, _blanks(rule), spread_of(tables))


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
    alphabets = _alphabets(rule)
    rows = () if alphabets else tuple(RowWriter(table, scope) for table in tables_of(rule))
    for row in rows:
        row.holds |= (BITS["region"] | IMPLIED["region"]) if row.holds else 0
    objects = scope.inside("objects")
    palette = _category_palette if spec.palette == "category.color" else None
    background = next((_value(blank, _keys(rule)) for blank in _blanks(rule)), None)
    shown = None if spec.shows is None else condition(parse_where(spec.shows, rule.place), objects, rule.place)
    return RasterWriter(spec, alphabets, rows, _keys(rule), palette, background, shown)


def _category_palette(frame: Frame) -> Any:
    colors = np.zeros((256, 3), np.uint8)
    for category in frame.setting.categories.listed:
        if category.index is not None and category.index < 256 and category.color is not None:
            colors[category.index] = category.color[:3]
    return colors
