"""Builds the index of a tree: which role claims each file, and which files and rows belong to which item."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from formatspec.engine.base.faults import Fault, other_encoding, other_parting, unread
from formatspec.engine.base.remembered import remembered
from formatspec.engine.index.document_frames import frame_faults
from formatspec.engine.index.entries import Chosen, Entries, Entry, ItemFiles, captured
from formatspec.engine.index.id_columns import id_key, name_key, names_only, noted_keys
from formatspec.engine.index.join_rows import join_rows
from formatspec.engine.index.looked_up import join_by_named_images, naming_roles
from formatspec.engine.index.named_folders import empty_subsets, share_captures, share_named_folders
from formatspec.engine.index.row_ownership import RowOwnership, SharedFile, Table
from formatspec.engine.index.row_source import HeldRows, range_file, rows_at, sought
from formatspec.engine.index.shared_values import read_values
from formatspec.engine.read.compile_reader import row_reader
from formatspec.engine.read.leaf_reader import ReadContext
from formatspec.engine.read.projection import fields_of
from formatspec.engine.read.rows.merge_rows import RowReader
from formatspec.engine.resolve.json_schema import schema_faults
from formatspec.engine.resolve.questions.meanings import meanings
from formatspec.engine.resolve.questions.tables import NOT_OF_ITEMS
from formatspec.engine.spec.compiled import IMAGE, KEPT_FORMATS, Format, Role, everything
from formatspec.files.document import FileError
from formatspec.files.rows.json_rows import NotRowsError
from formatspec.model.slots import TABLES
from formatspec.paths.names import by_segments, safe_name
from formatspec.paths.templates.formats import IMAGE_EXTENSIONS
from formatspec.paths.templates.template import Template
from formatspec.paths.trees.tree import Tree


class Index(msgspec.Struct):
    """What is known of a tree before its items are read.

    Attributes:
        listed: The entries that are items, in the order of their keys; `complete` of them have their image.
        unlisted: The other entries.
        renamed: How many documents belong to an image of another name, which they state.
    """

    entries: Sequence[Entry]
    listed: Sequence[Entry]
    unlisted: Sequence[Entry]
    complete: int
    shared: list[SharedFile]
    tables: dict[str, tuple[Table, ...]]
    rows: RowOwnership
    faults: list[Fault]
    unclaimed: list[str]
    claimed: Claimed
    renamed: int


class PathMatches:
    """A list of paths, and what the templates of formats capture of them. Each template is matched once.

    Formats share many templates, so asking all formats which paths they claim costs little more than asking one.
    """

    def __init__(self, paths: Iterable[str]) -> None:
        """Take the paths, in their order."""
        self.paths = tuple(paths)
        self.places = {path: place for place, path in enumerate(self.paths)}
        self.by_extension: dict[str, list[str]] = {}
        for path in self.paths:
            self.by_extension.setdefault(_extension(path), []).append(path)
        self._known: dict[tuple[Template, str], dict[str, dict[str, Any]]] = {}
        self._texts = {one: f"\n{chr(10).join(paths)}\n" for one, paths in self.by_extension.items()}

    def of(self, role: Role, extension: str) -> Mapping[str, dict[str, Any]]:
        """Return what a role's template captures of the paths with an extension, by path; other paths are left out."""
        key = (role.template, extension)
        known = self._known.get(key)
        if known is None:
            small = extension == extension.lower()
            match = role.template.match if small else role.match
            hopeless = small and not role.template.may_match(self._texts[extension])
            found = ((path, match(path)) for path in (() if hopeless else self.by_extension[extension]))
            known = self._known[key] = {path: captures for path, captures in found if captures is not None}
        return known


Claims = dict[str, list[tuple[str, dict[str, Any]]]]
"""The paths that each role claims, in order, with what it captures of each."""


def claims(form: Format, matches: PathMatches) -> Claims:
    """Return which of the paths each role claims, without the paths that the format ignores."""
    by_role: Claims = {name: [] for name in form.roles}
    ranks = _ranks(form)
    claimed: dict[str, tuple[Role, dict[str, Any]]] = {}
    for extension in matches.by_extension:
        for equals in ranks(extension):
            for role in equals:  # the first of several roles that claim the path equally well
                given = role.spec.given
                found = matches.of(role, extension)
                for path in form.ignored.outside(tuple(found)):
                    if path not in claimed:
                        claimed[path] = role, {**given, **found[path]}
    for path in sorted(claimed, key=matches.places.__getitem__):
        role, values = claimed[path]
        by_role[role.name].append((path, values))
    return by_role


