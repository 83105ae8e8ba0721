"""Drafts roles of label images: masks of classes by number or colour, of single objects, and of instances."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from formatspec.infer.classes import Listing
from formatspec.infer.evidence import Evidence
from formatspec.infer.nodes import Entry, Mapping, Node, Rows, Several, Verbatim
from formatspec.model.plain.image_error import ImageError
from formatspec.pixels import containers
from formatspec.pixels.labels import split

DECODED = 60
"""Of how many label images of one group the pixels are looked at."""
SHOWN = 12
VOID = 255
"""The value of one channel that usually means that a pixel does not count."""
_OBJECTS = re.compile(r"(?i)inst|object")
_MODES = {"gray": "index", "palette": "index", "gray16": "gray16", "rgb": "rgb", "rgba": "rgba"}


class Painted(msgspec.Struct, frozen=True):
    """The content of one group's label images: their mode, and all values but 0."""

    mode: str
    values: tuple[Any, ...]
    images: int
    has_zero: bool
    counted: bool = False
    """Whether the values of each image are 1, 2, 3, … except 255, and some image has several."""


def painted(evidence: Evidence, paths: Sequence[str]) -> Painted | None:
    """Decode label images, at most DECODED of them."""
    mode, zero, count = "", False, 0
    values: set[Any] = set()
    counted, several = True, False
    for path in paths[:DECODED]:
        try:
            raster = containers.decode(evidence.tree.read(path))
            regions = split(raster.pixels)
        except (ImageError, OSError, ValueError):
            continue
        count += 1
        mode = mode or raster.mode
        values.update(value for value, _ in regions)
        own = [value for value, _ in regions if value != VOID]
        counted = counted and own == list(range(1, len(own) + 1))
        several = several or len(own) > 1
        filled = sum(region.area for _, region in regions)
        zero = zero or filled < raster.pixels.shape[0] * raster.pixels.shape[1]
    return Painted(mode, tuple(sorted(values)), count, zero, counted and several) if count else None


def mask_rule(found: Painted, listing: Listing | None, labelled: bool, template: str) -> tuple[tuple[Entry, ...], str]:
    """Return the entries of a role of label images, and what they describe: `areas`, `objects` or nothing."""
    image = Entry("image", _MODES.get(found.mode, "index"))
    shown = ", ".join(map(str, found.values[:SHOWN])) + (", …" if len(found.values) > SHOWN else "")
    said = f"{found.mode}, values {shown or 'none but 0'} in {found.images} images"
    if found.mode in ("rgb", "rgba"):
        node = _colors(found, listing)
    elif _is_single(found):
        node = _single(found, labelled)
    elif _is_instances(found, listing):
        return (image, Entry("pixels", _instances(found, listing), said)), "objects"
    elif found.counted and _OBJECTS.search(template):
        return (image, Entry("pixels", _numbers(found), f"{said}: 1, 2, … in each image are its objects")), "objects"
    else:
        node, doubt = _indices(found, listing)
        return (image, Entry("pixels", node, said, doubt)), "areas"
    kind = "objects" if _is_single(found) and found.mode not in ("rgb", "rgba") else "areas"
    return (image, Entry("pixels", node, said)), kind


def _colors(found: Painted, listing: Listing | None) -> Node:
    area = Rows("areas by category", (Entry("RGB", "category.color else palette(category.index + 1)"),), bare=True)
    black = (0, 0, 0) in (listing.colors if listing is not None else ())
    if not found.has_zero or black:
        return area
    return Mapping((Entry("one of", Several((Mapping((Entry("RGB", Verbatim("[0, 0, 0]")),)), area))),))


def _is_single(found: Painted) -> bool:
    values = set(found.values)
    return found.mode != "gray16" and (values in ({255}, {127, 255}, {128, 255}) or values == {1})


