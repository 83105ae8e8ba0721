"""The index of a tree: which role claims which file, which files and rows belong to which item."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from formatspec.engine.format import IMAGE, Format, Role, everything, row_readers
from formatspec.engine.job import MILD, Fault, Job, Path
from formatspec.engine.reading import Context, RowReader
from formatspec.engine.schemas import schema_faults
from formatspec.engine.scope import Meaning, Scope
from formatspec.files.document import FileError
from formatspec.language.leaf import Bind
from formatspec.language.rules import Field, LeafRule, MapRule, OneOf, Rule, TableRule
from formatspec.model.slots import TABLES
from formatspec.paths.tree import Tree


class Row(NamedTuple):
    """A row of a shared document that belongs to an item."""

    role: str
    file: str
    table: int
    path: Path
    position: int
    document: Any
    columns: tuple[str, ...] = ()


@dataclass(slots=True)
class Entry:
    """An item in the index: its names, its files by role, its rows in shared files."""

    key: str
    names: dict[str, Any]
    files: dict[str, list[tuple[str, dict[str, Any]]]] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    shared: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class SharedFile:
    """A shared file, read once."""

    role: str
    path: str
    captures: dict[str, Any]
    document: Any = None


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a shared document: where it stands, how its rows are read and joined."""

    role: str
    path: tuple[str, ...]
    kind: str
    readers: tuple[RowReader, ...]
    joiners: tuple[RowReader, ...]
    source: bool


@dataclass(slots=True)
class Index:
    """All that is known of a tree before its items are read."""

    entries: list[Entry]
    shared: list[SharedFile]
    tables: Mapping[str, tuple[Table, ...]]
    faults: list[Fault]
    unclaimed: list[str]
    claimed: dict[str, str]


def claims(
    form: Format, paths: Sequence[str]
) -> tuple[dict[str, list[tuple[str, dict[str, Any]]]], list[str], list[Fault]]:
    """Which role claims each path, the paths that none claims, and what is wrong with claims."""
    claimed: dict[str, list[tuple[str, dict[str, Any]]]] = {name: [] for name in form.roles}
    unclaimed: list[str] = []
    faults: list[Fault] = []
    ordered = sorted(
        (role for role in form.roles.values() if not role.folder),
        key=lambda role: -role.template.literal_count,
    )
    for path in paths:
        best: list[tuple[Role, dict[str, Any]]] = []
        for role in ordered:
            if best and role.template.literal_count < best[0][0].template.literal_count:
                break
            found = role.template.match(path)
            if found is not None:
                best.append((role, {**found, **role.spec.given}))
        if not best:
            unclaimed.append(path)
            continue
        if len(best) > 1:
            names = " and ".join(role.name for role, _ in best)
            faults.append(Fault("FILE_TWO_RULES", path, (), best[0][0].place, f"{names} claim this file equally well"))
        role, found = best[0]
        claimed[role.name].append((path, found))
    return claimed, unclaimed, faults


def build_index(form: Format, tree: Tree, job_of: Any) -> Index:
    """Index a tree.  `job_of(captures)` makes the job in which rows of shared files are joined."""
    paths = [path for path in tree.paths() if not form.ignored(path)]
    claimed, unclaimed, faults = claims(form, paths)
    faults += [Fault("FILE_ESCAPES", path, (), None, "a link leads out of the dataset") for path in tree.escapes()]
    entries: dict[Any, Entry] = {}
    _add_item_files(form, claimed, entries, faults)
    shared = _read_shared(form, claimed, tree, faults)
    tables = {role.name: _tables(role, form) for role in form.roles.values() if role.span == "shared" and role.codec}
    _join(form, shared, tables, entries, faults, job_of)
    _mark_unlisted(form, entries)
    places = {path: name for name, found in claimed.items() for path, _ in found}
    ordered = sorted(entries.values(), key=lambda entry: entry.key.split("/"))
    return Index(ordered, shared, tables, faults, unclaimed, places)


def item_key(form: Format, names: Mapping[str, Any]) -> str:
    """The item's key: its captures, in the image path's order."""
    return "/".join(str(names[name]) for name in form.key_names if names.get(name) not in (None, ""))


