"""Rules for documents of mappings and lists (JSON, YAML, XML, rows of tables), drafted from what stands in them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping as AnyMapping, Sequence
from typing import Any, NamedTuple

import msgspec

from formatspec.infer import geometry, words
from formatspec.infer.evidence import Picture, keys_of, number
from formatspec.infer.geometry import Reading, Seen
from formatspec.infer.names import Layout
from formatspec.infer.nodes import Entry, Mapping, Node, Rows, Several

MOST = 0.9
"""Share of values of which something must hold for it to be drafted."""
KEEP = "keep"
_PICTURES = ("/9j/", "iVBORw0KGgo")
"""What images begin with as text: JPEG and PNG in base64."""


class Tally(msgspec.Struct):
    """What the drafted rules tell of, so that drafts can be compared."""

    boxes: int = 0
    shapes: int = 0
    classes: int = 0
    items: int = 0
    lists: int = 0
    labels: int = 0
    names: set[str] = msgspec.field(default_factory=set)
    numbers: set[int] = msgspec.field(default_factory=set)
    embedded: bool = False
    slot: str = ""
    """How rows name their class: `name`, `id` or `index`."""


class _Parts(NamedTuple):
    """Entries that tell of classes and shapes, and whether they tell of either."""

    entries: tuple[Entry, ...]
    named: bool
    shaped: bool


class Builder:
    """Drafts the rule of one group of documents.

    Args:
        layout: How images are named.
        listed: The names of classes that are listed elsewhere, and their ids where they have some.
        textual: Whether all values are text, as in XML and in tables.
        numbered: Whether the list of classes itself numbers them from 0.
    """

    def __init__(
        self, layout: Layout, listed: Sequence[tuple[Any, str]], textual: bool, numbered: bool = False
    ) -> None:
        self.numbered = numbered
        self.layout = layout
        self.listed = list(listed)
        self.textual = textual
        self.tally = Tally()
        self._by_id: dict[Any, Picture] = {}
        self._captures: AnyMapping[str, str] = {}

    # -- whole documents -------------------------------------------------------------------------------------

    def document(self, values: Sequence[Seen], captures: Sequence[AnyMapping[str, str]]) -> Node | None:
        """The rule of documents, each of one image where `picture` is known, else of many."""
        self._known = dict(zip(map(id, (one.value for one in values)), captures, strict=True))
        for one, known in zip(values, captures, strict=True):
            self._captures = known
            self._note_ids(one.value)
        self._captures = captures[0] if len({str(one) for one in captures}) == 1 else {}
        owned = all(one.picture is not None for one in values)
        node = self._value("", list(values), "item" if owned else "document")
        return None if node is None or node == KEEP else node

    def rows(self, values: Sequence[Seen], captures: AnyMapping[str, str]) -> Rows | None:
        """The rule of the rows of a table, each a mapping of texts."""
        self._captures = captures
        return self._table("", list(values), "document")

    def settings(self, documents: Sequence[AnyMapping[str, Any]], captures: Sequence[AnyMapping[str, str]]) -> Node:
        """The rule of INI files beside many images: what they say of all of these."""
        sections: list[Entry] = []
        for section, count in keys_of(list(documents)).items():
            inner = [one[section] for one in documents if section in one]
            entries = []
            for key, own in keys_of(inner).items():
                name = f"{key}?" if own < len(inner) else key
                entries.append(Entry(name, self._setting(key, section, documents, captures)))
            sections.append(Entry(f"{section}?" if count < len(documents) else section, Mapping(tuple(entries))))
        self.tally.items += len(documents)
        return Mapping(tuple(sections))

    def _setting(
        self, key: str, section: str, documents: Sequence[Any], captures: Sequence[AnyMapping[str, str]]
    ) -> str:
        """What one key of INI files says: the size of images, or an attribute of theirs."""
        for side in ("width", "height"):
            if side[0] in key.lower() and all(
                number(one.get(section, {}).get(key)) == getattr(picture, side)
                for one, known in zip(documents, captures, strict=True)
                for picture in self.layout.pictures
                if all(self.layout.captures[picture.path].get(name, text) == text for name, text in known.items())
            ):
                return f"image.{side}"
        safe = "".join(c if c.isalnum() and c.isascii() else "_" for c in key)
        return f"item.attributes.{safe}" if safe[:1].isalpha() else KEEP

    def _note_ids(self, value: Any) -> None:
        """Note which ids stand for which image: rows that name an image and have an id."""
        if isinstance(value, dict):
            inner = list(value.values())
            if len(inner) > 0 and all(isinstance(one, dict) for one in inner):
                self._note_ids(inner)
            for one in inner:
                self._note_ids(one)
        elif isinstance(value, list) and value and all(isinstance(one, dict) for one in value[:3]):
            key = self._reference(value)
            own = next((name for name in keys_of(value) if words.folded(name) in words.IDS), None) if key else None
            for row in value:
                if key and own and isinstance(row, dict) and (hit := self._named(_at(row, key))) is not None:
                    self._by_id.setdefault(row.get(own), hit[1])
            for row in value:
                self._note_ids(row)

    def _named(self, value: Any) -> tuple[str, Picture] | None:
        if not isinstance(value, str) or not value:
            return None
        return self.layout.named_by(value, self._captures)

    def _reference(self, rows: Sequence[Any]) -> tuple[str, ...] | None:
        """The key of some mappings whose values name images, or the keys in one another that lead to it."""
        for key in keys_of(list(rows)):
            texts = [row[key] for row in rows if isinstance(row, dict) and isinstance(row.get(key), str)]
            hits = sum(self._named(text) is not None for text in texts)
            if texts and hits >= 0.6 * len(texts) and len(texts) >= 0.9 * len(rows):
                return (key,)
        for key in keys_of(list(rows)):
            inner = [row[key] for row in rows if isinstance(row, dict) and isinstance(row.get(key), dict)]
            deeper = self._reference(inner) if inner and len(inner) >= 0.9 * len(rows) else None
            if deeper is not None:
                return (key, *deeper)
        return None

    def _template(self, values: Sequence[Seen]) -> str:
        found = Counter(hit[0] for one in values if (hit := self._named(one.value)) is not None)
        template = found.most_common(1)[0][0]
        return f'"{template}"' if False else template

    # -- values ----------------------------------------------------------------------------------------------

    def _value(self, key: str, values: list[Seen], scope: str) -> Node | None:
        """What stands at one place; None where nothing is known of it, and it is kept as it is."""
        told = [one for one in values if one.value is not None]
        if told and all(isinstance(one.value, dict) for one in told):
            if self._is_keyed(told):
                return self._keyed(key, told, scope)
            return self._mapping(told, scope)
        if told and all(isinstance(one.value, list) for one in told):
            rows = [Seen(row, one.picture) for one in told for row in one.value]
            if rows and all(isinstance(row.value, dict) for row in rows):
                return self._table(key, rows, scope)
            if scope == "item" and rows:
                return self._bare_rows(key, rows)
            if scope == "document" and rows and all(isinstance(row.value, str) for row in rows):
                return self._list_of_names(key, [row.value for row in rows], len(told))
        if self.textual and told and any(isinstance(one.value, list) for one in told):
            rows = [Seen(row, one.picture) for one in told for row in _as_list(one.value)]
            if all(isinstance(row.value, dict) for row in rows):
                return self._table(key, rows, scope)
        return None

    def _mapping(self, values: list[Seen], scope: str) -> Mapping | None:
        """A mapping that is no row of its own: of a document, of an item, or part of either."""
        entries: list[Entry] = []
        useful = False
        left = False
        counts = keys_of([one.value for one in values])
        first = [key for key in counts if scope == "document" and words.folded(str(key)) in words.LISTS]
        for key in (*first, *(key for key in counts if key not in first)):
            count = counts[key]
            part = [Seen(one.value[key], one.picture) for one in values if key in one.value]
            name = f"{key}?" if count < len(values) else key
            entry = self._of_item(key, name, part) if scope == "item" else None
            node: Node | None = None
            if entry is None:
                node = self._value(key, part, scope)
                if node is None and scope == "item" and self.textual and self._holds_object(part):
                    node = self._table(key, part, scope)
                if node is not None:
                    entry = Entry(_row_key(name, node), node)
            if entry is not None:
                useful = useful or entry.node != KEEP
                entries.append(entry)
            else:
                left = True
        if not useful:
            return None
        place = {str(key): at for at, key in enumerate(counts)}
        entries.sort(key=lambda entry: place.get(entry.key.rstrip("?"), len(place)))
        if left or not self.textual or scope == "document":
            entries.append(Entry("*", KEEP))
        return Mapping(tuple(entries))

    def _holds_object(self, values: list[Seen]) -> bool:
        """Whether single XML elements are objects: each would be a list where there were two."""
        if not all(isinstance(one.value, dict) for one in values):
            return False
        trial = Builder(self.layout, self.listed, self.textual)
        found = trial._table("", list(values), "item")
        return found is not None and trial.tally.boxes + trial.tally.shapes > 0 and trial.tally.classes > 0

    def _of_item(self, key: str, name: str, part: list[Seen]) -> Entry | None:
        """An entry that says something of the item itself."""
        sized = [one for one in part if one.picture is not None and one.picture.width]
        for side, slot in (("width", "image.width"), ("height", "image.height")):
            same = [one for one in sized if number(one.value) == getattr(one.picture, side)]
            if sized and len(same) == len(sized) and side[0] in key.lower():
                return Entry(name, slot)
        pairs = [one for one in sized if isinstance(one.value, list) and len(one.value) == 2]
        if pairs and len(pairs) == len(part):
            if all(one.value == [one.picture.width, one.picture.height] for one in pairs if one.picture):
                return Entry(name, "image.width, image.height", "the size of each image")
            if all(one.value == [one.picture.height, one.picture.width] for one in pairs if one.picture):
                return Entry(name, "image.height, image.width", "the size of each image, its height first")
        texts = [one for one in part if isinstance(one.value, str)]
        if any(one.value.startswith(_PICTURES) and len(one.value) > 200 for one in texts):
            self.tally.embedded = True
            return Entry(name, "image.data | base64 else null", "images inside the documents")
        if len(texts) == len(part) and texts:
            hits = [hit for one in texts if (hit := self._named(one.value)) and hit[1] == one.picture]
            if len(hits) == len(texts):
                templates = {hit[0] for hit in hits}
                return Entry(name, next(iter(templates)) if len(templates) == 1 else KEEP, "names the image")
            if words.folded(key) in words.CAPTION:
                return Entry(name, "caption.text")
        return None

    # -- rows ------------------------------------------------------------------------------------------------

    def _table(self, key: str, rows: list[Seen], scope: str) -> Rows | None:
        """Rows: of classes, of items, or of objects."""
        values = [row.value for row in rows]
        if scope == "document":
            listed = self._classes_table(key, values)
            if listed is not None:
                return listed
            reference = self._reference(values)
            if reference is not None:
                named = [Seen(row.value, self._picture_of(_at(row.value, reference))) for row in rows]
                return self._items_or_objects(named, reference)
            joined = self._id_key(values)
            if joined is not None:
                named = [Seen(row.value, self._by_id.get(row.value.get(joined))) for row in rows]
                leaf = _id_leaf("item.id", [row.value.get(joined) for row in rows], "item.index + 1")
                return self._objects(named, {joined: Entry(joined, leaf)})
            return None
        return self._objects(rows, {})

    def _picture_of(self, value: Any) -> Picture | None:
        hit = self._named(value)
        return hit[1] if hit is not None else None

    def _id_key(self, values: Sequence[Any]) -> str | None:
        """The key of rows by which they name the id of an item."""
        if not self._by_id:
            return None
        best: tuple[int, str] | None = None
        for key in keys_of(list(values)):
            hits = sum(_hashable(row.get(key)) and row.get(key) in self._by_id for row in values)
            named = "im" in key.lower() or "frame" in key.lower() or "file" in key.lower()
            if hits >= MOST * len(values) and named and (best is None or hits > best[0]):
                best = (hits, key)
        return best[1] if best else None

    def _items_or_objects(self, rows: list[Seen], reference: tuple[str, ...]) -> Rows | None:
        """Rows that name images: of objects where they hold geometry, else of items."""
        if len(reference) > 1:
            return self._items(rows, {})
        key = reference[0]
        template = self._template([Seen(row.value.get(key), row.picture) for row in rows])
        taken = {key: Entry(key, template, "names the image", "")}
        apart = len({id(row.picture) for row in rows}) == len(rows)
        trial = Builder(self.layout, self.listed, self.textual)
        flat = trial._geometry(rows, set()) if not self.textual else None
        if self.textual or (flat is not None and not apart):
            found = self._objects(rows, taken)
            if found is not None:
                return found
        return self._items(rows, taken)

    def _items(self, rows: list[Seen], taken: dict[str, Entry]) -> Rows:
        entries: list[Entry] = []
        own = False
        for key, count in keys_of([row.value for row in rows]).items():
            part = [Seen(row.value[key], row.picture) for row in rows if key in row.value]
            name = f"{key}?" if count < len(rows) else key
            if key in taken:
                entries.append(taken[key])
                continue
            entry = self._of_item(key, name, part)
            if entry is None and words.folded(key) in words.IDS and not own and self._by_id:
                own = True
                entry = Entry(name, _id_leaf("id", [one.value for one in part], "index + 1"))
            if entry is None:
                node = self._value(key, part, "item")
                entry = Entry(_row_key(name, node), node) if node is not None else None
            if entry is None and self._is_label(key, part):
                self.tally.labels += len(part)
                self.tally.names.update(str(one.value) for one in part)
                entry = Entry(name, "label.category.name", "the class of the image")
            if entry is not None:
                entries.append(entry)
        self.tally.items += len(rows)
        if not self.textual:
            entries.append(Entry("*", KEEP))
        else:
            known = {entry.key.rstrip("?") for entry in entries}
            entries += [Entry(f"{key}?", KEEP) for key in keys_of([row.value for row in rows]) if key not in known]
        return Rows("items by id" if own else "items", tuple(entries))

    def _is_label(self, key: str, part: list[Seen]) -> bool:
        texts = [one.value for one in part if isinstance(one.value, str)]
        return words.rank_of_class(key) is not None and len(texts) == len(part) and len(set(texts)) <= 0.7 * len(texts)

    def _objects(self, rows: list[Seen], taken: dict[str, Entry]) -> Rows | None:
        """Rows of objects; None where they tell neither a class nor where the object is."""
        entries, conditions = self._object_entries(rows, taken)
        if entries is None:
            return None
        return Rows("objects" + conditions, entries)

    def _object_entries(self, rows: list[Seen], taken: dict[str, Entry]) -> tuple[tuple[Entry, ...] | None, str]:
        values = [row.value for row in rows]
        counts = keys_of(values)
        used = set(taken)
        part = self._parts(rows, used)
        if not part.shaped and (not part.named or not taken):
            return None, ""
        entries = [*taken.values(), *part.entries]
        by = ""
        for key, count in counts.items():
            if key in used:
                continue
            name = f"{key}?" if count < len(rows) else key
            told = [Seen(row.value[key], row.picture) for row in rows if key in row.value]
            entry, is_id = self._of_object(key, name, told, len(rows))
            if is_id and not by:
                by = " by id"
                entry = Entry(name, _id_leaf("id", [one.value for one in told], "index + 1"))
            if entry is not None:
                entries.append(entry)
        if not (self.textual and self._is_flat(values)):
            entries.append(Entry("*", KEEP))
        return tuple(entries), by

    def _parts(self, rows: list[Seen], used: set[str], named: bool = False, depth: int = 0) -> _Parts:
        """What rows tell of classes and shapes, under keys of their own and in mappings below them."""
        counts = keys_of([row.value for row in rows])
        kinds = self._kinds(rows, counts, used)
        own_class = None if named else self._class(rows, used)
        named = named or own_class is not None
        entries = list(own_class or ())
        shapes = [] if kinds is not None else self._geometry(rows, used) or []
        shaped = bool(shapes) or kinds is not None
        entries += [kinds] if kinds is not None else shapes
        for key, count in counts.items():
            inner = [Seen(row.value[key], row.picture) for row in rows if isinstance(row.value.get(key), dict)]
            if key in used or not inner or len(inner) < count or depth > 2:
                continue
            own: set[str] = set()
            below = self._parts(inner, own, named, depth + 1)
            if not below.entries:
                continue
            used.add(key)
            named, shaped = named or below.named, shaped or below.shaped
            left = set(keys_of([one.value for one in inner])) - own
            more = (Entry("*", KEEP),) if left else ()
            entries.append(Entry(f"{key}?" if count < len(rows) else key, Mapping((*below.entries, *more))))
        return _Parts(tuple(entries), named, shaped)

    def _kinds(self, rows: list[Seen], counts: AnyMapping[str, int], used: set[str]) -> Entry | None:
        """Alternatives by a key that names the kind of each row's shape."""
        for key in counts:
            told = [row.value.get(key) for row in rows]
            if key in used or not all(isinstance(one, str) and words.SHAPES.search(one) for one in told):
                continue
            if words.rank_of_class(key) == 0 or not words.KIND.search(key):
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
        """The shapes of rows of one kind, whose name says what the numbers mean."""
        counts = keys_of([row.value for row in rows])
        plain = {words.folded(key): key for key in counts if key not in used}
        for keys, leaf in words.ROUND:
            if all(key in plain for key in keys) and words.ROUNDED.search(kind):
                used.update(plain[key] for key in keys)
                self.tally.shapes += len(rows)
                return [Entry(", ".join(plain[key] for key in keys), leaf)]
        pointed = bool(words.POINT.search(kind)) and not words.OUTLINE.search(kind)
        for key in counts if pointed else ():
            forms = {geometry.form_of(row.value.get(key)) for row in rows}
            if key not in used and forms and forms <= {"one point", "two points", "points"}:
                used.add(key)
                self.tally.shapes += len(rows)
                return [Entry(key, "keypoints | visible | pairs")]
        found = self._geometry(rows, used) or []
        if words.LINE.search(kind) and not words.OUTLINE.search(kind):
            return [_renamed(entry, "polyline") for entry in found]
        if words.ROUNDED.search(kind):
            return [_rounded(entry) for entry in found]
        return found

    @staticmethod
    def _is_flat(values: Sequence[Any]) -> bool:
        """Whether rows are those of a table of texts, which name all their columns."""
        return all(not isinstance(one, dict | list) for value in values for one in value.values())

    def _of_object(self, key: str, name: str, part: list[Seen], rows: int) -> tuple[Entry | None, bool]:
        """An entry that is neither geometry nor class, and whether it is the object's id."""
        told = [one.value for one in part if one.value is not None]
        simple = all(isinstance(value, str | int | float | bool) for value in told)
        tail = " else null" if len(told) < len(part) else ""
        if not told or not simple:
            return (Entry(name, KEEP) if self._is_flat([{key: value} for value in told]) else None), False
        if words.folded(key) in words.IDS and len(set(map(str, told))) == rows and not self.textual:
            return None, True
        if words.folded(key) in words.SCORE and all(number(value) is not None for value in told):
            return Entry(name, f"score{tail}"), False
        if words.folded(key) in words.TRACK and all(isinstance(value, int) for value in told):
            return Entry(name, f"track{tail}"), False
        crowd = words.folded(key) in ("iscrowd", "crowd") and set(told) <= {0, 1}
        if crowd:
            return Entry(name, "single | map(0=true, 1=false) else true"), False
        sized = [one for one in part if one.picture is not None and one.picture.width]
        for side in ("width", "height"):
            same = sum(number(one.value) == getattr(one.picture, side) for one in sized)
            if sized and same == len(part) and side[0] in key.lower():
                return Entry(name, f"image.{side}"), False
        safe = "".join(c if c.isalnum() or c == "_" else "_" for c in key)
        if not safe or not (safe[0].isalpha() or safe[0] == "_"):
            return Entry(name, KEEP), False
        return Entry(name, f"attributes.{safe}{tail}"), False

    # -- classes ---------------------------------------------------------------------------------------------

    def _class(self, rows: list[Seen], used: set[str]) -> list[Entry] | None:
        """The entry that tells each row's class."""
        counts = keys_of([row.value for row in rows])
        ranked = sorted((rank, key) for key in counts if (rank := words.rank_of_class(key)) is not None)
        for _, key in ranked:
            if key in used or counts[key] < MOST * len(rows):
                continue
            found = self._class_under(key, [row.value[key] for row in rows if row.value.get(key) is not None])
            if found is not None:
                used.add(key)
                name = f"{key}?" if counts[key] < len(rows) else key
                return [msgspec.structs.replace(found, key=name)]
        return None

    def _class_under(self, key: str, values: list[Any]) -> Entry | None:
        if not values:
            return None
        texts = [value for value in values if isinstance(value, str)]
        if len(texts) == len(values) and not all(number(text) is not None for text in texts):
            if len(texts) > 8 and len(set(texts)) > 0.8 * len(texts):
                return None
            codes = {str(one): name for one, name in self.listed if one is not None}
            if codes and set(texts) <= set(codes) and not set(texts) <= {name for _, name in self.listed}:
                return self._told("id", texts, Entry(key, "category.id", "an id of the listed classes"))
            return self._told("name", texts, Entry(key, "category.name", f"{len(set(texts))} different names"))
        if all(isinstance(value, list) and value and all(isinstance(x, str) for x in value) for value in values):
            firsts = [value[0] for value in values]
            return self._told("name", firsts, Entry(key, "category.name, tags | first_and_rest"))
        whole = [int(n) for value in values if (n := number(value)) is not None and n == int(n)]
        if len(whole) == len(values) and not isinstance(values[0], bool):
            return self._number(key, whole)
        return None

    def _number(self, key: str, values: list[int]) -> Entry:
        """A class that is told by a number: an id of the listed classes, or a place in their list."""
        ids = {number(one) for one, _ in self.listed if one is not None}
        self.tally.numbers.update(values)
        if ids and set(map(float, values)) <= ids:
            return self._told("id", [], Entry(key, "category.id", "each is an id of the listed classes"), len(values))
        if self.listed and not ids:
            count = len(self.listed)
            if max(values) == count and min(values) >= 1 and not self.numbered:
                entry = Entry(key, "category.index | from(1)", f"1 to {max(values)}; {count} classes are listed")
                return self._told("index", [], entry, len(values))
            if max(values) < count and min(values) >= 0:
                doubt = ""
                if min(values) > 0 and not self.numbered:
                    doubt = f"{min(values)} to {max(values)} of {count} classes: is the first class 0, or 1 (`| from(1)`)?"
                entry = Entry(key, "category.index", f"{min(values)} to {max(values)}; {count} classes are listed", doubt)
                return self._told("index", [], entry, len(values))
        entry = Entry(key, "category.id", "", "nothing lists the names of these numbers: `--classes FILE` states them")
        return self._told("id", [], entry, len(values))

    def _told(self, slot: str, names: list[str], entry: Entry, count: int = 0) -> Entry:
        self.tally.classes += len(names) or count
        self.tally.names.update(names if slot == "name" else ())
        self.tally.slot = slot
        return entry

    def _classes_table(self, key: str, values: list[Any]) -> Rows | None:
        """Rows that list classes: each with a name, and where they have one an id."""
        if words.folded(key) not in words.LISTS or self._reference(values) is not None:
            return None
        counts = keys_of(values)
        name = next(
            (k for word in words.NAMES for k in counts if words.folded(k) == word and counts[k] == len(values)), None
        )
        names = [value.get(name) for value in values] if name else []
        if name is None or not all(isinstance(one, str) for one in names):
            return None
        return self.class_rows(values, name)

    def class_rows(self, values: list[Any], name: str) -> Rows:
        """The rule of rows that list classes, of which one key is the name."""
        counts = keys_of(values)
        ident = next(
            (k for k in counts if k != name and words.folded(k) in ("id", "classid", "categoryid", "code", "index")), None
        )
        ids = [value.get(ident) for value in values] if ident else []
        if ident and (len(set(map(str, ids))) < len(set(map(str, (v.get(name) for v in values)))) or None in ids):
            ident = None
        entries = [Entry(name, "name")]
        if ident:
            entries.append(Entry(ident, "id else index + 1"))
        for key, count in counts.items():
            part = [value[key] for value in values if value.get(key) is not None]
            optional = "?" if count < len(values) else ""
            if words.folded(key) in ("supercategory", "parent") and all(isinstance(one, str) for one in part):
                entries.append(Entry(key + optional, "parent" + ("" if optional else " else null")))
            elif words.folded(key) in ("color", "colour", "rgb"):
                if part and all(isinstance(one, str) and len(one) == 7 and one[0] == "#" for one in part):
                    entries.append(Entry(key + optional, "color | hexadecimal else palette(index + 1)"))
                elif part and all(isinstance(one, list) and len(one) == 3 for one in part):
                    entries.append(Entry(key + optional, "color else palette(index + 1)"))
            elif words.folded(key) == "keypoints":
                entries.append(Entry(key + "?", "keypoint_names else []"))
            elif words.folded(key) == "skeleton":
                entries.append(Entry(key + "?", "skeleton else []"))
        entries.append(Entry("*", KEEP))
        self.tally.lists += len(values)
        found = {(value.get(ident) if ident else None, value.get(name)) for value in values}
        self.listed = sorted(found, key=lambda one: [str(value.get(name)) for value in values].index(str(one[1])))
        return Rows("categories by id" if ident else "categories", tuple(entries))

    def _list_of_names(self, key: str, names: list[str], documents: int) -> str | None:
        if words.folded(key) not in words.LISTS or len(set(names)) < len(names) / max(documents, 1):
            return None
        self.listed = [(None, name) for name in dict.fromkeys(names)]
        self.tally.lists += len(self.listed)
        return "categories.name"

    # -- rows under keys, and rows that are no mappings --------------------------------------------------------

    def _is_keyed(self, values: list[Seen]) -> bool:
        """Whether the keys of mappings are data: names of images, ids or classes."""
        keys = [key for one in values for key in one.value]
        if not keys or any(not isinstance(key, str | int) for key in keys):
            return False
        inner = [part for one in values for part in one.value.values()]
        if not all(isinstance(part, dict) for part in inner) and not all(isinstance(part, list) for part in inner):
            return False
        if sum(self._named(str(key)) is not None for key in keys) >= MOST * len(keys):
            return True
        if all(isinstance(part, dict) for part in inner):
            shapes = Counter(frozenset(part) for part in inner)
            alike = shapes.most_common(1)[0][1] >= 0.5 * len(inner)
            numbered = all(str(key).isdigit() for key in keys)
            several = any(self._reference([part]) is not None for part in inner[:2])
            return len(keys) >= 1 and ((numbered and alike) or (several and alike and len(set(keys)) == len(keys)))
        always = set.intersection(*(set(one.value) for one in values))
        forms = {geometry.form_of(part[0]) for part in inner if part}
        shaped = forms - {"", "empty", "null"} and len(forms) == 1
        return bool(shaped) and not always and (len(values) > 1 or len(keys) > 1)

    def _keyed(self, key: str, values: list[Seen], scope: str) -> Node | None:
        """Rows under keys that are data."""
        pairs = [(str(name), Seen(part, one.picture)) for one in values for name, part in one.value.items()]
        lists = all(isinstance(part.value, list) for _, part in pairs)
        named = [self._named(name) for name, _ in pairs]
        if sum(hit is not None for hit in named) >= MOST * len(pairs) and scope == "document":
            template = Counter(hit[0] for hit in named if hit is not None).most_common(1)[0][0]
            told = [Seen(part.value, hit[1] if hit else None) for (_, part), hit in zip(pairs, named, strict=True)]
            if lists:
                rows = [Seen(row, one.picture) for one in told for row in one.value]
                node = self._table(key, rows, "item") if rows else None
                return None if node is None else Mapping((Entry(template, Several((node,))),))
            inner = self._items(told, {})
            return Mapping((Entry(template, Rows("items", inner.entries, bare=True)),))
        if lists and scope == "item":
            rows = [Seen(row, part.picture) for _, part in pairs for row in part.value]
            reading = self._bare_rows(key, rows)
            if reading is None:
                return None
            self.tally.classes += len(rows)
            self.tally.names.update(name for name, part in pairs if part.value)
            return Mapping((Entry("{category.name}", reading, "each key is a class"),))
        if scope == "document" and not lists:
            rows = [part for _, part in pairs]
            node = self._table(key, rows, scope)
            if node is None:
                return None
            own = [k for k in keys_of([row.value for row in rows]) if all(row.value.get(k) == name for name, row in zip((n for n, _ in pairs), rows, strict=True))]
            entries = node.entries
            key_text = "{keep}"
            if own:
                slot = next((e for e in entries if e.key.rstrip("?") == own[0]), None)
                if slot is not None and isinstance(slot.node, str) and slot.node.startswith("id"):
                    key_text = f"{{{slot.node}}}"
            return Mapping((Entry(key_text, Rows(node.each, entries, bare=True)),))
        return None

    def _bare_rows(self, key: str, rows: list[Seen]) -> Rows | None:
        """Rows that are no mappings: each is a shape."""
        forms = Counter(geometry.form_of(row.value) for row in rows)
        form = forms.most_common(1)[0][0]
        if not form or form in ("null", "empty") or forms[form] < len(rows):
            return None
        reading = geometry.shape(rows, form, key)
        if reading is None:
            return None
        self._count(reading, len(rows))
        return Rows("objects", (Entry("#", reading.leaf, reading.comment, reading.doubt),))

    # -- geometry --------------------------------------------------------------------------------------------

    def _geometry(self, rows: list[Seen], used: set[str]) -> list[Entry] | None:
        """The entries that tell where each row's object is."""
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
        comment = f"{len(part)} turned boxes; a guess: the angle is clockwise on screen, else `rotated | counterclockwise`"
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
        self._count(reading, len(part))
        ordered = [key for key in counts if key in keys] if False else list(keys)
        name = ", ".join(ordered)
        optional = len(part) < len(rows)
        name = ", ".join(f"{key}?" for key in ordered) if optional else name
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
            self._count(reading, len(part))
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
        """The entry of one key whose values are shapes, be it of several forms."""
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
        missing = count < len(rows) or bool(by_form.get("null")) or bool(by_form.get("empty")) or len(told) < len(by_form)
        name = f"{key}?" if missing else key
        for form, reading in told:
            self._count(reading, len(by_form[form]))
        tail = " else null" if by_form.get("null") else ""
        if len(told) == 1 and not by_form.get(""):
            form, one = told[0]
            return Entry(name, one.leaf + tail, one.comment, one.doubt)
        ordered = sorted(told, key=lambda one: one[0] != "rle")
        branches: list[Node] = [Mapping((Entry(name, one.leaf, one.comment, one.doubt),)) for _, one in ordered]
        if by_form.get("") or by_form.get("one point") or by_form.get("five"):
            branches.append(Mapping((Entry(name, KEEP),)))
        return Entry("one of", Several(tuple(branches)))

    def _count(self, reading: Reading, rows: int) -> None:
        if reading.leaf.lstrip("[{").startswith("bbox"):
            self.tally.boxes += rows
        else:
            self.tally.shapes += rows


