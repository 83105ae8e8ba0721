"""The reader of label images: each distinct pixel value is a row, and the pixels with this value are its region."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import msgspec
import numpy as np

from formatspec.engine.base.faults import Record
from formatspec.engine.label_images.ranks import spread_of
from formatspec.engine.label_images.rules import (
    ALPHA,
    ANY,
    CHANNELS,
    Alphabet,
    Value,
    alphabets_of,
    blanks_of,
    known_channels,
    tables_of,
)
from formatspec.engine.read.compile_reader import row_reader
from formatspec.engine.read.item_state import PIXEL, ItemState, put
from formatspec.engine.read.leaf_reader import ReadContext
from formatspec.engine.read.rows.merge_rows import Ranks, RowReader
from formatspec.engine.read.rows.table_row import read_row
from formatspec.engine.resolve.scope import Scope
from formatspec.language.rules import Rule, is_derived, problem
from formatspec.language.schema import FileSpec
from formatspec.model.plain.image_error import ImageError
from formatspec.model.region import Region
from formatspec.pixels import containers, png
from formatspec.pixels.labels import split, zero_region
from formatspec.pixels.painting import KeptRaster, kept
from formatspec.pixels.palettes import bits
from formatspec.pixels.png_header import HEADER_SIZE, Header, read_header


class RasterReader(msgspec.Struct, frozen=True):
    """The reader of one role's label images."""

    spec: FileSpec
    alphabets: tuple[Alphabet, ...]
    rows: tuple[RowReader, ...]
    keys: tuple[str, ...]
    rule: Rule
    blanks: tuple[Record, ...] = ()
    spread: Callable[[int, int], int | None] = lambda rank, count: None

    def read(self, data: bytes, record: Record, state: ItemState) -> png.Raster | KeptRaster | None:
        """Bind what the pixels say: to `record` if the image masks one record, else to the tables of the state.

        Returns:
            The image, kept as runs where the item is written again; None if the image does not fit.
        """
        raster = containers.decode(data)
        height, width = raster.pixels.shape[:2]
        if not fits_mode(raster.mode, self.spec.image):
            self._other_mode(raster.mode, state)
            return None
        if raster.mode == "gray" and "palette" in _before("gray", self.spec.image):
            message = "the label image is grey where a palette is usual; its values are taken as indices"
            state.fault("PIXEL_MODE", (), self.rule.place, message, "palette", "gray", case="index")
        if not self._fits_size(width, height, state):
            return None
        size = state.size()
        pixels = _channels(raster, self.keys)
        if self.spec.scaled and size is not None:
            pixels = scaled_to_image(pixels, *size)
        if self.alphabets:
            self._read_mask(pixels, record, state)
        else:
            self._read_rows(pixels, raster, record, state)
        return kept(raster) if state.origin else raster

    def look(self, data: bytes, state: ItemState) -> None:
        """Check what the header and the end of a file say, without decoding it."""
        size = None if self.spec.scaled else state.size()
        if containers.is_whole_png(data) and _is_expected(data[:HEADER_SIZE], self.spec.image, size):
            return
        header = containers.read_header(data)
        if not fits_header(header, self.spec.image):
            self._other_mode(f"colour type {header.color} with {header.depth} bits", state)
        self._fits_size(header.width, header.height, state)
        if not containers.is_whole(data):
            state.fault("FILE_TRUNCATED", (), self.rule.place, "the file stops before its end")

    def _other_mode(self, got: str, state: ItemState) -> None:
        wanted = " or ".join(self.spec.image)
        state.fault("PIXEL_MODE", (), self.rule.place, "the label image has another mode", wanted, got)

    def _fits_size(self, width: int, height: int, state: ItemState) -> bool:
        size = state.size()
        if size is None or size == (width, height) or self.spec.scaled:
            return True
        state.fault(
            "PIXEL_SIZE", (), self.rule.place, "the label image and its image differ in size",
            f"{size[0]} x {size[1]}", f"{width} x {height}",
        )  # fmt: skip
        return False

    def _read_mask(self, pixels: Any, record: Record, state: ItemState) -> None:
        found = dict(split(pixels))
        alphabet = next((a for a in self.alphabets if all(value in a.slots for value in found)), None)
        if alphabet is None:
            known = {value for a in self.alphabets for value in a.slots}
            odd = sorted(value for value in found if value not in known) or sorted(found)
            words = " or ".join(str(sorted(a.slots)) for a in self.alphabets)
            state.fault("PIXEL_VALUE", (), self.rule.place, "pixel values that mean nothing here", words, odd[:10])
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
            put(record, slot, region, state)

    def _read_rows(self, pixels: Any, raster: png.Raster, record: Record, state: ItemState) -> None:
        values: list[tuple[Value, Region | None]] = list(split(pixels))
        zero = 0 if pixels.ndim == 2 else (0,) * pixels.shape[2]
        values.insert(0, (zero, None))
        colors = _color_index(self.spec, raster, self.keys)
        if colors is not None:
            known_colors = state.categories.pixels
            if self.spec.path not in known_colors:
                known_colors[self.spec.path] = self._colors_of_categories(state)
            colors |= known_colors[self.spec.path]
        known = {slot: value for slot in ("level", "id") if (value := state.captures.get(f"object.{slot}")) is not None}
        if any("rank" in reader.by for reader in self.rows):
            known["$ranks"] = self._ranks([_row(value, self.keys, colors) for value, _ in values[1:]], state)
        for position, (value, region) in enumerate(values):
            row = _row(value, self.keys, colors)
            if not self.rows or any(blank.items() <= row.items() for blank in self.blanks):
                continue
            before = len(state.faults)
            if region is None:
                if not self._zero_means_something(row, state):
                    continue
                region = zero_region(pixels)
                if not region:
                    continue
            read_row(row, position, self.rows, record, state, {**known, "region": region, PIXEL: value})
            if len(state.faults) > before:
                first = state.faults[before]
                del state.faults[before:]
                code = "PIXEL_VALUE" if first.code in ("ALTERNATIVE", "UNKNOWN_CATEGORY") else first.code
                words = f"pixel value {value} ({region.told}): {first.message}"
                state.fault(code, (), first.place, words, first.expected, first.got)

    def _colors_of_categories(self, state: ItemState) -> dict[Any, int]:
        """Return the pixel value of each category whose colour is known: a list of classes may state other colours."""
        rows = [reader for reader in self.rows if reader.table == "areas"]
        if not any(one.color is not None for one in state.categories.listed):
            return {}
        aside = ItemState(dict(state.captures), state.categories, False)
        aside.env = state.env
        found: dict[Any, int] = {}
        for value in range(len(bits())):
            for reader in rows:
                record: Record = {}
                reader.read({"P": value}, record, aside)
                category = state.categories.find(record)
                if category is not None and category.color is not None:
                    found.setdefault(tuple(category.color), value)
        return found

    def _ranks(self, rows: Sequence[Record], state: ItemState) -> Ranks:
        """Return the numbers by which this file orders its records."""
        aside = ItemState(dict(state.captures), state.categories, False)
        aside.env = state.env
        found: set[int] = set()
        for row in rows:
            record: Record = {}
            self.rows[0].read(row, record, aside)
            found.add(record.get("?rank") or 0)
        return Ranks(tuple(sorted(found - {0})), self.spread)

    def _zero_means_something(self, row: Record, state: ItemState) -> bool:
        """Whether the pixel value 0 stands for a record; the test leaves the item's state unchanged."""
        if any(reader.kind == "void" for reader in self.rows) and len(self.rows) == 1:
            return False
        aside = ItemState(dict(state.captures), state.categories, False)
        aside.env = state.env
        for reader in self.rows:
            if reader.kind == "void":
                continue
            record: Record = {}
            before = len(aside.faults)
            reader.read(row, record, aside)
            named = any(slot.startswith("category.") for slot in record)
            known = (
                state.categories.find(record) is not None if named else bool(self.blanks)
            )  # where values are blank, 0 is not the background
            if len(aside.faults) == before and reader.fits(record, aside) and known:
                return True
            del aside.faults[before:]
        return False