def _add_item_files(
    form: Format,
    claimed: Mapping[str, list[tuple[str, dict[str, Any]]]],
    entries: dict[Any, Entry],
    faults: list[Fault],
) -> None:
    for role in form.roles.values():
        if role.span == "shared" or (role.name != IMAGE and not set(form.key_names) <= set(role.captures)):
            continue
        for path, captures in claimed[role.name]:
            if role.base is not None and role.template.ambiguous(path):
                continue  # the documents that name it say whose it is
            identity = tuple(captures.get(name) or "" for name in form.key_names)
            entry = entries.get(identity)
            if entry is None:
                entry = entries[identity] = Entry(item_key(form, captures), {})
            if role.span == "item" and role.name in entry.files:
                other = entry.files[role.name][0][0]
                faults.append(Fault("ITEM_DUPLICATE", path, (), role.place, f"this is the same item as {other}"))
                continue
            entry.files.setdefault(role.name, []).append((path, captures))
            if role.span == "item":
                for name, value in captures.items():
                    entry.names.setdefault(name, value)


def _mark_unlisted(form: Format, entries: Mapping[Any, Entry]) -> None:
    """Mark what no source of items tells of: files that are nobody's.

    Where images make the items, a document that every item must have makes one too: its image is missing.
    """
    sources = {name.partition(".")[0] for name in form.spec.items}
    if sources == {IMAGE}:
        sources |= {r.name for r in form.roles.values() if r.span == "item" and r.codec is not None and not r.optional}
    for entry in entries.values():
        if not (sources & entry.files.keys() or any(row.role in sources for row in entry.rows)):
            entry.shared["unlisted"] = True


def _read_shared(
    form: Format, claimed: Mapping[str, list[tuple[str, dict[str, Any]]]], tree: Tree, faults: list[Fault]
) -> list[SharedFile]:
    found: list[SharedFile] = []
    for role in form.roles.values():
        if role.span != "shared" or role.codec is None:
            continue
        for path, captures in claimed[role.name]:
            file = SharedFile(role.name, path, captures)
            try:
                decoded = role.codec.decode(tree.read(path))
            except (FileError, ValueError) as error:
                faults.append(
                    Fault("FILE_UNREADABLE", path, (), role.place, str(getattr(error, "message", error)), "", None,
                          (getattr(error, "line", None), getattr(error, "column", None)))
                )  # fmt: skip
                continue
            file.document = decoded.document
            faults += schema_faults(role.schema, decoded.document, path, role.place)
            for stray in decoded.strays:
                faults.append(
                    Fault("LINE", path, (), role.place, "the line does not fit", stray.expected, stray.text,
                          (stray.line + 1, 1))
                )  # fmt: skip
            found.append(file)
    return found


def names_only(meaning: Meaning, scope: Scope) -> bool:
    """Only what tells which item a row belongs to."""
    if meaning.where == "capture" or (meaning.where == "path" and meaning.name == IMAGE):
        return True
    if meaning.where == "item" or (meaning.where == "record" and scope.kind == "item"):
        return meaning.name in ("id", "image.path", "subset") or meaning.name in scope.captures
    return False


def header_of(rule: Rule, document: Any) -> tuple[str, ...]:
    """The names of columns that a document states in a line of its own; none where it states none."""
    if isinstance(rule, MapRule) and isinstance(document, dict):
        for one in rule.fields:
            leaf = one.rule.leaf if isinstance(one.rule, LeafRule) else None
            if isinstance(leaf, Bind) and leaf.names == ("columns",):
                return tuple(str(document.get(one.keys[0], "")).split())
            found = header_of(one.rule, document.get(one.keys[0]))
            if found:
                return found
    return ()


def _tables(role: Role, form: Format) -> tuple[Table, ...]:
    assert role.codec is not None
    found = []
    sources = {tuple(name.split(".")) for name in form.spec.items}
    for path, rule in tables_in(role.codec.rule, ()):
        kind = TABLES[first_of(rule).each.table]
        if kind in ("category", "attribute"):
            continue
        readers = row_readers(rule, role.scope, Context(everything, True))
        joiners = row_readers(rule, role.scope, Context(names_only, False, sparse=True))
        is_source = kind == "item" and any(s[0] == role.name and (len(s) == 1 or s[1:] == path[-1:]) for s in sources)
        found.append(Table(role.name, path, kind, readers, joiners, is_source))
    return tuple(found)


