"""A dataset on disk, opened with a compiled spec. It is indexed once, and its items are read one by one."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from formatspec.engine.base.faults import Fault
from formatspec.engine.dataset.category_counts import counted_categories
from formatspec.engine.dataset.item.purpose import Purpose, Readers, TableReaders
from formatspec.engine.dataset.item.read_item import Assembled, files_read, read_entry
from formatspec.engine.dataset.report import Reporter
from formatspec.engine.index.build_index import Index, build_index
from formatspec.engine.index.entries import Entry
from formatspec.engine.index.row_ownership import Table
from formatspec.engine.read.categories import Categories, from_names, from_state, identity, sorted_open, table_of
from formatspec.engine.read.generate_lines import FastLines
from formatspec.engine.read.item_state import ItemState
from formatspec.engine.read.leaf_reader import ReadContext, Wanted
from formatspec.engine.read.projection import Decode, fields_of, rows_decoder
from formatspec.engine.spec import wanted_slots
from formatspec.engine.spec.compiled import Format, Role, asking, compile_format, everything, plain_rows
from formatspec.engine.splits.id_scopes import Splits
from formatspec.engine.splits.match_categories import CategoryListing, matched_splits
from formatspec.findings.finding import Finding
from formatspec.language.load import in_encoding
from formatspec.language.schema import CategoryList, CategoryTable
from formatspec.model.amounts import amounts
from formatspec.model.limits import Limits, limits, set_limits
from formatspec.model.records import Category, Item
from formatspec.paths.trees.tree import Tree
from formatspec.policy.repair import Decision, repaired
from formatspec.policy.rules import Policy, Rule

if TYPE_CHECKING:
    from formatspec.engine.read.elements.fast_elements import FastElements

AHEAD = 16
"""How many items ahead a remote tree may fetch files."""


_LEAVES_OUT = Policy((Rule("error", "drop"),))
"""The policy while items are iterated."""


Spread = Callable[[Callable[[tuple[int, int]], list[Category]], Sequence[tuple[int, int]]], Iterable[list[Category]]]
"""Runs a function over shards, perhaps in several processes, and gives the results in order."""


class OpenDataset:
    """A vision dataset: its categories, and its items, which are read when they are asked for.

    Iteration gives the items sorted by key. It leaves out objects with an error, and items that have an error
    themselves. `findings` grows as items are read. A pickled dataset is opened again where it is unpickled.
    """

    def __init__(self, form: Format, tree: Tree, prefix: str, purpose: Purpose) -> None:
        """List the files of a tree and assign them to items, without reading an item.

        The time grows with the number of files and with the size of shared files, whose rows are located.

        Args:
            form: The compiled layout of a spec.
            tree: The tree as it was opened.
            prefix: The folder of the tree in which the dataset begins, "" for its root.
            purpose: Which parts of items are read.
        """
        self.form = form
        self.prefix = prefix
        self.base, self.opened_for = tree, purpose
        self.tree = tree.under(prefix) if prefix else tree
        self.purpose = purpose
        self.index: Index = build_index(form, self.tree, lambda captures: ItemState(captures, _OPEN, False))
        self.reporter = Reporter(form, self.tree, prefix, self.index.shared)
        self.splits = self._known_splits()
        self.known = self.splits.whole
        self._readers: dict[Any, Readers] = {}
        self._categories: tuple[Category, ...] | None = None
        self.findings: list[Finding] = []
        self._told: set[str] = set()
        self.wanted: Wanted = everything

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle how the dataset was opened; another process opens it anew."""
        return _opened_again, (
            self.form, self.base, self.prefix, self.opened_for, self.purpose, self.wanted, len(self), limits()
        )  # fmt: skip

    def in_encoding(self, encoding: str) -> OpenDataset:
        """Return the dataset with one more encoding for texts that are in none of the format's encodings."""
        form = self.form
        source = in_encoding(form.source, encoding)
        layout = source.layouts[form.source.layouts.index(form.layout)]
        made = compile_format(source, layout, form.options, form.names)
        return OpenDataset(made, self.base, self.prefix, self.opened_for)

    @property
    def name(self) -> str:
        """The name of the format."""
        return self.form.name

    @property
    def opened(self) -> tuple[OpenDataset, ...]:
        """The datasets whose files are read: this one, or those of which it is made."""
        return (self,)

    def __len__(self) -> int:
        """Return how many items there are, including those with errors."""
        return len(self.entries)

    @property
    def entries(self) -> Sequence[Entry]:
        """The items of the index. Files that belong to no listed item are not included."""
        return self.index.listed

    def _known_splits(self) -> Splits:
        """The categories that the dataset, or the spec, lists."""
        sources = self.form.spec.categories
        if self.purpose.classes:
            with_ids = wanted_slots.names_category_by(self.form, "id")
            closed = with_ids or wanted_slots.names_category_by(self.form, "index")
            return Splits(Categories(from_names(self.purpose.classes, with_ids), closed))
        for source in sources:
            if isinstance(source, CategoryTable):
                listed = table_of(self.form.source, self.form.layout, source)
                known = Categories(listed, closed=not source.open)
                known.listed_in = (source.table,)
                return Splits(known)
            name = source.list if isinstance(source, CategoryList) else source
            listings = self._listed_in([name])
            if listings:
                is_list = isinstance(source, CategoryList)
                return self._matched(listings, not is_list, source.match if isinstance(source, CategoryList) else ())
            if name in self.form.roles and self.form.roles[name].span != "shared":
                return Splits(Categories(self._from_folders(name), closed=False))
        listings = self._listed_in(list(self.form.roles))
        if not listings:
            self.index.faults.extend(self._missing_list())
        return self._matched(listings, bool(listings) and not sources)

    def _missing_list(self) -> Iterator[Fault]:
        """Yield a fault if rows state only numbers of categories and no file lists the categories."""
        numbered = any(wanted_slots.names_category_by(self.form, slot) for slot in ("id", "index"))
        for name in self.form.spec.categories if numbered else ():
            role = self.form.roles.get(name) if isinstance(name, str) else None
            if role is None or role.span != "shared" or role.optional or role.captures or not len(self):
                continue
            path = role.spec.path
            if not self.tree.exists(path):
                message = "the file that names the classes is missing, and rows tell their numbers only"
                hint = f"{path}, or the names with --classes FILE, one a line"
                yield Fault("FILE_MISSING", path, (), role.place, message, hint)
                return

    def _matched(self, listings: Sequence[CategoryListing], closed: bool, match: tuple[str, ...] = ()) -> Splits:
        splits, faults = matched_splits(listings, closed, match, wanted_slots.names_category_by(self.form, "index"))
        self.index.faults.extend(faults)
        return splits

    def _from_folders(self, name: str) -> list[Category]:
        role = self.form.roles[name]
        if not role.folder:
            return []
        found = [role.template.match(folder) for folder in self.tree.folders()]
        names = sorted({str(one["category.name"]) for one in found if one and one["category.name"]})
        return [Category(name=one, index=index) for index, one in enumerate(names)]

    def _listed_in(self, names: Iterable[str]) -> list[CategoryListing]:
        found = []
        for name in names:
            role = self.form.roles.get(name)
            if role is None or role.codec is None or role.span != "shared" or not lists_categories(role):
                continue
            reader = role.reader(ReadContext(_only_categories, False))
            for file in self.index.shared:
                if file.role != name:
                    continue
                state = ItemState(dict(file.captures), _OPEN, self.purpose.origin)
                state.file = file.path
                reader(file.document, {}, state)
                self.index.faults.extend(counted_categories(role, file.document, state))
                self.index.faults.extend(_doubled(state))
                records = state.tables.get("category", ())
                places: list[Any] = [one.get("$id_at", one.get("$name_at", (state.file, ()))) for one in records]
                found.append(CategoryListing(file.path, file.captures, from_state(state), places))
        return found

    def readers(self, wanted: Wanted = everything, compares: bool = True) -> Readers:
        """Return the readers for a purpose; they are compiled once."""
        counts = self.purpose.kept and wanted is self.wanted
        areas = counts and self.purpose.areas
        key = (wanted, compares, counts, areas)
        if key not in self._readers:
            often = len(self) >= amounts().generate_from
            context = ReadContext(wanted, compares, often=often, counts=counts, areas=areas)
            roles = [role for role in self.form.documents if role.span != "shared"]
            self._readers[key] = Readers(
                {role.name: role.reader(context) for role in roles if role.codec is not None},
                {role.name: role.raster(context) for role in roles if role.kind == "pixels"},
                self._tables(wanted, context),
                self._lines(context),
                self._elements(context),
                frozenset(role.name for role in roles if wanted_slots.serves(role, wanted)),
            )
        return self._readers[key]

    def _tables(self, wanted: Wanted, context: ReadContext) -> dict[tuple[str, tuple[str, ...]], TableReaders]:
        """Return how the rows of shared files are read; fast where the purpose does not need the rows themselves."""
        as_indexed = wanted is everything and not context.counts
        asked = replace(context, compares=True) if as_indexed else context
        found = {}
        for name, tables in self.index.tables.items():
            role = self.form.roles[name]
            labels = any(one.startswith("category.") for one in role.captures)
            for table in tables:
                if not as_indexed or context.often:
                    table = replace(table, readers=tuple(asking(one, asked) for one in table.readers))
                first, alone = table.readers[0], len(table.readers) == 1 and not self.purpose.origin
                plain = plain_rows(first, context, amounts().generates) if alone else None
                elements = role.elements(context, first, table.path) if alone and table.kind == "item" else None
                found[name, table.path] = TableReaders(table, self._decode(table, context), labels, plain, elements)
        return found

    def _decode(self, table: Table, context: ReadContext) -> Decode | None:
        """Return how the rows of a table are decoded; None for whole, as where they are written back or checked."""
        if self.purpose.origin or context.compares or context.counts:
            return None
        first = table.readers[0]
        return rows_decoder(fields_of([reader.rule for reader in table.readers], first.scope, context))

    def _lines(self, context: ReadContext) -> dict[str, FastLines]:
        """Return the fast readers of texts of numbers by role, for purposes that do not need the lines themselves."""
        if self.purpose.origin:
            return {}
        return {
            role.name: lines
            for role in self.form.documents
            if role.span == "item" and role.codec is not None and role.schema is None
            and (lines := role.lines(context)) is not None
        }  # fmt: skip

    def _elements(self, context: ReadContext) -> dict[str, FastElements]:
        """Return the fast readers of objects that are XML elements, if nobody asks for the elements themselves."""
        roles = () if self.purpose.origin else self.form.documents
        found = ((role.name, role.elements(context)) for role in roles if role.span == "item")
        return {name: reader for name, reader in found if reader is not None}

    def read(self, entry: Entry) -> Assembled:
        """Read one item with all its faults, as far as the purpose asks for it."""
        readers = self.readers(self.wanted, self.purpose.checks)
        complete = self.index.complete
        return read_entry(self.form, readers, entry, self.index.rows, self.tree, self.splits, self.purpose, complete)

    def read_at(self, place: int) -> Assembled:
        """Read the item at a position among all items, from 0."""
        return self.read(self.entries[place])

    def assembled(self, start: int = 0, stop: int | None = None) -> Iterator[Assembled]:
        """Yield items with their faults in the order of their keys: all, or those of a shard."""
        readers = self.readers(self.wanted, self.purpose.checks)
        form, rows, tree, splits, purpose = self.form, self.index.rows, self.tree, self.splits, self.purpose
        for entry in self._ahead(self.entries[start:stop], readers, purpose):
            yield read_entry(form, readers, entry, rows, tree, splits, purpose, self.index.complete)

    def taken(self, places: Sequence[int]) -> Iterator[Assembled]:
        """Yield the items at some positions, with their faults; neighbours are read as `assembled` reads them."""
        if isinstance(places, range) and places.step == 1:
            return self.assembled(places.start, places.stop)
        return map(self.read_at, places)

    def _ahead(
        self, entries: Sequence[Entry], readers: Readers, purpose: Purpose, again: bool = False
    ) -> Iterator[Entry]:
        """Go over the entries while a remote tree fetches the files of later ones.

        Args:
            entries: The entries.
            readers: The readers of the purpose.
            purpose: What is read.
            again: False on the first pass over the items; True if the files are read a second time.
        """
        try:
            for place, entry in enumerate(entries):
                if self.tree.fetches:
                    self.tree.prefetch(_coming(entries, place, readers, purpose), again)
                yield entry
        finally:
            self.tree.prefetch(())

    @property
    def joins_files(self) -> bool:
        """Whether several datasets are read as this one, each with its own numbers."""
        return False

    def category_ids_lost(self, written: Callable[[Category], Any]) -> int:
        """Return how many categories lose a number that another category of this name has in their place."""
        return 0

    def open_categories(self) -> None:
        """Allow rows to add categories, by their numbers, that the table lacks."""
        self._change_categories(Categories.opened)

    def merge_categories(self) -> None:
        """Treat categories of one name as one: rows that mean any of them mean the first."""
        self._change_categories(Categories.merged_by_name)

    def name_categories(self, name: str) -> None:
        """Give this name to the categories whose name is empty."""
        self._change_categories(lambda categories: categories.all_named(name))

    def _change_categories(self, change: Callable[[Categories], Categories]) -> None:
        self.splits = self.splits.changed(change)
        self.known = self.splits.whole
        self._categories = None

    @cached_property
    def shared_files(self) -> frozenset[str]:
        """The files that describe many items."""
        return frozenset(file.path for file in self.index.shared)

    def __iter__(self) -> Iterator[Item]:
        """Yield the items in the order of their keys. Items with errors are left out and noted in `findings`."""
        for one in self.assembled():
            item = self.valid(one)
            if item is not None:
                yield item

    def valid(self, one: Assembled) -> Item | None:
        """Return an item without the objects that have an error; None if the item itself has one.

        What was found is added to `findings` when the item is read for the first time.
        """
        if one.item is None or not one.faults:
            return one.item
        findings = self.reporter.findings(one.faults, one.key)
        if one.key not in self._told:
            self._told.add(one.key)
            self.findings.extend(findings)
        decided = []
        for finding, fault in zip(findings, one.faults, strict=True):
            action, within = _LEAVES_OUT.decided(finding)
            decided.append(Decision(finding, action, fault.about, fault.slot, within))
        outcome = repaired(one.item, decided)
        return None if any(one.action == "error" for one in outcome.done) else outcome.item

    @property
    def categories(self) -> tuple[Category, ...]:
        """All categories: the format's table, then those of rows, for which items are read if there is no table."""
        return self.all_categories(map, ((0, len(self)),))

    def all_categories(self, spread: Spread, shards: Sequence[tuple[int, int]]) -> tuple[Category, ...]:
        """Return all categories. If items must be read for that, `spread` does so shard by shard."""
        if self._categories is None:
            self._categories = self._all_categories(spread, shards)
        return self._categories

    def named_categories(self, shard: tuple[int, int]) -> list[Category]:
        """Return the categories that some items name, without their source rows."""
        met: dict[Any, Category] = {}
        wanted_roles = wanted_slots.names_categories(self.form)
        readers = replace(self.readers(wanted_slots.categories_only, False), wanted_roles=wanted_roles)
        purpose = replace(self.purpose, origin=False, headers=False, checks=False)
        for entry in self._ahead(self.entries[slice(*shard)], readers, purpose, again=True):
            one = read_entry(self.form, readers, entry, self.index.rows, self.tree, self.splits, purpose)
            if one.item is not None:
                for category in used(one.item):
                    met.setdefault(identity(category), category)
        return [msgspec.structs.replace(category, origin=None) for category in met.values()]

    def _all_categories(self, spread: Spread, shards: Sequence[tuple[int, int]]) -> tuple[Category, ...]:
        if self.known.closed:
            return self.known.listed
        met: dict[Any, Category] = {}
        for category in itertools.chain.from_iterable(spread(self.named_categories, shards)):
            met.setdefault(identity(category), category)
        listed = self.known.listed
        known = {category.name for category in listed}
        others = [category for category in met.values() if category.name not in known or not category.name]
        if not listed:
            return tuple(sorted_open(met.values()))
        if others and self._table_is_of_other_data():
            return tuple(sorted_open(msgspec.structs.replace(category, index=None) for category in met.values()))
        named = {category.name: category for category in met.values()}
        as_named = ((named.get(one.name, one), one) for one in listed)
        return (
            *(one if own == one else msgspec.structs.replace(own, origin=one.origin) for own, one in as_named),
            *(msgspec.structs.replace(one, index=len(listed) + i) for i, one in enumerate(sorted_open(others))),
        )

    def _table_is_of_other_data(self) -> bool:
        """Return whether a table beside the spec lacks what rows name and so does not describe these data.

        If rows give only names, these make a list of their own; numbers and colours are always looked up in the table.
        """
        tables = [source for source in self.form.spec.categories if isinstance(source, CategoryTable)]
        if self.purpose.classes or not any(table.open for table in tables):
            return False
        slots = ("id", "index", "color")
        numbering = frozenset[str]().union(*(wanted_slots.roles_naming_category_by(self.form, slot) for slot in slots))
        return not any(numbering & entry.files.keys() for entry in self.entries)


