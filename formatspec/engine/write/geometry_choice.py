"""Which geometry an alternative can hold, and which of several alternatives fits an object's stated geometry."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from formatspec.engine.base.source_code import function
from formatspec.engine.evaluate.unbounded import is_flat, is_unbounded
from formatspec.engine.evaluate.write_context import GEOMETRY, WriteContext, states
from formatspec.engine.resolve.held_slots import BITS, SLOT_OF, WRITTEN, stated_source
from formatspec.engine.resolve.questions.tables import certain
from formatspec.language.leaf import Bind, names_of
from formatspec.language.rules import LeafRule, ListRule, MapRule, Rule, TableRule
from formatspec.model import derive
from formatspec.model.records import Object

Geometry = frozenset[str]
"""The geometry slots that an alternative can hold."""
BOX_ONLY: Geometry = frozenset({"bbox"})
KEYPOINTS_ONLY: Geometry = frozenset({"keypoints"})
OUTLINES: Geometry = frozenset({"polygon", "polygons"})


def shape_of(rule: Rule) -> Geometry:
    """Return the geometry slots that a rule's leaves bind."""
    return frozenset(name for name in bound_names(rule) if name in GEOMETRY)


def required_shape(rule: Rule) -> Geometry:
    """Return the geometry slots that a rule's leaves bind and that a row cannot leave out."""
    if isinstance(rule, MapRule):
        return frozenset().union(*(required_shape(field.rule) for field in rule.fields if not field.optional))
    return shape_of(rule)


def requires_outline(rule: Rule) -> bool:
    """Return whether a mapping always states outlines, and would state empty ones for an object without any."""
    if isinstance(rule, ListRule):
        return any(map(requires_outline, rule.rules))
    return isinstance(rule, MapRule) and any(
        not field.optional
        and (
            requires_outline(field.rule)
            if not isinstance(field.rule, LeafRule)
            else isinstance(field.rule.leaf, Bind)
            and field.rule.leaf.default is None
            and field.rule.leaf.names == ("polygons",)
        )
        for field in rule.fields
    )


class Fitting(NamedTuple):
    """The alternatives, given by their positions, grouped by how well they hold an object's geometry.

    Attributes:
        stated: Alternatives all of whose geometry the object states.
        first: Those of `stated` that hold any geometry; all of `stated` where no alternative holds geometry.
        others: All other alternatives, in the order in which they are tried.
    """

    stated: tuple[int, ...]
    first: tuple[int, ...]
    others: tuple[int, ...]

    def without(self, gone: frozenset[int]) -> Fitting:
        """Return the alternatives without some of them."""
        return Fitting(*(tuple(place for place in places if place not in gone) for places in self))


class Choose(Protocol):
    """Says which of several alternatives fit a record's stated geometry, and whether it was read in this format."""

    def __call__(self, context: WriteContext, record: Any, is_read: bool = True) -> Fitting:
        """Return the alternatives that fit, and the others."""


def too_flat(shape: Geometry, record: Any) -> bool:
    """Return whether an alternative of this shape would state a box without an area in place of a record's points."""
    return bool(shape) and isinstance(record, Object) and is_flat(record) and is_unbounded(record) not in shape


def without_flat(shape: Geometry, records: Sequence[Any]) -> list[Any]:
    """Return the records that are not too flat for an alternative of this shape."""
    return [one for one in records if getattr(one, "bbox", None) is not None or not too_flat(shape, one)]


def chooser_of(choices: Sequence[Rule], kept: frozenset[int] = frozenset()) -> Choose:
    """Return `shape_chooser` for alternatives."""
    return shape_chooser(
        [shape_of(choice) for choice in choices],
        frozenset(place for place, choice in enumerate(choices) if requires_outline(choice)),
        [required_shape(choice) for choice in choices],
        kept,
    )


