"""Finds items by some of their names, as rows of shared files refer to them."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from formatspec.codecs.registry import Env
from formatspec.engine.base.faults import DocumentPath, Fault, missing_key
from formatspec.engine.index.entries import Entries, Entry, ItemFiles
from formatspec.engine.index.id_columns import names_only
from formatspec.engine.index.row_ownership import RowOwnership, Table
from formatspec.engine.read.item_state import ItemState
from formatspec.engine.read.leaf_reader import stated_whole
from formatspec.engine.read.rows.merge_rows import RowReader
from formatspec.engine.resolve.codec_chain import build
from formatspec.engine.resolve.discriminators import may_be_absent
from formatspec.engine.resolve.questions.meanings import leaves
from formatspec.engine.resolve.scope import Scope
from formatspec.engine.resolve.text_template import TextTemplate, text_template
from formatspec.engine.spec.compiled import IMAGE, Format, Role
from formatspec.engine.spec.names_join import extension_told
from formatspec.engine.splits.id_scopes import IDS, Split, id_in
from formatspec.files.document import FileError
from formatspec.language.errors import Place, nearest
from formatspec.language.leaf import Bind, Computed, Keep, Leaf, Text, bindings, names_of
from formatspec.language.rules import MapRule, Rule
from formatspec.model.amounts import amounts
from formatspec.paths.names import last_segment, plain_spelling, safe_join
from formatspec.paths.spellings import Spellings, spelled_like
from formatspec.paths.trees.tree import Tree

_SOUGHT = 20
_AMONG = 5000
_LIKE = 0.75
"""Limits for suggesting a similar name: how many unknown names, among how many items, and the least similarity."""


def join_by_named_images(form: Format, items: ItemFiles, entries: Entries, tree: Tree) -> int:
    """Give documents that state the path of their image, and have another name, to the item of that image.

    Only images without a document are sought, for documents without an image of their name. An image is found by the
    path as the document states it, or by its name if only one image has it. Returns how many were given away.
    """
    roles = {role.name: keys for role in form.documents if role.span == "item" and (keys := image_keys(role))}
    if not roles or not items.some_lack_images:
        return 0
    alone = array(
        "q",
        (one.number for one in entries if IMAGE not in one.files and len(one.files.keys() & roles) == 1),
    )
    lone, named = dict[str, int](), defaultdict[str, dict[str, None]](dict)
    for entry in entries if alone else ():
        if entry.files.keys() == {IMAGE}:
            path = entry.files[IMAGE][0][0]
            lone[path] = entry.number
            named[last_segment(path)][path] = None
    count = 0
    for number in alone if lone else ():
        name = next(name for name in entries[number].files if name in roles)
        path = entries[number].files[name][0][0]
        told = _stated(form.roles[name], path, roles[name], tree)
        found = None if not told else safe_join(path.rpartition("/")[0], told)
        if found not in lone:
            alike = named.get(last_segment(told), {})
            found = next(iter(alike)) if len(alike) == 1 else None
        if found is not None:
            del named[last_segment(found)][found]
            items.join_to(number, lone.pop(found))
            count += 1
    return count


def image_keys(role: Role) -> tuple[str, ...]:
    """Return the keys that lead to the path of the image in a document of an item; none if it states no path."""

    def keys(rule: Rule, at: tuple[str, ...]) -> tuple[str, ...]:
        if isinstance(rule.leaf, Bind) and rule.leaf.names == ("path.image",):
            return at
        return next((found for field in rule.fields if (found := keys(field.rule, (*at, field.keys[0])))), ())

    return keys(role.document_rule, ()) if role.codec is not None and role.kind != "pixels" else ()


def _stated(role: Role, path: str, keys: Sequence[str], tree: Tree) -> str:
    """Return the text under some keys of a document; an empty text if there is none."""
    assert role.codec is not None
    try:
        value = role.codec.decode(tree.read(path)).document
    except (FileError, ValueError, OSError):
        return ""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""


class LookedUp:
    """Indexes of items by some of their names, each built at first use."""

    def __init__(self, form: Format, entries: Entries) -> None:
        """Take the items as they are now; items that are added later are not found."""
        self.doubled: set[Any] = set()
        self._sought = 0
        self.extension = extension_told(form) or ""
        self._form = form
        self._entries = entries
        self._by: dict[tuple[str, ...], dict[int, int | list[int]]] = {}
        self._alone: dict[tuple[str, ...], dict[Any, dict[Any, int]]] = {}
        self._spellings: dict[tuple[str, ...], Spellings] = {}
        self._ends: dict[tuple[str, ...], dict[int, int]] = {}

    def spelled_otherwise(self, shape: tuple[str, ...], key: tuple[Any, ...]) -> list[int]:
        """Return the numbers of items whose names are spelled a little differently: `a` for `./a`, or else `A` for `a`.

        A difference in capitals may match several items of different names.
        """
        if shape not in self._spellings:
            self._spellings[shape] = Spellings(
                (entry.number, own) for entry in self._entries if entry.files and (own := self._named(shape, entry))
            )
        numbers = self._spellings[shape].like(key)
        return spelled_like(key, [(n, own) for n in numbers if (own := self._named(shape, self._entries[n]))])

    def ending(self, name: str, segments: Sequence[str], given: Mapping[str, Any]) -> Sequence[str]:
        """Return the value of a name, among items with files, that shares the longest end with a path.

        Args:
            name: The name, whose values are paths.
            segments: The segments of the path.
            given: Names that the items have.

        Returns:
            One value; two if several are equally near; none if no value ends as the path does.
        """
        others = tuple(other for other in given if other in self._form.key_names and other != name)
        ends = self._ends.setdefault((name, *others), {})
        if not ends:
            for entry in self._entries:
                own = entry.names.get(name)
                if not entry.files or not isinstance(own, str):
                    continue
                theirs = tuple(entry.names.get(other) for other in others)
                for end in _ends_of(plain_spelling(own).split("/")):
                    first = ends.setdefault(hash((end, theirs)), entry.number)
                    if first >= 0 and self._entries[first].names.get(name) != own:
                        ends[hash((end, theirs))] = -1 - first
        ours = tuple(given[other] for other in others)
        for end in _ends_of([plain_spelling(part) for part in segments]):
            number = ends.get(hash((end, ours)))
            if number is not None:
                one = str(self._entries[number if number >= 0 else -1 - number].names[name])
                whole = number >= 0 or self.of((name,), (end,), ())
                return (one if number >= 0 else end,) if whole else (one, f"another that ends in {end}")
        return ()

    def of_extension(self, numbers: Sequence[int], names: Mapping[str, Any]) -> Sequence[int]:
        """Return those of several items whose image has the extension that a row gives; all if none has it."""
        extension = names.get(self.extension) if len(numbers) > 1 and self._entries.twins else None
        if not extension:
            return numbers
        return [one for one in numbers if self._entries[one].names.get(self.extension) == extension] or numbers

    def names_of(self, shape: tuple[str, ...], number: int) -> tuple[Any, ...]:
        """Return the values of some names of an item, which has all of them."""
        return self._named(shape, self._entries[number]) or ()

    def _named(self, shape: tuple[str, ...], entry: Entry) -> tuple[Any, ...] | None:
        return _key_of(self._form, shape, entry, ())

    def nearest(self, names: Mapping[str, Any]) -> str:
        """Return a hint about names that no item has: where the image would be, and the most similar image or id.

        With many items, or after several such names, no similar name is sought, because that is slow.
        """
        image = self._form.roles.get(IMAGE)
        try:
            path = image.template.render(names) if image is not None and "id" not in names else ""
        except (KeyError, ValueError):
            path = ""
        told = f": its image would be {path}" if path else ""
        self._sought += 1
        if self._sought > _SOUGHT or len(self._entries) > _AMONG:
            return told
        if "id" in names:
            word = str(names["id"])
            ids = {str(own[0]) for entry in self._entries for _, own in _keys_of(self._form, ("id",), entry)}
            known = {one for one in ids if one.casefold().strip() == word.casefold().strip()}
        else:
            word = path or "/".join(str(value) for value in names.values() if value not in (None, ""))
            known = {entry.files[IMAGE][0][0] for entry in self._entries if entry.files.get(IMAGE)}
        found = nearest(word, known, _LIKE)
        return f"{told}; did you mean {found!r}?" if found is not None and found != word else told

    def clear(self) -> None:
        """Forget the indexes, because items may have other names now."""
        self._by.clear()
        self._alone.clear()
        self._ends.clear()

    def of(self, shape: tuple[str, ...], key: tuple[Any, ...], split: Split) -> list[int]:
        """Return the numbers of the items with these names; ids are compared within a split."""
        if shape not in self._by:
            by: dict[int, int | list[int]] = {}
            for entry in self._entries:
                for _, own in _keys_of(self._form, shape, entry):
                    mark = hash(own)
                    known = by.setdefault(mark, entry.number)
                    last = known[-1] if isinstance(known, list) else known
                    if last != entry.number:
                        by[mark] = [*(known if isinstance(known, list) else (known,)), entry.number]
            self._by[shape] = by
        found = self._by[shape].get(hash(key), [])
        numbers = found if isinstance(found, list) else [found]
        return [number for number in numbers if _key_of(self._form, shape, self._entries[number], split) == key]

    def alone(self, shape: tuple[str, ...], given: tuple[Any, ...], split: Split) -> Mapping[Any, int]:
        """Return the numbers of items by their ids in one split, for ids that only one item has.

        Args:
            shape: The names that a row gives, `id` among them.
            split: The split within which ids are unique.
            given: The row's values for the names other than `id`; only items with these values are looked at.
        """
        if shape not in self._alone:
            place = shape.index("id")
            by: dict[Any, dict[Any, int]] = defaultdict(dict)
            for entry in self._entries:
                for own, key in _keys_of(self._form, shape, entry):
                    ids = by[own, (*key[:place], *key[place + 1 :])]
                    ids[key[place]] = -1 if key[place] in ids else entry.number
            self._alone[shape] = by
        return self._alone[shape].get((split, given), {})


def _ends_of(segments: Sequence[str]) -> Iterator[str]:
    """Yield the ends of a path, the longest first."""
    for start in range(len(segments)):
        yield "/".join(segments[start:])


def _keys_of(form: Format, shape: tuple[str, ...], entry: Entry) -> Iterator[tuple[Split, tuple[Any, ...]]]:
    """Yield an item's values for some names, once for each id that it has, with the split of that id."""
    ids = entry.shared.get(IDS) if "id" in shape else None
    for split in ids or ((),):
        key = _key_of(form, shape, entry, split)
        if key is not None:
            yield split, key