def _coming(entries: Sequence[Entry], place: int, readers: Readers, purpose: Purpose) -> Iterator[str]:
    """Yield the files of the entries from a position on, for a tree that fetches files ahead."""
    for entry in entries[place : place + AHEAD]:
        yield from files_read(entry, readers, purpose)


class DatasetChangedError(RuntimeError):
    """A dataset has changed since it was opened."""


def _opened_again(
    form: Format, tree: Tree, prefix: str, opened_for: Purpose, purpose: Purpose, wanted: Wanted, items: int,
    allowed: Limits,
) -> OpenDataset:  # fmt: skip
    """Open a dataset in another process as it was opened here, with the same limits.

    Raises:
        DatasetChangedError: The dataset has more or fewer items than `items`.
    """
    set_limits(allowed)
    dataset = OpenDataset(form, tree, prefix, opened_for)
    dataset.purpose, dataset.wanted = purpose, wanted
    if len(dataset) != items:
        raise DatasetChangedError(
            f"{tree.root} holds {len(dataset)} items where {items} were counted: is it the same data?"
        )
    return dataset


def used(item: Item) -> Iterator[Category]:
    """Yield the categories that an item names."""
    things: tuple[Any, ...] = (*item.objects, *item.labels, *item.areas)
    for thing in things:
        if thing.category is not None:
            yield thing.category


def lists_categories(role: Role) -> bool:
    """Return whether a shared role holds a table, or a column, of categories."""
    return any(_only_categories(meaning, scope) for meaning, scope, _ in role.meanings)


def _only_categories(meaning: Any, scope: Any) -> bool:
    return bool(scope.kind == "category" or (meaning.where == "column" and meaning.table == "categories"))


def _doubled(state: ItemState) -> list[Fault]:
    """Return faults for names that occur twice in a table of categories, and for empty names."""
    seen: dict[Any, int] = {}
    faults: list[Fault] = []
    for position, record in enumerate(state.tables.get("category", ())):
        name = record.get("name")
        place: Any = record.get("$name_at", record.get("$id_at", (state.file, ())))
        file, path = place
        if not name and "name" in record:
            message = "the name of the class is empty"
            faults.append(Fault("FIELD", file, path, None, message, "a name", name, case="name", scope="document"))
        if not name:
            continue
        if name in seen and record.get("parent") == state.tables["category"][seen[name]].get("parent"):
            message = f"the category {name!r} stands twice"
            faults.append(Fault("DUPLICATE", file, path, None, message, got=name, case="category"))
        seen.setdefault(name, position)
    return faults


_OPEN = Categories((), closed=False)
