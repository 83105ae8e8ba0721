"""Drafts entries about where the objects of rows are."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping as AnyMapping
from typing import Any, NamedTuple

import msgspec

from formatspec.infer import geometry, words
from formatspec.infer.evidence import keys_of, number
from formatspec.infer.geometry import Reading, Seen
from formatspec.infer.nodes import Entry, Mapping, Node, Rows, Several
from formatspec.infer.rules.class_entries import ClassDrafter
from formatspec.infer.rules.references import KEEP

MOST_KINDS = 16
"""How many kinds of shapes one key may name."""


class _Parts(NamedTuple):
    """Entries about classes and shapes, and whether they state either."""

    entries: tuple[Entry, ...]
    named: bool
    shaped: bool


class ShapeDrafter(ClassDrafter):
    """Drafts the entries of shapes."""

    def parts(self, rows: list[Seen], used: set[str], named: bool = False, depth: int = 0) -> _Parts:
        """Draft what rows state about classes and shapes, under their own keys and in nested mappings."""
        counts = keys_of([row.value for row in rows])
        kinds = self._kinds(rows, counts, used)
        own_class = None if named else self.class_entries(rows, used)
        named = named or own_class is not None
        entries = list(own_class or ())
        shapes = [] if kinds is not None else self.geometry_entries(rows, used) or []
        shaped = bool(shapes) or kinds is not None
        entries += [kinds] if kinds is not None else shapes
        for key, count in counts.items():
            inner = [Seen(row.value[key], row.picture) for row in rows if isinstance(row.value.get(key), dict)]
            if key in used or not inner or len(inner) < count or depth > 2:
                continue
            own: set[str] = set()
            below = self.parts(inner, own, named, depth + 1)
            if not below.entries:
                continue
            used.add(key)
            named, shaped = named or below.named, shaped or below.shaped
            left = set(keys_of([one.value for one in inner])) - own
            more = (Entry("*", KEEP),) if left else ()
            entries.append(Entry(f"{key}?" if count < len(rows) else key, Mapping((*below.entries, *more))))
        return _Parts(tuple(entries), named, shaped)

    def _kinds(self, rows: list[Seen], counts: AnyMapping[str, int], used: set[str]) -> Entry | None:
        """Draft alternatives by a key that names the kind of each row's shape."""
        for key in counts:
            told = [row.value.get(key) for row in rows]
            if key in used or not all(isinstance(one, str) for one in told):
                continue
            kinds = set(told)
            if sum(bool(words.SHAPES.search(str(one))) for one in kinds) < 0.6 * len(kinds) or len(kinds) > MOST_KINDS:
                continue
            if words.rank_of_class(key) == 0 or not words.KIND.search(str(key)):
                continue
            used.add(key)
            branches: list[Node] = []
            everything: set[str] = set()
            for kind in dict.fromkeys(told):
                own = set(used)
                part = [row for row in rows if row.value.get(key) == kind]
                entries = self._of_kind(str(kind), part, own)
                everything |= own - used
                branches.append(Mapping((Entry(key, f"= '{kind}'"), *entries)))
            used |= everything
            return Entry("one of", Several(tuple(branches)))
        return None

    def _of_kind(self, kind: str, rows: list[Seen], used: set[str]) -> list[Entry]:
        """Draft the shapes of rows of one kind; the kind's name says what the numbers mean."""
        counts = keys_of([row.value for row in rows])
        plain = {words.folded(key): key for key in counts if key not in used}
        for keys, leaf in words.ROUND:
            if all(key in plain for key in keys) and words.ROUNDED.search(kind):
                used.update(plain[key] for key in keys)
                self.tally.shapes += len(rows)
                return [Entry(", ".join(plain[key] for key in keys), leaf)]
        pointed = bool(words.POINT.search(kind)) and not words.OUTLINE.search(kind)
        for keys in words.PLACES if pointed else ():
            if all(key in plain for key in keys):
                used.update(plain[key] for key in keys)
                self.tally.shapes += len(rows)
                return [Entry(", ".join(plain[key] for key in keys), "keypoints | visible | flat(2)")]
        for key in counts if pointed else ():
            forms = {geometry.form_of(row.value.get(key)) for row in rows}
            if key not in used and forms and forms <= {"one point", "two points", "points"}:
                used.add(key)
                self.tally.shapes += len(rows)
                return [Entry(key, "keypoints | visible | pairs")]
        found = self.geometry_entries(rows, used) or self._below_kind(kind, rows, counts, used)
        if words.LINE.search(kind) and not words.OUTLINE.search(kind):
            return [_renamed(entry, "polyline") for entry in found]
        if words.ROUNDED.search(kind):
            return [_rounded(entry) for entry in found]
        return found

    def _below_kind(self, kind: str, rows: list[Seen], counts: AnyMapping[str, int], used: set[str]) -> list[Entry]:
        """Draft the shapes of rows of one kind in a nested mapping."""
        for key in counts:
            inner = [Seen(row.value[key], row.picture) for row in rows if isinstance(row.value.get(key), dict)]
            if key in used or len(inner) < len(rows):
                continue
            own: set[str] = set()
            entries = self._of_kind(kind, inner, own)
            if entries:
                used.add(key)
                left = set(keys_of([one.value for one in inner])) - own
                return [Entry(key, Mapping((*entries, *((Entry("*", KEEP),) if left else ()))))]
        return []

    def geometry_entries(self, rows: list[Seen], used: set[str]) -> list[Entry] | None:
        """Draft the entries for where each row's object is."""
        found: list[Entry] = []
        counts = keys_of([row.value for row in rows])
        for draft in (self._turned, self._quad, self._corners, self._axes):
            entry = draft(rows, counts, used)
            if entry is not None:
                found.append(entry)
        for key in counts:
            if key in used or words.rank_of_class(key) == 0:
                continue
            entry = self._shapes_under(key, rows, counts[key])
            if entry is not None:
                used.add(key)
                found.append(entry)
        return found or None

    def _turned(self, rows: list[Seen], counts: AnyMapping[str, int], used: set[str]) -> Entry | None:
        angle = next((key for key in counts if words.folded(key) in words.ANGLES), None)
        four = words.quad_of([key for key in counts if key not in used])
        if angle is None or four is None or "cxcywh" not in four[1]:
            return None
        part = [row for row in rows if all(key in row.value for key in (*four[0], angle))]
        values = [[row.value[key] for key in (*four[0], angle)] for row in part]
        comma = any(isinstance(one, str) and "," in one for value in values for one in value)
        angles = [n for value in values if (n := number(str(value[4]).replace(",", "."))) is not None]
        if len(angles) < len(part):
            return None
        used.update((*four[0], angle))
        radians = max(map(abs, angles), default=0) <= 6.3 and any(one != int(one) for one in angles)
        leaf = "rotated" + (" | radians" if radians else "") + (" | decimal_comma" if comma else "")
        self.tally.shapes += len(part)
        comment = (
            f"{len(part)} turned boxes; a guess: the angle is clockwise on screen, else `rotated | counterclockwise`"
        )
        return Entry(", ".join((*four[0], angle)), leaf, comment)

    def _quad(self, rows: list[Seen], counts: AnyMapping[str, int], used: set[str]) -> Entry | None:
        four = words.quad_of([key for key in counts if key not in used])
        if four is None:
            return None
        keys, orders = four
        part = [row for row in rows if all(row.value.get(key) not in (None, "") for key in keys)]
        texts = [[row.value[key] for key in keys] for row in part]
        comma = any(isinstance(one, str) and "," in one for text in texts for one in text)
        if comma:
            texts = [[str(one).replace(",", ".") for one in text] for text in texts]
        quads = [Seen(text, row.picture) for text, row in zip(texts, part, strict=True)]
        reading = geometry.box(quads, " ".join(keys), orders) if quads else None
        if reading is None:
            return None
        used.update(keys)
        self.count_shapes(reading, len(part))
        name = ", ".join(keys)
        optional = len(part) < len(rows)
        name = ", ".join(f"{key}?" for key in keys) if optional else name
        return Entry(name, reading.leaf + (" | decimal_comma" if comma else ""), reading.comment, reading.doubt)

    def _corners(self, rows: list[Seen], counts: AnyMapping[str, int], used: set[str]) -> Entry | None:
        plain = {words.folded(key): key for key in counts if key not in used}
        for first, second in words.CORNERS:
            if first not in plain or second not in plain:
                continue
            keys = (plain[first], plain[second])
            part = [row for row in rows if all(isinstance(row.value.get(key), list) for key in keys)]
            quads = [Seen([*row.value[keys[0]], *row.value[keys[1]]], row.picture) for row in part]
            reading = geometry.box(quads, "min max", ("sides",)) if quads else None
            if reading is None or len(part) < len(rows):
                continue
            used.update(keys)
            self.count_shapes(reading, len(part))
            units = reading.leaf.partition("sides")[2].replace(" | inclusive(1)", "").replace(" | inclusive(0)", "")
            return Entry(", ".join(keys), f"bbox | two_corners{units}", reading.comment, reading.doubt)
        return None

    def _axes(self, rows: list[Seen], counts: AnyMapping[str, int], used: set[str]) -> Entry | None:
        plain = {words.folded(key): key for key in counts if key not in used}
        for first, second in words.AXES:
            if first not in plain or second not in plain:
                continue
            keys = (plain[first], plain[second])
            part = [row for row in rows if all(isinstance(row.value.get(key), list) for key in keys)]
            if not part or any(len(row.value[keys[0]]) != len(row.value[keys[1]]) for row in part):
                continue
            used.update(keys)
            self.tally.shapes += len(part)
            name = ", ".join(keys if len(part) == len(rows) else [f"{key}?" for key in keys])
            return Entry(name, "polygon | axes", f"{len(part)} outlines")
        return None

    def _shapes_under(self, key: str, rows: list[Seen], count: int) -> Entry | None:
        """Draft the entry of one key whose values are shapes, perhaps of several forms."""
        part = [Seen(row.value[key], row.picture) for row in rows if key in row.value]
        by_form: dict[str, list[Seen]] = defaultdict(list)
        for one in part:
            by_form[geometry.form_of(one.value)].append(one)
        shaped = [form for form in by_form if form not in ("", "null", "empty", "one point", "five")]
        if not shaped or sum(len(by_form[form]) for form in shaped) < 0.5 * len(part) - len(by_form.get("empty", ())):
            return None
        beside = {id(row.value.get(key)): _points_beside(row.value, key) for row in rows if key in row.value}
        readings = [
            (form, geometry.shape(by_form[form], form, key, [beside[id(one.value)] for one in by_form[form]]))
            for form in shaped
        ]
        told = [(form, one) for form, one in readings if one is not None]
        if not told:
            return None
        missing = (
            count < len(rows) or bool(by_form.get("null")) or bool(by_form.get("empty")) or len(told) < len(by_form)
        )
        name = f"{key}?" if missing else key
        for form, reading in told:
            self.count_shapes(reading, len(by_form[form]))
        tail = " else null" if by_form.get("null") else ""
        if len(told) == 1 and not by_form.get(""):
            reading = told[0][1]
            return Entry(name, reading.leaf + tail, reading.comment, reading.doubt)
        ordered = sorted(told, key=lambda one: one[0] != "rle")
        branches: list[Node] = [Mapping((Entry(name, one.leaf, one.comment, one.doubt),)) for _, one in ordered]
        if by_form.get("") or by_form.get("one point") or by_form.get("five"):
            branches.append(Mapping((Entry(name, KEEP),)))
        return Entry("one of", Several(tuple(branches)))

    def count_shapes(self, reading: Reading, rows: int) -> None:
        """Count what a leaf describes."""
        if reading.leaf.lstrip("[{").startswith("bbox"):
            self.tally.boxes += rows
        else:
            self.tally.shapes += rows

    def bare_rows(self, key: str, rows: list[Seen]) -> Rows | None:
        """Draft rows that are no mappings: each is a shape."""
        listed = self._places(rows)
        if listed is not None:
            return listed
        forms = Counter(geometry.form_of(row.value) for row in rows)
        form = forms.most_common(1)[0][0]
        if not form or form in ("null", "empty") or forms[form] < len(rows):
            return None
        reading = geometry.shape(rows, form, key)
        if reading is None:
            return None
        self.count_shapes(reading, len(rows))
        return Rows("objects", (Entry("#", reading.leaf, reading.comment, reading.doubt),))

    def _places(self, rows: list[Seen]) -> Rows | None:
        """Draft rows that are lists of a box, a class and perhaps a score: positions are their keys."""
        width = min((len(row.value) if isinstance(row.value, list) else 0 for row in rows), default=0)
        most = max((len(row.value) if isinstance(row.value, list) else 0 for row in rows), default=0)
        if (
            width < 5
            or most > width + 1
            or not all(isinstance(one, str | int | float) for row in rows for one in row.value)
        ):
            return None
        numeric = [all(not isinstance(row.value[i], str) for row in rows) for i in range(width)]
        starts = [i for i in range(width - 3) if all(numeric[i : i + 4])]
        for start in starts[:1] + starts[-1:]:
            reading = geometry.box([Seen(row.value[start : start + 4], row.picture) for row in rows], "")
            left = [i for i in range(width) if not start <= i < start + 4]
            named = next((i for i in left if not numeric[i]), left[0] if left else None)
            entry = None if named is None else self.class_under("class", [row.value[named] for row in rows])
            if reading is None or entry is None or named is None:
                continue
            self.count_shapes(reading, len(rows))
            places = ", ".join(map(str, range(start, start + 4)))
            entries = [Entry(places, reading.leaf, reading.comment, reading.doubt)]
            entries.append(msgspec.structs.replace(entry, key=str(named)))
            entries += [Entry(str(i), f"attributes.place_{i}") for i in left if i != named]
            entries += [Entry(f"{width}?", f"attributes.place_{width}")] if most > width else []
            return Rows("objects", tuple(sorted(entries, key=lambda one: int(one.key.split(",")[0].rstrip("?")))))
        return None