def _single(found: Painted, labelled: bool) -> Node:
    """Draft a mask of one object: its pixels have one value; a second value may mean pixels that do not count."""
    top = max(found.values)
    where = " where category.name == item.label.category.name" if labelled else ""
    channel = "P" if found.mode == "palette" else "L"
    own = Rows(f"objects by category{where}", (Entry(channel, Verbatim(str(top))),), bare=True)
    if len(found.values) == 1:
        return own
    void = Rows("void", (Entry(channel, Verbatim(str(min(found.values)))),), bare=True)
    return Mapping((Entry("one of", Several((void, own)), f"{min(found.values)} counts as nothing: a guess"),))


def _is_instances(found: Painted, listing: Listing | None) -> bool:
    if found.mode != "gray16" or not found.values or max(found.values) < 1000:
        return False
    ids = _ids(listing)
    return not ids or {value // 1000 for value in found.values if value >= 1000} <= ids


def _ids(listing: Listing | None) -> set[int]:
    """Return the numbers of classes: their ids, or else their positions from 0 and from 1."""
    if listing is None:
        return set()
    ids = {one for one, _ in listing.classes if isinstance(one, int)}
    return ids or set(range(len(listing.classes) + 1))


def _instances(found: Painted, listing: Listing | None) -> Node:
    top = max(value // 1000 for value in found.values)
    with_ids = listing is not None and any(one is not None for one, _ in listing.classes)
    slot = "category.id" if with_ids or listing is None else "category.index"
    start = 1 if not with_ids and listing is not None and top == len(listing.classes) else 0
    shift = f" | from({start}, 0)" if start else ""
    leaf = f"{slot}, attributes.instance{shift} | digits(1000) else [{slot}, number + 1]"
    each = "objects by category, attributes.instance else number"
    return Rows(each, (Entry("L", leaf, "the class times 1000, and the number of the object"),), bare=True)


def _numbers(found: Painted) -> Node:
    """Draft the rule of pixel values that number the objects of each image, from 1."""
    channel = "L" if found.mode.startswith("gray") else "P"
    own = Rows("objects by index", (Entry(channel, "index | from(1)"),), bare=True)
    if VOID not in found.values:
        return own
    nothing = Rows("void", (Entry(channel, Verbatim(str(VOID))),), bare=True)
    return Mapping((Entry("one of", Several((nothing, own))),))


def _indices(found: Painted, listing: Listing | None) -> tuple[Node, str]:
    channel = "L" if found.mode.startswith("gray") else "P"
    doubt = ""
    values = set(found.values)
    void = VOID if VOID in values and found.mode != "gray16" else None
    count = len(listing.classes) if listing is not None else 0
    ids = {one for one, _ in listing.classes if isinstance(one, int)} if listing is not None else set()
    told = values - {void}
    if ids:
        slot = "category.id"
        void = None if 255 in ids else void
        if not told <= ids:
            doubt = f"values {sorted(told - ids)[:SHOWN]} are no ids of the listed classes: what are they?"
    elif count:
        one_based = max(told, default=0) == count or not _names_background(listing)
        slot = "category.index | from(1)" if one_based else "category.index"
        if max(told, default=0) < count and one_based:
            doubt = f"is 1 the first of the {count} classes, as drafted, or the second (`category.index`)?"
            if max(told, default=0) == 0:
                doubt = ""
    else:
        slot = "category.id"
        doubt = "nothing lists the names of these numbers: `--classes FILE` states them"
    area = Rows("areas by category", (Entry(channel, slot),), bare=True)
    if void is None:
        return area, doubt
    nothing = Rows("void", (Entry(channel, Verbatim("255")),), bare=True)
    return Mapping((Entry("one of", Several((nothing, area))),)), doubt


def _names_background(listing: Listing | None) -> bool:
    first = listing.classes[0][1].lower() if listing is not None and listing.classes else ""
    return first.strip("_") in ("background", "bg", "unlabeled", "unlabelled", "void", "none")
