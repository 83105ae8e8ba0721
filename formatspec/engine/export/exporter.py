"""Writes items: the files of each role in turn; rows of shared files are gathered, and these files are written last."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import Any

from formatspec.engine.conservation.rows import row_counter
from formatspec.engine.conservation.tally import Tally
from formatspec.engine.evaluate.write_context import WriteContext, WriteSetting
from formatspec.engine.export import shared_tables as asked
from formatspec.engine.export.adaptation.adapt import RENUMBERED, Adapter, TargetCategories
from formatspec.engine.export.adaptation.name_items import NoPlaceError
from formatspec.engine.export.errors import CannotWriteError, CollisionError, encoded
from formatspec.engine.export.gather_rows import Gathered, Shared, SharedFiles, gather_values, note_frame, write_late
from formatspec.engine.export.item_views import (
    ItemPaths,
    as_seen,
    category_names,
    names_of,
    of_one_subset,
    own_path,
    parts_by_category,
    path_from,
    paths_as_read,
)
from formatspec.engine.export.lost.count_records import count_item, tables_of
from formatspec.engine.export.lost.kept_records import note_kept_fields
from formatspec.engine.export.lost.losses import Losses
from formatspec.engine.export.lost.lost_records import Unwritten
from formatspec.engine.export.lost.unlisted_items import UnlistedItems, leave_out, without_unwritten
from formatspec.engine.export.memberships import in_several_lists, memberships
from formatspec.engine.export.record_files import RecordFiles
from formatspec.engine.export.render_path import Spelled, as_rendered, is_of, rendered
from formatspec.engine.export.shard_output import ShardOutput
from formatspec.engine.export.shared_tables import counts_on, spooled_tables, told_twice, without_records
from formatspec.engine.export.spool_rows import RowSpool
from formatspec.engine.index.row_ownership import SharedFile
from formatspec.engine.label_images.writer import has_pixels
from formatspec.engine.resolve.row_counters import ALL_OBJECTS, Absolute, Relative
from formatspec.engine.spec.compiled import IMAGE, Format, Role
from formatspec.engine.spec.names_join import extension_told
from formatspec.engine.spec.shared_values import value_slots
from formatspec.engine.write.generate_lines import text_writer
from formatspec.engine.write.print_leaf import NO_SOURCE, LackingError
from formatspec.model.records import Item

Write = Callable[[str, bytes], None]
ITEMS = "items not written"


class Exporter:
    """Writes items in a format. `write(path, data)` puts a file below the output's root."""

    def __init__(
        self,
        target: Format,
        categories: TargetCategories,
        adapter: Adapter,
        losses: Losses,
        write: Write,
        sources: Mapping[tuple[str, str], SharedFile],
        as_read: TargetCategories | None,
        spelled: Spelled = as_rendered,
    ) -> None:
        """Prepare the writers of all the target's files.

        Args:
            target: The layout that is written.
            categories: The target's categories.
            adapter: Makes items of the target from items of the source.
            losses: Counts what the target cannot hold.
            write: Puts a file below the output's root.
            sources: The shared files of the source, by role and path, whose keys and order are kept in the same format.
            as_read: The source's categories, which show whether a value has changed; None if the source has another
                format.
            spelled: How a path of the target is spelled in the file system.
        """
        self.spelled = spelled
        self.target = target
        self.categories = categories
        self.adapter = adapter
        self.losses = losses
        self.write = write
        self.sources = sources
        self.as_read = as_read
        self.same = adapter.same
        self.unions = tuple(file for file in sources.values() if file.union)
        self.subset_of = asked.subsets_of(sources.values(), adapter.naming.subset) if adapter.same else {}
        self.read_from = asked.renamed_files(target, sources, self.subset_of, spelled)
        self.over_files, self.by_category = asked.files_over_items(target), asked.files_of_categories(target)
        self.tally = Tally()
        self.are_read = False
        self.subsets: tuple[set[str], set[str]] = (set(), set())
        self.met: set[str] = set()
        self.used: set[str] = set()
        self.stuff: set[str] = set()
        self.things: set[str] = set()
        self.files = 0
        self.named: dict[str, str] = {}
        self.by_extension = extension_told(target) is not None
        self.unwritten = Unwritten(target, self.same)
        own = [role for role in target.documents if role.span != "shared"]
        self.record_files = RecordFiles(spelled, "objects" in self.unwritten.listed, bool(adapter.renamed))
        self.beside_copies = Unwritten(target, self.same, tables_of(own))
        self.roles = [role for role in target.roles.values() if role.name != IMAGE or role.kind is not None]
        if not self.same and target.numbered_by_rows:
            self.roles.sort(key=lambda role: role.kind == "pixels")
        self.own_roles = [role for role in self.roles if role.span == "item" and role.kind is not None]
        self.record_roles = [role for role in self.roles if role.span == "record"]
        self.writers = {
            role.name: role.painter() if role.kind == "pixels" else role.writer()
            for role in self.roles
            if role.kind is not None and role.span != "shared"
        }
        self.texts = {
            role.name: text
            for role in self.own_roles
            if role.codec is not None
            if (text := text_writer(role.codec.rule, role.codec.shape, role.scope)) is not None
        }
        self.counters = {
            role.name: count
            for role in self.own_roles
            if role.codec is not None and (count := row_counter(role.codec.rule)) is not None
        }
        self.spooled = {
            role.name: spooled_tables(role) for role in self.roles if role.span == "shared" and role.codec is not None
        }
        self.unlisted = UnlistedItems(target, self.spooled)
        self.shared_roles = [role for role in self.roles if role.name in self.spooled]
        if not self.same:
            self.spooled = self.unlisted.tables
            self.shared_roles.sort(key=lambda role: role.name in self.unlisted.refers)
        self.values = {name: value_slots(target.roles[name]) for name in self.spooled}
        self.frames = {name: spell for name in self.spooled if (spell := asked.frame_writer(target.roles[name]))}
        self.renumbers = losses.renumbered = adapter.renumbered
        made = adapter.naming.made
        alike = {} if self.same or self.by_category else asked.written_alike(target, made)
        self.shared = SharedFiles(target, self.spooled, spelled, self._shared_setting, made, alike)
        listed = (role for role in self.shared_roles if not role.kept)
        self.lists = [
            (of_category, tuple(roles))
            for of_category, roles in groupby(listed, lambda role: role.name in self.by_category)
        ]
        self.told_twice = told_twice(target, self.spooled)
        self.objects = 0
        self.numbering = Absolute() if counts_on(target) else Relative()
        self.spool = RowSpool(target, self.numbering)
        self.told: set[str] = set()
        self.brings = self.stands = True
        self.counts_objects = not self.same and asked.counts_objects(target)
        self.apart = asked.holds_apart(target)
        self.unheld = frozenset() if self.same else asked.unheld_lines(target)
        self.boxed = not self.same and asked.holds_boxes_only(target)
        self.drawn = not self.same and asked.draws_outlines(target)
        self.beside_pictures = not self.same and target.told_beside_pictures
        self.in_documents = not self.same and target.numbered_by_rows
        self.tells_stuff = not self.same and "countable" in losses.category_slots
        self.areas_as_objects = "areas" not in losses.tables and "objects" in losses.tables

    def item(self, item: Item, index: int, whole: bool = True, kept: Sequence[tuple[str, str]] = ()) -> Item:
        """Write one item and return it as the target names it. Raises CannotWriteError before anything is written.

        whole: whether to write the item's own files too, not only its rows in shared files. kept: what its own rows
        keep that no other format has a place for, with the unit in which it is counted.
        """
        self.are_read = self.are_read or item.origin is not None
        try:
            taken, made, left_out = self.adapter.taken(item, self.areas_as_objects)
            noted = self.adapter.notes.get(RENUMBERED, 0)
            own = self.adapter.item(taken, index)
        except NoPlaceError as error:
            raise CannotWriteError(str(error)) from None
        if own.id is None and item.id is not None:
            self.losses.image_id(item, "image ids renumbered" if "id" in self.losses.item_slots else "image ids")
        naming = self.adapter.naming
        place = naming.key(own.captures) if naming.keys_tell_extensions and not self.same else own.key
        if self.by_extension and own.image is not None and own.image.path:
            place = own.image.path
        other = self.named.get(place)
        if other is not None:
            raise CollisionError(
                f"{self.target.name} would name both {other!r} and {item.key!r} {own.key!r}: rename one of them, "
                "or leave the later out with --skip-invalid"
            )
        if self.told_twice:
            things = enumerate(own.objects, self.objects)
            self.spool.numbers = {id(thing): self.numbering.of(None, ALL_OBJECTS, place) for place, thing in things}
        self.objects += len(own.objects)
        setting = WriteSetting(own.captures, self.categories, dict(self.target.options))
        setting.index = index
        setting.apart, setting.unheld, setting.boxed = self.apart, self.unheld, self.boxed
        setting.drawn = self.drawn
        setting.in_documents = whole and self.in_documents
        if made:
            setting.beneath = frozenset(map(id, own.objects[:made]))
        stated, union = asked.stated_slots(own)
        if self.areas_as_objects and self.tells_stuff:
            self.stuff.update(names_of(taken.objects[:made]))
            self.things.update(names_of(taken.objects[made:]))
        counted = own
        if self.counts_objects and own.objects:
            counted = without_unwritten(own, setting, partial(self._try, stated=union))
        context = self._context(setting, counted)
        files: list[tuple[str, bytes]] = []
        for role in self.own_roles if whole else ():
            if self._makes(role):
                files.extend(self._item_file(role, own, context))
        self.told.clear()
        told = counted
        if self.beside_pictures:
            told, twins = as_seen(own, setting)
            self.spool.numbers.update(
                (id(shown), self.spool.numbers[id(one)]) for one, shown in twins if id(one) in self.spool.numbers
            )
            self._shared_rows(told, setting, asked.stated_slots(told)[1])
            for thing, shown in twins:
                setting.held[id(thing)] = setting.held.get(id(thing), 0) | setting.held.get(id(shown), 0)
                setting.refused += [(id(thing), n) for mark, n in setting.refused if mark == id(shown) != id(thing)]
        else:
            self._shared_rows(told, setting, union)
        for role in self.record_roles if whole else ():
            if self._makes(role):
                files.extend(self.record_files.of(role, self.writers[role.name], own, context))
        self.named[item.key if place == item.key else place] = item.key
        for path, data in files:
            self._put(path, data)
        self._in_subsets(own)
        self.met.update(item.subsets)
        if self.losses.may_lack_categories:
            self.used.update(category_names(item))
        if "objects" in self.renumbers and noted == self.adapter.notes.get(RENUMBERED, 0):
            self.adapter.note(RENUMBERED, len([1 for one in taken.objects[made:] if one.id is not None]))
        if not self.same:
            note_kept_fields(item, kept, self.losses, self.tally)
        held = setting.held
        written = [held.get(id(thing), 0) for thing in own.objects]
        lost = left_out
        unwritten = self.unwritten if whole else self.beside_copies
        if left_out or made or not unwritten.all_stand(own, setting, written):
            lost = [*left_out, *unwritten.of(own, setting, made)]
            count_item(self.tally, item, own, setting, unwritten, lost, made)
        else:
            self.tally.count("objects", item.key, len(item.objects), len(written), 0)
        known = bool(lost) and any(what.startswith(ITEMS) for what, _ in lost)
        lost += self.unlisted.untold(own, self.told, not self.brings and not files and not known)
        for what, unit in lost:
            self.losses.note(what, unit)
        by_image = self.brings and not self.unlisted.sources
        self.stands = bool(files or self.told or by_image) or not any(what.startswith(ITEMS) for what, _ in lost)
        refused = [(id(own) if mark == id(told) else mark, n) for mark, n in setting.refused]
        self.losses.item(own, stated, written, refused)
        return own

    def without_images(self) -> None:
        """Count as lost what only the path of an image would tell, since no image is brought."""
        self.brings = self.same or IMAGE not in self.target.roles
        if not self.brings and any(name.startswith("label.") for name in self.target.roles[IMAGE].captures):
            self.unwritten.first.discard("labels")

    def _try(self, own: Item, setting: WriteSetting, stated: int) -> None:
        """Write an item's documents, and forget all but what `setting` notes; its objects state these slots."""
        before = self.shared, self.tally, self.told, self.losses
        self.shared, self.tally, self.told, self.losses = self.shared.apart(), Tally(), set(), self.losses.apart()
        try:
            for role in self.own_roles:
                if role.codec is not None and self._makes(role):
                    self._document(role, self._context(setting, own), NO_SOURCE)
            self._shared_rows(own, setting, stated)
        finally:
            self.shared, self.tally, self.told, self.losses = before

    def _makes(self, role: Role) -> bool:
        """Whether files of a role are written: those that are only kept, if the items come from this very format."""
        return not role.kept or (self.same and (bool(self.sources) or self.are_read))

    def _in_subsets(self, item: Item) -> None:
        """Note an item's subsets, as they are and as they were read; only its folder's where folders have subsets."""
        now, then = self.subsets
        put = item.captures.get("subset")
        alone = not item.subsets or (not self.same and "subset" in self.target.key_names)
        now.update(((put,) if isinstance(put, str) else ()) if alone else item.subsets)
        if item.origin is not None and item.origin.as_read is not None:
            then.update(item.origin.as_read.subsets)

    def _put(self, path: str, data: bytes) -> None:
        self.write(path, data)
        self.files += 1

    def _context(self, setting: WriteSetting, item: Item) -> WriteContext:
        if not setting.paths:
            setting.paths = ItemPaths(self.target.roles, item)
        context = WriteContext(setting, item, item)
        if self.same and item.origin is not None and item.origin.as_read is not None:
            stated = item.origin.as_read.captures
            paths = {role.name: path_from(role, item) for role in self.target.roles.values()}
            names = {**setting.captures, **stated} if stated != item.captures else setting.captures
            before = WriteSetting(names, self.as_read or self.categories, setting.options)
            before.paths = {**paths, **(read := paths_as_read(self.target, item, item.origin.as_read))}
            paths.update((name, path) for name, path in read.items() if own_path(self.target.roles[name], item))
            setting.paths = paths
            before.apart, before.unheld = setting.apart, setting.unheld
            before.index = setting.index
            context.as_read = WriteContext(before, item.origin.as_read, item.origin.as_read)
        return context

    def _item_file(self, role: Role, item: Item, context: WriteContext) -> Iterator[tuple[str, bytes]]:
        """Yield an item's file of a role, unless the role is optional and nothing of the item would stand in it."""
        origin = item.origin if context.as_read is not None else None
        was_there = origin is not None and (role.name in origin.documents or role.name in origin.rasters)
        if role.optional and not was_there and (origin is not None or (role.kind == "pixels" and not has_pixels(item))):
            return
        path = (self.same and own_path(role, item)) or self.spelled(rendered(role, item.captures))
        context.setting.folder = path.rpartition("/")[0]
        if context.as_read is not None:
            context.as_read.setting.folder = context.setting.folder
        if role.kind == "pixels":
            painter: Any = self.writers[role.name]
            if role.optional and not was_there:
                data = painter.encode_shown(context)
            else:
                data = painter.encode(context, origin.rasters.get(role.name) if origin is not None else None)
            if data is not None:
                yield path, data
            return
        assert role.codec is not None
        claims = context.setting.claims
        text = self.texts.get(role.name) if context.as_read is None else None
        if text is not None:
            document, encode = text(context), role.codec.encode_lines
        else:
            source = origin.documents.get(role.name, NO_SOURCE) if origin is not None else NO_SOURCE
            document, encode = self._document(role, context, source), role.codec.encode
            self.losses.blocks(document, role.codec.shape)
        if role.optional and not was_there and not document:
            return
        count = self.counters.get(role.name)
        rows = len(document) if text is not None else count(document) if count is not None else 0
        self.tally.compare(f"rows of {path}", item.key, context.setting.claims - claims, rows)
        assert encode is not None
        yield path, encoded(encode, document, path, self.losses.note)

    def _document(self, role: Role, context: WriteContext, source: Any) -> Any:
        writer: Any = self.writers[role.name]
        try:
            return writer(context, source)
        except LackingError as lacking:
            raise CannotWriteError(f"{role.name} needs {lacking}") from None

    def _shared_rows(self, item: Item, setting: WriteSetting, stated: int) -> None:
        """Put the rows of an item into all shared files that list it; its objects state these slots, as bits."""
        if self.same:
            for role in self.shared_roles:
                if self._makes(role):
                    self._rows(role, item, setting, stated)
            return
        empty = without_records(item)
        for of_category, roles in self.lists:
            for role in roles if of_category else ():
                self._rows(role, item, setting, stated)
            for shared, tables in () if of_category else self.shared.listing(roles, item, empty, stated):
                self._rows_of(shared, tables, item, setting)

    def _rows(self, role: Role, item: Item, setting: WriteSetting, stated: int) -> None:
        parts: Iterable[tuple[Item, dict[str, Any]]] = ((item, {}),)
        if role.name in self.by_category:
            parts = parts_by_category(item, setting, any(one.kind == "object" for one in self.spooled[role.name]))
        for part, own in parts:
            for names in self._memberships(role, item):
                several = not own and self.same and in_several_lists(item, names)
                told = of_one_subset(item, names["subset"], self.subset_of) if several else part
                shared = self.shared.of(role, {**names, **own})
                tables = shared.tables if self.same else shared.having(without_records(told), stated)
                self._rows_of(shared, tables, told, setting)

    def _memberships(self, role: Role, item: Item) -> list[Mapping[str, Any]]:
        """Return the captures of each shared file of a role that lists an item."""
        if not is_of(role, item.captures, self.adapter.naming.made):
            return []
        return memberships(role, item, self.target, self.same, self.unions)

    def _rows_of(
        self, shared: Shared, tables: Sequence[Gathered], item: Item, item_setting: WriteSetting
    ) -> None:  # fmt: skip
        """Put the rows of an item into those tables of a shared file in which it may have some."""
        part, role, context = shared.part, shared.role, None
        number = part.counts.get("items", 0)
        lost, before = item_setting.lost, len(item_setting.lost)
        for gathered in tables:
            table, leader = gathered.table, gathered.leader
            if table.kind != "item" and not self.same and self.unlisted.lacks(role.name, lost, before, self.told):
                leave_out(table, item, lost)
                continue
            if leader is not None and leader.latest:
                part.counts["items"], rows = number + 1, 1
            else:
                context = context or self._row_context(shared, item, item_setting, number)
                rows = self.spool.rows(gathered, shared, item, context)
            gathered.latest = rows
            if rows:
                self.told.add(role.name)
                gathered.given += rows
        if self.values[role.name]:
            gather_values(self.values[role.name], item, part.values, self.losses)
        if role.name in self.frames:
            note_frame(self.frames[role.name], item, shared)
        part.items += 1
        part.objects += len(item.objects)

    def _shared_setting(self, names: dict[str, Any]) -> WriteSetting:
        """Return what is the same for all rows of a shared file with some names in its path."""
        setting = WriteSetting(names, self.categories, dict(self.target.options))
        setting.renumbered = self.renumbers
        return setting

    def _row_context(self, shared: Shared, item: Item, item_setting: WriteSetting, number: int) -> WriteContext:
        """Return the context in which an item's rows of a shared file are written; `number` items come before it."""
        key = (shared.part.role, shared.part.path)
        setting = WriteSetting(item.captures, self.categories, shared.setting.options)
        setting.folder = shared.setting.folder
        setting.file = self.read_from.get(key, shared.part.path)
        setting.index = item_setting.index
        if shared.role.name not in self.over_files:
            setting.index = self.numbering.of(key, "items", number)
        setting.held, setting.refused, setting.paths = item_setting.held, item_setting.refused, item_setting.paths
        setting.lost = item_setting.lost
        setting.renumbered = self.renumbers
        setting.apart, setting.unheld, setting.boxed = self.apart, self.unheld, self.boxed
        setting.drawn, setting.in_lists = self.drawn, self.same and in_several_lists(item, shared.part.captures)
        return self._context(setting, item)

    def take(self) -> ShardOutput:
        """Return what was written since the last call, except the items' own files."""
        for what, count in self.adapter.notes.items():
            self.losses.note(what, "objects", count)
        self.adapter.notes.clear()
        parts = self.shared.take()
        for file, shared in parts.items():
            for gathered in shared.tables:
                if gathered.given:
                    self.tally.give(f"{file[1]} {gathered.table.key}", gathered.table.kind, gathered.given)
            source = self.sources.get(file) if self.same else None
            write_late(source, shared, self.losses, self.tally)
            shared.note_groups()
        part = ShardOutput(
            shared=[shared.part for shared in parts.values()],
            losses=[(what, unit, count) for (what, unit), count in self.losses.counts.items()],
            subsets=(sorted(self.subsets[0]), sorted(self.subsets[1])),
            named=self.named,
            objects=self.objects,
            files=self.files,
            are_read=self.are_read,
            tally=self.tally,
            met=sorted(self.met),
            used=sorted(self.used),
            stuff=sorted(self.stuff),
            things=sorted(self.things),
        )
        for file, shared in parts.items():
            self.numbering.pass_by(file, shared.part.counts)
        self.numbering.pass_by(None, {ALL_OBJECTS: self.objects})
        self.losses.clear()
        self.tally = Tally()
        self.subsets, self.named, self.files, self.objects = (set(), set()), {}, 0, 0
        self.met, self.used, self.stuff, self.things = set(), set(), set(), set()
        return part
