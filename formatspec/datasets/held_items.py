"""Items that a program made or changed, as a dataset that can be converted like any other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from numbers import Real
from pathlib import Path
from typing import Any

import msgspec

from formatspec.engine.base.faults import Fault
from formatspec.engine.dataset.dataset import OpenDataset, used
from formatspec.engine.dataset.item.purpose import Purpose
from formatspec.engine.dataset.item.read_item import Assembled
from formatspec.engine.index.entries import Entry
from formatspec.engine.read.categories import Categories, from_names, identity, sorted_open
from formatspec.engine.read.item_state import ItemState
from formatspec.engine.spec.compiled import IMAGE, compile_format
from formatspec.engine.splits.id_scopes import Splits
from formatspec.files.images import probe
from formatspec.language.load import load_source
from formatspec.model.flaws import flaws
from formatspec.model.image_error import ImageError
from formatspec.model.records import Category, Image, Item, Object
from formatspec.paths.trees.tree import Listed, Listing, listing_of

JUDGED = ("bbox", "rotated", "polygons", "keypoints")
"""The slots of an object whose values can have flaws."""
SPEC = Path(__file__).with_name("items_in_memory.yaml")


class UnfitItemsError(ValueError):
    """Items that cannot be a dataset together: one sentence that says which and why."""


class ImagesOfItems(Listed):
    """The image files of items, by the items' own paths, wherever they are read from.

    beside: the folder in which images are found that belong to no open dataset.
    """

    def __init__(self, images: Mapping[str, Image], beside: Path | None) -> None:
        """Note the images by the paths that items state; see the class for `beside`."""
        self.images = images
        self.beside = beside
        self.root = "the items in memory"

    @cached_property
    def _listing(self) -> Listing:
        return listing_of(self.images)

    def exists(self, path: str) -> bool:
        """Whether an item has an image of this path, and its file is there."""
        image = self.images.get(path)
        if image is None:
            return False
        return image.data is not None or image.source is not None or self._file(path) is not None

    def size(self, path: str) -> int:
        """The bytes of an image."""
        return len(self.read(path))

    def read(self, path: str) -> bytes:
        """The bytes of an image.  Raises FileNotFoundError."""
        image = self.images.get(path)
        if image is not None and (image.data is not None or image.source is not None):
            return image.read()
        file = self._file(path)
        if file is None:
            raise FileNotFoundError(path)
        return file.read_bytes()

    def local(self, path: str) -> Path | None:
        """The file of an image on this disk."""
        image = self.images.get(path)
        local = getattr(image.source.files, "local", None) if image is not None and image.source is not None else None
        found: Path | None = local(path) if local is not None else None
        return found or self._file(path)

    def under(self, prefix: str) -> ImagesOfItems:
        """The images below a folder."""
        start = prefix.rstrip("/") + "/"
        below = {path[len(start) :]: image for path, image in self.images.items() if path.startswith(start)}
        return ImagesOfItems(below, None if self.beside is None else self.beside / prefix)

    def _file(self, path: str) -> Path | None:
        if self.beside is None:
            return None
        file = self.beside / path
        return file if file.is_file() else None


class HeldItems(OpenDataset):
    """Items in memory, seen as a dataset on disk is; every item is judged as one that is read."""

    def __init__(self, items: Sequence[Item], categories: Sequence[Category | str], images: Path | None) -> None:
        """Raises UnfitItemsError where two items have one key or one image, or one has no image."""
        self.items = {_path_of(item): item for item in _numbered_apart(_told_apart(items))}
        held = {path: item.image for path, item in self.items.items() if item.image is not None}
        source = load_source(SPEC)
        form = compile_format(source, source.layouts[0], {})
        self._given = _as_categories(categories) if categories else self._met()
        super().__init__(form, ImagesOfItems(held, images), "", Purpose(headers=False, checks=False))

    def _known_splits(self) -> Splits:
        return Splits(Categories(self._given, closed=True))

    def _met(self) -> tuple[Category, ...]:
        met: dict[Any, Category] = {}
        for item in self.items.values():
            for category in used(item):
                met.setdefault(identity(category), category)
        return tuple(sorted_open(met.values()))

    def read(self, entry: Entry) -> Assembled:
        """One of the items, with what is wrong with it."""
        path = entry.files[IMAGE][0][0]
        item = _named(self._sized(self.items[path], path))
        state = ItemState(dict(item.captures), self.splits.whole, False)
        faults = list(_faults(item, path))
        if self.purpose.media_required and not self.tree.exists(path):
            words = "the image is not there; give its bytes (Image(data=…)) or the folder of such images (images=…)"
            faults.append(Fault("IMAGE_MISSING", path, (), None, words))
        return Assembled(item.key, item, faults, {IMAGE: [path]}, {}, [], state)

    def assembled(self, start: int = 0, stop: int | None = None) -> Iterator[Assembled]:
        """The items in order of their images' paths, each with what is wrong with it."""
        return map(self.read, self.entries[start:stop])

    def __reduce__(self) -> tuple[Any, ...]:
        """Refuse to be pickled.  Raises TypeError: items in memory are written by the process that holds them."""
        raise TypeError("items in memory are written by one process")

    def _sized(self, item: Item, path: str) -> Item:
        image = item.image
        if image is None or (image.width and image.height and image.channels) or not self.tree.exists(path):
            return item
        try:
            info = probe(self.tree.read(path))
        except (ImageError, OSError):
            return item
        width, height = (image.width, image.height) if image.width and image.height else (info.width, info.height)
        sized = msgspec.structs.replace(image, width=width, height=height, channels=image.channels or info.channels)
        return msgspec.structs.replace(item, image=sized)