def _key_of(form: Format, shape: tuple[str, ...], entry: Entry, split: Split) -> tuple[Any, ...] | None:
    """Return an item's values for some names; None if it lacks one of them."""
    names, ids = entry.names, entry.shared.get(IDS)
    if not all(name in names or may_lack(form, name) for name in shape):
        return None
    own = names.get("id") if ids is None else id_in(ids, split)
    return tuple(names.get(name) or "" if name != "id" else own for name in shape)


def naming_roles(form: Format) -> frozenset[str]:
    """Return the roles whose rows name items where a dataset has no images, though these are the format's items.

    Rows of objects may be the source of items, too: they name the images that are there.
    """
    sources = {name.partition(".")[0] for name in form.spec.items}
    shared = {role.name for role in form.roles.values() if role.span == "shared" and role.codec is not None}
    return frozenset(shared if sources == {IMAGE} else sources & shared)


def may_lack(form: Format, name: str) -> bool:
    """Return whether an item may lack a name."""
    found = form.roles[IMAGE].scope.captures.get(name)
    return found == "path?" or (name != "id" and name not in form.key_names)


class Otherwise:
    """The rows of one table of one file that name items with other capitals than the items' files have."""

    def __init__(self) -> None:
        """Begin without rows."""
        self._numbers, self._spellings, self._positions = array("i"), array("q"), array("i")

    def add(self, numbers: Sequence[int], spelling: int, position: int) -> None:
        """Note a row of some items; `spelling` identifies the names that it uses for them."""
        for number in numbers:
            self._numbers.append(number)
            self._spellings.append(spelling)
            self._positions.append(position)

    def twice(self, joined: RowOwnership) -> Iterator[tuple[int, int]]:
        """Yield the items that rows of the table name in several spellings, each with the first row noted here.

        Args:
            joined: Which rows belong to which item; this table is its last part.
        """
        if not self._numbers:
            return
        numbers, positions = np.frombuffer(self._numbers, np.int32), np.frombuffer(self._positions, np.int32)
        known, first = np.unique(numbers, return_index=True)
        exact = np.zeros(len(known), bool)
        for owners, places in joined.of_last_part():
            others = owners[~np.isin(places, positions)]
            exact |= np.isin(known, others)
        ways = np.unique(np.stack([numbers.astype(np.int64), np.frombuffer(self._spellings, np.int64)]), axis=1)
        exact |= np.isin(known, known[np.bincount(np.searchsorted(known, ways[0]), minlength=len(known)) > 1])
        yield from zip(known[exact].tolist(), positions[first[exact]].tolist(), strict=True)