@lru_cache(maxsize=1024)
def _is_expected(header: bytes, modes: tuple[str, ...], size: tuple[int, int] | None) -> bool:
    """Whether a PNG file with this header has one of the modes, and this size if any; cached for equal headers."""
    try:
        found = read_header(header)
    except ImageError:
        return False
    return fits_header(found, modes) and size in (None, (found.width, found.height))


def _before(mode: str, modes: Sequence[str]) -> Sequence[str]:
    """Return the modes that a spec names before this one; none if it does not name this one."""
    return modes[: modes.index(mode)] if mode in modes else ()


def fits_mode(mode: str, modes: Sequence[str]) -> bool:
    """Whether a mode is one of those that a spec names; `index` stands for any mode with one channel."""
    if not modes or mode in modes:
        return True
    if "index" in modes and mode in ("gray", "palette", "gray16"):
        return True
    return ("rgb" in modes and mode in ("rgba", "palette")) or ("gray16" in modes and mode == "gray")


def fits_header(header: Header, modes: Sequence[str]) -> bool:
    """Whether an image with this PNG header can have one of the modes."""
    if header.color == 0:
        return fits_mode("gray16" if header.depth == 16 else "gray", modes)
    return fits_mode(_COLOR_MODES.get(header.color, "rgb"), modes)


_COLOR_MODES = {3: "palette", 6: "rgba"}


def scaled_to_image(pixels: Any, width: int, height: int) -> Any:
    """Return pixels scaled to the image's size: each new pixel has the value of the old pixel that holds its centre."""
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
    if pixels.ndim == 3 and pixels.shape[2] == 4 and ALPHA not in keys:
        pixels = pixels[..., :3]
    if raster.mode == "palette" and any(key in CHANNELS or key == "RGB" for key in keys):
        assert raster.palette is not None
        return raster.palette[pixels]
    return pixels


def _color_index(spec: FileSpec, raster: png.Raster, keys: Sequence[str]) -> dict[Any, int] | None:
    """Return the index of each colour, if a fixed palette's colours stand for indices; else None."""
    if "P" not in keys or raster.mode not in ("rgb", "rgba") or spec.palette != "bits":
        return None
    return {tuple(int(part) for part in color): index for index, color in enumerate(bits())}


def _row(value: Value, keys: Sequence[str], colors: dict[Any, int] | None) -> Record:
    if colors is not None:
        return {"P": colors.get(value, value)}
    if isinstance(value, tuple):
        row: Record = {key: value[CHANNELS.index(key)] for key in keys if key in CHANNELS}
        if "RGB" in keys:
            row["RGB"] = list(value[:3])
        return row
    return dict.fromkeys(keys, value)


def raster_reader(spec: FileSpec, rule: Rule, scope: Scope, context: ReadContext) -> RasterReader:
    """Compile the reader of a role whose document is `pixels:`."""
    alphabets = alphabets_of(rule)
    tables = () if alphabets else tables_of(rule)
    rows = tuple(row_reader(table, scope, context) for table in tables if not is_derived(table.row))
    if not alphabets and not tables:
        raise problem(
            "`pixels` needs a table of records, or the mask of one record", rule.place, "`each:`, or `L: slot | map(…)`"
        )
    keys = known_channels(spec.image, rule)
    return RasterReader(spec, alphabets, rows, keys, rule, blanks_of(rule), spread_of(tables))
