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
from formatspec.engine.dataset.read_item import Purpose
from formatspec.engine.dataset.report import Noted
from formatspec.engine.export.adapt import Adapter, TargetCategories, target_categories
from formatspec.engine.export.exporter import CannotWriteError, Exporter
from formatspec.engine.export.join_shards import Finisher, NameTakenError
from formatspec.engine.export.losses import Losses
from formatspec.engine.export.lost_records import tells_of_gone
from formatspec.engine.export.shard_output import ShardOutput
from formatspec.engine.export.shared_tables import counts_on, knows_all, tells_of_items
from formatspec.engine.resolve.held_slots import BITS, stated_bits
from formatspec.engine.spec import wanted_slots
from formatspec.engine.spec.compiled import IMAGE, Format, compile_format
from formatspec.files.images import ImageError, transcode
from formatspec.findings.finding import Finding
from formatspec.language.errors import Problem, SpecError, suggest
from formatspec.language.load import Source
from formatspec.model.records import Category, Item
from formatspec.run.classless import GivenClass, class_of
from formatspec.run.output.staging import Staging
from formatspec.run.pools.shards import Pool, Shard, shards_of
from formatspec.run.pools.workers import Alone
from formatspec.run.resume import resumed
from formatspec.run.select import Labels

Media = Literal["copy", "link", "none"]
UNCLAIMED_SHOWN = 5
PEEKED = 100
"""Items that are looked at to choose an option that follows from what the objects hold."""


class RefusedError(ValueError):
    """A conversion that was not made, with the findings that stand in its way."""

    def __init__(self, message: str, findings: tuple[Finding, ...] = (), losses: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.findings = findings
        self.losses = losses


class UnaccountedError(RefusedError):
    """A conversion that was not made, since something would be gone that no line names: a fault of ours."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What a conversion wrote, and what the target could not hold."""

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
    unaccounted: tuple[Imbalance, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The result as one plain object."""
        plain = msgspec.to_builtins(self)
        plain["losses"] = plain.pop("loss_report")
        return {"version": 1, **plain}


class Plan(msgspec.Struct, kw_only=True):
    """What is asked of a conversion."""

    media: Media = "copy"
    skip_invalid: bool = False
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
    return Purpose(origin=same, headers=media != "none", checks=False, media_required=media != "none")


def target_format(source: OpenDataset, target: Source, plan: Plan) -> Format:
    """The layout that is written, with the options that are asked for or follow from the objects."""
    layout = target.layouts[0]
    if target.is_same(source.form.source):
        layout = source.form.layout
        options = {**source.form.options, **plan.options}
    else:
        options = dict(plan.options)
    for name, option in layout.spec.options.items():
        if options.get(name) is None and option.follows:
            options[name] = _following(source, option.follows, plan)
    return compile_format(target, layout, options)


def _following(source: OpenDataset, follows: Mapping[str, Any], plan: Plan) -> Any:
    """The choice for the first slot, in the order of the option, that the first objects taken hold."""
    bits = 0
    for item in itertools.islice(source, PEEKED):
        taken = item if plan.select is None else plan.select(item)
        taken = taken if taken is None or plan.labels is None else Labels(plan.labels).item(taken)
        for thing in () if taken is None else taken.objects:
            bits |= stated_bits(thing)
    return next((choice for slot, choice in follows.items() if bits & BITS.get(slot, 0)), list(follows.values())[-1])


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
        roles = [role for role in self.form.roles.values() if role.span == "shared" or not self.unchanged]
        return Exporter(
            self.form, self.categories, self.adapter, losses, self.staging.write, self.shared, self.as_read, roles
        )

    def run(self, shard: Shard) -> Written:
        """Write the items of a shard."""
        exporter = self.exporter
        media = _Media(self.source, self.form, self.staging, self.plan.media, exporter.losses)
        made = Written()
        copied = self.staging.linked_by_copy
        for index, item, files in self._items(shard, made):
            try:
                own = exporter.item(item, index)
            except CannotWriteError as error:
                made.refused.append(
                    Finding(code=error.code, level="error", item=item.key, message=str(error),
                            file=item.image.path if item.image else None)
                )  # fmt: skip
                continue
            media.bring(item, own)
            if self.unchanged:
                media.keep(path for role, paths in files.items() if role != IMAGE for path in paths)
            _forget(item)
            made.items += 1
        self.staging.flush()
        made.part = exporter.take()
        made.media = media.files
        made.copied = self.staging.linked_by_copy - copied
        return made

    def _items(self, shard: Shard, made: Written) -> Iterator[tuple[int, Item, Mapping[str, list[str]]]]:
        """The valid items that are selected, with their places in the dataset and their files by role."""
        source, select = self.source, self.plan.select
        for index, one in enumerate(source.assembled(*shard), shard[0]):
            if source.index.unclaimed:
                made.claimed.update(path for paths in one.files.values() for path in paths)
            noted = source.reporter.noted(one.faults, one.key, source.shared_files)
            made.found += noted
            if one.item is None or any(finding.level == "error" for finding, _ in noted):
                continue
            chosen: Item | None = one.item if select is None else select(one.item)
            if chosen is not None:
                chosen = chosen if self.labels is None else self.labels.item(chosen)
                if self.classes is not None and any(thing.category is None for thing in chosen.objects):
                    made.classed += sum(1 for thing in chosen.objects if thing.category is None)
                    chosen = self.classes.item(chosen)
                yield index, chosen, one.files

    def finisher(self, losses: Losses) -> Finisher:
        """What joins the parts of shared files."""
        return Finisher(
            self.form, self.categories, losses, self.adapter.same, self.shared, self.as_read, self.plan.subsets
        )


class Written(msgspec.Struct):
    """What writing a shard gave."""

    items: int = 0
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
    findings = list(source.reporter.findings(source.index.faults))
    refused: list[Finding] = []
    claimed: set[str] = set()
    items = files = copied = classed = 0
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
        classed += made.classed
        progress(behind)
    findings += refused
    bad = [finding for finding in findings if finding.level == "error"]
    if bad and not plan.skip_invalid:
        raise RefusedError("nothing was written: some items are invalid", tuple(findings))
    if items == 0:
        raise RefusedError("nothing was written: there is no valid item", tuple(findings))
    if not bad and plan.select is None:
        _refuse_unknown(plan.subsets, finisher.met, source)
    try:
        finisher.finish(conversion.staging.write_pieces)
    except CannotWriteError as error:
        raise RefusedError(f"nothing was written: {error}", tuple(findings)) from None
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
            tuple(findings), tuple(map(str, unaccounted)),
        )  # fmt: skip
    accepted = set(plan.allow_loss)
    gone = [line for line in losses.lines() if not {line, line.rpartition(":")[0]} & accepted]
    if plan.lossless and gone:
        raise RefusedError("nothing was written: the target cannot hold everything", tuple(findings), tuple(gone))
    skipped = len({finding.item for finding in bad if finding.item is not None})
    return Result(
        source=source.name, target=form.name, out="", items=items, skipped=skipped, files=finisher.files + files,
        losses=tuple(losses.lines()), loss_report=tuple(losses.report()), findings=tuple(findings),
        notices=(*_notices(source, copied, claimed), *_of_classes(conversion, classed, losses)),
        unaccounted=unaccounted,
    )  # fmt: skip


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