def lacked_name(
    table: Table, which: int, document: Any, told: Collection[str], key_names: Collection[str]
) -> Callable[[str, DocumentPath], Fault] | None:
    """Return a function that makes the fault of a row without the key that names its item; None if it needs none.

    Without this check the row would belong to every item, and its fault would be reported once for each of them.

    Args:
        table: The table of the row.
        which: Which of the table's readers reads it.
        document: The row.
        told: The names that the row itself gives its item.
        key_names: The names that make up an item's key.

    Returns:
        A function of the file and the row's place in it.
    """
    key = table.names[which] if which < len(table.names) else None
    if key is None or table.kind == "item" or not isinstance(document, dict) or key in document:
        return None
    reader = table.readers[which]
    fields = reader.rule.row.fields
    if "id" in told or any(name in told for name in key_names) or all(f.keys != (key,) or f.optional for f in fields):
        return None
    words = missing_key(key, tuple(document))
    return lambda file, at: Fault("FIELD_MISSING", file, at, reader.place, words, scope="object")


PlainNames = Callable[[Any], dict[str, Any] | None]
"""Gives the names of the item that a row describes; None for a row that must be judged."""
_FAR = frozenset(":\\")
"""Characters of paths that lead elsewhere."""
_Keys = tuple[str, ...]


