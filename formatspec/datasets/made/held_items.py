"""Items that a program made or changed, as a dataset that can be converted like any other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from formatspec.datasets.made.typed_items import UnfitItemsError, typed
from formatspec.engine.base.faults import Fault
from formatspec.engine.dataset.dataset import OpenDataset, used
from formatspec.engine.dataset.item.purpose import Purpose
from formatspec.engine.dataset.item.read_item import Assembled
from formatspec.engine.export.adaptation.name_items import spoken
from formatspec.engine.index.entries import Entry
from formatspec.engine.read.categories import Categories, from_names, identity, sorted_open
from formatspec.engine.read.item_state import ItemState
from formatspec.engine.spec.compiled import IMAGE, compile_format
from formatspec.engine.splits.id_scopes import Splits
from formatspec.files.images import probe
from formatspec.findings.render import examples
from formatspec.language.load import load_source
from formatspec.model.flaws import flaws
from formatspec.model.plain.image_error import ImageError
from formatspec.model.records import Category, Image, Item
from formatspec.paths.trees.tree import Listed, Listing, listing_of

JUDGED = ("bbox", "rotated", "polygons", "keypoints")
"""The slots of an object whose values are checked."""
SPEC = Path(__file__).with_name("items_in_memory.yaml")


class ImagesOfItems(Listed):
    """The image files of items, by the paths that the items state, wherever the files are read from.

    `beside` is the folder for images that belong to no open dataset.
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
        """Return whether an item has an image of this path, and its file exists."""
        image = self.images.get(path)
        if image is None:
            return False
        return image.data is not None or image.source is not None or self._file(path) is not None

    def size(self, path: str) -> int:
        """Return the size of an image in bytes."""
        return len(self.read(path))

    def read(self, path: str) -> bytes:
        """Return the bytes of an image. Raises FileNotFoundError."""
        image = self.images.get(path)
        if image is not None and (image.data is not None or image.source is not None):
            return image.read()
        file = self._file(path)
        if file is None:
            raise FileNotFoundError(path)
        return file.read_bytes()

    def local(self, path: str) -> Path | None:
        """Return the file of an image on this disk."""
        image = self.images.get(path)
        local = getattr(image.source.files, "local", None) if image is not None and image.source is not None else None
        found: Path | None = local(path) if local is not None else None
        return found or self._file(path)

    def under(self, prefix: str) -> ImagesOfItems:
        """Return the images below a folder."""
        start = prefix.rstrip("/") + "/"
        below = {path[len(start) :]: image for path, image in self.images.items() if path.startswith(start)}
        return ImagesOfItems(below, None if self.beside is None else self.beside / prefix)

    def _file(self, path: str) -> Path | None:
        if self.beside is None:
            return None
        file = self.beside / path
        return file if file.is_file() else None


class HeldItems(OpenDataset):
    """Items in memory as a dataset; every item is checked like one that is read."""

    def __init__(self, items: Sequence[Item], categories: Sequence[Category | str], images: Path | None) -> None:
        """Hold items and their categories.

        Args:
            items: The items.
            categories: The classes in their order; left out, those that the items name.
            images: The folder in which images are found that belong to no open dataset.

        Raises:
            UnfitItemsError: Two items have one key or one image, an item has no image, a value is of another type than
                its slot, or the categories lack one that the items name.
        """
        self.items = {_path_of(item): item for item in _numbered_apart(_told_apart([typed(item) for item in items]))}
        held = {path: item.image for path, item in self.items.items() if item.image is not None}
        source = load_source(SPEC)
        form = compile_format(source, source.layouts[0], {})
        met = self._met()
        self._given = _as_categories(categories, met) if categories else met
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
        """Return one of the items, with its faults."""
        path = entry.files[IMAGE][0][0]
        item = _named(self._sized(self.items[path], path))
        state = ItemState(dict(item.captures), self.splits.whole, False)
        faults = [*_faults(item, path), *self._sizes(item, path)]
        if self.purpose.media_required and not self.tree.exists(path):
            words = "the image is not there; give its bytes (Image(data=…)) or the folder of such images (images=…)"
            faults.append(Fault("IMAGE_MISSING", path, (), None, words))
        return Assembled(item.key, item, faults, {IMAGE: [path]}, {}, [], state)

    def assembled(self, start: int = 0, stop: int | None = None) -> Iterator[Assembled]:
        """Yield the items in the order of their images' paths, each with its faults."""
        return map(self.read, self.entries[start:stop])

    def __reduce__(self) -> tuple[Any, ...]:
        """Refuse pickling with TypeError: items in memory are written by the process that holds them."""
        raise TypeError("items in memory are written by one process")

    def _sizes(self, item: Item, path: str) -> Iterator[Fault]:
        """Yield faults about the stated size of an image whose bytes the item holds."""
        image = item.image
        if image is None or image.data is None:
            return
        try:
            info = probe(image.data)
        except ImageError:
            return  # copying the image reports this
        for side in ("width", "height"):
            stated, own = getattr(image, side), getattr(info, side)
            if stated is not None and stated != own:
                yield Fault("IMAGE_SIZE", path, (), None, f"the {side} is not the image's own", str(own), stated)

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
    """Return an item whose key begins with its subset with the rest of the key as its name."""
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
        region = thing.region
        if size is not None and region is not None and (region.width, region.height) != size:
            yield Fault(
                "REGION_SIZE", path, (), None, "the region and its image differ in size", f"{size[0]} x {size[1]}",
                f"{region.width} x {region.height}", thing.id, "", place, "", "region", region, size,
            )  # fmt: skip


def _told_apart(items: Sequence[Item]) -> Sequence[Item]:
    keys: set[str] = set()
    paths: dict[str, str] = {}
    for item in items:
        if item.key in keys:
            raise UnfitItemsError(f"two items have the key {item.key!r}; each needs its own")
        keys.add(item.key)
        path = _path_of(item)
        if path in paths:
            raise UnfitItemsError(f"the items {paths[path]!r} and {item.key!r} have one image, {path}")
        paths[path] = item.key
    return items


def _numbered_apart(items: Sequence[Item]) -> Sequence[Item]:
    """Return the items with their ids if all ids differ, otherwise without ids."""
    ids = [item.id for item in items if item.id is not None]
    if len(set(ids)) == len(ids):
        return items
    return [msgspec.structs.replace(item, id=None) for item in items]


def _path_of(item: Item) -> str:
    if item.image is None or not item.image.path:
        raise UnfitItemsError(f"the item {item.key!r} has no image; image=formatspec.Image(path=…) names it")
    return item.image.path


def _as_categories(given: Sequence[Category | str], met: Sequence[Category]) -> tuple[Category, ...]:
    """Return the listed categories. Raises UnfitItemsError if one is invalid, or one that items name is missing."""
    if isinstance(given, str) or not all(isinstance(one, str | Category) for one in given):
        raise UnfitItemsError(f"categories is a list of names, or of formatspec.Category, not {given!r}")
    if all(isinstance(one, str) for one in given):
        listed = tuple(from_names([str(one) for one in given], False))
    else:
        listed = tuple(
            one if isinstance(one, Category) else Category(name=one, index=at) for at, one in enumerate(given)
        )
    lacking = [name for name in map(spoken, met) if name not in set(map(spoken, listed))]
    if lacking:
        raise UnfitItemsError(f"the list of categories lacks {examples(lacking)}, which the items have")
    return listed
