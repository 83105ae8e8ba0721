"""All codes of findings.  docs/findings.md is rendered from this table; codes that specs define stand beside it.

A case is `defect | level | scope | action of a conversion | other actions that it takes`, which may begin with the
case's name and a colon.
"""

from __future__ import annotations

from typing import Any

from formatspec.findings.codes import Case, Code


def _case(text: str) -> Case:
    head, level, scope, action, also = (part.strip() for part in text.split("|"))
    name, colon, defect = head.partition(": ")
    known: dict[str, Any] = {"level": level, "scope": scope, "action": action, "also": tuple(also.split())}
    return Case(defect=defect if colon else head, name=name if colon else "", **known)


def _code(meaning: str, hint: str, *cases: str) -> Code:
    return Code(meaning, hint, tuple(map(_case, cases)))


# fmt: off

CODES: dict[str, Code] = {
    "FILE_MISSING": _code("a file that the layout asks for is missing", "restore it or drop what refers to it",
        "a required file is missing | error | document | error | ",
        "item: a file that an item must have is missing | error | item | error | drop-item",
        "object: a file that an object must have is missing | error | object | error | drop drop-item"),
    "IMAGE_MISSING": _code("an item's image is not there", "restore the image, or convert with --media none",
        "some images are missing | error | item | error | keep drop-item"),
    "IMAGE_ABSENT": _code("no image of the dataset is there", "convert with --media none",
        "no image is there; sizes are taken from the documents | info | document | keep | "),
    "FILE_ORPHAN": _code(
        "a file belongs to no item", "restore its image, give the file the name that is expected, or remove it",
        "a file that no item or object names, or that nearly has the name of one | warning | document | keep | error",
    ),
    "FILE_UNCLAIMED": _code("no rule of the spec claims this file", "",
        "a file that no rule claims | info | document | keep | error"),
    "FILE_TWO_RULES": _code("two rules claim one file equally well", "make one of the templates more specific",
        "a file that two rules claim | error | document | error | "),
    "FILE_AMBIGUOUS": _code("it is not certain which file a name means", "spell the name exactly as the file's",
        "a name that matches several files except for its spelling | error | item | error | drop drop-item"),
    "FILE_ESCAPES": _code("a link or an archive member leads out of the dataset", "put the file itself there",
        "a link that leads out of the dataset | error | item | error | drop-item"),
    "FILE_UNREADABLE": _code("a file cannot be read as what it should be", "",
        "a shared file that cannot be read | error | document | error | ",
        "item: an item's file that cannot be read | error | item | error | drop-item"),
    "FILE_TRUNCATED": _code("a file stops before its end", "fetch it again",
        "an image that stops before its end | error | item | error | keep drop-item"),
    "FILE_ENCODING": _code("a text file is not in the encoding that the format names first", "save it anew",
        "text in another encoding that the spec lists | warning | document | fix | error",
        "mark: text that begins with the mark of its encoding, which the spec lists | info | document | fix | error",
        "none: text in no encoding that the spec lists | error | document | error | fix drop-item"),
    "FILE_DELIMITER": _code("the cells of a table are parted otherwise than the format states", "save it anew",
        "a table whose header shows that other marks, or blanks besides, part its cells | warning | document | fix |"
        " error"),
    "ITEM_DUPLICATE": _code("two files or rows claim to be the same item", "",
        "an item twice | error | item | error | drop-item"),
    "ITEM_COLLISION": _code("two items would be one in the target", "rename one of them",
        "two items of one name in the target | error | item | error | drop-item"),
    "CANNOT_WRITE": _code("the target has no place for an item", "",
        "an item that the target cannot hold | error | item | error | drop-item"),
    "NOTHING_FOUND": _code("no item was found", "point at the folder that holds the layout",
        "no item was found | error | document | error | "),
    "SCHEMA": _code("a document does not satisfy the spec's JSON Schema", "",
        "a document that the schema refuses | error | item | error | drop drop-item"),
    "FIELD_MISSING": _code("a required field is missing", "",
        "a required key that is missing | error | object | error | drop drop-item"),
    "FIELD_FILLED": _code("a field is missing that has one right value", "",
        "a missing key whose value follows, such as a crowd mark of 0, or an area | info | value | fix | error"),
    "FIELD_UNKNOWN": _code("a field that the spec does not know", "",
        "an unknown key | info | value | keep | error"),
    "FIELD": _code("a field's value does not fit", "",
        "a value of the wrong type, length or form | error | object | error | drop drop-item",
        "name: an empty name of a class | error | object | error | fix drop drop-item",
        "spelling: an attribute in another spelling that means the same, such as yes for true | warning | value | fix |"
        " drop error",
        "attribute: an attribute that does not fit and is left out | warning | value | fix | drop error"),
    "ID_MISSING": _code("a row has no id", "",
        "an object's id is missing | warning | value | fix | error"),
    "NUMBER_FORM": _code("a number is in another form than it should be", "",
        "a class, id or frame such as 1.0 | warning | value | fix | error",
        "type: a text where the ids that it refers to are numbers, or the reverse | info | value | fix | error",
        "text: texts for the numbers of a shape or size, or a number for a class's name | warning | value | fix |"
        " error"),
    "ALTERNATIVE": _code("a record fits none of the alternatives", "",
        "a row that fits no alternative | error | object | error | drop drop-item"),
    "LINE": _code("a line does not fit", "",
        "a line of the wrong shape | error | object | error | fix drop drop-item"),
    "ROWS_MIXED": _code("rows of two tasks stand in one file", "write them for one task",
        "rows of two tasks in one file | error | item | error | drop fix drop-item"),
    "ROW_TWICE": _code("a row stands twice", "",
        "an identical row | warning | object | keep | drop error"),
    "ROWS_UNLIKE": _code("rows that hold the rings of one object differ in their other fields", "",
        "rows of one object that differ | warning | object | keep | error"),
    "LIST_UNKNOWN": _code("an entry of a list names nothing", "remove the entry, or restore what it names",
        "a list entry that names nothing | error | item | error | drop drop-item"),
    "PIXEL_VALUE": _code("a pixel value stands for no category or object", "",
        "a value or colour of a label image that the format does not know | error | item | error | fix drop-item"),
    "PIXEL_SIZE": _code("a label image and its image differ in size", "",
        "a label image of another size | error | item | error | drop-item"),
    "PIXEL_MODE": _code("a label image has another mode than the format asks for",
        "save the image in that mode, or name its mode in `image` of the spec's role",
        "a label image of another mode | error | item | error | drop-item",
        "index: grey values where a palette is usual | warning | item | keep | error"),
    "IMAGE_SIZE": _code("a stated image size differs from the image's own", "",
        "a stated size that is wrong | error | item | error | keep drop-item"),
    "IMAGE_SIZE_ABSENT": _code("an image's size is not stated", "",
        "a missing size, or a size of 0, of an image that is there | warning | item | fix | error"),
    "IMAGE_ROTATED": _code("the image carries an EXIF orientation; coordinates are taken as stored", "",
        "an image with an EXIF orientation | warning | item | keep | error drop-item"),
    "CONFLICT": _code("two places state different values for the same slot of a record", "",
        "two values of one slot | error | item | error | drop-item fix"),
    "DIFFERS": _code("a derived value differs from what follows from the data", "",
        "a computed value that is off | warning | value | keep | fix error",
        "name: a file name that differs from the file's | warning | value | fix | error",
        "capitals: a file name that differs from the file's in capitals | warning | value | fix | error"),
    "DUPLICATE": _code("a key that must be unique stands twice", "",
        "an object's id twice, to which nothing refers | error | object | fix | error drop",
        "referred: an object's id twice, where something may refer to it | error | object | error | drop",
        "track: a track twice in a frame | error | object | error | drop",
        "item: an image's id or file name twice | error | item | error | drop-item",
        "category: a category's name twice | error | document | error | fix",
        "named: one id for two categories | error | document | error | ",
        "key: a key twice in a mapping | error | item | error | drop-item"),
    "UNKNOWN_REFERENCE": _code("a reference leads to nothing", "",
        "a row that refers to an unknown item or object | error | object | error | drop"),
    "UNKNOWN_CATEGORY": _code("a category that the format's table does not hold", "",
        "a category that is unknown or out of range | error | object | error | drop fix",
        "spelling: a name that differs from the listed one in blanks or in its Unicode form | warning | value | fix |"
        " error"),
    "UNLISTED_CATEGORY": _code("a category that the dataset's list does not name", "",
        "a category that the list lacks, in a format that allows further ones | warning | object | keep | error drop"),
    "CATEGORY_IDS": _code("the ids of categories differ between subsets", "",
        "ids that differ between subsets, matched by name | warning | document | fix | error"),
    "CATEGORY_UNLIKE": _code("files say different things about one class", "make them agree",
        "a class that a later file describes differently; the first file's words are taken | warning | document | keep "
        "| error",
        "keypoints: a class whose keypoints two files name in different orders, so that points would get wrong names "
        "| error | document | error | keep"),
    "SPLIT_LEAK": _code("the same image stands in two subsets", "take it out of one of them",
        "one image, or two of one name and the same bytes, in two subsets | warning | item | keep | drop-item error"),
    "SPLIT_EMPTY": _code("a named subset has no images", "",
        "a named subset without images | warning | document | keep | error"),
    "CYCLE": _code("parents form a cycle", "",
        "an object that is its own ancestor | error | object | error | fix drop"),
    "PATH_ESCAPES": _code("a path inside a file leads out of the dataset", "",
        "a path that leads out of the dataset | error | item | error | drop-item"),
    "BOX_SIZE": _code("a box has a negative size", "",
        "a negative size, swapped corners | error | object | error | fix drop"),
    "BOX_OUTSIDE": _code("a box reaches out of its image", "--on BOX_OUTSIDE=clip cuts it at the edge",
        "a box partly outside its image | warning | object | keep | clip drop error",
        "near: a box outside by up to 1 px | info | object | keep | clip drop error",
        "far: a box outside by more than the image's own size | error | object | error | clip drop keep"),
    "BOX_AWAY": _code("a box lies wholly outside its image", "",
        "a box wholly outside its image | warning | object | keep | drop error"),
    "BOX_EMPTY": _code("a box is empty", "",
        "a width or height under 1 px | warning | object | keep | drop error"),
    "POLYGON": _code("a polygon cannot be an outline", "",
        "no ring of three points, or an odd count of numbers | error | object | error | fix drop"),
    "POLYGON_OUTSIDE": _code("an outline reaches out of its image", "--on POLYGON_OUTSIDE=clip cuts it at the edge",
        "an outline partly or wholly outside its image | warning | object | keep | clip drop error"),
    "POLYGON_FLAT": _code("an outline is a flat list of numbers", "",
        "one flat list in place of a list of rings | warning | value | fix | error"),
    "POLYGON_CROSSES": _code("an outline crosses itself", "",
        "an outline that crosses itself (--deep) | info | object | keep | drop error"),
    "RING_SHORT": _code("a ring has fewer than three points", "",
        "a ring of fewer than three points beside good ones | warning | value | fix | drop error"),
    "SEGMENT_EMPTY": _code("an outline is empty", "",
        "an outline that is empty, null, or missing where other objects have one | info | object | keep | drop error"),
    "KEYPOINTS_COUNT": _code("an object has another number of keypoints than its category names", "",
        "a wrong number of keypoints | error | object | error | drop"),
    "KEYPOINT_OUTSIDE": _code("a visible keypoint lies outside its image", "",
        "a keypoint outside its image that is marked as visible | warning | object | keep | fix clip drop error"),
    "NOT_A_NUMBER": _code("a coordinate is not a finite number", "",
        "NaN, infinity | error | object | error | drop"),
    "REGION_SIZE": _code("a region and its image differ in size", "",
        "run lengths of the wrong size or sum | error | object | error | fix drop"),
    "GEOMETRY": _code("the target has no place for an object's geometry", "",
        "lines or points that a target cannot hold | info | object | drop | fix"),
    "CHECK_FAILED": _code("a check of the spec cannot be evaluated", "correct the spec",
        "a check that fails while it is evaluated | error | document | error | keep"),
    "OPTION_OPEN": _code("an option is not stated, and the documents do not decide it", "",
        "several keys that an option may name, and none is stated | warning | document | keep | error"),
    "NOT_FITTED": _code("a row of a label image overlaps no record, so it is not used", "",
        "a row that overlaps nothing | warning | object | keep | error"),
}
# fmt: on


def case_of(code: str, name: str = "") -> Case | None:
    """Return the case of a code; None for a code that a spec defines."""
    known = CODES.get(code)
    return None if known is None else known.case(name)


__all__ = ["CODES", "case_of"]