def _id_leaf(slot: str, values: Sequence[Any], new: str) -> str:
    """The leaf of an id, which texts may spell as a number."""
    spelled = any(isinstance(value, str) and value.isdigit() for value in values)
    return f"{slot}{' | spelled' if spelled else ''} else {new}"


def _points_beside(row: AnyMapping[str, Any], key: str) -> list[tuple[float, float]]:
    """The points of the other shapes of a row."""
    return [point for name, value in row.items() if name != key for point in geometry.points_of(value)]


def _at(row: Any, path: Sequence[str]) -> Any:
    """What stands below some keys in one another, None where one of them is missing."""
    for key in path:
        row = row.get(key) if isinstance(row, dict) else None
    return row


def _renamed(entry: Entry, slot: str) -> Entry:
    """An entry of a line, where an outline or a box of two points was taken."""
    if isinstance(entry.node, str) and entry.node.startswith("polygon |"):
        return msgspec.structs.replace(entry, node=slot + entry.node[len("polygon") :].replace(" | closed", ""))
    if isinstance(entry.node, str) and entry.node.startswith("bbox | two_corners"):
        return msgspec.structs.replace(entry, node=slot + " | pairs" + entry.node[len("bbox | two_corners") :])
    if isinstance(entry.node, Several):
        nodes = (Mapping(tuple(_renamed(one, slot) for one in node.entries)) for node in entry.node.nodes if isinstance(node, Mapping))
        kept = tuple(nodes)
        return kept[0].entries[0] if len({str(one) for one in kept}) == 1 else msgspec.structs.replace(entry, node=Several(kept[:1]))
    return entry


def _rounded(entry: Entry) -> Entry:
    """An entry of a circle that is told by its centre and a point on it."""
    if isinstance(entry.node, str) and entry.node.startswith("bbox | two_corners"):
        return msgspec.structs.replace(entry, node="circle | center_and_rim" + entry.node[len("bbox | two_corners") :])
    return entry


def _row_key(name: str, node: Node) -> str:
    return name


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _hashable(value: Any) -> bool:
    return isinstance(value, str | int)


Drafted = Callable[[], Node | None]
