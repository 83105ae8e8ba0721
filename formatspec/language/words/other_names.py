"""Words of other tools for things that the language names differently, so that messages can name the right one."""

from __future__ import annotations

from collections.abc import Iterable

from formatspec.language.errors import nearest

_A_BOX = "`bbox`, all of its numbers together, as in `x, y, w, h: bbox | xywh`, or `box: bbox | sides` for two corners"
_FILE = '"{name}.{ext}", a template with the names in the path of `image`'
_OTHER_SLOTS: dict[str, str] = {
    **dict.fromkeys(
        ("class", "label", "category", "cls", "class_name", "category_name", "classname", "label_name", "object_class"),
        "`category.name`, or `category.id` for a number",
    ),
    **dict.fromkeys(("class_id", "category_id", "label_id", "cls_id", "classid"), "`category.id`, or `category.index`"),
    **dict.fromkeys(("box", "bounding_box", "boundingbox", "bndbox", "rect", "rectangle", "roi", "bboxes"), _A_BOX),
    **dict.fromkeys(("x", "y", "w", "h", "x0", "y0", "x1", "y1", "x2", "y2", "xmin", "ymin", "xmax", "ymax"), _A_BOX),
    **dict.fromkeys(("left", "top", "right", "bottom", "cx", "cy", "x_center", "y_center"), _A_BOX),
    **dict.fromkeys(("confidence", "conf", "probability", "prob", "certainty"), "`score`"),
    **dict.fromkeys(("mask", "segmentation", "rle", "masks"), "`region | run_lengths`, or `polygons` for outlines"),
    **dict.fromkeys(("points", "outline", "contour", "vertices", "ring"), "`polygon | pairs`, or `polygon | flat`"),
    **dict.fromkeys(("angle", "theta", "obb", "rotated_box", "rbox"), "`rotated`, all of its five numbers together"),
    **dict.fromkeys(("track_id", "tracking_id", "trackid"), "`track`"),
    **dict.fromkeys(("identity", "uid", "uuid", "object_id", "identifier", "key_id"), "`id`"),
    **dict.fromkeys(("filename", "file_name", "file", "image", "img", "image_name", "path"), _FILE),
    **dict.fromkeys(("width", "height"), "`image.width` and `image.height`"),
    **dict.fromkeys(("landmarks", "joints", "pose", "kpts"), "`keypoints`"),
}
_CLOSE = 0.75
"""How similar, from 0 to 1, a name must be to a slot to be taken for a misspelling of it."""

_OTHER_CODECS: dict[str, str] = {
    **dict.fromkeys(("xyxy", "ltrb", "minmax", "corners2", "x1y1x2y2"), "sides"),
    **dict.fromkeys(("tlwh", "ltwh", "xyhw", "x_y_w_h"), "xywh"),
    **dict.fromkeys(("center", "centre", "xywhn", "cxcywhn", "ccwh"), "cxcywh"),
    **dict.fromkeys(("relative", "fraction", "norm", "normalised", "normalize"), "normalized"),
    **dict.fromkeys(("rle", "runs", "counts"), "run_lengths"),
    **dict.fromkeys(("int", "integer", "round"), "whole"),
    **dict.fromkeys(("bool", "boolean", "yesno"), "flag"),
    **dict.fromkeys(("str", "string"), "text"),
    **dict.fromkeys(("float", "floats", "number"), "numbers"),
    **dict.fromkeys(("split", "comma", "separated", "csv"), "joined"),
    **dict.fromkeys(("hex", "color", "colour"), "hexadecimal"),
    **dict.fromkeys(("enum", "choice", "choices", "values", "mapping", "dict"), "map"),
}

_KINDS = (
    "the document's shape stands under the word for its kind: json, jsonl, yaml, xml, ini, pickle, csv, lines or pixels"
)
_OTHER_WORDS: dict[str, str] = {
    **dict.fromkeys(("optional", "required", "mandatory", "missing"), "`need: optional` or `need: required`"),
    **dict.fromkeys(("format", "type", "kind", "content", "document", "columns", "fields", "rows", "shape"), _KINDS),
    **dict.fromkeys(("txt", "text", "line"), "`lines` for a text file"),
    **dict.fromkeys(("mask", "png", "channels"), "`image` for the modes, and `pixels` for what their values mean"),
    **dict.fromkeys(("pattern", "regex", "glob", "file", "filename", "template"), "`path`"),
    **dict.fromkeys(("separator", "sep"), "`style: {delimiter: …}`"),
    **dict.fromkeys(("classes", "labels", "class_names"), "`categories: [ROLE]`, and a role that lists them"),
    **dict.fromkeys(("roles", "layout", "structure", "paths"), "`files`"),
    **dict.fromkeys(("version", "spec"), "`formatspec: 1`"),
    **dict.fromkeys(("splits", "sets"), "`subsets`"),
    **dict.fromkeys(("base", "folder", "dir"), "`root`"),
    **dict.fromkeys(("inherits", "parent", "base_spec"), "`extends`"),
}


def slot_hint(name: str, slots: Iterable[str], names: Iterable[str]) -> str:
    """Return a hint for a `name` that is neither a slot nor another name that is known there."""
    slots, names = tuple(slots), tuple(names)
    close = nearest(name, (*slots, *names), _CLOSE)
    other = _OTHER_SLOTS.get(name.casefold())
    if other is not None and (close is None or close.partition(".")[0] == name):
        if name.casefold() in ("class", "label", "category") and "name" in slots:
            return "did you mean `name`, that of the category?"
        return f"the language calls it {other}"
    if close is not None:
        return f"did you mean '{close}'?"
    if name in _VALUES:
        return f"a constant text is written `= '{name}'`, and a truth value `true` or `false`"
    plain = [slot for slot in slots if not slot.startswith("category.") or slot in ("category.name", "category.id")]
    kept = f"`attributes.{name}` holds what no slot is for; " if "attributes" in slots and "." not in name else ""
    bare = [one for one in names if "." not in one]
    captures = f", and the names in paths: {', '.join(bare)}" if bare else ""
    return f"{kept}the slots are {', '.join(plain)}{captures}"


_VALUES = frozenset({"yes", "no", "on", "off", "True", "False", "None", "none", "TRUE", "FALSE"})
"""Words that are meant as values."""


def codec_hint(name: str, codecs: Iterable[str]) -> str:
    """Return a hint for an unknown codec."""
    other = _OTHER_CODECS.get(name.casefold())
    if other is not None:
        return f"the language calls it {other}"
    close = nearest(name, codecs)
    return f"did you mean {close}?" if close else "docs/codecs.md lists the codecs"


_RECORDS = frozenset({"item", "image", "object", "category", "attributes", "label", "option"})
"""The first words, before a dot, of names for values in the data."""


def argument_hint(values: Iterable[object]) -> str:
    """Return a hint if a codec does not take its arguments and one of them names a value of the data."""
    named = any(isinstance(value, str) and value.partition(".")[0] in _RECORDS for value in values)
    return "a codec takes constants, and no value of the data" if named else ""


def word_hint(word: str, words: Iterable[str]) -> str:
    """Return a hint for a word that is not allowed; it lists all allowed words if none is similar."""
    words = tuple(words)
    other = _OTHER_WORDS.get(word.casefold())
    close = nearest(word, words, _CLOSE if other else 0.6)
    if close is not None:
        return f"did you mean '{close}'?"
    return other if other is not None else f"one of: {', '.join(words)}" if words else ""
