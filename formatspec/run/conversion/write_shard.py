"""Items of a dataset written in another format, one shard after another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import msgspec

from formatspec.engine.base.kept_fields import kept_of_item
from formatspec.engine.dataset.checks import Checker, Judgement
from formatspec.engine.dataset.dataset import OpenDataset
from formatspec.engine.dataset.item.read_item import Assembled, subsets_of
from formatspec.engine.dataset.report import Noted, refuse_crowded
from formatspec.engine.export.adaptation.adapt import Adapter, TargetCategories, alike, target_categories
from formatspec.engine.export.adaptation.judge_target import TargetJudge
from formatspec.engine.export.errors import CannotWriteError
from formatspec.engine.export.exporter import Exporter
from formatspec.engine.export.join_shards import Finisher
from formatspec.engine.export.lost.losses import Losses
from formatspec.engine.export.render_path import Spelled, as_in, as_rendered
from formatspec.engine.export.shard_output import ShardOutput
from formatspec.engine.export.shared_tables import counts_on, knows_all
from formatspec.engine.resolve.held_slots import UNREAD
from formatspec.engine.resolve.questions.tables import states_numbers
from formatspec.engine.spec import wanted_slots
from formatspec.engine.spec.compiled import IMAGE, Format
from formatspec.engine.splits.id_scopes import IDS
from formatspec.findings.finding import Finding
from formatspec.model import derive
from formatspec.model.limits import TooLargeError
from formatspec.model.records import Category, Item
from formatspec.policy.repair import Decision, repaired
from formatspec.run.classless import GivenClass, class_of
from formatspec.run.conversion.bring_media import MediaFiles
from formatspec.run.conversion.plan import Plan
from formatspec.run.output.staging import Staging
from formatspec.run.pools.shards import Shard, shards_of
from formatspec.run.select import Coverage, ItemCondition, Labels, categories_taken
from formatspec.run.treat import in_target, named, treat
from formatspec.run.validate import too_large

Chosen = tuple[int, Item, Mapping[str, list[str]] | None, Sequence[tuple[str, str]]]


class Conversion:
    """Writes the items of a dataset in another format, shard by shard."""

    def __init__(
        self, source: OpenDataset, form: Format, listed: tuple[Category, ...], staging: Staging, plan: Plan
    ) -> None:
        """Prepare a conversion, so that writing a shard reads the specs no more.

        Args:
            source: The dataset that is read.
            form: The target's layout, with its options settled.
            listed: The categories that the target lists.
            staging: The output.
            plan: What the user asked for.
        """
        self.source = source
        self.form = form
        self.staging = staging
        self.plan = plan
        self.settled = listed
        self.labels = Labels(plan.labels) if plan.labels is not None else None
        names = (entry.names for entry in source.entries)
        meet, adds = numbers_meet(source, form, plan), areas_join_objects(source, form)
        self.adapter = Adapter(source.form, form, names, plan.subsets, meet, adds)
        taken = listed if plan.select is None else categories_taken(plan.select, listed)
        self.listed = self.labels.categories(taken) if self.labels is not None else taken
        named = None if self.adapter.same else class_of(source.form, plan.default_class)
        self.classes = None if named is None else GivenClass(named, self.listed)
        if self.classes is not None:
            self.listed = self.classes.categories(self.listed)
        self.categories = target_categories(
            form, self.listed, self.adapter.same and self.labels is None and taken == listed, source.splits.apart
        )
        self.adapter.naming.categories = self.categories
        self.adapter.naming.subsets_of_source = self._subsets_of_source
        self.as_read = TargetCategories(listed, False, as_read=source.splits.apart)
        self.shared = {(file.role, file.path): file for file in source.index.shared}

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the arguments; a worker prepares the conversion anew."""
        return Conversion, (self.source, self.form, self.settled, self.staging, self.plan)

    def _subsets_of_source(self) -> set[str]:
        """The subsets of all items of the source, as their paths and lists give them."""
        return {subset for entry in self.source.entries for subset in subsets_of(self.source.form, entry)}

    def shards(self) -> list[Shard]:
        """Return the shards of the items that are read; a single one if rows of shared files depend on all others."""
        items = self.plan.count_of(len(self.source))
        return [(0, items)] if knows_all(self.form) else shards_of(items)

    @cached_property
    def in_turn(self) -> bool:
        """Return whether shards are written one after another, because rows count on from the last shard."""
        return counts_on(self.form)

    @cached_property
    def unchanged(self) -> bool:
        """Return whether items go unchanged to their own format, so that their files are copied."""
        return self.adapter.same and self.plan.leaves_items and not self.source.splits.several

    @cached_property
    def exporter(self) -> Exporter:
        """The writer of items, compiled once for all shards of a process."""
        losses = Losses(self.form, self.categories, self.adapter.same)
        losses.numbered = self.adapter.numbered
        made = Exporter(
            self.form,
            self.categories,
            self.adapter,
            losses,
            self.staging.write,
            self.shared,
            self.as_read,
            self.spelled,
        )
        if self.plan.media == "none":
            made.without_images()
        if self.plan.policy.fixes("GEOMETRY"):
            made.unheld = frozenset()  # boxes around lines and points replace them
        return made

    def number_of(self, category: Category) -> Any:
        """Return the number by which the output knows a category of the source; None if it has none."""
        own = self.categories.own(category)
        return None if own is None or "id" not in self.exporter.losses.category_slots else own.id

    @property
    def spelled(self) -> Spelled:
        """How paths are spelled: as in the source, if it has the same format."""
        return as_in(self.source.tree) if self.adapter.same else as_rendered

    def run(self, shard: Shard) -> Written:
        """Write the items of a shard."""
        exporter = self.exporter
        media = MediaFiles(self.source, self.form, self.staging, self.plan.media, exporter.losses)
        made = Written()
        copied = self.staging.linked_by_copy
        source_outlines = self.source.wanted is wanted_slots.boxes_only
        for index, item, files, kept in self._items(shard, made):
            try:
                own = exporter.item(item, index, files is None, kept)
            except CannotWriteError as error:
                refused = Finding(code=error.code, level="error", item=item.key, message=str(error), scope="item",
                                  file=item.image.path if item.image else None)  # fmt: skip
                refused = msgspec.structs.replace(refused, action=self.plan.policy.action(refused))
                if refused.action != "error":
                    made.leave_out(item)
                made.refused.append(refused)
                continue
            except (TooLargeError, MemoryError) as error:
                made.refused.append(too_large(error, item))
                continue
            if self.classes is None:
                made.classless += len([1 for thing in item.objects if thing.category is None])
            if source_outlines:
                made.outlines += len([1 for thing in item.objects if thing.polygons is UNREAD])
            if self.may_be_boxes:
                made.boxed += sum(thing.bbox is not None or derive.bbox(thing) is not None for thing in own.objects)
                made.objects += len(own.objects)
            media.bring(item, own)
            if files is not None:
                media.keep(path for role, paths in files.items() if role != IMAGE for path in paths)
            _forget(item)
            made.items += exporter.stands
        self.staging.flush()
        if self.labels is not None:
            made.categories = self.labels.met
            made.coverage = self.labels.take_coverage()
        made.part = exporter.take()
        made.media = media.files
        made.copied = self.staging.linked_by_copy - copied
        return made

    def _items(self, shard: Shard, made: Written) -> Iterator[Chosen]:
        """Yield the items of a shard that are written.

        Each comes with its position in the dataset, its files that are kept, by role, and the fields that its rows
        keep.
        """
        source, select = self.source, self.plan.select
        places = range(*shard) if self.plan.places is None else self.plan.places[slice(*shard)]
        for index, one in zip(places, source.taken(places), strict=True):
            if source.index.unclaimed:
                made.claimed.update(path for paths in one.files.values() for path in paths)
            item, changed = one.item, False
            if item is not None and source.purpose.kept:
                self.exporter.tally.compare("kept fields", one.key, one.state.kept, kept_by_objects(item))
            judged = list(self.checker.item(one, False)) if self.checker.shallow or one.deferred else []
            if item is not None and (one.faults or judged):
                item, changed = self._treated(one, item, made, judged)
                if item is not None and changed and self.unchanged and not self._can_be_rewritten:
                    item = self._read_whole(index, made)
            if item is not None and not self.unchanged and self.judge.is_stricter:
                item = self._judged(item, made, bool(one.faults))
            if item is None:
                continue
            keeps = self.unchanged and not changed
            chosen: Item | None = item
            if select is not None:
                chosen = select.at(item, index) if isinstance(select, ItemCondition) else select(item)
            if chosen is not None:
                if self.labels is not None:
                    before = self.labels.joined
                    chosen = self.labels.item(chosen)
                    made.joined += self.labels.joined - before
                if self.classes is not None and any(thing.category is None for thing in chosen.objects):
                    made.classed += sum(1 for thing in chosen.objects if thing.category is None)
                    chosen = self.classes.item(chosen)
                yield index, chosen, one.files if keeps else None, kept_of_item(one.state.item)

    def _treated(
        self, one: Assembled, item: Item, made: Written, judged: Sequence[Judgement] = ()
    ) -> tuple[Item | None, bool]:
        """Do what the policy says about an item's findings.

        Returns:
            The item, or None if it is not written; and whether it differs from what its source states.
        """
        source, policy = self.source, self.plan.policy
        try:
            refuse_crowded(one.faults)
        except TooLargeError as error:
            made.refused.append(too_large(error, item))
            return None, False
        noted = source.reporter.noted(one.faults, one.key, source.shared_files)
        decided = treat(policy, [(finding, fault) for (finding, _), fault in zip(noted, one.faults, strict=True)])
        if self.classes is None:  # no class is given to objects without one
            decided = [
                done._replace(action="error") if done.action == "fix" and done.finding.case == "name"
                and done.finding.code == "FIELD" else done
                for done in decided
            ]  # fmt: skip
        for found in judged:
            action, within = policy.decided(found.finding)
            decided.append(Decision(found.finding, action, found.about, "", within))
        outcome = repaired(item, decided)
        places = [*(place for _, place in noted), *(found.at for found in judged)]
        made.found += [(named(done), place) for done, place in zip(outcome.done, places, strict=True)]
        stops = any(done.action == "error" for done in outcome.done)
        if outcome.item is None and not stops:
            made.leave_out(item)
        changed = outcome.item is not item or any(done.action in ("drop", "fix", "clip") for done in outcome.done)
        if outcome.item is None or stops:
            return None, changed
        if (self.judge.is_stricter and not self.unchanged) or not any(done.slot for done in outcome.done):
            return outcome.item, changed
        fitted = self._judged(outcome.item, made)
        return fitted, changed or fitted is not item

    def _judged(self, item: Item, made: Written, stated: bool = True) -> Item | None:
        """Return an item changed so that the target holds it without errors; None if it is not written."""
        judged = in_target(self.plan.policy, self.judge, item, stated)
        made.found += [(named(done), None) for done in judged.done]
        if judged.item is None:
            made.leave_out(item)
        return None if any(done.action == "error" for done in judged.done) else judged.item

    def _read_whole(self, index: int, made: Written) -> Item | None:
        """Return an item, with its pixels, whose files must be written anew although they were to be copied.

        If it cannot be written, `made` takes the findings that say why.
        """
        source, again = self._rewritten_from, Written()
        one = source.read(source.entries[index])
        item = None if one.item is None else self._treated(one, one.item, again)[0]
        if item is None:
            made.found += [(found, at) for found, at in again.found if found.action in ("drop-item", "error")]
            made.left_out += again.left_out
            made.with_objects += again.with_objects
        return item

    @cached_property
    def may_be_boxes(self) -> tuple[str, ...]:
        """Return the options, in the form of `-O`, that would make the target write boxes instead.

        They are options that the user did not state and whose default was chosen because objects have no boxes.
        """
        if self.adapter.same:
            return ()
        options = self.form.spec.options
        return tuple(
            f"{name}={option.follows['bbox']}"
            for name, option in options.items()
            if "bbox" in option.follows
            and self.plan.options.get(name) is None
            and self.form.options.get(name) != option.follows["bbox"]
        )

    @property
    def _can_be_rewritten(self) -> bool:
        """Return whether items are read so that files that were to be copied can be written anew."""
        return self.source.purpose.pixels and self.form.options == self.source.form.options

    @cached_property
    def _rewritten_from(self) -> OpenDataset:
        """The source, opened for writing files anew: with its pixels, and with the target's options."""
        source = self.source
        purpose = msgspec.structs.replace(source.purpose, pixels=True)
        return OpenDataset(self.form, source.base, source.prefix, purpose)

    @cached_property
    def checker(self) -> Checker:
        """The checks that the source's spec defines."""
        return Checker(self.source.form, self.source.prefix)

    @cached_property
    def judge(self) -> TargetJudge:
        """The check of what the target's validation would report about objects."""
        return TargetJudge(self.form, self.exporter.unheld)

    def finisher(self, losses: Losses) -> Finisher:
        """Return what joins the parts of shared files."""
        return Finisher(
            self.form,
            self.categories,
            losses,
            self.adapter.same,
            self.shared,
            self.as_read,
            self.plan.subsets,
            self.spelled,
        )


