"""What `each:` says about a table: the kind of its rows, what identifies them, and which of them exist."""

from __future__ import annotations

import re

import msgspec

from formatspec.language import expression
from formatspec.language.errors import Place, Problem, SpecError, suggest
from formatspec.language.expression import Expression, ExpressionSyntaxError
from formatspec.language.yaml_core import core_scalar
from formatspec.language.yaml_source import Node
from formatspec.model.slots import TABLES


class Along(msgspec.Struct, frozen=True):
    """`along NAME until KEY = VALUE`: the rows of one group follow the frames of a sequence.

    Attributes:
        name: The slot of a row's frame.
        ends: `until` if a row with that value stands for the first frame without the object, `through` if it stands for
            the last frame with it; empty if no row says so.
        key, value: The key and the value by which a row says so. Dots lead to a key of the row's parts, all of which
            must have the value.
    """

    name: str
    ends: str = ""
    key: str = ""
    value: str | int | float | bool | None = None


class Each(msgspec.Struct, frozen=True):
    """`each: TABLE by KEYS where CONDITION`; `overlap` stands for `by overlap within KEYS`.

    Attributes:
        kept: `where kept`: rows are only written back to the same format.
        counted: `by KEYS else number`: a row without the key is identified by its place among those of its category.
        columns: `each: TABLE in columns`: the rows are a mapping from keys to lists of values.
        runs: `each: objects in runs by KEY`: the pixels of all rows are one list of runs, beside a mapping of their
            names.
        rings: `each: objects in rings by KEYS`: each row holds one ring of an object.
        along: `each: objects along frame`: rows between two rows of a group follow from them. For items, it gives the
            order of new rows.
    """

    table: str
    by: tuple[str, ...]
    overlap: bool
    where: Expression | None
    columns: bool = False
    runs: bool = False
    rings: bool = False
    counted: bool = False
    kept: bool = False
    along: Along | None = None

    @property
    def folded(self) -> bool:
        """Whether all rows are in one mapping, each in parts of it."""
        return self.columns or self.runs


class EachGroup(msgspec.Struct, frozen=True):
    """`each: group by NAMES numbered KEY`.

    Attributes:
        by: New rows belong to one group if these slots agree.
        numbered: The key of a group's own number in its file.
    """

    by: tuple[str, ...] = ()
    numbered: str = ""


_EACH = re.compile(
    r"(?P<table>[\w.]+)(\s+in\s+(?P<shape>columns|rings|runs))?(\s+by\s+(?P<by>.+?))?"
    r"(\s+along\s+(?P<along>\w+)(\s+(?P<ends>until|through)\s+(?P<key>\w+(\.\w+)*)\s*=\s*(?P<value>[^\s=]+))?)?"
    r"(\s+where\s+(?P<where>.+))?",
    re.S,
)
_GROUP = re.compile(r"group(\s+by\s+(?P<by>[\w.]+(\s*,\s*[\w.]+)*))?(\s+numbered\s+(?P<numbered>\w+))?")


def problem(message: str, place: Place, expected: str = "", hint: str = "") -> SpecError:
    """Return the error for a mistake at a place of a spec."""
    return SpecError((Problem(message, place, expected, hint),))


def parse_each(node: Node) -> Each:
    """Parse a table's `each`. Raises SpecError."""
    text = node.value
    matched = _EACH.fullmatch(text.strip()) if isinstance(text, str) else None
    if matched is None:
        expected = "TABLE [in columns|rings|runs] [by KEYS] [along NAME [until|through KEY = VALUE]] [where CONDITION]"
        raise problem(f"`each: {text}` is no table", node.place, expected)
    if matched["table"] not in TABLES:
        raise problem(f"there is no table {matched['table']!r}", node.place, hint=suggest(matched["table"], TABLES))
    by = matched["by"] or ""
    overlap = by.startswith("overlap")
    if overlap:
        by = re.sub(r"^overlap(\s+within\s+)?", "", by)
    counted = re.search(r"\s+else\s+number$", by)
    by = by[: counted.start()] if counted else by
    kept = (matched["where"] or "").strip() == "kept"
    where = parse_where(matched["where"], node.place) if matched["where"] and not kept else None
    keys = tuple(key.strip() for key in by.split(",") if key.strip())
    if matched["shape"] == "rings" and (matched["table"] != "objects" or keys[-1:] not in (("group",), ("track",))):
        raise problem(f"`each: {text}` does not say which rings are one object's", node.place,
                      "each: objects in rings by category, group")  # fmt: skip
    along = None
    if matched["along"]:
        if matched["table"] not in ("objects", "items") or matched["shape"]:
            raise problem(f"`each: {text}`: rows of objects and of items go along frames", node.place,
                          "each: objects along frame")  # fmt: skip
        if matched["table"] == "items" and matched["ends"]:
            raise problem(f"`each: {text}`: no row says that an item is gone", node.place, "each: items along frame")
        value = core_scalar(matched["value"]) if matched["value"] else None
        along = Along(matched["along"], matched["ends"] or "", matched["key"] or "", value)
    shape = matched["shape"]
    if shape == "runs" and (matched["table"] != "objects" or len(keys) != 1):
        raise problem(f"`each: {text}` does not say by which key the runs name their objects", node.place,
                      "each: objects in runs by id")  # fmt: skip
    return Each(
        matched["table"], keys, overlap, where, columns=shape == "columns", runs=shape == "runs",
        rings=shape == "rings", counted=counted is not None, kept=kept, along=along,
    )  # fmt: skip


def parse_group(node: Node) -> EachGroup | None:
    """Parse the `each` of a group; return None if it is that of a table. Raises SpecError."""
    text = node.value
    if not isinstance(text, str) or not re.match(r"group\b", text):
        return None
    matched = _GROUP.fullmatch(text.strip())
    if matched is None:
        raise problem(f"`each: {text}` is no group", node.place, "group [by NAMES] [numbered KEY]")
    by = tuple(name.strip() for name in (matched["by"] or "").split(",") if name.strip())
    return EachGroup(by, matched["numbered"] or "")


def parse_where(text: str, place: Place) -> Expression:
    """Parse a condition on records. Raises SpecError."""
    try:
        return expression.parse(text)
    except ExpressionSyntaxError as error:
        raise problem(f"in `where {text}`: {error}", place) from None
