"""Gives items access to their image files."""

from __future__ import annotations

import msgspec

from formatspec.model.records import Image, ImageSource, Item, Object, Origin


def placed(item: Item, source: ImageSource) -> Item:
    """Return the item with an image that can be read and objects that know the image's size."""
    if item.image is None:
        return item
    image = msgspec.structs.replace(item.image, source=source)
    return msgspec.structs.replace(item, image=image, objects=tuple(_sized(thing, image) for thing in item.objects))


def _sized(thing: Object, image: Image) -> Object:
    if thing.region is not None or image.width is None or image.height is None:
        return thing
    before = thing.origin or Origin()
    own = Origin(before.rows, before.rasters, before.index, before.documents, before.kept)
    own.size = image.height, image.width
    return msgspec.structs.replace(thing, origin=own)