def numbers_meet(source: OpenDataset, form: Format, plan: Plan) -> bool:
    """Return whether items from several files, each with its own numbers, are written into one file of the output.

    Args:
        source: The dataset that is read.
        form: The target's layout.
        plan: What the user asked for.
    """
    if source.joins_files:
        return True
    files: dict[str, set[object]] = {}
    for file in source.index.shared:
        if "subset" in file.captures and not file.union:
            files.setdefault(file.role, set()).add(file.captures["subset"])
    numbering = [subsets for role, subsets in files.items() if states_numbers(source.form.roles[role].document_rule)]
    several = any(len(subsets) > 1 for subsets in numbering)
    if not several or getattr(plan.select, "moves_items", False):
        return several
    now = plan.subsets
    if any(len({now.get(str(name), name) for name in subsets}) < len(subsets) for subsets in numbering):
        return True
    return not alike(source.form, form) and _stand_twice(source, form)


def areas_join_objects(source: OpenDataset, form: Format) -> bool:
    """Return whether areas of the source become objects, because the target holds only objects."""
    known = {table for role in form.documents if not role.kept for table in role.table_names}
    if "areas" in known or "objects" not in known:
        return False
    there = {file.role for file in source.index.shared}
    return any(
        "areas" in role.table_names and (role.span != "shared" or role.name in there) for role in source.form.documents
    )