def _named(item: Item) -> Item:
    """An item made by hand whose key begins with its subset: its name is the rest."""
    start = f"{item.subsets[0]}/" if item.subsets else ""
    if item.captures or not start or not item.key.startswith(start):
        return item
    return msgspec.structs.replace(item, captures={"name": item.key.removeprefix(start)})


def _faults(item: Item, path: str) -> Iterator[Fault]:
    image = item.image
    size = (image.width, image.height) if image is not None and image.width and image.height else None
    for place, thing in enumerate(item.objects):
        for slot in JUDGED:
            value = getattr(thing, slot)
            for flaw in flaws(slot, value, size) if value else ():
                yield Fault(
                    flaw.code, path, (), None, flaw.message, flaw.expected, value, thing.id, flaw.case, place, "",
                    slot, value, size,
                )  # fmt: skip


def _told_apart(items: Sequence[Item]) -> Sequence[Item]:
    keys: set[str] = set()
    paths: dict[str, str] = {}
    for item in items:
        _refuse_other_types(item)
        if item.key in keys:
            raise UnfitItemsError(f"two items have the key {item.key!r}; each needs its own")
        keys.add(item.key)
        path = _path_of(item)
        if path in paths:
            raise UnfitItemsError(f"the items {paths[path]!r} and {item.key!r} have one image, {path}")
        paths[path] = item.key
    return items


def _numbered_apart(items: Sequence[Item]) -> Sequence[Item]:
    """Items with ids that stand once; without any where ids of several datasets or subsets meet."""
    ids = [item.id for item in items if item.id is not None]
    if len(set(ids)) == len(ids):
        return items
    return [msgspec.structs.replace(item, id=None) for item in items]


def _refuse_other_types(item: Any) -> None:
    """Raise UnfitItemsError where something else stands where an item, an object or a category belongs."""
    if not isinstance(item, Item):
        raise UnfitItemsError(f"an item is a formatspec.Item, not {item!r}")
    image: Any = item.image
    if image is not None and not isinstance(image, Image):
        raise UnfitItemsError(f"the image of {item.key!r} is {image!r}; expected formatspec.Image(path=…)")
    for place, thing in enumerate(list[Any](item.objects)):
        where = f"object {place} of {item.key!r}"
        if not isinstance(thing, Object):
            raise UnfitItemsError(f"{where} is {thing!r}; expected a formatspec.Object")
        category: Any = thing.category
        if category is not None and not isinstance(category, Category):
            hint = f"; say formatspec.Category(name={category!r})" if isinstance(category, str) else ""
            raise UnfitItemsError(f"the category of {where} is {category!r}; expected a formatspec.Category{hint}")
        for slot, count in (("bbox", 4), ("rotated", 5)):
            value: Any = getattr(thing, slot)
            if value is not None and (len(value) != count or not all(isinstance(one, Real) for one in value)):
                raise UnfitItemsError(f"{slot} of {where} is {value!r}; expected {count} numbers")


def _path_of(item: Item) -> str:
    if item.image is None or not item.image.path:
        raise UnfitItemsError(f"the item {item.key!r} has no image; image=formatspec.Image(path=…) names it")
    return item.image.path


def _as_categories(given: Sequence[Category | str]) -> tuple[Category, ...]:
    if all(isinstance(one, str) for one in given):
        return tuple(from_names([str(one) for one in given], False))
    return tuple(one if isinstance(one, Category) else Category(name=one, index=at) for at, one in enumerate(given))