def _points_beside(row: AnyMapping[str, Any], key: str) -> list[tuple[float, float]]:
    """Return the points of the other shapes of a row."""
    return [point for name, value in row.items() if name != key for point in geometry.points_of(value)]


def _renamed(entry: Entry, slot: str) -> Entry:
    """Return an entry as a line if it was drafted as an outline, or as a box of two points."""
    if isinstance(entry.node, str) and entry.node.startswith("polygon |"):
        return msgspec.structs.replace(entry, node=slot + entry.node[len("polygon") :].replace(" | closed", ""))
    if isinstance(entry.node, str) and entry.node.startswith("bbox | two_corners"):
        return msgspec.structs.replace(entry, node=slot + " | pairs" + entry.node[len("bbox | two_corners") :])
    if isinstance(entry.node, Several):
        nodes = (
            Mapping(tuple(_renamed(one, slot) for one in node.entries))
            for node in entry.node.nodes
            if isinstance(node, Mapping)
        )
        kept = tuple(nodes)
        return (
            kept[0].entries[0]
            if len({str(one) for one in kept}) == 1
            else msgspec.structs.replace(entry, node=Several(kept[:1]))
        )
    return entry


def _rounded(entry: Entry) -> Entry:
    """Return the entry of a circle that is given by its centre and a point on it."""
    if isinstance(entry.node, str) and entry.node.startswith("bbox | two_corners"):
        return msgspec.structs.replace(entry, node="circle | center_and_rim" + entry.node[len("bbox | two_corners") :])
    return entry