def unclaimed(form: Format, matches: PathMatches, by_role: Claims) -> int:
    """Return how many of the paths no role claims and the format does not ignore."""
    claimed = {path for found in by_role.values() for path, _ in found}
    return len(form.ignored.outside([path for path in matches.paths if path not in claimed]))


ALL = 4000
"""How many files may all be looked at to detect a format or layout; of more files, only a sample is."""
OF_EACH = 8
"""How many files of each kind in each part of a tree are always in the sample, so that no list is missed."""
KINDS = 1000


def sampled(paths: Sequence[str]) -> Sequence[str]:
    """Return a sample of a tree's paths, in their order; all paths if they are few."""
    if len(paths) <= ALL:
        return paths
    half, step = ALL // 2, len(paths) // (ALL // 2)
    seen: dict[tuple[str, ...], int] = {}
    found = []
    for place, path in enumerate(paths):
        *folders, name = path.split("/", 3)
        kind = (*folders[:2], path.rpartition(".")[2] if "." in name else "")
        count = seen.get(kind, 0)
        if count < OF_EACH and (count or len(seen) < KINDS):
            seen[kind] = count + 1
        elif place >= half and place % step:
            continue
        found.append(path)
    return found


def _ranks(form: Format) -> Callable[[str], Sequence[Sequence[Role]]]:
    """Return a function that gives the roles that may claim paths with an extension, best first, grouped by rank."""
    roles = [role for role in form.roles.values() if not role.folder]
    extensions = {_extension(role.template.suffix) for role in roles if "." in role.template.suffix}
    tried = {one: _by_rank(role for role in roles if _may_end(role, one)) for one in extensions}
    others = _by_rank(role for role in roles if "." not in role.template.suffix)
    return lambda extension: tried.get(extension.lower(), others)


def _claimer(form: Format, faults: list[Fault]) -> Callable[[str], tuple[Role, dict[str, Any]] | None]:
    """Return a function that gives the role that claims a path, and what it captures."""
    ranks = _ranks(form)

    def claim(path: str) -> tuple[Role, dict[str, Any]] | None:
        extension = _extension(path)
        small = extension == extension.lower()
        for equals in ranks(extension):
            if len(equals) == 1:
                role = equals[0]
                found = role.template.match(path) if small else role.match(path)
                if found is not None:
                    return role, {**role.spec.given, **found} if role.spec.given else found
                continue
            best = [(role, captures) for role in equals if (captures := role.match(path)) is not None]
            if not best:
                continue
            role, found = best[0]
            if len(best) > 1:
                names = " and ".join(role.name for role, _ in best)
                faults.append(Fault("FILE_TWO_RULES", path, (), role.place, f"{names} claim this file equally well"))
            return role, {**role.spec.given, **found}
        return None

    return claim


def _extension(path: str) -> str:
    """Return a path's extension: the text after its last dot."""
    return path.rpartition(".")[2]


def _may_end(role: Role, extension: str) -> bool:
    """Return whether a role may claim paths with an extension."""
    suffix = role.template.suffix
    return "." not in suffix or _extension(suffix) == extension


def _by_rank(roles: Iterable[Role]) -> list[list[Role]]:
    """Return the roles in the order in which they claim paths; equally good roles are grouped."""
    ranks: dict[int, list[Role]] = {}
    for role in roles:
        ranks.setdefault(-role.template.literal_count, []).append(role)
    return [ranks[rank] for rank in sorted(ranks)]


