"""A conversion: items read, adapted, written; the output whole or absent."""

from __future__ import annotations

import functools
import itertools
import posixpath
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import msgspec

from formatspec.engine.conservation.tally import Imbalance, imbalances
from formatspec.engine.dataset.dataset import OpenDataset
from formatspec.engine.dataset.item.read_item import Assembled, Purpose
from formatspec.engine.dataset.report import Noted
from formatspec.engine.dataset.whole_dataset import dataset_faults
from formatspec.engine.export.adaptation.adapt import Adapter, TargetCategories, target_categories
from formatspec.engine.export.adaptation.follow_options import PEEKED, with_following
from formatspec.engine.export.adaptation.judge_target import TargetJudge
from formatspec.engine.export.exporter import CannotWriteError, Exporter
from formatspec.engine.export.join_shards import Finisher, NameTakenError
from formatspec.engine.export.lost.losses import Losses
from formatspec.engine.export.lost.lost_records import tells_of_gone
from formatspec.engine.export.shard_output import ShardOutput
from formatspec.engine.export.shared_tables import counts_on, knows_all, tells_of_items
from formatspec.engine.spec import wanted_slots
from formatspec.engine.spec.compiled import IMAGE, Format, compile_format
from formatspec.files.images import ImageError, transcode
from formatspec.findings.finding import Finding
from formatspec.language.errors import Problem, SpecError, suggest
from formatspec.language.load import Source
from formatspec.model.limits import TooLargeError
from formatspec.model.records import Category, Item
from formatspec.policy.repair import repaired
from formatspec.policy.rules import Policy
from formatspec.policy.tell import Done, counted, ways_out
from formatspec.run.classless import GivenClass, class_of
from formatspec.run.output.staging import Staging
from formatspec.run.pools.shards import Pool, Shard, shards_of
from formatspec.run.pools.workers import Alone
from formatspec.run.resume import resumed
from formatspec.run.select import ItemCondition, Labels
from formatspec.run.treat import in_target, named, treat
from formatspec.run.validate import too_large

Media = Literal["copy", "link", "none"]
UNCLAIMED_SHOWN = 5


class RefusedError(ValueError):
    """A conversion that was not made, with the findings that stand in its way, and what would let it pass."""

    def __init__(
        self, message: str, findings: tuple[Finding, ...] = (), losses: tuple[str, ...] = (), ways: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message)
        self.findings = findings
        self.losses = losses
        self.ways = ways


