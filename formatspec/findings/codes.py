"""All codes: stable, documented, never reused.  docs/findings.md is rendered from this table."""

from __future__ import annotations

import msgspec

from formatspec.findings.finding import Level


class Code(msgspec.Struct, frozen=True):
    """A kind of finding: how serious it is, what it means, what to do about it."""

    level: Level
    meaning: str
    hint: str = ""


CODES: dict[str, Code] = {
    "FILE_MISSING": Code("error", "a file that the layout asks for is missing", "restore it or drop what refers to it"),
    "IMAGE_MISSING": Code("error", "an item's image is not there", "restore the image, or convert with --media none"),
    "IMAGE_ABSENT": Code("info", "an item's image is not there; its size is taken from the documents"),
    "FILE_ORPHAN": Code("warning", "a file belongs to no item", "restore its image, or remove the file"),
    "FILE_UNCLAIMED": Code("info", "no rule of the spec claims this file"),
    "FILE_TWO_RULES": Code("error", "two rules claim one file equally well", "make one of the templates more specific"),
    "FILE_AMBIGUOUS": Code("error", "a file's name can be read in two ways"),
    "FILE_ESCAPES": Code("error", "a link or an archive member leads out of the dataset", "put the file itself there"),
    "FILE_UNREADABLE": Code("error", "a file cannot be read as what it should be"),
    "FILE_TRUNCATED": Code("error", "a file stops before its end", "fetch it again"),
    "FILE_ENCODING": Code("warning", "a text file is not in the encoding that the format names first", "save it anew"),
    "ITEM_DUPLICATE": Code("error", "two files or rows claim to be the same item"),
    "ITEM_COLLISION": Code("error", "two items would be one in the target", "rename one of them"),
    "CANNOT_WRITE": Code("error", "the target has no place for an item"),
    "NOTHING_FOUND": Code("error", "no item was found", "point at the folder that holds the layout"),
    "SCHEMA": Code("error", "a document does not follow the spec's JSON Schema"),
    "FIELD_MISSING": Code("error", "a required field is missing"),
    "FIELD_UNKNOWN": Code("warning", "a field that the spec does not know"),
    "FIELD": Code("error", "a field's value does not fit"),
    "ALTERNATIVE": Code("error", "a record fits none of the alternatives"),
    "LINE": Code("error", "a line does not fit"),
    "PIXEL_VALUE": Code("error", "a pixel value means nothing here"),
    "PIXEL_SIZE": Code("error", "a label image and its image differ in size"),
    "PIXEL_MODE": Code("error", "a label image has another mode than the format asks for"),
    "IMAGE_SIZE": Code("error", "a stated image size differs from the image's own"),
    "IMAGE_ROTATED": Code("warning", "the image carries an EXIF orientation; coordinates are taken as stored"),
    "CONFLICT": Code("error", "two places tell different things of one record"),
    "DIFFERS": Code("warning", "a derived value differs from what follows from the data"),
    "ROWS_UNLIKE": Code("warning", "rows that tell one ring of an object each differ in what else they tell"),
    "DUPLICATE": Code("error", "a key that must be unique stands twice"),
    "UNKNOWN_REFERENCE": Code("error", "a reference leads to nothing"),
    "UNKNOWN_CATEGORY": Code("error", "a category that the format's table does not hold"),
    "UNLISTED_CATEGORY": Code("warning", "a category that the dataset's list does not name"),
    "CATEGORY_IDS": Code(
        "warning",
        "splits number a category differently; each is read by its own numbers, and categories are matched by name",
    ),
    "CYCLE": Code("error", "parents form a cycle"),
    "PATH_ESCAPES": Code("error", "a path inside a file leads out of the dataset"),
    "BOX_SIZE": Code("error", "a box has a negative size"),
    "BOX_OUTSIDE": Code("error", "a box lies outside its image"),
    "POLYGON": Code("error", "a polygon cannot be an outline"),
    "NOT_A_NUMBER": Code("error", "a coordinate is not a finite number"),
    "REGION_SIZE": Code("error", "a region and its image differ in size"),
    "NOT_FITTED": Code("warning", "a row of a picture overlaps no record, and tells nothing of any"),
}  # fmt: skip
"""Codes that specs define in `checks` stand beside these."""
