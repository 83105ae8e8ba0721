"""The records of the model: a dataset has items, and an item has an image, labels, objects and areas.

All records are immutable. Coordinates are continuous, in pixels, with the origin at the outer corner of the first
pixel; x runs right, y down. Pixels are kept as run-length coded regions, never as dense masks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import msgspec

from formatspec.model import derive
from formatspec.model.derive import Ring as Ring
from formatspec.model.image_pixels import as_bytes_per_sample, opened
from formatspec.model.pictures.draw_item import By, picture_of
from formatspec.model.plain.image_error import ImageError
from formatspec.model.region import Region

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from PIL.Image import Image as Picture

Id = int | str


class StatedArea(NamedTuple):
    """The area in square pixels that a row states for an object, and the geometry that the object had then."""

    value: float
    shape: tuple[Any, ...]


class Origin:
    """Where a record came from: its source rows, documents and label images, and the record as it was read.

    kept: the keys of its rows that the format keeps or does not know, and that hold a value; noted where the rows
    themselves are not held.
    size: height and width in pixels of the image that the record is of, where a dataset in Python gave it.
    file: the document whose row told of the record first; noted where the rows themselves are held.
    area: the area that an object's row states; noted where it is to be written in another format.

    An origin is outside its record's equality, so any two are equal.
    """

    __slots__ = ("area", "as_read", "documents", "file", "index", "kept", "rasters", "rows", "size")

    def __init__(
        self,
        rows: Mapping[Any, Any] | None = None,
        rasters: Mapping[str, Any] | None = None,
        index: int = 0,
        documents: Mapping[str, Any] | None = None,
        kept: tuple[str, ...] = (),
    ) -> None:
        """Take the rows by what they are rows of, label images by role, and documents by role; see the class."""
        self.rows: dict[Any, Any] = dict(rows or {})
        self.rasters: dict[str, Any] = dict(rasters or {})
        self.documents: dict[str, Any] = dict(documents or {})
        self.index = index
        self.kept = kept
        self.as_read: Any = None
        self.size: tuple[int, int] | None = None
        self.file = ""
        self.area: StatedArea | None = None

    def forget(self) -> None:
        """Drop the source: a record and its origin refer to each other, and label images are large."""
        self.as_read = None
        self.rasters.clear()
        self.documents.clear()

    def __eq__(self, other: object) -> bool:
        """Return True for any two origins, so that a record's source does not affect its equality."""
        return other is None or isinstance(other, Origin)

    def __repr__(self) -> str:
        """Return a fixed text, since the source rows are long."""
        return "Origin(…)"

    def __hash__(self) -> int:
        """Return one value for all, in agreement with equality."""
        return 0


class Category(msgspec.Struct, frozen=True, kw_only=True):
    """A class of things.

    Attributes:
        id: The number or name by which the format's rows refer to the category.
        index: The category's place in the format's table, from 0.
        name: The name, "" where the format has numbers alone.
        parent: The name of the category above it.
        path: The names from the topmost category down, where the format has a tree.
        color: Channels of 0 to 255 by which label images show it.
        countable: True for things, False for stuff, None where nothing is said.
        keypoint_names: The names of keypoints, in the order in which objects list them.
        skeleton: Pairs of numbers of keypoints, from 1, which a line joins.
        attribute_names: The names of attributes that its objects may have.
        part_names: The names of parts that its objects may have.
        attributes: What else the format says of it.
        origin: Where it was read.
    """

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


class Files(Protocol):
    """The place that image files are read from: a folder, an archive or a store."""

    def read(self, path: str) -> bytes:
        """Return the file's bytes. Raises OSError, and ValueError for a damaged archive."""
        ...


