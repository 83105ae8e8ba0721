"""What is true of every format: a dataset has items, an item has an image, labels, objects and areas.

All records are immutable.  Coordinates are continuous, in pixels, with the origin at the outer corner of the
first pixel; x runs right, y down.  Pixel payloads are run-length coded regions, never dense masks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from formatspec.model.region import Region

Id = int | str
Ring = tuple[float, ...]
"""A flat tuple x0, y0, x1, y1, ...; closed without repeating the first point."""


class Origin:
    """Where a record came from: its source rows, documents and label images, and the record as it was read.

    kept: the keys of its rows that the format keeps or does not know, and that hold a value; noted where the rows
    themselves are not held.

    An origin is outside its record's equality, so any two are equal.
    """

    __slots__ = ("as_read", "documents", "index", "kept", "rasters", "rows")

    def __init__(
        self,
        rows: Mapping[Any, Any] | None = None,
        rasters: Mapping[str, Any] | None = None,
        index: int = 0,
        documents: Mapping[str, Any] | None = None,
        kept: tuple[str, ...] = (),
    ) -> None:
        self.rows: dict[Any, Any] = dict(rows or {})
        self.rasters: dict[str, Any] = dict(rasters or {})
        self.documents: dict[str, Any] = dict(documents or {})
        self.index = index
        self.kept = kept
        self.as_read: Any = None

    def forget(self) -> None:
        """Let go of the source: a record and its origin name each other, and label images are large."""
        self.as_read = None
        self.rasters.clear()
        self.documents.clear()

    def __eq__(self, other: object) -> bool:
        return other is None or isinstance(other, Origin)

    def __hash__(self) -> int:
        return 0


class Category(msgspec.Struct, frozen=True, kw_only=True):
    """A class of things. `id` is as the format numbers it, `index` its place in the format's table."""

    id: Id | None = None
    index: int | None = None
    name: str = ""
    parent: str | None = None
    path: tuple[str, ...] = ()
    color: tuple[int, ...] | None = None
    countable: bool | None = None
    keypoint_names: tuple[str, ...] = ()
    skeleton: tuple[tuple[int, ...], ...] = ()
    attribute_names: tuple[str, ...] = ()
    part_names: tuple[str, ...] = ()
    attributes: dict[str, Any] = {}
    origin: Origin | None = None


class Image(msgspec.Struct, frozen=True, kw_only=True):
    """An image by its path below the dataset's root; width and height in pixels, as stored.

    data: the bytes of an image file, where no file is there and a document holds them.
    """

    path: str = ""
    width: int | None = None
    height: int | None = None
    channels: int | None = None
    data: bytes | None = None


class Label(msgspec.Struct, frozen=True, kw_only=True):
    """A category of the whole image. state: yes, no or unsure."""

    category: Category | None = None
    state: str = "yes"
    score: float | None = None
    attributes: dict[str, Any] = {}
    origin: Origin | None = None


class Caption(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence about the whole image."""

    id: Id | None = None
    text: str = ""
    attributes: dict[str, Any] = {}
    origin: Origin | None = None


class Area(msgspec.Struct, frozen=True, kw_only=True):
    """The pixels of a category that are nobody's object."""

    category: Category | None = None
    region: Region
    origin: Origin | None = None


class Object(msgspec.Struct, frozen=True, kw_only=True):
    """One thing in the world, however many files tell of it.

    bbox: x, y, width, height.  rotated: centre x, centre y, width, height, degrees clockwise on screen.
    polygons: rings.  keypoints: (x, y, visibility 0, 1 or 2).  circle: centre x, centre y, radius.
    ellipse: centre x, centre y, radius along the first axis, radius along the second, degrees clockwise on screen.
    region: the visible pixels; hidden: those behind something else.  order: greater is nearer the viewer.
    single: False for a crowd or group, None where nothing is said.
    """

    id: Id | None = None
    category: Category | None = None
    parent: Id | None = None
    level: int | None = None
    group: Any = None
    track: Id | None = None
    order: float | None = None
    single: bool | None = None
    attributes: dict[str, Any] = {}
    tags: tuple[str, ...] = ()
    score: float | None = None
    bbox: tuple[float, ...] | None = None
    rotated: tuple[float, ...] | None = None
    polygons: tuple[Ring, ...] = ()
    polyline: Ring = ()
    keypoints: tuple[tuple[float, ...], ...] = ()
    circle: tuple[float, ...] | None = None
    ellipse: tuple[float, ...] | None = None
    region: Region | None = None
    hidden: Region | None = None
    text: str | None = None
    origin: Origin | None = None


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """An image with all that is said of it.  `captures` are the names that its paths and rows gave."""

    key: str
    id: Id | None = None
    captures: dict[str, Any] = {}
    subsets: tuple[str, ...] = ()
    sequence: Id | None = None
    frame: int | None = None
    image: Image | None = None
    labels: tuple[Label, ...] = ()
    captions: tuple[Caption, ...] = ()
    tags: tuple[str, ...] = ()
    attributes: dict[str, Any] = {}
    objects: tuple[Object, ...] = ()
    areas: tuple[Area, ...] = ()
    void: Region | None = None
    origin: Origin | None = None
