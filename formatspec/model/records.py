"""What is true of every format: a dataset has items, an item has an image, labels, objects and areas.

All records are immutable.  Coordinates are continuous, in pixels, with the origin at the outer corner of the
first pixel; x runs right, y down.  Pixel payloads are run-length coded regions, never dense masks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from formatspec.model import derive
from formatspec.model.derive import Ring as Ring
from formatspec.model.image_error import ImageError
from formatspec.model.image_pixels import as_bytes_per_sample, opened
from formatspec.model.pictures.draw_item import By, picture_of
from formatspec.model.region import Region

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from PIL.Image import Image as Picture

Id = int | str


class Origin:
    """Where a record came from: its source rows, documents and label images, and the record as it was read.

    kept: the keys of its rows that the format keeps or does not know, and that hold a value; noted where the rows
    themselves are not held.
    size: height and width in pixels of the image that the record is of, where a dataset in Python gave it.

    An origin is outside its record's equality, so any two are equal.
    """

    __slots__ = ("as_read", "documents", "index", "kept", "rasters", "rows", "size")

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

    def forget(self) -> None:
        """Let go of the source: a record and its origin name each other, and label images are large."""
        self.as_read = None
        self.rasters.clear()
        self.documents.clear()

    def __eq__(self, other: object) -> bool:
        """True for any two origins: where a record came from is no part of its equality."""
        return other is None or isinstance(other, Origin)

    def __repr__(self) -> str:
        """A fixed text, since source rows would drown the record."""
        return "Origin(…)"

    def __hash__(self) -> int:
        """One value for all, as equality has it."""
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


class Files(Protocol):
    """What an image file is read from: a folder, an archive or a store."""

    def read(self, path: str) -> bytes:
        """The file's bytes.  Raises OSError, and ValueError for a damaged archive."""
        ...


class ImageSource:
    """The files among which an image is found by its path.

    A source is outside its image's equality, so any two are equal.
    """

    __slots__ = ("files",)

    def __init__(self, files: Files) -> None:
        """Take the files, which are opened when an image is asked for."""
        self.files = files

    def __eq__(self, other: object) -> bool:
        """True for any two sources: where an image is found is no part of its equality."""
        return other is None or isinstance(other, ImageSource)

    def __repr__(self) -> str:
        """A fixed text: a source says nothing of the image."""
        return "ImageSource(…)"

    def __hash__(self) -> int:
        """One value for all, as equality has it."""
        return 0


class Image(msgspec.Struct, frozen=True, kw_only=True):
    """An image by its path below the dataset's root; width and height in pixels, as stored.

    data: the bytes of an image file, where no file is there and a document holds them.  source: where its file is read
    from; set for the items of a dataset that `formatspec.open` gave.
    """

    path: str = ""
    width: int | None = None
    height: int | None = None
    channels: int | None = None
    data: bytes | None = None
    source: ImageSource | None = None

    def read(self) -> bytes:
        """The bytes of the image file, from a folder, an archive or a store alike.

        Raises OSError where there is no such file, and ValueError where the image comes from no dataset.
        """
        if self.data is not None:
            return self.data
        if self.source is None:
            raise ValueError(f"the image {self.path!r} belongs to no dataset that is open, so it has no bytes to read")
        return self.source.files.read(self.path)

    def open(self) -> Picture:
        """The image as Pillow opens it: as stored, not turned by EXIF.  Raises as `read`, and Pillow's errors."""
        return opened(self.read())

    def array(self, channels: int | None = None) -> npt.NDArray[np.uint8]:
        """The pixels as an array (height, width, channels) of uint8: as stored, not turned by EXIF.

        channels: 1 for grey, 3 for red, green, blue, 4 with alpha; left out, as many as the file has.  A palette is
        looked up; of samples of 16 bits the upper 8 are given.  Raises ImageError (a ValueError) where the bytes are no
        image.
        """
        return as_bytes_per_sample(self.read(), channels)


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
        """The visible pixels as an array (height, width) of bool; None where no geometry says which they are.

        size: height and width of the image, for an object that was made by hand and has outlines alone; an object of a
        dataset knows them.  Raises ValueError where they are needed and not known.
        """
        known = size or (self.origin.size if self.origin is not None else None)
        region = derive.mask_region(self, known)
        return None if region is None else region.to_mask()


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

    def plot(self, by: By = "class", wrong: Mapping[Any, Sequence[str]] | None = None) -> Picture:
        """The image with all that is said of it drawn over it; an RGB image of Pillow.

        by: whether each class has a colour, or each object.  wrong: codes of findings by the ids of their objects, None
        for the image itself: these are framed in red.  Where the image cannot be read, a grey one of its size is used;
        raises ValueError where its size is not known either.
        """
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