class ImageSource:
    """The files among which an image is found by its path.

    Any two sources are equal, so that an image's source does not affect its equality.
    """

    __slots__ = ("files",)

    def __init__(self, files: Files) -> None:
        """Take the files, which are opened when an image is asked for."""
        self.files = files

    def __eq__(self, other: object) -> bool:
        """Return True for any two sources, so that an image's source does not affect its equality."""
        return other is None or isinstance(other, ImageSource)

    def __repr__(self) -> str:
        """Return a fixed text."""
        return "ImageSource(…)"

    def __hash__(self) -> int:
        """Return one value for all, in agreement with equality."""
        return 0


class Image(msgspec.Struct, frozen=True, kw_only=True):
    """An image file.

    Attributes:
        path: Posix, below the dataset's root.
        width: Pixels, as stored; None where it is not known.
        height: Likewise.
        channels: How many channels the file has.
        data: The bytes of an image file, where a document holds them and no file is there.
        source: Where the file is read from; set for items of a dataset that `formatspec.open` gave.
    """

    path: str = ""
    width: int | None = None
    height: int | None = None
    channels: int | None = None
    data: bytes | None = None
    source: ImageSource | None = None

    def read(self) -> bytes:
        """The bytes of the image file, from a folder, an archive or a store alike.

        Raises:
            OSError: There is no such file.
            ValueError: The image comes from no open dataset.
        """
        if self.data is not None:
            return self.data
        if self.source is None:
            raise ValueError(f"the image {self.path!r} belongs to no dataset that is open, so it has no bytes to read")
        return self.source.files.read(self.path)

    def open(self) -> Picture:
        """The image as Pillow opens it: as stored, not turned by EXIF.

        Raises:
            ImageError: The bytes are no image.
            OSError: There is no such file.
            ValueError: The image comes from no open dataset.
        """
        return opened(self.read())

    def array(self, channels: int | None = None) -> npt.NDArray[np.uint8]:
        """The pixels of the first frame, as stored, not turned by EXIF.

        Args:
            channels: 1 for grey, 3 for red, green, blue, 4 with alpha; left out, as many as the file has. A palette is
                looked up.

        Returns:
            Shape (height, width, channels), uint8; of samples of 16 bits the upper 8.

        Raises:
            ImageError: The bytes are no image (a ValueError).
            OSError: There is no such file.
            ValueError: The number of channels is another, or the image comes from no open dataset.
        """
        return as_bytes_per_sample(self.read(), channels)


class Label(msgspec.Struct, frozen=True, kw_only=True):
    """A category of the whole image.

    Attributes:
        category: The category.
        state: `yes`, `no` or `unsure`.
        score: How sure a detector is, as the format states it.
        attributes: What else is said of the label.
        origin: Where it was read.
    """

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
    """The pixels of a category that belong to no object, such as those of sky or road."""

    category: Category | None = None
    region: Region
    origin: Origin | None = None


