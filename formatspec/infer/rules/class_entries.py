"""Drafts entries about classes: of each row's class, and of tables that list classes."""

from __future__ import annotations

from typing import Any

import msgspec

from formatspec.infer import words
from formatspec.infer.evidence import keys_of, number
from formatspec.infer.geometry import Seen
from formatspec.infer.nodes import Entry, Rows
from formatspec.infer.rules.references import KEEP, MOST, References, id_of


class ClassDrafter(References):
    """Drafts the entries of classes."""

    def class_entries(self, rows: list[Seen], used: set[str]) -> list[Entry] | None:
        """Draft the entry of each row's class."""
        counts = keys_of([row.value for row in rows])
        ranked = sorted((rank, key) for key in counts if (rank := words.rank_of_class(key)) is not None)
        for _, key in ranked:
            if key in used or counts[key] < MOST * len(rows):
                continue
            found = self.class_under(key, [row.value[key] for row in rows if row.value.get(key) is not None])
            if found is not None:
                used.add(key)
                name = f"{key}?" if counts[key] < len(rows) else key
                return [msgspec.structs.replace(found, key=name)]
        return None

    def class_under(self, key: str, values: list[Any]) -> Entry | None:
        """Draft the entry of a key whose values are classes: names, ids or numbers; None if they are not."""
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
            return self.number_entry(key, whole)
        return None

    def number_entry(self, key: str, values: list[int]) -> Entry:
        """Draft a class that is given by a number: an id of the listed classes, or a position in their list."""
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
                    doubt = (
                        f"{min(values)} to {max(values)} of {count} classes: is the first class 0, or 1 (`| from(1)`)?"
                    )
                entry = Entry(
                    key, "category.index", f"{min(values)} to {max(values)}; {count} classes are listed", doubt
                )
                return self._told("index", [], entry, len(values))
        entry = Entry(key, "category.id", "", "nothing lists the names of these numbers: `--classes FILE` states them")
        return self._told("id", [], entry, len(values))

    def _told(self, slot: str, names: list[str], entry: Entry, count: int = 0) -> Entry:
        self.tally.classes += len(names) or count
        self.tally.names.update(names if slot == "name" else ())
        self.tally.slot = slot
        return entry

    def classes_table(self, key: str, values: list[Any]) -> Rows | None:
        """Draft rows that list classes, each with a name and perhaps an id."""
        if self.reference(values) is not None:
            return None
        counts = keys_of(values)
        small = (
            id_of(values) is not None
            and len(counts) <= 5
            and not any(isinstance(part, list | dict) for value in values for part in value.values())
        )
        if words.folded(key) not in words.LISTS and not small:
            return None
        name = next(
            (k for word in words.NAMES for k in counts if words.folded(k) == word and counts[k] == len(values)), None
        )
        names = [value.get(name) for value in values] if name else []
        if name is None or not all(isinstance(one, str) for one in names):
            return None
        return self.class_rows(values, name)

    def class_rows(self, values: list[Any], name: str) -> Rows:
        """Draft the rule of rows that list classes, of which one key is the name."""
        counts = keys_of(values)
        ident = next(
            (k for k in counts if k != name and words.folded(k) in ("id", "classid", "categoryid", "code", "index")),
            id_of(values),
        )
        ident = None if ident == name else ident
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

    def list_of_names(self, key: str, names: list[str], documents: int) -> str | None:
        """Return the leaf of a list of texts that are the names of classes."""
        if words.folded(key) not in words.LISTS or len(set(names)) < len(names) / max(documents, 1):
            return None
        self.listed = [(None, name) for name in dict.fromkeys(names)]
        self.tally.lists += len(self.listed)
        return "categories.name"