def first_of(rule: TableRule | OneOf) -> TableRule:
    if isinstance(rule, TableRule):
        return rule
    first = rule.alternatives[0]
    assert isinstance(first, TableRule)
    return first


def tables_in(rule: Rule, at: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], TableRule | OneOf]]:
    """The outermost tables of a rule, with the keys that lead there."""
    if isinstance(rule, TableRule):
        yield at, rule
    elif isinstance(rule, OneOf):
        if rule.alternatives and all(isinstance(choice, TableRule) for choice in rule.alternatives):
            yield at, rule
        else:
            for choice in rule.alternatives:
                yield from tables_in(choice, at)
    elif isinstance(rule, MapRule):
        for one in rule.fields:
            assert isinstance(one, Field)
            yield from tables_in(one.rule, (*at, one.keys[0]))
        for alternatives in rule.alternatives:
            for choice in alternatives.alternatives:
                yield from tables_in(choice, at)


def rows_at(document: Any, path: Sequence[str]) -> list[Any] | None:
    """The rows of a table; None where the document has none there."""
    for key in path:
        if not isinstance(document, dict) or key not in document:
            return None
        document = document[key]
    if isinstance(document, list):
        return document
    return [document] if isinstance(document, dict) else None


def _join(
    form: Format, shared: Sequence[SharedFile], tables: Mapping[str, tuple[Table, ...]], entries: dict[Any, Entry],
    faults: list[Fault], job_of: Any,
) -> None:  # fmt: skip
    """Give every row of a shared file to its item; rows of item sources make items."""
    looked: dict[tuple[str, ...], dict[Any, list[Entry]]] = {}
    for making in (True, False):
        for file in shared:
            for table in tables.get(file.role, ()):
                if (table.kind == "item") is not making:
                    continue
                _join_table(form, file, table, entries, looked, faults, job_of)
        looked.clear()


def _join_table(
    form: Format, file: SharedFile, table: Table, entries: dict[Any, Entry],
    looked: dict[tuple[str, ...], dict[Any, list[Entry]]], faults: list[Fault], job_of: Any,
) -> None:  # fmt: skip
    rows = rows_at(file.document, table.path)
    if rows is None:
        _no_rows(file, table, faults)
        return
    seen: dict[Any, int] = {}
    keys = [_id_key(reader) for reader in table.readers]
    columns = header_of(form.roles[file.role].document_rule, file.document)
    for position, document in enumerate(rows):
        job = job_of(dict(file.captures))
        job.file, job.at = file.path, (*table.path, position)
        which = _names_of(document, table, job)
        names = {name: value for name, value in job.captures.items() if value is not None}
        names.update({name: job.item[name] for name in ("id", "image.path", *form.key_names) if name in job.item})
        if "subset" in form.key_names and "subset" not in names and job.item.get("subsets"):
            names["subset"] = job.item["subsets"][0]
        row = Row(table.role, file.path, which, (*table.path, position), position, document, columns)
        if job.faults and all(fault.code not in ("DIFFERS", "FIELD_UNKNOWN") for fault in job.faults):
            faults.extend(job.faults)
            continue
        found = _entries_for(form, names, entries, looked, table)
        if table.kind == "item" and "id" in names and table.readers[which].by == ("id",):
            if names["id"] in seen:
                faults.append(
                    Fault("DUPLICATE", file.path, _path_of(job, "id", row), table.readers[which].place,
                          f"the id {names['id']!r} stands twice", "an id of its own", names["id"])
                )  # fmt: skip
                continue
            seen[names["id"]] = position
        if not found:
            _unknown_item(form, row, names, job, table.readers[which], faults)
            continue
        key = keys[which]
        if key is not None and _is_anothers(document, key, found[0], seen):
            faults.append(
                Fault("DUPLICATE", file.path, (*row.path, key), table.readers[which].place,
                      f"the id {document[key]!r} stands twice", "an id of its own", document[key])
            )  # fmt: skip
        for entry in found:
            entry.rows.append(row)
            if table.kind == "item" and "subset" in file.captures and "subset" not in form.key_names:
                subsets = entry.shared.setdefault("subsets", [])
                if file.captures["subset"] not in subsets:
                    subsets.append(file.captures["subset"])
            for name, value in names.items():
                entry.names.setdefault(name, value)