class _Naming(NamedTuple):
    """Where rows name their item: the keys that lead to each leaf of a row, from the outermost on.

    Attributes:
        text: The keys of the text of names.
        template: The template of this text.
        captures: The names that its fields are.
        id: The keys of the item's id; None if rows state none.
        decode: Decodes it.
        subsets: The keys of subsets.
        others: The keys of other leaves that name the item and may be absent.
    """

    text: _Keys
    template: TextTemplate
    captures: Mapping[str, str]
    id: _Keys | None
    decode: Callable[[Any, Env], Any]
    subsets: Sequence[_Keys]
    others: Sequence[_Keys]


def plain_names(table: Table, key_names: Collection[str]) -> PlainNames | None:
    """Return a function that gives what a row says of its item's names, by one text of names and an id.

    It is quicker than the reader that judges a row, and leaves to it each row that lacks a name, spells it otherwise,
    or gives a path that leads elsewhere.

    Args:
        table: The table of the rows.
        key_names: The names that make up an item's key.

    Returns:
        The function; None if rows must name items in another way.
    """
    naming = _naming(table) if table.kind == "item" and len(table.joiners) == 1 and amounts().generates else None
    if naming is None:
        return None
    match, captures, decode = naming.template.match, naming.captures, naming.decode

    def names(row: Any) -> dict[str, Any] | None:
        text = _at(row, naming.text)
        if type(text) is not str or text[:1] in ("/", ".") or ".." in text or not _FAR.isdisjoint(text):
            return None
        parts = match(text)
        if parts is None or None in parts.values() or any(_at(row, keys) is not None for keys in naming.others):
            return None
        found = {captures[part]: value for part, value in parts.items()}
        if naming.id is not None:
            own = _at(row, naming.id)
            if type(own) not in (int, str) or stated_whole(own) is not None:
                return None
            found["id"] = decode(own, Env())
        for keys in naming.subsets:
            subset = _at(row, keys)
            if subset is not None and (type(subset) is not str or not subset):
                return None
            if subset is not None and "subset" in key_names:
                found.setdefault("subset", subset)
        return found

    return names