class Object(msgspec.Struct, frozen=True, kw_only=True):
    """One thing in the world, however many files tell of it.

    Coordinates are continuous pixels with the origin at the outer corner of the first pixel, x to the right and y down.

    Attributes:
        id: The object's id, unique in its item.
        category: Its category, None where the format says none.
        parent: The id of the object that it is part of.
        level: How deep it lies below objects without a parent.
        group: What objects of one group share.
        track: The id that the object has in all frames of a video.
        order: The drawing order; greater is nearer the viewer.
        single: False for a crowd or group, True for one thing, None where nothing is said.
        attributes: By name.
        tags: Words.
        score: How sure a detector is.
        bbox: x, y, width, height.
        rotated: Centre x, centre y, width, height, degrees clockwise on screen.
        polygons: Rings x0, y0, x1, y1, …
        polyline: Points x0, y0, x1, y1, …
        keypoints: (x, y, visibility): 0 not labelled, 1 labelled and hidden, 2 visible.
        circle: Centre x, centre y, radius.
        ellipse: Centre x, centre y, radius along the first axis, radius along the second, degrees clockwise on screen.
        region: The visible pixels.
        hidden: The pixels behind something else.
        text: A sentence about the object, or the text that it shows.
        origin: Where it was read.
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

    @property
    def box(self) -> tuple[float, ...] | None:
        """x, y, width, height: the stated box, else that around the visible pixels, else around other geometry."""
        return derive.bbox(self)

    @property
    def area(self) -> float | None:
        """Square pixels: of the visible region, else within the outlines, else of the box; None without geometry."""
        return derive.area(self)

    @property
    def outline(self) -> tuple[Ring, ...]:
        """Rings x0, y0, x1, y1, …: the stated outlines, else one for each piece of the region, else the turned box."""
        return derive.polygons(self)

    def mask(self, size: tuple[int, int] | None = None) -> npt.NDArray[np.bool_] | None:
        """The visible pixels.

        Args:
            size: Height and width of the image, for an object that was made by hand and has outlines alone; an object
                of a dataset knows them.

        Returns:
            Shape (height, width), bool; None where no geometry says which pixels are visible.

        Raises:
            ValueError: The size is needed and not known.
        """
        known = size or (self.origin.size if self.origin is not None else None)
        region = derive.mask_region(self, known)
        return None if region is None else region.to_mask()


def _shape(thing: Object) -> tuple[Any, ...]:
    """Return the geometry that determines an object's area."""
    return thing.bbox, thing.rotated, thing.polygons, thing.region


def note_area(thing: Object, area: float) -> None:
    """Note the area that an object's row states. The object must have an origin."""
    if thing.origin is not None:
        thing.origin.area = StatedArea(area, _shape(thing))


def is_reshaped(thing: Object, stated: StatedArea) -> bool:
    """Return whether an object's geometry has changed since its row stated the area."""
    return any(now is not then for now, then in zip(_shape(thing), stated.shape, strict=True))


RECORD_TABLES = ("objects", "labels", "captions", "areas")
"""The tables of an item's records."""


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """An image with all that is said of it.

    Attributes:
        key: The item's name, unique in its dataset: what its paths capture, joined by slashes.
        id: The id by which rows refer to it.
        captures: The names that its paths and rows gave.
        subsets: The subsets that it belongs to, as `train`.
        sequence: The video that it is a frame of.
        frame: Its number in the video.
        image: The image file.
        labels: Categories of the whole image.
        captions: Sentences about it.
        tags: Words about it.
        attributes: What else is said of it, by name.
        objects: The objects in it.
        areas: Pixels of categories that belong to no object.
        void: The pixels that the format leaves out of evaluation.
        origin: Where it was read.
    """

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

    def plot(self, by: By = "class", wrong: Mapping[Any, Sequence[str]] | None = None) -> Picture:
        """The image with all that is said of it drawn over it.

        Where the image cannot be read, a grey one of its size is drawn on.

        Args:
            by: Whether each class has a colour, or each object.
            wrong: Codes of findings by the ids of their objects, None for the image itself; these are framed in red.

        Returns:
            An RGB image of Pillow.

        Raises:
            ValueError: The image cannot be read and its size is not known; or `by` is another word.
        """
        if by not in ("class", "object"):
            raise ValueError(f"by is 'class' or 'object', not {by!r}")
        image = self.image
        try:
            shown = image.open() if image is not None else None
        except (OSError, ValueError, ImageError):
            shown = None
        size = (image.width, image.height) if image is not None and image.width and image.height else None
        if size is None and shown is None:
            raise ValueError(f"the image of {self.key!r} cannot be read, and its size is not known")
        said = [
            *(label.category.name for label in self.labels if label.category is not None),
            *(caption.text for caption in self.captions),
            *self.tags,
        ]
        assert shown is not None or size is not None
        return picture_of(shown, size or shown.size, self.objects, self.areas, said, by, wrong)  # type: ignore[union-attr]

    def _repr_png_(self) -> bytes:
        """The picture of the item, for notebooks."""
        import io

        held = io.BytesIO()
        self.plot().save(held, "PNG")
        return held.getvalue()