def _id_key(reader: RowReader) -> str | None:
    """The key under which a row of objects states the id that tells it from others; None where it states none."""
    row = reader.rule.row
    if reader.kind != "object" or reader.by != ("id",) or not isinstance(row, MapRule):
        return None
    for one in row.fields:
        leaf = one.rule.leaf if isinstance(one.rule, LeafRule) else None
        if isinstance(leaf, Bind) and leaf.names == ("id",) and len(one.keys) == 1:
            return one.keys[0]
    return None


def _is_anothers(document: Any, key: str, entry: Entry, seen: dict[Any, int]) -> bool:
    """Whether a row's id stood in a row of another item.  Rows of one item are looked at when it is read."""
    value = document.get(key) if isinstance(document, dict) else None
    if not isinstance(value, int | str):
        return False
    return seen.setdefault(value, id(entry)) != id(entry)


def _no_rows(file: SharedFile, table: Table, faults: list[Fault]) -> None:
    """What stands where a table's rows should, if anything does."""
    place = table.readers[0].place
    value: Any = file.document
    path: list[str | int] = []
    for key in table.path:
        if not isinstance(value, dict):
            faults.append(Fault("FIELD", file.path, tuple(path), place, "the value does not fit", "a mapping", value))
            return
        if key not in value:
            return
        path.append(key)
        value = value[key]
    faults.append(Fault("FIELD", file.path, tuple(path), place, "the value does not fit", "a list", value))


def _path_of(job: Job, slot: str, row: Row) -> Path:
    found = job.place_of.get(slot)
    return found[1] if found else row.path


def _unknown_item(
    form: Format, row: Row, names: Mapping[str, Any], job: Job, reader: RowReader, faults: list[Fault]
) -> None:
    slot = next((name for name in ("id", "image.path") if name in names), "")
    told = ", ".join(f"{name} {value!r}" for name, value in names.items())
    faults.append(
        Fault(
            "UNKNOWN_REFERENCE",
            row.file,
            _path_of(job, slot, row),
            reader.place,
            f"there is no item with {told}",
        )
    )


def _names_of(document: Any, table: Table, job: Job) -> int:
    """Read a row's names; gives which of the table's alternatives it is."""
    fitting = [i for i, reader in enumerate(table.readers) if len(table.readers) == 1 or reader.test(document)] or [0]
    for which in fitting:
        table.joiners[which].read(document, job.item, job)
        if which == fitting[-1] or all(fault.code in MILD for fault in job.faults):
            break
        job.faults.clear()
    return which


def _entries_for(
    form: Format, names: Mapping[str, Any], entries: dict[Any, Entry],
    looked: dict[tuple[str, ...], dict[Any, list[Entry]]], table: Table,
) -> list[Entry]:  # fmt: skip
    """The items whose names agree with a row's; for a source of items, one is made where there is none."""
    if table.kind == "item" and all(name in names for name in form.key_names if not _optional(form, name)):
        identity = tuple(names.get(name) or "" for name in form.key_names)
        entry = entries.get(identity)
        if entry is None and table.source:
            entry = entries[identity] = Entry(item_key(form, names), {})
        return [] if entry is None else [entry]
    shape = tuple(sorted(name for name in names if name == "id" or name in form.key_names))
    if not shape:
        return list(entries.values()) if table.kind != "item" else []
    if shape not in looked:
        by: dict[Any, list[Entry]] = defaultdict(list)
        for entry in entries.values():
            if all(name in entry.names or _optional(form, name) for name in shape):
                by[tuple(entry.names.get(name) or "" if name != "id" else entry.names["id"] for name in shape)].append(
                    entry
                )
        looked[shape] = by
    return looked[shape].get(tuple(names[name] if name == "id" else names[name] or "" for name in shape), [])


def _optional(form: Format, name: str) -> bool:
    field = form.roles[IMAGE].scope.captures.get(name)
    return field == "path?" or (name != "id" and name not in form.key_names)
