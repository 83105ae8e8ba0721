"""Usual names for the content of rows: classes, ids, scores. They decide between readings that the values allow."""

from __future__ import annotations

import re

CLASS = (
    "label", "class", "category", "classname", "categoryname", "labelname", "classtitle", "objectclass", "cls", "cat",
    "objectname", "objectlabel", "name", "type", "tag", "tags", "labels", "species", "target", "classid", "categoryid",
    "labelid", "classnumber", "code", "title", "kind",
)  # fmt: skip
"""Keys of a class, the surest first."""
LISTS = frozenset(
    {"categories", "classes", "labels", "names", "tags", "classnames", "labelnames", "category", "labelmap", "legend"}
)
"""Keys of a list of classes."""
NAMES = ("name", "title", "label", "class", "classname", "displayname", "category", "text", "#", "readable")
"""Keys of a class's name in a list of classes."""
SCORE = frozenset({"score", "confidence", "conf", "probability", "prob"})
TRACK = frozenset({"track", "trackid", "tracknumber", "instanceid", "objectid"})
IDS = frozenset({"id", "uid", "uuid", "guid", "annotationid", "annid"})
CAPTION = frozenset({"caption", "sentence"})
QUADS: tuple[tuple[tuple[str, str, str, str], tuple[str, ...]], ...] = (
    (("xmin", "ymin", "xmax", "ymax"), ("sides",)),
    (("x1", "y1", "x2", "y2"), ("sides",)),
    (("x0", "y0", "x1", "y1"), ("sides",)),
    (("left", "top", "right", "bottom"), ("sides",)),
    (("minx", "miny", "maxx", "maxy"), ("sides",)),
    (("xtl", "ytl", "xbr", "ybr"), ("sides",)),
    (("startx", "starty", "endx", "endy"), ("sides",)),
    (("left", "top", "width", "height"), ("xywh",)),
    (("xmin", "ymin", "width", "height"), ("xywh",)),
    (("cx", "cy", "w", "h"), ("cxcywh",)),
    (("xc", "yc", "w", "h"), ("cxcywh",)),
    (("cx", "cy", "width", "height"), ("cxcywh",)),
    (("xcenter", "ycenter", "width", "height"), ("cxcywh",)),
    (("centerx", "centery", "width", "height"), ("cxcywh",)),
    (("x", "y", "width", "height"), ("xywh", "cxcywh")),
    (("x", "y", "w", "h"), ("xywh", "cxcywh")),
)
"""Keys of a box's four numbers, and the readings that they allow."""
CORNERS = (("tl", "br"), ("topleft", "bottomright"), ("min", "max"), ("p1", "p2"), ("start", "end"), ("lt", "rb"))
"""Keys of two corners, each a point."""
ANGLES = ("angle", "theta", "rotation", "angledeg", "rot")
AXES = (("allpointsx", "allpointsy"), ("xs", "ys"), ("x", "y"))
"""Keys of the lists of x and of y."""


def folded(key: str | int) -> str:
    """Return a key without case and separators: `Class_Name` and `className` are equal."""
    return re.sub(r"[^a-z0-9#]", "", str(key).lower())


def quad_of(keys: list[str]) -> tuple[tuple[str, str, str, str], tuple[str, ...]] | None:
    """Return four keys that name a box's numbers, perhaps after a shared word, and the readings that they allow."""
    plain = {folded(key): key for key in keys}
    for wanted, orders in QUADS:
        for start in ("", *dict.fromkeys(one[: -len(wanted[0])] for one in plain if one.endswith(wanted[0]))):
            found = [plain.get(start + one) for one in wanted]
            if None not in found:
                a, b, c, d = (str(one) for one in found)
                return (a, b, c, d), orders
    return None


def rank_of_class(key: str) -> int | None:
    """Return how surely a key names a class: smaller is surer; None if it does not."""
    name = folded(key)
    if name in CLASS:
        return CLASS.index(name)
    ends = [place for place, one in enumerate(CLASS[:12]) if name.endswith(one) and len(one) >= 5]
    return 50 + min(ends) if ends else None


KIND = re.compile(r"(?i)type|shape|kind|geometry|tool|^name$|^value$")
"""Keys of the kind of a shape."""
SHAPES = re.compile(
    r"(?i)rect|box|bbox|poly|line|point|circle|ellips|mask|bitmap|brush|skeleton|cuboid|graph|template|segment|landmark"
)
OUTLINE = re.compile(r"(?i)polygon|rect|box|mask|bitmap|segment")
LINE = re.compile(r"(?i)line")
POINT = re.compile(r"(?i)point|landmark")
ROUNDED = re.compile(r"(?i)circle|ellips")
PLACES = (("cx", "cy"), ("x", "y"))
"""Keys of a single point."""
ROUND: tuple[tuple[tuple[str, ...], str], ...] = (
    (("cx", "cy", "rx", "ry", "theta"), "ellipse | radians"),
    (("cx", "cy", "rx", "ry"), "ellipse | radii"),
    (("cx", "cy", "r"), "circle"),
)
"""Keys of circles and ellipses, and their leaves."""