def shape_chooser(
    shapes: Sequence[Geometry],
    outlines: frozenset[int] = frozenset(),
    required: Sequence[Geometry] = (),
    kept: frozenset[int] = frozenset(),
) -> Choose:
    """Return a function that says which of several alternatives fit a record's stated geometry.

    They keep their order, one for a box alone last. If an object's region is its stated geometry, an outline
    can follow from it: that outline is preferred to a box alone if it stands before it, and also if an alternative for
    the region stands before the outline but cannot hold this region. The answer depends only on which slots are stated,
    so it is computed once for each combination of them.

    Args:
        shapes: The geometry that each alternative holds.
        outlines: The alternatives that always state outlines, also empty ones.
        required: Of each alternative the geometry that it cannot leave out; empty if that is all of it.
        kept: The alternatives that only a record of this format can be written by.
    """
    needed = required or shapes
    names = frozenset().union(*shapes)
    slots = sorted({SLOT_OF.get(name, name) for name in names})
    known: dict[int, Fitting] = {}

    def found(bits: int) -> Fitting:
        stated = frozenset(name for name in names if bits & BITS[SLOT_OF.get(name, name)])
        fitting = _fitting(shapes, stated, bool(bits & _BY_REGION), bool(bits & _UNSEEN))
        gone = (outlines if bits & _BARE else frozenset()) | (kept if bits & _FOREIGN else frozenset())
        for bit, flat in ((_LINE, "polyline"), (_POINTS, "keypoints")):
            if bits & bit:
                gone |= {place for place, shape in enumerate(shapes) if needed[place] and flat not in shape}
        known[bits] = fitting.without(gone)
        return known[bits]

    anew = []
    if names:
        bare = [f"if record.rotated is None: bits |= {_BARE}"] if outlines else []
        flat = f"bits |= {_LINE} if record.polyline else {_POINTS}"
        anew = ["if not (record.polygons or record.region):", *(f"    {one}" for one in bare)]
        anew += ["    if record.bbox is None and is_flat(record):", f"        {flat}"]
    anew += [f"bits |= {_FOREIGN}"] if kept else []
    by_region = f"if record.region and not context.setting.apart: bits |= {_BY_REGION}"
    unseen = f"if record.keypoints and says_more(record): bits |= {_UNSEEN}"
    body = [
        f"if record.__class__ is not Object: bits = {sum(BITS[slot] for slot in slots)}",
        "else:",
        "    bits = 0",
        *(f"    if {stated_source(slot, 'record')}: bits |= {BITS[slot]}" for slot in slots),
        *([f"    {by_region}"] if any(shape & OUTLINES for shape in shapes) else ()),
        *([f"    {unseen}"] if KEYPOINTS_ONLY in shapes else ()),
        *(["    if not is_read:", *(f"        {one}" for one in anew)] if anew else ()),
        "return known[bits] if bits in known else found(bits)",
    ]
    using = {"Object": Object, "is_flat": is_flat, "says_more": _says_more_than_keypoints}
    return function("choose(context, record, is_read=True)", body, {**using, "known": known, "found": found})


_BY_REGION, _UNSEEN, _BARE, _LINE, _POINTS, _FOREIGN = (WRITTEN << place for place in range(6))
"""What an answer depends on besides the slots: whether an outline may be computed from the object's region; whether an
alternative for keypoints alone would lose other geometry; whether the object has no outline; whether it is only a line
or only points; whether it is written anew."""


def _says_more_than_keypoints(thing: Object) -> bool:
    """Whether none of an object's keypoints is labelled while it has other geometry."""
    return not derive.labelled(thing) and any(states(thing, name) for name in GEOMETRY if name != "keypoints")