def _naming(table: Table) -> _Naming | None:
    """Return where the rows of a table name their item; None if one text of names and an id do not tell it all."""
    reader = table.joiners[0]
    rule, scope = reader.rule, reader.scope.inside(reader.table)
    if rule.each.kept or rule.each.where is not None or rule.levels:
        return None
    own = [one for one in _leaves_by_key(rule.row, scope, ()) if _names_item(one[1], scope)]
    everywhere = [leaf for leaf, within, _ in leaves(rule.row, scope) if _names_item(leaf, within)]
    if sum(len(bindings(leaf)) for _, leaf, _ in own) < len(everywhere):
        return None  # some stand in alternatives, in lists, or under several keys
    texts = [(keys, leaf) for keys, leaf, _ in own if isinstance(leaf, Text)]
    plain = [(keys, leaf, optional) for keys, leaf, optional in own if isinstance(leaf, Bind) and not leaf.calls]
    ids = [(keys, leaf) for keys, leaf, _ in plain if leaf.names == ("id",)]
    subsets = [keys for keys, leaf, optional in plain if leaf.names == ("subset",) and optional]
    known = [*subsets, *(keys for keys, _ in (*texts, *ids))]
    others = [(keys, optional) for keys, _, optional in own if keys not in known]
    if len(texts) != 1 or len(ids) > 1 or not all(optional for _, optional in others):
        return None
    template = text_template(texts[0][1], scope, reader.place)
    captures = {part: _capture(leaf, scope, reader.place) for part, leaf in template.leaves.items()}
    if not all(captures.values()) or template.optional:
        return None
    decode = build(ids[0][1], ["id"], 1, scope.textual, reader.place).decode if ids else lambda value, env: value
    own_id = ids[0][0] if ids else None
    return _Naming(texts[0][0], template, captures, own_id, decode, subsets, [keys for keys, _ in others])


def _names_item(leaf: Leaf | None, scope: Scope) -> bool:
    meanings = (scope.meaning(name) for name in names_of(leaf))
    return any(meaning is not None and names_only(meaning, scope) for meaning in meanings)


def _capture(leaf: Bind | Keep | Computed, scope: Scope, place: Place) -> str:
    """Return the name in the path of the image that a part of a text is, spelled as it is there; empty for others."""
    if not isinstance(leaf, Bind) or leaf.calls or len(leaf.names) > 1:
        return ""
    meaning = scope.resolve(leaf.names[0], place)
    plain = meaning.where == "capture" and not build(leaf, [meaning.value_type], 1, True, place).codecs
    return meaning.name if plain else ""


def _leaves_by_key(row: Rule, scope: Scope, at: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Leaf, bool]]:
    """Yield the leaves of a row that stand under keys of its mappings, with these keys and whether they may be absent.

    A leaf in a mapping that may be absent may not be absent by itself.
    """
    for field in row.fields:
        if len(field.keys) > 1:
            continue
        path = (*at, field.keys[0])
        if field.rule.leaf is not None:
            yield path, field.rule.leaf, may_be_absent(field, scope)
        yield from _leaves_by_key(field.rule, scope, path) if isinstance(field.rule, MapRule) else ()


def _at(row: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        row = row[key] if isinstance(row, dict) and key in row else None
    return row


def file_of(entry: Entry) -> str:
    """Return the file that names an item in messages: its image, or else its first file."""
    found = entry.files.get(IMAGE) or next(iter(entry.files.values()), None)
    return found[0][0] if found else entry.key


def path_of(state: ItemState, slot: str) -> DocumentPath:
    """Return where a row states a slot of its item; the row itself if it does not."""
    found = state.place_of.get(slot)
    return found[1] if found else state.at


def unknown_item(file: str, names: Mapping[str, Any], state: ItemState, reader: RowReader, near: str) -> Fault:
    """Return the fault of a row whose item the dataset does not have."""
    slot = next((name for name in ("id", "image.path") if name in names), "")
    told = ", ".join(f"{name} {value!r}" for name, value in names.items())
    message = f"there is no item with {told}{near}"
    return Fault("UNKNOWN_REFERENCE", file, path_of(state, slot), reader.place, message, scope="object")


def named_in_several(
    file: str, entries: Sequence[Entry], state: ItemState, table: Table, which: int
) -> Fault:  # fmt: skip
    """Return the fault of a row whose image name, the last part of its address, belongs to several images."""
    images = [entry.files[IMAGE][0][0] for entry in entries]
    key, place = table.names[which], table.readers[which].place
    path = (*state.at, key) if key is not None else state.at
    words = f"{len(images)} images have the name that the row tells: {', '.join(images)}"
    return Fault("UNKNOWN_REFERENCE", file, path, place, words, "a name that one image has", images[0], scope="item")