def _stand_twice(source: OpenDataset, form: Format) -> bool:
    """Return whether ids of items that are unique within a subset would occur twice in a file of another format."""
    shared = [role for role in form.documents if role.span == "shared" and states_numbers(role.document_rule)]
    if not shared:
        return False
    owners: dict[Any, int] = {}
    is_in_several, meet = False, False
    for place, entry in enumerate(source.entries):
        ids = entry.shared.get(IDS, {})
        own = set(ids.values()) or {name for name in (entry.names.get("id"),) if name is not None}
        if len(own) > 1:
            return True
        is_in_several = is_in_several or len(ids) > 1
        meet = meet or any(owners.setdefault(one, place) != place for one in own)
    return meet and (is_in_several or any("subset" not in role.captures for role in shared))


class Written(msgspec.Struct):
    """The result of writing a shard."""

    items: int = 0
    left_out: int = 0
    with_objects: int = 0
    media: int = 0
    copied: int = 0
    found: Noted = []
    refused: list[Finding] = []
    claimed: set[str] = set()
    categories: set[str] = set()
    classed: int = 0
    joined: int = 0
    coverage: Coverage = msgspec.field(default_factory=Coverage)
    objects: int = 0
    boxed: int = 0
    classless: int = 0
    outlines: int = 0
    part: ShardOutput | None = None

    def leave_out(self, item: Item) -> None:
        """Count an item that is not written, and the objects that go with it."""
        self.left_out += 1
        self.with_objects += len(item.objects)


def kept_by_objects(item: Item) -> int:
    """Return how many kept and unknown fields the rows of an item's objects hold."""
    return sum([len(thing.origin.kept) for thing in item.objects if thing.origin is not None])


def _forget(item: Item) -> None:
    """Drop the sources of a written item, so that memory holds the sources of one item only."""
    for origin in (item.origin, *[thing.origin for thing in item.objects]):
        if origin is not None:
            origin.forget()
