"""Drafts rules for documents of mappings and lists (JSON, YAML, XML, rows of tables) from their content."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping as AnyMapping
from collections.abc import Sequence
from typing import Any

from formatspec.infer import geometry, words
from formatspec.infer.evidence import keys_of, number
from formatspec.infer.geometry import Seen
from formatspec.infer.nodes import Entry, Mapping, Node, Rows, Several
from formatspec.infer.rules.class_entries import ClassDrafter
from formatspec.infer.rules.references import KEEP, MOST, at, id_leaf, id_of
from formatspec.infer.rules.shape_entries import ShapeDrafter

ROWS = 20_000
"""How many rows of one table are looked at, spread over the table."""
UNLIKE = 6
"""If this many keys of several mappings are all different, and their values are alike, the keys are ids."""
_PICTURES = ("/9j/", "iVBORw0KGgo")
"""The beginnings of images as text: JPEG and PNG in base64."""


class Builder(ShapeDrafter):
    """Drafts the rule of one group of documents."""

    def document(self, values: Sequence[Seen], captures: Sequence[AnyMapping[str, str]]) -> Node | None:
        """Draft the rule of documents, each about one image if `picture` is known, otherwise about many."""
        for one, known in zip(values, captures, strict=True):
            self.known = known
            self.note_ids(one.value)
        self.known = captures[0] if len({str(one) for one in captures}) == 1 else {}
        owned = all(one.picture is not None for one in values)
        node = self._value("", list(values), "item" if owned else "document")
        return None if node is None or node == KEEP else node

    def rows(self, values: Sequence[Seen], captures: AnyMapping[str, str]) -> Rows | None:
        """Draft the rule of a table's rows, each a mapping of texts."""
        self.known = captures
        return self._table("", list(values), "document")

    def settings(self, documents: Sequence[AnyMapping[str, Any]], captures: Sequence[AnyMapping[str, str]]) -> Node:
        """Draft the rule of INI files about many images."""
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
        """Return the leaf of one key of INI files: the size of images, or an attribute of them."""
        for side in ("width", "height"):
            if side[0] in str(key).lower() and all(
                number(one.get(section, {}).get(key)) == getattr(picture, side)
                for one, known in zip(documents, captures, strict=True)
                for picture in self.layout.pictures
                if all(self.layout.captures[picture.path].get(name, text) == text for name, text in known.items())
            ):
                return f"image.{side}"
        safe = "".join(c if c.isalnum() and c.isascii() else "_" for c in key)
        return f"item.attributes.{safe}" if safe[:1].isalpha() else KEEP

    def _value(self, key: str, values: list[Seen], scope: str) -> Node | None:
        """Draft what stands at one place; None if nothing is known about it, and it is kept."""
        told = [one for one in values if one.value is not None]
        if told and all(isinstance(one.value, dict) for one in told):
            nested = self._under_classes(key, told) if scope == "item" else None
            if nested is not None:
                return nested
            if self._is_keyed(told):
                return self._keyed(key, told, scope)
            return self._mapping(told, scope)
        if told and all(isinstance(one.value, list) for one in told):
            rows = [Seen(row, one.picture) for one in told for row in one.value]
            if rows and all(isinstance(row.value, dict) for row in rows):
                return self._table(key, rows, scope)
            if scope == "item" and rows:
                return self.bare_rows(key, rows)
            if scope == "document" and rows and all(isinstance(row.value, str) for row in rows):
                return self.list_of_names(key, [row.value for row in rows], len(told))
        if self.textual and told and any(isinstance(one.value, list) for one in told):
            rows = [Seen(row, one.picture) for one in told for row in _as_list(one.value)]
            if all(isinstance(row.value, dict) for row in rows):
                return self._table(key, rows, scope)
        return None

    def _mapping(self, values: list[Seen], scope: str) -> Mapping | None:
        """Draft a mapping that is no row: of a document, of an item, or a part of either."""
        entries: list[Entry] = []
        useful = False
        left = False
        counts = keys_of([one.value for one in values])
        first = [key for key in counts if scope == "document" and words.folded(str(key)) in words.LISTS]
        first += [
            key for key in counts if scope == "document" and key not in first and self._lists_classes(values, key)
        ]
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
                    entry = Entry(name, node)
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

    def _lists_classes(self, values: list[Seen], key: str) -> bool:
        """Return whether the rows under a key of documents list classes."""
        trial = ClassDrafter(self.layout, (), self.textual)
        trial.known = self.known
        rows = [row for one in values if isinstance(one.value.get(key), list) for row in one.value[key]]
        return bool(rows) and all(isinstance(row, dict) for row in rows) and trial.classes_table(key, rows) is not None

    def _holds_object(self, values: list[Seen]) -> bool:
        """Return whether single XML elements are objects: several would be a list."""
        if not all(isinstance(one.value, dict) for one in values):
            return False
        trial = Builder(self.layout, self.listed, self.textual)
        found = trial._table("", list(values), "item")
        return found is not None and trial.tally.boxes + trial.tally.shapes > 0 and trial.tally.classes > 0

    def _of_item(self, key: str, name: str, part: list[Seen]) -> Entry | None:
        """Draft an entry about the item itself."""
        sized = [one for one in part if one.picture is not None and one.picture.width]
        for side, slot in (("width", "image.width"), ("height", "image.height")):
            same = [one for one in sized if number(one.value) == getattr(one.picture, side)]
            if sized and len(same) == len(sized) and side[0] in str(key).lower():
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
            hits = [hit for one in texts if (hit := self.named(one.value)) and hit[1] == one.picture]
            if len(hits) == len(texts):
                templates = {hit[0] for hit in hits}
                return Entry(name, next(iter(templates)) if len(templates) == 1 else KEEP, "names the image")
            if words.folded(key) in words.CAPTION:
                return Entry(name, "caption.text")
        return None

    def _table(self, key: str, rows: list[Seen], scope: str) -> Rows | None:
        """Draft rows: of classes, of items, or of objects."""
        rows = rows[:: max(1, -(-len(rows) // ROWS))]
        values = [row.value for row in rows]
        if scope == "document":
            listed = self.classes_table(key, values)
            if listed is not None:
                return listed
            reference = self.reference(values)
            if reference is not None:
                named = [Seen(row.value, self.picture_of(at(row.value, reference))) for row in rows]
                return self._items_or_objects(named, reference)
            joined = self.id_key(values)
            if joined is not None:
                named = [Seen(row.value, self.by_id.get(row.value.get(joined))) for row in rows]
                leaf = id_leaf("item.id", [row.value.get(joined) for row in rows], "item.index + 1")
                return self._objects(named, {joined: Entry(joined, leaf)})
            return None
        return self._objects(rows, {})

    def _items_or_objects(self, rows: list[Seen], reference: tuple[str, ...]) -> Rows | None:
        """Draft rows that name images: as objects if they hold geometry, otherwise as items."""
        if len(reference) > 1:
            return self._items(rows, {})
        key = reference[0]
        template = self.template([Seen(row.value.get(key), row.picture) for row in rows])
        taken = {key: Entry(key, template, "names the image", "")}
        apart = len({id(row.picture) for row in rows}) == len(rows)
        trial = Builder(self.layout, self.listed, self.textual)
        shaped = trial.parts(rows, set()).shaped if self.textual else trial.geometry_entries(rows, set()) is not None
        if (self.textual and (shaped or not apart)) or (shaped and not apart):
            found = self._objects(rows, taken)
            if found is not None:
                return found
        return self._items(rows, taken)

    def _items(self, rows: list[Seen], taken: dict[str, Entry]) -> Rows:
        entries: list[Entry] = []
        own = False
        id_key = id_of([row.value for row in rows])
        for key, count in keys_of([row.value for row in rows]).items():
            part = [Seen(row.value[key], row.picture) for row in rows if key in row.value]
            name = f"{key}?" if count < len(rows) else key
            if key in taken:
                entries.append(taken[key])
                continue
            entry = self._of_item(key, name, part)
            if entry is None and key == id_key and not own and self.by_id:
                own = True
                entry = Entry(name, id_leaf("id", [one.value for one in part], "index + 1"))
            if entry is None:
                node = self._value(key, part, "item")
                entry = Entry(name, node) if node is not None else None
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
        """Draft rows of objects; None if they state neither a class nor where the object is."""
        entries, conditions = self._object_entries(rows, taken)
        if entries is None:
            return None
        return Rows("objects" + conditions, entries)

    def _object_entries(self, rows: list[Seen], taken: dict[str, Entry]) -> tuple[tuple[Entry, ...] | None, str]:
        values = [row.value for row in rows]
        counts = keys_of(values)
        used = set(taken)
        part = self.parts(rows, used)
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
                entry = Entry(name, id_leaf("id", [one.value for one in told], "index + 1"))
            if entry is not None:
                entries.append(entry)
        if not (self.textual and self._is_flat(values)):
            entries.append(Entry("*", KEEP))
        return tuple(entries), by

    @staticmethod
    def _is_flat(values: Sequence[Any]) -> bool:
        """Return whether rows are those of a table of texts, which name all their columns."""
        return all(not isinstance(one, dict | list) for value in values for one in value.values())

    def _of_object(self, key: str, name: str, part: list[Seen], rows: int) -> tuple[Entry | None, bool]:
        """Draft an entry that is neither geometry nor class; also return whether it is the object's id."""
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
            if sized and same == len(part) and side[0] in str(key).lower():
                return Entry(name, f"image.{side}"), False
        safe = "".join(c if c.isalnum() or c == "_" else "_" for c in key)
        if not safe or not (safe[0].isalpha() or safe[0] == "_"):
            return Entry(name, KEEP), False
        return Entry(name, f"attributes.{safe}{tail}"), False

    def _is_keyed(self, values: list[Seen]) -> bool:
        """Return whether the keys of mappings are data: names of images, ids or classes."""
        keys = [key for one in values for key in one.value]
        if not keys or any(not isinstance(key, str | int) for key in keys):
            return False
        inner = [part for one in values for part in one.value.values()]
        if not all(isinstance(part, dict) for part in inner) and not all(isinstance(part, list) for part in inner):
            return False
        if sum(self.named(str(key)) is not None for key in keys) >= MOST * len(keys):
            return True
        if all(isinstance(part, dict) for part in inner):
            shapes = Counter(frozenset(part) for part in inner)
            alike = shapes.most_common(1)[0][1] >= 0.5 * len(inner)
            numbered = all(str(key).isdigit() for key in keys)
            if self.textual:
                return False
            several = len(keys) > 1 and any(self.reference([part]) is not None for part in inner[:2])
            same = all(key in part.values() for key, part in zip(keys, inner, strict=True))
            apart = len(set(keys)) == len(keys)
            unlike = len(values) > 1 and len(keys) >= UNLIKE  # no two documents share a key
            return (numbered and alike) or ((several or same or unlike) and alike and apart)
        forms = {geometry.form_of(part[0]) for part in inner if part}
        shaped = forms - {"", "empty", "null"} and len(forms) == 1
        return bool(shaped) and len(set(keys)) > 1

    def _keyed(self, key: str, values: list[Seen], scope: str) -> Node | None:
        """Draft rows under keys that are data."""
        pairs = [(str(name), Seen(part, one.picture)) for one in values for name, part in one.value.items()]
        lists = all(isinstance(part.value, list) for _, part in pairs)
        named = [self.named(name) for name, _ in pairs]
        if sum(hit is not None for hit in named) >= MOST * len(pairs) and scope == "document":
            template = Counter(hit[0] for hit in named if hit is not None).most_common(1)[0][0]
            told = [Seen(part.value, hit[1] if hit else None) for (_, part), hit in zip(pairs, named, strict=True)]
            if lists:
                rows = [Seen(row, one.picture) for one in told for row in one.value]
                node = self._table(key, rows, "item") if rows else None
                return None if node is None else Mapping((Entry(template, Several((node,))),))
            nested = self._under_classes(key, told)
            if nested is None and self._is_keyed(told):
                found = self._keyed(key, told, "item")
                nested = found if isinstance(found, Mapping) else None
            if nested is not None:
                return Mapping((Entry(template, nested, "each key names an image"),))
            return Mapping((Entry(template, Rows("items", self._items(told, {}).entries, bare=True)),))
        if lists and scope == "item":
            rows = [Seen(row, part.picture) for _, part in pairs for row in part.value]
            reading = self.bare_rows(key, rows)
            if reading is None:
                return None
            self.tally.classes += len(rows)
            self.tally.names.update(name for name, part in pairs if part.value)
            return Mapping((Entry("{category.name}", reading, "each key is a class"),))
        if scope == "item":
            under = self._under_ids(key, pairs)
            return None if under is None else Mapping((under,))
        if scope == "document" and not lists:
            rows = [part for _, part in pairs]
            node = self._table(key, rows, scope)
            if node is None:
                return None
            own = [
                k
                for k in keys_of([row.value for row in rows])
                if all(row.value.get(k) == name for name, row in zip((n for n, _ in pairs), rows, strict=True))
            ]
            entries = node.entries
            key_text = "{keep}"
            if own:
                slot = next((e for e in entries if e.key.rstrip("?") == own[0]), None)
                if slot is not None and isinstance(slot.node, str) and slot.node.startswith("id"):
                    key_text = f"{{{slot.node}}}" if "spelled" in slot.node else "{id:d else index + 1}"
            return Mapping((Entry(key_text, Rows(node.each, entries, bare=True)),))
        return None

    def _under_classes(self, key: str, values: list[Seen]) -> Mapping | None:
        """Draft objects under their ids, and these under their classes: `{"car": {"12": {…}, "15": {…}}}`."""
        classes = [(str(name), Seen(part, one.picture)) for one in values for name, part in one.value.items()]
        names = {name for name, _ in classes}
        if self.textual or len(names) < 2 or any(name.isdigit() or self.named(name) for name in names):
            return None
        if not all(isinstance(part.value, dict) for _, part in classes):
            return None
        pairs = [(str(name), Seen(row, part.picture)) for _, part in classes for name, row in part.value.items()]
        ids = [name for name, _ in pairs]
        if not pairs or not (all(name.isdigit() for name in ids) or len(set(ids)) >= 0.7 * len(ids) > 2):
            return None
        trial = Builder(self.layout, self.listed, self.textual)
        under = trial._under_ids(key, pairs)
        if under is None or trial.tally.classes:
            return None
        under = self._under_ids(key, pairs)
        assert under is not None
        self.tally.classes += len(pairs)
        self.tally.names.update(name for name, part in classes if part.value)
        return Mapping((Entry("{category.name}", Mapping((under,)), "each key is a class"),))

    def _under_ids(self, key: str, pairs: Sequence[tuple[str, Seen]]) -> Entry | None:
        """Draft objects, each under its id: rows, or bare shapes."""
        rows = [row for _, row in pairs]
        if all(isinstance(row.value, dict) for row in rows):
            entries, by = self._object_entries(rows, {})
            if entries is None:
                return None
            text = "{keep}" if by else "{id}"
            return Entry(text, Rows("objects by id", entries, bare=True), "each key is the id of an object")
        if not all(isinstance(row.value, list) for row in rows):
            return None
        shapes = self.bare_rows(key, rows)
        if shapes is None:
            return None
        bare = Rows(f"{shapes.each} by id", shapes.entries, bare=True)
        return Entry("{id}", bare, "each key is the id of an object")


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