def _fitting(shapes: Sequence[Geometry], slots: Geometry, by_region: bool, unseen: bool) -> Fitting:
    """Return which alternatives fit an object with these slots.

    Args:
        shapes: The geometry that each alternative holds.
        slots: The geometry that the object states.
        by_region: Whether an outline may be computed from the object's region.
        unseen: Whether an alternative for keypoints alone would lose the object's other geometry.
    """
    fitting = sorted(
        (place for place, shape in enumerate(shapes) if shape <= slots and not (unseen and shape == KEYPOINTS_ONLY)),
        key=lambda p: shapes[p] == BOX_ONLY,
    )
    if by_region:
        whole = next((place for place in fitting if shapes[place] - BOX_ONLY), None)
        outline = next((place for place, shape in enumerate(shapes) if shape & OUTLINES), None)
        if outline is not None and outline not in fitting and (whole is None or outline >= whole):
            outlines = (p for p, shape in enumerate(shapes) if shape & OUTLINES and shape - OUTLINES <= slots)
            fitting = sorted({*outlines, *fitting})
    # An alternative without geometry is not preferred to one whose geometry is computed.
    first = [place for place in fitting if shapes[place]] if any(shapes) else fitting
    others = (place for place in range(len(shapes)) if place not in first)
    last = sorted(others, key=lambda place: not (shapes[place] - BOX_ONLY) & slots)
    return Fitting(tuple(fitting), tuple(first), tuple(last))


def bound_names(rule: Rule) -> Iterator[str]:
    """Yield the names that the leaves of a rule bind, without those of tables inside it."""
    return (name for one in certain(rule) for name in names_of(one.leaf))


class GeometryRow(Protocol):
    """What is asked of the writer of a table's rows, to compare them with those of others."""

    kept: bool
    rule: TableRule
    select: Callable[[WriteContext], Iterable[Any]]
    shape: Geometry
    table: str
    tells: frozenset[str]


class Shaped(NamedTuple):
    """A test whether one of several rows of a table holds a record's geometry as it is stated.

    Attributes:
        fits: Orders the rows of the table for a record.
        place: The position of the row among them.
    """

    fits: Choose
    place: int

    def holds(self, context: WriteContext, record: Any) -> bool:
        """Return whether this row holds a record's geometry as it is stated."""
        return self.place in self.fits(context, record).stated


class Group(NamedTuple):
    """Rows of one table that are compared with each other.

    Attributes:
        select: Gives the records of the table.
        fits: Orders the rows for a record.
        rows: The rows that may be given to a record without a source, by their positions in that order.
    """

    select: Callable[[WriteContext], Iterable[Any]]
    fits: Choose
    rows: Mapping[int, GeometryRow]


class Shapes(NamedTuple):
    """Which of several rows hold a record's geometry as it is stated.

    Attributes:
        tests: A test for each row, by its identity.
        groups: The rows of each table that may be given to records without a source.
        tell: Whether one of these rows describes other records too.
    """

    tests: Mapping[int, Shaped]
    groups: tuple[Group, ...]
    tell: bool

    def found(self, context: WriteContext) -> dict[GeometryRow, list[Any]]:
        """Return the records whose stated geometry a row holds, in the model's order."""
        found: dict[GeometryRow, list[Any]] = {}
        for group in self.groups:
            fits, rows = group.fits, group.rows
            for record in group.select(context):
                for place in fits(context, record).stated:
                    if place in rows:
                        row = rows[place]
                        if row in found:
                            found[row] += (record,)
                        else:
                            found[row] = [record]
        return found


def shapes_of(rows: Sequence[GeometryRow]) -> Shapes:
    """Return which of some rows hold a record's geometry; rows of the same table are compared with each other."""
    tests: dict[int, Shaped] = {}
    groups: list[Group] = []
    made = [row for row in rows if not (row.kept or row.rule.each.rings)]
    for table in dict.fromkeys(row.table for row in rows):
        same = [row for row in rows if row.table == table]
        fits = shape_chooser([row.shape for row in same])
        tests.update({id(row): Shaped(fits, place) for place, row in enumerate(same)})
        own = {place: row for place, row in enumerate(same) if row in made}
        groups += [Group(next(iter(own.values())).select, fits, own)] if own else []
    return Shapes(tests, tuple(groups), any(row.tells for row in made))