class Claimed:
    """Which role claims each path of a tree, in two bytes for each; `items` takes the files at once."""

    def __init__(
        self, form: Format, paths: Sequence[str], items: ItemFiles, unclaimed: list[str], faults: list[Fault]
    ) -> None:
        """Match every path with the templates of the format's roles.

        Args:
            form: The layout.
            paths: The paths of the tree, in their order.
            items: Takes the files that make items.
            unclaimed: Is given the paths that no role claims.
            faults: Is given what is wrong with paths.
        """
        self._form = form
        self._paths = paths
        names = {name: number for number, name in enumerate(form.roles)}
        claim = _claimer(form, faults)
        roles = array("h")
        for place, path in enumerate(paths):
            ignored = form.ignored(path)
            found = None if ignored else claim(path)
            if found is not None:
                role, captures = found
                roles.append(names[role.name])
                items.add(role, path, captures, place)
                continue
            roles.append(-1)
            if not ignored:
                unclaimed.append(path)
        self._roles = np.frombuffer(roles, np.int16) if roles else np.zeros(0, np.int16)
        self._names = tuple(names)

    def of(self, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the paths of a role, with what they capture."""
        role = self._form.roles[name]
        for place in np.flatnonzero(self._roles == self._names.index(name)):
            path = self._paths[int(place)]
            yield path, captured(role, path)

    def role(self, path: str) -> str | None:
        """Return the role that claims a path."""
        place = bisect_left(self._paths, by_segments(path), key=by_segments)
        there = place < len(self._paths) and self._paths[place] == path and self._roles[place] >= 0
        return self._names[self._roles[place]] if there else None

    def ignored(self) -> Iterator[str]:
        """Yield the paths that the format ignores, without hidden files, which belong to no role."""
        for place in np.flatnonzero(self._roles < 0):
            path = self._paths[int(place)]
            if self._form.ignored(path) and not path.rpartition("/")[2].startswith("."):
                yield path

    @property
    def roles(self) -> set[str]:
        """The roles that claim any path."""
        return {self._names[number] for number in np.flatnonzero(np.bincount(self._roles[self._roles >= 0]))}


def build_index(form: Format, tree: Tree, state_of: Any) -> Index:
    """Build the index of a tree.

    Args:
        form: The layout.
        tree: The tree, from the dataset's root on.
        state_of: Makes the state for joining rows of a shared file from the captures of its path.
    """
    unclaimed: list[str] = []
    faults: list[Fault] = []
    entries = Entries()
    items = ItemFiles(form, entries)
    claimed = Claimed(form, tree.paths(), items, unclaimed, faults)
    faults += [Fault("FILE_ESCAPES", path, (), None, _escaping(path)) for path in tree.escapes()]
    faults += items.done()
    renamed = join_by_named_images(form, items, entries, tree)
    tables = {role.name: _tables(role, form) for role in form.roles.values() if role.span == "shared" and role.codec}
    shared = _read_shared(form, claimed, tables, tree, faults)
    lacks_images = not items.are_named and not any(_extension(path).lower() in IMAGE_EXTENSIONS for path in unclaimed)
    naming = naming_roles(form) if lacks_images else frozenset[str]()
    rows = join_rows(form, shared, tables, entries, faults, state_of, naming)
    if any(role.spec.folders for role in form.roles.values()):
        share_named_folders(form, shared, entries, tree.folders())
        faults += empty_subsets(form, shared, entries, tree.folders(), tree.exists)
    share_captures(form, (file for file in shared if not tables[file.role]), entries)
    entries.whole()
    listed, complete, ordered = _looked_through(form, entries, rows, naming)
    order = np.arange(len(entries), dtype=np.int32) if ordered else _in_order(entries)
    all_, known, strangers = (Chosen(entries, order[some[order]]) for some in (listed | True, listed, ~listed))
    faults += frame_faults(form, shared, state_of)
    values = read_values(form, shared, known, state_of, faults)
    rows.values_of = values.of if values else None
    return Index(all_, known, strangers, complete, shared, tables, rows, faults, unclaimed, claimed, renamed)


def _escaping(path: str) -> str:
    """Return how a file leads out of its tree: by its name, as in an archive, or as a link."""
    return f"{'the name' if safe_name(path) is None else 'a link'} leads out of the dataset"


def _in_order(entries: Entries) -> Any:
    """Return the numbers of the items, sorted by the segments of their keys."""
    keys = [by_segments(entry.key) for entry in entries]
    return np.array(sorted(range(len(keys)), key=keys.__getitem__), np.int32)


def _looked_through(
    form: Format, entries: Entries, rows: RowOwnership, naming: frozenset[str]
) -> tuple[Any, int, bool]:
    """Decide which entries are listed as items.

    If items come from lists, an entry that no list names is not an item. If images make the items, an item may also
    come from a document that every item must have; then its image is missing.

    Returns:
        The numbers of the items that are listed, how many of them have their image, and whether all keys are in order.
    """
    sources = {name.partition(".")[0] for name in form.spec.items}
    if sources == {IMAGE}:
        sources |= {r.name for r in form.roles.values() if r.span == "item" and r.codec is not None and not r.optional}
        sources |= naming
    listed, complete, ordered, last = np.ones(len(entries), bool), 0, True, ""
    for entry in entries:
        if sources & entry.files.keys() or sources & rows.roles(entry):
            complete += IMAGE in entry.files
        else:
            listed[entry.number] = False
        key = by_segments(entry.key)
        ordered, last = ordered and key >= last, key
    return listed, complete, ordered


def _read_shared(
    form: Format, claimed: Claimed, tables: dict[str, tuple[Table, ...]], tree: Tree, faults: list[Fault]
) -> list[SharedFile]:
    found: list[SharedFile] = []
    for role in form.roles.values():
        if role.span != "shared" or role.codec is None:
            continue
        for path, captures in claimed.of(role.name):
            file = SharedFile(role.name, path, captures)
            try:
                if not _seek(role, file, tables[role.name], tree, faults):
                    _decode(role, file, tables[role.name], tree, faults)
            except (FileError, ValueError) as error:
                faults.append(unread(error, path, role.place, "document"))
                continue
            found.append(file)
    return found


def _seek(role: Role, file: SharedFile, tables: Sequence[Table], tree: Tree, faults: list[Fault]) -> bool:
    """Read a file without its rows, and note where they are. Return False if the file must be decoded whole."""
    assert role.codec is not None
    paths = [table.path for table in tables]
    if not role.codec.sought or not paths or len(set(paths)) < len(paths) or _schema_names(role, paths):
        return False
    elements = role.codec.elements
    if elements is not None and not any(map(elements.direct, paths)):
        return False
    try:
        source = range_file(tree, file.path)
        file.document, rows = sought(source, {table.path: noted_keys(table) for table in tables}, elements)
        if elements is not None:
            file.open_end = source.read(2, tree.size(file.path) - 1) not in (b"\n", b"\r")
    except (NotRowsError, OSError):
        return False
    file.tables.update(rows)
    for path in paths:
        if path not in rows and (held := rows_at(file.document, path)) is not None:
            file.tables[path] = HeldRows(held)
    faults += schema_faults(role.schema, file.document, file.path, role.place)
    return True


def _schema_names(role: Role, paths: Sequence[tuple[str, ...]]) -> bool:
    """Return whether a role's schema describes rows, so that it must see them."""
    schema = role.spec.schema_
    if not schema:
        return False
    named = schema.get("properties", {})
    return set(schema) - {"properties", "required"} != set() or any(not path or path[0] in named for path in paths)


def _decode(role: Role, file: SharedFile, tables: Sequence[Table], tree: Tree, faults: list[Fault]) -> None:
    """Read a whole file."""
    assert role.codec is not None
    data = tree.read(file.path)
    decoded = role.codec.decode(data)
    other = other_encoding(data, file.path, role.place, role.encodings)
    if other is not None:
        faults.append(other)
    faults += other_parting(decoded.parted, file.path, role.place)
    file.document, file.open_end = decoded.document, bool(data) and not data.endswith((b"\n", b"\r"))
    for table in tables:
        rows = rows_at(file.document, table.path)
        if rows is not None:
            file.tables[table.path] = HeldRows(rows)
    faults += schema_faults(role.schema, decoded.document, file.path, role.place)
    faults += (stray.fault(file.path, role.place, "document") for stray in decoded.strays)


def _tells_names_only(reader: RowReader) -> bool:
    """Return whether a row tells only which item it is about."""
    told = meanings(reader.rule.row, reader.scope.inside(reader.table))
    return all(meaning.where == "option" or names_only(meaning, scope) for meaning, scope, _ in told)


@remembered(KEPT_FORMATS)
def _tables(role: Role, form: Format) -> tuple[Table, ...]:
    assert role.codec is not None
    found = []
    sources = {tuple(name.split(".")) for name in form.spec.items}
    joining = ReadContext(names_only, False, sparse=True)
    for path, rules in role.lists:
        kind = TABLES[rules[0].each.table]
        if kind in NOT_OF_ITEMS:
            continue
        readers = tuple(row_reader(rule, role.scope, ReadContext(everything, True)) for rule in rules)
        joiners = tuple(row_reader(rule, role.scope, joining) for rule in rules)
        is_source = kind == "item" and any(s[0] == role.name and (len(s) == 1 or s[1:] == path[-1:]) for s in sources)
        named = fields_of(rules, role.scope, joining)
        if named is not None:
            chosen = len(readers) > 1 or any(getattr(reader.rule.row, "alternatives", ()) for reader in readers)
            named = {key: read or len(readers) > 1 for key, read in named.items() if read or chosen}
            named |= {key: True for reader in readers if (key := id_key(reader)) is not None}
        names = tuple(name_key(reader) for reader in readers)
        only = role.scope.textual and all(_tells_names_only(reader) for reader in readers)
        found.append(Table(role.name, path, kind, readers, joiners, is_source, named, names, only))
    return tuple(found)