class UnaccountedError(RefusedError):
    """A conversion that was not made, since something would be gone that no line names: a fault of ours."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What a conversion wrote, what was done about findings, and what the target could not hold."""

    source: str
    target: str
    out: str
    items: int
    skipped: int
    files: int
    losses: tuple[str, ...]
    loss_report: tuple[dict[str, Any], ...]
    findings: tuple[Finding, ...]
    notices: tuple[str, ...] = ()
    actions: tuple[Done, ...] = ()
    unaccounted: tuple[Imbalance, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The result as one plain object."""
        plain = msgspec.to_builtins(self)
        plain["losses"] = plain.pop("loss_report")
        return {"version": 1, **plain}


class Plan(msgspec.Struct, kw_only=True):
    """What is asked of a conversion."""

    media: Media = "copy"
    policy: Policy = Policy()
    lossless: bool = False
    subsets: dict[str, str] = {}
    options: dict[str, Any] = {}
    labels: dict[str, str | None] | None = None
    select: Any = None
    default_class: str | None = None
    allow_unaccounted: bool = False
    allow_loss: tuple[str, ...] = ()
    variant: str | None = None

    @property
    def leaves_items(self) -> bool:
        """Whether every item stays as it is: none is selected, none named anew."""
        return self.labels is None and self.select is None and not self.subsets


def purpose_of(media: Media, same: bool) -> Purpose:
    """What reading must give for a conversion."""
    taken = media != "none"
    return Purpose(origin=same, headers=taken, checks=False, media_required=taken, whole=taken)


def target_format(source: OpenDataset, target: Source, plan: Plan) -> Format:
    """The layout that is written, with the options that are asked for or follow from the objects."""
    layout = target.layouts[0]
    if target.is_same(source.form.source):
        layout = source.form.layout
        options = {**source.form.options, **plan.options}
    else:
        options = dict(plan.options)
    return compile_format(target, layout, with_following(options, layout.spec.options, lambda: _taken(source, plan)))


def _taken(source: OpenDataset, plan: Plan) -> Iterator[Item]:
    """Of the first items, those that are taken, with the objects that are taken."""
    for item in itertools.islice(source, PEEKED):
        taken = item if plan.select is None else plan.select(item)
        if taken is not None:
            yield taken if plan.labels is None else Labels(plan.labels).item(taken)


def convert_dataset(
    source: OpenDataset, target: Source, staging: Staging, plan: Plan, progress: Callable[[int], None], pool: Pool
) -> Result:
    """Write `source` in another format.  Raises RefusedError, and the staging is not to be kept then."""
    conversion = prepared(source, target, staging, plan, pool)
    shards = conversion.shards()
    try:
        return _converted(conversion, shards, progress, pool)
    except NameTakenError:
        pass  # the workers of this round end with what it raised, and may not write into the next
    staging.clear()
    anew = Conversion(source, conversion.form, conversion.settled, staging, plan)
    return _converted(anew, [(0, len(source))], progress, pool)


def prepared(source: OpenDataset, target: Source, staging: Staging, plan: Plan, pool: Pool) -> Conversion:
    """All that is settled before the first item is written."""
    form = target_format(source, target, plan)
    source.findings.clear()
    twice = any(fault.code == "DUPLICATE" and fault.case == "category" for fault in source.index.faults)
    if twice and plan.policy.fixes("DUPLICATE"):
        source.merge_categories()
    if plan.policy.fixes("UNKNOWN_CATEGORY"):
        source.open_categories()
    if plan.select is None and not target.is_same(source.form.source):
        source.wanted = wanted_slots.for_target(source.form, form, source.index.claimed.roles)
    listed: Sequence[Category] = source.known.listed
    if _needs_categories(form):
        spread = functools.partial(resumed, pool, staging.kept, "categories", list[Category])
        listed = source.all_categories(spread, shards_of(len(source)))
    conversion = Conversion(source, form, tuple(listed), staging, plan)
    if conversion.unchanged and not tells_of_items(form):
        source.purpose = msgspec.structs.replace(source.purpose, pixels=False)  # nothing is made of them
    return conversion


class Conversion:
    """Items of a dataset written in another format, shard by shard."""

    def __init__(
        self, source: OpenDataset, form: Format, listed: tuple[Category, ...], staging: Staging, plan: Plan
    ) -> None:
        self.source = source
        self.form = form
        self.staging = staging
        self.plan = plan
        self.settled = listed
        self.labels = Labels(plan.labels) if plan.labels is not None else None
        self.adapter = Adapter(source.form, form, (entry.names for entry in source.entries), plan.subsets)
        self.listed = self.labels.categories(listed) if self.labels is not None else listed
        named = None if self.adapter.same else class_of(source.form, plan.default_class)
        self.classes = None if named is None else GivenClass(named, self.listed)
        if self.classes is not None:
            self.listed = self.classes.categories(self.listed)
        self.categories = target_categories(
            form, self.listed, self.adapter.same and self.labels is None, source.splits.apart
        )
        self.as_read = TargetCategories(listed, False, as_read=source.splits.apart)
        self.shared = {(file.role, file.path): file for file in source.index.shared}

    def __reduce__(self) -> tuple[Any, ...]:
        return Conversion, (self.source, self.form, self.settled, self.staging, self.plan)

    def shards(self) -> list[Shard]:
        """The shards; a single one where rows of shared files must know of all others."""
        items = len(self.source)
        return [(0, items)] if knows_all(self.form) else shards_of(items)

    @cached_property
    def in_turn(self) -> bool:
        """Whether shards must be written one after another, as rows of one count on from those of the last."""
        return counts_on(self.form)

    @cached_property
    def unchanged(self) -> bool:
        """Whether items go to their own format as they are, so that their own files are copied."""
        return self.adapter.same and self.plan.leaves_items and not self.source.splits.several

    @cached_property
    def exporter(self) -> Exporter:
        """What writes items, compiled once for all shards of a process."""
        losses = Losses(self.form, self.categories, self.adapter.same)
        return Exporter(self.form, self.categories, self.adapter, losses, self.staging.write, self.shared, self.as_read)

    def run(self, shard: Shard) -> Written:
        """Write the items of a shard."""
        exporter = self.exporter
        media = _Media(self.source, self.form, self.staging, self.plan.media, exporter.losses)
        made = Written()
        copied = self.staging.linked_by_copy
        for index, item, files in self._items(shard, made):
            try:
                own = exporter.item(item, index, files is None)
            except CannotWriteError as error:
                refused = Finding(code=error.code, level="error", item=item.key, message=str(error), scope="item",
                                  file=item.image.path if item.image else None)  # fmt: skip
                refused = msgspec.structs.replace(refused, action=self.plan.policy.action(refused))
                made.left_out += refused.action != "error"
                made.refused.append(refused)
                continue
            except (TooLargeError, MemoryError) as error:
                made.refused.append(too_large(error, item))
                continue
            media.bring(item, own)
            if files is not None:
                media.keep(path for role, paths in files.items() if role != IMAGE for path in paths)
            _forget(item)
            made.items += 1
        self.staging.flush()
        made.part = exporter.take()
        made.media = media.files
        made.copied = self.staging.linked_by_copy - copied
        return made

    def _items(self, shard: Shard, made: Written) -> Iterator[tuple[int, Item, Mapping[str, list[str]] | None]]:
        """The items that are written, with their places in the dataset, and by role their files that are kept."""
        source, select = self.source, self.plan.select
        for index, one in enumerate(source.assembled(*shard), shard[0]):
            if source.index.unclaimed:
                made.claimed.update(path for paths in one.files.values() for path in paths)
            item = one.item
            if item is not None and one.faults:
                item = self._treated(one, item, made)
                if item is not None and item is not one.item and self.unchanged and not source.purpose.pixels:
                    item = self._read_whole(index)
            if item is None:
                continue
            keeps = self.unchanged and item is one.item
            chosen: Item | None = item
            if select is not None:
                chosen = select.at(item, index) if isinstance(select, ItemCondition) else select(item)
            if chosen is not None:
                chosen = chosen if self.labels is None else self.labels.item(chosen)
                if self.classes is not None and any(thing.category is None for thing in chosen.objects):
                    made.classed += sum(1 for thing in chosen.objects if thing.category is None)
                    chosen = self.classes.item(chosen)
                yield index, chosen, one.files if keeps else None

    def _treated(self, one: Assembled, item: Item, made: Written) -> Item | None:
        """An item after what the policy does about its findings; None where it is not written."""
        source, policy = self.source, self.plan.policy
        noted = source.reporter.noted(one.faults, one.key, source.shared_files)
        decided = treat(policy, [(finding, fault) for (finding, _), fault in zip(noted, one.faults, strict=True)])
        outcome = repaired(item, decided)
        places = [place for _, place in noted]
        made.found += [(named(done), place) for done, place in zip(outcome.done, places, strict=True)]
        stops = any(done.action == "error" for done in outcome.done)
        if outcome.item is None and not stops:
            made.left_out += 1
        if outcome.item is None or stops or not any(done.slot for done in outcome.done):
            return None if stops else outcome.item
        judged = in_target(policy, self.judge, outcome.item)
        made.found += [(named(done), None) for done in judged.done]
        if judged.item is None:
            made.left_out += 1
        return None if any(done.action == "error" for done in judged.done) else judged.item

    def _read_whole(self, index: int) -> Item | None:
        """An item that is written anew though its files were to be kept: its pixels are read too."""
        source, lean = self.source, self.source.purpose
        source.purpose = msgspec.structs.replace(lean, pixels=True)
        try:
            one = source.read(source.entries[index])
        finally:
            source.purpose = lean
        return None if one.item is None else self._treated(one, one.item, Written())

    @cached_property
    def judge(self) -> TargetJudge:
        """What the target's validation would say of objects."""
        return TargetJudge(self.form)

    def finisher(self, losses: Losses) -> Finisher:
        """What joins the parts of shared files."""
        return Finisher(
            self.form, self.categories, losses, self.adapter.same, self.shared, self.as_read, self.plan.subsets
        )


class Written(msgspec.Struct):
    """What writing a shard gave."""

    items: int = 0
    left_out: int = 0
    media: int = 0
    copied: int = 0
    found: Noted = []
    refused: list[Finding] = []
    claimed: set[str] = set()
    classed: int = 0
    part: ShardOutput | None = None


def _converted(conversion: Conversion, shards: Sequence[Shard], progress: Callable[[int], None], pool: Pool) -> Result:
    """The shards written and joined.  Raises RefusedError, and Again where two shards hold items of one name."""
    source, form, plan = conversion.source, conversion.form, conversion.plan
    losses = Losses(form, conversion.categories, conversion.adapter.same)
    finisher = conversion.finisher(losses)
    findings = [
        msgspec.structs.replace(finding, action=plan.policy.action(finding))
        for finding in source.reporter.findings(
            (*source.index.faults, *dataset_faults(source, plan.policy.speaks_of("SPLIT_LEAK")))
        )
    ]
    _need_images(conversion, findings)
    refused: list[Finding] = []
    claimed: set[str] = set()
    items = files = copied = left_out = classed = 0
    if conversion.in_turn:
        coming = Alone().map(conversion.run, shards)
    else:
        coming = resumed(pool, conversion.staging.kept, "written", Written, conversion.run, shards)
    for (_, behind), made in zip(shards, coming, strict=True):
        assert made.part is not None
        finisher.add(made.part)
        findings += source.reporter.placed(made.found)
        refused += made.refused
        claimed |= made.claimed
        items, files, copied = items + made.items, files + made.media, copied + made.copied
        left_out += made.left_out
        classed += made.classed
        progress(behind)
    findings += refused
    told = plan.policy.told(findings)
    refuse_errors(findings, told)
    if items == 0:
        raise RefusedError("nothing was written: there is no valid item", told)
    if not any(finding.level == "error" for finding in findings) and plan.select is None:
        _refuse_unknown(plan.subsets, finisher.met, source)
    actions = counted(findings)
    if plan.lossless and actions:
        done = ", ".join(f"{one.code} ({one.action}, {one.count})" for one in actions)
        raise RefusedError(f"nothing was written: --lossless allows no repair and no drop: {done}", told)
    try:
        finisher.finish(conversion.staging.write_pieces)
    except CannotWriteError as error:
        raise RefusedError(f"nothing was written: {error}", told) from None
    losses.listed(conversion.listed)
    named: dict[str, int] = {}
    for (what, unit), count in losses.counts.items():
        if tells_of_gone(what, unit):
            named[unit] = named.get(unit, 0) + count
    unaccounted = tuple(imbalances(finisher.tally, named))
    if unaccounted and not plan.allow_unaccounted:
        raise UnaccountedError(
            "nothing was written: some of what was read would be gone, and no line of the report says so; this is a "
            "fault of formatspec, please report it with the lines above",
            told, tuple(map(str, unaccounted)),
        )  # fmt: skip
    accepted = set(plan.allow_loss)
    gone = [line for line in losses.lines() if not {line, line.rpartition(":")[0]} & accepted]
    if plan.lossless and gone:
        raise RefusedError("nothing was written: the target cannot hold everything", told, tuple(gone))
    return Result(
        source=source.name, target=form.name, out="", items=items, skipped=left_out, files=finisher.files + files,
        losses=tuple(losses.lines()), loss_report=tuple(losses.report()), findings=told,
        notices=(
            *_notices(source, copied, claimed), *_unchecked(conversion), *_of_classes(conversion, classed, losses)
        ),
        actions=actions, unaccounted=unaccounted,
    )  # fmt: skip


def _need_images(conversion: Conversion, findings: Sequence[Finding]) -> None:
    """Refuse to write a target of images where none is there, unless that is asked for."""
    absent = any(finding.code == "IMAGE_ABSENT" for finding in findings)
    if absent and conversion.plan.media != "none" and IMAGE in conversion.form.roles:
        raise RefusedError(
            "nothing was written: no image of the dataset is there; --media none writes the rest", tuple(findings)
        )


def refuse_errors(findings: Sequence[Finding], told: tuple[Finding, ...]) -> None:
    """Raise RefusedError where a finding stops the conversion, with what would let it pass."""
    stopping = [finding for finding in findings if finding.action == "error"]
    if stopping:
        ways = tuple(ways_out(stopping))
        found = "1 finding stops" if len(stopping) == 1 else f"{len(stopping)} findings stop"
        raise RefusedError(f"nothing was written: {found} the conversion", told, ways=ways)


def _of_classes(conversion: Conversion, classed: int, losses: Losses) -> Iterator[str]:
    """What there is to say of objects without a class."""
    things = "1 object" if classed == 1 else f"{classed} objects"
    if classed and conversion.classes is not None:
        name = conversion.classes.name
        yield f"written with the class {name!r}, since {conversion.source.name} states none: {things}"
    if conversion.classes is None and any(
        what.startswith("objects not written (no category") for what, _ in losses.counts
    ):
        yield "--default-class NAME gives objects without a class one, so that they are written"


def _refuse_unknown(renamed: Iterable[str], met: Collection[str], source: OpenDataset) -> None:
    """Refuse a new name for a subset that the dataset has not.  Raises SpecError."""
    unions = {file.captures["subset"]: file.path for file in source.index.shared if file.union}
    for name in renamed:
        if name in met:
            continue
        message, hint = f"the dataset has no subset {name!r}", suggest(name, sorted(met))
        if name in unions:
            message = f"{message}: {unions[name]} is made of other lists, and its items have the subsets of those"
            hint = f"name one of {', '.join(sorted(met))}"
        raise SpecError((Problem(message, None, "", hint),))


def _forget(item: Item) -> None:
    """Let go of an item's sources once it is written, so that memory is that of one item."""
    for origin in (item.origin, *(thing.origin for thing in item.objects)):
        if origin is not None:
            origin.forget()


def _unchecked(conversion: Conversion) -> Iterator[str]:
    """What was not looked at, since the target holds nothing of it."""
    if conversion.source.wanted is wanted_slots.boxes_only:
        yield f"not checked: outlines beyond their shape, since {conversion.form.name} takes boxes (validate does)"


def _notices(source: OpenDataset, copied: int, claimed: set[str]) -> Iterator[str]:
    """What else there is to say: files that were copied instead of linked, files that no rule claims."""
    if copied:
        yield f"{copied} files could not be linked and were copied"
    unclaimed = [path for path in source.index.unclaimed if path not in claimed]
    if unclaimed:
        more = ", …" if len(unclaimed) > UNCLAIMED_SHOWN else ""
        files = "1 file" if len(unclaimed) == 1 else f"{len(unclaimed)} files"
        shown = ", ".join(unclaimed[:UNCLAIMED_SHOWN])
        yield f"left where they are, since no rule claims them: {files} ({shown}{more})"


def _needs_categories(form: Format) -> bool:
    return any(
        scope.kind == "category"
        or meaning.table == "categories"
        or meaning.name in ("category.index", "category.id", "label.category.index")
        for role in form.documents
        for meaning, scope, _ in wanted_slots.meanings(role.document_rule, role.scope)
    )


class _Media:
    """Images brought over: copied, linked, or encoded anew where the target names another kind of file."""

    def __init__(self, source: OpenDataset, form: Format, staging: Staging, media: Media, losses: Losses) -> None:
        self.tree = source.tree
        self.staging = staging
        self.media = media
        self.losses = losses
        self.wanted = IMAGE in form.roles and media != "none"
        self.inside = any(
            meaning.name == "image.data"
            for role in form.documents
            for meaning, *_ in wanted_slots.meanings(role.document_rule, role.scope)
        )
        self.files = 0
        self._seen: set[str] = set()

    def bring(self, item: Item, own: Item) -> None:
        """Put an item's image where the target wants it."""
        if not self.wanted or item.image is None or own.image is None or not item.image.path:
            return
        data = None if self.inside else item.image.data
        if (data is None and not self.tree.exists(item.image.path)) or own.image.path in self._seen:
            return
        self._seen.add(own.image.path)
        self.files += 1
        before, after = (_kind(image.path) for image in (item.image, own.image))
        if before != after or data is not None:
            data = self.tree.read(item.image.path) if data is None else data
            try:
                made = transcode(data, after)
            except ImageError as error:
                raise RefusedError(f"nothing was written: {item.image.path}: {error}") from None
            self.staging.write(own.image.path, made)
            if made is data:
                return
            self.losses.note(f"images encoded anew as {after}", "images")
            return
        self._copy(item.image.path, own.image.path)

    def keep(self, paths: Iterable[str]) -> None:
        """Put files where they are in the source."""
        for path in paths:
            if path not in self._seen:
                self._seen.add(path)
                self.files += 1
                self._copy(path, path)

    def _copy(self, path: str, own: str) -> None:
        local = self.tree.local(path)
        if local is None:
            self.staging.linked_by_copy += self.media == "link"
            self.staging.write(own, self.tree.read(path))
        elif self.media == "link":
            self.staging.link(Path(local), own)
        else:
            self.staging.copy(Path(local), own)


def _kind(path: str) -> str:
    extension = posixpath.splitext(path)[1].lower()
    return {".jpeg": ".jpg", ".tiff": ".tif"}.get(extension, extension)
