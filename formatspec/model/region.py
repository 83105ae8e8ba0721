"""A set of pixels of one image, stored as run lengths."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from formatspec.model import rings as _rings
from formatspec.model import runs as _runs
from formatspec.model.limits import check_limit
from formatspec.model.rings import EdgeRing, TracedOutline
from formatspec.model.runs import Ints, Mask

__all__ = ["Region", "TracedOutline"]

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Region:
    """A set of pixels of an image of `height` rows and `width` columns.

    Two regions are equal if their sizes and pixels are.

    Attributes:
        height: Rows of the image.
        width: Columns of the image.
        bounds: Read-only, int64, shape (2 n,): alternating start and stop offsets, strictly increasing, in column-major
            order of the whole image (offset = x * height + y).

    Raises:
        ValueError: The bounds are not of that form.
    """

    height: int
    width: int
    bounds: Ints

    def __post_init__(self) -> None:
        """Check the runs and make them read-only.  Raises ValueError."""
        bounds = np.array(self.bounds, np.int64)
        if self.height < 0 or self.width < 0:
            raise ValueError(f"an image cannot have {self.height} rows and {self.width} columns")
        if bounds.ndim != 1 or bounds.size % 2 or not (bounds[1:] > bounds[:-1]).all():
            raise ValueError("the bounds of runs are strictly increasing pairs of start and stop")
        if bounds.size and (bounds[0] < 0 or bounds[-1] > self.height * self.width):
            raise ValueError(f"a run leaves the image of {self.height} rows and {self.width} columns")
        bounds.flags.writeable = False
        object.__setattr__(self, "bounds", bounds)

    # -- made from ---------------------------------------------------------------------------------------

    @classmethod
    def of_runs(cls, height: int, width: int, bounds: Ints) -> Region:
        """Return the region of bounds that `runs` has made; they are neither checked nor copied."""
        region = object.__new__(cls)
        bounds.flags.writeable = False
        object.__setattr__(region, "height", height)
        object.__setattr__(region, "width", width)
        object.__setattr__(region, "bounds", bounds)
        return region

    @classmethod
    def empty(cls, height: int, width: int) -> Region:
        """Return a region without pixels."""
        return cls(height, width, np.empty(0, np.int64))

    @classmethod
    def full(cls, height: int, width: int) -> Region:
        """Return a region of every pixel."""
        return cls(height, width, np.array([0, height * width] if height * width else [], np.int64))

    @classmethod
    def from_mask(cls, mask: Mask) -> Region:
        """Return the true pixels of a mask.

        Args:
            mask: Shape (height, width), bool.
        """
        starts, stops, _ = _runs.nonzero_runs(mask)
        return cls.of_runs(mask.shape[0], mask.shape[1], _runs.join(starts, stops))

    @classmethod
    def from_crop(cls, mask: Mask, left: int, top: int, height: int, width: int) -> Region:
        """The true pixels of a mask of a part of the image.

        Args:
            mask: Shape (h, w), bool.
            left: The column of the mask's first pixel in the whole image, from 0.
            top: The row, likewise.
            height: Rows of the whole image.
            width: Columns of the whole image.

        Raises:
            ValueError: The crop reaches beyond the image.
        """
        tall, wide = mask.shape
        if left < 0 or top < 0 or left + wide > width or top + tall > height:
            raise ValueError(
                f"a crop of {tall} rows and {wide} columns at x = {left}, y = {top} leaves the image of "
                f"{height} rows and {width} columns"
            )
        starts, stops, _ = _runs.nonzero_runs(mask)
        first = (starts // max(tall, 1) + left) * height + starts % max(tall, 1) + top
        return cls.of_runs(height, width, _runs.join(first, first + stops - starts))

    @classmethod
    def from_counts(cls, counts: Sequence[int] | Ints, height: int, width: int) -> Region:
        """The pixels that run lengths say, in column-major order, zeros first.

        Args:
            counts: A flat list of whole numbers.
            height: Rows of the image.
            width: Columns of the image.

        Raises:
            ValueError: A length is negative, or they do not add up to the image's pixels.
        """
        lengths = np.asarray(counts)
        if lengths.size == 0:
            lengths = lengths.astype(np.int64)
        if lengths.ndim != 1 or lengths.dtype.kind not in "iu":
            raise ValueError("run lengths are a flat list of whole numbers")
        return cls(height, width, _runs.from_counts(lengths.astype(np.int64), height * width))

    @classmethod
    def from_coco(cls, value: Mapping[str, Any]) -> Region:
        """The pixels of run lengths as COCO spells them.

        Args:
            value: {"size": [height, width], "counts": compressed text, its bytes, or a plain list}.

        Raises:
            ValueError: The value is malformed; the message is a sentence.
        """
        size, counts = value.get("size"), value.get("counts")
        if not isinstance(size, (list, tuple)) or len(size) != 2 or not all(type(n) is int and n >= 0 for n in size):
            raise ValueError(f"the size of run lengths is [height, width], not {size!r}")
        height, width = size
        if isinstance(counts, str):
            counts = counts.encode("utf-8")
        if isinstance(counts, bytes):
            return cls.of_runs(height, width, _runs.from_counts(_runs.unpack(counts), height * width))
        if isinstance(counts, (list, tuple)):
            if not all(type(n) is int for n in counts):
                raise ValueError("run lengths are a flat list of whole numbers")
            return cls.from_counts(counts, height, width)
        raise ValueError(f"the counts of run lengths are a text or a list, not {type(counts).__name__}")

    @classmethod
    def from_polygons(cls, rings: Sequence[EdgeRing], height: int, width: int) -> Region:
        """The pixels whose centre lies in any ring; each ring is filled even-odd.

        A centre exactly on an edge belongs to the side with the greater x and y.

        Args:
            rings: Each x0, y0, x1, y1, …, in continuous pixels with the origin at the outer corner of the first pixel.
                What lies outside the image is cut off.
            height: Rows of the image.
            width: Columns of the image.

        Raises:
            ValueError: A ring has an odd number of coordinates, or one that is not finite.
        """
        return cls.of_runs(height, width, _rings.fill_union(rings, height, width))

    @classmethod
    def of_each(cls, shapes: Sequence[Sequence[EdgeRing]], height: int, width: int) -> list[Region]:
        """Return what `from_polygons` gives for several shapes of one image, in a fraction of the time."""
        return [cls.of_runs(height, width, bounds) for bounds in _rings.fill_each(shapes, height, width)]

    @classmethod
    def from_rings_evenodd(cls, rings: Sequence[EdgeRing], height: int, width: int) -> Region:
        """As `from_polygons`, but a pixel belongs if an odd number of rings holds it: outlines with holes."""
        return cls.of_runs(height, width, _rings.fill_evenodd(rings, height, width))

    @classmethod
    def overlaid(cls, layers: Sequence[tuple[Region, Key]]) -> dict[Key, Region]:
        """What is seen of regions that lie one over the other.

        Args:
            layers: Regions with their keys, the last on top.

        Returns:
            The visible pixels of each key.

        Raises:
            ValueError: The images differ in size.
        """
        if not layers:
            return {}
        for region, _ in layers:
            region._same_size(layers[0][0])
        starts, stops, seen = _runs.topmost([region.bounds for region, _ in layers])
        places: dict[Key, int] = {}
        place_of = np.array([places.setdefault(key, len(places)) for _, key in layers])
        height, width = layers[0][0].height, layers[0][0].width
        found = {key: cls.empty(height, width) for key in places}
        keys = list(places)
        own = place_of[seen]
        for first, bounds in _runs.by_key(starts, stops, own):
            found[keys[own[first]]] = cls.of_runs(height, width, bounds)
        return found

    # -- what it is --------------------------------------------------------------------------------------

    def __bool__(self) -> bool:
        """Return whether there is any pixel."""
        return self.bounds.size > 0

    def __eq__(self, other: object) -> bool:
        """Return whether the sizes of the images and the pixels are the same."""
        if not isinstance(other, Region):
            return NotImplemented
        return (self.height, self.width) == (other.height, other.width) and np.array_equal(self.bounds, other.bounds)

    def __hash__(self) -> int:
        """Return a hash of size and runs."""
        return hash((self.height, self.width, self.bounds.tobytes()))

    def __reduce__(self) -> tuple[type[Region], tuple[int, int, Ints]]:
        """Pickle through the constructor, since arrays lose their read-only flag in a pickle."""
        return Region, (
            self.height,
            self.width,
            self.bounds,
        )  # the constructor makes the array read-only again

    def __repr__(self) -> str:
        """Return the image's size, the area in pixels and the bounding box."""
        return f"Region({self.height}x{self.width}, area {self.area}, bbox {self.bbox})"

    @property
    def area(self) -> int:
        """The number of pixels."""
        bounds = self.bounds
        if bounds.size <= _FEW:
            ends: list[int] = bounds.tolist()
            return sum(ends[1::2]) - sum(ends[::2])
        return int(bounds[1::2].sum() - bounds[::2].sum())

    @property
    def bbox(self) -> tuple[int, int, int, int] | None:
        """(x, y, width, height) of the smallest box around the pixels, None if there are none."""
        if not self.bounds.size:
            return None
        if self.bounds.size <= _FEW:
            return _box_of_few(self.bounds.tolist(), self.height)
        starts, stops = self.bounds[::2], self.bounds[1::2] - 1
        first, last = starts // self.height, stops // self.height
        left, right = int(first[0]), int(last[-1]) + 1
        if (first != last).any():  # a run that spans several columns touches the first row and the last
            return left, 0, right - left, self.height
        top = int((starts - first * self.height).min())
        bottom = int((stops - last * self.height).max()) + 1
        return left, top, right - left, bottom - top

    @property
    def told(self) -> str:
        """How many pixels there are, and where the first of them lies, in words."""
        if not self:
            return "no pixel"
        mask, left, top = self.crop()
        at = f"at column {left + int(mask[0].argmax())}, row {top}"
        return f"1 pixel, {at}" if self.area == 1 else f"{self.area:,} pixels, the first {at}"

    @property
    def touches_border(self) -> bool:
        """Whether a pixel lies in the image's first or last row or column."""
        box = self.bbox
        if box is None:
            return False
        x, y, w, h = box
        return x == 0 or y == 0 or x + w == self.width or y + h == self.height

    # -- sets --------------------------------------------------------------------------------------------

    def __or__(self, other: Region) -> Region:
        """Return the union. Raises ValueError if the images differ in size."""
        return self._combined(other, (1, 2, 3))

    def __and__(self, other: Region) -> Region:
        """Return the intersection. Raises ValueError if the images differ in size."""
        return self._combined(other, (3,))

    def __sub__(self, other: Region) -> Region:
        """Return the pixels that are only in this region. Raises ValueError if the images differ in size."""
        return self._combined(other, (1,))

    def _combined(self, other: Region, members: tuple[int, ...]) -> Region:
        self._same_size(other)
        return Region.of_runs(self.height, self.width, _runs.combine(self.bounds, other.bounds, members))

    def _same_size(self, other: Region) -> None:
        if (self.height, self.width) != (other.height, other.width):
            raise ValueError(
                f"regions of images of different sizes: {self.height} rows and {self.width} columns, "
                f"{other.height} rows and {other.width} columns"
            )

    def common_areas(self, others: Sequence[Region]) -> list[int]:
        """Return how many pixels this region has in common with each of some others.

        Raises:
            ValueError: The images differ in size.
        """
        for other in others:
            self._same_size(other)
        return _runs.common(self.bounds, [other.bounds for other in others])

    def iou(self, other: Region) -> float:
        """Intersection over union, from 0 to 1; 0.0 for two empty regions.

        Raises:
            ValueError: The images differ in size.
        """
        (common,) = self.common_areas([other])
        together = self.area + other.area - common
        return common / together if together else 0.0

    # -- turned into -------------------------------------------------------------------------------------

    def to_mask(self) -> Mask:
        """The pixels as a mask.

        Returns:
            Shape (height, width), bool.

        Raises:
            TooLargeError: The image has more pixels than the limit `decoded` allows.
        """
        check_limit("decoded", self.height * self.width, "a mask of the whole image has a size in bytes of")
        mask = np.zeros((self.height, self.width), np.bool_)
        crop, left, top = self.crop()
        mask[top : top + crop.shape[0], left : left + crop.shape[1]] = crop
        return mask

    def crop(self) -> tuple[Mask, int, int]:
        """The pixels inside their bounding box.

        Returns:
            A mask of shape (h, w), bool, and the column and the row of its first pixel.

        Raises:
            TooLargeError: The box has more pixels than the limit `decoded` allows.
        """
        left, top, wide, tall = self.bbox or (0, 0, 0, 0)
        check_limit("decoded", wide * tall, "a mask of a region's box has a size in bytes of")
        column, row = np.divmod(self.bounds - np.arange(self.bounds.size) % 2, max(self.height, 1))
        inside = (column - left) * tall + row - top + np.arange(self.bounds.size) % 2
        flat = np.zeros(wide * tall, np.bool_)
        pairs = inside.tolist()
        for start, stop in zip(pairs[::2], pairs[1::2], strict=True):
            flat[start:stop] = True
        return _runs.rows_first(flat, wide, tall), left, top

    def counts(self) -> list[int]:
        """Run lengths in column-major order, zeros first."""
        lengths: list[int] = _runs.to_counts(self.bounds, self.height * self.width).tolist()
        return lengths

    def to_coco(self) -> dict[str, Any]:
        """COCO's compressed run lengths: {"size": [height, width], "counts": text}."""
        lengths = _runs.to_counts(self.bounds, self.height * self.width)
        return {"size": [self.height, self.width], "counts": _runs.pack(lengths)}

    def pieces(self) -> list[Region]:
        """The 4-connected pieces, by their first pixel."""
        column, starts, stops = _runs.by_column(self.bounds, self.height)
        label = _rings.label_runs(column, starts, stops, self.height)
        order = np.argsort(label, kind="stable")
        cuts = np.flatnonzero(np.diff(label[order])) + 1
        return [
            Region.of_runs(self.height, self.width, _runs.join(starts[runs], stops[runs]))
            for runs in np.split(order, cuts)
            if runs.size
        ]

    def to_polygons(self) -> list[TracedOutline]:
        """The outlines of `pieces` along pixel edges; `from_rings_evenodd` refills them exactly.

        Outer rings run clockwise on the screen, holes against it; pixels that meet only at a corner are not
        connected.
        """
        return _rings.trace(self.bounds, self.height)

    def to_rings(self) -> list[list[float]]:
        """All rings of `to_polygons`, each outer one followed by its holes."""
        return [ring for outline in self.to_polygons() for ring in (outline.outer, *outline.holes)]

    def one_ring(self) -> list[float] | None:
        """One ring of all pieces and holes, joined by bridges without width; None if there is no pixel.

        Filled even-odd, it gives back exactly this region.
        """
        rings = self.to_rings()
        return _rings.bridge(rings) if rings else None


_FEW = 48
"""Up to this many bounds, handling them one by one is faster."""


def _box_of_few(bounds: list[int], height: int) -> tuple[int, int, int, int]:
    """Return the smallest box around runs; see `Region.bbox`."""
    left, right = bounds[0] // height, (bounds[-1] - 1) // height + 1
    top, bottom = height, 0
    for start, stop in zip(bounds[::2], bounds[1::2], strict=True):
        column, first = divmod(start, height)
        last = stop - column * height
        if last > height:  # a run that crosses columns touches the first row and the last
            return left, 0, right - left, height
        top, bottom = min(top, first), max(bottom, last)
    return left, top, right - left, bottom - top
